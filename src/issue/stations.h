/*
 * Stations on their way in and out: one thread reads lines from all of them and gives them their answers; another one takes
 * the requests, in the order in which they came, and answers them.
 *
 * Order of calls: open, start, then take and answer..., stop when nothing more can be done, end when everything that was
 * taken is answered, close.
 */
#ifndef ISSUE_STATIONS_H
#define ISSUE_STATIONS_H

#include "base/local.h"
#include "issue/flow.h"
#include "issue/station.h"

struct stations;

struct stations_order {
    const struct p11ca_home *home; /* for talk */
    const struct local *socket;    /* NULL: the one station at */
    int in, out;
    int stop;             /* ends it when readable; -1: nothing does */
    const unsigned *uids; /* who may connect, beside this user */
    size_t n_uids;
};

/* Borrows the order. */
P11CA_CHECK int stations_open(
    struct stations **ret, const struct stations_order *order, struct p11ca_err *err);

/* From here on the flow is woken when there are requests. */
P11CA_CHECK int stations_start(struct stations *st, struct flow *flow, struct p11ca_err *err);

/* The next request; NULL: there is none now, and when *ret_ended none ever. */
struct request *stations_take(struct stations *st, bool *ret_ended);

/* The same, waiting until there is one; NULL: the end. */
struct request *stations_wait(struct stations *st);

/* Takes the request. */
void stations_answer(struct stations *st, struct request *r, const struct buf *text);

/* Nothing more is read. */
void stations_stop(struct stations *st);

/* Everything is answered: gives it to the stations, as far as they take it. Fails when reading or writing did, of the one. */
P11CA_CHECK int stations_end(struct stations *st, struct p11ca_err *err);

/* How many there were, and what they asked. After the end. */
size_t stations_count(const struct stations *st, size_t *ret_requests);

void stations_close(struct stations *st);

#endif
