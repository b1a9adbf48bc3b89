#include "x509/stand_in.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "x509/ossl.h"

SCOPE_DEFINE(group, EC_GROUP *, EC_GROUP_free)

static const struct {
    const char *name;
    enum key_kind kind;
    int nid;
    unsigned bits;
} curves[] = {
    {"P-256", KEY_P256, NID_X9_62_prime256v1, 256},
    {"P-384", KEY_P384, NID_secp384r1, 384},
    {"P-521", KEY_P521, NID_secp521r1, 521},
};

static int make(const char *type, const OSSL_PARAM *params, struct spki *ret, struct p11ca_err *err)
{
    SCOPED(pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    SCOPED(pkey) EVP_PKEY *key = NULL;

    if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, (OSSL_PARAM *)(uintptr_t)params) != 1)
        return err_openssl(err, P11CA_BUG, "stand-in key");
    return spki_of_key(key, ret, err);
}

static int make_ec(int nid, struct spki *ret, struct p11ca_err *err)
{
    SCOPED(group) EC_GROUP *group = EC_GROUP_new_by_curve_name(nid);
    unsigned char point[133];
    char name[32];
    size_t len;

    len = group ? EC_POINT_point2oct(group, EC_GROUP_get0_generator(group), POINT_CONVERSION_UNCOMPRESSED,
                      point, sizeof(point), NULL)
                : 0;
    if (len == 0)
        return err_openssl(err, P11CA_BUG, "stand-in key");
    snprintf(name, sizeof(name), "%s", OSSL_EC_curve_nid2name(nid));
    return make("EC",
        (OSSL_PARAM[]){
            OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0),
            OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, len),
            OSSL_PARAM_construct_end(),
        },
        ret, err);
}

static int make_rsa(unsigned bits, struct spki *ret, struct p11ca_err *err)
{
    SCOPED(param_bld) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    SCOPED(params) OSSL_PARAM *params = NULL;
    SCOPED(bn) BIGNUM *n = BN_new();
    SCOPED(bn) BIGNUM *e = BN_new();

    if (!bld || !n || !e || !BN_set_word(e, 65537) || !BN_one(n) || !BN_lshift(n, n, (int)bits) ||
        !BN_sub_word(n, 1) || !OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) ||
        !OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) || !(params = OSSL_PARAM_BLD_to_param(bld)))
        return err_openssl(err, P11CA_BUG, "stand-in key");
    return make("RSA", params, ret, err);
}

int stand_in_key(const char *algorithm, struct spki *ret, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        if (strcmp(curves[i].name, algorithm) == 0)
            return make_ec(curves[i].nid, ret, err);
    }
    if (strcmp(algorithm, "RSA-3072") == 0)
        return make_rsa(3072, ret, err);
    if (strcmp(algorithm, "RSA-4096") == 0)
        return make_rsa(4096, ret, err);
    return err_set(err, P11CA_CONFIG, "KEY_ALGORITHM",
        "algorithm '%s': want P-256, P-384, P-521, RSA-3072 or RSA-4096", algorithm);
}

int stand_in_for(const struct spki *key, struct spki *ret, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        if (curves[i].kind == key->kind)
            return make_ec(curves[i].nid, ret, err);
    }
    return make_rsa(key->bits, ret, err);
}

int stand_in_issuer(struct der tbs, const struct spki *signer, struct issuer **ret, struct p11ca_err *err)
{
    /* An ECDSA-Sig-Value of 1 and 1; for RSA as good as any other octets. */
    static const uint8_t sig[] = {0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01};
    AUTO_BUF cert = BUF_INIT;

    cert_assemble(tbs, sigalg_for_key(signer), DER_OF(sig, sizeof(sig)), &cert);
    if (!buf_ok(&cert))
        return err_nomem(err);
    return issuer_read(cert.p, cert.len, ret, err);
}
