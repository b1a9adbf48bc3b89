/* What a stored OCSP response (RFC 6960) says of one certificate, for whoever has to believe it. */
#ifndef X509_OCSP_STATUS_H
#define X509_OCSP_STATUS_H

#include "x509/der.h"

enum ocsp_says { OCSP_SAYS_GOOD, OCSP_SAYS_REVOKED, OCSP_SAYS_UNKNOWN };

struct ocsp_status {
    enum ocsp_says says;
    int64_t revoked_at; /* with REVOKED */
    int reason;         /* CRLReason, -1: none; with REVOKED */
};

/*
 * The response (DER) is by the issuer's key, or by one whose certificate the issuer has signed for that (RFC 6960
 * 4.2.2.2), is about this certificate, and is current at that time. P11CA_NEGATIVE: OCSP_BAD, OCSP_STALE. Whether the
 * responder's own certificate was revoked is not asked.
 */
P11CA_CHECK int ocsp_status_ask(struct der response, struct der cert, struct der issuer, int64_t at,
    struct ocsp_status *ret, struct p11ca_err *err);

#endif
