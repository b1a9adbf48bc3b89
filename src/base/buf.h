/*
 * A growing byte string. Additions cannot fail where they stand: the first one that runs out of memory
 * marks the buffer, and buf_ok() is asked once before the bytes are used.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    uint8_t *p;
    size_t len, cap;
    bool failed;
};

#define BUF_INIT                                                                                             \
    {                                                                                                        \
        NULL, 0, 0, false                                                                                    \
    }
#define AUTO_BUF __attribute__((cleanup(buf_done))) struct buf

void buf_add(struct buf *b, const void *p, size_t len);
void buf_addc(struct buf *b, uint8_t c);
void buf_adds(struct buf *b, const char *s);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Opens len bytes at offset at. Used by the DER writer to put a header before its content. */
void buf_insert(struct buf *b, size_t at, const void *p, size_t len);

/* Ends the bytes with a NUL that len does not count; NULL when the buffer failed. */
char *buf_str(struct buf *b);

static inline bool buf_ok(const struct buf *b)
{
    return !b->failed;
}

/* Forgets the content, keeps the memory. */
void buf_reset(struct buf *b);

/* Gives the storage to the caller, who frees it with free(). */
uint8_t *buf_take(struct buf *b, size_t *ret_len);

void buf_done(struct buf *b);

#endif
