/*
 * requests DIR: writes certificate requests with one thing wrong each, the input of tests/cli/intake.bats, which holds
 * the table of what is refused and why. A request is signed by its own key after it was made wrong, wherever there is
 * such a key: nothing but the check in question stands between it and a certificate.
 *
 * Prints nothing; ends with a message and exit status 1 when something cannot be made.
 */
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "x509/oid.h"
#include "x509/ossl.h"
#include "x509/pem.h"

#define BYTES(literal) DER_OF((const uint8_t *)(literal), sizeof(literal) - 1)

#define must(what)                                                                                           \
    do {                                                                                                     \
        if (!(what)) {                                                                                       \
            fprintf(stderr, "requests: %s:%d: %s\n", __FILE__, __LINE__, #what);                             \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

static void add_hex(struct buf *b, const char *hex)
{
    uint8_t bytes[512];
    int n = text_unhex(hex, bytes, sizeof(bytes));

    must(n >= 0);
    buf_add(b, bytes, (size_t)n);
}

/* --- keys --- */

static EVP_PKEY *of_curve(const char *curve)
{
    return EVP_EC_gen(curve);
}

static EVP_PKEY *p256(void)
{
    return of_curve("P-256");
}

static EVP_PKEY *p384(void)
{
    return of_curve("P-384");
}

static EVP_PKEY *p521(void)
{
    return of_curve("P-521");
}

static EVP_PKEY *secp256k1(void)
{
    return of_curve("secp256k1");
}

static EVP_PKEY *p224(void)
{
    return of_curve("P-224");
}

static EVP_PKEY *brainpool(void)
{
    return of_curve("brainpoolP256r1");
}

static EVP_PKEY *ed25519(void)
{
    return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static EVP_PKEY *with_ec_param(const char *param, const char *value)
{
    EVP_PKEY *key = p256();

    must(key && EVP_PKEY_set_utf8_string_param(key, param, value) == 1);
    return key;
}

static EVP_PKEY *explicit_params(void)
{
    return with_ec_param("encoding", "explicit");
}

static EVP_PKEY *compressed(void)
{
    return with_ec_param("point-format", "compressed");
}

static EVP_PKEY *hybrid(void)
{
    return with_ec_param("point-format", "hybrid");
}

static EVP_PKEY *rsa(unsigned bits, BIGNUM *e)
{
    SCOPED(pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;

    must(ctx && EVP_PKEY_keygen_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits) == 1);
    must(!e || EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e) == 1);
    must(EVP_PKEY_generate(ctx, &key) == 1);
    return key;
}

static EVP_PKEY *rsa_2048(void)
{
    return rsa(2048, NULL);
}

static EVP_PKEY *rsa_1024(void)
{
    return rsa(1024, NULL);
}

static EVP_PKEY *exponent_3(void)
{
    SCOPED(bn) BIGNUM *e = BN_new();

    must(e && BN_set_word(e, 3));
    return rsa(2048, e);
}

/* 2^256 + 1 and what follows, of 257 bits: the first with which there is a key. */
static EVP_PKEY *exponent_huge(void)
{
    SCOPED(bn) BIGNUM *e = BN_new();

    must(e && BN_set_bit(e, 256) && BN_set_bit(e, 0));
    return rsa(2048, e);
}

/* d = 1/e modulo the product of (prime - 1); false when there is none. */
static bool private_exponent(BIGNUM *const *primes, size_t n, const BIGNUM *e, BIGNUM *ret_n, BIGNUM *ret_d)
{
    SCOPED(bn_ctx) BN_CTX *ctx = BN_CTX_new();
    SCOPED(bn) BIGNUM *phi = BN_new();
    SCOPED(bn) BIGNUM *less = BN_new();
    size_t i;

    must(ctx && phi && less && BN_one(phi) && BN_one(ret_n));
    for (i = 0; i < n; i++)
        must(BN_sub(less, primes[i], BN_value_one()) && BN_mul(phi, phi, less, ctx) &&
             BN_mul(ret_n, ret_n, primes[i], ctx));
    return BN_mod_inverse(ret_d, e, phi, ctx) != NULL;
}

/* A key with e = 65537, without the primes in it: any number of them will do. NULL: not with these. */
static EVP_PKEY *rsa_of(BIGNUM *const *primes, size_t n_primes)
{
    SCOPED(bn) BIGNUM *n = BN_new();
    SCOPED(bn) BIGNUM *d = BN_new();
    SCOPED(bn) BIGNUM *e = BN_new();
    SCOPED(param_bld) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    SCOPED(params) OSSL_PARAM *params = NULL;
    SCOPED(pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;

    must(n && d && e && bld && ctx && BN_set_word(e, 65537));
    if (!private_exponent(primes, n_primes, e, n, d))
        return NULL;
    must(OSSL_PARAM_BLD_push_BN(bld, "n", n) && OSSL_PARAM_BLD_push_BN(bld, "e", e) &&
         OSSL_PARAM_BLD_push_BN(bld, "d", d));
    params = OSSL_PARAM_BLD_to_param(bld);
    must(params && EVP_PKEY_fromdata_init(ctx) == 1 &&
         EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) == 1);
    return key;
}

/* Primes p and q as the library of CVE-2017-15361 made them: k * M + (65537^a mod M), M the product of small primes. */
static void roca_prime(const BIGNUM *m, BIGNUM *ret)
{
    SCOPED(bn_ctx) BN_CTX *ctx = BN_CTX_new();
    SCOPED(bn) BIGNUM *k = BN_new();
    SCOPED(bn) BIGNUM *g = BN_new();
    SCOPED(bn) BIGNUM *a = BN_new();

    must(ctx && k && g && a && BN_set_word(g, 65537));
    do
        must(BN_rand(a, 64, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) && BN_mod_exp(a, g, a, m, ctx) &&
             BN_rand(k, 1024 - BN_num_bits(m) + 1, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ANY) &&
             BN_mul(ret, k, m, ctx) && BN_add(ret, ret, a));
    while (BN_num_bits(ret) != 1024 || !BN_is_bit_set(ret, 1022) || BN_check_prime(ret, ctx, NULL) != 1);
}

static EVP_PKEY *roca(void)
{
    static const BN_ULONG small[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67,
        71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};
    SCOPED(bn) BIGNUM *m = BN_new();
    SCOPED(bn) BIGNUM *p = BN_new();
    SCOPED(bn) BIGNUM *q = BN_new();
    size_t i;

    must(m && p && q && BN_one(m));
    for (i = 0; i < sizeof(small) / sizeof(small[0]); i++)
        must(BN_mul_word(m, small[i]));
    roca_prime(m, p);
    roca_prime(m, q);
    return rsa_of((BIGNUM *[]){p, q}, 2);
}

/* The prime after p for q. */
static EVP_PKEY *close_primes(void)
{
    SCOPED(bn_ctx) BN_CTX *ctx = BN_CTX_new();
    SCOPED(bn) BIGNUM *p = BN_new();
    SCOPED(bn) BIGNUM *q = NULL;

    must(ctx && p && BN_generate_prime_ex(p, 1024, 0, NULL, NULL, NULL));
    q = BN_dup(p);
    must(q);
    do
        must(BN_add_word(q, 2));
    while (BN_check_prime(q, ctx, NULL) != 1);
    return rsa_of((BIGNUM *[]){p, q}, 2);
}

/* Asked for 2,049 bits, key generation gives 2,048 as well. */
static EVP_PKEY *rsa_2049(void)
{
    SCOPED(bn) BIGNUM *p = BN_new();
    SCOPED(bn) BIGNUM *q = BN_new();

    must(p && q && BN_generate_prime_ex(p, 1024, 0, NULL, NULL, NULL) &&
         BN_generate_prime_ex(q, 1025, 0, NULL, NULL, NULL));
    return rsa_of((BIGNUM *[]){p, q}, 2);
}

/* 751 is the largest prime that BR 6.1.6 wants found. */
static EVP_PKEY *small_factor(void)
{
    SCOPED(bn) BIGNUM *r = BN_new();
    SCOPED(bn) BIGNUM *p = BN_new();
    SCOPED(bn) BIGNUM *q = BN_new();
    EVP_PKEY *key = NULL;

    must(r && p && q && BN_set_word(r, 751));
    while (!key || EVP_PKEY_get_bits(key) != 2048) {
        EVP_PKEY_free(key);
        must(BN_generate_prime_ex(p, 1024, 0, NULL, NULL, NULL) &&
             BN_generate_prime_ex(q, 1015, 0, NULL, NULL, NULL));
        key = rsa_of((BIGNUM *[]){r, p, q}, 3);
    }
    return key;
}

/* --- SubjectPublicKeyInfo of what is no key: the content of its BIT STRING --- */

static void rsa_numbers(const BIGNUM *n, unsigned e, struct buf *ret)
{
    uint8_t bytes[2048];

    der_add_integer(ret, bytes, (size_t)BN_bn2bin(n, bytes));
    der_add_uint(ret, e);
    der_close(ret, 0, DER_SEQUENCE);
}

static void some_modulus(unsigned bits, bool odd, unsigned e, struct buf *ret)
{
    SCOPED(bn) BIGNUM *n = BN_new();

    must(n && BN_rand(n, (int)bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD));
    if (!odd)
        must(BN_clear_bit(n, 0));
    rsa_numbers(n, e, ret);
}

static void even_modulus(struct buf *ret)
{
    some_modulus(2048, false, 65537, ret);
}

static void large_modulus(struct buf *ret)
{
    some_modulus(8200, true, 65537, ret);
}

/* RSAPublicKey 30 82 .. .. 02 82 .. .. 00 N: a second zero where N began. */
static void padded_modulus(struct buf *ret)
{
    some_modulus(2048, true, 65537, ret);
    ret->p[9] = 0;
}

static void exponent_1(struct buf *ret)
{
    some_modulus(2048, true, 1, ret);
}

static void exponent_even(struct buf *ret)
{
    some_modulus(2048, true, 65538, ret);
}

static void off_the_curve(struct buf *ret)
{
    uint8_t x[64];

    memset(x, 0x55, sizeof(x));
    buf_addc(ret, 4);
    buf_add(ret, x, sizeof(x));
}

static void infinity(struct buf *ret)
{
    buf_addc(ret, 0);
}

/* --- names and extensions --- */

struct attribute {
    enum oid oid;
    uint8_t tag;
    const char *text;
    size_t len;
};
#define AT(oid, tag, literal)                                                                                \
    {                                                                                                        \
        OID_##oid, DER_##tag##_STRING, literal, sizeof(literal) - 1                                          \
    }

struct extension {
    enum oid oid;
    const char *hex; /* of the extnValue's content */
};

static void add_pair(struct buf *b, enum oid oid, uint8_t tag, const void *p, size_t len)
{
    size_t at = der_open(b);

    oid_add(b, oid);
    der_add(b, tag, p, len);
    der_close(b, at, DER_SEQUENCE);
}

#define MAX_PARTS 2

struct row {
    const char *file;
    EVP_PKEY *(*key)(void); /* P-256 */
    void (*no_key)(struct buf *ret);
    bool no_key_is_ec;
    struct attribute name[MAX_PARTS]; /* CN=leaf-1 */
    bool nameless, one_part;
    unsigned long_cn; /* so many characters */
    struct extension exts[MAX_PARTS];
    enum oid attr;   /* extensionRequest; around the extensions */
    bool attr_twice; /* an attribute for each extension */
    unsigned version;
    const char *digest;            /* SHA256 */
    const char *alg;               /* hex, of the signature algorithm */
    bool forged;                   /* for e = 1: the padded digest itself */
    bool wrong;                    /* a bit of the signature turned */
    void (*damage)(struct buf *b); /* after all else */
    bool fresh;                    /* a key of its own; others share one for each kind */
};

static void add_name(const struct row *r, struct buf *b)
{
    static char characters[1000000];
    size_t i, name = der_open(b), part = 0;

    if (r->long_cn) {
        memset(characters, 'x', r->long_cn);
        add_pair(b, OID_CN, DER_UTF8_STRING, characters, r->long_cn);
        der_close(b, name, DER_SET);
    } else if (!r->nameless && !r->name[0].tag) {
        add_pair(b, OID_CN, DER_UTF8_STRING, "leaf-1", 6);
        der_close(b, name, DER_SET);
    }
    for (i = 0; i < MAX_PARTS && r->name[i].tag; i++) {
        if (i == 0 || !r->one_part)
            part = der_open(b);
        add_pair(b, r->name[i].oid, r->name[i].tag, r->name[i].text, r->name[i].len);
        if (!r->one_part)
            der_close(b, part, DER_SET);
    }
    if (r->one_part)
        der_close(b, part, DER_SET);
    der_close(b, name, DER_SEQUENCE);
}

static void add_extension(const struct extension *ext, struct buf *b)
{
    AUTO_BUF value = BUF_INIT;

    add_hex(&value, ext->hex);
    add_pair(b, ext->oid, DER_OCTET_STRING, value.p, value.len);
}

/* Attribute { oid, SET { SEQUENCE OF Extension } } */
static void add_request(const struct row *r, const struct extension *exts, size_t n, struct buf *b)
{
    AUTO_BUF oid = BUF_INIT;
    size_t i, at = der_open(b);

    for (i = 0; i < n; i++)
        add_extension(&exts[i], b);
    der_close(b, at, DER_SEQUENCE);
    der_close(b, at, DER_SET);
    oid_add(&oid, r->attr ? r->attr : OID_EXTENSION_REQUEST);
    buf_insert(b, at, oid.p, oid.len);
    der_close(b, at, DER_SEQUENCE);
}

static void add_attributes(const struct row *r, struct buf *b)
{
    size_t n = 0, at = der_open(b);

    while (n < MAX_PARTS && r->exts[n].hex)
        n++;
    if (r->attr_twice) {
        add_request(r, &r->exts[0], 1, b);
        add_request(r, &r->exts[1], 1, b);
    } else if (n) {
        add_request(r, r->exts, n, b);
    }
    der_close(b, at, DER_CONTEXT_CONSTRUCTED(0));
}

/* --- requests --- */

#define ALG_ECDSA   "300a06082a8648ce3d040302"
#define ALG_RSA     "300d06092a864886f70d01010b0500"
#define ALG_ED25519 "300506032b6570"
#define EC_P256     "301306072a8648ce3d020106082a8648ce3d030107"
#define RSA_KEY     "300d06092a864886f70d0101010500"

static void add_key(const struct row *r, EVP_PKEY *key, struct buf *b)
{
    AUTO_BUF bits = BUF_INIT;
    unsigned char *p = NULL;
    size_t at = der_open(b);
    int len;

    if (r->no_key) {
        r->no_key(&bits);
        add_hex(b, r->no_key_is_ec ? EC_P256 : RSA_KEY);
        der_add_bits(b, bits.p, bits.len);
        der_close(b, at, DER_SEQUENCE);
        return;
    }
    len = i2d_PUBKEY(key, &p);
    must(len > 0);
    buf_add(b, p, (size_t)len);
    OPENSSL_free(p);
}

static const char *alg_of(const struct row *r, EVP_PKEY *key)
{
    if (r->alg)
        return r->alg;
    if (r->no_key)
        return r->no_key_is_ec ? ALG_ECDSA : ALG_RSA;
    return EVP_PKEY_is_a(key, "RSA") ? ALG_RSA : EVP_PKEY_is_a(key, "ED25519") ? ALG_ED25519 : ALG_ECDSA;
}

/* RFC 8017 9.2: to the power of one, this is the signature. */
static void add_forged(struct der info, struct buf *b)
{
    static const char prefix[] = "003031300d060960864801650304020105000420";
    uint8_t digest[SHA256_DIGEST_LENGTH];
    AUTO_BUF padded = BUF_INIT;

    SHA256(info.p, info.len, digest);
    buf_add(&padded, "\0\1", 2);
    while (padded.len < 256 - sizeof(digest) - (sizeof(prefix) - 1) / 2)
        buf_addc(&padded, 0xff);
    add_hex(&padded, prefix);
    buf_add(&padded, digest, sizeof(digest));
    der_add_bits(b, padded.p, padded.len);
}

static void add_signature(const struct row *r, EVP_PKEY *key, struct der info, struct buf *b)
{
    SCOPED(md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const char *digest = EVP_PKEY_is_a(key, "ED25519") ? NULL : r->digest ? r->digest : "SHA256";
    uint8_t sig[1100];
    size_t len = sizeof(sig);

    if (r->forged) {
        add_forged(info, b);
        return;
    }
    must(ctx && EVP_DigestSignInit_ex(ctx, NULL, digest, NULL, NULL, key, NULL) == 1);
    must(EVP_DigestSign(ctx, sig, &len, info.p, info.len) == 1);
    if (r->wrong)
        sig[len - 1] ^= 1;
    der_add_bits(b, sig, len);
}

static void make(const struct row *r, EVP_PKEY *key, struct buf *b)
{
    AUTO_BUF info = BUF_INIT;

    der_add_uint(&info, r->version);
    add_name(r, &info);
    add_key(r, key, &info);
    add_attributes(r, &info);
    der_close(&info, 0, DER_SEQUENCE);
    der_add_raw(b, der_buf(&info));
    add_hex(b, alg_of(r, key));
    add_signature(r, key, der_buf(&info), b);
    der_close(b, 0, DER_SEQUENCE);
    if (r->damage)
        r->damage(b);
    must(buf_ok(b));
}

/* --- damage --- */

/* After signing: another subject. */
static void change_subject(struct buf *b)
{
    uint8_t *p = memmem(b->p, b->len, "leaf-1", 6);

    must(p);
    p[5] = '2';
}

static void add_trailer(struct buf *b)
{
    buf_adds(b, "trailer");
}

/* 30 81 LEN or 30 82 LEN LEN as 30 80 ... 00 00 */
static void indefinite(struct buf *b)
{
    size_t header = b->p[1] == 0x81 ? 3 : 4;

    memmove(b->p + 2, b->p + header, b->len - header);
    b->len -= header - 2;
    b->p[1] = 0x80;
    buf_add(b, "\0\0", 2);
}

/* 30 81 LEN as 30 82 00 LEN */
static void long_length(struct buf *b)
{
    must(b->p[1] == 0x81);
    b->p[1] = 0x82;
    buf_insert(b, 2, "\0", 1);
}

/* 106 octets that say they are 2 GiB. */
static void claim_2_gib(struct buf *b)
{
    b->len = 100;
    buf_insert(b, 0, "\x30\x84\x7f\xff\xff\xff", 6);
}

static void cut_short(struct buf *b)
{
    b->len /= 2;
}

static void nothing(struct buf *b)
{
    b->len = 0;
}

/* --- the rows --- */

#define SAN(hex)                                                                                             \
    {                                                                                                        \
        OID_SAN, hex                                                                                         \
    }
#define BC(hex)                                                                                              \
    {                                                                                                        \
        OID_BASIC_CONSTRAINTS, hex                                                                           \
    }
#define KU(hex)                                                                                              \
    {                                                                                                        \
        OID_KEY_USAGE, hex                                                                                   \
    }
#define SAN_A "3003820161"

static const struct row rows[] = {
    {.file = "good"},
    {"good-p384", .key = p384},
    {"good-p521", .key = p521},
    {"good-rsa", .key = rsa_2048},
    {"01-signature", .wrong = true},
    {"01-signature-rsa", .key = rsa_2048, .wrong = true},
    {"01-subject-changed", .damage = change_subject},
    {"02-exponent-1", .no_key = exponent_1, .forged = true},
    {"03-exponent-3", .key = exponent_3},
    {"03-exponent-even", .no_key = exponent_even},
    {"03-exponent-huge", .key = exponent_huge},
    {"04-rsa-1024", .key = rsa_1024},
    {"05-bits", .key = rsa_2049},
    {"05-even", .no_key = even_modulus},
    {"05-large", .no_key = large_modulus},
    {"06-roca", .key = roca},
    {"06-close-primes", .key = close_primes},
    {"06-small-factor", .key = small_factor},
    {"07-secp256k1", .key = secp256k1},
    {"07-p224", .key = p224},
    {"07-brainpool", .key = brainpool},
    {"07-ed25519", .key = ed25519},
    {"08-explicit", .key = explicit_params},
    {"09-off-curve", .no_key = off_the_curve, .no_key_is_ec = true},
    {"10-infinity", .no_key = infinity, .no_key_is_ec = true},
    {"11-compressed", .key = compressed},
    {"11-hybrid", .key = hybrid},
    {"13-same-key", .name = {AT(CN, UTF8, "leaf-2")}},
    {"16-other-key", .fresh = true},
    {"17-second", .fresh = true, .name = {AT(CN, UTF8, "leaf-2")}},
    {"18-ca", .exts = {BC("30030101ff")}},
    {"18-path-length", .exts = {BC("3003020100")}},
    {"18-cert-sign", .exts = {KU("03020204")}},
    {"18-crl-sign", .exts = {KU("03020102")}},
    {"19-ca-false", .exts = {BC("3000")}},
    {"19-ignored", .exts = {KU("03020780"), {OID_TLS_FEATURE, "3003020105"}}},
    {"20-two-sans", .exts = {SAN(SAN_A), SAN("3003820162")}},
    {"20-two-constraints", .exts = {BC("3000"), BC("30030101ff")}},
    {"21-two-requests", .exts = {SAN(SAN_A), SAN("3003820162")}, .attr_twice = true},
    {"22-microsoft", .exts = {SAN(SAN_A)}, .attr = OID_MS_EXTENSION_REQUEST},
    {"23-san", .exts = {SAN("deadbeef")}},
    {"23-constraints", .exts = {BC("04023000")}},
    {"23-unknown", .exts = {{OID_TLS_FEATURE, "ff"}}},
    {"24-trailing", .damage = add_trailer},
    {"24-short", .damage = cut_short},
    {"24-empty", .damage = nothing},
    {"25-padded-modulus", .no_key = padded_modulus},
    {"25-indefinite", .damage = indefinite},
    {"25-long-length", .damage = long_length},
    {"26-version-1", .version = 1},
    {"27-null", .alg = "300c06082a8648ce3d0403020500"},
    {"27-none", .key = rsa_2048, .alg = "300b06092a864886f70d01010b"},
    {"28-sha1", .digest = "SHA1", .alg = "300906072a8648ce3d0401"},
    {"28-sha1-rsa", .key = rsa_2048, .digest = "SHA1", .alg = "300d06092a864886f70d0101050500"},
    {"28-md5", .key = rsa_2048, .digest = "MD5", .alg = "300d06092a864886f70d0101040500"},
    {"29-nul", .name = {AT(CN, UTF8, "good.example\0.evil.example")}},
    {"30-escape", .name = {AT(CN, UTF8, "a\x1b[31mb")}},
    {"30-newline", .name = {AT(CN, UTF8, "a\r\nb")}},
    {"30-bidi", .name = {AT(CN, UTF8,
                    "a\xe2\x80\xae"
                    "b")}},
    {"30-c1", .name = {AT(CN, UTF8,
                  "a\xc2\x9b"
                  "31mb")}},
    {"31-utf8", .name = {AT(CN, UTF8, "a\xff\xfe")}},
    {"31-surrogate", .name = {AT(CN, UTF8, "a\xed\xa0\x80")}},
    {"32-upn", .exts = {SAN("3015a013060a2b060104018237140203a0050c03ff4061")}},
    {"33-65", .long_cn = 65},
    {"33-60000", .long_cn = 60000},
    {"33-million", .long_cn = 1000000},
    {"34-empty-cn", .name = {AT(CN, UTF8, "")}},
    {"34-nameless", .nameless = true},
    {"35-two-cns", .name = {AT(CN, UTF8, "leaf-1"), AT(CN, UTF8, "leaf-2")}},
    {"35-one-part", .name = {AT(UNIT, UTF8, "unit"), AT(CN, UTF8, "leaf-1")}, .one_part = true},
    {"36-at", .name = {AT(CN, PRINTABLE, "leaf@1")}},
    {"36-underscore", .name = {AT(CN, PRINTABLE, "leaf_1")}},
    {"36-star", .name = {AT(CN, PRINTABLE, "*.example")}},
    {"37-t61", .name = {AT(CN, T61, "leaf-1")}},
    {"37-bmp", .name = {AT(CN, BMP, "\0l\0e\0a\0f")}},
    {"37-bmp-odd", .name = {AT(CN, BMP, "\0l\0e\0")}},
    {"37-universal", .name = {AT(CN, UNIVERSAL, "\0\0\0l")}},
    {"38-three", .name = {AT(COUNTRY, PRINTABLE, "USA"), AT(CN, UTF8, "leaf-1")}},
    {"38-digits", .name = {AT(COUNTRY, PRINTABLE, "U1"), AT(CN, UTF8, "leaf-1")}},
    {"39-nul", .exts = {SAN("301a821874727573746564006576696c2e6578616d706c652e6f7267")}},
    {"39-ip-5", .exts = {SAN("30078705c000020100")}},
    {"39-empty", .exts = {SAN("3000")}},
    {"39-email", .exts = {SAN("30068104c3bc4061")}},
    {"45-claims-2-gib", .damage = claim_2_gib},
};

/* --- files --- */

static const char *dir;

static void put(const char *name, const char *suffix, const void *p, size_t len)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s.%s", dir, name, suffix);
    f = fopen(path, "wb");
    must(f);
    must(fwrite(p, 1, len, f) == len);
    must(fclose(f) == 0);
}

/* One of each good kind; bad ones are made anew. */
static struct {
    EVP_PKEY *(*make)(void);
    EVP_PKEY *key;
} shared[] = {{.make = p256}, {.make = rsa_2048}, {.make = p384}, {.make = p521}};

static EVP_PKEY *shared_key(EVP_PKEY *(*key)(void))
{
    size_t i = 0;

    while (i < sizeof(shared) / sizeof(shared[0]) && shared[i].make != key)
        i++;
    if (i == sizeof(shared) / sizeof(shared[0]))
        return key();
    if (!shared[i].key)
        shared[i].key = key();
    must(shared[i].key && EVP_PKEY_up_ref(shared[i].key));
    return shared[i].key;
}

static EVP_PKEY *key_of(const struct row *r)
{
    EVP_PKEY *(*make_key)(void) = r->key ? r->key : p256;
    EVP_PKEY *key = NULL;
    int tries;

    /* Whoever signs for what is no key: its signature has the right length. */
    if (r->no_key && !r->no_key_is_ec)
        make_key = rsa_2048;
    for (tries = 0; tries < 3 && !key; tries++)
        key = r->fresh ? make_key() : shared_key(make_key);
    return key;
}

static void put_row(const struct row *r)
{
    SCOPED(pkey) EVP_PKEY *key = key_of(r);
    AUTO_BUF b = BUF_INIT;

    must(key);
    make(r, key, &b);
    put(r->file, "der", b.p ? (void *)b.p : "", b.len);
}

/* The private key in DER and PEM, and requests in PEM with this and that around them. */
static void put_pem(void)
{
    SCOPED(pkey) EVP_PKEY *key = shared_key(p256);
    SCOPED(bio) BIO *bio = BIO_new(BIO_s_mem());
    AUTO_BUF der = BUF_INIT;
    AUTO_BUF one = BUF_INIT;
    AUTO_BUF b = BUF_INIT;
    unsigned char *p = NULL;
    char *text = NULL;
    long n;
    int len;

    make(&rows[0], key, &der);
    pem_encode(PEM_CSR, der_buf(&der), &one);
    must(bio && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
    n = BIO_get_mem_data(bio, &text);
    must(n > 0);
    put("46-key", "pem", text, (size_t)n);
    buf_add(&b, one.p, one.len);
    buf_add(&b, text, (size_t)n);
    put("46-key-behind", "pem", b.p, b.len);
    buf_reset(&b);
    buf_add(&b, one.p, one.len);
    buf_add(&b, one.p, one.len);
    put("46-two", "pem", b.p, b.len);
    buf_reset(&b);
    buf_adds(&b, "Certificate request of leaf-1\n\n");
    buf_add(&b, one.p, one.len);
    put("46-text-before", "pem", b.p, b.len);
    buf_adds(&b, "text\n");
    put("46-text-behind", "pem", b.p, b.len);
    len = i2d_PrivateKey(key, &p);
    must(len > 0);
    put("46-key", "der", p, (size_t)len);
    OPENSSL_free(p);
}

static void put_public(void)
{
    SCOPED(pkey) EVP_PKEY *key = shared_key(p256);
    unsigned char *p = NULL;
    int len = i2d_PUBKEY(key, &p);

    must(len > 0);
    put("47-public-key", "der", p, (size_t)len);
    OPENSSL_free(p);
}

static void put_certificate(void)
{
    SCOPED(pkey) EVP_PKEY *key = shared_key(p256);
    SCOPED(x509) X509 *cert = X509_new();
    unsigned char *p = NULL;
    int len;

    must(cert && X509_set_version(cert, X509_VERSION_3) && ASN1_INTEGER_set(X509_get_serialNumber(cert), 1));
    must(X509_gmtime_adj(X509_getm_notBefore(cert), 0) && X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
    must(X509_set_pubkey(cert, key) && X509_sign(cert, key, EVP_sha256()) > 0);
    len = i2d_X509(cert, &p);
    must(len > 0);
    put("47-certificate", "der", p, (size_t)len);
    OPENSSL_free(p);
}

int main(int argc, char **argv)
{
    size_t i;

    if (argc != 2) {
        fprintf(stderr, "usage: requests DIR\n");
        return 2;
    }
    dir = argv[1];
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        put_row(&rows[i]);
    put_pem();
    put_public();
    put_certificate();
    for (i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
        EVP_PKEY_free(shared[i].key);
    return 0;
}
