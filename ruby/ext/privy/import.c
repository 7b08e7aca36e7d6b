#include "binding.h"

#include "privy_imports.h"

/*
 * Privy::Core::Import: rows of an operation, from the bytes of a file or from cells. Callbacks run in the core's calls:
 * an exception of one is kept until the core returns.
 */
struct import {
  privy_import *import;
  privy_lines *lines; /* NULL: no bytes of this reading were fed */
  VALUE phone, zone;  /* procs, or nil */
  const char *encoding;
  char delimiter, found;
  bool has_header; /* the import knows its columns */
  bool at_header;  /* the next line of this reading is the header */
  bool busy;
  int raised; /* of rb_protect: the exception of a callback; 0: none */
};

static void import_mark(void *data) {
  struct import *self = data;
  rb_gc_mark(self->phone);
  rb_gc_mark(self->zone);
}

static void import_free(void *data) {
  struct import *self = data;
  privy_import_free(self->import);
  privy_lines_free(self->lines);
  xfree(self);
}

static size_t import_size(const void *data) {
  (void)data;
  return sizeof(struct import);
}

static const rb_data_type_t import_type = {
    .wrap_struct_name = "Privy::Core::Import",
    .function = {.dmark = import_mark, .dfree = import_free, .dsize = import_size},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY,
};

static VALUE import_allocate(VALUE klass) {
  struct import *self;
  VALUE object = TypedData_Make_Struct(klass, struct import, &import_type, self);
  self->phone = self->zone = Qnil;
  self->at_header = true;
  return object;
}

static struct import *import_get(VALUE object) {
  struct import *self = rb_check_typeddata(object, &import_type);
  if (!self->import) rb_raise(rb_eRuntimeError, "not initialized");
  return self;
}

/* ---- callbacks ---- */

struct callback {
  struct import *self;
  const char *text, *place;
  size_t length;
  int64_t local;
};

static VALUE call_phone(VALUE argument) {
  struct callback *call = (struct callback *)argument;
  VALUE country = call->place ? rb_utf8_str_new_cstr(call->place) : Qnil;
  VALUE found =
      rb_funcall(call->self->phone, rb_intern("call"), 2, privy_rb_clean_text(call->text, call->length), country);
  return NIL_P(found) ? Qnil : StringValue(found);
}

static privy_status find_phone(void *context, const char *text, size_t length, const char *country, privy_buffer *out) {
  struct callback call = {.self = context, .text = text, .place = country, .length = length};
  if (NIL_P(call.self->phone) || call.self->raised) return PRIVY_VALIDATION;
  VALUE found = rb_protect(call_phone, (VALUE)&call, &call.self->raised);
  if (call.self->raised || NIL_P(found)) return PRIVY_VALIDATION;
  const size_t bytes = (size_t)RSTRING_LEN(found);
  char *room = privy_realloc(out->data, out->length + bytes + 1);
  if (!room) return PRIVY_NO_MEMORY;
  memcpy(room + out->length, RSTRING_PTR(found), bytes);
  *out = (privy_buffer){room, out->length + bytes, out->length + bytes + 1};
  RB_GC_GUARD(found);
  return PRIVY_OK;
}

/* The proc returns [offset, result], or nil for a zone that does not exist. */
static VALUE call_zone(VALUE argument) {
  struct callback *call = (struct callback *)argument;
  VALUE found =
      rb_funcall(call->self->zone, rb_intern("call"), 2, rb_utf8_str_new_cstr(call->place), LL2NUM(call->local));
  if (NIL_P(found)) return INT2FIX(PRIVY_ZONE_UNKNOWN);
  found = rb_convert_type(found, T_ARRAY, "Array", "to_ary");
  call->local = NUM2INT(rb_ary_entry(found, 0));
  return INT2FIX(NUM2INT(rb_ary_entry(found, 1)));
}

static privy_zone_result find_offset(void *context, const char *zone, int64_t local, int32_t *offset) {
  struct callback call = {.self = context, .place = zone, .local = local};
  if (NIL_P(call.self->zone) || call.self->raised) return PRIVY_ZONE_UNKNOWN;
  VALUE found = rb_protect(call_zone, (VALUE)&call, &call.self->raised);
  if (call.self->raised) return PRIVY_ZONE_UNKNOWN;
  *offset = (int32_t)call.local;
  return (privy_zone_result)FIX2INT(found);
}

/* ---- errors ---- */

static VALUE raise_body(VALUE error) {
  privy_rb_raise((const privy_error *)error);
}

static VALUE clear_error(VALUE error) {
  privy_error_clear((privy_error *)error);
  return Qnil;
}

/* Raises the exception of a callback, or the error of the core. */
static void leave(struct import *self, privy_status status, privy_error *error) {
  const int raised = self->raised;
  self->busy = false;
  self->raised = 0;
  if (raised) {
    privy_error_clear(error);
    rb_jump_tag(raised);
  }
  if (status == PRIVY_NO_MEMORY) privy_rb_raise_memory();
  if (status != PRIVY_OK) rb_ensure(raise_body, (VALUE)error, clear_error, (VALUE)error);
}

static void enter(struct import *self, privy_error *error) {
  if (self->busy) rb_raise(rb_eRuntimeError, "the import is in use: another thread or a callback uses it");
  self->busy = true;
  privy_error_init(error);
}

/* ---- creating ---- */

static const char *text_or_null(VALUE *value) {
  return NIL_P(*value) ? NULL : StringValueCStr(*value);
}

/* Import.new(operation, map, preset, country, currency, timezone, phone, zone, delimiter) */
static VALUE import_initialize(int count, VALUE *values, VALUE object) {
  struct import *self = rb_check_typeddata(object, &import_type);
  privy_import_config config;
  privy_error error;
  rb_check_arity(count, 9, 9);
  if (self->import) rb_raise(rb_eRuntimeError, "already initialized");
  privy_import_config_init(&config);
  config.operation = privy_rb_operation(values[0]);
  if (!NIL_P(values[1])) config.map = StringValuePtr(values[1]);
  if (!NIL_P(values[1])) config.map_length = (size_t)RSTRING_LEN(values[1]);
  config.preset = text_or_null(&values[2]);
  config.country = text_or_null(&values[3]);
  config.currency = text_or_null(&values[4]);
  config.timezone = text_or_null(&values[5]);
  self->phone = values[6];
  self->zone = values[7];
  if (!NIL_P(values[8])) self->delimiter = self->found = StringValueCStr(values[8])[0];
  config.phone = find_phone;
  config.zone_offset = find_offset;
  config.context = self;
  enter(self, &error);
  leave(self, privy_import_new(&config, &self->import, &error), &error);
  return object;
}

/* ---- rows ---- */

static VALUE text_of(privy_span text) {
  return privy_rb_clean_text(text.text, text.length);
}

static VALUE list_of_lines(const privy_import_row *row) {
  VALUE list = rb_ary_new();
  for (size_t i = 0; i < row->line_count; i++)
    rb_ary_push(list, rb_ary_new_from_args(2, ULL2NUM(row->lines[i].number), text_of(row->lines[i].csv)));
  return list;
}

static VALUE list_of_changes(const privy_import_row *row) {
  VALUE list = rb_ary_new();
  for (size_t i = 0; i < row->change_count; i++) {
    const privy_import_change *change = &row->changes[i];
    rb_ary_push(list, rb_ary_new_from_args(5, ULL2NUM(change->line), text_of(change->column), text_of(change->before),
                                           text_of(change->after), ID2SYM(rb_intern(change->rule))));
  }
  return list;
}

static VALUE list_of_faults(const privy_import_row *row) {
  VALUE list = rb_ary_new();
  for (size_t i = 0; i < row->fault_count; i++) {
    const privy_import_fault *fault = &row->faults[i];
    rb_ary_push(list,
                rb_ary_new_from_args(6, ULL2NUM(fault->line), text_of(fault->column), text_of(fault->field),
                                     text_of(fault->value), text_of(fault->message), ID2SYM(rb_intern(fault->code))));
  }
  return list;
}

/* [state, key, fields as JSON, reason, lines, changes, faults] */
static VALUE array_of(const privy_import_row *row) {
  static const char *const states[] = {"ready", "refused", "skipped"};
  return rb_ary_new_from_args(7, ID2SYM(rb_intern(states[row->state])), text_of(row->key), text_of(row->fields),
                              text_of(row->reason), list_of_lines(row), list_of_changes(row), list_of_faults(row));
}

/* All rows that are complete. */
static VALUE take_rows(struct import *self) {
  VALUE list = rb_ary_new();
  for (const privy_import_row *row; (row = privy_import_take(self->import));) rb_ary_push(list, array_of(row));
  return list;
}

/* ---- cells ---- */

typedef privy_status reading(privy_import *import, const privy_line *line);

static privy_status use_line(struct import *self, const privy_line *line, reading *read, privy_error *error) {
  if (!self->at_header) return read(self->import, line);
  self->at_header = false;
  const privy_status status = self->has_header ? PRIVY_OK : privy_import_columns(self->import, line, error);
  self->has_header = true;
  return status;
}

static void check_cells(VALUE cells) {
  Check_Type(cells, T_ARRAY);
  for (long i = 0; i < RARRAY_LEN(cells); i++)
    if (!NIL_P(rb_ary_entry(cells, i))) Check_Type(rb_ary_entry(cells, i), T_STRING);
}

/* `cells` is an Array of Strings in UTF-8, and nil for empty cells. */
static void use_cells(struct import *self, uint64_t number, VALUE cells, reading *read) {
  privy_error error;
  check_cells(cells);
  const size_t count = (size_t)RARRAY_LEN(cells);
  enter(self, &error);
  privy_span *spans = privy_alloc((count + 1) * sizeof *spans);
  for (size_t i = 0; spans && i < count; i++) {
    VALUE cell = rb_ary_entry(cells, (long)i);
    spans[i] = NIL_P(cell) ? (privy_span){"", 0} : (privy_span){RSTRING_PTR(cell), (size_t)RSTRING_LEN(cell)};
  }
  const privy_line line = {number, spans, count};
  const privy_status status = spans ? use_line(self, &line, read, &error) : PRIVY_NO_MEMORY;
  privy_free(spans);
  RB_GC_GUARD(cells);
  leave(self, status, &error);
}

static VALUE import_header(VALUE object, VALUE names) {
  struct import *self = import_get(object);
  self->at_header = true;
  use_cells(self, 1, names, privy_import_survey);
  return Qnil;
}

static VALUE import_survey_cells(VALUE object, VALUE line, VALUE cells) {
  use_cells(import_get(object), NUM2ULL(line), cells, privy_import_survey);
  return Qnil;
}

static VALUE import_add_cells(VALUE object, VALUE line, VALUE cells) {
  use_cells(import_get(object), NUM2ULL(line), cells, privy_import_add);
  return take_rows(import_get(object));
}

/* ---- bytes ---- */

static privy_status use_lines(struct import *self, reading *read, privy_error *error) {
  const privy_line *line;
  privy_status status = privy_lines_next(self->lines, &line, error);
  while (status == PRIVY_OK && line && !self->raised) {
    status = use_line(self, line, read, error);
    if (status == PRIVY_OK) status = privy_lines_next(self->lines, &line, error);
  }
  return status;
}

static privy_status begin_lines(struct import *self) {
  if (self->lines) return PRIVY_OK;
  self->at_header = true;
  return privy_lines_new(self->delimiter, &self->lines);
}

static void feed(struct import *self, VALUE bytes, reading *read) {
  privy_error error;
  StringValue(bytes);
  enter(self, &error);
  privy_status status = begin_lines(self);
  if (status == PRIVY_OK) status = privy_lines_feed(self->lines, RSTRING_PTR(bytes), (size_t)RSTRING_LEN(bytes));
  if (status == PRIVY_OK) status = use_lines(self, read, &error);
  RB_GC_GUARD(bytes);
  leave(self, status, &error);
}

/* Ends a reading: the next bytes are those of the beginning of the file. */
static void end(struct import *self, reading *read) {
  privy_error error;
  privy_status status = PRIVY_OK;
  enter(self, &error);
  if (self->lines) {
    status = privy_lines_end(self->lines);
    if (status == PRIVY_OK) status = use_lines(self, read, &error);
    self->encoding = privy_lines_encoding(self->lines);
    self->found = privy_lines_delimiter(self->lines);
    privy_lines_free(self->lines);
    self->lines = NULL;
  }
  if (status == PRIVY_OK && read == privy_import_add && !self->raised) status = privy_import_end(self->import);
  leave(self, status, &error);
}

static VALUE import_survey(VALUE object, VALUE bytes) {
  feed(import_get(object), bytes, privy_import_survey);
  return Qnil;
}

static VALUE import_end_survey(VALUE object) {
  end(import_get(object), privy_import_survey);
  return Qnil;
}

static VALUE import_feed(VALUE object, VALUE bytes) {
  feed(import_get(object), bytes, privy_import_add);
  return take_rows(import_get(object));
}

static VALUE import_finish(VALUE object) {
  end(import_get(object), privy_import_add);
  return take_rows(import_get(object));
}

/* ---- what was found ---- */

static VALUE import_preset(VALUE object) {
  return privy_rb_text(privy_import_preset(import_get(object)->import));
}

static VALUE import_timezone(VALUE object) {
  return privy_rb_text(privy_import_timezone(import_get(object)->import));
}

static VALUE import_encoding(VALUE object) {
  return privy_rb_text(import_get(object)->encoding);
}

static VALUE import_delimiter(VALUE object) {
  const char found[2] = {import_get(object)->found, '\0'};
  return found[0] ? privy_rb_text(found) : Qnil;
}

static VALUE import_surveyed(VALUE object) {
  return ULL2NUM(privy_import_surveyed(import_get(object)->import));
}

static VALUE list_names(bool (*next)(const privy_import *, size_t, privy_span *), VALUE object) {
  VALUE list = rb_ary_new();
  privy_span name;
  for (size_t i = 0; next(import_get(object)->import, i, &name); i++) rb_ary_push(list, text_of(name));
  return list;
}

static VALUE import_columns(VALUE object) {
  return list_names(privy_import_column, object);
}

static VALUE import_unused(VALUE object) {
  return list_names(privy_import_unused, object);
}

static VALUE write_header(VALUE object) {
  privy_buffer *out = (privy_buffer *)object;
  return rb_utf8_str_new(out->data, (long)out->length);
}

static VALUE clear_buffer(VALUE out) {
  privy_buffer_clear((privy_buffer *)out);
  return Qnil;
}

static VALUE import_rejects_header(VALUE object) {
  privy_buffer out = PRIVY_BUFFER_EMPTY;
  if (!privy_import_rejects_header(import_get(object)->import, &out)) privy_rb_raise_memory();
  return rb_ensure(write_header, (VALUE)&out, clear_buffer, (VALUE)&out);
}

struct toml {
  VALUE text;
  privy_buffer out;
  privy_error error;
};

static VALUE toml_body(VALUE argument) {
  struct toml *toml = (struct toml *)argument;
  const size_t length = (size_t)RSTRING_LEN(toml->text);
  privy_rb_check(privy_import_read_toml(RSTRING_PTR(toml->text), length, &toml->out, &toml->error), &toml->error);
  return rb_utf8_str_new(toml->out.data, (long)toml->out.length);
}

static VALUE toml_clear(VALUE argument) {
  struct toml *toml = (struct toml *)argument;
  privy_buffer_clear(&toml->out);
  privy_error_clear(&toml->error);
  return Qnil;
}

/* Core.import_toml(text) → the map of a TOML text as JSON */
static VALUE core_import_toml(VALUE self, VALUE text) {
  struct toml toml = {.text = rb_str_new_frozen(StringValue(text))};
  (void)self;
  privy_error_init(&toml.error);
  VALUE json = rb_ensure(toml_body, (VALUE)&toml, toml_clear, (VALUE)&toml);
  RB_GC_GUARD(toml.text);
  return json;
}

/* Core.import_presets → [[name, operation, doc], …] */
static VALUE core_import_presets(VALUE self) {
  VALUE list = rb_ary_new();
  const privy_import_preset_info *preset;
  (void)self;
  for (size_t i = 0; (preset = privy_import_preset_at(i)); i++)
    rb_ary_push(list, rb_ary_new_from_args(3, privy_rb_text(preset->name), privy_rb_text(preset->operation),
                                           privy_rb_text(preset->doc)));
  return list;
}

void privy_rb_init_import(void) {
  VALUE klass = rb_define_class_under(privy_rb_core, "Import", rb_cObject);
  rb_define_alloc_func(klass, import_allocate);
  rb_undef_method(klass, "initialize_copy");
  rb_define_method(klass, "initialize", import_initialize, -1);
  rb_define_method(klass, "header", import_header, 1);
  rb_define_method(klass, "survey_cells", import_survey_cells, 2);
  rb_define_method(klass, "add_cells", import_add_cells, 2);
  rb_define_method(klass, "survey", import_survey, 1);
  rb_define_method(klass, "end_survey", import_end_survey, 0);
  rb_define_method(klass, "feed", import_feed, 1);
  rb_define_method(klass, "finish", import_finish, 0);
  rb_define_method(klass, "preset", import_preset, 0);
  rb_define_method(klass, "timezone", import_timezone, 0);
  rb_define_method(klass, "encoding", import_encoding, 0);
  rb_define_method(klass, "delimiter", import_delimiter, 0);
  rb_define_method(klass, "surveyed", import_surveyed, 0);
  rb_define_method(klass, "columns", import_columns, 0);
  rb_define_method(klass, "unused", import_unused, 0);
  rb_define_method(klass, "rejects_header", import_rejects_header, 0);
  rb_define_singleton_method(privy_rb_core, "import_toml", core_import_toml, 1);
  rb_define_singleton_method(privy_rb_core, "import_presets", core_import_presets, 0);
}
