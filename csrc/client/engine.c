#include "client/engine.h"

#include <curl/curl.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "base/buffer.h"
#include "base/fork.h"
#include "base/memory.h"
#include "base/text.h"
#include "client/kept.h"
#include "message/error.h"

#if LIBCURL_VERSION_NUM < 0x075000
#error "privy needs libcurl 7.80 or newer: CURLOPT_PREREQFUNCTION keeps a request from being sent twice"
#endif

/* Bytes of headers, those of interim answers included. */
#define MAX_HEADERS ((size_t)256 << 10)
#define MAX_HEADER_LINES 1000
/* Connections kept for later. By itself libcurl keeps few while few transfers run, and closes most after a burst. */
#define MAX_IDLE 64L

/* One request and its answer on their way. */
struct privy_transfer {
  CURL *easy;
  privy_kept *kept; /* the engine's */
  void *owner;
  privy_incoming *incoming;
  size_t max_response;
  size_t header_bytes, header_lines;
  double timeout, connect_timeout;
  int opened[2];  /* the sockets opened last for it: IPv4 and IPv6 are tried side by side */
  int port;       /* the connection's local one */
  double sent_at; /* by privy_monotonic */
  bool huge_headers, huge_body;
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
  privy_kept kept[PRIVY_KEPT];
};

/* ---- life ---- */

static CURLcode global_result;
static const char *libcurl_version;

static void init_libcurl(void) {
  privy_fork_forbid();
  global_result = curl_global_init(CURL_GLOBAL_DEFAULT);
  libcurl_version = curl_version_info(CURLVERSION_NOW)->version;
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
  privy_kept *connection = privy_kept_place(transfer->kept, transfer->port);
  privy_buffer *headers = &transfer->incoming->headers;
  size_t length = size * count;
  transfer->header_bytes += length;
  transfer->huge_headers = transfer->header_bytes > MAX_HEADERS || ++transfer->header_lines > MAX_HEADER_LINES;
  if (transfer->huge_headers) return 0;
  connection->heard = privy_monotonic();
  if (length <= 2) transfer->headed = true;
  if (privy_text_starts(data, length, "HTTP/")) {
    transfer->headed = false;
    connection->http1 = privy_text_starts(data, length, "HTTP/1");
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
  privy_kept_place(transfer->kept, transfer->port)->heard = privy_monotonic();
  transfer->huge_body = length > transfer->max_response - body->length;
  transfer->no_memory = !transfer->huge_body && !privy_buffer_append(body, data, length);
  return transfer->huge_body || transfer->no_memory ? 0 : length;
}

static int on_open(void *context, curl_socket_t socket, curlsocktype purpose) {
  privy_transfer *transfer = context;
  (void)purpose;
  transfer->opened[1] = transfer->opened[0];
  transfer->opened[0] = (int)socket;
  return CURL_SOCKOPT_OK;
}

/* libcurl would silently repeat a request whose kept connection broke before the answer: whether to repeat is not its
 * business, for the first one may have been acted on. */
static int on_request(void *context, char *remote, char *local, int remote_port, int local_port) {
  privy_transfer *transfer = context;
  (void)remote, (void)local, (void)remote_port;
  bool again = transfer->sent;
  transfer->port = local_port > 0 ? local_port : 0;
  bool opened = privy_kept_add(transfer->kept, transfer->port, transfer->opened);
  transfer->stale = !again && !opened && privy_kept_is_stale(transfer->kept, transfer->port);
  if (transfer->stale) return CURL_PREREQFUNC_ABORT;
  transfer->sent = true;
  transfer->sent_at = privy_monotonic();
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
    bool agent = privy_text_is_nocase(header.name.text, header.name.length, "User-Agent");
    typed = typed || privy_text_is_nocase(header.name.text, header.name.length, "Content-Type");
    done = privy_buffer_append(&line, header.name.text, header.name.length) &&
           privy_buffer_text(&line, header.value.length ? ": " : ";") &&
           privy_buffer_append(&line, header.value.text, header.value.length) &&
           (!agent || (privy_buffer_text(&line, " libcurl/") && privy_buffer_text(&line, libcurl_version))) &&
           privy_buffer_terminate(&line) && add_line(transfer, line.data);
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
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  if (!settings->ca_bundle) return;
  curl_easy_setopt(easy, CURLOPT_CAINFO, settings->ca_bundle);
  curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* else the system's authorities stay trusted beside the bundle's */
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
  /* Plain http never leaves the machine, so it takes no proxy. One of the settings is used in spite of $no_proxy. */
  bool plain = privy_text_starts(outgoing->url, strlen(outgoing->url), "http://");
  if (plain || settings->proxy) {
    curl_easy_setopt(easy, CURLOPT_PROXY, plain ? "" : settings->proxy);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
  }
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
  curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_open);
  curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, transfer);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
  return curl_easy_setopt(easy, CURLOPT_URL, outgoing->url);
}

privy_status privy_engine_start(privy_engine *engine, const privy_outgoing *outgoing, privy_incoming *incoming,
                                void *owner, privy_transfer **out) {
  privy_transfer *transfer = take_idle(engine);
  if (!transfer) return PRIVY_NO_MEMORY;
  *transfer = (privy_transfer){.easy = transfer->easy,
                               .kept = engine->kept,
                               .owner = owner,
                               .incoming = incoming,
                               .max_response = engine->settings->max_response,
                               .timeout = outgoing->timeout,
                               .connect_timeout = outgoing->connect_timeout,
                               .opened = {-1, -1}};
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
  if (engine->flying == 0) privy_kept_hang_up(transfer->kept, transfer->port, transfer->sent_at);
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
  return seconds_of(transfer->easy, CURLINFO_STARTTRANSFER_TIME_T) > 0;
}

static privy_status tell(const privy_transfer *transfer, CURLcode result, privy_error *error) {
  /* A message that quotes the URL of a proxy would tell its password. */
  bool tells = *transfer->message && !strchr(transfer->message, '@');
  const char *message = tells ? transfer->message : curl_easy_strerror(result);
  if (result == CURLE_OK && transfer->headed) return PRIVY_OK;
  if (result == CURLE_OK)
    return privy_error_set(error, PRIVY_CONNECTION, "the connection broke within the headers of the answer");
  /* libcurl calls a header line that is longer than it likes a lack of memory. */
  bool huge_line = result == CURLE_OUT_OF_MEMORY && has_begun(transfer) && transfer->incoming->body.length == 0;
  bool huge_headers = huge_line || transfer->huge_headers;
  bool huge_body = transfer->huge_body || result == CURLE_FILESIZE_EXCEEDED;
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
    if (*result == CURLE_OPERATION_TIMEDOUT) privy_kept_hang_up(transfer->kept, transfer->port, transfer->sent_at);
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
