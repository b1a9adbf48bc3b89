/*
 * A secret in shares: any m of n give it back, fewer tell nothing about it (Shamir, over GF(256), by libgfshare).
 *
 * A share is one line that people can copy by hand: groups of four characters of Crockford's base 32, where I and L are
 * read as 1 and O as 0. In it: version, the set it was made with, threshold and number, its data, and a checksum over
 * all of them, so that a slip is found where it is typed. The shared data ends with a checksum of the secret: shares that
 * do not give it are noticed before a token sees a wrong PIN.
 */
#ifndef BASE_SHARES_H
#define BASE_SHARES_H

#include <stdint.h>

#include "base/secret.h"

#define SHARES_MAX        16 /* shares in a set */
#define SHARES_SECRET_MAX 64 /* characters of a secret: what comes of it is still typed */
#define SHARE_SET_LEN     4

/* What a share says about itself. */
struct share_info {
    uint8_t set[SHARE_SET_LEN]; /* random: shares of two sets are not mixed */
    unsigned number, threshold; /* number from 1 */
};

/* Splits into n shares of which any m give the secret: 2 <= m <= n <= SHARES_MAX. ret: n, initialised. */
P11CA_CHECK int shares_split(
    const struct secret *s, unsigned m, unsigned n, struct secret *ret, struct p11ca_err *err);

/* Refused, code SHARE_SYNTAX: what was not copied as it was made. Case, spaces and dashes do not matter. */
P11CA_CHECK int share_read(const struct secret *share, struct share_info *ret, struct p11ca_err *err);

/* Whether one goes with those already there: of their set (else SHARE_SET), not one of them (SHARE_TWICE). */
P11CA_CHECK int share_fits(
    const struct secret *one, const struct secret *have, size_t n, struct p11ca_err *err);

/*
 * The secret. Refused: as share_read() and share_fits(), with the position of the share; fewer than the threshold
 * (SHARE_MISSING); shares that together give nothing (SHARE_CHECK). All are P11CA_LOGIN.
 */
P11CA_CHECK int shares_combine(
    const struct secret *shares, size_t n, struct secret *ret, struct p11ca_err *err);

/*
 * The sources "shares" and "shares:PATH" of secret_read(): people type shares until the threshold is reached, a mistyped
 * one again - no token has seen anything yet; or files PATH.1, PATH.2, ..., those that are there.
 */
P11CA_CHECK int shares_ask(struct secret *ret, const char *arg, const char *base, const char *prompt,
    const struct p11ca_ui *ui, struct p11ca_err *err);
P11CA_CHECK int shares_from_files(struct secret *ret, const char *arg, const char *base, const char *prompt,
    const struct p11ca_ui *ui, struct p11ca_err *err);

#endif
