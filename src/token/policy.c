#include "token/policy.h"

#include <stdio.h>
#include <string.h>

#include "token/rv.h"

/* PKCS#11 2.40 4.7 to 4.9. Defaults differ from token to token, so every one is stated. */
enum flags {
    STATED = 1,   /* in the template; the others are the token's own word on the key's history */
    MAY_LACK = 2, /* a token that does not know this usage cannot grant it */
    EXCUSABLE =
        4, /* by a written exception: where a key comes from and what else it could do, never that it is secret */
};

static const struct row {
    CK_ATTRIBUTE_TYPE type;
    const char *name;
    bool want;
    unsigned flags;
} private_rows[] =
    {
        {CKA_TOKEN, "CKA_TOKEN", true, STATED},
        {CKA_PRIVATE, "CKA_PRIVATE", true, STATED},
        {CKA_SENSITIVE, "CKA_SENSITIVE", true, STATED},
        {CKA_EXTRACTABLE, "CKA_EXTRACTABLE", false, STATED},
        {CKA_ALWAYS_SENSITIVE, "CKA_ALWAYS_SENSITIVE", true, EXCUSABLE},
        {CKA_NEVER_EXTRACTABLE, "CKA_NEVER_EXTRACTABLE", true, EXCUSABLE},
        {CKA_LOCAL, "CKA_LOCAL", true, EXCUSABLE},
        {CKA_SIGN, "CKA_SIGN", true, STATED},
        {CKA_SIGN_RECOVER, "CKA_SIGN_RECOVER", false, STATED | MAY_LACK | EXCUSABLE},
        {CKA_DECRYPT, "CKA_DECRYPT", false, STATED | MAY_LACK | EXCUSABLE},
        {CKA_UNWRAP, "CKA_UNWRAP", false, STATED | MAY_LACK | EXCUSABLE},
        {CKA_DERIVE, "CKA_DERIVE", false, STATED | MAY_LACK | EXCUSABLE},
        {CKA_MODIFIABLE, "CKA_MODIFIABLE", false, STATED | EXCUSABLE},
},
  public_rows[] = {
      {CKA_TOKEN, "CKA_TOKEN", true, STATED},
      {CKA_PRIVATE, "CKA_PRIVATE", false, STATED},
      {CKA_LOCAL, "CKA_LOCAL", true, EXCUSABLE},
      {CKA_VERIFY, "CKA_VERIFY", true, STATED},
      {CKA_VERIFY_RECOVER, "CKA_VERIFY_RECOVER", false, STATED | MAY_LACK | EXCUSABLE},
      {CKA_ENCRYPT, "CKA_ENCRYPT", false, STATED | MAY_LACK | EXCUSABLE},
      {CKA_WRAP, "CKA_WRAP", false, STATED | MAY_LACK | EXCUSABLE},
      {CKA_DERIVE, "CKA_DERIVE", false, STATED | MAY_LACK | EXCUSABLE},
      {CKA_MODIFIABLE, "CKA_MODIFIABLE", false, STATED | EXCUSABLE},
};

static const struct row *rows_of(enum policy_object what, size_t *ret_n)
{
    *ret_n = what == POLICY_PRIVATE ? sizeof(private_rows) / sizeof(private_rows[0])
                                    : sizeof(public_rows) / sizeof(public_rows[0]);
    return what == POLICY_PRIVATE ? private_rows : public_rows;
}

static bool listed(const struct conf_strs *names, const char *name)
{
    size_t i;

    for (i = 0; i < names->n; i++) {
        if (strcmp(names->v[i], name) == 0)
            return true;
    }
    return false;
}

static bool any_row(const char *name, bool stated)
{
    size_t n, i, k;

    for (k = 0; k < 2; k++) {
        const struct row *rows = rows_of(k ? POLICY_PUBLIC : POLICY_PRIVATE, &n);

        for (i = 0; i < n; i++) {
            if (strcmp(rows[i].name, name) == 0 && ((rows[i].flags & STATED) != 0) == stated)
                return true;
        }
    }
    return false;
}

bool policy_may_omit(const char *name)
{
    return any_row(name, true);
}

bool policy_may_be_weak(const char *name)
{
    return any_row(name, false);
}

const char *policy_attribute(enum policy_object what, size_t i, CK_ATTRIBUTE_TYPE *ret_type)
{
    size_t n;
    const struct row *rows = rows_of(what, &n);

    if (i >= n)
        return NULL;
    *ret_type = rows[i].type;
    return rows[i].name;
}

size_t policy_template(enum policy_object what, const struct token_kind *kind, CK_ATTRIBUTE *tmpl)
{
    static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    const struct row *rows;
    size_t n, i, used = 0;

    rows = rows_of(what, &n);
    for (i = 0; i < n; i++) {
        if ((rows[i].flags & STATED) && !listed(&kind->omit, rows[i].name))
            tmpl[used++] = (CK_ATTRIBUTE){rows[i].type, rows[i].want ? &yes : &no, sizeof(CK_BBOOL)};
    }
    return used;
}

static int read_row(const struct token *t, CK_OBJECT_HANDLE object, const struct row *row,
    struct policy_reading *ret, struct p11ca_err *err)
{
    CK_BBOOL value = CK_FALSE;
    CK_ATTRIBUTE attr = {row->type, &value, sizeof(value)};
    CK_RV rv = t->module->fn->C_GetAttributeValue(t->session, object, &attr, 1);

    *ret = (struct policy_reading){.name = row->name, .want = row->want};
    ret->weak = listed(&t->kind.weak, row->name);
    if (rv == CKR_ATTRIBUTE_TYPE_INVALID || (rv == CKR_OK && attr.ulValueLen != sizeof(value))) {
        ret->absent = true;
        ret->ok = row->flags & MAY_LACK;
        return 0;
    }
    if (rv != CKR_OK)
        return err_rv(err, rv, "token '%s': reading %s", t->binding->name, row->name);
    ret->have = value != CK_FALSE;
    ret->ok = ret->have == row->want;
    return 0;
}

/* Weaker evidence is no silent pass. */
static void tell_weak(const struct token *t, const char *label, const struct policy_reading *r)
{
    const struct p11ca_ui *ui = t->env->ui;
    char line[256];

    if (!ui || !ui->say)
        return;
    snprintf(line, sizeof(line),
        "token '%s': key '%.64s': %s is not as it should be; this kind of token cannot say (weak)",
        t->binding->name, label, r->name);
    ui->say(ui->ctx, line);
}

int policy_check(const struct token *t, CK_OBJECT_HANDLE object, enum policy_object what, const char *label,
    const char *exception, policy_reading_fn *each, void *arg, struct p11ca_err *err)
{
    struct policy_reading r;
    const struct row *rows;
    bool failed = false;
    size_t n, i;

    rows = rows_of(what, &n);
    for (i = 0; i < n; i++) {
        if (read_row(t, object, &rows[i], &r, err) != 0)
            return -1;
        r.excused = exception && (rows[i].flags & EXCUSABLE);
        if (each)
            each(arg, &r);
        if (!r.ok && r.weak)
            tell_weak(t, label, &r);
        if (r.ok || r.weak || r.excused || failed)
            continue;
        failed = true;
        err_set(err, P11CA_TOKEN, "KEY_POLICY", "token '%s': %s key '%s': key policy: %s: want %s, have %s",
            t->binding->name, what == POLICY_PRIVATE ? "private" : "public", label, r.name,
            r.want ? "true" : "false",
            r.absent ? "no such attribute"
            : r.have ? "true"
                     : "false");
        if (!each)
            return -1;
    }
    return failed ? -1 : 0;
}
