/*
 * Appending to the event chain; inside src/ledger.
 */
#ifndef LEDGER_EVENTS_H
#define LEDGER_EVENTS_H

#include "ledger/handle.h"

/* Reads the last event into the handle. True only while the write lock is held. */
P11CA_CHECK int events_read_head(struct ledger *l, struct p11ca_err *err);

/* Appends one; its number is l->head.seq afterwards. Reads kind, authority, profile, serial, detail, digest. */
P11CA_CHECK int events_append(struct ledger *l, const struct ledger_event *e, struct p11ca_err *err);

/* One whose subject is told by its digest: a key, a CA certificate, the configuration. */
P11CA_CHECK int events_append_digest(struct ledger *l, const char *kind, const char *authority,
    const uint8_t sha256[SHA256_LEN], struct p11ca_err *err);

/* The chain's next hash: SHA-256 over the one before and every column of e but hash. */
P11CA_CHECK int events_hash(const uint8_t before[SHA256_LEN], const struct ledger_event *e,
    struct buf *scratch, uint8_t ret[SHA256_LEN], struct p11ca_err *err);

#endif
