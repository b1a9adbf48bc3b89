/* Asking a policy. Every condition is met, not met, or not known; what is not known speaks against who asks. */
#include <stdio.h>
#include <string.h>

#include "auth/identity.h"
#include "auth/path.h"
#include "auth/policy.h"

enum fit { FIT_NO, FIT_UNKNOWN, FIT_YES };

/* A request with who it is from. */
struct asking {
    const struct p11ca_request *request;
    const struct p11ca_name *who;
    const struct san_list *san; /* of who, NULL for one of the subject */
};

static enum fit fits_who(const struct policy_rule *r, const struct asking *a)
{
    size_t i = 0;

    while (i < r->n_who && !rule_fits(&r->who[i], a->who, a->san))
        i++;
    return r->n_who == 0 || i < r->n_who ? FIT_YES : FIT_NO;
}

static enum fit fits_method(const struct policy_rule *r, const struct asking *a)
{
    const char *method = a->request->method;
    size_t i = 0;

    if (r->methods.n == 0)
        return FIT_YES;
    if (!method)
        return FIT_UNKNOWN;
    while (i < r->methods.n && strcmp(r->methods.v[i], method) != 0)
        i++;
    return i < r->methods.n ? FIT_YES : FIT_NO;
}

/* Many services take "/a/" for "/a": a denial does, too. */
static enum fit fits_path(const struct policy_rule *r, const struct asking *a)
{
    const char *path = a->request->path;
    size_t i = 0;

    if (r->paths.n == 0)
        return FIT_YES;
    if (!path)
        return FIT_UNKNOWN;
    while (i < r->paths.n && !path_fits(r->paths.v[i], path, r->deny))
        i++;
    return i < r->paths.n ? FIT_YES : FIT_NO;
}

static const struct {
    enum fit (*fits)(const struct policy_rule *r, const struct asking *a);
    const char *no, *unknown;
} conditions[] = {
    {fits_who, "who: the principal is none of them", NULL},
    {fits_method, "methods: the request's is none of them", "methods: the request has none"},
    {fits_path, "paths: the request's is none of them", "paths: the request has none"},
};

/* *ret_why (may be NULL): the first condition that does not fit. */
static bool rule_fits_all(const struct policy_rule *r, const struct asking *a, const char **ret_why)
{
    const char *why = "fits";
    bool all = true;
    size_t i;

    for (i = 0; all && i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        const enum fit fit = conditions[i].fits(r, a);

        all = r->deny ? fit != FIT_NO : fit == FIT_YES;
        if (!all)
            why = fit == FIT_NO ? conditions[i].no : conditions[i].unknown;
    }
    if (ret_why)
        *ret_why = why;
    return all;
}

/* The first one of this effect that fits. */
static const struct policy_rule *find(const struct policy_service *s, const struct asking *a, bool deny)
{
    size_t i;

    for (i = 0; i < s->n_rules; i++) {
        if (s->rules[i].deny == deny && rule_fits_all(&s->rules[i], a, NULL))
            return &s->rules[i];
    }
    return NULL;
}

/* --- the request --- */

static int check_method(const char *method, struct p11ca_err *err)
{
    static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ-";
    size_t len = method ? strlen(method) : 1;

    if (!method || (len && len <= 32 && strspn(method, chars) == len))
        return 0;
    return err_set(err, P11CA_NEGATIVE, "REQUEST_METHOD",
        "request: method: want 1 to 32 of A-Z and dashes, have others");
}

static int check_path(const char *path, struct p11ca_err *err)
{
    const char *why = path ? path_fault(path) : NULL;

    return why ? err_set(err, P11CA_NEGATIVE, "REQUEST_PATH", "request: path: %s", why) : 0;
}

/* NULL: there is none of that name. */
static const struct policy_service *find_service(const struct policy_set *set, const char *name)
{
    size_t i;

    for (i = 0; name && i < set->n_services; i++) {
        if (strcmp(set->services[i].name, name) == 0)
            return &set->services[i];
    }
    return NULL;
}

static int read_asking(
    const struct policy_set *set, const struct p11ca_request *q, struct asking *ret, struct p11ca_err *err)
{
    const struct p11ca_identity *id = q->id;
    const struct san_list *san;

    if (!id)
        return err_set(err, P11CA_NEGATIVE, "IDENT_NONE", "request: want an identity, have none");
    if (check_method(q->method, err) != 0 || check_path(q->path, err) != 0 ||
        p11ca_identity_principal(id, set->kinds, set->n_kinds, &ret->who, err) != 0)
        return -1;
    san = &id->sans[ret->who - id->names];
    ret->san = san->n ? san : NULL;
    ret->request = q;
    return 0;
}

/* --- the answer --- */

static int refuse(const struct policy_service *s, const struct asking *a, const struct policy_rule *by,
    struct p11ca_err *err)
{
    const struct p11ca_request *q = a->request;
    char asked[400];

    snprintf(asked, sizeof(asked), "service '%s': %s '%.200s'%s%s%s%.100s", s->name,
        p11ca_name_kind(a->who->kind), a->who->text, q->method ? " " : "", q->method ? q->method : "",
        q->path ? " " : "", q->path ? q->path : "");
    if (by)
        return err_set(err, P11CA_NEGATIVE, "RULE_DENIES", "%s: denied by rule '%s'", asked, by->name);
    return err_set(err, P11CA_NEGATIVE, "NO_RULE", "%s: want a rule that allows it, have none", asked);
}

static void explain(const struct policy_service *s, const struct asking *a, const struct policy_rule *decides,
    p11ca_explain_fn *fn, void *arg)
{
    struct p11ca_rule_answer answer;
    size_t i;

    for (i = 0; i < s->n_rules; i++) {
        const struct policy_rule *r = &s->rules[i];

        answer = (struct p11ca_rule_answer){
            .name = r->name, .where = r->where, .deny = r->deny, .decides = r == decides};
        answer.fits = rule_fits_all(r, a, &answer.why);
        fn(arg, &answer);
    }
}

static int decide(const struct policy_set *set, const struct p11ca_request *request, p11ca_explain_fn *fn,
    void *arg, struct p11ca_verdict *ret, struct p11ca_err *err)
{
    const struct policy_service *s = find_service(set, request->service);
    const struct policy_rule *deny, *allow;
    struct asking a;

    if (!s)
        return err_set(err, P11CA_NEGATIVE, "SERVICE_UNKNOWN",
            "service '%.64s': want one of the policy, have another",
            request->service ? request->service : "");
    if (read_asking(set, request, &a, err) != 0)
        return -1;
    deny = find(s, &a, true);
    allow = deny ? NULL : find(s, &a, false);
    if (fn)
        explain(s, &a, deny ? deny : allow, fn, arg);
    if (!allow)
        return refuse(s, &a, deny, err);
    if (ret)
        snprintf(ret->rule, sizeof(ret->rule), "%s", allow->name);
    return 0;
}

int p11ca_policy_check(struct p11ca_policy *policy, const struct p11ca_request *request,
    struct p11ca_verdict *ret, struct p11ca_err *err)
{
    struct policy_set *set;
    int rc;

    if (policy_hold_loaded(policy, &set, err) != 0)
        return -1;
    rc = decide(set, request, NULL, NULL, ret, err);
    policy_drop(policy, set);
    return rc;
}

int p11ca_policy_explain(struct p11ca_policy *policy, const struct p11ca_request *request,
    p11ca_explain_fn *fn, void *arg, struct p11ca_err *err)
{
    struct policy_set *set;
    int rc;

    if (policy_hold_loaded(policy, &set, err) != 0)
        return -1;
    rc = decide(set, request, fn, arg, NULL, err);
    policy_drop(policy, set);
    return rc;
}
