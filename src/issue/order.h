/* What the library's own callers may say about an order beside what is in it. */
#ifndef ISSUE_ORDER_H
#define ISSUE_ORDER_H

#include <p11ca/issue.h>

#include "issue/hooks.h"
#include "issue/renew.h"
#include "x509/profile.h"

struct order_extra {
    const struct profile
        *profile;                /* instead of the named one, whose row it was made of; NULL: the named one */
    struct der subject;          /* a Name to take byte for byte; p NULL: as the order says */
    const struct san_list *sans; /* the names, instead of the order's; NULL: as the order says */
    const struct renewal *renewal; /* what the new one takes the place of; NULL: nothing that is named */
    const struct spki *spki;       /* the key, when the order names no file */
    struct der
        csr; /* the request's bytes, as people saw them; p NULL: the file that the order names is read */
    const struct signing_hooks *hooks; /* may be NULL */
};

/* p11ca_issue(), with more to say. */
P11CA_CHECK int order_issue(struct p11ca_home *home, const struct p11ca_order *order,
    const struct order_extra *extra, struct p11ca_issued *ret, p11ca_record_fn *fn, void *arg,
    struct p11ca_err *err);

/* p11ca_self_sign(), with more to say; days 0: the profile's. */
P11CA_CHECK int order_self_sign(struct p11ca_home *home, const char *authority, unsigned days,
    const struct order_extra *extra, struct p11ca_issued *ret, struct p11ca_err *err);

#endif
