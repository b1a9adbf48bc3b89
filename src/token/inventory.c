#include "token/inventory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "token/rv.h"
#include "token/search.h"

#define ATTR_MAX 256 /* octets of a label or an ID that are looked at */

struct name {
    CK_ULONG value;
    const char *text;
};

static const struct name classes[] = {
    {CKO_DATA, "data"},
    {CKO_CERTIFICATE, "certificate"},
    {CKO_PUBLIC_KEY, "public key"},
    {CKO_PRIVATE_KEY, "private key"},
    {CKO_SECRET_KEY, "secret key"},
    {CKO_HW_FEATURE, "hardware feature"},
    {CKO_DOMAIN_PARAMETERS, "domain parameters"},
    {CKO_MECHANISM, "mechanism"},
};

static const struct name types[] = {
    {CKK_RSA, "RSA"},
    {CKK_DSA, "DSA"},
    {CKK_DH, "DH"},
    {CKK_EC, "EC"},
    {CKK_EC_EDWARDS, "Edwards"},
    {CKK_GENERIC_SECRET, "generic"},
    {CKK_DES3, "DES3"},
    {CKK_AES, "AES"},
};

static void say_name(
    CK_ULONG value, const char *what, const struct name *names, size_t n, char *buf, size_t size)
{
    size_t i;

    for (i = 0; i < n && names[i].value != value; i++)
        ;
    if (i < n)
        snprintf(buf, size, "%s", names[i].text);
    else
        snprintf(buf, size, "%s 0x%lx", what, value);
}
#define SAY_NAME(value, what, names, buf)                                                                    \
    say_name(value, what, names, sizeof(names) / sizeof((names)[0]), buf, sizeof(buf))

/* What an object does not have is no error; 0 is what is left of it. */
static size_t read_attr(
    const struct token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, void *p, size_t size)
{
    CK_ATTRIBUTE attr = {type, p, size};
    CK_RV rv = t->module->fn->C_GetAttributeValue(t->session, object, &attr, 1);

    return rv == CKR_OK && attr.ulValueLen <= size ? attr.ulValueLen : 0;
}

static int see(
    const struct token *t, CK_OBJECT_HANDLE object, object_seen_fn *fn, void *arg, struct p11ca_err *err)
{
    char class_name[40], type_name[40] = "", label[4 * ATTR_MAX + 1], id[2 * ATTR_MAX + 1], raw[ATTR_MAX];
    CK_ULONG class, type;
    CK_BBOOL is_private = CK_FALSE;
    CK_ATTRIBUTE attr = {CKA_CLASS, &class, sizeof(class)};
    CK_RV rv = t->module->fn->C_GetAttributeValue(t->session, object, &attr, 1);

    if (rv != CKR_OK)
        return err_rv(err, rv, "token '%s': object: reading CKA_CLASS", t->binding->name);
    SAY_NAME(class, "class", classes, class_name);
    if (read_attr(t, object, CKA_KEY_TYPE, &type, sizeof(type)) == sizeof(type))
        SAY_NAME(type, "key type", types, type_name);
    text_escape(raw, read_attr(t, object, CKA_LABEL, raw, sizeof(raw)), label, sizeof(label));
    text_hex((uint8_t *)raw, read_attr(t, object, CKA_ID, raw, sizeof(raw)), id);
    read_attr(t, object, CKA_PRIVATE, &is_private, sizeof(is_private));
    fn(arg, &(struct object_seen){class_name, label, id, type_name, is_private != CK_FALSE});
    return 0;
}

static int see_all(const struct token *t, CK_OBJECT_HANDLE *objects, object_seen_fn *fn, void *arg,
    size_t *ret_n, struct p11ca_err *err)
{
    size_t n, i;

    if (search_objects(t, NULL, 0, objects, LIMIT_OBJECTS, &n, err) != 0)
        return -1;
    if (n >= LIMIT_OBJECTS)
        return err_set(err, P11CA_TOKEN, "OBJECTS", "token '%s': want fewer than %d objects, have more",
            t->binding->name, LIMIT_OBJECTS);
    for (i = 0; fn && i < n; i++) {
        if (see(t, objects[i], fn, arg, err) != 0)
            return -1;
    }
    *ret_n = n;
    return 0;
}

int inventory(
    const struct token *t, object_seen_fn *fn, void *arg, struct inventory *ret, struct p11ca_err *err)
{
    CK_OBJECT_HANDLE *objects = calloc(LIMIT_OBJECTS, sizeof(*objects));
    size_t n = 0;
    int rc;

    if (!objects)
        return err_nomem(err);
    rc = see_all(t, objects, fn, arg, &n, err);
    free(objects);
    if (rc == 0)
        *ret = (struct inventory){n, token_logged_in(t)};
    return rc;
}
