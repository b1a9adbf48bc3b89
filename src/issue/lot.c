/* A lot: preflight over all rows, then the pipeline of one certificate, a group at a time. */
#include <p11ca/lot.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/pool.h"
#include "base/text.h"
#include "issue/lot_report.h"
#include "issue/pipeline.h"
#include "issue/preflight.h"
#include "issue/publish.h"

struct lot {
    const struct p11ca_lot *order;
    struct lot_input input;
    struct group group;
    struct preflight preflight;
    struct authority authority;
    struct lot_ticket ticket;
    struct lot_report report;
    bool sign; /* false: a dry run, or too many rows are bad */
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

static bool too_many(const struct lot *lot, size_t rejected)
{
    return lot->order->limited && rejected > lot->order->max_errors;
}

/* A long lot lives through hours: its certificates and events are dated as they come. */
static void set_now(struct lot *lot)
{
    lot->group.ctx.now = home_now(lot->group.ctx.home);
    ledger_set_now(lot->group.ledger, lot->group.ctx.now);
}

/* --- what the ledger is told of rows that get nothing --- */

static int note(
    struct lot *lot, const char *kind, const char *profile, const char *detail, struct p11ca_err *err)
{
    const struct ledger_event e = {
        .kind = kind, .authority = lot->group.ctx.authority->name, .profile = profile, .detail = detail};

    return ledger_event(lot->group.ledger, &e, err);
}

static int note_rejects(struct lot *lot, struct p11ca_err *err)
{
    const struct group *g = &lot->group;
    size_t i;

    for (i = 0; i < g->n; i++) {
        const struct job *job = &g->job[i];

        if (job->state == JOB_FAILED && !job->reserved &&
            note(lot, "reject", job->in.profile->name, job->err.msg, err) != 0)
            return -1;
    }
    return 0;
}

static int note_rejects_alone(struct lot *lot, struct p11ca_err *err)
{
    if (ledger_begin(lot->group.ledger, err) != 0)
        return -1;
    if (note_rejects(lot, err) != 0) {
        ledger_rollback(lot->group.ledger);
        return -1;
    }
    return ledger_commit(lot->group.ledger, err);
}

/* An event of its own; its trouble must not hide what it is about. */
static void note_lot(struct lot *lot, const char *kind, const char *detail)
{
    struct p11ca_err ignored;

    if (!lot->group.ledger || lot->order->dry_run || ledger_begin(lot->group.ledger, &ignored) != 0)
        return;
    if (note(lot, kind, lot->order->profile, detail, &ignored) != 0 ||
        ledger_commit(lot->group.ledger, &ignored) != 0)
        ledger_rollback(lot->group.ledger);
}

static void alarm_codes(struct lot *lot)
{
    const char *code;
    size_t at = 0, rows = 0;
    char text[96];

    while ((code = preflight_next_alarm(&lot->preflight, &at, &rows))) {
        snprintf(text, sizeof(text), "%s: %zu %s of the lot", code, rows, rows == 1 ? "row" : "rows");
        home_say(lot->group.ctx.home, "alarm: %s", text);
        note_lot(lot, "alarm", text);
    }
}

/* --- the first pass --- */

static int preflight_rows(struct lot *lot, struct p11ca_err *err)
{
    struct group *g = &lot->group;
    int rc;

    do {
        set_now(lot);
        rc = group_read(g, GROUP, err);
        if (rc != 0 || g->n == 0)
            break;
        group_judge(g);
        rc = preflight_add(&lot->preflight, g, err);
        group_release(g);
    } while (rc == 0);
    group_release(g);
    return rc == 0 ? preflight_end(&lot->preflight, &lot->input, err) : -1;
}

static int open_ticket(struct lot *lot, struct p11ca_err *err)
{
    struct job_ctx *ctx = &lot->group.ctx;
    const struct ticket_demand d = {.authority = ctx->authority,
        .profile = lot->group.profile,
        .path = lot->order->ticket,
        .now = ctx->now};

    if (lot_ticket_open(&lot->ticket, ctx->home, lot->group.ledger, &d, err) != 0)
        return -1;
    ctx->ticket = lot->ticket.text.p ? &lot->ticket : NULL;
    return 0;
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
    lot->sign = !lot->order->dry_run && !too_many(lot, lot->preflight.rejected);
    return 0;
}

/* --- the second pass --- */

/* Rows that are the same order again wait for a later group: there they are found in the ledger. */
static size_t group_size(const struct lot *lot)
{
    size_t first = lot->group.first, n;

    for (n = 1; n < GROUP && !preflight_waits(&lot->preflight, first, first + n); n++)
        ;
    return n;
}

static int changed(struct lot *lot, size_t index, struct p11ca_err *err)
{
    char name[LOT_NAME] = "";
    size_t i;

    for (i = 0; i < lot->group.n; i++)
        lot->group.job[i].state = JOB_NEW;
    if (index < lot->preflight.n)
        lot_input_name(&lot->input, index, name);
    return err_set(err, P11CA_REFUSED, "FILE_CHANGED", "%s%s%s: is not what was checked", lot->order->input,
        name[0] ? ": " : "", name);
}

/* What was checked is what is issued. */
static int check_unchanged(struct lot *lot, struct p11ca_err *err)
{
    const struct group *g = &lot->group;
    const struct preflight *p = &lot->preflight;
    size_t i;

    if (g->first + g->n > p->n)
        return changed(lot, p->n, err);
    for (i = 0; i < g->n; i++) {
        if (memcmp(g->content[i], p->v[g->first + i].content, LOT_HASH) != 0)
            return changed(lot, g->first + i, err);
    }
    return 0;
}

static void apply_verdicts(struct lot *lot)
{
    struct group *g = &lot->group;
    size_t i;

    for (i = 0; i < g->n; i++) {
        if (g->job[i].state != JOB_FAILED &&
            preflight_verdict(&lot->preflight, g->first + i, &g->job[i].err) != 0)
            (void)job_fail(&g->job[i]);
    }
}

/* Files first, then their marks, with the rejections, in one transaction. */
static int publish(struct lot *lot, struct p11ca_err *err)
{
    struct group *g = &lot->group;
    size_t i;

    for (i = 0; i < g->n; i++) {
        if (g->job[i].state == JOB_ISSUED && publish_file(&g->job[i], g->path[i], false, &g->job[i].err) != 0)
            (void)job_fail(&g->job[i]);
    }
    if (ledger_begin(g->ledger, err) != 0)
        return -1;
    for (i = 0; i < g->n; i++) {
        if (g->job[i].state == JOB_ISSUED && publish_mark(g->ledger, &g->job[i], g->path[i], err) != 0) {
            ledger_rollback(g->ledger);
            return -1;
        }
    }
    if (note_rejects(lot, err) != 0) {
        ledger_rollback(g->ledger);
        return -1;
    }
    return ledger_commit(g->ledger, err);
}

static int work(struct lot *lot, struct p11ca_err *err)
{
    struct group *g = &lot->group;

    set_now(lot);
    group_judge(g);
    if (check_unchanged(lot, err) != 0)
        return -1;
    apply_verdicts(lot);
    if (lot->order->dry_run)
        return 0;
    if (!lot->sign)
        return note_rejects_alone(lot, err);
    if (pipeline_reserve(g->ledger, g->list, g->n, &g->ctx, err) != 0)
        return -1;
    pipeline_sign(g->list, g->n, &g->ctx, &lot->authority, g->jobs);
    if (pipeline_commit(g->ledger, g->list, g->n, &g->ctx, err) != 0)
        return -1;
    return publish(lot, err);
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
    if (lot->fn)
        lot->fn(lot->arg, row);
}

static enum p11ca_verdict verdict(const struct lot *lot, const struct job *job)
{
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

/* why: what the group could not go on for; NULL when it has ended. What was under way has not happened to its rows. */
static void tell_row(struct lot *lot, size_t i, const struct p11ca_err *why)
{
    const struct group *g = &lot->group;
    const struct job *job = &g->job[i];
    char serial[41] = "", name[LOT_NAME];
    struct p11ca_row row = {.number = g->row[i].index + 1,
        .input = name,
        .verdict = verdict(lot, job),
        .device = job->device[0] ? job->device : g->row[i].m.id,
        .profile = group_profile(g, i),
        .time = g->ctx.now};

    lot_input_name(&lot->input, g->row[i].index, name);
    if (row.verdict == P11CA_ROW_REJECTED) {
        row.code = job->err.code;
        row.reason = job->err.msg;
    } else if (row.verdict == P11CA_ROW_NOT_TRIED) {
        row.code = why ? why->code : NULL;
        row.reason = why ? why->msg : NULL;
        row.time = 0;
    } else if (job->state == JOB_ISSUED) {
        text_hex(job->plan.serial, job->plan.serial_len, serial);
        row.serial = serial;
        row.file = lot->order->dry_run ? NULL : g->path[i];
    }
    tell(lot, &row);
}

/* Those that nobody has looked at again. */
static void tell_rest(struct lot *lot, size_t first)
{
    char name[LOT_NAME];

    for (; first < lot->preflight.n; first++) {
        struct p11ca_row row = {.number = first + 1, .input = name, .verdict = P11CA_ROW_NOT_TRIED};

        lot_input_name(&lot->input, first, name);
        tell(lot, &row);
    }
}

static int end_group(struct lot *lot, int rc, struct p11ca_err *err)
{
    struct group *g = &lot->group;
    struct p11ca_err why = {.kind = P11CA_OK};
    size_t i;

    if (rc != 0)
        why = *err;
    for (i = 0; i < g->n; i++) {
        tell_row(lot, i, why.kind ? &why : NULL);
        if (rc == 0 && group_is_over(&g->job[i])) {
            *err = g->job[i].err;
            rc = -1;
        }
    }
    group_release(g);
    return rc;
}

static int stopped(const struct lot *lot, struct p11ca_err *err)
{
    return err_set(err, P11CA_NEGATIVE, "REJECTED", "stopped: %zu of %zu rows rejected", lot->ret->rejected,
        lot->ret->rows);
}

static int run_groups(struct lot *lot, struct p11ca_err *err)
{
    struct group *g = &lot->group;
    int rc;

    g->first = 0;
    if (lot_input_rewind(&lot->input, err) != 0)
        return -1;
    do {
        rc = group_read(g, group_size(lot), err);
        if (rc != 0 || g->n == 0)
            break;
        rc = end_group(lot, work(lot, err), err);
    } while (rc == 0 && !(lot->sign && too_many(lot, lot->ret->rejected)));
    group_release(g);
    if (rc == 0 && !(lot->sign && too_many(lot, lot->ret->rejected)) && lot->ret->rows < lot->preflight.n)
        rc = changed(lot, lot->preflight.n, err);
    return rc;
}

static int issue_rows(struct lot *lot, struct p11ca_err *err)
{
    struct p11ca_err ignored;
    int rc = run_groups(lot, err);

    tell_rest(lot, lot->ret->rows);
    if (rc == 0 && !lot->order->dry_run && too_many(lot, lot->ret->rejected))
        rc = stopped(lot, err);
    else if (rc == 0 && lot->ret->rejected)
        rc = err_set(
            err, P11CA_NEGATIVE, "REJECTED", "%zu of %zu rows rejected", lot->ret->rejected, lot->ret->rows);
    /* Also of a lot that ended early: then its report is what one wants to read. */
    if (lot_report_end(&lot->report, rc == 0 ? err : &ignored) != 0)
        rc = -1;
    return rc;
}

/* --- the lot --- */

static int open_lot(
    struct lot *lot, struct p11ca_home *home, struct issuer **ret_issuer, struct p11ca_err *err)
{
    const struct p11ca_lot *o = lot->order;
    struct group *g = &lot->group;

    if (home_authority(home, o->authority, &g->ctx.authority, err) != 0 ||
        group_find_profile(g, o->profile, &g->profile, err) != 0 ||
        lot_report_begin(&lot->report, o->report, err) != 0 ||
        home_ledger_write(home, &g->ledger, err) != 0 ||
        authority_need_issuer(home, g->ledger, g->ctx.authority, ret_issuer, err) != 0)
        return -1;
    g->ctx.issuer = *ret_issuer;
    g->input = &lot->input;
    return 0;
}

/* The token is asked for nothing before the preflight is over. */
static int issue_lot(struct lot *lot, struct p11ca_home *home, struct p11ca_err *err)
{
    struct group *g = &lot->group;

    if (preflight(lot, err) != 0 ||
        authority_open(&lot->authority, home, g->ledger, g->ctx.authority, err) != 0)
        return -1;
    if (lot->sign && file_mkdir(lot->order->output, 0755, err) != 0)
        return -1;
    return issue_rows(lot, err);
}

static int run(struct lot *lot, struct p11ca_home *home, struct p11ca_err *err)
{
    AUTO_ISSUER issuer = NULL;
    double start = clock_seconds();
    int rc = open_lot(lot, home, &issuer, err);

    if (rc == 0)
        rc = issue_lot(lot, home, err);
    lot->ret->seconds = clock_seconds() - start;
    authority_done(&lot->authority);
    ledger_close(lot->group.ledger);
    preflight_done(&lot->preflight);
    lot_ticket_done(&lot->ticket);
    lot_report_done(&lot->report);
    lot_input_done(&lot->input);
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
    lot->group.order = order;
    lot->group.ctx = (struct job_ctx){.home = home, .now = home_now(home)};
    lot->group.jobs = order->jobs ? order->jobs : pool_cores();
    lot->report.out.fd = -1;
    lot->fn = fn;
    lot->arg = arg;
    lot->ret = ret;
    rc = run(lot, home, err);
    free(lot);
    return rc;
}
