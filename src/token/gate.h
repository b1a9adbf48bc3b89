/*
 * The gate: what libp11 sees instead of the token.
 *
 * libp11 0.4.12 waits for ever after a failed C_OpenSession, finds no key at all when one of a foreign
 * type is on the token, pairs keys with the wrong public half when label and ID repeat, keeps a copy of
 * the PIN, and logs everybody out when it tidies up. None of that can be prevented by guards around its
 * calls: a token can be lost between the guard and the call. So libp11 is given a module of ours. In it
 * there is one slot with one key pair - the one p11ca found and checked - already logged in, and signing is
 * all it can do. A session that cannot be opened is handed out all the same, and answers every call with
 * the error. Everything reaches the one instance of the real module that token/module.c initialised.
 *
 * libp11 loads modules by path, hence libp11ca-gate.so: it holds nothing but a pointer to the function
 * list below (token/gate_module.c).
 *
 * gate_add and gate_remove on one thread; the Cryptoki calls come from as many as sign.
 */
#ifndef TOKEN_GATE_H
#define TOKEN_GATE_H

#include "token/key.h"

/* Makes the key the one that libp11 finds at its next C_GetSlotList. ret_slot is the slot it has there. */
P11CA_CHECK int gate_add(
    const struct key *k, const char *gate_path, unsigned long *ret_slot, struct p11ca_err *err);

/* Sessions that the key may have at once. */
size_t gate_sessions(unsigned long slot);

/* Closes the key's sessions and forgets it. */
void gate_remove(unsigned long slot);

/* The last Cryptoki error on this thread, and its function; CKR_OK when the last sequence went well. Clears it. */
CK_RV gate_last_error(const char **ret_function);

#endif
