#include "jobs/journal_ahead.h"

#include "jobs/journal_state.h"
#include "jobs/query.h"
#include "message/error.h"

/* Rows that are read at once while it is not known how many the source has in this order. */
#define FEWEST_ROWS 16
/* How far the next id may be from the last one. Invalid rows of earlier runs had ids, too. */
#define NEAR 64
/* Bytes of keys after which no further row is read: a key may be long. */
#define MOST_KEYS 32768

/* These columns come before the request in the file. SQLite reads no further. */
static const char next_rows[] = "SELECT id, key, nth, hash, state FROM rows WHERE id > ?1 ORDER BY id LIMIT ?2";

void privy_journal_ahead_clear(privy_journal_ahead *ahead) {
  privy_buffer_clear(&ahead->keys);
}

static void empty(privy_journal_ahead *ahead) {
  ahead->at = ahead->count = ahead->size = 0;
}

void privy_journal_ahead_drop(privy_journal_ahead *ahead) {
  empty(ahead);
  ahead->follows = false;
}

void privy_journal_ahead_pass(privy_journal_ahead *ahead, int64_t id) {
  while (ahead->at < ahead->count && ahead->rows[ahead->at].id < id) ahead->at++;
  if (ahead->at < ahead->count && ahead->rows[ahead->at].id == id) {
    ahead->at++;
  } else {
    empty(ahead);
    ahead->follows = id > ahead->last && id - ahead->last <= NEAR;
  }
  ahead->last = id;
}

/* ---- reading ---- */

/* Adds the row of the query. False when memory runs out. A row without a hash, as of a damaged file, is never equal. */
static bool add_row(privy_journal_ahead *ahead, privy_query *query) {
  privy_journal_ahead_row *row = &ahead->rows[ahead->count];
  const char *key = privy_query_read_slice(query, 1, &row->key_length);
  const char *state = privy_query_read_text(query, 4);
  const void *hash = query->sqlite->column_blob(query->statement, 3);
  row->id = privy_query_read_integer(query, 0);
  row->nth = (size_t)privy_query_read_integer(query, 2);
  row->key = ahead->keys.length;
  row->skipped = hash && query->sqlite->column_bytes(query->statement, 3) == PRIVY_HASH_SIZE &&
                 privy_journal_state_find(state, &row->state) && privy_journal_state_is_skipped(row->state);
  if (row->skipped) memcpy(row->hash, hash, PRIVY_HASH_SIZE);
  ahead->count++;
  return privy_buffer_append(&ahead->keys, key, row->key_length);
}

/* Each time twice as many as before: the source may leave the order soon. */
static privy_status read_rows(privy_journal_ahead *ahead, privy_journal_file *file, privy_error *error) {
  bool added = true;
  const size_t twice = ahead->size * 2;
  ahead->at = ahead->count = ahead->keys.length = 0;
  ahead->size = twice < FEWEST_ROWS ? FEWEST_ROWS : twice < PRIVY_JOURNAL_AHEAD_ROWS ? twice : PRIVY_JOURNAL_AHEAD_ROWS;
  privy_query query = privy_query_begin(file, &ahead->statement, next_rows);
  privy_query_integer(&query, 1, ahead->last);
  privy_query_integer(&query, 2, (int64_t)ahead->size);
  while (added && ahead->keys.length < MOST_KEYS && privy_query_step(&query)) added = add_row(ahead, &query);
  const privy_status status = privy_query_end(&query, error);
  if (!added || status != PRIVY_OK) privy_journal_ahead_drop(ahead);
  if (ahead->count == 0) ahead->follows = false;
  return status == PRIVY_OK && !added ? privy_error_no_memory(error) : status;
}

static bool is_row(const privy_journal_ahead *ahead, const privy_journal_ahead_row *row, const privy_identity *identity,
                   size_t nth) {
  const privy_buffer *key = &identity->key;
  return row->skipped && row->nth == nth && memcmp(row->hash, identity->hash, PRIVY_HASH_SIZE) == 0 &&
         row->key_length == key->length && memcmp(ahead->keys.data + row->key, key->data, key->length) == 0;
}

privy_status privy_journal_ahead_find(privy_journal_ahead *ahead, privy_journal_file *file,
                                      const privy_identity *identity, size_t nth, const privy_journal_ahead_row **row,
                                      privy_error *error) {
  *row = NULL;
  if (ahead->at == ahead->count && ahead->follows && read_rows(ahead, file, error) != PRIVY_OK) return error->code;
  if (ahead->at < ahead->count && is_row(ahead, &ahead->rows[ahead->at], identity, nth)) *row = &ahead->rows[ahead->at];
  return PRIVY_OK;
}
