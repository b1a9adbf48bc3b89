/*
 * A group of rows of a lot: read, judged, and let go. The first pass over the input does no more than that; the second
 * reserves, signs and publishes what was judged good.
 */
#ifndef ISSUE_LOT_GROUP_H
#define ISSUE_LOT_GROUP_H

#include <p11ca/lot.h>

#include "issue/job.h"
#include "issue/lot_input.h"

#define GROUP 256 /* rows of one durable transaction */

/* Of a digest: enough that nobody finds two inputs with one (2^64 tries). */
#define LOT_HASH 16

struct group {
    const struct p11ca_lot *order;
    const struct profile *profile; /* of rows that name none */
    struct job_ctx ctx;
    struct ledger *ledger;
    unsigned jobs;
    struct lot_input *input;
    size_t first, n; /* rows that are here */
    struct lot_row row[GROUP];
    struct job job[GROUP], *list[GROUP];
    char *path[GROUP];                /* where each is published */
    uint8_t content[GROUP][LOT_HASH]; /* digest of everything that was read for the row */
};

/* A profile that the authority may issue in lots. Codes PROFILE, PROFILE_NOT_ALLOWED. */
P11CA_CHECK int group_find_profile(
    const struct group *g, const char *name, const struct profile **ret, struct p11ca_err *err);

/* Reads up to n rows; g->n 0: the end. Errors are those of the input as such. */
P11CA_CHECK int group_read(struct group *g, size_t n, struct p11ca_err *err);

/* Every row that was read: loaded, prepared, looked up in the ledger. Afterwards each job is failed or good. */
void group_judge(struct group *g);

/* The profile of a row, as it is known. */
const char *group_profile(const struct group *g, size_t i);

/* Rows are refused for what they are; a token, a login, a ledger or a disk that fails one row fails them all. */
bool group_is_over(const struct job *job);

/* Releases the rows; the next group_read() goes on behind them. */
void group_release(struct group *g);

#endif
