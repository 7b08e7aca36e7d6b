#include <string.h>

#include "sandbox/amount.h"
#include "sandbox/ids.h"
#include "sandbox/input.h"
#include "sandbox/respond.h"

#define FIELD(name) PRIVY_FIELD_ORDER_##name

/* Texts of an order's values until they are packed. */
typedef struct order_texts {
  char amount[PRIVY_AMOUNT_SIZE];
  char placed[PRIVY_TIME_TEXT_SIZE];
  char now[PRIVY_TIME_TEXT_SIZE];
  privy_buffer decoded;
} order_texts;

/* The text of a string or number, escapes resolved into `decoded`. False when memory runs out. */
PRIVY_NODISCARD static bool plain_text(privy_value value, privy_buffer *decoded, privy_slice *out) {
  *out = (privy_slice){value.text, value.length};
  if (!value.escaped) return true;
  decoded->length = 0;
  if (privy_value_decode(value, decoded) != PRIVY_OK) return false;
  *out = (privy_slice){decoded->data, decoded->length};
  return true;
}

/* The Custom Integration of the order; an unknown or inactive one is an error. */
static size_t integration_of(privy_exchange *exchange) {
  privy_slice token;
  const privy_credentials *credentials = &exchange->sandbox->credentials;
  if (!privy_input_header(exchange, FIELD(integration_token), &token))
    return privy_credentials_only_integration(credentials);
  const size_t integration = privy_credentials_integration(credentials, token);
  if (integration == PRIVY_INTEGRATION_NONE)
    privy_input_refuse(exchange, FIELD(integration_token), "is not the token of an active Custom Integration");
  return integration;
}

/* Copies the given values over the stored ones: an omitted field keeps its value. */
static void overlay(const privy_exchange *exchange, privy_value *values) {
  for (size_t i = 0; i < PRIVY_ORDER_FIELDS; i++) {
    if (exchange->values[i].type != PRIVY_ABSENT) values[i] = exchange->values[i];
  }
}

/* Fills the response fields that derive from others. False when memory runs out. */
PRIVY_NODISCARD static bool derive(privy_exchange *exchange, privy_value *values, order_texts *texts) {
  privy_slice text;
  privy_time placed;
  if (!plain_text(values[FIELD(total)], &texts->decoded, &text)) return false;
  if (!privy_amount_write(texts->amount, text.text, text.length))
    privy_input_refuse(exchange, FIELD(total), "has more than 32 digits before or after the decimal point");
  else
    values[FIELD(total_amount)] = privy_store_string(texts->amount);
  if (!plain_text(values[FIELD(order_date)], &texts->decoded, &text)) return false;
  if (privy_time_parse(text.text, text.length, &placed)) privy_time_text(texts->placed, &placed);
  privy_now_text(texts->now, exchange->now);
  values[FIELD(placed_at)] = privy_store_string(texts->placed);
  values[FIELD(currency_code)] = values[FIELD(currency)];
  values[FIELD(source)] = privy_store_string("api");
  if (values[FIELD(created_at)].type == PRIVY_ABSENT) values[FIELD(created_at)] = privy_store_string(texts->now);
  values[FIELD(updated_at)] = privy_store_string(texts->now);
  return true;
}

/* Finds the order's contact or prepares it, with the consents that the order brings along. */
PRIVY_NODISCARD static bool link_contact(privy_exchange *exchange, const privy_value *order,
                                         privy_contact_change *change, size_t *index) {
  privy_value values[PRIVY_CONTACT_FIELDS] = {0};
  values[PRIVY_FIELD_CONTACT_email] = order[FIELD(email)];
  values[PRIVY_FIELD_CONTACT_phone_number] = order[FIELD(phone)];
  if (order[FIELD(accepts_email_marketing)].type == PRIVY_TRUE)
    values[PRIVY_FIELD_CONTACT_email_consent] =
        privy_store_enum_value(&privy_enum_email_consent, PRIVY_email_consent_subscribed);
  if (order[FIELD(accepts_sms_marketing)].type == PRIVY_TRUE)
    values[PRIVY_FIELD_CONTACT_sms_consent] =
        privy_store_enum_value(&privy_enum_sms_consent, PRIVY_sms_consent_single_opt_in);
  return privy_contact_link(exchange, values, change, index);
}

/* Stores the order under its key and responds with it. */
static privy_status store_order(privy_exchange *exchange, privy_slice key, size_t index, size_t integration,
                                const privy_value *values) {
  privy_store *store = &exchange->sandbox->store;
  privy_contact_change contact = {0};
  privy_order_change order = {0};
  size_t owner = PRIVY_STORE_NONE;
  privy_status status = PRIVY_NO_MEMORY;
  if (link_contact(exchange, values, &contact, &owner) && privy_order_prepare(store, &order, index, key, values))
    status = privy_respond_data(exchange, order.fresh ? 201 : 200, &privy_object_order, order.next.values);
  if (status != PRIVY_OK) {
    privy_order_abandon(store, &order);
    privy_contact_abandon(store, &contact);
    return status;
  }
  order.next.contact = owner;
  order.next.integration = integration;
  privy_contact_commit(store, &contact);
  privy_order_commit(store, &order);
  return PRIVY_OK;
}

static privy_status upsert(privy_exchange *exchange, privy_slice key, order_texts *texts) {
  const privy_store *store = &exchange->sandbox->store;
  const size_t index = privy_map_get(&store->order_keys, key.text, key.length);
  const size_t integration = integration_of(exchange);
  privy_value values[PRIVY_ORDER_FIELDS] = {0};
  if (index != PRIVY_MAP_NONE) memcpy(values, store->orders[index].values, sizeof values);
  overlay(exchange, values);
  if (!derive(exchange, values, texts) || exchange->check.no_memory) return PRIVY_NO_MEMORY;
  if (exchange->check.details.count) return privy_respond_details(exchange);
  return store_order(exchange, key, index, integration, values);
}

privy_status privy_orders_upsert(privy_exchange *exchange) {
  privy_slice key;
  privy_buffer decoded = PRIVY_BUFFER_EMPTY;
  order_texts texts = {.decoded = PRIVY_BUFFER_EMPTY};
  privy_status status = privy_input_body(exchange);
  if (status == PRIVY_OK && !privy_responded(exchange)) status = privy_input_check(exchange);
  if (status != PRIVY_OK || privy_responded(exchange)) return status;
  status =
      plain_text(exchange->values[FIELD(order_id)], &decoded, &key) ? upsert(exchange, key, &texts) : PRIVY_NO_MEMORY;
  privy_buffer_clear(&texts.decoded);
  privy_buffer_clear(&decoded);
  return status;
}
