/* Refusals in the ledger: each is a decision, and some tell of an attack or a leak (BR 5.4.1). */
#ifndef ISSUE_REJECT_H
#define ISSUE_REJECT_H

#include "ledger/ledger.h"

/*
 * Appends to the open transaction an event "reject" with the text of why; before it, for the codes DEVICE_ISSUED,
 * DUP_KEY_LEDGER, KEY_IS_CA, KEY_COMPROMISED, PRIVATE_KEY_SEEN, TICKET_SIGNATURE, TICKET_CHANGED and NOT_IN_LEDGER,
 * an event "alarm": "CODE: text". profile may be NULL.
 */
P11CA_CHECK int reject_note(struct ledger *l, const char *authority, const char *profile,
    const struct p11ca_err *why, struct p11ca_err *err);

#endif
