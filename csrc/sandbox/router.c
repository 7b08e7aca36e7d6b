#include <inttypes.h>
#include <string.h>

#include "sandbox/respond.h"

/* ---- routes ------------------------------------------------------------------------------------------------------ */

static privy_handler *const handlers[PRIVY_OP_COUNT] = {
    [PRIVY_OP_LIST] = privy_contacts_list,
    [PRIVY_OP_GET] = privy_contacts_get,
    [PRIVY_OP_CREATE] = privy_contacts_create,
    [PRIVY_OP_UPDATE] = privy_contacts_update,
    [PRIVY_OP_UNSUBSCRIBE] = privy_contacts_unsubscribe,
    [PRIVY_OP_DELETE] = privy_contacts_delete,
    [PRIVY_OP_ORDER] = privy_orders_upsert,
    [PRIVY_OP_EVENT] = privy_events_ingest,
};

/* Whether the path matches the pattern, in which "{…}" matches a segment. */
static bool matches(const char *pattern, privy_slice path, privy_slice *segment) {
  size_t at = 0;
  for (; *pattern; pattern++) {
    if (*pattern != '{') {
      if (at == path.length || path.text[at++] != *pattern) return false;
      continue;
    }
    const size_t start = at;
    while (at < path.length && path.text[at] != '/') at++;
    if (at == start) return false;
    *segment = (privy_slice){path.text + start, at - start};
    pattern = strchr(pattern, '}');
  }
  return at == path.length;
}

/* Finds the operation of the method and path. An upsert has no handler: it is a create. */
static void find_operation(privy_exchange *exchange) {
  const privy_operation *operation;
  for (size_t i = 0; (operation = privy_operation_at(i)); i++) {
    if (!handlers[operation->id] || !matches(operation->path, exchange->path, &exchange->id) ||
        !privy_text_is(exchange->method.text, exchange->method.length, operation->method))
      continue;
    exchange->operation = operation;
    privy_check_init(&exchange->check, operation, PRIVY_CHECK_LENIENT);
    return;
  }
}

static bool is_token_path(const privy_exchange *exchange) {
  return privy_text_is(exchange->path.text, exchange->path.length, "/oauth/token");
}

static bool is_token_endpoint(const privy_exchange *exchange) {
  return privy_text_is(exchange->method.text, exchange->method.length, "POST") && is_token_path(exchange);
}

static const privy_sandbox_token *find_token(const privy_exchange *exchange) {
  privy_slice value, scheme;
  if (!privy_find_header(exchange->headers.text, exchange->headers.length, "Authorization", &value)) return NULL;
  if (!privy_next_word(&value, ' ', &scheme) || !privy_text_is_nocase(scheme.text, scheme.length, "Bearer"))
    return NULL;
  value = privy_trim(value.text, value.length);
  return privy_credentials_token(&exchange->sandbox->credentials, value, exchange->now);
}

/* ---- refusals ---------------------------------------------------------------------------------------------------- */

static privy_status refuse_token(privy_exchange *exchange) {
  return privy_respond_error(exchange, 401);
}

static privy_status refuse_scope(privy_exchange *exchange) {
  return privy_respond_error(exchange, 403);
}

static privy_status refuse_path(privy_exchange *exchange) {
  return privy_respond_error(exchange, 404);
}

static privy_status refuse_size(privy_exchange *exchange) {
  return privy_respond_error(exchange, 413);
}

static privy_status refuse_rate(privy_exchange *exchange) {
  const int64_t wait = privy_sandbox_limits_wait(&exchange->sandbox->counters.limits, exchange->now);
  if (!privy_buffer_format(&exchange->response->headers, "Retry-After: %" PRId64 "\r\n", wait)) return PRIVY_NO_MEMORY;
  return privy_respond_error(exchange, 429);
}

static bool write_retry_after(privy_exchange *exchange, double seconds) {
  privy_buffer *out = &exchange->response->headers;
  if (!(seconds >= 0.0)) return true;
  const uint64_t millis = seconds < 1e12 ? (uint64_t)(seconds * 1000.0 + 0.5) : UINT64_C(1000000000000000);
  if (millis % 1000 == 0) return privy_buffer_format(out, "Retry-After: %" PRIu64 "\r\n", millis / 1000);
  return privy_buffer_format(out, "Retry-After: %" PRIu64 ".%03" PRIu64 "\r\n", millis / 1000, millis % 1000);
}

static const char *type_of_body(const char *body) {
  if (*body == '{' || *body == '[') return "application/json; charset=utf-8";
  return *body == '<' ? "text/html; charset=utf-8" : "text/plain; charset=utf-8";
}

static privy_status respond_fault(privy_exchange *exchange) {
  const privy_sandbox_fault *fault = exchange->fault;
  const char *body = fault->body;
  if (!write_retry_after(exchange, fault->retry_after)) return PRIVY_NO_MEMORY;
  if (!body && fault->http_status >= 400) return privy_respond_error(exchange, fault->http_status);
  if (!body) body = "";
  if (*body && !privy_respond_header(exchange, "Content-Type", type_of_body(body))) return PRIVY_NO_MEMORY;
  if (!privy_buffer_text(&exchange->response->body, body)) return PRIVY_NO_MEMORY;
  exchange->response->http_status = fault->http_status;
  return PRIVY_OK;
}

/* ---- handling a request ------------------------------------------------------------------------------------------ */

static privy_handler *choose(privy_exchange *exchange) {
  if (exchange->fault && exchange->fault->http_status) return respond_fault;
  if (exchange->body.length > PRIVY_LONGEST_BODY || exchange->query.length > PRIVY_LONGEST_HEAD) return refuse_size;
  if (is_token_endpoint(exchange)) return privy_oauth_token;
  const privy_sandbox_token *token = find_token(exchange);
  if (!token) return refuse_token;
  if (!privy_sandbox_limits_take(&exchange->sandbox->counters.limits, exchange->now)) return refuse_rate;
  const privy_operation *operation = exchange->operation;
  if (!operation) return refuse_path;
  if (!(token->scopes & 1u << operation->scope)) return refuse_scope;
  if (operation->body_limit && exchange->body.length > operation->body_limit) return refuse_size;
  return handlers[operation->id];
}

static void split_target(privy_exchange *exchange, const char *target) {
  const char *query = strchr(target, '?');
  privy_slice path = {target, query ? (size_t)(query - target) : strlen(target)};
  if (privy_text_starts(path.text, path.length, "/v1/")) path = (privy_slice){path.text + 3, path.length - 3};
  exchange->path = path;
  exchange->query = query ? (privy_slice){query + 1, strlen(query + 1)} : (privy_slice){"", 0};
}

/* Records the request and its response. A body with the secret of an OAuth client is left out. */
static void record(privy_exchange *exchange) {
  const bool secret = is_token_path(exchange);
  const privy_sandbox_request request = {
      .method = exchange->method.text,
      .target = exchange->path.text,
      .operation = exchange->operation ? exchange->operation->name : NULL,
      .headers = exchange->headers.text,
      .headers_length = exchange->headers.length,
      .body = secret ? NULL : exchange->body.text,
      .body_length = secret ? 0 : exchange->body.length,
      .http_status = exchange->response->http_status,
      .at = exchange->now,
  };
  privy_recorder_add(&exchange->sandbox->recorder, &request);
}

/* Handles the request. The caller holds the lock. */
static privy_status handle(privy_sandbox *sandbox, privy_exchange *exchange) {
  const privy_counters before = sandbox->counters;
  sandbox->counters.requests++;
  sandbox->counters.serial++;
  exchange->now = privy_clock_now(&sandbox->clock);
  find_operation(exchange);
  exchange->fault = privy_sandbox_faults_next(&sandbox->faults, exchange->operation);
  privy_handler *handler = choose(exchange);
  const privy_status status = privy_respond_start(exchange) ? handler(exchange) : PRIVY_NO_MEMORY;
  if (status != PRIVY_OK) {
    sandbox->counters = before;
    return status;
  }
  if (exchange->fault) {
    exchange->response->delay = exchange->fault->delay > 0.0 ? exchange->fault->delay : 0.0;
    exchange->response->cut = exchange->fault->cut;
  }
  privy_sandbox_faults_pass(&sandbox->faults, exchange->operation);
  record(exchange);
  return PRIVY_OK;
}

privy_status privy_exchange_run(privy_sandbox *sandbox, const char *method, const char *target, privy_slice headers,
                                privy_slice body, privy_sandbox_response *response) {
  privy_exchange exchange = {.sandbox = sandbox,
                             .response = response,
                             .method = {method, strlen(method)},
                             .headers = {headers.length ? headers.text : "", headers.length},
                             .body = {body.length ? body.text : "", body.length}};
  split_target(&exchange, target);
  privy_check_init(&exchange.check, NULL, PRIVY_CHECK_LENIENT);
  privy_sandbox_response_clear(response);
  const privy_status status = handle(sandbox, &exchange);
  privy_check_clear(&exchange.check);
  privy_buffer_clear(&exchange.scratch);
  if (status != PRIVY_OK) privy_sandbox_response_clear(response);
  return status;
}

privy_status privy_sandbox_handle(privy_sandbox *sandbox, const char *method, const char *target, const char *headers,
                                  size_t headers_length, const char *body, size_t body_length,
                                  privy_sandbox_response *response) {
  privy_sandbox_lock(sandbox);
  const privy_status status = privy_exchange_run(sandbox, method, target, (privy_slice){headers, headers_length},
                                                 (privy_slice){body, body_length}, response);
  privy_sandbox_unlock(sandbox);
  return status;
}
