/*
 * Extensions that say where to look and what was promised: certificatePolicies, authorityInfoAccess, TLS feature,
 * noRevAvail, MASA URL. Readers and writers as in ext.h; none of these is critical.
 */
#ifndef X509_EXT_INFO_H
#define X509_EXT_INFO_H

#include "x509/der.h"
#include "x509/oid.h"

/* RFC 5280 4.2.1.4 */
struct ext_policy {
    struct der oid; /* content */
    struct der cps; /* URI of the practice statement; len 0: none */
};

/* At least one and at most max, none twice; of qualifiers, one cPSuri each at most. */
P11CA_CHECK int ext_read_policies(struct der value, struct ext_policy *v, size_t max, size_t *ret_n);
void ext_add_policies(struct buf *b, const struct ext_policy *v, size_t n);

/* RFC 5280 4.2.2.1 */
struct ext_access {
    enum oid method; /* OID_AD_OCSP or OID_AD_CA_ISSUERS */
    struct der uri;
};

/* At least one and at most max, of these two methods, each place a URI. */
P11CA_CHECK int ext_read_aia(struct der value, struct ext_access *v, size_t max, size_t *ret_n);
void ext_add_aia(struct buf *b, const struct ext_access *v, size_t n);

/* RFC 7633 4.1: numbers of TLS extensions, none twice. 5: status_request ("must staple"), 17: status_request_v2. */
P11CA_CHECK int ext_read_tls_features(struct der value, unsigned *v, size_t max, size_t *ret_n);
void ext_add_tls_features(struct buf *b, const unsigned *v, size_t n);

/* NULL, of noRevAvail (RFC 9608 2) and ocsp-nocheck (RFC 6960 4.2.2.2.1). */
P11CA_CHECK int ext_read_null(struct der value);
void ext_add_null(struct buf *b);

/* RFC 8995 2.3.2: visible ASCII, at least one character. */
P11CA_CHECK int ext_read_masa_url(struct der value, struct der *ret_url);
void ext_add_masa_url(struct buf *b, const char *url);

#endif
