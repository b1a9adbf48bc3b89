/* Authorities by name; inside src/ledger. */
#ifndef LEDGER_AUTHORITIES_H
#define LEDGER_AUTHORITIES_H

#include "ledger/handle.h"

/* The row of an authority; refused when it is not recorded (AUTHORITY_UNKNOWN). */
P11CA_CHECK int authorities_id(struct ledger *l, const char *name, int64_t *ret_id, struct p11ca_err *err);

#endif
