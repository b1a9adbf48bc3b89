/*
 * Secrets have a type of their own: locked in memory where the system allows it, wiped when done,
 * never copied into an error, a log or an argument.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <p11ca/ui.h>

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct secret {
    char *p; /* NUL-terminated */
    size_t len;
};

#define SECRET_INIT                                                                                          \
    {                                                                                                        \
        NULL, 0                                                                                              \
    }
#define AUTO_SECRET __attribute__((cleanup(secret_done))) struct secret

/*
 * Reads a secret from where spec says: "prompt", "file:PATH" (relative to base; refused when others can
 * read it), "fd:N" or "env:NAME"; or its shares, typed ("shares") or from files ("shares:PATH"), see base/shares.h.
 * One line, its newline removed.
 * prompt is what a person is asked. Errors: P11CA_CONFIG for a spec or file at fault, P11CA_LOGIN for none given.
 */
P11CA_CHECK int secret_read(struct secret *ret, const char *spec, const char *base, const char *prompt,
    const struct p11ca_ui *ui, struct p11ca_err *err);

/* Whether spec is one of these forms; says so without reading it. */
P11CA_CHECK int secret_check_spec(const char *spec, struct p11ca_err *err);

/* Whether people type it, and whether it comes in shares. */
bool secret_is_typed(const char *spec);
bool secret_is_shared(const char *spec);

/* Takes a copy of one line; its newline is left out. Errors: PIN_EMPTY, PIN_SYNTAX. */
P11CA_CHECK int secret_set(struct secret *ret, const char *p, size_t len, struct p11ca_err *err);

/* Draws n characters from an alphabet without look-alikes: n * 5 bits. */
P11CA_CHECK int secret_random(struct secret *ret, size_t n, struct p11ca_err *err);

void secret_done(struct secret *s);

#endif
