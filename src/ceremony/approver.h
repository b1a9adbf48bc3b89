/* An approver's key: of a certificate, or in a token. */
#ifndef CEREMONY_APPROVER_H
#define CEREMONY_APPROVER_H

#include "ceremony/people.h"
#include "issue/home.h"
#include "x509/spki.h"

/*
 * The key of the person's certificate, which must be valid at the time and good for signatures. REFUSED, code
 * APPROVAL_KEY.
 */
P11CA_CHECK int approver_certificate(
    const struct person *p, int64_t now, struct spki *ret, struct p11ca_err *err);

/* Whether the signature is by the key, over the bytes: ECDSA or RSA PKCS #1 v1.5. P11CA_NEGATIVE. */
P11CA_CHECK int approver_verify(
    const struct spki *key, struct der bytes, struct der sig, struct p11ca_err *err);

/*
 * Signs the bytes with the key in the person's token, which must meet the key policy and be that of the certificate when
 * there is one. What comes back is verified.
 */
P11CA_CHECK int approver_sign(const struct p11ca_home *home, const struct person *p, struct der bytes,
    struct spki *ret_key, struct buf *ret_sig, struct p11ca_err *err);

/* For a rehearsal: the same with a key made for this one signature. */
P11CA_CHECK int approver_stand_in(
    struct der bytes, struct spki *ret_key, struct buf *ret_sig, struct p11ca_err *err);

#endif
