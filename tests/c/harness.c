#define _POSIX_C_SOURCE 200809L

#include "harness.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ALLOCATIONS 200000

/* The allocation that fails in the current run; 0: none. */
static size_t failing;

/* Tests request sizes that are too large: ASan must return NULL, as malloc does. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
  return "allocator_may_return_null=1";
}

bool harness_sweeping(void) {
  return failing != 0;
}

size_t harness_rounds(size_t plain, size_t swept) {
  return failing ? swept : plain;
}

static bool ran_out(void) {
  return failing && privy_memory_failed();
}

bool harness_status(privy_status status, privy_status expected, const char *call, const char *file, int line) {
  if (status == expected) return true;
  if (status == PRIVY_NO_MEMORY && ran_out()) return false;
  print_error("%s gave status %d, not %d\n", call, (int)status, (int)expected);
  _fail(file, line);
  return false;
}

bool harness_memory(bool succeeded, const char *call, const char *file, int line) {
  if (succeeded) return true;
  if (ran_out()) return false;
  print_error("%s failed\n", call);
  _fail(file, line);
  return false;
}

void harness_text(const char *text, size_t length, const char *expected, const char *file, int line) {
  const size_t wanted = strlen(expected);
  if (length == wanted && (length == 0 || memcmp(text, expected, length) == 0)) return;
  const int shown = length < 4096 ? (int)length : 4096;
  print_error("\"%.*s\" (%zu bytes)\nis not \"%s\" (%zu bytes)\n", shown, text ? text : "", length, expected, wanted);
  _fail(file, line);
}

static void sweep(void **state) {
  const harness_test *test = *state;
  for (failing = 1;; failing++) {
    if (failing > MOST_ALLOCATIONS) fail_msg("%s", "more allocations than a sweep can take: see harness_rounds");
    void *own = NULL;
    privy_memory_fail_at(failing);
    test->run(&own);
    const bool ended = !privy_memory_failed();
    privy_memory_fail_at(0);
    if (ended) break;
  }
  failing = 0;
}

/* Also runs after a test that failed, wherever it stopped. */
static int leave(void **state) {
  (void)state;
  privy_memory_fail_at(0);
  if (failing) print_error("(while allocation %zu of the test failed)\n", failing);
  failing = 0;
  return 0;
}

int harness_run(harness_test *tests, size_t count) {
  struct CMUnitTest *all = calloc(count * 2, sizeof *all);
  if (!all) return EXIT_FAILURE;
  size_t runs = 0;
  for (size_t i = 0; i < count; i++) {
    all[runs++] = (struct CMUnitTest){tests[i].name, tests[i].run, NULL, leave, NULL};
    if (!tests[i].sweep_name) continue;
    all[runs++] = (struct CMUnitTest){tests[i].sweep_name, sweep, NULL, leave, &tests[i]};
  }
  const int failed = _cmocka_run_group_tests("tests", all, runs, NULL, NULL);
  free(all);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#if defined(PRIVY_COVERAGE)
void __gcov_dump(void); /* writes down which lines have run */
#else
#define __gcov_dump() (void)0
#endif

void harness_end_child(void) {
  __gcov_dump();
  raise(SIGKILL);
}
