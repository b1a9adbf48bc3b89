/*
 * An authority's CRL. The order of effects, each of which may be the last thing the machine does:
 *
 *   number, to-be-signed bytes, lint   from the ledger; refusals end here, before the token is touched
 *   approve                            people look at the exact bytes
 *   sign                               re-read, compared, verified under the CA certificate
 *   commit                             one durable transaction that asks for the number again
 *   publish                            the PEM file
 *
 * Killed before the commit, nothing has happened: nobody has seen the signature. Killed after it, the same order at the
 * same time publishes what the ledger has, and signs nothing.
 */
#ifndef ISSUE_CRL_H
#define ISSUE_CRL_H

#include <p11ca/revoke.h>

#include "base/hash.h"
#include "issue/hooks.h"
#include "issue/home.h"

/* A list that lies ready in the ledger. */
typedef void crl_slot_fn(
    void *arg, int64_t number, int64_t this_update, int64_t next_update, const uint8_t sha256[SHA256_LEN]);

#define CRL_SLOTS 366 /* one for each day of a year */

struct crl_order {
    unsigned days, hours; /* together from 1 hour: nextUpdate lies so far behind thisUpdate */
    bool delta;           /* to the last complete one */
    unsigned partition;   /* only what this one tells of, from 1; 0: all */
    const char *output;
    bool der;   /* not PEM */
    bool force; /* replace output */
    unsigned slots,
        every; /* so many more are signed ahead, each thisUpdate that many days behind the one before */
    crl_slot_fn *told; /* is told each of them, when all are in the ledger; NULL: nobody */
    void *arg;
    const struct signing_hooks *hooks; /* at is thisUpdate; NULL: the home's clock, and nobody is asked */
};

/*
 * Signed ahead: the same entries, each with its own number and times. They are in no file before p11ca_crl_release() hands
 * them out; whoever had one could show it instead of a later one. All of them and the list of now are recorded in one
 * transaction. CRL_SLOTS (P11CA_USAGE): too many, too far apart to follow each other, or deltas.
 *
 * Signs and publishes the next CRL (RFC 5280 5) of an authority of this home. An order for the very time of the latest CRL is
 * taken for the same order; by the clock, only while nothing was revoked since, and else a second is waited for. Codes: CRL_DAYS (P11CA_USAGE), NO_CA_CERT (P11CA_CONFIG), CRL_TIME (the
 * clock lies before the last CRL), CRL_NUMBER (another process was faster; both P11CA_LEDGER), the lint's CRL_*
 * (P11CA_REFUSED), OUTPUT_EXISTS (P11CA_FILE); what a token says is P11CA_TOKEN or P11CA_LOGIN.
 */
P11CA_CHECK int crl_issue(const struct p11ca_home *home, const char *authority, const struct crl_order *order,
    struct p11ca_crl *ret, struct p11ca_err *err);

#endif
