#include "base/file_batch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_new.h"
#include "base/scope.h"

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* --- directories --- */

static bool is_dir(const struct file_batch_dir *d, const char *path, size_t len)
{
    return strncmp(d->path, path, len) == 0 && !d->path[len];
}

static void close_dir(struct file_batch_dir *d)
{
    close(d->fd);
    free(d->path);
}

/* A place for one more. Fewer files than places are waiting, so one of a full table is not needed. */
static size_t free_dir(struct file_batch *b)
{
    size_t i = 0;

    if (b->n_dirs < FILE_BATCH)
        return b->n_dirs++;
    while (b->dirs[i].files)
        i++;
    close_dir(&b->dirs[i]);
    return i;
}

static int open_dir(struct file_batch *b, const char *path, size_t len)
{
    AUTO_STR name = len ? strndup(path, len) : strdup("");
    AUTO_FD fd = -1;
    struct stat st;

    if (!name)
        return -1;
    fd = open(*name ? name : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        return -1;
    b->last = free_dir(b);
    b->dirs[b->last] = (struct file_batch_dir){.path = str_take(&name), .fd = fd_take(&fd), .dev = st.st_dev};
    return 0;
}

/* Most files are in the directory of the one before; b->last becomes that of this one. */
static int find_dir(struct file_batch *b, const char *path)
{
    size_t len = (size_t)(base_of(path) - path), i;

    if (b->last < b->n_dirs && is_dir(&b->dirs[b->last], path, len))
        return 0;
    for (i = 0; i < b->n_dirs; i++) {
        if (is_dir(&b->dirs[i], path, len)) {
            b->last = i;
            return 0;
        }
    }
    return open_dir(b, path, len);
}

/* --- files --- */

static int open_named(struct file_batch_file *f)
{
    if (asprintf(&f->temp, "%s.XXXXXX", f->path) < 0) {
        f->temp = NULL;
        return -1;
    }
    f->fd = mkostemp(f->temp, O_CLOEXEC);
    if (f->fd >= 0)
        return 0;
    free(f->temp);
    f->temp = NULL;
    return -1;
}

static int open_file(struct file_batch *b, struct file_batch_file *f)
{
    if (find_dir(b, f->path) != 0)
        return -1;
    f->dir = b->last;
    if (!b->named && file_new_can_name())
        f->fd = file_new_nameless(b->dirs[f->dir].fd, ".");
    return f->fd >= 0 ? 0 : open_named(f);
}

static void drop_file(struct file_batch_file *f)
{
    if (f->temp)
        unlink(f->temp);
    if (f->fd >= 0)
        close(f->fd);
    free(f->temp);
    free(f->path);
}

static void drop_files(struct file_batch *b)
{
    size_t i;

    for (i = 0; i < b->n; i++)
        drop_file(&b->files[i]);
    for (i = 0; i < b->n_dirs; i++)
        b->dirs[i].files = 0;
    b->n = 0;
}

static int fill(const struct file_batch_file *f, mode_t perm, const void *p, size_t len)
{
    return fchmod(f->fd, perm) == 0 ? file_new_write(f->fd, p, len) : -1;
}

int file_batch_add(
    struct file_batch *b, const char *path, mode_t perm, const void *p, size_t len, struct p11ca_err *err)
{
    struct file_batch_file f = {.path = strdup(path), .fd = -1};

    if (!f.path)
        return err_nomem(err);
    if (b->n == FILE_BATCH) {
        err_set(err, P11CA_BUG, "BATCH", "%s: want at most %d files in a batch", path, FILE_BATCH);
    } else if (open_file(b, &f) != 0) {
        err_errno(err, P11CA_FILE, "%s: create", path);
    } else if (fill(&f, perm, p, len) != 0) {
        err_errno(err, P11CA_FILE, "%s: write", path);
    } else {
        b->dirs[f.dir].files++;
        b->files[b->n++] = f;
        return 0;
    }
    drop_file(&f);
    return -1;
}

/* --- all of them --- */

static bool is_known(const dev_t *devs, size_t n, dev_t dev)
{
    while (n && devs[n - 1] != dev)
        n--;
    return n > 0;
}

/* What was written is on disk. Each file system once, by any file on it. */
static int sync_contents(const struct file_batch *b, struct p11ca_err *err)
{
    dev_t devs[FILE_BATCH];
    size_t i, n = 0;

    for (i = 0; i < b->n; i++) {
        const struct file_batch_file *f = &b->files[i];

        if (is_known(devs, n, b->dirs[f->dir].dev))
            continue;
        if (syncfs(f->fd) != 0)
            return err_errno(err, P11CA_FILE, "%s: write", f->path);
        devs[n++] = b->dirs[f->dir].dev;
    }
    return 0;
}

static int give_name(const struct file_batch *b, struct file_batch_file *f)
{
    if (!f->temp)
        return file_new_name(f->fd, b->dirs[f->dir].fd, base_of(f->path));
    if (file_new_rename(f->temp, f->path) != 0)
        return -1;
    free(f->temp);
    f->temp = NULL;
    return 0;
}

int file_batch_end(struct file_batch *b, struct p11ca_err *results, struct p11ca_err *err)
{
    int rc = sync_contents(b, err);
    size_t i;

    for (i = 0; rc == 0 && i < b->n; i++) {
        results[i].kind = P11CA_OK;
        if (give_name(b, &b->files[i]) != 0)
            file_new_failed(b->files[i].path, &results[i]);
    }
    drop_files(b);
    return rc;
}

void file_batch_done(struct file_batch *b)
{
    size_t i;

    drop_files(b);
    for (i = 0; i < b->n_dirs; i++)
        close_dir(&b->dirs[i]);
    memset(b, 0, sizeof(*b));
}
