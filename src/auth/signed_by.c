#include "auth/signed_by.h"

int cert_signed_by(
    const struct cert *cert, struct der issuer, const struct spki *key, EVP_PKEY *pub, struct p11ca_err *err)
{
    const struct sigalg *alg = NULL;

    if (issuer.p && !der_equal(cert->t.issuer, issuer))
        return err_set(err, P11CA_NEGATIVE, "ISSUER_OTHER",
            "certificate: RFC 5280 4.1.2.4: issuer: want the octets of the authority's name, have others");
    if (sigalg_read(cert->alg_id, key->kind, "CERT", &alg, err) != 0)
        return err_prefix(err, "certificate");
    return sigalg_verify(pub, alg, cert->tbs, cert->sig, err) == 0 ? 0 : err_prefix(err, "certificate");
}

int crl_signed_by(
    const struct crl *crl, struct der issuer, const struct spki *key, EVP_PKEY *pub, struct p11ca_err *err)
{
    const struct sigalg *alg = NULL;
    struct p11ca_err why;

    if (!der_equal(crl->t.issuer, issuer))
        return err_set(err, P11CA_REFUSED, "CRL_ISSUER",
            "CRL: RFC 5280 5.1.2.3: issuer: want the octets of a known authority's name, have others");
    if (sigalg_read(crl->alg_id, key->kind, "CRL", &alg, err) != 0)
        return err_prefix(err, "CRL");
    if (sigalg_verify(pub, alg, crl->tbs, crl->sig, &why) != 0)
        return err_set(err, P11CA_REFUSED, "CRL_SIGNATURE",
            "CRL: RFC 5280 5.1.1.3: want a signature by the authority's key with %s, have another",
            alg->text);
    return 0;
}
