/* What a plan finds to differ: each rule of comparing a row with a contact. */
#include "plan_scene.h"

#define JANE "{\"email\":\"jane@x.io\""

/* A contact, a row, and what the plan says of it. */
typedef struct comparison_case {
  const char *stored, *row;
  const char *state, *changes, *codes;
} comparison_case;

static bool try_case(const comparison_case *one, privy_plan_mode tags, privy_plan_mode custom_fields) {
  plan_scene s;
  bool done = false;
  CHECK_OK(plan_open(&s));
  s.config.tags = tags;
  s.config.fields = custom_fields;
  CHECK_OK(store(&s, one->stored));
  CHECK_OK(make_plan(&s, &one->row, 1));
  assert_row(&s, 0, one->state, one->changes, one->codes);
  done = true;
done:
  plan_close(&s);
  return done;
}

#define TRY_ALL(cases, tags, custom_fields)                                                                            \
  for (size_t i = 0; i < COUNT(cases); i++) CHECK_MEMORY(try_case(&(cases)[i], tags, custom_fields))

static const comparison_case texts[] = {
    {JANE ",\"first_name\":\"Jane\"}", JANE ",\"first_name\":\"Jane\"}", "unchanged", "-", ""},
    {JANE ",\"first_name\":\"Jane\"}", JANE "}", "unchanged", "-", ""},
    {JANE ",\"first_name\":\"Jane\"}", "{\"email\":\"Jane@X.io\"}", "unchanged", "-", ""},
    {JANE ",\"first_name\":\"Jane\"}", JANE ",\"first_name\":\"jane\"}", "update",
     "{\"first_name\":[\"Jane\",\"jane\"]}", ""},
    {JANE "}", JANE ",\"first_name\":null}", "unchanged", "-", ""},
    {JANE "}", JANE ",\"first_name\":\"\"}", "update", "{\"first_name\":[null,\"\"]}", ""},
    {JANE ",\"last_name\":\"Doe\"}", JANE ",\"last_name\":null}", "update", "{\"last_name\":[\"Doe\",null]}", ""},
    {JANE "}", JANE ",\"phone_number\":\"+14155550101\"}", "update", "{\"phone_number\":[null,\"+14155550101\"]}", ""},
    {JANE ",\"phone_number\":\"+14155550101\"}", JANE ",\"phone_number\":null}", "unchanged", "-", ""},
    {JANE ",\"phone_number\":\"+14155550101\"}", JANE ",\"phone_number\":\"+14155550102\"}", "blocked",
     "{\"phone_number\":[\"+14155550101\",\"+14155550102\"]}", "phone_number immutable"},
    {JANE ",\"phone_number\":\"+14155550101\"}", "{\"phone_number\":\"+14155550101\",\"email\":\"j@x.io\"}", "blocked",
     "{\"email\":[\"jane@x.io\",\"j@x.io\"]}", "email immutable"},
};

static void texts_are_compared(void **state) {
  (void)state;
  TRY_ALL(texts, PRIVY_PLAN_REPLACE, PRIVY_PLAN_REPLACE);
done:;
}

static const comparison_case lists[] = {
    {JANE ",\"tags\":[\"a\",\"b\"]}", JANE ",\"tags\":[\"b\",\"a\"]}", "unchanged", "-", ""},
    {JANE ",\"tags\":[\"a\",\"b\"]}", JANE ",\"tags\":[\"a\"]}", "update", "{\"tags\":[[\"a\",\"b\"],[\"a\"]]}", ""},
    {JANE ",\"tags\":[\"a\"]}", JANE ",\"tags\":[\"A\"]}", "update", "{\"tags\":[[\"a\"],[\"A\"]]}", ""},
    {JANE "}", JANE ",\"tags\":[]}", "unchanged", "-", ""},
    {JANE ",\"tags\":[\"a\"]}", JANE ",\"tags\":[]}", "update", "{\"tags\":[[\"a\"],[]]}", ""},
    {JANE ",\"custom_fields\":{\"n\":5,\"s\":\"5\",\"b\":true,\"z\":null}}",
     JANE ",\"custom_fields\":{\"b\":true,\"z\":null,\"s\":\"5\",\"n\":5.0}}", "unchanged", "-", ""},
    {JANE ",\"custom_fields\":{\"n\":5}}", JANE ",\"custom_fields\":{\"n\":\"5\"}}", "update",
     "{\"custom_fields\":[{\"n\":5},{\"n\":\"5\"}]}", ""},
    {JANE ",\"custom_fields\":{\"n\":5}}", JANE ",\"custom_fields\":{}}", "update",
     "{\"custom_fields\":[{\"n\":5},{}]}", ""},
    {JANE ",\"custom_fields\":{}}", JANE ",\"custom_fields\":{\"n\":null}}", "update",
     "{\"custom_fields\":[{},{\"n\":null}]}", ""},
};

static void lists_and_objects_are_compared_as_sets(void **state) {
  (void)state;
  TRY_ALL(lists, PRIVY_PLAN_REPLACE, PRIVY_PLAN_REPLACE);
done:;
}

static const comparison_case merges[] = {
    {JANE ",\"tags\":[\"a\",\"b\"]}", JANE ",\"tags\":[\"b\"]}", "unchanged", "-", ""},
    {JANE ",\"tags\":[\"a\",\"b\"]}", JANE ",\"tags\":[\"c\",\"a\"]}", "update",
     "{\"tags\":[[\"a\",\"b\"],[\"a\",\"b\",\"c\"]]}", ""},
    {JANE ",\"tags\":[\"a\"]}", JANE ",\"tags\":[]}", "unchanged", "-", ""},
    {JANE ",\"custom_fields\":{\"a\":1,\"b\":2}}", JANE ",\"custom_fields\":{\"b\":2.0}}", "unchanged", "-", ""},
    {JANE ",\"custom_fields\":{\"a\":1,\"b\":2}}", JANE ",\"custom_fields\":{\"b\":3,\"c\":4}}", "update",
     "{\"custom_fields\":[{\"a\":1,\"b\":2},{\"a\":1,\"b\":3,\"c\":4}]}", ""},
    {JANE ",\"custom_fields\":{\"a\":1}}", JANE ",\"custom_fields\":{\"a\":null}}", "update",
     "{\"custom_fields\":[{\"a\":1},{\"a\":null}]}", ""},
};

static void lists_and_objects_are_merged(void **state) {
  (void)state;
  TRY_ALL(merges, PRIVY_PLAN_MERGE, PRIVY_PLAN_MERGE);
done:;
}

static const comparison_case separate_merges[] = {
    {JANE ",\"tags\":[\"a\"],\"custom_fields\":{\"a\":1}}", JANE ",\"tags\":[\"b\"],\"custom_fields\":{\"b\":2}}",
     "update", "{\"tags\":[[\"a\"],[\"a\",\"b\"]],\"custom_fields\":[{\"a\":1},{\"b\":2}]}", ""},
};

static void tags_and_custom_fields_have_modes_of_their_own(void **state) {
  (void)state;
  TRY_ALL(separate_merges, PRIVY_PLAN_MERGE, PRIVY_PLAN_REPLACE);
done:;
}

/* ---- consents ---- */

#define TALL "{\"email\":\"jane@x.io\",\"phone_number\":\"+14155550101\""

/* From a stored consent (row) to that of the row (column): . unchanged, u update, R resubscribes, T transition, C
 * compliance_suppressed, x refused */
static const char *const email_values[] = {"subscribed", "unsubscribed", "never_subscribed", "suppressed",
                                           "compliance_suppressed"};
static const char *const email_verdicts[] = {".uuux", "R.Rux", "uu.ux", "RRR.x", "CCCCx"};
static const char *const email_with_resubscribe[] = {".uuux", "u.uux", "uu.ux", "uuu.x", "CCCCx"};
static const char *const sms_values[] = {"subscribed", "unsubscribed", "never_subscribed", "single_opt_in", "pending"};
static const char *const sms_verdicts[] = {".xuTx", "RxRTx", "ux.ux", "uxu.x", "RxuTx"};
static const char *const sms_with_resubscribe[] = {".xuTx", "uxuTx", "ux.ux", "uxu.x", "uxuTx"};

static char verdict_of(const plan_scene *s) {
  const privy_plan_row row = row_of(s, 0);
  if (row.state == PRIVY_PLAN_REFUSED) return 'x';
  if (row.state == PRIVY_PLAN_UNCHANGED) return '.';
  if (row.state == PRIVY_PLAN_UPDATE) return 'u';
  const char *code = row.details->items[0].code;
  return strcmp(code, "resubscribes") == 0 ? 'R' : strcmp(code, "transition") == 0 ? 'T' : 'C';
}

static privy_status set_consent(plan_scene *s, const char *field, const char *value) {
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  privy_status status = privy_sandbox_find(s->sandbox, PRIVY_SANDBOX_CONTACTS, "jane@x.io", 9, &text);
  if (status == PRIVY_OK && !privy_buffer_terminate(&text)) status = PRIVY_NO_MEMORY;
  if (status == PRIVY_OK) {
    char id[64];
    assert_int_equal(sscanf(text.data, "{\"id\":\"%63[^\"]", id), 1);
    status = privy_sandbox_set_consent(s->sandbox, id, field, value);
  }
  privy_buffer_clear(&text);
  return status;
}

static bool try_consent(const char *field, const char *from, const char *to, bool resubscribe, char expected) {
  plan_scene s;
  char row[160];
  const char *rows[] = {row};
  bool done = false;
  snprintf(row, sizeof row, TALL ",\"%s\":\"%s\"}", field, to);
  CHECK_OK(plan_open(&s));
  s.config.resubscribe = resubscribe;
  CHECK_OK(store(&s, TALL "}"));
  CHECK_OK(set_consent(&s, field, from));
  CHECK_OK(make_plan(&s, rows, 1));
  if (verdict_of(&s) != expected) fail_msg("%s from %s to %s: %c", field, from, to, verdict_of(&s));
  /* What the plan lets through, the server accepts. */
  CHECK_OK(apply(&s));
  assert_int_equal(s.failed, 0);
  done = true;
done:
  plan_close(&s);
  return done;
}

static bool try_consents(const char *field, const char *const *values, const char *const *verdicts, bool resubscribe) {
  for (size_t from = 0; from < 5; from++)
    for (size_t to = 0; to < 5; to++)
      if (!try_consent(field, values[from], values[to], resubscribe, verdicts[from][to])) return false;
  return true;
}

static void no_consent_is_widened(void **state) {
  (void)state;
  CHECK_MEMORY(try_consents("email_consent", email_values, email_verdicts, false));
  CHECK_MEMORY(try_consents("sms_consent", sms_values, sms_verdicts, false));
done:;
}

/* One that is blocked and one that is not, which try the lack of memory too. */
static void a_consent_is_judged(void **state) {
  (void)state;
  CHECK_MEMORY(try_consent("email_consent", email_values[1], email_values[0], false, email_verdicts[1][0]));
  CHECK_MEMORY(try_consent("email_consent", email_values[2], email_values[0], false, email_verdicts[2][0]));
done:;
}

static void resubscribe_allows_it(void **state) {
  (void)state;
  CHECK_MEMORY(try_consents("email_consent", email_values, email_with_resubscribe, true));
  CHECK_MEMORY(try_consents("sms_consent", sms_values, sms_with_resubscribe, true));
done:;
}

static bool try_name(const char *consent, const char *more, const char *state, const char *codes) {
  plan_scene s;
  char row[160];
  const char *rows[] = {row};
  bool done = false;
  snprintf(row, sizeof row, TALL ",\"first_name\":\"J\"%s}", more);
  CHECK_OK(plan_open(&s));
  CHECK_OK(store(&s, TALL "}"));
  CHECK_OK(set_consent(&s, "email_consent", consent));
  CHECK_OK(make_plan(&s, rows, 1));
  assert_row(&s, 0, state, "{\"first_name\":[null,\"J\"]}", codes);
  done = true;
done:
  plan_close(&s);
  return done;
}

/* Any write lifts a suppression by the shop, unless it suppresses again. */
static void a_suppressed_contact_stays_suppressed(void **state) {
  (void)state;
  CHECK_MEMORY(try_name("unsubscribed", "", "update", ""));
  CHECK_MEMORY(try_name("suppressed", "", "blocked", "email_consent resubscribes"));
  CHECK_MEMORY(try_name("suppressed", ",\"email_consent\":\"suppressed\"", "update", ""));
  CHECK_MEMORY(try_name("compliance_suppressed", "", "blocked", "email_consent compliance_suppressed"));
done:;
}

static void a_suppression_that_the_row_repeats_is_sent(void **state) {
  (void)state;
  plan_scene s;
  privy_sandbox_history *history = NULL;
  static const char *const rows[] = {TALL ",\"first_name\":\"J\",\"email_consent\":\"suppressed\"}"};
  CHECK_OK(plan_open(&s));
  CHECK_OK(store(&s, TALL "}"));
  CHECK_OK(set_consent(&s, "email_consent", "suppressed"));
  CHECK_OK(make_plan(&s, ROWS(rows)));
  CHECK_OK(apply(&s));
  CHECK_OK(privy_sandbox_history_new(s.sandbox, &history));
  size_t last = 0;
  while (privy_sandbox_history_at(history, last + 1)) last++;
  const privy_sandbox_request *sent = privy_sandbox_history_at(history, last);
  if (harness_sweeping()) goto done; /* without memory a request is not kept */
  assert_string_equal(sent->method, "PATCH");
  assert_text(sent->body, sent->body_length, "{\"first_name\":\"J\",\"email_consent\":\"suppressed\"}");
done:
  privy_sandbox_history_free(history);
  plan_close(&s);
}

/* ---- extra fields ---- */

static void an_unknown_field_is_compared_if_responses_have_it(void **state) {
  (void)state;
  plan_scene s;
  privy_request *request = NULL;
  CHECK_OK(plan_open(&s));
  CHECK_OK(store(&s, JANE "}"));
  CHECK_OK(plan_begin(&s));
  CHECK_OK(privy_request_new(privy_operation_find("contacts.upsert"), &request));
  ask(request, JANE "}");
  privy_request_extra(request);
  ask(request, "{\"company\":\"ACME\"}");
  CHECK_OK(privy_request_finish(request, &s.error));
  privy_plan_add(s.plan, request);
  request = NULL;
  privy_plan_end_rows(s.plan);
  CHECK_OK(plan_drive(&s));
  assert_row(&s, 0, "update", "{\"company\":[null,\"ACME\"]}", "");
done:
  privy_request_free(request);
  plan_close(&s);
}

int main(void) {
  static harness_test tests[] = {
      TEST(texts_are_compared),
      TEST(lists_and_objects_are_compared_as_sets),
      TEST(lists_and_objects_are_merged),
      TEST(tags_and_custom_fields_have_modes_of_their_own),
      TEST_UNSWEPT(no_consent_is_widened), /* 50 scenes */
      TEST(a_consent_is_judged),
      TEST_UNSWEPT(resubscribe_allows_it),
      TEST(a_suppressed_contact_stays_suppressed),
      TEST(a_suppression_that_the_row_repeats_is_sent),
      TEST(an_unknown_field_is_compared_if_responses_have_it),
  };
  return HARNESS_RUN(tests);
}
