/* CA certificates of authorities. */
#ifndef ISSUE_CA_H
#define ISSUE_CA_H

#include "issue/authority.h"

/* Puts the certificate into the ledger, in a transaction of its own. The same again changes nothing. */
P11CA_CHECK int ca_install(
    struct ledger *l, const struct authority_conf *conf, struct der cert, struct p11ca_err *err);

#endif
