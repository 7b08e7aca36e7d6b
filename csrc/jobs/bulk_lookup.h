/*
 * Contacts in doubt whose row subscribes them. Sent again, the row would subscribe a contact that has unsubscribed
 * after the lost request. So the run looks the contact up first, by each of its identifiers until one is found.
 */
#ifndef PRIVY_JOBS_BULK_LOOKUP_H
#define PRIVY_JOBS_BULK_LOOKUP_H

#include "jobs/bulk.h"

/* Whether a row in doubt is looked up before it is sent again. */
bool privy_bulk_lookup_is_due(const bulk_row *row);
/* The next request of the row: a look-up, or its own, which the row then owns no longer. NULL with an error. */
privy_request *privy_bulk_lookup_request(bulk_row *row, privy_error *error);
/*
 * What the response to a look-up means. `since`: when the lost request was sent, by the server's clock. True: the row
 * is queued again, for the next look-up or for its own request. False: the completion is the result of the row; that of
 * a lost request which was applied is the contact, and a row about which the user must decide fails with the code
 * "in_doubt_consent".
 */
bool privy_bulk_lookup_continues(bulk_row *row, double since, privy_completion *completion);

#endif
