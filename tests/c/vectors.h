/*
 * The shared vectors (tests/vectors): cases as data, read with the core's own reader. The directory is $VECTORS_DIR, or
 * tests/vectors below the working directory; its folder core/ holds what only the core can be asked, since a language
 * refuses it by itself (a keyword that no method has, a key given twice).
 */
#ifndef VECTORS_H
#define VECTORS_H

#include <stdbool.h>
#include <stddef.h>

#include "privy.h"

/* One case. A value that the case does not have is PRIVY_ABSENT. All of it lives until vectors_free. */
typedef struct vector_case {
  char *name;
  bool shared;                              /* run by every language, not by the core alone */
  const privy_operation *operation;         /* NULL: a raw request */
  privy_value params, extra, extra_headers; /* what is given */
  privy_value request, details;             /* the expected request, or the expected details */
  privy_value response;                     /* or: a response, */
  privy_value object, page, error;          /* and what it must be read as, one of the three */
} vector_case;

typedef struct vector_list {
  const vector_case *items;
  size_t count;
} vector_list;

/* All cases of all files. A file that cannot be read or a case that is malformed ends the program with a message. */
vector_list vectors(void);
void vectors_free(void);

/* The last member of that name; PRIVY_ABSENT if there is none, or `object` is not an object. */
privy_value vector_member(privy_value object, const char *name);
/* Text of a string value, escapes resolved: NUL-terminated, to be freed with free. `length` may be NULL. */
char *vector_text(privy_value string, size_t *length);
/* Whether the string value is exactly this text. */
bool vector_text_is(privy_value string, const char *text, size_t length);
/* Whether the values are equal: numbers by their text, objects whatever the order of their members, of members given
 * twice the last. */
bool vector_same(privy_value a, privy_value b);
/* Number of different names in an object. */
size_t vector_names(privy_value object);

#endif
