/* Certificates in a PKCS #7 envelope without a signature (RFC 2315 9, "certs-only"): what .p7b files are. */
#ifndef X509_P7B_H
#define X509_P7B_H

#include "x509/der.h"

/* Appends the DER. */
P11CA_CHECK int p7b_make(const struct der *certs, size_t n, struct buf *ret, struct p11ca_err *err);

#endif
