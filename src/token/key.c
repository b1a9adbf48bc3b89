#include "token/key.h"

#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "token/public.h"
#include "token/rv.h"
#include "token/search.h"

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

    /* By label alone first: a second key with the label is refused even when its ID differs. */
    if (search_key(k->token, CKO_PRIVATE_KEY, k->label, NULL, 0, &k->private_key, err) != 0)
        return -1;
    if (k->private_key == CK_INVALID_HANDLE)
        return err_set(
            err, P11CA_TOKEN, "KEY_NOT_FOUND", "token '%s': no private key with label '%s'", token, k->label);
    if (read_id(k, err) != 0)
        return -1;
    if (id && (id_len != k->id_len || memcmp(id, k->id, id_len) != 0))
        return err_set(err, P11CA_TOKEN, "KEY_MISMATCH",
            "token '%s': key '%s': its CKA_ID is not the recorded one", token, k->label);
    if (search_key(k->token, CKO_PUBLIC_KEY, k->label, k->id, k->id_len, &k->public_key, err) != 0)
        return -1;
    if (k->public_key == CK_INVALID_HANDLE)
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
    if (policy_check(k->token, k->private_key, POLICY_PRIVATE, k->label, k->exception, each, arg, err) != 0)
        return -1;
    if (k->public_key == CK_INVALID_HANDLE)
        return 0;
    return policy_check(k->token, k->public_key, POLICY_PUBLIC, k->label, k->exception, each, arg, err);
}

static int destroy_one(const struct token *t, CK_OBJECT_HANDLE object, const char *what, const char *label,
    struct p11ca_err *err)
{
    CK_RV rv = t->module->fn->C_DestroyObject(t->session, object);

    return rv == CKR_OK
               ? 0
               : err_rv(err, rv, "token '%s': %s key '%s': C_DestroyObject", t->binding->name, what, label);
}

static const struct half {
    CK_OBJECT_CLASS class;
    const char *name;
} halves[] = {{CKO_PRIVATE_KEY, "private"}, {CKO_PUBLIC_KEY, "public"}};

static int search_halves(struct token *t, const char *label, const uint8_t *id, size_t id_len,
    CK_OBJECT_HANDLE ret[2], struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < 2; i++) {
        if (search_key(t, halves[i].class, label, id, id_len, &ret[i], err) != 0)
            return -1;
    }
    return search_need_login(t, err);
}

/* The token's word is not enough. */
static int check_gone(
    struct token *t, const char *label, const uint8_t *id, size_t id_len, struct p11ca_err *err)
{
    CK_OBJECT_HANDLE object[2];
    size_t i;

    if (search_halves(t, label, id, id_len, object, err) != 0)
        return -1;
    for (i = 0; i < 2; i++) {
        if (object[i] != CK_INVALID_HANDLE)
            return err_set(err, P11CA_TOKEN, "KEY_NOT_DESTROYED",
                "token '%s': %s key '%s': is still there after it was destroyed", t->binding->name,
                halves[i].name, label);
    }
    return 0;
}

/* The private half goes first: interrupted, what is left is harmless. */
int key_destroy(struct token *t, const char *label, const uint8_t *id, size_t id_len, size_t *ret_n,
    struct p11ca_err *err)
{
    CK_OBJECT_HANDLE object[2];
    size_t i, n = 0;

    if (search_halves(t, label, id, id_len, object, err) != 0)
        return -1;
    for (i = 0; i < 2; i++) {
        if (object[i] == CK_INVALID_HANDLE)
            continue;
        if (destroy_one(t, object[i], halves[i].name, label, err) != 0)
            return -1;
        n++;
    }
    if (check_gone(t, label, id, id_len, err) != 0)
        return -1;
    *ret_n = n;
    return 0;
}

void key_done(struct key *k)
{
    free(k->label);
    buf_done(&k->spki);
    memset(k, 0, sizeof(*k));
}
