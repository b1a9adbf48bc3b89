/*
 * The end of a certificate's life: revocation, and the lists that tell of it (RFC 5280 5).
 *
 * Revoking touches no token: the ledger knows at once, everybody else by the next CRL. A handle of a home belongs to one
 * thread at a time.
 */
#ifndef P11CA_REVOKE_H
#define P11CA_REVOKE_H

#include <p11ca/issue.h>

/* The reasons of RFC 5280 5.3.1 by their names, "keyCompromise"; NULL for a number that is none. */
P11CA_API const char *p11ca_reason_name(int reason);

/* What to revoke: certs, or all of a lot or of a device. Strings are borrowed. */
struct p11ca_revoke_order {
    const char *const *certs; /* serials in hex, or certificate files */
    size_t n_certs;
    const char *lot;    /* the name of its input as it was given, or the lot's SHA-256 in hex; NULL: none */
    const char *device; /* device ID; NULL: none */
    const char *authority; /* only what this one has issued; NULL: any */
    const char *reason;    /* a name of RFC 5280 5.3.1, in any case; NULL with undo */
    int64_t invalid_since; /* RFC 5280 5.3.2, seconds since 1970; 0: not known */
    const char *because;   /* for the ledger: UTF-8, at most 512 octets; NULL: nothing */
    bool undo;             /* takes certificateHold back */
    bool dry_run;          /* only tells what would be done */
};

enum p11ca_revoked_how {
    P11CA_REVOKED_NOW,     /* revoked, or taken back, by this call */
    P11CA_REVOKED_ALREADY, /* it was so before */
    P11CA_REVOKED_LEFT,    /* of a lot or device: left as it is, being revoked for another reason */
};
struct p11ca_revoked {
    size_t n[3]; /* by enum p11ca_revoked_how */
};
/* Called for each certificate, with the record as it was before. Non-zero is not looked at: what is revoked is. */
typedef int p11ca_revoked_fn(void *arg, const struct p11ca_record *record, enum p11ca_revoked_how how);

/*
 * Revokes. Certificates that are named stand and fall together, in one durable transaction; a lot is revoked in transactions
 * of a thousand, and a second call goes on where a killed one stopped. Of a lot or device, what has ended or was never issued
 * is passed over. A file has to be issued by an authority of this home, and the ledger has to know these very octets.
 *
 * P11CA_USAGE: REASON, SERIAL, SERIAL_AMBIGUOUS, LOT_AMBIGUOUS, INVALID_SINCE, BECAUSE, AUTHORITY. P11CA_REFUSED: SERIAL_UNKNOWN,
 * LOT_UNKNOWN, DEVICE_UNKNOWN, ISSUER_UNKNOWN, SIGNATURE_BAD, NOT_IN_LEDGER (an alarm in the ledger), NOT_ISSUED, SELF_SIGNED, REASON_CA, REVOKED_OTHERWISE, NOT_ON_HOLD.
 * fn may be NULL.
 */
P11CA_API P11CA_CHECK int p11ca_revoke(struct p11ca_home *home, const struct p11ca_revoke_order *what,
    p11ca_revoked_fn *fn, void *arg, struct p11ca_revoked *ret, struct p11ca_err *err);

/* A CRL to be signed. */
struct p11ca_crl_order {
    unsigned days, hours; /* together: nextUpdate lies so far behind thisUpdate */
    bool delta;           /* only what changed since the last complete one (RFC 5280 5.2.4) */
    unsigned
        partition; /* the list of one of the authority's crl-partitions (RFC 5280 5.2.5), from 1; 0: of all */
    const char *output;
    bool der; /* not PEM */
    bool force;
};
struct p11ca_crl {
    enum p11ca_outcome outcome; /* FINISHED: was signed before, published now. REUSED: was published, too. */
    int64_t number, base;       /* base 0: it is complete */
    int64_t this_update, next_update;
    size_t entries;
    char sha256[65];
};

/*
 * Signs and publishes an authority's next CRL. Killed before it is in the ledger, nothing has happened; afterwards the number
 * is used, and the next call takes the next. Codes: those of the lint (CRL_*), CRL_DAYS and PARTITION (P11CA_USAGE), CRL_PARTITIONS (P11CA_CONFIG), CRL_NO_BASE
 * (P11CA_REFUSED: a delta before any complete one), CRL_TOO_LARGE, NO_CA_CERT, CRL_TIME and CLOCK (the clock was set back),
 * CRL_NUMBER (another process was faster), OUTPUT_EXISTS.
 */
P11CA_API P11CA_CHECK int p11ca_crl(struct p11ca_home *home, const char *authority,
    const struct p11ca_crl_order *order, struct p11ca_crl *ret, struct p11ca_err *err);

/*
 * Publishes, without the key, the latest list that a ceremony signed ahead and whose thisUpdate has come; of the order only
 * output, der and force are looked at. P11CA_REFUSED: CRL_NOT_DUE (says when the next is), CRL_NO_SLOT (none lies ready), CRL_VOID
 * (something was revoked since they were signed, or taken off hold). Killed, the same call finishes it (FINISHED).
 */
P11CA_API P11CA_CHECK int p11ca_crl_release(struct p11ca_home *home, const char *authority,
    const struct p11ca_crl_order *order, struct p11ca_crl *ret, struct p11ca_err *err);

/* When an authority's next list has to be out. Strings are borrowed for the time of the callback. */
struct p11ca_crl_deadline {
    const char *authority;
    int64_t number; /* of the last complete list that was handed out; 0: there is none yet */
    int64_t this_update, next_update;
    int64_t left;           /* seconds until next_update, negative behind it; 0 without a list */
    bool overdue;           /* behind next_update; or p11ca.conf says crl-url, and there is no list */
    size_t revoked;         /* revocations, and holds taken back, that no list tells of yet */
    size_t slots;           /* lists that were signed ahead of their time and can be released */
    bool slots_void;        /* not any more: something was revoked since */
    int64_t slot_next;      /* thisUpdate of the next of them; 0: there is none */
    int64_t slots_until;    /* nextUpdate of the last of them: until then the key is not needed */
    unsigned part, parts;   /* it covers part (from 1) of so many; 0: all certificates */
    const char *key_sha256; /* of the authority's SubjectPublicKeyInfo, hex */
};
/* Non-zero ends the walk, without an error. */
typedef int p11ca_crl_deadline_fn(void *arg, const struct p11ca_crl_deadline *d);

/*
 * All deadlines of an authority (NULL: of all in p11ca.conf) that has a CA certificate which has not ended, in the order of
 * p11ca.conf. P11CA_NEGATIVE, CRL_OVERDUE, after all were told, when one is overdue.
 */
P11CA_API P11CA_CHECK int p11ca_crl_deadlines(struct p11ca_home *home, const char *authority,
    p11ca_crl_deadline_fn *fn, void *arg, struct p11ca_err *err);

/*
 * The same as a calendar (RFC 5545) in the file output: an event, with an alarm before it, for the end of each last list and
 * for each list that lies ready. The next calendar moves its events: their UIDs stay. OUTPUT_EXISTS without force.
 */
P11CA_API P11CA_CHECK int p11ca_crl_calendar(
    struct p11ca_home *home, const char *authority, const char *output, bool force, struct p11ca_err *err);

#endif
