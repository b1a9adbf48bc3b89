/*
 * The order of effects, for one certificate or a thousand:
 *
 *   pipeline_reserve   one durable transaction: look-ups, refusals, serials
 *   pipeline_sign      in parallel: sign, assemble, parse again, compare, verify with the issuer's key
 *   pipeline_commit    one durable transaction: the certificates, and the failures
 *
 * Publishing files comes after, and is the caller's. A job that fails is marked and passed over by what follows; the
 * functions themselves fail only when nothing can go on (the ledger).
 */
#ifndef ISSUE_PIPELINE_H
#define ISSUE_PIPELINE_H

#include "issue/job.h"

/* Refusals by what the ledger knows, without taking a serial: before the token is touched. Sets job->outcome, state
 * JOB_RESERVED or JOB_ISSUED (with the certificate) when an order like this one is there already. */
P11CA_CHECK int pipeline_look(struct ledger *l, struct job *job, const struct job_ctx *ctx);

P11CA_CHECK int pipeline_reserve(
    struct ledger *l, struct job *const *jobs, size_t n, const struct job_ctx *ctx, struct p11ca_err *err);

void pipeline_sign(struct job *const *jobs, size_t n, const struct job_ctx *ctx, const struct authority *a,
    unsigned threads);

P11CA_CHECK int pipeline_commit(
    struct ledger *l, struct job *const *jobs, size_t n, const struct job_ctx *ctx, struct p11ca_err *err);

#endif
