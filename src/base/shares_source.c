/* Where shares come from: people, files. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/scope.h"
#include "base/shares.h"

/* Shares on their way in. */
struct pile {
    struct secret s[SHARES_MAX];
    size_t n;
    unsigned threshold; /* 0 until the first says it */
};

static void pile_done(struct pile *pile)
{
    while (pile->n)
        secret_done(&pile->s[--pile->n]);
}
#define AUTO_PILE __attribute__((cleanup(pile_done))) struct pile

static bool is_enough(const struct pile *pile)
{
    return pile->n && pile->n >= pile->threshold;
}

static int pile_add(struct pile *pile, struct secret *one, struct p11ca_err *err)
{
    struct share_info info;

    if (share_fits(one, pile->s, pile->n, err) != 0 || share_read(one, &info, err) != 0)
        return -1;
    pile->threshold = info.threshold;
    pile->s[pile->n++] = *one;
    *one = (struct secret)SECRET_INIT;
    return 0;
}

static int ask_one(struct pile *pile, const char *prompt, const struct p11ca_ui *ui, struct p11ca_err *err)
{
    AUTO_SECRET one = SECRET_INIT;
    char line[256];

    if (pile->threshold)
        snprintf(
            line, sizeof(line), "share %zu of the %s (%u are needed)", pile->n + 1, prompt, pile->threshold);
    else
        snprintf(line, sizeof(line), "share 1 of the %s", prompt);
    return secret_read(&one, "prompt", NULL, line, ui, err) == 0 ? pile_add(pile, &one, err) : -1;
}

/* What a person can put right by typing again. */
static bool is_slip(const struct p11ca_err *err)
{
    return strncmp(err->code, "SHARE_", 6) == 0 || strcmp(err->code, "PIN_EMPTY") == 0 ||
           strcmp(err->code, "PIN_SYNTAX") == 0;
}

int shares_ask(struct secret *ret, const char *arg, const char *base, const char *prompt,
    const struct p11ca_ui *ui, struct p11ca_err *err)
{
    AUTO_PILE pile = {.n = 0};
    unsigned slips = 0;

    (void)arg, (void)base;
    while (!is_enough(&pile)) {
        if (ask_one(&pile, prompt, ui, err) == 0)
            continue;
        if (!is_slip(err) || ++slips >= LIMIT_SLIPS)
            return -1;
        if (ui && ui->say)
            ui->say(ui->ctx, err->msg);
    }
    return shares_combine(pile.s, pile.n, ret, err);
}

/* A share that is not there is not needed as long as others are. */
static int read_one_file(
    struct pile *pile, const char *path, const struct p11ca_ui *ui, struct p11ca_err *err)
{
    AUTO_SECRET one = SECRET_INIT;
    AUTO_STR spec = NULL;

    if (!file_exists(path))
        return 0;
    if (asprintf(&spec, "file:%s", path) < 0) {
        spec = NULL;
        return err_nomem(err);
    }
    if (secret_read(&one, spec, NULL, "share", ui, err) != 0)
        return -1;
    return pile_add(pile, &one, err) == 0 ? 0 : err_prefix(err, "%s", path);
}

int shares_from_files(struct secret *ret, const char *arg, const char *base, const char *prompt,
    const struct p11ca_ui *ui, struct p11ca_err *err)
{
    AUTO_STR start = path_join(base, arg);
    AUTO_PILE pile = {.n = 0};
    int i;

    (void)prompt;
    if (!start)
        return err_nomem(err);
    for (i = 1; i <= SHARES_MAX && !is_enough(&pile); i++) {
        AUTO_STR path = NULL;

        if (asprintf(&path, "%s.%d", start, i) < 0) {
            path = NULL;
            return err_nomem(err);
        }
        if (read_one_file(&pile, path, ui, err) != 0)
            return -1;
    }
    return shares_combine(pile.s, pile.n, ret, err) == 0 ? 0 : err_prefix(err, "%s.*", start);
}
