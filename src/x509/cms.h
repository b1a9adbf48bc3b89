/*
 * Signatures beside a file: CMS SignedData (RFC 5652), detached, with the signers' certificates in it. What
 * `openssl cms -verify -binary -content FILE` takes.
 */
#ifndef X509_CMS_H
#define X509_CMS_H

#include <openssl/evp.h>

#include "x509/cert.h"

/*
 * Appends the DER of a signature over data, dated now, SHA-256. The key may be a token's (a legacy EVP_PKEY); cert is its
 * certificate and goes in. P11CA_BUG when it cannot sign; the caller who knows it is a token's turns the kind into
 * P11CA_TOKEN.
 */
P11CA_CHECK int cms_sign(EVP_PKEY *key, const struct cert *cert, struct der data, int64_t now,
    struct buf *ret, struct p11ca_err *err);

/*
 * A signature in DER or PEM, over data, by the keys of the certificates that are in it; nothing is said of whether these
 * are to be trusted. Appends "'SUBJECT' (serial HEX) at TIME" for each, with commas between. P11CA_NEGATIVE with code
 * COUNTERSIGNATURE_BAD: no CMS, nobody's, not detached, with a weak digest, not over these bytes.
 */
P11CA_CHECK int cms_verify(struct der cms, struct der data, struct buf *ret_signers, struct p11ca_err *err);

/*
 * The same for a signature by one key: which it was. The certificate in it is not believed, but that the signature is by
 * its key; the caller compares the key with the one it wants. P11CA_NEGATIVE with code SIGNATURE_BAD, also for several
 * signers; P11CA_REFUSED for a key of a kind that we do not take.
 */
P11CA_CHECK int cms_signer(struct der cms, struct der data, struct spki *ret, struct p11ca_err *err);

#endif
