/* Reads what privy_archive_write wrote, or a person edited: every record is checked. */
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "sandbox/archive.h"
#include "sandbox/credentials.h"
#include "schema/check.h"
#include "schema/format.h"

/* The longest line: a record, and what names it. */
#define LONGEST_LINE (2 * PRIVY_LONGEST_BODY)

typedef struct loading {
  privy_store *store;
  privy_slice rest; /* not read yet */
  size_t line;      /* number of the line that was read last */
  int64_t counts[PRIVY_ARCHIVE_KINDS];
  int64_t contact_serial, event_serial;
  privy_buffer *problem;
} loading;

/* ---- problems ---------------------------------------------------------------------------------------------------- */

static privy_status refuse_file(loading *load, const char *message) {
  return privy_buffer_text(load->problem, message) ? PRIVY_VALIDATION : PRIVY_NO_MEMORY;
}

/* "line 3: email must be an e-mail address" */
static privy_status refuse(loading *load, const char *what, const char *message) {
  return privy_buffer_format(load->problem, "line %zu: %s %s", load->line, what, message) ? PRIVY_VALIDATION
                                                                                          : PRIVY_NO_MEMORY;
}

static privy_status refuse_end(loading *load) {
  return privy_buffer_format(load->problem, "the file is truncated: it ends in line %zu", load->line) ? PRIVY_VALIDATION
                                                                                                      : PRIVY_NO_MEMORY;
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

/* The last member of that name; false if there is none. */
static bool find(privy_value object, const char *name, privy_value *out) {
  privy_cursor cursor;
  privy_value key, value;
  *out = (privy_value){.type = PRIVY_ABSENT};
  privy_cursor_init(&cursor, object);
  while (privy_cursor_next(&cursor, &key, &value)) {
    if (privy_value_is(key, name)) *out = value;
  }
  return out->type != PRIVY_ABSENT;
}

static bool find_count(privy_value object, const char *name, int64_t *out) {
  privy_value value;
  return find(object, name, &value) && value.type == PRIVY_NUMBER && privy_parse_int64(value.text, value.length, out) &&
         *out >= 0;
}

/* The next line, which is a JSON object. */
static privy_status next_line(loading *load, privy_value *out) {
  privy_reader reader;
  load->line++;
  if (load->rest.length == 0) return refuse_end(load);
  const char *end = memchr(load->rest.text, '\n', load->rest.length);
  const size_t length = end ? (size_t)(end - load->rest.text) : load->rest.length;
  if (length > LONGEST_LINE) return refuse(load, "the line", "is too long");
  privy_reader_init(&reader, load->rest.text, length);
  const bool read = privy_reader_value(&reader, out) && privy_reader_end(&reader);
  load->rest = end ? (privy_slice){end + 1, load->rest.length - length - 1} : (privy_slice){NULL, 0};
  if (!read && !end) return refuse_end(load);
  if (!read) return refuse(load, "not JSON:", reader.error);
  return out->type == PRIVY_OBJECT ? PRIVY_OK : refuse(load, "the line", "is not a JSON object");
}

static privy_status read_first_line(loading *load) {
  privy_value line;
  int64_t format;
  const size_t before = load->problem->length;
  const privy_status status = next_line(load, &line);
  if (status == PRIVY_NO_MEMORY) return status;
  load->problem->length = before;
  if (status != PRIVY_OK || !find_count(line, "privy_sandbox", &format))
    return refuse_file(load, "this is not a file of a sandbox");
  if (format != PRIVY_ARCHIVE_FORMAT) {
    const bool done = privy_buffer_format(load->problem,
                                          "the file has the format %" PRId64
                                          " of another version of privy; this version reads the format %d",
                                          format, PRIVY_ARCHIVE_FORMAT);
    return done ? PRIVY_VALIDATION : PRIVY_NO_MEMORY;
  }
  for (size_t i = 0; i < PRIVY_ARCHIVE_KINDS; i++) {
    if (!find_count(line, privy_archive_plurals[i], &load->counts[i]))
      return refuse(load, privy_archive_plurals[i], "must be a number, 0 or more");
  }
  if (!find_count(line, "contact_serial", &load->contact_serial) || load->contact_serial < load->counts[0])
    return refuse(load, "contact_serial", "must be a number, as large as contacts at least");
  if (!find_count(line, "event_serial", &load->event_serial))
    return refuse(load, "event_serial", "must be a number, 0 or more");
  return PRIVY_OK;
}

/* ---- checks ------------------------------------------------------------------------------------------------------ */

static bool is_enum(const privy_object *object, const char *name) {
  const privy_field *field = privy_object_lookup(object, name, strlen(name));
  return field && field->enum_values;
}

/* Checks what the operation accepts. Rules over several fields, and which consents a request may set, do not count:
 * several requests and Privy itself led to this state. */
static privy_status check_given(loading *load, const privy_operation *operation, privy_value record) {
  privy_check check;
  privy_status status = PRIVY_OK;
  privy_check_init(&check, operation, PRIVY_CHECK_LENIENT);
  privy_check_members(&check, record);
  privy_check_finish(&check, 0);
  for (size_t i = 0; status == PRIVY_OK && i < check.details.count; i++) {
    const privy_detail *detail = &check.details.items[i];
    if (strcmp(detail->field, "base") == 0 || is_enum(operation->object, detail->field)) continue;
    status = refuse(load, detail->field, detail->message);
  }
  if (check.no_memory) status = PRIVY_NO_MEMORY;
  privy_check_clear(&check);
  return status;
}

static const char *text_error(const privy_field *field, privy_value value) {
  privy_time time;
  if (value.type != PRIVY_STRING || value.escaped) return "must be a string without escapes";
  if (field->kind == PRIVY_KIND_TIME)
    return privy_time_parse(value.text, value.length, &time) ? NULL : "must be an ISO 8601 date-time";
  return privy_format_check((privy_format)field->format, value.text, value.length);
}

/* Checks what only responses have, and finds the values of enumerations. */
static privy_status check_read_only(loading *load, const privy_operation *operation, privy_value *values) {
  const privy_object *object = operation->object;
  for (size_t i = 0; i < object->response_field_count; i++) {
    const size_t index = object->response_fields[i];
    const privy_field *field = &object->fields[index];
    if (field->enum_values) {
      const int found = values[index].type == PRIVY_STRING
                            ? privy_enum_index(field->enum_values, values[index].text, values[index].length, false)
                            : -1;
      if (found < 0) return refuse(load, field->name, "is not one of its values");
      values[index] = privy_store_enum_value(field->enum_values, (unsigned)found);
    } else if (!(field->accepted_by & (1u << operation->id)) && !(field->flags & PRIVY_FIELD_FROM_STATUS)) {
      const char *message = text_error(field, values[index]);
      if (message) return refuse(load, field->name, message);
    }
  }
  return PRIVY_OK;
}

/* Checks a record and finds its values. */
static privy_status read_values(loading *load, privy_operation_id id, privy_value record, privy_value *values) {
  const privy_operation *operation = privy_operation_get(id);
  const privy_object *object = operation->object;
  for (size_t i = 0; i < object->field_count; i++) {
    if (!(object->fields[i].flags & PRIVY_FIELD_HEADER)) find(record, object->fields[i].name, &values[i]);
  }
  const privy_status status = check_given(load, operation, record);
  return status == PRIVY_OK ? check_read_only(load, operation, values) : status;
}

/* ---- contacts ---------------------------------------------------------------------------------------------------- */

static bool is_released(privy_value line, privy_key key) {
  privy_cursor cursor;
  privy_value list, none, name;
  find(line, "released", &list);
  privy_cursor_init(&cursor, list);
  while (privy_cursor_next(&cursor, &none, &name)) {
    if (privy_value_is(name, privy_object_contact.fields[privy_key_fields[key]].name)) return true;
  }
  return false;
}

/* Checks that no other contact that is not deleted has the keys, and returns those that the contact has released. */
static privy_status settle_keys(loading *load, privy_value line, privy_contact_change *change) {
  for (unsigned key = 0; key < PRIVY_KEY_COUNT; key++) {
    const size_t before = change->before[key];
    const bool other = before != PRIVY_STORE_NONE && before != change->index && change->next.keys[key].length;
    if (is_released(line, (privy_key)key))
      privy_contact_release_key(load->store, change, (privy_key)key);
    else if (other && !change->next.deleted && !load->store->contacts[before].deleted)
      return refuse(load, privy_object_contact.fields[privy_key_fields[key]].name, "belongs to an earlier contact");
  }
  return PRIVY_OK;
}

static privy_status read_contact(loading *load, privy_value line, privy_value record) {
  privy_value values[PRIVY_CONTACT_FIELDS] = {0}, deleted;
  privy_contact_change change = {0};
  const privy_value *id = &values[PRIVY_FIELD_CONTACT_id];
  privy_status status = read_values(load, PRIVY_OP_CREATE, record, values);
  if (status != PRIVY_OK) return status;
  if (values[PRIVY_FIELD_CONTACT_tags].type == PRIVY_ABSENT) return refuse(load, "tags", "is missing");
  if (values[PRIVY_FIELD_CONTACT_custom_fields].type == PRIVY_ABSENT)
    return refuse(load, "custom_fields", "is missing");
  if (privy_map_get(&load->store->ids, id->text, id->length) != PRIVY_MAP_NONE)
    return refuse(load, "id", "belongs to an earlier contact");
  if (!privy_contact_prepare(load->store, &change, PRIVY_STORE_NONE, values)) return PRIVY_NO_MEMORY;
  change.next.deleted = find(line, "deleted", &deleted) && deleted.type == PRIVY_TRUE;
  status = settle_keys(load, line, &change);
  if (status != PRIVY_OK) {
    privy_contact_abandon(load->store, &change);
    return status;
  }
  const bool gone = change.next.deleted;
  privy_contact_commit(load->store, &change);
  if (gone) privy_contact_delete(load->store, load->store->contact_count - 1);
  return PRIVY_OK;
}

/* ---- orders ------------------------------------------------------------------------------------------------------ */

static privy_status store_order(loading *load, privy_slice key, size_t contact, const privy_value *values) {
  privy_order_change change = {0};
  if (privy_map_get(&load->store->order_keys, key.text, key.length) != PRIVY_MAP_NONE)
    return refuse(load, "order_id", "belongs to an earlier order");
  if (!privy_order_prepare(load->store, &change, PRIVY_STORE_NONE, key, values)) return PRIVY_NO_MEMORY;
  change.next.contact = contact;
  change.next.integration = PRIVY_INTEGRATION_NONE;
  privy_order_commit(load->store, &change);
  return PRIVY_OK;
}

static privy_status read_order(loading *load, privy_value line, privy_value record) {
  privy_value values[PRIVY_ORDER_FIELDS] = {0}, owner;
  privy_buffer key = PRIVY_BUFFER_EMPTY;
  privy_status status = read_values(load, PRIVY_OP_ORDER, record, values);
  if (status != PRIVY_OK) return status;
  find(line, "contact_id", &owner);
  const size_t contact =
      owner.type == PRIVY_STRING ? privy_map_get(&load->store->ids, owner.text, owner.length) : PRIVY_MAP_NONE;
  if (contact == PRIVY_MAP_NONE) return refuse(load, "contact_id", "is not the id of a contact of the file");
  status = privy_value_decode(values[PRIVY_FIELD_ORDER_order_id], &key);
  if (status == PRIVY_OK) status = store_order(load, (privy_slice){key.data, key.length}, contact, values);
  privy_buffer_clear(&key);
  return status;
}

/* ---- events and messages ----------------------------------------------------------------------------------------- */

static privy_status append_document(privy_document **items, size_t *count, size_t *capacity, privy_value record,
                                    int64_t serial) {
  privy_document *grown = privy_grow(*items, *count, capacity, sizeof **items);
  if (!grown) return PRIVY_NO_MEMORY;
  *items = grown;
  if (!privy_document_new(&grown[*count], record.text, record.length)) return PRIVY_NO_MEMORY;
  grown[(*count)++].serial = (uint64_t)serial;
  return PRIVY_OK;
}

/* Checks that the members of these names are strings. */
static privy_status check_strings(loading *load, privy_value record, const char *const *names) {
  privy_value value;
  for (; *names; names++) {
    if (!find(record, *names, &value) || value.type != PRIVY_STRING) return refuse(load, *names, "must be a string");
  }
  return PRIVY_OK;
}

/* Makes the next event be found by a member, if it has that. */
static privy_status store_key(loading *load, privy_value record, const char *name, privy_map *keys) {
  privy_value value;
  privy_buffer key = PRIVY_BUFFER_EMPTY;
  if (!find(record, name, &value)) return PRIVY_OK;
  privy_status status = privy_value_decode(value, &key);
  if (status == PRIVY_OK && privy_map_get(keys, key.data, key.length) != PRIVY_MAP_NONE)
    status = refuse(load, name, "belongs to an earlier event");
  else if (status == PRIVY_OK && !privy_map_set(keys, key.data, key.length, load->store->event_count))
    status = PRIVY_NO_MEMORY;
  privy_buffer_clear(&key);
  return status;
}

static privy_status read_event(loading *load, privy_value line, privy_value record) {
  static const char *const strings[] = {"event_id", "accepted_at", NULL};
  int64_t serial;
  privy_store *store = load->store;
  if (!find_count(line, "serial", &serial) || serial == 0 || serial > load->event_serial)
    return refuse(load, "serial", "must be a number from 1 to event_serial");
  privy_status status = check_strings(load, record, strings);
  if (status == PRIVY_OK) status = check_given(load, privy_operation_get(PRIVY_OP_EVENT), record);
  if (status == PRIVY_OK) status = store_key(load, record, "idempotency_key", &store->event_keys);
  if (status == PRIVY_OK) status = store_key(load, record, "event_id", &store->event_ids);
  if (status != PRIVY_OK) return status;
  return append_document(&store->events, &store->event_count, &store->event_capacity, record, serial);
}

static privy_status read_message(loading *load, privy_value line, privy_value record) {
  static const char *const strings[] = {"contact_id", "phone_number", "at", NULL};
  (void)line;
  privy_store *store = load->store;
  const privy_status status = check_strings(load, record, strings);
  if (status != PRIVY_OK) return status;
  return append_document(&store->messages, &store->message_count, &store->message_capacity, record, 0);
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

typedef privy_status record_reader(loading *load, privy_value line, privy_value record);

static privy_status read_kind(loading *load, size_t kind) {
  static record_reader *const readers[PRIVY_ARCHIVE_KINDS] = {read_contact, read_order, read_event, read_message};
  privy_status status = PRIVY_OK;
  for (int64_t i = 0; status == PRIVY_OK && i < load->counts[kind]; i++) {
    privy_value line, record;
    status = next_line(load, &line);
    if (status != PRIVY_OK) return status;
    if (!find(line, privy_archive_names[kind], &record) || record.type != PRIVY_OBJECT)
      return refuse(
          load, "the line does not hold the kind of record that the first line announces:", privy_archive_names[kind]);
    status = readers[kind](load, line, record);
  }
  return status;
}

privy_status privy_archive_read(privy_store *store, privy_slice text, privy_buffer *problem) {
  loading load = {.store = store, .rest = text, .problem = problem};
  privy_status status = read_first_line(&load);
  for (size_t kind = 0; status == PRIVY_OK && kind < PRIVY_ARCHIVE_KINDS; kind++) status = read_kind(&load, kind);
  if (status == PRIVY_OK && load.rest.length) {
    load.line++;
    status = refuse(&load, "the line", "is more than the first line announces");
  }
  store->contact_serial = (uint64_t)load.contact_serial;
  store->event_serial = (uint64_t)load.event_serial;
  if (status != PRIVY_OK) privy_store_clear(store);
  return status;
}
