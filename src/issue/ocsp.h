/* What the files of the OCSP command share: the certificates that are answered for, and the files of their responses. */
#ifndef ISSUE_OCSP_H
#define ISSUE_OCSP_H

#include <p11ca/ocsp.h>

#include "issue/home.h"
#include "x509/ocsp.h"

/* A certificate, and which of its responses are to be made. */
struct ocsp_target {
    uint8_t serial[SERIAL_LEN], serial_len;
    bool revoked, wanted[OCSP_HASHES];
    int reason;
    int64_t revoked_at;
};

struct ocsp_targets {
    struct ocsp_target *v;
    size_t n, room;
};
void ocsp_targets_done(struct ocsp_targets *t);

/* Those of the authority by the ledger at this time: the named ones (codes as in p11ca/ocsp.h), or all that have not expired. */
P11CA_CHECK int ocsp_targets_find(struct ledger *l, const struct p11ca_ocsp_order *order,
    const struct issuer *ca, int64_t now, struct ocsp_targets *ret, struct p11ca_err *err);

/*
 * The newest certificate by the authority for the responder's recorded key that is valid now: appended to ret as DER.
 * Code NO_RESPONDER_CERT.
 */
P11CA_CHECK int ocsp_find_cert(struct ledger *l, const char *authority,
    const struct authority_conf *responder, int64_t now, struct buf *ret, struct p11ca_err *err);

/* DIR/SERIAL.sha1.ors; the caller's, NULL when out of memory. */
char *ocsp_path(const char *dir, const struct ocsp_plan *plan);

/*
 * What has the name of a response: 0 nothing, or an older one of this certificate that may be replaced; 1 one that
 * says the same and lives beyond until; -1 something else (OUTPUT_EXISTS).
 */
P11CA_CHECK int ocsp_look(
    const char *path, const struct ocsp_plan *plan, int64_t until, struct p11ca_err *err);

/* Makes the folders below dir for the name by which GET asks, and appends that name; RFC 6960 A.1. */
P11CA_CHECK int ocsp_get_path(
    const char *dir, const struct ocsp_plan *plan, char **ret, struct p11ca_err *err);

#endif
