#include "x509/verifier.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/hash.h"

/* A key object whose point is replaced, and the context of it. */
struct slot {
    EVP_PKEY *key;
    EVP_PKEY_CTX *ctx;
};

struct kept {
    EVP_PKEY_CTX *ctx; /* has a reference to the key: nothing else can come to its address */
    const EVP_PKEY *key;
    const struct sigalg *alg;
    struct slot slots[KEY_KINDS]; /* one of each curve */
};

static pthread_key_t thread_key;
static pthread_once_t thread_once = PTHREAD_ONCE_INIT;
static bool thread_ok;

static void slot_done(struct slot *slot)
{
    EVP_PKEY_CTX_free(slot->ctx);
    EVP_PKEY_free(slot->key);
    *slot = (struct slot){NULL, NULL};
}

static void kept_free(void *p)
{
    struct kept *k = p;
    size_t i;

    for (i = 0; i < KEY_KINDS; i++)
        slot_done(&k->slots[i]);
    EVP_PKEY_CTX_free(k->ctx);
    free(k);
}

static void make_thread_key(void)
{
    thread_ok = pthread_key_create(&thread_key, kept_free) == 0;
}

/* The calling thread's; NULL: no memory. */
static struct kept *kept(void)
{
    struct kept *k;

    pthread_once(&thread_once, make_thread_key);
    if (!thread_ok)
        return NULL;
    k = pthread_getspecific(thread_key);
    if (k)
        return k;
    k = calloc(1, sizeof(*k));
    if (k && pthread_setspecific(thread_key, k) != 0) {
        free(k);
        k = NULL;
    }
    return k;
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

static int fill(struct slot *slot, const struct spki *s, struct p11ca_err *err)
{
    if (slot->key)
        return spki_set_point(slot->key, s, err);
    if (spki_evp1(s, &slot->key, err) != 0)
        return -1;
    slot->ctx = EVP_PKEY_CTX_new_from_pkey(NULL, slot->key, NULL);
    return slot->ctx ? 0 : err_openssl(err, P11CA_BUG, "key object");
}

/* Started for every point: only then does libcrypto say that the context has the key as it is now. */
int verifier_of_point(
    const struct spki *s, const struct sigalg *alg, EVP_PKEY_CTX **ret, struct p11ca_err *err)
{
    struct kept *k = kept();
    int rc;

    if (!k)
        return err_nomem(err);
    rc = fill(&k->slots[s->kind], s, err);
    if (rc == 0 && !start(k->slots[s->kind].ctx, alg))
        rc = err_openssl(err, P11CA_BUG, "verify with %s", alg->text);
    if (rc != 0)
        slot_done(&k->slots[s->kind]);
    else
        *ret = k->slots[s->kind].ctx;
    return rc;
}
