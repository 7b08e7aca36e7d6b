#include "binding.h"

#include "privy_sandbox.h"

/* Privy::Core::SandboxConnection: one connection of a served sandbox, for the thread that serves it. */

static void connection_free(void *data) {
  privy_sandbox_connection_free(data);
}

static size_t connection_size(const void *data) {
  (void)data;
  return 0;
}

static const rb_data_type_t connection_type = {
    .wrap_struct_name = "Privy::Core::SandboxConnection",
    .function = {.dfree = connection_free, .dsize = connection_size},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static VALUE connection_allocate(VALUE klass) {
  return TypedData_Wrap_Struct(klass, &connection_type, NULL);
}

static privy_sandbox_connection *connection_get(VALUE self) {
  privy_sandbox_connection *connection = rb_check_typeddata(self, &connection_type);
  if (!connection) rb_raise(rb_eRuntimeError, "not initialized");
  return connection;
}

static void check(privy_status status) {
  if (status != PRIVY_OK) privy_rb_raise_memory();
}

/* SandboxConnection.new(sandbox, host, allowed): the address that the server listens on, further names */
static VALUE connection_initialize(VALUE self, VALUE sandbox, VALUE host, VALUE allowed) {
  privy_sandbox_connection *connection;
  if (RTYPEDDATA_DATA(self)) rb_raise(rb_eRuntimeError, "already initialized");
  check(privy_sandbox_connection_new(privy_rb_sandbox_get(sandbox), StringValueCStr(host), StringValueCStr(allowed),
                                     &connection));
  RTYPEDDATA_DATA(self) = connection;
  return self;
}

static VALUE connection_feed(VALUE self, VALUE bytes) {
  StringValue(bytes);
  check(privy_sandbox_connection_feed(connection_get(self), RSTRING_PTR(bytes), (size_t)RSTRING_LEN(bytes)));
  return Qnil;
}

/* next(now) → [:read, until, whether it is idle], [:send, delay, bytes] or [:close] */
static VALUE connection_next(VALUE self, VALUE now) {
  privy_sandbox_step step;
  check(privy_sandbox_connection_next(connection_get(self), NUM2DBL(now), &step));
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
static VALUE host_is_local(VALUE self, VALUE host) {
  (void)self;
  return privy_host_is_local(StringValueCStr(host)) ? Qtrue : Qfalse;
}

void privy_rb_init_sandbox_connection(void) {
  VALUE klass = rb_define_class_under(privy_rb_core, "SandboxConnection", rb_cObject);
  rb_define_alloc_func(klass, connection_allocate);
  rb_undef_method(klass, "initialize_copy");
  rb_define_const(klass, "MOST", INT2NUM(PRIVY_SANDBOX_CONNECTIONS));
  rb_define_const(klass, "BUSY", rb_obj_freeze(rb_str_new_cstr(PRIVY_SANDBOX_BUSY)));
  rb_define_method(klass, "initialize", connection_initialize, 3);
  rb_define_method(klass, "feed", connection_feed, 1);
  rb_define_method(klass, "next", connection_next, 1);
  rb_define_singleton_method(privy_rb_core, "local?", host_is_local, 1);
}
