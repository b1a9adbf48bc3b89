#include "issue/flow.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/pool.h"
#include "issue/flow_state.h"

#define READ_AHEAD 256 /* rows read before workers are told */

/* Where nothing is signed, workers for each core: some of them wait for the disk, which has the files of the rows. */
#define JUDGES 3

/*
 * A token that needs this much more time than processor is somewhere else: more signatures at once cost nothing, and who
 * has one asks for the next. The quickest of the first few decides: on a busy machine any of them may have waited for a
 * processor.
 */
#define SLOW_TOKEN 3.0

/* Seconds after which what waits for the ledger is written, without others to share the transaction: a slow token would
 * make few signatures into a full turn, and whoever pulls the plug loses them. */
#define PATIENCE 1.0

/* --- the token comes back --- */

/* No signature is under way. Everything that had been asked of the lost session is asked again. */
static void reopen(struct flow *f)
{
    const struct flow_order *o = &f->order;
    const struct authority_conf *conf = o->authority->conf;
    struct p11ca_err err;
    bool again = f->signed_at_loss && f->signed_at_loss == f->n_signed + 1;
    int rc = -1;

    if (again) {
        flow_die(f, &f->lost_why);
        f->lost = false;
        return;
    }
    f->signed_at_loss = f->n_signed + 1;
    pthread_mutex_unlock(&f->lock);
    home_say(o->ctx.home, "%s: opening it again", f->lost_why.msg);
    pipeline_signer_done(&f->signer);
    authority_done(o->authority);
    if (authority_open(o->authority, o->ctx.home, o->ledger, conf, &err) == 0)
        rc = pipeline_signer(&f->signer, o->authority, o->ctx.issuer, o->expected, &err);
    pthread_mutex_lock(&f->lock);
    if (rc != 0)
        flow_die(f, &err);
    f->lost = false;
    f->to_sign = f->recorded;
    pthread_cond_broadcast(&f->work);
}

/* --- the caller's thread --- */

/* Up to n rows, into room that nobody else looks at. */
static int read_some(struct flow *f, size_t room, size_t *ret_n, bool *ret_more, struct p11ca_err *err)
{
    size_t max = room < READ_AHEAD ? room : READ_AHEAD;
    int rc = 1;

    for (*ret_n = 0; *ret_n < max; ++*ret_n) {
        struct flow_row *row = flow_at(f, f->read + *ret_n);

        memset(row, 0, sizeof(*row));
        row->ctx = f->order.ctx;
        rc = f->order.source->next(f->order.arg, row, err);
        if (rc != 1)
            break;
        row->state = row->prepared ? FLOW_PREPARED : FLOW_READ;
    }
    *ret_more = rc == 1;
    return rc;
}

/* With the lock, which is let go in between; whether there may be more at once. */
static bool fill(struct flow *f)
{
    size_t room = FLOW_ROWS - (f->read - f->told), n;
    struct p11ca_err err;
    bool more;
    int rc;

    /* Whoever waits for room is asked as soon as there is some. */
    f->woken = false;
    if (!room || f->source_ended || f->stopping)
        return false;
    pthread_mutex_unlock(&f->lock);
    rc = read_some(f, room, &n, &more, &err);
    pthread_mutex_lock(&f->lock);
    if (n && !f->waiting_since)
        f->waiting_since = clock_seconds();
    f->read += n;
    flow_advance(f, &f->prepared, f->read, FLOW_PREPARED);
    f->source_ended = rc == 0 || rc < 0;
    if (rc < 0)
        flow_die(f, &err);
    pthread_cond_broadcast(&f->work);
    return more;
}

static void release(struct flow_row *row)
{
    free(row->path);
    job_done(&row->job);
    lot_row_done(&row->in);
    memset(row, 0, sizeof(*row));
}

/* With the lock, which is let go in between. */
static void tell(struct flow *f)
{
    size_t first = f->told, end = f->marked, i;
    bool dead = f->dead;

    pthread_mutex_unlock(&f->lock);
    for (i = first; i < end; i++) {
        struct flow_row *row = flow_at(f, i);

        f->order.source->done(f->order.arg, row, row->dropped && dead ? &f->why : NULL);
        flow_forget(f, i);
        release(row);
    }
    pthread_mutex_lock(&f->lock);
    f->told = end;
}

/* Up to n; fewer when there are no more threads to be had. Under the lock. */
static void start_workers(struct flow *f, unsigned n)
{
    if (n > FLOW_WORKERS)
        n = FLOW_WORKERS;
    while (f->workers < n && pthread_create(&f->worker[f->workers], NULL, flow_work, f) == 0)
        f->workers++;
}

/* A token far away signs for many at once. */
static void grow(struct flow *f)
{
    if (f->samples < FLOW_SAMPLES || f->sign_wall < SLOW_TOKEN * f->sign_cpu)
        return;
    f->max_signing = f->sessions;
    f->is_far = true;
    start_workers(f, f->max_workers);
    f->max_workers = 0;
}

/* Seconds that a row waits at most. */
static double patience(const struct flow *f)
{
    return flow_for_stations(f) ? f->order.window : PATIENCE;
}

/* Until there is something to do, and no longer than a row may wait. */
static void wait_for_event(struct flow *f)
{
    struct timespec until;
    double left;

    if (f->told == f->read) {
        pthread_cond_wait(&f->event, &f->lock);
        return;
    }
    /* Workers tell of full turns only: a row that begins to wait meanwhile is not kept for longer. */
    left = flow_waiting(f) ? f->waiting_since + patience(f) - clock_seconds() : patience(f);
    if (left <= 0)
        return;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(left * 1e9);
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&f->event, &f->lock, &until);
}

static bool is_due(const struct flow *f)
{
    return flow_is_turn(f) || (flow_waiting(f) && clock_seconds() >= f->waiting_since + patience(f));
}

static bool is_over(const struct flow *f)
{
    return (f->source_ended || f->stopping) && f->told == f->read && !f->busy;
}

static void loop(struct flow *f)
{
    while (!is_over(f)) {
        bool more = fill(f);

        grow(f);
        if (!f->waiting_since && flow_waiting(f))
            f->waiting_since = clock_seconds();
        f->lost = f->lost && !f->dead;
        if (f->order.authority && flow_may_reopen(f)) {
            reopen(f);
        } else if (is_due(f)) {
            f->waiting_since = 0;
            flow_take_turn(f);
            if (flow_waiting(f) || f->prepared < f->read)
                f->waiting_since = clock_seconds();
        } else if (!more && f->told == f->marked && !f->woken && !is_over(f)) {
            wait_for_event(f);
        }
        tell(f);
    }
}

/* All rows are told of: what cannot be done now is no fault of theirs, and the next commit does it, or the next process. */
static void index_keys(struct flow *f)
{
    struct p11ca_err why;

    if (ledger_index_keys(f->order.ledger, &why) != 0)
        home_say(f->order.ctx.home, "%s: the index of keys is brought up later", why.msg);
}

unsigned flow_workers(const struct flow *f)
{
    return f->workers;
}

int flow_run(struct flow *f, struct p11ca_err *err)
{
    unsigned i;
    int rc = 0;

    flow_set_now(f); /* what the source did before may have taken minutes */
    if (f->order.source->publish && f->order.authority) {
        if (pthread_create(&f->publisher, NULL, flow_publish, f) != 0)
            return err_nomem(err);
        f->has_publisher = true;
    }
    /* Under the lock: a worker's share is a matter of how many there are. */
    pthread_mutex_lock(&f->lock);
    start_workers(f, f->order.jobs ? f->order.jobs : pool_cores() * (f->order.authority ? 1 : JUDGES));
    if (f->workers == 0)
        rc = err_set(err, P11CA_BUG, "THREADS", "no thread can be started");
    f->max_signing = (f->workers + 1) / 2 < f->sessions ? (f->workers + 1) / 2 : f->sessions;
    /* Stations have few rows in a turn, and wait for each. */
    if (f->order.authority && !flow_for_stations(f))
        ledger_defer_keys(f->order.ledger);
    if (rc == 0)
        loop(f);
    f->leaving = true;
    pthread_cond_broadcast(&f->work);
    pthread_cond_broadcast(&f->files);
    pthread_mutex_unlock(&f->lock);
    for (i = 0; i < f->workers; i++)
        pthread_join(f->worker[i], NULL);
    if (f->has_publisher)
        pthread_join(f->publisher, NULL);
    if (rc == 0 && f->dead) {
        *err = f->why;
        return -1;
    }
    if (rc == 0 && f->order.authority)
        index_keys(f);
    return rc;
}

void flow_stop(struct flow *f)
{
    pthread_mutex_lock(&f->lock);
    f->stopping = true;
    pthread_mutex_unlock(&f->lock);
}

void flow_wake(struct flow *f)
{
    pthread_mutex_lock(&f->lock);
    f->woken = true;
    pthread_cond_signal(&f->event);
    pthread_mutex_unlock(&f->lock);
}

int flow_open(struct flow **ret, const struct flow_order *order, struct p11ca_err *err)
{
    struct flow *f = calloc(1, sizeof(*f));
    pthread_condattr_t attr;

    if (!f)
        return err_nomem(err);
    f->order = *order;
    if (order->authority &&
        pipeline_signer(&f->signer, order->authority, order->ctx.issuer, order->expected, err) != 0) {
        free(f);
        return -1;
    }
    /* Some sign, some verify. */
    f->sessions = order->authority ? signer_sessions(order->authority->signer) : 0;
    f->max_workers = order->jobs || !order->authority ? 0 : f->sessions + pool_cores();
    if (f->max_workers > FLOW_WORKERS)
        f->max_workers = FLOW_WORKERS;
    pthread_mutex_init(&f->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&f->work, NULL);
    pthread_cond_init(&f->event, &attr);
    pthread_cond_init(&f->files, NULL);
    pthread_condattr_destroy(&attr);
    *ret = f;
    return 0;
}

void flow_close(struct flow *f)
{
    if (!f)
        return;
    pipeline_signer_done(&f->signer);
    pthread_cond_destroy(&f->work);
    pthread_cond_destroy(&f->event);
    pthread_cond_destroy(&f->files);
    pthread_mutex_destroy(&f->lock);
    free(f);
}
