/* Journals whose rows are read ahead: sources in the order of the journal, and sources that leave it. */
#define _POSIX_C_SOURCE 200809L

#include "base/memory.h"
#include "jobs/journal_ahead.h"
#include "journal_scene.h"

/* Rows of a source. They are more than are read at once. */
#define MOST 600
static size_t source_size(void) {
  return harness_rounds(MOST, 4);
}

/* ---- runs ---- */

static privy_status take_order(scene *s, int order, int total) {
  char json[256];
  snprintf(json, sizeof json,
           "{\"email\":\"jane@example.com\",\"total\":%d,\"currency\":\"USD\",\"order_date\":\"2026-05-12T10:00:00Z\","
           "\"order_id\":%d}",
           total, order);
  return take(s, json);
}

/* The outcome of the row that was taken last. */
static privy_status finish(scene *s, privy_journal_state state) {
  const privy_journal_outcome outcome = {.state = state, .http_status = 200};
  privy_status status = privy_journal_send(s->journal, s->row.id, NULL, 100, &s->error);
  return status == PRIVY_OK ? privy_journal_end(s->journal, s->row.id, &outcome, &s->error) : status;
}

/* A run that creates the orders 1 to `count`, and the beginning of the next one. */
static privy_status fill(scene *s, size_t count) {
  scene_open(s, "orders.upsert");
  privy_status status = begin(s);
  for (size_t i = 1; status == PRIVY_OK && i <= count; i++) {
    status = take_order(s, (int)i, 5);
    if (status == PRIVY_OK) status = finish(s, PRIVY_JOURNAL_CREATED);
  }
  if (status == PRIVY_OK) status = privy_journal_commit(s->journal, &s->error);
  return status == PRIVY_OK ? begin_again(s) : status;
}

#define TAKE(order, total, expected)                                                                                   \
  do {                                                                                                                 \
    CHECK_OK(take_order(&s, (int)(order), total));                                                                     \
    assert_int_equal(s.row.state, PRIVY_JOURNAL_##expected);                                                           \
  } while (0)
#define SEND(order, total)                                                                                             \
  do {                                                                                                                 \
    TAKE(order, total, PENDING);                                                                                       \
    CHECK_OK(finish(&s, PRIVY_JOURNAL_UPDATED));                                                                       \
  } while (0)

static void rows_in_the_order_of_the_journal_are_skipped(void **state) {
  (void)state;
  scene s;
  CHECK_OK(fill(&s, source_size()));
  for (size_t i = 1; i <= source_size(); i++) {
    TAKE(i, 5, CREATED);
    assert_int_equal(s.row.id, i);
  }
  TAKE(source_size() + 1, 5, PENDING);
done:
  scene_close(&s);
}

static void rows_in_any_other_order_are_skipped(void **state) {
  (void)state;
  scene s;
  const size_t count = source_size(), half = count / 2;
  CHECK_OK(fill(&s, count));
  for (size_t i = half + 1; i <= count; i++) TAKE(i, 5, CREATED);
  for (size_t i = 1; i <= half; i++) TAKE(i, 5, CREATED);
  CHECK_OK(begin_again(&s));
  for (size_t i = count; i >= 1; i--) TAKE(i, 5, CREATED);
  CHECK_OK(begin_again(&s));
  for (size_t i = 1; i < count; i += 2) { /* neighbours have changed places */
    TAKE(i + 1, 5, CREATED);
    TAKE(i, 5, CREATED);
  }
done:
  scene_close(&s);
}

static void rows_that_were_removed_are_passed(void **state) {
  (void)state;
  scene s;
  const size_t count = source_size(), third = count / 3;
  CHECK_OK(fill(&s, count));
  for (size_t i = 1; i <= third; i += 2) TAKE(i, 5, CREATED);
  for (size_t i = 2 * third; i <= count; i++) TAKE(i, 5, CREATED);
done:
  scene_close(&s);
}

static void rows_that_were_changed_or_added_are_sent(void **state) {
  (void)state;
  scene s;
  const size_t count = source_size();
  CHECK_OK(fill(&s, count));
  for (size_t i = 1; i <= count; i++) {
    if (i % 10 == 3)
      SEND(i, 6);
    else
      TAKE(i, 5, CREATED);
    if (i % 15 == 0) SEND(count + i, 5);
  }
  CHECK_OK(privy_journal_commit(s.journal, &s.error));
  CHECK_OK(begin_again(&s));
  for (size_t i = 1; i <= count; i++) {
    if (i % 10 == 3)
      TAKE(i, 6, UPDATED);
    else
      TAKE(i, 5, CREATED);
    if (i % 15 == 0) TAKE(count + i, 5, UPDATED);
  }
done:
  scene_close(&s);
}

static void a_row_that_is_repeated_is_sent_once_more(void **state) {
  (void)state;
  scene s;
  const size_t count = source_size();
  CHECK_OK(fill(&s, count));
  for (size_t i = 1; i <= count; i++) {
    TAKE(i, 5, CREATED);
    if (i % 5 == 0) SEND(i, 5);
    if (i == 10) SEND(1, 5);
  }
  CHECK_OK(privy_journal_commit(s.journal, &s.error));
  CHECK_OK(begin_again(&s));
  for (size_t i = 1; i <= count; i++) {
    TAKE(i, 5, CREATED);
    if (i % 5 == 0) TAKE(i, 5, UPDATED);
    if (i == 10) TAKE(1, 5, UPDATED);
  }
done:
  scene_close(&s);
}

/* Order 1 comes three times. When its second row is sent again, its third row was read ahead as one with an outcome. */
static void a_row_that_is_superseded_is_sent(void **state) {
  (void)state;
  scene s;
  CHECK_OK(fill(&s, 3));
  TAKE(1, 5, CREATED);
  SEND(1, 6);
  SEND(4, 5);
  SEND(1, 7);
  CHECK_OK(privy_journal_commit(s.journal, &s.error));
  CHECK_OK(begin_again(&s));
  for (int i = 1; i <= 3; i++) TAKE(i, 5, CREATED);
  SEND(1, 8);
  TAKE(4, 5, UPDATED);
  SEND(1, 7);
done:
  scene_close(&s);
}

/* Also if they are among those that were read ahead. */
static void rows_without_an_outcome_are_sent(void **state) {
  (void)state;
  scene s;
  CHECK_OK(fill(&s, 4));
  SEND(2, 6);
  TAKE(3, 6, PENDING);
  CHECK_OK(finish(&s, PRIVY_JOURNAL_SENT));
  CHECK_OK(privy_journal_commit(s.journal, &s.error));
  CHECK_OK(begin_again(&s));
  TAKE(1, 5, CREATED);
  TAKE(2, 6, UPDATED);
  TAKE(3, 6, SENT);
  assert_true(s.row.first_sent == 100);
  TAKE(4, 5, CREATED);
done:
  scene_close(&s);
}

/* Keys of 200 bytes: fewer rows are read at once. */
static privy_status take_event(scene *s, size_t n) {
  static char json[2400];
  char *end =
      json + sprintf(json, "{\"event_type\":\"seen\",\"email\":\"a@example.com\",\"idempotency_key\":\"%zu-", n);
  memset(end, 'k', 200);
  strcpy(end + 200, "\"}");
  return take(s, json);
}

static void long_keys_are_compared_to_their_end(void **state) {
  (void)state;
  scene s;
  const size_t count = source_size();
  scene_open(&s, "events.ingest");
  CHECK_OK(begin(&s));
  for (size_t i = 0; i < count; i++) {
    CHECK_OK(take_event(&s, i));
    CHECK_OK(finish(&s, PRIVY_JOURNAL_DONE));
  }
  CHECK_OK(privy_journal_commit(s.journal, &s.error));
  CHECK_OK(begin_again(&s));
  for (size_t i = 0; i < count; i++) {
    CHECK_OK(take_event(&s, i)); /* all have the same content */
    assert_int_equal(s.row.state, PRIVY_JOURNAL_DONE);
    assert_int_equal(s.row.id, i + 1);
  }
  CHECK_OK(take_event(&s, count));
  assert_int_equal(s.row.state, PRIVY_JOURNAL_PENDING);
done:
  scene_close(&s);
}

/* ---- what is read ahead ---- */

/* Finds the order, as a run does. */
static privy_status find_order(scene *s, privy_journal_ahead *ahead, privy_journal_file *file, const char *json,
                               const privy_journal_ahead_row **row) {
  privy_request *request = NULL;
  privy_identity identity = {0};
  privy_status status = ask_for("orders.upsert", json, &request, &s->error);
  if (status == PRIVY_OK && !privy_identity_read(request, &identity)) status = PRIVY_NO_MEMORY;
  if (status == PRIVY_OK) status = privy_journal_ahead_find(ahead, file, &identity, 0, row, &s->error);
  privy_identity_clear(&identity);
  privy_request_free(request);
  return status;
}

static void rows_are_read_ahead_only_in_order(void **state) {
  (void)state;
  scene s;
  const privy_journal_ahead_row *row;
  privy_journal_ahead *ahead = NULL;
  privy_journal_file file = {0};
  CHECK_OK(fill(&s, 5));
  CHECK_MEMORY(ahead = privy_calloc(1, sizeof *ahead));
  ahead->follows = true;
  CHECK_OK(privy_journal_file_open_to_read(&file, privy_sqlite_load(&s.error), s.path, &s.error));
#define FIND(json) CHECK_OK(find_order(&s, ahead, &file, json, &row))
  FIND(ORDER(1, 5));
  assert_int_equal(row->id, 1);
  assert_int_equal(row->state, PRIVY_JOURNAL_CREATED);
  assert_int_equal(ahead->count, 5);
  privy_journal_ahead_pass(ahead, 1);
  FIND(ORDER(2, 6)); /* has changed */
  assert_null(row);
  FIND(ORDER(3, 5)); /* is not the next one */
  assert_null(row);
  privy_journal_ahead_pass(ahead, 3);
  FIND(ORDER(4, 5));
  assert_int_equal(row->id, 4);
  privy_journal_ahead_drop(ahead); /* a row is written */
  FIND(ORDER(4, 5));
  assert_null(row);
  privy_journal_ahead_pass(ahead, 4);
  FIND(ORDER(5, 5));
  assert_int_equal(row->id, 5);
  privy_journal_ahead_pass(ahead, 5);
  FIND(ORDER(5, 5)); /* there are no more */
  assert_null(row);
  privy_journal_ahead_pass(ahead, 2); /* the source goes back */
  FIND(ORDER(3, 5));
  assert_null(row);
done:
  if (ahead && ahead->statement) file.sqlite->finalize(ahead->statement);
  if (ahead) privy_journal_ahead_clear(ahead);
  privy_free(ahead);
  privy_database_close(&file);
  scene_close(&s);
}

/* ---- any source ---- */

typedef struct model_row {
  int order, total;
  privy_journal_state state;
  bool taken;
} model_row;

/* What a journal should hold: the rows of an order in the order in which the source has them. */
typedef struct model {
  model_row rows[4 * MOST];
  size_t count;
} model;

static model_row *model_find(model *m, int order) {
  for (size_t i = 0; i < m->count; i++)
    if (m->rows[i].order == order && !m->rows[i].taken) return &m->rows[i];
  assert_true(m->count < COUNT(m->rows));
  m->rows[m->count] = (model_row){.order = order};
  return &m->rows[m->count++];
}

static model_row *model_take(model *m, int order, int total) {
  model_row *row = model_find(m, order);
  const bool skipped = row->state == PRIVY_JOURNAL_CREATED || row->state == PRIVY_JOURNAL_REFUSED;
  row->taken = true;
  if (row->total == total && (skipped || row->state == PRIVY_JOURNAL_SENT)) return row;
  row->total = total;
  row->state = PRIVY_JOURNAL_PENDING;
  for (size_t i = 0; i < m->count; i++) {
    model_row *later = &m->rows[i];
    const bool ended = later->state == PRIVY_JOURNAL_CREATED || later->state == PRIVY_JOURNAL_REFUSED;
    if (later->order == order && !later->taken && ended) later->state = PRIVY_JOURNAL_SUPERSEDED;
  }
  return row;
}

typedef struct random_source {
  uint64_t seed;
  struct {
    int order, total;
  } rows[MOST];
  size_t count;
} random_source;

static size_t draw(random_source *source, size_t below) {
  source->seed = source->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (size_t)(source->seed >> 33) % below;
}

/* Changes the source as a shop does between two runs: rows change, go, come, move and are repeated. */
static void change(random_source *source) {
  for (size_t n = draw(source, 6); n > 0; n--) {
    const size_t at = draw(source, source->count), other = draw(source, source->count);
    switch (draw(source, 5)) {
    case 0: source->rows[at].total++; break;
    case 1: source->rows[at] = source->rows[--source->count]; break;
    case 2: source->rows[at] = source->rows[other]; break;
    case 3:
      if (source->count < MOST) source->rows[source->count++].order = (int)draw(source, 2 * MOST);
      break;
    default:
      for (size_t i = at; i < other; i++) { /* a part in reverse */
        const size_t last = at + other - 1 - i;
        if (last <= i) break;
        const int order = source->rows[i].order, total = source->rows[i].total;
        source->rows[i] = source->rows[last];
        source->rows[last].order = order;
        source->rows[last].total = total;
      }
    }
  }
}

static bool run_model(scene *s, model *m, random_source *source) {
  static const privy_journal_state outcomes[] = {PRIVY_JOURNAL_CREATED, PRIVY_JOURNAL_CREATED, PRIVY_JOURNAL_CREATED,
                                                 PRIVY_JOURNAL_REFUSED, PRIVY_JOURNAL_PENDING, PRIVY_JOURNAL_SENT};
  bool done = false;
  for (size_t i = 0; i < m->count; i++) m->rows[i].taken = false;
  for (size_t i = 0; i < source->count; i++) {
    model_row *expected = model_take(m, source->rows[i].order, source->rows[i].total);
    CHECK_OK(take_order(s, source->rows[i].order, source->rows[i].total));
    assert_int_equal(s->row.state, expected->state);
    if (expected->state != PRIVY_JOURNAL_PENDING && expected->state != PRIVY_JOURNAL_SENT) continue;
    expected->state = outcomes[draw(source, COUNT(outcomes))];
    CHECK_OK(finish(s, expected->state));
  }
  CHECK_OK(privy_journal_commit(s->journal, &s->error));
  done = true;
done:
  return done;
}

static void any_source_is_skipped_and_sent_as_its_rows_say(void **state) {
  (void)state;
  static model m;
  static random_source source;
  scene s;
  scene_open(&s, "orders.upsert");
  for (uint64_t seed = 1; seed <= 8; seed++) {
    m.count = 0;
    source = (random_source){.seed = seed, .count = 20 + (size_t)seed * 40};
    for (size_t i = 0; i < source.count; i++) source.rows[i].order = (int)i + 1;
    s.config.resume = PRIVY_RESUME_RESTART;
    for (size_t runs = 0; runs < 12; runs++) {
      CHECK_OK(begin_again(&s));
      s.config.resume = PRIVY_RESUME_AUTO;
      CHECK_MEMORY(run_model(&s, &m, &source));
      change(&source);
    }
  }
done:
  scene_close(&s);
}

int main(void) {
  static harness_test tests[] = {TEST(rows_in_the_order_of_the_journal_are_skipped),
                                 TEST(rows_in_any_other_order_are_skipped),
                                 TEST(rows_that_were_removed_are_passed),
                                 TEST(rows_that_were_changed_or_added_are_sent),
                                 TEST(a_row_that_is_repeated_is_sent_once_more),
                                 TEST(a_row_that_is_superseded_is_sent),
                                 TEST(rows_without_an_outcome_are_sent),
                                 TEST(long_keys_are_compared_to_their_end),
                                 TEST(rows_are_read_ahead_only_in_order),
                                 TEST_UNSWEPT(any_source_is_skipped_and_sent_as_its_rows_say)};
  return HARNESS_RUN(tests);
}
