/*
 * Public keys as their SubjectPublicKeyInfo bytes. spki_read() takes the one encoding each kind has, so equal
 * keys have equal bytes and their digest can be compared. The struct holds no pointers: copy it freely.
 *
 * Refusals (P11CA_REFUSED): KEY_TYPE, KEY_CURVE, KEY_EXPLICIT_PARAMS, KEY_COMPRESSED, KEY_INVALID,
 * KEY_EXPONENT, KEY_TOO_SMALL, KEY_SHAPE, KEY_ROCA, KEY_SMALL_FACTOR, KEY_CLOSE_PRIMES.
 */
#ifndef X509_SPKI_H
#define X509_SPKI_H

#include <openssl/evp.h>

#include "x509/der.h"

enum key_kind { KEY_P256, KEY_P384, KEY_P521, KEY_RSA, KEY_KINDS };
#define KEY_BIT(kind) (1u << (kind))

#define SPKI_MAX 1152 /* RSA-8192 with an exponent of 256 bits is 1,094 bytes */

struct spki {
    enum key_kind kind;
    unsigned bits;            /* 256, 384, 521, or of the RSA modulus */
    uint16_t len;             /* of der */
    uint16_t key_at, key_len; /* content of the BIT STRING: the EC point 04 X Y, or the RSAPublicKey */
    uint16_t n_at, n_len;     /* RSA modulus, no leading zero */
    uint16_t e_at, e_len;     /* RSA exponent, no leading zero */
    uint8_t der[SPKI_MAX];
};

static inline struct der spki_der(const struct spki *s)
{
    return DER_OF(s->der, s->len);
}

/* Content of the BIT STRING. */
static inline struct der spki_key(const struct spki *s)
{
    return DER_OF(s->der + s->key_at, s->key_len);
}

/*
 * DER of one SubjectPublicKeyInfo, whole. Form, size and exponent are checked here; whether an EC point is on
 * its curve by spki_check_point(), and by spki_evp1(), which every use of the key goes through.
 */
P11CA_CHECK int spki_read(const uint8_t *p, size_t len, struct spki *ret, struct p11ca_err *err);

/* As spki_read() for "-----BEGIN PUBLIC KEY-----" or DER from a file (PEM_MULTI, PRIVATE_KEY_SEEN,
 * INPUT_TYPE), with the point and the strength checked. */
P11CA_CHECK int spki_read_file(const uint8_t *p, size_t len, struct spki *ret, struct p11ca_err *err);

/* SP 800-56A 5.6.2.3: KEY_INVALID when an EC point is not on its curve. Thread safe; a tenth of spki_evp1(). */
P11CA_CHECK int spki_check_point(const struct spki *s, struct p11ca_err *err);

/* RSA keys of generators known to be broken: ROCA (CVE-2017-15361), a factor below 4096, primes too close
 * together (Fermat, 100 rounds). Other kinds pass at once. Costs 0.2 ms for RSA-2048. BR 6.1.1.3 and 6.1.6. Lists of
 * keys are in weak_list.h. */
P11CA_CHECK int spki_check_weak(const struct spki *s, struct p11ca_err *err);

/* A key object for verifying; caller frees. Thread safe, without OpenSSL's decoders (16 us for P-256). */
P11CA_CHECK int spki_evp1(const struct spki *s, EVP_PKEY **ret, struct p11ca_err *err);

/*
 * Puts the point of s into a key object of its curve, in the place of the one that is there: a quarter of the work of
 * spki_evp1(). KEY_INVALID when it is not on the curve; then the object is good for nothing but to be freed.
 */
P11CA_CHECK int spki_set_point(EVP_PKEY *key, const struct spki *s, struct p11ca_err *err);

/* Appends the SubjectPublicKeyInfo of a key object, token keys included. */
P11CA_CHECK int spki_from_evp(EVP_PKEY *key, struct buf *ret, struct p11ca_err *err);

/* spki_from_evp() and spki_read() in one. */
P11CA_CHECK int spki_of_key(EVP_PKEY *key, struct spki *ret, struct p11ca_err *err);

/* SHA-1 of the BIT STRING content: RFC 5280 4.2.1.2 method 1. */
#define SKI_LEN 20
P11CA_CHECK int spki_ski(const struct spki *s, uint8_t ret[SKI_LEN], struct p11ca_err *err);

/* SHA-256 of the whole SubjectPublicKeyInfo: what keys are compared by. */
P11CA_CHECK int spki_sha256(const struct spki *s, uint8_t ret[32], struct p11ca_err *err);

/* "EC P-256", "RSA 3072"; returns dst. */
#define SPKI_TEXT 16
const char *spki_text(const struct spki *s, char dst[SPKI_TEXT]);

bool spki_equal(const struct spki *a, const struct spki *b);

#endif
