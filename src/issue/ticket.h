/*
 * Lot tickets in use. Order of calls:
 *
 *   lot_ticket_open    before anything: read, its signature, signer, issuer, profile, times
 *   lot_ticket_fits    of each certificate, before the token: its profile, its device
 *   lot_ticket_left    before the token, and again under the lock: not spent
 *   lot_ticket_take    in the transaction that takes a new serial; the ledger counts
 *
 * What is found in the ledger again - issued, or reserved by a run that was killed - has been counted: it takes nothing.
 * A const ticket may be shared between threads.
 */
#ifndef ISSUE_TICKET_H
#define ISSUE_TICKET_H

#include "issue/home.h"
#include "issue/ticket_text.h"
#include "x509/spki.h"

struct lot_ticket {
    struct ticket t;
    uint8_t sha256[SHA256_LEN]; /* of text */
    struct buf text, cms;
};

/* What an order says of tickets. */
struct ticket_demand {
    const struct authority_conf *authority; /* that issues */
    const struct profile *profile;
    const char *path; /* of the text, its signature is PATH.p7s; NULL: none was given */
    int64_t now;
};

/*
 * *ret is filled (0 and text.p set), or left empty when none was given and none is wanted: the authority has no
 * ticket-from, or the profile is a CA's. P11CA_REFUSED with TICKET_MISSING, TICKET_SYNTAX, TICKET_SIGNATURE,
 * TICKET_FOREIGN, TICKET_PROFILE, TICKET_NOT_YET, TICKET_EXPIRED, TICKET_CHANGED.
 */
P11CA_CHECK int lot_ticket_open(struct lot_ticket *ret, const struct p11ca_home *home, struct ledger *l,
    const struct ticket_demand *d, struct p11ca_err *err);
void lot_ticket_done(struct lot_ticket *t);

/* The ticket (NULL: none) is for certificates of this profile, and this device ("": none). TICKET_PROFILE, TICKET_ID. */
P11CA_CHECK int lot_ticket_fits(
    const struct lot_ticket *t, const struct profile *profile, const char *device, struct p11ca_err *err);

/* One more may be counted on it. TICKET_SPENT. */
P11CA_CHECK int lot_ticket_left(struct ledger *l, const struct lot_ticket *t, struct p11ca_err *err);

/*
 * Row of the ticket for ledger_reserve(), which counts; 0 for no ticket (NULL). Inside the transaction: what was looked
 * at before is looked at again, and the first one records the ticket. TICKET_SPENT, TICKET_EXPIRED, TICKET_CHANGED.
 */
P11CA_CHECK int lot_ticket_take(
    struct ledger *l, const struct lot_ticket *t, int64_t now, int64_t *ret_row, struct p11ca_err *err);

/* --- signing them */

struct signing_hooks;

struct ticket_signed {
    bool again;                      /* both files were there, whole and right: nothing was signed */
    char sha256[2 * SHA256_LEN + 1]; /* of the text */
    struct spki signer;
};

/*
 * Signs the text with the key of the authority, as CMS (RFC 5652) beside it: writes output and output.p7s. hooks are
 * shown the text. What a killed run has left of this very ticket is taken over; anything else in its place is refused
 * (OUTPUT_EXISTS).
 */
P11CA_CHECK int lot_ticket_sign(const struct p11ca_home *home, const char *authority, const struct ticket *t,
    const char *output, const struct signing_hooks *hooks, struct ticket_signed *ret, struct p11ca_err *err);

/* "FILE.p7s"; the caller's, NULL when out of memory. */
char *ticket_signature_path(const char *path);

#endif
