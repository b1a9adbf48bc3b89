#include "base/hash.h"

#include <pthread.h>
#include <string.h>

static struct {
    const char *name;
    EVP_MD *md;
} mds[] = {{"SHA256", NULL}, {"SHA384", NULL}, {"SHA512", NULL}, {"SHA1", NULL}};

static pthread_once_t once = PTHREAD_ONCE_INIT;

/*
 * Fetching is a look-up through every provider; a fetched digest halves the cost of a short hash.
 * Never freed: OpenSSL's own clean-up at exit comes before any of ours could.
 */
static void fetch(void)
{
    size_t i;

    for (i = 0; i < sizeof(mds) / sizeof(mds[0]); i++)
        mds[i].md = EVP_MD_fetch(NULL, mds[i].name, NULL);
}

const EVP_MD *hash_md(const char *name)
{
    size_t i;

    pthread_once(&once, fetch);
    for (i = 0; i < sizeof(mds) / sizeof(mds[0]); i++) {
        if (strcmp(mds[i].name, name) == 0)
            return mds[i].md;
    }
    return NULL;
}

int hash_by_name(const char *name, const void *p, size_t len, uint8_t ret[HASH_MAX], size_t *ret_len)
{
    const EVP_MD *md = hash_md(name);
    unsigned n;

    if (!md || EVP_Digest(p, len, ret, &n, md, NULL) != 1)
        return -1;
    *ret_len = n;
    return 0;
}

static int digest(const char *name, const void *p, size_t len, uint8_t *ret)
{
    const EVP_MD *md = hash_md(name);

    return md && EVP_Digest(p, len, ret, NULL, md, NULL) == 1 ? 0 : -1;
}

int hash_sha256(const void *p, size_t len, uint8_t ret[SHA256_LEN])
{
    return digest("SHA256", p, len, ret);
}

int hash_sha1(const void *p, size_t len, uint8_t ret[20])
{
    return digest("SHA1", p, len, ret);
}
