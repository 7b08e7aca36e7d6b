#include "binding.h"

#include <ruby/thread.h>
#include <stdatomic.h>
#include <unistd.h>

/*
 * A blocking call: a group of one call, which the thread waits for without the GVL. An exception on the way, from
 * another thread, a signal handler or an observer, cancels the call and frees the group.
 */

/* Seconds of one wait: when other threads are busy or gone, a signal may arrive without ending the wait. */
#define WAIT 0.05

struct call {
  VALUE self, thread;
  VALUE exception; /* of a failed call, when its end was reported; else nil */
  privy_rb_receivers receivers;
  privy_rb_call_spec spec;
  privy_rb_client *client;
  privy_client *core;
  privy_options options;
  privy_request *request;
  privy_group *group;
  pid_t process;
  atomic_bool unblocked; /* the VM called `unblock` */
  bool has_event;        /* `event` is to be reported */
  bool ended;            /* `completion` is set */
  privy_trace_event event;
  privy_completion completion;
  privy_error error;
};

/* ---- waiting ---- */

/* Returns when the GVL is needed: for an event, for the completion, or to check interrupts. An interrupt is not always
 * an exception: the call survives a signal handler, and an exception that the program defers. */
static void *wait_without_gvl(void *argument) {
  struct call *call = argument;
  for (;;) {
    call->has_event = privy_group_take_event(call->group, &call->event);
    call->ended = !call->has_event && privy_group_next_completed(call->group, &call->completion);
    if (call->has_event || call->ended) return NULL;
    if (atomic_exchange(&call->unblocked, false) || rb_thread_interrupted(call->thread)) return NULL;
    privy_group_wait(call->group, WAIT);
  }
}

/* Called from any thread or from a signal handler. */
static void unblock(void *argument) {
  struct call *call = argument;
  atomic_store(&call->unblocked, true);
  privy_group_wake(call->group);
}

static void report(struct call *call) {
  if (!call->has_event) return;
  call->has_event = false;
  if (NIL_P(call->exception)) call->exception = privy_rb_receivers_failure(&call->receivers, call->group, &call->event);
  bool ends = call->event.kind == PRIVY_TRACE_END;
  privy_rb_report(&call->receivers, &call->event, ends ? call->exception : Qnil);
}

/* An observer may fork: the child must not use its parent's connection. */
static bool is_ours(const struct call *call) {
  return call->process == getpid();
}

static VALUE wait_body(VALUE argument) {
  struct call *call = (struct call *)argument;
  while (!call->ended) {
    rb_nogvl(wait_without_gvl, call, unblock, call, RB_NOGVL_UBF_ASYNC_SAFE);
    if (!call->has_event) continue;
    report(call);
    if (!is_ours(call)) privy_rb_raise_setting("the call belongs to the process that forked this one");
  }
  return Qnil;
}

static VALUE report_event(VALUE argument) {
  report((struct call *)argument);
  return Qnil;
}

static bool take_event(struct call *call) {
  return call->has_event = privy_group_take_event(call->group, &call->event);
}

static VALUE report_kept(VALUE argument) {
  struct call *call = (struct call *)argument;
  do report(call);
  while (take_event(call));
  return Qnil;
}

/* After an exception: further exceptions are discarded. */
static VALUE report_rest(VALUE argument) {
  struct call *call = (struct call *)argument;
  int state = 0;
  while (take_event(call)) {
    rb_protect(report_event, argument, &state);
    if (state != 0) rb_set_errinfo(Qnil);
  }
  return Qnil;
}

/* The exception that leaves the call; nil after a throw, or when the thread is killed. */
static VALUE exception_in_flight(void) {
  VALUE exception = rb_errinfo();
  bool is_one = RB_TYPE_P(exception, T_OBJECT) && RTEST(rb_obj_is_kind_of(exception, rb_eException));
  return is_one ? exception : Qnil;
}

/* A call that is left is stopped, and its end reported like any other. */
static VALUE wait_end(VALUE argument) {
  struct call *call = (struct call *)argument;
  if (call->ended || !is_ours(call)) return Qnil;
  call->exception = exception_in_flight();
  privy_group_cancel(call->group, 0);
  return rb_ensure(report_kept, argument, report_rest, argument);
}

/* ---- the call ---- */

static VALUE call_body(VALUE argument) {
  struct call *call = (struct call *)argument;
  privy_rb_call_spec_build(&call->spec, &call->request);
  privy_rb_client_finish(call->client, call->request, -1, &call->error);
  call->core = privy_rb_client_enter(call->client);
  privy_rb_check(privy_group_new(call->core, &call->group, &call->error), &call->error);
  privy_rb_receivers_ask(&call->receivers);
  privy_rb_receivers_observe(&call->receivers, call->group);
  privy_request *request = call->request;
  call->request = NULL;
  privy_rb_check(privy_group_start(call->group, request, &call->options, 0, &call->error), &call->error);
  rb_ensure(wait_body, argument, wait_end, argument);
  if (!NIL_P(call->exception)) rb_exc_raise(call->exception);
  privy_rb_check(call->completion.status, &call->completion.error);
  return privy_rb_result(call->spec.operation, call->completion.response);
}

static VALUE call_clean(VALUE argument) {
  struct call *call = (struct call *)argument;
  privy_request_free(call->request);
  privy_group_free(call->group);
  privy_completion_clear(&call->completion);
  privy_error_clear(&call->error);
  if (call->core != NULL) privy_rb_client_leave(call->client);
  return Qnil;
}

static VALUE run_call(VALUE self, privy_rb_call_spec spec, VALUE options) {
  struct call call = {
      .self = self, .spec = spec, .thread = rb_thread_current(), .process = getpid(), .exception = Qnil};
  call.client = privy_rb_client_get(self);
  call.receivers = privy_rb_client_receivers(call.client);
  call.options = privy_rb_call_options(options);
  privy_error_init(&call.error);
  VALUE result = rb_ensure(call_body, (VALUE)&call, call_clean, (VALUE)&call);
  RB_GC_GUARD(call.self);
  RB_GC_GUARD(call.thread);
  RB_GC_GUARD(call.receivers.observer);
  RB_GC_GUARD(call.exception);
  return result;
}

/* call(operation, params, extra, options) → a record, a Page, or nil for an empty response */
static VALUE client_call(VALUE self, VALUE name, VALUE params, VALUE extra, VALUE options) {
  VALUE result = run_call(self, privy_rb_call_spec_of(name, params, extra, options), options);
  RB_GC_GUARD(params);
  RB_GC_GUARD(extra);
  RB_GC_GUARD(options);
  return result;
}

/* request(method, path, params, headers, body, options) → a Privy::Response */
static VALUE client_request(VALUE self, VALUE method, VALUE path, VALUE params, VALUE headers, VALUE body,
                            VALUE options) {
  privy_rb_call_spec spec = privy_rb_call_spec_raw(method, path, params, headers, body);
  VALUE result = run_call(self, spec, options);
  RB_GC_GUARD(spec.method);
  RB_GC_GUARD(spec.path);
  RB_GC_GUARD(params);
  RB_GC_GUARD(headers);
  RB_GC_GUARD(body);
  return result;
}

void privy_rb_init_call(void) {
  VALUE client_class = rb_define_class_under(privy_rb_core, "Client", rb_cObject);
  rb_define_method(client_class, "call", client_call, 4);
  rb_define_method(client_class, "request", client_request, 6);
}
