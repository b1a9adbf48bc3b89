/* The table of attributes a name may hold; shared by the parts of name.h. */
#ifndef X509_NAME_ROW_H
#define X509_NAME_ROW_H

#include "x509/oid.h"

/* What a value is besides text of its length. */
enum name_rule { NAME_TEXT, NAME_LETTERS2, NAME_HEX4 };

struct name_row {
    enum oid oid;      /* OID_NONE: the row for attributes the table does not know */
    const char *alias; /* accepted beside the OID table's name */
    uint8_t type;      /* the only string type allowed; 0: UTF8String or PrintableString */
    bool once;         /* identifies the subject: two are ambiguous */
    size_t max;        /* characters */
    const char *bound; /* who says so; NULL: RFC 5280 A.1 */
    enum name_rule rule;
};

/* The row of an attribute type, never NULL. */
const struct name_row *name_row_of(struct der oid);

/* Number of a row, below 32, for sets of those that were seen. */
unsigned name_row_index(const struct name_row *row);

/* The row a word of text names, or a dotted number; the identifier's content is appended to oid. NULL for none. */
const struct name_row *name_row_find(const char *word, size_t len, struct buf *oid);

/* Appends the words: "CN, O, OU". */
void name_row_list(struct buf *ret);

#endif
