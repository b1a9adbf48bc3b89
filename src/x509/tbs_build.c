/* The to-be-signed bytes of a certificate, put together from a plan. */
#include "x509/cert.h"

#include <string.h>

#include "base/text.h"
#include "x509/ext.h"
#include "x509/ext_info.h"
#include "x509/name.h"

/* What the rows below look at. */
struct making {
    const struct cert_plan *plan;
    uint8_t ski[SKI_LEN];
    struct der aki;
};

static bool want_always(const struct making *m)
{
    (void)m;
    return true;
}

static bool want_eku(const struct making *m)
{
    return m->plan->profile->eku != 0;
}

static bool want_san(const struct making *m)
{
    return m->plan->sans && m->plan->sans->n;
}

static bool want_ski(const struct making *m)
{
    return m->plan->profile->ski;
}

static bool want_crl_dp(const struct making *m)
{
    return m->plan->profile->crl_dp && cert_plan_crl_url(m->plan);
}

static bool want_aia(const struct making *m)
{
    return m->plan->profile->aia && (cert_plan_ocsp_url(m->plan) || cert_plan_ca_issuers_url(m->plan));
}

static bool want_nocheck(const struct making *m)
{
    return m->plan->profile->ocsp_nocheck;
}

static void add_bc(const struct making *m, struct buf *b)
{
    ext_add_bc(b, m->plan->profile->is_ca, m->plan->profile->pathlen);
}

static void add_ku(const struct making *m, struct buf *b)
{
    ext_add_ku(b, profile_key_usage(m->plan->profile, m->plan->spki->kind));
}

static void add_eku(const struct making *m, struct buf *b)
{
    ext_add_eku(b, m->plan->profile->eku, m->plan->profile->eku_others);
}

static void add_san(const struct making *m, struct buf *b)
{
    san_to_der(m->plan->sans, b);
}

static void add_ski(const struct making *m, struct buf *b)
{
    der_add(b, DER_OCTET_STRING, m->ski, sizeof(m->ski));
}

static void add_aki(const struct making *m, struct buf *b)
{
    size_t at = der_open(b);

    der_add(b, DER_CONTEXT(0), m->aki.p, m->aki.len);
    der_close(b, at, DER_SEQUENCE);
}

static void add_crl_dp(const struct making *m, struct buf *b)
{
    ext_add_crl_dp(b, cert_plan_crl_url(m->plan));
}

static void add_aia(const struct making *m, struct buf *b)
{
    const char *ocsp = cert_plan_ocsp_url(m->plan), *issuers = cert_plan_ca_issuers_url(m->plan);
    struct ext_access v[2];
    size_t n = 0;

    if (ocsp)
        v[n++] = (struct ext_access){OID_AD_OCSP, DER_OF((const uint8_t *)ocsp, strlen(ocsp))};
    if (issuers)
        v[n++] = (struct ext_access){OID_AD_CA_ISSUERS, DER_OF((const uint8_t *)issuers, strlen(issuers))};
    ext_add_aia(b, v, n);
}

static void add_nocheck(const struct making *m, struct buf *b)
{
    (void)m;
    der_add(b, DER_NULL, "", 0);
}

/* In this order in the certificate. RFC 5280 4.2.1: the SAN is critical when it is all the name there is. */
static const struct {
    enum oid oid;
    bool critical, critical_without_subject;
    bool (*wanted)(const struct making *m);
    void (*add)(const struct making *m, struct buf *b);
} exts[] = {
    {OID_BASIC_CONSTRAINTS, true, true, want_always, add_bc},
    {OID_KEY_USAGE, true, true, want_always, add_ku},
    {OID_EXT_KEY_USAGE, false, false, want_eku, add_eku},
    {OID_SAN, false, true, want_san, add_san},
    {OID_SKI, false, false, want_ski, add_ski},
    {OID_AKI, false, false, want_always, add_aki},
    {OID_CRL_DP, false, false, want_crl_dp, add_crl_dp},
    {OID_AIA, false, false, want_aia, add_aia},
    {OID_OCSP_NOCHECK, false, false, want_nocheck, add_nocheck},
};

/* What is made by now: the profile's own, and what its slots were filled with. */
static void add_made(const struct making *m, struct buf *b)
{
    size_t i;

    for (i = 0; i < m->plan->profile->n_fixed; i++)
        der_add_raw(b, m->plan->profile->fixed[i].tlv);
    der_add_raw(b, m->plan->slot_exts);
}

static void add_exts(const struct making *m, struct buf *b)
{
    bool nameless = name_is_empty(m->plan->subject);
    size_t i, one, at = der_open(b);

    for (i = 0; i < sizeof(exts) / sizeof(exts[0]); i++) {
        if (!exts[i].wanted(m))
            continue;
        one = der_open(b);
        exts[i].add(m, b);
        ext_close(b, one, exts[i].oid, nameless ? exts[i].critical_without_subject : exts[i].critical);
    }
    add_made(m, b);
    der_close(b, at, DER_SEQUENCE);
    der_close(b, at, DER_CONTEXT_CONSTRUCTED(3));
}

static void add_version(struct buf *b)
{
    size_t at = der_open(b);

    der_add_uint(b, 2); /* v3 */
    der_close(b, at, DER_CONTEXT_CONSTRUCTED(0));
}

static void add_validity(const struct cert_plan *plan, struct buf *b)
{
    size_t at = der_open(b);

    der_add_time(b, plan->not_before);
    der_add_time(b, plan->not_after);
    der_close(b, at, DER_SEQUENCE);
}

static int prepare(const struct cert_plan *plan, struct making *m, struct p11ca_err *err)
{
    m->plan = plan;
    if ((plan->profile->ski || !plan->issuer) && spki_ski(plan->spki, m->ski, err) != 0)
        return -1;
    m->aki = plan->issuer ? DER_OF(plan->issuer->ski, plan->issuer->ski_len) : DER_OF(m->ski, sizeof(m->ski));
    return 0;
}

int tbs_build(const struct cert_plan *plan, struct buf *ret, struct p11ca_err *err)
{
    const struct sigalg *alg = plan->issuer ? plan->issuer->alg : sigalg_for_key(plan->spki);
    struct making m;
    size_t at = der_open(ret);

    if (prepare(plan, &m, err) != 0)
        return -1;
    add_version(ret);
    /* Not der_add_integer(): the lint judges the very octets that were drawn. */
    der_add(ret, DER_INTEGER, plan->serial, plan->serial_len);
    der_add_raw(ret, alg->id);
    der_add_raw(ret, plan->issuer ? plan->issuer->subject : plan->subject);
    add_validity(plan, ret);
    der_add_raw(ret, plan->subject);
    der_add_raw(ret, spki_der(plan->spki));
    add_exts(&m, ret);
    der_close(ret, at, DER_SEQUENCE);
    return buf_ok(ret)
               ? 0
               : err_set(err, P11CA_BUG, "TBS", "certificate: no memory, or a time outside 1950 to 9999");
}

/* The issuer's notBefore may be a minute old: a leaf is not dated back behind it. */
int cert_plan_validity(struct cert_plan *plan, int64_t now, unsigned days, struct p11ca_err *err)
{
    const struct issuer *issuer = plan->issuer;
    char have[TEXT_TIME], want[TEXT_TIME];
    int64_t not_before, not_after;

    if (profile_validity(plan->profile, now, days, &not_before, &not_after, err) != 0)
        return -1;
    if (issuer && now < issuer->not_before) {
        text_time(now, have);
        text_time(issuer->not_before, want);
        return err_set(err, P11CA_REFUSED, "CLOCK",
            "clock: want a time in the issuer's validity, from %s, have %s", want, have);
    }
    if (issuer && not_before < issuer->not_before)
        not_before = issuer->not_before;
    if (issuer && not_after > issuer->not_after) {
        text_time(not_after, have);
        text_time(issuer->not_after, want);
        return err_set(err, P11CA_REFUSED, "VALIDITY_NESTING",
            "profile '%s': RFC 5280 6.1.3: validity: want an end within the issuer's, %s, have %s%s",
            plan->profile->name, want, have,
            not_after == PROFILE_NO_EXPIRY ? " (no expiry: give days, or the issuer none either)" : "");
    }
    plan->not_before = not_before;
    plan->not_after = not_after;
    return 0;
}
