/* Which of a certificate's names is who it was given to. */
#include "auth/identity.h"

static int is_wrong(
    const struct p11ca_identity *id, enum p11ca_name_kind kind, size_t n, struct p11ca_err *err)
{
    const struct p11ca_err *fault = kind == P11CA_NAME_CN       ? &id->cn_fault
                                    : kind == P11CA_NAME_SERIAL ? &id->serial_fault
                                                                : NULL;

    if (fault && fault->kind != P11CA_OK) {
        *err = *fault;
        return -1;
    }
    if (n > 1)
        return err_set(err, P11CA_NEGATIVE, "IDENT_AMBIGUOUS",
            "principal: want one name of kind %s, have %zu", p11ca_name_kind(kind), n);
    return 0;
}

/* 1: the one name of the kind; 0: there is none; -1: what is there names nobody. */
static int find_one(const struct p11ca_identity *id, enum p11ca_name_kind kind, const struct p11ca_name **ret,
    struct p11ca_err *err)
{
    const struct p11ca_name *found = NULL;
    size_t i, n = 0;

    for (i = 0; i < id->pub.n_names; i++) {
        if (id->names[i].kind == kind) {
            found = &id->names[i];
            n++;
        }
    }
    if (is_wrong(id, kind, n, err) != 0)
        return -1;
    if (!found)
        return 0;
    if (identity_is_wildcard(found))
        return err_set(err, P11CA_NEGATIVE, "IDENT_WILDCARD",
            "principal: RFC 9525 6.3: DNS '%s': want a name, have a wildcard", found->text);
    *ret = found;
    return 1;
}

static int nobody(const enum p11ca_name_kind *kinds, size_t n, struct p11ca_err *err)
{
    AUTO_BUF list = BUF_INIT;
    size_t i;

    for (i = 0; i < n; i++)
        buf_addf(&list, "%s%s", i ? ", " : "", p11ca_name_kind(kinds[i]));
    return err_set(err, P11CA_NEGATIVE, "IDENT_NONE", "principal: want a name of kind %s, have none",
        buf_str(&list) ? (char *)list.p : "");
}

int p11ca_identity_principal(const struct p11ca_identity *id, const enum p11ca_name_kind *kinds, size_t n,
    const struct p11ca_name **ret, struct p11ca_err *err)
{
    size_t i;
    int found;

    for (i = 0; i < n; i++) {
        if ((unsigned)kinds[i] >= P11CA_NAME_KINDS || kinds[i] == P11CA_NAME_OTHER)
            return err_set(err, P11CA_NEGATIVE, "IDENT_KIND",
                "principal: want a kind of name with a grammar, have another");
        found = find_one(id, kinds[i], ret, err);
        if (found)
            return found > 0 ? 0 : -1;
    }
    return nobody(kinds, n, err);
}
