#include "x509/profile.h"

#include <string.h>

#include "x509/ext.h"
#include "x509/name.h"

#define ALL_KEYS (KEY_BIT(KEY_P256) | KEY_BIT(KEY_P384) | KEY_BIT(KEY_P521) | KEY_BIT(KEY_RSA))

static bool ca_without_signing(const struct profile *p)
{
    return p->is_ca && !(p->key_usage & USAGE_KEY_CERT_SIGN);
}

static bool leaf_with_signing(const struct profile *p)
{
    return !p->is_ca &&
           ((p->key_usage | p->key_usage_rsa) & (USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN) || p->pathlen >= 0);
}

static bool no_key_usage(const struct profile *p)
{
    return p->key_usage == 0 || (p->key_usage | p->key_usage_rsa) > 0xff;
}

static bool self_signed_leaf(const struct profile *p)
{
    return p->self_signed && !p->is_ca;
}

static bool ca_nameless(const struct profile *p)
{
    return p->is_ca && (p->subject != SUBJECT_NOT_EMPTY || !p->ski);
}

static bool no_days(const struct profile *p)
{
    return p->days == 0 || p->days > p->days_max || p->days_max > 36525 || p->backdate > PROFILE_DAY / 2;
}

static bool no_keys(const struct profile *p)
{
    return p->keys == 0 || p->keys & ~ALL_KEYS || (p->keys & KEY_BIT(KEY_RSA) && p->rsa_bits_min < 2048);
}

static bool sans_unreachable(const struct profile *p)
{
    return p->san_required && p->san_allowed == 0;
}

static bool other_eku_unsaid(const struct profile *p)
{
    return ((p->eku & EKU_OTHER) != 0) != (p->eku_others.len != 0);
}

static bool pathlen_negative(const struct profile *p)
{
    return p->pathlen < -1;
}

/* An EKU in a root would constrain all that is below it, for ever. */
static bool root_with_eku(const struct profile *p)
{
    return p->self_signed && p->eku;
}

static bool ca_signing_ocsp(const struct profile *p)
{
    return p->is_ca && p->eku & EKU_OCSP_SIGNING;
}

static bool cross_leaf(const struct profile *p)
{
    return p->cross && (!p->is_ca || p->self_signed);
}

static bool nocheck_elsewhere(const struct profile *p)
{
    return p->ocsp_nocheck && (p->is_ca || p->eku != EKU_OCSP_SIGNING);
}

/* What a row must not say. */
static const struct {
    bool (*broken)(const struct profile *p);
    const char *text;
} sense[] = {
    {ca_without_signing, "RFC 5280 4.2.1.3: want keyCertSign with a CA"},
    {leaf_with_signing, "RFC 5280 4.2.1.9: want keyCertSign, cRLSign and a path length only with a CA"},
    {no_key_usage, "RFC 5280 4.2.1.3: want at least one key usage"},
    {self_signed_leaf, "want a self-signed certificate only for a CA"},
    {ca_nameless, "RFC 5280 4.1.2.6: want a CA with a subject and a subjectKeyIdentifier"},
    {no_days,
        "want 1 day or more, not above its own maximum, at most 36525, dated back by at most half a one"},
    {no_keys, "BR 6.1.5: want a kind of key, and RSA from 2048 bits"},
    {sans_unreachable, "want a kind of alternative name to be allowed where one is required"},
    {other_eku_unsaid, "want the identifiers of other extended key usages"},
    {pathlen_negative, "RFC 5280 4.2.1.9: want a path length from 0, or none"},
    {root_with_eku, "BR 7.1.2.1: want no extended key usage with a root"},
    {ca_signing_ocsp, "BR 7.1.2.10.6: want OCSPSigning only without cA"},
    {cross_leaf, "RFC 5280 3.2: want a cross-certificate only for a CA, by another"},
    {nocheck_elsewhere, "RFC 6960 4.2.2.2.1: want ocsp-nocheck only with OCSPSigning and nothing else"},
};

int profile_check(const struct profile *p, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < sizeof(sense) / sizeof(sense[0]); i++) {
        if (sense[i].broken(p))
            return err_set(err, P11CA_CONFIG, "PROFILE", "profile '%s': %s", p->name, sense[i].text);
    }
    return 0;
}

int profile_check_key(const struct profile *p, const struct spki *spki, struct p11ca_err *err)
{
    char have[SPKI_TEXT];

    if (!(p->keys & KEY_BIT(spki->kind)))
        return err_set(err, P11CA_REFUSED, spki->kind == KEY_RSA ? "KEY_TYPE" : "KEY_CURVE",
            "profile '%s': public key: want a kind of key it allows, have %s", p->name,
            spki_text(spki, have));
    if (spki->kind == KEY_RSA && spki->bits < p->rsa_bits_min)
        return err_set(err, P11CA_REFUSED, "KEY_TOO_SMALL",
            "profile '%s': public key: SP 800-57 5.6.1: want RSA of at least %u bits, have %u", p->name,
            p->rsa_bits_min, spki->bits);
    return 0;
}

static const char *allowed_kinds(unsigned bits, char dst[EXT_TEXT])
{
    enum san_type t;
    size_t len = 0;

    dst[0] = '\0';
    for (t = 0; t < SAN_TYPES; t++) {
        if (!(bits & SAN_BIT(t)))
            continue;
        if (len)
            memcpy(dst + len, " or ", 5), len += 4;
        memcpy(dst + len, san_type_name(t), strlen(san_type_name(t)) + 1);
        len += strlen(san_type_name(t));
    }
    if (!len)
        memcpy(dst, "none", 5);
    return dst;
}

int profile_check_sans(const struct profile *p, const struct san_list *sans, struct p11ca_err *err)
{
    size_t i, n = sans ? sans->n : 0;
    char kinds[EXT_TEXT];

    if (n == 0 && p->san_required)
        return err_set(err, P11CA_REFUSED, "SAN_REQUIRED",
            "profile '%s': RFC 5280 4.2.1.6: SAN: want at least one name (%s), have none", p->name,
            allowed_kinds(p->san_allowed, kinds));
    for (i = 0; i < n; i++) {
        if (!(p->san_allowed & SAN_BIT(sans->v[i].type)))
            return err_set(err, P11CA_REFUSED, "SAN_KIND", "profile '%s': SAN: want %s, have %s:%s", p->name,
                allowed_kinds(p->san_allowed, kinds), san_type_name(sans->v[i].type), sans->v[i].text);
    }
    return 0;
}

int profile_check_subject(
    const struct profile *p, struct der subject, const struct san_list *sans, struct p11ca_err *err)
{
    struct der cn;

    if (name_is_empty(subject)) {
        if (profile_wants_subject(p))
            return err_set(err, P11CA_REFUSED, "NAME_EMPTY",
                "profile '%s': RFC 5280 4.1.2.6: subject: want a name, have an empty one", p->name);
        if (!sans || sans->n == 0)
            return err_set(err, P11CA_REFUSED, "NAME_EMPTY",
                "profile '%s': RFC 5280 4.1.2.6: subject: want a name or an alternative name, have neither",
                p->name);
        return 0;
    }
    if (profile_wants_cn(p) && name_get(subject, NAME_CN, &cn) != 1)
        return err_set(
            err, P11CA_REFUSED, "NAME_CN", "profile '%s': subject: want one CN, have none or more", p->name);
    return 0;
}

int profile_validity(const struct profile *p, int64_t now, unsigned days, int64_t *ret_not_before,
    int64_t *ret_not_after, struct p11ca_err *err)
{
    bool no_expiry = days == 0 && p->no_expiry;

    if (days == 0)
        days = p->days;
    if (days > p->days_max)
        return err_set(err, P11CA_REFUSED, "VALIDITY_TOO_LONG",
            "profile '%s': validity: want at most %u days, have %u", p->name, p->days_max, days);
    *ret_not_before = now - p->backdate;
    *ret_not_after = no_expiry ? PROFILE_NO_EXPIRY : now - p->backdate + (int64_t)days * PROFILE_DAY - 1;
    return 0;
}
