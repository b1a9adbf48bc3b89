/* Lines of a file, one after the other, in as much memory as the longest. */
#ifndef ISSUE_LOT_LINES_H
#define ISSUE_LOT_LINES_H

#include "base/buf.h"
#include "base/err.h"

#define LINES_CHUNK (64 * 1024)

struct lines {
    char *path;
    int fd;
    size_t max;    /* octets of one line, without its end */
    size_t number; /* of the line asked for last, from 1 */
    uint8_t *chunk;
    size_t at, have;
};

/* A regular file of at most LIMIT_INPUT octets; refusals as by file_read(). Order: open, next..., rewind, next..., done. */
P11CA_CHECK int lines_open(struct lines *ret, const char *path, size_t max, struct p11ca_err *err);
P11CA_CHECK int lines_rewind(struct lines *l, struct p11ca_err *err);
void lines_done(struct lines *l);

/*
 * Appends the next line, without LF or CR LF, and before the first without a byte order mark: 1 a line, 0 the end, -1.
 * Codes: MANIFEST_SYNTAX, a line that is too long; PRIVATE_KEY_SEEN, the mark of a private key in it.
 */
P11CA_CHECK int lines_next(struct lines *l, struct buf *ret, struct p11ca_err *err);

/* What lines_next() does to a line, for those that come another way. Takes off what is not the line's own: the mark, the CR. */
void lines_trim(struct buf *line, size_t start, bool first);

/* PRIVATE_KEY_SEEN */
P11CA_CHECK int lines_check(const void *line, size_t len, struct p11ca_err *err);

/* MANIFEST_SYNTAX; returns -1. */
int lines_too_long(size_t max, struct p11ca_err *err);

#endif
