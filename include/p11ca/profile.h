/*
 * Profiles: what a certificate of a kind holds. The built-in ones, and those of "profiles" in p11ca.conf. Nothing here
 * touches a token or the ledger.
 */
#ifndef P11CA_PROFILE_H
#define P11CA_PROFILE_H

#include <stdbool.h>

#include <p11ca/home.h>

struct p11ca_profile {
    const char *name, *base; /* base NULL: inherits from none */
    const char *about;       /* NULL: nobody said */
    bool builtin, ca;
};
typedef void p11ca_profile_fn(void *arg, const struct p11ca_profile *profile);

/* All of them, the built-in ones first. home NULL: only those. */
P11CA_API P11CA_CHECK int p11ca_profile_list(
    const struct p11ca_home *home, p11ca_profile_fn *fn, void *arg, struct p11ca_err *err);

struct p11ca_profile_value {
    const char *key, *value; /* libconfig */
    const char *by;          /* the profile that says so: its own, or one it inherits from */
    const char *file;        /* NULL: built in */
    unsigned line;
};
typedef void p11ca_profile_value_fn(void *arg, const struct p11ca_profile_value *value);

/* The effective profile, key by key. P11CA_USAGE when there is none of the name. */
P11CA_API P11CA_CHECK int p11ca_profile_show(const struct p11ca_home *home, const char *name,
    p11ca_profile_value_fn *fn, void *arg, struct p11ca_err *err);

/*
 * The profiles of a file that holds "profiles" and nothing else, as p11ca.conf may include it; fn (may be NULL) is given
 * each. P11CA_CONFIG names file and line.
 */
P11CA_API P11CA_CHECK int p11ca_profile_check(
    const char *file, p11ca_profile_fn *fn, void *arg, struct p11ca_err *err);

#endif
