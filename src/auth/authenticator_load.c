/* An authenticator from a file. */
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "auth/authenticator.h"
#include "base/file.h"
#include "base/path.h"

struct keys {
    struct conf_strs trust, trust_keys, ekus, key_usages, policies, principals, allow, allow_any, crls, roots;
    const char *revocation, *unknown, *pins;
    int stale_seconds;
};

#define K(key, type, required, member)                                                                       \
    {                                                                                                        \
        key, type, required, offsetof(struct keys, member)                                                   \
    }
static const struct conf_field fields[] = {
    K("trust", CONF_STRS, false, trust),
    K("trust-keys", CONF_STRS, false, trust_keys),
    K("extended-key-usage", CONF_STRS, false, ekus),
    K("key-usage", CONF_STRS, false, key_usages),
    K("policies", CONF_STRS, false, policies),
    K("principal", CONF_STRS, true, principals),
    K("allow", CONF_STRS, false, allow),
    K("allow-any", CONF_STRS, false, allow_any),
    K("revocation", CONF_STR, true, revocation),
    K("crls", CONF_STRS, false, crls),
    K("unknown", CONF_STR, false, unknown),
    K("stale-seconds", CONF_INT, false, stale_seconds),
    K("pins", CONF_STR, false, pins),
    K("verify-chain", CONF_STRS, false, roots),
};
#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

struct loading {
    const struct conf *conf;
    const config_setting_t *group; /* the file's all, or a part of a policy */
    const char *dir;
    const char *key; /* that is being read, for errors */
    struct p11ca_auth *auth;
};

/* An error where the key stands. */
static int at_key(const struct loading *l, const char *text, struct p11ca_err *err)
{
    const config_setting_t *at = config_setting_get_member(l->group, l->key);

    return conf_err(l->conf, at ? at : l->group, err, "%s: %s", l->key, text);
}

typedef int take_fn(struct loading *l, const char *value, struct p11ca_err *err);

static int each(
    struct loading *l, const char *key, const struct conf_strs *strs, take_fn *take, struct p11ca_err *err)
{
    struct p11ca_err why;
    size_t i;

    l->key = key;
    for (i = 0; i < strs->n; i++) {
        if (take(l, strs->v[i], &why) != 0)
            return at_key(l, why.msg, err);
    }
    return 0;
}

/* --- files --- */

typedef int bytes_fn(struct p11ca_auth *auth, const void *p, size_t len, struct p11ca_err *err);

static int take_bytes(struct loading *l, const char *name, bytes_fn *take, struct p11ca_err *err)
{
    AUTO_STR path = path_join(l->dir, name);
    AUTO_BUF file = BUF_INIT;

    if (!path)
        return err_nomem(err);
    if (file_read(path, LIMIT_CERT, &file, err) != 0)
        return -1;
    return take(l->auth, file.p, file.len, err) == 0 ? 0 : err_prefix(err, "%s", name);
}

/* Its CRLs are the ones that count. */
static int trust_cert(struct p11ca_auth *auth, const void *p, size_t len, struct p11ca_err *err)
{
    if (auth->own_crls && p11ca_crls_add_ca(auth->own_crls, p, len, err) != 0)
        return -1;
    return p11ca_auth_trust_cert(auth, p, len, err);
}

static int take_trust(struct loading *l, const char *name, struct p11ca_err *err)
{
    return take_bytes(l, name, trust_cert, err);
}

static int take_trust_key(struct loading *l, const char *name, struct p11ca_err *err)
{
    return take_bytes(l, name, p11ca_auth_trust_key, err);
}

static int take_root(struct loading *l, const char *name, struct p11ca_err *err)
{
    return take_bytes(l, name, p11ca_auth_verify_chain, err);
}

static int take_pins(struct loading *l, const char *name, struct p11ca_err *err)
{
    AUTO_STR path = name ? path_join(l->dir, name) : NULL;
    struct p11ca_err why;

    l->key = "pins";
    if (!name)
        return 0;
    if (!path)
        return err_nomem(err);
    if (p11ca_pins_load(path, &l->auth->own_pins, &why) != 0)
        return at_key(l, why.msg, err);
    return p11ca_auth_use_pins(l->auth, l->auth->own_pins, err);
}

/* --- words --- */

static int take_eku(struct loading *l, const char *word, struct p11ca_err *err)
{
    return p11ca_auth_require_eku(l->auth, word, err);
}

static int take_key_usage(struct loading *l, const char *word, struct p11ca_err *err)
{
    return p11ca_auth_require_key_usage(l->auth, word, err);
}

static int take_policy(struct loading *l, const char *word, struct p11ca_err *err)
{
    return p11ca_auth_require_policy(l->auth, word, err);
}

static int take_principal(struct loading *l, const char *word, struct p11ca_err *err)
{
    return p11ca_auth_principal(l->auth, p11ca_name_kind_find(word), err);
}

static int take_any(struct loading *l, const char *word, struct p11ca_err *err)
{
    return p11ca_auth_allow_any(l->auth, p11ca_name_kind_find(word), err);
}

/* KIND:TEXT */
static int take_allow(struct loading *l, const char *rule, struct p11ca_err *err)
{
    const char *colon = strchr(rule, ':');
    AUTO_STR word = colon ? strndup(rule, (size_t)(colon - rule)) : NULL;

    if (!colon)
        return err_set(err, P11CA_CONFIG, "AUTH_CONFIG", "rule: want KIND:NAME, have something else");
    return word ? p11ca_auth_allow(l->auth, p11ca_name_kind_find(word), colon + 1, err) : err_nomem(err);
}

/* --- revocation --- */

static int take_crl_path(struct loading *l, const char *name, struct p11ca_err *err)
{
    struct p11ca_auth *auth = l->auth;

    auth->crl_paths[auth->n_crl_paths] = path_join(l->dir, name);
    if (!auth->crl_paths[auth->n_crl_paths])
        return err_nomem(err);
    auth->n_crl_paths++;
    return 0;
}

/* Whatever is meant to refuse must be able to: settings of CRLs beside "none" are a mistake. */
static int read_none(struct loading *l, const struct keys *k, struct p11ca_err *err)
{
    if (k->crls.n || k->unknown || k->stale_seconds)
        return at_key(
            l, "\"none\": want neither crls nor unknown nor stale-seconds beside it, have one", err);
    return p11ca_auth_no_revocation(l->auth, err);
}

static int read_revocation(struct loading *l, const struct keys *k, struct p11ca_err *err)
{
    bool accept = k->unknown && strcmp(k->unknown, "accept") == 0;

    l->key = "revocation";
    if (strcmp(k->revocation, "none") == 0)
        return read_none(l, k, err);
    if (strcmp(k->revocation, "crls") != 0)
        return at_key(l, "want \"crls\" or \"none\", have something else", err);
    l->key = "unknown";
    if (k->unknown && !accept && strcmp(k->unknown, "refuse") != 0)
        return at_key(l, "want \"refuse\" or \"accept\", have something else", err);
    l->auth->own_crls = p11ca_crls_new();
    l->auth->crl_paths = calloc(k->crls.n + 1, sizeof(*l->auth->crl_paths));
    if (!l->auth->own_crls || !l->auth->crl_paths)
        return err_nomem(err);
    if (each(l, "crls", &k->crls, take_crl_path, err) != 0)
        return -1;
    l->key = "stale-seconds";
    return k->stale_seconds < 0
               ? at_key(l, "want 0 or more, have less", err)
               : p11ca_auth_use_crls(l->auth, l->auth->own_crls, accept, k->stale_seconds, err);
}

/* --- all --- */

static int read_lists(struct loading *l, const struct keys *k, struct p11ca_err *err)
{
    const struct {
        const char *key;
        const struct conf_strs *strs;
        take_fn *take;
    } lists[] = {
        {"trust", &k->trust, take_trust},
        {"trust-keys", &k->trust_keys, take_trust_key},
        {"extended-key-usage", &k->ekus, take_eku},
        {"key-usage", &k->key_usages, take_key_usage},
        {"policies", &k->policies, take_policy},
        {"principal", &k->principals, take_principal},
        {"allow", &k->allow, take_allow},
        {"allow-any", &k->allow_any, take_any},
        {"verify-chain", &k->roots, take_root},
    };
    size_t i;

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        if (each(l, lists[i].key, lists[i].strs, lists[i].take, err) != 0)
            return -1;
    }
    return take_pins(l, k->pins, err);
}

static void keys_done(struct keys *k)
{
    free(k->trust.v);
    free(k->trust_keys.v);
    free(k->ekus.v);
    free(k->key_usages.v);
    free(k->policies.v);
    free(k->principals.v);
    free(k->allow.v);
    free(k->allow_any.v);
    free(k->crls.v);
    free(k->roots.v);
}

/* Revocation first: who is trusted is told to the CRLs, too. */
static int read_all(struct loading *l, const struct keys *k, struct p11ca_err *err)
{
    if (read_revocation(l, k, err) != 0 || read_lists(l, k, err) != 0)
        return -1;
    return p11ca_auth_seal(l->auth, err) == 0 ? 0 : err_prefix(err, "%s", l->conf->path);
}

static int read_keys(
    const struct conf *conf, const config_setting_t *group, struct keys *ret, struct p11ca_err *err)
{
    return conf_fields(conf, group, "the authenticator", fields, N_FIELDS, ret, err);
}

static int read_group(struct loading *l, struct p11ca_err *err)
{
    __attribute__((cleanup(keys_done))) struct keys k = {.revocation = NULL};

    return read_keys(l->conf, l->group, &k, err) != 0 ? -1 : read_all(l, &k, err);
}

/* A policy has it in a group of its own, beside the services. */
struct policy_keys {
    const config_setting_t *authenticator, *services;
};

static const struct conf_field policy_fields[] = {
    {"authenticator", CONF_GROUP, true, offsetof(struct policy_keys, authenticator)},
    {"services", CONF_GROUP, false, offsetof(struct policy_keys, services)},
};

static int read_conf(struct loading *l, struct p11ca_err *err)
{
    struct policy_keys k = {.services = NULL};

    l->group = config_root_setting(&l->conf->cfg);
    if (config_setting_get_member(l->group, "authenticator")) {
        if (conf_fields(l->conf, l->group, "the policy", policy_fields, 2, &k, err) != 0)
            return -1;
        l->group = k.authenticator;
    }
    return read_group(l, err);
}

int auth_conf_kinds(const struct conf *conf, const config_setting_t *group,
    enum p11ca_name_kind kinds[P11CA_NAME_KINDS], size_t *ret_n, struct p11ca_err *err)
{
    __attribute__((cleanup(keys_done))) struct keys k = {.revocation = NULL};
    AUTO_AUTH auth = p11ca_auth_new();
    struct loading l = {.conf = conf, .group = group, .auth = auth};

    if (!auth)
        return err_nomem(err);
    if (read_keys(conf, group, &k, err) != 0 ||
        each(&l, "principal", &k.principals, take_principal, err) != 0)
        return -1;
    memcpy(kinds, auth->kinds, sizeof(auth->kinds));
    *ret_n = auth->n_kinds;
    return 0;
}

int p11ca_auth_reload(struct p11ca_auth *auth, struct p11ca_err *err)
{
    const char *const *paths = (const char *const *)auth->crl_paths;

    return auth->own_crls ? p11ca_crls_load(auth->own_crls, paths, auth->n_crl_paths, err) : 0;
}

int p11ca_auth_load(
    const char *path, p11ca_clock_fn *fn, void *arg, struct p11ca_auth **ret, struct p11ca_err *err)
{
    __attribute__((cleanup(conf_done))) struct conf conf = {.path = NULL};
    AUTO_AUTH auth = p11ca_auth_new();
    AUTO_STR copy = strdup(path);
    struct loading l = {.conf = &conf, .auth = auth};

    if (!auth || !copy)
        return err_nomem(err);
    l.dir = dirname(copy);
    if (conf_load(&conf, path, err) != 0 || p11ca_auth_clock(auth, fn, arg, err) != 0 ||
        read_conf(&l, err) != 0 || p11ca_auth_reload(auth, err) != 0)
        return -1;
    *ret = auth;
    auth = NULL;
    return 0;
}
