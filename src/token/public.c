#include "token/public.h"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "base/scope.h"
#include "token/rv.h"

SCOPE_DEFINE(bld, OSSL_PARAM_BLD *, OSSL_PARAM_BLD_free)
SCOPE_DEFINE(params, OSSL_PARAM *, OSSL_PARAM_free)
SCOPE_DEFINE(ctx, EVP_PKEY_CTX *, EVP_PKEY_CTX_free)
SCOPE_DEFINE(pkey, EVP_PKEY *, EVP_PKEY_free)
SCOPE_DEFINE(bn, BIGNUM *, BN_free)
SCOPE_DEFINE(oid, ASN1_OBJECT *, ASN1_OBJECT_free)
SCOPE_DEFINE(octets, ASN1_OCTET_STRING *, ASN1_OCTET_STRING_free)

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

static int encode(
    const struct token *t, const char *algorithm, OSSL_PARAM_BLD *bld, struct buf *ret, struct p11ca_err *err)
{
    SCOPED(params) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
    SCOPED(ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, algorithm, NULL);
    SCOPED(pkey) EVP_PKEY *pkey = NULL;
    unsigned char *der = NULL;
    int len;

    if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1 ||
        (len = i2d_PUBKEY(pkey, &der)) <= 0)
        return err_openssl(err, P11CA_TOKEN, "token '%s': the public object is not a valid %s key",
            t->binding->name, algorithm);
    buf_add(ret, der, (size_t)len);
    OPENSSL_free(der);
    return buf_ok(ret) ? 0 : err_nomem(err);
}

/* CKA_EC_POINT is a DER OCTET STRING; some modules give the bare point (TOKENS.md). A point starts with 04, too. */
static void unwrap_point(struct value *v)
{
    const unsigned char *at = v->p;
    SCOPED(octets) ASN1_OCTET_STRING *os = d2i_ASN1_OCTET_STRING(NULL, &at, (long)v->len);

    if (os && at == v->p + v->len && (size_t)ASN1_STRING_length(os) < v->len) {
        v->len = (size_t)ASN1_STRING_length(os);
        memmove(v->p, ASN1_STRING_get0_data(os), v->len);
    }
}

static int ec_spki(const struct token *t, CK_OBJECT_HANDLE object, struct buf *ret, struct p11ca_err *err)
{
    SCOPED(bld) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    SCOPED(oid) ASN1_OBJECT *oid = NULL;
    struct value params, point;
    const unsigned char *at = params.p;
    const char *curve;

    if (read_attr(t, object, CKA_EC_PARAMS, "CKA_EC_PARAMS", &params, err) != 0 ||
        read_attr(t, object, CKA_EC_POINT, "CKA_EC_POINT", &point, err) != 0)
        return -1;
    oid = d2i_ASN1_OBJECT(NULL, &at, (long)params.len);
    curve = oid ? OBJ_nid2sn(OBJ_obj2nid(oid)) : NULL;
    if (!oid || at != params.p + params.len || OBJ_obj2nid(oid) == NID_undef)
        return err_openssl(
            err, P11CA_TOKEN, "token '%s': public key: CKA_EC_PARAMS: want a named curve", t->binding->name);
    unwrap_point(&point);
    if (!bld || !OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) ||
        !OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point.p, point.len))
        return err_nomem(err);
    return encode(t, "EC", bld, ret, err);
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
    return encode(t, "RSA", bld, ret, err);
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
