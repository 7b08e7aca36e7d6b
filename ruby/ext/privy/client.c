#include "binding.h"

#include <stdatomic.h>
#include <string.h>

/* A client, or a view of one: the same client with another observer. A client without a sandbox of its own follows: the
 * active sandbox receives its calls, see Privy::Activation. */
struct privy_rb_client {
  privy_client *core; /* of a view: NULL */
  VALUE observer;
  ID account;            /* its name; 0: none */
  VALUE of;              /* of a view: the client, else nil */
  VALUE home;            /* the active sandbox that it belongs to; nil: the network, or a sandbox of its own */
  privy_rb_client *root; /* the same, else the client itself */
  size_t users;          /* calls and groups: the core's client must outlive them */
  bool closed;
  bool is_sandbox;
  bool follows; /* the active sandbox, if any, receives its calls */
  bool offline; /* it has a sandbox of its own */
  bool dropped; /* the Ruby object was collected; a group may be collected after its client */
};

static void client_release(privy_rb_client *self) {
  privy_client *core = self->core;
  if (self->users > 0) return;
  self->core = NULL;
  privy_client_free(core);
  if (self->dropped) xfree(self);
}

static void client_mark(void *data) {
  const privy_rb_client *self = data;
  rb_gc_mark(self->observer);
  rb_gc_mark(self->of);
  rb_gc_mark(self->home);
}

static void client_free(void *data) {
  privy_rb_client *self = data;
  self->dropped = true;
  client_release(self);
}

static size_t client_size(const void *data) {
  (void)data;
  return sizeof(privy_rb_client);
}

static const rb_data_type_t client_type = {
    .wrap_struct_name = "Privy::Core::Client",
    .function = {.dmark = client_mark, .dfree = client_free, .dsize = client_size},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static VALUE client_allocate(VALUE klass) {
  privy_rb_client *self;
  VALUE client = TypedData_Make_Struct(klass, privy_rb_client, &client_type, self);
  self->observer = self->of = self->home = Qnil;
  self->root = self;
  return client;
}

privy_rb_client *privy_rb_client_get(VALUE self) {
  privy_rb_client *client = rb_check_typeddata(self, &client_type);
  if (client->root->core == NULL && !client->root->closed) rb_raise(rb_eRuntimeError, "not initialized");
  return client;
}

/* ---- the active sandbox ---- */

/* Whether a sandbox may be active, or the network forbidden, in this process. */
static atomic_bool routing;

static VALUE activation(void) {
  return rb_const_get(privy_rb_module, rb_intern("Activation"));
}

static bool is_routed(const privy_rb_client *root) {
  return root->follows && (atomic_load_explicit(&routing, memory_order_relaxed) || !NIL_P(root->home));
}

/* Raises when a list or run that began before would reach the network, or a sandbox that is no longer active. */
static void check_route(const privy_rb_client *root) {
  if (root->closed || !is_routed(root)) return;
  VALUE url = root->offline ? Qnil : privy_rb_text(privy_client_base_url(root->core));
  rb_funcall(activation(), rb_intern("admit"), 2, root->home, url);
}

/* current(operation) → the client that its calls use now. Raises when the network is forbidden, unless the operation is
 * nil. */
static VALUE client_current(VALUE self, VALUE operation) {
  const privy_rb_client *root = privy_rb_client_get(self)->root;
  if (root->closed || !is_routed(root)) return self;
  return rb_funcall(activation(), rb_intern("route"), 2, self, operation);
}

/* Core.routing = whether Privy::Activation is to be asked */
static VALUE core_set_routing(VALUE self, VALUE on) {
  (void)self;
  atomic_store(&routing, RTEST(on));
  return on;
}

static VALUE core_is_routing(VALUE self) {
  (void)self;
  return atomic_load(&routing) ? Qtrue : Qfalse;
}

/* ---- use ---- */

privy_client *privy_rb_client_enter(privy_rb_client *client) {
  privy_rb_client *root = client->root;
  check_route(root);
  if (root->closed) privy_rb_raise_setting("the client is closed");
  if (root != client) client->users++;
  root->users++;
  return root->core;
}

static void leave(privy_rb_client *client) {
  client->users--;
  if (client->closed || client->dropped) client_release(client);
}

void privy_rb_client_leave(privy_rb_client *client) {
  privy_rb_client *root = client->root;
  if (root != client) leave(client);
  leave(root);
}

privy_rb_receivers privy_rb_client_receivers(const privy_rb_client *client) {
  return (privy_rb_receivers){.observer = client->observer, .account = client->root->account, .least = PRIVY_LEVEL_OFF};
}

struct refusal {
  privy_rb_client *client;
  privy_client *core;
  const privy_request *request;
  const privy_error *error;
  int64_t row;
};

static VALUE refusal_body(VALUE argument) {
  const struct refusal *refusal = (const struct refusal *)argument;
  privy_rb_receivers receivers = privy_rb_client_receivers(refusal->client);
  privy_rb_report_refusal(receivers, refusal->core, refusal->request, refusal->error, refusal->row);
  return Qnil;
}

static VALUE refusal_clean(VALUE argument) {
  privy_rb_client_leave(((struct refusal *)argument)->client);
  return Qnil;
}

void privy_rb_client_finish(privy_rb_client *client, privy_request *request, int64_t row, privy_error *error) {
  privy_status status = privy_request_finish(request, error);
  if (status == PRIVY_VALIDATION && !client->root->closed) {
    struct refusal refusal = {client, privy_rb_client_enter(client), request, error, row};
    rb_ensure(refusal_body, (VALUE)&refusal, refusal_clean, (VALUE)&refusal);
  }
  privy_rb_check(status, error);
}

/* ---- settings ---- */

static VALUE setting(VALUE settings, const char *name) {
  return NIL_P(settings) ? Qnil : rb_hash_lookup(settings, ID2SYM(rb_intern(name)));
}

/* check_options(options, concurrency = nil) → the options. Raises Privy::Error for an invalid one. */
static VALUE client_check_options(int count, VALUE *arguments, VALUE self) {
  VALUE options, concurrency;
  privy_bulk_config config;
  (void)self;
  rb_scan_args(count, arguments, "11", &options, &concurrency);
  privy_bulk_config_init(&config);
  privy_rb_concurrency(concurrency, &config);
  privy_rb_options(options);
  return options;
}

struct creation {
  privy_rb_client *self;
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

/* Client.new(settings): names as in privy_config, `observer`, `account`, a Symbol, and `follows`: the sandbox, if any,
 * is the active one. nil means missing. */
static VALUE client_initialize(VALUE self, VALUE settings) {
  privy_config config;
  struct creation creation = {.self = rb_check_typeddata(self, &client_type), .config = &config};
  Check_Type(settings, T_HASH);
  if (creation.self->core != NULL) rb_raise(rb_eRuntimeError, "already initialized");
  VALUE sandbox = setting(settings, "sandbox");
  privy_config_init(&config);
  config.token = privy_rb_text_setting(settings, "token");
  config.client_id = privy_rb_text_setting(settings, "client_id");
  config.client_secret = privy_rb_text_setting(settings, "client_secret");
  config.scopes = privy_rb_text_setting(settings, "scopes");
  config.base_url = privy_rb_text_setting(settings, "base_url");
  config.token_url = privy_rb_text_setting(settings, "token_url");
  config.ca_bundle = privy_rb_text_setting(settings, "ca_bundle");
  config.proxy = privy_rb_text_setting(settings, "proxy");
  config.user_agent = privy_rb_text_setting(settings, "user_agent");
  config.allow_plain_http = privy_rb_flag_setting(settings, "allow_plain_http");
  privy_rb_numbers(settings, &config);
  if (!NIL_P(sandbox)) config.sandbox = privy_rb_sandbox_get(sandbox);
  const bool follows = RTEST(setting(settings, "follows"));
  config.accepted = follows && !NIL_P(sandbox);
  privy_error_init(&creation.error);
  rb_ensure(create_body, (VALUE)&creation, create_clean, (VALUE)&creation);
  creation.self->is_sandbox = privy_client_is_sandbox(creation.self->core);
  VALUE account = setting(settings, "account");
  creation.self->account = NIL_P(account) ? 0 : rb_to_id(account);
  creation.self->follows = follows;
  creation.self->offline = !follows && !NIL_P(sandbox);
  if (follows) RB_OBJ_WRITE(self, &creation.self->home, sandbox);
  RB_OBJ_WRITE(self, &creation.self->observer, setting(settings, "observer"));
  RB_GC_GUARD(settings);
  RB_GC_GUARD(sandbox);
  return self;
}

/* view(observer) → the same client with another observer */
static VALUE client_view(VALUE self, VALUE observer) {
  privy_rb_client *from = privy_rb_client_get(self), *view;
  VALUE object = TypedData_Make_Struct(rb_obj_class(self), privy_rb_client, &client_type, view);
  view->observer = view->home = Qnil;
  view->root = from->root;
  RB_OBJ_WRITE(object, &view->of, from->root == from ? self : from->of);
  RB_OBJ_WRITE(object, &view->observer, observer);
  return object;
}

struct standing_in {
  privy_rb_client *self;
  const privy_client *original;
  privy_sandbox *sandbox;
  privy_error error;
};

static VALUE stand_in_body(VALUE argument) {
  struct standing_in *creation = (struct standing_in *)argument;
  privy_rb_check(privy_client_stand_in(creation->original, creation->sandbox, &creation->self->core, &creation->error),
                 &creation->error);
  return Qnil;
}

static VALUE stand_in_clean(VALUE argument) {
  privy_error_clear(&((struct standing_in *)argument)->error);
  return Qnil;
}

/* stand_in(sandbox) → a client of the sandbox with the options and the observer of this one */
static VALUE client_stand_in(VALUE self, VALUE sandbox) {
  const privy_rb_client *root = privy_rb_client_get(self)->root;
  if (root->closed) privy_rb_raise_setting("the client is closed");
  privy_rb_client *copy;
  VALUE object = TypedData_Make_Struct(rb_obj_class(self), privy_rb_client, &client_type, copy);
  copy->observer = copy->of = copy->home = Qnil;
  copy->root = copy;
  struct standing_in creation = {.self = copy, .original = root->core, .sandbox = privy_rb_sandbox_get(sandbox)};
  privy_error_init(&creation.error);
  rb_ensure(stand_in_body, (VALUE)&creation, stand_in_clean, (VALUE)&creation);
  copy->is_sandbox = copy->follows = true;
  copy->account = root->account;
  RB_OBJ_WRITE(object, &copy->home, sandbox);
  RB_OBJ_WRITE(object, &copy->observer, root->observer);
  RB_GC_GUARD(self);
  return object;
}

/* follow: an active sandbox receives the calls of this client in place of its own. */
static VALUE client_follow(VALUE self) {
  privy_rb_client_get(self)->root->follows = true;
  return self;
}

static VALUE client_is_offline(VALUE self) {
  return privy_rb_client_get(self)->root->offline ? Qtrue : Qfalse;
}

static VALUE client_home(VALUE self) {
  return privy_rb_client_get(self)->root->home;
}

/* root → the client that this is a view of, else itself */
static VALUE client_root(VALUE self) {
  const privy_rb_client *data = privy_rb_client_get(self);
  return NIL_P(data->of) ? self : data->of;
}

static VALUE client_observer(VALUE self) {
  return privy_rb_client_get(self)->observer;
}

static VALUE client_base_url(VALUE self) {
  privy_rb_client *data = privy_rb_client_get(self)->root;
  return data->core == NULL ? Qnil : privy_rb_text(privy_client_base_url(data->core));
}

static VALUE client_account(VALUE self) {
  ID account = privy_rb_client_get(self)->root->account;
  return account == 0 ? Qnil : ID2SYM(account);
}

static VALUE client_is_sandbox(VALUE self) {
  return privy_rb_client_get(self)->root->is_sandbox ? Qtrue : Qfalse;
}

/* [limit, remaining, time of the reset or nil]; nil until a response reports the limit. */
static VALUE limit_values(const privy_rate_limit *limit) {
  if (!limit->known) return Qnil;
  VALUE resets_at = limit->resets_at == 0 ? Qnil : DBL2NUM(limit->resets_at);
  return rb_ary_new_from_args(3, LL2NUM(limit->limit), LL2NUM(limit->remaining), resets_at);
}

/* rate_limits → [the minute's, the day's]; times are seconds since 1970 */
static VALUE client_rate_limits(VALUE self) {
  privy_rb_client *data = privy_rb_client_get(self)->root;
  privy_rate_limit minute = {0}, day = {0};
  if (data->core != NULL) privy_client_rate_limits(data->core, &minute, &day);
  VALUE of_minute = limit_values(&minute), of_day = limit_values(&day);
  return rb_ary_new_from_args(2, of_minute, of_day);
}

/* duration(requests) → seconds that so many further requests take, by the rate limits */
static VALUE client_duration(VALUE self, VALUE requests) {
  privy_rb_client *data = privy_rb_client_get(self)->root;
  const double count = NUM2DBL(requests);
  return DBL2NUM(data->core == NULL ? 0 : privy_client_duration(data->core, NULL, count));
}

/* take_slot(from, shared numbers, options) → [instant, shared numbers]; nil if no response has reported the limit */
static VALUE client_take_slot(VALUE self, VALUE from, VALUE numbers, VALUE given) {
  privy_rb_client *data = privy_rb_client_get(self)->root;
  privy_shared_slots slots = {0};
  double *const places[] = {&slots.first_at, &slots.window_at, &slots.taken, &slots.window};
  const long count = (long)(sizeof places / sizeof *places);
  const double instant = NUM2DBL(from);
  const privy_options options = privy_rb_options(given);
  Check_Type(numbers, T_ARRAY);
  for (long i = 0; i < count && RARRAY_LEN(numbers) == count; i++) *places[i] = NUM2DBL(rb_ary_entry(numbers, i));
  const double at = data->core == NULL ? 0 : privy_client_take_slot(data->core, &options, instant, &slots);
  if (at == 0) return Qnil;
  VALUE changed = rb_ary_new_capa(count);
  for (long i = 0; i < count; i++) rb_ary_push(changed, DBL2NUM(*places[i]));
  return rb_ary_new_from_args(2, DBL2NUM(at), changed);
}

/* Calls in flight finish; the connections close with the last of them. */
static VALUE client_close(VALUE self) {
  privy_rb_client *data = privy_rb_client_get(self)->root;
  data->closed = true;
  client_release(data);
  return Qnil;
}

static VALUE client_is_closed(VALUE self) {
  return privy_rb_client_get(self)->root->closed ? Qtrue : Qfalse;
}

void privy_rb_init_client(void) {
  VALUE klass = rb_define_class_under(privy_rb_core, "Client", rb_cObject);
  rb_define_alloc_func(klass, client_allocate);
  rb_define_method(klass, "initialize", client_initialize, 1);
  rb_undef_method(klass, "initialize_copy");
  rb_define_method(klass, "view", client_view, 1);
  rb_define_method(klass, "current", client_current, 1);
  rb_define_method(klass, "stand_in", client_stand_in, 1);
  rb_define_method(klass, "follow", client_follow, 0);
  rb_define_method(klass, "offline?", client_is_offline, 0);
  rb_define_method(klass, "home", client_home, 0);
  rb_define_method(klass, "root", client_root, 0);
  rb_define_method(klass, "observer", client_observer, 0);
  rb_define_module_function(privy_rb_core, "routing=", core_set_routing, 1);
  rb_define_module_function(privy_rb_core, "routing?", core_is_routing, 0);
  rb_define_method(klass, "base_url", client_base_url, 0);
  rb_define_method(klass, "account", client_account, 0);
  rb_define_method(klass, "sandbox?", client_is_sandbox, 0);
  rb_define_method(klass, "rate_limits", client_rate_limits, 0);
  rb_define_method(klass, "duration", client_duration, 1);
  rb_define_method(klass, "take_slot", client_take_slot, 3);
  rb_define_method(klass, "close", client_close, 0);
  rb_define_method(klass, "closed?", client_is_closed, 0);
  rb_define_method(klass, "check_options", client_check_options, -1);
}
