/* The rows that a bulk run holds: the list of all, their lanes, and the queues of those that can start or have a
 * result.
 */
#ifndef PRIVY_JOBS_BULK_ROWS_H
#define PRIVY_JOBS_BULK_ROWS_H

#include "jobs/bulk.h"

void privy_bulk_push(bulk_queue *queue, bulk_row *row);
/* The first row of a queue that has one. */
bulk_row *privy_bulk_pop(bulk_queue *queue);
/* Appends the row to the rows held. */
void privy_bulk_link_row(privy_bulk *bulk, bulk_row *row);
/* Frees a row that is held. It is in no queue. */
void privy_bulk_free_row(privy_bulk *bulk, bulk_row *row);
/* Adds the row to the lane of each of its keys. False when memory runs out. */
PRIVY_NODISCARD bool privy_bulk_join_lanes(privy_bulk *bulk, bulk_row *row);
/* Removes it from them. Rows that became first in all their lanes can start. */
void privy_bulk_leave_lanes(privy_bulk *bulk, bulk_row *row);
bool privy_bulk_may_start(const bulk_row *row);

#endif
