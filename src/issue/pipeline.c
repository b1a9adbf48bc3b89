#include "issue/pipeline.h"

#include <string.h>

#include "base/pool.h"
#include "issue/publish.h"
#include "x509/lint.h"

/* A serial that is taken is drawn again; a third time the generator is broken. */
#define SERIAL_TRIES 3

static int take_row(struct job *job, const struct job_ctx *ctx, const struct ledger_cert *c)
{
    job->row = c->id;
    if (c->status == LEDGER_RESERVED) {
        job->outcome = P11CA_FINISHED;
        job->state = JOB_RESERVED;
        return job_build(job, ctx, c->serial);
    }
    job->outcome = c->published_at ? P11CA_REUSED : P11CA_FINISHED;
    job->state = JOB_ISSUED;
    job->plan.serial_len = c->serial.len;
    memcpy(job->plan.serial, c->serial.p, c->serial.len);
    buf_reset(&job->cert);
    buf_add(&job->cert, c->cert.p, c->cert.len);
    return 0;
}

/*
 * A finished order that comes again: with a device ID it is the same device, and with the certificate in its place the
 * run was killed at the very end. Otherwise it is a new order, a renewal.
 */
static bool is_same_again(const struct job *job, const struct ledger_cert *c)
{
    if (job->device[0] || job->in.profile->is_ca)
        return true;
    return job->in.output && publish_is(job->in.output, DER_OF(c->cert.p, c->cert.len));
}

static int look_request(struct ledger *l, struct job *job, const struct job_ctx *ctx, bool *ret_found)
{
    AUTO_LEDGER_CERT c = NULL;

    *ret_found = false;
    if (ledger_find_request(l, ctx->authority->name, job->request_sha256, &c, &job->err) != 0)
        return -1;
    if (!c || c->status > LEDGER_ISSUED)
        return 0;
    if (c->published_at && !is_same_again(job, c))
        return 0;
    /* What has expired is of no use to anybody: the same words are a new order. */
    if (c->status == LEDGER_ISSUED && c->not_after <= ctx->now)
        return 0;
    *ret_found = true;
    return take_row(job, ctx, c);
}

static int look_device(struct ledger *l, struct job *job, const struct job_ctx *ctx)
{
    AUTO_LEDGER_CERT c = NULL;

    if (!job->device[0])
        return 0;
    if (ledger_find_device(l, ctx->authority->name, job->in.profile->name, job->device, &c, &job->err) != 0)
        return -1;
    if (!c)
        return 0;
    return err_set(&job->err, P11CA_REFUSED, "DEVICE_ISSUED",
        "device '%s': profile '%s' was issued to it before, with another key or other names", job->device,
        job->in.profile->name);
}

static int look_key(struct ledger *l, struct job *job)
{
    AUTO_LEDGER_CERT c = NULL;
    char ca[65];
    int rc;

    if (job->in.profile->is_ca)
        return 0;
    rc = ledger_is_authority_key(l, job->spki_sha256, ca, sizeof(ca), &job->err);
    if (rc == 1)
        return err_set(
            &job->err, P11CA_REFUSED, "KEY_IS_CA", "public key: it is the key of authority '%s'", ca);
    if (rc != 0 || ledger_find_other_device(l, job->spki_sha256, job->device, &c, &job->err) != 0)
        return -1;
    if (c)
        return err_set(
            &job->err, P11CA_REFUSED, "DUP_KEY_LEDGER", "public key: device '%s' has it already", c->device);
    return 0;
}

int pipeline_look(struct ledger *l, struct job *job, const struct job_ctx *ctx)
{
    bool found = false;

    job->state = JOB_NEW;
    job->row = 0;
    job->reserved = false;
    if (look_request(l, job, ctx, &found) != 0)
        return job_fail(job);
    /* A reservation gives no right: since then the device or the key may have got a certificate. */
    if (found && job->state == JOB_ISSUED)
        return 0;
    if (look_device(l, job, ctx) != 0 || look_key(l, job) != 0 ||
        (job->state == JOB_NEW && lot_ticket_left(l, ctx->ticket, &job->err) != 0))
        return job_fail(job);
    return 0;
}

static struct ledger_cert row_of(const struct job *job, const struct job_ctx *ctx)
{
    const struct sigalg *alg = ctx->issuer ? ctx->issuer->alg : sigalg_for_key(&job->spki);

    return (struct ledger_cert){
        .authority = ctx->authority->name,
        .serial = {job->plan.serial, job->plan.serial_len},
        .profile = job->in.profile->name,
        .device = job->device[0] ? job->device : NULL,
        .subject = (const char *)job->subject_text.p,
        .sans = job->sans.n ? (const char *)job->sans_text.p : NULL,
        .sig_alg = alg->text,
        .spki_sha256 = {job->spki_sha256, SHA256_LEN},
        .request_sha256 = {job->request_sha256, SHA256_LEN},
        .tbs_sha256 = {job->tbs_sha256, SHA256_LEN},
        .not_before = job->plan.not_before,
        .not_after = job->plan.not_after,
    };
}

/* What the profile does not want asked of this certificate, for whoever reads the ledger. */
static int note_skips(struct ledger *l, struct job *job, const struct job_ctx *ctx)
{
    const struct profile *p = job->in.profile;
    size_t i;

    for (i = 0; i < p->n_skips; i++) {
        char detail[LINT_SKIP_TEXT];
        const struct ledger_event e = {
            .kind = "lint-skip",
            .authority = ctx->authority->name,
            .profile = p->name,
            .serial = {job->plan.serial, job->plan.serial_len},
            .detail = lint_skip_text(&p->skips[i], detail),
        };

        if (ledger_event(l, &e, &job->err) != 0)
            return job_fail(job);
    }
    return 0;
}

static int take_serial(struct ledger *l, struct job *job, const struct job_ctx *ctx)
{
    struct ledger_cert row;
    int tries;

    for (tries = 0; tries < SERIAL_TRIES; tries++) {
        row = row_of(job, ctx);
        if (lot_ticket_take(l, ctx->ticket, ctx->now, &row.ticket, &job->err) != 0)
            return job_fail(job);
        if (ledger_reserve(l, &row, &job->row, &job->err) == 0) {
            job->outcome = P11CA_NEW;
            job->state = JOB_RESERVED;
            job->reserved = true;
            return note_skips(l, job, ctx);
        }
        if (strcmp(job->err.code, "SERIAL_COLLISION") != 0)
            return job_fail(job);
        if (job_build(job, ctx, (struct blob){NULL, 0}) != 0)
            return -1;
    }
    err_set(&job->err, P11CA_BUG, "SERIAL_COLLISION",
        "%d serials drawn were all in use: the random generator is broken", SERIAL_TRIES);
    return job_fail(job);
}

/* What the row says must be what will be signed: the validity of an interrupted order has moved on. */
static int rebuild_row(struct ledger *l, struct job *job)
{
    if (ledger_rebuild(l, job->row, (struct blob){job->tbs_sha256, SHA256_LEN}, job->plan.not_before,
            job->plan.not_after, &job->err) != 0)
        return job_fail(job);
    return 0;
}

/* Within one group the ledger cannot tell: the first of two has only a serial yet. */
static int refuse_twin(struct job *const *jobs, size_t i)
{
    struct job *job = jobs[i];
    size_t k;

    for (k = 0; k < i; k++) {
        if (jobs[k]->state == JOB_FAILED)
            continue;
        if (job->device[0] && strcmp(jobs[k]->device, job->device) == 0) {
            err_set(&job->err, P11CA_REFUSED, "DUP_DEVICE", "device '%s': twice in this lot", job->device);
            return job_fail(job);
        }
        if (memcmp(jobs[k]->spki_sha256, job->spki_sha256, SHA256_LEN) == 0) {
            err_set(&job->err, P11CA_REFUSED, "DUP_KEY", "public key: twice in this lot");
            return job_fail(job);
        }
    }
    return 0;
}

static int reserve_one(struct ledger *l, struct job *job, const struct job_ctx *ctx)
{
    /* Looked at again under the lock: another process may have been here since. */
    if (pipeline_look(l, job, ctx) != 0)
        return -1;
    if (job->state == JOB_ISSUED)
        return 0;
    job->reserved = job->state == JOB_RESERVED;
    return job->reserved ? rebuild_row(l, job) : take_serial(l, job, ctx);
}

int pipeline_reserve(
    struct ledger *l, struct job *const *jobs, size_t n, const struct job_ctx *ctx, struct p11ca_err *err)
{
    size_t i;

    if (ledger_begin(l, err) != 0)
        return -1;
    for (i = 0; i < n; i++) {
        if (jobs[i]->state == JOB_FAILED || refuse_twin(jobs, i) != 0)
            continue;
        if (reserve_one(l, jobs[i], ctx) != 0 && jobs[i]->err.kind == P11CA_LEDGER) {
            *err = jobs[i]->err;
            ledger_rollback(l);
            return -1;
        }
    }
    return ledger_commit(l, err);
}

struct signing {
    struct job *const *jobs;
    const struct job_ctx *ctx;
    const struct authority *authority;
    const struct sigalg *alg;
    EVP_PKEY *pub;
};

/* Parsed anew, with the very bytes that were linted, and good under the issuer's certificate. */
static int check_signed(struct job *job, const struct signing *s)
{
    AUTO_CERT cert = CERT_INIT;

    if (cert_read(job->cert.p, job->cert.len, &cert, &job->err) != 0)
        return -1;
    if (!der_equal(cert.tbs, der_buf(&job->tbs)))
        return err_set(
            &job->err, P11CA_TOKEN, "TBS_CHANGED", "the signed bytes are not those that were linted");
    if (cert_verify(&cert, s->pub, s->alg, &job->err) != 0) {
        job->err.kind = P11CA_TOKEN;
        return err_prefix(
            &job->err, "token '%s': key '%s'", s->authority->token->binding->name, s->authority->conf->key);
    }
    return 0;
}

static void sign_one(void *arg, size_t i)
{
    const struct signing *s = arg;
    struct job *job = s->jobs[i];
    AUTO_BUF sig = BUF_INIT;

    if (job->state != JOB_RESERVED)
        return;
    if (sigalg_sign(signer_get0_pkey(s->authority->signer), s->alg, der_buf(&job->tbs), &sig, &job->err) !=
        0) {
        signer_explain(s->authority->signer, &job->err);
        job_fail(job);
        return;
    }
    buf_reset(&job->cert);
    cert_assemble(der_buf(&job->tbs), s->alg, der_buf(&sig), &job->cert);
    if (!buf_ok(&job->cert)) {
        err_nomem(&job->err);
        job_fail(job);
    } else if (check_signed(job, s) != 0) {
        job_fail(job);
    } else {
        job->state = JOB_SIGNED;
    }
}

void pipeline_sign(
    struct job *const *jobs, size_t n, const struct job_ctx *ctx, const struct authority *a, unsigned threads)
{
    struct signing s = {.jobs = jobs, .ctx = ctx, .authority = a, .alg = sigalg_for_key(&a->spki)};
    EVP_PKEY *own = NULL;
    struct p11ca_err err;
    size_t i;

    if (ctx->issuer) {
        s.pub = ctx->issuer->pub;
    } else if (spki_evp1(&a->spki, &own, &err) == 0) {
        s.pub = own;
    } else {
        for (i = 0; i < n; i++)
            jobs[i]->err = err, job_fail(jobs[i]);
        return;
    }
    pool_run(threads, n, sign_one, &s);
    EVP_PKEY_free(own);
}

/* A serial whose certificate could not be made stays reserved; the event says why. */
static int note_failure(
    struct ledger *l, const struct job *job, const struct job_ctx *ctx, struct p11ca_err *err)
{
    const struct ledger_event e = {
        .kind = "fail",
        .authority = ctx->authority->name,
        .profile = job->in.profile->name,
        .serial = {job->plan.serial, job->plan.serial_len},
        .detail = job->err.msg,
    };

    return ledger_event(l, &e, err);
}

/* Under the lock once more: while this was being signed, another process may have served the device or the key. */
static int look_again(struct ledger *l, struct job *job, const struct job_ctx *ctx)
{
    return look_device(l, job, ctx) == 0 && look_key(l, job) == 0 ? 0 : job_fail(job);
}

/* One row that another process took over must not take the others with it: these refusals have written nothing. */
static int issue_row(struct ledger *l, struct job *job, struct p11ca_err *err)
{
    const struct blob tbs = {job->tbs_sha256, SHA256_LEN}, cert = {job->cert.p, job->cert.len};

    if (ledger_issue(l, job->row, tbs, cert, &job->err) == 0)
        return 0;
    if (strcmp(job->err.code, "NOT_RESERVED") == 0 || strcmp(job->err.code, "ROW_REBUILT") == 0) {
        (void)job_fail(job);
        return 0;
    }
    *err = job->err;
    return -1;
}

static int commit_one(struct ledger *l, struct job *job, const struct job_ctx *ctx, struct p11ca_err *err)
{
    if (job->state == JOB_SIGNED && look_again(l, job, ctx) == 0 && issue_row(l, job, err) != 0)
        return -1;
    return job->state == JOB_FAILED && job->reserved ? note_failure(l, job, ctx, err) : 0;
}

int pipeline_commit(
    struct ledger *l, struct job *const *jobs, size_t n, const struct job_ctx *ctx, struct p11ca_err *err)
{
    size_t i;

    if (ledger_begin(l, err) != 0)
        return -1;
    for (i = 0; i < n; i++) {
        if (commit_one(l, jobs[i], ctx, err) != 0) {
            ledger_rollback(l);
            return -1;
        }
    }
    if (ledger_commit(l, err) != 0)
        return -1;
    for (i = 0; i < n; i++) {
        if (jobs[i]->state == JOB_SIGNED)
            jobs[i]->state = JOB_ISSUED;
    }
    return 0;
}
