/* A blank token becomes ours: label and PINs. */
#include <stdio.h>

#include "token/handle.h"
#include "token/inventory.h"
#include "token/pin.h"
#include "token/rv.h"

/* Characters of a drawn PIN, five bits each. */
#define PIN_LEN 24

bool token_sets_pin_later(const struct token_binding *b)
{
    return b->pin && secret_is_shared(b->pin);
}

static void log_out(struct token *t)
{
    t->module->fn->C_Logout(t->session);
}

/* Logged in as nobody, before and after. */
static int set_user_pin(
    struct token *t, const struct secret *so_pin, const struct secret *pin, struct p11ca_err *err)
{
    CK_RV rv;

    if (pin_login(t, PIN_SO, so_pin, err) != 0)
        return -1;
    rv = t->module->fn->C_InitPIN(t->session, (CK_UTF8CHAR *)pin->p, (CK_ULONG)pin->len);
    log_out(t);
    if (rv != CKR_OK)
        return err_rv(err, rv, "token '%s': C_InitPIN", t->binding->name);
    if (pin_login(t, PIN_USER, pin, err) != 0)
        return err_prefix(err, "the new user PIN");
    log_out(t);
    return 0;
}

/* The slot that holds the one token nobody has initialised yet. */
static int find_blank(struct token *t, struct p11ca_err *err)
{
    size_t n;

    if (token_count_blank(t, &n, err) != 0)
        return -1;
    if (n == 1)
        return 0;
    return err_set(err, P11CA_TOKEN, "TOKEN_BLANK",
        "token '%s': want exactly one uninitialised token, have %zu", t->binding->name, n);
}

/* All PINs are at hand before the token is changed: a token without a user PIN is of no use to anybody. */
static int init_blank(struct token *t, struct p11ca_err *err)
{
    AUTO_SECRET so_pin = SECRET_INIT, pin = SECRET_INIT;
    bool later = token_sets_pin_later(t->binding);
    CK_UTF8CHAR label[32];
    CK_RV rv;

    if (token_uri_label(t->binding, label, err) != 0 || find_blank(t, err) != 0 ||
        pin_read_new(t, PIN_SO, &so_pin, err) != 0 || (!later && pin_read_new(t, PIN_USER, &pin, err) != 0))
        return -1;
    rv = t->module->fn->C_InitToken(t->slot, (CK_UTF8CHAR *)so_pin.p, (CK_ULONG)so_pin.len, label);
    if (rv != CKR_OK)
        return err_rv(err, rv, "token '%s': C_InitToken", t->binding->name);
    /* Slot numbers change when a token is initialised. */
    if (token_find(t, err) != 0)
        return -1;
    if (later)
        return 0;
    return token_open_session(t, true, err) == 0 ? set_user_pin(t, &so_pin, &pin, err) : -1;
}

static int check_empty(const struct token *t, struct p11ca_err *err)
{
    struct inventory inv;

    if (inventory(t, NULL, NULL, &inv, err) != 0)
        return -1;
    if (inv.n == 0)
        return 0;
    return err_set(err, P11CA_TOKEN, "TOKEN_NOT_EMPTY",
        "token '%s': want an empty token to go on with, have one with %zu objects", t->binding->name, inv.n);
}

/* The token is ours if the security officer's PIN is. */
static int verify_so(struct token *t, const struct secret *so_pin, struct p11ca_err *err)
{
    if (pin_login(t, PIN_SO, so_pin, err) != 0)
        return -1;
    log_out(t);
    return 0;
}

static int finish_as_so(struct token *t, struct p11ca_err *err)
{
    AUTO_SECRET so_pin = SECRET_INIT, pin = SECRET_INIT;

    if (pin_check_counters(t, PIN_SO, err) != 0 || pin_read(t, PIN_SO, &so_pin, err) != 0)
        return -1;
    if (token_sets_pin_later(t->binding))
        return verify_so(t, &so_pin, err);
    if (pin_read_new(t, PIN_USER, &pin, err) != 0)
        return -1;
    return set_user_pin(t, &so_pin, &pin, err);
}

/* Private objects are seen by the user only; where there is no user yet, nobody can have made one. */
static int finish(struct token *t, struct p11ca_err *err)
{
    if (token_find(t, err) != 0 || token_open_session(t, true, err) != 0 || check_empty(t, err) != 0)
        return -1;
    if (token_sets_pin_later(t->binding) || !(t->info.flags & CKF_USER_PIN_INITIALIZED))
        return finish_as_so(t, err);
    return token_login(t, err) == 0 ? check_empty(t, err) : -1;
}

int token_init(const struct token_binding *b, const struct token_env *env, bool resume, struct p11ca_err *err)
{
    struct token *t;
    size_t n = 0;
    int rc = -1;

    if (token_new(&t, b, env, err) != 0)
        return -1;
    if (token_count(t, &n, err) != 0)
        rc = -1;
    else if (n && !resume)
        err_set(err, P11CA_TOKEN, "TOKEN_EXISTS",
            "token '%s': a token that matches %s is already initialised", b->name, b->uri);
    else
        rc = n ? finish(t, err) : init_blank(t, err);
    token_close(t);
    return rc;
}

/* The session must be nobody's: the security officer and the user are not logged in at once. */
static int check_nobody(const struct token *t, struct p11ca_err *err)
{
    if (!token_logged_in(t))
        return 0;
    return err_set(
        err, P11CA_BUG, "LOGGED_IN", "token '%s': want nobody logged in to set a PIN", t->binding->name);
}

int token_set_pin(struct token *t, const struct secret *pin, struct p11ca_err *err)
{
    AUTO_SECRET so_pin = SECRET_INIT, own = SECRET_INIT;

    if (check_nobody(t, err) != 0 || pin_check_counters(t, PIN_SO, err) != 0)
        return -1;
    if (!pin && pin_read_new(t, PIN_USER, &own, err) != 0)
        return -1;
    if (pin && pin_check_length(t, PIN_USER, pin, err) != 0)
        return -1;
    return pin_read(t, PIN_SO, &so_pin, err) == 0 ? set_user_pin(t, &so_pin, pin ? pin : &own, err) : -1;
}

static void tell_short(const struct token *t, size_t len)
{
    const struct p11ca_ui *ui = t->env->ui;
    char line[160];

    if (len * 5 >= 100 || !ui || !ui->say)
        return;
    snprintf(line, sizeof(line), "token '%s': takes PINs of at most %zu characters: %zu bits (weak)",
        t->binding->name, len, len * 5);
    ui->say(ui->ctx, line);
}

int token_draw_pin(const struct token *t, struct secret *ret, struct p11ca_err *err)
{
    size_t len = PIN_LEN;

    if (t->info.ulMaxPinLen && len > t->info.ulMaxPinLen)
        len = t->info.ulMaxPinLen;
    if (len < t->info.ulMinPinLen)
        len = t->info.ulMinPinLen;
    tell_short(t, len);
    return secret_random(ret, len, err);
}
