/*
 * Extensions (RFC 5280 4.2), as requests and certificates share them: reading one of the sequence, and
 * reading and writing the values of the known ones. Readers take the value, content of the OCTET STRING, and
 * return 0, or -1 when it is not exactly one canonical value of its type.
 */
#ifndef X509_EXT_H
#define X509_EXT_H

#include "x509/der.h"
#include "x509/oid.h"

struct cert_ext {
    struct der oid; /* content */
    bool critical;
    struct der value; /* content of the OCTET STRING */
};

/* Takes the next Extension off in. A critical FALSE that is written out is refused: DER leaves defaults out.
 */
P11CA_CHECK int ext_next(struct der *in, struct cert_ext *ret);

/* ret_pathlen -1: none. */
P11CA_CHECK int ext_read_bc(struct der value, bool *ret_ca, int *ret_pathlen);

/* First octet of the bits (USAGE_*); decipherOnly is read as 0x100. At least one bit, no trailing zero bits. */
P11CA_CHECK int ext_read_ku(struct der value, unsigned *ret_bits);

/* EKU_* of profile.h; EKU_OTHER stands for any the table does not know. */
P11CA_CHECK int ext_read_eku(struct der value, unsigned *ret_bits);

P11CA_CHECK int ext_read_ski(struct der value, struct der *ret_id);

/* keyIdentifier, empty when only issuer and serial are there. */
P11CA_CHECK int ext_read_aki(struct der value, struct der *ret_id);

/* The URI of exactly one distribution point with a fullName of one URI, no reasons, no cRLIssuer. */
P11CA_CHECK int ext_read_crl_dp(struct der value, struct der *ret_uri);

/* Whole Extension from at = der_open(b) before its value was added. */
void ext_close(struct buf *b, size_t at, enum oid id, bool critical);
void ext_close_oid(struct buf *b, size_t at, struct der oid, bool critical); /* content of any identifier */

void ext_add_bc(struct buf *b, bool ca, int pathlen);
void ext_add_ku(struct buf *b, unsigned bits);
void ext_add_eku(struct buf *b, unsigned bits, struct der others); /* others: OBJECT IDENTIFIERs, put last */
void ext_add_crl_dp(struct buf *b, const char *uri);

/* "digitalSignature, keyCertSign"; "nothing" for 0. */
#define EXT_TEXT 240
const char *ext_ku_text(unsigned bits, char dst[EXT_TEXT]);
const char *ext_eku_text(unsigned bits, char dst[EXT_TEXT]);

/* The USAGE_* or EKU_* that has the name; 0 for none. */
unsigned ext_ku_bit(const char *name);
unsigned ext_eku_bit(const char *name);

/* The EKU_* bit of a usage's content octets; EKU_OTHER when it has none of its own. */
unsigned ext_eku_oid_bit(struct der oid);

#endif
