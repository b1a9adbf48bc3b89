/* OCSP: who may sign responses, and by what names the certificates of a CA are asked for. */
#include <stdlib.h>
#include <string.h>

#include "x509/ocsp.h"

static const char *const digests[] = {[OCSP_SHA1] = "SHA1", [OCSP_SHA256] = "SHA256"};

static int hash(enum ocsp_hash how, struct der what, uint8_t ret[SHA256_LEN], size_t *ret_len)
{
    uint8_t digest[HASH_MAX];

    if (hash_by_name(digests[how], what.p, what.len, digest, ret_len) != 0)
        return -1;
    memcpy(ret, digest, *ret_len);
    return 0;
}

/* RFC 6960 4.1.1: of the name's DER, and of the key without tag, length and unused bits. */
int ocsp_ids(const struct issuer *ca, struct ocsp_id ret[OCSP_HASHES], struct p11ca_err *err)
{
    enum ocsp_hash h;

    for (h = 0; h < OCSP_HASHES; h++) {
        if (hash(h, ca->subject, ret[h].name, &ret[h].len) != 0 ||
            hash(h, spki_key(&ca->spki), ret[h].key, &ret[h].len) != 0)
            return err_openssl(err, P11CA_BUG, "OCSP: %s", digests[h]);
    }
    return 0;
}

static bool is_alg(struct der id, enum ocsp_hash h)
{
    static const struct {
        const char *p;
        size_t len;
    } oids[] = {[OCSP_SHA1] = {"\x2b\x0e\x03\x02\x1a", 5},
        [OCSP_SHA256] = {"\x60\x86\x48\x01\x65\x03\x04\x02\x01", 9}};
    struct der seq, oid;

    return der_whole(id, DER_SEQUENCE, &seq) == 0 && der_next(&seq, DER_OID, &oid) == 0 &&
           der_equal(oid, DER_OF((const uint8_t *)oids[h].p, oids[h].len));
}

bool ocsp_single_is_of(
    const struct ocsp_single *s, const struct ocsp_id ids[OCSP_HASHES], enum ocsp_hash *ret)
{
    enum ocsp_hash h;

    for (h = 0; h < OCSP_HASHES; h++) {
        if (!is_alg(s->hash, h) || !der_equal(s->name_hash, DER_OF(ids[h].name, ids[h].len)) ||
            !der_equal(s->key_hash, DER_OF(ids[h].key, ids[h].len)))
            continue;
        if (ret)
            *ret = h;
        return true;
    }
    return false;
}

static int bad(struct p11ca_err *err, const char *text)
{
    return err_set(err, P11CA_REFUSED, "OCSP_SIGNER", "OCSP signer's certificate: %s", text);
}

/* RFC 6960 4.2.2.2: given by the very CA, for this use. */
static int check_delegated(const struct issuer *ca, const struct cert *cert, struct p11ca_err *err)
{
    struct cert_facts f;

    if (tbs_facts(&cert->t, &f, err) != 0)
        return err_prefix(err, "OCSP signer's certificate");
    if (!der_equal(cert->t.issuer, ca->subject) || cert_verify(cert, ca->pub, ca->alg, err) != 0)
        return bad(
            err, "RFC 6960 4.2.2.2: want it issued by the CA that is answered for, have another issuer");
    if (f.is_ca)
        return bad(err, "RFC 6960 4.2.2.2: want an end entity, have a CA");
    if (!f.has_eku || !(f.eku & EKU_OCSP_SIGNING))
        return bad(err, "RFC 6960 4.2.2.2: extKeyUsage: want OCSPSigning, have it not");
    if (f.has_ku && !(f.key_usage & USAGE_DIGITAL_SIGNATURE))
        return bad(err, "RFC 5280 4.2.1.3: keyUsage: want digitalSignature, have it not");
    return 0;
}

static int fill(struct ocsp_signer *s, const struct spki *spki, struct p11ca_err *err)
{
    s->spki = *spki;
    s->alg = sigalg_for_key(spki);
    return spki_evp1(spki, &s->pub, err) != 0 || spki_ski(spki, s->key_sha1, err) != 0 ||
                   ocsp_ids(s->ca, s->ids, err) != 0
               ? -1
               : 0;
}

static int fill_ca(struct ocsp_signer *s, struct p11ca_err *err)
{
    if (s->ca->has_ku && !(s->ca->key_usage & USAGE_DIGITAL_SIGNATURE))
        return bad(err,
            "RFC 5280 4.2.1.3: keyUsage: want digitalSignature in a CA that signs its own responses, "
            "have it not");
    s->not_before = s->ca->not_before;
    s->not_after = s->ca->not_after;
    return fill(s, &s->ca->spki, err);
}

static int fill_delegated(struct ocsp_signer *s, struct der der, struct p11ca_err *err)
{
    struct spki spki;

    if (cert_read(der.p, der.len, &s->cert, err) != 0)
        return err_prefix(err, "OCSP signer's certificate");
    if (check_delegated(s->ca, &s->cert, err) != 0)
        return -1;
    if (spki_read(s->cert.t.spki.p, s->cert.t.spki.len, &spki, err) != 0)
        return err_prefix(err, "OCSP signer's certificate");
    s->not_before = s->cert.t.not_before;
    s->not_after = s->cert.t.not_after;
    return fill(s, &spki, err);
}

static int make(
    const struct issuer *ca, const struct der *cert, struct ocsp_signer **ret, struct p11ca_err *err)
{
    struct ocsp_signer *s = calloc(1, sizeof(*s));

    if (!s)
        return err_nomem(err);
    s->ca = ca;
    if ((cert ? fill_delegated(s, *cert, err) : fill_ca(s, err)) != 0) {
        ocsp_signer_free(s);
        return -1;
    }
    *ret = s;
    return 0;
}

int ocsp_signer_ca(const struct issuer *ca, struct ocsp_signer **ret, struct p11ca_err *err)
{
    return make(ca, NULL, ret, err);
}

int ocsp_signer_read(
    const struct issuer *ca, struct der cert, struct ocsp_signer **ret, struct p11ca_err *err)
{
    return make(ca, &cert, ret, err);
}

void ocsp_signer_free(struct ocsp_signer *s)
{
    if (!s)
        return;
    cert_done(&s->cert);
    EVP_PKEY_free(s->pub);
    free(s);
}
