/* The set of now, and the change from one to the next. */
#include "auth/policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

struct p11ca_policy *p11ca_policy_new(void)
{
    struct p11ca_policy *policy = calloc(1, sizeof(*policy));

    if (policy && pthread_mutex_init(&policy->lock, NULL) != 0) {
        free(policy);
        return NULL;
    }
    return policy;
}

void p11ca_policy_free(struct p11ca_policy *policy)
{
    if (!policy)
        return;
    policy_set_free(policy->now);
    pthread_mutex_destroy(&policy->lock);
    free(policy);
}

struct policy_set *policy_hold(struct p11ca_policy *policy)
{
    struct policy_set *set;

    pthread_mutex_lock(&policy->lock);
    set = policy->now;
    if (set)
        set->refs++;
    pthread_mutex_unlock(&policy->lock);
    return set;
}

void policy_drop(struct p11ca_policy *policy, struct policy_set *set)
{
    bool last = false;

    pthread_mutex_lock(&policy->lock);
    if (set)
        last = --set->refs == 0;
    pthread_mutex_unlock(&policy->lock);
    if (last)
        policy_set_free(set);
}

int policy_hold_loaded(struct p11ca_policy *policy, struct policy_set **ret, struct p11ca_err *err)
{
    struct policy_set *set = policy ? policy_hold(policy) : NULL;

    if (!set)
        return err_set(err, P11CA_NEGATIVE, "POLICY_NONE", "policy: want one that is loaded, have none");
    *ret = set;
    return 0;
}

int p11ca_policy_load(struct p11ca_policy *policy, const char *path, struct p11ca_err *err)
{
    struct policy_set *next, *before;

    if (policy_read(path, &next, err) != 0)
        return -1;
    next->refs = 1;
    pthread_mutex_lock(&policy->lock);
    before = policy->now;
    policy->now = next;
    pthread_mutex_unlock(&policy->lock);
    policy_drop(policy, before);
    return 0;
}

bool policy_has_kind(const struct policy_set *set, enum p11ca_name_kind kind)
{
    size_t i = 0;

    while (i < set->n_kinds && set->kinds[i] != kind)
        i++;
    return i < set->n_kinds;
}

size_t p11ca_policy_kinds(struct p11ca_policy *policy, enum p11ca_name_kind ret[P11CA_NAME_KINDS])
{
    struct policy_set *set = policy_hold(policy);
    size_t n = set ? set->n_kinds : 0;

    if (n)
        memcpy(ret, set->kinds, n * sizeof(*ret));
    policy_drop(policy, set);
    return n;
}

bool p11ca_policy_has_authenticator(struct p11ca_policy *policy)
{
    struct policy_set *set = policy_hold(policy);
    bool has = set && set->authenticator;

    policy_drop(policy, set);
    return has;
}
