#include "ceremony/script.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "ceremony/steps.h"

#define N(table) (sizeof(table) / sizeof((table)[0]))

struct top {
    const char *title, *purpose, *policy, *place;
    config_setting_t *roles, *approvals, *steps;
};

static const struct conf_field top_fields[] = {
    {"title", CONF_STR, true, offsetof(struct top, title)},
    {"purpose", CONF_STR, false, offsetof(struct top, purpose)},
    {"policy", CONF_STR, false, offsetof(struct top, policy)},
    {"place", CONF_STR, false, offsetof(struct top, place)},
    {"roles", CONF_GROUP, false, offsetof(struct top, roles)},
    {"approvals", CONF_GROUP, false, offsetof(struct top, approvals)},
    {"steps", CONF_LIST, true, offsetof(struct top, steps)},
};

struct approvals {
    int need;
    struct conf_strs of;
};

static const struct conf_field approvals_fields[] = {
    {"need", CONF_INT, true, offsetof(struct approvals, need)},
    {"of", CONF_STRS, true, offsetof(struct approvals, of)},
};

int script_err(const struct script *s, const struct step *step, struct p11ca_err *err, const char *fmt, ...)
{
    char what[sizeof(err->msg)];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    return conf_err(&s->conf, step->at, err, "%s: %s", step->args.action, what);
}

const struct role *script_role(const struct script *s, const char *name)
{
    size_t i;

    for (i = 0; i < s->n_roles; i++) {
        if (strcmp(s->roles[i].name, name) == 0)
            return &s->roles[i];
    }
    return NULL;
}

const struct role *script_actor(const struct script *s, const struct step *step)
{
    const struct role *role = step->args.by ? script_role(s, step->args.by) : NULL;

    return role ? role : &s->roles[0];
}

/* They stand in a column of the paper. */
static bool role_name_ok(const char *name)
{
    return strlen(name) <= 12 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == strlen(name);
}

static int read_roles(struct script *s, const config_setting_t *group, struct p11ca_err *err)
{
    int n = group ? config_setting_length(group) : 0, i;

    if (n == 0) {
        s->roles[0] = (struct role){"operator", "Operator"};
        s->n_roles = 1;
        return group ? conf_err(&s->conf, group, err, "roles: want at least one") : 0;
    }
    if (n > LIMIT_ROLES)
        return conf_err(&s->conf, group, err, "roles: want 1 to %d, have %d", LIMIT_ROLES, n);
    for (i = 0; i < n; i++) {
        config_setting_t *at = config_setting_get_elem(group, (unsigned)i);
        const char *title = config_setting_get_string(at);

        if (!title || !title[0])
            return conf_err(&s->conf, at, err, "roles.%s: want a title in quotes", config_setting_name(at));
        if (!role_name_ok(config_setting_name(at)))
            return conf_err(&s->conf, at, err, "roles.%s: name: want 1 to 12 letters, digits and '-'",
                config_setting_name(at));
        s->roles[s->n_roles++] = (struct role){config_setting_name(at), title};
    }
    return 0;
}

static int check_role(const struct script *s, const config_setting_t *at, const char *what, const char *name,
    struct p11ca_err *err)
{
    if (!name || script_role(s, name))
        return 0;
    return conf_err(&s->conf, at, err, "%s: no role '%s' in roles", what, name);
}

static int check_roles(const struct script *s, const config_setting_t *at, const char *what,
    const struct conf_strs *names, struct p11ca_err *err)
{
    size_t i, k;

    for (i = 0; i < names->n; i++) {
        if (check_role(s, at, what, names->v[i], err) != 0)
            return -1;
        for (k = 0; k < i; k++) {
            if (strcmp(names->v[k], names->v[i]) == 0)
                return conf_err(&s->conf, at, err, "%s: role '%s' stands there twice", what, names->v[i]);
        }
    }
    return 0;
}

static int read_approvals(struct script *s, const config_setting_t *group, struct p11ca_err *err)
{
    struct approvals a = {0};
    int rc;

    if (!group)
        return 0;
    rc = conf_fields(&s->conf, group, "approvals", approvals_fields, N(approvals_fields), &a, err);
    s->approvals_of = a.of;
    if (rc != 0 || check_roles(s, group, "approvals.of", &a.of, err) != 0)
        return -1;
    if (a.need < 1 || (size_t)a.need > a.of.n)
        return conf_err(&s->conf, group, err, "approvals: need: want 1 to %zu (as many as in 'of'), have %d",
            a.of.n, a.need);
    s->approvals_need = (size_t)a.need;
    return 0;
}

/* Whoever acts cannot be the one who watches. */
static int check_people(const struct script *s, const struct step *step, struct p11ca_err *err)
{
    const struct step_args *a = &step->args;
    char what[64];
    size_t i;

    snprintf(what, sizeof(what), "%.32s: by", a->action);
    if (check_role(s, step->at, what, a->by, err) != 0)
        return -1;
    snprintf(what, sizeof(what), "%.32s: witness", a->action);
    if (check_roles(s, step->at, what, &a->witness, err) != 0)
        return -1;
    for (i = 0; i < a->witness.n; i++) {
        if (strcmp(a->witness.v[i], script_actor(s, step)->name) == 0)
            return script_err(s, step, err, "witness: role '%s' acts in this step", a->witness.v[i]);
    }
    snprintf(what, sizeof(what), "%.32s: approve", a->action);
    if (check_roles(s, step->at, what, &a->approve, err) != 0)
        return -1;
    snprintf(what, sizeof(what), "%.32s: custodians", a->action);
    if (check_roles(s, step->at, what, &a->custodians, err) != 0)
        return -1;
    if (a->approved && !s->approvals_need)
        return script_err(s, step, err, "approved: the script has no 'approvals'");
    return 0;
}

static int unknown_kind(const struct script *s, const config_setting_t *at, size_t number, const char *name,
    struct p11ca_err *err)
{
    AUTO_BUF kinds = BUF_INIT;

    step_kind_list(&kinds);
    if (!buf_str(&kinds))
        return err_nomem(err);
    return conf_err(
        &s->conf, at, err, "step %zu: no step '%s'; want one of %s", number, name, (char *)kinds.p);
}

static int read_step(struct script *s, config_setting_t *at, struct step *step, struct p11ca_err *err)
{
    const char *name;

    step->at = at;
    step->args.path_length = -1;
    if (!config_setting_is_group(at))
        return conf_err(&s->conf, at, err, "step %zu: want a group { do = ...; }", step->number);
    if (!config_setting_lookup_string(at, "do", &name))
        return conf_err(&s->conf, at, err, "step %zu: key 'do' is missing", step->number);
    step->kind = step_kind_find(name);
    if (!step->kind)
        return unknown_kind(s, at, step->number, name, err);
    if (conf_fields(&s->conf, at, name, step->kind->fields, step->kind->n_fields, &step->args, err) != 0)
        return -1;
    return check_people(s, step, err);
}

static int read_steps(struct script *s, const config_setting_t *list, struct p11ca_err *err)
{
    int n = config_setting_length(list), i;

    if (n < 1 || n > LIMIT_STEPS)
        return conf_err(&s->conf, list, err, "steps: want 1 to %d, have %d", LIMIT_STEPS, n);
    for (i = 0; i < n; i++) {
        struct step *step =
            &s->steps[s->n_steps++]; /* counted first: what it read is freed also when it fails */

        step->number = s->n_steps;
        if (read_step(s, config_setting_get_elem(list, (unsigned)i), step, err) != 0)
            return -1;
    }
    return 0;
}

/* The bytes that are kept beside the transcript are those that were parsed. */
static int read_text(struct script *s, const char *path, struct p11ca_err *err)
{
    uint8_t sha256[SHA256_LEN];

    if (file_read(path, LIMIT_CONF, &s->text, err) != 0)
        return -1;
    if (hash_sha256(s->text.p, s->text.len, sha256) != 0)
        return err_nomem(err);
    if (memcmp(sha256, s->conf.sha256, sizeof(sha256)) != 0)
        return err_set(err, P11CA_CONFIG, "CONFIG", "%s: was changed while it was read", path);
    memcpy(s->sha256, sha256, sizeof(s->sha256));
    return 0;
}

/* The hash in the transcript, and on paper, is that of this one file: `sha256sum` says the same. */
static int read_all(struct script *s, const char *path, struct p11ca_err *err)
{
    struct top top = {0};

    if (conf_load(&s->conf, path, err) != 0)
        return -1;
    if (s->conf.has_include)
        return err_set(
            err, P11CA_CONFIG, "CONFIG", "%s: a ceremony script is one file: want no @include", path);
    if (read_text(s, path, err) != 0 || conf_fields(&s->conf, config_root_setting(&s->conf.cfg), SCRIPT_NAME,
                                            top_fields, N(top_fields), &top, err) != 0)
        return -1;
    s->title = top.title;
    s->purpose = top.purpose;
    s->policy = top.policy;
    s->place = top.place;
    if (read_roles(s, top.roles, err) != 0 || read_approvals(s, top.approvals, err) != 0)
        return -1;
    return read_steps(s, top.steps, err);
}

int script_load(struct script *ret, const char *path, struct p11ca_err *err)
{
    memset(ret, 0, sizeof(*ret));
    if (read_all(ret, path, err) == 0)
        return 0;
    script_done(ret);
    return -1;
}

static void args_done(struct step_args *a)
{
    free(a->witness.v);
    free(a->approve.v);
    free(a->allow.v);
    free(a->custodians.v);
    free(a->key_usage.v);
    free(a->eku.v);
}

void script_done(struct script *s)
{
    size_t i;

    for (i = 0; i < s->n_steps; i++)
        args_done(&s->steps[i].args);
    free(s->approvals_of.v);
    buf_done(&s->text);
    conf_done(&s->conf);
    memset(s, 0, sizeof(*s));
}
