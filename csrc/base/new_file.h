/*
 * A file that gets its name when it is complete: a reader never sees a part of it, and a crash leaves the file that was
 * there before. Functions that can fail return 0 or an errno.
 */
#ifndef PRIVY_BASE_NEW_FILE_H
#define PRIVY_BASE_NEW_FILE_H

#include "privy.h"

typedef struct privy_new_file {
  char *path, *name; /* the final and the temporary name */
  int descriptor;
  privy_buffer pending; /* not written yet */
} privy_new_file;

/* Creates the temporary file next to `path`. `mode`: as that of open(), to which the process's umask applies. */
PRIVY_NODISCARD int privy_new_file_open(privy_new_file *file, const char *path, unsigned mode);
PRIVY_NODISCARD int privy_new_file_write(privy_new_file *file, const char *bytes, size_t length);
/* Makes the contents durable and gives the file its name. Removes it on failure. */
PRIVY_NODISCARD int privy_new_file_complete(privy_new_file *file);
/* Removes the file, unless it was completed, whatever happened before. */
void privy_new_file_abandon(privy_new_file *file);

#endif
