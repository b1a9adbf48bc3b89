#include "issue/crl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "issue/authority.h"
#include "x509/crl.h"
#include "x509/pem.h"

#define DAYS_MAX 36525 /* a hundred years: what a profile may say, too */

SCOPE_DEFINE(ledger_crl, struct ledger_crl *, ledger_crl_free)

/* One CRL on its way. */
struct making {
    const struct p11ca_home *home;
    const struct authority_conf *conf;
    const struct crl_order *order;
    struct ledger *ledger;
    struct issuer *issuer;
    struct crl_plan plan;
    struct crl_entry *entries; /* those of the plan */
    size_t room;
    struct buf tbs, der;
    size_t n_entries;
    bool recorded; /* der is what the ledger has */
};

static void making_done(struct making *m)
{
    buf_done(&m->tbs);
    buf_done(&m->der);
    free(m->entries);
    issuer_free(m->issuer);
    ledger_close(m->ledger);
}

/* --- before the token --- */

static int check_days(const struct crl_order *o, struct p11ca_err *err)
{
    if (o->days >= 1 && o->days <= DAYS_MAX)
        return 0;
    return err_set(err, P11CA_USAGE, "CRL_DAYS",
        "CRL: nextUpdate: want 1 to %d days after thisUpdate, have %u", DAYS_MAX, o->days);
}

static int need_issuer(struct making *m, struct p11ca_err *err)
{
    if (authority_issuer(m->ledger, m->conf, &m->issuer, err) != 0)
        return -1;
    if (m->issuer)
        return 0;
    return err_set(err, P11CA_CONFIG, "NO_CA_CERT", "authority '%s': no CA certificate installed: no CRL",
        m->conf->name);
}

/* Dated back, a CRL lists what was revoked by then: what came after is in the next one. */
static int add_entry(void *arg, const struct ledger_revoked *row, struct p11ca_err *err)
{
    struct making *m = arg;
    struct crl_entry *more, *e;

    if (row->serial.len > SERIAL_LEN)
        return err_set(err, P11CA_LEDGER, "SERIAL_LENGTH",
            "RFC 5280 4.1.2.2: serial: want at most %d octets, have %zu", SERIAL_LEN, row->serial.len);
    if (row->revoked_at > m->plan.this_update)
        return 0;
    if (m->plan.n == m->room) {
        more = realloc(m->entries, (2 * m->room + 64) * sizeof(*more));
        if (!more)
            return err_nomem(err);
        m->entries = more;
        m->room = 2 * m->room + 64;
    }
    e = &m->entries[m->plan.n++];
    *e = (struct crl_entry){.serial_len = row->serial.len,
        .revoked_at = row->revoked_at,
        .invalid_since = row->invalid_since,
        .reason = row->reason};
    memcpy(e->serial, row->serial.p, row->serial.len);
    return 0;
}

static int refuse_clock(const struct making *m, int64_t last, struct p11ca_err *err)
{
    char want[TEXT_TIME], have[TEXT_TIME];

    text_time(last, want);
    text_time(m->plan.this_update, have);
    return err_set(err, P11CA_LEDGER, "CRL_TIME",
        "authority '%s': clock: RFC 5280 5.1.2.4: want a time after thisUpdate of the last CRL, %s, have %s",
        m->conf->name, want, have);
}

static int build(struct making *m, int64_t last, struct p11ca_err *err)
{
    if (m->plan.this_update < last)
        return refuse_clock(m, last, err);
    if (ledger_each_revoked(m->ledger, m->conf->name, last, add_entry, m, err) != 0)
        return -1;
    m->plan.entries = m->entries;
    if (crl_tbs_build(&m->plan, &m->tbs, err) != 0 || crl_tbs_lint(der_buf(&m->tbs), m->issuer, err) != 0)
        return err_prefix(err, "authority '%s'", m->conf->name);
    return m->order->force ? 0 : file_check_new(m->order->output, err);
}

/* --- the token --- */

static void number_text(int64_t number, char dst[41])
{
    uint8_t be[8];
    size_t i, skip = 0;

    for (i = 0; i < sizeof(be); i++)
        be[i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
    while (skip < sizeof(be) - 1 && be[skip] == 0)
        skip++;
    text_hex(be + skip, sizeof(be) - skip, dst);
}

static int approve(const struct making *m, struct p11ca_err *err)
{
    const struct signing_hooks *hooks = m->order->hooks;
    struct signing s = {.what = "CRL", .authority = m->conf->name, .tbs = der_buf(&m->tbs)};

    if (!hooks || !hooks->approve)
        return 0;
    number_text((int64_t)m->plan.number, s.number);
    if (hash_sha256(s.tbs.p, s.tbs.len, s.tbs_sha256) != 0)
        return err_openssl(err, P11CA_BUG, "CRL: SHA-256");
    return hooks->approve(hooks->arg, &s, err) == 0 ? 0 : -1;
}

static size_t count_entries(const struct crl *crl)
{
    struct der in = crl->t.revoked;
    struct crl_item item;
    size_t n = 0;

    while (crl->t.has_revoked && in.len && crl_next_entry(&in, &item) == 0)
        n++;
    return n;
}

/* Parsed anew, and good under the issuer's certificate. kind: whose fault it is when not. */
static int check_der(struct making *m, enum p11ca_kind kind, struct p11ca_err *err)
{
    AUTO_CRL crl = CRL_INIT;

    if (crl_read(m->der.p, m->der.len, &crl, err) != 0 ||
        crl_verify(&crl, m->issuer->pub, m->issuer->alg, err) != 0) {
        err->kind = kind;
        return -1;
    }
    if (m->tbs.len && !der_equal(crl.tbs, der_buf(&m->tbs)))
        return err_set(err, kind, "TBS_CHANGED", "the signed bytes are not those that were linted");
    m->n_entries = count_entries(&crl);
    return 0;
}

static int sign_with(struct making *m, const struct authority *a, struct p11ca_err *err)
{
    const struct sigalg *alg = m->issuer->alg;
    AUTO_BUF sig = BUF_INIT;

    if (sigalg_sign(signer_get0_pkey(a->signer), alg, der_buf(&m->tbs), &sig, err) != 0) {
        err->kind = P11CA_TOKEN; /* whatever else it is called: the signature is the token's */
        return signer_explain(a->signer, err);
    }
    crl_assemble(der_buf(&m->tbs), alg, der_buf(&sig), &m->der);
    if (!buf_ok(&m->der))
        return err_nomem(err);
    if (check_der(m, P11CA_TOKEN, err) != 0)
        return err_prefix(err, "token '%s': key '%s'", a->token->binding->name, a->conf->key);
    return 0;
}

/* What went wrong at the token is in the ledger. Its own trouble must not hide the reason. */
static void note_failure(struct making *m, const struct p11ca_err *why)
{
    const struct ledger_event e = {.kind = "fail", .authority = m->conf->name, .detail = why->msg};
    struct p11ca_err ignored;

    if (ledger_begin(m->ledger, &ignored) != 0)
        return;
    if (ledger_event(m->ledger, &e, &ignored) != 0 || ledger_commit(m->ledger, &ignored) != 0)
        ledger_rollback(m->ledger);
}

/* Opened before anybody is asked: a token that is not there need not be approved of. */
static int sign(struct making *m, struct p11ca_err *err)
{
    AUTO_AUTHORITY a = {0};

    if (authority_open(&a, m->home, m->ledger, m->conf, err) != 0 || approve(m, err) != 0)
        return -1;
    ledger_set_now(m->ledger, home_now(m->home)); /* people took their time, others may have written since */
    if (sign_with(m, &a, err) == 0)
        return 0;
    note_failure(m, err);
    return -1;
}

/* --- after it --- */

static int commit(struct making *m, struct p11ca_err *err)
{
    const struct ledger_crl crl = {
        .authority = m->conf->name,
        .number = (int64_t)m->plan.number,
        .this_update = m->plan.this_update,
        .next_update = m->plan.next_update,
        .der = {m->der.p, m->der.len},
    };

    if (ledger_begin(m->ledger, err) != 0)
        return -1;
    if (ledger_put_crl(m->ledger, &crl, err) != 0) {
        ledger_rollback(m->ledger);
        return -1;
    }
    return ledger_commit(m->ledger, err);
}

static bool is_published(const struct making *m)
{
    AUTO_BUF file = BUF_INIT, der = BUF_INIT;
    struct p11ca_err ignored;

    return file_read(m->order->output, LIMIT_CRL, &file, &ignored) == 0 &&
           pem_decode(file.p, file.len, PEM_CRL, &der, &ignored) == 0 &&
           der_equal(der_buf(&der), der_buf(&m->der));
}

static int publish(const struct making *m, struct p11ca_err *err)
{
    AUTO_BUF pem = BUF_INIT;

    pem_encode(PEM_CRL, der_buf(&m->der), &pem);
    if (!buf_ok(&pem))
        return err_nomem(err);
    return file_write(m->order->output, m->order->force ? FILE_REPLACE : FILE_NEW, 0644, pem.p, pem.len, err);
}

/* The same order again: what the ledger has, verified once more. */
static int take_latest(struct making *m, struct p11ca_err *err)
{
    SCOPED(ledger_crl) struct ledger_crl *crl = NULL;
    char want[TEXT_TIME], have[TEXT_TIME];

    if (ledger_get_crl(m->ledger, m->conf->name, &crl, err) != 0)
        return -1;
    if (!crl || crl->this_update != m->plan.this_update)
        return refuse_clock(m, m->plan.this_update, err);
    if (crl->next_update != m->plan.next_update) {
        text_time(crl->next_update, want);
        text_time(m->plan.next_update, have);
        return err_set(err, P11CA_REFUSED, "CRL_NEXT_UPDATE",
            "authority '%s': CRL %" PRId64 " is of this very time: nextUpdate: want its %s, have %s",
            m->conf->name, crl->number, want, have);
    }
    m->recorded = true;
    m->plan.number = (uint64_t)crl->number;
    buf_add(&m->der, crl->der.p, crl->der.len);
    if (!buf_ok(&m->der))
        return err_nomem(err);
    return check_der(m, P11CA_LEDGER, err) == 0
               ? 0
               : err_prefix(err, "authority '%s': CRL %" PRId64 " in the ledger", m->conf->name, crl->number);
}

static int make(struct making *m, struct p11ca_err *err)
{
    int64_t number, last;

    if (need_issuer(m, err) != 0 || ledger_next_crl(m->ledger, m->conf->name, &number, &last, err) != 0)
        return -1;
    m->plan.issuer = m->issuer;
    m->plan.number = (uint64_t)number;
    if (number > 1 && m->plan.this_update == last)
        return take_latest(m, err);
    if (build(m, last, err) != 0 || sign(m, err) != 0 || commit(m, err) != 0)
        return -1;
    home_detail(m->home, "CRL %" PRId64 " of '%s' signed, verified and in the ledger", number, m->conf->name);
    return 0;
}

static int finish(const struct making *m, struct crl_issued *ret, struct p11ca_err *err)
{
    uint8_t sha256[SHA256_LEN];
    bool there = m->recorded && is_published(m);

    if (hash_sha256(m->der.p, m->der.len, sha256) != 0)
        return err_openssl(err, P11CA_BUG, "CRL: SHA-256");
    if (!there && publish(m, err) != 0)
        return -1;
    *ret = (struct crl_issued){
        .outcome = there         ? P11CA_REUSED
                   : m->recorded ? P11CA_FINISHED
                                 : P11CA_NEW,
        .number = (int64_t)m->plan.number,
        .this_update = m->plan.this_update,
        .next_update = m->plan.next_update,
        .entries = m->n_entries,
    };
    text_hex(sha256, sizeof(sha256), ret->sha256);
    return 0;
}

int crl_issue(const struct p11ca_home *home, const char *authority, const struct crl_order *order,
    struct crl_issued *ret, struct p11ca_err *err)
{
    __attribute__((cleanup(making_done))) struct making m = {.home = home, .order = order};
    const struct signing_hooks *hooks = order->hooks;

    if (home_authority(home, authority, &m.conf, err) != 0 || check_days(order, err) != 0 ||
        home_ledger_write(home, &m.ledger, err) != 0)
        return -1;
    m.plan.this_update = hooks && hooks->at ? hooks->at : home_now(home);
    m.plan.next_update = m.plan.this_update + (int64_t)order->days * PROFILE_DAY;
    if (make(&m, err) != 0)
        return -1;
    return finish(&m, ret, err);
}
