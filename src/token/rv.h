/* PKCS#11 return values in words, and as errors. */
#ifndef TOKEN_RV_H
#define TOKEN_RV_H

#include <p11-kit/pkcs11.h>

#include <stdbool.h>

#include "base/err.h"

/* "CKR_PIN_INCORRECT"; "CKR_0x..." for one without a name. */
const char *rv_name(CK_RV rv, char buf[32]);

/* Whether it is no answer to what was asked: the token is lost, nobody is logged in, the handle means nothing. */
bool rv_says_nothing(CK_RV rv);

/* "what: CKR_NAME"; PIN troubles are P11CA_LOGIN, the rest P11CA_TOKEN. The code is the CKR_ name without CKR_. */
int err_rv(struct p11ca_err *err, CK_RV rv, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
