/* From files to a snapshot. */
#include <stdlib.h>
#include <string.h>

#include "auth/crls.h"
#include "auth/signed_by.h"
#include "base/file.h"
#include "base/path.h"
#include "base/scope.h"
#include "x509/pem.h"

/* What is being made; deltas wait until all complete ones are there. */
struct loading {
    const struct p11ca_crls *crls;
    struct snapshot *before; /* NULL: nothing */
    struct snapshot *next;
    struct crl_part deltas[LIMIT_CAS];
    size_t n;       /* CRLs that were taken */
    bool of_others; /* those of unknown authorities are passed over */
};

/* --- one CRL --- */

/* n_cas: one of nobody's that may be passed over. A right name counts for nothing with a wrong signature. */
static int find_ca(const struct loading *l, const struct crl *crl, size_t *ret, struct p11ca_err *err)
{
    struct p11ca_err why;
    bool named = false;
    size_t i;

    for (i = 0; i < l->crls->n_cas; i++) {
        const struct issuer *ca = l->crls->cas[i];

        if (crl_signed_by(crl, ca->subject, &ca->spki, ca->pub, &why) == 0)
            break;
        if (!named)
            *err = why;
        named |= strcmp(why.code, "CRL_ISSUER") != 0;
    }
    if (i == l->crls->n_cas && l->crls->n_cas == 0)
        err_set(err, P11CA_REFUSED, "CRL_ISSUER", "CRL: want an authority to know it by, have none");
    *ret = i;
    return i < l->crls->n_cas || (l->of_others && !named) ? 0 : -1;
}

/* The one with the higher number stays; the other, or none, is what is left to be freed in *part. */
static int keep_newer(struct crl_part *slot, struct crl_part *part, struct p11ca_err *err)
{
    struct crl_part other = *slot;
    int order = slot->there ? crl_number_cmp(&part->number, &slot->number) : 1;

    if (order == 0 && memcmp(slot->sha256, part->sha256, sizeof(part->sha256)) != 0)
        return err_set(err, P11CA_REFUSED, "CRL_NUMBER",
            "CRL: RFC 5280 5.2.3: cRLNumber: want one CRL of a number, have two that differ");
    if (order > 0) {
        *slot = *part;
        *part = other;
    }
    return 0;
}

static int take_crl(struct loading *l, const struct crl *crl, struct p11ca_err *err)
{
    struct crl_part part = {.there = false};
    size_t ca = 0;
    bool delta;
    int rc;

    if (find_ca(l, crl, &ca, err) != 0)
        return -1;
    if (ca == l->crls->n_cas)
        return 0;
    if (crl_part_read(crl, &part, &delta, err) != 0)
        return -1;
    rc = keep_newer(delta ? &l->deltas[ca] : &l->next->of_ca[ca], &part, err);
    crl_part_done(&part);
    return rc;
}

/* --- files --- */

static int take_der(struct loading *l, const uint8_t *p, size_t len, struct p11ca_err *err)
{
    AUTO_CRL crl = CRL_INIT;

    if (l->n++ == LIMIT_CRLS)
        return err_set(err, P11CA_REFUSED, "INPUT_TOO_LARGE", "CRLs: want at most %d, have more", LIMIT_CRLS);
    if (crl_read(p, len, &crl, err) != 0)
        return -1;
    return take_crl(l, &crl, err);
}

static int take_pem(struct loading *l, struct der in, struct p11ca_err *err)
{
    for (;;) {
        AUTO_BUF der = BUF_INIT;
        int rc = pem_next(&in, PEM_CRL, &der, err);

        if (rc <= 0)
            return rc;
        if (take_der(l, der.p, der.len, err) != 0)
            return -1;
    }
}

/* DER has a NUL, text has none; a text without a block is refused as what it is not. */
static int take_file(struct loading *l, const char *path, struct p11ca_err *err)
{
    AUTO_BUF file = BUF_INIT;
    bool text;
    int rc;

    if (file_read(path, LIMIT_CRL, &file, err) != 0)
        return -1;
    text = file.len && !memchr(file.p, 0, file.len) && memmem(file.p, file.len, "-----BEGIN ", 11);
    rc = text ? take_pem(l, der_buf(&file), err) : take_der(l, file.p, file.len, err);
    return rc == 0 ? 0 : err_prefix(err, "%s", path);
}

static int take_dir(struct loading *l, const char *dir, struct p11ca_err *err)
{
    static const char *const suffixes[] = {".crl", ".der", ".pem", NULL};
    char **names = NULL;
    size_t n, i;
    int rc = file_list(dir, suffixes, &names, &n, err);

    for (i = 0; rc == 0 && i < n; i++) {
        AUTO_STR path = path_join(dir, names[i]);

        rc = path ? take_file(l, path, err) : err_nomem(err);
    }
    if (names)
        file_list_free(names);
    return rc;
}

static int take_path(struct loading *l, const char *path, struct p11ca_err *err)
{
    l->of_others = file_is_dir(path);
    return l->of_others ? take_dir(l, path, err) : take_file(l, path, err);
}

/* --- all of them --- */

/* One that is older than its complete CRL says nothing that is not in there. */
static int apply_delta(struct loading *l, size_t ca, struct p11ca_err *err)
{
    struct crl_part *full = &l->next->of_ca[ca], *delta = &l->deltas[ca];

    if (!delta->there)
        return 0;
    if (!full->there)
        return err_set(err, P11CA_REFUSED, "CRL_DELTA",
            "CRL: RFC 5280 5.2.4: delta: want a complete CRL of its authority beside it, have none");
    return crl_number_cmp(&delta->number, &full->number) > 0 ? crl_part_apply(full, delta, err) : 0;
}

/* Numbers grow (RFC 5280 5.2.3): an old CRL that is played back would make revoked certificates good again. */
static int check_not_older(const struct loading *l, size_t ca, struct p11ca_err *err)
{
    const struct crl_part *was = l->before ? &l->before->of_ca[ca] : NULL, *is = &l->next->of_ca[ca];

    if (!was || !was->there || !is->there)
        return 0;
    if (crl_number_cmp(&is->number, &was->number) < 0 || is->this_update < was->this_update)
        return err_set(err, P11CA_REFUSED, "CRL_OLDER",
            "CRL: RFC 5280 5.2.3: cRLNumber, thisUpdate: want none lower than what is loaded, have one");
    return 0;
}

static int take_all(struct loading *l, const char *const *paths, size_t n, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (take_path(l, paths[i], err) != 0)
            return -1;
    }
    for (i = 0; i < l->crls->n_cas; i++) {
        if (apply_delta(l, i, err) != 0 || check_not_older(l, i, err) != 0)
            return -1;
    }
    return 0;
}

int p11ca_crls_load(struct p11ca_crls *crls, const char *const *paths, size_t n, struct p11ca_err *err)
{
    struct loading l = {.crls = crls, .next = calloc(1, sizeof(*l.next))};
    size_t i;
    int rc;

    if (!l.next)
        return err_nomem(err);
    l.before = crls_hold(crls);
    rc = take_all(&l, paths, n, err);
    crls_drop(crls, l.before);
    for (i = 0; i < LIMIT_CAS; i++)
        crl_part_done(&l.deltas[i]);
    if (rc == 0)
        crls_swap(crls, l.next);
    else
        snapshot_free(l.next);
    return rc;
}
