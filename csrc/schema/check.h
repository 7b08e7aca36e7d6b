/*
 * Checks the parameters of one operation as they stream past: the same code judges what a user gives (message/request)
 * and what reaches the sandbox. Faults are collected, each with the path of its field; nothing stops at the first.
 *
 *   privy_check check;
 *   privy_check_init(&check, operation, PRIVY_CHECK_STRICT);
 *   privy_check_key(&check, "email", 5);
 *   privy_check_string(&check, "jane@example.com", 16);
 *   privy_check_finish(&check, 0);
 *   if (check.faults.count) …
 *   privy_check_clear(&check);
 */
#ifndef PRIVY_SCHEMA_CHECK_H
#define PRIVY_SCHEMA_CHECK_H

#include "base/buffer.h"
#include "schema/details.h"
#include "schema/schema.h"
#include "json/reader.h"

/* Levels of containers accepted in a parameter; deeper is a fault. */
#define PRIVY_CHECK_DEPTH 64

typedef enum privy_check_mode {
  PRIVY_CHECK_STRICT, /* a user's call: unknown and read-only names are faults, and so is a name given twice */
  PRIVY_CHECK_LENIENT /* a server's view: unknown and read-only names are passed over */
} privy_check_mode;

typedef enum privy_verdict {
  PRIVY_VERDICT_REFUSED,
  PRIVY_VERDICT_PASSED,
  PRIVY_VERDICT_PLAIN, /* the same for a string that JSON writes without an escape */
  PRIVY_VERDICT_NUMBER /* a string that is sent as the number it holds (money) */
} privy_verdict;

#define PRIVY_CHECK_NO_KEY UINT32_MAX

typedef struct privy_check_frame {
  uint8_t kind;                /* what the container holds; see check.c */
  bool array;                  /* an array: `index` counts its elements */
  uint32_t index;              /* elements begun so far */
  uint32_t key_start;          /* where the current key begins in check.keys, unless it is that of `field` */
  uint32_t key_length;         /* PRIVY_CHECK_NO_KEY: no key yet */
  const privy_object *object;  /* the table of its members, or NULL */
  const privy_field *field;    /* the field that the current key names, or NULL */
  const privy_field *checked;  /* the same if the value is checked against it, or NULL */
  const privy_field *expected; /* the field after the last one that was named, `end` if there is none */
  const privy_field *end;
} privy_check_frame;

typedef struct privy_check {
  const privy_operation *operation; /* NULL: a raw request, of which only texts and nesting are checked */
  privy_check_mode mode;
  privy_details details;
  uint64_t given;                                  /* rows of the operation's object given, null included */
  uint64_t nulls;                                  /* rows given as null */
  uint64_t noted;                                  /* rows whose value stands in `choices` */
  uint8_t enum_values[64];                         /* by row: an enum value's position, a boolean's truth */
  bool unknown;                                    /* `extra` gave a name that the operation does not know */
  bool lenient;                                    /* `extra`: what follows at top level is not judged */
  bool no_memory;                                  /* memory ran out: the verdicts are incomplete */
  unsigned any_levels;                             /* levels open inside the current PRIVY_KIND_ANY */
  unsigned too_deep;                               /* containers open below the deepest frame */
  privy_buffer keys;                               /* keys of open frames that no table has */
  size_t depth;                                    /* open frames, the top level included */
  privy_check_frame frames[PRIVY_CHECK_DEPTH + 2]; /* top level, the levels accepted, and one that is refused */
} privy_check;

void privy_check_init(privy_check *check, const privy_operation *operation, privy_check_mode mode);
void privy_check_clear(privy_check *check);

/* Names the next value by the row of a parameter that the operation takes. */
void privy_check_param(privy_check *check, const privy_field *row);
/* Names the next value. Returns the row that it belongs to; NULL inside free JSON and for unknown names. */
const privy_field *privy_check_key(privy_check *check, const char *name, size_t length);
privy_verdict privy_check_string(privy_check *check, const char *text, size_t length);
privy_verdict privy_check_number(privy_check *check, const char *text, size_t length);
/* The same for a number that is an integer already. */
privy_verdict privy_check_integer(privy_check *check, int64_t value);
privy_verdict privy_check_boolean(privy_check *check, bool value);
privy_verdict privy_check_null(privy_check *check);
/* A container that is refused is still walked to its end, silently. */
privy_verdict privy_check_begin(privy_check *check, bool array);
void privy_check_end(privy_check *check);
/* The next member has a name that is no text (shown as `name`), or none at all (NULL): a fault. No value follows. */
void privy_check_no_key(privy_check *check, const char *name, size_t length);
/* The next value cannot be told in JSON: `message` is its fault. */
void privy_check_unusable(privy_check *check, const char *message);
/* The same for a value that is of a type without a form in JSON, by the name of the type. */
void privy_check_other(privy_check *check, const char *type);
/* Whether the field that judges the next value is a time. */
bool privy_check_wants_time(const privy_check *check);
/* Keeps a fault of the current field. */
void privy_check_refuse(privy_check *check, const char *message);
/* Keeps a fault of the top-level field `name`, or of "base". */
void privy_check_add_detail(privy_check *check, const char *name, const char *format, ...) PRIVY_PRINTF(3, 4);
/* Missing parameters and rules over several fields. Parameters whose bit is in `exempt` need not be there. */
void privy_check_finish(privy_check *check, uint64_t exempt);

/* Feeds the members of a JSON object to the check, as if each had been given. `object` is validated JSON. */
void privy_check_members(privy_check *check, privy_value object);

#endif
