#define _POSIX_C_SOURCE 200809L

#include "jobs/export_output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/fork.h"
#include "base/memory.h"
#include "jobs/export_csv.h"
#include "jobs/export_database.h"
#include "message/error.h"

#define CHUNK ((size_t)256 << 10)

/* The mode of the file that is replaced. */
static mode_t mode_of(const char *name) {
  struct stat status;
  return stat(name, &status) == 0 ? status.st_mode & 07777 : 0600;
}

static int create(const privy_export_output_file *file, int *out) {
  const int descriptor = open(file->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return errno;
  const int number = fchmod(descriptor, mode_of(file->name)) == 0 ? 0 : errno;
  if (number == 0)
    *out = descriptor;
  else
    close(descriptor);
  return number;
}

privy_status privy_export_output_open(privy_export_output_file *file, privy_error *error) {
  const int number = create(file, &file->descriptor);
  if (number) return privy_export_file_fail(file, number, error);
  if (file->format == PRIVY_EXPORT_CSV && !privy_export_write_csv_header(&file->lines))
    return privy_error_no_memory(error);
  if (file->format != PRIVY_EXPORT_DATABASE) return PRIVY_OK;
  privy_fork_forbid();
  const privy_status status = privy_export_database_open(file, error);
  privy_fork_allow();
  return status;
}

static int write_lines(privy_export_output_file *file) {
  const char *bytes = file->lines.data;
  size_t length = file->lines.length;
  while (length) {
    const ssize_t written = write(file->descriptor, bytes, length);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes += written;
    length -= (size_t)written;
  }
  file->lines.length = 0;
  return 0;
}

static bool append_line(privy_export_output_file *file, const privy_record *contact) {
  if (file->format == PRIVY_EXPORT_CSV) return privy_export_write_csv(contact, &file->lines);
  return privy_record_write(contact, &file->lines) == PRIVY_OK && privy_buffer_byte(&file->lines, '\n');
}

static privy_status add_lines(privy_export_output_file *file, const privy_response *page, privy_error *error) {
  for (size_t i = 0; i < privy_response_count(page); i++)
    if (!append_line(file, privy_response_record(page, i))) return privy_error_no_memory(error);
  const int number = file->lines.length >= CHUNK ? write_lines(file) : 0;
  return number ? privy_export_file_fail(file, number, error) : PRIVY_OK;
}

static privy_status add_rows(privy_export_output_file *file, const privy_response *page, privy_error *error) {
  privy_status status = PRIVY_OK;
  privy_fork_forbid();
  for (size_t i = 0; status == PRIVY_OK && i < privy_response_count(page); i++)
    status = privy_export_database_add(file, privy_response_record(page, i), error);
  privy_fork_allow();
  return status;
}

privy_status privy_export_output_page(privy_export_output_file *file, const privy_response *page, privy_error *error) {
  const privy_status status =
      file->format == PRIVY_EXPORT_DATABASE ? add_rows(file, page, error) : add_lines(file, page, error);
  if (status == PRIVY_OK) file->written += privy_response_count(page);
  return status;
}

static privy_status close_database(privy_export_output_file *file, privy_error *error) {
  if (!file->database) return PRIVY_OK;
  privy_fork_forbid();
  const privy_status status = privy_export_database_close(file, error);
  privy_fork_allow();
  return status;
}

privy_status privy_export_output_close(privy_export_output_file *file, privy_error *error) {
  if (close_database(file, error) != PRIVY_OK) return error->code;
  int number = write_lines(file);
  if (number == 0 && fsync(file->descriptor) != 0) number = errno;
  if (number) return privy_export_file_fail(file, number, error);
  close(file->descriptor);
  file->descriptor = -1;
  return PRIVY_OK;
}

/* Makes the new name of the file survive a loss of power. */
static void sync_folder(const char *name) {
  const char *slash = strrchr(name, '/');
  char *folder = slash ? privy_copy(name, (size_t)(slash - name) + 1) : privy_copy(".", 1);
  const int descriptor = folder ? open(folder, O_RDONLY | O_CLOEXEC) : -1;
  if (descriptor >= 0) {
    (void)fsync(descriptor);
    close(descriptor);
  }
  privy_free(folder);
}

privy_status privy_export_output_rename(const privy_export_output_file *file, privy_error *error) {
  if (rename(file->path, file->name) != 0) return privy_export_file_fail(file, errno, error);
  sync_folder(file->name);
  return PRIVY_OK;
}

void privy_export_output_clear(privy_export_output_file *file) {
  if (file->database) {
    privy_fork_forbid();
    (void)file->sqlite->finalize(file->insert);
    (void)file->sqlite->close(file->database);
    privy_fork_allow();
  }
  if (file->descriptor >= 0) close(file->descriptor);
  privy_buffer_clear(&file->lines);
  file->database = NULL;
  file->insert = NULL;
  file->descriptor = -1;
}
