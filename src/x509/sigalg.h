/* Signature algorithms, one table; signing and verifying by a row of it. */
#ifndef X509_SIGALG_H
#define X509_SIGALG_H

#include <openssl/evp.h>

#include "x509/der.h"
#include "x509/oid.h"
#include "x509/spki.h"

struct sigalg {
    enum oid oid;
    const char *text;   /* "ecdsa-with-SHA256" */
    const char *digest; /* "SHA256" */
    bool rsa;           /* PKCS #1 v1.5, parameters NULL; else ECDSA, parameters absent */
    struct der id;      /* the AlgorithmIdentifier, whole TLV */
};

/* What a key of this kind signs with: P-256 SHA-256, P-384 SHA-384, P-521 SHA-512, RSA SHA-256. */
const struct sigalg *sigalg_for_key(const struct spki *s);

/* The row with exactly this AlgorithmIdentifier; NULL when there is none. */
const struct sigalg *sigalg_find(struct der id);

/*
 * As sigalg_find() for a key of this kind, refusing with the reason. prefix "CSR" or "CERT" makes the codes:
 * CSR_SIG_WEAK (SHA-1, MD5), CSR_ALG_PARAMS (parameters that do not belong), CSR_ALG (unknown, or of another
 * key type).
 */
P11CA_CHECK int sigalg_read(
    struct der id, enum key_kind kind, const char *prefix, const struct sigalg **ret, struct p11ca_err *err);

/* By its text; NULL when there is none. */
const struct sigalg *sigalg_by_text(const char *text);

/* Appends the signature over tbs. The key may be a token's (a legacy EVP_PKEY). P11CA_BUG when it cannot
 * sign; the caller who knows it is a token's turns the kind into P11CA_TOKEN. */
P11CA_CHECK int sigalg_sign(
    EVP_PKEY *key, const struct sigalg *alg, struct der tbs, struct buf *ret, struct p11ca_err *err);

/*
 * P11CA_NEGATIVE with code SIGNATURE_BAD when it does not verify. Fastest when a thread asks for the same key again; the
 * thread then keeps a reference to it, until it asks for another one or ends. A key must not change once it was asked
 * for.
 */
P11CA_CHECK int sigalg_verify(
    EVP_PKEY *pub, const struct sigalg *alg, struct der tbs, struct der sig, struct p11ca_err *err);

/* The same by a key of which there are only the bytes, and which is asked but once: P11CA_REFUSED as spki_evp1(). */
P11CA_CHECK int sigalg_verify_by(
    const struct spki *key, const struct sigalg *alg, struct der tbs, struct der sig, struct p11ca_err *err);

#endif
