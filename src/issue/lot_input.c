#include "issue/lot_input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "base/scope.h"
#include "issue/lot_names.h"
#include "issue/lot_tar.h"
#include "issue/manifest_err.h"

/* --- a directory --- */

const char *const lot_suffixes[] = {".csr", ".der", ".pem", NULL};

static int by_name(const void *key, const void *name)
{
    return strcmp(key, *(char *const *)name);
}

/* x.csr, x.pem and x.der would all become x.crt: the first of them does. */
static bool is_taken(const struct lot_input *in, const char *name)
{
    const char *const *suffix;
    char other[300];

    for (suffix = lot_suffixes; *suffix && strcmp(strrchr(name, '.'), *suffix) != 0; suffix++) {
        snprintf(other, sizeof(other), "%.*s%s", (int)lot_name_stem(name), name, *suffix);
        if (bsearch(other, in->names, in->n_names, sizeof(*in->names), by_name))
            return true;
    }
    return false;
}

static int dir_begin(struct lot_input *in, struct p11ca_err *err)
{
    return in->names ? 0 : file_list(in->path, lot_suffixes, &in->names, &in->n_names, err);
}

static int dir_next(struct lot_input *in, struct lot_row *row, struct p11ca_err *err)
{
    if (in->next == in->n_names)
        return 0;
    buf_adds(&row->text, in->names[in->next]);
    return buf_ok(&row->text) ? 1 : err_nomem(err);
}

static int dir_load(const struct lot_input *in, struct lot_row *row, struct p11ca_err *err)
{
    const char *name = in->names[row->index];
    AUTO_STR path = path_join(in->path, name);

    if (!path)
        return err_nomem(err);
    if (strlen(name) > 240) /* with the temporary suffix, NAME_MAX of 255 */
        return err_set(err, P11CA_REFUSED, "INPUT_NAME", "%s: want a file name of at most 240 octets", name);
    if (is_taken(in, name))
        return err_set(err, P11CA_REFUSED, "INPUT_NAME",
            "%s: another request of the lot has the same name but for its ending", name);
    return file_read(path, LIMIT_CSR, &row->material, err);
}

/* --- a bundle --- */

static bool starts_with(const struct buf *b, size_t at, const char *mark)
{
    return b->len - at >= strlen(mark) && memcmp(b->p + at, mark, strlen(mark)) == 0;
}

/* To the line that begins a block; text between blocks is for people (RFC 7468 2). 0: there is none. */
static int find_block(struct lot_input *in, struct buf *text, struct p11ca_err *err)
{
    int rc;

    do {
        buf_reset(text);
        rc = lines_next(&in->lines, text, err);
    } while (rc == 1 && !starts_with(text, 0, "-----BEGIN "));
    return rc;
}

/* One block, whatever its type: that is the row's affair. */
static int bundle_next(struct lot_input *in, struct lot_row *row, struct p11ca_err *err)
{
    struct buf *text = &row->text;
    int rc = find_block(in, text, err);
    size_t at;

    if (rc != 1)
        return rc;
    for (;;) {
        buf_addc(text, '\n');
        at = text->len;
        rc = lines_next(&in->lines, text, err);
        if (rc < 0)
            return -1;
        if (rc == 0 || starts_with(text, at, "-----BEGIN "))
            return manifest_err(err, "RFC 7468 3: want the END line of the block before, have none");
        if (starts_with(text, at, "-----END "))
            return buf_ok(text) ? 1 : err_nomem(err);
        if (text->len > LIMIT_CSR) {
            row->too_large = true;
            text->len = at - 1;
        }
    }
}

static int bundle_load(const struct lot_input *in, struct lot_row *row, struct p11ca_err *err)
{
    (void)in;
    if (row->too_large)
        return err_set(
            err, P11CA_REFUSED, "INPUT_TOO_LARGE", "want at most %d octets in a block, have more", LIMIT_CSR);
    buf_add(&row->material, row->text.p, row->text.len);
    return buf_ok(&row->material) ? 0 : err_nomem(err);
}

/* --- manifests --- */

static int line_next(struct lot_input *in, struct lot_row *row, struct p11ca_err *err)
{
    int rc = lines_next(&in->lines, &row->text, err);

    if (rc == 1 && manifest_check_text(row->text.p, row->text.len, err) != 0)
        return -1;
    return rc == 1 && !buf_str(&row->text) ? err_nomem(err) : rc;
}

/* Base64 becomes the PEM that it is without its frame, so that there is one reader for both. */
static int load_inline(struct lot_row *row, struct p11ca_err *err)
{
    const char *label = row->is_key ? "PUBLIC KEY" : "CERTIFICATE REQUEST", *text = row->m.source;

    if (strstr(text, "-----BEGIN "))
        buf_adds(&row->material, text);
    else
        buf_addf(&row->material, "-----BEGIN %s-----\n%s\n-----END %s-----\n", label, text, label);
    return buf_ok(&row->material) ? 0 : err_nomem(err);
}

static int load_file(const struct lot_input *in, struct lot_row *row, struct p11ca_err *err)
{
    static const struct {
        const char *from, *to;
    } codes[] = {{"INPUT_MISSING", "MANIFEST_MISMATCH"}, {"INPUT_PATH", "MANIFEST_SYNTAX"}};
    size_t i;

    if (file_read_below(in->dir, row->m.source, row->is_key ? LIMIT_KEY : LIMIT_CSR, &row->material, err) ==
        0)
        return 0;
    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (strcmp(err->code, codes[i].from) == 0)
            snprintf(err->code, sizeof(err->code), "%s", codes[i].to);
    }
    return -1;
}

static int load_cells(
    const struct lot_input *in, struct lot_row *row, const struct cells *cells, struct p11ca_err *err)
{
    if (manifest_row(cells, &row->m, err) != 0)
        return -1;
    row->is_key = row->m.material >= MATERIAL_SPKI;
    if (manifest_names(cells, &row->m.sans, err) != 0)
        return -1;
    if (row->m.material == MATERIAL_CSR || row->m.material == MATERIAL_SPKI)
        return load_inline(row, err);
    return in ? load_file(in, row, err)
              : manifest_err(
                    err, "want a request or a public key in the line itself (csr, spki), have a path");
}

static int csv_load(const struct lot_input *in, struct lot_row *row, struct p11ca_err *err)
{
    const char *values[LIMIT_COLUMNS];
    struct cells cells;

    if (manifest_csv_split((char *)row->text.p, values, LIMIT_COLUMNS, &cells.n, err) != 0)
        return -1;
    if (cells.n != in->n_columns)
        return manifest_err(
            err, "RFC 4180 2.4: want %zu cells, as the header has, have %zu", in->n_columns, cells.n);
    for (size_t i = 0; i < cells.n; i++)
        cells.v[i] = (struct cell){in->columns[i], values[i], CELL_TEXT};
    return load_cells(in, row, &cells, err);
}

static int json_load(const struct lot_input *in, struct lot_row *row, struct p11ca_err *err)
{
    struct cells cells;

    if (manifest_json((const char *)row->text.p, row->text.len, &row->json, row->digits, &cells, err) != 0)
        return -1;
    return load_cells(in, row, &cells, err);
}

/* "ref" is not the row's, but of whoever sent it. */
static int take_ref(struct cells *cells, struct p11ca_err *err)
{
    size_t i = 0;

    while (i < cells->n && strcmp(cells->v[i].name, "ref") != 0)
        i++;
    if (i == cells->n)
        return 0;
    if (strlen(cells->v[i].value) > LIMIT_REF)
        return manifest_err(
            err, "ref: want at most %d octets, have %zu", LIMIT_REF, strlen(cells->v[i].value));
    cells->v[i] = cells->v[--cells->n];
    return 0;
}

int lot_row_load_line(struct lot_row *row, struct p11ca_err *err)
{
    struct cells cells;

    /* Said before anything else, whatever it stands in. */
    if (lines_check(row->text.p, row->text.len, err) != 0)
        return -1;
    if (row->too_large)
        return lines_too_long(LIMIT_ROW, err);
    if (manifest_check_text(row->text.p, row->text.len, err) != 0 ||
        manifest_json((const char *)row->text.p, row->text.len, &row->json, row->digits, &cells, err) != 0 ||
        take_ref(&cells, err) != 0)
        return -1;
    return load_cells(NULL, row, &cells, err);
}

const char *lot_row_ref(const struct lot_row *row)
{
    const char *ref = json_string_value(json_object_get(row->json, "ref"));

    return ref && strlen(ref) <= LIMIT_REF ? ref : NULL;
}

static int read_header(struct lot_input *in, struct buf *line, struct p11ca_err *err)
{
    int rc = lines_next(&in->lines, line, err);

    if (rc < 0 || (rc == 1 && manifest_check_text(line->p, line->len, err) != 0))
        return -1;
    if (rc == 0)
        return manifest_err(err, "want a header, have an empty file");
    return buf_str(line) ? 0 : err_nomem(err);
}

static int split_header(struct lot_input *in, struct p11ca_err *err)
{
    buf_add(&in->cells, in->header.p, in->header.len);
    if (!buf_str(&in->cells))
        return err_nomem(err);
    if (manifest_csv_split((char *)in->cells.p, in->columns, LIMIT_COLUMNS, &in->n_columns, err) != 0)
        return -1;
    return manifest_csv_header(in->columns, in->n_columns, err);
}

static int csv_begin(struct lot_input *in, struct p11ca_err *err)
{
    AUTO_BUF again = BUF_INIT;

    if (!in->n_columns) {
        if (read_header(in, &in->header, err) == 0 && split_header(in, err) == 0)
            return 0;
        return err_prefix(err, "%s:1", in->base);
    }
    if (read_header(in, &again, err) != 0)
        return -1;
    if (again.len != in->header.len || memcmp(again.p, in->header.p, again.len) != 0)
        return err_set(err, P11CA_REFUSED, "FILE_CHANGED", "%s:1: is not what was checked", in->base);
    return 0;
}

static const char *dir_name(const struct lot_input *in, size_t index)
{
    return in->names[index];
}

static const struct lot_input_kind directory = {
    NULL, 0, 0, 0, "no *.csr, *.pem or *.der in it", dir_begin, dir_next, dir_load, dir_name};
static const struct lot_input_kind bundle = {
    NULL, '#', 1, LIMIT_CSR, "no PEM block in it", NULL, bundle_next, bundle_load, NULL};
static const struct lot_input_kind csv = {
    ".csv", ':', 2, LIMIT_ROW, "no row in it", csv_begin, line_next, csv_load, NULL};
static const struct lot_input_kind ndjson = {
    ".ndjson", ':', 1, LIMIT_ROW, "no row in it", NULL, line_next, json_load, NULL};
static const struct lot_input_kind jsonl = {
    ".jsonl", ':', 1, LIMIT_ROW, "no row in it", NULL, line_next, json_load, NULL};

static const struct lot_input_kind *const by_ending[] = {&csv, &ndjson, &jsonl, &lot_tar_kind};

/* --- what is common to them --- */

static const struct lot_input_kind *find_kind(const char *path)
{
    size_t len = strlen(path), i, n;

    if (file_is_dir(path))
        return &directory;
    for (i = 0; i < sizeof(by_ending) / sizeof(by_ending[0]); i++) {
        n = strlen(by_ending[i]->ending);
        if (len > n && strcmp(path + len - n, by_ending[i]->ending) == 0)
            return by_ending[i];
    }
    return &bundle;
}

static int open_lines(struct lot_input *in, struct p11ca_err *err)
{
    in->dir = in->base == in->path ? strdup(".") : strndup(in->path, (size_t)(in->base - in->path));
    return in->dir ? lines_open(&in->lines, in->path, in->kind->max, err) : err_nomem(err);
}

int lot_input_open(struct lot_input *ret, const char *path, struct p11ca_err *err)
{
    struct lot_input in = {.path = path, .base = path, .kind = find_kind(path)};

    if (in.kind != &directory)
        in.base = lot_name_base(path);
    if ((!in.kind->max || open_lines(&in, err) == 0) && (!in.kind->begin || in.kind->begin(&in, err) == 0)) {
        *ret = in;
        return 0;
    }
    lot_input_done(&in);
    return -1;
}

void lot_input_done(struct lot_input *in)
{
    file_list_free(in->names);
    lot_tar_done(in->tar);
    lines_done(&in->lines);
    buf_done(&in->header);
    buf_done(&in->cells);
    free(in->dir);
    memset(in, 0, sizeof(*in));
}

int lot_input_rewind(struct lot_input *in, struct p11ca_err *err)
{
    in->next = 0;
    if (in->kind->max && lines_rewind(&in->lines, err) != 0)
        return -1;
    return in->kind->begin ? in->kind->begin(in, err) : 0;
}

int lot_input_next(struct lot_input *in, struct lot_row *ret, struct p11ca_err *err)
{
    int rc;

    memset(ret, 0, sizeof(*ret));
    ret->index = in->next;
    rc = in->kind->next(in, ret, err);
    if (rc == 0 && in->next == 0)
        rc = err_set(err, P11CA_USAGE, "INPUT_EMPTY", "%s: %s", in->path, in->kind->empty);
    else if (rc == 1 && in->next == LIMIT_ROWS)
        rc = err_set(err, P11CA_REFUSED, "INPUT_TOO_LARGE", "%s: want at most %d rows, have more", in->path,
            LIMIT_ROWS);
    else if (rc < 0 && in->kind->max)
        rc = err_prefix(err, "%s:%zu", in->base, in->lines.number);
    in->next += rc == 1;
    if (rc != 1)
        lot_row_done(ret);
    return rc;
}

int lot_input_load(const struct lot_input *in, struct lot_row *row, struct p11ca_err *err)
{
    return in->kind->load(in, row, err);
}

bool lot_input_has_names(const struct lot_input *in)
{
    return in->kind->name != NULL;
}

void lot_input_name(const struct lot_input *in, size_t index, char dst[LOT_NAME])
{
    const struct lot_input_kind *kind = in->kind;

    if (!kind->name)
        snprintf(dst, LOT_NAME, "%.255s%c%zu", in->base, kind->mark, index + kind->first);
    else if (!kind->mark)
        snprintf(dst, LOT_NAME, "%s", kind->name(in, index));
    else
        snprintf(dst, LOT_NAME, "%.255s%c%s", in->base, kind->mark, kind->name(in, index));
}

void lot_input_stem(const struct lot_input *in, size_t index, char dst[LOT_NAME])
{
    const char *base;

    if (!in->kind->name) {
        snprintf(dst, LOT_NAME, "row-%zu", index + 1);
        return;
    }
    base = lot_name_base(in->kind->name(in, index));
    snprintf(dst, LOT_NAME, "%.*s", (int)lot_name_stem(base), base);
}

void lot_row_done(struct lot_row *row)
{
    buf_done(&row->text);
    buf_done(&row->material);
    manifest_row_done(&row->m);
    json_decref(row->json);
    memset(row, 0, sizeof(*row));
}
