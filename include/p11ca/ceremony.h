/*
 * Ceremonies: a script in libconfig, checked as a whole, then run step by step. Token bindings are in p11ca.conf, not in
 * the script: what is rehearsed is what is executed.
 */
#ifndef P11CA_CEREMONY_H
#define P11CA_CEREMONY_H

#include <stdbool.h>
#include <stddef.h>

#include <p11ca/home.h>

/* One step, for showing. */
struct p11ca_step {
    size_t number, of;
    const char *kind; /* "generate-key" */
    const char *text; /* what it does, in words */
    bool done;        /* called before (false) and after (true) */
};
typedef void p11ca_step_fn(void *arg, const struct p11ca_step *step);

/*
 * Everything that can be wrong without touching a token: unknown keys and steps, authorities and tokens that p11ca.conf
 * does not have, files nobody made. P11CA_CONFIG with file and line. fn gets each step; ret_title may be NULL, else
 * at least 256 bytes.
 */
P11CA_API P11CA_CHECK int p11ca_ceremony_check(struct p11ca_home *home, const char *script, p11ca_step_fn *fn,
    void *arg, char *ret_title, struct p11ca_err *err);

/* Checks, then runs; the home's ui confirms each step. What was done is in the ledger as events. */
P11CA_API P11CA_CHECK int p11ca_ceremony_run(
    struct p11ca_home *home, const char *script, p11ca_step_fn *fn, void *arg, struct p11ca_err *err);

struct p11ca_init {
    const char *name; /* of the organisation: letters, digits, space and . - & ' ; NULL: "Example" */
    bool
        softhsm; /* PIN files, an embedded SoftHSM store, and both ceremonies run: authorities root and factory */
};

/* A new PKI home. Refused when DIR has a p11ca.conf. */
P11CA_API P11CA_CHECK int p11ca_init(const char *dir, const struct p11ca_init *init,
    const struct p11ca_options *options, p11ca_step_fn *fn, void *arg, struct p11ca_err *err);

#endif
