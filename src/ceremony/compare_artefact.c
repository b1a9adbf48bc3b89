/* Artefacts of a rehearsal and of the ceremony: serial, key, times and signature may differ, nothing else. */
#include <stdio.h>
#include <string.h>

#include "ceremony/compare.h"
#include "issue/ticket_text.h"
#include "x509/cert.h"
#include "x509/crl.h"
#include "x509/csr.h"
#include "x509/pem.h"

/* One artefact, in both folders. */
struct pair {
    struct compare *c;
    const char *what;
    struct buf bytes[2];
};

static void __attribute__((format(printf, 3, 4)))
want(const struct pair *p, bool equal, const char *fmt, ...);

/* A line only for what is at fault. */
static void want(const struct pair *p, bool equal, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    if (equal)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    finding_bad(&p->c->f, COMPARE_DIFFERS, p->what, "%s: want it as in the rehearsal, have another", text);
}

/* --- keys --- */

static bool same_kind(struct der a, struct der b)
{
    struct p11ca_err ignored;
    struct spki one, two;

    return spki_read(a.p, a.len, &one, &ignored) == 0 && spki_read(b.p, b.len, &two, &ignored) == 0 &&
           one.kind == two.kind && one.bits == two.bits;
}

/* --- certificates --- */

/* The start may be that of the issuer, a few minutes later than asked for. */
static int64_t days(const struct tbs *t)
{
    return (t->not_after - t->not_before + PROFILE_DAY / 2) / PROFILE_DAY;
}

/* The names of the two keys. */
static bool is_of_key(const struct cert_ext *e)
{
    return oid_is(e->oid, OID_SKI) || oid_is(e->oid, OID_AKI);
}

static void compare_exts(const struct pair *p, const struct tbs *a, const struct tbs *b)
{
    char text[OID_TEXT];
    size_t i;

    want(p, a->n_exts == b->n_exts, "number of extensions");
    for (i = 0; i < a->n_exts && i < b->n_exts; i++) {
        const struct cert_ext *x = &a->exts[i], *y = &b->exts[i];

        oid_text(x->oid, text);
        want(p, der_equal(x->oid, y->oid) && x->critical == y->critical, "extension %s", text);
        want(p, is_of_key(x) || der_equal(x->value, y->value), "value of extension %s", text);
    }
}

static void compare_certs(const struct pair *p, const struct cert *a, const struct cert *b)
{
    want(p, der_equal(a->t.subject, b->t.subject), "subject");
    want(p, der_equal(a->t.issuer, b->t.issuer), "issuer");
    want(p, same_kind(a->t.spki, b->t.spki), "kind of key");
    want(p, der_equal(a->alg_id, b->alg_id), "signature algorithm");
    want(p, days(&a->t) == days(&b->t), "days of validity");
    compare_exts(p, &a->t, &b->t);
}

/* The next certificate of one side: 1, or 0 when there is no further one. */
static int next_cert(struct der *in, struct cert *ret, struct p11ca_err *err)
{
    AUTO_BUF der = BUF_INIT;
    int rc;

    if (in->len && in->p[0] == DER_SEQUENCE) {
        struct der whole = *in;

        in->len = 0;
        return cert_read(whole.p, whole.len, ret, err) == 0 ? 1 : -1;
    }
    rc = pem_next(in, PEM_CERT, &der, err);
    return rc != 1 ? rc : cert_read(der.p, der.len, ret, err) == 0 ? 1 : -1;
}

static int compare_chain(const struct pair *p, struct p11ca_err *err)
{
    struct der in[2] = {der_buf(&p->bytes[0]), der_buf(&p->bytes[1])};
    int a, b;

    do {
        AUTO_CERT one = CERT_INIT;
        AUTO_CERT two = CERT_INIT;

        a = next_cert(&in[0], &one, err);
        b = a < 0 ? -1 : next_cert(&in[1], &two, err);
        if (a == 1 && b == 1)
            compare_certs(p, &one, &two);
    } while (a == 1 && b == 1);
    want(p, a < 0 || b < 0 || a == b, "number of certificates");
    return a < 0 || b < 0 ? -1 : 0;
}

/* --- the others --- */

static int compare_requests(const struct pair *p, struct p11ca_err *err)
{
    AUTO_CSR a = CSR_INIT;
    AUTO_CSR b = CSR_INIT;

    if (csr_read(p->bytes[0].p, p->bytes[0].len, CSR_FOR_CA | CSR_NAMES_GIVEN, &a, err) != 0 ||
        csr_read(p->bytes[1].p, p->bytes[1].len, CSR_FOR_CA | CSR_NAMES_GIVEN, &b, err) != 0)
        return -1;
    want(p, der_equal(a.subject, b.subject), "subject");
    want(p, same_kind(spki_der(&a.spki), spki_der(&b.spki)), "kind of key");
    return 0;
}

static int compare_keys(const struct pair *p, struct p11ca_err *err)
{
    struct spki a, b;

    if (spki_read_file(p->bytes[0].p, p->bytes[0].len, &a, err) != 0 ||
        spki_read_file(p->bytes[1].p, p->bytes[1].len, &b, err) != 0)
        return -1;
    want(p, same_kind(spki_der(&a), spki_der(&b)), "kind of key");
    return 0;
}

/* What is in it is each home's own. */
static int compare_crls(const struct pair *p, struct p11ca_err *err)
{
    AUTO_CRL a = CRL_INIT;
    AUTO_CRL b = CRL_INIT;

    if (crl_read(p->bytes[0].p, p->bytes[0].len, &a, err) != 0 ||
        crl_read(p->bytes[1].p, p->bytes[1].len, &b, err) != 0)
        return -1;
    want(p, der_equal(a.t.issuer, b.t.issuer), "issuer");
    want(p, der_equal(a.alg_id, b.alg_id), "signature algorithm");
    want(p, a.t.next_update - a.t.this_update == b.t.next_update - b.t.this_update, "life");
    return 0;
}

/* Keys differ, and so does the time from which it counts when the script does not say it. */
static int compare_tickets(const struct pair *p, struct p11ca_err *err)
{
    struct ticket a, b;

    if (ticket_parse(p->bytes[0].p, p->bytes[0].len, &a, err) != 0 ||
        ticket_parse(p->bytes[1].p, p->bytes[1].len, &b, err) != 0)
        return -1;
    want(p, strcmp(a.id, b.id) == 0 && strcmp(a.issuer, b.issuer) == 0, "id and issuer");
    want(p, strcmp(a.profile, b.profile) == 0 && strcmp(a.sku, b.sku) == 0, "profile and SKU");
    want(p, a.count == b.count && strcmp(a.ids, b.ids) == 0, "count and device IDs");
    want(p, a.not_after - a.not_before == b.not_after - b.not_before, "days");
    return 0;
}

/* To-be-signed bytes, and signatures beside a file, are compared as what they became and are over. */
static int compare_nothing(const struct pair *p, struct p11ca_err *err)
{
    (void)p, (void)err;
    return 0;
}

static const struct {
    const char *block, *suffix;
    const char *name;
    int (*compare)(const struct pair *p, struct p11ca_err *err);
} kinds[] = {
    {"-----BEGIN CERTIFICATE-----", ".crt", "certificate", compare_chain},
    {"-----BEGIN CERTIFICATE REQUEST-----", ".csr", "request", compare_requests},
    {"-----BEGIN X509 CRL-----", ".crl", "CRL", compare_crls},
    {"-----BEGIN PUBLIC KEY-----", ".pub", "public key", compare_keys},
    {NULL, "-tbs.der", "to-be-signed bytes", compare_nothing},
    {TICKET_HEAD, ".ticket", "lot ticket", compare_tickets},
    {NULL, ".p7s", "signature", compare_nothing},
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static size_t kind_of(const struct buf *b, const char *file)
{
    size_t i, len = strlen(file), n;

    for (i = 0; i < N_KINDS; i++) {
        n = strlen(kinds[i].suffix);
        if ((kinds[i].block && b->len && memmem(b->p, b->len, kinds[i].block, strlen(kinds[i].block))) ||
            (len >= n && strcmp(file + len - n, kinds[i].suffix) == 0))
            break;
    }
    return i;
}

static void compare_pair(const struct pair *p, const char *file)
{
    size_t kind = kind_of(&p->bytes[0], file), before = p->c->f.n_faults;
    struct p11ca_err why;

    if (kind == N_KINDS)
        finding_bad(&p->c->f, COMPARE_DIFFERS, p->what,
            "neither certificate, request, CRL, public key nor ticket: want it as in the rehearsal, have "
            "another");
    else if (kinds[kind].compare(p, &why) != 0)
        finding_bad(&p->c->f, COMPARE_DIFFERS, p->what, "%s", why.msg);
    else if (p->c->f.n_faults == before)
        finding_good(&p->c->f, p->what, "%s: differs only in what may", kinds[kind].name);
}

void compare_artefact(struct compare *c, const char *what, const char *file)
{
    struct pair p = {.c = c, .bytes = {BUF_INIT, BUF_INIT}};
    char path[FINDING_WHAT];
    struct p11ca_err why;

    snprintf(path, sizeof(path), "%s, %s", what, file);
    p.what = path;
    if (folder_read(c->dirs[0], file, &p.bytes[0], &why) != 0 ||
        folder_read(c->dirs[1], file, &p.bytes[1], &why) != 0)
        finding_bad(&c->f, COMPARE_DIFFERS, path, "%s", why.msg);
    else
        compare_pair(&p, file);
    buf_done(&p.bytes[0]);
    buf_done(&p.bytes[1]);
}
