/* The rules of CRLs: those of everybody, and those of ours, which are complete and of the CA itself. */
#include "x509/lint_row.h"

#include <string.h>

#include "base/text.h"

static bool have_time(struct lint *l, const char *rule, int64_t limit, int64_t found)
{
    char want[TEXT_TIME], time[TEXT_TIME];

    text_time(limit, want);
    text_time(found, time);
    return lint_have(l, "want a time %s, %s, have %s", rule, want, time);
}

/* --- fields --- */

static bool check_version(struct lint *l)
{
    return l->crl.version == 2 || lint_have(l, "want v2, have v%u", l->crl.version);
}

static bool check_der(struct lint *l)
{
    struct p11ca_err why;

    struct der what = l->whole.der.p ? l->whole.der : l->tbs;

    return der_check(what, DER_MAX_DEPTH, l->whole.der.p ? "CRL" : "TBSCertList", &why) == 0 ||
           lint_have(l, "%s", why.msg);
}

static bool check_alg(struct lint *l)
{
    const struct sigalg *found = sigalg_find(l->crl.alg);

    return found == l->q.issuer->alg || lint_have(l, "want the issuer's %s, have %s", l->q.issuer->alg->text,
                                            found ? found->text : "another");
}

static bool check_weak(struct lint *l)
{
    char name[OID_TEXT];
    const char *weak = lint_weak_digest(l->crl.alg, name);

    return !weak || lint_have(l, "want SHA-256, SHA-384 or SHA-512, have %s", weak);
}

static bool check_alg_match(struct lint *l)
{
    return der_equal(l->whole.alg_id, l->crl.alg) ||
           lint_have(l, "want what the signed part says, have another");
}

static bool check_signature(struct lint *l)
{
    return !der_equal(l->crl.issuer, l->q.issuer->subject) || lint_verify(l, l->crl.alg, &l->q.issuer->spki);
}

static bool check_issuer(struct lint *l)
{
    return der_equal(l->crl.issuer, l->q.issuer->subject) ||
           lint_have(l, "want the subject of the issuer's certificate, byte for byte, have another name");
}

static bool check_crl_sign(struct lint *l)
{
    char found[EXT_TEXT];

    return !l->q.issuer->has_ku || l->q.issuer->key_usage & USAGE_CRL_SIGN ||
           lint_have(l, "want cRLSign in the issuer's certificate, have %s",
               ext_ku_text(l->q.issuer->key_usage, found));
}

static bool check_time_encoding(struct lint *l)
{
    return l->crl.times_encoded_right ||
           lint_have(l, "want UTCTime through 2049 and GeneralizedTime from 2050, have the other");
}

static bool check_this_update(struct lint *l)
{
    return l->crl.this_update >= l->q.issuer->not_before ||
           have_time(l, "from the issuer's notBefore on", l->q.issuer->not_before, l->crl.this_update);
}

static bool check_next_update(struct lint *l)
{
    if (!l->crl.has_next_update)
        return lint_have(l, "want it, have none");
    if (l->crl.next_update <= l->crl.this_update)
        return have_time(l, "after thisUpdate", l->crl.this_update, l->crl.next_update);
    /* Nobody could verify it any more: the key's certificate has ended. */
    return !l->q.profile || l->crl.next_update <= l->q.issuer->not_after ||
           have_time(l, "up to the issuer's notAfter", l->q.issuer->not_after, l->crl.next_update);
}

static bool check_empty(struct lint *l)
{
    return !l->crl.has_revoked || l->crl.revoked.len ||
           lint_have(l, "want an empty list absent, have it empty");
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
            return lint_have(l, "want none but the known, have %s", oid_text(exts[i].oid, name));
        for (k = 0; k < i; k++) {
            if (der_equal(exts[i].oid, exts[k].oid))
                return lint_have(l, "want each once, have %s twice", oid_text(exts[i].oid, name));
        }
    }
    return true;
}

static bool twice(struct lint *l, const struct cert_ext *exts, size_t n)
{
    char name[OID_TEXT];
    size_t i, k;

    for (i = 1; i < n; i++) {
        for (k = 0; k < i; k++) {
            if (der_equal(exts[i].oid, exts[k].oid))
                return lint_have(l, "want each once, have %s twice", oid_text(exts[i].oid, name));
        }
    }
    return true;
}

/* must: those that are critical wherever they are; all others never. */
static bool criticality(
    struct lint *l, const struct cert_ext *exts, size_t n, const struct der *must, size_t n_must)
{
    char name[OID_TEXT];
    size_t i, k;

    for (i = 0; i < n; i++) {
        for (k = 0; k < n_must && !der_equal(exts[i].oid, must[k]); k++)
            ;
        if (exts[i].critical == (k < n_must))
            continue;
        if (n_must == 0)
            return lint_have(l, "want none critical, have %s so", oid_text(exts[i].oid, name));
        oid_text(exts[i].oid, name);
        return exts[i].critical ? lint_have(l, "want %s not critical, have it critical", name)
                                : lint_have(l, "want %s critical, have it not critical", name);
    }
    return true;
}

static bool check_ext_set(struct lint *l)
{
    static const enum oid known[] = {OID_AKI, OID_CRL_NUMBER, OID_DELTA_CRL, OID_ISSUING_DP};

    return only(l, l->crl.exts, l->crl.n_exts, known, sizeof(known) / sizeof(known[0]));
}

static bool check_critical(struct lint *l)
{
    const struct der must[] = {oid_der(OID_DELTA_CRL), oid_der(OID_ISSUING_DP)};

    return criticality(l, l->crl.exts, l->crl.n_exts, must, 2);
}

static bool check_ext_once(struct lint *l)
{
    return twice(l, l->crl.exts, l->crl.n_exts);
}

static bool check_aki(struct lint *l)
{
    const struct cert_ext *ext = crl_ext(&l->crl, OID_AKI);
    struct der id;

    if (!ext || ext_read_aki(ext->value, &id) != 0)
        return lint_have(l, "want the issuer's key identifier, have none");
    if (!l->q.issuer || (!l->q.profile && id.len == 0))
        return true; /* nothing to compare */
    return der_equal(id, DER_OF(l->q.issuer->ski, l->q.issuer->ski_len)) ||
           lint_have(l, "want the issuer's key identifier, have another");
}

static bool positive(struct lint *l, struct der n)
{
    if (n.len == 0 || n.len > SERIAL_LEN)
        return lint_have(l, "want 1 to %d octets, have %zu", SERIAL_LEN, n.len);
    if (n.p[0] & 0x80)
        return lint_have(l, "want a positive number, have a negative one");
    return n.len > 1 || n.p[0] || lint_have(l, "want a positive number, have zero");
}

static bool check_number(struct lint *l)
{
    const struct cert_ext *ext = crl_ext(&l->crl, OID_CRL_NUMBER);
    struct der n;

    if (!ext || der_whole(ext->value, DER_INTEGER, &n) != 0)
        return lint_have(l, "want a number, have none");
    return positive(l, n);
}

/* A delta to itself, or to what comes later, is none. */
static bool check_delta(struct lint *l)
{
    const struct cert_ext *ext = crl_ext(&l->crl, OID_DELTA_CRL), *own = crl_ext(&l->crl, OID_CRL_NUMBER);
    struct der base, number;

    if (!ext)
        return true;
    if (der_whole(ext->value, DER_INTEGER, &base) != 0)
        return lint_have(l, "want a number, have none");
    if (!positive(l, base))
        return false;
    if (!l->q.profile || !own || der_whole(own->value, DER_INTEGER, &number) != 0)
        return true;
    return base.len < number.len || (base.len == number.len && memcmp(base.p, number.p, base.len) < 0) ||
           lint_have(l, "want a base before this CRL, have this one or a later one");
}

/* Of ours it names one URI, and nothing else: not of CAs or of reasons only, not indirect. */
static bool check_issuing_dp(struct lint *l)
{
    const struct cert_ext *ext = crl_ext(&l->crl, OID_ISSUING_DP);
    struct der seq, point, full, uri;

    if (!ext)
        return true;
    if (der_whole(ext->value, DER_SEQUENCE, &seq) == 0 &&
        der_next(&seq, DER_CONTEXT_CONSTRUCTED(0), &point) == 0 && seq.len == 0 &&
        der_next(&point, DER_CONTEXT_CONSTRUCTED(0), &full) == 0 && point.len == 0 &&
        der_next(&full, DER_CONTEXT(6), &uri) == 0 && full.len == 0 && uri.len != 0)
        return true;
    return lint_have(l, "want one URI and nothing else, have something else");
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
    return lint_have(l, der_equal(a, b) ? "want each serial once, have it twice"
                                        : "want serials in ascending order, have a smaller one behind");
}

static bool check_entry_time(struct lint *l)
{
    return l->item.time_encoded_right ||
           lint_have(l, "want UTCTime through 2049 and GeneralizedTime from 2050, have the other");
}

static bool check_entry_past(struct lint *l)
{
    return l->item.revoked_at <= l->crl.this_update ||
           have_time(l, "up to thisUpdate", l->crl.this_update, l->item.revoked_at);
}

static bool check_entry_ext_set(struct lint *l)
{
    static const enum oid known[] = {OID_CRL_REASON, OID_INVALIDITY_DATE};

    return only(l, l->item.exts, l->item.n_exts, known, sizeof(known) / sizeof(known[0]));
}

static bool check_entry_critical(struct lint *l)
{
    /* RFC 5280 5.3.3: certificateIssuer, of lists for several CAs */
    const struct der must[] = {LINT_OID("\x55\x1d\x1d")};

    return criticality(l, l->item.exts, l->item.n_exts, must, l->q.profile ? 0 : 1);
}

static bool check_entry_ext_once(struct lint *l)
{
    return twice(l, l->item.exts, l->item.n_exts);
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
        return lint_have(l, "want one of the reasons, have something else");
    if (l->q.profile && v.p[0] == CRL_UNSPECIFIED)
        return lint_have(l, "want unspecified (0) left out, have it");
    return v.p[0] != CRL_REMOVE || crl_ext(&l->crl, OID_DELTA_CRL) ||
           lint_have(l, "want removeFromCRL (8) only in a delta CRL, have it");
}

static bool check_reason_zero(struct lint *l)
{
    const struct cert_ext *ext = entry_ext(l, OID_CRL_REASON);

    return !ext || !der_equal(ext->value, LINT_OID("\x0a\x01\x00")) ||
           lint_have(l, "want unspecified (0) left out, have it");
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
        return lint_have(l, "want a GeneralizedTime, have something else");
    return !l->q.profile || t <= l->item.revoked_at ||
           have_time(l, "up to revocationDate", l->item.revoked_at, t);
}

/* --- the tables --- */

static bool check_read(struct lint *l)
{
    (void)l;
    return true; /* asked before: nothing else could be */
}

#define OURS   (ON_CRL | ON_PROFILED)
#define THEIRS (ON_CRL | ON_FOREIGN)

const struct lint_rule lint_rows_crl[] = {
    {"CRL_SYNTAX", "RFC 5280 5.1", "form", LINT_ERROR, ON_CRL | ON_FIXED, 0, check_read},
    {"CRL_VERSION", "RFC 5280 5.1.2.1", "version", LINT_ERROR, ON_CRL, 0, check_version},
    {"CRL_DER", "X.690 11", "encoding", LINT_ERROR, ON_CRL, 0, check_der},
    {"CRL_ALG", "RFC 5280 5.1.2.2", "signature", LINT_ERROR, OURS, 0, check_alg},
    {"CRL_WEAK", "SP 800-57 5.6.1", "signature", LINT_ERROR, THEIRS, 0, check_weak},
    {"CRL_ALG_MATCH", "RFC 5280 5.1.1.2", "signatureAlgorithm", LINT_ERROR, ON_CRL | ON_FINISHED, 0,
        check_alg_match},
    {"CRL_ISSUER", "RFC 5280 5.1.2.3", "issuer", LINT_ERROR, ON_CRL | ON_BELOW, 0, check_issuer},
    {"CRL_SIGNATURE", "RFC 5280 6.3.3", "signature", LINT_ERROR, ON_CRL | ON_FINISHED | ON_BELOW, 0,
        check_signature},
    {"CRL_SIGN", "RFC 5280 4.2.1.3", "keyUsage", LINT_ERROR, ON_CRL | ON_BELOW, 0, check_crl_sign},
    {"CRL_TIME_ENCODING", "RFC 5280 5.1.2.4", "thisUpdate, nextUpdate", LINT_ERROR, ON_CRL, 0,
        check_time_encoding},
    {"CRL_THIS_UPDATE", "RFC 5280 5.1.2.4", "thisUpdate", LINT_ERROR, ON_CRL | ON_BELOW, 0,
        check_this_update},
    {"CRL_NEXT_UPDATE", "RFC 5280 5.1.2.5", "nextUpdate", LINT_ERROR, ON_CRL, 0, check_next_update},
    {"CRL_EMPTY", "RFC 5280 5.1.2.6", "revokedCertificates", LINT_ERROR, ON_CRL, 0, check_empty},
    {"CRL_EXT_SET", "RFC 5280 5.2", "extensions", LINT_ERROR, OURS, 0, check_ext_set},
    {"CRL_EXT_TWICE", "RFC 5280 4.2", "extensions", LINT_ERROR, THEIRS, 0, check_ext_once},
    {"CRL_CRITICAL", "RFC 5280 5.2", "extensions", LINT_ERROR, ON_CRL, 0, check_critical},
    {"CRL_AKI", "RFC 5280 5.2.1", "authorityKeyIdentifier", LINT_ERROR, ON_CRL, 0, check_aki},
    {"CRL_NUMBER", "RFC 5280 5.2.3", "cRLNumber", LINT_ERROR, ON_CRL, 0, check_number},
    {"CRL_DELTA", "RFC 5280 5.2.4", "deltaCRLIndicator", LINT_ERROR, ON_CRL, 0, check_delta},
    {"CRL_ISSUING_DP", "RFC 5280 5.2.5", "issuingDistributionPoint", LINT_ERROR, OURS, 0, check_issuing_dp},
    {.id = NULL},
};

#define ENTRY       ON_ENTRY
#define OUR_ENTRY   (ON_ENTRY | ON_PROFILED)
#define THEIR_ENTRY (ON_ENTRY | ON_FOREIGN)

const struct lint_rule lint_rows_entry[] = {
    {"CRL_ENTRY_SERIAL", "RFC 5280 4.1.2.2", "serial", LINT_ERROR, ENTRY, 0, check_entry_serial},
    {"CRL_ENTRY_ORDER", "RFC 5280 5.1.2.6", "serial", LINT_ERROR, OUR_ENTRY, 0, check_entry_order},
    {"CRL_ENTRY_TIME", "RFC 5280 5.1.2.6", "revocationDate", LINT_ERROR, ENTRY, 0, check_entry_time},
    {"CRL_ENTRY_PAST", "RFC 5280 5.1.2.6", "revocationDate", LINT_ERROR, OUR_ENTRY, 0, check_entry_past},
    {"CRL_ENTRY_EXT_SET", "RFC 5280 5.3", "extensions", LINT_ERROR, OUR_ENTRY, 0, check_entry_ext_set},
    {"CRL_ENTRY_EXT_TWICE", "RFC 5280 4.2", "extensions", LINT_ERROR, THEIR_ENTRY, 0, check_entry_ext_once},
    {"CRL_ENTRY_CRITICAL", "RFC 5280 5.3", "extensions", LINT_ERROR, ENTRY, 0, check_entry_critical},
    {"CRL_REASON", "RFC 5280 5.3.1", "reasonCode", LINT_ERROR, ENTRY, 0, check_reason},
    {"CRL_REASON_ZERO", "RFC 5280 5.3.1", "reasonCode", LINT_WARNING, THEIR_ENTRY, 0, check_reason_zero},
    {"CRL_INVALIDITY", "RFC 5280 5.3.2", "invalidityDate", LINT_ERROR, ENTRY, 0, check_invalidity},
    {.id = NULL},
};
