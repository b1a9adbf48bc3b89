/*
 * Host names in the letters of any script and their A-labels: IDNA2008 (RFC 5890 and 5891), UTS #46 without its
 * transitional mappings. What goes into a certificate is A-labels alone (RFC 5280 7.2).
 */
#ifndef X509_IDNA_H
#define X509_IDNA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

bool idna_is_ascii(const char *text, size_t len);

/* Appends the host in A-labels, in ASCII as it is. NULL, or why not. */
const char *idna_to_ascii(const char *host, size_t len, struct buf *ret);

/* Whether each label that begins with xn-- is an A-label: it stands for something that leads back to it. */
bool idna_check(const char *host, size_t len);

#endif
