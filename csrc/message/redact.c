/* What texts and responses may show: e-mail addresses and phone numbers masked, secret headers removed, bodies
 * cut. */
#include <string.h>

#include "base/buffer.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/visible.h"
#include "message/response.h"

/* ---- e-mail addresses ---- */

/* Bytes that end an address in running text, on both of its sides. */
static bool ends_address(char byte) {
  return (unsigned char)byte <= ' ' || byte == 0x7F || strchr("<>()[]{},;:\"\\|/", byte);
}

/* Bytes of the '@' at that position, percent-encoded or not; 0 if there is none. */
static size_t at_sign(privy_slice text, size_t at) {
  if (text.text[at] == '@') return 1;
  return privy_text_starts(text.text + at, text.length - at, "%40") ? 3 : 0;
}

/* The state of masking. */
typedef struct masking {
  privy_slice text;
  bool fresh;      /* an address may begin here */
  size_t word_end; /* of the word that was looked at last: at the first byte that ends an address */
  size_t sign;     /* the last '@' of that word; the text's length when it has none */
} masking;

/* The last '@' of the word at `at`, if it is after `at`; else the text's length. */
static size_t find_at_sign(masking *m, size_t at) {
  if (at >= m->word_end) {
    m->sign = m->text.length;
    for (m->word_end = at; m->word_end < m->text.length && !ends_address(m->text.text[m->word_end]); m->word_end++)
      if (at_sign(m->text, m->word_end)) m->sign = m->word_end;
  }
  return m->sign > at ? m->sign : m->text.length;
}

static size_t character_at(privy_slice text, size_t at) {
  const size_t bytes = privy_utf8_sequence(text.text + at, text.length - at);
  return bytes ? bytes : 1;
}

/* Masks the part of an address before its '@': of "jane@x.io" "j***" remains. */
PRIVY_NODISCARD static bool mask_local(privy_slice text, size_t at, privy_buffer *out) {
  return privy_buffer_append(out, text.text + at, character_at(text, at)) && privy_buffer_text(out, "***");
}

/* ---- phone numbers ---- */

#define LEAST_DIGITS 7        /* of a number with its + */
#define LEAST_DIGITS_LOCAL 10 /* of one without */
#define MOST_DIGITS 15
#define DATE_LENGTH 10 /* 2026-05-12 */

typedef struct phone {
  size_t length; /* 0: none */
  size_t digits;
} phone;

static size_t count_digits(privy_slice text, size_t at) {
  size_t count = 0;
  while (at + count < text.length && privy_is_digit(text.text[at + count])) count++;
  return count;
}

static bool is_sign(char byte) {
  return byte && strchr(" -.()/", byte);
}

/* The digits from `at` on, in groups with at most two of the signs between that people write there: as many groups as
 * make no more digits than a number has. */
static phone measure(privy_slice text, size_t at) {
  phone found = {0, 0};
  size_t i = at + (text.text[at] == '+');
  for (size_t signs = 0; i < text.length && signs <= 2;) {
    const size_t group = count_digits(text, i);
    if (group && found.digits && found.digits + group > MOST_DIGITS) break;
    if (!group && !is_sign(text.text[i])) break;
    i += group ? group : 1;
    signs = group ? 0 : signs + 1;
    if (group) found = (phone){i - at, found.digits + group};
  }
  return found;
}

/* "2026-05-12", whatever follows that is no digit. */
static bool is_date(privy_slice text, size_t at) {
  if (text.length - at < DATE_LENGTH || text.text[at + 4] != '-' || text.text[at + 7] != '-') return false;
  for (size_t i = 0; i < DATE_LENGTH; i++)
    if (i != 4 && i != 7 && !privy_is_digit(text.text[at + i])) return false;
  return count_digits(text, at + DATE_LENGTH) == 0;
}

/* True for a byte of a word, such as an id, whose digits are no phone number. */
static bool in_word(privy_slice text, size_t at) {
  return at < text.length && (privy_is_alnum(text.text[at]) || text.text[at] == '_');
}

/* The phone number that starts at `at`, of length 0 when none does. */
static phone phone_at(privy_slice text, size_t at) {
  static const phone none = {0, 0};
  const bool plus = text.text[at] == '+';
  if (!plus && !privy_is_digit(text.text[at]) && text.text[at] != '(') return none;
  if (!plus && (is_date(text, at) || (at > 0 && in_word(text, at - 1)))) return none;
  const phone found = measure(text, at);
  if (found.digits < (plus ? LEAST_DIGITS : LEAST_DIGITS_LOCAL)) return none;
  return plus || !in_word(text, at + found.length) ? found : none;
}

/* Masks all digits but the first ones and the last two; keeps all other characters. */
PRIVY_NODISCARD static bool mask_phone(const char *text, phone number, privy_buffer *out) {
  const size_t head = number.digits < LEAST_DIGITS_LOCAL ? 2 : *text == '+' ? 4 : 3;
  if (!privy_buffer_reserve(out, number.length)) return false;
  for (size_t i = 0, digit = 0; i < number.length; i++) {
    const bool hidden = privy_is_digit(text[i]) && digit >= head && digit + 2 < number.digits;
    digit += privy_is_digit(text[i]);
    out->data[out->length++] = hidden ? '*' : text[i];
  }
  return true;
}

/* ---- running text ---- */

/* Appends the text from `at` to `end`. Returns where to continue; 0 when memory runs out. */
static size_t copy_range(privy_slice text, size_t at, size_t end, privy_buffer *out) {
  return privy_buffer_append(out, text.text + at, end - at) ? end : 0;
}

/* Appends what is at `at` and returns where to continue; 0 when memory runs out. */
static size_t mask_next(masking *m, size_t at, privy_buffer *out) {
  const privy_slice text = m->text;
  const bool begins = m->fresh && !ends_address(text.text[at]);
  if (begins && at_sign(text, at)) return copy_range(text, at, at + at_sign(text, at), out);
  const size_t sign = begins ? find_at_sign(m, at) : text.length;
  m->fresh = false;
  if (sign < text.length) return mask_local(text, at, out) ? sign : 0;
  const phone number = phone_at(text, at);
  m->fresh = number.length || ends_address(text.text[at]); /* a number may reach into the word of an address */
  if (number.length) return mask_phone(text.text + at, number, out) ? at + number.length : 0;
  const size_t digits = count_digits(text, at); /* which do not become a number from their second on */
  return copy_range(text, at, at + (digits ? digits : 1), out);
}

privy_status privy_mask(const char *text, size_t length, privy_buffer *out) {
  masking m = {.text = {text, length}, .fresh = true};
  for (size_t at = 0, next; at < length; at = next) {
    next = mask_next(&m, at, out);
    if (next == 0) return PRIVY_NO_MEMORY;
  }
  return PRIVY_OK;
}

/* ---- header fields ---- */

bool privy_header_is_secret(const char *name) {
  return privy_is_secret_header((privy_slice){name, strlen(name)});
}

/* Lines of one name, each with the place of the next one. */
typedef struct line_chain {
  size_t next; /* 0: none */
  bool first;
} line_chain;

PRIVY_NODISCARD static bool lower_name(const privy_response_header_line *line, privy_buffer *out) {
  out->length = 0;
  for (size_t i = 0; i < line->name_length; i++)
    if (!privy_buffer_byte(out, privy_lower(line->name[i]))) return false;
  return true;
}

PRIVY_NODISCARD static bool chain_lines(const privy_response *response, privy_map *last, privy_buffer *name,
                                        line_chain *chain) {
  for (size_t i = 0; i < response->header_count; i++) {
    const privy_response_header_line *line = &response->headers[i];
    if (line->name_length == 0 || privy_header_is_secret(line->name)) continue;
    if (!lower_name(line, name)) return false;
    const size_t before = privy_map_get(last, name->data, name->length);
    chain[i].first = before == PRIVY_MAP_NONE;
    if (before != PRIVY_MAP_NONE) chain[before].next = i;
    if (!privy_map_set(last, name->data, name->length, i)) return false;
  }
  return true;
}

PRIVY_NODISCARD static bool append_text(privy_buffer *out, const char *text) {
  return privy_buffer_utf8(out, text, strlen(text));
}

PRIVY_NODISCARD static bool append_chain(const privy_response *response, const line_chain *chain, size_t at,
                                         privy_buffer *out) {
  bool done = append_text(out, response->headers[at].name) && privy_buffer_byte(out, '\0') &&
              append_text(out, response->headers[at].value);
  while (done && (at = chain[at].next) != 0)
    done = privy_buffer_text(out, ", ") && append_text(out, response->headers[at].value);
  return done && privy_buffer_byte(out, '\0');
}

privy_status privy_response_fields(const privy_response *response, privy_buffer *out) {
  if (response->header_count == 0) return PRIVY_OK;
  privy_map last = {0};
  privy_buffer name = PRIVY_BUFFER_EMPTY;
  line_chain *chain = privy_calloc(response->header_count, sizeof *chain);
  bool done = chain && chain_lines(response, &last, &name, chain);
  for (size_t i = 0; done && i < response->header_count; i++)
    if (chain[i].first) done = append_chain(response, chain, i, out);
  privy_free(chain);
  privy_map_clear(&last);
  privy_buffer_clear(&name);
  return done ? PRIVY_OK : PRIVY_NO_MEMORY;
}

/* ---- bodies ---- */

/* Bytes of a body that an error shows: enough to recognise the server. */
#define EXCERPT 2048

privy_status privy_response_excerpt(const privy_response *response, privy_buffer *out) {
  size_t length;
  const char *body = privy_response_body(response, &length);
  if (length > EXCERPT) length = privy_utf8_whole(body, EXCERPT);
  return privy_buffer_utf8(out, body, length) ? PRIVY_OK : PRIVY_NO_MEMORY;
}
