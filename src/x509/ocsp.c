/* Reading OCSP responses: RFC 6960 4.2.1. */
#include "x509/ocsp.h"

#include <string.h>

static int syntax(struct p11ca_err *err, const char *text)
{
    return err_set(err, P11CA_REFUSED, "OCSP_SYNTAX", "OCSP response: RFC 6960 4.2.1: %s", text);
}

/* GeneralizedTime in every year, to the second. */
static int next_time(struct der *in, int64_t *ret)
{
    bool right;

    return der_peek_tag(*in) == DER_GENERALIZED_TIME ? der_next_time(in, ret, &right) : -1;
}

/* Extensions under an EXPLICIT tag at the end of what holds them; none is fine. */
static int read_exts(struct der *in, struct cert_ext exts[LIMIT_CRL_EXTS], size_t *ret_n)
{
    struct der explicit, seq;
    size_t n = 0;
    int has = der_next_optional(in, DER_CONTEXT_CONSTRUCTED(1), &explicit);

    if (has < 0 || in->len != 0)
        return -1;
    if (has && (der_whole(explicit, DER_SEQUENCE, &seq) != 0 || seq.len == 0))
        return -1;
    while (has && seq.len) {
        if (n == LIMIT_CRL_EXTS || ext_next(&seq, &exts[n]) != 0)
            return -1;
        n++;
    }
    *ret_n = n;
    return 0;
}

static int read_cert_id(struct der *in, struct ocsp_single *s)
{
    struct der id;

    return der_next(in, DER_SEQUENCE, &id) != 0 || der_next_tlv(&id, DER_SEQUENCE, &s->hash) != 0 ||
                   der_next(&id, DER_OCTET_STRING, &s->name_hash) != 0 ||
                   der_next(&id, DER_OCTET_STRING, &s->key_hash) != 0 ||
                   der_next(&id, DER_INTEGER, &s->serial) != 0 || id.len != 0
               ? -1
               : 0;
}

static int read_revoked(struct der info, struct ocsp_single *s)
{
    struct der explicit, octet;
    int has;

    if (next_time(&info, &s->revoked_at) != 0)
        return -1;
    has = der_next_optional(&info, DER_CONTEXT_CONSTRUCTED(0), &explicit);
    if (has < 0 || info.len != 0)
        return -1;
    if (!has)
        return 0;
    if (der_whole(explicit, DER_ENUMERATED, &octet) != 0 || octet.len != 1)
        return -1;
    s->reason = octet.p[0];
    return 0;
}

static int read_status(struct der *in, struct ocsp_single *s)
{
    struct der content;
    uint8_t tag;

    if (der_next_tag(in, &tag, &content) != 0)
        return -1;
    s->status = tag == DER_CONTEXT(0)               ? OCSP_GOOD
                : tag == DER_CONTEXT_CONSTRUCTED(1) ? OCSP_REVOKED
                                                    : OCSP_UNKNOWN;
    if (s->status == OCSP_REVOKED)
        return read_revoked(content, s);
    return content.len == 0 && (tag == DER_CONTEXT(0) || tag == DER_CONTEXT(2)) ? 0 : -1;
}

int ocsp_next_single(struct der *in, struct ocsp_single *ret)
{
    struct ocsp_single s = {.reason = -1};
    struct der rest = *in, seq, explicit;
    int has;

    if (der_next(&rest, DER_SEQUENCE, &seq) != 0 || read_cert_id(&seq, &s) != 0 ||
        read_status(&seq, &s) != 0 || next_time(&seq, &s.this_update) != 0)
        return -1;
    has = der_next_optional(&seq, DER_CONTEXT_CONSTRUCTED(0), &explicit);
    if (has < 0 || (has && (next_time(&explicit, &s.next_update) != 0 || explicit.len != 0)))
        return -1;
    s.has_next_update = has == 1;
    if (read_exts(&seq, s.exts, &s.n_exts) != 0)
        return -1;
    *ret = s;
    *in = rest;
    return 0;
}

static int read_responder(struct der *in, struct ocsp_tbs *t)
{
    struct der explicit;
    int has = der_next_optional(in, DER_CONTEXT_CONSTRUCTED(1), &explicit);

    if (has == 1)
        return der_next_tlv(&explicit, DER_SEQUENCE, &t->by_name) == 0 && explicit.len == 0 ? 0 : -1;
    return has == 0 && der_next(in, DER_CONTEXT_CONSTRUCTED(2), &explicit) == 0
               ? der_whole(explicit, DER_OCTET_STRING, &t->by_key)
               : -1;
}

static int read_singles(struct der *in, struct ocsp_tbs *t)
{
    struct ocsp_single single;
    struct der list;

    if (der_next(in, DER_SEQUENCE, &t->singles) != 0 || t->singles.len == 0)
        return -1;
    for (list = t->singles; list.len; t->n_singles++) {
        if (ocsp_next_single(&list, &single) != 0)
            return -1;
    }
    return 0;
}

int ocsp_tbs_read(struct der tbs, struct ocsp_tbs *ret, struct p11ca_err *err)
{
    struct ocsp_tbs t = {.n_exts = 0};
    struct der in;

    /* v1 is the default, so it is left out, and there is no other. */
    if (der_whole(tbs, DER_SEQUENCE, &in) != 0 || read_responder(&in, &t) != 0)
        return syntax(
            err, "want ResponseData of version 1 with its responder's name or key, have something else");
    if (next_time(&in, &t.produced_at) != 0)
        return syntax(err, "producedAt: want a GeneralizedTime with seconds and Z, have something else");
    if (read_singles(&in, &t) != 0)
        return syntax(err, "responses: want at least one with CertID, status and times, have something else");
    if (read_exts(&in, t.exts, &t.n_exts) != 0)
        return syntax(err, "want nothing but responseExtensions at the end, have something else");
    *ret = t;
    return 0;
}

static int read_basic(struct der basic, struct ocsp *o)
{
    struct der seq, explicit;
    int has;

    if (der_whole(basic, DER_SEQUENCE, &seq) != 0 || der_next_tlv(&seq, DER_SEQUENCE, &o->tbs) != 0 ||
        der_next_tlv(&seq, DER_SEQUENCE, &o->alg_id) != 0 || der_next_bits(&seq, &o->sig) != 0)
        return -1;
    has = der_next_optional(&seq, DER_CONTEXT_CONSTRUCTED(0), &explicit);
    if (has < 0 || seq.len != 0)
        return -1;
    o->basic = basic;
    return has ? der_whole(explicit, DER_SEQUENCE, &o->certs) : 0;
}

static int read_bytes(struct der explicit, struct ocsp *o)
{
    struct der seq, type, octets;

    return der_whole(explicit, DER_SEQUENCE, &seq) != 0 || der_next(&seq, DER_OID, &type) != 0 ||
                   !oid_is(type, OID_OCSP_BASIC) || der_whole(seq, DER_OCTET_STRING, &octets) != 0
               ? -1
               : read_basic(octets, o);
}

int ocsp_read(struct der der, struct ocsp *ret, struct p11ca_err *err)
{
    struct ocsp o = {.status = 0};
    struct der seq, octet, explicit;
    int has;

    if (der_whole(der, DER_SEQUENCE, &seq) != 0 || der_next(&seq, DER_ENUMERATED, &octet) != 0 ||
        octet.len != 1 || octet.p[0] == 4 || octet.p[0] > 6)
        return syntax(err, "want OCSPResponse with its status, have something else");
    o.status = octet.p[0];
    has = der_next_optional(&seq, DER_CONTEXT_CONSTRUCTED(0), &explicit);
    if (has < 0 || seq.len != 0 || (has == 1) != (o.status == 0))
        return syntax(err, "responseBytes: want them when, and only when, it is successful");
    if (has && read_bytes(explicit, &o) != 0)
        return syntax(err, "responseBytes: want a BasicOCSPResponse, have something else");
    if (has && ocsp_tbs_read(o.tbs, &o.t, err) != 0)
        return -1;
    *ret = o;
    return 0;
}

/* What is inside an OCTET STRING nobody else looks at. */
bool ocsp_is_canonical(struct der der)
{
    struct p11ca_err ignored;
    struct ocsp o;

    return der_is_canonical(der, DER_MAX_DEPTH) && ocsp_read(der, &o, &ignored) == 0 &&
           (o.status != 0 || der_is_canonical(o.basic, DER_MAX_DEPTH));
}

int ocsp_verify(const struct ocsp *ocsp, const struct ocsp_signer *signer, struct p11ca_err *err)
{
    const struct sigalg *alg = sigalg_find(ocsp->alg_id);

    if (alg != signer->alg)
        return err_set(err, P11CA_NEGATIVE, "SIGNATURE_BAD", "OCSP response: signature: want %s, have %s",
            signer->alg->text, alg ? alg->text : "another algorithm");
    return sigalg_verify(signer->pub, alg, ocsp->tbs, ocsp->sig, err) == 0 ? 0
                                                                           : err_prefix(err, "OCSP response");
}
