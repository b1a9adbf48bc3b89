/* Memory that is freed as a whole. Not thread safe. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *first;
};

/* Zeroed, aligned for anything, good until arena_done(); NULL: no memory. */
void *arena_alloc(struct arena *a, size_t size);

/* Safe on an empty one. */
void arena_done(struct arena *a);

#endif
