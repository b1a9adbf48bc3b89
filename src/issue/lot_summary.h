/*
 * A lot on one page, for people: what came of it, how fast, what was rejected and why, and the digests to compare. One
 * file of HTML, nothing from elsewhere, no script; light or dark as its reader wants, black on white on paper.
 *
 * Order of calls: begin, row and sample as they come, end. In as much memory as the structure, however many rows.
 */
#ifndef ISSUE_LOT_SUMMARY_H
#define ISSUE_LOT_SUMMARY_H

#include <p11ca/lot.h>

#include "issue/lot_report.h"

#define LOT_SUMMARY_CODES   64  /* told apart; a lot that is rejected for more reasons has other troubles */
#define LOT_SUMMARY_SAMPLES 256 /* of the rate over time */

/* Seconds between two of them, at least: rows come in turns of some hundreds, and from one to the next there is no rate. */
#define LOT_SUMMARY_APART 0.25

struct lot_summary {
    const struct p11ca_lot *order; /* borrowed until the end */
    int64_t begun;
    size_t counts[P11CA_ROW_NOT_TRIED + 1];
    struct lot_summary_code {
        char code[32];
        size_t n;
    } codes[LOT_SUMMARY_CODES + 1]; /* the last: all others */
    size_t n_codes;
    char first[41], last[41]; /* serials; empty: none */
    struct lot_summary_sample {
        double seconds;
        size_t rows;
    } samples[LOT_SUMMARY_SAMPLES];
    size_t n_samples;
    double apart; /* seconds between two, at least */
};

/*
 * For the page that the order wants as its summary; none: the others do nothing. Refused: another ending than .html
 * (P11CA_USAGE), OUTPUT_EXISTS. now: when the lot began.
 */
P11CA_CHECK int lot_summary_begin(
    struct lot_summary *ret, const struct p11ca_lot *order, int64_t now, struct p11ca_err *err);

void lot_summary_row(struct lot_summary *s, const struct p11ca_row *row);

/* So many rows were done so many seconds after the lot began; both only grow. As often as one likes. */
void lot_summary_sample(struct lot_summary *s, double seconds, size_t rows);

/* Writes the page; nothing is overwritten. */
P11CA_CHECK int lot_summary_end(struct lot_summary *s, const struct lot_total *t, struct p11ca_err *err);

#endif
