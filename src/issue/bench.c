/* How fast token, machine and p11ca are, in one run: the definitions are in p11ca/issue.h. */
#include <p11ca/issue.h>

#include <pthread.h>
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

#define MEASURE       0.5 /* seconds for S, and for V of two kinds of key; twice */
#define BENCH_SECONDS 3.0 /* of issuing, when no number is given */

SCOPE_DEFINE(pkey, EVP_PKEY *, EVP_PKEY_free)

/* What a device hands over: one or the other is issued from. */
struct device {
    char id[24];
    struct buf csr, pubkey;
};

struct bench {
    struct job_ctx ctx;
    const struct profile *profile;
    struct authority authority;
    struct ledger *ledger;
    unsigned jobs;
    struct device *devices;
    bool of_keys; /* no requests, and no proof of possession */
    size_t n, next, issued;
    atomic_bool failed;
};

/* As many devices, each with its own key: made before the clock runs. */
static void make_device(void *arg, size_t i)
{
    struct bench *b = arg;
    struct device *d = &b->devices[i];
    SCOPED(pkey) EVP_PKEY *key = NULL;
    AUTO_BUF subject = BUF_INIT;
    struct p11ca_err err;
    struct spki spki;
    char dn[64];

    snprintf(d->id, sizeof(d->id), "bench-%07zu", i);
    snprintf(dn, sizeof(dn), "CN=%s", d->id);
    if (key_new(KEY_P256, 0, &key, &err) != 0 || spki_of_key(key, &spki, &err) != 0 ||
        name_from_text(dn, &subject, &err) != 0 ||
        csr_make(key, der_buf(&subject), &spki, &d->csr, &err) != 0) {
        b->failed = true;
        return;
    }
    buf_add(&d->pubkey, spki.der, spki.len);
    if (!buf_ok(&d->pubkey))
        b->failed = true;
}

/* One kind of key, verified by several threads at once: what each of them does. */
struct verifier {
    const struct spki *spki;
    struct der text, sig;
    double rate; /* of all together */
    pthread_mutex_t lock;
    bool failed;
};

static void verify_for_a_while(void *arg, size_t i)
{
    struct verifier *v = arg;
    SCOPED(pkey) EVP_PKEY *pub = NULL;
    struct p11ca_err err;
    double start, now;
    unsigned long n = 0;
    bool good = spki_evp1(v->spki, &pub, &err) == 0;

    (void)i;
    for (start = now = clock_seconds(); good && now - start < MEASURE / 2; now = clock_seconds(), n++)
        good = sigalg_verify(pub, sigalg_for_key(v->spki), v->text, v->sig, &err) == 0;
    pthread_mutex_lock(&v->lock);
    if (good)
        v->rate += (double)n / (now - start);
    else
        v->failed = true;
    pthread_mutex_unlock(&v->lock);
}

static int verify_rate(
    const struct spki *spki, EVP_PKEY *priv, unsigned threads, double *ret, struct p11ca_err *err)
{
    struct verifier v = {.spki = spki, .text = DER_OF((const uint8_t *)"to be signed", 12)};
    AUTO_BUF sig = BUF_INIT;

    if (sigalg_sign(priv, sigalg_for_key(spki), v.text, &sig, err) != 0)
        return -1;
    v.sig = der_buf(&sig);
    pthread_mutex_init(&v.lock, NULL);
    pool_run(threads, threads, verify_for_a_while, &v);
    pthread_mutex_destroy(&v.lock);
    *ret = v.rate;
    return v.failed ? err_set(err, P11CA_BUG, "BENCH", "verifying a signature failed") : 0;
}

/* Of two rates: what they are when each does half of the work. */
static double mean(double a, double b)
{
    return 2 / (1 / a + 1 / b);
}

/* One verification is of the request (P-256 here), the other of the issuer's signature. */
static int measure_verify(
    struct bench *b, EVP_PKEY *leaf, unsigned threads, double *ret, struct p11ca_err *err)
{
    struct spki spki;
    double request, issuer;

    if (spki_of_key(leaf, &spki, err) != 0 || verify_rate(&spki, leaf, threads, &request, err) != 0 ||
        verify_rate(&b->authority.spki, signer_get0_pkey(b->authority.signer), threads, &issuer, err) != 0)
        return -1;
    *ret = mean(request, issuer);
    return 0;
}

/* S, V and V of all cores. */
static int measure(struct bench *b, struct p11ca_bench *ret, struct p11ca_err *err)
{
    SCOPED(pkey) EVP_PKEY *leaf = NULL;

    if (doctor_sign_rate(&b->authority.key, MEASURE, &ret->sign, err) != 0 ||
        key_new(KEY_P256, 0, &leaf, err) != 0 || measure_verify(b, leaf, 1, &ret->verify, err) != 0 ||
        measure_verify(b, leaf, ret->cores, &ret->verify_all, err) != 0)
        return -1;
    ret->limit = ret->cores / (1 / ret->sign + 2 / ret->verify);
    return 0;
}

/* Many a machine is quicker or slower from one second to the next: what it was before and after the issuing counts. */
static int measure_again(struct bench *b, struct p11ca_bench *ret, struct p11ca_err *err)
{
    struct p11ca_bench after = *ret;

    if (measure(b, &after, err) != 0)
        return -1;
    ret->sign = mean(ret->sign, after.sign);
    ret->verify = mean(ret->verify, after.verify);
    ret->verify_all = mean(ret->verify_all, after.verify_all);
    ret->limit = mean(ret->limit, after.limit);
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
    const struct device *d = &b->devices[row->in.index];
    struct job_input in = {.profile = b->profile, .device = d->id, .throwaway = true};

    *(b->of_keys ? &in.pubkey : &in.csr) = der_buf(b->of_keys ? &d->pubkey : &d->csr);
    if (job_prepare(&row->job, &in, &row->ctx) != 0)
        row->fatal = true;
}

static void done(void *arg, struct flow_row *row, const struct p11ca_err *why)
{
    struct bench *b = arg;

    (void)why;
    b->issued += row->job.state == JOB_ISSUED;
}

static int issue_all(struct bench *b, double *ret_rate, unsigned *ret_jobs, struct p11ca_err *err)
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

    b->next = b->issued = 0;
    if (flow_open(&flow, &order, err) != 0)
        return -1;
    start = clock_seconds();
    rc = flow_run(flow, err);
    *ret_rate = (double)b->n / (clock_seconds() - start);
    *ret_jobs = flow_workers(flow);
    flow_close(flow);
    if (rc == 0 && b->issued != b->n)
        rc = err_set(err, P11CA_BUG, "BENCH", "want %zu certificates, have %zu", b->n, b->issued);
    return rc;
}

/* A ledger like the real one, on the same file system, thrown away afterwards. */
static int with_ledger(struct bench *b, double *ret_rate, unsigned *ret_jobs, struct p11ca_err *err)
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
        rc = issue_all(b, ret_rate, ret_jobs, err);
    ledger_close(l);
    l = NULL;
    file_remove_tree(dir);
    return rc;
}

/* Each in a ledger of its own: they are the same devices and keys. */
static int issue_both(struct bench *b, struct p11ca_bench *ret, struct p11ca_err *err)
{
    if (with_ledger(b, &ret->issue, &ret->jobs, err) != 0 || measure_again(b, ret, err) != 0)
        return -1;
    b->of_keys = true;
    return with_ledger(b, &ret->issue_keys, &ret->jobs, err);
}

static int run(struct bench *b, size_t n, struct p11ca_bench *ret, struct p11ca_err *err)
{
    size_t i;
    int rc;

    if (measure(b, ret, err) != 0)
        return -1;
    b->n = n ? n : (size_t)(ret->limit * BENCH_SECONDS) + FLOW_ROWS;
    b->devices = calloc(b->n, sizeof(*b->devices));
    if (!b->devices)
        return err_nomem(err);
    pool_run(ret->cores, b->n, make_device, b);
    rc = b->failed ? err_set(err, P11CA_BUG, "BENCH", "making requests failed") : issue_both(b, ret, err);
    ret->issued = b->n;
    for (i = 0; i < b->n; i++) {
        buf_done(&b->devices[i].csr);
        buf_done(&b->devices[i].pubkey);
    }
    free(b->devices);
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
