/* What a station is told: one object of JSON a line, in ASCII. */
#ifndef ISSUE_ANSWER_H
#define ISSUE_ANSWER_H

#include <p11ca/lot.h>

#include "base/buf.h"
#include "x509/der.h"

/* row->input is not told. ref is echoed as it is, NULL: null. cert.p NULL: none. */
void answer_add(struct buf *b, const struct p11ca_row *row, const char *ref, struct der cert);

/* A request that ended before it was begun. */
void answer_add_not_tried(struct buf *b, size_t number, const char *ref, const struct p11ca_err *why);

/* {"error":{"code":...,"message":...}} */
void answer_add_error(struct buf *b, const struct p11ca_err *err);

#endif
