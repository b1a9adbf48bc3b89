#include "token/pin.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "token/handle.h"
#include "token/rv.h"

static const struct role {
    CK_USER_TYPE type;
    const char *name, *login, *key; /* key: in p11ca.conf */
    CK_FLAGS locked, final_try, count_low;
    const char *final_try_name, *count_low_name;
} roles[] = {
    [PIN_USER] = {CKU_USER, "user", "login", "pin", CKF_USER_PIN_LOCKED, CKF_USER_PIN_FINAL_TRY,
        CKF_USER_PIN_COUNT_LOW, "CKF_USER_PIN_FINAL_TRY", "CKF_USER_PIN_COUNT_LOW"},
    [PIN_SO] = {CKU_SO, "security officer", "login as security officer", "so-pin", CKF_SO_PIN_LOCKED,
        CKF_SO_PIN_FINAL_TRY, CKF_SO_PIN_COUNT_LOW, "CKF_SO_PIN_FINAL_TRY", "CKF_SO_PIN_COUNT_LOW"},
};

static const char *source_of(const struct token *t, enum pin_role role)
{
    const char *source = role == PIN_SO ? t->binding->so_pin : t->binding->pin;

    return source ? source : "prompt";
}

static int read_from(
    struct token *t, enum pin_role role, const char *again, struct secret *ret, struct p11ca_err *err)
{
    char prompt[128];

    snprintf(prompt, sizeof(prompt), "%s PIN of token '%s'%s", roles[role].name, t->binding->name, again);
    if (secret_read(ret, source_of(t, role), t->env->base, prompt, t->env->ui, err) != 0)
        return err_prefix(err, "token '%s'", t->binding->name);
    return 0;
}

int pin_read(struct token *t, enum pin_role role, struct secret *ret, struct p11ca_err *err)
{
    if (t->info.flags & CKF_PROTECTED_AUTHENTICATION_PATH)
        return 0;
    return read_from(t, role, "", ret, err);
}

/* A slip would lock everybody out of the token. Shares have a checksum of their own. */
static int type_again(struct token *t, enum pin_role role, const struct secret *pin, struct p11ca_err *err)
{
    AUTO_SECRET again = SECRET_INIT;

    if (!pin->p || strcmp(source_of(t, role), "prompt") != 0)
        return 0;
    if (read_from(t, role, " again", &again, err) != 0)
        return -1;
    if (again.len == pin->len && CRYPTO_memcmp(again.p, pin->p, pin->len) == 0)
        return 0;
    return err_set(err, P11CA_LOGIN, "PIN_MISMATCH", "token '%s': the two PINs differ; nothing was done",
        t->binding->name);
}

/* Found out after C_InitToken, a PIN of the wrong length would leave a token without a user PIN behind. */
int pin_check_length(
    const struct token *t, enum pin_role role, const struct secret *pin, struct p11ca_err *err)
{
    if (!pin->p ||
        (pin->len >= t->info.ulMinPinLen && (!t->info.ulMaxPinLen || pin->len <= t->info.ulMaxPinLen)))
        return 0;
    return err_set(err, P11CA_LOGIN, "PIN_LEN_RANGE", "token '%s': %s PIN: want %lu to %lu characters",
        t->binding->name, roles[role].name, t->info.ulMinPinLen, t->info.ulMaxPinLen);
}

int pin_read_new(struct token *t, enum pin_role role, struct secret *ret, struct p11ca_err *err)
{
    return pin_read(t, role, ret, err) == 0 && type_again(t, role, ret, err) == 0
               ? pin_check_length(t, role, ret, err)
               : -1;
}

static void tell_counters(const struct token *t, const struct role *r)
{
    const struct p11ca_ui *ui = t->env->ui;
    char line[160];

    if (!(t->info.flags & (r->count_low | r->final_try)) || !ui || !ui->say)
        return;
    snprintf(line, sizeof(line), "token '%s': %s%s", t->binding->name,
        r->type == CKU_SO ? "security officer: " : "",
        t->info.flags & r->final_try ? "LAST TRY before the PIN locks"
                                     : "a wrong PIN was given since the last login");
    ui->say(ui->ctx, line);
}

int pin_check_counters(struct token *t, enum pin_role role, struct p11ca_err *err)
{
    const struct role *r = &roles[role];

    if (token_refresh(t, err) != 0)
        return -1;
    if (t->info.flags & r->locked)
        return err_set(
            err, P11CA_LOGIN, "PIN_LOCKED", "token '%s': the %s PIN is locked", t->binding->name, r->name);
    if (role == PIN_USER && !(t->info.flags & CKF_USER_PIN_INITIALIZED))
        return err_set(err, P11CA_LOGIN, "USER_PIN_NOT_INITIALIZED", "token '%s': no user PIN was set%s",
            t->binding->name, token_sets_pin_later(t->binding) ? "; its shares are made when one is" : "");
    if ((t->info.flags & r->final_try) && !secret_is_typed(source_of(t, role)))
        return err_set(err, P11CA_LOGIN, "PIN_FINAL_TRY",
            "token '%s': one try is left before the %sPIN locks; only a typed PIN is taken (%s = \"prompt\")",
            t->binding->name, role == PIN_SO ? "security officer's " : "", r->key);
    tell_counters(t, r);
    return 0;
}

/* After a wrong PIN, from the worst on. */
static const char *tries_left(struct token *t, const struct role *r, char buf[96])
{
    struct p11ca_err ignored;

    if (token_refresh(t, &ignored) != 0)
        return "the token does not answer";
    if (t->info.flags & r->locked)
        return "0, the PIN is locked";
    if (t->info.flags & r->final_try)
        snprintf(buf, 96, "1 (%s)", r->final_try_name);
    else if (t->info.flags & r->count_low)
        snprintf(buf, 96, "not told, more than 1 (%s)", r->count_low_name);
    else
        return "this token does not say";
    return buf;
}

int pin_login(struct token *t, enum pin_role role, const struct secret *pin, struct p11ca_err *err)
{
    const struct role *r = &roles[role];
    CK_RV rv = t->module->fn->C_Login(t->session, r->type, (CK_UTF8CHAR *)pin->p, (CK_ULONG)pin->len);
    char buf[96];

    if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN)
        return 0;
    if (rv == CKR_PIN_INCORRECT)
        return err_set(err, P11CA_LOGIN, "PIN_INCORRECT", "token '%s': %s: CKR_PIN_INCORRECT; tries left: %s",
            t->binding->name, r->login, tries_left(t, r, buf));
    return err_rv(err, rv, "token '%s': %s", t->binding->name, r->login);
}

bool token_logged_in(const struct token *t)
{
    CK_SESSION_INFO info;

    return t->module->fn->C_GetSessionInfo(t->session, &info) == CKR_OK &&
           (info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS);
}

int token_login(struct token *t, struct p11ca_err *err)
{
    AUTO_SECRET pin = SECRET_INIT;

    /* The login belongs to the process: another handle on this token may have done it. */
    if (token_logged_in(t))
        return 0;
    if (pin_check_counters(t, PIN_USER, err) != 0 || pin_read(t, PIN_USER, &pin, err) != 0)
        return -1;
    return pin_login(t, PIN_USER, &pin, err);
}
