#include "issue/stations.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/scope.h"
#include "issue/answer.h"
#include "issue/home.h"

/* At the end, milliseconds in which no station takes anything. */
#define PATIENCE 5000

/* Where each is in the list for poll(); a station has two places. */
enum { AT_WAKE, AT_STOP, AT_LISTEN, AT_STATIONS, N_POLLED = AT_STATIONS + 2 * LIMIT_STATIONS };

struct stations {
    const struct stations_order *order;
    struct flow *flow;
    pthread_mutex_t lock;
    pthread_cond_t news; /* a request, or the end */
    pthread_t thread;
    bool started;
    int wake;   /* eventfd: something to write, or to end */
    bool awake; /* it was told */

    struct station *slot[LIMIT_STATIONS]; /* NULL: free */
    struct request *first, **last;
    size_t n_stations, n_requests;
    bool stop_wanted;
    bool stopping; /* nothing is read */
    bool ended;    /* every line that was read has been in the queue */
    bool answered; /* and has its answer */
    bool failed;
    struct p11ca_err err;
};

/* With the lock. */
static void poke(struct stations *st)
{
    const uint64_t one = 1;
    ssize_t n = 0;

    while (!st->awake && n <= 0)
        n = write(st->wake, &one, sizeof(one));
    st->awake = true;
}

/* --- the thread of the stations, with the lock --- */

static void begin_stop(struct stations *st)
{
    size_t i;

    st->stopping = true;
    for (i = 0; i < LIMIT_STATIONS; i++) {
        if (st->slot[i])
            station_end(st->slot[i]);
    }
}

static void fail(struct stations *st, const struct p11ca_err *err)
{
    if (!st->failed)
        st->err = *err;
    st->failed = st->stop_wanted = true;
}

static bool add_station(struct stations *st, int in, int out, bool is_socket)
{
    size_t i = 0;

    while (i < LIMIT_STATIONS && st->slot[i])
        i++;
    if (i == LIMIT_STATIONS)
        return false;
    st->slot[i] = station_new(st->n_stations + 1, in, out, is_socket);
    st->n_stations += st->slot[i] != NULL;
    return st->slot[i] != NULL;
}

static bool is_allowed(const struct stations *st, uid_t uid)
{
    size_t i = 0;

    if (uid == geteuid())
        return true;
    while (i < st->order->n_uids && st->order->uids[i] != uid)
        i++;
    return i < st->order->n_uids;
}

/* As much as it takes at once: it is nobody to wait for. */
static void turn_away(const struct stations *st, int fd, const struct local_peer *who)
{
    AUTO_BUF text = BUF_INIT;
    struct p11ca_err err;

    err_set(&err, P11CA_REFUSED, "PEER", "station: want uid %u, or one that was allowed, have uid %u",
        (unsigned)geteuid(), (unsigned)who->uid);
    home_say(st->order->home, "pid %d: %s", (int)who->pid, err.msg);
    answer_add_error(&text, &err);
    if (buf_ok(&text))
        (void)!send(fd, text.p, text.len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void let_in(struct stations *st)
{
    struct local_peer who;
    AUTO_FD fd = local_accept(st->order->socket, &who);

    if (fd < 0)
        return;
    if (!is_allowed(st, who.uid)) {
        turn_away(st, fd, &who);
    } else if (add_station(st, fd, fd, true)) {
        (void)fd_take(&fd);
        home_detail(st->order->home, "station %zu: pid %d, uid %u: came", st->n_stations, (int)who.pid,
            (unsigned)who.uid);
    }
}

static void let_go(struct stations *st, struct station **slot)
{
    if ((*slot)->is_socket)
        home_detail(st->order->home, "station %zu: went, %zu requests%s", (*slot)->id, (*slot)->n_requests,
            (*slot)->gone ? ", without its last answers" : "");
    station_free(*slot);
    *slot = NULL;
}

/* Lines become requests; whether any did. */
static bool take_lines(struct stations *st, struct station *s)
{
    struct request *r;
    struct p11ca_err err;
    size_t before = st->n_requests;
    int rc;

    while ((rc = station_next(s, st->stopping, &r)) == 1) {
        *st->last = r;
        st->last = &r->next;
        st->n_requests++;
    }
    if (rc < 0) {
        err_nomem(&err);
        fail(st, &err);
        s->at = s->got.len;
    }
    return st->n_requests > before;
}

/* What all stations have said; whether that is news for who takes. */
static bool sweep(struct stations *st)
{
    bool news = false, was_ended = st->ended, left = false;
    size_t i;

    if (st->stop_wanted && !st->stopping)
        begin_stop(st);
    for (i = 0; i < LIMIT_STATIONS; i++) {
        struct station *s = st->slot[i];

        if (!s)
            continue;
        news |= take_lines(st, s);
        left |= s->at < s->got.len;
        /* The one station is all there is. */
        if (s->ended && !s->is_socket)
            st->stopping = true;
        if (station_is_done(s))
            let_go(st, &st->slot[i]);
    }
    st->ended = st->stopping && !left;
    return news || st->ended != was_ended;
}

static bool is_over(const struct stations *st)
{
    size_t i;

    if (!st->answered)
        return false;
    for (i = 0; i < LIMIT_STATIONS; i++) {
        if (st->slot[i] && station_owes(st->slot[i]))
            return false;
    }
    return true;
}

static bool is_full(const struct stations *st)
{
    size_t i = 0;

    while (i < LIMIT_STATIONS && st->slot[i])
        i++;
    return i == LIMIT_STATIONS;
}

static void set_polled(const struct stations *st, struct pollfd v[N_POLLED])
{
    bool listens = st->order->socket && !st->stopping && !is_full(st);
    size_t i;

    v[AT_WAKE] = (struct pollfd){.fd = st->wake, .events = POLLIN};
    v[AT_STOP] = (struct pollfd){.fd = st->stopping ? -1 : st->order->stop, .events = POLLIN};
    v[AT_LISTEN] = (struct pollfd){.fd = listens ? st->order->socket->fd : -1, .events = POLLIN};
    for (i = 0; i < LIMIT_STATIONS; i++) {
        const struct station *s = st->slot[i];
        struct pollfd *p = &v[AT_STATIONS + 2 * i];

        p[0] = (struct pollfd){.fd = s && station_wants(s) ? s->in : -1, .events = POLLIN};
        p[1] = (struct pollfd){.fd = s && station_owes(s) ? s->out : -1, .events = POLLOUT};
    }
}

static void serve_station(struct stations *st, struct station *s, const struct pollfd p[2])
{
    struct p11ca_err err;

    if (p[1].revents && station_owes(s) && station_write(s, &err) != 0)
        fail(st, &err);
    if (p[0].revents && station_wants(s) && station_read(s, &err) != 0)
        fail(st, &err);
}

static void handle(struct stations *st, const struct pollfd v[N_POLLED])
{
    uint64_t count;
    size_t i;

    if (v[AT_WAKE].revents && read(st->wake, &count, sizeof(count)) > 0)
        st->awake = false;
    if (v[AT_STOP].revents)
        st->stop_wanted = true;
    for (i = 0; i < LIMIT_STATIONS; i++) {
        if (st->slot[i])
            serve_station(st, st->slot[i], &v[AT_STATIONS + 2 * i]);
    }
    if (v[AT_LISTEN].revents)
        let_in(st);
}

/* Only stations on a socket are given up: who reads the other's answers may be slow. */
static bool wait_for_events(const struct stations *st, struct pollfd v[N_POLLED], bool at_end)
{
    int timeout = at_end && st->order->socket ? PATIENCE : -1, n;

    do {
        n = poll(v, N_POLLED, timeout);
    } while (n < 0 && errno == EINTR);
    return n != 0;
}

static void *work(void *p)
{
    struct stations *st = p;
    struct pollfd v[N_POLLED];
    bool news, at_end, over = false;

    pthread_mutex_lock(&st->lock);
    while (!over) {
        news = sweep(st);
        at_end = st->answered;
        if (is_over(st))
            break;
        set_polled(st, v);
        if (news)
            pthread_cond_signal(&st->news);
        pthread_mutex_unlock(&st->lock);
        if (news)
            flow_wake(st->flow);
        over = !wait_for_events(st, v, at_end);
        pthread_mutex_lock(&st->lock);
        handle(st, v);
    }
    pthread_mutex_unlock(&st->lock);
    return NULL;
}

/* --- who takes requests --- */

struct request *stations_take(struct stations *st, bool *ret_ended)
{
    struct request *r;

    pthread_mutex_lock(&st->lock);
    r = st->first;
    if (r) {
        st->first = r->next;
        if (!st->first)
            st->last = &st->first;
    }
    *ret_ended = st->ended;
    pthread_mutex_unlock(&st->lock);
    return r;
}

struct request *stations_wait(struct stations *st)
{
    struct request *r;
    bool ended;

    while (!(r = stations_take(st, &ended)) && !ended) {
        pthread_mutex_lock(&st->lock);
        if (!st->first && !st->ended)
            pthread_cond_wait(&st->news, &st->lock);
        pthread_mutex_unlock(&st->lock);
    }
    return r;
}

void stations_answer(struct stations *st, struct request *r, const struct buf *text)
{
    pthread_mutex_lock(&st->lock);
    station_answer(r, text);
    poke(st);
    pthread_mutex_unlock(&st->lock);
}

void stations_stop(struct stations *st)
{
    pthread_mutex_lock(&st->lock);
    st->stop_wanted = true;
    poke(st);
    pthread_mutex_unlock(&st->lock);
}

int stations_start(struct stations *st, struct flow *flow, struct p11ca_err *err)
{
    st->flow = flow;
    if (pthread_create(&st->thread, NULL, work, st) != 0)
        return err_nomem(err);
    st->started = true;
    return 0;
}

int stations_end(struct stations *st, struct p11ca_err *err)
{
    pthread_mutex_lock(&st->lock);
    st->answered = true;
    poke(st);
    pthread_mutex_unlock(&st->lock);
    pthread_join(st->thread, NULL);
    st->started = false;
    if (!st->failed)
        return 0;
    *err = st->err;
    return -1;
}

size_t stations_count(const struct stations *st, size_t *ret_requests)
{
    *ret_requests = st->n_requests;
    return st->n_stations;
}

int stations_open(struct stations **ret, const struct stations_order *order, struct p11ca_err *err)
{
    struct stations *st = calloc(1, sizeof(*st));

    if (!st)
        return err_nomem(err);
    st->order = order;
    st->last = &st->first;
    st->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (st->wake < 0 || (!order->socket && !add_station(st, order->in, order->out, false))) {
        err_errno(err, P11CA_BUG, "stations");
        scope_fd(&st->wake);
        free(st);
        return -1;
    }
    pthread_mutex_init(&st->lock, NULL);
    pthread_cond_init(&st->news, NULL);
    *ret = st;
    return 0;
}

void stations_close(struct stations *st)
{
    size_t i;

    if (!st)
        return;
    while (st->first) {
        struct request *r = st->first;

        st->first = r->next;
        request_free(r);
    }
    for (i = 0; i < LIMIT_STATIONS; i++)
        station_free(st->slot[i]);
    pthread_cond_destroy(&st->news);
    pthread_mutex_destroy(&st->lock);
    close(st->wake);
    free(st);
}
