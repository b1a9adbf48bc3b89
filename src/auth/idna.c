/*
 * Host names for those who link libp11ca-auth.a alone: A-labels, as they stand in certificates. What a CA signed is
 * compared octet by octet; whether a label leads back to letters of some script, it has checked, or nobody. So services
 * need no libidn2. The program, which issues, has x509/idna.c.
 */
#include "x509/idna.h"

bool idna_is_ascii(const char *text, size_t len)
{
    size_t i = 0;

    while (i < len && !(text[i] & 0x80))
        i++;
    return i == len;
}

const char *idna_to_ascii(const char *host, size_t len, struct buf *ret)
{
    if (!idna_is_ascii(host, len))
        return "A-labels, have other characters";
    buf_add(ret, host, len);
    return NULL;
}

bool idna_check(const char *host, size_t len)
{
    (void)host;
    (void)len;
    return true;
}
