/*
 * One request on its way through the sandbox, and what its handlers share. A handler works in this order: read and
 * judge, prepare changes, write the answer, commit. So it either runs out of memory before anything has changed
 * (PRIVY_NO_MEMORY), or is done (PRIVY_OK, whatever the HTTP status).
 */
#ifndef PRIVY_SANDBOX_EXCHANGE_H
#define PRIVY_SANDBOX_EXCHANGE_H

#include "sandbox/state.h"
#include "sandbox/store.h"
#include "schema/check.h"
#include "json/writer.h"

/* The checks count values in 64 bits; no table has more. */
#define PRIVY_EXCHANGE_FIELDS 64

typedef struct privy_exchange {
  privy_sandbox *sandbox;
  privy_sandbox_response *response; /* its status is 0 until the answer is whole */
  double now;
  privy_slice method, path, query, headers, body;
  const privy_operation *operation;          /* NULL until one is found */
  const privy_sandbox_fault *fault;          /* what goes wrong with this request, or NULL */
  privy_slice id;                            /* the segment that stands for {id}, as it came */
  privy_value object;                        /* the body, when it is a JSON object */
  privy_value values[PRIVY_EXCHANGE_FIELDS]; /* what was given, by the values of the operation's table */
  privy_check check;
  privy_buffer scratch; /* texts of a decoded query */
} privy_exchange;

typedef privy_status privy_handler(privy_exchange *exchange);

/* ---- input.c: what was given ------------------------------------------------------------------------------------- */

/* Reads the body into `values`; answers 400 when it is not a JSON object. An empty body is an empty object. */
PRIVY_NODISCARD privy_status privy_input_body(privy_exchange *exchange);
/* Judges what privy_input_body read, and answers what is wrong with it. */
PRIVY_NODISCARD privy_status privy_input_check(privy_exchange *exchange);
/* Reads the query into `values`, judges it, and answers what is wrong with it. */
PRIVY_NODISCARD privy_status privy_input_query(privy_exchange *exchange);
/* The value of the header that the index travels as; false when it was not sent. */
bool privy_input_header(const privy_exchange *exchange, unsigned index, privy_slice *value);
/* Takes the next "name=value" from `*list` and decodes both, percent escapes and '+', into `room`, which must have as
 * many bytes free as the list is long: nothing is allocated. False at the end. */
bool privy_input_pair(privy_slice *list, privy_buffer *room, privy_slice *name, privy_slice *value);
/* The contact of the path; PRIVY_STORE_NONE when there is none. */
size_t privy_input_contact(const privy_exchange *exchange);
/* Keeps a fault of the index's field. */
void privy_input_refuse(privy_exchange *exchange, unsigned index, const char *message);

/* ---- answer.c: what is answered ---------------------------------------------------------------------------------- */

/* True when the answer is whole. */
bool privy_responded(const privy_exchange *exchange);
/* Writes the headers that every answer has. False when memory runs out. */
PRIVY_NODISCARD bool privy_respond_start(privy_exchange *exchange);
PRIVY_NODISCARD bool privy_respond_header(privy_exchange *exchange, const char *name, const char *value);
/* The error that an HTTP status stands for, in the API's envelope. */
PRIVY_NODISCARD privy_status privy_respond_error(privy_exchange *exchange, int http_status);
/* The same with words of its own. */
PRIVY_NODISCARD privy_status privy_respond_message(privy_exchange *exchange, int http_status, const char *message);
/* The same with a code of its own too; NULL stands for the usual words of the status. */
PRIVY_NODISCARD privy_status privy_respond_refusal(privy_exchange *exchange, int http_status, const char *code,
                                                   const char *message);
/* 409, naming the contact that is in the way. */
PRIVY_NODISCARD privy_status privy_respond_conflict(privy_exchange *exchange, size_t contact);
/* The faults of the check: 422, or 400 in the manner of events. */
PRIVY_NODISCARD privy_status privy_respond_details(privy_exchange *exchange);
/* {"data": object} */
PRIVY_NODISCARD privy_status privy_respond_data(privy_exchange *exchange, int http_status, const privy_object *object,
                                                const privy_value *values);
/* Writes the fields that answers of this object hold. */
void privy_respond_object(privy_writer *writer, const privy_object *object, const privy_value *values);
/* Ends an answer: PRIVY_OK with the status set, or PRIVY_NO_MEMORY when the writer ran out. */
PRIVY_NODISCARD privy_status privy_respond_end(privy_exchange *exchange, int http_status, const privy_writer *writer);

/* ---- contacts.c: contacts as orders and events need them --------------------------------------------------------- */

/*
 * Finds the contact that values of the Contact table lead to, by e-mail first, or prepares its creation. `*index` is
 * its position. The consents among the values count only for a creation; an SMS opt-in needs a supported country
 * besides.
 */
PRIVY_NODISCARD bool privy_contact_link(privy_exchange *exchange, privy_value *values, privy_contact_change *change,
                                        size_t *index);

/* ---- handlers, one per operation, and the token endpoint --------------------------------------------------------- */

privy_handler privy_contacts_list, privy_contacts_get, privy_contacts_create, privy_contacts_update,
    privy_contacts_unsubscribe, privy_contacts_delete, privy_orders_upsert, privy_events_ingest, privy_oauth_token;

#endif
