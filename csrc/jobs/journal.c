#include "jobs/journal.h"

#include <stdio.h>
#include <string.h>

#include "base/fork.h"
#include "base/map.h"
#include "base/memory.h"
#include "message/error.h"
#include "json/writer.h"

/* X(name, SQL). Most have the parameters of bind_row: ?1 key, ?2 nth, ?3 other key, ?4 index, ?5 hash, ?6 request. */
#define STATEMENTS(X)                                                                                                  \
  X(FIND, "SELECT id, hash, state, first_sent, idempotency_key FROM rows WHERE key = ?1 AND nth = ?2")                 \
  X(ADD, "INSERT INTO rows (key, nth, other_key, source_row, hash, request, state)"                                    \
         " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'pending')")                                                                \
  X(CHANGE, "UPDATE rows SET other_key = ?3, source_row = ?4, hash = ?5, request = ?6, state = 'pending',"             \
            " idempotency_key = NULL, first_sent = NULL, http_status = NULL, record_id = NULL, message = NULL,"        \
            " details = NULL WHERE key = ?1 AND nth = ?2")                                                             \
  X(RELATED, "SELECT id FROM rows WHERE state IN ('done', 'created', 'updated', 'refused') AND id <> ?3 AND id IN ("   \
             "SELECT id FROM rows WHERE key IN (?1, ?2) UNION ALL"                                                     \
             " SELECT id FROM rows WHERE other_key IN (?1, ?2) AND other_key IS NOT NULL)")                            \
  X(SUPERSEDE, "UPDATE rows SET state = 'superseded' WHERE id = ?1")                                                   \
  X(SEND, "UPDATE rows SET state = 'sent', idempotency_key = coalesce(?2, idempotency_key),"                           \
          " first_sent = coalesce(first_sent, ?3) WHERE id = ?1")                                                      \
  X(END, "UPDATE rows SET state = ?2, http_status = ?3, record_id = ?4, message = ?5, details = ?6,"                   \
         " request = CASE WHEN ?7 THEN request END, idempotency_key = CASE WHEN ?8 THEN idempotency_key END,"          \
         " first_sent = CASE WHEN ?8 THEN first_sent END WHERE id = ?1")                                               \
  X(CREATOR, "SELECT id FROM rows WHERE state = 'created' AND id <> ?1 AND id IN ("                                    \
             "SELECT o.id FROM rows r JOIN rows o ON o.key = r.key WHERE r.id = ?1 UNION ALL"                          \
             " SELECT o.id FROM rows r JOIN rows o ON o.key = r.other_key WHERE r.id = ?1 UNION ALL"                   \
             " SELECT o.id FROM rows r JOIN rows o ON o.other_key = r.key WHERE r.id = ?1 UNION ALL"                   \
             " SELECT o.id FROM rows r JOIN rows o ON o.other_key = r.other_key WHERE r.id = ?1)")                     \
  X(REFUSE, "INSERT OR REPLACE INTO rows (key, nth, source_row, hash, state, message, details)"                        \
            " VALUES (?1, 0, ?2, x'', 'invalid', ?3, ?4)")                                                             \
  X(COUNT, "SELECT state, count(*) FROM rows GROUP BY state")

typedef enum statement_id {
#define X(name, sql) STATEMENT_##name,
  STATEMENTS(X)
#undef X
      STATEMENT_COUNT_OF_ALL
} statement_id;

static const char *const sql_texts[] = {
#define X(name, sql) sql,
    STATEMENTS(X)
#undef X
};

static const char *const state_names[] = {
#define X(name, text) text,
    PRIVY_JOURNAL_STATES(X)
#undef X
};

struct privy_journal {
  privy_journal_file file;
  struct sqlite3_stmt *statements[STATEMENT_COUNT_OF_ALL]; /* NULL until first used */
  unsigned char *taken;                                    /* a bit for each id: the row was taken in this run */
  size_t taken_size;
  privy_map repeats; /* of keys that were taken more than once: how often */
};

/* ---- statements ---- */

/* A statement in use. The first failure stays in `result`, and all later steps do nothing. */
typedef struct journal_query {
  privy_journal *journal;
  const privy_sqlite *sqlite;
  struct sqlite3_stmt *statement;
  int result;
} journal_query;

static journal_query begin(privy_journal *journal, statement_id id) {
  const privy_sqlite *sqlite = journal->file.sqlite;
  struct sqlite3_stmt **statement = &journal->statements[id];
  int result = PRIVY_SQLITE_OK;
  if (!*statement) result = sqlite->prepare_v2(journal->file.database, sql_texts[id], -1, statement, NULL);
  return (journal_query){journal, sqlite, *statement, result};
}

static void bind_text(journal_query *query, int at, const char *text, size_t length) {
  if (query->result != PRIVY_SQLITE_OK || !text) return;
  query->result = query->sqlite->bind_text(query->statement, at, text, (int)length, NULL);
}

static void bind_string(journal_query *query, int at, const char *text) {
  if (text) bind_text(query, at, text, strlen(text));
}

static void bind_integer(journal_query *query, int at, int64_t value) {
  if (query->result == PRIVY_SQLITE_OK) query->result = query->sqlite->bind_int64(query->statement, at, value);
}

/* Whether there is a row to read. */
static bool step(journal_query *query) {
  if (query->result != PRIVY_SQLITE_OK) return false;
  const int result = query->sqlite->step(query->statement);
  if (result != PRIVY_SQLITE_ROW && result != PRIVY_SQLITE_DONE) query->result = result;
  return result == PRIVY_SQLITE_ROW;
}

/* Makes the statement usable again. Parameters that are not set are NULL the next time. */
static privy_status end(journal_query *query, privy_error *error) {
  if (query->statement) {
    (void)query->sqlite->reset(query->statement);
    (void)query->sqlite->clear_bindings(query->statement);
  }
  if (query->result == PRIVY_SQLITE_OK) return PRIVY_OK;
  return privy_journal_file_fail(&query->journal->file, query->result, error);
}

static privy_status execute(journal_query *query, privy_error *error) {
  while (step(query)) continue;
  return end(query, error);
}

/* ---- life ---- */

privy_status privy_journal_open(const privy_journal_config *config, privy_journal **out, privy_error *error) {
  const privy_sqlite *sqlite = privy_sqlite_load(error);
  if (!sqlite) return error->code;
  privy_journal *journal = privy_calloc(1, sizeof *journal);
  if (!journal) return privy_error_no_memory(error);
  privy_fork_forbid();
  const privy_status status = privy_journal_file_open(&journal->file, sqlite, config, error);
  privy_fork_allow();
  if (status == PRIVY_OK)
    *out = journal;
  else
    privy_journal_close(journal);
  return status;
}

void privy_journal_close(privy_journal *journal) {
  if (!journal) return;
  privy_fork_forbid();
  if (journal->file.generation == privy_fork_generation())
    for (size_t i = 0; i < STATEMENT_COUNT_OF_ALL; i++)
      if (journal->statements[i]) (void)journal->file.sqlite->finalize(journal->statements[i]);
  privy_journal_file_close(&journal->file);
  privy_fork_allow();
  privy_map_clear(&journal->repeats);
  privy_free(journal->taken);
  privy_free(journal);
}

/* Begins what changes the journal, and ends it: fork() waits meanwhile. */
static privy_status enter(privy_journal *journal, privy_error *error) {
  privy_fork_forbid();
  const privy_status status = privy_journal_file_check(&journal->file, error);
  return status == PRIVY_OK ? privy_journal_file_begin(&journal->file, error) : status;
}

static privy_status leave(privy_status status) {
  privy_fork_allow();
  return status;
}

/* ---- rows that were taken ---- */

static bool is_taken(const privy_journal *journal, int64_t id) {
  const size_t byte = (size_t)id / 8;
  return byte < journal->taken_size && journal->taken[byte] >> (id % 8) & 1;
}

static bool mark_taken(privy_journal *journal, int64_t id) {
  const size_t byte = (size_t)id / 8;
  if (byte >= journal->taken_size) {
    const size_t size = byte * 2 + 64;
    unsigned char *taken = privy_realloc(journal->taken, size);
    if (!taken) return false;
    memset(taken + journal->taken_size, 0, size - journal->taken_size);
    journal->taken = taken;
    journal->taken_size = size;
  }
  journal->taken[byte] |= (unsigned char)(1 << id % 8);
  return true;
}

/* ---- taking a row ---- */

typedef struct source_row {
  privy_identity identity;
  const privy_request *request;
  uint64_t index;
  size_t nth;
} source_row;

static privy_journal_state read_state(const journal_query *query, int column) {
  const char *text = (const char *)query->sqlite->column_text(query->statement, column);
  size_t state = 0;
  while (text && state < PRIVY_JOURNAL_STATE_COUNT && strcmp(text, state_names[state]) != 0) state++;
  return text && state < PRIVY_JOURNAL_STATE_COUNT ? (privy_journal_state)state : PRIVY_JOURNAL_PENDING;
}

static bool has_hash(const journal_query *query, int column, const unsigned char hash[PRIVY_HASH_SIZE]) {
  return query->sqlite->column_bytes(query->statement, column) == PRIVY_HASH_SIZE &&
         memcmp(query->sqlite->column_blob(query->statement, column), hash, PRIVY_HASH_SIZE) == 0;
}

static void read_row(const journal_query *query, privy_journal_row *out) {
  const char *key = (const char *)query->sqlite->column_text(query->statement, 4);
  out->first_sent = query->sqlite->column_double(query->statement, 3);
  if (key && strlen(key) < sizeof out->key) strcpy(out->key, key);
}

/* Finds the row at `nth` of its key. Without one `out->id` is 0. `*same`: it has this content. */
static privy_status find(privy_journal *journal, const source_row *source, privy_journal_row *out, bool *same,
                         privy_error *error) {
  journal_query query = begin(journal, STATEMENT_FIND);
  *out = (privy_journal_row){.state = PRIVY_JOURNAL_PENDING};
  *same = false;
  bind_text(&query, 1, source->identity.key.data, source->identity.key.length);
  bind_integer(&query, 2, (int64_t)source->nth);
  if (step(&query)) {
    out->id = query.sqlite->column_int64(query.statement, 0);
    out->state = read_state(&query, 2);
    *same = has_hash(&query, 1, source->identity.hash);
    if (*same && out->state == PRIVY_JOURNAL_SENT) read_row(&query, out);
  }
  return end(&query, error);
}

/* Finds the row of the key that was not taken yet. */
static privy_status find_next(privy_journal *journal, source_row *source, privy_journal_row *out, bool *same,
                              privy_error *error) {
  const privy_buffer *key = &source->identity.key;
  const size_t repeats = privy_map_get(&journal->repeats, key->data, key->length);
  source->nth = repeats == PRIVY_MAP_NONE ? 0 : repeats;
  if (find(journal, source, out, same, error) != PRIVY_OK) return error->code;
  if (source->nth == 0 && out->id && is_taken(journal, out->id)) {
    source->nth = 1;
    if (find(journal, source, out, same, error) != PRIVY_OK) return error->code;
  }
  if (source->nth == 0 || privy_map_set(&journal->repeats, key->data, key->length, source->nth + 1)) return PRIVY_OK;
  return privy_error_no_memory(error);
}

/* Writes the content of a new or changed row. */
static privy_status write_row(privy_journal *journal, const source_row *source, privy_journal_row *row,
                              privy_error *error) {
  journal_query query = begin(journal, row->id ? STATEMENT_CHANGE : STATEMENT_ADD);
  const privy_identity *identity = &source->identity;
  size_t length;
  const char *body = privy_request_body(source->request, &length);
  bind_text(&query, 1, identity->key.data, identity->key.length);
  bind_integer(&query, 2, (int64_t)source->nth);
  if (identity->other.length) bind_text(&query, 3, identity->other.data, identity->other.length);
  bind_integer(&query, 4, (int64_t)source->index);
  if (query.result == PRIVY_SQLITE_OK)
    query.result = query.sqlite->bind_blob(query.statement, 5, identity->hash, PRIVY_HASH_SIZE, NULL);
  bind_text(&query, 6, body, length);
  if (execute(&query, error) != PRIVY_OK) return error->code;
  if (!row->id) row->id = query.sqlite->last_insert_rowid(journal->file.database);
  row->state = PRIVY_JOURNAL_PENDING;
  return PRIVY_OK;
}

static privy_status supersede(privy_journal *journal, int64_t id, privy_error *error) {
  journal_query query = begin(journal, STATEMENT_SUPERSEDE);
  bind_integer(&query, 1, id);
  return execute(&query, error);
}

/* Rows of the same keys that were not taken come later in the source: they are sent again. */
static privy_status supersede_later(privy_journal *journal, const source_row *source, int64_t id, privy_error *error) {
  journal_query query = begin(journal, STATEMENT_RELATED);
  const privy_identity *identity = &source->identity;
  privy_status status = PRIVY_OK;
  bind_text(&query, 1, identity->key.data, identity->key.length);
  if (identity->other.length) bind_text(&query, 2, identity->other.data, identity->other.length);
  bind_integer(&query, 3, id);
  while (status == PRIVY_OK && step(&query)) {
    const int64_t other = query.sqlite->column_int64(query.statement, 0);
    if (!is_taken(journal, other)) status = supersede(journal, other, error);
  }
  const privy_status ended = end(&query, error);
  return status == PRIVY_OK ? ended : status;
}

static bool is_skipped(privy_journal_state state) {
  return state == PRIVY_JOURNAL_DONE || state == PRIVY_JOURNAL_CREATED || state == PRIVY_JOURNAL_UPDATED ||
         state == PRIVY_JOURNAL_REFUSED;
}

static privy_status take(privy_journal *journal, source_row *source, privy_journal_row *out, privy_error *error) {
  bool same;
  if (find_next(journal, source, out, &same, error) != PRIVY_OK) return error->code;
  const bool repeats = same && out->state == PRIVY_JOURNAL_SENT;
  if (same && is_skipped(out->state)) return mark_taken(journal, out->id) ? PRIVY_OK : privy_error_no_memory(error);
  if (privy_journal_file_begin(&journal->file, error) != PRIVY_OK) return error->code;
  if (!repeats && write_row(journal, source, out, error) != PRIVY_OK) return error->code;
  if (!mark_taken(journal, out->id)) return privy_error_no_memory(error);
  if (!source->identity.replaces) return PRIVY_OK;
  return supersede_later(journal, source, out->id, error);
}

privy_status privy_journal_take(privy_journal *journal, uint64_t index, const privy_request *request,
                                privy_journal_row *out, privy_error *error) {
  source_row source = {.request = request, .index = index};
  privy_status status = PRIVY_OK;
  *out = (privy_journal_row){.state = PRIVY_JOURNAL_PENDING};
  if (!privy_identity_read(request, &source.identity)) status = privy_error_no_memory(error);
  if (status == PRIVY_OK) {
    privy_fork_forbid();
    status = privy_journal_file_check(&journal->file, error);
    if (status == PRIVY_OK) status = take(journal, &source, out, error);
    privy_fork_allow();
  }
  privy_identity_clear(&source.identity);
  return status;
}

/* ---- what becomes of it ---- */

privy_status privy_journal_send(privy_journal *journal, int64_t id, const char *key, double first_sent,
                                privy_error *error) {
  if (enter(journal, error) != PRIVY_OK) return leave(error->code);
  journal_query query = begin(journal, STATEMENT_SEND);
  bind_integer(&query, 1, id);
  bind_string(&query, 2, key);
  if (query.result == PRIVY_SQLITE_OK) query.result = query.sqlite->bind_double(query.statement, 3, first_sent);
  return leave(execute(&query, error));
}

/* Appends [{"field": …, "message": …}]. */
static bool write_details(const privy_details *details, privy_buffer *out) {
  privy_writer writer;
  privy_writer_init(&writer, out);
  privy_writer_begin_array(&writer);
  for (size_t i = 0; i < details->count; i++) {
    privy_writer_begin_object(&writer);
    privy_writer_key(&writer, "field", 5);
    privy_writer_string(&writer, details->items[i].field, strlen(details->items[i].field));
    privy_writer_key(&writer, "message", 7);
    privy_writer_string(&writer, details->items[i].message, strlen(details->items[i].message));
    privy_writer_end_object(&writer);
  }
  privy_writer_end_array(&writer);
  return !writer.failed;
}

static privy_status write_outcome(privy_journal *journal, int64_t id, const privy_journal_outcome *outcome,
                                  const privy_buffer *details, privy_error *error) {
  const bool in_doubt = outcome->state == PRIVY_JOURNAL_SENT;
  if (enter(journal, error) != PRIVY_OK) return leave(error->code);
  journal_query query = begin(journal, STATEMENT_END);
  bind_integer(&query, 1, id);
  bind_string(&query, 2, state_names[outcome->state]);
  if (outcome->http_status) bind_integer(&query, 3, outcome->http_status);
  bind_string(&query, 4, outcome->record_id);
  bind_string(&query, 5, outcome->message);
  bind_text(&query, 6, details->data, details->length);
  bind_integer(&query, 7,
               in_doubt || outcome->state == PRIVY_JOURNAL_PENDING || outcome->state == PRIVY_JOURNAL_REFUSED);
  bind_integer(&query, 8, outcome->state != PRIVY_JOURNAL_PENDING);
  return leave(execute(&query, error));
}

privy_status privy_journal_end(privy_journal *journal, int64_t id, const privy_journal_outcome *outcome,
                               privy_error *error) {
  privy_buffer details = PRIVY_BUFFER_EMPTY;
  const bool has_details = outcome->details && outcome->details->count;
  privy_status status;
  if (has_details && !write_details(outcome->details, &details))
    status = privy_error_no_memory(error);
  else
    status = write_outcome(journal, id, outcome, &details, error);
  privy_buffer_clear(&details);
  return status;
}

privy_status privy_journal_find_creator(privy_journal *journal, int64_t id, bool *found, privy_error *error) {
  privy_fork_forbid();
  if (privy_journal_file_check(&journal->file, error) != PRIVY_OK) return leave(error->code);
  journal_query query = begin(journal, STATEMENT_CREATOR);
  bind_integer(&query, 1, id);
  *found = step(&query);
  return leave(end(&query, error));
}

static privy_status write_refusal(privy_journal *journal, uint64_t index, const char *message,
                                  const privy_buffer *details, privy_error *error) {
  char key[32];
  const int length = snprintf(key, sizeof key, "row=%llu", (unsigned long long)index);
  if (enter(journal, error) != PRIVY_OK) return leave(error->code);
  journal_query query = begin(journal, STATEMENT_REFUSE);
  bind_text(&query, 1, key, (size_t)length);
  bind_integer(&query, 2, (int64_t)index);
  bind_string(&query, 3, message);
  bind_text(&query, 4, details->data, details->length);
  return leave(execute(&query, error));
}

privy_status privy_journal_refuse(privy_journal *journal, uint64_t index, const privy_error *cause,
                                  privy_error *error) {
  privy_buffer details = PRIVY_BUFFER_EMPTY;
  privy_status status;
  if (cause->details.count && !write_details(&cause->details, &details))
    status = privy_error_no_memory(error);
  else
    status = write_refusal(journal, index, cause->message, &details, error);
  privy_buffer_clear(&details);
  return status;
}

privy_status privy_journal_commit(privy_journal *journal, privy_error *error) {
  privy_fork_forbid();
  privy_status status = privy_journal_file_check(&journal->file, error);
  if (status == PRIVY_OK) status = privy_journal_file_commit(&journal->file, error);
  return leave(status);
}

privy_status privy_journal_count(privy_journal *journal, uint64_t out[PRIVY_JOURNAL_STATE_COUNT], privy_error *error) {
  memset(out, 0, PRIVY_JOURNAL_STATE_COUNT * sizeof *out);
  privy_fork_forbid();
  if (privy_journal_file_check(&journal->file, error) != PRIVY_OK) return leave(error->code);
  journal_query query = begin(journal, STATEMENT_COUNT);
  while (step(&query)) out[read_state(&query, 0)] += (uint64_t)query.sqlite->column_int64(query.statement, 1);
  return leave(end(&query, error));
}
