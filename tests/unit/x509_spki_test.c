/* Public keys: the one form that is taken of each kind, weak RSA, identifiers. */
#include "x509_help.h"

#include <openssl/err.h>
#include <openssl/x509.h>

/* A point of P-256: the generator. */
#define GX       "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
#define GY       "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
#define P256_ALG "301306072a8648ce3d020106082a8648ce3d030107"

static void every_kind(void **state)
{
    static const struct {
        enum key_kind kind;
        const char *text;
        unsigned bits;
    } rows[] = {{KEY_P256, "EC P-256", 256}, {KEY_P384, "EC P-384", 384}, {KEY_P521, "EC P-521", 521},
        {KEY_RSA, "RSA 2048", 2048}};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        EVP_PKEY *key = test_key(rows[i].kind);
        SCOPED(pkey) EVP_PKEY *pub = NULL;
        AUTO_BUF der = BUF_INIT;
        AUTO_BUF again = BUF_INIT;
        struct spki spki;
        char text[SPKI_TEXT];

        assert_ok(spki_from_evp(key, &der, &err));
        assert_ok(spki_read(der.p, der.len, &spki, &err));
        assert_int_equal(spki.kind, rows[i].kind);
        assert_int_equal(spki.bits, rows[i].bits);
        spki_text(&spki, text);
        assert_string_equal(text, rows[i].text);
        assert_ok(spki_check_weak(&spki, &err));
        assert_ok(spki_check_point(&spki, &err));
        assert_ok(spki_evp1(&spki, &pub, &err));
        assert_int_equal(EVP_PKEY_eq(key, pub), 1);
        assert_ok(spki_from_evp(pub, &again, &err));
        assert_true(der_equal(spki_der(&spki), der_buf(&again)));
    }
}

static void refuses_ec(void **state)
{
    static const struct {
        const char *hex, *code, *msg;
    } rows[] = {
        /* other curves */
        {"3056301006072a8648ce3d020106052b8104000a03420004" GX GY, "KEY_CURVE",
            "public key: BR 6.1.5: want curve P-256, P-384 or P-521, have secp256k1"},
        {"305a301406072a8648ce3d020106092b240303020801010703420004" GX GY, "KEY_CURVE",
            "public key: BR 6.1.5: want curve P-256, P-384 or P-521, have brainpoolP256r1"},
        {"304e301006072a8648ce3d020106052b81040021033a0004" GX
         "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ece",
            "KEY_CURVE", "public key: BR 6.1.5: want curve P-256, P-384 or P-521, have P-224"},
        /* no parameters, NULL */
        {"304f300906072a8648ce3d020103420004" GX GY, "KEY_INVALID",
            "public key: RFC 5480 2.1.1: want a named curve, have none"},
        {"3051300b06072a8648ce3d0201050003420004" GX GY, "KEY_INVALID",
            "public key: RFC 5480 2.1.1: want a named curve, have none"},
        /* forms of the point */
        {"3039" P256_ALG "03220002" GX, "KEY_COMPRESSED",
            "public key: RFC 5480 2.2: want an uncompressed point, have a compressed one"},
        {"3039" P256_ALG "03220003" GX, "KEY_COMPRESSED",
            "public key: RFC 5480 2.2: want an uncompressed point, have a compressed one"},
        {"3019" P256_ALG "03020000", "KEY_INVALID",
            "public key: SP 800-56A 5.6.2.3: want a point, have the point at infinity"},
        {"3059" P256_ALG "03420007" GX GY, "KEY_INVALID",
            "public key: RFC 5480 2.2: want an uncompressed point, 04 X Y, have one that begins with 07"},
        {"3039" P256_ALG "03220004" GX, "KEY_INVALID",
            "public key: RFC 5480 2.2: want an uncompressed point of 65 octets, have 33"},
        /* other types, other things */
        {"302a300506032b6570032100" GX, "KEY_TYPE",
            "public key: BR 6.1.5: want an EC or RSA key, have Ed25519"},
        {"3000", "KEY_INVALID",
            "public key: RFC 5280 4.1.2.7: want SubjectPublicKeyInfo, have something else"},
        {"3059" P256_ALG "03420004" GX GY "00", "DER_TRAILING",
            "public key: want nothing after 91 octets, have 1 more"},
        {"308159" P256_ALG "03420004" GX GY, "DER_NOT_CANONICAL",
            "public key: X.690 10.1: want the shortest length, have a longer one, at octet 0"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF b = BUF_INIT;
        struct spki spki;

        add_hex(&b, rows[i].hex);
        assert_refused(spki_read(b.p, b.len, &spki, &err), rows[i].code, rows[i].msg);
    }
}

/* Explicit parameters that describe P-256: OpenSSL itself writes and takes them. */
static void refuses_explicit_parameters(void **state)
{
    EVP_PKEY *key = EVP_PKEY_dup(test_key(KEY_P256));
    AUTO_BUF der = BUF_INIT;
    struct spki spki;

    (void)state;
    assert_int_equal(EVP_PKEY_set_utf8_string_param(key, "encoding", "explicit"), 1);
    assert_ok(spki_from_evp(key, &der, &err));
    EVP_PKEY_free(key);
    assert_refused(spki_read(der.p, der.len, &spki, &err), "KEY_EXPLICIT_PARAMS",
        "public key: RFC 5480 2.1.1: want a named curve, have explicit parameters");
}

static void refuses_a_point_beside_the_curve(void **state)
{
    AUTO_BUF b = BUF_INIT;
    EVP_PKEY *pub = NULL;
    struct spki spki;

    (void)state;
    add_hex(&b, "3059" P256_ALG "03420004" GX GX);
    assert_ok(spki_read(b.p, b.len, &spki, &err));
    assert_refused(spki_evp1(&spki, &pub, &err), "KEY_INVALID",
        "public key: SP 800-56A 5.6.2.3: want a point on P-256, have another");
    assert_null(pub);
    assert_refused(spki_check_point(&spki, &err), "KEY_INVALID",
        "public key: SP 800-56A 5.6.2.3: want a point on P-256, have another");
    assert_refused(spki_read_file(b.p, b.len, &spki, &err), "KEY_INVALID",
        "public key: SP 800-56A 5.6.2.3: want a point on P-256, have another");
    assert_int_equal(ERR_peek_error(), 0);
}

/* --- RSA from its numbers --- */

static void rsa_spki(const BIGNUM *n, const BIGNUM *e, struct buf *ret)
{
    uint8_t bytes[2048];
    AUTO_BUF key = BUF_INIT;
    AUTO_BUF alg = BUF_INIT;

    der_add_integer(&key, bytes, (size_t)BN_bn2bin(n, bytes));
    der_add_integer(&key, bytes, (size_t)BN_bn2bin(e, bytes));
    der_close(&key, 0, DER_SEQUENCE);
    oid_add(&alg, OID_RSA_ENCRYPTION);
    der_add(&alg, DER_NULL, NULL, 0);
    der_close(&alg, 0, DER_SEQUENCE);
    der_add_raw(ret, der_buf(&alg));
    der_add_bits(ret, key.p, key.len);
    der_close(ret, 0, DER_SEQUENCE);
}

/* An odd number of so many bits is all that the form asks for. */
static void random_modulus(BIGNUM *n, int bits)
{
    assert_int_equal(BN_rand(n, bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD), 1);
}

static void refuses_rsa(void **state)
{
    static const struct {
        int bits;
        bool even;
        const char *e, *code, *msg;
    } rows[] = {
        {2048, false, "1", "KEY_EXPONENT",
            "public key: BR 6.1.6: want an RSA exponent of at least 65537, have 1"},
        {2048, false, "3", "KEY_EXPONENT",
            "public key: BR 6.1.6: want an RSA exponent of at least 65537, have 3"},
        {2048, false, "65536", "KEY_EXPONENT",
            "public key: BR 6.1.6: want an RSA exponent of at least 65537, have 65536"},
        {2048, false, "65538", "KEY_EXPONENT",
            "public key: BR 6.1.6: want an odd RSA exponent, have an even one"},
        {1024, false, "65537", "KEY_TOO_SMALL",
            "public key: BR 6.1.5: want an RSA modulus of at least 2048 bits, have 1024"},
        {2047, false, "65537", "KEY_TOO_SMALL",
            "public key: BR 6.1.5: want an RSA modulus of at least 2048 bits, have 2047"},
        {2049, false, "65537", "KEY_SHAPE",
            "public key: BR 6.1.5: want an RSA modulus of a multiple of 8 bits, have 2049"},
        {8200, false, "65537", "KEY_SHAPE",
            "public key: BR 6.1.5: want an RSA modulus of at most 8192 bits, have 8200"},
        {2048, true, "65537", "KEY_SHAPE", "public key: BR 6.1.6: want an odd RSA modulus, have an even one"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        SCOPED(bn) BIGNUM *n = BN_new();
        SCOPED(bn) BIGNUM *e = NULL;
        AUTO_BUF der = BUF_INIT;
        struct spki spki;

        random_modulus(n, rows[i].bits);
        if (rows[i].even)
            assert_int_equal(BN_clear_bit(n, 0), 1);
        assert_true(BN_dec2bn(&e, rows[i].e));
        rsa_spki(n, e, &der);
        assert_refused(spki_read(der.p, der.len, &spki, &err), rows[i].code, rows[i].msg);
    }
}

static void takes_the_largest(void **state)
{
    SCOPED(bn) BIGNUM *n = BN_new();
    SCOPED(bn) BIGNUM *e = BN_new();
    AUTO_BUF der = BUF_INIT;
    struct spki spki;

    (void)state;
    random_modulus(n, 8192);
    random_modulus(e, 256);
    rsa_spki(n, e, &der);
    assert_ok(spki_read(der.p, der.len, &spki, &err));
    assert_int_equal(spki.bits, 8192);
    assert_int_equal(spki.e_len, 32);
    random_modulus(e, 257);
    buf_reset(&der);
    rsa_spki(n, e, &der);
    assert_refused(spki_read(der.p, der.len, &spki, &err), "KEY_EXPONENT",
        "public key: BR 6.1.6: want an RSA exponent below 2^256, have 257 bits");
}

/* RSA without its NULL, with numbers missing, negative, or in too many octets. */
static void refuses_rsa_forms(void **state)
{
    struct spki good = test_spki(test_key(KEY_RSA)), spki;
    AUTO_BUF b = BUF_INIT;

    (void)state;
    add_hex(&b, "3015300d06092a864886f70d0101010500030400300100");
    assert_int_equal(spki_read(b.p, b.len, &spki, &err), -1);
    buf_reset(&b);
    /* 30 82 .. .. 30 0d 06 09 <oid> 05 00: the NULL away */
    buf_add(&b, good.der + 4, 2 + 11);
    b.p[1] = 11;
    buf_add(&b, good.der + 4 + 15, good.len - 4u - 15u);
    der_close(&b, 0, DER_SEQUENCE);
    assert_refused(spki_read(b.p, b.len, &spki, &err), "KEY_INVALID",
        "public key: RFC 3279 2.3.1: want NULL parameters with rsaEncryption, have others");
    /* a second leading zero: no number ends there, and no counting of bits either */
    good.der[good.n_at] = 0;
    assert_refused(spki_read(good.der, good.len, &spki, &err), "DER_NOT_CANONICAL",
        "public key: X.690 11: want the one DER form of the value, have another, at octet 4");
    good = test_spki(test_key(KEY_RSA));
    /* the leading zero of the modulus made a number of its own: negative */
    memcpy(good.der + good.n_at - 1, "\x80", 1);
    assert_refused(spki_read(good.der, good.len, &spki, &err), "KEY_INVALID",
        "public key: RFC 8017 A.1.1: want RSAPublicKey of two positive numbers, have something else");
}

static void refuses_roca(void **state)
{
    static const unsigned primes[] = {3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71,
        73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};
    SCOPED(bn_ctx) BN_CTX *ctx = BN_CTX_new();
    SCOPED(bn) BIGNUM *product = BN_new();
    SCOPED(bn) BIGNUM *n = BN_new();
    SCOPED(bn) BIGNUM *e = BN_new();
    SCOPED(bn) BIGNUM *a = BN_new();
    AUTO_BUF der = BUF_INIT;
    struct spki spki;
    size_t i;

    (void)state;
    assert_int_equal(BN_one(product), 1);
    for (i = 0; i < sizeof(primes) / sizeof(primes[0]); i++)
        assert_int_equal(BN_mul_word(product, primes[i]), 1);
    /* n = k * product + (65537^a mod product), odd, 2048 bits */
    assert_int_equal(
        BN_set_word(e, 65537) && BN_set_word(a, 123456789) && BN_mod_exp(a, e, a, product, ctx), 1);
    random_modulus(n, 2048);
    assert_int_equal(BN_div(NULL, e, n, product, ctx) && BN_sub(n, n, e) && BN_add(n, n, a), 1);
    if (!BN_is_odd(n))
        assert_int_equal(BN_add(n, n, product), 1);
    assert_int_equal(BN_set_word(e, 65537), 1);
    rsa_spki(n, e, &der);
    assert_ok(spki_read(der.p, der.len, &spki, &err));
    assert_refused(spki_check_weak(&spki, &err), "KEY_ROCA",
        "public key: BR 6.1.1.3: want an RSA key of a sound generator, have the mark of ROCA "
        "(CVE-2017-15361)");
}

/* factor times two large primes, of 2048 bits in all. */
static void modulus_with(unsigned factor, BIGNUM *ret)
{
    SCOPED(bn_ctx) BN_CTX *ctx = BN_CTX_new();
    SCOPED(bn) BIGNUM *p = BN_new();
    SCOPED(bn) BIGNUM *q = BN_new();
    int bits = 1024;

    assert_int_equal(BN_generate_prime_ex(p, 1024, 0, NULL, NULL, NULL), 1);
    do {
        assert_int_equal(BN_generate_prime_ex(q, bits, 0, NULL, NULL, NULL), 1);
        assert_int_equal(BN_mul(ret, p, q, ctx) && BN_mul_word(ret, factor), 1);
        bits += BN_num_bits(ret) > 2048 ? -1 : 1;
    } while (BN_num_bits(ret) != 2048);
}

/* 4093 is the largest prime that is looked for, 4099 the next one. */
static void refuses_small_factors(void **state)
{
    static const struct {
        unsigned factor;
        const char *msg;
    } rows[] = {
        {3, "public key: BR 6.1.6: want a modulus of two large primes, have the factor 3"},
        {751, "public key: BR 6.1.6: want a modulus of two large primes, have the factor 751"},
        {4093, "public key: BR 6.1.6: want a modulus of two large primes, have the factor 4093"},
        {4099, NULL},
    };
    SCOPED(bn) BIGNUM *n = BN_new();
    SCOPED(bn) BIGNUM *e = BN_new();
    size_t i;

    (void)state;
    assert_int_equal(BN_set_word(e, 65537), 1);
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF der = BUF_INIT;
        struct spki spki;

        modulus_with(rows[i].factor, n);
        rsa_spki(n, e, &der);
        assert_ok(spki_read(der.p, der.len, &spki, &err));
        if (rows[i].msg)
            assert_refused(spki_check_weak(&spki, &err), "KEY_SMALL_FACTOR", rows[i].msg);
        else
            assert_ok(spki_check_weak(&spki, &err));
    }
}

/* Primes that follow one another, and the same prime twice. */
static void refuses_close_primes(void **state)
{
    SCOPED(bn_ctx) BN_CTX *ctx = BN_CTX_new();
    SCOPED(bn) BIGNUM *p = BN_new();
    SCOPED(bn) BIGNUM *q = NULL;
    SCOPED(bn) BIGNUM *n = BN_new();
    SCOPED(bn) BIGNUM *e = BN_new();
    int round;

    (void)state;
    assert_int_equal(BN_set_word(e, 65537), 1);
    assert_int_equal(BN_generate_prime_ex(p, 1024, 0, NULL, NULL, NULL), 1);
    q = BN_dup(p);
    for (round = 0; round < 2; round++) {
        AUTO_BUF der = BUF_INIT;
        struct spki spki;

        assert_int_equal(BN_mul(n, p, q, ctx), 1);
        rsa_spki(n, e, &der);
        assert_ok(spki_read(der.p, der.len, &spki, &err));
        assert_refused(spki_check_weak(&spki, &err), "KEY_CLOSE_PRIMES",
            "public key: BR 6.1.1.3: want primes far apart, have a modulus that Fermat's method factors");
        do
            assert_int_equal(BN_add_word(q, 2), 1);
        while (BN_check_prime(q, ctx, NULL) != 1);
    }
}

static void identifiers(void **state)
{
    uint8_t ski[SKI_LEN], digest[32];
    AUTO_BUF b = BUF_INIT;
    struct spki spki;

    (void)state;
    add_hex(&b, "3059" P256_ALG "03420004" GX GY);
    assert_ok(spki_read_file(b.p, b.len, &spki, &err));
    assert_ok(spki_ski(&spki, ski, &err));
    assert_bytes(DER_OF(ski, sizeof(ski)), "b467a3999eb5efa671de0032f08a9c9e5efda0e1");
    assert_ok(spki_sha256(&spki, digest, &err));
    assert_bytes(
        DER_OF(digest, sizeof(digest)), "5cd252fb0ce8932436faf8ccd1040981b89ee4ad6b9fe9e2a2b7e71aacb27cd3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind),
        cmocka_unit_test(refuses_ec),
        cmocka_unit_test(refuses_explicit_parameters),
        cmocka_unit_test(refuses_a_point_beside_the_curve),
        cmocka_unit_test(refuses_rsa),
        cmocka_unit_test(takes_the_largest),
        cmocka_unit_test(refuses_rsa_forms),
        cmocka_unit_test(refuses_roca),
        cmocka_unit_test(refuses_small_factors),
        cmocka_unit_test(refuses_close_primes),
        cmocka_unit_test(identifiers),
    };

    return test_done(cmocka_run_group_tests(tests, NULL, NULL));
}
