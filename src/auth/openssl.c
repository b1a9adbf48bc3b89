/* Setting a server's SSL_CTX up, so that it fails closed. */
#include "auth/openssl.h"

#include <openssl/err.h>
#include <pthread.h>
#include <string.h>

#include "auth/authenticator.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/limits.h"
#include "x509/ossl.h"

#define SECURITY_LEVEL 2 /* 112 bits: RSA and DH of 2,048, no SHA-1 */
#define SERVICE_MAX    64

static int wrong(struct p11ca_err *err, const char *text)
{
    return err_set(err, P11CA_CONFIG, "TLS_CONFIG", "TLS server: %s", text);
}

/* --- the authenticator of a context --- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int gate_index = -1;

static void make_index(void)
{
    gate_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

const struct p11ca_auth *gate_of(const SSL_CTX *ctx)
{
    pthread_once(&once, make_index);
    return gate_index < 0 ? NULL : SSL_CTX_get_ex_data(ctx, gate_index);
}

/* It is only ever asked; libssl's slots have no const. */
static void *no_const(const struct p11ca_auth *auth)
{
    union {
        const struct p11ca_auth *in;
        void *out;
    } u = {.in = auth};

    return u.out;
}

/* --- whom libssl itself verifies to --- */

/* One certificate becomes an anchor, and its name is sent to clients, which choose by it. */
static bool add_ca(SSL_CTX *ctx, const struct buf *der)
{
    const unsigned char *p = der->p;
    SCOPED(x509) X509 *cert = d2i_X509(NULL, &p, (long)der->len);

    return cert && X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), cert) == 1 &&
           SSL_CTX_add_client_CA(ctx, cert) == 1;
}

/* Without roots a chain ends at the issuer that is trusted, and need not be self-signed. */
static bool add_cas(SSL_CTX *ctx, const struct p11ca_auth *auth, size_t *n)
{
    bool done = true;
    size_t i;

    for (i = 0; done && i < auth->roots.n; i++, (*n)++)
        done = add_ca(ctx, &auth->roots.certs[i]);
    for (i = 0; done && i < auth->n_trusted; i++) {
        if (auth->trusted[i].issuer) {
            done = add_ca(ctx, &auth->trusted[i].issuer->cert);
            (*n)++;
        }
    }
    return done && (auth->roots.n > 0 ||
                       X509_STORE_set_flags(SSL_CTX_get_cert_store(ctx), X509_V_FLAG_PARTIAL_CHAIN) == 1);
}

/* What the caller loaded before is no longer trusted: the authenticator alone says who is. */
static int set_cas(SSL_CTX *ctx, const struct p11ca_auth *auth, struct p11ca_err *err)
{
    X509_STORE *store = X509_STORE_new();
    size_t n = 0;

    if (!store)
        return err_nomem(err);
    SSL_CTX_set_cert_store(ctx, store);
    SSL_CTX_set_client_CA_list(ctx, NULL);
    if (!add_cas(ctx, auth, &n))
        return err_openssl(err, P11CA_BUG, "TLS server: certificates of CAs");
    return n ? 0 : wrong(err, "want a certificate of a CA to verify to, have keys alone");
}

/* --- the rest --- */

static bool set_limits(SSL_CTX *ctx)
{
    if (SSL_CTX_get_min_proto_version(ctx) < TLS1_2_VERSION &&
        !SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION))
        return false;
    if (SSL_CTX_get_security_level(ctx) < SECURITY_LEVEL)
        SSL_CTX_set_security_level(ctx, SECURITY_LEVEL);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_clear_options(ctx, SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION);
    SSL_CTX_set_verify_depth(ctx, LIMIT_CHAIN);
    /* Replayed requests have a caller, too. */
    return SSL_CTX_set_max_early_data(ctx, 0) == 1 && SSL_CTX_set_recv_max_early_data(ctx, 0) == 1;
}

/* Sessions of one service are none of another's, even where both have the ticket keys (RFC 8446 4.6.1, 8.1). */
static bool set_sessions(SSL_CTX *ctx, const struct p11ca_auth *auth, const char *service)
{
    uint8_t id[SHA256_LEN];

    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    return hash_sha256(service, strlen(service), id) == 0 &&
           SSL_CTX_set_session_id_context(ctx, id, sizeof(id)) == 1 &&
           SSL_CTX_set_session_ticket_cb(ctx, NULL, gate_on_ticket, no_const(auth)) == 1;
}

static int check_arguments(
    const SSL_CTX *ctx, const struct p11ca_auth *auth, const char *service, struct p11ca_err *err)
{
    size_t len = strlen(service);

    if (!auth->sealed)
        return wrong(err, "want a sealed authenticator, have an open one");
    if (len == 0 || len > SERVICE_MAX)
        return wrong(err, "service: want a name of 1 to 64 octets, have another");
    return gate_of(ctx) ? wrong(err, "want a context that is new, have one that is set up") : 0;
}

/* Clients are asked first: a context that is used in spite of an error refuses them all. */
int p11ca_tls_server(SSL_CTX *ctx, const struct p11ca_auth *auth, const char *service, struct p11ca_err *err)
{
    if (check_arguments(ctx, auth, service, err) != 0)
        return -1;
    ERR_clear_error();
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, gate_on_verify, no_const(auth));
    if (set_cas(ctx, auth, err) != 0)
        return -1;
    if (!set_limits(ctx) || !set_sessions(ctx, auth, service) ||
        SSL_CTX_set_ex_data(ctx, gate_index, no_const(auth)) != 1)
        return err_openssl(err, P11CA_BUG, "TLS server");
    return 0;
}
