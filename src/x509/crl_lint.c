/*
 * The rules of a complete CRL, a table of rows: by which source, of which field, and the function that looks. A check
 * returns true when the rule holds, else it says what is wanted and what was found.
 */
#include "x509/crl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

struct lint {
    struct der tbs;
    struct crl_tbs t;
    const struct issuer *issuer;
    struct crl_item item;            /* the entry at hand, for the rows of entries */
    struct der before;               /* serial of the entry before, empty for the first */
    char serial[2 * SERIAL_LEN + 1]; /* of the entry, for people */
    char text[512];                  /* want ..., have ... */
};

static bool have(struct lint *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool have(struct lint *l, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(l->text, sizeof(l->text), fmt, ap);
    va_end(ap);
    return false;
}

static bool have_time(struct lint *l, const char *rule, int64_t limit, int64_t found)
{
    char want[TEXT_TIME], time[TEXT_TIME];

    text_time(limit, want);
    text_time(found, time);
    return have(l, "want a time %s, %s, have %s", rule, want, time);
}

/* --- fields --- */

static bool check_version(struct lint *l)
{
    return l->t.version == 2 || have(l, "want v2, have v%u", l->t.version);
}

static bool check_der(struct lint *l)
{
    struct p11ca_err why;

    return der_check(l->tbs, DER_MAX_DEPTH, "TBSCertList", &why) == 0 || have(l, "%s", why.msg);
}

static bool check_alg(struct lint *l)
{
    const struct sigalg *found = sigalg_find(l->t.alg);

    return found == l->issuer->alg ||
           have(l, "want the issuer's %s, have %s", l->issuer->alg->text, found ? found->text : "another");
}

static bool check_issuer(struct lint *l)
{
    return der_equal(l->t.issuer, l->issuer->subject) ||
           have(l, "want the subject of the issuer's certificate, byte for byte, have another name");
}

static bool check_crl_sign(struct lint *l)
{
    char found[EXT_TEXT];

    return !l->issuer->has_ku || l->issuer->key_usage & USAGE_CRL_SIGN ||
           have(l, "want cRLSign in the issuer's certificate, have %s",
               ext_ku_text(l->issuer->key_usage, found));
}

static bool check_time_encoding(struct lint *l)
{
    return l->t.times_encoded_right ||
           have(l, "want UTCTime through 2049 and GeneralizedTime from 2050, have the other");
}

static bool check_this_update(struct lint *l)
{
    return l->t.this_update >= l->issuer->not_before ||
           have_time(l, "from the issuer's notBefore on", l->issuer->not_before, l->t.this_update);
}

static bool check_next_update(struct lint *l)
{
    if (!l->t.has_next_update)
        return have(l, "want it, have none");
    if (l->t.next_update <= l->t.this_update)
        return have_time(l, "after thisUpdate", l->t.this_update, l->t.next_update);
    /* Nobody could verify it any more: the key's certificate has ended. */
    return l->t.next_update <= l->issuer->not_after ||
           have_time(l, "up to the issuer's notAfter", l->issuer->not_after, l->t.next_update);
}

static bool check_empty(struct lint *l)
{
    return !l->t.has_revoked || l->t.revoked.len || have(l, "want an empty list absent, have it empty");
}

/* --- extensions --- */

static bool only(struct lint *l, const struct cert_ext *exts, size_t n, const enum oid *known, size_t n_known)
{
    char name[OID_TEXT];
    size_t i, k;

    for (i = 0; i < n; i++) {
        for (k = 0; k < n_known && !oid_is(exts[i].oid, known[k]); k++)
            ;
        if (k == n_known)
            return have(l, "want none but the known, have %s", oid_text(exts[i].oid, name));
        for (k = 0; k < i; k++) {
            if (der_equal(exts[i].oid, exts[k].oid))
                return have(l, "want each once, have %s twice", oid_text(exts[i].oid, name));
        }
    }
    return true;
}

static bool none_critical(struct lint *l, const struct cert_ext *exts, size_t n)
{
    char name[OID_TEXT];
    size_t i;

    for (i = 0; i < n; i++) {
        if (exts[i].critical)
            return have(l, "want none critical, have %s so", oid_text(exts[i].oid, name));
    }
    return true;
}

/* A deltaCRLIndicator or issuingDistributionPoint would make it another kind of CRL. */
static bool check_ext_set(struct lint *l)
{
    static const enum oid known[] = {OID_AKI, OID_CRL_NUMBER};

    return only(l, l->t.exts, l->t.n_exts, known, sizeof(known) / sizeof(known[0]));
}

static bool check_critical(struct lint *l)
{
    return none_critical(l, l->t.exts, l->t.n_exts);
}

static bool check_aki(struct lint *l)
{
    const struct cert_ext *ext = crl_ext(&l->t, OID_AKI);
    struct der id;

    if (!ext || ext_read_aki(ext->value, &id) != 0)
        return have(l, "want the issuer's key identifier, have none");
    return der_equal(id, DER_OF(l->issuer->ski, l->issuer->ski_len)) ||
           have(l, "want the issuer's key identifier, have another");
}

static bool positive(struct lint *l, struct der n)
{
    if (n.len == 0 || n.len > SERIAL_LEN)
        return have(l, "want 1 to %d octets, have %zu", SERIAL_LEN, n.len);
    if (n.p[0] & 0x80)
        return have(l, "want a positive number, have a negative one");
    return n.len > 1 || n.p[0] || have(l, "want a positive number, have zero");
}

static bool check_number(struct lint *l)
{
    const struct cert_ext *ext = crl_ext(&l->t, OID_CRL_NUMBER);
    struct der n;

    if (!ext || der_whole(ext->value, DER_INTEGER, &n) != 0)
        return have(l, "want a number, have none");
    return positive(l, n);
}

/* --- entries --- */

static bool check_entry_serial(struct lint *l)
{
    return positive(l, l->item.serial);
}

/* Ascending, so that the same list is the same bytes and nothing is there twice. */
static bool check_entry_order(struct lint *l)
{
    struct der a = l->before, b = l->item.serial;

    if (a.len != b.len ? a.len < b.len : memcmp(a.p, b.p, a.len) < 0)
        return true;
    return have(l, der_equal(a, b) ? "want each serial once, have it twice"
                                   : "want serials in ascending order, have a smaller one behind");
}

static bool check_entry_time(struct lint *l)
{
    return l->item.time_encoded_right ||
           have(l, "want UTCTime through 2049 and GeneralizedTime from 2050, have the other");
}

static bool check_entry_past(struct lint *l)
{
    return l->item.revoked_at <= l->t.this_update ||
           have_time(l, "up to thisUpdate", l->t.this_update, l->item.revoked_at);
}

static bool check_entry_ext_set(struct lint *l)
{
    static const enum oid known[] = {OID_CRL_REASON, OID_INVALIDITY_DATE};

    return only(l, l->item.exts, l->item.n_exts, known, sizeof(known) / sizeof(known[0]));
}

static bool check_entry_critical(struct lint *l)
{
    return none_critical(l, l->item.exts, l->item.n_exts);
}

static const struct cert_ext *entry_ext(const struct lint *l, enum oid id)
{
    size_t i;

    for (i = 0; i < l->item.n_exts; i++) {
        if (oid_is(l->item.exts[i].oid, id))
            return &l->item.exts[i];
    }
    return NULL;
}

static bool check_reason(struct lint *l)
{
    const struct cert_ext *ext = entry_ext(l, OID_CRL_REASON);
    struct der v;

    if (!ext)
        return true;
    if (der_whole(ext->value, DER_ENUMERATED, &v) != 0 || v.len != 1 || v.p[0] > 10 || v.p[0] == 7)
        return have(l, "want one of the reasons, have something else");
    if (v.p[0] == CRL_UNSPECIFIED)
        return have(l, "want unspecified (0) left out, have it");
    return v.p[0] != CRL_REMOVE || have(l, "want removeFromCRL (8) only in a delta CRL, have it");
}

static bool check_invalidity(struct lint *l)
{
    const struct cert_ext *ext = entry_ext(l, OID_INVALIDITY_DATE);
    struct der v;
    int64_t t;
    bool right;

    if (!ext)
        return true;
    v = ext->value;
    if (der_peek_tag(v) != DER_GENERALIZED_TIME || der_next_time(&v, &t, &right) != 0 || v.len)
        return have(l, "want a GeneralizedTime, have something else");
    return t <= l->item.revoked_at || have_time(l, "up to revocationDate", l->item.revoked_at, t);
}

/* --- the tables --- */

struct row {
    const char *code, *source, *field;
    bool (*check)(struct lint *l);
};

static const struct row rows[] = {
    {"CRL_VERSION", "RFC 5280 5.1.2.1", "version", check_version},
    {"CRL_DER", "X.690 11", "encoding", check_der},
    {"CRL_ALG", "RFC 5280 5.1.2.2", "signature", check_alg},
    {"CRL_ISSUER", "RFC 5280 5.1.2.3", "issuer", check_issuer},
    {"CRL_SIGN", "RFC 5280 4.2.1.3", "keyUsage", check_crl_sign},
    {"CRL_TIME_ENCODING", "RFC 5280 5.1.2.4", "thisUpdate, nextUpdate", check_time_encoding},
    {"CRL_THIS_UPDATE", "RFC 5280 5.1.2.4", "thisUpdate", check_this_update},
    {"CRL_NEXT_UPDATE", "RFC 5280 5.1.2.5", "nextUpdate", check_next_update},
    {"CRL_EMPTY", "RFC 5280 5.1.2.6", "revokedCertificates", check_empty},
    {"CRL_EXT_SET", "RFC 5280 5.2", "extensions", check_ext_set},
    {"CRL_CRITICAL", "RFC 5280 5.2", "extensions", check_critical},
    {"CRL_AKI", "RFC 5280 5.2.1", "authorityKeyIdentifier", check_aki},
    {"CRL_NUMBER", "RFC 5280 5.2.3", "cRLNumber", check_number},
};

/* Asked of each entry. */
static const struct row entry_rows[] = {
    {"CRL_ENTRY_SERIAL", "RFC 5280 4.1.2.2", "serial", check_entry_serial},
    {"CRL_ENTRY_ORDER", "RFC 5280 5.1.2.6", "serial", check_entry_order},
    {"CRL_ENTRY_TIME", "RFC 5280 5.1.2.6", "revocationDate", check_entry_time},
    {"CRL_ENTRY_TIME", "RFC 5280 5.1.2.6", "revocationDate", check_entry_past},
    {"CRL_ENTRY_EXT_SET", "RFC 5280 5.3", "extensions", check_entry_ext_set},
    {"CRL_CRITICAL", "RFC 5280 5.3", "extensions", check_entry_critical},
    {"CRL_REASON", "RFC 5280 5.3.1", "reasonCode", check_reason},
    {"CRL_INVALIDITY", "RFC 5280 5.3.2", "invalidityDate", check_invalidity},
};

static int tell(const struct row *row, const struct lint *l, struct p11ca_err *err)
{
    return err_set(err, P11CA_REFUSED, row->code, "CRL: %s: %s: %s", row->source, row->field, l->text);
}

static int lint_entry(struct lint *l, struct p11ca_err *err)
{
    size_t i, len = l->item.serial.len <= SERIAL_LEN ? l->item.serial.len : SERIAL_LEN;

    for (i = 0; i < sizeof(entry_rows) / sizeof(entry_rows[0]); i++) {
        if (entry_rows[i].check(l))
            continue;
        text_hex(l->item.serial.p, len, l->serial);
        return err_set(err, P11CA_REFUSED, entry_rows[i].code, "CRL: entry %s: %s: %s: %s", l->serial,
            entry_rows[i].source, entry_rows[i].field, l->text);
    }
    return 0;
}

static int lint_entries(struct lint *l, struct p11ca_err *err)
{
    struct der in = l->t.revoked;

    while (l->t.has_revoked && in.len) {
        if (crl_next_entry(&in, &l->item) != 0)
            return err_set(err, P11CA_BUG, "CRL_SYNTAX", "CRL: an entry that could be read before");
        if (lint_entry(l, err) != 0)
            return -1;
        l->before = l->item.serial;
    }
    return 0;
}

int crl_tbs_lint(struct der tbs, const struct issuer *issuer, struct p11ca_err *err)
{
    struct lint l = {.tbs = tbs, .issuer = issuer};
    size_t i;

    if (crl_tbs_read(tbs, &l.t, err) != 0)
        return -1;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!rows[i].check(&l))
            return tell(&rows[i], &l, err);
    }
    return lint_entries(&l, err);
}
