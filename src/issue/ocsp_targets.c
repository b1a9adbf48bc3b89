/* Whose status is asked for: certificates of an authority, by what the ledger knows of them. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "issue/authority.h"
#include "issue/ocsp.h"
#include "issue/record.h"

struct finding {
    const struct issuer *ca;
    const char *authority, *named; /* named NULL: all are asked for */
    int64_t now;
    struct ocsp_targets found;
    size_t rows;
};

void ocsp_targets_done(struct ocsp_targets *t)
{
    free(t->v);
    memset(t, 0, sizeof(*t));
}

static int add(struct ocsp_targets *t, const struct ledger_cert *c, struct p11ca_err *err)
{
    struct ocsp_target *more = t->v;

    if (t->n == t->room) {
        more = realloc(t->v, (2 * t->room + 64) * sizeof(*more));
        if (!more)
            return err_nomem(err);
        t->v = more;
        t->room = 2 * t->room + 64;
    }
    t->v[t->n] = (struct ocsp_target){.serial_len = (uint8_t)c->serial.len,
        .revoked = c->status == LEDGER_REVOKED || c->revoked_at,
        .reason = c->reason,
        .revoked_at = c->revoked_at};
    memcpy(t->v[t->n++].serial, c->serial.p, c->serial.len);
    return 0;
}

/* NULL, or why there is no response for it. */
static const char *why_none(const struct finding *f, const struct ledger_cert *c)
{
    if (!c->cert.p)
        return "it is reserved, and was never issued";
    if (c->not_after <= f->now)
        return "it has expired";
    return der_equal(DER_OF(c->cert.p, c->cert.len), der_buf(&f->ca->cert)) ? "it is the CA's own" : NULL;
}

static int take(void *arg, const struct ledger_cert *c, struct p11ca_err *err)
{
    struct finding *f = arg;
    const char *why;

    if (strcmp(c->authority, f->authority) != 0)
        return 0;
    f->rows++;
    why = why_none(f, c);
    if (why && f->named)
        return err_set(err, P11CA_REFUSED, "OCSP_NONE", "%s: no response: %s", f->named, why);
    if (why)
        return 0;
    if (c->serial.len > SERIAL_LEN)
        return err_set(err, P11CA_LEDGER, "SERIAL_LENGTH",
            "RFC 5280 4.1.2.2: serial: want at most %d octets, have %zu", SERIAL_LEN, c->serial.len);
    return add(&f->found, c, err);
}

/* Once each, however often it is named. */
static int take_named(struct ledger *l, struct finding *f, const char *what, struct p11ca_err *err)
{
    f->named = what;
    f->rows = 0;
    if (record_find(l, what, take, f, err) != 0)
        return -1;
    return f->rows
               ? 0
               : err_set(err, P11CA_NEGATIVE, "NOT_IN_LEDGER",
                     "%s: authority '%s' has issued no such certificate: no response", what, f->authority);
}

static int by_serial(const void *a, const void *b)
{
    const struct ocsp_target *x = a, *y = b;

    if (x->serial_len != y->serial_len)
        return x->serial_len < y->serial_len ? -1 : 1;
    return memcmp(x->serial, y->serial, x->serial_len);
}

static void drop_doubles(struct ocsp_targets *t)
{
    size_t i, n = 0;

    if (t->n == 0)
        return;
    qsort(t->v, t->n, sizeof(*t->v), by_serial);
    for (i = 1; i < t->n; i++) {
        if (by_serial(&t->v[n], &t->v[i]) != 0)
            t->v[++n] = t->v[i];
    }
    t->n = n + 1;
}

static int find_all(
    struct ledger *l, const struct p11ca_ocsp_order *order, struct finding *f, struct p11ca_err *err)
{
    struct ledger_filter all = LEDGER_ANY;
    size_t i;

    all.authority = order->authority;
    if (order->n_only == 0)
        return ledger_each_cert(l, &all, take, f, err) == 0 ? 0 : -1;
    for (i = 0; i < order->n_only; i++) {
        if (take_named(l, f, order->only[i], err) != 0)
            return -1;
    }
    drop_doubles(&f->found);
    return 0;
}

int ocsp_targets_find(struct ledger *l, const struct p11ca_ocsp_order *order, const struct issuer *ca,
    int64_t now, struct ocsp_targets *ret, struct p11ca_err *err)
{
    struct finding f = {.ca = ca, .authority = order->authority, .now = now};

    if (find_all(l, order, &f, err) != 0) {
        ocsp_targets_done(&f.found);
        return -1;
    }
    *ret = f.found;
    return 0;
}

/* --- the responder's certificate --- */

struct choosing {
    uint8_t spki_sha256[SHA256_LEN];
    int64_t now, not_after;
    struct buf *cert;
};

static int choose(void *arg, const struct ledger_cert *c, struct p11ca_err *err)
{
    struct choosing *h = arg;

    (void)err;
    if (c->spki_sha256.len != SHA256_LEN || memcmp(c->spki_sha256.p, h->spki_sha256, SHA256_LEN) != 0 ||
        c->not_before > h->now || c->not_after <= h->now || c->not_after < h->not_after)
        return 0;
    h->not_after = c->not_after;
    buf_reset(h->cert);
    buf_add(h->cert, c->cert.p, c->cert.len);
    return 0;
}

int ocsp_find_cert(struct ledger *l, const char *authority, const struct authority_conf *responder,
    int64_t now, struct buf *ret, struct p11ca_err *err)
{
    struct choosing h = {.now = now, .cert = ret};
    struct ledger_filter f = LEDGER_ANY;
    AUTO_RECORD record = NULL;

    f.authority = authority;
    f.profile = responder->profile_name;
    f.status = LEDGER_ISSUED;
    if (ledger_get_authority(l, responder->name, &record, err) != 0)
        return -1;
    if (record && hash_sha256(record->spki.p, record->spki.len, h.spki_sha256) != 0)
        return err_openssl(err, P11CA_BUG, "authority '%s': SHA-256", responder->name);
    if (record && ledger_each_cert(l, &f, choose, &h, err) != 0)
        return -1;
    if (!buf_ok(ret))
        return err_nomem(err);
    return ret->len ? 0
                    : err_set(err, P11CA_CONFIG, "NO_RESPONDER_CERT",
                          "authority '%s': want a valid certificate of profile '%s' by '%s' for its key, "
                          "have none "
                          "(p11ca request %s, p11ca issue -a %s -p %s)",
                          responder->name, responder->profile_name, authority, responder->name, authority,
                          responder->profile_name);
}
