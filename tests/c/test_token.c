/* OAuth tokens: the form, the response, and the checks. */
#include "harness.h"

#include <string.h>

#include "policy/token.h"
#include "response_text.h"

static void token_forms_are_encoded(void **state) {
  (void)state;
  privy_buffer form = PRIVY_BUFFER_EMPTY;
  CHECK_MEMORY(privy_token_form(&form, "id", "secret", NULL));
  assert_text(form.data, form.length, "grant_type=client_credentials&client_id=id&client_secret=secret");
  form.length = 0;
  CHECK_MEMORY(privy_token_form(&form, "a&b=c", "p+q r/\xC3\xA9%", "contacts_read orders_write"));
  assert_text(form.data, form.length,
              "grant_type=client_credentials&client_id=a%26b%3Dc&client_secret=p%2Bq%20r%2F%C3%A9%25"
              "&scope=contacts_read%20orders_write");
  form.length = 0;
  CHECK_MEMORY(privy_token_form(&form, "", "", ""));
  assert_text(form.data, form.length, "grant_type=client_credentials&client_id=&client_secret=&scope=");
done:
  privy_buffer_clear(&form);
}

static void token_texts_are_visible_ascii(void **state) {
  (void)state;
  static char longest[4097];
  memset(longest, 'x', sizeof longest);
  assert_true(privy_token_text_is_safe("privy_0123456789abcdef", 22));
  assert_true(privy_token_text_is_safe("!~", 2));
  assert_true(privy_token_text_is_safe(longest, 4096));
  assert_false(privy_token_text_is_safe(longest, 4097));
  assert_false(privy_token_text_is_safe("", 0));
  assert_false(privy_token_text_is_safe("a b", 3));
  assert_false(privy_token_text_is_safe("a\r\nX: y", 7));
  assert_false(privy_token_text_is_safe("a\0b", 3));
  assert_false(privy_token_text_is_safe("\x7f", 1));
  assert_false(privy_token_text_is_safe("\xC3\xA9", 2));
}

static const struct {
  const char *body, *text;
  double life;
} responses[] = {
    {"{\"access_token\":\"t1\",\"token_type\":\"Bearer\",\"expires_in\":7200,\"scope\":\"a b\",\"created_at\":1}", "t1",
     7200},
    {"{\"access_token\":\"t1\"}", "t1", 7200},
    {"{\"access_token\":\"t1\",\"expires_in\":null}", "t1", 7200},
    {"{\"access_token\":\"t1\",\"expires_in\":\"60\"}", "t1", 7200},
    {"{\"access_token\":\"t1\",\"expires_in\":59.5}", "t1", 59.5},
    {"{\"access_token\":\"t1\",\"expires_in\":0}", "t1", 0},
    {"{\"access_token\":\"t1\",\"expires_in\":-5}", "t1", -5},
    {"{\"access_token\":\"old\",\"access_token\":\"new\"}", "new", 7200},
    {"{}", NULL, 0},
    {"[]", NULL, 0},
    {"", NULL, 0},
    {"<html>", NULL, 0},
    {"{\"access_token\":\"\"}", NULL, 0},
    {"{\"access_token\":null}", NULL, 0},
    {"{\"access_token\":5}", NULL, 0},
    {"{\"access_token\":\"a b\"}", NULL, 0},
    {"{\"access_token\":\"a\\r\\nX: y\"}", NULL, 0},
    {"{\"data\":{\"access_token\":\"t1\"}}", NULL, 0},
};

static void token_responses_are_read(void **state) {
  (void)state;
  privy_response *response = NULL;
  privy_token token = {0};
  privy_error error;
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(responses); i++) {
    CHECK_OK(parse_response(NULL, 200, "", responses[i].body, &response, &error));
    CHECK_STATUS(privy_token_read(response, 1000, &token, &error), responses[i].text ? PRIVY_OK : PRIVY_API_STATUS);
    if (responses[i].text) {
      assert_string_equal(token.text, responses[i].text);
      assert_true(token.expires_at == 1000 + responses[i].life);
    } else {
      /* The old token stays. */
      assert_string_equal(token.text, "new");
      assert_string_equal(error.message, "the token endpoint's response has no access_token");
    }
    privy_response_release(response);
    response = NULL;
  }
done:
  privy_response_release(response);
  privy_token_clear(&token);
  privy_error_clear(&error);
}

static void a_token_is_fresh_until_30_seconds_before_its_end(void **state) {
  (void)state;
  char text[] = "t";
  const privy_token token = {text, 1000}, none = {NULL, 1e18};
  assert_true(privy_token_is_fresh(&token, 0));
  assert_true(privy_token_is_fresh(&token, 969));
  assert_false(privy_token_is_fresh(&token, 970));
  assert_false(privy_token_is_fresh(&token, 1000));
  assert_false(privy_token_is_fresh(&token, 1e12));
  assert_false(privy_token_is_fresh(&none, 0));
}

int main(void) {
  static harness_test tests[] = {
      TEST(token_forms_are_encoded),
      TEST(token_texts_are_visible_ascii),
      TEST(token_responses_are_read),
      TEST(a_token_is_fresh_until_30_seconds_before_its_end),
  };
  return HARNESS_RUN(tests);
}
