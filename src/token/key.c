#include "token/key.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/scope.h"
#include "token/public.h"
#include "token/rv.h"

/* Handles that match, at most max; how many there are, at most LIMIT_OBJECTS. */
static int search(const struct token *t, CK_ATTRIBUTE *tmpl, CK_ULONG n_tmpl, CK_OBJECT_HANDLE *ret,
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

/* The one object of a class; ret_n 0 leaves ret alone, more than one is an error. */
static int find_one(const struct token *t, CK_OBJECT_CLASS class, const char *label, const uint8_t *id,
    size_t id_len, CK_OBJECT_HANDLE *ret, size_t *ret_n, struct p11ca_err *err)
{
    CK_ATTRIBUTE tmpl[3] = {
        {CKA_CLASS, &class, sizeof(class)},
        {CKA_LABEL, (void *)(uintptr_t)label, strlen(label)},
        {CKA_ID, (void *)(uintptr_t)id, id_len},
    };
    size_t n = 0;

    if (search(t, tmpl, id ? 3 : 2, ret, 1, &n, err) != 0)
        return -1;
    if (n > 1)
        return err_set(err, P11CA_TOKEN, "KEY_AMBIGUOUS",
            "token '%s': want exactly one %s key with label '%s'%s, have %zu", t->binding->name,
            class == CKO_PRIVATE_KEY ? "private" : "public", label, id ? " and its ID" : "", n);
    *ret_n = n;
    return 0;
}

static int read_id(struct key *k, struct p11ca_err *err)
{
    CK_ATTRIBUTE attrs[] = {
        {CKA_ID, k->id, sizeof(k->id)},
        {CKA_KEY_TYPE, &k->type, sizeof(k->type)},
    };
    CK_RV rv = k->token->module->fn->C_GetAttributeValue(k->token->session, k->private_key, attrs, 2);

    if (rv != CKR_OK)
        return err_rv(err, rv, "token '%s': key '%s': reading CKA_ID", k->token->binding->name, k->label);
    k->id_len = attrs[0].ulValueLen;
    if (k->id_len == 0 || k->id_len > sizeof(k->id))
        return err_set(err, P11CA_TOKEN, "KEY_ID",
            "token '%s': key '%s': CKA_ID: want 1 to %d octets, have %zu", k->token->binding->name, k->label,
            KEY_ID_MAX, k->id_len);
    return 0;
}

static int find(struct key *k, const uint8_t *id, size_t id_len, struct p11ca_err *err)
{
    const char *token = k->token->binding->name;
    size_t n = 0;

    /* By label alone first: a second key with the label is refused even when its ID differs. */
    if (find_one(k->token, CKO_PRIVATE_KEY, k->label, NULL, 0, &k->private_key, &n, err) != 0)
        return -1;
    if (n == 0)
        return err_set(
            err, P11CA_TOKEN, "KEY_NOT_FOUND", "token '%s': no private key with label '%s'", token, k->label);
    if (read_id(k, err) != 0)
        return -1;
    if (id && (id_len != k->id_len || memcmp(id, k->id, id_len) != 0))
        return err_set(err, P11CA_TOKEN, "KEY_MISMATCH",
            "token '%s': key '%s': its CKA_ID is not the recorded one", token, k->label);
    if (find_one(k->token, CKO_PUBLIC_KEY, k->label, k->id, k->id_len, &k->public_key, &n, err) != 0)
        return -1;
    if (n == 0)
        return 0;
    return public_spki(k->token, k->public_key, k->type, &k->spki, err);
}

int key_find(struct key *ret, struct token *t, const char *label, const uint8_t *id, size_t id_len,
    struct p11ca_err *err)
{
    struct key k = {.token = t, .private_key = CK_INVALID_HANDLE, .public_key = CK_INVALID_HANDLE};

    k.label = strdup(label);
    if (!k.label)
        return err_nomem(err);
    if (find(&k, id, id_len, err) != 0) {
        key_done(&k);
        return -1;
    }
    *ret = k;
    return 0;
}

int key_check(const struct key *k, policy_reading_fn *each, void *arg, struct p11ca_err *err)
{
    if (policy_check(k->token, k->private_key, POLICY_PRIVATE, k->label, each, arg, err) != 0)
        return -1;
    if (k->public_key == CK_INVALID_HANDLE)
        return 0;
    return policy_check(k->token, k->public_key, POLICY_PUBLIC, k->label, each, arg, err);
}

void key_done(struct key *k)
{
    free(k->label);
    buf_done(&k->spki);
    memset(k, 0, sizeof(*k));
}
