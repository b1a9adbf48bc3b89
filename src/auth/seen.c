#include "auth/seen.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* A power of two: places are chosen by the first octets of the digest. */
#define PLACES 4096

struct place {
    uint8_t sha256[SHA256_LEN];
    uint8_t trusted; /* and one; 0: empty */
};

struct seen {
    pthread_mutex_t lock;
    struct place places[PLACES];
};

_Static_assert(LIMIT_CAS < UINT8_MAX, "trusted has one octet");

struct seen *seen_new(void)
{
    struct seen *seen = calloc(1, sizeof(*seen));

    if (seen)
        pthread_mutex_init(&seen->lock, NULL);
    return seen;
}

void seen_free(struct seen *seen)
{
    if (!seen)
        return;
    pthread_mutex_destroy(&seen->lock);
    free(seen);
}

static struct place *place_of(struct seen *seen, const uint8_t sha256[SHA256_LEN])
{
    return &seen->places[((unsigned)sha256[0] << 8 | sha256[1]) % PLACES];
}

int seen_find(struct seen *seen, const uint8_t sha256[SHA256_LEN])
{
    const struct place *p = place_of(seen, sha256);
    int trusted = -1;

    pthread_mutex_lock(&seen->lock);
    if (p->trusted && memcmp(p->sha256, sha256, SHA256_LEN) == 0)
        trusted = p->trusted - 1;
    pthread_mutex_unlock(&seen->lock);
    return trusted;
}

void seen_add(struct seen *seen, const uint8_t sha256[SHA256_LEN], size_t trusted)
{
    struct place *p = place_of(seen, sha256);

    pthread_mutex_lock(&seen->lock);
    memcpy(p->sha256, sha256, SHA256_LEN);
    p->trusted = (uint8_t)(trusted + 1);
    pthread_mutex_unlock(&seen->lock);
}
