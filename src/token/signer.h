/*
 * A signer: a checked token key as an EVP_PKEY that signs through libp11. Whoever has the EVP_PKEY needs to know
 * nothing about tokens.
 */
#ifndef TOKEN_SIGNER_H
#define TOKEN_SIGNER_H

#include <openssl/evp.h>

#include "token/key.h"

struct signer;

/*
 * The key is checked against the policy first. k and its token must outlive the signer. The EVP_PKEY may be
 * used by many threads at once (each takes a session); opening and closing happen on one.
 */
P11CA_CHECK int signer_open(
    struct signer **ret, const struct key *k, const char *gate_path, struct p11ca_err *err);
void signer_close(struct signer *s);

EVP_PKEY *signer_get0_pkey(const struct signer *s);

/* How many may sign at once: what the token's kind allows, as far as libp11 can use it. */
unsigned signer_sessions(const struct signer *s);

/*
 * Whether it was the session, the login or the device that was lost, so that the same signature may succeed when the token
 * has been opened anew. A session in which a signature was begun and not ended is lost, too: libp11 goes on with it.
 */
bool signer_is_lost(const struct p11ca_err *err);

/*
 * After a signature failed on this thread: puts what the token said into err, with kind P11CA_TOKEN, if it was the
 * token. Returns -1.
 */
int signer_explain(const struct signer *s, struct p11ca_err *err);

#endif
