/* Complete files: privy_file_write and privy_file_read of privy.h. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"

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

/* Opens a new file next to `path`, whose name it writes into `name`. -1 with errno set. */
static int open_new(const char *path, char *name, size_t size) {
  for (int i = 0; i < NAMES; i++) {
    snprintf(name, size, "%s.%ld-%d.tmp", path, (long)getpid(), i);
    const int descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0 || errno != EEXIST) return descriptor;
  }
  return -1;
}

/* Writes and closes the file. */
static int fill(int descriptor, const char *bytes, size_t length) {
  int error = write_all(descriptor, bytes, length);
  if (error == 0 && fsync(descriptor) != 0 && errno != EINVAL) error = errno; /* EINVAL: not a file on a disk */
  if (close(descriptor) != 0 && error == 0) error = errno;
  return error;
}

int privy_file_write(const char *path, const char *bytes, size_t length) {
  const size_t size = strlen(path) + 40;
  char *name = privy_alloc(size);
  if (!name) return ENOMEM;
  const int descriptor = open_new(path, name, size);
  int error = descriptor < 0 ? errno : fill(descriptor, bytes, length);
  if (error == 0 && rename(name, path) != 0) error = errno;
  if (error && descriptor >= 0) unlink(name);
  privy_free(name);
  return error;
}

int privy_file_read(const char *path, privy_buffer *out) {
  const size_t before = out->length;
  const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return errno;
  ssize_t got = 1;
  int error = 0;
  while (error == 0 && got > 0) {
    if (!privy_buffer_reserve(out, CHUNK)) {
      error = ENOMEM;
      break;
    }
    got = read(descriptor, out->data + out->length, CHUNK);
    if (got > 0) out->length += (size_t)got;
    if (got < 0 && errno == EINTR) got = 1;
    if (got < 0) error = errno;
  }
  close(descriptor);
  if (error) out->length = before;
  return error;
}
