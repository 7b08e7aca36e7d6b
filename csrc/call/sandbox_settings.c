/* The settings of a sandbox as texts: flags of its servers, arguments of its test fixtures. */
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "message/error.h"
#include "privy_sandbox.h"

/* The limits of Privy. */
#define REAL_PER_MINUTE 60
#define REAL_PER_DAY 10000
/* Defaults of generated data, those of `seed` in both languages. */
#define DEFAULT_CONTACTS 5000
#define DEFAULT_DAYS 365
#define DEFAULT_SEED 7
/* Bytes of a wrong text that a message shows. */
#define SHOWN 60

/* Takes the text before the first separator, or all of it, and drops that separator. False: no text is left. */
static bool next_part(privy_slice *rest, char separator, privy_slice *part) {
  if (!rest->text) return false;
  const char *end = rest->length ? memchr(rest->text, separator, rest->length) : NULL;
  *part = (privy_slice){rest->text, end ? (size_t)(end - rest->text) : rest->length};
  *rest = end ? (privy_slice){end + 1, rest->length - part->length - 1} : (privy_slice){NULL, 0};
  return true;
}

static bool read_number(privy_slice digits, uint32_t *out) {
  int64_t number;
  if (!privy_parse_int64(digits.text, digits.length, &number) || number < 0 || number > UINT32_MAX) return false;
  *out = (uint32_t)number;
  return true;
}

/* Shows a wrong text in a message. */
static int shown(size_t length) {
  return length < SHOWN ? (int)length : SHOWN;
}

/* ---- limits ---- */

typedef struct wanted_limits {
  uint32_t per_minute, per_day, window;
} wanted_limits;

static bool read_limits(privy_slice text, wanted_limits *out) {
  *out = (wanted_limits){0, 0, PRIVY_SANDBOX_WINDOW};
  if (privy_text_is(text.text, text.length, "off")) return true;
  if (privy_text_is(text.text, text.length, "on")) {
    *out = (wanted_limits){REAL_PER_MINUTE, REAL_PER_DAY, PRIVY_SANDBOX_WINDOW};
    return true;
  }
  uint32_t *const numbers[] = {&out->per_minute, &out->per_day, &out->window};
  privy_slice part;
  size_t count = 0;
  while (next_part(&text, '/', &part))
    if (count == 3 || !read_number(part, numbers[count++])) return false;
  return true;
}

privy_status privy_sandbox_read_limits(privy_sandbox *sandbox, const char *text, size_t length, privy_error *error) {
  wanted_limits limits;
  if (read_limits((privy_slice){text, length}, &limits) &&
      privy_sandbox_set_limits(sandbox, limits.per_minute, limits.per_day, limits.window) == PRIVY_OK)
    return PRIVY_OK;
  return privy_error_set(
      error, PRIVY_CONFIG_ERROR,
      "limits must be on, off or PER_MINUTE[/PER_DAY[/WINDOW]], such as 60/10000/60, not \"%.*s\": 0 "
      "turns a limit off, and WINDOW is the length of a minute, 1 to %d seconds",
      shown(length), text, PRIVY_SANDBOX_WINDOW);
}

/* ---- faults ---- */

static bool read_kind(privy_slice kind, privy_sandbox_fault *fault) {
  uint32_t status;
  if (privy_text_is(kind.text, kind.length, "drop")) {
    fault->cut = PRIVY_CUT_DROP;
  } else if (privy_text_is(kind.text, kind.length, "truncate")) {
    fault->cut = PRIVY_CUT_TRUNCATE;
  } else {
    if (!read_number(kind, &status) || status < 400 || status > 599) return false;
    fault->http_status = (int)status;
  }
  return true;
}

static bool read_fault(privy_slice text, privy_sandbox_fault *fault) {
  privy_slice kind, count;
  if (!next_part(&text, ':', &kind) || !read_kind(kind, fault)) return false;
  if (next_part(&text, ':', &count) && !read_number(count, &fault->count)) return false;
  return !text.text;
}

static privy_status refuse_operation(privy_slice name, privy_error *error) {
  privy_buffer names = PRIVY_BUFFER_EMPTY;
  bool written = true;
  const privy_operation *operation;
  for (size_t i = 0; written && (operation = privy_operation_at(i)); i++)
    written = privy_buffer_format(&names, "%s%s", i ? ", " : "", privy_operation_name(operation));
  written = written && privy_buffer_terminate(&names);
  const privy_status status =
      written ? privy_error_set(error, PRIVY_CONFIG_ERROR, "fail must name one of the operations %s, not \"%.*s\"",
                                names.data, shown(name.length), name.text)
              : privy_error_no_memory(error);
  privy_buffer_clear(&names);
  return status;
}

static privy_status queue_fault(privy_sandbox *sandbox, privy_sandbox_fault *fault, privy_slice name,
                                privy_error *error) {
  const privy_operation *operation = NULL;
  for (size_t i = 0; name.text && !operation; i++) {
    operation = privy_operation_at(i);
    if (!operation) return refuse_operation(name, error);
    if (!privy_text_is(name.text, name.length, privy_operation_name(operation))) operation = NULL;
  }
  fault->operation = operation ? privy_operation_name(operation) : NULL;
  return privy_sandbox_add_fault(sandbox, fault) == PRIVY_OK ? PRIVY_OK : privy_error_no_memory(error);
}

privy_status privy_sandbox_read_fault(privy_sandbox *sandbox, const char *text, size_t length, privy_error *error) {
  privy_sandbox_fault fault = {.retry_after = -1, .count = 1};
  privy_slice rest = {text, length}, what, name = {NULL, 0};
  if (next_part(&rest, '@', &what) && read_fault(what, &fault))
    return queue_fault(sandbox, &fault, next_part(&rest, '\0', &name) ? name : (privy_slice){NULL, 0}, error);
  return privy_error_set(error, PRIVY_CONFIG_ERROR,
                         "fail must be STATUS[:COUNT][@OPERATION], such as 503:3@orders.upsert, not \"%.*s\": STATUS "
                         "is 400 to 599, drop or truncate, and COUNT is the number of requests, 0 for all later ones",
                         shown(length), text);
}

/* ---- generated data ---- */

typedef struct wanted_seeding {
  char kind[32];
  uint32_t contacts;
  int64_t seed;
} wanted_seeding;

static bool read_seeding(privy_slice text, wanted_seeding *out) {
  *out = (wanted_seeding){"", DEFAULT_CONTACTS, DEFAULT_SEED};
  privy_slice kind, contacts, seed;
  if (!next_part(&text, ':', &kind) || kind.length == 0 || kind.length >= sizeof out->kind) return false;
  memcpy(out->kind, kind.text, kind.length);
  if (next_part(&text, ':', &contacts) && !read_number(contacts, &out->contacts)) return false;
  if (next_part(&text, ':', &seed) && !privy_parse_int64(seed.text, seed.length, &out->seed)) return false;
  return !text.text;
}

privy_status privy_sandbox_read_seed(privy_sandbox *sandbox, const char *text, size_t length, privy_error *error) {
  wanted_seeding seeding;
  privy_buffer problem = PRIVY_BUFFER_EMPTY;
  privy_status status = PRIVY_VALIDATION;
  if (read_seeding((privy_slice){text, length}, &seeding))
    status =
        privy_sandbox_seed(sandbox, seeding.kind, seeding.contacts, DEFAULT_DAYS, (uint64_t)seeding.seed, &problem);
  if (status == PRIVY_NO_MEMORY || (problem.length && !privy_buffer_terminate(&problem))) {
    status = privy_error_no_memory(error);
  } else if (status != PRIVY_OK) {
    status = privy_error_set(error, PRIVY_CONFIG_ERROR,
                             "seed must be KIND[:CONTACTS[:SEED]], such as shop:5000:7, not \"%.*s\"%s%s",
                             shown(length), text, problem.length ? ": " : "", problem.length ? problem.data : "");
  }
  privy_buffer_clear(&problem);
  return status;
}
