#include "token/kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/path.h"
#include "base/scope.h"
#include "token/policy.h"

#define F(key, type, req, member)                                                                            \
    {                                                                                                        \
        key, type, req, offsetof(struct token_kind, member)                                                  \
    }
static const struct conf_field fields[] = {
    F("description", CONF_STR, true, description),
    F("module", CONF_STRS, true, modules),
    F("store-env", CONF_STR, false, store_env),
    F("init-args", CONF_STR, false, init_args),
    F("max-sessions", CONF_INT, false, max_sessions),
    F("omit", CONF_STRS, false, omit),
    F("weak", CONF_STRS, false, weak),
};

/* The name becomes part of a path: letters, digits, dash and underscore. */
static bool name_ok(const char *name)
{
    return *name &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == strlen(name);
}

static int find(const char *name, const char *const *dirs, char **ret, struct p11ca_err *err)
{
    AUTO_BUF tried = BUF_INIT;
    char file[128];

    if (!name_ok(name) || strlen(name) > 64)
        return err_set(err, P11CA_CONFIG, "KIND", "kind '%s': want letters, digits, '-' and '_'", name);
    snprintf(file, sizeof(file), "%s.conf", name);
    for (; *dirs; dirs++) {
        AUTO_STR path = path_join(*dirs, file);

        if (!path)
            return err_nomem(err);
        if (file_exists(path)) {
            *ret = str_take(&path);
            return 0;
        }
        buf_addf(&tried, "%s%s", tried.len ? ", " : "", path);
    }
    return err_set(err, P11CA_CONFIG, "KIND", "kind '%s': no file %s", name, buf_str(&tried));
}

/* A name with a slip would weaken nothing, and a name too many would weaken everything. */
static int check_names(const char *path, const char *key, const struct conf_strs *names,
    bool (*may)(const char *), struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < names->n; i++) {
        if (!may(names->v[i]))
            return err_set(err, P11CA_CONFIG, "KIND", "%s: %s: '%s' is no attribute that may be named here",
                path, key, names->v[i]);
    }
    return 0;
}

int token_kind_load(struct token_kind *ret, const char *name, const char *const *dirs, struct p11ca_err *err)
{
    AUTO_STR path = NULL;
    size_t i;

    if (find(name, dirs, &path, err) != 0)
        return -1;
    memset(ret, 0, sizeof(*ret));
    ret->max_sessions = 16;
    if (conf_load(&ret->conf, path, err) != 0 ||
        conf_fields(&ret->conf, config_root_setting(&ret->conf.cfg), "a token kind", fields,
            sizeof(fields) / sizeof(fields[0]), ret, err) != 0)
        goto fail;
    for (i = 0; i < ret->modules.n; i++) {
        if (ret->modules.v[i][0] != '/') {
            err_set(
                err, P11CA_CONFIG, "KIND", "%s: module '%s': want an absolute path", path, ret->modules.v[i]);
            goto fail;
        }
    }
    if (check_names(path, "omit", &ret->omit, policy_may_omit, err) != 0 ||
        check_names(path, "weak", &ret->weak, policy_may_be_weak, err) != 0)
        goto fail;
    if (ret->max_sessions < 1 || ret->max_sessions > 1024) {
        err_set(
            err, P11CA_CONFIG, "KIND", "%s: max-sessions: want 1 to 1024, have %d", path, ret->max_sessions);
        goto fail;
    }
    return 0;
fail:
    token_kind_done(ret);
    return -1;
}

void token_kind_done(struct token_kind *kind)
{
    free(kind->modules.v);
    free(kind->omit.v);
    free(kind->weak.v);
    conf_done(&kind->conf);
    memset(kind, 0, sizeof(*kind));
}
