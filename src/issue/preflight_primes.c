#include "issue/preflight_primes.h"

#include <openssl/bn.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* How a modulus is noted: row and lengths, then its octets, then those of the exponent. */
struct head {
    uint32_t row, len, e_len;
};

struct modulus {
    const uint8_t *p;
    struct head head;
};

int primes_add(struct buf *moduli, size_t row, const struct spki *spki)
{
    struct head head = {(uint32_t)row, spki->n_len, spki->e_len};

    buf_add(moduli, &head, sizeof(head));
    buf_add(moduli, spki->der + spki->n_at, spki->n_len);
    buf_add(moduli, spki->der + spki->e_at, spki->e_len);
    return buf_ok(moduli) ? 0 : -1;
}

/* --- the tree: node i has the children 2i and 2i + 1; leaves from node `width` on --- */

struct node {
    BIGNUM *n;
};

struct tree {
    struct node *node;
    size_t width;
    BN_CTX *ctx;
};

static void tree_done(struct tree *t)
{
    size_t i;

    for (i = 0; t->node && i < 2 * t->width; i++)
        BN_free(t->node[i].n);
    free(t->node);
    BN_CTX_free(t->ctx);
}
#define AUTO_TREE __attribute__((cleanup(tree_done))) struct tree

static int multiply(struct tree *t, const struct modulus *m, size_t n)
{
    size_t i;

    for (t->width = 1; t->width < n;)
        t->width *= 2;
    t->node = calloc(2 * t->width, sizeof(*t->node));
    t->ctx = BN_CTX_new();
    if (!t->node || !t->ctx)
        return -1;
    for (i = 0; i < t->width; i++) {
        t->node[t->width + i].n = i < n ? BN_bin2bn(m[i].p, (int)m[i].head.len, NULL) : BN_new();
        if (!t->node[t->width + i].n || (i >= n && !BN_one(t->node[t->width + i].n)))
            return -1;
    }
    for (i = t->width; --i;) {
        t->node[i].n = BN_new();
        if (!t->node[i].n || !BN_mul(t->node[i].n, t->node[2 * i].n, t->node[2 * i + 1].n, t->ctx))
            return -1;
    }
    return 0;
}

/* Replaces each product below the root by what the product of all leaves leaves when divided by its square. */
static int divide(struct tree *t, size_t i, BIGNUM *square)
{
    return BN_sqr(square, t->node[i].n, t->ctx) && BN_mod(t->node[i].n, t->node[i / 2].n, square, t->ctx)
               ? 0
               : -1;
}

/* 1: all the others and this one have a factor in common. rest is all of them, modulo the square of n. */
static int shares(const struct modulus *m, BIGNUM *rest, BN_CTX *ctx)
{
    BIGNUM *n = BN_bin2bn(m->p, (int)m->head.len, NULL);
    int r = -1;

    if (n && !BN_is_zero(n) && BN_div(rest, NULL, rest, n, ctx) && BN_gcd(rest, rest, n, ctx))
        r = !BN_is_one(rest);
    BN_free(n);
    return r;
}

static int check_portion(const struct modulus *m, size_t n, primes_fn *fn, void *arg)
{
    AUTO_TREE t = {NULL, 0, NULL};
    BIGNUM *square = BN_new();
    int rc = square && multiply(&t, m, n) == 0 ? 0 : -1, r;
    size_t i;

    for (i = 2; rc == 0 && i < 2 * t.width; i++)
        rc = divide(&t, i, square);
    BN_free(square);
    for (i = 0; rc == 0 && i < n; i++) {
        r = shares(&m[i], t.node[t.width + i].n, t.ctx);
        if (r > 0)
            fn(arg, m[i].head.row);
        rc = r < 0 ? -1 : 0;
    }
    return rc;
}

/* --- the list --- */

static int by_octets(const void *a, const void *b)
{
    const struct modulus *x = a, *y = b;

    if (x->head.len != y->head.len)
        return x->head.len < y->head.len ? -1 : 1;
    return memcmp(x->p, y->p, x->head.len);
}

static size_t read_list(const struct buf *moduli, struct modulus *list)
{
    size_t at = 0, n = 0;

    for (; at < moduli->len; n++) {
        memcpy(&list[n].head, moduli->p + at, sizeof(list[n].head));
        list[n].p = moduli->p + at + sizeof(list[n].head);
        at += sizeof(list[n].head) + list[n].head.len + list[n].head.e_len;
    }
    return n;
}

static bool same_exponent(const struct modulus *a, const struct modulus *b)
{
    return a->head.e_len == b->head.e_len &&
           memcmp(a->p + a->head.len, b->p + b->head.len, a->head.e_len) == 0;
}

/* Rows of one modulus: with one exponent they are one key, with several whoever has one of the keys has them all. */
static void judge_same(const struct modulus *list, size_t n, primes_fn *fn, void *arg)
{
    size_t i = 1;

    while (i < n && same_exponent(&list[0], &list[i]))
        i++;
    if (i == n)
        return;
    for (i = 0; i < n; i++)
        fn(arg, list[i].head.row);
}

/* One of each. */
static size_t sort_list(struct modulus *list, size_t n, primes_fn *fn, void *arg)
{
    size_t i, first, kept = 0;

    qsort(list, n, sizeof(*list), by_octets);
    for (first = 0; first < n; first = i) {
        for (i = first + 1; i < n && by_octets(&list[first], &list[i]) == 0;)
            i++;
        judge_same(&list[first], i - first, fn, arg);
        list[kept++] = list[first];
    }
    return kept;
}

int primes_check(const struct buf *moduli, primes_fn *fn, void *arg)
{
    /* As if each were as short as can be. */
    struct modulus *list = malloc((moduli->len / (sizeof(struct head) + 1) + 1) * sizeof(*list));
    size_t n, at, some;
    int rc = 0;

    if (!list)
        return -1;
    n = read_list(moduli, list);
    if (n > 1)
        n = sort_list(list, n, fn, arg);
    for (at = 0; at < n && n > 1 && rc == 0; at += some) {
        some = n - at < LIMIT_MODULI ? n - at : LIMIT_MODULI;
        rc = check_portion(list + at, some, fn, arg);
    }
    free(list);
    return rc;
}
