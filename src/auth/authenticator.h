/* An authenticator, as src/auth/authenticator*.c share it. */
#ifndef AUTH_AUTHENTICATOR_H
#define AUTH_AUTHENTICATOR_H

#include "auth/certs.h"
#include "auth/crls.h"
#include "auth/identity.h"
#include "auth/pins.h"
#include "auth/rule.h"
#include "auth/seen.h"
#include "base/conf.h"

#define AUTH_LIST 16 /* usages, policies */

/* A certificate's name and key, or a key alone. */
struct trusted {
    struct issuer *issuer; /* NULL: a key */
    struct spki spki;
    EVP_PKEY *pub; /* own reference */
};

struct oid_list {
    char v[AUTH_LIST][OID_TEXT];
    size_t n;
};

struct p11ca_auth {
    bool sealed;
    struct trusted trusted[LIMIT_CAS];
    size_t n_trusted;
    struct oid_list ekus, policies;
    unsigned key_usage; /* USAGE_* */
    enum p11ca_name_kind kinds[P11CA_NAME_KINDS];
    size_t n_kinds;
    struct rule *rules;
    size_t n_rules;
    bool revocation_said, accept_unknown;
    struct p11ca_crls *crls; /* NULL: nobody asks for revocation */
    int64_t stale_seconds;
    const struct p11ca_pins *pins;
    struct p11ca_chain roots; /* none: the chain is not verified again */
    p11ca_clock_fn *clock;
    void *clock_arg;
    struct seen *seen; /* from p11ca_auth_seal() on */
    /* What p11ca_auth_load() made. */
    struct p11ca_crls *own_crls;
    struct p11ca_pins *own_pins;
    char **crl_paths; /* ends with NULL */
    size_t n_crl_paths;
};

/* The kinds of principals of the group, whose every key must be one of an authenticator's; nothing else is read. */
P11CA_CHECK int auth_conf_kinds(const struct conf *conf, const config_setting_t *group,
    enum p11ca_name_kind kinds[P11CA_NAME_KINDS], size_t *ret_n, struct p11ca_err *err);

static inline void auth_scope(struct p11ca_auth **auth)
{
    p11ca_auth_free(*auth);
}
#define AUTO_AUTH __attribute__((cleanup(auth_scope))) struct p11ca_auth *

#endif
