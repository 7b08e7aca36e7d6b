/*
 * The two halves of a call without the call between them, for measuring: a body of bytes into a page, parameters into a
 * body of bytes. It is compiled into a copy of the extension and uses what the extension's own calls use.
 */
#include "binding.h"

#include <string.h>

struct page {
  const privy_operation *operation;
  VALUE text;
  privy_response *response;
  privy_error error;
};

static VALUE page_body(VALUE argument) {
  struct page *page = (struct page *)argument;
  size_t length = (size_t)RSTRING_LEN(page->text);
  privy_buffer body = {privy_alloc(length + 1), length, length + 1};
  if (body.data == NULL) privy_rb_raise_memory();
  memcpy(body.data, RSTRING_PTR(page->text), length);
  privy_rb_check(privy_response_parse(page->operation, 200, "", 0, &body, &page->response, &page->error), &page->error);
  return privy_rb_result(page->operation, page->response);
}

static VALUE page_clean(VALUE argument) {
  struct page *page = (struct page *)argument;
  privy_response_release(page->response);
  privy_error_clear(&page->error);
  return Qnil;
}

/* page(operation, text): what a call of the operation returns for this response. */
static VALUE probe_page(VALUE self, VALUE name, VALUE text) {
  (void)self;
  struct page page = {.operation = privy_operation_find(StringValueCStr(name)), .text = StringValue(text)};
  privy_error_init(&page.error);
  VALUE result = rb_ensure(page_body, (VALUE)&page, page_clean, (VALUE)&page);
  RB_GC_GUARD(text);
  return result;
}

struct request {
  privy_rb_call_spec spec;
  privy_request *request;
  privy_error error;
};

static VALUE request_body(VALUE argument) {
  struct request *asked = (struct request *)argument;
  size_t length = 0;
  privy_rb_call_spec_build(&asked->spec, &asked->request);
  privy_rb_check(privy_request_finish(asked->request, &asked->error), &asked->error);
  const char *body = privy_request_body(asked->request, &length);
  return rb_utf8_str_new(body, (long)length);
}

static VALUE request_clean(VALUE argument) {
  struct request *asked = (struct request *)argument;
  privy_request_free(asked->request);
  privy_error_clear(&asked->error);
  return Qnil;
}

/* body(operation, params, extra): what a call with these parameters sends. */
static VALUE probe_body(VALUE self, VALUE name, VALUE params, VALUE extra) {
  (void)self;
  struct request asked = {.spec = privy_rb_call_spec_of(name, params, extra, Qnil)};
  privy_error_init(&asked.error);
  VALUE result = rb_ensure(request_body, (VALUE)&asked, request_clean, (VALUE)&asked);
  RB_GC_GUARD(params);
  RB_GC_GUARD(extra);
  return result;
}

/* The macro DEFS renames the extension's own Init_core to this. */
void Init_core(void);
#undef Init_core
void Init_core(void);

RUBY_FUNC_EXPORTED void Init_core(void) {
  Init_core_itself();
  VALUE module = rb_define_module_under(privy_rb_module, "Probe");
  rb_define_module_function(module, "page", probe_page, 2);
  rb_define_module_function(module, "body", probe_body, 3);
}
