/*
 * Subject alternative names: an ordered list without duplicates. What enters it, from options or from a request, has
 * passed the same checks. Only text may hold host names in U-labels: they become A-labels; what comes as DER must be
 * in A-labels already, and its octets are kept.
 *
 * Codes: SAN_BAD; SAN_UTF8, not UTF-8; SAN_IDNA, a host name that IDNA2008 does not allow, or an xn-- label that is no
 * A-label; SPIFFE_ID, SAN_UUID, SAN_FASCN, the grammar of these; and those of name.h for a directoryName.
 */
#ifndef X509_SAN_H
#define X509_SAN_H

#include "x509/der.h"

enum san_type {
    SAN_DNS,
    SAN_IP,
    SAN_URI,
    SAN_EMAIL,
    SAN_HW,       /* otherName HardwareModuleName */
    SAN_PERMID,   /* otherName permanentIdentifier */
    SAN_UPN,      /* otherName userPrincipalName */
    SAN_SMTPUTF8, /* otherName SmtpUTF8Mailbox */
    SAN_SRV,      /* otherName SRVName */
    SAN_FASCN,    /* otherName FASC-N */
    SAN_RID,      /* registeredID */
    SAN_DIRNAME,  /* directoryName */
    SAN_TYPES
};
#define SAN_BIT(type) (1u << (type))

struct san {
    enum san_type type;
    char *text;   /* canonical: what san_add() takes and gives the same name again */
    uint8_t *der; /* content of the GeneralName */
    size_t der_len;
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

/* "DNS", "IP", "URI", "email", "hw", "permid", "UPN", "smtputf8", "SRV", "FASC-N", "RID", "dirname" */
const char *san_type_name(enum san_type type);

/* The type of a name, without regard to case; SAN_TYPES when there is none. */
enum san_type san_type_find(const char *name, size_t len);

/*
 * Appends one name; one that is there already (hosts without regard to case) changes nothing. A second UPN or FASC-N
 * is refused: who is meant must be one. Text, as DNS:, IP:, ...:
 *
 *   DNS       LDH labels, at most 63 and 253 octets, "*" only as the complete left-most of three or more labels
 *   IP        as inet_pton(3)
 *   URI       absolute, printable ASCII but for the host; spiffe: and urn:uuid: by their grammars
 *   email     one "@"; ASCII before it
 *   hw        TYPE:SERIAL, the dotted hwType and 1 to 64 octets of hwSerialNum
 *   permid    [ASSIGNER]:[VALUE], a dotted OID and UTF-8, not both absent
 *   UPN       one "@"
 *   smtputf8  one "@"; before it something that is not ASCII
 *   SRV       _service.host
 *   FASC-N    agency to association as in fascn.h
 *   RID       a dotted OID
 *   dirname   RFC 4514, not empty
 *
 * Octets of hw, permid and FASC-N may be written as # and hexadecimal digits; canonical text does so for what is not
 * visible text, begins with # or a space, ends with a space, or holds ", ".
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
