/* Approvals m of n: keys of people sign plan.txt; a step that asks for them runs only with enough of them. */
#ifndef CEREMONY_APPROVALS_H
#define CEREMONY_APPROVALS_H

#include "ceremony/run.h"

/*
 * What can be said of the approvers before anything happens: their certificates can be read and are valid, their tokens
 * are in p11ca.conf, no key is there twice or an authority's.
 */
P11CA_CHECK int approvals_check(const struct run *run, struct p11ca_err *err);

/*
 * Collects what is still missing: signatures made elsewhere (ROLE.sig, checked with the approver's certificate), then
 * those by the approvers' tokens. P11CA_REFUSED, code APPROVALS, when they are not enough.
 */
P11CA_CHECK int approvals_need(struct run *run, struct p11ca_err *err);

#endif
