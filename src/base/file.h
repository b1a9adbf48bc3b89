/*
 * The one place that opens files. Inputs are read with a maximum and without following a link to
 * somewhere else; outputs appear whole or not at all: temporary name in the same directory, fsync,
 * rename, fsync of the directory.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Appends the file to ret. Refused: symbolic links, FIFOs, devices, directories (code INPUT_NOT_FILE),
 * more than max bytes (INPUT_TOO_LARGE).
 */
P11CA_CHECK int file_read(const char *path, size_t max, struct buf *ret, struct p11ca_err *err);

/* As file_read for what only its owner may read (PINs): refused when group or others have any access. */
P11CA_CHECK int file_read_private(const char *path, size_t max, struct buf *ret, struct p11ca_err *err);

/* Opens what file_read() would read, for reading piece by piece; the caller closes it. */
P11CA_CHECK int file_open_input(const char *path, size_t max, int *ret_fd, struct p11ca_err *err);

/* Reads up to len octets from there; *ret 0: the end. */
P11CA_CHECK int file_read_some(
    int fd, const char *path, void *p, size_t len, size_t *ret, struct p11ca_err *err);

/* Back to the first octet. */
P11CA_CHECK int file_rewind(int fd, const char *path, struct p11ca_err *err);

/*
 * As file_read() for a name that somebody else chose, inside dir: refused with INPUT_PATH unless path_is_below(), and
 * no part of the name may be a symbolic link (INPUT_NOT_FILE). Nothing there is INPUT_MISSING. Errors name the name
 * alone.
 */
P11CA_CHECK int file_read_below(
    const char *dir, const char *name, size_t max, struct buf *ret, struct p11ca_err *err);

/* Appends what the descriptor gives, to the end of the data; what names it in errors. INPUT_TOO_LARGE as above. */
P11CA_CHECK int file_read_stream(
    int fd, const char *what, size_t max, struct buf *ret, struct p11ca_err *err);

/* Appends what the descriptor gives, to the end of the first line or of the data. */
P11CA_CHECK int file_read_fd(int fd, size_t max, struct buf *ret, struct p11ca_err *err);

enum file_mode {
    FILE_NEW,     /* refused when the name exists (code OUTPUT_EXISTS); two racing writers cannot both win */
    FILE_REPLACE, /* atomically in place of what is there */
};

/* perm is the final mode, whatever the umask says. */
P11CA_CHECK int file_write(
    const char *path, enum file_mode mode, mode_t perm, const void *p, size_t len, struct p11ca_err *err);

/* Refuses early what file_write(FILE_NEW) would refuse late: the name exists, the directory does not. */
P11CA_CHECK int file_check_new(const char *path, struct p11ca_err *err);

/* The same for files in a directory that may still have to be made: it is something else, it cannot be written to. */
P11CA_CHECK int file_check_dir(const char *path, struct p11ca_err *err);

bool file_exists(const char *path);

/* Whether it is a directory, or a link to one. */
bool file_is_dir(const char *path);

/* The names in it are on disk, and everything else below it on its file system. */
P11CA_CHECK int file_sync_dir(const char *path, struct p11ca_err *err);

/* Octets that may still be written where path is, or would be; UINT64_MAX when nobody can say. */
uint64_t file_room(const char *path);

/* Creates one directory with this mode; an existing directory is fine. */
P11CA_CHECK int file_mkdir(const char *path, mode_t perm, struct p11ca_err *err);

/* A new private directory from a template that ends in XXXXXX; the template becomes its name. */
P11CA_CHECK int file_mkdtemp(char *template, struct p11ca_err *err);

/* Removes a directory made by file_mkdtemp, and what is in it. Errors are ignored. */
void file_remove_tree(const char *path);

/*
 * Names of the regular files in a directory that end in one of the suffixes (NULL-terminated), sorted bytewise. Caller
 * frees each and the array, which ends with NULL.
 */
P11CA_CHECK int file_list(
    const char *dir, const char *const *suffixes, char ***ret, size_t *ret_n, struct p11ca_err *err);
void file_list_free(char **names);

/* The same for the directories in it; none when dir is not there. */
P11CA_CHECK int file_list_dirs(const char *dir, char ***ret, size_t *ret_n, struct p11ca_err *err);

/* The same for every entry of whatever type and name, but "." and "..". */
P11CA_CHECK int file_list_all(const char *dir, char ***ret, size_t *ret_n, struct p11ca_err *err);

/*
 * A file that only grows, locked against other processes while the descriptor is open (code FILE_BUSY). create: it must
 * not exist yet; its name is on disk when this returns.
 */
P11CA_CHECK int file_log_open(const char *path, bool create, mode_t perm, int *ret_fd, struct p11ca_err *err);

/* An empty file, made when absent, for no more than the lock on it; waits for whoever has it. */
P11CA_CHECK int file_lock(const char *path, int *ret_fd, struct p11ca_err *err);

/* The lock on the directory of a name, for whoever changes what the name stands for; does not wait (code FILE_BUSY). */
P11CA_CHECK int file_lock_parent(const char *path, int *ret_fd, struct p11ca_err *err);

/* Appends the bytes; on disk when it returns. */
P11CA_CHECK int file_log_add(int fd, const char *path, const void *p, size_t len, struct p11ca_err *err);

/* Cuts off what stands behind len octets: the end of a line that a killed process did not finish. */
P11CA_CHECK int file_log_cut(int fd, const char *path, size_t len, struct p11ca_err *err);

/*
 * An output that grows, and appears whole or not at all: begin, add..., end. file_out_done() gives up what was not
 * ended, and is harmless otherwise. Refusals as by file_write(FILE_NEW).
 */
struct file_out {
    char *path, *temp; /* temp NULL: it has no name yet, or its own */
    int fd;
    bool broken; /* a write failed: what is there is not what was added */
    bool again;  /* a file with the very same octets may be there when it ends: then that one is left */
    struct buf pending;
};
#define AUTO_FILE_OUT __attribute__((cleanup(file_out_done))) struct file_out
P11CA_CHECK int file_out_begin(struct file_out *ret, const char *path, mode_t perm, struct p11ca_err *err);
/* The same for what may have been written before: a file with exactly these octets is left as it is, by the end. */
P11CA_CHECK int file_out_begin_again(
    struct file_out *ret, const char *path, mode_t perm, struct p11ca_err *err);
P11CA_CHECK int file_out_add(struct file_out *out, const void *p, size_t len, struct p11ca_err *err);
P11CA_CHECK int file_out_end(struct file_out *out, struct p11ca_err *err);
void file_out_done(struct file_out *out);

/* A descriptor on the controlling terminal, for a dialogue; -1 when there is none. */
int file_open_tty(void);

#endif
