#include "sandbox/consent.h"

const char *privy_consent_email_error_message(privy_email_consent from) {
  return from == PRIVY_email_consent_compliance_suppressed
             ? "cannot be changed: the contact is under compliance suppression"
             : NULL;
}

static bool is_opt_in(privy_sms_consent consent) {
  return consent == PRIVY_sms_consent_subscribed || consent == PRIVY_sms_consent_single_opt_in;
}

const char *privy_consent_sms_create_error_message(privy_sms_consent to, bool supported) {
  return is_opt_in(to) && !supported ? "needs a phone number of a country where SMS is supported" : NULL;
}

static bool may_opt_in_singly(privy_sms_consent from) {
  return from == PRIVY_sms_consent_never_subscribed || from == PRIVY_sms_consent_single_opt_in;
}

const char *privy_consent_sms_update_error_message(privy_sms_consent from, privy_sms_consent to, bool phone) {
  if (to != PRIVY_sms_consent_never_subscribed && !phone) return "needs the contact to have a phone number";
  if (to == PRIVY_sms_consent_single_opt_in && !may_opt_in_singly(from))
    return "cannot become single_opt_in from pending, subscribed or unsubscribed";
  return NULL;
}

bool privy_consent_welcomes(privy_sms_consent from, privy_sms_consent to, bool wanted) {
  return wanted && to == PRIVY_sms_consent_subscribed && from != PRIVY_sms_consent_subscribed;
}
