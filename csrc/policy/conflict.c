#include "policy/conflict.h"

#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "schema/schema.h"
#include "json/reader.h"

/* Tolerance in seconds: the Date header has whole seconds. */
#define CLOCK_SLACK 2.0

/* Buffers for two decoded strings. */
typedef struct comparison {
  privy_buffer one, other;
  bool no_memory;
} comparison;

/* ---- values ---- */

static privy_slice text_of(comparison *state, privy_value string, privy_buffer *buffer) {
  if (!string.escaped) return (privy_slice){string.text, string.length};
  buffer->length = 0;
  if (privy_value_decode(string, buffer) != PRIVY_OK) state->no_memory = true;
  return (privy_slice){buffer->data, buffer->length};
}

static bool same_text(comparison *state, privy_value one, privy_value other, bool nocase) {
  if (one.type != PRIVY_STRING || other.type != PRIVY_STRING) return false;
  privy_slice a = text_of(state, one, &state->one), b = text_of(state, other, &state->other);
  if (a.length != b.length || a.length == 0) return a.length == b.length;
  return nocase ? privy_text_equal_nocase(a.text, a.length, b.text, b.length) : memcmp(a.text, b.text, a.length) == 0;
}

#define MAX_DIGITS 40

/* A number: its digits without leading and trailing zeros, and the power of ten of the last digit. */
typedef struct decimal {
  bool negative;
  char digits[MAX_DIGITS];
  size_t count;
  int64_t exponent;
} decimal;

/* False if the number has more than MAX_DIGITS digits. */
static bool read_decimal(privy_value number, decimal *out) {
  const char *at = number.text, *const end = at + number.length;
  bool fraction = false;
  int64_t exponent = 0;
  *out = (decimal){.negative = *at == '-'};
  for (at += out->negative; at < end && *at != 'e' && *at != 'E'; at++) {
    if (*at == '.') {
      fraction = true;
      continue;
    }
    out->exponent -= fraction;
    if (*at == '0' && out->count == 0) continue;
    if (out->count == MAX_DIGITS) return false;
    out->digits[out->count++] = *at;
  }
  if (at < end) at += 1 + (at[1] == '+');
  if (at < end && !privy_parse_int64(at, (size_t)(end - at), &exponent)) return false;
  if (exponent < INT32_MIN || exponent > INT32_MAX) return false;
  out->exponent += exponent;
  while (out->count && out->digits[out->count - 1] == '0') out->count--, out->exponent++;
  if (out->count == 0) out->negative = false, out->exponent = 0;
  return true;
}

static bool same_number(privy_value one, privy_value other) {
  decimal a, b;
  if (one.type != PRIVY_NUMBER || other.type != PRIVY_NUMBER) return false;
  if (one.length == other.length && memcmp(one.text, other.text, one.length) == 0) return true;
  return read_decimal(one, &a) && read_decimal(other, &b) && a.negative == b.negative && a.exponent == b.exponent &&
         a.count == b.count && memcmp(a.digits, b.digits, a.count) == 0;
}

/* Compares values of one field, or elements of a list. Containers are equal only if their JSON text is the same. */
static bool same_value(comparison *state, privy_value one, privy_value other) {
  switch (one.type) {
  case PRIVY_STRING: return same_text(state, one, other, false);
  case PRIVY_NUMBER: return same_number(one, other);
  case PRIVY_ARRAY:
  case PRIVY_OBJECT:
    return one.type == other.type && one.length == other.length && memcmp(one.text, other.text, one.length) == 0;
  default: return one.type == other.type;
  }
}

/* ---- fields ---- */

static bool has_element(comparison *state, privy_value list, privy_value wanted) {
  privy_cursor cursor;
  privy_value key, element;
  privy_cursor_init(&cursor, list);
  while (privy_cursor_next(&cursor, &key, &element))
    if (same_value(state, wanted, element)) return true;
  return false;
}

static bool has_elements(comparison *state, privy_value list, privy_value wanted) {
  privy_cursor cursor;
  privy_value key, element;
  privy_cursor_init(&cursor, wanted);
  while (privy_cursor_next(&cursor, &key, &element))
    if (!has_element(state, list, element)) return false;
  return true;
}

/* The last member with that key; PRIVY_ABSENT if there is none. */
static privy_value member_of(comparison *state, privy_value object, privy_value wanted) {
  privy_cursor cursor;
  privy_value key, value, found = {.type = PRIVY_ABSENT};
  if (object.type != PRIVY_OBJECT) return found;
  privy_cursor_init(&cursor, object);
  while (privy_cursor_next(&cursor, &key, &value))
    if (same_text(state, key, wanted, false)) found = value;
  return found;
}

static bool has_members(comparison *state, privy_value object, privy_value wanted) {
  privy_cursor cursor;
  privy_value key, value;
  privy_cursor_init(&cursor, wanted);
  while (privy_cursor_next(&cursor, &key, &value))
    if (!same_value(state, value, member_of(state, object, key))) return false;
  return true;
}

static bool is_empty(privy_value value) {
  privy_cursor cursor;
  privy_value key, element;
  if (value.type == PRIVY_ABSENT || value.type == PRIVY_NULL) return true;
  privy_cursor_init(&cursor, value);
  return value.type == PRIVY_STRING  ? value.length == 0
         : value.type >= PRIVY_ARRAY ? !privy_cursor_next(&cursor, &key, &element)
                                     : false;
}

/* A response may contain an alias of the value. */
static bool same_enum_value(comparison *state, const privy_enum *enum_values, privy_value sent, privy_value stored) {
  const char *name = stored.enum_value ? privy_enum_value(enum_values, (size_t)stored.enum_value - 1) : NULL;
  return name ? sent.type == PRIVY_STRING && privy_value_is(sent, name) : same_text(state, sent, stored, false);
}

static bool matches_value(comparison *state, const privy_field *field, privy_value sent, privy_value stored) {
  if (is_empty(sent) || is_empty(stored)) return is_empty(sent) && is_empty(stored);
  switch (field->kind) {
  case PRIVY_KIND_ENUM: return same_enum_value(state, field->enum_values, sent, stored);
  case PRIVY_KIND_STRINGS: return has_elements(state, stored, sent) && has_elements(state, sent, stored);
  case PRIVY_KIND_FLAT: return has_members(state, stored, sent) && has_members(state, sent, stored);
  default:
    return field->format == PRIVY_FORMAT_EMAIL ? same_text(state, sent, stored, true) : same_value(state, sent, stored);
  }
}

static bool matches_field(comparison *state, const privy_record *contact, privy_value key, privy_value sent) {
  privy_slice name = text_of(state, key, &state->one);
  const privy_field *field =
      state->no_memory ? NULL : privy_object_lookup(&privy_object_contact, name.text, name.length);
  if (field)
    return field->response_index == PRIVY_NO_INDEX ||
           matches_value(state, field, sent, privy_record_get(contact, field->response_index));
  privy_value stored = member_of(state, privy_record_json(contact), key);
  return stored.type == PRIVY_ABSENT || same_value(state, sent, stored);
}

typedef struct body_match {
  bool consents, others; /* all that the body has match */
  bool opted_out;        /* a consent that the body gives has been withdrawn */
} body_match;

static const privy_field *field_of(comparison *state, privy_value key) {
  privy_slice name = text_of(state, key, &state->one);
  return state->no_memory ? NULL : privy_object_lookup(&privy_object_contact, name.text, name.length);
}

static bool is_consent(const privy_field *field) {
  return field && (field->enum_values == &privy_enum_email_consent || field->enum_values == &privy_enum_sms_consent);
}

static bool gives_consent(privy_value value) {
  return value.type == PRIVY_STRING && (privy_value_is(value, "subscribed") || privy_value_is(value, "single_opt_in"));
}

/* A state that only the contact or the merchant chooses against messages. Unknown states count as such. */
static bool is_opted_out(const privy_field *field, privy_value stored) {
  static const char *const open[] = {"subscribed", "single_opt_in", "never_subscribed", "pending"};
  const char *name = stored.enum_value ? privy_enum_value(field->enum_values, (size_t)stored.enum_value - 1) : NULL;
  for (size_t i = 0; name && i < sizeof open / sizeof *open; i++)
    if (strcmp(name, open[i]) == 0) return false;
  return true;
}

static body_match match_body(comparison *state, const privy_record *contact, privy_value body) {
  body_match match = {true, true, false};
  privy_cursor cursor;
  privy_value key, value;
  privy_cursor_init(&cursor, body);
  while (privy_cursor_next(&cursor, &key, &value)) {
    const privy_field *field = field_of(state, key);
    bool *all = is_consent(field) ? &match.consents : &match.others;
    *all = matches_field(state, contact, key, value) && *all;
    if (is_consent(field) && gives_consent(value) &&
        is_opted_out(field, privy_record_get(contact, field->response_index)))
      match.opted_out = true;
  }
  return match;
}

static bool matches_body(comparison *state, const privy_record *contact, const char *sent, size_t length) {
  privy_reader reader;
  privy_value body;
  privy_reader_init(&reader, sent, length);
  if (!privy_reader_value(&reader, &body)) return false;
  const body_match match = match_body(state, contact, body);
  return match.consents && match.others;
}

/* ---- times ---- */

static bool is_since(privy_value instant, double since) {
  privy_time time;
  return instant.type == PRIVY_STRING && privy_time_parse(instant.text, instant.length, &time) &&
         (double)time.seconds + time.nanos / 1e9 >= since - CLOCK_SLACK;
}

bool privy_conflict_created_by_us(const char *sent, size_t length, const privy_record *contact, double first_sent,
                                  bool *ours) {
  comparison state = {PRIVY_BUFFER_EMPTY, PRIVY_BUFFER_EMPTY, false};
  *ours = (is_since(privy_record_get(contact, PRIVY_INDEX_CONTACT_created_at), first_sent) ||
           is_since(privy_record_get(contact, PRIVY_INDEX_CONTACT_updated_at), first_sent)) &&
          matches_body(&state, contact, sent, length);
  privy_buffer_clear(&state.one);
  privy_buffer_clear(&state.other);
  return !state.no_memory;
}

bool privy_conflict_gives_consent(const char *sent, size_t length) {
  const privy_value body = {.text = sent, .length = (uint32_t)length, .type = PRIVY_OBJECT};
  privy_cursor cursor;
  privy_value key, value;
  privy_cursor_init(&cursor, body);
  while (privy_cursor_next(&cursor, &key, &value)) {
    const privy_field *field = privy_object_lookup(&privy_object_contact, key.text, key.length);
    if (is_consent(field) && gives_consent(value)) return true;
  }
  return false;
}

bool privy_conflict_judge(const char *sent, size_t length, const privy_record *contact, double first_sent,
                          privy_doubt *out) {
  comparison state = {PRIVY_BUFFER_EMPTY, PRIVY_BUFFER_EMPTY, false};
  const privy_value body = {.text = sent, .length = (uint32_t)length, .type = PRIVY_OBJECT};
  const body_match match = match_body(&state, contact, body);
  const bool changed = is_since(privy_record_get(contact, PRIVY_INDEX_CONTACT_created_at), first_sent) ||
                       is_since(privy_record_get(contact, PRIVY_INDEX_CONTACT_updated_at), first_sent);
  if (!changed)
    *out = PRIVY_DOUBT_NOT_APPLIED;
  else if (match.opted_out)
    *out = match.others ? PRIVY_DOUBT_APPLIED : PRIVY_DOUBT_REMAINS;
  else
    *out = match.others && match.consents ? PRIVY_DOUBT_APPLIED : PRIVY_DOUBT_NOT_APPLIED;
  privy_buffer_clear(&state.one);
  privy_buffer_clear(&state.other);
  return !state.no_memory;
}
