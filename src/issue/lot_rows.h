/* What a row of a lot becomes: read, and made into a job. */
#ifndef ISSUE_LOT_ROWS_H
#define ISSUE_LOT_ROWS_H

#include <p11ca/lot.h>

#include "issue/flow.h"
#include "issue/lot_output.h"

struct lot_rows {
    const struct p11ca_home *home;
    const struct authority_conf *authority;
    const struct profile *profile;   /* of rows that name none */
    const struct lot_output *output; /* NULL: no files */
    struct lot_input *input;         /* NULL: rows stand alone */
    bool one_profile;                /* rows may name no other */
};

/* A profile that the authority may issue in lots. Codes PROFILE, PROFILE_NOT_ALLOWED. */
P11CA_CHECK int lot_rows_profile(const struct p11ca_home *home, const struct authority_conf *authority,
    const char *name, const struct profile **ret, struct p11ca_err *err);

/* Loads what the row names; row->content is the digest of everything that was read, also when this fails. */
P11CA_CHECK int lot_rows_load(const struct lot_rows *rows, struct flow_row *row, struct p11ca_err *err);

/* Makes row->job and row->path of a loaded row. verified: its very bytes went through here before. */
P11CA_CHECK int lot_rows_make(const struct lot_rows *rows, struct flow_row *row, bool verified);

/* What is there and is not the row's own certificate fails the row: before it has a serial. Looks it up in the ledger. */
void lot_rows_check_output(const struct lot_rows *rows, struct flow_row *row, struct ledger *l);

/* What its certificate is called, without an ending: as the request in a directory or archive, else as the device; what has
 * none and stands alone like the order that it is. */
void lot_rows_name(const struct lot_rows *rows, const struct flow_row *row, char dst[LOT_NAME]);

#endif
