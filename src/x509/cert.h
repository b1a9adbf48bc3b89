/*
 * Certificates. Order of calls for one that is issued:
 *
 *   tbs_build     the to-be-signed bytes from a plan
 *   tbs_lint      every rule over those bytes, parsed anew
 *   sigalg_sign   by the issuer's key, in its token
 *   cert_assemble tbs, algorithm, signature
 *   cert_read     parsed anew; cert.tbs must equal what was linted
 *   cert_verify   by the issuer's certificate
 */
#ifndef X509_CERT_H
#define X509_CERT_H

#include "base/limits.h"
#include "x509/ext.h"
#include "x509/issuer.h"
#include "x509/profiles.h"
#include "x509/san.h"
#include "x509/serial.h"
#include "x509/sigalg.h"

struct cert_plan {
    const struct profile *profile;
    struct der subject; /* Name, TLV (name_from_text, csr.subject); the empty name is 30 00 */
    const struct spki *spki;
    const struct san_list *sans; /* NULL: none */
    uint8_t serial[SERIAL_LEN];  /* INTEGER content, positive */
    size_t serial_len;
    int64_t not_before, not_after;
    const char *crl_url, *ocsp_url,
        *ca_issuers_url;         /* the issuer's, NULL for none; the profile's own come first */
    struct der slot_exts;        /* template_exts() */
    const struct issuer *issuer; /* NULL: self-signed by the key of spki */
};

/*
 * Sets the plan's validity for now by its profile and issuer; days 0: the profile's default. notBefore is not
 * put before the issuer's. Codes CLOCK (now lies before the issuer's notBefore), VALIDITY_TOO_LONG,
 * VALIDITY_NESTING.
 */
P11CA_CHECK int cert_plan_validity(struct cert_plan *plan, int64_t now, unsigned days, struct p11ca_err *err);

static inline const char *cert_plan_crl_url(const struct cert_plan *p)
{
    return p->profile->crl_url ? p->profile->crl_url : p->crl_url;
}

static inline const char *cert_plan_ocsp_url(const struct cert_plan *p)
{
    return p->profile->ocsp_url ? p->profile->ocsp_url : p->ocsp_url;
}

static inline const char *cert_plan_ca_issuers_url(const struct cert_plan *p)
{
    return p->profile->ca_issuers_url ? p->profile->ca_issuers_url : p->ca_issuers_url;
}

/* Appends a TBSCertificate. A plan that breaks its profile is built all the same: tbs_lint() says so. */
P11CA_CHECK int tbs_build(const struct cert_plan *plan, struct buf *ret, struct p11ca_err *err);

/* A TBSCertificate in slices of its bytes. */
struct tbs {
    unsigned version;    /* 1 to 3 */
    struct der serial;   /* INTEGER content, sign octet included */
    struct der alg;      /* AlgorithmIdentifier, TLV */
    struct der issuer;   /* Name, TLV */
    struct der subject;  /* Name, TLV */
    struct der validity; /* content: two times */
    int64_t not_before, not_after;
    bool validity_encoded_right; /* UTCTime through 2049, GeneralizedTime from 2050 */
    struct der spki;             /* TLV */
    bool has_unique_id;          /* issuerUniqueID or subjectUniqueID */
    struct cert_ext exts[LIMIT_EXTS];
    size_t n_exts;
};

/* Form only (DER, order, no bytes left over). Code CERT_SYNTAX. */
P11CA_CHECK int tbs_read(struct der tbs, struct tbs *ret, struct p11ca_err *err);

/* The extension, NULL when it is not there. */
const struct cert_ext *tbs_ext(const struct tbs *t, enum oid id);

/*
 * The first rule the bytes break, as
 *   profile 'server': RFC 5280 4.1.2.2: serial: want 8 to 20 octets, have 0
 * with the row's id as the code (LINT_SERIAL, VALIDITY_NESTING, ...). issuer NULL: self-signed.
 * profile NULL: only the rules that hold for every certificate; issuer NULL then means it is not at hand.
 */
P11CA_CHECK int tbs_lint(
    struct der tbs, const struct profile *profile, const struct issuer *issuer, struct p11ca_err *err);

/* Every rule the bytes break, one call of fn each; returns their number, or -1 when the bytes are no
 * TBSCertificate. */
typedef void lint_fn(void *arg, const struct p11ca_err *finding);
P11CA_CHECK int tbs_lint_each(struct der tbs, const struct profile *profile, const struct issuer *issuer,
    lint_fn *fn, void *arg, struct p11ca_err *err);

/* Octets of the certificate at most, when a key of this kind signs. */
size_t cert_size_max(struct der tbs, const struct spki *signer);

/* Appends Certificate { tbs, alg, sig }. */
void cert_assemble(struct der tbs, const struct sigalg *alg, struct der sig, struct buf *ret);

struct cert {
    struct buf der;           /* own copy */
    struct der tbs;           /* TLV, into der */
    struct tbs t;             /* into der */
    struct der alg_id;        /* TLV; byte for byte t.alg */
    const struct sigalg *alg; /* NULL when the algorithm is none of ours */
    struct der sig;
};

#define CERT_INIT                                                                                            \
    {                                                                                                        \
        .der = BUF_INIT                                                                                      \
    }
#define AUTO_CERT __attribute__((cleanup(cert_done))) struct cert

/* PEM or DER; canonical DER, signatureAlgorithm equal in both places. CERT_SYNTAX, CERT_ALG_MISMATCH, DER_*.
 */
P11CA_CHECK int cert_read(const uint8_t *p, size_t len, struct cert *ret, struct p11ca_err *err);
void cert_done(struct cert *cert);

/* P11CA_NEGATIVE with code SIGNATURE_BAD when the signature is not by this key with this algorithm. */
P11CA_CHECK int cert_verify(
    const struct cert *cert, EVP_PKEY *issuer_pub, const struct sigalg *alg, struct p11ca_err *err);

/* What extensions say. Absent: false, 0, -1, empty. An extension that does not parse is CERT_EXT_BAD. */
struct cert_facts {
    bool has_bc, is_ca;
    int pathlen;
    bool has_ku;
    unsigned key_usage; /* USAGE_* */
    bool has_eku;
    unsigned eku;        /* EKU_* */
    struct der ski, aki; /* keyIdentifier octets */
    struct der san;      /* GeneralNames, TLV; p NULL when absent */
};
P11CA_CHECK int tbs_facts(const struct tbs *t, struct cert_facts *ret, struct p11ca_err *err);

bool cert_is_ca(const struct cert *cert); /* false also when basicConstraints does not parse */
bool cert_is_self_issued(const struct cert *cert);

#endif
