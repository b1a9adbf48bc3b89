#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "token/key.h"
#include "base/scope.h"
#include "token/public.h"
#include "token/rv.h"
#include "token/search.h"

SCOPE_DEFINE(pkey, EVP_PKEY *, EVP_PKEY_free)

/* Named curves as CKA_EC_PARAMS: the OID in DER (RFC 5480 2.1.1.1). */
static const CK_BYTE oid_p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const CK_BYTE oid_p384[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
static const CK_BYTE oid_p521[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23};

static const struct algorithm {
    const char *name;
    CK_KEY_TYPE type;
    CK_MECHANISM_TYPE mechanism;
    const CK_BYTE *curve;
    size_t curve_len;
    int bits; /* of the field; of the modulus */
} algorithms[] = {
    {"P-256", CKK_EC, CKM_EC_KEY_PAIR_GEN, oid_p256, sizeof(oid_p256), 256},
    {"P-384", CKK_EC, CKM_EC_KEY_PAIR_GEN, oid_p384, sizeof(oid_p384), 384},
    {"P-521", CKK_EC, CKM_EC_KEY_PAIR_GEN, oid_p521, sizeof(oid_p521), 521},
    {"RSA-3072", CKK_RSA, CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0, 3072},
    {"RSA-4096", CKK_RSA, CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0, 4096},
};
#define N_ALGORITHMS (sizeof(algorithms) / sizeof(algorithms[0]))

const char *const *key_algorithms(void)
{
    static const char *const names[] = {"P-256", "P-384", "P-521", "RSA-3072", "RSA-4096", NULL};

    return names;
}

static const struct algorithm *find_algorithm(const char *name)
{
    size_t i;

    for (i = 0; i < N_ALGORITHMS; i++) {
        if (strcmp(algorithms[i].name, name) == 0)
            return &algorithms[i];
    }
    return NULL;
}

static CK_RV generate_pair(struct token *t, const struct algorithm *a, struct key *k)
{
    static CK_BYTE f4[] = {0x01, 0x00, 0x01}; /* 65537 */
    CK_MECHANISM mechanism = {a->mechanism, NULL, 0};
    CK_ATTRIBUTE pub[POLICY_MAX], priv[POLICY_MAX];
    CK_OBJECT_CLASS pub_class = CKO_PUBLIC_KEY, priv_class = CKO_PRIVATE_KEY;
    CK_KEY_TYPE type = a->type;
    CK_ULONG bits = (CK_ULONG)a->bits;
    const CK_ATTRIBUTE common[] = {
        {CKA_KEY_TYPE, &type, sizeof(type)},
        {CKA_LABEL, k->label, strlen(k->label)},
        {CKA_ID, k->id, k->id_len},
    };
    size_t n_pub = policy_template(POLICY_PUBLIC, &t->kind, pub),
           n_priv = policy_template(POLICY_PRIVATE, &t->kind, priv);
    size_t i;

    pub[n_pub++] = (CK_ATTRIBUTE){CKA_CLASS, &pub_class, sizeof(pub_class)};
    priv[n_priv++] = (CK_ATTRIBUTE){CKA_CLASS, &priv_class, sizeof(priv_class)};
    for (i = 0; i < sizeof(common) / sizeof(common[0]); i++)
        pub[n_pub++] = priv[n_priv++] = common[i];
    if (a->type == CKK_EC) {
        pub[n_pub++] = (CK_ATTRIBUTE){CKA_EC_PARAMS, (void *)(uintptr_t)a->curve, a->curve_len};
    } else {
        pub[n_pub++] = (CK_ATTRIBUTE){CKA_MODULUS_BITS, &bits, sizeof(bits)};
        pub[n_pub++] = (CK_ATTRIBUTE){CKA_PUBLIC_EXPONENT, f4, sizeof(f4)};
    }
    return t->module->fn->C_GenerateKeyPair(
        t->session, &mechanism, pub, n_pub, priv, n_priv, &k->public_key, &k->private_key);
}

/* public_spki() takes no curves but ours: their size tells them apart. */
static int check_algorithm(const struct key *k, const struct algorithm *a, struct p11ca_err *err)
{
    const unsigned char *at = k->spki.p;
    SCOPED(pkey) EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)k->spki.len);

    if (!pkey)
        return err_openssl(
            err, P11CA_TOKEN, "token '%s': key '%s': public key", k->token->binding->name, k->label);
    if (k->type == a->type && EVP_PKEY_get_bits(pkey) == a->bits)
        return 0;
    return err_set(err, P11CA_TOKEN, "KEY_ALGORITHM", "token '%s': key '%s': want %s, have %s of %d bits",
        k->token->binding->name, k->label, a->name, k->type == CKK_EC ? "EC" : "RSA",
        EVP_PKEY_get_bits(pkey));
}

/* What a pair must be, whichever run has generated it. */
static int check_pair(const struct key *k, const struct algorithm *a, struct p11ca_err *err)
{
    return key_check(k, NULL, NULL, err) == 0 && check_algorithm(k, a, err) == 0 ? key_prove(k, err) : -1;
}

static int generate(struct key *k, const struct algorithm *a, struct p11ca_err *err)
{
    struct token *t = k->token;
    struct p11ca_err first, why;
    size_t n;
    CK_RV rv;

    k->type = a->type;
    rv = generate_pair(t, a, k);
    if (rv != CKR_OK)
        return err_rv(err, rv, "token '%s': C_GenerateKeyPair %s", t->binding->name, a->name);
    if (public_spki(t, k->public_key, k->type, &k->spki, err) == 0 && check_pair(k, a, err) == 0)
        return 0;
    first = *err;
    if (key_destroy(t, k->label, k->id, k->id_len, &n, &why) != 0)
        err_set(err, first.kind, first.code, "%s; and it is still there: %s", first.msg, why.msg);
    return -1;
}

/* Everything an earlier run can have left under the label. */
static int look(struct key *k, struct p11ca_err *err)
{
    const char *token = k->token->binding->name;
    CK_OBJECT_HANDLE any;

    if (search_key(k->token, CKO_PRIVATE_KEY, k->label, NULL, 0, &any, err) != 0 ||
        search_key(k->token, CKO_PRIVATE_KEY, k->label, k->id, k->id_len, &k->private_key, err) != 0 ||
        search_key(k->token, CKO_PUBLIC_KEY, k->label, k->id, k->id_len, &k->public_key, err) != 0 ||
        search_need_login(k->token, err) != 0)
        return -1;
    if (any != CK_INVALID_HANDLE && k->private_key == CK_INVALID_HANDLE)
        return err_set(
            err, P11CA_TOKEN, "KEY_EXISTS", "token '%s': a key with label '%s' exists", token, k->label);
    return 0;
}

static int adopt(struct key *ret, const struct key *k, const struct algorithm *a, struct p11ca_err *err)
{
    struct key found;

    if (key_find(&found, k->token, k->label, k->id, k->id_len, err) != 0)
        return -1;
    if (check_pair(&found, a, err) != 0) {
        key_done(&found);
        return err_prefix(err, "left by an earlier run");
    }
    found.adopted = true;
    *ret = found;
    return 0;
}

static int take_up(struct key *ret, struct key *k, const struct algorithm *a, struct p11ca_err *err)
{
    size_t n;

    if (look(k, err) != 0)
        return -1;
    if (k->private_key != CK_INVALID_HANDLE && k->public_key != CK_INVALID_HANDLE)
        return adopt(ret, k, a, err);
    if ((k->private_key != CK_INVALID_HANDLE || k->public_key != CK_INVALID_HANDLE) &&
        key_destroy(k->token, k->label, k->id, k->id_len, &n, err) != 0)
        return -1;
    if (generate(k, a, err) != 0)
        return -1;
    *ret = *k;
    *k = (struct key){0};
    return 0;
}

int key_draw_id(uint8_t ret[KEY_ID_LEN], struct p11ca_err *err)
{
    return RAND_bytes(ret, KEY_ID_LEN) == 1 ? 0 : err_openssl(err, P11CA_BUG, "random generator");
}

int key_generate(struct key *ret, struct token *t, const char *label, const uint8_t id[KEY_ID_LEN],
    const char *algorithm, struct p11ca_err *err)
{
    const struct algorithm *a = find_algorithm(algorithm);
    struct key k = {.token = t, .id_len = KEY_ID_LEN};
    int rc;

    if (!a)
        return err_set(err, P11CA_CONFIG, "KEY_ALGORITHM",
            "algorithm '%s': want P-256, P-384, P-521, RSA-3072 or RSA-4096", algorithm);
    memcpy(k.id, id, KEY_ID_LEN);
    k.label = strdup(label);
    if (!k.label)
        return err_nomem(err);
    rc = take_up(ret, &k, a, err);
    key_done(&k);
    return rc;
}
