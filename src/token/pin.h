/* PINs of a token: asked for, measured, given to the token with one try. Inside src/token. */
#ifndef TOKEN_PIN_H
#define TOKEN_PIN_H

#include "token/token.h"

enum pin_role { PIN_USER, PIN_SO };

/* From the binding's source; of a token with a PIN pad none, it asks by itself. */
P11CA_CHECK int pin_read(struct token *t, enum pin_role role, struct secret *ret, struct p11ca_err *err);

/* A PIN to be set: a typed one twice, and of a length that the token takes. */
P11CA_CHECK int pin_read_new(struct token *t, enum pin_role role, struct secret *ret, struct p11ca_err *err);
P11CA_CHECK int pin_check_length(
    const struct token *t, enum pin_role role, const struct secret *pin, struct p11ca_err *err);

/*
 * Before a PIN is asked for. Refused: a locked PIN, a user PIN that was never set; one with its last try takes only a PIN
 * that is typed.
 */
P11CA_CHECK int pin_check_counters(struct token *t, enum pin_role role, struct p11ca_err *err);

/* One try. A wrong PIN is an error that says what the token says about tries left. */
P11CA_CHECK int pin_login(
    struct token *t, enum pin_role role, const struct secret *pin, struct p11ca_err *err);

#endif
