/* Trust bundles: roots, what they have signed for one another, and the CA certificates below. */
#include <p11ca/bundle.h>

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "issue/authority.h"
#include "x509/cert.h"
#include "x509/p7b.h"
#include "x509/pem.h"

#define MAX_CERTS 256 /* authorities of one home, and what they have crossed */

struct bundle {
    struct p11ca_home *home;
    const struct p11ca_bundle *order;
    struct ledger *ledger;
    struct buf certs[MAX_CERTS]; /* in the order of the file */
    size_t n;
    const struct authority_conf *roots[MAX_CERTS]; /* those that are trusted */
    struct cert all[MAX_CERTS];                    /* roots of every authority given: who may be crossed */
    size_t n_roots, n_all;
};

static void bundle_free(struct bundle *b)
{
    while (b->n)
        buf_done(&b->certs[--b->n]);
    while (b->n_all)
        cert_done(&b->all[--b->n_all]);
    ledger_close(b->ledger);
    free(b);
}

static int add(struct bundle *b, struct der der, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < b->n; i++) {
        if (der_equal(der_buf(&b->certs[i]), der))
            return 0;
    }
    if (b->n == MAX_CERTS)
        return err_set(err, P11CA_REFUSED, "BUNDLE_SIZE", "bundle: want at most %d certificates", MAX_CERTS);
    buf_add(&b->certs[b->n], der.p, der.len);
    return buf_ok(&b->certs[b->n++]) ? 0 : err_nomem(err);
}

static int add_ca(struct bundle *b, const struct authority_conf *conf, struct p11ca_err *err)
{
    AUTO_RECORD record = NULL;

    if (ledger_get_authority(b->ledger, conf->name, &record, err) != 0)
        return -1;
    if (!record || !record->cert.p)
        return err_set(
            err, P11CA_CONFIG, "NO_CA_CERT", "authority '%s': no CA certificate installed", conf->name);
    return add(b, DER_OF(record->cert.p, record->cert.len), err);
}

/* No chain is longer than there are authorities: a configuration may name issuers in a circle. */
static int find_root(const struct bundle *b, const struct authority_conf *conf,
    const struct authority_conf **ret, struct p11ca_err *err)
{
    size_t depth;

    for (depth = 0; conf->issuer && depth < b->home->n_authorities; depth++) {
        if (home_authority(b->home, conf->issuer, &conf, err) != 0)
            return -1;
    }
    if (!conf->profile->self_signed)
        return err_set(
            err, P11CA_CONFIG, "NO_ROOT", "authority '%s': no root above it in this home", conf->name);
    *ret = conf;
    return 0;
}

static int note_root(struct bundle *b, const struct authority_conf *root, struct p11ca_err *err)
{
    AUTO_RECORD record = NULL;

    if (ledger_get_authority(b->ledger, root->name, &record, err) != 0)
        return -1;
    if (!record || !record->cert.p)
        return err_set(
            err, P11CA_CONFIG, "NO_CA_CERT", "authority '%s': no CA certificate installed", root->name);
    if (b->n_all == MAX_CERTS)
        return err_set(err, P11CA_REFUSED, "BUNDLE_SIZE", "bundle: want at most %d certificates", MAX_CERTS);
    if (cert_read(record->cert.p, record->cert.len, &b->all[b->n_all], err) != 0)
        return err_prefix(err, "authority '%s'", root->name);
    b->n_all++;
    return 0;
}

/* Of two that change places, one or both are trusted. */
static bool is_trusted(const struct bundle *b, size_t i)
{
    switch (b->order->rotation) {
    case P11CA_ROTATION_NOW:
        return i == 0;
    case P11CA_ROTATION_AFTER:
        return i == 1;
    case P11CA_ROTATION_NONE:
    case P11CA_ROTATION_OVERLAP:
        break;
    }
    return true;
}

static size_t count(const struct bundle *b)
{
    return b->order->n_authorities ? b->order->n_authorities : b->home->n_authorities;
}

static int nth(const struct bundle *b, size_t i, const struct authority_conf **ret, struct p11ca_err *err)
{
    if (b->order->n_authorities)
        return home_authority(b->home, b->order->authorities[i], ret, err);
    *ret = &b->home->authorities[i];
    return 0;
}

static int add_roots(struct bundle *b, struct p11ca_err *err)
{
    const struct authority_conf *conf, *root = NULL;
    size_t i;

    for (i = 0; i < count(b); i++) {
        if (nth(b, i, &conf, err) != 0 || find_root(b, conf, &root, err) != 0 || note_root(b, root, err) != 0)
            return -1;
        if (!is_trusted(b, i))
            continue;
        if (add_ca(b, root, err) != 0)
            return -1;
        b->roots[b->n_roots++] = root;
    }
    return 0;
}

/* For another root that was given: the same name and key in a certificate by one that is trusted. */
static int add_cross(void *arg, const struct ledger_cert *row, struct p11ca_err *err)
{
    struct bundle *b = arg;
    AUTO_CERT cert = CERT_INIT;
    size_t i;

    if (!row->cert.p || row->status != LEDGER_ISSUED || row->not_after <= home_now(b->home))
        return 0;
    if (cert_read(row->cert.p, row->cert.len, &cert, err) != 0)
        return -1;
    for (i = 0; i < b->n_all; i++) {
        if (cert_is_ca(&cert) && der_equal(cert.t.subject, b->all[i].t.subject) &&
            der_equal(cert.t.spki, b->all[i].t.spki) && !cert_is_self_issued(&cert))
            return add(b, der_buf(&cert.der), err);
    }
    return 0;
}

static int add_crosses(struct bundle *b, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; b->order->cross && i < b->n_roots; i++) {
        struct ledger_filter f = LEDGER_ANY;

        f.authority = b->roots[i]->name;
        f.profile = "cross-ca";
        if (ledger_each_cert(b->ledger, &f, add_cross, b, err) != 0)
            return -1;
    }
    return 0;
}

static int add_chains(struct bundle *b, struct p11ca_err *err)
{
    const struct authority_conf *conf;
    size_t i, depth;

    for (i = 0; b->order->chain && i < count(b); i++) {
        if (nth(b, i, &conf, err) != 0)
            return -1;
        for (depth = 0; is_trusted(b, i) && conf->issuer && depth < b->home->n_authorities; depth++) {
            if (add_ca(b, conf, err) != 0 || home_authority(b->home, conf->issuer, &conf, err) != 0)
                return -1;
        }
    }
    return 0;
}

static int encode(const struct bundle *b, struct buf *ret, struct p11ca_err *err)
{
    struct der certs[MAX_CERTS];
    size_t i;

    for (i = 0; i < b->n; i++)
        certs[i] = der_buf(&b->certs[i]);
    if (b->order->pkcs7)
        return p7b_make(certs, b->n, ret, err);
    for (i = 0; i < b->n; i++)
        pem_encode(PEM_CERT, certs[i], ret);
    return buf_ok(ret) ? 0 : err_nomem(err);
}

static int publish(const struct bundle *b, struct p11ca_err *err)
{
    AUTO_BUF bytes = BUF_INIT, have = BUF_INIT;
    struct p11ca_err ignored;

    if (encode(b, &bytes, err) != 0)
        return -1;
    if (file_read(b->order->output, LIMIT_CERT_FILE, &have, &ignored) == 0 &&
        der_equal(der_buf(&have), der_buf(&bytes)))
        return 0;
    return file_write(
        b->order->output, b->order->force ? FILE_REPLACE : FILE_NEW, 0644, bytes.p, bytes.len, err);
}

int p11ca_bundle(
    struct p11ca_home *home, const struct p11ca_bundle *order, size_t *ret_n, struct p11ca_err *err)
{
    struct bundle *b;
    int rc;

    if (order->rotation != P11CA_ROTATION_NONE && order->n_authorities != 2)
        return err_set(err, P11CA_USAGE, "USAGE",
            "rotation: want two authorities, the present and the next, have %zu", order->n_authorities);
    b = calloc(1, sizeof(*b));
    if (!b)
        return err_nomem(err);
    b->home = home;
    b->order = order;
    rc = home_ledger_read(home, &b->ledger, err);
    if (rc == 0 && (add_roots(b, err) != 0 || add_crosses(b, err) != 0 || add_chains(b, err) != 0 ||
                       publish(b, err) != 0))
        rc = -1;
    if (rc == 0)
        *ret_n = b->n;
    bundle_free(b);
    return rc;
}
