/* A lot: preflight over all rows, then the same rows through the order of effects. Both are flows (issue/flow.h). */
#include <p11ca/lot.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "issue/ca.h"
#include "issue/lot_report.h"
#include "issue/lot_summary.h"
#include "issue/preflight.h"
#include "issue/publish.h"

/* Octets that a certificate takes at least: its row with the indexes and the log, and a block of its own or its text. */
#define ROOM_LEDGER 3072
#define ROOM_FILE   4096
#define ROOM_TEXT   1024

/* Rows that stay prepared from the preflight to their turn, at some 5 KiB each: small lots are read once. */
#define KEEP 8192

struct kept {
    struct lot_row in;
    struct job job;
    char *path;
    uint8_t content[LOT_HASH];
    bool in_the_way;
};

struct lot {
    const struct p11ca_lot *order;
    struct p11ca_home *home;
    struct lot_input input;
    struct lot_rows rows;
    struct job_ctx ctx;
    struct ledger *ledger;
    struct preflight preflight;
    struct authority authority;
    struct lot_ticket ticket;
    struct buf chain; /* PEM, of the authority */
    struct lot_output output;
    struct lot_report report;
    struct lot_summary summary;
    double start, pass;  /* when the lot began, and this pass over its rows */
    size_t total, n_new; /* rows of the input; those that are to be signed, or finished */
    int64_t *published;  /* rows of the ledger, when their one file appears at the end */
    size_t n_published;
    struct flow *flow;
    uint8_t sha256[SHA256_LEN]; /* of all rows, one after the other: the lot's identity */
    struct kept **kept;
    size_t n_kept, next_kept;
    bool sign; /* false: a dry run, or too many rows are bad */
    bool over; /* too many were rejected on the way */
    bool is_faulty;
    struct p11ca_err fault; /* of the lot as such */
    p11ca_row_fn *fn;
    void *arg;
    struct p11ca_lot_result *ret;
};

const char *p11ca_verdict_name(enum p11ca_verdict verdict)
{
    static const char *const words[] = {
        [P11CA_ROW_ISSUED] = "ISSUED",
        [P11CA_ROW_REUSED] = "REUSED",
        [P11CA_ROW_GOOD] = "GOOD",
        [P11CA_ROW_REJECTED] = "REJECTED",
        [P11CA_ROW_NOT_TRIED] = "NOT-TRIED",
    };

    return words[verdict];
}

static void show(const struct lot *lot, const char *what, size_t done, size_t total)
{
    const struct p11ca_progress p = {
        .what = what, .done = done, .total = total, .seconds = clock_seconds() - lot->pass};

    home_progress(lot->home, &p);
}

static bool too_many(const struct lot *lot, size_t rejected)
{
    return lot->order->limited && rejected > lot->order->max_errors;
}

static int next(void *arg, struct flow_row *row, struct p11ca_err *err)
{
    struct lot *lot = arg;

    return lot_input_next(&lot->input, &row->in, err);
}

/* --- what the ledger is told of the lot --- */

/* An event of its own; its trouble must not hide what it is about. */
static void note_lot(struct lot *lot, const char *kind, const char *detail)
{
    const struct ledger_event e = {.kind = kind,
        .authority = lot->ctx.authority->name,
        .profile = lot->order->profile,
        .detail = detail};
    struct p11ca_err ignored;

    if (!lot->ledger || lot->order->dry_run || ledger_begin(lot->ledger, &ignored) != 0)
        return;
    if (ledger_event(lot->ledger, &e, &ignored) != 0 || ledger_commit(lot->ledger, &ignored) != 0)
        ledger_rollback(lot->ledger);
}

static void alarm_codes(struct lot *lot)
{
    const char *code;
    size_t i = 0, rows = 0;
    char text[96];

    while ((code = preflight_next_alarm(&lot->preflight, &i, &rows))) {
        snprintf(text, sizeof(text), "%s: %zu %s of the lot", code, rows, rows == 1 ? "row" : "rows");
        home_say(lot->home, "alarm: %s", text);
        note_lot(lot, "alarm", text);
    }
}

/* The same rows for the same authority and profile are the same lot, whenever they come. */
static int put_lot(struct lot *lot, struct p11ca_err *err)
{
    const struct ledger_lot l = {
        .authority = lot->ctx.authority->name,
        .profile = lot->order->profile,
        .name = lot->order->input,
        .sha256 = {lot->sha256, SHA256_LEN},
    };

    if (ledger_begin(lot->ledger, err) != 0)
        return -1;
    if (ledger_put_lot(lot->ledger, &l, &lot->ctx.lot, err) != 0) {
        ledger_rollback(lot->ledger);
        return -1;
    }
    return ledger_commit(lot->ledger, err);
}

/* --- the first pass: every row is judged, and nothing else happens --- */

static void judge(void *arg, struct flow_row *row)
{
    struct lot *lot = arg;

    row->job.in.profile = lot->rows.profile;
    if (lot_rows_load(&lot->rows, row, &row->job.err) != 0 || lot_rows_make(&lot->rows, row, false) != 0)
        (void)job_fail(&row->job);
}

static void judge_output(void *arg, struct flow_row *row)
{
    struct lot *lot = arg;

    lot_rows_check_output(&lot->rows, row, lot->ledger);
}

static void fault(struct lot *lot, const struct p11ca_err *err)
{
    if (!lot->is_faulty)
        lot->fault = *err;
    lot->is_faulty = true;
    flow_stop(lot->flow);
}

/* A good row waits for its turn as it is, as long as there is room. */
static int keep(struct lot *lot, struct flow_row *row, struct p11ca_err *err)
{
    struct kept *k;

    if (row->in.index != lot->n_kept || lot->n_kept == KEEP || lot->order->dry_run)
        return 0;
    k = malloc(sizeof(*k));
    if (!k)
        return err_nomem(err);
    buf_done(&row->in.material);
    *k = (struct kept){.in = row->in, .path = row->path, .in_the_way = row->in_the_way};
    memcpy(k->content, row->content, LOT_HASH);
    job_move(&k->job, &row->job);
    memset(&row->in, 0, sizeof(row->in));
    row->path = NULL;
    lot->kept[lot->n_kept++] = k;
    return 0;
}

static int chain(struct lot *lot, const uint8_t content[LOT_HASH], struct p11ca_err *err)
{
    uint8_t both[SHA256_LEN + LOT_HASH];

    memcpy(both, lot->sha256, SHA256_LEN);
    memcpy(both + SHA256_LEN, content, LOT_HASH);
    return hash_sha256(both, sizeof(both), lot->sha256) == 0 ? 0 : err_nomem(err);
}

static void judged(void *arg, struct flow_row *row, const struct p11ca_err *why)
{
    struct lot *lot = arg;
    struct p11ca_err err;

    (void)why;
    lot->n_new += row->job.state == JOB_NEW || row->job.state == JOB_RESERVED;
    if (!row->dropped && (preflight_add(&lot->preflight, &lot->input, row, &err) != 0 ||
                             chain(lot, row->content, &err) != 0 || keep(lot, row, &err) != 0))
        fault(lot, &err);
    show(lot, "checking", lot->preflight.n, lot->total);
}

static int run_flow(
    struct lot *lot, const struct flow_source *source, struct authority *a, struct p11ca_err *err)
{
    const struct flow_order order = {
        .source = source,
        .arg = lot,
        .ctx = lot->ctx,
        .ledger = lot->ledger,
        .authority = a,
        .output = lot->order->output,
        .note = source->publish && !lot->order->dry_run,
        .expected = lot->n_new,
        .jobs = lot->order->jobs,
    };
    int rc;

    lot->pass = clock_seconds();
    if (flow_open(&lot->flow, &order, err) != 0)
        return -1;
    rc = flow_run(lot->flow, err);
    flow_close(lot->flow);
    lot->flow = NULL;
    if (rc != 0 || !lot->is_faulty)
        return rc;
    *err = lot->fault;
    return -1;
}

/* How many there are decides where their certificates go. */
static int count_rows(struct lot *lot, struct p11ca_err *err)
{
    struct lot_row row;
    int rc;

    lot->total = lot->input.n_names;
    while (!lot->input.names && (rc = lot_input_next(&lot->input, &row, err)) != 0) {
        if (rc < 0)
            return -1;
        lot_row_done(&row);
        lot->total++;
    }
    return lot_input_rewind(&lot->input, err);
}

static int preflight_rows(struct lot *lot, struct p11ca_err *err)
{
    static const struct flow_source source = {
        .next = next, .prepare = judge, .admit = judge_output, .done = judged};

    lot->kept = calloc(KEEP, sizeof(struct kept *));
    if (!lot->kept)
        return err_nomem(err);
    if (count_rows(lot, err) != 0 ||
        lot_output_open(&lot->output, lot->order, lot->total, &lot->chain, err) != 0 ||
        run_flow(lot, &source, NULL, err) != 0)
        return -1;
    return preflight_end(&lot->preflight, &lot->input, err);
}

static int open_ticket(struct lot *lot, struct p11ca_err *err)
{
    struct job_ctx *ctx = &lot->ctx;
    const struct ticket_demand d = {.authority = ctx->authority,
        .profile = lot->rows.profile,
        .path = lot->order->ticket,
        .now = ctx->now};

    if (lot_ticket_open(&lot->ticket, ctx->home, lot->ledger, &d, err) != 0)
        return -1;
    ctx->ticket = lot->ticket.text.p ? &lot->ticket : NULL;
    return 0;
}

/* What has new certificates in it is not the file that is there. */
static int check_one_file(const struct lot *lot, struct p11ca_err *err)
{
    if (lot_output_is_files(&lot->output) || lot->n_new == 0)
        return 0;
    return file_check_new(lot->order->output, err);
}

static int check_room(const struct lot *lot, const char *path, uint64_t each, struct p11ca_err *err)
{
    uint64_t want = each * lot->n_new, have = file_room(path);

    if (have >= want)
        return 0;
    return err_set(err, P11CA_FILE, "DISK", "%s: want room for %zu certificates, %llu KiB, have %llu KiB",
        path, lot->n_new, (unsigned long long)want / 1024, (unsigned long long)have / 1024);
}

/* What would fill the disk is not begun. */
static int check_rooms(const struct lot *lot, struct p11ca_err *err)
{
    if (check_room(lot, lot->home->ledger_path, ROOM_LEDGER, err) != 0)
        return -1;
    return check_room(
        lot, lot->order->output, lot_output_is_files(&lot->output) ? ROOM_FILE : ROOM_TEXT, err);
}

static int preflight(struct lot *lot, struct p11ca_err *err)
{
    if (open_ticket(lot, err) != 0 || lot_input_open(&lot->input, lot->order->input, err) != 0 ||
        preflight_rows(lot, err) != 0) {
        if (preflight_is_alarm(err->code))
            note_lot(lot, "alarm", err->msg);
        if (err->kind == P11CA_REFUSED)
            note_lot(lot, "reject", err->msg);
        return -1;
    }
    alarm_codes(lot);
    if (check_one_file(lot, err) != 0 || check_rooms(lot, err) != 0)
        return -1;
    lot->sign = !lot->order->dry_run && !too_many(lot, lot->preflight.rejected);
    return 0;
}

/* --- the second pass --- */

/* Rows that were kept come as they are; the others are read again. */
static int next_again(void *arg, struct flow_row *row, struct p11ca_err *err)
{
    struct lot *lot = arg;
    struct kept *k;

    if (lot->next_kept == lot->n_kept)
        return lot_input_next(&lot->input, &row->in, err);
    k = lot->kept[lot->next_kept];
    lot->kept[lot->next_kept++] = NULL;
    row->in = k->in;
    row->path = k->path;
    row->in_the_way = k->in_the_way;
    memcpy(row->content, k->content, LOT_HASH);
    job_move(&row->job, &k->job);
    free(k);
    row->prepared = true;
    return 1;
}

static void changed(struct lot *lot, size_t index, struct p11ca_err *err)
{
    char name[LOT_NAME] = "";

    if (index < lot->preflight.n)
        lot_input_name(&lot->input, index, name);
    err_set(err, P11CA_REFUSED, "FILE_CHANGED", "%s%s%s: is not what was checked", lot->order->input,
        name[0] ? ": " : "", name);
}

/* Reading goes on behind the rows that were kept. */
static int rewind_input(struct lot *lot, struct p11ca_err *err)
{
    struct lot_row skipped;
    size_t i;
    int rc = 1;

    if (lot_input_rewind(&lot->input, err) != 0)
        return -1;
    for (i = 0; i < lot->n_kept && rc == 1; i++) {
        rc = lot_input_next(&lot->input, &skipped, err);
        if (rc == 1)
            lot_row_done(&skipped);
    }
    if (rc == 0)
        changed(lot, i - 1, err);
    return rc == 1 ? 0 : -1;
}

/* What was checked is what is issued. */
static bool is_unchanged(const struct lot *lot, const struct flow_row *row)
{
    size_t i = row->in.index;

    return i < lot->preflight.n && memcmp(row->content, lot->preflight.left[i].content, LOT_HASH) == 0;
}

static void make_again(void *arg, struct flow_row *row)
{
    struct lot *lot = arg;
    struct job *job = &row->job;
    int rc;

    job->in.profile = lot->rows.profile;
    rc = lot_rows_load(&lot->rows, row, &job->err);
    if (!is_unchanged(lot, row)) {
        changed(lot, row->in.index, &job->err);
        row->fatal = true;
        rc = -1;
    }
    if (rc != 0 || lot_rows_make(&lot->rows, row, true) != 0)
        (void)job_fail(job);
}

static void admit(void *arg, struct flow_row *row)
{
    struct lot *lot = arg;

    if (preflight_verdict(&lot->preflight, row->in.index, &row->job.err) != 0)
        (void)job_fail(&row->job);
    else
        lot_rows_check_output(&lot->rows, row, lot->ledger);
}

static int add_output(struct lot *lot, const struct flow_row *row, struct p11ca_err *err)
{
    char name[LOT_NAME];

    lot_rows_name(&lot->rows, row, name);
    return lot_output_add(&lot->output, row->path ? row->path : lot->order->output, name,
        der_buf(&row->job.cert), row->in_the_way || row->job.outcome != P11CA_NEW, err);
}

static void fail_row(struct flow_row *row, const struct p11ca_err *why)
{
    row->job.err = *why;
    (void)job_fail(&row->job);
}

/* Whether after this error the next row would fare no better; of one file for all none would. */
static bool is_hopeless(const struct lot *lot, const struct p11ca_err *err)
{
    return !lot_output_is_files(&lot->output) || err->kind != P11CA_FILE || strcmp(err->code, "DISK") == 0;
}

/* Those that were added; the others have failed, each for its own reason. */
static size_t add_outputs(struct lot *lot, struct flow_row **rows, size_t n, struct flow_row **ret)
{
    struct p11ca_err err;
    bool hopeless = false;
    size_t i, added = 0;

    for (i = 0; i < n; i++) {
        if (!hopeless && add_output(lot, rows[i], &err) == 0) {
            ret[added++] = rows[i];
            continue;
        }
        fail_row(rows[i], &err);
        hopeless = hopeless || is_hopeless(lot, &err);
    }
    return added;
}

/* On the publisher's thread: the output is its own until the flow has ended. */
static void publish(void *arg, struct flow_row **rows, size_t n)
{
    struct flow_row *in[FLOW_FILES];
    struct p11ca_err results[FLOW_FILES], err;
    struct lot *lot = arg;
    size_t added = add_outputs(lot, rows, n, in), i;
    int rc = added ? lot_output_flush(&lot->output, results, &err) : 0;

    for (i = 0; i < added; i++) {
        if (rc != 0)
            fail_row(in[i], &err);
        else if (results[i].kind != P11CA_OK)
            fail_row(in[i], &results[i]);
    }
}

/* --- what is told of each row --- */

static void tell(struct lot *lot, const struct p11ca_row *row)
{
    struct p11ca_lot_result *r = lot->ret;
    size_t *const counts[] = {
        [P11CA_ROW_ISSUED] = &r->issued,
        [P11CA_ROW_REUSED] = &r->reused,
        [P11CA_ROW_GOOD] = NULL,
        [P11CA_ROW_REJECTED] = &r->rejected,
        [P11CA_ROW_NOT_TRIED] = &r->not_tried,
    };

    r->rows++;
    if (counts[row->verdict])
        ++*counts[row->verdict];
    lot_report_row(&lot->report, row);
    lot_summary_row(&lot->summary, row);
    lot_summary_sample(&lot->summary, clock_seconds() - lot->start, r->rows - r->not_tried);
    if (lot->fn)
        lot->fn(lot->arg, row);
    show(lot, lot->sign ? "issuing" : "reporting", r->rows, lot->preflight.n);
}

static enum p11ca_verdict verdict(const struct lot *lot, const struct flow_row *row)
{
    const struct job *job = &row->job;

    if (row->dropped)
        return P11CA_ROW_NOT_TRIED;
    if (job->state == JOB_FAILED)
        return P11CA_ROW_REJECTED;
    if (!lot->sign && !lot->order->dry_run)
        return P11CA_ROW_NOT_TRIED;
    if (job->state == JOB_ISSUED && job->outcome == P11CA_REUSED)
        return P11CA_ROW_REUSED;
    if (lot->order->dry_run)
        return P11CA_ROW_GOOD;
    return job->state == JOB_ISSUED ? P11CA_ROW_ISSUED : P11CA_ROW_NOT_TRIED;
}

static const char *profile_of(const struct lot *lot, const struct flow_row *row)
{
    return row->in.m.profile ? row->in.m.profile : lot->rows.profile->name;
}

static void note_published(struct lot *lot, const struct flow_row *row)
{
    if (lot->published && row->job.state == JOB_ISSUED)
        lot->published[lot->n_published++] = row->job.row;
}

/* why: what the lot could not go on for. What was under way has not happened to its rows. */
static void told(void *arg, struct flow_row *row, const struct p11ca_err *why)
{
    struct lot *lot = arg;
    const struct job *job = &row->job;
    char serial[41] = "", name[LOT_NAME];
    struct p11ca_row r = {.number = row->in.index + 1,
        .input = name,
        .verdict = verdict(lot, row),
        .device = job->device[0] ? job->device : row->in.m.id,
        .profile = profile_of(lot, row),
        .time = row->ctx.now};

    lot_input_name(&lot->input, row->in.index, name);
    if (r.verdict == P11CA_ROW_REJECTED) {
        r.code = job->err.code;
        r.reason = job->err.msg;
    } else if (r.verdict == P11CA_ROW_NOT_TRIED) {
        r.code = why ? why->code : NULL;
        r.reason = why ? why->msg : NULL;
        r.time = 0;
    } else if (job->state == JOB_ISSUED) {
        text_hex(job->plan.serial, job->plan.serial_len, serial);
        r.serial = serial;
        /* One file for all is named by the order; whether it will be there is not known yet. */
        r.file = lot->order->dry_run ? NULL : row->path;
        note_published(lot, row);
        lot->ret->fresh += job->outcome == P11CA_NEW && !lot->order->dry_run;
    }
    tell(lot, &r);
    if (lot->sign && too_many(lot, lot->ret->rejected)) {
        lot->over = true;
        flow_stop(lot->flow);
    }
}

/* Those that nobody has looked at again. why: as above, NULL when the lot was ended on purpose. */
static void tell_rest(struct lot *lot, size_t first, const struct p11ca_err *why)
{
    char name[LOT_NAME];

    for (; first < lot->preflight.n; first++) {
        struct p11ca_row row = {.number = first + 1,
            .input = name,
            .verdict = P11CA_ROW_NOT_TRIED,
            .code = why ? why->code : NULL,
            .reason = why ? why->msg : NULL};

        lot_input_name(&lot->input, first, name);
        tell(lot, &row);
    }
}

static int stopped(const struct lot *lot, struct p11ca_err *err)
{
    return err_set(err, P11CA_NEGATIVE, "REJECTED", "stopped: %zu of %zu rows rejected", lot->ret->rejected,
        lot->ret->rows);
}

static int issue_again(struct lot *lot, struct p11ca_err *err)
{
    static const struct flow_source source = {
        .next = next_again, .prepare = make_again, .admit = admit, .publish = publish, .done = told};

    if (rewind_input(lot, err) != 0 || run_flow(lot, &source, lot->sign ? &lot->authority : NULL, err) != 0)
        return -1;
    if (!lot->over && lot->ret->rows < lot->preflight.n) {
        changed(lot, lot->preflight.n, err);
        return -1;
    }
    return 0;
}

/* Rows whose one file is there now. */
static int mark_published(struct lot *lot, struct p11ca_err *err)
{
    const int64_t *rows = lot->published;
    size_t i, end;

    if (ledger_begin(lot->ledger, err) != 0)
        return -1;
    for (i = 0; i < lot->n_published; i = end) {
        for (end = i + 1; end < lot->n_published && rows[end] == rows[end - 1] + 1; end++)
            ;
        if (ledger_publish_run(lot->ledger, rows[i], end - i, err) != 0) {
            ledger_rollback(lot->ledger);
            return -1;
        }
    }
    return ledger_commit(lot->ledger, err);
}

/* One file for all: only a lot that got to its end has one. */
static int end_output(struct lot *lot, int rc, struct p11ca_err *err)
{
    if (!lot->sign || (rc != 0 && !lot_output_is_files(&lot->output)))
        return rc;
    if (lot_output_end(&lot->output, err) != 0)
        return -1;
    return rc == 0 && lot->published ? mark_published(lot, err) : rc;
}

static int tell_total(struct lot *lot, struct p11ca_err *err)
{
    const struct p11ca_lot_result *r = lot->ret;
    char digest[2 * SHA256_LEN + 1], head[2 * SHA256_LEN + 1];
    uint8_t hash[SHA256_LEN];
    struct lot_total t = {.rows = r->rows,
        .issued = r->issued,
        .reused = r->reused,
        .rejected = r->rejected,
        .not_tried = r->not_tried,
        .fresh = r->fresh,
        .seconds = clock_seconds() - lot->start,
        .lot = digest};

    text_hex(lot->sha256, SHA256_LEN, digest);
    if (ledger_head(lot->ledger, hash, err) == 1) {
        text_hex(hash, SHA256_LEN, head);
        t.ledger_head = head;
    }
    lot_report_total(&lot->report, &t);
    if (lot_report_end(&lot->report, err) != 0)
        return -1;
    return lot->order->summary ? lot_summary_end(&lot->summary, &t, err) : 0;
}

static int issue_rows(struct lot *lot, struct p11ca_err *err)
{
    struct p11ca_err ignored;
    int rc = issue_again(lot, err);

    tell_rest(lot, lot->ret->rows, rc == 0 ? NULL : err);
    rc = end_output(lot, rc, rc == 0 ? err : &ignored);
    if (rc == 0 && !lot->order->dry_run && too_many(lot, lot->ret->rejected))
        rc = stopped(lot, err);
    else if (rc == 0 && lot->ret->rejected)
        rc = err_set(
            err, P11CA_NEGATIVE, "REJECTED", "%zu of %zu rows rejected", lot->ret->rejected, lot->ret->rows);
    /* Also of a lot that ended early: then its report is what one wants to read. */
    if (tell_total(lot, rc == 0 ? err : &ignored) != 0)
        rc = -1;
    return rc;
}

/* --- the lot --- */

static int open_lot(struct lot *lot, struct issuer **ret_issuer, struct p11ca_err *err)
{
    const struct p11ca_lot *o = lot->order;
    struct p11ca_home *home = lot->home;

    if (home_authority(home, o->authority, &lot->ctx.authority, err) != 0 ||
        lot_rows_profile(home, lot->ctx.authority, o->profile, &lot->rows.profile, err) != 0 ||
        lot_report_begin(&lot->report, o->report, err) != 0 ||
        lot_summary_begin(&lot->summary, o, lot->ctx.now, err) != 0 ||
        home_ledger_write(home, &lot->ledger, err) != 0 ||
        authority_need_issuer(home, lot->ledger, lot->ctx.authority, ret_issuer, err) != 0)
        return -1;
    lot->ctx.issuer = *ret_issuer;
    lot->rows.home = home;
    lot->rows.authority = lot->ctx.authority;
    lot->rows.output = &lot->output;
    lot->rows.input = &lot->input;
    return ca_chain(home, lot->ledger, lot->ctx.authority, &lot->chain, err);
}

/* The token is asked for nothing before the preflight is over. */
static int issue_lot(struct lot *lot, struct p11ca_err *err)
{
    if (preflight(lot, err) != 0 ||
        authority_open(&lot->authority, lot->home, lot->ledger, lot->ctx.authority, err) != 0)
        return -1;
    if (lot->sign && put_lot(lot, err) != 0)
        return -1;
    if (lot->sign && !lot_output_is_files(&lot->output)) {
        lot->published = calloc(lot->preflight.n, sizeof(*lot->published));
        if (!lot->published)
            return err_nomem(err);
    }
    return issue_rows(lot, err);
}

static void release_kept(struct lot *lot)
{
    size_t i;

    for (i = 0; i < lot->n_kept; i++) {
        struct kept *k = lot->kept[i];

        if (!k)
            continue;
        job_done(&k->job);
        lot_row_done(&k->in);
        free(k->path);
        free(k);
    }
    free(lot->kept);
}

static int run(struct lot *lot, struct p11ca_err *err)
{
    AUTO_ISSUER issuer = NULL;
    int rc = open_lot(lot, &issuer, err);

    if (rc == 0)
        rc = issue_lot(lot, err);
    lot->ret->seconds = clock_seconds() - lot->start;
    authority_done(&lot->authority);
    ledger_close(lot->ledger);
    release_kept(lot);
    preflight_done(&lot->preflight);
    lot_ticket_done(&lot->ticket);
    lot_output_done(&lot->output);
    lot_report_done(&lot->report);
    lot_input_done(&lot->input);
    buf_done(&lot->chain);
    free(lot->published);
    return rc;
}

int p11ca_issue_lot(struct p11ca_home *home, const struct p11ca_lot *order, p11ca_row_fn *fn, void *arg,
    struct p11ca_lot_result *ret, struct p11ca_err *err)
{
    struct lot *lot = calloc(1, sizeof(*lot));
    int rc;

    if (!lot)
        return err_nomem(err);
    memset(ret, 0, sizeof(*ret));
    lot->order = order;
    lot->home = home;
    lot->ctx = (struct job_ctx){.home = home, .now = home_now(home), .reissue = order->reissue};
    lot->start = clock_seconds();
    lot->report.out.fd = -1;
    lot->output.out.fd = -1;
    lot->fn = fn;
    lot->arg = arg;
    lot->ret = ret;
    rc = run(lot, err);
    free(lot);
    return rc;
}
