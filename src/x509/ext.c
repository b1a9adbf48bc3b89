#include "x509/ext.h"

#include <stdio.h>
#include <string.h>

#include "x509/profile.h"

int ext_next(struct der *in, struct cert_ext *ret)
{
    struct cert_ext ext = {.critical = false};
    struct der rest = *in, seq, flag;
    int has;

    if (der_next(&rest, DER_SEQUENCE, &seq) != 0 || der_next(&seq, DER_OID, &ext.oid) != 0)
        return -1;
    has = der_next_optional(&seq, DER_BOOLEAN, &flag);
    if (has < 0 || (has && (flag.len != 1 || flag.p[0] != 0xff)))
        return -1;
    ext.critical = has == 1;
    if (der_next(&seq, DER_OCTET_STRING, &ext.value) != 0 || seq.len != 0)
        return -1;
    *ret = ext;
    *in = rest;
    return 0;
}

/* RFC 5280 4.2.1.9 */
int ext_read_bc(struct der value, bool *ret_ca, int *ret_pathlen)
{
    struct der seq, flag;
    unsigned pathlen;
    int has;

    if (der_whole(value, DER_SEQUENCE, &seq) != 0)
        return -1;
    has = der_next_optional(&seq, DER_BOOLEAN, &flag);
    if (has < 0 || (has && (flag.len != 1 || flag.p[0] != 0xff)))
        return -1;
    *ret_ca = has == 1;
    *ret_pathlen = -1;
    if (seq.len == 0)
        return 0;
    if (der_next_uint(&seq, &pathlen) != 0 || seq.len != 0)
        return -1;
    *ret_pathlen = (int)pathlen;
    return 0;
}

/* RFC 5280 4.2.1.3; X.690 11.2.2: a named bit list ends with a one. */
int ext_read_ku(struct der value, unsigned *ret_bits)
{
    struct der c;
    unsigned last;

    if (der_whole(value, DER_BIT_STRING, &c) != 0 || c.len < 2 || c.len > 3 || c.p[0] > 7)
        return -1;
    last = c.p[c.len - 1];
    if (!(last >> c.p[0] & 1) || last & ((1u << c.p[0]) - 1))
        return -1;
    *ret_bits = c.p[1] | (c.len == 3 ? (unsigned)c.p[2] << 1 & 0x100 : 0);
    return c.len == 3 && c.p[2] & 0x7f ? -1 : 0;
}

static const struct {
    unsigned bit;
    enum oid oid;
} ekus[] = {
    {EKU_SERVER, OID_EKU_SERVER},
    {EKU_CLIENT, OID_EKU_CLIENT},
    {EKU_OCSP_SIGNING, OID_EKU_OCSP_SIGNING},
    {EKU_EMAIL, OID_EKU_EMAIL},
    {EKU_CODE_SIGNING, OID_EKU_CODE_SIGNING},
    {EKU_TIME_STAMPING, OID_EKU_TIME_STAMPING},
    {EKU_SMARTCARD_LOGON, OID_EKU_SMARTCARD_LOGON},
    {EKU_PKINIT_CLIENT, OID_EKU_PKINIT_CLIENT},
    {EKU_ANY, OID_EKU_ANY},
};
#define N_EKUS (sizeof(ekus) / sizeof(ekus[0]))

unsigned ext_eku_oid_bit(struct der oid)
{
    size_t i;

    for (i = 0; i < N_EKUS; i++) {
        if (oid_is(oid, ekus[i].oid))
            return ekus[i].bit;
    }
    return EKU_OTHER;
}

/* RFC 5280 4.2.1.12 */
int ext_read_eku(struct der value, unsigned *ret_bits)
{
    struct der seq, oid;
    unsigned bits = 0;

    if (der_whole(value, DER_SEQUENCE, &seq) != 0 || seq.len == 0)
        return -1;
    while (seq.len) {
        if (der_next(&seq, DER_OID, &oid) != 0)
            return -1;
        bits |= ext_eku_oid_bit(oid);
    }
    *ret_bits = bits;
    return 0;
}

/* RFC 5280 4.2.1.2 */
int ext_read_ski(struct der value, struct der *ret_id)
{
    return der_whole(value, DER_OCTET_STRING, ret_id) == 0 && ret_id->len ? 0 : -1;
}

/* RFC 5280 4.2.1.1: [0] keyIdentifier, [1] authorityCertIssuer, [2] authorityCertSerialNumber */
int ext_read_aki(struct der value, struct der *ret_id)
{
    struct der seq, c, id = {NULL, 0};
    int issuer, serial;

    if (der_whole(value, DER_SEQUENCE, &seq) != 0 || der_next_optional(&seq, DER_CONTEXT(0), &id) < 0)
        return -1;
    issuer = der_next_optional(&seq, DER_CONTEXT_CONSTRUCTED(1), &c);
    serial = der_next_optional(&seq, DER_CONTEXT(2), &c);
    if (issuer < 0 || serial < 0 || issuer != serial || seq.len != 0)
        return -1;
    *ret_id = id;
    return 0;
}

/* RFC 5280 4.2.1.13 in the form of BR 7.1.2.11.2. */
int ext_read_crl_dp(struct der value, struct der *ret_uri)
{
    struct der points, point, name, full, uri;

    if (der_whole(value, DER_SEQUENCE, &points) != 0 || der_next(&points, DER_SEQUENCE, &point) != 0 ||
        points.len || der_whole(point, DER_CONTEXT_CONSTRUCTED(0), &name) != 0 ||
        der_whole(name, DER_CONTEXT_CONSTRUCTED(0), &full) != 0 || der_whole(full, DER_CONTEXT(6), &uri) != 0)
        return -1;
    *ret_uri = uri;
    return 0;
}

/* --- writing --- */

void ext_close_oid(struct buf *b, size_t at, struct der oid, bool critical)
{
    AUTO_BUF head = BUF_INIT;

    der_close(b, at, DER_OCTET_STRING);
    der_add(&head, DER_OID, oid.p, oid.len);
    if (critical)
        der_add_bool(&head, true);
    b->failed |= head.failed;
    if (b->failed)
        return;
    buf_insert(b, at, head.p, head.len);
    der_close(b, at, DER_SEQUENCE);
}

void ext_close(struct buf *b, size_t at, enum oid id, bool critical)
{
    ext_close_oid(b, at, oid_der(id), critical);
}

void ext_add_bc(struct buf *b, bool ca, int pathlen)
{
    size_t at = der_open(b);

    if (ca)
        der_add_bool(b, true);
    if (pathlen >= 0)
        der_add_uint(b, (unsigned)pathlen);
    der_close(b, at, DER_SEQUENCE);
}

void ext_add_ku(struct buf *b, unsigned bits)
{
    uint8_t octets[2] = {0, (uint8_t)bits};

    while (octets[0] < 7 && !(bits >> octets[0] & 1))
        octets[0]++;
    der_add(b, DER_BIT_STRING, octets, sizeof(octets));
}

void ext_add_eku(struct buf *b, unsigned bits, struct der others)
{
    size_t i, at = der_open(b);

    for (i = 0; i < N_EKUS; i++) {
        if (bits & ekus[i].bit)
            oid_add(b, ekus[i].oid);
    }
    der_add_raw(b, others);
    der_close(b, at, DER_SEQUENCE);
}

void ext_add_crl_dp(struct buf *b, const char *uri)
{
    size_t at = der_open(b);

    der_add(b, DER_CONTEXT(6), uri, strlen(uri));
    der_close(b, at, DER_CONTEXT_CONSTRUCTED(0)); /* fullName */
    der_close(b, at, DER_CONTEXT_CONSTRUCTED(0)); /* distributionPoint */
    der_close(b, at, DER_SEQUENCE);
    der_close(b, at, DER_SEQUENCE);
}

/* --- words --- */

static void add_word(char dst[EXT_TEXT], const char *word)
{
    size_t len = strlen(dst);

    snprintf(dst + len, EXT_TEXT - len, "%s%s", len ? ", " : "", word);
}

static const char *const ku_words[] = {"digitalSignature", "nonRepudiation", "keyEncipherment",
    "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly"};

const char *ext_ku_text(unsigned bits, char dst[EXT_TEXT])
{
    size_t i;

    dst[0] = '\0';
    for (i = 0; i < 8; i++) {
        if (bits & 0x80u >> i)
            add_word(dst, ku_words[i]);
    }
    if (bits & 0x100)
        add_word(dst, "decipherOnly");
    if (!dst[0])
        add_word(dst, "nothing");
    return dst;
}

const char *ext_eku_text(unsigned bits, char dst[EXT_TEXT])
{
    size_t i;

    dst[0] = '\0';
    for (i = 0; i < N_EKUS; i++) {
        if (bits & ekus[i].bit)
            add_word(dst, oid_name(ekus[i].oid));
    }
    if (bits & EKU_OTHER)
        add_word(dst, "others");
    if (!dst[0])
        add_word(dst, "nothing");
    return dst;
}

unsigned ext_ku_bit(const char *name)
{
    size_t i;

    for (i = 0; i < 7; i++) { /* encipherOnly says nothing without keyAgreement, and nobody asks for it */
        if (strcmp(ku_words[i], name) == 0)
            return 0x80u >> i;
    }
    return 0;
}

unsigned ext_eku_bit(const char *name)
{
    size_t i;

    for (i = 0; i < N_EKUS; i++) {
        if (strcmp(oid_name(ekus[i].oid), name) == 0)
            return ekus[i].bit;
    }
    return 0;
}
