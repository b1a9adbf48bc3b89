/* Certificates in files of any name: which are there, and whether the authority has signed them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/scope.h"
#include "base/text.h"
#include "issue/import_rows.h"
#include "x509/cert.h"
#include "x509/name.h"
#include "x509/pem.h"

void import_rows_done(struct import_rows *rows)
{
    size_t i;

    for (i = 0; i < rows->n; i++) {
        free(rows->v[i].own_name);
        free(rows->v[i].subject);
        free(rows->v[i].why);
    }
    free(rows->v);
    memset(rows, 0, sizeof(*rows));
}

struct import_row *import_rows_add(struct import_rows *rows, enum import_source source, struct p11ca_err *err)
{
    struct import_row *more, *row;

    if (rows->n == LIMIT_ROWS) {
        err_set(err, P11CA_REFUSED, "INPUT_TOO_LARGE", "import: want at most %d rows, have more", LIMIT_ROWS);
        return NULL;
    }
    if (rows->n == rows->room) {
        more = realloc(rows->v, (2 * rows->room + 256) * sizeof(*more));
        if (!more) {
            err_nomem(err);
            return NULL;
        }
        rows->v = more;
        rows->room = 2 * rows->room + 256;
    }
    row = &rows->v[rows->n++];
    *row = (struct import_row){.source = source, .reason = -1};
    return row;
}

int import_row_end(struct import_row *row, enum p11ca_import_verdict verdict, const struct p11ca_err *why,
    struct p11ca_err *err)
{
    char *text = strdup(why->msg);

    if (!text)
        return err_nomem(err);
    free(row->why);
    row->why = text;
    row->verdict = verdict;
    snprintf(row->code, sizeof(row->code), "%s", why->code);
    return 0;
}

/* --- one certificate --- */

static int check_serial(struct der serial, struct p11ca_err *err)
{
    if (serial.len < 1 || serial.len > SERIAL_LEN)
        return err_set(err, P11CA_REFUSED, "SERIAL_LENGTH",
            "RFC 5280 4.1.2.2: serial: want 1 to %d octets, have %zu", SERIAL_LEN, serial.len);
    if ((serial.p[0] & 0x80) || (serial.len == 1 && serial.p[0] == 0))
        return err_set(err, P11CA_REFUSED, "SERIAL_NOT_POSITIVE",
            "RFC 5280 4.1.2.2: serial: want a positive number, have %s",
            serial.p[0] ? "a negative one" : "0");
    return 0;
}

static int refuse_issuer(const struct cert *cert, struct p11ca_err *err)
{
    AUTO_BUF name = BUF_INIT;

    if (name_to_text(cert->t.issuer, &name, err) != 0)
        return -1;
    return err_set(err, P11CA_REFUSED, "ISSUER_MISMATCH",
        "RFC 5280 6.1.3: issuer: want the authority's subject, have '%s'",
        buf_str(&name) ? (char *)name.p : "");
}

static int check_signed(const struct cert *cert, const struct issuer *issuer, struct p11ca_err *err)
{
    if (!der_equal(cert->t.issuer, issuer->subject))
        return refuse_issuer(cert, err);
    return issuer_has_signed(issuer, cert, err);
}

static int fill(struct import_row *row, const struct cert *cert, struct p11ca_err *err)
{
    AUTO_BUF subject = BUF_INIT;

    if (name_to_text(cert->t.subject, &subject, err) != 0)
        return -1;
    if (!buf_str(&subject))
        return err_nomem(err);
    if (hash_sha256(cert->der.p, cert->der.len, row->cert_sha256) != 0)
        return err_openssl(err, P11CA_BUG, "certificate: SHA-256");
    memcpy(row->serial, cert->t.serial.p, cert->t.serial.len);
    row->serial_len = cert->t.serial.len;
    row->not_after = cert->t.not_after;
    row->subject = strdup((char *)subject.p);
    return row->subject ? 0 : err_nomem(err);
}

static int judge(
    struct import_row *row, struct der der, const struct issuer *issuer, bool *ret_own, struct p11ca_err *err)
{
    AUTO_CERT cert = CERT_INIT;

    if (cert_read(der.p, der.len, &cert, err) != 0)
        return -1;
    *ret_own = der_equal(der_buf(&cert.der), der_buf(&issuer->cert));
    if (check_serial(cert.t.serial, err) != 0 || fill(row, &cert, err) != 0)
        return -1;
    return *ret_own ? 0 : check_signed(&cert, issuer, err);
}

/* --- a file --- */

/* One file's certificates, one after another. */
struct cert_file {
    struct buf bytes;
    struct der rest;
    bool pem, ended;
};

static int open_file(struct cert_file *f, const char *path, struct p11ca_err *err)
{
    if (file_read(path, LIMIT_CERT_FILE, &f->bytes, err) != 0)
        return -1;
    f->rest = der_buf(&f->bytes);
    f->pem = f->bytes.len == 0 || f->bytes.p[0] != DER_SEQUENCE || !memchr(f->bytes.p, 0, f->bytes.len);
    return 0;
}

/* 1: a certificate; 0: no further; -1. */
static int next_cert(struct cert_file *f, struct buf *ret, struct p11ca_err *err)
{
    bool ended = f->ended;

    if (f->pem)
        return pem_next(&f->rest, PEM_CERT, ret, err);
    f->ended = true;
    if (ended)
        return 0;
    return pem_decode(f->rest.p, f->rest.len, PEM_CERT, ret, err) == 0 ? 1 : -1;
}

/* What is something else is no fault: a folder has keys, requests and notes, too. */
static bool is_something_else(const struct p11ca_err *why)
{
    return strcmp(why->code, "INPUT_TYPE") == 0 || strcmp(why->code, "PRIVATE_KEY_SEEN") == 0;
}

static struct import_row *add_row(
    struct import_rows *rows, const char *dir, const char *name, size_t block, struct p11ca_err *err)
{
    struct import_row *row = import_rows_add(rows, IMPORT_CERT, err);

    if (!row)
        return NULL;
    row->dir = dir;
    row->block = block;
    row->name = row->own_name = strdup(name);
    if (row->name)
        return row;
    err_nomem(err);
    return NULL;
}

/* One more row, that says why it is none. */
static int add_refused(struct import_rows *rows, const char *dir, const char *name,
    enum p11ca_import_verdict verdict, const struct p11ca_err *why, struct p11ca_err *err)
{
    struct import_row *row = add_row(rows, dir, name, 0, err);

    return row ? import_row_end(row, verdict, why, err) : -1;
}

static int add_cert(
    struct import_row *row, struct der der, const struct issuer *issuer, struct p11ca_err *err)
{
    struct p11ca_err why;
    bool own = false;

    if (judge(row, der, issuer, &own, &why) != 0)
        return import_row_end(row, P11CA_IMPORT_REJECTED, &why, err);
    if (!own)
        return 0;
    err_set(&why, P11CA_REFUSED, "OWN_CERT", "the authority's own certificate");
    return import_row_end(row, P11CA_IMPORT_IGNORED, &why, err);
}

static int read_blocks(struct import_rows *rows, struct cert_file *f, const char *dir, const char *name,
    const struct issuer *issuer, struct p11ca_err *err)
{
    struct p11ca_err why;
    size_t n;

    for (n = 1;; n++) {
        AUTO_BUF der = BUF_INIT;
        struct import_row *row;
        int r = next_cert(f, &der, &why);

        if (r < 0)
            return add_refused(rows, dir, name,
                is_something_else(&why) ? P11CA_IMPORT_IGNORED : P11CA_IMPORT_REJECTED, &why, err);
        if (r == 0)
            break;
        row = add_row(rows, dir, name, n, err);
        if (!row || add_cert(row, der_buf(&der), issuer, err) != 0)
            return -1;
    }
    if (n > 1)
        return 0;
    err_set(&why, P11CA_REFUSED, "INPUT_TYPE", "want a certificate in PEM or DER, have neither");
    return add_refused(rows, dir, name, P11CA_IMPORT_IGNORED, &why, err);
}

static int read_file(struct import_rows *rows, const char *dir, const char *name, const struct issuer *issuer,
    struct p11ca_err *err)
{
    AUTO_STR path = path_join(dir, name);
    struct cert_file f = {.bytes = BUF_INIT};
    struct p11ca_err why;
    int rc;

    if (!path)
        return err_nomem(err);
    if (file_is_dir(path))
        return 0;
    rc = open_file(&f, path, &why) == 0
             ? read_blocks(rows, &f, dir, name, issuer, err)
             : add_refused(rows, dir, name,
                   strcmp(why.code, "INPUT_NOT_FILE") == 0 ? P11CA_IMPORT_IGNORED : P11CA_IMPORT_REJECTED,
                   &why, err);
    buf_done(&f.bytes);
    return rc;
}

SCOPE_DEFINE(names, char **, file_list_free)

int import_read_certs(
    struct import_rows *rows, const char *dir, const struct issuer *issuer, struct p11ca_err *err)
{
    SCOPED(names) char **names = NULL;
    size_t n = 0, i;

    if (file_list_all(dir, &names, &n, err) != 0)
        return -1;
    for (i = 0; i < n; i++) {
        if (read_file(rows, dir, names[i], issuer, err) != 0)
            return -1;
    }
    return 0;
}

static int changed(const struct import_row *row, struct p11ca_err *err)
{
    return err_set(err, P11CA_FILE, "CERT_CHANGED",
        "%s/%s: want the certificate that was looked at before, have another", row->dir, row->name);
}

int import_reread(const struct import_row *row, struct buf *ret, struct p11ca_err *err)
{
    AUTO_STR path = path_join(row->dir, row->name);
    struct cert_file f = {.bytes = BUF_INIT};
    uint8_t sha256[SHA256_LEN];
    size_t n;
    int rc;

    if (!path)
        return err_nomem(err);
    rc = open_file(&f, path, err);
    for (n = 0; rc == 0 && n < row->block; n++) {
        buf_reset(ret);
        if (next_cert(&f, ret, err) <= 0)
            rc = changed(row, err);
    }
    buf_done(&f.bytes);
    if (rc != 0)
        return -1;
    if (hash_sha256(ret->p, ret->len, sha256) != 0)
        return err_openssl(err, P11CA_BUG, "certificate: SHA-256");
    return memcmp(sha256, row->cert_sha256, sizeof(sha256)) == 0 ? 0 : changed(row, err);
}
