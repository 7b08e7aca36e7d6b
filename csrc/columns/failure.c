#include "columns/failure.h"

#include <errno.h>

#include "message/error.h"

bool privy_stream_fail(privy_error *error, privy_status status) {
  if (status == PRIVY_NO_MEMORY) {
    privy_error_no_memory(error);
  } else if (error->code == PRIVY_OK) {
    privy_error_set(error, status, "%s", privy_error_describe(status)->doc);
  }
  return false;
}

int privy_stream_code(const privy_error *error) {
  switch (error->code) {
  case PRIVY_NO_MEMORY: return ENOMEM;
  case PRIVY_INTERRUPTED: return EINTR;
  case PRIVY_TIMEOUT: return ETIMEDOUT;
  default: return EIO;
  }
}

const char *privy_stream_message(const privy_error *error) {
  return error->code == PRIVY_OK ? NULL : error->message;
}
