#include "token/public.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <string.h>

#include "base/scope.h"
#include "token/rv.h"

SCOPE_DEFINE(bld, OSSL_PARAM_BLD *, OSSL_PARAM_BLD_free)
SCOPE_DEFINE(params, OSSL_PARAM *, OSSL_PARAM_free)
SCOPE_DEFINE(ctx, EVP_PKEY_CTX *, EVP_PKEY_CTX_free)
SCOPE_DEFINE(pkey, EVP_PKEY *, EVP_PKEY_free)
SCOPE_DEFINE(bn, BIGNUM *, BN_free)

/* The largest attribute read here: the modulus of RSA-8192. */
#define ATTR_MAX 1024

struct value {
    unsigned char p[ATTR_MAX];
    size_t len;
};

static int read_attr(const struct token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, const char *name,
    struct value *ret, struct p11ca_err *err)
{
    CK_ATTRIBUTE attr = {type, ret->p, sizeof(ret->p)};
    CK_RV rv = t->module->fn->C_GetAttributeValue(t->session, object, &attr, 1);

    if (rv != CKR_OK)
        return err_rv(err, rv, "token '%s': public key: reading %s", t->binding->name, name);
    if (attr.ulValueLen > sizeof(ret->p))
        return err_set(err, P11CA_TOKEN, "KEY_INVALID", "token '%s': public key: %s is too long",
            t->binding->name, name);
    ret->len = attr.ulValueLen;
    return 0;
}

static int encode_rsa(const struct token *t, OSSL_PARAM_BLD *bld, struct buf *ret, struct p11ca_err *err)
{
    SCOPED(params) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
    SCOPED(ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    SCOPED(pkey) EVP_PKEY *pkey = NULL;
    unsigned char *der = NULL;
    int len;

    if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1 ||
        (len = i2d_PUBKEY(pkey, &der)) <= 0)
        return err_openssl(
            err, P11CA_TOKEN, "token '%s': the public object is not a valid RSA key", t->binding->name);
    buf_add(ret, der, (size_t)len);
    OPENSSL_free(der);
    return buf_ok(ret) ? 0 : err_nomem(err);
}

/*
 * The curves we take, by CKA_EC_PARAMS, and the SubjectPublicKeyInfo up to the point (RFC 5480 2, 2.2). Put together
 * here: OpenSSL's way to it, an EVP_PKEY and an encoder, costs more than a signature.
 */
#define EC_ALG 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01
#define P256   0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07
#define P384   0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22
#define P521   0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23

static const unsigned char oid_p256[] = {P256}, oid_p384[] = {P384}, oid_p521[] = {P521};
static const unsigned char spki_p256[] = {0x30, 0x59, 0x30, 0x13, EC_ALG, P256, 0x03, 0x42, 0x00};
static const unsigned char spki_p384[] = {0x30, 0x76, 0x30, 0x10, EC_ALG, P384, 0x03, 0x62, 0x00};
static const unsigned char spki_p521[] = {0x30, 0x81, 0x9b, 0x30, 0x10, EC_ALG, P521, 0x03, 0x81, 0x86, 0x00};

static const struct curve {
    const unsigned char *oid, *spki;
    size_t oid_len, spki_len, point_len;
} curves[] = {
    {oid_p256, spki_p256, sizeof(oid_p256), sizeof(spki_p256), 65},
    {oid_p384, spki_p384, sizeof(oid_p384), sizeof(spki_p384), 97},
    {oid_p521, spki_p521, sizeof(oid_p521), sizeof(spki_p521), 133},
};

static const struct curve *find_curve(const struct value *params)
{
    size_t i;

    for (i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        if (params->len == curves[i].oid_len && memcmp(params->p, curves[i].oid, params->len) == 0)
            return &curves[i];
    }
    return NULL;
}

/* The point in CKA_EC_POINT: a DER OCTET STRING, which some modules leave away. NULL when it is neither. */
static const unsigned char *find_point(const struct value *v, size_t len)
{
    size_t header = len < 128 ? 2 : 3;

    if (v->len == len && v->p[0] == 0x04)
        return v->p;
    if (v->len == header + len && v->p[0] == 0x04 && v->p[header - 1] == len &&
        (header == 2 || v->p[1] == 0x81) && v->p[header] == 0x04)
        return v->p + header;
    return NULL;
}

/* Whether the point is on the curve is seen when the key is used for verifying. */
static int ec_spki(const struct token *t, CK_OBJECT_HANDLE object, struct buf *ret, struct p11ca_err *err)
{
    struct value params, value;
    const struct curve *curve;
    const unsigned char *point;

    if (read_attr(t, object, CKA_EC_PARAMS, "CKA_EC_PARAMS", &params, err) != 0 ||
        read_attr(t, object, CKA_EC_POINT, "CKA_EC_POINT", &value, err) != 0)
        return -1;
    curve = find_curve(&params);
    if (!curve)
        return err_set(err, P11CA_TOKEN, "KEY_CURVE",
            "token '%s': public key: CKA_EC_PARAMS: want the name of P-256, P-384 or P-521",
            t->binding->name);
    point = find_point(&value, curve->point_len);
    if (!point)
        return err_set(err, P11CA_TOKEN, "KEY_INVALID",
            "token '%s': public key: CKA_EC_POINT: want an uncompressed point of %zu octets",
            t->binding->name, curve->point_len);
    buf_add(ret, curve->spki, curve->spki_len);
    buf_add(ret, point, curve->point_len);
    return buf_ok(ret) ? 0 : err_nomem(err);
}

static int rsa_spki(const struct token *t, CK_OBJECT_HANDLE object, struct buf *ret, struct p11ca_err *err)
{
    SCOPED(bld) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    SCOPED(bn) BIGNUM *n = NULL, *e = NULL;
    struct value modulus, exponent;

    if (read_attr(t, object, CKA_MODULUS, "CKA_MODULUS", &modulus, err) != 0 ||
        read_attr(t, object, CKA_PUBLIC_EXPONENT, "CKA_PUBLIC_EXPONENT", &exponent, err) != 0)
        return -1;
    n = BN_bin2bn(modulus.p, (int)modulus.len, NULL);
    e = BN_bin2bn(exponent.p, (int)exponent.len, NULL);
    if (!bld || !n || !e || !OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) ||
        !OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e))
        return err_nomem(err);
    return encode_rsa(t, bld, ret, err);
}

int public_spki(
    const struct token *t, CK_OBJECT_HANDLE object, CK_KEY_TYPE type, struct buf *ret, struct p11ca_err *err)
{
    if (type == CKK_EC)
        return ec_spki(t, object, ret, err);
    if (type == CKK_RSA)
        return rsa_spki(t, object, ret, err);
    return err_set(err, P11CA_TOKEN, "KEY_TYPE", "token '%s': want an EC or RSA key, have CKK 0x%lx",
        t->binding->name, type);
}
