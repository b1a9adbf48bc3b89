/*
 * What went wrong. Every fallible p11ca function returns 0 or -1 and fills one caller-owned
 * struct p11ca_err exactly once; outputs change only on success.
 *
 * Not thread safe: one struct per call in flight.
 */
#ifndef P11CA_ERR_H
#define P11CA_ERR_H

#define P11CA_API   __attribute__((visibility("default")))
#define P11CA_CHECK __attribute__((warn_unused_result))

/* The kind decides the exit code of the program: p11ca_exit_code() holds the one table. */
enum p11ca_kind {
    P11CA_OK,
    P11CA_NEGATIVE, /* a negative answer: does not verify, audit found something */
    P11CA_USAGE,
    P11CA_CONFIG,
    P11CA_REFUSED, /* the request breaks a rule */
    P11CA_LOGIN,
    P11CA_TOKEN,
    P11CA_LEDGER,
    P11CA_FILE,
    P11CA_BUG,
};

struct p11ca_err {
    enum p11ca_kind kind;
    char code[32];  /* stable word for programs: KEY_EXPONENT, DER_TRAILING, ...; may be empty */
    char msg[1024]; /* UTF-8, one line, foreign text already escaped: safe for a terminal */
};

/* Exit code of the program for a kind (0, 1 to 8, 70). */
P11CA_API int p11ca_exit_code(enum p11ca_kind kind);

#endif
