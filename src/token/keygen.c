#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "token/key.h"
#include "token/public.h"
#include "token/rv.h"

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
    CK_ULONG bits;
} algorithms[] = {
    {"P-256", CKK_EC, CKM_EC_KEY_PAIR_GEN, oid_p256, sizeof(oid_p256), 0},
    {"P-384", CKK_EC, CKM_EC_KEY_PAIR_GEN, oid_p384, sizeof(oid_p384), 0},
    {"P-521", CKK_EC, CKM_EC_KEY_PAIR_GEN, oid_p521, sizeof(oid_p521), 0},
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

/* A label is for one pair: a later search must find exactly one. */
static int check_label_free(struct token *t, const char *label, struct p11ca_err *err)
{
    struct p11ca_err found = {0};
    struct key k;

    if (key_find(&k, t, label, NULL, 0, &found) == 0) {
        key_done(&k);
        return err_set(err, P11CA_TOKEN, "KEY_EXISTS", "token '%s': a key with label '%s' exists",
            t->binding->name, label);
    }
    if (strcmp(found.code, "KEY_NOT_FOUND") == 0)
        return 0;
    *err = found;
    return -1;
}

static void destroy(const struct token *t, CK_OBJECT_HANDLE pub, CK_OBJECT_HANDLE priv)
{
    t->module->fn->C_DestroyObject(t->session, priv);
    t->module->fn->C_DestroyObject(t->session, pub);
}

static CK_RV generate_pair(struct token *t, const struct algorithm *a, struct key *k)
{
    static CK_BYTE f4[] = {0x01, 0x00, 0x01}; /* 65537 */
    CK_MECHANISM mechanism = {a->mechanism, NULL, 0};
    CK_ATTRIBUTE pub[POLICY_MAX], priv[POLICY_MAX];
    CK_OBJECT_CLASS pub_class = CKO_PUBLIC_KEY, priv_class = CKO_PRIVATE_KEY;
    CK_KEY_TYPE type = a->type;
    CK_ULONG bits = a->bits;
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

static int generate(struct key *k, const struct algorithm *a, struct p11ca_err *err)
{
    struct token *t = k->token;
    CK_RV rv;

    k->type = a->type;
    k->id_len = 16;
    if (RAND_bytes(k->id, (int)k->id_len) != 1)
        return err_openssl(err, P11CA_BUG, "random generator");
    rv = generate_pair(t, a, k);
    if (rv != CKR_OK)
        return err_rv(err, rv, "token '%s': C_GenerateKeyPair %s", t->binding->name, a->name);
    if (key_check(k, NULL, NULL, err) == 0 && public_spki(t, k->public_key, k->type, &k->spki, err) == 0)
        return 0;
    destroy(t, k->public_key, k->private_key);
    return -1;
}

int key_generate(
    struct key *ret, struct token *t, const char *label, const char *algorithm, struct p11ca_err *err)
{
    const struct algorithm *a = find_algorithm(algorithm);
    struct key k = {.token = t};

    if (!a)
        return err_set(err, P11CA_CONFIG, "KEY_ALGORITHM",
            "algorithm '%s': want P-256, P-384, P-521, RSA-3072 or RSA-4096", algorithm);
    if (check_label_free(t, label, err) != 0)
        return -1;
    k.label = strdup(label);
    if (!k.label)
        return err_nomem(err);
    if (generate(&k, a, err) != 0) {
        key_done(&k);
        return -1;
    }
    *ret = k;
    return 0;
}
