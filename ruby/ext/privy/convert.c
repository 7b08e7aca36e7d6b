#include "binding.h"

#include <string.h>

static ID id_decimal;

struct decode {
  privy_value value;
  privy_kind kind;
  privy_buffer text;
};

static VALUE decode_body(VALUE argument) {
  struct decode *decode = (struct decode *)argument;
  if (privy_value_decode(decode->value, &decode->text) != PRIVY_OK) privy_rb_raise_memory();
  return rb_utf8_str_new(decode->text.data, (long)decode->text.length);
}

static VALUE decode_clean(VALUE argument) {
  struct decode *decode = (struct decode *)argument;
  privy_buffer_clear(&decode->text);
  return Qnil;
}

/* Bytes of a text with escapes that are decoded without memory from the heap. */
#define SHORT_TEXT 256

/* The decoded text is not longer. */
static VALUE convert_short(privy_value value) {
  char bytes[SHORT_TEXT];
  privy_buffer plain = {bytes, 0, sizeof bytes}; /* never grows */
  if (privy_value_decode(value, &plain) != PRIVY_OK) privy_rb_raise_memory();
  return rb_obj_freeze(rb_utf8_str_new(plain.data, (long)plain.length));
}

static VALUE convert_string(privy_value value) {
  if (!value.escaped) return rb_obj_freeze(rb_utf8_str_new(value.text, value.length));
  if (value.length <= SHORT_TEXT) return convert_short(value);
  struct decode decode = {.value = value};
  return rb_obj_freeze(rb_ensure(decode_body, (VALUE)&decode, decode_clean, (VALUE)&decode));
}

/* Keys and enum values repeat: equal ones share one String. */
static VALUE convert_name(privy_value value) {
  if (!value.escaped) return rb_enc_interned_str(value.text, value.length, rb_utf8_encoding());
  return rb_str_to_interned_str(convert_string(value));
}

static VALUE convert_integer(privy_value value) {
  if (value.length <= 18) {
    int64_t number = 0;
    bool negative = value.text[0] == '-';
    for (uint32_t at = negative ? 1 : 0; at < value.length; at++) number = number * 10 + (value.text[at] - '0');
    return LL2NUM(negative ? -number : number);
  }
  return rb_str_to_inum(rb_str_new(value.text, value.length), 10, 0);
}

static VALUE number_body(VALUE argument) {
  struct decode *decode = (struct decode *)argument;
  privy_value number;
  if (privy_value_number(decode->value, decode->kind, &decode->text, &number) != PRIVY_OK) privy_rb_raise_memory();
  if (number.type == PRIVY_ABSENT) return Qnil;
  if (number.integral) return convert_integer(number);
  return rb_funcall(rb_mKernel, id_decimal, 1, rb_utf8_str_new(number.text, number.length));
}

/* The value as a number of that kind; text that is not a number stays text. */
static VALUE convert_number(privy_value value, privy_kind kind) {
  if (value.integral && kind != PRIVY_KIND_MONEY) return convert_integer(value);
  struct decode decode = {.value = value, .kind = kind};
  VALUE number = rb_ensure(number_body, (VALUE)&decode, decode_clean, (VALUE)&decode);
  return NIL_P(number) ? convert_string(value) : number;
}

/* Most arrays and objects have fewer elements or members: those are added at once. */
#define FEW 8

static VALUE convert_array(privy_value value) {
  privy_cursor cursor;
  privy_value key, element;
  VALUE first[FEW];
  long count = 0;
  privy_cursor_init(&cursor, value);
  while (count < FEW && privy_cursor_next(&cursor, &key, &element)) first[count++] = privy_rb_convert(element);
  VALUE array = rb_ary_new_from_values(count, first);
  while (count == FEW && privy_cursor_next(&cursor, &key, &element)) rb_ary_push(array, privy_rb_convert(element));
  return rb_obj_freeze(array);
}

static VALUE convert_object(privy_value value) {
  privy_cursor cursor;
  privy_value key, member;
  VALUE first[2 * FEW];
  long count = 0;
  privy_cursor_init(&cursor, value);
  while (count < 2 * FEW && privy_cursor_next(&cursor, &key, &member)) {
    first[count++] = convert_name(key);
    first[count++] = privy_rb_convert(member);
  }
  VALUE hash = rb_hash_new();
  rb_hash_bulk_insert(count, first, hash);
  while (count == 2 * FEW && privy_cursor_next(&cursor, &key, &member)) {
    VALUE name = convert_name(key);
    rb_hash_aset(hash, name, privy_rb_convert(member));
  }
  return rb_obj_freeze(hash);
}

VALUE privy_rb_convert(privy_value value) {
  switch ((privy_type)value.type) {
  case PRIVY_ABSENT:
  case PRIVY_NULL: return Qnil;
  case PRIVY_FALSE: return Qfalse;
  case PRIVY_TRUE: return Qtrue;
  case PRIVY_NUMBER: return convert_number(value, PRIVY_KIND_ANY);
  case PRIVY_STRING: return convert_string(value);
  case PRIVY_ARRAY: return convert_array(value);
  case PRIVY_OBJECT: return convert_object(value);
  }
  return Qnil;
}

static VALUE convert_time(privy_value value) {
  privy_time time;
  return privy_value_time(value, &time) ? privy_rb_time(time.seconds, time.nanos) : privy_rb_convert(value);
}

static VALUE convert_enum(privy_value value, const privy_enum *enum_values) {
  if (value.type != PRIVY_STRING) return privy_rb_convert(value);
  if (value.enum_value == 0) return convert_name(value);
  const char *name = privy_enum_value(enum_values, value.enum_value - 1u);
  return rb_enc_interned_str(name, (long)strlen(name), rb_utf8_encoding());
}

VALUE privy_rb_convert_field(privy_value value, const privy_field_info *field) {
  bool money = field->kind == PRIVY_KIND_MONEY && value.type == PRIVY_STRING;
  if (value.type == PRIVY_NUMBER || money) return convert_number(value, field->kind);
  switch (field->kind) {
  case PRIVY_KIND_TIME: return convert_time(value);
  case PRIVY_KIND_ENUM: return convert_enum(value, field->enum_values);
  default: return privy_rb_convert(value);
  }
}

struct parse {
  VALUE text;
  int status; /* of the response with this body; 0: no response */
  privy_error error;
};

static VALUE parse_body(VALUE argument) {
  struct parse *parse = (struct parse *)argument;
  const char *text = RSTRING_PTR(parse->text);
  size_t length = (size_t)RSTRING_LEN(parse->text);
  privy_value value;
  privy_status status = privy_value_parse(text, length, &value, &parse->error);
  if (status == PRIVY_OK) return privy_rb_convert(value);
  if (status != PRIVY_NO_MEMORY && parse->status == 0) return Qnil;
  if (status != PRIVY_NO_MEMORY) status = privy_json_refuse(parse->status, text, length, &parse->error);
  privy_rb_check(status, &parse->error);
  return Qnil;
}

static VALUE parse_clean(VALUE argument) {
  privy_error_clear(&((struct parse *)argument)->error);
  return Qnil;
}

static VALUE parse_text(VALUE text, int status) {
  struct parse parse = {.text = rb_str_new_frozen(StringValue(text)), .status = status};
  privy_error_init(&parse.error);
  VALUE result = rb_ensure(parse_body, (VALUE)&parse, parse_clean, (VALUE)&parse);
  RB_GC_GUARD(parse.text);
  return result;
}

/* parse(text) → its value, nil when the text is not JSON */
static VALUE core_parse(VALUE self, VALUE text) {
  (void)self;
  return parse_text(text, 0);
}

/* read_json(status, body) → the value of a response's body; raises Privy::APIStatusError when it is not JSON */
static VALUE core_read_json(VALUE self, VALUE status, VALUE body) {
  (void)self;
  return parse_text(body, NUM2INT(status));
}

void privy_rb_init_convert(void) {
  id_decimal = rb_intern("BigDecimal");
  rb_define_module_function(privy_rb_core, "parse", core_parse, 1);
  rb_define_module_function(privy_rb_core, "read_json", core_read_json, 2);
}
