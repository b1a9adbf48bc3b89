/* What issuing needs of a CA certificate, made once. Read-only afterwards: share it between threads. */
#ifndef X509_ISSUER_H
#define X509_ISSUER_H

#include "x509/profile.h"
#include "x509/sigalg.h"
#include "x509/spki.h"

struct issuer {
    struct buf cert;    /* the CA certificate */
    struct der subject; /* Name, TLV, into cert: copied into what it issues, never rebuilt */
    uint8_t ski[64];    /* keyIdentifier of what it issues: the SKI extension, or SHA-1 of the key */
    size_t ski_len;
    int64_t not_before, not_after;
    int pathlen; /* -1: none */
    bool self_signed;
    bool has_ku;
    unsigned key_usage; /* USAGE_*; keyCertSign is among them when has_ku */
    bool has_eku;
    unsigned eku;         /* EKU_*; with has_eku a constraint on what it issues */
    struct der eku_value; /* the extension's, into cert; p NULL: there is none */
    struct spki spki;
    EVP_PKEY *pub;            /* for verifying */
    const struct sigalg *alg; /* what its key signs with */
};

/* DER or PEM of a CA certificate: cA TRUE, keyCertSign, a key and a name that we take. Code ISSUER_BAD. */
P11CA_CHECK int issuer_read(const uint8_t *p, size_t len, struct issuer **ret, struct p11ca_err *err);
/*
 * Whether the certificate is signed by the issuer's key, with whatever algorithm of it: another CA program may have chosen
 * another digest than p11ca does. CERT_ALG..., P11CA_NEGATIVE with SIGNATURE_BAD. Names are the caller's to compare.
 */
struct cert;
P11CA_CHECK int issuer_has_signed(
    const struct issuer *issuer, const struct cert *cert, struct p11ca_err *err);
void issuer_free(struct issuer *issuer);

#endif
