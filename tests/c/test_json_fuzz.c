/* Mutated JSON, judged by the reader and by a second, recursive reading of RFC 8259 written for this test alone. */
#include "harness.h"

#include "json_text.h"
#include "json/writer.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define MUTATIONS 20000
#define LONGEST 2048

/* ---- the second opinion ------------------------------------------------------------------------------------------ */

/* Each parses at `at` and returns the end, or NULL. */
static const char *judge_value(const char *at, const char *end, unsigned depth);

static const char *judge_space(const char *at, const char *end) {
  while (at < end && *at && strchr(" \t\r\n", *at)) at++;
  return at;
}

static const char *judge_one_of(const char *at, const char *end, const char *set) {
  return at && at < end && *at && strchr(set, *at) ? at + 1 : NULL;
}

static const char *judge_digits(const char *at, const char *end) {
  if (!(at = judge_one_of(at, end, "0123456789"))) return NULL;
  for (const char *next; (next = judge_one_of(at, end, "0123456789"));) at = next;
  return at;
}

static const char *judge_number(const char *at, const char *end) {
  const char *next;
  if ((next = judge_one_of(at, end, "-"))) at = next;
  if (!(at = (next = judge_one_of(at, end, "0")) ? next : judge_digits(at, end))) return NULL;
  if ((next = judge_one_of(at, end, ".")) && !(at = judge_digits(next, end))) return NULL;
  if (!(next = judge_one_of(at, end, "eE"))) return at;
  at = next;
  if ((next = judge_one_of(at, end, "+-"))) at = next;
  return judge_digits(at, end);
}

/* By arithmetic: puts the scalar value together, then asks whether it needed that many bytes. */
static const char *judge_character(const char *at, const char *end) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const unsigned lead = (unsigned char)*at;
  const unsigned bytes = lead >= 0xF8 ? 0 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : lead < 0x80;
  if (bytes == 0 || end - at < (ptrdiff_t)bytes) return NULL;
  uint32_t scalar = bytes == 1 ? lead : lead & (0xFFU >> (bytes + 1));
  for (unsigned i = 1; i < bytes; i++) {
    const unsigned byte = (unsigned char)at[i];
    if (byte / 64 != 2) return NULL;
    scalar = scalar * 64 + byte % 64;
  }
  const bool surrogate = scalar / 0x800 == 0xD800 / 0x800;
  return scalar < least[bytes] || scalar > 0x10FFFF || surrogate || scalar < 0x20 ? NULL : at + bytes;
}

static const char *judge_string(const char *at, const char *end) {
  if (!(at = judge_one_of(at, end, "\""))) return NULL;
  while (at && at < end && *at != '"') {
    const char *escape = judge_one_of(at, end, "\\");
    if (!escape) {
      at = judge_character(at, end);
      continue;
    }
    const char *unicode = judge_one_of(escape, end, "u");
    at = unicode ? unicode : judge_one_of(escape, end, "\"\\/bfnrt");
    for (int i = 0; unicode && i < 4; i++) at = judge_one_of(at, end, "0123456789abcdefABCDEF");
  }
  return judge_one_of(at, end, "\"");
}

static const char *judge_container(const char *at, const char *end, unsigned depth) {
  const bool object = *at == '{';
  const char *close = object ? "}" : "]", *next;
  if (depth == PRIVY_JSON_DEPTH) return NULL;
  at = judge_space(at + 1, end);
  if ((next = judge_one_of(at, end, close))) return next;
  for (;;) {
    if (object) {
      if (!(at = judge_string(judge_space(at, end), end))) return NULL;
      if (!(at = judge_one_of(judge_space(at, end), end, ":"))) return NULL;
    }
    if (!(at = judge_value(judge_space(at, end), end, depth + 1))) return NULL;
    at = judge_space(at, end);
    if ((next = judge_one_of(at, end, close))) return next;
    if (!(at = judge_one_of(at, end, ","))) return NULL;
  }
}

static const char *judge_value(const char *at, const char *end, unsigned depth) {
  static const char *const words[] = {"null", "true", "false"};
  if (at == end) return NULL;
  if (*at == '{' || *at == '[') return judge_container(at, end, depth);
  if (*at == '"') return judge_string(at, end);
  for (size_t i = 0; i < COUNT(words); i++) {
    const size_t length = strlen(words[i]);
    if ((size_t)(end - at) >= length && memcmp(at, words[i], length) == 0) return at + length;
  }
  return judge_number(at, end);
}

static bool is_json(const char *text, size_t length) {
  const char *end = text + length;
  const char *at = judge_value(judge_space(text, end), end, 0);
  return at && judge_space(at, end) == end;
}

/* ---- mutations --------------------------------------------------------------------------------------------------- */

static uint64_t random_state;

static size_t below(size_t limit) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (size_t)(random_state >> 11) % limit;
}

static const char *const seeds[] = {
    "{\"data\":{\"id\":\"abc\",\"name\":\"Zo\xC3\xAB\",\"tags\":[\"vip\",\"a b\"],\"more\":{\"n\":1,\"x\":null}}}",
    "[0,-1,2.5,1e10,-0.0E-3,123456789012345678901234567890]",
    "{\"a\":true,\"b\":false,\"c\":null,\"a\":[[],{},[{}],{\"\":[]}]}",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u00e9\\uD83D\\uDE00\\uD800\"",
    " [ 1 ,\t\"\xE2\x82\xAC\" ,\r\n{ \"k\" : \"\xF0\x9F\x98\x80\" } ] ",
    "{\"page\":1,\"per_page\":100,\"items\":[{\"total\":\"95.00\"},{\"total\":95.00},{\"total\":-1E+2}]}",
    "[[[[[[[[\"deep\"]]]],{\"x\":[[{\"y\":{\"z\":[]}}]]}]]]]",
    "{\"error\":{\"code\":\"failed\",\"details\":[{\"field\":\"base\",\"message\":\"is \\\"odd\\\"\"}]}}",
    "-12.75e-2",
    "\"\"",
};

typedef struct mutant {
  char text[LONGEST];
  size_t length;
} mutant;

static void replace(mutant *m, size_t at, size_t removed, const char *bytes, size_t added) {
  if (m->length - removed + added > LONGEST) return;
  char copy[LONGEST];
  memcpy(copy, bytes, added);
  memmove(m->text + at + added, m->text + at + removed, m->length - at - removed);
  memcpy(m->text + at, copy, added);
  m->length += added - removed;
}

static void mutate(mutant *m) {
  static const char telling[] = "{}[]\",:\\/u0123456789.-+eE truefalsn\t\n\x80\xBF\xC3\xED\xA0\xF4\x90\xFF\x1F";
  const size_t at = below(m->length + 1), rest = m->length - at;
  const size_t run = rest ? 1 + below(rest < 12 ? rest : 12) : 0;
  const char any = (char)below(256), told = telling[below(sizeof telling)];
  const char *seed = seeds[below(COUNT(seeds))];
  switch (below(7)) {
  case 0: replace(m, at, rest ? 1 : 0, &any, 1); break;
  case 1: replace(m, at, rest ? 1 : 0, &told, 1); break;
  case 2: replace(m, at, 0, &told, 1); break;
  case 3: replace(m, at, run, "", 0); break;
  case 4: replace(m, at, 0, m->text + at, run); break;
  case 5: replace(m, at, run, seed, strlen(seed)); break;
  default:
    if (below(8) == 0) m->length = at;
  }
}

static void make_mutant(mutant *m) {
  const char *seed = seeds[below(COUNT(seeds))];
  m->length = strlen(seed);
  memcpy(m->text, seed, m->length);
  for (size_t i = below(5); i > 0; i--) mutate(m);
}

/* ---- writing again ----------------------------------------------------------------------------------------------- */

static bool rewrite_string(privy_writer *writer, privy_value string, bool key) {
  bool written = false;
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  CHECK_OK(privy_value_decode(string, &text));
  if (key) {
    privy_writer_key(writer, text.data, text.length);
  } else {
    privy_writer_string(writer, text.data, text.length);
  }
  CHECK_MEMORY(!writer->failed);
  written = true;
done:
  privy_buffer_clear(&text);
  return written;
}

static bool rewrite_scalar(privy_writer *writer, privy_value value) {
  bool integral;
  if (value.type == PRIVY_STRING) return rewrite_string(writer, value, false);
  if (value.type == PRIVY_NUMBER) {
    assert_true(privy_json_number(value.text, value.length, &integral));
    assert_int_equal(value.integral, integral);
  }
  privy_writer_value(writer, value);
  return !writer->failed;
}

/* Writes the value from what the cursor returns: without spaces and needless escapes. */
static bool rewrite(privy_writer *writer, privy_value value) {
  const bool object = value.type == PRIVY_OBJECT;
  if (!object && value.type != PRIVY_ARRAY) return rewrite_scalar(writer, value);
  privy_cursor cursor;
  privy_value key, item;
  (object ? privy_writer_begin_object : privy_writer_begin_array)(writer);
  for (privy_cursor_init(&cursor, value); privy_cursor_next(&cursor, &key, &item);) {
    assert_int_equal(key.type, object ? PRIVY_STRING : PRIVY_ABSENT);
    if (object && !rewrite_string(writer, key, true)) return false;
    if (!rewrite(writer, item)) return false;
  }
  (object ? privy_writer_end_object : privy_writer_end_array)(writer);
  return !writer->failed;
}

/* The same from what the pulling reader sees. */
static bool repull(privy_writer *writer, privy_reader *reader) {
  const privy_type type = privy_reader_peek(reader);
  privy_value value;
  if (type == PRIVY_OBJECT) {
    privy_writer_begin_object(writer);
    assert_true(privy_reader_enter_object(reader));
    while (privy_reader_member(reader, &value)) {
      if (!rewrite_string(writer, value, true) || !repull(writer, reader)) return false;
    }
    privy_writer_end_object(writer);
  } else if (type == PRIVY_ARRAY) {
    privy_writer_begin_array(writer);
    assert_true(privy_reader_enter_array(reader));
    while (privy_reader_element(reader)) {
      if (!repull(writer, reader)) return false;
    }
    privy_writer_end_array(writer);
  } else {
    assert_true(privy_reader_value(reader, &value));
    return rewrite_scalar(writer, value);
  }
  return !writer->failed;
}

/* Cursor and reader must see the same, and what is written must be JSON that stays as it is when written again. */
static bool check_accepted(const mutant *m) {
  bool checked = false;
  privy_buffer once = PRIVY_BUFFER_EMPTY, pulled = PRIVY_BUFFER_EMPTY, twice = PRIVY_BUFFER_EMPTY;
  privy_writer writer;
  privy_value value;
  privy_reader reader;
  assert_null(json_take(m->text, m->length, &value).error);
  privy_writer_init(&writer, &once);
  CHECK_MEMORY(rewrite(&writer, value));
  privy_writer_init(&writer, &pulled);
  privy_reader_init(&reader, m->text, m->length);
  CHECK_MEMORY(repull(&writer, &reader));
  assert_true(privy_reader_end(&reader));
  assert_int_equal(once.length, pulled.length);
  assert_memory_equal(once.data, pulled.data, once.length);
  assert_true(is_json(once.data, once.length));
  assert_null(json_take(once.data, once.length, &value).error);
  assert_int_equal(value.length + (value.type == PRIVY_STRING ? 2 : 0), once.length);
  privy_writer_init(&writer, &twice);
  CHECK_MEMORY(rewrite(&writer, value));
  assert_int_equal(once.length, twice.length);
  assert_memory_equal(once.data, twice.data, once.length);
  checked = true;
done:
  privy_buffer_clear(&once);
  privy_buffer_clear(&pulled);
  privy_buffer_clear(&twice);
  return checked;
}

/* The text before the error must be the beginning of some JSON text. */
static void check_refused(const mutant *m, json_verdict verdict) {
  assert_non_null(verdict.error);
  assert_true(verdict.position <= m->length);
  if (verdict.position == m->length) assert_string_equal(verdict.error, "unexpected end of text");
  const json_verdict shorter = json_read(m->text, verdict.position);
  if (shorter.error) assert_int_equal(shorter.position, verdict.position);
}

static void mutants_are_judged_rightly(void **state) {
  (void)state;
  size_t accepted = 0;
  const size_t rounds = harness_rounds(MUTATIONS, 8);
  random_state = UINT64_C(0x9E3779B97F4A7C15);
  for (size_t i = 0; i < rounds; i++) {
    mutant m;
    make_mutant(&m);
    const bool expected = is_json(m.text, m.length);
    const json_verdict verdict = json_read(m.text, m.length);
    if (expected == (verdict.error != NULL)) {
      fail_msg("mutation %zu: %.*s\n%s at %zu", i, (int)m.length, m.text, verdict.error ? verdict.error : "taken",
               verdict.position);
    }
    if (expected) {
      CHECK_MEMORY(check_accepted(&m));
      accepted++;
    } else {
      check_refused(&m, verdict);
    }
  }
  assert_true(accepted > rounds / 10 && accepted < rounds);
done:
  return;
}

/* Bytes without any sense, for the sake of the bounds. */
static void noise_does_no_harm(void **state) {
  (void)state;
  random_state = UINT64_C(0xD1B54A32D192ED03);
  for (size_t i = 0; i < MUTATIONS / 10; i++) {
    mutant m = {.length = below(40)};
    for (size_t j = 0; j < m.length; j++) m.text[j] = "{}[]\",:\\u01-.eEtfn \x80\xC3\xA9"[below(22)];
    const json_verdict verdict = json_read(m.text, m.length);
    assert_int_equal(verdict.error == NULL, is_json(m.text, m.length));
  }
}

int main(void) {
  static harness_test tests[] = {TEST(mutants_are_judged_rightly), TEST(noise_does_no_harm)};
  return HARNESS_RUN(tests);
}
