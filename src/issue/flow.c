#include "issue/flow.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/pool.h"
#include "issue/publish.h"
#include "issue/reject.h"

#define MAX_WORKERS 64
#define READ_AHEAD  256 /* rows read before workers are told */

/* Where nothing is signed, workers for each core: some of them wait for the disk, which has the files of the rows. */
#define JUDGES 3

/*
 * Signatures of a token that is a library come from the same processors, and of several at once most would wait for its
 * locks: there no more than half of the workers are at it while the others have something else to do. Each signs a run of
 * rows, so that the place at the token changes hands seldom; what comes back is verified in runs, too, by whoever has time.
 *
 * A token that needs this much more time than processor is somewhere else: more signatures at once cost nothing, and who
 * has one asks for the next. The quickest of the first few decides: on a busy machine any of them may have waited for a
 * processor.
 */
#define SIGN_RUN     PIPELINE_RUN
#define SLOW_TOKEN   3.0
#define SLOW_SAMPLES 8

/* Seconds after which what waits for the ledger is written, without others to share the transaction: a slow token would
 * make few signatures into a full turn, and whoever pulls the plug loses them. */
#define PATIENCE 1.0

/* What rows are compared by; 0: none. */
struct tags {
    uint64_t key, device;
};

/* How many rows under way have a tag in each place: of most rows it says that no other can have the same. */
#define TAG_PLACES 32768

/*
 * Rows are numbered as they are read; cursors are the number of the next row for a step. For each:
 *   told <= marked <= published <= recorded <= signed_ <= reserved <= prepared <= read
 * and no more than FLOW_ROWS lie between the first and the last. to_prepare and to_sign are the next that a worker takes,
 * to_publish the next of the publisher. All of it is under the lock; a row belongs to whoever has taken it.
 */
struct flow {
    struct flow_order order;
    struct pipeline_signer signer;
    pthread_mutex_t lock;
    pthread_cond_t work, event, files;

    size_t read, to_prepare, prepared, reserved, to_sign, signed_, recorded, to_publish, published, marked,
        told;

    struct flow_row *answered[FLOW_ROWS]; /* in the order of the signatures; [to_verify, n_answered) */
    size_t n_answered, to_verify;

    unsigned workers, max_workers, busy;
    unsigned signing;     /* at the token */
    unsigned max_signing; /* at most so many, and as sessions: one more would wait inside libp11 */
    unsigned sessions;
    bool is_far;          /* the token: a place at it is not left empty */
    unsigned with_signer; /* they, and those that verify what came back */
    bool source_ended;    /* there are no more rows */
    bool woken;           /* the source may have something */
    bool stopping;        /* no more serials */
    bool dead;            /* nothing more is signed or written: why says it */
    bool leaving;         /* threads end */
    struct p11ca_err why;

    bool blocked; /* the next row to reserve waits for one that is under way */
    bool lost;    /* the token is */
    struct p11ca_err lost_why;
    size_t n_signed, signed_at_loss; /* the latter: when it was lost last; 0: never */
    double sign_wall, sign_cpu;      /* of the quickest of so many samples */
    unsigned samples;
    double waiting_since; /* the oldest row that waits for a turn, by the clock; 0: none does */

    char output[3072]; /* where order.output is, from the root; empty: not known yet */

    pthread_t worker[MAX_WORKERS], publisher;
    bool has_publisher;
    struct tags tags[FLOW_ROWS]; /* of those that have a serial and are not told yet */
    uint16_t tagged[TAG_PLACES];
    struct flow_row row[FLOW_ROWS];
};

static struct flow_row *at(struct flow *f, size_t n)
{
    return &f->row[n % FLOW_ROWS];
}

/* Under the lock: the end of those that have reached the state. */
static void advance(struct flow *f, size_t *cursor, size_t end, enum flow_state state)
{
    while (*cursor < end && at(f, *cursor)->state >= state)
        ++*cursor;
}

/* A worker's cursor that nobody has asked for lately: what lies behind it may be another row's place by now. */
static void catch_up(size_t *cursor, size_t done)
{
    if (*cursor < done)
        *cursor = done;
}

static void flow_die(struct flow *f, const struct p11ca_err *why)
{
    if (!f->dead)
        f->why = *why;
    f->dead = f->stopping = true;
}

static bool for_stations(const struct flow *f)
{
    return f->order.window > 0;
}

/* --- workers --- */

/* What only ends a row, and what ends all. */
static bool ends_all(const struct job *job)
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
    advance(f, &f->prepared, f->read, FLOW_PREPARED);
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
    if (ends_all(&row->job))
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
    advance(f, &f->signed_, f->reserved, FLOW_SIGNED);
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
    advance(f, &f->signed_, f->reserved, FLOW_SIGNED);
}

/* Under the lock: a run, but not more than each worker's share of what is there, and one by one of a token that is far away
 * or may be. */
static bool take_to_sign(struct flow *f, unsigned max_signing, struct run *run)
{
    bool one_by_one = f->is_far || f->samples < SLOW_SAMPLES;
    size_t want;

    if (f->lost || f->signing >= max_signing)
        return false;
    catch_up(&f->to_sign, f->signed_);
    want = one_by_one ? 1 : (f->reserved - f->to_sign + f->workers - 1) / f->workers;
    for (; f->to_sign < f->reserved && run->n < want && run->n < SIGN_RUN; f->to_sign++) {
        if (at(f, f->to_sign)->state == FLOW_RESERVED)
            run->row[run->n++] = at(f, f->to_sign);
    }
    if (run->n == 0)
        return false;
    run->work = sign;
    run->is_sample = f->samples < SLOW_SAMPLES;
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
    while (f->to_prepare < f->read && at(f, f->to_prepare)->state != FLOW_READ)
        f->to_prepare++;
    if (f->to_prepare == f->read || f->stopping)
        return false;
    run->row[run->n++] = at(f, f->to_prepare++);
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
    if (for_stations(f))
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
    if (for_stations(f) || f->samples < SLOW_SAMPLES)
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

static bool is_turn(const struct flow *f);

/* Under the lock. */
static void tell_caller(struct flow *f)
{
    if (f->dead || is_turn(f))
        pthread_cond_signal(&f->event);
}

static void *work(void *p)
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
        if (at(f, first)->job.state == JOB_ISSUED && !at(f, first)->dropped)
            list[n++] = at(f, first);
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
        if (ends_all(&list[i]->job))
            flow_die(f, &list[i]->job.err);
    }
    for (; first < end; first++)
        at(f, first)->state = FLOW_PUBLISHED;
    f->published = end;
}

static void *publisher(void *p)
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

/* --- turns --- */

/* Rows in which a turn deals with each kind: [first, end). */
struct span {
    size_t first, end;
};

static struct span span(size_t first, size_t end)
{
    return (struct span){first, end - first > FLOW_TURN ? first + FLOW_TURN : end};
}

/* Rows that wait for the ledger, of the kind that most do. Behind a row that has to wait for another, all have to. */
static size_t waiting(const struct flow *f)
{
    size_t n = f->signed_ - f->recorded;

    if (!f->stopping && !(f->blocked && n == 0) && f->prepared - f->reserved > n)
        n = f->prepared - f->reserved;
    return f->published - f->marked > n ? f->published - f->marked : n;
}

unsigned flow_workers(const struct flow *f)
{
    return f->workers;
}

static bool is_idle(const struct flow *f)
{
    if (f->busy)
        return false;
    if (f->dead)
        return true;
    return f->to_verify == f->n_answered && (f->lost || f->to_sign >= f->reserved) &&
           (f->stopping || f->to_prepare >= f->read);
}

/* The token was lost, and everything that came from it before has been verified. */
static bool may_reopen(const struct flow *f)
{
    return f->lost && f->with_signer == 0 && f->to_verify == f->n_answered;
}

/* Under the lock: whether the caller's thread has something to do but reading. */
static bool is_turn(const struct flow *f)
{
    if (waiting(f) >= FLOW_TURN || may_reopen(f))
        return true;
    if (!is_idle(f))
        return false;
    return waiting(f) > 0 || (f->stopping && f->recorded < f->read);
}

/* Nothing more will be done for these: they go the rest of the way as they are. Under the lock. */
static void drop_rest(struct flow *f)
{
    size_t i;

    for (i = f->dead ? f->recorded : f->reserved; i < f->read; i++) {
        struct flow_row *row = at(f, i);

        if (row->state >= FLOW_SIGNED && i < f->signed_)
            continue;
        row->dropped = i >= f->reserved || row->job.state == JOB_NEW || row->job.state == JOB_RESERVED;
        if (row->state < FLOW_SIGNED)
            row->state = FLOW_SIGNED;
    }
    f->to_prepare = f->prepared = f->reserved = f->to_sign = f->signed_ = f->read;
}

/* FNV-1a: a row that waits for another for nothing, once in 2^64, is no harm. */
static uint64_t tag_of(const void *p, size_t len)
{
    const uint8_t *octets = p;
    uint64_t tag = 0xcbf29ce484222325;

    while (len--)
        tag = (tag ^ *octets++) * 0x100000001b3;
    return tag | 1;
}

static struct tags tags_of(const struct job *job)
{
    size_t len = strlen(job->device);

    return (struct tags){tag_of(job->spki_sha256, sizeof(uint64_t)), len ? tag_of(job->device, len) : 0};
}

static uint16_t *place(struct flow *f, uint64_t tag)
{
    return &f->tagged[(tag >> 1) % TAG_PLACES];
}

static void set_tags(struct flow *f, size_t n, struct tags tags)
{
    f->tags[n % FLOW_ROWS] = tags;
    if (tags.key)
        ++*place(f, tags.key);
    if (tags.device)
        ++*place(f, tags.device);
}

static void clear_tags(struct flow *f, size_t n)
{
    struct tags *tags = &f->tags[n % FLOW_ROWS];

    if (tags->key)
        --*place(f, tags->key);
    if (tags->device)
        --*place(f, tags->device);
    *tags = (struct tags){0, 0};
}

/* Whether a row that is under way, from the first one given on, has the same key or device. */
static bool must_wait(struct flow *f, size_t first, size_t n)
{
    const struct tags own = tags_of(&at(f, n)->job), *other;

    if (!*place(f, own.key) && !(own.device && *place(f, own.device)))
        return false;
    for (; first < n; first++) {
        other = &f->tags[first % FLOW_ROWS];
        if (other->key == own.key || (own.device && other->device == own.device))
            return true;
    }
    return false;
}

static int note_reject(struct flow *f, struct flow_row *row, struct p11ca_err *err)
{
    const struct job *job = &row->job;
    const char *profile = job->in.profile ? job->in.profile->name : NULL;
    const struct ledger_event e = {
        .kind = "reject", .authority = row->ctx.authority->name, .profile = profile, .detail = job->err.msg};

    if (job->state != JOB_FAILED || job->reserved || row->noted || row->dropped)
        return 0;
    row->noted = true;
    if (f->order.alone)
        return reject_note(f->order.ledger, e.authority, profile, &job->err, err);
    return ledger_event(f->order.ledger, &e, err);
}

static int reserve_row(struct flow *f, size_t n, struct p11ca_err *err)
{
    struct flow_row *row = at(f, n);
    bool was_failed = row->job.state == JOB_FAILED;

    if (f->order.source->admit && row->job.state != JOB_FAILED)
        f->order.source->admit(f->order.arg, row);
    if (pipeline_reserve(f->order.ledger, &row->job, &row->ctx, err) != 0)
        return -1;
    /* What a station's line makes of itself is its own affair. */
    row->fatal = ends_all(&row->job) && !(was_failed && f->order.alone);
    if (row->job.state == JOB_RESERVED)
        set_tags(f, n, tags_of(&row->job));
    return note_reject(f, row, err);
}

/* *s is shortened to what could be done. */
static int reserve(struct flow *f, struct span *s, size_t marking, bool *ret_blocked, struct p11ca_err *err)
{
    size_t i;

    for (i = s->first; i < s->end; i++) {
        if (at(f, i)->job.state != JOB_FAILED && must_wait(f, marking, i))
            break;
        if (reserve_row(f, i, err) != 0)
            return -1;
        if (at(f, i)->fatal) {
            i++;
            break;
        }
    }
    *ret_blocked = i < s->end;
    s->end = i;
    return 0;
}

/* Without a file, the answer is what publishes. */
static int answer(struct flow *f, const struct flow_row *row, struct p11ca_err *err)
{
    const struct job *job = &row->job;
    bool is_new = job->state == JOB_SIGNED || (job->state == JOB_ISSUED && job->outcome == P11CA_FINISHED);

    return f->order.alone && is_new && !row->path ? ledger_publish(f->order.ledger, job->row, NULL, err) : 0;
}

static int record(struct flow *f, const struct span *s, struct p11ca_err *err)
{
    size_t i;

    for (i = s->first; i < s->end; i++) {
        struct flow_row *row = at(f, i);

        if (!row->dropped &&
            (pipeline_record(f->order.ledger, &row->job, &row->ctx, err) != 0 || answer(f, row, err) != 0))
            return -1;
    }
    return 0;
}

/* The ledger has paths from the root, whatever folder the program was started in. */
static int mark_row(struct flow *f, const struct flow_row *row, struct p11ca_err *err)
{
    size_t len = f->order.output ? strlen(f->order.output) : 0;
    char path[4096];

    if (!f->output[0] && len && (!realpath(f->order.output, path) || strlen(path) >= sizeof(f->output)))
        len = 0;
    else if (!f->output[0] && len)
        memcpy(f->output, path, strlen(path) + 1);
    if (!len || strncmp(row->path, f->order.output, len) != 0)
        return publish_mark(f->order.ledger, &row->job, row->path, err);
    snprintf(path, sizeof(path), "%s/%s", f->output, row->path + len + (row->path[len] == '/'));
    return ledger_publish(f->order.ledger, row->job.row, path, err);
}

static int mark(struct flow *f, const struct span *s, struct p11ca_err *err)
{
    size_t i;

    for (i = s->first; i < s->end; i++) {
        struct flow_row *row = at(f, i);

        if (row->job.state == JOB_ISSUED && row->path && !row->dropped && mark_row(f, row, err) != 0)
            return -1;
        if (note_reject(f, row, err) != 0)
            return -1;
    }
    return 0;
}

struct turn {
    struct span mark, record, reserve;
    bool blocked; /* not all could be reserved */
};

static int write_turn(struct flow *f, struct turn *t, struct p11ca_err *err)
{
    struct ledger *l = f->order.ledger;
    bool durable = t->record.first < t->record.end || t->reserve.first < t->reserve.end;

    if ((durable ? ledger_begin(l, err) : ledger_begin_lazy(l, err)) != 0)
        return -1;
    if (mark(f, &t->mark, err) == 0 && record(f, &t->record, err) == 0 &&
        reserve(f, &t->reserve, t->mark.end, &t->blocked, err) == 0)
        return ledger_commit(l, err);
    ledger_rollback(l);
    return -1;
}

/* Without an authority: what the ledger says of each, and no more. */
static int judge_rows(struct flow *f, const struct span *s, struct p11ca_err *err)
{
    size_t i;

    for (i = s->first; i < s->end; i++) {
        struct flow_row *row = at(f, i);

        if (row->job.state != JOB_FAILED && pipeline_look(f->order.ledger, &row->job, &row->ctx) == 0 &&
            f->order.source->admit)
            f->order.source->admit(f->order.arg, row);
        if (ends_all(&row->job)) {
            *err = row->job.err;
            return -1;
        }
        if (f->order.note && note_reject(f, row, err) != 0)
            return -1;
    }
    return 0;
}

static int judge(struct flow *f, const struct span *s, struct p11ca_err *err)
{
    struct ledger *l = f->order.ledger;
    int rc;

    if ((f->order.note ? ledger_begin(l, err) : ledger_begin_read(l, err)) != 0)
        return -1;
    rc = judge_rows(f, s, err);
    if (rc == 0 && f->order.note)
        return ledger_commit(l, err);
    ledger_rollback(l);
    return rc;
}

/* Under the lock: where the rows of a turn that is durable are now. */
static void moved(struct flow *f, const struct turn *t)
{
    bool files = f->has_publisher;
    size_t i;

    for (i = t->record.first; i < t->record.end; i++) {
        if (at(f, i)->job.state == JOB_SIGNED)
            at(f, i)->job.state = JOB_ISSUED;
        at(f, i)->state = files ? FLOW_RECORDED : FLOW_PUBLISHED;
    }
    for (i = t->reserve.first; i < t->reserve.end; i++) {
        at(f, i)->state = at(f, i)->job.state == JOB_RESERVED ? FLOW_RESERVED : FLOW_SIGNED;
        if (at(f, i)->fatal)
            flow_die(f, &at(f, i)->job.err);
    }
    f->reserved = t->reserve.end;
    advance(f, &f->signed_, f->reserved, FLOW_SIGNED);
    f->blocked = t->blocked;
    f->recorded = t->record.end;
    f->marked = t->mark.end;
    /* Nobody will mark what was waited for: it is at its end now. */
    if (!files && t->record.first < t->record.end)
        f->blocked = false;
    if (!files)
        f->to_publish = f->published = f->marked = f->recorded;
    pthread_cond_broadcast(&f->work);
    if (files)
        pthread_cond_signal(&f->files);
}

static void judged(struct flow *f, const struct span *s)
{
    size_t i;

    for (i = s->first; i < s->end; i++)
        at(f, i)->state = FLOW_PUBLISHED;
    f->reserved = f->to_sign = f->signed_ = f->recorded = f->to_publish = f->published = f->marked = s->end;
}

/* The ledger cannot be written any more: what is in it is told, what is not has not happened. Under the lock. */
static void give_up(struct flow *f)
{
    size_t i;

    for (i = f->recorded; i < f->read; i++) {
        at(f, i)->dropped = true;
        at(f, i)->state = FLOW_PUBLISHED;
    }
    f->to_prepare = f->prepared = f->reserved = f->to_sign = f->signed_ = f->recorded = f->read;
    f->to_publish = f->published = f->marked = f->read;
}

static void set_now(struct flow *f)
{
    f->order.ctx.now = home_now(f->order.ctx.home);
    ledger_set_now(f->order.ledger, f->order.ctx.now);
}

/* With the lock, which is let go in between. */
static void take_turn(struct flow *f)
{
    struct p11ca_err err;
    struct turn t;
    int rc;

    if (f->stopping && is_idle(f))
        drop_rest(f);
    t = (struct turn){span(f->marked, f->published), span(f->recorded, f->signed_),
        span(f->reserved, f->stopping ? f->reserved : f->prepared), false};
    pthread_mutex_unlock(&f->lock);
    set_now(f);
    rc = f->order.authority ? write_turn(f, &t, &err) : judge(f, &t.reserve, &err);
    pthread_mutex_lock(&f->lock);
    if (rc != 0) {
        flow_die(f, &err);
        while (f->busy || (f->has_publisher && f->published < f->recorded))
            pthread_cond_wait(&f->event, &f->lock);
        give_up(f);
    } else if (f->order.authority) {
        moved(f, &t);
    } else {
        judged(f, &t.reserve);
    }
}

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
        struct flow_row *row = at(f, f->read + *ret_n);

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
    advance(f, &f->prepared, f->read, FLOW_PREPARED);
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
        struct flow_row *row = at(f, i);

        f->order.source->done(f->order.arg, row, row->dropped && dead ? &f->why : NULL);
        clear_tags(f, i);
        release(row);
    }
    pthread_mutex_lock(&f->lock);
    f->told = end;
}

/* Up to n; fewer when there are no more threads to be had. Under the lock. */
static void start_workers(struct flow *f, unsigned n)
{
    if (n > MAX_WORKERS)
        n = MAX_WORKERS;
    while (f->workers < n && pthread_create(&f->worker[f->workers], NULL, work, f) == 0)
        f->workers++;
}

/* A token far away signs for many at once. */
static void grow(struct flow *f)
{
    if (f->samples < SLOW_SAMPLES || f->sign_wall < SLOW_TOKEN * f->sign_cpu)
        return;
    f->max_signing = f->sessions;
    f->is_far = true;
    start_workers(f, f->max_workers);
    f->max_workers = 0;
}

/* Seconds that a row waits at most. */
static double patience(const struct flow *f)
{
    return for_stations(f) ? f->order.window : PATIENCE;
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
    left = waiting(f) ? f->waiting_since + patience(f) - clock_seconds() : patience(f);
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
    return is_turn(f) || (waiting(f) && clock_seconds() >= f->waiting_since + patience(f));
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
        if (!f->waiting_since && waiting(f))
            f->waiting_since = clock_seconds();
        f->lost = f->lost && !f->dead;
        if (may_reopen(f)) {
            reopen(f);
        } else if (is_due(f)) {
            f->waiting_since = 0;
            take_turn(f);
            if (waiting(f) || f->prepared < f->read)
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

int flow_run(struct flow *f, struct p11ca_err *err)
{
    unsigned i;
    int rc = 0;

    set_now(f); /* what the source did before may have taken minutes */
    if (f->order.source->publish && f->order.authority) {
        if (pthread_create(&f->publisher, NULL, publisher, f) != 0)
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
    if (f->order.authority && !for_stations(f))
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
    if (f->max_workers > MAX_WORKERS)
        f->max_workers = MAX_WORKERS;
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
