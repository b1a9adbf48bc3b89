/* The engine: check the whole script, then one step after the other. */
#include <p11ca/ceremony.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/text.h"
#include "ceremony/script.h"
#include "ceremony/steps.h"

struct run {
    struct p11ca_home *home;
    const struct script *script;
    p11ca_step_fn *fn;
    void *arg;
};

static int show(const struct run *r, size_t i, bool done, struct p11ca_err *err)
{
    const struct step *step = &r->script->steps[i];
    AUTO_BUF text = BUF_INIT;

    step->kind->describe(step, &text);
    if (!buf_str(&text))
        return err_nomem(err);
    if (r->fn)
        r->fn(
            r->arg, &(struct p11ca_step){i + 1, r->script->n_steps, step->kind->name, (char *)text.p, done});
    return 0;
}

int p11ca_ceremony_check(struct p11ca_home *home, const char *path, p11ca_step_fn *fn, void *arg,
    char *ret_title, struct p11ca_err *err)
{
    struct script *s = calloc(1, sizeof(*s));
    struct run r = {home, s, fn, arg};
    size_t i;
    int rc;

    if (!s)
        return err_nomem(err);
    rc = script_load(s, path, home, err);
    for (i = 0; rc == 0 && i < s->n_steps; i++)
        rc = show(&r, i, false, err);
    if (rc == 0 && ret_title)
        snprintf(ret_title, 256, "%s", s->title);
    script_done(s);
    free(s);
    return rc;
}

/* What was decided and done is in the ledger, with the hash of the script it was done by. */
static int note(const struct run *r, const char *what, size_t number, const char *kind, struct p11ca_err *err)
{
    char hex[2 * SHA256_LEN + 1], detail[256];
    const struct ledger_event e = {.kind = "ceremony", .detail = detail};
    struct ledger *l;
    int rc;

    text_hex(r->script->sha256, SHA256_LEN, hex);
    snprintf(detail, sizeof(detail), "%s step %zu of %zu %s script %s", what, number, r->script->n_steps,
        kind, hex);
    if (home_ledger_write(r->home, &l, err) != 0)
        return -1;
    rc = ledger_begin(l, err);
    if (rc == 0 && (rc = ledger_event(l, &e, err)) != 0)
        ledger_rollback(l);
    if (rc == 0)
        rc = ledger_commit(l, err);
    ledger_close(l);
    return rc;
}

static int confirm(const struct run *r, size_t i, struct p11ca_err *err)
{
    const struct p11ca_ui *ui = r->home->env.ui;
    char question[64];

    snprintf(question, sizeof(question), "Do step %zu of %zu?", i + 1, r->script->n_steps);
    if (!ui || !ui->confirm)
        return err_set(err, P11CA_USAGE, "CONFIRM",
            "step %zu: nobody is there to confirm it (--yes says yes to all)", i + 1);
    if (!ui->confirm(ui->ctx, question))
        return err_set(err, P11CA_NEGATIVE, "STOPPED", "stopped by the operator before step %zu", i + 1);
    return 0;
}

static int run_step(const struct run *r, size_t i, struct p11ca_err *err)
{
    const struct step *step = &r->script->steps[i];

    if (show(r, i, false, err) != 0 || confirm(r, i, err) != 0)
        return -1;
    if (step->kind->run(r->home, step, err) != 0)
        return err_prefix(err, "step %zu, %s", i + 1, step->kind->name);
    return note(r, "done", i + 1, step->kind->name, err) != 0 ? -1 : show(r, i, true, err);
}

int p11ca_ceremony_run(
    struct p11ca_home *home, const char *path, p11ca_step_fn *fn, void *arg, struct p11ca_err *err)
{
    struct script *s = calloc(1, sizeof(*s));
    struct run r = {home, s, fn, arg};
    size_t i;
    int rc;

    if (!s)
        return err_nomem(err);
    rc = script_load(s, path, home, err);
    if (rc == 0)
        home_say(home, "%s", s->title);
    for (i = 0; rc == 0 && i < s->n_steps; i++)
        rc = run_step(&r, i, err);
    script_done(s);
    free(s);
    return rc;
}
