/* A plan that is applied leaves what an upsert of each row leaves, with at most one request for each contact. */
#include "base/random.h"
#include "plan_scene.h"

#define PEOPLE 6
#define MOST_ROWS 14

typedef struct random_rows {
  uint64_t state;
  char texts[MOST_ROWS][400];
  const char *rows[MOST_ROWS];
  size_t count;
} random_rows;

static unsigned draw(random_rows *rows, unsigned below) {
  return (unsigned)(privy_random(&rows->state) % below);
}

static void append(char *text, const char *more) {
  const size_t length = strlen(text);
  snprintf(text + length, 400 - length, "%s", more);
}

static void append_value(random_rows *rows, char *text, const char *name, const char *const *values, unsigned count) {
  if (draw(rows, 3)) return;
  append(text, ",\"");
  append(text, name);
  append(text, "\":");
  append(text, values[draw(rows, count)]);
}

/* A person has an address, a number, or both; sometimes the number is that of another person. */
static void draw_row(random_rows *rows, char *text, bool creates) {
  static const char *const names[] = {"\"A\"", "\"B\"", "\"\"", "null"};
  static const char *const tags[] = {"[]", "[\"a\"]", "[\"a\",\"b\"]", "[\"b\",\"c\"]"};
  static const char *const fields[] = {"{}", "{\"n\":1}", "{\"n\":2}", "{\"n\":1,\"s\":\"x\"}", "{\"n\":null}"};
  static const char *const email[] = {"\"subscribed\"", "\"unsubscribed\"", "\"never_subscribed\"", "\"suppressed\""};
  static const char *const sms[] = {"\"subscribed\"", "\"never_subscribed\"", "\"single_opt_in\""};
  const unsigned person = draw(rows, PEOPLE), kind = draw(rows, 3);
  const bool phone = kind != 0;
  const unsigned other = draw(rows, 6) ? person : draw(rows, PEOPLE);
  if (kind == 1)
    snprintf(text, 400, "{\"phone_number\":\"+1415555010%u\"", person);
  else if (kind == 0)
    snprintf(text, 400, "{\"email\":\"p%u@x.io\"", person);
  else
    snprintf(text, 400, "{\"email\":\"p%u@x.io\",\"phone_number\":\"+1415555010%u\"", person, other);
  append_value(rows, text, "first_name", names, 4);
  append_value(rows, text, "last_name", names, 4);
  append_value(rows, text, "tags", tags, 4);
  append_value(rows, text, "custom_fields", fields, 5);
  append_value(rows, text, "email_consent", email, creates ? 3 : 4);
  if (phone) append_value(rows, text, "sms_consent", sms, 3);
  append(text, "}");
}

static void draw_rows(random_rows *rows, size_t most, bool creates) {
  rows->count = 1 + draw(rows, (unsigned)most);
  for (size_t i = 0; i < rows->count; i++) {
    draw_row(rows, rows->texts[i], creates);
    rows->rows[i] = rows->texts[i];
  }
}

/* Stores some contacts; those that exist already are left. */
static privy_status fill(plan_scene *s, random_rows *rows) {
  for (size_t i = 0; i < rows->count; i++) {
    const privy_status status = store(s, rows->rows[i]);
    privy_error_clear(&s->error);
    if (status == PRIVY_NO_MEMORY) return status;
  }
  return PRIVY_OK;
}

/* Sends each row that the plan does not block as an upsert. */
static privy_status send_all(plan_scene *s, const random_rows *rows, const privy_plan_state *states) {
  for (size_t i = 0; i < rows->count; i++) {
    if (states[i] == PRIVY_PLAN_BLOCKED || states[i] == PRIVY_PLAN_REFUSED) continue;
    const privy_status status = make(s, "contacts.upsert", rows->rows[i]);
    if (status != PRIVY_OK) return status;
  }
  return PRIVY_OK;
}

static privy_status dump(plan_scene *s, privy_buffer *out) {
  const privy_status status = privy_sandbox_list(s->sandbox, PRIVY_SANDBOX_CONTACTS, out);
  return status == PRIVY_OK && !privy_buffer_terminate(out) ? PRIVY_NO_MEMORY : status;
}

static void read_states(const plan_scene *s, const random_rows *rows, privy_plan_state *states) {
  for (size_t i = 0; i < rows->count; i++) states[i] = row_of(s, i).state;
}

static bool try_seed(uint64_t seed) {
  plan_scene s;
  random_rows rows = {.state = seed};
  privy_sandbox_snapshot *before = NULL;
  privy_buffer planned = PRIVY_BUFFER_EMPTY, sent = PRIVY_BUFFER_EMPTY;
  privy_plan_state states[MOST_ROWS];
  privy_plan_counts counts;
  bool done = false;
  CHECK_OK(plan_open(&s));
  draw_rows(&rows, PEOPLE, true);
  CHECK_OK(fill(&s, &rows));
  CHECK_OK(privy_sandbox_snapshot_new(s.sandbox, &before));
  draw_rows(&rows, seed % 3 ? MOST_ROWS : 2, false);
  s.config.resubscribe = seed % 2;
  s.run.concurrency = 1;
  CHECK_OK(make_plan(&s, rows.rows, rows.count));
  read_states(&s, &rows, states);
  privy_plan_count(s.plan, &counts);
  CHECK_OK(apply(&s));
  assert_int_equal(s.failed, 0);
  assert_int_equal(requests_of(&s) - s.before_run, counts.requests);
  CHECK_OK(dump(&s, &planned));
  CHECK_OK(privy_sandbox_restore(s.sandbox, before));
  CHECK_OK(send_all(&s, &rows, states));
  CHECK_OK(dump(&s, &sent));
  assert_string_equal(planned.data, sent.data);
  done = true;
done:
  if (!done && !harness_sweeping()) {
    fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
    for (size_t i = 0; i < rows.count; i++) fprintf(stderr, "%s\n", rows.rows[i]);
  }
  privy_buffer_clear(&planned);
  privy_buffer_clear(&sent);
  privy_sandbox_snapshot_free(before);
  plan_close(&s);
  return done;
}

static void a_plan_leaves_what_upserts_leave(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= harness_rounds(3000, 3); seed++) CHECK_MEMORY(try_seed(seed));
done:;
}

/* A second plan of the same rows finds nothing to do, unless rows of one contact contradict each other. */
static bool try_twice(uint64_t seed) {
  plan_scene s;
  random_rows rows = {.state = seed};
  privy_plan_counts counts;
  bool done = false;
  CHECK_OK(plan_open(&s));
  draw_rows(&rows, PEOPLE, true);
  CHECK_OK(fill(&s, &rows));
  draw_rows(&rows, 1, false);
  s.config.tags = s.config.fields = seed % 2 ? PRIVY_PLAN_MERGE : PRIVY_PLAN_REPLACE;
  CHECK_OK(make_plan(&s, rows.rows, rows.count));
  CHECK_OK(apply(&s));
  plan_drop(&s);
  CHECK_OK(make_plan(&s, rows.rows, rows.count));
  privy_plan_count(s.plan, &counts);
  assert_int_equal(counts.requests, 0);
  done = true;
done:
  plan_close(&s);
  return done;
}

static void a_second_plan_sends_nothing(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= harness_rounds(1000, 2); seed++) CHECK_MEMORY(try_twice(seed));
done:;
}

int main(void) {
  static harness_test tests[] = {
      TEST(a_plan_leaves_what_upserts_leave),
      TEST(a_second_plan_sends_nothing),
  };
  return HARNESS_RUN(tests);
}
