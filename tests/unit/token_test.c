/* The token layer on a real SoftHSM store: keys with their policy, the gate, signers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "base/pool.h"
#include "base/scope.h"
#include "token/doctor.h"
#include "token/gate.h"
#include "token/signer.h"

static char dir[] = "/tmp/p11ca-token.XXXXXX";
static char *gate, *kinds, *store;
static const char *kind_dirs[2];
static struct token_env env;
static struct token_binding binding = {.name = "t",
    .kind = "softhsm2",
    .uri = "pkcs11:token=unit",
    .pin = "env:P11CA_TEST_PIN",
    .so_pin = "env:P11CA_TEST_PIN"};
static struct token *token;

/* One store for the whole file: SoftHSM reads its configuration once per process. */
static int set_up(void **state)
{
    AUTO_STR own = path_of_program();
    struct p11ca_err err;

    (void)state;
    if (!own || !mkdtemp(dir))
        return -1;
    gate = path_join(own, "../lib/p11ca/libp11ca-gate.so");
    kinds = path_join(own, "../share/p11ca/tokens");
    store = path_join(dir, "store");
    kind_dirs[0] = kinds;
    env = (struct token_env){.kind_dirs = kind_dirs, .gate = gate, .base = dir};
    binding.store = store;
    setenv("P11CA_TEST_PIN", "unit-test-pin", 1);
    if (token_init(&binding, &env, &err) != 0 || token_open(&token, &binding, &env, true, &err) != 0 ||
        token_login(token, &err) != 0) {
        fprintf(stderr, "%s\n", err.msg);
        return -1;
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    token_close(token);
    free(gate);
    free(kinds);
    free(store);
    file_remove_tree(dir);
    return 0;
}

static int sign_once(EVP_PKEY *key, const struct buf *spki)
{
    const unsigned char *at = spki->p;
    EVP_PKEY *pub = d2i_PUBKEY(NULL, &at, (long)spki->len);
    EVP_MD_CTX *s = EVP_MD_CTX_new(), *v = EVP_MD_CTX_new();
    unsigned char sig[1024];
    size_t len = sizeof(sig);
    int ok = pub && s && v && EVP_DigestSignInit(s, NULL, EVP_sha256(), NULL, key) == 1 &&
             EVP_DigestSign(s, sig, &len, (const unsigned char *)"text", 4) == 1 &&
             EVP_DigestVerifyInit(v, NULL, EVP_sha256(), NULL, pub) == 1 &&
             EVP_DigestVerify(v, sig, len, (const unsigned char *)"text", 4) == 1;

    EVP_MD_CTX_free(s);
    EVP_MD_CTX_free(v);
    EVP_PKEY_free(pub);
    return ok ? 0 : -1;
}

/* Every algorithm is generated, found again, checked and signs; RSA-4096 takes seconds to generate and is the same code. */
static void each_algorithm_generates_and_signs(void **state)
{
    static const char *const names[] = {"P-256", "P-384", "P-521", "RSA-3072"};
    struct p11ca_err err;
    struct signer *s;
    struct key made, found;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (key_generate(&made, token, names[i], names[i], &err) != 0)
            fail_msg("%s", err.msg);
        assert_int_equal(key_find(&found, token, names[i], made.id, made.id_len, &err), 0);
        assert_int_equal(found.spki.len, made.spki.len);
        assert_memory_equal(found.spki.p, made.spki.p, made.spki.len);
        assert_int_equal(signer_open(&s, &found, gate, &err), 0);
        assert_int_equal(sign_once(signer_get0_pkey(s), &found.spki), 0);
        signer_close(s);
        key_done(&found);
        key_done(&made);
    }
}

static void label_is_taken_once(void **state)
{
    struct p11ca_err err;
    struct key k;

    (void)state;
    assert_int_equal(key_generate(&k, token, "P-256", "P-256", &err), -1);
    assert_string_equal(err.msg, "token 't': a key with label 'P-256' exists");
    assert_int_equal(key_generate(&k, token, "x", "P-224", &err), -1);
    assert_int_equal(err.kind, P11CA_CONFIG);
    assert_int_equal(key_find(&k, token, "absent", NULL, 0, &err), -1);
    assert_string_equal(err.code, "KEY_NOT_FOUND");
}

/* SoftHSM's defaults, as any other tool would leave them. */
static CK_RV make_weak_key(
    const char *label, CK_BYTE id, CK_BBOOL sensitive, CK_BBOOL decrypt, CK_BBOOL modifiable)
{
    static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
    CK_ATTRIBUTE pub[] = {{CKA_EC_PARAMS, p256, sizeof(p256)}, {CKA_TOKEN, &yes, 1}, {CKA_VERIFY, &yes, 1},
        {CKA_LABEL, (void *)(uintptr_t)label, strlen(label)}, {CKA_ID, &id, 1}};
    CK_ATTRIBUTE priv[] = {{CKA_TOKEN, &yes, 1}, {CKA_PRIVATE, &yes, 1}, {CKA_SIGN, &yes, 1},
        {CKA_UNWRAP, &no, 1}, {CKA_SIGN_RECOVER, &no, 1}, {CKA_DERIVE, &no, 1},
        {CKA_LABEL, (void *)(uintptr_t)label, strlen(label)}, {CKA_ID, &id, 1},
        {CKA_SENSITIVE, &sensitive, 1}, {CKA_DECRYPT, &decrypt, 1}, {CKA_MODIFIABLE, &modifiable, 1}};
    CK_OBJECT_HANDLE a, b;

    return token->module->fn->C_GenerateKeyPair(token->session, &mechanism, pub, sizeof(pub) / sizeof(pub[0]),
        priv, sizeof(priv) / sizeof(priv[0]), &a, &b);
}

static void policy_names_the_attribute(void **state)
{
    static const struct {
        const char *label, *want;
        CK_BBOOL sensitive, decrypt, modifiable;
    } rows[] = {
        {"w-sensitive", "key policy: CKA_SENSITIVE: want true, have false", 0, 0, 0},
        {"w-decrypt", "key policy: CKA_DECRYPT: want false, have true", 1, 1, 0},
        {"w-modifiable", "key policy: CKA_MODIFIABLE: want false, have true", 1, 0, 1},
    };
    struct p11ca_err err;
    struct signer *s;
    struct key k;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(make_weak_key(rows[i].label, (CK_BYTE)(i + 1), rows[i].sensitive, rows[i].decrypt,
                             rows[i].modifiable),
            CKR_OK);
        assert_int_equal(key_find(&k, token, rows[i].label, NULL, 0, &err), 0);
        assert_int_equal(signer_open(&s, &k, gate, &err), -1);
        assert_int_equal(err.kind, P11CA_TOKEN);
        assert_string_equal(err.code, "KEY_POLICY");
        if (!strstr(err.msg, rows[i].want))
            fail_msg("want '%s', have '%s'", rows[i].want, err.msg);
        key_done(&k);
    }
}

static void duplicates_are_refused(void **state)
{
    struct p11ca_err err;
    struct key k;

    (void)state;
    assert_int_equal(make_weak_key("twin", 9, 1, 0, 0), CKR_OK);
    assert_int_equal(make_weak_key("twin", 9, 1, 0, 0), CKR_OK);
    assert_int_equal(key_find(&k, token, "twin", NULL, 0, &err), -1);
    assert_string_equal(err.msg, "token 't': want exactly one private key with label 'twin', have 2");
    assert_string_equal(err.code, "KEY_AMBIGUOUS");
}

struct crowd {
    EVP_PKEY *key;
    const struct buf *spki;
    atomic_int bad;
};

static void sign_in_crowd(void *arg, size_t i)
{
    struct crowd *c = arg;

    (void)i;
    if (sign_once(c->key, c->spki) != 0)
        atomic_fetch_add(&c->bad, 1);
}

/* More threads than sessions: libp11 waits for one to come back instead of failing, or hanging. */
static void threads_share_few_sessions(void **state)
{
    struct p11ca_err err;
    struct signer *one, *two;
    struct key a, b;
    struct crowd c = {0};
    int limit = token->kind.max_sessions;

    (void)state;
    token->kind.max_sessions = 2;
    assert_int_equal(key_find(&a, token, "P-256", NULL, 0, &err), 0);
    assert_int_equal(key_find(&b, token, "P-384", NULL, 0, &err), 0);
    assert_int_equal(signer_open(&one, &a, gate, &err), 0);
    assert_int_equal(signer_open(&two, &b, gate, &err), 0);
    c.key = signer_get0_pkey(one);
    c.spki = &a.spki;
    pool_run(6, 100, sign_in_crowd, &c);
    assert_int_equal(c.bad, 0);
    signer_close(one);
    /* The other one has its own context and sessions, and nobody was logged out. */
    assert_int_equal(sign_once(signer_get0_pkey(two), &b.spki), 0);
    signer_close(two);
    key_done(&a);
    key_done(&b);
    token->kind.max_sessions = limit;
}

static void foreign_keys_do_not_matter(void **state)
{
    static CK_BYTE ed25519[] = {0x06, 0x03, 0x2b, 0x65, 0x70}; /* RFC 8410 */
    static CK_BBOOL yes = CK_TRUE;
    CK_MECHANISM mechanism = {CKM_EC_EDWARDS_KEY_PAIR_GEN, NULL, 0};
    CK_ATTRIBUTE pub[] = {{CKA_EC_PARAMS, ed25519, sizeof(ed25519)}, {CKA_TOKEN, &yes, 1}};
    CK_ATTRIBUTE priv[] = {{CKA_TOKEN, &yes, 1}, {CKA_SIGN, &yes, 1}};
    CK_OBJECT_HANDLE x, y;
    struct p11ca_err err;
    struct signer *s;
    struct key k;

    (void)state;
    if (token->module->fn->C_GenerateKeyPair(token->session, &mechanism, pub, 2, priv, 2, &x, &y) != CKR_OK)
        skip();
    assert_int_equal(key_find(&k, token, "P-256", NULL, 0, &err), 0);
    assert_int_equal(signer_open(&s, &k, gate, &err), 0);
    assert_int_equal(sign_once(signer_get0_pkey(s), &k.spki), 0);
    signer_close(s);
    key_done(&k);
}

static void bindings_are_checked(void **state)
{
    static const struct {
        const char *uri, *want;
    } rows[] = {
        {"pkcs11:object=x", "want token=LABEL or serial=SERIAL"},
        {"pkcs11:token=x;pin-value=1234", "want no PIN in it"},
        {"pkcs11:token=x?pin-source=file:/x", "want no PIN in it"},
        {"pkcs11:token=x;vendor=y", "want token attributes only"},
        {"token=x", "RFC 7512"},
        {"pkcs11:", "want token=LABEL or serial=SERIAL"},
    };
    struct p11ca_err err;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct token_binding b = {.name = "t", .uri = rows[i].uri};

        if (token_check_binding(&b, &err) == 0)
            fail_msg("%s was taken", rows[i].uri);
        assert_int_equal(err.kind, P11CA_CONFIG);
        assert_null(strstr(err.msg, "1234"));
    }
}

static void tokens_are_found_exactly_once(void **state)
{
    struct token_binding b = binding;
    struct p11ca_err err;
    struct token *t;

    (void)state;
    b.uri = "pkcs11:token=nobody";
    assert_int_equal(token_open(&t, &b, &env, false, &err), -1);
    assert_string_equal(
        err.msg, "token 't': want exactly one token that matches pkcs11:token=nobody, have 0");
    assert_int_equal(token_init(&binding, &env, &err), -1);
    assert_string_equal(err.code, "TOKEN_EXISTS");
    b.uri = binding.uri;
    b.kind = "no-such-kind";
    assert_int_equal(token_open(&t, &b, &env, false, &err), -1);
    assert_int_equal(err.kind, P11CA_CONFIG);
    b.kind = "../softhsm2";
    assert_int_equal(token_open(&t, &b, &env, false, &err), -1);
    assert_string_equal(err.code, "KIND");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_algorithm_generates_and_signs),
        cmocka_unit_test(label_is_taken_once),
        cmocka_unit_test(policy_names_the_attribute),
        cmocka_unit_test(duplicates_are_refused),
        cmocka_unit_test(threads_share_few_sessions),
        cmocka_unit_test(foreign_keys_do_not_matter),
        cmocka_unit_test(bindings_are_checked),
        cmocka_unit_test(tokens_are_found_exactly_once),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
