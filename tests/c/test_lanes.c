/* Lanes: rows that have a key in common, one after the other. */
#include "harness.h"

#include "jobs/lanes.h"

/* ---- lanes ---- */

static void lanes_keep_rows_in_order(void **state) {
  (void)state;
  privy_lanes lanes = {0};
  int owners[3];
  privy_lane_entry places[3] = {{.owner = &owners[0]}, {.owner = &owners[1]}, {.owner = &owners[2]}};
  for (size_t i = 0; i < 3; i++) CHECK_MEMORY(privy_lanes_join(&lanes, "k", 1, &places[i]));
  assert_true(privy_lanes_is_first(&places[0]));
  assert_false(privy_lanes_is_first(&places[1]));
  assert_null(privy_lanes_leave(&lanes, &places[1]));
  assert_true(privy_lanes_is_first(&places[1])); /* in no lane */
  assert_ptr_equal(privy_lanes_leave(&lanes, &places[0]), &owners[2]);
  CHECK_MEMORY(privy_lanes_join(&lanes, "k", 1, &places[0]));
  assert_null(privy_lanes_leave(&lanes, &places[0])); /* the last entry leaves before the first… */
  CHECK_MEMORY(privy_lanes_join(&lanes, "k", 1, &places[1]));
  assert_ptr_equal(privy_lanes_leave(&lanes, &places[2]), &owners[1]); /* …then the next one becomes the first */
  assert_null(privy_lanes_leave(&lanes, &places[1]));
  assert_int_equal(lanes.by_key.count, 0);
done:
  privy_lanes_clear(&lanes);
}

int main(void) {
  static harness_test tests[] = {
      TEST(lanes_keep_rows_in_order),
  };
  return HARNESS_RUN(tests);
}
