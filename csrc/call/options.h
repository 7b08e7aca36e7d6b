/* The numbers among a client's settings, and what a call may take of them. */
#ifndef PRIVY_CALL_OPTIONS_H
#define PRIVY_CALL_OPTIONS_H

#include "privy.h"

/* 30 s, 5 s, 90 s (a minute's window, and room), 3 */
extern const privy_options privy_default_options;

/* `base` with what `over` (may be NULL) gives; what either gives is given. */
privy_options privy_options_merge(privy_options base, const privy_options *over);
/* Whether all of them can be used: PRIVY_OK, PRIVY_CONFIG_ERROR with the sentence of the first that cannot, or
 * PRIVY_NO_MEMORY. */
PRIVY_NODISCARD privy_status privy_options_check(const privy_options *options, privy_error *error);

#endif
