/*
 * Input files: exactly one object, as PEM (RFC 7468) or as DER, of the type asked for.
 * Codes: PEM_MULTI, PEM_SYNTAX, PRIVATE_KEY_SEEN, INPUT_TYPE (says what it is instead), DER_* for what is
 * neither.
 */
#ifndef X509_PEM_H
#define X509_PEM_H

#include "x509/der.h"

enum pem_type { PEM_CSR, PEM_CERT, PEM_PUBKEY, PEM_CRL, PEM_TYPES };

/* Appends the DER. Text before the block is passed over (RFC 7468 2), text after it is refused. */
P11CA_CHECK int pem_decode(
    const uint8_t *p, size_t len, enum pem_type want, struct buf *ret, struct p11ca_err *err);

/*
 * Takes the next block of a bundle off in: 1 found (DER appended to ret), 0 no further block, -1 refused.
 * Blocks of other types are refused as by pem_decode().
 */
P11CA_CHECK int pem_next(struct der *in, enum pem_type want, struct buf *ret, struct p11ca_err *err);

/* Appends the block, lines of 64. */
void pem_encode(enum pem_type type, struct der der, struct buf *ret);

/* "CERTIFICATE REQUEST" */
const char *pem_label(enum pem_type type);

#endif
