#include "jobs/journal.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fork.h"
#include "base/map.h"
#include "base/memory.h"
#include "jobs/journal_ahead.h"
#include "jobs/journal_state.h"
#include "jobs/query.h"
#include "message/error.h"
#include "json/writer.h"

/* X(name, SQL). Most have the parameters of bind_row: ?1 key, ?2 nth, ?3 other key, ?4 index, ?5 hash, ?6 request. */
#define STATEMENTS(X)                                                                                                  \
  X(FIND, "SELECT id, hash, state, first_sent, idempotency_key, decision FROM rows WHERE key = ?1 AND nth = ?2")       \
  X(ADD, "INSERT INTO rows (key, nth, other_key, source_row, hash, request, state)"                                    \
         " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'pending')")                                                                \
  X(CHANGE, "UPDATE rows SET other_key = ?3, source_row = ?4, hash = ?5, request = ?6, state = 'pending',"             \
            " idempotency_key = NULL, first_sent = NULL, http_status = NULL, record_id = NULL, message = NULL,"        \
            " details = NULL, detail_count = NULL, decision = NULL WHERE key = ?1 AND nth = ?2")                       \
  X(MOVE, "UPDATE rows SET source_row = ?2 WHERE id = ?1 AND source_row <> ?2")                                        \
  X(RELATED, "SELECT id FROM rows WHERE state IN ('done', 'created', 'updated', 'refused') AND id <> ?3 AND id IN ("   \
             "SELECT id FROM rows WHERE key IN (?1, ?2) UNION ALL"                                                     \
             " SELECT id FROM rows WHERE other_key IN (?1, ?2) AND other_key IS NOT NULL)")                            \
  X(SUPERSEDE, "UPDATE rows SET state = 'superseded' WHERE id = ?1")                                                   \
  X(SEND, "UPDATE rows SET state = 'sent', idempotency_key = coalesce(?2, idempotency_key),"                           \
          " first_sent = CASE WHEN decision IS NULL THEN coalesce(first_sent, ?3) ELSE ?3 END, decision = NULL"        \
          " WHERE id = ?1")                                                                                            \
  X(END, "UPDATE rows SET state = ?2, http_status = ?3, record_id = ?4, message = ?5, details = ?6,"                   \
         " detail_count = ?9, request = CASE WHEN ?7 THEN request END,"                                                \
         " idempotency_key = CASE WHEN ?8 THEN idempotency_key END, first_sent = CASE WHEN ?8 THEN first_sent END"     \
         " WHERE id = ?1")                                                                                             \
  X(CREATOR, "SELECT id FROM rows WHERE state = 'created' AND id <> ?1 AND id IN ("                                    \
             "SELECT o.id FROM rows r JOIN rows o ON o.key = r.key WHERE r.id = ?1 UNION ALL"                          \
             " SELECT o.id FROM rows r JOIN rows o ON o.key = r.other_key WHERE r.id = ?1 UNION ALL"                   \
             " SELECT o.id FROM rows r JOIN rows o ON o.other_key = r.key WHERE r.id = ?1 UNION ALL"                   \
             " SELECT o.id FROM rows r JOIN rows o ON o.other_key = r.other_key WHERE r.id = ?1)")                     \
  X(REFUSE, "INSERT OR REPLACE INTO rows (key, nth, source_row, hash, state, message, details, detail_count,"          \
            " other_key, request) VALUES (?1, 0, ?2, x'', 'invalid', ?3, ?4, ?5, ?6, ?7)")                             \
  X(COUNT, "SELECT state, count(*) FROM rows GROUP BY state")                                                          \
  X(BEGIN_RUN, "INSERT INTO runs (began) VALUES (?1)")                                                                 \
  X(NOTE_RUN, "UPDATE runs SET requests = ?2, seconds = ?3, waited = ?4, ended = ?5, stopped = ?6 WHERE id = ?1")

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

struct privy_journal {
  privy_journal_file file;
  struct sqlite3_stmt *statements[STATEMENT_COUNT_OF_ALL]; /* NULL until first used */
  int64_t run;                                             /* its row in `runs` */
  unsigned char *taken;                                    /* a bit for each id: the row was taken in this run */
  size_t taken_size;
  privy_journal_ahead ahead;
  privy_map repeats; /* of keys that were taken more than once: how often */
};

static privy_query begin(privy_journal *journal, statement_id id) {
  return privy_query_begin(&journal->file, &journal->statements[id], sql_texts[id]);
}

/* ---- life ---- */

static privy_status begin_run(privy_journal *journal, privy_error *error) {
  if (privy_database_begin(&journal->file, error) != PRIVY_OK) return error->code;
  privy_query query = begin(journal, STATEMENT_BEGIN_RUN);
  privy_query_number(&query, 1, privy_wall_clock());
  if (privy_query_run(&query, error) != PRIVY_OK) return error->code;
  journal->run = query.sqlite->last_insert_rowid(journal->file.database);
  return privy_database_commit(&journal->file, error);
}

privy_status privy_journal_open(const privy_journal_config *config, privy_journal **out, privy_error *error) {
  const privy_sqlite *sqlite = privy_sqlite_load(error);
  if (!sqlite) return error->code;
  privy_journal *journal = privy_calloc(1, sizeof *journal);
  if (!journal) return privy_error_no_memory(error);
  journal->ahead.follows = true;
  privy_fork_forbid();
  privy_status status = privy_journal_file_open(&journal->file, sqlite, config, error);
  if (status == PRIVY_OK) status = begin_run(journal, error);
  privy_fork_allow();
  if (status == PRIVY_OK)
    *out = journal;
  else
    privy_journal_close(journal);
  return status;
}

static void finalize(privy_journal *journal) {
  for (size_t i = 0; i < STATEMENT_COUNT_OF_ALL; i++)
    if (journal->statements[i]) (void)journal->file.sqlite->finalize(journal->statements[i]);
  if (journal->ahead.statement) (void)journal->file.sqlite->finalize(journal->ahead.statement);
}

void privy_journal_close(privy_journal *journal) {
  if (!journal) return;
  privy_fork_forbid();
  if (journal->file.generation == privy_fork_generation()) finalize(journal);
  privy_database_close(&journal->file);
  privy_fork_allow();
  privy_map_clear(&journal->repeats);
  privy_journal_ahead_clear(&journal->ahead);
  privy_free(journal->taken);
  privy_free(journal);
}

/* Begins what changes the journal, and ends it: fork() waits meanwhile. */
static privy_status enter(privy_journal *journal, privy_error *error) {
  privy_fork_forbid();
  const privy_status status = privy_database_check(&journal->file, error);
  return status == PRIVY_OK ? privy_database_begin(&journal->file, error) : status;
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

static privy_journal_state read_state(const privy_query *query, int column) {
  privy_journal_state state = PRIVY_JOURNAL_PENDING;
  (void)privy_journal_state_find((const char *)query->sqlite->column_text(query->statement, column), &state);
  return state;
}

static bool has_hash(const privy_query *query, int column, const unsigned char hash[PRIVY_HASH_SIZE]) {
  return query->sqlite->column_bytes(query->statement, column) == PRIVY_HASH_SIZE &&
         memcmp(query->sqlite->column_blob(query->statement, column), hash, PRIVY_HASH_SIZE) == 0;
}

static void read_row(const privy_query *query, privy_journal_row *out) {
  const char *key = (const char *)query->sqlite->column_text(query->statement, 4);
  out->first_sent = query->sqlite->column_double(query->statement, 3);
  out->decided = query->sqlite->column_bytes(query->statement, 5) > 0;
  if (key && strlen(key) < sizeof out->key) strcpy(out->key, key);
}

/* Finds the row at `nth` of its key. Without one `out->id` is 0. `*same`: it has this content. */
static privy_status find(privy_journal *journal, const source_row *source, privy_journal_row *out, bool *same,
                         privy_error *error) {
  const privy_journal_ahead_row *next;
  *out = (privy_journal_row){.state = PRIVY_JOURNAL_PENDING};
  *same = false;
  if (privy_journal_ahead_find(&journal->ahead, &journal->file, &source->identity, source->nth, &next, error) !=
      PRIVY_OK)
    return error->code;
  if (next) {
    out->id = next->id;
    out->state = next->state;
    *same = true;
    return PRIVY_OK;
  }
  privy_query query = begin(journal, STATEMENT_FIND);
  privy_query_text(&query, 1, source->identity.key.data, source->identity.key.length);
  privy_query_integer(&query, 2, (int64_t)source->nth);
  if (privy_query_step(&query)) {
    out->id = query.sqlite->column_int64(query.statement, 0);
    out->state = read_state(&query, 2);
    *same = has_hash(&query, 1, source->identity.hash);
    if (*same && out->state == PRIVY_JOURNAL_SENT) read_row(&query, out);
  }
  return privy_query_end(&query, error);
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
  privy_query query = begin(journal, row->id ? STATEMENT_CHANGE : STATEMENT_ADD);
  const privy_identity *identity = &source->identity;
  size_t length;
  const char *body = privy_request_body(source->request, &length);
  privy_query_text(&query, 1, identity->key.data, identity->key.length);
  privy_query_integer(&query, 2, (int64_t)source->nth);
  if (identity->other.length) privy_query_text(&query, 3, identity->other.data, identity->other.length);
  privy_query_integer(&query, 4, (int64_t)source->index);
  privy_query_blob(&query, 5, identity->hash, PRIVY_HASH_SIZE);
  privy_query_text(&query, 6, body, length);
  if (privy_query_run(&query, error) != PRIVY_OK) return error->code;
  if (!row->id) row->id = query.sqlite->last_insert_rowid(journal->file.database);
  row->state = PRIVY_JOURNAL_PENDING;
  return PRIVY_OK;
}

/* Writes the index of a row in doubt, which names it to the user. */
static privy_status move(privy_journal *journal, const source_row *source, privy_journal_row *row, privy_error *error) {
  privy_query query = begin(journal, STATEMENT_MOVE);
  privy_query_integer(&query, 1, row->id);
  privy_query_integer(&query, 2, (int64_t)source->index);
  return privy_query_run(&query, error);
}

static privy_status supersede(privy_journal *journal, int64_t id, privy_error *error) {
  privy_query query = begin(journal, STATEMENT_SUPERSEDE);
  privy_query_integer(&query, 1, id);
  return privy_query_run(&query, error);
}

/* Rows of the same keys that were not taken come later in the source: they are sent again. */
static privy_status supersede_later(privy_journal *journal, const source_row *source, int64_t id, privy_error *error) {
  privy_query query = begin(journal, STATEMENT_RELATED);
  const privy_identity *identity = &source->identity;
  privy_status status = PRIVY_OK;
  privy_query_text(&query, 1, identity->key.data, identity->key.length);
  if (identity->other.length) privy_query_text(&query, 2, identity->other.data, identity->other.length);
  privy_query_integer(&query, 3, id);
  while (status == PRIVY_OK && privy_query_step(&query)) {
    const int64_t other = query.sqlite->column_int64(query.statement, 0);
    if (!is_taken(journal, other)) status = supersede(journal, other, error);
  }
  const privy_status ended = privy_query_end(&query, error);
  return status == PRIVY_OK ? ended : status;
}

static privy_status take(privy_journal *journal, source_row *source, privy_journal_row *out, privy_error *error) {
  bool same;
  if (find_next(journal, source, out, &same, error) != PRIVY_OK) return error->code;
  const bool repeats = same && out->state == PRIVY_JOURNAL_SENT;
  if (same && privy_journal_state_is_skipped(out->state)) {
    privy_journal_ahead_pass(&journal->ahead, out->id);
    return mark_taken(journal, out->id) ? PRIVY_OK : privy_error_no_memory(error);
  }
  privy_journal_ahead_drop(&journal->ahead);
  if (privy_database_begin(&journal->file, error) != PRIVY_OK) return error->code;
  if ((repeats ? move : write_row)(journal, source, out, error) != PRIVY_OK) return error->code;
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
    status = privy_database_check(&journal->file, error);
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
  privy_query query = begin(journal, STATEMENT_SEND);
  privy_query_integer(&query, 1, id);
  privy_query_string(&query, 2, key);
  privy_query_number(&query, 3, first_sent);
  return leave(privy_query_run(&query, error));
}

static void write_member(privy_writer *writer, const char *name, const char *text) {
  privy_writer_key(writer, name, strlen(name));
  privy_writer_string(writer, text, strlen(text));
}

/* Appends [{"field": …, "message": …, "code": …}], with the limit of a rule that has one as "count". */
static bool write_details(const privy_details *details, privy_buffer *out) {
  privy_writer writer;
  privy_writer_init(&writer, out);
  privy_writer_begin_array(&writer);
  for (size_t i = 0; i < details->count; i++) {
    const privy_detail *detail = &details->items[i];
    privy_writer_begin_object(&writer);
    write_member(&writer, "field", detail->field);
    write_member(&writer, "message", detail->message);
    write_member(&writer, "code", detail->code);
    if (detail->count != PRIVY_NO_LIMIT) {
      privy_writer_key(&writer, "count", 5);
      privy_writer_integer(&writer, detail->count);
    }
    privy_writer_end_object(&writer);
  }
  privy_writer_end_array(&writer);
  return !writer.failed;
}

/* An error without details is one entry of a report. */
static int64_t count_details(const privy_details *details) {
  return details && details->count ? (int64_t)details->count : 1;
}

static privy_status write_outcome(privy_journal *journal, int64_t id, const privy_journal_outcome *outcome,
                                  const privy_buffer *details, privy_error *error) {
  const bool in_doubt = outcome->state == PRIVY_JOURNAL_SENT;
  if (enter(journal, error) != PRIVY_OK) return leave(error->code);
  privy_query query = begin(journal, STATEMENT_END);
  privy_query_integer(&query, 1, id);
  privy_query_string(&query, 2, privy_journal_state_name(outcome->state));
  if (outcome->http_status) privy_query_integer(&query, 3, outcome->http_status);
  privy_query_string(&query, 4, outcome->record_id);
  privy_query_string(&query, 5, outcome->message);
  privy_query_text(&query, 6, details->data, details->length);
  privy_query_integer(&query, 7,
                      in_doubt || outcome->state == PRIVY_JOURNAL_PENDING || outcome->state == PRIVY_JOURNAL_REFUSED);
  privy_query_integer(&query, 8, outcome->state != PRIVY_JOURNAL_PENDING);
  if (outcome->message) privy_query_integer(&query, 9, count_details(outcome->details));
  return leave(privy_query_run(&query, error));
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
  if (privy_database_check(&journal->file, error) != PRIVY_OK) return leave(error->code);
  privy_query query = begin(journal, STATEMENT_CREATOR);
  privy_query_integer(&query, 1, id);
  *found = privy_query_step(&query);
  return leave(privy_query_end(&query, error));
}

/* What is known of a row that was found invalid: its content, if it has a form in JSON, and its key. */
typedef struct invalid_row {
  privy_value content;
  privy_buffer key, details;
} invalid_row;

static bool read_invalid_row(const privy_request *request, const privy_details *details, invalid_row *out) {
  privy_error none;
  size_t length;
  privy_error_init(&none);
  const char *body = request ? privy_request_body(request, &length) : "";
  const privy_status status = request ? privy_value_parse(body, length, &out->content, &none) : PRIVY_API_STATUS;
  privy_error_clear(&none);
  if (status != PRIVY_OK) out->content = (privy_value){.type = PRIVY_ABSENT};
  if (status == PRIVY_NO_MEMORY) return false;
  const bool has_key = out->content.type == PRIVY_OBJECT;
  return (!has_key || privy_identity_read_key(request, &out->key)) &&
         (!details->count || write_details(details, &out->details));
}

static privy_status write_refusal(privy_journal *journal, uint64_t index, const privy_error *cause,
                                  const invalid_row *row, privy_error *error) {
  char key[32];
  const int length = snprintf(key, sizeof key, "row=%llu", (unsigned long long)index);
  if (enter(journal, error) != PRIVY_OK) return leave(error->code);
  privy_query query = begin(journal, STATEMENT_REFUSE);
  privy_query_text(&query, 1, key, (size_t)length);
  privy_query_integer(&query, 2, (int64_t)index);
  privy_query_string(&query, 3, cause->message);
  privy_query_text(&query, 4, row->details.data, row->details.length);
  privy_query_integer(&query, 5, count_details(&cause->details));
  if (row->key.length) privy_query_text(&query, 6, row->key.data, row->key.length);
  if (row->content.type == PRIVY_OBJECT) privy_query_text(&query, 7, row->content.text, row->content.length);
  return leave(privy_query_run(&query, error));
}

privy_status privy_journal_refuse(privy_journal *journal, uint64_t index, const privy_request *request,
                                  const privy_error *cause, privy_error *error) {
  invalid_row row = {.key = PRIVY_BUFFER_EMPTY, .details = PRIVY_BUFFER_EMPTY};
  const privy_status status = read_invalid_row(request, &cause->details, &row)
                                  ? write_refusal(journal, index, cause, &row, error)
                                  : privy_error_no_memory(error);
  privy_buffer_clear(&row.key);
  privy_buffer_clear(&row.details);
  return status;
}

privy_status privy_journal_note(privy_journal *journal, const privy_journal_run *run, privy_error *error) {
  if (!run->ended && !journal->file.in_transaction) return PRIVY_OK;
  if (enter(journal, error) != PRIVY_OK) return leave(error->code);
  privy_query query = begin(journal, STATEMENT_NOTE_RUN);
  privy_query_integer(&query, 1, journal->run);
  privy_query_integer(&query, 2, (int64_t)run->requests);
  privy_query_number(&query, 3, run->seconds);
  privy_query_number(&query, 4, run->waited);
  if (run->ended) privy_query_number(&query, 5, privy_wall_clock());
  privy_query_string(&query, 6, run->stopped);
  return leave(privy_query_run(&query, error));
}

bool privy_journal_is_changed(const privy_journal *journal) {
  return journal->file.in_transaction;
}

privy_status privy_journal_commit(privy_journal *journal, privy_error *error) {
  privy_fork_forbid();
  privy_status status = privy_database_check(&journal->file, error);
  if (status == PRIVY_OK) status = privy_database_commit(&journal->file, error);
  return leave(status);
}

privy_status privy_journal_count(privy_journal *journal, uint64_t out[PRIVY_JOURNAL_STATE_COUNT], privy_error *error) {
  memset(out, 0, PRIVY_JOURNAL_STATE_COUNT * sizeof *out);
  privy_fork_forbid();
  if (privy_database_check(&journal->file, error) != PRIVY_OK) return leave(error->code);
  privy_query query = begin(journal, STATEMENT_COUNT);
  while (privy_query_step(&query))
    out[read_state(&query, 0)] += (uint64_t)query.sqlite->column_int64(query.statement, 1);
  return leave(privy_query_end(&query, error));
}
