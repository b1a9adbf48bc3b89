#include "x509/key.h"

#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/limits.h"
#include "x509/ossl.h"

int key_new(enum key_kind kind, unsigned bits, EVP_PKEY **ret, struct p11ca_err *err)
{
    static const char *const groups[] = {[KEY_P256] = "P-256", [KEY_P384] = "P-384", [KEY_P521] = "P-521"};
    EVP_PKEY *key;

    if (kind == KEY_RSA && (bits < 2048 || bits > LIMIT_RSA_BITS || bits % 8))
        return err_set(err, P11CA_REFUSED, "KEY_SHAPE",
            "new key: BR 6.1.5: want RSA of 2048 to %d bits, a multiple of 8, have %u", LIMIT_RSA_BITS, bits);
    key = kind == KEY_RSA ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits)
                          : EVP_PKEY_Q_keygen(NULL, NULL, "EC", groups[kind]);
    if (!key)
        return err_openssl(err, P11CA_BUG, "new key");
    *ret = key;
    return 0;
}

int key_to_pem(EVP_PKEY *key, struct secret *ret, struct p11ca_err *err)
{
    SCOPED(bio) BIO *bio = BIO_new(BIO_s_secmem()); /* wiped when freed */
    char *text = NULL, *copy;
    long len;

    if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
        return err_openssl(err, P11CA_BUG, "private key to PEM");
    len = BIO_get_mem_data(bio, &text);
    copy = len > 0 ? malloc((size_t)len + 1) : NULL;
    if (!copy)
        return err_nomem(err);
    memcpy(copy, text, (size_t)len);
    copy[len] = '\0';
    (void)mlock(copy, (size_t)len + 1); /* best effort, as for every secret */
    secret_done(ret);
    ret->p = copy;
    ret->len = (size_t)len;
    return 0;
}

/* Nobody is asked for a passphrase: an encrypted key is not one that we wrote. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
    (void)buf, (void)size, (void)writing, (void)arg;
    return -1;
}

int key_from_pem(const uint8_t *p, size_t len, EVP_PKEY **ret, struct p11ca_err *err)
{
    SCOPED(bio) BIO *bio = BIO_new_mem_buf(p, (int)len);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

    if (!key)
        return err_openssl(err, P11CA_REFUSED, "private key");
    *ret = key;
    return 0;
}
