/* What the tests of src/x509 share: software keys, requests and certificates with one thing wrong. */
#ifndef UNIT_X509_HELP_H
#define UNIT_X509_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "x509/cert.h"
#include "x509/csr.h"
#include "x509/ext.h"
#include "x509/key.h"
#include "x509/name.h"
#include "x509/oid.h"
#include "x509/ossl.h"
#include "x509/sigalg.h"
#include "x509/spki.h"

#define BYTES(literal) DER_OF((const uint8_t *)(literal), sizeof(literal) - 1)

/* 2026-06-01T00:00:00Z */
#define TEST_NOW INT64_C(1780272000)

#define assert_ok(call)                                                                                      \
    do {                                                                                                     \
        if ((call) != 0)                                                                                     \
            fail_msg("%s: %s: %s", #call, err.code, err.msg);                                                \
    } while (0)

/* The call is refused with this code and this text. */
#define assert_refused(call, want_code, want_msg)                                                            \
    do {                                                                                                     \
        memset(&err, 0, sizeof(err));                                                                        \
        assert_int_equal((call), -1);                                                                        \
        assert_string_equal(err.msg, want_msg);                                                              \
        assert_string_equal(err.code, want_code);                                                            \
        assert_int_equal(err.kind, P11CA_REFUSED);                                                           \
    } while (0)

static struct p11ca_err err;

static inline void assert_bytes(struct der have, const char *hex)
{
    static char text[2 * 65536 + 1];

    assert_true(have.len <= 65536);
    text_hex(have.p, have.len, text);
    if (strcasecmp(text, hex) != 0)
        fail_msg("have %s, want %s", text, hex);
}

static inline void add_hex(struct buf *b, const char *hex)
{
    static uint8_t bytes[65536];
    int n = text_unhex(hex, bytes, sizeof(bytes));

    assert_true(n >= 0);
    buf_add(b, bytes, (size_t)n);
}

/* One key of each kind for the whole test program, and a second P-256 one. */
static EVP_PKEY *test_keys[KEY_KINDS + 1];

static inline EVP_PKEY *test_key(enum key_kind kind)
{
    if (!test_keys[kind])
        assert_ok(key_new(kind, 2048, &test_keys[kind], &err));
    return test_keys[kind];
}

static inline EVP_PKEY *other_key(void)
{
    if (!test_keys[KEY_KINDS])
        assert_ok(key_new(KEY_P256, 0, &test_keys[KEY_KINDS], &err));
    return test_keys[KEY_KINDS];
}

static inline struct spki test_spki(EVP_PKEY *key)
{
    struct spki spki;

    assert_ok(spki_of_key(key, &spki, &err));
    return spki;
}

/* A request of these parts; NULL and empty ones are filled with what is right for the key. */
struct request {
    EVP_PKEY *key;
    unsigned version;
    const char *subject; /* RFC 4514 */
    struct der name;     /* instead of subject */
    struct der spki;     /* instead of the key's */
    struct der attrs;    /* content of [0] */
    struct der alg;
    const char *digest;
    bool wrong_signature;
};

static inline void request_sign(const struct request *r, struct der info, struct buf *ret)
{
    SCOPED(md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t sig[1024];
    size_t len = sizeof(sig);

    assert_int_equal(
        EVP_DigestSignInit_ex(ctx, NULL, r->digest ? r->digest : "SHA256", NULL, NULL, r->key, NULL), 1);
    assert_int_equal(EVP_DigestSign(ctx, sig, &len, info.p, info.len), 1);
    if (r->wrong_signature)
        sig[len - 1] ^= 1;
    der_add_bits(ret, sig, len);
}

static inline void request_make(const struct request *r, struct buf *ret)
{
    AUTO_BUF info = BUF_INIT;
    struct spki spki = test_spki(r->key);
    bool rsa = spki.kind == KEY_RSA;

    der_add_uint(&info, r->version);
    if (r->name.p)
        der_add_raw(&info, r->name);
    else
        assert_ok(name_from_text(r->subject ? r->subject : "CN=leaf", &info, &err));
    der_add_raw(&info, r->spki.p ? r->spki : spki_der(&spki));
    der_add(&info, DER_CONTEXT_CONSTRUCTED(0), r->attrs.p, r->attrs.len);
    der_close(&info, 0, DER_SEQUENCE);
    der_add_raw(ret, der_buf(&info));
    der_add_raw(
        ret, r->alg.p ? r->alg : sigalg_by_text(rsa ? "sha256WithRSAEncryption" : "ecdsa-with-SHA256")->id);
    request_sign(r, der_buf(&info), ret);
    der_close(ret, 0, DER_SEQUENCE);
}

/* Attribute { oid, SET { value } } */
static inline void add_attr(struct buf *b, enum oid id, struct der value)
{
    AUTO_BUF oid = BUF_INIT;
    size_t at = der_open(b);

    oid_add(&oid, id);
    der_add(b, DER_SET, value.p, value.len);
    buf_insert(b, at, oid.p, oid.len);
    der_close(b, at, DER_SEQUENCE);
}

/* extensionRequest around Extension TLVs. */
static inline void add_ext_request(struct buf *b, struct der exts)
{
    AUTO_BUF seq = BUF_INIT;

    der_add(&seq, DER_SEQUENCE, exts.p, exts.len);
    add_attr(b, OID_EXTENSION_REQUEST, der_buf(&seq));
}

static inline void add_ext(struct buf *b, enum oid id, bool critical, struct der value)
{
    size_t at = der_open(b);

    der_add_raw(b, value);
    ext_close(b, at, id, critical);
}

/* A root and below it an issuing CA, made once. */
struct test_ca {
    EVP_PKEY *key;
    struct spki spki;
    struct issuer *issuer;
};

static inline void plan_sign(const struct cert_plan *plan, EVP_PKEY *key, struct buf *ret)
{
    const struct sigalg *alg = plan->issuer ? plan->issuer->alg : sigalg_for_key(plan->spki);
    AUTO_BUF tbs = BUF_INIT;
    AUTO_BUF sig = BUF_INIT;

    assert_ok(tbs_build(plan, &tbs, &err));
    assert_ok(sigalg_sign(key, alg, der_buf(&tbs), &sig, &err));
    cert_assemble(der_buf(&tbs), alg, der_buf(&sig), ret);
    assert_true(buf_ok(ret));
}

static inline struct cert_plan test_plan(const char *profile, const struct issuer *issuer)
{
    struct cert_plan plan = {.profile = profile_find(profile), .issuer = issuer};

    assert_non_null(plan.profile);
    assert_ok(serial_draw(plan.serial, &err));
    plan.serial_len = SERIAL_LEN;
    assert_ok(cert_plan_validity(&plan, TEST_NOW, 0, &err));
    return plan;
}

static inline void test_ca_make(
    struct test_ca *ca, const char *profile, const char *subject, const struct test_ca *above)
{
    struct cert_plan plan = test_plan(profile, above ? above->issuer : NULL);
    AUTO_BUF name = BUF_INIT;
    AUTO_BUF cert = BUF_INIT;

    assert_ok(key_new(KEY_P256, 0, &ca->key, &err));
    ca->spki = test_spki(ca->key);
    assert_ok(name_from_text(subject, &name, &err));
    plan.subject = der_buf(&name);
    plan.spki = &ca->spki;
    plan.crl_url = "http://pki.example/root.crl";
    plan_sign(&plan, above ? above->key : ca->key, &cert);
    assert_ok(issuer_read(cert.p, cert.len, &ca->issuer, &err));
}

static struct test_ca test_cas[2];

static inline struct test_ca *test_root(void)
{
    if (!test_cas[0].key)
        test_ca_make(&test_cas[0], "root-ca", "CN=Acme Root CA 2026,O=Acme,C=US", NULL);
    return &test_cas[0];
}

static inline struct test_ca *test_factory(void)
{
    if (!test_cas[1].key)
        test_ca_make(&test_cas[1], "issuing-ca", "CN=Acme Factory CA 1,O=Acme,C=US", test_root());
    return &test_cas[1];
}

/* Last in main(), so that leak checkers stay quiet. */
static inline int test_done(int failed)
{
    size_t i;

    for (i = 0; i < 2; i++) {
        EVP_PKEY_free(test_cas[i].key);
        issuer_free(test_cas[i].issuer);
    }
    for (i = 0; i < KEY_KINDS + 1; i++)
        EVP_PKEY_free(test_keys[i]);
    return failed;
}

#endif
