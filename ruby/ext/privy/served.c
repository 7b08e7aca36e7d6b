#include "binding.h"

/* One connection of a served sandbox. It is used by the thread that serves the connection. */

static void served_free(void *data) {
  privy_sandbox_connection_free(data);
}

static size_t served_size(const void *data) {
  (void)data;
  return 0;
}

static const rb_data_type_t served_type = {
    .wrap_struct_name = "Privy::Core::SandboxConnection",
    .function = {.dfree = served_free, .dsize = served_size},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static VALUE served_allocate(VALUE klass) {
  return TypedData_Wrap_Struct(klass, &served_type, NULL);
}

static privy_sandbox_connection *inside(VALUE self) {
  privy_sandbox_connection *connection = rb_check_typeddata(self, &served_type);
  if (!connection) rb_raise(rb_eRuntimeError, "not initialized");
  return connection;
}

static void check(privy_status status) {
  if (status != PRIVY_OK) privy_rb_raise_memory();
}

/* SandboxConnection.new(sandbox, host, allowed): the address that the server listens on, further names */
static VALUE served_initialize(VALUE self, VALUE sandbox, VALUE host, VALUE allowed) {
  privy_sandbox_connection *connection;
  if (RTYPEDDATA_DATA(self)) rb_raise(rb_eRuntimeError, "already initialized");
  check(privy_sandbox_connection_new(privy_rb_sandbox_get(sandbox), StringValueCStr(host), StringValueCStr(allowed),
                                     &connection));
  RTYPEDDATA_DATA(self) = connection;
  return self;
}

static VALUE served_feed(VALUE self, VALUE bytes) {
  StringValue(bytes);
  check(privy_sandbox_connection_feed(inside(self), RSTRING_PTR(bytes), (size_t)RSTRING_LEN(bytes)));
  return Qnil;
}

/* next(now) → [:read, until, whether it is idle], [:send, delay, bytes] or [:close] */
static VALUE served_next(VALUE self, VALUE now) {
  privy_sandbox_step step;
  check(privy_sandbox_connection_next(inside(self), NUM2DBL(now), &step));
  switch (step.kind) {
  case PRIVY_SANDBOX_READ:
    return rb_ary_new_from_args(3, ID2SYM(rb_intern("read")), DBL2NUM(step.until), step.idle ? Qtrue : Qfalse);
  case PRIVY_SANDBOX_SEND:
    return rb_ary_new_from_args(3, ID2SYM(rb_intern("send")), DBL2NUM(step.delay),
                                rb_str_new(step.bytes, (long)step.length));
  default: return rb_ary_new_from_args(1, ID2SYM(rb_intern("close")));
  }
}

/* Core.local?(host): whether only this machine can reach a server on that address */
static VALUE is_local(VALUE self, VALUE host) {
  (void)self;
  return privy_host_is_local(StringValueCStr(host)) ? Qtrue : Qfalse;
}

void privy_rb_init_served(void) {
  VALUE klass = rb_define_class_under(privy_rb_core, "SandboxConnection", rb_cObject);
  rb_define_alloc_func(klass, served_allocate);
  rb_undef_method(klass, "initialize_copy");
  rb_define_const(klass, "MOST", INT2NUM(PRIVY_SANDBOX_CONNECTIONS));
  rb_define_const(klass, "BUSY", rb_obj_freeze(rb_str_new_cstr(PRIVY_SANDBOX_BUSY)));
  rb_define_method(klass, "initialize", served_initialize, 3);
  rb_define_method(klass, "feed", served_feed, 1);
  rb_define_method(klass, "next", served_next, 1);
  rb_define_singleton_method(privy_rb_core, "local?", is_local, 1);
}
