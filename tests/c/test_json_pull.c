/* The reader, pulled along by its caller. */
#include "harness.h"

#include <string.h>

#include "json/reader.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void values_are_slices_of_the_text(void **state) {
  (void)state;
  const char *text =
      " {\"k\\t\" : \"v\" , \"n\" : -12 , \"f\":1.0,\"e\":1e2, \"c\" : [ 1 , {\"x\":\"]\"} ] ,\"t\":true}";
  static const struct {
    const char *key, *value;
    privy_type type;
    bool integral;
  } expected[] = {
      {"k\\t", "v", PRIVY_STRING, false},
      {"n", "-12", PRIVY_NUMBER, true},
      {"f", "1.0", PRIVY_NUMBER, false},
      {"e", "1e2", PRIVY_NUMBER, false},
      {"c", "[ 1 , {\"x\":\"]\"} ]", PRIVY_ARRAY, false},
      {"t", "true", PRIVY_TRUE, false},
  };
  privy_reader reader;
  privy_value key, value;
  privy_reader_init(&reader, text, strlen(text));
  assert_int_equal(privy_reader_peek(&reader), PRIVY_OBJECT);
  assert_int_equal(privy_reader_peek(&reader), PRIVY_OBJECT);
  assert_true(privy_reader_enter_object(&reader));
  for (size_t i = 0; i < COUNT(expected); i++) {
    assert_true(privy_reader_member(&reader, &key));
    assert_int_equal(key.type, PRIVY_STRING);
    assert_int_equal(key.escaped, i == 0);
    assert_text(key.text, key.length, expected[i].key);
    assert_int_equal(privy_reader_peek(&reader), expected[i].type);
    assert_true(privy_reader_value(&reader, &value));
    assert_int_equal(value.type, expected[i].type);
    assert_int_equal(value.integral, expected[i].integral);
    assert_int_equal(value.escaped, 0);
    assert_int_equal(value.enum_value, 0);
    assert_text(value.text, value.length, expected[i].value);
  }
  assert_false(privy_reader_member(&reader, &key));
  assert_int_equal(key.type, PRIVY_ABSENT);
  assert_true(privy_reader_end(&reader));
  assert_false(privy_reader_member(&reader, &key)); /* there is no container left, and no harm done */
  assert_true(privy_reader_end(&reader));
}

static void only_what_is_there_is_entered(void **state) {
  (void)state;
  privy_reader reader;
  privy_reader_init(&reader, "  [1]", 5);
  assert_false(privy_reader_enter_object(&reader));
  assert_string_equal(reader.error, "expected '{'");
  assert_int_equal(reader.position, 2);
  privy_reader_init(&reader, "{}", 2);
  assert_false(privy_reader_enter_array(&reader));
  assert_string_equal(reader.error, "expected '['");
  assert_int_equal(reader.position, 0);
  privy_reader_init(&reader, " ", 1);
  assert_false(privy_reader_enter_array(&reader));
  assert_string_equal(reader.error, "unexpected end of text");
  assert_int_equal(reader.position, 1);
}

static void the_first_error_stays(void **state) {
  (void)state;
  privy_reader reader;
  privy_value value;
  privy_reader_init(&reader, "[1,x,2]", 7);
  assert_true(privy_reader_enter_array(&reader));
  assert_true(privy_reader_element(&reader));
  assert_true(privy_reader_value(&reader, &value));
  assert_true(privy_reader_element(&reader));
  for (int again = 0; again < 2; again++) {
    value.type = PRIVY_TRUE;
    assert_false(privy_reader_value(&reader, &value));
    assert_int_equal(value.type, PRIVY_ABSENT);
    value.type = PRIVY_TRUE;
    assert_false(privy_reader_member(&reader, &value));
    assert_int_equal(value.type, PRIVY_ABSENT);
    assert_false(privy_reader_element(&reader));
    assert_false(privy_reader_enter_array(&reader));
    assert_false(privy_reader_enter_object(&reader));
    assert_int_equal(privy_reader_peek(&reader), PRIVY_ABSENT);
    assert_false(privy_reader_end(&reader));
    assert_string_equal(reader.error, "expected a value");
    assert_int_equal(reader.position, 3);
  }
}

static void an_expected_key_is_taken_completely_or_not_at_all(void **state) {
  (void)state;
  static const char *const others[] = {"{\"nam\":1}",  "{\"names\":1}", "{\"nama\":1}",  "{\"n\\u0061me\":1}",
                                       "{}",           "{\"name\" :1}", "{,\"name\":1}", "{\"name\"",
                                       "{\"name\";1}", "{'name\":1}"};
  privy_reader reader;
  privy_value key, value;
  for (size_t i = 0; i < COUNT(others); i++) {
    privy_reader_init(&reader, others[i], strlen(others[i]));
    assert_false(privy_reader_member_is(&reader, "\"name\":", 7)); /* there is no object yet */
    assert_true(privy_reader_enter_object(&reader));
    if (privy_reader_member_is(&reader, "\"name\":", 7)) fail_msg("%s was taken", others[i]);
    assert_null(reader.error);
    assert_ptr_equal(reader.at, others[i] + 1);
  }
  const char *text = "{\"name\":1}"; /* what follows the end does not count */
  privy_reader_init(&reader, text, strlen("{\"name\""));
  assert_true(privy_reader_enter_object(&reader));
  assert_false(privy_reader_member_is(&reader, "\"name\":", 7));
  text = "{ \"name\":1,\n \"name\": 2 ,\"name\":3}";
  privy_reader_init(&reader, text, strlen(text));
  assert_true(privy_reader_enter_object(&reader));
  for (int i = 1; i <= 3; i++) {
    const bool found = privy_reader_member_is(&reader, "\"name\":", 7);
    assert_int_equal(found, i < 3); /* a space precedes the last comma */
    if (!found) assert_true(privy_reader_member(&reader, &key));
    assert_true(privy_reader_value(&reader, &value));
    assert_int_equal(value.text[0], '0' + i);
  }
  assert_false(privy_reader_member_is(&reader, "\"name\":", 7));
  assert_false(privy_reader_member(&reader, &key));
  assert_true(privy_reader_end(&reader));
  text = "{\"name\":?,\"name\":1}";
  privy_reader_init(&reader, text, strlen(text));
  assert_true(privy_reader_enter_object(&reader));
  assert_true(privy_reader_member_is(&reader, "\"name\":", 7));
  assert_false(privy_reader_value(&reader, &value));
  reader.at++;
  assert_false(privy_reader_member_is(&reader, "\"name\":", 7)); /* nothing is taken after an error */
}

/* The bytes after the text in memory would complete the key. */
static void an_expected_key_ends_within_the_text(void **state) {
  (void)state;
  static const char whole[] = "{\"name\":1}", second[] = "{\"a\":1,\"name\":2}";
  privy_reader reader;
  privy_value ignored;
  for (size_t length = 1; length < strlen("{\"name\":"); length++) {
    privy_reader_init(&reader, whole, length);
    assert_true(privy_reader_enter_object(&reader));
    assert_false(privy_reader_member_is(&reader, "\"name\":", 7));
    assert_false(privy_reader_member(&reader, &ignored));
    assert_int_equal(reader.position, length);
  }
  for (size_t length = strlen("{\"a\":1,"); length < strlen("{\"a\":1,\"name\":"); length++) {
    privy_reader_init(&reader, second, length);
    assert_true(privy_reader_enter_object(&reader));
    assert_true(privy_reader_member_is(&reader, "\"a\":", 4));
    assert_true(privy_reader_value(&reader, &ignored));
    assert_false(privy_reader_member_is(&reader, "\"name\":", 7));
  }
  privy_reader_init(&reader, whole, strlen("{\"name\":"));
  assert_true(privy_reader_enter_object(&reader));
  assert_true(privy_reader_member_is(&reader, "\"name\":", 7));
}

static void the_end_is_reached_outside_all_containers(void **state) {
  (void)state;
  privy_reader reader;
  privy_value value;
  privy_reader_init(&reader, "[1", 2);
  assert_true(privy_reader_enter_array(&reader));
  assert_true(privy_reader_element(&reader));
  assert_true(privy_reader_value(&reader, &value));
  assert_false(privy_reader_end(&reader));
  assert_int_equal(reader.position, 2);
  privy_reader_init(&reader, "[1]", 3);
  assert_true(privy_reader_enter_array(&reader));
  assert_false(privy_reader_end(&reader));
  assert_int_equal(reader.position, 1);
}

static void numbers_are_recognized(void **state) {
  (void)state;
  static const char *const good[] = {"0", "-1", "95", "12345678901234567890", "-0"};
  static const char *const fractions[] = {"0.5", "1e3", "-1.25E-7"};
  static const char *const bad[] = {"",    "-",  "1.",  ".5", "01", " 1",    "1 ",       "1a",
                                    "NaN", "1e", "0x1", "+1", "1,", "1.2.3", "Infinity", "\"1\""};
  bool integral = false;
  for (size_t i = 0; i < COUNT(good); i++) {
    assert_true(privy_json_number(good[i], strlen(good[i]), &integral));
    assert_true(integral);
  }
  for (size_t i = 0; i < COUNT(fractions); i++) {
    assert_true(privy_json_number(fractions[i], strlen(fractions[i]), &integral));
    assert_false(integral);
  }
  for (size_t i = 0; i < COUNT(bad); i++) {
    if (privy_json_number(bad[i], strlen(bad[i]), NULL)) fail_msg("\"%s\" was read as a number", bad[i]);
  }
  assert_true(privy_json_number("12.5", 2, &integral));
  assert_true(integral);
  assert_false(privy_json_number("1\0", 2, &integral));
  assert_false(privy_json_number(NULL, 0, NULL));
}

int main(void) {
  static harness_test tests[] = {
      TEST(values_are_slices_of_the_text),
      TEST(only_what_is_there_is_entered),
      TEST(the_first_error_stays),
      TEST(an_expected_key_is_taken_completely_or_not_at_all),
      TEST(an_expected_key_ends_within_the_text),
      TEST(the_end_is_reached_outside_all_containers),
      TEST(numbers_are_recognized),
  };
  return HARNESS_RUN(tests);
}
