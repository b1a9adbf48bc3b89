#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define MAX_THREADS 64

struct loop {
    atomic_size_t next;
    size_t n;
    pool_fn *fn;
    void *arg;
};

static void *work(void *p)
{
    struct loop *loop = p;
    size_t i;

    while ((i = atomic_fetch_add(&loop->next, 1)) < loop->n)
        loop->fn(loop->arg, i);
    return NULL;
}

void pool_run(unsigned jobs, size_t n, pool_fn *fn, void *arg)
{
    struct loop loop = {.n = n, .fn = fn, .arg = arg};
    pthread_t threads[MAX_THREADS];
    unsigned started = 0;

    atomic_init(&loop.next, 0);
    if (jobs > n)
        jobs = (unsigned)n;
    while (started + 1 < jobs && started < MAX_THREADS) {
        if (pthread_create(&threads[started], NULL, work, &loop) != 0)
            break;
        started++;
    }
    work(&loop);
    while (started)
        pthread_join(threads[--started], NULL);
}

unsigned pool_cores(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

    return n > 0 ? (unsigned)n : 1;
}
