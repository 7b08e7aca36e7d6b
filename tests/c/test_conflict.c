/* Whether the contact of a 409 is our own: compares the fields that were sent with those that are stored. */
#include "harness.h"

#include "policy/conflict.h"
#include "response_text.h"

#define NOON 1778580000.0 /* 2026-05-12T10:00:00Z */

/* Whether the contact counts as created by a request that was sent at NOON. False, with `*complete` false, when memory
 * runs out. */
static bool is_ours(const char *sent, const char *stored, bool *complete) {
  privy_response *response = NULL;
  privy_error error;
  char body[1024];
  bool ours = false;
  privy_error_init(&error);
  snprintf(body, sizeof body, "{\"data\":%s}", stored);
  privy_status status = parse_response("contacts.get", 200, "", body, &response, &error);
  *complete = status == PRIVY_OK &&
              privy_conflict_created_by_us(sent, strlen(sent), privy_response_record(response, 0), NOON, &ours);
  if (status != PRIVY_OK) assert_int_equal(status, PRIVY_NO_MEMORY);
  privy_response_release(response);
  privy_error_clear(&error);
  return ours && *complete;
}

#define SINCE "\"created_at\":\"2026-05-12T10:00:01Z\""

/* What was sent, what is stored, and whether the contact has what was sent. */
static const struct {
  const char *sent, *stored;
  bool ours;
} fields[] = {
    {"{\"email\":\"a@b.c\"}", "{\"email\":\"a@b.c\"," SINCE "}", true},
    {"{\"email\":\"A@b.C\"}", "{\"email\":\"a@b.c\"," SINCE "}", true},
    {"{\"email\":\"a@b.c\"}", "{\"email\":\"x@b.c\"," SINCE "}", false},
    {"{\"email\":\"a@b.c\"}", "{\"email\":null," SINCE "}", false},
    {"{\"email\":\"a@b.c\"}", "{" SINCE "}", false},
    {"{\"phone_number\":\"+14155550171\"}", "{\"phone_number\":\"+14155550171\"," SINCE "}", true},
    {"{\"phone_number\":\"+14155550171\"}", "{\"phone_number\":\"+14155550172\"," SINCE "}", false},
    {"{\"first_name\":\"A\"}", "{\"first_name\":\"A\",\"last_name\":\"B\"," SINCE "}", true},
    {"{\"first_name\":\"A\"}", "{\"first_name\":\"a\"," SINCE "}", false},
    {"{\"first_name\":\"A\"}", "{\"first_name\":\"AB\"," SINCE "}", false},
    {"{\"first_name\":\"\\u00e9\"}", "{\"first_name\":\"\xC3\xA9\"," SINCE "}", true},
    {"{\"first_name\":\"\xC3\xA9\"}", "{\"first_name\":\"\\u00e9\"," SINCE "}", true},
    {"{\"first_name\":\"\\\"\"}", "{\"first_name\":\"\\u0022\"," SINCE "}", true},
    {"{\"first_name\":\"\\\"\"}", "{\"first_name\":\"\\u0023\"," SINCE "}", false},
    {"{\"first_name\":null}", "{\"first_name\":null," SINCE "}", true},
    {"{\"first_name\":null}", "{\"first_name\":\"\"," SINCE "}", true},
    {"{\"first_name\":null}", "{" SINCE "}", true},
    {"{\"first_name\":\"\"}", "{\"first_name\":null," SINCE "}", true},
    {"{\"first_name\":null}", "{\"first_name\":\"A\"," SINCE "}", false},
    {"{\"first_name\":\"A\"}", "{\"first_name\":7," SINCE "}", false},
    {"{\"email_consent\":\"subscribed\"}", "{\"email_consent\":\"subscribed\"," SINCE "}", true},
    {"{\"email_consent\":\"subscribed\"}", "{\"email_consent\":\"unsubscribed\"," SINCE "}", false},
    {"{\"email_consent\":\"never_subscribed\"}", "{\"email_permission\":\"non_subscribed\"," SINCE "}", true},
    {"{\"email_consent\":\"subscribed\"}", "{\"email_consent\":\"something_new\"," SINCE "}", false},
    {"{\"sms_consent\":\"subscribed\"}", "{\"sms_consent\":\"pending\"," SINCE "}", false},
    {"{\"tags\":[\"a\",\"b\"]}", "{\"tags\":[\"b\",\"a\"]," SINCE "}", true},
    {"{\"tags\":[\"a\",\"a\"]}", "{\"tags\":[\"a\"]," SINCE "}", true},
    {"{\"tags\":[\"a\"]}", "{\"tags\":[\"a\",\"b\"]," SINCE "}", false},
    {"{\"tags\":[\"a\",\"b\"]}", "{\"tags\":[\"a\"]," SINCE "}", false},
    {"{\"tags\":[]}", "{\"tags\":[]," SINCE "}", true},
    {"{\"tags\":[]}", "{" SINCE "}", true},
    {"{\"tags\":[]}", "{\"tags\":[\"a\"]," SINCE "}", false},
    {"{\"tags\":[\"\"]}", "{\"tags\":[]," SINCE "}", false},
    {"{\"custom_fields\":{\"n\":1,\"s\":\"x\"}}", "{\"custom_fields\":{\"s\":\"x\",\"n\":1}," SINCE "}", true},
    {"{\"custom_fields\":{\"n\":1}}", "{\"custom_fields\":{\"n\":2}," SINCE "}", false},
    {"{\"custom_fields\":{\"n\":1}}", "{\"custom_fields\":{\"n\":1,\"m\":1}," SINCE "}", false},
    {"{\"custom_fields\":{\"n\":1,\"m\":1}}", "{\"custom_fields\":{\"n\":1}," SINCE "}", false},
    {"{\"custom_fields\":{\"n\":null}}", "{\"custom_fields\":{\"n\":null}," SINCE "}", true},
    {"{\"custom_fields\":{\"n\":true}}", "{\"custom_fields\":{\"n\":true}," SINCE "}", true},
    {"{\"custom_fields\":{\"n\":true}}", "{\"custom_fields\":{\"n\":false}," SINCE "}", false},
    {"{\"custom_fields\":{\"n\":\"1\"}}", "{\"custom_fields\":{\"n\":1}," SINCE "}", false},
    {"{\"custom_fields\":{}}", "{\"custom_fields\":{}," SINCE "}", true},
    {"{\"custom_fields\":{}}", "{" SINCE "}", true},
    {"{\"custom_fields\":{\"n\":1}}", "{\"custom_fields\":[1]," SINCE "}", false},
    /* Responses do not contain it. */
    {"{\"email\":\"a@b.c\",\"send_welcome_sms\":false}", "{\"email\":\"a@b.c\"," SINCE "}", true},
    /* Fields that the tables do not have are compared if the response has them. */
    {"{\"email\":\"a@b.c\",\"future\":\"X\"}", "{\"email\":\"a@b.c\",\"future\":\"X\"," SINCE "}", true},
    {"{\"email\":\"a@b.c\",\"future\":\"X\"}", "{\"email\":\"a@b.c\",\"future\":\"Y\"," SINCE "}", false},
    {"{\"email\":\"a@b.c\",\"future\":\"X\"}", "{\"email\":\"a@b.c\"," SINCE "}", true},
    {"{\"email\":\"a@b.c\",\"parts\":[1]}", "{\"email\":\"a@b.c\",\"parts\":[1]," SINCE "}", true},
    {"{\"email\":\"a@b.c\",\"parts\":[1]}", "{\"email\":\"a@b.c\",\"parts\":[2]," SINCE "}", false},
    {"{\"email\":\"a@b.c\",\"parts\":{}}", "{\"email\":\"a@b.c\",\"parts\":[]," SINCE "}", false},
    {"{\"email\":\"a@b.c\",\"k\\u0031\":1}", "{\"email\":\"a@b.c\",\"k1\":2," SINCE "}", false},
};

static void a_contact_has_what_was_sent(void **state) {
  (void)state;
  bool complete;
  for (size_t i = 0; i < COUNT(fields); i++) {
    bool ours = is_ours(fields[i].sent, fields[i].stored, &complete);
    CHECK_MEMORY(complete);
    if (ours != fields[i].ours) fail_msg("%s and %s", fields[i].sent, fields[i].stored);
  }
done:
  return;
}

static void numbers_are_compared_by_value(void **state) {
  (void)state;
  static const struct {
    const char *one, *other;
    bool same;
  } cases[] = {
      {"1", "1.0", true},
      {"1", "1.00e0", true},
      {"10", "1e1", true},
      {"0.1", "1e-1", true},
      {"100", "1E+2", true},
      {"0", "-0", true},
      {"0", "0.000", true},
      {"0e5", "0", true},
      {"-1.50", "-1.5", true},
      {"1", "-1", false},
      {"1", "10", false},
      {"1.01", "1.1", false},
      {"12", "1.2e0", false},
      {"1e400", "1e401", false},
      {"1e400", "10e399", true},
      {"1e99999999999", "1", false},
      {"1", "1e-99999999999999999999", false},
      {"12345678901234567890123456789012345678901", "12345678901234567890123456789012345678901", true},
      {"12345678901234567890123456789012345678901", "12345678901234567890123456789012345678901.0", false},
  };
  char sent[256], stored[256];
  bool complete;
  for (size_t i = 0; i < COUNT(cases); i++) {
    snprintf(sent, sizeof sent, "{\"custom_fields\":{\"n\":%s}}", cases[i].one);
    snprintf(stored, sizeof stored, "{\"custom_fields\":{\"n\":%s}," SINCE "}", cases[i].other);
    bool ours = is_ours(sent, stored, &complete);
    CHECK_MEMORY(complete);
    if (ours != cases[i].same) fail_msg("%s and %s", cases[i].one, cases[i].other);
  }
done:
  return;
}

static void a_contact_is_not_older_than_the_first_attempt(void **state) {
  (void)state;
  static const struct {
    const char *times;
    bool ours;
  } cases[] = {
      {"\"created_at\":\"2026-05-12T10:00:00Z\"", true},
      {"\"created_at\":\"2026-05-12T09:59:58Z\"", true}, /* within the tolerance */
      {"\"created_at\":\"2026-05-12T09:59:57Z\"", false},
      {"\"created_at\":\"2026-05-12T11:59:57+02:00\"", false},
      {"\"created_at\":\"2020-01-01T00:00:00Z\",\"updated_at\":\"2026-05-12T10:00:00Z\"", true}, /* restored */
      {"\"created_at\":\"2020-01-01T00:00:00Z\",\"updated_at\":\"2026-05-12T09:59:57Z\"", false},
      {"\"created_at\":null,\"updated_at\":\"soon\"", false},
      {"\"created_at\":1778580000", false},
      {"\"id\":\"cus_0123456789abcdef\"", false},
  };
  char stored[256];
  bool complete;
  for (size_t i = 0; i < COUNT(cases); i++) {
    snprintf(stored, sizeof stored, "{\"email\":\"a@b.c\",%s}", cases[i].times);
    bool ours = is_ours("{\"email\":\"a@b.c\"}", stored, &complete);
    CHECK_MEMORY(complete);
    if (ours != cases[i].ours) fail_msg("%s", cases[i].times);
  }
done:
  return;
}

int main(void) {
  static harness_test tests[] = {
      TEST(a_contact_has_what_was_sent),
      TEST(numbers_are_compared_by_value),
      TEST(a_contact_is_not_older_than_the_first_attempt),
  };
  return HARNESS_RUN(tests);
}
