#include "token/token.h"

#include <p11-kit/uri.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "token/handle.h"
#include "token/rv.h"

SCOPE_DEFINE(uri, P11KitUri *, p11_kit_uri_free)
#define AUTO_URI SCOPED(uri) P11KitUri *

/* Fixed-width, space-padded fields of PKCS#11 as text. */
static void unpad(char *dst, const CK_UTF8CHAR *src, size_t len)
{
    memcpy(dst, src, len);
    while (len && (dst[len - 1] == ' ' || dst[len - 1] == '\0'))
        len--;
    dst[len] = '\0';
}

static int parse_uri(const struct token_binding *b, P11KitUri **ret, struct p11ca_err *err)
{
    AUTO_URI uri = p11_kit_uri_new();
    CK_TOKEN_INFO *want;
    int rc;

    if (!uri)
        return err_nomem(err);
    rc = p11_kit_uri_parse(b->uri, P11_KIT_URI_FOR_TOKEN, uri);
    if (rc != P11_KIT_URI_OK)
        return err_set(err, P11CA_CONFIG, "TOKEN_URI", "token '%s': RFC 7512: uri: %s", b->name,
            p11_kit_uri_message(rc));
    if (p11_kit_uri_any_unrecognized(uri))
        return err_set(err, P11CA_CONFIG, "TOKEN_URI",
            "token '%s': RFC 7512: uri: want token attributes only "
            "(token, serial, model, manufacturer)",
            b->name);
    if (p11_kit_uri_get_pin_value(uri) || p11_kit_uri_get_pin_source(uri))
        return err_set(
            err, P11CA_CONFIG, "TOKEN_URI", "token '%s': uri: want no PIN in it; use the key 'pin'", b->name);
    want = p11_kit_uri_get_token_info(uri);
    if (want->label[0] == 0 && want->serialNumber[0] == 0)
        return err_set(
            err, P11CA_CONFIG, "TOKEN_URI", "token '%s': uri: want token=LABEL or serial=SERIAL", b->name);
    *ret = uri;
    uri = NULL;
    return 0;
}

int token_check_binding(const struct token_binding *b, struct p11ca_err *err)
{
    AUTO_URI uri = NULL;

    return parse_uri(b, &uri, err);
}

static void to_info(const struct token_seen *seen, CK_TOKEN_INFO *info)
{
    const struct {
        const char *from;
        CK_UTF8CHAR *to;
        size_t len;
    } f[] = {
        {seen->label, info->label, sizeof(info->label)},
        {seen->serial, info->serialNumber, sizeof(info->serialNumber)},
        {seen->model, info->model, sizeof(info->model)},
        {seen->manufacturer, info->manufacturerID, sizeof(info->manufacturerID)},
    };
    size_t i;

    memset(info, 0, sizeof(*info));
    for (i = 0; i < sizeof(f) / sizeof(f[0]); i++) {
        memset(f[i].to, ' ', f[i].len);
        memcpy(f[i].to, f[i].from, strnlen(f[i].from, f[i].len));
    }
}

bool token_matches(const struct token_binding *b, const struct token_seen *seen)
{
    AUTO_URI uri = NULL;
    struct p11ca_err ignored;
    CK_TOKEN_INFO info;

    if (parse_uri(b, &uri, &ignored) != 0)
        return false;
    to_info(seen, &info);
    return p11_kit_uri_match_token_info(uri, &info);
}

static int read_info(const struct module *m, CK_SLOT_ID slot, CK_TOKEN_INFO *info, struct p11ca_err *err)
{
    CK_RV rv = module_token_info(m->fn, slot, info);

    return rv == CKR_OK ? 0 : err_rv(err, rv, "%s: slot %lu: C_GetTokenInfo", m->path, slot);
}

static void set_names(struct token *t)
{
    unpad(t->label, t->info.label, sizeof(t->info.label));
    unpad(t->serial, t->info.serialNumber, sizeof(t->info.serialNumber));
    unpad(t->model, t->info.model, sizeof(t->info.model));
    unpad(t->manufacturer, t->info.manufacturerID, sizeof(t->info.manufacturerID));
}

/* uri NULL: a token that nobody has initialised yet. */
static bool is_wanted(const CK_TOKEN_INFO *info, P11KitUri *uri)
{
    bool blank = !(info->flags & CKF_TOKEN_INITIALIZED);

    return uri ? !blank && p11_kit_uri_match_token_info(uri, info) : blank;
}

/* How many tokens match; the last match is in t. */
static int count_matches(struct token *t, P11KitUri *uri, size_t *ret_n, struct p11ca_err *err)
{
    __attribute__((cleanup(scope_str))) char *hold = NULL;
    CK_SLOT_ID *slots;
    CK_TOKEN_INFO info;
    size_t n, i, found = 0;

    if (module_slots(t->module, &slots, &n, err) != 0)
        return -1;
    hold = (char *)slots;
    for (i = 0; i < n; i++) {
        /* Another slot's dead token must not hide ours. */
        if (module_token_info(t->module->fn, slots[i], &info) != CKR_OK || !is_wanted(&info, uri))
            continue;
        t->slot = slots[i];
        t->info = info;
        found++;
    }
    *ret_n = found;
    return 0;
}

int token_count(struct token *t, size_t *ret_n, struct p11ca_err *err)
{
    AUTO_URI uri = NULL;

    return parse_uri(t->binding, &uri, err) == 0 ? count_matches(t, uri, ret_n, err) : -1;
}

int token_count_blank(struct token *t, size_t *ret_n, struct p11ca_err *err)
{
    return count_matches(t, NULL, ret_n, err);
}

int token_find(struct token *t, struct p11ca_err *err)
{
    size_t n;

    if (token_count(t, &n, err) != 0)
        return -1;
    if (n != 1)
        return err_set(err, P11CA_TOKEN, n ? "TOKEN_AMBIGUOUS" : "TOKEN_NOT_FOUND",
            "token '%s': want exactly one token that matches %s, have %zu%s", t->binding->name,
            t->binding->uri, n, n ? " (add serial=... to the uri)" : "");
    set_names(t);
    return 0;
}

static int open_module(struct token *t, struct p11ca_err *err)
{
    if (token_kind_load(&t->kind, t->binding->kind, t->env->kind_dirs, err) != 0)
        return err_prefix(err, "token '%s'", t->binding->name);
    if (module_open(&t->module, &t->kind, t->binding->store, err) != 0)
        return err_prefix(err, "token '%s'", t->binding->name);
    return 0;
}

int token_new(
    struct token **ret, const struct token_binding *b, const struct token_env *env, struct p11ca_err *err)
{
    struct token *t = calloc(1, sizeof(*t));

    if (!t)
        return err_nomem(err);
    t->binding = b;
    t->env = env;
    t->session = CK_INVALID_HANDLE;
    if (token_check_binding(b, err) != 0 || open_module(t, err) != 0) {
        token_close(t);
        return -1;
    }
    *ret = t;
    return 0;
}

int token_open_session(struct token *t, bool writable, struct p11ca_err *err)
{
    CK_RV rv = t->module->fn->C_OpenSession(
        t->slot, CKF_SERIAL_SESSION | (writable ? CKF_RW_SESSION : 0), NULL, NULL, &t->session);

    if (rv != CKR_OK) {
        t->session = CK_INVALID_HANDLE;
        return err_rv(err, rv, "token '%s': C_OpenSession", t->binding->name);
    }
    t->writable = writable;
    return 0;
}

int token_open(struct token **ret, const struct token_binding *b, const struct token_env *env, bool writable,
    struct p11ca_err *err)
{
    struct token *t;

    if (token_new(&t, b, env, err) != 0)
        return -1;
    if (token_find(t, err) != 0 || token_open_session(t, writable, err) != 0) {
        token_close(t);
        return -1;
    }
    *ret = t;
    return 0;
}

void token_close(struct token *t)
{
    if (!t)
        return;
    if (t->session != CK_INVALID_HANDLE)
        t->module->fn->C_CloseSession(t->session);
    module_close(t->module);
    token_kind_done(&t->kind);
    free(t);
}

int token_refresh(struct token *t, struct p11ca_err *err)
{
    return read_info(t->module, t->slot, &t->info, err);
}

int token_uri_label(const struct token_binding *b, unsigned char ret[32], struct p11ca_err *err)
{
    AUTO_URI uri = NULL;
    CK_TOKEN_INFO *info;

    if (parse_uri(b, &uri, err) != 0)
        return -1;
    info = p11_kit_uri_get_token_info(uri);
    if (info->label[0] == 0)
        return err_set(
            err, P11CA_CONFIG, "TOKEN_URI", "token '%s': uri: want token=LABEL to initialise", b->name);
    memcpy(ret, info->label, 32);
    return 0;
}

int token_each(const struct token_binding *b, const struct token_env *env, token_seen_fn *fn, void *arg,
    struct p11ca_err *err)
{
    CK_SLOT_ID *slots = NULL;
    size_t n = 0, i;
    struct token *t;
    int rc;

    if (token_new(&t, b, env, err) != 0)
        return -1;
    rc = module_slots(t->module, &slots, &n, err);
    for (i = 0; i < n; i++) {
        if (module_token_info(t->module->fn, slots[i], &t->info) != CKR_OK)
            continue;
        set_names(t);
        fn(arg, &(struct token_seen){
                    .label = t->label,
                    .serial = t->serial,
                    .model = t->model,
                    .manufacturer = t->manufacturer,
                    .slot = slots[i],
                    .initialized = t->info.flags & CKF_TOKEN_INITIALIZED,
                    .user_pin_set = t->info.flags & CKF_USER_PIN_INITIALIZED,
                    .pin_pad = t->info.flags & CKF_PROTECTED_AUTHENTICATION_PATH,
                    .pin_count_low = t->info.flags & CKF_USER_PIN_COUNT_LOW,
                    .pin_final_try = t->info.flags & CKF_USER_PIN_FINAL_TRY,
                    .pin_locked = t->info.flags & CKF_USER_PIN_LOCKED,
                });
    }
    free(slots);
    token_close(t);
    return rc;
}
