#include "x509/spki.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "x509/oid.h"
#include "x509/ossl.h"
#include "x509/pem.h"

static const struct curve {
    enum oid oid;
    const char *name, *group;
    unsigned bits;
    size_t point_len; /* uncompressed: 04 X Y */
} curves[] = {
    [KEY_P256] = {OID_P256, "P-256", "P-256", 256, 65},
    [KEY_P384] = {OID_P384, "P-384", "P-384", 384, 97},
    [KEY_P521] = {OID_P521, "P-521", "P-521", 521, 133},
};
#define N_CURVES (sizeof(curves) / sizeof(curves[0]))

static int invalid(struct p11ca_err *err, const char *want)
{
    return err_set(err, P11CA_REFUSED, "KEY_INVALID", "public key: %s", want);
}

/* --- reading --- */

static int read_curve(struct der params, struct spki *key, struct p11ca_err *err)
{
    char text[OID_TEXT];
    struct der oid;
    size_t i;

    if (der_peek_tag(params) == DER_SEQUENCE)
        return err_set(err, P11CA_REFUSED, "KEY_EXPLICIT_PARAMS",
            "public key: RFC 5480 2.1.1: want a named curve, have explicit parameters");
    if (der_whole(params, DER_OID, &oid) != 0)
        return invalid(err, "RFC 5480 2.1.1: want a named curve, have none");
    for (i = 0; i < N_CURVES; i++) {
        if (oid_is(oid, curves[i].oid)) {
            key->kind = (enum key_kind)i;
            key->bits = curves[i].bits;
            return 0;
        }
    }
    return err_set(err, P11CA_REFUSED, "KEY_CURVE",
        "public key: BR 6.1.5: want curve P-256, P-384 or P-521, have %s", oid_text(oid, text));
}

static int read_point(struct der point, const struct spki *key, struct p11ca_err *err)
{
    const struct curve *c = &curves[key->kind];

    if (point.len == 1 && point.p[0] == 0)
        return invalid(err, "SP 800-56A 5.6.2.3: want a point, have the point at infinity");
    if (point.len == (c->point_len + 1) / 2 && (point.p[0] == 2 || point.p[0] == 3))
        return err_set(err, P11CA_REFUSED, "KEY_COMPRESSED",
            "public key: RFC 5480 2.2: want an uncompressed point, have a compressed one");
    if (point.len != c->point_len)
        return err_set(err, P11CA_REFUSED, "KEY_INVALID",
            "public key: RFC 5480 2.2: want an uncompressed point of %zu octets, have %zu", c->point_len,
            point.len);
    /* X9.62 has a hybrid form, 06 or 07 X Y: the same point in other bytes. */
    if (point.p[0] != 4)
        return err_set(err, P11CA_REFUSED, "KEY_INVALID",
            "public key: RFC 5480 2.2: want an uncompressed point, 04 X Y, have one that begins with %02x",
            point.p[0]);
    return 0;
}

/* A positive INTEGER's magnitude. */
static int next_positive(struct der *in, struct der *ret)
{
    struct der c;

    if (der_next(in, DER_INTEGER, &c) != 0 || c.len == 0 || c.p[0] & 0x80)
        return -1;
    if (c.p[0] == 0)
        c = DER_OF(c.p + 1, c.len - 1);
    *ret = c;
    return c.len ? 0 : -1;
}

static unsigned bit_length(struct der n)
{
    unsigned bits = (unsigned)n.len * 8, top;

    for (top = 0x80; n.len && top && !(n.p[0] & top); top >>= 1)
        bits--;
    return bits;
}

/* BR 6.1.5: at least 2048 bits, divisible by 8. */
static int check_modulus(struct der n, unsigned *ret_bits, struct p11ca_err *err)
{
    unsigned bits = bit_length(n);

    if (bits < 2048)
        return err_set(err, P11CA_REFUSED, "KEY_TOO_SMALL",
            "public key: BR 6.1.5: want an RSA modulus of at least 2048 bits, have %u", bits);
    if (bits > LIMIT_RSA_BITS)
        return err_set(err, P11CA_REFUSED, "KEY_SHAPE",
            "public key: BR 6.1.5: want an RSA modulus of at most %d bits, have %u", LIMIT_RSA_BITS, bits);
    if (bits % 8)
        return err_set(err, P11CA_REFUSED, "KEY_SHAPE",
            "public key: BR 6.1.5: want an RSA modulus of a multiple of 8 bits, have %u", bits);
    if (!(n.p[n.len - 1] & 1))
        return err_set(err, P11CA_REFUSED, "KEY_SHAPE",
            "public key: BR 6.1.6: want an odd RSA modulus, have an even one");
    *ret_bits = bits;
    return 0;
}

/* BR 6.1.6: odd, 2^16 + 1 to 2^256 - 1. With e = 1 anybody can sign. */
static int check_exponent(struct der e, struct p11ca_err *err)
{
    unsigned long v = 0;
    size_t i;

    for (i = 0; i < e.len && i < 4; i++)
        v = v << 8 | e.p[i];
    if (e.len <= 4 && v < 65537)
        return err_set(err, P11CA_REFUSED, "KEY_EXPONENT",
            "public key: BR 6.1.6: want an RSA exponent of at least 65537, have %lu", v);
    if (e.len > 32)
        return err_set(err, P11CA_REFUSED, "KEY_EXPONENT",
            "public key: BR 6.1.6: want an RSA exponent below 2^256, have %u bits", bit_length(e));
    if (!(e.p[e.len - 1] & 1))
        return err_set(err, P11CA_REFUSED, "KEY_EXPONENT",
            "public key: BR 6.1.6: want an odd RSA exponent, have an even one");
    return 0;
}

static int read_rsa(struct der params, struct der bits, struct der *ret_n, struct der *ret_e,
    struct spki *key, struct p11ca_err *err)
{
    struct der c;

    if (der_whole(params, DER_NULL, &c) != 0 || c.len != 0)
        return invalid(err, "RFC 3279 2.3.1: want NULL parameters with rsaEncryption, have others");
    /* DER too, inside a BIT STRING: out of the sight of whoever checked what it is in. */
    if (der_check(bits, 2, "public key", err) != 0)
        return -1;
    if (der_whole(bits, DER_SEQUENCE, &c) != 0 || next_positive(&c, ret_n) != 0 ||
        next_positive(&c, ret_e) != 0 || c.len != 0)
        return invalid(err, "RFC 8017 A.1.1: want RSAPublicKey of two positive numbers, have something else");
    key->kind = KEY_RSA;
    if (check_modulus(*ret_n, &key->bits, err) != 0)
        return -1;
    return check_exponent(*ret_e, err);
}

static int read_key(struct der alg, struct der bits, struct der *ret_n, struct der *ret_e, struct spki *key,
    struct p11ca_err *err)
{
    char text[OID_TEXT];
    struct der oid;

    if (der_next(&alg, DER_OID, &oid) != 0)
        return invalid(err, "RFC 5280 4.1.2.7: want an algorithm");
    if (oid_is(oid, OID_EC_PUBLIC_KEY)) {
        if (read_curve(alg, key, err) != 0)
            return -1;
        return read_point(bits, key, err);
    }
    if (oid_is(oid, OID_RSA_ENCRYPTION))
        return read_rsa(alg, bits, ret_n, ret_e, key, err);
    return err_set(err, P11CA_REFUSED, "KEY_TYPE", "public key: BR 6.1.5: want an EC or RSA key, have %s",
        oid_text(oid, text));
}

/* Where a slice of the input is, once the input has been copied to der. */
static uint16_t offset(const uint8_t *whole, struct der part)
{
    return part.p ? (uint16_t)(part.p - whole) : 0;
}

int spki_read(const uint8_t *p, size_t len, struct spki *ret, struct p11ca_err *err)
{
    struct der seq, alg, bits, n = {NULL, 0}, e = {NULL, 0};
    struct spki key = {.bits = 0};

    if (der_check(DER_OF(p, len), 5, "public key", err) != 0)
        return -1;
    if (der_whole(DER_OF(p, len), DER_SEQUENCE, &seq) != 0 || der_next(&seq, DER_SEQUENCE, &alg) != 0 ||
        der_next_bits(&seq, &bits) != 0 || seq.len != 0)
        return invalid(err, "RFC 5280 4.1.2.7: want SubjectPublicKeyInfo, have something else");
    if (read_key(alg, bits, &n, &e, &key, err) != 0)
        return -1;
    if (!p || len > sizeof(key.der))
        return err_set(err, P11CA_BUG, "KEY_SHAPE", "public key: %zu octets passed every check", len);
    memcpy(key.der, p, len);
    key.len = (uint16_t)len;
    key.key_at = offset(p, bits), key.key_len = (uint16_t)bits.len;
    key.n_at = offset(p, n), key.n_len = (uint16_t)n.len;
    key.e_at = offset(p, e), key.e_len = (uint16_t)e.len;
    *ret = key;
    return 0;
}

static int off_curve(const struct spki *s, struct p11ca_err *err)
{
    ERR_clear_error();
    return err_set(err, P11CA_REFUSED, "KEY_INVALID",
        "public key: SP 800-56A 5.6.2.3: want a point on %s, have another", curves[s->kind].name);
}

/* Never freed, as the digests of base/hash.c and for the same reason. */
static EC_GROUP *groups[N_CURVES];
static pthread_once_t groups_once = PTHREAD_ONCE_INIT;

static void make_groups(void)
{
    size_t i;

    for (i = 0; i < N_CURVES; i++)
        groups[i] = EC_GROUP_new_by_curve_name(EC_curve_nist2nid(curves[i].name));
}

int spki_check_point(const struct spki *s, struct p11ca_err *err)
{
    struct der bytes = spki_key(s);
    EC_POINT *point;
    int good;

    if (s->kind == KEY_RSA)
        return 0;
    pthread_once(&groups_once, make_groups);
    point = groups[s->kind] ? EC_POINT_new(groups[s->kind]) : NULL;
    if (!point)
        return err_openssl(err, P11CA_BUG, "curve %s", curves[s->kind].name);
    good = EC_POINT_oct2point(groups[s->kind], point, bytes.p, bytes.len, NULL);
    EC_POINT_free(point);
    return good == 1 ? 0 : off_curve(s, err);
}

int spki_read_file(const uint8_t *p, size_t len, struct spki *ret, struct p11ca_err *err)
{
    AUTO_BUF der = BUF_INIT;
    struct spki key;

    if (len > LIMIT_KEY)
        return err_set(err, P11CA_REFUSED, "INPUT_TOO_LARGE", "public key: want at most %d octets, have %zu",
            LIMIT_KEY, len);
    if (pem_decode(p, len, PEM_PUBKEY, &der, err) != 0 || spki_read(der.p, der.len, &key, err) != 0 ||
        spki_check_point(&key, err) != 0 || spki_check_weak(&key, err) != 0)
        return -1;
    *ret = key;
    return 0;
}

/* --- key objects --- */

/* Parameters only: a copy of one of these plus a point is a key, without OpenSSL's decoder search. */
static EVP_PKEY *templates[N_CURVES];
static pthread_once_t templates_once = PTHREAD_ONCE_INIT;

static EVP_PKEY *make_template(const char *group)
{
    char name[16];
    OSSL_PARAM params[2] = {OSSL_PARAM_END, OSSL_PARAM_END};
    SCOPED(pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;

    snprintf(name, sizeof(name), "%s", group);
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0);
    if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEY_PARAMETERS, params) != 1)
        return NULL;
    return key;
}

/* Never freed, as the digests of base/hash.c and for the same reason. */
static void make_templates(void)
{
    size_t i;

    for (i = 0; i < N_CURVES; i++)
        templates[i] = make_template(curves[i].group);
}

int spki_set_point(EVP_PKEY *key, const struct spki *s, struct p11ca_err *err)
{
    struct der point = spki_key(s);

    if (EVP_PKEY_set1_encoded_public_key(key, point.p, point.len) == 1)
        return 0;
    return off_curve(s, err);
}

static int evp_of_point(const struct spki *s, EVP_PKEY **ret, struct p11ca_err *err)
{
    SCOPED(pkey) EVP_PKEY *key = NULL;

    pthread_once(&templates_once, make_templates);
    key = templates[s->kind] ? EVP_PKEY_dup(templates[s->kind]) : NULL;
    if (!key)
        return err_openssl(err, P11CA_BUG, "key object for %s", curves[s->kind].name);
    if (spki_set_point(key, s, err) != 0)
        return -1;
    *ret = key;
    key = NULL;
    return 0;
}

static int evp_of_numbers(const struct spki *s, EVP_PKEY **ret, struct p11ca_err *err)
{
    SCOPED(bn) BIGNUM *n = BN_bin2bn(s->der + s->n_at, s->n_len, NULL);
    SCOPED(bn) BIGNUM *e = BN_bin2bn(s->der + s->e_at, s->e_len, NULL);
    SCOPED(param_bld) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    SCOPED(params) OSSL_PARAM *params = NULL;
    SCOPED(pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;

    if (!n || !e || !bld || !ctx || OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
        OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) != 1)
        return err_openssl(err, P11CA_BUG, "key object for RSA");
    params = OSSL_PARAM_BLD_to_param(bld);
    if (!params || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        return err_openssl(err, P11CA_BUG, "key object for RSA");
    *ret = key;
    return 0;
}

int spki_evp1(const struct spki *s, EVP_PKEY **ret, struct p11ca_err *err)
{
    return s->kind == KEY_RSA ? evp_of_numbers(s, ret, err) : evp_of_point(s, ret, err);
}

int spki_from_evp(EVP_PKEY *key, struct buf *ret, struct p11ca_err *err)
{
    unsigned char *p = NULL;
    int len = i2d_PUBKEY(key, &p);

    if (len <= 0)
        return err_openssl(err, P11CA_BUG, "public key of a key object");
    buf_add(ret, p, (size_t)len);
    OPENSSL_free(p);
    return buf_ok(ret) ? 0 : err_nomem(err);
}

int spki_of_key(EVP_PKEY *key, struct spki *ret, struct p11ca_err *err)
{
    AUTO_BUF der = BUF_INIT;

    if (spki_from_evp(key, &der, err) != 0)
        return -1;
    return spki_read(der.p, der.len, ret, err);
}

/* --- what is known by a key --- */

int spki_ski(const struct spki *s, uint8_t ret[SKI_LEN], struct p11ca_err *err)
{
    struct der key = spki_key(s);

    return hash_sha1(key.p, key.len, ret) == 0 ? 0 : err_openssl(err, P11CA_BUG, "SHA-1");
}

int spki_sha256(const struct spki *s, uint8_t ret[SHA256_LEN], struct p11ca_err *err)
{
    return hash_sha256(s->der, s->len, ret) == 0 ? 0 : err_openssl(err, P11CA_BUG, "SHA-256");
}

const char *spki_text(const struct spki *s, char dst[SPKI_TEXT])
{
    if (s->kind == KEY_RSA)
        snprintf(dst, SPKI_TEXT, "RSA %u", s->bits);
    else
        snprintf(dst, SPKI_TEXT, "EC %s", curves[s->kind].name);
    return dst;
}

bool spki_equal(const struct spki *a, const struct spki *b)
{
    return der_equal(spki_der(a), spki_der(b));
}
