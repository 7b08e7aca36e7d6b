/* What may be shown of texts and answers: e-mail addresses and phone numbers masked, secret headers left out, bodies
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

/* The '@' at that place, also percent-encoded: its bytes, 0 when there is none. */
static size_t at_sign(privy_slice text, size_t at) {
  if (text.text[at] == '@') return 1;
  return privy_text_starts(text.text + at, text.length - at, "%40") ? 3 : 0;
}

/*
 * The word that starts at `at` ends at the first byte that ends an address. Gives the place of its last '@', or
 * `text.length` when it has none behind its first byte.
 */
static size_t find_at_sign(privy_slice text, size_t at) {
  size_t found = text.length;
  for (size_t i = at + 1; i < text.length && !ends_address(text.text[i]); i++)
    if (at_sign(text, i)) found = i;
  return found;
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
#define DATE_LENGTH 10        /* 2026-05-12 */

typedef struct phone {
  size_t length; /* 0: none */
  size_t digits;
} phone;

/* The digits from `at` on, with at most two of the signs that people write between them. */
static phone measure(privy_slice text, size_t at) {
  phone found = {0, 0};
  for (size_t i = at, signs = 0; i < text.length && signs <= 2; i++) {
    if (privy_is_digit(text.text[i])) {
      found = (phone){i + 1 - at, found.digits + 1};
      signs = 0;
    } else if (i == at && text.text[i] == '+') {
      continue;
    } else if (strchr(" -.()/", text.text[i]) && text.text[i]) {
      signs++;
    } else {
      break;
    }
  }
  return found;
}

static bool is_date(privy_slice text, size_t at) {
  if (text.length - at < DATE_LENGTH || text.text[at + 4] != '-' || text.text[at + 7] != '-') return false;
  for (size_t i = 0; i < DATE_LENGTH; i++)
    if (i != 4 && i != 7 && !privy_is_digit(text.text[at + i])) return false;
  return true;
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

/* Shows the first digits and the last two; all else stays where it stands. */
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

/* Appends what stands at `at` and returns where to go on; 0 when memory ran out. `*fresh`: an address may begin here.
 */
static size_t mask_next(privy_slice text, size_t at, bool *fresh, privy_buffer *out) {
  const bool begins = *fresh && !at_sign(text, at) && !ends_address(text.text[at]);
  const size_t sign = begins ? find_at_sign(text, at) : text.length;
  *fresh = false;
  if (sign < text.length) return mask_local(text, at, out) ? sign : 0;
  const phone number = phone_at(text, at);
  *fresh = number.length || ends_address(text.text[at]); /* a number may reach into the word of an address */
  if (number.length) return mask_phone(text.text + at, number, out) ? at + number.length : 0;
  size_t end = at + 1; /* digits that are no number do not become one from their second on */
  while (privy_is_digit(text.text[at]) && end < text.length && privy_is_digit(text.text[end])) end++;
  return privy_buffer_append(out, text.text + at, end - at) ? end : 0;
}

privy_status privy_mask(const char *text, size_t length, privy_buffer *out) {
  const privy_slice all = {text, length};
  bool fresh = true;
  for (size_t at = 0, next; at < length; at = next) {
    next = mask_next(all, at, &fresh, out);
    if (next == 0) return PRIVY_NO_MEMORY;
  }
  return PRIVY_OK;
}

/* ---- header fields ---- */

bool privy_header_is_secret(const char *name) {
  static const char *const secret[] = {"Set-Cookie",    "Set-Cookie2",         "Cookie",
                                       "Authorization", "Proxy-Authorization", "X-Privy-Integration-Token"};
  for (size_t i = 0; i < sizeof secret / sizeof secret[0]; i++)
    if (privy_text_is_nocase(name, strlen(name), secret[i])) return true;
  return false;
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

/* Bytes of a body that an error shows: enough to recognise whose answer it was. */
#define EXCERPT 2048

privy_status privy_response_excerpt(const privy_response *response, privy_buffer *out) {
  size_t length;
  const char *body = privy_response_body(response, &length);
  if (length > EXCERPT) length = privy_utf8_whole(body, EXCERPT);
  return privy_buffer_utf8(out, body, length) ? PRIVY_OK : PRIVY_NO_MEMORY;
}
