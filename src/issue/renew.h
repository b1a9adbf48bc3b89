/* A certificate takes the place of one that is named: what the pipeline asks about the old one. */
#ifndef ISSUE_RENEW_H
#define ISSUE_RENEW_H

#include "ledger/ledger.h"
#include "x509/serial.h"
#include "x509/spki.h"

/* The old certificate. */
struct renewal {
    int64_t row;
    uint8_t serial[SERIAL_LEN];
    size_t serial_len;
    const char *subject, *sans; /* as the ledger has them; sans NULL: none */
    struct spki spki;
};

struct job;
struct job_ctx;

/*
 * Whether the old one may still be replaced: issued, not superseded, revoked or expired. To be asked again under the lock. Codes
 * RENEW_STATUS, RENEW_EXPIRED (P11CA_REFUSED).
 */
P11CA_CHECK int renew_check_row(
    struct ledger *l, const struct renewal *old, int64_t now, struct p11ca_err *err);

/* Whether what was prepared has the old one's names, and a key it may have; 0 without a renewal. Fails the job: RENEW_NAMES,
 * RENEW_SAME_KEY. */
P11CA_CHECK int renew_check_job(struct job *job, const struct job_ctx *ctx);

#endif
