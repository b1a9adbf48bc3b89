#include "ceremony/approver.h"

#include <string.h>

#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"
#include "token/signer.h"
#include "x509/cert.h"
#include "x509/key.h"
#include "x509/ossl.h"

static int check_certificate(
    const struct person *p, const struct cert *cert, int64_t now, struct p11ca_err *err)
{
    char from[TEXT_TIME], to[TEXT_TIME], have[TEXT_TIME];
    struct cert_facts facts;

    if (tbs_facts(&cert->t, &facts, err) != 0)
        return err_prefix(err, "%s", p->certificate_path);
    if (facts.has_ku && !(facts.key_usage & (USAGE_DIGITAL_SIGNATURE | USAGE_NON_REPUDIATION)))
        return err_set(err, P11CA_REFUSED, "APPROVAL_KEY",
            "%s: RFC 5280 4.2.1.3: keyUsage: want digitalSignature or nonRepudiation to approve with, have "
            "neither",
            p->certificate_path);
    if (now >= cert->t.not_before && now <= cert->t.not_after)
        return 0;
    text_time(cert->t.not_before, from);
    text_time(cert->t.not_after, to);
    text_time(now, have);
    return err_set(err, P11CA_REFUSED, "APPROVAL_KEY",
        "%s: RFC 5280 6.1.3: validity: good from %s to %s, it is %s", p->certificate_path, from, to, have);
}

int approver_certificate(const struct person *p, int64_t now, struct spki *ret, struct p11ca_err *err)
{
    AUTO_BUF file = BUF_INIT;
    AUTO_CERT cert = CERT_INIT;

    if (file_read(p->certificate_path, LIMIT_CERT, &file, err) != 0)
        return -1;
    if (cert_read(file.p, file.len, &cert, err) != 0 ||
        spki_read(cert.t.spki.p, cert.t.spki.len, ret, err) != 0 || spki_check_weak(ret, err) != 0)
        return err_prefix(err, "%s", p->certificate_path);
    return check_certificate(p, &cert, now, err);
}

int approver_verify(const struct spki *key, struct der bytes, struct der sig, struct p11ca_err *err)
{
    SCOPED(pkey) EVP_PKEY *pub = NULL;

    if (spki_evp1(key, &pub, err) != 0)
        return -1;
    return sigalg_verify(pub, sigalg_for_key(key), bytes, sig, err);
}

/* A token at work for one signature. */
struct desk {
    struct token *token;
    struct key key;
    struct signer *signer;
};

static void desk_done(struct desk *d)
{
    signer_close(d->signer);
    if (d->key.token)
        key_done(&d->key);
    token_close(d->token);
}

/* A token without the public object: the certificate has it. */
static int key_of(const struct p11ca_home *home, const struct person *p, const struct desk *d,
    struct spki *ret, struct p11ca_err *err)
{
    struct spki certified;

    if (p->certificate && approver_certificate(p, home_now(home), &certified, err) != 0)
        return -1;
    if (!d->key.spki.len && !p->certificate)
        return err_set(err, P11CA_TOKEN, "KEY_NO_PUBLIC",
            "token '%s': key '%s': no public key object, and no certificate", p->token, p->key);
    if (!d->key.spki.len) {
        *ret = certified;
        return 0;
    }
    if (spki_read(d->key.spki.p, d->key.spki.len, ret, err) != 0)
        return err_prefix(err, "token '%s': key '%s'", p->token, p->key);
    if (p->certificate && !spki_equal(ret, &certified))
        return err_set(err, P11CA_REFUSED, "APPROVAL_KEY",
            "token '%s': key '%s': public key: want that of %s, have another", p->token, p->key,
            p->certificate_path);
    return 0;
}

static int sign(const struct desk *d, const struct spki *key, struct der bytes, struct buf *ret_sig,
    struct p11ca_err *err)
{
    if (sigalg_sign(signer_get0_pkey(d->signer), sigalg_for_key(key), bytes, ret_sig, err) != 0) {
        err->kind = P11CA_TOKEN;
        return signer_explain(d->signer, err);
    }
    if (approver_verify(key, bytes, der_buf(ret_sig), err) != 0) {
        err->kind = P11CA_TOKEN;
        return -1;
    }
    return 0;
}

int approver_sign(const struct p11ca_home *home, const struct person *p, struct der bytes,
    struct spki *ret_key, struct buf *ret_sig, struct p11ca_err *err)
{
    __attribute__((cleanup(desk_done))) struct desk d = {.token = NULL};
    const struct token_binding *binding;
    AUTO_BUF sig = BUF_INIT;
    struct spki key;

    if (home_token(home, p->token, &binding, err) != 0 ||
        token_open(&d.token, binding, &home->env, false, err) != 0 || token_login(d.token, err) != 0 ||
        key_find(&d.key, d.token, p->key, NULL, 0, err) != 0 ||
        signer_open(&d.signer, &d.key, home->gate, err) != 0 || key_of(home, p, &d, &key, err) != 0)
        return -1;
    if (sign(&d, &key, bytes, &sig, err) != 0)
        return err_prefix(err, "token '%s': key '%s'", p->token, p->key);
    *ret_key = key;
    buf_add(ret_sig, sig.p, sig.len);
    return buf_ok(ret_sig) ? 0 : err_nomem(err);
}

int approver_stand_in(struct der bytes, struct spki *ret_key, struct buf *ret_sig, struct p11ca_err *err)
{
    SCOPED(pkey) EVP_PKEY *key = NULL;

    if (key_new(KEY_P256, 0, &key, err) != 0 || spki_of_key(key, ret_key, err) != 0)
        return -1;
    return sigalg_sign(key, sigalg_for_key(ret_key), bytes, ret_sig, err);
}
