/* When which authority's next CRL has to be out. */
#include <p11ca/revoke.h>
#include <string.h>

#include "base/text.h"
#include "issue/authority.h"
#include "issue/home.h"

struct asking {
    const struct p11ca_home *home;
    struct ledger *ledger;
    int64_t now;
    p11ca_crl_deadline_fn *fn;
    void *arg;
    bool ended; /* by the callback */
    size_t overdue;
};

struct counting {
    const struct authority_conf *conf;
    unsigned part;
    size_t n;
};

static int count_change(void *arg, const struct ledger_revoked *row, struct p11ca_err *err)
{
    struct counting *c = arg;

    (void)err;
    c->n += !c->part || authority_crl_part(c->conf, row->serial.p, row->serial.len) == c->part;
    return 0;
}

/* What changed behind the last list, and whether any of it changed behind the slots. */
static int ask_changes(struct asking *a, const struct authority_conf *conf, int64_t upto,
    const struct ledger_slots *slots, struct p11ca_crl_deadline *d, struct p11ca_err *err)
{
    struct counting since = {conf, d->part, 0}, since_slots = {conf, d->part, 0};

    if (ledger_each_change(a->ledger, conf->name, upto, count_change, &since, err) != 0)
        return -1;
    if (slots->n &&
        ledger_each_change(a->ledger, conf->name, slots->upto, count_change, &since_slots, err) != 0)
        return -1;
    d->revoked = since.n;
    d->slots = (size_t)slots->n;
    d->slots_void = since_slots.n != 0;
    d->slot_next = slots->first;
    d->slots_until = slots->until;
    return 0;
}

static void set_last(
    struct asking *a, const struct ledger_crl *last, bool wanted, struct p11ca_crl_deadline *d)
{
    if (last) {
        d->number = last->number;
        d->this_update = last->this_update;
        d->next_update = last->next_update;
        d->left = last->next_update - a->now;
    }
    d->overdue = last ? d->left <= 0 : wanted;
}

/* always: told of also when no such list was ever signed. */
static int ask_scope(struct asking *a, const struct authority_conf *conf, bool always,
    struct p11ca_crl_deadline *d, struct p11ca_err *err)
{
    const struct ledger_scope scope = {.authority = conf->name, .part = d->part};
    SCOPED(ledger_crl) struct ledger_crl *last = NULL;
    struct ledger_crl_next next;
    struct ledger_slots slots;

    if (ledger_next_crl(a->ledger, &scope, &next, err) != 0 ||
        ledger_get_crl(a->ledger, &scope, false, &last, err) != 0 ||
        ledger_get_slots(a->ledger, &scope, a->now, &slots, err) != 0 ||
        ask_changes(a, conf, next.last_upto, &slots, d, err) != 0)
        return -1;
    if (!last && !always)
        return 0;
    set_last(a, last, conf->crl_url != NULL, d);
    a->overdue += d->overdue;
    a->ended = a->fn && a->fn(a->arg, d) != 0;
    return 0;
}

/* A list of all certificates, and those of the partitions. */
static int ask_scopes(
    struct asking *a, const struct authority_conf *conf, const char *key, struct p11ca_err *err)
{
    unsigned part, parts = (unsigned)conf->crl_partitions;

    for (part = 0; part <= parts && !a->ended; part++) {
        struct p11ca_crl_deadline d = {
            .authority = conf->name, .key_sha256 = key, .part = part, .parts = part ? parts : 0};

        if (ask_scope(a, conf, part || !parts, &d, err) != 0)
            return -1;
    }
    return 0;
}

static int ask_authority(struct asking *a, const struct authority_conf *conf, struct p11ca_err *err)
{
    char key[2 * SHA256_LEN + 1];
    AUTO_ISSUER issuer = NULL;
    uint8_t sha256[SHA256_LEN];

    if (authority_issuer(a->ledger, conf, &issuer, err) != 0)
        return -1;
    if (!issuer || issuer->not_after < a->now)
        return 0;
    if (spki_sha256(&issuer->spki, sha256, err) != 0)
        return -1;
    text_hex_lower(sha256, sizeof(sha256), key);
    return ask_scopes(a, conf, key, err);
}

static int ask_all(struct asking *a, const char *authority, struct p11ca_err *err)
{
    const struct authority_conf *conf;
    size_t i;

    if (authority && home_authority(a->home, authority, &conf, err) != 0)
        return -1;
    for (i = 0; i < a->home->n_authorities && !a->ended; i++) {
        conf = &a->home->authorities[i];
        if ((!authority || strcmp(authority, conf->name) == 0) && ask_authority(a, conf, err) != 0)
            return -1;
    }
    return 0;
}

int p11ca_crl_deadlines(struct p11ca_home *home, const char *authority, p11ca_crl_deadline_fn *fn, void *arg,
    struct p11ca_err *err)
{
    AUTO_LEDGER l = NULL;
    struct asking a = {.home = home, .now = home_now(home), .fn = fn, .arg = arg};

    if (home_ledger_read(home, &l, err) != 0)
        return -1;
    a.ledger = l;
    if (ask_all(&a, authority, err) != 0)
        return -1;
    if (!a.overdue || a.ended)
        return 0;
    return err_set(err, P11CA_NEGATIVE, "CRL_OVERDUE", "%zu CRL%s overdue: sign or release the next",
        a.overdue, a.overdue == 1 ? " is" : "s are");
}
