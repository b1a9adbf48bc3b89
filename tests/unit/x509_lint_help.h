/*
 * The error injector: a certificate or a CRL taken apart, a part replaced, put together again and signed if need be. Only
 * tests have it.
 */
#ifndef UNIT_X509_LINT_HELP_H
#define UNIT_X509_LINT_HELP_H

#include "x509_help.h"

#include <stdio.h>
#include <stdlib.h>

#include "x509/crl.h"
#include "x509/ext_info.h"
#include "x509/lint.h"

#define DAY 86400

/* What is replaced. Fields are given as hexadecimal TLV, names as RFC 4514, keys as SubjectPublicKeyInfo of a kind. */
enum edit_what {
    END,
    FIELD,   /* id: enum field; text: hex */
    NAMED,   /* id: enum field; text: RFC 4514 */
    TIMES,   /* from, to: seconds from TEST_NOW; to 0: no expiry */
    KEY,     /* id: enum key_kind */
    RSA_ODD, /* text: "e=3", "square": an RSA key with something about it */
    EXT,     /* id: enum oid; replaced or added */
    MORE,    /* id: enum oid; added, whether it is there or not */
    OWN_EXT, /* text: "OID VALUE", both hex content */
    SANS,    /* text: "DNS:a.example DNS:b.example"; + stands for a space */
    EKUS,    /* text: "1.3.6.1.5.5.7.3.1 1.3.6.1.5.5.7.3.2" */
    POLICY,  /* text: one, dotted */
    PLACE,   /* text: authorityInfoAccess, caIssuers */
    POINT,   /* text: cRLDistributionPoints */
    CRITICAL,
    NOT_CRITICAL, /* id: enum oid */
    DROP,         /* id: enum oid */
    OUTER_ALG,    /* text: hex; behind the signed part */
    BAD_SIGNATURE,
    ABOVE_PATHLEN, /* id; the issuer's, as the question has it */
    ABOVE_USAGE    /* id: USAGE_* */
};

enum field { VERSION, SERIAL, ALG, ISSUER, VALIDITY, SUBJECT, SPKI, UNIQUE_IDS, REVOKED, FIELDS };

struct edit {
    enum edit_what what;
    int id;
    bool critical;
    const char *text;
    int64_t from, to;
};

struct part_ext {
    struct buf oid, value;
    bool critical;
};

struct parts {
    bool crl, bad_signature;
    struct buf f[FIELDS]; /* TLVs; empty: not there */
    struct part_ext exts[LIMIT_EXTS];
    size_t n;
    struct buf outer_alg;
};

static inline void parts_done(struct parts *p)
{
    size_t i;

    for (i = 0; i < FIELDS; i++)
        buf_done(&p->f[i]);
    for (i = 0; i < p->n; i++) {
        buf_done(&p->exts[i].oid);
        buf_done(&p->exts[i].value);
    }
    buf_done(&p->outer_alg);
}
#define AUTO_PARTS __attribute__((cleanup(parts_done))) struct parts

static inline void parts_ext(struct parts *p, struct der oid, bool critical, struct der value)
{
    struct part_ext *e = &p->exts[p->n++];

    assert_true(p->n <= LIMIT_EXTS);
    *e = (struct part_ext){.critical = critical};
    buf_add(&e->oid, oid.p, oid.len);
    buf_add(&e->value, value.p, value.len);
}

static inline void take_field(struct parts *p, enum field field, struct der *in)
{
    struct der tlv;

    assert_int_equal(der_next_any(in, &tlv), 0);
    buf_add(&p->f[field], tlv.p, tlv.len);
}

static inline void take_exts(struct parts *p, struct der in, uint8_t tag)
{
    struct der whole, seq;
    struct cert_ext ext;

    if (!in.len)
        return;
    assert_int_equal(der_next(&in, tag, &whole), 0);
    assert_int_equal(in.len, 0);
    assert_int_equal(der_whole(whole, DER_SEQUENCE, &seq), 0);
    while (seq.len) {
        assert_int_equal(ext_next(&seq, &ext), 0);
        parts_ext(p, ext.oid, ext.critical, ext.value);
    }
}

static inline void parts_of_cert(struct der tbs, struct parts *p)
{
    static const enum field fields[] = {VERSION, SERIAL, ALG, ISSUER, VALIDITY, SUBJECT, SPKI};
    struct der in;
    size_t i;

    memset(p, 0, sizeof(*p));
    assert_int_equal(der_whole(tbs, DER_SEQUENCE, &in), 0);
    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        take_field(p, fields[i], &in);
    take_exts(p, in, DER_CONTEXT_CONSTRUCTED(3));
}

/* The two times of a CRL stand side by side in VALIDITY. */
static inline void parts_of_crl(struct der tbs, struct parts *p)
{
    struct der in;

    memset(p, 0, sizeof(*p));
    p->crl = true;
    assert_int_equal(der_whole(tbs, DER_SEQUENCE, &in), 0);
    take_field(p, VERSION, &in);
    take_field(p, ALG, &in);
    take_field(p, ISSUER, &in);
    take_field(p, VALIDITY, &in);
    take_field(p, VALIDITY, &in);
    if (der_peek_tag(in) == DER_SEQUENCE)
        take_field(p, REVOKED, &in);
    take_exts(p, in, DER_CONTEXT_CONSTRUCTED(0));
}

static inline void parts_build(const struct parts *p, struct buf *ret)
{
    static const enum field cert[] = {VERSION, SERIAL, ALG, ISSUER, VALIDITY, SUBJECT, SPKI, UNIQUE_IDS};
    static const enum field crl[] = {VERSION, ALG, ISSUER, VALIDITY, REVOKED};
    const enum field *fields = p->crl ? crl : cert;
    size_t i, at, one, n = p->crl ? sizeof(crl) / sizeof(crl[0]) : sizeof(cert) / sizeof(cert[0]);

    for (i = 0; i < n; i++)
        buf_add(ret, p->f[fields[i]].p, p->f[fields[i]].len);
    at = der_open(ret);
    for (i = 0; i < p->n; i++) {
        one = der_open(ret);
        buf_add(ret, p->exts[i].value.p, p->exts[i].value.len);
        ext_close_oid(ret, one, der_buf(&p->exts[i].oid), p->exts[i].critical);
    }
    if (p->n) {
        der_close(ret, at, DER_SEQUENCE);
        der_close(ret, at, DER_CONTEXT_CONSTRUCTED(p->crl ? 0 : 3));
    }
    der_close(ret, 0, DER_SEQUENCE);
    assert_true(buf_ok(ret));
}

/* With the algorithm that the signed part names, as far as the key can. */
static inline void parts_sign(const struct parts *p, EVP_PKEY *key, struct buf *ret)
{
    const struct sigalg *alg = sigalg_find(der_buf(&p->f[ALG]));
    AUTO_BUF tbs = BUF_INIT;
    AUTO_BUF sig = BUF_INIT;

    parts_build(p, &tbs);
    assert_ok(sigalg_sign(key, alg ? alg : sigalg_by_text("ecdsa-with-SHA256"), der_buf(&tbs), &sig, &err));
    if (p->bad_signature)
        sig.p[sig.len - 1] ^= 1;
    der_add_raw(ret, der_buf(&tbs));
    der_add_raw(ret, der_buf(p->outer_alg.len ? &p->outer_alg : &p->f[ALG]));
    der_add_bits(ret, sig.p, sig.len);
    der_close(ret, 0, DER_SEQUENCE);
    assert_true(buf_ok(ret));
}

/* --- edits --- */

/* Hexadecimal digits with spaces between where a reader wants them. */
static inline void add_spaced(struct buf *b, const char *hex)
{
    char text[1024];
    size_t n = 0;

    for (; *hex; hex++) {
        assert_true(n + 1 < sizeof(text));
        if (*hex != ' ')
            text[n++] = *hex;
    }
    text[n] = '\0';
    add_hex(b, text);
}

/* Its place, p->n when it is not there. */
static inline size_t find_part(const struct parts *p, int id)
{
    size_t i = 0;

    while (i < p->n && !oid_is(der_buf(&p->exts[i].oid), (enum oid)id))
        i++;
    return i;
}

static inline void drop_part(struct parts *p, int id)
{
    size_t i = find_part(p, id);

    assert_true(i < p->n);
    buf_done(&p->exts[i].oid);
    buf_done(&p->exts[i].value);
    p->exts[i] = p->exts[--p->n];
}

static inline void edit_ext(struct parts *p, const struct edit *e)
{
    AUTO_BUF value = BUF_INIT;

    if (e->what == EXT && find_part(p, e->id) < p->n)
        drop_part(p, e->id);
    add_spaced(&value, e->text);
    parts_ext(p, oid_der((enum oid)e->id), e->critical, der_buf(&value));
}

static inline void edit_own_ext(struct parts *p, const struct edit *e)
{
    const char *space = strchr(e->text, ' ');
    char oid_hex[64];
    AUTO_BUF oid = BUF_INIT;
    AUTO_BUF value = BUF_INIT;

    assert_non_null(space);
    snprintf(oid_hex, sizeof(oid_hex), "%.*s", (int)(space - e->text), e->text);
    add_spaced(&oid, oid_hex);
    add_spaced(&value, space + 1);
    parts_ext(p, der_buf(&oid), e->critical, der_buf(&value));
}

static inline void make_sans(struct buf *ret, char *text)
{
    AUTO_SANS sans = SAN_LIST_INIT;
    char *word, *colon, *c, *left = NULL;

    for (word = strtok_r(text, " ", &left); word; word = strtok_r(NULL, " ", &left)) {
        for (c = word; (c = strchr(c, '+')); c++)
            *c = ' ';
        colon = strchr(word, ':');
        assert_non_null(colon);
        assert_ok(san_add(&sans, san_type_find(word, (size_t)(colon - word)), colon + 1, &err));
    }
    san_to_der(&sans, ret);
}

static inline void make_oid(struct buf *ret, const char *dotted)
{
    size_t at = der_open(ret);

    assert_int_equal(oid_from_dotted(dotted, strlen(dotted), ret), 0);
    der_close(ret, at, DER_OID);
}

static inline void make_ekus(struct buf *ret, char *text)
{
    char *word, *left = NULL;

    for (word = strtok_r(text, " ", &left); word; word = strtok_r(NULL, " ", &left))
        make_oid(ret, word);
    der_close(ret, 0, DER_SEQUENCE);
}

static inline void make_policy(struct buf *ret, char *text)
{
    make_oid(ret, text);
    der_close(ret, 0, DER_SEQUENCE);
    der_close(ret, 0, DER_SEQUENCE);
}

static inline void make_place(struct buf *ret, char *text)
{
    const struct ext_access place = {OID_AD_CA_ISSUERS, DER_OF((const uint8_t *)text, strlen(text))};

    ext_add_aia(ret, &place, 1);
}

static inline void make_point(struct buf *ret, char *text)
{
    ext_add_crl_dp(ret, text);
}

static const struct {
    enum edit_what what;
    enum oid oid;
    void (*make)(struct buf *ret, char *text);
} makers[] = {
    {SANS, OID_SAN, make_sans},
    {EKUS, OID_EXT_KEY_USAGE, make_ekus},
    {POLICY, OID_POLICIES, make_policy},
    {PLACE, OID_AIA, make_place},
    {POINT, OID_CRL_DP, make_point},
};

static inline bool edit_made(struct parts *p, const struct edit *e)
{
    AUTO_BUF value = BUF_INIT;
    char text[512];
    size_t i;

    for (i = 0; i < sizeof(makers) / sizeof(makers[0]) && makers[i].what != e->what; i++)
        ;
    if (i == sizeof(makers) / sizeof(makers[0]))
        return false;
    snprintf(text, sizeof(text), "%s", e->text);
    makers[i].make(&value, text);
    if (find_part(p, (int)makers[i].oid) < p->n)
        drop_part(p, (int)makers[i].oid);
    parts_ext(p, oid_der(makers[i].oid), e->critical, der_buf(&value));
    return true;
}

static inline void edit_times(struct parts *p, const struct edit *e)
{
    struct buf *b = &p->f[VALIDITY];

    buf_reset(b);
    der_add_time(b, TEST_NOW + e->from);
    der_add_time(b, e->to ? TEST_NOW + e->to : DER_TIME_FOREVER);
    if (!p->crl)
        der_close(b, 0, DER_SEQUENCE);
}

static inline void edit_rsa(struct buf *b, const char *text)
{
    static const uint8_t e3[] = {3}, e65537[] = {1, 0, 1};
    struct spki spki = test_spki(test_key(KEY_RSA));
    SCOPED(bn_ctx) BN_CTX *ctx = BN_CTX_new();
    SCOPED(bn) BIGNUM *n = BN_bin2bn(spki.der + spki.n_at, spki.n_len, NULL);
    bool small = strcmp(text, "e=3") == 0;
    uint8_t bytes[256];
    AUTO_BUF key = BUF_INIT;

    if (!small) /* a prime twice: what Fermat's method finds at once */
        assert_true(BN_generate_prime_ex(n, 1024, 0, NULL, NULL, NULL) && BN_sqr(n, n, ctx));
    der_add_integer(&key, bytes, (size_t)BN_bn2bin(n, bytes));
    der_add_integer(&key, small ? e3 : e65537, small ? 1 : 3);
    der_close(&key, 0, DER_SEQUENCE);
    buf_reset(b);
    add_hex(b, "300d06092a864886f70d0101010500");
    der_add_bits(b, key.p, key.len);
    der_close(b, 0, DER_SEQUENCE);
}

static inline void edit_key(struct buf *b, enum key_kind kind)
{
    struct spki spki = test_spki(test_key(kind));

    buf_reset(b);
    der_add_raw(b, spki_der(&spki));
}

static inline void edit_field(struct parts *p, const struct edit *e)
{
    struct buf *b = &p->f[e->id];

    buf_reset(b);
    if (e->what == FIELD)
        add_spaced(b, e->text);
    else
        assert_ok(name_from_text(e->text, b, &err));
}

static inline void edit_critical(struct parts *p, const struct edit *e)
{
    size_t i = find_part(p, e->id);

    assert_true(i < p->n);
    p->exts[i].critical = e->what == CRITICAL;
}

/* above: the issuer of the question, the caller's own copy. */
static inline void edit_one(struct parts *p, struct issuer *above, const struct edit *e)
{
    if (edit_made(p, e))
        return;
    if (e->what == FIELD || e->what == NAMED)
        edit_field(p, e);
    else if (e->what == TIMES)
        edit_times(p, e);
    else if (e->what == KEY)
        edit_key(&p->f[SPKI], (enum key_kind)e->id);
    else if (e->what == RSA_ODD)
        edit_rsa(&p->f[SPKI], e->text);
    else if (e->what == EXT || e->what == MORE)
        edit_ext(p, e);
    else if (e->what == OWN_EXT)
        edit_own_ext(p, e);
    else if (e->what == CRITICAL || e->what == NOT_CRITICAL)
        edit_critical(p, e);
    else if (e->what == DROP)
        drop_part(p, e->id);
    else if (e->what == OUTER_ALG)
        add_spaced(&p->outer_alg, e->text);
    else if (e->what == BAD_SIGNATURE)
        p->bad_signature = true;
    else if (e->what == ABOVE_PATHLEN)
        above->pathlen = e->id;
    else
        above->key_usage = (unsigned)e->id;
}

#define MAX_EDITS 12

static inline void edit_all(struct parts *p, struct issuer *above, const struct edit edits[MAX_EDITS])
{
    size_t i;

    for (i = 0; i < MAX_EDITS && edits[i].what != END; i++)
        edit_one(p, above, &edits[i]);
}

#endif
