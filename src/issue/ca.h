/* CA certificates of authorities. */
#ifndef ISSUE_CA_H
#define ISSUE_CA_H

#include "issue/authority.h"

/* Puts the certificate into the ledger, in a transaction of its own. The same again changes nothing. */
P11CA_CHECK int ca_install(
    struct ledger *l, const struct authority_conf *conf, struct der cert, struct p11ca_err *err);

/*
 * A request for the authority's CA certificate. AGAIN: an interrupted run may have written it; a file that is the
 * request of this very key and subject is left as it is, and nothing is signed again.
 */
enum ca_request { CA_REQUEST_NEW, CA_REQUEST_FORCE, CA_REQUEST_AGAIN };
P11CA_CHECK int ca_request(struct p11ca_home *home, const char *authority, const char *output,
    enum ca_request how, struct p11ca_err *err);

#endif
