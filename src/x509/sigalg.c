#include "x509/sigalg.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "x509/ossl.h"
#include "x509/verifier.h"

#define ID(bytes)                                                                                            \
    {                                                                                                        \
        (const uint8_t *)(bytes), sizeof(bytes) - 1                                                          \
    }
/* RFC 5758 3.2: ECDSA without parameters. RFC 4055 5: RSA with NULL. */
#define ECDSA_ID(last) ID("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03" last)
#define RSA_ID(last)   ID("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01" last "\x05\x00")

static const struct sigalg table[] = {
    {OID_ECDSA_SHA256, "ecdsa-with-SHA256", "SHA256", false, ECDSA_ID("\x02")},
    {OID_ECDSA_SHA384, "ecdsa-with-SHA384", "SHA384", false, ECDSA_ID("\x03")},
    {OID_ECDSA_SHA512, "ecdsa-with-SHA512", "SHA512", false, ECDSA_ID("\x04")},
    {OID_RSA_SHA256, "sha256WithRSAEncryption", "SHA256", true, RSA_ID("\x0b")},
    {OID_RSA_SHA384, "sha384WithRSAEncryption", "SHA384", true, RSA_ID("\x0c")},
    {OID_RSA_SHA512, "sha512WithRSAEncryption", "SHA512", true, RSA_ID("\x0d")},
};
#define N_ALGS (sizeof(table) / sizeof(table[0]))

/* Digests with which a signature proves nothing any more, or less than 112 bits. */
static const enum oid weak[] = {
    OID_ECDSA_SHA1, OID_ECDSA_SHA224, OID_RSA_SHA1, OID_RSA_SHA224, OID_RSA_MD5, OID_RSA_MD4, OID_RSA_MD2};

const struct sigalg *sigalg_for_key(const struct spki *s)
{
    static const size_t rows[KEY_KINDS] = {[KEY_P256] = 0, [KEY_P384] = 1, [KEY_P521] = 2, [KEY_RSA] = 3};

    return &table[rows[s->kind]];
}

const struct sigalg *sigalg_find(struct der id)
{
    size_t i;

    for (i = 0; i < N_ALGS; i++) {
        if (der_equal(id, table[i].id))
            return &table[i];
    }
    return NULL;
}

const struct sigalg *sigalg_by_text(const char *text)
{
    size_t i;

    for (i = 0; i < N_ALGS; i++) {
        if (strcmp(text, table[i].text) == 0)
            return &table[i];
    }
    return NULL;
}

static int refuse(
    struct p11ca_err *err, const char *prefix, const char *suffix, const char *want, const char *have)
{
    char code[32];

    snprintf(code, sizeof(code), "%s_%s", prefix, suffix);
    return err_set(err, P11CA_REFUSED, code, "signature algorithm: %s, have %s", want, have);
}

/* Why an identifier is none of the table's. */
static int refuse_unknown(struct der id, const char *prefix, struct p11ca_err *err)
{
    struct der seq, oid;
    char text[OID_TEXT];
    size_t i;

    if (der_whole(id, DER_SEQUENCE, &seq) != 0 || der_next(&seq, DER_OID, &oid) != 0)
        return refuse(err, prefix, "ALG", "RFC 5280 4.1.1.2: want an AlgorithmIdentifier", "something else");
    oid_text(oid, text);
    for (i = 0; i < sizeof(weak) / sizeof(weak[0]); i++) {
        if (oid_is(oid, weak[i]))
            return refuse(err, prefix, "SIG_WEAK", "SP 800-57 5.6.1: want SHA-256, SHA-384 or SHA-512", text);
    }
    for (i = 0; i < N_ALGS; i++) {
        if (oid_is(oid, table[i].oid))
            return refuse(err, prefix, "ALG_PARAMS",
                table[i].rsa ? "RFC 4055 5: want NULL parameters with RSA"
                             : "RFC 5758 3.2: want no parameters with ECDSA",
                seq.len ? "others" : "none");
    }
    return refuse(
        err, prefix, "ALG", "want ECDSA or RSA PKCS #1 v1.5 with SHA-256, SHA-384 or SHA-512", text);
}

int sigalg_read(
    struct der id, enum key_kind kind, const char *prefix, const struct sigalg **ret, struct p11ca_err *err)
{
    const struct sigalg *alg = sigalg_find(id);

    if (!alg)
        return refuse_unknown(id, prefix, err);
    if (alg->rsa != (kind == KEY_RSA))
        return refuse(err, prefix, "ALG",
            kind == KEY_RSA ? "want one for an RSA key" : "want one for an EC key", alg->text);
    *ret = alg;
    return 0;
}

/* --- signing and verifying --- */

/* The digest apart from the operation: EVP_DigestVerify() fetches both anew for every signature. */
static int digest(const struct sigalg *alg, struct der tbs, uint8_t ret[HASH_MAX], size_t *ret_len)
{
    return hash_by_name(alg->digest, tbs.p, tbs.len, ret, ret_len);
}

int sigalg_sign(
    EVP_PKEY *key, const struct sigalg *alg, struct der tbs, struct buf *ret, struct p11ca_err *err)
{
    SCOPED(pkey_ctx) EVP_PKEY_CTX *ctx = NULL;
    uint8_t sig[LIMIT_SIGNATURE], hash[HASH_MAX];
    size_t len = sizeof(sig), hash_len;
    int want = EVP_PKEY_get_size(key);

    if (want <= 0 || (size_t)want > sizeof(sig))
        return err_set(err, P11CA_BUG, "SIGN", "sign: a key with signatures of %d octets", want);
    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    if (!ctx || digest(alg, tbs, hash, &hash_len) != 0 || EVP_PKEY_sign_init(ctx) != 1 ||
        EVP_PKEY_CTX_set_signature_md(ctx, hash_md(alg->digest)) != 1 ||
        EVP_PKEY_sign(ctx, sig, &len, hash, hash_len) != 1)
        return err_openssl(err, P11CA_BUG, "sign with %s", alg->text);
    buf_add(ret, sig, len);
    return buf_ok(ret) ? 0 : err_nomem(err);
}

static int verify(
    EVP_PKEY_CTX *ctx, const struct sigalg *alg, struct der tbs, struct der sig, struct p11ca_err *err)
{
    uint8_t hash[HASH_MAX];
    size_t len;

    if (digest(alg, tbs, hash, &len) != 0)
        return err_openssl(err, P11CA_BUG, "verify with %s", alg->text);
    if (EVP_PKEY_verify(ctx, sig.p, sig.len, hash, len) == 1)
        return 0;
    ERR_clear_error(); /* the reasons tell a person nothing */
    return err_set(err, P11CA_NEGATIVE, "SIGNATURE_BAD",
        "signature: want one by this key with %s, have another", alg->text);
}

int sigalg_verify(
    EVP_PKEY *pub, const struct sigalg *alg, struct der tbs, struct der sig, struct p11ca_err *err)
{
    SCOPED(pkey_ctx) EVP_PKEY_CTX *own = NULL;
    EVP_PKEY_CTX *ctx;

    /* A token's key ends with its session: nothing of it is kept. */
    if (EVP_PKEY_get0_provider(pub))
        ctx = verifier_of_key(pub, alg);
    else
        ctx = own = verifier_new(pub, alg);
    if (!ctx)
        return err_openssl(err, P11CA_BUG, "verify with %s", alg->text);
    return verify(ctx, alg, tbs, sig, err);
}

int sigalg_verify_by(
    const struct spki *key, const struct sigalg *alg, struct der tbs, struct der sig, struct p11ca_err *err)
{
    SCOPED(pkey) EVP_PKEY *pub = NULL;
    EVP_PKEY_CTX *ctx;

    if (key->kind == KEY_RSA)
        return spki_evp1(key, &pub, err) == 0 ? sigalg_verify(pub, alg, tbs, sig, err) : -1;
    return verifier_of_point(key, alg, &ctx, err) == 0 ? verify(ctx, alg, tbs, sig, err) : -1;
}
