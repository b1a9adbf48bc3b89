/*
 * The rules, a table of rows: what a certificate must be, by which source, and the function that looks. A check
 * returns true when the rule holds, else it says what is wanted and what was found.
 */
#include "x509/cert.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "x509/name.h"

struct lint {
    struct der tbs;
    struct tbs t;
    struct cert_facts f;
    bool facts_ok;
    struct spki spki;
    bool spki_ok;
    const struct profile *profile;        /* NULL: only the rules for all */
    const struct issuer *issuer;          /* NULL: self-signed */
    struct p11ca_err facts_why, spki_why; /* what their readers said */
    struct p11ca_err why;                 /* scratch of a check */
    char text[512];                       /* want ..., have ... */
    bool told;                            /* why holds the whole finding, with source and field */
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

/* What another function of this layer found: its code, its words. */
static bool because(struct lint *l)
{
    l->told = true;
    return false;
}

/* --- fields --- */

static bool check_version(struct lint *l)
{
    return l->t.version == 3 || have(l, "want v3, have v%u", l->t.version);
}

static bool check_serial(struct lint *l)
{
    size_t least = l->profile ? SERIAL_MIN : 1;

    if (l->t.serial.len < least || l->t.serial.len > SERIAL_LEN)
        return have(l, "want %zu to %d octets, have %zu", least, SERIAL_LEN, l->t.serial.len);
    return true;
}

static bool check_serial_sign(struct lint *l)
{
    struct der s = l->t.serial;

    if (s.len == 0)
        return true; /* the row above */
    if (s.p[0] & 0x80)
        return have(l, "want a positive number, have a negative one");
    if (s.p[0] == 0 && (s.len == 1 || !(s.p[1] & 0x80)))
        return have(
            l, s.len == 1 ? "want a positive number, have zero" : "want no leading zero octet, have one");
    return true;
}

static bool check_alg(struct lint *l)
{
    const struct sigalg *want = l->issuer ? l->issuer->alg : l->spki_ok ? sigalg_for_key(&l->spki) : NULL;
    const struct sigalg *found = sigalg_find(l->t.alg);

    if (!l->profile || !want) /* anybody may sign with what we would not: then it must be one we know */
        return found || have(l, "want ECDSA or RSA PKCS #1 with SHA-256, SHA-384 or SHA-512, have another");
    return found == want ||
           have(l, "want the issuer's %s, have %s", want->text, found ? found->text : "another");
}

static bool check_issuer(struct lint *l)
{
    if (l->issuer)
        return der_equal(l->t.issuer, l->issuer->subject) ||
               have(l, "want the subject of the issuer's certificate, byte for byte, have another name");
    if (!l->profile)
        return true; /* a foreign certificate without its issuer */
    return der_equal(l->t.issuer, l->t.subject) ||
           have(l, "want the subject, byte for byte, have another name");
}

static bool check_time_encoding(struct lint *l)
{
    return l->t.validity_encoded_right ||
           have(l, "want UTCTime through 2049 and GeneralizedTime from 2050, have the other");
}

static bool check_order(struct lint *l)
{
    char before[TEXT_TIME], after[TEXT_TIME];

    text_time(l->t.not_before, before);
    text_time(l->t.not_after, after);
    return l->t.not_before <= l->t.not_after || have(l, "want an end after %s, have %s", before, after);
}

static bool check_nesting(struct lint *l)
{
    char from[TEXT_TIME], to[TEXT_TIME], before[TEXT_TIME], after[TEXT_TIME];

    if (!l->issuer || (l->t.not_before >= l->issuer->not_before && l->t.not_after <= l->issuer->not_after))
        return true;
    text_time(l->issuer->not_before, from);
    text_time(l->issuer->not_after, to);
    text_time(l->t.not_before, before);
    text_time(l->t.not_after, after);
    return have(l, "want a time within the issuer's %s to %s, have %s to %s", from, to, before, after);
}

static bool check_days(struct lint *l)
{
    int64_t days = (l->t.not_after - l->t.not_before + PROFILE_DAY) / PROFILE_DAY;

    return days <= l->profile->days_max || (l->profile->no_expiry && l->t.not_after == PROFILE_NO_EXPIRY) ||
           have(l, "want at most %u days, have %lld", l->profile->days_max, (long long)days);
}

static bool check_name(struct lint *l)
{
    return name_check(l->t.subject, "subject", &l->why) == 0 || because(l);
}

static bool check_subject(struct lint *l)
{
    bool nameless = name_is_empty(l->t.subject);
    struct der cn;

    if (nameless && (l->f.is_ca || (l->profile && (l->profile->subject == SUBJECT_NOT_EMPTY ||
                                                      l->profile->subject == SUBJECT_SOME))))
        return have(l, "want a name, have an empty one");
    if (nameless && !l->f.san.p)
        return have(l, "want a name or an alternative name, have neither");
    if (!nameless && l->profile && profile_wants_cn(l->profile) && name_get(l->t.subject, NAME_CN, &cn) != 1)
        return have(l, "want one CN, have none or more");
    return true;
}

static bool check_key(struct lint *l)
{
    if (!l->spki_ok) {
        l->why = l->spki_why;
        return because(l);
    }
    return !l->profile || profile_check_key(l->profile, &l->spki, &l->why) == 0 || because(l);
}

static bool check_unique_id(struct lint *l)
{
    return !l->t.has_unique_id || have(l, "want no unique identifiers, have one");
}

static bool check_der(struct lint *l)
{
    return der_check(l->tbs, DER_MAX_DEPTH, "certificate", &l->why) == 0 || because(l);
}

/* --- extensions, each for itself --- */

static bool check_ext_once(struct lint *l)
{
    char name[OID_TEXT];
    size_t i, k;

    for (i = 1; i < l->t.n_exts; i++) {
        for (k = 0; k < i; k++) {
            if (der_equal(l->t.exts[i].oid, l->t.exts[k].oid))
                return have(l, "want each once, have %s twice", oid_text(l->t.exts[i].oid, name));
        }
    }
    return true;
}

static bool check_ext_values(struct lint *l)
{
    if (l->facts_ok)
        return true;
    l->why = l->facts_why;
    return because(l);
}

/*
 * RFC 5280 4.2.1 and 4.2.2, RFC 6960 4.2.2.2.1, RFC 7633 4, RFC 8995 2.3.2 and RFC 9608 2 say of each whether it is
 * critical. ours: only where we are the issuer.
 */
static const struct {
    enum oid oid;
    bool critical, ours;
} criticality[] = {
    {OID_KEY_USAGE, true, true},
    {OID_BASIC_CONSTRAINTS, true, true},
    {OID_EXT_KEY_USAGE, false, true},
    {OID_NAME_CONSTRAINTS, true, false},
    {OID_POLICY_CONSTRAINTS, true, false},
    {OID_INHIBIT_ANY_POLICY, true, false},
    {OID_SKI, false, false},
    {OID_AKI, false, false},
    {OID_CRL_DP, false, true},
    {OID_AIA, false, false},
    {OID_SIA, false, false},
    {OID_OCSP_NOCHECK, false, true},
    {OID_POLICIES, false, true},
    {OID_TLS_FEATURE, false, true},
    {OID_MASA_URL, false, true},
    {OID_NO_REV_AVAIL, false, false},
};

static bool check_critical(struct lint *l)
{
    size_t i;

    for (i = 0; i < sizeof(criticality) / sizeof(criticality[0]); i++) {
        const struct cert_ext *ext = tbs_ext(&l->t, criticality[i].oid);

        if (ext && ext->critical != criticality[i].critical && (l->profile || !criticality[i].ours))
            return have(l, "want %s %s, have it %s", oid_name(criticality[i].oid),
                criticality[i].critical ? "critical" : "not critical",
                ext->critical ? "critical" : "not critical");
    }
    return true;
}

static bool check_bc_critical(struct lint *l)
{
    const struct cert_ext *ext = tbs_ext(&l->t, OID_BASIC_CONSTRAINTS);

    return !ext || ext->critical || !l->f.is_ca ||
           have(l, "want it critical in a CA certificate, have it not");
}

static bool check_san_critical(struct lint *l)
{
    const struct cert_ext *ext = tbs_ext(&l->t, OID_SAN);
    bool nameless = name_is_empty(l->t.subject);

    if (!ext || ext->critical == nameless || (!l->profile && !nameless))
        return true;
    return nameless ? have(l, "want it critical beside an empty subject, have it not")
                    : have(l, "want it not critical beside a subject, have it critical");
}

static bool check_san_names(struct lint *l)
{
    return !l->f.san.p || l->f.san.len > 2 || have(l, "want at least one name, have none");
}

static bool check_cert_sign(struct lint *l)
{
    return !(l->f.key_usage & USAGE_KEY_CERT_SIGN) || l->f.is_ca ||
           have(l, "want keyCertSign only with cA TRUE, have it without");
}

static bool check_ca_sign(struct lint *l)
{
    return !l->f.is_ca || !l->f.has_ku || l->f.key_usage & USAGE_KEY_CERT_SIGN ||
           have(l, "want keyCertSign with cA TRUE, have a keyUsage without");
}

static bool check_pathlen(struct lint *l)
{
    return l->f.pathlen < 0 || l->f.is_ca || have(l, "want a path length only with cA TRUE, have it without");
}

static bool check_ca_ski(struct lint *l)
{
    return !l->f.is_ca || l->f.ski.len || have(l, "want it in a CA certificate, have none");
}

static bool check_issuer_ca(struct lint *l)
{
    if (!l->issuer || !l->f.is_ca || l->issuer->pathlen < 0)
        return true;
    if (l->issuer->pathlen == 0)
        return have(l, "want no CA below an issuer with path length 0, have one");
    return (l->f.pathlen >= 0 && l->f.pathlen < l->issuer->pathlen) ||
           have(l, "want a path length below the issuer's %d, have %d", l->issuer->pathlen, l->f.pathlen);
}

/*
 * OCSPSigning in a leaf is nothing the issuer would need to have: RFC 6960 4.2.2.2 wants the responder's certificate
 * from the very CA it answers for, and BR 7.1.2.10.6 forbids that CA the usage. OpenSSL judges a responder by purpose
 * OCSP helper, which looks at no CA's extKeyUsage.
 */
static bool check_issuer_eku(struct lint *l)
{
    unsigned may = l->issuer ? l->issuer->eku | (l->f.is_ca ? 0 : EKU_OCSP_SIGNING) : 0;
    char want[EXT_TEXT], found[EXT_TEXT];

    if (!l->issuer || !l->issuer->has_eku || !l->f.has_eku || !(l->f.eku & ~may))
        return true;
    return have(l, "want nothing beyond the issuer's %s, have %s", ext_eku_text(l->issuer->eku, want),
        ext_eku_text(l->f.eku, found));
}

static bool check_nocheck_value(struct lint *l)
{
    const struct cert_ext *ext = tbs_ext(&l->t, OID_OCSP_NOCHECK);

    return !ext || der_equal(ext->value, DER_OF((const uint8_t *)"\x05\x00", 2)) ||
           have(l, "want the value 0500, have another");
}

/* keyIdentifier of the issuer's key; a self-signed certificate may go without (RFC 5280 4.2.1.1), ours has its own. */
static bool check_aki(struct lint *l)
{
    bool self = der_equal(l->t.issuer, l->t.subject);
    struct der want = l->f.ski;

    if (!tbs_ext(&l->t, OID_AKI))
        return (self && !l->profile) || have(l, "want the issuer's key identifier, have none");
    if (l->issuer)
        want = DER_OF(l->issuer->ski, l->issuer->ski_len);
    else if (!self || want.len == 0)
        return true; /* nothing to compare with */
    return der_equal(l->f.aki, want) || have(l, "want the issuer's key identifier, have another");
}

/* --- extensions, against the profile --- */

static bool is_wanted(const struct profile *p, struct der oid)
{
    const struct {
        enum oid oid;
        bool wanted;
    } table[] = {
        {OID_BASIC_CONSTRAINTS, true},
        {OID_KEY_USAGE, true},
        {OID_EXT_KEY_USAGE, p->eku != 0},
        {OID_SAN, p->san_allowed != 0},
        {OID_SKI, p->ski},
        {OID_AKI, true},
        {OID_CRL_DP, p->crl_dp},
        {OID_AIA, p->aia},
        {OID_OCSP_NOCHECK, p->ocsp_nocheck},
    };
    size_t i;

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (oid_is(oid, table[i].oid))
            return table[i].wanted;
    }
    for (i = 0; i < p->n_fixed; i++) {
        if (der_equal(oid, p->fixed[i].oid))
            return true;
    }
    for (i = 0; i < p->n_ext_slots; i++) {
        if (der_equal(oid, p->ext_slots[i].oid))
            return true;
    }
    return false;
}

static const struct cert_ext *find_ext(const struct tbs *t, struct der oid)
{
    size_t i;

    for (i = 0; i < t->n_exts; i++) {
        if (der_equal(t->exts[i].oid, oid))
            return &t->exts[i];
    }
    return NULL;
}

/* Those of which the profile states the very bytes. */
static bool check_fixed(struct lint *l)
{
    char name[OID_TEXT];
    size_t i;

    for (i = 0; i < l->profile->n_fixed; i++) {
        const struct fixed_ext *want = &l->profile->fixed[i];
        const struct cert_ext *found = find_ext(&l->t, want->oid);

        if (!found || found->critical != want->critical || !der_equal(found->value, want->value))
            return have(
                l, "want the profile's %s, have %s", oid_text(want->oid, name), found ? "another" : "none");
    }
    return true;
}

/* Those of which the profile states the type. */
static bool check_slots(struct lint *l)
{
    char name[OID_TEXT];
    size_t i;

    for (i = 0; i < l->profile->n_ext_slots; i++) {
        const struct ext_slot *want = &l->profile->ext_slots[i];
        const struct cert_ext *found = find_ext(&l->t, want->oid);
        AUTO_BUF text = BUF_INIT;

        oid_text(want->oid, name);
        if (!found && want->slot.optional)
            continue;
        if (!found)
            return have(l, "want %s, have none", name);
        if (found->critical != want->critical)
            return have(
                l, "want %s %s, have it otherwise", name, want->critical ? "critical" : "not critical");
        if (ext_private_read(want->type, found->value, want->max, &text, &l->why) != 0)
            return because(l);
    }
    return true;
}

static bool check_ext_set(struct lint *l)
{
    char name[OID_TEXT];
    size_t i;

    for (i = 0; i < l->t.n_exts; i++) {
        if (!is_wanted(l->profile, l->t.exts[i].oid))
            return have(l, "want only the profile's, have %s", oid_text(l->t.exts[i].oid, name));
    }
    return true;
}

static bool check_bc(struct lint *l)
{
    if (!l->f.has_bc)
        return have(l, "want it, have none");
    if (l->f.is_ca != l->profile->is_ca)
        return have(
            l, "want cA %s, have %s", l->profile->is_ca ? "TRUE" : "FALSE", l->f.is_ca ? "TRUE" : "FALSE");
    return l->f.pathlen == l->profile->pathlen ||
           have(l, "want path length %d, have %d (-1: none)", l->profile->pathlen, l->f.pathlen);
}

static bool check_ku(struct lint *l)
{
    unsigned bits = profile_key_usage(l->profile, l->spki.kind);
    char want[EXT_TEXT], found[EXT_TEXT];

    return !l->spki_ok || l->f.key_usage == bits ||
           have(l, "want %s, have %s", ext_ku_text(bits, want), ext_ku_text(l->f.key_usage, found));
}

static bool check_eku(struct lint *l)
{
    char want[EXT_TEXT], found[EXT_TEXT];

    AUTO_BUF value = BUF_INIT;
    const struct cert_ext *ext = tbs_ext(&l->t, OID_EXT_KEY_USAGE);

    if (l->profile->eku_others.len) {
        ext_add_eku(&value, l->profile->eku, l->profile->eku_others);
        return (ext && buf_ok(&value) && der_equal(ext->value, der_buf(&value))) ||
               have(l, "want the profile's usages, have others");
    }
    return l->f.eku == l->profile->eku ||
           have(l, "want %s, have %s", ext_eku_text(l->profile->eku, want), ext_eku_text(l->f.eku, found));
}

static bool check_nocheck(struct lint *l)
{
    return !l->profile->ocsp_nocheck || tbs_ext(&l->t, OID_OCSP_NOCHECK) || have(l, "want it, have none");
}

/* RFC 5280 4.2.1.2 method 1, as our tbs_build() makes it. */
static bool check_ski(struct lint *l)
{
    uint8_t want[SKI_LEN];

    if (!l->profile->ski || !l->spki_ok)
        return true;
    if (spki_ski(&l->spki, want, &l->why) != 0)
        return because(l);
    return der_equal(l->f.ski, DER_OF(want, sizeof(want))) ||
           have(l, l->f.ski.len ? "want the SHA-1 of the key, have another"
                                : "want the SHA-1 of the key, have none");
}

static bool check_sans(struct lint *l)
{
    AUTO_SANS sans = SAN_LIST_INIT;

    if (l->f.san.p && san_from_der(l->f.san, &sans, &l->why) != 0)
        return because(l);
    return profile_check_sans(l->profile, &sans, &l->why) == 0 || because(l);
}

static bool check_crl_dp(struct lint *l)
{
    const struct cert_ext *ext = tbs_ext(&l->t, OID_CRL_DP);
    struct der uri;

    if (!ext)
        return true;
    if (ext_read_crl_dp(ext->value, &uri) != 0)
        return have(l, "want one point with one URI, have something else");
    return (uri.len > 7 && memcmp(uri.p, "http://", 7) == 0) || have(l, "want an http URI, have another");
}

/* What the signature will add is not known to the octet: the most it can be. */
static bool check_size(struct lint *l)
{
    const struct spki *signer = l->issuer ? &l->issuer->spki : l->spki_ok ? &l->spki : NULL;
    size_t size = signer ? cert_size_max(l->tbs, signer) : l->tbs.len;

    return !l->profile->max_size || size <= l->profile->max_size ||
           have(l, "want at most %u octets, have up to %zu", l->profile->max_size, size);
}

/* --- the table --- */

/* For which certificates a row holds, and whether it can be asked when an extension cannot be read. */
enum where { EVERY = 0, PROFILED = 1, READABLE = 2 };

static const struct row {
    const char *code, *source, *field;
    unsigned where;
    bool (*check)(struct lint *l);
} rows[] = {
    {"LINT_VERSION", "RFC 5280 4.1.2.1", "version", EVERY, check_version},
    {"LINT_SERIAL", "RFC 5280 4.1.2.2", "serial", EVERY, check_serial},
    {"LINT_SERIAL_SIGN", "RFC 5280 4.1.2.2", "serial", EVERY, check_serial_sign},
    {"LINT_DER", "X.690 11", "encoding", EVERY, check_der},
    {"LINT_ALG", "RFC 5280 4.1.2.3", "signature", EVERY, check_alg},
    {"LINT_ISSUER", "RFC 5280 4.1.2.4", "issuer", EVERY, check_issuer},
    {"LINT_TIME", "RFC 5280 4.1.2.5", "validity", EVERY, check_time_encoding},
    {"LINT_VALIDITY", "RFC 5280 4.1.2.5", "validity", EVERY, check_order},
    {"VALIDITY_NESTING", "RFC 5280 6.1.3", "validity", EVERY, check_nesting},
    {"VALIDITY_TOO_LONG", "BR 6.3.2", "validity", PROFILED, check_days},
    {"LINT_NAME", "RFC 5280 4.1.2.6", "subject", EVERY, check_name},
    {"NAME_EMPTY", "RFC 5280 4.1.2.6", "subject", READABLE, check_subject},
    {"LINT_KEY", "RFC 5280 4.1.2.7", "key", EVERY, check_key},
    {"LINT_UNIQUE_ID", "RFC 5280 4.1.2.8", "unique identifiers", EVERY, check_unique_id},
    {"LINT_EXT_TWICE", "RFC 5280 4.2", "extensions", EVERY, check_ext_once},
    {"LINT_EXT_VALUE", "RFC 5280 4.2", "extensions", EVERY, check_ext_values},
    {"LINT_EXT_SET", "the profile", "extensions", PROFILED, check_ext_set},
    {"LINT_EXT_FIXED", "the profile", "extensions", PROFILED, check_fixed},
    {"LINT_EXT_SLOT", "the profile", "extensions", PROFILED, check_slots},
    {"LINT_CRITICAL", "RFC 5280 4.2.1", "extensions", EVERY, check_critical},
    {"LINT_BC_CRITICAL", "RFC 5280 4.2.1.9", "basicConstraints", READABLE, check_bc_critical},
    {"LINT_BC", "RFC 5280 4.2.1.9", "basicConstraints", PROFILED | READABLE, check_bc},
    {"LINT_PATHLEN", "RFC 5280 4.2.1.9", "basicConstraints", READABLE, check_pathlen},
    {"LINT_ISSUER_PATHLEN", "RFC 5280 4.2.1.9", "basicConstraints", READABLE, check_issuer_ca},
    {"LINT_CERT_SIGN", "RFC 5280 4.2.1.3", "keyUsage", READABLE, check_cert_sign},
    {"LINT_CA_SIGN", "RFC 5280 4.2.1.3", "keyUsage", READABLE, check_ca_sign},
    {"LINT_KU", "RFC 5280 4.2.1.3", "keyUsage", PROFILED | READABLE, check_ku},
    {"LINT_EKU", "RFC 5280 4.2.1.12", "extKeyUsage", PROFILED | READABLE, check_eku},
    {"LINT_ISSUER_EKU", "RFC 5280 4.2.1.12", "extKeyUsage", READABLE, check_issuer_eku},
    {"LINT_SAN_EMPTY", "RFC 5280 4.2.1.6", "subjectAltName", READABLE, check_san_names},
    {"LINT_SAN_CRITICAL", "RFC 5280 4.2.1.6", "subjectAltName", EVERY, check_san_critical},
    {"LINT_SAN", "RFC 5280 4.2.1.6", "subjectAltName", PROFILED | READABLE, check_sans},
    {"LINT_CA_SKI", "RFC 5280 4.2.1.2", "subjectKeyIdentifier", READABLE, check_ca_ski},
    {"LINT_SKI", "RFC 5280 4.2.1.2", "subjectKeyIdentifier", PROFILED | READABLE, check_ski},
    {"LINT_AKI", "RFC 5280 4.2.1.1", "authorityKeyIdentifier", READABLE, check_aki},
    {"CERT_TOO_LARGE", "the profile", "size", PROFILED, check_size},
    {"LINT_CRL_DP", "BR 7.1.2.11.2", "cRLDistributionPoints", PROFILED, check_crl_dp},
    {"LINT_OCSP_NOCHECK", "RFC 6960 4.2.2.2.1", "ocsp-nocheck", EVERY, check_nocheck_value},
    {"LINT_OCSP_NOCHECK", "RFC 6960 4.2.2.2.1", "ocsp-nocheck", PROFILED, check_nocheck},
};

static int start(struct lint *l, struct p11ca_err *err)
{
    struct p11ca_err better;

    if (tbs_read(l->tbs, &l->t, err) != 0) {
        if (der_check(l->tbs, DER_MAX_DEPTH, "certificate", &better) != 0)
            *err = better;
        return -1;
    }
    l->f.pathlen = -1;
    l->facts_ok = tbs_facts(&l->t, &l->f, &l->facts_why) == 0;
    l->spki_ok = spki_read(l->t.spki.p, l->t.spki.len, &l->spki, &l->spki_why) == 0;
    return 0;
}

static bool applies(const struct lint *l, const struct row *row)
{
    return (l->profile || !(row->where & PROFILED)) && (l->facts_ok || !(row->where & READABLE));
}

static void tell(const struct lint *l, const struct row *row, struct p11ca_err *finding)
{
    if (l->told)
        *finding = l->why;
    else
        err_set(finding, P11CA_REFUSED, row->code, "%s: %s: %s", row->source, row->field, l->text);
    if (l->profile && strncmp(finding->msg, "profile ", 8) != 0)
        err_prefix(finding, "profile '%s'", l->profile->name);
}

static bool holds(struct lint *l, const struct row *row, struct p11ca_err *finding)
{
    l->told = false;
    if (!applies(l, row) || row->check(l))
        return true;
    tell(l, row, finding);
    return false;
}

int tbs_lint_each(struct der tbs, const struct profile *profile, const struct issuer *issuer, lint_fn *fn,
    void *arg, struct p11ca_err *err)
{
    struct lint l = {.tbs = tbs, .profile = profile, .issuer = issuer};
    struct p11ca_err finding;
    int n = 0;
    size_t i;

    if (start(&l, err) != 0)
        return -1;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (holds(&l, &rows[i], &finding))
            continue;
        fn(arg, &finding);
        n++;
    }
    return n;
}

int tbs_lint(
    struct der tbs, const struct profile *profile, const struct issuer *issuer, struct p11ca_err *err)
{
    struct lint l = {.tbs = tbs, .profile = profile, .issuer = issuer};
    size_t i;

    if (start(&l, err) != 0)
        return -1;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!holds(&l, &rows[i], err))
            return -1;
    }
    return 0;
}
