#include "binding.h"

#include <string.h>

/* What the core lets be shown of texts and answers: masked texts, header fields, the beginning of a body. */

struct shown {
  const privy_response *response;
  VALUE text;
  privy_buffer out;
};

static VALUE as_string(struct shown *shown, privy_status status) {
  if (status != PRIVY_OK) privy_rb_raise_memory();
  return rb_obj_freeze(rb_utf8_str_new(shown->out.length ? shown->out.data : "", (long)shown->out.length));
}

static VALUE mask_body(VALUE argument) {
  struct shown *shown = (struct shown *)argument;
  return as_string(shown, privy_mask(RSTRING_PTR(shown->text), (size_t)RSTRING_LEN(shown->text), &shown->out));
}

static VALUE fields_body(VALUE argument) {
  struct shown *shown = (struct shown *)argument;
  return as_string(shown, privy_response_fields(shown->response, &shown->out));
}

static VALUE excerpt_body(VALUE argument) {
  struct shown *shown = (struct shown *)argument;
  return as_string(shown, privy_response_excerpt(shown->response, &shown->out));
}

static VALUE clean(VALUE argument) {
  privy_buffer_clear(&((struct shown *)argument)->out);
  return Qnil;
}

static VALUE show(VALUE (*body)(VALUE), const privy_response *response, VALUE text) {
  struct shown shown = {response, text, PRIVY_BUFFER_EMPTY};
  VALUE string = rb_ensure(body, (VALUE)&shown, clean, (VALUE)&shown);
  RB_GC_GUARD(text);
  return string;
}

VALUE privy_rb_excerpt(const privy_response *response) {
  return show(excerpt_body, response, Qnil);
}

/* The text up to the next NUL from `*at` on, which moves past it. */
static VALUE next_text(VALUE fields, long *at) {
  const char *text = RSTRING_PTR(fields) + *at;
  long length = (long)strlen(text);
  *at += length + 1;
  return rb_utf8_str_new(text, length);
}

VALUE privy_rb_headers(const privy_response *response) {
  VALUE headers = rb_hash_new(), fields = show(fields_body, response, Qnil);
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
  return show(mask_body, NULL, rb_str_new_frozen(StringValue(text)));
}

void privy_rb_init_shown(void) {
  rb_define_module_function(privy_rb_core, "mask", core_mask, 1);
}
