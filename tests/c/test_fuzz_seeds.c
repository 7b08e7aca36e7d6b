/* Gives every seed to its fuzz target, so that the targets hold while nobody fuzzes. With a folder as its argument it
 * writes the seeds there instead, a folder a target, for libFuzzer to start from. */
#define _POSIX_C_SOURCE 200809L

#include <string.h>
#include <sys/stat.h>

#include "../fuzz/fuzz.h"
#include "harness.h"

#define LEAST_SEEDS 30

static size_t counts[sizeof fuzz_targets / sizeof *fuzz_targets];

/* In a block of exactly its size, so that ASan and valgrind see any step over the end. */
static void run_seed(const fuzz_target *target, const privy_buffer *seed, void *context) {
  (void)context;
  uint8_t *copy = malloc(seed->length ? seed->length : 1);
  assert_non_null(copy);
  if (seed->length) memcpy(copy, seed->data, seed->length);
  assert_int_equal(target->run(copy, seed->length), 0);
  free(copy);
  counts[target - fuzz_targets]++;
}

static void every_seed_holds(void **state) {
  (void)state;
  fuzz_seeds(run_seed, NULL);
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    print_message("             %zu seeds for %s\n", counts[i], fuzz_targets[i].name);
    assert_true(counts[i] >= LEAST_SEEDS);
  }
}

static void nothing_and_noise_hold(void **state) {
  (void)state;
  uint64_t random = UINT64_C(0x9E3779B97F4A7C15);
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    uint8_t *noise = malloc(64);
    assert_non_null(noise);
    for (size_t length = 0; length <= 64; length++) {
      for (size_t j = 0; j < length; j++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        noise[j] = (uint8_t)(random >> 56);
      }
      assert_int_equal(fuzz_targets[i].run(noise, length), 0);
    }
    free(noise);
  }
}

static void write_seed(const fuzz_target *target, const privy_buffer *seed, void *context) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", (const char *)context, target->name);
  mkdir(path, 0777);
  snprintf(path, sizeof path, "%s/%s/%04zu", (const char *)context, target->name, counts[target - fuzz_targets]++);
  FILE *file = fopen(path, "wb");
  HOLDS(file && fwrite(seed->data, 1, seed->length, file) == seed->length);
  HOLDS(fclose(file) == 0);
}

int main(int count, char **arguments) {
  if (count > 1) {
    fuzz_seeds(write_seed, arguments[1]);
    return EXIT_SUCCESS;
  }
  /* Unswept: the targets take every failure for their own. test_vectors lets allocations fail with the same cases. */
  static harness_test tests[] = {TEST_UNSWEPT(every_seed_holds), TEST_UNSWEPT(nothing_and_noise_hold)};
  return HARNESS_RUN(tests);
}
