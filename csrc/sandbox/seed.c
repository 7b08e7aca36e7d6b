#include <inttypes.h>

#include "base/memory.h"
#include "base/text.h"
#include "sandbox/seeding.h"

#define MOST_CONTACTS 1000000
#define MOST_DAYS 3650

typedef bool part(privy_seeding *seeding);

/* The kinds of data sets and their parts, in order. */
static const struct {
  const char *name;
  part *parts[4];
} kinds[] = {{"shop", {privy_seed_contacts, privy_seed_orders, privy_seed_events, NULL}}};
#define KINDS (sizeof kinds / sizeof *kinds)

static bool check_range(const char *name, int64_t value, int64_t least, int64_t most, privy_buffer *problem) {
  if (value >= least && value <= most) return true;
  return privy_buffer_format(problem, "%s%s must be %" PRId64 " to %" PRId64, problem->length ? "; " : "", name, least,
                             most);
}

/* Appends what is wrong with the arguments. Returns the position of the kind. False when memory runs out. */
static bool check(const char *kind, int64_t contacts, int64_t days, privy_buffer *problem, size_t *found) {
  size_t at = 0;
  while (at < KINDS && strcmp(kinds[at].name, kind) != 0) at++;
  *found = at;
  if (at == KINDS) {
    if (!privy_buffer_format(problem, "there is no data set %.64s: the data sets are", kind)) return false;
    for (size_t i = 0; i < KINDS; i++) {
      if (!privy_buffer_format(problem, "%s %s", i ? "," : "", kinds[i].name)) return false;
    }
  }
  return check_range("contacts", contacts, 0, MOST_CONTACTS, problem) &&
         check_range("days", days, 1, MOST_DAYS, problem);
}

/* Generates into a copy of the store, which then replaces the store: a lack of memory changes nothing. */
static bool fill(privy_sandbox *sandbox, privy_seeding *seeding, part *const *parts) {
  privy_store *draft = &seeding->draft->store;
  seeding->end = (int64_t)privy_clock_now(&sandbox->clock);
  if (!privy_store_copy(draft, &sandbox->store)) return false;
  seeding->first = draft->contact_count;
  for (; *parts; parts++) {
    if (!(*parts)(seeding)) return false;
  }
  const privy_store before = sandbox->store;
  sandbox->store = *draft;
  *draft = before;
  return true;
}

privy_status privy_sandbox_seed(privy_sandbox *sandbox, const char *kind, int64_t contacts, int64_t days, uint64_t seed,
                                privy_buffer *problem) {
  size_t found;
  const size_t before = problem->length;
  if (!check(kind, contacts, days, problem, &found)) return PRIVY_NO_MEMORY;
  if (problem->length > before) return PRIVY_VALIDATION;
  privy_seeding seeding = {.draw = {seed}, .contacts = (uint32_t)contacts, .days = (uint32_t)days};
  if (privy_sandbox_new(&seeding.draft) != PRIVY_OK) return PRIVY_NO_MEMORY;
  privy_recorder_keep(&seeding.draft->recorder, 0);
  seeding.created = privy_calloc((size_t)contacts, sizeof *seeding.created);
  bool done = seeding.created != NULL;
  privy_sandbox_lock(sandbox);
  if (done) done = fill(sandbox, &seeding, kinds[found].parts);
  privy_sandbox_unlock(sandbox);
  privy_free(seeding.created);
  privy_buffer_clear(&seeding.body);
  privy_sandbox_response_clear(&seeding.response);
  privy_sandbox_release(seeding.draft);
  return done ? PRIVY_OK : PRIVY_NO_MEMORY;
}
