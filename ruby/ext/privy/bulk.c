#include "binding.h"

#include <ruby/thread.h>

/*
 * Privy::Core::Bulk, the base class of Privy::Bulk. The core's run belongs to its group, which frees it. This file
 * keeps the rows by index, and the exceptions of rows that could not be encoded.
 *
 * Asynchronous exceptions (Thread#raise, Timeout, a signal) lose no result of `each`: Ruby raises them between its own
 * instructions and when a method returns, and one C function adds a row, or acknowledges a result and yields it. As
 * `next` returns, an exception can replace the result: last_result still has it.
 */

typedef struct bulk {
  VALUE group;     /* Privy::Core::Group, nil before the run begins */
  VALUE rows;      /* { index => row } of the rows that the core has */
  VALUE refusals;  /* { index => exception } */
  VALUE open_rows; /* what core_open_rows returns when the run is over */
  VALUE last;      /* the result that was read last, or nil */
  VALUE plan;      /* the Privy::Core::Plan that it applies, or nil */
  const privy_operation *operation;
  privy_bulk_progress seen; /* as of the last step */
  uint64_t taken;
  bool over, busy;
} bulk;

static ID id_advance, id_request_of, id_result_of, id_stop, id_pending;

static void bulk_mark(void *data) {
  bulk *self = data;
  rb_gc_mark(self->group);
  rb_gc_mark(self->rows);
  rb_gc_mark(self->refusals);
  rb_gc_mark(self->open_rows);
  rb_gc_mark(self->last);
  rb_gc_mark(self->plan);
}

static size_t bulk_size(const void *data) {
  (void)data;
  return sizeof(bulk);
}

static const rb_data_type_t bulk_type = {
    .wrap_struct_name = "Privy::Core::Bulk",
    .function = {.dmark = bulk_mark, .dfree = RUBY_DEFAULT_FREE, .dsize = bulk_size},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY,
};

static VALUE bulk_allocate(VALUE klass) {
  bulk *self;
  VALUE object = TypedData_Make_Struct(klass, bulk, &bulk_type, self);
  self->group = self->open_rows = self->last = self->plan = Qnil;
  self->rows = rb_hash_new();
  self->refusals = rb_hash_new();
  return object;
}

static bulk *bulk_get(VALUE self) {
  return rb_check_typeddata(self, &bulk_type);
}

/* The core's run. Raises when it has not begun, has ended, or belongs to another process. */
static privy_bulk *core_of(bulk *self) {
  if (self->over || NIL_P(self->group)) rb_raise(rb_eRuntimeError, "the bulk run is over");
  return privy_rb_group_guest(self->group)->object;
}

/* ---- the run ---- */

struct beginning {
  bulk *data;
  VALUE group;
  privy_group *core;
  privy_bulk *bulk;
  privy_bulk_config config;
  privy_error error;
};

static void leave(void *object) {
  privy_bulk_free(object);
}

static VALUE begin_body(VALUE argument) {
  struct beginning *begin = (struct beginning *)argument;
  privy_status status;
  if (NIL_P(begin->data->plan))
    status = privy_bulk_new(begin->core, &begin->config, &begin->bulk, &begin->error);
  else
    status = privy_plan_apply(privy_rb_plan_get(begin->data->plan), begin->core, &begin->config, &begin->bulk,
                              &begin->error);
  privy_rb_check(status, &begin->error);
  *privy_rb_group_guest(begin->group) = (privy_rb_guest){begin->bulk, leave};
  begin->data->group = begin->group;
  return Qnil;
}

static VALUE begin_clean(VALUE argument) {
  privy_error_clear(&((struct beginning *)argument)->error);
  return Qnil;
}

/* core_begin(group, operation, concurrency or nil, total or nil, options, settings of the run, plan or nil) */
static VALUE bulk_begin(int count, VALUE *arguments, VALUE self) {
  VALUE group, name, concurrency, total, options, settings, plan;
  rb_scan_args(count, arguments, "70", &group, &name, &concurrency, &total, &options, &settings, &plan);
  struct beginning begin = {.data = bulk_get(self), .group = group, .core = privy_rb_group_open(group)};
  bulk *data = begin.data;
  if (!NIL_P(data->group) || data->over) rb_raise(rb_eRuntimeError, "the bulk run has begun already");
  privy_bulk_config_init(&begin.config);
  privy_rb_concurrency(concurrency, &begin.config);
  begin.config.total = FIXNUM_P(total) ? FIX2LONG(total) : -1;
  begin.config.options = privy_rb_options_over(options, begin.config.options);
  data->operation = privy_rb_operation(name);
  data->plan = plan;
  begin.config.operation = data->operation;
  privy_rb_run_settings(settings, &begin.config);
  privy_error_init(&begin.error);
  rb_ensure(begin_body, (VALUE)&begin, begin_clean, (VALUE)&begin);
  RB_GC_GUARD(settings);
  return Qnil;
}

struct step {
  privy_bulk *core;
  privy_bulk_step next;
};

static void *take_step(void *argument) {
  struct step *step = argument;
  step->next = privy_bulk_next(step->core);
  return NULL;
}

/* Other threads run while the journal waits for the disk. An exception that arrives meanwhile loses nothing: the core
 * returns the same step again. */
static privy_bulk_step next_step(privy_bulk *core) {
  struct step step = {.core = core};
  if (privy_bulk_will_sync(core))
    rb_nogvl(take_step, &step, NULL, NULL, 0);
  else
    take_step(&step);
  return step.next;
}

/* core_step → :row, :result, :wait or :end */
static VALUE bulk_step(VALUE self) {
  static const char *const names[] = {"row", "result", "wait", "end"};
  bulk *data = bulk_get(self);
  privy_bulk *core = core_of(data);
  privy_rb_group_observe(data->group);
  privy_bulk_step step = next_step(core);
  if (step != PRIVY_BULK_ROW) privy_bulk_get_progress(core, &data->seen);
  if (step != PRIVY_BULK_ROW) privy_rb_group_report(data->group);
  return ID2SYM(rb_intern(names[step]));
}

/* core_end_rows(whether the source failed) */
static VALUE bulk_end_rows(VALUE self, VALUE failed) {
  (RTEST(failed) ? privy_bulk_fail_rows : privy_bulk_end_rows)(core_of(bulk_get(self)));
  return Qtrue;
}

/* core_error → the error that ended the run early, or nil */
static VALUE bulk_error(VALUE self) {
  const privy_error *error = privy_bulk_error(core_of(bulk_get(self)));
  return error == NULL ? Qnil : privy_rb_exception(error);
}

/* core_progress → [done, failed, waiting until (seconds since 1970) or nil, ETA in seconds or nil, skipped]; nil
 * without a change */
static VALUE bulk_progress(VALUE self) {
  privy_bulk_progress seen;
  if (!privy_bulk_take_progress(core_of(bulk_get(self)), &seen)) return Qnil;
  VALUE until = seen.waiting_until > 0 ? DBL2NUM(seen.waiting_until) : Qnil;
  VALUE eta = seen.eta >= 0 ? DBL2NUM(seen.eta) : Qnil;
  return rb_ary_new_from_args(5, ULL2NUM(seen.done), ULL2NUM(seen.failed), until, eta, ULL2NUM(seen.skipped));
}

/* core_counts → taken, done, failed, created, updated, requests, seconds, waited, skipped, those of them refused */
static VALUE bulk_counts(VALUE self) {
  const bulk *data = bulk_get(self);
  const privy_bulk_progress *seen = &data->seen;
  return rb_ary_new_from_args(10, ULL2NUM(data->taken), ULL2NUM(seen->done), ULL2NUM(seen->failed),
                              ULL2NUM(seen->created), ULL2NUM(seen->updated), ULL2NUM(seen->requests),
                              DBL2NUM(seen->seconds), DBL2NUM(seen->waited), ULL2NUM(seen->skipped),
                              ULL2NUM(seen->skipped_refused));
}

/* ---- rows ---- */

struct adding {
  VALUE self, row, error;
  bulk *data;
  privy_request *request;
  privy_error detail;
  bool skipped;
};

static VALUE build_body(VALUE argument) {
  struct adding *adding = (struct adding *)argument;
  VALUE parts = rb_funcall(adding->self, id_request_of, 1, adding->row);
  VALUE params = rb_ary_entry(parts, 0), extra = rb_ary_entry(parts, 1), headers = rb_ary_entry(parts, 3);
  privy_rb_call_spec spec = privy_rb_call_spec_for(adding->data->operation, params, extra, headers);
  spec.omits_nulls = RTEST(rb_ary_entry(parts, 2));
  privy_rb_call_spec_build(&spec, &adding->request);
  privy_rb_group_finish(adding->data->group, adding->request, adding->data->taken, &adding->detail);
  RB_GC_GUARD(parts);
  return Qnil;
}

static VALUE build_rescue(VALUE argument, VALUE error) {
  ((struct adding *)argument)->error = error;
  return Qnil;
}

/* Other errors end the run: a closed client, an invalid setting. */
static bool is_error_of_row(VALUE error) {
  VALUE any = rb_const_get(privy_rb_module, rb_intern(privy_rb_error_name(PRIVY_CONFIG_ERROR)));
  VALUE detail = rb_const_get(privy_rb_module, rb_intern(privy_rb_error_name(PRIVY_VALIDATION)));
  return RTEST(rb_obj_is_kind_of(error, detail)) || !RTEST(rb_obj_is_kind_of(error, any));
}

static void refuse(struct adding *adding, privy_bulk *core, VALUE index) {
  if (!is_error_of_row(adding->error)) {
    rb_funcall(adding->self, id_stop, 1, adding->error);
    privy_bulk_fail(core);
    return;
  }
  rb_hash_aset(adding->data->refusals, index, adding->error);
  privy_request *request = adding->request;
  adding->request = NULL;
  adding->detail.code = PRIVY_VALIDATION; /* also of an exception that the core did not raise */
  privy_bulk_refuse(core, request, &adding->detail);
}

/* Adds the request of the row, or the next one of the plan. */
static void add(struct adding *adding, privy_bulk *core, VALUE index) {
  bulk *data = adding->data;
  privy_request *request = adding->request;
  adding->request = NULL;
  if (NIL_P(data->plan))
    adding->skipped = !privy_bulk_add(core, request);
  else
    adding->skipped = !privy_plan_feed(privy_rb_plan_get(data->plan), core);
  if (!adding->skipped) return;
  rb_hash_delete(data->rows, index);
  privy_bulk_get_progress(core, &data->seen);
}

static VALUE add_body(VALUE argument) {
  struct adding *adding = (struct adding *)argument;
  bulk *data = adding->data;
  privy_bulk *core = core_of(data);
  VALUE index = ULL2NUM(data->taken);
  rb_hash_aset(data->rows, index, adding->row);
  if (NIL_P(data->plan)) rb_rescue2(build_body, argument, build_rescue, argument, rb_eStandardError, (VALUE)0);
  if (NIL_P(adding->error))
    add(adding, core, index);
  else
    refuse(adding, core, index);
  data->taken++;
  rb_ivar_set(adding->self, id_pending, Qnil);
  return Qnil;
}

static VALUE add_clean(VALUE argument) {
  struct adding *adding = (struct adding *)argument;
  privy_request_free(adding->request);
  privy_error_clear(&adding->detail);
  return Qnil;
}

static VALUE add_masked(VALUE argument) {
  return rb_ensure(add_body, argument, add_clean, argument);
}

/* core_add(row) → whether the row is in the run; an earlier run of the journal may have finished it. Adds the row that
 * core_step requested; of a plan its next request, which the row describes. Exceptions of other threads are deferred:
 * they are not errors of the row. */
static VALUE bulk_add(VALUE self, VALUE row) {
  struct adding adding = {.self = self, .row = row, .error = Qnil, .data = bulk_get(self)};
  privy_error_init(&adding.detail);
  privy_rb_masked(add_masked, (VALUE)&adding);
  RB_GC_GUARD(row);
  return adding.skipped ? Qfalse : Qtrue;
}

/* ---- results ---- */

struct reading {
  VALUE self, result;
  bulk *data;
};

static VALUE make_result(VALUE self, bulk *data, const privy_bulk_result_view *view) {
  VALUE index = ULL2NUM(view->index), value = Qnil;
  VALUE row = rb_hash_lookup(data->rows, index), error = rb_hash_lookup(data->refusals, index);
  if (NIL_P(error)) error = privy_rb_group_take_failure(data->group, view->index);
  if (NIL_P(error) && view->status == PRIVY_OK)
    value = privy_rb_result(data->operation, view->response);
  else if (NIL_P(error))
    error = privy_rb_exception(view->error);
  return rb_funcall(self, id_result_of, 4, index, row, value, error);
}

/* The oldest result. Acknowledges it last: until then it stays with the core. */
static VALUE take_result(VALUE self, bulk *data) {
  privy_bulk_result_view view;
  privy_bulk *core = core_of(data);
  if (!privy_bulk_result(core, &view)) rb_raise(rb_eRuntimeError, "there is no result");
  VALUE index = ULL2NUM(view.index), result = make_result(self, data, &view);
  rb_hash_delete(data->rows, index);
  rb_hash_delete(data->refusals, index);
  data->last = result;
  if (!NIL_P(data->plan)) privy_plan_keep(privy_rb_plan_get(data->plan), &view);
  privy_bulk_acknowledge(core);
  return result;
}

static VALUE obtain_body(VALUE argument) {
  struct reading *reading = (struct reading *)argument;
  if (!RTEST(rb_funcall(reading->self, id_advance, 0))) return Qfalse;
  reading->result = take_result(reading->self, reading->data);
  return Qtrue;
}

static VALUE obtain_clean(VALUE argument) {
  ((struct reading *)argument)->data->busy = false;
  return Qnil;
}

static void use(bulk *data) {
  if (data->busy) rb_raise(rb_eRuntimeError, "the bulk run is in use: only one thread or fiber may iterate it");
}

/* The next result; false at the end. */
static bool obtain(struct reading *reading) {
  use(reading->data);
  reading->data->busy = true;
  return RTEST(rb_ensure(obtain_body, (VALUE)reading, obtain_clean, (VALUE)reading));
}

static VALUE bulk_length(VALUE self, VALUE arguments, VALUE object) {
  (void)arguments, (void)object;
  return rb_funcall(self, rb_intern("size"), 0);
}

static void check_pass(const bulk *data) {
  if (data->over) {
    rb_raise(rb_eRuntimeError, "the bulk run is over: a run sends its rows once; make another one to send them again");
  }
}

/* each { |result| } → self */
static VALUE bulk_each(VALUE self) {
  struct reading reading = {.self = self, .data = bulk_get(self)};
  RETURN_SIZED_ENUMERATOR(self, 0, NULL, bulk_length);
  check_pass(reading.data);
  while (obtain(&reading)) rb_yield(reading.result);
  return self;
}

/* next → the next result; raises StopIteration at the end */
static VALUE bulk_next(VALUE self) {
  struct reading reading = {.self = self, .data = bulk_get(self)};
  if (!obtain(&reading)) rb_raise(rb_eStopIteration, "the bulk run has no more results");
  return reading.result;
}

/* last_result → the result that was read last, or nil */
static VALUE bulk_last_result(VALUE self) {
  return bulk_get(self)->last;
}

/* ---- the end ---- */

struct opening {
  bulk *data;
  privy_bulk_row *rows;
  size_t count;
};

static VALUE open_body(VALUE argument) {
  struct opening *opening = (struct opening *)argument;
  VALUE list = rb_ary_new_capa((long)opening->count);
  for (size_t at = 0; at < opening->count; at++) {
    const privy_bulk_row *open = &opening->rows[at];
    VALUE index = ULL2NUM(open->index), row = rb_hash_lookup(opening->data->rows, index);
    VALUE entry =
        rb_ary_new_from_args(4, index, row, open->in_doubt ? Qtrue : Qfalse, privy_rb_text(open->idempotency_key));
    rb_ary_push(list, rb_obj_freeze(entry));
  }
  return rb_obj_freeze(list);
}

static VALUE open_clean(VALUE argument) {
  privy_free(((struct opening *)argument)->rows);
  return Qnil;
}

static VALUE list_open_rows(bulk *data, privy_bulk *core) {
  struct opening opening = {.data = data, .count = privy_bulk_open_rows(core, NULL, 0)};
  opening.rows = privy_alloc((opening.count + 1) * sizeof *opening.rows);
  if (opening.rows == NULL) privy_rb_raise_memory();
  (void)privy_bulk_open_rows(core, opening.rows, opening.count);
  return rb_ensure(open_body, (VALUE)&opening, open_clean, (VALUE)&opening);
}

/* core_open_rows → [index, row, whether in doubt, idempotency key or nil] of the rows whose result was not returned */
static VALUE bulk_open_rows(VALUE self) {
  bulk *data = bulk_get(self);
  if (!data->over) use(data);
  if (!data->over && !NIL_P(data->group)) return list_open_rows(data, core_of(data));
  return NIL_P(data->open_rows) ? rb_ary_new() : data->open_rows;
}

static void end_core(bulk *data) {
  privy_bulk *core = core_of(data);
  privy_bulk_close(core);
  privy_bulk_get_progress(core, &data->seen);
  data->open_rows = list_open_rows(data, core);
  privy_rb_group_report(data->group);
  privy_rb_guest_leave(privy_rb_group_guest(data->group));
}

/* In the child of a fork the rows belong to the parent: the child only discards them. */
static VALUE finish_masked(VALUE self) {
  bulk *data = bulk_get(self);
  if (data->over) return Qnil;
  if (!NIL_P(data->group) && privy_rb_group_is_ours(data->group)) end_core(data);
  data->over = true;
  rb_hash_clear(data->rows);
  rb_hash_clear(data->refusals);
  return Qnil;
}

/* core_finish: cancels the calls in flight and keeps the core's open rows and counts. */
static VALUE bulk_finish(VALUE self) {
  privy_rb_masked(finish_masked, self);
  return Qnil;
}

static VALUE bulk_close(VALUE self) {
  use(bulk_get(self));
  return bulk_finish(self);
}

/* core_end_soon: starts no more calls. */
static VALUE bulk_end_soon(VALUE self) {
  bulk *data = bulk_get(self);
  use(data);
  if (!data->over && !NIL_P(data->group)) privy_bulk_finish(core_of(data));
  return Qnil;
}

/* core_keep_consents: rows that are taken later subscribe only contacts that they create. */
static VALUE bulk_keep_consents(VALUE self) {
  bulk *data = bulk_get(self);
  use(data);
  if (!data->over && !NIL_P(data->group)) privy_bulk_keep_consents(core_of(data));
  return Qnil;
}

static VALUE bulk_is_over(VALUE self) {
  return bulk_get(self)->over ? Qtrue : Qfalse;
}

static VALUE bulk_has_begun(VALUE self) {
  return NIL_P(bulk_get(self)->group) ? Qfalse : Qtrue;
}

void privy_rb_init_bulk(void) {
  VALUE klass = rb_define_class_under(privy_rb_core, "Bulk", rb_cObject);
  rb_define_alloc_func(klass, bulk_allocate);
  rb_undef_method(klass, "initialize_copy");
  rb_define_method(klass, "each", bulk_each, 0);
  rb_define_method(klass, "next", bulk_next, 0);
  rb_define_method(klass, "last_result", bulk_last_result, 0);
  rb_define_private_method(klass, "core_begin", bulk_begin, -1);
  rb_define_private_method(klass, "core_step", bulk_step, 0);
  rb_define_private_method(klass, "core_add", bulk_add, 1);
  rb_define_private_method(klass, "core_end_rows", bulk_end_rows, 1);
  rb_define_private_method(klass, "core_error", bulk_error, 0);
  rb_define_private_method(klass, "core_progress", bulk_progress, 0);
  rb_define_private_method(klass, "core_counts", bulk_counts, 0);
  rb_define_private_method(klass, "core_open_rows", bulk_open_rows, 0);
  rb_define_private_method(klass, "core_finish", bulk_finish, 0);
  rb_define_private_method(klass, "core_end_soon", bulk_end_soon, 0);
  rb_define_private_method(klass, "core_keep_consents", bulk_keep_consents, 0);
  rb_define_private_method(klass, "core_close", bulk_close, 0);
  rb_define_private_method(klass, "core_begun?", bulk_has_begun, 0);
  rb_define_private_method(klass, "core_over?", bulk_is_over, 0);
  id_advance = rb_intern("advance");
  id_request_of = rb_intern("request_of");
  id_result_of = rb_intern("result_of");
  id_stop = rb_intern("stop");
  id_pending = rb_intern("@pending");
}
