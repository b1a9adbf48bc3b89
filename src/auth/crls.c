/* Asking, and the change from one snapshot to the next. */
#include "auth/crls.h"

#include <stdlib.h>
#include <string.h>

#include "auth/identity.h"
#include "auth/signed_by.h"

static const char *const status_texts[] = {
    [P11CA_STATUS_UNKNOWN] = "unknown",
    [P11CA_STATUS_GOOD] = "good",
    [P11CA_STATUS_REVOKED] = "revoked",
    [P11CA_STATUS_STALE] = "stale",
};

const char *p11ca_status_text(enum p11ca_status status)
{
    return status_texts[status];
}

const char *p11ca_reason_text(int reason)
{
    const char *name = crl_reason_name(reason);

    return name ? name : "unspecified";
}

/* --- the set --- */

struct p11ca_crls *p11ca_crls_new(void)
{
    struct p11ca_crls *crls = calloc(1, sizeof(*crls));

    if (crls && pthread_mutex_init(&crls->lock, NULL) != 0) {
        free(crls);
        return NULL;
    }
    return crls;
}

void snapshot_free(struct snapshot *s)
{
    size_t i;

    if (!s)
        return;
    for (i = 0; i < LIMIT_CAS; i++)
        crl_part_done(&s->of_ca[i]);
    free(s);
}

void p11ca_crls_free(struct p11ca_crls *crls)
{
    size_t i;

    if (!crls)
        return;
    snapshot_free(crls->now);
    for (i = 0; i < crls->n_cas; i++)
        issuer_free(crls->cas[i]);
    pthread_mutex_destroy(&crls->lock);
    free(crls);
}

int p11ca_crls_add_ca(struct p11ca_crls *crls, const void *cert, size_t len, struct p11ca_err *err)
{
    struct issuer *ca;

    if (crls->n_cas == LIMIT_CAS)
        return err_set(
            err, P11CA_REFUSED, "TOO_MANY_CAS", "authorities: want at most %d, have more", LIMIT_CAS);
    if (issuer_read(cert, len, &ca, err) != 0)
        return -1;
    if (ca->has_ku && !(ca->key_usage & USAGE_CRL_SIGN)) {
        issuer_free(ca);
        return err_set(err, P11CA_REFUSED, "CRL_USAGE",
            "issuer's certificate: RFC 5280 4.2.1.3: keyUsage: want cRLSign, have none");
    }
    crls->cas[crls->n_cas++] = ca;
    return 0;
}

/* --- snapshots --- */

struct snapshot *crls_hold(struct p11ca_crls *crls)
{
    struct snapshot *s;

    pthread_mutex_lock(&crls->lock);
    s = crls->now;
    if (s)
        s->refs++;
    pthread_mutex_unlock(&crls->lock);
    return s;
}

void crls_drop(struct p11ca_crls *crls, struct snapshot *s)
{
    bool last = false;

    pthread_mutex_lock(&crls->lock);
    if (s)
        last = --s->refs == 0;
    pthread_mutex_unlock(&crls->lock);
    if (last)
        snapshot_free(s);
}

void crls_swap(struct p11ca_crls *crls, struct snapshot *next)
{
    struct snapshot *before;

    next->refs = 1;
    pthread_mutex_lock(&crls->lock);
    before = crls->now;
    crls->now = next;
    pthread_mutex_unlock(&crls->lock);
    crls_drop(crls, before);
}

size_t p11ca_crls_count(struct p11ca_crls *crls)
{
    struct snapshot *s = crls_hold(crls);
    size_t i, n = 0;

    for (i = 0; s && i < crls->n_cas; i++)
        n += s->of_ca[i].n;
    crls_drop(crls, s);
    return n;
}

/* --- asking --- */

/* Who is listed is revoked, however old the list: nothing makes the certificate good again but a newer one. */
static void ask(const struct crl_part *part, struct der serial, int64_t now, struct p11ca_revocation *ret)
{
    const struct revoked *r = crl_part_find(part, serial);

    ret->this_update = part->this_update;
    ret->next_update = part->next_update;
    if (r) {
        ret->status = P11CA_STATUS_REVOKED;
        ret->reason = r->reason;
        ret->revoked_at = r->at;
    } else if (now < part->this_update || now > part->next_update) {
        ret->status = P11CA_STATUS_STALE;
    } else {
        ret->status = P11CA_STATUS_GOOD;
    }
}

/* The authority with the octets of this name and this key; n_cas: none. */
static size_t find_ca(const struct p11ca_crls *crls, const struct spki *key, const struct p11ca_identity *id)
{
    size_t i;

    for (i = 0; i < crls->n_cas; i++) {
        if (der_equal(crls->cas[i]->subject, id->cert.t.issuer) && spki_equal(&crls->cas[i]->spki, key))
            break;
    }
    return i;
}

void crls_check_by(struct p11ca_crls *crls, const struct spki *key, const struct p11ca_identity *id,
    int64_t now, struct p11ca_revocation *ret)
{
    size_t ca = find_ca(crls, key, id);
    struct snapshot *s = crls_hold(crls);

    *ret = (struct p11ca_revocation){.status = P11CA_STATUS_UNKNOWN};
    if (s && ca < crls->n_cas && s->of_ca[ca].there)
        ask(&s->of_ca[ca], id->cert.t.serial, now, ret);
    crls_drop(crls, s);
}

/* Names can be the same; who signed is one. */
void p11ca_crls_check(
    struct p11ca_crls *crls, const struct p11ca_identity *id, int64_t now, struct p11ca_revocation *ret)
{
    struct p11ca_err why;
    size_t i;

    *ret = (struct p11ca_revocation){.status = P11CA_STATUS_UNKNOWN};
    for (i = 0; i < crls->n_cas; i++) {
        if (cert_signed_by(&id->cert, crls->cas[i]->subject, &crls->cas[i]->spki, crls->cas[i]->pub, &why) ==
            0) {
            crls_check_by(crls, &crls->cas[i]->spki, id, now, ret);
            return;
        }
    }
}
