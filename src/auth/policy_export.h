/* A policy in the words of others. */
#ifndef AUTH_POLICY_EXPORT_H
#define AUTH_POLICY_EXPORT_H

#include "auth/policy.h"
#include "base/buf.h"

/*
 * Appends the text, which may be there in part when something is refused: EXPORT_RULE, EXPORT_KINDS, EXPORT_SERVICE.
 * Running out of memory marks the buffer.
 */
P11CA_CHECK int policy_to_nginx(const struct policy_set *set, struct buf *ret, struct p11ca_err *err);
P11CA_CHECK int policy_to_envoy(const struct policy_set *set, struct buf *ret, struct p11ca_err *err);

/* The segments of a pattern as a regular expression that both PCRE and RE2 read, without backslashes and anchors. */
void export_path(struct buf *b, const char *pattern, bool slash);

/* Text as it is, in a regular expression: what is not a letter or digit stands in brackets. */
void export_literal(struct buf *b, const char *text, size_t len);

/* What path_fault() lets pass, but for segments of dots. */
#define EXPORT_SEGMENT "([A-Za-z0-9._~!$&'()*+,=:@-]|%(2[023]|3[CEF]|5[BDE]|60|7[BCD]|[89A-F][0-9A-F]))"

/* EXPORT_RULE: it is for somebody who cannot be named there. */
int export_refuse(
    const struct policy_service *s, const struct policy_rule *r, const char *why, struct p11ca_err *err);

#endif
