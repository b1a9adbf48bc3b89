/*
 * Taking over what another CA program has issued under an authority's key, so that revocation and CRLs go on.
 */
#ifndef P11CA_IMPORT_H
#define P11CA_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <p11ca/home.h>

struct p11ca_import {
    const char *authority; /* its CA certificate is installed: every certificate must be signed by it */
    /*
     * A folder with index.txt and certificates in newcerts, certs_by_serial, revoked/certs_by_serial, issued or certs
     * (openssl ca, easy-rsa), or of certificates alone, PEM or DER of any name; NULL: index and certs.
     */
    const char *dir;
    const char *index;        /* an index.txt; NULL: none */
    const char *const *certs; /* folders of certificates */
    size_t n_certs;
    const char
        *crl; /* the last CRL that was signed, PEM or DER: its number, and what it lists is revoked; NULL */
    int64_t crl_number; /* of that CRL, where only the number is known; 0: not known */
    const char *lot;    /* the rows become a lot of this name; NULL: none */
    const char *report; /* *.csv, *.ndjson or *.jsonl, a line for each row; NULL: none */
    bool without_certs; /* rows of which there is no certificate become serials that can be revoked */
    bool dry_run;       /* everything but writing */
};

enum p11ca_import_verdict {
    P11CA_IMPORT_TAKEN,
    P11CA_IMPORT_KNOWN,    /* the ledger has it already */
    P11CA_IMPORT_REVOKED,  /* the ledger has it, and now also that it was revoked */
    P11CA_IMPORT_NO_CERT,  /* there is no certificate of it, and without_certs was not said */
    P11CA_IMPORT_REJECTED, /* see code and reason */
    P11CA_IMPORT_IGNORED,  /* a file that holds no certificate, or the authority's own */
};
#define P11CA_IMPORT_VERDICTS 6

/* "TAKEN", "KNOWN", "REVOKED", "NO-CERT", "REJECTED", "IGNORED" */
P11CA_API const char *p11ca_import_verdict_name(enum p11ca_import_verdict verdict);

struct p11ca_import_row {
    size_t number;     /* from 1 */
    const char *input; /* FILE:LINE of an index, or a certificate's file */
    const char *file;  /* the certificate's file; NULL: there is none */
    enum p11ca_import_verdict verdict;
    const char *serial;        /* hex; NULL: not known */
    const char *status;        /* "issued", "revoked"; NULL: not known */
    const char *subject;       /* NULL: not known */
    const char *code, *reason; /* of what was not taken */
};
/* Called once for each row, in order, when everything is written. */
typedef void p11ca_import_fn(void *arg, const struct p11ca_import_row *row);

struct p11ca_imported {
    size_t rows;
    size_t n[P11CA_IMPORT_VERDICTS]; /* by verdict */
    size_t without_cert;             /* of those taken */
    int64_t next_crl;                /* the number of the next CRL */
};

/*
 * Looks at everything first - form, signature, contradictions - and then writes in transactions of a thousand rows:
 * killed and run again, it goes on where it was. Rows that cannot be taken over keep none of the others back, and are
 * P11CA_NEGATIVE, code IMPORT_INCOMPLETE, with ret filled. fn may be NULL. Touches no token.
 */
P11CA_API P11CA_CHECK int p11ca_import(struct p11ca_home *home, const struct p11ca_import *order,
    p11ca_import_fn *fn, void *arg, struct p11ca_imported *ret, struct p11ca_err *err);

#endif
