/*
 * What a sandbox holds, as text: JSON in lines.
 *
 *   {"privy_sandbox":1,"contacts":1,"orders":1,"events":1,"messages":1,"contact_serial":1,"event_serial":1}
 *   {"contact":{…},"deleted":true,"released":["email"]}
 *   {"order":{…},"contact_id":"cus_…"}
 *   {"event":{…},"serial":1}
 *   {"message":{…}}
 *
 * The first line has the number of the format, how many lines of each kind follow, in this order, and the serial
 * numbers of the last ids. A contact has the fields that it was given; `released` are its keys that another contact has
 * claimed since it was deleted. No secret is in it.
 */
#ifndef PRIVY_SANDBOX_ARCHIVE_H
#define PRIVY_SANDBOX_ARCHIVE_H

#include "sandbox/store.h"
#include "json/writer.h"

#define PRIVY_ARCHIVE_FORMAT 1

/* The kinds of lines, in order. */
typedef enum privy_archive_kind {
  PRIVY_ARCHIVE_CONTACT,
  PRIVY_ARCHIVE_ORDER,
  PRIVY_ARCHIVE_EVENT,
  PRIVY_ARCHIVE_MESSAGE,
  PRIVY_ARCHIVE_KINDS
} privy_archive_kind;

/* A kind as the lines and the first line name it. */
extern const char *const privy_archive_names[PRIVY_ARCHIVE_KINDS], *const privy_archive_plurals[PRIVY_ARCHIVE_KINDS];

/* Appends the lines. False when memory runs out. */
PRIVY_NODISCARD bool privy_archive_write(const privy_store *store, privy_buffer *out);
/* Reads the lines into an empty store. PRIVY_OK, PRIVY_VALIDATION with what is wrong appended to `problem`, or
 * PRIVY_NO_MEMORY. */
PRIVY_NODISCARD privy_status privy_archive_read(privy_store *store, privy_slice text, privy_buffer *problem);

#endif
