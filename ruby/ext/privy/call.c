#include "binding.h"

#include <ruby/thread.h>
#include <stdatomic.h>

/* One call, waited for by its thread, which leaves the lock to others meanwhile. */

struct call {
  VALUE self, thread;
  privy_rb_question question;
  privy_rb_client *client;
  privy_client *core;
  privy_options options;
  privy_request *request;
  privy_response *response;
  privy_error error;
  privy_status status;
  atomic_bool poked; /* somebody wants this thread's attention */
  int raised;        /* rb_protect's state when that was an exception */
};

static VALUE check_interrupts(VALUE argument) {
  (void)argument;
  rb_thread_check_ints();
  return Qnil;
}

static void *look_at_interrupts(void *argument) {
  struct call *call = argument;
  rb_protect(check_interrupts, Qnil, &call->raised);
  return NULL;
}

/*
 * A poke is not yet an exception: a signal handler or an exception that the program holds back pokes too, and neither
 * may cost a request that is on its way. So the thread takes the lock, looks, and goes on when nothing was raised.
 * A signal may come without a poke, when Ruby's other threads are busy or gone: then only the thread's own flag tells.
 */
static bool call_must_stop(void *context) {
  struct call *call = context;
  if (!atomic_exchange(&call->poked, false) && !rb_thread_interrupted(call->thread)) return false;
  rb_thread_call_with_gvl(look_at_interrupts, call);
  return call->raised != 0;
}

/* Called from any thread or from a signal handler. */
static void call_poke(void *argument) {
  struct call *call = argument;
  atomic_store(&call->poked, true);
}

static void *call_without_gvl(void *argument) {
  struct call *call = argument;
  const privy_hooks hooks = {.stop = call_must_stop, .context = call};
  call->status = privy_client_call(call->core, call->request, &call->options, &hooks, &call->response, &call->error);
  return NULL;
}

static VALUE call_body(VALUE argument) {
  struct call *call = (struct call *)argument;
  privy_rb_question_build(&call->question, &call->request, &call->error);
  call->core = privy_rb_client_enter(call->client);
  rb_nogvl(call_without_gvl, call, call_poke, call, RB_NOGVL_UBF_ASYNC_SAFE);
  if (call->raised != 0) rb_jump_tag(call->raised);
  privy_rb_check(call->status, &call->error);
  return privy_rb_answer(call->question.operation, call->response);
}

static VALUE call_clean(VALUE argument) {
  struct call *call = (struct call *)argument;
  privy_request_free(call->request);
  privy_response_release(call->response);
  privy_error_clear(&call->error);
  if (call->core != NULL) privy_rb_client_leave(call->client);
  return Qnil;
}

static VALUE run_call(VALUE self, privy_rb_question question, VALUE options) {
  struct call call = {.self = self, .question = question, .thread = rb_thread_current()};
  call.client = privy_rb_client_get(self);
  call.options = privy_rb_options(options);
  privy_error_init(&call.error);
  VALUE result = rb_ensure(call_body, (VALUE)&call, call_clean, (VALUE)&call);
  RB_GC_GUARD(call.self);
  RB_GC_GUARD(call.thread);
  return result;
}

/* call(operation, params, extra, options) → a record, a Page, or nil when the answer holds nothing. */
static VALUE client_call(VALUE self, VALUE name, VALUE params, VALUE extra, VALUE options) {
  VALUE result = run_call(self, privy_rb_question_of(name, params, extra), options);
  RB_GC_GUARD(params);
  RB_GC_GUARD(extra);
  return result;
}

/* request(method, path, params, headers, body, options) → a Privy::Response. */
static VALUE client_request(VALUE self, VALUE method, VALUE path, VALUE params, VALUE headers, VALUE body,
                            VALUE options) {
  privy_rb_question question = privy_rb_question_raw(method, path, params, headers, body);
  VALUE result = run_call(self, question, options);
  RB_GC_GUARD(question.method);
  RB_GC_GUARD(question.path);
  RB_GC_GUARD(params);
  RB_GC_GUARD(headers);
  RB_GC_GUARD(body);
  return result;
}

void privy_rb_init_call(VALUE client_class) {
  rb_define_method(client_class, "call", client_call, 4);
  rb_define_method(client_class, "request", client_request, 6);
}
