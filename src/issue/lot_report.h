/*
 * The report of a lot as a file: one line for each row, in order, and last one of the lot as a whole; CSV with a header,
 * or NDJSON, by the file's ending. It appears whole or not at all.
 */
#ifndef ISSUE_LOT_REPORT_H
#define ISSUE_LOT_REPORT_H

#include <p11ca/lot.h>

#include "base/file.h"

struct lot_report {
    struct file_out out;
    bool json;
    struct p11ca_err err; /* the first that went wrong; told by the end */
    bool failed;
};

/* What came of a lot. */
struct lot_total {
    size_t rows, issued, reused, rejected, not_tried; /* issued: rows of status ISSUED */
    size_t fresh; /* of them, those that no earlier run had begun ("new") */
    double seconds;
    const char *lot,
        *ledger_head; /* hex of SHA-256: of the input, of the ledger's last event; NULL: not known */
};

/* Rows a second, those not tried aside; 0 when it took no time. */
double lot_total_rate(const struct lot_total *t);

/* Refused: another ending (P11CA_USAGE), OUTPUT_EXISTS. path NULL: none is wanted, and the others do nothing. */
P11CA_CHECK int lot_report_begin(struct lot_report *ret, const char *path, struct p11ca_err *err);
void lot_report_row(struct lot_report *r, const struct p11ca_row *row);

/* The last record, of status TOTAL: a report without it is one that was cut off. */
void lot_report_total(struct lot_report *r, const struct lot_total *t);
P11CA_CHECK int lot_report_end(struct lot_report *r, struct p11ca_err *err);
void lot_report_done(struct lot_report *r);

#endif
