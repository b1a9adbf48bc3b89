/*
 * Two that read one path differently are how rules are got around: what stands between reads "/a/%2e%2e/b" or "//b" or
 * "/b;x" as it is, the service behind it as "/b". Such a path is therefore none: every path has one spelling.
 */
#include "auth/path.h"

#include <string.h>

#include "base/limits.h"

/* RFC 3986 3.3 pchar, without ";", and as what stands in its place "%" and two digits. */
#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,=:@"

/* The first seven bits that must be encoded and lead nowhere else; of the others only those above 0x7f. */
#define ENCODED " \"#<>?[]^`{|}"

static int digit(char c)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *p = c ? strchr(digits, c) : NULL;

    return p ? (int)(p - digits) : -1;
}

static bool is_encoded(const char *p)
{
    int high = digit(p[1]), low = high < 0 ? -1 : digit(p[2]);

    return low >= 0 && (high >= 8 || (high >= 2 && strchr(ENCODED, high * 16 + low)));
}

/* A segment's text, up to the slash or the end. */
static const char *segment_fault(const char *p, size_t len)
{
    size_t i;

    if (len && len <= 2 && memcmp(p, "..", len) == 0)
        return "want no \".\" or \"..\" segments, have one";
    for (i = 0; i < len; i++) {
        if (p[i] == '%' && !is_encoded(p + i))
            return "want %XX for what cannot stand for itself, in upper case, have another";
        if (p[i] == '%')
            i += 2;
        else if (!strchr(PLAIN, p[i]))
            return "want RFC 3986 3.3 pchar without \";\", have another character";
    }
    return NULL;
}

/* "**" is the last one, or else it is a part of a segment like others. */
static bool is_wildcard(const char *p, size_t len)
{
    return (len == 1 && *p == '*') || strcmp(p, "**") == 0;
}

static const char *wildcard_fault(const char *p, size_t len)
{
    if (is_wildcard(p, len) || !memchr(p, '*', len))
        return NULL;
    return "want \"*\" as a whole segment only, \"**\" as the last one only";
}

static const char *fault(const char *path, bool pattern)
{
    const char *why = NULL;
    size_t len;

    if (*path != '/')
        return "want a path that begins with a slash, have something else";
    if (strlen(path) > LIMIT_PATH)
        return "want at most 2048 octets, have more";
    while (!why && *path) {
        len = strcspn(++path, "/");
        if (len == 0 && *path)
            return "want no empty segments, have one";
        why = pattern ? wildcard_fault(path, len) : NULL;
        why = why ? why : segment_fault(path, len);
        path += len;
    }
    return why;
}

const char *path_fault(const char *path)
{
    return fault(path, false);
}

const char *path_pattern_fault(const char *pattern)
{
    return fault(pattern, true);
}

/* other: what is compared is a pattern, too, whose "**" is no segment. */
static bool fits(const char *pattern, const char *path, bool slash, bool other)
{
    size_t want, len;

    for (;; pattern++, path++) {
        if (strcmp(pattern, "**") == 0)
            return true;
        if (other && strcmp(path, "**") == 0)
            return false;
        want = strcspn(pattern, "/");
        len = strcspn(path, "/");
        if (want == 1 && *pattern == '*' ? len == 0 : want != len || memcmp(pattern, path, len) != 0)
            return false;
        pattern += want;
        path += len;
        if (!*pattern)
            return !*path || (slash && strcmp(path, "/") == 0);
        if (!*path)
            return strcmp(pattern, "/**") == 0;
    }
}

bool path_fits(const char *pattern, const char *path, bool slash)
{
    return fits(pattern + 1, path + 1, slash, false);
}

bool path_covers(const char *a, const char *b, bool slash)
{
    return fits(a + 1, b + 1, slash, true);
}
