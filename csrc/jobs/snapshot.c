#include "jobs/snapshot.h"

#include <string.h>
#include <unistd.h>

#include "base/fork.h"
#include "base/memory.h"
#include "jobs/owner.h"
#include "message/error.h"
#include "message/page_request.h"
#include "schema/schema.h"

/* "PrvS" and the version of the tables. */
#define APPLICATION_ID 0x50727653
#define FORMAT 2
/* The pass of a contact that no page of a sweep had. */
#define NO_PASS (-1)

static const char tables[] =
    "CREATE TABLE snapshot (server TEXT NOT NULL, account TEXT NOT NULL, filter TEXT NOT NULL,"
    " sweep INTEGER NOT NULL DEFAULT 0,"     /* the number of the last one that was begun */
    " completed INTEGER NOT NULL DEFAULT 0," /* …that was completed */
    " written INTEGER NOT NULL DEFAULT 0,"   /* …whose contacts an export has written to its file */
    " began_at REAL NOT NULL DEFAULT 0, completed_at REAL NOT NULL DEFAULT 0,"
    /* of the sweep in progress */
    " this_began_at REAL NOT NULL DEFAULT 0, read_at REAL NOT NULL DEFAULT 0,"
    " pass INTEGER NOT NULL DEFAULT 0, next INTEGER NOT NULL DEFAULT 0,"
    " first_total INTEGER NOT NULL DEFAULT -1, total INTEGER NOT NULL DEFAULT -1,"
    " overlap INTEGER NOT NULL DEFAULT 1, back INTEGER NOT NULL DEFAULT 0,"
    " longest INTEGER NOT NULL DEFAULT 100, missed INTEGER NOT NULL DEFAULT 0,"
    " windows INTEGER NOT NULL DEFAULT 0,"
    " first_at INTEGER NOT NULL DEFAULT 0, second_at INTEGER NOT NULL DEFAULT 0,"
    " second_from INTEGER NOT NULL DEFAULT 0, doubtful INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE contacts ("
    " id INTEGER PRIMARY KEY,"
    " key TEXT NOT NULL UNIQUE," /* the contact's id; without one its e-mail address or phone number */
    " email TEXT,"
    " phone_number TEXT,"
    " updated_at TEXT,"
    " body TEXT NOT NULL," /* JSON as received */
    " read_at REAL NOT NULL,"
    " sweep INTEGER NOT NULL," /* that read it last, and in which of its passes */
    " pass INTEGER NOT NULL,"
    " vanished_at REAL);" /* a complete sweep did not find it */
    "CREATE INDEX contacts_email ON contacts (email COLLATE NOCASE) WHERE email IS NOT NULL;"
    "CREATE INDEX contacts_phone_number ON contacts (phone_number) WHERE phone_number IS NOT NULL;"
    "PRAGMA application_id = 1349678675; PRAGMA user_version = 2;";
_Static_assert(APPLICATION_ID == 1349678675 && FORMAT == 2, "`tables` writes these numbers");

/* Format 1 had no second reference, and the number 1 for the first pass in a chain. */
static const char upgrade[] = "ALTER TABLE snapshot ADD COLUMN first_at INTEGER NOT NULL DEFAULT 0;"
                              "ALTER TABLE snapshot ADD COLUMN second_at INTEGER NOT NULL DEFAULT 0;"
                              "ALTER TABLE snapshot ADD COLUMN second_from INTEGER NOT NULL DEFAULT 0;"
                              "ALTER TABLE snapshot ADD COLUMN doubtful INTEGER NOT NULL DEFAULT 0;"
                              "UPDATE snapshot SET first_at = CAST(this_began_at AS INTEGER);"
                              "UPDATE snapshot SET pass = pass + 1 WHERE pass > 0;"
                              "UPDATE contacts SET pass = pass + 1 WHERE pass > 0;"
                              "PRAGMA user_version = 2;";

static const privy_database_fault_text faults[] = {
    [PRIVY_DATABASE_LOCKED] = {"snapshot_locked", "another process is writing to it; wait until it ends"},
    [PRIVY_DATABASE_MISSING] = {"snapshot_missing", "there is no such file, so there is nothing to resume"},
    [PRIVY_DATABASE_FOREIGN] = {"not_a_snapshot", "the file is not a snapshot, and is left unchanged; choose "
                                                  "another name"},
    [PRIVY_DATABASE_NEWER] = {"snapshot_newer", "a newer version of privy wrote it; use that version"},
    [PRIVY_DATABASE_OTHER_SUBJECT] = {"snapshot_filter", "it holds contacts of another filter; restart it, or "
                                                         "choose another name"},
    [PRIVY_DATABASE_OTHER_SERVER] = {"snapshot_server", "it holds contacts of another server; restart it, or "
                                                        "choose another name"},
    [PRIVY_DATABASE_OTHER_ACCOUNT] = {"snapshot_account", "it holds contacts of another account; restart it, or "
                                                          "choose another name"},
    [PRIVY_DATABASE_READ_ONLY] = {"snapshot_read_only", "the file or its folder cannot be written"},
    [PRIVY_DATABASE_FULL] = {"snapshot_full", "there is no space left to write to it; free some and run again"},
    [PRIVY_DATABASE_DAMAGED] = {"snapshot_damaged", "the file is damaged; delete it and run again"},
    [PRIVY_DATABASE_FORKED] = {"snapshot_forked", "it belongs to the process that opened it; open it again after "
                                                  "a fork"},
    [PRIVY_DATABASE_UNUSABLE] = {"snapshot_unusable", "it cannot be opened, read or written; choose another "
                                                      "path"},
};

static const privy_database_kind kind = {
    .noun = "snapshot", .status = PRIVY_SNAPSHOT, .application_id = APPLICATION_ID, .format = FORMAT, .faults = faults};

static const char *const sql_texts[] = {
#define X(name, sql) sql,
    PRIVY_SNAPSHOT_STATEMENTS(X)
#undef X
};

/* ---- the state ---- */

/* The columns are `sweep`, `completed` and `written`, four times, then the numbers of the coverage. */
#define FIRST_INTEGERS 3
#define TIMES 4
#define INTEGERS 16

/* Where each number of the state is, in the order of the columns from `sweep` on. */
typedef struct state_columns {
  int64_t *integers[INTEGERS];
  double *reals[TIMES];
} state_columns;

static state_columns columns_of(privy_snapshot_state *state) {
  privy_coverage *c = &state->coverage;
  return (state_columns){{&state->sweep, &state->completed, &state->written, &c->pass, &c->next, &c->first_total,
                          &c->total, &c->overlap, &c->back, &c->longest, &c->missed, &c->windows, &c->first_at,
                          &c->second_at, &c->second_from, &c->doubtful},
                         {&state->began_at, &state->completed_at, &state->this_began_at, &state->read_at}};
}

static void read_state(privy_snapshot *snapshot, privy_query *query) {
  const state_columns columns = columns_of(&snapshot->state);
  for (int i = 0; i < INTEGERS; i++) {
    const int column = i < FIRST_INTEGERS ? i : i + TIMES;
    *columns.integers[i] = query->sqlite->column_int64(query->statement, column);
  }
  for (int i = 0; i < TIMES; i++)
    *columns.reals[i] = query->sqlite->column_double(query->statement, i + FIRST_INTEGERS);
}

privy_status privy_snapshot_save(privy_snapshot *snapshot, privy_error *error) {
  privy_query query = privy_snapshot_begin(snapshot, PRIVY_SNAPSHOT_SAVE);
  const state_columns columns = columns_of(&snapshot->state);
  for (int i = 0; i < INTEGERS; i++)
    privy_query_integer(&query, (i < FIRST_INTEGERS ? i : i + TIMES) + 1, *columns.integers[i]);
  for (int i = 0; i < TIMES; i++) privy_query_number(&query, i + FIRST_INTEGERS + 1, *columns.reals[i]);
  return privy_query_run(&query, error);
}

/* ---- opening ---- */

privy_query privy_snapshot_begin(privy_snapshot *snapshot, privy_snapshot_statement id) {
  return privy_query_begin(&snapshot->database, &snapshot->statements[id], sql_texts[id]);
}

privy_status privy_snapshot_enter(privy_snapshot *snapshot, privy_error *error) {
  privy_fork_forbid();
  return privy_database_check(&snapshot->database, error);
}

privy_status privy_snapshot_leave(privy_status status) {
  privy_fork_allow();
  return status;
}

/* Whose contacts a snapshot holds. */
typedef struct snapshot_owner {
  const char *server;
  char account[PRIVY_ACCOUNT_SIZE];
  privy_buffer filter;
} snapshot_owner;

static void bind_owner(privy_query *query, const snapshot_owner *owner) {
  privy_query_text(query, 1, owner->server, strlen(owner->server));
  privy_query_text(query, 2, owner->account, strlen(owner->account));
  privy_query_text(query, 3, owner->filter.length ? owner->filter.data : "", owner->filter.length);
}

static privy_status forget_all(privy_snapshot *snapshot, privy_error *error) {
  if (privy_database_begin(&snapshot->database, error) != PRIVY_OK) return error->code;
  return privy_database_run(&snapshot->database, "DELETE FROM contacts; DELETE FROM snapshot", error);
}

static privy_status create_row(privy_snapshot *snapshot, const snapshot_owner *owner, privy_error *error) {
  if (privy_database_begin(&snapshot->database, error) != PRIVY_OK) return error->code;
  privy_query query = privy_snapshot_begin(snapshot, PRIVY_SNAPSHOT_CREATE);
  bind_owner(&query, owner);
  return privy_query_run(&query, error);
}

/* A snapshot that knows no account gets it from the first client that does. */
static privy_status claim(privy_snapshot *snapshot, const snapshot_owner *owner, privy_error *error) {
  if (privy_database_begin(&snapshot->database, error) != PRIVY_OK) return error->code;
  privy_query query = privy_snapshot_begin(snapshot, PRIVY_SNAPSHOT_CLAIM);
  privy_query_text(&query, 1, owner->account, strlen(owner->account));
  return privy_query_run(&query, error);
}

/* Reads the one row. `*found` is false if there is none. */
static privy_status load_row(privy_snapshot *snapshot, const snapshot_owner *owner, bool *found, privy_error *error) {
  static const privy_database_fault others[] = {PRIVY_DATABASE_OTHER_SERVER, PRIVY_DATABASE_OTHER_ACCOUNT,
                                                PRIVY_DATABASE_OTHER_SUBJECT};
  privy_database_fault other = PRIVY_DATABASE_SOUND;
  privy_query query = privy_snapshot_begin(snapshot, PRIVY_SNAPSHOT_LOAD);
  bind_owner(&query, owner);
  *found = privy_query_step(&query);
  if (*found) read_state(snapshot, &query);
  for (int i = 0; *found && other == PRIVY_DATABASE_SOUND && i < 3; i++)
    if (query.sqlite->column_int(query.statement, INTEGERS + TIMES + i)) other = others[i];
  if (privy_query_end(&query, error) != PRIVY_OK) return error->code;
  return other == PRIVY_DATABASE_SOUND ? PRIVY_OK : privy_database_refuse(&snapshot->database, other, error);
}

static privy_status load(privy_snapshot *snapshot, const privy_snapshot_config *config, const snapshot_owner *owner,
                         privy_error *error) {
  bool found = false;
  if (config->resume == PRIVY_RESUME_RESTART && forget_all(snapshot, error) != PRIVY_OK) return error->code;
  if (load_row(snapshot, owner, &found, error) != PRIVY_OK) return error->code;
  const privy_status status = found ? claim(snapshot, owner, error) : create_row(snapshot, owner, error);
  return status == PRIVY_OK ? privy_database_commit(&snapshot->database, error) : status;
}

/* In one transaction, so that a process that dies leaves all tables of a format, or an empty file. */
static privy_status make_tables(privy_snapshot *snapshot, bool empty, privy_error *error) {
  if (!empty && snapshot->database.format == FORMAT) return PRIVY_OK;
  if (privy_database_begin(&snapshot->database, error) != PRIVY_OK ||
      privy_database_run(&snapshot->database, empty ? tables : upgrade, error) != PRIVY_OK)
    return error->code;
  return privy_database_commit(&snapshot->database, error);
}

static privy_status open_file(privy_snapshot *snapshot, const privy_snapshot_config *config,
                              const snapshot_owner *owner, privy_error *error) {
  privy_database *database = &snapshot->database;
  bool empty = false;
  const privy_sqlite *sqlite = privy_sqlite_load(error);
  if (!sqlite) return error->code;
  if (privy_database_start(database, &kind, sqlite, config->path, error) != PRIVY_OK) return error->code;
  if (config->resume == PRIVY_RESUME_ONLY && access(config->path, F_OK) != 0)
    return privy_database_refuse(database, PRIVY_DATABASE_MISSING, error);
  if (privy_database_create(database, error) != PRIVY_OK ||
      privy_database_open(database, PRIVY_SQLITE_OPEN_READWRITE, error) != PRIVY_OK ||
      privy_database_lock(database, &empty, error) != PRIVY_OK ||
      privy_database_configure(database, error) != PRIVY_OK || make_tables(snapshot, empty, error) != PRIVY_OK)
    return error->code;
  return load(snapshot, config, owner, error);
}

/* A sweep that began too long ago is not continued. */
static void drop_old_sweep(privy_snapshot *snapshot, privy_client *client, double longest) {
  privy_snapshot_state *state = &snapshot->state;
  const bool in_progress = state->sweep > state->completed;
  const double now = privy_client_wall(client, privy_client_now(client));
  snapshot->resumed = in_progress;
  if (!in_progress || longest <= 0 || now - state->this_began_at <= longest) return;
  snapshot->resumed = false;
  state->completed = state->sweep;
}

static privy_status open_owned(privy_client *client, const privy_snapshot_config *config, privy_snapshot **out,
                               privy_error *error) {
  snapshot_owner owner = {.server = privy_owner_server(client), .filter = PRIVY_BUFFER_EMPTY};
  privy_snapshot *snapshot = privy_calloc(1, sizeof *snapshot);
  if (!snapshot) return privy_error_no_memory(error);
  privy_coverage_init(&snapshot->state.coverage);
  privy_owner_account(client, owner.account);
  privy_status status = privy_request_filter(config->list, &owner.filter) ? PRIVY_OK : privy_error_no_memory(error);
  privy_fork_forbid();
  if (status == PRIVY_OK) status = open_file(snapshot, config, &owner, error);
  privy_fork_allow();
  privy_buffer_clear(&owner.filter);
  if (status == PRIVY_OK) {
    drop_old_sweep(snapshot, client, config->longest);
    *out = snapshot;
  } else {
    privy_snapshot_close(snapshot);
  }
  return status;
}

privy_status privy_snapshot_open(privy_client *client, const privy_snapshot_config *config, privy_snapshot **out,
                                 privy_error *error) {
  if (!config->list || !config->list->operation || config->list->operation->id != PRIVY_OP_LIST)
    return privy_error_set(error, PRIVY_CONFIG_ERROR, "a snapshot needs a request of contacts.list");
  return open_owned(client, config, out, error);
}

void privy_snapshot_close(privy_snapshot *snapshot) {
  if (!snapshot) return;
  privy_fork_forbid();
  if (snapshot->database.generation == privy_fork_generation())
    for (size_t i = 0; i < PRIVY_SNAPSHOT_STATEMENT_COUNT; i++)
      if (snapshot->statements[i]) (void)snapshot->database.sqlite->finalize(snapshot->statements[i]);
  privy_database_close(&snapshot->database);
  privy_fork_allow();
  for (size_t i = 0; i < sizeof snapshot->texts / sizeof *snapshot->texts; i++) privy_buffer_clear(&snapshot->texts[i]);
  privy_free(snapshot);
}

void privy_snapshot_get_info(const privy_snapshot *snapshot, privy_snapshot_info *out) {
  const privy_snapshot_state *state = &snapshot->state;
  *out = (privy_snapshot_info){.began_at = state->began_at,
                               .completed_at = state->completed_at,
                               .in_progress = state->sweep > state->completed,
                               .resumed = snapshot->resumed};
}

/* ---- the sweep ---- */

/* Gives the sweep the contacts that it had read. */
static privy_status restore(privy_snapshot *snapshot, privy_coverage *coverage, privy_error *error) {
  if (privy_snapshot_enter(snapshot, error) != PRIVY_OK) return privy_snapshot_leave(error->code);
  privy_query query = privy_snapshot_begin(snapshot, PRIVY_SNAPSHOT_SEEN);
  privy_query_integer(&query, 1, snapshot->state.sweep);
  bool added = true;
  while (added && privy_query_step(&query)) {
    size_t key_length, updated_length;
    const char *key = privy_query_read_slice(&query, 0, &key_length);
    const char *updated = privy_query_read_slice(&query, 1, &updated_length);
    const bool chained = coverage->pass > 0 && query.sqlite->column_int64(query.statement, 2) == coverage->pass;
    added = privy_contact_set_add(&coverage->contacts, privy_contact_key(key, key_length),
                                  chained ? privy_contact_version(updated, updated_length) : 0);
  }
  if (privy_query_end(&query, error) != PRIVY_OK) return privy_snapshot_leave(error->code);
  return privy_snapshot_leave(added ? PRIVY_OK : privy_error_no_memory(error));
}

static void begin_sweep(privy_snapshot *snapshot) {
  privy_snapshot_state *state = &snapshot->state;
  if (state->sweep > state->completed) return;
  state->sweep++;
  state->this_began_at = state->read_at = 0;
  privy_coverage_init(&state->coverage);
}

privy_status privy_snapshot_sweep(privy_snapshot *snapshot, privy_group *group, privy_request *list,
                                  const privy_sweep_config *config, privy_sweep **out, privy_error *error) {
  privy_sweep *sweep;
  if (privy_sweep_new(group, list, config, &sweep, error) != PRIVY_OK) return error->code;
  begin_sweep(snapshot);
  sweep->coverage = snapshot->state.coverage;
  sweep->progress.began_at = snapshot->state.this_began_at;
  if (restore(snapshot, &sweep->coverage, error) != PRIVY_OK) {
    privy_sweep_free(sweep);
    return error->code;
  }
  sweep->progress.contacts = sweep->coverage.contacts.count;
  sweep->progress.total = sweep->coverage.total;
  *out = sweep;
  return PRIVY_OK;
}

/* The state of the sweep after its last page. The set of contacts remains with the sweep. */
static void copy_state(privy_snapshot *snapshot, const privy_sweep *sweep) {
  snapshot->state.coverage = sweep->coverage;
  snapshot->state.coverage.contacts = (privy_contact_set){0};
  snapshot->state.this_began_at = sweep->progress.began_at;
  snapshot->state.read_at = sweep->progress.read_at;
}

/* ---- contacts ---- */

/* A text of a field without escapes; NULL without a text. `*length` is its length. */
static const char *text_of(privy_buffer *room, privy_value value, size_t *length, bool *failed) {
  *length = value.length;
  if (value.type != PRIVY_STRING) return NULL;
  if (!value.escaped) return value.text;
  room->length = 0;
  if (privy_value_decode(value, room) != PRIVY_OK) *failed = true;
  *length = room->length;
  return room->length ? room->data : "";
}

static privy_status put(privy_snapshot *snapshot, const privy_record *contact, double read_at, int64_t pass,
                        privy_error *error) {
  static const size_t fields[] = {PRIVY_INDEX_CONTACT_email, PRIVY_INDEX_CONTACT_phone_number,
                                  PRIVY_INDEX_CONTACT_updated_at};
  const privy_value key = privy_contact_identity(contact), body = privy_record_json(contact);
  if (key.type != PRIVY_STRING) return PRIVY_OK;
  privy_query query = privy_snapshot_begin(snapshot, PRIVY_SNAPSHOT_PUT);
  bool failed = false;
  privy_query_text(&query, 1, key.text, key.length);
  for (int i = 0; i < 3; i++) {
    size_t length;
    const char *text = text_of(&snapshot->texts[i], privy_record_get(contact, fields[i]), &length, &failed);
    privy_query_text(&query, i + 2, text, length);
  }
  privy_query_text(&query, 5, body.text, body.length);
  privy_query_number(&query, 6, read_at);
  privy_query_integer(&query, 7, snapshot->state.sweep);
  privy_query_integer(&query, 8, pass);
  if (failed) query.result = PRIVY_SQLITE_NOMEM;
  return privy_query_run(&query, error);
}

static privy_status take(privy_snapshot *snapshot, const privy_sweep *sweep, privy_error *error) {
  const privy_response *page = sweep->response;
  if (privy_database_begin(&snapshot->database, error) != PRIVY_OK) return error->code;
  for (size_t i = 0; i < privy_response_count(page); i++)
    if (put(snapshot, privy_response_record(page, i), sweep->progress.read_at, sweep->coverage.taken_in, error) !=
        PRIVY_OK)
      return error->code;
  copy_state(snapshot, sweep);
  if (privy_snapshot_save(snapshot, error) != PRIVY_OK) return error->code;
  return privy_database_commit(&snapshot->database, error);
}

privy_status privy_snapshot_take(privy_snapshot *snapshot, const privy_sweep *sweep, privy_error *error) {
  if (privy_snapshot_enter(snapshot, error) != PRIVY_OK) return privy_snapshot_leave(error->code);
  return privy_snapshot_leave(take(snapshot, sweep, error));
}

static privy_status complete(privy_snapshot *snapshot, const privy_sweep *sweep, privy_error *error) {
  privy_snapshot_state *state = &snapshot->state;
  if (privy_database_begin(&snapshot->database, error) != PRIVY_OK) return error->code;
  privy_query query = privy_snapshot_begin(snapshot, PRIVY_SNAPSHOT_VANISH);
  privy_query_number(&query, 1, sweep->progress.read_at);
  privy_query_integer(&query, 2, state->sweep);
  if (privy_query_run(&query, error) != PRIVY_OK) return error->code;
  copy_state(snapshot, sweep);
  state->completed = state->sweep;
  state->began_at = state->this_began_at;
  state->completed_at = state->read_at;
  if (privy_snapshot_save(snapshot, error) != PRIVY_OK) return error->code;
  return privy_database_commit(&snapshot->database, error);
}

privy_status privy_snapshot_complete(privy_snapshot *snapshot, const privy_sweep *sweep, privy_error *error) {
  if (privy_snapshot_enter(snapshot, error) != PRIVY_OK) return privy_snapshot_leave(error->code);
  return privy_snapshot_leave(complete(snapshot, sweep, error));
}

privy_status privy_snapshot_put(privy_snapshot *snapshot, const privy_record *contact, double read_at,
                                privy_error *error) {
  if (privy_snapshot_enter(snapshot, error) != PRIVY_OK) return privy_snapshot_leave(error->code);
  privy_status status = privy_database_begin(&snapshot->database, error);
  if (status == PRIVY_OK) status = put(snapshot, contact, read_at, NO_PASS, error);
  if (status == PRIVY_OK) status = privy_database_commit(&snapshot->database, error);
  return privy_snapshot_leave(status);
}
