/* Taking over what another CA program has issued: gather, merge, judge, and only then write. */
#include <p11ca/import.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/text.h"
#include "issue/authority.h"
#include "issue/import_rows.h"
#include "issue/record.h"
#include "x509/cert.h"
#include "x509/crl.h"
#include "x509/crl_item.h"
#include "x509/name.h"

#define BATCH      1000 /* rows of one transaction and one event: two megabytes */
#define MAX_DIRS   16
#define END_OF_ALL INT64_C(253402300799) /* 9999-12-31T23:59:59Z, RFC 5280 4.1.2.5: no date that is known */

/* One import on its way. */
struct run {
    struct p11ca_home *home;
    const struct p11ca_import *order;
    const struct authority_conf *conf;
    struct issuer *issuer;
    struct ledger *ledger;
    char *index; /* path, NULL: none */
    char *dirs[MAX_DIRS];
    size_t n_dirs;
    struct import_rows rows;
    struct import_report *report;
    bool has_crl; /* below is a CRL's */
    int64_t crl_number, crl_time;
    uint8_t crl_sha256[SHA256_LEN], lot_sha256[SHA256_LEN];
};

static void run_done(struct run *run)
{
    import_rows_done(&run->rows);
    import_report_free(run->report);
    ledger_close(run->ledger);
    issuer_free(run->issuer);
    while (run->n_dirs)
        free(run->dirs[--run->n_dirs]);
    free(run->index);
}

const char *p11ca_import_verdict_name(enum p11ca_import_verdict verdict)
{
    static const char *const names[P11CA_IMPORT_VERDICTS] = {
        [P11CA_IMPORT_TAKEN] = "TAKEN",
        [P11CA_IMPORT_KNOWN] = "KNOWN",
        [P11CA_IMPORT_REVOKED] = "REVOKED",
        [P11CA_IMPORT_NO_CERT] = "NO-CERT",
        [P11CA_IMPORT_REJECTED] = "REJECTED",
        [P11CA_IMPORT_IGNORED] = "IGNORED",
    };

    return (size_t)verdict < P11CA_IMPORT_VERDICTS ? names[verdict] : "?";
}

/* --- where things are --- */

static int add_dir(struct run *run, const char *base, const char *name, struct p11ca_err *err)
{
    if (run->n_dirs == MAX_DIRS)
        return err_set(err, P11CA_USAGE, "USAGE", "want at most %d folders of certificates", MAX_DIRS);
    run->dirs[run->n_dirs] = path_join(base, name);
    return run->dirs[run->n_dirs++] ? 0 : err_nomem(err);
}

/* openssl ca writes newcerts, easy-rsa the others; what stands twice is found to be the same. */
static int find_in_dir(struct run *run, struct p11ca_err *err)
{
    static const char *const known[] = {
        "newcerts", "certs_by_serial", "revoked/certs_by_serial", "issued", "certs"};
    const char *dir = run->order->dir;
    AUTO_STR index = path_join(dir, "index.txt");
    size_t i;

    if (!index)
        return err_nomem(err);
    if (!file_exists(index))
        return add_dir(run, NULL, dir, err);
    run->index = str_take(&index);
    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        AUTO_STR path = path_join(dir, known[i]);

        if (!path)
            return err_nomem(err);
        if (file_is_dir(path) && add_dir(run, NULL, path, err) != 0)
            return -1;
    }
    return 0;
}

static int find_inputs(struct run *run, struct p11ca_err *err)
{
    const struct p11ca_import *o = run->order;
    size_t i;

    if (o->dir && (o->index || o->n_certs))
        return err_set(err, P11CA_USAGE, "USAGE", "want a folder, or --index and --certs, have both");
    if (!o->dir && !o->index && !o->n_certs && !o->crl && !o->crl_number)
        return err_set(err, P11CA_USAGE, "USAGE", "want a folder, --index, --certs, --crl or --crl-number");
    if (o->crl && o->crl_number)
        return err_set(err, P11CA_USAGE, "USAGE", "want one of --crl, --crl-number, have both");
    if (o->dir)
        return find_in_dir(run, err);
    if (o->index && !(run->index = strdup(o->index)))
        return err_nomem(err);
    for (i = 0; i < o->n_certs; i++) {
        if (add_dir(run, NULL, o->certs[i], err) != 0)
            return -1;
    }
    return 0;
}

/* --- reading --- */

static int check_crl(struct run *run, const struct crl *crl, struct p11ca_err *err)
{
    const struct sigalg *alg;

    if (!der_equal(crl->t.issuer, run->issuer->subject))
        return err_set(err, P11CA_REFUSED, "ISSUER_MISMATCH",
            "RFC 5280 5.1.2.3: issuer: want the authority's subject, have another");
    if (sigalg_read(crl->alg_id, run->issuer->spki.kind, "CRL", &alg, err) != 0)
        return -1;
    if (sigalg_verify(run->issuer->pub, alg, crl->tbs, crl->sig, err) != 0) {
        err->kind = P11CA_REFUSED;
        return err_prefix(err, "CRL");
    }
    if (crl_ext(&crl->t, OID_DELTA_CRL))
        return err_set(err, P11CA_REFUSED, "CRL_DELTA",
            "RFC 5280 5.2.4: want a complete CRL, have a delta: it says nothing of what its base lists");
    if (crl->t.this_update > home_now(run->home))
        return err_set(err, P11CA_REFUSED, "CRL_TIME",
            "RFC 5280 5.1.2.4: thisUpdate: want a time that has come, have one that has not");
    if (!crl_item_number(&crl->t, &run->crl_number) || run->crl_number == INT64_MAX)
        return err_set(err, P11CA_REFUSED, "CRL_NUMBER",
            "RFC 5280 5.2.3: cRLNumber: want one below 2^63, have none: say it with --crl-number");
    return 0;
}

/* Of this CA, and a revocation. */
static int check_entry(const struct crl_item *item, struct p11ca_err *err)
{
    size_t i;

    if (item->serial.len < 1 || item->serial.len > SERIAL_LEN || (item->serial.p[0] & 0x80) ||
        (item->serial.len == 1 && item->serial.p[0] == 0))
        return err_set(err, P11CA_REFUSED, "SERIAL_LENGTH",
            "RFC 5280 4.1.2.2: serial of an entry: want a positive number of at most %d octets", SERIAL_LEN);
    for (i = 0; i < item->n_exts; i++) {
        if (item->exts[i].critical)
            return err_set(err, P11CA_REFUSED, "CRL_ENTRY_CRITICAL",
                "RFC 5280 5.3: entry: want one of this CA, have a critical extension");
    }
    if (crl_item_reason(item) != CRL_REMOVE)
        return 0;
    return err_set(err, P11CA_REFUSED, "CRL_REASON",
        "RFC 5280 5.3.1: entry: reasonCode: want removeFromCRL (8) only in a delta CRL, have it");
}

static int add_entries(struct run *run, const struct crl *crl, struct p11ca_err *err)
{
    struct der in = crl->t.revoked;
    struct crl_item item;

    while (crl->t.has_revoked && in.len && crl_next_entry(&in, &item) == 0) {
        struct import_row *row;

        if (check_entry(&item, err) != 0)
            return -1;
        row = import_rows_add(&run->rows, IMPORT_CRL, err);
        if (!row)
            return -1;
        memcpy(row->serial, item.serial.p, item.serial.len);
        row->serial_len = item.serial.len;
        row->revoked_at = item.revoked_at ? item.revoked_at : 1; /* 0, a clock that was not set, is never */
        row->invalid_since = crl_item_invalid_since(&item);
        row->reason = crl_item_reason(&item);
        row->not_after = END_OF_ALL;
    }
    return 0;
}

static int read_crl(struct run *run, const char *path, struct p11ca_err *err)
{
    AUTO_BUF file = BUF_INIT;
    AUTO_CRL crl = CRL_INIT;

    if (file_read(path, LIMIT_CRL, &file, err) != 0)
        return -1;
    if (crl_read(file.p, file.len, &crl, err) != 0 || check_crl(run, &crl, err) != 0 ||
        add_entries(run, &crl, err) != 0)
        return err_prefix(err, "%s", path);
    if (hash_sha256(crl.der.p, crl.der.len, run->crl_sha256) != 0)
        return err_openssl(err, P11CA_BUG, "CRL: SHA-256");
    run->crl_time = crl.t.this_update;
    run->has_crl = true;
    return 0;
}

static int gather(struct run *run, struct p11ca_err *err)
{
    const struct p11ca_import *o = run->order;
    size_t i;

    if (run->index && import_read_index(&run->rows, run->index, err) != 0)
        return -1;
    for (i = 0; i < run->n_dirs; i++) {
        if (import_read_certs(&run->rows, run->dirs[i], run->issuer, err) != 0)
            return -1;
    }
    run->crl_number = o->crl_number;
    if (o->crl && read_crl(run, o->crl, err) != 0)
        return -1;
    if (run->rows.n || run->crl_number)
        return 0;
    return err_set(err, P11CA_REFUSED, "IMPORT_EMPTY", "%s: want certificates or an index, have none",
        o->dir       ? o->dir
        : run->index ? run->index
                     : run->dirs[0]);
}

/* --- merging: rows of one serial become one --- */

static int by_serial(const void *a, const void *b)
{
    const struct import_row *x = *(struct import_row *const *)a, *y = *(struct import_row *const *)b;
    int c;

    if (x->serial_len != y->serial_len)
        return x->serial_len < y->serial_len ? -1 : 1;
    c = memcmp(x->serial, y->serial, x->serial_len);
    if (c != 0)
        return c;
    return x->source != y->source ? (x->source < y->source ? -1 : 1) : (x > y) - (x < y);
}

static int refuse(
    struct import_row *row, struct p11ca_err *err, const char *code, const char *text, int64_t want)
{
    char when[TEXT_TIME] = "";
    struct p11ca_err why;

    if (want)
        text_time(want, when);
    err_set(&why, P11CA_REFUSED, code, "%s%s", text, when);
    return import_row_end(row, P11CA_IMPORT_REJECTED, &why, err);
}

static int merge_cert(struct import_row *first, struct import_row *row, struct p11ca_err *err)
{
    if (first->name)
        return memcmp(first->cert_sha256, row->cert_sha256, SHA256_LEN) == 0
                   ? 0
                   : refuse(row, err, "SERIAL_TWICE",
                         "RFC 5280 4.1.2.2: serial: another certificate has it, too", 0);
    if (first->source == IMPORT_INDEX && first->not_after != row->not_after)
        return refuse(first, err, "INDEX_MISMATCH",
            "end of validity: not that of the certificate with this serial, ", row->not_after);
    first->dir = row->dir;
    first->name = row->name;
    first->block = row->block;
    memcpy(first->cert_sha256, row->cert_sha256, SHA256_LEN);
    free(first->subject);
    first->subject = row->subject;
    row->subject = NULL;
    return 0;
}

static int merge_index(struct import_row *first, struct import_row *row, struct p11ca_err *err)
{
    bool same = first->not_after == row->not_after && first->revoked_at == row->revoked_at &&
                first->reason == row->reason && strcmp(first->subject, row->subject) == 0;

    return same ? 0
                : refuse(row, err, "SERIAL_TWICE", "serial: another line has it, and says something else", 0);
}

static void merge_revocation(struct import_row *first, const struct import_row *row)
{
    if (first->revoked_at)
        return;
    first->revoked_at = row->revoked_at;
    first->invalid_since = row->invalid_since;
    first->reason = row->reason;
}

static int merge_into(struct import_row *first, struct import_row *row, struct p11ca_err *err)
{
    int rc = 0;

    if (row->source == IMPORT_INDEX)
        rc = merge_index(first, row, err);
    else if (row->source == IMPORT_CERT)
        rc = merge_cert(first, row, err);
    else
        merge_revocation(first, row);
    row->merged = rc == 0 && row->verdict == P11CA_IMPORT_TAKEN;
    return rc;
}

/* Sorted, an index's line comes before its certificate, and both before an entry of the CRL. */
static int merge_sorted(struct import_row **v, size_t n, struct p11ca_err *err)
{
    size_t i, first = 0;

    for (i = 1; i < n; i++) {
        if (v[i]->serial_len != v[first]->serial_len ||
            memcmp(v[i]->serial, v[first]->serial, v[i]->serial_len) != 0)
            first = i;
        else if (merge_into(v[first], v[i], err) != 0)
            return -1;
    }
    return 0;
}

static int merge(struct run *run, struct p11ca_err *err)
{
    struct import_row **v = calloc(run->rows.n + 1, sizeof(struct import_row *));
    size_t i, n = 0;
    int rc;

    if (!v)
        return err_nomem(err);
    for (i = 0; i < run->rows.n; i++) {
        if (run->rows.v[i].verdict == P11CA_IMPORT_TAKEN)
            v[n++] = &run->rows.v[i];
    }
    qsort(v, n, sizeof(void *), by_serial);
    rc = merge_sorted(v, n, err);
    free(v);
    return rc;
}

/* --- judging --- */

static bool is_candidate(const struct import_row *row)
{
    return !row->merged && (row->verdict == P11CA_IMPORT_TAKEN || row->verdict == P11CA_IMPORT_REVOKED);
}

/* What the ledger says of it; asked again under the lock. */
static int judge_known(struct run *run, struct import_row *row, struct p11ca_err *err)
{
    struct ledger_known known;
    int r = ledger_find_known(
        run->ledger, run->conf->name, (struct blob){row->serial, row->serial_len}, &known, err);

    if (r < 0)
        return -1;
    row->verdict = r ? P11CA_IMPORT_KNOWN : P11CA_IMPORT_TAKEN;
    if (r == 0)
        return 0;
    if (known.status == LEDGER_RESERVED ||
        (known.has_cert && row->name && memcmp(known.cert_sha256, row->cert_sha256, SHA256_LEN) != 0))
        return refuse(row, err, "SERIAL_COLLISION",
            "serial: the ledger has another certificate of this authority with it", 0);
    if (row->revoked_at && known.status == LEDGER_REVOKED && known.reason == LEDGER_HOLD &&
        row->reason != LEDGER_HOLD)
        return refuse(row, err, "ON_HOLD",
            "on hold here, and there revoked for good: p11ca revoke is for that, since ", row->revoked_at);
    if (!row->revoked_at || known.status == LEDGER_REVOKED)
        return 0;
    if (!known.imported)
        return refuse(row, err, "NOT_IMPORTED",
            "p11ca has issued it and knows of no revocation: p11ca revoke is for that, not ",
            row->revoked_at);
    row->verdict = P11CA_IMPORT_REVOKED;
    row->ledger_row = known.id;
    return 0;
}

static int judge_row(struct run *run, struct import_row *row, int64_t now, struct p11ca_err *err)
{
    struct p11ca_err why;

    if (row->revoked_at > now)
        return refuse(
            row, err, "REVOKED_LATER", "time of revocation: want one that has come, have ", row->revoked_at);
    /* Our CRLs have none behind the revocation, and it says nothing that the revocation does not. */
    if (row->invalid_since > row->revoked_at)
        row->invalid_since = 0;
    if (judge_known(run, row, err) != 0)
        return -1;
    if (row->verdict != P11CA_IMPORT_TAKEN || row->name || run->order->without_certs)
        return 0;
    err_set(&why, P11CA_REFUSED, "NO_CERT", "no certificate with this serial is at hand");
    return import_row_end(row, P11CA_IMPORT_NO_CERT, &why, err);
}

/* The same rows of the same name are the same lot, however many of them were written before. */
static int name_lot(struct run *run, struct p11ca_err *err)
{
    AUTO_BUF b = BUF_INIT;
    size_t i;

    buf_addf(&b, "import %s", run->order->lot ? run->order->lot : "");
    for (i = 0; i < run->rows.n; i++) {
        const struct import_row *row = &run->rows.v[i];

        if (row->merged || row->verdict == P11CA_IMPORT_REJECTED || row->verdict == P11CA_IMPORT_IGNORED)
            continue;
        buf_addc(&b, (uint8_t)row->serial_len);
        buf_add(&b, row->serial, row->serial_len);
    }
    if (!buf_ok(&b))
        return err_nomem(err);
    return hash_sha256(b.p, b.len, run->lot_sha256) == 0 ? 0 : err_openssl(err, P11CA_BUG, "lot: SHA-256");
}

static int judge(struct run *run, struct p11ca_err *err)
{
    int64_t now = home_now(run->home);
    size_t i;

    for (i = 0; i < run->rows.n; i++) {
        struct import_row *row = &run->rows.v[i];

        if (is_candidate(row) && judge_row(run, row, now, err) != 0)
            return -1;
    }
    return name_lot(run, err);
}

/* --- writing --- */

/* A row as the ledger takes it, with what it points to. */
struct ready {
    struct import_row *row;
    struct buf der, subject, sans;
    uint8_t spki[SHA256_LEN], tbs[SHA256_LEN];
    struct ledger_foreign f;
};
struct batch {
    struct ready v[BATCH];
    struct ledger_foreign taken[BATCH];
    size_t n;
};

static void batch_reset(struct batch *b)
{
    while (b->n) {
        struct ready *r = &b->v[--b->n];

        buf_done(&r->der);
        buf_done(&r->subject);
        buf_done(&r->sans);
        memset(r, 0, sizeof(*r));
    }
}

/* Names that p11ca does not show are no reason to leave a certificate out. */
static void add_sans(struct ready *r, const struct cert *cert)
{
    const struct cert_ext *ext = tbs_ext(&cert->t, OID_SAN);
    AUTO_SANS list = SAN_LIST_INIT;
    struct p11ca_err ignored;

    if (!ext || san_from_der(ext->value, &list, &ignored) != 0)
        return;
    san_to_text(&list, &r->sans);
    r->f.sans = buf_str(&r->sans);
}

static int fill_from_cert(struct ready *r, struct p11ca_err *err)
{
    AUTO_CERT cert = CERT_INIT;

    if (import_reread(r->row, &r->der, err) != 0 || cert_read(r->der.p, r->der.len, &cert, err) != 0 ||
        name_to_text(cert.t.subject, &r->subject, err) != 0)
        return -1;
    if (hash_sha256(cert.t.spki.p, cert.t.spki.len, r->spki) != 0 ||
        hash_sha256(cert.tbs.p, cert.tbs.len, r->tbs) != 0)
        return err_openssl(err, P11CA_BUG, "certificate: SHA-256");
    r->f.subject = buf_str(&r->subject);
    if (!r->f.subject)
        return err_nomem(err);
    add_sans(r, &cert);
    r->f.sig_alg = cert.alg ? cert.alg->text : NULL;
    r->f.spki_sha256 = (struct blob){r->spki, SHA256_LEN};
    r->f.tbs_sha256 = (struct blob){r->tbs, SHA256_LEN};
    r->f.cert = (struct blob){r->der.p, r->der.len};
    r->f.not_before = cert.t.not_before;
    r->f.not_after = cert.t.not_after;
    return 0;
}

static int fill(struct ready *r, struct import_row *row, struct p11ca_err *err)
{
    r->row = row;
    r->f = (struct ledger_foreign){
        .serial = {row->serial, row->serial_len},
        .subject = row->subject ? row->subject : "",
        .not_after = row->not_after,
        .revoked_at = row->revoked_at,
        .invalid_since = row->invalid_since,
        .reason = row->reason,
    };
    return row->name && row->verdict == P11CA_IMPORT_TAKEN ? fill_from_cert(r, err) : 0;
}

static int put_lot(struct run *run, int64_t *ret, struct p11ca_err *err)
{
    const struct ledger_lot lot = {.authority = run->conf->name,
        .profile = "imported",
        .name = run->order->lot,
        .sha256 = {run->lot_sha256, SHA256_LEN}};

    *ret = 0;
    return run->order->lot ? ledger_put_lot(run->ledger, &lot, ret, err) : 0;
}

/* Another import may have been faster since the rows were judged. */
static int write_rows(struct run *run, struct batch *b, struct p11ca_err *err)
{
    size_t i, n = 0;
    int64_t lot;

    if (put_lot(run, &lot, err) != 0)
        return -1;
    for (i = 0; i < b->n; i++) {
        struct import_row *row = b->v[i].row;

        if (judge_known(run, row, err) != 0)
            return -1;
        if (row->verdict == P11CA_IMPORT_TAKEN)
            b->taken[n++] = b->v[i].f;
        else if (row->verdict == P11CA_IMPORT_REVOKED &&
                 ledger_import_revoked(run->ledger, row->ledger_row, &b->v[i].f, err) != 0)
            return -1;
    }
    return n ? ledger_import(run->ledger, run->conf->name, b->taken, n, lot, err) : 0;
}

static int write_batch(struct run *run, struct batch *b, struct p11ca_err *err)
{
    ledger_set_now(run->ledger, home_now(run->home));
    if (ledger_begin(run->ledger, err) != 0)
        return -1;
    if (write_rows(run, b, err) != 0) {
        ledger_rollback(run->ledger);
        return -1;
    }
    batch_reset(b);
    return ledger_commit(run->ledger, err);
}

static int write_batches(struct run *run, struct batch *b, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < run->rows.n; i++) {
        if (!is_candidate(&run->rows.v[i]))
            continue;
        if (fill(&b->v[b->n++], &run->rows.v[i], err) != 0 ||
            (b->n == BATCH && write_batch(run, b, err) != 0))
            return -1;
    }
    return b->n ? write_batch(run, b, err) : 0;
}

static int write_all(struct run *run, struct p11ca_err *err)
{
    struct batch *b = calloc(1, sizeof(*b));
    int rc = b ? write_batches(run, b, err) : err_nomem(err);

    if (b)
        batch_reset(b);
    free(b);
    return rc;
}

/* First of all: a CRL that is signed after an import was killed must not take a number again. */
static int write_crl(struct run *run, struct p11ca_err *err)
{
    if (!run->crl_number)
        return 0;
    if (ledger_begin(run->ledger, err) != 0)
        return -1;
    if (ledger_import_crl(run->ledger, run->conf->name, run->crl_number, run->crl_time,
            run->has_crl ? run->crl_sha256 : NULL, err) < 0) {
        ledger_rollback(run->ledger);
        return -1;
    }
    return ledger_commit(run->ledger, err);
}

/* --- telling --- */

static char *input_of(const struct run *run, const struct import_row *row)
{
    AUTO_BUF b = BUF_INIT;
    size_t len;

    if (row->source == IMPORT_CRL)
        buf_adds(&b, run->order->crl);
    else if (row->source == IMPORT_INDEX)
        buf_addf(&b, "%s:%zu", run->index, row->line);
    else
        buf_addf(&b, row->block > 1 ? "%s/%s#%zu" : "%s/%s", row->dir, row->name, row->block);
    return buf_str(&b) ? (char *)buf_take(&b, &len) : NULL;
}

static int tell_row(struct run *run, const struct import_row *row, size_t number, p11ca_import_fn *fn,
    void *arg, struct p11ca_err *err)
{
    AUTO_STR input = input_of(run, row);
    AUTO_STR file = row->name ? path_join(row->dir, row->name) : NULL;
    char serial[2 * SERIAL_LEN + 1];
    const struct p11ca_import_row told = {
        .number = number,
        .input = input,
        .file = file,
        .verdict = row->verdict,
        .serial = row->serial_len ? serial : NULL,
        .status = !row->serial_len  ? NULL
                  : row->revoked_at ? "revoked"
                                    : "issued",
        .subject = row->subject,
        .code = row->why ? row->code : NULL,
        .reason = row->why,
    };

    if (!input || (row->name && !file))
        return err_nomem(err);
    record_serial(row->serial, row->serial_len, serial);
    import_report_row(run->report, &told);
    if (fn)
        fn(arg, &told);
    return 0;
}

static int tell(
    struct run *run, p11ca_import_fn *fn, void *arg, struct p11ca_imported *ret, struct p11ca_err *err)
{
    struct p11ca_imported sum = {.rows = 0};
    const struct ledger_scope scope = {.authority = run->conf->name};
    struct ledger_crl_next next;
    size_t i;

    for (i = 0; i < run->rows.n; i++) {
        const struct import_row *row = &run->rows.v[i];

        if (row->merged)
            continue;
        sum.n[row->verdict]++;
        sum.without_cert += row->verdict == P11CA_IMPORT_TAKEN && !row->name;
        if (tell_row(run, row, ++sum.rows, fn, arg, err) != 0)
            return -1;
    }
    if (ledger_next_crl(run->ledger, &scope, &next, err) != 0 || import_report_end(run->report, err) != 0)
        return -1;
    sum.next_crl = next.number;
    *ret = sum;
    return 0;
}

static int prepare(struct run *run, struct p11ca_err *err)
{
    const struct p11ca_import *o = run->order;

    if (find_inputs(run, err) != 0 || home_authority(run->home, o->authority, &run->conf, err) != 0)
        return -1;
    if ((o->dry_run ? home_ledger_read(run->home, &run->ledger, err)
                    : home_ledger_write(run->home, &run->ledger, err)) != 0 ||
        authority_issuer(run->ledger, run->conf, &run->issuer, err) != 0)
        return -1;
    if (!run->issuer)
        return err_set(err, P11CA_CONFIG, "NO_CA_CERT",
            "authority '%s': no CA certificate installed (p11ca install): want it, to verify with",
            run->conf->name);
    return import_report_begin(&run->report, o->report, err);
}

int p11ca_import(struct p11ca_home *home, const struct p11ca_import *order, p11ca_import_fn *fn, void *arg,
    struct p11ca_imported *ret, struct p11ca_err *err)
{
    __attribute__((cleanup(run_done))) struct run run = {.home = home, .order = order};
    size_t bad;

    if (prepare(&run, err) != 0 || gather(&run, err) != 0 || merge(&run, err) != 0 || judge(&run, err) != 0)
        return -1;
    if (!order->dry_run && (write_crl(&run, err) != 0 || write_all(&run, err) != 0))
        return -1;
    if (tell(&run, fn, arg, ret, err) != 0)
        return -1;
    bad = ret->n[P11CA_IMPORT_REJECTED] + ret->n[P11CA_IMPORT_NO_CERT];
    if (bad == 0)
        return 0;
    return err_set(err, P11CA_NEGATIVE, "IMPORT_INCOMPLETE",
        "%zu of %zu rows %s taken over: %zu rejected, %zu without a certificate", bad, ret->rows,
        order->dry_run ? "would not be" : "were not", ret->n[P11CA_IMPORT_REJECTED],
        ret->n[P11CA_IMPORT_NO_CERT]);
}
