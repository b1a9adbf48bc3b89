/* How fast token, machine and p11ca are, in one run: the definitions are in p11ca/issue.h. */
#include <p11ca/issue.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/path.h"
#include "base/pool.h"
#include "issue/flow.h"
#include "token/doctor.h"
#include "x509/key.h"
#include "x509/name.h"

#define MEASURE       1.0 /* seconds for S and for V */
#define BENCH_SECONDS 3.0 /* of issuing, when no number is given */

SCOPE_DEFINE(pkey, EVP_PKEY *, EVP_PKEY_free)

struct bench {
    struct job_ctx ctx;
    const struct profile *profile;
    struct authority authority;
    struct ledger *ledger;
    unsigned jobs;
    struct buf *csrs;
    size_t n, next, issued;
    atomic_bool failed;
};

/* Requests of as many devices, each with its own key: made before the clock runs. */
static void make_csr(void *arg, size_t i)
{
    struct bench *b = arg;
    SCOPED(pkey) EVP_PKEY *key = NULL;
    AUTO_BUF subject = BUF_INIT;
    struct p11ca_err err;
    struct spki spki;
    char dn[64];

    snprintf(dn, sizeof(dn), "CN=bench-%07zu", i);
    if (key_new(KEY_P256, 0, &key, &err) != 0 || spki_of_key(key, &spki, &err) != 0 ||
        name_from_text(dn, &subject, &err) != 0 ||
        csr_make(key, der_buf(&subject), &spki, &b->csrs[i], &err) != 0)
        b->failed = true;
}

static int verify_rate(const struct spki *spki, EVP_PKEY *priv, double *ret, struct p11ca_err *err)
{
    const struct sigalg *alg = sigalg_for_key(spki);
    const struct der text = DER_OF((const uint8_t *)"to be signed", 12);
    SCOPED(pkey) EVP_PKEY *pub = NULL;
    AUTO_BUF sig = BUF_INIT;
    double start, now;
    unsigned long n = 0;

    if (sigalg_sign(priv, alg, text, &sig, err) != 0 || spki_evp1(spki, &pub, err) != 0)
        return -1;
    for (start = now = clock_seconds(); now - start < MEASURE / 2; now = clock_seconds(), n++) {
        if (sigalg_verify(pub, alg, text, der_buf(&sig), err) != 0)
            return -1;
    }
    *ret = (double)n / (now - start);
    return 0;
}

/* One verification is of the request (P-256 here), the other of the issuer's signature: V is their harmonic mean. */
static int measure(struct bench *b, struct p11ca_bench *ret, struct p11ca_err *err)
{
    SCOPED(pkey) EVP_PKEY *leaf = NULL;
    struct spki leaf_spki;
    double request, issuer;

    if (doctor_sign_rate(&b->authority.key, MEASURE, &ret->sign, err) != 0 ||
        key_new(KEY_P256, 0, &leaf, err) != 0 || spki_of_key(leaf, &leaf_spki, err) != 0 ||
        verify_rate(&leaf_spki, leaf, &request, err) != 0 ||
        verify_rate(&b->authority.spki, signer_get0_pkey(b->authority.signer), &issuer, err) != 0)
        return -1;
    ret->verify = 2 / (1 / request + 1 / issuer);
    ret->limit = ret->cores / (1 / ret->sign + 2 / ret->verify);
    return 0;
}

static int next(void *arg, struct flow_row *row, struct p11ca_err *err)
{
    struct bench *b = arg;

    (void)err;
    if (b->next == b->n)
        return 0;
    row->in.index = b->next++;
    return 1;
}

static void prepare(void *arg, struct flow_row *row)
{
    struct bench *b = arg;
    const struct job_input in = {
        .profile = b->profile, .csr = der_buf(&b->csrs[row->in.index]), .throwaway = true};

    if (job_prepare(&row->job, &in, &row->ctx) != 0)
        row->fatal = true;
}

static void done(void *arg, struct flow_row *row, const struct p11ca_err *why)
{
    struct bench *b = arg;

    (void)why;
    b->issued += row->job.state == JOB_ISSUED;
}

static int issue_all(struct bench *b, double *ret_rate, struct p11ca_err *err)
{
    static const struct flow_source source = {.next = next, .prepare = prepare, .done = done};
    const struct flow_order order = {
        .source = &source,
        .arg = b,
        .ctx = b->ctx,
        .ledger = b->ledger,
        .authority = &b->authority,
        .expected = b->n,
        .jobs = b->jobs,
    };
    struct flow *flow;
    double start;
    int rc;

    if (flow_open(&flow, &order, err) != 0)
        return -1;
    start = clock_seconds();
    rc = flow_run(flow, err);
    *ret_rate = (double)b->n / (clock_seconds() - start);
    b->jobs = flow_workers(flow);
    flow_close(flow);
    if (rc == 0 && b->issued != b->n)
        rc = err_set(err, P11CA_BUG, "BENCH", "want %zu certificates, have %zu", b->n, b->issued);
    return rc;
}

/* A ledger like the real one, on the same file system, thrown away afterwards. */
static int with_ledger(struct bench *b, struct p11ca_bench *ret, struct p11ca_err *err)
{
    AUTO_STR dir = path_join(b->ctx.home->dir, "bench.XXXXXX");
    AUTO_STR path = NULL;
    AUTO_LEDGER l = NULL;
    int rc = -1;

    if (!dir)
        return err_nomem(err);
    if (file_mkdtemp(dir, err) != 0)
        return -1;
    path = path_join(dir, "ledger.db");
    if (path && ledger_open(path, LEDGER_CREATE, b->ctx.now, &l, err) == 0) {
        ledger_authority_free(b->authority.record);
        b->authority.record = NULL;
        b->ledger = l;
        rc = authority_record(&b->authority, l, err);
    }
    if (rc == 0)
        rc = issue_all(b, &ret->issue, err);
    ledger_close(l);
    l = NULL;
    file_remove_tree(dir);
    return rc;
}

static int run(struct bench *b, size_t n, struct p11ca_bench *ret, struct p11ca_err *err)
{
    size_t i;
    int rc;

    if (measure(b, ret, err) != 0)
        return -1;
    b->n = n ? n : (size_t)(ret->limit * BENCH_SECONDS) + FLOW_ROWS;
    b->csrs = calloc(b->n, sizeof(*b->csrs));
    if (!b->csrs)
        return err_nomem(err);
    pool_run(ret->cores, b->n, make_csr, b);
    rc = b->failed ? err_set(err, P11CA_BUG, "BENCH", "making requests failed") : with_ledger(b, ret, err);
    ret->issued = b->n;
    ret->jobs = b->jobs;
    for (i = 0; i < b->n; i++)
        buf_done(&b->csrs[i]);
    free(b->csrs);
    return rc;
}

int p11ca_bench(struct p11ca_home *home, const char *authority, size_t n, unsigned jobs,
    struct p11ca_bench *ret, struct p11ca_err *err)
{
    struct bench b = {.ctx = {.home = home, .now = home_now(home)}};
    AUTO_ISSUER issuer = NULL;
    AUTO_LEDGER l = NULL;
    int rc;

    if (home_authority(home, authority, &b.ctx.authority, err) != 0 || home_ledger_read(home, &l, err) != 0 ||
        authority_open(&b.authority, home, l, b.ctx.authority, err) != 0)
        return -1;
    memset(ret, 0, sizeof(*ret));
    ret->cores = pool_cores();
    b.jobs = jobs;
    rc = authority_profile(home, b.ctx.authority, "device", &b.profile, err);
    if (rc == 0)
        rc = authority_need_issuer(home, l, b.ctx.authority, &issuer, err);
    b.ctx.issuer = issuer;
    if (rc == 0)
        rc = run(&b, n, ret, err);
    authority_done(&b.authority);
    return rc;
}
