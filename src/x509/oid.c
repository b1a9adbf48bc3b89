#include "x509/oid.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const char *content; /* DER content octets */
    size_t len;
} table[OID_N] = {
    [OID_NONE] = {"", "", 0},
    [OID_EC_PUBLIC_KEY] = {"id-ecPublicKey", "\x2a\x86\x48\xce\x3d\x02\x01", 7}, /* 1.2.840.10045.2.1 */
    [OID_RSA_ENCRYPTION] = {"rsaEncryption", "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01",
        9},                                                        /* 1.2.840.113549.1.1.1 */
    [OID_P256] = {"P-256", "\x2a\x86\x48\xce\x3d\x03\x01\x07", 8}, /* 1.2.840.10045.3.1.7 */
    [OID_P384] = {"P-384", "\x2b\x81\x04\x00\x22", 5},             /* 1.3.132.0.34 */
    [OID_P521] = {"P-521", "\x2b\x81\x04\x00\x23", 5},             /* 1.3.132.0.35 */
    [OID_P192] = {"P-192", "\x2a\x86\x48\xce\x3d\x03\x01\x01", 8}, /* 1.2.840.10045.3.1.1 */
    [OID_P224] = {"P-224", "\x2b\x81\x04\x00\x21", 5},             /* 1.3.132.0.33 */
    [OID_SECP256K1] = {"secp256k1", "\x2b\x81\x04\x00\x0a", 5},    /* 1.3.132.0.10 */
    [OID_BRAINPOOL_P256R1] = {"brainpoolP256r1", "\x2b\x24\x03\x03\x02\x08\x01\x01\x07",
        9}, /* 1.3.36.3.3.2.8.1.1.7 */
    [OID_BRAINPOOL_P384R1] = {"brainpoolP384r1", "\x2b\x24\x03\x03\x02\x08\x01\x01\x0b",
        9}, /* 1.3.36.3.3.2.8.1.1.11 */
    [OID_BRAINPOOL_P512R1] = {"brainpoolP512r1", "\x2b\x24\x03\x03\x02\x08\x01\x01\x0d",
        9},                                                                    /* 1.3.36.3.3.2.8.1.1.13 */
    [OID_X25519] = {"X25519", "\x2b\x65\x6e", 3},                              /* 1.3.101.110 */
    [OID_X448] = {"X448", "\x2b\x65\x6f", 3},                                  /* 1.3.101.111 */
    [OID_ED25519] = {"Ed25519", "\x2b\x65\x70", 3},                            /* 1.3.101.112 */
    [OID_ED448] = {"Ed448", "\x2b\x65\x71", 3},                                /* 1.3.101.113 */
    [OID_DSA] = {"DSA", "\x2a\x86\x48\xce\x38\x04\x01", 7},                    /* 1.2.840.10040.4.1 */
    [OID_DH] = {"dhpublicnumber", "\x2a\x86\x48\xce\x3e\x02\x01", 7},          /* 1.2.840.10046.2.1 */
    [OID_RSA_PSS] = {"RSASSA-PSS", "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", 9}, /* 1.2.840.113549.1.1.10 */
    [OID_ECDSA_SHA256] = {"ecdsa-with-SHA256", "\x2a\x86\x48\xce\x3d\x04\x03\x02",
        8}, /* 1.2.840.10045.4.3.2 */
    [OID_ECDSA_SHA384] = {"ecdsa-with-SHA384", "\x2a\x86\x48\xce\x3d\x04\x03\x03",
        8}, /* 1.2.840.10045.4.3.3 */
    [OID_ECDSA_SHA512] = {"ecdsa-with-SHA512", "\x2a\x86\x48\xce\x3d\x04\x03\x04",
        8}, /* 1.2.840.10045.4.3.4 */
    [OID_RSA_SHA256] = {"sha256WithRSAEncryption", "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b",
        9}, /* 1.2.840.113549.1.1.11 */
    [OID_RSA_SHA384] = {"sha384WithRSAEncryption", "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c",
        9}, /* 1.2.840.113549.1.1.12 */
    [OID_RSA_SHA512] = {"sha512WithRSAEncryption", "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d",
        9},                                                                    /* 1.2.840.113549.1.1.13 */
    [OID_ECDSA_SHA1] = {"ecdsa-with-SHA1", "\x2a\x86\x48\xce\x3d\x04\x01", 7}, /* 1.2.840.10045.4.1 */
    [OID_ECDSA_SHA224] = {"ecdsa-with-SHA224", "\x2a\x86\x48\xce\x3d\x04\x03\x01",
        8}, /* 1.2.840.10045.4.3.1 */
    [OID_RSA_SHA1] = {"sha1WithRSAEncryption", "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05",
        9}, /* 1.2.840.113549.1.1.5 */
    [OID_RSA_SHA224] = {"sha224WithRSAEncryption", "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e",
        9}, /* 1.2.840.113549.1.1.14 */
    [OID_RSA_MD5] = {"md5WithRSAEncryption", "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04",
        9}, /* 1.2.840.113549.1.1.4 */
    [OID_RSA_MD4] = {"md4WithRSAEncryption", "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x03",
        9}, /* 1.2.840.113549.1.1.3 */
    [OID_RSA_MD2] = {"md2WithRSAEncryption", "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02",
        9},                                                    /* 1.2.840.113549.1.1.2 */
    [OID_CN] = {"CN", "\x55\x04\x03", 3},                      /* 2.5.4.3 */
    [OID_SURNAME] = {"SN", "\x55\x04\x04", 3},                 /* 2.5.4.4 */
    [OID_SERIAL_NUMBER] = {"serialNumber", "\x55\x04\x05", 3}, /* 2.5.4.5 */
    [OID_COUNTRY] = {"C", "\x55\x04\x06", 3},                  /* 2.5.4.6 */
    [OID_LOCALITY] = {"L", "\x55\x04\x07", 3},                 /* 2.5.4.7 */
    [OID_STATE] = {"ST", "\x55\x04\x08", 3},                   /* 2.5.4.8 */
    [OID_STREET] = {"street", "\x55\x04\x09", 3},              /* 2.5.4.9 */
    [OID_ORGANIZATION] = {"O", "\x55\x04\x0a", 3},             /* 2.5.4.10 */
    [OID_UNIT] = {"OU", "\x55\x04\x0b", 3},                    /* 2.5.4.11 */
    [OID_TITLE] = {"title", "\x55\x04\x0c", 3},                /* 2.5.4.12 */
    [OID_GIVEN_NAME] = {"GN", "\x55\x04\x2a", 3},              /* 2.5.4.42 */
    [OID_DN_QUALIFIER] = {"dnQualifier", "\x55\x04\x2e", 3},   /* 2.5.4.46 */
    [OID_PSEUDONYM] = {"pseudonym", "\x55\x04\x41", 3},        /* 2.5.4.65 */
    [OID_DOMAIN_COMPONENT] = {"DC", "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19",
        10},                                                                 /* 0.9.2342.19200300.100.1.25 */
    [OID_USER_ID] = {"UID", "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", 10}, /* 0.9.2342.19200300.100.1.1 */
    [OID_EMAIL_ADDRESS] = {"emailAddress", "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01",
        9}, /* 1.2.840.113549.1.9.1 */
    [OID_EXTENSION_REQUEST] = {"extensionRequest", "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e",
        9}, /* 1.2.840.113549.1.9.14 */
    [OID_CHALLENGE_PASSWORD] = {"challengePassword", "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07",
        9}, /* 1.2.840.113549.1.9.7 */
    [OID_UNSTRUCTURED_NAME] = {"unstructuredName", "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02",
        9}, /* 1.2.840.113549.1.9.2 */
    [OID_FRIENDLY_NAME] = {"friendlyName", "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x14",
        9}, /* 1.2.840.113549.1.9.20 */
    [OID_MS_EXTENSION_REQUEST] = {"Microsoft extension request", "\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0e",
        10}, /* 1.3.6.1.4.1.311.2.1.14 */
    [OID_MS_OS_VERSION] = {"Microsoft OS version", "\x2b\x06\x01\x04\x01\x82\x37\x0d\x02\x03",
        10}, /* 1.3.6.1.4.1.311.13.2.3 */
    [OID_MS_CLIENT_INFO] = {"Microsoft client info", "\x2b\x06\x01\x04\x01\x82\x37\x15\x14",
        9}, /* 1.3.6.1.4.1.311.21.20 */
    [OID_MS_ENROLMENT_CSP] = {"Microsoft enrolment CSP", "\x2b\x06\x01\x04\x01\x82\x37\x0d\x02\x02",
        10},                                                                    /* 1.3.6.1.4.1.311.13.2.2 */
    [OID_SKI] = {"subjectKeyIdentifier", "\x55\x1d\x0e", 3},                    /* 2.5.29.14 */
    [OID_KEY_USAGE] = {"keyUsage", "\x55\x1d\x0f", 3},                          /* 2.5.29.15 */
    [OID_SAN] = {"subjectAltName", "\x55\x1d\x11", 3},                          /* 2.5.29.17 */
    [OID_ISSUER_ALT_NAME] = {"issuerAltName", "\x55\x1d\x12", 3},               /* 2.5.29.18 */
    [OID_BASIC_CONSTRAINTS] = {"basicConstraints", "\x55\x1d\x13", 3},          /* 2.5.29.19 */
    [OID_CRL_NUMBER] = {"cRLNumber", "\x55\x1d\x14", 3},                        /* 2.5.29.20 */
    [OID_CRL_REASON] = {"reasonCode", "\x55\x1d\x15", 3},                       /* 2.5.29.21 */
    [OID_INVALIDITY_DATE] = {"invalidityDate", "\x55\x1d\x18", 3},              /* 2.5.29.24 */
    [OID_DELTA_CRL] = {"deltaCRLIndicator", "\x55\x1d\x1b", 3},                 /* 2.5.29.27 */
    [OID_ISSUING_DP] = {"issuingDistributionPoint", "\x55\x1d\x1c", 3},         /* 2.5.29.28 */
    [OID_NAME_CONSTRAINTS] = {"nameConstraints", "\x55\x1d\x1e", 3},            /* 2.5.29.30 */
    [OID_CRL_DP] = {"cRLDistributionPoints", "\x55\x1d\x1f", 3},                /* 2.5.29.31 */
    [OID_POLICIES] = {"certificatePolicies", "\x55\x1d\x20", 3},                /* 2.5.29.32 */
    [OID_AKI] = {"authorityKeyIdentifier", "\x55\x1d\x23", 3},                  /* 2.5.29.35 */
    [OID_POLICY_CONSTRAINTS] = {"policyConstraints", "\x55\x1d\x24", 3},        /* 2.5.29.36 */
    [OID_EXT_KEY_USAGE] = {"extKeyUsage", "\x55\x1d\x25", 3},                   /* 2.5.29.37 */
    [OID_INHIBIT_ANY_POLICY] = {"inhibitAnyPolicy", "\x55\x1d\x36", 3},         /* 2.5.29.54 */
    [OID_NO_REV_AVAIL] = {"noRevAvail", "\x55\x1d\x38", 3},                     /* 2.5.29.56 */
    [OID_AIA] = {"authorityInfoAccess", "\x2b\x06\x01\x05\x05\x07\x01\x01", 8}, /* 1.3.6.1.5.5.7.1.1 */
    [OID_SIA] = {"subjectInfoAccess", "\x2b\x06\x01\x05\x05\x07\x01\x0b", 8},   /* 1.3.6.1.5.5.7.1.11 */
    [OID_TLS_FEATURE] = {"TLS feature", "\x2b\x06\x01\x05\x05\x07\x01\x18", 8}, /* 1.3.6.1.5.5.7.1.24 */
    [OID_OCSP_NOCHECK] = {"ocsp-nocheck", "\x2b\x06\x01\x05\x05\x07\x30\x01\x05",
        9}, /* 1.3.6.1.5.5.7.48.1.5 */
    [OID_NETSCAPE_CERT_TYPE] = {"nsCertType", "\x60\x86\x48\x01\x86\xf8\x42\x01\x01",
        9}, /* 2.16.840.1.113730.1.1 */
    [OID_NETSCAPE_COMMENT] = {"nsComment", "\x60\x86\x48\x01\x86\xf8\x42\x01\x0d",
        9},                                                                   /* 2.16.840.1.113730.1.13 */
    [OID_EKU_SERVER] = {"serverAuth", "\x2b\x06\x01\x05\x05\x07\x03\x01", 8}, /* 1.3.6.1.5.5.7.3.1 */
    [OID_EKU_CLIENT] = {"clientAuth", "\x2b\x06\x01\x05\x05\x07\x03\x02", 8}, /* 1.3.6.1.5.5.7.3.2 */
    [OID_EKU_OCSP_SIGNING] = {"OCSPSigning", "\x2b\x06\x01\x05\x05\x07\x03\x09", 8},   /* 1.3.6.1.5.5.7.3.9 */
    [OID_EKU_EMAIL] = {"emailProtection", "\x2b\x06\x01\x05\x05\x07\x03\x04", 8},      /* 1.3.6.1.5.5.7.3.4 */
    [OID_EKU_CODE_SIGNING] = {"codeSigning", "\x2b\x06\x01\x05\x05\x07\x03\x03", 8},   /* 1.3.6.1.5.5.7.3.3 */
    [OID_EKU_TIME_STAMPING] = {"timeStamping", "\x2b\x06\x01\x05\x05\x07\x03\x08", 8}, /* 1.3.6.1.5.5.7.3.8 */
    [OID_EKU_SMARTCARD_LOGON] = {"smartcardLogon", "\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x02",
        10}, /* 1.3.6.1.4.1.311.20.2.2 */
    [OID_EKU_PKINIT_CLIENT] = {"pkinitClient", "\x2b\x06\x01\x05\x02\x03\x04", 7}, /* 1.3.6.1.5.2.3.4 */
    [OID_EKU_ANY] = {"anyExtendedKeyUsage", "\x55\x1d\x25\x00", 4},                /* 2.5.29.37.0 */
    [OID_UPN] = {"userPrincipalName", "\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03",
        10}, /* 1.3.6.1.4.1.311.20.2.3 */
    [OID_HARDWARE_MODULE_NAME] = {"hardwareModuleName", "\x2b\x06\x01\x05\x05\x07\x08\x04",
        8},                                                                /* 1.3.6.1.5.5.7.8.4 */
    [OID_INITIALS] = {"initials", "\x55\x04\x2b", 3},                      /* 2.5.4.43 */
    [OID_POSTAL_CODE] = {"postalCode", "\x55\x04\x11", 3},                 /* 2.5.4.17 */
    [OID_ORGANIZATION_ID] = {"organizationIdentifier", "\x55\x04\x61", 3}, /* 2.5.4.97 */
    [OID_MATTER_VID] = {"MatterVID", "\x2b\x06\x01\x04\x01\x82\xa2\x7c\x02\x01",
        10}, /* 1.3.6.1.4.1.37244.2.1 */
    [OID_MATTER_PID] = {"MatterPID", "\x2b\x06\x01\x04\x01\x82\xa2\x7c\x02\x02",
        10},                                                             /* 1.3.6.1.4.1.37244.2.2 */
    [OID_MASA_URL] = {"masaURL", "\x2b\x06\x01\x05\x05\x07\x01\x20", 8}, /* 1.3.6.1.5.5.7.1.32 */
    [OID_PERMANENT_ID] = {"permanentIdentifier", "\x2b\x06\x01\x05\x05\x07\x08\x03",
        8},                                                              /* 1.3.6.1.5.5.7.8.3 */
    [OID_SRV_NAME] = {"SRVName", "\x2b\x06\x01\x05\x05\x07\x08\x07", 8}, /* 1.3.6.1.5.5.7.8.7 */
    [OID_SMTP_UTF8_MAILBOX] = {"SmtpUTF8Mailbox", "\x2b\x06\x01\x05\x05\x07\x08\x09",
        8},                                                                       /* 1.3.6.1.5.5.7.8.9 */
    [OID_FASCN] = {"FASC-N", "\x60\x86\x48\x01\x65\x03\x06\x06", 8},              /* 2.16.840.1.101.3.6.6 */
    [OID_OCSP_BASIC] = {"ocsp-basic", "\x2b\x06\x01\x05\x05\x07\x30\x01\x01", 9}, /* 1.3.6.1.5.5.7.48.1.1 */
    [OID_AD_OCSP] = {"ocsp", "\x2b\x06\x01\x05\x05\x07\x30\x01", 8},              /* 1.3.6.1.5.5.7.48.1 */
    [OID_AD_CA_ISSUERS] = {"caIssuers", "\x2b\x06\x01\x05\x05\x07\x30\x02", 8},   /* 1.3.6.1.5.5.7.48.2 */
    [OID_CPS] = {"cps", "\x2b\x06\x01\x05\x05\x07\x02\x01", 8},                   /* 1.3.6.1.5.5.7.2.1 */
};

struct der oid_der(enum oid id)
{
    return DER_OF((const uint8_t *)table[id].content, table[id].len);
}

const char *oid_name(enum oid id)
{
    return table[id].name;
}

bool oid_is(struct der content, enum oid id)
{
    return oid_equal(content, oid_der(id));
}

enum oid oid_find(struct der content)
{
    size_t i;

    for (i = 1; i < OID_N; i++) {
        if (oid_equal(content, oid_der((enum oid)i)))
            return (enum oid)i;
    }
    return OID_NONE;
}

void oid_add(struct buf *b, enum oid id)
{
    der_add(b, DER_OID, table[id].content, table[id].len);
}

/* The next subidentifier, at most 2^63 - 1. */
static int next_arc(struct der *in, uint64_t *ret)
{
    uint64_t v = 0;
    size_t i;

    for (i = 0; i < in->len; i++) {
        if (v >> 56 || (i == 0 && in->p[0] == 0x80))
            return -1;
        v = v << 7 | (in->p[i] & 0x7f);
        if (!(in->p[i] & 0x80)) {
            *in = DER_OF(in->p + i + 1, in->len - i - 1);
            *ret = v;
            return 0;
        }
    }
    return -1;
}

int oid_to_dotted(struct der content, char *dst, size_t size)
{
    struct der in = content;
    uint64_t arc, top;
    size_t at;
    int n;

    if (next_arc(&in, &arc) != 0)
        return -1;
    top = arc < 80 ? arc / 40 : 2;
    n = snprintf(dst, size, "%llu.%llu", (unsigned long long)top, (unsigned long long)(arc - top * 40));
    at = (size_t)n;
    while (at < size && in.len) {
        if (next_arc(&in, &arc) != 0)
            return -1;
        n = snprintf(dst + at, size - at, ".%llu", (unsigned long long)arc);
        at += (size_t)n;
    }
    return at < size ? 0 : -1;
}

const char *oid_text(struct der content, char dst[OID_TEXT])
{
    enum oid id = oid_find(content);

    if (id != OID_NONE)
        snprintf(dst, OID_TEXT, "%s", table[id].name);
    else if (oid_to_dotted(content, dst, OID_TEXT) != 0)
        snprintf(dst, OID_TEXT, "an unreadable identifier");
    return dst;
}

static void add_arc(struct buf *b, uint64_t v)
{
    int shift = 56;

    while (shift > 0 && v >> shift == 0)
        shift -= 7;
    for (; shift >= 0; shift -= 7)
        buf_addc(b, (uint8_t)((v >> shift & 0x7f) | (shift ? 0x80 : 0)));
}

/* Digits up to a dot or the end, without leading zeros; what next_arc() reads, and no more. */
static int read_arc(const char **at, const char *end, uint64_t *ret)
{
    const char *p = *at;
    uint64_t v = 0;

    if (p == end || *p < '0' || *p > '9' || (*p == '0' && p + 1 < end && p[1] != '.'))
        return -1;
    for (; p < end && *p >= '0' && *p <= '9'; p++) {
        if (v > (INT64_MAX - (uint64_t)(*p - '0')) / 10)
            return -1;
        v = v * 10 + (uint64_t)(*p - '0');
    }
    if (p < end && *p++ != '.')
        return -1;
    if (p == end && p[-1] == '.')
        return -1;
    *at = p;
    *ret = v;
    return 0;
}

int oid_from_dotted(const char *dotted, size_t len, struct buf *b)
{
    const char *at = dotted, *end = dotted + len;
    uint64_t first, second, arc;

    if (read_arc(&at, end, &first) != 0 || first > 2 || at == end || read_arc(&at, end, &second) != 0 ||
        (first < 2 && second > 39) || second > INT64_MAX - 80)
        return -1;
    add_arc(b, first * 40 + second);
    while (at < end) {
        if (read_arc(&at, end, &arc) != 0)
            return -1;
        add_arc(b, arc);
    }
    return 0;
}
