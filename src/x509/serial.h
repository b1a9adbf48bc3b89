/* Serial numbers: RFC 5280 4.1.2.2 (positive, at most 20 octets), BR 7.1 (at least 64 bits from a CSPRNG). */
#ifndef X509_SERIAL_H
#define X509_SERIAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SERIAL_LEN 20
#define SERIAL_MIN 8 /* the ledger's and the lint's least length */

/* 20 octets: top bit clear, first octet not zero, 158.9 bits of randomness. */
P11CA_CHECK int serial_draw(uint8_t ret[SERIAL_LEN], struct p11ca_err *err);

/* The same from another source of randomness (0 or -1), for tests. */
typedef int serial_random_fn(void *arg, uint8_t *p, size_t len);
P11CA_CHECK int serial_draw_from(
    serial_random_fn *fn, void *arg, uint8_t ret[SERIAL_LEN], struct p11ca_err *err);

#endif
