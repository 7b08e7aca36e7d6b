/*
 * What every C test program is built with: cmocka, and the sweep that makes each allocation of each test fail once.
 *
 * A program is one file test_*.c with tests of cmocka's own shape and a main:
 *
 *   static void makes_a_thing(void **state) {
 *     (void)state;
 *     privy_thing *thing = NULL;                    what must be freed is declared first, empty
 *     privy_buffer text = PRIVY_BUFFER_EMPTY;
 *     CHECK_OK(privy_thing_new(&thing));            calls that may run out of memory go through a CHECK
 *     CHECK_MEMORY(privy_buffer_text(&text, "x"));
 *     assert_int_equal(privy_thing_size(thing), 1); what must hold goes through cmocka's assertions
 *   done:                                           every test that uses a CHECK ends with this label
 *     privy_buffer_clear(&text);
 *     privy_thing_free(thing);
 *   }
 *
 *   int main(void) {
 *     static harness_test tests[] = {TEST(makes_a_thing)};
 *     return HARNESS_RUN(tests);
 *   }
 *
 * TEST runs the function twice over: plainly, where any failure of a CHECK fails the test; then in the sweep, again and
 * again with the 1st, 2nd, 3rd … allocation failing, until a run needs no more allocations. There, a call that reports
 * that memory ran out jumps to `done`, so that all is freed; leaks are then seen by ASan and valgrind. The assertions
 * are as strict as ever: what was reached without a report of failure must be right.
 *
 * A helper that uses a CHECK returns bool, has a `done` of its own and is itself called through CHECK_MEMORY:
 *
 *   static bool fill(privy_thing *thing) {
 *     bool filled = false;
 *     CHECK_OK(privy_thing_add(thing, 1));
 *     filled = true;
 *   done:
 *     return filled;
 *   }
 *
 * Only allocations of the thread that runs the test fail.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "privy.h"

typedef struct harness_test {
  const char *name;
  const char *sweep_name; /* NULL: not swept */
  void (*run)(void **state);
} harness_test;

#define TEST(function)                                                                                                 \
  { #function, #function ", each allocation failing", function }

/* The same without the sweep: only for tests that call privy_memory_fail_at themselves. */
#define TEST_UNSWEPT(function)                                                                                         \
  { #function, NULL, function }

/* Runs all tests of an array plainly and in the sweep; gives what main returns. */
#define HARNESS_RUN(tests) harness_run(tests, sizeof(tests) / sizeof *(tests))
int harness_run(harness_test *tests, size_t count);

/* True while the sweep runs. */
bool harness_sweeping(void);
/* How often to repeat what takes long: `swept` times in the sweep (which repeats it all), else `plain` times. */
size_t harness_rounds(size_t plain, size_t swept);

/* The call must give `expected`; in the sweep it may give PRIVY_NO_MEMORY after the failure, which ends the test. */
#define CHECK_STATUS(call, expected)                                                                                   \
  do {                                                                                                                 \
    if (!harness_status((call), (expected), #call, __FILE__, __LINE__)) goto done;                                     \
  } while (0)
#define CHECK_OK(call) CHECK_STATUS(call, PRIVY_OK)

/* The call must give true or a pointer; in the sweep it may give false or NULL after the failure, which ends the test.
 */
#define CHECK_MEMORY(call)                                                                                             \
  do {                                                                                                                 \
    if (!harness_memory((call) ? true : false, #call, __FILE__, __LINE__)) goto done;                                  \
  } while (0)

/* A C string as the two arguments text and length. */
#define TEXT(string) (string), strlen(string)

/* The text must be exactly the C string; both are shown when it is not. */
#define assert_text(text, length, expected) harness_text((text), (length), (expected), __FILE__, __LINE__)

/* Ends the child of a fork at once: what it inherited is not its to free. */
void harness_end_child(void);

/* Called by the macros. */
bool harness_status(privy_status status, privy_status expected, const char *call, const char *file, int line);
bool harness_memory(bool succeeded, const char *call, const char *file, int line);
void harness_text(const char *text, size_t length, const char *expected, const char *file, int line);

#endif
