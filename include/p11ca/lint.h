/*
 * The lint: every rule that a certificate, a CRL or a request breaks, with its source. Objects may be anybody's; no
 * token or ledger is touched, and a home is asked for its profiles only. Thread safe.
 */
#ifndef P11CA_LINT_H
#define P11CA_LINT_H

#include <stdbool.h>
#include <stddef.h>

#include <p11ca/home.h>

enum p11ca_severity {
    P11CA_LINT_ERROR,   /* blocks a signature of ours */
    P11CA_LINT_WARNING, /* should not be */
    P11CA_LINT_NOTICE   /* worth knowing */
};

/* Strings are constant. */
struct p11ca_lint_rule {
    const char *id;      /* "LINT_SERIAL" */
    const char *source;  /* "RFC 5280 4.1.2.2" */
    const char *field;   /* "serial" */
    const char *applies; /* "certificate, CA, br"; borrowed for the time of the callback */
    enum p11ca_severity severity;
    bool fixed; /* no profile may skip it */
};
typedef void p11ca_lint_rule_fn(void *arg, const struct p11ca_lint_rule *rule);

/* Every rule, in the order in which they are asked. */
P11CA_API void p11ca_lint_rules(p11ca_lint_rule_fn *fn, void *arg);

/* Borrowed for the time of the callback; escaped, safe for a terminal. */
struct p11ca_lint_finding {
    struct p11ca_lint_rule rule;
    const char *code;          /* the rule's id, or a more exact one: NAME_TOO_LONG of LINT_NAME */
    const char *wanted, *have; /* empty when the message is not of that form */
    const char *message;       /* "RFC 5280 4.1.2.2: serial: want 1 to 20 octets, have 21" */
};

/* One certificate, CRL or request of the file, borrowed for the time of the callback. */
struct p11ca_lint_object {
    size_t number;       /* from 1 */
    const char *kind;    /* "certificate", "CRL", "request" */
    const char *subject; /* RFC 4514, of a CRL the issuer; empty: none, or it cannot be read */
    size_t errors, warnings, notices;
    const struct p11ca_lint_finding *findings;
    size_t n;
};
typedef void p11ca_lint_object_fn(void *arg, const struct p11ca_lint_object *object);

struct p11ca_lint_order {
    const char *file;    /* PEM, also a bundle of mixed objects, or DER; "-" reads the standard input */
    const char *profile; /* to judge by; NULL: only what holds for all */
    const char *issuer;  /* file with the issuer's certificate; NULL: not at hand */
    const char *rules;   /* families besides: "br,idevid,ldevid,matter,spiffe,ocsp,piv"; NULL: none */
};

struct p11ca_lint_sum {
    size_t objects, errors, warnings, notices;
};

/*
 * Asks every rule of every object in the file. P11CA_NEGATIVE when there is a finding of severity error; ret is filled
 * then, too. P11CA_FILE when the file is not there or holds none of these objects, P11CA_REFUSED when it holds a
 * private key or is too large, or the issuer is none. home NULL: profiles are the built-in ones.
 */
P11CA_API P11CA_CHECK int p11ca_lint(const struct p11ca_home *home, const struct p11ca_lint_order *order,
    p11ca_lint_object_fn *fn, void *arg, struct p11ca_lint_sum *ret, struct p11ca_err *err);

#endif
