/* What the parts of p11ca/auth_openssl.h share. */
#ifndef AUTH_OPENSSL_H
#define AUTH_OPENSSL_H

#include <p11ca/auth_openssl.h>

#include <openssl/ssl.h>

/* Of an SSL_CTX that p11ca_tls_server() set up; freed with it. NULL: of another one. */
const struct p11ca_auth *gate_of(const SSL_CTX *ctx);

/* The authenticator's answer about a certificate, with what came beside it (NULL: nothing), the first of skip left out;
 * in err with serial and issuer in front. */
P11CA_CHECK int gate_check(const struct p11ca_auth *auth, X509 *cert, const STACK_OF(X509) * sent, int skip,
    struct p11ca_identity **ret, struct p11ca_decision *ret_decision, struct p11ca_err *err);

/* Set as the context's callbacks: full handshakes, and tickets. arg is the authenticator. */
int gate_on_verify(X509_STORE_CTX *store, void *arg);
SSL_TICKET_RETURN gate_on_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t len,
    SSL_TICKET_STATUS status, void *arg);

#endif
