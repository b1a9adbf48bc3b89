/* What must not be possible with a CA key is tried. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "token/evidence.h"
#include "token/rv.h"

/* Room for any private value, wrapped or not: PKCS #8 of RSA-8192 takes some 4,700 octets. */
#define VALUE_MAX 8192

struct probing {
    const struct key *k;
    CK_FUNCTION_LIST *fn;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE wrapper; /* AES */
    evidence_probe_fn *each;
    void *arg;
    bool leaked;
    struct p11ca_err first; /* which probe was the first to succeed */
};

/* One probe's answer: with CKR_OK, and when only our buffer was too small, the token would have done it. */
static int note(struct probing *p, const char *probe, CK_RV rv, struct p11ca_err *err)
{
    bool refused = rv != CKR_OK && rv != CKR_BUFFER_TOO_SMALL;
    char buf[32];

    if (rv_says_nothing(rv))
        return err_rv(
            err, rv, "token '%s': key '%s': probe '%s'", p->k->token->binding->name, p->k->label, probe);
    p->each(p->arg, probe, rv_name(rv, buf), refused);
    if (refused || p->leaked)
        return 0;
    p->leaked = true;
    err_set(&p->first, P11CA_TOKEN, "KEY_PROBE", "token '%s': key '%s': probe '%s': want it refused, have %s",
        p->k->token->binding->name, p->k->label, probe, rv_name(rv, buf));
    return 0;
}

static int probe_read(struct probing *p, struct p11ca_err *err)
{
    static const struct {
        CK_KEY_TYPE type;
        CK_ATTRIBUTE_TYPE attr;
        const char *name;
    } rows[] = {
        {CKK_EC, CKA_VALUE, "read CKA_VALUE"},
        {CKK_RSA, CKA_PRIVATE_EXPONENT, "read CKA_PRIVATE_EXPONENT"},
        {CKK_RSA, CKA_PRIME_1, "read CKA_PRIME_1"},
        {CKK_RSA, CKA_PRIME_2, "read CKA_PRIME_2"},
        {CKK_RSA, CKA_EXPONENT_1, "read CKA_EXPONENT_1"},
        {CKK_RSA, CKA_EXPONENT_2, "read CKA_EXPONENT_2"},
        {CKK_RSA, CKA_COEFFICIENT, "read CKA_COEFFICIENT"},
    };
    unsigned char value[VALUE_MAX];
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CK_ATTRIBUTE attr = {rows[i].attr, value, sizeof(value)};
        CK_RV rv;

        if (rows[i].type != p->k->type)
            continue;
        rv = p->fn->C_GetAttributeValue(p->session, p->k->private_key, &attr, 1);
        OPENSSL_cleanse(value, sizeof(value));
        if (note(p, rows[i].name, rv, err) != 0)
            return -1;
    }
    return 0;
}

/* A key that can wrap, for this session only. */
static CK_RV make_wrapper(struct probing *p)
{
    static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    static CK_ULONG len = 32;
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_AES;
    CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
    CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_KEY_TYPE, &type, sizeof(type)},
        {CKA_VALUE_LEN, &len, sizeof(len)}, {CKA_TOKEN, &no, 1}, {CKA_SENSITIVE, &yes, 1},
        {CKA_EXTRACTABLE, &no, 1}, {CKA_WRAP, &yes, 1}};

    return p->fn->C_GenerateKey(p->session, &mechanism, tmpl, sizeof(tmpl) / sizeof(tmpl[0]), &p->wrapper);
}

static CK_RV wrap(struct probing *p, CK_MECHANISM_TYPE type)
{
    unsigned char iv[16] = {0}, value[VALUE_MAX];
    CK_MECHANISM mechanism = {type, NULL, 0};
    CK_ULONG len = sizeof(value);
    CK_RV rv;

    if (type == CKM_AES_CBC_PAD) {
        mechanism.pParameter = iv;
        mechanism.ulParameterLen = sizeof(iv);
    }
    rv = p->fn->C_WrapKey(p->session, &mechanism, p->wrapper, p->k->private_key, value, &len);
    OPENSSL_cleanse(value, sizeof(value));
    return rv;
}

static int probe_wrap(struct probing *p, struct p11ca_err *err)
{
    static const struct {
        CK_MECHANISM_TYPE type;
        const char *name;
    } rows[] = {
        {CKM_AES_KEY_WRAP_PAD, "wrap by CKM_AES_KEY_WRAP_PAD"},
        {CKM_AES_KEY_WRAP, "wrap by CKM_AES_KEY_WRAP"},
        {CKM_AES_CBC_PAD, "wrap by CKM_AES_CBC_PAD"},
    };
    char text[80], buf[32];
    int rc = 0;
    size_t i;
    CK_RV rv;

    rv = make_wrapper(p);
    if (rv_says_nothing(rv))
        return err_rv(err, rv, "token '%s': C_GenerateKey", p->k->token->binding->name);
    if (rv != CKR_OK) {
        snprintf(text, sizeof(text), "not possible: C_GenerateKey: %s", rv_name(rv, buf));
        p->each(p->arg, "wrap by AES", text, true);
        return 0;
    }
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]) && rc == 0; i++)
        rc = note(p, rows[i].name, wrap(p, rows[i].type), err);
    p->fn->C_DestroyObject(p->session, p->wrapper);
    return rc;
}

/* What a key must not become. */
static const struct weaker {
    CK_ATTRIBUTE_TYPE attr;
    CK_BBOOL value;
    const char *set, *copy;
} weaker[] = {
    {CKA_EXTRACTABLE, CK_TRUE, "set CKA_EXTRACTABLE true", "copy with CKA_EXTRACTABLE true"},
    {CKA_SENSITIVE, CK_FALSE, "set CKA_SENSITIVE false", "copy with CKA_SENSITIVE false"},
};
#define N_WEAKER (sizeof(weaker) / sizeof(weaker[0]))

static CK_RV set(struct probing *p, const struct weaker *w, CK_BBOOL value)
{
    CK_ATTRIBUTE attr = {w->attr, &value, sizeof(value)};

    return p->fn->C_SetAttributeValue(p->session, p->k->private_key, &attr, 1);
}

static bool is_weak(struct probing *p, const struct weaker *w)
{
    CK_BBOOL value = !w->value;
    CK_ATTRIBUTE attr = {w->attr, &value, sizeof(value)};

    return p->fn->C_GetAttributeValue(p->session, p->k->private_key, &attr, 1) == CKR_OK && value == w->value;
}

static int probe_set(struct probing *p, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < N_WEAKER; i++) {
        bool was_weak = is_weak(p, &weaker[i]);
        CK_RV rv = set(p, &weaker[i], weaker[i].value);

        /* Back again: the key was weaker for a moment, and its history may say so. */
        if (rv == CKR_OK && !was_weak)
            (void)set(p, &weaker[i], !weaker[i].value);
        if (note(p, weaker[i].set, rv, err) != 0)
            return -1;
    }
    return 0;
}

static int probe_copy(struct probing *p, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < N_WEAKER; i++) {
        CK_BBOOL value = weaker[i].value, no = CK_FALSE;
        CK_ATTRIBUTE tmpl[] = {{weaker[i].attr, &value, sizeof(value)}, {CKA_TOKEN, &no, sizeof(no)}};
        CK_OBJECT_HANDLE copy = CK_INVALID_HANDLE;
        CK_RV rv = p->fn->C_CopyObject(p->session, p->k->private_key, tmpl, 2, &copy);

        if (rv == CKR_OK)
            p->fn->C_DestroyObject(p->session, copy);
        if (note(p, weaker[i].copy, rv, err) != 0)
            return -1;
    }
    return 0;
}

int evidence_probes(const struct key *k, evidence_probe_fn *fn, void *arg, struct p11ca_err *err)
{
    static int (*const all[])(struct probing *, struct p11ca_err *) = {
        probe_read, probe_wrap, probe_set, probe_copy};
    struct probing p = {
        .k = k, .fn = k->token->module->fn, .session = k->token->session, .each = fn, .arg = arg};
    size_t i;
    int rc = 0;

    /* A read-only session would refuse for its own reasons. */
    if (!k->token->writable)
        return err_set(err, P11CA_BUG, "SESSION_READ_ONLY", "token '%s': probes want a writable session",
            k->token->binding->name);
    for (i = 0; i < sizeof(all) / sizeof(all[0]) && rc == 0; i++)
        rc = all[i](&p, err);
    /* The worse news, whatever came behind it. */
    if (p.leaked)
        *err = p.first;
    return p.leaked ? -1 : rc;
}
