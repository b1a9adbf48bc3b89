/*
 * Several new files, made durable together: one flush of the file system for all of them, where file_write() needs two for
 * each. None has its name before all are on disk; a kill leaves nothing half-written.
 *
 * Order of calls: add..., end, and so on; last done. What was not ended is given up. The names are durable when
 * file_sync_dir() says so: once, at the end of a lot.
 */
#ifndef BASE_FILE_BATCH_H
#define BASE_FILE_BATCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* Each takes a descriptor, and so does each directory they are in: together less than the usual limit of 1024. */
#define FILE_BATCH 256

struct file_batch_dir {
    char *path;
    int fd;
    dev_t dev;
    size_t files; /* of the batch at hand, in it */
};

struct file_batch_file {
    char *path, *temp; /* temp NULL: it has no name yet */
    int fd;
    size_t dir;
};

/* Zeroed to begin with. */
struct file_batch {
    struct file_batch_dir dirs[FILE_BATCH]; /* kept open from batch to batch */
    size_t n_dirs, last;
    struct file_batch_file files[FILE_BATCH];
    size_t n;
    bool
        named; /* each with a name of its own until it is whole, as on file systems without O_TMPFILE; also for tests */
};
#define AUTO_FILE_BATCH __attribute__((cleanup(file_batch_done))) struct file_batch

/*
 * Writes the file, that has no name yet. perm is its mode, whatever the umask says; the directory must be there. Refused:
 * more than FILE_BATCH; DISK. What was added before stays.
 */
P11CA_CHECK int file_batch_add(
    struct file_batch *b, const char *path, mode_t perm, const void *p, size_t len, struct p11ca_err *err);

/*
 * All on disk, then each under its name; the batch is empty afterwards. results has as many as were added, in that order:
 * kind P11CA_OK, or why this one alone is not there: OUTPUT_EXISTS, DISK. -1: none of them is there.
 */
P11CA_CHECK int file_batch_end(struct file_batch *b, struct p11ca_err *results, struct p11ca_err *err);

/* Gives up what was not ended, and closes the directories. */
void file_batch_done(struct file_batch *b);

#endif
