/* What is likely a mistake in a policy: every rule compared with every other one of its service. */
#include <stdio.h>
#include <string.h>

#include "auth/path.h"
#include "auth/policy.h"
#include "base/err.h"

struct review {
    const struct policy_set *set;
    const struct policy_service *service;
    p11ca_policy_finding_fn *fn;
    void *arg;
    size_t n;
};

static void find(struct review *v, const char *code, const char *where, const char *message)
{
    const struct p11ca_policy_finding f = {code, where, v->service->name, message};

    v->n++;
    v->fn(v->arg, &f);
}

static void find_rule(struct review *v, const char *code, const struct policy_rule *r, const char *why,
    const struct policy_rule *by)
{
    char text[400];

    snprintf(text, sizeof(text), "service '%s': rule '%s': %s '%s' (%.150s)", v->service->name, r->name, why,
        by->name, by->where);
    find(v, code, r->where, text);
}

/* --- whether a is for everything that b is for --- */

static bool who_covers(const struct policy_rule *a, const struct policy_rule *b)
{
    size_t i, k;

    if (a->n_who == 0 || b->n_who == 0)
        return a->n_who == 0;
    for (i = 0; i < b->n_who; i++) {
        for (k = 0; k < a->n_who && !rule_covers(&a->who[k], &b->who[i]); k++)
            ;
        if (k == a->n_who)
            return false;
    }
    return true;
}

static bool same_word(const char *a, const char *b, bool slash)
{
    (void)slash;
    return strcmp(a, b) == 0;
}

static bool words_cover(const struct words *a, const struct words *b,
    bool (*covers)(const char *a, const char *b, bool slash), bool slash)
{
    size_t i, k;

    if (a->n == 0 || b->n == 0)
        return a->n == 0;
    for (i = 0; i < b->n; i++) {
        for (k = 0; k < a->n && !covers(a->v[k], b->v[i], slash); k++)
            ;
        if (k == a->n)
            return false;
    }
    return true;
}

static bool covers(const struct policy_rule *a, const struct policy_rule *b)
{
    return words_cover(&a->methods, &b->methods, same_word, false) &&
           words_cover(&a->paths, &b->paths, path_covers, a->deny) && who_covers(a, b);
}

/* --- a rule --- */

static const struct policy_rule *denial_of(const struct policy_service *s, const struct policy_rule *r)
{
    size_t i;

    for (i = 0; i < s->n_rules; i++) {
        if (s->rules[i].deny && covers(&s->rules[i], r))
            return &s->rules[i];
    }
    return NULL;
}

/* Of two for the same, the later one is. */
static const struct policy_rule *wider_than(const struct policy_service *s, const struct policy_rule *r)
{
    size_t i;

    for (i = 0; i < s->n_rules; i++) {
        const struct policy_rule *a = &s->rules[i];

        if (a != r && a->deny == r->deny && covers(a, r) && (a < r || !covers(r, a)))
            return a;
    }
    return NULL;
}

static void review_names(struct review *v, const struct policy_rule *r)
{
    char text[400];
    size_t i;

    for (i = 0; i < r->n_who; i++) {
        if (policy_has_kind(v->set, r->who[i].kind))
            continue;
        snprintf(text, sizeof(text),
            "service '%s': rule '%s': '%.150s' fits nobody: principals are of other kinds", v->service->name,
            r->name, r->who[i].label);
        find(v, "CANNOT_FIT", r->where, text);
    }
}

/* Whether it can ever decide something, by what is looked at here. */
static bool review_rule(struct review *v, const struct policy_rule *r)
{
    const struct policy_rule *denial = r->deny ? NULL : denial_of(v->service, r);
    const struct policy_rule *wider = denial ? NULL : wider_than(v->service, r);

    review_names(v, r);
    if (denial && covers(r, denial))
        find_rule(v, "CONTRADICTION", r, "allows what is denied by rule", denial);
    else if (denial)
        find_rule(v, "SHADOWED", r, "allows nothing that is not denied by rule", denial);
    if (wider)
        find_rule(v, "REDUNDANT", r, "says nothing more than rule", wider);
    return !denial;
}

static bool lets_anybody_in(const struct review *v, const struct policy_rule *r)
{
    size_t i = 0;

    while (i < r->n_who && !policy_has_kind(v->set, r->who[i].kind))
        i++;
    return !r->deny && (r->n_who == 0 || i < r->n_who);
}

static void review_service(struct review *v)
{
    const struct policy_service *s = v->service;
    char text[200];
    bool open = false;
    size_t i;

    for (i = 0; i < s->n_rules; i++) {
        if (review_rule(v, &s->rules[i]) && lets_anybody_in(v, &s->rules[i]))
            open = true;
    }
    snprintf(text, sizeof(text), "service '%s': nobody may call it", s->name);
    if (!open)
        find(v, "NOBODY", s->where, text);
}

int p11ca_policy_review(
    struct p11ca_policy *policy, p11ca_policy_finding_fn *fn, void *arg, struct p11ca_err *err)
{
    struct review v = {.fn = fn, .arg = arg};
    struct policy_set *set;
    size_t i;

    if (policy_hold_loaded(policy, &set, err) != 0)
        return -1;
    v.set = set;
    for (i = 0; i < set->n_services; i++) {
        v.service = &set->services[i];
        review_service(&v);
    }
    policy_drop(policy, set);
    if (v.n == 0)
        return 0;
    return err_set(err, P11CA_NEGATIVE, "POLICY_FINDINGS", "policy: %zu finding%s", v.n, v.n == 1 ? "" : "s");
}
