/* Reading a TBSCertList: RFC 5280 5.1. */
#include "x509/crl.h"

static int syntax(struct p11ca_err *err, const char *text)
{
    return err_set(err, P11CA_REFUSED, "CRL_SYNTAX", "CRL: RFC 5280 %s", text);
}

/* Content of a SEQUENCE OF Extension, one or more of them. */
static int read_exts(struct der seq, struct cert_ext *exts, size_t max, size_t *ret_n)
{
    size_t n = 0;

    if (seq.len == 0)
        return -1;
    while (seq.len) {
        if (n == max || ext_next(&seq, &exts[n]) != 0)
            return -1;
        n++;
    }
    *ret_n = n;
    return 0;
}

int crl_next_entry(struct der *in, struct crl_item *ret)
{
    struct crl_item item = {.n_exts = 0};
    struct der rest = *in, seq, exts;
    int has;

    if (der_next(&rest, DER_SEQUENCE, &seq) != 0 || der_next(&seq, DER_INTEGER, &item.serial) != 0 ||
        der_next_time(&seq, &item.revoked_at, &item.time_encoded_right) != 0)
        return -1;
    has = der_next_optional(&seq, DER_SEQUENCE, &exts);
    if (has < 0 || seq.len != 0)
        return -1;
    if (has && read_exts(exts, item.exts, LIMIT_CRL_EXTS, &item.n_exts) != 0)
        return -1;
    *ret = item;
    *in = rest;
    return 0;
}

/* v1 is the default, so it is left out; there is no v3. */
static int read_version(struct der *in, struct crl_tbs *t)
{
    unsigned v;

    t->version = 1;
    if (der_peek_tag(*in) != DER_INTEGER)
        return 0;
    if (der_next_uint(in, &v) != 0 || v != 1)
        return -1;
    t->version = 2;
    return 0;
}

static int read_times(struct der *in, struct crl_tbs *t)
{
    int tag;
    bool right;

    if (der_next_time(in, &t->this_update, &t->times_encoded_right) != 0)
        return -1;
    tag = der_peek_tag(*in);
    if (tag != DER_UTC_TIME && tag != DER_GENERALIZED_TIME)
        return 0;
    if (der_next_time(in, &t->next_update, &right) != 0)
        return -1;
    t->has_next_update = true;
    t->times_encoded_right = t->times_encoded_right && right;
    return 0;
}

static int read_revoked(struct der *in, struct crl_tbs *t, struct p11ca_err *err)
{
    int has = der_next_optional(in, DER_SEQUENCE, &t->revoked);
    struct der list = t->revoked;
    struct crl_item item;

    if (has < 0)
        return syntax(err, "5.1.2.6: revokedCertificates: want a sequence, have something else");
    t->has_revoked = has == 1;
    while (has && list.len) {
        if (crl_next_entry(&list, &item) != 0)
            return syntax(
                err, "5.1.2.6: revokedCertificates: want serial, date, extensions, have something else");
    }
    return 0;
}

static int read_tail(struct der *in, struct crl_tbs *t, struct p11ca_err *err)
{
    struct der explicit, seq;
    int has = der_next_optional(in, DER_CONTEXT_CONSTRUCTED(0), &explicit);

    if (has < 0 || in->len != 0)
        return syntax(err, "5.1: want nothing but extensions at the end, have something else");
    if (has && (der_whole(explicit, DER_SEQUENCE, &seq) != 0 ||
                   read_exts(seq, t->exts, LIMIT_EXTS, &t->n_exts) != 0))
        return syntax(err, "5.1.2.7: crlExtensions: want extensions, critical only when TRUE, have something "
                           "else");
    return 0;
}

int crl_tbs_read(struct der tbs, struct crl_tbs *ret, struct p11ca_err *err)
{
    struct crl_tbs t = {.n_exts = 0};
    struct der in;

    if (der_whole(tbs, DER_SEQUENCE, &in) != 0)
        return syntax(err, "5.1: want TBSCertList, have something else");
    if (read_version(&in, &t) != 0)
        return syntax(err, "5.1.2.1: version: want v1 (left out) or v2, have something else");
    if (der_next_tlv(&in, DER_SEQUENCE, &t.alg) != 0 || der_next_tlv(&in, DER_SEQUENCE, &t.issuer) != 0)
        return syntax(err, "5.1: want algorithm and issuer, have something else");
    if (read_times(&in, &t) != 0)
        return syntax(
            err, "5.1.2.4: thisUpdate, nextUpdate: want times with seconds and Z, have something else");
    if (read_revoked(&in, &t, err) != 0 || read_tail(&in, &t, err) != 0)
        return -1;
    *ret = t;
    return 0;
}

const struct cert_ext *crl_ext(const struct crl_tbs *t, enum oid id)
{
    size_t i;

    for (i = 0; i < t->n_exts; i++) {
        if (oid_is(t->exts[i].oid, id))
            return &t->exts[i];
    }
    return NULL;
}
