#include "issue/lot_lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/scope.h"

int lines_open(struct lines *ret, const char *path, size_t max, struct p11ca_err *err)
{
    AUTO_FD fd = -1;
    AUTO_STR copy = NULL;
    uint8_t *chunk;

    if (file_open_input(path, LIMIT_INPUT, &fd, err) != 0)
        return -1;
    copy = strdup(path);
    chunk = copy ? malloc(LINES_CHUNK) : NULL;
    if (!chunk)
        return err_nomem(err);
    *ret = (struct lines){.path = str_take(&copy), .fd = fd_take(&fd), .max = max, .chunk = chunk};
    return 0;
}

int lines_rewind(struct lines *l, struct p11ca_err *err)
{
    l->number = l->at = l->have = 0;
    return file_rewind(l->fd, l->path, err);
}

void lines_done(struct lines *l)
{
    if (l->path)
        scope_fd(&l->fd);
    free(l->path);
    free(l->chunk);
    memset(l, 0, sizeof(*l));
}

static int fill(struct lines *l, struct p11ca_err *err)
{
    l->at = 0;
    return file_read_some(l->fd, l->path, l->chunk, LINES_CHUNK, &l->have, err);
}

/* Up to the line feed or the end of the file, whichever comes first: 1 a line, 0 nothing is left. */
static int take_line(struct lines *l, struct buf *ret, struct p11ca_err *err)
{
    size_t start = ret->len, n;
    const uint8_t *from, *feed;

    for (;;) {
        if (l->at == l->have && fill(l, err) != 0)
            return -1;
        if (l->have == 0)
            return ret->len > start;
        from = l->chunk + l->at;
        feed = memchr(from, '\n', l->have - l->at);
        n = feed ? (size_t)(feed - from) : l->have - l->at;
        buf_add(ret, from, n);
        l->at += n + (feed != NULL);
        /* One more for a carriage return, three for a mark. */
        if (ret->len - start > l->max + 4)
            return lines_too_long(l->max, err);
        if (feed)
            return 1;
    }
}

void lines_trim(struct buf *line, size_t start, bool first)
{
    if (first && line->len - start >= 3 && memcmp(line->p + start, "\xef\xbb\xbf", 3) == 0) {
        line->len -= 3;
        memmove(line->p + start, line->p + start + 3, line->len - start);
    }
    if (line->len > start && line->p[line->len - 1] == '\r')
        line->len--;
}

int lines_check(const void *line, size_t len, struct p11ca_err *err)
{
    static const char mark[] = "PRIVATE KEY-----";

    if (memmem(line, len, mark, sizeof(mark) - 1))
        return err_set(err, P11CA_REFUSED, "PRIVATE_KEY_SEEN",
            "want no private key in an input file, have one: treat it as disclosed");
    return 0;
}

int lines_too_long(size_t max, struct p11ca_err *err)
{
    return err_set(
        err, P11CA_REFUSED, "MANIFEST_SYNTAX", "want at most %zu octets in a line, have more", max);
}

int lines_next(struct lines *l, struct buf *ret, struct p11ca_err *err)
{
    size_t start = ret->len;
    int rc;

    l->number++;
    rc = take_line(l, ret, err);
    if (rc <= 0)
        return rc;
    if (!buf_ok(ret))
        return err_nomem(err);
    lines_trim(ret, start, l->number == 1);
    /* Said before anything else, whatever column or text it stands in. */
    return ret->len > start && lines_check(ret->p + start, ret->len - start, err) != 0 ? -1 : 1;
}
