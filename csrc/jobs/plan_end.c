#include "jobs/plan.h"
#include "message/error.h"

void privy_plan_stop(privy_plan *plan, privy_error *error) {
  if (plan->phase < PLAN_COMPLETE) {
    plan->phase = PLAN_ENDED;
    plan->error = *error;
    privy_error_init(error);
  }
  privy_error_clear(error);
}

void privy_plan_stop_without_memory(privy_plan *plan) {
  privy_error error;
  privy_error_init(&error);
  privy_error_no_memory(&error);
  privy_plan_stop(plan, &error);
}
