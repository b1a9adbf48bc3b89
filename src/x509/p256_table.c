#include "x509/p256_table.h"

#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <stdlib.h>
#include <string.h>

#include "x509/ossl.h"

SCOPE_DEFINE(point, EC_POINT *, EC_POINT_free)
SCOPE_DEFINE(table, struct p256_table *, p256_table_free)

struct p256_table {
    EC_GROUP *curve; /* multiplies the generator */
    EC_GROUP *own;   /* the same curve, with the key's point for a generator, and the table of it */
    BIGNUM *n;       /* order of both */
};

void p256_table_free(struct p256_table *t)
{
    if (!t)
        return;
    EC_GROUP_free(t->curve);
    EC_GROUP_free(t->own);
    BN_free(t->n);
    free(t);
}

/* What the table says of a multiple, and what the curve does. */
static bool agree(const struct p256_table *t, const EC_POINT *key, BN_CTX *ctx)
{
    SCOPED(point) EC_POINT *a = EC_POINT_new(t->curve);
    SCOPED(point) EC_POINT *b = EC_POINT_new(t->curve);
    SCOPED(bn) BIGNUM *k = BN_dup(t->n);

    return a && b && k && BN_rshift1(k, k) == 1 && EC_POINT_mul(t->own, a, k, NULL, NULL, ctx) == 1 &&
           EC_POINT_mul(t->curve, b, NULL, key, k, ctx) == 1 && EC_POINT_cmp(t->curve, a, b, ctx) == 0;
}

/* Deprecated, because OpenSSL itself has no use for it any more: nothing else makes a table of a point. */
static bool precompute(EC_GROUP *group, BN_CTX *ctx)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    return EC_GROUP_precompute_mult(group, ctx) == 1;
#pragma GCC diagnostic pop
}

static bool fill(struct p256_table *t, struct der bytes)
{
    SCOPED(bn_ctx) BN_CTX *ctx = BN_CTX_new();
    SCOPED(point) EC_POINT *key = NULL;

    t->curve = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    t->n = BN_new();
    t->own = t->curve ? EC_GROUP_dup(t->curve) : NULL;
    key = t->curve ? EC_POINT_new(t->curve) : NULL;
    return ctx && t->own && t->n && key && EC_GROUP_get_order(t->curve, t->n, ctx) == 1 &&
           EC_POINT_oct2point(t->curve, key, bytes.p, bytes.len, ctx) == 1 &&
           EC_GROUP_set_generator(t->own, key, t->n, BN_value_one()) == 1 && precompute(t->own, ctx) &&
           agree(t, key, ctx);
}

int p256_table_new(const struct spki *key, struct p256_table **ret, struct p11ca_err *err)
{
    SCOPED(table) struct p256_table *t = calloc(1, sizeof(*t));

    if (!t)
        return err_nomem(err);
    if (key->kind != KEY_P256 || !fill(t, spki_key(key)))
        return err_openssl(err, P11CA_BUG, "table of a P-256 key");
    *ret = t;
    t = NULL;
    return 0;
}

/* Signatures of the right form: what is known of them. */
struct item {
    struct p256_signature *of;
    BIGNUM *r, *s;
    BIGNUM *product; /* of s of this one and all before */
};

/* An INTEGER of 1 to n-1, canonical. */
static bool read_number(struct der *in, const BIGNUM *n, BIGNUM *ret)
{
    struct der c;

    return der_next(in, DER_INTEGER, &c) == 0 && c.len > 0 && c.len <= 33 && !(c.p[0] & 0x80) &&
           BN_bin2bn(c.p, (int)c.len, ret) && !BN_is_zero(ret) && BN_cmp(ret, n) < 0;
}

static bool read_signature(struct der sig, const BIGNUM *n, BIGNUM *r, BIGNUM *s)
{
    struct der seq;

    return der_is_canonical(sig, 2) && der_whole(sig, DER_SEQUENCE, &seq) == 0 && read_number(&seq, n, r) &&
           read_number(&seq, n, s) && seq.len == 0;
}

/* -1: no memory. */
static int is_good(const struct p256_table *t, const struct item *i, const BIGNUM *inverse, BN_CTX *ctx)
{
    SCOPED(point) EC_POINT *a = EC_POINT_new(t->curve);
    SCOPED(point) EC_POINT *b = EC_POINT_new(t->curve);
    BIGNUM *u = BN_CTX_get(ctx), *x = BN_CTX_get(ctx);

    if (!a || !b || !x || !BN_bin2bn(i->of->sha256, SHA256_LEN, u) ||
        BN_mod_mul(u, u, inverse, t->n, ctx) != 1 || EC_POINT_mul(t->curve, a, u, NULL, NULL, ctx) != 1 ||
        BN_mod_mul(u, i->r, inverse, t->n, ctx) != 1 || EC_POINT_mul(t->own, b, u, NULL, NULL, ctx) != 1 ||
        EC_POINT_add(t->curve, a, a, b, ctx) != 1)
        return -1;
    if (EC_POINT_is_at_infinity(t->curve, a))
        return 0;
    if (EC_POINT_get_affine_coordinates(t->curve, a, x, NULL, ctx) != 1 || BN_nnmod(x, x, t->n, ctx) != 1)
        return -1;
    return BN_cmp(x, i->r) == 0;
}

/* From the inverse of all s to that of each: Montgomery's trick, backwards. */
static int judge(const struct p256_table *t, struct item *items, size_t n, BN_CTX *ctx)
{
    BIGNUM *all = BN_CTX_get(ctx), *one = BN_CTX_get(ctx);
    int good;

    if (!one || !BN_mod_inverse(all, items[n - 1].product, t->n, ctx))
        return -1;
    while (n--) {
        const BIGNUM *before = n ? items[n - 1].product : BN_value_one();

        if (BN_mod_mul(one, all, before, t->n, ctx) != 1 || BN_mod_mul(all, all, items[n].s, t->n, ctx) != 1)
            return -1;
        BN_CTX_start(ctx);
        good = is_good(t, &items[n], one, ctx);
        BN_CTX_end(ctx);
        if (good < 0)
            return -1;
        items[n].of->good = good == 1;
    }
    return 0;
}

/* Up to P256_BATCH. */
static int verify_some(const struct p256_table *t, struct p256_signature *v, size_t n, BN_CTX *ctx)
{
    struct item items[P256_BATCH];
    size_t i, m = 0;

    for (i = 0; i < n; i++) {
        struct item *it = &items[m];

        it->of = &v[i];
        it->r = BN_CTX_get(ctx);
        it->s = BN_CTX_get(ctx);
        it->product = BN_CTX_get(ctx);
        if (!it->product)
            return -1;
        if (!read_signature(v[i].sig, t->n, it->r, it->s))
            continue;
        if (BN_mod_mul(it->product, m ? items[m - 1].product : BN_value_one(), it->s, t->n, ctx) != 1)
            return -1;
        m++;
    }
    return m ? judge(t, items, m, ctx) : 0;
}

int p256_table_verify(const struct p256_table *t, struct p256_signature *v, size_t n, struct p11ca_err *err)
{
    SCOPED(bn_ctx) BN_CTX *ctx = BN_CTX_new();
    size_t i, some;
    int rc = ctx ? 0 : -1;

    for (i = 0; i < n; i++)
        v[i].good = false;
    for (i = 0; i < n && rc == 0; i += some) {
        some = n - i < P256_BATCH ? n - i : P256_BATCH;
        BN_CTX_start(ctx);
        rc = verify_some(t, v + i, some, ctx);
        BN_CTX_end(ctx);
    }
    for (i = 0; i < n && rc != 0; i++)
        v[i].good = false;
    return rc == 0 ? 0 : err_openssl(err, P11CA_BUG, "table of a P-256 key: verify");
}
