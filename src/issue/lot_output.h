/*
 * Where the certificates of a lot go: files in a directory, in PEM or DER; or one file, a bundle of PEM blocks or a tar
 * archive, that appears whole at the end or not at all.
 *
 * Order of calls: open, then for each row path and check, in groups add..., flush, at last end; and done. Nothing is made
 * before the first certificate is added: a dry run opens, checks, and is done. One thread adds; path and check may run in
 * many.
 */
#ifndef ISSUE_LOT_OUTPUT_H
#define ISSUE_LOT_OUTPUT_H

#include <p11ca/lot.h>

#include "base/file.h"
#include "base/file_batch.h"
#include "x509/der.h"

/* More files than that in one directory are no pleasure to list, copy, or remove: they go into 256 folders of it. */
#define LOT_FLAT 10000

struct archive;
struct lot_format;

struct lot_output {
    const struct lot_format *format;
    const char *path;        /* directory or file */
    const struct buf *chain; /* PEM */
    bool sharded;
    bool begun;       /* there is a directory, or a file that grows */
    bool shards[256]; /* that have been made */
    struct file_batch batch;
    bool fresh[FILE_BATCH]; /* of those added: not there before */
    size_t n;               /* added since the last flush */
    struct file_out out;
    struct archive *tar;
    struct p11ca_err err; /* what the archive could not be told */
};

/*
 * rows 0: not known, and few. chain: PEM of the issuer and its issuers, borrowed until done; empty: none. Refused: what
 * could not be written in the end; code OUTPUT_EXISTS for another chain.pem. A bundle or an archive that is there is refused by the end
 * unless it is exactly the same.
 */
P11CA_CHECK int lot_output_open(struct lot_output *ret, const struct p11ca_lot *order, size_t rows,
    const struct buf *chain, struct p11ca_err *err);

/*
 * Where the certificate called name goes: DIR/NAME.crt, DIR/NAME.der, of many rows DIR/ab/NAME.crt with the first octet
 * of SHA-256(NAME) in hex; or the one file. The caller frees it; NULL: no memory.
 */
char *lot_output_path(const struct lot_output *out, const char *name);

/* Whether each certificate has a file of its own. */
bool lot_output_is_files(const struct lot_output *out);

/* Refuses (OUTPUT_EXISTS) a file that is there and is not exactly this certificate (DER; p NULL: there is none yet). */
P11CA_CHECK int lot_output_check(
    const struct lot_output *out, const char *path, struct der cert, struct p11ca_err *err);

/*
 * One more, in the order of the input, at most FILE_BATCH before a flush. path and name as above. again: something was at
 * path; a file that holds this certificate already is left as it is.
 */
P11CA_CHECK int lot_output_add(struct lot_output *out, const char *path, const char *name, struct der cert,
    bool again, struct p11ca_err *err);

/*
 * Files: those added are there, whole; results, as many as were added, say which are not (OUTPUT_EXISTS, DISK), the others
 * have kind P11CA_OK. -1: none of them is. One file: nothing of it is there before the end.
 */
P11CA_CHECK int lot_output_flush(struct lot_output *out, struct p11ca_err *results, struct p11ca_err *err);

/* All of it is durable, names and all, with the chain beside; nothing when nothing was added. */
P11CA_CHECK int lot_output_end(struct lot_output *out, struct p11ca_err *err);

/* Gives up what was not flushed, or ended. Safe on what was zeroed. */
void lot_output_done(struct lot_output *out);

#endif
