/* Names that are let in. */
#ifndef AUTH_RULE_H
#define AUTH_RULE_H

#include <p11ca/auth.h>

#include "x509/san.h"

#define RULE_SEGMENTS 64

struct rule {
    enum p11ca_name_kind kind;
    bool any;
    char *text;          /* canonical; with wildcards where they were */
    char *label;         /* "KIND:TEXT" */
    struct san_list san; /* the name itself, when it is an alternative one */
    uint64_t wild;       /* bit i: what stands between the slashes i - 1 and i is one */
    bool rest;           /* the last segment is "**" */
};

/* text NULL: any name of the kind. P11CA_CONFIG. */
P11CA_CHECK int rule_make(
    enum p11ca_name_kind kind, const char *text, struct rule *ret, struct p11ca_err *err);
void rule_done(struct rule *rule);

/* san: of the name, NULL for one of the subject. */
bool rule_fits(const struct rule *rule, const struct p11ca_name *name, const struct san_list *san);

/* Whether every name that b fits is one that a fits. */
bool rule_covers(const struct rule *a, const struct rule *b);

#endif
