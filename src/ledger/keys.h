/*
 * Which rows have a public key: the table by_key, and how it is kept up.
 *
 * SHA-256 digests come in no order. Put into an index one by one, each row of a large ledger costs a page of it, to the log and
 * to the file: as much as all the rest of the row. by_key therefore has the rows up to by_key_end, and is brought up to the last
 * one in one go, sorted (the trigger by_key_move does both in one). Whoever looks a key up reads the rows behind the end, too:
 * none, as a rule, because every commit moves the end; a lot puts that off (ledger_defer_keys()) and is told from memory of most
 * keys that no row behind the end has them.
 */
#ifndef LEDGER_KEYS_H
#define LEDGER_KEYS_H

#include "ledger/handle.h"

/* SQL: the rows of a key, as SHA-256 in parameter n; and: more that is known of the columns of by_key. */
#define KEYS_ARE(n, and)                                                                                     \
    "id IN (SELECT id FROM by_key WHERE spki = substr(" n ", 1, 8)" and                                      \
        " UNION ALL SELECT id FROM certificate WHERE id > coalesce((SELECT upto FROM by_key_end), 0)"        \
        " AND spki_sha256 = " n ") AND spki_sha256 = " n

/* Whether a row behind the end may have the key: 1, 0 or -1. After 1 the end was moved, if this transaction writes. */
P11CA_CHECK int keys_behind(struct ledger *l, const uint8_t spki_sha256[SHA256_LEN], struct p11ca_err *err);

/* A row was written in this transaction. What cannot be kept of it is read when somebody asks. */
void keys_add(struct ledger *l, int64_t id, struct blob spki_sha256);

/* For the handle's transactions: one begins; before it commits; it has. */
void keys_begin(struct ledger *l);
P11CA_CHECK int keys_settle(struct ledger *l, struct p11ca_err *err);
void keys_committed(struct ledger *l);

void keys_done(struct ledger *l);

#endif
