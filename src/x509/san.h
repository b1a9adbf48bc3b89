/*
 * Subject alternative names: an ordered list without duplicates. What enters it, from options or from a
 * request, has passed the same checks (code SAN_BAD; SAN_UTF8 for an otherName that is not UTF-8).
 */
#ifndef X509_SAN_H
#define X509_SAN_H

#include "x509/der.h"

enum san_type { SAN_DNS, SAN_IP, SAN_URI, SAN_EMAIL, SAN_TYPES };
#define SAN_BIT(type) (1u << (type))

struct san {
    enum san_type type;
    char *text;        /* as given; for IP the canonical text */
    uint8_t value[16]; /* IP: network byte order */
    size_t value_len;  /* IP: 4 or 16, else 0 */
};

struct san_list {
    struct san *v;
    size_t n;
};

#define SAN_LIST_INIT                                                                                        \
    {                                                                                                        \
        NULL, 0                                                                                              \
    }
#define AUTO_SANS __attribute__((cleanup(san_list_done))) struct san_list

/* "DNS", "IP", "URI", "email" */
const char *san_type_name(enum san_type type);

/*
 * Appends one name; a name that is there already (DNS and e-mail hosts without regard to case) changes
 * nothing. DNS: LDH labels, at most 63 and 253 octets, "*" only as the complete left-most of three or more
 * labels. IP: as inet_pton(3). URI: absolute, printable ASCII. EMAIL: one "@", LDH host.
 */
P11CA_CHECK int san_add(struct san_list *list, enum san_type type, const char *text, struct p11ca_err *err);

/* Appends what a GeneralNames holds (whole TLV, the content of the extension's OCTET STRING). */
P11CA_CHECK int san_from_der(struct der names, struct san_list *list, struct p11ca_err *err);

/* Appends a GeneralNames, whole TLV. The list must not be empty. */
void san_to_der(const struct san_list *list, struct buf *ret);

/* "DNS:a.example, IP:192.0.2.1"; nothing for the empty list. */
void san_to_text(const struct san_list *list, struct buf *ret);

bool san_has(const struct san_list *list, enum san_type type, const char *text);
bool san_equal(const struct san_list *a, const struct san_list *b); /* the same names in the same order */
P11CA_CHECK int san_copy(const struct san_list *from, struct san_list *ret, struct p11ca_err *err);
void san_list_done(struct san_list *list);

#endif
