/*
 * lot FILE|DIR N [PREFIX]: a lot of N devices PREFIX-0000001... (default D), each with a P-256 key of its own, as
 *
 *   DIR            a directory of requests, DER, DEVICE.csr
 *   FILE.pem       the same requests in one bundle
 *   FILE.csv       public keys: id,spki
 *   FILE.ndjson    requests inline: {"id":...,"csr":...}
 *
 * The private keys are consecutive numbers from a random one on: the keys are good for nothing but tests, and each costs
 * one addition. Prints nothing; ends with a message and exit status 1 when something cannot be made.
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "x509/csr.h"
#include "x509/name.h"
#include "x509/pem.h"

#define POINT 65

#define must(what)                                                                                           \
    do {                                                                                                     \
        if (!(what)) {                                                                                       \
            fprintf(stderr, "lot: %s:%d: %s\n", __FILE__, __LINE__, #what);                                  \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

struct keys {
    EC_GROUP *group;
    EC_POINT *point;
    BIGNUM *number;
    BN_CTX *ctx;
};

static void first_key(struct keys *k)
{
    k->group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    k->ctx = BN_CTX_new();
    k->number = BN_new();
    k->point = k->group ? EC_POINT_new(k->group) : NULL;
    must(k->group && k->ctx && k->number && k->point);
    must(BN_rand(k->number, 200, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1);
    must(EC_POINT_mul(k->group, k->point, k->number, NULL, NULL, k->ctx) == 1);
}

static void next_key(struct keys *k)
{
    must(EC_POINT_add(k->group, k->point, k->point, EC_GROUP_get0_generator(k->group), k->ctx) == 1);
    must(BN_add_word(k->number, 1) == 1);
}

static void point_of(const struct keys *k, uint8_t ret[POINT])
{
    must(EC_POINT_point2oct(k->group, k->point, POINT_CONVERSION_UNCOMPRESSED, ret, POINT, k->ctx) == POINT);
}

static EVP_PKEY *pair_of(const struct keys *k)
{
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *ret = NULL;
    OSSL_PARAM *params;
    uint8_t point[POINT];

    point_of(k, point);
    must(b && ctx && OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
         OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, POINT) == 1 &&
         OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, k->number) == 1);
    params = OSSL_PARAM_BLD_to_param(b);
    must(params && EVP_PKEY_fromdata_init(ctx) == 1 &&
         EVP_PKEY_fromdata(ctx, &ret, EVP_PKEY_KEYPAIR, params) == 1);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(b);
    EVP_PKEY_CTX_free(ctx);
    return ret;
}

/* RFC 5480: the header of every P-256 SubjectPublicKeyInfo, and the point. */
static size_t spki_of(const struct keys *k, uint8_t ret[26 + POINT])
{
    static const uint8_t head[26] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
        0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

    memcpy(ret, head, sizeof(head));
    point_of(k, ret + sizeof(head));
    return sizeof(head) + POINT;
}

static void request_of(const struct keys *k, const char *device, struct buf *ret)
{
    EVP_PKEY *pair = pair_of(k);
    uint8_t der[26 + POINT];
    AUTO_BUF subject = BUF_INIT;
    struct p11ca_err err;
    struct spki spki;
    char dn[96];

    snprintf(dn, sizeof(dn), "CN=%s", device);
    buf_reset(ret);
    must(spki_read(der, spki_of(k, der), &spki, &err) == 0 && name_from_text(dn, &subject, &err) == 0 &&
         csr_make(pair, der_buf(&subject), &spki, ret, &err) == 0);
    EVP_PKEY_free(pair);
}

static void base64(const uint8_t *p, size_t len, char *dst)
{
    EVP_EncodeBlock((unsigned char *)dst, p, (int)len);
}

/* --- the forms of a lot --- */

static void write_file(const char *dir, const char *device, const struct buf *der)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s.csr", dir, device);
    f = fopen(path, "wb");
    must(f && fwrite(der->p, 1, der->len, f) == der->len);
    must(fclose(f) == 0);
}

static void add_pem(FILE *f, const struct buf *der)
{
    AUTO_BUF pem = BUF_INIT;

    pem_encode(PEM_CSR, der_buf(der), &pem);
    must(buf_ok(&pem) && fwrite(pem.p, 1, pem.len, f) == pem.len);
}

static void add_json(FILE *f, const char *device, const struct buf *der)
{
    char text[4096];

    must(der->len < 3000);
    base64(der->p, der->len, text);
    fprintf(f, "{\"id\":\"%s\",\"csr\":\"%s\"}\n", device, text);
}

static void add_csv(FILE *f, const char *device, const struct keys *k)
{
    uint8_t der[26 + POINT];
    char text[256];

    base64(der, spki_of(k, der), text);
    fprintf(f, "%s,%s\n", device, text);
}

static bool ends(const char *path, const char *ending)
{
    return strlen(path) > strlen(ending) && strcmp(path + strlen(path) - strlen(ending), ending) == 0;
}

static void add(const char *path, FILE *f, const char *device, const struct keys *k)
{
    AUTO_BUF der = BUF_INIT;

    if (ends(path, ".csv")) {
        add_csv(f, device, k);
        return;
    }
    request_of(k, device, &der);
    if (!f)
        write_file(path, device, &der);
    else if (ends(path, ".pem"))
        add_pem(f, &der);
    else
        add_json(f, device, &der);
}

int main(int argc, char **argv)
{
    const char *path = argc > 2 ? argv[1] : "", *prefix = argc > 3 ? argv[3] : "D";
    long n = argc > 2 ? strtol(argv[2], NULL, 10) : 0, i;
    struct keys k;
    FILE *f = NULL;
    char device[80];

    must(n > 0);
    if (ends(path, ".pem") || ends(path, ".csv") || ends(path, ".ndjson"))
        must((f = fopen(path, "wb")));
    else
        must(mkdir(path, 0755) == 0);
    if (ends(path, ".csv"))
        fputs("id,spki\n", f);
    first_key(&k);
    for (i = 1; i <= n; i++) {
        snprintf(device, sizeof(device), "%s-%07ld", prefix, i);
        add(path, f, device, &k);
        next_key(&k);
    }
    must(!f || fclose(f) == 0);
    EC_POINT_free(k.point);
    EC_GROUP_free(k.group);
    BN_free(k.number);
    BN_CTX_free(k.ctx);
    return 0;
}
