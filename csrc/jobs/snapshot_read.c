#include <string.h>

#include "base/text.h"
#include "jobs/snapshot.h"
#include "message/error.h"
#include "schema/schema.h"

/* Contacts that are read at once. */
#define PAGE 500

/* Appends the contacts after `*position` as the body of a page. `*count`: how many they are. */
static privy_status read_bodies(privy_snapshot *snapshot, int64_t *position, privy_buffer *out, size_t *count,
                                privy_error *error) {
  if (privy_snapshot_enter(snapshot, error) != PRIVY_OK) return privy_snapshot_leave(error->code);
  privy_query query = privy_snapshot_begin(snapshot, PRIVY_SNAPSHOT_READ);
  privy_query_integer(&query, 1, *position);
  privy_query_integer(&query, 2, PAGE);
  bool done = privy_buffer_text(out, "{\"data\":[");
  *count = 0;
  while (done && privy_query_step(&query)) {
    size_t length;
    const char *body = privy_query_read_slice(&query, 1, &length);
    *position = query.sqlite->column_int64(query.statement, 0);
    done = (*count == 0 || privy_buffer_byte(out, ',')) && privy_buffer_append(out, body, length);
    ++*count;
  }
  done = done && privy_buffer_text(out, "]}");
  if (privy_query_end(&query, error) != PRIVY_OK) return privy_snapshot_leave(error->code);
  return privy_snapshot_leave(done ? PRIVY_OK : privy_error_no_memory(error));
}

privy_status privy_snapshot_read(privy_snapshot *snapshot, int64_t *position, privy_response **page,
                                 privy_error *error) {
  const privy_operation *list = privy_operation_get(PRIVY_OP_LIST);
  privy_buffer body = PRIVY_BUFFER_EMPTY;
  size_t count = 0;
  *page = NULL;
  privy_status status = read_bodies(snapshot, position, &body, &count, error);
  if (status == PRIVY_OK && count) status = privy_response_parse(list, 200, "", 0, &body, page, error);
  privy_buffer_clear(&body);
  return status == PRIVY_OK || status == PRIVY_NO_MEMORY || status == PRIVY_SNAPSHOT
             ? status
             : privy_database_refuse(&snapshot->database, PRIVY_DATABASE_DAMAGED, error);
}

privy_status privy_snapshot_each(privy_snapshot *snapshot, privy_snapshot_function *function, void *context,
                                 privy_error *error) {
  int64_t position = 0;
  bool more = true;
  while (more) {
    privy_response *page;
    const privy_status status = privy_snapshot_read(snapshot, &position, &page, error);
    if (status != PRIVY_OK || !page) return status;
    for (size_t i = 0; more && i < privy_response_count(page); i++)
      more = function(context, privy_response_record(page, i));
    privy_response_release(page);
  }
  return PRIVY_OK;
}

/* Appends the body of the contact; nothing if there is none. */
static privy_status find_body(privy_snapshot *snapshot, privy_snapshot_statement id, privy_slice value,
                              privy_buffer *out, privy_error *error) {
  if (privy_snapshot_enter(snapshot, error) != PRIVY_OK) return privy_snapshot_leave(error->code);
  privy_query query = privy_snapshot_begin(snapshot, id);
  privy_query_text(&query, 1, value.text, value.length);
  bool done = true;
  if (privy_query_step(&query)) {
    size_t length;
    const char *body = privy_query_read_slice(&query, 0, &length);
    done = privy_buffer_append(out, body, length);
  }
  if (privy_query_end(&query, error) != PRIVY_OK) return privy_snapshot_leave(error->code);
  return privy_snapshot_leave(done ? PRIVY_OK : privy_error_no_memory(error));
}

privy_status privy_snapshot_find(privy_snapshot *snapshot, const char *name, const char *value, size_t length,
                                 privy_response **contact, privy_error *error) {
  const bool by_email = strcmp(name, "email") == 0, by_phone = strcmp(name, "phone_number") == 0;
  const privy_snapshot_statement id =
      by_email ? PRIVY_SNAPSHOT_BY_EMAIL : (by_phone ? PRIVY_SNAPSHOT_BY_PHONE : PRIVY_SNAPSHOT_BY_ID);
  privy_buffer body = PRIVY_BUFFER_EMPTY;
  *contact = NULL;
  privy_status status = find_body(snapshot, id, (privy_slice){value, length}, &body, error);
  if (status == PRIVY_OK && body.length)
    status = privy_response_load(&privy_object_contact, body.data, body.length, contact, error);
  privy_buffer_clear(&body);
  return status == PRIVY_API_STATUS ? privy_database_refuse(&snapshot->database, PRIVY_DATABASE_DAMAGED, error)
                                    : status;
}
