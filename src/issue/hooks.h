/*
 * What a ceremony adds to a signature: the time it is dated with, and people who look at the exact to-be-signed bytes
 * before the token does.
 */
#ifndef ISSUE_HOOKS_H
#define ISSUE_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "x509/der.h"

/* What is about to be signed. Built, linted, reserved in the ledger; nothing is signed yet. */
struct signing {
    const char *what;      /* "certificate", "certification request", "CRL", "CRL series", "lot ticket" */
    const char *authority; /* whose key signs */
    struct der tbs;        /* the exact bytes; of a request the CertificationRequestInfo */
    bool series;           /* they are several, one behind the other */
    uint8_t tbs_sha256[SHA256_LEN];
    char number[41]; /* serial or (first) CRL number in hex, ID of a ticket; empty for a request */
};

/* Non-zero, with err filled, when it must not be signed. */
typedef int approve_fn(void *arg, const struct signing *s, struct p11ca_err *err);

struct signing_hooks {
    approve_fn *approve; /* NULL: nobody is asked */
    void *arg;
    int64_t
        at; /* the present, for notBefore and thisUpdate; 0: the home's clock. A resumed step is dated as it was begun:
                   its bytes are those that were approved. */
};

#endif
