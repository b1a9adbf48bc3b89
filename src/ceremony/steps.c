#include "ceremony/steps.h"

#include <string.h>

static const struct step_kind *const tables[] = {steps_talk, steps_token, steps_sign, steps_ticket};
#define N_TABLES (sizeof(tables) / sizeof(tables[0]))

const struct step_kind *step_kind_find(const char *name)
{
    const struct step_kind *kind;
    size_t i;

    for (i = 0; i < N_TABLES; i++) {
        for (kind = tables[i]; kind->name; kind++) {
            if (strcmp(kind->name, name) == 0)
                return kind;
        }
    }
    return NULL;
}

void step_kind_list(struct buf *ret)
{
    const struct step_kind *kind;
    size_t i;

    for (i = 0; i < N_TABLES; i++) {
        for (kind = tables[i]; kind->name; kind++)
            buf_addf(ret, "%s%s", ret->len ? ", " : "", kind->name);
    }
}
