/*
 * One certificate on its way: what was asked for, the plan made of it, and how far it has come.
 *
 * A job goes through the phases of issue/pipeline.h; in the parallel ones a worker touches only its own job.
 */
#ifndef ISSUE_JOB_H
#define ISSUE_JOB_H

#include <p11ca/issue.h>

#include "issue/authority.h"
#include "issue/renew.h"
#include "issue/ticket.h"
#include "x509/cert.h"
#include "x509/csr.h"

/* Everything is borrowed. */
struct job_input {
    const struct profile *profile;
    struct der csr;          /* PEM or DER bytes; or */
    struct der pubkey;       /* PEM or DER bytes; or */
    const struct spki *spki; /* a key at hand */
    const char *device, *subject;
    struct der subject_der;      /* a Name to take byte for byte, instead of subject; p NULL: none */
    const struct san_list *sans; /* NULL: those of the request */
    const struct p11ca_field *fields;
    size_t n_fields;
    unsigned days;
    bool verified;      /* the request's signature: these very bytes were read before */
    bool throwaway;     /* for measuring: valid in the first second of the issuer's life, and never again */
    const char *output; /* where it will be published; NULL: whatever is there does not matter */
};

enum job_state {
    JOB_NEW,      /* nothing in the ledger */
    JOB_RESERVED, /* row has the serial */
    JOB_SIGNED,   /* cert holds a verified certificate the ledger does not have yet */
    JOB_ISSUED,   /* the ledger has it */
    JOB_FAILED,   /* err says why */
};

struct job {
    struct job_input in;
    enum job_state state;
    enum p11ca_outcome outcome;
    struct p11ca_err err;

    char device[65]; /* empty: none */
    struct buf subject, subject_text, sans_text, notes, exts;
    struct spki spki;
    struct san_list sans;
    struct cert_plan plan;
    struct buf tbs;
    uint8_t spki_sha256[SHA256_LEN], request_sha256[SHA256_LEN], tbs_sha256[SHA256_LEN];

    int64_t row, supersedes; /* of the ledger; 0: none */
    int64_t planned; /* what the row that was reserved before supersedes, which cannot change any more */
    bool reserved;   /* this run holds the row: its failure is an event */
    uint64_t others; /* ledger_others() when it was reserved */
    struct buf sig;  /* as it came from the token */
    struct buf cert; /* DER */
};

/* What the jobs of one run share. Borrowed. */
struct job_ctx {
    const struct p11ca_home *home;
    const struct authority_conf *authority;
    const struct issuer *issuer;     /* NULL: the key signs its own certificate */
    const struct lot_ticket *ticket; /* NULL: none is wanted */
    int64_t now;
    int64_t lot;                   /* row of the ledger, 0: none */
    const struct renewal *renewal; /* the one certificate that it takes the place of; NULL: none is named */
    bool reissue; /* a new certificate may take the place of the device's or key's other one */
};

#define AUTO_JOB __attribute__((cleanup(job_done))) struct job

/*
 * Reads the input, checks it, draws a serial, builds the to-be-signed bytes and lints them. No token, no ledger.
 * Fills job->err and the state JOB_FAILED when refused.
 */
P11CA_CHECK int job_prepare(struct job *job, const struct job_input *in, const struct job_ctx *ctx);

/* Builds and lints again: with the serial of a reserved row, or a freshly drawn one (serial.p NULL). */
P11CA_CHECK int job_build(struct job *job, const struct job_ctx *ctx, struct blob serial);

/* Takes a job that was prepared to another place. */
void job_move(struct job *to, struct job *from);

/* Marks the job failed; returns -1. */
int job_fail(struct job *job);

void job_done(struct job *job);

#endif
