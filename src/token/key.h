/*
 * CA keys in a token: found by label and ID, exactly one, and generated there.
 *
 * The public key leaves as SubjectPublicKeyInfo (RFC 5280 4.1.2.7); the private key never does.
 */
#ifndef TOKEN_KEY_H
#define TOKEN_KEY_H

#include <stdbool.h>

#include "base/buf.h"
#include "token/policy.h"
#include "token/token.h"

#define KEY_ID_MAX 64
#define KEY_ID_LEN 16 /* of the IDs drawn here */

struct key {
    struct token *token;                      /* borrowed */
    CK_OBJECT_HANDLE private_key, public_key; /* public_key is CK_INVALID_HANDLE when the token has none */
    CK_KEY_TYPE type;
    char *label;
    uint8_t id[KEY_ID_MAX];
    size_t id_len;
    struct buf spki; /* DER; empty when the token has no public object */
    const char
        *exception; /* why its origin and usages are excused (policy_check()), borrowed; NULL: they are not */
    bool adopted;   /* by key_generate(): an earlier run, interrupted, had generated it */
};

/*
 * The one private key with this label (and this ID, unless id is NULL), and its public key. Not logged in, none is
 * seen. Refused: none (KEY_NOT_FOUND), two or more with the label (KEY_AMBIGUOUS). The policy is not checked.
 */
P11CA_CHECK int key_find(struct key *ret, struct token *t, const char *label, const uint8_t *id,
    size_t id_len, struct p11ca_err *err);

/* Every attribute of both objects against the policy. Before every use. */
P11CA_CHECK int key_check(const struct key *k, policy_reading_fn *each, void *arg, struct p11ca_err *err);

/* Signs random data in the token and verifies it under the public object by OpenSSL: KEY_POSSESSION. */
P11CA_CHECK int key_prove(const struct key *k, struct p11ca_err *err);

/* An ID for key_generate(). Whoever may be interrupted records it first, durably. */
P11CA_CHECK int key_draw_id(uint8_t ret[KEY_ID_LEN], struct p11ca_err *err);

/*
 * Generates a pair under a label nothing else has, with this ID, reads it back, checks it and has it sign. algorithm is a
 * name from key_algorithms(). The token needs a writable session and a login. A pair that fails here is destroyed again:
 * the label stays free.
 *
 * Called again with the ID of a run that was interrupted, it takes up what that run left:
 *   a pair          adopted, if it meets the policy, is of the algorithm and signs. If not it is refused and left alone:
 *                   this call has not made it, and somebody may have seen it.
 *   half a pair     destroyed, and generation begins again. The ID was drawn for this pair and is known to nobody who
 *                   has used it: the other half never was, or was taken away before the key was recorded.
 *   nothing         generated.
 * Another key under the label: KEY_EXISTS.
 */
P11CA_CHECK int key_generate(struct key *ret, struct token *t, const char *label,
    const uint8_t id[KEY_ID_LEN], const char *algorithm, struct p11ca_err *err);

/*
 * Destroys the pair with this label and ID, private half first, or the half that is left; ret_n says how many objects
 * there were. A search proves that none is there any more (KEY_NOT_DESTROYED). Needs a writable session and a login.
 */
P11CA_CHECK int key_destroy(struct token *t, const char *label, const uint8_t *id, size_t id_len,
    size_t *ret_n, struct p11ca_err *err);

/* "P-256", "P-384", ... ends with NULL. */
const char *const *key_algorithms(void);

void key_done(struct key *k);

#endif
