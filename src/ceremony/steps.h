/* The kinds of step: what each may say, what must hold before, what it does. */
#ifndef CEREMONY_STEPS_H
#define CEREMONY_STEPS_H

#include "base/buf.h"
#include "ceremony/script.h"
#include "issue/home.h"

/* Files that an earlier step will have made by the time a later one reads them. */
struct script_files {
    const char *made[LIMIT_STEPS];
    size_t n;
};

struct step_kind {
    const char *name;
    const struct conf_field *fields;
    size_t n_fields;
    /* Without touching a token; errors name file and line. */
    int (*check)(const struct script *s, const struct step *step, const struct p11ca_home *home,
        struct script_files *files, struct p11ca_err *err);
    /* One sentence for people. */
    void (*describe)(const struct step *step, struct buf *ret);
    int (*run)(struct p11ca_home *home, const struct step *step, struct p11ca_err *err);
};

/* NULL when there is none of the name. */
const struct step_kind *step_kind_find(const char *name);

#endif
