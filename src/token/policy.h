/*
 * What a CA key must be: one table for the template it is generated with and for the read-back after
 * generation and before every use.
 */
#ifndef TOKEN_POLICY_H
#define TOKEN_POLICY_H

#include <stdbool.h>

#include "token/token.h"

enum policy_object { POLICY_PRIVATE, POLICY_PUBLIC };

#define POLICY_MAX 32

/* Fills tmpl (room for POLICY_MAX) with every boolean of the policy but what the kind omits; returns how many. */
size_t policy_template(enum policy_object what, const struct token_kind *kind, CK_ATTRIBUTE *tmpl);

/*
 * Whether a kind's file may name the attribute: in omit, one that templates state; in weak, one of the token's own words
 * on a key's history. What a template states, a token must be able to answer for.
 */
bool policy_may_omit(const char *name);
bool policy_may_be_weak(const char *name);

/* The policy's attributes one after another: its name, NULL behind the last. */
const char *policy_attribute(enum policy_object what, size_t i, CK_ATTRIBUTE_TYPE *ret_type);

/* What was read of one attribute. */
struct policy_reading {
    const char *name; /* "CKA_SENSITIVE" */
    bool want, have;
    bool absent; /* the token does not know the attribute */
    bool ok;
    bool weak;    /* the kind's read-back of this one proves nothing */
    bool excused; /* by a written exception */
};
typedef void policy_reading_fn(void *arg, const struct policy_reading *r);

/*
 * Reads every attribute of the policy back from the object. Refused (P11CA_TOKEN, KEY_POLICY) at the first that
 * does not hold, with its name. exception: why a key that was not
 * generated here may be used, NULL: it may not; attributes that keep it secret and in the token are never excused. each may be NULL; else it is given every reading, also past a failure.
 */
P11CA_CHECK int policy_check(const struct token *t, CK_OBJECT_HANDLE object, enum policy_object what,
    const char *label, const char *exception, policy_reading_fn *each, void *arg, struct p11ca_err *err);

#endif
