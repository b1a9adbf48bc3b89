#include "token/module.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/scope.h"
#include "token/rv.h"

#define INFO_TRIES 5
#define INFO_WAIT  20000000 /* nanoseconds */

static struct module *loaded;

static const char *first_existing(const struct conf_strs *paths)
{
    size_t i;

    for (i = 0; i < paths->n; i++) {
        if (file_exists(paths->v[i]))
            return paths->v[i];
    }
    return NULL;
}

/* SoftHSM finds its tokens through a file named by an environment variable; both are made here. */
static int store_prepare(const char *folder, const char *env, struct p11ca_err *err)
{
    AUTO_STR file = path_join(folder, "softhsm2.conf");
    AUTO_STR tokens = path_join(folder, "tokens");
    AUTO_BUF want = BUF_INIT, have = BUF_INIT;
    struct p11ca_err ignored;

    if (!file || !tokens)
        return err_nomem(err);
    if (file_mkdir(tokens, 0700, err) != 0)
        return -1;
    buf_addf(&want,
        "# Written by p11ca.\ndirectories.tokendir = %s\nobjectstore.backend = file\n"
        "log.level = ERROR\nslots.removable = false\n",
        tokens);
    if (!buf_ok(&want))
        return err_nomem(err);
    /* A home that was moved gets its new path; otherwise the file is left alone. */
    if (file_read(file, LIMIT_CONF, &have, &ignored) != 0 || have.len != want.len ||
        memcmp(have.p, want.p, want.len) != 0) {
        if (file_write(file, FILE_REPLACE, 0600, want.p, want.len, err) != 0)
            return -1;
    }
    return setenv(env, file, 1) == 0 ? 0 : err_nomem(err);
}

static int store_resolve(const struct token_kind *kind, const char *store, char **ret, struct p11ca_err *err)
{
    *ret = NULL;
    if (!store)
        return 0;
    if (!kind->store_env)
        return err_set(err, P11CA_CONFIG, "STORE", "store: this kind of token has no store of its own");
    if (file_mkdir(store, 0700, err) != 0)
        return -1;
    *ret = realpath(store, NULL);
    return *ret ? 0 : err_errno(err, P11CA_FILE, "%s", store);
}

static int load(struct module *m, struct p11ca_err *err)
{
    CK_RV (*get)(CK_FUNCTION_LIST **);
    CK_RV rv;

    m->handle = dlopen(m->path, RTLD_NOW | RTLD_LOCAL);
    if (!m->handle)
        return err_set(err, P11CA_TOKEN, "MODULE", "%s", dlerror());
    *(void **)&get = dlsym(m->handle, "C_GetFunctionList");
    if (!get)
        return err_set(err, P11CA_TOKEN, "MODULE", "%s: not a PKCS#11 module: no C_GetFunctionList", m->path);
    rv = get(&m->fn);
    return rv == CKR_OK && m->fn ? 0 : err_rv(err, rv, "%s: C_GetFunctionList", m->path);
}

static int initialize(struct module *m, const char *init_args, struct p11ca_err *err)
{
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    AUTO_STR reserved = init_args ? strdup(init_args) : NULL;
    CK_RV rv;

    args.pReserved = reserved;
    rv = m->fn->C_Initialize(&args);
    /* Somebody in this process was faster; then it is not ours to finalise either, but p11ca is alone. */
    if (rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED)
        return 0;
    return err_rv(err, rv, "%s: C_Initialize", m->path);
}

static void unload(struct module *m)
{
    if (m->handle)
        dlclose(m->handle);
    free(m->path);
    free(m->store);
    free(m);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static int share(struct module *m, const char *store, struct module **ret, struct p11ca_err *err)
{
    if (!same_text(m->store, store))
        return err_set(err, P11CA_CONFIG, "STORE",
            "%s: in use with store '%s', cannot also have '%s' in one run", m->path,
            m->store ? m->store : "(none)", store ? store : "(none)");
    m->users++;
    *ret = m;
    return 0;
}

int module_open(struct module **ret, const struct token_kind *kind, const char *store, struct p11ca_err *err)
{
    const char *path = first_existing(&kind->modules);
    AUTO_STR folder = NULL;
    struct module *m;

    if (!path)
        return err_set(err, P11CA_TOKEN, "MODULE", "%s: no module file found (looked for %s%s)",
            kind->description, kind->modules.n ? kind->modules.v[0] : "nothing",
            kind->modules.n > 1 ? ", ..." : "");
    if (store_resolve(kind, store, &folder, err) != 0)
        return -1;
    for (m = loaded; m; m = m->next) {
        if (strcmp(m->path, path) == 0)
            return share(m, folder, ret, err);
    }
    if (folder && store_prepare(folder, kind->store_env, err) != 0)
        return -1;
    m = calloc(1, sizeof(*m));
    if (!m || !(m->path = strdup(path))) {
        free(m);
        return err_nomem(err);
    }
    m->store = str_take(&folder);
    m->users = 1;
    if (load(m, err) != 0 || initialize(m, kind->init_args, err) != 0) {
        unload(m);
        return -1;
    }
    m->next = loaded;
    loaded = m;
    *ret = m;
    return 0;
}

void module_close(struct module *m)
{
    struct module **at;

    if (!m || --m->users > 0)
        return;
    for (at = &loaded; *at; at = &(*at)->next) {
        if (*at == m) {
            *at = m->next;
            break;
        }
    }
    m->fn->C_Finalize(NULL);
    unload(m);
}

int module_slots(const struct module *m, CK_SLOT_ID **ret, size_t *ret_n, struct p11ca_err *err)
{
    CK_SLOT_ID *slots;
    CK_ULONG n = 0;
    CK_RV rv;

    rv = m->fn->C_GetSlotList(CK_TRUE, NULL, &n);
    if (rv != CKR_OK)
        return err_rv(err, rv, "%s: C_GetSlotList", m->path);
    if (n > LIMIT_SLOTS)
        return err_set(
            err, P11CA_TOKEN, "SLOTS", "%s: want at most %d slots, have %lu", m->path, LIMIT_SLOTS, n);
    slots = calloc(n + 1, sizeof(*slots));
    if (!slots)
        return err_nomem(err);
    rv = m->fn->C_GetSlotList(CK_TRUE, slots, &n);
    if (rv != CKR_OK) {
        free(slots);
        return err_rv(err, rv, "%s: C_GetSlotList", m->path);
    }
    *ret = slots;
    *ret_n = n;
    return 0;
}

CK_RV module_token_info(const CK_FUNCTION_LIST *fn, CK_SLOT_ID slot, CK_TOKEN_INFO *ret)
{
    const struct timespec wait = {.tv_nsec = INFO_WAIT};
    CK_RV rv = fn->C_GetTokenInfo(slot, ret);
    int i;

    for (i = 1; i < INFO_TRIES && rv == CKR_GENERAL_ERROR; i++) {
        nanosleep(&wait, NULL);
        rv = fn->C_GetTokenInfo(slot, ret);
    }
    return rv;
}
