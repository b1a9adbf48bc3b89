#include "issue/station.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "issue/lot_lines.h"

#define CHUNK (64 * 1024)

/* A line and what lines_trim() takes off. */
#define LONGEST (LIMIT_ROW + 4)

/* What a pipe takes without blocking once poll() says that it takes something (POSIX, PIPE_BUF). */
#define PIECE 4096

void request_free(struct request *r)
{
    if (!r)
        return;
    buf_done(&r->text);
    free(r);
}

struct station *station_new(size_t id, int in, int out, bool is_socket)
{
    struct station *s = calloc(1, sizeof(*s));

    if (s)
        *s = (struct station){.id = id, .in = in, .out = out, .is_socket = is_socket};
    return s;
}

void station_free(struct station *s)
{
    if (!s)
        return;
    if (s->is_socket)
        close(s->in);
    buf_done(&s->got);
    buf_done(&s->answers);
    free(s);
}

static size_t unsent(const struct station *s)
{
    return s->answers.len - s->sent;
}

bool station_wants(const struct station *s)
{
    return !s->ended && s->under_way < LIMIT_UNDERWAY && unsent(s) < LIMIT_UNSENT;
}

bool station_owes(const struct station *s)
{
    return !s->gone && unsent(s) > 0;
}

bool station_is_done(const struct station *s)
{
    return s->ended && s->under_way == 0 && s->at == s->got.len && !station_owes(s);
}

/* What was begun is in the ledger; what was not is not begun. */
static void lose(struct station *s)
{
    s->ended = s->gone = true;
    s->at = s->got.len;
}

static bool is_for_later(void)
{
    return errno == EINTR || errno == EAGAIN;
}

int station_read(struct station *s, struct p11ca_err *err)
{
    uint8_t chunk[CHUNK];
    ssize_t n = read(s->in, chunk, sizeof(chunk));

    if (n < 0 && is_for_later())
        return 0;
    if (n == 0)
        s->ended = true;
    if (n < 0) {
        lose(s);
        return s->is_socket ? 0 : err_errno(err, P11CA_FILE, "standard input: read");
    }
    /* The front is used up: what is left is less than a line. */
    s->got.len -= s->at;
    if (s->got.len)
        memmove(s->got.p, s->got.p + s->at, s->got.len);
    s->at = 0;
    buf_add(&s->got, chunk, (size_t)n);
    return buf_ok(&s->got) ? 0 : err_nomem(err);
}

static ssize_t put(const struct station *s, const void *p, size_t len)
{
    if (s->is_socket)
        return send(s->out, p, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    return write(s->out, p, len < PIECE ? len : PIECE);
}

int station_write(struct station *s, struct p11ca_err *err)
{
    ssize_t n = put(s, s->answers.p + s->sent, unsent(s));

    if (n < 0 && is_for_later())
        return 0;
    if (n < 0) {
        lose(s);
        return s->is_socket || errno == EPIPE ? 0 : err_errno(err, P11CA_FILE, "standard output: write");
    }
    s->sent += (size_t)n;
    if (unsent(s) == 0) {
        s->sent = 0;
        buf_reset(&s->answers);
    }
    return 0;
}

/* Up to a line feed, the end, or more than a line may have. */
static bool take_line(struct station *s, const uint8_t **ret, size_t *ret_len, bool *ret_cut)
{
    const uint8_t *p = s->got.p + s->at, *feed;
    size_t left = s->got.len - s->at;

    if (left == 0)
        return false;
    feed = memchr(p, '\n', left);
    if (!feed && !s->ended && left <= LONGEST)
        return false;
    *ret = p;
    *ret_len = feed ? (size_t)(feed - p) : left;
    *ret_cut = !feed;
    s->at += *ret_len + (feed != NULL);
    return true;
}

static struct request *make(struct station *s, const uint8_t *p, size_t len)
{
    struct request *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    buf_add(&r->text, p, len);
    if (!buf_ok(&r->text)) {
        request_free(r);
        return NULL;
    }
    lines_trim(&r->text, 0, s->n_lines++ == 0);
    r->too_large = r->text.len > LIMIT_ROW;
    r->from = s;
    return r;
}

static bool may_take(const struct station *s, bool stopping)
{
    return s->under_way < LIMIT_UNDERWAY && (stopping || unsent(s) < LIMIT_UNSENT);
}

int station_next(struct station *s, bool stopping, struct request **ret)
{
    const uint8_t *p;
    struct request *r;
    bool cut, skip;
    size_t len;

    while (may_take(s, stopping) && take_line(s, &p, &len, &cut)) {
        skip = s->skips;
        s->skips = cut;
        if (skip)
            continue;
        r = make(s, p, len);
        if (!r)
            return -1;
        if (r->text.len) {
            r->number = ++s->n_requests;
            s->under_way++;
            *ret = r;
            return 1;
        }
        request_free(r);
    }
    return 0;
}

void station_end(struct station *s)
{
    const uint8_t *feed;

    if (s->ended)
        return;
    s->ended = true;
    feed = s->got.len > s->at ? memrchr(s->got.p + s->at, '\n', s->got.len - s->at) : NULL;
    s->got.len = feed ? (size_t)(feed + 1 - s->got.p) : s->at;
}

/* What was sent goes away before the buffer grows for it. */
static void make_room(struct station *s)
{
    size_t left = unsent(s);

    if (s->sent < left)
        return;
    if (left)
        memcpy(s->answers.p, s->answers.p + s->sent, left);
    s->answers.len = left;
    s->sent = 0;
}

void station_answer(struct request *r, const struct buf *text)
{
    struct station *s = r->from;

    s->under_way--;
    make_room(s);
    if (!s->gone)
        buf_add(&s->answers, text->p, text->len);
    /* A station that would miss an answer has to ask again. */
    if (!buf_ok(&s->answers) || !buf_ok(text))
        lose(s);
    request_free(r);
}
