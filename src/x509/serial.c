#include "x509/serial.h"

#include <openssl/rand.h>
#include <string.h>

static int from_openssl(void *arg, uint8_t *p, size_t len)
{
    (void)arg;
    return RAND_bytes(p, (int)len) == 1 ? 0 : -1;
}

int serial_draw_from(serial_random_fn *fn, void *arg, uint8_t ret[SERIAL_LEN], struct p11ca_err *err)
{
    uint8_t draw[SERIAL_LEN];
    int tries;

    /* The first octet is zero once in 128 draws; a source that gives it ten times in a row is broken. */
    for (tries = 0; tries < 10; tries++) {
        if (fn(arg, draw, sizeof(draw)) != 0)
            return err_openssl(err, P11CA_BUG, "serial: random generator");
        draw[0] &= 0x7f;
        if (draw[0] != 0) {
            memcpy(ret, draw, sizeof(draw));
            return 0;
        }
    }
    return err_set(err, P11CA_BUG, "RANDOM", "serial: the random generator gives zeros");
}

int serial_draw(uint8_t ret[SERIAL_LEN], struct p11ca_err *err)
{
    return serial_draw_from(from_openssl, NULL, ret, err);
}
