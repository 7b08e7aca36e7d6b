/* What a sweep reads of a list that changes between two requests: thousands of random lists. */
#include <math.h>
#include <stdlib.h>

#include "harness.h"
#include "jobs/coverage.h"

#define LONGEST 6000
#define MOST_REQUESTS 5000
#define MOST_KEYS (MOST_REQUESTS * 1000 + LONGEST)
/* The server's time of the first request, in seconds. */
#define BEGIN 1778580000
#define OLD (BEGIN - 86400)

/* ---- a list ---- */

typedef struct item {
  uint64_t key;
  uint32_t version;
  bool throughout; /* it has been on the list since the first request */
  int64_t changed; /* when it came or changed, in whole seconds */
} item;

/* How a list changes between two requests. */
typedef struct drift {
  unsigned every;   /* one of this many intervals has changes; 0: none */
  unsigned batch;   /* contacts of a change at most */
  unsigned inserts; /* per cent of insertions; 255: each interval deletes and inserts equally many */
  int where;        /* 0: anywhere, 1: at the front, 2: at the end, 3: deletes at the front and inserts at the end,
                       4: close before the end of the last page, where the next one does not show it */
} drift;

typedef struct list {
  item items[LONGEST];
  size_t count;
  uint64_t next_key, random;
  drift drift;
  size_t read_to;                 /* where the last page ended */
  unsigned requests, quiet_after; /* no changes after so many requests; 0: there always are */
  unsigned busy_again;            /* …but after so many again; 0: never */
  double now, pace;               /* the server's time; seconds between two requests at most */
  double delay;                   /* seconds from the reading of the list to the Date of its response */
  bool restless;                  /* the sweep does not wait for the second reference */
  void (*moves)(struct list *);   /* NULL: contacts stay in their order */
} list;

static uint64_t draw(list *l, uint64_t below) {
  l->random ^= l->random << 13;
  l->random ^= l->random >> 7;
  l->random ^= l->random << 17;
  return l->random % below;
}

static double draw_seconds(list *l, double below) {
  return below * (double)draw(l, 1000000) / 1e6;
}

static size_t place(list *l, bool insertion) {
  const size_t places = l->count + insertion;
  switch (l->drift.where) {
  case 1: return (size_t)draw(l, places < 20 ? places : 20);
  case 2: return places - 1 - (size_t)draw(l, places < 20 ? places : 20);
  case 3: return insertion ? places - 1 : (size_t)draw(l, places < 20 ? places : 20);
  case 4: {
    const size_t end = l->read_to < places ? l->read_to : places, close = end < 300 ? end : 300;
    return close ? end - 1 - (size_t)draw(l, close) : (size_t)draw(l, places);
  }
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
  return (item){.key = ++l->next_key, .version = 1, .changed = (int64_t)l->now};
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
    const item same = {.key = gone.key, .version = gone.version + 2, .changed = (int64_t)l->now};
    insert(l, restored ? same : fresh_item(l));
  }
}

static void touch(const list *l, item *changed) {
  changed->changed = (int64_t)l->now;
  changed->version += 2;
}

static void change_some(list *l) {
  const bool again = l->busy_again && l->requests > l->busy_again;
  if (l->quiet_after && l->requests > l->quiet_after && !again) return;
  if (l->moves) l->moves(l);
  if (l->drift.every && draw(l, l->drift.every) == 0) change(l);
  /* A contact changes, and stays where it is. */
  if (l->drift.every && l->count && draw(l, 10) == 0) touch(l, &l->items[draw(l, l->count)]);
}

static void draw_delay(list *l) {
  l->delay = l->pace > 0 ? draw_seconds(l, draw(l, 2) ? 0.02 : 1) : 0;
}

/* The time from the reading of the list for one response to that for the next one, which is not before `earliest`. */
static void pass_time(list *l, double earliest) {
  const double next = fmax(earliest, l->now + l->delay + draw_seconds(l, l->pace));
  l->requests++;
  l->now += draw_seconds(l, next - l->now);
  change_some(l);
  l->now = next;
  draw_delay(l);
}

/* Contacts that changed in the seconds before the first request: 0: none, 1: all, or a few: 2: the first, 3: the last,
 * 4: any. */
static void change_before(list *l, uint64_t kind) {
  const uint64_t few = 1 + draw(l, 4);
  for (size_t i = 0; kind == 1 && i < l->count; i++) l->items[i].changed = (int64_t)(l->now - draw_seconds(l, 0.5));
  for (uint64_t i = 0; kind > 1 && i < few && l->count; i++) {
    const size_t last = l->count - 1, anywhere = (size_t)draw(l, l->count);
    const size_t at = kind == 2 ? 0 : kind == 3 ? last : anywhere;
    l->items[at].changed = (int64_t)(l->now - draw_seconds(l, 3));
  }
}

static void make_list(list *l, uint64_t seed) {
  static const drift drifts[] = {{0, 0, 0, 0},    {3, 1, 0, 0},   {1, 3, 50, 0},   {2, 1, 255, 3},
                                 {1, 250, 50, 0}, {4, 120, 0, 1}, {1, 2, 255, 0},  {20, 1, 255, 3},
                                 {1, 40, 30, 1},  {2, 60, 60, 2}, {7, 900, 20, 0}, {1, 1, 100, 1},
                                 {1, 5, 100, 2},  {50, 1, 50, 0}, {2, 1, 255, 4},  {1, 2, 255, 4}};
  static const size_t lengths[] = {0, 1, 99, 100, 101, 198, 199, 200, 500, 1000, 2000, 2100, 3000, 3000, 4500, 4500};
  static const double paces[] = {0, 0.02, 0.3, 1, 3};
  *l = (list){.random = seed * 0x9E3779B97F4A7C15ULL + 1};
  for (int i = 0; i < 8; i++) (void)draw(l, 2);
  l->drift = drifts[draw(l, sizeof drifts / sizeof *drifts)];
  const size_t longest = lengths[draw(l, sizeof lengths / sizeof *lengths)];
  const size_t count = draw(l, 2) ? longest : (size_t)draw(l, longest + 1);
  while (l->count < count) l->items[l->count++] = (item){++l->next_key, 1, true, OLD};
  l->pace = paces[draw(l, sizeof paces / sizeof *paces)];
  l->now = BEGIN + draw_seconds(l, 1);
  draw_delay(l);
  l->quiet_after = draw(l, 3) ? 1 + (unsigned)draw(l, draw(l, 2) ? 2 : 14) : 0;
  l->restless = draw(l, 4) == 0;
  change_before(l, draw(l, 5));
}

/* A long list of which some contacts changed just before the first request, and which others replace during the first
 * requests, or also when pages are read again. */
static void make_doubtful_list(list *l, uint64_t seed) {
  static const int places[] = {0, 1, 3, 4};
  static const double paces[] = {0.02, 0.3, 1};
  *l = (list){.random = seed * 0x9E3779B97F4A7C15ULL + 1, .now = BEGIN + 0.5};
  for (int i = 0; i < 8; i++) (void)draw(l, 2);
  const size_t count = 2001 + (size_t)draw(l, 500);
  while (l->count < count) l->items[l->count++] = (item){++l->next_key, 1, true, OLD};
  l->drift = (drift){1 + (unsigned)draw(l, 3), 1, 255, places[draw(l, 4)]};
  l->pace = paces[draw(l, 3)];
  l->quiet_after = 1 + (unsigned)draw(l, 12);
  l->busy_again = draw(l, 2) ? (unsigned)count / 100 + (unsigned)draw(l, 8) : 0;
  draw_delay(l);
  change_before(l, 1 + draw(l, 4));
}

/* ---- readings ---- */

typedef struct reading {
  bool *seen; /* by key */
  int64_t total;
  unsigned requests;
  bool complete;
  bool counted; /* not in a chain */
  bool again;   /* …from the second reference */
} reading;

/* The contacts of a page. */
typedef struct page_room {
  uint64_t keys[PRIVY_COVERAGE_LONGEST_PAGE];
  uint32_t versions[PRIVY_COVERAGE_LONGEST_PAGE];
  int64_t changed[PRIVY_COVERAGE_LONGEST_PAGE];
} page_room;

static void fill_page(list *l, int64_t page, int64_t per_page, privy_coverage_page *out, page_room *room) {
  const int64_t first = (page - 1) * per_page;
  *out = (privy_coverage_page){.first = first,
                               .size = per_page,
                               .total = (int64_t)l->count,
                               .at = (int64_t)(l->now + l->delay),
                               .keys = room->keys,
                               .versions = room->versions,
                               .changed = room->changed};
  for (size_t i = (size_t)first; i < l->count && out->count < (size_t)per_page; i++, out->count++) {
    room->keys[out->count] = l->items[i].key;
    room->versions[out->count] = l->items[i].version;
    room->changed[out->count] = l->items[i].changed;
  }
  l->read_to = (size_t)first + out->count;
}

static bool sweep(list *l, reading *out) {
  privy_coverage coverage;
  privy_coverage_page page;
  page_room room;
  bool taken = true, kept;
  int64_t number, size;
  double rests_until = 0;
  privy_coverage_init(&coverage);
  while (taken && !coverage.complete && !coverage.unstable && out->requests < MOST_REQUESTS) {
    privy_coverage_plan(&coverage, &number, &size);
    assert_in_range(size, 1, PRIVY_COVERAGE_LONGEST_PAGE);
    assert_true(number >= 1);
    fill_page(l, number, size, &page, &room);
    out->requests++;
    const bool was_doubtful = coverage.doubtful;
    taken = privy_coverage_take(&coverage, &page, &kept);
    for (size_t i = 0; kept && i < page.count; i++) out->seen[room.keys[i]] = true;
    if (out->requests == 1 || (coverage.doubtful && !was_doubtful))
      rests_until = l->now + l->delay + PRIVY_COVERAGE_REST;
    pass_time(l, privy_coverage_rests(&coverage) && !l->restless ? rests_until : 0);
  }
  out->complete = coverage.complete;
  out->counted = coverage.pass < PRIVY_COVERAGE_FIRST_CHAIN;
  out->again = out->counted && coverage.doubtful;
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
    pass_time(l, 0);
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

static size_t read_list(uint64_t seed, void (*make)(list *, uint64_t), bool (*read)(list *, reading *), reading *out) {
  list *l = malloc(sizeof *l);
  bool *seen = calloc(MOST_KEYS, sizeof *seen);
  *out = (reading){.seen = seen};
  assert_true(l && seen);
  make(l, seed);
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

/* Reads one list for each seed. Returns how many needed the second reference. */
static uint64_t read_lists(void (*make)(list *, uint64_t)) {
  uint64_t complete = 0, again = 0;
  for (uint64_t seed = 1; seed <= seeds(); seed++) {
    reading r;
    const size_t missed = read_list(seed, make, sweep, &r);
    if (missed && r.complete) fail_msg("seed %llu: %zu missed", (unsigned long long)seed, missed);
    if (r.requests >= MOST_REQUESTS) fail_msg("seed %llu does not end", (unsigned long long)seed);
    complete += r.complete;
    again += r.again;
  }
  /* Nearly all lists are read to the end, however they change. */
  assert_true(complete * 1000 >= seeds() * 995);
  return again;
}

static void no_contact_is_missed_that_was_there_throughout(void **state) {
  (void)state;
  assert_true(read_lists(make_list) * 50 >= seeds());
}

static void no_contact_is_missed_if_others_come_before_the_second_reference(void **state) {
  (void)state;
  assert_true(read_lists(make_doubtful_list) * 10 >= seeds());
}

static void reading_page_after_page_misses_some(void **state) {
  (void)state;
  size_t lists = 0;
  for (uint64_t seed = 1; seed <= 500; seed++) {
    reading r;
    lists += read_list(seed, make_list, read_naively, &r) > 0;
  }
  assert_true(lists > 50);
}

/* ---- without and with an order ---- */

typedef struct quiet_case {
  size_t count;
  size_t from, number; /* the contacts that changed just before the first request */
  unsigned requests;
} quiet_case;

/* Reads a list in which nothing changes any more. All requests are in one second, except that the sweep may wait. */
static reading read_quiet(const quiet_case *c, bool restless) {
  list *l = calloc(1, sizeof *l);
  reading r = {.seen = calloc(MOST_KEYS, sizeof *r.seen)};
  assert_true(l && r.seen);
  l->random = 1;
  l->now = BEGIN;
  l->restless = restless;
  while (l->count < c->count) {
    const bool changed = l->count >= c->from && l->count < c->from + c->number;
    l->items[l->count++] = (item){++l->next_key, 1, true, changed ? BEGIN : OLD};
  }
  assert_true(sweep(l, &r));
  assert_true(r.complete);
  assert_int_equal(count_missed(l, &r), 0);
  free(r.seen);
  free(l);
  return r;
}

static void a_list_that_stays_is_read_once(void **state) {
  (void)state;
  static const quiet_case cases[] = {{0, 0, 0, 1},   {1, 0, 0, 1},     {100, 0, 0, 1},
                                     {101, 0, 0, 2}, {5999, 0, 0, 60}, {6000, 0, 0, 60}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_int_equal(read_quiet(&cases[i], false).requests, cases[i].requests);
}

/* Wherever they are, at most eight pages are read again. */
static void changes_just_before_the_first_request_cost_few(void **state) {
  (void)state;
  static const quiet_case cases[] = {{6000, 0, 6000, 61}, {6000, 0, 1, 61},    {6000, 99, 1, 61},
                                     {6000, 100, 1, 62},  {6000, 799, 1, 68},  {6000, 800, 1, 68},
                                     {6000, 3000, 5, 68}, {6000, 5999, 1, 68}, {5999, 5900, 99, 68},
                                     {2001, 2000, 1, 29}, {2001, 0, 2001, 22}, /* a short list is read in a chain */
                                     {2000, 0, 2000, 23}, {100, 0, 100, 2},    {101, 100, 1, 4}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const reading r = read_quiet(&cases[i], false);
    assert_int_equal(r.requests, cases[i].requests);
    assert_int_equal(r.again, cases[i].count > 2000);
  }
}

/* Then the second reference proves nothing: it is of the same second. */
static void without_the_wait_a_list_is_read_in_a_chain(void **state) {
  (void)state;
  static const quiet_case all = {6000, 0, 6000, 0}, last = {6000, 5999, 1, 0};
  assert_false(read_quiet(&all, true).counted);
  assert_false(read_quiet(&last, true).counted);
}

/* Each contact that changes moves to the front, as in a list by updated_at. */
static void move_to_front(list *l) {
  if (draw(l, 3)) return;
  const size_t at = (size_t)draw(l, l->count);
  item moved = l->items[at];
  touch(l, &moved);
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
    l->now = BEGIN;
    while (l->count < 1500) l->items[l->count++] = (item){++l->next_key, 1, true, OLD};
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
  int64_t changed[25] = {0};
  bool kept;
  int64_t page, size;
  unsigned requests = 0;
  privy_coverage_init(&coverage);
  while (!coverage.complete && requests < 100) {
    privy_coverage_plan(&coverage, &page, &size);
    const int64_t first = (page - 1) * 25;
    privy_coverage_page view = {first, 25, 310, BEGIN, 0, keys, versions, changed};
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
  l->now = BEGIN;
  privy_coverage_init(&coverage);
  while (l->count < 3000) l->items[l->count++] = (item){++l->next_key, 1, true, OLD};
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
                                 TEST_UNSWEPT(no_contact_is_missed_if_others_come_before_the_second_reference),
                                 TEST_UNSWEPT(reading_page_after_page_misses_some),
                                 TEST_UNSWEPT(a_list_that_stays_is_read_once),
                                 TEST_UNSWEPT(changes_just_before_the_first_request_cost_few),
                                 TEST_UNSWEPT(without_the_wait_a_list_is_read_in_a_chain),
                                 TEST_UNSWEPT(contacts_that_move_to_the_front_are_found),
                                 TEST(pages_may_be_shorter_than_requested),
                                 TEST_UNSWEPT(a_list_without_an_order_is_an_error)};
  return HARNESS_RUN(tests);
}
