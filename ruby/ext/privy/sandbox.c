#include "binding.h"

#include <errno.h>

#include "privy_sandbox.h"

static void sandbox_free(void *data) {
  privy_sandbox_release(data);
}

/* The core does not report the size of a sandbox. */
static size_t sandbox_size(const void *data) {
  (void)data;
  return 0;
}

static const rb_data_type_t sandbox_type = {
    .wrap_struct_name = "Privy::Sandbox",
    .function = {.dfree = sandbox_free, .dsize = sandbox_size},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static VALUE sandbox_allocate(VALUE klass) {
  VALUE self = TypedData_Wrap_Struct(klass, &sandbox_type, NULL);
  privy_sandbox *sandbox;
  if (privy_sandbox_new(&sandbox) != PRIVY_OK) privy_rb_raise_memory();
  RTYPEDDATA_DATA(self) = sandbox;
  return self;
}

privy_sandbox *privy_rb_sandbox_get(VALUE self) {
  return rb_check_typeddata(self, &sandbox_type);
}

static void check(privy_status status) {
  if (status == PRIVY_NO_MEMORY) privy_rb_raise_memory();
}

static const char *text_or_null(VALUE *value) {
  return NIL_P(*value) ? NULL : StringValueCStr(*value);
}

/* ---- requests ---- */

struct handle {
  privy_sandbox *sandbox;
  VALUE method, target, headers, body;
  privy_sandbox_response response;
};

static VALUE handle_body(VALUE argument) {
  struct handle *handle = (struct handle *)argument;
  privy_sandbox_response *response = &handle->response;
  check(privy_sandbox_handle(handle->sandbox, StringValueCStr(handle->method), StringValueCStr(handle->target),
                             RSTRING_PTR(handle->headers), (size_t)RSTRING_LEN(handle->headers),
                             RSTRING_PTR(handle->body), (size_t)RSTRING_LEN(handle->body), response));
  VALUE headers =
      rb_utf8_str_new(response->headers.length == 0 ? "" : response->headers.data, (long)response->headers.length);
  VALUE body = rb_utf8_str_new(response->body.length == 0 ? "" : response->body.data, (long)response->body.length);
  VALUE cut = response->cut == PRIVY_CUT_DROP       ? ID2SYM(rb_intern("drop"))
              : response->cut == PRIVY_CUT_TRUNCATE ? ID2SYM(rb_intern("truncate"))
                                                    : Qnil;
  return rb_ary_new_from_args(5, INT2NUM(response->http_status), headers, body, DBL2NUM(response->delay), cut);
}

static VALUE handle_clean(VALUE argument) {
  privy_sandbox_response_clear(&((struct handle *)argument)->response);
  return Qnil;
}

/* core_handle(method, target, header block, body) → [status, header block, body, delay, nil | :drop | :truncate] */
static VALUE sandbox_handle(VALUE self, VALUE method, VALUE target, VALUE headers, VALUE body) {
  struct handle handle = {.sandbox = privy_rb_sandbox_get(self)};
  handle.method = rb_str_new_frozen(StringValue(method));
  handle.target = rb_str_new_frozen(StringValue(target));
  handle.headers = rb_str_new_frozen(StringValue(headers));
  handle.body = rb_str_new_frozen(StringValue(body));
  privy_sandbox_response_init(&handle.response);
  VALUE result = rb_ensure(handle_body, (VALUE)&handle, handle_clean, (VALUE)&handle);
  RB_GC_GUARD(self);
  return result;
}

/* ---- credentials ---- */

static VALUE sandbox_add_token(VALUE self, VALUE token, VALUE scopes) {
  check(privy_sandbox_add_token(privy_rb_sandbox_get(self), StringValueCStr(token), text_or_null(&scopes)));
  return Qnil;
}

static VALUE sandbox_revoke_token(VALUE self, VALUE token) {
  return privy_sandbox_revoke_token(privy_rb_sandbox_get(self), StringValueCStr(token)) ? Qtrue : Qfalse;
}

static VALUE sandbox_add_client(VALUE self, VALUE client_id, VALUE secret, VALUE scopes) {
  check(privy_sandbox_add_client(privy_rb_sandbox_get(self), StringValueCStr(client_id), StringValueCStr(secret),
                                 text_or_null(&scopes)));
  return Qnil;
}

static VALUE sandbox_add_integration(VALUE self, VALUE token, VALUE active) {
  check(privy_sandbox_add_integration(privy_rb_sandbox_get(self), StringValueCStr(token), RTEST(active)));
  return Qnil;
}

/* ---- state that requests cannot set ---- */

/* set_consent(contact, field, value) → :ok, :unknown_contact or :unknown_value */
static VALUE sandbox_set_consent(VALUE self, VALUE contact, VALUE field, VALUE value) {
  privy_status status = privy_sandbox_set_consent(privy_rb_sandbox_get(self), StringValueCStr(contact),
                                                  StringValueCStr(field), StringValueCStr(value));
  check(status);
  if (status == PRIVY_OK) return ID2SYM(rb_intern("ok"));
  return ID2SYM(rb_intern(status == PRIVY_NOT_FOUND ? "unknown_contact" : "unknown_value"));
}

static VALUE sandbox_set_countries(VALUE self, VALUE prefixes) {
  check(privy_sandbox_set_sms_countries(privy_rb_sandbox_get(self), StringValueCStr(prefixes)));
  return Qnil;
}

static VALUE sandbox_set_limits(VALUE self, VALUE per_minute, VALUE per_day, VALUE window) {
  const privy_status status =
      privy_sandbox_set_limits(privy_rb_sandbox_get(self), NUM2UINT(per_minute), NUM2UINT(per_day), NUM2UINT(window));
  if (status != PRIVY_OK) rb_raise(rb_eArgError, "window must be 1 to %d seconds", PRIVY_SANDBOX_WINDOW);
  return Qnil;
}

static VALUE sandbox_set_clock(VALUE self, VALUE seconds) {
  privy_sandbox_set_clock(privy_rb_sandbox_get(self), NUM2DBL(seconds));
  return Qnil;
}

static VALUE sandbox_advance(VALUE self, VALUE seconds) {
  privy_sandbox_advance(privy_rb_sandbox_get(self), NUM2DBL(seconds));
  return Qnil;
}

static VALUE sandbox_set_skipping(VALUE self, VALUE on) {
  privy_sandbox_set_skipping(privy_rb_sandbox_get(self), RTEST(on));
  return Qnil;
}

static VALUE sandbox_seconds(VALUE self) {
  return DBL2NUM(privy_sandbox_now(privy_rb_sandbox_get(self)));
}

/* ---- faults and counts ---- */

/* add_fault(status, body, retry_after, delay, cut, skip, count, operation) → whether the operation exists */
static VALUE sandbox_add_fault(int count, VALUE *arguments, VALUE self) {
  rb_check_arity(count, 8, 8);
  VALUE cut = arguments[4];
  privy_sandbox_fault fault = {
      .http_status = NUM2INT(arguments[0]),
      .body = text_or_null(&arguments[1]),
      .retry_after = NUM2DBL(arguments[2]),
      .delay = NUM2DBL(arguments[3]),
      .cut = NIL_P(cut)                             ? PRIVY_CUT_NONE
             : cut == ID2SYM(rb_intern("truncate")) ? PRIVY_CUT_TRUNCATE
                                                    : PRIVY_CUT_DROP,
      .skip = NUM2UINT(arguments[5]),
      .count = NUM2UINT(arguments[6]),
      .operation = text_or_null(&arguments[7]),
  };
  const privy_status status = privy_sandbox_add_fault(privy_rb_sandbox_get(self), &fault);
  check(status);
  return status == PRIVY_OK ? Qtrue : Qfalse;
}

typedef privy_status text_reader(privy_sandbox *sandbox, const char *text, size_t length, privy_error *error);

struct reading {
  text_reader *reader;
  VALUE self, text;
  privy_error error;
};

static VALUE read_body(VALUE argument) {
  struct reading *reading = (struct reading *)argument;
  StringValue(reading->text);
  privy_rb_check(reading->reader(privy_rb_sandbox_get(reading->self), RSTRING_PTR(reading->text),
                                 (size_t)RSTRING_LEN(reading->text), &reading->error),
                 &reading->error);
  return Qnil;
}

static VALUE read_end(VALUE argument) {
  privy_error_clear(&((struct reading *)argument)->error);
  return Qnil;
}

static VALUE read_text(VALUE self, VALUE text, text_reader *reader) {
  struct reading reading = {.reader = reader, .self = self, .text = text};
  privy_error_init(&reading.error);
  return rb_ensure(read_body, (VALUE)&reading, read_end, (VALUE)&reading);
}

static VALUE sandbox_read_limits(VALUE self, VALUE text) {
  return read_text(self, text, privy_sandbox_read_limits);
}

static VALUE sandbox_read_seed(VALUE self, VALUE text) {
  return read_text(self, text, privy_sandbox_read_seed);
}

static VALUE sandbox_read_fault(VALUE self, VALUE text) {
  return read_text(self, text, privy_sandbox_read_fault);
}

static VALUE sandbox_clear_faults(VALUE self) {
  privy_sandbox_clear_faults(privy_rb_sandbox_get(self));
  return Qnil;
}

static VALUE counts_array(privy_sandbox_counts counts) {
  return rb_ary_new_from_args(5, ULL2NUM(counts.requests), ULL2NUM(counts.contacts), ULL2NUM(counts.orders),
                              ULL2NUM(counts.events), ULL2NUM(counts.welcome_messages));
}

/* core_counts → the members of privy_sandbox_counts in order */
static VALUE sandbox_counts(VALUE self) {
  return counts_array(privy_sandbox_count(privy_rb_sandbox_get(self)));
}

/* ---- snapshots ---- */

static void snapshot_free(void *data) {
  privy_sandbox_snapshot_free(data);
}

static const rb_data_type_t snapshot_type = {
    .wrap_struct_name = "Privy::Sandbox::Snapshot",
    .function = {.dfree = snapshot_free, .dsize = sandbox_size},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static VALUE snapshot_class;

static VALUE sandbox_snapshot(VALUE self) {
  privy_sandbox_snapshot *snapshot;
  VALUE object = TypedData_Wrap_Struct(snapshot_class, &snapshot_type, NULL);
  check(privy_sandbox_snapshot_new(privy_rb_sandbox_get(self), &snapshot));
  RTYPEDDATA_DATA(object) = snapshot;
  return rb_obj_freeze(object);
}

/* core_counts of a snapshot → the same */
static VALUE snapshot_counts(VALUE self) {
  return counts_array(privy_sandbox_snapshot_count(rb_check_typeddata(self, &snapshot_type)));
}

static VALUE sandbox_restore(VALUE self, VALUE snapshot) {
  check(privy_sandbox_restore(privy_rb_sandbox_get(self), rb_check_typeddata(snapshot, &snapshot_type)));
  RB_GC_GUARD(snapshot);
  return Qnil;
}

/* ---- what it received and stores ---- */

/* A body: UTF-8 if it is valid UTF-8, else binary. */
static VALUE request_body(const privy_sandbox_request *request) {
  if (request->body == NULL) return Qnil;
  VALUE body = rb_utf8_str_new(request->body, (long)request->body_length);
  if (rb_enc_str_coderange(body) == ENC_CODERANGE_BROKEN) rb_enc_associate(body, rb_ascii8bit_encoding());
  return rb_obj_freeze(body);
}

static VALUE request_values(const privy_sandbox_request *request) {
  VALUE operation = request->operation == NULL ? Qnil : privy_rb_text(request->operation);
  return rb_ary_new_from_args(7, privy_rb_clean_text(request->method, strlen(request->method)),
                              privy_rb_clean_text(request->target, strlen(request->target)), operation,
                              INT2NUM(request->http_status), privy_rb_instant(request->at),
                              privy_rb_clean_text(request->headers, request->headers_length), request_body(request));
}

static VALUE history_body(VALUE argument) {
  const privy_sandbox_history *history = (const privy_sandbox_history *)argument;
  const privy_sandbox_request *request;
  VALUE list = rb_ary_new();
  for (size_t index = 0; (request = privy_sandbox_history_at(history, index)); index++)
    rb_ary_push(list, request_values(request));
  return list;
}

static VALUE history_clean(VALUE argument) {
  privy_sandbox_history_free((privy_sandbox_history *)argument);
  return Qnil;
}

/* core_history → [[method, path, operation, status, time, header block, body], …] */
static VALUE sandbox_history(VALUE self) {
  privy_sandbox_history *history;
  check(privy_sandbox_history_new(privy_rb_sandbox_get(self), &history));
  return rb_ensure(history_body, (VALUE)history, history_clean, (VALUE)history);
}

static VALUE sandbox_keep_history(VALUE self, VALUE most) {
  privy_sandbox_keep_history(privy_rb_sandbox_get(self), NUM2SIZET(most));
  return Qnil;
}

static privy_sandbox_kind kind_of(VALUE kind) {
  if (kind == ID2SYM(rb_intern("contacts"))) return PRIVY_SANDBOX_CONTACTS;
  if (kind == ID2SYM(rb_intern("messages"))) return PRIVY_SANDBOX_MESSAGES;
  return kind == ID2SYM(rb_intern("orders")) ? PRIVY_SANDBOX_ORDERS : PRIVY_SANDBOX_EVENTS;
}

struct view {
  privy_sandbox *sandbox;
  privy_sandbox_kind kind;
  VALUE key;
  privy_buffer text;
  privy_error error;
};

static VALUE stored_body(VALUE argument) {
  struct view *view = (struct view *)argument;
  privy_value all, key, item;
  privy_cursor cursor;
  check(privy_sandbox_list(view->sandbox, view->kind, &view->text));
  privy_rb_check(privy_value_parse(view->text.data, view->text.length, &all, &view->error), &view->error);
  VALUE list = rb_ary_new();
  privy_cursor_init(&cursor, all);
  while (privy_cursor_next(&cursor, &key, &item)) rb_ary_push(list, rb_utf8_str_new(item.text, (long)item.length));
  return list;
}

static VALUE find_body(VALUE argument) {
  struct view *view = (struct view *)argument;
  const privy_status status = privy_sandbox_find(view->sandbox, view->kind, RSTRING_PTR(view->key),
                                                 (size_t)RSTRING_LEN(view->key), &view->text);
  check(status);
  return status == PRIVY_OK ? rb_utf8_str_new(view->text.data, (long)view->text.length) : Qnil;
}

static VALUE view_clean(VALUE argument) {
  struct view *view = (struct view *)argument;
  privy_buffer_clear(&view->text);
  privy_error_clear(&view->error);
  return Qnil;
}

static VALUE look(VALUE self, VALUE (*body)(VALUE), VALUE kind, VALUE key) {
  struct view view = {.sandbox = privy_rb_sandbox_get(self), .kind = kind_of(kind), .key = key};
  privy_error_init(&view.error);
  VALUE result = rb_ensure(body, (VALUE)&view, view_clean, (VALUE)&view);
  RB_GC_GUARD(self);
  RB_GC_GUARD(key);
  return result;
}

/* core_stored(kind) → the JSON text of each record */
static VALUE sandbox_stored(VALUE self, VALUE kind) {
  return look(self, stored_body, kind, Qnil);
}

/* core_find(kind, key) → the JSON text of the record, or nil */
static VALUE sandbox_find(VALUE self, VALUE kind, VALUE key) {
  return look(self, find_body, kind, rb_str_new_frozen(StringValue(key)));
}

/* Raises ArgumentError with the text, which is cleared. */
static void refuse(privy_buffer *problem) {
  VALUE message = rb_utf8_str_new(problem->data, (long)problem->length);
  privy_buffer_clear(problem);
  rb_exc_raise(rb_exc_new_str(rb_eArgError, message));
}

/* core_seed(kind, contacts, days, seed) */
static VALUE sandbox_seed(VALUE self, VALUE kind, VALUE contacts, VALUE days, VALUE seed) {
  privy_buffer problem = PRIVY_BUFFER_EMPTY;
  const char *name = StringValueCStr(kind);
  const long long numbers[] = {NUM2LL(contacts), NUM2LL(days)};
  const privy_status status =
      privy_sandbox_seed(privy_rb_sandbox_get(self), name, numbers[0], numbers[1], NUM2ULL(seed), &problem);
  if (status == PRIVY_VALIDATION) refuse(&problem);
  privy_buffer_clear(&problem);
  check(status);
  RB_GC_GUARD(kind);
  return Qnil;
}

/* ---- files ---- */

static void check_file(int error, VALUE path) {
  if (error == ENOMEM) privy_rb_raise_memory();
  if (error) rb_syserr_fail_str(error, path);
}

/* save(path) */
static VALUE sandbox_save(VALUE self, VALUE given) {
  VALUE path = rb_get_path(given);
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  int error = 0;
  const privy_status status = privy_sandbox_write(privy_rb_sandbox_get(self), &text);
  if (status == PRIVY_OK) error = privy_file_write(StringValueCStr(path), text.data, text.length);
  privy_buffer_clear(&text);
  check(status);
  check_file(error, path);
  return Qnil;
}

/* core_load(path) → nil, or what is wrong with the file */
static VALUE sandbox_load(VALUE self, VALUE given) {
  VALUE path = rb_get_path(given);
  privy_buffer text = PRIVY_BUFFER_EMPTY, problem = PRIVY_BUFFER_EMPTY;
  privy_status status = PRIVY_OK;
  const int error = privy_file_read(StringValueCStr(path), &text);
  if (error == 0) status = privy_sandbox_read(privy_rb_sandbox_get(self), text.data, text.length, &problem);
  privy_buffer_clear(&text);
  VALUE message = status == PRIVY_VALIDATION ? rb_utf8_str_new(problem.data, (long)problem.length) : Qnil;
  privy_buffer_clear(&problem);
  check(status);
  check_file(error, path);
  return message;
}

static VALUE sandbox_reset(VALUE self) {
  privy_sandbox_reset(privy_rb_sandbox_get(self));
  return Qnil;
}

static void define_snapshot(VALUE klass) {
  snapshot_class = rb_define_class_under(klass, "Snapshot", rb_cObject);
  rb_gc_register_mark_object(snapshot_class);
  rb_undef_alloc_func(snapshot_class);
  rb_undef_method(snapshot_class, "initialize_copy");
  rb_define_private_method(snapshot_class, "core_counts", snapshot_counts, 0);
  rb_define_method(klass, "snapshot", sandbox_snapshot, 0);
  rb_define_method(klass, "restore", sandbox_restore, 1);
}

void privy_rb_init_sandbox(void) {
  VALUE klass = rb_define_class_under(privy_rb_module, "Sandbox", rb_cObject);
  rb_define_alloc_func(klass, sandbox_allocate);
  rb_undef_method(klass, "initialize_copy");
  rb_define_const(klass, "TOKEN", rb_obj_freeze(rb_str_new_cstr(PRIVY_SANDBOX_TOKEN)));
  rb_define_const(klass, "CLIENT_ID", rb_obj_freeze(rb_str_new_cstr(PRIVY_SANDBOX_CLIENT_ID)));
  rb_define_const(klass, "CLIENT_SECRET", rb_obj_freeze(rb_str_new_cstr(PRIVY_SANDBOX_CLIENT_SECRET)));
  rb_define_private_method(klass, "core_handle", sandbox_handle, 4);
  rb_define_private_method(klass, "core_add_token", sandbox_add_token, 2);
  rb_define_private_method(klass, "core_add_client", sandbox_add_client, 3);
  rb_define_private_method(klass, "core_add_integration", sandbox_add_integration, 2);
  rb_define_private_method(klass, "core_set_consent", sandbox_set_consent, 3);
  rb_define_private_method(klass, "core_set_countries", sandbox_set_countries, 1);
  rb_define_private_method(klass, "core_set_limits", sandbox_set_limits, 3);
  rb_define_private_method(klass, "core_read_limits", sandbox_read_limits, 1);
  rb_define_private_method(klass, "core_read_seed", sandbox_read_seed, 1);
  rb_define_private_method(klass, "core_read_fault", sandbox_read_fault, 1);
  rb_define_private_method(klass, "core_set_clock", sandbox_set_clock, 1);
  rb_define_private_method(klass, "core_advance", sandbox_advance, 1);
  rb_define_private_method(klass, "core_set_skipping", sandbox_set_skipping, 1);
  rb_define_private_method(klass, "core_seconds", sandbox_seconds, 0);
  rb_define_private_method(klass, "core_add_fault", sandbox_add_fault, -1);
  rb_define_private_method(klass, "core_counts", sandbox_counts, 0);
  rb_define_private_method(klass, "core_history", sandbox_history, 0);
  rb_define_private_method(klass, "core_keep_history", sandbox_keep_history, 1);
  rb_define_private_method(klass, "core_stored", sandbox_stored, 1);
  rb_define_private_method(klass, "core_find", sandbox_find, 2);
  define_snapshot(klass);
  rb_define_method(klass, "save", sandbox_save, 1);
  rb_define_private_method(klass, "core_load", sandbox_load, 1);
  rb_define_private_method(klass, "core_seed", sandbox_seed, 4);
  rb_define_method(klass, "revoke_token", sandbox_revoke_token, 1);
  rb_define_method(klass, "clear_faults", sandbox_clear_faults, 0);
  rb_define_method(klass, "reset", sandbox_reset, 0);
}
