/*
 * Looking at what was issued. Nothing here changes anything or touches a token.
 */
#ifndef P11CA_LEDGER_H
#define P11CA_LEDGER_H

#include <p11ca/issue.h>
#include <p11ca/token.h>

struct p11ca_filter {
    const char *status, *authority, *profile, *device; /* NULL: any */
    const char *lot;                                   /* a lot's name; NULL: any */
    const char *
        key; /* SHA-256 of a SubjectPublicKeyInfo in hex, or a file with the key or a certificate; NULL: any */
    const char *subject, *sans; /* text in them, in whatever case; NULL: any. Every row is read for that. */
    /* Seconds since 1970: at or after, and before; 0: any. */
    int64_t issued_after, issued_before, expires_after, expires_before;
    unsigned
        expiring; /* that end within so many days, or have ended; of status issued unless another is asked for; 0: any */
    const char *after; /* a serial: only what was reserved after it; of authority, where several have it */
    int64_t limit;     /* 0: no limit */
};
/* In the order in which serials were reserved, which never changes: pages of limit rows, each after the last one's
 * serial, have each row once. */
P11CA_API P11CA_CHECK int p11ca_list(struct p11ca_home *home, const struct p11ca_filter *filter,
    p11ca_record_fn *fn, void *arg, struct p11ca_err *err);

/* what: a serial in hex, or a certificate file. P11CA_NEGATIVE when the ledger has none. */
P11CA_API P11CA_CHECK int p11ca_show(
    struct p11ca_home *home, const char *what, p11ca_record_fn *fn, void *arg, struct p11ca_err *err);

enum p11ca_purpose { P11CA_ANY_PURPOSE, P11CA_TLS_SERVER, P11CA_TLS_CLIENT };

struct p11ca_question {
    const char *cert; /* file */
    enum p11ca_purpose purpose;
    const char *host; /* NULL: not asked */
    int64_t at;       /* 0: now */
    const char *const *
        ca; /* files of CA certificates (PEM, DER): those that are self-issued are trusted, and no home is asked */
    size_t n_ca;
    const char *const
        *crls; /* CRLs of the certificate's issuer: with these or ocsp, the ledger is not asked */
    size_t n_crls;
    const char *ocsp; /* a stored OCSP response for this certificate, DER; NULL: none */
};
struct p11ca_answer {
    char serial[41], authority[65], status[16], subject[512];
};
/*
 * Chain to a root of this home, or of ca (home may be NULL then), validity, purpose, host name (RFC 5280 6, RFC 9525);
 * and what the ledger says, or the CRLs and the OCSP response at hand, each of which must be the issuer's word, be
 * current, and say something of this certificate. With ca and none of these, revocation is not asked, and status is
 * empty. P11CA_NEGATIVE with the reason when it does not verify; codes CHAIN_BAD, HOST_MISMATCH, NOT_IN_LEDGER, REVOKED,
 * REVOCATION_UNKNOWN, CRL_BAD, CRL_STALE, OCSP_BAD, OCSP_STALE.
 */
P11CA_API P11CA_CHECK int p11ca_verify(struct p11ca_home *home, const struct p11ca_question *question,
    struct p11ca_answer *ret, struct p11ca_err *err);

struct p11ca_audit {
    size_t authorities, certificates, reserved, events, files, faults, crls;
    char head[65]; /* hash of the last event and all before it */
};
/*
 * Every invariant of the ledger, checked again: the database, the chain of events, each certificate against its
 * columns, its issuer's signature and its file, each lot ticket and CRL against its signature, and that what a CRL lists is revoked. P11CA_NEGATIVE when something is wrong; fn gets each finding.
 */
P11CA_API P11CA_CHECK int p11ca_audit(
    struct p11ca_home *home, p11ca_finding_fn *fn, void *arg, struct p11ca_audit *ret, struct p11ca_err *err);

#endif
