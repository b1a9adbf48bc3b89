/*
 * A worker pool for one loop: items 0 to n - 1 are taken by up to jobs threads, in order. A worker
 * touches only its item; results are in the items when pool_run() returns.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

typedef void pool_fn(void *arg, size_t i);

/* Runs on the calling thread too. When threads cannot be started, fewer do the work. */
void pool_run(unsigned jobs, size_t n, pool_fn *fn, void *arg);

/* Processors this process may use, at least 1. */
unsigned pool_cores(void);

#endif
