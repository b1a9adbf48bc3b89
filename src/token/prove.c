/* Proof that a private key is the one of its public object. */
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/scope.h"
#include "token/key.h"
#include "token/rv.h"

SCOPE_DEFINE(pkey, EVP_PKEY *, EVP_PKEY_free)
SCOPE_DEFINE(ctx, EVP_PKEY_CTX *, EVP_PKEY_CTX_free)
SCOPE_DEFINE(ecdsa, ECDSA_SIG *, ECDSA_SIG_free)
SCOPE_DEFINE(bn, BIGNUM *, BN_free)

/* DigestInfo of SHA-256 up to the digest (RFC 8017 9.2, note 1): CKM_RSA_PKCS adds the padding and nothing else. */
static const unsigned char sha256_info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,
    0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};

struct signature {
    unsigned char p[LIMIT_SIGNATURE];
    size_t len;
};

static int sign(
    const struct key *k, const uint8_t digest[SHA256_LEN], struct signature *ret, struct p11ca_err *err)
{
    CK_FUNCTION_LIST *fn = k->token->module->fn;
    bool ec = k->type == CKK_EC;
    CK_MECHANISM mechanism = {ec ? CKM_ECDSA : CKM_RSA_PKCS, NULL, 0};
    CK_BYTE data[sizeof(sha256_info) + SHA256_LEN];
    CK_ULONG len = sizeof(ret->p);
    size_t head = ec ? 0 : sizeof(sha256_info);
    CK_RV rv;

    memcpy(data, sha256_info, head);
    memcpy(data + head, digest, SHA256_LEN);
    rv = fn->C_SignInit(k->token->session, &mechanism, k->private_key);
    if (rv == CKR_OK)
        rv = fn->C_Sign(k->token->session, data, head + SHA256_LEN, ret->p, &len);
    if (rv != CKR_OK)
        return err_rv(err, rv, "token '%s': key '%s': C_Sign", k->token->binding->name, k->label);
    ret->len = len;
    return 0;
}

/* r and s side by side, as tokens give them, to the DER that OpenSSL takes (RFC 3279 2.2.3). 0 when that is not possible. */
static int ecdsa_der(const struct signature *raw, struct signature *ret)
{
    SCOPED(ecdsa) ECDSA_SIG *sig = ECDSA_SIG_new();
    SCOPED(bn)
    BIGNUM *r = BN_bin2bn(raw->p, (int)(raw->len / 2), NULL),
           *s = BN_bin2bn(raw->p + raw->len / 2, (int)(raw->len / 2), NULL);
    unsigned char *at = ret->p;
    int len;

    if (!sig || !r || !s || raw->len % 2 || raw->len > 2 * 66 || ECDSA_SIG_set0(sig, r, s) != 1)
        return 0;
    r = s = NULL;
    len = i2d_ECDSA_SIG(sig, &at);
    ret->len = len > 0 ? (size_t)len : 0;
    return len > 0;
}

static bool verifies(const struct key *k, const uint8_t digest[SHA256_LEN], const struct signature *raw)
{
    const unsigned char *at = k->spki.p;
    SCOPED(pkey) EVP_PKEY *pub = d2i_PUBKEY(NULL, &at, (long)k->spki.len);
    SCOPED(ctx) EVP_PKEY_CTX *ctx = pub ? EVP_PKEY_CTX_new(pub, NULL) : NULL;
    struct signature sig = *raw;

    if (!ctx || (k->type == CKK_EC && !ecdsa_der(raw, &sig)))
        return false;
    return EVP_PKEY_verify_init(ctx) == 1 && EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
           EVP_PKEY_verify(ctx, sig.p, sig.len, digest, SHA256_LEN) == 1;
}

int key_prove(const struct key *k, struct p11ca_err *err)
{
    const char *token = k->token->binding->name;
    uint8_t digest[SHA256_LEN]; /* of nothing anybody knows: any 32 octets are a digest */
    struct signature sig;

    if (RAND_bytes(digest, sizeof(digest)) != 1)
        return err_openssl(err, P11CA_BUG, "random generator");
    if (k->spki.len == 0)
        return err_set(err, P11CA_TOKEN, "KEY_NO_PUBLIC",
            "token '%s': key '%s': no public key object to verify with", token, k->label);
    if (sign(k, digest, &sig, err) != 0)
        return -1;
    if (verifies(k, digest, &sig))
        return 0;
    ERR_clear_error();
    return err_set(err, P11CA_TOKEN, "KEY_POSSESSION",
        "token '%s': key '%s': its signature does not verify under its public object", token, k->label);
}
