#include "issue/preflight_files.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/path.h"
#include "base/scope.h"

#define NAME_HASH 16

static const char *const endings[] = {".csr", ".der", ".pem", ".pub"};
#define N_ENDINGS (sizeof(endings) / sizeof(endings[0]))

/* The same for all spellings of a path: "./a//b" is "a/b". */
static char *plain(const char *path)
{
    char *ret = calloc(strlen(path) + 1, 1), *to = ret;
    size_t len;

    for (; ret && *path; path += len) {
        len = strcspn(path, "/");
        if (len && !(len == 1 && *path == '.')) {
            if (to != ret)
                *to++ = '/';
            memcpy(to, path, len);
            to += len;
        }
        len += path[len] == '/';
    }
    return ret;
}

static int add_digest(struct buf *names, const char *path)
{
    uint8_t whole[SHA256_LEN];

    if (hash_sha256(path, strlen(path), whole) != 0)
        return -1;
    buf_add(names, whole, NAME_HASH);
    return buf_ok(names) ? 0 : -1;
}

/* Where it is, or would be. */
static size_t find_dir(const struct lot_files *f, const char *dir, bool *ret_found)
{
    size_t low = 0, high = f->n_dirs, mid;
    int c;

    *ret_found = false;
    while (low < high && !*ret_found) {
        mid = (low + high) / 2;
        c = strcmp(dir, f->dirs[mid]);
        *ret_found = c == 0;
        if (c <= 0)
            high = mid;
        else
            low = mid + 1;
    }
    return high;
}

/* Takes the string over. */
static int add_dir(struct lot_files *f, char *dir)
{
    bool found;
    size_t at = find_dir(f, dir, &found), cap = f->cap ? f->cap * 2 : 16;
    char **dirs;

    if (found) {
        free(dir);
        return 0;
    }
    if (f->n_dirs == f->cap) {
        dirs = realloc(f->dirs, cap * sizeof(*dirs));
        if (!dirs) {
            free(dir);
            return -1;
        }
        f->dirs = dirs;
        f->cap = cap;
    }
    memmove(f->dirs + at + 1, f->dirs + at, (f->n_dirs - at) * sizeof(*f->dirs));
    f->dirs[at] = dir;
    f->n_dirs++;
    return 0;
}

static void add_ending(struct lot_files *f, const char *path)
{
    const char *dot = strrchr(path, '.');
    size_t i;

    for (i = 0; dot && i < N_ENDINGS; i++)
        f->endings |= (unsigned)(strcmp(dot, endings[i]) == 0) << i;
}

int files_add(struct lot_files *f, const char *path, bool was_read)
{
    AUTO_STR name = plain(path);
    char *slash, *dir;

    if (!name)
        return -1;
    slash = strrchr(name, '/');
    if (!slash)
        return 0;
    add_ending(f, name);
    if (add_digest(&f->names, name) != 0)
        return -1;
    /* What was not read may lie behind a link. */
    if (!was_read)
        return 0;
    dir = strndup(name, (size_t)(slash - name));
    return dir ? add_dir(f, dir) : -1;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, NAME_HASH);
}

static int check_file(const struct lot_files *f, const char *dir, const char *file, struct p11ca_err *err)
{
    AUTO_STR name = path_join(dir, file);
    AUTO_BUF digest = BUF_INIT;

    if (!name || add_digest(&digest, name) != 0)
        return err_nomem(err);
    if (bsearch(digest.p, f->names.p, f->names.len / NAME_HASH, NAME_HASH, compare))
        return 0;
    return err_set(err, P11CA_REFUSED, "MANIFEST_MISMATCH",
        "%s: want a row for every request beside those of the manifest, have none for this one", name);
}

static int check_dir(const struct lot_files *f, const char *base, const char *dir, struct p11ca_err *err)
{
    const char *suffixes[N_ENDINGS + 1] = {NULL};
    AUTO_STR path = path_join(base, dir);
    char **names = NULL;
    size_t n = 0, i;
    int rc = 0;

    for (i = 0; i < N_ENDINGS; i++) {
        if (f->endings & 1u << i)
            suffixes[n++] = endings[i];
    }
    if (!path)
        return err_nomem(err);
    if (file_list(path, suffixes, &names, &n, err) != 0)
        return -1;
    for (i = 0; i < n && rc == 0; i++)
        rc = check_file(f, dir, names[i], err);
    file_list_free(names);
    return rc;
}

int files_check(struct lot_files *f, const char *base, struct p11ca_err *err)
{
    size_t i;

    if (f->names.len)
        qsort(f->names.p, f->names.len / NAME_HASH, NAME_HASH, compare);
    for (i = 0; i < f->n_dirs; i++) {
        if (check_dir(f, base, f->dirs[i], err) != 0)
            return -1;
    }
    return 0;
}

void files_done(struct lot_files *f)
{
    size_t i;

    for (i = 0; i < f->n_dirs; i++)
        free(f->dirs[i]);
    free(f->dirs);
    buf_done(&f->names);
    memset(f, 0, sizeof(*f));
}
