/*
 * nameConstraints (RFC 5280 4.2.1.10) of a CA certificate, where they are critical: which names those below it may
 * hold, and which they may not. Text is that of alternative names but for these:
 *
 *   DNS      a host, which stands for all below it too; excluded, the empty text stands for every host
 *   email    a mailbox, a host, or .DOMAIN: all hosts below it
 *   URI      a host, or .DOMAIN
 *   IP       ADDRESS/PREFIX, no bits set behind the prefix
 *   dirname  RFC 4514, stands for all names below it
 *
 * Codes: CONSTRAINT_BAD, and those of san.h and name.h.
 */
#ifndef X509_CONSTRAINTS_H
#define X509_CONSTRAINTS_H

#include "x509/san.h"

struct constraint {
    bool excluded;
    struct san base; /* type, canonical text, content of the GeneralName */
};

struct constraints {
    struct constraint *v;
    size_t n;
};

#define CONSTRAINTS_INIT                                                                                     \
    {                                                                                                        \
        NULL, 0                                                                                              \
    }
#define AUTO_CONSTRAINTS __attribute__((cleanup(constraints_done))) struct constraints

/* Appends one; type is DNS, EMAIL, URI, IP or DIRNAME. One that is there already changes nothing. */
P11CA_CHECK int constraints_add(
    struct constraints *list, bool excluded, enum san_type type, const char *text, struct p11ca_err *err);

/* Appends what the extension's value holds; minimum and maximum are refused, as are other kinds of names. */
P11CA_CHECK int constraints_from_der(struct der value, struct constraints *list, struct p11ca_err *err);

/* Appends the extension's value, the permitted ones first. The list must not be empty. */
void constraints_to_der(const struct constraints *list, struct buf *ret);

/* "permitted DNS:a.example, excluded IP:192.0.2.0/24" */
void constraints_to_text(const struct constraints *list, struct buf *ret);

void constraints_done(struct constraints *list);

#endif
