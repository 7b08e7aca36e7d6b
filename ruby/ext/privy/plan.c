#include "binding.h"

/*
 * Privy::Core::Plan, the base class of Privy::Plan. While it reads it is the guest of a group; afterwards it needs the
 * client only. Exceptions end the reading: the caller closes the plan.
 */

typedef struct plan {
  privy_rb_client *client; /* entered; NULL before the plan begins */
  VALUE group;             /* Privy::Core::Group while it reads, else nil */
  privy_rb_guest *place;   /* in that group; NULL: it is not in one */
  privy_plan *core;        /* NULL before the plan begins */
  const privy_operation *operation;
} plan;

/* The group is about to be freed: the plan does not use it any more. */
static void leave(void *object) {
  plan *self = object;
  self->place = NULL;
  self->group = Qnil;
  privy_plan_close(self->core);
}

static void plan_mark(void *data) {
  const plan *self = data;
  rb_gc_mark(self->group);
}

static void plan_free(void *data) {
  plan *self = data;
  privy_plan_free(self->core);
  if (self->place != NULL) self->place->object = NULL;
  if (self->client != NULL) privy_rb_client_leave(self->client);
  xfree(self);
}

static size_t plan_size(const void *data) {
  (void)data;
  return sizeof(plan);
}

static const rb_data_type_t plan_type = {
    .wrap_struct_name = "Privy::Core::Plan",
    .function = {.dmark = plan_mark, .dfree = plan_free, .dsize = plan_size},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY,
};

static VALUE plan_allocate(VALUE klass) {
  plan *self;
  VALUE object = TypedData_Make_Struct(klass, plan, &plan_type, self);
  self->group = Qnil;
  return object;
}

static plan *plan_get(VALUE self) {
  plan *data = rb_check_typeddata(self, &plan_type);
  if (data->core == NULL) rb_raise(rb_eRuntimeError, "the plan has not begun");
  return data;
}

/* For what uses the group. Raises when the reading has ended, or the group belongs to another process. */
static privy_plan *reading_of(plan *self) {
  if (NIL_P(self->group)) rb_raise(rb_eRuntimeError, "the plan has been read");
  (void)privy_rb_group_guest(self->group);
  return self->core;
}

privy_plan *privy_rb_plan_get(VALUE self) {
  return plan_get(self)->core;
}

/* ---- life ---- */

struct beginning {
  plan *self;
  VALUE group, client, modes, settings;
  privy_group *core;
  privy_plan_config config;
  privy_error error;
};

static VALUE setting(VALUE settings, const char *name) {
  return rb_hash_lookup(settings, ID2SYM(rb_intern(name)));
}

/* A pair of the setting's name and the name of a mode. */
static void read_mode(struct beginning *begin, long index, privy_plan_mode *out) {
  VALUE pair = rb_ary_entry(begin->modes, index), name = rb_ary_entry(pair, 0), text = rb_ary_entry(pair, 1);
  const char *setting_name = StringValueCStr(name);
  StringValue(text);
  privy_rb_check(privy_plan_mode_read(setting_name, RSTRING_PTR(text), (size_t)RSTRING_LEN(text), out, &begin->error),
                 &begin->error);
  RB_GC_GUARD(text);
}

static void configure(struct beginning *begin) {
  privy_plan_config *config = &begin->config;
  VALUE snapshot = setting(begin->settings, "snapshot");
  read_mode(begin, 0, &config->tags);
  read_mode(begin, 1, &config->fields);
  config->resubscribe = RTEST(setting(begin->settings, "resubscribe"));
  config->snapshot = NIL_P(snapshot) ? NULL : StringValueCStr(snapshot);
  config->max_age = NUM2DBL(setting(begin->settings, "max_age"));
  config->on_spent_day = (privy_spent_day)NUM2INT(setting(begin->settings, "on_spent_day"));
}

static VALUE begin_body(VALUE argument) {
  struct beginning *begin = (struct beginning *)argument;
  plan *self = begin->self;
  configure(begin);
  (void)privy_rb_client_enter(privy_rb_client_get(begin->client));
  self->client = privy_rb_client_get(begin->client);
  privy_rb_check(privy_plan_new(begin->core, &begin->config, &self->core, &begin->error), &begin->error);
  self->place = privy_rb_group_guest(begin->group);
  *self->place = (privy_rb_guest){self, leave};
  self->group = begin->group;
  return Qnil;
}

static VALUE begin_clean(VALUE argument) {
  privy_error_clear(&((struct beginning *)argument)->error);
  return Qnil;
}

/* core_begin(group, client, operation, [[name, mode], [name, mode]], settings, concurrency or nil, options) */
static VALUE plan_begin(int count, VALUE *arguments, VALUE self) {
  VALUE name, concurrency, options;
  struct beginning begin = {.self = rb_check_typeddata(self, &plan_type)};
  rb_scan_args(count, arguments, "70", &begin.group, &begin.client, &name, &begin.modes, &begin.settings, &concurrency,
               &options);
  if (begin.self->client != NULL) rb_raise(rb_eRuntimeError, "the plan has begun already");
  Check_Type(begin.modes, T_ARRAY);
  Check_Type(begin.settings, T_HASH);
  privy_bulk_config run;
  privy_bulk_config_init(&run);
  privy_rb_concurrency(concurrency, &run);
  privy_plan_config_init(&begin.config);
  begin.config.concurrency = run.concurrency;
  begin.config.options = privy_rb_options_over(options, begin.config.options);
  begin.self->operation = privy_rb_operation(name);
  begin.core = privy_rb_group_open(begin.group);
  privy_error_init(&begin.error);
  return rb_ensure(begin_body, (VALUE)&begin, begin_clean, (VALUE)&begin);
}

/* core_close: cancels the calls of a plan that is being read. */
static VALUE plan_close(VALUE self) {
  plan *data = rb_check_typeddata(self, &plan_type);
  if (data->place != NULL) privy_rb_guest_leave(data->place);
  return Qnil;
}

/* ---- rows ---- */

struct adding {
  plan *self;
  privy_rb_call_spec spec;
  privy_request *request;
  privy_error error;
};

static VALUE add_body(VALUE argument) {
  struct adding *adding = (struct adding *)argument;
  privy_rb_call_spec_build(&adding->spec, &adding->request);
  const privy_status status = privy_request_finish(adding->request, &adding->error);
  privy_plan *core = reading_of(adding->self);
  if (status == PRIVY_VALIDATION) {
    VALUE details = privy_rb_details(&adding->error.details);
    privy_plan_refuse(core, &adding->error);
    return details;
  }
  privy_rb_check(status, &adding->error);
  privy_request *request = adding->request;
  adding->request = NULL;
  privy_plan_add(core, request);
  return Qnil;
}

static VALUE add_clean(VALUE argument) {
  struct adding *adding = (struct adding *)argument;
  privy_request_free(adding->request);
  privy_error_clear(&adding->error);
  return Qnil;
}

/* core_add(params, extra, omits_nulls, headers) → nil, or the details of a row that is invalid */
static VALUE plan_add(VALUE self, VALUE params, VALUE extra, VALUE omits_nulls, VALUE headers) {
  struct adding adding = {.self = plan_get(self)};
  adding.spec = privy_rb_call_spec_for(adding.self->operation, params, extra, headers);
  adding.spec.omits_nulls = RTEST(omits_nulls);
  privy_error_init(&adding.error);
  VALUE details = rb_ensure(add_body, (VALUE)&adding, add_clean, (VALUE)&adding);
  RB_GC_GUARD(params);
  RB_GC_GUARD(extra);
  RB_GC_GUARD(headers);
  return details;
}

/* core_refuse([[field, message, code, count or nil], …]): adds a row that is invalid. */
static VALUE plan_refuse(VALUE self, VALUE details) {
  privy_plan *core = reading_of(plan_get(self));
  Check_Type(details, T_ARRAY);
  privy_plan_refuse_row(core);
  for (long i = 0; i < RARRAY_LEN(details); i++) {
    VALUE detail = rb_ary_entry(details, i), field = rb_ary_entry(detail, 0), message = rb_ary_entry(detail, 1);
    VALUE code = rb_sym2str(rb_ary_entry(detail, 2)), limit = rb_ary_entry(detail, 3);
    const int64_t count = NIL_P(limit) ? -1 : NUM2LL(limit);
    privy_plan_refuse_detail(core, StringValueCStr(field), StringValueCStr(message), StringValueCStr(code), count);
  }
  return Qnil;
}

static VALUE plan_end_rows(VALUE self) {
  privy_plan_end_rows(reading_of(plan_get(self)));
  return Qnil;
}

/* ---- the reading ---- */

/* core_step → :wait, :again or :end */
static VALUE plan_step(VALUE self) {
  static const char *const names[] = {"wait", "again", "end"};
  plan *data = plan_get(self);
  privy_plan *core = reading_of(data);
  privy_rb_group_observe(data->group);
  const privy_plan_step step = privy_plan_next(core);
  privy_rb_group_report(data->group);
  return ID2SYM(rb_intern(names[step]));
}

/* core_error → why the plan is incomplete, or nil */
static VALUE plan_error(VALUE self) {
  const privy_error *error = privy_plan_error(plan_get(self)->core);
  return error == NULL ? Qnil : privy_rb_exception(error);
}

static VALUE seconds_or_nil(bool known, double seconds) {
  return known ? DBL2NUM(seconds) : Qnil;
}

/* core_progress → [requests sent, requests in all or nil, waiting until (seconds since 1970) or nil, ETA in seconds or
 * nil]; nil without a change */
static VALUE plan_progress(VALUE self) {
  privy_plan_progress seen;
  if (!privy_plan_take_progress(plan_get(self)->core, &seen)) return Qnil;
  return rb_ary_new_from_args(4, ULL2NUM(seen.requests), seen.expected < 0 ? Qnil : LL2NUM(seen.expected),
                              seconds_or_nil(seen.waiting_until > 0, seen.waiting_until),
                              seconds_or_nil(seen.eta >= 0, seen.eta));
}

/* ---- the result ---- */

/* core_counts → [rows of each state], requests, requests that were sent to read, seconds or nil, when it was read,
 * whether the contacts come from the snapshot */
static VALUE plan_counts(VALUE self) {
  privy_plan_counts counts;
  VALUE rows = rb_ary_new();
  privy_plan_count(plan_get(self)->core, &counts);
  for (int i = 0; i < PRIVY_PLAN_STATE_COUNT; i++) rb_ary_push(rows, ULL2NUM(counts.rows[i]));
  return rb_ary_new_from_args(6, rows, ULL2NUM(counts.requests), ULL2NUM(counts.requests_read),
                              seconds_or_nil(counts.duration >= 0, counts.duration), privy_rb_instant(counts.read_at),
                              counts.from_snapshot ? Qtrue : Qfalse);
}

/* core_row(state, nth) → [index, key, contact id or nil, changes, details] of that row of a state; nil past the end */
static VALUE plan_row(VALUE self, VALUE state, VALUE nth) {
  privy_plan_row row;
  const int number = NUM2INT(state);
  if (number < 0 || number >= PRIVY_PLAN_STATE_COUNT) return Qnil;
  if (!privy_plan_row_of(plan_get(self)->core, (privy_plan_state)number, NUM2ULL(nth), &row)) return Qnil;
  VALUE changes = row.changes.type == PRIVY_ABSENT ? rb_obj_freeze(rb_hash_new()) : privy_rb_convert(row.changes);
  VALUE values = rb_ary_new_from_args(5, ULL2NUM(row.index), privy_rb_text(row.key), privy_rb_text(row.contact_id),
                                      changes, privy_rb_details(row.details));
  RB_GC_GUARD(self);
  return values;
}

/* core_row_of(request) → the index of the request's first row */
static VALUE plan_row_of_request(VALUE self, VALUE request) {
  privy_plan_counts counts;
  privy_plan *core = plan_get(self)->core;
  const uint64_t number = NUM2ULL(request);
  privy_plan_count(core, &counts);
  if (number >= counts.requests) rb_raise(rb_eIndexError, "the plan has fewer requests");
  return ULL2NUM(privy_plan_row_of_request(core, number));
}

struct output {
  const privy_plan *core;
  size_t most;
  bool summary;
  privy_buffer text;
};

static VALUE text_body(VALUE argument) {
  struct output *output = (struct output *)argument;
  const privy_status status = output->summary ? privy_plan_summary(output->core, &output->text)
                                              : privy_plan_text(output->core, output->most, &output->text);
  if (status != PRIVY_OK) privy_rb_raise_memory();
  return rb_utf8_str_new(output->text.data, (long)output->text.length);
}

static VALUE text_clean(VALUE argument) {
  privy_buffer_clear(&((struct output *)argument)->text);
  return Qnil;
}

/* core_text(most) → the plan with the first `most` rows of each state; nil: the counts on one line */
static VALUE plan_text(VALUE self, VALUE most) {
  struct output output = {.core = plan_get(self)->core, .summary = NIL_P(most), .text = PRIVY_BUFFER_EMPTY};
  output.most = NIL_P(most) ? 0 : NUM2SIZET(most);
  VALUE text = rb_ensure(text_body, (VALUE)&output, text_clean, (VALUE)&output);
  RB_GC_GUARD(self);
  return text;
}

void privy_rb_init_plan(void) {
  VALUE klass = rb_define_class_under(privy_rb_core, "Plan", rb_cObject);
  rb_define_alloc_func(klass, plan_allocate);
  rb_undef_method(klass, "initialize_copy");
  rb_define_private_method(klass, "core_begin", plan_begin, -1);
  rb_define_private_method(klass, "core_add", plan_add, 4);
  rb_define_private_method(klass, "core_refuse", plan_refuse, 1);
  rb_define_private_method(klass, "core_end_rows", plan_end_rows, 0);
  rb_define_private_method(klass, "core_step", plan_step, 0);
  rb_define_private_method(klass, "core_error", plan_error, 0);
  rb_define_private_method(klass, "core_progress", plan_progress, 0);
  rb_define_private_method(klass, "core_close", plan_close, 0);
  rb_define_private_method(klass, "core_counts", plan_counts, 0);
  rb_define_private_method(klass, "core_row", plan_row, 2);
  rb_define_private_method(klass, "core_row_of", plan_row_of_request, 1);
  rb_define_private_method(klass, "core_text", plan_text, 1);
}
