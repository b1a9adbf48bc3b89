#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file_new.h"
#include "base/path.h"
#include "base/scope.h"

static int read_all(int fd, const char *path, size_t max, struct buf *ret, struct p11ca_err *err)
{
    uint8_t chunk[8192];
    size_t total = 0;
    ssize_t n;

    while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, P11CA_FILE, "%s: read", path);
        total += (size_t)n;
        if (total > max)
            return err_set(
                err, P11CA_REFUSED, "INPUT_TOO_LARGE", "%s: want at most %zu bytes, have more", path, max);
        buf_add(ret, chunk, (size_t)n);
    }
    explicit_bzero(chunk, sizeof(chunk));
    return buf_ok(ret) ? 0 : err_nomem(err);
}

/* at: the name inside dir; path: what messages call it. */
static int open_input_at(
    int dir, const char *at, const char *path, size_t max, bool private, struct p11ca_err *err)
{
    AUTO_FD fd = -1;
    struct stat st;

    /* NONBLOCK: a FIFO put where a file should be must not stop the program. */
    fd = openat(dir, at, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ELOOP)
        return err_set(
            err, P11CA_FILE, "INPUT_NOT_FILE", "%s: want a regular file, have a symbolic link", path);
    if (fd < 0 || fstat(fd, &st) != 0)
        return err_errno(err, P11CA_FILE, "%s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, P11CA_FILE, "INPUT_NOT_FILE", "%s: want a regular file", path);
    if (st.st_size < 0 || (size_t)st.st_size > max)
        return err_set(err, P11CA_REFUSED, "INPUT_TOO_LARGE", "%s: want at most %zu bytes, have %lld", path,
            max, (long long)st.st_size);
    if (private && (st.st_mode & (S_IRWXG | S_IRWXO)))
        return err_set(err, P11CA_CONFIG, "FILE_NOT_PRIVATE",
            "%s: want a file only its owner can read (mode 0600), have mode %04o", path,
            (unsigned)(st.st_mode & 07777));
    if (private && st.st_uid != geteuid() && st.st_uid != 0)
        return err_set(err, P11CA_CONFIG, "FILE_NOT_PRIVATE", "%s: want owner uid %u, have %u", path,
            (unsigned)geteuid(), (unsigned)st.st_uid);
    return fd_take(&fd);
}

static int open_input(const char *path, size_t max, bool private, struct p11ca_err *err)
{
    return open_input_at(AT_FDCWD, path, path, max, private, err);
}

int file_open_input(const char *path, size_t max, int *ret_fd, struct p11ca_err *err)
{
    int fd = open_input(path, max, false, err);

    if (fd < 0)
        return -1;
    *ret_fd = fd;
    return 0;
}

int file_read_some(int fd, const char *path, void *p, size_t len, size_t *ret, struct p11ca_err *err)
{
    ssize_t n;

    do {
        n = read(fd, p, len);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_errno(err, P11CA_FILE, "%s: read", path);
    *ret = (size_t)n;
    return 0;
}

int file_rewind(int fd, const char *path, struct p11ca_err *err)
{
    return lseek(fd, 0, SEEK_SET) == 0 ? 0 : err_errno(err, P11CA_FILE, "%s: seek", path);
}

int file_read(const char *path, size_t max, struct buf *ret, struct p11ca_err *err)
{
    AUTO_FD fd = open_input(path, max, false, err);

    return fd < 0 ? -1 : read_all(fd, path, max, ret, err);
}

int file_read_private(const char *path, size_t max, struct buf *ret, struct p11ca_err *err)
{
    AUTO_FD fd = open_input(path, max, true, err);

    return fd < 0 ? -1 : read_all(fd, path, max, ret, err);
}

static int below_failed(const char *name, struct p11ca_err *err)
{
    if (errno == ENOENT)
        return err_set(err, P11CA_REFUSED, "INPUT_MISSING", "%s: no such file", name);
    /* With O_NOFOLLOW | O_DIRECTORY a link is "not a directory". */
    if (errno == ELOOP || errno == ENOTDIR)
        return err_set(err, P11CA_FILE, "INPUT_NOT_FILE", "%s: want directories before the last slash", name);
    return err_errno(err, P11CA_FILE, "%s", name);
}

/* Down the directories of a name, no link followed; *last becomes the part behind the last slash. */
static int open_parent(
    const char *dir, const char *name, const char **ret_last, int *ret_fd, struct p11ca_err *err)
{
    AUTO_FD fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const char *at = name, *slash;

    if (fd < 0)
        return err_errno(err, P11CA_FILE, "%s", dir);
    for (; (slash = strchr(at, '/')); at = slash + 1) {
        AUTO_STR part = strndup(at, (size_t)(slash - at));
        int next = part ? openat(fd, *part ? part : ".", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;

        if (next < 0)
            return below_failed(name, err);
        close(fd);
        fd = next;
    }
    *ret_last = at;
    *ret_fd = fd_take(&fd);
    return 0;
}

int file_read_below(const char *dir, const char *name, size_t max, struct buf *ret, struct p11ca_err *err)
{
    const char *last = name;
    AUTO_FD parent = -1;
    AUTO_FD fd = -1;

    if (!path_is_below(name))
        return err_set(err, P11CA_REFUSED, "INPUT_PATH", "%s: want a relative path without '..'", name);
    if (open_parent(dir, name, &last, &parent, err) != 0)
        return -1;
    if (faccessat(parent, last, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
        return below_failed(name, err);
    fd = open_input_at(parent, last, name, max, false, err);
    return fd < 0 ? -1 : read_all(fd, name, max, ret, err);
}

int file_read_stream(int fd, const char *what, size_t max, struct buf *ret, struct p11ca_err *err)
{
    return read_all(fd, what, max, ret, err);
}

int file_read_fd(int fd, size_t max, struct buf *ret, struct p11ca_err *err)
{
    size_t total = 0;
    uint8_t c;
    ssize_t n;

    /* One byte at a time: what follows the first line belongs to whoever reads the descriptor next. */
    while ((n = read(fd, &c, 1)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, P11CA_FILE, "descriptor %d: read", fd);
        if (c == '\n')
            break;
        if (++total > max)
            return err_set(
                err, P11CA_REFUSED, "INPUT_TOO_LARGE", "descriptor %d: want at most %zu bytes", fd, max);
        buf_addc(ret, c);
    }
    return buf_ok(ret) ? 0 : err_nomem(err);
}

static int sync_parent(const char *path)
{
    AUTO_STR copy = strdup(path);
    AUTO_FD fd = -1;

    if (!copy)
        return -1;
    fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -1 : fsync(fd);
}

static int put_in_place(const char *temp, const char *path, enum file_mode mode)
{
    return mode == FILE_REPLACE ? rename(temp, path) : file_new_rename(temp, path);
}

static int fill(int fd, const char *path, mode_t perm, const void *p, size_t len, struct p11ca_err *err)
{
    if (fchmod(fd, perm) != 0 || file_new_write(fd, p, len) != 0 || fsync(fd) != 0)
        return err_errno(err, P11CA_FILE, "%s: write", path);
    return 0;
}

/* With a name of its own until it is whole: killed in here, NAME.XXXXXX stays. */
static int write_named(
    const char *path, enum file_mode mode, mode_t perm, const void *p, size_t len, struct p11ca_err *err)
{
    AUTO_STR temp = NULL;
    AUTO_FD fd = -1;

    if (asprintf(&temp, "%s.XXXXXX", path) < 0) {
        temp = NULL;
        return err_nomem(err);
    }
    fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, P11CA_FILE, "%s: create", path);
    if (fill(fd, path, perm, p, len, err) == 0) {
        if (put_in_place(temp, path, mode) == 0)
            return 0;
        file_new_failed(path, err);
    }
    unlink(temp);
    return -1;
}

static int open_nameless(const char *path)
{
    AUTO_STR copy = strdup(path);

    return copy ? file_new_nameless(AT_FDCWD, dirname(copy)) : -1;
}

static int write_file(
    const char *path, enum file_mode mode, mode_t perm, const void *p, size_t len, struct p11ca_err *err)
{
    AUTO_FD fd = file_exists(path) ? -1 : open_nameless(path);

    if (fd < 0)
        return write_named(path, mode, perm, p, len, err);
    if (fill(fd, path, perm, p, len, err) != 0)
        return -1;
    if (file_new_name(fd, AT_FDCWD, path) == 0)
        return 0;
    /* Somebody was faster, or there is no /proc. */
    if (errno == EEXIST ? mode == FILE_REPLACE : errno == ENOENT)
        return write_named(path, mode, perm, p, len, err);
    return file_new_failed(path, err);
}

int file_write(
    const char *path, enum file_mode mode, mode_t perm, const void *p, size_t len, struct p11ca_err *err)
{
    if (write_file(path, mode, perm, p, len, err) != 0)
        return -1;
    if (sync_parent(path) != 0)
        return err_errno(err, P11CA_FILE, "%s: fsync of its directory", path);
    return 0;
}

int file_check_new(const char *path, struct p11ca_err *err)
{
    AUTO_STR copy = strdup(path);
    struct stat st;

    if (!copy)
        return err_nomem(err);
    if (lstat(path, &st) == 0)
        return err_set(err, P11CA_FILE, "OUTPUT_EXISTS", "%s: exists, nothing is overwritten", path);
    if (errno != ENOENT || access(dirname(copy), W_OK | X_OK) != 0)
        return err_errno(err, P11CA_FILE, "%s: create", path);
    return 0;
}

int file_check_dir(const char *path, struct p11ca_err *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return file_check_new(path, err);
    if (!S_ISDIR(st.st_mode))
        return err_set(err, P11CA_FILE, "OUTPUT_EXISTS", "%s: want a directory, have something else", path);
    return access(path, W_OK | X_OK) == 0 ? 0 : err_errno(err, P11CA_FILE, "%s: create", path);
}

int file_sync_dir(const char *path, struct p11ca_err *err)
{
    AUTO_FD fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd >= 0 && syncfs(fd) == 0 ? 0 : err_errno(err, P11CA_FILE, "%s: sync", path);
}

bool file_exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

bool file_is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

uint64_t file_room(const char *path)
{
    AUTO_STR copy = strdup(path);
    struct statvfs fs;

    if (statvfs(path, &fs) != 0 && (!copy || statvfs(dirname(copy), &fs) != 0))
        return UINT64_MAX;
    return (uint64_t)fs.f_bavail * fs.f_frsize;
}

int file_mkdir(const char *path, mode_t perm, struct p11ca_err *err)
{
    struct stat st;

    if (mkdir(path, perm) == 0)
        return 0;
    if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return 0;
    return err_errno(err, P11CA_FILE, "%s: mkdir", path);
}

int file_mkdtemp(char *template, struct p11ca_err *err)
{
    return mkdtemp(template) ? 0 : err_errno(err, P11CA_FILE, "%s: mkdtemp", template);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path), 0;
}

void file_remove_tree(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static bool has_suffix(const char *name, const char *const *suffixes)
{
    size_t len = strlen(name), n;

    for (; *suffixes; suffixes++) {
        n = strlen(*suffixes);
        if (len > n && strcmp(name + len - n, *suffixes) == 0)
            return name[0] != '.';
    }
    return false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void file_list_free(char **names)
{
    char **at;

    for (at = names; at && *at; at++)
        free(*at);
    free(names);
}

static int add_name(char ***names, size_t *n, size_t *cap, const char *name)
{
    char **more;

    if (*n + 2 > *cap) {
        *cap = *cap ? *cap * 2 : 256;
        more = realloc(*names, *cap * sizeof(*more));
        if (!more)
            return -1;
        *names = more;
    }
    (*names)[*n] = strdup(name);
    (*names)[*n + 1] = NULL;
    return (*names)[(*n)++] ? 0 : -1;
}

/* For file_list_all(). */
static const char *const everything[] = {"", NULL};

/* Whether an entry is wanted: by suffix, or (suffixes NULL) as a directory. */
static bool is_wanted(const char *dir, const char *name, const char *const *suffixes)
{
    AUTO_STR path = NULL;
    struct stat st;

    if (suffixes == everything)
        return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
    if (suffixes)
        return has_suffix(name, suffixes);
    if (name[0] == '.' || asprintf(&path, "%s/%s", dir, name) < 0)
        return false;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int list(
    const char *dir, DIR *d, const char *const *suffixes, char ***ret, size_t *ret_n, struct p11ca_err *err)
{
    size_t n = 0, cap = 0;
    char **names = NULL;
    struct dirent *e;

    while ((errno = 0, e = readdir(d))) {
        if (is_wanted(dir, e->d_name, suffixes) && add_name(&names, &n, &cap, e->d_name) != 0) {
            file_list_free(names);
            return err_nomem(err);
        }
    }
    if (errno != 0) {
        err_errno(err, P11CA_FILE, "%s: readdir", dir);
        file_list_free(names);
        return -1;
    }
    if (n)
        qsort(names, n, sizeof(*names), by_name);
    *ret = names;
    *ret_n = n;
    return 0;
}

int file_list(const char *dir, const char *const *suffixes, char ***ret, size_t *ret_n, struct p11ca_err *err)
{
    DIR *d = opendir(dir);
    int rc;

    if (!d)
        return err_errno(err, P11CA_FILE, "%s", dir);
    rc = list(dir, d, suffixes, ret, ret_n, err);
    closedir(d);
    return rc;
}

int file_list_dirs(const char *dir, char ***ret, size_t *ret_n, struct p11ca_err *err)
{
    if (!file_exists(dir)) {
        *ret = NULL;
        *ret_n = 0;
        return 0;
    }
    return file_list(dir, NULL, ret, ret_n, err);
}

int file_list_all(const char *dir, char ***ret, size_t *ret_n, struct p11ca_err *err)
{
    return file_list(dir, everything, ret, ret_n, err);
}

int file_log_open(const char *path, bool create, mode_t perm, int *ret_fd, struct p11ca_err *err)
{
    AUTO_FD fd = open(path,
        O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (create ? O_CREAT | O_EXCL : 0), perm);

    if (fd < 0 && errno == EEXIST)
        return err_set(err, P11CA_FILE, "OUTPUT_EXISTS", "%s: exists, nothing is overwritten", path);
    if (fd < 0)
        return err_errno(err, P11CA_FILE, "%s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return err_set(err, P11CA_FILE, "FILE_BUSY", "%s: another process has it open", path);
    if (create && (fchmod(fd, perm) != 0 || sync_parent(path) != 0))
        return err_errno(err, P11CA_FILE, "%s: create", path);
    *ret_fd = fd_take(&fd);
    return 0;
}

int file_lock(const char *path, int *ret_fd, struct p11ca_err *err)
{
    AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0 || flock(fd, LOCK_EX) != 0)
        return err_errno(err, P11CA_FILE, "%s: lock", path);
    *ret_fd = fd_take(&fd);
    return 0;
}

int file_lock_parent(const char *path, int *ret_fd, struct p11ca_err *err)
{
    AUTO_STR copy = strdup(path);
    AUTO_FD fd = -1;

    if (!copy)
        return err_nomem(err);
    fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, P11CA_FILE, "%s: its directory", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return err_set(err, P11CA_FILE, "FILE_BUSY", "%s: another process has locked its directory", path);
    *ret_fd = fd_take(&fd);
    return 0;
}

int file_log_add(int fd, const char *path, const void *p, size_t len, struct p11ca_err *err)
{
    if (file_new_write(fd, p, len) != 0 || fsync(fd) != 0)
        return err_errno(err, P11CA_FILE, "%s: write", path);
    return 0;
}

int file_log_cut(int fd, const char *path, size_t len, struct p11ca_err *err)
{
    if (ftruncate(fd, (off_t)len) != 0 || fsync(fd) != 0)
        return err_errno(err, P11CA_FILE, "%s: truncate", path);
    return 0;
}

/* Written at once, so that a line a row is not a system call a row. */
#define OUT_CHUNK (64 * 1024)

/* Without a name when it can be given one at the end; else with one of its own. */
static int out_open(struct file_out *out, mode_t perm, struct p11ca_err *err)
{
    if (file_new_can_name())
        out->fd = open_nameless(out->path);
    if (out->fd < 0) {
        if (asprintf(&out->temp, "%s.XXXXXX", out->path) < 0) {
            out->temp = NULL;
            return err_nomem(err);
        }
        out->fd = mkostemp(out->temp, O_CLOEXEC);
    }
    if (out->fd < 0 || fchmod(out->fd, perm) != 0)
        return err_errno(err, P11CA_FILE, "%s: create", out->path);
    return 0;
}

static int out_begin(struct file_out *ret, const char *path, bool again, mode_t perm, struct p11ca_err *err)
{
    *ret = (struct file_out){.fd = -1, .again = again, .path = strdup(path)};
    if (!ret->path)
        return err_nomem(err);
    if ((again || file_check_new(path, err) == 0) && out_open(ret, perm, err) == 0)
        return 0;
    file_out_done(ret);
    return -1;
}

int file_out_begin(struct file_out *ret, const char *path, mode_t perm, struct p11ca_err *err)
{
    return out_begin(ret, path, false, perm, err);
}

int file_out_begin_again(struct file_out *ret, const char *path, mode_t perm, struct p11ca_err *err)
{
    return out_begin(ret, path, true, perm, err);
}

static int out_flush(struct file_out *out, struct p11ca_err *err)
{
    if (!buf_ok(&out->pending))
        return err_nomem(err);
    if (out->broken)
        return err_set(err, P11CA_FILE, "IO", "%s: an earlier write failed", out->path);
    out->broken = file_new_write(out->fd, out->pending.p, out->pending.len) != 0;
    if (out->broken)
        return err_errno(err, P11CA_FILE, "%s: write", out->path);
    buf_reset(&out->pending);
    return 0;
}

int file_out_add(struct file_out *out, const void *p, size_t len, struct p11ca_err *err)
{
    buf_add(&out->pending, p, len);
    return out->pending.len < OUT_CHUNK ? 0 : out_flush(out, err);
}

/* Octet by octet, from the beginning of both. */
static bool same_octets(int one, int two)
{
    uint8_t a[8192], b[sizeof(a)];
    off_t at = 0;
    ssize_t n, m;

    do {
        n = pread(one, a, sizeof(a), at);
        m = pread(two, b, sizeof(b), at);
        if (n < 0 || n != m || memcmp(a, b, (size_t)n) != 0)
            return false;
        at += n;
    } while (n > 0);
    return true;
}

static bool is_there_already(const struct file_out *out)
{
    AUTO_FD fd = open(out->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    return out->again && fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && same_octets(fd, out->fd);
}

int file_out_end(struct file_out *out, struct p11ca_err *err)
{
    if (out_flush(out, err) != 0)
        return -1;
    if (fsync(out->fd) != 0)
        return err_errno(err, P11CA_FILE, "%s: write", out->path);
    if (is_there_already(out))
        return 0;
    if ((out->temp ? put_in_place(out->temp, out->path, FILE_NEW)
                   : file_new_name(out->fd, AT_FDCWD, out->path)) != 0)
        return file_new_failed(out->path, err);
    free(out->temp);
    out->temp = NULL;
    if (sync_parent(out->path) != 0)
        return err_errno(err, P11CA_FILE, "%s: fsync of its directory", out->path);
    return 0;
}

void file_out_done(struct file_out *out)
{
    if (out->temp && out->fd >= 0)
        unlink(out->temp);
    if (out->path && out->fd >= 0)
        close(out->fd);
    free(out->temp);
    free(out->path);
    buf_done(&out->pending);
    *out = (struct file_out){.fd = -1};
}

int file_open_tty(void)
{
    return open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
}
