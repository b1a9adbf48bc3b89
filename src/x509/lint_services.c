/* Services and people: SPIFFE X509-SVID, delegated OCSP responders (RFC 6960), PIV cards (FIPS 201). */
#include <string.h>

#include "base/text.h"
#include "x509/fascn.h"
#include "x509/lint_row.h"
#include "x509/name.h"
#include "x509/san_check.h"

#define URI 6 /* GeneralName */

/* --- SPIFFE --- */

static bool starts(struct der text, const char *with)
{
    size_t len = strlen(with);

    return text.len >= len && memcmp(text.p, with, len) == 0;
}

/* The one SPIFFE ID; false: there is none, or the rows about that have something to say. */
static bool spiffe_id(const struct lint *l, struct der *ret)
{
    return lint_sans(l, URI, ret) == 1 && starts(*ret, "spiffe://") &&
           !san_check_spiffe((const char *)ret->p, ret->len);
}

/* Behind spiffe://, up to the path. */
static struct der trust_domain(struct der id)
{
    struct der rest = DER_OF(id.p + 9, id.len - 9);
    const uint8_t *slash = memchr(rest.p, '/', rest.len);

    return slash ? DER_OF(rest.p, (size_t)(slash - rest.p)) : rest;
}

static bool has_path(struct der id)
{
    return trust_domain(id).len + 9 < id.len;
}

static bool check_spiffe_one(struct lint *l)
{
    struct der uri;
    size_t n = lint_sans(l, URI, &uri);

    return n == 1 || lint_have(l, "want exactly one URI, have %zu", n);
}

static bool check_spiffe_ca_one(struct lint *l)
{
    struct der uri;
    size_t n = lint_sans(l, URI, &uri);

    return n <= 1 || lint_have(l, "want at most one URI, have %zu", n);
}

static bool check_spiffe_id(struct lint *l)
{
    struct der uri;
    const char *want;

    if (lint_sans(l, URI, &uri) != 1)
        return true;
    if (!starts(uri, "spiffe://"))
        return lint_have(l, "want a URI that begins with spiffe://, have another");
    want = san_check_spiffe((const char *)uri.p, uri.len);
    return !want || lint_have(l, "want %s, have something else", want);
}

static bool check_spiffe_path(struct lint *l)
{
    struct der id;

    return !spiffe_id(l, &id) || has_path(id) || lint_have(l, "want a path, have a trust domain alone");
}

static bool check_spiffe_ca_path(struct lint *l)
{
    struct der id;

    return !spiffe_id(l, &id) || !has_path(id) || lint_have(l, "want a trust domain alone, have a path");
}

/* What an issuer's certificate says of its trust domain. */
static bool issuer_domain(const struct issuer *issuer, struct der *ret)
{
    struct lint above = {.tbs = {NULL, 0}};
    struct der cert = der_buf(&issuer->cert), seq;
    struct p11ca_err why;

    if (der_whole(cert, DER_SEQUENCE, &seq) != 0 || der_next_tlv(&seq, DER_SEQUENCE, &above.tbs) != 0 ||
        tbs_read(above.tbs, &above.t, &why) != 0 || tbs_facts(&above.t, &above.f, &why) != 0 ||
        !spiffe_id(&above, ret))
        return false;
    *ret = trust_domain(*ret);
    return true;
}

static bool check_spiffe_domain(struct lint *l)
{
    struct der id, above;

    return !spiffe_id(l, &id) || !issuer_domain(l->q.issuer, &above) || der_equal(trust_domain(id), above) ||
           lint_have(l, "want the trust domain of the issuer, have another");
}

static bool check_spiffe_ku(struct lint *l)
{
    const struct cert_ext *ext = tbs_ext(&l->t, OID_KEY_USAGE);

    return (ext && ext->critical) || lint_have(l, "want it, critical, have %s", ext ? "it not so" : "none");
}

static bool check_spiffe_signature(struct lint *l)
{
    return !l->f.has_ku || l->f.key_usage & USAGE_DIGITAL_SIGNATURE ||
           lint_have(l, "want digitalSignature, have it not");
}

/* keyCertSign without cA is a rule for all. */
static bool check_spiffe_crl_sign(struct lint *l)
{
    return !(l->f.key_usage & USAGE_CRL_SIGN) || lint_have(l, "want no cRLSign in a leaf, have it");
}

static bool check_spiffe_eku(struct lint *l)
{
    return l->f.has_eku || lint_have(l, "want serverAuth and clientAuth, have none");
}

static bool check_spiffe_eku_both(struct lint *l)
{
    unsigned both = EKU_SERVER | EKU_CLIENT;
    char found[EXT_TEXT];

    return !l->f.has_eku || (l->f.eku & both) == both ||
           lint_have(l, "want serverAuth and clientAuth, have %s", ext_eku_text(l->f.eku, found));
}

/* --- OCSP responders --- */

static bool check_ocsp_eku(struct lint *l)
{
    return l->f.eku & EKU_OCSP_SIGNING || lint_have(l, "want OCSPSigning, have it not");
}

static bool check_ocsp_eku_alone(struct lint *l)
{
    return !(l->f.eku & EKU_OCSP_SIGNING) || l->f.eku == EKU_OCSP_SIGNING ||
           lint_have(l, "want OCSPSigning alone, have others beside it");
}

static bool check_ocsp_ku(struct lint *l)
{
    char found[EXT_TEXT];

    return l->f.key_usage == USAGE_DIGITAL_SIGNATURE ||
           lint_have(
               l, "want digitalSignature and nothing else, have %s", ext_ku_text(l->f.key_usage, found));
}

static bool check_ocsp_bc(struct lint *l)
{
    const struct cert_ext *ext = tbs_ext(&l->t, OID_BASIC_CONSTRAINTS);

    return !ext || ext->critical || lint_have(l, "want it critical, have it not");
}

static bool check_ocsp_ca(struct lint *l)
{
    return lint_have(l, "want an end entity, have a CA");
}

static bool absent(struct lint *l, enum oid oid)
{
    return !tbs_ext(&l->t, oid) || lint_have(l, "want none in a responder's certificate, have it");
}

static bool check_ocsp_san(struct lint *l)
{
    return absent(l, OID_SAN);
}

static bool check_ocsp_crl_dp(struct lint *l)
{
    return absent(l, OID_CRL_DP);
}

static bool check_ocsp_aia(struct lint *l)
{
    return absent(l, OID_AIA);
}

static bool check_ocsp_policies(struct lint *l)
{
    return absent(l, OID_POLICIES);
}

#define OCSP_DAYS 397

static bool check_ocsp_days(struct lint *l)
{
    return !tbs_ext(&l->t, OID_OCSP_NOCHECK) || lint_days(l) <= OCSP_DAYS ||
           lint_have(l, "want at most %d days of what nobody can revoke, have %lld", OCSP_DAYS,
               (long long)lint_days(l));
}

/* --- PIV --- */

#define EKU_CARD_AUTH    LINT_OID("\x60\x86\x48\x01\x65\x03\x06\x08")         /* 2.16.840.1.101.3.6.8 */
#define EKU_CONTENT      LINT_OID("\x60\x86\x48\x01\x65\x03\x06\x07")         /* 2.16.840.1.101.3.6.7 */
#define EKU_LOGON        LINT_OID("\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x02") /* 1.3.6.1.4.1.311.20.2.2 */
#define EKU_PKINIT       LINT_OID("\x2b\x06\x01\x05\x02\x03\x04")             /* 1.3.6.1.5.2.3.4 */
#define POLICY_AUTH      LINT_OID("\x60\x86\x48\x01\x65\x03\x02\x01\x03\x0d") /* 2.16.840.1.101.3.2.1.3.13 */
#define POLICY_CARD_AUTH LINT_OID("\x60\x86\x48\x01\x65\x03\x02\x01\x03\x11") /* 2.16.840.1.101.3.2.1.3.17 */

/* Of the card, not of its holder. */
static bool is_card(const struct lint *l)
{
    return lint_has_eku(l, EKU_CARD_AUTH);
}

static bool check_piv_subject(struct lint *l)
{
    return is_card(l) || !name_is_empty(l->t.subject) || !l->f.san.p ||
           lint_have(l, "want the person's name, have none");
}

static bool check_piv_fascn(struct lint *l)
{
    struct der value;
    size_t n = lint_other_names(l, OID_FASCN, &value);

    return n == 1 || lint_have(l, "want one FASC-N, have %zu", n);
}

static bool check_piv_fascn_form(struct lint *l)
{
    struct der value, octets;
    char text[FASCN_TEXT];
    const char *want;

    if (lint_other_names(l, OID_FASCN, &value) != 1)
        return true;
    if (der_whole(value, DER_OCTET_STRING, &octets) != 0)
        return lint_have(l, "FASC-N: want an OCTET STRING, have another type");
    want = fascn_to_text(octets.p, octets.len, text);
    return !want || lint_have(l, "FASC-N: want %s, have something else", want);
}

/* Number of urn:uuid: names, and the first one's text behind the scheme. */
static size_t uuids(const struct lint *l, struct der *ret)
{
    struct der names, c;
    unsigned kind;
    size_t n = 0;

    if (!l->f.san.p || der_whole(l->f.san, DER_SEQUENCE, &names) != 0)
        return 0;
    while (names.len && lint_next_name(&names, &kind, &c) == 0) {
        if (kind != URI || !starts(c, "urn:uuid:"))
            continue;
        *ret = DER_OF(c.p + 9, c.len - 9);
        n++;
    }
    return n;
}

static bool check_piv_uuid(struct lint *l)
{
    struct der uuid;
    size_t n = uuids(l, &uuid);

    return n == 1 || lint_have(l, "want one URI urn:uuid:, have %zu", n);
}

static bool check_piv_uuid_form(struct lint *l)
{
    struct der uuid;
    const char *want = uuids(l, &uuid) == 1 ? san_check_uuid((const char *)uuid.p, uuid.len) : NULL;

    return !want || lint_have(l, "urn:uuid: want %s, have something else", want);
}

static bool check_piv_upn(struct lint *l)
{
    struct der value;

    return !is_card(l) || lint_other_names(l, OID_UPN, &value) == 0 ||
           lint_have(l, "want no userPrincipalName of a card, have one");
}

static bool check_piv_ku(struct lint *l)
{
    char found[EXT_TEXT];

    return l->f.key_usage == USAGE_DIGITAL_SIGNATURE ||
           lint_have(
               l, "want digitalSignature and nothing else, have %s", ext_ku_text(l->f.key_usage, found));
}

static bool check_piv_content(struct lint *l)
{
    return !lint_has_eku(l, EKU_CONTENT) || lint_have(l, "want no content signing, have it");
}

static bool check_piv_eku(struct lint *l)
{
    return is_card(l) ||
           (l->f.eku & EKU_CLIENT && lint_has_eku(l, EKU_LOGON) && lint_has_eku(l, EKU_PKINIT)) ||
           lint_have(l, "want clientAuth, smart card logon and PKINIT, have not all of them");
}

static bool check_piv_eku_card(struct lint *l)
{
    const struct cert_ext *ext = tbs_ext(&l->t, OID_EXT_KEY_USAGE);

    return !is_card(l) || (ext && ext->critical) ||
           lint_have(l, "want it critical with id-PIV-cardAuth, have it not");
}

static bool check_piv_policy(struct lint *l)
{
    return lint_has_policy(l, is_card(l) ? POLICY_CARD_AUTH : POLICY_AUTH) ||
           lint_have(l, "want %s, have it not",
               is_card(l) ? "id-fpki-common-cardAuth" : "id-fpki-common-authentication");
}

static const struct cert_ext *naci(const struct lint *l)
{
    size_t i;

    for (i = 0; i < l->t.n_exts; i++) {
        if (der_equal(l->t.exts[i].oid, LINT_PIV_NACI))
            return &l->t.exts[i];
    }
    return NULL;
}

static bool check_piv_naci(struct lint *l)
{
    const struct cert_ext *ext = naci(l);
    struct der flag;

    if (!ext)
        return true;
    if (ext->critical)
        return lint_have(l, "want it not critical, have it critical");
    return (der_whole(ext->value, DER_BOOLEAN, &flag) == 0 && flag.len == 1) ||
           lint_have(l, "want a BOOLEAN, have something else");
}

static bool check_piv_naci_old(struct lint *l)
{
    const struct cert_ext *ext = naci(l);

    return !ext || !check_piv_naci(l) || lint_have(l, "want none, which is deprecated, have it");
}

#define S    RULES_SPIFFE
#define O    RULES_OCSP
#define P    RULES_PIV
#define LEAF (ON_READABLE | ON_LEAF)
#define CA   (ON_READABLE | ON_CA)
#define E    LINT_ERROR
#define W    LINT_WARNING
#define N    LINT_NOTICE

const struct lint_rule lint_rows_services[] = {
    {"LINT_SPIFFE_ONE", "X509-SVID 5.2", "subjectAltName", E, LEAF, S, check_spiffe_one},
    {"LINT_SPIFFE_CA_ONE", "X509-SVID 3", "subjectAltName", E, CA, S, check_spiffe_ca_one},
    {"LINT_SPIFFE_ID", "SPIFFE-ID 2", "subjectAltName", E, ON_READABLE, S, check_spiffe_id},
    {"LINT_SPIFFE_PATH", "X509-SVID 5.2", "subjectAltName", E, LEAF, S, check_spiffe_path},
    {"LINT_SPIFFE_CA_PATH", "X509-SVID 3.2", "subjectAltName", E, CA, S, check_spiffe_ca_path},
    {"LINT_SPIFFE_DOMAIN", "X509-SVID 3.2", "subjectAltName", W, ON_READABLE | ON_BELOW, S,
        check_spiffe_domain},
    {"LINT_SPIFFE_KU", "X509-SVID 4.3", "keyUsage", E, LEAF, S, check_spiffe_ku},
    {"LINT_SPIFFE_SIGNATURE", "X509-SVID 4.3", "keyUsage", E, LEAF, S, check_spiffe_signature},
    {"LINT_SPIFFE_CRL_SIGN", "X509-SVID 5.2", "keyUsage", E, LEAF, S, check_spiffe_crl_sign},
    {"LINT_SPIFFE_EKU", "X509-SVID 4.4", "extKeyUsage", W, LEAF, S, check_spiffe_eku},
    {"LINT_SPIFFE_EKU_BOTH", "X509-SVID 4.4", "extKeyUsage", E, LEAF, S, check_spiffe_eku_both},
    {"LINT_OCSP_CA", "BR 7.1.2.8.4", "basicConstraints", E, CA, O, check_ocsp_ca},
    {"LINT_OCSP_BC", "BR 7.1.2.8.4", "basicConstraints", E, LEAF | ON_FOREIGN, O, check_ocsp_bc},
    {"LINT_OCSP_EKU", "RFC 6960 4.2.2.2", "extKeyUsage", E, LEAF, O, check_ocsp_eku},
    {"LINT_OCSP_EKU_ALONE", "BR 7.1.2.8.5", "extKeyUsage", E, LEAF, O, check_ocsp_eku_alone},
    {"LINT_OCSP_KU", "BR 7.1.2.8.7", "keyUsage", E, LEAF, O, check_ocsp_ku},
    {"LINT_OCSP_SAN", "BR 7.1.2.8.2", "subjectAltName", E, LEAF, O, check_ocsp_san},
    {"LINT_OCSP_CRL_DP", "BR 7.1.2.8.2", "cRLDistributionPoints", E, LEAF, O, check_ocsp_crl_dp},
    {"LINT_OCSP_AIA", "BR 7.1.2.8.2", "authorityInfoAccess", W, LEAF, O, check_ocsp_aia},
    {"LINT_OCSP_POLICIES", "BR 7.1.2.8.2", "certificatePolicies", W, LEAF, O, check_ocsp_policies},
    {"LINT_OCSP_DAYS", "RFC 6960 4.2.2.2.1", "validity", LINT_NOTICE, LEAF, O, check_ocsp_days},
    {"LINT_PIV_SUBJECT", "FIPS 201-3 4.2.2.1", "subject", E, LEAF, P, check_piv_subject},
    {"LINT_PIV_FASCN", "FIPS 201-3 4.2.2.1", "subjectAltName", E, LEAF, P, check_piv_fascn},
    {"LINT_PIV_FASCN_FORM", "FIPS 201-3 4.2.1", "subjectAltName", E, LEAF, P, check_piv_fascn_form},
    {"LINT_PIV_UUID", "FIPS 201-3 4.2.2.1", "subjectAltName", E, LEAF, P, check_piv_uuid},
    {"LINT_PIV_UUID_FORM", "RFC 9562 4", "subjectAltName", E, LEAF, P, check_piv_uuid_form},
    {"LINT_PIV_UPN", "FIPS 201-3 4.2.2.2", "subjectAltName", E, LEAF, P, check_piv_upn},
    {"LINT_PIV_KU", "FIPS 201-3 4.2.2.1", "keyUsage", E, LEAF, P, check_piv_ku},
    {"LINT_PIV_CONTENT", "FIPS 201-3 4.2.2.1", "extKeyUsage", E, LEAF, P, check_piv_content},
    {"LINT_PIV_EKU", "FIPS 201-3 4.2.2.1", "extKeyUsage", W, LEAF, P, check_piv_eku},
    {"LINT_PIV_EKU_CARD", "FIPS 201-3 4.2.2.2", "extKeyUsage", E, LEAF, P, check_piv_eku_card},
    {"LINT_PIV_POLICY", "FIPS 201-3 4.2.2.1", "certificatePolicies", W, LEAF, P, check_piv_policy},
    {"LINT_PIV_NACI", "FIPS 201-3 B.2", "PIV interim", E, LEAF, P, check_piv_naci},
    {"LINT_PIV_NACI_OLD", "FIPS 201-3 B.2", "PIV interim", N, LEAF, P, check_piv_naci_old},
    {.id = NULL},
};
