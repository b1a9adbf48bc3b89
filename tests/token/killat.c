/*
 * For LD_PRELOAD in tests: counts the calls that change what is on disk, and at a chosen one kills the
 * process or makes the call fail. Running a command once to count, then once for each n, tries every
 * moment at which a power failure could leave a half-done state behind.
 *
 *   P11CA_KILL_AT=n            SIGKILL just before counted call n (from 1) is made
 *   P11CA_FAIL_AT=n:ENOSPC     counted call n fails with this errno; n+:ENOSPC: n and all later ones
 *   P11CA_KILL_LOG=FILE        one line per counted call: "n name path"
 *
 * Counted: fsync, fdatasync, sync_file_range, rename*, link*, unlink*, remove, and write*, pwrite*,
 * *truncate* of regular files. Not counted: opening and creating (the first write shows the same state)
 * and what stdio writes inside libc (it cannot be interposed, and no careful writer uses it).
 * Each process counts for itself. A bad value ends the process: a typo must not make a test pass.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static const struct {
    const char *name;
    int error;
} errors[] = {
    {"EACCES", EACCES},
    {"EDQUOT", EDQUOT},
    {"EFBIG", EFBIG},
    {"EINTR", EINTR},
    {"EINVAL", EINVAL},
    {"EIO", EIO},
    {"ENOSPC", ENOSPC},
    {"EPERM", EPERM},
    {"ENOMEM", ENOMEM},
    {"EROFS", EROFS},
};

static unsigned long kill_at, fail_from, fail_to;
static int fail_errno;
static const char *log_path;
static atomic_ulong count;

__attribute__((noreturn)) static void die(const char *what, const char *value)
{
    fprintf(stderr, "killat.so: %s: bad value '%s'\n", what, value);
    abort();
}

/* Returns what follows the number. */
static const char *parse_count(const char *what, const char *s, unsigned long *ret_n)
{
    char *end;

    errno = 0;
    *ret_n = strtoul(s, &end, 10);
    if (errno || *s < '0' || *s > '9' || !*ret_n)
        die(what, s);
    return end;
}

static void parse_fail(const char *s)
{
    const char *rest = parse_count("P11CA_FAIL_AT", s, &fail_from);

    fail_to = *rest == '+' ? ULONG_MAX : fail_from;
    rest += *rest == '+';
    if (*rest++ != ':')
        die("P11CA_FAIL_AT", s);
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (strcmp(errors[i].name, rest) == 0)
            fail_errno = errors[i].error;
    if (!fail_errno)
        die("P11CA_FAIL_AT", s);
}

__attribute__((constructor)) static void load(void)
{
    const char *s;

    s = getenv("P11CA_KILL_AT");
    if (s && *parse_count("P11CA_KILL_AT", s, &kill_at))
        die("P11CA_KILL_AT", s);
    s = getenv("P11CA_FAIL_AT");
    if (s)
        parse_fail(s);
    log_path = getenv("P11CA_KILL_LOG");
}

/* Raw system calls: the log must not be counted. Opened each time: programs close descriptors. */
static void log_call(unsigned long n, const char *name, const char *path)
{
    char line[PATH_MAX + 64];
    long fd;
    int len;

    if (!log_path)
        return;
    len = snprintf(line, sizeof(line), "%lu %s %s\n", n, name, path);
    fd = syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (len < 0 || fd < 0 || syscall(SYS_write, fd, line, len) != len)
        die("P11CA_KILL_LOG", log_path);
    syscall(SYS_close, fd);
}

/* False, with errno set: the call is not to be made. */
static bool counted(const char *name, const char *path)
{
    unsigned long n = atomic_fetch_add(&count, 1) + 1;

    log_call(n, name, path);
    if (n == kill_at)
        raise(SIGKILL);
    if (!fail_errno || n < fail_from || n > fail_to)
        return true;
    errno = fail_errno;
    return false;
}

/* A descriptor is named by what it is open on. errno stays: the caller has not failed. */
static bool counted_fd(const char *name, int fd, bool only_files)
{
    char link[32], path[PATH_MAX];
    int saved = errno;
    struct stat st;
    ssize_t len;

    if (only_files && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        errno = saved;
        return true;
    }
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, path, sizeof(path) - 1);
    path[len < 0 ? 0 : len] = '\0';
    errno = saved;
    return counted(name, path);
}

/* ISO C has no cast from an object to a function pointer; POSIX promises that they are alike. */
static void find_next(const char *name, void *ret_function)
{
    void *symbol = dlsym(RTLD_NEXT, name);

    if (!symbol)
        die("dlsym", name);
    memcpy(ret_function, &symbol, sizeof(symbol));
}

/* Defines NAME: counted(), then the next NAME in the order of libraries. */
#define SHIM(type, name, params, args, may)                                                                  \
    type name params                                                                                         \
    {                                                                                                        \
        static type(*_Atomic next) params;                                                                   \
        type(*call) params = atomic_load_explicit(&next, memory_order_relaxed);                              \
                                                                                                             \
        if (!call) {                                                                                         \
            find_next(#name, &call);                                                                         \
            atomic_store_explicit(&next, call, memory_order_relaxed);                                        \
        }                                                                                                    \
        return (may) ? call args : -1;                                                                       \
    }
#define SHIM_PATH(name, params, args, path) SHIM(int, name, params, args, counted(#name, path))
#define SHIM_SYNC(name, params, args)       SHIM(int, name, params, args, counted_fd(#name, fd, false))
#define SHIM_FILE(type, name, params, args) SHIM(type, name, params, args, counted_fd(#name, fd, true))

SHIM_SYNC(fsync, (int fd), (fd))
SHIM_SYNC(fdatasync, (int fd), (fd))
SHIM_SYNC(sync_file_range, (int fd, off64_t at, off64_t len, unsigned flags), (fd, at, len, flags))

SHIM_PATH(rename, (const char *from, const char *to), (from, to), to)
SHIM_PATH(renameat, (int dir, const char *from, int to_dir, const char *to), (dir, from, to_dir, to), to)
SHIM_PATH(renameat2, (int dir, const char *from, int to_dir, const char *to, unsigned flags),
    (dir, from, to_dir, to, flags), to)
SHIM_PATH(link, (const char *from, const char *to), (from, to), to)
SHIM_PATH(linkat, (int dir, const char *from, int to_dir, const char *to, int flags),
    (dir, from, to_dir, to, flags), to)
SHIM_PATH(unlink, (const char *path), (path), path)
SHIM_PATH(unlinkat, (int dir, const char *path, int flags), (dir, path, flags), path)
SHIM_PATH(remove, (const char *path), (path), path)
SHIM_PATH(truncate, (const char *path, off_t len), (path, len), path)
SHIM_PATH(truncate64, (const char *path, off64_t len), (path, len), path)

SHIM_FILE(int, ftruncate, (int fd, off_t len), (fd, len))
SHIM_FILE(int, ftruncate64, (int fd, off64_t len), (fd, len))
SHIM_FILE(ssize_t, write, (int fd, const void *p, size_t len), (fd, p, len))
SHIM_FILE(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))
SHIM_FILE(ssize_t, pwrite, (int fd, const void *p, size_t len, off_t at), (fd, p, len, at))
SHIM_FILE(ssize_t, pwrite64, (int fd, const void *p, size_t len, off64_t at), (fd, p, len, at))
SHIM_FILE(ssize_t, pwritev, (int fd, const struct iovec *v, int n, off_t at), (fd, v, n, at))
SHIM_FILE(ssize_t, pwritev64, (int fd, const struct iovec *v, int n, off64_t at), (fd, v, n, at))
