/* A policy from a file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/authenticator.h"
#include "auth/path.h"
#include "auth/policy.h"
#include "base/scope.h"

static void words_done(struct words *w)
{
    size_t i;

    for (i = 0; i < w->n; i++)
        free(w->v[i]);
    free(w->v);
}

static void rule_free(struct policy_rule *r)
{
    size_t i;

    for (i = 0; i < r->n_who; i++)
        rule_done(&r->who[i]);
    free(r->who);
    words_done(&r->methods);
    words_done(&r->paths);
    free(r->name);
    free(r->where);
}

static void service_free(struct policy_service *s)
{
    size_t i;

    for (i = 0; i < s->n_rules; i++)
        rule_free(&s->rules[i]);
    free(s->rules);
    free(s->name);
    free(s->where);
}

void policy_set_free(struct policy_set *set)
{
    size_t i;

    if (!set)
        return;
    for (i = 0; i < set->n_services; i++)
        service_free(&set->services[i]);
    free(set->services);
    free(set);
}

/* --- what settings share --- */

/* Letters first: it is a part of names of variables elsewhere. */
static bool is_name(const char *s)
{
    static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

    return *s && strlen(s) < P11CA_RULE_NAME && strspn(s, chars) == strlen(s);
}

static char *where_of(const struct conf *conf, const config_setting_t *at)
{
    const char *file = config_setting_source_file(at);
    char *text;

    return asprintf(&text, "%s:%u", file ? file : conf->path, config_setting_source_line(at)) < 0 ? NULL
                                                                                                  : text;
}

static const config_setting_t *member(const config_setting_t *group, const char *key)
{
    const config_setting_t *at = config_setting_get_member(group, key);

    return at ? at : group;
}

/* --- a rule --- */

struct rule_keys {
    const char *name, *effect;
    struct conf_strs who, methods, paths;
};

static const struct conf_field rule_fields[] = {
    {"name", CONF_STR, true, offsetof(struct rule_keys, name)},
    {"effect", CONF_STR, true, offsetof(struct rule_keys, effect)},
    {"who", CONF_STRS, true, offsetof(struct rule_keys, who)},
    {"methods", CONF_STRS, false, offsetof(struct rule_keys, methods)},
    {"paths", CONF_STRS, false, offsetof(struct rule_keys, paths)},
};
#define N_RULE_FIELDS (sizeof(rule_fields) / sizeof(rule_fields[0]))

static void rule_keys_done(struct rule_keys *k)
{
    free(k->who.v);
    free(k->methods.v);
    free(k->paths.v);
}

/* The list of conditions that is being read. */
struct reading {
    const struct conf *conf;
    const config_setting_t *group;
    const char *key;
};

static int at_key(const struct reading *r, const char *text, struct p11ca_err *err)
{
    return conf_err(r->conf, member(r->group, r->key), err, "%s: %s", r->key, text);
}

/* Nothing in a list is nobody or everybody, depending on who reads it: neither was said. */
static int check_list(const struct reading *r, const struct conf_strs *strs, struct p11ca_err *err)
{
    if (strs->n == 0)
        return at_key(r, "want conditions, have an empty list", err);
    return strs->n <= LIMIT_CONDITIONS ? 0 : at_key(r, "want at most 256, have more", err);
}

/* KIND:TEXT */
static int read_name(const struct reading *r, const char *text, struct rule *ret, struct p11ca_err *err)
{
    const char *colon = strchr(text, ':');
    AUTO_STR word = colon ? strndup(text, (size_t)(colon - text)) : NULL;
    struct p11ca_err why;

    if (!colon)
        return at_key(r, "want \"KIND:NAME\", or \"any\" alone, have something else", err);
    if (!word)
        return err_nomem(err);
    return rule_make(p11ca_name_kind_find(word), colon + 1, ret, &why) == 0 ? 0 : at_key(r, why.msg, err);
}

static int read_who(
    const struct reading *r, const struct conf_strs *strs, struct policy_rule *ret, struct p11ca_err *err)
{
    if (check_list(r, strs, err) != 0)
        return -1;
    if (strs->n == 1 && strcmp(strs->v[0], "any") == 0)
        return 0;
    ret->who = calloc(strs->n, sizeof(*ret->who));
    if (!ret->who)
        return err_nomem(err);
    while (ret->n_who < strs->n) {
        if (read_name(r, strs->v[ret->n_who], &ret->who[ret->n_who], err) != 0)
            return -1;
        ret->n_who++;
    }
    return 0;
}

static const char *method_fault(const char *text)
{
    static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ-";
    size_t len = strlen(text);

    return len && len <= 32 && strspn(text, chars) == len
               ? NULL
               : "want a method in upper case, have something else";
}

typedef const char *fault_fn(const char *text);

static int read_words(const struct reading *r, const struct conf_strs *strs, fault_fn *fault,
    struct words *ret, struct p11ca_err *err)
{
    const char *why;

    if (!strs->v)
        return 0;
    if (check_list(r, strs, err) != 0)
        return -1;
    ret->v = calloc(strs->n, sizeof(*ret->v));
    if (!ret->v)
        return err_nomem(err);
    for (; ret->n < strs->n; ret->n++) {
        why = fault(strs->v[ret->n]);
        if (why)
            return at_key(r, why, err);
        ret->v[ret->n] = strdup(strs->v[ret->n]);
        if (!ret->v[ret->n])
            return err_nomem(err);
    }
    return 0;
}

static int read_conditions(
    struct reading *r, const struct rule_keys *k, struct policy_rule *ret, struct p11ca_err *err)
{
    r->key = "who";
    if (read_who(r, &k->who, ret, err) != 0)
        return -1;
    r->key = "methods";
    if (read_words(r, &k->methods, method_fault, &ret->methods, err) != 0)
        return -1;
    r->key = "paths";
    return read_words(r, &k->paths, path_pattern_fault, &ret->paths, err);
}

static int read_head(
    struct reading *r, const struct rule_keys *k, struct policy_rule *ret, struct p11ca_err *err)
{
    r->key = "name";
    if (!is_name(k->name))
        return at_key(r, "want 1 to 64 of A-Z a-z 0-9 . _ -, have something else", err);
    r->key = "effect";
    ret->deny = strcmp(k->effect, "deny") == 0;
    if (!ret->deny && strcmp(k->effect, "allow") != 0)
        return at_key(r, "want \"allow\" or \"deny\", have something else", err);
    ret->name = strdup(k->name);
    ret->where = where_of(r->conf, r->group);
    return ret->name && ret->where ? 0 : err_nomem(err);
}

/* ret holds what was read, also when the rest is refused. */
static int read_rule(
    const struct conf *conf, const config_setting_t *group, struct policy_rule *ret, struct p11ca_err *err)
{
    __attribute__((cleanup(rule_keys_done))) struct rule_keys k = {.name = NULL};
    struct reading r = {.conf = conf, .group = group};

    if (!config_setting_is_group(group))
        return conf_err(conf, group, err, "rules: want groups { ... }, have something else");
    if (conf_fields(conf, group, "the rule", rule_fields, N_RULE_FIELDS, &k, err) != 0 ||
        read_head(&r, &k, ret, err) != 0)
        return -1;
    return read_conditions(&r, &k, ret, err);
}

/* --- a service --- */

struct service_keys {
    const config_setting_t *rules;
};

static const struct conf_field service_fields[] = {
    {"rules", CONF_LIST, true, offsetof(struct service_keys, rules)},
};

static int check_new_name(const struct conf *conf, const config_setting_t *at, const struct policy_service *s,
    struct p11ca_err *err)
{
    const char *name = s->rules[s->n_rules - 1].name;
    size_t i;

    for (i = 0; i + 1 < s->n_rules; i++) {
        if (strcmp(s->rules[i].name, name) == 0)
            return conf_err(
                conf, at, err, "rule '%s': want a name of its own, have that of %s", name, s->rules[i].where);
    }
    return 0;
}

static int read_rules(const struct conf *conf, const config_setting_t *list, struct policy_set *set,
    struct policy_service *ret, struct p11ca_err *err)
{
    size_t n = (size_t)config_setting_length(list);
    const config_setting_t *at;

    if (set->n_rules + n > LIMIT_RULES)
        return conf_err(conf, list, err, "rules: want at most %d in a policy, have more", LIMIT_RULES);
    ret->rules = calloc(n ? n : 1, sizeof(*ret->rules));
    if (!ret->rules)
        return err_nomem(err);
    while (ret->n_rules < n) {
        at = config_setting_get_elem(list, (unsigned)ret->n_rules);
        if (read_rule(conf, at, &ret->rules[ret->n_rules++], err) != 0 ||
            check_new_name(conf, at, ret, err) != 0)
            return -1;
    }
    set->n_rules += n;
    return 0;
}

static int read_service(const struct conf *conf, const config_setting_t *group, struct policy_set *set,
    struct policy_service *ret, struct p11ca_err *err)
{
    struct service_keys k = {NULL};
    const char *name = config_setting_name(group);

    if (!config_setting_is_group(group))
        return conf_err(conf, group, err, "service '%s': want a group { ... }", name);
    if (!is_name(name))
        return conf_err(conf, group, err, "service: want 1 to 64 of A-Z a-z 0-9 . _ -, have something else");
    ret->name = strdup(name);
    ret->where = where_of(conf, group);
    if (!ret->name || !ret->where)
        return err_nomem(err);
    if (conf_fields(conf, group, "the service", service_fields, 1, &k, err) != 0)
        return -1;
    return read_rules(conf, k.rules, set, ret, err);
}

/* --- all --- */

struct policy_keys {
    const config_setting_t *authenticator, *services;
    struct conf_strs principals;
};

static const struct conf_field fields[] = {
    {"authenticator", CONF_GROUP, false, offsetof(struct policy_keys, authenticator)},
    {"principal", CONF_STRS, false, offsetof(struct policy_keys, principals)},
    {"services", CONF_GROUP, true, offsetof(struct policy_keys, services)},
};

static int read_services(
    const struct conf *conf, const config_setting_t *group, struct policy_set *set, struct p11ca_err *err)
{
    size_t n = (size_t)config_setting_length(group);

    if (n == 0 || n > LIMIT_SERVICES)
        return conf_err(conf, group, err, "services: want 1 to %d, have %zu", LIMIT_SERVICES, n);
    set->services = calloc(n, sizeof(*set->services));
    if (!set->services)
        return err_nomem(err);
    while (set->n_services < n) {
        const config_setting_t *at = config_setting_get_elem(group, (unsigned)set->n_services);

        if (read_service(conf, at, set, &set->services[set->n_services++], err) != 0)
            return -1;
    }
    return 0;
}

static int add_kind(const struct reading *r, const char *word, struct policy_set *set, struct p11ca_err *err)
{
    enum p11ca_name_kind kind = p11ca_name_kind_find(word);

    if (kind == P11CA_NAME_KINDS || kind == P11CA_NAME_OTHER)
        return at_key(r, "want a kind of name with a grammar, have another", err);
    if (policy_has_kind(set, kind))
        return at_key(r, "want each kind once, have one twice", err);
    set->kinds[set->n_kinds++] = kind;
    return 0;
}

static int read_kinds(
    const struct conf *conf, const struct policy_keys *k, struct policy_set *set, struct p11ca_err *err)
{
    const struct reading r = {conf, config_root_setting(&conf->cfg), "principal"};
    size_t i;

    if (!k->authenticator == !k->principals.v)
        return conf_err(conf, k->authenticator ? k->authenticator : k->services, err,
            "want either an authenticator or principal in the policy, have %s",
            k->authenticator ? "both" : "neither");
    set->authenticator = k->authenticator != NULL;
    if (k->authenticator)
        return auth_conf_kinds(conf, k->authenticator, set->kinds, &set->n_kinds, err);
    if (check_list(&r, &k->principals, err) != 0)
        return -1;
    for (i = 0; i < k->principals.n; i++) {
        if (add_kind(&r, k->principals.v[i], set, err) != 0)
            return -1;
    }
    return 0;
}

static void policy_keys_done(struct policy_keys *k)
{
    free(k->principals.v);
}

static int read_policy(const struct conf *conf, struct policy_set *set, struct p11ca_err *err)
{
    __attribute__((cleanup(policy_keys_done))) struct policy_keys k = {NULL};

    if (conf_fields(conf, config_root_setting(&conf->cfg), "the policy", fields,
            sizeof(fields) / sizeof(fields[0]), &k, err) != 0 ||
        read_kinds(conf, &k, set, err) != 0)
        return -1;
    return read_services(conf, k.services, set, err);
}

int policy_read(const char *path, struct policy_set **ret, struct p11ca_err *err)
{
    __attribute__((cleanup(conf_done))) struct conf conf = {.path = NULL};
    struct policy_set *set;

    if (conf_load(&conf, path, err) != 0)
        return -1;
    set = calloc(1, sizeof(*set));
    if (!set)
        return err_nomem(err);
    if (read_policy(&conf, set, err) != 0) {
        policy_set_free(set);
        return -1;
    }
    *ret = set;
    return 0;
}
