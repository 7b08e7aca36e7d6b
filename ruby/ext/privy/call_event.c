#include "binding.h"

/* Trace events of calls as Privy::CallEvent objects for the client's observer. */

static ID id_least, id_call, id_from_core, id_message;

privy_level privy_rb_least_level(VALUE observer) {
  VALUE least = NIL_P(observer) ? Qnil : rb_funcall(observer, id_least, 0);
  return NIL_P(least) ? PRIVY_LEVEL_OFF : (privy_level)NUM2INT(least);
}

static VALUE clean(const char *text) {
  return privy_rb_clean_text(text, strlen(text));
}

static VALUE value_of(const privy_trace_attribute *attribute) {
  switch (attribute->type) {
  case PRIVY_TRACE_WORD: return ID2SYM(rb_intern(attribute->text));
  case PRIVY_TRACE_TEXT: return clean(attribute->text);
  case PRIVY_TRACE_ERROR: return clean(privy_rb_error_name((privy_status)attribute->number));
  case PRIVY_TRACE_NUMBER: return LL2NUM(attribute->number);
  case PRIVY_TRACE_SECONDS: return DBL2NUM(attribute->seconds);
  case PRIVY_TRACE_FLAG: return attribute->number ? Qtrue : Qfalse;
  default: return Qnil;
  }
}

/* { attribute => value }, with the event's line as `message` */
static VALUE event_values(const privy_trace_event *event) {
  char line[PRIVY_TRACE_LINE];
  privy_trace_attribute all[PRIVY_TRACE_ATTRIBUTES];
  VALUE values = rb_hash_new();
  privy_trace_attributes(event, all);
  privy_trace_line(event, line);
  for (size_t index = 0; index < PRIVY_TRACE_ATTRIBUTES; index++) {
    rb_hash_aset(values, ID2SYM(rb_intern(all[index].name)), value_of(&all[index]));
  }
  rb_hash_aset(values, ID2SYM(id_message), clean(line));
  return values;
}

void privy_rb_report(VALUE observer, const privy_trace_event *event) {
  VALUE klass = rb_const_get(privy_rb_module, rb_intern("CallEvent"));
  rb_funcall(observer, id_call, 1, rb_funcall(klass, id_from_core, 1, event_values(event)));
}

struct report {
  VALUE observer;
  privy_group *group;
  privy_trace_event event;
};

static VALUE report_body(VALUE argument) {
  const struct report *report = (const struct report *)argument;
  privy_rb_report(report->observer, &report->event);
  return Qnil;
}

static VALUE report_kept(VALUE argument) {
  struct report *report = (struct report *)argument;
  while (privy_group_take_event(report->group, &report->event)) report_body(argument);
  return Qnil;
}

/* After an exception: further exceptions are discarded. */
static VALUE report_rest(VALUE argument) {
  struct report *report = (struct report *)argument;
  int state = 0;
  while (privy_group_take_event(report->group, &report->event)) {
    rb_protect(report_body, argument, &state);
    if (state != 0) rb_set_errinfo(Qnil);
  }
  return Qnil;
}

void privy_rb_report_all(VALUE observer, privy_group *group) {
  struct report report = {.observer = observer, .group = group};
  rb_ensure(report_kept, (VALUE)&report, report_rest, (VALUE)&report);
}

void privy_rb_report_refusal(VALUE observer, privy_client *client, const privy_request *request,
                             const privy_error *error) {
  privy_trace_event event;
  privy_level least = privy_rb_least_level(observer);
  if (least != PRIVY_LEVEL_OFF && privy_client_refused(client, request, error, least, &event)) {
    privy_rb_report(observer, &event);
  }
}

void privy_rb_init_call_event(void) {
  id_least = rb_intern("least");
  id_call = rb_intern("call");
  id_from_core = rb_intern("from_core");
  id_message = rb_intern("message");
}
