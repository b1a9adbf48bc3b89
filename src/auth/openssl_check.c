/* Asking about the client: in full handshakes, of tickets, and behind handshakes. */
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "auth/authenticator.h"
#include "auth/openssl.h"
#include "base/err.h"
#include "x509/ossl.h"

#define NAME_MAX_SHOWN 300 /* octets of serial and issuer in a sentence */

static int negative(struct p11ca_err *err, const char *code, const char *text)
{
    return err_set(err, P11CA_NEGATIVE, code, "TLS client: %s", text);
}

/* --- alerts --- */

/* What libssl turns into the alert (x509table in ssl/statem/statem_lib.c); one without a row there is 46. */
static const struct {
    const char *code; /* its start */
    int verify_error;
} alerts[] = {
    {"REVOKED", X509_V_ERR_CERT_REVOKED},                               /* 44 */
    {"CERT_EXPIRED", X509_V_ERR_CERT_HAS_EXPIRED},                      /* 45 */
    {"ISSUER_EXPIRED", X509_V_ERR_CERT_HAS_EXPIRED},                    /* 45 */
    {"REVOCATION_", X509_V_ERR_CRL_PATH_VALIDATION_ERROR},              /* 46 */
    {"POLICY_MISSING", X509_V_ERR_NO_EXPLICIT_POLICY},                  /* 46 */
    {"EKU_MISSING", X509_V_ERR_INVALID_PURPOSE},                        /* 43 */
    {"KEY_USAGE_MISSING", X509_V_ERR_INVALID_PURPOSE},                  /* 43 */
    {"ISSUER_UNTRUSTED", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY}, /* 48 */
    {"CHAIN_", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},           /* 48 */
    {"SIGNATURE_BAD", X509_V_ERR_CERT_SIGNATURE_FAILURE},               /* 51 */
    {"CERT_EARLY", X509_V_ERR_CERT_NOT_YET_VALID},                      /* 42 */
    {"AUTH_", X509_V_ERR_UNSPECIFIED},                                  /* 80 */
    {"NOMEM", X509_V_ERR_OUT_OF_MEM},                                   /* 80 */
    {"", X509_V_ERR_CERT_REJECTED},                                     /* 42 */
};

static int verify_error(const struct p11ca_err *err)
{
    size_t i = 0;

    while (strncmp(err->code, alerts[i].code, strlen(alerts[i].code)) != 0)
        i++;
    return alerts[i].verify_error;
}

/* --- the reason, kept with the connection --- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int why_index = -1;

static void free_why(void *parent, void *why, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
    (void)parent, (void)data, (void)index, (void)argl, (void)argp;
    free(why);
}

static void make_index(void)
{
    why_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_why);
}

static struct p11ca_err *why_of(const SSL *ssl)
{
    pthread_once(&once, make_index);
    return why_index < 0 ? NULL : SSL_get_ex_data(ssl, why_index);
}

/* Without memory the reason is lost, the refusal is not. */
static void keep_why(SSL *ssl, const struct p11ca_err *err)
{
    struct p11ca_err *why = why_of(ssl);

    if (!why) {
        why = malloc(sizeof(*why));
        if (!why)
            return;
        if (SSL_set_ex_data(ssl, why_index, why) != 1) {
            free(why);
            return;
        }
    }
    *why = *err;
}

/* --- the authenticator's answer --- */

static int read_der(X509 *cert, struct buf *ret, struct p11ca_err *err)
{
    unsigned char *p = NULL;
    int len = i2d_X509(cert, &p);

    if (len <= 0)
        return err_openssl(err, P11CA_REFUSED, "TLS client: certificate");
    buf_add(ret, p, (size_t)len);
    OPENSSL_free(p);
    return buf_ok(ret) ? 0 : err_nomem(err);
}

static int read_sent(const STACK_OF(X509) * sent, int skip, struct p11ca_chain *ret, struct p11ca_err *err)
{
    int i;

    for (i = skip; i < sk_X509_num(sent); i++) {
        AUTO_BUF der = BUF_INIT;

        if (read_der(sk_X509_value(sent, i), &der, err) != 0 || certs_add(ret, der.p, der.len, err) != 0)
            return -1;
    }
    return 0;
}

/* Who reads the log finds the certificate by it, though nothing else of it can be read. */
static int name_client(X509 *cert, struct p11ca_err *err)
{
    SCOPED(bio) BIO *text = BIO_new(BIO_s_mem());
    const char *p = NULL;
    long len;

    if (!text)
        return err_prefix(err, "TLS client");
    BIO_puts(text, "serial ");
    i2a_ASN1_INTEGER(text, X509_get0_serialNumber(cert));
    BIO_puts(text, " of '");
    X509_NAME_print_ex(text, X509_get_issuer_name(cert), 0, XN_FLAG_RFC2253); /* escapes what is not ASCII */
    len = BIO_get_mem_data(text, &p);
    return err_prefix(err, "TLS client: %.*s'", len > NAME_MAX_SHOWN ? NAME_MAX_SHOWN : (int)len, p);
}

static int check_with(const struct p11ca_auth *auth, const struct p11ca_identity *id,
    const STACK_OF(X509) * sent, int skip, struct p11ca_decision *ret, struct p11ca_err *err)
{
    struct p11ca_chain *chain = calloc(1, sizeof(*chain));
    int rc = -1;

    if (!chain)
        return err_nomem(err);
    /* What nobody looks at cannot refuse anybody: clients send roots of all kinds. */
    if (auth->roots.n == 0 || read_sent(sent, skip, chain, err) == 0)
        rc = p11ca_auth_check(auth, id, chain, ret, err);
    p11ca_chain_free(chain);
    return rc;
}

int gate_check(const struct p11ca_auth *auth, X509 *cert, const STACK_OF(X509) * sent, int skip,
    struct p11ca_identity **ret, struct p11ca_decision *ret_decision, struct p11ca_err *err)
{
    AUTO_IDENTITY id = NULL;
    AUTO_BUF der = BUF_INIT;

    if (read_der(cert, &der, err) != 0)
        return -1;
    if (p11ca_identity_read(der.p, der.len, &id, err) != 0)
        return name_client(cert, err);
    if (check_with(auth, id, sent, skip, ret_decision, err) != 0)
        return name_client(cert, err);
    if (ret) {
        *ret = id;
        id = NULL;
    }
    return 0;
}

/* --- full handshakes --- */

/* A fault without a number would be X509_V_OK to those who ask later. */
static int refuse(X509_STORE_CTX *store, SSL *ssl, int error, const struct p11ca_err *err)
{
    X509_STORE_CTX_set_error(store, error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error);
    keep_why(ssl, err);
    return 0;
}

static void chain_error(X509_STORE_CTX *store, struct p11ca_err *err)
{
    err_set(err, P11CA_NEGATIVE, "TLS_CHAIN", "RFC 5280 6.1: certificate %d of the chain: %s",
        X509_STORE_CTX_get_error_depth(store),
        X509_verify_cert_error_string(X509_STORE_CTX_get_error(store)));
    name_client(X509_STORE_CTX_get0_cert(store), err);
}

int gate_on_verify(X509_STORE_CTX *store, void *arg)
{
    const struct p11ca_auth *auth = arg;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct p11ca_err err;

    X509_STORE_CTX_set_time(store, 0, (time_t)auth->clock(auth->clock_arg));
    if (X509_verify_cert(store) != 1) {
        chain_error(store, &err);
        return refuse(store, ssl, X509_STORE_CTX_get_error(store), &err);
    }
    /* The first of those that were sent is the client's own. */
    if (gate_check(auth, X509_STORE_CTX_get0_cert(store), X509_STORE_CTX_get0_untrusted(store), 1, NULL, NULL,
            &err) != 0)
        return refuse(store, ssl, verify_error(&err), &err);
    return 1;
}

/* --- tickets --- */

static bool lets_in(const struct p11ca_auth *auth, SSL_SESSION *session)
{
    X509 *cert = SSL_SESSION_get0_peer(session);
    struct p11ca_err err;

    return cert && gate_check(auth, cert, NULL, 0, NULL, NULL, &err) == 0;
}

/* Whom the authenticator does not let in now is no known client: the full handshake says why, in the alert, too. */
SSL_TICKET_RETURN gate_on_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t len,
    SSL_TICKET_STATUS status, void *arg)
{
    (void)ssl, (void)name, (void)len;
    switch (status) {
    case SSL_TICKET_SUCCESS:
        return lets_in(arg, session) ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_IGNORE_RENEW;
    case SSL_TICKET_SUCCESS_RENEW:
        return lets_in(arg, session) ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_IGNORE_RENEW;
    default: /* empty, or of other keys */
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
}

/* --- behind the handshake --- */

int p11ca_tls_peer(
    SSL *ssl, struct p11ca_identity **ret, struct p11ca_decision *ret_decision, struct p11ca_err *err)
{
    const struct p11ca_auth *auth = gate_of(SSL_get_SSL_CTX(ssl));
    X509 *cert = SSL_get0_peer_certificate(ssl);

    if (!SSL_is_server(ssl) || !auth)
        return negative(err, "TLS_CONTEXT", "want a context that p11ca_tls_server() set up, have another");
    if (!SSL_is_init_finished(ssl))
        return negative(err, "TLS_OPEN", "want a finished handshake, have one under way");
    if (!cert)
        return negative(err, "TLS_NO_CERT", "want a certificate, have none");
    if (SSL_get_verify_result(ssl) != X509_V_OK)
        return negative(err, "TLS_UNVERIFIED", "want a certificate that was verified, have another");
    return gate_check(auth, cert, SSL_get_peer_cert_chain(ssl), 0, ret, ret ? ret_decision : NULL, err);
}

void p11ca_tls_why(SSL *ssl, struct p11ca_err *ret)
{
    const struct p11ca_err *why = why_of(ssl);
    unsigned long first = ERR_peek_error();

    if (why) {
        *ret = *why;
        ERR_clear_error();
    } else if (ERR_GET_LIB(first) == ERR_LIB_SSL &&
               ERR_GET_REASON(first) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
        ERR_clear_error();
        negative(ret, "TLS_NO_CERT", "want a certificate, have none");
    } else {
        err_openssl(ret, P11CA_NEGATIVE, "TLS client: handshake");
        snprintf(ret->code, sizeof(ret->code), "TLS_HANDSHAKE");
    }
}
