#include "binding.h"

#include <stdarg.h>

static ID id_from_core;

const char *privy_rb_error_name(privy_status code) {
  return code == PRIVY_CONFIG_ERROR ? "Error" : privy_error_describe(code)->name;
}

static VALUE error_class(privy_status code) {
  return rb_const_get(privy_rb_module, rb_intern(privy_rb_error_name(code)));
}

void privy_rb_raise_setting(const char *format, ...) {
  va_list list;
  va_start(list, format);
  VALUE message = rb_vsprintf(format, list);
  va_end(list);
  rb_exc_raise(rb_exc_new_str(error_class(PRIVY_CONFIG_ERROR), message));
}

/* The code is a Symbol that is not kept forever: a server may send any number of codes. */
static VALUE detail_of(const privy_detail *detail) {
  VALUE hash = rb_hash_new();
  rb_hash_aset(hash, ID2SYM(rb_intern("field")), privy_rb_text(detail->field));
  rb_hash_aset(hash, ID2SYM(rb_intern("message")), privy_rb_text(detail->message));
  rb_hash_aset(hash, ID2SYM(rb_intern("code")), rb_str_intern(privy_rb_text(detail->code)));
  if (detail->count >= 0) rb_hash_aset(hash, ID2SYM(rb_intern("count")), LL2NUM(detail->count));
  return rb_obj_freeze(hash);
}

VALUE privy_rb_details(const privy_details *details) {
  VALUE list = rb_ary_new();
  for (size_t index = 0; index < details->count; index++) rb_ary_push(list, detail_of(&details->items[index]));
  return rb_obj_freeze(list);
}

/* In the order of Privy::Error::FROM_CORE. */
static VALUE error_values(const privy_error *error) {
  VALUE values = rb_ary_new();
  rb_ary_push(values, privy_rb_text(error->message));
  rb_ary_push(values, privy_rb_details(&error->details));
  rb_ary_push(values, error->http_status == 0 ? Qnil : INT2NUM(error->http_status));
  rb_ary_push(values, privy_rb_text(error->api_code));
  rb_ary_push(values, privy_rb_text(error->method));
  rb_ary_push(values, privy_rb_text(error->path));
  rb_ary_push(values, privy_rb_text(error->request_id));
  rb_ary_push(values, privy_rb_text(error->idempotency_key));
  rb_ary_push(values, error->retryable ? Qtrue : Qfalse);
  rb_ary_push(values, error->retry_after < 0 ? Qnil : DBL2NUM(error->retry_after));
  rb_ary_push(values, privy_rb_instant(error->retry_at));
  rb_ary_push(values, error->may_have_succeeded ? Qtrue : Qfalse);
  rb_ary_push(values, INT2NUM(error->attempts));
  rb_ary_push(values, DBL2NUM(error->waited));
  rb_ary_push(values, error->response == NULL ? Qnil : privy_rb_headers(error->response));
  rb_ary_push(values, error->response == NULL ? Qnil : privy_rb_excerpt(error->response));
  rb_ary_push(values, privy_rb_text(error->contact_id));
  rb_ary_push(values, privy_rb_instant(error->resets_at));
  return values;
}

VALUE privy_rb_exception(const privy_error *error) {
  if (error->code == PRIVY_NO_MEMORY) return privy_rb_memory_exception();
  VALUE klass = error_class(error->code == PRIVY_INTERRUPTED ? PRIVY_CONFIG_ERROR : error->code);
  return rb_funcall(klass, id_from_core, 1, error_values(error));
}

void privy_rb_raise(const privy_error *error) {
  rb_exc_raise(privy_rb_exception(error));
}

void privy_rb_check(privy_status status, const privy_error *error) {
  if (status == PRIVY_OK) return;
  if (status == PRIVY_NO_MEMORY) privy_rb_raise_memory();
  privy_rb_raise(error);
}

void privy_rb_init_errors(void) {
  id_from_core = rb_intern("from_core");
}
