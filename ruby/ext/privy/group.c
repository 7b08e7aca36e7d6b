#include "binding.h"

#include <math.h>
#include <ruby/io.h>
#include <ruby/thread.h>
#include <unistd.h>

/*
 * Privy::Core::Group: many concurrent calls, a group of the core. It is driven by `wait`, or in a watched group by
 * `sockets`, `timeout` and `socket_action`. All calls in flight at one time are of one operation.
 */

typedef struct watched {
  int socket;
  int events; /* privy_socket_events */
} watched;

typedef struct group {
  privy_rb_client *client;
  privy_rb_receivers receivers;
  VALUE failures;    /* { id => exception } of failed calls whose end was reported; nil: none */
  privy_group *core; /* NULL: closed */
  privy_rb_guest guest;
  const privy_operation *operation;
  pid_t process; /* the process that owns the connections */
  bool busy;     /* a thread waits in it */
  watched *sockets;
  size_t count, capacity;
} group;

void privy_rb_guest_leave(privy_rb_guest *guest) {
  void *object = guest->object;
  guest->object = NULL;
  if (object != NULL) guest->leave(object);
}

static void group_release(group *self) {
  privy_group *core = self->core;
  privy_rb_guest_leave(&self->guest);
  self->core = NULL;
  privy_free(self->sockets);
  self->sockets = NULL;
  self->count = self->capacity = 0;
  if (core == NULL) return;
  privy_group_free(core);
  privy_rb_client_leave(self->client);
}

static void group_mark(void *data) {
  const group *self = data;
  rb_gc_mark(self->receivers.observer);
  rb_gc_mark(self->failures);
}

static void group_free(void *data) {
  group_release(data);
  xfree(data);
}

static size_t group_size(const void *data) {
  const group *self = data;
  return sizeof *self + self->capacity * sizeof *self->sockets;
}

static const rb_data_type_t group_type = {
    .wrap_struct_name = "Privy::Core::Group",
    .function = {.dmark = group_mark, .dfree = group_free, .dsize = group_size},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static VALUE group_allocate(VALUE klass) {
  group *self;
  VALUE object = TypedData_Make_Struct(klass, group, &group_type, self);
  self->receivers.observer = self->failures = Qnil;
  return object;
}

static group *group_get(VALUE self) {
  group *data = rb_check_typeddata(self, &group_type);
  if (data->core == NULL) rb_raise(rb_eRuntimeError, "the group is closed");
  if (data->busy) rb_raise(rb_eRuntimeError, "another thread waits in the group");
  if (data->process != getpid()) privy_rb_raise_setting("these calls belong to the process that forked this one");
  return data;
}

/* ---- events ---- */

struct report {
  VALUE object;
  group *self;
  privy_trace_event event;
};

/* The exception is kept for the call's result: it must be the same object. */
static VALUE report_body(VALUE argument) {
  const struct report *report = (const struct report *)argument;
  group *self = report->self;
  VALUE exception = privy_rb_receivers_failure(&self->receivers, self->core, &report->event);
  if (!NIL_P(exception)) {
    if (NIL_P(self->failures)) RB_OBJ_WRITE(report->object, &self->failures, rb_hash_new());
    rb_hash_aset(self->failures, ULL2NUM(report->event.id), exception);
  }
  privy_rb_report(&self->receivers, &report->event, exception);
  return Qnil;
}

static VALUE report_kept(VALUE argument) {
  struct report *report = (struct report *)argument;
  while (privy_group_take_event(report->self->core, &report->event)) report_body(argument);
  return Qnil;
}

/* After an exception: further exceptions are discarded. */
static VALUE report_rest(VALUE argument) {
  struct report *report = (struct report *)argument;
  int state = 0;
  while (privy_group_take_event(report->self->core, &report->event)) {
    rb_protect(report_body, argument, &state);
    if (state != 0) rb_set_errinfo(Qnil);
  }
  return Qnil;
}

/* Reports all queued events, then raises the first exception that a receiver did not rescue. */
static void report_all(VALUE object, group *self) {
  struct report report = {.object = object, .self = self};
  rb_ensure(report_kept, (VALUE)&report, report_rest, (VALUE)&report);
}

static VALUE take_failure(group *self, uint64_t id) {
  return NIL_P(self->failures) ? Qnil : rb_hash_delete(self->failures, ULL2NUM(id));
}

/* ---- the sockets to watch ---- */

/* May run during garbage collection: must not allocate Ruby objects. */
static void on_socket(void *context, int socket, int events) {
  group *self = context;
  size_t index = 0;
  while (index < self->count && self->sockets[index].socket != socket) index++;
  if (events == 0) {
    if (index < self->count) self->sockets[index] = self->sockets[--self->count];
    return;
  }
  if (index == self->capacity) {
    size_t capacity = self->capacity == 0 ? 4 : self->capacity * 2;
    watched *larger = privy_realloc(self->sockets, capacity * sizeof *larger);
    if (larger == NULL) return; /* without events the call ends by its timeout */
    self->sockets = larger;
    self->capacity = capacity;
  }
  if (index == self->count) self->count++;
  self->sockets[index] = (watched){socket, events};
}

/* sockets → { descriptor => IO::READABLE and IO::WRITABLE } */
static VALUE group_sockets(VALUE self) {
  group *data = group_get(self);
  VALUE sockets = rb_hash_new();
  for (size_t index = 0; index < data->count; index++) {
    int events = data->sockets[index].events;
    int waits = (events & PRIVY_SOCKET_READ ? RB_WAITFD_IN : 0) | (events & PRIVY_SOCKET_WRITE ? RB_WAITFD_OUT : 0);
    rb_hash_aset(sockets, INT2NUM(data->sockets[index].socket), INT2NUM(waits));
  }
  return sockets;
}

/* timeout → seconds until socket_action(-1, 0) is due, nil when nothing waits for time */
static VALUE group_timeout(VALUE self) {
  double timeout = privy_group_timeout(group_get(self)->core);
  return timeout < 0 ? Qnil : DBL2NUM(timeout);
}

/* socket_action(descriptor, IO::READABLE and IO::WRITABLE); socket_action(-1, 0) after the timeout */
static VALUE group_socket_action(VALUE self, VALUE socket, VALUE ready) {
  group *data = group_get(self);
  int number = NUM2INT(socket), waits = NUM2INT(ready);
  privy_group_socket_action(data->core, number,
                            (waits & RB_WAITFD_IN ? PRIVY_SOCKET_READ : 0) |
                                (waits & RB_WAITFD_OUT ? PRIVY_SOCKET_WRITE : 0));
  report_all(self, data);
  RB_GC_GUARD(self);
  return Qnil;
}

/* ---- life ---- */

struct creation {
  group *self;
  privy_client *client;
  privy_error error;
};

static VALUE create_body(VALUE argument) {
  struct creation *creation = (struct creation *)argument;
  creation->client = privy_rb_client_enter(creation->self->client);
  privy_rb_check(privy_group_new(creation->client, &creation->self->core, &creation->error), &creation->error);
  return Qnil;
}

static VALUE create_clean(VALUE argument) {
  struct creation *creation = (struct creation *)argument;
  privy_error_clear(&creation->error);
  if (creation->client != NULL && creation->self->core == NULL) privy_rb_client_leave(creation->self->client);
  return Qnil;
}

/* Group.new(core client, watched) */
static VALUE group_initialize(VALUE self, VALUE client, VALUE is_watched) {
  struct creation creation = {.self = rb_check_typeddata(self, &group_type)};
  if (creation.self->client != NULL) rb_raise(rb_eRuntimeError, "already initialized");
  creation.self->client = privy_rb_client_get(client);
  creation.self->process = getpid();
  privy_error_init(&creation.error);
  rb_ensure(create_body, (VALUE)&creation, create_clean, (VALUE)&creation);
  if (RTEST(is_watched)) privy_group_set_socket_callback(creation.self->core, on_socket, creation.self);
  creation.self->receivers = privy_rb_client_receivers(creation.self->client);
  RB_OBJ_WRITTEN(self, Qundef, creation.self->receivers.observer);
  RB_GC_GUARD(client);
  return self;
}

static VALUE close_body(VALUE object) {
  group *self = rb_check_typeddata(object, &group_type);
  privy_group_cancel_all(self->core);
  report_all(object, self);
  return Qnil;
}

static VALUE close_clean(VALUE object) {
  group_release(rb_check_typeddata(object, &group_type));
  return Qnil;
}

/* Cancels the calls in flight, and reports their events. */
static VALUE group_close(VALUE self) {
  group *data = rb_check_typeddata(self, &group_type);
  if (data->busy) rb_raise(rb_eRuntimeError, "another thread waits in the group");
  if (data->core != NULL && data->process == getpid()) rb_ensure(close_body, self, close_clean, self);
  group_release(data);
  RB_GC_GUARD(self);
  return Qnil;
}

/* ---- calls ---- */

struct start {
  group *self;
  privy_rb_call_spec spec;
  privy_options options;
  uint64_t id;
  privy_request *request;
  privy_error error;
};

static VALUE start_body(VALUE argument) {
  struct start *start = (struct start *)argument;
  privy_rb_call_spec_build(&start->spec, &start->request);
  privy_rb_client_finish(start->self->client, start->request, -1, &start->error);
  privy_rb_receivers_ask(&start->self->receivers);
  privy_rb_receivers_observe(&start->self->receivers, start->self->core);
  privy_request *request = start->request;
  start->request = NULL;
  privy_rb_check(privy_group_start(start->self->core, request, &start->options, start->id, &start->error),
                 &start->error);
  start->self->operation = start->spec.operation;
  return Qnil;
}

static VALUE start_clean(VALUE argument) {
  struct start *start = (struct start *)argument;
  privy_request_free(start->request);
  privy_error_clear(&start->error);
  return Qnil;
}

static VALUE start_call(VALUE self, VALUE id, privy_rb_call_spec spec, VALUE options) {
  struct start start = {.self = group_get(self), .spec = spec, .id = NUM2ULL(id)};
  start.options = privy_rb_call_options(options);
  privy_error_init(&start.error);
  rb_ensure(start_body, (VALUE)&start, start_clean, (VALUE)&start);
  RB_GC_GUARD(self);
  return Qnil;
}

/* call(id, operation, params, extra, options): starts a call */
static VALUE group_call(VALUE self, VALUE id, VALUE name, VALUE params, VALUE extra, VALUE options) {
  start_call(self, id, privy_rb_call_spec_of(name, params, extra, options), options);
  RB_GC_GUARD(params);
  RB_GC_GUARD(extra);
  RB_GC_GUARD(options);
  return Qnil;
}

/* request(id, method, path, params, headers, body, options): starts a call */
static VALUE group_request(VALUE self, VALUE id, VALUE method, VALUE path, VALUE params, VALUE headers, VALUE body,
                           VALUE options) {
  privy_rb_call_spec spec = privy_rb_call_spec_raw(method, path, params, headers, body);
  start_call(self, id, spec, options);
  RB_GC_GUARD(spec.method);
  RB_GC_GUARD(spec.path);
  RB_GC_GUARD(params);
  RB_GC_GUARD(headers);
  RB_GC_GUARD(body);
  return Qnil;
}

/* cancel(id): cancels a call and reports its events; ignores the calls of a parent process */
static VALUE group_cancel(VALUE self, VALUE id) {
  group *data = rb_check_typeddata(self, &group_type);
  if (data->process != getpid()) return Qnil;
  data = group_get(self);
  privy_group_cancel(data->core, NUM2ULL(id));
  report_all(self, data);
  RB_GC_GUARD(self);
  return Qnil;
}

struct completed {
  VALUE pager;
  VALUE exception; /* of the call, when its end was reported; else nil */
  const privy_operation *operation;
  privy_completion completion;
};

static VALUE completed_body(VALUE argument) {
  struct completed *completed = (struct completed *)argument;
  privy_completion *completion = &completed->completion;
  VALUE value = completed->exception;
  if (completion->status == PRIVY_OK)
    value = privy_rb_result(completed->operation, completion->response);
  else if (NIL_P(value))
    value = privy_rb_exception(&completion->error);
  VALUE result = rb_ary_new_from_args(2, ULL2NUM(completion->id), value);
  if (NIL_P(completed->pager) || completion->status != PRIVY_OK) return result;
  return rb_ary_concat(result, privy_rb_pager_take(completed->pager, completion->response));
}

static VALUE completed_clean(VALUE argument) {
  privy_completion_clear(&((struct completed *)argument)->completion);
  return Qnil;
}

/* next_completed(pager = nil) → [id, the call's result or exception], nil when none has ended. With a Pager the result
 * of privy_rb_pager_take for the page follows. */
static VALUE group_next_completed(int count, VALUE *arguments, VALUE self) {
  group *data = group_get(self);
  struct completed completed = {.operation = data->operation};
  rb_scan_args(count, arguments, "01", &completed.pager);
  if (!privy_group_next_completed(data->core, &completed.completion)) return Qnil;
  completed.exception = take_failure(data, completed.completion.id);
  VALUE result = rb_ensure(completed_body, (VALUE)&completed, completed_clean, (VALUE)&completed);
  RB_GC_GUARD(completed.pager);
  return result;
}

/* ---- waiting ---- */

struct wait {
  group *self;
  double seconds; /* negative: poll instead */
};

static void *wait_without_gvl(void *argument) {
  struct wait *wait = argument;
  if (wait->seconds < 0)
    privy_group_poll(wait->self->core);
  else
    privy_group_wait(wait->self->core, wait->seconds);
  return NULL;
}

static void unblock(void *core) {
  privy_group_wake(core);
}

static VALUE wait_body(VALUE argument) {
  struct wait *wait = (struct wait *)argument;
  rb_nogvl(wait_without_gvl, wait, unblock, wait->self->core, RB_NOGVL_UBF_ASYNC_SAFE);
  return Qnil;
}

static VALUE wait_clean(VALUE argument) {
  ((struct wait *)argument)->self->busy = false;
  return Qnil;
}

static VALUE drive(VALUE self, double seconds) {
  struct wait wait = {.self = group_get(self), .seconds = seconds};
  wait.self->busy = true;
  rb_ensure(wait_body, (VALUE)&wait, wait_clean, (VALUE)&wait);
  report_all(self, wait.self);
  RB_GC_GUARD(self);
  return Qnil;
}

/* wait(seconds): advances all calls, waits up to that long for one to end, and reports the events */
static VALUE group_wait(VALUE self, VALUE seconds) {
  return drive(self, fmax(NUM2DBL(seconds), 0));
}

/* poll: advances all calls without waiting, and reports the events */
static VALUE group_poll(VALUE self) {
  return drive(self, -1);
}

/* count → calls in flight, and completed ones that next_completed has not returned */
static VALUE group_count(VALUE self) {
  return SIZET2NUM(privy_group_count(group_get(self)->core));
}

/* set_prefetch(on): whether its calls are made before their results are needed */
static VALUE group_set_prefetch(VALUE self, VALUE on) {
  privy_group_set_prefetch(group_get(self)->core, RTEST(on));
  return Qnil;
}

/* waiting_until → until when calls wait for a rate limit or a retry, by the wall clock; nil when no call waits */
static VALUE group_waiting_until(VALUE self) {
  double until = privy_group_waiting_until(group_get(self)->core);
  return until == 0 ? Qnil : DBL2NUM(until);
}

/* ---- a guest ---- */

privy_group *privy_rb_group_open(VALUE self) {
  const group *data = group_get(self);
  if (data->guest.object != NULL) rb_raise(rb_eRuntimeError, "the group has a bulk run or a plan");
  return data->core;
}

privy_rb_guest *privy_rb_group_guest(VALUE self) {
  return &group_get(self)->guest;
}

void privy_rb_group_observe(VALUE self) {
  group *data = group_get(self);
  privy_rb_receivers_ask(&data->receivers);
  privy_rb_receivers_observe(&data->receivers, data->core);
}

void privy_rb_group_report(VALUE self) {
  report_all(self, group_get(self));
  RB_GC_GUARD(self);
}

VALUE privy_rb_group_take_failure(VALUE self, uint64_t id) {
  return take_failure(group_get(self), id);
}

void privy_rb_group_finish(VALUE self, privy_request *request, uint64_t row, privy_error *error) {
  privy_rb_client_finish(group_get(self)->client, request, (int64_t)row, error);
}

bool privy_rb_group_is_ours(VALUE self) {
  const group *data = rb_check_typeddata(self, &group_type);
  return data->process == getpid();
}

void privy_rb_init_group(void) {
  VALUE klass = rb_define_class_under(privy_rb_core, "Group", rb_cObject);
  rb_define_alloc_func(klass, group_allocate);
  rb_undef_method(klass, "initialize_copy");
  rb_define_method(klass, "initialize", group_initialize, 2);
  rb_define_method(klass, "close", group_close, 0);
  rb_define_method(klass, "call", group_call, 5);
  rb_define_method(klass, "request", group_request, 7);
  rb_define_method(klass, "cancel", group_cancel, 1);
  rb_define_method(klass, "next_completed", group_next_completed, -1);
  rb_define_method(klass, "wait", group_wait, 1);
  rb_define_method(klass, "poll", group_poll, 0);
  rb_define_method(klass, "count", group_count, 0);
  rb_define_method(klass, "set_prefetch", group_set_prefetch, 1);
  rb_define_method(klass, "waiting_until", group_waiting_until, 0);
  rb_define_method(klass, "sockets", group_sockets, 0);
  rb_define_method(klass, "timeout", group_timeout, 0);
  rb_define_method(klass, "socket_action", group_socket_action, 2);
}
