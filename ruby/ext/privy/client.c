#include "binding.h"

#include <ruby/thread.h>
#include <stdatomic.h>

typedef struct client {
  privy_client *core;
  size_t running; /* calls under way: the core's client must outlive them */
  bool closed;
} client;

static void client_release(client *self) {
  privy_client *core = self->core;
  if (core == NULL || self->running > 0) return;
  self->core = NULL;
  privy_client_free(core);
}

static void client_free(void *data) {
  client_release(data);
  xfree(data);
}

static size_t client_size(const void *data) {
  (void)data;
  return sizeof(client);
}

static const rb_data_type_t client_type = {
    .wrap_struct_name = "Privy::Core::Client",
    .function = {.dfree = client_free, .dsize = client_size},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static VALUE client_allocate(VALUE klass) {
  client *self;
  return TypedData_Make_Struct(klass, client, &client_type, self);
}

static client *client_get(VALUE self) {
  return rb_check_typeddata(self, &client_type);
}

/* ---- settings ---- */

static VALUE setting(VALUE settings, const char *name) {
  return NIL_P(settings) ? Qnil : rb_hash_lookup(settings, ID2SYM(rb_intern(name)));
}

static const char *text_setting(VALUE settings, const char *name) {
  VALUE value = setting(settings, name);
  if (NIL_P(value)) return NULL;
  Check_Type(value, T_STRING);
  return StringValueCStr(value);
}

static double number_setting(VALUE settings, const char *name, double otherwise) {
  VALUE value = setting(settings, name);
  if (NIL_P(value)) return otherwise;
  double number = NUM2DBL(value);
  if (!(number >= 0)) privy_rb_raise_setting("%s: must not be negative", name);
  return number;
}

static int count_setting(VALUE settings, const char *name, int otherwise) {
  VALUE value = setting(settings, name);
  if (NIL_P(value)) return otherwise;
  int number = NUM2INT(value);
  if (number < 0) privy_rb_raise_setting("%s: must not be negative", name);
  return number;
}

static privy_options read_options(VALUE settings, privy_options otherwise) {
  if (!NIL_P(settings)) Check_Type(settings, T_HASH);
  return (privy_options){
      .timeout = number_setting(settings, "timeout", otherwise.timeout),
      .connect_timeout = number_setting(settings, "connect_timeout", otherwise.connect_timeout),
      .max_wait = number_setting(settings, "max_wait", otherwise.max_wait),
      .max_retries = count_setting(settings, "max_retries", otherwise.max_retries),
  };
}

/* Raises what a call with these options would raise. */
static VALUE client_check_options(VALUE self, VALUE options) {
  (void)self;
  read_options(options, (privy_options)PRIVY_OPTIONS_INHERIT);
  return options;
}

struct creation {
  client *self;
  const privy_config *config;
  privy_error error;
};

static VALUE create_body(VALUE argument) {
  struct creation *creation = (struct creation *)argument;
  privy_rb_check(privy_client_new(creation->config, &creation->self->core, &creation->error), &creation->error);
  return Qnil;
}

static VALUE create_clean(VALUE argument) {
  privy_error_clear(&((struct creation *)argument)->error);
  return Qnil;
}

/* Client.new(settings): names as in privy_config; nil is as good as missing. */
static VALUE client_initialize(VALUE self, VALUE settings) {
  privy_config config;
  struct creation creation = {.self = client_get(self), .config = &config};
  Check_Type(settings, T_HASH);
  if (creation.self->core != NULL) rb_raise(rb_eRuntimeError, "already initialized");
  VALUE sandbox = setting(settings, "sandbox"), most = setting(settings, "max_response");
  privy_config_init(&config);
  config.token = text_setting(settings, "token");
  config.client_id = text_setting(settings, "client_id");
  config.client_secret = text_setting(settings, "client_secret");
  config.scopes = text_setting(settings, "scopes");
  config.base_url = text_setting(settings, "base_url");
  config.token_url = text_setting(settings, "token_url");
  config.ca_bundle = text_setting(settings, "ca_bundle");
  config.user_agent = text_setting(settings, "user_agent");
  config.options = read_options(settings, config.options);
  if (!NIL_P(most)) config.max_response = NUM2SIZET(most);
  if (!NIL_P(sandbox)) config.sandbox = privy_rb_sandbox_get(sandbox);
  privy_error_init(&creation.error);
  rb_ensure(create_body, (VALUE)&creation, create_clean, (VALUE)&creation);
  RB_GC_GUARD(settings);
  RB_GC_GUARD(sandbox);
  return self;
}

static VALUE client_base_url(VALUE self) {
  client *data = client_get(self);
  return data->core == NULL ? Qnil : privy_rb_text(privy_client_base_url(data->core));
}

/* Calls under way finish; the connections go with the last of them. */
static VALUE client_close(VALUE self) {
  client *data = client_get(self);
  data->closed = true;
  client_release(data);
  return Qnil;
}

static VALUE client_is_closed(VALUE self) {
  return client_get(self)->closed ? Qtrue : Qfalse;
}

/* ---- calls ---- */

struct call {
  VALUE self, params, extra, headers, body;
  client *client;
  const privy_operation *operation; /* NULL: a raw request */
  const char *method, *path;        /* raw requests only */
  privy_options options;
  privy_request *request;
  privy_response *response;
  privy_error error;
  privy_status status;
  bool counted;
  atomic_bool poked; /* somebody wants this thread's attention */
  int raised;        /* rb_protect's state when that was an exception */
};

static VALUE check_interrupts(VALUE argument) {
  (void)argument;
  rb_thread_check_ints();
  return Qnil;
}

static void *look_at_interrupts(void *argument) {
  struct call *call = argument;
  rb_protect(check_interrupts, Qnil, &call->raised);
  return NULL;
}

/*
 * A poke is not yet an exception: a signal handler or an exception that the program holds back pokes too, and neither
 * may cost a request that is on its way. So the thread takes the lock, looks, and goes on when nothing was raised.
 */
static bool call_must_stop(void *context) {
  struct call *call = context;
  if (!atomic_exchange(&call->poked, false)) return false;
  rb_thread_call_with_gvl(look_at_interrupts, call);
  return call->raised != 0;
}

/* Called from any thread or from a signal handler. */
static void call_poke(void *argument) {
  struct call *call = argument;
  atomic_store(&call->poked, true);
}

static void *call_without_gvl(void *argument) {
  struct call *call = argument;
  call->status = privy_client_call(call->client->core, call->request, &call->options, NULL, call_must_stop, call,
                                   &call->response, &call->error);
  return NULL;
}

static void build(struct call *call) {
  if (privy_request_new(call->operation, &call->request) != PRIVY_OK) privy_rb_raise_memory();
  privy_rb_walk_members(call->request, call->params);
  if (NIL_P(call->extra)) return;
  privy_request_extra(call->request);
  privy_rb_walk_members(call->request, call->extra);
}

static void build_raw(struct call *call) {
  if (privy_request_new_raw(call->method, call->path, &call->request) != PRIVY_OK) privy_rb_raise_memory();
  if (call->body != privy_rb_omit) privy_rb_walk_value(call->request, call->body);
  privy_request_query(call->request);
  if (!NIL_P(call->params)) privy_rb_walk_members(call->request, call->params);
  privy_request_header(call->request);
  if (!NIL_P(call->headers)) privy_rb_walk_members(call->request, call->headers);
}

static VALUE call_result(struct call *call) {
  if (call->operation == NULL) return privy_rb_response_new(call->response);
  if (privy_operation_paged(call->operation)) return privy_rb_page_new(call->response);
  if (privy_response_count(call->response) == 0) return Qnil;
  return privy_rb_record_new(call->response, privy_response_record(call->response, 0));
}

static VALUE call_body(VALUE argument) {
  struct call *call = (struct call *)argument;
  if (call->operation == NULL)
    build_raw(call);
  else
    build(call);
  privy_rb_check(privy_request_finish(call->request, &call->error), &call->error);
  if (call->client->closed) privy_rb_raise_setting("the client is closed");
  call->client->running++;
  call->counted = true;
  rb_nogvl(call_without_gvl, call, call_poke, call, RB_NOGVL_UBF_ASYNC_SAFE);
  if (call->raised != 0) rb_jump_tag(call->raised);
  privy_rb_check(call->status, &call->error);
  return call_result(call);
}

static VALUE call_clean(VALUE argument) {
  struct call *call = (struct call *)argument;
  privy_request_free(call->request);
  privy_response_release(call->response);
  privy_error_clear(&call->error);
  if (call->counted) {
    call->client->running--;
    if (call->client->closed) client_release(call->client);
  }
  return Qnil;
}

static VALUE run_call(struct call *call) {
  call->client = client_get(call->self);
  if (call->client->core == NULL && !call->client->closed) rb_raise(rb_eRuntimeError, "not initialized");
  privy_error_init(&call->error);
  VALUE result = rb_ensure(call_body, (VALUE)call, call_clean, (VALUE)call);
  RB_GC_GUARD(call->self);
  return result;
}

/* call(operation, params, extra, options) → a record, a Page, or nil when the answer holds nothing. */
static VALUE client_call(VALUE self, VALUE name, VALUE params, VALUE extra, VALUE options) {
  struct call call = {.self = self, .params = params, .extra = extra};
  Check_Type(params, T_HASH);
  if (!NIL_P(extra)) Check_Type(extra, T_HASH);
  call.operation = privy_operation_find(StringValueCStr(name));
  if (call.operation == NULL) rb_raise(rb_eArgError, "no operation %" PRIsVALUE, name);
  call.options = read_options(options, (privy_options)PRIVY_OPTIONS_INHERIT);
  VALUE result = run_call(&call);
  RB_GC_GUARD(params);
  RB_GC_GUARD(extra);
  return result;
}

/* request(method, path, params, headers, body, options) → a Privy::Response. */
static VALUE client_request(VALUE self, VALUE method, VALUE path, VALUE params, VALUE headers, VALUE body,
                            VALUE options) {
  struct call call = {.self = self, .params = params, .headers = headers, .body = body};
  if (!NIL_P(params)) Check_Type(params, T_HASH);
  if (!NIL_P(headers)) Check_Type(headers, T_HASH);
  method = rb_str_new_frozen(SYMBOL_P(method) ? rb_sym2str(method) : StringValue(method));
  path = rb_str_new_frozen(StringValue(path));
  call.method = StringValueCStr(method);
  call.path = StringValueCStr(path);
  call.options = read_options(options, (privy_options)PRIVY_OPTIONS_INHERIT);
  VALUE result = run_call(&call);
  RB_GC_GUARD(method);
  RB_GC_GUARD(path);
  RB_GC_GUARD(params);
  RB_GC_GUARD(headers);
  RB_GC_GUARD(body);
  return result;
}

void privy_rb_init_client(void) {
  VALUE klass = rb_define_class_under(privy_rb_core, "Client", rb_cObject);
  rb_define_alloc_func(klass, client_allocate);
  rb_define_method(klass, "initialize", client_initialize, 1);
  rb_define_method(klass, "base_url", client_base_url, 0);
  rb_define_method(klass, "close", client_close, 0);
  rb_define_method(klass, "closed?", client_is_closed, 0);
  rb_define_method(klass, "check_options", client_check_options, 1);
  rb_define_method(klass, "call", client_call, 4);
  rb_define_method(klass, "request", client_request, 6);
}
