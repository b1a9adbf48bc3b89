/* A policy, as src/auth/policy*.c share it. What is loaded is a snapshot, as of CRLs: see auth/crls.h. */
#ifndef AUTH_POLICY_H
#define AUTH_POLICY_H

#include <p11ca/auth.h>

#include <pthread.h>

#include "auth/rule.h"
#include "base/limits.h"

/* Copies of texts. */
struct words {
    char **v;
    size_t n;
};

struct policy_rule {
    char *name, *where; /* "file:line" */
    bool deny;
    struct rule *who; /* none: any */
    size_t n_who;
    struct words methods, paths; /* none: any */
};

struct policy_service {
    char *name, *where;
    struct policy_rule *rules;
    size_t n_rules;
};

struct policy_set {
    unsigned refs;
    bool authenticator; /* the file has one */
    enum p11ca_name_kind kinds[P11CA_NAME_KINDS];
    size_t n_kinds;
    struct policy_service *services;
    size_t n_services, n_rules;
};

struct p11ca_policy {
    pthread_mutex_t lock; /* of now and its refs */
    struct policy_set *now;
};

/* A snapshot from a file. P11CA_CONFIG. */
P11CA_CHECK int policy_read(const char *path, struct policy_set **ret, struct p11ca_err *err);
void policy_set_free(struct policy_set *set);

/* The one of now with a reference that is dropped when done; NULL: nothing is loaded. */
struct policy_set *policy_hold(struct p11ca_policy *policy);
void policy_drop(struct p11ca_policy *policy, struct policy_set *set);

/* The same, POLICY_NONE when nothing is loaded. */
P11CA_CHECK int policy_hold_loaded(
    struct p11ca_policy *policy, struct policy_set **ret, struct p11ca_err *err);

/* Whether a certificate can have a principal of that kind here. */
bool policy_has_kind(const struct policy_set *set, enum p11ca_name_kind kind);

#endif
