/*
 * What a written consent does to a contact: pure functions of the consent it has and the one asked for, both positions
 * in their enumeration. Those that check return NULL if the write is accepted, else the error message.
 */
#ifndef PRIVY_SANDBOX_CONSENT_H
#define PRIVY_SANDBOX_CONSENT_H

#include "schema/schema.h"

const char *privy_consent_email_error_message(privy_email_consent from);
/* On create; `supported`: the contact has a phone number of a country that SMS reaches. */
const char *privy_consent_sms_create_error_message(privy_sms_consent to, bool supported);
/* On update; `phone`: the contact has a phone number after it. */
const char *privy_consent_sms_update_error_message(privy_sms_consent from, privy_sms_consent to, bool phone);
/* Whether the change sends a welcome message, if one is `wanted`. */
bool privy_consent_welcomes(privy_sms_consent from, privy_sms_consent to, bool wanted);

#endif
