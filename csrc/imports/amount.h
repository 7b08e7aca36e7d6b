/* Amounts of money and other numbers, as people and spreadsheets write them. */
#ifndef PRIVY_IMPORTS_AMOUNT_H
#define PRIVY_IMPORTS_AMOUNT_H

#include "base/text.h"

#define PRIVY_AMOUNT_SIZE 48

typedef enum privy_amount_result {
  PRIVY_AMOUNT_READ,
  PRIVY_AMOUNT_AMBIGUOUS, /* "1,234": thousands or a fraction */
  PRIVY_AMOUNT_SHORTENED, /* "1.5551E+10": a spreadsheet has dropped digits */
  PRIVY_AMOUNT_INVALID
} privy_amount_result;

typedef struct privy_amount {
  char text[PRIVY_AMOUNT_SIZE]; /* a JSON number without an exponent */
  size_t length;
  bool negative;
  char point;             /* the decimal sign that the text proves: '.', ',', or 0 */
  privy_slice currencies; /* codes that its currency sign may mean, separated by spaces; empty: no sign */
} privy_amount;

/* `decimal` is the decimal sign of the file, 0 if it is not known: needed for texts that are ambiguous alone. */
privy_amount_result privy_amount_read(const char *text, size_t length, char decimal, privy_amount *out);
/* Whether the text is a number that a spreadsheet has shortened, such as 1.5551E+10. */
bool privy_is_shortened(const char *text, size_t length);
/* Removes the fraction of an amount whose fraction is zero; false if it is not. */
bool privy_amount_whole(privy_amount *amount);
/* The currencies of a sign such as "$"; empty if the text is no such sign. */
privy_slice privy_currency_sign(const char *text, size_t length);

/* An exact sum: units / 10^scale. Start with {0}. */
typedef struct privy_sum {
  int64_t units;
  unsigned scale;
} privy_sum;
/* Adds the product of two JSON numbers without exponents. False if it is beyond what can be kept exactly. */
bool privy_sum_add(privy_sum *sum, privy_slice quantity, privy_slice price);
/* Writes the sum as a JSON number with at least two decimals. */
size_t privy_sum_text(const privy_sum *sum, char out[PRIVY_AMOUNT_SIZE]);

#endif
