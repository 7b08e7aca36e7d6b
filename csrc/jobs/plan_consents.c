#include "jobs/plan_consents.h"

#define EMAIL(value) PRIVY_email_consent_##value
#define SMS(value) PRIVY_sms_consent_##value

/* Whether the person or the shop withdrew the consent. So did those who have a value that is not known. */
static bool is_email_withdrawn(int consent) {
  return consent != EMAIL(subscribed) && consent != EMAIL(never_subscribed);
}

plan_block privy_plan_check_email_consent(int from, int to, bool resubscribe) {
  if (from == EMAIL(compliance_suppressed)) return PLAN_BLOCK_COMPLIANCE;
  if (resubscribe || !is_email_withdrawn(from)) return PLAN_BLOCK_NONE;
  return from == EMAIL(unsubscribed) && to == EMAIL(suppressed) ? PLAN_BLOCK_NONE : PLAN_BLOCK_RESUBSCRIBES;
}

/* A pending opt-in waits for the person: to subscribe it would answer for them. */
static bool needs_person(int from, int to) {
  if (from == SMS(pending)) return to != SMS(never_subscribed) && to != SMS(unsubscribed);
  return from == SMS(unsubscribed) || from < 0;
}

plan_block privy_plan_check_sms_consent(int from, int to, bool phone, bool resubscribe) {
  if (to != SMS(never_subscribed) && !phone) return PLAN_BLOCK_NEEDS_PHONE;
  if (to == SMS(single_opt_in) && from != SMS(never_subscribed)) return PLAN_BLOCK_TRANSITION;
  return !resubscribe && needs_person(from, to) ? PLAN_BLOCK_RESUBSCRIBES : PLAN_BLOCK_NONE;
}
