/*
 * The names of the rows of an archive, in some 40 octets a row beside the names themselves: told by their number, found by
 * their stem. One thread adds; others may ask for what was added before they were told of it: names never move.
 */
#ifndef ISSUE_LOT_NAMES_H
#define ISSUE_LOT_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"

#define LOT_NAMES_PAGE 4096

/* Zeroed to begin with. */
struct lot_names {
    size_t n;
    const char **pages[LIMIT_ROWS / LOT_NAMES_PAGE + 1];
    struct arena arena;
    char *chunk; /* where the next name goes */
    size_t left;
    uint32_t *slots; /* a hash table of numbers, from 1; 0: free */
    size_t n_slots;  /* a power of two, more than twice as many as names */
};

/* A copy of the name becomes number n. */
P11CA_CHECK int lot_names_add(struct lot_names *names, const char *name, struct p11ca_err *err);

const char *lot_names_at(const struct lot_names *names, size_t i);

/* Whether one before number i has the same stem. */
bool lot_names_is_taken(const struct lot_names *names, size_t i);

void lot_names_done(struct lot_names *names);

/* The part of a path behind the last slash, and how long that is before its last dot. */
const char *lot_name_base(const char *path);
size_t lot_name_stem(const char *base);

#endif
