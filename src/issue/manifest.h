/*
 * Manifests: a table of devices, one line a row, as CSV (RFC 4180) or as NDJSON, an object a line. What can be wrong with
 * the file as such is MANIFEST_SYNTAX, and nothing of it is issued; what is wrong with a row alone has the codes of san.h.
 *
 *   csr, spki            a request or a SubjectPublicKeyInfo: DER in base64, or PEM (JSON: a CSV cell holds no line break)
 *   csr-file, spki-file  the same in a file, PEM or DER, by a path from the manifest's own directory down
 *   id                   device ID
 *   dns ip uri email     alternative names; in CSV one a cell, and the column may come again; in JSON one or an array
 *   san                  one of any kind, KIND:TEXT
 *   subject              RFC 4514
 *   days                 a whole number
 *   profile              instead of the lot's
 *
 * A row has exactly one of the first four. Every other name is a field for the profile's templates. Empty cells and JSON's
 * null are absent.
 */
#ifndef ISSUE_MANIFEST_H
#define ISSUE_MANIFEST_H

#include <p11ca/issue.h>

#include <jansson.h>

#include "base/limits.h"
#include "x509/san.h"

enum cell_type {
    CELL_TEXT,   /* CSV: whatever its column wants */
    CELL_STRING, /* JSON */
    CELL_NUMBER  /* JSON, a whole number in decimal digits */
};

struct cell {
    const char *name, *value; /* borrowed */
    enum cell_type type;
};

struct cells {
    struct cell v[LIMIT_COLUMNS];
    size_t n;
};

enum material { MATERIAL_NONE, MATERIAL_CSR, MATERIAL_CSR_FILE, MATERIAL_SPKI, MATERIAL_SPKI_FILE };

/* One row; strings point to where the cells' do. */
struct manifest_row {
    enum material material;
    const char *source; /* the material, or its path */
    const char *id, *subject, *profile;
    unsigned days; /* 0: not said */
    struct san_list sans;
    struct p11ca_field fields[LIMIT_COLUMNS];
    size_t n_fields;
};
void manifest_row_done(struct manifest_row *row);

/*
 * What the cells mean, but for the names: what is wrong here is wrong with the manifest. A row without material is
 * MANIFEST_MISMATCH.
 */
P11CA_CHECK int manifest_row(const struct cells *cells, struct manifest_row *ret, struct p11ca_err *err);

/* Appends the alternative names: what is wrong here is wrong with the row. */
P11CA_CHECK int manifest_names(const struct cells *cells, struct san_list *ret, struct p11ca_err *err);

/* Names of columns or keys: [a-z][a-z0-9_-]{0,31}, none twice but those of alternative names. */
P11CA_CHECK int manifest_check_names(const char *const *names, size_t n, struct p11ca_err *err);

/* UTF-8 without NUL. */
P11CA_CHECK int manifest_check_text(const void *line, size_t len, struct p11ca_err *err);

/* The cells of a line of CSV, in place: line is NUL-terminated, and changed. At most max; *ret_n is how many. */
P11CA_CHECK int manifest_csv_split(
    char *line, const char **ret, size_t max, size_t *ret_n, struct p11ca_err *err);

/* The first line of a CSV manifest, split: names, one of material among them. */
P11CA_CHECK int manifest_csv_header(const char *const *names, size_t n, struct p11ca_err *err);

/* A line of NDJSON. The cells borrow from *ret_json (json_decref(), also when this fails), numbers from *ret_digits. */
P11CA_CHECK int manifest_json(const char *line, size_t len, json_t **ret_json, char ret_digits[24],
    struct cells *ret, struct p11ca_err *err);

#endif
