/*
 * For LD_PRELOAD in tests: a clock that is wrong, and a random generator that is broken.
 *
 *   P11CA_CLOCK=SECONDS   time() gives the true time and so many seconds more, or less (-3600)
 *   P11CA_RANDOM=HH       RAND_bytes() of libcrypto gives nothing but this octet, and says that all is well
 *
 * A bad value ends the process: a typo must not make a test pass.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int RAND_bytes(unsigned char *buf, int num);

static long number(const char *name, int base)
{
    const char *text = getenv(name);
    char *end;
    long n;

    if (!text)
        return 0;
    errno = 0;
    n = strtol(text, &end, base);
    if (errno || end == text || *end) {
        fprintf(stderr, "world.so: %s: bad value '%s'\n", name, text);
        abort();
    }
    return n;
}

time_t time(time_t *t)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec += number("P11CA_CLOCK", 10);
    if (t)
        *t = now.tv_sec;
    return now.tv_sec;
}

int RAND_bytes(unsigned char *buf, int num)
{
    int (*real)(unsigned char *buf, int num);

    if (!getenv("P11CA_RANDOM")) {
        *(void **)&real = dlsym(RTLD_NEXT, "RAND_bytes");
        return real(buf, num);
    }
    memset(buf, (int)number("P11CA_RANDOM", 16), (size_t)num);
    return 1;
}
