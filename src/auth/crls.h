/*
 * Revocation, as src/auth/crls*.c share it. What is loaded is a snapshot: made by one thread, never changed afterwards,
 * freed by the last one that lets go of it. The lock is held for as long as it takes to count.
 */
#ifndef AUTH_CRLS_H
#define AUTH_CRLS_H

#include <p11ca/auth.h>

#include <pthread.h>

#include "base/limits.h"
#include "x509/crl.h"

struct revoked {
    int64_t at;
    uint8_t serial[SERIAL_LEN]; /* INTEGER content */
    uint8_t len;
    uint8_t reason;
};

/* A number without leading zeros. */
struct crl_number {
    uint8_t v[SERIAL_LEN];
    size_t len;
};

/* One CRL, or a complete one with its delta applied. */
struct crl_part {
    bool there;
    struct revoked *v; /* by serial */
    size_t n;
    struct crl_number number, base; /* base: of a delta */
    int64_t this_update, next_update;
    uint8_t sha256[32]; /* of its DER */
};

struct snapshot {
    unsigned refs;
    struct crl_part of_ca[LIMIT_CAS];
};

struct p11ca_crls {
    pthread_mutex_t lock; /* of now and its refs */
    struct snapshot *now; /* NULL: nothing is loaded */
    struct issuer *cas[LIMIT_CAS];
    size_t n_cas;
};

int crl_number_cmp(const struct crl_number *a, const struct crl_number *b);

/* A CRL whose issuer and signature are right, as entries by serial; *ret_delta: it is a delta. */
P11CA_CHECK int crl_part_read(
    const struct crl *crl, struct crl_part *ret, bool *ret_delta, struct p11ca_err *err);

/* The complete one with what the delta says (RFC 5280 5.2.4); the delta stays the caller's. */
P11CA_CHECK int crl_part_apply(struct crl_part *full, const struct crl_part *delta, struct p11ca_err *err);

/* NULL: it is not listed. */
const struct revoked *crl_part_find(const struct crl_part *part, struct der serial);

void crl_part_done(struct crl_part *part);

/* The snapshot of now with a reference that is dropped when done; NULL: nothing is loaded. */
struct snapshot *crls_hold(struct p11ca_crls *crls);
void crls_drop(struct p11ca_crls *crls, struct snapshot *s);

/* In place of the one of now; it becomes the set's. */
void crls_swap(struct p11ca_crls *crls, struct snapshot *next);
void snapshot_free(struct snapshot *s);

/* As p11ca_crls_check() when it is known whose key signed the certificate. */
void crls_check_by(struct p11ca_crls *crls, const struct spki *key, const struct p11ca_identity *id,
    int64_t now, struct p11ca_revocation *ret);

#endif
