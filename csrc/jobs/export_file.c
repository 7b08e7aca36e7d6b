#include "jobs/export_file.h"

#include <errno.h>
#include <string.h>

#include "message/error.h"

privy_status privy_export_file_fail(const privy_export_output_file *file, int number, privy_error *error) {
  const bool full = number == ENOSPC || number == EFBIG, refused = number == EACCES || number == EROFS;
  const char *code = full ? "snapshot_full" : (refused ? "snapshot_read_only" : "snapshot_unusable");
  privy_error_set(error, PRIVY_SNAPSHOT,
                  "export %s: the file cannot be written: %s; what was read is kept in %s.partial", file->name,
                  strerror(number), file->name);
  if (!privy_error_text(&error->api_code, code, strlen(code))) privy_error_no_memory(error);
  return error->code;
}

const char *privy_export_text(privy_value value, privy_buffer *room, size_t *length, bool *failed) {
  *length = value.length;
  if (value.type == PRIVY_ABSENT || value.type == PRIVY_NULL) return NULL;
  if (value.type != PRIVY_STRING || !value.escaped) return value.text;
  room->length = 0;
  if (privy_value_decode(value, room) != PRIVY_OK) *failed = true;
  *length = room->length;
  return room->length ? room->data : "";
}
