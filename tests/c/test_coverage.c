/* What a sweep reads of a list that changes between two requests: thousands of random lists. */
#include <stdlib.h>

#include "harness.h"
#include "jobs/coverage.h"

#define LONGEST 6000
#define MOST_REQUESTS 5000
#define MOST_KEYS (MOST_REQUESTS * 1000 + LONGEST)

/* ---- a list ---- */

typedef struct item {
  uint64_t key;
  uint32_t version;
  bool throughout; /* it has been on the list since the first request */
  bool recent;     /* it came or changed since then */
} item;

/* How a list changes between two requests. */
typedef struct drift {
  unsigned every;   /* one of this many intervals has changes; 0: none */
  unsigned batch;   /* contacts of a change at most */
  unsigned inserts; /* per cent of insertions; 255: each interval deletes and inserts equally many */
  int where;        /* 0: anywhere, 1: at the front, 2: at the end, 3: deletes at the front and inserts at the end */
} drift;

typedef struct list {
  item items[LONGEST];
  size_t count;
  uint64_t next_key, random;
  drift drift;
  void (*moves)(struct list *); /* NULL: contacts stay in their order */
} list;

static uint64_t draw(list *l, uint64_t below) {
  l->random ^= l->random << 13;
  l->random ^= l->random >> 7;
  l->random ^= l->random << 17;
  return l->random % below;
}

static size_t place(list *l, bool insertion) {
  const size_t places = l->count + insertion;
  switch (l->drift.where) {
  case 1: return (size_t)draw(l, places < 20 ? places : 20);
  case 2: return places - 1 - (size_t)draw(l, places < 20 ? places : 20);
  case 3: return insertion ? places - 1 : (size_t)draw(l, places < 20 ? places : 20);
  default: return (size_t)draw(l, places);
  }
}

static void insert(list *l, item added) {
  if (l->count == LONGEST) return;
  const size_t at = place(l, true);
  memmove(&l->items[at + 1], &l->items[at], (l->count - at) * sizeof *l->items);
  l->items[at] = added;
  l->count++;
}

static item delete (list *l) {
  const size_t at = place(l, false);
  const item removed = l->items[at];
  memmove(&l->items[at], &l->items[at + 1], (l->count - at - 1) * sizeof *l->items);
  l->count--;
  return removed;
}

static item fresh_item(list *l) {
  return (item){.key = ++l->next_key, .version = 1, .recent = true};
}

static void change(list *l) {
  const unsigned number = 1 + (unsigned)draw(l, l->drift.batch);
  const bool inserts = draw(l, 100) < l->drift.inserts;
  for (unsigned i = 0; i < number; i++) {
    item gone = {0};
    const bool deletes = l->count && (l->drift.inserts == 255 || !inserts);
    if (deletes) gone = delete (l);
    if (l->drift.inserts != 255 && !inserts) continue;
    /* One of four is a contact that was deleted and is restored. */
    const bool restored = deletes && draw(l, 4) == 0;
    insert(l, restored ? (item){.key = gone.key, .version = gone.version + 2, .recent = true} : fresh_item(l));
  }
}

static void pass_time(list *l) {
  if (l->moves) l->moves(l);
  if (l->drift.every && draw(l, l->drift.every) == 0) change(l);
  /* A contact changes, and stays where it is. */
  if (!l->drift.every || !l->count || draw(l, 10)) return;
  item *changed = &l->items[draw(l, l->count)];
  changed->recent = true;
  changed->version += 2;
}

static void make_list(list *l, uint64_t seed) {
  static const drift drifts[] = {{0, 0, 0, 0},    {3, 1, 0, 0},   {1, 3, 50, 0},   {2, 1, 255, 3}, {1, 250, 50, 0},
                                 {4, 120, 0, 1},  {1, 2, 255, 0}, {20, 1, 255, 3}, {1, 40, 30, 1}, {2, 60, 60, 2},
                                 {7, 900, 20, 0}, {1, 1, 100, 1}, {1, 5, 100, 2},  {50, 1, 50, 0}};
  static const size_t lengths[] = {0, 1, 99, 100, 101, 198, 199, 200, 500, 1000, 2000, 3000};
  *l = (list){.random = seed * 0x9E3779B97F4A7C15ULL + 1};
  for (int i = 0; i < 8; i++) (void)draw(l, 2);
  l->drift = drifts[draw(l, sizeof drifts / sizeof *drifts)];
  const size_t longest = lengths[draw(l, sizeof lengths / sizeof *lengths)];
  const size_t count = draw(l, 2) ? longest : (size_t)draw(l, longest + 1);
  while (l->count < count) l->items[l->count++] = (item){.key = ++l->next_key, .version = 1, .throughout = true};
}

/* ---- readings ---- */

typedef struct reading {
  bool *seen; /* by key */
  int64_t total;
  unsigned requests;
  bool complete;
} reading;

/* The contacts of a page. */
typedef struct page_room {
  uint64_t keys[PRIVY_COVERAGE_LONGEST_PAGE];
  uint32_t versions[PRIVY_COVERAGE_LONGEST_PAGE];
  bool recent[PRIVY_COVERAGE_LONGEST_PAGE];
} page_room;

static void fill_page(list *l, int64_t page, int64_t per_page, privy_coverage_page *out, page_room *room) {
  const int64_t first = (page - 1) * per_page;
  *out = (privy_coverage_page){.first = first,
                               .size = per_page,
                               .total = (int64_t)l->count,
                               .keys = room->keys,
                               .versions = room->versions,
                               .recent = room->recent};
  for (size_t i = (size_t)first; i < l->count && out->count < (size_t)per_page; i++, out->count++) {
    room->keys[out->count] = l->items[i].key;
    room->versions[out->count] = l->items[i].version;
    room->recent[out->count] = l->items[i].recent;
  }
}

static bool sweep(list *l, reading *out) {
  privy_coverage coverage;
  privy_coverage_page page;
  page_room room;
  bool taken = true, kept;
  int64_t number, size;
  privy_coverage_init(&coverage);
  while (taken && !coverage.complete && !coverage.unstable && out->requests < MOST_REQUESTS) {
    privy_coverage_plan(&coverage, &number, &size);
    assert_in_range(size, 1, PRIVY_COVERAGE_LONGEST_PAGE);
    assert_true(number >= 1);
    fill_page(l, number, size, &page, &room);
    out->requests++;
    taken = privy_coverage_take(&coverage, &page, &kept);
    for (size_t i = 0; kept && i < page.count; i++) out->seen[room.keys[i]] = true;
    pass_time(l);
  }
  out->complete = coverage.complete;
  privy_coverage_clear(&coverage);
  return taken;
}

/* Reads page after page, as long as there are more. */
static bool read_naively(list *l, reading *out) {
  privy_coverage_page page;
  page_room room;
  for (int64_t number = 1; out->requests < MOST_REQUESTS; number++) {
    fill_page(l, number, PRIVY_COVERAGE_LONGEST_PAGE, &page, &room);
    out->requests++;
    for (size_t i = 0; i < page.count; i++) out->seen[room.keys[i]] = true;
    pass_time(l);
    if (number * PRIVY_COVERAGE_LONGEST_PAGE >= page.total) break;
  }
  out->complete = true;
  return true;
}

/* Contacts that were there throughout and were not read. */
static size_t count_missed(const list *l, const reading *r) {
  size_t missed = 0;
  for (size_t i = 0; i < l->count; i++) missed += l->items[i].throughout && !r->seen[l->items[i].key];
  return missed;
}

static size_t read_list(uint64_t seed, bool (*read)(list *, reading *), reading *out) {
  list *l = malloc(sizeof *l);
  bool *seen = calloc(MOST_KEYS, sizeof *seen);
  *out = (reading){.seen = seen};
  assert_true(l && seen);
  make_list(l, seed);
  out->total = (int64_t)l->count;
  assert_true(read(l, out));
  const size_t missed = count_missed(l, out);
  free(seen);
  free(l);
  return missed;
}

/* ---- tests ---- */

static uint64_t seeds(void) {
  return getenv("PRIVY_DEEP") ? 10000 : 1500;
}

static void no_contact_is_missed_that_was_there_throughout(void **state) {
  (void)state;
  uint64_t complete = 0;
  for (uint64_t seed = 1; seed <= seeds(); seed++) {
    reading r;
    const size_t missed = read_list(seed, sweep, &r);
    if (missed && r.complete) fail_msg("seed %llu: %zu missed", (unsigned long long)seed, missed);
    if (r.requests >= MOST_REQUESTS) fail_msg("seed %llu does not end", (unsigned long long)seed);
    complete += r.complete;
  }
  /* Nearly all lists are read to the end, however they change. */
  assert_true(complete * 1000 >= seeds() * 995);
}

static void reading_page_after_page_misses_some(void **state) {
  (void)state;
  size_t lists = 0;
  for (uint64_t seed = 1; seed <= 500; seed++) {
    reading r;
    lists += read_list(seed, read_naively, &r) > 0;
  }
  assert_true(lists > 50);
}

/* ---- without and with an order ---- */

static void a_list_that_stays_is_read_once(void **state) {
  (void)state;
  static const struct {
    size_t count;
    unsigned requests;
  } cases[] = {{0, 1}, {1, 1}, {100, 1}, {101, 2}, {5999, 60}, {6000, 60}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    list *l = calloc(1, sizeof *l);
    reading r = {.seen = calloc(MOST_KEYS, sizeof *r.seen)};
    assert_true(l && r.seen);
    while (l->count < cases[i].count) l->items[l->count++] = (item){++l->next_key, 1, true, false};
    assert_true(sweep(l, &r));
    assert_true(r.complete);
    assert_int_equal(count_missed(l, &r), 0);
    assert_int_equal(r.requests, cases[i].requests);
    free(r.seen);
    free(l);
  }
}

/* Each contact that changes moves to the front, as in a list by updated_at. */
static void move_to_front(list *l) {
  if (draw(l, 3)) return;
  const size_t at = (size_t)draw(l, l->count);
  item moved = l->items[at];
  moved.recent = true;
  moved.version += 2;
  memmove(&l->items[1], l->items, at * sizeof *l->items);
  l->items[0] = moved;
}

static void contacts_that_move_to_the_front_are_found(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 100; seed++) {
    list *l = calloc(1, sizeof *l);
    reading r = {.seen = calloc(MOST_KEYS, sizeof *r.seen)};
    assert_true(l && r.seen);
    l->random = seed * 0x9E3779B97F4A7C15ULL + 1;
    l->moves = move_to_front;
    while (l->count < 1500) l->items[l->count++] = (item){++l->next_key, 1, true, false};
    assert_true(sweep(l, &r));
    assert_true(r.complete);
    assert_int_equal(count_missed(l, &r), 0);
    free(r.seen);
    free(l);
  }
}

/* A server that sends fewer contacts than the page was to have. */
static void pages_may_be_shorter_than_requested(void **state) {
  (void)state;
  privy_coverage coverage;
  uint64_t keys[25];
  uint32_t versions[25];
  bool recent[25] = {false}, kept;
  int64_t page, size;
  unsigned requests = 0;
  privy_coverage_init(&coverage);
  while (!coverage.complete && requests < 100) {
    privy_coverage_plan(&coverage, &page, &size);
    const int64_t first = (page - 1) * 25;
    privy_coverage_page view = {first, 25, 310, 0, keys, versions, recent};
    for (; first + (int64_t)view.count < 310 && view.count < 25; view.count++) {
      keys[view.count] = (uint64_t)first + view.count + 1;
      versions[view.count] = 1;
    }
    requests++;
    CHECK_MEMORY(privy_coverage_take(&coverage, &view, &kept));
    assert_true(kept);
  }
  assert_true(coverage.complete);
  assert_int_equal(coverage.contacts.count, 310);
  assert_int_equal(requests, 13);
done:
  privy_coverage_clear(&coverage);
}

/* A list that is in another order each time: it ends, and does not claim to be complete. */
static void a_list_without_an_order_is_an_error(void **state) {
  (void)state;
  privy_coverage coverage;
  privy_coverage_page view;
  page_room room;
  bool kept;
  int64_t page, size;
  unsigned requests = 0;
  list *l = calloc(1, sizeof *l);
  assert_non_null(l);
  l->random = 7;
  privy_coverage_init(&coverage);
  while (l->count < 3000) l->items[l->count++] = (item){++l->next_key, 1, true, false};
  while (!coverage.complete && !coverage.unstable && requests < MOST_REQUESTS) {
    for (size_t i = l->count - 1; i > 0; i--) {
      const size_t other = (size_t)draw(l, i + 1);
      const item kept_item = l->items[i];
      l->items[i] = l->items[other];
      l->items[other] = kept_item;
    }
    privy_coverage_plan(&coverage, &page, &size);
    fill_page(l, page, size, &view, &room);
    requests++;
    CHECK_MEMORY(privy_coverage_take(&coverage, &view, &kept));
  }
  assert_false(coverage.complete);
  assert_true(coverage.unstable);
done:
  privy_coverage_clear(&coverage);
  free(l);
}

int main(void) {
  static harness_test tests[] = {TEST_UNSWEPT(no_contact_is_missed_that_was_there_throughout),
                                 TEST_UNSWEPT(reading_page_after_page_misses_some),
                                 TEST_UNSWEPT(a_list_that_stays_is_read_once),
                                 TEST_UNSWEPT(contacts_that_move_to_the_front_are_found),
                                 TEST(pages_may_be_shorter_than_requested),
                                 TEST_UNSWEPT(a_list_without_an_order_is_an_error)};
  return HARNESS_RUN(tests);
}
