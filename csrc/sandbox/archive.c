#include "sandbox/archive.h"

#include "sandbox/state.h"

privy_status privy_sandbox_write(privy_sandbox *sandbox, privy_buffer *out) {
  const size_t before = out->length;
  privy_sandbox_lock(sandbox);
  const bool written = privy_archive_write(&sandbox->store, out);
  privy_sandbox_unlock(sandbox);
  if (!written) out->length = before;
  return written ? PRIVY_OK : PRIVY_NO_MEMORY;
}

privy_status privy_sandbox_read(privy_sandbox *sandbox, const char *text, size_t length, privy_buffer *problem) {
  privy_store store = {0};
  const privy_status status = privy_archive_read(&store, (privy_slice){text, length}, problem);
  if (status == PRIVY_OK) {
    privy_sandbox_lock(sandbox);
    const privy_store before = sandbox->store;
    sandbox->store = store;
    store = before;
    privy_recorder_clear(&sandbox->recorder);
    sandbox->counters.requests = 0;
    privy_sandbox_limits_restart(&sandbox->counters.limits);
    privy_sandbox_unlock(sandbox);
  }
  privy_store_clear(&store);
  return status;
}
