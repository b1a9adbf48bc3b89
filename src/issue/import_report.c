/* The report of an import as a file: a line for each row, CSV with a header or NDJSON. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/err.h"
#include "base/file.h"
#include "base/text.h"
#include "issue/import_rows.h"

static const char *const columns[] = {
    "row", "input", "file", "verdict", "serial", "status", "subject", "code", "reason"};
#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

struct import_report {
    struct file_out out;
    bool json, failed;
    struct p11ca_err err; /* the first that went wrong; told by the end */
};

static bool ends_with(const char *path, const char *ending)
{
    size_t len = strlen(path), n = strlen(ending);

    return len > n && strcmp(path + len - n, ending) == 0;
}

static void add(struct import_report *r, const struct buf *b)
{
    if (r->failed)
        return;
    r->failed = (buf_ok(b) ? file_out_add(&r->out, b->p, b->len, &r->err) : err_nomem(&r->err)) != 0;
}

int import_report_begin(struct import_report **ret, const char *path, struct p11ca_err *err)
{
    AUTO_BUF header = BUF_INIT;
    struct import_report *r;
    bool json;

    if (!path)
        return 0;
    json = ends_with(path, ".ndjson") || ends_with(path, ".jsonl");
    if (!json && !ends_with(path, ".csv"))
        return err_set(
            err, P11CA_USAGE, "USAGE", "%s: want a report called *.csv, *.ndjson or *.jsonl", path);
    r = calloc(1, sizeof(*r));
    if (!r)
        return err_nomem(err);
    if (file_out_begin(&r->out, path, 0644, err) != 0) {
        free(r);
        return -1;
    }
    r->json = json;
    if (!json) {
        csv_add_line(&header, columns, N_COLUMNS);
        add(r, &header);
    }
    *ret = r;
    return 0;
}

static void add_json(struct buf *b, const char *const cells[N_COLUMNS], size_t number)
{
    json_t *o = json_object();
    char plain[4200], *text;
    size_t i;

    json_object_set_new(o, columns[0], json_integer((json_int_t)number));
    for (i = 1; i < N_COLUMNS; i++) {
        if (cells[i])
            text_escape(cells[i], strlen(cells[i]), plain, sizeof(plain));
        json_object_set_new(o, columns[i], cells[i] ? json_string(plain) : json_null());
    }
    text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    b->failed = b->failed || !text;
    if (text)
        buf_addf(b, "%s\n", text);
    free(text);
    json_decref(o);
}

void import_report_row(struct import_report *r, const struct p11ca_import_row *row)
{
    AUTO_BUF text = BUF_INIT;
    char number[24];
    const char *const cells[N_COLUMNS] = {number, row->input, row->file,
        p11ca_import_verdict_name(row->verdict), row->serial, row->status, row->subject, row->code,
        row->reason};

    if (!r)
        return;
    snprintf(number, sizeof(number), "%zu", row->number);
    if (r->json)
        add_json(&text, cells, row->number);
    else
        csv_add_line(&text, cells, N_COLUMNS);
    add(r, &text);
}

int import_report_end(struct import_report *r, struct p11ca_err *err)
{
    if (!r)
        return 0;
    if (r->failed) {
        *err = r->err;
        return -1;
    }
    return file_out_end(&r->out, err);
}

void import_report_free(struct import_report *r)
{
    if (r)
        file_out_done(&r->out);
    free(r);
}
