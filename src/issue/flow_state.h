/*
 * What the threads of a flow share: flow_work.c has the workers and the publisher, flow_turn.c the ledger's one writer,
 * flow.c the caller's thread, which reads, takes the turns and tells.
 */
#ifndef ISSUE_FLOW_STATE_H
#define ISSUE_FLOW_STATE_H

#include <pthread.h>

#include "issue/flow.h"

#define FLOW_WORKERS 64 /* at most */
#define FLOW_SAMPLES 8  /* signatures after which it is known where the token is */

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

    pthread_t worker[FLOW_WORKERS], publisher;
    bool has_publisher;
    struct tags tags[FLOW_ROWS]; /* of those that have a serial and are not told yet */
    uint16_t tagged[TAG_PLACES];
    struct flow_row row[FLOW_ROWS];
};

static inline struct flow_row *flow_at(struct flow *f, size_t n)
{
    return &f->row[n % FLOW_ROWS];
}

/* Under the lock: the end of those that have reached the state. */
static inline void flow_advance(struct flow *f, size_t *cursor, size_t end, enum flow_state state)
{
    while (*cursor < end && flow_at(f, *cursor)->state >= state)
        ++*cursor;
}

static inline void flow_die(struct flow *f, const struct p11ca_err *why)
{
    if (!f->dead)
        f->why = *why;
    f->dead = f->stopping = true;
}

static inline bool flow_for_stations(const struct flow *f)
{
    return f->order.window > 0;
}

/* Whether what befell the row ends all, and not only the row. */
bool flow_ends_all(const struct job *job);

/* The threads: p is the flow. */
void *flow_work(void *p);
void *flow_publish(void *p);

/* Under the lock, as all that follow. Whether the caller's thread has something to do but reading. */
bool flow_is_turn(const struct flow *f);

/* Rows that wait for the ledger, of the kind that most do. */
size_t flow_waiting(const struct flow *f);

/* The token was lost, and everything that came from it before has been verified. */
bool flow_may_reopen(const struct flow *f);

/* What waits for the ledger goes into it, in one transaction. The lock is let go in between. */
void flow_take_turn(struct flow *f);

/* Row n is told: nobody has to wait for it. Without the lock. */
void flow_forget(struct flow *f, size_t n);

/* The clock of rows and ledger is set anew. Without the lock. */
void flow_set_now(struct flow *f);

#endif
