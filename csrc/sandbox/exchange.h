/*
 * One request on its way through the sandbox, and what its handlers share. A handler works in this order: read and
 * check, prepare changes, write the response, commit. So it either runs out of memory before anything has changed
 * (PRIVY_NO_MEMORY), or is done (PRIVY_OK, whatever the HTTP status).
 */
#ifndef PRIVY_SANDBOX_EXCHANGE_H
#define PRIVY_SANDBOX_EXCHANGE_H

#include "sandbox/state.h"
#include "sandbox/store.h"
#include "schema/check.h"
#include "json/writer.h"

/* Checks keep sets of fields in 64 bits. */
#define PRIVY_EXCHANGE_FIELDS 64

typedef struct privy_exchange {
  privy_sandbox *sandbox;
  privy_sandbox_response *response; /* its status is 0 until the response is complete */
  double now;
  privy_slice method, path, query, headers, body;
  const privy_operation *operation;          /* NULL until one is found */
  const privy_sandbox_fault *fault;          /* the injected fault of this request, or NULL */
  privy_slice id;                            /* the path segment of {id}, as received */
  privy_value object;                        /* the body, when it is a JSON object */
  privy_value values[PRIVY_EXCHANGE_FIELDS]; /* the given values, by field */
  privy_check check;
  privy_buffer scratch; /* texts of a decoded query */
} privy_exchange;

typedef privy_status privy_handler(privy_exchange *exchange);

/* ---- input.c: reading and checking requests
 * ------------------------------------------------------------------------------------- */

/* Reads the body into `values`; responds with 400 if it is not a JSON object. An empty body is an empty object. */
PRIVY_NODISCARD privy_status privy_input_body(privy_exchange *exchange);
/* Checks what privy_input_body read, and responds with the errors. */
PRIVY_NODISCARD privy_status privy_input_check(privy_exchange *exchange);
/* Reads the query into `values`, checks it, and responds with the errors. */
PRIVY_NODISCARD privy_status privy_input_query(privy_exchange *exchange);
/* The value of the header of field `index`; false if it was not sent. */
bool privy_input_header(const privy_exchange *exchange, unsigned index, privy_slice *value);
/* Takes the next "name=value" from `*list` and decodes both, percent escapes and '+', into `room`, which must have as
 * many bytes free as the list is long: nothing is allocated. False at the end. */
bool privy_input_pair(privy_slice *list, privy_buffer *room, privy_slice *name, privy_slice *value);
/* The contact of the path; PRIVY_STORE_NONE if there is none. */
size_t privy_input_contact(const privy_exchange *exchange);
/* Adds an error of field `index`. */
void privy_input_refuse(privy_exchange *exchange, unsigned index, const char *message);

/* ---- respond.c: writing responses ----------------------------------------------------------------------------------
 */

/* True if the response is complete. */
bool privy_responded(const privy_exchange *exchange);
/* Writes the headers of every response. False when memory runs out. */
PRIVY_NODISCARD bool privy_respond_start(privy_exchange *exchange);
PRIVY_NODISCARD bool privy_respond_header(privy_exchange *exchange, const char *name, const char *value);
/* The error of an HTTP status, in the API's envelope. */
PRIVY_NODISCARD privy_status privy_respond_error(privy_exchange *exchange, int http_status);
/* The same with another message. */
PRIVY_NODISCARD privy_status privy_respond_message(privy_exchange *exchange, int http_status, const char *message);
/* The same with another code and message; NULL: those of the status. */
PRIVY_NODISCARD privy_status privy_respond_refusal(privy_exchange *exchange, int http_status, const char *code,
                                                   const char *message);
/* 409, with the id of the existing contact. */
PRIVY_NODISCARD privy_status privy_respond_conflict(privy_exchange *exchange, size_t contact);
/* The errors of the check: 422, or 400 for events. */
PRIVY_NODISCARD privy_status privy_respond_details(privy_exchange *exchange);
/* {"data": object} */
PRIVY_NODISCARD privy_status privy_respond_data(privy_exchange *exchange, int http_status, const privy_object *object,
                                                const privy_value *values);
/* Writes the response fields of the object. */
void privy_respond_object(privy_writer *writer, const privy_object *object, const privy_value *values);
/* Ends a response: PRIVY_OK with the status set, or PRIVY_NO_MEMORY. */
PRIVY_NODISCARD privy_status privy_respond_end(privy_exchange *exchange, int http_status, const privy_writer *writer);

/* ---- contacts.c: contacts as orders and events need them --------------------------------------------------------- */

/*
 * Finds the contact by its e-mail address or else its phone number, or prepares its creation. `*index` is
 * its position. The consents among the values count only for a creation; an SMS opt-in also needs a supported country.
 */
PRIVY_NODISCARD bool privy_contact_link(privy_exchange *exchange, privy_value *values, privy_contact_change *change,
                                        size_t *index);

/* ---- handlers, one per operation, and the token endpoint --------------------------------------------------------- */

privy_handler privy_contacts_list, privy_contacts_get, privy_contacts_create, privy_contacts_update,
    privy_contacts_unsubscribe, privy_contacts_delete, privy_orders_upsert, privy_events_ingest, privy_oauth_token;

#endif
