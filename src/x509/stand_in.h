/*
 * Public keys for planning: what stands in a certificate's plan for a key that is not generated yet. The same for
 * everybody and for ever, so that the plan of a rehearsal is that of the ceremony; nobody can sign with them.
 */
#ifndef X509_STAND_IN_H
#define X509_STAND_IN_H

#include "x509/cert.h"

/* "P-256", "P-384", "P-521" (the curve's generator), "RSA-3072", ... (a modulus out of a hash). P11CA_CONFIG for others. */
P11CA_CHECK int stand_in_key(const char *algorithm, struct spki *ret, struct p11ca_err *err);

/* The stand-in of the same kind and size. */
P11CA_CHECK int stand_in_for(const struct spki *key, struct spki *ret, struct p11ca_err *err);

/*
 * What a planned CA certificate will be as an issuer: its to-be-signed bytes with a signature that is none. Only for
 * building and linting.
 */
P11CA_CHECK int stand_in_issuer(
    struct der tbs, const struct spki *signer, struct issuer **ret, struct p11ca_err *err);

#endif
