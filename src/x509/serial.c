#include "x509/serial.h"

#include <openssl/rand.h>
#include <string.h>
#include <unistd.h>

static int from_openssl(void *arg, uint8_t *p, size_t len)
{
    (void)arg;
    return RAND_bytes(p, (int)len) == 1 ? 0 : -1;
}

static _Thread_local struct serial_source of_thread = {.random = from_openssl};

/* The first octet is zero once in 128 draws; a source that gives it ten times in a row is broken. */
static int draw_head(struct serial_source *s, struct p11ca_err *err)
{
    int tries;

    for (tries = 0; tries < 10; tries++) {
        if (s->random(s->arg, s->head, sizeof(s->head)) != 0)
            return err_openssl(err, P11CA_BUG, "serial: random generator");
        s->head[0] &= 0x7f;
        if (s->head[0] != 0) {
            s->n_run = SERIAL_RUN;
            return 0;
        }
    }
    return err_set(err, P11CA_BUG, "RANDOM", "serial: the random generator gives zeros");
}

static int draw_own(struct serial_source *s, struct p11ca_err *err)
{
    if (s->random(s->arg, s->own[0], sizeof(s->own)) != 0)
        return err_openssl(err, P11CA_BUG, "serial: random generator");
    s->n_own = SERIAL_DRAW;
    return 0;
}

int serial_draw_from(struct serial_source *s, uint8_t ret[SERIAL_LEN], struct p11ca_err *err)
{
    if ((s->n_run == 0 && draw_head(s, err) != 0) || (s->n_own == 0 && draw_own(s, err) != 0))
        return -1;
    s->n_run--;
    memcpy(ret, s->head, SERIAL_HEAD);
    memcpy(ret + SERIAL_HEAD, s->own[--s->n_own], SERIAL_LEN - SERIAL_HEAD);
    return 0;
}

int serial_draw(uint8_t ret[SERIAL_LEN], struct p11ca_err *err)
{
    static _Thread_local pid_t process;

    /* After fork() both would draw the same. */
    if (process != getpid()) {
        process = getpid();
        of_thread.n_run = of_thread.n_own = 0;
    }
    return serial_draw_from(&of_thread, ret, err);
}
