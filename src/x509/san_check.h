/* The grammar of each kind of alternative name. Each returns NULL, or what is wanted and was not found. */
#ifndef X509_SAN_CHECK_H
#define X509_SAN_CHECK_H

#include <stddef.h>

/* RFC 1034 3.5 letters, digits, hyphens; RFC 6125 6.4.3 wildcards; BR 7.1.2.7.12. */
const char *san_check_dns(const char *text, size_t len);

/* RFC 5280 4.2.1.6: absolute, ASCII; SPIFFE-ID 2 when the scheme is spiffe. */
const char *san_check_uri(const char *text, size_t len);

/* RFC 5321 4.1.2 Mailbox without quoted local parts and address literals. */
const char *san_check_email(const char *text, size_t len);

#endif
