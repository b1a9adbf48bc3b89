/*
 * A token: the physical thing that a name in p11ca.conf means.
 *
 * Order of calls: token_open (loads the module, finds exactly one token, opens a session: a lost token
 * is an error here, before libp11 could wait for it), token_login, then keys (token/key.h), what can be seen
 * of them (token/evidence.h, token/inventory.h) and signers (token/signer.h); token_close last. One thread; only signers are used by many.
 */
#ifndef TOKEN_TOKEN_H
#define TOKEN_TOKEN_H

#include <p11ca/ui.h>

#include <stdbool.h>

#include "base/secret.h"
#include "token/kind.h"
#include "token/module.h"

/* One entry of "tokens" in p11ca.conf. Strings are borrowed and must outlive the token. */
struct token_binding {
    const char *name;
    const char *kind;
    const char *uri;    /* RFC 7512 */
    const char *pin;    /* source of the user PIN, see base/secret.h */
    const char *so_pin; /* source of the security officer's PIN */
    const char *store;  /* folder of an embedded store, absolute; NULL for none */
};

/* Where things are. Borrowed. */
struct token_env {
    const char *const *kind_dirs; /* NULL-terminated */
    const char *gate;             /* path of libp11ca-gate.so */
    const char *base;             /* relative PIN files start here */
    const struct p11ca_ui *ui;    /* may be NULL */
};

struct token {
    const struct token_binding *binding;
    const struct token_env *env;
    struct token_kind kind;
    struct module *module;
    CK_SLOT_ID slot;
    CK_TOKEN_INFO info;
    char label[33], serial[17], model[17], manufacturer[33]; /* without the padding */
    CK_SESSION_HANDLE session;
    bool writable;
};

/* Refuses a URI that is no RFC 7512 token URI, carries a PIN, or names neither label nor serial. No token is touched. */
P11CA_CHECK int token_check_binding(const struct token_binding *b, struct p11ca_err *err);

/* writable: with a session that may generate and store. */
P11CA_CHECK int token_open(struct token **ret, const struct token_binding *b, const struct token_env *env,
    bool writable, struct p11ca_err *err);
void token_close(struct token *t);

/*
 * Logs the user in, with one try: a wrong PIN is an error, never repeated, that says what the token tells of tries left.
 * The token's counters are read before a PIN is asked for; one that would be locked by a wrong PIN takes only a typed one.
 * Refused: no user PIN was set (USER_PIN_NOT_INITIALIZED).
 */
P11CA_CHECK int token_login(struct token *t, struct p11ca_err *err);

/* Whether the user is logged in, by whatever handle of this process. */
bool token_logged_in(const struct token *t);

/* Whether the binding's user PIN is in shares: they are made when the PIN is, after token_init(). */
bool token_sets_pin_later(const struct token_binding *b);

/*
 * Initialises the one uninitialised token of the binding's module with the label of its URI and the PINs of the
 * binding; of one that sets its user PIN later (token_set_pin()), with the security officer's PIN alone. Refused when a
 * token with that label is there (TOKEN_EXISTS).
 *
 * resume: an earlier run may have been interrupted in it. Then a token that is there is taken up if it holds no object
 * (TOKEN_NOT_EMPTY) and opens with our PINs: the user's, or if it has none yet or gets it later, the security officer's;
 * a user PIN that is missing is set. One try each.
 */
P11CA_CHECK int token_init(
    const struct token_binding *b, const struct token_env *env, bool resume, struct p11ca_err *err);

/*
 * Sets the user PIN as security officer, with the binding's so-pin; pin NULL: the one from the binding's source, typed
 * ones twice. Then it is tried by a login. Refused before the token is touched: a PIN of a length it does not take
 * (PIN_LEN_RANGE). Needs a writable session, nobody logged in; nobody is afterwards.
 */
P11CA_CHECK int token_set_pin(struct token *t, const struct secret *pin, struct p11ca_err *err);

/* Draws a PIN as long as the token takes, 24 characters (120 bits) at most; below 100 bits the ui is told. */
P11CA_CHECK int token_draw_pin(const struct token *t, struct secret *ret, struct p11ca_err *err);

/* One token, for listing. */
struct token_seen {
    const char *label, *serial, *model, *manufacturer;
    unsigned long slot;
    bool initialized, user_pin_set, pin_pad, pin_count_low, pin_final_try, pin_locked;
};
typedef void token_seen_fn(void *arg, const struct token_seen *seen);
/* All tokens in the module of a binding, and which of them the URI matches. */
P11CA_CHECK int token_each(const struct token_binding *b, const struct token_env *env, token_seen_fn *fn,
    void *arg, struct p11ca_err *err);
/* Whether a token seen is the one the binding means (label, serial, model, manufacturer of the URI). */
bool token_matches(const struct token_binding *b, const struct token_seen *seen);

#endif
