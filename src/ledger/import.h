/* What was taken over from another CA program, inside the ledger. */
#ifndef LEDGER_IMPORT_H
#define LEDGER_IMPORT_H

#include "ledger/ledger.h"

/* Each "import" event's digest against the rows that name it. */
P11CA_CHECK int import_check(struct ledger *l, ledger_finding_fn *finding, void *arg, struct p11ca_err *err);

#endif
