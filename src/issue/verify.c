/* Does a certificate verify, by the CA certificates and the ledger of this home? */
#include <p11ca/ledger.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "issue/authority.h"
#include "issue/record.h"
#include "x509/cert.h"
#include "x509/chain.h"
#include "x509/crl.h"
#include "x509/crl_item.h"
#include "x509/name.h"
#include "x509/ocsp_status.h"
#include "x509/pem.h"

/* CA certificates of the home, by what they are for a chain. */
struct pile {
    struct cert *certs;
    size_t n, room;
    struct der *roots, *intermediates;
    size_t n_roots, n_intermediates;
};

static void pile_done(struct pile *p)
{
    size_t i;

    for (i = 0; i < p->n; i++)
        cert_done(&p->certs[i]);
    free(p->certs);
    free(p->roots);
    free(p->intermediates);
}

/* Room for one more; the slices of roots and intermediates point into buffers, which stay where they are. */
static int pile_grow(struct pile *p, struct p11ca_err *err)
{
    size_t room = 2 * p->room + 8;
    struct cert *certs;
    struct der *roots, *intermediates;

    if (p->n < p->room)
        return 0;
    certs = realloc(p->certs, room * sizeof(*certs));
    p->certs = certs ? certs : p->certs;
    roots = realloc(p->roots, room * sizeof(*roots));
    p->roots = roots ? roots : p->roots;
    intermediates = realloc(p->intermediates, room * sizeof(*intermediates));
    p->intermediates = intermediates ? intermediates : p->intermediates;
    if (!certs || !roots || !intermediates)
        return err_nomem(err);
    p->room = room;
    return 0;
}

static int pile_add(struct pile *p, struct der der, struct p11ca_err *err)
{
    struct cert *cert;

    if (pile_grow(p, err) != 0)
        return -1;
    cert = &p->certs[p->n];
    if (cert_read(der.p, der.len, cert, err) != 0)
        return -1;
    p->n++;
    if (cert_is_self_issued(cert))
        p->roots[p->n_roots++] = der_buf(&cert->der);
    else
        p->intermediates[p->n_intermediates++] = der_buf(&cert->der);
    return 0;
}

static int add_authority(void *arg, const struct ledger_authority *a, struct p11ca_err *err)
{
    if (!a->cert.p || pile_add(arg, DER_OF(a->cert.p, a->cert.len), err) == 0)
        return 0;
    return err_prefix(err, "authority '%s'", a->name);
}

static int add_blocks(struct pile *p, struct der in, struct p11ca_err *err)
{
    size_t n;

    for (n = 0;; n++) {
        AUTO_BUF der = BUF_INIT;
        int r = pem_next(&in, PEM_CERT, &der, err);

        if (r < 0)
            return -1;
        if (r == 0)
            break;
        if (pile_add(p, der_buf(&der), err) != 0)
            return -1;
    }
    return n ? 0
             : err_set(err, P11CA_REFUSED, "INPUT_TYPE", "want CA certificates in PEM or DER, have neither");
}

static int add_file(struct pile *p, const char *path, struct p11ca_err *err)
{
    AUTO_BUF file = BUF_INIT;
    bool is_der;

    if (file_read(path, LIMIT_CERT_FILE, &file, err) != 0)
        return -1;
    is_der = file.len && file.p[0] == DER_SEQUENCE && memchr(file.p, 0, file.len);
    if ((is_der ? pile_add(p, der_buf(&file), err) : add_blocks(p, der_buf(&file), err)) == 0)
        return 0;
    return err_prefix(err, "%s", path);
}

static int pile_fill(struct pile *p, struct ledger *l, const struct p11ca_question *q, struct p11ca_err *err)
{
    size_t i;

    if (!q->n_ca)
        return ledger_each_authority(l, add_authority, p, err);
    for (i = 0; i < q->n_ca; i++) {
        if (add_file(p, q->ca[i], err) != 0)
            return -1;
    }
    return 0;
}

static int ask_chain(const struct pile *p, const struct cert *cert, const struct p11ca_question *q,
    int64_t at, struct p11ca_err *err)
{
    static const enum chain_purpose purposes[] = {
        [P11CA_ANY_PURPOSE] = CHAIN_ANY,
        [P11CA_TLS_SERVER] = CHAIN_SERVER,
        [P11CA_TLS_CLIENT] = CHAIN_CLIENT,
    };
    const struct chain chain = {
        .leaf = der_buf(&cert->der),
        .roots = p->roots,
        .n_roots = p->n_roots,
        .intermediates = p->intermediates,
        .n_intermediates = p->n_intermediates,
        .purpose = purposes[q->purpose],
        .host = q->host,
        .at = at,
    };

    return chain_verify(&chain, err);
}

static int revoked(int64_t at, int reason, struct p11ca_err *err)
{
    const char *name = reason > CRL_UNSPECIFIED ? crl_reason_name(reason) : NULL;
    char when[TEXT_TIME];

    text_time(at, when);
    return err_set(
        err, P11CA_NEGATIVE, "REVOKED", "revoked at %s%s%s", when, name ? ", " : "", name ? name : "");
}

/* Whose key has signed the certificate: of that name there may be several. */
static int find_issuer(const struct pile *p, const struct cert *cert, struct issuer **ret,
    const struct cert **ret_cert, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < p->n; i++) {
        struct issuer *issuer;
        struct p11ca_err ignored;

        if (!der_equal(p->certs[i].t.subject, cert->t.issuer) ||
            issuer_read(p->certs[i].der.p, p->certs[i].der.len, &issuer, &ignored) != 0)
            continue;
        if (issuer_has_signed(issuer, cert, &ignored) == 0) {
            *ret = issuer;
            *ret_cert = &p->certs[i];
            return 0;
        }
        issuer_free(issuer);
    }
    return err_set(
        err, P11CA_NEGATIVE, "REVOCATION_UNKNOWN", "revocation: its issuer's certificate is not at hand");
}

struct bare {
    struct ledger *ledger;
    const struct cert *cert;
    const struct issuer *issuer;
    struct ledger_cert *found;
};

static int try_bare(void *arg, const struct ledger_authority *a, struct p11ca_err *err)
{
    struct bare *b = arg;

    if (b->found || !a->cert.p || !der_equal(DER_OF(a->cert.p, a->cert.len), der_buf(&b->issuer->cert)))
        return 0;
    return ledger_find_bare(b->ledger, a->name, (struct blob){b->cert->t.serial.p, b->cert->t.serial.len},
        b->cert->t.not_after, &b->found, err);
}

/* Of an imported serial the certificate may not have been at hand. */
static int find_bare(struct ledger *l, const struct pile *p, const struct cert *cert,
    struct ledger_cert **ret, struct p11ca_err *err)
{
    AUTO_ISSUER issuer = NULL;
    struct bare b = {.ledger = l, .cert = cert};
    const struct cert *ca;

    if (find_issuer(p, cert, &issuer, &ca, err) != 0)
        return -1;
    b.issuer = issuer;
    if (ledger_each_authority(l, try_bare, &b, err) != 0)
        return -1;
    *ret = b.found;
    return 0;
}

/* NULL: the ledger does not know it. */
static int find_row(struct ledger *l, const struct pile *p, const struct cert *cert, struct ledger_cert **ret,
    struct p11ca_err *err)
{
    uint8_t sha256[SHA256_LEN];

    if (hash_sha256(cert->der.p, cert->der.len, sha256) != 0)
        return err_nomem(err);
    if (ledger_find_cert(l, (struct blob){cert->t.serial.p, cert->t.serial.len}, sha256, ret, err) != 0)
        return -1;
    return *ret ? 0 : find_bare(l, p, cert, ret, err);
}

/* Whoever is below a CA that was revoked is not to be believed either. What another home has issued is not known here. */
static int ask_ca(struct ledger *l, const struct pile *p, const struct cert *ca, struct p11ca_err *err)
{
    AUTO_LEDGER_CERT c = NULL;
    char serial[41] = "";
    struct p11ca_err why;

    if (find_row(l, p, ca, &c, &why) != 0) {
        *err = why;
        return strcmp(why.code, "REVOCATION_UNKNOWN") == 0 ? 0 : -1;
    }
    if (!c || c->status != LEDGER_REVOKED)
        return 0;
    if (ca->t.serial.len <= 20)
        record_serial(ca->t.serial.p, ca->t.serial.len, serial);
    (void)revoked(c->revoked_at, c->reason, err);
    return err_prefix(err, "its CA certificate, serial %s", serial);
}

static int ask_cas(struct ledger *l, const struct pile *p, const struct cert *cert, struct p11ca_err *err)
{
    size_t depth;

    for (depth = 0; depth < p->n && !cert_is_self_issued(cert); depth++) {
        AUTO_ISSUER issuer = NULL;

        if (find_issuer(p, cert, &issuer, &cert, err) != 0)
            return -1;
        if (!cert_is_self_issued(cert) && ask_ca(l, p, cert, err) != 0)
            return -1;
    }
    return 0;
}

/* A certificate that chains to us and is not in the ledger was made behind its back. */
static int ask_ledger(struct ledger *l, const struct pile *p, const struct cert *cert,
    struct p11ca_answer *ret, struct p11ca_err *err)
{
    AUTO_LEDGER_CERT c = NULL;

    if (find_row(l, p, cert, &c, err) != 0)
        return -1;
    if (!c)
        return err_set(err, P11CA_NEGATIVE, "NOT_IN_LEDGER",
            "the chain verifies, but the ledger does not know this certificate");
    snprintf(ret->authority, sizeof(ret->authority), "%s", c->authority);
    snprintf(ret->status, sizeof(ret->status), "%s", ledger_status_name(c->status));
    if (c->status == LEDGER_REVOKED)
        return revoked(c->revoked_at, c->reason, err);
    return ask_cas(l, p, cert, err);
}

/* --- revocation by files --- */

static int check_crl_times(const struct crl *crl, int64_t at, struct p11ca_err *err)
{
    char from[TEXT_TIME], until[TEXT_TIME], have[TEXT_TIME];

    if (crl->t.has_next_update && crl->t.this_update <= at && at < crl->t.next_update)
        return 0;
    text_time(crl->t.this_update, from);
    text_time(crl->t.has_next_update ? crl->t.next_update : crl->t.this_update, until);
    text_time(at, have);
    return err_set(err, P11CA_NEGATIVE, "CRL_STALE",
        "CRL: RFC 5280 5.1.2.5: want one that is current at %s, have one for %s to %s", have, from, until);
}

/* A list of some reasons, of some certificates or of changes says nothing of the others (RFC 5280 5.2.4, 5.2.5). */
static int check_crl_whole(const struct crl *crl, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < crl->t.n_exts; i++) {
        if (crl->t.exts[i].critical)
            return err_set(err, P11CA_NEGATIVE, "CRL_BAD",
                "CRL: RFC 5280 5.2: want a complete one, have one with a critical extension");
    }
    return 0;
}

/* 1: the CRL is the issuer's and does not list it; 0: it is another CA's. */
static int ask_crl(
    const char *path, const struct cert *cert, const struct issuer *issuer, int64_t at, struct p11ca_err *err)
{
    AUTO_BUF file = BUF_INIT;
    AUTO_CRL crl = CRL_INIT;
    const struct sigalg *alg;
    struct crl_item item;

    if (file_read(path, LIMIT_CRL, &file, err) != 0 || crl_read(file.p, file.len, &crl, err) != 0)
        return -1;
    if (!der_equal(crl.t.issuer, issuer->subject))
        return 0;
    if (sigalg_read(crl.alg_id, issuer->spki.kind, "CRL", &alg, err) != 0 ||
        crl_verify(&crl, issuer->pub, alg, err) != 0)
        return err_set(err, P11CA_NEGATIVE, "CRL_BAD",
            "CRL: RFC 5280 6.3.3: want it signed by the key of the certificate's issuer, have another "
            "signature");
    if (check_crl_times(&crl, at, err) != 0 || check_crl_whole(&crl, err) != 0)
        return -1;
    return crl_item_find(&crl.t, cert->t.serial, &item)
               ? revoked(item.revoked_at, crl_item_reason(&item), err)
               : 1;
}

/* How many are the issuer's; none of them lists it. */
static int ask_crls(const struct p11ca_question *q, const struct cert *cert, const struct issuer *issuer,
    int64_t at, size_t *ret_n, struct p11ca_err *err)
{
    size_t i, n = 0;

    for (i = 0; i < q->n_crls; i++) {
        int r = ask_crl(q->crls[i], cert, issuer, at, err);

        if (r < 0)
            return strcmp(err->code, "REVOKED") == 0 ? -1 : err_prefix(err, "%s", q->crls[i]);
        n += (size_t)r;
    }
    *ret_n = n;
    return 0;
}

/* Of a CA above it, the lists that are at hand. */
static int ask_crls_of_cas(const struct pile *p, const struct cert *cert, const struct p11ca_question *q,
    int64_t at, struct p11ca_err *err)
{
    char serial[41] = "";
    size_t depth, n;

    for (depth = 0; depth < p->n && !cert_is_self_issued(cert); depth++) {
        AUTO_ISSUER issuer = NULL;
        const struct cert *ca;

        if (find_issuer(p, cert, &issuer, &ca, err) != 0)
            return depth ? 0 : -1; /* a root that is not self-issued ends it, too */
        if (depth && cert->t.serial.len <= 20)
            record_serial(cert->t.serial.p, cert->t.serial.len, serial);
        if (depth && ask_crls(q, cert, issuer, at, &n, err) != 0)
            return err_prefix(err, "its CA certificate, serial %s", serial);
        cert = ca;
    }
    return 0;
}

static int ask_ocsp(const struct p11ca_question *q, const struct cert *cert, const struct issuer *issuer,
    int64_t at, struct p11ca_err *err)
{
    AUTO_BUF file = BUF_INIT;
    struct ocsp_status status;

    if (!q->ocsp)
        return 0;
    if (file_read(q->ocsp, LIMIT_CERT, &file, err) != 0)
        return -1;
    if (ocsp_status_ask(der_buf(&file), der_buf(&cert->der), der_buf(&issuer->cert), at, &status, err) != 0)
        return err_prefix(err, "%s", q->ocsp);
    if (status.says == OCSP_SAYS_REVOKED)
        return revoked(status.revoked_at, status.reason, err);
    if (status.says == OCSP_SAYS_GOOD)
        return 0;
    return err_set(err, P11CA_NEGATIVE, "REVOCATION_UNKNOWN",
        "revocation: the OCSP response says that the responder does not know this certificate");
}

static int ask_files(const struct pile *p, const struct cert *cert, const struct p11ca_question *q,
    int64_t at, struct p11ca_answer *ret, struct p11ca_err *err)
{
    AUTO_ISSUER issuer = NULL;
    const struct cert *ca;
    size_t n;

    if (find_issuer(p, cert, &issuer, &ca, err) != 0 || ask_crls(q, cert, issuer, at, &n, err) != 0)
        return -1;
    if (q->n_crls && !n)
        return err_set(
            err, P11CA_NEGATIVE, "REVOCATION_UNKNOWN", "revocation: none of the CRLs is by its issuer");
    if (ask_ocsp(q, cert, issuer, at, err) != 0 || ask_crls_of_cas(p, cert, q, at, err) != 0)
        return -1;
    snprintf(ret->status, sizeof(ret->status), "good");
    return 0;
}

/* home and ledger are NULL when files are trusted. */
static int ask(const struct p11ca_home *home, struct ledger *l, const struct cert *cert,
    const struct p11ca_question *q, struct p11ca_answer *ret, struct p11ca_err *err)
{
    __attribute__((cleanup(pile_done))) struct pile p = {0};
    int64_t at = q->at ? q->at : home ? home_now(home) : (int64_t)time(NULL);

    if (pile_fill(&p, l, q, err) != 0 || ask_chain(&p, cert, q, at, err) != 0)
        return -1;
    if (q->n_crls || q->ocsp)
        return ask_files(&p, cert, q, at, ret, err);
    return l ? ask_ledger(l, &p, cert, ret, err) : 0;
}

static void describe(const struct cert *cert, struct p11ca_answer *ret)
{
    AUTO_BUF subject = BUF_INIT;
    struct p11ca_err ignored;

    memset(ret, 0, sizeof(*ret));
    if (cert->t.serial.len <= 20)
        record_serial(cert->t.serial.p, cert->t.serial.len, ret->serial);
    if (name_to_text(cert->t.subject, &subject, &ignored) == 0 && buf_str(&subject))
        snprintf(ret->subject, sizeof(ret->subject), "%s", (char *)subject.p);
}

int p11ca_verify(
    struct p11ca_home *home, const struct p11ca_question *q, struct p11ca_answer *ret, struct p11ca_err *err)
{
    AUTO_BUF file = BUF_INIT;
    AUTO_CERT cert = CERT_INIT;
    AUTO_LEDGER l = NULL;

    if (file_read(q->cert, LIMIT_CERT, &file, err) != 0)
        return -1;
    if (cert_read(file.p, file.len, &cert, err) != 0)
        return err_prefix(err, "%s", q->cert);
    describe(&cert, ret);
    if (!q->n_ca && home_ledger_read(home, &l, err) != 0)
        return -1;
    return ask(q->n_ca ? NULL : home, l, &cert, q, ret, err) == 0 ? 0 : err_prefix(err, "%s", q->cert);
}
