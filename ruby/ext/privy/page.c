#include "binding.h"

/* Answers that are no single record: pages of them, and raw ones. Their classes are written in Ruby. And the walk from
 * page to page. */

static VALUE new_instance(const char *name, int count, const VALUE *arguments) {
  return rb_class_new_instance(count, arguments, rb_const_get(privy_rb_module, rb_intern(name)));
}

VALUE privy_rb_page_new(privy_response *response) {
  size_t count = privy_response_count(response);
  const privy_record *place = privy_response_pagination(response);
  VALUE records = rb_ary_new_capa((long)count);
  for (size_t index = 0; index < count; index++) {
    rb_ary_push(records, privy_rb_record_new(response, privy_response_record(response, index)));
  }
  VALUE arguments[] = {records, place == NULL ? Qnil : privy_rb_record_new(response, place)};
  return new_instance("Page", 2, arguments);
}

VALUE privy_rb_clean_text(const char *bytes, size_t length) {
  VALUE text = rb_utf8_str_new(length == 0 ? "" : bytes, (long)length);
  VALUE scrubbed = rb_str_scrub(text, Qnil);
  return rb_obj_freeze(NIL_P(scrubbed) ? text : scrubbed);
}

/* The body as it came, in UTF-8 if it is that. */
static VALUE whole_body(const privy_response *response) {
  size_t length = 0;
  const char *body = privy_response_body(response, &length);
  VALUE text = rb_utf8_str_new(body, (long)length);
  if (rb_enc_str_coderange(text) == ENC_CODERANGE_BROKEN) rb_enc_associate(text, rb_ascii8bit_encoding());
  return rb_obj_freeze(text);
}

VALUE privy_rb_response_new(privy_response *response) {
  VALUE arguments[] = {INT2NUM(privy_response_status(response)), privy_rb_headers(response), whole_body(response)};
  return new_instance("Response", 3, arguments);
}

/* ---- from page to page ---- */

static void walk_free(void *data) {
  privy_pager_free(data);
}

/* The core does not tell what a walk holds: some hundred kilobytes at most. */
static size_t walk_size(const void *data) {
  (void)data;
  return 0;
}

static const rb_data_type_t walk_type = {
    .wrap_struct_name = "Privy::Core::Walk",
    .function = {.dfree = walk_free, .dsize = walk_size},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static VALUE walk_allocate(VALUE klass) {
  return TypedData_Wrap_Struct(klass, &walk_type, NULL);
}

/* Walk.new(number of the first page, records a page); 0 for what is left to the API */
static VALUE walk_initialize(VALUE self, VALUE first, VALUE most) {
  privy_pager *walk;
  int64_t number = NUM2LL(first), size = NUM2LL(most);
  if (rb_check_typeddata(self, &walk_type) != NULL) rb_raise(rb_eRuntimeError, "already initialized");
  if (privy_pager_new(number, size, &walk) != PRIVY_OK) privy_rb_raise_memory();
  RTYPEDDATA_DATA(self) = walk;
  return self;
}

/* nil when none is */
static VALUE tell_repeated(const bool *repeated, size_t count) {
  size_t first = 0;
  while (first < count && !repeated[first]) first++;
  if (first == count) return Qnil;
  VALUE list = rb_ary_new_capa((long)count);
  for (size_t index = 0; index < count; index++) rb_ary_push(list, repeated[index] ? Qtrue : Qfalse);
  return list;
}

static privy_pager *walk_get(VALUE self) {
  privy_pager *walk = rb_check_typeddata(self, &walk_type);
  if (walk == NULL) rb_raise(rb_eRuntimeError, "not initialized");
  return walk;
}

VALUE privy_rb_encode_take(VALUE self, const privy_response *page) {
  privy_pager *walk = walk_get(self);
  size_t count = privy_response_count(page);
  int64_t next;
  VALUE room = rb_str_tmp_new((long)(count * sizeof(bool)));
  bool *repeated = (bool *)RSTRING_PTR(room);
  if (privy_pager_take(walk, page, repeated, &next) != PRIVY_OK) privy_rb_raise_memory();
  VALUE told = tell_repeated(repeated, count);
  RB_GC_GUARD(room);
  RB_GC_GUARD(self);
  return rb_ary_new_from_args(2, told, LL2NUM(next));
}

/* stride → records between two looks at the next page */
static VALUE walk_stride(VALUE self) {
  return SIZET2NUM(privy_pager_stride(walk_get(self)));
}

/* prefetch?(core client, read) → whether the next page may be asked for when so many records have been read */
static VALUE walk_may_prefetch(VALUE self, VALUE client, VALUE read) {
  const privy_pager *walk = walk_get(self);
  privy_rb_client *data = privy_rb_client_get(client);
  size_t count = NUM2SIZET(read);
  bool may = privy_client_may_prefetch(privy_rb_client_enter(data), walk, count);
  privy_rb_client_leave(data);
  RB_GC_GUARD(self);
  RB_GC_GUARD(client);
  return may ? Qtrue : Qfalse;
}

void privy_rb_init_page(void) {
  VALUE klass = rb_define_class_under(privy_rb_core, "Walk", rb_cObject);
  rb_define_alloc_func(klass, walk_allocate);
  rb_undef_method(klass, "initialize_copy");
  rb_define_method(klass, "initialize", walk_initialize, 2);
  rb_define_method(klass, "stride", walk_stride, 0);
  rb_define_method(klass, "prefetch?", walk_may_prefetch, 2);
}
