#include "binding.h"

VALUE privy_rb_module;
VALUE privy_rb_core;
VALUE privy_rb_omit;

VALUE privy_rb_memory_exception(void) {
  return rb_exc_new_cstr(rb_eNoMemError, "out of memory");
}

void privy_rb_raise_memory(void) {
  rb_exc_raise(privy_rb_memory_exception());
}

/* fail_allocation(nth): the nth allocation of the core on this thread fails, once; 0 turns it off. For tests. */
static VALUE core_fail_allocation(VALUE self, VALUE nth) {
  (void)self;
  privy_memory_fail_at(NUM2SIZET(nth));
  return Qnil;
}

static VALUE core_allocation_failed(VALUE self) {
  (void)self;
  return privy_memory_failed() ? Qtrue : Qfalse;
}

static VALUE omit_inspect(VALUE self) {
  (void)self;
  return rb_str_new_cstr("(omitted)");
}

static void define_omit(void) {
  VALUE omit = rb_obj_alloc(rb_cObject);
  rb_define_singleton_method(omit, "inspect", omit_inspect, 0);
  rb_define_singleton_method(omit, "to_s", omit_inspect, 0);
  privy_rb_omit = rb_obj_freeze(omit);
  rb_gc_register_mark_object(privy_rb_omit);
  rb_define_const(privy_rb_module, "OMIT", privy_rb_omit);
}

void privy_rb_init_binding(void) {
  privy_rb_module = rb_define_module("Privy");
  privy_rb_core = rb_define_module_under(privy_rb_module, "Core");
  rb_gc_register_mark_object(privy_rb_module);
  rb_gc_register_mark_object(privy_rb_core);
  define_omit();
  rb_define_const(privy_rb_core, "VERSION", rb_obj_freeze(rb_str_new_cstr(PRIVY_VERSION)));
  rb_define_module_function(privy_rb_core, "fail_allocation", core_fail_allocation, 1);
  rb_define_module_function(privy_rb_core, "allocation_failed?", core_allocation_failed, 0);
}
