/*
 * One station: what came from it and is not yet a request, what it was answered and has not taken. Nothing here blocks, and
 * nothing locks: issue/stations.h does.
 */
#ifndef ISSUE_STATION_H
#define ISSUE_STATION_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

struct station;

struct request {
    struct request *next;
    struct station *from;
    size_t number;   /* of the station, from 1 */
    struct buf text; /* the line */
    bool too_large;  /* there was more of it */
};
void request_free(struct request *r);

struct station {
    size_t id;
    int in, out;
    bool is_socket; /* one descriptor for both, and ours */
    bool ended;     /* nothing more comes */
    bool gone;      /* nobody takes answers */
    bool skips;     /* the rest of a line that was too long */
    struct buf got; /* unread from at on */
    size_t at, n_lines;
    size_t n_requests, under_way;
    struct buf answers; /* unsent from sent on */
    size_t sent;
};

struct station *station_new(size_t id, int in, int out, bool is_socket);
void station_free(struct station *s);

/* Whether more may be read. */
bool station_wants(const struct station *s);
bool station_owes(const struct station *s);

/* Whether it has nothing to say, to wait for or to take any more. */
bool station_is_done(const struct station *s);

/* Once, when something can be read or written. An error ends the station; one of a socket is no news. */
P11CA_CHECK int station_read(struct station *s, struct p11ca_err *err);
P11CA_CHECK int station_write(struct station *s, struct p11ca_err *err);

/* The next whole line that is not empty: 1, 0 there is none or it may not have more under way, -1 no memory. */
int station_next(struct station *s, bool stopping, struct request **ret);

/* What is no whole line is forgotten; what is, stays. */
void station_end(struct station *s);

/* Takes the request. */
void station_answer(struct request *r, const struct buf *text);

#endif
