#include "issue/lot_report.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/text.h"

/* The columns, in order. */
static const char *const columns[] = {
    "row", "input", "device", "profile", "status", "serial", "file", "code", "reason", "time"};
#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))
enum { COLUMN_STATUS = 4, COLUMN_REASON = 8 };

/* Cells in the order of the columns; NULL: nothing to say. */
struct line {
    const char *cell[N_COLUMNS];
    char number[24], time[TEXT_TIME];
};

static void fill_line(struct line *line, const struct p11ca_row *row)
{
    const char *const cells[N_COLUMNS] = {line->number, row->input, row->device, row->profile,
        p11ca_verdict_name(row->verdict), row->serial, row->file, row->code, row->reason,
        row->time ? line->time : NULL};

    snprintf(line->number, sizeof(line->number), "%zu", row->number);
    text_time(row->time, line->time);
    memcpy(line->cell, cells, sizeof(cells));
}

static void add_json_line(struct buf *b, const struct line *line, size_t number)
{
    json_t *object = json_object();
    char plain[4200], *text = NULL;
    size_t i;

    if (object && json_object_set_new(object, columns[0], json_integer((json_int_t)number)) == 0) {
        for (i = 1; i < N_COLUMNS; i++) {
            if (line->cell[i])
                text_escape(line->cell[i], strlen(line->cell[i]), plain, sizeof(plain));
            if (json_object_set_new(object, columns[i], line->cell[i] ? json_string(plain) : json_null()) !=
                0)
                break;
        }
        if (i == N_COLUMNS)
            text = json_dumps(object, JSON_COMPACT);
    }
    json_decref(object);
    b->failed = b->failed || !text;
    if (text)
        buf_addf(b, "%s\n", text);
    free(text);
}

static void add_out(struct lot_report *r, const struct buf *b)
{
    if (r->failed)
        return;
    if (!buf_ok(b))
        r->failed = err_nomem(&r->err) != 0;
    else
        r->failed = file_out_add(&r->out, b->p, b->len, &r->err) != 0;
}

static bool ends_with(const char *path, const char *ending)
{
    size_t len = strlen(path), n = strlen(ending);

    return len > n && strcmp(path + len - n, ending) == 0;
}

int lot_report_begin(struct lot_report *ret, const char *path, struct p11ca_err *err)
{
    AUTO_BUF header = BUF_INIT;
    struct lot_report r = {.out = {.fd = -1}};

    if (path) {
        r.json = ends_with(path, ".ndjson") || ends_with(path, ".jsonl");
        if (!r.json && !ends_with(path, ".csv"))
            return err_set(
                err, P11CA_USAGE, "USAGE", "%s: want a report called *.csv, *.ndjson or *.jsonl", path);
        if (file_out_begin(&r.out, path, 0644, err) != 0)
            return -1;
    }
    *ret = r;
    if (path && !r.json) {
        csv_add_line(&header, columns, N_COLUMNS);
        add_out(ret, &header);
    }
    return 0;
}

void lot_report_row(struct lot_report *r, const struct p11ca_row *row)
{
    AUTO_BUF text = BUF_INIT;
    struct line line;

    if (!r->out.path)
        return;
    fill_line(&line, row);
    if (r->json)
        add_json_line(&text, &line, row->number);
    else
        csv_add_line(&text, line.cell, N_COLUMNS);
    add_out(r, &text);
}

double lot_total_rate(const struct lot_total *t)
{
    return t->seconds > 0 ? (double)(t->rows - t->not_tried) / t->seconds : 0;
}

static void add_total(struct buf *b, const struct lot_total *t)
{
    const struct {
        const char *name;
        size_t n;
    } counts[] = {{"rows", t->rows}, {"issued", t->issued}, {"new", t->fresh}, {"reused", t->reused},
        {"rejected", t->rejected}, {"not_tried", t->not_tried}};
    size_t i;

    for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        buf_addf(b, "%s=%zu ", counts[i].name, counts[i].n);
    buf_addf(b, "seconds=%.3f rate=%.1f", t->seconds, lot_total_rate(t));
    if (t->lot)
        buf_addf(b, " lot=%s", t->lot);
    if (t->ledger_head)
        buf_addf(b, " ledger_head=%s", t->ledger_head);
}

/* A cell of numbers as text: the columns are those of rows. */
static void add_csv_total(struct buf *b, const struct lot_total *t)
{
    const char *cells[N_COLUMNS] = {NULL};
    AUTO_BUF text = BUF_INIT;

    add_total(&text, t);
    cells[COLUMN_STATUS] = "TOTAL";
    cells[COLUMN_REASON] = buf_str(&text);
    b->failed = b->failed || !cells[COLUMN_REASON];
    csv_add_line(b, cells, N_COLUMNS);
}

static void add_json_text(struct buf *b, const char *name, const char *hex)
{
    if (hex)
        buf_addf(b, ",\"%s\":\"%s\"", name, hex);
    else
        buf_addf(b, ",\"%s\":null", name);
}

/* Numbers with as many places as mean something: a library's writer prints seventeen. */
static void add_json_total(struct buf *b, const struct lot_total *t)
{
    buf_addf(b,
        "{\"status\":\"TOTAL\",\"rows\":%zu,\"issued\":%zu,\"new\":%zu,\"reused\":%zu,\"rejected\":%zu,"
        "\"not_tried\":%zu,\"seconds\":%.3f,\"rate\":%.1f",
        t->rows, t->issued, t->fresh, t->reused, t->rejected, t->not_tried, t->seconds, lot_total_rate(t));
    add_json_text(b, "lot", t->lot);
    add_json_text(b, "ledger_head", t->ledger_head);
    buf_adds(b, "}\n");
}

void lot_report_total(struct lot_report *r, const struct lot_total *t)
{
    AUTO_BUF text = BUF_INIT;

    if (!r->out.path)
        return;
    if (r->json)
        add_json_total(&text, t);
    else
        add_csv_total(&text, t);
    add_out(r, &text);
}

int lot_report_end(struct lot_report *r, struct p11ca_err *err)
{
    if (!r->out.path)
        return 0;
    if (r->failed) {
        *err = r->err;
        return -1;
    }
    return file_out_end(&r->out, err);
}

void lot_report_done(struct lot_report *r)
{
    file_out_done(&r->out);
}
