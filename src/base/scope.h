/*
 * Scope-bound handles: released when the block ends, handed over in the open with a _take().
 */
#ifndef BASE_SCOPE_H
#define BASE_SCOPE_H

#include <stdlib.h>
#include <unistd.h>

/* Defines scope_TYPE(), for __attribute__((cleanup)), from a free function that takes NULL. */
#define SCOPE_DEFINE(name, type, release)                                                                    \
    static inline void scope_##name(type *handle)                                                            \
    {                                                                                                        \
        if (*handle)                                                                                         \
            release(*handle);                                                                                \
    }
#define SCOPED(name) __attribute__((cleanup(scope_##name)))

static inline void scope_str(char **s)
{
    free(*s);
}
#define AUTO_STR __attribute__((cleanup(scope_str))) char *

static inline char *str_take(char **s)
{
    char *taken = *s;

    *s = NULL;
    return taken;
}

static inline void scope_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define AUTO_FD __attribute__((cleanup(scope_fd))) int

static inline int fd_take(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

#endif
