/*
 * The ledger: what was issued, and everything that was decided. One SQLite database, write-ahead log,
 * synchronous=FULL: when ledger_commit() returns, it survives a power cut.
 *
 * Order of calls for a certificate (each arrow may be the last thing the machine ever does):
 *
 *   ledger_begin, ledger_reserve..., ledger_commit     the serial is ours
 *     (sign, verify)
 *   ledger_begin, ledger_issue..., ledger_commit       the certificate exists
 *     (publish the file)
 *   ledger_begin, ledger_publish..., ledger_commit     the file exists
 *
 * A handle belongs to one thread. Several processes may have the ledger open: writers wait for each other.
 * Every writing function must be called between ledger_begin and ledger_commit and records its own event.
 */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"

struct ledger;

enum ledger_mode {
    LEDGER_READ,   /* refuses to write; the file must exist */
    LEDGER_WRITE,  /* the file must exist */
    LEDGER_CREATE, /* makes it, mode 0600; an existing one is opened */
};

/* now: seconds since 1970 UTC; what events of this handle are dated with. A ledger whose last event lies
 * more than 60 s after now is refused for writing (code CLOCK): the clock was set back. */
P11CA_CHECK int ledger_open(
    const char *path, enum ledger_mode mode, int64_t now, struct ledger **ret, struct p11ca_err *err);
void ledger_close(struct ledger *l);

/* Moves the handle's clock on, for long runs. */
void ledger_set_now(struct ledger *l, int64_t now);

P11CA_CHECK int ledger_begin(struct ledger *l, struct p11ca_err *err);  /* BEGIN IMMEDIATE */
P11CA_CHECK int ledger_commit(struct ledger *l, struct p11ca_err *err); /* durable on return */
/* As ledger_begin, for what a re-run finds out again (published files): a power cut may undo the commit, nothing else. */
P11CA_CHECK int ledger_begin_lazy(struct ledger *l, struct p11ca_err *err);
/* For many questions and no writing: all see the same state, and the file is locked once. Ends with ledger_rollback(). */
P11CA_CHECK int ledger_begin_read(struct ledger *l, struct p11ca_err *err);
void ledger_rollback(struct ledger *l); /* harmless outside a transaction */

/* Counts up when a transaction of ours finds that somebody else has written since: what was looked up must be again. */
uint64_t ledger_others(const struct ledger *l);

/*
 * For a lot: rows are put into the index of keys many at a time and not with every commit, which takes half of the time that a
 * row of a large ledger takes. Nothing is found less: what is not in it yet is looked for in the rows themselves. At the end
 * ledger_index_keys() brings it up, outside of a transaction; ledger_open() does when that was not called.
 */
void ledger_defer_keys(struct ledger *l);
P11CA_CHECK int ledger_index_keys(struct ledger *l, struct p11ca_err *err);

/* Bytes in a row; NULL and 0 for SQL NULL. Borrowed on the way in; in rows given out, owned by the row. */
struct blob {
    const uint8_t *p;
    size_t len;
};

/* An authority's key and CA certificate, as recorded. */
struct ledger_authority {
    const char *name;
    const char *token_label, *token_serial; /* where the key was when recorded */
    const char *key_label;
    struct blob key_id;
    struct blob spki; /* SubjectPublicKeyInfo, DER */
    struct blob cert; /* NULL until installed */
    int64_t recorded_at;
};

/* Records the authority's key: reads all but cert and recorded_at. Refused when another key is recorded under the
 * name (AUTHORITY_HAS_KEY); recording the same SPKI again changes nothing. Event "key". */
P11CA_CHECK int ledger_put_authority(
    struct ledger *l, const struct ledger_authority *a, struct p11ca_err *err);

/* Records the CA certificate. Refused when another one is there (AUTHORITY_HAS_CERT); the same changes nothing.
 * Event "install". */
P11CA_CHECK int ledger_put_ca_cert(
    struct ledger *l, const char *authority, struct blob cert, struct p11ca_err *err);

/* *ret is NULL (and 0 returned) when there is none. Free with ledger_authority_free(). */
P11CA_CHECK int ledger_get_authority(
    struct ledger *l, const char *name, struct ledger_authority **ret, struct p11ca_err *err);
void ledger_authority_free(struct ledger_authority *a);

typedef int ledger_authority_fn(void *arg, const struct ledger_authority *a, struct p11ca_err *err);
P11CA_CHECK int ledger_each_authority(
    struct ledger *l, ledger_authority_fn *fn, void *arg, struct p11ca_err *err);

/* Name of the authority that has this SPKI: 1 found (ret_name filled), 0 not, -1 error. */
P11CA_CHECK int ledger_is_authority_key(struct ledger *l, const uint8_t spki_sha256[SHA256_LEN],
    char *ret_name, size_t size, struct p11ca_err *err);

/* RESERVED: a serial, no certificate yet. The order is the life of a certificate. */
enum ledger_status {
    LEDGER_RESERVED,
    LEDGER_ISSUED,
    LEDGER_SUPERSEDED,
    LEDGER_REVOKED,
};
const char *ledger_status_name(enum ledger_status s);
/* -1 when the word is none of them */
int ledger_status_from_name(const char *word);

struct ledger_cert {
    int64_t id;
    const char *authority; /* the issuer's name */
    struct blob serial;    /* INTEGER content octets, big endian, 8 to 20 */
    enum ledger_status status;
    const char *profile;
    const char *device;  /* device ID, NULL for none */
    const char *subject; /* RFC 4514 text */
    const char *sans;    /* "DNS:a, IP:192.0.2.1", NULL for none */
    const char *sig_alg; /* "ecdsa-with-SHA256" */
    struct blob spki_sha256;
    struct blob request_sha256; /* what was asked for: equal digests are the same order */
    struct blob tbs_sha256;     /* of the to-be-signed bytes */
    struct blob cert;           /* DER; NULL while reserved */
    struct blob cert_sha256;
    int64_t not_before, not_after;
    int64_t reserved_at, issued_at, published_at, revoked_at; /* 0: not yet */
    int64_t lot, supersedes;                                  /* 0: none */
    int64_t ticket;        /* row of the ticket it is counted on, 0: none */
    const char *ticket_id; /* that ticket's ID, NULL: none */
    int reason;            /* RFC 5280 CRLReason, -1 for none */
    const char *path;      /* where it was published last, NULL: nowhere */
    int64_t invalid_since; /* RFC 5280 5.3.2; 0: not known */
    const char
        *change; /* the event of its revocation, or of a hold taken back: "DETAIL, by OPERATOR"; NULL: none */
    /*
     * When it was taken over from another CA program; 0: it was not. Such a row has no request, may have a serial of 1
     * octet, and cert, sig_alg and the digests are NULL when only a line of an index is known.
     */
    int64_t imported_at;
};
void ledger_cert_free(struct ledger_cert *c);

/* One batch: what its certificates have in common. */
struct ledger_lot {
    const char *authority, *profile;
    const char *name;   /* what people call it, NULL for none */
    struct blob sha256; /* of the input, NULL when it is not known beforehand */
};

/* Records a lot; the same input for the same authority and profile is the same lot: a re-run goes on with it. */
P11CA_CHECK int ledger_put_lot(
    struct ledger *l, const struct ledger_lot *lot, int64_t *ret_id, struct p11ca_err *err);

/*
 * Takes a serial. Reads from row: authority, serial, profile, device, subject, sans, sig_alg, spki_sha256,
 * request_sha256, tbs_sha256, not_before, not_after, lot, supersedes, ticket. The authority, the
 * lot and the ticket must be recorded; with a ticket, its used is one more, in the same statement. The serial is a positive INTEGER in its shortest form, the digests have 32 octets.
 * Refused, code SERIAL_COLLISION, when the issuer has used the serial: draw another.
 */
P11CA_CHECK int ledger_reserve(
    struct ledger *l, const struct ledger_cert *row, int64_t *ret_id, struct p11ca_err *err);

/* A reserved row whose to-be-signed bytes were built anew with the same serial (validity moved on). */
P11CA_CHECK int ledger_rebuild(struct ledger *l, int64_t id, struct blob tbs_sha256, int64_t not_before,
    int64_t not_after, struct p11ca_err *err);

/*
 * The certificate for a reserved row; refused unless the row is reserved and its to-be-signed bytes are still these
 * (ROW_REBUILT: another process has taken the order over). Event "issue", whose digest is the certificate's, and which
 * names its ticket. The row it supersedes becomes superseded when it was issued.
 */
P11CA_CHECK int ledger_issue(
    struct ledger *l, int64_t id, struct blob tbs_sha256, struct blob cert, struct p11ca_err *err);

/* The same for a row of which nothing can have changed since this handle reserved or rebuilt it: ledger_others() is what it
 * was then. Reads id, authority, profile, serial, supersedes, ticket_id of it. */
P11CA_CHECK int ledger_issue_own(
    struct ledger *l, const struct ledger_cert *row, struct blob cert, struct p11ca_err *err);

/*
 * The file was published. Event only when the row had been published elsewhere before ("publish"). path NULL: as an answer,
 * or as one of many in a file; what was published before stays as it is.
 */
P11CA_CHECK int ledger_publish(struct ledger *l, int64_t id, const char *path, struct p11ca_err *err);
/* The same without a path, for n rows whose numbers follow one another from first on. */
P11CA_CHECK int ledger_publish_run(struct ledger *l, int64_t first, size_t n, struct p11ca_err *err);

/* *ret NULL (and 0) when there is none. Free with ledger_cert_free(). */
P11CA_CHECK int ledger_get_cert(
    struct ledger *l, int64_t id, struct ledger_cert **ret, struct p11ca_err *err);
/* Whether anything here, in whatever state, may have this key or device (NULL: no device): 1, 0 or -1. After 0 there is
 * nothing that the look-ups below would find, and no authority of this key. Costs a fifth of theirs. */
P11CA_CHECK int ledger_knows(
    struct ledger *l, const uint8_t spki_sha256[SHA256_LEN], const char *device, struct p11ca_err *err);
/* The order with this digest for this key. *ret NULL (and 0) when there is none; several: the newest. Free with
 * ledger_cert_free(). */
P11CA_CHECK int ledger_find_request(struct ledger *l, const char *authority,
    const uint8_t spki_sha256[SHA256_LEN], const uint8_t request_sha256[SHA256_LEN], struct ledger_cert **ret,
    struct p11ca_err *err);
/* Issued, not superseded or revoked, not expired by the handle's clock: what stands in the way of another one. */
P11CA_CHECK int ledger_find_device(struct ledger *l, const char *authority, const char *profile,
    const char *device, struct ledger_cert **ret, struct p11ca_err *err);
/* Ever issued for this key to a device of another ID ("" for no device). */
P11CA_CHECK int ledger_find_other_device(struct ledger *l, const uint8_t spki_sha256[SHA256_LEN],
    const char *device, struct ledger_cert **ret, struct p11ca_err *err);
/* An imported serial whose certificate was not at hand; of that end, or of one that was not known either. */
P11CA_CHECK int ledger_find_bare(struct ledger *l, const char *authority, struct blob serial,
    int64_t not_after, struct ledger_cert **ret, struct p11ca_err *err);
/* Revoked because this key is compromised, by whatever authority, or on hold, which may come to that: the former first. */
P11CA_CHECK int ledger_find_compromised(
    struct ledger *l, const uint8_t spki_sha256[SHA256_LEN], struct ledger_cert **ret, struct p11ca_err *err);
/* The newest that was issued to take this row's place. */
P11CA_CHECK int ledger_find_successor(
    struct ledger *l, int64_t row, struct ledger_cert **ret, struct p11ca_err *err);
/* serial: that of the certificate with this digest. */
P11CA_CHECK int ledger_find_cert(struct ledger *l, struct blob serial, const uint8_t cert_sha256[SHA256_LEN],
    struct ledger_cert **ret, struct p11ca_err *err);

/* Lots of this name, or with this digest (name NULL), and of the authority (NULL: of any); in the order of their ids. */
typedef int ledger_lot_fn(void *arg, int64_t id, const struct ledger_lot *lot, struct p11ca_err *err);
P11CA_CHECK int ledger_each_lot(
    struct ledger *l, const struct ledger_lot *like, ledger_lot_fn *fn, void *arg, struct p11ca_err *err);

/* Why, and since when, a certificate is not to be trusted any more. */
struct ledger_revocation {
    int reason;            /* CRLReason (RFC 5280 5.3.1), 0 to 10 but 7 and 8 */
    int64_t invalid_since; /* RFC 5280 5.3.2; 0: not known */
    const char *name;      /* the reason's name, for the event */
    const char *because;   /* what people say of it, for the event; NULL: nothing */
};
#define LEDGER_HOLD 6 /* certificateHold: the one reason that can be taken back, or become another */

/*
 * Revokes an issued or superseded certificate; event "revoke", with operator and detail. A hold may become a final reason:
 * the date stays that of the hold (X.509 8.5.2.2). 1: done; 0: it is revoked for this very reason already, nothing is changed;
 * -1, code NOT_ISSUED (reserved), REVOKED_OTHERWISE (another reason, or another date of invalidity), INVALID_SINCE (behind the hold), all P11CA_REFUSED.
 */
P11CA_CHECK int ledger_revoke(
    struct ledger *l, int64_t id, const struct ledger_revocation *r, struct p11ca_err *err);

/*
 * Takes a hold back: the row is again what it was, superseded when its device has another one by now. Event "unhold". 1; 0 it
 * was taken back before; -1, code NOT_ON_HOLD (P11CA_REFUSED).
 */
P11CA_CHECK int ledger_unhold(struct ledger *l, int64_t id, const char *because, struct p11ca_err *err);

/* Whether the certificate is revoked, or was on hold once: 1, 0 (also when there is none), -1 error. */
P11CA_CHECK int ledger_was_revoked(
    struct ledger *l, const char *authority, struct blob serial, struct p11ca_err *err);

/* Rows to list, in the order of their ids. Zero values mean: any. */
struct ledger_filter {
    const char *authority, *profile, *device;
    struct blob serial; /* of whatever authority */
    struct blob spki_sha256;
    const char *lot; /* name of the lot */
    int64_t lot_id;  /* its row */
    const char *subject,
        *sans;  /* text in them, without regard to the case of ASCII letters; reads every row */
    int status; /* enum ledger_status, or -1 for any */
    /* At or after, before; with neither of these indexes but that of issued_at, and that of not_after for LEDGER_ISSUED. */
    int64_t issued_after, issued_before, expires_after, expires_before;
    int64_t after_id; /* only rows behind this one: paging */
    int64_t limit;    /* at most so many */
};
#define LEDGER_ANY                                                                                           \
    {                                                                                                        \
        .status = -1                                                                                         \
    }

/* A callback that returns non-zero ends the walk with that value. */
typedef int ledger_cert_fn(void *arg, const struct ledger_cert *c, struct p11ca_err *err);
P11CA_CHECK int ledger_each_cert(
    struct ledger *l, const struct ledger_filter *f, ledger_cert_fn *fn, void *arg, struct p11ca_err *err);

/* A certificate that another CA program has issued, to be taken over; borrowed. What is not known: NULL, 0, -1. */
struct ledger_foreign {
    struct blob serial;  /* INTEGER content octets, 1 to 20 */
    const char *subject; /* RFC 4514 text, or as the program before wrote it; not NULL */
    const char *sans, *sig_alg;
    struct blob spki_sha256, tbs_sha256;
    struct blob cert; /* DER; none: a serial that can be revoked, no more */
    int64_t not_before, not_after;
    int64_t revoked_at;    /* 0: it is not revoked */
    int64_t invalid_since; /* RFC 5280 5.3.2 */
    int reason;            /* CRLReason, -1 */
};

/*
 * Takes rows over in the order given, as issued or revoked, of profile "imported", with one event "import" for all of
 * them, whose digest is over what identifies each row and its revocation. lot: row of a lot, or 0. Refused: a serial out
 * of bounds, SERIAL_COLLISION.
 */
P11CA_CHECK int ledger_import(struct ledger *l, const char *authority, const struct ledger_foreign *rows,
    size_t n, int64_t lot, struct p11ca_err *err);

/* What the ledger has under a serial. */
struct ledger_known {
    int64_t id;
    enum ledger_status status;
    bool imported, has_cert;
    int reason;                      /* of its revocation, -1: none */
    uint8_t cert_sha256[SHA256_LEN]; /* with has_cert */
};
/* 1 found, 0 the authority has no such serial, -1 error. */
P11CA_CHECK int ledger_find_known(struct ledger *l, const char *authority, struct blob serial,
    struct ledger_known *ret, struct p11ca_err *err);

/* An imported row that the program before has revoked since: status, time, reason; event "revoke". Refused unless it is
 * imported and not revoked. */
P11CA_CHECK int ledger_import_revoked(
    struct ledger *l, int64_t id, const struct ledger_foreign *row, struct p11ca_err *err);

/*
 * The number of the last CRL that the program before has signed, its thisUpdate (0: not known) and the CRL's SHA-256
 * (NULL: not at hand): the next CRL lies behind them. Event "import-crl". 1 done, 0 the ledger was that far already.
 */
P11CA_CHECK int ledger_import_crl(struct ledger *l, const char *authority, int64_t number,
    int64_t this_update, const uint8_t *sha256, struct p11ca_err *err);

/* A CRL (RFC 5280 5) as it was signed. */
struct ledger_crl {
    const char *authority;
    int64_t number; /* from 1, without gaps, over all CRLs of the authority */
    int64_t base;   /* of a delta CRL: the number of the complete one it builds on; 0: it is complete */
    int64_t this_update, next_update;
    struct blob sha256;
    struct blob der;
    int64_t upto;        /* event: revocations up to this one are in it */
    int64_t part, parts; /* it covers part (from 1) of so many; 0: all certificates */
    int64_t slot;        /* from 1: signed ahead of its time, as one of several; 0: not */
    int64_t released_at; /* of a slot; 0: not yet */
};
void ledger_crl_free(struct ledger_crl *crl);

/* Which CRLs stand in one line: complete and delta ones of a part follow each other in time. */
struct ledger_scope {
    const char *authority;
    int64_t part; /* 0: all certificates */
};

/* What the next CRL of a scope must be. */
struct ledger_crl_next {
    int64_t number; /* its number */
    int64_t
        last; /* thisUpdate of the last one that was handed out, complete or delta: it must lie behind; 0: none */
    int64_t last_upto;       /* that one's upto */
    int64_t last_complete;   /* thisUpdate of the last complete one; 0: none */
    int64_t base, base_upto; /* that one's number and upto */
    int64_t event;           /* the last event that changed a revocation */
};
P11CA_CHECK int ledger_next_crl(
    struct ledger *l, const struct ledger_scope *scope, struct ledger_crl_next *ret, struct p11ca_err *err);

/*
 * Records a CRL: reads all but sha256 and released_at. Refused unless its number is exactly the next (CRL_NUMBER: another
 * process was faster), and its thisUpdate lies behind that of the last one of its scope (CRL_TIME). Event "crl", whose digest is the CRL's. CRLs are never changed or
 * taken back.
 */
P11CA_CHECK int ledger_put_crl(struct ledger *l, const struct ledger_crl *crl, struct p11ca_err *err);

/* The latest of the scope that was handed out, complete or delta as said; *ret is NULL (and 0 returned) when there is none. Free with
 * ledger_crl_free(). */
P11CA_CHECK int ledger_get_crl(struct ledger *l, const struct ledger_scope *scope, bool delta,
    struct ledger_crl **ret, struct p11ca_err *err);

/* All, by authority and number; borrowed. A callback that returns non-zero ends the walk with that value. */
typedef int ledger_crl_fn(void *arg, const struct ledger_crl *crl, struct p11ca_err *err);
P11CA_CHECK int ledger_each_crl(
    struct ledger *l, const char *authority, ledger_crl_fn *fn, void *arg, struct p11ca_err *err);

/*
 * Says into how many parts (0: one list for all) the CRLs fall that an authority's certificates name. It stays what it was when
 * the first was issued: -1, P11CA_CONFIG, CRL_PARTITIONS when it was another number. Recorded when it is not 0, event "crl-parts",
 * in a transaction of its own.
 */
P11CA_CHECK int ledger_fix_crl_parts(
    struct ledger *l, const char *authority, int64_t parts, struct p11ca_err *err);

/* Slots of a scope that can still be released: behind all that was handed out, and not ended by now. */
struct ledger_slots {
    int64_t n;
    int64_t first; /* thisUpdate of the next one; 0: there is none */
    int64_t until; /* nextUpdate of the last one */
    int64_t upto;  /* event: revocations up to this one are in all of them */
};
P11CA_CHECK int ledger_get_slots(struct ledger *l, const struct ledger_scope *scope, int64_t now,
    struct ledger_slots *ret, struct p11ca_err *err);

/* Of those the latest whose thisUpdate has come; *ret is NULL (and 0 returned) when there is none. Free with
 * ledger_crl_free(). */
P11CA_CHECK int ledger_due_slot(struct ledger *l, const struct ledger_scope *scope, int64_t now,
    struct ledger_crl **ret, struct p11ca_err *err);

/* The slot was handed out; event "release". */
P11CA_CHECK int ledger_release_crl(struct ledger *l, const struct ledger_crl *crl, struct p11ca_err *err);

/* A revoked certificate, borrowed for the time of the callback. */
struct ledger_revoked {
    struct blob serial;
    int64_t revoked_at;
    int64_t invalid_since; /* RFC 5280 5.3.2; 0: not known */
    int reason;            /* CRLReason, -1 for none; 8, removeFromCRL: a hold that was taken back */
    int64_t changed;       /* event, 0: not known */
};
typedef int ledger_revoked_fn(void *arg, const struct ledger_revoked *row, struct p11ca_err *err);

/*
 * The authority's revoked certificates, but those that ended before since, in ascending order of their serials. With the last
 * complete CRL's thisUpdate for since, each stays until it has been on one complete CRL after its end (RFC 5280 3.3). A
 * callback that returns non-zero ends the walk with that value.
 */
P11CA_CHECK int ledger_each_revoked(struct ledger *l, const char *authority, int64_t since,
    ledger_revoked_fn *fn, void *arg, struct p11ca_err *err);

/* The same of what changed behind an event, with the holds that were taken back (RFC 5280 5.2.4). */
P11CA_CHECK int ledger_each_change(struct ledger *l, const char *authority, int64_t event,
    ledger_revoked_fn *fn, void *arg, struct p11ca_err *err);

/* A lot ticket: what was signed, and what was counted on it. */
struct ledger_ticket {
    int64_t row;
    const char *id, *authority; /* the authority that may issue on it */
    struct blob sha256;         /* of text */
    struct blob text, cms;      /* the signed text, the signature beside it */
    int64_t max, used, recorded_at;
};

/* How many may still be counted on the ticket with this text: 1 found, 0 none is recorded, -1 error. */
P11CA_CHECK int ledger_find_ticket(struct ledger *l, const uint8_t sha256[SHA256_LEN], int64_t *ret_row,
    int64_t *ret_left, struct p11ca_err *err);

/*
 * Refuses (P11CA_REFUSED, TICKET_CHANGED) a text under an ID that the authority has another text for: a ticket signed
 * anew would count from nothing again.
 */
P11CA_CHECK int ledger_check_ticket(struct ledger *l, const char *authority, const char *id,
    const uint8_t sha256[SHA256_LEN], struct p11ca_err *err);

/* Records a ticket, unused: reads id, authority, text, cms, max. Refused like ledger_check_ticket(). Event "ticket",
 * whose digest is the text's. */
P11CA_CHECK int ledger_put_ticket(
    struct ledger *l, const struct ledger_ticket *t, int64_t *ret_row, struct p11ca_err *err);

/* In the order in which they were recorded; a callback that returns non-zero ends the walk with that value. */
typedef int ledger_ticket_fn(void *arg, const struct ledger_ticket *t, struct p11ca_err *err);
P11CA_CHECK int ledger_each_ticket(struct ledger *l, ledger_ticket_fn *fn, void *arg, struct p11ca_err *err);

/*
 * Events: append-only (triggers refuse UPDATE and DELETE), each with the hash of the one before.
 * kind is one word: init key install issue publish reject alarm fail revoke unhold crl release config ceremony destroy
 * lint-skip ticket import import-crl key-exception ocsp crl-parts.
 * Operator (user name of the real uid) and host are added here.
 */
struct ledger_event {
    int64_t seq, time;
    const char *kind, *operator_, *host;
    const char *authority, *profile, *detail; /* may be NULL */
    struct blob serial;                       /* may be NULL */
    struct blob digest; /* SHA-256 of what it is about (certificate, key, configuration); may be NULL */
    struct blob hash;   /* of this event and all before it */
};
/* Reads kind, authority, profile, serial, detail, digest. */
P11CA_CHECK int ledger_event(struct ledger *l, const struct ledger_event *e, struct p11ca_err *err);

typedef int ledger_event_fn(void *arg, const struct ledger_event *e, struct p11ca_err *err);
P11CA_CHECK int ledger_each_event(struct ledger *l, ledger_event_fn *fn, void *arg, struct p11ca_err *err);

/* Final hash of the last ceremony that ended in this home, and of the last event: 1 found, 0 there is none, -1 error. */
P11CA_CHECK int ledger_last_ceremony(struct ledger *l, uint8_t ret[SHA256_LEN], struct p11ca_err *err);
P11CA_CHECK int ledger_head(struct ledger *l, uint8_t ret[SHA256_LEN], struct p11ca_err *err);

/* Whether a ceremony was begun in this home whose event ends with these words: 1, 0, -1 error. */
P11CA_CHECK int ledger_ceremony_begun(struct ledger *l, const char *words, struct p11ca_err *err);

/* Whether an event says that the key with this SubjectPublicKeyInfo was destroyed: 1, 0, -1 error. */
P11CA_CHECK int ledger_key_destroyed(
    struct ledger *l, const uint8_t spki_sha256[SHA256_LEN], struct p11ca_err *err);

/* The configuration's digest; an event "config" with it when it is not the one recorded last. */
P11CA_CHECK int ledger_note_config(struct ledger *l, const uint8_t sha256[SHA256_LEN], struct p11ca_err *err);

/* Why a key that breaks the policy is used: an event "key-exception" unless the last one for this key says the same. */
P11CA_CHECK int ledger_note_exception(struct ledger *l, const char *authority,
    const uint8_t spki_sha256[SHA256_LEN], const char *reason, struct p11ca_err *err);

/*
 * What the database itself can say: SQLite's integrity and foreign keys, the hash chain of events, serials unique,
 * an "issue" event for every certificate and one for every revocation, states that fit their columns, CRLs in the order of
 * their numbers and times, as many certificates on a ticket as were counted. finding() is called once for each fault,
 * with one line of text.
 */
typedef void ledger_finding_fn(void *arg, const char *text);
P11CA_CHECK int ledger_check(struct ledger *l, ledger_finding_fn *finding, void *arg, struct p11ca_err *err);

#endif
