/* Who signed: octets of names and keys, never text. */
#ifndef AUTH_SIGNED_BY_H
#define AUTH_SIGNED_BY_H

#include "x509/cert.h"
#include "x509/crl.h"

/*
 * Whether the certificate has this issuer (Name, TLV; p NULL: any) and a signature by this key. P11CA_NEGATIVE:
 * ISSUER_OTHER, SIGNATURE_BAD; P11CA_REFUSED: CERT_SIG_WEAK, CERT_ALG, CERT_ALG_PARAMS.
 */
P11CA_CHECK int cert_signed_by(
    const struct cert *cert, struct der issuer, const struct spki *key, EVP_PKEY *pub, struct p11ca_err *err);

/* The same of a CRL: CRL_ISSUER, CRL_SIGNATURE, and CRL_SIG_WEAK, CRL_ALG, CRL_ALG_PARAMS. */
P11CA_CHECK int crl_signed_by(
    const struct crl *crl, struct der issuer, const struct spki *key, EVP_PKEY *pub, struct p11ca_err *err);

#endif
