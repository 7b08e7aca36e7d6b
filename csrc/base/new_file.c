#define _POSIX_C_SOURCE 200809L

#include "base/new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"

/* Bytes that are written at once. */
#define CHUNK ((size_t)64 << 10)
/* Names to try for the temporary file; each is taken only if a process with this id has left it. */
#define NAMES 100

static int write_all(int descriptor, const char *bytes, size_t length) {
  while (length) {
    const ssize_t written = write(descriptor, bytes, length < (size_t)1 << 30 ? length : (size_t)1 << 30);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes += written;
    length -= (size_t)written;
  }
  return 0;
}

/* Opens a new file and writes its name into `name`. -1 with errno set. */
static int open_new(const char *path, char *name, size_t size, unsigned mode) {
  for (int i = 0; i < NAMES; i++) {
    snprintf(name, size, "%s.%ld-%d.tmp", path, (long)getpid(), i);
    const int descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    if (descriptor >= 0 || errno != EEXIST) return descriptor;
  }
  return -1;
}

static int open_file(privy_new_file *file, const char *path, unsigned mode) {
  const size_t size = strlen(path) + 40;
  file->path = privy_copy(path, strlen(path));
  file->name = privy_alloc(size);
  if (!file->path || !file->name) return ENOMEM;
  file->descriptor = open_new(path, file->name, size, mode);
  return file->descriptor < 0 ? errno : 0;
}

int privy_new_file_open(privy_new_file *file, const char *path, unsigned mode) {
  *file = (privy_new_file){.descriptor = -1, .pending = PRIVY_BUFFER_EMPTY};
  const int error = open_file(file, path, mode);
  if (error) privy_new_file_abandon(file);
  return error;
}

static int flush(privy_new_file *file) {
  const int error = write_all(file->descriptor, file->pending.data, file->pending.length);
  file->pending.length = 0;
  return error;
}

int privy_new_file_write(privy_new_file *file, const char *bytes, size_t length) {
  if (file->pending.length + length > CHUNK) {
    const int error = flush(file);
    if (error) return error;
  }
  if (length > CHUNK) return write_all(file->descriptor, bytes, length);
  return privy_buffer_append(&file->pending, bytes, length) ? 0 : ENOMEM;
}

/* Writes what is pending, waits for the disk and closes the file. */
static int finish(privy_new_file *file) {
  int error = flush(file);
  if (error == 0 && fsync(file->descriptor) != 0 && errno != EINVAL) error = errno; /* EINVAL: not on a disk */
  if (close(file->descriptor) != 0 && error == 0) error = errno;
  file->descriptor = -1;
  return error;
}

int privy_new_file_complete(privy_new_file *file) {
  int error = finish(file);
  if (error == 0 && rename(file->name, file->path) != 0) error = errno;
  if (error == 0) {
    privy_free(file->name);
    file->name = NULL;
  } else {
    unlink(file->name);
  }
  privy_new_file_abandon(file);
  return error;
}

void privy_new_file_abandon(privy_new_file *file) {
  if (file->descriptor >= 0) {
    close(file->descriptor);
    unlink(file->name);
  }
  privy_buffer_clear(&file->pending);
  privy_free(file->path);
  privy_free(file->name);
  *file = (privy_new_file){.descriptor = -1, .pending = PRIVY_BUFFER_EMPTY};
}
