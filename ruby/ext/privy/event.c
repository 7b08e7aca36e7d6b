#include "binding.h"

/* The steps of calls, told to the client's observer as a Privy::Event each. */

static ID id_wanted, id_call, id_from_core;

bool privy_rb_is_observed(VALUE observer) {
  return !NIL_P(observer) && RTEST(rb_funcall(observer, id_wanted, 0));
}

static VALUE words(const char *text) {
  return *text == '\0' ? Qnil : privy_rb_clean_text(text, strlen(text));
}

static VALUE left(int64_t requests) {
  return requests < 0 ? Qnil : LL2NUM(requests);
}

/* What an attempt took, for the steps that end one: in the order of privy_event. */
static void push_cost(VALUE values, const privy_event *event) {
  bool known = event->kind == PRIVY_EVENT_RESPONSE || event->kind == PRIVY_EVENT_FAILURE;
  const double seconds[] = {event->lookup, event->connect, event->tls, event->first_byte, event->total};
  for (size_t index = 0; index < sizeof seconds / sizeof *seconds; index++) {
    rb_ary_push(values, known ? DBL2NUM(seconds[index]) : Qnil);
  }
  rb_ary_push(values, known ? ULL2NUM(event->bytes_sent) : Qnil);
  rb_ary_push(values, known ? ULL2NUM(event->bytes_received) : Qnil);
  rb_ary_push(values, !known ? Qnil : event->reused ? Qtrue : Qfalse);
}

/* In the order that Privy::Event.from_core takes them: names belong to Ruby's side. */
static VALUE event_values(const privy_event *event) {
  VALUE values = rb_ary_new();
  bool lasts = event->kind == PRIVY_EVENT_RETRY || event->kind == PRIVY_EVENT_WAIT || event->kind == PRIVY_EVENT_TOKEN;
  rb_ary_push(values, ID2SYM(rb_intern(privy_event_name(event->kind))));
  rb_ary_push(values, ULL2NUM(event->call));
  rb_ary_push(values, words(event->method));
  rb_ary_push(values, words(event->path));
  rb_ary_push(values, INT2NUM(event->attempt));
  rb_ary_push(values, event->http_status == 0 ? Qnil : INT2NUM(event->http_status));
  rb_ary_push(values, event->failure == PRIVY_OK ? Qnil : words(privy_rb_error_name(event->failure)));
  rb_ary_push(values, words(event->reason));
  rb_ary_push(values, words(event->request_id));
  rb_ary_push(values, lasts ? DBL2NUM(event->seconds) : Qnil);
  push_cost(values, event);
  rb_ary_push(values, left(event->minute_left));
  rb_ary_push(values, left(event->day_left));
  return values;
}

void privy_rb_tell(VALUE observer, const privy_event *event) {
  VALUE klass = rb_const_get(privy_rb_module, rb_intern("Event"));
  rb_funcall(observer, id_call, 1, rb_funcall(klass, id_from_core, 1, event_values(event)));
}

void privy_rb_tell_all(VALUE observer, privy_group *group) {
  privy_event event;
  while (privy_group_take_event(group, &event)) privy_rb_tell(observer, &event);
}

void privy_rb_init_event(void) {
  id_wanted = rb_intern("wanted?");
  id_call = rb_intern("call");
  id_from_core = rb_intern("from_core");
}
