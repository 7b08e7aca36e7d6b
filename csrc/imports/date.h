/* Dates and times, as shops and spreadsheets write them. */
#ifndef PRIVY_IMPORTS_DATE_H
#define PRIVY_IMPORTS_DATE_H

#include "base/text.h"

/* Which of the two numbers in 03/04/2026 is the day. */
typedef enum privy_date_order { PRIVY_DATE_UNKNOWN, PRIVY_DATE_DAY_FIRST, PRIVY_DATE_MONTH_FIRST } privy_date_order;

typedef enum privy_date_result {
  PRIVY_DATE_READ,
  PRIVY_DATE_AMBIGUOUS, /* 03/04/2026, and the order is not known */
  PRIVY_DATE_SERIAL,    /* 46085.43: a spreadsheet's number of a day */
  PRIVY_DATE_INVALID
} privy_date_result;

typedef struct privy_date {
  int64_t local;          /* seconds since 1970-01-01 by the clock that wrote it */
  int32_t nanos;          /* the fraction of its second */
  bool zoned;             /* it names its offset */
  int offset;             /* seconds east of UTC, if it does */
  privy_date_order proof; /* the order that the text proves */
} privy_date;

privy_date_result privy_date_read(const char *text, size_t length, privy_date_order order, privy_date *out);

#endif
