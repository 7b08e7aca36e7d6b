/*
 * One use of a prepared statement of a database. The first failure stays in `result`, and all later steps do
 * nothing; privy_query_end reports it.
 *
 *   privy_query query = privy_query_begin(&file, &statement, "SELECT …");
 *   privy_query_integer(&query, 1, id);
 *   while (privy_query_step(&query)) …read columns…
 *   return privy_query_end(&query, error);
 */
#ifndef PRIVY_JOBS_QUERY_H
#define PRIVY_JOBS_QUERY_H

#include "jobs/database.h"

typedef struct privy_query {
  privy_database *file;
  const privy_sqlite *sqlite;
  struct sqlite3_stmt *statement;
  int result;
} privy_query;

/* Prepares `*statement` if it is NULL. Its owner finalizes it. */
privy_query privy_query_begin(privy_database *file, struct sqlite3_stmt **statement, const char *sql);

/* Set parameters, from 1 on; those that are not set are NULL. The texts must be valid until the end. */
void privy_query_text(privy_query *query, int at, const char *text, size_t length);
/* NULL is NULL. */
void privy_query_string(privy_query *query, int at, const char *text);
void privy_query_integer(privy_query *query, int at, int64_t value);
void privy_query_number(privy_query *query, int at, double value);
void privy_query_blob(privy_query *query, int at, const void *bytes, size_t length);

/* Whether there is a row to read. */
bool privy_query_step(privy_query *query);
/* The text of a column of that row, valid until the next step; NULL: it is NULL, or memory ran out. */
const char *privy_query_read_text(privy_query *query, int column);
/* The same with its length; NULL is "". */
const char *privy_query_read_slice(privy_query *query, int column, size_t *length);
/* The value of a column of that row. */
int64_t privy_query_read_integer(const privy_query *query, int column);
double privy_query_read_number(const privy_query *query, int column);

/* Makes the statement usable again. */
PRIVY_NODISCARD privy_status privy_query_end(privy_query *query, privy_error *error);
/* Steps to the end of a statement whose rows do not matter. */
PRIVY_NODISCARD privy_status privy_query_run(privy_query *query, privy_error *error);

#endif
