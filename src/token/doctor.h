/* A doctor's visit to a token and its keys, and how fast it signs. */
#ifndef TOKEN_DOCTOR_H
#define TOKEN_DOCTOR_H

#include "token/key.h"

enum doctor_level { DOCTOR_GOOD, DOCTOR_WEAK, DOCTOR_BAD };

/* One finding. err->msg says the first bad one when the visit ends with -1. */
typedef void doctor_fn(void *arg, enum doctor_level level, const char *what, const char *found);

/* Module, token, PIN counters, random generator, mechanisms, sessions. Reads only; no login needed. */
P11CA_CHECK int doctor_token(struct token *t, doctor_fn *fn, void *arg, struct p11ca_err *err);

/* Attributes against the policy, what an exception (NULL: none) excuses as weak; then a signature through libp11, verified by OpenSSL. Logged in. */
P11CA_CHECK int doctor_key(struct token *t, const char *label, const char *exception, const char *gate,
    doctor_fn *fn, void *arg, struct p11ca_err *err);

/* C_SignInit and C_Sign per second, one thread, for about so many seconds. */
P11CA_CHECK int doctor_sign_rate(const struct key *k, double seconds, double *ret, struct p11ca_err *err);

#endif
