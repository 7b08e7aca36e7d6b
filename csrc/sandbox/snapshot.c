/* What a sandbox holds at one moment. */
#include "base/memory.h"
#include "sandbox/state.h"

struct privy_sandbox_snapshot {
  privy_store store; /* never changes: threads may copy it */
  privy_sandbox_history *history;
  uint64_t requests;
};

static bool take(privy_sandbox_snapshot *snapshot, const privy_sandbox *sandbox) {
  snapshot->requests = sandbox->counters.requests;
  snapshot->history = privy_recorder_history(&sandbox->recorder);
  return snapshot->history && privy_store_copy(&snapshot->store, &sandbox->store);
}

privy_status privy_sandbox_snapshot_new(privy_sandbox *sandbox, privy_sandbox_snapshot **out) {
  privy_sandbox_snapshot *snapshot = privy_calloc(1, sizeof *snapshot);
  if (!snapshot) return PRIVY_NO_MEMORY;
  privy_sandbox_lock(sandbox);
  const bool taken = take(snapshot, sandbox);
  privy_sandbox_unlock(sandbox);
  if (!taken) {
    privy_sandbox_snapshot_free(snapshot);
    return PRIVY_NO_MEMORY;
  }
  *out = snapshot;
  return PRIVY_OK;
}

void privy_sandbox_snapshot_free(privy_sandbox_snapshot *snapshot) {
  if (!snapshot) return;
  privy_store_clear(&snapshot->store);
  privy_sandbox_history_free(snapshot->history);
  privy_free(snapshot);
}

privy_sandbox_counts privy_sandbox_snapshot_count(const privy_sandbox_snapshot *snapshot) {
  return privy_store_count(&snapshot->store, snapshot->requests);
}

/* Exchanges what the sandbox holds for `store` and the requests of the history. False when memory runs out. */
static bool exchange(privy_sandbox *sandbox, privy_store *store, privy_recorder *recorder,
                     const privy_sandbox_history *history) {
  recorder->most = sandbox->recorder.most;
  if (!privy_recorder_fill(recorder, history)) return false;
  const privy_store old_store = sandbox->store;
  const privy_recorder old_recorder = sandbox->recorder;
  sandbox->store = *store;
  sandbox->recorder = *recorder;
  *store = old_store;
  *recorder = old_recorder;
  return true;
}

privy_status privy_sandbox_restore(privy_sandbox *sandbox, const privy_sandbox_snapshot *snapshot) {
  privy_store store;
  privy_recorder recorder = {0};
  if (!privy_store_copy(&store, &snapshot->store)) return PRIVY_NO_MEMORY;
  privy_sandbox_lock(sandbox);
  const bool restored = exchange(sandbox, &store, &recorder, snapshot->history);
  if (restored) {
    sandbox->counters.requests = snapshot->requests;
    privy_sandbox_limits_restart(&sandbox->counters.limits);
  }
  privy_sandbox_unlock(sandbox);
  privy_store_clear(&store);
  privy_recorder_clear(&recorder);
  return restored ? PRIVY_OK : PRIVY_NO_MEMORY;
}
