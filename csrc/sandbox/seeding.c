#include "sandbox/seeding.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/time.h"
#include "sandbox/exchange.h"

#define AUTHORIZATION "Authorization: Bearer " PRIVY_SANDBOX_TOKEN "\r\n"

bool privy_seeding_send(privy_seeding *seeding, const char *method, const char *target, int64_t at) {
  seeding->draft->clock = (privy_clock){true, (double)at};
  privy_sandbox_response_clear(&seeding->response);
  const privy_slice headers = {AUTHORIZATION, sizeof AUTHORIZATION - 1};
  const privy_slice body = {seeding->body.data, seeding->body.length};
  return privy_exchange_run(seeding->draft, method, target, headers, body, &seeding->response) == PRIVY_OK;
}

void privy_seeding_begin(privy_seeding *seeding, privy_writer *writer) {
  seeding->body.length = 0;
  privy_writer_init(writer, &seeding->body);
  privy_writer_begin_object(writer);
}

void privy_seeding_key(privy_writer *writer, const privy_object *object, unsigned field) {
  privy_writer_key(writer, object->fields[field].name, object->fields[field].name_length);
}

void privy_seeding_text(privy_writer *writer, const privy_object *object, unsigned field, const char *text) {
  privy_seeding_key(writer, object, field);
  privy_writer_string(writer, text, strlen(text));
}

void privy_seeding_member(privy_writer *writer, const char *key, const char *text) {
  privy_writer_key(writer, key, strlen(key));
  privy_writer_string(writer, text, strlen(text));
}

void privy_seeding_money(privy_writer *writer, uint32_t cents) {
  char text[16];
  snprintf(text, sizeof text, "%" PRIu32 ".%02" PRIu32, cents / 100, cents % 100);
  privy_writer_raw(writer, text, strlen(text));
}

void privy_seeding_time(privy_writer *writer, const privy_object *object, unsigned field, int64_t seconds) {
  char text[PRIVY_TIME_TEXT_SIZE];
  privy_time time;
  privy_time_at(seconds, 0, &time);
  privy_time_text(text, &time);
  privy_seeding_text(writer, object, field, text);
}

/* How many generated contacts were created by that time. */
static uint32_t created_by(const privy_seeding *seeding, int64_t at) {
  uint32_t low = 0, high = seeding->contacts;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (seeding->created[middle] <= at)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

const privy_contact *privy_seeding_customer(privy_seeding *seeding, int64_t *at) {
  const uint32_t known = created_by(seeding, *at);
  if (known == 0) *at = seeding->created[0];
  uint32_t customer = privy_draw_below(&seeding->draw, known);
  if (privy_draw_chance(&seeding->draw, 50)) customer = privy_draw_below(&seeding->draw, customer + 1);
  return &seeding->draft->store.contacts[seeding->first + customer];
}
