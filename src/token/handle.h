/* A token before it is open: inside src/token. */
#ifndef TOKEN_HANDLE_H
#define TOKEN_HANDLE_H

#include "token/token.h"

/* With the module of the binding loaded; no token is looked for yet. Free with token_close(). */
P11CA_CHECK int token_new(
    struct token **ret, const struct token_binding *b, const struct token_env *env, struct p11ca_err *err);

/* How many initialised tokens match the URI; how many are blank. The last one is in t. */
P11CA_CHECK int token_count(struct token *t, size_t *ret_n, struct p11ca_err *err);
P11CA_CHECK int token_count_blank(struct token *t, size_t *ret_n, struct p11ca_err *err);

/* The one that matches, or an error. */
P11CA_CHECK int token_find(struct token *t, struct p11ca_err *err);

P11CA_CHECK int token_open_session(struct token *t, bool writable, struct p11ca_err *err);

/* Reads the token's information anew: its PIN counters change. */
P11CA_CHECK int token_refresh(struct token *t, struct p11ca_err *err);

/* The label of the URI: 32 bytes, padded with spaces, not terminated (PKCS#11 2.40, C_InitToken). */
P11CA_CHECK int token_uri_label(const struct token_binding *b, unsigned char ret[32], struct p11ca_err *err);

#endif
