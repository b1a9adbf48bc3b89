#include "x509/crl.h"

#include <strings.h>

#include "x509/pem.h"

static const char *const reasons[CRL_REASONS] = {"unspecified", "keyCompromise", "cACompromise",
    "affiliationChanged", "superseded", "cessationOfOperation", "certificateHold", NULL, "removeFromCRL",
    "privilegeWithdrawn", "aACompromise"};

const char *crl_reason_name(int reason)
{
    return reason >= 0 && reason < CRL_REASONS ? reasons[reason] : NULL;
}

int crl_reason_from_name(const char *name)
{
    int i;

    for (i = 0; i < CRL_REASONS; i++) {
        if (reasons[i] && strcasecmp(reasons[i], name) == 0)
            return i;
    }
    return -1;
}

void crl_assemble(struct der tbs, const struct sigalg *alg, struct der sig, struct buf *ret)
{
    size_t at = der_open(ret);

    der_add_raw(ret, tbs);
    der_add_raw(ret, alg->id);
    der_add_bits(ret, sig.p, sig.len);
    der_close(ret, at, DER_SEQUENCE);
}

static int read_parts(struct crl *crl, struct p11ca_err *err)
{
    struct der seq;

    if (der_check(der_buf(&crl->der), DER_MAX_DEPTH, "CRL", err) != 0)
        return -1;
    if (der_whole(der_buf(&crl->der), DER_SEQUENCE, &seq) != 0 ||
        der_next_tlv(&seq, DER_SEQUENCE, &crl->tbs) != 0 ||
        der_next_tlv(&seq, DER_SEQUENCE, &crl->alg_id) != 0 || der_next_bits(&seq, &crl->sig) != 0 ||
        seq.len != 0)
        return err_set(
            err, P11CA_REFUSED, "CRL_SYNTAX", "CRL: RFC 5280 5.1: want CertificateList, have something else");
    if (crl_tbs_read(crl->tbs, &crl->t, err) != 0)
        return -1;
    if (!der_equal(crl->alg_id, crl->t.alg))
        return err_set(err, P11CA_REFUSED, "CRL_ALG_MISMATCH",
            "CRL: RFC 5280 5.1.1.2: signatureAlgorithm: want what the signed part says, have another");
    crl->alg = sigalg_find(crl->alg_id);
    return 0;
}

int crl_read(const uint8_t *p, size_t len, struct crl *ret, struct p11ca_err *err)
{
    struct crl crl = CRL_INIT;

    if (len > LIMIT_CRL)
        return err_set(
            err, P11CA_REFUSED, "INPUT_TOO_LARGE", "CRL: want at most %d octets, have %zu", LIMIT_CRL, len);
    if (pem_decode(p, len, PEM_CRL, &crl.der, err) != 0 || read_parts(&crl, err) != 0) {
        crl_done(&crl);
        return -1;
    }
    *ret = crl;
    return 0;
}

void crl_done(struct crl *crl)
{
    buf_done(&crl->der);
}

int crl_verify(const struct crl *crl, EVP_PKEY *issuer_pub, const struct sigalg *alg, struct p11ca_err *err)
{
    if (crl->alg != alg)
        return err_set(err, P11CA_NEGATIVE, "SIGNATURE_BAD", "CRL: signature: want %s, have %s", alg->text,
            crl->alg ? crl->alg->text : "another algorithm");
    return sigalg_verify(issuer_pub, alg, crl->tbs, crl->sig, err) == 0 ? 0 : err_prefix(err, "CRL");
}
