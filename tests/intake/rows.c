/*
 * rows HOME N: N issued certificates more in the ledger of a home, of devices R-0000001...: what a factory has after its
 * first years, in minutes.
 *
 * They are real ones, and nothing that `p11ca audit` looks at is missing: but they are issued by an authority of their own,
 * "rows", whose key is a software key that is thrown away at the end. No token could sign as many. The rows say that they
 * were published, to files that have left the house. Prints nothing; ends with a message and exit status 1 when something
 * cannot be made.
 */
#include "keys.h"

#include <time.h>

#include "base/file.h"
#include "base/path.h"
#include "base/scope.h"
#include "ledger/ledger.h"
#include "x509/cert.h"
#include "x509/key.h"
#include "x509/name.h"
#include "x509/pem.h"

/* Rows of one commit: more are no faster. */
#define GROUP 10000

/* As must(), of what fills err. */
#define done(call)                                                                                           \
    do {                                                                                                     \
        if ((call) != 0) {                                                                                   \
            fprintf(stderr, "rows: %s\n", err.msg);                                                          \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

static struct p11ca_err err;

struct rows {
    struct ledger *ledger;
    EVP_PKEY *key;
    struct issuer *issuer;
    int64_t now, lot;
    struct keys keys;
    struct buf name, tbs, sig, cert;
};

static struct blob blob(const struct buf *b)
{
    return (struct blob){b->p, b->len};
}

static struct cert_plan plan_for(struct rows *r, const char *profile, const char *dn, const struct spki *spki)
{
    struct cert_plan plan = {.profile = profile_find(profile), .spki = spki, .issuer = r->issuer};

    buf_reset(&r->name);
    done(name_from_text(dn, &r->name, &err));
    done(serial_draw(plan.serial, &err));
    done(cert_plan_validity(&plan, r->now, 0, &err));
    plan.serial_len = SERIAL_LEN;
    plan.subject = der_buf(&r->name);
    return plan;
}

/* Into r->tbs and r->cert. */
static void sign(struct rows *r, const struct cert_plan *plan)
{
    const struct sigalg *alg = sigalg_by_text("ecdsa-with-SHA256");

    buf_reset(&r->tbs);
    buf_reset(&r->sig);
    buf_reset(&r->cert);
    done(tbs_build(plan, &r->tbs, &err));
    done(sigalg_sign(r->key, alg, der_buf(&r->tbs), &r->sig, &err));
    cert_assemble(der_buf(&r->tbs), alg, der_buf(&r->sig), &r->cert);
    must(buf_ok(&r->cert));
}

/* audit wants the CA certificate beside the ledger. */
static void write_ca_cert(const struct rows *r, const char *home)
{
    AUTO_STR path = path_join(home, "rows.crt");
    AUTO_BUF pem = BUF_INIT;

    pem_encode(PEM_CERT, der_buf(&r->cert), &pem);
    must(path && buf_ok(&pem));
    done(file_write(path, FILE_NEW, 0644, pem.p, pem.len, &err));
}

static void make_authority(struct rows *r, const char *home)
{
    struct ledger_authority a = {.name = "rows"};
    struct ledger_lot lot = {.authority = "rows", .profile = "device", .name = "rows"};
    struct spki spki;
    struct cert_plan plan;

    done(key_new(KEY_P256, 0, &r->key, &err));
    done(spki_of_key(r->key, &spki, &err));
    plan = plan_for(r, "root-ca", "CN=Rows", &spki);
    sign(r, &plan);
    done(issuer_read(r->cert.p, r->cert.len, &r->issuer, &err));
    write_ca_cert(r, home);
    a.spki = (struct blob){spki.der, spki.len};
    done(ledger_begin(r->ledger, &err));
    done(ledger_put_authority(r->ledger, &a, &err));
    done(ledger_put_ca_cert(r->ledger, "rows", blob(&r->cert), &err));
    done(ledger_put_lot(r->ledger, &lot, &r->lot, &err));
    done(ledger_commit(r->ledger, &err));
}

/* Reserved, issued, published: as the certificate in r says. */
static void record(struct rows *r, const char *device, const char *uri, const struct cert_plan *plan)
{
    uint8_t spki[SHA256_LEN], request[SHA256_LEN], tbs[SHA256_LEN];
    char subject[80], sans[600], path[600];
    struct ledger_cert row = {.authority = "rows",
        .profile = "device",
        .device = device,
        .subject = subject,
        .sans = sans,
        .sig_alg = "ecdsa-with-SHA256",
        .serial = {plan->serial, plan->serial_len},
        .spki_sha256 = {spki, sizeof(spki)},
        .request_sha256 = {request, sizeof(request)},
        .tbs_sha256 = {tbs, sizeof(tbs)},
        .not_before = plan->not_before,
        .not_after = plan->not_after,
        .lot = r->lot};

    snprintf(subject, sizeof(subject), "CN=%s", device);
    snprintf(sans, sizeof(sans), "URI:%s", uri);
    snprintf(path, sizeof(path), "/srv/rows/certificates/%s.crt", device);
    must(hash_sha256(plan->spki->der, plan->spki->len, spki) == 0);
    must(hash_sha256(device, strlen(device), request) == 0 && hash_sha256(r->tbs.p, r->tbs.len, tbs) == 0);
    done(ledger_reserve(r->ledger, &row, &row.id, &err));
    done(ledger_issue_own(r->ledger, &row, blob(&r->cert), &err));
    done(ledger_publish(r->ledger, row.id, path, &err));
}

static void add_row(struct rows *r, long n)
{
    char device[64], dn[80], uri[128];
    uint8_t der[SPKI_LEN];
    AUTO_SANS sans = {0};
    struct cert_plan plan;
    struct spki spki;

    snprintf(device, sizeof(device), "R-%07ld", n);
    snprintf(dn, sizeof(dn), "CN=%s", device);
    snprintf(uri, sizeof(uri), "urn:p11ca:device:%s", device);
    done(spki_read(der, spki_bytes(&r->keys, der), &spki, &err));
    next_key(&r->keys);
    done(san_add(&sans, SAN_URI, uri, &err));
    plan = plan_for(r, "device", dn, &spki);
    plan.sans = &sans;
    sign(r, &plan);
    record(r, device, uri, &plan);
}

int main(int argc, char **argv)
{
    long count = argc == 3 ? strtol(argv[2], NULL, 10) : 0, i;
    AUTO_STR path = path_join(argc == 3 ? argv[1] : "", "ledger.db");
    struct rows r = {.now = time(NULL)};

    must(count > 0 && path);
    done(ledger_open(path, LEDGER_WRITE, r.now, &r.ledger, &err));
    first_key(&r.keys);
    make_authority(&r, argv[1]);
    done(ledger_begin(r.ledger, &err));
    for (i = 1; i <= count; i++) {
        add_row(&r, i);
        if (i % GROUP == 0) {
            done(ledger_commit(r.ledger, &err));
            done(ledger_begin(r.ledger, &err));
        }
    }
    done(ledger_commit(r.ledger, &err));
    ledger_close(r.ledger);
    keys_done(&r.keys);
    issuer_free(r.issuer);
    EVP_PKEY_free(r.key);
    buf_done(&r.name);
    buf_done(&r.tbs);
    buf_done(&r.sig);
    buf_done(&r.cert);
    return 0;
}
