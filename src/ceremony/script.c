#include "ceremony/script.h"

#include <string.h>

#include "ceremony/steps.h"

struct top {
    const char *title, *purpose;
    config_setting_t *steps;
};

static const struct conf_field top_fields[] = {
    {"title", CONF_STR, true, offsetof(struct top, title)},
    {"purpose", CONF_STR, false, offsetof(struct top, purpose)},
    {"steps", CONF_LIST, true, offsetof(struct top, steps)},
};

static int read_step(struct script *s, config_setting_t *at, struct step *step, struct p11ca_err *err)
{
    const char *name;

    step->at = at;
    if (!config_setting_is_group(at))
        return conf_err(&s->conf, at, err, "step %zu: want a group { do = ...; }", s->n_steps + 1);
    if (!config_setting_lookup_string(at, "do", &name))
        return conf_err(&s->conf, at, err, "step %zu: key 'do' is missing", s->n_steps + 1);
    step->kind = step_kind_find(name);
    if (!step->kind)
        return conf_err(&s->conf, at, err, "step %zu: no step '%s'", s->n_steps + 1, name);
    return conf_fields(&s->conf, at, name, step->kind->fields, step->kind->n_fields, &step->args, err);
}

static int read_steps(
    struct script *s, config_setting_t *list, struct p11ca_home *home, struct p11ca_err *err)
{
    int n = config_setting_length(list), i;
    struct script_files files = {.n = 0};

    if (n < 1 || n > LIMIT_STEPS)
        return conf_err(&s->conf, list, err, "steps: want 1 to %d, have %d", LIMIT_STEPS, n);
    for (i = 0; i < n; i++) {
        struct step *step = &s->steps[s->n_steps];

        if (read_step(s, config_setting_get_elem(list, (unsigned)i), step, err) != 0 ||
            step->kind->check(s, step, home, &files, err) != 0)
            return -1;
        s->n_steps++;
    }
    return 0;
}

/* The hash in the ledger, and on paper, is that of this one file: `sha256sum` says the same. */
static int read_all(struct script *s, const char *path, struct p11ca_home *home, struct p11ca_err *err)
{
    struct top top = {0};

    if (conf_load(&s->conf, path, err) != 0)
        return -1;
    if (s->conf.has_include)
        return err_set(
            err, P11CA_CONFIG, "CONFIG", "%s: a ceremony script is one file: want no @include", path);
    memcpy(s->sha256, s->conf.sha256, sizeof(s->sha256));
    if (conf_fields(&s->conf, config_root_setting(&s->conf.cfg), "a ceremony script", top_fields,
            sizeof(top_fields) / sizeof(top_fields[0]), &top, err) != 0)
        return -1;
    s->title = top.title;
    s->purpose = top.purpose;
    return read_steps(s, top.steps, home, err);
}

int script_load(struct script *ret, const char *path, struct p11ca_home *home, struct p11ca_err *err)
{
    memset(ret, 0, sizeof(*ret));
    if (read_all(ret, path, home, err) == 0)
        return 0;
    script_done(ret);
    return -1;
}

void script_done(struct script *s)
{
    conf_done(&s->conf);
    s->n_steps = 0;
}
