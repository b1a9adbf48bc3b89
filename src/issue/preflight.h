/*
 * Everything that can be said of a lot before the first signature. Every row is judged once, and what is a fault of the
 * lot ends it: nothing is signed. Of each row no more stays than a few digests.
 */
#ifndef ISSUE_PREFLIGHT_H
#define ISSUE_PREFLIGHT_H

#include "issue/lot_rows.h"
#include "issue/preflight_files.h"

enum preflight_flag {
    PREFLIGHT_DEVICE = 1, /* .device is one */
    PREFLIGHT_KEY = 2,    /* .key and .order are */
    PREFLIGHT_SHARED = 8, /* its RSA modulus has a prime of another row's */
    PREFLIGHT_REJECTED = 16
};

struct preflight_row {
    uint8_t device[LOT_HASH],
        key[LOT_HASH];         /* of its ID, or what it is published as; of its SubjectPublicKeyInfo */
    uint8_t order[LOT_HASH];   /* of everything that was asked for */
    uint8_t content[LOT_HASH]; /* of everything that was read */
    uint8_t flags;
};

/* What is asked of a row afterwards. */
struct preflight_left {
    uint8_t content[LOT_HASH];
    bool shared;
};

struct preflight {
    struct preflight_row *v;     /* until the end; then */
    struct preflight_left *left; /* n of them, too */
    size_t n, cap, rejected;
    size_t seen[20]; /* rows by code, of those that are told about */
    struct buf moduli;
    struct lot_files files;
};
void preflight_done(struct preflight *p);

/* Takes in a row that was judged. -1: it is a fault of the lot. */
P11CA_CHECK int preflight_add(
    struct preflight *p, const struct lot_input *in, const struct flow_row *row, struct p11ca_err *err);

/* After the last: rows against each other, and against the files. DUP_DEVICE, DUP_KEY, MANIFEST_MISMATCH. */
P11CA_CHECK int preflight_end(struct preflight *p, const struct lot_input *in, struct p11ca_err *err);

/* Of a row that is good in itself, what the others make of it: KEY_SHARED_PRIME. */
P11CA_CHECK int preflight_verdict(const struct preflight *p, size_t index, struct p11ca_err *err);

/* Whether a fault is worth an alarm, by its code; and the next code that so many rows have that it is, NULL at the end. */
bool preflight_is_alarm(const char *code);
const char *preflight_next_alarm(const struct preflight *p, size_t *at, size_t *ret_rows);

#endif
