/* Checks the file of trusted certificates that the settings name. */
#ifndef PRIVY_CALL_CA_BUNDLE_H
#define PRIVY_CALL_CA_BUNDLE_H

/* NULL if the file can be read and contains a certificate in PEM form. Otherwise a static text such as "does not
 * exist". */
const char *privy_ca_bundle_error_message(const char *path);

#endif
