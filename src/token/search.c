#include "token/search.h"

#include <string.h>

#include "base/limits.h"
#include "token/rv.h"

int search_objects(const struct token *t, CK_ATTRIBUTE *tmpl, CK_ULONG n_tmpl, CK_OBJECT_HANDLE *ret,
    size_t max, size_t *ret_n, struct p11ca_err *err)
{
    CK_FUNCTION_LIST *fn = t->module->fn;
    CK_OBJECT_HANDLE object;
    CK_ULONG n = 0;
    size_t found = 0;
    CK_RV rv;

    rv = fn->C_FindObjectsInit(t->session, tmpl, n_tmpl);
    if (rv != CKR_OK)
        return err_rv(err, rv, "token '%s': C_FindObjectsInit", t->binding->name);
    while (
        (rv = fn->C_FindObjects(t->session, &object, 1, &n)) == CKR_OK && n == 1 && found < LIMIT_OBJECTS) {
        if (found < max)
            ret[found] = object;
        found++;
    }
    fn->C_FindObjectsFinal(t->session);
    if (rv != CKR_OK)
        return err_rv(err, rv, "token '%s': C_FindObjects", t->binding->name);
    *ret_n = found;
    return 0;
}

int search_key(const struct token *t, CK_OBJECT_CLASS class, const char *label, const uint8_t *id,
    size_t id_len, CK_OBJECT_HANDLE *ret, struct p11ca_err *err)
{
    CK_ATTRIBUTE tmpl[3] = {
        {CKA_CLASS, &class, sizeof(class)},
        {CKA_LABEL, (void *)(uintptr_t)label, strlen(label)},
        {CKA_ID, (void *)(uintptr_t)id, id_len},
    };
    CK_OBJECT_HANDLE found = CK_INVALID_HANDLE;
    size_t n = 0;

    if (search_objects(t, tmpl, id ? 3 : 2, &found, 1, &n, err) != 0)
        return -1;
    if (n > 1)
        return err_set(err, P11CA_TOKEN, "KEY_AMBIGUOUS",
            "token '%s': want exactly one %s key with label '%s'%s, have %zu", t->binding->name,
            class == CKO_PRIVATE_KEY ? "private" : "public", label, id ? " and its ID" : "", n);
    *ret = found;
    return 0;
}

int search_need_login(const struct token *t, struct p11ca_err *err)
{
    if (token_logged_in(t))
        return 0;
    return err_set(err, P11CA_TOKEN, "USER_NOT_LOGGED_IN",
        "token '%s': want the user logged in: private keys are not seen otherwise", t->binding->name);
}
