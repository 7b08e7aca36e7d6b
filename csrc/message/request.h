/* The definition of privy_request: a builder that checks values as it writes them. */
#ifndef PRIVY_MESSAGE_REQUEST_H
#define PRIVY_MESSAGE_REQUEST_H

#include "base/buffer.h"
#include "privy.h"
#include "schema/check.h"
#include "json/writer.h"

typedef struct privy_request_header_line {
  const char *name;
  const char *value;
  char *owned; /* the allocation that holds both; NULL for constants */
  bool extra;  /* given as a header, not as a parameter */
} privy_request_header_line;

struct privy_request {
  const privy_operation *operation; /* NULL: a raw request */
  const char *method;
  privy_buffer path;   /* raw: as given; else the encoded path parameter */
  privy_buffer query;  /* "a=1&b=2" */
  privy_buffer body;   /* empty: none is sent */
  privy_buffer target; /* when finished: path and query, NUL-terminated */
  privy_buffer name;   /* of the current query parameter or header */
  privy_buffer basis;  /* not sent: what the content was made from. Equal contents of another basis are different */
  privy_request_header_line *headers;
  size_t header_count, header_capacity;
  size_t head_length; /* bytes of the path, the query and the headers that were given */
  privy_writer writer;
  size_t next_field;               /* where privy_request_next continues */
  privy_location default_location; /* of parameters without a location of their own */
  privy_location location;         /* of the current value */
  unsigned outside;                /* containers open in a location that accepts none */
  bool omits_nulls;                /* a parameter that is null is not sent */
  bool keeps_consents;             /* of a contacts.upsert: a contact that exists is not subscribed */
  bool comma;                      /* of the writer, before the current parameter */
  size_t begun;                    /* length of the body before the current parameter */
  privy_check check;
};

/* Sets a header, replacing one of the same name. False when memory runs out. */
PRIVY_NODISCARD bool privy_request_add_header(privy_request *request, const char *name, size_t name_length,
                                              const char *value, size_t value_length);
/* Adds a header whose name and value are constants. False when memory runs out. */
PRIVY_NODISCARD bool privy_request_add_constant(privy_request *request, const char *name, const char *value);
/* The value of a header, NULL when the request has none of that name. */
const char *privy_request_find_header(const privy_request *request, const char *name);
/* The path as a template: "/contacts/{id}". In a raw request {id} replaces what is not a plain word; an invalid path
 * has no template. Cut to `size` bytes, its NUL included. */
void privy_request_template(const privy_request *request, char *out, size_t size);
/* Checks and adds a header of the user. */
void privy_request_take_header(privy_request *request, const char *value, size_t length);
/* Copies the headers that the user gave `from`. False when memory runs out. */
PRIVY_NODISCARD bool privy_request_copy_extra(privy_request *request, const privy_request *from);
/* Raw requests: checks method and path. */
void privy_request_check_raw(privy_request *request, privy_slice method, privy_slice path);

/* Removes the current parameter, whose value is null, if the request omits nulls. False if the value is checked and
 * sent like others. */
bool privy_request_drop(privy_request *request);
/* The same for a number in text, if it is NaN. */
bool privy_request_drop_nan(privy_request *request, const char *text, size_t length);

/* Write a refused value into the body, which is then not sent. */
void privy_request_keep_string(privy_request *request, const char *text, size_t length);
void privy_request_keep_number(privy_request *request, const char *text, size_t length);
void privy_request_keep_integer(privy_request *request, int64_t value);
void privy_request_keep_boolean(privy_request *request, bool value);
void privy_request_keep_null(privy_request *request);

/* privy_request_finish without the rules over several fields. */
PRIVY_NODISCARD privy_status privy_request_seal(privy_request *request, privy_error *error);

/*
 * The request after the 409 of a contacts.upsert: an update of contact `id` with the fields of the create. A single
 * identifier is the one that matched and is omitted; if both were given, both are sent, since one of them may be new to
 * the contact. With `keeps_consents` it subscribes nobody. If nothing is left to change, it is a contacts.get. It has
 * the headers of the user. PRIVY_OK with a finished request that the caller frees; PRIVY_VALIDATION if `id` is not an
 * id, PRIVY_NO_MEMORY.
 */
PRIVY_NODISCARD privy_status privy_request_new_update_of(const privy_request *create, const char *id,
                                                         privy_request **out, privy_error *error);
/* A contacts.list of the contact that has the identifier of the create at position `nth`, with the same headers; of an
 * update a contacts.get of its contact. PRIVY_OK, where `*out` is NULL if the create has no more identifiers; or
 * PRIVY_NO_MEMORY. */
PRIVY_NODISCARD privy_status privy_request_new_look_up(const privy_request *create, size_t nth, privy_request **out,
                                                       privy_error *error);
/* A contacts.get of `id`, with the same headers and returns. */
PRIVY_NODISCARD privy_status privy_request_new_get(const privy_request *create, const char *id, privy_request **out,
                                                   privy_error *error);

#endif
