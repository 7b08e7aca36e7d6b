/* The reader: what it takes, what it refuses and where. */
#include "harness.h"

#include "json_text.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- the grammar ------------------------------------------------------------------------------------------------- */

static const struct {
  const char *text;
  privy_type type;
} accepted[] = {
    {"null", PRIVY_NULL},
    {"true", PRIVY_TRUE},
    {"false", PRIVY_FALSE},
    {" \t\r\n null \t\r\n ", PRIVY_NULL},
    {"0", PRIVY_NUMBER},
    {"-0", PRIVY_NUMBER},
    {"10", PRIVY_NUMBER},
    {"-1234567890", PRIVY_NUMBER},
    {"123456789012345678901234567890123456789", PRIVY_NUMBER},
    {"0.0", PRIVY_NUMBER},
    {"-0.0e-0", PRIVY_NUMBER},
    {"95.00", PRIVY_NUMBER},
    {"0e0", PRIVY_NUMBER},
    {"1E400", PRIVY_NUMBER},
    {"1e-400", PRIVY_NUMBER},
    {"20e1", PRIVY_NUMBER},
    {"1.5E+0010", PRIVY_NUMBER},
    {"\"\"", PRIVY_STRING},
    {"\"/ \x7F '\"", PRIVY_STRING},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", PRIVY_STRING},
    {"\"\\u0000\\u001f\\uABCD\\uabcd\\uFFFF\"", PRIVY_STRING},
    {"\"\\uD83D\\uDE00\"", PRIVY_STRING},
    {"\"\\uD83D\"", PRIVY_STRING},
    {"\"\\uDE00\\uD83D\"", PRIVY_STRING},
    {"\"\\uD83Dx\\uD83D\\n\"", PRIVY_STRING},
    {"\"\\\\u0\"", PRIVY_STRING},
    {"\"\xC3\xA9 \xE2\x80\xA8 \xEF\xBF\xBF \xF0\x9F\x98\x80 \xF4\x8F\xBF\xBF\"", PRIVY_STRING},
    {"\"\xEF\xBB\xBF\"", PRIVY_STRING},
    {"\"// /* no comment */ [{\"", PRIVY_STRING},
    {"[]", PRIVY_ARRAY},
    {"[ ]", PRIVY_ARRAY},
    {" [ 1 , \"2\" ,\n[ ] , { } , null ] ", PRIVY_ARRAY},
    {"[[],[[]],[[],[]]]", PRIVY_ARRAY},
    {"[0,-1.5e3,true,false,null,\"\\\"\"]", PRIVY_ARRAY},
    {"[1,[2,{\"a\":[3]}],4]", PRIVY_ARRAY},
    {"{}", PRIVY_OBJECT},
    {"{ }", PRIVY_OBJECT},
    {"{\"\":0}", PRIVY_OBJECT},
    {"{\"a\":1,\"a\":2}", PRIVY_OBJECT},
    {"{ \"a\" : { \"b\" : [ { \"c\" : [ ] } ] } , \"d\\n\" : null }", PRIVY_OBJECT},
    {"{\"a\":[{}],\"b\":{\"c\":[]},\"d\":[[{}]]}", PRIVY_OBJECT},
};

static void the_grammar_is_accepted(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(accepted); i++) {
    const char *text = accepted[i].text;
    const json_verdict verdict = json_read(text, strlen(text));
    if (verdict.error) fail_msg("%s: %s at %zu", text, verdict.error, verdict.position);
    privy_value value;
    json_take(text, strlen(text), &value);
    assert_int_equal(value.type, accepted[i].type);
  }
}

/* The byte at `position` is the first that no JSON text can have after the bytes before it. */
static const struct {
  const char *text;
  size_t position;
} refused[] = {
    /* nothing, and what only looks like JSON */
    {"", 0},
    {" \n", 2},
    {"\xEF\xBB\xBF{}", 0},
    {"<html>", 0},
    {"a", 0},
    {"'a'", 0},
    {"undefined", 0},
    {"NaN", 0},
    {"Infinity", 0},
    {"-Infinity", 1},
    {"True", 0},
    {"NULL", 0},
    {"nul", 3},
    {"nulL", 3},
    {"tru ", 3},
    {"falsetrue", 5},
    {"null,", 4},
    {"null null", 5},
    {"// x\n1", 0},
    {"/**/1", 0},
    {"1 # x", 2},
    {"\xC3\xA9", 0},
    {"\f1", 0},
    {"\v1", 0},
    {"\xC2\xA0"
     "1",
     0},
    {"1\x1A", 1},
    {":", 0},
    {",", 0},
    /* numbers */
    {"-", 1},
    {"+1", 0},
    {"--1", 1},
    {"- 1", 1},
    {"-a", 1},
    {"00", 1},
    {"01", 1},
    {"-01", 2},
    {"1.", 2},
    {"1.a", 2},
    {".5", 0},
    {"-.5", 1},
    {"1.e1", 2},
    {"1.5.", 3},
    {"1e", 2},
    {"1e+", 3},
    {"1E-x", 3},
    {"1e+-1", 3},
    {"1e1.5", 3},
    {"1e5e5", 3},
    {"0x10", 1},
    {"1_000", 1},
    {"1,000", 1},
    {"1-2", 1},
    {"1 2", 2},
    {"1a", 1},
    {"\xEF\xBC\x91", 0},
    {"[1.]", 3},
    {"[-]", 2},
    {"[1e]", 3},
    /* strings */
    {"\"", 1},
    {"\"abc", 4},
    {"\"a\nb\"", 2},
    {"\"\t\"", 1},
    {"\"\x1F\"", 1},
    {"\"\x01\"", 1},
    {"\"\\", 2},
    {"\"\\\"", 3},
    {"\"\\x41\"", 2},
    {"\"\\'\"", 2},
    {"\"\\a\"", 2},
    {"\"\\0\"", 2},
    {"\"\\ \"", 2},
    {"\"\\\n\"", 2},
    {"\"\\\xC3\xA9\"", 2},
    {"\"\\U0041\"", 2},
    {"\"\\u", 3},
    {"\"\\u\"", 3},
    {"\"\\u00", 5},
    {"\"\\u12\"", 5},
    {"\"\\u123\"", 6},
    {"\"\\u12G4\"", 5},
    {"\"\\u+123\"", 3},
    {"\"\\u 123\"", 3},
    {"\"\\u\xEF\xBC\x91"
     "00\"",
     3},
    {"\"\\uD83D\\uDE0\"", 12},
    {"\"\\uD83D\\x\"", 8},
    {"\"a\"b", 3},
    {"\"a\"\"b\"", 3},
    {"\"\xFF\"", 1},
    {"\"\x80\"", 1},
    {"\"ab\xC3", 3},
    {"\"\xE2\x82\"", 1},
    {"\"\xC3\xA9\xC3\"", 3},
    {"\"\xC0\xAF\"", 1},
    {"\"\xE0\x80\x80\"", 1},
    {"\"\xED\xA0\x80\"", 1},
    {"\"\xF0\x9F\x98\x80\xF4\x90\x80\x80\"", 5},
    {"\"\xF0\x82\x82\xAC\"", 1},
    {"{\"\xFF\":1}", 2},
    /* arrays */
    {"[", 1},
    {"[ ", 2},
    {"]", 0},
    {"[1", 2},
    {"[1,", 3},
    {"[1,]", 3},
    {"[,1]", 1},
    {"[,]", 1},
    {"[1,,2]", 3},
    {"[1 2]", 3},
    {"[\"a\" \"b\"]", 5},
    {"[[] []]", 4},
    {"[1;2]", 2},
    {"[1}", 2},
    {"[}", 1},
    {"[]]", 2},
    {"[][]", 2},
    {"[],", 2},
    {"[[1]", 4},
    {"[[1},2]", 3},
    {"[1:2]", 2},
    {"[\"a\":1]", 4},
    {"[tru]", 4},
    {"[truefalse]", 5},
    {"[1,/**/2]", 3},
    {"[...]", 1},
    {"[1] x", 4},
    {"[\"", 2},
    {"[[[[]]]", 7},
    {"[\xC2\xA0]", 1},
    /* objects */
    {"{", 1},
    {"}", 0},
    {"{]", 1},
    {"{,}", 1},
    {"{a:1}", 1},
    {"{'a':1}", 1},
    {"{1:2}", 1},
    {"{null:1}", 1},
    {"{[]:1}", 1},
    {"{\"a", 3},
    {"{\"a\"", 4},
    {"{\"a\"}", 4},
    {"{\"a\" 1}", 5},
    {"{\"a\",1}", 4},
    {"{\"a\"=1}", 4},
    {"{\"a\":", 5},
    {"{\"a\":}", 5},
    {"{\"a\":,}", 5},
    {"{\"a\"::1}", 5},
    {"{\"a\":1", 6},
    {"{\"a\":1]", 6},
    {"{\"a\":1,", 7},
    {"{\"a\":1,}", 7},
    {"{\"a\":1,,\"b\":2}", 7},
    {"{\"a\":1 \"b\":2}", 7},
    {"{\"a\":1;\"b\":2}", 6},
    {"{\"a\":1,2}", 7},
    {"{\"a\":1,\"b\"}", 10},
    {"{\"a\":1}}", 7},
    {"{\"a\":1},", 7},
    {"{\"a\":1}{}", 7},
    {"{\"a\\q\":1}", 4},
    {"{\"a\":\"b", 7},
    {"{\"a\":{\"b\":[1,{\"c\":tru}]}}", 21},
    {"{\"a\":[}", 6},
    {"{\"a\":[1,2}", 9},
    {"{\"a\":1} // c", 8},
    {"{:1}", 1},
};

static void all_else_is_refused_at_its_byte(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(refused); i++) {
    const char *text = refused[i].text;
    const json_verdict verdict = json_read(text, strlen(text));
    if (!verdict.error) fail_msg("%s was taken", text);
    if (verdict.position != refused[i].position) {
      fail_msg("%s: \"%s\" at %zu instead of %zu", text, verdict.error, verdict.position, refused[i].position);
    }
  }
}

static void a_nul_is_a_byte_like_any_other(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t length, position;
  } cases[] = {{"\0", 1, 0}, {"1\0", 2, 1}, {"[\0]", 3, 1}, {"\"\0\"", 3, 1}, {"{}\0", 3, 2}, {"-\0", 2, 1}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    const json_verdict verdict = json_read(cases[i].text, cases[i].length);
    assert_non_null(verdict.error);
    assert_string_not_equal(verdict.error, "unexpected end of text");
    assert_int_equal(verdict.position, cases[i].position);
  }
}

/* Cut anywhere, a text of brackets is an error at its end. */
static void every_beginning_is_refused(void **state) {
  (void)state;
  static const char text[] = "{\"a\\n\\u00e9\":[1.5e3,true,false,null,\"\xE2\x82\xAC\",{\"b\":[]}],\"c\":-2}";
  for (size_t length = 0; length < sizeof text - 1; length++) {
    const json_verdict verdict = json_read(text, length);
    assert_non_null(verdict.error);
    if (strncmp(verdict.error, "invalid UTF-8", 13) == 0) continue; /* cut within a character */
    assert_string_equal(verdict.error, "unexpected end of text");
    assert_int_equal(verdict.position, length);
  }
  assert_null(json_read(text, sizeof text - 1).error);
}

static void errors_say_what_was_expected(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"", "unexpected end of text"},
      {"x", "expected a value"},
      {"[1", "unexpected end of text"},
      {"[1 2]", "expected ',' or ']'"},
      {"{\"a\":1 2}", "expected ',' or '}'"},
      {"{1:2}", "expected a key"},
      {"{\"a\"1}", "expected ':'"},
      {"-x", "expected a digit"},
      {"\"\\q\"", "unknown escape in a string"},
      {"\"\\u12x4\"", "expected four hexadecimal digits"},
      {"\"\n\"", "control character in a string"},
      {"\"\xFF\"", "invalid UTF-8 in a string"},
      {"1 2", "unexpected trailing data"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    const json_verdict verdict = json_read(cases[i][0], strlen(cases[i][0]));
    assert_non_null(verdict.error);
    assert_string_equal(verdict.error, cases[i][1]);
  }
}

/* ---- nesting and size -------------------------------------------------------------------------------------------- */

/* `levels` times `open`, then `levels` times `close`. */
static char *nest(size_t levels, const char *open, const char *close, size_t *length) {
  const size_t before = strlen(open), after = strlen(close);
  *length = levels * (before + after);
  char *text = malloc(*length + 1);
  assert_non_null(text);
  for (size_t i = 0; i < levels; i++) {
    memcpy(text + i * before, open, before);
    memcpy(text + levels * before + i * after, close, after);
  }
  return text;
}

static void check_nesting(const char *open, const char *close, size_t levels_each) {
  size_t length;
  char *text = nest(PRIVY_JSON_DEPTH / levels_each, open, close, &length);
  assert_null(json_read(text, length).error);
  free(text);
  text = nest(PRIVY_JSON_DEPTH / levels_each + 1, open, close, &length);
  const json_verdict verdict = json_read(text, length);
  assert_non_null(verdict.error);
  assert_string_equal(verdict.error, "nested too deeply");
  assert_int_equal(verdict.position, PRIVY_JSON_DEPTH / levels_each * strlen(open));
  free(text);
}

static void nesting_ends_at_128_levels(void **state) {
  (void)state;
  assert_int_equal(PRIVY_JSON_DEPTH, 128);
  check_nesting("[", "]", 1);
  check_nesting("[1,[", "],2]", 2);
  check_nesting("{\"a\":[", "]}", 2);
  size_t length;
  char *text = nest(128, "{\"a\":", "}", &length);
  const json_verdict verdict = json_read(text, length); /* the innermost has no value */
  assert_int_equal(verdict.position, 128 * strlen("{\"a\":"));
  assert_string_equal(verdict.error, "expected a value");
  free(text);
}

static void a_megabyte_of_brackets_is_only_an_error(void **state) {
  (void)state;
  static const char *const opens[] = {"[", "{\"a\":", "[[],", "{\"a\":[", "[1,[{\"x\":{},\"y\":"};
  for (size_t i = 0; i < COUNT(opens); i++) {
    size_t length;
    char *text = nest(((size_t)1 << 20) / strlen(opens[i]), opens[i], "", &length);
    assert_string_equal(json_read(text, length).error, "nested too deeply");
    free(text);
  }
  size_t length;
  char *text = nest((size_t)1 << 20, "", "]", &length);
  assert_int_equal(json_read(text, length).position, 0);
  free(text);
}

static void a_long_flat_text_is_no_deeper(void **state) {
  (void)state;
  const size_t many = 20000;
  char *text = malloc(many * 5 + 2);
  assert_non_null(text);
  text[0] = '[';
  for (size_t i = 0; i < many; i++) memcpy(text + 1 + i * 5, i + 1 < many ? "[{}]," : "[{}]]", 5);
  assert_null(json_read(text, many * 5 + 1).error);
  free(text);
}

/* Containers entered one by one and those within a value count together. */
static void depth_counts_across_enter_and_value(void **state) {
  (void)state;
  for (unsigned entered = 0; entered <= PRIVY_JSON_DEPTH; entered += 16) {
    for (unsigned levels = PRIVY_JSON_DEPTH; levels <= PRIVY_JSON_DEPTH + 1; levels++) {
      size_t length;
      char *text = nest(levels, "[", "]", &length);
      privy_reader reader;
      privy_value value;
      privy_reader_init(&reader, text, length);
      for (unsigned i = 0; i < entered; i++) {
        assert_true(privy_reader_enter_array(&reader));
        if (i + 1 < levels) assert_true(privy_reader_element(&reader));
      }
      const bool more = entered < levels;
      if (more && levels == PRIVY_JSON_DEPTH) {
        assert_true(privy_reader_value(&reader, &value));
        assert_int_equal(value.length, (levels - entered) * 2);
      } else if (more) {
        assert_false(privy_reader_value(&reader, &value));
        assert_string_equal(reader.error, "nested too deeply");
        assert_int_equal(reader.position, PRIVY_JSON_DEPTH);
      }
      assert_int_equal(reader.depth, entered);
      free(text);
    }
  }
}

static void a_text_past_32_bits_is_refused_unread(void **state) {
  (void)state;
  if (SIZE_MAX <= UINT32_MAX) return; /* there is no such text */
  privy_reader reader;
  privy_value value;
  privy_reader_init(&reader, "1", (size_t)UINT32_MAX + 1);
  assert_int_equal(privy_reader_peek(&reader), PRIVY_ABSENT);
  assert_false(privy_reader_value(&reader, &value));
  assert_false(privy_reader_end(&reader));
  assert_string_equal(reader.error, "text of 4 GiB or more");
  assert_int_equal(reader.position, UINT32_MAX);
}

int main(void) {
  static harness_test tests[] = {
      TEST(the_grammar_is_accepted),
      TEST(all_else_is_refused_at_its_byte),
      TEST(a_nul_is_a_byte_like_any_other),
      TEST(every_beginning_is_refused),
      TEST(errors_say_what_was_expected),
      TEST(nesting_ends_at_128_levels),
      TEST(a_megabyte_of_brackets_is_only_an_error),
      TEST(a_long_flat_text_is_no_deeper),
      TEST(depth_counts_across_enter_and_value),
      TEST(a_text_past_32_bits_is_refused_unread),
  };
  return HARNESS_RUN(tests);
}
