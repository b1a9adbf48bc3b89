#include <p11ca/profile.h>

#include "issue/home.h"

static void tell(const struct profile *p, p11ca_profile_fn *fn, void *arg)
{
    fn(arg, &(struct p11ca_profile){
                .name = p->name, .base = p->base, .about = p->about, .builtin = p->builtin, .ca = p->is_ca});
}

/* The home's, or the built-in ones. */
static int set_of(const struct p11ca_home *home, const struct profiles **ret, struct p11ca_err *err)
{
    *ret = home ? home->profiles : profiles_builtin();
    return *ret ? 0 : err_nomem(err);
}

int p11ca_profile_list(const struct p11ca_home *home, p11ca_profile_fn *fn, void *arg, struct p11ca_err *err)
{
    const struct profiles *set;
    const struct profile *p;
    size_t i;

    if (set_of(home, &set, err) != 0)
        return -1;
    for (i = 0; (p = profiles_at(set, i)); i++)
        tell(p, fn, arg);
    return 0;
}

struct shown {
    p11ca_profile_value_fn *fn;
    void *arg;
};

static void show_value(void *arg, const struct profile_value *v)
{
    const struct shown *s = arg;

    s->fn(s->arg, &(struct p11ca_profile_value){
                      .key = v->key, .value = v->value, .by = v->by, .file = v->file, .line = v->line});
}

int p11ca_profile_show(const struct p11ca_home *home, const char *name, p11ca_profile_value_fn *fn, void *arg,
    struct p11ca_err *err)
{
    struct shown s = {fn, arg};
    const struct profiles *set;
    const struct profile *p;

    if (set_of(home, &set, err) != 0)
        return -1;
    p = profiles_find(set, name);
    if (!p)
        return err_set(err, P11CA_USAGE, "PROFILE", "no profile '%s'", name);
    return profile_values(p, show_value, &s, err);
}

static int check_file(const struct conf *conf, p11ca_profile_fn *fn, void *arg, struct p11ca_err *err)
{
    config_setting_t *group = NULL;
    const struct conf_field fields[] = {{"profiles", CONF_GROUP, true, 0}};
    struct profiles *set;
    const struct profile *p;
    size_t i;

    if (conf_fields(conf, config_root_setting(&conf->cfg), conf->path, fields, 1, &group, err) != 0 ||
        profiles_read(conf, group, &set, err) != 0)
        return -1;
    for (i = 0; fn && (p = profiles_at(set, i)); i++) {
        if (!p->builtin)
            tell(p, fn, arg);
    }
    profiles_free(set);
    return 0;
}

int p11ca_profile_check(const char *file, p11ca_profile_fn *fn, void *arg, struct p11ca_err *err)
{
    struct conf conf;
    int rc = conf_load(&conf, file, err);

    if (rc == 0)
        rc = check_file(&conf, fn, arg, err);
    conf_done(&conf);
    return rc;
}
