/*
 * Does a chain verify? OpenSSL's X509_verify_cert with X509_V_FLAG_X509_STRICT, and the reason in words: the
 * flags OpenSSL hides behind "unable to get local issuer certificate" are looked at first.
 */
#ifndef X509_CHAIN_H
#define X509_CHAIN_H

#include "x509/der.h"

enum chain_purpose { CHAIN_ANY, CHAIN_SERVER, CHAIN_CLIENT };

struct chain {
    struct der leaf;                 /* DER, as all of them */
    const struct der *intermediates; /* not trusted */
    size_t n_intermediates;
    const struct der *roots; /* trusted */
    size_t n_roots;
    enum chain_purpose purpose;
    const char *host; /* DNS name or IP address that must be in the SAN; NULL: not asked */
    int64_t at;       /* time of validation, seconds since 1970 */
};

/* 0 when it verifies. P11CA_NEGATIVE: code CHAIN_BAD, HOST_MISMATCH; P11CA_REFUSED for bytes that are no
 * certificate. */
P11CA_CHECK int chain_verify(const struct chain *chain, struct p11ca_err *err);

#endif
