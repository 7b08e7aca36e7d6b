#include "binding.h"

/* The arguments of a call as a request of the core; validation and JSON without a call. */

static void encode_operation(const privy_rb_call_spec *spec, privy_request **out) {
  if (privy_request_new(spec->operation, out) != PRIVY_OK) privy_rb_raise_memory();
  if (spec->omits_nulls) privy_request_omit_nulls(*out);
  privy_rb_encode_members(*out, spec->params);
  if (!NIL_P(spec->extra)) {
    privy_request_extra(*out);
    privy_rb_encode_members(*out, spec->extra);
  }
  if (NIL_P(spec->headers)) return;
  privy_request_header(*out);
  privy_rb_encode_members(*out, spec->headers);
}

static void encode_raw(const privy_rb_call_spec *spec, privy_request **out) {
  VALUE method = spec->method, path = spec->path;
  privy_status status = privy_request_new_raw(RSTRING_PTR(method), (size_t)RSTRING_LEN(method), RSTRING_PTR(path),
                                              (size_t)RSTRING_LEN(path), out);
  if (status != PRIVY_OK) privy_rb_raise_memory();
  if (spec->body != privy_rb_omit) privy_rb_encode_value(*out, spec->body);
  privy_request_query(*out);
  if (!NIL_P(spec->params)) privy_rb_encode_members(*out, spec->params);
  privy_request_header(*out);
  if (!NIL_P(spec->headers)) privy_rb_encode_members(*out, spec->headers);
}

void privy_rb_call_spec_build(const privy_rb_call_spec *spec, privy_request **out) {
  if (spec->operation == NULL)
    encode_raw(spec, out);
  else
    encode_operation(spec, out);
}

/* A Hash, or an object that to_hash converts to one. */
static VALUE hash_or_nil(VALUE value) {
  return NIL_P(value) ? Qnil : rb_convert_type(value, T_HASH, "Hash", "to_hash");
}

const privy_operation *privy_rb_operation(VALUE name) {
  const privy_operation *operation = privy_operation_find(StringValueCStr(name));
  if (operation == NULL) rb_raise(rb_eArgError, "no operation %" PRIsVALUE, name);
  return operation;
}

privy_rb_call_spec privy_rb_call_spec_for(const privy_operation *operation, VALUE params, VALUE extra, VALUE headers) {
  Check_Type(params, T_HASH);
  return (privy_rb_call_spec){
      .operation = operation, .params = params, .extra = hash_or_nil(extra), .headers = hash_or_nil(headers)};
}

privy_rb_call_spec privy_rb_call_spec_of(VALUE name, VALUE params, VALUE extra, VALUE options) {
  VALUE headers = NIL_P(options) ? Qnil : rb_hash_lookup(options, ID2SYM(rb_intern("extra_headers")));
  return privy_rb_call_spec_for(privy_rb_operation(name), params, extra, headers);
}

privy_rb_call_spec privy_rb_call_spec_raw(VALUE method, VALUE path, VALUE params, VALUE headers, VALUE body) {
  privy_rb_call_spec spec = {.params = hash_or_nil(params), .headers = hash_or_nil(headers), .body = body};
  spec.method = rb_str_new_frozen(SYMBOL_P(method) ? rb_sym2str(method) : StringValue(method));
  spec.path = rb_str_new_frozen(StringValue(path));
  return spec;
}

/* ---- JSON of any value: the body of a request that is not sent ---- */

struct generation {
  VALUE value;
  privy_request *request;
  privy_error error;
};

static VALUE generate_body(VALUE argument) {
  struct generation *generation = (struct generation *)argument;
  if (privy_request_new_raw("POST", 4, "/", 1, &generation->request) != PRIVY_OK) privy_rb_raise_memory();
  privy_rb_encode_value(generation->request, generation->value);
  privy_rb_check(privy_request_finish(generation->request, &generation->error), &generation->error);
  size_t length = 0;
  const char *body = privy_request_body(generation->request, &length);
  return rb_utf8_str_new(body, (long)length);
}

static VALUE generate_clean(VALUE argument) {
  struct generation *generation = (struct generation *)argument;
  privy_request_free(generation->request);
  privy_error_clear(&generation->error);
  return Qnil;
}

/* generate(value) → its JSON; raises Privy::ValidationError for a value that JSON cannot represent. */
static VALUE core_generate(VALUE self, VALUE value) {
  struct generation generation = {.value = value};
  (void)self;
  privy_error_init(&generation.error);
  return rb_ensure(generate_body, (VALUE)&generation, generate_clean, (VALUE)&generation);
}

/* ---- validation without a call ---- */

struct validation {
  privy_rb_call_spec spec;
  privy_request *request;
  privy_error error;
};

static VALUE validate_body(VALUE argument) {
  struct validation *validation = (struct validation *)argument;
  encode_operation(&validation->spec, &validation->request);
  privy_status status = privy_request_finish(validation->request, &validation->error);
  if (status != PRIVY_VALIDATION) privy_rb_check(status, &validation->error);
  return privy_rb_details(&validation->error.details);
}

static VALUE validate_clean(VALUE argument) {
  struct validation *validation = (struct validation *)argument;
  privy_request_free(validation->request);
  privy_error_clear(&validation->error);
  return Qnil;
}

/* validate(operation, params, extra, omits_nulls = false) → the details of the ValidationError that a call would raise;
 * empty when it is valid */
static VALUE core_validate(int argc, VALUE *argv, VALUE self) {
  VALUE name, params, extra, omits_nulls;
  rb_scan_args(argc, argv, "31", &name, &params, &extra, &omits_nulls);
  struct validation validation = {.spec = privy_rb_call_spec_of(name, params, extra, Qnil)};
  (void)self;
  validation.spec.omits_nulls = RTEST(omits_nulls);
  privy_error_init(&validation.error);
  VALUE details = rb_ensure(validate_body, (VALUE)&validation, validate_clean, (VALUE)&validation);
  RB_GC_GUARD(params);
  RB_GC_GUARD(validation.spec.extra);
  return details;
}

static VALUE check_headers_body(VALUE argument) {
  struct validation *validation = (struct validation *)argument;
  privy_rb_call_spec_build(&validation->spec, &validation->request);
  privy_rb_check(privy_request_check_headers(validation->request, &validation->error), &validation->error);
  return Qnil;
}

/* check_headers(operation, headers) raises Privy::ValidationError for headers that no request can have. */
static VALUE core_check_headers(VALUE self, VALUE name, VALUE headers) {
  VALUE nothing = rb_hash_new();
  struct validation validation = {.spec = privy_rb_call_spec_for(privy_rb_operation(name), nothing, Qnil, headers)};
  (void)self;
  privy_error_init(&validation.error);
  rb_ensure(check_headers_body, (VALUE)&validation, validate_clean, (VALUE)&validation);
  RB_GC_GUARD(nothing);
  RB_GC_GUARD(validation.spec.headers);
  return Qnil;
}

/* ---- one error for many rows ---- */

struct refusal {
  VALUE details;
  uint64_t total;
  privy_error error;
};

static VALUE refuse_body(VALUE argument) {
  struct refusal *refusal = (struct refusal *)argument;
  for (long i = 0; i < RARRAY_LEN(refusal->details); i++) {
    VALUE detail = rb_ary_entry(refusal->details, i);
    VALUE field = rb_ary_entry(detail, 1), message = rb_ary_entry(detail, 2), code = rb_ary_entry(detail, 3);
    VALUE count = rb_ary_entry(detail, 4), name = rb_sym2str(code);
    privy_status status =
        privy_error_add_row(&refusal->error, NUM2ULL(rb_ary_entry(detail, 0)), StringValueCStr(field),
                            StringValueCStr(message), StringValueCStr(name), NIL_P(count) ? -1 : NUM2LL(count));
    privy_rb_check(status, &refusal->error);
  }
  privy_rb_check(privy_error_refuse_rows(&refusal->error, refusal->total), &refusal->error);
  return Qnil;
}

static VALUE refuse_clean(VALUE argument) {
  struct refusal *refusal = (struct refusal *)argument;
  privy_error_clear(&refusal->error);
  return Qnil;
}

/* refuse_rows([[index, field, message, code, count], …], total) raises Privy::ValidationError with these details. */
static VALUE core_refuse_rows(VALUE self, VALUE details, VALUE total) {
  struct refusal refusal = {.details = rb_Array(details), .total = NUM2ULL(total)};
  (void)self;
  privy_error_init(&refusal.error);
  return rb_ensure(refuse_body, (VALUE)&refusal, refuse_clean, (VALUE)&refusal);
}

void privy_rb_init_request(void) {
  rb_define_module_function(privy_rb_core, "refuse_rows", core_refuse_rows, 2);
  rb_define_module_function(privy_rb_core, "check_headers", core_check_headers, 2);
  rb_define_module_function(privy_rb_core, "validate", core_validate, -1);
  rb_define_module_function(privy_rb_core, "generate", core_generate, 1);
}
