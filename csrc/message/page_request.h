/* The requests of the pages of a list. */
#ifndef PRIVY_MESSAGE_PAGE_REQUEST_H
#define PRIVY_MESSAGE_PAGE_REQUEST_H

#include "message/request.h"

/* Appends the query of a list without its page and its number of records, as it is sent: what the list filters. False
 * when memory runs out. */
PRIVY_NODISCARD bool privy_request_filter(const privy_request *list, privy_buffer *out);
/* A finished request of one page of the list, with its filters and the headers of the user; the caller frees it.
 * PRIVY_OK or PRIVY_NO_MEMORY. */
PRIVY_NODISCARD privy_status privy_request_new_page(const privy_request *list, int64_t page, int64_t per_page,
                                                    privy_request **out, privy_error *error);

#endif
