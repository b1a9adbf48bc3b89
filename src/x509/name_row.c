#include "x509/name_row.h"

#include <string.h>
#include <strings.h>

/*
 * What a name may hold. String types and upper bounds: RFC 5280 appendix A.1 (ub-*); where it has none, X.520
 * and RFC 4519. Text is written as UTF8String where two types are allowed.
 */
static const struct name_row attrs[] = {
    {OID_CN, "commonName", 0, true, 64},
    {OID_ORGANIZATION, "organizationName", 0, false, 64},
    {OID_UNIT, "organizationalUnitName", 0, false, 64},
    {OID_COUNTRY, "countryName", DER_PRINTABLE_STRING, true, 2},
    {OID_LOCALITY, "localityName", 0, false, 128},
    {OID_STATE, "stateOrProvinceName", 0, false, 128},
    {OID_STREET, "streetAddress", 0, false, 128},
    {OID_SERIAL_NUMBER, NULL, DER_PRINTABLE_STRING, true, 64},
    {OID_TITLE, NULL, 0, false, 64},
    {OID_DN_QUALIFIER, NULL, DER_PRINTABLE_STRING, false, 64},
    {OID_PSEUDONYM, NULL, 0, false, 128},
    {OID_DOMAIN_COMPONENT, "domainComponent", DER_IA5_STRING, false, 63},
    {OID_EMAIL_ADDRESS, "email", DER_IA5_STRING, false, 255},
    {OID_GIVEN_NAME, "givenName", 0, false, 128},
    {OID_SURNAME, "surname", 0, false, 128},
    {OID_USER_ID, "userId", 0, false, 256},
};
#define N_ATTRS (sizeof(attrs) / sizeof(attrs[0]))

/* Attributes of one's own arc: any text. */
static const struct name_row other = {OID_NONE, NULL, 0, false, 255};

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
