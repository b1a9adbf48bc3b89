/* Certificates as bytes, in order: struct p11ca_chain, and the list of trusted roots. */
#ifndef AUTH_CERTS_H
#define AUTH_CERTS_H

#include <p11ca/auth.h>

#include "base/limits.h"
#include "x509/der.h"

struct p11ca_chain {
    struct buf certs[LIMIT_CHAIN]; /* DER */
    size_t n;
};

/* Appends one; its form is checked. P11CA_REFUSED for more than LIMIT_CHAIN. */
P11CA_CHECK int certs_add(struct p11ca_chain *chain, const void *p, size_t len, struct p11ca_err *err);

#endif
