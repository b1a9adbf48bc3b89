#include "issue/crl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "issue/authority.h"
#include "x509/crl.h"
#include "x509/pem.h"

#define DAYS_MAX 36525 /* a hundred years: what a profile may say, too */
#define HOUR     3600

/* Its PEM, the longer form, must be one that p11ca itself reads again: 65 octets for 48. */
#define TBS_MAX ((size_t)LIMIT_CRL / 65 * 48 - 4096)

/* One of those that are signed ahead. */
struct crl_slot {
    struct crl_plan plan;
    struct buf tbs, der;
};

/* One CRL on its way, and those that are signed ahead with it. */
struct making {
    const struct p11ca_home *home;
    const struct authority_conf *conf;
    const struct crl_order *order;
    bool dated; /* by whoever ordered, not by the clock */
    struct ledger *ledger;
    struct issuer *issuer;
    struct ledger_scope scope;
    struct ledger_crl_next next;
    int64_t upto; /* event: what is in it */
    struct crl_plan plan;
    struct crl_writer writer;
    struct buf tbs, der;
    size_t n_entries;
    struct crl_slot *slots;
    bool recorded; /* der is what the ledger has */
};

static void making_done(struct making *m)
{
    size_t i;

    buf_done(&m->tbs);
    buf_done(&m->der);
    for (i = 0; m->slots && i < m->order->slots; i++) {
        buf_done(&m->slots[i].tbs);
        buf_done(&m->slots[i].der);
    }
    free(m->slots);
    issuer_free(m->issuer);
    ledger_close(m->ledger);
}

/* --- before the token --- */

static int64_t life(const struct crl_order *o)
{
    return (int64_t)o->days * PROFILE_DAY + (int64_t)o->hours * HOUR;
}

static int check_days(const struct crl_order *o, struct p11ca_err *err)
{
    if (life(o) >= HOUR && life(o) <= (int64_t)DAYS_MAX * PROFILE_DAY)
        return 0;
    return err_set(err, P11CA_USAGE, "CRL_DAYS",
        "CRL: nextUpdate: want 1 to %d days after thisUpdate, have %u%s", DAYS_MAX, o->days,
        o->hours ? " and hours" : "");
}

/* One ends after the next has begun: there is always one that holds. */
static int check_slots(const struct crl_order *o, struct p11ca_err *err)
{
    if (!o->slots)
        return 0;
    if (o->slots > CRL_SLOTS || o->delta)
        return err_set(err, P11CA_USAGE, "CRL_SLOTS",
            "CRL: signed ahead: want at most %d complete lists, have %u", CRL_SLOTS, o->slots);
    if (o->every >= 1 && o->every * PROFILE_DAY <= life(o))
        return 0;
    return err_set(err, P11CA_USAGE, "CRL_SLOTS",
        "CRL: signed ahead: want one every 1 to %u days, before the one before has ended, have every %u",
        o->days, o->every);
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

/* A revocation from the future: the clock was set back, and a list without it would be an older one. */
static int refuse_early(const struct making *m, const struct ledger_revoked *row, struct p11ca_err *err)
{
    char serial[2 * SERIAL_LEN + 1], want[TEXT_TIME], have[TEXT_TIME];

    text_hex(row->serial.p, row->serial.len, serial);
    text_time(row->revoked_at, want);
    text_time(m->plan.this_update, have);
    return err_set(err, P11CA_LEDGER, "CLOCK",
        "authority '%s': clock: serial %s is revoked since %s: want a time from then on, have %s",
        m->conf->name, serial, want, have);
}

/* Dated back on purpose, a CRL lists what was revoked by then: what came after is in the next one, and in a delta to it. */
static int add_entry(void *arg, const struct ledger_revoked *row, struct p11ca_err *err)
{
    struct making *m = arg;
    struct crl_entry e = {.serial_len = row->serial.len,
        .revoked_at = row->revoked_at,
        .invalid_since = row->invalid_since,
        .reason = row->reason};

    if (row->serial.len > SERIAL_LEN)
        return err_set(err, P11CA_LEDGER, "SERIAL_LENGTH",
            "RFC 5280 4.1.2.2: serial: want at most %d octets, have %zu", SERIAL_LEN, row->serial.len);
    if (m->order->partition &&
        m->order->partition != authority_crl_part(m->conf, row->serial.p, row->serial.len))
        return 0;
    if (row->revoked_at > m->plan.this_update && !m->dated)
        return refuse_early(m, row, err);
    if (row->revoked_at > m->plan.this_update) {
        if (row->changed && row->changed <= m->upto)
            m->upto = row->changed - 1;
        return 0;
    }
    memcpy(e.serial, row->serial.p, row->serial.len);
    crl_tbs_add(&m->writer, &e);
    m->n_entries++;
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

static int walk(struct making *m, struct p11ca_err *err)
{
    if (m->plan.base)
        return ledger_each_change(m->ledger, m->conf->name, m->next.base_upto, add_entry, m, err);
    return ledger_each_revoked(m->ledger, m->conf->name, m->next.last_complete, add_entry, m, err);
}

static int build_list(struct making *m, const struct crl_plan *plan, struct buf *tbs, struct p11ca_err *err)
{
    m->n_entries = 0;
    crl_tbs_begin(&m->writer, plan, tbs);
    if (walk(m, err) != 0)
        return -1;
    if (crl_tbs_end(&m->writer, err) != 0)
        return err_prefix(err, "authority '%s'", m->conf->name);
    if (tbs->len > TBS_MAX)
        return err_set(err, P11CA_REFUSED, "CRL_TOO_LARGE",
            "authority '%s': CRL of %zu entries: want at most %zu octets, have %zu", m->conf->name,
            m->n_entries, TBS_MAX, tbs->len);
    if (crl_tbs_lint(der_buf(tbs), m->issuer, err) != 0)
        return err_prefix(err, "authority '%s'", m->conf->name);
    return 0;
}

/* Of the same entries: what is revoked later voids them. */
static int build_slots(struct making *m, struct p11ca_err *err)
{
    size_t i;

    m->slots = calloc(m->order->slots + 1, sizeof(*m->slots));
    if (!m->slots)
        return err_nomem(err);
    for (i = 0; i < m->order->slots; i++) {
        struct crl_slot *s = &m->slots[i];
        int64_t later = (int64_t)(i + 1) * m->order->every * PROFILE_DAY;

        s->plan = m->plan;
        s->plan.number += i + 1;
        s->plan.this_update += later;
        s->plan.next_update += later;
        if (build_list(m, &s->plan, &s->tbs, err) != 0)
            return -1;
    }
    return 0;
}

static int build(struct making *m, struct p11ca_err *err)
{
    if (m->plan.this_update < m->next.last)
        return refuse_clock(m, m->next.last, err);
    m->upto = m->next.event;
    if (build_slots(m, err) != 0 || build_list(m, &m->plan, &m->tbs, err) != 0)
        return -1;
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

static int ask(const struct making *m, struct signing *s, uint64_t number, struct p11ca_err *err)
{
    const struct signing_hooks *hooks = m->order->hooks;

    s->authority = m->conf->name;
    number_text((int64_t)number, s->number);
    if (hash_sha256(s->tbs.p, s->tbs.len, s->tbs_sha256) != 0)
        return err_openssl(err, P11CA_BUG, "CRL: SHA-256");
    return hooks->approve(hooks->arg, s, err) == 0 ? 0 : -1;
}

/* Asked once: nobody looks twelve times at the same. */
static int approve_slots(const struct making *m, struct p11ca_err *err)
{
    struct signing s = {.what = "CRL series", .series = true};
    AUTO_BUF all = BUF_INIT;
    size_t i;

    if (!m->order->slots)
        return 0;
    for (i = 0; i < m->order->slots; i++)
        buf_add(&all, m->slots[i].tbs.p, m->slots[i].tbs.len);
    if (!buf_ok(&all))
        return err_nomem(err);
    s.tbs = der_buf(&all);
    return ask(m, &s, m->slots[0].plan.number, err);
}

/* The list of now last: its bytes are those of the step. */
static int approve(const struct making *m, struct p11ca_err *err)
{
    struct signing s = {.what = "CRL", .tbs = der_buf(&m->tbs)};

    if (!m->order->hooks || !m->order->hooks->approve)
        return 0;
    return approve_slots(m, err) == 0 ? ask(m, &s, m->plan.number, err) : -1;
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

/* Parsed anew, and good under the issuer's certificate. tbs: what was linted, NULL: not known; kind: whose fault it is when not. */
static int check_der(struct making *m, const struct buf *tbs, const struct buf *der, enum p11ca_kind kind,
    struct p11ca_err *err)
{
    AUTO_CRL crl = CRL_INIT;

    if (crl_read(der->p, der->len, &crl, err) != 0 ||
        crl_verify(&crl, m->issuer->pub, m->issuer->alg, err) != 0) {
        err->kind = kind;
        return -1;
    }
    if (tbs && !der_equal(crl.tbs, der_buf(tbs)))
        return err_set(err, kind, "TBS_CHANGED", "the signed bytes are not those that were linted");
    if (!m->recorded)
        return 0;
    m->n_entries = count_entries(&crl);
    if (crl.t.this_update == m->plan.this_update && crl.t.next_update == m->plan.next_update)
        return 0;
    return err_set(err, kind, "CRL_TIME", "thisUpdate, nextUpdate: not those that were signed");
}

/* What was linted is given up: it is in what was signed. */
static int sign_with(
    struct making *m, const struct authority *a, struct buf *tbs, struct buf *der, struct p11ca_err *err)
{
    const struct sigalg *alg = m->issuer->alg;
    AUTO_BUF sig = BUF_INIT;

    if (sigalg_sign(signer_get0_pkey(a->signer), alg, der_buf(tbs), &sig, err) != 0) {
        err->kind = P11CA_TOKEN; /* whatever else it is called: the signature is the token's */
        return signer_explain(a->signer, err);
    }
    crl_assemble(der_buf(tbs), alg, der_buf(&sig), der);
    if (!buf_ok(der))
        return err_nomem(err);
    if (check_der(m, tbs, der, P11CA_TOKEN, err) != 0)
        return err_prefix(err, "token '%s': key '%s'", a->token->binding->name, a->conf->key);
    buf_done(tbs);
    return 0;
}

static int sign_all(struct making *m, const struct authority *a, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < m->order->slots; i++) {
        if (sign_with(m, a, &m->slots[i].tbs, &m->slots[i].der, err) != 0)
            return -1;
    }
    return sign_with(m, a, &m->tbs, &m->der, err);
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
    if (sign_all(m, &a, err) == 0)
        return 0;
    note_failure(m, err);
    return -1;
}

/* --- after it --- */

static int record(
    struct making *m, const struct crl_plan *plan, const struct buf *der, size_t slot, struct p11ca_err *err)
{
    const struct ledger_crl crl = {
        .authority = m->conf->name,
        .number = (int64_t)plan->number,
        .base = (int64_t)plan->base,
        .this_update = plan->this_update,
        .next_update = plan->next_update,
        .der = {der->p, der->len},
        .upto = m->upto,
        .part = m->order->partition,
        .parts = m->order->partition ? m->conf->crl_partitions : 0,
        .slot = (int64_t)slot,
    };

    return ledger_put_crl(m->ledger, &crl, err);
}

static int record_all(struct making *m, struct p11ca_err *err)
{
    size_t i;

    if (record(m, &m->plan, &m->der, 0, err) != 0)
        return -1;
    for (i = 0; i < m->order->slots; i++) {
        if (record(m, &m->slots[i].plan, &m->slots[i].der, i + 1, err) != 0)
            return -1;
    }
    return 0;
}

static int commit(struct making *m, struct p11ca_err *err)
{
    if (ledger_begin(m->ledger, err) != 0)
        return -1;
    if (record_all(m, err) != 0) {
        ledger_rollback(m->ledger);
        return -1;
    }
    return ledger_commit(m->ledger, err);
}

/* The octets of the file. */
static int encode(const struct making *m, struct buf *ret, struct p11ca_err *err)
{
    if (m->order->der)
        buf_add(ret, m->der.p, m->der.len);
    else
        pem_encode(PEM_CRL, der_buf(&m->der), ret);
    return buf_ok(ret) ? 0 : err_nomem(err);
}

static bool is_published(const struct making *m, const struct buf *text)
{
    AUTO_BUF file = BUF_INIT;
    struct p11ca_err ignored;

    return file_read(m->order->output, LIMIT_CRL, &file, &ignored) == 0 &&
           der_equal(der_buf(&file), der_buf(text));
}

static int refuse_next_update(const struct making *m, const struct ledger_crl *crl, struct p11ca_err *err)
{
    char want[TEXT_TIME], have[TEXT_TIME];

    text_time(crl->next_update, want);
    text_time(m->plan.next_update, have);
    return err_set(err, P11CA_REFUSED, "CRL_NEXT_UPDATE",
        "authority '%s': CRL %" PRId64 " is of this very time: nextUpdate: want its %s, have %s",
        m->conf->name, crl->number, want, have);
}

/* What was ordered by the clock must have everything in it that is known by now. */
static bool is_same_order(const struct making *m, const struct ledger_crl *crl)
{
    return crl && crl->this_update == m->plan.this_update &&
           (m->dated || (crl->next_update == m->plan.next_update && crl->upto >= m->next.event &&
                            crl->number + 1 == m->next.number));
}

/* The same order again: what the ledger has, verified once more. 1; 0: it is another order of the same second. */
static int take_latest(struct making *m, struct p11ca_err *err)
{
    SCOPED(ledger_crl) struct ledger_crl *crl = NULL;

    if (ledger_get_crl(m->ledger, &m->scope, m->order->delta, &crl, err) != 0)
        return -1;
    if (!is_same_order(m, crl))
        return m->dated ? refuse_clock(m, m->plan.this_update, err) : 0;
    if (crl->next_update != m->plan.next_update)
        return refuse_next_update(m, crl, err);
    m->recorded = true;
    m->plan.number = (uint64_t)crl->number;
    m->plan.base = (uint64_t)crl->base;
    buf_add(&m->der, crl->der.p, crl->der.len);
    if (!buf_ok(&m->der))
        return err_nomem(err);
    return check_der(m, NULL, &m->der, P11CA_LEDGER, err) == 0
               ? 1
               : err_prefix(err, "authority '%s': CRL %" PRId64 " in the ledger", m->conf->name, crl->number);
}

/* Two CRLs of one second could not be told apart by their times. */
static int next_second(struct making *m, struct p11ca_err *err)
{
    const struct timespec tick = {.tv_nsec = 20 * 1000 * 1000};
    int i;

    for (i = 0; i < 100 && !m->home->fixed_now && home_now(m->home) <= m->next.last; i++)
        nanosleep(&tick, NULL);
    m->plan.this_update = home_now(m->home);
    m->plan.next_update = m->plan.this_update + life(m->order);
    return m->plan.this_update > m->next.last ? 0 : refuse_clock(m, m->next.last, err);
}

static int plan_delta(struct making *m, struct p11ca_err *err)
{
    if (!m->order->delta)
        return 0;
    if (!m->next.base)
        return err_set(err, P11CA_REFUSED, "CRL_NO_BASE",
            "authority '%s': RFC 5280 5.2.4: a delta CRL: want a complete CRL before it, have none",
            m->conf->name);
    m->plan.base = (uint64_t)m->next.base;
    return 0;
}

static int plan_partition(struct making *m, struct p11ca_err *err)
{
    unsigned part = m->order->partition;

    if (!part)
        return 0;
    if (part > (unsigned)m->conf->crl_partitions)
        return err_set(err, P11CA_USAGE, "PARTITION",
            "authority '%s': partition: want 1 to %d (crl-partitions), have %u", m->conf->name,
            m->conf->crl_partitions, part);
    m->scope.part = part;
    m->plan.issuing_url = m->conf->crl_urls[part - 1];
    return ledger_fix_crl_parts(m->ledger, m->conf->name, m->conf->crl_partitions, err);
}

static int make(struct making *m, struct p11ca_err *err)
{
    int r = 0;

    if (need_issuer(m, err) != 0 || plan_partition(m, err) != 0 ||
        ledger_next_crl(m->ledger, &m->scope, &m->next, err) != 0)
        return -1;
    m->plan.issuer = m->issuer;
    m->plan.number = (uint64_t)m->next.number;
    if (m->next.last && m->plan.this_update == m->next.last && (r = take_latest(m, err)) != 0)
        return r > 0 ? 0 : -1;
    if (m->next.last && m->plan.this_update == m->next.last && next_second(m, err) != 0)
        return -1;
    if (plan_delta(m, err) != 0 || build(m, err) != 0 || sign(m, err) != 0 || commit(m, err) != 0)
        return -1;
    home_detail(
        m->home, "CRL %" PRId64 " of '%s' signed, verified and in the ledger", m->next.number, m->conf->name);
    return 0;
}

static int publish(const struct making *m, bool *ret_there, struct p11ca_err *err)
{
    AUTO_BUF text = BUF_INIT;

    if (encode(m, &text, err) != 0)
        return -1;
    *ret_there = m->recorded && is_published(m, &text);
    if (*ret_there)
        return 0;
    return file_write(
        m->order->output, m->order->force ? FILE_REPLACE : FILE_NEW, 0644, text.p, text.len, err);
}

static int finish(const struct making *m, struct p11ca_crl *ret, struct p11ca_err *err)
{
    uint8_t sha256[SHA256_LEN];
    bool there;

    if (hash_sha256(m->der.p, m->der.len, sha256) != 0)
        return err_openssl(err, P11CA_BUG, "CRL: SHA-256");
    if (publish(m, &there, err) != 0)
        return -1;
    *ret = (struct p11ca_crl){
        .outcome = there         ? P11CA_REUSED
                   : m->recorded ? P11CA_FINISHED
                                 : P11CA_NEW,
        .number = (int64_t)m->plan.number,
        .base = (int64_t)m->plan.base,
        .this_update = m->plan.this_update,
        .next_update = m->plan.next_update,
        .entries = m->n_entries,
    };
    text_hex(sha256, sizeof(sha256), ret->sha256);
    return 0;
}

/* --- signed ahead --- */

struct telling {
    const struct making *m;
    size_t n;
};

static int tell_slot(void *arg, const struct ledger_crl *crl, struct p11ca_err *err)
{
    struct telling *t = arg;
    const struct crl_order *o = t->m->order;
    int64_t first = (int64_t)t->m->plan.number + 1;

    (void)err;
    if (crl->slot != crl->number - first + 1 || crl->number < first || crl->number >= first + o->slots)
        return 0;
    t->n++;
    if (o->told)
        o->told(o->arg, crl->number, crl->this_update, crl->next_update, crl->sha256.p);
    return 0;
}

/* From the ledger, also when it was an earlier run that signed them. */
static int tell_slots(const struct making *m, struct p11ca_err *err)
{
    struct telling t = {.m = m};

    if (!m->order->slots)
        return 0;
    if (ledger_each_crl(m->ledger, m->conf->name, tell_slot, &t, err) != 0)
        return -1;
    if (t.n == m->order->slots)
        return 0;
    return err_set(err, P11CA_LEDGER, "CRL_SLOTS",
        "authority '%s': CRL %" PRIu64 ": want %u signed ahead with it, have %zu", m->conf->name,
        m->plan.number, m->order->slots, t.n);
}

int crl_issue(const struct p11ca_home *home, const char *authority, const struct crl_order *order,
    struct p11ca_crl *ret, struct p11ca_err *err)
{
    __attribute__((cleanup(making_done))) struct making m = {.home = home, .order = order};
    const struct signing_hooks *hooks = order->hooks;

    if (home_authority(home, authority, &m.conf, err) != 0 || check_days(order, err) != 0 ||
        check_slots(order, err) != 0 || home_ledger_write(home, &m.ledger, err) != 0)
        return -1;
    m.dated = hooks && hooks->at;
    m.scope.authority = m.conf->name;
    m.plan.this_update = m.dated ? hooks->at : home_now(home);
    m.plan.next_update = m.plan.this_update + life(order);
    if (make(&m, err) != 0 || tell_slots(&m, err) != 0)
        return -1;
    return finish(&m, ret, err);
}

/* --- handed out, when its time has come --- */

static int take_change(void *arg, const struct ledger_revoked *row, struct p11ca_err *err)
{
    (void)err;
    if (row->serial.len <= SERIAL_LEN)
        text_hex(row->serial.p, row->serial.len, arg);
    return 1;
}

/* A list that does not tell of it would take the revocation back. */
static int refuse_void(const struct making *m, const struct ledger_crl *crl, struct p11ca_err *err)
{
    char serial[2 * SERIAL_LEN + 1] = "";
    int r = ledger_each_change(m->ledger, m->conf->name, crl->upto, take_change, serial, err);

    if (r <= 0)
        return r;
    return err_set(err, P11CA_REFUSED, "CRL_VOID",
        "authority '%s': CRL %" PRId64
        " is void, and those signed with it: serial %s was revoked, or taken off hold, since: sign new ones "
        "in a ceremony",
        m->conf->name, crl->number, serial);
}

static int refuse_none(const struct making *m, struct p11ca_err *err)
{
    struct ledger_slots slots;
    char next[TEXT_TIME];

    if (ledger_get_slots(m->ledger, &m->scope, home_now(m->home), &slots, err) != 0)
        return -1;
    text_time(slots.first, next);
    if (slots.n)
        return err_set(err, P11CA_REFUSED, "CRL_NOT_DUE",
            "authority '%s': no CRL is due: the next of %" PRId64 " that lie ready is at %s", m->conf->name,
            slots.n, next);
    return err_set(err, P11CA_REFUSED, "CRL_NO_SLOT",
        "authority '%s': no CRL lies ready: sign new ones in a ceremony", m->conf->name);
}

static bool is_there(const struct making *m)
{
    AUTO_BUF text = BUF_INIT;
    struct p11ca_err ignored;

    return encode(m, &text, &ignored) == 0 && is_published(m, &text);
}

static int take_slot(struct making *m, const struct ledger_crl *crl, struct p11ca_err *err)
{
    m->plan.number = (uint64_t)crl->number;
    m->plan.this_update = crl->this_update;
    m->plan.next_update = crl->next_update;
    m->recorded = true;
    buf_add(&m->der, crl->der.p, crl->der.len);
    if (!buf_ok(&m->der))
        return err_nomem(err);
    if (check_der(m, NULL, &m->der, P11CA_LEDGER, err) != 0)
        return err_prefix(err, "authority '%s': CRL %" PRId64 " in the ledger", m->conf->name, crl->number);
    return refuse_void(m, crl, err);
}

/* Killed behind the commit, it was released and is in no file yet. */
static int release_again(struct making *m, struct p11ca_err *err)
{
    SCOPED(ledger_crl) struct ledger_crl *last = NULL;

    if (ledger_get_crl(m->ledger, &m->scope, false, &last, err) != 0)
        return -1;
    if (!last || !last->slot || last->next_update <= home_now(m->home))
        return refuse_none(m, err);
    if (take_slot(m, last, err) != 0)
        return -1;
    return is_there(m) ? refuse_none(m, err) : 0;
}

static int release_due(struct making *m, struct p11ca_err *err)
{
    SCOPED(ledger_crl) struct ledger_crl *crl = NULL;

    if (ledger_due_slot(m->ledger, &m->scope, home_now(m->home), &crl, err) != 0)
        return -1;
    if (!crl)
        return release_again(m, err);
    if (take_slot(m, crl, err) != 0)
        return -1;
    return ledger_release_crl(m->ledger, crl, err);
}

/* In one transaction: a revocation comes before it, and is seen, or after it. */
static int release(struct making *m, struct p11ca_err *err)
{
    if (ledger_begin(m->ledger, err) != 0)
        return -1;
    if (release_due(m, err) == 0)
        return ledger_commit(m->ledger, err);
    ledger_rollback(m->ledger);
    return -1;
}

int p11ca_crl_release(struct p11ca_home *home, const char *authority, const struct p11ca_crl_order *order,
    struct p11ca_crl *ret, struct p11ca_err *err)
{
    const struct crl_order o = {.output = order->output, .der = order->der, .force = order->force};
    __attribute__((cleanup(making_done))) struct making m = {.home = home, .order = &o};

    if (home_authority(home, authority, &m.conf, err) != 0 ||
        (!o.force && file_check_new(o.output, err) != 0) || home_ledger_write(home, &m.ledger, err) != 0)
        return -1;
    m.scope.authority = m.conf->name;
    if (need_issuer(&m, err) != 0 || release(&m, err) != 0)
        return -1;
    return finish(&m, ret, err);
}

int p11ca_crl(struct p11ca_home *home, const char *authority, const struct p11ca_crl_order *order,
    struct p11ca_crl *ret, struct p11ca_err *err)
{
    const struct crl_order o = {.days = order->days,
        .hours = order->hours,
        .delta = order->delta,
        .partition = order->partition,
        .output = order->output,
        .der = order->der,
        .force = order->force};

    return crl_issue(home, authority, &o, ret, err);
}
