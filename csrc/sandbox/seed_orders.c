/* The orders and events of the data set "shop". */
#include <inttypes.h>
#include <stdio.h>

#include "sandbox/seed_words.h"
#include "sandbox/seeding.h"

#define ORDER(name) PRIVY_FIELD_ORDER_##name
#define EVENT(name) PRIVY_FIELD_EVENT_##name
#define CONTACT(name) PRIVY_FIELD_CONTACT_##name
#define DAY 86400
#define FIRST_ORDER 1001

static const privy_seed_product *draw_product(privy_draw *draw) {
  return &privy_seed_products[privy_draw_below(draw, PRIVY_SEED_PRODUCTS)];
}

/* Writes a value of the contact under the name of another table's field. */
static void copy_value(privy_writer *writer, const privy_object *object, unsigned field, privy_value value) {
  if (value.type != PRIVY_STRING) return;
  privy_seeding_key(writer, object, field);
  privy_writer_value(writer, value);
}

/* ---- orders ------------------------------------------------------------------------------------------------------ */

/* Writes the items and returns their price in cents. */
static uint32_t write_items(privy_draw *draw, privy_writer *writer, uint32_t *items) {
  uint32_t cents = 0;
  const uint32_t lines = 1 + privy_draw_below(draw, 3);
  *items = 0;
  privy_seeding_key(writer, &privy_object_order, ORDER(line_items));
  privy_writer_begin_array(writer);
  for (uint32_t line = 0; line < lines; line++) {
    const privy_seed_product *product = draw_product(draw);
    const uint32_t quantity = privy_draw_chance(draw, 75) ? 1 : 2 + privy_draw_below(draw, 3);
    privy_writer_begin_object(writer);
    privy_seeding_member(writer, "sku", product->sku);
    privy_seeding_member(writer, "title", product->title);
    privy_writer_key(writer, "quantity", strlen("quantity"));
    privy_writer_integer(writer, quantity);
    privy_writer_key(writer, "price", strlen("price"));
    privy_seeding_money(writer, product->cents);
    privy_writer_end_object(writer);
    *items += quantity;
    cents += quantity * product->cents;
  }
  privy_writer_end_array(writer);
  return cents;
}

static void write_amount(privy_writer *writer, unsigned field, uint32_t cents) {
  privy_seeding_key(writer, &privy_object_order, field);
  privy_seeding_money(writer, cents);
}

/* Writes subtotal, discount, tax and total. */
static void write_totals(privy_draw *draw, privy_writer *writer, uint32_t cents) {
  const uint32_t discount = privy_draw_chance(draw, 20) ? cents / 10 : 0, tax = (cents - discount) * 8 / 100;
  write_amount(writer, ORDER(subtotal), cents);
  if (discount) {
    privy_seeding_key(writer, &privy_object_order, ORDER(discounts));
    privy_writer_begin_array(writer);
    privy_writer_begin_object(writer);
    privy_seeding_member(writer, "code", "WELCOME10");
    privy_writer_key(writer, "amount", strlen("amount"));
    privy_seeding_money(writer, discount);
    privy_writer_end_object(writer);
    privy_writer_end_array(writer);
  }
  privy_seeding_key(writer, &privy_object_order, ORDER(tax_lines));
  privy_writer_begin_array(writer);
  privy_writer_begin_object(writer);
  privy_seeding_member(writer, "title", "Sales tax");
  privy_writer_key(writer, "amount", strlen("amount"));
  privy_seeding_money(writer, tax);
  privy_writer_end_object(writer);
  privy_writer_end_array(writer);
  write_amount(writer, ORDER(total), cents - discount + tax);
}

static void write_address(privy_draw *draw, privy_writer *writer, const privy_contact *contact) {
  const privy_seed_culture *culture = &privy_seed_cultures[privy_draw_below(draw, PRIVY_SEED_CULTURES)];
  const size_t city = privy_draw_below(draw, PRIVY_SEED_CITIES);
  if (privy_draw_chance(draw, 60)) culture = privy_seed_cultures;
  privy_seeding_key(writer, &privy_object_order, ORDER(shipping_address));
  privy_writer_begin_object(writer);
  copy_value(writer, &privy_object_contact, CONTACT(first_name), contact->values[CONTACT(first_name)]);
  copy_value(writer, &privy_object_contact, CONTACT(last_name), contact->values[CONTACT(last_name)]);
  privy_seeding_member(writer, "city", culture->cities[city].city);
  if (culture->cities[city].state) privy_seeding_member(writer, "state_code", culture->cities[city].state);
  privy_seeding_member(writer, "country_code", culture->country);
  privy_seeding_member(writer, "postal_code", culture->cities[city].postal_code);
  privy_writer_end_object(writer);
}

static void write_states(privy_draw *draw, privy_writer *writer, bool recent) {
  const uint32_t place = privy_draw_below(draw, 100);
  privy_seeding_text(writer, &privy_object_order, ORDER(financial_status),
                     place < 4 ? "refunded" : (place < 7 ? "pending" : "paid"));
  privy_seeding_text(writer, &privy_object_order, ORDER(fulfillment_status), recent ? "unfulfilled" : "fulfilled");
  privy_seeding_key(writer, &privy_object_order, ORDER(accepts_email_marketing));
  privy_writer_boolean(writer, privy_draw_chance(draw, 60));
}

/* The next number that no order has. */
static uint64_t next_order(const privy_store *store, uint64_t number, char text[24]) {
  do {
    snprintf(text, 24, "%" PRIu64, ++number);
  } while (privy_map_get(&store->order_keys, text, strlen(text)) != PRIVY_MAP_NONE);
  return number;
}

static bool add_order(privy_seeding *seeding, const char *number, int64_t at) {
  uint32_t items;
  privy_writer writer;
  privy_draw *draw = &seeding->draw;
  const privy_contact *contact = privy_seeding_customer(seeding, &at);
  privy_seeding_begin(seeding, &writer);
  privy_seeding_key(&writer, &privy_object_order, ORDER(order_id));
  privy_writer_raw(&writer, number, strlen(number));
  copy_value(&writer, &privy_object_order, ORDER(email), contact->values[CONTACT(email)]);
  copy_value(&writer, &privy_object_order, ORDER(phone), contact->values[CONTACT(phone_number)]);
  privy_seeding_text(&writer, &privy_object_order, ORDER(currency), "USD");
  privy_seeding_time(&writer, &privy_object_order, ORDER(order_date), at);
  write_totals(draw, &writer, write_items(draw, &writer, &items));
  privy_seeding_key(&writer, &privy_object_order, ORDER(total_items));
  privy_writer_integer(&writer, items);
  write_states(draw, &writer, at > seeding->end - 3 * DAY);
  write_address(draw, &writer, contact);
  privy_writer_end_object(&writer);
  return !writer.failed && privy_seeding_send(seeding, "POST", "/orders/placed", at);
}

bool privy_seed_orders(privy_seeding *seeding) {
  char text[24];
  privy_times times;
  uint64_t number = FIRST_ORDER - 1;
  const uint32_t count = (uint32_t)((uint64_t)seeding->contacts * 6 / 10);
  privy_times_start(&times, seeding->end, seeding->days, count);
  for (uint32_t i = 0; i < count; i++) {
    number = next_order(&seeding->draft->store, number, text);
    if (!add_order(seeding, text, privy_times_next(&times, &seeding->draw))) return false;
  }
  return true;
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

static const char *draw_event_type(privy_draw *draw) {
  static const char *const types[] = {"viewed_product", "added_to_cart", "started_checkout", "wrote_review"};
  const uint32_t place = privy_draw_below(draw, 100);
  return types[place < 55 ? 0 : (place < 82 ? 1 : (place < 95 ? 2 : 3))];
}

static void write_event_data(privy_draw *draw, privy_writer *writer) {
  char url[96];
  const privy_seed_product *product = draw_product(draw);
  snprintf(url, sizeof url, "https://shop.example.com/products/%s", product->path);
  privy_seeding_key(writer, &privy_object_event, EVENT(event_data));
  privy_writer_begin_object(writer);
  privy_seeding_member(writer, "sku", product->sku);
  privy_seeding_member(writer, "title", product->title);
  privy_writer_key(writer, "price", strlen("price"));
  privy_seeding_money(writer, product->cents);
  privy_seeding_member(writer, "url", url);
  privy_writer_end_object(writer);
}

/* Names the contact by one of its keys. */
static void write_contact_key(privy_draw *draw, privy_writer *writer, const privy_contact *contact) {
  const privy_value *values = contact->values;
  const bool by_id = privy_draw_chance(draw, 10);
  if (by_id)
    copy_value(writer, &privy_object_event, EVENT(privy_id), values[CONTACT(id)]);
  else if (values[CONTACT(email)].type == PRIVY_STRING)
    copy_value(writer, &privy_object_event, EVENT(email), values[CONTACT(email)]);
  else
    copy_value(writer, &privy_object_event, EVENT(phone), values[CONTACT(phone_number)]);
}

static bool add_event(privy_seeding *seeding, int64_t at) {
  char key[40];
  privy_writer writer;
  privy_draw *draw = &seeding->draw;
  const privy_contact *contact = privy_seeding_customer(seeding, &at);
  snprintf(key, sizeof key, "shop-%" PRIu64, seeding->draft->store.event_serial + 1);
  privy_seeding_begin(seeding, &writer);
  privy_seeding_text(&writer, &privy_object_event, EVENT(event_type), draw_event_type(draw));
  write_contact_key(draw, &writer, contact);
  privy_seeding_time(&writer, &privy_object_event, EVENT(event_time), at);
  write_event_data(draw, &writer);
  privy_seeding_text(&writer, &privy_object_event, EVENT(idempotency_key), key);
  privy_writer_end_object(&writer);
  return !writer.failed && privy_seeding_send(seeding, "POST", "/events", at);
}

bool privy_seed_events(privy_seeding *seeding) {
  privy_times times;
  privy_times_start(&times, seeding->end, seeding->days, seeding->contacts);
  for (uint32_t i = 0; i < seeding->contacts; i++) {
    if (!add_event(seeding, privy_times_next(&times, &seeding->draw))) return false;
  }
  return true;
}
