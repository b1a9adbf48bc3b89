/*
 * A PKI home: the directory with p11ca.conf, the ledger, the CA certificates.
 *
 * A handle belongs to one thread at a time. Functions that change something open the ledger for writing and
 * the token for the time of the call; errors come from wherever they arise, with the kinds of p11ca/err.h.
 */
#ifndef P11CA_HOME_H
#define P11CA_HOME_H

#include <stdint.h>

#include <p11ca/err.h>
#include <p11ca/ui.h>

struct p11ca_home;

struct p11ca_options {
    const struct p11ca_ui *ui; /* who answers questions; NULL: nobody. Borrowed. */
    int64_t now;               /* seconds since 1970 to take for the present; 0: the system's clock */
    const char
        *program_dir; /* where ../lib/p11ca and ../share/p11ca are looked for; NULL: beside this executable */
};

/* Reads DIR/p11ca.conf; options may be NULL. No token and no ledger is touched. P11CA_CONFIG names file and line. */
P11CA_API P11CA_CHECK int p11ca_home_open(
    struct p11ca_home **ret, const char *dir, const struct p11ca_options *options, struct p11ca_err *err);
P11CA_API void p11ca_home_close(struct p11ca_home *home);

#endif
