/* Signatures of one P-256 key by a table of its point: the answer is always EVP_PKEY_verify()'s. */
#include "x509_help.h"

#include <openssl/ec.h>
#include <openssl/rand.h>

#include "x509/p256_table.h"

/* Order of the curve, SP 800-186 3.2.1.3, and numbers beside it. */
#define N        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define N_LESS_1 "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550"
#define N_MORE_1 "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552"

/* A key, its table, and what asks EVP. */
struct place {
    EVP_PKEY *key;
    struct spki spki;
    struct p256_table *table;
    BIGNUM *d, *n;
    EC_GROUP *curve;
    BN_CTX *ctx;
};

static int set_up(void **state)
{
    static struct place p;

    p.key = EVP_EC_gen("P-256");
    assert_non_null(p.key);
    assert_ok(spki_of_key(p.key, &p.spki, &err));
    assert_ok(p256_table_new(&p.spki, &p.table, &err));
    p.d = NULL;
    assert_int_equal(EVP_PKEY_get_bn_param(p.key, "priv", &p.d), 1);
    p.n = NULL;
    assert_true(BN_hex2bn(&p.n, N));
    p.curve = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    p.ctx = BN_CTX_new();
    *state = &p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;

    p256_table_free(p->table);
    EVP_PKEY_free(p->key);
    BN_free(p->d);
    BN_free(p->n);
    EC_GROUP_free(p->curve);
    BN_CTX_free(p->ctx);
    return 0;
}

static bool evp_says(const struct place *p, const uint8_t hash[SHA256_LEN], struct der sig)
{
    SCOPED(pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, p->key, NULL);

    assert_int_equal(EVP_PKEY_verify_init(ctx), 1);
    return EVP_PKEY_verify(ctx, sig.p, sig.len, hash, SHA256_LEN) == 1;
}

static bool table_says(const struct place *p, const uint8_t hash[SHA256_LEN], struct der sig)
{
    struct p256_signature v = {.sig = sig, .good = true};

    memcpy(v.sha256, hash, SHA256_LEN);
    assert_ok(p256_table_verify(p->table, &v, 1, &err));
    return v.good;
}

static void sign(const struct place *p, const uint8_t hash[SHA256_LEN], struct buf *ret)
{
    SCOPED(pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, p->key, NULL);
    uint8_t sig[80];
    size_t len = sizeof(sig);

    assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
    assert_int_equal(EVP_PKEY_sign(ctx, sig, &len, hash, SHA256_LEN), 1);
    buf_add(ret, sig, len);
}

/* The signature of two numbers, in DER. */
static void put(struct buf *ret, const BIGNUM *r, const BIGNUM *s)
{
    const BIGNUM *both[] = {r, s};
    size_t at = der_open(ret), i;
    uint8_t octets[64];

    for (i = 0; i < 2; i++)
        der_add_integer(ret, octets, (size_t)BN_bn2bin(both[i], octets));
    der_close(ret, at, DER_SEQUENCE);
    assert_true(buf_ok(ret));
}

/* Many at once, some of them spoilt: each as EVP says, whatever stands beside it. */
static void agrees_with_evp(void **state)
{
    enum { MOST = 3 * P256_BATCH + 1 };
    struct place *p = *state;
    struct p256_signature v[MOST];
    struct buf sigs[MOST] = {BUF_INIT};
    size_t n, i, good = 0, bad = 0;

    for (n = 0; n <= MOST; n += n < 4 ? 1 : 5) {
        for (i = 0; i < n; i++) {
            uint8_t luck[4];

            assert_int_equal(RAND_bytes(v[i].sha256, SHA256_LEN), 1);
            assert_int_equal(RAND_bytes(luck, sizeof(luck)), 1);
            buf_reset(&sigs[i]);
            sign(p, v[i].sha256, &sigs[i]);
            if (luck[0] % 4 == 1)
                v[i].sha256[luck[1] % SHA256_LEN] ^= (uint8_t)(1u << luck[2] % 8);
            if (luck[0] % 4 == 2)
                sigs[i].p[luck[1] % sigs[i].len] ^= (uint8_t)(1u << luck[2] % 8);
            v[i].sig = der_buf(&sigs[i]);
            v[i].good = luck[3] & 1;
        }
        assert_ok(p256_table_verify(p->table, v, n, &err));
        for (i = 0; i < n; i++) {
            assert_int_equal(v[i].good, evp_says(p, v[i].sha256, v[i].sig));
            good += v[i].good;
            bad += !v[i].good;
        }
    }
    assert_true(good > 50 && bad > 50);
    for (i = 0; i < MOST; i++)
        buf_done(&sigs[i]);
}

/* Form and range: nothing of these is a signature of anything. */
static void refuses_what_is_no_signature(void **state)
{
    static const char *const rows[] = {
        "",
        "00",
        "3000",
        "3003020101",
        "3006020100020101",                                /* r is 0 */
        "3006020101020100",                                /* s is 0 */
        "3006020181020101",                                /* r negative */
        "3006020101020181",                                /* s negative */
        "300702020001020101",                              /* r not minimal */
        "308106020101020101",                              /* length not minimal */
        "30060201010201010500",                            /* something behind */
        "30080201010201010500",                            /* something behind, inside */
        "3009020101020101020101",                          /* three numbers */
        "30800201010201010000",                            /* BER: length not definite */
        "3026022100" N "020101",                           /* r is n */
        "3026022100" N_MORE_1 "020101",                    /* r is n + 1: as 1 */
        "3026020101022100" N,                              /* s is n */
        "3026020101022100" N_MORE_1,                       /* s is n + 1 */
        "30270222010000" N "020101",                       /* 34 octets */
        "302602210100000000000000000000000000000000000000" /* 2^256 */
        "0000000000000000000000000000000000020101",
    };
    static const uint8_t hash[SHA256_LEN] = {1};
    struct place *p = *state;
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF sig = BUF_INIT;

        add_hex(&sig, rows[i]);
        assert_false(evp_says(p, hash, der_buf(&sig)));
        assert_false(table_says(p, hash, der_buf(&sig)));
    }
    assert_false(table_says(p, hash, DER_OF(NULL, 0)));
}

/* The numbers at the ends of their range are as good as any: the answers are EVP's, and no other error. */
static void takes_numbers_at_the_ends(void **state)
{
    static const char *const numbers[] = {"01", "02", N_LESS_1,
        "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8" /* (n - 1) / 2 */};
    static const char *const hashes[] = {
        "00", N, N_LESS_1, "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"};
    struct place *p = *state;
    SCOPED(bn) BIGNUM *r = NULL;
    SCOPED(bn) BIGNUM *s = NULL;
    SCOPED(bn) BIGNUM *e = NULL;
    size_t i;

    for (i = 0; i < 4 * 4 * 4; i++) {
        AUTO_BUF sig = BUF_INIT;
        uint8_t hash[SHA256_LEN];

        assert_true(BN_hex2bn(&r, numbers[i % 4]) && BN_hex2bn(&s, numbers[i / 4 % 4]) &&
                    BN_hex2bn(&e, hashes[i / 16]));
        assert_int_equal(BN_bn2binpad(e, hash, sizeof(hash)), sizeof(hash));
        put(&sig, r, s);
        assert_int_equal(table_says(p, hash, der_buf(&sig)), evp_says(p, hash, der_buf(&sig)));
    }
    for (i = 0; i < 4; i++) {
        AUTO_BUF sig = BUF_INIT;
        uint8_t hash[SHA256_LEN];

        assert_true(BN_hex2bn(&e, hashes[i]));
        assert_int_equal(BN_bn2binpad(e, hash, sizeof(hash)), sizeof(hash));
        sign(p, hash, &sig);
        assert_true(table_says(p, hash, der_buf(&sig)));
    }
}

/* A signature of our choice: r is the x of kG for some k, and the hash what makes the rest of it right. */
struct chosen {
    BIGNUM *k, *r, *e, *s;
};

static void choose(const struct place *p, struct chosen *c)
{
    EC_POINT *point = EC_POINT_new(p->curve);

    *c = (struct chosen){BN_new(), BN_new(), BN_new(), BN_new()};
    assert_true(BN_rand_range(c->k, p->n) && EC_POINT_mul(p->curve, point, c->k, NULL, NULL, p->ctx) &&
                EC_POINT_get_affine_coordinates(p->curve, point, c->r, NULL, p->ctx) &&
                BN_nnmod(c->r, c->r, p->n, p->ctx));
    EC_POINT_free(point);
}

/* EVP and the table say this of it; it is used up. */
static void both_say(const struct place *p, struct chosen *c, bool want)
{
    AUTO_BUF sig = BUF_INIT;
    uint8_t hash[SHA256_LEN];

    assert_int_equal(BN_bn2binpad(c->e, hash, SHA256_LEN), SHA256_LEN);
    put(&sig, c->r, c->s);
    assert_int_equal(evp_says(p, hash, der_buf(&sig)), want);
    assert_int_equal(table_says(p, hash, der_buf(&sig)), want);
}

static void choose_done(struct chosen *c)
{
    BN_free(c->k);
    BN_free(c->r);
    BN_free(c->e);
    BN_free(c->s);
}

/* e = sk - rd makes any s right. */
static void choose_s(const struct place *p, const char *hex, struct chosen *c)
{
    SCOPED(bn) BIGNUM *rd = BN_new();

    choose(p, c);
    assert_true(BN_hex2bn(&c->s, hex) && BN_mod_mul(rd, c->r, p->d, p->n, p->ctx) &&
                BN_mod_mul(c->e, c->s, c->k, p->n, p->ctx) && BN_mod_sub(c->e, c->e, rd, p->n, p->ctx));
}

/* n more is the same number to everybody who does not look. */
static void numbers_are_below_the_order(void **state)
{
    struct place *p = *state;
    struct chosen c;

    choose_s(p, "05", &c);
    both_say(p, &c, true);
    assert_true(BN_add(c.s, c.s, p->n));
    both_say(p, &c, false);
    choose_done(&c);
}

/* The numbers of a good signature, in every form but the one. */
static void wants_the_one_form(void **state)
{
    static const char most[] = N_LESS_1,
                      high[] = "80000000000000000000000000000000000000000000000000000000000000ff";
    static const struct {
        const char *s, *before_s, *behind_s, *behind;
        bool good;
    } rows[] = {
        {"05", "0201", "", "", true}, {"05", "020200", "", "", false},     /* not minimal */
        {"05", "028101", "", "", false},                                   /* its length is not */
        {"05", "0202", "", "", false},                                     /* more than there is */
        {"05", "0201", "0500", "", false},                                 /* something behind, inside */
        {"05", "0201", "", "0500", false},                                 /* and outside */
        {"05", "0301", "", "", false},                                     /* another type */
        {most, "022100", "", "", true}, {most, "02220000", "", "", false}, /* not minimal */
        {high, "022100", "", "", true}, {high, "0220", "", "", false},     /* negative */
    };
    struct place *p = *state;
    uint8_t octets[64], hash[SHA256_LEN];
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF sig = BUF_INIT;
        size_t at = der_open(&sig);
        struct chosen c;

        choose_s(p, rows[i].s, &c);
        assert_int_equal(BN_bn2binpad(c.e, hash, sizeof(hash)), sizeof(hash));
        der_add_integer(&sig, octets, (size_t)BN_bn2bin(c.r, octets));
        add_hex(&sig, rows[i].before_s);
        add_hex(&sig, rows[i].s);
        add_hex(&sig, rows[i].behind_s);
        der_close(&sig, at, DER_SEQUENCE);
        add_hex(&sig, rows[i].behind);
        assert_int_equal(evp_says(p, hash, der_buf(&sig)), rows[i].good);
        assert_int_equal(table_says(p, hash, der_buf(&sig)), rows[i].good);
        choose_done(&c);
    }
}

/* e = rd: both multiples are the same point; s = 2rd/k. With the negative e they cancel each other. */
static void choose_same_points(const struct place *p, struct chosen *c)
{
    choose(p, c);
    assert_true(BN_mod_mul(c->e, c->r, p->d, p->n, p->ctx) && BN_mod_inverse(c->s, c->k, p->n, p->ctx) &&
                BN_mod_mul(c->s, c->s, c->e, p->n, p->ctx) && BN_mod_lshift1(c->s, c->s, p->n, p->ctx));
}

static void adds_a_point_to_itself(void **state)
{
    struct chosen c;

    choose_same_points(*state, &c);
    both_say(*state, &c, true);
    choose_done(&c);
}

static void infinity_is_no_signature(void **state)
{
    struct place *p = *state;
    struct chosen c;

    choose_same_points(p, &c);
    assert_true(BN_sub(c.e, p->n, c.e));
    both_say(p, &c, false);
    choose_done(&c);
}

static void another_keys_signature_is_bad(void **state)
{
    struct place *p = *state;
    struct place other = *p;
    AUTO_BUF sig = BUF_INIT;
    uint8_t hash[SHA256_LEN];

    other.key = EVP_EC_gen("P-256");
    assert_int_equal(RAND_bytes(hash, sizeof(hash)), 1);
    sign(&other, hash, &sig);
    assert_true(evp_says(&other, hash, der_buf(&sig)));
    assert_false(table_says(p, hash, der_buf(&sig)));
    EVP_PKEY_free(other.key);
}

static void wants_a_p256_key(void **state)
{
    static const enum key_kind kinds[] = {KEY_P384, KEY_P521, KEY_RSA};
    struct p256_table *t = NULL;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct spki spki;

        assert_ok(spki_of_key(test_key(kinds[i]), &spki, &err));
        assert_int_equal(p256_table_new(&spki, &t, &err), -1);
        assert_int_equal(err.kind, P11CA_BUG);
        assert_null(t);
    }
    p256_table_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_evp),
        cmocka_unit_test(refuses_what_is_no_signature),
        cmocka_unit_test(takes_numbers_at_the_ends),
        cmocka_unit_test(numbers_are_below_the_order),
        cmocka_unit_test(wants_the_one_form),
        cmocka_unit_test(adds_a_point_to_itself),
        cmocka_unit_test(infinity_is_no_signature),
        cmocka_unit_test(another_keys_signature_is_bad),
        cmocka_unit_test(wants_a_p256_key),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
