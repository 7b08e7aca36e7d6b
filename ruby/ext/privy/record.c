#include "binding.h"

/*
 * A record is one object of a response. It retains the response, and converts each field when it is first read. Its
 * class (Privy::Contact and others) is made from the core's table of the object, with one reader for each field.
 */

typedef struct record {
  privy_response *response;
  const privy_record *fields;
  const privy_object *object;
  const privy_field_info *infos; /* of its fields */
  size_t share;                  /* the record's part of the response's bytes */
  size_t count;
  VALUE extra;    /* Qundef: not read yet */
  VALUE values[]; /* likewise */
} record;

static VALUE record_class;

/* The class of each object, and what its fields are. Set by Init_core, then constant. */
static struct {
  const privy_object *object;
  VALUE klass;
  privy_field_info *infos;
} classes[64];
static size_t class_count;

/* ---- the garbage collector's side ---- */

static void record_mark(void *data) {
  record *self = data;
  rb_gc_mark_movable(self->extra);
  for (size_t index = 0; index < self->count; index++) rb_gc_mark_movable(self->values[index]);
}

static void record_compact(void *data) {
  record *self = data;
  self->extra = rb_gc_location(self->extra);
  for (size_t index = 0; index < self->count; index++) self->values[index] = rb_gc_location(self->values[index]);
}

static void record_free(void *data) {
  record *self = data;
  if (self->response != NULL) {
    privy_response_release(self->response);
    rb_gc_adjust_memory_usage(-(ssize_t)self->share);
  }
  xfree(self);
}

static size_t record_size(const void *data) {
  const record *self = data;
  return sizeof *self + self->count * sizeof(VALUE) + self->share;
}

static const rb_data_type_t record_type = {
    .wrap_struct_name = "Privy::Record",
    .function = {.dmark = record_mark, .dfree = record_free, .dsize = record_size, .dcompact = record_compact},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static record *record_get(VALUE self) {
  const bool typed = RB_TYPE_P(self, T_DATA) && RTYPEDDATA_P(self) && RTYPEDDATA_TYPE(self) == &record_type;
  record *data = typed ? RTYPEDDATA_DATA(self) : rb_check_typeddata(self, &record_type); /* which takes longer */
  if (data->response == NULL) rb_raise(rb_eTypeError, "uninitialized %" PRIsVALUE, rb_obj_class(self));
  return data;
}

/* ---- making one ---- */

/* The position in `classes`. */
static size_t place_of_object(const privy_object *object) {
  for (size_t index = 0; index < class_count; index++) {
    if (classes[index].object == object) return index;
  }
  rb_raise(rb_eTypeError, "no class for %s", privy_object_name(object));
}

static size_t place_of_class(VALUE klass) {
  for (size_t index = 0; index < class_count; index++) {
    if (classes[index].klass == klass) return index;
  }
  rb_raise(rb_eTypeError, "%" PRIsVALUE " has no table", klass);
}

static VALUE record_make(size_t place) {
  const privy_object *object = classes[place].object;
  size_t count = privy_object_count(object);
  size_t size = sizeof(record) + count * sizeof(VALUE);
  VALUE self = rb_data_typed_object_zalloc(classes[place].klass, size, &record_type);
  record *data = RTYPEDDATA_DATA(self);
  data->extra = Qundef;
  for (size_t index = 0; index < count; index++) data->values[index] = Qundef;
  data->count = count;
  data->object = object;
  data->infos = classes[place].infos;
  return self;
}

/* For YAML, which fills the record by core_load; until then every method raises. */
static VALUE record_allocate(VALUE klass) {
  return record_make(place_of_class(klass));
}

static VALUE record_fill(VALUE self, privy_response *response, const privy_record *fields) {
  record *data = RTYPEDDATA_DATA(self);
  size_t records = privy_response_count(response);
  data->fields = fields;
  data->share = privy_response_size(response) / (records == 0 ? 1 : records);
  data->response = privy_response_retain(response);
  rb_gc_adjust_memory_usage((ssize_t)data->share);
  return rb_obj_freeze(self);
}

VALUE privy_rb_record_new(privy_response *response, const privy_record *fields) {
  return record_fill(record_make(place_of_object(privy_record_object(fields))), response, fields);
}

/* ---- reading ---- */

static VALUE record_read(VALUE self, size_t index) {
  record *data = record_get(self);
  VALUE value = data->values[index];
  if (value != Qundef) return value;
  value = privy_rb_convert_field(privy_record_get(data->fields, index), &data->infos[index]);
  RB_OBJ_WRITE(self, &data->values[index], value);
  RB_GC_GUARD(self);
  return value;
}

/* A method function of Ruby has no data: each field index needs its own function. */
#define TEN(X, tens)                                                                                                   \
  X(tens##0) X(tens##1) X(tens##2) X(tens##3) X(tens##4) X(tens##5) X(tens##6) X(tens##7) X(tens##8) X(tens##9)
#define SLOTS(X) TEN(X, ) TEN(X, 1) TEN(X, 2) TEN(X, 3) TEN(X, 4)

#define READER(slot)                                                                                                   \
  static VALUE read_##slot(VALUE self) {                                                                               \
    return record_read(self, slot);                                                                                    \
  }
SLOTS(READER)

#define ENTRY(slot) read_##slot,
static VALUE (*const readers[])(VALUE) = {SLOTS(ENTRY)};
#define READERS (sizeof readers / sizeof *readers)

static VALUE read_extra(VALUE self) {
  record *data = record_get(self);
  privy_cursor cursor;
  privy_value key, value;
  if (data->extra != Qundef) return data->extra;
  VALUE extra = rb_hash_new();
  privy_cursor_init(&cursor, privy_record_json(data->fields));
  while (privy_cursor_next(&cursor, &key, &value)) {
    VALUE name = privy_rb_convert(key);
    if (privy_object_index(data->object, RSTRING_PTR(name), (size_t)RSTRING_LEN(name)) >= 0) continue;
    rb_hash_aset(extra, name, privy_rb_convert(value));
  }
  RB_OBJ_WRITE(self, &data->extra, rb_obj_freeze(extra));
  RB_GC_GUARD(self);
  return extra;
}

static VALUE name_text(VALUE name) {
  return SYMBOL_P(name) ? rb_sym2str(name) : StringValue(name);
}

static int field_index(VALUE self, VALUE text) {
  return privy_object_index(record_get(self)->object, RSTRING_PTR(text), (size_t)RSTRING_LEN(text));
}

/* record["any_field"], known or not; nil when the response does not contain it */
static VALUE record_aref(VALUE self, VALUE name) {
  VALUE text = name_text(name);
  int index = field_index(self, text);
  return index >= 0 ? record_read(self, (size_t)index) : rb_hash_lookup(read_extra(self), text);
}

/* key?(name) → whether the response contains the field, also with null */
static VALUE record_has_key(VALUE self, VALUE name) {
  VALUE text = name_text(name);
  int index = field_index(self, text);
  if (index < 0) return rb_hash_lookup2(read_extra(self), text, Qundef) == Qundef ? Qfalse : Qtrue;
  return privy_record_get(record_get(self)->fields, (size_t)index).type == PRIVY_ABSENT ? Qfalse : Qtrue;
}

/* Class, known values and unknown fields: the basis of equality. */
static VALUE record_values(VALUE self) {
  record *data = record_get(self);
  VALUE values = rb_ary_new_capa((long)data->count + 2);
  rb_ary_push(values, rb_obj_class(self));
  for (size_t index = 0; index < data->count; index++) rb_ary_push(values, record_read(self, index));
  rb_ary_push(values, read_extra(self));
  return values;
}

static VALUE record_equal(VALUE self, VALUE other) {
  if (self == other) return Qtrue;
  if (rb_obj_class(self) != rb_obj_class(other)) return Qfalse;
  return rb_eql(record_values(self), record_values(other)) ? Qtrue : Qfalse;
}

static VALUE record_hash(VALUE self) {
  return rb_hash(record_values(self));
}

/* ---- as JSON, and back ---- */

struct write {
  VALUE self;
  privy_buffer text;
};

static VALUE write_body(VALUE argument) {
  struct write *write = (struct write *)argument;
  if (privy_record_write(record_get(write->self)->fields, &write->text) != PRIVY_OK) privy_rb_raise_memory();
  return rb_utf8_str_new(write->text.data, (long)write->text.length);
}

static VALUE write_clean(VALUE argument) {
  privy_buffer_clear(&((struct write *)argument)->text);
  return Qnil;
}

static VALUE record_json(VALUE self) {
  struct write write = {self, PRIVY_BUFFER_EMPTY};
  return rb_ensure(write_body, (VALUE)&write, write_clean, (VALUE)&write);
}

static VALUE record_dump(VALUE self, VALUE level) {
  (void)level;
  return record_json(self);
}

struct load {
  const privy_object *object;
  VALUE text;
  VALUE record; /* an empty record, or nil: make a new one */
  privy_response *response;
  privy_error error;
};

static VALUE load_body(VALUE argument) {
  struct load *load = (struct load *)argument;
  privy_status status = privy_response_load(load->object, RSTRING_PTR(load->text), (size_t)RSTRING_LEN(load->text),
                                            &load->response, &load->error);
  privy_rb_check(status, &load->error);
  const privy_record *fields = privy_response_record(load->response, 0);
  return NIL_P(load->record) ? privy_rb_record_new(load->response, fields)
                             : record_fill(load->record, load->response, fields);
}

static VALUE load_clean(VALUE argument) {
  struct load *load = (struct load *)argument;
  privy_response_release(load->response);
  privy_error_clear(&load->error);
  return Qnil;
}

static VALUE load_record(const privy_object *object, VALUE empty, VALUE text) {
  struct load load = {.object = object, .record = empty};
  StringValue(text);
  load.text = rb_str_new_frozen(text);
  privy_error_init(&load.error);
  VALUE result = rb_ensure(load_body, (VALUE)&load, load_clean, (VALUE)&load);
  RB_GC_GUARD(load.text);
  return result;
}

/* Contact.from_json(text) → a record */
static VALUE record_load(VALUE klass, VALUE text) {
  return load_record(classes[place_of_class(klass)].object, Qnil, text);
}

/* core_load(text): fills an allocated record */
static VALUE record_core_load(VALUE self, VALUE text) {
  record *data = rb_check_typeddata(self, &record_type);
  rb_check_frozen(self);
  return load_record(data->object, self, text);
}

/* ---- the classes ---- */

static void define_class(const privy_object *object) {
  privy_field_info field, *infos = ALLOC_N(privy_field_info, privy_object_count(object));
  VALUE members = rb_ary_new(), personal = rb_ary_new();
  VALUE klass = rb_define_class_under(privy_rb_module, privy_object_name(object), record_class);
  if (privy_object_count(object) > READERS || class_count == sizeof classes / sizeof *classes) {
    rb_raise(rb_eLoadError, "privy: %s has more fields than the extension has readers", privy_object_name(object));
  }
  for (size_t index = 0; privy_object_field(object, index, &field); index++) {
    infos[index] = field;
    rb_define_method(klass, field.name, readers[index], 0);
    rb_ary_push(members, ID2SYM(rb_intern(field.name)));
    if (field.personal) rb_ary_push(personal, ID2SYM(rb_intern(field.name)));
  }
  rb_define_alloc_func(klass, record_allocate);
  rb_define_const(klass, "MEMBERS", rb_obj_freeze(members));
  rb_define_const(klass, "PERSONAL", rb_obj_freeze(personal));
  rb_gc_register_mark_object(klass);
  classes[class_count].object = object;
  classes[class_count].infos = infos;
  classes[class_count++].klass = klass;
}

void privy_rb_init_record(void) {
  const privy_object *object;
  record_class = rb_define_class_under(privy_rb_module, "Record", rb_cObject);
  rb_gc_register_mark_object(record_class);
  rb_undef_alloc_func(record_class);
  rb_undef_method(rb_singleton_class(record_class), "new");
  rb_undef_method(record_class, "initialize_copy");
  rb_define_method(record_class, "[]", record_aref, 1);
  rb_define_method(record_class, "key?", record_has_key, 1);
  rb_define_method(record_class, "extra", read_extra, 0);
  rb_define_method(record_class, "==", record_equal, 1);
  rb_define_method(record_class, "eql?", record_equal, 1);
  rb_define_method(record_class, "hash", record_hash, 0);
  rb_define_private_method(record_class, "json_text", record_json, 0);
  rb_define_private_method(record_class, "core_load", record_core_load, 1);
  rb_define_method(record_class, "_dump", record_dump, 1);
  rb_define_singleton_method(record_class, "_load", record_load, 1);
  rb_define_singleton_method(record_class, "from_json", record_load, 1);
  for (size_t index = 0; (object = privy_object_at(index)) != NULL; index++) define_class(object);
}
