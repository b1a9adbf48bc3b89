#include "token/signer.h"

#include <libp11.h>
#include <stdlib.h>
#include <string.h>

#include "token/gate.h"
#include "token/rv.h"

struct signer {
    const struct key *key;
    unsigned long gate_slot;
    PKCS11_CTX *ctx;
    PKCS11_SLOT *slots;
    unsigned int n_slots;
    EVP_PKEY *pkey;
    bool loaded;
};

int signer_explain(const struct signer *s, struct p11ca_err *err)
{
    const char *function;
    CK_RV rv = gate_last_error(&function);

    return rv == CKR_OK ? -1
                        : err_rv(err, rv, "token '%s': key '%s': %s", s->key->token->binding->name,
                              s->key->label, function);
}

static int fail(struct signer *s, const char *what, struct p11ca_err *err)
{
    err_openssl(err, P11CA_TOKEN, "token '%s': key '%s': libp11: %s", s->key->token->binding->name,
        s->key->label, what);
    return signer_explain(s, err);
}

static int load(struct signer *s, const char *gate_path, struct p11ca_err *err)
{
    PKCS11_KEY *keys = NULL;
    unsigned int n = 0;

    s->ctx = PKCS11_CTX_new();
    if (!s->ctx || PKCS11_CTX_load(s->ctx, gate_path) != 0)
        return fail(s, "load", err);
    s->loaded = true;
    if (PKCS11_enumerate_slots(s->ctx, &s->slots, &s->n_slots) != 0)
        return fail(s, "slots", err);
    if (s->n_slots != 1 || !s->slots[0].token)
        return fail(s, "no token", err);
    if (PKCS11_enumerate_keys(s->slots[0].token, &keys, &n) != 0 || n != 1)
        return fail(s, "keys", err);
    s->pkey = PKCS11_get_private_key(&keys[0]);
    return s->pkey ? 0 : fail(s, "private key", err);
}

int signer_open(struct signer **ret, const struct key *k, const char *gate_path, struct p11ca_err *err)
{
    struct signer *s;

    if (key_check(k, NULL, NULL, err) != 0)
        return -1;
    s = calloc(1, sizeof(*s));
    if (!s)
        return err_nomem(err);
    s->key = k;
    if (gate_add(k, gate_path, &s->gate_slot, err) != 0 || load(s, gate_path, err) != 0) {
        signer_close(s);
        return -1;
    }
    *ret = s;
    return 0;
}

void signer_close(struct signer *s)
{
    if (!s)
        return;
    EVP_PKEY_free(s->pkey);
    if (s->slots)
        PKCS11_release_all_slots(s->ctx, s->slots, s->n_slots);
    if (s->loaded)
        PKCS11_CTX_unload(s->ctx);
    if (s->ctx)
        PKCS11_CTX_free(s->ctx);
    gate_remove(s->gate_slot);
    free(s);
}

/* Whoever asks for one more waits inside libp11, for somebody who gives his back: a switch for every signature. */
#define LIBP11_SESSIONS 16

unsigned signer_sessions(const struct signer *s)
{
    size_t n = gate_sessions(s->gate_slot);

    return n < LIBP11_SESSIONS ? (unsigned)n : LIBP11_SESSIONS;
}

bool signer_is_lost(const struct p11ca_err *err)
{
    static const char *const codes[] = {"DEVICE_ERROR", "DEVICE_REMOVED", "TOKEN_NOT_PRESENT",
        "SESSION_CLOSED", "SESSION_HANDLE_INVALID", "USER_NOT_LOGGED_IN", "KEY_HANDLE_INVALID",
        "OBJECT_HANDLE_INVALID", "OPERATION_ACTIVE"};
    size_t i;

    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (err->kind == P11CA_TOKEN && strcmp(err->code, codes[i]) == 0)
            return true;
    }
    return false;
}

EVP_PKEY *signer_get0_pkey(const struct signer *s)
{
    return s->pkey;
}
