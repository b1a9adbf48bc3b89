/* A ledger record as JSON and as text: shared by issue, list and show. */
#ifndef CLI_RECORDS_H
#define CLI_RECORDS_H

#include <p11ca/issue.h>

#include "cli/cli.h"

json_t *cli_record_json(const struct p11ca_record *r);
void cli_record_print(const struct p11ca_record *r);

/* The certificate in PEM, to stdout. */
void cli_record_pem(const struct p11ca_record *r);

#endif
