/* The public half of a token key as SubjectPublicKeyInfo. */
#ifndef TOKEN_PUBLIC_H
#define TOKEN_PUBLIC_H

#include "base/buf.h"
#include "token/token.h"

/* Appends the DER to ret. type: CKK_EC (named curves P-256, P-384, P-521) or CKK_RSA. */
P11CA_CHECK int public_spki(
    const struct token *t, CK_OBJECT_HANDLE object, CK_KEY_TYPE type, struct buf *ret, struct p11ca_err *err);

#endif
