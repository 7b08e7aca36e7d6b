/*
 * privy: one C core for the Privy API (contacts, orders, events).
 *
 * This header, privy_sandbox.h, privy_jobs.h and privy_imports.h are the public interface, and all that the language
 * bindings include. This one has calls; its sections are in the order of use: errors, values, tables, requests,
 * responses, clients, groups, columns, set-ups. privy_sandbox.h has the sandbox, privy_jobs.h what is bigger than a
 * call, privy_imports.h files as rows.
 *
 * Conventions
 *   - Text is UTF-8. `(const char *text, size_t length)` need not end in NUL; a lone `const char *` does.
 *   - Lengths are bytes, durations are seconds (double), instants are seconds since 1970-01-01 UTC.
 *   - `_new`/`_free` own memory, `_init`/`_clear` fill and empty a struct that the caller owns, `_retain`/`_release`
 *     count references. Every `_free`, `_clear` and `_release` accepts NULL and an empty struct.
 *   - A function that can fail returns a privy_status and, on failure, fills the caller's privy_error.
 *   - There is no process-wide state: two clients are independent. fork() blocks while another thread is in a section
 *     that would deadlock the child.
 */
#ifndef PRIVY_H
#define PRIVY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PRIVY_VERSION "0.1.0"

/* Symbols are hidden (-fvisibility=hidden); PRIVY_SHARED exports those declared here, for a library of its own. */
#if defined(__GNUC__) && defined(PRIVY_SHARED)
#define PRIVY_API __attribute__((visibility("default")))
#else
#define PRIVY_API
#endif

#if defined(__GNUC__)
#define PRIVY_NODISCARD __attribute__((warn_unused_result))
#define PRIVY_PRINTF(format, first) __attribute__((__format__(__printf__, format, first)))
#else
#define PRIVY_NODISCARD
#define PRIVY_PRINTF(format, first)
#endif

/* ---- errors ------------------------------------------------------------------------------------------------------ */

/*
 * Every way a call can fail: X(code, class name in both languages, parent code, HTTP status or 0, what it means).
 * The name of the root class differs by language (PrivyError, Privy::Error); all others are the same in both.
 */
#define PRIVY_ERRORS(X)                                                                                                \
  X(CONFIG_ERROR, "PrivyError", OK, 0, "The base class of all errors; itself raised for an invalid setting.")          \
  X(NO_MEMORY, "", OK, 0, "Out of memory; every object is still usable.")                                              \
  X(INTERRUPTED, "", OK, 0, "The caller stopped the call; its connection was closed.")                                 \
  X(VALIDATION, "ValidationError", CONFIG_ERROR, 0,                                                                    \
    "The request is invalid: found before sending, or by the server (400, 422).")                                      \
  X(CONNECTION, "APIConnectionError", CONFIG_ERROR, 0,                                                                 \
    "No complete response arrived: the connection failed or broke.")                                                   \
  X(TIMEOUT, "APITimeoutError", CONNECTION, 0, "No complete response arrived in time.")                                \
  X(JOURNAL, "JournalError", CONFIG_ERROR, 0, "The journal of a bulk run cannot be used; code is the reason.")         \
  X(SNAPSHOT, "SnapshotError", CONFIG_ERROR, 0,                                                                        \
    "The file of a snapshot or export cannot be used; code is the reason.")                                            \
  X(DEADLINE, "DeadlineError", CONFIG_ERROR, 0, "The time of a bulk run is over: it sends no further request.")        \
  X(API_STATUS, "APIStatusError", CONFIG_ERROR, 0, "The server returned an error status or an invalid response.")      \
  X(AUTHENTICATION, "AuthenticationError", API_STATUS, 401, "The token is missing, expired, revoked or wrong.")        \
  X(PERMISSION_DENIED, "PermissionDeniedError", API_STATUS, 403, "The token lacks the scope that the call needs.")     \
  X(NOT_FOUND, "NotFoundError", API_STATUS, 404, "There is no such contact or endpoint.")                              \
  X(CONFLICT, "ConflictError", API_STATUS, 409, "A contact with this e-mail or phone exists; contact_id is its id.")   \
  X(PAYLOAD_TOO_LARGE, "PayloadTooLargeError", API_STATUS, 413, "The event's body is larger than 256 KB.")             \
  X(RATE_LIMIT, "RateLimitError", API_STATUS, 429, "The account's rate limit per minute or per day is reached.")       \
  X(SERVER, "ServerError", API_STATUS, 500, "The server failed (any 5xx).")

typedef enum privy_status {
  PRIVY_OK = 0,
#define X(code, name, parent, status, doc) PRIVY_##code,
  PRIVY_ERRORS(X)
#undef X
      PRIVY_STATUS_COUNT
} privy_status;

typedef struct privy_response privy_response;

/*
 * The codes of error details: X(constant, code, whether details of that code have a count, which rule it names).
 * Codes are stable: programs compare them, and translations have them as keys.
 */
#define PRIVY_DETAIL_CODES(X)                                                                                          \
  X(REQUIRED, "required", false, "A required field is missing.")                                                       \
  X(NOT_NULL, "not_null", false, "The field does not accept null.")                                                    \
  X(MISSING_VALUE, "missing_value", false, "The value represents a missing one, such as NaN: omit the field.")         \
  X(UNKNOWN_FIELD, "unknown_field", false, "The operation has no such field.")                                         \
  X(READ_ONLY, "read_only", false, "Only the API sets the field or the value.")                                        \
  X(REPEATED, "repeated", false, "The name is given twice.")                                                           \
  X(RESERVED, "reserved", false, "The client or a parameter sets the header.")                                         \
  X(WRONG_TYPE, "wrong_type", false, "The value is of another type than the field's.")                                 \
  X(NOT_A_NUMBER, "not_a_number", false, "The value is not a number, such as 95.00.")                                  \
  X(NOT_AN_INTEGER, "not_an_integer", false, "The value is not an integer.")                                           \
  X(NOT_FINITE, "not_finite", false, "The number is infinite, or is not a number of JSON.")                            \
  X(GREATER_THAN_OR_EQUAL_TO, "greater_than_or_equal_to", true, "The number is below the least one, count.")           \
  X(LESS_THAN_OR_EQUAL_TO, "less_than_or_equal_to", true, "The number is above the largest one, count.")               \
  X(INCLUSION, "inclusion", false, "The value is not one of those that are accepted.")                                 \
  X(NOT_ON_CREATE, "not_on_create", false, "A new record does not accept the value.")                                  \
  X(INVALID_EMAIL, "invalid_email", false, "The text is not an e-mail address.")                                       \
  X(INVALID_PHONE, "invalid_phone", false, "The text is not a phone number in E.164.")                                 \
  X(INVALID_TIME, "invalid_time", false, "The value is not an ISO 8601 date-time, or cannot be written as one.")       \
  X(WITHOUT_TIME_ZONE, "without_time_zone", false, "The time or date has no time zone.")                               \
  X(INVALID_CURRENCY, "invalid_currency", false, "The text is not an ISO 4217 code.")                                  \
  X(INVALID_EVENT_TYPE, "invalid_event_type", false, "The text is not 1 to 128 of A-Z, a-z, 0-9, _ and -.")            \
  X(INVALID_CONTACT_ID, "invalid_contact_id", false, "The text is not the id of a contact.")                           \
  X(INVALID_ORDER_ID, "invalid_order_id", false, "The value is not a positive integer or its digits.")                 \
  X(INVALID_HEADER, "invalid_header", false, "Name or value cannot be sent as a header.")                              \
  X(INVALID_PATH, "invalid_path", false, "The text cannot be sent in the path.")                                       \
  X(INVALID_NAME, "invalid_name", false, "The name of a member is missing, too long, no string or not valid text.")    \
  X(INVALID_ENCODING, "invalid_encoding", false, "The text is not valid Unicode.")                                     \
  X(TOO_LONG, "too_long", true, "The text has more characters than count.")                                            \
  X(TOO_LARGE, "too_large", false, "The request, or a value of it, has too many bytes.")                               \
  X(TOO_DEEP, "too_deep", false, "Objects and arrays are nested too deep.")                                            \
  X(NESTED, "nested", false, "The object does not accept nested values.")                                              \
  X(CIRCULAR, "circular", false, "The value contains itself.")                                                         \
  X(NOT_ENCODABLE, "not_encodable", false, "The value has no JSON form.")                                              \
  X(CONVERSION_FAILED, "conversion_failed", false, "The conversion of the value raised an exception.")                 \
  X(IDENTIFIER_REQUIRED, "identifier_required", false, "An e-mail address or a phone number is needed.")               \
  X(EXACTLY_ONE_IDENTIFIER, "exactly_one_identifier", false, "One of email, phone and privy_id is needed, no more.")   \
  X(PHONE_REQUIRED, "phone_required", false, "Consent to SMS needs a phone number.")                                   \
  X(NOTHING_TO_UPDATE, "nothing_to_update", false, "An update needs a field.")                                         \
  X(REJECTED, "rejected", false, "The server refused the field or the request; the message has its words.")            \
  X(CALL_FAILED, "call_failed", false, "The call of a row failed for another reason; the message is its error's.")

typedef enum privy_detail_code {
#define X(id, code, counts, doc) PRIVY_CODE_##id,
  PRIVY_DETAIL_CODES(X)
#undef X
      PRIVY_CODE_COUNT
} privy_detail_code;

typedef struct privy_detail_code_info {
  const char *code;
  bool counts; /* details of this code have a count */
  const char *doc;
} privy_detail_code_info;
/* The row of PRIVY_DETAIL_CODES at `index`; NULL past the end. */
PRIVY_API const privy_detail_code_info *privy_detail_code_at(size_t index);

/* One error of a request: the invalid field ("line_items[0].price", or "base" for a rule over several fields) and the
 * rule that it breaks. Details of the server's 400 and 422 have the same shape. */
typedef struct privy_detail {
  char *field;
  char *message;
  char *code;    /* of PRIVY_DETAIL_CODES, or the server's own code of its detail: [a-z0-9_], at most 64 characters */
  int64_t count; /* the limit that the value breaks; negative if the rule has none */
} privy_detail;

typedef struct privy_details {
  privy_detail *items;
  size_t count;
  size_t capacity;
} privy_details;

/*
 * An error. The caller owns the struct: privy_error_init before its first use, privy_error_clear after its last.
 * All strings belong to it and may be NULL unless said otherwise. It never contains a token or another secret.
 */
typedef struct privy_error {
  privy_status code;
  char *message;            /* one line for a person; never NULL after a failure */
  bool message_owned;       /* false: message is a static text (memory ran out) */
  privy_details details;    /* of PRIVY_VALIDATION, and of other errors that have some */
  int http_status;          /* 0: no response */
  char *api_code;           /* the server's code, e.g. "validation_failed" */
  char *contact_id;         /* PRIVY_CONFLICT: id of the existing contact, if the response has it */
  char *method;             /* e.g. "POST" */
  char *path;               /* the request's path without its query, e.g. "/contacts/cus_…" */
  char *request_id;         /* the response's X-Request-Id */
  char *idempotency_key;    /* the key that the request carried */
  bool may_have_succeeded;  /* a write without a response: the server may have processed it */
  int attempts;             /* requests sent; 0: none */
  double waited;            /* seconds waited for the rate limit, Retry-After and backoff */
  bool retryable;           /* transient, and repeating the call has no second effect */
  double retry_after;       /* transient failures: seconds to wait, at most a day; negative if unknown */
  double retry_at;          /* the same as a wall-clock time (of the sandbox for its clients); 0 if unknown */
  double resets_at;         /* PRIVY_RATE_LIMIT: when the reached limit resets; equals retry_at */
  privy_response *response; /* the response, or NULL; released by privy_error_clear */
} privy_error;

PRIVY_API void privy_error_init(privy_error *error);
/* Frees the members and initializes the error again. */
PRIVY_API void privy_error_clear(privy_error *error);

/* The row of PRIVY_ERRORS for `status`, which is below PRIVY_STATUS_COUNT.
 */
typedef struct privy_error_info {
  privy_status code;
  const char *name; /* class name; "" if the languages have their own exception */
  privy_status parent;
  int http_status;
  const char *doc;
} privy_error_info;
PRIVY_API const privy_error_info *privy_error_describe(privy_status status);

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/*
 * For tests: makes the nth allocation of the calling thread from now on fail once (1: the next one); 0 turns it off.
 */
PRIVY_API void privy_memory_fail_at(size_t nth);
/* True if the requested failure has happened, or none was requested. */
PRIVY_API bool privy_memory_failed(void);
/* Allocates, resizes and frees as the core does; privy_alloc and privy_realloc return NULL when memory runs out. */
PRIVY_API PRIVY_NODISCARD void *privy_alloc(size_t size);
PRIVY_API PRIVY_NODISCARD void *privy_realloc(void *memory, size_t size);
PRIVY_API void privy_free(void *memory);

/* A growable run of bytes. `data` may be NULL while `length` is 0. Start with {0} (PRIVY_BUFFER_EMPTY). */
typedef struct privy_buffer {
  char *data;
  size_t length;
  size_t capacity;
} privy_buffer;
#define PRIVY_BUFFER_EMPTY                                                                                             \
  { NULL, 0, 0 }
PRIVY_API void privy_buffer_clear(privy_buffer *buffer);

/* Writes a complete file in place of one that exists: a reader sees the old bytes or the new ones. 0, or the number of
 * the system's error. */
PRIVY_API int privy_file_write(const char *path, const char *bytes, size_t length);
/* Appends the bytes of a file. 0, or the number of the system's error, which appends nothing. */
PRIVY_API int privy_file_read(const char *path, privy_buffer *out);

/* ---- JSON values ------------------------------------------------------------------------------------------------- */

typedef enum privy_type {
  PRIVY_ABSENT = 0, /* the response has no such field */
  PRIVY_NULL,
  PRIVY_FALSE,
  PRIVY_TRUE,
  PRIVY_NUMBER,
  PRIVY_STRING,
  PRIVY_ARRAY,
  PRIVY_OBJECT
} privy_type;

/* A validated slice of JSON. It points into its response or text, and is valid as long as that. */
typedef struct privy_value {
  const char *text;   /* string: the first byte after the quote; everything else: the first byte */
  uint32_t length;    /* string: bytes between the quotes; everything else: all bytes */
  uint8_t type;       /* a privy_type */
  uint8_t escaped;    /* string: 1 if it has escapes, which privy_value_decode resolves */
  uint8_t integral;   /* number: 1 if it has neither fraction nor exponent */
  uint8_t enum_value; /* enum field: 1 + the position of the value in its table, 0 for an unknown value */
} privy_value;

/*
 * Validates one JSON text (RFC 8259, at most 128 levels) and sets its value.
 * PRIVY_OK, PRIVY_API_STATUS with the byte position in the message, or PRIVY_NO_MEMORY.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_value_parse(const char *text, size_t length, privy_value *out,
                                                         privy_error *error);
/*
 * Appends the text of a string value to `out`, escapes resolved; a lone surrogate becomes U+FFFD.
 * A string without escapes needs no decoding. PRIVY_OK or PRIVY_NO_MEMORY.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_value_decode(privy_value string, privy_buffer *out);

/* Iterates over the members of an object or the elements of an array, in order, including duplicate keys. */
typedef struct privy_cursor {
  const char *at;
  const char *end;
  bool object;
} privy_cursor;
/* A value that is neither array nor object has no members. */
PRIVY_API void privy_cursor_init(privy_cursor *cursor, privy_value container);
/* False at the end. `key` is a string value (of an array: PRIVY_ABSENT). */
PRIVY_API bool privy_cursor_next(privy_cursor *cursor, privy_value *key, privy_value *value);

/* A time in UTC. */
typedef struct privy_time {
  int64_t seconds; /* since 1970-01-01 */
  int32_t nanos;
  int32_t year; /* 1 to 9999 */
  uint8_t month, day, hour, minute, second;
} privy_time;
/* Reads an ISO 8601 date-time with Z or an offset. False if the text is not one. */
PRIVY_API bool privy_time_parse(const char *text, size_t length, privy_time *out);
/* Reads a string value in the same way, with its escapes resolved. False if it is not such a string. */
PRIVY_API bool privy_value_time(privy_value value, privy_time *out);

/* ---- masking ----------------------------------------------------------------------------------------------------- */

/*
 * Appends the text with all e-mail addresses and phone numbers masked: "jane@x.io" as
 * "j***@x.io", "+1 415 555 0171" as "+1 415 *** **71". A number without a + needs ten digits. PRIVY_OK or
 * PRIVY_NO_MEMORY.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_mask(const char *text, size_t length, privy_buffer *out);
/* True for a header whose value may be a secret: cookies, and names with "token", "authorization", "secret", "password"
 * or "api-key"; ignores case. */
PRIVY_API bool privy_header_is_secret(const char *name);

/* ---- tables: the description of the API -------------------------------------------------------------------------- */

typedef enum privy_kind {
  PRIVY_KIND_STRING,
  PRIVY_KIND_INTEGER,
  PRIVY_KIND_MONEY, /* a number, or a string holding one; read as decimal */
  PRIVY_KIND_BOOLEAN,
  PRIVY_KIND_TIME,
  PRIVY_KIND_ENUM,
  PRIVY_KIND_STRINGS, /* array of strings */
  PRIVY_KIND_FLAT,    /* object whose values are scalars */
  PRIVY_KIND_ANY,     /* object of any JSON */
  PRIVY_KIND_OBJECT,  /* an object with a table of its own */
  PRIVY_KIND_OBJECTS, /* array of such objects */
  PRIVY_KIND_ORDER_ID /* positive integer or digits */
} privy_kind;

/*
 * The number in a value of kind PRIVY_KIND_INTEGER, _ORDER_ID or _MONEY: an integer for a number without a
 * fraction ("5.0" is 5), else a decimal; money may be the text of a number. `*out` is PRIVY_ABSENT for a value that is
 * not a number, or has an exponent beyond 999,999: then use the value itself. `room` is memory for digits that are not
 * in the value; clear it after use. PRIVY_OK or PRIVY_NO_MEMORY.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_value_number(privy_value value, privy_kind kind, privy_buffer *room,
                                                          privy_value *out);

typedef struct privy_enum privy_enum;           /* an enum: its values and their aliases */
typedef struct privy_object privy_object;       /* an object with fields: Contact, Order, EventReceipt, … */
typedef struct privy_operation privy_operation; /* an operation of the API: "contacts.create", … */

/* A field of an object, or a parameter of an operation. All strings are static. */
typedef struct privy_field_info {
  const char *name;
  const char *doc;
  privy_kind kind;
  const privy_enum *enum_values; /* PRIVY_KIND_ENUM, else NULL */
  const privy_object *object;    /* PRIVY_KIND_OBJECT and _OBJECTS, else NULL */
  bool required;                 /* parameters only */
  bool nullable;                 /* parameters: an explicit null is accepted; responses: the value may be null */
  bool row_key;                  /* parameters only: rows of a bulk run that have the same value keep their order */
  bool personal; /* may contain an e-mail address or phone number: mask it with privy_mask before showing it */
} privy_field_info;

PRIVY_API const char *privy_enum_name(const privy_enum *enum_values);
PRIVY_API size_t privy_enum_count(const privy_enum *enum_values);
/* The value at `index`, static; NULL past the end. */
PRIVY_API const char *privy_enum_value(const privy_enum *enum_values, size_t index);

/* Every object that responses contain, by position; NULL past the end. */
PRIVY_API const privy_object *privy_object_at(size_t index);
PRIVY_API const privy_object *privy_object_find(const char *name);
PRIVY_API const char *privy_object_name(const privy_object *object);
PRIVY_API const char *privy_object_doc(const privy_object *object);
/* The fields in responses: privy_record_get takes their positions. */
PRIVY_API size_t privy_object_count(const privy_object *object);
PRIVY_API bool privy_object_field(const privy_object *object, size_t index, privy_field_info *out);
/* Position of the response field called `name` (aliases included), or -1. */
PRIVY_API int privy_object_index(const privy_object *object, const char *name, size_t length);

/* Every operation, by position; NULL past the end. */
PRIVY_API const privy_operation *privy_operation_at(size_t index);
/* By its dotted name, e.g. "contacts.create"; NULL when there is none. */
PRIVY_API const privy_operation *privy_operation_find(const char *name);
PRIVY_API const char *privy_operation_name(const privy_operation *operation);
PRIVY_API const char *privy_operation_method(const privy_operation *operation);
/* Path template, e.g. "/contacts/{id}". */
PRIVY_API const char *privy_operation_path(const privy_operation *operation);
PRIVY_API const char *privy_operation_scope(const privy_operation *operation);
PRIVY_API const char *privy_operation_doc(const privy_operation *operation);
/* Why the operation is deprecated and what replaces it; NULL when it is not. */
PRIVY_API const char *privy_operation_deprecation(const privy_operation *operation);
/* The object in responses, and whether a response is a page of them. */
PRIVY_API const privy_object *privy_operation_object(const privy_operation *operation);
PRIVY_API bool privy_operation_paged(const privy_operation *operation);
/* The parameters in the order of the table, in any location (path, query, header or body). */
PRIVY_API size_t privy_operation_count(const privy_operation *operation);
PRIVY_API bool privy_operation_param(const privy_operation *operation, size_t index, privy_field_info *out);

/* ---- requests ---------------------------------------------------------------------------------------------------- */

/*
 * A request that is being built: name each parameter with privy_request_key, then pass its value. Values are checked
 * and written immediately. These functions return no error: privy_request_finish reports all of them.
 */
typedef struct privy_request privy_request;

PRIVY_API PRIVY_NODISCARD privy_status privy_request_new(const privy_operation *operation, privy_request **out);
/*
 * A request to any endpoint. `method` is an HTTP method, `path` starts with "/" and may have a query;
 * privy_request_finish reports invalid ones. Values passed before the first privy_request_key at top level form the
 * body; keys after privy_request_query are query parameters, keys after privy_request_header are headers.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_request_new_raw(const char *method, size_t method_length, const char *path,
                                                             size_t path_length, privy_request **out);
PRIVY_API void privy_request_free(privy_request *request);

/* Names the next value: a parameter at top level, a member inside an object. */
PRIVY_API void privy_request_key(privy_request *request, const char *name, size_t length);
/* Error, instead of a key and its value: the key is not a string (shown as `name`), or there is none (NULL). */
PRIVY_API void privy_request_no_key(privy_request *request, const char *name, size_t length);
/* Moves to the operation's next parameter, in the order of privy_operation_param; if it is `given`, it names the next
 * value. False if there are no more parameters. */
PRIVY_API bool privy_request_next(privy_request *request, bool given);
PRIVY_API void privy_request_string(privy_request *request, const char *text, size_t length);
/* A time of the host language in ISO 8601, in UTC with Z at the end. Without Z it has no time zone, which is an error.
 */
PRIVY_API void privy_request_time(privy_request *request, const char *text, size_t length);
/* A date of the host language in ISO 8601: a string, but an error where the API expects a time, since it has no time
 * zone. */
PRIVY_API void privy_request_date(privy_request *request, const char *text, size_t length);
/* A number as decimal text, sent unchanged. Text that is not a JSON number, such as NaN, is an error. */
PRIVY_API void privy_request_number(privy_request *request, const char *text, size_t length);
PRIVY_API void privy_request_integer(privy_request *request, int64_t value);
PRIVY_API void privy_request_boolean(privy_request *request, bool value);
PRIVY_API void privy_request_null(privy_request *request);
PRIVY_API void privy_request_begin_array(privy_request *request);
PRIVY_API void privy_request_end_array(privy_request *request);
PRIVY_API void privy_request_begin_object(privy_request *request);
PRIVY_API void privy_request_end_object(privy_request *request);
/* Error, instead of a value: the value cannot be encoded as JSON, as `message` says. */
PRIVY_API void privy_request_refuse(privy_request *request, privy_detail_code code, const char *message);
/* The same for a value whose type has no JSON form; `type` is its name in the host language. */
PRIVY_API void privy_request_other(privy_request *request, const char *type);
/* The same for a value whose conversion raised `error`: its name, with or without its message. */
PRIVY_API void privy_request_raised(privy_request *request, const char *type, const char *error);
/* The same for a value that represents a missing one, by its name, such as "NaT". */
PRIVY_API void privy_request_missing(privy_request *request, const char *name);
/* From here on a parameter whose value is null, NaN or missing is not sent, as if it was not named. Values inside
 * objects and arrays, and what follows privy_request_extra, stay as they are. */
PRIVY_API void privy_request_omit_nulls(privy_request *request);
/* The following parameters are sent unchanged, known or not. */
PRIVY_API void privy_request_extra(privy_request *request);
/* Raw requests only: the following keys are query parameters. */
PRIVY_API void privy_request_query(privy_request *request);
/* The following keys are headers. In a request of an operation no parameter may follow; names of errors begin with
 * "extra_headers.". Headers that the client or the operation sets are errors. */
PRIVY_API void privy_request_header(privy_request *request);

/*
 * Checks the rules over several fields and makes the request ready to be sent. Call it once. PRIVY_OK, PRIVY_VALIDATION
 * with a detail for every error, or PRIVY_NO_MEMORY.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_request_finish(privy_request *request, privy_error *error);

/* The same for a request that has headers only and is not sent: checks no parameters. For the headers of a bulk run.
 * PRIVY_OK, PRIVY_VALIDATION with all details, or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_request_check_headers(privy_request *request, privy_error *error);
/*
 * Instead of privy_request_finish, after keys without values: the names of the columns of a table whose rows are
 * requests of the operation. PRIVY_OK; PRIVY_VALIDATION with a detail for each name that no request accepts and for
 * each required parameter that no column has; or PRIVY_NO_MEMORY.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_request_finish_names(privy_request *request, privy_error *error);

/* The contents of a finished request, valid as long as the request. The target is the path with its query, relative to
 * the base URL. The headers exclude `Authorization`, `User-Agent` and those that libcurl adds. */
PRIVY_API const char *privy_request_method(const privy_request *request);
PRIVY_API const char *privy_request_target(const privy_request *request);
PRIVY_API const char *privy_request_body(const privy_request *request, size_t *length);
/* Name and value of the header at `index`; false past the end. */
PRIVY_API bool privy_request_header_at(const privy_request *request, size_t index, const char **name,
                                       const char **value);

/* ---- responses --------------------------------------------------------------------------------------------------- */

/* One object of a response, valid as long as its response. */
typedef struct privy_record privy_record;

/*
 * Reads a response to `operation` (NULL: to a raw request). `headers` is the raw header block, "Name: value" lines
 * separated by LF or CRLF. Takes the contents of `body` and leaves it empty, also on failure. PRIVY_OK with a response
 * of one reference in `*out`; otherwise the status of the error.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_response_parse(const privy_operation *operation, int http_status,
                                                            const char *headers, size_t headers_length,
                                                            privy_buffer *body, privy_response **out,
                                                            privy_error *error);
/*
 * Reads one object (from privy_record_write, or from a response) into a response of one record.
 * PRIVY_OK, PRIVY_API_STATUS if the text is not a JSON object, or PRIVY_NO_MEMORY.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_response_load(const privy_object *object, const char *text, size_t length,
                                                           privy_response **out, privy_error *error);
/* References may be taken and released from any thread. */
PRIVY_API privy_response *privy_response_retain(privy_response *response);
PRIVY_API void privy_response_release(privy_response *response);

PRIVY_API int privy_response_status(const privy_response *response);
PRIVY_API const char *privy_response_body(const privy_response *response, size_t *length);
/* The body as JSON; PRIVY_ABSENT if it is empty or not JSON. */
PRIVY_API privy_value privy_response_json(const privy_response *response);
/* Fills the error of a response whose body is empty or not JSON: PRIVY_API_STATUS with a response of that status and
 * body, or PRIVY_NO_MEMORY. */
PRIVY_API privy_status privy_json_refuse(int http_status, const char *body, size_t length, privy_error *error);
/* Header at `index` in the order received, NUL-terminated; false past the end. */
PRIVY_API bool privy_response_header_at(const privy_response *response, size_t index, const char **name,
                                        const char **value);
/* The first header of that name, ignoring case; NULL if there is none. */
PRIVY_API const char *privy_response_header(const privy_response *response, const char *name);
/*
 * Appends the headers that users see, each as its name, NUL, its value, NUL. Secret ones are omitted; headers of the
 * same name (ignoring case) become one, with their values joined by ", ". Valid UTF-8. PRIVY_OK or PRIVY_NO_MEMORY.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_response_fields(const privy_response *response, privy_buffer *out);
/* Appends the beginning of the body, at most 2,048 bytes without an incomplete character; invalid bytes become U+FFFD.
 * PRIVY_OK or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_response_excerpt(const privy_response *response, privy_buffer *out);
/* Bytes of memory that the response uses, for the host language's accounting. */
PRIVY_API size_t privy_response_size(const privy_response *response);

/* A page has any number of records, every other response one (or none: 204). */
PRIVY_API size_t privy_response_count(const privy_response *response);
PRIVY_API const privy_record *privy_response_record(const privy_response *response, size_t index);
/* The page's position among all pages; NULL if the response is not a page. */
PRIVY_API const privy_record *privy_response_pagination(const privy_response *response);

PRIVY_API const privy_object *privy_record_object(const privy_record *record);
/* The value of the response field at `index`. */
PRIVY_API privy_value privy_record_get(const privy_record *record, size_t index);
/* The object as received. Members whose key has no privy_object_index are unknown to the tables. */
PRIVY_API privy_value privy_record_json(const privy_record *record);
/*
 * Appends the record as one JSON object: the known fields, by their current names and in the order of the table, then
 * the unknown ones as received. PRIVY_OK or PRIVY_NO_MEMORY.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_record_write(const privy_record *record, privy_buffer *out);

/* ---- the pages of a list ----------------------------------------------------------------------------------------- */

/*
 * The state of reading a list page by page: which page is next, and which records an earlier page had already, because
 * records were created or deleted meanwhile. Keeps the ids of at least the last 4,096 records.
 */
typedef struct privy_pager privy_pager;

/* `first` is the number of the first requested page, `per_page` the number of records per page; 0: the API's default.
 * PRIVY_OK or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_pager_new(int64_t first, int64_t per_page, privy_pager **out);
PRIVY_API void privy_pager_free(privy_pager *pager);
/*
 * Counts a page that was read. `repeated` has an element for each of its records: true for one that an earlier page
 * had. `*next` is the number of the next page, 0 after the last one. PRIVY_OK, or PRIVY_NO_MEMORY, after which the
 * pager cannot be used.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_pager_take(privy_pager *pager, const privy_response *page, bool *repeated,
                                                        int64_t *next);
/* How many records of the current page to return between two checks for the next page: at least 1. */
PRIVY_API size_t privy_pager_stride(const privy_pager *pager);
/*
 * For a list that returns at most `limit` records from this page on (negative: all): how many requests it takes after
 * this page, and how many records it returns, those of this page included, if nothing changes. -1: the page does not
 * say how many there are.
 */
PRIVY_API void privy_page_rest(const privy_response *page, int64_t limit, int64_t *requests, int64_t *records);
/*
 * Whether to request the next page when `read` records of the current page have been returned: on the first page after
 * one stride, so that reading the first few records costs one request; on later pages immediately.
 */
PRIVY_API bool privy_pager_should_prefetch(const privy_pager *pager, size_t read);

/* ---- clients ----------------------------------------------------------------------------------------------------- */

/* An in-memory Privy with the rules of the real one (privy_sandbox.h). Thread-safe; reference-counted. */
typedef struct privy_sandbox privy_sandbox;

/* The settings that are numbers. The first PRIVY_OPTION_COUNT of them, and the reserve, are also options of a call. */
typedef enum privy_setting {
  PRIVY_SETTING_TIMEOUT,
  PRIVY_SETTING_CONNECT_TIMEOUT,
  PRIVY_SETTING_MAX_WAIT,
  PRIVY_SETTING_MAX_RETRIES,
  PRIVY_OPTION_COUNT,
  PRIVY_SETTING_MAX_RESPONSE = PRIVY_OPTION_COUNT,
  PRIVY_SETTING_RESERVE,
  PRIVY_SETTING_CONCURRENCY, /* of a bulk run, not of a client */
  PRIVY_SETTING_COUNT
} privy_setting;
/* The static name of a setting: "timeout", "connect_timeout", … `setting` must be below PRIVY_SETTING_COUNT. */
PRIVY_API const char *privy_setting_name(privy_setting setting);
/* Reads a number such as "5" or " 0.25 "; NaN if the text is not a number. */
PRIVY_API double privy_setting_number(const char *text, size_t length);
/* Checks the value of a setting; NaN is invalid. Returns PRIVY_OK, PRIVY_CONFIG_ERROR with a message that names the
 * setting and the values that it can have, or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_setting_check(privy_setting setting, double value, privy_error *error);
/* Checks the text of the setting `name`. A NUL in it is invalid, and so is NULL: pass it for a value that is not text.
 * Returns PRIVY_OK, PRIVY_CONFIG_ERROR with a message that does not quote the text, or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_setting_check_text(const char *name, const char *text, size_t length,
                                                                privy_error *error);
/* Fills the error for a setting that must be true or false and is not. Returns PRIVY_CONFIG_ERROR or PRIVY_NO_MEMORY.
 */
PRIVY_API privy_status privy_setting_refuse_flag(const char *name, privy_error *error);

/* Options of one call. Start with {0}: the call uses the settings of its client. */
typedef struct privy_options {
  double timeout;         /* seconds for one attempt */
  double connect_timeout; /* seconds of `timeout` for the connection, TLS included */
  double max_wait;        /* seconds that a call may wait for budget and between attempts. Waits for responses to other
                             requests of the client do not count; `timeout` bounds them */
  int max_retries;        /* attempts after the first */
  int64_t reserve;        /* requests of each minute that are left to others, other calls of the client included */
  bool deferred;          /* see privy_options_defer */
  bool waits_for_day;     /* a call waits until a spent limit of the day resets, whatever max_wait is */
  double until;           /* seconds since 1970: a call sends no request from then on, and fails with PRIVY_DEADLINE
                             when it would have to; 0: no such instant */
  unsigned given;         /* bit 1u << setting for each option that is given */
} privy_options;
#define PRIVY_GIVEN(name) (1u << PRIVY_SETTING_##name)
/* Sets an option: one below PRIVY_OPTION_COUNT, or PRIVY_SETTING_RESERVE. Returns as privy_setting_check does. */
PRIVY_API PRIVY_NODISCARD privy_status privy_options_set(privy_options *options, privy_setting option, double value,
                                                         privy_error *error);

/*
 * For calls inside a job of a queue, which runs again at the retry_at of its error: sets max_wait to 0, so that no call
 * blocks a worker, and `deferred`: retry_at is then an instant for this job alone, so that jobs do not all return when
 * the next window of the rate limit opens. It may be after resets_at, at most 20 minutes; or before it, for the last
 * requests of a window that is used by several clients.
 */
PRIVY_API void privy_options_defer(privy_options *options);
/* Seconds until a job runs again after its failure number `failure`, from 1, whose error has no retry_at: 1 second to
 * 10 minutes, doubling. `random`: in [0, 1). */
PRIVY_API double privy_job_backoff(int failure, double random);

/* Settings of a client. Start with privy_config_init. privy_client_new copies the texts; NULL: not given. */
typedef struct privy_config {
  const char *token;         /* API token; default $PRIVY_API_TOKEN */
  const char *client_id;     /* OAuth; default $PRIVY_CLIENT_ID */
  const char *client_secret; /* OAuth; default $PRIVY_CLIENT_SECRET */
  const char *scopes;        /* OAuth, separated by spaces; default $PRIVY_SCOPES, or all scopes of the OAuth client */
  const char *base_url;      /* default $PRIVY_BASE_URL, or https://api.privy.com/v1 */
  const char *token_url;     /* default $PRIVY_TOKEN_URL, or /oauth/token at the origin of the base URL */
  const char *ca_bundle;     /* file of trusted certificates; default $SSL_CERT_FILE, or those of the system */
  const char *proxy;         /* http://, https://, socks5:// or socks5h:// URL; default $https_proxy and $no_proxy */
  const char *user_agent;    /* sent after "privy/<version>", e.g. "python/3.12.1" */
  privy_options options;  /* defaults: 30 s, 5 s, 90 s (one rate limit window and some more), 3, 0; ignores `given` */
  size_t max_response;    /* bytes of a response's body; default 64 MiB */
  int allow_plain_http;   /* 1: plain HTTP to any host, only with a sandbox's own credentials; 0: only to loopback
                             addresses; -1 (default): 1 if $PRIVY_ALLOW_PLAIN_HTTP is "1" */
  privy_sandbox *sandbox; /* receives the requests in place of the network; the client keeps a reference. Clients of a
                             sandbox ignore the environment's credentials and URLs */
  bool accepted;          /* the sandbox accepts the credentials of this client, as privy_sandbox_accept does */
} privy_config;
PRIVY_API void privy_config_init(privy_config *config);
/* Sets a setting that is a number. Returns as privy_setting_check does. */
PRIVY_API PRIVY_NODISCARD privy_status privy_config_set(privy_config *config, privy_setting setting, double value,
                                                        privy_error *error);

/* A client has settings, connections, rate limits and a token. Any number of threads may share it. */
typedef struct privy_client privy_client;

/* Creates a client; free it with privy_client_free. Returns PRIVY_OK, PRIVY_CONFIG_ERROR with a message that names the
 * setting or says why libcurl cannot be used, or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_client_new(const privy_config *config, privy_client **out,
                                                        privy_error *error);
/* Creates a client of `sandbox` with the options, the size limit and the user agent of `client`, and with the sandbox's
 * own token. PRIVY_OK, with a client that the caller frees, or PRIVY_NO_MEMORY with `*out` NULL. */
PRIVY_API PRIVY_NODISCARD privy_status privy_client_stand_in(const privy_client *client, privy_sandbox *sandbox,
                                                             privy_client **out, privy_error *error);
/* Frees the client. It must have no calls and no groups. */
PRIVY_API void privy_client_free(privy_client *client);
/* The URLs of the API and of OAuth tokens. Owned by the client. */
PRIVY_API const char *privy_client_base_url(const privy_client *client);
PRIVY_API const char *privy_client_token_url(const privy_client *client);
/* Whether a sandbox handles the calls: one in memory, or one elsewhere, known by the default token or OAuth client of
 * sandboxes. */
PRIVY_API bool privy_client_is_sandbox(const privy_client *client);

/* One rate limit of the account, by the last responses. Instants are those of the wall clock; in a client of a sandbox,
 * those of the sandbox. */
typedef struct privy_rate_limit {
  bool known;        /* a response has reported it */
  int64_t limit;     /* requests in a window */
  int64_t remaining; /* requests left, those in flight subtracted */
  double resets_at;  /* when the next window begins; 0: no window has begun, `remaining` is that of the next one */
  double window;     /* seconds of a window; 0: no response has shown them */
} privy_rate_limit;
/* The rate limits of the minute and of the day. */
PRIVY_API void privy_client_rate_limits(privy_client *client, privy_rate_limit *minute, privy_rate_limit *day);
/*
 * Seconds until the minute begins in which the last of `requests` further requests can be sent. 0: all can be sent in
 * this minute, or no response has reported the limit. Negative: the limit of the day does not allow them. Only the
 * `reserve` of the options counts; NULL: that of the client.
 */
PRIVY_API double privy_client_forecast(privy_client *client, const privy_options *options, double requests);

/* Slots for the jobs of all processes of an account. A program keeps them where all of these find them, such as in
 * Redis, and changes them there in one step. Start with {0}. Instants are seconds since 1970. */
typedef struct privy_shared_slots {
  double first_at;  /* the first slot that was taken */
  double window_at; /* where the window begins of which slots are being taken */
  double taken;     /* slots of that window that are taken */
  double window;    /* seconds of a window, as far as a client has seen one from its beginning; 0: unknown */
} privy_shared_slots;
/*
 * Takes a slot for a job whose deferred call has failed, in place of the error's retry_at: no client has to guess what
 * part of the budget the others use. `from`: the error's resets_at. Only the `reserve` of the options counts; NULL:
 * that of the client. Returns an instant, seconds since 1970; 0 if no response has reported the limit.
 */
PRIVY_API double privy_client_take_slot(privy_client *client, const privy_options *options, double from,
                                        privy_shared_slots *slots);

/*
 * Whether to request the next page of a list before it is needed, after `read` records of this one: if
 * privy_pager_should_prefetch, and if the request can be sent at once, without a wait for budget or an OAuth token.
 * Request it in a group with privy_group_set_prefetch.
 */
PRIVY_API bool privy_client_may_prefetch(privy_client *client, const privy_pager *pager, size_t read);

/*
 * The trace events of a call: X(kind, name, what the event has besides call, operation, method, path, attempt and the
 * budget). They come in the order in which they happen. The first is "start" and the last is "end"; each of them comes
 * once. An invalid request does not become a call: its only event is "refused".
 */
#define PRIVY_TRACE_EVENTS(X)                                                                                          \
  X(START, "start", "A call begins. Nothing is sent yet.")                                                             \
  X(REQUEST, "request", "A request is sent.")                                                                          \
  X(RESPONSE, "response", "A response came: http_status, request_id, failure if it is an error, times and bytes.")     \
  X(FAILURE, "failure", "No response came, or the call was stopped: failure, reason, times and bytes.")                \
  X(RETRY, "retry", "Another attempt follows in `seconds`: failure and http_status are the cause.")                    \
  X(WAIT, "wait", "The call waits `seconds` for the account's budget.")                                                \
  X(TOKEN, "token", "A new OAuth token was received, valid for `seconds`.")                                            \
  X(REFUSED, "refused",                                                                                                \
    "Nothing is sent: the request is invalid, or the rate limit is reached for `seconds`. reason.")                    \
  X(END, "end",                                                                                                        \
    "The call has ended: http_status, request_id, failure, reason, total, waited, idempotency_key, created, replay.")

typedef enum privy_trace_kind {
#define X(kind, name, doc) PRIVY_TRACE_##kind,
  PRIVY_TRACE_EVENTS(X)
#undef X
      PRIVY_TRACE_COUNT
} privy_trace_kind;

/* The importance of an event: X(level, name). PRIVY_LEVEL_OFF is above all of them. */
#define PRIVY_LEVELS(X)                                                                                                \
  X(DEBUG, "debug")                                                                                                    \
  X(INFO, "info")                                                                                                      \
  X(WARNING, "warning")

typedef enum privy_level {
#define X(level, name) PRIVY_LEVEL_##level,
  PRIVY_LEVELS(X)
#undef X
      PRIVY_LEVEL_OFF
} privy_level;

/* One trace event. It owns nothing, and contains no token, body, e-mail address or phone number. A number is negative
 * if it is unknown or the kind of event does not have it. */
typedef struct privy_trace_event {
  privy_trace_kind kind;
  uint64_t call;         /* number of the call in its client, from 1 */
  uint64_t id;           /* id of the call in its group; in a bulk run the index of the row; 0 for blocking calls */
  const char *operation; /* e.g. "orders.upsert"; "request" for a raw request; static */
  char method[8];        /* e.g. "PATCH" */
  char path[96];         /* template of the path, e.g. "/contacts/{id}"; of a raw request only plain words */
  int attempt;           /* requests of this call so far, token requests included */
  int http_status;       /* 0: none */
  privy_status failure;  /* PRIVY_OK: none */
  char reason[160];      /* the transport's message; if refused: the rate limit or the invalid fields */
  char request_id[64];   /* the response's X-Request-Id; "": none */
  double seconds;
  double waited;                      /* seconds that the call waited for budget, Retry-After and backoff */
  double lookup, connect, tls;        /* seconds each; 0 on a kept connection */
  double first_byte;                  /* seconds from sending the request to the first byte of the response */
  double total;                       /* seconds of the attempt, of "end": of the call */
  int64_t bytes_sent, bytes_received; /* headers, and bodies as compressed */
  int reused;                         /* 1: on a kept connection; 0: on a new one */
  int64_t minute_left, day_left;      /* requests left by the rate limits */
  char idempotency_key[96];           /* with e-mail addresses and phone numbers masked; "": none */
  int created;                        /* 1: the call created the contact or order; 0: it updated it */
  int replay;                         /* 1: the event's key was accepted before; 0: it was not */
  int64_t row;                        /* of a bulk run: the index of the row */
  bool sandbox;                       /* the client uses a sandbox */
  double began; /* seconds of CLOCK_MONOTONIC at which what `total` measures began; of other events, at which they
                 * occurred */
} privy_trace_event;

/* The static name of a kind: "request", "response", … `kind` must be below PRIVY_TRACE_COUNT. */
PRIVY_API const char *privy_trace_kind_name(privy_trace_kind kind);
/* The level of an event: PRIVY_LEVEL_INFO for retries and for waits of one second or more, PRIVY_LEVEL_WARNING for
 * calls that a rate limit refuses, otherwise PRIVY_LEVEL_DEBUG. */
PRIVY_API privy_level privy_trace_level(const privy_trace_event *event);
/* The static name of a level: "debug", "info", "warning". `level` must be below PRIVY_LEVEL_OFF. */
PRIVY_API const char *privy_level_name(privy_level level);

/* Bytes of the longest line, its NUL included. */
#define PRIVY_TRACE_LINE 512
/* Writes the event as one line for a log, ended by NUL. */
PRIVY_API void privy_trace_line(const privy_trace_event *event, char out[PRIVY_TRACE_LINE]);

/* The type of an event's attribute. */
typedef enum privy_trace_type {
  PRIVY_TRACE_NOTHING, /* the event does not have it */
  PRIVY_TRACE_WORD,    /* `text`, one of a fixed set */
  PRIVY_TRACE_TEXT,    /* `text` */
  PRIVY_TRACE_ERROR,   /* `number`, a privy_status with a name by privy_error_describe */
  PRIVY_TRACE_NUMBER,  /* `number` */
  PRIVY_TRACE_SECONDS, /* `seconds` */
  PRIVY_TRACE_FLAG     /* `number`, 0 or 1 */
} privy_trace_type;

/* One attribute of an event for the host language. `name` is static; `text` is valid as long as the event. */
typedef struct privy_trace_attribute {
  const char *name;
  privy_trace_type type;
  const char *text;
  int64_t number;
  double seconds;
} privy_trace_attribute;
#define PRIVY_TRACE_ATTRIBUTES 28
/* Fills `out` with the attributes. All events have the same ones, in the same order. */
PRIVY_API void privy_trace_attributes(const privy_trace_event *event,
                                      privy_trace_attribute out[PRIVY_TRACE_ATTRIBUTES]);

/* Called about every 20 ms while a call waits, on the thread that made the call. True stops the call. */
typedef bool privy_stop_function(void *context);
/* Called with each event of a call, on the thread that made the call. The event is valid until it returns. */
typedef void privy_observe_function(void *context, const privy_trace_event *event);

/* The headers of one request that is about to be sent. */
typedef struct privy_send_headers privy_send_headers;
/* Adds a header to the request. False, and nothing is added, if the header is invalid or one that the client sets, if
 * the request has a header of that name, or when memory runs out. */
PRIVY_API bool privy_send_headers_add(privy_send_headers *headers, const char *name, size_t name_length,
                                      const char *value, size_t value_length);
/* Called before each request of a call that records all events (PRIVY_LEVEL_DEBUG) is sent, on the thread that drives
 * the call, with its event of the kind PRIVY_TRACE_REQUEST. It may add headers to this request, such as that of a
 * distributed trace. `event` and `headers` are valid until it returns; it must not use the group. */
typedef void privy_send_function(void *context, const privy_trace_event *event, privy_send_headers *headers);

/* How to stop and observe a blocking call. All functions may be NULL. */
typedef struct privy_hooks {
  privy_stop_function *stop;
  privy_observe_function *observe;
  privy_send_function *send; /* used with `observe` only */
  privy_level min_level;     /* observe receives the events of this level and above */
  void *context;             /* of all functions */
} privy_hooks;

/*
 * Makes the call of a finished request and waits for its response. It does not use the host language's lock: release
 * that lock around it. `options` and `hooks` may be NULL. The caller keeps the request and may use it again.
 * Returns PRIVY_OK, with a response in `*out` that the caller releases; otherwise `error->code`: PRIVY_CONFIG_ERROR
 * (options), PRIVY_VALIDATION, PRIVY_CONNECTION, PRIVY_TIMEOUT, PRIVY_API_STATUS and its kinds, PRIVY_INTERRUPTED, or
 * PRIVY_NO_MEMORY.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_client_call(privy_client *client, const privy_request *request,
                                                         const privy_options *options, const privy_hooks *hooks,
                                                         privy_response **out, privy_error *error);

/*
 * Creates the event of a request that privy_request_finish refused with `error`. False, with no event to report, if its
 * level is below `min_level` or the error is not PRIVY_VALIDATION.
 */
PRIVY_API bool privy_client_refused(privy_client *client, const privy_request *request, const privy_error *error,
                                    privy_level min_level, privy_trace_event *out);

/* ---- many calls at once ------------------------------------------------------------------------------------------ */

/*
 * A group makes any number of calls of one client at once, without threads. Its owner drives it: by privy_group_wait,
 * or from an event loop by privy_group_set_socket_callback, privy_group_timeout and privy_group_socket_action. One
 * thread uses it at a time; only privy_group_wake is safe from other threads. The client must outlive the group.
 */
typedef struct privy_group privy_group;

/* The result of a call. The caller owns it and clears it with privy_completion_clear. */
typedef struct privy_completion {
  uint64_t id;
  privy_status status;
  privy_response *response; /* PRIVY_OK, otherwise NULL */
  privy_error error;        /* any other status */
  int attempts;             /* requests sent */
  int created;              /* 1: the call created the contact or order; 0: it updated it; -1: neither */
  bool limit_outlasts;      /* PRIVY_RATE_LIMIT: the limit is reached for longer than the call may wait, so that it
                               would refuse the next call too */
} privy_completion;
PRIVY_API void privy_completion_clear(privy_completion *completion);

/* Creates a group, which uses idle connections of the client; free it with privy_group_free. Returns PRIVY_OK,
 * PRIVY_CONFIG_ERROR or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_group_new(privy_client *client, privy_group **out, privy_error *error);
/* Cancels all calls, drops the events that were not taken (to take those of the calls that it cancels, call
 * privy_group_cancel_all first), and frees the group. The client keeps the connections of 16 freed groups for at most a
 * minute. In the child of a fork it leaves the calls and connections to the parent. */
PRIVY_API void privy_group_free(privy_group *group);
/* Sets whether the responses are not needed yet, so that the owner may stop driving the group. Its calls then start no
 * token request, for which other calls would have to wait: they wait until another call has fetched a token. */
PRIVY_API void privy_group_set_prefetch(privy_group *group, bool on);
/* Sets which events privy_group_take_event returns of the calls that start from now on: those of this level and above.
 * In a new group: none (PRIVY_LEVEL_OFF). */
PRIVY_API void privy_group_observe(privy_group *group, privy_level min_level);
/* Adds the events of these kinds, whatever their level, to those that calls started from now on keep. `kinds`: the sum
 * of 1 << kind. In a new group: none. */
PRIVY_API void privy_group_observe_kinds(privy_group *group, unsigned kinds);
/* Sets the function that is called before each request is sent; NULL: none. */
PRIVY_API void privy_group_set_send_callback(privy_group *group, privy_send_function *callback, void *context);
/* Takes the oldest event; false if there is none. While there is an event to take, privy_group_wait does not wait. An
 * event is dropped when memory runs out. */
PRIVY_API bool privy_group_take_event(privy_group *group, privy_trace_event *out);
/* The error of a call that has failed, by the `id` of its events, until its completion is taken; NULL: none. */
PRIVY_API const privy_error *privy_group_failure(const privy_group *group, uint64_t id);
/*
 * Starts a call. Takes over the finished request, also on failure. The completion has the same `id`, which no other
 * call in progress may have. Nothing is sent until the group is driven. Returns PRIVY_OK, PRIVY_CONFIG_ERROR (options)
 * or PRIVY_NO_MEMORY.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_group_start(privy_group *group, privy_request *request,
                                                         const privy_options *options, uint64_t id, privy_error *error);
/* Cancels a call, without a completion. An HTTP/1 connection that it uses is closed. False if there is no such call. */
PRIVY_API bool privy_group_cancel(privy_group *group, uint64_t id);
/* Cancels all calls and drops the completions that were not taken. Close a bulk run of the group first. Does nothing in
 * the child of a fork. */
PRIVY_API void privy_group_cancel_all(privy_group *group);
/* The number of calls in progress and of completions that were not taken. */
PRIVY_API size_t privy_group_count(const privy_group *group);
/* Takes the completion of a call; false if there is none. */
PRIVY_API bool privy_group_next_completed(privy_group *group, privy_completion *out);
/* Advances all calls, and waits at most `seconds` until one completes. */
PRIVY_API void privy_group_wait(privy_group *group, double seconds);
/* Advances all calls without waiting: sends the requests of calls that have started, and receives responses at most
 * once a millisecond. For a caller that does other work between two calls, such as reading the rows of a bulk run. */
PRIVY_API void privy_group_poll(privy_group *group);
/* Ends a wait early. Safe to call from any thread. */
PRIVY_API void privy_group_wake(privy_group *group);

typedef enum privy_socket_events { PRIVY_SOCKET_READ = 1, PRIVY_SOCKET_WRITE = 2 } privy_socket_events;
/* Called, inside other functions of the group, with the events of a socket to watch from now on; 0: stop watching it.
 */
typedef void privy_socket_function(void *context, int socket, int events);
/* From now on an event loop drives the group instead of privy_group_wait. Call it before the first start. */
PRIVY_API void privy_group_set_socket_callback(privy_group *group, privy_socket_function *callback, void *context);
/* Seconds until privy_group_socket_action(group, -1, 0) is due; negative: nothing waits for time. Ask again after each
 * start and each socket action. */
PRIVY_API double privy_group_timeout(const privy_group *group);
/* Advances the calls: a socket is ready for these events (privy_socket_events), or (-1, 0) time has passed. Then take
 * the completions. */
PRIVY_API void privy_group_socket_action(privy_group *group, int socket, int events);
/* When the first call that waits for budget or a retry continues, in seconds since 1970 by the wall clock, or by the
 * sandbox's clock; 0: none waits. */
PRIVY_API double privy_group_waiting_until(const privy_group *group);

/* ---- rows that are checked together -------------------------------------------------------------------------------
 */

/*
 * For rows that are all checked before the first request: adds an error detail of `row`, numbered from 0, with the
 * field "[row].field"; a negative count is none. Add the details of a row one after the other. Returns PRIVY_OK or
 * PRIVY_NO_MEMORY.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_error_add_row(privy_error *error, uint64_t row, const char *field,
                                                           const char *message, const char *code, int64_t count);
/* Completes the error of the details added: its message says how many of `rows` are invalid, and lists the first
 * details, with e-mail addresses and phone numbers masked. Returns PRIVY_VALIDATION or PRIVY_NO_MEMORY. */
PRIVY_API privy_status privy_error_refuse_rows(privy_error *error, uint64_t rows);

/* ---- columns ------------------------------------------------------------------------------------------------------
 */

/*
 * Records as Arrow arrays, by the Arrow C data interface and C stream interface: their structs, as the specification
 * gives them. A struct is released by its `release`, once; one whose `release` is NULL is released or was moved.
 */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE
#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4
struct ArrowSchema {
  const char *format;
  const char *name;
  const char *metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema **children;
  struct ArrowSchema *dictionary;
  void (*release)(struct ArrowSchema *);
  void *private_data;
};
struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void **buffers;
  struct ArrowArray **children;
  struct ArrowArray *dictionary;
  void (*release)(struct ArrowArray *);
  void *private_data;
};
#endif
#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE
struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
  int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
  const char *(*get_last_error)(struct ArrowArrayStream *);
  void (*release)(struct ArrowArrayStream *);
  void *private_data;
};
#endif

/* Where the pages of a stream come from. `context` is the first argument of both functions. */
typedef struct privy_page_source {
  /* Gives the next page: a reference that the stream releases, or NULL after the last. `*skip` may be set to an array
   * that has, for each record of the page, true for one that is left out; it is read before the next call. After a
   * failure, which fills the error, it is not called again. */
  privy_status (*next)(void *context, privy_response **page, const bool **skip, privy_error *error);
  void (*release)(void *context); /* called with the stream's release; may be NULL */
  void *context;
} privy_page_source;

#define PRIVY_COLUMNS_BATCH_ROWS 65536

typedef struct privy_columns_config {
  int64_t batch_rows; /* most rows of a batch; pages are gathered up to that number */
  bool spread;        /* objects without nested values (custom fields) are a column for each member, "field.member" */
} privy_columns_config;
PRIVY_API void privy_columns_config_init(privy_columns_config *config);

/*
 * Makes a stream of batches of the records of all pages: a column for each field of the object, in the order of
 * privy_object_field. All columns are nullable.
 *   kind                                          Arrow type
 *   STRING                                        utf8
 *   ENUM                                          dictionary of utf8, int8 positions: first the values of the table,
 *                                                 then the unknown ones that came
 *   TIME                                          timestamp of microseconds in UTC
 *   BOOLEAN, INTEGER                              boolean, int64
 *   STRINGS                                       list of utf8
 *   MONEY, ORDER_ID                               utf8: the number as received, digit by digit
 *   FLAT, ANY, OBJECT, OBJECTS                    utf8: JSON as received
 * An absent value is null, as is one that does not fit its column; columns of utf8 keep the JSON of any value. With
 * `spread` a member is boolean or int64 if all its values are, else utf8; the members are found by reading all pages
 * before the first batch, so that the stream holds all pages. In the name of a member that holds NUL or the text
 * "\u0000", NUL is written as "\u0000" and a backslash as two.
 *
 * The stream calls `source.next` from get_next (with `spread` also from get_schema), on the thread that calls it. After
 * an error, whose message get_last_error returns, each further call fails as the first. The codes are ENOMEM, EINTR
 * (PRIVY_INTERRUPTED), ETIMEDOUT and EIO. PRIVY_OK, or PRIVY_NO_MEMORY: `source.release` is then not called.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_columns_stream(const privy_object *object,
                                                            const privy_columns_config *config,
                                                            privy_page_source source, struct ArrowArrayStream *out);

/* A value of a row of a report. */
typedef struct privy_cell {
  const char *text; /* of a column of text or times: valid UTF-8; NULL: null */
  size_t length;    /* bytes of the text */
  int64_t integer;  /* of a column of integers or booleans */
  bool missing;     /* of such a column: null */
} privy_cell;

/* Where the rows of a report come from. `context` is the first argument of both functions. */
typedef struct privy_row_source {
  /* Fills a cell for each column of the report, and sets `*found`; leaves it false after the last row. Texts are read
   * before the next call. After a failure, which fills the error, it is not called again. */
  privy_status (*next)(void *context, privy_cell *cells, bool *found, privy_error *error);
  void (*release)(void *context); /* called with the stream's release; may be NULL */
  void *context;
} privy_row_source;

/* What a report of a bulk run, or a plan, lists, as tables. */
typedef struct privy_report privy_report;
#define PRIVY_REPORT_MOST_COLUMNS 9
/* By its name; NULL if there is none.
 *   "refused"   an error detail of a row: index, key, field, message, value, code
 *   "changes"   a field that a row of a plan changes, or a row without one: index, key, contact_id, field, old, new
 *   "blocked"   why a row of a plan is blocked: index, key, contact_id, field, message, code
 *   "unsent"    a row that is still to be sent: index, key, row
 *   "in_doubt"  a row whose result was not read: index, key, row, idempotency_key
 * `index` is int64, all others are utf8. `key` identifies the row. `row` is JSON; `value`, `key`, `old` and `new` are
 * JSON if they are not texts. */
PRIVY_API const privy_report *privy_report_find(const char *name);
/* How many columns it has, at most PRIVY_REPORT_MOST_COLUMNS. */
PRIVY_API size_t privy_report_columns(const privy_report *report);
/* Makes a stream of batches of the rows of a report, which its consumer releases. Errors, codes and results are those
 * of privy_columns_stream. */
PRIVY_API PRIVY_NODISCARD privy_status privy_report_stream(const privy_report *report, privy_row_source source,
                                                           struct ArrowArrayStream *out);

/*
 * The rows of a table that another library exports as a stream of Arrow arrays: of structs, whose members are the
 * columns. All types are read but half floats, intervals, unions, views of lists and run-end encoded arrays. Open,
 * then load a batch and read its rows until there are no more batches.
 */
typedef struct privy_rows privy_rows;

typedef enum privy_arrow_cell_type {
  PRIVY_ARROW_CELL_INVALID, /* the array contradicts itself */
  PRIVY_ARROW_CELL_NULL,
  PRIVY_ARROW_CELL_BOOLEAN,  /* `integer` is 0 or 1 */
  PRIVY_ARROW_CELL_INTEGER,  /* `integer` */
  PRIVY_ARROW_CELL_REAL,     /* `real`; of a float of 32 bits, the double of its shortest decimal */
  PRIVY_ARROW_CELL_NUMBER,   /* decimal digits in `text`: decimals, and integers beyond an int64 */
  PRIVY_ARROW_CELL_TEXT,     /* `text`; UTF-8 if the array is valid */
  PRIVY_ARROW_CELL_BYTES,    /* `text` */
  PRIVY_ARROW_CELL_DATE,     /* ISO 8601 in `text`, as the following three; years 1 to 9999: others are a TEXT */
  PRIVY_ARROW_CELL_TIME,     /* of a day */
  PRIVY_ARROW_CELL_INSTANT,  /* in UTC, with Z */
  PRIVY_ARROW_CELL_LOCAL,    /* a date and a time without a zone */
  PRIVY_ARROW_CELL_DURATION, /* seconds in `real` */
  PRIVY_ARROW_CELL_LIST,     /* `count` items */
  PRIVY_ARROW_CELL_MAP,      /* `count` items, each a STRUCT of a key and a value */
  PRIVY_ARROW_CELL_STRUCT    /* `count` items with names */
} privy_arrow_cell_type;

#define PRIVY_ARROW_CELL_ROOM 256

/* A value of an array. `text` is not terminated by NUL and is valid until the next batch, and as long as the cell. */
typedef struct privy_arrow_cell {
  privy_arrow_cell_type type;
  int64_t integer;
  double real;
  const char *text;
  size_t length;
  int64_t count;
  int64_t first; /* internal */
  const struct privy_arrow_column *column;
  char room[PRIVY_ARROW_CELL_ROOM];
} privy_arrow_cell;

/* Moves the stream into the rows, and reads its schema. PRIVY_OK with rows that the caller frees; PRIVY_VALIDATION with
 * a detail for a column whose type is not read; PRIVY_CONFIG_ERROR if there are no columns, if the producer fails, or
 * if the stream was read before; PRIVY_NO_MEMORY. Release the stream afterwards if its `release` is still there. */
PRIVY_API PRIVY_NODISCARD privy_status privy_rows_open(struct ArrowArrayStream *stream, privy_rows **out,
                                                       privy_error *error);
/* The same for a single array and its schema: moves both, and release those that are left afterwards. */
PRIVY_API PRIVY_NODISCARD privy_status privy_rows_open_array(struct ArrowSchema *schema, struct ArrowArray *array,
                                                             privy_rows **out, privy_error *error);
/* Releases the stream, the schema and the batch. NULL: nothing. */
PRIVY_API void privy_rows_free(privy_rows *rows);
/* How many columns the table has: 1 or more. */
PRIVY_API size_t privy_rows_columns(const privy_rows *rows);
/* The name of a column, valid as long as the rows; NULL if there are fewer columns. */
PRIVY_API const char *privy_rows_name(const privy_rows *rows, size_t column);
/* Loads the next batch, which may take as long as its producer works. PRIVY_OK, with `*more` false at the end; or
 * PRIVY_CONFIG_ERROR if the producer fails or the batch does not fit its schema: there are then no more batches. */
PRIVY_API PRIVY_NODISCARD privy_status privy_rows_load(privy_rows *rows, bool *more, privy_error *error);
/* Moves to the next row of the batch; false if there is none. */
PRIVY_API bool privy_rows_next(privy_rows *rows);
/* The cell of the current row in a column, from 0. Fills all of `*out` that its type has. INVALID if there are fewer
 * columns or no batch is loaded. Call privy_rows_next before. */
PRIVY_API void privy_rows_cell(const privy_rows *rows, size_t column, privy_arrow_cell *out);
/* An item of a list, a map or a struct, from 0; INVALID if there are fewer items. */
PRIVY_API void privy_arrow_cell_item(const privy_arrow_cell *cell, int64_t index, privy_arrow_cell *out);
/* The name of an item of a struct, valid as long as the rows; NULL if there are fewer items or it is not a struct. */
PRIVY_API const char *privy_arrow_cell_name(const privy_arrow_cell *cell, int64_t index);
/* Makes a number without a fraction an integer: a REAL of at most 2^53, or the digits of a NUMBER. Other cells stay as
 * they are. */
PRIVY_API void privy_arrow_cell_make_whole(privy_arrow_cell *cell);

/* ---- what a setup can do ----------------------------------------------------------------------------------------- */

/*
 * A request that tries whether credentials have a scope. It has no effect: it reads, or its body is the empty object,
 * which the server refuses as incomplete. PRIVY_OK and PRIVY_VALIDATION mean that they have the scope, and
 * PRIVY_PERMISSION_DENIED that they lack it. With any other result nothing is known.
 */
typedef struct privy_probe {
  const char *scope;
  const char *method;
  const char *path;
  const char *query; /* without "?"; "": none */
  bool has_body;     /* the empty object */
} privy_probe;
/* The probe of the scope `index`; there is one for each scope. False if there are fewer scopes. */
PRIVY_API bool privy_probe_at(size_t index, privy_probe *out);

/* The libcurl that carries the requests. The texts are static. */
typedef struct privy_network_library {
  const char *version;   /* such as "8.5.0" */
  const char *tls;       /* its TLS library, such as "OpenSSL/3.0.15"; NULL: it has none */
  const char *ca_file;   /* the file of trusted certificates that it uses by itself; NULL: none */
  const char *ca_folder; /* the same, a folder */
  const char *encodings; /* that responses may have, such as "gzip, br"; "": none */
} privy_network_library;
/* Loads libcurl. PRIVY_OK, or PRIVY_CONFIG_ERROR with why it cannot be used. */
PRIVY_API PRIVY_NODISCARD privy_status privy_network_library_load(privy_network_library *out, privy_error *error);
/* Loads SQLite, which journals need. PRIVY_OK with its version, a static text such as "3.40.1"; or PRIVY_CONFIG_ERROR
 * with why it cannot be used. */
PRIVY_API PRIVY_NODISCARD privy_status privy_journal_library_load(const char **version, privy_error *error);
/* What is wrong with a file of trusted certificates, a static text such as "does not exist"; NULL: nothing. */
PRIVY_API const char *privy_ca_file_problem(const char *path);
/* The file of trusted certificates that the client uses in place of those of the system; NULL: it has none, and libcurl
 * uses its own. Owned by the client. */
PRIVY_API const char *privy_client_ca_file(const privy_client *client);

/*
 * Seconds until the minute begins in which the last of `requests` further requests can be sent, the following days
 * included. A limit that no response has reported counts as the one that Privy publishes: 60 requests a minute, 10,000
 * a day. Only the `reserve` of the options counts; NULL: that of the client.
 */
PRIVY_API double privy_client_duration(privy_client *client, const privy_options *options, double requests);

#ifdef __cplusplus
}
#endif
#endif
