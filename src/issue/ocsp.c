/* OCSP responses made beforehand, a file each. The order of effects is that of the ledger's other signatures. */
#include "issue/ocsp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/file_batch.h"
#include "base/pool.h"
#include "base/text.h"
#include "issue/authority.h"

#define HOUR      3600
#define HOURS     168  /* a week: a fortnight's holiday must not outlast two of them */
#define HOURS_MAX 9600 /* 400 days: more than a responder's certificate has */

/* What one event of the ledger stands for, and one batch of files. */
#define SET FILE_BATCH

/* One response on its way. */
struct response {
    struct ocsp_plan plan;
    struct buf tbs, sig, der;
    struct p11ca_err err;
    bool failed;
};

struct making {
    struct p11ca_home *home;
    const struct p11ca_ocsp_order *order;
    const struct authority_conf *ca_conf, *signer_conf;
    struct ledger *ledger;
    struct issuer *ca;
    struct ocsp_signer *signer;
    struct ocsp_targets targets;
    int64_t now, next;
    const struct authority *open; /* the signer's key, once it is */
    struct response set[SET];
    size_t n;
    struct file_batch files;
    struct p11ca_ocsp_made made;
    int lock;
};

static void set_reset(struct making *m)
{
    for (; m->n; m->n--) {
        struct response *r = &m->set[m->n - 1];

        buf_done(&r->tbs);
        buf_done(&r->sig);
        buf_done(&r->der);
        memset(r, 0, sizeof(*r));
    }
}

static void making_free(struct making *m)
{
    if (!m)
        return;
    set_reset(m);
    file_batch_done(&m->files);
    ocsp_targets_done(&m->targets);
    ocsp_signer_free(m->signer);
    issuer_free(m->ca);
    ledger_close(m->ledger);
    scope_fd(&m->lock);
    free(m);
}

/* --- who is asked, who signs --- */

static int check_order(const struct p11ca_ocsp_order *o, struct p11ca_err *err)
{
    if (o->by_ca && o->signer)
        return err_set(err, P11CA_USAGE, "USAGE", "want --signer or --by-ca, not both");
    if (o->hours <= HOURS_MAX)
        return 0;
    return err_set(err, P11CA_USAGE, "OCSP_HOURS",
        "OCSP: nextUpdate: want 1 to %d hours after thisUpdate, have %u", HOURS_MAX, o->hours);
}

static bool answers_for(const struct authority_conf *a, const struct authority_conf *ca)
{
    return authority_is_responder(a) && strcmp(a->issuer, ca->name) == 0;
}

static int named_signer(struct making *m, struct p11ca_err *err)
{
    if (home_authority(m->home, m->order->signer, &m->signer_conf, err) != 0)
        return -1;
    if (answers_for(m->signer_conf, m->ca_conf))
        return 0;
    return err_set(err, P11CA_USAGE, "NO_RESPONDER",
        "authority '%s': is no OCSP responder of '%s' in p11ca.conf", m->order->signer, m->ca_conf->name);
}

static int only_signer(struct making *m, struct p11ca_err *err)
{
    size_t i, n = 0;

    for (i = 0; i < m->home->n_authorities; i++) {
        if (!answers_for(&m->home->authorities[i], m->ca_conf))
            continue;
        m->signer_conf = &m->home->authorities[i];
        n++;
    }
    if (n == 1)
        return 0;
    if (n)
        return err_set(err, P11CA_USAGE, "NO_RESPONDER",
            "authority '%s': has %zu OCSP responders: want --signer NAME", m->ca_conf->name, n);
    return err_set(err, P11CA_CONFIG, "NO_RESPONDER",
        "authority '%s': want an OCSP responder in p11ca.conf (profile = \"ocsp-signer\"; issuer = \"%s\"), "
        "or --by-ca",
        m->ca_conf->name, m->ca_conf->name);
}

static int choose_signer(struct making *m, struct p11ca_err *err)
{
    if (authority_is_responder(m->ca_conf))
        return err_set(err, P11CA_USAGE, "NOT_CA",
            "authority '%s': is an OCSP responder: want the CA it answers for", m->ca_conf->name);
    if (m->order->by_ca)
        m->signer_conf = m->ca_conf;
    else if ((m->order->signer ? named_signer : only_signer)(m, err) != 0)
        return -1;
    snprintf(m->made.signer, sizeof(m->made.signer), "%s", m->signer_conf->name);
    return 0;
}

static int read_signer(struct making *m, struct p11ca_err *err)
{
    AUTO_BUF cert = BUF_INIT;

    if (authority_issuer(m->ledger, m->ca_conf, &m->ca, err) != 0)
        return -1;
    if (!m->ca)
        return err_set(err, P11CA_CONFIG, "NO_CA_CERT",
            "authority '%s': no CA certificate installed: no OCSP responses", m->ca_conf->name);
    if (m->order->by_ca)
        return ocsp_signer_ca(m->ca, &m->signer, err) == 0
                   ? 0
                   : err_prefix(err, "authority '%s'", m->ca_conf->name);
    if (ocsp_find_cert(m->ledger, m->ca_conf->name, m->signer_conf, m->now, &cert, err) != 0)
        return -1;
    return ocsp_signer_read(m->ca, der_buf(&cert), &m->signer, err) == 0
               ? 0
               : err_prefix(err, "authority '%s'", m->signer_conf->name);
}

/* --- before the token --- */

static struct ocsp_plan plan_of(const struct making *m, const struct ocsp_target *t, enum ocsp_hash hash)
{
    struct ocsp_plan p = {.signer = m->signer,
        .hash = hash,
        .serial_len = t->serial_len,
        .status = t->revoked ? OCSP_REVOKED : OCSP_GOOD,
        .revoked_at = t->revoked_at,
        .reason = t->reason,
        .produced_at = m->now,
        .this_update = m->now,
        .next_update = m->next};

    memcpy(p.serial, t->serial, t->serial_len);
    return p;
}

static int build(struct response *r, struct p11ca_err *err)
{
    char serial[2 * SERIAL_LEN + 1];

    if (ocsp_tbs_build(&r->plan, &r->tbs, err) == 0 &&
        ocsp_tbs_lint(der_buf(&r->tbs), r->plan.signer, err) == 0)
        return 0;
    text_hex(r->plan.serial, r->plan.serial_len, serial);
    return err_prefix(err, "serial %s", serial);
}

/* The file of the answer, and the same below get. */
static int look(const struct making *m, const struct ocsp_plan *plan, struct p11ca_err *err)
{
    AUTO_STR path = ocsp_path(m->order->output, plan);
    AUTO_STR get = NULL;
    int64_t half = m->now + (m->next - m->now) / 2;
    int there, got = 1;

    if (!path)
        return err_nomem(err);
    there = ocsp_look(path, plan, half, err);
    if (there < 0 || !m->order->get)
        return there;
    if (ocsp_get_path(m->order->output, plan, &get, err) != 0)
        return -1;
    got = ocsp_look(get, plan, half, err);
    return got < 0 ? -1 : there && got;
}

/* Which are wanted, and whether each could be made: everything that can be refused is refused here. */
static int prepare_one(struct making *m, struct ocsp_target *t, enum ocsp_hash hash, struct p11ca_err *err)
{
    struct response r = {.plan = plan_of(m, t, hash)};
    int there = m->order->force ? 0 : look(m, &r.plan, err);
    int rc;

    if (there < 0)
        return -1;
    t->wanted[hash] = !there;
    m->made.fresh += there ? 1u : 0u;
    if (there)
        return 0;
    rc = build(&r, err);
    buf_done(&r.tbs);
    return rc;
}

static int prepare(struct making *m, struct p11ca_err *err)
{
    enum ocsp_hash hash;
    size_t i;

    for (i = 0; i < m->targets.n; i++) {
        for (hash = 0; hash < OCSP_HASHES; hash++) {
            if (prepare_one(m, &m->targets.v[i], hash, err) != 0)
                return err_prefix(err, "authority '%s'", m->ca_conf->name);
        }
        m->made.certificates++;
        if (m->targets.v[i].revoked)
            m->made.revoked++;
        else
            m->made.good++;
    }
    return 0;
}

/* --- the token --- */

static int check_signed(struct response *r, struct p11ca_err *err)
{
    struct ocsp o;

    if (!ocsp_is_canonical(der_buf(&r->der)))
        return err_set(err, P11CA_TOKEN, "OCSP_SYNTAX", "the signed response is not what was put together");
    if (ocsp_read(der_buf(&r->der), &o, err) != 0)
        return -1;
    if (!der_equal(o.tbs, der_buf(&r->tbs)))
        return err_set(err, P11CA_TOKEN, "TBS_CHANGED", "the signed bytes are not those that were linted");
    return ocsp_verify(&o, r->plan.signer, err);
}

static int sign_with(const struct making *m, struct response *r, struct p11ca_err *err)
{
    const struct authority *a = m->open;

    if (build(r, err) != 0)
        return -1;
    if (sigalg_sign(signer_get0_pkey(a->signer), m->signer->alg, der_buf(&r->tbs), &r->sig, err) != 0) {
        err->kind = P11CA_TOKEN; /* whatever else it is called: the signature is the token's */
        return signer_explain(a->signer, err);
    }
    ocsp_assemble(der_buf(&r->tbs), m->signer, der_buf(&r->sig), &r->der);
    if (!buf_ok(&r->der))
        return err_nomem(err);
    if (check_signed(r, err) != 0) {
        err->kind = P11CA_TOKEN;
        return err_prefix(err, "token '%s': key '%s'", a->token->binding->name, a->conf->key);
    }
    return 0;
}

static void sign_one(void *arg, size_t i)
{
    struct making *m = arg;

    m->set[i].failed = sign_with(m, &m->set[i], &m->set[i].err) != 0;
}

static int in_transaction(struct making *m, const struct ledger_event *e, struct p11ca_err *err)
{
    ledger_set_now(m->ledger, home_now(m->home));
    if (ledger_begin(m->ledger, err) != 0)
        return -1;
    if (ledger_event(m->ledger, e, err) != 0) {
        ledger_rollback(m->ledger);
        return -1;
    }
    return ledger_commit(m->ledger, err);
}

/* What went wrong at the token is in the ledger. Its own trouble must not hide the reason. */
static int note_failure(struct making *m, const struct p11ca_err *why, struct p11ca_err *err)
{
    const struct ledger_event e = {.kind = "fail", .authority = m->ca_conf->name, .detail = why->msg};
    struct p11ca_err ignored;

    (void)!in_transaction(m, &e, &ignored);
    *err = *why;
    return -1;
}

static int sign_set(struct making *m, struct p11ca_err *err)
{
    unsigned jobs = signer_sessions(m->open->signer);
    size_t i;

    pool_run(jobs < pool_cores() ? jobs : pool_cores(), m->n, sign_one, m);
    for (i = 0; i < m->n; i++) {
        if (m->set[i].failed)
            return note_failure(m, &m->set[i].err, err);
    }
    return 0;
}

/* --- after it --- */

/* One event for the set: how many of what, for how long, and the digest of all its octets in this order. */
static int record_set(struct making *m, struct p11ca_err *err)
{
    char detail[200], until[TEXT_TIME];
    uint8_t digest[SHA256_LEN];
    const struct ledger_event e = {
        .kind = "ocsp", .authority = m->ca_conf->name, .detail = detail, .digest = {digest, sizeof(digest)}};
    AUTO_BUF all = BUF_INIT;
    size_t i, revoked = 0;

    for (i = 0; i < m->n; i++) {
        buf_add(&all, m->set[i].der.p, m->set[i].der.len);
        revoked += m->set[i].plan.status == OCSP_REVOKED;
    }
    if (!buf_ok(&all) || hash_sha256(all.p, all.len, digest) != 0)
        return err_nomem(err);
    text_time(m->next, until);
    snprintf(detail, sizeof(detail), "%zu responses, %zu revoked, until %s, by '%s'", m->n, revoked, until,
        m->signer_conf->name);
    return in_transaction(m, &e, err);
}

static int publish_one(struct making *m, const struct response *r, struct p11ca_err *err)
{
    AUTO_STR path = ocsp_path(m->order->output, &r->plan);

    return path ? file_write(path, FILE_REPLACE, 0644, r->der.p, r->der.len, err) : err_nomem(err);
}

static int add_file(struct making *m, const struct response *r, struct p11ca_err *err)
{
    AUTO_STR path = ocsp_path(m->order->output, &r->plan);

    return path ? file_batch_add(&m->files, path, 0644, r->der.p, r->der.len, err) : err_nomem(err);
}

/* Flushing a file system costs as much as flushing some files of it, or more when others write to it, too. */
#define FEW 32

/* New ones together, which is quick; what replaces another goes one by one. */
static int publish_set(struct making *m, struct p11ca_err *err)
{
    struct p11ca_err results[SET];
    size_t i;

    for (i = 0; i < m->n; i++) {
        if ((m->n <= FEW ? publish_one : add_file)(m, &m->set[i], err) != 0)
            return -1;
    }
    if (m->n <= FEW)
        return 0;
    if (file_batch_end(&m->files, results, err) != 0)
        return -1;
    for (i = 0; i < m->n; i++) {
        if (results[i].kind != P11CA_OK && publish_one(m, &m->set[i], err) != 0)
            return -1;
    }
    return 0;
}

static int publish_get(const struct making *m, const struct response *r, struct p11ca_err *err)
{
    AUTO_STR path = NULL;

    return ocsp_get_path(m->order->output, &r->plan, &path, err) != 0
               ? -1
               : file_write(path, FILE_REPLACE, 0644, r->der.p, r->der.len, err);
}

static int make_set(struct making *m, struct p11ca_err *err)
{
    size_t i;

    if (m->n == 0)
        return 0;
    if (sign_set(m, err) != 0 || record_set(m, err) != 0 || publish_set(m, err) != 0)
        return -1;
    for (i = 0; m->order->get && i < m->n; i++) {
        if (publish_get(m, &m->set[i], err) != 0)
            return -1;
    }
    m->made.made += m->n;
    set_reset(m);
    return 0;
}

static int make_all(struct making *m, struct p11ca_err *err)
{
    enum ocsp_hash hash;
    size_t i;

    for (i = 0; i < m->targets.n; i++) {
        for (hash = 0; hash < OCSP_HASHES; hash++) {
            if (!m->targets.v[i].wanted[hash])
                continue;
            if (m->n == SET && make_set(m, err) != 0)
                return -1;
            m->set[m->n++].plan = plan_of(m, &m->targets.v[i], hash);
        }
    }
    return make_set(m, err) == 0 ? file_sync_dir(m->order->output, err) : -1;
}

/* The certificate is for the recorded key, and authority_open() has compared that with the token's. */
static int sign_and_publish(struct making *m, struct p11ca_err *err)
{
    AUTO_AUTHORITY a = {0};
    int rc;

    if (m->made.fresh == OCSP_HASHES * m->targets.n)
        return 0;
    if (authority_open(&a, m->home, m->ledger, m->signer_conf, err) != 0)
        return -1;
    m->open = &a;
    rc = make_all(m, err);
    m->open = NULL;
    return rc;
}

static int open_output(struct making *m, struct p11ca_err *err)
{
    AUTO_STR inside = NULL;

    if (file_check_dir(m->order->output, err) != 0 || file_mkdir(m->order->output, 0755, err) != 0)
        return -1;
    inside = asprintf(&inside, "%s/.", m->order->output) < 0 ? NULL : inside;
    return inside ? file_lock_parent(inside, &m->lock, err) : err_nomem(err);
}

/* A name that has no response is refused before there is a directory. */
static int check_names(const struct making *m, struct p11ca_err *err)
{
    struct ocsp_targets t = {.n = 0};
    int rc = 0;

    if (m->order->n_only)
        rc = ocsp_targets_find(m->ledger, m->order, m->ca, m->now, &t, err);
    ocsp_targets_done(&t);
    return rc;
}

/* Behind the lock: of two processes the later one knows no less than the earlier. */
static int make(struct making *m, struct p11ca_err *err)
{
    unsigned hours = m->order->hours ? m->order->hours : HOURS;

    if (home_authority(m->home, m->order->authority, &m->ca_conf, err) != 0 ||
        check_order(m->order, err) != 0 || choose_signer(m, err) != 0 ||
        home_ledger_write(m->home, &m->ledger, err) != 0)
        return -1;
    m->now = m->made.this_update = home_now(m->home);
    m->next = m->made.next_update = m->now + (int64_t)hours * HOUR;
    if (read_signer(m, err) != 0 || check_names(m, err) != 0 || open_output(m, err) != 0 ||
        ocsp_targets_find(m->ledger, m->order, m->ca, m->now, &m->targets, err) != 0)
        return -1;
    return prepare(m, err) == 0 ? sign_and_publish(m, err) : -1;
}

int p11ca_ocsp(struct p11ca_home *home, const struct p11ca_ocsp_order *order, struct p11ca_ocsp_made *ret,
    struct p11ca_err *err)
{
    struct making *m = calloc(1, sizeof(*m));
    int rc;

    if (!m)
        return err_nomem(err);
    *m = (struct making){.home = home, .order = order, .lock = -1};
    rc = make(m, err);
    if (rc == 0)
        *ret = m->made;
    making_free(m);
    return rc;
}
