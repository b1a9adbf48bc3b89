#include "base/local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/scope.h"

static int set_address(struct sockaddr_un *ret, const char *path, struct p11ca_err *err)
{
    size_t len = strlen(path);

    if (len == 0 || len >= sizeof(ret->sun_path))
        return err_set(err, P11CA_USAGE, "USAGE", "%s: want a socket's path of 1 to %zu octets, have %zu",
            path, sizeof(ret->sun_path) - 1, len);
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(ret->sun_path, path, len + 1);
    return 0;
}

static int new_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* A socket whose process was killed refuses connections for ever. */
static bool is_stale(const struct sockaddr_un *address)
{
    AUTO_FD fd = new_socket();

    return fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
           errno == ECONNREFUSED;
}

/* Under the lock on the directory. */
static int make_room(const struct sockaddr_un *address, struct p11ca_err *err)
{
    const char *path = address->sun_path;
    struct stat st;

    if (lstat(path, &st) != 0)
        return errno == ENOENT ? 0 : err_errno(err, P11CA_FILE, "%s", path);
    if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid())
        return err_set(err, P11CA_FILE, "OUTPUT_EXISTS", "%s: exists, nothing is overwritten", path);
    if (!is_stale(address))
        return err_set(err, P11CA_FILE, "OUTPUT_EXISTS", "%s: another process listens on it", path);
    return unlink(path) == 0 ? 0 : err_errno(err, P11CA_FILE, "%s: remove", path);
}

/* A socket gets the mode of its descriptor less the umask; what the umask takes away is given back before anybody can
 * connect. */
static int bind_to(int fd, const struct sockaddr_un *address, mode_t mode, struct p11ca_err *err)
{
    const char *path = address->sun_path;

    if (fchmod(fd, mode) != 0 || bind(fd, (const struct sockaddr *)address, sizeof(*address)) != 0)
        return err_errno(err, P11CA_FILE, "%s: create", path);
    if (fchmodat(AT_FDCWD, path, mode, AT_SYMLINK_NOFOLLOW) != 0 || listen(fd, SOMAXCONN) != 0) {
        err_errno(err, P11CA_FILE, "%s: listen", path);
        unlink(path);
        return -1;
    }
    return 0;
}

int local_listen(struct local *ret, const char *path, mode_t mode, struct p11ca_err *err)
{
    AUTO_STR copy = strdup(path);
    AUTO_FD lock = -1, fd = -1;
    struct sockaddr_un address;
    struct stat st;

    if (!copy)
        return err_nomem(err);
    if (set_address(&address, path, err) != 0 || file_lock_parent(path, &lock, err) != 0 ||
        make_room(&address, err) != 0)
        return -1;
    fd = new_socket();
    if (fd < 0)
        return err_errno(err, P11CA_FILE, "%s: socket", path);
    if (bind_to(fd, &address, mode, err) != 0)
        return -1;
    if (lstat(path, &st) != 0)
        return err_errno(err, P11CA_FILE, "%s", path);
    *ret = (struct local){.path = str_take(&copy), .fd = fd_take(&fd), .dev = st.st_dev, .ino = st.st_ino};
    return 0;
}

void local_done(struct local *l)
{
    struct stat st;

    /* While it listens, nobody else who asks replaces it. */
    if (l->path && lstat(l->path, &st) == 0 && st.st_dev == l->dev && st.st_ino == l->ino)
        unlink(l->path);
    scope_fd(&l->fd);
    free(l->path);
    l->path = NULL;
    l->fd = -1;
}

int local_accept(const struct local *l, struct local_peer *ret)
{
    AUTO_FD fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct ucred who;
    socklen_t len = sizeof(who);

    if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
        return -1;
    *ret = (struct local_peer){who.pid, who.uid};
    return fd_take(&fd);
}
