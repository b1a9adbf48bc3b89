/*
 * libp11ca-auth-openssl: the authenticator (p11ca/auth.h) in servers that speak TLS with OpenSSL's libssl. pkg-config
 * calls it p11ca-auth-openssl.
 *
 * Order of calls:
 *
 *   SSL_CTX_new()         and the server's own certificate and key
 *   p11ca_tls_server()    from now on every client of this context is asked who it is
 *   SSL_accept()          whom the authenticator refuses is refused in the handshake, with an alert
 *   p11ca_tls_why()       when SSL_accept() failed: what the alert does not say
 *   p11ca_tls_peer()      who it is; before anything the client sent is read, and again whenever one likes
 *
 * A client is asked anew when it resumes a session, where libssl verifies nothing: a ticket whose owner the
 * authenticator does not let in any more is not accepted, and the full handshake that follows ends with the alert. A
 * session that libssl resumed otherwise (one's own cache, another context by SNI) is refused by p11ca_tls_peer().
 *
 * The alerts, RFC 8446 6.2 and RFC 5246 7.2.2. Behind a finished handshake OpenSSL has no way to send one: close.
 *
 *   certificate_revoked (44)      REVOKED
 *   certificate_expired (45)      CERT_EXPIRED, ISSUER_EXPIRED
 *   certificate_unknown (46)      REVOCATION_UNKNOWN, REVOCATION_STALE, POLICY_MISSING: not the client's doing alone
 *   unsupported_certificate (43)  EKU_MISSING, KEY_USAGE_MISSING
 *   unknown_ca (48)               ISSUER_UNTRUSTED, CHAIN_*
 *   decrypt_error (51)            SIGNATURE_BAD
 *   internal_error (80)           AUTH_OPEN, AUTH_CLOCK, no memory
 *   bad_certificate (42)          all others: NOT_ALLOWED, IDENT_*, PIN_*, names that do not parse, CERT_EARLY, KEY_*
 *   certificate_required (116)    no certificate; in TLS 1.2 handshake_failure (40)
 *
 * access_denied (49) would suit NOT_ALLOWED; OpenSSL sends it for no certificate.
 */
#ifndef P11CA_AUTH_OPENSSL_H
#define P11CA_AUTH_OPENSSL_H

#include <p11ca/auth.h>

/* SSL_CTX and SSL of openssl/ssl.h. */
struct ssl_ctx_st;
struct ssl_st;

/*
 * The context of a server takes clients with a certificate alone, those whom the authenticator lets in: TLS 1.2 or
 * later, security level 2 or more, no renegotiation, no early data, no session cache (tickets do), sessions of this
 * service alone (1 to 64 octets of name: what resumes at another service was never asked here). Verified is to the
 * roots of p11ca_auth_verify_chain(); without any, to the trusted issuers; their names are sent (RFC 8446 4.2.4). They
 * replace the context's own store. libssl's times are those of the authenticator's clock.
 *
 * auth is borrowed, sealed, and outlives the context. P11CA_CONFIG, TLS_CONFIG: not sealed, no certificate among those
 * that are trusted, a name that is none, a context that was here before; P11CA_BUG, TLS_CONTEXT, libssl's reason. After
 * an error the context is to be thrown away. Not undone by later calls for a while: SSL_CTX_set_verify(),
 * SSL_CTX_set_cert_verify_callback(), SSL_CTX_set_session_ticket_cb() and their like of SSL are the caller's risk;
 * p11ca_tls_peer() refuses all the same whom nobody verified.
 */
P11CA_API P11CA_CHECK int p11ca_tls_server(
    struct ssl_ctx_st *ctx, const struct p11ca_auth *auth, const char *service, struct p11ca_err *err);

/*
 * Who is at the other end, asked of the authenticator of the context that the connection has now (SNI may have changed
 * it), with the CRLs that are loaded now. Cheap enough (one signature) to be asked before every request of a long
 * connection. ret (caller frees) may be NULL, and so may ret_decision, which is filled beside ret alone: it points into *ret
 * and the authenticator.
 * P11CA_NEGATIVE: TLS_OPEN, the handshake is not finished; TLS_CONTEXT, a context p11ca_tls_server() does not know;
 * TLS_NO_CERT, no certificate; TLS_UNVERIFIED, libssl did not verify it; and the answers of p11ca_identity_read() and
 * p11ca_auth_check(), with serial and issuer in front. On -1 nothing is to be read of or written to the connection:
 * SSL_shutdown(), close. The authenticator alone decides about a resumed connection; a chain that was sent is not kept
 * by libssl.
 */
P11CA_API P11CA_CHECK int p11ca_tls_peer(struct ssl_st *ssl, struct p11ca_identity **ret,
    struct p11ca_decision *ret_decision, struct p11ca_err *err);

/*
 * Why SSL_accept() failed: the answer about the client's certificate; TLS_NO_CERT, it sent none; TLS_CHAIN, libssl's
 * word on its chain; or TLS_HANDSHAKE, libssl's reasons for all else. Called directly behind it, by the same thread,
 * whose queue of errors is emptied. The sentence is for the service's log, never for the client.
 */
P11CA_API void p11ca_tls_why(struct ssl_st *ssl, struct p11ca_err *ret);

#endif
