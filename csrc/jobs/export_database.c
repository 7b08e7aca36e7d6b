#include "jobs/export_database.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "message/error.h"
#include "schema/schema.h"

/* The file is not used before it is complete: it needs no journal, and is synced once. */
static const char settings[] = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN";

/* SQLite has a type for numbers; all else is text: times as received, arrays and objects as JSON. */
static const char *type_of(privy_kind kind) {
  return kind == PRIVY_KIND_INTEGER || kind == PRIVY_KIND_BOOLEAN ? "INTEGER" : "TEXT";
}

/* A statement with a part for each field: its name and type, or its parameter. */
static bool write_sql(privy_buffer *out, const char *begin, bool definitions) {
  privy_field_info field;
  bool done = privy_buffer_text(out, begin);
  for (size_t i = 0; done && privy_object_field(&privy_object_contact, i, &field); i++) {
    done = i == 0 || privy_buffer_byte(out, ',');
    if (done && definitions)
      done = privy_buffer_format(out, "\"%s\" %s", field.name, type_of(field.kind));
    else if (done)
      done = privy_buffer_format(out, "?%zu", i + 1);
  }
  return done && privy_buffer_byte(out, ')') && privy_buffer_terminate(out);
}

static privy_status fail(const privy_export_output_file *file, int result, privy_error *error) {
  const int number = file->database ? file->sqlite->system_errno(file->database) : 0;
  if ((result & 0xFF) == PRIVY_SQLITE_NOMEM) return privy_error_no_memory(error);
  if ((result & 0xFF) == PRIVY_SQLITE_FULL) return privy_export_file_fail(file, ENOSPC, error);
  return privy_export_file_fail(file, number ? number : EIO, error);
}

static privy_status prepare(privy_export_output_file *file, privy_buffer *table, privy_buffer *insert,
                            privy_error *error) {
  if (!write_sql(table, "CREATE TABLE contacts (", true) || !write_sql(insert, "INSERT INTO contacts VALUES (", false))
    return privy_error_no_memory(error);
  int result = file->sqlite->exec(file->database, settings, NULL, NULL, NULL);
  if (result == PRIVY_SQLITE_OK) result = file->sqlite->exec(file->database, table->data, NULL, NULL, NULL);
  if (result == PRIVY_SQLITE_OK)
    result = file->sqlite->prepare_v2(file->database, insert->data, -1, &file->insert, NULL);
  return result == PRIVY_SQLITE_OK ? PRIVY_OK : fail(file, result, error);
}

privy_status privy_export_database_open(privy_export_output_file *file, privy_error *error) {
  privy_buffer table = PRIVY_BUFFER_EMPTY, insert = PRIVY_BUFFER_EMPTY;
  file->sqlite = privy_sqlite_load(error);
  if (!file->sqlite) return error->code;
  const int result = file->sqlite->open_v2(file->path, &file->database, PRIVY_SQLITE_OPEN_READWRITE, NULL);
  const privy_status status =
      result == PRIVY_SQLITE_OK ? prepare(file, &table, &insert, error) : fail(file, result, error);
  privy_buffer_clear(&table);
  privy_buffer_clear(&insert);
  return status;
}

/* Binds a value. The text is used until the row is written. */
static int bind(const privy_export_output_file *file, size_t index, privy_value value, privy_buffer *room) {
  bool failed = false;
  size_t length;
  if (value.type == PRIVY_TRUE || value.type == PRIVY_FALSE)
    return file->sqlite->bind_int64(file->insert, (int)index + 1, value.type == PRIVY_TRUE);
  const char *text = privy_export_text(value, room, &length, &failed);
  if (failed) return PRIVY_SQLITE_NOMEM;
  if (!text) return file->sqlite->bind_null(file->insert, (int)index + 1);
  return file->sqlite->bind_text(file->insert, (int)index + 1, text, (int)length, NULL);
}

privy_status privy_export_database_add(privy_export_output_file *file, const privy_record *contact,
                                       privy_error *error) {
  const size_t count = privy_object_count(&privy_object_contact);
  privy_buffer rooms[PRIVY_MAX_FIELDS] = {{NULL, 0, 0}};
  int result = PRIVY_SQLITE_OK;
  for (size_t i = 0; result == PRIVY_SQLITE_OK && i < count; i++)
    result = bind(file, i, privy_record_get(contact, i), &rooms[i]);
  if (result == PRIVY_SQLITE_OK) result = file->sqlite->step(file->insert);
  (void)file->sqlite->reset(file->insert);
  for (size_t i = 0; i < count; i++) privy_buffer_clear(&rooms[i]);
  return result == PRIVY_SQLITE_DONE ? PRIVY_OK : fail(file, result, error);
}

privy_status privy_export_database_close(privy_export_output_file *file, privy_error *error) {
  const int result = file->sqlite->exec(file->database, "COMMIT", NULL, NULL, NULL);
  if (result != PRIVY_SQLITE_OK) return fail(file, result, error);
  (void)file->sqlite->finalize(file->insert);
  (void)file->sqlite->close(file->database);
  file->insert = NULL;
  file->database = NULL;
  return PRIVY_OK;
}
