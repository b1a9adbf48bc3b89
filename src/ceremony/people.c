#include "ceremony/people.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/scope.h"
#include "base/text.h"

static const struct conf_field person_fields[] = {
    {"name", CONF_STR, true, offsetof(struct person, name)},
    {"certificate", CONF_STR, false, offsetof(struct person, certificate)},
    {"token", CONF_STR, false, offsetof(struct person, token)},
    {"key", CONF_STR, false, offsetof(struct person, key)},
};

/* As @include: files named in a file are beside it. */
static int find_certificate(const struct conf *conf, struct person *p, struct p11ca_err *err)
{
    AUTO_STR folder = strdup(conf->path);

    if (!p->certificate)
        return 0;
    p->certificate_path = folder ? path_join(dirname(folder), p->certificate) : NULL;
    return p->certificate_path ? 0 : err_nomem(err);
}

static int read_person(
    const struct conf *conf, config_setting_t *at, struct person *ret, struct p11ca_err *err)
{
    const char *role = config_setting_name(at);

    ret->at = at;
    if (config_setting_type(at) == CONFIG_TYPE_STRING) {
        ret->name = config_setting_get_string(at);
    } else if (!config_setting_is_group(at)) {
        return conf_err(conf, at, err, "%s: want a name in quotes, or a group { name = ...; }", role);
    } else if (conf_fields(conf, at, role, person_fields, sizeof(person_fields) / sizeof(person_fields[0]),
                   ret, err) != 0) {
        return -1;
    }
    if (!ret->name[0])
        return conf_err(conf, at, err, "%s: name: want one, have none", role);
    if ((ret->token != NULL) != (ret->key != NULL))
        return conf_err(conf, at, err, "%s: want both token and key, or neither", role);
    return find_certificate(conf, ret, err);
}

/* It goes to terminals, into JSON and onto paper. */
static void take_name(struct people *p, size_t i)
{
    const char *name = p->of[i].name;

    text_escape(name, strlen(name), p->names[i], sizeof(p->names[i]));
    p->of[i].name = p->names[i];
}

static int read_people(struct people *p, const struct script *s, struct p11ca_err *err)
{
    config_setting_t *root = config_root_setting(&p->conf.cfg);
    int n = config_setting_length(root), i;

    for (i = 0; i < n; i++) {
        config_setting_t *at = config_setting_get_elem(root, (unsigned)i);
        const struct role *role = script_role(s, config_setting_name(at));

        if (!role)
            return conf_err(&p->conf, at, err, "no role '%s' in %s", config_setting_name(at), s->conf.path);
        if (read_person(&p->conf, at, &p->of[role - s->roles], err) != 0)
            return -1;
        take_name(p, (size_t)(role - s->roles));
    }
    return 0;
}

int people_load(struct people *ret, const char *path, const struct script *script, struct p11ca_err *err)
{
    memset(ret, 0, sizeof(*ret));
    if (!path)
        return 0;
    if (conf_load(&ret->conf, path, err) == 0 && read_people(ret, script, err) == 0)
        return 0;
    people_done(ret);
    return -1;
}

void people_done(struct people *p)
{
    size_t i;

    for (i = 0; i < LIMIT_ROLES; i++)
        free(p->of[i].certificate_path);
    conf_done(&p->conf);
    memset(p, 0, sizeof(*p));
}

const struct person *people_get(const struct people *p, const struct script *s, const struct role *role)
{
    return &p->of[role - s->roles];
}

json_t *people_json(const struct people *p, const struct script *s, const struct role *role)
{
    return json_pack(
        "{s:s,s:s,s:s?}", "role", role->name, "title", role->title, "name", people_get(p, s, role)->name);
}

static void take_recorded_name(struct people *p, size_t i, const char *name)
{
    if (p->of[i].name || !name[0])
        return;
    snprintf(p->names[i], sizeof(p->names[i]), "%s", name);
    p->of[i].name = p->names[i];
}

static int take_recorded_key(
    struct person *p, const struct role *role, const char *key, struct p11ca_err *err)
{
    if (key[0] && p->approver[0] && strcmp(key, p->approver) != 0)
        return err_set(err, P11CA_REFUSED, "APPROVAL_KEY",
            "role '%s': the ceremony was begun with another key to approve with: want %s, have %s",
            role->name, key, p->approver);
    if (key[0])
        snprintf(p->approver, sizeof(p->approver), "%s", key);
    return 0;
}

int people_from_begin(struct people *p, const struct script *s, const json_t *begin, struct p11ca_err *err)
{
    const json_t *roles = json_object_get(begin, "roles");
    size_t i;

    for (i = 0; i < s->n_roles && i < json_array_size(roles); i++) {
        const json_t *who = json_array_get(roles, i);

        take_recorded_name(p, i, transcript_str(who, "name"));
        if (take_recorded_key(&p->of[i], &s->roles[i], transcript_str(who, "key"), err) != 0)
            return -1;
    }
    return 0;
}
