#include "binding.h"

#include <string.h>
#include <time.h>

/* More than the depth of any JSON that the core reads or sends. */
#define DEEPEST 128

struct encoder {
  privy_request *request;
  VALUE within[DEEPEST]; /* the open containers: one that is entered twice is a cycle */
  size_t depth;
};

static VALUE decimal_class;
static VALUE serializable; /* Privy::Serializable */
static VALUE masked;       /* { Exception => :never } */
static ID id_exponent, id_to_s, id_to_a, id_to_h, id_to_ary, id_to_hash, id_to_str, id_to_time, id_strftime, id_as_json,
    id_own_json, id_handle_interrupt;

static void encode_value(struct encoder *encoder, VALUE value);
static void encode_array(struct encoder *encoder, VALUE array);
static void encode_hash(struct encoder *encoder, VALUE hash);

/* A String or Symbol as a UTF-8 String; false when it cannot be converted. Invalid bytes in a UTF-8 String pass: the
 * core finds them and names the field. */
static bool text_of(VALUE value, VALUE *out) {
  VALUE string = SYMBOL_P(value) ? rb_sym2str(value) : value;
  rb_encoding *utf8 = rb_utf8_encoding();
  rb_encoding *encoding = rb_enc_get(string);
  if (encoding != utf8 && !rb_enc_str_asciionly_p(string)) {
    string = rb_str_conv_enc(string, encoding, utf8);
    if (rb_enc_get(string) != utf8) return false;
  }
  *out = string;
  return true;
}

/* Reports the value as invalid. A NUL would end the message early. */
static void refuse(privy_request *request, privy_detail_code code, VALUE message) {
  if (memchr(RSTRING_PTR(message), '\0', (size_t)RSTRING_LEN(message)) != NULL) message = rb_str_inspect(message);
  privy_request_refuse(request, code, StringValueCStr(message));
  RB_GC_GUARD(message);
}

static void encode_text(privy_request *request, VALUE value) {
  VALUE text;
  if (text_of(value, &text)) {
    privy_request_string(request, RSTRING_PTR(text), (size_t)RSTRING_LEN(text));
    RB_GC_GUARD(text);
  } else {
    refuse(request, PRIVY_CODE_INVALID_ENCODING,
           rb_sprintf("is text in %" PRIsVALUE " that cannot be converted to UTF-8", rb_obj_encoding(value)));
  }
}

/* A number from its text. A Ruby method returned the text, so that it may be any object. */
static void encode_digits(privy_request *request, VALUE text) {
  if (!RB_TYPE_P(text, T_STRING)) {
    refuse(request, PRIVY_CODE_CONVERSION_FAILED,
           rb_sprintf("is a number whose to_s returns a %" PRIsVALUE, rb_class_name(rb_obj_class(text))));
    return;
  }
  privy_request_number(request, RSTRING_PTR(text), (size_t)RSTRING_LEN(text));
  RB_GC_GUARD(text);
}

/* "95" for 95.0 */
static VALUE without_zero(VALUE text) {
  if (!RB_TYPE_P(text, T_STRING)) return text;
  long length = RSTRING_LEN(text);
  const char *digits = RSTRING_PTR(text);
  bool ends = length > 2 && digits[length - 1] == '0' && digits[length - 2] == '.';
  return ends ? rb_str_new(digits, length - 2) : text;
}

static void encode_decimal(privy_request *request, VALUE value) {
  VALUE exponent = rb_funcall(value, id_exponent, 0);
  bool plain = FIXNUM_P(exponent) && FIX2LONG(exponent) > -100 && FIX2LONG(exponent) < 100;
  if (plain)
    encode_digits(request, without_zero(rb_funcall(value, id_to_s, 1, rb_str_new_cstr("F"))));
  else
    encode_digits(request, rb_funcall(value, id_to_s, 0));
}

/* ---- times ---- */

/* Appends ".123" for 123000000 nanoseconds, nothing for 0. */
static int format_fraction(char *text, size_t size, long nanos) {
  if (nanos == 0) return 0;
  int length = snprintf(text, size, ".%09ld", nanos);
  while (length > 0 && text[length - 1] == '0') length--;
  return length;
}

struct instant {
  VALUE time;
  struct timespec value;
};

static VALUE instant_body(VALUE argument) {
  struct instant *instant = (struct instant *)argument;
  instant->value = rb_time_timespec(instant->time);
  return Qtrue;
}

static VALUE instant_rescue(VALUE argument, VALUE error) {
  (void)argument, (void)error;
  return Qfalse;
}

static void encode_time(privy_request *request, VALUE value) {
  char text[64];
  struct tm utc;
  struct instant instant = {.time = value};
  VALUE known = rb_rescue2(instant_body, (VALUE)&instant, instant_rescue, Qnil, rb_eStandardError, (VALUE)0);
  if (!RTEST(known) || gmtime_r(&instant.value.tv_sec, &utc) == NULL) {
    privy_request_refuse(request, PRIVY_CODE_INVALID_TIME, "is a time out of range");
    return;
  }
  int length = snprintf(text, sizeof text - 16, "%04ld-%02d-%02dT%02d:%02d:%02d", 1900L + utc.tm_year, utc.tm_mon + 1,
                        utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
  length += format_fraction(text + length, sizeof text - (size_t)length, instant.value.tv_nsec);
  text[length++] = 'Z';
  privy_request_time(request, text, (size_t)length);
}

/* ---- objects of other classes ---- */

/* Whether the value is an instance of the class; false when the class is not loaded. */
static bool is_a(VALUE value, const char *name) {
  ID id = rb_intern(name);
  if (!rb_const_defined(rb_cObject, id)) return false;
  VALUE klass = rb_const_get(rb_cObject, id);
  return RB_TYPE_P(klass, T_CLASS) && RTEST(rb_obj_is_kind_of(value, klass));
}

/* A value of another class, and what it converts to: a Hash, an Array, text, a time, or what as_json returns. */
struct conversion {
  VALUE value, result, error;
};

/* The method's result if it is of that type, else nil. */
static VALUE converted_by(VALUE value, ID method, int type) {
  if (!rb_respond_to(value, method)) return Qnil;
  VALUE result = rb_funcall(value, method, 0);
  return RB_TYPE_P(result, type) ? result : Qnil;
}

/* Ruby's implicit conversions to a Hash, an Array or text. */
static VALUE convert_implicitly(VALUE value) {
  VALUE result = converted_by(value, id_to_hash, T_HASH);
  if (NIL_P(result)) result = converted_by(value, id_to_ary, T_ARRAY);
  if (NIL_P(result)) result = converted_by(value, id_to_str, T_STRING);
  return result;
}

/* DateTime, ActiveSupport::TimeWithZone. */
static VALUE convert_time(VALUE value) {
  if (!rb_respond_to(value, id_to_time)) return Qnil;
  VALUE time = rb_funcall(value, id_to_time, 0);
  return RTEST(rb_obj_is_kind_of(time, rb_cTime)) ? time : Qnil;
}

/* A Struct and other objects with members. The to_h of an Enumerable is not meant. */
static VALUE convert_members(VALUE value) {
  bool has_members = RTEST(rb_obj_is_kind_of(value, rb_cStruct)) || !RTEST(rb_obj_is_kind_of(value, rb_mEnumerable));
  if (has_members && !RTEST(rb_obj_is_kind_of(value, rb_cNumeric))) return converted_by(value, id_to_h, T_HASH);
  return is_a(value, "Set") ? converted_by(value, id_to_a, T_ARRAY) : Qnil;
}

/* What a class defines as its JSON, such as a number of seconds for ActiveSupport::Duration. */
static VALUE convert_own_json(VALUE value) {
  return rb_respond_to(value, id_as_json) ? rb_funcall(serializable, id_own_json, 1, value) : Qnil;
}

static VALUE convert_body(VALUE argument) {
  struct conversion *conversion = (struct conversion *)argument;
  VALUE result = convert_implicitly(conversion->value);
  if (NIL_P(result)) result = convert_time(conversion->value);
  if (NIL_P(result)) result = convert_members(conversion->value);
  if (NIL_P(result)) result = convert_own_json(conversion->value);
  conversion->result = result;
  return Qnil;
}

static VALUE convert_rescue(VALUE argument, VALUE error) {
  ((struct conversion *)argument)->error = error;
  return Qnil;
}

static VALUE convert_masked(VALUE argument) {
  return rb_rescue2(convert_body, argument, convert_rescue, argument, rb_eStandardError, (VALUE)0);
}

struct masked {
  VALUE (*function)(VALUE);
  VALUE argument;
};

static VALUE call_masked(RB_BLOCK_CALL_FUNC_ARGLIST(yielded, argument)) {
  const struct masked *call = (const struct masked *)argument;
  (void)yielded, (void)argc, (void)argv, (void)blockarg;
  return call->function(call->argument);
}

void privy_rb_masked(VALUE (*function)(VALUE), VALUE argument) {
  struct masked call = {function, argument};
  rb_block_call(rb_cThread, id_handle_interrupt, 1, &masked, call_masked, (VALUE)&call);
}

/* An exception of the value's own methods makes the value invalid. Exceptions of other threads are deferred. */
static struct conversion convert(VALUE value) {
  struct conversion conversion = {value, Qnil, Qnil};
  privy_rb_masked(convert_masked, (VALUE)&conversion);
  return conversion;
}

static void refuse_conversion(privy_request *request, VALUE value, VALUE error) {
  VALUE klass = rb_class_name(rb_obj_class(value)), raised = NIL_P(error) ? Qnil : rb_class_name(rb_obj_class(error));
  if (NIL_P(error))
    privy_request_other(request, StringValueCStr(klass));
  else
    privy_request_raised(request, StringValueCStr(klass), StringValueCStr(raised));
  RB_GC_GUARD(klass);
  RB_GC_GUARD(raised);
}

/* A time or a decimal; another object is not converted again. */
static void encode_object(struct encoder *encoder, VALUE value, VALUE result) {
  if (RTEST(rb_obj_is_kind_of(result, rb_cTime)))
    encode_time(encoder->request, result);
  else if (RTEST(rb_obj_is_kind_of(result, decimal_class)))
    encode_decimal(encoder->request, result);
  else
    refuse_conversion(encoder->request, value, Qnil);
}

static void encode_converted(struct encoder *encoder, VALUE value) {
  struct conversion conversion = convert(value);
  switch (rb_type(conversion.result)) {
  case T_NIL: refuse_conversion(encoder->request, value, conversion.error); break;
  case T_OBJECT:
  case T_DATA: encode_object(encoder, value, conversion.result); break;
  default: encode_value(encoder, conversion.result);
  }
  RB_GC_GUARD(conversion.result);
}

static void encode_date(privy_request *request, VALUE value) {
  VALUE text = rb_funcall(value, id_strftime, 1, rb_str_new_cstr("%F"));
  if (RB_TYPE_P(text, T_STRING))
    privy_request_date(request, RSTRING_PTR(text), (size_t)RSTRING_LEN(text));
  else
    privy_request_refuse(request, PRIVY_CODE_CONVERSION_FAILED, "is a date whose strftime does not return a String");
  RB_GC_GUARD(text);
}

/* A Date is not converted to Time, which would add the machine's time zone. */
static void encode_other(struct encoder *encoder, VALUE value) {
  if (RTEST(rb_obj_is_kind_of(value, decimal_class)))
    encode_decimal(encoder->request, value);
  else if (RTEST(rb_obj_is_kind_of(value, rb_cTime)))
    encode_time(encoder->request, value);
  else if (is_a(value, "Date") && !is_a(value, "DateTime"))
    encode_date(encoder->request, value);
  else
    encode_converted(encoder, value);
}

/* Enters a container. Returns false when it is invalid: a cycle, or too deep. */
static bool enter(struct encoder *encoder, VALUE container) {
  rb_thread_check_ints();
  for (size_t index = 0; index < encoder->depth; index++) {
    if (encoder->within[index] == container) {
      privy_request_refuse(encoder->request, PRIVY_CODE_CIRCULAR, "contains itself");
      return false;
    }
  }
  if (encoder->depth == DEEPEST) {
    privy_request_refuse(encoder->request, PRIVY_CODE_TOO_DEEP, "is nested too deeply");
    return false;
  }
  encoder->within[encoder->depth++] = container;
  return true;
}

static void encode_array(struct encoder *encoder, VALUE array) {
  if (!enter(encoder, array)) return;
  privy_request_begin_array(encoder->request);
  for (long index = 0; index < RARRAY_LEN(array); index++) encode_value(encoder, rb_ary_entry(array, index));
  privy_request_end_array(encoder->request);
  encoder->depth--;
}

struct members {
  struct encoder *encoder;
  VALUE hash;
};

/* Keys whose text is short: numbers, nil, true, false. */
static bool is_plain(VALUE key) {
  return RB_SPECIAL_CONST_P(key) || RB_FLOAT_TYPE_P(key) || RB_INTEGER_TYPE_P(key);
}

static void refuse_key(privy_request *request, VALUE key) {
  VALUE shown = is_plain(key) ? rb_obj_as_string(key) : rb_class_name(rb_obj_class(key));
  if (NIL_P(key))
    privy_request_no_key(request, NULL, 0);
  else
    privy_request_no_key(request, RSTRING_PTR(shown), (size_t)RSTRING_LEN(shown));
  RB_GC_GUARD(shown);
}

static void encode_key(privy_request *request, VALUE text) {
  privy_request_key(request, RSTRING_PTR(text), (size_t)RSTRING_LEN(text));
  RB_GC_GUARD(text);
}

static int encode_member(VALUE key, VALUE value, VALUE argument) {
  struct members *members = (struct members *)argument;
  privy_request *request = members->encoder->request;
  VALUE text;
  if (value == privy_rb_omit && members->encoder->depth == 0) return ST_CONTINUE;
  if (!SYMBOL_P(key) && !RB_TYPE_P(key, T_STRING)) {
    refuse_key(request, key);
  } else if (!text_of(key, &text)) {
    encode_key(request, rb_inspect(key));
    refuse(request, PRIVY_CODE_INVALID_ENCODING,
           rb_sprintf("has a name in %" PRIsVALUE " that cannot be converted to UTF-8", rb_obj_encoding(key)));
  } else if (SYMBOL_P(key) && rb_hash_lookup2(members->hash, text, Qundef) != Qundef) {
    encode_key(request, text);
    privy_request_refuse(request, PRIVY_CODE_REPEATED, "is given twice: as String and as Symbol");
  } else {
    encode_key(request, text);
    encode_value(members->encoder, value);
  }
  return ST_CONTINUE;
}

static void encode_members(struct encoder *encoder, VALUE hash) {
  struct members members = {encoder, hash};
  rb_hash_foreach(hash, encode_member, (VALUE)&members);
}

static void encode_hash(struct encoder *encoder, VALUE hash) {
  if (!enter(encoder, hash)) return;
  privy_request_begin_object(encoder->request);
  encode_members(encoder, hash);
  privy_request_end_object(encoder->request);
  encoder->depth--;
}

static void encode_value(struct encoder *encoder, VALUE value) {
  privy_request *request = encoder->request;
  switch (rb_type(value)) {
  case T_NIL: privy_request_null(request); break;
  case T_TRUE: privy_request_boolean(request, true); break;
  case T_FALSE: privy_request_boolean(request, false); break;
  case T_FIXNUM: privy_request_integer(request, FIX2LONG(value)); break;
  case T_BIGNUM: encode_digits(request, rb_big2str(value, 10)); break;
  case T_FLOAT: encode_digits(request, rb_funcall(value, id_to_s, 0)); break;
  case T_STRING:
  case T_SYMBOL: encode_text(request, value); break;
  case T_ARRAY: encode_array(encoder, value); break;
  case T_HASH: encode_hash(encoder, value); break;
  default: encode_other(encoder, value);
  }
}

void privy_rb_encode_value(privy_request *request, VALUE value) {
  struct encoder encoder = {.request = request};
  encode_value(&encoder, value);
}

void privy_rb_encode_members(privy_request *request, VALUE hash) {
  struct encoder encoder = {.request = request};
  Check_Type(hash, T_HASH);
  encode_members(&encoder, hash);
}

void privy_rb_init_encode(void) {
  decimal_class = rb_const_get(rb_cObject, rb_intern("BigDecimal"));
  rb_gc_register_mark_object(decimal_class);
  serializable = rb_const_get(privy_rb_module, rb_intern("Serializable"));
  rb_gc_register_mark_object(serializable);
  masked = rb_hash_new();
  rb_hash_aset(masked, rb_eException, ID2SYM(rb_intern("never")));
  rb_gc_register_mark_object(rb_obj_freeze(masked));
  id_exponent = rb_intern("exponent");
  id_to_s = rb_intern("to_s");
  id_to_a = rb_intern("to_a");
  id_to_h = rb_intern("to_h");
  id_to_ary = rb_intern("to_ary");
  id_to_hash = rb_intern("to_hash");
  id_to_str = rb_intern("to_str");
  id_to_time = rb_intern("to_time");
  id_strftime = rb_intern("strftime");
  id_as_json = rb_intern("as_json");
  id_own_json = rb_intern("own_json");
  id_handle_interrupt = rb_intern("handle_interrupt");
}
