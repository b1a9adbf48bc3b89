/*
 * Certificates of which an authenticator has verified who signed them. Clients come again, and the same octets under the
 * same keys have the same answer: a look-up instead of a verification, which is most of what a decision costs.
 *
 * Only that a signature is right is kept, never that somebody was let in. What is kept is bounded: a newer certificate takes
 * the place of an older one. Any number of threads may ask and add.
 */
#ifndef AUTH_SEEN_H
#define AUTH_SEEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

struct seen;

/* NULL: no memory. */
struct seen *seen_new(void);
void seen_free(struct seen *seen);

/* By which of the trusted the certificate with this SHA-256 is signed; -1: it is not known. */
int seen_find(struct seen *seen, const uint8_t sha256[SHA256_LEN]);
void seen_add(struct seen *seen, const uint8_t sha256[SHA256_LEN], size_t trusted);

#endif
