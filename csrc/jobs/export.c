#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fork.h"
#include "base/memory.h"
#include "base/text.h"
#include "jobs/export_output.h"
#include "jobs/snapshot.h"
#include "message/error.h"

typedef enum export_phase {
  READING, /* the sweep */
  WRITING,
  COLUMNS, /* the caller writes */
  ENDED
} export_phase;

struct privy_export {
  privy_group *group;
  char *name, *partial, *output; /* "NAME", "NAME.partial" and "NAME.partial.out" */
  privy_snapshot *snapshot;
  privy_sweep *sweep;
  privy_export_output_file file;
  export_phase phase;
  int64_t position; /* in the snapshot: where the output continues */
  bool resumed;
  double began_at;   /* while there is no snapshot */
  uint64_t reported; /* contacts written when progress was last reported */
  int generation;    /* privy_fork_generation */
  privy_error error;
};

/* ---- formats ---- */

static const struct {
  const char *name;
  privy_export_format format;
} names[] = {{"csv", PRIVY_EXPORT_CSV},        {"jsonl", PRIVY_EXPORT_JSONL},     {"ndjson", PRIVY_EXPORT_JSONL},
             {"db", PRIVY_EXPORT_DATABASE},    {"sqlite", PRIVY_EXPORT_DATABASE}, {"sqlite3", PRIVY_EXPORT_DATABASE},
             {"parquet", PRIVY_EXPORT_PARQUET}};

privy_status privy_export_format_read(const char *name, const char *path, privy_export_format *out,
                                      privy_error *error) {
  const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
  const char *ending = dot && (!slash || dot > slash + 1) && dot > path ? dot + 1 : "";
  const char *wanted = name ? name : ending;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (!privy_text_is_nocase(wanted, strlen(wanted), names[i].name)) continue;
    *out = names[i].format;
    return PRIVY_OK;
  }
  if (name)
    return privy_error_set(error, PRIVY_CONFIG_ERROR, "format must be csv, jsonl, db or parquet, not %.40s", name);
  return privy_error_set(
      error, PRIVY_CONFIG_ERROR,
      "the name of the file must end in .csv, .jsonl, .ndjson, .db, .sqlite, .sqlite3 or .parquet: or say the "
      "format, which is csv, jsonl, db or parquet");
}

void privy_export_config_init(privy_export_config *config) {
  privy_sweep_config sweep;
  privy_sweep_config_init(&sweep);
  *config = (privy_export_config){.options = sweep.options};
}

/* ---- life ---- */

/* Room for what SQLite appends to the name of a file. */
#define LONGEST_ENDING 16

static char *join(const char *name, const char *ending) {
  const size_t size = strlen(name) + strlen(ending) + LONGEST_ENDING + 1;
  char *joined = privy_alloc(size);
  if (joined) snprintf(joined, size, "%s%s", name, ending);
  return joined;
}

static privy_status check_path(const privy_export_config *config, privy_error *error) {
  struct stat status;
  const char *path = config->path ? config->path : "";
  if (!*path) return privy_error_set(error, PRIVY_CONFIG_ERROR, "path must be the name of a file, not empty");
  if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
    return privy_error_set(error, PRIVY_CONFIG_ERROR, "path must be the name of a file: %s is a folder or a device",
                           path);
  return PRIVY_OK;
}

/* Whether an earlier export has written all contacts of the snapshot, and was stopped before it had deleted it. */
static bool is_written(const privy_export *export) {
  const privy_snapshot_state *state = &export->snapshot->state;
  return state->written > 0 && state->written == state->completed && state->sweep == state->completed;
}

static privy_status open_snapshot(privy_export *export, const privy_request *list, privy_resume resume,
                                  privy_error *error) {
  const privy_snapshot_config config = {.path = export->partial, .list = list, .resume = resume};
  return privy_snapshot_open(privy_group_client(export->group), &config, &export->snapshot, error);
}

/* An earlier export was stopped right before its file got its name, or right after: gives it its name, or begins. */
static privy_status continue_written(privy_export *export, const privy_request *list, privy_error *error) {
  if (access(export->output, F_OK) == 0) {
    export->resumed = true;
    return PRIVY_OK;
  }
  privy_snapshot_close(export->snapshot);
  export->snapshot = NULL;
  return open_snapshot(export, list, PRIVY_RESUME_RESTART, error);
}

static privy_status begin_sweep(privy_export *export, privy_request *list, const privy_export_config *config,
                                privy_error *error) {
  const privy_sweep_config sweep = {.options = config->options, .on_spent_day = config->on_spent_day};
  const privy_snapshot_state *state = &export->snapshot->state;
  const bool complete = state->completed > 0 && state->sweep == state->completed;
  export->resumed = export->resumed || export->snapshot->resumed || complete;
  export->phase = complete ? WRITING : READING;
  if (!complete) return privy_snapshot_sweep(export->snapshot, export->group, list, &sweep, &export->sweep, error);
  privy_request_free(list);
  return PRIVY_OK;
}

/* Takes over the list. */
static privy_status open_export(privy_export *export, privy_request *list, const privy_export_config *config,
                                privy_error *error) {
  privy_status status = open_snapshot(export, list, config->resume, error);
  if (status == PRIVY_OK && is_written(export)) status = continue_written(export, list, error);
  if (status == PRIVY_OK) return begin_sweep(export, list, config, error);
  privy_request_free(list);
  return status;
}

static privy_export *allocate(privy_group *group, const privy_export_config *config) {
  privy_export *export = privy_calloc(1, sizeof *export);
  if (!export) return NULL;
  export->group = group;
  export->generation = privy_fork_generation();
  privy_error_init(&export->error);
  export->name = privy_copy(config->path, strlen(config->path));
  export->partial = join(config->path, ".partial");
  export->output = join(config->path, ".partial.out");
  export->file = (privy_export_output_file){
      .path = export->output, .name = export->name, .format = config->format, .descriptor = -1};
  if (export->name && export->partial && export->output) return export;
  privy_export_free(export);
  return NULL;
}

privy_status privy_export_new(privy_group *group, privy_request *list, const privy_export_config *config,
                              privy_export **out, privy_error *error) {
  privy_status status = check_path(config, error);
  privy_export *export = status == PRIVY_OK ? allocate(group, config) : NULL;
  if (status == PRIVY_OK && !export) status = privy_error_no_memory(error);
  if (status != PRIVY_OK) {
    privy_request_free(list);
    return status;
  }
  status = open_export(export, list, config, error);
  if (status == PRIVY_OK)
    *out = export;
  else
    privy_export_free(export);
  return status;
}

/* Closes the files, so that another export can use them. */
static void close_files(privy_export *export) {
  if (export->snapshot) export->began_at = export->snapshot->state.this_began_at;
  privy_snapshot_close(export->snapshot);
  export->snapshot = NULL;
  if (export->generation == privy_fork_generation()) privy_export_output_clear(&export->file);
}

void privy_export_free(privy_export *export) {
  if (!export) return;
  privy_sweep_free(export->sweep);
  close_files(export);
  privy_buffer_clear(&export->file.lines);
  privy_free(export->name);
  privy_free(export->partial);
  privy_free(export->output);
  privy_error_clear(&export->error);
  privy_free(export);
}

const privy_error *privy_export_error(const privy_export *export) {
  return export->error.code == PRIVY_OK ? NULL : &export->error;
}

/* Takes over the contents of `error`. */
static void stop(privy_export *export, privy_error *error) {
  export->phase = ENDED;
  close_files(export);
  if (export->error.code == PRIVY_OK) {
    export->error = *error;
    privy_error_init(error);
  }
  privy_error_clear(error);
}

void privy_export_close(privy_export *export) {
  privy_error error;
  privy_error_init(&error);
  if (export->sweep && privy_group_is_own(export->group)) privy_sweep_close(export->sweep);
  close_files(export);
  if (export->phase == ENDED) return;
  privy_error_set(&error, PRIVY_INTERRUPTED, "the export was closed before its file was complete");
  stop(export, &error);
}

/* ---- the end ---- */

/* Deletes PATH.partial with all that SQLite keeps next to it. */
static void delete_partial(privy_export *export) {
  static const char *const endings[] = {"-wal", "-shm", "-lock", "-lock-journal", ""};
  const size_t length = strlen(export->partial);
  export->began_at = export->snapshot->state.this_began_at;
  privy_snapshot_close(export->snapshot);
  export->snapshot = NULL;
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
    strcpy(export->partial + length, endings[i]);
    unlink(export->partial);
  }
}

/* Notes in the snapshot that the output is complete, so that an export that is stopped now knows it. */
static privy_status note_written(privy_export *export, privy_error *error) {
  privy_snapshot *snapshot = export->snapshot;
  if (privy_snapshot_enter(snapshot, error) != PRIVY_OK) return privy_snapshot_leave(error->code);
  snapshot->state.written = snapshot->state.completed;
  privy_status status = privy_database_begin(&snapshot->database, error);
  if (status == PRIVY_OK) status = privy_snapshot_save(snapshot, error);
  if (status == PRIVY_OK) status = privy_database_commit(&snapshot->database, error);
  return privy_snapshot_leave(status);
}

static privy_status complete(privy_export *export, privy_error *error) {
  if (privy_export_output_close(&export->file, error) != PRIVY_OK || note_written(export, error) != PRIVY_OK ||
      privy_export_output_rename(&export->file, error) != PRIVY_OK)
    return error->code;
  delete_partial(export);
  export->phase = ENDED;
  return PRIVY_OK;
}

/* ---- steps ---- */

static privy_status read_step(privy_export *export, privy_export_step *step, privy_error *error) {
  *step = PRIVY_EXPORT_AGAIN;
  switch (privy_sweep_next(export->sweep)) {
  case PRIVY_SWEEP_PAGE: return privy_snapshot_take(export->snapshot, export->sweep, error);
  case PRIVY_SWEEP_WAIT: *step = PRIVY_EXPORT_WAIT; return PRIVY_OK;
  case PRIVY_SWEEP_END: break;
  }
  const privy_error *cause = privy_sweep_error(export->sweep);
  if (cause) return privy_error_copy(cause, error);
  export->phase = WRITING;
  return privy_snapshot_complete(export->snapshot, export->sweep, error);
}

static privy_status write_step(privy_export *export, privy_export_step *step, privy_error *error) {
  privy_response *page;
  *step = PRIVY_EXPORT_AGAIN;
  if (export->file.descriptor < 0) {
    if (is_written(export)) {
      if (privy_export_output_rename(&export->file, error) != PRIVY_OK) return error->code;
      delete_partial(export);
      export->phase = ENDED;
      return PRIVY_OK;
    }
    const privy_status status = privy_export_output_open(&export->file, error);
    if (status == PRIVY_OK && export->file.format == PRIVY_EXPORT_PARQUET) export->phase = COLUMNS;
    return status;
  }
  privy_status status = privy_snapshot_read(export->snapshot, &export->position, &page, error);
  if (status != PRIVY_OK) return status;
  if (!page) return complete(export, error);
  status = privy_export_output_page(&export->file, page, error);
  privy_response_release(page);
  return status;
}

privy_export_step privy_export_next(privy_export *export) {
  privy_export_step step = PRIVY_EXPORT_AGAIN;
  privy_status status = PRIVY_OK;
  privy_error error;
  privy_error_init(&error);
  if (export->phase == READING)
    status = read_step(export, &step, &error);
  else if (export->phase == WRITING)
    status = write_step(export, &step, &error);
  if (status != PRIVY_OK) stop(export, &error);
  if (export->phase == ENDED) return PRIVY_EXPORT_END;
  return export->phase == COLUMNS ? PRIVY_EXPORT_COLUMNS : step;
}

/* ---- columns ---- */

const char *privy_export_output(const privy_export *export) {
  return export->output;
}

static privy_status next_page(void *context, privy_response **page, const bool **skip, privy_error *error) {
  privy_export *export = context;
  (void)skip;
  *page = NULL;
  if (!export->snapshot) return privy_error_set(error, PRIVY_INTERRUPTED, "the export was closed");
  const privy_status status = privy_snapshot_read(export->snapshot, &export->position, page, error);
  if (status == PRIVY_OK && *page) export->file.written += privy_response_count(*page);
  return status;
}

privy_page_source privy_export_pages(privy_export *export) {
  export->position = 0;
  export->file.written = 0;
  return (privy_page_source){.next = next_page, .context = export};
}

void privy_export_written(privy_export *export) {
  privy_error error;
  privy_error_init(&error);
  if (export->phase == COLUMNS && complete(export, &error) != PRIVY_OK) stop(export, &error);
}

/* ---- progress ---- */

void privy_export_get_progress(privy_export *export, privy_export_progress *out) {
  *out = (privy_export_progress){.written = export->file.written, .resumed = export->resumed};
  out->sweep.total = -1;
  if (export->snapshot) export->began_at = export->snapshot->state.this_began_at;
  out->began_at = export->began_at;
  if (export->sweep) privy_sweep_get_progress(export->sweep, &out->sweep);
}

bool privy_export_take_progress(privy_export *export, privy_export_progress *out) {
  const bool moved = export->sweep && privy_sweep_take_progress(export->sweep, &out->sweep);
  if (!moved && export->file.written == export->reported) return false;
  export->reported = export->file.written;
  privy_export_get_progress(export, out);
  return true;
}
