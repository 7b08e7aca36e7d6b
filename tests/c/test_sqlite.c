/* SQLite as the core declares it is SQLite as its own header declares it; and what happens when it has no memory. */
#define _POSIX_C_SOURCE 200809L

#include <dlfcn.h>
#include <sqlite3.h>

#include "journal_scene.h"

#define X(result, name, parameters)                                                                                    \
  _Static_assert(__builtin_types_compatible_p(result(*) parameters, __typeof__(&sqlite3_##name)), #name);
PRIVY_SQLITE(X)
#undef X

#define X(name, value) _Static_assert((value) == SQLITE_##name, #name);
PRIVY_SQLITE_CONSTANTS(X)
#undef X

static void it_is_loaded_once(void **state) {
  (void)state;
  privy_error error;
  privy_error_init(&error);
  const privy_sqlite *first = privy_sqlite_load(&error);
  assert_non_null(first);
  assert_ptr_equal(privy_sqlite_load(&error), first);
  assert_true(first->libversion_number() >= 3024000);
  assert_true(first->threadsafe());
}

static void its_version_is_reported(void **state) {
  (void)state;
  const char *version = NULL;
  privy_error error;
  privy_error_init(&error);
  CHECK_OK(privy_journal_library_load(&version, &error));
  assert_true(version && strchr(version, '.') && atoi(version) == 3);
done:
  privy_error_clear(&error);
}

/* Opens a journal and writes a row. */
static privy_status write_rows(scene *s) {
  privy_status status = begin(s);
  for (int i = 0; status == PRIVY_OK && i < 3; i++) {
    char json[256];
    snprintf(json, sizeof json, "{\"event_type\":\"seen\",\"email\":\"jane@example.com\",\"event_data\":{\"n\":%d}}",
             i);
    status = complete(s, json, PRIVY_JOURNAL_DONE);
  }
  privy_journal_close(s->journal);
  s->journal = NULL;
  return status;
}

/* Lets SQLite use so many bytes more than now. */
static void limit_memory(sqlite3_int64 bytes) {
  void *library = dlopen("libsqlite3.so.0", RTLD_NOW);
  __typeof__(&sqlite3_hard_heap_limit64) set_limit;
  __typeof__(&sqlite3_memory_used) used;
  void *symbol = dlsym(library, "sqlite3_hard_heap_limit64");
  assert_non_null(symbol);
  memcpy(&set_limit, &symbol, sizeof symbol);
  symbol = dlsym(library, "sqlite3_memory_used");
  memcpy(&used, &symbol, sizeof symbol);
  set_limit(bytes ? used() + bytes : 0);
  dlclose(library);
}

static void its_lack_of_memory_is_a_lack_of_memory(void **state) {
  (void)state;
  scene s;
  size_t failed = 0;
  scene_open(&s, "events.ingest");
  for (sqlite3_int64 bytes = 500;; bytes += 1000) {
    limit_memory(bytes);
    const privy_status status = write_rows(&s);
    limit_memory(0);
    if (status == PRIVY_OK) break;
    assert_int_equal(status, PRIVY_NO_MEMORY);
    privy_error_clear(&s.error);
    failed++;
    assert_true(bytes < 10000000);
  }
  assert_true(failed > 10);
  scene_close(&s);
}

int main(void) {
  static harness_test tests[] = {TEST_UNSWEPT(it_is_loaded_once), TEST_UNSWEPT(its_version_is_reported),
                                 TEST_UNSWEPT(its_lack_of_memory_is_a_lack_of_memory)};
  return HARNESS_RUN(tests);
}
