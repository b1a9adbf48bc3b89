/* What the tests of src/auth share: client certificates of hand-picked parts, signed by the factory of x509_help.h. */
#ifndef UNIT_AUTH_HELP_H
#define UNIT_AUTH_HELP_H

#include "x509_help.h"

#include <p11ca/auth.h>

#include "auth/identity.h"

/* As assert_refused, of whatever kind. */
#define assert_answer(call, want_kind, want_code, want_msg)                                                  \
    do {                                                                                                     \
        memset(&err, 0, sizeof(err));                                                                        \
        assert_int_equal((call), -1);                                                                        \
        assert_string_equal(err.msg, want_msg);                                                              \
        assert_string_equal(err.code, want_code);                                                            \
        assert_int_equal(err.kind, want_kind);                                                               \
    } while (0)

#define assert_negative(call, want_code, want_msg) assert_answer(call, P11CA_NEGATIVE, want_code, want_msg)

#define NONE "-" /* this extension is left out */

/* Hexadecimal digits of extension values; NULL: what is right for a client. */
struct leaf {
    const char *subject; /* RFC 4514; "CN=svc" */
    const char *name;    /* the same as DER */
    const char *san;     /* NONE */
    bool san_critical;
    const char *bc, *ku, *eku, *policies;
    bool ku_not_critical;
    const char *more;   /* Extension TLVs */
    const char *serial; /* content */
    unsigned version;   /* 3 */
    EVP_PKEY *key;      /* P-256 */
    struct test_ca *by; /* the factory */
    EVP_PKEY *signer;   /* by's key */
    int64_t not_after;  /* TEST_NOW + a day */
};

static inline void leaf_ext(struct buf *b, enum oid id, bool critical, const char *hex, const char *otherwise)
{
    AUTO_BUF value = BUF_INIT;

    hex = hex ? hex : otherwise;
    if (!hex || strcmp(hex, NONE) == 0)
        return;
    add_hex(&value, hex);
    add_ext(b, id, critical, der_buf(&value));
}

static inline void leaf_exts(const struct leaf *l, const struct test_ca *by, struct buf *ret)
{
    AUTO_BUF aki = BUF_INIT;

    leaf_ext(ret, OID_BASIC_CONSTRAINTS, true, l->bc, "3000");
    leaf_ext(ret, OID_KEY_USAGE, !l->ku_not_critical, l->ku, "03020780");
    leaf_ext(ret, OID_EXT_KEY_USAGE, false, l->eku, "300a06082b06010505070302");
    leaf_ext(ret, OID_SAN, l->san_critical, l->san, NULL);
    leaf_ext(ret, OID_POLICIES, false, l->policies, NULL);
    der_add(&aki, DER_CONTEXT(0), by->issuer->ski, by->issuer->ski_len);
    der_close(&aki, 0, DER_SEQUENCE);
    add_ext(ret, OID_AKI, false, der_buf(&aki));
    if (l->more)
        add_hex(ret, l->more);
}

static inline void leaf_tbs(const struct leaf *l, const struct test_ca *by, struct buf *ret)
{
    struct spki spki = test_spki(l->key ? l->key : test_key(KEY_P256));
    AUTO_BUF version = BUF_INIT;
    AUTO_BUF serial = BUF_INIT;
    AUTO_BUF exts = BUF_INIT;
    size_t at;

    der_add_uint(&version, (l->version ? l->version : 3) - 1);
    der_add(ret, DER_CONTEXT_CONSTRUCTED(0), version.p, version.len);
    add_hex(&serial, l->serial ? l->serial : "0123456789abcdef");
    der_add(ret, DER_INTEGER, serial.p, serial.len);
    der_add_raw(ret, by->issuer->alg->id);
    der_add_raw(ret, by->issuer->subject);
    at = der_open(ret);
    der_add_time(ret, TEST_NOW - 60);
    der_add_time(ret, l->not_after ? l->not_after : TEST_NOW + 86400);
    der_close(ret, at, DER_SEQUENCE);
    if (l->name)
        add_hex(ret, l->name);
    else
        assert_ok(name_from_text(l->subject ? l->subject : "CN=svc", ret, &err));
    der_add_raw(ret, spki_der(&spki));
    leaf_exts(l, by, &exts);
    der_close(&exts, 0, DER_SEQUENCE);
    der_add(ret, DER_CONTEXT_CONSTRUCTED(3), exts.p, exts.len);
    der_close(ret, 0, DER_SEQUENCE);
}

static inline void leaf_make(const struct leaf *l, struct buf *ret)
{
    const struct test_ca *by = l->by ? l->by : test_factory();
    AUTO_BUF tbs = BUF_INIT;
    AUTO_BUF sig = BUF_INIT;

    leaf_tbs(l, by, &tbs);
    assert_ok(sigalg_sign(l->signer ? l->signer : by->key, by->issuer->alg, der_buf(&tbs), &sig, &err));
    cert_assemble(der_buf(&tbs), by->issuer->alg, der_buf(&sig), ret);
    assert_true(buf_ok(ret));
}

static inline int leaf_read(const struct leaf *l, struct p11ca_identity **ret)
{
    AUTO_BUF der = BUF_INIT;

    leaf_make(l, &der);
    memset(&err, 0, sizeof(err));
    return p11ca_identity_read(der.p, der.len, ret, &err);
}

/* Every one of these is a good client's; caller frees. */
static inline struct p11ca_identity *leaf_identity(const struct leaf *l)
{
    struct p11ca_identity *id = NULL;

    if (leaf_read(l, &id) != 0)
        fail_msg("%s: %s", err.code, err.msg);
    return id;
}

/* SEQUENCE { GeneralName with this tag and text } in hexadecimal. */
static inline const char *san_hex(uint8_t tag, const char *text)
{
    static char hex[4][2 * 4096];
    static unsigned next;
    AUTO_BUF b = BUF_INIT;
    char *dst = hex[next++ % 4];

    der_add(&b, tag, text, strlen(text));
    der_close(&b, 0, DER_SEQUENCE);
    assert_true(b.len < sizeof(hex[0]) / 2);
    text_hex(b.p, b.len, dst);
    return dst;
}

static inline const char *uri_hex(const char *text)
{
    return san_hex(DER_CONTEXT(6), text);
}

static inline const char *dns_hex(const char *text)
{
    return san_hex(DER_CONTEXT(2), text);
}

#endif
