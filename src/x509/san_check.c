#include "x509/san_check.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static const char *check_label(const char *p, size_t len)
{
    size_t i;

    if (len == 0)
        return "labels of at least one character (no dot at either end)";
    if (len > 63)
        return "labels of at most 63 characters";
    for (i = 0; i < len; i++) {
        if (!is_alpha(p[i]) && !is_digit(p[i]) && p[i] != '-')
            return "labels of letters, digits and hyphens (others in their xn-- form)";
    }
    if (p[0] == '-' || p[len - 1] == '-')
        return "labels that begin and end with a letter or digit";
    return NULL;
}

static const char *check_host(const char *text, size_t len)
{
    const char *p = text, *end = text + len, *dot, *fault;

    if (len > 253)
        return "at most 253 characters";
    for (;; p = dot + 1) {
        dot = memchr(p, '.', (size_t)(end - p));
        fault = check_label(p, (size_t)((dot ? dot : end) - p));
        if (fault || !dot)
            return fault;
    }
}

const char *san_check_dns(const char *text, size_t len)
{
    struct in_addr v4;

    if (len > 2 && text[0] == '*' && text[1] == '.') {
        if (!memchr(text + 2, '.', len - 2))
            return "a wildcard below a domain of two labels or more";
        return check_host(text + 2, len - 2);
    }
    if (memchr(text, '*', len))
        return "a wildcard only as the complete left-most label";
    if (inet_pton(AF_INET, text, &v4) == 1)
        return "a host name (an address is an IP name)";
    return check_host(text, len);
}

/* SPIFFE-ID 2.1 and 2.2: lower-case trust domain without port or user, plain path segments. */
static const char *check_spiffe(const char *rest, size_t len)
{
    const char *p = rest + 2, *end = rest + len, *start;

    if (len < 3 || strncmp(rest, "//", 2) != 0)
        return "spiffe://TRUST-DOMAIN/PATH";
    for (start = p; p < end && *p != '/'; p++) {
        if (!(*p >= 'a' && *p <= 'z') && !is_digit(*p) && !strchr(".-_", *p))
            return "a SPIFFE trust domain of lower-case letters, digits, dot, dash, underscore";
    }
    if (p == start || p - start > 255)
        return "a SPIFFE trust domain of 1 to 255 characters";
    while (p < end) {
        for (start = ++p; p < end && *p != '/'; p++) {
            if (!is_alpha(*p) && !is_digit(*p) && !strchr(".-_", *p))
                return "SPIFFE path segments of letters, digits, dot, dash, underscore";
        }
        if (p == start || (p - start == 1 && *start == '.') ||
            (p - start == 2 && start[0] == '.' && start[1] == '.'))
            return "SPIFFE path segments that are not empty, . or ..";
    }
    return NULL;
}

/* The characters RFC 3986 2 allows. */
static const char *check_uri_chars(const char *text, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        if (text[i] <= 0x20 || text[i] >= 0x7f || strchr("\"<>\\^`{|}", text[i]))
            return "the characters of RFC 3986 (others as %XX)";
        if (text[i] == '%' && (len - i < 3 || !is_hex(text[i + 1]) || !is_hex(text[i + 2])))
            return "two hexadecimal digits after %";
    }
    return NULL;
}

const char *san_check_uri(const char *text, size_t len)
{
    const char *fault = check_uri_chars(text, len), *colon = memchr(text, ':', len), *p, *rest;
    size_t left;

    if (fault)
        return fault;
    if (len > LIMIT_URI)
        return "at most 2048 characters";
    if (!colon || !is_alpha(text[0]))
        return "an absolute URI (scheme:...)";
    for (p = text; p < colon; p++) {
        if (!is_alpha(*p) && !is_digit(*p) && !strchr("+-.", *p))
            return "an absolute URI (scheme:...)";
    }
    rest = colon + 1;
    left = len - (size_t)(rest - text);
    if (left == 0)
        return "something after the scheme";
    if (colon - text == 6 && strncasecmp(text, "spiffe", 6) == 0)
        return check_spiffe(rest, left);
    if (left >= 2 && strncmp(rest, "//", 2) == 0 && (left == 2 || strchr("/?#", rest[2])))
        return "a host after //";
    return NULL;
}

const char *san_check_email(const char *text, size_t len)
{
    const char *at = memchr(text, '@', len), *p;

    if (!at || memchr(at + 1, '@', len - (size_t)(at + 1 - text)))
        return "one @";
    if (at == text || at - text > 64 || len > 254)
        return "1 to 64 characters before the @, 254 in all";
    for (p = text; p < at; p++) {
        if (*p <= 0x20 || *p >= 0x7f || strchr("\"(),:;<>[\\]", *p))
            return "visible ASCII without quotes or brackets before the @";
    }
    if (*text == '.' || at[-1] == '.' || memmem(text, (size_t)(at - text), "..", 2))
        return "no dot at either end before the @, and no two in a row";
    return check_host(at + 1, len - (size_t)(at + 1 - text));
}
