/*
 * What RFC 5280 says of the fields and the common extensions, and what a profile wants of them. A check returns true
 * when the rule holds, else it says what is wanted and what was found.
 */
#include "x509/lint_row.h"

#include <string.h>

#include "base/text.h"
#include "x509/name.h"

/* --- fields --- */

static bool check_version(struct lint *l)
{
    return l->t.version == 3 || lint_have(l, "want v3, have v%u", l->t.version);
}

static bool check_serial(struct lint *l)
{
    size_t least = l->q.profile ? SERIAL_MIN : 1;

    if (l->t.serial.len < least || l->t.serial.len > SERIAL_LEN)
        return lint_have(l, "want %zu to %d octets, have %zu", least, SERIAL_LEN, l->t.serial.len);
    return true;
}

static bool check_serial_sign(struct lint *l)
{
    struct der s = l->t.serial;

    if (s.len == 0)
        return true; /* the row above */
    if (s.p[0] & 0x80)
        return lint_have(l, "want a positive number, have a negative one");
    if (s.p[0] == 0 && (s.len == 1 || !(s.p[1] & 0x80)))
        return lint_have(
            l, s.len == 1 ? "want a positive number, have zero" : "want no leading zero octet, have one");
    return true;
}

/* A finished certificate whose issuer is not at hand; what is to be signed without one is to sign itself. */
static bool is_orphan(const struct lint *l)
{
    return !l->q.issuer && (!l->q.profile || (l->whole.der.p && !l->q.profile->self_signed));
}

static bool check_alg(struct lint *l)
{
    const struct sigalg *want = l->q.issuer ? l->q.issuer->alg : l->spki_ok ? sigalg_for_key(&l->spki) : NULL;
    const struct sigalg *found = sigalg_find(l->t.alg);

    if (!want || is_orphan(l)) /* no key, which is another row */
        return found ||
               lint_have(l, "want ECDSA or RSA PKCS #1 with SHA-256, SHA-384 or SHA-512, have another");
    return found == want ||
           lint_have(l, "want the issuer's %s, have %s", want->text, found ? found->text : "another");
}

/* Of others', who sign with what we would not. */
static bool check_weak(struct lint *l)
{
    char name[OID_TEXT];
    const char *weak = lint_weak_digest(l->t.alg, name);

    return !weak || lint_have(l, "want SHA-256, SHA-384 or SHA-512, have %s", weak);
}

static bool check_alg_kind(struct lint *l)
{
    struct der seq, oid;
    char name[OID_TEXT];

    if (sigalg_find(l->t.alg) || lint_weak_digest(l->t.alg, name))
        return true;
    if (der_whole(l->t.alg, DER_SEQUENCE, &seq) != 0 || der_next(&seq, DER_OID, &oid) != 0)
        return lint_have(l, "want an identifier, have none");
    return lint_have(l, "want ECDSA or RSA PKCS #1 to judge, have %s", oid_text(oid, name));
}

static bool check_alg_match(struct lint *l)
{
    return der_equal(l->whole.alg_id, l->t.alg) ||
           lint_have(l, "want what the signed part says, have another");
}

/* Self-issued under another key is no self-signed certificate (RFC 5280 3.2). */
static bool check_signature(struct lint *l)
{
    bool own = !l->f.aki.len || !l->f.ski.len || der_equal(l->f.aki, l->f.ski);

    if (l->q.issuer)
        return !der_equal(l->t.issuer, l->q.issuer->subject) || lint_verify(l, l->t.alg, &l->q.issuer->spki);
    return !l->self_issued || !own || !l->spki_ok || lint_verify(l, l->t.alg, &l->spki);
}

/* Whoever looks for an issuer by name finds a leaf of that name instead, and takes it for self-signed. */
static bool is_namesake(const struct lint *l)
{
    return l->q.profile && l->q.issuer && !l->q.profile->is_ca && l->self_issued;
}

static bool check_issuer(struct lint *l)
{
    if (is_namesake(l))
        return lint_have(l, "want another name than the subject's in a leaf, have the same");
    if (l->q.issuer)
        return der_equal(l->t.issuer, l->q.issuer->subject) ||
               lint_have(l, "want the subject of the issuer's certificate, byte for byte, have another name");
    if (is_orphan(l))
        return true;
    return der_equal(l->t.issuer, l->t.subject) ||
           lint_have(l, "want the subject, byte for byte, have another name");
}

static bool check_issuer_empty(struct lint *l)
{
    return !name_is_empty(l->t.issuer) || lint_have(l, "want a name, have an empty one");
}

static bool check_time_encoding(struct lint *l)
{
    return l->t.validity_encoded_right ||
           lint_have(l, "want UTCTime through 2049 and GeneralizedTime from 2050, have the other");
}

static bool check_order(struct lint *l)
{
    char before[TEXT_TIME], after[TEXT_TIME];

    if (l->t.not_before <= l->t.not_after)
        return true;
    text_time(l->t.not_before, before);
    text_time(l->t.not_after, after);
    return lint_have(l, "want an end after %s, have %s", before, after);
}

static bool check_nesting(struct lint *l)
{
    char from[TEXT_TIME], to[TEXT_TIME], before[TEXT_TIME], after[TEXT_TIME];

    if ((l->t.not_before >= l->q.issuer->not_before && l->t.not_after <= l->q.issuer->not_after))
        return true;
    text_time(l->q.issuer->not_before, from);
    text_time(l->q.issuer->not_after, to);
    text_time(l->t.not_before, before);
    text_time(l->t.not_after, after);
    return lint_have(l, "want a time within the issuer's %s to %s, have %s to %s", from, to, before, after);
}

static bool check_days(struct lint *l)
{
    int64_t days = (l->t.not_after - l->t.not_before + PROFILE_DAY) / PROFILE_DAY;

    return days <= l->q.profile->days_max ||
           (l->q.profile->no_expiry && l->t.not_after == PROFILE_NO_EXPIRY) ||
           lint_have(l, "want at most %u days, have %lld", l->q.profile->days_max, (long long)days);
}

static bool check_name(struct lint *l)
{
    return name_check(l->t.subject, "subject", &l->why) == 0 || lint_because(l);
}

/* RFC 5280 4.1.2.4 lets them stay where they were used before; nobody can say which character one of T61String is. */
static bool is_old_type(const struct p11ca_err *why)
{
    return strcmp(why->code, "NAME_STRING_TYPE") == 0;
}

/* What our table wants for being sure who is meant (one CN, no CN of two values) is no rule for others. */
static bool is_house_rule(const struct p11ca_err *why)
{
    return strcmp(why->code, "NAME_AMBIGUOUS") == 0;
}

static bool check_foreign_name(struct lint *l)
{
    return name_check(l->t.subject, "subject", &l->why) == 0 || is_old_type(&l->why) ||
           is_house_rule(&l->why) || lint_because(l);
}

static bool check_name_type(struct lint *l)
{
    return name_check(l->t.subject, "subject", &l->why) == 0 || !is_old_type(&l->why) || lint_because(l);
}

static bool check_name_twice(struct lint *l)
{
    return name_check(l->t.subject, "subject", &l->why) == 0 || !is_house_rule(&l->why) || lint_because(l);
}

static bool check_name_email(struct lint *l)
{
    struct der value;

    return lint_attrs(l->t.subject, OID_EMAIL_ADDRESS, &value) == 0 ||
           lint_have(l, "want e-mail addresses in subjectAltName, have one in the subject");
}

static bool check_subject(struct lint *l)
{
    bool nameless = name_is_empty(l->t.subject);
    struct der cn;

    if (nameless && (l->f.is_ca || (l->q.profile && profile_wants_subject(l->q.profile))))
        return lint_have(l, "want a name, have an empty one");
    if (nameless && !l->f.san.p)
        return lint_have(l, "want a name or an alternative name, have neither");
    if (!nameless && l->q.profile && profile_wants_cn(l->q.profile) &&
        name_get(l->t.subject, NAME_CN, &cn) != 1)
        return lint_have(l, "want one CN, have none or more");
    return true;
}

static bool spki_because(struct lint *l)
{
    l->why = l->spki_why;
    return lint_because(l);
}

/* A key of a kind we do not take may be a good one, of somebody else. */
static bool is_foreign_kind(const struct lint *l)
{
    return !l->q.profile &&
           (strcmp(l->spki_why.code, "KEY_TYPE") == 0 || strcmp(l->spki_why.code, "KEY_CURVE") == 0);
}

/* BR 6.1.6 lets the exponent be any odd number from 3; ours is from 65537. */
static bool is_foreign_exponent(const struct lint *l)
{
    struct der seq, alg, bits, key, n, e;

    if (l->q.profile || strcmp(l->spki_why.code, "KEY_EXPONENT") != 0 ||
        der_whole(l->t.spki, DER_SEQUENCE, &seq) != 0 || der_next(&seq, DER_SEQUENCE, &alg) != 0 ||
        der_next_bits(&seq, &bits) != 0 || der_whole(bits, DER_SEQUENCE, &key) != 0 ||
        der_next(&key, DER_INTEGER, &n) != 0 || der_whole(key, DER_INTEGER, &e) != 0 || e.len == 0)
        return false;
    return !(e.p[0] & 0x80) && e.p[e.len - 1] & 1 && (e.len > 1 || e.p[0] > 1);
}

static bool check_key(struct lint *l)
{
    if (!l->spki_ok)
        return is_foreign_kind(l) || is_foreign_exponent(l) || spki_because(l);
    return !l->q.profile || profile_check_key(l->q.profile, &l->spki, &l->why) == 0 || lint_because(l);
}

static bool check_key_exponent(struct lint *l)
{
    return l->spki_ok || !is_foreign_exponent(l) || spki_because(l);
}

static bool check_key_kind(struct lint *l)
{
    return l->spki_ok || l->rules & RULES_BR || !is_foreign_kind(l) || spki_because(l);
}

static bool check_key_weak(struct lint *l)
{
    return spki_check_weak(&l->spki, &l->why) == 0 || lint_because(l);
}

/* Of requests and our own this was asked at the intake. */
static bool check_key_point(struct lint *l)
{
    return spki_check_point(&l->spki, &l->why) == 0 || lint_because(l);
}

static bool check_unique_id(struct lint *l)
{
    return !l->t.has_unique_id || lint_have(l, "want no unique identifiers, have one");
}

static bool check_der(struct lint *l)
{
    struct der what = l->whole.der.p ? l->whole.der : l->tbs;

    return der_check(what, DER_MAX_DEPTH, "certificate", &l->why) == 0 || lint_because(l);
}

/* --- extensions, each for itself --- */

static bool check_ext_once(struct lint *l)
{
    char name[OID_TEXT];
    size_t i, k;

    for (i = 1; i < l->t.n_exts; i++) {
        for (k = 0; k < i; k++) {
            if (der_equal(l->t.exts[i].oid, l->t.exts[k].oid))
                return lint_have(l, "want each once, have %s twice", oid_text(l->t.exts[i].oid, name));
        }
    }
    return true;
}

static bool check_ext_values(struct lint *l)
{
    if (l->facts_ok)
        return true;
    l->why = l->facts_why;
    return lint_because(l);
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

        if (ext && ext->critical != criticality[i].critical && (l->q.profile || !criticality[i].ours))
            return lint_have(l, "want %s %s, have it %s", oid_name(criticality[i].oid),
                criticality[i].critical ? "critical" : "not critical",
                ext->critical ? "critical" : "not critical");
    }
    return true;
}

static bool check_bc_critical(struct lint *l)
{
    const struct cert_ext *ext = tbs_ext(&l->t, OID_BASIC_CONSTRAINTS);

    return !ext || ext->critical || !l->f.is_ca ||
           lint_have(l, "want it critical in a CA certificate, have it not");
}

static bool check_san_critical(struct lint *l)
{
    const struct cert_ext *ext = tbs_ext(&l->t, OID_SAN);
    bool nameless = name_is_empty(l->t.subject);

    if (!ext || ext->critical == nameless || (!l->q.profile && !nameless))
        return true;
    return nameless ? lint_have(l, "want it critical beside an empty subject, have it not")
                    : lint_have(l, "want it not critical beside a subject, have it critical");
}

static bool check_san_names(struct lint *l)
{
    return !l->f.san.p || l->f.san.len > 2 || lint_have(l, "want at least one name, have none");
}

static bool check_cert_sign(struct lint *l)
{
    return !(l->f.key_usage & USAGE_KEY_CERT_SIGN) || l->f.is_ca ||
           lint_have(l, "want keyCertSign only with cA TRUE, have it without");
}

static bool check_ca_sign(struct lint *l)
{
    return !l->f.is_ca || !l->f.has_ku || l->f.key_usage & USAGE_KEY_CERT_SIGN ||
           lint_have(l, "want keyCertSign with cA TRUE, have a keyUsage without");
}

static bool check_pathlen(struct lint *l)
{
    return l->f.pathlen < 0 || l->f.is_ca ||
           lint_have(l, "want a path length only with cA TRUE, have it without");
}

static bool check_ca_ski(struct lint *l)
{
    return !l->f.is_ca || l->f.ski.len || lint_have(l, "want it in a CA certificate, have none");
}

static bool check_issuer_ca(struct lint *l)
{
    if (!l->q.issuer || !l->f.is_ca || l->q.issuer->pathlen < 0)
        return true;
    if (l->q.issuer->pathlen == 0)
        return lint_have(l, "want no CA below an issuer with path length 0, have one");
    return (l->f.pathlen >= 0 && l->f.pathlen < l->q.issuer->pathlen) ||
           lint_have(
               l, "want a path length below the issuer's %d, have %d", l->q.issuer->pathlen, l->f.pathlen);
}

/*
 * OCSPSigning in a leaf is nothing the issuer would need to have: RFC 6960 4.2.2.2 wants the responder's certificate
 * from the very CA it answers for, and BR 7.1.2.10.6 forbids that CA the usage. OpenSSL judges a responder by purpose
 * OCSP helper, which looks at no CA's extKeyUsage.
 */
static bool usages_within(struct der value, const struct issuer *issuer, bool ca)
{
    struct der seq, one, theirs, other;
    bool found;

    if (der_whole(value, DER_SEQUENCE, &seq) != 0)
        return false;
    while (seq.len && der_next(&seq, DER_OID, &one) == 0) {
        found = !ca && oid_is(one, OID_EKU_OCSP_SIGNING);
        if (der_whole(issuer->eku_value, DER_SEQUENCE, &theirs) != 0)
            return false;
        while (!found && theirs.len && der_next(&theirs, DER_OID, &other) == 0)
            found = der_equal(one, other);
        if (!found)
            return false;
    }
    return true;
}

static bool check_issuer_eku(struct lint *l)
{
    const struct issuer *issuer = l->q.issuer;
    char want[EXT_TEXT], found[EXT_TEXT];
    struct der value;

    if (!issuer || !issuer->has_eku || issuer->eku & EKU_ANY || !lint_ext(l, OID_EXT_KEY_USAGE, &value) ||
        usages_within(value, issuer, l->f.is_ca))
        return true;
    return lint_have(l, "want nothing beyond the issuer's %s, have %s", ext_eku_text(l->q.issuer->eku, want),
        ext_eku_text(l->f.eku, found));
}

static bool check_nocheck_value(struct lint *l)
{
    const struct cert_ext *ext = tbs_ext(&l->t, OID_OCSP_NOCHECK);

    return !ext || der_equal(ext->value, DER_OF((const uint8_t *)"\x05\x00", 2)) ||
           lint_have(l, "want the value 0500, have another");
}

/* keyIdentifier of the issuer's key; a self-signed certificate may go without (RFC 5280 4.2.1.1), ours has its own. */
static bool check_aki(struct lint *l)
{
    bool self = der_equal(l->t.issuer, l->t.subject);
    struct der want = l->f.ski;

    if (!tbs_ext(&l->t, OID_AKI))
        return (self && !l->q.profile) || lint_have(l, "want the issuer's key identifier, have none");
    if (l->q.issuer)
        want = DER_OF(l->q.issuer->ski, l->q.issuer->ski_len);
    else if (!self || want.len == 0)
        return true; /* nothing to compare with */
    return der_equal(l->f.aki, want) || lint_have(l, "want the issuer's key identifier, have another");
}

/* With Matter and SPIFFE it is more than a warning: rows of theirs. */
static bool check_ku_critical(struct lint *l)
{
    const struct cert_ext *ext = tbs_ext(&l->t, OID_KEY_USAGE);

    return !ext || ext->critical || l->rules & (RULES_MATTER | RULES_SPIFFE) ||
           lint_have(l, "want it critical, have it not");
}

static bool check_ca_ku(struct lint *l)
{
    return l->f.has_ku || l->t.version < 3 || lint_have(l, "want it in a CA certificate, have none");
}

/* RFC 8813 3: nobody encrypts to an ECDSA key. */
static bool check_ku_ec(struct lint *l)
{
    unsigned bits = l->f.key_usage & (USAGE_KEY_ENCIPHERMENT | USAGE_DATA_ENCIPHERMENT);
    char found[EXT_TEXT];

    return l->spki.kind == KEY_RSA || !bits ||
           lint_have(l, "want neither keyEncipherment nor dataEncipherment with an EC key, have %s",
               ext_ku_text(bits, found));
}

static bool check_ku_rsa(struct lint *l)
{
    return l->spki.kind != KEY_RSA || !(l->f.key_usage & USAGE_KEY_AGREEMENT) ||
           lint_have(l, "want no keyAgreement with an RSA key, have it");
}

#define USAGE_ENCIPHER_ONLY 0x01u
#define USAGE_DECIPHER_ONLY 0x100u

static bool check_ku_only(struct lint *l)
{
    return !(l->f.key_usage & (USAGE_ENCIPHER_ONLY | USAGE_DECIPHER_ONLY)) ||
           l->f.key_usage & USAGE_KEY_AGREEMENT ||
           lint_have(l, "want encipherOnly and decipherOnly only with keyAgreement, have one without");
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

static bool check_ext_set(struct lint *l)
{
    char name[OID_TEXT];
    size_t i;

    for (i = 0; i < l->t.n_exts; i++) {
        if (!is_wanted(l->q.profile, l->t.exts[i].oid))
            return lint_have(l, "want only the profile's, have %s", oid_text(l->t.exts[i].oid, name));
    }
    return true;
}

static bool check_bc(struct lint *l)
{
    if (!l->f.has_bc)
        return lint_have(l, "want it, have none");
    if (l->f.is_ca != l->q.profile->is_ca)
        return lint_have(
            l, "want cA %s, have %s", l->q.profile->is_ca ? "TRUE" : "FALSE", l->f.is_ca ? "TRUE" : "FALSE");
    return l->f.pathlen == l->q.profile->pathlen ||
           lint_have(l, "want path length %d, have %d (-1: none)", l->q.profile->pathlen, l->f.pathlen);
}

static bool check_ku(struct lint *l)
{
    unsigned bits = profile_key_usage(l->q.profile, l->spki.kind);
    char want[EXT_TEXT], found[EXT_TEXT];

    return !l->spki_ok || l->f.key_usage == bits ||
           lint_have(l, "want %s, have %s", ext_ku_text(bits, want), ext_ku_text(l->f.key_usage, found));
}

static bool check_eku(struct lint *l)
{
    const struct cert_ext *ext = tbs_ext(&l->t, OID_EXT_KEY_USAGE);
    char want[EXT_TEXT], found[EXT_TEXT];
    AUTO_BUF value = BUF_INIT;

    if (l->q.profile->eku_others.len) {
        ext_add_eku(&value, l->q.profile->eku, l->q.profile->eku_others);
        return (ext && buf_ok(&value) && der_equal(ext->value, der_buf(&value))) ||
               lint_have(l, "want the profile's usages, have others");
    }
    return l->f.eku == l->q.profile->eku ||
           lint_have(
               l, "want %s, have %s", ext_eku_text(l->q.profile->eku, want), ext_eku_text(l->f.eku, found));
}

/* A responder asked for as one, or by a profile that has it. */
static bool check_nocheck(struct lint *l)
{
    bool wanted = l->q.profile ? l->q.profile->ocsp_nocheck : (l->rules & RULES_OCSP) != 0;

    return !wanted || tbs_ext(&l->t, OID_OCSP_NOCHECK) || lint_have(l, "want it, have none");
}

/* RFC 5280 4.2.1.2 method 1, as our tbs_build() makes it. */
static bool check_ski(struct lint *l)
{
    uint8_t want[SKI_LEN];

    if (!l->q.profile->ski || !l->spki_ok)
        return true;
    if (spki_ski(&l->spki, want, &l->why) != 0)
        return lint_because(l);
    return der_equal(l->f.ski, DER_OF(want, sizeof(want))) ||
           lint_have(l, l->f.ski.len ? "want the SHA-1 of the key, have another"
                                     : "want the SHA-1 of the key, have none");
}

static bool check_sans(struct lint *l)
{
    AUTO_SANS sans = SAN_LIST_INIT;

    if (l->f.san.p && san_from_der(l->f.san, &sans, &l->why) != 0)
        return lint_because(l);
    return profile_check_sans(l->q.profile, &sans, &l->why) == 0 || lint_because(l);
}

static bool check_crl_dp(struct lint *l)
{
    const struct cert_ext *ext = tbs_ext(&l->t, OID_CRL_DP);
    struct der uri;

    if (!ext)
        return true;
    if (ext_read_crl_dp(ext->value, &uri) != 0)
        return lint_have(l, "want one point with one URI, have something else");
    return (uri.len > 7 && memcmp(uri.p, "http://", 7) == 0) ||
           lint_have(l, "want an http URI, have another");
}

/* --- the table --- */

static bool check_read(struct lint *l)
{
    (void)l;
    return true; /* asked before: nothing else could be */
}

#define BY_PROFILE (ON_PROFILED | ON_READABLE)
#define E          LINT_ERROR

const struct lint_rule lint_rows_rfc5280[] = {
    {"LINT_SYNTAX", "RFC 5280 4.1", "form", E, ON_FIXED, 0, check_read},
    {"LINT_VERSION", "RFC 5280 4.1.2.1", "version", E, ON_FIXED, 0, check_version},
    {"LINT_SERIAL", "RFC 5280 4.1.2.2", "serial", E, ON_EVERY, 0, check_serial},
    {"LINT_SERIAL_SIGN", "RFC 5280 4.1.2.2", "serial", E, ON_FIXED, 0, check_serial_sign},
    {"LINT_DER", "X.690 11", "encoding", E, ON_FIXED, 0, check_der},
    {"LINT_ALG", "RFC 5280 4.1.2.3", "signature", E, ON_PROFILED | ON_FIXED, 0, check_alg},
    {"LINT_ISSUER", "RFC 5280 4.1.2.4", "issuer", E, ON_FIXED, 0, check_issuer},
    {"LINT_TIME", "RFC 5280 4.1.2.5", "validity", E, ON_FIXED, 0, check_time_encoding},
    {"LINT_VALIDITY", "RFC 5280 4.1.2.5", "validity", E, ON_FIXED, 0, check_order},
    {"VALIDITY_NESTING", "RFC 5280 6.1.3", "validity", E, ON_BELOW, 0, check_nesting},
    {"VALIDITY_TOO_LONG", "BR 6.3.2", "validity", E, ON_PROFILED, 0, check_days},
    {"LINT_NAME", "RFC 5280 4.1.2.6", "subject", E, ON_PROFILED, 0, check_name},
    {"NAME_EMPTY", "RFC 5280 4.1.2.6", "subject", E, ON_READABLE | ON_FIXED, 0, check_subject},
    {"LINT_KEY", "RFC 5280 4.1.2.7", "key", E, ON_FIXED, 0, check_key},
    {"LINT_UNIQUE_ID", "RFC 5280 4.1.2.8", "unique identifiers", E, ON_EVERY, 0, check_unique_id},
    {"LINT_EXT_TWICE", "RFC 5280 4.2", "extensions", E, ON_FIXED, 0, check_ext_once},
    {"LINT_EXT_VALUE", "RFC 5280 4.2", "extensions", E, ON_FIXED, 0, check_ext_values},
    {"LINT_EXT_SET", "the profile", "extensions", E, ON_PROFILED, 0, check_ext_set},
    {"LINT_CRITICAL", "RFC 5280 4.2.1", "extensions", E, ON_EVERY, 0, check_critical},
    {"LINT_BC_CRITICAL", "RFC 5280 4.2.1.9", "basicConstraints", E, ON_READABLE | ON_FIXED, 0,
        check_bc_critical},
    {"LINT_BC", "RFC 5280 4.2.1.9", "basicConstraints", E, BY_PROFILE | ON_FIXED, 0, check_bc},
    {"LINT_PATHLEN", "RFC 5280 4.2.1.9", "basicConstraints", E, ON_READABLE | ON_FIXED, 0, check_pathlen},
    {"LINT_ISSUER_PATHLEN", "RFC 5280 4.2.1.9", "basicConstraints", E, ON_READABLE | ON_BELOW | ON_FIXED, 0,
        check_issuer_ca},
    {"LINT_CERT_SIGN", "RFC 5280 4.2.1.3", "keyUsage", E, ON_READABLE | ON_FIXED, 0, check_cert_sign},
    {"LINT_CA_SIGN", "RFC 5280 4.2.1.3", "keyUsage", E, ON_READABLE | ON_FIXED, 0, check_ca_sign},
    {"LINT_KU", "RFC 5280 4.2.1.3", "keyUsage", E, BY_PROFILE | ON_FIXED, 0, check_ku},
    {"LINT_EKU", "RFC 5280 4.2.1.12", "extKeyUsage", E, BY_PROFILE | ON_FIXED, 0, check_eku},
    {"LINT_ISSUER_EKU", "RFC 5280 4.2.1.12", "extKeyUsage", E, ON_READABLE | ON_BELOW, 0, check_issuer_eku},
    {"LINT_SAN_EMPTY", "RFC 5280 4.2.1.6", "subjectAltName", E, ON_READABLE, 0, check_san_names},
    {"LINT_SAN_CRITICAL", "RFC 5280 4.2.1.6", "subjectAltName", E, ON_EVERY, 0, check_san_critical},
    {"LINT_SAN", "RFC 5280 4.2.1.6", "subjectAltName", E, BY_PROFILE, 0, check_sans},
    {"LINT_CA_SKI", "RFC 5280 4.2.1.2", "subjectKeyIdentifier", E, ON_READABLE, 0, check_ca_ski},
    {"LINT_SKI", "RFC 5280 4.2.1.2", "subjectKeyIdentifier", E, BY_PROFILE, 0, check_ski},
    {"LINT_AKI", "RFC 5280 4.2.1.1", "authorityKeyIdentifier", E, ON_READABLE, 0, check_aki},
    {"LINT_CRL_DP", "BR 7.1.2.11.2", "cRLDistributionPoints", E, ON_PROFILED, 0, check_crl_dp},
    {"LINT_NOCHECK_VALUE", "RFC 6960 4.2.2.2.1", "ocsp-nocheck", E, ON_EVERY, 0, check_nocheck_value},
    {"LINT_OCSP_NOCHECK", "RFC 6960 4.2.2.2.1", "ocsp-nocheck", E, ON_LEAF, 0, check_nocheck},
    /* what follows is for those that are not ours, or told by a profile's rules already */
    {"LINT_WEAK", "SP 800-57 5.6.1", "signature", E, ON_FOREIGN | ON_ISSUED, 0, check_weak},
    {"LINT_WEAK_ROOT", "SP 800-57 5.6.1", "signature", LINT_NOTICE, ON_FOREIGN | ON_ROOT, 0, check_weak},
    {"LINT_ALG_KIND", "RFC 5280 4.1.1.2", "signature", LINT_NOTICE, ON_FOREIGN, 0, check_alg_kind},
    {"LINT_ALG_MATCH", "RFC 5280 4.1.1.2", "signatureAlgorithm", E, ON_FINISHED | ON_FIXED, 0,
        check_alg_match},
    {"LINT_SIGNATURE", "RFC 5280 6.1.3", "signatureValue", E, ON_FINISHED | ON_FIXED, 0, check_signature},
    {"LINT_ISSUER_EMPTY", "RFC 5280 4.1.2.4", "issuer", E, ON_FIXED, 0, check_issuer_empty},
    {"LINT_NAME_FORM", "RFC 5280 4.1.2.6", "subject", E, ON_FOREIGN, 0, check_foreign_name},
    {"LINT_NAME_TYPE", "RFC 5280 4.1.2.6", "subject", LINT_WARNING, ON_FOREIGN, 0, check_name_type},
    {"LINT_NAME_TWICE", "the house", "subject", LINT_NOTICE, ON_FOREIGN, 0, check_name_twice},
    {"LINT_NAME_EMAIL", "RFC 5280 4.1.2.6", "subject", LINT_NOTICE, ON_EVERY, 0, check_name_email},
    {"LINT_KEY_KIND", "RFC 5280 4.1.2.7", "key", LINT_NOTICE, ON_FOREIGN, 0, check_key_kind},
    {"LINT_KEY_EXPONENT", "BR 6.1.6", "key", LINT_WARNING, ON_FOREIGN, 0, check_key_exponent},
    {"LINT_KEY_WEAK", "BR 6.1.1.3", "key", E, ON_KEYED | ON_FIXED, 0, check_key_weak},
    {"LINT_KEY_POINT", "SP 800-56A 5.6.2.3", "key", E, ON_KEYED | ON_FOREIGN, 0, check_key_point},
    {"LINT_KU_CRITICAL", "RFC 5280 4.2.1.3", "keyUsage", LINT_WARNING, ON_FOREIGN, 0, check_ku_critical},
    {"LINT_CA_KU", "RFC 5280 4.2.1.3", "keyUsage", E, ON_READABLE | ON_FOREIGN | ON_CA, 0, check_ca_ku},
    {"LINT_KU_EC", "RFC 8813 3", "keyUsage", E, ON_READABLE | ON_KEYED, 0, check_ku_ec},
    {"LINT_KU_RSA", "RFC 3279 2.3.1", "keyUsage", LINT_WARNING, ON_READABLE | ON_KEYED, 0, check_ku_rsa},
    {"LINT_KU_ONLY", "RFC 5280 4.2.1.3", "keyUsage", LINT_WARNING, ON_READABLE, 0, check_ku_only},
    {.id = NULL},
};
