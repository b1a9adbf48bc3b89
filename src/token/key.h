/*
 * CA keys in a token: found by label and ID, exactly one, and generated there.
 *
 * The public key leaves as SubjectPublicKeyInfo (RFC 5280 4.1.2.7); the private key never does.
 */
#ifndef TOKEN_KEY_H
#define TOKEN_KEY_H

#include "base/buf.h"
#include "token/policy.h"
#include "token/token.h"

#define KEY_ID_MAX 64

struct key {
    struct token *token;                      /* borrowed */
    CK_OBJECT_HANDLE private_key, public_key; /* public_key is CK_INVALID_HANDLE when the token has none */
    CK_KEY_TYPE type;
    char *label;
    uint8_t id[KEY_ID_MAX];
    size_t id_len;
    struct buf spki; /* DER; empty when the token has no public object */
};

/*
 * The one private key with this label (and this ID, unless id is NULL), and its public key. Not logged in, none is
 * seen. Refused: none (KEY_NOT_FOUND), two or more with the label (KEY_AMBIGUOUS). The policy is not checked.
 */
P11CA_CHECK int key_find(struct key *ret, struct token *t, const char *label, const uint8_t *id,
    size_t id_len, struct p11ca_err *err);

/* Every attribute of both objects against the policy. Before every use. */
P11CA_CHECK int key_check(const struct key *k, policy_reading_fn *each, void *arg, struct p11ca_err *err);

/*
 * Generates a pair under a label nothing else has, with a random ID, reads it back and checks it. algorithm is a
 * name from key_algorithms(). The token needs a writable session and a login. A pair that fails the read-back is
 * destroyed again.
 */
P11CA_CHECK int key_generate(
    struct key *ret, struct token *t, const char *label, const char *algorithm, struct p11ca_err *err);

/* "P-256", "P-384", ... ends with NULL. */
const char *const *key_algorithms(void);

void key_done(struct key *k);

#endif
