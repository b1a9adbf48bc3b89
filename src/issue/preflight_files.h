/*
 * Files without a row: a request that lies among those of a lot and that its manifest forgot. Asked of the directories
 * that rows name below the manifest's own, and of endings that rows name there: what else lies in the manifest's own
 * directory is nobody's business.
 */
#ifndef ISSUE_PREFLIGHT_FILES_H
#define ISSUE_PREFLIGHT_FILES_H

#include "base/buf.h"
#include "base/err.h"

struct lot_files {
    struct buf names; /* a digest of each file that was named */
    char **dirs;      /* sorted */
    size_t n_dirs, cap;
    unsigned endings; /* bits of those that were named */
};

/* -1: out of memory. */
P11CA_CHECK int files_add(struct lot_files *f, const char *path, bool was_read);

/* Changes the order of the digests. MANIFEST_MISMATCH: a file without a row. */
P11CA_CHECK int files_check(struct lot_files *f, const char *base, struct p11ca_err *err);
void files_done(struct lot_files *f);

#endif
