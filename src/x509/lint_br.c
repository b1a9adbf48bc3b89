/* CA/Browser Forum, Baseline Requirements for TLS server certificates: the CA's profile and the subscriber's. */
#include <string.h>

#include "base/text.h"
#include "x509/lint_row.h"
#include "x509/name.h"

/* --- extended key usages and policies that only these rules know --- */

#define EKU_CODE_SIGNING LINT_OID("\x2b\x06\x01\x05\x05\x07\x03\x03") /* 1.3.6.1.5.5.7.3.3 */
#define EKU_EMAIL        LINT_OID("\x2b\x06\x01\x05\x05\x07\x03\x04") /* 1.3.6.1.5.5.7.3.4 */
#define EKU_TIME_STAMP   LINT_OID("\x2b\x06\x01\x05\x05\x07\x03\x08") /* 1.3.6.1.5.5.7.3.8 */
#define EKU_ANY          LINT_OID("\x55\x1d\x25\x00")                 /* 2.5.29.37.0 */
#define POLICY_DV        LINT_OID("\x67\x81\x0c\x01\x02\x01")         /* 2.23.140.1.2.1 */

/* --- all --- */

static bool check_serial(struct lint *l)
{
    return l->t.serial.len == 0 || l->t.serial.len >= SERIAL_MIN ||
           lint_have(l, "want %d octets or more (64 random bits), have %zu", SERIAL_MIN, l->t.serial.len);
}

static bool check_key(struct lint *l)
{
    return l->spki_ok ||
           (strcmp(l->spki_why.code, "KEY_TYPE") != 0 && strcmp(l->spki_why.code, "KEY_CURVE") != 0) ||
           lint_have(l, "want RSA, P-256, P-384 or P-521, have another kind");
}

static bool check_ou(struct lint *l)
{
    struct der value;

    return lint_attrs(l->t.subject, OID_UNIT, &value) == 0 || lint_have(l, "want no OU, have one");
}

/* 7.1.2.11.1: keyIdentifier alone. */
static bool check_aki_alone(struct lint *l)
{
    struct der value, seq, id;

    if (!lint_ext(l, OID_AKI, &value) || l->f.aki.len == 0)
        return true;
    return (der_whole(value, DER_SEQUENCE, &seq) == 0 && der_whole(seq, DER_CONTEXT(0), &id) == 0) ||
           lint_have(l, "want keyIdentifier alone, have issuer and serial beside it");
}

static bool check_critical(struct lint *l)
{
    static const enum oid never[] = {OID_EXT_KEY_USAGE, OID_POLICIES, OID_CRL_DP};
    size_t i;

    for (i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        const struct cert_ext *ext = tbs_ext(&l->t, never[i]);

        if (ext && ext->critical)
            return lint_have(l, "want %s not critical, have it critical", oid_name(never[i]));
    }
    return true;
}

/* 7.1.2.11.2: one point, one http URI, neither reasons nor cRLIssuer. */
static bool check_crl_dp(struct lint *l)
{
    struct der value, uri;

    if (!lint_ext(l, OID_CRL_DP, &value))
        return true;
    if (ext_read_crl_dp(value, &uri) != 0)
        return lint_have(l, "want one point with one URI, have something else");
    return (uri.len > 7 && memcmp(uri.p, "http://", 7) == 0) ||
           lint_have(l, "want an http URI, have another");
}

/* --- CAs --- */

static bool check_ca_subject(struct lint *l)
{
    static const enum oid must[] = {OID_COUNTRY, OID_ORGANIZATION, OID_CN};
    struct der value;
    size_t i;

    for (i = 0; i < sizeof(must) / sizeof(must[0]); i++) {
        if (!name_is_empty(l->t.subject) && lint_attrs(l->t.subject, must[i], &value) == 0)
            return lint_have(l, "want C, O and CN, have no %s", oid_name(must[i]));
    }
    return true;
}

static bool check_ca_crl_sign(struct lint *l)
{
    return !l->f.has_ku || l->f.key_usage & USAGE_CRL_SIGN || lint_have(l, "want cRLSign, have none");
}

static bool check_ca_ku(struct lint *l)
{
    unsigned other =
        l->f.key_usage & ~(unsigned)(USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN | USAGE_DIGITAL_SIGNATURE);
    char found[EXT_TEXT];

    return !other || lint_have(l, "want keyCertSign, cRLSign and at most digitalSignature, have %s",
                         ext_ku_text(other, found));
}

static bool check_root_eku(struct lint *l)
{
    return !l->f.has_eku || lint_have(l, "want none in a root, have it");
}

static bool check_root_policies(struct lint *l)
{
    return !tbs_ext(&l->t, OID_POLICIES) || lint_have(l, "want none in a root, have it");
}

static bool check_root_crl_dp(struct lint *l)
{
    return !tbs_ext(&l->t, OID_CRL_DP) || lint_have(l, "want none in a root, have it");
}

static bool check_sub_crl_dp(struct lint *l)
{
    return tbs_ext(&l->t, OID_CRL_DP) || lint_have(l, "want it in a subordinate CA, have none");
}

static bool check_sub_policies(struct lint *l)
{
    return tbs_ext(&l->t, OID_POLICIES) || lint_have(l, "want it in a subordinate CA, have none");
}

static bool check_sub_aia(struct lint *l)
{
    return tbs_ext(&l->t, OID_AIA) || lint_have(l, "want it in a subordinate CA, have none");
}

/* A cross-certificate within one organisation may be without (7.1.2.2.4). */
static bool check_sub_eku(struct lint *l)
{
    if (l->q.profile && l->q.profile->cross && !l->f.has_eku)
        return true;
    return l->f.eku & EKU_SERVER || lint_have(l, "want serverAuth in a CA of TLS servers, have it not");
}

static bool check_sub_eku_set(struct lint *l)
{
    const struct {
        struct der oid;
        const char *name;
    } never[] = {{EKU_CODE_SIGNING, "codeSigning"}, {EKU_EMAIL, "emailProtection"},
        {EKU_TIME_STAMP, "timeStamping"}, {oid_der(OID_EKU_OCSP_SIGNING), "OCSPSigning"},
        {EKU_ANY, "anyExtendedKeyUsage"}};
    size_t i;

    for (i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        if (lint_has_eku(l, never[i].oid))
            return lint_have(l, "want serverAuth and clientAuth, have %s", never[i].name);
    }
    return true;
}

/* --- subscribers; a responder of RFC 6960 is none --- */

static bool is_subscriber(const struct lint *l)
{
    return !(l->f.eku & EKU_OCSP_SIGNING);
}

/* 6.3.2, by notBefore: a certificate of yesterday keeps yesterday's length. */
static bool check_lifetime(struct lint *l)
{
    static const struct {
        int64_t from;
        int days;
    } steps[] = {
        {INT64_C(1868227200), 47},  /* 2029-03-15 */
        {INT64_C(1805068800), 100}, /* 2027-03-15 */
        {INT64_C(1773532800), 200}, /* 2026-03-15 */
        {INT64_C(1598918400), 398}, /* 2020-09-01 */
        {INT64_MIN, 825},
    };
    int64_t days = lint_days(l);
    size_t i = 0;

    while (l->t.not_before < steps[i].from)
        i++;
    return !is_subscriber(l) || days <= steps[i].days ||
           lint_have(l, "want at most %d days, have %lld", steps[i].days, (long long)days);
}

static bool check_dv_subject(struct lint *l)
{
    static const enum oid known[] = {OID_ORGANIZATION, OID_LOCALITY, OID_STATE, OID_STREET, OID_POSTAL_CODE,
        OID_SURNAME, OID_GIVEN_NAME, OID_SERIAL_NUMBER, OID_EMAIL_ADDRESS, OID_TITLE, OID_ORGANIZATION_ID};
    struct der value;
    size_t i;

    for (i = 0; lint_has_policy(l, POLICY_DV) && i < sizeof(known) / sizeof(known[0]); i++) {
        if (lint_attrs(l->t.subject, known[i], &value))
            return lint_have(l, "want C and CN with domain validation, have %s", oid_name(known[i]));
    }
    return true;
}

static bool is_host(struct der text, unsigned kind, struct der name)
{
    char shown[64] = "";

    if (kind == 2)
        return text.len == name.len && strncasecmp((const char *)text.p, (const char *)name.p, name.len) == 0;
    if (kind == 7 && name.len == 4) {
        snprintf(shown, sizeof(shown), "%u.%u.%u.%u", name.p[0], name.p[1], name.p[2], name.p[3]);
        return der_equal(text, DER_OF((const uint8_t *)shown, strlen(shown)));
    }
    return kind == 7; /* an IPv6 address has more than one text */
}

/* Whether the CN is one of the names; there is none: false, and *ret_has as well. */
static bool cn_is_name(const struct lint *l, bool *ret_has)
{
    struct der value, text, names, name;
    unsigned kind;
    uint8_t tag;

    *ret_has = lint_attrs(l->t.subject, OID_CN, &value) && der_next_tag(&value, &tag, &text) == 0;
    if (!*ret_has || !l->f.san.p || der_whole(l->f.san, DER_SEQUENCE, &names) != 0)
        return false;
    while (names.len && lint_next_name(&names, &kind, &name) == 0) {
        if (is_host(text, kind, name))
            return true;
    }
    return false;
}

static bool check_cn(struct lint *l)
{
    bool has;

    if (!is_subscriber(l) || cn_is_name(l, &has) || !has)
        return true;
    return lint_have(l, "want a CN that is one of the alternative names, have another");
}

static bool check_cn_here(struct lint *l)
{
    bool has;

    return !is_subscriber(l) || !cn_is_name(l, &has) || lint_have(l, "want no CN, have one");
}

static bool present(struct lint *l, enum oid oid)
{
    return !is_subscriber(l) || tbs_ext(&l->t, oid) || lint_have(l, "want it, have none");
}

static bool check_aia(struct lint *l)
{
    return present(l, OID_AIA);
}

static bool check_policies(struct lint *l)
{
    return present(l, OID_POLICIES);
}

static bool check_san(struct lint *l)
{
    return present(l, OID_SAN);
}

static bool check_ku(struct lint *l)
{
    return present(l, OID_KEY_USAGE);
}

static bool check_ski(struct lint *l)
{
    return !is_subscriber(l) || !tbs_ext(&l->t, OID_SKI) ||
           lint_have(l, "want none in a subscriber's, have it");
}

static bool check_eku(struct lint *l)
{
    return !is_subscriber(l) || l->f.eku & EKU_SERVER || lint_have(l, "want serverAuth, have it not");
}

static bool check_eku_set(struct lint *l)
{
    return !is_subscriber(l) || !(l->f.eku & ~(unsigned)(EKU_SERVER | EKU_CLIENT)) ||
           lint_have(l, "want serverAuth and clientAuth, have others");
}

static bool check_bc(struct lint *l)
{
    const struct cert_ext *ext = tbs_ext(&l->t, OID_BASIC_CONSTRAINTS);

    return !ext || ext->critical || lint_have(l, "want it critical, have it not");
}

static bool check_ku_ec(struct lint *l)
{
    return !l->f.has_ku || l->spki.kind == KEY_RSA || l->f.key_usage & USAGE_DIGITAL_SIGNATURE ||
           lint_have(l, "want digitalSignature with an EC key, have it not");
}

static bool check_ku_agree(struct lint *l)
{
    return l->spki.kind == KEY_RSA || !(l->f.key_usage & USAGE_KEY_AGREEMENT) ||
           !(l->f.key_usage & USAGE_DIGITAL_SIGNATURE) || lint_have(l, "want no keyAgreement, have it");
}

static bool check_ku_rsa(struct lint *l)
{
    return !l->f.has_ku || l->spki.kind != KEY_RSA || l->f.key_usage & USAGE_DIGITAL_SIGNATURE ||
           lint_have(l, "want digitalSignature with an RSA key, have it not");
}

static bool check_ku_data(struct lint *l)
{
    return l->spki.kind != KEY_RSA || !(l->f.key_usage & USAGE_DATA_ENCIPHERMENT) ||
           lint_have(l, "want no dataEncipherment, have it");
}

static bool check_ku_set(struct lint *l)
{
    unsigned other = l->f.key_usage & (USAGE_NON_REPUDIATION | USAGE_CRL_SIGN);
    char found[EXT_TEXT];

    return !is_subscriber(l) || !other ||
           lint_have(l, "want none but those of TLS servers, have %s", ext_ku_text(other, found));
}

/* --- a subscriber's names --- */

static bool check_san_kind(struct lint *l)
{
    struct der names, c;
    unsigned kind;

    if (!is_subscriber(l) || !l->f.san.p || der_whole(l->f.san, DER_SEQUENCE, &names) != 0)
        return true;
    while (names.len && lint_next_name(&names, &kind, &c) == 0) {
        if (kind != 2 && kind != 7)
            return lint_have(l, "want DNS names and addresses, have another kind");
    }
    return true;
}

/* RFC 6761 and 6762, IANA's root zone: nobody owns a name below these, or without a dot. */
static bool is_internal(struct der host)
{
    static const char *const tops[] = {"local", "localhost", "localdomain", "internal", "intranet", "lan",
        "home", "corp", "test", "example", "invalid", "onion"};
    const uint8_t *dot = memrchr(host.p, '.', host.len);
    size_t i, len;

    if (!dot)
        return true;
    len = (size_t)(host.p + host.len - dot) - 1;
    for (i = 0; i < sizeof(tops) / sizeof(tops[0]); i++) {
        if (strlen(tops[i]) == len && strncasecmp(tops[i], (const char *)dot + 1, len) == 0)
            return true;
    }
    return false;
}

struct range {
    uint8_t bits, p[16];
};

/* RFC 6890: what no router of the internet carries. */
static const struct range ranges4[] = {{8, {0}}, {8, {10}}, {10, {100, 64}}, {8, {127}}, {16, {169, 254}},
    {12, {172, 16}}, {24, {192, 0, 0}}, {24, {192, 0, 2}}, {16, {192, 168}}, {15, {198, 18}},
    {24, {198, 51, 100}}, {24, {203, 0, 113}}, {4, {224}}, {4, {240}}};
static const struct range ranges6[] = {
    {127, {0}}, {7, {0xfc}}, {10, {0xfe, 0x80}}, {8, {0xff}}, {32, {0x20, 0x01, 0x0d, 0xb8}}};

static bool is_within(const struct range *r, const uint8_t *p)
{
    uint8_t mask = (uint8_t)(0xff << (8 - r->bits % 8));

    return memcmp(r->p, p, r->bits / 8) == 0 &&
           (r->bits % 8 == 0 || ((r->p[r->bits / 8] ^ p[r->bits / 8]) & mask) == 0);
}

static bool is_reserved(struct der address)
{
    const struct range *r = address.len == 4 ? ranges4 : ranges6;
    size_t i, n = address.len == 4 ? sizeof(ranges4) / sizeof(*r) : sizeof(ranges6) / sizeof(*r);

    if (address.len != 4 && address.len != 16)
        return false;
    for (i = 0; i < n; i++) {
        if (is_within(&r[i], address.p))
            return true;
    }
    return false;
}

static bool check_san_internal(struct lint *l)
{
    struct der names, c;
    unsigned kind;

    if (!is_subscriber(l) || !l->f.san.p || der_whole(l->f.san, DER_SEQUENCE, &names) != 0)
        return true;
    while (names.len && lint_next_name(&names, &kind, &c) == 0) {
        if (kind == 2 && c.len && is_internal(c))
            return lint_have(l, "want names of the public DNS, have an internal one");
        if (kind == 7 && is_reserved(c))
            return lint_have(l, "want addresses of the public internet, have a reserved one");
    }
    return true;
}

#define R        RULES_BR
#define READ     ON_READABLE
#define CA       (ON_READABLE | ON_CA)
#define ROOT     (ON_READABLE | ON_CA | ON_ROOT)
#define SUB      (ON_READABLE | ON_CA | ON_ISSUED)
#define LEAF     (ON_READABLE | ON_LEAF)
#define LEAF_KEY (ON_READABLE | ON_LEAF | ON_KEYED)
#define E        LINT_ERROR
#define W        LINT_WARNING

const struct lint_rule lint_rows_br[] = {
    {"LINT_BR_SERIAL", "BR 7.1", "serial", E, ON_FOREIGN, R, check_serial},
    {"LINT_BR_KEY", "BR 6.1.5", "key", E, ON_FOREIGN, R, check_key},
    {"LINT_BR_OU", "BR 7.1.2.7.2, 7.1.2.10.2", "subject", E, ON_EVERY, R, check_ou},
    {"LINT_BR_AKI_ALONE", "BR 7.1.2.11.1", "authorityKeyIdentifier", E, READ, R, check_aki_alone},
    {"LINT_BR_CRITICAL", "BR 7.1.2.7.6, 7.1.2.10.6", "extensions", E, ON_FOREIGN, R, check_critical},
    {"LINT_BR_CRL_DP", "BR 7.1.2.11.2", "cRLDistributionPoints", E, ON_FOREIGN, R, check_crl_dp},
    {"LINT_BR_CA_SUBJECT", "BR 7.1.2.10.2", "subject", E, CA, R, check_ca_subject},
    {"LINT_BR_CA_CRL_SIGN", "BR 7.1.2.10.7", "keyUsage", E, CA, R, check_ca_crl_sign},
    {"LINT_BR_CA_KU", "BR 7.1.2.10.7", "keyUsage", E, CA, R, check_ca_ku},
    {"LINT_BR_ROOT_EKU", "BR 7.1.2.1.2", "extKeyUsage", E, ROOT, R, check_root_eku},
    {"LINT_BR_ROOT_POLICIES", "BR 7.1.2.1.2", "certificatePolicies", W, ROOT, R, check_root_policies},
    {"LINT_BR_ROOT_CRL_DP", "BR 7.1.2.11.2", "cRLDistributionPoints", W, ROOT, R, check_root_crl_dp},
    {"LINT_BR_SUB_CRL_DP", "BR 7.1.2.11.2", "cRLDistributionPoints", E, SUB, R, check_sub_crl_dp},
    {"LINT_BR_SUB_POLICIES", "BR 7.1.2.10.5", "certificatePolicies", E, SUB, R, check_sub_policies},
    {"LINT_BR_SUB_AIA", "BR 7.1.2.10.3", "authorityInfoAccess", W, SUB, R, check_sub_aia},
    {"LINT_BR_SUB_EKU", "BR 7.1.2.10.6", "extKeyUsage", E, SUB, R, check_sub_eku},
    {"LINT_BR_SUB_EKU_SET", "BR 7.1.2.10.6", "extKeyUsage", E, SUB, R, check_sub_eku_set},
    {"LINT_BR_LIFETIME", "BR 6.3.2", "validity", E, LEAF, R, check_lifetime},
    {"LINT_BR_DV_SUBJECT", "BR 7.1.2.7.2", "subject", E, LEAF, R, check_dv_subject},
    {"LINT_BR_CN", "BR 7.1.4.3", "subject", E, LEAF, R, check_cn},
    {"LINT_BR_CN_HERE", "BR 7.1.2.7.2", "subject", W, LEAF, R, check_cn_here},
    {"LINT_BR_AIA", "BR 7.1.2.7.6", "authorityInfoAccess", E, LEAF, R, check_aia},
    {"LINT_BR_POLICIES", "BR 7.1.2.7.6", "certificatePolicies", E, LEAF, R, check_policies},
    {"LINT_BR_SAN", "BR 7.1.2.7.6", "subjectAltName", E, LEAF, R, check_san},
    {"LINT_BR_KU", "BR 7.1.2.7.6", "keyUsage", W, LEAF, R, check_ku},
    {"LINT_BR_SKI", "BR 7.1.2.7.6", "subjectKeyIdentifier", W, LEAF, R, check_ski},
    {"LINT_BR_EKU", "BR 7.1.2.7.10", "extKeyUsage", E, LEAF, R, check_eku},
    {"LINT_BR_EKU_SET", "BR 7.1.2.7.10", "extKeyUsage", E, LEAF, R, check_eku_set},
    {"LINT_BR_BC", "BR 7.1.2.7.8", "basicConstraints", E, LEAF | ON_FOREIGN, R, check_bc},
    {"LINT_BR_KU_EC", "BR 7.1.2.7.11", "keyUsage", E, LEAF_KEY, R, check_ku_ec},
    {"LINT_BR_KU_AGREE", "BR 7.1.2.7.11", "keyUsage", W, LEAF_KEY, R, check_ku_agree},
    {"LINT_BR_KU_RSA", "BR 7.1.2.7.11", "keyUsage", W, LEAF_KEY, R, check_ku_rsa},
    {"LINT_BR_KU_DATA", "BR 7.1.2.7.11", "keyUsage", W, LEAF_KEY, R, check_ku_data},
    {"LINT_BR_KU_SET", "BR 7.1.2.7.11", "keyUsage", E, LEAF_KEY, R, check_ku_set},
    {"LINT_BR_SAN_KIND", "BR 7.1.2.7.12", "subjectAltName", E, LEAF, R, check_san_kind},
    {"LINT_BR_SAN_INTERNAL", "BR 7.1.2.7.12", "subjectAltName", E, LEAF, R, check_san_internal},
    {.id = NULL},
};
