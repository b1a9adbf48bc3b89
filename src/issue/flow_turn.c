#include "issue/flow_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "issue/publish.h"
#include "issue/reject.h"

/* Rows in which a turn deals with each kind: [first, end). */
struct span {
    size_t first, end;
};

static struct span span(size_t first, size_t end)
{
    return (struct span){first, end - first > FLOW_TURN ? first + FLOW_TURN : end};
}

/* Behind a row that has to wait for another, all have to. */
size_t flow_waiting(const struct flow *f)
{
    size_t n = f->signed_ - f->recorded;

    if (!f->stopping && !(f->blocked && n == 0) && f->prepared - f->reserved > n)
        n = f->prepared - f->reserved;
    return f->published - f->marked > n ? f->published - f->marked : n;
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

bool flow_may_reopen(const struct flow *f)
{
    return f->lost && f->with_signer == 0 && f->to_verify == f->n_answered;
}

bool flow_is_turn(const struct flow *f)
{
    if (flow_waiting(f) >= FLOW_TURN || flow_may_reopen(f))
        return true;
    if (!is_idle(f))
        return false;
    return flow_waiting(f) > 0 || (f->stopping && f->recorded < f->read);
}

/* Nothing more will be done for these: they go the rest of the way as they are. Under the lock. */
static void drop_rest(struct flow *f)
{
    size_t i;

    for (i = f->dead ? f->recorded : f->reserved; i < f->read; i++) {
        struct flow_row *row = flow_at(f, i);

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

void flow_forget(struct flow *f, size_t n)
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
    const struct tags own = tags_of(&flow_at(f, n)->job), *other;

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
    struct flow_row *row = flow_at(f, n);
    bool was_failed = row->job.state == JOB_FAILED;

    if (f->order.source->admit && row->job.state != JOB_FAILED)
        f->order.source->admit(f->order.arg, row);
    if (pipeline_reserve(f->order.ledger, &row->job, &row->ctx, err) != 0)
        return -1;
    /* What a station's line makes of itself is its own affair. */
    row->fatal = flow_ends_all(&row->job) && !(was_failed && f->order.alone);
    if (row->job.state == JOB_RESERVED)
        set_tags(f, n, tags_of(&row->job));
    return note_reject(f, row, err);
}

/* *s is shortened to what could be done. */
static int reserve(struct flow *f, struct span *s, size_t marking, bool *ret_blocked, struct p11ca_err *err)
{
    size_t i;

    for (i = s->first; i < s->end; i++) {
        if (flow_at(f, i)->job.state != JOB_FAILED && must_wait(f, marking, i))
            break;
        if (reserve_row(f, i, err) != 0)
            return -1;
        if (flow_at(f, i)->fatal) {
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
        struct flow_row *row = flow_at(f, i);

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
        struct flow_row *row = flow_at(f, i);

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
        struct flow_row *row = flow_at(f, i);

        if (row->job.state != JOB_FAILED && pipeline_look(f->order.ledger, &row->job, &row->ctx) == 0 &&
            f->order.source->admit)
            f->order.source->admit(f->order.arg, row);
        if (flow_ends_all(&row->job)) {
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
        if (flow_at(f, i)->job.state == JOB_SIGNED)
            flow_at(f, i)->job.state = JOB_ISSUED;
        flow_at(f, i)->state = files ? FLOW_RECORDED : FLOW_PUBLISHED;
    }
    for (i = t->reserve.first; i < t->reserve.end; i++) {
        flow_at(f, i)->state = flow_at(f, i)->job.state == JOB_RESERVED ? FLOW_RESERVED : FLOW_SIGNED;
        if (flow_at(f, i)->fatal)
            flow_die(f, &flow_at(f, i)->job.err);
    }
    f->reserved = t->reserve.end;
    flow_advance(f, &f->signed_, f->reserved, FLOW_SIGNED);
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
        flow_at(f, i)->state = FLOW_PUBLISHED;
    f->reserved = f->to_sign = f->signed_ = f->recorded = f->to_publish = f->published = f->marked = s->end;
}

/* The ledger cannot be written any more: what is in it is told, what is not has not happened. Under the lock. */
static void give_up(struct flow *f)
{
    size_t i;

    for (i = f->recorded; i < f->read; i++) {
        flow_at(f, i)->dropped = true;
        flow_at(f, i)->state = FLOW_PUBLISHED;
    }
    f->to_prepare = f->prepared = f->reserved = f->to_sign = f->signed_ = f->recorded = f->read;
    f->to_publish = f->published = f->marked = f->read;
}

void flow_set_now(struct flow *f)
{
    f->order.ctx.now = home_now(f->order.ctx.home);
    ledger_set_now(f->order.ledger, f->order.ctx.now);
}

void flow_take_turn(struct flow *f)
{
    struct p11ca_err err;
    struct turn t;
    int rc;

    if (f->stopping && is_idle(f))
        drop_rest(f);
    t = (struct turn){span(f->marked, f->published), span(f->recorded, f->signed_),
        span(f->reserved, f->stopping ? f->reserved : f->prepared), false};
    pthread_mutex_unlock(&f->lock);
    flow_set_now(f);
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
