/*
 * One request in the sandbox, and what its handlers share. A handler works in this order: read and
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

/* Handles one request, as privy_sandbox_handle does; the caller holds the lock. */
PRIVY_NODISCARD privy_status privy_exchange_run(privy_sandbox *sandbox, const char *method, const char *target,
                                                privy_slice headers, privy_slice body,
                                                privy_sandbox_response *response);

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
