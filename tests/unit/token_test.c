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
#include "base/hash.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/pool.h"
#include "base/scope.h"
#include "base/shares.h"
#include "base/text.h"
#include "token/doctor.h"
#include "token/evidence.h"
#include "token/gate.h"
#include "token/inventory.h"
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
    if (token_init(&binding, &env, false, &err) != 0 || token_open(&token, &binding, &env, true, &err) != 0 ||
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

static const uint8_t fixed_id[KEY_ID_LEN] = "0123456789abcde";

/* As most callers do: an ID that nobody has recorded. */
static int make_key(struct key *ret, const char *label, const char *algorithm, struct p11ca_err *err)
{
    uint8_t id[KEY_ID_LEN];

    assert_int_equal(key_draw_id(id, err), 0);
    return key_generate(ret, token, label, id, algorithm, err);
}

/* The module with some of its functions replaced; unfake() goes back. */
static CK_FUNCTION_LIST *genuine, faked;

static void fake(void)
{
    genuine = token->module->fn;
    faked = *genuine;
    token->module->fn = &faked;
}

static void unfake(void)
{
    token->module->fn = genuine;
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
        if (make_key(&made, names[i], names[i], &err) != 0)
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
    assert_int_equal(make_key(&k, "P-256", "P-256", &err), -1);
    assert_string_equal(err.msg, "token 't': a key with label 'P-256' exists");
    assert_int_equal(make_key(&k, "x", "P-224", &err), -1);
    assert_int_equal(err.kind, P11CA_CONFIG);
    assert_int_equal(key_find(&k, token, "absent", NULL, 0, &err), -1);
    assert_string_equal(err.code, "KEY_NOT_FOUND");
}

static CK_BBOOL weak_extractable = CK_FALSE;

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
        {CKA_SENSITIVE, &sensitive, 1}, {CKA_DECRYPT, &decrypt, 1}, {CKA_MODIFIABLE, &modifiable, 1},
        {CKA_EXTRACTABLE, &weak_extractable, 1}};
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
    assert_int_equal(token_init(&binding, &env, false, &err), -1);
    assert_string_equal(err.code, "TOKEN_EXISTS");
    b.uri = binding.uri;
    b.kind = "no-such-kind";
    assert_int_equal(token_open(&t, &b, &env, false, &err), -1);
    assert_int_equal(err.kind, P11CA_CONFIG);
    b.kind = "../softhsm2";
    assert_int_equal(token_open(&t, &b, &env, false, &err), -1);
    assert_string_equal(err.code, "KIND");
}

static bool is_there(const char *label)
{
    struct p11ca_err err;
    struct key k;

    if (key_find(&k, token, label, NULL, 0, &err) != 0) {
        assert_string_equal(err.code, "KEY_NOT_FOUND");
        return false;
    }
    key_done(&k);
    return true;
}

/* Killed after C_GenerateKeyPair, a run finds its pair again by the ID that it had written down. */
static void pair_of_an_earlier_run_is_adopted(void **state)
{
    struct p11ca_err err;
    struct key first, again;
    uint8_t other[KEY_ID_LEN];

    (void)state;
    assert_int_equal(key_generate(&first, token, "adopt", fixed_id, "P-384", &err), 0);
    assert_false(first.adopted);
    assert_memory_equal(first.id, fixed_id, KEY_ID_LEN);
    assert_int_equal(key_generate(&again, token, "adopt", fixed_id, "P-384", &err), 0);
    assert_true(again.adopted);
    assert_int_equal(again.spki.len, first.spki.len);
    assert_memory_equal(again.spki.p, first.spki.p, first.spki.len);
    key_done(&again);
    key_done(&first);
    assert_int_equal(key_generate(&again, token, "adopt", fixed_id, "P-256", &err), -1);
    assert_string_equal(
        err.msg, "left by an earlier run: token 't': key 'adopt': want P-256, have EC of 384 bits");
    assert_string_equal(err.code, "KEY_ALGORITHM");
    assert_int_equal(key_generate(&again, token, "adopt", fixed_id, "RSA-3072", &err), -1);
    assert_string_equal(err.code, "KEY_ALGORITHM");
    assert_int_equal(key_draw_id(other, &err), 0);
    assert_int_equal(key_generate(&again, token, "adopt", other, "P-384", &err), -1);
    assert_string_equal(err.code, "KEY_EXISTS");
    assert_true(is_there("adopt"));
}

static void destroy_object(CK_OBJECT_HANDLE object)
{
    assert_int_equal(token->module->fn->C_DestroyObject(token->session, object), CKR_OK);
}

static void half_a_pair_is_made_anew(void **state)
{
    struct p11ca_err err;
    struct key first, again;
    int half;

    (void)state;
    for (half = 0; half < 2; half++) {
        assert_int_equal(key_generate(&first, token, "half", fixed_id, "P-256", &err), 0);
        assert_false(first.adopted);
        destroy_object(half ? first.private_key : first.public_key);
        assert_int_equal(key_generate(&again, token, "half", fixed_id, "P-256", &err), 0);
        assert_false(again.adopted);
        assert_memory_not_equal(again.spki.p, first.spki.p, first.spki.len);
        key_done(&first);
        assert_int_equal(key_find(&first, token, "half", fixed_id, KEY_ID_LEN, &err), 0);
        assert_memory_equal(again.spki.p, first.spki.p, first.spki.len);
        destroy_object(first.private_key);
        destroy_object(first.public_key);
        key_done(&first);
        key_done(&again);
    }
}

static CK_RV sign_garbage(
    CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *sig, CK_ULONG *sig_len)
{
    CK_RV rv = genuine->C_Sign(session, data, data_len, sig, sig_len);

    sig[5] ^= 1;
    return rv;
}

static CK_RV keep(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    (void)session, (void)object;
    return CKR_OK;
}

static CK_RV refuse_to_destroy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    (void)session, (void)object;
    return CKR_ACTION_PROHIBITED;
}

/* What this call has made goes with the error; what an earlier one has made stays. */
static void key_that_does_not_sign_is_refused(void **state)
{
    struct p11ca_err err;
    struct key k;

    (void)state;
    fake();
    faked.C_Sign = sign_garbage;
    assert_int_equal(key_generate(&k, token, "liar", fixed_id, "P-256", &err), -1);
    assert_string_equal(
        err.msg, "token 't': key 'liar': its signature does not verify under its public object");
    assert_string_equal(err.code, "KEY_POSSESSION");
    assert_false(is_there("liar"));
    assert_int_equal(key_generate(&k, token, "liar", fixed_id, "RSA-3072", &err), -1);
    assert_string_equal(err.code, "KEY_POSSESSION");
    assert_false(is_there("liar"));
    faked.C_DestroyObject = refuse_to_destroy;
    assert_int_equal(key_generate(&k, token, "liar", fixed_id, "P-256", &err), -1);
    assert_string_equal(err.msg, "token 't': key 'liar': its signature does not verify under its public "
                                 "object; and it is still there: "
                                 "token 't': private key 'liar': C_DestroyObject: CKR_ACTION_PROHIBITED");
    assert_string_equal(err.code, "KEY_POSSESSION");
    faked.C_DestroyObject = genuine->C_DestroyObject;
    assert_int_equal(key_generate(&k, token, "liar", fixed_id, "P-256", &err), -1);
    assert_string_equal(err.code, "KEY_POSSESSION");
    assert_true(is_there("liar"));
    unfake();
    assert_int_equal(key_generate(&k, token, "liar", fixed_id, "P-256", &err), 0);
    assert_true(k.adopted);
    key_done(&k);
}

static CK_RV generate_extractable(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *pub,
    CK_ULONG n_pub, CK_ATTRIBUTE *priv, CK_ULONG n_priv, CK_OBJECT_HANDLE *a, CK_OBJECT_HANDLE *b)
{
    static CK_BBOOL yes = CK_TRUE;
    CK_ULONG i;

    for (i = 0; i < n_priv; i++) {
        if (priv[i].type == CKA_EXTRACTABLE)
            priv[i].pValue = &yes;
    }
    return genuine->C_GenerateKeyPair(session, mechanism, pub, n_pub, priv, n_priv, a, b);
}

static void key_that_breaks_the_policy_is_refused(void **state)
{
    struct p11ca_err err;
    struct key k;

    (void)state;
    fake();
    faked.C_GenerateKeyPair = generate_extractable;
    assert_int_equal(key_generate(&k, token, "lax", fixed_id, "P-256", &err), -1);
    assert_string_equal(
        err.msg, "token 't': private key 'lax': key policy: CKA_EXTRACTABLE: want false, have true");
    assert_false(is_there("lax"));
    /* As a kill before the read-back leaves it. */
    faked.C_DestroyObject = refuse_to_destroy;
    assert_int_equal(key_generate(&k, token, "lax", fixed_id, "P-256", &err), -1);
    unfake();
    assert_int_equal(key_generate(&k, token, "lax", fixed_id, "P-256", &err), -1);
    assert_string_equal(err.msg, "left by an earlier run: token 't': private key 'lax': key policy: "
                                 "CKA_EXTRACTABLE: want false, have true");
    assert_true(is_there("lax"));
}

static CK_RV nobody(CK_SESSION_HANDLE session, CK_SESSION_INFO *info)
{
    CK_RV rv = genuine->C_GetSessionInfo(session, info);

    info->state = CKS_RW_PUBLIC_SESSION;
    return rv;
}

/* What is not seen because nobody is logged in is not half a pair. */
static void nothing_is_done_without_a_login(void **state)
{
    struct p11ca_err err;
    struct key k;
    size_t n;

    (void)state;
    fake();
    faked.C_GetSessionInfo = nobody;
    assert_int_equal(key_generate(&k, token, "adopt", fixed_id, "P-384", &err), -1);
    assert_string_equal(err.code, "USER_NOT_LOGGED_IN");
    assert_string_equal(err.msg, "token 't': want the user logged in: private keys are not seen otherwise");
    assert_int_equal(key_destroy(token, "adopt", fixed_id, KEY_ID_LEN, &n, &err), -1);
    assert_string_equal(err.code, "USER_NOT_LOGGED_IN");
    unfake();
    assert_int_equal(key_generate(&k, token, "adopt", fixed_id, "P-384", &err), 0);
    assert_true(k.adopted);
    key_done(&k);
}

static void destroying_is_proved_and_repeatable(void **state)
{
    struct p11ca_err err;
    struct key k;
    size_t n;

    (void)state;
    assert_int_equal(key_generate(&k, token, "doomed", fixed_id, "P-256", &err), 0);
    fake();
    faked.C_DestroyObject = keep;
    assert_int_equal(key_destroy(token, "doomed", fixed_id, KEY_ID_LEN, &n, &err), -1);
    assert_string_equal(err.code, "KEY_NOT_DESTROYED");
    assert_string_equal(err.msg, "token 't': private key 'doomed': is still there after it was destroyed");
    unfake();
    assert_int_equal(key_destroy(token, "doomed", fixed_id, 8, &n, &err), 0);
    assert_int_equal(n, 0); /* another ID */
    destroy_object(k.private_key);
    assert_int_equal(key_destroy(token, "doomed", fixed_id, KEY_ID_LEN, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_int_equal(key_destroy(token, "doomed", fixed_id, KEY_ID_LEN, &n, &err), 0);
    assert_int_equal(n, 0);
    key_done(&k);
    assert_int_equal(key_generate(&k, token, "doomed", fixed_id, "P-256", &err), 0);
    assert_int_equal(key_destroy(token, "doomed", fixed_id, KEY_ID_LEN, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_false(is_there("doomed"));
    key_done(&k);
    assert_int_equal(make_weak_key("two", 5, 1, 0, 0), CKR_OK);
    assert_int_equal(make_weak_key("two", 5, 1, 0, 0), CKR_OK);
    assert_int_equal(key_destroy(token, "two", (const uint8_t *)"\5", 1, &n, &err), -1);
    assert_string_equal(err.code, "KEY_AMBIGUOUS");
}

/* Lines of evidence: "name value". */
struct lines {
    char text[16384];
    size_t n;
};

static void add_line(struct lines *l, const char *a, const char *b, const char *c)
{
    size_t len = strlen(l->text);

    snprintf(l->text + len, sizeof(l->text) - len, "%s%s%s %s\n", a, *a ? " " : "", b, c);
    l->n++;
}

static bool has_line(const struct lines *l, const char *line)
{
    const char *at = l->text;
    size_t len = strlen(line);

    for (; (at = strstr(at, line)); at++) {
        if ((at == l->text || at[-1] == '\n') && at[len] == '\n')
            return true;
    }
    return false;
}

static void want_lines(const struct lines *l, const char *const *want)
{
    for (; *want; want++) {
        if (!has_line(l, *want))
            fail_msg("want '%s', have\n%s", *want, l->text);
    }
}

static void add_fact(void *arg, const char *name, const char *value)
{
    add_line(arg, "", name, value);
}

static void add_attr(void *arg, const char *object, const char *name, const char *value)
{
    add_line(arg, object, name, value);
}

static void add_probe(void *arg, const char *probe, const char *answer, bool refused)
{
    add_line(arg, refused ? "refused" : "DONE", probe, answer);
}

static void evidence_of_the_token(void **state)
{
    static const char *const want[] = {"label unit", "manufacturer SoftHSM project", "model SoftHSM v2",
        "library-manufacturer SoftHSM", "cryptoki-version 2.40",
        "flags CKF_RNG CKF_LOGIN_REQUIRED CKF_USER_PIN_INITIALIZED CKF_RESTORE_KEY_NOT_NEEDED "
        "CKF_TOKEN_INITIALIZED",
        NULL};
    AUTO_STR path = realpath(token->module->path, NULL);
    char line[128] = "module-sha256 ";
    AUTO_BUF file = BUF_INIT;
    uint8_t sum[SHA256_LEN];
    struct lines l = {.n = 0};
    struct p11ca_err err;

    (void)state;
    assert_int_equal(evidence_token(token, add_fact, &l, &err), 0);
    assert_int_equal(l.n, 14);
    want_lines(&l, want);
    assert_int_equal(file_read(path, LIMIT_MODULE, &file, &err), 0);
    assert_int_equal(hash_sha256(file.p, file.len, sum), 0);
    text_hex(sum, sizeof(sum), line + strlen(line));
    assert_true(has_line(&l, line));
}

static void evidence_of_a_key(void **state)
{
    static const char *const want[] = {"private CKA_CLASS 0x3", "public CKA_CLASS 0x2",
        "private CKA_KEY_TYPE 0x3", "private CKA_LABEL adopt",
        "private CKA_ID 30313233343536373839616263646500", "public CKA_EC_PARAMS 06052B81040022",
        "private CKA_KEY_GEN_MECHANISM 0x1040", "private CKA_SENSITIVE true", "private CKA_EXTRACTABLE false",
        "private CKA_NEVER_EXTRACTABLE true", "private CKA_ALWAYS_AUTHENTICATE false",
        "private CKA_COPYABLE true", "public CKA_TRUSTED false", "private CKA_START_DATE none",
        "public CKA_VERIFY true", "private CKA_ALLOWED_MECHANISMS none", NULL};
    static const char *const want_rsa[] = {"public CKA_MODULUS_BITS 3072",
        "public CKA_PUBLIC_EXPONENT 010001", "private CKA_KEY_GEN_MECHANISM 0x0", NULL};
    struct lines l = {.n = 0}, rsa = {.n = 0};
    struct p11ca_err err;
    struct key k;

    (void)state;
    assert_int_equal(key_find(&k, token, "adopt", NULL, 0, &err), 0);
    assert_int_equal(evidence_attributes(&k, add_attr, &l, &err), 0);
    want_lines(&l, want);
    assert_null(strstr(l.text, "MODULUS"));
    key_done(&k);
    assert_int_equal(key_find(&k, token, "RSA-3072", NULL, 0, &err), 0);
    assert_int_equal(evidence_attributes(&k, add_attr, &rsa, &err), 0);
    want_lines(&rsa, want_rsa);
    key_done(&k);
}

static CK_RV read_refused(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *attr, CK_ULONG n)
{
    (void)session, (void)object, (void)attr, (void)n;
    return CKR_ATTRIBUTE_TYPE_INVALID;
}

static CK_RV read_lost(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *attr, CK_ULONG n)
{
    (void)session, (void)object, (void)attr, (void)n;
    return CKR_DEVICE_REMOVED;
}

static void refusal_is_evidence_and_a_lost_token_is_none(void **state)
{
    static const char *const want[] = {"private CKA_SENSITIVE CKR_ATTRIBUTE_TYPE_INVALID", NULL};
    struct lines l = {.n = 0}, none = {.n = 0};
    struct p11ca_err err;
    struct key k;

    (void)state;
    assert_int_equal(key_find(&k, token, "adopt", NULL, 0, &err), 0);
    fake();
    faked.C_GetAttributeValue = read_refused;
    assert_int_equal(evidence_attributes(&k, add_attr, &l, &err), 0);
    want_lines(&l, want);
    faked.C_GetAttributeValue = read_lost;
    assert_int_equal(evidence_attributes(&k, add_attr, &none, &err), -1);
    assert_string_equal(err.msg, "token 't': key 'adopt': reading CKA_CLASS: CKR_DEVICE_REMOVED");
    assert_int_equal(evidence_probes(&k, add_probe, &none, &err), -1);
    assert_string_equal(err.msg, "token 't': key 'adopt': probe 'read CKA_VALUE': CKR_DEVICE_REMOVED");
    assert_int_equal(none.n, 0);
    unfake();
    key_done(&k);
}

static size_t objects_now(void)
{
    struct inventory inv;
    struct p11ca_err err;

    assert_int_equal(inventory(token, NULL, NULL, &inv, &err), 0);
    assert_true(inv.logged_in);
    return inv.n;
}

static void probes_of_good_keys(void **state)
{
    static const char *const want[] = {"refused read CKA_VALUE CKR_ATTRIBUTE_SENSITIVE",
        "refused wrap by CKM_AES_KEY_WRAP_PAD CKR_KEY_UNEXTRACTABLE",
        "refused wrap by CKM_AES_KEY_WRAP CKR_KEY_UNEXTRACTABLE",
        "refused set CKA_EXTRACTABLE true CKR_ACTION_PROHIBITED",
        "refused set CKA_SENSITIVE false CKR_ACTION_PROHIBITED",
        "refused copy with CKA_EXTRACTABLE true CKR_ATTRIBUTE_READ_ONLY",
        "refused copy with CKA_SENSITIVE false CKR_ATTRIBUTE_READ_ONLY", NULL};
    static const char *const want_rsa[] = {"refused read CKA_PRIVATE_EXPONENT CKR_ATTRIBUTE_SENSITIVE",
        "refused read CKA_PRIME_1 CKR_ATTRIBUTE_SENSITIVE",
        "refused read CKA_COEFFICIENT CKR_ATTRIBUTE_SENSITIVE", NULL};
    struct lines l = {.n = 0}, rsa = {.n = 0};
    size_t before = objects_now();
    struct p11ca_err err;
    struct key k;

    (void)state;
    assert_int_equal(key_find(&k, token, "adopt", NULL, 0, &err), 0);
    if (evidence_probes(&k, add_probe, &l, &err) != 0)
        fail_msg("%s", err.msg);
    want_lines(&l, want);
    assert_int_equal(l.n, 8);
    key_done(&k);
    assert_int_equal(key_find(&k, token, "RSA-3072", NULL, 0, &err), 0);
    assert_int_equal(evidence_probes(&k, add_probe, &rsa, &err), 0);
    want_lines(&rsa, want_rsa);
    assert_int_equal(rsa.n, 13);
    key_done(&k);
    assert_int_equal(objects_now(), before);
}

static CK_RV make_no_aes(
    CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *tmpl, CK_ULONG n, CK_OBJECT_HANDLE *ret)
{
    (void)session, (void)mechanism, (void)tmpl, (void)n, (void)ret;
    return CKR_MECHANISM_INVALID;
}

static CK_RV wrap_anything(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE by,
    CK_OBJECT_HANDLE key, CK_BYTE *ret, CK_ULONG *ret_len)
{
    (void)session, (void)mechanism, (void)by, (void)key;
    memset(ret, 7, 40);
    *ret_len = 40;
    return CKR_OK;
}

static void probes_name_what_a_token_lets_happen(void **state)
{
    static const char *const want[] = {"DONE wrap by CKM_AES_KEY_WRAP_PAD CKR_OK",
        "refused set CKA_EXTRACTABLE true CKR_ACTION_PROHIBITED", NULL};
    static const char *const want_no_aes[] = {
        "refused wrap by AES not possible: C_GenerateKey: CKR_MECHANISM_INVALID", NULL};
    struct lines l = {.n = 0}, no_aes = {.n = 0};
    size_t before = objects_now();
    struct p11ca_err err;
    struct key k;

    (void)state;
    assert_int_equal(key_find(&k, token, "adopt", NULL, 0, &err), 0);
    fake();
    faked.C_WrapKey = wrap_anything;
    assert_int_equal(evidence_probes(&k, add_probe, &l, &err), -1);
    assert_string_equal(err.code, "KEY_PROBE");
    assert_int_equal(err.kind, P11CA_TOKEN);
    assert_string_equal(err.msg,
        "token 't': key 'adopt': probe 'wrap by CKM_AES_KEY_WRAP_PAD': want it refused, have CKR_OK");
    want_lines(&l, want);
    faked.C_GenerateKey = make_no_aes;
    assert_int_equal(evidence_probes(&k, add_probe, &no_aes, &err), 0);
    want_lines(&no_aes, want_no_aes);
    unfake();
    key_done(&k);
    assert_int_equal(objects_now(), before);
}

static CK_BBOOL read_bool(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
    CK_BBOOL value = 42;
    CK_ATTRIBUTE attr = {type, &value, sizeof(value)};

    assert_int_equal(token->module->fn->C_GetAttributeValue(token->session, object, &attr, 1), CKR_OK);
    return value;
}

/* A key as other tools make it: modifiable, and in clear. Nothing that was tried is left behind. */
static void probes_of_a_weak_key_leave_no_trace(void **state)
{
    static const char *const want[] = {"DONE read CKA_VALUE CKR_OK",
        "DONE wrap by CKM_AES_KEY_WRAP_PAD CKR_OK", "DONE copy with CKA_SENSITIVE false CKR_OK",
        "DONE set CKA_SENSITIVE false CKR_OK", NULL};
    struct lines l = {.n = 0};
    struct p11ca_err err;
    size_t before;
    struct key k;

    (void)state;
    weak_extractable = CK_TRUE;
    assert_int_equal(make_weak_key("naked", 3, 0, 0, 1), CKR_OK);
    assert_int_equal(key_find(&k, token, "naked", NULL, 0, &err), 0);
    before = objects_now();
    assert_int_equal(read_bool(k.private_key, CKA_EXTRACTABLE), CK_TRUE);
    assert_int_equal(evidence_probes(&k, add_probe, &l, &err), -1);
    assert_string_equal(
        err.msg, "token 't': key 'naked': probe 'read CKA_VALUE': want it refused, have CKR_OK");
    want_lines(&l, want);
    assert_int_equal(objects_now(), before);
    assert_int_equal(read_bool(k.private_key, CKA_EXTRACTABLE), CK_TRUE);
    assert_int_equal(read_bool(k.private_key, CKA_SENSITIVE), CK_FALSE);
    key_done(&k);
}

static CK_ULONG n_sets;
static CK_BBOOL last_set;

static CK_RV set_anything(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *attr, CK_ULONG n)
{
    (void)session, (void)object, (void)n;
    n_sets++;
    last_set = *(CK_BBOOL *)attr->pValue;
    return CKR_OK;
}

/* A token that would make the key weaker: it is told to take that back. */
static void probe_of_setting_is_undone(void **state)
{
    struct lines l = {.n = 0};
    struct p11ca_err err;
    struct key k;

    (void)state;
    assert_int_equal(key_find(&k, token, "adopt", NULL, 0, &err), 0);
    fake();
    faked.C_SetAttributeValue = set_anything;
    assert_int_equal(evidence_probes(&k, add_probe, &l, &err), -1);
    assert_string_equal(
        err.msg, "token 't': key 'adopt': probe 'set CKA_EXTRACTABLE true': want it refused, have CKR_OK");
    assert_int_equal(n_sets, 4);
    assert_int_equal(last_set, CK_TRUE); /* CKA_SENSITIVE */
    unfake();
    token->writable = false;
    assert_int_equal(evidence_probes(&k, add_probe, &l, &err), -1);
    assert_string_equal(err.code, "SESSION_READ_ONLY");
    token->writable = true;
    key_done(&k);
}

static void add_object(void *arg, const struct object_seen *o)
{
    char id_type[256];

    snprintf(id_type, sizeof(id_type), "%s %s", o->id, o->type);
    add_line(arg, o->is_private ? "private" : "public", o->class, o->label);
    add_line(arg, o->label, id_type, "");
}

static void inventory_sees_every_object(void **state)
{
    static const char *const want[] = {"private private key adopt", "public public key adopt",
        "adopt 30313233343536373839616263646500 EC ", "public data evil\\x1b", NULL};
    static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_OBJECT_CLASS class = CKO_DATA;
    CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_TOKEN, &yes, 1}, {CKA_PRIVATE, &no, 1},
        {CKA_LABEL, (void *)(uintptr_t) "evil\033", 5}};
    size_t before = objects_now();
    static struct lines l;
    struct inventory inv;
    struct p11ca_err err;
    CK_OBJECT_HANDLE object;

    (void)state;
    assert_int_equal(token->module->fn->C_CreateObject(token->session, tmpl, 4, &object), CKR_OK);
    assert_int_equal(inventory(token, add_object, &l, &inv, &err), 0);
    assert_int_equal(inv.n, before + 1);
    assert_int_equal(l.n, 2 * inv.n);
    want_lines(&l, want);
    destroy_object(object);
}

/* Counters as the token would tell them; nobody is logged in, and no PIN fits. */
static CK_FLAGS told_flags;
static unsigned n_logins;

static CK_RV tell_flags(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    CK_RV rv = genuine->C_GetTokenInfo(slot, info);

    if (n_logins)
        info->flags |= told_flags;
    return rv;
}

static CK_RV wrong_pin(CK_SESSION_HANDLE session, CK_USER_TYPE who, CK_BYTE *pin, CK_ULONG len)
{
    (void)session, (void)who, (void)pin, (void)len;
    n_logins++;
    return CKR_PIN_INCORRECT;
}

static void wrong_pin_says_what_is_left(void **state)
{
    static const struct {
        CK_FLAGS flags;
        const char *user, *so;
    } rows[] = {
        {CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_COUNT_LOW | CKF_SO_PIN_FINAL_TRY, "1 (CKF_USER_PIN_FINAL_TRY)",
            "1 (CKF_SO_PIN_FINAL_TRY)"},
        {CKF_USER_PIN_COUNT_LOW | CKF_SO_PIN_COUNT_LOW, "not told, more than 1 (CKF_USER_PIN_COUNT_LOW)",
            "not told, more than 1 (CKF_SO_PIN_COUNT_LOW)"},
        {CKF_USER_PIN_LOCKED | CKF_USER_PIN_FINAL_TRY | CKF_SO_PIN_LOCKED, "0, the PIN is locked",
            "0, the PIN is locked"},
        {0, "this token does not say", "this token does not say"},
    };
    char want[256];
    struct p11ca_err err;
    size_t i;

    (void)state;
    fake();
    faked.C_GetTokenInfo = tell_flags;
    faked.C_GetSessionInfo = nobody;
    faked.C_Login = wrong_pin;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        told_flags = rows[i].flags;
        n_logins = 0;
        assert_int_equal(token_login(token, &err), -1);
        assert_int_equal(n_logins, 1);
        snprintf(want, sizeof(want), "token 't': login: CKR_PIN_INCORRECT; tries left: %s", rows[i].user);
        assert_string_equal(err.msg, want);
        assert_string_equal(err.code, "PIN_INCORRECT");
        assert_int_equal(err.kind, P11CA_LOGIN);
        n_logins = 0;
        assert_int_equal(token_set_pin(token, NULL, &err), -1);
        assert_int_equal(n_logins, 1);
        snprintf(want, sizeof(want),
            "token 't': login as security officer: CKR_PIN_INCORRECT; tries left: %s", rows[i].so);
        assert_string_equal(err.msg, want);
    }
    /* Before a PIN is given away. */
    told_flags = CKF_SO_PIN_FINAL_TRY;
    n_logins = 1;
    assert_int_equal(token_set_pin(token, NULL, &err), -1);
    assert_string_equal(err.msg, "token 't': one try is left before the security officer's PIN locks; only a "
                                 "typed PIN is taken (so-pin = "
                                 "\"prompt\")");
    told_flags = CKF_SO_PIN_LOCKED;
    assert_int_equal(token_set_pin(token, NULL, &err), -1);
    assert_string_equal(err.msg, "token 't': the security officer PIN is locked");
    assert_int_equal(n_logins, 1);
    unfake();
}

static void drawn_pins_fit_the_token(void **state)
{
    static const struct {
        CK_ULONG min, max;
        size_t want;
    } rows[] = {{4, 255, 24}, {0, 0, 24}, {4, 8, 8}, {4, 20, 20}, {30, 60, 30}};
    const CK_TOKEN_INFO info = token->info;
    struct p11ca_err err;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_SECRET one = SECRET_INIT, two = SECRET_INIT;

        token->info.ulMinPinLen = rows[i].min;
        token->info.ulMaxPinLen = rows[i].max;
        assert_int_equal(token_draw_pin(token, &one, &err), 0);
        assert_int_equal(token_draw_pin(token, &two, &err), 0);
        assert_int_equal(one.len, rows[i].want);
        assert_string_not_equal(one.p, two.p);
    }
    token->info = info;
}

static void write_share(const char *name, const struct secret *share)
{
    AUTO_STR path = path_join(dir, name);
    struct p11ca_err err;

    assert_int_equal(file_write(path, FILE_REPLACE, 0600, share->p, share->len, &err), 0);
}

static CK_RV count_logins(CK_SESSION_HANDLE session, CK_USER_TYPE who, CK_BYTE *pin, CK_ULONG len)
{
    n_logins++;
    return genuine->C_Login(session, who, pin, len);
}

/* A token whose user PIN is nobody's: drawn, shared, set. */
static void pin_in_shares(void **state)
{
    struct token_binding b = binding;
    AUTO_SECRET pin = SECRET_INIT, tiny = SECRET_INIT;
    struct secret shares[3] = {SECRET_INIT};
    struct p11ca_err err;
    struct token *t;
    size_t i;

    (void)state;
    b.uri = "pkcs11:token=shared";
    b.pin = "shares:pin";
    assert_int_equal(token_init(&b, &env, false, &err), 0);
    assert_int_equal(token_open(&t, &b, &env, true, &err), 0);
    assert_int_equal(token_login(t, &err), -1);
    assert_string_equal(err.msg, "token 't': no user PIN was set; its shares are made when one is");
    assert_string_equal(err.code, "USER_PIN_NOT_INITIALIZED");
    /* Not set yet, and none of the shares is there. */
    assert_int_equal(token_set_pin(t, NULL, &err), -1);
    assert_string_equal(err.code, "SHARE_MISSING");
    assert_int_equal(secret_set(&tiny, "1", 1, &err), 0);
    fake();
    faked.C_Login = count_logins;
    n_logins = 0;
    assert_int_equal(token_set_pin(t, &tiny, &err), -1);
    assert_string_equal(err.msg, "token 't': user PIN: want 4 to 255 characters");
    assert_int_equal(n_logins, 0);
    unfake();
    assert_int_equal(token_draw_pin(t, &pin, &err), 0);
    assert_int_equal(shares_split(&pin, 2, 3, shares, &err), 0);
    assert_int_equal(token_set_pin(t, &pin, &err), 0);
    assert_false(token_logged_in(t));
    write_share("pin.1", &shares[0]);
    assert_int_equal(token_login(t, &err), -1);
    assert_string_equal(err.code, "SHARE_MISSING");
    write_share("pin.3", &shares[2]);
    assert_int_equal(token_login(t, &err), 0);
    assert_true(token_logged_in(t));
    assert_int_equal(token_set_pin(t, &pin, &err), -1);
    assert_string_equal(err.code, "LOGGED_IN");
    token_close(t);
    for (i = 0; i < 3; i++)
        secret_done(&shares[i]);
}

struct typist {
    const char *const *lines;
    size_t n;
    char prompt[128];
};

static int type_line(void *ctx, const char *prompt, char *buf, size_t size)
{
    struct typist *t = ctx;

    snprintf(t->prompt, sizeof(t->prompt), "%s", prompt);
    return snprintf(buf, size, "%s", t->lines[t->n++]);
}

/* A slip would lock everybody out; a PIN that is there already is typed once. */
static void new_pins_are_typed_twice(void **state)
{
    static const char *const slip[] = {"typed-pin", "typed-pim"}, *const good[] = {"typed-pin", "typed-pin"};
    struct token_binding b = binding;
    struct typist typist = {.lines = slip};
    const struct p11ca_ui ui = {.ctx = &typist, .secret = type_line};
    struct token_env own = env;
    struct p11ca_err err;
    struct token *t;

    (void)state;
    own.ui = &ui;
    b.uri = "pkcs11:token=typed";
    b.pin = "prompt";
    assert_int_equal(token_init(&b, &own, false, &err), -1);
    assert_string_equal(err.msg, "token 't': the two PINs differ; nothing was done");
    assert_string_equal(typist.prompt, "user PIN of token 't' again");
    assert_int_equal(token_open(&t, &b, &own, false, &err), -1);
    assert_string_equal(err.code, "TOKEN_NOT_FOUND");
    typist = (struct typist){.lines = good};
    assert_int_equal(token_init(&b, &own, false, &err), 0);
    assert_int_equal(typist.n, 2);
    typist.n = 0;
    assert_int_equal(token_init(&b, &own, true, &err), 0);
    assert_int_equal(typist.n, 1);
    assert_string_equal(typist.prompt, "user PIN of token 't'");
}

static void initialisation_resumes(void **state)
{
    struct token_binding b = binding;
    struct p11ca_err err;
    struct token *t;

    (void)state;
    b.uri = "pkcs11:token=again";
    assert_int_equal(token_init(&b, &env, true, &err), 0); /* nothing there: from the beginning */
    assert_int_equal(token_init(&b, &env, false, &err), -1);
    assert_string_equal(err.code, "TOKEN_EXISTS");
    assert_int_equal(token_init(&b, &env, true, &err), 0);
    setenv("P11CA_OTHER_PIN", "another-pin", 1);
    b.pin = "env:P11CA_OTHER_PIN";
    fake();
    faked.C_Login = count_logins;
    n_logins = 0;
    assert_int_equal(token_init(&b, &env, true, &err), -1);
    assert_string_equal(err.code, "PIN_INCORRECT");
    assert_int_equal(n_logins, 1);
    unfake();
    /* The one with keys. */
    assert_int_equal(token_init(&binding, &env, true, &err), -1);
    assert_string_equal(err.code, "TOKEN_NOT_EMPTY");
    /* PIN set later: the security officer's word. */
    b.uri = "pkcs11:token=later";
    b.pin = "shares";
    assert_int_equal(token_init(&b, &env, true, &err), 0);
    assert_int_equal(token_init(&b, &env, true, &err), 0);
    b.so_pin = "env:P11CA_OTHER_PIN";
    assert_int_equal(token_init(&b, &env, true, &err), -1);
    assert_string_equal(err.code, "PIN_INCORRECT");
    /* No user PIN yet, as a kill before C_InitPIN leaves it. */
    b.so_pin = binding.so_pin;
    b.pin = binding.pin;
    assert_int_equal(token_init(&b, &env, true, &err), 0);
    assert_int_equal(token_open(&t, &b, &env, false, &err), 0);
    assert_int_equal(token_login(t, &err), 0);
    token_close(t);
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
        cmocka_unit_test(pair_of_an_earlier_run_is_adopted),
        cmocka_unit_test(half_a_pair_is_made_anew),
        cmocka_unit_test(key_that_does_not_sign_is_refused),
        cmocka_unit_test(key_that_breaks_the_policy_is_refused),
        cmocka_unit_test(nothing_is_done_without_a_login),
        cmocka_unit_test(destroying_is_proved_and_repeatable),
        cmocka_unit_test(evidence_of_the_token),
        cmocka_unit_test(evidence_of_a_key),
        cmocka_unit_test(refusal_is_evidence_and_a_lost_token_is_none),
        cmocka_unit_test(probes_of_good_keys),
        cmocka_unit_test(probes_name_what_a_token_lets_happen),
        cmocka_unit_test(probes_of_a_weak_key_leave_no_trace),
        cmocka_unit_test(probe_of_setting_is_undone),
        cmocka_unit_test(inventory_sees_every_object),
        cmocka_unit_test(wrong_pin_says_what_is_left),
        cmocka_unit_test(drawn_pins_fit_the_token),
        cmocka_unit_test(pin_in_shares),
        cmocka_unit_test(new_pins_are_typed_twice),
        cmocka_unit_test(initialisation_resumes),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
