#include "x509/cert.h"

#include "x509/pem.h"

/* ECDSA: two INTEGERs of the order's length, each with a sign octet, in a SEQUENCE (RFC 3279 2.2.3). */
size_t cert_size_max(struct der tbs, const struct spki *signer)
{
    const struct sigalg *alg = sigalg_for_key(signer);
    size_t half = (signer->bits + 7) / 8, sig = signer->kind == KEY_RSA ? half : 2 * (half + 3) + 3;
    size_t body = tbs.len + alg->id.len + sig + 5;

    return body + (body < 128 ? 2 : body < 256 ? 3 : body < 65536 ? 4 : 5);
}

void cert_assemble(struct der tbs, const struct sigalg *alg, struct der sig, struct buf *ret)
{
    size_t at = der_open(ret);

    der_add_raw(ret, tbs);
    der_add_raw(ret, alg->id);
    der_add_bits(ret, sig.p, sig.len);
    der_close(ret, at, DER_SEQUENCE);
}

static int read_parts(struct cert *cert, struct p11ca_err *err)
{
    struct der seq;

    if (der_check(der_buf(&cert->der), DER_MAX_DEPTH, "certificate", err) != 0)
        return -1;
    if (der_whole(der_buf(&cert->der), DER_SEQUENCE, &seq) != 0 ||
        der_next_tlv(&seq, DER_SEQUENCE, &cert->tbs) != 0 ||
        der_next_tlv(&seq, DER_SEQUENCE, &cert->alg_id) != 0 || der_next_bits(&seq, &cert->sig) != 0 ||
        seq.len != 0)
        return err_set(err, P11CA_REFUSED, "CERT_SYNTAX",
            "certificate: RFC 5280 4.1: want Certificate, have something else");
    if (tbs_read(cert->tbs, &cert->t, err) != 0)
        return -1;
    if (!der_equal(cert->alg_id, cert->t.alg))
        return err_set(err, P11CA_REFUSED, "CERT_ALG_MISMATCH",
            "certificate: RFC 5280 4.1.1.2: signatureAlgorithm: want what the signed part says, have "
            "another");
    cert->alg = sigalg_find(cert->alg_id);
    return 0;
}

int cert_read(const uint8_t *p, size_t len, struct cert *ret, struct p11ca_err *err)
{
    struct cert cert = CERT_INIT;

    if (len > LIMIT_CERT)
        return err_set(err, P11CA_REFUSED, "INPUT_TOO_LARGE", "certificate: want at most %d octets, have %zu",
            LIMIT_CERT, len);
    if (pem_decode(p, len, PEM_CERT, &cert.der, err) != 0 || read_parts(&cert, err) != 0) {
        cert_done(&cert);
        return -1;
    }
    *ret = cert;
    return 0;
}

void cert_done(struct cert *cert)
{
    buf_done(&cert->der);
}

int cert_verify(
    const struct cert *cert, EVP_PKEY *issuer_pub, const struct sigalg *alg, struct p11ca_err *err)
{
    if (cert->alg != alg)
        return err_set(err, P11CA_NEGATIVE, "SIGNATURE_BAD", "certificate: signature: want %s, have %s",
            alg->text, cert->alg ? cert->alg->text : "another algorithm");
    return sigalg_verify(issuer_pub, alg, cert->tbs, cert->sig, err) == 0 ? 0
                                                                          : err_prefix(err, "certificate");
}

bool cert_is_ca(const struct cert *cert)
{
    const struct cert_ext *ext = tbs_ext(&cert->t, OID_BASIC_CONSTRAINTS);
    int pathlen;
    bool ca;

    return ext && ext_read_bc(ext->value, &ca, &pathlen) == 0 && ca;
}

bool cert_is_self_issued(const struct cert *cert)
{
    return der_equal(cert->t.issuer, cert->t.subject);
}
