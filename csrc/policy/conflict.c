#include "policy/conflict.h"

#include <string.h>

#include "policy/same.h"
#include "json/reader.h"

/* Tolerance in seconds: the Date header has whole seconds. */
#define CLOCK_SLACK 2.0

static bool is_empty(privy_value value) {
  privy_cursor cursor;
  privy_value key, element;
  if (value.type == PRIVY_ABSENT || value.type == PRIVY_NULL) return true;
  privy_cursor_init(&cursor, value);
  return value.type == PRIVY_STRING  ? value.length == 0
         : value.type >= PRIVY_ARRAY ? !privy_cursor_next(&cursor, &key, &element)
                                     : false;
}

static bool matches_value(privy_comparison *state, const privy_field *field, privy_value sent, privy_value stored) {
  if (is_empty(sent) || is_empty(stored)) return is_empty(sent) && is_empty(stored);
  switch (field->kind) {
  case PRIVY_KIND_ENUM: return privy_same_enum_value(state, field->enum_values, sent, stored);
  case PRIVY_KIND_STRINGS: return privy_has_elements(state, stored, sent) && privy_has_elements(state, sent, stored);
  case PRIVY_KIND_FLAT: return privy_has_members(state, stored, sent) && privy_has_members(state, sent, stored);
  default:
    return field->format == PRIVY_FORMAT_EMAIL ? privy_same_text(state, sent, stored, true)
                                               : privy_same_value(state, sent, stored);
  }
}

static bool matches_field(privy_comparison *state, const privy_record *contact, privy_value key, privy_value sent) {
  privy_slice name = privy_comparison_text(state, key, &state->one);
  const privy_field *field =
      state->no_memory ? NULL : privy_object_lookup(&privy_object_contact, name.text, name.length);
  if (field)
    return field->response_index == PRIVY_NO_INDEX ||
           matches_value(state, field, sent, privy_record_get(contact, field->response_index));
  privy_value stored = privy_member_of(state, privy_record_json(contact), key);
  return stored.type == PRIVY_ABSENT || privy_same_value(state, sent, stored);
}

typedef struct body_match {
  bool consents, others; /* all that the body has match */
  bool opted_out;        /* a consent that the body gives has been withdrawn */
} body_match;

static const privy_field *field_of(privy_comparison *state, privy_value key) {
  privy_slice name = privy_comparison_text(state, key, &state->one);
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

static body_match match_body(privy_comparison *state, const privy_record *contact, privy_value body) {
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

static bool matches_body(privy_comparison *state, const privy_record *contact, const char *sent, size_t length) {
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
  privy_comparison state = {0};
  *ours = (is_since(privy_record_get(contact, PRIVY_INDEX_CONTACT_created_at), first_sent) ||
           is_since(privy_record_get(contact, PRIVY_INDEX_CONTACT_updated_at), first_sent)) &&
          matches_body(&state, contact, sent, length);
  privy_comparison_clear(&state);
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
  privy_comparison state = {0};
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
  privy_comparison_clear(&state);
  return !state.no_memory;
}
