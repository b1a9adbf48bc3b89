/*
 * Streams: requests that come one by one, from stations that stay. A request is a line of NDJSON, as a row of a manifest
 * with its request or key in the line itself; its answer is a line of JSON, written as soon as the certificate is durable,
 * in the order of the station's requests. A line stands alone: whatever is wrong with it rejects it, and the stream goes on.
 * See p11ca(1), STATIONS.
 *
 * A request that comes again - its answer got lost, or anybody was killed - has the same certificate for an answer.
 */
#ifndef P11CA_STREAM_H
#define P11CA_STREAM_H

#include <stddef.h>

#include <p11ca/home.h>

struct p11ca_stream {
    const char *authority;
    const char *profile; /* of every request that names none; through a socket it may name no other */
    const char *output;  /* directory, made when absent: DEVICE.crt, too; NULL: answers only */
    const char *ticket;  /* a lot ticket, as in struct p11ca_lot: for as long as it lasts */
    unsigned jobs;       /* threads; 0: as many as cores */
};

struct p11ca_stream_result {
    size_t stations, requests, issued, reused, rejected, not_tried;
    double seconds;
};

/*
 * One station: reads in_fd to its end, answers on out_fd, which both stay the caller's. When stop_fd becomes readable nothing
 * more is read; what was is answered. The same when out_fd has no reader any more (EPIPE; the caller ignores SIGPIPE).
 * stop_fd -1: none.
 *
 * When nothing can go on (token, ledger, disk), requests under way are answered NOT-TRIED with the reason, which is also the
 * error. Rejections are none. ret is also filled when this fails.
 */
P11CA_API P11CA_CHECK int p11ca_stream_fd(struct p11ca_home *home, const struct p11ca_stream *stream,
    int in_fd, int out_fd, int stop_fd, struct p11ca_stream_result *ret, struct p11ca_err *err);

struct p11ca_socket {
    const char *path; /* its directory exists; an old socket of ours on which nobody listens is replaced */
    const unsigned *
        uids; /* of stations that may connect, beside our own; with any, the socket has mode 0666, else 0600 */
    size_t n_uids;
};

/*
 * As many stations as come, through a Unix socket, until stop_fd becomes readable. Then what was read is answered, and the
 * socket removed. A station of another user gets one line with an error, code PEER, and is closed. A station that does not read
 * its answers is not read any more, and holds up nobody else; at the end it has five seconds to begin.
 *
 * OUTPUT_EXISTS: something is in the path's place, or somebody listens there. Else as p11ca_stream_fd().
 */
P11CA_API P11CA_CHECK int p11ca_serve(struct p11ca_home *home, const struct p11ca_stream *stream,
    const struct p11ca_socket *socket, int stop_fd, struct p11ca_stream_result *ret, struct p11ca_err *err);

#endif
