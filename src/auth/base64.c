#include "auth/base64.h"

#include <string.h>

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64url_of_sha256(const uint8_t sha256[P11CA_SHA256], char ret[P11CA_THUMBPRINT])
{
    size_t i, bit;

    for (i = 0; i < P11CA_THUMBPRINT - 1; i++) {
        bit = 6 * i;
        ret[i] = url[(sha256[bit / 8] << 8 | (bit / 8 + 1 < P11CA_SHA256 ? sha256[bit / 8 + 1] : 0)) >>
                         (10 - bit % 8) &
                     63];
    }
    ret[i] = '\0';
}

static int value_of(const char *alphabet, char c)
{
    const char *at = c ? strchr(alphabet, c) : NULL;

    return at ? (int)(at - alphabet) : -1;
}

/* Digits without padding: len mod 4 is not 1. Bits that make no octet must be zero. */
static int decode(const char *alphabet, const char *text, size_t len, struct buf *ret)
{
    uint32_t bits = 0;
    unsigned n = 0;
    size_t i;
    int v;

    for (i = 0; i < len; i++) {
        v = value_of(alphabet, text[i]);
        if (v < 0)
            return -1;
        bits = (bits << 6 | (uint32_t)v) & 0xffff;
        n += 6;
        if (n >= 8) {
            n -= 8;
            buf_addc(ret, (uint8_t)(bits >> n));
        }
    }
    return n < 6 && (bits & ((1u << n) - 1)) == 0 && buf_ok(ret) ? 0 : -1;
}

int base64url_to_sha256(const char *text, size_t len, uint8_t ret[P11CA_SHA256])
{
    AUTO_BUF octets = BUF_INIT;

    if (len != P11CA_THUMBPRINT - 1 || decode(url, text, len, &octets) != 0 || octets.len != P11CA_SHA256)
        return -1;
    memcpy(ret, octets.p, P11CA_SHA256);
    return 0;
}

int base64_decode(const char *text, size_t len, struct buf *ret)
{
    size_t pad = 0;

    if (len % 4 != 0)
        return -1;
    while (pad < 2 && pad < len && text[len - pad - 1] == '=')
        pad++;
    return decode(standard, text, len - pad, ret);
}
