/*
 * Rows on their way, many at a time. Each goes through the order of effects by itself, and in every step rows go in the
 * order in which they were read:
 *
 *   read       the caller's thread   next() of the source
 *   prepare    workers               prepare() of the source: parsed, checked, built, linted
 *   reserve    the caller's thread   look-ups, a serial
 *   sign       workers               through the token
 *   verify     workers               parsed anew, and the signature
 *   record     the caller's thread   the certificate
 *   publish    one thread            files
 *   tell       the caller's thread   marked as published; done() of the source
 *
 * The caller's thread is the ledger's one writer. It writes in turns: whatever waits for it - rows to reserve, to record,
 * to mark - goes into one durable transaction. A turn comes when enough rows wait, or when the workers have nothing to do
 * until it does, so that a single row is not kept waiting, and a full pipeline pays one sync for hundreds; and when a row
 * has waited for a second, so that few signatures of a slow token are lost with the process.
 *
 * A row that has the key or the device of one that is under way waits until that one is at the end: only then the ledger
 * can tell what to do about it.
 *
 * When the token is lost (session, device, login), signing stops; once what is under way has come back and is verified,
 * the authority is opened anew, once, and the rest is asked for again. A second loss without a signature in between ends
 * the flow.
 */
#ifndef ISSUE_FLOW_H
#define ISSUE_FLOW_H

#include "issue/lot_input.h"
#include "issue/pipeline.h"

#define FLOW_ROWS  2048 /* under way at once */
#define FLOW_TURN  512  /* rows of each kind in one transaction */
#define FLOW_FILES 256  /* rows published at once */

/* Of a digest: enough that nobody finds two inputs with one (2^64 tries). */
#define LOT_HASH 16

enum flow_state {
    FLOW_FREE,
    FLOW_READ,
    FLOW_PREPARED,
    FLOW_RESERVED, /* to be signed */
    FLOW_ANSWERED, /* a signature, to be verified */
    FLOW_SIGNED,   /* or nothing to sign */
    FLOW_RECORDED, /* durable */
    FLOW_PUBLISHED,
};

struct flow_row {
    struct lot_row in;
    struct job job;
    struct job_ctx ctx;        /* as it was when the row was read */
    char *path;                /* where it is published; NULL: nowhere */
    uint8_t content[LOT_HASH]; /* digest of everything that was read for it */
    bool fatal;                /* its error is one of the flow, not of the row */
    bool dropped;              /* the flow ended before it was its turn */
    bool noted;                /* its refusal is in the ledger */
    bool in_the_way;           /* something is where it is to be published */
    bool prepared;             /* by whoever read it: no worker has to */
    void *tag;                 /* the source's own */
    enum flow_state state;
};

struct flow_source {
    /* Fills the row (it is empty; ctx is set): 1, 0 the end, -1. FLOW_NOTHING_YET: asked again after flow_wake(). */
    int (*next)(void *arg, struct flow_row *row, struct p11ca_err *err);
    /* On a worker: makes row->job, with job_fail() when refused. */
    void (*prepare)(void *arg, struct flow_row *row);
    /* Before its serial is taken; may job_fail(). NULL: no more questions. */
    void (*admit)(void *arg, struct flow_row *row);
    /* On the publisher's thread: up to FLOW_FILES rows that are JOB_ISSUED, durable. May job_fail() each. NULL: no files. */
    void (*publish)(void *arg, struct flow_row **rows, size_t n);
    /* In order, when nothing more will happen to the row. why: what ended the flow before its turn; NULL unless dropped. */
    void (*done)(void *arg, struct flow_row *row, const struct p11ca_err *why);
};
#define FLOW_NOTHING_YET 2

struct flow;

struct flow_order {
    const struct flow_source *source;
    void *arg;
    struct job_ctx ctx; /* its now is set anew all the time */
    struct ledger *ledger;
    struct authority
        *authority;     /* NULL: rows are judged by what the ledger knows, and nothing is written or signed */
    const char *output; /* the directory that paths of rows begin with; NULL: none in particular */
    bool note;          /* ... but refusals, which the ledger keeps */
    bool alone;         /* each row stands for itself: its refusal may be an alarm, its answer publishes it */
    size_t expected;    /* signatures; 0: nobody knows */
    unsigned jobs;      /* workers; 0: as many as serve this machine and token best */
    double window; /* seconds that a row waits at most for others to share its transaction; 0: one second */
};

P11CA_CHECK int flow_open(struct flow **ret, const struct flow_order *order, struct p11ca_err *err);

/* To the end of the source, or until nothing can go on. Every row that was read is told, also then. */
P11CA_CHECK int flow_run(struct flow *f, struct p11ca_err *err);
void flow_close(struct flow *f);

/* After flow_run(): how many there were in the end. */
unsigned flow_workers(const struct flow *f);

/* From done(): no more rows are begun; what has its serial is finished. */
void flow_stop(struct flow *f);

/* From any thread: the source has something now, or ends. */
void flow_wake(struct flow *f);

#endif
