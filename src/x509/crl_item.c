#include "x509/crl_item.h"

int crl_item_number(const struct crl_tbs *t, int64_t *ret)
{
    const struct cert_ext *ext = crl_ext(t, OID_CRL_NUMBER);
    uint64_t v = 0;
    struct der n;
    size_t i;

    if (!ext || der_whole(ext->value, DER_INTEGER, &n) != 0 || n.len == 0 || n.len > 8 || (n.p[0] & 0x80))
        return 0;
    for (i = 0; i < n.len; i++)
        v = v << 8 | n.p[i];
    *ret = (int64_t)v;
    return 1;
}

static const struct cert_ext *item_ext(const struct crl_item *item, enum oid id)
{
    size_t i;

    for (i = 0; i < item->n_exts; i++) {
        if (oid_is(item->exts[i].oid, id))
            return &item->exts[i];
    }
    return NULL;
}

int crl_item_reason(const struct crl_item *item)
{
    const struct cert_ext *ext = item_ext(item, OID_CRL_REASON);
    struct der v;

    if (!ext || der_whole(ext->value, DER_ENUMERATED, &v) != 0 || v.len != 1 || v.p[0] > 10 || v.p[0] == 7)
        return -1;
    return v.p[0];
}

int64_t crl_item_invalid_since(const struct crl_item *item)
{
    const struct cert_ext *ext = item_ext(item, OID_INVALIDITY_DATE);
    struct der in;
    int64_t t;
    bool right;

    if (!ext)
        return 0;
    in = ext->value;
    return der_next_time(&in, &t, &right) == 0 && in.len == 0 ? t : 0;
}

int crl_item_find(const struct crl_tbs *t, struct der serial, struct crl_item *ret)
{
    struct der in = t->revoked;

    while (t->has_revoked && in.len && crl_next_entry(&in, ret) == 0) {
        if (der_equal(ret->serial, serial))
            return 1;
    }
    return 0;
}
