/*
 * Lots: many requests, one run. The same order of effects as for one certificate, in groups - after a preflight in which
 * every row is judged: what is a fault of the lot as such refuses all of it, and nothing is signed.
 */
#ifndef P11CA_LOT_H
#define P11CA_LOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <p11ca/home.h>

enum p11ca_lot_format {
    P11CA_LOT_PEM,    /* output is a directory, with chain.pem; of more than 10,000 rows with folders in it */
    P11CA_LOT_DER,    /* the same with NAME.der */
    P11CA_LOT_BUNDLE, /* output is one file of PEM, in the order of the input */
    P11CA_LOT_TAR     /* output is one archive of NAME.crt, in the order of the input, and chain.pem */
};

struct p11ca_lot {
    const char *authority;
    const char *profile; /* of every row that names none */
    /*
     * A directory of requests, *.csr, *.pem, *.der, taken in the order of their names; a manifest, *.csv, *.ndjson or
     * *.jsonl; a tar archive of requests, *.tar; any other file is a bundle of them in PEM. See p11ca(1), MANIFESTS.
     */
    const char *input;
    const char *output; /* directory, made when absent: NAME.crt for NAME.csr, DEVICE.crt, row-NUMBER.crt */
    const char *ticket; /* a lot ticket, its signature beside it as TICKET.p7s; NULL: none */
    const char *report; /* *.csv, *.ndjson or *.jsonl, a line for each row; NULL: none */
    enum p11ca_lot_format format;
    const char *summary; /* *.html, a page for people; NULL: none */
    unsigned jobs;       /* threads; 0: as many as serve this machine and token best */
    bool dry_run;        /* everything but reserving and signing */
    bool reissue;        /* as in struct p11ca_order, for every row */
    bool limited;        /* end the lot when more rows are rejected than max_errors */
    unsigned max_errors; /* if the preflight rejects more, nothing is signed */
};

enum p11ca_verdict {
    P11CA_ROW_ISSUED,
    P11CA_ROW_REUSED,
    P11CA_ROW_GOOD, /* would be issued (dry run) */
    P11CA_ROW_REJECTED,
    P11CA_ROW_NOT_TRIED /* the lot ended before */
};

/* "ISSUED", "REUSED", "GOOD", "REJECTED", "NOT-TRIED" */
P11CA_API const char *p11ca_verdict_name(enum p11ca_verdict verdict);

struct p11ca_row {
    size_t number;     /* from 1 */
    const char *input; /* file name; of a manifest FILE:LINE, of a bundle FILE#NUMBER */
    enum p11ca_verdict verdict;
    const char *device, *profile; /* NULL: not known */
    const char *serial;           /* hex; NULL unless issued or reused */
    const char *file;             /* where it was published; NULL when not */
    const char *code, *reason;    /* of a rejection, or of the failure that ended the lot */
    int64_t time;                 /* when that was so, seconds since 1970; 0: not tried */
};
/* Called in input order, once the row is durable and published. */
typedef void p11ca_row_fn(void *arg, const struct p11ca_row *row);

struct p11ca_lot_result {
    size_t rows, issued, reused, rejected, not_tried;
    size_t fresh; /* of the issued ones: with a serial of this run; the others were finished */
    double seconds;
};

/*
 * Run again after a kill it finishes; run again after success it issues nothing new. Outputs that hold anything else
 * than the row's certificate are left alone, and the row is rejected. P11CA_NEGATIVE when rows were rejected.
 *
 * P11CA_REFUSED: a fault of the lot. Nothing is signed, no row is told, no report written. Codes MANIFEST_SYNTAX,
 * MANIFEST_MISMATCH, PRIVATE_KEY_SEEN, KEY_IS_CA, DUP_DEVICE, DUP_KEY, CLOCK, VALIDITY_NESTING, INPUT_TOO_LARGE, and those
 * of a ticket but TICKET_ID and TICKET_SPENT, which are a row's. The input is read twice; what has changed in between ends the lot with FILE_CHANGED.
 */
P11CA_API P11CA_CHECK int p11ca_issue_lot(struct p11ca_home *home, const struct p11ca_lot *lot,
    p11ca_row_fn *fn, void *arg, struct p11ca_lot_result *ret, struct p11ca_err *err);

#endif
