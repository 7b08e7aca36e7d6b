/* What the tests of the checker share: parameters given as one JSON object, to the end of the check. */
#ifndef CHECK_TEXT_H
#define CHECK_TEXT_H

#include "message_text.h"

#include "schema/check.h"

/* A check of the operation's parameters as a JSON object, to its end. False when memory ran out. */
static inline bool check_text(privy_check *check, const char *operation, privy_check_mode mode, const char *json,
                              uint64_t exempt) {
  const privy_operation *found = privy_operation_find(operation);
  assert_non_null(found);
  privy_check_init(check, found, mode);
  privy_check_members(check, json_of(json));
  if (!check->no_memory) privy_check_finish(check, exempt);
  return !check->no_memory;
}

typedef struct check_case {
  const char *operation, *json, *details;
} check_case;

static inline void run_cases(const check_case *cases, size_t count, privy_check_mode mode) {
  for (size_t i = 0; i < count; i++) {
    privy_check check;
    const bool complete = check_text(&check, cases[i].operation, mode, cases[i].json, 0);
    if (complete) assert_details(&check.details, cases[i].details);
    privy_check_clear(&check);
    CHECK_MEMORY(complete);
  }
done:
  return;
}

#define ORDER                                                                                                          \
  "\"order_id\":1,\"total\":1,\"currency\":\"USD\",\"order_date\":\"2026-05-12T10:00:00Z\",\"email\":\"a@b\""
#define EVENT "\"event_type\":\"x\",\"email\":\"a@b\""

#endif
