#include "x509/weak_list.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/text.h"

#define TAIL   10 /* octets that a list keeps of a digest */
#define DIGEST 20 /* of SHA-1: older than its breaks, and nobody gains by a key that looks weak */

struct weak_list {
    char **paths;
    size_t n_paths;
    pthread_mutex_t lock;
    bool loaded;
    struct buf tails; /* sorted once loaded, TAIL octets each */
};

int weak_list_new(
    const char *dir, const char *const *names, size_t n, struct weak_list **ret, struct p11ca_err *err)
{
    struct weak_list *list = calloc(1, sizeof(*list));

    if (!list)
        return err_nomem(err);
    pthread_mutex_init(&list->lock, NULL);
    list->paths = calloc(n + 1, sizeof(*list->paths));
    while (list->paths && list->n_paths < n &&
           (list->paths[list->n_paths] = path_join(dir, names[list->n_paths])))
        list->n_paths++;
    if (!list->paths || list->n_paths < n) {
        weak_list_free(list);
        return err_nomem(err);
    }
    *ret = list;
    return 0;
}

void weak_list_free(struct weak_list *list)
{
    size_t i;

    if (!list)
        return;
    for (i = 0; list->paths && i < list->n_paths; i++)
        free(list->paths[i]);
    free(list->paths);
    buf_done(&list->tails);
    pthread_mutex_destroy(&list->lock);
    free(list);
}

const char *weak_list_path(const struct weak_list *list, size_t i)
{
    return list && i < list->n_paths ? list->paths[i] : NULL;
}

/* --- reading --- */

static int read_line(
    const char *line, size_t len, const char *path, size_t number, struct buf *ret, struct p11ca_err *err)
{
    char hex[2 * TAIL + 1] = "";
    uint8_t tail[TAIL];

    if (len == 0 || line[0] == '#')
        return 0;
    if (len == 2 * TAIL)
        memcpy(hex, line, len);
    if (text_unhex(hex, tail, sizeof(tail)) != TAIL)
        return err_set(err, P11CA_CONFIG, "WEAK_KEYS",
            "%s:%zu: openssl-blacklist: want %d hexadecimal digits or a comment, have '%.*s'", path, number,
            2 * TAIL, (int)(len < 64 ? len : 64), line);
    buf_add(ret, tail, sizeof(tail));
    return 0;
}

static int read_list(const char *path, struct buf *ret, struct p11ca_err *err)
{
    AUTO_BUF file = BUF_INIT;
    const char *p, *end, *stop;
    size_t number, before = ret->len;

    if (file_read(path, LIMIT_WEAK_KEYS, &file, err) != 0) {
        err->kind = P11CA_CONFIG; /* the home is to blame, not the request */
        return err_prefix(err, "weak-keys");
    }
    p = (const char *)file.p;
    for (end = p + file.len, number = 1; p < end; p = stop + 1, number++) {
        stop = memchr(p, '\n', (size_t)(end - p));
        if (!stop)
            stop = end;
        if (read_line(p, (size_t)(stop - p), path, number, ret, err) != 0)
            return -1;
    }
    /* What protects from nothing was not meant: a download that failed, a wrong file. */
    if (buf_ok(ret) && ret->len == before)
        return err_set(
            err, P11CA_CONFIG, "WEAK_KEYS", "%s: openssl-blacklist: want at least one key, have none", path);
    return buf_ok(ret) ? 0 : err_nomem(err);
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, TAIL);
}

static int load(struct weak_list *list, struct p11ca_err *err)
{
    AUTO_BUF tails = BUF_INIT;
    size_t i;

    for (i = 0; i < list->n_paths; i++) {
        if (read_list(list->paths[i], &tails, err) != 0)
            return -1;
    }
    if (tails.len)
        qsort(tails.p, tails.len / TAIL, TAIL, compare);
    list->tails = tails;
    tails = (struct buf)BUF_INIT;
    list->loaded = true;
    return 0;
}

static int need(struct weak_list *list, struct p11ca_err *err)
{
    int rc;

    pthread_mutex_lock(&list->lock);
    rc = list->loaded ? 0 : load(list, err);
    pthread_mutex_unlock(&list->lock);
    return rc;
}

/* --- asking --- */

static int digest_of(const struct spki *s, uint8_t ret[DIGEST], struct p11ca_err *err)
{
    char hex[2 * LIMIT_RSA_BITS / 8 + 1];
    AUTO_BUF text = BUF_INIT;

    text_hex(s->der + s->n_at, s->n_len, hex);
    buf_addf(&text, "Modulus=%s\n", hex);
    if (!buf_ok(&text))
        return err_nomem(err);
    return hash_sha1(text.p, text.len, ret) == 0 ? 0 : err_openssl(err, P11CA_BUG, "SHA-1");
}

int weak_list_check(struct weak_list *list, const struct spki *s, struct p11ca_err *err)
{
    uint8_t digest[DIGEST];

    if (!list || s->kind != KEY_RSA)
        return 0;
    if (need(list, err) != 0 || digest_of(s, digest, err) != 0)
        return -1;
    if (!bsearch(digest + DIGEST - TAIL, list->tails.p, list->tails.len / TAIL, TAIL, compare))
        return 0;
    return err_set(err, P11CA_REFUSED, "KEY_DEBIAN",
        "public key: BR 6.1.1.3: want an RSA key of a sound generator, have one of a list of weak keys "
        "(CVE-2008-0166)");
}
