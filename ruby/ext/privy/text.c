#include "binding.h"

#include <math.h>
#include <string.h>

/* Text and times of the core as Ruby objects: C strings, bytes from the network, header fields, excerpts, masks. */

VALUE privy_rb_text(const char *text) {
  return text == NULL ? Qnil : rb_obj_freeze(rb_utf8_str_new_cstr(text));
}

VALUE privy_rb_clean_text(const char *bytes, size_t length) {
  VALUE text = rb_utf8_str_new(length == 0 ? "" : bytes, (long)length);
  VALUE scrubbed = rb_str_scrub(text, Qnil);
  return rb_obj_freeze(NIL_P(scrubbed) ? text : scrubbed);
}

VALUE privy_rb_time(time_t seconds, long nanos) {
  struct timespec instant = {.tv_sec = seconds, .tv_nsec = nanos};
  return rb_obj_freeze(rb_time_timespec_new(&instant, INT_MAX - 1)); /* this offset means UTC */
}

VALUE privy_rb_instant(double seconds) {
  if (seconds == 0) return Qnil;
  int64_t micros = (int64_t)floor(seconds * 1e6 + 0.5);
  return privy_rb_time(micros / 1000000, (int32_t)(micros % 1000000) * 1000);
}

/* ---- text that the core writes into a buffer ---- */

struct output {
  const privy_response *response;
  VALUE text;
  privy_buffer out;
};

static VALUE as_string(struct output *output, privy_status status) {
  if (status != PRIVY_OK) privy_rb_raise_memory();
  return rb_obj_freeze(rb_utf8_str_new(output->out.length ? output->out.data : "", (long)output->out.length));
}

static VALUE mask_body(VALUE argument) {
  struct output *output = (struct output *)argument;
  return as_string(output, privy_mask(RSTRING_PTR(output->text), (size_t)RSTRING_LEN(output->text), &output->out));
}

static VALUE fields_body(VALUE argument) {
  struct output *output = (struct output *)argument;
  return as_string(output, privy_response_fields(output->response, &output->out));
}

static VALUE excerpt_body(VALUE argument) {
  struct output *output = (struct output *)argument;
  return as_string(output, privy_response_excerpt(output->response, &output->out));
}

static VALUE clean(VALUE argument) {
  privy_buffer_clear(&((struct output *)argument)->out);
  return Qnil;
}

static VALUE write_text(VALUE (*body)(VALUE), const privy_response *response, VALUE text) {
  struct output output = {response, text, PRIVY_BUFFER_EMPTY};
  VALUE string = rb_ensure(body, (VALUE)&output, clean, (VALUE)&output);
  RB_GC_GUARD(text);
  return string;
}

VALUE privy_rb_excerpt(const privy_response *response) {
  return write_text(excerpt_body, response, Qnil);
}

/* The text from `*at` up to the next NUL; advances `*at` past the NUL. */
static VALUE next_text(VALUE fields, long *at) {
  const char *text = RSTRING_PTR(fields) + *at;
  long length = (long)strlen(text);
  *at += length + 1;
  return rb_utf8_str_new(text, length);
}

VALUE privy_rb_headers(const privy_response *response) {
  VALUE headers = rb_hash_new(), fields = write_text(fields_body, response, Qnil);
  for (long at = 0; at < RSTRING_LEN(fields);) {
    VALUE name = rb_funcall(next_text(fields, &at), rb_intern("downcase"), 0);
    rb_hash_aset(headers, rb_obj_freeze(name), rb_obj_freeze(next_text(fields, &at)));
  }
  RB_GC_GUARD(fields);
  return rb_obj_freeze(headers);
}

/* mask(text) → the text with e-mail addresses and phone numbers masked */
static VALUE core_mask(VALUE self, VALUE text) {
  (void)self;
  return write_text(mask_body, NULL, rb_str_new_frozen(StringValue(text)));
}

/* instant(text) → seconds since 1970 of an ISO 8601 date-time with Z or an offset; nil for any other text */
static VALUE core_instant(VALUE self, VALUE text) {
  privy_time time;
  (void)self;
  StringValue(text);
  const bool known = privy_time_parse(RSTRING_PTR(text), (size_t)RSTRING_LEN(text), &time);
  RB_GC_GUARD(text);
  return known ? DBL2NUM((double)time.seconds + time.nanos / 1e9) : Qnil;
}

void privy_rb_init_text(void) {
  rb_define_module_function(privy_rb_core, "mask", core_mask, 1);
  rb_define_module_function(privy_rb_core, "instant", core_instant, 1);
}
