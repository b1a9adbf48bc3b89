/* The grammar of each kind of alternative name. Each returns NULL, or what is wanted and was not found. */
#ifndef X509_SAN_CHECK_H
#define X509_SAN_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* RFC 1034 3.5 letters, digits, hyphens; RFC 6125 6.4.3 wildcards; BR 7.1.2.7.12. */
const char *san_check_dns(const char *text, size_t len);

/* The same without wildcards; addresses are none. */
const char *san_check_host(const char *text, size_t len);

/* RFC 5280 4.2.1.6: absolute, ASCII, by the grammar of RFC 3986; behind // a whole host name or an address. */
const char *san_check_uri(const char *text, size_t len);

/* The host between // and the path, without user and port; false when there is none, or it is in brackets. */
bool san_uri_host(const char *text, size_t len, const char **ret_host, size_t *ret_len);

/* Whether the URI has this scheme, which is without regard to case: "spiffe:", "urn:uuid:". */
bool san_uri_is(const char *text, const char *scheme);

/* SPIFFE-ID 2, of what begins with spiffe: in lower case; the path may be empty, as in a signing certificate. */
const char *san_check_spiffe(const char *text, size_t len);

/* RFC 9562 4: what stands after urn:uuid:. */
const char *san_check_uuid(const char *text, size_t len);

/* RFC 5321 4.1.2 Mailbox without quoted local parts and address literals. */
const char *san_check_email(const char *text, size_t len);

/* RFC 9598 3: a Mailbox of RFC 6531 3.3, not ASCII before the @, and only A-labels and the like behind it. */
const char *san_check_smtputf8(const char *text, size_t len);

/* User principal name: one @ and visible text on both sides. */
const char *san_check_upn(const char *text, size_t len);

/* RFC 4985 2 and RFC 6335 5.1: _service.host. */
const char *san_check_srv(const char *text, size_t len);

#endif
