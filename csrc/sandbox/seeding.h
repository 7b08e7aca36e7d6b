/* The generation of a data set: it sends requests to a draft, so that every record obeys the rules of the API. */
#ifndef PRIVY_SANDBOX_SEEDING_H
#define PRIVY_SANDBOX_SEEDING_H

#include "sandbox/seed_draw.h"
#include "sandbox/state.h"
#include "json/writer.h"

typedef struct privy_seeding {
  privy_sandbox *draft;
  privy_draw draw;
  int64_t end; /* the present of the draft, in seconds since 1970 */
  uint32_t contacts, days;
  size_t first;     /* position of the first generated contact */
  int64_t *created; /* when each generated contact was created */
  privy_buffer body;
  privy_sandbox_response response;
} privy_seeding;

/* Sends `body` at that time. False when memory runs out. */
PRIVY_NODISCARD bool privy_seeding_send(privy_seeding *seeding, const char *method, const char *target, int64_t at);
/* Begins a body, and writes its members; those of an object by their positions in its table. */
void privy_seeding_begin(privy_seeding *seeding, privy_writer *writer);
void privy_seeding_key(privy_writer *writer, const privy_object *object, unsigned field);
void privy_seeding_text(privy_writer *writer, const privy_object *object, unsigned field, const char *text);
void privy_seeding_member(privy_writer *writer, const char *key, const char *text);
/* Cents as a number: 1999 → 19.99. */
void privy_seeding_money(privy_writer *writer, uint32_t cents);
/* Seconds since 1970 as ISO 8601. */
void privy_seeding_time(privy_writer *writer, const privy_object *object, unsigned field, int64_t seconds);
/* A generated contact that exists at that time, the older the more likely; `*at` becomes later if there is none yet. */
const privy_contact *privy_seeding_customer(privy_seeding *seeding, int64_t *at);

/* The parts of the data set "shop", in this order. False when memory runs out. */
PRIVY_NODISCARD bool privy_seed_contacts(privy_seeding *seeding);
PRIVY_NODISCARD bool privy_seed_orders(privy_seeding *seeding);
PRIVY_NODISCARD bool privy_seed_events(privy_seeding *seeding);

#endif
