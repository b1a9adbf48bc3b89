/* A ledger record as JSON and as text: shared by issue, list and show. */
#ifndef CLI_RECORDS_H
#define CLI_RECORDS_H

#include <p11ca/issue.h>

#include "cli/cli.h"

json_t *cli_record_json(const struct p11ca_record *r);
void cli_record_print(const struct p11ca_record *r);

/* The certificate in PEM, to stdout. */
void cli_record_pem(const struct p11ca_record *r);

/* --field NAME=TEXT, repeated: names into storage, values where they stand. */
#define CLI_MAX_FIELDS 64
P11CA_CHECK int cli_fields(const struct cli *cli, char names[CLI_MAX_FIELDS][33], struct p11ca_field *v,
    size_t *ret_n, struct p11ca_err *err);

/* The record of what was issued: printed, or kept for cli_show_issued(), which takes it. */
struct cli_shown {
    struct cli *cli;
    json_t *record;
};
int cli_keep_record(void *arg, const struct p11ca_record *r);

/* csr NULL: none; record NULL: printed already. */
void cli_show_issued(
    const struct cli *cli, const char *csr, const struct p11ca_issued *issued, json_t *record);

#endif
