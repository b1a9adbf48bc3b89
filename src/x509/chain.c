#include "x509/chain.h"

#include <limits.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/text.h"
#include "x509/cert.h"
#include "x509/name.h"
#include "x509/ossl.h"

static int negative(struct p11ca_err *err, const char *code, const char *text)
{
    return err_set(err, P11CA_NEGATIVE, code, "chain: %s", text);
}

/* Our own reader first: what is not DER never reaches OpenSSL. */
static int load(struct der der, const char *what, X509 **ret, struct p11ca_err *err)
{
    AUTO_CERT cert = CERT_INIT;
    const uint8_t *p;
    X509 *x;

    if (cert_read(der.p, der.len, &cert, err) != 0)
        return err_prefix(err, "%s", what);
    p = cert.der.p;
    x = d2i_X509(NULL, &p, (long)cert.der.len);
    if (!x)
        return err_openssl(err, P11CA_REFUSED, "%s: certificate", what);
    *ret = x;
    return 0;
}

static const char *explain_flags(const struct tbs *t, struct p11ca_err *why)
{
    struct cert_facts facts;
    size_t i, k;

    for (i = 1; i < t->n_exts; i++) {
        for (k = 0; k < i; k++) {
            if (der_equal(t->exts[i].oid, t->exts[k].oid))
                return "has an extension twice";
        }
    }
    return tbs_facts(t, &facts, why) != 0 ? why->msg : "has an extension that does not parse";
}

/*
 * OpenSSL marks a certificate with a doubled or unreadable extension as invalid and then reports that no issuer
 * was found. The mark is looked at first, to give the true reason.
 */
static int check_marks(X509 *x, struct der der, const char *what, struct p11ca_err *err)
{
    AUTO_CERT cert = CERT_INIT;
    struct p11ca_err why;

    if (!(X509_get_extension_flags(x) & EXFLAG_INVALID))
        return 0;
    err_openssl(err, P11CA_NEGATIVE, "chain");
    if (cert_read(der.p, der.len, &cert, err) != 0)
        return -1;
    return err_set(
        err, P11CA_NEGATIVE, "CHAIN_BAD", "chain: %s: RFC 5280 4.2: %s", what, explain_flags(&cert.t, &why));
}

static int load_marked(struct der der, const char *what, X509 **ret, struct p11ca_err *err)
{
    SCOPED(x509) X509 *x = NULL;

    if (load(der, what, &x, err) != 0 || check_marks(x, der, what, err) != 0)
        return -1;
    *ret = x;
    x = NULL;
    return 0;
}

static int load_intermediates(const struct chain *chain, STACK_OF(X509) * stack, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < chain->n_intermediates; i++) {
        X509 *x = NULL;

        if (load_marked(chain->intermediates[i], "intermediate", &x, err) != 0)
            return -1;
        if (sk_X509_push(stack, x) <= 0) {
            X509_free(x);
            return err_nomem(err);
        }
    }
    return 0;
}

static int load_roots(const struct chain *chain, X509_STORE *store, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < chain->n_roots; i++) {
        SCOPED(x509) X509 *x = NULL;

        if (load_marked(chain->roots[i], "root", &x, err) != 0)
            return -1;
        if (X509_STORE_add_cert(store, x) != 1)
            return err_openssl(err, P11CA_BUG, "root");
    }
    return 0;
}

static const struct {
    int purpose;
    unsigned eku;
    const char *name;
} purposes[] = {
    [CHAIN_ANY] = {0, 0, ""},
    [CHAIN_SERVER] = {X509_PURPOSE_SSL_SERVER, EKU_SERVER, "serverAuth"},
    [CHAIN_CLIENT] = {X509_PURPOSE_SSL_CLIENT, EKU_CLIENT, "clientAuth"},
};

/* Security level 2 (112 bits): no RSA below 2048, no SHA-1. */
static int set_up(X509_STORE_CTX *ctx, const struct chain *chain, struct p11ca_err *err)
{
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    int purpose = purposes[chain->purpose].purpose;

    X509_VERIFY_PARAM_set_time(param, (time_t)chain->at);
    X509_VERIFY_PARAM_set_auth_level(param, 2);
    if (X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT) != 1 ||
        (purpose && X509_VERIFY_PARAM_set_purpose(param, purpose) != 1))
        return err_openssl(err, P11CA_BUG, "chain: parameters");
    return 0;
}

static int say_why(X509_STORE_CTX *ctx, struct p11ca_err *err)
{
    X509 *at = X509_STORE_CTX_get_current_cert(ctx);
    int code = X509_STORE_CTX_get_error(ctx), depth = X509_STORE_CTX_get_error_depth(ctx);
    unsigned char *der = NULL;
    AUTO_BUF name = BUF_INIT;
    struct p11ca_err ignored;
    int len = at ? i2d_X509_NAME(X509_get_subject_name(at), &der) : 0;

    if (len > 0 && name_to_text(DER_OF(der, (size_t)len), &name, &ignored) != 0)
        buf_reset(&name);
    OPENSSL_free(der);
    err_openssl(err, P11CA_NEGATIVE, "chain");
    return err_set(err, P11CA_NEGATIVE, "CHAIN_BAD", "chain: RFC 5280 6.1: %s (certificate %d, '%s')",
        X509_verify_cert_error_string(code), depth, buf_str(&name) ? (char *)name.p : "");
}

/* OpenSSL takes a leaf without extKeyUsage, and a client with keyAgreement only. */
static int check_usage(const struct chain *chain, struct p11ca_err *err)
{
    AUTO_CERT leaf = CERT_INIT;
    struct cert_facts f;

    if (chain->purpose == CHAIN_ANY)
        return 0;
    if (cert_read(chain->leaf.p, chain->leaf.len, &leaf, err) != 0 || tbs_facts(&leaf.t, &f, err) != 0)
        return -1;
    if (!(f.eku & purposes[chain->purpose].eku))
        return err_set(err, P11CA_NEGATIVE, "CHAIN_BAD",
            "chain: RFC 5280 4.2.1.12: extKeyUsage: want %s, have none", purposes[chain->purpose].name);
    if (f.has_ku && !(f.key_usage & USAGE_DIGITAL_SIGNATURE))
        return negative(err, "CHAIN_BAD", "RFC 5280 4.2.1.3: keyUsage: want digitalSignature, have none");
    return 0;
}

/* RFC 9525 6: the SAN only, a wildcard for one whole label only. */
static int check_host(X509 *leaf, const char *host, struct p11ca_err *err)
{
    int rc;

    if (!host)
        return 0;
    rc = X509_check_ip_asc(leaf, host, 0);
    if (rc == -2)
        rc = X509_check_host(
            leaf, host, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL);
    if (rc == 1)
        return 0;
    if (rc < 0)
        return err_openssl(err, P11CA_REFUSED, "host '%s'", host);
    return err_set(err, P11CA_NEGATIVE, "HOST_MISMATCH",
        "chain: RFC 9525 6: want '%s' in the SAN, have other names", host);
}

int chain_verify(const struct chain *chain, struct p11ca_err *err)
{
    SCOPED(x509) X509 *leaf = NULL;
    SCOPED(x509_store) X509_STORE *store = X509_STORE_new();
    SCOPED(x509_stack) STACK_OF(X509) *stack = sk_X509_new_null();
    SCOPED(x509_store_ctx) X509_STORE_CTX *ctx = X509_STORE_CTX_new();

    if (!store || !stack || !ctx)
        return err_nomem(err);
    if (load_marked(chain->leaf, "leaf", &leaf, err) != 0 || load_intermediates(chain, stack, err) != 0 ||
        load_roots(chain, store, err) != 0)
        return -1;
    if (X509_STORE_CTX_init(ctx, store, leaf, stack) != 1)
        return err_openssl(err, P11CA_BUG, "chain");
    if (set_up(ctx, chain, err) != 0)
        return -1;
    if (X509_verify_cert(ctx) != 1)
        return say_why(ctx, err);
    if (check_usage(chain, err) != 0)
        return -1;
    return check_host(leaf, chain->host, err);
}
