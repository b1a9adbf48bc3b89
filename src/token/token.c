#include "token/token.h"

#include <openssl/crypto.h>
#include <p11-kit/uri.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
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
    CK_RV rv = m->fn->C_GetTokenInfo(slot, info);

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
        if (t->module->fn->C_GetTokenInfo(slots[i], &info) != CKR_OK || !is_wanted(&info, uri))
            continue;
        t->slot = slots[i];
        t->info = info;
        found++;
    }
    *ret_n = found;
    return 0;
}

static int find(struct token *t, struct p11ca_err *err)
{
    AUTO_URI uri = NULL;
    size_t n;

    if (parse_uri(t->binding, &uri, err) != 0 || count_matches(t, uri, &n, err) != 0)
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

static struct token *new_token(const struct token_binding *b, const struct token_env *env)
{
    struct token *t = calloc(1, sizeof(*t));

    if (t) {
        t->binding = b;
        t->env = env;
        t->session = CK_INVALID_HANDLE;
    }
    return t;
}

static int open_session(struct token *t, bool writable, struct p11ca_err *err)
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
    struct token *t = new_token(b, env);

    if (!t)
        return err_nomem(err);
    if (token_check_binding(b, err) != 0 || open_module(t, err) != 0 || find(t, err) != 0 ||
        open_session(t, writable, err) != 0) {
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

/* Whether a wrong PIN now would do harm; what the person is told. */
static int check_counters(struct token *t, struct p11ca_err *err)
{
    const struct p11ca_ui *ui = t->env->ui;
    char line[128];

    if (read_info(t->module, t->slot, &t->info, err) != 0)
        return -1;
    if (t->info.flags & CKF_USER_PIN_LOCKED)
        return err_set(
            err, P11CA_LOGIN, "PIN_LOCKED", "token '%s': the user PIN is locked", t->binding->name);
    if (!(t->info.flags & CKF_USER_PIN_INITIALIZED))
        return err_set(err, P11CA_LOGIN, "USER_PIN_NOT_INITIALIZED", "token '%s': no user PIN was set",
            t->binding->name);
    if ((t->info.flags & CKF_USER_PIN_FINAL_TRY) && strcmp(t->binding->pin, "prompt") != 0)
        return err_set(err, P11CA_LOGIN, "PIN_FINAL_TRY",
            "token '%s': one try is left before the PIN locks; only a typed PIN is taken (pin = \"prompt\")",
            t->binding->name);
    if ((t->info.flags & (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY)) && ui && ui->say) {
        snprintf(line, sizeof(line), "token '%s': %s", t->binding->name,
            t->info.flags & CKF_USER_PIN_FINAL_TRY ? "LAST TRY before the PIN locks"
                                                   : "a wrong PIN was given since the last login");
        ui->say(ui->ctx, line);
    }
    return 0;
}

static int read_pin(const struct token_binding *b, const struct token_env *env, bool so, struct secret *ret,
    struct p11ca_err *err)
{
    const char *source = so ? b->so_pin : b->pin;
    char prompt[128];

    snprintf(prompt, sizeof(prompt), "%s PIN of token '%s'", so ? "security officer" : "user", b->name);
    if (secret_read(ret, source ? source : "prompt", env->base, prompt, env->ui, err) != 0)
        return err_prefix(err, "token '%s'", b->name);
    return 0;
}

/* A PIN pad on the token asks by itself: no PIN goes through us. */
static int read_pin_unless_pad(struct token *t, bool so, struct secret *ret, struct p11ca_err *err)
{
    if (t->info.flags & CKF_PROTECTED_AUTHENTICATION_PATH)
        return 0;
    return read_pin(t->binding, t->env, so, ret, err);
}

/* A new PIN that is typed is typed twice: a slip would lock everybody out of the token. */
static int read_new_pin(struct token *t, bool so, struct secret *ret, struct p11ca_err *err)
{
    const char *source = so ? t->binding->so_pin : t->binding->pin;
    AUTO_SECRET again = SECRET_INIT;
    char prompt[128];

    if (read_pin_unless_pad(t, so, ret, err) != 0)
        return -1;
    if (!ret->p || strcmp(source, "prompt") != 0)
        return 0;
    snprintf(prompt, sizeof(prompt), "%s PIN of token '%s' again", so ? "security officer" : "user",
        t->binding->name);
    if (secret_read(&again, source, t->env->base, prompt, t->env->ui, err) != 0)
        return -1;
    if (again.len == ret->len && CRYPTO_memcmp(again.p, ret->p, ret->len) == 0)
        return 0;
    return err_set(err, P11CA_LOGIN, "PIN_MISMATCH", "token '%s': the two PINs differ; nothing was done",
        t->binding->name);
}

static int login(struct token *t, CK_USER_TYPE who, const struct secret *pin, struct p11ca_err *err)
{
    CK_RV rv = t->module->fn->C_Login(t->session, who, (CK_UTF8CHAR *)pin->p, (CK_ULONG)pin->len);

    if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN)
        return 0;
    return err_rv(err, rv, "token '%s': login", t->binding->name);
}

int token_login(struct token *t, struct p11ca_err *err)
{
    AUTO_SECRET pin = SECRET_INIT;
    CK_SESSION_INFO info;

    /* The login belongs to the process: another handle on this token may have done it. */
    if (t->module->fn->C_GetSessionInfo(t->session, &info) == CKR_OK &&
        (info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS))
        return 0;
    if (check_counters(t, err) != 0 || read_pin_unless_pad(t, false, &pin, err) != 0)
        return -1;
    return login(t, CKU_USER, &pin, err);
}

/* The slot that holds the one token nobody has initialised yet. */
static int find_blank(struct token *t, struct p11ca_err *err)
{
    size_t n;

    if (count_matches(t, NULL, &n, err) != 0)
        return -1;
    if (n == 1)
        return 0;
    return err_set(err, P11CA_TOKEN, "TOKEN_BLANK",
        "token '%s': want exactly one uninitialised token, have %zu", t->binding->name, n);
}

/* Labels are 32 bytes, padded with spaces, not terminated (PKCS#11 2.40, C_InitToken). */
static int uri_label(const struct token_binding *b, CK_UTF8CHAR label[32], struct p11ca_err *err)
{
    AUTO_URI uri = NULL;
    CK_TOKEN_INFO *info;

    if (parse_uri(b, &uri, err) != 0)
        return -1;
    info = p11_kit_uri_get_token_info(uri);
    if (info->label[0] == 0)
        return err_set(
            err, P11CA_CONFIG, "TOKEN_URI", "token '%s': uri: want token=LABEL to initialise", b->name);
    memcpy(label, info->label, 32);
    return 0;
}

/* Found out after C_InitToken, a PIN of the wrong length would leave a token without a user PIN behind. */
static int check_length(
    const struct token *t, const struct secret *pin, const char *whose, struct p11ca_err *err)
{
    if (!pin->p ||
        (pin->len >= t->info.ulMinPinLen && (!t->info.ulMaxPinLen || pin->len <= t->info.ulMaxPinLen)))
        return 0;
    return err_set(err, P11CA_LOGIN, "PIN_LEN_RANGE", "token '%s': %s PIN: want %lu to %lu characters",
        t->binding->name, whose, t->info.ulMinPinLen, t->info.ulMaxPinLen);
}

/* All PINs are at hand before the token is changed: a token without a user PIN is of no use to anybody. */
static int init_blank(struct token *t, struct p11ca_err *err)
{
    AUTO_SECRET so_pin = SECRET_INIT, pin = SECRET_INIT;
    CK_FUNCTION_LIST *fn = t->module->fn;
    CK_UTF8CHAR label[32];
    CK_RV rv;

    if (uri_label(t->binding, label, err) != 0 || find_blank(t, err) != 0 ||
        read_new_pin(t, true, &so_pin, err) != 0 || read_new_pin(t, false, &pin, err) != 0 ||
        check_length(t, &so_pin, "security officer", err) != 0 || check_length(t, &pin, "user", err) != 0)
        return -1;
    rv = fn->C_InitToken(t->slot, (CK_UTF8CHAR *)so_pin.p, (CK_ULONG)so_pin.len, label);
    if (rv != CKR_OK)
        return err_rv(err, rv, "token '%s': C_InitToken", t->binding->name);
    /* Slot numbers change when a token is initialised. */
    if (find(t, err) != 0 || open_session(t, true, err) != 0 || login(t, CKU_SO, &so_pin, err) != 0)
        return -1;
    rv = fn->C_InitPIN(t->session, (CK_UTF8CHAR *)pin.p, (CK_ULONG)pin.len);
    fn->C_Logout(t->session);
    return rv == CKR_OK ? 0 : err_rv(err, rv, "token '%s': C_InitPIN", t->binding->name);
}

int token_init(const struct token_binding *b, const struct token_env *env, struct p11ca_err *err)
{
    AUTO_URI uri = NULL;
    struct token *t = new_token(b, env);
    size_t n = 0;
    int rc = -1;

    if (!t)
        return err_nomem(err);
    if (parse_uri(b, &uri, err) != 0 || open_module(t, err) != 0 || count_matches(t, uri, &n, err) != 0)
        goto out;
    if (n) {
        err_set(err, P11CA_TOKEN, "TOKEN_EXISTS",
            "token '%s': a token that matches %s is already initialised", b->name, b->uri);
        goto out;
    }
    rc = init_blank(t, err);
out:
    token_close(t);
    return rc;
}

int token_each(const struct token_binding *b, const struct token_env *env, token_seen_fn *fn, void *arg,
    struct p11ca_err *err)
{
    struct token *t = new_token(b, env);
    CK_SLOT_ID *slots = NULL;
    size_t n = 0, i;
    int rc = -1;

    if (!t)
        return err_nomem(err);
    if (token_check_binding(b, err) != 0 || open_module(t, err) != 0 ||
        module_slots(t->module, &slots, &n, err) != 0)
        goto out;
    for (i = 0; i < n; i++) {
        if (t->module->fn->C_GetTokenInfo(slots[i], &t->info) != CKR_OK)
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
    rc = 0;
out:
    free(slots);
    token_close(t);
    return rc;
}
