#include <string.h>

#include "sandbox/consent.h"
#include "sandbox/ids.h"
#include "sandbox/input.h"
#include "sandbox/messages.h"
#include "sandbox/respond.h"

#define FIELD(name) PRIVY_FIELD_CONTACT_##name

/* The contacts that have the given keys; the e-mail address takes precedence. */
typedef struct lookup {
  size_t live;    /* the contact that has one of them */
  size_t gone;    /* the deleted contact that had one of them */
  bool supported; /* SMS is supported in the country of the phone number */
} lookup;

static bool is_supported(const privy_sandbox *sandbox, privy_slice phone) {
  privy_slice list = {sandbox->sms_countries, strlen(sandbox->sms_countries)}, prefix;
  while (privy_next_word(&list, ' ', &prefix)) {
    if (prefix.length <= phone.length && memcmp(prefix.text, phone.text, prefix.length) == 0) return true;
  }
  return false;
}

static void look_up_key(const privy_sandbox *sandbox, privy_key key, privy_slice text, lookup *out) {
  const privy_store *store = &sandbox->store;
  if (key == PRIVY_KEY_PHONE) out->supported = is_supported(sandbox, text);
  const size_t holder = privy_store_holder(store, key, text);
  if (holder == PRIVY_STORE_NONE) return;
  size_t *found = store->contacts[holder].deleted ? &out->gone : &out->live;
  if (*found == PRIVY_STORE_NONE) *found = holder;
}

PRIVY_NODISCARD static bool look_up(const privy_sandbox *sandbox, const privy_value *values, lookup *out) {
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  bool done = true;
  *out = (lookup){PRIVY_STORE_NONE, PRIVY_STORE_NONE, false};
  for (unsigned i = 0; i < PRIVY_KEY_COUNT && done; i++) {
    text.length = 0;
    done = privy_store_key(values[privy_key_fields[i]], (privy_key)i, &text);
    if (done && text.length) look_up_key(sandbox, (privy_key)i, (privy_slice){text.data, text.length}, out);
  }
  privy_buffer_clear(&text);
  return done;
}

/* Copies the given values of response fields. */
static void overlay(privy_value *values, const privy_value *given) {
  for (size_t i = 0; i < privy_object_contact.response_field_count; i++) {
    const size_t index = privy_object_contact.response_fields[i];
    if (given[index].type != PRIVY_ABSENT) values[index] = given[index];
  }
}

/* ---- create ------------------------------------------------------------------------------------------------------ */

/* Whether the deleted contact stays under compliance suppression when it is restored. */
static bool stays_suppressed(const privy_store *store, size_t gone) {
  return gone != PRIVY_STORE_NONE && privy_store_enum_index(store->contacts[gone].values, FIELD(email_consent)) ==
                                         PRIVY_email_consent_compliance_suppressed;
}

/* Prepares a contact with the given values: a new one, or a restored one. */
PRIVY_NODISCARD static bool prepare_creation(privy_exchange *exchange, privy_contact_change *change, size_t gone,
                                             const privy_value *given) {
  privy_store *store = &exchange->sandbox->store;
  privy_value values[PRIVY_CONTACT_FIELDS] = {0};
  char id[PRIVY_ID_SIZE], now[PRIVY_TIME_TEXT_SIZE];
  privy_make_id(id, "cus_", store->contact_serial + 1);
  privy_now_text(now, exchange->now);
  values[FIELD(tags)] = (privy_value){.text = "[]", .length = 2, .type = PRIVY_ARRAY};
  values[FIELD(custom_fields)] = (privy_value){.text = "{}", .length = 2, .type = PRIVY_OBJECT};
  values[FIELD(email_consent)] =
      privy_store_enum_value(&privy_enum_email_consent, PRIVY_email_consent_never_subscribed);
  values[FIELD(sms_consent)] = privy_store_enum_value(&privy_enum_sms_consent, PRIVY_sms_consent_never_subscribed);
  overlay(values, given);
  values[FIELD(id)] = privy_store_string(id);
  values[FIELD(created_at)] = values[FIELD(updated_at)] = privy_store_string(now);
  if (gone != PRIVY_STORE_NONE) {
    values[FIELD(id)] = store->contacts[gone].values[FIELD(id)];
    values[FIELD(created_at)] = store->contacts[gone].values[FIELD(created_at)];
  }
  if (stays_suppressed(store, gone))
    values[FIELD(email_consent)] =
        privy_store_enum_value(&privy_enum_email_consent, PRIVY_email_consent_compliance_suppressed);
  return privy_contact_prepare(store, change, gone, values);
}

static void check_creation(privy_exchange *exchange, const lookup *found) {
  const privy_value *given = exchange->values;
  if (stays_suppressed(&exchange->sandbox->store, found->gone))
    privy_input_refuse(exchange, FIELD(email_consent),
                       privy_consent_email_error_message(PRIVY_email_consent_compliance_suppressed));
  if (given[FIELD(sms_consent)].type == PRIVY_ABSENT) return;
  const privy_sms_consent to = (privy_sms_consent)privy_store_enum_index(given, FIELD(sms_consent));
  const char *message = privy_consent_sms_create_error_message(to, found->supported);
  if (message) privy_input_refuse(exchange, FIELD(sms_consent), message);
}

/* Responds with the errors, if there are any. */
static privy_status respond_if_invalid(privy_exchange *exchange) {
  if (exchange->check.no_memory) return PRIVY_NO_MEMORY;
  return exchange->check.details.count ? privy_respond_details(exchange) : PRIVY_OK;
}

/* Responds with the changed contact, and commits the change. */
static privy_status finish_change(privy_exchange *exchange, int http_status, privy_contact_change *change,
                                  privy_sms_consent from) {
  privy_store *store = &exchange->sandbox->store;
  const privy_value *values = change->next.values;
  const bool wanted = exchange->values[FIELD(send_welcome_sms)].type != PRIVY_FALSE;
  const bool welcomes =
      privy_consent_welcomes(from, (privy_sms_consent)privy_store_enum_index(values, FIELD(sms_consent)), wanted);
  privy_document message = {0};
  privy_status status = PRIVY_NO_MEMORY;
  if (!welcomes || privy_message_prepare(store, values, exchange->now, &message))
    status = privy_respond_data(exchange, http_status, &privy_object_contact, values);
  if (status != PRIVY_OK) {
    privy_message_abandon(&message);
    privy_contact_abandon(store, change);
    return status;
  }
  privy_contact_commit(store, change);
  privy_message_commit(store, &message);
  return PRIVY_OK;
}

privy_status privy_contacts_create(privy_exchange *exchange) {
  lookup found;
  privy_status status = privy_input_body(exchange);
  if (status == PRIVY_OK && !privy_responded(exchange)) status = privy_input_check(exchange);
  if (status != PRIVY_OK || privy_responded(exchange)) return status;
  if (!look_up(exchange->sandbox, exchange->values, &found)) return PRIVY_NO_MEMORY;
  check_creation(exchange, &found);
  status = respond_if_invalid(exchange);
  if (status != PRIVY_OK || privy_responded(exchange)) return status;
  if (found.live != PRIVY_STORE_NONE) return privy_respond_conflict(exchange, found.live);
  privy_contact_change change = {0};
  if (!prepare_creation(exchange, &change, found.gone, exchange->values)) return PRIVY_NO_MEMORY;
  return finish_change(exchange, 201, &change, PRIVY_sms_consent_never_subscribed);
}

bool privy_contact_link(privy_exchange *exchange, privy_value *values, privy_contact_change *change, size_t *index) {
  lookup found;
  if (!look_up(exchange->sandbox, values, &found)) return false;
  *index = found.live;
  if (found.live != PRIVY_STORE_NONE) return true;
  if (!found.supported) values[FIELD(sms_consent)] = (privy_value){.type = PRIVY_ABSENT};
  if (!prepare_creation(exchange, change, found.gone, values)) return false;
  *index = change->index;
  return true;
}

/* ---- update ------------------------------------------------------------------------------------------------------ */

/* Removes a given e-mail address or phone number that equals the stored one; any other is an error. */
PRIVY_NODISCARD static bool check_key(privy_exchange *exchange, const privy_contact *contact, privy_key key) {
  privy_value *given = &exchange->values[privy_key_fields[key]];
  const privy_slice stored = contact->keys[key];
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  if (given->type == PRIVY_ABSENT || stored.length == 0) return true;
  const bool done = privy_store_key(*given, key, &text);
  if (done && (text.length != stored.length || memcmp(text.data, stored.text, stored.length) != 0))
    privy_input_refuse(exchange, privy_key_fields[key], "cannot be changed once stored");
  privy_buffer_clear(&text);
  *given = (privy_value){.type = PRIVY_ABSENT};
  return done;
}

static void check_consents(privy_exchange *exchange, const privy_contact *contact) {
  const privy_value *given = exchange->values;
  const char *message = privy_consent_email_error_message(
      (privy_email_consent)privy_store_enum_index(contact->values, FIELD(email_consent)));
  if (message) privy_input_refuse(exchange, FIELD(email_consent), message);
  if (given[FIELD(sms_consent)].type == PRIVY_ABSENT) return;
  const bool phone = contact->keys[PRIVY_KEY_PHONE].length || given[FIELD(phone_number)].type == PRIVY_STRING;
  message = privy_consent_sms_update_error_message(
      (privy_sms_consent)privy_store_enum_index(contact->values, FIELD(sms_consent)),
      (privy_sms_consent)privy_store_enum_index(given, FIELD(sms_consent)), phone);
  if (message) privy_input_refuse(exchange, FIELD(sms_consent), message);
}

/* Applies the checked values of the request to the contact. */
static privy_status apply(privy_exchange *exchange, size_t index) {
  privy_store *store = &exchange->sandbox->store;
  const privy_sms_consent from =
      (privy_sms_consent)privy_store_enum_index(store->contacts[index].values, FIELD(sms_consent));
  privy_value values[PRIVY_CONTACT_FIELDS];
  char now[PRIVY_TIME_TEXT_SIZE];
  privy_contact_change change = {0};
  memcpy(values, store->contacts[index].values, sizeof values);
  overlay(values, exchange->values);
  privy_now_text(now, exchange->now);
  values[FIELD(updated_at)] = privy_store_string(now);
  if (!privy_contact_prepare(store, &change, index, values)) return PRIVY_NO_MEMORY;
  return finish_change(exchange, 200, &change, from);
}

privy_status privy_contacts_update(privy_exchange *exchange) {
  lookup found;
  const size_t index = privy_input_contact(exchange);
  if (index == PRIVY_STORE_NONE) return privy_respond_error(exchange, 404);
  privy_status status = privy_input_body(exchange);
  if (status == PRIVY_OK && !privy_responded(exchange)) status = privy_input_check(exchange);
  if (status != PRIVY_OK || privy_responded(exchange)) return status;
  const privy_contact *contact = &exchange->sandbox->store.contacts[index];
  if (!check_key(exchange, contact, PRIVY_KEY_EMAIL) || !check_key(exchange, contact, PRIVY_KEY_PHONE))
    return PRIVY_NO_MEMORY;
  check_consents(exchange, contact);
  status = respond_if_invalid(exchange);
  if (status != PRIVY_OK || privy_responded(exchange)) return status;
  /* The keys that remain are new to the contact: their holder is another contact. */
  if (!look_up(exchange->sandbox, exchange->values, &found)) return PRIVY_NO_MEMORY;
  if (found.live != PRIVY_STORE_NONE) return privy_respond_conflict(exchange, found.live);
  return apply(exchange, index);
}

/* ---- get, unsubscribe, delete ------------------------------------------------------------------------------------ */

privy_status privy_contacts_get(privy_exchange *exchange) {
  const size_t index = privy_input_contact(exchange);
  if (index == PRIVY_STORE_NONE) return privy_respond_error(exchange, 404);
  return privy_respond_data(exchange, 200, &privy_object_contact, exchange->sandbox->store.contacts[index].values);
}

static bool announce_deprecation(privy_exchange *exchange, const privy_contact *contact) {
  const privy_value id = contact->values[FIELD(id)];
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
  if (status == PRIVY_OK && !privy_responded(exchange)) status = privy_input_check(exchange);
  if (status != PRIVY_OK || privy_responded(exchange)) return status;
  exchange->values[FIELD(email_consent)] =
      privy_store_enum_value(&privy_enum_email_consent, PRIVY_email_consent_unsubscribed);
  check_consents(exchange, contact);
  status = respond_if_invalid(exchange);
  if (status != PRIVY_OK || privy_responded(exchange)) return status;
  return apply(exchange, index);
}

privy_status privy_contacts_delete(privy_exchange *exchange) {
  privy_store *store = &exchange->sandbox->store;
  const size_t index = privy_input_contact(exchange);
  if (index == PRIVY_STORE_NONE) return privy_respond_error(exchange, 404);
  const privy_status status = privy_respond_data(exchange, 200, &privy_object_contact, store->contacts[index].values);
  if (status == PRIVY_OK) privy_contact_delete(store, index);
  return status;
}
