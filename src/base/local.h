/*
 * Unix sockets in the file system: one process listens on a name, and knows who is at the other end.
 *
 * Order of calls: listen, accept..., done.
 */
#ifndef BASE_LOCAL_H
#define BASE_LOCAL_H

#include <sys/types.h>

#include "base/err.h"

struct local {
    char *path;
    int fd;
    dev_t dev; /* of what path named when it was made */
    ino_t ino;
};
#define LOCAL_INIT                                                                                           \
    {                                                                                                        \
        NULL, -1, 0, 0                                                                                       \
    }

/*
 * Listens on a new socket that has this mode from the moment on which it can be seen. A socket of this user on which
 * nobody listens is replaced; whatever else is there is refused (OUTPUT_EXISTS), and so is a race that is lost (FILE_BUSY).
 */
P11CA_CHECK int local_listen(struct local *ret, const char *path, mode_t mode, struct p11ca_err *err);

/* Takes the name away, if it is still ours. Harmless on one that never listened. */
void local_done(struct local *l);

struct local_peer {
    pid_t pid;
    uid_t uid; /* effective, when it connected; the kernel says so (SO_PEERCRED) */
};

/* The next one that waits, not blocking; -1: nobody does, or it is gone again. */
int local_accept(const struct local *l, struct local_peer *ret);

#endif
