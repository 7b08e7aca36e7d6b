/* Formats of strings. Every function returns whether the text has the format; none allocates. */
#ifndef PRIVY_SCHEMA_FORMAT_H
#define PRIVY_SCHEMA_FORMAT_H

#include "schema/schema.h"

bool privy_format_email(const char *text, size_t length);
bool privy_format_phone(const char *text, size_t length);
bool privy_format_time(const char *text, size_t length);
bool privy_format_time_utc(const char *text, size_t length);
bool privy_format_currency(const char *text, size_t length);
bool privy_format_event_type(const char *text, size_t length);
bool privy_format_contact_id(const char *text, size_t length);
bool privy_format_order_id(const char *text, size_t length);
bool privy_format_header(const char *text, size_t length);

/* Position of the first character that the format excludes and that is easy to overlook; `length` if there is none. */
size_t privy_format_odd(privy_format format, const char *text, size_t length);
/* NULL if the text has the format, else the error message. */
const char *privy_format_check(privy_format format, const char *text, size_t length);
/* The code of that error. */
privy_detail_code privy_format_code(privy_format format);

#endif
