/*
 * Certification requests (RFC 2986). A request is evidence, not instruction: of what it holds we take the
 * key, the proof that its owner asked, and claims of identity. Everything refused is refused here, before a
 * token is touched.
 *
 * Order inside: size, PEM or DER, canonical form, version, subject, key, attributes, extensions, claims,
 * signature. The key is judged before the signature, because with a bad key anybody can make one (e = 1).
 *
 * Codes besides those of pem.h, der.h, name.h, san.h, spki.h: INPUT_TOO_LARGE, CSR_SYNTAX, CSR_VERSION,
 * CSR_ATTR, CSR_DUP_ATTR, CSR_DUP_EXT, CSR_EXT_BAD, CSR_WANTS_CA, CSR_ALG, CSR_ALG_PARAMS, CSR_SIG_WEAK,
 * CSR_SIG_BAD.
 */
#ifndef X509_CSR_H
#define X509_CSR_H

#include "x509/san.h"
#include "x509/sigalg.h"
#include "x509/spki.h"

enum csr_flags {
    CSR_FOR_CA = 1,      /* asking for CA:TRUE and keyCertSign is what such a request does */
    CSR_NAMES_GIVEN = 2, /* names come from elsewhere: an empty subject without SANs is no fault */
    CSR_VERIFIED = 4     /* these very bytes were read before: the signature is not verified again */
};

struct csr {
    struct buf der;     /* the request, whole */
    struct der info;    /* CertificationRequestInfo, TLV: what is signed */
    struct der subject; /* Name, TLV, passed name_check(); may be empty */
    struct spki spki;
    struct san_list sans; /* claims */
    const struct sigalg *alg;
    struct der sig;
    struct buf notes; /* NUL-terminated text, names of what was there and is ignored: "keyUsage,
                         challengePassword" */
};

#define CSR_INIT                                                                                             \
    {                                                                                                        \
        .der = BUF_INIT, .notes = BUF_INIT                                                                   \
    }
#define AUTO_CSR __attribute__((cleanup(csr_done))) struct csr

/* PEM or DER. The key object that verified it is thrown away: nobody needs it again. */
P11CA_CHECK int csr_read(
    const uint8_t *p, size_t len, unsigned flags, struct csr *ret, struct p11ca_err *err);
void csr_done(struct csr *csr);

/*
 * Appends a request (DER) for this key, with no extensions asked for; the signature is verified before it is
 * given out. spki is the key's own, subject a Name TLV.
 */
P11CA_CHECK int csr_make(
    EVP_PKEY *key, struct der subject, const struct spki *spki, struct buf *ret, struct p11ca_err *err);

#endif
