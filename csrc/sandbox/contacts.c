#include <string.h>

#include "sandbox/consent.h"
#include "sandbox/exchange.h"
#include "sandbox/ids.h"

#define ROW(name) PRIVY_FIELD_CONTACT_##name

static const unsigned key_rows[PRIVY_KEY_COUNT] = {ROW(email), ROW(phone_number)};

/* Where the keys among some rows lead; e-mail goes before phone. */
typedef struct lookup {
  size_t live;    /* the contact that has one of them */
  size_t gone;    /* the deleted contact that had one of them */
  bool supported; /* the phone number is of a country that SMS reaches */
} lookup;

static bool is_supported(const privy_sandbox *sandbox, privy_slice phone) {
  privy_slice list = {sandbox->sms_countries, strlen(sandbox->sms_countries)}, prefix;
  while (privy_next_word(&list, ' ', &prefix)) {
    if (prefix.length <= phone.length && memcmp(prefix.text, phone.text, prefix.length) == 0) return true;
  }
  return false;
}

static void look_at(const privy_sandbox *sandbox, privy_key key, privy_slice text, lookup *out) {
  const privy_store *store = &sandbox->store;
  if (key == PRIVY_KEY_PHONE) out->supported = is_supported(sandbox, text);
  const size_t holder = privy_store_holder(store, key, text);
  if (holder == PRIVY_STORE_NONE) return;
  size_t *found = store->contacts[holder].deleted ? &out->gone : &out->live;
  if (*found == PRIVY_STORE_NONE) *found = holder;
}

PRIVY_NODISCARD static bool look_up(const privy_sandbox *sandbox, const privy_value *rows, lookup *out) {
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  bool done = true;
  *out = (lookup){PRIVY_STORE_NONE, PRIVY_STORE_NONE, false};
  for (unsigned i = 0; i < PRIVY_KEY_COUNT && done; i++) {
    text.length = 0;
    done = privy_store_key(rows[key_rows[i]], (privy_key)i, &text);
    if (done && text.length) look_at(sandbox, (privy_key)i, (privy_slice){text.data, text.length}, out);
  }
  privy_buffer_clear(&text);
  return done;
}

/* Rows that answers hold take the values given. */
static void overlay(privy_value *rows, const privy_value *given) {
  for (size_t i = 0; i < privy_object_contact.response_field_count; i++) {
    const size_t row = privy_object_contact.response_fields[i];
    if (given[row].type != PRIVY_ABSENT) rows[row] = given[row];
  }
}

/* ---- create ------------------------------------------------------------------------------------------------------ */

/* Whether the deleted contact must stay under compliance suppression when it comes back. */
static bool stays_suppressed(const privy_store *store, size_t gone) {
  return gone != PRIVY_STORE_NONE && privy_store_choice_of(store->contacts[gone].rows, ROW(email_consent)) ==
                                         PRIVY_email_consent_compliance_suppressed;
}

/* Prepares a contact with the rows given and nothing else: a new one, or in place of a deleted one. */
PRIVY_NODISCARD static bool prepare_creation(privy_exchange *exchange, privy_contact_change *change, size_t gone,
                                             const privy_value *given) {
  privy_store *store = &exchange->sandbox->store;
  privy_value rows[PRIVY_CONTACT_FIELDS] = {0};
  char id[PRIVY_ID_SIZE], now[PRIVY_TIME_TEXT_SIZE];
  privy_make_id(id, "cus_", store->contact_serial + 1);
  privy_now_text(now, exchange->now);
  rows[ROW(tags)] = (privy_value){.text = "[]", .length = 2, .type = PRIVY_ARRAY};
  rows[ROW(custom_fields)] = (privy_value){.text = "{}", .length = 2, .type = PRIVY_OBJECT};
  rows[ROW(email_consent)] = privy_store_choice(&privy_enum_email_consent, PRIVY_email_consent_never_subscribed);
  rows[ROW(sms_consent)] = privy_store_choice(&privy_enum_sms_consent, PRIVY_sms_consent_never_subscribed);
  overlay(rows, given);
  rows[ROW(id)] = privy_store_string(id);
  rows[ROW(created_at)] = rows[ROW(updated_at)] = privy_store_string(now);
  if (gone != PRIVY_STORE_NONE) {
    rows[ROW(id)] = store->contacts[gone].rows[ROW(id)];
    rows[ROW(created_at)] = store->contacts[gone].rows[ROW(created_at)];
  }
  if (stays_suppressed(store, gone))
    rows[ROW(email_consent)] = privy_store_choice(&privy_enum_email_consent, PRIVY_email_consent_compliance_suppressed);
  return privy_contact_prepare(store, change, gone, rows);
}

static void judge_creation(privy_exchange *exchange, const lookup *found) {
  const privy_value *given = exchange->rows;
  if (stays_suppressed(&exchange->sandbox->store, found->gone))
    privy_input_refuse(exchange, ROW(email_consent),
                       privy_consent_email_error_message(PRIVY_email_consent_compliance_suppressed));
  if (given[ROW(sms_consent)].type == PRIVY_ABSENT) return;
  const privy_sms_consent to = (privy_sms_consent)privy_store_choice_of(given, ROW(sms_consent));
  const char *fault = privy_consent_sms_create_error_message(to, found->supported);
  if (fault) privy_input_refuse(exchange, ROW(sms_consent), fault);
}

/* Answers the faults that were kept, if any. */
static privy_status answer_faults(privy_exchange *exchange) {
  if (exchange->check.no_memory) return PRIVY_NO_MEMORY;
  return exchange->check.details.count ? privy_respond_details(exchange) : PRIVY_OK;
}

/* Answers the contact as it will be, and makes it so. */
static privy_status finish_change(privy_exchange *exchange, int http_status, privy_contact_change *change,
                                  privy_sms_consent from) {
  privy_store *store = &exchange->sandbox->store;
  const privy_value *rows = change->next.rows;
  const bool wanted = exchange->rows[ROW(send_welcome_sms)].type != PRIVY_FALSE;
  const bool welcomes =
      privy_consent_welcomes(from, (privy_sms_consent)privy_store_choice_of(rows, ROW(sms_consent)), wanted);
  const privy_status status = privy_respond_data(exchange, http_status, &privy_object_contact, rows);
  if (status != PRIVY_OK) {
    privy_contact_abandon(store, change);
    return status;
  }
  privy_contact_commit(store, change);
  store->welcome_messages += welcomes;
  return PRIVY_OK;
}

privy_status privy_contacts_create(privy_exchange *exchange) {
  lookup found;
  privy_status status = privy_input_body(exchange);
  if (status == PRIVY_OK && !privy_answered(exchange)) status = privy_input_check(exchange);
  if (status != PRIVY_OK || privy_answered(exchange)) return status;
  if (!look_up(exchange->sandbox, exchange->rows, &found)) return PRIVY_NO_MEMORY;
  judge_creation(exchange, &found);
  status = answer_faults(exchange);
  if (status != PRIVY_OK || privy_answered(exchange)) return status;
  if (found.live != PRIVY_STORE_NONE) return privy_respond_conflict(exchange, found.live);
  privy_contact_change change = {0};
  if (!prepare_creation(exchange, &change, found.gone, exchange->rows)) return PRIVY_NO_MEMORY;
  return finish_change(exchange, 201, &change, PRIVY_sms_consent_never_subscribed);
}

bool privy_contact_link(privy_exchange *exchange, privy_value *rows, privy_contact_change *change, size_t *index) {
  lookup found;
  if (!look_up(exchange->sandbox, rows, &found)) return false;
  *index = found.live;
  if (found.live != PRIVY_STORE_NONE) return true;
  if (!found.supported) rows[ROW(sms_consent)] = (privy_value){.type = PRIVY_ABSENT};
  if (!prepare_creation(exchange, change, found.gone, rows)) return false;
  *index = change->index;
  return true;
}

/* ---- update ------------------------------------------------------------------------------------------------------ */

/* Keeps the stored e-mail address or phone number when the one given is the same; any other is a fault. */
PRIVY_NODISCARD static bool judge_key(privy_exchange *exchange, const privy_contact *contact, privy_key key) {
  privy_value *given = &exchange->rows[key_rows[key]];
  const privy_slice stored = contact->keys[key];
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  if (given->type == PRIVY_ABSENT || stored.length == 0) return true;
  const bool done = privy_store_key(*given, key, &text);
  if (done && (text.length != stored.length || memcmp(text.data, stored.text, stored.length) != 0))
    privy_input_refuse(exchange, key_rows[key], "cannot be changed once stored");
  privy_buffer_clear(&text);
  *given = (privy_value){.type = PRIVY_ABSENT};
  return done;
}

static void judge_consents(privy_exchange *exchange, const privy_contact *contact) {
  const privy_value *given = exchange->rows;
  const char *fault =
      privy_consent_email_error_message((privy_email_consent)privy_store_choice_of(contact->rows, ROW(email_consent)));
  if (fault) privy_input_refuse(exchange, ROW(email_consent), fault);
  if (given[ROW(sms_consent)].type == PRIVY_ABSENT) return;
  const bool phone = contact->keys[PRIVY_KEY_PHONE].length || given[ROW(phone_number)].type == PRIVY_STRING;
  fault =
      privy_consent_sms_update_error_message((privy_sms_consent)privy_store_choice_of(contact->rows, ROW(sms_consent)),
                                             (privy_sms_consent)privy_store_choice_of(given, ROW(sms_consent)), phone);
  if (fault) privy_input_refuse(exchange, ROW(sms_consent), fault);
}

/* Applies the rows of the exchange, which have been judged, to the contact. */
static privy_status apply(privy_exchange *exchange, size_t index) {
  privy_store *store = &exchange->sandbox->store;
  const privy_sms_consent from =
      (privy_sms_consent)privy_store_choice_of(store->contacts[index].rows, ROW(sms_consent));
  privy_value rows[PRIVY_CONTACT_FIELDS];
  char now[PRIVY_TIME_TEXT_SIZE];
  privy_contact_change change = {0};
  memcpy(rows, store->contacts[index].rows, sizeof rows);
  overlay(rows, exchange->rows);
  privy_now_text(now, exchange->now);
  rows[ROW(updated_at)] = privy_store_string(now);
  if (!privy_contact_prepare(store, &change, index, rows)) return PRIVY_NO_MEMORY;
  return finish_change(exchange, 200, &change, from);
}

privy_status privy_contacts_update(privy_exchange *exchange) {
  lookup found;
  const size_t index = privy_input_contact(exchange);
  if (index == PRIVY_STORE_NONE) return privy_respond_error(exchange, 404);
  privy_status status = privy_input_body(exchange);
  if (status == PRIVY_OK && !privy_answered(exchange)) status = privy_input_check(exchange);
  if (status != PRIVY_OK || privy_answered(exchange)) return status;
  const privy_contact *contact = &exchange->sandbox->store.contacts[index];
  if (!judge_key(exchange, contact, PRIVY_KEY_EMAIL) || !judge_key(exchange, contact, PRIVY_KEY_PHONE))
    return PRIVY_NO_MEMORY;
  judge_consents(exchange, contact);
  status = answer_faults(exchange);
  if (status != PRIVY_OK || privy_answered(exchange)) return status;
  /* Keys that are left are new to the contact: whoever has one is another. */
  if (!look_up(exchange->sandbox, exchange->rows, &found)) return PRIVY_NO_MEMORY;
  if (found.live != PRIVY_STORE_NONE) return privy_respond_conflict(exchange, found.live);
  return apply(exchange, index);
}

/* ---- get, unsubscribe, delete ------------------------------------------------------------------------------------ */

privy_status privy_contacts_get(privy_exchange *exchange) {
  const size_t index = privy_input_contact(exchange);
  if (index == PRIVY_STORE_NONE) return privy_respond_error(exchange, 404);
  return privy_respond_data(exchange, 200, &privy_object_contact, exchange->sandbox->store.contacts[index].rows);
}

static bool announce_deprecation(privy_exchange *exchange, const privy_contact *contact) {
  const privy_value id = contact->rows[ROW(id)];
  return privy_respond_header(exchange, "Deprecation", "true") &&
         privy_buffer_format(&exchange->response->headers, "Link: </v1/contacts/%.*s>; rel=\"successor-version\"\r\n",
                             (int)id.length, id.text);
}

privy_status privy_contacts_unsubscribe(privy_exchange *exchange) {
  const size_t index = privy_input_contact(exchange);
  if (index == PRIVY_STORE_NONE) return privy_respond_error(exchange, 404);
  const privy_contact *contact = &exchange->sandbox->store.contacts[index];
  if (!announce_deprecation(exchange, contact)) return PRIVY_NO_MEMORY;
  privy_status status = privy_input_body(exchange);
  if (status == PRIVY_OK && !privy_answered(exchange)) status = privy_input_check(exchange);
  if (status != PRIVY_OK || privy_answered(exchange)) return status;
  exchange->rows[ROW(email_consent)] = privy_store_choice(&privy_enum_email_consent, PRIVY_email_consent_unsubscribed);
  judge_consents(exchange, contact);
  status = answer_faults(exchange);
  if (status != PRIVY_OK || privy_answered(exchange)) return status;
  return apply(exchange, index);
}

privy_status privy_contacts_delete(privy_exchange *exchange) {
  privy_store *store = &exchange->sandbox->store;
  const size_t index = privy_input_contact(exchange);
  if (index == PRIVY_STORE_NONE) return privy_respond_error(exchange, 404);
  const privy_status status = privy_respond_data(exchange, 200, &privy_object_contact, store->contacts[index].rows);
  if (status == PRIVY_OK) privy_contact_delete(store, index);
  return status;
}
