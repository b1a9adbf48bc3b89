/* Software keys, for --new-key: the one place where a private key exists outside a token, and never a CA's.
 */
#ifndef X509_KEY_H
#define X509_KEY_H

#include "base/secret.h"
#include "x509/spki.h"

/* bits: of an RSA modulus, ignored for other kinds. Caller frees with EVP_PKEY_free(). */
P11CA_CHECK int key_new(enum key_kind kind, unsigned bits, EVP_PKEY **ret, struct p11ca_err *err);

/* PKCS #8, PEM, not encrypted. */
P11CA_CHECK int key_to_pem(EVP_PKEY *key, struct secret *ret, struct p11ca_err *err);

/* The one private key in unencrypted PEM: an interrupted run finds its own again. P11CA_REFUSED when it is none. */
P11CA_CHECK int key_from_pem(const uint8_t *p, size_t len, EVP_PKEY **ret, struct p11ca_err *err);

#endif
