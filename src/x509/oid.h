/* Object identifiers this layer knows, one table: DER content, name. */
#ifndef X509_OID_H
#define X509_OID_H

#include <string.h>

#include "x509/der.h"

enum oid {
    OID_NONE,
    /* keys and curves */
    OID_EC_PUBLIC_KEY,
    OID_RSA_ENCRYPTION,
    OID_P256,
    OID_P384,
    OID_P521,
    OID_P192,
    OID_P224,
    OID_SECP256K1,
    OID_BRAINPOOL_P256R1,
    OID_BRAINPOOL_P384R1,
    OID_BRAINPOOL_P512R1,
    OID_X25519,
    OID_X448,
    OID_ED25519,
    OID_ED448,
    OID_DSA,
    OID_DH,
    OID_RSA_PSS,
    /* signatures */
    OID_ECDSA_SHA256,
    OID_ECDSA_SHA384,
    OID_ECDSA_SHA512,
    OID_RSA_SHA256,
    OID_RSA_SHA384,
    OID_RSA_SHA512,
    OID_ECDSA_SHA1,
    OID_ECDSA_SHA224,
    OID_RSA_SHA1,
    OID_RSA_SHA224,
    OID_RSA_MD5,
    OID_RSA_MD4,
    OID_RSA_MD2,
    /* attributes of names */
    OID_CN,
    OID_SURNAME,
    OID_SERIAL_NUMBER,
    OID_COUNTRY,
    OID_LOCALITY,
    OID_STATE,
    OID_STREET,
    OID_ORGANIZATION,
    OID_UNIT,
    OID_TITLE,
    OID_GIVEN_NAME,
    OID_DN_QUALIFIER,
    OID_PSEUDONYM,
    OID_DOMAIN_COMPONENT,
    OID_USER_ID,
    OID_EMAIL_ADDRESS,
    OID_INITIALS,
    OID_POSTAL_CODE,
    OID_ORGANIZATION_ID,
    OID_MATTER_VID,
    OID_MATTER_PID,
    /* request attributes */
    OID_EXTENSION_REQUEST,
    OID_CHALLENGE_PASSWORD,
    OID_UNSTRUCTURED_NAME,
    OID_FRIENDLY_NAME,
    OID_MS_EXTENSION_REQUEST,
    OID_MS_OS_VERSION,
    OID_MS_CLIENT_INFO,
    OID_MS_ENROLMENT_CSP,
    /* extensions */
    OID_SKI,
    OID_KEY_USAGE,
    OID_SAN,
    OID_ISSUER_ALT_NAME,
    OID_BASIC_CONSTRAINTS,
    OID_CRL_NUMBER,
    OID_CRL_REASON,
    OID_INVALIDITY_DATE,
    OID_DELTA_CRL,
    OID_ISSUING_DP,
    OID_NAME_CONSTRAINTS,
    OID_CRL_DP,
    OID_POLICIES,
    OID_AKI,
    OID_POLICY_CONSTRAINTS,
    OID_EXT_KEY_USAGE,
    OID_INHIBIT_ANY_POLICY,
    OID_NO_REV_AVAIL,
    OID_AIA,
    OID_SIA,
    OID_TLS_FEATURE,
    OID_MASA_URL,
    OID_OCSP_NOCHECK,
    OID_NETSCAPE_CERT_TYPE,
    OID_NETSCAPE_COMMENT,
    /* extended key usages */
    OID_EKU_SERVER,
    OID_EKU_CLIENT,
    OID_EKU_OCSP_SIGNING,
    OID_EKU_EMAIL,
    OID_EKU_CODE_SIGNING,
    OID_EKU_TIME_STAMPING,
    OID_EKU_SMARTCARD_LOGON,
    OID_EKU_PKINIT_CLIENT,
    OID_EKU_ANY,
    /* otherName kinds */
    OID_UPN,
    OID_HARDWARE_MODULE_NAME,
    OID_PERMANENT_ID,
    OID_SRV_NAME,
    OID_SMTP_UTF8_MAILBOX,
    OID_FASCN,
    /* inside extensions */
    OID_AD_OCSP,
    OID_AD_CA_ISSUERS,
    OID_CPS,
    /* kinds of responses */
    OID_OCSP_BASIC,
    OID_N
};

/* DER content octets of a known identifier. */
struct der oid_der(enum oid id);

/* The last octet is compared first: identifiers of one arc differ in nothing else. */
static inline bool oid_equal(struct der a, struct der b)
{
    return a.len == b.len && a.len && a.p[a.len - 1] == b.p[b.len - 1] && memcmp(a.p, b.p, a.len) == 0;
}

/* Its name ("basicConstraints"), never NULL. */
const char *oid_name(enum oid id);

/* OID_NONE when unknown. */
enum oid oid_find(struct der content);

bool oid_is(struct der content, enum oid id);

/* Whole TLV into b. */
void oid_add(struct buf *b, enum oid id);

#define OID_TEXT 128
/* The name when known, else dotted decimal; dst always ends with NUL. Returns dst. */
const char *oid_text(struct der content, char dst[OID_TEXT]);

/* Dotted decimal always; -1 when the content is no identifier or too long for dst. */
P11CA_CHECK int oid_to_dotted(struct der content, char *dst, size_t size);

/* Content octets from dotted decimal, appended to b; -1 when the text is none. */
P11CA_CHECK int oid_from_dotted(const char *dotted, size_t len, struct buf *b);

#endif
