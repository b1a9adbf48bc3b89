#include "x509/verifier.h"

#include <pthread.h>

#include "base/hash.h"

/* A key object whose point is replaced, and the context of it. */
struct holder {
    EVP_PKEY *key;
    EVP_PKEY_CTX *ctx;
};

struct kept {
    EVP_PKEY_CTX *ctx; /* has a reference to the key: nothing else can come to its address */
    const EVP_PKEY *key;
    const struct sigalg *alg;
    struct holder holders[KEY_KINDS]; /* one of each curve */
};

static _Thread_local struct kept of_thread;
static pthread_key_t thread_key;
static pthread_once_t thread_once = PTHREAD_ONCE_INIT;
static bool thread_ok;

static void holder_done(struct holder *h)
{
    EVP_PKEY_CTX_free(h->ctx);
    EVP_PKEY_free(h->key);
    *h = (struct holder){NULL, NULL};
}

static void kept_done(void *p)
{
    struct kept *k = p;
    size_t i;

    for (i = 0; i < KEY_KINDS; i++)
        holder_done(&k->holders[i]);
    EVP_PKEY_CTX_free(k->ctx);
    *k = (struct kept){.ctx = NULL};
}

static void make_thread_key(void)
{
    thread_ok = pthread_key_create(&thread_key, kept_done) == 0;
}

/* The calling thread's; NULL: no memory. What is set for the key is what its end is called for. */
static struct kept *kept(void)
{
    pthread_once(&thread_once, make_thread_key);
    if (!thread_ok || (!pthread_getspecific(thread_key) && pthread_setspecific(thread_key, &of_thread) != 0))
        return NULL;
    return &of_thread;
}

/* PKCS #1 puts the digest's name into the signature; ECDSA takes the digest as it is. */
static bool start(EVP_PKEY_CTX *ctx, const struct sigalg *alg)
{
    return ctx && EVP_PKEY_verify_init(ctx) == 1 &&
           (!alg->rsa || EVP_PKEY_CTX_set_signature_md(ctx, hash_md(alg->digest)) == 1);
}

EVP_PKEY_CTX *verifier_new(EVP_PKEY *pub, const struct sigalg *alg)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pub, NULL);

    if (start(ctx, alg))
        return ctx;
    EVP_PKEY_CTX_free(ctx);
    return NULL;
}

EVP_PKEY_CTX *verifier_of_key(EVP_PKEY *pub, const struct sigalg *alg)
{
    struct kept *k = kept();

    if (!k || (k->ctx && k->key == pub && k->alg == alg))
        return k ? k->ctx : NULL;
    EVP_PKEY_CTX_free(k->ctx);
    k->ctx = verifier_new(pub, alg);
    k->key = pub;
    k->alg = alg;
    return k->ctx;
}

static int fill(struct holder *h, const struct spki *s, struct p11ca_err *err)
{
    if (h->key)
        return spki_set_point(h->key, s, err);
    if (spki_evp1(s, &h->key, err) != 0)
        return -1;
    h->ctx = EVP_PKEY_CTX_new_from_pkey(NULL, h->key, NULL);
    return h->ctx ? 0 : err_openssl(err, P11CA_BUG, "key object");
}

/* Started for every point: only then does libcrypto say that the context has the key as it is now. */
int verifier_of_point(
    const struct spki *s, const struct sigalg *alg, EVP_PKEY_CTX **ret, struct p11ca_err *err)
{
    struct kept *k = kept();
    int rc;

    if (!k)
        return err_nomem(err);
    rc = fill(&k->holders[s->kind], s, err);
    if (rc == 0 && !start(k->holders[s->kind].ctx, alg))
        rc = err_openssl(err, P11CA_BUG, "verify with %s", alg->text);
    if (rc != 0)
        holder_done(&k->holders[s->kind]);
    else
        *ret = k->holders[s->kind].ctx;
    return rc;
}
