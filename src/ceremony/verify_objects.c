/* Certificates, requests, CRLs and public keys of a ceremony: against what the lines say of them, and under the keys they name. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/scope.h"
#include "base/text.h"
#include "ceremony/verify.h"
#include "issue/ticket_text.h"
#include "x509/cert.h"
#include "x509/cms.h"
#include "x509/crl.h"
#include "x509/csr.h"
#include "x509/name.h"
#include "x509/ossl.h"
#include "x509/pem.h"

#define BAD "ARTEFACT_BAD"

struct known {
    struct cert cert;
    const char *file; /* in the folder; into the lines */
    size_t step;
};

struct objects {
    struct verify *v;
    struct known *certs;
    size_t n_certs;
    json_t *signed_; /* "STEP HASH" of the signed bytes of each certificate and CRL: the file */
    json_t *made;    /* the same of the DER of each certificate, CRL and public key */
};

/* One artefact. */
struct artefact {
    const char *file;
    size_t step;
    struct buf bytes;
};

#define TBS_FILE "-tbs.der"

static bool ends_with(const char *s, const char *tail)
{
    size_t len = strlen(s), n = strlen(tail);

    return len >= n && strcmp(s + len - n, tail) == 0;
}

/* --- what is in the files --- */

/* In capitals or not: both are in the transcript. */
static void hash_key(size_t step, const char *hex, char dst[96])
{
    size_t i, n = (size_t)snprintf(dst, 96, "%zu %.64s", step, hex);

    for (i = 0; i < n; i++) {
        if (dst[i] >= 'A' && dst[i] <= 'F')
            dst[i] = (char)(dst[i] - 'A' + 'a');
    }
}

static void note(struct objects *o, json_t *where, const struct artefact *a, struct der bytes)
{
    uint8_t sha256[SHA256_LEN];
    char hex[TRANSCRIPT_HEX], key[96];

    if (hash_sha256(bytes.p, bytes.len, sha256) != 0) {
        o->v->nomem = true;
        return;
    }
    text_hex_lower(sha256, sizeof(sha256), hex);
    hash_key(a->step, hex, key);
    if (json_object_set_new(where, key, json_string(a->file)) != 0)
        o->v->nomem = true;
}

/* --- certificates --- */

static int add_cert(struct objects *o, const struct artefact *a, const struct buf *der, struct p11ca_err *err)
{
    struct known *more = realloc(o->certs, (o->n_certs + 1) * sizeof(*more));
    struct known *k;

    if (!more)
        return err_nomem(err);
    o->certs = more;
    k = &more[o->n_certs];
    *k = (struct known){.cert = CERT_INIT, .file = a->file, .step = a->step};
    if (cert_read(der->p, der->len, &k->cert, err) != 0)
        return -1;
    o->n_certs++;
    note(o, o->signed_, a, k->cert.tbs);
    note(o, o->made, a, der_buf(&k->cert.der));
    return 0;
}

/* One, or a chain of them. */
static int take_certs(struct objects *o, const struct artefact *a, struct p11ca_err *err)
{
    struct der in = der_buf(&a->bytes);
    size_t n = o->n_certs;
    int rc;

    if (a->bytes.p[0] == DER_SEQUENCE)
        return add_cert(o, a, &a->bytes, err);
    do {
        AUTO_BUF der = BUF_INIT;

        rc = pem_next(&in, PEM_CERT, &der, err);
        if (rc == 1 && add_cert(o, a, &der, err) != 0)
            return -1;
    } while (rc == 1);
    if (rc == 0 && o->n_certs == n)
        return err_set(err, P11CA_REFUSED, "PEM_SYNTAX", "no certificate in it");
    return rc;
}

/* --- requests --- */

static int take_csr(struct objects *o, const struct artefact *a, struct p11ca_err *err)
{
    AUTO_CSR csr = CSR_INIT;
    AUTO_BUF subject = BUF_INIT;

    if (csr_read(a->bytes.p, a->bytes.len, CSR_FOR_CA | CSR_NAMES_GIVEN, &csr, err) != 0 ||
        name_to_text(csr.subject, &subject, err) != 0)
        return -1;
    if (!buf_str(&subject))
        return err_nomem(err);
    finding_good(&o->v->f, a->file, "request of '%s': signed by its own key", (char *)subject.p);
    return 0;
}

/* --- under which key --- */

static int verify_under(
    const struct known *k, struct der alg_id, struct der tbs, struct der sig, struct p11ca_err *err)
{
    const struct sigalg *alg;
    SCOPED(pkey) EVP_PKEY *pub = NULL;
    struct spki spki;

    if (spki_read(k->cert.t.spki.p, k->cert.t.spki.len, &spki, err) != 0 ||
        sigalg_read(alg_id, spki.kind, "CERT", &alg, err) != 0 || spki_evp1(&spki, &pub, err) != 0)
        return -1;
    return sigalg_verify(pub, alg, tbs, sig, err);
}

/* 1: *ret is whose key signed it; 0: no CA of this name in the folder; -1: there is one, and it did not. */
static int find_signer(const struct objects *o, struct der issuer, struct der alg_id, struct der tbs,
    struct der sig, const struct known **ret)
{
    struct p11ca_err ignored;
    int found = 0;
    size_t i;

    for (i = 0; i < o->n_certs; i++) {
        if (!der_equal(o->certs[i].cert.t.subject, issuer) || !cert_is_ca(&o->certs[i].cert))
            continue;
        *ret = &o->certs[i];
        if (verify_under(&o->certs[i], alg_id, tbs, sig, &ignored) == 0)
            return 1;
        found = -1;
    }
    return found;
}

static void check_signature(struct objects *o, const char *file, const char *text, struct der issuer,
    struct der alg_id, struct der tbs, struct der sig)
{
    const struct known *signer = NULL;
    AUTO_BUF name = BUF_INIT;
    struct p11ca_err ignored;
    int found = find_signer(o, issuer, alg_id, tbs, sig, &signer);

    if (name_to_text(issuer, &name, &ignored) != 0 || !buf_str(&name))
        o->v->nomem = true;
    else if (found < 0)
        finding_bad(&o->v->f, "SIGNATURE_BAD", file, "%s: its signature is not by the key of '%s' in %s",
            text, (char *)name.p, signer->file);
    else if (found == 0)
        finding_good(&o->v->f, file, "%s: by '%s': the issuer is not in this folder", text, (char *)name.p);
    else if (der_equal(signer->cert.tbs, tbs))
        finding_good(&o->v->f, file, "%s: verifies under its own key", text);
    else
        finding_good(&o->v->f, file, "%s: verifies under '%s' (%s)", text, (char *)name.p,
            strcmp(signer->file, file) == 0 ? "the same file" : signer->file);
}

static void check_cert(struct objects *o, const struct known *k)
{
    const struct cert *c = &k->cert;
    char serial[2 * 64 + 1] = "", text[512];
    AUTO_BUF subject = BUF_INIT;
    struct p11ca_err ignored;

    if (name_to_text(c->t.subject, &subject, &ignored) != 0 || !buf_str(&subject)) {
        o->v->nomem = true;
        return;
    }
    if (c->t.serial.len <= 64)
        text_hex(c->t.serial.p, c->t.serial.len, serial);
    snprintf(text, sizeof(text), "certificate of '%.300s', serial %s", (char *)subject.p, serial);
    check_signature(o, k->file, text, c->t.issuer, c->alg_id, c->tbs, c->sig);
}

static int take_crl(struct objects *o, const struct artefact *a, struct p11ca_err *err)
{
    AUTO_CRL crl = CRL_INIT;

    if (crl_read(a->bytes.p, a->bytes.len, &crl, err) != 0)
        return -1;
    note(o, o->signed_, a, crl.tbs);
    note(o, o->made, a, der_buf(&crl.der));
    check_signature(o, a->file, "CRL", crl.t.issuer, crl.alg_id, crl.tbs, crl.sig);
    return 0;
}

/* --- public keys --- */

static int take_key(struct objects *o, const struct artefact *a, struct p11ca_err *err)
{
    char kind[SPKI_TEXT];
    struct spki spki;

    if (spki_read_file(a->bytes.p, a->bytes.len, &spki, err) != 0)
        return -1;
    spki_text(&spki, kind);
    note(o, o->made, a, spki_der(&spki));
    finding_good(&o->v->f, a->file, "public key, %s", kind);
    return 0;
}

/* --- lot tickets --- */

/* The step's own copy of the signer's key; NULL: another key has signed. */
static const char *signer_file(struct objects *o, const struct artefact *a, const struct spki *signer)
{
    uint8_t sha256[SHA256_LEN];
    char hex[TRANSCRIPT_HEX], key[96];
    const char *file;
    struct p11ca_err ignored;

    if (spki_sha256(signer, sha256, &ignored) != 0) {
        o->v->nomem = true;
        return NULL;
    }
    text_hex_lower(sha256, sizeof(sha256), hex);
    hash_key(a->step, hex, key);
    file = transcript_str(o->made, key);
    return file[0] ? file : NULL;
}

static void check_signer(
    struct objects *o, const struct artefact *a, const struct ticket *t, const struct spki *signer)
{
    const char *file = signer_file(o, a, signer);

    if (file)
        finding_good(&o->v->f, a->file,
            "lot ticket '%s': %" PRId64 " of profile '%s' to %s, by authority '%s': signed by the key of %s",
            t->id, t->count, t->profile, t->ids, t->issuer, file);
    else
        finding_bad(&o->v->f, "SIGNATURE_BAD", a->file,
            "lot ticket '%s': its signature is by a key that step %zu has no copy of", t->id, a->step);
}

/* With the signature beside it. */
static int take_ticket(struct objects *o, const struct artefact *a, struct p11ca_err *err)
{
    AUTO_BUF cms = BUF_INIT;
    char beside[FINDING_WHAT];
    struct ticket t;
    struct spki key;

    if (ends_with(a->file, TBS_FILE))
        return 0;
    if (ticket_parse(a->bytes.p, a->bytes.len, &t, err) != 0)
        return -1;
    snprintf(beside, sizeof(beside), "%.180s.p7s", a->file);
    if (!json_object_get(o->v->actual, beside))
        return err_set(err, P11CA_NEGATIVE, BAD, "want its signature in %s, have none", beside);
    if (verify_read(o->v, beside, &cms) != 0)
        return 0;
    if (cms_signer(der_buf(&cms), der_buf(&a->bytes), &key, err) != 0)
        return err_prefix(err, "%s", beside);
    note(o, o->signed_, a, der_buf(&a->bytes));
    note(o, o->made, a, der_buf(&a->bytes));
    check_signer(o, a, &t, &key);
    return 0;
}

/* Judged with what it is over. */
static int take_signature(struct objects *o, const struct artefact *a, struct p11ca_err *err)
{
    char over[FINDING_WHAT];

    snprintf(over, sizeof(over), "%.*s", (int)(strlen(a->file) - strlen(".p7s")), a->file);
    if (json_object_get(o->v->actual, over))
        return 0;
    return err_set(err, P11CA_NEGATIVE, BAD, "a signature over a file that is not in this folder");
}

/* --- which file is what --- */

typedef int take_fn(struct objects *o, const struct artefact *a, struct p11ca_err *err);

static const struct {
    enum pem_type type;
    const char *block, *suffix;
    take_fn *take;
} kinds[] = {
    {PEM_CERT, "-----BEGIN CERTIFICATE-----", ".crt", take_certs},
    {PEM_CSR, "-----BEGIN CERTIFICATE REQUEST-----", ".csr", take_csr},
    {PEM_CRL, "-----BEGIN X509 CRL-----", ".crl", take_crl},
    {PEM_PUBKEY, "-----BEGIN PUBLIC KEY-----", ".pub", take_key},
    {PEM_TYPES, NULL, ".p7s", take_signature},
    {PEM_TYPES, TICKET_HEAD, ".ticket", take_ticket},
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* By its block, or as DER by its name; N_KINDS: none of them. */
static size_t kind_of(const struct artefact *a)
{
    size_t i;

    for (i = 0; i < N_KINDS; i++) {
        if ((kinds[i].block && memmem(a->bytes.p, a->bytes.len, kinds[i].block, strlen(kinds[i].block))) ||
            ends_with(a->file, kinds[i].suffix))
            break;
    }
    return i;
}

static bool is_tbs(const char *file)
{
    return ends_with(file, TBS_FILE);
}

/* Certificates first: what is verified needs them. */
static void take(struct objects *o, const struct artefact *a, bool certs)
{
    size_t kind = kind_of(a);
    struct p11ca_err why;

    if (kind == N_KINDS && !certs && !is_tbs(a->file))
        finding_good(&o->v->f, a->file,
            "neither certificate, request, CRL, public key nor ticket: only its hash is checked");
    if (kind == N_KINDS || (kinds[kind].type == PEM_CERT) != certs)
        return;
    if (kinds[kind].take(o, a, &why) != 0)
        finding_bad(&o->v->f, BAD, a->file, "%s", why.msg);
}

/* Files that are not there, or not as they should be, have been told. */
static void take_file(struct objects *o, const json_t *line, const json_t *file, bool certs)
{
    struct artefact a = {
        .file = transcript_str(file, "artefact"), .step = verify_number(line, "step"), .bytes = BUF_INIT};

    if (json_object_get(o->v->actual, a.file) && verify_read(o->v, a.file, &a.bytes) == 0 && a.bytes.len)
        take(o, &a, certs);
    buf_done(&a.bytes);
}

static void take_all(struct objects *o, bool certs)
{
    const json_t *line, *file;
    size_t at = 0, i;

    while ((line = transcript_find(o->v->lines, &at, "done", 0))) {
        json_array_foreach(json_object_get(line, "files"), i, file) take_file(o, line, file, certs);
    }
}

/* --- against the lines --- */

/* What a result says was made: the hash is that of the DER. */
static const struct {
    const char *group, *member, *what;
} results[] = {
    {NULL, "certificate", "certificate"},
    {NULL, "crl", "CRL"},
    {NULL, "ticket", "lot ticket"},
    {NULL, "signer", "public key of the signer"},
    {"key", "sha256", "public key"},
};

static void check_made(struct objects *o, const json_t *line, size_t row, const char *what)
{
    const json_t *result = json_object_get(line, "result");
    const char *sha256;
    char key[96];

    if (results[row].group)
        result = json_object_get(result, results[row].group);
    sha256 = transcript_str(result, results[row].member);
    hash_key(verify_number(line, "step"), sha256, key);
    if (sha256[0] && !json_object_get(o->made, key))
        finding_bad(&o->v->f, BAD, what, "%s: no file of step %zu is the one with SHA-256 %s",
            results[row].what, verify_number(line, "step"), sha256);
}

static bool has_serial(const struct known *k, const char *want)
{
    char hex[2 * 64 + 1] = "";

    if (k->cert.t.serial.len <= 64)
        text_hex(k->cert.t.serial.p, k->cert.t.serial.len, hex);
    return strcmp(hex, want) == 0;
}

/* The step's own certificate is the one with the hash; check_made() has looked for it. */
static void check_serial(struct objects *o, const json_t *line, const char *what)
{
    const char *serial = transcript_str(json_object_get(line, "result"), "serial");
    size_t i;

    if (!serial[0])
        return;
    for (i = 0; i < o->n_certs; i++) {
        if (o->certs[i].step == verify_number(line, "step") && has_serial(&o->certs[i], serial))
            return;
    }
    finding_bad(&o->v->f, BAD, what, "serial: no certificate of step %zu has %s", verify_number(line, "step"),
        serial);
}

static void check_result(struct objects *o, const json_t *line, const char *what)
{
    size_t row;

    for (row = 0; row < sizeof(results) / sizeof(results[0]); row++)
        check_made(o, line, row, what);
    check_serial(o, line, what);
}

/* The bytes that were shown last are those that were signed. */
static const json_t *last_tbs(const struct verify *v, size_t step)
{
    const json_t *line, *last = NULL;
    size_t at = 0;

    while ((line = transcript_find(v->lines, &at, "tbs", step)))
        last = verify_is_series(line) ? last : line;
    return last;
}

static void check_tbs_file(struct objects *o, const json_t *tbs, const char *what)
{
    char file[64];
    const json_t *row;

    snprintf(file, sizeof(file), VERIFY_ARTEFACTS "/%02zu-tbs.der", verify_number(tbs, "step"));
    row = json_object_get(o->v->expected, file);
    if (row && strcmp(transcript_str(row, "sha256"), transcript_str(tbs, "sha256")) != 0)
        finding_bad(
            &o->v->f, BAD, what, "sha256: want that of %s in line %zu", file, verify_number(row, "line"));
}

static void check_tbs(struct objects *o, const json_t *line, const char *what)
{
    const json_t *tbs = last_tbs(o->v, verify_number(line, "step"));
    const char *serial = transcript_str(json_object_get(line, "result"), "serial"), *file;
    char key[96], at[FINDING_WHAT];

    if (!tbs)
        return;
    verify_line(tbs, at);
    check_tbs_file(o, tbs, at);
    if (serial[0] && strcmp(serial, transcript_str(tbs, "number")) != 0)
        finding_bad(&o->v->f, BAD, at, "number: want that of line %zu, %s, have %s",
            verify_number(line, "line"), serial, transcript_str(tbs, "number"));
    hash_key(verify_number(line, "step"), transcript_str(tbs, "sha256"), key);
    file = transcript_str(o->signed_, key);
    if (file[0])
        finding_good(&o->v->f, at, "%s: the approved bytes are those that were signed", file);
    else
        finding_bad(&o->v->f, BAD, what, "no file of step %zu is signed over the bytes approved in line %zu",
            verify_number(line, "step"), verify_number(tbs, "line"));
}

static void check_lines(struct objects *o)
{
    char what[FINDING_WHAT];
    const json_t *line;
    size_t at = 0;

    while ((line = transcript_find(o->v->lines, &at, "done", 0))) {
        check_result(o, line, verify_line(line, what));
        check_tbs(o, line, what);
    }
}

void verify_objects(struct verify *v)
{
    struct objects o = {.v = v, .signed_ = json_object(), .made = json_object()};
    size_t i;

    if (!o.signed_ || !o.made)
        v->nomem = true;
    take_all(&o, true);
    take_all(&o, false);
    for (i = 0; i < o.n_certs; i++)
        check_cert(&o, &o.certs[i]);
    check_lines(&o);
    for (i = 0; i < o.n_certs; i++)
        cert_done(&o.certs[i].cert);
    free(o.certs);
    json_decref(o.signed_);
    json_decref(o.made);
}
