#include "x509/name_row.h"

#include <string.h>
#include <strings.h>

#define OURS "limit of this CA" /* where RFC 5280 has ub-name, 32768, or nothing */

/*
 * What a name may hold. String types and upper bounds: RFC 5280 appendix A.1 (ub-*), or the source beside them. Text
 * is written as UTF8String where two types are allowed.
 */
static const struct name_row attrs[] = {
    {OID_CN, "commonName", 0, true, 64, NULL, NAME_TEXT},
    {OID_ORGANIZATION, "organizationName", 0, false, 64, NULL, NAME_TEXT},
    {OID_UNIT, "organizationalUnitName", 0, false, 64, NULL, NAME_TEXT},
    {OID_COUNTRY, "countryName", DER_PRINTABLE_STRING, true, 2, NULL, NAME_LETTERS2},
    {OID_LOCALITY, "localityName", 0, false, 128, NULL, NAME_TEXT},
    {OID_STATE, "stateOrProvinceName", 0, false, 128, NULL, NAME_TEXT},
    {OID_STREET, "streetAddress", 0, false, 128, "X.520 ub-street-address", NAME_TEXT},
    {OID_POSTAL_CODE, NULL, 0, false, 40, "X.520 ub-postal-code", NAME_TEXT},
    {OID_SERIAL_NUMBER, NULL, DER_PRINTABLE_STRING, true, 64, NULL, NAME_TEXT},
    {OID_TITLE, NULL, 0, false, 64, NULL, NAME_TEXT},
    {OID_DN_QUALIFIER, NULL, DER_PRINTABLE_STRING, false, 64, OURS, NAME_TEXT},
    {OID_PSEUDONYM, NULL, 0, false, 128, NULL, NAME_TEXT},
    {OID_DOMAIN_COMPONENT, "domainComponent", DER_IA5_STRING, false, 63, "RFC 1034 3.1", NAME_TEXT},
    {OID_EMAIL_ADDRESS, "email", DER_IA5_STRING, false, 255, NULL, NAME_TEXT},
    {OID_GIVEN_NAME, "givenName", 0, false, 128, OURS, NAME_TEXT},
    {OID_SURNAME, "surname", 0, false, 128, OURS, NAME_TEXT},
    {OID_INITIALS, NULL, 0, false, 128, OURS, NAME_TEXT},
    {OID_USER_ID, "userId", 0, false, 256, "RFC 1274 ub-user-identifier", NAME_TEXT},
    {OID_ORGANIZATION_ID, NULL, 0, true, 128, OURS, NAME_TEXT},
    /* Vendor and product of Matter: one of each, or a verifier could read another than the issuer meant. */
    {OID_MATTER_VID, NULL, 0, true, 4, NULL, NAME_HEX4},
    {OID_MATTER_PID, NULL, 0, true, 4, NULL, NAME_HEX4},
};
#define N_ATTRS (sizeof(attrs) / sizeof(attrs[0]))

/* Attributes of one's own arc: any text. */
static const struct name_row other = {OID_NONE, NULL, 0, false, 255, OURS, NAME_TEXT};

const struct name_row *name_row_of(struct der oid)
{
    enum oid id = oid_find(oid);
    size_t i;

    for (i = 0; id != OID_NONE && i < N_ATTRS; i++) {
        if (attrs[i].oid == id)
            return &attrs[i];
    }
    return &other;
}

unsigned name_row_index(const struct name_row *row)
{
    return (unsigned)(row - attrs);
}

const struct name_row *name_row_find(const char *word, size_t len, struct buf *oid)
{
    size_t i;

    for (i = 0; i < N_ATTRS; i++) {
        const char *name = oid_name(attrs[i].oid), *alias = attrs[i].alias;

        if ((strlen(name) == len && strncasecmp(name, word, len) == 0) ||
            (alias && strlen(alias) == len && strncasecmp(alias, word, len) == 0)) {
            buf_add(oid, oid_der(attrs[i].oid).p, oid_der(attrs[i].oid).len);
            return &attrs[i];
        }
    }
    return oid_from_dotted(word, len, oid) == 0 && oid->len ? name_row_of(der_buf(oid)) : NULL;
}

void name_row_list(struct buf *ret)
{
    size_t i;

    for (i = 0; i < N_ATTRS; i++)
        buf_addf(ret, "%s%s", i ? ", " : "", oid_name(attrs[i].oid));
}
