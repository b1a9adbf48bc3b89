/*
 * OCSP responses (RFC 6960), made beforehand by the lightweight profile (RFC 5019, RFC 9919): one certificate each, no
 * nonce, no extensions, the responder by its key. Order of calls for one that is made:
 *
 *   ocsp_tbs_build  the ResponseData from a plan
 *   ocsp_tbs_lint   every rule over those bytes, parsed anew
 *   sigalg_sign     by the responder's key, in its token
 *   ocsp_assemble   ResponseData, algorithm, signature, the responder's certificate
 *   ocsp_read       parsed anew; ocsp.tbs must equal what was linted
 *   ocsp_verify     by the responder's certificate
 */
#ifndef X509_OCSP_H
#define X509_OCSP_H

#include "base/hash.h"
#include "x509/cert.h"

/* What names of a CertID are hashed with: clients of today ask with SHA-1, those of tomorrow with SHA-256 (RFC 9919). */
enum ocsp_hash { OCSP_SHA1, OCSP_SHA256, OCSP_HASHES };

/* "sha1", "sha256" */
const char *ocsp_hash_name(enum ocsp_hash hash);

/* Whose certificates are answered for, as a CertID says it. */
struct ocsp_id {
    uint8_t name[SHA256_LEN], key[SHA256_LEN]; /* of the CA's subject, of its public key's bits */
    size_t len;                                /* of each */
};

/* Who signs the responses. Read-only once it is made: share it between threads. */
struct ocsp_signer {
    const struct issuer *ca; /* borrowed */
    struct cert cert;        /* der.len 0: the CA itself */
    struct spki spki;
    EVP_PKEY *pub;
    const struct sigalg *alg;
    uint8_t key_sha1[SKI_LEN];     /* the ResponderID */
    int64_t not_before, not_after; /* of its certificate */
    struct ocsp_id ids[OCSP_HASHES];
};

/*
 * The CA itself, or the responder to whom it gave this certificate. Refused: OCSP_SIGNER (not by this CA, no OCSPSigning,
 * a CA, no digitalSignature; RFC 6960 4.2.2.2, RFC 5280 4.2.1.3). Free with ocsp_signer_free().
 */
P11CA_CHECK int ocsp_signer_ca(const struct issuer *ca, struct ocsp_signer **ret, struct p11ca_err *err);
P11CA_CHECK int ocsp_signer_read(
    const struct issuer *ca, struct der cert, struct ocsp_signer **ret, struct p11ca_err *err);
void ocsp_signer_free(struct ocsp_signer *s);

enum ocsp_status { OCSP_GOOD, OCSP_REVOKED, OCSP_UNKNOWN };

struct ocsp_plan {
    const struct ocsp_signer *signer;
    enum ocsp_hash hash;
    uint8_t serial[SERIAL_LEN]; /* INTEGER content, as the certificate has it */
    size_t serial_len;
    enum ocsp_status status;
    int64_t revoked_at;
    int reason; /* CRLReason; -1 and 0: none is written */
    int64_t produced_at, this_update, next_update;
};

/* Appends a ResponseData. A plan that breaks a rule is built all the same: ocsp_tbs_lint() says so. */
P11CA_CHECK int ocsp_tbs_build(const struct ocsp_plan *plan, struct buf *ret, struct p11ca_err *err);

/* Appends the OCSPRequest (no nonce, no signature) that asks for it: what a client sends, byte for byte. */
P11CA_CHECK int ocsp_request_build(const struct ocsp_plan *plan, struct buf *ret, struct p11ca_err *err);

/* A SingleResponse in slices of its bytes. */
struct ocsp_single {
    struct der hash;                /* AlgorithmIdentifier, TLV */
    struct der name_hash, key_hash; /* octets */
    struct der serial;              /* INTEGER content */
    enum ocsp_status status;
    int64_t revoked_at;
    int reason; /* -1: none */
    int64_t this_update, next_update;
    bool has_next_update;
    struct cert_ext exts[LIMIT_CRL_EXTS];
    size_t n_exts;
};

/* A ResponseData in slices of its bytes. */
struct ocsp_tbs {
    struct der by_name; /* Name, TLV; p NULL: by key */
    struct der by_key;  /* octets; p NULL: by name */
    int64_t produced_at;
    struct der singles; /* content: ocsp_next_single() */
    size_t n_singles;
    struct cert_ext exts[LIMIT_CRL_EXTS];
    size_t n_exts;
};

/* Form only, that of every single response included. Code OCSP_SYNTAX. */
P11CA_CHECK int ocsp_tbs_read(struct der tbs, struct ocsp_tbs *ret, struct p11ca_err *err);

/* Takes the next SingleResponse off in, an ocsp_tbs.singles: 0, or -1 when it is none. */
P11CA_CHECK int ocsp_next_single(struct der *in, struct ocsp_single *ret);

/*
 * The first rule the bytes break, as
 *   OCSP response: RFC 6960 4.2.2.1: nextUpdate: want a time after thisUpdate, 2026-06-01T00:00:00Z, have ...
 * with the row's id as the code.
 */
P11CA_CHECK int ocsp_tbs_lint(struct der tbs, const struct ocsp_signer *signer, struct p11ca_err *err);

/* Appends the OCSPResponse, successful, with the signer's certificate unless it is the CA's. */
void ocsp_assemble(struct der tbs, const struct ocsp_signer *signer, struct der sig, struct buf *ret);

/* An OCSPResponse in slices of the caller's bytes. */
struct ocsp {
    unsigned status;  /* OCSPResponseStatus; all else is empty unless 0, successful */
    struct der basic; /* BasicOCSPResponse, TLV */
    struct der tbs;
    struct ocsp_tbs t;
    struct der alg_id; /* TLV */
    struct der sig;
    struct der certs; /* content: certificates; empty: none */
};

#define LIMIT_OCSP LIMIT_CERT /* a response and its responder's certificate */

/* DER of one whole response. Code OCSP_SYNTAX. Whether all is canonical, ocsp_is_canonical() says. */
P11CA_CHECK int ocsp_read(struct der der, struct ocsp *ret, struct p11ca_err *err);
bool ocsp_is_canonical(struct der der);

/* P11CA_NEGATIVE with code SIGNATURE_BAD when it is not by the signer. */
P11CA_CHECK int ocsp_verify(const struct ocsp *ocsp, const struct ocsp_signer *signer, struct p11ca_err *err);

/* Whether the CertID is the CA's, by a hash we know. ret (may be NULL): which. */
bool ocsp_single_is_of(
    const struct ocsp_single *s, const struct ocsp_id ids[OCSP_HASHES], enum ocsp_hash *ret);

/* The two hashes of a CA's name and key. */
P11CA_CHECK int ocsp_ids(const struct issuer *ca, struct ocsp_id ret[OCSP_HASHES], struct p11ca_err *err);

#endif
