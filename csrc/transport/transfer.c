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

/* Bytes and lines of headers, those of interim responses included. */
#define MAX_HEADERS ((size_t)256 << 10)
#define MAX_HEADER_LINES 1000
#define USUAL_HEADERS 1000
/* libcurl closes a connection that was idle for longer instead of using it again. */
#define MAX_IDLE_SECONDS 60L
/* Seconds, so that their milliseconds fit into the smallest long. */
#define MAX_TIMEOUT 2e6
/* A larger Content-Length is not allocated in advance: the body may never come. */
#define MAX_PREALLOCATION ((curl_off_t)1 << 20)
/* CURLE_TOO_LARGE, which libcurl returns since 8.6 instead of CURLE_OUT_OF_MEMORY. The loaded library may be newer than
 * the headers of this build. */
#define TOO_LARGE 100
/* Seconds to read a response that came while the engine had no driver. */
#define READ_TIME 0.05

/* ---- libcurl's callbacks during a transfer ---- */

static size_t on_header(char *data, size_t size, size_t count, void *context) {
  privy_transfer *transfer = context;
  privy_transfer_request *request = &transfer->request;
  privy_buffer *headers = &request->wire_response->headers;
  size_t length = size * count;
  request->header_bytes += length;
  request->headers_too_large = request->header_bytes > MAX_HEADERS || ++request->header_lines > MAX_HEADER_LINES;
  if (request->headers_too_large) return 0;
  if (length <= 2) request->headers_complete = true;
  if (privy_text_starts(data, length, "HTTP/")) {
    request->headers_complete = false;
    privy_connections_received(transfer->connections, request->port);
    privy_connections_set_http1(transfer->connections, request->port, privy_text_starts(data, length, "HTTP/1"));
    headers->length = 0; /* drops the headers of an interim response */
    request->no_memory = !privy_buffer_reserve(headers, USUAL_HEADERS);
    return request->no_memory ? 0 : length;
  }
  request->no_memory = !privy_buffer_append(headers, data, length);
  return request->no_memory ? 0 : length;
}

/* Allocates the body once, from the Content-Length. False when memory runs out. */
static bool reserve_body(const privy_transfer *transfer) {
  privy_buffer *body = &transfer->request.wire_response->body;
  curl_off_t length = -1;
  if (body->length > 0) return true;
  transfer->curl->easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  return length < 0 || length > MAX_PREALLOCATION || privy_buffer_reserve(body, (size_t)length);
}

static size_t on_body(char *data, size_t size, size_t count, void *context) {
  privy_transfer *transfer = context;
  privy_transfer_request *request = &transfer->request;
  privy_buffer *body = &request->wire_response->body;
  size_t length = size * count;
  privy_connections_received(transfer->connections, request->port);
  request->body_too_large = length > transfer->max_response - body->length;
  request->no_memory =
      !request->body_too_large && (!reserve_body(transfer) || !privy_buffer_append(body, data, length));
  return request->body_too_large || request->no_memory ? 0 : length;
}

static int on_open(void *context, curl_socket_t socket, curlsocktype purpose) {
  privy_transfer *transfer = context;
  (void)purpose;
  transfer->request.opened[1] = transfer->request.opened[0];
  transfer->request.opened[0] = (int)socket;
  return CURL_SOCKOPT_OK;
}

static int on_close(void *connections, curl_socket_t socket) {
  privy_connections_forget(connections, (int)socket);
  return close(socket);
}

/*
 * libcurl calls this before it sends the request. Aborts the transfer
 *   - on a kept connection that has become unusable: the engine sends the request on a new one;
 *   - when libcurl sends the request a second time, which it does silently if a kept connection breaks: the server may
 *     have processed the first request, and retrying is the caller's decision. On a new connection libcurl only repeats
 *     what the server has refused unread (REFUSED_STREAM and the like in HTTP/2).
 */
static int on_request(void *context, char *remote, char *local, int remote_port, int local_port) {
  privy_transfer *transfer = context;
  privy_transfer_request *request = &transfer->request;
  (void)remote, (void)local, (void)remote_port;
  bool again = request->sent;
  request->port = local_port > 0 ? local_port : 0;
  bool opened = privy_connections_add(transfer->connections, request->port, request->opened);
  request->stale = !again && !opened && privy_connections_is_stale(transfer->connections, request->port);
  if (request->stale) return CURL_PREREQFUNC_ABORT;
  request->refused = again && request->new_connection;
  request->new_connection = opened;
  request->sent = true;
  request->sent_at = privy_monotonic();
  return again ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* ---- life ---- */

static long milliseconds(double seconds) {
  return seconds < 0.001 ? 1L : (long)(fmin(seconds, MAX_TIMEOUT) * 1000);
}

/* Sets the options that libcurl copies. False when memory runs out: then no request may be sent, because it would use
 * another protocol or trust other authorities. */
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
  /* Otherwise the host's authorities stay trusted in addition to the bundle. */
  curl->easy_setopt(easy, CURLOPT_CAPATH, NULL);
  curl->easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
  /* A libcurl without TLS for proxies does not know the second option. */
  return curl->easy_setopt(easy, CURLOPT_CAINFO, settings->ca_bundle) == CURLE_OK &&
         curl->easy_setopt(easy, CURLOPT_PROXY_CAINFO, settings->ca_bundle) != CURLE_OUT_OF_MEMORY;
}

static void set_constants(privy_transfer *transfer) {
  const privy_libcurl *curl = transfer->curl;
  CURL *easy = transfer->easy;
  curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
  curl->easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a timeout or a stop does not wait for a hanging name lookup */
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
  curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->request.message);
  curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl->easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
  curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl->easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
  curl->easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_open);
  curl->easy_setopt(easy, CURLOPT_SOCKOPTDATA, transfer);
  curl->easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
  curl->easy_setopt(easy, CURLOPT_CLOSESOCKETDATA,
                    transfer->connections); /* the socket may outlive the transfer, not the engine */
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
  set_constants(transfer);
  return transfer;
}

void privy_transfer_free(privy_transfer *transfer) {
  transfer->curl->easy_cleanup(transfer->easy);
  transfer->curl->url_cleanup(transfer->address);
  privy_free(transfer->headers);
  privy_buffer_clear(&transfer->header_text);
  privy_free(transfer);
}

/* ---- the request ---- */

static bool add_header(privy_transfer *transfer, privy_slice name, const char *separator, privy_slice value,
                       const char *suffix) {
  privy_buffer *text = &transfer->header_text;
  transfer->header_count++;
  return privy_buffer_append(text, name.text, name.length) && privy_buffer_text(text, separator) &&
         privy_buffer_append(text, value.text, value.length) && privy_buffer_text(text, suffix) &&
         privy_buffer_byte(text, '\0');
}

/* Builds libcurl's list of the headers. False when memory runs out. */
static bool link_headers(privy_transfer *transfer) {
  const size_t count = transfer->header_count;
  if (count > transfer->header_capacity) {
    struct curl_slist *larger = privy_realloc(transfer->headers, count * sizeof *larger);
    if (!larger) return false;
    transfer->headers = larger;
    transfer->header_capacity = count;
  }
  char *at = transfer->header_text.data;
  for (size_t i = 0; i < count; i++, at += strlen(at) + 1)
    transfer->headers[i] = (struct curl_slist){at, i + 1 < count ? &transfer->headers[i + 1] : NULL};
  return true;
}

static bool has_body(const privy_wire_request *wire_request) {
  return wire_request->body_length || strcmp(wire_request->method, "POST") == 0;
}

static bool is_called(privy_header header, privy_slice name) {
  return privy_text_equal_nocase(header.name.text, header.name.length, name.text, name.length);
}

static const privy_slice expect = {"Expect", 6}, content_type = {"Content-Type", 12}, user_agent = {"User-Agent", 10},
                         accept_encoding = {"Accept-Encoding", 15}, no_value = {"", 0};

typedef struct present_headers {
  bool content_type, accept_encoding;
} present_headers;

static bool copy_headers(privy_transfer *transfer, const privy_wire_request *wire_request, present_headers *present) {
  privy_slice block = {wire_request->headers.data, wire_request->headers.length};
  privy_header header;
  *present = (present_headers){false, false};
  while (privy_next_header(&block, &header)) {
    present->content_type = present->content_type || is_called(header, content_type);
    present->accept_encoding = present->accept_encoding || is_called(header, accept_encoding);
    if (!add_header(transfer, header.name, header.value.length ? ": " : ";", header.value,
                    is_called(header, user_agent) ? transfer->curl->agent : ""))
      return false;
  }
  return true;
}

/* Without a value: keeps libcurl from adding the header itself. */
static bool add_missing(privy_transfer *transfer, bool present, privy_slice name, privy_slice value) {
  return present || add_header(transfer, name, value.length ? ": " : ":", value, "");
}

/* Fills `headers`. Sets Accept-Encoding here because libcurl would build that header for every request. */
static bool make_headers(privy_transfer *transfer, const privy_wire_request *wire_request) {
  const bool body = has_body(wire_request);
  const privy_slice encodings = {transfer->curl->encodings, strlen(transfer->curl->encodings)};
  present_headers present;
  transfer->header_text.length = transfer->header_count = 0;
  return copy_headers(transfer, wire_request, &present) &&
         add_missing(transfer, present.accept_encoding || encodings.length == 0, accept_encoding, encodings) &&
         add_missing(transfer, present.content_type || !body, content_type, no_value) &&
         add_missing(transfer, !body, expect, no_value) && link_headers(transfer);
}

/* False when memory runs out: then the request must not be sent, because it would have another method. */
static bool set_method(const privy_libcurl *curl, CURL *easy, const privy_wire_request *wire_request) {
  bool post = strcmp(wire_request->method, "POST") == 0, head = strcmp(wire_request->method, "HEAD") == 0;
  curl->easy_setopt(easy, CURLOPT_HTTPGET, 1L); /* resets the method of the last request */
  if (has_body(wire_request)) {
    curl->easy_setopt(easy, CURLOPT_POST, 1L);
    curl->easy_setopt(easy, CURLOPT_POSTFIELDS, wire_request->body);
    curl->easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)wire_request->body_length);
  }
  if (head) curl->easy_setopt(easy, CURLOPT_NOBODY, 1L);
  return curl->easy_setopt(easy, CURLOPT_CUSTOMREQUEST, post || head ? NULL : wire_request->method) == CURLE_OK;
}

/* Applies to a Content-Length; on_body counts a body without one. */
static void limit_length(const privy_transfer *transfer, const privy_wire_request *wire_request) {
  size_t limit = strcmp(wire_request->method, "HEAD") == 0 ? 0 : transfer->max_response; /* 0: no limit */
  transfer->curl->easy_setopt(transfer->easy, CURLOPT_MAXFILESIZE_LARGE,
                              limit > INT64_MAX ? INT64_MAX : (curl_off_t)limit);
}

/* Plain HTTP goes to this machine or to a sandbox, so it uses no proxy. The proxy of the settings overrides
 * $no_proxy. */
static bool set_proxy(privy_transfer *transfer, const char *proxy, const char *url) {
  bool plain = privy_text_starts(url, strlen(url), "http://");
  bool ignore_no_proxy = plain || proxy;
  return transfer->curl->easy_setopt(transfer->easy, CURLOPT_PROXY, plain ? "" : proxy) == CURLE_OK &&
         transfer->curl->easy_setopt(transfer->easy, CURLOPT_NOPROXY, ignore_no_proxy ? "" : NULL) == CURLE_OK;
}

/* Makes libcurl parse a URL once, not for each request: requests only differ in their path. */
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

static void set_timeouts(privy_transfer *transfer) {
  const privy_libcurl *curl = transfer->curl;
  curl->easy_setopt(transfer->easy, CURLOPT_TIMEOUT_MS, milliseconds(transfer->request.timeout));
  curl->easy_setopt(transfer->easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(transfer->request.connect_timeout));
}

bool privy_transfer_prepare(privy_transfer *transfer, const privy_settings *settings,
                            const privy_wire_request *wire_request, privy_wire_response *wire_response, void *owner) {
  const privy_libcurl *curl = transfer->curl;
  CURL *easy = transfer->easy;
  transfer->request = (privy_transfer_request){.owner = owner,
                                               .wire_response = wire_response,
                                               .measured = wire_request->measured,
                                               .started_at = privy_monotonic(),
                                               .timeout = wire_request->timeout,
                                               .connect_timeout = wire_request->connect_timeout,
                                               .opened = {-1, -1}};
  if (!make_headers(transfer, wire_request) || !set_method(curl, easy, wire_request)) return false;
  limit_length(transfer, wire_request);
  set_timeouts(transfer);
  curl->easy_setopt(easy, CURLOPT_FRESH_CONNECT, wire_request->on_new_connection ? 1L : 0L);
  curl->easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
  return curl->easy_setopt(easy, CURLOPT_REQUEST_TARGET, wire_request->path) == CURLE_OK &&
         set_url(transfer, settings, wire_request->url);
}

void privy_transfer_extend(privy_transfer *transfer, double seconds) {
  privy_transfer_request *request = &transfer->request;
  if (!request->extended) seconds += READ_TIME;
  request->extended = true;
  request->timeout += seconds;
  request->connect_timeout += seconds;
  set_timeouts(transfer);
}

double privy_transfer_deadline(const privy_transfer *transfer) {
  const privy_transfer_request *request = &transfer->request;
  bool connecting = !request->sent && request->connect_timeout < request->timeout;
  return request->started_at + (connecting ? request->connect_timeout : request->timeout);
}

void privy_transfer_expire(privy_transfer *transfer) {
  privy_transfer_request *request = &transfer->request;
  snprintf(request->message, sizeof request->message, "%s timed out after %.0f milliseconds with %zu bytes received",
           request->sent ? "Operation" : "Connection", (privy_monotonic() - request->started_at) * 1000,
           request->wire_response->body.length);
}

void privy_transfer_use_new_connection(privy_transfer *transfer) {
  transfer->request.stale = false;
  transfer->curl->easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT, 1L);
}

/* ---- the result ---- */

static double seconds_of(const privy_libcurl *curl, CURL *easy, CURLINFO info) {
  curl_off_t microseconds = 0;
  curl->easy_getinfo(easy, info, &microseconds);
  return (double)microseconds / 1e6;
}

/* Seconds from one instant of a transfer to a later one; 0 if the transfer never reached the later one. */
static double between(double earlier, double later) {
  return later > earlier ? later - earlier : 0;
}

static uint64_t bytes_of(const privy_libcurl *curl, CURL *easy, CURLINFO header_bytes, CURLINFO body_bytes) {
  long headers = 0;
  curl_off_t body = 0;
  curl->easy_getinfo(easy, header_bytes, &headers);
  curl->easy_getinfo(easy, body_bytes, &body);
  return (uint64_t)headers + (uint64_t)body;
}

/* libcurl reports instants as offsets from the start, and repeats old ones for reused connections. */
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
  double resolved = seconds_of(curl, easy, CURLINFO_NAMELOOKUP_TIME_T),
         connected = seconds_of(curl, easy, CURLINFO_CONNECT_TIME_T);
  cost.lookup = resolved;
  cost.connect = between(resolved, connected);
  cost.tls = between(connected, seconds_of(curl, easy, CURLINFO_APPCONNECT_TIME_T));
  return cost;
}

/* ---- errors ---- */

typedef enum transfer_result {
  RECEIVED,
  HEADERS_INCOMPLETE,
  HEADERS_TOO_LARGE,
  BODY_TOO_LARGE,
  OUT_OF_MEMORY,
  CONNECTION_LOST, /* on_request has aborted the transfer */
  FAILED           /* with libcurl's reason */
} transfer_result;

/* libcurl reports a header line that is longer than its limit as a lack of memory. */
static bool has_long_header_line(const privy_transfer *transfer, CURLcode result) {
  if (result != CURLE_OUT_OF_MEMORY && (int)result != TOO_LARGE) return false;
  bool response_started = seconds_of(transfer->curl, transfer->easy, CURLINFO_STARTTRANSFER_TIME_T) > 0;
  return response_started && transfer->request.wire_response->body.length == 0;
}

static transfer_result classify(const privy_transfer *transfer, CURLcode result) {
  const privy_transfer_request *request = &transfer->request;
  if (result == CURLE_OK) return request->headers_complete ? RECEIVED : HEADERS_INCOMPLETE;
  if (request->headers_too_large || has_long_header_line(transfer, result)) return HEADERS_TOO_LARGE;
  if (request->no_memory || result == CURLE_OUT_OF_MEMORY) return OUT_OF_MEMORY;
  if (request->body_too_large || result == CURLE_FILESIZE_EXCEEDED) return BODY_TOO_LARGE;
  return result == CURLE_ABORTED_BY_CALLBACK ? CONNECTION_LOST : FAILED;
}

/* The status of a failure. A retry does not help if the file of certificates cannot be used. */
static privy_status status_of(CURLcode result) {
  if (result == CURLE_OPERATION_TIMEDOUT) return PRIVY_TIMEOUT;
  return result == CURLE_SSL_CACERT_BADFILE ? PRIVY_CONFIG_ERROR : PRIVY_CONNECTION;
}

/* libcurl's own text, unless it may quote the URL of a proxy, which may contain a password. */
static const char *message_of(const privy_transfer *transfer, CURLcode result) {
  const char *message = transfer->request.message;
  if (strstr(message, "roxy") && strstr(message, "upported")) return "the URL of the proxy cannot be used";
  bool quotes_url = strchr(message, '@');
  return *message && !quotes_url ? message : transfer->curl->easy_strerror(result);
}

static privy_status set_too_large(const privy_transfer *transfer, transfer_result result, privy_error *error) {
  error->http_status = transfer->request.wire_response->http_status;
  if (result == HEADERS_TOO_LARGE)
    return privy_error_set(error, PRIVY_API_STATUS, "the response's headers are larger than allowed");
  return privy_error_set(error, PRIVY_API_STATUS, "the response is larger than the %zu bytes allowed",
                         transfer->max_response);
}

static privy_status set_error(const privy_transfer *transfer, CURLcode code, privy_error *error) {
  const transfer_result result = classify(transfer, code);
  switch (result) {
  case RECEIVED: return PRIVY_OK;
  case HEADERS_INCOMPLETE:
    return privy_error_set(error, PRIVY_CONNECTION, "the connection broke within the headers of the response");
  case HEADERS_TOO_LARGE:
  case BODY_TOO_LARGE: return set_too_large(transfer, result, error);
  case OUT_OF_MEMORY: return privy_error_no_memory(error);
  case CONNECTION_LOST:
    return privy_error_set(error, PRIVY_CONNECTION, "the connection broke before the response came");
  case FAILED: break;
  }
  return privy_error_set(error, status_of(code), "%s", message_of(transfer, code));
}

privy_status privy_transfer_end(privy_transfer *transfer, CURLcode result, privy_error *error) {
  const privy_libcurl *curl = transfer->curl;
  const privy_transfer_request *request = &transfer->request;
  long http_status = 0;
  curl->easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &http_status);
  request->wire_response->http_status = (int)http_status;
  request->wire_response->never_arrived = !request->sent || request->refused;
  if (request->measured) request->wire_response->cost = cost_of(curl, transfer->easy);
  return set_error(transfer, result, error);
}
