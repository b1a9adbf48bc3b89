/*
 * Where the rows of a lot come from: a directory of requests, a tar archive or a bundle in PEM of them, a manifest in CSV
 * or NDJSON. They are read twice, once to check everything and once to issue; no more than a group of rows is in memory at a time.
 *
 * Order of calls: open, then as often as wanted rewind and next... to the end, then done. lot_input_load() may run in many
 * threads, each with a row of its own.
 */
#ifndef ISSUE_LOT_INPUT_H
#define ISSUE_LOT_INPUT_H

#include "issue/lot_lines.h"
#include "issue/manifest.h"

struct lot_input_kind;
struct lot_tar;

struct lot_input {
    const struct lot_input_kind *kind;
    const char *path, *base; /* base: its last part */
    char *dir;               /* of the path: what a manifest's paths are joined to */
    char **names;            /* of a directory */
    size_t n_names;
    struct lot_tar *tar;
    struct lines lines; /* of the others */
    struct buf header;  /* of CSV, as it was read */
    struct buf cells;   /* its storage, split */
    const char *columns[LIMIT_COLUMNS];
    size_t n_columns;
    size_t next; /* index of the next row */
};

/* What is wrong with a member of an archive. */
enum lot_fault {
    LOT_FAULT_NONE,
    LOT_FAULT_TYPE,
    LOT_FAULT_PATH,
    LOT_FAULT_NAME,
    LOT_FAULT_TAKEN,
    LOT_FAULT_SIZE
};

struct lot_row {
    size_t index;    /* from 0 */
    struct buf text; /* what next has read: file name, member's name, PEM block, line */
    bool too_large;  /* there was more */
    enum lot_fault fault;
    /* Of load, but of an archive's row, which comes with it: */
    struct buf material; /* PEM or DER */
    /* Of load: */
    bool is_key; /* of a public key, not a request */
    struct manifest_row m;
    json_t *json;
    char digits[24];
};
void lot_row_done(struct lot_row *row);

/* The path that a manifest's row names, NULL: none. */
static inline const char *lot_row_file(const struct lot_row *row)
{
    return row->m.material == MATERIAL_CSR_FILE || row->m.material == MATERIAL_SPKI_FILE ? row->m.source
                                                                                         : NULL;
}

#define LOT_NAME 512

/* By what is there and its ending. INPUT_EMPTY (P11CA_USAGE): a directory without requests. */
P11CA_CHECK int lot_input_open(struct lot_input *ret, const char *path, struct p11ca_err *err);
void lot_input_done(struct lot_input *in);

/* To before the first row. FILE_CHANGED: the header is another than before. */
P11CA_CHECK int lot_input_rewind(struct lot_input *in, struct p11ca_err *err);

/*
 * The next row, unread but for its text: 1, 0 the end, -1. A fault here is one of the input as such: MANIFEST_SYNTAX,
 * PRIVATE_KEY_SEEN, with file and line.
 */
P11CA_CHECK int lot_input_next(struct lot_input *in, struct lot_row *ret, struct p11ca_err *err);

/* Fills the rest of a row. The codes decide whether it is the fault of the row or of the lot. */
P11CA_CHECK int lot_input_load(const struct lot_input *in, struct lot_row *row, struct p11ca_err *err);

/*
 * The same for a line of NDJSON that stands alone: row->text is all there is, paths are refused, and "ref" is no field.
 * Every fault is the row's. PRIVATE_KEY_SEEN, MANIFEST_SYNTAX and the codes of a manifest's row.
 */
P11CA_CHECK int lot_row_load_line(struct lot_row *row, struct p11ca_err *err);

/* What its sender calls such a line; NULL: nothing, or nothing that can be said. */
const char *lot_row_ref(const struct lot_row *row);

/* Whether the rows have names, that their certificates get: those of a directory and of an archive. */
bool lot_input_has_names(const struct lot_input *in);

/* What people call a row: "lot-1.csr", "lot.tar#lot-1.csr", "bundle.pem#3", "lot.csv:4". */
void lot_input_name(const struct lot_input *in, size_t index, char dst[LOT_NAME]);

/* What the row's certificate is called when it has no device ID: "lot-1" of lot-1.csr, "row-3". */
void lot_input_stem(const struct lot_input *in, size_t index, char dst[LOT_NAME]);

#endif
