/*
 * Revoking: which rows are meant, whether each may be revoked for this reason, and the ledger's transaction. No token is touched.
 */
#include <p11ca/revoke.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "issue/authority.h"
#include "issue/record.h"
#include "issue/reject.h"
#include "x509/cert.h"
#include "x509/crl.h"

#define TURN                                                                                                 \
    1000 /* rows of a lot in one transaction: a few hundred milliseconds, and others wait for no more */
#define BECAUSE 512

struct revoking {
    struct p11ca_home *home;
    const struct p11ca_revoke_order *what;
    struct ledger_revocation r;
    struct ledger *ledger;
    p11ca_revoked_fn *fn;
    void *arg;
    struct p11ca_revoked done;
    struct ledger_filter all; /* of the lot or device */
    int64_t *rows;            /* to do, in one transaction */
    size_t n, room;
};

static void revoking_done(struct revoking *v)
{
    free(v->rows);
    ledger_close(v->ledger);
}

const char *p11ca_reason_name(int reason)
{
    return crl_reason_name(reason);
}

/* --- the question --- */

static int read_reason(struct revoking *v, struct p11ca_err *err)
{
    const struct p11ca_revoke_order *w = v->what;

    if (w->undo && (w->reason || w->invalid_since))
        return err_set(err, P11CA_USAGE, "REASON", "reason: want none to take a hold back");
    if (w->undo)
        return 0;
    if (!w->reason)
        return err_set(err, P11CA_USAGE, "REASON", "reason: want one");
    v->r.reason = crl_reason_from_name(w->reason);
    if (v->r.reason < 0 || v->r.reason == CRL_REMOVE)
        return err_set(err, P11CA_USAGE, "REASON",
            "reason '%s': RFC 5280 5.3.1: want unspecified, keyCompromise, cACompromise, affiliationChanged, "
            "superseded, cessationOfOperation, certificateHold, privilegeWithdrawn or aACompromise",
            w->reason);
    v->r.name = crl_reason_name(v->r.reason);
    return 0;
}

static int check_because(const char *text, struct p11ca_err *err)
{
    const uint8_t *p = (const uint8_t *)text;
    size_t len = text ? strlen(text) : 0, n;
    uint32_t c;

    if (len > BECAUSE)
        return err_set(
            err, P11CA_USAGE, "BECAUSE", "because: want at most %d octets, have %zu", BECAUSE, len);
    for (; len; p += n, len -= n) {
        n = text_utf8(p, len, &c);
        if (n == 0 || text_is_control(c))
            return err_set(
                err, P11CA_USAGE, "BECAUSE", "because: want UTF-8 without control characters, have others");
    }
    return 0;
}

static int check_invalid_since(const struct revoking *v, struct p11ca_err *err)
{
    char want[TEXT_TIME], have[TEXT_TIME];

    if (v->what->invalid_since >= 0 && v->what->invalid_since <= home_now(v->home))
        return 0;
    text_time(home_now(v->home), want);
    text_time(v->what->invalid_since, have);
    return err_set(err, P11CA_USAGE, "INVALID_SINCE",
        "invalid since: RFC 5280 5.3.2: want a time up to now, %s, have %s", want, have);
}

static int read_question(struct revoking *v, struct p11ca_err *err)
{
    const struct p11ca_revoke_order *w = v->what;
    const struct authority_conf *conf;

    if ((w->n_certs != 0) + (w->lot != NULL) + (w->device != NULL) != 1)
        return err_set(err, P11CA_USAGE, "USAGE", "want certificates, or a lot, or a device");
    if (w->authority && home_authority(v->home, w->authority, &conf, err) != 0)
        return -1;
    v->r.invalid_since = w->invalid_since;
    v->r.because = w->because && w->because[0] ? w->because : NULL;
    return read_reason(v, err) == 0 && check_because(w->because, err) == 0 ? check_invalid_since(v, err) : -1;
}

/* --- one certificate: may it be revoked so? --- */

/* The list that would say so is signed by the very key in question. */
static int check_self(
    const struct revoking *v, const struct ledger_cert *c, const char *serial, struct p11ca_err *err)
{
    AUTO_RECORD record = NULL;

    if (ledger_get_authority(v->ledger, c->authority, &record, err) != 0)
        return -1;
    if (!record || record->cert.len != c->cert.len || memcmp(record->cert.p, c->cert.p, c->cert.len) != 0)
        return 0;
    return err_set(err, P11CA_REFUSED, "SELF_SIGNED",
        "serial %s: it is the certificate of authority '%s' itself: whoever relies on a root has to be told "
        "in "
        "another way",
        serial, c->authority);
}

static int check_reason(
    const struct revoking *v, const struct cert *cert, const char *serial, struct p11ca_err *err)
{
    bool is_ca = cert_is_ca(cert);

    if (v->what->undo)
        return 0;
    if (is_ca && (v->r.reason == CRL_HOLD || v->r.reason == CRL_UNSPECIFIED))
        return err_set(err, P11CA_REFUSED, "REASON_CA",
            "serial %s: BR 7.2.2: a CA certificate: want a reason that is final, have %s", serial, v->r.name);
    if (!is_ca && v->r.reason == CRL_CA_COMPROMISE)
        return err_set(err, P11CA_REFUSED, "REASON_CA",
            "serial %s: RFC 5280 5.3.1: cACompromise is for CA certificates; this is none", serial);
    return 0;
}

static int check_cert(const struct revoking *v, const struct ledger_cert *c, struct p11ca_err *err)
{
    AUTO_CERT cert = CERT_INIT;
    struct record_view view;

    if (!c->cert.p)
        return 0; /* reserved: the ledger refuses it in its own words */
    record_view(&view, c);
    if (cert_read(c->cert.p, c->cert.len, &cert, err) != 0) {
        err->kind = P11CA_LEDGER;
        return err_prefix(err, "serial %s: certificate in the ledger", view.serial);
    }
    return check_self(v, c, view.serial, err) == 0 ? check_reason(v, &cert, view.serial, err) : -1;
}

/* --- which rows --- */

static int add_row(struct revoking *v, int64_t id, struct p11ca_err *err)
{
    int64_t *more;
    size_t i;

    for (i = 0; v->what->n_certs && i < v->n; i++) {
        if (v->rows[i] == id)
            return 0; /* named twice */
    }
    if (v->n == v->room) {
        more = realloc(v->rows, (2 * v->room + 16) * sizeof(*more));
        if (!more)
            return err_nomem(err);
        v->rows = more;
        v->room = 2 * v->room + 16;
    }
    v->rows[v->n++] = id;
    return 0;
}

/* Those with a serial: one, unless two authorities have drawn the same. */
struct found {
    struct revoking *v;
    int64_t id;
    size_t n;
    char authority[2][65];
};

static int take_found(void *arg, const struct ledger_cert *c, struct p11ca_err *err)
{
    struct found *f = arg;

    if (f->n < 2)
        snprintf(f->authority[f->n], sizeof(f->authority[0]), "%s", c->authority);
    f->id = c->id;
    return f->n++ ? 0 : check_cert(f->v, c, err);
}

static int find_serial(struct revoking *v, const char *text, struct p11ca_err *err)
{
    struct ledger_filter f = LEDGER_ANY;
    struct found found = {.v = v};
    uint8_t serial[20];

    f.serial.p = serial;
    f.authority = v->what->authority;
    if (record_serial_read(text, serial, &f.serial.len) != 0)
        return err_set(err, P11CA_USAGE, "SERIAL", "'%s': want a serial in hex, or a certificate file", text);
    if (ledger_each_cert(v->ledger, &f, take_found, &found, err) != 0)
        return -1;
    if (found.n == 0)
        return err_set(err, P11CA_REFUSED, "SERIAL_UNKNOWN", "serial %s: not in the ledger%s%s", text,
            f.authority ? " of authority " : "", f.authority ? f.authority : "");
    if (found.n > 1)
        return err_set(err, P11CA_USAGE, "SERIAL_AMBIGUOUS",
            "serial %s: authorities '%s' and '%s' have issued one: say which with -a", text,
            found.authority[0], found.authority[1]);
    return add_row(v, found.id, err);
}

/* Whose signature is on a certificate: an authority of this home. */
struct signer_search {
    const struct revoking *v;
    const struct cert *cert;
    bool named; /* one has its issuer's name */
    char found[65];
};

static int try_authority(void *arg, const struct ledger_authority *a, struct p11ca_err *err)
{
    struct signer_search *s = arg;
    AUTO_ISSUER issuer = NULL;
    struct p11ca_err why;

    (void)err;
    if (!a->cert.p || issuer_read(a->cert.p, a->cert.len, &issuer, &why) != 0 ||
        !der_equal(issuer->subject, s->cert->t.issuer))
        return 0;
    s->named = true;
    if (issuer_has_signed(issuer, s->cert, &why) == 0)
        snprintf(s->found, sizeof(s->found), "%s", a->name);
    return 0;
}

static int find_signer(struct signer_search *s, struct p11ca_err *err)
{
    if (ledger_each_authority(s->v->ledger, try_authority, s, err) != 0)
        return -1;
    if (s->found[0] && s->v->what->authority && strcmp(s->found, s->v->what->authority) != 0)
        return err_set(err, P11CA_REFUSED, "ISSUER_UNKNOWN", "issued by authority '%s', not by '%s'",
            s->found, s->v->what->authority);
    if (s->found[0])
        return 0;
    return s->named ? err_set(err, P11CA_REFUSED, "SIGNATURE_BAD",
                          "it names an authority of this home as its issuer, and is not signed by its key")
                    : err_set(err, P11CA_REFUSED, "ISSUER_UNKNOWN", "issued by no authority of this home");
}

/* Signed by our key and not in the ledger: made behind its back. The alarm stays when the revocation is refused. */
static int alarm_unknown(struct revoking *v, const char *path, const char *authority, struct p11ca_err *err)
{
    struct p11ca_err why = {0};
    int rc;

    rc = err_set(err, P11CA_REFUSED, "NOT_IN_LEDGER",
        "%s: signed by authority '%s', but the ledger does not know this certificate: it was made behind its "
        "back",
        path, authority);
    if (ledger_begin(v->ledger, &why) != 0)
        return rc;
    if (reject_note(v->ledger, authority, NULL, err, &why) != 0 || ledger_commit(v->ledger, &why) != 0)
        ledger_rollback(v->ledger);
    return rc;
}

static int find_file(struct revoking *v, const char *path, struct p11ca_err *err)
{
    AUTO_BUF file = BUF_INIT;
    AUTO_CERT cert = CERT_INIT;
    AUTO_LEDGER_CERT row = NULL;
    struct signer_search s = {.v = v, .cert = &cert};
    uint8_t sha256[SHA256_LEN];

    if (file_read(path, LIMIT_CERT, &file, err) != 0)
        return -1;
    if (cert_read(file.p, file.len, &cert, err) != 0 || find_signer(&s, err) != 0)
        return err_prefix(err, "%s", path);
    if (hash_sha256(cert.der.p, cert.der.len, sha256) != 0)
        return err_openssl(err, P11CA_BUG, "%s: SHA-256", path);
    if (ledger_find_cert(v->ledger, (struct blob){cert.t.serial.p, cert.t.serial.len}, sha256, &row, err) !=
        0)
        return -1;
    if (!row && ledger_find_bare(v->ledger, s.found, (struct blob){cert.t.serial.p, cert.t.serial.len},
                    cert.t.not_after, &row, err) != 0)
        return -1;
    if (!row || strcmp(row->authority, s.found) != 0)
        return alarm_unknown(v, path, s.found, err);
    return check_cert(v, row, err) == 0 ? add_row(v, row->id, err) : -1;
}

static int find_certs(struct revoking *v, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < v->what->n_certs; i++) {
        const char *what = v->what->certs[i];

        if ((file_exists(what) ? find_file(v, what, err) : find_serial(v, what, err)) != 0)
            return -1;
    }
    return 0;
}

struct lots {
    int64_t id;
    size_t n;
};

static int take_lot(void *arg, int64_t id, const struct ledger_lot *lot, struct p11ca_err *err)
{
    struct lots *lots = arg;

    (void)lot, (void)err;
    lots->id = id;
    lots->n++;
    return 0;
}

static int find_lot(struct revoking *v, struct p11ca_err *err)
{
    struct ledger_lot like = {.authority = v->what->authority, .name = v->what->lot};
    uint8_t sha256[SHA256_LEN];
    struct lots lots = {0};

    if (text_unhex(v->what->lot, sha256, sizeof(sha256)) == SHA256_LEN)
        like = (struct ledger_lot){.authority = v->what->authority, .sha256 = {sha256, sizeof(sha256)}};
    if (ledger_each_lot(v->ledger, &like, take_lot, &lots, err) != 0)
        return -1;
    if (lots.n == 0)
        return err_set(err, P11CA_REFUSED, "LOT_UNKNOWN",
            "lot '%s': not in the ledger: want its input as it was given to p11ca batch, or its SHA-256",
            v->what->lot);
    if (lots.n > 1)
        return err_set(err, P11CA_USAGE, "LOT_AMBIGUOUS",
            "lot '%s': the ledger has %zu of this name: say which by its SHA-256%s", v->what->lot, lots.n,
            v->what->authority ? "" : ", or by -a");
    v->all.lot_id = lots.id;
    return 0;
}

/* --- the transaction --- */

static enum p11ca_revoked_how how_of(int r)
{
    return r > 0 ? P11CA_REVOKED_NOW : P11CA_REVOKED_ALREADY;
}

static int change(struct revoking *v, int64_t id, struct p11ca_err *err)
{
    return v->what->undo ? ledger_unhold(v->ledger, id, v->r.because, err)
                         : ledger_revoke(v->ledger, id, &v->r, err);
}

/* Of a lot or device, one that is revoked for another reason stays so, and is told of. */
static int change_row(struct revoking *v, int64_t id, enum p11ca_revoked_how *ret, struct p11ca_err *err)
{
    struct p11ca_err why = {0};
    int r = change(v, id, &why);

    if (r >= 0) {
        *ret = how_of(r);
        return 0;
    }
    if (v->what->n_certs || why.kind != P11CA_REFUSED) {
        *err = why;
        return -1;
    }
    *ret = P11CA_REVOKED_LEFT;
    return 0;
}

/* What the row was before is shown after it was changed: a result is told when it is one. */
static int change_rows(
    struct revoking *v, struct ledger_cert **records, enum p11ca_revoked_how *how, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < v->n; i++) {
        if ((v->fn && ledger_get_cert(v->ledger, v->rows[i], &records[i], err) != 0) ||
            change_row(v, v->rows[i], &how[i], err) != 0)
            return -1;
    }
    return 0;
}

static int transact(
    struct revoking *v, struct ledger_cert **records, enum p11ca_revoked_how *how, struct p11ca_err *err)
{
    ledger_set_now(v->ledger, home_now(v->home));
    if (ledger_begin(v->ledger, err) != 0)
        return -1;
    if (change_rows(v, records, how, err) != 0) {
        ledger_rollback(v->ledger);
        return -1;
    }
    if (!v->what->dry_run)
        return ledger_commit(v->ledger, err);
    ledger_rollback(v->ledger);
    return 0;
}

static void tell(struct revoking *v, struct ledger_cert *const *records, const enum p11ca_revoked_how *how)
{
    struct record_view view;
    size_t i;

    for (i = 0; i < v->n; i++) {
        v->done.n[how[i]]++;
        if (!v->fn)
            continue;
        record_view(&view, records[i]);
        (void)v->fn(v->arg, &view.record, how[i]);
    }
}

static int revoke_rows(struct revoking *v, struct p11ca_err *err)
{
    struct ledger_cert **records = calloc(v->n + 1, sizeof(struct ledger_cert *));
    enum p11ca_revoked_how *how = calloc(v->n + 1, sizeof(*how));
    int rc = records && how ? transact(v, records, how, err) : err_nomem(err);
    size_t i;

    if (rc == 0)
        tell(v, records, how);
    for (i = 0; records && i < v->n; i++)
        ledger_cert_free(records[i]);
    free(records);
    free(how);
    return rc;
}

/* --- many --- */

struct turn {
    struct revoking *v;
    int64_t now;
    size_t seen;
};

/* What has ended needs no revocation, and what was never issued can have none. */
static int take_row(void *arg, const struct ledger_cert *c, struct p11ca_err *err)
{
    struct turn *t = arg;

    t->seen++;
    t->v->all.after_id = c->id;
    if (c->status == LEDGER_RESERVED || c->not_after < t->now)
        return 0;
    if (t->v->what->undo && c->reason != LEDGER_HOLD)
        return 0;
    return check_cert(t->v, c, err) == 0 ? add_row(t->v, c->id, err) : -1;
}

static int revoke_many(struct revoking *v, struct p11ca_err *err)
{
    struct turn t = {.v = v, .now = home_now(v->home), .seen = TURN};

    v->all.limit = TURN;
    while (t.seen == TURN) {
        t.seen = v->n = 0;
        if (ledger_each_cert(v->ledger, &v->all, take_row, &t, err) != 0 || revoke_rows(v, err) != 0)
            return -1;
    }
    return 0;
}

static int revoke_device(struct revoking *v, struct p11ca_err *err)
{
    v->all.device = v->what->device;
    if (revoke_many(v, err) != 0)
        return -1;
    if (v->done.n[P11CA_REVOKED_NOW] + v->done.n[P11CA_REVOKED_ALREADY] + v->done.n[P11CA_REVOKED_LEFT])
        return 0;
    return err_set(err, P11CA_REFUSED, "DEVICE_UNKNOWN",
        "device '%s': want a certificate that %s, have none in the ledger", v->what->device,
        v->what->undo ? "is on hold" : "has not ended");
}

static int revoke_all(struct revoking *v, struct p11ca_err *err)
{
    if (v->what->device)
        return revoke_device(v, err);
    if (v->what->lot)
        return find_lot(v, err) == 0 ? revoke_many(v, err) : -1;
    return find_certs(v, err) == 0 ? revoke_rows(v, err) : -1;
}

int p11ca_revoke(struct p11ca_home *home, const struct p11ca_revoke_order *what, p11ca_revoked_fn *fn,
    void *arg, struct p11ca_revoked *ret, struct p11ca_err *err)
{
    __attribute__((cleanup(revoking_done))) struct revoking v = {
        .home = home, .what = what, .fn = fn, .arg = arg, .all = LEDGER_ANY};

    v.all.authority = what->authority;
    if (read_question(&v, err) != 0 || home_ledger_write(home, &v.ledger, err) != 0 ||
        revoke_all(&v, err) != 0)
        return -1;
    *ret = v.done;
    return 0;
}
