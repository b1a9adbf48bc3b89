#include "issue/home.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/scope.h"
#include "issue/config.h"

int64_t home_now(const struct p11ca_home *home)
{
    return home->fixed_now ? home->fixed_now : (int64_t)time(NULL);
}

void home_say(const struct p11ca_home *home, const char *fmt, ...)
{
    const struct p11ca_ui *ui = home->env.ui;
    char line[512];
    va_list ap;

    if (!ui || !ui->say)
        return;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    ui->say(ui->ctx, line);
}

void home_detail(const struct p11ca_home *home, const char *fmt, ...)
{
    const struct p11ca_ui *ui = home->env.ui;
    char line[512];
    va_list ap;

    if (!ui || !ui->detail)
        return;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    ui->detail(ui->ctx, line);
}

void home_progress(const struct p11ca_home *home, const struct p11ca_progress *p)
{
    const struct p11ca_ui *ui = home->env.ui;

    if (ui && ui->progress)
        ui->progress(ui->ctx, p);
}

/* The shape of an installation: bin/p11ca, lib/p11ca/libp11ca-gate.so, share/p11ca/tokens. */
static int set_places(struct p11ca_home *home, const char *program_dir, struct p11ca_err *err)
{
    AUTO_STR own = program_dir ? strdup(program_dir) : path_of_program();

    if (program_dir)
        home->program_dir = strdup(program_dir);
    if (!own || (program_dir && !home->program_dir))
        return err_nomem(err);
    home->kind_dir_own = path_join(home->dir, "tokens");
    home->kind_dir_shared = path_join(own, "../share/p11ca/tokens");
    home->gate = path_join(own, "../lib/p11ca/libp11ca-gate.so");
    if (!home->kind_dir_own || !home->kind_dir_shared || !home->gate)
        return err_nomem(err);
    home->kind_dirs[0] = home->kind_dir_own;
    home->kind_dirs[1] = home->kind_dir_shared;
    home->env = (struct token_env){.kind_dirs = home->kind_dirs, .gate = home->gate, .base = home->dir};
    return 0;
}

int p11ca_home_open(
    struct p11ca_home **ret, const char *dir, const struct p11ca_options *options, struct p11ca_err *err)
{
    struct p11ca_home *home = calloc(1, sizeof(*home));

    if (!home)
        return err_nomem(err);
    home->dir = strdup(dir);
    if (!home->dir) {
        free(home);
        return err_nomem(err);
    }
    if (set_places(home, options ? options->program_dir : NULL, err) != 0 ||
        home_config_read(home, err) != 0) {
        p11ca_home_close(home);
        return -1;
    }
    if (options) {
        home->env.ui = options->ui;
        home->fixed_now = options->now;
    }
    *ret = home;
    return 0;
}

void p11ca_home_close(struct p11ca_home *home)
{
    if (!home)
        return;
    home_config_free(home);
    free(home->program_dir);
    free(home->kind_dir_own);
    free(home->kind_dir_shared);
    free(home->gate);
    free(home->dir);
    free(home);
}

int home_authority(
    const struct p11ca_home *home, const char *name, const struct authority_conf **ret, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < home->n_authorities; i++) {
        if (strcmp(home->authorities[i].name, name) == 0) {
            *ret = &home->authorities[i];
            return 0;
        }
    }
    return err_set(err, P11CA_USAGE, "AUTHORITY", "no authority '%s' in %s", name, home->conf.path);
}

int home_token(
    const struct p11ca_home *home, const char *name, const struct token_binding **ret, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < home->n_tokens; i++) {
        if (strcmp(home->tokens[i].name, name) == 0) {
            *ret = &home->tokens[i];
            return 0;
        }
    }
    return err_set(err, P11CA_USAGE, "TOKEN", "no token '%s' in %s", name, home->conf.path);
}

static int note_config(const struct p11ca_home *home, struct ledger *l, struct p11ca_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    if (ledger_note_config(l, home->conf_sha256, err) != 0) {
        ledger_rollback(l);
        return -1;
    }
    return ledger_commit(l, err);
}

/* An empty ledger in place of a lost one would know of no device and no key. */
static int check_not_lost(const struct p11ca_home *home, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < home->n_authorities && !file_exists(home->ledger_path); i++) {
        AUTO_STR path = home_cert_path(home, home->authorities[i].name);

        if (path && file_exists(path))
            return err_set(err, P11CA_LEDGER, "LEDGER_MISSING",
                "%s: is missing, but %s is there: restore the ledger", home->ledger_path, path);
    }
    return 0;
}

int home_ledger_write(const struct p11ca_home *home, struct ledger **ret, struct p11ca_err *err)
{
    struct ledger *l;

    if (check_not_lost(home, err) != 0 ||
        ledger_open(home->ledger_path, LEDGER_CREATE, home_now(home), &l, err) != 0)
        return -1;
    if (note_config(home, l, err) != 0) {
        ledger_close(l);
        return -1;
    }
    *ret = l;
    return 0;
}

int home_ledger_read(const struct p11ca_home *home, struct ledger **ret, struct p11ca_err *err)
{
    return ledger_open(home->ledger_path, LEDGER_READ, home_now(home), ret, err);
}

char *home_cert_path(const struct p11ca_home *home, const char *authority)
{
    char name[128];

    snprintf(name, sizeof(name), "%s.crt", authority);
    return path_join(home->dir, name);
}
