/*
 * What an import has at hand: a row for each line of an index, each certificate and each entry of a CRL. Rows with one
 * serial are merged into one, then judged. A certificate's octets are not kept: they are read again, by their digest,
 * when they are written.
 */
#ifndef ISSUE_IMPORT_ROWS_H
#define ISSUE_IMPORT_ROWS_H

#include <p11ca/import.h>

#include "base/hash.h"
#include "x509/issuer.h"
#include "x509/serial.h"

enum import_source { IMPORT_INDEX, IMPORT_CERT, IMPORT_CRL };

struct import_row {
    enum import_source source;
    enum p11ca_import_verdict verdict;
    bool merged;            /* into another row: nothing is told of it */
    size_t line;            /* of an index, from 1 */
    const char *dir, *name; /* where the certificate is; dir is borrowed, name NULL: there is none */
    char *own_name;         /* what name points to, when it is this row's */
    size_t block;           /* which certificate of the file, from 1 */
    uint8_t serial[SERIAL_LEN];
    size_t serial_len; /* 0: not known */
    uint8_t cert_sha256[SHA256_LEN];
    char *subject; /* NULL: not known */
    int64_t not_after, revoked_at, invalid_since;
    int reason;
    int64_t ledger_row; /* with verdict REVOKED */
    char code[32];
    char *why; /* with code */
};

struct import_rows {
    struct import_row *v;
    size_t n, room;
};
void import_rows_done(struct import_rows *rows);

/* A new last row, zeroed but for reason; valid until the next. NULL: out of memory, or more than LIMIT_ROWS (err). */
struct import_row *import_rows_add(
    struct import_rows *rows, enum import_source source, struct p11ca_err *err);

/* The verdict with its code and words. */
P11CA_CHECK int import_row_end(struct import_row *row, enum p11ca_import_verdict verdict,
    const struct p11ca_err *why, struct p11ca_err *err);

/*
 * A row for each line of an index.txt: status, end, revocation, serial in hex, file, subject (openssl-ca(1)). Lines that
 * are none become rejected rows.
 */
P11CA_CHECK int import_read_index(struct import_rows *rows, const char *path, struct p11ca_err *err);

/* A row for each certificate in the files of a folder; those that issuer has not signed are rejected. */
P11CA_CHECK int import_read_certs(
    struct import_rows *rows, const char *dir, const struct issuer *issuer, struct p11ca_err *err);

/* The row's certificate once more, DER; it must be what it was (CERT_CHANGED). */
P11CA_CHECK int import_reread(const struct import_row *row, struct buf *ret, struct p11ca_err *err);

/* The report, by the ending of its name; path NULL: none. */
struct import_report;
P11CA_CHECK int import_report_begin(struct import_report **ret, const char *path, struct p11ca_err *err);
void import_report_row(struct import_report *r, const struct p11ca_import_row *row);
P11CA_CHECK int import_report_end(struct import_report *r, struct p11ca_err *err);
void import_report_free(struct import_report *r); /* what was not ended leaves no file */

#endif
