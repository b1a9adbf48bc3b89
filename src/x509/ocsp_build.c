/* OCSP: the bytes of responses, and of the requests that ask for them. */
#include "x509/ocsp.h"

/* RFC 6960 4.1.1; parameters NULL, as clients write them. */
static const struct {
    const char *name;
    size_t len;
    uint8_t id[16];
} hashes[] = {
    [OCSP_SHA1] = {"sha1", 11, {0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00}},
    [OCSP_SHA256] = {"sha256", 15,
        {0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00}},
};

const char *ocsp_hash_name(enum ocsp_hash hash)
{
    return hashes[hash].name;
}

static void add_cert_id(const struct ocsp_plan *plan, struct buf *b)
{
    const struct ocsp_id *id = &plan->signer->ids[plan->hash];
    size_t at = der_open(b);

    der_add_raw(b, DER_OF(hashes[plan->hash].id, hashes[plan->hash].len));
    der_add(b, DER_OCTET_STRING, id->name, id->len);
    der_add(b, DER_OCTET_STRING, id->key, id->len);
    /* Not der_add_integer(): the very octets of the certificate. */
    der_add(b, DER_INTEGER, plan->serial, plan->serial_len);
    der_close(b, at, DER_SEQUENCE);
}

static void add_revoked(const struct ocsp_plan *plan, struct buf *b)
{
    size_t explicit, at = der_open(b);
    uint8_t reason = (uint8_t)plan->reason;

    der_add_generalized_time(b, plan->revoked_at);
    if (plan->reason > 0) { /* RFC 5280 5.3.1: unspecified is said by saying nothing */
        explicit = der_open(b);
        der_add(b, DER_ENUMERATED, &reason, 1);
        der_close(b, explicit, DER_CONTEXT_CONSTRUCTED(0));
    }
    der_close(b, at, DER_CONTEXT_CONSTRUCTED(1));
}

static void add_single(const struct ocsp_plan *plan, struct buf *b)
{
    size_t explicit, at = der_open(b);

    add_cert_id(plan, b);
    if (plan->status == OCSP_REVOKED)
        add_revoked(plan, b);
    else
        der_add(b, DER_CONTEXT(plan->status == OCSP_GOOD ? 0 : 2), NULL, 0);
    der_add_generalized_time(b, plan->this_update);
    explicit = der_open(b);
    der_add_generalized_time(b, plan->next_update);
    der_close(b, explicit, DER_CONTEXT_CONSTRUCTED(0));
    der_close(b, at, DER_SEQUENCE);
}

static int built(const struct buf *b, struct p11ca_err *err)
{
    return buf_ok(b) ? 0 : err_set(err, P11CA_BUG, "TBS", "OCSP: no memory, or a time outside 1950 to 9999");
}

int ocsp_tbs_build(const struct ocsp_plan *plan, struct buf *ret, struct p11ca_err *err)
{
    size_t inner, at = der_open(ret);

    inner = der_open(ret); /* RFC 5019 2.2.1: by key is the shorter */
    der_add(ret, DER_OCTET_STRING, plan->signer->key_sha1, SKI_LEN);
    der_close(ret, inner, DER_CONTEXT_CONSTRUCTED(2));
    der_add_generalized_time(ret, plan->produced_at);
    inner = der_open(ret);
    add_single(plan, ret);
    der_close(ret, inner, DER_SEQUENCE);
    der_close(ret, at, DER_SEQUENCE);
    return built(ret, err);
}

int ocsp_request_build(const struct ocsp_plan *plan, struct buf *ret, struct p11ca_err *err)
{
    size_t at[4], i;

    for (i = 0; i < 4; i++) /* OCSPRequest, TBSRequest, requestList, Request */
        at[i] = der_open(ret);
    add_cert_id(plan, ret);
    while (i--)
        der_close(ret, at[i], DER_SEQUENCE);
    return built(ret, err);
}

static void add_basic(struct der tbs, const struct ocsp_signer *signer, struct der sig, struct buf *b)
{
    size_t certs, seq, at = der_open(b);

    der_add_raw(b, tbs);
    der_add_raw(b, signer->alg->id);
    der_add_bits(b, sig.p, sig.len);
    if (signer->cert.der.len) {
        certs = der_open(b);
        seq = der_open(b);
        der_add_raw(b, der_buf(&signer->cert.der));
        der_close(b, seq, DER_SEQUENCE);
        der_close(b, certs, DER_CONTEXT_CONSTRUCTED(0));
    }
    der_close(b, at, DER_SEQUENCE);
}

void ocsp_assemble(struct der tbs, const struct ocsp_signer *signer, struct der sig, struct buf *ret)
{
    static const uint8_t successful = 0;
    size_t explicit, seq, octets, at = der_open(ret);

    der_add(ret, DER_ENUMERATED, &successful, 1);
    explicit = der_open(ret);
    seq = der_open(ret);
    oid_add(ret, OID_OCSP_BASIC);
    octets = der_open(ret);
    add_basic(tbs, signer, sig, ret);
    der_close(ret, octets, DER_OCTET_STRING);
    der_close(ret, seq, DER_SEQUENCE);
    der_close(ret, explicit, DER_CONTEXT_CONSTRUCTED(0));
    der_close(ret, at, DER_SEQUENCE);
}
