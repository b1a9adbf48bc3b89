#include "x509/san_check.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/text.h"

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

/* RFC 1123 2.1: the last label is not all digits, or the host would look like an address to somebody. */
static const char *check_last_label(const char *p, const char *end)
{
    while (p < end && is_digit(*p))
        p++;
    return p < end ? NULL : "a last label that is not a number";
}

const char *san_check_host(const char *text, size_t len)
{
    const char *p = text, *end = text + len, *dot, *fault;

    if (len > 253)
        return "at most 253 characters";
    for (;; p = dot + 1) {
        dot = memchr(p, '.', (size_t)(end - p));
        fault = check_label(p, (size_t)((dot ? dot : end) - p));
        if (fault)
            return fault;
        if (!dot)
            return check_last_label(p, end);
    }
}

const char *san_check_dns(const char *text, size_t len)
{
    struct in_addr v4;

    if (len > 2 && text[0] == '*' && text[1] == '.') {
        if (!memchr(text + 2, '.', len - 2))
            return "a wildcard below a domain of two labels or more";
        return san_check_host(text + 2, len - 2);
    }
    if (memchr(text, '*', len))
        return "a wildcard only as the complete left-most label";
    if (inet_pton(AF_INET, text, &v4) == 1)
        return "a host name (an address is an IP name)";
    return san_check_host(text, len);
}

bool san_uri_is(const char *text, const char *scheme)
{
    return strncasecmp(text, scheme, strlen(scheme)) == 0;
}

/* SPIFFE-ID 2.2: plain path segments, no empty one, no way up. */
static const char *check_spiffe_path(const char *p, const char *end)
{
    const char *start;

    while (p < end) {
        for (start = ++p; p < end && *p != '/'; p++) {
            if (!is_alpha(*p) && !is_digit(*p) && !strchr(".-_", *p))
                return "path segments of letters, digits, dot, dash, underscore";
        }
        if (p == start || (p - start == 1 && *start == '.') ||
            (p - start == 2 && start[0] == '.' && start[1] == '.'))
            return "path segments that are not empty, . or ..";
    }
    return NULL;
}

/* SPIFFE-ID 2.1 and 2.3: a lower-case trust domain without port or user; 2048 octets in all. */
const char *san_check_spiffe(const char *text, size_t len)
{
    const char *p, *end = text + len, *start;

    if (len > LIMIT_URI)
        return "at most 2048 octets";
    if (len < 10 || strncmp(text, "spiffe://", 9) != 0)
        return "spiffe://TRUST-DOMAIN/PATH";
    for (start = p = text + 9; p < end && *p != '/'; p++) {
        if (!(*p >= 'a' && *p <= 'z') && !is_digit(*p) && !strchr(".-_", *p))
            return "a trust domain of lower-case letters, digits, dot, dash, underscore";
    }
    if (p == start || p - start > 255)
        return "a trust domain of 1 to 255 characters";
    return check_spiffe_path(p, end);
}

const char *san_check_uuid(const char *text, size_t len)
{
    static const char want[] = "8-4-4-4-12 hexadecimal digits";
    size_t i;

    if (len != 36)
        return want;
    for (i = 0; i < len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? text[i] != '-' : !is_hex(text[i]))
            return want;
    }
    return NULL;
}

/* The characters RFC 3986 2 allows. */
static bool is_uri_char(char c)
{
    switch (c) {
    case '"':
    case '<':
    case '>':
    case '\\':
    case '^':
    case '`':
    case '{':
    case '|':
    case '}':
        return false;
    default:
        return c > 0x20 && c < 0x7f;
    }
}

static const char *check_uri_chars(const char *text, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        if (!is_uri_char(text[i]))
            return "the characters of RFC 3986 (others as %XX)";
        if (text[i] == '%' && (len - i < 3 || !is_hex(text[i + 1]) || !is_hex(text[i + 2])))
            return "two hexadecimal digits after %";
    }
    return NULL;
}

static bool is_address(int family, const char *text, size_t len)
{
    char copy[INET6_ADDRSTRLEN];
    uint8_t address[16];

    if (len >= sizeof(copy))
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    return inet_pton(family, copy, address) == 1;
}

static const char *check_port(const char *p, const char *end)
{
    unsigned long port = 0;

    if (p == end)
        return NULL;
    if (*p != ':' || end - p < 2 || end - p > 6)
        return "a port of 1 to 5 digits after the host";
    while (++p < end) {
        if (!is_digit(*p))
            return "a port of 1 to 5 digits after the host";
        port = port * 10 + (unsigned long)(*p - '0');
    }
    return port <= 65535 ? NULL : "a port of at most 65535";
}

/* RFC 3986 3.2 [userinfo@]host[:port]; by RFC 5280 4.2.1.6 the host is a whole name or an address. */
static const char *check_authority(const char *p, const char *end)
{
    const char *at = memchr(p, '@', (size_t)(end - p)), *stop, *fault;

    if (at && (memchr(at + 1, '@', (size_t)(end - at - 1)) || memchr(p, '[', (size_t)(at - p)) ||
                  memchr(p, ']', (size_t)(at - p))))
        return "one @ before the host, and no brackets there";
    p = at ? at + 1 : p;
    if (p < end && *p == '[') {
        stop = memchr(p, ']', (size_t)(end - p));
        if (!stop || !is_address(AF_INET6, p + 1, (size_t)(stop - p - 1)))
            return "an IPv6 address in the brackets";
        return check_port(stop + 1, end);
    }
    stop = memchr(p, ':', (size_t)(end - p));
    if (!stop)
        stop = end;
    if (stop == p)
        return "a host after //";
    fault = is_address(AF_INET, p, (size_t)(stop - p)) ? NULL : san_check_host(p, (size_t)(stop - p));
    return fault ? fault : check_port(stop, end);
}

/* RFC 3986 3.3 to 3.5: brackets stand around addresses only, and the fragment has no # in it. */
static const char *check_rest(const char *p, const char *end)
{
    const char *hash = memchr(p, '#', (size_t)(end - p));

    if (memchr(p, '[', (size_t)(end - p)) || memchr(p, ']', (size_t)(end - p)))
        return "no brackets but around an address (others as %5B and %5D)";
    return hash && memchr(hash + 1, '#', (size_t)(end - hash - 1)) ? "one # at most" : NULL;
}

/* What follows the scheme. SPIFFE IDs have a grammar of their own, wider here: a trust domain is no host. */
static const char *check_hier_part(const char *text, const char *p, const char *end)
{
    const char *stop, *fault = NULL;

    if (end - p >= 2 && strncmp(p, "//", 2) == 0) {
        p += 2;
        for (stop = p; stop < end && !strchr("/?#", *stop);)
            stop++;
        if (!san_uri_is(text, "spiffe:"))
            fault = check_authority(p, stop);
        p = stop;
    }
    return fault ? fault : check_rest(p, end);
}

const char *san_check_uri(const char *text, size_t len)
{
    const char *fault = check_uri_chars(text, len), *colon = memchr(text, ':', len), *p;

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
    if (colon + 1 == text + len)
        return "something after the scheme";
    return check_hier_part(text, colon + 1, text + len);
}

bool san_uri_host(const char *text, size_t len, const char **ret_host, size_t *ret_len)
{
    const char *end = text + len, *p = memchr(text, ':', len), *at, *stop;

    if (!p || end - p < 3 || strncmp(p, "://", 3) != 0)
        return false;
    p += 3;
    for (stop = p; stop < end && !strchr("/?#", *stop);)
        stop++;
    at = memrchr(p, '@', (size_t)(stop - p));
    if (at)
        p = at + 1;
    if (p < stop && *p == '[')
        return false;
    at = memchr(p, ':', (size_t)(stop - p));
    *ret_host = p;
    *ret_len = (size_t)((at ? at : stop) - p);
    return *ret_len > 0;
}

/* What is common to addresses: one @, and how long the parts are. */
static const char *check_parts(const char *text, size_t len, const char **ret_at)
{
    const char *at = memchr(text, '@', len);

    if (!at || memchr(at + 1, '@', len - (size_t)(at + 1 - text)))
        return "one @";
    if (at == text || at - text > 64 || len > 254)
        return "1 to 64 characters before the @, 254 in all";
    *ret_at = at;
    return NULL;
}

/* RFC 5321 4.1.2 Dot-string. */
static const char *check_dots(const char *text, const char *at)
{
    if (*text == '.' || at[-1] == '.' || memmem(text, (size_t)(at - text), "..", 2))
        return "no dot at either end before the @, and no two in a row";
    return NULL;
}

const char *san_check_email(const char *text, size_t len)
{
    const char *at, *p, *fault = check_parts(text, len, &at);

    if (fault)
        return fault;
    for (p = text; p < at; p++) {
        if (*p <= 0x20 || *p >= 0x7f || strchr("\"(),:;<>[\\]", *p))
            return "visible ASCII without quotes or brackets before the @";
    }
    fault = check_dots(text, at);
    return fault ? fault : san_check_host(at + 1, len - (size_t)(at + 1 - text));
}

/* Visible text without spaces; *ret_ascii: nothing but ASCII. The caller knows that it is UTF-8. */
static bool is_visible(const char *text, size_t len, bool *ret_ascii)
{
    size_t at, step;
    uint32_t c;

    *ret_ascii = true;
    for (at = 0; at < len; at += step) {
        step = text_utf8((const uint8_t *)text + at, len - at, &c);
        if (step == 0 || text_is_control(c) || c == ' ' || c == 0xa0 || c == 0x3000)
            return false;
        *ret_ascii &= step == 1;
    }
    return true;
}

const char *san_check_smtputf8(const char *text, size_t len)
{
    const char *at, *p, *fault = check_parts(text, len, &at);
    bool ascii;

    if (fault)
        return fault;
    if (!is_visible(text, (size_t)(at - text), &ascii))
        return "visible text without spaces and byte order mark before the @";
    if (ascii)
        return "a character that is not ASCII before the @ (others are e-mail addresses)";
    for (p = text; p < at; p++) {
        if (strchr("\"(),:;<>[\\]", *p))
            return "text without quotes or brackets before the @";
    }
    fault = check_dots(text, at);
    return fault ? fault : san_check_host(at + 1, len - (size_t)(at + 1 - text));
}

const char *san_check_upn(const char *text, size_t len)
{
    const char *at = memchr(text, '@', len);
    bool ascii;

    if (!at || memchr(at + 1, '@', len - (size_t)(at + 1 - text)))
        return "one @";
    if (at == text || at == text + len - 1)
        return "text on both sides of the @";
    if (len > LIMIT_UPN)
        return "at most 1024 octets";
    return is_visible(text, len, &ascii) ? NULL : "visible text without spaces";
}

const char *san_check_srv(const char *text, size_t len)
{
    const char *dot = memchr(text, '.', len), *p;
    bool letter = false;

    if (*text != '_' || !dot)
        return "_service.name";
    if (dot - text < 2 || dot - text > 16)
        return "a service name of 1 to 15 characters";
    for (p = text + 1; p < dot; p++) {
        if (!is_alpha(*p) && !is_digit(*p) && (*p != '-' || p == text + 1 || p + 1 == dot || p[-1] == '-'))
            return "a service name of letters, digits, and hyphens between them";
        letter |= is_alpha(*p);
    }
    return letter ? san_check_host(dot + 1, len - (size_t)(dot + 1 - text)) : "a letter in the service name";
}
