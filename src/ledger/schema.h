/*
 * The tables, and how a database of an older version becomes one of this version.
 */
#ifndef LEDGER_SCHEMA_H
#define LEDGER_SCHEMA_H

#include "ledger/handle.h"

/*
 * Whether the database is a ledger of ours: own application_id, a version this program knows. Changes nothing.
 * ret_version is what it has (0: an empty database, only for LEDGER_CREATE).
 */
P11CA_CHECK int schema_check(struct ledger *l, int64_t *ret_version, struct p11ca_err *err);

/* What this program writes. */
int64_t schema_version(void);

/* Brings it to this version, in one transaction. */
P11CA_CHECK int schema_migrate(struct ledger *l, struct p11ca_err *err);

#endif
