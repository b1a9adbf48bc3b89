/*
 * The tokens of a home: PKCS#11 2.40. Names are those of "tokens" in p11ca.conf.
 */
#ifndef P11CA_TOKEN_H
#define P11CA_TOKEN_H

#include <stdbool.h>

#include <p11ca/home.h>

struct p11ca_token_info {
    const char *name; /* the binding that means this token, NULL: none does */
    const char *kind; /* of the binding whose module shows it */
    const char *label, *serial, *model, *manufacturer;
    unsigned long slot;
    bool initialized, user_pin_set, pin_pad, pin_count_low, pin_final_try, pin_locked;
};
typedef void p11ca_token_fn(void *arg, const struct p11ca_token_info *info);

/* Every token in every module that p11ca.conf names. Nobody is logged in. */
P11CA_API P11CA_CHECK int p11ca_token_list(
    struct p11ca_home *home, p11ca_token_fn *fn, void *arg, struct p11ca_err *err);

enum p11ca_level { P11CA_GOOD, P11CA_WEAK, P11CA_BAD };

/* One line of a doctor's visit. what: "mechanism ECDSA"; found: "yes". */
typedef void p11ca_finding_fn(void *arg, enum p11ca_level level, const char *what, const char *found);

/*
 * Mechanisms, PIN counters, sessions, the attributes of every authority's key on it against the policy, and a
 * self-test signature by each, verified by OpenSSL. P11CA_TOKEN with the first fault when a finding is bad.
 */
P11CA_API P11CA_CHECK int p11ca_token_check(
    struct p11ca_home *home, const char *name, p11ca_finding_fn *fn, void *arg, struct p11ca_err *err);

/* Initialises the one blank token of the binding: label from its uri, PINs from pin and so-pin. */
P11CA_API P11CA_CHECK int p11ca_token_init(struct p11ca_home *home, const char *name, struct p11ca_err *err);

#endif
