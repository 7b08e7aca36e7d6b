/* Money in responses: decimal text. */
#ifndef PRIVY_SANDBOX_AMOUNT_H
#define PRIVY_SANDBOX_AMOUNT_H

#include "privy.h"

/* Digits kept on either side of the point. */
#define PRIVY_AMOUNT_DIGITS 32
#define PRIVY_AMOUNT_SIZE (2 * PRIVY_AMOUNT_DIGITS + 3)

/*
 * Writes a JSON number without exponent and needless zeros, but with two decimals at least: 95 → "95.00", 1.5e3 →
 * "1500.00", 0.125 → "0.125". False when it has more digits than fit.
 */
PRIVY_NODISCARD bool privy_amount_write(char out[PRIVY_AMOUNT_SIZE], const char *number, size_t length);

#endif
