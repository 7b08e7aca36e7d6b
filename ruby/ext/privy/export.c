#include "binding.h"

/*
 * Privy::Core::Export, the base class of Privy::ExportRun. It is the guest of a group. Exceptions end it: the caller
 * closes it, and what was read is kept.
 */

typedef struct export {
  VALUE group;           /* Privy::Core::Group while it runs, else nil */
  privy_rb_guest *place; /* in that group; NULL: it is not in one */
  privy_export *core;    /* NULL before it begins */
}
export;

/* The group is about to be freed: the export does not use it any more. */
static void leave(void *object) {
  export *self = object;
  self->place = NULL;
  self->group = Qnil;
  privy_export_close(self->core);
}

static void export_mark(void *data) {
  const export *self = data;
  rb_gc_mark(self->group);
}

static void export_free(void *data) {
  export *self = data;
  privy_export_free(self->core);
  if (self->place != NULL) self->place->object = NULL;
  xfree(self);
}

static size_t export_size(const void *data) {
  (void)data;
  return sizeof(export);
}

static const rb_data_type_t export_type = {
    .wrap_struct_name = "Privy::Core::Export",
    .function = {.dmark = export_mark, .dfree = export_free, .dsize = export_size},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY,
};

static VALUE export_allocate(VALUE klass) {
  export *self;
  VALUE object = TypedData_Make_Struct(klass, export, &export_type, self);
  self->group = Qnil;
  return object;
}

static export *export_get(VALUE self) {
  export *data = rb_check_typeddata(self, &export_type);
  if (data->core == NULL) rb_raise(rb_eRuntimeError, "the export has not begun");
  return data;
}

/* For what uses the group. Raises when the export has ended, or the group belongs to another process. */
static privy_export *running(export *self) {
  if (NIL_P(self->group)) rb_raise(rb_eRuntimeError, "the export has ended");
  (void)privy_rb_group_guest(self->group);
  return self->core;
}

/* ---- life ---- */

struct beginning {
  export *self;
  VALUE group, params, settings;
  privy_rb_call_spec spec;
  privy_group *core;
  privy_request *list;
  privy_export_config config;
  privy_error error;
};

static VALUE setting(VALUE settings, const char *name) {
  return rb_hash_lookup(settings, ID2SYM(rb_intern(name)));
}

static void configure(struct beginning *begin) {
  privy_export_config *config = &begin->config;
  VALUE path = setting(begin->settings, "path"), format = setting(begin->settings, "format");
  config->path = StringValueCStr(path);
  const char *name = NIL_P(format) ? NULL : StringValueCStr(format);
  privy_rb_check(privy_export_format_read(name, config->path, &config->format, &begin->error), &begin->error);
  config->resume = (privy_resume)NUM2INT(setting(begin->settings, "resume"));
  config->on_spent_day = (privy_spent_day)NUM2INT(setting(begin->settings, "on_spent_day"));
}

static VALUE begin_body(VALUE argument) {
  struct beginning *begin = (struct beginning *)argument;
  export *self = begin->self;
  configure(begin);
  if (begin->config.format == PRIVY_EXPORT_PARQUET) rb_yield(Qnil);
  privy_rb_call_spec_build(&begin->spec, &begin->list);
  privy_rb_check(privy_request_finish(begin->list, &begin->error), &begin->error);
  privy_request *list = begin->list;
  begin->list = NULL;
  privy_rb_check(privy_export_new(begin->core, list, &begin->config, &self->core, &begin->error), &begin->error);
  self->place = privy_rb_group_guest(begin->group);
  *self->place = (privy_rb_guest){self, leave};
  self->group = begin->group;
  return Qnil;
}

static VALUE begin_clean(VALUE argument) {
  struct beginning *begin = (struct beginning *)argument;
  privy_request_free(begin->list);
  privy_error_clear(&begin->error);
  return Qnil;
}

/* core_begin(group, operation, params, extra, settings, options, headers) { … }: yields before it creates a file, if
 * the caller is to write columns */
static VALUE export_begin(int count, VALUE *arguments, VALUE self) {
  VALUE name, extra, options, headers;
  struct beginning begin = {.self = rb_check_typeddata(self, &export_type)};
  rb_scan_args(count, arguments, "70", &begin.group, &name, &begin.params, &extra, &begin.settings, &options, &headers);
  if (begin.self->core != NULL) rb_raise(rb_eRuntimeError, "the export has begun already");
  Check_Type(begin.settings, T_HASH);
  privy_export_config_init(&begin.config);
  begin.config.options = privy_rb_options_over(options, begin.config.options);
  begin.spec = privy_rb_call_spec_for(privy_rb_operation(name), begin.params, extra, headers);
  begin.core = privy_rb_group_open(begin.group);
  privy_error_init(&begin.error);
  VALUE result = rb_ensure(begin_body, (VALUE)&begin, begin_clean, (VALUE)&begin);
  RB_GC_GUARD(extra);
  RB_GC_GUARD(headers);
  return result;
}

/* core_close: cancels the request of an export that runs. */
static VALUE export_close(VALUE self) {
  export *data = rb_check_typeddata(self, &export_type);
  if (data->place != NULL) privy_rb_guest_leave(data->place);
  return Qnil;
}

/* ---- steps ---- */

/* core_step → :wait, :again, :columns or :end */
static VALUE export_step(VALUE self) {
  static const char *const names[] = {"wait", "again", "columns", "end"};
  export *data = export_get(self);
  privy_export *core = running(data);
  privy_rb_group_observe(data->group);
  const privy_export_step step = privy_export_next(core);
  privy_rb_group_report(data->group);
  return ID2SYM(rb_intern(names[step]));
}

/* core_error → why there is no file, or nil */
static VALUE export_error(VALUE self) {
  const privy_error *error = privy_export_error(export_get(self)->core);
  return error == NULL ? Qnil : privy_rb_exception(error);
}

static VALUE seconds_or_nil(bool known, double seconds) {
  return known ? DBL2NUM(seconds) : Qnil;
}

/* core_progress → [contacts read, contacts in all or nil, waiting until (seconds since 1970) or nil, ETA in seconds or
 * nil]; nil without a change */
static VALUE export_progress(VALUE self) {
  privy_export_progress seen;
  if (!privy_export_take_progress(export_get(self)->core, &seen)) return Qnil;
  const privy_sweep_progress *sweep = &seen.sweep;
  return rb_ary_new_from_args(4, ULL2NUM(sweep->contacts), sweep->total < 0 ? Qnil : LL2NUM(sweep->total),
                              seconds_or_nil(sweep->waiting_until > 0, sweep->waiting_until),
                              seconds_or_nil(sweep->eta >= 0, sweep->eta));
}

/* core_counts → contacts written, requests, seconds, seconds waited, whether it was resumed, when it began to read */
static VALUE export_counts(VALUE self) {
  privy_export_progress seen;
  privy_export_get_progress(export_get(self)->core, &seen);
  return rb_ary_new_from_args(6, ULL2NUM(seen.written), ULL2NUM(seen.sweep.requests), DBL2NUM(seen.sweep.seconds),
                              DBL2NUM(seen.sweep.waited), seen.resumed ? Qtrue : Qfalse,
                              seen.began_at > 0 ? privy_rb_instant(seen.began_at) : Qnil);
}

/* ---- columns ---- */

/* core_output → where to write the columns */
static VALUE export_output(VALUE self) {
  return rb_str_new_cstr(privy_export_output(export_get(self)->core));
}

/* core_columns(table) { |address| … }: an Arrow stream of the contacts, as the address of its C struct. The consumer
 * moves it, or reads it before the block ends. */
struct columns {
  struct ArrowArrayStream stream;
};

static VALUE columns_body(VALUE argument) {
  return rb_yield(ULL2NUM((unsigned long long)(uintptr_t)argument));
}

static VALUE columns_clean(VALUE argument) {
  struct columns *columns = (struct columns *)argument;
  if (columns->stream.release != NULL) columns->stream.release(&columns->stream);
  return Qnil;
}

static VALUE export_columns(VALUE self, VALUE table) {
  struct columns columns;
  privy_columns_config config;
  privy_export *core = running(export_get(self));
  const privy_object *object = privy_object_find(StringValueCStr(table));
  if (object == NULL) rb_raise(rb_eKeyError, "no such table");
  privy_columns_config_init(&config);
  if (privy_columns_stream(object, &config, privy_export_pages(core), &columns.stream) != PRIVY_OK)
    privy_rb_raise_memory();
  VALUE result = rb_ensure(columns_body, (VALUE)&columns, columns_clean, (VALUE)&columns);
  RB_GC_GUARD(self);
  return result;
}

/* core_written: the output is complete. */
static VALUE export_written(VALUE self) {
  privy_export_written(running(export_get(self)));
  return Qnil;
}

void privy_rb_init_export(void) {
  VALUE klass = rb_define_class_under(privy_rb_core, "Export", rb_cObject);
  rb_define_alloc_func(klass, export_allocate);
  rb_undef_method(klass, "initialize_copy");
  rb_define_private_method(klass, "core_begin", export_begin, -1);
  rb_define_private_method(klass, "core_step", export_step, 0);
  rb_define_private_method(klass, "core_error", export_error, 0);
  rb_define_private_method(klass, "core_progress", export_progress, 0);
  rb_define_private_method(klass, "core_close", export_close, 0);
  rb_define_private_method(klass, "core_counts", export_counts, 0);
  rb_define_private_method(klass, "core_output", export_output, 0);
  rb_define_private_method(klass, "core_columns", export_columns, 1);
  rb_define_private_method(klass, "core_written", export_written, 0);
}
