/* The file of trusted certificates that a client is given. */
#ifndef PRIVY_CALL_CA_BUNDLE_H
#define PRIVY_CALL_CA_BUNDLE_H

/* NULL when the file can be read and holds a certificate in PEM form, else what is wrong, static: "does not exist". */
const char *privy_ca_bundle_error_message(const char *path);

#endif
