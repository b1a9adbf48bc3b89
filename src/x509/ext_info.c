#include "x509/ext_info.h"

#include <string.h>

/* Text as URIs are made of: a space or a control would end it somewhere else for somebody. */
static bool is_visible(struct der text)
{
    size_t i = 0;

    while (i < text.len && text.p[i] > 0x20 && text.p[i] < 0x7f)
        i++;
    return text.len && i == text.len;
}

/* --- certificatePolicies --- */

/* SEQUENCE OF { id-qt-cps, IA5String }, one of them. */
static int read_qualifiers(struct der qualifiers, struct der *ret_cps)
{
    struct der one, oid;

    if (der_next(&qualifiers, DER_SEQUENCE, &one) != 0 || qualifiers.len ||
        der_next(&one, DER_OID, &oid) != 0 || !oid_is(oid, OID_CPS) ||
        der_whole(one, DER_IA5_STRING, ret_cps) != 0 || !is_visible(*ret_cps))
        return -1;
    return 0;
}

static int read_policy(struct der *in, struct ext_policy *ret)
{
    struct ext_policy policy = {.cps = {NULL, 0}};
    struct der seq, qualifiers;
    int has;

    if (der_next(in, DER_SEQUENCE, &seq) != 0 || der_next(&seq, DER_OID, &policy.oid) != 0)
        return -1;
    has = der_next_optional(&seq, DER_SEQUENCE, &qualifiers);
    if (has < 0 || seq.len || (has && read_qualifiers(qualifiers, &policy.cps) != 0))
        return -1;
    *ret = policy;
    return 0;
}

static bool has_policy(const struct ext_policy *v, size_t n, struct der oid)
{
    while (n-- > 0) {
        if (der_equal(v[n].oid, oid))
            return true;
    }
    return false;
}

int ext_read_policies(struct der value, struct ext_policy *v, size_t max, size_t *ret_n)
{
    struct ext_policy policy;
    struct der seq;
    size_t n;

    if (der_whole(value, DER_SEQUENCE, &seq) != 0 || seq.len == 0)
        return -1;
    for (n = 0; seq.len; n++) {
        if (n == max || read_policy(&seq, &policy) != 0 || has_policy(v, n, policy.oid))
            return -1;
        v[n] = policy;
    }
    *ret_n = n;
    return 0;
}

static void add_cps(struct buf *b, struct der uri)
{
    size_t at = der_open(b);

    oid_add(b, OID_CPS);
    der_add(b, DER_IA5_STRING, uri.p, uri.len);
    der_close(b, at, DER_SEQUENCE); /* PolicyQualifierInfo */
    der_close(b, at, DER_SEQUENCE); /* policyQualifiers */
}

void ext_add_policies(struct buf *b, const struct ext_policy *v, size_t n)
{
    size_t i, one, at = der_open(b);

    for (i = 0; i < n; i++) {
        one = der_open(b);
        der_add(b, DER_OID, v[i].oid.p, v[i].oid.len);
        if (v[i].cps.len)
            add_cps(b, v[i].cps);
        der_close(b, one, DER_SEQUENCE);
    }
    der_close(b, at, DER_SEQUENCE);
}

/* --- authorityInfoAccess --- */

static int read_access(struct der *in, struct ext_access *ret)
{
    struct der seq, oid, uri;

    if (der_next(in, DER_SEQUENCE, &seq) != 0 || der_next(&seq, DER_OID, &oid) != 0 ||
        der_whole(seq, DER_CONTEXT(6), &uri) != 0 || !is_visible(uri))
        return -1;
    if (!oid_is(oid, OID_AD_OCSP) && !oid_is(oid, OID_AD_CA_ISSUERS))
        return -1;
    *ret = (struct ext_access){oid_find(oid), uri};
    return 0;
}

int ext_read_aia(struct der value, struct ext_access *v, size_t max, size_t *ret_n)
{
    struct der seq;
    size_t n;

    if (der_whole(value, DER_SEQUENCE, &seq) != 0 || seq.len == 0)
        return -1;
    for (n = 0; seq.len; n++) {
        if (n == max || read_access(&seq, &v[n]) != 0)
            return -1;
    }
    *ret_n = n;
    return 0;
}

void ext_add_aia(struct buf *b, const struct ext_access *v, size_t n)
{
    size_t i, one, at = der_open(b);

    for (i = 0; i < n; i++) {
        one = der_open(b);
        oid_add(b, v[i].method);
        der_add(b, DER_CONTEXT(6), v[i].uri.p, v[i].uri.len);
        der_close(b, one, DER_SEQUENCE);
    }
    der_close(b, at, DER_SEQUENCE);
}

/* --- TLS feature --- */

static bool has_feature(const unsigned *v, size_t n, unsigned feature)
{
    while (n-- > 0) {
        if (v[n] == feature)
            return true;
    }
    return false;
}

int ext_read_tls_features(struct der value, unsigned *v, size_t max, size_t *ret_n)
{
    struct der seq;
    unsigned feature;
    size_t n;

    if (der_whole(value, DER_SEQUENCE, &seq) != 0 || seq.len == 0)
        return -1;
    for (n = 0; seq.len; n++) {
        if (n == max || der_next_uint(&seq, &feature) != 0 || feature > 0xffff || has_feature(v, n, feature))
            return -1;
        v[n] = feature;
    }
    *ret_n = n;
    return 0;
}

void ext_add_tls_features(struct buf *b, const unsigned *v, size_t n)
{
    size_t i, at = der_open(b);

    for (i = 0; i < n; i++)
        der_add_uint(b, v[i]);
    der_close(b, at, DER_SEQUENCE);
}

/* --- values of one piece --- */

int ext_read_null(struct der value)
{
    struct der c;

    return der_whole(value, DER_NULL, &c) == 0 && c.len == 0 ? 0 : -1;
}

void ext_add_null(struct buf *b)
{
    der_add(b, DER_NULL, "", 0);
}

int ext_read_masa_url(struct der value, struct der *ret_url)
{
    struct der url;

    if (der_whole(value, DER_IA5_STRING, &url) != 0 || !is_visible(url))
        return -1;
    *ret_url = url;
    return 0;
}

void ext_add_masa_url(struct buf *b, const char *url)
{
    der_add(b, DER_IA5_STRING, url, strlen(url));
}
