/* One CRL in the form in which it is asked, and deltas. */
#include <stdlib.h>
#include <string.h>

#include "auth/crls.h"
#include "base/hash.h"

static int refuse(struct p11ca_err *err, const char *code, const char *text)
{
    return err_set(err, P11CA_REFUSED, code, "CRL: RFC 5280 %s", text);
}

/* --- extensions --- */

/* What is read here; others may be there when they are not critical. */
static const enum oid understood[] = {OID_CRL_NUMBER, OID_DELTA_CRL, OID_ISSUING_DP, OID_AKI};
static const enum oid entry_understood[] = {OID_CRL_REASON, OID_INVALIDITY_DATE};

static bool is_one_of(struct der oid, const enum oid *v, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (oid_is(oid, v[i]))
            return true;
    }
    return false;
}

static int check_exts(const struct crl_tbs *t, struct p11ca_err *err)
{
    char text[OID_TEXT];
    size_t i, k;

    for (i = 0; i < t->n_exts; i++) {
        for (k = 0; k < i; k++) {
            if (der_equal(t->exts[i].oid, t->exts[k].oid))
                return err_set(err, P11CA_REFUSED, "CRL_EXT_TWICE",
                    "CRL: RFC 5280 5.2: extension %s: want it once, have it twice",
                    oid_text(t->exts[i].oid, text));
        }
        if (t->exts[i].critical &&
            !is_one_of(t->exts[i].oid, understood, sizeof(understood) / sizeof(understood[0])))
            return err_set(err, P11CA_REFUSED, "CRL_EXT_CRITICAL",
                "CRL: RFC 5280 5.2: extension %s: want none that is critical and not understood, have one",
                oid_text(t->exts[i].oid, text));
    }
    return 0;
}

static int read_number(const struct cert_ext *ext, struct crl_number *ret)
{
    struct der c;

    if (!ext || der_whole(ext->value, DER_INTEGER, &c) != 0 || c.len == 0 || c.p[0] & 0x80)
        return -1;
    for (; c.len && c.p[0] == 0; c = DER_OF(c.p + 1, c.len - 1))
        ;
    if (c.len > sizeof(ret->v))
        return -1;
    if (c.len)
        memcpy(ret->v, c.p, c.len);
    ret->len = c.len;
    return 0;
}

int crl_number_cmp(const struct crl_number *a, const struct crl_number *b)
{
    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    return memcmp(a->v, b->v, a->len);
}

/*
 * RFC 5280 5.2.5. Clients are end entities, so onlyContainsUserCerts leaves nobody out. Every other scope does: a
 * certificate that is not listed may be listed elsewhere.
 */
static int check_scope(const struct crl_tbs *t, struct p11ca_err *err)
{
    static const uint8_t users[] = {0x30, 0x03, 0x81, 0x01, 0xff};
    const struct cert_ext *ext = crl_ext(t, OID_ISSUING_DP);

    if (ext && !der_equal(ext->value, DER_OF(users, sizeof(users))))
        return refuse(err, "CRL_SCOPE",
            "5.2.5: issuingDistributionPoint: want every end entity's certificate in it, have some of them");
    return 0;
}

static int read_head(const struct crl *crl, struct crl_part *part, bool *ret_delta, struct p11ca_err *err)
{
    const struct crl_tbs *t = &crl->t;
    const struct cert_ext *delta = crl_ext(t, OID_DELTA_CRL);

    if (check_exts(t, err) != 0 || check_scope(t, err) != 0)
        return -1;
    if (!t->has_next_update || t->next_update < t->this_update)
        return refuse(err, "CRL_NEXT_UPDATE",
            "5.1.2.5: nextUpdate: want a time that is not before thisUpdate, have another or none");
    if (read_number(crl_ext(t, OID_CRL_NUMBER), &part->number) != 0)
        return refuse(
            err, "CRL_NUMBER", "5.2.3: cRLNumber: want a number of at most 20 octets, have none or another");
    if (delta && (!delta->critical || read_number(delta, &part->base) != 0))
        return refuse(err, "CRL_NUMBER",
            "5.2.4: deltaCRLIndicator: want it critical and a number of at most 20 octets, have another");
    part->this_update = t->this_update;
    part->next_update = t->next_update;
    *ret_delta = delta != NULL;
    return 0;
}

/* --- entries --- */

static int read_reason(struct der value, uint8_t *ret)
{
    struct der c;

    if (der_whole(value, DER_ENUMERATED, &c) != 0 || c.len != 1 || c.p[0] > 10 || c.p[0] == 7)
        return -1;
    *ret = c.p[0];
    return 0;
}

/* removeFromCRL is for deltas (RFC 5280 5.3.1). certificateIssuer, which is critical, is for others' certificates. */
static int read_entry(const struct crl_item *item, bool delta, struct revoked *ret, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < item->n_exts; i++) {
        const struct cert_ext *ext = &item->exts[i];

        if (ext->critical && !is_one_of(ext->oid, entry_understood, 2))
            return refuse(
                err, "CRL_ENTRY", "5.3: entry: want no critical extension that is not understood, have one");
        if (oid_is(ext->oid, OID_CRL_REASON) && read_reason(ext->value, &ret->reason) != 0)
            return refuse(err, "CRL_ENTRY", "5.3.1: entry: reasonCode: want one of ten, have another");
    }
    if (ret->reason == CRL_REMOVE && !delta)
        return refuse(
            err, "CRL_ENTRY", "5.3.1: entry: want removeFromCRL in a delta only, have it in a complete CRL");
    ret->at = item->revoked_at;
    ret->len = (uint8_t)item->serial.len;
    memcpy(ret->serial, item->serial.p, item->serial.len);
    return 0;
}

static int cmp(const void *a, const void *b)
{
    const struct revoked *x = a, *y = b;

    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    return memcmp(x->serial, y->serial, x->len);
}

static size_t count_entries(struct der in)
{
    struct crl_item item;
    size_t n = 0;

    while (in.len && crl_next_entry(&in, &item) == 0)
        n++;
    return n;
}

/* No certificate that is taken has a longer serial number (identity.c). */
static int read_entries(const struct crl *crl, bool delta, struct crl_part *part, struct p11ca_err *err)
{
    struct der in = crl->t.revoked;
    struct crl_item item;

    part->v = calloc(count_entries(in) + 1, sizeof(*part->v));
    if (!part->v)
        return err_nomem(err);
    while (in.len) {
        if (crl_next_entry(&in, &item) != 0)
            return refuse(err, "CRL_ENTRY", "5.1.2.6: entry: want serial, date, extensions, have another");
        if (item.serial.len > SERIAL_LEN)
            continue;
        if (read_entry(&item, delta, &part->v[part->n], err) != 0)
            return -1;
        part->n++;
    }
    qsort(part->v, part->n, sizeof(*part->v), cmp);
    return 0;
}

int crl_part_read(const struct crl *crl, struct crl_part *ret, bool *ret_delta, struct p11ca_err *err)
{
    struct crl_part part = {.there = true};

    if (hash_sha256(crl->der.p, crl->der.len, part.sha256) != 0)
        return err_openssl(err, P11CA_BUG, "SHA-256");
    if (read_head(crl, &part, ret_delta, err) != 0)
        return -1;
    if (read_entries(crl, *ret_delta, &part, err) != 0) {
        crl_part_done(&part);
        return -1;
    }
    *ret = part;
    return 0;
}

void crl_part_done(struct crl_part *part)
{
    free(part->v);
    *part = (struct crl_part){.there = false};
}

const struct revoked *crl_part_find(const struct crl_part *part, struct der serial)
{
    struct revoked key = {.len = (uint8_t)serial.len};

    if (part->n == 0 || serial.len == 0 || serial.len > SERIAL_LEN)
        return NULL;
    memcpy(key.serial, serial.p, serial.len);
    return bsearch(&key, part->v, part->n, sizeof(key), cmp);
}

/* --- deltas --- */

/* Both are in order. What the delta has stands in place of all that the complete one has of that serial. */
static size_t merge(const struct crl_part *full, const struct crl_part *delta, struct revoked *dst)
{
    size_t i = 0, k = 0, n = 0;

    while (i < full->n || k < delta->n) {
        int order = i == full->n ? 1 : k == delta->n ? -1 : cmp(&full->v[i], &delta->v[k]);

        if (order < 0) {
            dst[n++] = full->v[i++];
            continue;
        }
        while (i < full->n && cmp(&full->v[i], &delta->v[k]) == 0)
            i++;
        if (delta->v[k].reason != CRL_REMOVE)
            dst[n++] = delta->v[k];
        k++;
    }
    return n;
}

int crl_part_apply(struct crl_part *full, const struct crl_part *delta, struct p11ca_err *err)
{
    struct revoked *v;

    if (crl_number_cmp(&delta->base, &full->number) > 0)
        return refuse(err, "CRL_DELTA",
            "5.2.4: delta: want a complete CRL with its BaseCRLNumber or a higher number, have a lower one");
    v = calloc(full->n + delta->n + 1, sizeof(*v));
    if (!v)
        return err_nomem(err);
    full->n = merge(full, delta, v);
    free(full->v);
    full->v = v;
    if (full->this_update < delta->this_update)
        full->this_update = delta->this_update;
    if (full->next_update > delta->next_update)
        full->next_update = delta->next_update;
    return 0;
}
