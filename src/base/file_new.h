/*
 * How a new file comes to be: what file.c and file_batch.c share. Where it says dir, names are relative to that open
 * directory or AT_FDCWD. Plain 0 or -1 with errno: the callers know what their users call the file.
 */
#ifndef BASE_FILE_NEW_H
#define BASE_FILE_NEW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Writes all of it. */
int file_new_write(int fd, const void *p, size_t len);

/*
 * A file in the directory called name, without any name until it is given one: killed before, nothing stays. The
 * descriptor; -1: this file system or mount cannot do that.
 */
int file_new_nameless(int dir, const char *name);

/* Whether what is nameless can be given a name later: of an older kernel that needs /proc. */
bool file_new_can_name(void);

/* EEXIST: there is one already. */
int file_new_name(int fd, int dir, const char *name);

/* Renames a file that had a name of its own until it was whole; EEXIST as above. */
int file_new_rename(const char *temp, const char *path);

/* Says why a file did not get its name: OUTPUT_EXISTS, DISK, IO. */
int file_new_failed(const char *path, struct p11ca_err *err);

#endif
