/*
 * Signatures of one P-256 key that has made very many of them, ECDSA with SHA-256 (FIPS 186-5 6.4.2). The arithmetic is
 * libcrypto's. What is saved: multiples of the key's point are in a table, as those of the generator always are, and one
 * modular inversion serves for several signatures. A third of the time of EVP_PKEY_verify() where libcrypto has code of its
 * own for the curve (nistz256: amd64, arm64); with its general code nothing is won.
 *
 * It is for what one's own token has just signed: nothing that comes from outside is verified with it.
 */
#ifndef X509_P256_TABLE_H
#define X509_P256_TABLE_H

#include "base/hash.h"
#include "x509/spki.h"

struct p256_table;

#define P256_BATCH 16 /* signatures that share an inversion */

struct p256_signature {
    uint8_t sha256[SHA256_LEN]; /* of what was signed */
    struct der sig;             /* Ecdsa-Sig-Value, RFC 3279 2.2.3 */
    bool good;                  /* the answer */
};

/* Takes 40 ms of processor and 150 kB. P11CA_BUG when the key is of another kind. Caller frees. */
P11CA_CHECK int p256_table_new(const struct spki *key, struct p256_table **ret, struct p11ca_err *err);
void p256_table_free(struct p256_table *t);

/* Sets good of each. Thread safe. Fails, with all of them bad, only when there is no memory. */
P11CA_CHECK int p256_table_verify(
    const struct p256_table *t, struct p256_signature *v, size_t n, struct p11ca_err *err);

#endif
