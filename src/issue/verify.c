/* Does a certificate verify, by the CA certificates and the ledger of this home? */
#include <p11ca/ledger.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "issue/authority.h"
#include "x509/cert.h"
#include "x509/chain.h"
#include "x509/name.h"

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

static int count_authority(void *arg, const struct ledger_authority *a, struct p11ca_err *err)
{
    (void)a, (void)err;
    (*(size_t *)arg)++;
    return 0;
}

static int add_authority(void *arg, const struct ledger_authority *a, struct p11ca_err *err)
{
    struct pile *p = arg;
    struct cert *cert = &p->certs[p->n];

    /* One more than were counted: another process has just installed it. */
    if (!a->cert.p || p->n == p->room)
        return 0;
    if (cert_read(a->cert.p, a->cert.len, cert, err) != 0)
        return err_prefix(err, "authority '%s'", a->name);
    p->n++;
    if (cert_is_self_issued(cert))
        p->roots[p->n_roots++] = der_buf(&cert->der);
    else
        p->intermediates[p->n_intermediates++] = der_buf(&cert->der);
    return 0;
}

static int pile_fill(struct pile *p, struct ledger *l, struct p11ca_err *err)
{
    size_t n = 0;

    if (ledger_each_authority(l, count_authority, &n, err) != 0)
        return -1;
    p->certs = calloc(n + 1, sizeof(*p->certs));
    p->roots = calloc(n + 1, sizeof(*p->roots));
    p->intermediates = calloc(n + 1, sizeof(*p->intermediates));
    if (!p->certs || !p->roots || !p->intermediates)
        return err_nomem(err);
    p->room = n;
    return ledger_each_authority(l, add_authority, p, err);
}

static int ask_chain(const struct pile *p, const struct cert *cert, const struct p11ca_question *q,
    int64_t now, struct p11ca_err *err)
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
        .at = q->at ? q->at : now,
    };

    return chain_verify(&chain, err);
}

/* A certificate that chains to us and is not in the ledger was made behind its back. */
static int ask_ledger(
    struct ledger *l, const struct cert *cert, struct p11ca_answer *ret, struct p11ca_err *err)
{
    AUTO_LEDGER_CERT c = NULL;
    uint8_t sha256[SHA256_LEN];
    char when[TEXT_TIME];

    if (hash_sha256(cert->der.p, cert->der.len, sha256) != 0)
        return err_nomem(err);
    if (ledger_find_cert(l, (struct blob){cert->t.serial.p, cert->t.serial.len}, sha256, &c, err) != 0)
        return -1;
    if (!c)
        return err_set(err, P11CA_NEGATIVE, "NOT_IN_LEDGER",
            "the chain verifies, but the ledger does not know this certificate");
    snprintf(ret->authority, sizeof(ret->authority), "%s", c->authority);
    snprintf(ret->status, sizeof(ret->status), "%s", ledger_status_name(c->status));
    if (c->status != LEDGER_REVOKED)
        return 0;
    text_time(c->revoked_at, when);
    return err_set(err, P11CA_NEGATIVE, "REVOKED", "revoked at %s", when);
}

static int ask(struct p11ca_home *home, struct ledger *l, const struct cert *cert,
    const struct p11ca_question *q, struct p11ca_answer *ret, struct p11ca_err *err)
{
    __attribute__((cleanup(pile_done))) struct pile p = {0};

    if (pile_fill(&p, l, err) != 0 || ask_chain(&p, cert, q, home_now(home), err) != 0)
        return -1;
    return ask_ledger(l, cert, ret, err);
}

static void describe(const struct cert *cert, struct p11ca_answer *ret)
{
    AUTO_BUF subject = BUF_INIT;
    struct p11ca_err ignored;

    memset(ret, 0, sizeof(*ret));
    if (cert->t.serial.len <= 20)
        text_hex(cert->t.serial.p, cert->t.serial.len, ret->serial);
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
    if (home_ledger_read(home, &l, err) != 0)
        return -1;
    return ask(home, l, &cert, q, ret, err) == 0 ? 0 : err_prefix(err, "%s", q->cert);
}
