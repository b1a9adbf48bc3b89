#include "issue/pipeline.h"

#include <string.h>

#include "base/text.h"
#include "issue/publish.h"
#include "issue/renew.h"
#include "x509/lint.h"
#include "x509/p256_table.h"

/* A serial that is taken is drawn again; a third time the generator is broken. */
#define SERIAL_TRIES 3

/* Verifications after which a table has saved the time it takes to make. */
#define TABLE_FROM 1000

static int take_row(struct job *job, const struct job_ctx *ctx, const struct ledger_cert *c)
{
    job->row = c->id;
    job->planned = c->supersedes;
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
 * run was killed at the very end; so it is with an answer that is asked for again. Otherwise it is a new order, a renewal.
 */
static bool is_same_again(const struct job *job, const struct job_ctx *ctx, const struct ledger_cert *c)
{
    if (job->device[0] || job->in.profile->is_ca || ctx->renewal)
        return true;
    if (!job->in.output)
        return !c->path;
    return c->path && publish_is(job->in.output, DER_OF(c->cert.p, c->cert.len));
}

static int look_request(struct ledger *l, struct job *job, const struct job_ctx *ctx, bool *ret_found)
{
    AUTO_LEDGER_CERT c = NULL;

    *ret_found = false;
    if (ledger_find_request(l, ctx->authority->name, job->spki_sha256, job->request_sha256, &c, &job->err) !=
        0)
        return -1;
    if (!c || c->status > LEDGER_ISSUED)
        return 0;
    if (c->published_at && !is_same_again(job, ctx, c))
        return 0;
    /* What has expired is of no use to anybody: the same words are a new order. */
    if (c->status == LEDGER_ISSUED && c->not_after <= ctx->now)
        return 0;
    *ret_found = true;
    return take_row(job, ctx, c);
}

/* Only when that is asked for, and one for one. What was revoked does not come back under another name. */
static bool may_replace(struct job *job, const struct job_ctx *ctx, const struct ledger_cert *c)
{
    if (!ctx->reissue || c->status == LEDGER_REVOKED || (job->supersedes && job->supersedes != c->id))
        return false;
    if (c->status == LEDGER_ISSUED)
        job->supersedes = c->id;
    return true;
}

static int look_device(struct ledger *l, struct job *job, const struct job_ctx *ctx)
{
    AUTO_LEDGER_CERT c = NULL;

    if (!job->device[0])
        return 0;
    if (ledger_find_device(l, ctx->authority->name, job->in.profile->name, job->device, &c, &job->err) != 0)
        return -1;
    if (!c || may_replace(job, ctx, c))
        return 0;
    return err_set(&job->err, P11CA_REFUSED, "DEVICE_ISSUED",
        "device '%s': profile '%s' was issued to it before, with another key or other names", job->device,
        job->in.profile->name);
}

/* A responder of this authority has a key of its own, and a certificate like other end entities. */
static bool is_own_responder(const struct job *job, const struct job_ctx *ctx, const char *name)
{
    const struct authority_conf *a;
    struct p11ca_err ignored;

    return home_authority(ctx->home, name, &a, &ignored) == 0 && authority_is_responder(a) &&
           strcmp(a->issuer, ctx->authority->name) == 0 &&
           strcmp(a->profile->name, job->in.profile->name) == 0;
}

/* Whoever has the key would have the next certificate, too. */
static int look_compromised(struct ledger *l, struct job *job)
{
    AUTO_LEDGER_CERT c = NULL;
    char serial[2 * SERIAL_LEN + 1] = "";

    if (ledger_find_compromised(l, job->spki_sha256, &c, &job->err) != 0)
        return -1;
    if (!c)
        return 0;
    if (c->serial.len <= SERIAL_LEN)
        text_hex(c->serial.p, c->serial.len, serial);
    if (c->reason == LEDGER_HOLD)
        return err_set(&job->err, P11CA_REFUSED, "KEY_ON_HOLD",
            "public key: want one that is not on hold, have that of serial %s of authority '%s'", serial,
            c->authority);
    return err_set(&job->err, P11CA_REFUSED, "KEY_COMPROMISED",
        "public key: BR 6.1.1.3: want one that is not known to be compromised, have that of serial %s, "
        "revoked by authority '%s' for this reason",
        serial, c->authority);
}

static int look_key(struct ledger *l, struct job *job, const struct job_ctx *ctx)
{
    AUTO_LEDGER_CERT c = NULL;
    char ca[65];
    int rc;

    if (look_compromised(l, job) != 0)
        return -1;
    if (job->in.profile->is_ca)
        return 0;
    rc = ledger_is_authority_key(l, job->spki_sha256, ca, sizeof(ca), &job->err);
    if (rc == 1 && is_own_responder(job, ctx, ca))
        rc = 0;
    if (rc == 1)
        return err_set(
            &job->err, P11CA_REFUSED, "KEY_IS_CA", "public key: it is the key of authority '%s'", ca);
    if (rc != 0 || ledger_find_other_device(l, job->spki_sha256, job->device, &c, &job->err) != 0)
        return -1;
    if (c && !may_replace(job, ctx, c))
        return err_set(
            &job->err, P11CA_REFUSED, "DUP_KEY_LEDGER", "public key: device '%s' has it already", c->device);
    return 0;
}

/* Before the others: what is named is what is replaced, and nothing else. */
static int look_renewal(struct ledger *l, struct job *job, const struct job_ctx *ctx)
{
    if (!ctx->renewal)
        return 0;
    if (renew_check_row(l, ctx->renewal, ctx->now, &job->err) != 0)
        return -1;
    job->supersedes = ctx->renewal->row;
    return 0;
}

/* A reserved row keeps what it supersedes. If that is another certificate by now, the row is left, and a new one taken. */
static int replan(struct job *job, const struct job_ctx *ctx)
{
    if (job->state != JOB_RESERVED || job->supersedes == job->planned)
        return 0;
    job->state = JOB_NEW;
    job->row = 0;
    return job_build(job, ctx, (struct blob){NULL, 0});
}

/* What the ledger has of the request, the device and the key. */
static int look_all(struct ledger *l, struct job *job, const struct job_ctx *ctx)
{
    bool found = false;

    if (look_request(l, job, ctx, &found) != 0)
        return -1;
    /* A reservation gives no right: since then the device or the key may have got a certificate. */
    if (found && job->state == JOB_ISSUED)
        return 0;
    if (look_renewal(l, job, ctx) != 0 || look_device(l, job, ctx) != 0 || look_key(l, job, ctx) != 0)
        return -1;
    return replan(job, ctx);
}

int pipeline_look(struct ledger *l, struct job *job, const struct job_ctx *ctx)
{
    int known = 1;

    job->state = JOB_NEW;
    job->row = job->supersedes = 0;
    job->reserved = false;
    /* Most of a lot's devices are new. A renewal names what it replaces. */
    if (!ctx->renewal)
        known = ledger_knows(l, job->spki_sha256, job->device[0] ? job->device : NULL, &job->err);
    if (known < 0 || (known && look_all(l, job, ctx) != 0) ||
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
        .lot = ctx->lot,
        .supersedes = job->supersedes,
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

static int reserve_one(struct ledger *l, struct job *job, const struct job_ctx *ctx)
{
    /* Looked at again under the lock: another process may have been here since. */
    if (pipeline_look(l, job, ctx) != 0)
        return -1;
    job->others = ledger_others(l);
    if (job->state == JOB_ISSUED)
        return 0;
    job->reserved = job->state == JOB_RESERVED;
    return job->reserved ? rebuild_row(l, job) : take_serial(l, job, ctx);
}

int pipeline_reserve(struct ledger *l, struct job *job, const struct job_ctx *ctx, struct p11ca_err *err)
{
    if (job->state == JOB_FAILED || reserve_one(l, job, ctx) == 0 || job->err.kind != P11CA_LEDGER)
        return 0;
    *err = job->err;
    return -1;
}

int pipeline_signer(struct pipeline_signer *ret, const struct authority *a, const struct issuer *issuer,
    size_t expected, struct p11ca_err *err)
{
    EVP_PKEY *pub;

    if (issuer) {
        pub = issuer->pub;
        EVP_PKEY_up_ref(pub);
    } else if (spki_evp1(&a->spki, &pub, err) != 0) {
        return -1;
    }
    memset(ret, 0, sizeof(*ret));
    ret->authority = a;
    ret->alg = sigalg_for_key(&a->spki);
    ret->spki = issuer ? &issuer->spki : &a->spki;
    ret->pub = pub;
    ret->n = expected;
    return 0;
}

void pipeline_signer_done(struct pipeline_signer *s)
{
    p256_table_free(s->table);
    EVP_PKEY_free(s->pub);
    memset(s, 0, sizeof(*s));
}

void pipeline_sign(struct job *job, const struct pipeline_signer *s)
{
    if (job->state != JOB_RESERVED)
        return;
    buf_reset(&job->sig);
    if (sigalg_sign(
            signer_get0_pkey(s->authority->signer), s->alg, der_buf(&job->tbs), &job->sig, &job->err) == 0)
        return;
    signer_explain(s->authority->signer, &job->err);
    (void)job_fail(job);
}

/* Parsed anew, it says what was linted and has the signature that was made. */
static int check_form(struct job *job, const struct pipeline_signer *s)
{
    AUTO_CERT cert = CERT_INIT;

    if (cert_read(job->cert.p, job->cert.len, &cert, &job->err) != 0)
        return -1;
    if (der_equal(cert.tbs, der_buf(&job->tbs)) && der_equal(cert.sig, der_buf(&job->sig)) &&
        cert.alg == s->alg)
        return 0;
    return err_set(&job->err, P11CA_TOKEN, "TBS_CHANGED", "the signed bytes are not those that were linted");
}

static int assemble(struct job *job, const struct pipeline_signer *s)
{
    buf_reset(&job->cert);
    cert_assemble(der_buf(&job->tbs), s->alg, der_buf(&job->sig), &job->cert);
    return buf_ok(&job->cert) ? check_form(job, s) : err_nomem(&job->err);
}

static int check_signature(struct job *job, const struct pipeline_signer *s)
{
    if (sigalg_verify(s->pub, s->alg, der_buf(&job->tbs), der_buf(&job->sig), &job->err) == 0)
        return 0;
    job->err.kind = P11CA_TOKEN;
    err_prefix(&job->err, "certificate");
    return err_prefix(
        &job->err, "token '%s': key '%s'", s->authority->token->binding->name, s->authority->conf->key);
}

/* Once there are so many that it saves time; NULL before, and for keys of other kinds. */
static const struct p256_table *table(struct pipeline_signer *s, size_t n)
{
    struct p256_table *t = atomic_load(&s->table);
    struct p11ca_err ignored;

    if (t || s->spki->kind != KEY_P256 || atomic_fetch_add(&s->n, n) < TABLE_FROM ||
        atomic_exchange(&s->has_tried, true))
        return t;
    if (p256_table_new(s->spki, &t, &ignored) != 0)
        return NULL;
    atomic_store(&s->table, t);
    return t;
}

/* Those that the table finds good are. The others are asked for one by one, for the words. */
static void verify_quickly(struct job *const *jobs, size_t n, const struct p256_table *t)
{
    struct p256_signature v[PIPELINE_RUN];
    struct p11ca_err ignored;
    size_t i;

    for (i = 0; i < n; i++) {
        if (hash_sha256(jobs[i]->tbs.p, jobs[i]->tbs.len, v[i].sha256) != 0)
            return;
        v[i].sig = der_buf(&jobs[i]->sig);
    }
    if (p256_table_verify(t, v, n, &ignored) != 0)
        return;
    for (i = 0; i < n; i++) {
        if (v[i].good)
            jobs[i]->state = JOB_SIGNED;
    }
}

void pipeline_verify(struct job *const *jobs, size_t n, struct pipeline_signer *s)
{
    const struct p256_table *t = n ? table(s, n) : NULL;
    struct job *left[PIPELINE_RUN];
    size_t i, n_left = 0;

    for (i = 0; i < n; i++) {
        if (jobs[i]->state != JOB_RESERVED)
            continue;
        if (assemble(jobs[i], s) == 0)
            left[n_left++] = jobs[i];
        else
            (void)job_fail(jobs[i]);
    }
    if (t)
        verify_quickly(left, n_left, t);
    for (i = 0; i < n_left; i++) {
        if (left[i]->state == JOB_RESERVED)
            left[i]->state = check_signature(left[i], s) == 0 ? JOB_SIGNED : JOB_FAILED;
    }
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
    int64_t planned = job->supersedes;

    if (job->others == ledger_others(l))
        return 0;
    if (look_renewal(l, job, ctx) != 0 || look_device(l, job, ctx) != 0 || look_key(l, job, ctx) != 0)
        return job_fail(job);
    if (job->supersedes == planned)
        return 0;
    err_set(&job->err, P11CA_REFUSED, "DEVICE_ISSUED",
        "device '%s': another process has served it, or its key, meanwhile; give the order again",
        job->device);
    return job_fail(job);
}

/* One row that another process took over must not take the others with it: these refusals have written nothing. */
static int issue_row(struct ledger *l, struct job *job, const struct job_ctx *ctx, struct p11ca_err *err)
{
    const struct blob tbs = {job->tbs_sha256, SHA256_LEN}, cert = {job->cert.p, job->cert.len};
    const struct ledger_cert row = {.id = job->row,
        .authority = ctx->authority->name,
        .profile = job->in.profile->name,
        .serial = {job->plan.serial, job->plan.serial_len},
        .tbs_sha256 = tbs,
        .supersedes = job->supersedes,
        .ticket_id = ctx->ticket ? ctx->ticket->t.id : NULL};
    /* A finished one may supersede what is not known here. */
    bool own = job->others == ledger_others(l) && job->outcome == P11CA_NEW;

    if ((own ? ledger_issue_own(l, &row, cert, &job->err)
             : ledger_issue(l, job->row, tbs, cert, &job->err)) == 0)
        return 0;
    if (strcmp(job->err.code, "NOT_RESERVED") == 0 || strcmp(job->err.code, "ROW_REBUILT") == 0) {
        (void)job_fail(job);
        return 0;
    }
    *err = job->err;
    return -1;
}

int pipeline_record(struct ledger *l, struct job *job, const struct job_ctx *ctx, struct p11ca_err *err)
{
    if (job->state == JOB_SIGNED && look_again(l, job, ctx) == 0 && issue_row(l, job, ctx, err) != 0)
        return -1;
    return job->state == JOB_FAILED && job->reserved ? note_failure(l, job, ctx, err) : 0;
}

typedef int phase_fn(struct ledger *l, struct job *job, const struct job_ctx *ctx, struct p11ca_err *err);

static int alone(
    struct ledger *l, phase_fn *phase, struct job *job, const struct job_ctx *ctx, struct p11ca_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    if (phase(l, job, ctx, err) != 0) {
        ledger_rollback(l);
        return -1;
    }
    return ledger_commit(l, err);
}

int pipeline_reserve_alone(
    struct ledger *l, struct job *job, const struct job_ctx *ctx, struct p11ca_err *err)
{
    return alone(l, pipeline_reserve, job, ctx, err);
}

int pipeline_record_alone(struct ledger *l, struct job *job, const struct job_ctx *ctx, struct p11ca_err *err)
{
    if (alone(l, pipeline_record, job, ctx, err) != 0)
        return -1;
    if (job->state == JOB_SIGNED)
        job->state = JOB_ISSUED;
    return 0;
}
