/* Whether a row may change a consent. Pure functions of positions in the enums (schema.h); -1 is a value that they do
 * not have. docs/plan.md shows them as a table. */
#ifndef PRIVY_JOBS_PLAN_CONSENTS_H
#define PRIVY_JOBS_PLAN_CONSENTS_H

#include "privy_jobs.h"
#include "schema/schema.h"

/* PRIVY_PLAN_BLOCKS of privy_jobs.h */
typedef enum plan_block {
#define X(constant, code, doc) PLAN_BLOCK_##constant,
  PRIVY_PLAN_BLOCKS(X)
#undef X
      PLAN_BLOCK_NONE
} plan_block;

/* Changes from one value to another one that differs. */
plan_block privy_plan_check_email_consent(int from, int to, bool resubscribe);
/* `phone`: the contact has a phone number afterwards. */
plan_block privy_plan_check_sms_consent(int from, int to, bool phone, bool resubscribe);

#endif
