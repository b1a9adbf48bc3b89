/* CRLs of hand-picked parts, signed by the factory of x509_help.h. */
#ifndef UNIT_AUTH_CRL_HELP_H
#define UNIT_AUTH_CRL_HELP_H

#include "auth_help.h"

#include <stdio.h>

#include "base/file.h"
#include "x509/crl.h"
#include "x509/pem.h"

struct crl_spec {
    unsigned number, base; /* base 0: a complete one */
    const char *serials;   /* "0a:1 0b 0c:8": hexadecimal digits, and a reason */
    int64_t at;            /* thisUpdate less TEST_NOW */
    int64_t until;         /* nextUpdate less TEST_NOW; 0: a day */
    bool no_number, no_next;
    const char *more;       /* Extension TLVs of the list */
    const char *entry_more; /* of each entry */
    const char *issuer;     /* Name, TLV */
    struct test_ca *by;
    EVP_PKEY *signer;
};

static inline void crl_add_entry(struct buf *b, const struct crl_spec *s, const char *word)
{
    char hex[64], *colon;
    AUTO_BUF serial = BUF_INIT;
    size_t at = der_open(b), exts;
    uint8_t reason[3] = {DER_ENUMERATED, 1, 0};

    snprintf(hex, sizeof(hex), "%s", word);
    colon = strchr(hex, ':');
    if (colon)
        *colon = '\0';
    add_hex(&serial, hex);
    der_add(b, DER_INTEGER, serial.p, serial.len);
    der_add_time(b, TEST_NOW - 7);
    exts = der_open(b);
    if (colon) {
        reason[2] = (uint8_t)(colon[1] - '0');
        add_ext(b, OID_CRL_REASON, false, DER_OF(reason, 3));
    }
    if (s->entry_more)
        add_hex(b, s->entry_more);
    if (b->len != exts)
        der_close(b, exts, DER_SEQUENCE);
    der_close(b, at, DER_SEQUENCE);
}

static inline void crl_add_entries(struct buf *b, const struct crl_spec *s)
{
    const char *p = s->serials;
    size_t at = der_open(b), len;
    char word[64];

    while (*p) {
        len = strcspn(p, " ");
        assert_true(len < sizeof(word));
        snprintf(word, sizeof(word), "%.*s", (int)len, p);
        crl_add_entry(b, s, word);
        p += len + strspn(p + len, " ");
    }
    der_close(b, at, DER_SEQUENCE);
}

static inline void crl_add_exts(struct buf *b, const struct crl_spec *s)
{
    AUTO_BUF number = BUF_INIT;
    AUTO_BUF base = BUF_INIT;
    size_t at = der_open(b);

    der_add_uint(&number, s->number);
    der_add_uint(&base, s->base);
    if (!s->no_number)
        add_ext(b, OID_CRL_NUMBER, false, der_buf(&number));
    if (s->base)
        add_ext(b, OID_DELTA_CRL, true, der_buf(&base));
    if (s->more)
        add_hex(b, s->more);
    if (b->len == at)
        return;
    der_close(b, at, DER_SEQUENCE);
    der_close(b, at, DER_CONTEXT_CONSTRUCTED(0));
}

static inline void crl_make(const struct crl_spec *s, struct buf *ret)
{
    const struct test_ca *by = s->by ? s->by : test_factory();
    AUTO_BUF tbs = BUF_INIT;
    AUTO_BUF sig = BUF_INIT;

    der_add_uint(&tbs, 1);
    der_add_raw(&tbs, by->issuer->alg->id);
    if (s->issuer)
        add_hex(&tbs, s->issuer);
    else
        der_add_raw(&tbs, by->issuer->subject);
    der_add_time(&tbs, TEST_NOW + s->at);
    if (!s->no_next)
        der_add_time(&tbs, TEST_NOW + (s->until ? s->until : 86400));
    if (s->serials)
        crl_add_entries(&tbs, s);
    crl_add_exts(&tbs, s);
    der_close(&tbs, 0, DER_SEQUENCE);
    assert_ok(sigalg_sign(s->signer ? s->signer : by->key, by->issuer->alg, der_buf(&tbs), &sig, &err));
    crl_assemble(der_buf(&tbs), by->issuer->alg, der_buf(&sig), ret);
    assert_true(buf_ok(ret));
}

static inline void put_file(const char *path, struct der bytes)
{
    assert_ok(file_write(path, FILE_REPLACE, 0600, bytes.p, bytes.len, &err));
}

static inline void put_crl(const char *path, const struct crl_spec *s)
{
    AUTO_BUF der = BUF_INIT;

    crl_make(s, &der);
    put_file(path, der_buf(&der));
}

#endif
