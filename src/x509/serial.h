/*
 * Serial numbers: RFC 5280 4.1.2.2 (positive, at most 20 octets), BR 7.1 (at least 64 bits from a CSPRNG).
 *
 * A run of serials begins with the same five octets; the other fifteen are each serial's own. All of them are random, so
 * that nobody can tell the next one. What is issued together stands together in the ledger's index of serials then: a lot
 * writes a few pages of it for each transaction, and not one for each certificate, however many the ledger has.
 */
#ifndef X509_SERIAL_H
#define X509_SERIAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SERIAL_LEN  20
#define SERIAL_MIN  8    /* the ledger's and the lint's least length */
#define SERIAL_HEAD 5    /* octets that a run has in common */
#define SERIAL_RUN  1024 /* serials */
#define SERIAL_DRAW 32   /* asked of the generator at once: it takes the same time for one as for many */

/* 20 octets: top bit clear, first octet not zero, 120 bits of randomness of its own. Runs are the calling thread's. */
P11CA_CHECK int serial_draw(uint8_t ret[SERIAL_LEN], struct p11ca_err *err);

/* The same from a source of one's own. Begins with random and arg (random() says 0 or -1), and zeros. */
struct serial_source {
    int (*random)(void *arg, uint8_t *p, size_t len);
    void *arg;
    uint8_t head[SERIAL_HEAD];
    unsigned n_run; /* how many more have this head */
    uint8_t own[SERIAL_DRAW][SERIAL_LEN - SERIAL_HEAD];
    unsigned n_own; /* how many are not used yet: the first ones */
};
P11CA_CHECK int serial_draw_from(struct serial_source *s, uint8_t ret[SERIAL_LEN], struct p11ca_err *err);

#endif
