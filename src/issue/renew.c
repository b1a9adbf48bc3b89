#include "issue/renew.h"

#include <p11ca/issue.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"
#include "issue/job.h"
#include "issue/order.h"
#include "issue/record.h"
#include "x509/cert.h"

/* --- asked by the pipeline --- */

/* Whoever asks for the old one again wants the newest: its serial is told. */
static int refuse_superseded(
    struct ledger *l, const struct renewal *old, const char *serial, struct p11ca_err *err)
{
    AUTO_LEDGER_CERT next = NULL;
    char by[2 * SERIAL_LEN + 1] = "another";

    if (ledger_find_successor(l, old->row, &next, err) != 0)
        return -1;
    if (next && next->serial.len <= SERIAL_LEN)
        text_hex(next->serial.p, next->serial.len, by);
    return err_set(
        err, P11CA_REFUSED, "RENEW_STATUS", "serial %s: superseded by serial %s: renew that one", serial, by);
}

static int refuse_time(
    struct p11ca_err *err, const char *code, const char *serial, const char *what, int64_t when)
{
    char text[TEXT_TIME];

    text_time(when, text);
    return err_set(
        err, P11CA_REFUSED, code, "serial %s: %s at %s: want a new order (p11ca issue)", serial, what, text);
}

int renew_check_row(struct ledger *l, const struct renewal *old, int64_t now, struct p11ca_err *err)
{
    AUTO_LEDGER_CERT c = NULL;
    char serial[2 * SERIAL_LEN + 1];

    if (ledger_get_cert(l, old->row, &c, err) != 0)
        return -1;
    text_hex(old->serial, old->serial_len, serial);
    if (!c || c->status == LEDGER_RESERVED)
        return err_set(err, P11CA_REFUSED, "RENEW_STATUS", "serial %s: reserved, and never issued", serial);
    if (c->status == LEDGER_REVOKED)
        return refuse_time(err, "RENEW_STATUS", serial, "revoked", c->revoked_at);
    if (c->status == LEDGER_SUPERSEDED)
        return refuse_superseded(l, old, serial, err);
    return c->not_after > now ? 0 : refuse_time(err, "RENEW_EXPIRED", serial, "expired", c->not_after);
}

static int names_changed(struct job *job, const char *what, const char *want, const char *have)
{
    err_set(&job->err, P11CA_REFUSED, "RENEW_NAMES", "%s: want '%s', as before, have '%s'", what, want, have);
    return job_fail(job);
}

int renew_check_job(struct job *job, const struct job_ctx *ctx)
{
    const struct renewal *old = ctx->renewal;
    const char *sans = old && old->sans ? old->sans : "";

    if (!old)
        return 0;
    if (strcmp((char *)job->subject_text.p, old->subject) != 0)
        return names_changed(job, "subject", old->subject, (char *)job->subject_text.p);
    if (strcmp((char *)job->sans_text.p, sans) != 0)
        return names_changed(job, "names", sans, (char *)job->sans_text.p);
    if (job->in.profile->same_key || !spki_equal(&job->spki, &old->spki))
        return 0;
    err_set(&job->err, P11CA_REFUSED, "RENEW_SAME_KEY",
        "profile '%s': public key: want a new one (renew-same-key is false), have the one of before",
        job->in.profile->name);
    return job_fail(job);
}

/* --- p11ca_renew() --- */

/* The old certificate, and what an order for the next one is made of. */
struct before {
    char *authority, *profile, *device, *subject, *sans;
    struct cert cert;
    struct san_list names;
    struct renewal renewal;
    size_t n;
};

static void before_done(struct before *b)
{
    free(b->authority);
    free(b->profile);
    free(b->device);
    free(b->subject);
    free(b->sans);
    cert_done(&b->cert);
    san_list_done(&b->names);
}

static char *copy(const char *text)
{
    return text ? strdup(text) : NULL;
}

static int take(void *arg, const struct ledger_cert *c, struct p11ca_err *err)
{
    struct before *b = arg;

    if (b->n++)
        return 0;
    b->authority = copy(c->authority);
    b->profile = copy(c->profile);
    b->device = copy(c->device);
    b->subject = copy(c->subject);
    b->sans = copy(c->sans);
    if (!b->authority || !b->profile || !b->subject || (c->device && !b->device) || (c->sans && !b->sans))
        return err_nomem(err);
    b->renewal = (struct renewal){.row = c->id, .subject = b->subject, .sans = b->sans};
    b->renewal.serial_len = c->serial.len < SERIAL_LEN ? c->serial.len : SERIAL_LEN;
    memcpy(b->renewal.serial, c->serial.p, b->renewal.serial_len);
    if (!c->cert.p)
        return 0;
    if (cert_read(c->cert.p, c->cert.len, &b->cert, err) == 0)
        return 0;
    err->kind = P11CA_LEDGER;
    return -1;
}

static int find(struct p11ca_home *home, const char *what, struct before *ret, struct p11ca_err *err)
{
    AUTO_LEDGER l = NULL;

    if (home_ledger_read(home, &l, err) != 0 || record_find(l, what, take, ret, err) != 0)
        return -1;
    if (ret->n > 1)
        return err_set(err, P11CA_USAGE, "SERIAL_AMBIGUOUS",
            "serial %s: several authorities have used it: want the certificate file", what);
    if (ret->n == 0)
        return err_set(err, P11CA_NEGATIVE, "NOT_IN_LEDGER", "%s: not in the ledger", what);
    /* Refused before anything else is said about the order. */
    return ret->cert.der.len ? 0 : renew_check_row(l, &ret->renewal, home_now(home), err);
}

static int read_names(struct before *b, struct p11ca_err *err)
{
    struct cert_facts f;

    if (tbs_facts(&b->cert.t, &f, err) != 0 ||
        spki_read(b->cert.t.spki.p, b->cert.t.spki.len, &b->renewal.spki, err) != 0)
        return -1;
    return f.san.p ? san_from_der(f.san, &b->names, err) : 0;
}

static int check_order(const struct p11ca_home *home, const struct p11ca_renewal *o, const struct before *b,
    struct p11ca_err *err)
{
    const struct profile *p = profiles_find(home->profiles, b->profile);

    if (!p)
        return err_set(err, P11CA_USAGE, "PROFILE", "no profile '%s' any more", b->profile);
    if (p->is_ca)
        return err_set(err, P11CA_REFUSED, "RENEW_CA",
            "profile '%s': a CA's certificate is renewed by a ceremony", p->name);
    if (o->same_key && !p->same_key)
        return err_set(err, P11CA_REFUSED, "RENEW_SAME_KEY",
            "profile '%s': want a new key (renew-same-key is false)", p->name);
    return 0;
}

int p11ca_renew(struct p11ca_home *home, const struct p11ca_renewal *o, struct p11ca_issued *ret,
    p11ca_record_fn *fn, void *arg, struct p11ca_err *err)
{
    __attribute__((cleanup(before_done))) struct before b = {.n = 0};
    struct order_extra extra = {.renewal = &b.renewal};
    struct p11ca_order order = {.csr = o->csr,
        .new_key = o->new_key,
        .fields = o->fields,
        .n_fields = o->n_fields,
        .ticket = o->ticket,
        .days = o->days,
        .output = o->output,
        .force = o->force,
        .reissue = true};

    if ((o->csr != NULL) + (o->new_key != NULL) + o->same_key != 1)
        return err_set(err, P11CA_USAGE, "ORDER", "want exactly one of --csr, --same-key and --new-key");
    if (find(home, o->what, &b, err) != 0 || check_order(home, o, &b, err) != 0)
        return -1;
    if (read_names(&b, err) != 0)
        return err_prefix(err, "%s", o->what);
    order.authority = b.authority;
    order.profile = b.profile;
    order.id = b.device;
    extra.subject = b.cert.t.subject;
    extra.sans = &b.names;
    extra.spki = o->same_key ? &b.renewal.spki : NULL;
    return order_issue(home, &order, &extra, ret, fn, arg, err);
}
