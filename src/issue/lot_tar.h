/*
 * Lots in a tar archive: its regular members that end in .csr, .der or .pem, in the order in which they are there, each
 * with the octets of a request. Plain tar of whatever dialect, not compressed.
 */
#ifndef ISSUE_LOT_TAR_H
#define ISSUE_LOT_TAR_H

#include "issue/lot_kind.h"

extern const struct lot_input_kind lot_tar_kind;

void lot_tar_done(struct lot_tar *tar);

#endif
