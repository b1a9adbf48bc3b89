/*
 * OCSP responses made beforehand (RFC 6960; RFC 5019 and its successor RFC 9919, the lightweight profile): a file for
 * each certificate and hash, for a static web server and for stapling.
 */
#ifndef P11CA_OCSP_H
#define P11CA_OCSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <p11ca/home.h>

struct p11ca_ocsp_order {
    const char *authority; /* whose certificates are answered for */
    const char *output;    /* a directory; made when it is not there */
    const char *signer; /* the responder, an authority of p11ca.conf; NULL: the only one of this authority */
    bool by_ca;         /* no responder: the authority's own key signs */
    unsigned hours;     /* nextUpdate lies so many behind thisUpdate, 1 to 9600; 0: 168, a week */
    const char *const *only; /* serials in hex, or certificate files */
    size_t n_only;           /* 0: every certificate that has not expired */
    bool get;   /* also below output/get, under the names by which GET asks for them (RFC 6960 A.1) */
    bool force; /* make all anew, in place of whatever has their names */
};

struct p11ca_ocsp_made {
    char signer[65];      /* whose key signed: an authority */
    size_t certificates;  /* that have responses now */
    size_t good, revoked; /* of them */
    size_t made,
        fresh; /* responses: made now; left, because they say the same and live on for half the time */
    int64_t this_update, next_update; /* of those made now */
};

/*
 * Makes the responses. One is left as it is when it says what the ledger says, is by the same signer and lasts for at
 * least half the time asked for; an older one of the same certificate is replaced; anything else under its name is
 * OUTPUT_EXISTS (P11CA_FILE). Files are OUTPUT/SERIAL.sha1.ors and OUTPUT/SERIAL.sha256.ors (DER, mode 0644), by the hash
 * that a client asks with. No response says "good" for what the ledger has not issued: reserved serials, unknown and
 * expired ones have none. Every set is an event "ocsp" of the ledger before its files are there.
 *
 * Killed at any moment it leaves whole files only, and the same call again goes on. Two at once on one directory: FILE_BUSY.
 * Errors: USAGE, NOT_CA, OCSP_HOURS, NO_RESPONDER (P11CA_USAGE), NO_CA_CERT, NO_RESPONDER, NO_RESPONDER_CERT (P11CA_CONFIG),
 * NOT_IN_LEDGER (P11CA_NEGATIVE), OCSP_NONE (reserved, expired), OCSP_* of the lint (P11CA_REFUSED), P11CA_TOKEN, P11CA_LEDGER,
 * P11CA_FILE. One thread at a time for a home.
 */
P11CA_API P11CA_CHECK int p11ca_ocsp(struct p11ca_home *home, const struct p11ca_ocsp_order *order,
    struct p11ca_ocsp_made *ret, struct p11ca_err *err);

#endif
