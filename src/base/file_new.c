#include "base/file_new.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

int file_new_write(int fd, const void *p, size_t len)
{
    const uint8_t *at = p;
    ssize_t n;

    while (len) {
        n = write(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

int file_new_nameless(int dir, const char *name)
{
    return openat(dir, name, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static bool has_proc;
static pthread_once_t asked_for_proc = PTHREAD_ONCE_INIT;

static void ask_for_proc(void)
{
    has_proc = access("/proc/self/fd", X_OK) == 0;
}

bool file_new_can_name(void)
{
    pthread_once(&asked_for_proc, ask_for_proc);
    return has_proc;
}

/* The descriptor itself needs no way through /proc, but a privilege, or Linux 6.10: ENOENT without. */
int file_new_name(int fd, int dir, const char *name)
{
    static atomic_bool refused;
    char self[64];

    if (!atomic_load(&refused)) {
        if (linkat(fd, "", dir, name, AT_EMPTY_PATH) == 0)
            return 0;
        if (errno == EEXIST)
            return -1;
        if (errno == ENOENT)
            atomic_store(&refused, true);
    }
    snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, self, dir, name, AT_SYMLINK_FOLLOW);
}

/* EINVAL: a file system without RENAME_NOREPLACE; link() is refused just as atomically when the name exists. */
int file_new_rename(const char *temp, const char *path)
{
    if (renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (link(temp, path) != 0)
        return -1;
    unlink(temp);
    return 0;
}

int file_new_failed(const char *path, struct p11ca_err *err)
{
    if (errno == EEXIST)
        return err_set(err, P11CA_FILE, "OUTPUT_EXISTS", "%s: exists, nothing is overwritten", path);
    return err_errno(err, P11CA_FILE, "%s: rename into place", path);
}
