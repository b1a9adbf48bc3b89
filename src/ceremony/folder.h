/* The folder of a ceremony: where it is, and which of a home's is unfinished. */
#ifndef CEREMONY_FOLDER_H
#define CEREMONY_FOLDER_H

#include "ceremony/script.h"

#define FOLDER_SCRIPT "script.conf"
#define FOLDER_PLAN   "plan.txt"
#define FOLDER_REPORT "transcript.html"
#define FOLDER_SUMS   "SHA256SUMS" /* written last: a folder that has it is finished */

/* Makes base/DATE-STEM (-2, -3 ...) with an artefacts folder in it, or dir when it is given. *ret is the caller's. */
P11CA_CHECK int folder_make(const char *base, const char *dir, const struct script *script, int64_t now,
    char **ret, struct p11ca_err *err);

/* The unfinished ceremony under base, *ret NULL when there is none. */
P11CA_CHECK int folder_unfinished(const char *base, char **ret, struct p11ca_err *err);

/* Whether it was begun and not ended. */
bool folder_is_unfinished(const char *dir);

/* Reads a file of the folder, writes one; a file that is there is replaced. */
P11CA_CHECK int folder_read(const char *dir, const char *name, struct buf *ret, struct p11ca_err *err);
P11CA_CHECK int folder_write(
    const char *dir, const char *name, const void *p, size_t len, struct p11ca_err *err);

#endif
