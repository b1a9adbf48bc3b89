/* Ledger rows as the public API shows them. */
#ifndef ISSUE_RECORD_H
#define ISSUE_RECORD_H

#include <p11ca/issue.h>

#include "ledger/ledger.h"

struct record_view {
    struct p11ca_record record; /* points into this struct and into the row */
    char serial[41], key_sha256[65], sha256[65];
};

/* In hex, as OpenSSL prints it; at most 20 octets. */
void record_serial(const uint8_t *p, size_t len, char dst[41]);

/* The way back, as content of an INTEGER; colons and leading zeros are allowed. -1: no serial of at most 20 octets. */
P11CA_CHECK int record_serial_read(const char *hex, uint8_t ret[20], size_t *ret_len);

void record_view(struct record_view *ret, const struct ledger_cert *c);

/*
 * The certificates that what names, a serial in hex (of whatever authority) or a certificate file: fn is called for each,
 * and may not be called at all. Non-zero from fn ends it, and is returned. P11CA_USAGE when it is neither.
 */
P11CA_CHECK int record_find(
    struct ledger *l, const char *what, ledger_cert_fn *fn, void *arg, struct p11ca_err *err);

#endif
