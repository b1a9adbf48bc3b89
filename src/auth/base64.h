/* Base64 (RFC 4648), strictly: what decodes has no other spelling. */
#ifndef AUTH_BASE64_H
#define AUTH_BASE64_H

#include <p11ca/auth.h>

#include "base/buf.h"

/* Section 5, without padding; with a NUL. */
void base64url_of_sha256(const uint8_t sha256[P11CA_SHA256], char ret[P11CA_THUMBPRINT]);

/* The same back: exactly 43 characters, the last of which has no bits left over. 0 or -1. */
P11CA_CHECK int base64url_to_sha256(const char *text, size_t len, uint8_t ret[P11CA_SHA256]);

/* Section 4 with its padding, appended to ret: no other characters, no bits left over. 0 or -1. */
P11CA_CHECK int base64_decode(const char *text, size_t len, struct buf *ret);

#endif
