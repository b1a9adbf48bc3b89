/* The tokens of a home: list, check, init. */
#include <p11ca/token.h>

#include <string.h>

#include "issue/home.h"
#include "token/doctor.h"

struct listing {
    const struct p11ca_home *home;
    const struct token_binding *binding;
    p11ca_token_fn *fn;
    void *arg;
};

static bool same_module(const struct token_binding *a, const struct token_binding *b)
{
    return strcmp(a->kind, b->kind) == 0 &&
           (a->store == b->store || (a->store && b->store && strcmp(a->store, b->store) == 0));
}

static void show_token(void *arg, const struct token_seen *seen)
{
    const struct listing *list = arg;
    struct p11ca_token_info info = {
        .kind = list->binding->kind,
        .label = seen->label,
        .serial = seen->serial,
        .model = seen->model,
        .manufacturer = seen->manufacturer,
        .slot = seen->slot,
        .initialized = seen->initialized,
        .user_pin_set = seen->user_pin_set,
        .pin_pad = seen->pin_pad,
        .pin_count_low = seen->pin_count_low,
        .pin_final_try = seen->pin_final_try,
        .pin_locked = seen->pin_locked,
    };
    size_t i;

    for (i = 0; i < list->home->n_tokens && !info.name; i++) {
        const struct token_binding *b = &list->home->tokens[i];

        if (info.initialized && same_module(b, list->binding) && token_matches(b, seen))
            info.name = b->name;
    }
    list->fn(list->arg, &info);
}

int p11ca_token_list(struct p11ca_home *home, p11ca_token_fn *fn, void *arg, struct p11ca_err *err)
{
    struct listing list = {.home = home, .fn = fn, .arg = arg};
    size_t i, k;

    for (i = 0; i < home->n_tokens; i++) {
        for (k = 0; k < i && !same_module(&home->tokens[k], &home->tokens[i]); k++)
            ;
        if (k < i)
            continue; /* this module was shown */
        list.binding = &home->tokens[i];
        if (token_each(list.binding, &home->env, show_token, &list, err) != 0)
            return -1;
    }
    return 0;
}

struct check {
    p11ca_finding_fn *fn;
    void *arg;
};

static void show_finding(void *arg, enum doctor_level level, const char *what, const char *found)
{
    static const enum p11ca_level levels[] = {
        [DOCTOR_GOOD] = P11CA_GOOD,
        [DOCTOR_WEAK] = P11CA_WEAK,
        [DOCTOR_BAD] = P11CA_BAD,
    };
    const struct check *c = arg;

    c->fn(c->arg, levels[level], what, found);
}

/* All keys are looked at; the first fault is the error. */
static int check_keys(struct p11ca_home *home, struct token *t, struct check *c, struct p11ca_err *err)
{
    struct p11ca_err one;
    int rc = 0;
    size_t i;

    for (i = 0; i < home->n_authorities; i++) {
        if (home->authorities[i].token != t->binding)
            continue;
        if (doctor_key(t, home->authorities[i].key, home->authorities[i].key_exception, home->gate,
                show_finding, c, &one) != 0 &&
            rc == 0) {
            *err = one;
            rc = -1;
        }
    }
    return rc;
}

int p11ca_token_check(
    struct p11ca_home *home, const char *name, p11ca_finding_fn *fn, void *arg, struct p11ca_err *err)
{
    struct check c = {fn, arg};
    const struct token_binding *b;
    struct token *t;
    int rc;

    if (home_token(home, name, &b, err) != 0 || token_open(&t, b, &home->env, false, err) != 0)
        return -1;
    rc = doctor_token(t, show_finding, &c, err);
    if (rc == 0)
        rc = token_login(t, err);
    if (rc == 0)
        rc = check_keys(home, t, &c, err);
    token_close(t);
    return rc;
}

int p11ca_token_init(struct p11ca_home *home, const char *name, struct p11ca_err *err)
{
    const struct token_binding *b;

    return home_token(home, name, &b, err) != 0 ? -1 : token_init(b, &home->env, false, err);
}
