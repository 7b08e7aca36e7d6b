#include "binding.h"

#include <ruby/ractor.h>
#include <stdio.h>

/* Trace events of calls: as Privy::CallEvent objects for a client's observer, and as values for the notifier of the
 * process. */

/* Bytes of the longest name of an attribute, with @ and NUL. */
#define LONGEST_NAME 32

static ID id_least, id_call, id_kinds, id_message;
static ID variables[PRIVY_TRACE_ATTRIBUTES]; /* of a CallEvent */
static rb_ractor_local_key_t notifier_key;   /* each Ractor has its own notifier */

/* ---- what is wanted ---- */

static privy_level least_level(VALUE observer) {
  VALUE least = NIL_P(observer) ? Qnil : rb_funcall(observer, id_least, 0);
  return NIL_P(least) ? PRIVY_LEVEL_OFF : (privy_level)NUM2INT(least);
}

void privy_rb_receivers_ask(privy_rb_receivers *receivers) {
  VALUE notifier = rb_ractor_local_storage_value(notifier_key);
  receivers->least = least_level(receivers->observer);
  receivers->kinds = NIL_P(notifier) ? 0 : NUM2UINT(rb_funcall(notifier, id_kinds, 0));
}

void privy_rb_receivers_observe(const privy_rb_receivers *receivers, privy_group *group) {
  privy_group_observe(group, receivers->least);
  privy_group_observe_kinds(group, receivers->kinds);
}

static bool is_notified(const privy_rb_receivers *receivers, const privy_trace_event *event) {
  return receivers->kinds & 1u << event->kind;
}

/* ---- events as objects ---- */

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

static VALUE call_event(const privy_trace_event *event) {
  char line[PRIVY_TRACE_LINE];
  privy_trace_attribute all[PRIVY_TRACE_ATTRIBUTES];
  VALUE object = rb_obj_alloc(rb_const_get(privy_rb_module, rb_intern("CallEvent")));
  privy_trace_attributes(event, all);
  privy_trace_line(event, line);
  for (size_t index = 0; index < PRIVY_TRACE_ATTRIBUTES; index++) {
    rb_ivar_set(object, variables[index], value_of(&all[index]));
  }
  rb_ivar_set(object, id_message, clean(line));
  return rb_obj_freeze(object);
}

/* The values in the order of CallEvent::ATTRIBUTES. */
static VALUE event_values(const privy_trace_event *event) {
  privy_trace_attribute all[PRIVY_TRACE_ATTRIBUTES];
  VALUE values = rb_ary_new_capa(PRIVY_TRACE_ATTRIBUTES);
  privy_trace_attributes(event, all);
  for (size_t index = 0; index < PRIVY_TRACE_ATTRIBUTES; index++) rb_ary_push(values, value_of(&all[index]));
  return values;
}

/* ---- reporting ---- */

VALUE privy_rb_receivers_failure(const privy_rb_receivers *receivers, const privy_group *group,
                                 const privy_trace_event *event) {
  if (event->kind != PRIVY_TRACE_END || !is_notified(receivers, event)) return Qnil;
  const privy_error *error = privy_group_failure(group, event->id);
  return error == NULL ? Qnil : privy_rb_exception(error);
}

static void notify(const privy_rb_receivers *receivers, const privy_trace_event *event, VALUE exception) {
  VALUE notifier = rb_ractor_local_storage_value(notifier_key);
  VALUE account = receivers->account == 0 ? Qnil : ID2SYM(receivers->account);
  if (NIL_P(notifier)) return;
  rb_funcall(notifier, id_call, 4, event_values(event), account, exception, DBL2NUM(event->began));
}

void privy_rb_report(const privy_rb_receivers *receivers, const privy_trace_event *event, VALUE exception) {
  bool observed = !NIL_P(receivers->observer) && privy_trace_level(event) >= receivers->least;
  if (observed) rb_funcall(receivers->observer, id_call, 1, call_event(event));
  if (is_notified(receivers, event)) notify(receivers, event, exception);
}

void privy_rb_report_refusal(privy_rb_receivers receivers, privy_client *client, const privy_request *request,
                             const privy_error *error, int64_t row) {
  privy_trace_event event;
  privy_rb_receivers_ask(&receivers);
  bool notified = receivers.kinds & 1u << PRIVY_TRACE_REFUSED;
  privy_level least = notified ? PRIVY_LEVEL_DEBUG : receivers.least;
  if (least == PRIVY_LEVEL_OFF || !privy_client_refused(client, request, error, least, &event)) return;
  event.row = row;
  privy_rb_report(&receivers, &event, notified ? privy_rb_exception(error) : Qnil);
}

/* ---- the notifier ---- */

static VALUE get_notifier(VALUE self) {
  (void)self;
  return rb_ractor_local_storage_value(notifier_key);
}

/* Core.notifier = an object that receives events of all clients, or nil. kinds → the kinds that it wants of a call that
 * begins now, as a sum of 1 << index in EVENT_KINDS; call(values in the order of CallEvent::ATTRIBUTES, name of the
 * client's account or nil, exception of a call that failed or nil, seconds of CLOCK_MONOTONIC at which the call or the
 * attempt began). */
static VALUE set_notifier(VALUE self, VALUE notifier) {
  (void)self;
  rb_ractor_local_storage_value_set(notifier_key, notifier);
  return notifier;
}

static VALUE kind_names(void) {
  VALUE names = rb_ary_new();
  for (int kind = 0; kind < PRIVY_TRACE_COUNT; kind++) {
    rb_ary_push(names, ID2SYM(rb_intern(privy_trace_kind_name((privy_trace_kind)kind))));
  }
  return rb_obj_freeze(names);
}

static void name_variables(void) {
  const privy_trace_event event = {.operation = "", .kind = PRIVY_TRACE_START};
  privy_trace_attribute all[PRIVY_TRACE_ATTRIBUTES];
  privy_trace_attributes(&event, all);
  for (size_t index = 0; index < PRIVY_TRACE_ATTRIBUTES; index++) {
    char name[LONGEST_NAME];
    bool taken = strcmp(all[index].name, "method") == 0; /* every object has a method of this name */
    snprintf(name, sizeof name, "@%s%s", taken ? "http_" : "", all[index].name);
    variables[index] = rb_intern(name);
  }
}

void privy_rb_init_call_event(void) {
  id_least = rb_intern("least");
  id_call = rb_intern("call");
  id_kinds = rb_intern("kinds");
  id_message = rb_intern("@message");
  name_variables();
  notifier_key = rb_ractor_local_storage_value_newkey();
  rb_define_const(privy_rb_core, "EVENT_KINDS", kind_names());
  rb_define_module_function(privy_rb_core, "notifier", get_notifier, 0);
  rb_define_module_function(privy_rb_core, "notifier=", set_notifier, 1);
}
