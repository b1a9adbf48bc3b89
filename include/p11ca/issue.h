/*
 * Issuing: request -> reserve -> sign -> verify -> commit -> publish.
 *
 * Killed between any two of these, at worst a serial stays reserved; the same call made again finishes what
 * was begun, with the same serial. No certificate exists that the ledger does not know.
 */
#ifndef P11CA_ISSUE_H
#define P11CA_ISSUE_H

#include <stdbool.h>
#include <stddef.h>

#include <p11ca/home.h>

/* A certificate as the ledger knows it. Strings and bytes are borrowed for the time of the callback. */
struct p11ca_record {
    int64_t id;
    const char *serial; /* hex, as OpenSSL prints it */
    const char *status; /* "reserved", "issued", "superseded", "revoked" */
    const char *authority, *profile;
    const char *device;              /* NULL: none */
    const char *subject;             /* RFC 4514 */
    const char *sans;                /* NULL: none */
    const char *signature_algorithm; /* NULL like key_sha256 */
    /* Hex of SubjectPublicKeyInfo and certificate; sha256 NULL while reserved, both of what was imported without one. */
    const char *key_sha256, *sha256;
    int64_t not_before, not_after, reserved_at, issued_at, published_at,
        revoked_at;        /* seconds since 1970; 0: not, or (not_before) not known */
    int64_t imported_at;   /* from another CA program; 0: not */
    int reason;            /* CRLReason, -1: none */
    const char *ticket;    /* ID of the lot ticket it is counted on, NULL: none */
    const char *path;      /* where it was published, NULL: nowhere */
    int64_t invalid_since; /* RFC 5280 5.3.2; 0: not known */
    const char *change;    /* of a revocation, or of a hold taken back: what, why and by whom; NULL: none */
    const uint8_t *der;    /* the certificate, NULL while reserved */
    size_t der_len;
};
/* Non-zero ends the walk. */
typedef int p11ca_record_fn(void *arg, const struct p11ca_record *record);

/* Kinds of alternative names and their text; host names may be in U-labels, which become A-labels (IDNA2008). */
enum p11ca_san {
    P11CA_SAN_DNS,
    P11CA_SAN_IP,
    P11CA_SAN_URI,      /* spiffe: and urn:uuid: by their grammars */
    P11CA_SAN_EMAIL,    /* ASCII before the @ */
    P11CA_SAN_HW,       /* HardwareModuleName (RFC 4108 5): TYPE:SERIAL, a dotted OID and text or # and hex */
    P11CA_SAN_PERMID,   /* permanentIdentifier (RFC 4043): [ASSIGNER]:[VALUE], a dotted OID and text */
    P11CA_SAN_UPN,      /* user principal name */
    P11CA_SAN_SMTPUTF8, /* SmtpUTF8Mailbox (RFC 9598): not only ASCII before the @ */
    P11CA_SAN_SRV,      /* SRVName (RFC 4985): _service.host */
    P11CA_SAN_FASCN,    /* FASC-N: nine fields of digits with dashes between, or # and hex */
    P11CA_SAN_RID,      /* registeredID: a dotted OID */
    P11CA_SAN_DIRNAME,  /* directoryName: RFC 4514 */
};

struct p11ca_name {
    enum p11ca_san type;
    const char *text;
};

/*
 * "KIND:TEXT" as p11ca shows names: DNS, IP, URI, email, hw, permid, UPN, smtputf8, SRV, FASC-N, RID, dirname, in any
 * case. P11CA_USAGE when there is no such kind; the text is borrowed, and judged when it is issued.
 */
P11CA_API P11CA_CHECK int p11ca_name_parse(const char *text, struct p11ca_name *ret, struct p11ca_err *err);

/* What a row of a manifest, or --field, says: a profile's templates are filled with it. */
struct p11ca_field {
    const char *name; /* [a-z][a-z0-9_-]{0,31} */
    const char *value;
};

struct p11ca_order {
    const char *authority, *profile;
    /* Exactly one of these three: where the public key comes from. */
    const char *csr;     /* a PKCS #10 request, PEM or DER; proves possession of the key (RFC 2986) */
    const char *pubkey;  /* SubjectPublicKeyInfo, PEM or DER */
    const char *new_key; /* a new P-256 key is made and written here, mode 0600 */
    const char *id;      /* device ID: [A-Za-z0-9._-]{1,64}, no leading dot or dash; NULL for none */
    const char *subject; /* RFC 4514; NULL: the request's, or made from id or the first DNS name */
    const struct p11ca_name *sans; /* none: those of the request */
    size_t n_sans;
    const struct p11ca_field *fields; /* for the profile's templates */
    size_t n_fields;
    const char *key_of; /* an authority: the key must be the one the ledger has recorded for it; NULL: any */
    const char *ticket; /* a lot ticket, its signature beside it as TICKET.p7s; NULL: none */
    unsigned days;      /* 0: the profile's default */
    const char *output; /* PEM */
    bool force;         /* replace output */
    bool
        reissue; /* take the place of the certificate that the device, or the key, has: it becomes superseded */
};

enum p11ca_outcome {
    P11CA_NEW,      /* reserved and signed now */
    P11CA_FINISHED, /* an interrupted run of the same order, finished */
    P11CA_REUSED,   /* the same certificate as before, published (again) */
};

struct p11ca_issued {
    enum p11ca_outcome outcome;
    char serial[41];
    char sha256[65];
    char notes[256]; /* what the request asked for and did not get: "keyUsage, challengePassword" */
};

/*
 * One certificate. Refusals (P11CA_REFUSED) come before the token is touched, and are in the ledger as events.
 * fn (may be NULL) is given the ledger's record.
 */
P11CA_API P11CA_CHECK int p11ca_issue(struct p11ca_home *home, const struct p11ca_order *order,
    struct p11ca_issued *ret, p11ca_record_fn *fn, void *arg, struct p11ca_err *err);

/* The next certificate of one that is there. */
struct p11ca_renewal {
    const char *what; /* a serial in hex, or a certificate file */
    /* Exactly one of these three: the key. */
    const char *csr, *new_key; /* as in struct p11ca_order */
    bool same_key;             /* the one it has; only where the profile says renew-same-key */
    const struct p11ca_field
        *fields; /* for the profile's templates: names are those of before all the same */
    size_t n_fields;
    const char *ticket;
    unsigned days;
    const char *output;
    bool force;
};

/*
 * Issues a certificate with names, device, profile and authority of the old one, which becomes superseded in the very
 * transaction that records the new one. The same call again finds what it made. Beside those of p11ca_issue():
 * NOT_IN_LEDGER (P11CA_NEGATIVE), SERIAL_AMBIGUOUS (P11CA_USAGE), and, all P11CA_REFUSED, RENEW_CA, RENEW_SAME_KEY,
 * RENEW_NAMES (the profile would make others now), RENEW_STATUS (reserved, superseded, revoked), RENEW_EXPIRED.
 */
P11CA_API P11CA_CHECK int p11ca_renew(struct p11ca_home *home, const struct p11ca_renewal *order,
    struct p11ca_issued *ret, p11ca_record_fn *fn, void *arg, struct p11ca_err *err);

/* A request (PEM) for the authority's CA certificate, signed by its token key. */
P11CA_API P11CA_CHECK int p11ca_request(
    struct p11ca_home *home, const char *authority, const char *output, bool force, struct p11ca_err *err);

/*
 * Takes the authority's CA certificate in: it must hold the token's key and the configured subject, and be signed by
 * the issuer when that is an authority of this home. Published as HOME/AUTHORITY.crt. An authority without a token in
 * p11ca.conf has its key at another machine: compare the certificate's hash with what was read out there.
 */
P11CA_API P11CA_CHECK int p11ca_install(
    struct p11ca_home *home, const char *authority, const char *cert, struct p11ca_err *err);

/* A self-signed CA certificate for an authority with such a profile, installed. ret may be NULL. */
P11CA_API P11CA_CHECK int p11ca_self_sign(
    struct p11ca_home *home, const char *authority, struct p11ca_issued *ret, struct p11ca_err *err);

/*
 * Generates the authority's key in its token and records it. algorithm: P-256, P-384, P-521, RSA-3072, RSA-4096.
 * Refused when the ledger or the token has one.
 */
P11CA_API P11CA_CHECK int p11ca_generate_key(
    struct p11ca_home *home, const char *authority, const char *algorithm, struct p11ca_err *err);

/*
 * The authority's CA certificate as PEM; with chain, followed by its issuers in this home up to the root. The same
 * content already there is left as it is.
 */
P11CA_API P11CA_CHECK int p11ca_export(struct p11ca_home *home, const char *authority, const char *output,
    bool chain, bool force, struct p11ca_err *err);

/* What this machine and token can do; definitions in bench of the man page. */
struct p11ca_bench {
    unsigned cores, jobs;
    double sign;       /* S: C_Sign per second, one thread */
    double verify;     /* V: verifications per second, one thread */
    double verify_all; /* on all cores at once: cores * V, where they do not slow each other down */
    double limit;      /* L = cores / (1/S + 2/V) */
    double issue;      /* certificates per second, durable, proof of possession and signature verified */
    double issue_keys; /* of public keys: no proof */
    size_t issued;     /* of each */
};
/* Issues n certificates (0: as many as take a few seconds) of profile device, which the authority must be allowed, that
 * have expired before they exist and that nobody gets, into a ledger that is thrown away, in the home's folder. */
P11CA_API P11CA_CHECK int p11ca_bench(struct p11ca_home *home, const char *authority, size_t n, unsigned jobs,
    struct p11ca_bench *ret, struct p11ca_err *err);

#endif
