/* Checking, running and resuming a ceremony of a home. */
#include <p11ca/ceremony.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/scope.h"
#include "ceremony/engine.h"
#include "ceremony/stage.h"
#include "ceremony/steps.h"

/* Large: not on the stack. */
static int load(const char *path, struct script **ret, struct p11ca_err *err)
{
    struct script *s = calloc(1, sizeof(*s));

    if (!s)
        return err_nomem(err);
    if (script_load(s, path, err) != 0) {
        free(s);
        return -1;
    }
    *ret = s;
    return 0;
}

static void unload(struct script *s)
{
    script_done(s);
    free(s);
}

SCOPE_DEFINE(script, struct script *, unload)
#define AUTO_SCRIPT SCOPED(script) struct script *

static int show_all(const struct script *s, p11ca_step_fn *fn, void *arg, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; fn && i < s->n_steps; i++) {
        const struct step *step = &s->steps[i];
        AUTO_BUF text = BUF_INIT, witness = BUF_INIT;
        size_t k;

        step->kind->describe(step, &text);
        for (k = 0; k < step->args.witness.n; k++)
            buf_addf(&witness, "%s%s", k ? ", " : "", step->args.witness.v[k]);
        if (!buf_str(&text) || !buf_str(&witness))
            return err_nomem(err);
        fn(arg, &(struct p11ca_step){
                    .number = step->number,
                    .of = s->n_steps,
                    .kind = step->kind->name,
                    .text = (char *)text.p,
                    .by = script_actor(s, step)->name,
                    .witness = (char *)witness.p,
                    .expect = step->args.expect ? step->args.expect : step->kind->expect,
                });
    }
    return 0;
}

int p11ca_ceremony_check(struct p11ca_home *home, const char *path, p11ca_step_fn *fn, void *arg,
    char *ret_title, char **ret_plan, struct p11ca_err *err)
{
    AUTO_SCRIPT s = NULL;
    AUTO_PLAN plan = {0};

    if (load(path, &s, err) != 0 || plan_make(&plan, s, home, false, err) != 0 ||
        show_all(s, fn, arg, err) != 0)
        return -1;
    if (ret_title)
        snprintf(ret_title, 256, "%s", s->title);
    if (ret_plan) {
        *ret_plan = strdup((char *)plan.text.p);
        if (!*ret_plan)
            return err_nomem(err);
    }
    return 0;
}

int p11ca_ceremony_run(struct p11ca_home *home, const char *path,
    const struct p11ca_ceremony_options *options, p11ca_step_fn *fn, void *arg, struct p11ca_ceremony *ret,
    struct p11ca_err *err)
{
    AUTO_STR base = path_join(home->dir, "ceremonies");
    AUTO_SCRIPT s = NULL;

    if (!base)
        return err_nomem(err);
    return load(path, &s, err) != 0 ? -1 : engine_run(home, s, base, false, options, fn, arg, ret, err);
}

int p11ca_ceremony_resume(struct p11ca_home *home, const char *path,
    const struct p11ca_ceremony_options *options, p11ca_step_fn *fn, void *arg, struct p11ca_ceremony *ret,
    struct p11ca_err *err)
{
    AUTO_STR base = path_join(home->dir, "ceremonies");
    AUTO_SCRIPT s = NULL;

    if (!base)
        return err_nomem(err);
    return load(path, &s, err) != 0 ? -1 : engine_resume(home, s, base, options, fn, arg, ret, err);
}

int p11ca_ceremony_rehearse(struct p11ca_home *home, const char *path,
    const struct p11ca_ceremony_options *options, p11ca_step_fn *fn, void *arg, struct p11ca_ceremony *ret,
    struct p11ca_err *err)
{
    const struct p11ca_options of_stage = {
        .ui = home->env.ui, .now = home->fixed_now, .program_dir = home->program_dir};
    AUTO_STR base = path_join(home->dir, "rehearsals");
    AUTO_SCRIPT s = NULL;
    AUTO_STAGE stage = {0};

    if (!base)
        return err_nomem(err);
    if (load(path, &s, err) != 0 || stage_make(&stage, home, s, &of_stage, err) != 0)
        return -1;
    stage.home->rehearsed = home;
    return engine_run(stage.home, s, base, true, options, fn, arg, ret, err);
}
