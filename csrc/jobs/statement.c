#include <string.h>

#include "jobs/database.h"

privy_statement privy_statement_begin(privy_database *database, struct sqlite3_stmt **prepared, const char *sql) {
  int result = PRIVY_SQLITE_OK;
  if (!*prepared) result = database->sqlite->prepare_v2(database->file, sql, -1, prepared, NULL);
  return (privy_statement){database, database->sqlite, *prepared, result};
}

void privy_statement_text(privy_statement *statement, int at, const char *text, size_t length) {
  if (statement->result != PRIVY_SQLITE_OK || !text) return;
  statement->result = statement->sqlite->bind_text(statement->prepared, at, text, (int)length, NULL);
}

void privy_statement_integer(privy_statement *statement, int at, int64_t value) {
  if (statement->result == PRIVY_SQLITE_OK)
    statement->result = statement->sqlite->bind_int64(statement->prepared, at, value);
}

void privy_statement_real(privy_statement *statement, int at, double value) {
  if (statement->result == PRIVY_SQLITE_OK)
    statement->result = statement->sqlite->bind_double(statement->prepared, at, value);
}

bool privy_statement_step(privy_statement *statement) {
  if (statement->result != PRIVY_SQLITE_OK) return false;
  const int result = statement->sqlite->step(statement->prepared);
  if (result != PRIVY_SQLITE_ROW && result != PRIVY_SQLITE_DONE) statement->result = result;
  return result == PRIVY_SQLITE_ROW;
}

const char *privy_statement_column(const privy_statement *statement, int column, size_t *length) {
  const char *text = (const char *)statement->sqlite->column_text(statement->prepared, column);
  *length = text ? (size_t)statement->sqlite->column_bytes(statement->prepared, column) : 0;
  return text ? text : "";
}

privy_status privy_statement_end(privy_statement *statement, privy_error *error) {
  if (statement->prepared) {
    (void)statement->sqlite->reset(statement->prepared);
    (void)statement->sqlite->clear_bindings(statement->prepared);
  }
  if (statement->result == PRIVY_SQLITE_OK) return PRIVY_OK;
  return privy_database_fail(statement->database, statement->result, error);
}

privy_status privy_statement_run(privy_statement *statement, privy_error *error) {
  while (privy_statement_step(statement)) continue;
  return privy_statement_end(statement, error);
}
