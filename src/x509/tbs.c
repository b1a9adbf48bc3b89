/* Reading a TBSCertificate: RFC 5280 4.1. */
#include "x509/cert.h"

#include <string.h>

static int syntax(struct p11ca_err *err, const char *text)
{
    return err_set(err, P11CA_REFUSED, "CERT_SYNTAX", "certificate: RFC 5280 %s", text);
}

static int read_version(struct der *in, struct tbs *t)
{
    struct der c;
    unsigned v = 0;
    int has = der_next_optional(in, DER_CONTEXT_CONSTRUCTED(0), &c);

    if (has < 0)
        return -1;
    /* v1 is the default: DER leaves it out */
    if (has && (der_next_uint(&c, &v) != 0 || c.len != 0 || v == 0 || v > 2))
        return -1;
    t->version = v + 1;
    return 0;
}

static int read_validity(struct tbs *t, struct p11ca_err *err)
{
    struct der in = t->validity;
    bool before, after;

    if (der_next_time(&in, &t->not_before, &before) != 0 || der_next_time(&in, &t->not_after, &after) != 0 ||
        in.len != 0)
        return syntax(err, "4.1.2.5: validity: want two times with seconds and Z, have something else");
    t->validity_encoded_right = before && after;
    return 0;
}

static int read_exts(struct der explicit, struct tbs *t, struct p11ca_err *err)
{
    struct der seq;

    if (der_whole(explicit, DER_SEQUENCE, &seq) != 0 || seq.len == 0)
        return syntax(err, "4.1.2.9: extensions: want a sequence of one or more, have something else");
    while (seq.len) {
        if (t->n_exts == LIMIT_EXTS)
            return err_set(
                err, P11CA_REFUSED, "CERT_SYNTAX", "certificate: want at most %d extensions", LIMIT_EXTS);
        if (ext_next(&seq, &t->exts[t->n_exts]) != 0)
            return syntax(err, "4.2: want extensions, critical only when TRUE, have something else");
        t->n_exts++;
    }
    return 0;
}

/* issuerUniqueID, subjectUniqueID, extensions */
static int read_tail(struct der *in, struct tbs *t, struct p11ca_err *err)
{
    struct der c;
    int one = der_next_optional(in, DER_CONTEXT(1), &c), two = der_next_optional(in, DER_CONTEXT(2), &c),
        exts;

    t->has_unique_id = one > 0 || two > 0;
    exts = der_next_optional(in, DER_CONTEXT_CONSTRUCTED(3), &c);
    if (one < 0 || two < 0 || exts < 0 || in->len != 0)
        return syntax(err, "4.1: want nothing but extensions after the key, have something else");
    return exts ? read_exts(c, t, err) : 0;
}

int tbs_read(struct der tbs, struct tbs *ret, struct p11ca_err *err)
{
    struct tbs t = {.n_exts = 0};
    struct der in;

    if (der_whole(tbs, DER_SEQUENCE, &in) != 0)
        return syntax(err, "4.1: want TBSCertificate, have something else");
    if (read_version(&in, &t) != 0)
        return syntax(err, "4.1.2.1: version: want v1 (left out), v2 or v3, have something else");
    if (der_next(&in, DER_INTEGER, &t.serial) != 0 || der_next_tlv(&in, DER_SEQUENCE, &t.alg) != 0 ||
        der_next_tlv(&in, DER_SEQUENCE, &t.issuer) != 0 || der_next(&in, DER_SEQUENCE, &t.validity) != 0 ||
        der_next_tlv(&in, DER_SEQUENCE, &t.subject) != 0 || der_next_tlv(&in, DER_SEQUENCE, &t.spki) != 0)
        return syntax(
            err, "4.1: want serial, algorithm, issuer, validity, subject, key, have something else");
    if (read_validity(&t, err) != 0 || read_tail(&in, &t, err) != 0)
        return -1;
    *ret = t;
    return 0;
}

const struct cert_ext *tbs_ext(const struct tbs *t, enum oid id)
{
    const struct der oid = oid_der(id);
    size_t i;

    for (i = 0; i < t->n_exts; i++) {
        if (oid_equal(t->exts[i].oid, oid))
            return &t->exts[i];
    }
    return NULL;
}

static int fact_bc(struct der value, struct cert_facts *f)
{
    f->has_bc = true;
    return ext_read_bc(value, &f->is_ca, &f->pathlen);
}

static int fact_ku(struct der value, struct cert_facts *f)
{
    f->has_ku = true;
    return ext_read_ku(value, &f->key_usage);
}

static int fact_eku(struct der value, struct cert_facts *f)
{
    f->has_eku = true;
    return ext_read_eku(value, &f->eku);
}

static int fact_ski(struct der value, struct cert_facts *f)
{
    return ext_read_ski(value, &f->ski);
}

static int fact_aki(struct der value, struct cert_facts *f)
{
    return ext_read_aki(value, &f->aki);
}

static int fact_san(struct der value, struct cert_facts *f)
{
    struct der c;

    f->san = value;
    return der_whole(value, DER_SEQUENCE, &c);
}

int tbs_facts(const struct tbs *t, struct cert_facts *ret, struct p11ca_err *err)
{
    static const struct {
        enum oid oid;
        int (*read)(struct der value, struct cert_facts *f);
    } facts[] = {
        {OID_BASIC_CONSTRAINTS, fact_bc},
        {OID_KEY_USAGE, fact_ku},
        {OID_EXT_KEY_USAGE, fact_eku},
        {OID_SKI, fact_ski},
        {OID_AKI, fact_aki},
        {OID_SAN, fact_san},
    };
    struct cert_facts f = {.pathlen = -1};
    size_t i;

    for (i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        const struct cert_ext *ext = tbs_ext(t, facts[i].oid);

        if (ext && (!der_is_canonical(ext->value, DER_MAX_DEPTH) || facts[i].read(ext->value, &f) != 0))
            return err_set(err, P11CA_REFUSED, "CERT_EXT_BAD",
                "certificate: extension %s: RFC 5280 4.2: want one DER value of its type, have something "
                "else",
                oid_name(facts[i].oid));
    }
    *ret = f;
    return 0;
}
