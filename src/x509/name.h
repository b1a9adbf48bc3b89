/*
 * Distinguished names. A Name is kept as its DER, whole TLV; a CA's name is copied, never rebuilt.
 * One table says which attributes a name may hold, in which string type and how long (RFC 5280 A.1).
 *
 * Refusals (P11CA_REFUSED): NAME_SYNTAX, NAME_NUL, NAME_CONTROL, NAME_UTF8, NAME_TOO_LONG, NAME_EMPTY,
 * NAME_AMBIGUOUS, NAME_CHARSET, NAME_STRING_TYPE, NAME_COUNTRY, NAME_MATTER.
 */
#ifndef X509_NAME_H
#define X509_NAME_H

#include "x509/der.h"

/*
 * RFC 4514 text, "CN=Acme Root CA 2026,O=Acme,C=US", to DER (C first), appended to ret. Types are the
 * table's names in any case, or dotted OIDs; values may be escaped (\, \+ \20 ...) or #hex.
 * The empty text is the empty name.
 */
P11CA_CHECK int name_from_text(const char *dn, struct buf *ret, struct p11ca_err *err);

/* The same; what names the object in errors instead of "subject". */
P11CA_CHECK int name_from_text_as(const char *dn, const char *what, struct buf *ret, struct p11ca_err *err);

/* Appends canonical RFC 4514 text. Takes every well-formed Name; strings it cannot show become #hex. */
P11CA_CHECK int name_to_text(struct der name, struct buf *ret, struct p11ca_err *err);

/* A Name from outside against the table. The empty name passes; what names the object in errors ("subject").
 */
P11CA_CHECK int name_check(struct der name, const char *what, struct p11ca_err *err);

bool name_is_empty(struct der name);

enum name_attr { NAME_CN, NAME_SERIAL, NAME_O, NAME_VID, NAME_PID };

/* The string content of the one attribute of this type: 1 found, 0 there is none, -1 more than one or malformed.
 */
P11CA_CHECK int name_get(struct der name, enum name_attr attr, struct der *ret);

/* The same of any type, by the content of its identifier. */
P11CA_CHECK int name_find(struct der name, struct der oid, struct der *ret);

/* Whether the word is a type ("CN", "2.5.4.3"); the identifier's content is appended to oid. */
bool name_type_find(const char *word, struct buf *oid);

#endif
