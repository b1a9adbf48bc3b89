/* A stream: a source of the flow (issue/flow.h) whose requests come from stations. */
#include <p11ca/stream.h>

#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "issue/answer.h"
#include "issue/lot_rows.h"
#include "issue/publish.h"
#include "issue/stations.h"

/* Seconds that a request waits at most for others to share its transaction. */
#define WINDOW 0.005

struct stream {
    const struct p11ca_stream *order;
    struct p11ca_home *home;
    struct job_ctx ctx;
    struct lot_rows rows;
    struct lot_output output;
    struct lot_ticket ticket;
    struct ledger *ledger;
    struct authority authority;
    struct stations *stations;
    struct p11ca_stream_result *ret;
};

/* --- the source --- */

static int next(void *arg, struct flow_row *row, struct p11ca_err *err)
{
    struct stream *s = arg;
    bool ended;
    struct request *r = stations_take(s->stations, &ended);

    (void)err;
    if (!r)
        return ended ? 0 : FLOW_NOTHING_YET;
    /* Nothing may have come for hours. */
    row->ctx.now = home_now(s->home);
    row->in.index = r->number - 1;
    row->in.text = r->text;
    row->in.too_large = r->too_large;
    r->text = (struct buf)BUF_INIT;
    row->tag = r;
    return 1;
}

static void prepare(void *arg, struct flow_row *row)
{
    struct stream *s = arg;

    row->job.in.profile = s->rows.profile;
    if (lot_row_load_line(&row->in, &row->job.err) != 0 || lot_rows_make(&s->rows, row, false) != 0)
        (void)job_fail(&row->job);
}

/* Another profile's certificate of the same device may have been published since the row was prepared. */
static void admit(void *arg, struct flow_row *row)
{
    struct stream *s = arg;

    row->in_the_way = row->path && file_exists(row->path);
    lot_rows_check_output(&s->rows, row, s->ledger);
}

/* Each durable by itself, name and all: a stream has no end at which that could be done for many. */
static void publish(void *arg, struct flow_row **rows, size_t n)
{
    size_t i;

    (void)arg;
    for (i = 0; i < n; i++) {
        struct job *job = &rows[i]->job;

        if (publish_file(job, rows[i]->path, false, &job->err) != 0)
            (void)job_fail(job);
    }
}

/* --- answers --- */

/* What is no fault of the request may go well another time. */
static enum p11ca_verdict verdict(const struct flow_row *row)
{
    const struct job *job = &row->job;
    bool refused = job->err.kind == P11CA_REFUSED || job->err.kind == P11CA_FILE;

    if (row->dropped || (job->state == JOB_FAILED && !refused))
        return P11CA_ROW_NOT_TRIED;
    if (job->state == JOB_FAILED)
        return P11CA_ROW_REJECTED;
    return job->reserved ? P11CA_ROW_ISSUED : P11CA_ROW_REUSED;
}

static void count(struct p11ca_stream_result *r, enum p11ca_verdict v)
{
    size_t *const counts[] = {
        [P11CA_ROW_ISSUED] = &r->issued,
        [P11CA_ROW_REUSED] = &r->reused,
        [P11CA_ROW_GOOD] = NULL,
        [P11CA_ROW_REJECTED] = &r->rejected,
        [P11CA_ROW_NOT_TRIED] = &r->not_tried,
    };

    if (counts[v])
        ++*counts[v];
}

/* Also of a line that nobody has looked at yet. */
static const char *ref_of(struct flow_row *row)
{
    struct p11ca_err ignored;

    if (row->dropped && !row->in.json)
        (void)!lot_row_load_line(&row->in, &ignored);
    return lot_row_ref(&row->in);
}

static void done(void *arg, struct flow_row *row, const struct p11ca_err *why)
{
    struct stream *s = arg;
    const struct job *job = &row->job;
    AUTO_BUF text = BUF_INIT;
    const char *ref = ref_of(row);
    char serial[41] = "";
    bool issued;
    struct p11ca_row r = {.number = row->in.index + 1,
        .verdict = verdict(row),
        .device = job->device[0] ? job->device : row->in.m.id,
        .profile = row->in.m.profile ? row->in.m.profile : s->rows.profile->name};

    issued = r.verdict == P11CA_ROW_ISSUED || r.verdict == P11CA_ROW_REUSED;
    if (issued) {
        text_hex(job->plan.serial, job->plan.serial_len, serial);
        r.serial = serial;
        r.file = row->path;
    } else {
        why = job->state == JOB_FAILED && !row->dropped ? &job->err : why;
        r.code = why ? why->code : NULL;
        r.reason = why ? why->msg : NULL;
    }
    r.time = r.verdict == P11CA_ROW_NOT_TRIED ? 0 : row->ctx.now;
    answer_add(&text, &r, ref, issued ? der_buf(&job->cert) : DER_OF(NULL, 0));
    count(s->ret, r.verdict);
    stations_answer(s->stations, row->tag, &text);
}

/* The flow is over, and these have not been in it. */
static void answer_rest(struct stream *s, const struct p11ca_err *why)
{
    struct request *r;

    while ((r = stations_wait(s->stations))) {
        AUTO_BUF text = BUF_INIT;
        struct lot_row line = {.text = r->text, .too_large = r->too_large};
        struct p11ca_err ignored;

        r->text = (struct buf)BUF_INIT;
        (void)!lot_row_load_line(&line, &ignored);
        answer_add_not_tried(&text, r->number, lot_row_ref(&line), why);
        lot_row_done(&line);
        s->ret->not_tried++;
        stations_answer(s->stations, r, &text);
    }
}

/* --- the stream --- */

static int run_flow(struct stream *s, struct flow *flow, struct p11ca_err *err)
{
    struct p11ca_err ignored;
    int rc;

    if (stations_start(s->stations, flow, err) != 0)
        return -1;
    rc = flow_run(flow, err);
    if (rc != 0) {
        stations_stop(s->stations);
        answer_rest(s, err);
    }
    /* Why the flow is over is the more urgent news. */
    return stations_end(s->stations, rc == 0 ? err : &ignored) == 0 ? rc : -1;
}

static int work(struct stream *s, struct p11ca_err *err)
{
    static const struct flow_source with_files = {
        .next = next, .prepare = prepare, .admit = admit, .publish = publish, .done = done};
    static const struct flow_source answers_only = {.next = next, .prepare = prepare, .done = done};
    const struct flow_order order = {
        .source = s->order->output ? &with_files : &answers_only,
        .arg = s,
        .ctx = s->ctx,
        .ledger = s->ledger,
        .authority = &s->authority,
        .alone = true,
        .jobs = s->order->jobs,
        .window = WINDOW,
    };
    struct flow *flow;
    int rc;

    if (flow_open(&flow, &order, err) != 0)
        return -1;
    rc = run_flow(s, flow, err);
    flow_close(flow);
    return rc;
}

static int open_ticket(struct stream *s, struct p11ca_err *err)
{
    const struct ticket_demand d = {.authority = s->ctx.authority,
        .profile = s->rows.profile,
        .path = s->order->ticket,
        .now = s->ctx.now};

    if (lot_ticket_open(&s->ticket, s->home, s->ledger, &d, err) != 0)
        return -1;
    s->ctx.ticket = s->ticket.text.p ? &s->ticket : NULL;
    return 0;
}

/* Named and checked as the files of a lot. */
static int open_output(struct stream *s, struct p11ca_err *err)
{
    static const struct buf no_chain = BUF_INIT;
    const struct p11ca_lot files = {.output = s->order->output, .format = P11CA_LOT_PEM};

    if (!files.output)
        return 0;
    s->rows.output = &s->output;
    return lot_output_open(&s->output, &files, 0, &no_chain, err);
}

static int open_stream(struct stream *s, struct issuer **ret_issuer, struct p11ca_err *err)
{
    const struct p11ca_stream *o = s->order;

    if (home_authority(s->home, o->authority, &s->ctx.authority, err) != 0 ||
        lot_rows_profile(s->home, s->ctx.authority, o->profile, &s->rows.profile, err) != 0 ||
        home_ledger_write(s->home, &s->ledger, err) != 0 || open_ticket(s, err) != 0 ||
        open_output(s, err) != 0 ||
        authority_need_issuer(s->home, s->ledger, s->ctx.authority, ret_issuer, err) != 0 ||
        authority_open(&s->authority, s->home, s->ledger, s->ctx.authority, err) != 0)
        return -1;
    s->ctx.issuer = *ret_issuer;
    s->rows.home = s->home;
    s->rows.authority = s->ctx.authority;
    return o->output ? file_mkdir(o->output, 0755, err) : 0;
}

static int run(struct stream *s, const struct stations_order *stations, struct p11ca_err *err)
{
    AUTO_ISSUER issuer = NULL;
    int rc = -1;

    /* A station may not choose what it is given. */
    s->rows.one_profile = stations->socket != NULL;
    if (open_stream(s, &issuer, err) == 0 && stations_open(&s->stations, stations, err) == 0) {
        if (stations->socket)
            home_say(s->home, "listening on %s", stations->socket->path);
        rc = work(s, err);
        s->ret->stations = stations_count(s->stations, &s->ret->requests);
        stations_close(s->stations);
    }
    if (s->rows.output)
        lot_output_done(&s->output);
    lot_ticket_done(&s->ticket);
    authority_done(&s->authority);
    ledger_close(s->ledger);
    return rc;
}

/* From the checks to the last answer. */
static int stream_run(struct p11ca_home *home, const struct p11ca_stream *order,
    const struct stations_order *stations, struct p11ca_stream_result *ret, struct p11ca_err *err)
{
    struct stream s = {
        .order = order, .home = home, .ret = ret, .ctx = {.home = home, .now = home_now(home)}};
    double start = clock_seconds();
    int rc;

    memset(ret, 0, sizeof(*ret));
    rc = run(&s, stations, err);
    ret->seconds = clock_seconds() - start;
    return rc;
}

int p11ca_stream_fd(struct p11ca_home *home, const struct p11ca_stream *stream, int in_fd, int out_fd,
    int stop_fd, struct p11ca_stream_result *ret, struct p11ca_err *err)
{
    const struct stations_order stations = {.home = home, .in = in_fd, .out = out_fd, .stop = stop_fd};

    return stream_run(home, stream, &stations, ret, err);
}

/* The name is taken before the token is touched, and given back whatever happens. */
int p11ca_serve(struct p11ca_home *home, const struct p11ca_stream *stream, const struct p11ca_socket *socket,
    int stop_fd, struct p11ca_stream_result *ret, struct p11ca_err *err)
{
    struct local local = LOCAL_INIT;
    const struct stations_order stations = {
        .home = home, .socket = &local, .stop = stop_fd, .uids = socket->uids, .n_uids = socket->n_uids};
    int rc;

    memset(ret, 0, sizeof(*ret));
    if (local_listen(&local, socket->path, socket->n_uids ? 0666 : 0600, err) != 0)
        return -1;
    rc = stream_run(home, stream, &stations, ret, err);
    local_done(&local);
    return rc;
}
