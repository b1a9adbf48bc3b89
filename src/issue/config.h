/* p11ca.conf into struct p11ca_home. */
#ifndef ISSUE_CONFIG_H
#define ISSUE_CONFIG_H

#include "issue/home.h"

/* Everything that can be wrong without touching a token is found here, with file and line. */
P11CA_CHECK int home_config_read(struct p11ca_home *home, struct p11ca_err *err);
void home_config_free(struct p11ca_home *home);

#endif
