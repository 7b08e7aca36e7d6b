/* Failures of streams. */
#ifndef PRIVY_COLUMNS_FAILURE_H
#define PRIVY_COLUMNS_FAILURE_H

#include "privy.h"

/* Keeps the failure, with the message of the status unless one is there. Returns false. */
bool privy_stream_fail(privy_error *error, privy_status status);
/* What the functions of the C stream interface return: a number of errno. */
int privy_stream_code(const privy_error *error);
/* The message, NULL without an error. */
const char *privy_stream_message(const privy_error *error);

#endif
