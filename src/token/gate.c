#include "token/gate.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#include "token/module.h"
#include "token/rv.h"

#define MAX_KEYS     32
#define MAX_SESSIONS 1024

/* A slot of the gate: one key. Slot numbers are index + 1. */
struct gate_slot {
    bool used;
    CK_FUNCTION_LIST *fn;
    CK_SLOT_ID slot;
    CK_OBJECT_HANDLE private_key, public_key;
    size_t limit, open;
};

/* A session of the gate. Handles are index + 1. Written under the lock, before libp11 has the handle. */
struct gate_session {
    struct gate_slot *slot; /* NULL: free */
    CK_SESSION_HANDLE real;
    CK_RV dead; /* not CKR_OK: there is no real session, and this is why */
    CK_OBJECT_HANDLE found[2];
    size_t n_found;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct gate_slot slots[MAX_KEYS];
static struct gate_session sessions[MAX_SESSIONS];
static CK_SLOT_ID newest; /* what C_GetSlotList shows */

static _Thread_local CK_RV last_rv;
static _Thread_local const char *last_function;

CK_RV gate_last_error(const char **ret_function)
{
    CK_RV rv = last_rv;

    *ret_function = last_function ? last_function : "";
    last_rv = CKR_OK;
    return rv;
}

static CK_RV note(const char *function, CK_RV rv)
{
    if (rv != CKR_OK) {
        last_rv = rv;
        last_function = function;
    }
    return rv;
}

static struct gate_slot *slot_of(CK_SLOT_ID id)
{
    return id >= 1 && id <= MAX_KEYS && slots[id - 1].used ? &slots[id - 1] : NULL;
}

static struct gate_session *session_of(CK_SESSION_HANDLE h)
{
    return h >= 1 && h <= MAX_SESSIONS && sessions[h - 1].slot ? &sessions[h - 1] : NULL;
}

/* What a call on this session answers before it gets anywhere. */
static CK_RV usable(CK_SESSION_HANDLE h, struct gate_session **ret)
{
    struct gate_session *s = session_of(h);

    if (!s)
        return CKR_SESSION_HANDLE_INVALID;
    *ret = s;
    return s->dead;
}

static CK_RV gate_initialize(void *args)
{
    (void)args;
    return CKR_OK; /* token/module.c did, and will finalize */
}

static CK_RV gate_finalize(void *reserved)
{
    (void)reserved;
    return CKR_OK;
}

static CK_RV gate_get_info(CK_INFO *info)
{
    struct gate_slot *s = slot_of(newest);

    return s ? note("C_GetInfo", s->fn->C_GetInfo(info)) : CKR_GENERAL_ERROR;
}

static CK_RV gate_get_slot_list(CK_BBOOL present, CK_SLOT_ID *list, CK_ULONG *n)
{
    (void)present;
    if (list && *n < 1)
        return CKR_BUFFER_TOO_SMALL;
    if (list)
        list[0] = newest;
    *n = 1;
    return CKR_OK;
}

static CK_RV gate_get_slot_info(CK_SLOT_ID id, CK_SLOT_INFO *info)
{
    struct gate_slot *s = slot_of(id);

    return s ? note("C_GetSlotInfo", s->fn->C_GetSlotInfo(s->slot, info)) : CKR_SLOT_ID_INVALID;
}

static CK_RV gate_get_token_info(CK_SLOT_ID id, CK_TOKEN_INFO *info)
{
    struct gate_slot *s = slot_of(id);

    return s ? note("C_GetTokenInfo", module_token_info(s->fn, s->slot, info)) : CKR_SLOT_ID_INVALID;
}

/* Under the lock. */
static struct gate_session *free_session(CK_SESSION_HANDLE *ret)
{
    size_t i;

    for (i = 0; i < MAX_SESSIONS; i++) {
        if (!sessions[i].slot) {
            *ret = i + 1;
            return &sessions[i];
        }
    }
    return NULL;
}

/*
 * libp11 takes CKR_SESSION_COUNT well as long as it has a session; after any other error it waits for one that
 * nobody will give back. It gets a dead session instead.
 */
static CK_RV open_locked(struct gate_slot *slot, CK_FLAGS flags, CK_SESSION_HANDLE *ret)
{
    CK_SESSION_HANDLE handle = 0;
    struct gate_session *s;
    CK_RV rv = CKR_SESSION_COUNT;

    if (slot->open >= slot->limit && slot->open)
        return CKR_SESSION_COUNT;
    s = free_session(&handle);
    if (!s)
        return slot->open ? CKR_SESSION_COUNT : CKR_HOST_MEMORY;
    memset(s, 0, sizeof(*s));
    rv = note(
        "C_OpenSession", slot->fn->C_OpenSession(slot->slot, flags & ~CKF_RW_SESSION, NULL, NULL, &s->real));
    if (rv == CKR_SESSION_COUNT && slot->open)
        return rv;
    s->dead = rv;
    s->slot = slot;
    slot->open++;
    *ret = handle;
    return CKR_OK;
}

static CK_RV gate_open_session(
    CK_SLOT_ID id, CK_FLAGS flags, void *app, CK_NOTIFY notify, CK_SESSION_HANDLE *ret)
{
    struct gate_slot *slot = slot_of(id);
    CK_RV rv;

    (void)app, (void)notify;
    if (!slot)
        return CKR_SLOT_ID_INVALID;
    pthread_mutex_lock(&lock);
    rv = open_locked(slot, flags, ret);
    pthread_mutex_unlock(&lock);
    return rv;
}

/* Under the lock. */
static void close_one(struct gate_session *s)
{
    if (s->dead == CKR_OK)
        s->slot->fn->C_CloseSession(s->real);
    s->slot->open--;
    s->slot = NULL;
}

static CK_RV gate_close_session(CK_SESSION_HANDLE h)
{
    struct gate_session *s = session_of(h);

    if (!s)
        return CKR_SESSION_HANDLE_INVALID;
    pthread_mutex_lock(&lock);
    close_one(s);
    pthread_mutex_unlock(&lock);
    return CKR_OK;
}

/* Never C_CloseAllSessions of the token: that would log everybody out. */
static CK_RV gate_close_all_sessions(CK_SLOT_ID id)
{
    struct gate_slot *slot = slot_of(id);
    size_t i;

    if (!slot)
        return CKR_SLOT_ID_INVALID;
    pthread_mutex_lock(&lock);
    for (i = 0; i < MAX_SESSIONS; i++) {
        if (sessions[i].slot == slot)
            close_one(&sessions[i]);
    }
    pthread_mutex_unlock(&lock);
    return CKR_OK;
}

static CK_RV gate_get_session_info(CK_SESSION_HANDLE h, CK_SESSION_INFO *info)
{
    struct gate_session *s = NULL;
    CK_RV rv = usable(h, &s);

    return rv == CKR_OK ? s->slot->fn->C_GetSessionInfo(s->real, info) : note("C_OpenSession", rv);
}

/* The login is per application and token, and done (token/token.c): no PIN passes here. */
static CK_RV gate_login(CK_SESSION_HANDLE h, CK_USER_TYPE who, CK_UTF8CHAR *pin, CK_ULONG len)
{
    (void)h, (void)who, (void)pin, (void)len;
    return CKR_USER_ALREADY_LOGGED_IN;
}

static CK_RV gate_logout(CK_SESSION_HANDLE h)
{
    (void)h;
    return CKR_OK;
}

/* The search has been done: libp11 asks by class, and gets the one key of that class. */
static CK_RV gate_find_init(CK_SESSION_HANDLE h, CK_ATTRIBUTE *tmpl, CK_ULONG n)
{
    CK_OBJECT_CLASS class = CKO_DATA;
    struct gate_session *s = NULL;
    CK_RV rv = usable(h, &s);
    CK_ULONG i;

    if (rv != CKR_OK)
        return note("C_OpenSession", rv);
    for (i = 0; i < n; i++) {
        if (tmpl[i].type == CKA_CLASS && tmpl[i].ulValueLen == sizeof(class))
            memcpy(&class, tmpl[i].pValue, sizeof(class));
    }
    s->n_found = 0;
    if (class == CKO_PRIVATE_KEY)
        s->found[s->n_found++] = s->slot->private_key;
    else if (class == CKO_PUBLIC_KEY && s->slot->public_key != CK_INVALID_HANDLE)
        s->found[s->n_found++] = s->slot->public_key;
    return CKR_OK;
}

static CK_RV gate_find(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE *ret, CK_ULONG max, CK_ULONG *ret_n)
{
    struct gate_session *s = NULL;
    CK_RV rv = usable(h, &s);

    if (rv != CKR_OK)
        return note("C_OpenSession", rv);
    *ret_n = 0;
    while (*ret_n < max && s->n_found)
        ret[(*ret_n)++] = s->found[--s->n_found];
    return CKR_OK;
}

static CK_RV gate_find_final(CK_SESSION_HANDLE h)
{
    struct gate_session *s = NULL;

    return note("C_OpenSession", usable(h, &s));
}

static CK_RV gate_get_attribute(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl, CK_ULONG n)
{
    struct gate_session *s = NULL;
    CK_RV rv = usable(h, &s);

    if (rv != CKR_OK)
        return note("C_OpenSession", rv);
    if (object != s->slot->private_key && object != s->slot->public_key)
        return CKR_OBJECT_HANDLE_INVALID;
    /* Asking for what a key does not have is how libp11 looks around: no error of ours. */
    return s->slot->fn->C_GetAttributeValue(s->real, object, tmpl, n);
}

static CK_RV gate_sign_init(CK_SESSION_HANDLE h, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE object)
{
    struct gate_session *s = NULL;
    CK_RV rv = usable(h, &s);

    last_rv = CKR_OK; /* a signature begins: what went wrong before is not its fault */
    if (rv != CKR_OK)
        return note("C_OpenSession", rv);
    if (object != s->slot->private_key)
        return note("C_SignInit", CKR_KEY_HANDLE_INVALID);
    return note("C_SignInit", s->slot->fn->C_SignInit(s->real, mechanism, object));
}

static CK_RV gate_sign(CK_SESSION_HANDLE h, CK_BYTE *data, CK_ULONG len, CK_BYTE *sig, CK_ULONG *sig_len)
{
    struct gate_session *s = NULL;
    CK_RV rv = usable(h, &s);

    return note("C_Sign", rv == CKR_OK ? s->slot->fn->C_Sign(s->real, data, len, sig, sig_len) : rv);
}

/* What is not here, libp11 is never asked to do. */
static CK_FUNCTION_LIST functions = {
    .version = {2, 40},
    .C_Initialize = gate_initialize,
    .C_Finalize = gate_finalize,
    .C_GetInfo = gate_get_info,
    .C_GetSlotList = gate_get_slot_list,
    .C_GetSlotInfo = gate_get_slot_info,
    .C_GetTokenInfo = gate_get_token_info,
    .C_OpenSession = gate_open_session,
    .C_CloseSession = gate_close_session,
    .C_CloseAllSessions = gate_close_all_sessions,
    .C_GetSessionInfo = gate_get_session_info,
    .C_Login = gate_login,
    .C_Logout = gate_logout,
    .C_FindObjectsInit = gate_find_init,
    .C_FindObjects = gate_find,
    .C_FindObjectsFinal = gate_find_final,
    .C_GetAttributeValue = gate_get_attribute,
    .C_SignInit = gate_sign_init,
    .C_Sign = gate_sign,
};

static int attach(const char *path, struct p11ca_err *err)
{
    static bool attached;
    void (*give)(CK_FUNCTION_LIST *);
    void *handle;

    if (attached)
        return 0;
    /* Stays loaded: libp11 loads the same file again, and must find the pointer in it. */
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return err_set(err, P11CA_TOKEN, "GATE", "%s", dlerror());
    *(void **)&give = dlsym(handle, "p11ca_gate_attach");
    if (!give) {
        dlclose(handle);
        return err_set(err, P11CA_TOKEN, "GATE", "%s: not p11ca's gate", path);
    }
    give(&functions);
    attached = true;
    return 0;
}

int gate_add(const struct key *k, const char *gate_path, unsigned long *ret_slot, struct p11ca_err *err)
{
    const struct token *t = k->token;
    size_t i, limit = (size_t)t->kind.max_sessions;

    if (attach(gate_path, err) != 0)
        return -1;
    /* 0: no limit; all ones: unknown (PKCS#11 2.40 3.2). Our own session is one of them. */
    if (t->info.ulMaxSessionCount > 1 && t->info.ulMaxSessionCount != CK_UNAVAILABLE_INFORMATION &&
        t->info.ulMaxSessionCount - 1 < limit)
        limit = t->info.ulMaxSessionCount - 1;
    for (i = 0; i < MAX_KEYS && slots[i].used; i++)
        ;
    if (i == MAX_KEYS)
        return err_set(err, P11CA_TOKEN, "GATE", "want at most %d keys in use at once", MAX_KEYS);
    slots[i] = (struct gate_slot){true, t->module->fn, t->slot, k->private_key, k->public_key, limit, 0};
    newest = i + 1;
    *ret_slot = newest;
    return 0;
}

size_t gate_sessions(unsigned long slot)
{
    return slot_of(slot) ? slots[slot - 1].limit : 0;
}

void gate_remove(unsigned long slot)
{
    if (!slot_of(slot))
        return;
    gate_close_all_sessions(slot);
    slots[slot - 1].used = false;
}
