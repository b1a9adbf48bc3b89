/* Signatures: by every algorithm, and with the keys and contexts that a thread keeps. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "x509_help.h"

#include <openssl/ec.h>

#include "base/pool.h"

static const struct der text = {(const uint8_t *)"to be signed", 12};
static const struct der other_text = {(const uint8_t *)"to be sighed", 12};

static const struct {
    enum key_kind kind;
    const char *alg;
} pairs[] = {
    {KEY_P256, "ecdsa-with-SHA256"},
    {KEY_P256, "ecdsa-with-SHA384"},
    {KEY_P256, "ecdsa-with-SHA512"},
    {KEY_P384, "ecdsa-with-SHA256"},
    {KEY_P384, "ecdsa-with-SHA384"},
    {KEY_P521, "ecdsa-with-SHA512"},
    {KEY_RSA, "sha256WithRSAEncryption"},
    {KEY_RSA, "sha384WithRSAEncryption"},
    {KEY_RSA, "sha512WithRSAEncryption"},
};
#define N_PAIRS (sizeof(pairs) / sizeof(pairs[0]))

static void assert_bad(int rc, const struct sigalg *alg)
{
    char want[128];

    snprintf(want, sizeof(want), "signature: want one by this key with %s, have another", alg->text);
    assert_int_equal(rc, -1);
    assert_string_equal(err.msg, want);
    assert_string_equal(err.code, "SIGNATURE_BAD");
    assert_int_equal(err.kind, P11CA_NEGATIVE);
}

/* What libcrypto's own way of it says. */
static int openssl_verifies(EVP_PKEY *pub, const struct sigalg *alg, struct der sig)
{
    SCOPED(md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    return EVP_DigestVerifyInit_ex(ctx, NULL, alg->digest, NULL, NULL, pub, NULL) == 1 &&
           EVP_DigestVerify(ctx, sig.p, sig.len, text.p, text.len) == 1;
}

static void every_algorithm(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < N_PAIRS; i++) {
        const struct sigalg *alg = sigalg_by_text(pairs[i].alg);
        const struct spki spki = test_spki(test_key(pairs[i].kind));
        SCOPED(pkey) EVP_PKEY *pub = NULL;
        AUTO_BUF sig = BUF_INIT;

        assert_ok(spki_evp1(&spki, &pub, &err));
        assert_ok(sigalg_sign(test_key(pairs[i].kind), alg, text, &sig, &err));
        assert_int_equal(openssl_verifies(pub, alg, der_buf(&sig)), 1);
        assert_ok(sigalg_verify(pub, alg, text, der_buf(&sig), &err));
        assert_ok(sigalg_verify_by(&spki, alg, text, der_buf(&sig), &err));
        assert_bad(sigalg_verify(pub, alg, other_text, der_buf(&sig), &err), alg);
        assert_bad(sigalg_verify_by(&spki, alg, other_text, der_buf(&sig), &err), alg);
        sig.p[sig.len - 1] ^= 1;
        assert_bad(sigalg_verify(pub, alg, text, der_buf(&sig), &err), alg);
        assert_bad(sigalg_verify_by(&spki, alg, text, der_buf(&sig), &err), alg);
        assert_bad(sigalg_verify_by(&spki, alg, text, DER_OF(sig.p, 0), &err), alg);
    }
}

/* With one key, one algorithm after the other: a signature is good by its own alone. */
static void no_algorithm_for_another(void **state)
{
    size_t i, k;

    (void)state;
    for (i = 0; i < N_PAIRS; i++) {
        EVP_PKEY *key = test_key(pairs[i].kind);
        const struct spki spki = test_spki(key);
        SCOPED(pkey) EVP_PKEY *pub = NULL;
        AUTO_BUF sig = BUF_INIT;

        assert_ok(spki_evp1(&spki, &pub, &err));
        assert_ok(sigalg_sign(key, sigalg_by_text(pairs[i].alg), text, &sig, &err));
        /* the object again and again, and then its bytes: what is kept of one must not hide the other's fault */
        for (k = 0; k < 2 * N_PAIRS; k++) {
            const struct sigalg *alg = sigalg_by_text(pairs[k % N_PAIRS].alg);
            int want = k % N_PAIRS == i ? 0 : -1;

            if (pairs[k % N_PAIRS].kind != pairs[i].kind)
                continue;
            if (k < N_PAIRS)
                assert_int_equal(sigalg_verify(pub, alg, text, der_buf(&sig), &err), want);
            else
                assert_int_equal(sigalg_verify_by(&spki, alg, text, der_buf(&sig), &err), want);
        }
    }
}

struct signer {
    EVP_PKEY *key, *pub;
    struct spki spki;
    struct buf sig;
};

static void signer_init(struct signer *s, enum key_kind kind)
{
    *s = (struct signer){.sig = BUF_INIT};
    assert_ok(key_new(kind, 2048, &s->key, &err));
    s->spki = test_spki(s->key);
    assert_ok(spki_evp1(&s->spki, &s->pub, &err));
    assert_ok(sigalg_sign(s->key, sigalg_for_key(&s->spki), text, &s->sig, &err));
}

static void signer_done(struct signer *s)
{
    EVP_PKEY_free(s->key);
    EVP_PKEY_free(s->pub);
    buf_done(&s->sig);
}

/* What a thread keeps of one key must say nothing of the next one. */
static void no_key_for_another(void **state)
{
    enum key_kind kind;
    int round;

    (void)state;
    for (kind = KEY_P256; kind < KEY_KINDS; kind++) {
        struct signer a, b;
        const struct sigalg *alg;

        signer_init(&a, kind);
        signer_init(&b, kind);
        alg = sigalg_for_key(&a.spki);
        for (round = 0; round < 3; round++) {
            assert_ok(sigalg_verify_by(&a.spki, alg, text, der_buf(&a.sig), &err));
            assert_bad(sigalg_verify_by(&b.spki, alg, text, der_buf(&a.sig), &err), alg);
            assert_ok(sigalg_verify_by(&b.spki, alg, text, der_buf(&b.sig), &err));
            assert_bad(sigalg_verify_by(&a.spki, alg, text, der_buf(&b.sig), &err), alg);
            assert_ok(sigalg_verify(a.pub, alg, text, der_buf(&a.sig), &err));
            assert_bad(sigalg_verify(b.pub, alg, text, der_buf(&a.sig), &err), alg);
            assert_ok(sigalg_verify(b.pub, alg, text, der_buf(&b.sig), &err));
            assert_bad(sigalg_verify(a.pub, alg, text, der_buf(&b.sig), &err), alg);
        }
        signer_done(&a);
        signer_done(&b);
    }
}

/* A key object may come to lie where one lay that was freed. */
static void no_key_at_its_address(void **state)
{
    struct signer a, b;
    int i;

    (void)state;
    signer_init(&a, KEY_P256);
    signer_init(&b, KEY_P256);
    for (i = 0; i < 16; i++) {
        const struct signer *s = i % 2 ? &b : &a;
        const struct sigalg *alg = sigalg_for_key(&s->spki);
        EVP_PKEY *pub = NULL;

        assert_ok(spki_evp1(&s->spki, &pub, &err));
        assert_int_equal(sigalg_verify(pub, alg, text, der_buf(&a.sig), &err), s == &a ? 0 : -1);
        EVP_PKEY_free(pub);
    }
    signer_done(&a);
    signer_done(&b);
}

/* Refused as such, whatever was there before, and nothing is left of it afterwards. */
static void no_point_beside_the_curve(void **state)
{
    static const char *const names[] = {"P-256", "P-384", "P-521"};
    enum key_kind kind;
    int round;

    (void)state;
    for (kind = KEY_P256; kind < KEY_RSA; kind++) {
        struct signer a;
        struct spki beside;
        const struct sigalg *alg;
        char want[96];

        signer_init(&a, kind);
        alg = sigalg_for_key(&a.spki);
        beside = a.spki;
        beside.der[beside.len - 1] ^= 1;
        snprintf(want, sizeof(want), "public key: SP 800-56A 5.6.2.3: want a point on %s, have another",
            names[kind]);
        for (round = 0; round < 3; round++) {
            assert_refused(sigalg_verify_by(&beside, alg, text, der_buf(&a.sig), &err), "KEY_INVALID", want);
            assert_refused(sigalg_verify_by(&beside, alg, text, der_buf(&a.sig), &err), "KEY_INVALID", want);
            assert_ok(sigalg_verify_by(&a.spki, alg, text, der_buf(&a.sig), &err));
        }
        signer_done(&a);
    }
}

struct crowd {
    struct signer s[2];
    int wrong[64];
};

/* Each item asks both keys about both signatures, in an order of its own. */
static void ask_both(void *arg, size_t i)
{
    struct crowd *c = arg;
    size_t k;

    for (k = 0; k < 8; k++) {
        const struct signer *by = &c->s[(i + k) % 2], *of = &c->s[(i + k) / 2 % 2];
        const struct sigalg *alg = sigalg_for_key(&by->spki);
        struct p11ca_err why;

        c->wrong[i] |= sigalg_verify_by(&by->spki, alg, text, der_buf(&of->sig), &why) != (by == of ? 0 : -1);
        c->wrong[i] |= sigalg_verify(by->pub, alg, text, der_buf(&of->sig), &why) != (by == of ? 0 : -1);
    }
}

static void threads(void **state)
{
    struct crowd c = {.wrong = {0}};
    size_t i;

    (void)state;
    signer_init(&c.s[0], KEY_P256);
    signer_init(&c.s[1], KEY_P256);
    pool_run(4, 64, ask_both, &c);
    for (i = 0; i < 64; i++)
        assert_int_equal(c.wrong[i], 0);
    signer_done(&c.s[0]);
    signer_done(&c.s[1]);
}

/* --- keys whose signing happens elsewhere, as libp11 makes them --- */

static int ended;

static void end(EC_KEY *key)
{
    (void)key;
    ended++;
}

/* They end with their token's session: whoever keeps one longer calls into what is no longer there. */
static void keeps_no_foreign_key(void **state)
{
    EC_KEY_METHOD *method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
    EC_KEY *ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    EVP_PKEY *key = EVP_PKEY_new();
    const struct sigalg *alg = sigalg_by_text("ecdsa-with-SHA256");
    AUTO_BUF sig = BUF_INIT;

    (void)state;
    EC_KEY_METHOD_set_init(method, NULL, end, NULL, NULL, NULL, NULL);
    assert_int_equal(EC_KEY_generate_key(ec), 1);
    assert_int_equal(EC_KEY_set_method(ec, method), 1);
    assert_int_equal(EVP_PKEY_set1_EC_KEY(key, ec), 1);
    EC_KEY_free(ec);
    assert_ok(sigalg_sign(key, alg, text, &sig, &err));
    assert_ok(sigalg_verify(key, alg, text, der_buf(&sig), &err));
    assert_bad(sigalg_verify(key, alg, other_text, der_buf(&sig), &err), alg);
    assert_int_equal(ended, 0);
    EVP_PKEY_free(key);
    assert_int_equal(ended, 1);
    EC_KEY_METHOD_free(method);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_algorithm),
        cmocka_unit_test(no_algorithm_for_another),
        cmocka_unit_test(no_key_for_another),
        cmocka_unit_test(no_key_at_its_address),
        cmocka_unit_test(no_point_beside_the_curve),
        cmocka_unit_test(threads),
        cmocka_unit_test(keeps_no_foreign_key),
    };

    return test_done(cmocka_run_group_tests(tests, NULL, NULL));
}
