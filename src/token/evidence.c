/* Facts about a token and attributes of a key; what must not be possible is tried in probe.c. */
#include "token/evidence.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/scope.h"
#include "base/text.h"
#include "token/rv.h"

#define VALUE_MAX 1024 /* octets of an attribute: an exponent or a list of mechanisms is far shorter */

struct facts {
    evidence_fact_fn *fn;
    void *arg;
};

static void tell(const struct facts *f, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void tell(const struct facts *f, const char *name, const char *fmt, ...)
{
    char raw[1024], text[4 * sizeof(raw)];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(raw, sizeof(raw), fmt, ap);
    va_end(ap);
    text_escape(raw, strlen(raw), text, sizeof(text));
    f->fn(f->arg, name, text);
}

/* Fixed-width, space-padded fields of PKCS#11. */
static void tell_padded(const struct facts *f, const char *name, const CK_UTF8CHAR *p, size_t len)
{
    while (len && (p[len - 1] == ' ' || p[len - 1] == '\0'))
        len--;
    tell(f, name, "%.*s", (int)len, (const char *)p);
}

static void tell_flags(const struct facts *f, const struct token *t)
{
#define FLAG(name)                                                                                           \
    {                                                                                                        \
        name, #name                                                                                          \
    }
    static const struct {
        CK_FLAGS flag;
        const char *name;
    } rows[] = {
        FLAG(CKF_RNG),
        FLAG(CKF_WRITE_PROTECTED),
        FLAG(CKF_LOGIN_REQUIRED),
        FLAG(CKF_USER_PIN_INITIALIZED),
        FLAG(CKF_RESTORE_KEY_NOT_NEEDED),
        FLAG(CKF_CLOCK_ON_TOKEN),
        FLAG(CKF_PROTECTED_AUTHENTICATION_PATH),
        FLAG(CKF_DUAL_CRYPTO_OPERATIONS),
        FLAG(CKF_TOKEN_INITIALIZED),
        FLAG(CKF_SECONDARY_AUTHENTICATION),
        FLAG(CKF_USER_PIN_COUNT_LOW),
        FLAG(CKF_USER_PIN_FINAL_TRY),
        FLAG(CKF_USER_PIN_LOCKED),
        FLAG(CKF_USER_PIN_TO_BE_CHANGED),
        FLAG(CKF_SO_PIN_COUNT_LOW),
        FLAG(CKF_SO_PIN_FINAL_TRY),
        FLAG(CKF_SO_PIN_LOCKED),
        FLAG(CKF_SO_PIN_TO_BE_CHANGED),
    };
    char text[1024] = "";
    size_t i, len = 0;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (t->info.flags & rows[i].flag)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", len ? " " : "", rows[i].name);
    }
    tell(f, "flags", "%s", text);
}

/* The file that the name leads to: modules are installed under several. */
static int tell_module(const struct facts *f, const struct module *m, struct p11ca_err *err)
{
    AUTO_STR path = realpath(m->path, NULL);
    AUTO_BUF file = BUF_INIT;
    uint8_t sum[SHA256_LEN];
    char hex[2 * SHA256_LEN + 1];

    if (!path)
        return err_errno(err, P11CA_TOKEN, "%s", m->path);
    if (file_read(path, LIMIT_MODULE, &file, err) != 0)
        return -1;
    if (hash_sha256(file.p, file.len, sum) != 0)
        return err_openssl(err, P11CA_BUG, "%s: SHA-256", path);
    text_hex(sum, sizeof(sum), hex);
    tell(f, "module", "%s", path);
    tell(f, "module-sha256", "%s", hex);
    return 0;
}

static int tell_library(const struct facts *f, const struct module *m, struct p11ca_err *err)
{
    CK_INFO info;
    CK_RV rv = m->fn->C_GetInfo(&info);

    if (rv != CKR_OK)
        return err_rv(err, rv, "%s: C_GetInfo", m->path);
    tell_padded(f, "library", info.libraryDescription, sizeof(info.libraryDescription));
    tell(f, "library-version", "%u.%u", info.libraryVersion.major, info.libraryVersion.minor);
    tell_padded(f, "library-manufacturer", info.manufacturerID, sizeof(info.manufacturerID));
    tell(f, "cryptoki-version", "%u.%u", info.cryptokiVersion.major, info.cryptokiVersion.minor);
    return 0;
}

int evidence_token(const struct token *t, evidence_fact_fn *fn, void *arg, struct p11ca_err *err)
{
    const struct facts f = {fn, arg};
    CK_ULONG n = 0;
    CK_RV rv;

    tell(&f, "label", "%s", t->label);
    tell(&f, "serial", "%s", t->serial);
    tell(&f, "model", "%s", t->model);
    tell(&f, "manufacturer", "%s", t->manufacturer);
    tell(&f, "hardware-version", "%u.%u", t->info.hardwareVersion.major, t->info.hardwareVersion.minor);
    tell(&f, "firmware-version", "%u.%u", t->info.firmwareVersion.major, t->info.firmwareVersion.minor);
    tell_flags(&f, t);
    if (tell_module(&f, t->module, err) != 0 || tell_library(&f, t->module, err) != 0)
        return -1;
    rv = t->module->fn->C_GetMechanismList(t->slot, NULL, &n);
    if (rv != CKR_OK)
        return err_rv(err, rv, "token '%s': C_GetMechanismList", t->binding->name);
    tell(&f, "mechanisms", "%lu", n);
    return 0;
}

enum form { BOOLEAN, NUMBER, CODE, HEX, TEXT, DATE };

enum { PRIVATE = 1, PUBLIC = 2, BOTH = 3 };

/* Beside the booleans of the policy. type: the keys that have it, CK_UNAVAILABLE_INFORMATION for all. */
static const struct row {
    CK_ATTRIBUTE_TYPE attr;
    const char *name;
    enum form form;
    unsigned objects;
    CK_KEY_TYPE type;
} rows[] = {
#define ANY CK_UNAVAILABLE_INFORMATION
#define A(name, form, objects, type)                                                                         \
    {                                                                                                        \
        name, #name, form, objects, type                                                                     \
    }
    A(CKA_CLASS, CODE, BOTH, ANY),
    A(CKA_KEY_TYPE, CODE, BOTH, ANY),
    A(CKA_LABEL, TEXT, BOTH, ANY),
    A(CKA_ID, HEX, BOTH, ANY),
    A(CKA_EC_PARAMS, HEX, BOTH, CKK_EC),
    A(CKA_MODULUS_BITS, NUMBER, PUBLIC, CKK_RSA),
    A(CKA_PUBLIC_EXPONENT, HEX, BOTH, CKK_RSA),
    A(CKA_KEY_GEN_MECHANISM, CODE, BOTH, ANY),
    A(CKA_ALWAYS_AUTHENTICATE, BOOLEAN, PRIVATE, ANY),
    A(CKA_WRAP_WITH_TRUSTED, BOOLEAN, PRIVATE, ANY),
    A(CKA_COPYABLE, BOOLEAN, BOTH, ANY),
    A(CKA_DESTROYABLE, BOOLEAN, BOTH, ANY),
    A(CKA_TRUSTED, BOOLEAN, PUBLIC, ANY),
    A(CKA_START_DATE, DATE, BOTH, ANY),
    A(CKA_END_DATE, DATE, BOTH, ANY),
    A(CKA_ALLOWED_MECHANISMS, HEX, BOTH, ANY),
};

struct value {
    unsigned char p[VALUE_MAX];
    size_t len;
};

static void say_number(const struct value *v, bool hex, char *text, size_t size)
{
    CK_ULONG n;

    memcpy(&n, v->p, sizeof(n));
    if (n == CK_UNAVAILABLE_INFORMATION)
        snprintf(text, size, "not available");
    else
        snprintf(text, size, hex ? "0x%lx" : "%lu", n);
}

/* CK_DATE is eight digits; none is no date. */
static void say_date(const struct value *v, char *text, size_t size)
{
    char raw[16];

    if (v->len == sizeof(CK_DATE))
        snprintf(raw, sizeof(raw), "%.4s-%.2s-%.2s", (const char *)v->p, (const char *)v->p + 4,
            (const char *)v->p + 6);
    else
        snprintf(raw, sizeof(raw), "none");
    text_escape(raw, strlen(raw), text, size);
}

static void say_value(enum form form, const struct value *v, char *text, size_t size)
{
    if (form == BOOLEAN && v->len == sizeof(CK_BBOOL))
        snprintf(text, size, "%s", v->p[0] ? "true" : "false");
    else if ((form == NUMBER || form == CODE) && v->len == sizeof(CK_ULONG))
        say_number(v, form == CODE, text, size);
    else if (form == TEXT)
        text_escape((const char *)v->p, v->len, text, size);
    else if (form == DATE)
        say_date(v, text, size);
    else if (v->len == 0)
        snprintf(text, size, "none");
    else
        text_hex(v->p, v->len, text);
}

struct reader {
    const struct key *k;
    const char *object;
    CK_OBJECT_HANDLE handle;
    evidence_attr_fn *fn;
    void *arg;
};

static int read_one(
    const struct reader *r, CK_ATTRIBUTE_TYPE type, const char *name, enum form form, struct p11ca_err *err)
{
    const struct token *t = r->k->token;
    struct value v;
    CK_ATTRIBUTE attr = {type, v.p, sizeof(v.p)};
    CK_RV rv = t->module->fn->C_GetAttributeValue(t->session, r->handle, &attr, 1);
    char text[4 * VALUE_MAX + 1], buf[32];

    if (rv_says_nothing(rv))
        return err_rv(err, rv, "token '%s': key '%s': reading %s", t->binding->name, r->k->label, name);
    v.len = attr.ulValueLen;
    if (rv != CKR_OK)
        snprintf(text, sizeof(text), "%s", rv_name(rv, buf));
    else if (v.len > sizeof(v.p))
        snprintf(text, sizeof(text), "not available");
    else
        say_value(form, &v, text, sizeof(text));
    r->fn(r->arg, r->object, name, text);
    return 0;
}

static int read_object(
    const struct reader *r, enum policy_object what, unsigned object, struct p11ca_err *err)
{
    CK_ATTRIBUTE_TYPE type;
    const char *name;
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if ((rows[i].objects & object) && (rows[i].type == ANY || rows[i].type == r->k->type) &&
            read_one(r, rows[i].attr, rows[i].name, rows[i].form, err) != 0)
            return -1;
    }
    for (i = 0; (name = policy_attribute(what, i, &type)); i++) {
        if (read_one(r, type, name, BOOLEAN, err) != 0)
            return -1;
    }
    return 0;
}

int evidence_attributes(const struct key *k, evidence_attr_fn *fn, void *arg, struct p11ca_err *err)
{
    const struct reader private = {k, "private", k->private_key, fn, arg},
                        public = {k, "public", k->public_key, fn, arg};

    if (read_object(&private, POLICY_PRIVATE, PRIVATE, err) != 0)
        return -1;
    return k->public_key == CK_INVALID_HANDLE ? 0 : read_object(&public, POLICY_PUBLIC, PUBLIC, err);
}
