#include "issue/ticket.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "issue/authority.h"
#include "x509/cms.h"

char *ticket_signature_path(const char *path)
{
    AUTO_BUF b = BUF_INIT;
    size_t len;

    buf_addf(&b, "%s.p7s", path);
    return buf_str(&b) ? (char *)buf_take(&b, &len) : NULL;
}

void lot_ticket_done(struct lot_ticket *t)
{
    buf_done(&t->text);
    buf_done(&t->cms);
    memset(t, 0, sizeof(*t));
}

/* --- reading --- */

static int read_signature(struct lot_ticket *t, const char *path, struct p11ca_err *err)
{
    AUTO_STR beside = ticket_signature_path(path);

    if (!beside)
        return err_nomem(err);
    if (!file_exists(beside))
        return err_set(err, P11CA_REFUSED, "TICKET_SIGNATURE",
            "%s: is missing: a ticket has its signature beside it", beside);
    return file_read(beside, LIMIT_CERT, &t->cms, err);
}

static int read_text(struct lot_ticket *t, const char *path, struct p11ca_err *err)
{
    if (file_read(path, LIMIT_TICKET, &t->text, err) != 0)
        return -1;
    if (ticket_parse(t->text.p, t->text.len, &t->t, err) != 0)
        return err_prefix(err, "%s", path);
    return hash_sha256(t->text.p, t->text.len, t->sha256) == 0 ? 0 : err_nomem(err);
}

/* --- by whom, and for whom --- */

static int foreign(const char *path, const char *what, const char *whose, const uint8_t want[SHA256_LEN],
    const uint8_t have[SHA256_LEN], struct p11ca_err *err)
{
    char want_hex[2 * SHA256_LEN + 1], have_hex[2 * SHA256_LEN + 1];

    text_hex_lower(want, SHA256_LEN, want_hex);
    text_hex_lower(have, SHA256_LEN, have_hex);
    return err_set(err, P11CA_REFUSED, "TICKET_FOREIGN",
        "%s: %s: want the key of authority '%s', SHA-256 %s, have %s", path, what, whose, want_hex, have_hex);
}

/* The key that the ledger has of an authority, by its digest. */
static int recorded_key(
    struct ledger *l, const char *path, const char *name, uint8_t ret[SHA256_LEN], struct p11ca_err *err)
{
    AUTO_RECORD record = NULL;

    if (ledger_get_authority(l, name, &record, err) != 0)
        return -1;
    if (!record)
        return err_set(err, P11CA_REFUSED, "TICKET_FOREIGN",
            "%s: authority '%s': the ledger has no key of it (p11ca install)", path, name);
    return hash_sha256(record->spki.p, record->spki.len, ret) == 0 ? 0 : err_nomem(err);
}

/*
 * The signer is the key that the ledger has, not somebody whose certificate is in the signature. What else that key signs,
 * certificates and CRLs, is no ticket: their bytes do not begin like one.
 */
static int check_signer(
    struct ledger *l, const struct lot_ticket *t, const struct ticket_demand *d, struct p11ca_err *err)
{
    uint8_t want[SHA256_LEN], have[SHA256_LEN];
    struct p11ca_err why;
    struct spki key;

    if (cms_signer(der_buf(&t->cms), der_buf(&t->text), &key, &why) != 0)
        return err_set(err, P11CA_REFUSED, "TICKET_SIGNATURE", "%s.p7s: %s", d->path, why.msg);
    if (recorded_key(l, d->path, d->authority->ticket_from, want, err) != 0 ||
        spki_sha256(&key, have, err) != 0)
        return -1;
    return memcmp(want, have, sizeof(want)) == 0
               ? 0
               : foreign(d->path, "signer", d->authority->ticket_from, want, have, err);
}

static int check_issuer(
    struct ledger *l, const struct lot_ticket *t, const struct ticket_demand *d, struct p11ca_err *err)
{
    const char *name = d->authority->name;
    uint8_t want[SHA256_LEN];

    if (strcmp(t->t.issuer, name) != 0)
        return err_set(err, P11CA_REFUSED, "TICKET_FOREIGN", "%s: issuer: want '%s', have '%s'", d->path,
            name, t->t.issuer);
    if (recorded_key(l, d->path, name, want, err) != 0)
        return -1;
    return memcmp(want, t->t.issuer_sha256, sizeof(want)) == 0
               ? 0
               : foreign(d->path, "issuer", name, want, t->t.issuer_sha256, err);
}

static int check_time(const struct ticket *t, int64_t now, struct p11ca_err *err)
{
    char want[TEXT_TIME], have[TEXT_TIME];
    bool early = now < t->not_before;

    if (!early && now <= t->not_after)
        return 0;
    text_time(early ? t->not_before : t->not_after, want);
    text_time(now, have);
    return err_set(err, P11CA_REFUSED, early ? "TICKET_NOT_YET" : "TICKET_EXPIRED",
        "ticket '%s': %s: want it at %s or %s, have %s", t->id, early ? "not-before" : "not-after", want,
        early ? "later" : "earlier", have);
}

static int check_profile(const struct ticket *t, const struct profile *p, struct p11ca_err *err)
{
    if (strcmp(t->profile, p->name) == 0)
        return 0;
    return err_set(err, P11CA_REFUSED, "TICKET_PROFILE", "ticket '%s': profile: want '%s', have '%s'", t->id,
        t->profile, p->name);
}

/* --- before the token --- */

static int open_given(
    struct lot_ticket *t, struct ledger *l, const struct ticket_demand *d, struct p11ca_err *err)
{
    if (!d->authority->ticket_from)
        return err_set(err, P11CA_REFUSED, "TICKET_FOREIGN",
            "%s: authority '%s' takes no tickets (ticket-from in p11ca.conf)", d->path, d->authority->name);
    if (read_text(t, d->path, err) != 0 || read_signature(t, d->path, err) != 0 ||
        check_signer(l, t, d, err) != 0 || check_issuer(l, t, d, err) != 0 ||
        check_profile(&t->t, d->profile, err) != 0 || check_time(&t->t, d->now, err) != 0)
        return -1;
    return ledger_check_ticket(l, d->authority->name, t->t.id, t->sha256, err);
}

int lot_ticket_open(struct lot_ticket *ret, const struct p11ca_home *home, struct ledger *l,
    const struct ticket_demand *d, struct p11ca_err *err)
{
    *ret = (struct lot_ticket){.text = BUF_INIT};
    if (!d->path && (!d->authority->ticket_from || d->profile->is_ca))
        return 0;
    if (!d->path)
        return err_set(err, P11CA_REFUSED, "TICKET_MISSING",
            "authority '%s': profile '%s': want a lot ticket signed by '%s' (--ticket)", d->authority->name,
            d->profile->name, d->authority->ticket_from);
    if (open_given(ret, l, d, err) != 0) {
        lot_ticket_done(ret);
        return -1;
    }
    home_detail(home, "ticket '%s' for %" PRId64 " of '%s', SKU '%s', signed by '%s'", ret->t.id,
        ret->t.count, ret->t.ids, ret->t.sku, d->authority->ticket_from);
    return 0;
}

int lot_ticket_fits(
    const struct lot_ticket *t, const struct profile *profile, const char *device, struct p11ca_err *err)
{
    if (!t)
        return 0;
    if (check_profile(&t->t, profile, err) != 0)
        return -1;
    if (ticket_has(&t->t, device))
        return 0;
    if (!device[0])
        return err_set(err, P11CA_REFUSED, "TICKET_ID", "ticket '%s': want a device ID of %s, have none",
            t->t.id, t->t.ids);
    return err_set(err, P11CA_REFUSED, "TICKET_ID", "device '%s': ticket '%s': want an ID of %s", device,
        t->t.id, t->t.ids);
}

/* --- counting --- */

static int check_left(const struct ticket *t, int64_t left, struct p11ca_err *err)
{
    if (left > 0)
        return 0;
    return err_set(err, P11CA_REFUSED, "TICKET_SPENT",
        "ticket '%s': all %" PRId64 " certificates of it are issued or reserved", t->id, t->count);
}

int lot_ticket_left(struct ledger *l, const struct lot_ticket *t, struct p11ca_err *err)
{
    int64_t row, left;
    int found;

    if (!t)
        return 0;
    found = ledger_find_ticket(l, t->sha256, &row, &left, err);
    return found <= 0 ? found : check_left(&t->t, left, err);
}

static int record(struct ledger *l, const struct lot_ticket *t, int64_t *ret_row, struct p11ca_err *err)
{
    const struct ledger_ticket row = {
        .id = t->t.id,
        .authority = t->t.issuer,
        .text = {t->text.p, t->text.len},
        .cms = {t->cms.p, t->cms.len},
        .max = t->t.count,
    };

    return ledger_put_ticket(l, &row, ret_row, err);
}

int lot_ticket_take(
    struct ledger *l, const struct lot_ticket *t, int64_t now, int64_t *ret_row, struct p11ca_err *err)
{
    int64_t left;
    int found;

    if (!t) {
        *ret_row = 0;
        return 0;
    }
    /* A long lot may live longer than its ticket. */
    if (check_time(&t->t, now, err) != 0)
        return -1;
    found = ledger_find_ticket(l, t->sha256, ret_row, &left, err);
    if (found == 0)
        return record(l, t, ret_row, err);
    return found < 0 ? -1 : check_left(&t->t, left, err);
}
