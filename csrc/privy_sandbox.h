/*
 * The public interface of the sandbox, an in-memory Privy with the rules of the real one. It completes privy.h, and
 * follows its rules on ownership and threads.
 */
#ifndef PRIVY_SANDBOX_H
#define PRIVY_SANDBOX_H

#include "privy.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The token, with all scopes, and the OAuth client of every new sandbox. */
#define PRIVY_SANDBOX_TOKEN "privy_5a4db0c5a4db0c5a4db0c5a4db0c5a4db0c5a4db"
#define PRIVY_SANDBOX_CLIENT_ID "sandbox-client"
#define PRIVY_SANDBOX_CLIENT_SECRET "sandbox-secret"

PRIVY_API PRIVY_NODISCARD privy_status privy_sandbox_new(privy_sandbox **out);
PRIVY_API privy_sandbox *privy_sandbox_retain(privy_sandbox *sandbox);
PRIVY_API void privy_sandbox_release(privy_sandbox *sandbox);

/* How a response is cut. */
typedef enum privy_cut {
  PRIVY_CUT_NONE = 0,
  PRIVY_CUT_DROP,    /* close the connection without a response */
  PRIVY_CUT_TRUNCATE /* send all headers, half of the body, then close */
} privy_cut;

/* A response of the sandbox. `headers` is a block of "Name: value" lines, each ended by CRLF. */
typedef struct privy_sandbox_response {
  int http_status;
  privy_buffer headers;
  privy_buffer body;
  double delay; /* seconds to wait before responding */
  privy_cut cut;
} privy_sandbox_response;
PRIVY_API void privy_sandbox_response_init(privy_sandbox_response *response);
PRIVY_API void privy_sandbox_response_clear(privy_sandbox_response *response);

/*
 * Handles one request as Privy would. `target` is the path with its query, with or without the "/v1" of the base URL;
 * `headers` a block of "Name: value" lines. The caller clears the response. PRIVY_OK (whatever the HTTP status) or
 * PRIVY_NO_MEMORY, which changes nothing in the sandbox.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_sandbox_handle(privy_sandbox *sandbox, const char *method,
                                                            const char *target, const char *headers,
                                                            size_t headers_length, const char *body, size_t body_length,
                                                            privy_sandbox_response *response);

/*
 * One connection of a served sandbox, without its socket: the caller feeds received bytes and does the next step. It
 * reads HTTP/1.1 strictly, sends every refusal in the API's envelope, and limits how long a request may take to arrive.
 * A request is refused if its Host is not loopback, an allowed name, or (where the server listens on more than
 * loopback) an address, and if it comes from a web page of another host. Used by one thread at a time.
 */
typedef struct privy_sandbox_connection privy_sandbox_connection;

typedef enum privy_sandbox_step_kind {
  PRIVY_SANDBOX_READ, /* wait for bytes until `until`, feed them if there are any, and ask for the next step */
  PRIVY_SANDBOX_SEND, /* wait `delay` seconds, send `bytes`, and ask for the next step */
  PRIVY_SANDBOX_CLOSE /* close the connection */
} privy_sandbox_step_kind;

typedef struct privy_sandbox_step {
  privy_sandbox_step_kind kind;
  bool idle;    /* READ: no byte of a request was received, so closing the connection loses nothing */
  double until; /* READ: by the caller's clock */
  double delay;
  const char *bytes; /* SEND: valid until the connection is used again */
  size_t length;
} privy_sandbox_step;

/* The most connections that a server should keep open, to bound its threads. For another one it closes an idle
 * connection, or else sends PRIVY_SANDBOX_BUSY and closes it. */
#define PRIVY_SANDBOX_CONNECTIONS 256
#define PRIVY_SANDBOX_BUSY                                                                                             \
  "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json; charset=utf-8\r\nRetry-After: 1\r\n"            \
  "Connection: close\r\nContent-Length: 83\r\n\r\n"                                                                    \
  "{\"error\":{\"code\":\"service_unavailable\",\"message\":\"Too many connections are open.\"}}"

/* `host` is the address that the server listens on, `allowed` a space-separated list of further host names, or NULL.
 * The connection keeps a reference to the sandbox. PRIVY_OK or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_sandbox_connection_new(privy_sandbox *sandbox, const char *host,
                                                                    const char *allowed,
                                                                    privy_sandbox_connection **out);
PRIVY_API void privy_sandbox_connection_free(privy_sandbox_connection *connection);
/* Takes received bytes. PRIVY_OK, or PRIVY_NO_MEMORY: then close the connection. */
PRIVY_API PRIVY_NODISCARD privy_status privy_sandbox_connection_feed(privy_sandbox_connection *connection,
                                                                     const char *bytes, size_t length);
/* What to do next. `now` is the caller's monotonic clock, in seconds. PRIVY_OK, or PRIVY_NO_MEMORY: then close the
 * connection. */
PRIVY_API PRIVY_NODISCARD privy_status privy_sandbox_connection_next(privy_sandbox_connection *connection, double now,
                                                                     privy_sandbox_step *step);
/* Whether a server that listens on this address is reachable from this machine only. Names other than "localhost" are
 * not resolved and count as reachable from elsewhere. */
PRIVY_API bool privy_host_is_local(const char *host);

/* Adds a token. `scopes` is a space-separated list, NULL for all. PRIVY_OK or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_sandbox_add_token(privy_sandbox *sandbox, const char *token,
                                                               const char *scopes);
/* Revokes a token: requests with it get 401 from now on. False if the token is unknown. */
PRIVY_API bool privy_sandbox_revoke_token(privy_sandbox *sandbox, const char *token);
/* Adds an OAuth client. `scopes` as above: the scopes of its tokens. PRIVY_OK or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_sandbox_add_client(privy_sandbox *sandbox, const char *client_id,
                                                                const char *client_secret, const char *scopes);
/* Adds the token, or the OAuth client if `token` is NULL, with all scopes, unless the sandbox knows it. A revoked token
 * stays revoked. PRIVY_OK or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_sandbox_accept(privy_sandbox *sandbox, const char *token,
                                                            const char *client_id, const char *client_secret);
/* Adds a Custom Integration by its token. PRIVY_OK or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_sandbox_add_integration(privy_sandbox *sandbox, const char *token,
                                                                     bool active);
/* Puts a contact under compliance suppression, or its SMS consent into "pending", which no request can do.
 * `field` and `value` as in the Contact table. PRIVY_OK, PRIVY_NOT_FOUND, PRIVY_VALIDATION or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_sandbox_set_consent(privy_sandbox *sandbox, const char *contact_id,
                                                                 const char *field, const char *value);
/* Countries for SMS, as a space-separated list of E.164 prefixes ("+1 +44"); "" for none, "+" for all. New sandboxes
 * support "+1". PRIVY_OK or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_sandbox_set_sms_countries(privy_sandbox *sandbox, const char *prefixes);
/* Seconds of a "minute" of the limits: the longest, and that of the API. */
#define PRIVY_SANDBOX_WINDOW 60
/* Requests allowed per minute and per day; 0 turns a limit off. Both are off in a new sandbox. `window`: seconds of a
 * "minute", 1 to PRIVY_SANDBOX_WINDOW. Responses have the X-RateLimit headers of the limits that are on. PRIVY_OK, or
 * PRIVY_VALIDATION (the window is not in that range), which changes nothing. */
PRIVY_API privy_status privy_sandbox_set_limits(privy_sandbox *sandbox, uint32_t per_minute, uint32_t per_day,
                                                uint32_t window);
/* Sets the limits from a text, for flags of programs: "on" (those of Privy), "off", or "PER_MINUTE[/PER_DAY[/WINDOW]]",
 * such as "60/10000/5". PRIVY_OK, PRIVY_CONFIG_ERROR with a message that shows the text and the rule, which changes
 * nothing, or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_sandbox_read_limits(privy_sandbox *sandbox, const char *text,
                                                                 size_t length, privy_error *error);
/* Stops the sandbox's clock at `seconds`; from then on only privy_sandbox_advance moves it. Negative: back to the
 * machine's clock. */
PRIVY_API void privy_sandbox_set_clock(privy_sandbox *sandbox, double seconds);
PRIVY_API void privy_sandbox_advance(privy_sandbox *sandbox, double seconds);
PRIVY_API double privy_sandbox_now(privy_sandbox *sandbox);
/* Whether calls of its clients move the clock in place of waiting: for a rate limit, for a retry, for a response that a
 * fault delays. For tests: they take no time. */
PRIVY_API void privy_sandbox_set_skipping(privy_sandbox *sandbox, bool skips_waits);
/* Moves the clock to `until`, unless it is later or the sandbox does not skip waits. Returns whether it skips waits. */
PRIVY_API bool privy_sandbox_skip_wait(privy_sandbox *sandbox, double until);

/* An injected fault: it applies to `count` requests, after the next `skip` ones. */
typedef struct privy_sandbox_fault {
  int http_status;       /* respond with this and do nothing else; 0: process the request */
  const char *body;      /* with http_status: the body, NULL for the API's own envelope */
  double retry_after;    /* with http_status: sent as Retry-After when not negative */
  double delay;          /* seconds before the response */
  privy_cut cut;         /* the request is processed, its response is cut */
  uint32_t skip, count;  /* count 0: all following requests */
  const char *operation; /* "orders.upsert": only requests of its method and path count; NULL: all requests. The first
                            request of a contacts.upsert is a contacts.create */
} privy_sandbox_fault;
/* Queues a copy of the fault. Of the faults that concern a request the one that was queued first applies. PRIVY_OK,
 * PRIVY_VALIDATION (there is no such operation) or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_sandbox_add_fault(privy_sandbox *sandbox,
                                                               const privy_sandbox_fault *fault);
/* Queues the fault of a text, for flags of programs: "STATUS[:COUNT][@OPERATION]", such as "503:3@orders.upsert";
 * STATUS is 400 to 599, "drop" or "truncate". Returns as privy_sandbox_read_limits does. */
PRIVY_API PRIVY_NODISCARD privy_status privy_sandbox_read_fault(privy_sandbox *sandbox, const char *text, size_t length,
                                                                privy_error *error);
PRIVY_API void privy_sandbox_clear_faults(privy_sandbox *sandbox);

/* Counts: requests handled, contacts and orders stored, events accepted, welcome messages sent. */
typedef struct privy_sandbox_counts {
  uint64_t requests, contacts, orders, events, welcome_messages;
} privy_sandbox_counts;
PRIVY_API privy_sandbox_counts privy_sandbox_count(privy_sandbox *sandbox);
/* Deletes contacts, orders, events, messages, counts and the history; keeps tokens, integrations, limits and clock. */
PRIVY_API void privy_sandbox_reset(privy_sandbox *sandbox);

/*
 * Adds generated data of a kind: "shop" has contacts of several languages with all consents, and orders and events of
 * them, spread over the last `days` days (1 to 3650) before the sandbox's clock. The same state, clock and arguments
 * give the same data on every machine. `contacts`: 0 to 1,000,000. It sends no welcome message and counts no request.
 * PRIVY_OK, PRIVY_VALIDATION with what is wrong appended to `problem`, or PRIVY_NO_MEMORY, which changes nothing.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_sandbox_seed(privy_sandbox *sandbox, const char *kind, int64_t contacts,
                                                          int64_t days, uint64_t seed, privy_buffer *problem);
/* The same from a text, for flags of programs: "KIND[:CONTACTS[:SEED]]", such as "shop:5000:7"; 365 days. Returns as
 * privy_sandbox_read_limits does. */
PRIVY_API PRIVY_NODISCARD privy_status privy_sandbox_read_seed(privy_sandbox *sandbox, const char *text, size_t length,
                                                               privy_error *error);

/* A request that a sandbox received, and what became of it. Texts are as received; each ends with a NUL. */
typedef struct privy_sandbox_request {
  const char *method;
  const char *target;    /* path and query, without the "/v1" of the base URL */
  const char *operation; /* "contacts.create", static; NULL: no operation has this method and path */
  const char *headers;   /* "Name: value" lines; those that may hold a secret are left out */
  size_t headers_length;
  const char *body; /* NULL: left out, because it holds the secret of an OAuth client or is larger than 8 MiB */
  size_t body_length;
  int http_status; /* of the response, also if a fault cut it */
  double at;       /* seconds since 1970, by the sandbox's clock */
} privy_sandbox_request;

/* How many requests a new sandbox keeps, and the most memory that they take. A sandbox keeps the newest requests. A
 * request that finds no memory is handled without being kept. */
#define PRIVY_SANDBOX_HISTORY 1000
#define PRIVY_SANDBOX_HISTORY_BYTES ((size_t)16 << 20)
/* Keeps the newest `most` requests from now on; 0: none. */
PRIVY_API void privy_sandbox_keep_history(privy_sandbox *sandbox, size_t most);
/* The requests that the sandbox keeps, at one moment: later ones do not change a history. It may outlive the sandbox.
 * PRIVY_OK or PRIVY_NO_MEMORY. */
typedef struct privy_sandbox_history privy_sandbox_history;
PRIVY_API PRIVY_NODISCARD privy_status privy_sandbox_history_new(privy_sandbox *sandbox, privy_sandbox_history **out);
/* The request at `index`, the oldest first, valid until the history is freed; NULL past the end. */
PRIVY_API const privy_sandbox_request *privy_sandbox_history_at(const privy_sandbox_history *history, size_t index);
PRIVY_API void privy_sandbox_history_free(privy_sandbox_history *history);

/*
 * What a sandbox holds at one moment: all that privy_sandbox_reset deletes, deleted contacts that may be restored, and
 * the numbers from which ids are made. Not tokens, OAuth clients, integrations, SMS countries, limits, faults and
 * clock. A snapshot does not change; threads may share it; it may outlive the sandbox.
 */
typedef struct privy_sandbox_snapshot privy_sandbox_snapshot;
/* PRIVY_OK, with a snapshot that the caller frees, or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_sandbox_snapshot_new(privy_sandbox *sandbox, privy_sandbox_snapshot **out);
PRIVY_API void privy_sandbox_snapshot_free(privy_sandbox_snapshot *snapshot);
/* What privy_sandbox_count returned at that moment. */
PRIVY_API privy_sandbox_counts privy_sandbox_snapshot_count(const privy_sandbox_snapshot *snapshot);
/* Makes the sandbox, which may be another one, hold what the snapshot holds; the windows of its limits begin again. May
 * be repeated. PRIVY_OK, or PRIVY_NO_MEMORY, which changes nothing. */
PRIVY_API PRIVY_NODISCARD privy_status privy_sandbox_restore(privy_sandbox *sandbox,
                                                             const privy_sandbox_snapshot *snapshot);

/* Appends what a snapshot holds but the requests, as text in lines of JSON, without any secret. PRIVY_OK or
 * PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_sandbox_write(privy_sandbox *sandbox, privy_buffer *out);
/* Makes the sandbox hold what such a text says, with no requests. PRIVY_OK, PRIVY_VALIDATION with what is wrong
 * appended to `problem`, or PRIVY_NO_MEMORY; both change nothing. */
PRIVY_API PRIVY_NODISCARD privy_status privy_sandbox_read(privy_sandbox *sandbox, const char *text, size_t length,
                                                          privy_buffer *problem);

/* What a sandbox stores. A record is a JSON object: the fields of a response, then those that were sent and no response
 * holds. An event has its event_id, what was sent, and accepted_at. A message is a welcome message that was sent by
 * SMS: contact_id, phone_number, at. */
typedef enum privy_sandbox_kind {
  PRIVY_SANDBOX_CONTACTS,
  PRIVY_SANDBOX_ORDERS,
  PRIVY_SANDBOX_EVENTS,
  PRIVY_SANDBOX_MESSAGES
} privy_sandbox_kind;
/* Appends the record of a key: the contact of an id, e-mail address or phone number; the order of an order_id; the
 * event of an event_id or idempotency key; the newest message to a phone number or the id of a contact. PRIVY_OK,
 * PRIVY_NOT_FOUND or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_sandbox_find(privy_sandbox *sandbox, privy_sandbox_kind kind,
                                                          const char *key, size_t length, privy_buffer *out);
/* Appends all records of a kind, oldest first, as a JSON array. PRIVY_OK or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_sandbox_list(privy_sandbox *sandbox, privy_sandbox_kind kind,
                                                          privy_buffer *out);

#ifdef __cplusplus
}
#endif

#endif
