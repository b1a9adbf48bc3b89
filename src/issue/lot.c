/* A directory of requests, issued in groups: the pipeline of one certificate, 256 at a time. */
#include <p11ca/lot.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/pool.h"
#include "base/text.h"
#include "issue/pipeline.h"
#include "issue/publish.h"

#define GROUP 256 /* rows of one durable transaction */

/* Of requests, in the order in which they come first. */
static const char *const suffixes[] = {".csr", ".der", ".pem", NULL};

struct lot {
    const struct p11ca_lot *order;
    struct job_ctx ctx;
    const struct profile *profile;
    struct authority authority;
    struct ledger *ledger;
    unsigned jobs;
    char **names;
    size_t n_names, first; /* of the group */
    struct job job[GROUP], *list[GROUP];
    struct buf csr[GROUP];
    char *path[GROUP];
    p11ca_row_fn *fn;
    void *arg;
    struct p11ca_lot_result *ret;
};

/* NAME.crt for NAME.csr. */
static char *output_path(const struct lot *lot, const char *name)
{
    char file[300];

    snprintf(file, sizeof(file), "%.*s.crt", (int)(strrchr(name, '.') - name), name);
    return path_join(lot->order->output, file);
}

static int by_name(const void *key, const void *name)
{
    return strcmp(key, *(char *const *)name);
}

/* x.csr, x.pem and x.der would all become x.crt: the first of them does. */
static bool is_taken(const struct lot *lot, const char *name)
{
    const char *const *suffix;
    char other[300];

    for (suffix = suffixes; *suffix && strcmp(strrchr(name, '.'), *suffix) != 0; suffix++) {
        snprintf(other, sizeof(other), "%.*s%s", (int)(strrchr(name, '.') - name), name, *suffix);
        if (bsearch(other, lot->names, lot->n_names, sizeof(*lot->names), by_name))
            return true;
    }
    return false;
}

/* What can be said of a row by its name alone. */
static int check_name(const struct lot *lot, const char *name, struct p11ca_err *err)
{
    if (strlen(name) > 240) /* with the temporary suffix, NAME_MAX of 255 */
        return err_set(err, P11CA_REFUSED, "INPUT_NAME", "%s: want a file name of at most 240 octets", name);
    if (is_taken(lot, name))
        return err_set(err, P11CA_REFUSED, "INPUT_NAME",
            "%s: another request of the lot has the same name but for its ending", name);
    return 0;
}

static int prepare(struct lot *lot, size_t i)
{
    struct job *job = &lot->job[i];
    AUTO_STR path = path_join(lot->order->input, lot->names[lot->first + i]);
    struct job_input in = {.profile = lot->profile};

    memset(job, 0, sizeof(*job));
    lot->path[i] = output_path(lot, lot->names[lot->first + i]);
    if (!path || !lot->path[i])
        return err_nomem(&job->err);
    if (check_name(lot, lot->names[lot->first + i], &job->err) != 0)
        return -1;
    if (file_read(path, LIMIT_CSR, &lot->csr[i], &job->err) != 0)
        return -1;
    in.output = lot->path[i];
    in.csr = DER_OF(lot->csr[i].p ? lot->csr[i].p : (const uint8_t *)"", lot->csr[i].len);
    return job_prepare(job, &in, &lot->ctx);
}

static void prepare_one(void *arg, size_t i)
{
    struct lot *lot = arg;

    if (prepare(lot, i) != 0)
        (void)job_fail(&lot->job[i]);
}

/* An output that is somebody else's stops its row before a serial is taken. */
static void check_outputs(struct lot *lot, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        struct job *job = &lot->job[i];

        if (job->state == JOB_FAILED || pipeline_look(lot->ledger, job, &lot->ctx) != 0)
            continue;
        /* A dry run does not make the directory: then nothing can be in the way. */
        if (file_exists(lot->order->output) && publish_check(job, lot->path[i], false, &job->err) != 0)
            (void)job_fail(job);
    }
}

static int note_rejects(struct lot *lot, size_t n, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < n; i++) {
        const struct job *job = &lot->job[i];
        const struct ledger_event e = {.kind = "reject",
            .authority = lot->ctx.authority->name,
            .profile = lot->profile->name,
            .detail = job->err.msg};

        if (job->state == JOB_FAILED && !job->reserved && ledger_event(lot->ledger, &e, err) != 0)
            return -1;
    }
    return 0;
}

/* Files first, then their marks, with the rejections, in one transaction. */
static int publish(struct lot *lot, size_t n, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (lot->job[i].state == JOB_ISSUED &&
            publish_file(&lot->job[i], lot->path[i], false, &lot->job[i].err) != 0)
            (void)job_fail(&lot->job[i]);
    }
    if (ledger_begin(lot->ledger, err) != 0)
        return -1;
    for (i = 0; i < n; i++) {
        if (lot->job[i].state == JOB_ISSUED &&
            publish_mark(lot->ledger, &lot->job[i], lot->path[i], err) != 0) {
            ledger_rollback(lot->ledger);
            return -1;
        }
    }
    if (note_rejects(lot, n, err) != 0) {
        ledger_rollback(lot->ledger);
        return -1;
    }
    return ledger_commit(lot->ledger, err);
}

static int group(struct lot *lot, size_t n, struct p11ca_err *err)
{
    /* A long lot lives through hours: its certificates and events are dated as they come. */
    lot->ctx.now = home_now(lot->ctx.home);
    ledger_set_now(lot->ledger, lot->ctx.now);
    pool_run(lot->jobs, n, prepare_one, lot);
    check_outputs(lot, n);
    if (lot->order->dry_run)
        return 0;
    if (pipeline_reserve(lot->ledger, lot->list, n, &lot->ctx, err) != 0)
        return -1;
    pipeline_sign(lot->list, n, &lot->ctx, &lot->authority, lot->jobs);
    if (pipeline_commit(lot->ledger, lot->list, n, &lot->ctx, err) != 0)
        return -1;
    return publish(lot, n, err);
}

static void report_row(struct lot *lot, size_t i)
{
    const struct job *job = &lot->job[i];
    char serial[41] = "", reason[sizeof(job->err.msg)];
    struct p11ca_row row = {.number = lot->first + i + 1, .input = lot->names[lot->first + i]};

    if (job->state == JOB_FAILED) {
        snprintf(reason, sizeof(reason), "%s", job->err.msg);
        row.verdict = P11CA_ROW_REJECTED;
        row.code = job->err.code;
        row.reason = reason;
        lot->ret->rejected++;
    } else if (job->state == JOB_ISSUED && job->outcome == P11CA_REUSED) {
        row.verdict = P11CA_ROW_REUSED;
        lot->ret->reused++;
    } else {
        row.verdict = lot->order->dry_run ? P11CA_ROW_GOOD : P11CA_ROW_ISSUED;
        lot->ret->issued += !lot->order->dry_run;
    }
    if (job->state == JOB_ISSUED) {
        text_hex(job->plan.serial, job->plan.serial_len, serial);
        row.serial = serial;
        row.file = lot->order->dry_run ? NULL : lot->path[i];
    }
    lot->ret->rows++;
    if (lot->fn)
        lot->fn(lot->arg, &row);
}

/* Rows are refused for what they are; a token, a login, a ledger or a disk that fails one row fails them all. */
static bool ends_lot(const struct job *job)
{
    if (job->state != JOB_FAILED || job->err.kind == P11CA_REFUSED)
        return false;
    return job->err.kind != P11CA_FILE || strcmp(job->err.code, "DISK") == 0;
}

static int end_group(struct lot *lot, size_t n, struct p11ca_err *err)
{
    int rc = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        const struct job *job = &lot->job[i];

        report_row(lot, i);
        if (rc == 0 && ends_lot(job)) {
            *err = job->err;
            rc = -1;
        }
        free(lot->path[i]);
        lot->path[i] = NULL;
        buf_done(&lot->csr[i]);
        job_done(&lot->job[i]);
    }
    return rc;
}

/* What the group was doing when it could not go on has not happened to its rows. */
static void fail_unfinished(struct lot *lot, size_t n, const struct p11ca_err *why)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (lot->job[i].state == JOB_ISSUED || lot->job[i].state == JOB_FAILED)
            continue;
        lot->job[i].err = *why;
        (void)job_fail(&lot->job[i]);
    }
}

static int run_groups(struct lot *lot, struct p11ca_err *err)
{
    struct p11ca_err tail;
    size_t n, i;
    int rc = 0;

    for (i = 0; i < GROUP; i++)
        lot->list[i] = &lot->job[i];
    for (lot->first = 0; lot->first < lot->n_names && rc == 0; lot->first += n) {
        n = lot->n_names - lot->first < GROUP ? lot->n_names - lot->first : GROUP;
        rc = group(lot, n, err);
        if (rc != 0)
            fail_unfinished(lot, n, err);
        if (end_group(lot, n, rc == 0 ? err : &tail) != 0)
            rc = -1;
        if (rc == 0 && lot->order->stop && lot->ret->rejected)
            rc = err_set(err, P11CA_NEGATIVE, "REJECTED", "stopped: %zu of %zu rows rejected",
                lot->ret->rejected, lot->ret->rows);
    }
    return rc;
}

static int open_lot(
    struct lot *lot, struct p11ca_home *home, struct issuer **ret_issuer, struct p11ca_err *err)
{
    const struct p11ca_lot *o = lot->order;

    if (home_authority(home, o->authority, &lot->ctx.authority, err) != 0 ||
        authority_profile(home, lot->ctx.authority, o->profile, &lot->profile, err) != 0 ||
        file_list(o->input, suffixes, &lot->names, &lot->n_names, err) != 0)
        return -1;
    if (!lot->n_names)
        return err_set(err, P11CA_USAGE, "INPUT_EMPTY", "%s: no *.csr, *.pem or *.der in it", o->input);
    if ((!o->dry_run && file_mkdir(o->output, 0755, err) != 0) ||
        home_ledger_write(home, &lot->ledger, err) != 0 ||
        authority_need_issuer(home, lot->ledger, lot->ctx.authority, ret_issuer, err) != 0)
        return -1;
    lot->ctx.issuer = *ret_issuer;
    return authority_open(&lot->authority, home, lot->ledger, lot->ctx.authority, err);
}

static int run(struct lot *lot, struct p11ca_home *home, struct p11ca_err *err)
{
    AUTO_ISSUER issuer = NULL;
    double start = clock_seconds();
    int rc = open_lot(lot, home, &issuer, err);

    if (rc == 0)
        rc = run_groups(lot, err);
    lot->ret->seconds = clock_seconds() - start;
    authority_done(&lot->authority);
    ledger_close(lot->ledger);
    file_list_free(lot->names);
    if (rc == 0 && lot->ret->rejected)
        rc = err_set(
            err, P11CA_NEGATIVE, "REJECTED", "%zu of %zu rows rejected", lot->ret->rejected, lot->ret->rows);
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
    lot->ctx = (struct job_ctx){.home = home, .now = home_now(home)};
    lot->jobs = order->jobs ? order->jobs : pool_cores();
    lot->fn = fn;
    lot->arg = arg;
    lot->ret = ret;
    rc = run(lot, home, err);
    free(lot);
    return rc;
}
