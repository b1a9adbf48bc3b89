/*
 * Contexts for verifying that a thread keeps: setting one up costs a twentieth of a verification. EVP_PKEY_verify(3)
 * allows any number of verifications with one context; it belongs to one thread, so each has its own, which end with
 * it.
 */
#ifndef X509_VERIFIER_H
#define X509_VERIFIER_H

#include <openssl/evp.h>

#include "x509/sigalg.h"

/* A context of one's own, with what the algorithm needs set; caller frees. NULL: libcrypto's queue says why. */
EVP_PKEY_CTX *verifier_new(EVP_PKEY *pub, const struct sigalg *alg);

/*
 * The calling thread's for this key, the same one while it asks for the same key and algorithm. Good until the thread's
 * next call of a function of this header. Keeps a reference to the key, which must not change after that.
 */
EVP_PKEY_CTX *verifier_of_key(EVP_PKEY *pub, const struct sigalg *alg);

/*
 * The calling thread's for an EC key given by its bytes: one key object of the curve, which holds one point after the
 * other. Good as above. KEY_INVALID when the point is not on the curve.
 */
P11CA_CHECK int verifier_of_point(
    const struct spki *s, const struct sigalg *alg, EVP_PKEY_CTX **ret, struct p11ca_err *err);

#endif
