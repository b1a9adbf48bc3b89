/*
 * For LD_PRELOAD in tests: a clock that is wrong, a random generator that is broken, an older kernel.
 *
 *   P11CA_CLOCK=SECONDS   time() gives the true time and so many seconds more, or less (-3600)
 *   P11CA_RANDOM=HH       RAND_bytes() of libcrypto gives nothing but this octet, and says that all is well
 *   P11CA_OLD_LINK=1      linkat() by the descriptor alone is refused, as by Linux before 6.10
 *
 * A bad value ends the process: a typo must not make a test pass.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    int (*real)(int from_dir, const char *from, int to_dir, const char *to, int flags);

    if (number("P11CA_OLD_LINK", 10) && (flags & AT_EMPTY_PATH)) {
        errno = ENOENT;
        return -1;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "linkat");
    return real(from_dir, from, to_dir, to, flags);
}
