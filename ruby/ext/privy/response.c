#include "binding.h"

/* The result of a call: a record, a Page, a Response or nil. */

/* The complete body: UTF-8 when it is valid UTF-8, else binary. */
static VALUE complete_body(const privy_response *response) {
  size_t length = 0;
  const char *body = privy_response_body(response, &length);
  VALUE text = rb_utf8_str_new(body, (long)length);
  if (rb_enc_str_coderange(text) == ENC_CODERANGE_BROKEN) rb_enc_associate(text, rb_ascii8bit_encoding());
  return rb_obj_freeze(text);
}

static VALUE response_new(privy_response *response) {
  VALUE arguments[] = {INT2NUM(privy_response_status(response)), privy_rb_headers(response), complete_body(response)};
  return rb_class_new_instance(3, arguments, rb_const_get(privy_rb_module, rb_intern("Response")));
}

VALUE privy_rb_result(const privy_operation *operation, privy_response *response) {
  if (operation == NULL) return response_new(response);
  if (privy_operation_paged(operation)) return privy_rb_page_new(response);
  if (privy_response_count(response) == 0) return Qnil;
  return privy_rb_record_new(response, privy_response_record(response, 0));
}
