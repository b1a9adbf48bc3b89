/*
 * The inside of a ledger handle. Only src/ledger includes this, and through it sqlite3.h.
 */
#ifndef LEDGER_HANDLE_H
#define LEDGER_HANDLE_H

#include <sqlite3.h>

#include "base/buf.h"
#include "ledger/ledger.h"

/* Statements one handle keeps prepared; the folder has fewer (sql_begin() says so when it has not). */
#define HANDLE_STATEMENTS 40

/* An event, the last of a chain. */
struct handle_head {
    int64_t seq, time; /* 0 when there is none */
    uint8_t hash[SHA256_LEN];
};

/* What keys.h has in memory of the rows behind by_key_end. */
struct keys {
    uint64_t *marks; /* first octets of their keys' SHA-256 */
    size_t places, n;
    int64_t upto, last; /* the end that they are behind, and the last of them */
    bool fresh;         /* right, as long as the transaction lasts */
    bool unsure;        /* some are of a transaction that did not commit yet */
    bool deferred;      /* the end is not moved with every commit */
};

struct ledger {
    sqlite3 *db;
    char *path; /* as given: what errors name */
    enum ledger_mode mode;
    int64_t now;
    bool broken; /* a write of this transaction failed half-way: it must not be committed */
    bool lazy;   /* this transaction need not be durable at once */

    struct {
        const char *text; /* compared by address */
        sqlite3_stmt *q;
    } cache[HANDLE_STATEMENTS];

    struct handle_head head; /* Right only inside a transaction: other processes append too. */
    int64_t version;         /* of the database as others left it */
    uint64_t others;         /* how often it was another one */
    struct keys keys;

    char operator_[256], host[256]; /* who is at the keyboard, for events */
    struct buf scratch;             /* encoding of the event at hand */
};

/* Every writing function asks first: outside of a transaction its event would not stand or fall with it. */
P11CA_CHECK int ledger_need_transaction(const struct ledger *l, struct p11ca_err *err);

#endif
