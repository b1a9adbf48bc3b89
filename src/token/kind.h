/* What is known about a kind of token: data from tokens/KIND.conf. */
#ifndef TOKEN_KIND_H
#define TOKEN_KIND_H

#include "base/conf.h"

struct token_kind {
    struct conf conf; /* owns every string below */
    const char *description;
    struct conf_strs modules;
    const char *store_env;
    const char *init_args;
    int max_sessions;
    struct conf_strs omit; /* CKA_ names left out of templates */
    struct conf_strs weak; /* CKA_ names whose read-back proves nothing */
};

/* Looks for NAME.conf in the directories, in order; dirs ends with NULL. */
P11CA_CHECK int token_kind_load(
    struct token_kind *ret, const char *name, const char *const *dirs, struct p11ca_err *err);
void token_kind_done(struct token_kind *kind);

#endif
