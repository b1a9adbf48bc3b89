/*
 * The report of a lot as a file: one line for each row, in order; CSV with a header, or NDJSON, by the file's ending. It
 * appears whole or not at all.
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

/* Refused: another ending (P11CA_USAGE), OUTPUT_EXISTS. path NULL: none is wanted, and the others do nothing. */
P11CA_CHECK int lot_report_begin(struct lot_report *ret, const char *path, struct p11ca_err *err);
void lot_report_row(struct lot_report *r, const struct p11ca_row *row);
P11CA_CHECK int lot_report_end(struct lot_report *r, struct p11ca_err *err);
void lot_report_done(struct lot_report *r);

#endif
