#include "jobs/query.h"

#include <string.h>

privy_query privy_query_begin(privy_database *file, struct sqlite3_stmt **statement, const char *sql) {
  int result = PRIVY_SQLITE_OK;
  if (!*statement) result = file->sqlite->prepare_v2(file->database, sql, -1, statement, NULL);
  return (privy_query){file, file->sqlite, *statement, result};
}

void privy_query_text(privy_query *query, int at, const char *text, size_t length) {
  if (query->result != PRIVY_SQLITE_OK || !text) return;
  query->result = query->sqlite->bind_text(query->statement, at, text, (int)length, NULL);
}

void privy_query_string(privy_query *query, int at, const char *text) {
  if (text) privy_query_text(query, at, text, strlen(text));
}

void privy_query_integer(privy_query *query, int at, int64_t value) {
  if (query->result == PRIVY_SQLITE_OK) query->result = query->sqlite->bind_int64(query->statement, at, value);
}

void privy_query_number(privy_query *query, int at, double value) {
  if (query->result == PRIVY_SQLITE_OK) query->result = query->sqlite->bind_double(query->statement, at, value);
}

void privy_query_blob(privy_query *query, int at, const void *bytes, size_t length) {
  if (query->result == PRIVY_SQLITE_OK)
    query->result = query->sqlite->bind_blob(query->statement, at, bytes, (int)length, NULL);
}

bool privy_query_step(privy_query *query) {
  if (query->result != PRIVY_SQLITE_OK) return false;
  const int result = query->sqlite->step(query->statement);
  if (result != PRIVY_SQLITE_ROW && result != PRIVY_SQLITE_DONE) query->result = result;
  return result == PRIVY_SQLITE_ROW;
}

const char *privy_query_read_text(privy_query *query, int column) {
  return (const char *)query->sqlite->column_text(query->statement, column);
}

const char *privy_query_read_slice(privy_query *query, int column, size_t *length) {
  const char *text = privy_query_read_text(query, column);
  *length = text ? (size_t)query->sqlite->column_bytes(query->statement, column) : 0;
  return text ? text : "";
}

int64_t privy_query_read_integer(const privy_query *query, int column) {
  return query->sqlite->column_int64(query->statement, column);
}

double privy_query_read_number(const privy_query *query, int column) {
  return query->sqlite->column_double(query->statement, column);
}

privy_status privy_query_end(privy_query *query, privy_error *error) {
  if (query->statement) {
    (void)query->sqlite->reset(query->statement);
    (void)query->sqlite->clear_bindings(query->statement);
  }
  if (query->result == PRIVY_SQLITE_OK) return PRIVY_OK;
  return privy_database_fail(query->file, query->result, error);
}

privy_status privy_query_run(privy_query *query, privy_error *error) {
  while (privy_query_step(query)) continue;
  return privy_query_end(query, error);
}
