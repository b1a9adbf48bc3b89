/*
 * What a certificate of a kind holds: constants made into DER once, and slots that each certificate fills. Profiles are
 * read from text (x509/profiles.h), the built-in ones too.
 */
#ifndef X509_PROFILE_H
#define X509_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "x509/ext_private.h"
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

enum ext_key_usage {
    EKU_SERVER = 1,
    EKU_CLIENT = 2,
    EKU_OCSP_SIGNING = 4,
    EKU_OTHER = 8, /* some that have no bit here */
    EKU_EMAIL = 16,
    EKU_CODE_SIGNING = 32,
    EKU_TIME_STAMPING = 64,
    EKU_SMARTCARD_LOGON = 128,
    EKU_PKINIT_CLIENT = 256,
    EKU_ANY = 512
};

enum subject_rule {
    SUBJECT_ANY,       /* may be empty: the SAN is critical then */
    SUBJECT_CN,        /* empty, or with a CN */
    SUBJECT_NOT_EMPTY, /* a CA, a responder: with a CN */
    SUBJECT_SOME       /* not empty; of what, the rules of its standard say */
};

/* Where the text of a slot comes from. */
enum source {
    FROM_FIXED,    /* the profile: value as it stands */
    FROM_MANIFEST, /* the order: its names, or value with {fields} of it filled in */
    FROM_CSR       /* the request: evidence that the profile chose to believe */
};

struct slot {
    enum source from;
    const char *value; /* text; with FROM_MANIFEST a template; NULL with FROM_CSR */
    bool optional;     /* left out when its source has nothing */
};

struct subject_slot {
    struct slot slot;
    const char *attribute; /* "CN": a type of name.h */
};

struct san_slot {
    struct slot slot; /* FROM_MANIFEST without value: the order's names of the kind */
    enum san_type type;
    unsigned max; /* names that may come of it */
};

/* A private extension of which each certificate has its own value. */
struct ext_slot {
    struct slot slot;
    struct der oid; /* content */
    bool critical;
    enum ext_type type;
    size_t max; /* octets of the value */
};

/* An extension that is the same in all. */
struct fixed_ext {
    struct der oid; /* content */
    bool critical;
    struct der value; /* content of the OCTET STRING */
    struct der tlv;   /* the Extension, whole */
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
    const char *name, *base; /* base NULL: none */
    const char *about;       /* a line for people */
    bool builtin;
    bool is_ca, self_signed;
    bool cross;    /* for a CA that has a certificate: only a ceremony's cross-sign step makes it */
    bool device;   /* is issued to a device ID; one that must have names and has none gets a URI made of it */
    bool same_key; /* its certificates may be renewed for the key they have */
    int pathlen;   /* -1: no pathLenConstraint */
    unsigned key_usage;     /* USAGE_* */
    unsigned key_usage_rsa; /* bits added when the key is RSA */
    unsigned eku;           /* EKU_*, 0: no extension; what EKU_OTHER stands for is in eku_others */
    struct der eku_others;  /* OBJECT IDENTIFIERs, whole TLVs one after the other */
    bool ski;               /* subjectKeyIdentifier in the certificate */
    bool crl_dp;            /* cRLDistributionPoints when there is a crl-url */
    bool aia;               /* authorityInfoAccess when there are URLs for it */
    bool ocsp_nocheck;      /* id-pkix-ocsp-nocheck: nobody asks whether the responder itself is revoked */
    const char *crl_url, *ocsp_url, *ca_issuers_url; /* instead of the authority's; NULL: those */
    const struct fixed_ext *fixed; /* certificatePolicies, nameConstraints, TLS feature, ..., private ones */
    size_t n_fixed;
    const struct ext_slot *ext_slots;
    size_t n_ext_slots;
    enum subject_rule subject;
    const struct subject_slot *subject_slots; /* none: the subject is the order's, the request's, or made */
    size_t n_subject_slots;
    unsigned san_allowed;             /* SAN_BIT()s, 0: no SAN */
    bool san_required;                /* at least one */
    const struct san_slot *san_slots; /* none: names are the order's, else the request's */
    size_t n_san_slots;
    bool no_expiry; /* notAfter is 99991231235959Z unless the order says days */
    unsigned days, days_max;
    unsigned backdate; /* seconds notBefore lies before now: clocks differ */
    unsigned keys;     /* KEY_BIT()s allowed */
    unsigned rsa_bits_min;
    unsigned max_size; /* octets of the certificate; 0: no cap */
    unsigned rules;    /* RULES_* */
    const struct lint_skip *skips;
    size_t n_skips;
    const struct profile_text *text; /* where each value was said */
    uint8_t sha256[32];              /* of the text in effect */
};

#define PROFILE_DAY 86400

/* RFC 5280 4.1.2.5: 99991231235959Z, no well-defined expiry. */
#define PROFILE_NO_EXPIRY INT64_C(253402300799)

/* Whether it makes sense. P11CA_CONFIG. */
P11CA_CHECK int profile_check(const struct profile *p, struct p11ca_err *err);

/* USAGE_* of a certificate for a key of this kind. */
static inline unsigned profile_key_usage(const struct profile *p, enum key_kind kind)
{
    return p->key_usage | (kind == KEY_RSA ? p->key_usage_rsa : 0);
}

static inline bool profile_wants_subject(const struct profile *p)
{
    return p->subject == SUBJECT_NOT_EMPTY || p->subject == SUBJECT_SOME;
}

/* Whether a subject that is not empty must have a CN. */
static inline bool profile_wants_cn(const struct profile *p)
{
    return p->subject == SUBJECT_CN || p->subject == SUBJECT_NOT_EMPTY;
}

/* Refusals before a serial is drawn. Codes KEY_TYPE, KEY_CURVE, KEY_TOO_SMALL. */
P11CA_CHECK int profile_check_key(const struct profile *p, const struct spki *spki, struct p11ca_err *err);

/* Codes SAN_KIND (a kind the profile does not issue), SAN_REQUIRED. */
P11CA_CHECK int profile_check_sans(
    const struct profile *p, const struct san_list *sans, struct p11ca_err *err);

/* Codes NAME_EMPTY (also: no subject and no SAN), NAME_CN. */
P11CA_CHECK int profile_check_subject(
    const struct profile *p, struct der subject, const struct san_list *sans, struct p11ca_err *err);

/* notBefore and notAfter for now; days 0: the default, which may be no expiry. Code VALIDITY_TOO_LONG. A validity of N days ends one
 * second before N * 86400 are over: both ends count (RFC 5280 4.1.2.5). */
P11CA_CHECK int profile_validity(const struct profile *p, int64_t now, unsigned days, int64_t *ret_not_before,
    int64_t *ret_not_after, struct p11ca_err *err);

#endif
