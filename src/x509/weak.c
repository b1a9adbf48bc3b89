/* RSA keys that broken generators made: BR 6.1.1.3 and 6.1.6 want them refused. */
#include <openssl/bn.h>
#include <pthread.h>

#include "x509/ossl.h"
#include "x509/spki.h"

/*
 * ROCA (CVE-2017-15361): primes of the form k * M + (65537^a mod M), M a product of small primes. Modulo each of
 * those small primes the modulus is then a power of 65537; a random modulus is so for all of them once in 2^27.
 */
static const unsigned roca_primes[] = {3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67,
    71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};

static bool is_power_of_65537(unsigned x, unsigned prime)
{
    unsigned power = 1;

    do {
        if (power == x)
            return true;
        power = power * (65537 % prime) % prime;
    } while (power != 1);
    return false;
}

static bool is_roca(const BIGNUM *n)
{
    size_t i;

    for (i = 0; i < sizeof(roca_primes) / sizeof(roca_primes[0]); i++) {
        BN_ULONG rest = BN_mod_word(n, roca_primes[i]);

        if (!is_power_of_65537((unsigned)rest, roca_primes[i]))
            return false;
    }
    return true;
}

/*
 * Small factors. BR 6.1.6 asks for none below 752. Up to 4096 it costs 0.06 ms for RSA-2048, and of odd
 * numbers that are not made of large primes one in seven gets through; more primes would not find many more.
 */
#define SMALL 4096

static unsigned small_primes[SMALL / 4];
static size_t n_small_primes;
static pthread_once_t small_primes_once = PTHREAD_ONCE_INIT;

static void find_small_primes(void)
{
    bool composite[SMALL] = {false};
    unsigned i, k;

    for (i = 2; i < SMALL; i++) {
        if (composite[i])
            continue;
        small_primes[n_small_primes++] = i;
        for (k = i * i; k < SMALL; k += i)
            composite[k] = true;
    }
}

/* The smallest one, 0: none, -1: failed. One division by as many primes as fit a word, instead of one by each. */
static int small_factor(const BIGNUM *n)
{
    size_t i = 0, first;

    pthread_once(&small_primes_once, find_small_primes);
    while (i < n_small_primes) {
        BN_ULONG product = 1, rest;

        for (first = i; i < n_small_primes && product <= (BN_ULONG)-1 / small_primes[i]; i++)
            product *= small_primes[i];
        rest = BN_mod_word(n, product);
        if (rest >= product)
            return -1;
        for (; first < i; first++) {
            if (rest % small_primes[first] == 0)
                return (int)small_primes[first];
        }
    }
    return 0;
}

/* Newton's iteration from above; root is the largest with root^2 <= n. */
static int square_root(BIGNUM *root, const BIGNUM *n, BIGNUM *tmp, BN_CTX *ctx)
{
    if (BN_is_zero(n)) {
        BN_zero(root);
        return 0;
    }
    BN_zero(root);
    if (!BN_set_bit(root, (BN_num_bits(n) + 1) / 2))
        return -1;
    for (;;) {
        if (!BN_div(tmp, NULL, n, root, ctx) || !BN_add(tmp, tmp, root) || !BN_rshift1(tmp, tmp))
            return -1;
        if (BN_cmp(tmp, root) >= 0)
            return 0;
        if (!BN_copy(root, tmp))
            return -1;
    }
}

static bool is_residue(BN_ULONG rest, unsigned modulus)
{
    unsigned x;

    for (x = 0; x <= modulus / 2; x++) {
        if (x * x % modulus == rest)
            return true;
    }
    return false;
}

/* 1 a square, 0 none, -1 failed. One in a hundred of the others passes for a square by its remainders. */
static int is_square(const BIGNUM *n, BIGNUM *root, BIGNUM *tmp, BN_CTX *ctx)
{
    static const unsigned moduli[] = {64, 63, 65, 11};
    size_t i;

    for (i = 0; i < sizeof(moduli) / sizeof(moduli[0]); i++) {
        if (!is_residue(BN_mod_word(n, moduli[i]), moduli[i]))
            return 0;
    }
    if (square_root(root, n, tmp, ctx) != 0 || !BN_sqr(tmp, root, ctx))
        return -1;
    return BN_cmp(tmp, n) == 0;
}

/* Fermat: n = a^2 - b^2 with a just above the root of n, when the primes are close. 1 found, 0 not, -1 failed. */
static int fermat(const BIGNUM *n, unsigned rounds)
{
    SCOPED(bn_ctx) BN_CTX *ctx = BN_CTX_new();
    SCOPED(bn) BIGNUM *a = BN_new();
    SCOPED(bn) BIGNUM *b2 = BN_new();
    SCOPED(bn) BIGNUM *root = BN_new();
    SCOPED(bn) BIGNUM *tmp = BN_new();
    int found;

    if (!ctx || !a || !b2 || !root || !tmp || square_root(a, n, tmp, ctx) != 0 || !BN_sub_word(a, 1))
        return -1;
    for (; rounds; rounds--) {
        if (!BN_add_word(a, 1) || !BN_sqr(b2, a, ctx) || !BN_sub(b2, b2, n))
            return -1;
        if (BN_is_negative(b2))
            continue; /* the first a, rounded down; not when n is a square */
        found = is_square(b2, root, tmp, ctx);
        if (found != 0)
            return found;
    }
    return 0;
}

static int check_factors(const BIGNUM *n, struct p11ca_err *err)
{
    int factor = small_factor(n), close;

    if (factor < 0)
        return err_openssl(err, P11CA_BUG, "public key: small factors");
    if (factor)
        return err_set(err, P11CA_REFUSED, "KEY_SMALL_FACTOR",
            "public key: BR 6.1.6: want a modulus of two large primes, have the factor %d", factor);
    close = fermat(n, 100);
    if (close < 0)
        return err_openssl(err, P11CA_BUG, "public key: Fermat's method");
    if (close)
        return err_set(err, P11CA_REFUSED, "KEY_CLOSE_PRIMES",
            "public key: BR 6.1.1.3: want primes far apart, have a modulus that Fermat's method factors");
    return 0;
}

int spki_check_weak(const struct spki *s, struct p11ca_err *err)
{
    SCOPED(bn) BIGNUM *n = NULL;

    if (s->kind != KEY_RSA)
        return 0;
    n = BN_bin2bn(s->der + s->n_at, s->n_len, NULL);
    if (!n)
        return err_nomem(err);
    if (is_roca(n))
        return err_set(err, P11CA_REFUSED, "KEY_ROCA",
            "public key: BR 6.1.1.3: want an RSA key of a sound generator, have the mark of ROCA "
            "(CVE-2017-15361)");
    return check_factors(n, err);
}
