#include "issue/lot_tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "base/scope.h"
#include "issue/lot_names.h"
#include "issue/manifest_err.h"

#define CHUNK ((size_t)64 * 1024)

/* With the temporary suffix, NAME_MAX of 255. */
#define NAME_MAX_OCTETS 240

struct lot_tar {
    const char *path;
    int fd;
    struct archive *archive;
    uint8_t chunk[CHUNK];
    uint8_t member[LIMIT_CSR + 1];
    bool ended;           /* the end was reached, and is asked for again */
    size_t read, used;    /* octets of the file; up to the last of them that is not zero */
    struct p11ca_err err; /* why no more could be read */
    struct lot_names names;
};

_Static_assert(LIMIT_CSR == 65536, "said in a text");

/* What is wrong with one member is the fault of its row. */
static const struct {
    enum p11ca_kind kind;
    const char *code, *text;
} faults[] = {
    [LOT_FAULT_NONE] = {P11CA_OK, NULL, NULL},
    [LOT_FAULT_TYPE] = {P11CA_FILE, "INPUT_NOT_FILE", "want a regular file, have a link, a device or a FIFO"},
    [LOT_FAULT_PATH] = {P11CA_REFUSED, "INPUT_PATH", "want a relative path without '..'"},
    [LOT_FAULT_NAME] = {P11CA_REFUSED, "INPUT_NAME", "want a file name of at most 240 octets"},
    [LOT_FAULT_TAKEN] = {P11CA_REFUSED, "INPUT_NAME",
        "another request of the lot has the same name but for its folder and ending"},
    [LOT_FAULT_SIZE] = {P11CA_REFUSED, "INPUT_TOO_LARGE", "want at most 65536 octets, have more"},
};

/* --- the file --- */

static int read_chunk(struct lot_tar *t, size_t *ret, struct p11ca_err *err)
{
    size_t i;

    if (file_read_some(t->fd, t->path, t->chunk, CHUNK, ret, err) != 0)
        return -1;
    for (i = *ret; i > 0 && t->chunk[i - 1] == 0; i--)
        ;
    if (i)
        t->used = t->read + i;
    t->read += *ret;
    return 0;
}

static la_ssize_t give_chunk(struct archive *archive, void *arg, const void **ret)
{
    struct lot_tar *t = arg;
    size_t n = 0;

    (void)archive;
    if (read_chunk(t, &n, &t->err) != 0)
        return -1;
    *ret = t->chunk;
    return (la_ssize_t)n;
}

static int broken(const struct lot_tar *t, struct p11ca_err *err)
{
    const char *why = archive_error_string(t->archive);

    if (t->err.kind == P11CA_OK)
        return manifest_err(err, "%s: want a tar archive, whole and not compressed: %s",
            lot_name_base(t->path), why ? why : "it is none");
    *err = t->err;
    return -1;
}

/* No dialect but tar's, no filter: what a file is called is what it is. */
static int open_archive(struct lot_tar *t, struct p11ca_err *err)
{
    if (t->archive)
        archive_read_free(t->archive);
    t->read = t->used = 0;
    t->ended = false;
    t->err.kind = P11CA_OK;
    t->archive = archive_read_new();
    if (!t->archive)
        return err_nomem(err);
    if (archive_read_support_format_tar(t->archive) != ARCHIVE_OK ||
        archive_read_open(t->archive, t, NULL, give_chunk, NULL) != ARCHIVE_OK)
        return broken(t, err);
    return 0;
}

static struct lot_tar *tar_new(const char *path, struct p11ca_err *err)
{
    struct lot_tar *t = calloc(1, sizeof(*t));

    if (!t) {
        err_nomem(err);
        return NULL;
    }
    t->path = path;
    t->fd = -1;
    if (file_open_input(path, LIMIT_INPUT, &t->fd, err) != 0) {
        lot_tar_done(t);
        return NULL;
    }
    return t;
}

void lot_tar_done(struct lot_tar *tar)
{
    if (!tar)
        return;
    if (tar->archive)
        archive_read_free(tar->archive);
    scope_fd(&tar->fd);
    lot_names_done(&tar->names);
    free(tar);
}

static int begin(struct lot_input *in, struct p11ca_err *err)
{
    if (!in->tar)
        in->tar = tar_new(in->path, err);
    else if (file_rewind(in->tar->fd, in->path, err) != 0)
        return -1;
    return in->tar ? open_archive(in->tar, err) : -1;
}

/*
 * POSIX pax, ustar Interchange Format: two blocks of zeros end an archive. Without them something may be missing, and what
 * stands behind them nobody has looked at.
 */
static int check_end(struct lot_tar *t, struct p11ca_err *err)
{
    size_t end = (size_t)archive_filter_bytes(t->archive, 0), n;

    do {
        if (read_chunk(t, &n, err) != 0)
            return -1;
    } while (n);
    if (t->used > end)
        return manifest_err(
            err, "%s: want nothing behind the end of the archive, have more", lot_name_base(t->path));
    if (t->read < t->used + 1024)
        return manifest_err(err,
            "%s: want 1024 octets of zeros at the end of the archive, have %zu: it was cut off",
            lot_name_base(t->path), t->read - t->used);
    return 0;
}

/* --- members --- */

/* `tar -c .` puts "./" in front of everything. NULL: it has none. */
static const char *name_of(struct archive_entry *e)
{
    const char *name = archive_entry_pathname(e);

    while (name && strncmp(name, "./", 2) == 0)
        name += 2;
    return name;
}

/* As in a directory: what is hidden is no request, nor is what has another ending. */
static bool is_request(struct archive_entry *e)
{
    const char *name = name_of(e), *base, *dot;
    const char *const *suffix;

    if (!name || archive_entry_filetype(e) == AE_IFDIR)
        return false;
    base = lot_name_base(name);
    dot = strrchr(base, '.');
    for (suffix = lot_suffixes; dot && dot != base && *suffix && strcmp(dot, *suffix) != 0; suffix++)
        ;
    return base[0] != '.' && dot && dot != base && *suffix;
}

/* 1 a request; 0 the end; -1. Names that are no text in this locale come with a warning, and as they are. */
static int next_request(struct lot_tar *t, struct archive_entry **ret, struct p11ca_err *err)
{
    int rc;

    if (t->ended)
        return 0;
    do {
        rc = archive_read_next_header(t->archive, ret);
        t->ended = rc == ARCHIVE_EOF;
        if (t->ended)
            return check_end(t, err);
        if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
            return broken(t, err);
    } while (!is_request(*ret));
    return 1;
}

/* The first time it is kept; the second it must be the same. The end of a long path is what tells it from others. */
static int keep_name(struct lot_input *in, const char *name, struct lot_row *row, struct p11ca_err *err)
{
    struct lot_names *names = &in->tar->names;
    size_t len = strlen(name);

    name += len > NAME_MAX_OCTETS ? len - NAME_MAX_OCTETS : 0;
    buf_adds(&row->text, name);
    if (!buf_ok(&row->text))
        return err_nomem(err);
    if (row->index == names->n)
        return lot_names_add(names, name, err);
    if (strcmp(lot_names_at(names, row->index), name) != 0)
        return err_set(err, P11CA_REFUSED, "FILE_CHANGED", "%s: %s: is not what was checked", in->base, name);
    return 0;
}

static enum lot_fault judge(const struct lot_tar *t, struct archive_entry *e, size_t index)
{
    const char *name = name_of(e);

    if (archive_entry_filetype(e) != AE_IFREG || archive_entry_hardlink(e))
        return LOT_FAULT_TYPE;
    if (!path_is_below(name))
        return LOT_FAULT_PATH;
    if (strlen(lot_name_base(name)) > NAME_MAX_OCTETS)
        return LOT_FAULT_NAME;
    return lot_names_is_taken(&t->names, index) ? LOT_FAULT_TAKEN : LOT_FAULT_NONE;
}

static int read_member(struct lot_tar *t, struct lot_row *row, struct p11ca_err *err)
{
    la_ssize_t n = archive_read_data(t->archive, t->member, sizeof(t->member));

    if (n < 0)
        return broken(t, err);
    if (n > LIMIT_CSR)
        row->fault = LOT_FAULT_SIZE;
    else
        buf_add(&row->material, t->member, (size_t)n);
    return buf_ok(&row->material) ? 1 : err_nomem(err);
}

static int next(struct lot_input *in, struct lot_row *row, struct p11ca_err *err)
{
    struct archive_entry *e;
    int rc = next_request(in->tar, &e, err);

    if (rc != 1)
        return rc;
    if (keep_name(in, name_of(e), row, err) != 0)
        return -1;
    row->fault = judge(in->tar, e, row->index);
    return row->fault ? 1 : read_member(in->tar, row, err);
}

/* It was read with its name: members come one after the other. */
static int load(const struct lot_input *in, struct lot_row *row, struct p11ca_err *err)
{
    (void)in;
    if (row->fault)
        return err_set(err, faults[row->fault].kind, faults[row->fault].code, "%s", faults[row->fault].text);
    return 0;
}

static const char *name_at(const struct lot_input *in, size_t index)
{
    return lot_names_at(&in->tar->names, index);
}

const struct lot_input_kind lot_tar_kind = {
    ".tar", '#', 0, 0, "no *.csr, *.pem or *.der in it", begin, next, load, name_at};
