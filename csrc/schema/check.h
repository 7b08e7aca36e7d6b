/*
 * Checks the parameters of one operation one by one: the same code checks what a user passes (message/request) and what
 * the sandbox receives. It collects all errors, each with the path of its field.
 *
 *   privy_check check;
 *   privy_check_init(&check, operation, PRIVY_CHECK_STRICT);
 *   privy_check_key(&check, "email", 5);
 *   privy_check_string(&check, "jane@example.com", 16);
 *   privy_check_finish(&check, 0);
 *   if (check.details.count) …
 *   privy_check_clear(&check);
 */
#ifndef PRIVY_SCHEMA_CHECK_H
#define PRIVY_SCHEMA_CHECK_H

#include "base/buffer.h"
#include "schema/details.h"
#include "schema/schema.h"
#include "json/reader.h"

/* The deepest nesting that a parameter may have. */
#define PRIVY_CHECK_DEPTH 64
/* Levels of usual requests: a request that has no more of them is small, which malloc is fast for. */
#define PRIVY_CHECK_USUAL 6

typedef enum privy_check_mode {
  PRIVY_CHECK_STRICT, /* a user's call: unknown, read-only and repeated names are errors */
  PRIVY_CHECK_LENIENT /* a server: unknown and read-only names are ignored */
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
  uint64_t given;                              /* fields given, null included */
  uint64_t nulls;                              /* fields given as null */
  uint64_t noted;                              /* fields whose value is in `enum_values` */
  uint8_t enum_values[64];                     /* by field: the position of an enum value, or a boolean */
  bool unknown;                                /* `extra` has a name that the operation does not have */
  bool lenient;                                /* inside `extra`: top-level values are not checked */
  bool params_end;                             /* the names that follow at top level are not parameters */
  bool no_memory;                              /* memory ran out: the verdicts are incomplete */
  unsigned any_levels;                         /* levels open inside the current PRIVY_KIND_ANY */
  unsigned too_deep;                           /* containers open below the deepest frame */
  privy_buffer keys;                           /* unknown keys of open frames */
  size_t depth;                                /* open frames, the top level included */
  privy_check_frame *deep_frames;              /* of the levels that do not fit into `frames`; NULL: none was open */
  privy_check_frame frames[PRIVY_CHECK_USUAL]; /* of the top level and the levels below it */
} privy_check;

/* The frame of a level; the top level is 0. */
static inline privy_check_frame *privy_check_frame_of(privy_check *check, size_t level) {
  return level < PRIVY_CHECK_USUAL ? &check->frames[level] : &check->deep_frames[level - PRIVY_CHECK_USUAL];
}

void privy_check_init(privy_check *check, const privy_operation *operation, privy_check_mode mode);
void privy_check_clear(privy_check *check);

/* Names the next value by a parameter that the operation accepts. */
void privy_check_param(privy_check *check, const privy_field *row);
/* Names the next value. Returns its field; NULL inside free JSON and for unknown names. */
const privy_field *privy_check_key(privy_check *check, const char *name, size_t length);
privy_verdict privy_check_string(privy_check *check, const char *text, size_t length);
privy_verdict privy_check_number(privy_check *check, const char *text, size_t length);
/* The same for a number that is an integer already. */
privy_verdict privy_check_integer(privy_check *check, int64_t value);
privy_verdict privy_check_boolean(privy_check *check, bool value);
privy_verdict privy_check_null(privy_check *check);
/* The members of a refused container are still passed, and ignored. */
privy_verdict privy_check_begin(privy_check *check, bool array);
void privy_check_end(privy_check *check);
/* No value follows the name of a parameter: it is as if it was not given. False, and nothing changes, if the name is
 * not that of a parameter, was refused, or is inside `extra`. */
bool privy_check_forget(privy_check *check);
/* Error: the next member's name is not a string (shown as `name`), or it has none (NULL). No value follows. */
void privy_check_no_key(privy_check *check, const char *name, size_t length);
/* The following names at top level are not parameters: any name and value is accepted. */
void privy_check_end_params(privy_check *check);
/* Error: the next value cannot be encoded as JSON, as `message` says. */
void privy_check_unusable(privy_check *check, privy_detail_code code, const char *message);
/* The same for a value whose type has no JSON form, by the name of the type. */
void privy_check_other(privy_check *check, const char *type);
/* Whether the next value is checked as a time. */
bool privy_check_wants_time(privy_check *check);
/* Adds an error of the current field. */
void privy_check_refuse(privy_check *check, privy_detail_code code, const char *message);
/* The same for a rule with a limit. */
void privy_check_refuse_limit(privy_check *check, privy_detail_code code, int64_t limit, const char *message);
/* Adds an error of the top-level field `name`, or of "base". */
void privy_check_add_detail(privy_check *check, const char *name, privy_detail_code code, const char *format, ...)
    PRIVY_PRINTF(4, 5);
/* Missing parameters and rules over several fields. Parameters whose bit is in `exempt` are not required. */
void privy_check_finish(privy_check *check, uint64_t exempt);
/* The same of names without values: what is missing whatever the values are. */
void privy_check_finish_names(privy_check *check);

/* Checks the members of a JSON object as parameters. `object` is validated JSON. */
void privy_check_members(privy_check *check, privy_value object);

#endif
