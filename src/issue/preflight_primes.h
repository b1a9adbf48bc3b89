/*
 * RSA moduli that have a prime in common: generators that start without entropy make them, and whoever has two such
 * public keys has both private ones. All of a lot at once, by a tree of products and one of remainders (D. J. Bernstein,
 * "How to find smooth parts of integers", 2004).
 */
#ifndef ISSUE_PREFLIGHT_PRIMES_H
#define ISSUE_PREFLIGHT_PRIMES_H

#include "base/buf.h"
#include "x509/spki.h"

/* Notes the modulus of a row. -1: out of memory. */
P11CA_CHECK int primes_add(struct buf *moduli, size_t row, const struct spki *spki);

/* Calls fn for each row whose modulus shares a prime with another modulus. The same key again is no other one, the
 * same modulus with another exponent is. More than LIMIT_MODULI are compared in portions of so many. */
typedef void primes_fn(void *arg, size_t row);
P11CA_CHECK int primes_check(const struct buf *moduli, primes_fn *fn, void *arg);

#endif
