/* The kinds of alternative names, one table; shared by the parts of san.h. */
#ifndef X509_SAN_KIND_H
#define X509_SAN_KIND_H

#include "x509/oid.h"
#include "x509/san.h"

/* How two names of a kind are the same. */
enum san_same {
    SAME_TEXT,
    SAME_FOLDED,  /* without regard to case */
    SAME_MAILBOX, /* that only behind the @ */
};

struct san_kind {
    const char *name;
    uint8_t tag;    /* RFC 5280 A.2 GeneralName */
    enum oid other; /* type-id, for an otherName */
    bool once;
    enum san_same same;
    uint8_t string; /* type of the string inside an otherName that is one */
    const char *source;
    const char *(*check)(const char *text, size_t len); /* grammar, of those that are text */

    /* Canonical text, and the GeneralName's content, an otherName's without its type-id and [0]. */
    int (*make)(const struct san_kind *kind, const char *text, struct buf *ret_text, struct buf *ret_value,
        struct p11ca_err *err);

    /* Text for make() from such content. */
    int (*read)(const struct san_kind *kind, struct der value, struct buf *ret_text, struct p11ca_err *err);
};

const struct san_kind *san_kind(enum san_type type);

#endif
