/*
 * Private extensions: an OID of one's own arc, a declared type, a cap. What a profile has a builder for, and the arcs
 * of RFC 5280 (2.5.29 and 1.3.6.1.5.5.7.1), do not come through this door.
 *
 * Refusals (P11CA_REFUSED): EXT_OID, EXT_VALUE, EXT_TOO_LONG.
 */
#ifndef X509_EXT_PRIVATE_H
#define X509_EXT_PRIVATE_H

#include "x509/der.h"

enum ext_type {
    EXT_UTF8,      /* text without control characters */
    EXT_IA5,       /* ASCII without control characters */
    EXT_PRINTABLE, /* X.680 41.4 */
    EXT_OCTETS,    /* hexadecimal digits */
    EXT_INTEGER,   /* decimal, 64 bits */
    EXT_BOOLEAN,   /* TRUE or FALSE */
    EXT_NULL,      /* nothing */
    EXT_DER,       /* hexadecimal digits of one complete TLV in canonical form */
    EXT_TYPES
};

/* "UTF8String", "IA5String", "PrintableString", "OCTET STRING", "INTEGER", "BOOLEAN", "NULL", "DER" */
const char *ext_type_name(enum ext_type type);

/* EXT_TYPES when there is no such name. */
enum ext_type ext_type_find(const char *name);

/* Content octets of the extension's OID, appended to ret. */
P11CA_CHECK int ext_private_oid(const char *dotted, struct buf *ret, struct p11ca_err *err);

/* The same of an OID at hand (content). */
P11CA_CHECK int ext_private_check_oid(struct der oid, struct p11ca_err *err);

/* The value (content of the extension's OCTET STRING) from text, appended to ret; cap in octets of the value. */
P11CA_CHECK int ext_private_make(
    enum ext_type type, const char *text, size_t cap, struct buf *ret, struct p11ca_err *err);

/* Text of a value, from which ext_private_make() makes the same one; refuses what is not of the type. */
P11CA_CHECK int ext_private_read(
    enum ext_type type, struct der value, size_t cap, struct buf *ret, struct p11ca_err *err);

#endif
