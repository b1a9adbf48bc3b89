#include "issue/flow_state.h"

#include <string.h>

#include "base/clock.h"

/*
 * Signatures of a token that is a library come from the same processors, and of several at once most would wait for its
 * locks: there no more than half of the workers are at it while the others have something else to do. Each signs a run of
 * rows, so that the place at the token changes hands seldom; what comes back is verified in runs, too, by whoever has time.
 */
#define SIGN_RUN PIPELINE_RUN

/* A worker's cursor that nobody has asked for lately: what lies behind it may be another row's place by now. */
static void catch_up(size_t *cursor, size_t done)
{
    if (*cursor < done)
        *cursor = done;
}

bool flow_ends_all(const struct job *job)
{
    if (job->state != JOB_FAILED || job->err.kind == P11CA_REFUSED)
        return false;
    return job->err.kind != P11CA_FILE || strcmp(job->err.code, "DISK") == 0;
}

static double thread_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Whether the signature failed because of a token that may come back; then the row is as if nothing had happened. */
static bool took_back(struct flow *f, struct flow_row *row)
{
    if (row->job.state != JOB_FAILED || !signer_is_lost(&row->job.err))
        return false;
    pthread_mutex_lock(&f->lock);
    f->lost = true;
    f->lost_why = row->job.err;
    pthread_mutex_unlock(&f->lock);
    row->job.state = JOB_RESERVED;
    memset(&row->job.err, 0, sizeof(row->job.err));
    return true;
}

/* How long the quickest of the first few takes says where the token is. */
static void sample(struct flow *f, struct flow_row *row)
{
    double wall = clock_seconds(), cpu = thread_seconds();

    pipeline_sign(&row->job, &f->signer);
    wall = clock_seconds() - wall;
    cpu = thread_seconds() - cpu;
    pthread_mutex_lock(&f->lock);
    if (!f->samples++ || wall < f->sign_wall) {
        f->sign_wall = wall;
        f->sign_cpu = cpu;
    }
    pthread_mutex_unlock(&f->lock);
}

/* Rows that a worker has taken, and for what. */
struct run {
    void (*work)(struct flow *f, const struct run *run); /* begins without the lock and comes back with it */
    struct flow_row *row[SIGN_RUN];
    size_t n;
    bool is_sample; /* it is to be seen how long the token takes */
};

static void prepare(struct flow *f, const struct run *run)
{
    struct flow_row *row = run->row[0];

    f->order.source->prepare(f->order.arg, row);
    pthread_mutex_lock(&f->lock);
    row->state = FLOW_PREPARED;
    flow_advance(f, &f->prepared, f->read, FLOW_PREPARED);
    if (row->fatal)
        flow_die(f, &row->job.err);
}

/* Whether the next of a run is still to be signed. */
static bool goes_on(struct flow *f)
{
    bool on;

    pthread_mutex_lock(&f->lock);
    on = !f->dead && !f->lost;
    pthread_mutex_unlock(&f->lock);
    return on;
}

/* How many of the run: fewer when the token is lost. */
static size_t sign_rows(struct flow *f, const struct run *run)
{
    bool lost = false;
    size_t i;

    for (i = 0; i < run->n && !lost && (i == 0 || goes_on(f)); i++) {
        if (run->is_sample)
            sample(f, run->row[i]);
        else
            pipeline_sign(&run->row[i]->job, &f->signer);
        lost = took_back(f, run->row[i]);
    }
    return lost ? i - 1 : i;
}

/* Under the lock. */
static void signed_or_failed(struct flow *f, struct flow_row *row)
{
    row->state = FLOW_SIGNED;
    if (flow_ends_all(&row->job))
        flow_die(f, &row->job.err);
}

static void sign(struct flow *f, const struct run *run)
{
    size_t n = sign_rows(f, run), i;

    pthread_mutex_lock(&f->lock);
    f->signing--;
    f->with_signer--;
    f->n_signed += n;
    for (i = 0; i < n; i++) {
        if (run->row[i]->job.state == JOB_FAILED) {
            signed_or_failed(f, run->row[i]);
        } else {
            run->row[i]->state = FLOW_ANSWERED;
            f->answered[f->n_answered++ % FLOW_ROWS] = run->row[i];
        }
    }
    flow_advance(f, &f->signed_, f->reserved, FLOW_SIGNED);
}

static void verify(struct flow *f, const struct run *run)
{
    struct job *jobs[SIGN_RUN];
    size_t i;

    for (i = 0; i < run->n; i++)
        jobs[i] = &run->row[i]->job;
    pipeline_verify(jobs, run->n, &f->signer);
    pthread_mutex_lock(&f->lock);
    f->with_signer--;
    for (i = 0; i < run->n; i++)
        signed_or_failed(f, run->row[i]);
    flow_advance(f, &f->signed_, f->reserved, FLOW_SIGNED);
}

/* Under the lock: a run, but not more than each worker's share of what is there, and one by one of a token that is far away
 * or may be. */
static bool take_to_sign(struct flow *f, unsigned max_signing, struct run *run)
{
    bool one_by_one = f->is_far || f->samples < FLOW_SAMPLES;
    size_t want;

    if (f->lost || f->signing >= max_signing)
        return false;
    catch_up(&f->to_sign, f->signed_);
    want = one_by_one ? 1 : (f->reserved - f->to_sign + f->workers - 1) / f->workers;
    for (; f->to_sign < f->reserved && run->n < want && run->n < SIGN_RUN; f->to_sign++) {
        if (flow_at(f, f->to_sign)->state == FLOW_RESERVED)
            run->row[run->n++] = flow_at(f, f->to_sign);
    }
    if (run->n == 0)
        return false;
    run->work = sign;
    run->is_sample = f->samples < FLOW_SAMPLES;
    f->signing++;
    f->with_signer++;
    return true;
}

/* Under the lock. */
static bool take_to_verify(struct flow *f, size_t least, struct run *run)
{
    if (f->n_answered - f->to_verify < least)
        return false;
    while (f->to_verify < f->n_answered && run->n < SIGN_RUN)
        run->row[run->n++] = f->answered[f->to_verify++ % FLOW_ROWS];
    run->work = verify;
    f->with_signer++;
    return true;
}

/* Under the lock. */
static bool take_to_prepare(struct flow *f, struct run *run)
{
    catch_up(&f->to_prepare, f->prepared);
    while (f->to_prepare < f->read && flow_at(f, f->to_prepare)->state != FLOW_READ)
        f->to_prepare++;
    if (f->to_prepare == f->read || f->stopping)
        return false;
    run->row[run->n++] = flow_at(f, f->to_prepare++);
    run->work = prepare;
    return true;
}

/* When so many wait to be verified, nobody else has the time. Where signatures are slow these are few. */
static size_t max_answered(const struct flow *f)
{
    return f->is_far ? f->workers : 2 * SIGN_RUN;
}

/* Under the lock: signatures first, unless enough are at the token already; more of them are better than nothing to do.
 * For stations, whose rows are to be answered soon, what is signed is verified before more is. */
static bool take(struct flow *f, struct run *run)
{
    *run = (struct run){.n = 0};
    if (f->dead)
        return false;
    if (flow_for_stations(f))
        return take_to_verify(f, 1, run) || take_to_sign(f, f->max_signing, run) || take_to_prepare(f, run);
    if (take_to_verify(f, max_answered(f), run))
        return true;
    return take_to_sign(f, f->max_signing, run) || take_to_verify(f, SIGN_RUN, run) ||
           take_to_prepare(f, run) || take_to_verify(f, 1, run) || take_to_sign(f, f->sessions, run);
}

/* So many signatures are worth waking somebody to verify them: a run, or as many as a far token makes at once, because a
 * slow one's few must not wait for more. */
static size_t worth_waking(const struct flow *f)
{
    if (flow_for_stations(f) || f->samples < FLOW_SAMPLES)
        return 1;
    return f->is_far && f->sessions < SIGN_RUN ? f->sessions : SIGN_RUN;
}

/*
 * Under the lock: something is left for one who waits. Whoever comes back from the token asks for the next signature
 * himself: with another one woken for it, a far token would cost more switches than signatures.
 */
static void wake_another(struct flow *f)
{
    bool sign = !f->lost && f->signing < f->max_signing && f->to_sign < f->reserved;
    bool verify = f->n_answered - f->to_verify >= worth_waking(f);
    bool prepare = !f->stopping && f->to_prepare < f->read;

    if (sign || verify || prepare)
        pthread_cond_signal(&f->work);
}

/* Under the lock. */
static void tell_caller(struct flow *f)
{
    if (f->dead || flow_is_turn(f))
        pthread_cond_signal(&f->event);
}

void *flow_work(void *p)
{
    struct flow *f = p;
    struct run run;

    pthread_mutex_lock(&f->lock);
    while (!f->leaving) {
        if (!take(f, &run)) {
            tell_caller(f); /* only now it is known that there was nothing */
            pthread_cond_wait(&f->work, &f->lock);
            continue;
        }
        f->busy++;
        wake_another(f);
        pthread_mutex_unlock(&f->lock);
        run.work(f, &run);
        f->busy--;
        tell_caller(f);
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

/* --- the publisher --- */

/* Rows whose certificates are durable; those that have none are passed over. */
static size_t collect(struct flow *f, size_t first, size_t end, struct flow_row **list)
{
    size_t n = 0;

    for (; first < end; first++) {
        if (flow_at(f, first)->job.state == JOB_ISSUED && !flow_at(f, first)->dropped)
            list[n++] = flow_at(f, first);
    }
    return n;
}

static void publish_rows(struct flow *f, size_t first, size_t end)
{
    struct flow_row *list[FLOW_FILES];
    size_t n = collect(f, first, end, list), i;

    if (n)
        f->order.source->publish(f->order.arg, list, n);
    pthread_mutex_lock(&f->lock);
    for (i = 0; i < n; i++) {
        if (flow_ends_all(&list[i]->job))
            flow_die(f, &list[i]->job.err);
    }
    for (; first < end; first++)
        flow_at(f, first)->state = FLOW_PUBLISHED;
    f->published = end;
}

void *flow_publish(void *p)
{
    struct flow *f = p;
    size_t first, end;

    pthread_mutex_lock(&f->lock);
    while (!f->leaving) {
        first = f->to_publish;
        end = f->recorded - first > FLOW_FILES ? first + FLOW_FILES : f->recorded;
        if (first == end) {
            pthread_cond_wait(&f->files, &f->lock);
            continue;
        }
        f->to_publish = end;
        pthread_mutex_unlock(&f->lock);
        publish_rows(f, first, end);
        tell_caller(f);
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}
