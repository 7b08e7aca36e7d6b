#include <string.h>

#include "jobs/plan.h"
#include "message/record.h"

/* ---- keys ---- */

/* The number of a key, which is new if it was not seen before; PLAN_NONE when memory runs out. */
static size_t number_key(privy_plan *plan, const privy_buffer *text, size_t row) {
  const size_t found = privy_map_get(&plan->key_numbers, text->data, text->length), number = plan->keys.count;
  plan_key *grown;
  if (found != PRIVY_MAP_NONE) return found;
  if (!PLAN_GROW(plan->keys, grown) || !privy_map_set(&plan->key_numbers, text->data, text->length, number))
    return PLAN_NONE;
  const privy_field *field = privy_object_lookup(&privy_object_contact, text->data, strlen(text->data));
  plan->keys.items[number] = (plan_key){.field = field, .row = row, .contact = PLAN_NONE};
  plan->keys.count++;
  plan->keys_unknown++;
  return number;
}

/* The value follows the name of the field and a NUL. */
static char *copy_value(const privy_buffer *text) {
  const size_t name = strlen(text->data) + 1;
  return privy_copy(text->data + name, text->length - name);
}

/* The e-mail address comes first, because it finds a contact first. */
static void sort_keys(privy_row_keys *keys) {
  const privy_buffer first = keys->texts[0];
  if (keys->count < 2 || strcmp(first.data, privy_object_contact.fields[PRIVY_FIELD_CONTACT_email].name) == 0) return;
  keys->texts[0] = keys->texts[1];
  keys->texts[1] = first;
}

bool privy_plan_add_keys(privy_plan *plan, plan_row *row, size_t number, const privy_request *request) {
  privy_row_keys keys = {0};
  bool added = privy_row_keys_read(request, &keys);
  if (added) sort_keys(&keys);
  for (size_t i = 0; added && i < keys.count; i++) {
    row->keys[i] = number_key(plan, &keys.texts[i], number);
    added = row->keys[i] != PLAN_NONE;
    row->key_count += added;
  }
  if (added && keys.count) row->key = copy_value(&keys.texts[0]);
  privy_row_keys_clear(&keys);
  return added && (row->key || !row->key_count);
}

void privy_plan_settle_key(privy_plan *plan, size_t key) {
  if (!plan->keys.items[key].known) plan->keys_unknown--;
  plan->keys.items[key].known = true;
}

/* ---- contacts ---- */

void privy_plan_clear_contact(plan_contact *contact) {
  privy_free(contact->id);
  privy_buffer_clear(&contact->base);
  privy_buffer_clear(&contact->patch);
}

static size_t add_contact(privy_plan *plan) {
  plan_contact *grown;
  if (!PLAN_GROW(plan->contacts, grown)) return PLAN_NONE;
  plan->contacts.items[plan->contacts.count] = (plan_contact){.request = -1};
  return plan->contacts.count++;
}

/* The number of the key that the record has in a field, and whether it has one. */
static bool find_key(const privy_plan *plan, const privy_record *record, size_t index, bool *given, size_t *key) {
  const privy_field *field = &privy_object_contact.fields[privy_object_contact.response_fields[index]];
  const privy_value value = privy_record_get(record, index);
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  *key = PLAN_NONE;
  *given = value.type == PRIVY_STRING;
  const bool read = !*given || privy_row_key_text(field, value, &text);
  if (*given && read) *key = privy_map_get(&plan->key_numbers, text.data, text.length);
  privy_buffer_clear(&text);
  return read;
}

/* The contact that has the id of the record, or a new one; PLAN_NONE when memory runs out. */
static size_t place_contact(privy_plan *plan, privy_value id, size_t same_key) {
  const bool has_id = id.type == PRIVY_STRING && id.length;
  size_t number = has_id ? privy_map_get(&plan->contact_numbers, id.text, id.length) : same_key;
  if (number != PRIVY_MAP_NONE) return number;
  number = add_contact(plan);
  if (number == PLAN_NONE || !has_id) return number;
  plan->contacts.items[number].id = privy_copy(id.text, id.length);
  const bool kept =
      plan->contacts.items[number].id && privy_map_set(&plan->contact_numbers, id.text, id.length, number);
  return kept ? number : PLAN_NONE;
}

static bool keep(privy_plan *plan, const privy_record *record, const size_t keys[2], const bool given[2]) {
  const size_t same_key = keys[0] != PLAN_NONE ? plan->keys.items[keys[0]].contact : PLAN_NONE;
  const size_t number = place_contact(plan, privy_record_get(record, PRIVY_INDEX_CONTACT_id), same_key);
  if (number == PLAN_NONE) return false;
  plan_contact *contact = &plan->contacts.items[number];
  contact->base.length = 0;
  for (size_t i = 0; i < 2; i++) {
    contact->keys[i] = given[i];
    if (keys[i] == PLAN_NONE) continue;
    plan->keys.items[keys[i]].contact = number;
    privy_plan_settle_key(plan, keys[i]);
  }
  return privy_record_write(record, &contact->base) == PRIVY_OK;
}

bool privy_plan_keep_contact(privy_plan *plan, const privy_record *record) {
  size_t keys[2];
  bool given[2];
  if (!find_key(plan, record, PRIVY_INDEX_CONTACT_email, &given[0], &keys[0]) ||
      !find_key(plan, record, PRIVY_INDEX_CONTACT_phone_number, &given[1], &keys[1]))
    return false;
  return (keys[0] == PLAN_NONE && keys[1] == PLAN_NONE) || keep(plan, record, keys, given);
}

/* ---- the contact of a row ---- */

size_t privy_plan_find_contact(privy_plan *plan, const plan_row *row, bool *conflict) {
  size_t found = PLAN_NONE;
  *conflict = false;
  for (size_t i = 0; i < row->key_count; i++) {
    const size_t contact = plan->keys.items[row->keys[i]].contact;
    if (found == PLAN_NONE)
      found = contact;
    else if (contact != PLAN_NONE && contact != found)
      *conflict = true;
  }
  return found == PLAN_NONE ? add_contact(plan) : found;
}

void privy_plan_claim_keys(privy_plan *plan, const plan_row *row, size_t contact) {
  for (size_t i = 0; i < row->key_count; i++) plan->keys.items[row->keys[i]].contact = contact;
}
