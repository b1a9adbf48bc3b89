/*
 * The order of effects, for one certificate:
 *
 *   pipeline_reserve   look-ups, refusals, a serial                                in a transaction
 *   pipeline_sign      sign, assemble, parse again, compare, verify as the issuer's in any thread
 *   pipeline_record    the certificate, or why there is none                        in a transaction
 *
 * A certificate exists for others once the transaction it was recorded in is durable: then, and not before, its state is
 * JOB_ISSUED, and the file may be published. A job that fails is marked and passed over by what follows; the functions
 * themselves fail only when nothing can go on (the ledger).
 */
#ifndef ISSUE_PIPELINE_H
#define ISSUE_PIPELINE_H

#include <stdatomic.h>

#include "issue/job.h"

/* Refusals by what the ledger knows, without taking a serial: before the token is touched. Sets job->outcome, state
 * JOB_RESERVED or JOB_ISSUED (with the certificate) when an order like this one is there already. */
P11CA_CHECK int pipeline_look(struct ledger *l, struct job *job, const struct job_ctx *ctx);

P11CA_CHECK int pipeline_reserve(
    struct ledger *l, struct job *job, const struct job_ctx *ctx, struct p11ca_err *err);
P11CA_CHECK int pipeline_record(
    struct ledger *l, struct job *job, const struct job_ctx *ctx, struct p11ca_err *err);

/* Each in a transaction of its own; a recorded one is JOB_ISSUED. */
P11CA_CHECK int pipeline_reserve_alone(
    struct ledger *l, struct job *job, const struct job_ctx *ctx, struct p11ca_err *err);
P11CA_CHECK int pipeline_record_alone(
    struct ledger *l, struct job *job, const struct job_ctx *ctx, struct p11ca_err *err);

/* Who signs, and what the signatures are verified with. Borrows the authority and the issuer. */
struct pipeline_signer {
    const struct authority *authority;
    const struct sigalg *alg;
    const struct spki *spki;
    EVP_PKEY *pub;
    atomic_size_t n;       /* signatures verified, or known to come */
    atomic_bool has_tried; /* to make a table */
    struct p256_table *_Atomic table;
};

/* issuer NULL: the key signs its own certificate. expected: so many signatures will be asked for; 0: nobody knows. */
P11CA_CHECK int pipeline_signer(struct pipeline_signer *ret, const struct authority *a,
    const struct issuer *issuer, size_t expected, struct p11ca_err *err);
void pipeline_signer_done(struct pipeline_signer *s);

/* The token's part: fills job->sig. Afterwards the state is what it was, or JOB_FAILED. */
void pipeline_sign(struct job *job, const struct pipeline_signer *s);

/* Ours, of up to PIPELINE_RUN: assembled, parsed anew, with the very bytes that were linted, and good under the issuer's
 * certificate: JOB_SIGNED, or JOB_FAILED. In any thread. */
#define PIPELINE_RUN 16
void pipeline_verify(struct job *const *jobs, size_t n, struct pipeline_signer *s);

#endif
