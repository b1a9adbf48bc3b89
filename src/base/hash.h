/* SHA-256 (FIPS 180-4) through libcrypto, fetched once. Thread safe. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_LEN 32

/* 0 or -1 (libcrypto failed). */
__attribute__((warn_unused_result)) int hash_sha256(const void *p, size_t len, uint8_t ret[SHA256_LEN]);

/* SHA-1, for subject key identifiers only (RFC 5280 4.2.1.2 method 1). */
__attribute__((warn_unused_result)) int hash_sha1(const void *p, size_t len, uint8_t ret[20]);

/* By name, one of those of hash_md(). 0 or -1. */
#define HASH_MAX 64
__attribute__((warn_unused_result)) int hash_by_name(
    const char *name, const void *p, size_t len, uint8_t ret[HASH_MAX], size_t *ret_len);

/* A digest by name ("SHA256", "SHA384", "SHA512", "SHA1"), fetched once per process; NULL when libcrypto has none. */
const EVP_MD *hash_md(const char *name);

#endif
