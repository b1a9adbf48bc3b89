/* Servers and clients of libssl in one process: what the handshakes of tests/cli/tls.bats cannot reach. */
#include "auth_help.h"

#include <p11ca/auth_openssl.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

static int64_t now = TEST_NOW;

static int64_t clock_of(void *arg)
{
    return *(const int64_t *)arg;
}

/* Lets a.example in, by the factory. */
static struct p11ca_auth *make_auth(bool by_key)
{
    struct p11ca_auth *a = p11ca_auth_new();
    const struct issuer *ca = test_factory()->issuer;
    const struct der spki = spki_der(&ca->spki);

    assert_non_null(a);
    assert_ok(by_key ? p11ca_auth_trust_key(a, spki.p, spki.len, &err)
                     : p11ca_auth_trust_cert(a, ca->cert.p, ca->cert.len, &err));
    assert_ok(p11ca_auth_principal(a, P11CA_NAME_DNS, &err));
    assert_ok(p11ca_auth_allow(a, P11CA_NAME_DNS, "a.example", &err));
    assert_ok(p11ca_auth_no_revocation(a, &err));
    assert_ok(p11ca_auth_clock(a, clock_of, &now, &err));
    return a;
}

static struct p11ca_auth *sealed_auth(void)
{
    struct p11ca_auth *a = make_auth(false);

    assert_ok(p11ca_auth_seal(a, &err));
    now = TEST_NOW;
    return a;
}

static void use_cert(SSL_CTX *ctx, const char *name)
{
    const struct leaf l = {.san = dns_hex(name)};
    AUTO_BUF der = BUF_INIT;

    leaf_make(&l, &der);
    assert_int_equal(SSL_CTX_use_certificate_ASN1(ctx, (int)der.len, der.p), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, test_key(KEY_P256)), 1);
}

static SSL_CTX *plain_server(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    assert_non_null(ctx);
    use_cert(ctx, "server.example");
    return ctx;
}

static SSL_CTX *server(const struct p11ca_auth *auth, const char *service)
{
    SSL_CTX *ctx = plain_server();

    assert_ok(p11ca_tls_server(ctx, auth, service, &err));
    return ctx;
}

/* --- two ends --- */

struct ends {
    SSL *server, *client;
};

static SSL_SESSION *kept; /* of the client, the last one it was given */

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(kept);
    kept = session;
    return 1;
}

/* NULL: without a certificate. */
static SSL_CTX *client(const char *name, int version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    assert_non_null(ctx);
    assert_int_equal(SSL_CTX_set_max_proto_version(ctx, version), 1);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, keep_session);
    if (name)
        use_cert(ctx, name);
    return ctx;
}

/* Takes ctx of the client; session may be NULL. */
static struct ends meet(SSL_CTX *server_ctx, SSL_CTX *client_ctx, SSL_SESSION *session)
{
    struct ends e = {SSL_new(server_ctx), SSL_new(client_ctx)};
    BIO *a, *b;

    SSL_CTX_free(client_ctx);
    assert_int_equal(BIO_new_bio_pair(&a, 1 << 17, &b, 1 << 17), 1);
    SSL_set_bio(e.server, a, a);
    SSL_set_bio(e.client, b, b);
    SSL_set_accept_state(e.server);
    SSL_set_connect_state(e.client);
    if (session)
        assert_int_equal(SSL_set_session(e.client, session), 1);
    return e;
}

static int alert; /* that the client saw; 0: none */

static void on_info(const SSL *ssl, int where, int value)
{
    (void)ssl;
    if (where == SSL_CB_READ_ALERT && (value & 0xff) != SSL_AD_CLOSE_NOTIFY)
        alert = value & 0xff;
}

static struct p11ca_err why; /* the server's */

/* 0, or the alert that the client saw. */
static int shake(struct ends *e)
{
    char c;
    int i, rc = 0;

    alert = 0;
    SSL_set_info_callback(e->client, on_info);
    for (i = 0; i < 8 && rc != 1; i++) {
        SSL_do_handshake(e->client);
        ERR_clear_error();
        rc = SSL_do_handshake(e->server);
        if (rc != 1 && SSL_get_error(e->server, rc) == SSL_ERROR_SSL) {
            p11ca_tls_why(e->server, &why);
            assert_int_equal(ERR_peek_error(), 0);
            break;
        }
    }
    SSL_do_handshake(e->client);
    SSL_read(e->client, &c, 1);
    return alert;
}

static void part(struct ends *e)
{
    SSL_shutdown(e->server);
    SSL_shutdown(e->client);
    SSL_free(e->server);
    SSL_free(e->client);
    ERR_clear_error();
}

static void assert_why(const char *code, const char *msg)
{
    assert_string_equal(why.msg, msg);
    assert_string_equal(why.code, code);
    assert_int_equal(why.kind, P11CA_NEGATIVE);
}

#define AT   "TLS client: serial 0123456789ABCDEF of 'CN=Acme Factory CA 1,O=Acme,C=US': "
#define LATE AT "certificate: RFC 5280 4.1.2.5: notAfter: want a time from now on, have 2026-06-02T00:00:00Z"

static const int versions[] = {TLS1_3_VERSION, TLS1_2_VERSION};
#define EACH_VERSION (size_t v = 0; v < 2; v++)

/* --- who it is --- */

static void says_who_it_is(void **state)
{
    (void)state;
    struct p11ca_auth *auth = sealed_auth();
    SSL_CTX *ctx = server(auth, "order");

    for
        EACH_VERSION
        {
            struct ends e = meet(ctx, client("a.example", versions[v]), NULL);
            struct p11ca_identity *id = NULL;
            struct p11ca_decision d;

            assert_negative(p11ca_tls_peer(e.server, &id, &d, &err), "TLS_OPEN",
                "TLS client: want a finished handshake, have one under way");
            assert_int_equal(shake(&e), 0);
            assert_ok(p11ca_tls_peer(e.server, &id, &d, &err));
            assert_string_equal(d.principal->text, "a.example");
            assert_string_equal(d.rule, "DNS:a.example");
            p11ca_identity_free(id);
            assert_ok(p11ca_tls_peer(e.server, NULL, NULL, &err));
            assert_negative(p11ca_tls_peer(e.client, NULL, NULL, &err), "TLS_CONTEXT",
                "TLS client: want a context that p11ca_tls_server() set up, have another");
            /* A long connection is asked again. */
            now = TEST_NOW + 86401;
            id = NULL;
            assert_negative(p11ca_tls_peer(e.server, &id, &d, &err), "CERT_EXPIRED", LATE);
            assert_null(id);
            now = TEST_NOW;
            part(&e);
        }
    SSL_CTX_free(ctx);
    p11ca_auth_free(auth);
}

static void refuses_in_the_handshake_and_says_why(void **state)
{
    (void)state;
    struct p11ca_auth *auth = sealed_auth();
    SSL_CTX *ctx = server(auth, "order");

    for
        EACH_VERSION
        {
            struct ends e = meet(ctx, client("b.example", versions[v]), NULL);

            assert_int_equal(shake(&e), SSL_AD_BAD_CERTIFICATE);
            assert_why("NOT_ALLOWED", AT "DNS 'b.example': want a rule that lets it in, have none");
            assert_negative(p11ca_tls_peer(e.server, NULL, NULL, &err), "TLS_OPEN",
                "TLS client: want a finished handshake, have one under way");
            part(&e);
            e = meet(ctx, client(NULL, versions[v]), NULL);
            assert_int_equal(shake(&e),
                versions[v] == TLS1_3_VERSION ? SSL_AD_CERTIFICATE_REQUIRED : SSL_AD_HANDSHAKE_FAILURE);
            assert_why("TLS_NO_CERT", "TLS client: want a certificate, have none");
            part(&e);
        }
    struct ends e = meet(ctx, client("a.example", TLS1_1_VERSION), NULL);
    SSL_set_security_level(e.client, 0);
    assert_int_equal(shake(&e), SSL_AD_PROTOCOL_VERSION);
    assert_why("TLS_HANDSHAKE", "TLS client: handshake: unsupported protocol");
    part(&e);
    SSL_CTX_free(ctx);
    p11ca_auth_free(auth);
}

/* --- sessions --- */

/* Meets and resumes what was kept; the alert, and whether it was resumed. */
static int resume(SSL_CTX *ctx, const char *name, int version, struct ends *ret)
{
    *ret = meet(ctx, client(name, version), kept);
    return shake(ret);
}

static void first(SSL_CTX *ctx, int version)
{
    struct ends e = meet(ctx, client("a.example", version), NULL);

    assert_int_equal(shake(&e), 0);
    assert_non_null(kept);
    part(&e);
}

static void fail_open_tickets_are_asked_about_anew(void **state)
{
    (void)state;
    struct p11ca_auth *auth = sealed_auth();
    SSL_CTX *ctx = server(auth, "order");

    for
        EACH_VERSION
        {
            struct ends e;

            first(ctx, versions[v]);
            assert_int_equal(resume(ctx, "a.example", versions[v], &e), 0);
            assert_true(SSL_session_reused(e.server));
            assert_ok(p11ca_tls_peer(e.server, NULL, NULL, &err));
            part(&e);
            now = TEST_NOW + 86401;
            assert_int_equal(resume(ctx, "a.example", versions[v], &e), SSL_AD_CERTIFICATE_EXPIRED);
            assert_false(SSL_session_reused(e.server));
            assert_why("TLS_CHAIN", AT "RFC 5280 6.1: certificate 0 of the chain: certificate has expired");
            part(&e);
            now = TEST_NOW;
        }
    SSL_CTX_free(ctx);
    p11ca_auth_free(auth);
}

/* A caller's own cache: libssl asks nobody, p11ca_tls_peer() does. */
static void fail_open_cached_sessions_are_asked_about_anew(void **state)
{
    (void)state;
    struct p11ca_auth *auth = sealed_auth();
    SSL_CTX *ctx = server(auth, "order");

    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    for
        EACH_VERSION
        {
            struct ends e;

            first(ctx, versions[v]);
            now = TEST_NOW + 86401;
            assert_int_equal(resume(ctx, "a.example", versions[v], &e), 0);
            assert_true(SSL_session_reused(e.server));
            assert_negative(p11ca_tls_peer(e.server, NULL, NULL, &err), "CERT_EXPIRED", LATE);
            part(&e);
            now = TEST_NOW;
        }
    SSL_CTX_free(ctx);
    p11ca_auth_free(auth);
}

/* With the same ticket keys. */
static void fail_open_sessions_are_of_one_service(void **state)
{
    unsigned char keys[80] = "not secret";
    struct p11ca_auth *auth = sealed_auth();
    SSL_CTX *order = server(auth, "order"), *payment = server(auth, "payment");
    SSL_SESSION *of_order;
    struct ends e;

    (void)state;
    SSL_CTX_set_tlsext_ticket_keys(order, keys, sizeof(keys));
    SSL_CTX_set_tlsext_ticket_keys(payment, keys, sizeof(keys));
    first(order, TLS1_3_VERSION);
    of_order = kept;
    assert_int_equal(SSL_SESSION_up_ref(of_order), 1);
    assert_int_equal(resume(payment, "a.example", TLS1_3_VERSION, &e), 0);
    assert_false(SSL_session_reused(e.server));
    part(&e);
    SSL_SESSION_free(kept);
    kept = of_order;
    assert_int_equal(resume(order, "a.example", TLS1_3_VERSION, &e), 0);
    assert_true(SSL_session_reused(e.server));
    part(&e);
    SSL_CTX_free(order);
    SSL_CTX_free(payment);
    p11ca_auth_free(auth);
}

/* --- contexts that were set up otherwise --- */

static int yes(int ok, X509_STORE_CTX *store)
{
    (void)ok, (void)store;
    return 1;
}

static int yes_to_all(X509_STORE_CTX *store, void *arg)
{
    (void)arg;
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
    return 1;
}

static void fail_open_nobody_is_let_in_unverified(void **state)
{
    struct p11ca_auth *auth = sealed_auth();
    SSL_CTX *ctx = server(auth, "order"), *plain = plain_server();
    struct ends e;

    (void)state;
    /* As nginx does: a callback that says yes. */
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, yes);
    now = TEST_NOW + 86401;
    e = meet(ctx, client("a.example", TLS1_3_VERSION), NULL);
    assert_int_equal(shake(&e), SSL_AD_CERTIFICATE_EXPIRED);
    assert_why("TLS_CHAIN", AT "RFC 5280 6.1: certificate 0 of the chain: certificate has expired");
    part(&e);
    now = TEST_NOW;
    SSL_CTX_set_cert_verify_callback(ctx, yes_to_all, NULL);
    e = meet(ctx, client("a.example", TLS1_3_VERSION), NULL);
    assert_int_equal(shake(&e), 0);
    assert_negative(p11ca_tls_peer(e.server, NULL, NULL, &err), "TLS_UNVERIFIED",
        "TLS client: want a certificate that was verified, have another");
    part(&e);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    e = meet(ctx, client("a.example", TLS1_3_VERSION), NULL);
    assert_int_equal(shake(&e), 0);
    assert_negative(p11ca_tls_peer(e.server, NULL, NULL, &err), "TLS_NO_CERT",
        "TLS client: want a certificate, have none");
    /* Another context, as by SNI. */
    SSL_set_SSL_CTX(e.server, plain);
    assert_negative(p11ca_tls_peer(e.server, NULL, NULL, &err), "TLS_CONTEXT",
        "TLS client: want a context that p11ca_tls_server() set up, have another");
    part(&e);
    SSL_CTX_free(plain);
    SSL_CTX_free(ctx);
    p11ca_auth_free(auth);
}

/* Whatever the caller had set before. */
static void settings(void **state)
{
    struct p11ca_auth *auth = sealed_auth();
    SSL_CTX *ctx = plain_server();

    (void)state;
    SSL_CTX_set_options(ctx, SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION | SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_max_early_data(ctx, 1024);
    assert_int_equal(SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION), 1);
    assert_ok(p11ca_tls_server(ctx, auth, "order", &err));
    assert_true(SSL_CTX_get_options(ctx) & SSL_OP_NO_RENEGOTIATION);
    assert_false(SSL_CTX_get_options(ctx) & SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION);
    assert_int_equal(SSL_CTX_get_security_level(ctx), 2);
    assert_int_equal(SSL_CTX_get_max_early_data(ctx), 0);
    assert_int_equal(SSL_CTX_get_min_proto_version(ctx), TLS1_2_VERSION);
    assert_int_equal(SSL_CTX_get_session_cache_mode(ctx), SSL_SESS_CACHE_OFF);
    SSL_CTX_free(ctx);
    /* What is stricter stays. */
    ctx = plain_server();
    SSL_CTX_set_security_level(ctx, 3);
    assert_int_equal(SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION), 1);
    assert_ok(p11ca_tls_server(ctx, auth, "order", &err));
    assert_int_equal(SSL_CTX_get_security_level(ctx), 3);
    assert_int_equal(SSL_CTX_get_min_proto_version(ctx), TLS1_3_VERSION);
    SSL_CTX_free(ctx);
    p11ca_auth_free(auth);
}

static void refuses_what_cannot_refuse(void **state)
{
    struct p11ca_auth *open = make_auth(false), *key = make_auth(true), *auth = sealed_auth();
    SSL_CTX *ctx = plain_server();
    struct ends e;

    (void)state;
    assert_ok(p11ca_auth_seal(key, &err));
    assert_answer(p11ca_tls_server(ctx, open, "order", &err), P11CA_CONFIG, "TLS_CONFIG",
        "TLS server: want a sealed authenticator, have an open one");
    assert_answer(p11ca_tls_server(ctx, auth, "", &err), P11CA_CONFIG, "TLS_CONFIG",
        "TLS server: service: want a name of 1 to 64 octets, have another");
    assert_answer(p11ca_tls_server(ctx, key, "order", &err), P11CA_CONFIG, "TLS_CONFIG",
        "TLS server: want a certificate of a CA to verify to, have keys alone");
    /* Used in spite of it, it takes nobody. */
    e = meet(ctx, client("a.example", TLS1_3_VERSION), NULL);
    assert_int_equal(shake(&e), SSL_AD_UNKNOWN_CA);
    part(&e);
    assert_ok(p11ca_tls_server(ctx, auth, "order", &err));
    assert_answer(p11ca_tls_server(ctx, auth, "order", &err), P11CA_CONFIG, "TLS_CONFIG",
        "TLS server: want a context that is new, have one that is set up");
    SSL_CTX_free(ctx);
    p11ca_auth_free(open);
    p11ca_auth_free(key);
    p11ca_auth_free(auth);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_who_it_is),
        cmocka_unit_test(refuses_in_the_handshake_and_says_why),
        cmocka_unit_test(fail_open_tickets_are_asked_about_anew),
        cmocka_unit_test(fail_open_cached_sessions_are_asked_about_anew),
        cmocka_unit_test(fail_open_sessions_are_of_one_service),
        cmocka_unit_test(fail_open_nobody_is_let_in_unverified),
        cmocka_unit_test(settings),
        cmocka_unit_test(refuses_what_cannot_refuse),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    SSL_SESSION_free(kept);
    return test_done(failed);
}
