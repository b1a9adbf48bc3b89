/*
 * Certificate revocation lists (RFC 5280 5) of a CA's own certificates: complete ones, deltas to them, and those of a part of
 * the certificates. Order of calls for one that is issued:
 *
 *   crl_tbs_build  the to-be-signed bytes from a plan; or crl_tbs_begin, crl_tbs_add..., crl_tbs_end, entry by entry
 *   crl_tbs_lint   every rule over those bytes, parsed anew
 *   sigalg_sign    by the issuer's key, in its token
 *   crl_assemble   tbs, algorithm, signature
 *   crl_read       parsed anew; crl.tbs must equal what was linted
 *   crl_verify     by the issuer's certificate
 */
#ifndef X509_CRL_H
#define X509_CRL_H

#include "base/limits.h"
#include "x509/ext.h"
#include "x509/issuer.h"
#include "x509/serial.h"

/* RFC 5280 5.3.1 */
enum crl_reason {
    CRL_UNSPECIFIED = 0, /* written as no reason at all */
    CRL_CA_COMPROMISE = 2,
    CRL_HOLD = 6,
    CRL_REMOVE = 8, /* removeFromCRL: only in delta CRLs */
    CRL_REASONS = 11
};

/* "keyCompromise"; NULL for a number that is none, and for 7. Names are matched in any case; -1 for a name that is none. */
const char *crl_reason_name(int reason);
int crl_reason_from_name(const char *name);

struct crl_entry {
    uint8_t serial[SERIAL_LEN]; /* INTEGER content, as the certificate has it */
    size_t serial_len;
    int64_t revoked_at;
    int64_t invalid_since; /* 0: not known; written only when it is another time than revoked_at */
    int reason;            /* CRLReason; -1 and CRL_UNSPECIFIED: none is written */
};

struct crl_plan {
    const struct issuer *issuer;
    uint64_t number; /* from 1 */
    uint64_t
        base; /* of a delta CRL: the number of the complete one it builds on (RFC 5280 5.2.4); 0: it is complete */
    const char *
        issuing_url; /* of a CRL that covers a part: the URI its certificates name (RFC 5280 5.2.5); NULL: all */
    int64_t this_update, next_update;
    const struct crl_entry *entries; /* in any order: they are written by serial */
    size_t n;
};

/* Entry by entry, in ascending order of their serials (a longer one is greater); plan and buffer stay the caller's. */
struct crl_writer {
    const struct crl_plan *plan; /* entries and n are not looked at */
    struct buf *to;
    size_t at, revoked;
};
void crl_tbs_begin(struct crl_writer *ret, const struct crl_plan *plan, struct buf *to);
void crl_tbs_add(struct crl_writer *w, const struct crl_entry *e);
P11CA_CHECK int crl_tbs_end(struct crl_writer *w, struct p11ca_err *err);

/* Appends a TBSCertList, version 2. A plan that breaks a rule is built all the same: crl_tbs_lint() says so. */
P11CA_CHECK int crl_tbs_build(const struct crl_plan *plan, struct buf *ret, struct p11ca_err *err);

/* A TBSCertList in slices of its bytes. */
struct crl_tbs {
    unsigned version;  /* 1 or 2 */
    struct der alg;    /* AlgorithmIdentifier, TLV */
    struct der issuer; /* Name, TLV */
    int64_t this_update, next_update;
    bool has_next_update;
    bool times_encoded_right; /* UTCTime through 2049, GeneralizedTime from 2050 */
    bool has_revoked;
    struct der revoked; /* content of revokedCertificates: crl_next_entry() */
    struct cert_ext exts[LIMIT_EXTS];
    size_t n_exts;
};

/* Form only, that of the entries included. Code CRL_SYNTAX. */
P11CA_CHECK int crl_tbs_read(struct der tbs, struct crl_tbs *ret, struct p11ca_err *err);

/* The extension, NULL when it is not there. */
const struct cert_ext *crl_ext(const struct crl_tbs *t, enum oid id);

/* One of revokedCertificates as it stands there. */
struct crl_item {
    struct der serial; /* INTEGER content */
    int64_t revoked_at;
    bool time_encoded_right;
    struct cert_ext exts[LIMIT_CRL_EXTS];
    size_t n_exts;
};

/* Takes the next entry off in, a crl_tbs.revoked: 0, or -1 when it is none. */
P11CA_CHECK int crl_next_entry(struct der *in, struct crl_item *ret);

/*
 * The first rule the bytes break, as
 *   CRL: RFC 5280 5.1.2.5: nextUpdate: want a time after thisUpdate, 2026-06-01T00:00:00Z, have ...
 * with the row's id as the code (CRL_NUMBER, CRL_NEXT_UPDATE, ...). The issuer is the CA itself: no indirect CRLs.
 */
P11CA_CHECK int crl_tbs_lint(struct der tbs, const struct issuer *issuer, struct p11ca_err *err);

/* Appends CertificateList { tbs, alg, sig }. */
void crl_assemble(struct der tbs, const struct sigalg *alg, struct der sig, struct buf *ret);

struct crl {
    struct buf der;           /* own copy */
    struct der tbs;           /* TLV, into der */
    struct crl_tbs t;         /* into der */
    struct der alg_id;        /* TLV; byte for byte t.alg */
    const struct sigalg *alg; /* NULL when the algorithm is none of ours */
    struct der sig;
};

#define CRL_INIT                                                                                             \
    {                                                                                                        \
        .der = BUF_INIT                                                                                      \
    }
#define AUTO_CRL __attribute__((cleanup(crl_done))) struct crl

/* PEM ("X509 CRL") or DER; canonical DER, signatureAlgorithm equal in both places. CRL_SYNTAX, CRL_ALG_MISMATCH,
 * INPUT_TOO_LARGE, DER_*, PEM_*. */
P11CA_CHECK int crl_read(const uint8_t *p, size_t len, struct crl *ret, struct p11ca_err *err);
void crl_done(struct crl *crl);

/* P11CA_NEGATIVE with code SIGNATURE_BAD when the signature is not by this key with this algorithm. */
P11CA_CHECK int crl_verify(
    const struct crl *crl, EVP_PKEY *issuer_pub, const struct sigalg *alg, struct p11ca_err *err);

#endif
