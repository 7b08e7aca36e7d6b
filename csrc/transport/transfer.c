#include "transport/transfer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "message/error.h"

/* Bytes of headers, those of interim answers included. */
#define MAX_HEADERS ((size_t)256 << 10)
#define MAX_HEADER_LINES 1000
#define USUAL_HEADERS 1000
/* A connection that was idle for longer is not used again but closed. */
#define MAX_IDLE_SECONDS 60L
/* Seconds, so that their milliseconds fit into the smallest long. */
#define LONGEST_TIME 2e6
#define BELIEVED ((curl_off_t)1 << 20)
/* CURLE_TOO_LARGE, since 8.6 in place of a lack of memory: the library may be newer than its headers here. */
#define TOO_LARGE 100
/* Seconds in which an answer that came while nobody looked is read. */
#define MOMENT 0.05

/* ---- what libcurl tells on the way ---- */

static size_t on_header(char *data, size_t size, size_t count, void *context) {
  privy_transfer *transfer = context;
  privy_buffer *headers = &transfer->wire_response->headers;
  size_t length = size * count;
  transfer->header_bytes += length;
  transfer->huge_headers = transfer->header_bytes > MAX_HEADERS || ++transfer->header_lines > MAX_HEADER_LINES;
  if (transfer->huge_headers) return 0;
  if (length <= 2) transfer->headed = true;
  if (privy_text_starts(data, length, "HTTP/")) {
    transfer->headed = false;
    privy_connections_received(transfer->connections, transfer->port);
    privy_connections_set_http1(transfer->connections, transfer->port, privy_text_starts(data, length, "HTTP/1"));
    headers->length = 0; /* an interim answer's headers make way for the next one's */
    transfer->no_memory = !privy_buffer_reserve(headers, USUAL_HEADERS);
    return transfer->no_memory ? 0 : length;
  }
  transfer->no_memory = !privy_buffer_append(headers, data, length);
  return transfer->no_memory ? 0 : length;
}

/* Room for all that the server tells of, so that the body neither grows step by step nor keeps room that it never
 * fills. Beyond BELIEVED nothing is set aside before it has come. */
static bool make_room(const privy_transfer *transfer) {
  privy_buffer *body = &transfer->wire_response->body;
  curl_off_t length = -1;
  if (body->length > 0) return true;
  transfer->curl->easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  return length < 0 || length > BELIEVED || privy_buffer_reserve(body, (size_t)length);
}

static size_t on_body(char *data, size_t size, size_t count, void *context) {
  privy_transfer *transfer = context;
  privy_buffer *body = &transfer->wire_response->body;
  size_t length = size * count;
  privy_connections_received(transfer->connections, transfer->port);
  transfer->huge_body = length > transfer->max_response - body->length;
  transfer->no_memory = !transfer->huge_body && (!make_room(transfer) || !privy_buffer_append(body, data, length));
  return transfer->huge_body || transfer->no_memory ? 0 : length;
}

static int on_open(void *context, curl_socket_t socket, curlsocktype purpose) {
  privy_transfer *transfer = context;
  (void)purpose;
  transfer->opened[1] = transfer->opened[0];
  transfer->opened[0] = (int)socket;
  return CURL_SOCKOPT_OK;
}

static int on_close(void *connections, curl_socket_t socket) {
  privy_connections_forget(connections, (int)socket);
  return close(socket);
}

/*
 * Stops libcurl's silent repetition of a request whose kept connection broke before the answer: the first one may have
 * been acted on, and to repeat it is decided elsewhere. On a new connection libcurl repeats only what the server has
 * refused unread (REFUSED_STREAM and the like in HTTP/2).
 */
static int on_request(void *context, char *remote, char *local, int remote_port, int local_port) {
  privy_transfer *transfer = context;
  (void)remote, (void)local, (void)remote_port;
  bool again = transfer->sent;
  transfer->port = local_port > 0 ? local_port : 0;
  bool opened = privy_connections_add(transfer->connections, transfer->port, transfer->opened);
  transfer->stale = !again && !opened && privy_connections_is_stale(transfer->connections, transfer->port);
  if (transfer->stale) return CURL_PREREQFUNC_ABORT;
  transfer->refused = again && transfer->new_connection;
  transfer->new_connection = opened;
  transfer->sent = true;
  transfer->sent_at = privy_monotonic();
  return again ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* ---- life ---- */

static long milliseconds(double seconds) {
  return seconds < 0.001 ? 1L : (long)(fmin(seconds, LONGEST_TIME) * 1000);
}

/* What libcurl keeps a copy of: without it a request would go another way, or trust others. False when memory runs out.
 */
static bool set_texts(privy_transfer *transfer, const privy_settings *settings) {
  const privy_libcurl *curl = transfer->curl;
  CURL *easy = transfer->easy;
#if LIBCURL_VERSION_NUM >= 0x075500
  if (curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK) return false;
#else
  curl->easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  if (curl->easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "") != CURLE_OK) return false;
  if (!settings->ca_bundle) return true;
  /* Without this the host's authorities stay trusted as well as those of the bundle. */
  curl->easy_setopt(easy, CURLOPT_CAPATH, NULL);
  curl->easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
  /* A libcurl that knows no proxies with TLS does not know the second one. */
  return curl->easy_setopt(easy, CURLOPT_CAINFO, settings->ca_bundle) == CURLE_OK &&
         curl->easy_setopt(easy, CURLOPT_PROXY_CAINFO, settings->ca_bundle) != CURLE_OUT_OF_MEMORY;
}

static void set_manners(privy_transfer *transfer) {
  const privy_libcurl *curl = transfer->curl;
  CURL *easy = transfer->easy;
  curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
  curl->easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* neither a timeout nor a stop waits for a name lookup that hangs */
#endif
  curl->easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl->easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl->easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl->easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  curl->easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  curl->easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  curl->easy_setopt(easy, CURLOPT_MAXAGE_CONN, MAX_IDLE_SECONDS);
  curl->easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl->easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  curl->easy_setopt(easy, CURLOPT_PRIVATE, transfer);
  curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->message);
  curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl->easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
  curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl->easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
  curl->easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_open);
  curl->easy_setopt(easy, CURLOPT_SOCKOPTDATA, transfer);
  curl->easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
  curl->easy_setopt(easy, CURLOPT_CLOSESOCKETDATA,
                    transfer->connections); /* it may outlive the transfer, not the engine */
  curl->easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request);
  curl->easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
}

privy_transfer *privy_transfer_new(const privy_libcurl *curl, const privy_settings *settings,
                                   privy_connection *connections) {
  privy_transfer *transfer = privy_calloc(1, sizeof *transfer);
  if (!transfer) return NULL;
  *transfer = (privy_transfer){.curl = curl,
                               .easy = curl->easy_init(),
                               .address = curl->url(),
                               .connections = connections,
                               .max_response = settings->max_response};
  if (!transfer->easy || !transfer->address || !set_texts(transfer, settings)) {
    privy_transfer_free(transfer);
    return NULL;
  }
  set_manners(transfer);
  return transfer;
}

void privy_transfer_free(privy_transfer *transfer) {
  transfer->curl->easy_cleanup(transfer->easy);
  transfer->curl->url_cleanup(transfer->address);
  privy_free(transfer->places);
  privy_buffer_clear(&transfer->lines);
  privy_free(transfer);
}

/* ---- what goes out ---- */

static bool add_line(privy_transfer *transfer, privy_slice name, const char *separator, privy_slice value,
                     const char *more) {
  privy_buffer *lines = &transfer->lines;
  transfer->count++;
  return privy_buffer_append(lines, name.text, name.length) && privy_buffer_text(lines, separator) &&
         privy_buffer_append(lines, value.text, value.length) && privy_buffer_text(lines, more) &&
         privy_buffer_byte(lines, '\0');
}

/* Lays libcurl's list over the lines. */
static struct curl_slist *list_lines(privy_transfer *transfer) {
  const size_t count = transfer->count;
  if (count > transfer->room) {
    struct curl_slist *larger = privy_realloc(transfer->places, count * sizeof *larger);
    if (!larger) return NULL;
    transfer->places = larger;
    transfer->room = count;
  }
  char *at = transfer->lines.data;
  for (size_t i = 0; i < count; i++, at += strlen(at) + 1)
    transfer->places[i] = (struct curl_slist){at, i + 1 < count ? &transfer->places[i + 1] : NULL};
  return transfer->places;
}

static bool has_body(const privy_wire_request *wire_request) {
  return wire_request->body_length || strcmp(wire_request->method, "POST") == 0;
}

static bool is_called(privy_header header, privy_slice name) {
  return privy_text_equal_nocase(header.name.text, header.name.length, name.text, name.length);
}

/*
 * Makes libcurl's list of the block of headers, keeps libcurl from adding what nobody asked for, and tells the
 * encodings itself: libcurl would put that line together anew for each request.
 */
static struct curl_slist *make_headers(privy_transfer *transfer, const privy_wire_request *wire_request) {
  static const privy_slice expect = {"Expect", 6}, type = {"Content-Type", 12}, coding = {"Accept-Encoding", 15},
                           agent = {"User-Agent", 10}, nothing = {"", 0};
  const privy_libcurl *curl = transfer->curl;
  const privy_slice encodings = {curl->encodings, strlen(curl->encodings)};
  privy_slice block = {wire_request->headers.data, wire_request->headers.length};
  privy_header header;
  bool done = true, typed = !has_body(wire_request), coded = encodings.length == 0;
  transfer->lines.length = transfer->count = 0;
  while (done && privy_next_header(&block, &header)) {
    typed = typed || is_called(header, type);
    coded = coded || is_called(header, coding);
    done = add_line(transfer, header.name, header.value.length ? ": " : ";", header.value,
                    is_called(header, agent) ? curl->agent : "");
  }
  done = done && (coded || add_line(transfer, coding, ": ", encodings, "")) &&
         (typed || add_line(transfer, type, ":", nothing, "")) &&
         (!has_body(wire_request) || add_line(transfer, expect, ":", nothing, ""));
  return done ? list_lines(transfer) : NULL;
}

/* False when memory runs out: the request would have another method. */
static bool set_method(const privy_libcurl *curl, CURL *easy, const privy_wire_request *wire_request) {
  bool post = strcmp(wire_request->method, "POST") == 0, head = strcmp(wire_request->method, "HEAD") == 0;
  curl->easy_setopt(easy, CURLOPT_HTTPGET, 1L); /* whatever the last request was */
  if (has_body(wire_request)) {
    curl->easy_setopt(easy, CURLOPT_POST, 1L);
    curl->easy_setopt(easy, CURLOPT_POSTFIELDS, wire_request->body);
    curl->easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)wire_request->body_length);
  }
  if (head) curl->easy_setopt(easy, CURLOPT_NOBODY, 1L);
  return curl->easy_setopt(easy, CURLOPT_CUSTOMREQUEST, post || head ? NULL : wire_request->method) == CURLE_OK;
}

/* Holds for what a Content-Length tells; a body without one is counted as it comes. */
static void bound_length(const privy_transfer *transfer, const privy_wire_request *wire_request) {
  size_t most = strcmp(wire_request->method, "HEAD") == 0 ? 0 : transfer->max_response; /* 0: no bound */
  transfer->curl->easy_setopt(transfer->easy, CURLOPT_MAXFILESIZE_LARGE,
                              most > INT64_MAX ? INT64_MAX : (curl_off_t)most);
}

/* Plain http never leaves the machine, so it takes no proxy. One of the settings is used in spite of $no_proxy. */
static bool set_proxy(privy_transfer *transfer, const char *proxy, const char *url) {
  bool plain = privy_text_starts(url, strlen(url), "http://");
  bool ours = plain || proxy;
  return transfer->curl->easy_setopt(transfer->easy, CURLOPT_PROXY, plain ? "" : proxy) == CURLE_OK &&
         transfer->curl->easy_setopt(transfer->easy, CURLOPT_NOPROXY, ours ? "" : NULL) == CURLE_OK;
}

/* libcurl takes a URL apart once, not for every request: what differs is the request's path. */
static bool set_url(privy_transfer *transfer, const privy_settings *settings, const char *url) {
  const privy_libcurl *curl = transfer->curl;
  CURL *easy = transfer->easy;
  if (transfer->url == url) return true;
  if (curl->url_set(transfer->address, CURLUPART_URL, url, CURLU_PATH_AS_IS) != CURLUE_OK ||
      curl->easy_setopt(easy, CURLOPT_CURLU, transfer->address) != CURLE_OK ||
      !set_proxy(transfer, settings->proxy, url))
    return false;
  transfer->url = url;
  return true;
}

static void set_time(privy_transfer *transfer) {
  const privy_libcurl *curl = transfer->curl;
  curl->easy_setopt(transfer->easy, CURLOPT_TIMEOUT_MS, milliseconds(transfer->timeout));
  curl->easy_setopt(transfer->easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(transfer->connect_timeout));
}

bool privy_transfer_prepare(privy_transfer *transfer, const privy_settings *settings,
                            const privy_wire_request *wire_request, privy_wire_response *wire_response, void *owner) {
  const privy_libcurl *curl = transfer->curl;
  CURL *easy = transfer->easy;
  *transfer = (privy_transfer){.curl = curl,
                               .easy = easy,
                               .address = transfer->address,
                               .url = transfer->url,
                               .connections = transfer->connections,
                               .max_response = transfer->max_response,
                               .owner = owner,
                               .wire_response = wire_response,
                               .measured = wire_request->measured,
                               .timeout = wire_request->timeout,
                               .connect_timeout = wire_request->connect_timeout,
                               .begun = privy_monotonic(),
                               .opened = {-1, -1},
                               .lines = transfer->lines,
                               .places = transfer->places,
                               .room = transfer->room};
  struct curl_slist *headers = make_headers(transfer, wire_request);
  if (!headers || !set_method(curl, easy, wire_request)) return false;
  bound_length(transfer, wire_request);
  set_time(transfer);
  curl->easy_setopt(easy, CURLOPT_FRESH_CONNECT, wire_request->on_new_connection ? 1L : 0L);
  curl->easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  return curl->easy_setopt(easy, CURLOPT_REQUEST_TARGET, wire_request->path) == CURLE_OK &&
         set_url(transfer, settings, wire_request->url);
}

void privy_transfer_extend(privy_transfer *transfer, double seconds) {
  if (!transfer->extended) seconds += MOMENT;
  transfer->extended = true;
  transfer->timeout += seconds;
  transfer->connect_timeout += seconds;
  set_time(transfer);
}

double privy_transfer_deadline(const privy_transfer *transfer) {
  bool connecting = !transfer->sent && transfer->connect_timeout < transfer->timeout;
  return transfer->begun + (connecting ? transfer->connect_timeout : transfer->timeout);
}

void privy_transfer_expire(privy_transfer *transfer) {
  snprintf(transfer->message, sizeof transfer->message, "%s timed out after %.0f milliseconds with %zu bytes received",
           transfer->sent ? "Operation" : "Connection", (privy_monotonic() - transfer->begun) * 1000,
           transfer->wire_response->body.length);
}

void privy_transfer_renew(privy_transfer *transfer) {
  transfer->stale = false;
  transfer->curl->easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT, 1L);
}

/* ---- what came back ---- */

static double seconds_of(const privy_libcurl *curl, CURL *easy, CURLINFO info) {
  curl_off_t microseconds = 0;
  curl->easy_getinfo(easy, info, &microseconds);
  return (double)microseconds / 1e6;
}

/* From one instant of a transfer to a later one; 0 when the later one was never reached. */
static double between(double earlier, double later) {
  return later > earlier ? later - earlier : 0;
}

static uint64_t bytes_of(const privy_libcurl *curl, CURL *easy, CURLINFO whole, CURLINFO part) {
  long headers = 0;
  curl_off_t body = 0;
  curl->easy_getinfo(easy, whole, &headers);
  curl->easy_getinfo(easy, part, &body);
  return (uint64_t)headers + (uint64_t)body;
}

/* libcurl tells instants, counted from the transfer's start, and goes on telling those of a kept connection. */
static privy_cost cost_of(const privy_libcurl *curl, CURL *easy) {
  long new_connections = 0;
  curl->easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &new_connections);
  privy_cost cost = {.first_byte = between(seconds_of(curl, easy, CURLINFO_PRETRANSFER_TIME_T),
                                           seconds_of(curl, easy, CURLINFO_STARTTRANSFER_TIME_T)),
                     .total = seconds_of(curl, easy, CURLINFO_TOTAL_TIME_T),
                     .bytes_sent = bytes_of(curl, easy, CURLINFO_REQUEST_SIZE, CURLINFO_SIZE_UPLOAD_T),
                     .bytes_received = bytes_of(curl, easy, CURLINFO_HEADER_SIZE, CURLINFO_SIZE_DOWNLOAD_T),
                     .reused = new_connections == 0};
  if (cost.reused) return cost;
  double named = seconds_of(curl, easy, CURLINFO_NAMELOOKUP_TIME_T),
         connected = seconds_of(curl, easy, CURLINFO_CONNECT_TIME_T);
  cost.lookup = named;
  cost.connect = between(named, connected);
  cost.tls = between(connected, seconds_of(curl, easy, CURLINFO_APPCONNECT_TIME_T));
  return cost;
}

/* Whether the first byte of an answer came. */
static bool has_begun(const privy_transfer *transfer) {
  return seconds_of(transfer->curl, transfer->easy, CURLINFO_STARTTRANSFER_TIME_T) > 0;
}

/* The class of a failure. A file of certificates that cannot be used will not be better at the next attempt. */
static privy_status failure_of(CURLcode result) {
  if (result == CURLE_OPERATION_TIMEDOUT) return PRIVY_TIMEOUT;
  return result == CURLE_SSL_CACERT_BADFILE ? PRIVY_CONFIG_ERROR : PRIVY_CONNECTION;
}

/* libcurl's own words. It quotes the URL of a proxy that it cannot use, which may hold a password. */
static const char *message_of(const privy_transfer *transfer, CURLcode result) {
  const char *message = transfer->message;
  if (strstr(message, "roxy") && strstr(message, "upported")) return "the URL of the proxy cannot be used";
  bool quotes = strchr(message, '@');
  return *message && !quotes ? message : transfer->curl->easy_strerror(result);
}

static privy_status tell(const privy_transfer *transfer, CURLcode result, privy_error *error) {
  if (result == CURLE_OK && transfer->headed) return PRIVY_OK;
  if (result == CURLE_OK)
    return privy_error_set(error, PRIVY_CONNECTION, "the connection broke within the headers of the answer");
  /* What libcurl calls a header line that is longer than it likes. */
  bool huge_line = (result == CURLE_OUT_OF_MEMORY || (int)result == TOO_LARGE) && has_begun(transfer) &&
                   transfer->wire_response->body.length == 0;
  bool huge_headers = huge_line || transfer->huge_headers;
  bool huge_body = transfer->huge_body || result == CURLE_FILESIZE_EXCEEDED;
  if (huge_body || huge_headers) error->http_status = transfer->wire_response->http_status;
  if (huge_headers) return privy_error_set(error, PRIVY_API_STATUS, "the answer's headers are larger than allowed");
  if (transfer->no_memory || result == CURLE_OUT_OF_MEMORY) return privy_error_no_memory(error);
  if (huge_body)
    return privy_error_set(error, PRIVY_API_STATUS, "the answer is larger than the %zu bytes allowed",
                           transfer->max_response);
  if (result == CURLE_ABORTED_BY_CALLBACK)
    return privy_error_set(error, PRIVY_CONNECTION, "the connection broke before the answer came");
  return privy_error_set(error, failure_of(result), "%s", message_of(transfer, result));
}

privy_status privy_transfer_end(privy_transfer *transfer, CURLcode result, privy_error *error) {
  const privy_libcurl *curl = transfer->curl;
  long http_status = 0;
  curl->easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &http_status);
  transfer->wire_response->http_status = (int)http_status;
  transfer->wire_response->never_arrived = !transfer->sent || transfer->refused;
  if (transfer->measured) transfer->wire_response->cost = cost_of(curl, transfer->easy);
  return tell(transfer, result, error);
}
