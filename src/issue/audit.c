/* Every invariant of the ledger, checked again. */
#include <p11ca/ledger.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "issue/authority.h"
#include "issue/publish.h"
#include "issue/record.h"
#include "issue/ticket.h"
#include "x509/cert.h"
#include "x509/cms.h"
#include "x509/crl.h"
#include "x509/name.h"

struct known_issuer {
    char *name;
    struct issuer *issuer; /* NULL: no CA certificate, or one that cannot be read */
};

/* Certificates of end entities that an authority which wants tickets has issued on none. */
struct unticketed {
    size_t n;
    int64_t last; /* when the last one was reserved */
};

struct audit {
    struct p11ca_home *home;
    struct ledger *ledger;
    p11ca_finding_fn *fn;
    void *arg;
    struct p11ca_audit *ret;
    struct p11ca_err *err;
    struct known_issuer *issuers;
    size_t n_issuers;
    struct unticketed *unticketed; /* as in home->authorities */
};

static void say(struct audit *a, enum p11ca_level level, const char *what, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void say(struct audit *a, enum p11ca_level level, const char *what, const char *fmt, ...)
{
    char text[1200];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (level == P11CA_BAD)
        a->ret->faults++;
    if (a->fn)
        a->fn(a->arg, level, what, text);
}

static void database_finding(void *arg, const char *text)
{
    say(arg, P11CA_BAD, "ledger", "%s", text);
}

static void check_ca_file(struct audit *a, const struct ledger_authority *ca)
{
    AUTO_STR path = home_cert_path(a->home, ca->name);

    if (!path)
        return;
    a->ret->files++;
    if (!publish_is(path, DER_OF(ca->cert.p, ca->cert.len)))
        say(a, P11CA_BAD, ca->name, "%s: %s", path,
            file_exists(path) ? "is not the CA certificate of the ledger" : "is missing");
}

static int check_authority(void *arg, const struct ledger_authority *ca, struct p11ca_err *err)
{
    struct audit *a = arg;
    struct known_issuer *more, *k;
    struct p11ca_err why;

    a->ret->authorities++;
    more = realloc(a->issuers, (a->n_issuers + 1) * sizeof(*more));
    if (!more)
        return err_nomem(err);
    a->issuers = more;
    k = &more[a->n_issuers++];
    *k = (struct known_issuer){.name = strdup(ca->name)};
    if (!k->name)
        return err_nomem(err);
    if (!ca->cert.p)
        return 0;
    if (issuer_read(ca->cert.p, ca->cert.len, &k->issuer, &why) != 0) {
        say(a, P11CA_BAD, ca->name, "CA certificate: %s", why.msg);
        return 0;
    }
    if (ca->spki.len != k->issuer->spki.len || memcmp(ca->spki.p, k->issuer->spki.der, ca->spki.len) != 0)
        say(a, P11CA_BAD, ca->name, "the CA certificate is for another key than the recorded one");
    check_ca_file(a, ca);
    return 0;
}

static const struct issuer *issuer_of(const struct audit *a, const char *name)
{
    size_t i;

    for (i = 0; i < a->n_issuers; i++) {
        if (strcmp(a->issuers[i].name, name) == 0)
            return a->issuers[i].issuer;
    }
    return NULL;
}

static bool is(struct blob b, const void *p, size_t len)
{
    return b.len == len && memcmp(b.p, p, len) == 0;
}

/* What the columns say against what the certificate says. */
static void check_columns(
    struct audit *a, const struct ledger_cert *row, const struct cert *cert, const char *serial)
{
    AUTO_BUF subject = BUF_INIT;
    uint8_t spki[SHA256_LEN], tbs[SHA256_LEN];
    struct p11ca_err why;

    if (hash_sha256(cert->t.spki.p, cert->t.spki.len, spki) != 0 ||
        hash_sha256(cert->tbs.p, cert->tbs.len, tbs) != 0)
        return;
    if (!is(row->serial, cert->t.serial.p, cert->t.serial.len))
        say(a, P11CA_BAD, serial, "serial: the certificate has another one");
    if (row->not_before != cert->t.not_before || row->not_after != cert->t.not_after)
        say(a, P11CA_BAD, serial, "validity: the certificate has another one");
    if (!is(row->spki_sha256, spki, sizeof(spki)))
        say(a, P11CA_BAD, serial, "public key: the certificate has another one");
    if (!is(row->tbs_sha256, tbs, sizeof(tbs)))
        say(a, P11CA_BAD, serial, "to-be-signed bytes: not those that were linted");
    if (name_to_text(cert->t.subject, &subject, &why) != 0 || !buf_str(&subject) ||
        strcmp((char *)subject.p, row->subject) != 0)
        say(a, P11CA_BAD, serial, "subject: the certificate has another one");
}

/* A ceremony's step may say other path length and usages than the profile: of a CA they are what it has. */
static struct profile as_made(const struct profile *p, const struct cert *cert)
{
    struct profile made = *p, check;
    struct cert_facts f;
    struct p11ca_err why;

    if (!p->is_ca || tbs_facts(&cert->t, &f, &why) != 0)
        return made;
    check = made;
    check.pathlen = f.pathlen;
    check.key_usage = f.key_usage;
    check.eku = f.eku;
    return profile_check(&check, &why) == 0 ? check : made;
}

/* One's own profile may say something else than it did then: no fault of the certificate. */
static void check_profile(struct audit *a, const struct ledger_cert *row, const struct cert *cert,
    const struct issuer *issuer, const char *serial)
{
    const struct profile *p = profiles_find(a->home->profiles, row->profile);
    struct profile made;
    struct p11ca_err why;

    if (!p)
        return;
    made = as_made(p, cert);
    if (tbs_lint(cert->tbs, &made, p->self_signed ? NULL : issuer, &why) == 0)
        return;
    if (p->builtin)
        say(a, P11CA_BAD, serial, "%s", why.msg);
    else
        say(a, P11CA_WEAK, serial, "as the profile is now: %s", why.msg);
}

static int verify_as(const struct ledger_cert *row, const struct cert *cert, const struct issuer *issuer,
    struct p11ca_err *err)
{
    return row->imported_at ? issuer_has_signed(issuer, cert, err)
                            : cert_verify(cert, issuer->pub, issuer->alg, err);
}

static void check_signature(
    struct audit *a, const struct ledger_cert *row, const struct cert *cert, const char *serial)
{
    const struct issuer *issuer = issuer_of(a, row->authority);
    struct p11ca_err why;

    if (!issuer) {
        say(a, P11CA_BAD, serial, "issuer '%s' has no CA certificate to verify with", row->authority);
        return;
    }
    if (verify_as(row, cert, issuer, &why) != 0)
        say(a, P11CA_BAD, serial, "issuer '%s': %s", row->authority, why.msg);
    if (!row->imported_at) /* made by other rules */
        check_profile(a, row, cert, issuer, serial);
}

static void check_file(struct audit *a, const struct ledger_cert *row, const char *serial)
{
    struct p11ca_err why;

    if (row->imported_at && !row->published_at)
        return; /* p11ca has written no file of it */
    if (!row->published_at) {
        say(a, P11CA_WEAK, serial, "issued, but never published: give the same order again");
        return;
    }
    /* It was an answer to a station. */
    if (!row->path)
        return;
    a->ret->files++;
    if (publish_is(row->path, DER_OF(row->cert.p, row->cert.len)))
        return;
    /* Handed over to the device, or replaced by a later one. */
    if (!file_exists(row->path))
        say(a, P11CA_WEAK, serial, "%s: is no longer there", row->path);
    else if (p11ca_show(a->home, row->path, NULL, NULL, &why) != 0)
        say(a, P11CA_BAD, serial, "%s: holds something the ledger does not know", row->path);
}

/* Whoever takes ticket-from out of p11ca.conf for a while leaves this. */
static void count_unticketed(struct audit *a, const struct ledger_cert *row)
{
    const struct profile *p = profiles_find(a->home->profiles, row->profile);
    size_t i;

    for (i = 0; !row->ticket && !row->imported_at && !(p && p->is_ca) && i < a->home->n_authorities; i++) {
        struct unticketed *u = &a->unticketed[i];

        if (strcmp(a->home->authorities[i].name, row->authority) != 0)
            continue;
        u->n++;
        u->last = row->reserved_at > u->last ? row->reserved_at : u->last;
    }
}

static void tell_unticketed(struct audit *a)
{
    char when[TEXT_TIME];
    size_t i;

    for (i = 0; i < a->home->n_authorities; i++) {
        const struct authority_conf *conf = &a->home->authorities[i];
        const struct unticketed *u = &a->unticketed[i];

        if (!conf->ticket_from || !u->n)
            continue;
        text_time(u->last, when);
        say(a, P11CA_WEAK, conf->name,
            "wants lot tickets, and has issued %zu certificate%s on none: the last reserved at %s", u->n,
            u->n == 1 ? "" : "s", when);
    }
}

static int check_row(void *arg, const struct ledger_cert *row, struct p11ca_err *err)
{
    struct audit *a = arg;
    struct record_view v;
    AUTO_CERT cert = CERT_INIT;
    char when[TEXT_TIME];
    struct p11ca_err why;

    (void)err;
    record_view(&v, row);
    count_unticketed(a, row);
    if (row->imported_at && !row->cert.p) {
        a->ret->certificates++; /* of an index alone: its "import" event has been checked */
        return 0;
    }
    if (!row->cert.p) {
        a->ret->reserved++;
        text_time(row->reserved_at, when);
        say(a, P11CA_WEAK, v.serial,
            "reserved at %s for '%s', profile '%s', never issued: interrupted or failed", when, row->subject,
            row->profile);
        return 0;
    }
    a->ret->certificates++;
    if (cert_read(row->cert.p, row->cert.len, &cert, &why) != 0) {
        say(a, P11CA_BAD, v.serial, "certificate in the ledger: %s", why.msg);
        return 0;
    }
    check_columns(a, row, &cert, v.serial);
    check_signature(a, row, &cert, v.serial);
    check_file(a, row, v.serial);
    return 0;
}

/* Who has signed it: an authority that the ledger knows, and the one that p11ca.conf wants. */
static int check_ticket_signer(
    struct audit *a, const struct ledger_ticket *row, char ret_name[65], struct p11ca_err *err)
{
    const struct authority_conf *conf;
    uint8_t sha256[SHA256_LEN];
    struct p11ca_err why;
    struct spki key;
    int known;

    if (cms_signer(DER_OF(row->cms.p, row->cms.len), DER_OF(row->text.p, row->text.len), &key, &why) != 0) {
        say(a, P11CA_BAD, row->id, "ticket: %s", why.msg);
        return 0;
    }
    if (spki_sha256(&key, sha256, err) != 0 ||
        (known = ledger_is_authority_key(a->ledger, sha256, ret_name, 65, err)) < 0)
        return -1;
    if (!known || strcmp(ret_name, row->authority) == 0)
        say(a, P11CA_BAD, row->id, "ticket: its signer is no other authority of the ledger");
    else if (home_authority(a->home, row->authority, &conf, &why) == 0 && conf->ticket_from &&
             strcmp(conf->ticket_from, ret_name) != 0)
        say(a, P11CA_BAD, row->id, "ticket: want it signed by '%s' (ticket-from), have '%s'",
            conf->ticket_from, ret_name);
    return 0;
}

/* What the columns say against what was signed; ledger_check() has counted. */
static int check_ticket(void *arg, const struct ledger_ticket *row, struct p11ca_err *err)
{
    struct audit *a = arg;
    char signer[65] = "nobody";
    struct p11ca_err why;
    struct ticket t;

    if (ticket_parse(row->text.p, row->text.len, &t, &why) != 0) {
        say(a, P11CA_BAD, row->id, "ticket: %s", why.msg);
        return 0;
    }
    if (strcmp(t.id, row->id) != 0 || strcmp(t.issuer, row->authority) != 0 || t.count != row->max)
        say(a, P11CA_BAD, row->id, "ticket: ID, issuer or count: not those that were signed");
    if (check_ticket_signer(a, row, signer, err) != 0)
        return -1;
    say(a, P11CA_GOOD, row->id, "ticket signed by '%s': %" PRId64 " of %" PRId64 " used by '%s'", signer,
        row->used, row->max, row->authority);
    return 0;
}

/* An entry for what was never revoked: a list that does more than it should. One finding is enough for a list. */
static int check_crl_entries(struct audit *a, const struct ledger_crl *row, const char *what,
    const struct crl *crl, struct p11ca_err *err)
{
    struct der in = crl->t.revoked;
    char serial[2 * SERIAL_LEN + 1];
    struct crl_item item;
    int known = 1;

    while (crl->t.has_revoked && in.len && known == 1 && crl_next_entry(&in, &item) == 0)
        known =
            ledger_was_revoked(a->ledger, row->authority, (struct blob){item.serial.p, item.serial.len}, err);
    if (known != 0)
        return known > 0 ? 0 : -1;
    text_hex(item.serial.p, item.serial.len <= SERIAL_LEN ? item.serial.len : SERIAL_LEN, serial);
    say(a, P11CA_BAD, what, "lists serial %s, which is not revoked in the ledger", serial);
    return 0;
}

/* The numbers that the list itself says. */
static bool crl_says(const struct crl *crl, enum oid oid, int64_t want)
{
    const struct cert_ext *ext = crl_ext(&crl->t, oid);
    struct der v = {NULL, 0};
    int64_t have = 0;

    if (!ext || der_whole(ext->value, DER_INTEGER, &v) != 0 || v.len > 8)
        return !ext && want == 0;
    for (; v.len; v.p++, v.len--)
        have = have << 8 | *v.p;
    return have == want;
}

/* What the columns say against what was signed, and by whom; ledger_check() has looked at the sequence. */
static int check_crl(void *arg, const struct ledger_crl *row, struct p11ca_err *err)
{
    struct audit *a = arg;
    const struct issuer *issuer = issuer_of(a, row->authority);
    AUTO_CRL crl = CRL_INIT;
    struct p11ca_err why;
    char what[128];

    snprintf(what, sizeof(what), "%s: CRL %" PRId64, row->authority, row->number);
    a->ret->crls++;
    if (!row->der.p || !issuer)
        return 0; /* told of already */
    if (crl_read(row->der.p, row->der.len, &crl, &why) != 0 ||
        crl_verify(&crl, issuer->pub, issuer->alg, &why) != 0) {
        say(a, P11CA_BAD, what, "%s", why.msg);
        return 0;
    }
    if (!crl_says(&crl, OID_CRL_NUMBER, row->number) || !crl_says(&crl, OID_DELTA_CRL, row->base) ||
        crl.t.this_update != row->this_update || crl.t.next_update != row->next_update)
        say(a, P11CA_BAD, what, "number, base or times: not those that were signed");
    return check_crl_entries(a, row, what, &crl, err);
}

static int check_crls(struct audit *a, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < a->n_issuers; i++) {
        if (ledger_each_crl(a->ledger, a->issuers[i].name, check_crl, a, err) != 0)
            return -1;
    }
    return 0;
}

static void tell_exception(struct audit *a, const struct ledger_event *e)
{
    char when[TEXT_TIME];

    text_time(e->time, when);
    say(a, P11CA_WEAK, e->authority ? e->authority : "?",
        "its key was not generated under the key policy; used since %s because: %s", when,
        e->detail ? e->detail : "");
}

static int count_event(void *arg, const struct ledger_event *e, struct p11ca_err *err)
{
    struct audit *a = arg;

    (void)err;
    a->ret->events++;
    if (strcmp(e->kind, "key-exception") == 0)
        tell_exception(a, e);
    if (e->hash.len == SHA256_LEN)
        text_hex(e->hash.p, e->hash.len, a->ret->head);
    return 0;
}

static int run(struct audit *a)
{
    const struct ledger_filter all = LEDGER_ANY;

    if (ledger_check(a->ledger, database_finding, a, a->err) != 0 ||
        ledger_each_authority(a->ledger, check_authority, a, a->err) != 0 ||
        ledger_each_cert(a->ledger, &all, check_row, a, a->err) != 0 ||
        ledger_each_ticket(a->ledger, check_ticket, a, a->err) != 0 || check_crls(a, a->err) != 0 ||
        ledger_each_event(a->ledger, count_event, a, a->err) != 0)
        return -1;
    tell_unticketed(a);
    if (a->ret->faults)
        return err_set(a->err, P11CA_NEGATIVE, "AUDIT", "%zu fault%s found", a->ret->faults,
            a->ret->faults == 1 ? "" : "s");
    return 0;
}

int p11ca_audit(
    struct p11ca_home *home, p11ca_finding_fn *fn, void *arg, struct p11ca_audit *ret, struct p11ca_err *err)
{
    struct audit a = {.home = home, .fn = fn, .arg = arg, .ret = ret, .err = err};
    AUTO_LEDGER l = NULL;
    int rc;

    memset(ret, 0, sizeof(*ret));
    if (home_ledger_read(home, &l, err) != 0)
        return -1;
    a.ledger = l;
    a.unticketed = calloc(home->n_authorities + 1, sizeof(*a.unticketed));
    rc = a.unticketed ? run(&a) : err_nomem(err);
    free(a.unticketed);
    while (a.n_issuers--) {
        issuer_free(a.issuers[a.n_issuers].issuer);
        free(a.issuers[a.n_issuers].name);
    }
    free(a.issuers);
    return rc;
}
