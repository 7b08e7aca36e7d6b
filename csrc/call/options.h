/* The settings that are numbers, and those of them that a call may override. */
#ifndef PRIVY_CALL_OPTIONS_H
#define PRIVY_CALL_OPTIONS_H

#include "privy.h"

/* timeout 30 s, connect_timeout 5 s, max_wait 90 s (one rate limit window and some more), max_retries 3, reserve 0 */
extern const privy_options privy_default_options;

/* `base`, with the options that `over` gives; `over` may be NULL. */
privy_options privy_options_merge(privy_options base, const privy_options *over);
/* Checks all options. PRIVY_OK, PRIVY_CONFIG_ERROR with the message of the first invalid one, or PRIVY_NO_MEMORY. */
PRIVY_NODISCARD privy_status privy_options_check(const privy_options *options, privy_error *error);

#endif
