#include "jobs/coverage.h"

/* How far back the first of several steps goes. */
#define FIRST_STEP 50
#define LONGEST_OVERLAP 50
/* In a chain a page brings this many new contacts on average: the pages of one length begin at its multiples. */
#define CHAIN_GAIN 87
/* A pass has at most this many pages, and three for each of the list. */
#define SPARE_WINDOWS 200
/* Seconds. The Date header has whole seconds, and a response is made a moment after the list was read. */
#define CLOCK_SLACK 1
/* A list of more pages than this has a second reference. A shorter one is read in a chain for a few requests more. */
#define SHORT_PAGES 20
/* The second reference comes after this many pages: so many are read again at most. */
#define LEAD_PAGES 8

void privy_coverage_init(privy_coverage *coverage) {
  *coverage = (privy_coverage){.first_total = -1, .total = -1, .overlap = 1, .longest = PRIVY_COVERAGE_LONGEST_PAGE};
}

void privy_coverage_clear(privy_coverage *coverage) {
  privy_contact_set_clear(&coverage->contacts);
}

static bool is_chain(const privy_coverage *coverage) {
  return coverage->pass >= PRIVY_COVERAGE_FIRST_CHAIN;
}

/* Whether the contact may have come to the list since the list was read for a response of this time: it was created or
 * changed since then, or that is unknown. */
static bool is_recent(int64_t changed, int64_t response_at) {
  return response_at <= 0 || changed >= response_at - CLOCK_SLACK;
}

/* Whether the page at this position is one of those before the second reference that are read again. */
static bool is_last_lap(const privy_coverage *coverage, int64_t position) {
  return coverage->pass == PRIVY_COVERAGE_COUNTS_TWICE && position < coverage->second_from;
}

/* ---- the next page ---- */

/* The page that begins at `start` or before it, and ends as late as possible. */
static void plan_chain(int64_t start, int64_t longest, int64_t *page, int64_t *per_page) {
  *page = 1;
  *per_page = longest;
  for (int64_t size = longest; start > 0 && size > longest / 2; size--) {
    const int64_t number = start / size + 1;
    if (number * size <= *page * *per_page) continue;
    *page = number;
    *per_page = size;
  }
}

void privy_coverage_plan(const privy_coverage *coverage, int64_t *page, int64_t *per_page) {
  if (is_chain(coverage)) {
    plan_chain(coverage->next - coverage->overlap - coverage->back, coverage->longest, page, per_page);
    return;
  }
  *page = coverage->next / coverage->longest + 1;
  *per_page = coverage->longest;
}

int64_t privy_coverage_left(const privy_coverage *coverage) {
  if (coverage->total < 0) return -1;
  const bool last_lap = is_last_lap(coverage, coverage->next);
  const int64_t end = last_lap ? coverage->second_from : coverage->total;
  const int64_t again = coverage->doubtful && !is_chain(coverage) && !last_lap ? coverage->second_from : 0;
  const int64_t left = (end > coverage->next ? end - coverage->next : 0) + again;
  const int64_t gain = is_chain(coverage) ? coverage->longest * CHAIN_GAIN / 100 : coverage->longest;
  return (left + gain) / (gain > 0 ? gain : 1);
}

/* ---- passes ---- */

/* Begins to read the list in a chain from its first contact. */
static void begin_chain(privy_coverage *coverage) {
  privy_contact_set_unchain(&coverage->contacts);
  coverage->pass = is_chain(coverage) ? coverage->pass + 1 : PRIVY_COVERAGE_FIRST_CHAIN;
  coverage->next = coverage->back = coverage->missed = coverage->windows = 0;
  coverage->overlap = 1;
}

static bool has_all(const privy_coverage *coverage) {
  return coverage->total < 0 || (int64_t)coverage->contacts.count >= coverage->total;
}

/* The end of the list. If more contacts are counted than found, the list is read again: it may be in an order that
 * changes. A reading that finds nothing which was missed shows that the others are new, or that no page has them. */
static void end_chain(privy_coverage *coverage) {
  const int64_t passes = coverage->pass - PRIVY_COVERAGE_FIRST_CHAIN + 1;
  if (has_all(coverage) || (passes > 1 && coverage->missed == 0))
    coverage->complete = true;
  else if (passes < PRIVY_COVERAGE_PASSES)
    begin_chain(coverage);
  else
    coverage->unstable = true;
}

/* Adds the contacts of a page, and returns how many were not known. SIZE_MAX when memory runs out. */
static size_t add_contacts(privy_coverage *coverage, const privy_coverage_page *page) {
  size_t fresh = 0;
  coverage->taken_in = coverage->pass;
  for (size_t i = 0; i < page->count; i++) {
    const bool known = privy_contact_set_has(&coverage->contacts, page->keys[i]);
    fresh += !known;
    coverage->missed += !known && !is_recent(page->changed[i], coverage->first_at);
    const uint32_t version = coverage->pass > PRIVY_COVERAGE_COUNTS ? page->versions[i] : 0;
    if (!privy_contact_set_add(&coverage->contacts, page->keys[i], version)) return SIZE_MAX;
  }
  return fresh;
}

/* ---- by the count ---- */

static bool has_recent(const privy_coverage_page *page, int64_t reference) {
  for (size_t i = 0; i < page->count; i++)
    if (is_recent(page->changed[i], reference)) return true;
  return false;
}

/* Whether the list gets a second reference, so that contacts may have changed just before the first response. */
static bool has_second(const privy_coverage *coverage) {
  return coverage->first_at > 0 && coverage->first_total > SHORT_PAGES * coverage->longest;
}

bool privy_coverage_rests(const privy_coverage *coverage) {
  return coverage->pass == PRIVY_COVERAGE_COUNTS && coverage->next > 0 && has_second(coverage) &&
         (coverage->doubtful || coverage->next >= LEAD_PAGES * coverage->longest);
}

static void begin_second(privy_coverage *coverage, const privy_coverage_page *page) {
  coverage->pass = PRIVY_COVERAGE_COUNTS_TWICE;
  coverage->second_at = page->at;
  coverage->second_from = coverage->next;
}

/* Whether the page shows that the list has changed since the references, or may have. */
static bool shows_change(const privy_coverage *coverage, const privy_coverage_page *page) {
  const int64_t end = page->first + (int64_t)page->count;
  const bool cut = (int64_t)page->count < page->size && end < page->total;
  if (cut || page->total < 0 || page->total != coverage->first_total || page->first != coverage->next) return true;
  if (coverage->pass == PRIVY_COVERAGE_COUNTS) return !has_second(coverage) && has_recent(page, coverage->first_at);
  return has_recent(page, coverage->second_at);
}

static bool has_counted_all(const privy_coverage *coverage) {
  const size_t counted = coverage->doubtful ? coverage->contacts.chained : coverage->contacts.count;
  return (int64_t)counted == coverage->total;
}

/* Whether all pages were read since the reference. After the last page of the list come those before the second one. */
static bool has_ended(privy_coverage *coverage, const privy_coverage_page *page) {
  if (coverage->doubtful && has_counted_all(coverage)) return true;
  if (is_last_lap(coverage, page->first)) return coverage->next >= coverage->second_from;
  if (coverage->next < page->total) return false;
  if (coverage->doubtful) coverage->next = 0;
  return !coverage->doubtful;
}

static bool take_counted(privy_coverage *coverage, const privy_coverage_page *page, bool *kept) {
  if (privy_coverage_rests(coverage)) begin_second(coverage, page);
  *kept = !shows_change(coverage, page);
  if (!*kept) {
    begin_chain(coverage);
    return true;
  }
  if (has_recent(page, coverage->first_at)) coverage->doubtful = 1;
  if (add_contacts(coverage, page) == SIZE_MAX) return false;
  coverage->next = page->first + (int64_t)page->count;
  if (!has_ended(coverage, page)) return true;
  if (has_counted_all(coverage))
    coverage->complete = true;
  else
    begin_chain(coverage);
  return true;
}

/* ---- in a chain ---- */

static int64_t count_chained(const privy_coverage *coverage, const privy_coverage_page *page) {
  int64_t count = 0;
  for (size_t i = 0; i < page->count; i++)
    count += privy_contact_set_is_chained(&coverage->contacts, page->keys[i], page->versions[i]);
  return count;
}

static int64_t at_most(int64_t value, int64_t limit) {
  return value < limit ? value : limit;
}

/* The next overlap: longer than the distance by which the list has moved, so that it may move again. */
static void adapt_overlap(privy_coverage *coverage, const privy_coverage_page *page, int64_t chained) {
  const int64_t expected = at_most(coverage->next - page->first, (int64_t)page->count);
  const int64_t moved = expected - chained;
  coverage->overlap = moved > 0 ? at_most(1 + 2 * moved, LONGEST_OVERLAP) : 1 + (coverage->overlap - 1) / 2;
}

/* The page is not in the chain: the next one begins further back, at least by what the count says. */
static void step_back(privy_coverage *coverage, const privy_coverage_page *page) {
  const int64_t fallen = coverage->total - page->total;
  coverage->back = coverage->back * 2 + FIRST_STEP;
  if (page->total >= 0 && fallen > coverage->back) coverage->back = fallen;
  coverage->overlap = at_most(coverage->overlap * 2 + 1, LONGEST_OVERLAP);
  coverage->total = page->total;
}

static bool is_last(const privy_coverage *coverage, const privy_coverage_page *page, size_t fresh) {
  if ((int64_t)page->count >= page->size) return false;
  return page->total < 0 || coverage->next >= page->total || fresh == 0;
}

static bool take_chained(privy_coverage *coverage, const privy_coverage_page *page, bool *kept) {
  const int64_t chained = count_chained(coverage, page);
  *kept = page->first == 0 || chained > 0;
  if (++coverage->windows > SPARE_WINDOWS + page->total / (coverage->longest / 3 + 1)) coverage->unstable = true;
  if (!*kept) {
    step_back(coverage, page);
    return true;
  }
  adapt_overlap(coverage, page, chained);
  coverage->total = page->total;
  coverage->next = page->first + (int64_t)page->count;
  coverage->back = 0;
  const size_t fresh = add_contacts(coverage, page);
  if (fresh == SIZE_MAX) return false;
  if (is_last(coverage, page, fresh))
    end_chain(coverage);
  else if (coverage->pass > PRIVY_COVERAGE_FIRST_CHAIN && has_all(coverage))
    coverage->complete = true;
  return true;
}

bool privy_coverage_take(privy_coverage *coverage, const privy_coverage_page *page, bool *kept) {
  if (coverage->first_total < 0) coverage->first_total = page->total;
  if (coverage->first_at == 0) coverage->first_at = page->at;
  if (page->size > 0 && page->size < coverage->longest && page->first == 0) coverage->longest = page->size;
  const bool begins = coverage->pass == PRIVY_COVERAGE_COUNTS && coverage->next == 0;
  if (!is_chain(coverage) && !(begins && shows_change(coverage, page))) {
    coverage->total = page->total;
    return take_counted(coverage, page, kept);
  }
  if (!is_chain(coverage)) begin_chain(coverage);
  return take_chained(coverage, page, kept);
}
