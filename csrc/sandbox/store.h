/*
 * The sandbox's data: contacts, orders, accepted events with their keys, and welcome messages. A contact and an order
 * keep one raw JSON value per index of their tables, so that no field is named twice.
 *
 * Changing takes two steps: a change is prepared, which does everything that may run out of memory, and then committed,
 * which cannot fail, or abandoned, which leaves everything as it was.
 */
#ifndef PRIVY_SANDBOX_STORE_H
#define PRIVY_SANDBOX_STORE_H

#include "base/map.h"
#include "privy_sandbox.h"
#include "sandbox/block.h"
#include "schema/schema.h"

#define PRIVY_STORE_NONE PRIVY_MAP_NONE

/* The keys of a contact, other than its id. */
typedef enum privy_key { PRIVY_KEY_EMAIL, PRIVY_KEY_PHONE, PRIVY_KEY_COUNT } privy_key;

/* Their positions in the table of contacts. */
extern const unsigned privy_key_fields[PRIVY_KEY_COUNT];

typedef struct privy_contact {
  privy_value values[PRIVY_CONTACT_FIELDS]; /* PRIVY_ABSENT: never given */
  privy_slice keys[PRIVY_KEY_COUNT];        /* decoded, the e-mail address in lower case; empty: none */
  privy_block *block;                       /* that values and keys point into, or NULL */
  bool deleted;
} privy_contact;

typedef struct privy_order {
  privy_value values[PRIVY_ORDER_FIELDS];
  privy_block *block;
  size_t contact;     /* position of the contact whose order it is */
  size_t integration; /* position of the Custom Integration that it is tied to, or PRIVY_INTEGRATION_NONE */
} privy_order;

/* An accepted event or a welcome message, as a JSON object. */
typedef struct privy_document {
  privy_block *block;
  size_t length;
  uint64_t serial; /* of an event: the number that its id is made of; of a message: 0 */
} privy_document;

typedef struct privy_store {
  privy_contact *contacts; /* deleted ones included: they may be restored */
  size_t contact_count, contact_capacity;
  size_t *live; /* positions of the contacts not deleted, oldest first; capacity for all contacts */
  size_t live_count, live_capacity;
  bool live_stale; /* the count is right, the positions are not */
  privy_order *orders;
  size_t order_count, order_capacity;
  privy_document *events;
  size_t event_count, event_capacity;
  privy_document *messages; /* welcome messages */
  size_t message_count, message_capacity;
  privy_map ids;                         /* contact ids → contacts */
  privy_map keys[PRIVY_KEY_COUNT];       /* → the contact that had the key last, deleted or not */
  privy_map order_keys;                  /* digits of the order's id → orders */
  privy_map event_ids;                   /* → events */
  privy_map event_keys;                  /* idempotency keys → events */
  uint64_t contact_serial, event_serial; /* of the last ones made; a reset does not turn them back */
} privy_store;

/* The counts of what is stored, and of `requests`. */
privy_sandbox_counts privy_store_count(const privy_store *store, uint64_t requests);
/* Forgets everything but the serials. */
void privy_store_clear(privy_store *store);
/* Makes `out` a copy: the two share texts, and changes to one do not show in the other. False, leaving it empty, when
 * memory runs out. */
PRIVY_NODISCARD bool privy_store_copy(privy_store *out, const privy_store *store);
/* A document with a copy of the text. False when memory runs out. */
PRIVY_NODISCARD bool privy_document_new(privy_document *out, const char *text, size_t length);

/* ---- values and keys --------------------------------------------------------------------------------------------- */

/* A string without escapes, live as long as `text`. */
privy_value privy_store_string(const char *text);
/* A value of an enumeration. */
privy_value privy_store_enum_value(const privy_enum *enum_values, unsigned index);
/* Position of the value that the index of an enumeration holds. */
unsigned privy_store_enum_index(const privy_value *values, unsigned index);
/* Appends the string as a key is kept: escapes resolved, e-mail addresses in lower case. False when memory runs out. */
PRIVY_NODISCARD bool privy_store_key(privy_value string, privy_key key, privy_buffer *out);
/* The contact that had the key last, deleted or not; PRIVY_STORE_NONE for an empty or unknown key. */
size_t privy_store_holder(const privy_store *store, privy_key key, privy_slice text);
/* The contact of that id; PRIVY_STORE_NONE if there is none or it was deleted. */
size_t privy_store_contact(const privy_store *store, privy_slice id);
/* The contacts that are not deleted, oldest first. */
const size_t *privy_store_live(privy_store *store);

/* ---- changes ----------------------------------------------------------------------------------------------------- */

/* A change to one contact, which may be new or be restored by it. Start with {0}. */
typedef struct privy_contact_change {
  size_t index;
  privy_contact next;
  bool prepared;
  bool fresh;
  bool claimed[PRIVY_KEY_COUNT];
  size_t before[PRIVY_KEY_COUNT]; /* previous holders of the claimed keys */
} privy_contact_change;

/* Prepares contact `index` (PRIVY_STORE_NONE: a new one) to have these values. Copies the values. */
PRIVY_NODISCARD bool privy_contact_prepare(privy_store *store, privy_contact_change *change, size_t index,
                                           const privy_value *values);
/* Returns a key that a prepared change has claimed to its previous holder. */
void privy_contact_release_key(privy_store *store, privy_contact_change *change, privy_key key);
void privy_contact_commit(privy_store *store, privy_contact_change *change);
/* Also after a commit, and when nothing was prepared: then nothing happens. */
void privy_contact_abandon(privy_store *store, privy_contact_change *change);
/* Deletes a contact; it keeps its keys until another contact claims them. */
void privy_contact_delete(privy_store *store, size_t index);

typedef struct privy_order_change {
  size_t index;
  privy_order next;
  privy_slice key;
  bool prepared;
  bool fresh;
} privy_order_change;

/* Prepares order `index` (PRIVY_STORE_NONE: a new one) to have these values. `key` must outlive the change. */
PRIVY_NODISCARD bool privy_order_prepare(privy_store *store, privy_order_change *change, size_t index, privy_slice key,
                                         const privy_value *values);
void privy_order_commit(privy_store *store, privy_order_change *change);
void privy_order_abandon(privy_store *store, privy_order_change *change);

#endif
