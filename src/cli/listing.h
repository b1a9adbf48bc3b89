/* Ledger records as lists: for people, programs, spreadsheets, and as the index.txt that openssl ocsp reads. */
#ifndef CLI_LISTING_H
#define CLI_LISTING_H

#include <p11ca/issue.h>

#include "cli/cli.h"

struct listing;
typedef void listing_row_fn(struct listing *l, const struct p11ca_record *r);

struct listing_format {
    const char *name;        /* "csv" */
    const char *begin, *end; /* what stands before the first row and behind the last; NULL: nothing */
    listing_row_fn *row;
};

struct listing {
    struct cli *cli;
    const struct listing_format *format;
    int64_t now; /* days left are told from then on; 0: they are not told */
    size_t n;
};

/* NULL when there is no such format. */
const struct listing_format *listing_format_find(const char *name);

/* A p11ca_record_fn: arg is a struct listing. A million rows are not held in memory. */
int listing_row(void *arg, const struct p11ca_record *r);

/* After the last row. */
void listing_end(struct listing *l);

#endif
