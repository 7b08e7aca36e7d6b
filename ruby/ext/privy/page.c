#include "binding.h"

/* Pages of records, and the pager that follows them. The class Privy::Page is written in Ruby. */

VALUE privy_rb_page_new(privy_response *response) {
  size_t count = privy_response_count(response);
  const privy_record *pagination = privy_response_pagination(response);
  VALUE records = rb_ary_new_capa((long)count);
  for (size_t index = 0; index < count; index++) {
    rb_ary_push(records, privy_rb_record_new(response, privy_response_record(response, index)));
  }
  VALUE arguments[] = {records, pagination == NULL ? Qnil : privy_rb_record_new(response, pagination)};
  return rb_class_new_instance(2, arguments, rb_const_get(privy_rb_module, rb_intern("Page")));
}

/* ---- from page to page ---- */

static void pager_free(void *data) {
  privy_pager_free(data);
}

/* The core does not report the size of a pager: some hundred kilobytes at most. */
static size_t pager_size(const void *data) {
  (void)data;
  return 0;
}

static const rb_data_type_t pager_type = {
    .wrap_struct_name = "Privy::Core::Pager",
    .function = {.dfree = pager_free, .dsize = pager_size},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static VALUE pager_allocate(VALUE klass) {
  return TypedData_Wrap_Struct(klass, &pager_type, NULL);
}

/* Pager.new(number of the first page, records per page); 0: the API's default */
static VALUE pager_initialize(VALUE self, VALUE first, VALUE most) {
  privy_pager *pager;
  int64_t number = NUM2LL(first), size = NUM2LL(most);
  if (rb_check_typeddata(self, &pager_type) != NULL) rb_raise(rb_eRuntimeError, "already initialized");
  if (privy_pager_new(number, size, &pager) != PRIVY_OK) privy_rb_raise_memory();
  RTYPEDDATA_DATA(self) = pager;
  return self;
}

/* [true or false for each record], nil when no record is repeated */
static VALUE repeated_list(const bool *repeated, size_t count) {
  size_t first = 0;
  while (first < count && !repeated[first]) first++;
  if (first == count) return Qnil;
  VALUE list = rb_ary_new_capa((long)count);
  for (size_t index = 0; index < count; index++) rb_ary_push(list, repeated[index] ? Qtrue : Qfalse);
  return list;
}

static privy_pager *pager_get(VALUE self) {
  privy_pager *pager = rb_check_typeddata(self, &pager_type);
  if (pager == NULL) rb_raise(rb_eRuntimeError, "not initialized");
  return pager;
}

VALUE privy_rb_pager_take(VALUE self, const privy_response *page) {
  privy_pager *pager = pager_get(self);
  size_t count = privy_response_count(page);
  int64_t next, requests, records;
  VALUE space = rb_str_tmp_new((long)(count * sizeof(bool)));
  bool *repeated = (bool *)RSTRING_PTR(space);
  if (privy_pager_take(pager, page, repeated, &next) != PRIVY_OK) privy_rb_raise_memory();
  VALUE list = repeated_list(repeated, count);
  RB_GC_GUARD(space);
  RB_GC_GUARD(self);
  privy_page_rest(page, -1, &requests, &records);
  return rb_ary_new_from_args(3, list, LL2NUM(next), records < 0 ? Qnil : LL2NUM(records));
}

/* stride → records to read between two checks of the next page */
static VALUE pager_stride(VALUE self) {
  return SIZET2NUM(privy_pager_stride(pager_get(self)));
}

/* prefetch?(core client, read) → whether the next page may be requested after `read` records of this one */
static VALUE pager_may_prefetch(VALUE self, VALUE client, VALUE read) {
  const privy_pager *pager = pager_get(self);
  privy_rb_client *data = privy_rb_client_get(client);
  size_t count = NUM2SIZET(read);
  bool may = privy_client_may_prefetch(privy_rb_client_enter(data), pager, count);
  privy_rb_client_leave(data);
  RB_GC_GUARD(self);
  RB_GC_GUARD(client);
  return may ? Qtrue : Qfalse;
}

void privy_rb_init_page(void) {
  VALUE klass = rb_define_class_under(privy_rb_core, "Pager", rb_cObject);
  rb_define_alloc_func(klass, pager_allocate);
  rb_undef_method(klass, "initialize_copy");
  rb_define_method(klass, "initialize", pager_initialize, 2);
  rb_define_method(klass, "stride", pager_stride, 0);
  rb_define_method(klass, "prefetch?", pager_may_prefetch, 2);
}
