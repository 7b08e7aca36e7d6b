#include "client/engine.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buffer.h"
#include "base/fork.h"
#include "base/memory.h"
#include "base/text.h"
#include "message/error.h"

#if LIBCURL_VERSION_NUM < 0x075000
#error "privy needs libcurl 7.80 or newer: CURLOPT_PREREQFUNCTION keeps a request from being sent twice"
#endif

/* Bytes of headers, those of interim answers included. */
#define MAX_HEADERS ((size_t)256 << 10)
/* Connections kept for later. By itself libcurl keeps few while few transfers run, and closes most after a burst. */
#define MAX_IDLE 64L

/* Kept connections remembered by their local port. */
#define KEPT 256

/* A connection kept for another request; libcurl may have closed it since. */
typedef struct kept {
  int port;
  int socket;
} kept;

/* One request and its answer on their way. */
struct privy_transfer {
  CURL *easy;
  kept *kept; /* the engine's */
  void *owner;
  privy_incoming *incoming;
  size_t max_response;
  size_t header_bytes;
  double timeout, connect_timeout;
  bool too_large;
  bool no_memory;
  bool stale;  /* the kept connection held something already when the request was to go out */
  bool sent;   /* the request has gone out once */
  bool headed; /* the answer's headers have come whole */
  struct curl_slist *headers;
  struct privy_transfer *next; /* in `idle` */
  char message[CURL_ERROR_SIZE];
};

struct privy_engine {
  const privy_settings *settings;
  CURLM *multi;
  privy_transfer *idle; /* ended transfers, whose easy handles are used again */
  privy_socket_function *watch;
  void *context;
  double due;    /* by privy_monotonic; negative: no time is set */
  size_t flying; /* transfers started and not taken */
  kept kept[KEPT];
};

/* ---- life ---- */

static CURLcode global_result;

static void init_libcurl(void) {
  privy_fork_forbid();
  global_result = curl_global_init(CURL_GLOBAL_DEFAULT);
  privy_fork_allow();
}

privy_status privy_engine_new(const privy_settings *settings, privy_engine **out, privy_error *error) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, init_libcurl);
  if (global_result != CURLE_OK)
    return privy_error_set(error, PRIVY_ERROR, "libcurl cannot be used: %s", curl_easy_strerror(global_result));
  privy_engine *engine = privy_calloc(1, sizeof *engine);
  if (!engine) return privy_error_no_memory(error);
  engine->settings = settings;
  engine->due = -1;
  engine->multi = curl_multi_init();
  if (!engine->multi) {
    privy_free(engine);
    return privy_error_no_memory(error);
  }
  curl_multi_setopt(engine->multi, CURLMOPT_MAXCONNECTS, MAX_IDLE);
  *out = engine;
  return PRIVY_OK;
}

static void free_transfer(privy_transfer *transfer) {
  if (transfer->easy) curl_easy_cleanup(transfer->easy);
  curl_slist_free_all(transfer->headers);
  privy_free(transfer);
}

void privy_engine_free(privy_engine *engine) {
  if (!engine) return;
  privy_fork_forbid();
  for (privy_transfer *transfer = engine->idle, *next; transfer; transfer = next) {
    next = transfer->next;
    free_transfer(transfer);
  }
  curl_multi_cleanup(engine->multi);
  privy_fork_allow();
  privy_free(engine);
}

void privy_engine_abandon(privy_engine *engine) {
  privy_free(engine);
}

static privy_transfer *take_idle(privy_engine *engine) {
  privy_transfer *transfer = engine->idle;
  if (transfer) {
    engine->idle = transfer->next;
    return transfer;
  }
  transfer = privy_calloc(1, sizeof *transfer);
  if (transfer) transfer->easy = curl_easy_init();
  if (!transfer || transfer->easy) return transfer;
  privy_free(transfer);
  return NULL;
}

static void give_idle(privy_engine *engine, privy_transfer *transfer) {
  curl_easy_reset(transfer->easy); /* it must not remember the headers */
  curl_slist_free_all(transfer->headers);
  transfer->headers = NULL;
  transfer->next = engine->idle;
  engine->idle = transfer;
}

/* ---- one transfer ---- */

static size_t on_header(char *data, size_t size, size_t count, void *context) {
  privy_transfer *transfer = context;
  privy_buffer *headers = &transfer->incoming->headers;
  size_t length = size * count;
  transfer->header_bytes += length;
  transfer->too_large = transfer->header_bytes > MAX_HEADERS;
  if (transfer->too_large) return 0;
  if (length <= 2) transfer->headed = true;
  if (privy_text_starts(data, length, "HTTP/")) {
    transfer->headed = false;
    headers->length = 0; /* an interim answer's headers make way for the next one's */
    return length;
  }
  transfer->no_memory = !privy_buffer_append(headers, data, length);
  return transfer->no_memory ? 0 : length;
}

static size_t on_body(char *data, size_t size, size_t count, void *context) {
  privy_transfer *transfer = context;
  privy_buffer *body = &transfer->incoming->body;
  size_t length = size * count;
  transfer->too_large = length > transfer->max_response - body->length;
  transfer->no_memory = !transfer->too_large && !privy_buffer_append(body, data, length);
  return transfer->too_large || transfer->no_memory ? 0 : length;
}

static int port_of(int socket) {
  struct sockaddr_storage address = {0};
  socklen_t length = sizeof address;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  if (getsockname(socket, (struct sockaddr *)&address, &length) != 0) return -1;
  memcpy(&v4, &address, sizeof v4);
  memcpy(&v6, &address, sizeof v6);
  return address.ss_family == AF_INET ? ntohs(v4.sin_port) : address.ss_family == AF_INET6 ? ntohs(v6.sin6_port) : -1;
}

/* Remembers which connection an answer came on. HTTP/2 tells by itself what belongs to which request. */
static void remember(privy_transfer *transfer) {
  long version = 0, port = 0;
  curl_socket_t socket = CURL_SOCKET_BAD;
  curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_VERSION, &version);
  curl_easy_getinfo(transfer->easy, CURLINFO_LOCAL_PORT, &port);
  curl_easy_getinfo(transfer->easy, CURLINFO_ACTIVESOCKET, &socket);
  if ((version == CURL_HTTP_VERSION_1_0 || version == CURL_HTTP_VERSION_1_1) && socket != CURL_SOCKET_BAD && port > 0)
    transfer->kept[port % KEPT] = (kept){(int)port, (int)socket};
}

/* True when a kept connection has ended, or holds bytes that nobody asked for: they would be taken for the answer. */
static bool is_stale(const privy_transfer *transfer, int local_port) {
  long new_connections = 0;
  char byte;
  const kept *last = &transfer->kept[local_port % KEPT];
  curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &new_connections);
  return new_connections == 0 && last->port == local_port && port_of(last->socket) == local_port &&
         recv(last->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

/* libcurl would silently repeat a request whose kept connection broke before the answer: whether to repeat is not its
 * business, for the first one may have been acted on. */
static int on_request(void *context, char *remote, char *local, int remote_port, int local_port) {
  privy_transfer *transfer = context;
  (void)remote, (void)local, (void)remote_port;
  bool again = transfer->sent;
  transfer->stale = !again && local_port > 0 && is_stale(transfer, local_port);
  if (transfer->stale) return CURL_PREREQFUNC_ABORT;
  transfer->sent = true;
  return again ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static bool add_line(privy_transfer *transfer, const char *line) {
  struct curl_slist *longer = curl_slist_append(transfer->headers, line);
  if (longer) transfer->headers = longer;
  return longer != NULL;
}

/* Splits the block of headers into libcurl's list, and keeps libcurl from adding what nobody asked for. */
static bool make_headers(privy_transfer *transfer, const privy_outgoing *outgoing) {
  privy_slice block = {outgoing->headers.data, outgoing->headers.length};
  privy_header header;
  bool typed = false;
  privy_buffer line = PRIVY_BUFFER_EMPTY;
  bool done = add_line(transfer, "Expect:");
  while (done && privy_next_header(&block, &header)) {
    line.length = 0;
    typed = typed || privy_text_is_nocase(header.name.text, header.name.length, "Content-Type");
    done = privy_buffer_append(&line, header.name.text, header.name.length) &&
           privy_buffer_text(&line, header.value.length ? ": " : ";") &&
           privy_buffer_append(&line, header.value.text, header.value.length) && privy_buffer_terminate(&line) &&
           add_line(transfer, line.data);
  }
  privy_buffer_clear(&line);
  return done && (typed || add_line(transfer, "Content-Type:"));
}

static void set_method(CURL *easy, const privy_outgoing *outgoing) {
  bool post = strcmp(outgoing->method, "POST") == 0;
  if (strcmp(outgoing->method, "HEAD") == 0) {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    return;
  }
  if (post || outgoing->body_length) {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, outgoing->body);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)outgoing->body_length);
  }
  if (!post) curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, outgoing->method);
}

static long milliseconds(double seconds) {
  return seconds < 0.001 ? 1L : (long)(seconds * 1000);
}

static void set_manners(CURL *easy, const privy_settings *settings) {
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* neither a timeout nor a stop waits for a name lookup that hangs */
#endif
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  if (settings->ca_bundle) curl_easy_setopt(easy, CURLOPT_CAINFO, settings->ca_bundle);
}

/* Holds for what a Content-Length tells; a body without one is counted as it comes. */
static void bound_length(CURL *easy, const privy_outgoing *outgoing, size_t max_response) {
  curl_off_t most = max_response > INT64_MAX ? INT64_MAX : (curl_off_t)max_response;
  if (strcmp(outgoing->method, "HEAD") != 0) curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, most);
}

static CURLcode prepare(privy_transfer *transfer, const privy_settings *settings, const privy_outgoing *outgoing) {
  CURL *easy = transfer->easy;
  curl_easy_reset(easy);
  set_manners(easy, settings);
  set_method(easy, outgoing);
  bound_length(easy, outgoing, settings->max_response);
  /* Plain http never leaves the machine, so it takes no proxy either. */
  bool plain = privy_text_starts(outgoing->url, strlen(outgoing->url), "http://");
  if (plain || settings->proxy) curl_easy_setopt(easy, CURLOPT_PROXY, plain ? "" : settings->proxy);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, milliseconds(outgoing->timeout));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(outgoing->connect_timeout));
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, outgoing->fresh ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->message);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
  return curl_easy_setopt(easy, CURLOPT_URL, outgoing->url);
}

privy_status privy_engine_start(privy_engine *engine, const privy_outgoing *outgoing, privy_incoming *incoming,
                                void *owner, privy_transfer **out) {
  privy_transfer *transfer = take_idle(engine);
  if (!transfer) return PRIVY_NO_MEMORY;
  transfer->owner = owner;
  transfer->incoming = incoming;
  transfer->kept = engine->kept;
  transfer->max_response = engine->settings->max_response;
  transfer->header_bytes = 0;
  transfer->timeout = outgoing->timeout;
  transfer->connect_timeout = outgoing->connect_timeout;
  transfer->too_large = transfer->no_memory = transfer->stale = transfer->sent = transfer->headed = false;
  transfer->message[0] = '\0';
  privy_fork_forbid();
  bool started = make_headers(transfer, outgoing) && prepare(transfer, engine->settings, outgoing) == CURLE_OK &&
                 curl_multi_add_handle(engine->multi, transfer->easy) == CURLM_OK;
  if (!started) free_transfer(transfer);
  privy_fork_allow();
  if (!started) return PRIVY_NO_MEMORY;
  engine->flying++;
  *out = transfer;
  return PRIVY_OK;
}

void privy_engine_extend(privy_transfer *transfer, double seconds) {
  transfer->timeout += seconds;
  transfer->connect_timeout += seconds;
  curl_easy_setopt(transfer->easy, CURLOPT_TIMEOUT_MS, milliseconds(transfer->timeout));
  curl_easy_setopt(transfer->easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(transfer->connect_timeout));
}

void privy_engine_cancel(privy_engine *engine, privy_transfer *transfer) {
  engine->flying--;
  privy_fork_forbid();
  curl_multi_remove_handle(engine->multi, transfer->easy);
  free_transfer(transfer);
  privy_fork_allow();
}

static double seconds_of(CURL *easy, CURLINFO info) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(easy, info, &microseconds);
  return (double)microseconds / 1e6;
}

/* From one instant of a transfer to a later one; 0 when the later one was never reached. */
static double between(double earlier, double later) {
  return later > earlier ? later - earlier : 0;
}

static uint64_t bytes_of(CURL *easy, CURLINFO whole, CURLINFO part) {
  long headers = 0;
  curl_off_t body = 0;
  curl_easy_getinfo(easy, whole, &headers);
  curl_easy_getinfo(easy, part, &body);
  return (uint64_t)headers + (uint64_t)body;
}

/* libcurl tells instants, counted from the transfer's start, and goes on telling those of a kept connection. */
static privy_cost cost_of(CURL *easy) {
  long new_connections = 0;
  curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &new_connections);
  privy_cost cost = {.first_byte = between(seconds_of(easy, CURLINFO_PRETRANSFER_TIME_T),
                                           seconds_of(easy, CURLINFO_STARTTRANSFER_TIME_T)),
                     .total = seconds_of(easy, CURLINFO_TOTAL_TIME_T),
                     .bytes_sent = bytes_of(easy, CURLINFO_REQUEST_SIZE, CURLINFO_SIZE_UPLOAD_T),
                     .bytes_received = bytes_of(easy, CURLINFO_HEADER_SIZE, CURLINFO_SIZE_DOWNLOAD_T),
                     .reused = new_connections == 0};
  if (cost.reused) return cost;
  double named = seconds_of(easy, CURLINFO_NAMELOOKUP_TIME_T), connected = seconds_of(easy, CURLINFO_CONNECT_TIME_T);
  cost.lookup = named;
  cost.connect = between(named, connected);
  cost.tls = between(connected, seconds_of(easy, CURLINFO_APPCONNECT_TIME_T));
  return cost;
}

/* Whether the first byte of an answer came. */
static bool has_begun(const privy_transfer *transfer) {
  curl_off_t first_byte = 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_STARTTRANSFER_TIME_T, &first_byte);
  return first_byte > 0;
}

static privy_status tell(const privy_transfer *transfer, CURLcode result, privy_error *error) {
  const char *message = *transfer->message ? transfer->message : curl_easy_strerror(result);
  if (result == CURLE_OK && transfer->headed) return PRIVY_OK;
  if (result == CURLE_OK)
    return privy_error_set(error, PRIVY_CONNECTION, "the connection broke within the headers of the answer");
  /* libcurl calls a header line that is longer than it likes a lack of memory. */
  bool huge_line = result == CURLE_OUT_OF_MEMORY && has_begun(transfer) && transfer->incoming->body.length == 0;
  bool huge_headers = huge_line || (transfer->too_large && transfer->header_bytes > MAX_HEADERS);
  bool huge_body = transfer->too_large || result == CURLE_FILESIZE_EXCEEDED;
  if (huge_body || huge_headers) error->http_status = transfer->incoming->http_status;
  if (huge_headers) return privy_error_set(error, PRIVY_STATUS, "the answer's headers are larger than allowed");
  if (transfer->no_memory || result == CURLE_OUT_OF_MEMORY) return privy_error_no_memory(error);
  if (huge_body)
    return privy_error_set(error, PRIVY_STATUS, "the answer is larger than the %zu bytes allowed",
                           transfer->max_response);
  if (result == CURLE_ABORTED_BY_CALLBACK)
    return privy_error_set(error, PRIVY_CONNECTION, "the connection broke before the answer came");
  if (result == CURLE_OPERATION_TIMEDOUT) return privy_error_set(error, PRIVY_TIMEOUT, "%s", message);
  return privy_error_set(error, PRIVY_CONNECTION, "%s", message);
}

/* Nothing was sent on the stale connection: the request goes out on a new one instead. */
static bool starts_again(privy_engine *engine, privy_transfer *transfer) {
  if (!transfer->stale) return false;
  transfer->stale = false;
  curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT, 1L);
  return curl_multi_add_handle(engine->multi, transfer->easy) == CURLM_OK;
}

/* The next transfer that libcurl has ended, NULL when there is none. */
static privy_transfer *next_ended(privy_engine *engine, CURLcode *result) {
  int left;
  CURLMsg *message;
  while ((message = curl_multi_info_read(engine->multi, &left))) {
    if (message->msg != CURLMSG_DONE) continue;
    char *private = NULL;
    *result = message->data.result;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
    privy_transfer *transfer = (privy_transfer *)(void *)private;
    if (*result == CURLE_OK) remember(transfer);
    privy_fork_forbid();
    curl_multi_remove_handle(engine->multi, transfer->easy);
    bool again = starts_again(engine, transfer);
    privy_fork_allow();
    if (!again) return transfer;
  }
  return NULL;
}

void *privy_engine_take(privy_engine *engine, privy_status *status, privy_error *(*error_of)(void *owner)) {
  CURLcode result = CURLE_OK;
  long http_status = 0;
  privy_transfer *transfer = next_ended(engine, &result);
  if (!transfer) return NULL;
  curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &http_status);
  transfer->incoming->http_status = (int)http_status;
  transfer->incoming->cost = cost_of(transfer->easy);
  *status = tell(transfer, result, error_of(transfer->owner));
  engine->flying--;
  give_idle(engine, transfer);
  return transfer->owner;
}

/* ---- driven by waiting ---- */

void privy_engine_wait(privy_engine *engine, double seconds) {
  int running = 0;
  privy_fork_forbid();
  CURLMcode result = curl_multi_perform(engine->multi, &running);
  privy_fork_allow();
  if (result == CURLM_OK && (size_t)running == engine->flying)
    curl_multi_poll(engine->multi, NULL, 0, (int)(seconds * 1000), NULL);
}

void privy_engine_wake(void *engine) {
  curl_multi_wakeup(((privy_engine *)engine)->multi);
}

/* ---- driven by an event loop ---- */

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *unused) {
  privy_engine *engine = context;
  (void)easy, (void)unused;
  int events = 0;
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) events |= PRIVY_SOCKET_READ;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) events |= PRIVY_SOCKET_WRITE;
  privy_fork_allow();
  engine->watch(engine->context, (int)socket, events);
  privy_fork_forbid();
  return 0;
}

static int on_timer(CURLM *multi, long milliseconds_left, void *context) {
  privy_engine *engine = context;
  (void)multi;
  engine->due = milliseconds_left < 0 ? -1 : privy_monotonic() + (double)milliseconds_left / 1000;
  return 0;
}

void privy_engine_watch(privy_engine *engine, privy_socket_function *watch, void *context) {
  engine->watch = watch;
  engine->context = context;
  curl_multi_setopt(engine->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(engine->multi, CURLMOPT_SOCKETDATA, engine);
  curl_multi_setopt(engine->multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(engine->multi, CURLMOPT_TIMERDATA, engine);
}

double privy_engine_due(const privy_engine *engine) {
  if (engine->due < 0) return -1;
  double left = engine->due - privy_monotonic();
  return left > 0 ? left : 0;
}

double privy_engine_late(const privy_engine *engine) {
  return engine->due < 0 ? 0 : fmax(privy_monotonic() - engine->due, 0);
}

void privy_engine_act(privy_engine *engine, int socket, int events) {
  int running = 0;
  int what = (events & PRIVY_SOCKET_READ ? CURL_CSELECT_IN : 0) | (events & PRIVY_SOCKET_WRITE ? CURL_CSELECT_OUT : 0);
  if (socket < 0 && privy_engine_due(engine) == 0) engine->due = -1;
  privy_fork_forbid();
  curl_multi_socket_action(engine->multi, socket < 0 ? CURL_SOCKET_TIMEOUT : (curl_socket_t)socket, what, &running);
  privy_fork_allow();
}
