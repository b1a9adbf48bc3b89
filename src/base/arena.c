#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>

struct arena_block {
    struct arena_block *next;
    max_align_t data[];
};

void *arena_alloc(struct arena *a, size_t size)
{
    struct arena_block *b = size <= SIZE_MAX - sizeof(*b) ? calloc(1, sizeof(*b) + size) : NULL;

    if (!b)
        return NULL;
    b->next = a->first;
    a->first = b;
    return b->data;
}

void arena_done(struct arena *a)
{
    struct arena_block *b;

    while ((b = a->first)) {
        a->first = b->next;
        free(b);
    }
}
