/*
 * PKCS#11 modules: loaded once per process, initialised by us and by nobody else, finalised when the
 * last user lets go. libp11 reaches them only through token/gate.h.
 *
 * Open and close on one thread; Cryptoki calls may come from many (CKF_OS_LOCKING_OK).
 */
#ifndef TOKEN_MODULE_H
#define TOKEN_MODULE_H

#include <p11-kit/pkcs11.h>

#include "base/err.h"
#include "token/kind.h"

struct module {
    struct module *next;
    char *path;
    char *store; /* absolute folder of an embedded store, NULL for none */
    void *handle;
    CK_FUNCTION_LIST *fn;
    unsigned users;
};

/*
 * store: folder for an embedded token store (made when absent), NULL for none. A module that is already
 * loaded with another store is refused: its configuration is read once per process.
 */
P11CA_CHECK int module_open(
    struct module **ret, const struct token_kind *kind, const char *store, struct p11ca_err *err);
void module_close(struct module *m);

/* C_GetTokenInfo. SoftHSM answers CKR_GENERAL_ERROR while another process writes the token's file, at its login: asked
 * again a few times before that is believed. */
CK_RV module_token_info(const CK_FUNCTION_LIST *fn, CK_SLOT_ID slot, CK_TOKEN_INFO *ret);

/* Slots with a token in them. Caller frees with free(). */
P11CA_CHECK int module_slots(const struct module *m, CK_SLOT_ID **ret, size_t *ret_n, struct p11ca_err *err);

#endif
