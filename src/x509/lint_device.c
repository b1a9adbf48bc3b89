/* Devices: IEEE 802.1AR identities, and the attestation certificates of Matter. */
#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "x509/lint_row.h"
#include "x509/name.h"

/* --- IEEE 802.1AR; end entities, what is above them are CAs as any --- */

static bool check_serial(struct lint *l)
{
    return l->t.serial.len == 0 || l->t.serial.len >= SERIAL_MIN ||
           lint_have(l, "want 64 to 160 bits, have %zu", 8 * l->t.serial.len);
}

static bool check_forever(struct lint *l)
{
    char found[TEXT_TIME];

    text_time(l->t.not_after, found);
    return l->t.not_after == DER_TIME_FOREVER ||
           lint_have(l, "want an end at 9999-12-31T23:59:59Z, have %s", found);
}

static bool check_subject(struct lint *l)
{
    return !name_is_empty(l->t.subject) || !l->f.san.p || lint_have(l, "want a name, have an empty one");
}

static bool check_subject_serial(struct lint *l)
{
    struct der value;

    return name_is_empty(l->t.subject) || lint_attrs(l->t.subject, OID_SERIAL_NUMBER, &value) ||
           lint_have(l, "want the device's serialNumber, have none");
}

static bool check_no_ski(struct lint *l)
{
    return !tbs_ext(&l->t, OID_SKI) || lint_have(l, "want none in an end entity's, have it");
}

static bool check_ku(struct lint *l)
{
    return l->f.has_ku || lint_have(l, "want it, have none");
}

static bool check_ku_set(struct lint *l)
{
    unsigned other = l->f.key_usage & ~(unsigned)(USAGE_DIGITAL_SIGNATURE | USAGE_KEY_ENCIPHERMENT);
    char found[EXT_TEXT];

    return !other || lint_have(l, "want digitalSignature and at most keyEncipherment, have %s",
                         ext_ku_text(other, found));
}

static bool check_ku_tcg(struct lint *l)
{
    return !(l->f.key_usage & USAGE_KEY_ENCIPHERMENT) ||
           lint_have(l, "want digitalSignature alone, have keyEncipherment beside it");
}

static bool check_no_eku(struct lint *l)
{
    return !l->f.has_eku || lint_have(l, "want none, have it");
}

static bool check_san_here(struct lint *l)
{
    return l->f.san.p || lint_have(l, "want a HardwareModuleName, have no alternative name");
}

static bool check_san_hw(struct lint *l)
{
    struct der value;

    return !l->f.san.p || lint_other_names(l, OID_HARDWARE_MODULE_NAME, &value) ||
           lint_have(l, "want a HardwareModuleName among the names, have none");
}

static bool check_suite(struct lint *l)
{
    return l->spki.kind == KEY_P256 || l->spki.kind == KEY_P384 ||
           (l->spki.kind == KEY_RSA && l->spki.bits == 2048) ||
           lint_have(l, "want RSA 2048, EC P-256 or EC P-384, have another key");
}

/* --- Matter: by its shape PAA (root), PAI (CA below), DAC (leaf) --- */

static bool check_matter_alg(struct lint *l)
{
    const struct sigalg *alg = sigalg_find(l->t.alg);

    return (alg && alg->oid == OID_ECDSA_SHA256) ||
           lint_have(l, "want ecdsa-with-SHA256, have %s", alg ? alg->text : "another");
}

static bool check_matter_key(struct lint *l)
{
    char found[SPKI_TEXT];

    spki_text(&l->spki, found);
    return l->spki.kind == KEY_P256 || lint_have(l, "want EC P-256, have %s", found);
}

/* What stands behind the mark in a CN ("Mvid:FFF1"); NULL: no mark. */
static const uint8_t *in_cn(struct der name, const char *mark, size_t *ret_left)
{
    struct der value, text;
    const uint8_t *at;
    uint8_t tag;

    if (lint_attrs(name, OID_CN, &value) == 0 || der_next_tag(&value, &tag, &text) != 0 || text.len == 0)
        return NULL;
    at = memmem(text.p, text.len, mark, strlen(mark));
    if (!at)
        return NULL;
    at += strlen(mark);
    *ret_left = (size_t)(text.p + text.len - at);
    return at;
}

static bool is_hex4(const uint8_t *p, size_t left)
{
    size_t i;

    for (i = 0; i < 4 && i < left; i++) {
        if (!isdigit(p[i]) && (p[i] < 'A' || p[i] > 'F'))
            return false;
    }
    return left >= 4;
}

/* Four hexadecimal digits of a name: its attribute, else its CN; false: there is none. */
static bool matter_id(struct der name, enum oid oid, const char *mark, uint8_t ret[4])
{
    struct der value, text, other;
    const uint8_t *at;
    size_t left = 0;
    uint8_t tag;

    if (lint_attrs(name, oid, &value)) {
        if (der_next_tag(&value, &tag, &text) != 0 || text.len != 4)
            return false;
        memcpy(ret, text.p, 4);
        return true;
    }
    /* the CN counts only when there is neither attribute */
    if (lint_attrs(name, OID_MATTER_VID, &other) || lint_attrs(name, OID_MATTER_PID, &other))
        return false;
    at = in_cn(name, mark, &left);
    if (!at || !is_hex4(at, left))
        return false;
    memcpy(ret, at, 4);
    return true;
}

static bool get_vid(struct der name, uint8_t ret[4])
{
    return matter_id(name, OID_MATTER_VID, "Mvid:", ret);
}

static bool get_pid(struct der name, uint8_t ret[4])
{
    return matter_id(name, OID_MATTER_PID, "Mpid:", ret);
}

static bool check_matter_cn(struct lint *l)
{
    static const char *const marks[] = {"Mvid:", "Mpid:"};
    const uint8_t *at;
    size_t i, left = 0;

    for (i = 0; i < 2; i++) {
        at = in_cn(l->t.subject, marks[i], &left);
        if (at && !is_hex4(at, left))
            return lint_have(
                l, "want four upper-case hexadecimal digits behind %s, have something else", marks[i]);
    }
    return true;
}

/* Whether a mark is there that the row above judges. */
static bool has_mark(const struct lint *l, const char *mark)
{
    size_t left;

    return in_cn(l->t.subject, mark, &left) != NULL;
}

static bool check_matter_vid(struct lint *l)
{
    uint8_t vid[4];

    return l->self_issued || get_vid(l->t.subject, vid) || has_mark(l, "Mvid:") ||
           lint_have(l, "want a vendor ID, have none");
}

static bool check_matter_pid(struct lint *l)
{
    uint8_t pid[4];

    return get_pid(l->t.subject, pid) || has_mark(l, "Mpid:") || lint_have(l, "want a product ID, have none");
}

static bool check_matter_paa_pid(struct lint *l)
{
    uint8_t pid[4];

    return !get_pid(l->t.subject, pid) || lint_have(l, "want no product ID in a PAA, have one");
}

static bool check_matter_issuer_vid(struct lint *l)
{
    uint8_t own[4], above[4];

    return !get_vid(l->t.subject, own) || !get_vid(l->t.issuer, above) || memcmp(own, above, 4) == 0 ||
           lint_have(l, "want the issuer's vendor ID %.4s, have %.4s", (char *)above, (char *)own);
}

static bool check_matter_issuer_pid(struct lint *l)
{
    uint8_t own[4], above[4];

    return !get_pid(l->t.subject, own) || !get_pid(l->t.issuer, above) || memcmp(own, above, 4) == 0 ||
           lint_have(l, "want the issuer's product ID %.4s, have %.4s", (char *)above, (char *)own);
}

static bool check_matter_paa_pathlen(struct lint *l)
{
    return l->f.pathlen < 0 || l->f.pathlen == 1 ||
           lint_have(l, "want path length 1 or none, have %d", l->f.pathlen);
}

static bool check_matter_pai_pathlen(struct lint *l)
{
    return l->f.pathlen == 0 || lint_have(l, "want path length 0, have %d (-1: none)", l->f.pathlen);
}

static bool check_matter_ca_ku(struct lint *l)
{
    unsigned must = USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN;
    char found[EXT_TEXT];

    return !l->f.has_ku || (l->f.key_usage & ~(unsigned)USAGE_DIGITAL_SIGNATURE) == must ||
           lint_have(l, "want keyCertSign, cRLSign and at most digitalSignature, have %s",
               ext_ku_text(l->f.key_usage, found));
}

static bool check_matter_dac_ku(struct lint *l)
{
    char found[EXT_TEXT];

    return l->f.key_usage == USAGE_DIGITAL_SIGNATURE ||
           lint_have(
               l, "want digitalSignature and nothing else, have %s", ext_ku_text(l->f.key_usage, found));
}

static bool check_matter_ku_critical(struct lint *l)
{
    const struct cert_ext *ext = tbs_ext(&l->t, OID_KEY_USAGE);

    return !ext || ext->critical || lint_have(l, "want it critical, have it not");
}

static bool check_matter_dac_bc(struct lint *l)
{
    const struct cert_ext *ext = tbs_ext(&l->t, OID_BASIC_CONSTRAINTS);

    return (ext && ext->critical) || lint_have(l, "want it, critical, have %s", ext ? "it not so" : "none");
}

static bool check_matter_ski(struct lint *l)
{
    if (!l->f.ski.p)
        return l->is_ca || lint_have(l, "want it, have none");
    return l->f.ski.len == SKI_LEN || lint_have(l, "want %d octets, have %zu", SKI_LEN, l->f.ski.len);
}

static bool check_matter_aki(struct lint *l)
{
    return !l->f.aki.p || l->f.aki.len == SKI_LEN ||
           lint_have(l, "want %d octets, have %zu", SKI_LEN, l->f.aki.len);
}

/* One point, one URI, and at most one cRLIssuer. */
static bool check_matter_cdp(struct lint *l)
{
    struct der value, points, point, name, full, uri, issuer, who;
    bool ok;

    if (!lint_ext(l, OID_CRL_DP, &value))
        return true;
    ok = der_whole(value, DER_SEQUENCE, &points) == 0 && der_whole(points, DER_SEQUENCE, &point) == 0 &&
         der_next(&point, DER_CONTEXT_CONSTRUCTED(0), &name) == 0 &&
         der_whole(name, DER_CONTEXT_CONSTRUCTED(0), &full) == 0 &&
         der_whole(full, DER_CONTEXT(6), &uri) == 0;
    if (ok && point.len)
        ok = der_whole(point, DER_CONTEXT_CONSTRUCTED(2), &issuer) == 0 && der_next_any(&issuer, &who) == 0 &&
             issuer.len == 0;
    return ok || lint_have(l, "want one point with one URI and at most one cRLIssuer, have something else");
}

#define MATTER_SIZE 600 /* the SDK's buffer for one certificate */

static bool check_matter_size(struct lint *l)
{
    return l->whole.der.len <= MATTER_SIZE || lint_have(l, "want at most %d octets, have more", MATTER_SIZE);
}

#define BOTH (RULES_IDEVID | RULES_LDEVID)
#define I    RULES_IDEVID
#define M    RULES_MATTER
#define LEAF (ON_READABLE | ON_LEAF)
#define PAA  (ON_READABLE | ON_CA | ON_ROOT)
#define PAI  (ON_READABLE | ON_CA | ON_ISSUED)
#define CA   (ON_READABLE | ON_CA)
#define ALL  ON_READABLE
#define E    LINT_ERROR
#define W    LINT_WARNING
#define N    LINT_NOTICE

const struct lint_rule lint_rows_device[] = {
    {"LINT_DEVID_SERIAL", "802.1AR 8.2", "serial", E, LEAF | ON_FOREIGN, BOTH, check_serial},
    {"LINT_DEVID_SKI", "802.1AR 8.10.2", "subjectKeyIdentifier", W, LEAF, BOTH, check_no_ski},
    {"LINT_DEVID_KU", "802.1AR 8.10.3", "keyUsage", W, LEAF, BOTH, check_ku},
    {"LINT_DEVID_KU_SET", "802.1AR 8.10.3", "keyUsage", E, LEAF, BOTH, check_ku_set},
    {"LINT_DEVID_KU_TCG", "TCG DevID", "keyUsage", N, LEAF, BOTH, check_ku_tcg},
    {"LINT_DEVID_SUITE", "802.1AR 9", "key", W, LEAF | ON_KEYED, BOTH, check_suite},
    {"LINT_IDEVID_FOREVER", "802.1AR 8.5", "validity", W, LEAF, I, check_forever},
    {"LINT_IDEVID_SUBJECT", "802.1AR 8.6", "subject", E, LEAF, I, check_subject},
    {"LINT_IDEVID_SERIAL", "802.1AR 8.6", "subject", W, LEAF, I, check_subject_serial},
    {"LINT_IDEVID_EKU", "802.1AR 8.10", "extKeyUsage", N, LEAF, I, check_no_eku},
    {"LINT_IDEVID_SAN", "802.1AR 8.10.4", "subjectAltName", W, LEAF, I, check_san_here},
    {"LINT_IDEVID_HW", "802.1AR 8.10.4", "subjectAltName", E, LEAF, I, check_san_hw},
    {"LINT_LDEVID_HW", "802.1AR 8.10.4", "subjectAltName", W, LEAF, RULES_LDEVID, check_san_hw},
    {"LINT_MATTER_ALG", "Matter 6.2.2", "signature", E, ALL, M, check_matter_alg},
    {"LINT_MATTER_KEY", "Matter 6.2.2", "key", E, ON_KEYED, M, check_matter_key},
    {"LINT_MATTER_CN", "Matter 6.2.2", "subject", E, ALL, M, check_matter_cn},
    {"LINT_MATTER_VID", "Matter 6.2.2", "subject", E, ALL, M, check_matter_vid},
    {"LINT_MATTER_PID", "Matter 6.2.2", "subject", E, LEAF, M, check_matter_pid},
    {"LINT_MATTER_PAA_PID", "Matter 6.2.2", "subject", E, PAA, M, check_matter_paa_pid},
    {"LINT_MATTER_ISSUER_VID", "Matter 6.2.3", "subject", E, ON_ISSUED, M, check_matter_issuer_vid},
    {"LINT_MATTER_ISSUER_PID", "Matter 6.2.3", "subject", E, ON_ISSUED, M, check_matter_issuer_pid},
    {"LINT_MATTER_PAA_PATHLEN", "Matter 6.2.2", "basicConstraints", E, PAA, M, check_matter_paa_pathlen},
    {"LINT_MATTER_PAI_PATHLEN", "Matter 6.2.2", "basicConstraints", E, PAI, M, check_matter_pai_pathlen},
    {"LINT_MATTER_DAC_BC", "Matter 6.2.2", "basicConstraints", E, LEAF, M, check_matter_dac_bc},
    {"LINT_MATTER_CA_KU", "Matter 6.2.2", "keyUsage", E, CA, M, check_matter_ca_ku},
    {"LINT_MATTER_DAC_KU", "Matter 6.2.2", "keyUsage", E, LEAF, M, check_matter_dac_ku},
    {"LINT_MATTER_KU_CRITICAL", "Matter 6.2.2", "keyUsage", E, ALL | ON_FOREIGN, M, check_matter_ku_critical},
    {"LINT_MATTER_SKI", "Matter 6.2.2", "subjectKeyIdentifier", E, ALL, M, check_matter_ski},
    {"LINT_MATTER_AKI", "Matter 6.2.2", "authorityKeyIdentifier", E, ALL, M, check_matter_aki},
    {"LINT_MATTER_CDP", "Matter 6.2.2", "cRLDistributionPoints", E, ALL, M, check_matter_cdp},
    {"LINT_MATTER_SIZE", "Matter SDK", "encoding", W, ON_FINISHED, M, check_matter_size},
    {.id = NULL},
};
