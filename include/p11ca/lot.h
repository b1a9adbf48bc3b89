/*
 * Lots: many requests, one run. The same order of effects as for one certificate, in groups.
 */
#ifndef P11CA_LOT_H
#define P11CA_LOT_H

#include <stdbool.h>
#include <stddef.h>

#include <p11ca/home.h>

struct p11ca_lot {
    const char *authority, *profile;
    const char *input;  /* directory of requests: *.csr, *.pem, *.der, taken in the order of their names */
    const char *output; /* directory, made when absent: NAME.crt for NAME.csr */
    unsigned jobs;      /* threads; 0: as many as cores */
    bool dry_run;       /* everything but reserving and signing */
    bool stop;          /* at the first rejected row */
};

enum p11ca_verdict { P11CA_ROW_ISSUED, P11CA_ROW_REUSED, P11CA_ROW_GOOD, P11CA_ROW_REJECTED };

struct p11ca_row {
    size_t number;              /* from 1 */
    const char *input;          /* file name */
    enum p11ca_verdict verdict; /* GOOD: would be issued (dry run) */
    const char *serial;         /* hex; NULL unless issued or reused */
    const char *file;           /* where it was published; NULL when not */
    const char *code, *reason;  /* of a rejection */
};
/* Called in input order, once the row is durable and published. */
typedef void p11ca_row_fn(void *arg, const struct p11ca_row *row);

struct p11ca_lot_result {
    size_t rows, issued, reused, rejected;
    double seconds;
};

/*
 * Run again after a kill it finishes; run again after success it issues nothing new. Outputs that hold anything else
 * than the row's certificate are left alone, and the row is rejected. P11CA_NEGATIVE when rows were rejected.
 */
P11CA_API P11CA_CHECK int p11ca_issue_lot(struct p11ca_home *home, const struct p11ca_lot *lot,
    p11ca_row_fn *fn, void *arg, struct p11ca_lot_result *ret, struct p11ca_err *err);

#endif
