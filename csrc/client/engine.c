#include "client/engine.h"

#include <curl/curl.h>
#include <pthread.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "message/error.h"

#if LIBCURL_VERSION_NUM < 0x075000
#error "privy needs libcurl 7.80 or newer: CURLOPT_PREREQFUNCTION keeps a request from being sent twice"
#endif

#define MAX_HEADERS ((size_t)256 << 10)

/* A multi handle with its connections, and the easy handle that calls use in turn. */
typedef struct engine_session {
  CURLM *multi;
  CURL *easy;
  struct engine_session *next;
} engine_session;

struct privy_engine {
  const privy_settings *settings;
  pthread_mutex_t mutex; /* guards `idle` */
  engine_session *idle;
};

/* ---- life ---- */

static CURLcode global_result;

static void init_libcurl(void) {
  global_result = curl_global_init(CURL_GLOBAL_DEFAULT);
}

privy_status privy_engine_new(const privy_settings *settings, privy_engine **out, privy_error *error) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, init_libcurl);
  if (global_result != CURLE_OK)
    return privy_error_set(error, PRIVY_ERROR, "libcurl cannot be used: %s", curl_easy_strerror(global_result));
  privy_engine *engine = privy_calloc(1, sizeof *engine);
  if (!engine) return privy_error_no_memory(error);
  engine->settings = settings;
  pthread_mutex_init(&engine->mutex, NULL);
  *out = engine;
  return PRIVY_OK;
}

static void free_session(engine_session *session) {
  if (!session) return;
  if (session->easy) curl_easy_cleanup(session->easy);
  if (session->multi) curl_multi_cleanup(session->multi);
  privy_free(session);
}

void privy_engine_free(privy_engine *engine) {
  if (!engine) return;
  for (engine_session *session = engine->idle, *next; session; session = next) {
    next = session->next;
    free_session(session);
  }
  pthread_mutex_destroy(&engine->mutex);
  privy_free(engine);
}

static engine_session *take_session(privy_engine *engine) {
  pthread_mutex_lock(&engine->mutex);
  engine_session *taken = engine->idle;
  if (taken) engine->idle = taken->next;
  pthread_mutex_unlock(&engine->mutex);
  if (taken) return taken;
  taken = privy_calloc(1, sizeof *taken);
  if (!taken) return NULL;
  taken->multi = curl_multi_init();
  taken->easy = curl_easy_init();
  if (taken->multi && taken->easy) return taken;
  free_session(taken);
  return NULL;
}

static void give_session(privy_engine *engine, engine_session *session) {
  pthread_mutex_lock(&engine->mutex);
  session->next = engine->idle;
  engine->idle = session;
  pthread_mutex_unlock(&engine->mutex);
}

/* ---- one transfer ---- */

typedef struct engine_transfer {
  const privy_outgoing *outgoing;
  privy_incoming *incoming;
  size_t max_response;
  bool begun; /* the first byte of an answer came */
  bool too_large;
  bool no_memory;
  bool sent; /* the request has gone out once */
  struct curl_slist *headers;
  char message[CURL_ERROR_SIZE];
} engine_transfer;

static size_t on_header(char *data, size_t size, size_t count, void *context) {
  engine_transfer *transfer = context;
  privy_buffer *headers = &transfer->incoming->headers;
  size_t length = size * count;
  if (privy_text_starts(data, length, "HTTP/")) {
    headers->length = 0; /* an interim answer's headers make way for the next one's */
    return length;
  }
  transfer->too_large = headers->length + length > MAX_HEADERS;
  transfer->no_memory = !transfer->too_large && !privy_buffer_append(headers, data, length);
  return transfer->too_large || transfer->no_memory ? 0 : length;
}

static size_t on_body(char *data, size_t size, size_t count, void *context) {
  engine_transfer *transfer = context;
  privy_buffer *body = &transfer->incoming->body;
  size_t length = size * count;
  transfer->too_large = length > transfer->max_response - body->length;
  transfer->no_memory = !transfer->too_large && !privy_buffer_append(body, data, length);
  return transfer->too_large || transfer->no_memory ? 0 : length;
}

/* libcurl would silently repeat a request whose kept connection broke before the answer: whether to repeat is not its
 * business, for the first one may have been acted on. */
static int on_request(void *context, char *remote, char *local, int remote_port, int local_port) {
  engine_transfer *transfer = context;
  (void)remote, (void)local, (void)remote_port, (void)local_port;
  bool again = transfer->sent;
  transfer->sent = true;
  return again ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static bool add_line(engine_transfer *transfer, const char *line) {
  struct curl_slist *longer = curl_slist_append(transfer->headers, line);
  if (longer) transfer->headers = longer;
  return longer != NULL;
}

/* Splits the block of headers into libcurl's list, and keeps libcurl from adding what nobody asked for. */
static bool make_headers(engine_transfer *transfer) {
  privy_slice block = {transfer->outgoing->headers.data, transfer->outgoing->headers.length};
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
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  if (settings->ca_bundle) curl_easy_setopt(easy, CURLOPT_CAINFO, settings->ca_bundle);
}

static CURLcode prepare(CURL *easy, const privy_settings *settings, engine_transfer *transfer) {
  const privy_outgoing *outgoing = transfer->outgoing;
  set_manners(easy, settings);
  set_method(easy, outgoing);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, milliseconds(outgoing->timeout));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(outgoing->connect_timeout));
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->message);
  /* Plain http never leaves the machine, so it takes no proxy either. */
  if (privy_text_starts(outgoing->url, strlen(outgoing->url), "http://")) curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
  return curl_easy_setopt(easy, CURLOPT_URL, outgoing->url);
}

/* Runs the transfer to its end. False when it was stopped. */
static bool run(CURLM *multi, privy_watch *watch, CURLcode *result) {
  int running = 0, left;
  do {
    if (curl_multi_perform(multi, &running) != CURLM_OK) return true;
    if (!running) break;
    if (privy_watch_stops(watch)) return false;
  } while (curl_multi_poll(multi, NULL, 0, (int)(PRIVY_WATCH_SECONDS * 1000), NULL) == CURLM_OK);
  for (CURLMsg *message; (message = curl_multi_info_read(multi, &left));)
    if (message->msg == CURLMSG_DONE) *result = message->data.result;
  return true;
}

static privy_status tell(const engine_transfer *transfer, CURLcode result, privy_error *error) {
  const char *message = *transfer->message ? transfer->message : curl_easy_strerror(result);
  /* libcurl calls a header line that is longer than it likes a lack of memory. */
  bool headers = result == CURLE_OUT_OF_MEMORY && transfer->begun && transfer->incoming->body.length == 0;
  if (headers) return privy_error_set(error, PRIVY_CONNECTION, "the answer's headers are larger than libcurl takes");
  if (transfer->no_memory || result == CURLE_OUT_OF_MEMORY) return privy_error_no_memory(error);
  if (transfer->too_large) error->http_status = transfer->incoming->http_status;
  if (transfer->too_large)
    return privy_error_set(error, PRIVY_STATUS, "the answer is larger than the %zu bytes allowed",
                           transfer->max_response);
  if (result == CURLE_ABORTED_BY_CALLBACK)
    return privy_error_set(error, PRIVY_CONNECTION, "the connection broke before the answer came");
  if (result == CURLE_OPERATION_TIMEDOUT) return privy_error_set(error, PRIVY_TIMEOUT, "%s", message);
  return privy_error_set(error, PRIVY_CONNECTION, "%s", message);
}

static void wake(void *multi) {
  curl_multi_wakeup(multi);
}

privy_status privy_engine_send(privy_engine *engine, const privy_outgoing *outgoing, privy_watch *watch,
                               privy_incoming *incoming, privy_error *error) {
  engine_transfer transfer = {
      .outgoing = outgoing, .incoming = incoming, .max_response = engine->settings->max_response};
  CURLcode result = CURLE_GOT_NOTHING;
  engine_session *session = make_headers(&transfer) ? take_session(engine) : NULL;
  if (!session || prepare(session->easy, engine->settings, &transfer) != CURLE_OK ||
      curl_multi_add_handle(session->multi, session->easy) != CURLM_OK) {
    curl_slist_free_all(transfer.headers);
    free_session(session);
    return privy_error_no_memory(error);
  }
  privy_interrupt_attach(watch->interrupt, wake, session->multi);
  bool ran = run(session->multi, watch, &result);
  privy_interrupt_attach(watch->interrupt, NULL, NULL);
  long status = 0;
  curl_easy_getinfo(session->easy, CURLINFO_RESPONSE_CODE, &status);
  curl_off_t first_byte = 0;
  curl_easy_getinfo(session->easy, CURLINFO_STARTTRANSFER_TIME_T, &first_byte);
  transfer.begun = first_byte > 0;
  curl_multi_remove_handle(session->multi, session->easy);
  curl_slist_free_all(transfer.headers);
  curl_easy_reset(session->easy); /* it must not remember what is on this stack */
  if (!ran) {
    free_session(session);
    return privy_error_set(error, PRIVY_INTERRUPTED, "the call was stopped");
  }
  give_session(engine, session);
  incoming->http_status = (int)status;
  return result == CURLE_OK ? PRIVY_OK : tell(&transfer, result, error);
}
