#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool room(struct buf *b, size_t more)
{
    size_t want, cap;
    uint8_t *p;

    if (b->failed || more > SIZE_MAX / 2 - b->len) {
        b->failed = true;
        return false;
    }
    want = b->len + more;
    if (want <= b->cap)
        return true;
    cap = b->cap ? b->cap : 256;
    while (cap < want)
        cap *= 2;
    p = realloc(b->p, cap);
    if (!p) {
        b->failed = true;
        return false;
    }
    b->p = p;
    b->cap = cap;
    return true;
}

void buf_add(struct buf *b, const void *p, size_t len)
{
    if (len == 0 || !room(b, len))
        return;
    memcpy(b->p + b->len, p, len);
    b->len += len;
}

void buf_addc(struct buf *b, uint8_t c)
{
    buf_add(b, &c, 1);
}

void buf_adds(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0 || !room(b, (size_t)n + 1)) {
        b->failed = true;
        return;
    }
    va_start(ap, fmt);
    vsnprintf((char *)b->p + b->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
}

void buf_insert(struct buf *b, size_t at, const void *p, size_t len)
{
    if (!room(b, len))
        return;
    memmove(b->p + at + len, b->p + at, b->len - at);
    memcpy(b->p + at, p, len);
    b->len += len;
}

char *buf_str(struct buf *b)
{
    if (!room(b, 1))
        return NULL;
    b->p[b->len] = '\0';
    return (char *)b->p;
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->failed = false;
}

uint8_t *buf_take(struct buf *b, size_t *ret_len)
{
    uint8_t *p = b->failed ? NULL : b->p;

    if (b->failed)
        free(b->p);
    *ret_len = p ? b->len : 0;
    memset(b, 0, sizeof(*b));
    return p;
}

void buf_done(struct buf *b)
{
    free(b->p);
    memset(b, 0, sizeof(*b));
}
