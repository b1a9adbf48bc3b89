/* The kinds of step: what each may say, what must hold before, what it does. One table, ceremony/steps.c. */
#ifndef CEREMONY_STEPS_H
#define CEREMONY_STEPS_H

#include "ceremony/script.h"
#include "ceremony/transcript.h"

struct plan;
struct run;

struct step_kind {
    const char *name;
    const struct conf_field *fields;
    size_t n_fields;
    const char *expect; /* what should be seen, unless the script says it */
    /*
     * Without touching a token: whether the step can work after those before it; takes note in the plan of what it
     * will have changed. Errors name file and line, and the rule's section.
     */
    int (*check)(struct plan *plan, const struct step *step, struct p11ca_err *err);
    /* One sentence for people. */
    void (*describe)(const struct step *step, struct buf *ret);
    /*
     * What must be on disk before the step acts, so that a killed one can be told from another's doing; an object.
     * NULL: nothing.
     */
    int (*intent)(struct run *run, const struct step *step, json_t *ret, struct p11ca_err *err);
    /*
     * Does it. Run again after it was killed at any point it finishes what it began: the same intent, nothing
     * generated or signed twice. Fills result, an object, with what the transcript shall hold.
     */
    int (*run)(struct run *run, const struct step *step, json_t *result, struct p11ca_err *err);
};

/* NULL when there is none of the name. */
const struct step_kind *step_kind_find(const char *name);

/* "say, confirm, ...": for an error that names an unknown one. */
void step_kind_list(struct buf *ret);

/* Rows of the kinds' tables that every kind has. */
#define STEP_STR(key, req, member)                                                                           \
    {                                                                                                        \
        key, CONF_STR, req, offsetof(struct step_args, member)                                               \
    }
#define STEP_STRS(key, member)                                                                               \
    {                                                                                                        \
        key, CONF_STRS, false, offsetof(struct step_args, member)                                            \
    }
#define STEP_INT(key, req, member)                                                                           \
    {                                                                                                        \
        key, CONF_INT, req, offsetof(struct step_args, member)                                               \
    }
#define STEP_BOOL(key, member)                                                                               \
    {                                                                                                        \
        key, CONF_BOOL, false, offsetof(struct step_args, member)                                            \
    }
#define STEP_COMMON                                                                                          \
    STEP_STR("do", true, action), STEP_STR("by", false, by), STEP_STRS("witness", witness),                  \
        STEP_STR("expect", false, expect), STEP_STR("if-wrong", false, if_wrong)
/* Of those that sign. */
#define STEP_SIGNING STEP_STRS("approve", approve), STEP_BOOL("approved", approved)

#define STEP_KIND(name, id, expect, intent)                                                                  \
    {                                                                                                        \
        name, id##_fields, sizeof(id##_fields) / sizeof(id##_fields[0]), expect, id##_check, id##_describe,  \
            intent, id##_run                                                                                 \
    }

/* The rows, by subject. */
extern const struct step_kind steps_talk[], steps_token[], steps_sign[],
    steps_ticket[]; /* each ends with a name of NULL */

#endif
