/* A file that an export writes, and what all formats need. */
#ifndef PRIVY_JOBS_EXPORT_FILE_H
#define PRIVY_JOBS_EXPORT_FILE_H

#include "jobs/sqlite.h"
#include "privy_jobs.h"

typedef struct privy_export_output_file {
  const char *path, *name; /* under which name it is written, and the final one; owned by the export */
  privy_export_format format;
  int descriptor;     /* -1: not open */
  privy_buffer lines; /* not yet written */
  const privy_sqlite *sqlite;
  struct sqlite3 *database;
  struct sqlite3_stmt *insert;
  uint64_t written; /* contacts */
} privy_export_output_file;

/* Fills the error of the system's error `number`: PRIVY_SNAPSHOT with the code of a snapshot's fault. Returns its code.
 */
privy_status privy_export_file_fail(const privy_export_output_file *file, int number, privy_error *error);
/* The text of a value: a string without its escapes, or its JSON. NULL for null and what is absent. `room` is memory
 * for the text; `*failed` is set when it runs out. */
const char *privy_export_text(privy_value value, privy_buffer *room, size_t *length, bool *failed);

#endif
