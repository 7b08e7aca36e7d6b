#include "binding.h"

#include <time.h>

/* Deeper than any JSON that the core reads or sends. */
#define DEEPEST 128

struct walk {
  privy_request *request;
  VALUE within[DEEPEST]; /* the containers that we stand in: a cycle is one that comes twice */
  size_t depth;
};

static VALUE decimal_class;
static ID id_exponent, id_to_s, id_to_i, id_to_time;

static void walk_value(struct walk *walk, VALUE value);

/* The String in UTF-8, of a String or Symbol; false when it cannot be told in UTF-8. Wrong bytes in a String that
 * claims to be UTF-8 pass: the core finds them and names the field. */
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

static void refuse(privy_request *request, VALUE message) {
  privy_request_refuse(request, StringValueCStr(message));
  RB_GC_GUARD(message);
}

static void walk_text(privy_request *request, VALUE value) {
  VALUE text;
  if (text_of(value, &text)) {
    privy_request_string(request, RSTRING_PTR(text), (size_t)RSTRING_LEN(text));
    RB_GC_GUARD(text);
  } else {
    refuse(request, rb_sprintf("is text in %" PRIsVALUE " that cannot be told in UTF-8", rb_obj_encoding(value)));
  }
}

static void walk_digits(privy_request *request, VALUE text) {
  privy_request_number(request, RSTRING_PTR(text), (size_t)RSTRING_LEN(text));
  RB_GC_GUARD(text);
}

static void walk_decimal(privy_request *request, VALUE value) {
  long exponent = NUM2LONG(rb_funcall(value, id_exponent, 0));
  bool plain = exponent > -100 && exponent < 100;
  VALUE text = plain ? rb_funcall(value, id_to_s, 1, rb_str_new_cstr("F")) : rb_funcall(value, id_to_s, 0);
  long length = RSTRING_LEN(text);
  const char *digits = RSTRING_PTR(text);
  if (plain && length > 2 && digits[length - 1] == '0' && digits[length - 2] == '.') length -= 2;
  privy_request_number(request, digits, (size_t)length);
  RB_GC_GUARD(text);
}

/* Appends ".123" for 123000000 nanoseconds, nothing for 0. */
static int format_fraction(char *text, size_t size, long nanos) {
  if (nanos == 0) return 0;
  int length = snprintf(text, size, ".%09ld", nanos);
  while (length > 0 && text[length - 1] == '0') length--;
  return length;
}

static void walk_time(privy_request *request, VALUE value) {
  char text[64];
  struct tm utc;
  if (!FIXNUM_P(rb_funcall(value, id_to_i, 0))) {
    privy_request_refuse(request, "is a time out of range");
    return;
  }
  struct timespec instant = rb_time_timespec(value);
  if (gmtime_r(&instant.tv_sec, &utc) == NULL) {
    privy_request_refuse(request, "is a time out of range");
    return;
  }
  int length = snprintf(text, sizeof text - 16, "%04ld-%02d-%02dT%02d:%02d:%02d", 1900L + utc.tm_year, utc.tm_mon + 1,
                        utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
  length += format_fraction(text + length, sizeof text - (size_t)length, instant.tv_nsec);
  text[length++] = 'Z';
  privy_request_string(request, text, (size_t)length);
}

/* True for an instance of the class, if the program has loaded it. */
static bool is_a(VALUE value, const char *name) {
  ID id = rb_intern(name);
  if (!rb_const_defined(rb_cObject, id)) return false;
  return RTEST(rb_obj_is_kind_of(value, rb_const_get(rb_cObject, id)));
}

/* Times of other classes (DateTime, a framework's time with zone) know how to become a Time; a Date would take the
 * machine's zone, which nobody asked for. */
static void walk_other(privy_request *request, VALUE value) {
  if (RTEST(rb_obj_is_kind_of(value, decimal_class))) {
    walk_decimal(request, value);
    return;
  }
  if (RTEST(rb_obj_is_kind_of(value, rb_cTime))) {
    walk_time(request, value);
    return;
  }
  if (is_a(value, "Date") && !is_a(value, "DateTime")) {
    privy_request_refuse(request, "is a date without time and zone: give a Time");
    return;
  }
  if (rb_respond_to(value, id_to_time)) {
    VALUE time = rb_funcall(value, id_to_time, 0);
    if (RTEST(rb_obj_is_kind_of(time, rb_cTime))) {
      walk_time(request, time);
      return;
    }
  }
  refuse(request, rb_sprintf("is a %" PRIsVALUE ", which JSON cannot tell", rb_obj_class(value)));
}

/* False, with the value refused, when the container cannot be entered. */
static bool enter(struct walk *walk, VALUE container) {
  rb_thread_check_ints();
  for (size_t index = 0; index < walk->depth; index++) {
    if (walk->within[index] == container) {
      privy_request_refuse(walk->request, "contains itself");
      return false;
    }
  }
  if (walk->depth == DEEPEST) {
    privy_request_refuse(walk->request, "is nested too deeply");
    return false;
  }
  walk->within[walk->depth++] = container;
  return true;
}

static void walk_array(struct walk *walk, VALUE array) {
  if (!enter(walk, array)) return;
  privy_request_begin_array(walk->request);
  for (long index = 0; index < RARRAY_LEN(array); index++) walk_value(walk, rb_ary_entry(array, index));
  privy_request_end_array(walk->request);
  walk->depth--;
}

struct key_check {
  VALUE hash;
  VALUE fault; /* message, or nil */
};

static int check_key(VALUE key, VALUE value, VALUE argument) {
  struct key_check *check = (struct key_check *)argument;
  VALUE text;
  (void)value;
  if (!SYMBOL_P(key) && !RB_TYPE_P(key, T_STRING)) {
    check->fault = rb_sprintf("has a key that is neither String nor Symbol but %" PRIsVALUE, rb_obj_class(key));
  } else if (!text_of(key, &text)) {
    check->fault = rb_sprintf("has a key in %" PRIsVALUE " that cannot be told in UTF-8", rb_obj_encoding(key));
  } else if (SYMBOL_P(key) && rb_hash_lookup2(check->hash, rb_sym2str(key), Qundef) != Qundef) {
    check->fault = rb_sprintf("has the key %" PRIsVALUE " as String and as Symbol", rb_sym2str(key));
  }
  return NIL_P(check->fault) ? ST_CONTINUE : ST_STOP;
}

/* What is wrong with the keys of the Hash, nil when nothing is. */
static VALUE keys_fault(VALUE hash) {
  struct key_check check = {hash, Qnil};
  rb_hash_foreach(hash, check_key, (VALUE)&check);
  return check.fault;
}

static int walk_member(VALUE key, VALUE value, VALUE argument) {
  struct walk *walk = (struct walk *)argument;
  VALUE text;
  if (value == privy_rb_omit && walk->depth == 0) return ST_CONTINUE;
  if (!text_of(key, &text)) return ST_CONTINUE;
  privy_request_key(walk->request, RSTRING_PTR(text), (size_t)RSTRING_LEN(text));
  RB_GC_GUARD(text);
  walk_value(walk, value);
  return ST_CONTINUE;
}

static void walk_hash(struct walk *walk, VALUE hash) {
  if (!enter(walk, hash)) return;
  VALUE fault = keys_fault(hash);
  if (NIL_P(fault)) {
    privy_request_begin_object(walk->request);
    rb_hash_foreach(hash, walk_member, (VALUE)walk);
    privy_request_end_object(walk->request);
  } else {
    refuse(walk->request, fault);
  }
  walk->depth--;
}

static void walk_value(struct walk *walk, VALUE value) {
  privy_request *request = walk->request;
  switch (rb_type(value)) {
  case T_NIL: privy_request_null(request); break;
  case T_TRUE: privy_request_boolean(request, true); break;
  case T_FALSE: privy_request_boolean(request, false); break;
  case T_FIXNUM: privy_request_integer(request, FIX2LONG(value)); break;
  case T_BIGNUM: walk_digits(request, rb_big2str(value, 10)); break;
  case T_FLOAT: walk_digits(request, rb_funcall(value, id_to_s, 0)); break;
  case T_STRING:
  case T_SYMBOL: walk_text(request, value); break;
  case T_ARRAY: walk_array(walk, value); break;
  case T_HASH: walk_hash(walk, value); break;
  default: walk_other(request, value);
  }
}

void privy_rb_walk_value(privy_request *request, VALUE value) {
  struct walk walk = {.request = request};
  walk_value(&walk, value);
}

void privy_rb_walk_members(privy_request *request, VALUE hash) {
  struct walk walk = {.request = request};
  Check_Type(hash, T_HASH);
  VALUE fault = keys_fault(hash);
  if (!NIL_P(fault)) rb_raise(rb_eArgError, "the Hash %" PRIsVALUE, fault);
  rb_hash_foreach(hash, walk_member, (VALUE)&walk);
}

void privy_rb_init_walk(void) {
  decimal_class = rb_const_get(rb_cObject, rb_intern("BigDecimal"));
  rb_gc_register_mark_object(decimal_class);
  id_exponent = rb_intern("exponent");
  id_to_s = rb_intern("to_s");
  id_to_i = rb_intern("to_i");
  id_to_time = rb_intern("to_time");
}
