#include "x509/issuer.h"

#include <stdlib.h>
#include <string.h>

#include "x509/cert.h"
#include "x509/name.h"

static int bad(struct p11ca_err *err, const char *text)
{
    return err_set(err, P11CA_REFUSED, "ISSUER_BAD", "issuer's certificate: RFC 5280 %s", text);
}

static int check_facts(const struct cert *cert, const struct cert_facts *f, struct p11ca_err *err)
{
    if (!f->is_ca)
        return bad(err, "4.2.1.9: want basicConstraints cA TRUE, have an end entity");
    if (f->has_ku && !(f->key_usage & USAGE_KEY_CERT_SIGN))
        return bad(err, "4.2.1.3: want keyUsage keyCertSign, have none");
    if (name_is_empty(cert->t.subject))
        return bad(err, "4.1.2.6: want a subject, have an empty one");
    if (f->ski.len > sizeof(((struct issuer *)0)->ski))
        return bad(err, "4.2.1.2: want a subjectKeyIdentifier of at most 64 octets, have more");
    return 0;
}

static int fill_key(struct issuer *i, const struct cert *cert, struct der ski, struct p11ca_err *err)
{
    if (spki_read(cert->t.spki.p, cert->t.spki.len, &i->spki, err) != 0 ||
        spki_evp1(&i->spki, &i->pub, err) != 0)
        return err_prefix(err, "issuer's certificate");
    i->alg = sigalg_for_key(&i->spki);
    i->ski_len = ski.len ? ski.len : SKI_LEN;
    if (ski.len == 0)
        return spki_ski(&i->spki, i->ski, err);
    memcpy(i->ski, ski.p, ski.len);
    return 0;
}

/* cert's bytes become the issuer's. */
static int fill(struct issuer *i, struct cert *cert, struct p11ca_err *err)
{
    const struct cert_ext *eku = tbs_ext(&cert->t, OID_EXT_KEY_USAGE);
    struct cert_facts f;

    if (tbs_facts(&cert->t, &f, err) != 0)
        return err_prefix(err, "issuer's certificate");
    if (check_facts(cert, &f, err) != 0 || fill_key(i, cert, f.ski, err) != 0)
        return -1;
    i->subject = cert->t.subject;
    i->not_before = cert->t.not_before;
    i->not_after = cert->t.not_after;
    i->pathlen = f.pathlen;
    i->self_signed = cert_is_self_issued(cert);
    i->has_ku = f.has_ku;
    i->key_usage = f.key_usage;
    i->has_eku = f.has_eku;
    i->eku = f.eku;
    i->eku_value = eku ? eku->value : DER_OF(NULL, 0);
    i->cert = cert->der;
    cert->der = (struct buf)BUF_INIT;
    return 0;
}

int issuer_read(const uint8_t *p, size_t len, struct issuer **ret, struct p11ca_err *err)
{
    AUTO_CERT cert = CERT_INIT;
    struct issuer *i;

    if (cert_read(p, len, &cert, err) != 0)
        return err_prefix(err, "issuer's certificate");
    i = calloc(1, sizeof(*i));
    if (!i)
        return err_nomem(err);
    if (fill(i, &cert, err) != 0) {
        issuer_free(i);
        return -1;
    }
    *ret = i;
    return 0;
}

void issuer_free(struct issuer *issuer)
{
    if (!issuer)
        return;
    buf_done(&issuer->cert);
    EVP_PKEY_free(issuer->pub);
    free(issuer);
}

int issuer_has_signed(const struct issuer *issuer, const struct cert *cert, struct p11ca_err *err)
{
    const struct sigalg *alg;

    if (sigalg_read(cert->alg_id, issuer->spki.kind, "CERT", &alg, err) != 0)
        return -1;
    return cert_verify(cert, issuer->pub, alg, err);
}
