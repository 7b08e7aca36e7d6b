#include <string.h>

#include "jobs/compare.h"
#include "jobs/plan.h"
#include "jobs/plan_consents.h"
#include "message/record.h"
#include "schema/details.h"

#define FIELD(name) PRIVY_FIELD_CONTACT_##name
#define INDEX(name) PRIVY_INDEX_CONTACT_##name
/* A contact as it is after a create that says nothing. */
#define NEW_CONTACT                                                                                                    \
  "{\"email_consent\":\"never_subscribed\",\"sms_consent\":\"never_subscribed\",\"tags\":[],\"custom_fields\":{}}"

/* A row that is compared with its contact. */
typedef struct comparer {
  privy_plan *plan;
  plan_row *row;
  plan_contact *contact;
  const privy_record *stored; /* the contact after the rows before */
  privy_comparison same;
  privy_writer changes;
  privy_buffer patch; /* an object of what the row sends */
  privy_writer sent;
  privy_buffer merged;     /* a value that is made of two */
  privy_value consents[2]; /* that the row gives: e-mail, SMS */
  bool changes_sms;
  bool gets_phone;
} comparer;

/* ---- blocks ---- */

static const char *const block_codes[] = {
#define X(constant, code, doc) code,
    PRIVY_PLAN_BLOCKS(X)
#undef X
};

static privy_slice slice_of(const char *text) {
  return (privy_slice){text, strlen(text)};
}

static void block(comparer *at, unsigned field, plan_block reason, const char *message) {
  const char *name = field < PRIVY_CONTACT_FIELDS ? privy_object_contact.fields[field].name : "base";
  if (!privy_details_add(&at->row->details, slice_of(name), slice_of(message), slice_of(block_codes[reason]),
                         PRIVY_NO_LIMIT))
    at->same.no_memory = true;
}

/* "is unsubscribed, and would become subscribed: " and the reason. */
static void block_consent(comparer *at, unsigned field, plan_block reason, privy_value from, privy_value to,
                          const char *why) {
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  const bool made = privy_buffer_format(&text, "is %.*s, and would become %.*s: %s", (int)from.length, from.text,
                                        (int)to.length, to.text, why) &&
                    privy_buffer_terminate(&text);
  if (made)
    block(at, field, reason, text.data);
  else
    at->same.no_memory = true;
  privy_buffer_clear(&text);
}

/* ---- members ---- */

/* The value that the contact gets: that of the row, or both. */
static privy_value wanted(comparer *at, const privy_field *field, privy_value sent, privy_value stored) {
  const bool list = field && field->kind == PRIVY_KIND_STRINGS, object = field && field->kind == PRIVY_KIND_FLAT;
  const privy_plan_mode mode = list ? at->plan->config.tags : at->plan->config.fields;
  privy_value merged = sent;
  if ((!list && !object) || mode == PRIVY_PLAN_REPLACE || privy_is_missing(stored)) return sent;
  if (!privy_merge(&at->same, field, stored, sent, &at->merged, &merged)) at->same.no_memory = true;
  return merged;
}

static void write_value(privy_writer *writer, privy_value value) {
  if (value.type == PRIVY_ABSENT)
    privy_writer_null(writer);
  else
    privy_writer_value(writer, value);
}

/* Writes a key as it was read, with its escapes. */
static void write_key(privy_writer *writer, privy_value key) {
  privy_writer_raw(writer, key.text - 1, key.length + 2u);
  if (!writer->failed) writer->failed = !privy_buffer_byte(writer->out, ':');
  writer->comma = false;
}

static void add_change(comparer *at, privy_value key, privy_value from, privy_value to) {
  write_key(&at->changes, key);
  privy_writer_begin_array(&at->changes);
  write_value(&at->changes, from);
  write_value(&at->changes, to);
  privy_writer_end_array(&at->changes);
  write_key(&at->sent, key);
  write_value(&at->sent, to);
}

static const privy_field *field_of(privy_comparison *same, privy_value key) {
  const privy_slice name = privy_comparison_text(same, key, &same->one);
  return same->no_memory ? NULL : privy_object_lookup(&privy_object_contact, name.text, name.length);
}

static unsigned number_of(const privy_field *field) {
  return (unsigned)(field - privy_object_contact.fields);
}

static bool is_identifier(const privy_field *field) {
  return field && (field->flags & PRIVY_FIELD_ROW_KEY);
}

static void note_consents(comparer *at, const privy_field *field, privy_value sent, bool changed) {
  if (number_of(field) == FIELD(email_consent)) at->consents[0] = sent;
  if (number_of(field) != FIELD(sms_consent) || !changed) return;
  at->consents[1] = sent;
  at->changes_sms = true;
}

static void compare_member(comparer *at, privy_value key, privy_value sent) {
  const privy_field *field = field_of(&at->same, key);
  if (field && field->response_index == PRIVY_NO_INDEX) return; /* only says how the others are applied */
  if (is_identifier(field) && sent.type == PRIVY_NULL) return;
  const privy_value stored = field ? privy_record_get(at->stored, field->response_index)
                                   : privy_member_of(&at->same, privy_record_json(at->stored), key);
  const privy_value to = wanted(at, field, sent, stored);
  const bool changed = field || stored.type != PRIVY_ABSENT ? privy_differs(&at->same, field, to, stored) : true;
  if (field) note_consents(at, field, sent, changed);
  if (!changed) return;
  add_change(at, key, stored, to);
  if (is_identifier(field) && !privy_is_missing(stored))
    block(at, number_of(field), PLAN_BLOCK_IMMUTABLE,
          "cannot be changed or cleared: the contact that the row is about has another one");
}

static privy_value parsed(const char *text, size_t length) {
  return (privy_value){.text = text, .length = (uint32_t)length, .type = length ? PRIVY_OBJECT : PRIVY_ABSENT};
}

static privy_value body_of(const plan_row *row) {
  return parsed(row->body, row->length);
}

/* The member of a field whose name needs no escape. */
static privy_value member(comparer *at, privy_value object, unsigned field) {
  const privy_field *row = &privy_object_contact.fields[field];
  const privy_value name = {.text = row->name, .length = row->name_length, .type = PRIVY_STRING};
  return privy_member_of(&at->same, object, name);
}

/* ---- consents ---- */

static int position_of(const privy_enum *enum_values, privy_value value) {
  return value.enum_value
             ? value.enum_value - 1
             : privy_enum_index(enum_values, value.type == PRIVY_STRING ? value.text : "", value.length, true);
}

static bool is_email_consent(privy_value value, privy_email_consent consent) {
  return value.type == PRIVY_STRING && position_of(&privy_enum_email_consent, value) == (int)consent;
}

static void check_email_consent(comparer *at) {
  const privy_value from = privy_record_get(at->stored, INDEX(email_consent)), to = at->consents[0];
  const bool given = to.type == PRIVY_STRING;
  if (is_email_consent(from, PRIVY_email_consent_compliance_suppressed)) {
    block(at, FIELD(email_consent), PLAN_BLOCK_COMPLIANCE,
          "is compliance_suppressed: the API refuses each change of the contact");
  } else if (is_email_consent(from, PRIVY_email_consent_suppressed)) {
    const bool keeps = given && is_email_consent(to, PRIVY_email_consent_suppressed);
    if (!keeps && !at->plan->config.resubscribe)
      block(at, FIELD(email_consent), PLAN_BLOCK_RESUBSCRIBES,
            "is suppressed, and any change of the contact lifts that; pass resubscribe to allow it");
  } else if (given && privy_differs(&at->same, &privy_object_contact.fields[FIELD(email_consent)], to, from)) {
    const plan_block reason =
        privy_plan_check_email_consent(position_of(&privy_enum_email_consent, from),
                                       position_of(&privy_enum_email_consent, to), at->plan->config.resubscribe);
    if (reason != PLAN_BLOCK_NONE)
      block_consent(at, FIELD(email_consent), reason, from, to,
                    "the consent was withdrawn; pass resubscribe to allow it");
  }
}

static void check_sms_consent(comparer *at) {
  static const char *const messages[] = {
      [PLAN_BLOCK_RESUBSCRIBES] = "only the person can give this consent; pass resubscribe to allow it",
      [PLAN_BLOCK_TRANSITION] = "the API accepts single_opt_in only from never_subscribed",
      [PLAN_BLOCK_NEEDS_PHONE] = "this needs a phone number",
  };
  const privy_value from = privy_record_get(at->stored, INDEX(sms_consent)), to = at->consents[1];
  if (!at->changes_sms) return;
  const plan_block reason =
      privy_plan_check_sms_consent(position_of(&privy_enum_sms_consent, from), position_of(&privy_enum_sms_consent, to),
                                   at->gets_phone, at->plan->config.resubscribe);
  if (reason != PLAN_BLOCK_NONE) block_consent(at, FIELD(sms_consent), reason, from, to, messages[reason]);
}

/* What must be sent with the changes, though it does not change. */
static void add_companions(comparer *at) {
  const privy_value from = privy_record_get(at->stored, INDEX(email_consent));
  const privy_field *fields = privy_object_contact.fields;
  if (is_email_consent(from, PRIVY_email_consent_suppressed) &&
      is_email_consent(at->consents[0], PRIVY_email_consent_suppressed)) {
    privy_writer_key(&at->sent, fields[FIELD(email_consent)].name, fields[FIELD(email_consent)].name_length);
    privy_writer_value(&at->sent, at->consents[0]);
  }
  const privy_value welcome = member(at, body_of(at->row), FIELD(send_welcome_sms));
  if (!at->changes_sms || welcome.type == PRIVY_ABSENT) return;
  privy_writer_key(&at->sent, fields[FIELD(send_welcome_sms)].name, fields[FIELD(send_welcome_sms)].name_length);
  privy_writer_value(&at->sent, welcome);
}

/* ---- what is sent to the contact ---- */

/* Whether what an earlier row sends is replaced. Whether to welcome belongs to the consent that was last given. */
static bool is_replaced(comparer *at, privy_value key, privy_value later) {
  const privy_field *field = field_of(&at->same, key);
  return privy_member_of(&at->same, later, key).type != PRIVY_ABSENT ||
         (field && number_of(field) == FIELD(send_welcome_sms) && at->changes_sms);
}

/* Adds what the row sends to what earlier rows send. */
static bool add_to_patch(comparer *at) {
  const privy_value earlier = parsed(at->contact->patch.data, at->contact->patch.length),
                    later = parsed(at->patch.data, at->patch.length);
  privy_buffer next = PRIVY_BUFFER_EMPTY;
  privy_writer writer;
  privy_cursor cursor;
  privy_value key, value;
  privy_writer_init(&writer, &next);
  privy_writer_begin_object(&writer);
  privy_cursor_init(&cursor, earlier);
  while (privy_cursor_next(&cursor, &key, &value))
    if (!is_replaced(at, key, later)) privy_write_member(&writer, key, value);
  privy_cursor_init(&cursor, later);
  while (privy_cursor_next(&cursor, &key, &value)) privy_write_member(&writer, key, value);
  privy_writer_end_object(&writer);
  if (writer.failed) {
    privy_buffer_clear(&next);
    return false;
  }
  privy_buffer_clear(&at->contact->patch);
  at->contact->patch = next;
  return true;
}

/* The contact after earlier rows: of members that come twice the later one counts. */
static bool load(const plan_contact *contact, privy_response **out) {
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  privy_error error;
  privy_error_init(&error);
  const size_t base = contact->base.length, patch = contact->patch.length;
  bool made = base ? privy_buffer_append(&text, contact->base.data, base) : privy_buffer_text(&text, NEW_CONTACT);
  if (made && patch > 2) {
    text.length--;
    made = (text.length == 1 || privy_buffer_byte(&text, ',')) &&
           privy_buffer_append(&text, contact->patch.data + 1, patch - 1);
  }
  made = made && privy_response_load(&privy_object_contact, text.data, text.length, out, &error) == PRIVY_OK;
  privy_buffer_clear(&text);
  privy_error_clear(&error);
  return made;
}

/* ---- rows ---- */

static bool is_new(const plan_contact *contact) {
  return contact->base.length == 0 && contact->rows == 0;
}

static void compare_members(comparer *at) {
  privy_cursor cursor;
  privy_value key, value;
  const privy_value body = body_of(at->row);
  privy_writer_begin_object(&at->changes);
  privy_writer_begin_object(&at->sent);
  privy_cursor_init(&cursor, body);
  while (privy_cursor_next(&cursor, &key, &value)) compare_member(at, key, value);
  at->gets_phone = privy_record_get(at->stored, INDEX(phone_number)).type == PRIVY_STRING ||
                   member(at, body, FIELD(phone_number)).type == PRIVY_STRING;
}

/* Whether the row changes nothing: then the writers hold an open brace. */
static bool is_unchanged(const comparer *at) {
  return at->row->changes.length <= 1;
}

static void check_blocks(comparer *at) {
  if (at->contact->base.length && !at->contact->id)
    block(at, PRIVY_CONTACT_FIELDS, PLAN_BLOCK_NO_ID, "the API's response has no id of the contact");
  check_email_consent(at);
  check_sms_consent(at);
}

static privy_plan_state judge(comparer *at) {
  if (is_unchanged(at)) {
    privy_buffer_clear(&at->row->changes);
    return PRIVY_PLAN_UNCHANGED;
  }
  check_blocks(at);
  add_companions(at);
  privy_writer_end_object(&at->changes);
  privy_writer_end_object(&at->sent);
  return at->row->details.count ? PRIVY_PLAN_BLOCKED : PRIVY_PLAN_UPDATE;
}

static bool compare(comparer *at) {
  privy_response *response = NULL;
  if (!load(at->contact, &response)) return false;
  at->stored = privy_response_record(response, 0);
  compare_members(at);
  at->row->state = (uint8_t)judge(at);
  bool done = !at->same.no_memory && !at->changes.failed && !at->sent.failed;
  if (done && at->row->state == PRIVY_PLAN_UPDATE) done = add_to_patch(at);
  privy_response_release(response);
  return done;
}

/* A row of a contact that is not there yet: all that it says is sent. */
static bool create(comparer *at) {
  privy_cursor cursor;
  privy_value key, value;
  privy_writer_begin_object(&at->changes);
  privy_cursor_init(&cursor, body_of(at->row));
  while (privy_cursor_next(&cursor, &key, &value))
    if (value.type != PRIVY_NULL) add_change(at, key, (privy_value){.type = PRIVY_ABSENT}, value);
  privy_writer_end_object(&at->changes);
  at->row->state = PRIVY_PLAN_CREATE;
  return !at->changes.failed && privy_buffer_append(&at->contact->patch, at->row->body, at->row->length);
}

static bool block_two(plan_row *row) {
  comparer at = {.row = row};
  row->state = PRIVY_PLAN_BLOCKED;
  block(&at, PRIVY_CONTACT_FIELDS, PLAN_BLOCK_TWO_CONTACTS,
        "email and phone_number belong to two contacts: send a row for each of them");
  return !at.same.no_memory;
}

bool privy_plan_compare_row(privy_plan *plan, size_t number) {
  plan_row *row = &plan->rows.items[number];
  bool conflict;
  if (!row->body) return true;
  const size_t contact = privy_plan_find_contact(plan, row, &conflict);
  if (contact == PLAN_NONE) return false;
  row->contact = contact;
  if (conflict) return block_two(row);
  comparer at = {.plan = plan, .row = row, .contact = &plan->contacts.items[contact]};
  privy_writer_init(&at.changes, &row->changes);
  privy_writer_init(&at.sent, &at.patch);
  const bool done = is_new(at.contact) ? create(&at) : compare(&at);
  const bool changes = row->state == PRIVY_PLAN_CREATE || row->state == PRIVY_PLAN_UPDATE;
  if (done && changes) {
    at.contact->rows++;
    privy_plan_claim_keys(plan, row, contact);
  }
  privy_comparison_clear(&at.same);
  privy_buffer_clear(&at.patch);
  privy_buffer_clear(&at.merged);
  return done;
}

/* ---- several rows of one contact ---- */

static bool is_still_sent(comparer *at, privy_value key, privy_value value) {
  const privy_field *field = field_of(&at->same, key);
  if (field && field->response_index == PRIVY_NO_INDEX) return at->changes_sms;
  const privy_value stored = field ? privy_record_get(at->stored, field->response_index)
                                   : privy_member_of(&at->same, privy_record_json(at->stored), key);
  if (!field && stored.type == PRIVY_ABSENT) return true;
  return privy_differs(&at->same, field, value, stored);
}

/* Writes what still differs. Returns how many members that are. */
static size_t write_reduced(comparer *at) {
  const privy_value patch = parsed(at->contact->patch.data, at->contact->patch.length);
  const privy_value sms = member(at, patch, FIELD(sms_consent)), email = member(at, patch, FIELD(email_consent));
  const privy_field *fields = privy_object_contact.fields;
  privy_cursor cursor;
  privy_value key, value;
  size_t count = 0;
  at->changes_sms = sms.type != PRIVY_ABSENT && privy_differs(&at->same, &fields[FIELD(sms_consent)], sms,
                                                              privy_record_get(at->stored, INDEX(sms_consent)));
  privy_writer_begin_object(&at->sent);
  privy_cursor_init(&cursor, patch);
  while (privy_cursor_next(&cursor, &key, &value)) {
    if (!is_still_sent(at, key, value)) continue;
    privy_write_member(&at->sent, key, value);
    count++;
  }
  at->consents[0] = email;
  if (count && is_email_consent(privy_record_get(at->stored, INDEX(email_consent)), PRIVY_email_consent_suppressed) &&
      is_email_consent(email, PRIVY_email_consent_suppressed)) {
    privy_writer_key(&at->sent, fields[FIELD(email_consent)].name, fields[FIELD(email_consent)].name_length);
    privy_writer_value(&at->sent, email);
  }
  privy_writer_end_object(&at->sent);
  return count;
}

bool privy_plan_reduce(privy_plan *plan, plan_contact *contact) {
  plan_contact before = {.base = contact->base};
  privy_response *response = NULL;
  comparer at = {.plan = plan, .contact = contact};
  if (contact->rows < 2 || contact->base.length == 0) return true;
  if (!load(&before, &response)) return false;
  at.stored = privy_response_record(response, 0);
  privy_writer_init(&at.sent, &at.patch);
  const size_t count = write_reduced(&at);
  const bool done = !at.same.no_memory && !at.sent.failed;
  if (done) {
    privy_buffer_clear(&contact->patch);
    contact->patch = at.patch;
    if (count == 0) privy_buffer_clear(&contact->patch);
  } else {
    privy_buffer_clear(&at.patch);
  }
  privy_comparison_clear(&at.same);
  privy_response_release(response);
  return done;
}
