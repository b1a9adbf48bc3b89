/* The kinds of inputs of lots, to lot_input.c; one of them is a file of its own. */
#ifndef ISSUE_LOT_KIND_H
#define ISSUE_LOT_KIND_H

#include "issue/lot_input.h"

struct lot_input_kind {
    const char *ending; /* of the path; NULL: told by what is there */
    char mark;    /* between the name of the input and the number or name of a row; 0: a row's name alone */
    size_t first; /* number of the first row */
    size_t max;   /* octets of a line; 0: it has none */
    const char *empty; /* what is wanted when nothing is in it */
    int (*begin)(struct lot_input *in, struct p11ca_err *err);
    int (*next)(struct lot_input *in, struct lot_row *row, struct p11ca_err *err);
    int (*load)(const struct lot_input *in, struct lot_row *row, struct p11ca_err *err);
    const char *(*name)(const struct lot_input *in, size_t index); /* NULL: rows have numbers */
};

/* Names of requests, in the order in which they come first: x.csr, x.der and x.pem would all become x.crt. */
extern const char *const lot_suffixes[];

#endif
