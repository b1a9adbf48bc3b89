#include "x509/stand_in.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
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

/* A number of so many bits that nobody chose: SHA-256 over a text and a counter; so nobody knows what divides it. */
static int draw_modulus(unsigned bits, BIGNUM *n, struct p11ca_err *err)
{
    uint8_t octets[1024] = {0}, sum[32];
    size_t len = bits / 8, at;
    char text[64];

    if (len > sizeof(octets) || len % sizeof(sum))
        return err_set(err, P11CA_BUG, "KEY_SHAPE", "stand-in key: no RSA of %u bits", bits);
    for (at = 0; at < len; at += sizeof(sum)) {
        snprintf(text, sizeof(text), "p11ca stand-in RSA-%u %zu", bits, at);
        if (hash_sha256((uint8_t *)text, strlen(text), sum) != 0)
            return err_nomem(err);
        memcpy(octets + at, sum, sizeof(sum));
    }
    octets[0] |= 0xc0;
    octets[len - 1] |= 1;
    return BN_bin2bn(octets, (int)len, n) ? 0 : err_openssl(err, P11CA_BUG, "stand-in key");
}

static int make_rsa_of(const BIGNUM *n, struct spki *ret, struct p11ca_err *err)
{
    SCOPED(param_bld) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    SCOPED(params) OSSL_PARAM *params = NULL;
    SCOPED(bn) BIGNUM *e = BN_new();

    if (!bld || !e || !BN_set_word(e, 65537) || !OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) ||
        !OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) || !(params = OSSL_PARAM_BLD_to_param(bld)))
        return err_openssl(err, P11CA_BUG, "stand-in key");
    return make("RSA", params, ret, err);
}

/* The next odd number that the checks of weak keys have nothing against: what is planned must pass them, as will be. */
static int make_rsa(unsigned bits, struct spki *ret, struct p11ca_err *err)
{
    SCOPED(bn) BIGNUM *n = BN_new();
    struct p11ca_err weak;

    if (!n)
        return err_nomem(err);
    if (draw_modulus(bits, n, err) != 0)
        return -1;
    for (;;) {
        if (make_rsa_of(n, ret, err) != 0)
            return -1;
        if (spki_check_weak(ret, &weak) == 0)
            return 0;
        if (weak.kind != P11CA_REFUSED || !BN_add_word(n, 2)) {
            *err = weak;
            return -1;
        }
    }
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
