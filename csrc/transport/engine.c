#include "transport/engine.h"

#include <math.h>

#include "base/clock.h"
#include "base/fork.h"
#include "base/memory.h"
#include "message/error.h"
#include "transport/transfer.h"

/* Idle connections. By default libcurl keeps few while few transfers run, and closes most after a burst. */
#define MAX_IDLE 64L

/* Seconds of one wait, which may end earlier. */
#define MAX_WAIT 3600.0

struct privy_engine {
  const privy_libcurl *curl;
  const privy_settings *settings;
  CURLM *multi;
  privy_transfer *idle; /* completed transfers, to be used again */
  privy_socket_function *callback;
  void *context;
  double due;      /* of the next socket action, by privy_monotonic; INFINITY: none is needed */
  double deadline; /* when the first extended transfer may time out, by privy_monotonic; INFINITY: there is none */
  privy_transfer *expired; /* timed out after an extension, and not taken */
  size_t in_flight;        /* transfers that are started and not taken */
  privy_connection connections[PRIVY_CONNECTIONS_MAX];
};

/* ---- life ---- */

/* Accepts all schemes: those of proxies are not among those of transfers. */
static privy_status check_url(const privy_libcurl *curl, const char *name, const char *url, privy_error *error) {
  CURLU *address = curl->url();
  CURLUcode result = address ? curl->url_set(address, CURLUPART_URL, url, CURLU_PATH_AS_IS | CURLU_NON_SUPPORT_SCHEME)
                             : CURLUE_OUT_OF_MEMORY;
  curl->url_cleanup(address);
  if (result == CURLUE_OK) return PRIVY_OK;
  if (result == CURLUE_OUT_OF_MEMORY) return privy_error_no_memory(error);
  return privy_error_set(error, PRIVY_CONFIG_ERROR, "%s cannot be used: %s", name, curl->url_strerror(result));
}

privy_status privy_engine_check(const privy_settings *settings, privy_error *error) {
  const privy_libcurl *curl = privy_libcurl_load(error);
  if (!curl) return error->code;
  privy_status status = check_url(curl, "base_url", settings->base_url, error);
  if (status == PRIVY_OK) status = check_url(curl, "token_url", settings->token_url, error);
  if (status == PRIVY_OK && settings->proxy) status = check_url(curl, "proxy", settings->proxy, error);
  return status;
}

privy_status privy_engine_new(const privy_settings *settings, privy_engine **out, privy_error *error) {
  const privy_libcurl *curl = privy_libcurl_load(error);
  if (!curl) return error->code;
  privy_engine *engine = privy_calloc(1, sizeof *engine);
  if (!engine) return privy_error_no_memory(error);
  engine->curl = curl;
  engine->settings = settings;
  engine->due = engine->deadline = INFINITY;
  engine->multi = curl->multi_init();
  if (!engine->multi) {
    privy_free(engine);
    return privy_error_no_memory(error);
  }
  curl->multi_setopt(engine->multi, CURLMOPT_MAXCONNECTS, MAX_IDLE);
  *out = engine;
  return PRIVY_OK;
}

void privy_engine_free(privy_engine *engine) {
  if (!engine) return;
  privy_fork_forbid();
  for (privy_transfer *transfer = engine->idle, *next; transfer; transfer = next) {
    next = transfer->next;
    privy_transfer_free(transfer);
  }
  engine->curl->multi_cleanup(engine->multi);
  privy_fork_allow();
  privy_free(engine);
}

bool privy_engine_has_closed(const privy_engine *engine) {
  return privy_connections_any_closed(engine->connections);
}

void privy_engine_abandon(privy_engine *engine) {
  privy_connections_close_copies(engine->connections);
  privy_free(engine);
}

/* ---- transfers ---- */

static privy_transfer *take_idle(privy_engine *engine) {
  privy_transfer *transfer = engine->idle;
  if (!transfer) return privy_transfer_new(engine->curl, engine->settings, engine->connections);
  engine->idle = transfer->next;
  return transfer;
}

privy_status privy_engine_start(privy_engine *engine, const privy_wire_request *wire_request,
                                privy_wire_response *wire_response, void *owner, privy_transfer **out) {
  privy_fork_forbid();
  privy_transfer *transfer = take_idle(engine);
  bool started = transfer && privy_transfer_prepare(transfer, engine->settings, wire_request, wire_response, owner) &&
                 engine->curl->multi_add_handle(engine->multi, transfer->easy) == CURLM_OK;
  if (transfer && !started) privy_transfer_free(transfer);
  privy_fork_allow();
  wire_response->never_arrived = !started;
  if (!started) return PRIVY_NO_MEMORY;
  engine->in_flight++;
  *out = transfer;
  return PRIVY_OK;
}

/* In an event loop libcurl only checks a transfer's first timeout. The engine itself enforces an extended one, by
 * `deadline`. */
void privy_engine_extend(privy_engine *engine, privy_transfer *transfer, double seconds) {
  privy_transfer_extend(transfer, seconds);
  engine->deadline = fmin(engine->deadline, privy_transfer_deadline(transfer));
}

bool privy_engine_cancel(privy_engine *engine, privy_transfer *transfer) {
  bool sent = transfer->request.sent;
  engine->in_flight--;
  if (engine->in_flight == 0)
    privy_connections_retire(transfer->connections, transfer->request.port, transfer->request.sent_at);
  privy_fork_forbid();
  engine->curl->multi_remove_handle(engine->multi, transfer->easy);
  privy_transfer_free(transfer);
  privy_fork_allow();
  return sent;
}

/* Sends the request on a new connection if the kept one was stale; nothing was sent on that. False otherwise. */
static bool restart_if_stale(privy_engine *engine, privy_transfer *transfer) {
  if (!transfer->request.stale) return false;
  privy_transfer_use_new_connection(transfer);
  return engine->curl->multi_add_handle(engine->multi, transfer->easy) == CURLM_OK;
}

/* The next completed transfer; NULL if there is none. */
static privy_transfer *next_completed(privy_engine *engine, CURLcode *result) {
  int left;
  CURLMsg *message;
  if (engine->expired) {
    privy_transfer *transfer = engine->expired;
    engine->expired = transfer->next;
    *result = CURLE_OPERATION_TIMEDOUT;
    return transfer;
  }
  while ((message = engine->curl->multi_info_read(engine->multi, &left))) {
    if (message->msg != CURLMSG_DONE) continue;
    char *private = NULL;
    *result = message->data.result;
    engine->curl->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
    privy_transfer *transfer = (privy_transfer *)(void *)private;
    if (*result == CURLE_OPERATION_TIMEDOUT)
      privy_connections_retire(transfer->connections, transfer->request.port, transfer->request.sent_at);
    privy_fork_forbid();
    engine->curl->multi_remove_handle(engine->multi, transfer->easy);
    bool again = restart_if_stale(engine, transfer);
    privy_fork_allow();
    if (!again) return transfer;
  }
  return NULL;
}

void *privy_engine_next_completed(privy_engine *engine, privy_status *status, privy_error *(*error_of)(void *owner)) {
  CURLcode result = CURLE_OK;
  privy_transfer *transfer = next_completed(engine, &result);
  if (!transfer) return NULL;
  *status = privy_transfer_end(transfer, result, error_of(transfer->request.owner));
  engine->in_flight--;
  transfer->next = engine->idle;
  engine->idle = transfer;
  return transfer->request.owner;
}

/* ---- driven by waiting ---- */

void privy_engine_wait(privy_engine *engine, double seconds) {
  int running = 0;
  privy_fork_forbid();
  CURLMcode result = engine->curl->multi_perform(engine->multi, &running);
  privy_fork_allow();
  if (result != CURLM_OK || (size_t)running == engine->in_flight)
    engine->curl->multi_poll(engine->multi, NULL, 0, (int)(fmin(seconds, MAX_WAIT) * 1000), NULL);
}

void privy_engine_send(privy_engine *engine) {
  int running = 0;
  privy_fork_forbid();
  engine->curl->multi_socket_action(engine->multi, CURL_SOCKET_TIMEOUT, 0, &running);
  privy_fork_allow();
}

void privy_engine_wake(privy_engine *engine) {
  engine->curl->multi_wakeup(engine->multi);
}

/* ---- driven by an event loop ---- */

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *unused) {
  privy_engine *engine = context;
  (void)easy, (void)unused;
  int events = 0;
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) events |= PRIVY_SOCKET_READ;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) events |= PRIVY_SOCKET_WRITE;
  privy_fork_allow();
  engine->callback(engine->context, (int)socket, events);
  privy_fork_forbid();
  return 0;
}

static int on_timer(CURLM *multi, long milliseconds_left, void *context) {
  privy_engine *engine = context;
  (void)multi;
  engine->due = milliseconds_left < 0 ? INFINITY : privy_monotonic() + (double)milliseconds_left / 1000;
  return 0;
}

void privy_engine_set_socket_callback(privy_engine *engine, privy_socket_function *callback, void *context) {
  engine->callback = callback;
  engine->context = context;
  engine->due = -1;
  engine->curl->multi_setopt(engine->multi, CURLMOPT_SOCKETFUNCTION, callback ? on_socket : NULL);
  engine->curl->multi_setopt(engine->multi, CURLMOPT_SOCKETDATA, engine);
  engine->curl->multi_setopt(engine->multi, CURLMOPT_TIMERFUNCTION, callback ? on_timer : NULL);
  engine->curl->multi_setopt(engine->multi, CURLMOPT_TIMERDATA, engine);
}

double privy_engine_timeout(const privy_engine *engine) {
  double next = fmin(engine->due, engine->deadline);
  return isinf(next) ? -1 : fmax(next - privy_monotonic(), 0);
}

double privy_engine_late(const privy_engine *engine) {
  return fmax(privy_monotonic() - fmin(engine->due, engine->deadline), 0);
}

void privy_engine_socket_action(privy_engine *engine, int socket, int events) {
  int running = 0;
  int what = (events & PRIVY_SOCKET_READ ? CURL_CSELECT_IN : 0) | (events & PRIVY_SOCKET_WRITE ? CURL_CSELECT_OUT : 0);
  if (socket < 0 && engine->due <= privy_monotonic()) engine->due = INFINITY;
  privy_fork_forbid();
  engine->curl->multi_socket_action(engine->multi, socket < 0 ? CURL_SOCKET_TIMEOUT : (curl_socket_t)socket, what,
                                    &running);
  privy_fork_allow();
}

bool privy_engine_overdue(privy_engine *engine) {
  if (engine->deadline > privy_monotonic()) return false;
  engine->deadline = INFINITY;
  return true;
}

void privy_engine_expire(privy_engine *engine, privy_transfer *transfer) {
  if (!transfer->request.extended) return;
  if (privy_transfer_deadline(transfer) > privy_monotonic()) {
    engine->deadline = fmin(engine->deadline, privy_transfer_deadline(transfer));
    return;
  }
  privy_transfer_expire(transfer);
  privy_connections_retire(transfer->connections, transfer->request.port, transfer->request.sent_at);
  privy_fork_forbid();
  engine->curl->multi_remove_handle(engine->multi, transfer->easy);
  privy_fork_allow();
  transfer->next = engine->expired;
  engine->expired = transfer;
}
