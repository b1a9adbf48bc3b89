/* Extensions beyond the common ones: their values, and where they may stand. */
#include <string.h>

#include "base/text.h"
#include "x509/ext_info.h"
#include "x509/lint_row.h"
#include "x509/name.h"
#include "x509/san_check.h"

/* --- the form of values; each NULL, or what is wanted --- */

/* RFC 5280 4.2.1.4: each policy once; qualifiers of any kind. */
static const char *policies(struct der value)
{
    struct der seq, info, oid, seen, other, qualifiers;

    if (der_whole(value, DER_SEQUENCE, &seq) != 0 || seq.len == 0)
        return "a sequence of one policy or more";
    for (seen = seq; seq.len;) {
        struct der before = DER_OF(seen.p, (size_t)(seq.p - seen.p));

        if (der_next(&seq, DER_SEQUENCE, &info) != 0 || der_next(&info, DER_OID, &oid) != 0 ||
            (info.len && (der_whole(info, DER_SEQUENCE, &qualifiers) != 0 || qualifiers.len == 0)))
            return "policies of an identifier and qualifiers";
        while (before.len) {
            if (der_next(&before, DER_SEQUENCE, &info) != 0 || der_next(&info, DER_OID, &other) != 0 ||
                der_equal(oid, other))
                return "each policy once";
        }
    }
    return NULL;
}

/* RFC 5280 4.2.2: AccessDescriptions. */
static const char *access_info(struct der value)
{
    struct der seq, one, oid, name;
    unsigned n;

    if (der_whole(value, DER_SEQUENCE, &seq) != 0 || seq.len == 0)
        return "a sequence of one place or more";
    while (seq.len) {
        if (der_next(&seq, DER_SEQUENCE, &one) != 0 || der_next(&one, DER_OID, &oid) != 0 ||
            lint_next_name(&one, &n, &name) != 0 || one.len || lint_general_name(n, name))
            return "places of a method and a name";
    }
    return NULL;
}

/* RFC 5280 4.2.1.13: a point is a name, or who signs the list; reasons alone are none. */
static const char *crl_point(struct der point)
{
    struct der name, full, reasons, issuer;
    int has = der_next_optional(&point, DER_CONTEXT_CONSTRUCTED(0), &name), by;

    if (has < 0 || der_next_optional(&point, DER_CONTEXT(1), &reasons) < 0)
        return "a point's name and reasons";
    by = der_next_optional(&point, DER_CONTEXT_CONSTRUCTED(2), &issuer);
    if (by < 0 || point.len || (by && (!issuer.len || lint_general_names(issuer))))
        return "a point's cRLIssuer";
    if (!has && !by)
        return "a point with a name or a cRLIssuer";
    if (!has || der_peek_tag(name) == DER_CONTEXT_CONSTRUCTED(1))
        return NULL; /* nameRelativeToCRLIssuer */
    return der_whole(name, DER_CONTEXT_CONSTRUCTED(0), &full) == 0 && full.len && !lint_general_names(full)
               ? NULL
               : "a point's fullName of one name or more";
}

static const char *crl_points(struct der value)
{
    const char *wrong = NULL;
    struct der seq, point;

    if (der_whole(value, DER_SEQUENCE, &seq) != 0 || seq.len == 0)
        return "a sequence of one point or more";
    while (seq.len && !wrong)
        wrong = der_next(&seq, DER_SEQUENCE, &point) == 0 ? crl_point(point) : "points";
    return wrong;
}

/* RFC 5280 4.2.1.10: address and mask; other names are parts of what they stand for. */
static const char *subtree(struct der one)
{
    unsigned n;
    struct der name;

    if (lint_next_name(&one, &n, &name) != 0)
        return "a name in each subtree";
    if (one.len)
        return "neither minimum nor maximum";
    if (n == 7)
        return name.len == 8 || name.len == 32 ? NULL : "an address with its mask, 8 or 32 octets";
    if (n == 4)
        return lint_general_name(n, name);
    return NULL;
}

static const char *subtrees(struct der in)
{
    const char *wrong = in.len ? NULL : "one subtree or more";
    struct der one;

    while (in.len && !wrong)
        wrong = der_next(&in, DER_SEQUENCE, &one) == 0 ? subtree(one) : "a sequence of subtrees";
    return wrong;
}

static const char *name_constraints(struct der value)
{
    struct der seq, permitted, excluded;
    const char *wrong = NULL;
    int has, out;

    if (der_whole(value, DER_SEQUENCE, &seq) != 0)
        return "a sequence";
    has = der_next_optional(&seq, DER_CONTEXT_CONSTRUCTED(0), &permitted);
    out = der_next_optional(&seq, DER_CONTEXT_CONSTRUCTED(1), &excluded);
    if (has < 0 || out < 0 || seq.len || (!has && !out))
        return "permitted or excluded subtrees, or both";
    if (has)
        wrong = subtrees(permitted);
    return wrong || !out ? wrong : subtrees(excluded);
}

/* RFC 5280 4.2.1.11: SkipCerts, content of an INTEGER. */
static bool is_count(struct der n)
{
    return n.len && n.len <= 4 && !(n.p[0] & 0x80);
}

static const char *policy_constraints(struct der value)
{
    struct der seq, explicit, mapping;
    int has, also;

    if (der_whole(value, DER_SEQUENCE, &seq) != 0)
        return "a sequence";
    has = der_next_optional(&seq, DER_CONTEXT(0), &explicit);
    also = der_next_optional(&seq, DER_CONTEXT(1), &mapping);
    if (has < 0 || also < 0 || seq.len || (!has && !also))
        return "requireExplicitPolicy or inhibitPolicyMapping, or both";
    return (!has || is_count(explicit)) && (!also || is_count(mapping)) ? NULL : "counts of certificates";
}

static const char *inhibit_any(struct der value)
{
    struct der n;

    return der_whole(value, DER_INTEGER, &n) == 0 && is_count(n) ? NULL : "a count of certificates";
}

static const char *tls_features(struct der value)
{
    unsigned v[16];
    size_t n;

    return ext_read_tls_features(value, v, sizeof(v) / sizeof(v[0]), &n) == 0
               ? NULL
               : "numbers of TLS extensions, each once";
}

static const char *null(struct der value)
{
    return ext_read_null(value) == 0 ? NULL : "NULL";
}

static const char *masa_url(struct der value)
{
    struct der url;

    return ext_read_masa_url(value, &url) == 0 ? NULL : "an IA5String with a URL";
}

static const char *issuer_alt_name(struct der value)
{
    struct der names;

    return der_whole(value, DER_SEQUENCE, &names) == 0 && names.len ? lint_general_names(names)
                                                                    : "a sequence of one name or more";
}

static bool check_value(struct lint *l, enum oid oid, const char *(*form)(struct der value))
{
    const char *want;
    struct der value;

    if (!lint_ext(l, oid, &value))
        return true;
    want = form(value);
    return !want || lint_have(l, "want %s, have something else", want);
}

static bool check_policies(struct lint *l)
{
    return check_value(l, OID_POLICIES, policies);
}

static bool check_aia(struct lint *l)
{
    return check_value(l, OID_AIA, access_info);
}

static bool check_sia(struct lint *l)
{
    return check_value(l, OID_SIA, access_info);
}

static bool check_crl_points(struct lint *l)
{
    return check_value(l, OID_CRL_DP, crl_points);
}

static bool check_nc_value(struct lint *l)
{
    return check_value(l, OID_NAME_CONSTRAINTS, name_constraints);
}

static bool check_pc_value(struct lint *l)
{
    return check_value(l, OID_POLICY_CONSTRAINTS, policy_constraints);
}

static bool check_inhibit_value(struct lint *l)
{
    return check_value(l, OID_INHIBIT_ANY_POLICY, inhibit_any);
}

static bool check_tls_feature(struct lint *l)
{
    return check_value(l, OID_TLS_FEATURE, tls_features);
}

static bool check_no_rev_value(struct lint *l)
{
    return check_value(l, OID_NO_REV_AVAIL, null);
}

static bool check_masa(struct lint *l)
{
    return check_value(l, OID_MASA_URL, masa_url);
}

static bool check_ian(struct lint *l)
{
    return check_value(l, OID_ISSUER_ALT_NAME, issuer_alt_name);
}

/* Those whose form is a row of its own, here or in lint_rfc5280.c. */
static bool has_own_row(struct der oid)
{
    static const enum oid own[] = {OID_BASIC_CONSTRAINTS, OID_KEY_USAGE, OID_EXT_KEY_USAGE, OID_SKI, OID_AKI,
        OID_SAN, OID_POLICIES, OID_AIA, OID_SIA, OID_CRL_DP, OID_NAME_CONSTRAINTS, OID_POLICY_CONSTRAINTS,
        OID_INHIBIT_ANY_POLICY, OID_TLS_FEATURE, OID_NO_REV_AVAIL, OID_MASA_URL, OID_ISSUER_ALT_NAME,
        OID_OCSP_NOCHECK};
    size_t i;

    for (i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (oid_is(oid, own[i]))
            return true;
    }
    return false;
}

static bool check_ext_der(struct lint *l)
{
    char name[OID_TEXT];
    size_t i;

    for (i = 0; i < l->t.n_exts; i++) {
        if (!has_own_row(l->t.exts[i].oid) && !der_is_canonical(l->t.exts[i].value, DER_MAX_DEPTH))
            return lint_have(
                l, "want one DER value in each, have something else in %s", oid_text(l->t.exts[i].oid, name));
    }
    return true;
}

/* --- where they may stand --- */

static bool check_ca_only(struct lint *l)
{
    static const enum oid of_cas[] = {OID_NAME_CONSTRAINTS, OID_POLICY_CONSTRAINTS, OID_INHIBIT_ANY_POLICY};
    size_t i;

    for (i = 0; i < sizeof(of_cas) / sizeof(of_cas[0]); i++) {
        if (tbs_ext(&l->t, of_cas[i]))
            return lint_have(l, "want %s only in a CA certificate, have it in another", oid_name(of_cas[i]));
    }
    return true;
}

static bool check_no_rev_ca(struct lint *l)
{
    return !tbs_ext(&l->t, OID_NO_REV_AVAIL) || lint_have(l, "want it in no CA certificate, have it");
}

/* Whether authorityInfoAccess names this method. */
static bool has_method(const struct lint *l, enum oid method)
{
    struct der value, seq, one, oid;

    if (!lint_ext(l, OID_AIA, &value) || der_whole(value, DER_SEQUENCE, &seq) != 0)
        return false;
    while (seq.len && der_next(&seq, DER_SEQUENCE, &one) == 0 && der_next(&one, DER_OID, &oid) == 0) {
        if (oid_is(oid, method))
            return true;
    }
    return false;
}

static bool check_no_rev_alone(struct lint *l)
{
    if (!tbs_ext(&l->t, OID_NO_REV_AVAIL) || (!tbs_ext(&l->t, OID_CRL_DP) && !has_method(l, OID_AD_OCSP)))
        return true;
    return lint_have(l, "want neither cRLDistributionPoints nor an OCSP responder beside it, have one");
}

/* Of a responder that should have ocsp-nocheck, other rows speak. */
static bool check_revocation(struct lint *l)
{
    bool responder = l->rules & RULES_OCSP || (l->q.profile && l->q.profile->ocsp_nocheck);
    static const enum oid any[] = {OID_CRL_DP, OID_NO_REV_AVAIL, OID_OCSP_NOCHECK};
    size_t i;

    for (i = 0; i < sizeof(any) / sizeof(any[0]); i++) {
        if (tbs_ext(&l->t, any[i]))
            return true;
    }
    return responder || l->t.version < 3 || has_method(l, OID_AD_OCSP) ||
           lint_have(l, "want a place to ask whether it is revoked, or noRevAvail, have neither");
}

/* Of PIV's own extension its rows say more. */
static bool is_known(const struct lint *l, struct der oid)
{
    return oid_find(oid) != OID_NONE || (l->rules & RULES_PIV && der_equal(oid, LINT_PIV_NACI));
}

static bool check_unknown_critical(struct lint *l)
{
    char name[OID_TEXT];
    size_t i;

    for (i = 0; i < l->t.n_exts; i++) {
        if (l->t.exts[i].critical && !is_known(l, l->t.exts[i].oid))
            return lint_have(l, "want those that others do not know not critical, have %s critical",
                oid_text(l->t.exts[i].oid, name));
    }
    return true;
}

#define ANY_EKU LINT_OID("\x55\x1d\x25\x00") /* 2.5.29.37.0 */

static bool check_any_eku(struct lint *l)
{
    const struct cert_ext *ext = tbs_ext(&l->t, OID_EXT_KEY_USAGE);

    return !ext || !ext->critical || !lint_has_eku(l, ANY_EKU) ||
           lint_have(l, "want it not critical with anyExtendedKeyUsage, have it critical");
}

/* --- names --- */

static bool check_san_form(struct lint *l)
{
    struct der names;
    const char *want = NULL;

    if (l->f.san.p && der_whole(l->f.san, DER_SEQUENCE, &names) == 0)
        want = lint_general_names(names);
    return !want || lint_have(l, "want %s, have something else", want);
}

/* What is well-formed and still no host name: RFC 1034 3.5, RFC 9525 6.3. */
static bool check_san_dns(struct lint *l)
{
    struct der names, c;
    const char *want = NULL;
    unsigned n;

    if (!l->f.san.p || der_whole(l->f.san, DER_SEQUENCE, &names) != 0)
        return true;
    while (names.len && !want && lint_next_name(&names, &n, &c) == 0) {
        if (n == 2 && !lint_general_name(n, c))
            want = san_check_dns((const char *)c.p, c.len);
    }
    return !want || lint_have(l, "dNSName: want %s, have something else", want);
}

/* Microsoft's requirement; GSA: one person. */
static bool check_upn(struct lint *l)
{
    struct der value, text;
    size_t n = lint_other_names(l, OID_UPN, &value);
    const char *want;

    if (n == 0)
        return true;
    if (n > 1)
        return lint_have(l, "want one userPrincipalName, have %zu", n);
    if (der_whole(value, DER_UTF8_STRING, &text) != 0)
        return lint_have(l, "want a UTF8String, have another type");
    want = san_check_upn((const char *)text.p, text.len);
    return !want || lint_have(l, "want %s, have something else", want);
}

/* RFC 4108 5 */
static bool check_hw(struct lint *l)
{
    struct der value, seq, type, serial;

    if (lint_other_names(l, OID_HARDWARE_MODULE_NAME, &value) == 0)
        return true;
    return (der_whole(value, DER_SEQUENCE, &seq) == 0 && der_next(&seq, DER_OID, &type) == 0 &&
               der_whole(seq, DER_OCTET_STRING, &serial) == 0 && serial.len) ||
           lint_have(l, "want hwType and an OCTET STRING hwSerialNum, have something else");
}

#define THEIRS (ON_READABLE | ON_FOREIGN)

const struct lint_rule lint_rows_ext[] = {
    {"LINT_EXT_DER", "RFC 5280 4.2", "extensions", LINT_ERROR, ON_FIXED, 0, check_ext_der},
    {"LINT_POLICIES", "RFC 5280 4.2.1.4", "certificatePolicies", LINT_ERROR, ON_EVERY, 0, check_policies},
    {"LINT_AIA", "RFC 5280 4.2.2.1", "authorityInfoAccess", LINT_ERROR, ON_EVERY, 0, check_aia},
    {"LINT_SIA", "RFC 5280 4.2.2.2", "subjectInfoAccess", LINT_ERROR, ON_EVERY, 0, check_sia},
    {"LINT_CRL_DP_VALUE", "RFC 5280 4.2.1.13", "cRLDistributionPoints", LINT_ERROR, ON_FOREIGN, 0,
        check_crl_points},
    {"LINT_NC_VALUE", "RFC 5280 4.2.1.10", "nameConstraints", LINT_ERROR, ON_FIXED, 0, check_nc_value},
    {"LINT_PC_VALUE", "RFC 5280 4.2.1.11", "policyConstraints", LINT_ERROR, ON_FIXED, 0, check_pc_value},
    {"LINT_INHIBIT_VALUE", "RFC 5280 4.2.1.14", "inhibitAnyPolicy", LINT_ERROR, ON_FIXED, 0,
        check_inhibit_value},
    {"LINT_IAN", "RFC 5280 4.2.1.7", "issuerAltName", LINT_ERROR, ON_EVERY, 0, check_ian},
    {"LINT_TLS_FEATURE", "RFC 7633 4.1", "TLS feature", LINT_ERROR, ON_EVERY, 0, check_tls_feature},
    {"LINT_NO_REV_VALUE", "RFC 9608 2", "noRevAvail", LINT_ERROR, ON_EVERY, 0, check_no_rev_value},
    {"LINT_MASA", "RFC 8995 2.3.2", "masaURL", LINT_ERROR, ON_EVERY, 0, check_masa},
    {"LINT_CA_ONLY", "RFC 5280 4.2.1.10", "extensions", LINT_ERROR, ON_LEAF | ON_FIXED, 0, check_ca_only},
    {"LINT_NO_REV_CA", "RFC 9608 3", "noRevAvail", LINT_ERROR, ON_CA, 0, check_no_rev_ca},
    {"LINT_NO_REV_ALONE", "RFC 9608 3", "noRevAvail", LINT_ERROR, ON_LEAF, 0, check_no_rev_alone},
    {"LINT_REVOCATION", "RFC 5280 4.2.1.13", "cRLDistributionPoints", LINT_NOTICE, ON_LEAF, 0,
        check_revocation},
    {"LINT_UNKNOWN_CRITICAL", "RFC 5280 4.2", "extensions", LINT_WARNING, ON_EVERY, 0,
        check_unknown_critical},
    {"LINT_EKU_ANY", "RFC 5280 4.2.1.12", "extKeyUsage", LINT_WARNING, ON_READABLE, 0, check_any_eku},
    {"LINT_SAN_FORM", "RFC 5280 4.2.1.6", "subjectAltName", LINT_ERROR, THEIRS, 0, check_san_form},
    {"LINT_SAN_DNS", "RFC 1034 3.5", "subjectAltName", LINT_ERROR, THEIRS, 0, check_san_dns},
    {"LINT_UPN", "Microsoft, smart card logon", "subjectAltName", LINT_ERROR, THEIRS, 0, check_upn},
    {"LINT_HW", "RFC 4108 5", "subjectAltName", LINT_ERROR, THEIRS, 0, check_hw},
    {.id = NULL},
};
