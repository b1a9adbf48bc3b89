/* What a certificate of a kind holds. The built-in profiles are a table; a configuration file may add rows.
 */
#ifndef X509_PROFILE_H
#define X509_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "x509/san.h"
#include "x509/spki.h"

/* RFC 5280 4.2.1.3: bit 0 is the top bit of the first octet. */
enum key_usage {
    USAGE_DIGITAL_SIGNATURE = 0x80,
    USAGE_NON_REPUDIATION = 0x40,
    USAGE_KEY_ENCIPHERMENT = 0x20,
    USAGE_DATA_ENCIPHERMENT = 0x10,
    USAGE_KEY_AGREEMENT = 0x08,
    USAGE_KEY_CERT_SIGN = 0x04,
    USAGE_CRL_SIGN = 0x02
};

enum ext_key_usage { EKU_SERVER = 1, EKU_CLIENT = 2, EKU_OCSP_SIGNING = 4, EKU_OTHER = 8 };

enum subject_rule {
    SUBJECT_ANY,      /* may be empty: the SAN is critical then */
    SUBJECT_CN,       /* empty, or with a CN */
    SUBJECT_NOT_EMPTY /* a CA, a responder: with a CN */
};

/* Rules a profile asks for beside those for every certificate: the rows of the lint know whose they are. */
enum rules {
    RULES_BR = 1,      /* CA/Browser Forum, TLS Baseline Requirements */
    RULES_IDEVID = 2,  /* IEEE 802.1AR, the manufacturer's */
    RULES_LDEVID = 4,  /* IEEE 802.1AR, the owner's */
    RULES_MATTER = 8,  /* PAA, PAI or DAC, by what the certificate is */
    RULES_SPIFFE = 16, /* X509-SVID */
    RULES_OCSP = 32,   /* RFC 6960, a delegated responder */
    RULES_PIV = 64     /* FIPS 201 */
};

/* A rule the profile's owner does not want asked, and why. */
struct lint_skip {
    const char *rule; /* its id: LINT_SERIAL */
    const char *reason;
};

struct profile {
    const char *name;
    bool is_ca, self_signed;
    bool cross;             /* for a CA that has a certificate: only a ceremony's cross-sign step makes it */
    bool device;            /* is issued to a device ID; without names of its own it gets a URI made of it */
    int pathlen;            /* -1: no pathLenConstraint */
    unsigned key_usage;     /* USAGE_* */
    unsigned key_usage_rsa; /* bits added when the key is RSA */
    unsigned eku;           /* EKU_*, 0: no extension */
    bool ski;               /* subjectKeyIdentifier in the certificate */
    bool crl_dp;            /* cRLDistributionPoints when the issuer has a crl-url */
    bool ocsp_nocheck;      /* id-pkix-ocsp-nocheck: nobody asks whether the responder itself is revoked */
    enum subject_rule subject;
    unsigned san_allowed; /* SAN_BIT()s, 0: no SAN */
    bool san_required;    /* at least one */
    unsigned days, days_max;
    unsigned backdate; /* seconds notBefore lies before now: clocks differ */
    unsigned keys;     /* KEY_BIT()s allowed */
    unsigned rsa_bits_min;
    unsigned rules; /* RULES_* */
    const struct lint_skip *skips;
    size_t n_skips;
};

#define PROFILE_DAY 86400

/* Built in: root-ca, intermediate-ca, issuing-ca, cross-ca, server, client, device, ocsp-signer. NULL when there is
 * none of the name. */
const struct profile *profile_find(const char *name);

/* The built-in ones in order; NULL past the end. */
const struct profile *profile_at(size_t i);

/* Whether the row makes sense, for rows from a configuration file. P11CA_CONFIG. */
P11CA_CHECK int profile_check(const struct profile *p, struct p11ca_err *err);

/* USAGE_* of a certificate for a key of this kind. */
static inline unsigned profile_key_usage(const struct profile *p, enum key_kind kind)
{
    return p->key_usage | (kind == KEY_RSA ? p->key_usage_rsa : 0);
}

/* Refusals before a serial is drawn. Codes KEY_TYPE, KEY_CURVE, KEY_TOO_SMALL. */
P11CA_CHECK int profile_check_key(const struct profile *p, const struct spki *spki, struct p11ca_err *err);

/* Codes SAN_KIND (a kind the profile does not issue), SAN_REQUIRED. */
P11CA_CHECK int profile_check_sans(
    const struct profile *p, const struct san_list *sans, struct p11ca_err *err);

/* Codes NAME_EMPTY (also: no subject and no SAN), NAME_CN. */
P11CA_CHECK int profile_check_subject(
    const struct profile *p, struct der subject, const struct san_list *sans, struct p11ca_err *err);

/* notBefore and notAfter for now; days 0: the default. Code VALIDITY_TOO_LONG. A validity of N days ends one
 * second before N * 86400 are over: both ends count (RFC 5280 4.1.2.5). */
P11CA_CHECK int profile_validity(const struct profile *p, int64_t now, unsigned days, int64_t *ret_not_before,
    int64_t *ret_not_after, struct p11ca_err *err);

#endif
