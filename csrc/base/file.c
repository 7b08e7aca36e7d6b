/* Complete files: privy_file_write and privy_file_read of privy.h. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/new_file.h"

#define CHUNK ((size_t)64 << 10)

int privy_file_write(const char *path, const char *bytes, size_t length) {
  privy_new_file file;
  int error = privy_new_file_open(&file, path, 0666);
  if (error) return error;
  error = privy_new_file_write(&file, bytes, length);
  if (error == 0) return privy_new_file_complete(&file);
  privy_new_file_abandon(&file);
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
