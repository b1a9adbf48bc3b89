#include "token/doctor.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/scope.h"
#include "token/rv.h"
#include "token/signer.h"

SCOPE_DEFINE(mdctx, EVP_MD_CTX *, EVP_MD_CTX_free)
SCOPE_DEFINE(pkey, EVP_PKEY *, EVP_PKEY_free)
SCOPE_DEFINE(signer, struct signer *, signer_close)

struct visit {
    doctor_fn *fn;
    void *arg;
    const char *token;
    struct p11ca_err *err;
    bool bad;
};

static void finding(struct visit *v, enum doctor_level level, const char *what, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void finding(struct visit *v, enum doctor_level level, const char *what, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    v->fn(v->arg, level, what, text);
    if (level != DOCTOR_BAD || v->bad)
        return;
    v->bad = true;
    err_set(v->err, P11CA_TOKEN, "TOKEN_CHECK", "token '%s': %s: %s", v->token, what, text);
}

static void look_at_token(struct visit *v, const struct token *t)
{
    CK_INFO info;

    finding(v, DOCTOR_GOOD, "kind", "%s", t->kind.description);
    if (t->module->fn->C_GetInfo(&info) == CKR_OK)
        finding(v, DOCTOR_GOOD, "module", "%s, library %u.%u, Cryptoki %u.%u", t->module->path,
            info.libraryVersion.major, info.libraryVersion.minor, info.cryptokiVersion.major,
            info.cryptokiVersion.minor);
    finding(v, DOCTOR_GOOD, "token", "label '%s', serial %s, model '%s', firmware %u.%u", t->label, t->serial,
        t->model, t->info.firmwareVersion.major, t->info.firmwareVersion.minor);
}

static void look_at_flags(struct visit *v, const struct token *t)
{
    static const struct {
        CK_FLAGS flag;
        const char *what, *set, *clear;
        enum doctor_level if_set, if_clear;
    } rows[] = {
        {CKF_USER_PIN_INITIALIZED, "user PIN", "is set", "was never set", DOCTOR_GOOD, DOCTOR_BAD},
        {CKF_USER_PIN_COUNT_LOW, "user PIN tries", "a wrong PIN since the last login", "all left",
            DOCTOR_WEAK, DOCTOR_GOOD},
        {CKF_USER_PIN_FINAL_TRY, "user PIN final try", "ONE TRY LEFT", "no", DOCTOR_WEAK, DOCTOR_GOOD},
        {CKF_USER_PIN_LOCKED, "user PIN locked", "LOCKED", "no", DOCTOR_BAD, DOCTOR_GOOD},
        {CKF_LOGIN_REQUIRED, "login", "required", "not required: whoever reaches the module can sign",
            DOCTOR_GOOD, DOCTOR_WEAK},
        {CKF_PROTECTED_AUTHENTICATION_PATH, "PIN entry", "on the token", "by the host", DOCTOR_GOOD,
            DOCTOR_GOOD},
        {CKF_RNG, "random generator", "on the token", "none on the token", DOCTOR_GOOD, DOCTOR_GOOD},
        {CKF_WRITE_PROTECTED, "writing", "the token is write-protected", "possible", DOCTOR_WEAK,
            DOCTOR_GOOD},
    };
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool set = (t->info.flags & rows[i].flag) != 0;

        finding(v, set ? rows[i].if_set : rows[i].if_clear, rows[i].what, "%s",
            set ? rows[i].set : rows[i].clear);
    }
}

static void look_at_mechanisms(struct visit *v, const struct token *t)
{
    static const struct {
        CK_MECHANISM_TYPE type;
        const char *what;
    } rows[] = {
        {CKM_EC_KEY_PAIR_GEN, "mechanism EC key generation"},
        {CKM_ECDSA, "mechanism ECDSA"},
        {CKM_RSA_PKCS_KEY_PAIR_GEN, "mechanism RSA key generation"},
        {CKM_RSA_PKCS, "mechanism RSA PKCS #1"},
    };
    CK_MECHANISM_INFO info;
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (t->module->fn->C_GetMechanismInfo(t->slot, rows[i].type, &info) == CKR_OK)
            finding(v, DOCTOR_GOOD, rows[i].what, "%lu to %lu bits", info.ulMinKeySize, info.ulMaxKeySize);
        else
            finding(v, DOCTOR_WEAK, rows[i].what, "not offered");
    }
}

/* A second session is what a signer needs beside ours. */
static void look_at_sessions(struct visit *v, const struct token *t)
{
    CK_SESSION_HANDLE second;
    CK_RV rv = t->module->fn->C_OpenSession(t->slot, CKF_SERIAL_SESSION, NULL, NULL, &second);
    char name[32];

    if (rv != CKR_OK) {
        finding(v, DOCTOR_BAD, "sessions", "a second one is refused: %s", rv_name(rv, name));
        return;
    }
    t->module->fn->C_CloseSession(second);
    if (t->info.ulMaxSessionCount == 0 || t->info.ulMaxSessionCount == CK_UNAVAILABLE_INFORMATION)
        finding(v, DOCTOR_GOOD, "sessions", "no limit told; %d used at most", t->kind.max_sessions);
    else
        finding(v, DOCTOR_GOOD, "sessions", "%lu at most", t->info.ulMaxSessionCount);
}

int doctor_token(struct token *t, doctor_fn *fn, void *arg, struct p11ca_err *err)
{
    struct visit v = {fn, arg, t->binding->name, err, false};

    look_at_token(&v, t);
    look_at_flags(&v, t);
    look_at_mechanisms(&v, t);
    look_at_sessions(&v, t);
    return v.bad ? -1 : 0;
}

static void show_reading(void *arg, const struct policy_reading *r)
{
    struct visit *v = arg;
    enum doctor_level level = r->ok ? DOCTOR_GOOD : r->weak || r->excused ? DOCTOR_WEAK : DOCTOR_BAD;

    v->fn(v->arg, level, r->name, r->absent ? "no such attribute" : r->have ? "true" : "false");
}

static int sign_and_verify(EVP_PKEY *priv, EVP_PKEY *pub)
{
    SCOPED(mdctx) EVP_MD_CTX *s = EVP_MD_CTX_new(), *c = EVP_MD_CTX_new();
    unsigned char text[32], sig[1024];
    size_t len = sizeof(sig);

    if (!s || !c || RAND_bytes(text, sizeof(text)) != 1 ||
        EVP_DigestSignInit(s, NULL, EVP_sha256(), NULL, priv) != 1 ||
        EVP_DigestSign(s, sig, &len, text, sizeof(text)) != 1)
        return -1;
    if (EVP_DigestVerifyInit(c, NULL, EVP_sha256(), NULL, pub) != 1 ||
        EVP_DigestVerify(c, sig, len, text, sizeof(text)) != 1)
        return 0;
    return 1;
}

static int self_test(struct visit *v, const struct key *k, const char *gate)
{
    SCOPED(signer) struct signer *signer = NULL;
    SCOPED(pkey) EVP_PKEY *pub = NULL;
    const unsigned char *at = k->spki.p;
    int rc;

    if (signer_open(&signer, k, gate, v->err) != 0)
        return -1;
    if (!k->spki.len || !(pub = d2i_PUBKEY(NULL, &at, (long)k->spki.len))) {
        finding(v, DOCTOR_WEAK, "self-test signature", "no public object to verify with");
        return 0;
    }
    rc = sign_and_verify(signer_get0_pkey(signer), pub);
    if (rc == 1) {
        finding(v, DOCTOR_GOOD, "self-test signature", "made through libp11, verified by OpenSSL");
        return 0;
    }
    finding(v, DOCTOR_BAD, "self-test signature", rc < 0 ? "not made" : "does not verify");
    if (rc < 0) {
        err_openssl(v->err, P11CA_TOKEN, "token '%s': key '%s': self-test signature", v->token, k->label);
        signer_explain(signer, v->err);
    }
    return -1;
}

static int check_key(struct visit *v, const struct key *k, const char *gate)
{
    finding(v, DOCTOR_GOOD, "key", "'%s', %s", k->label, k->type == CKK_EC ? "EC" : "RSA");
    if (k->exception)
        finding(v, DOCTOR_WEAK, "key exception", "%s", k->exception);
    if (key_check(k, show_reading, v, v->err) != 0)
        return -1;
    return self_test(v, k, gate);
}

int doctor_key(struct token *t, const char *label, const char *exception, const char *gate, doctor_fn *fn,
    void *arg, struct p11ca_err *err)
{
    struct visit v = {fn, arg, t->binding->name, err, false};
    struct key k;
    int rc;

    if (key_find(&k, t, label, NULL, 0, err) != 0) {
        fn(arg, strcmp(err->code, "KEY_NOT_FOUND") == 0 ? DOCTOR_WEAK : DOCTOR_BAD, "key", err->msg);
        return strcmp(err->code, "KEY_NOT_FOUND") == 0
                   ? 0
                   : -1; /* a key that is still to be generated is no fault */
    }
    k.exception = exception;
    rc = check_key(&v, &k, gate);
    key_done(&k);
    return rc;
}

int doctor_sign_rate(const struct key *k, double seconds, double *ret, struct p11ca_err *err)
{
    CK_FUNCTION_LIST *fn = k->token->module->fn;
    CK_MECHANISM mechanism = {k->type == CKK_EC ? CKM_ECDSA : CKM_RSA_PKCS, NULL, 0};
    CK_SESSION_HANDLE session = k->token->session;
    /* As long as what is signed: a SHA-256 digest, or a DigestInfo with one (RFC 8017 9.2). */
    CK_BYTE data[51] = {1, 2, 3}, sig[1024];
    double start = clock_seconds(), now = start;
    unsigned long n = 0;

    while (now - start < seconds) {
        CK_ULONG len = sizeof(sig);
        CK_RV rv = fn->C_SignInit(session, &mechanism, k->private_key);

        if (rv == CKR_OK)
            rv = fn->C_Sign(session, data, k->type == CKK_EC ? 32 : sizeof(data), sig, &len);
        if (rv != CKR_OK)
            return err_rv(err, rv, "token '%s': key '%s': C_Sign", k->token->binding->name, k->label);
        n++;
        now = clock_seconds();
    }
    *ret = (double)n / (now - start);
    return 0;
}
