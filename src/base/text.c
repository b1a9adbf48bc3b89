#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/scope.h"

size_t text_utf8(const uint8_t *p, size_t len, uint32_t *ret_char)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t c;
    size_t n, i;

    if (len == 0)
        return 0;
    c = p[0];
    if (c < 0x80) {
        *ret_char = c;
        return 1;
    }
    if ((c & 0xe0) == 0xc0)
        n = 2, c &= 0x1f;
    else if ((c & 0xf0) == 0xe0)
        n = 3, c &= 0x0f;
    else if ((c & 0xf8) == 0xf0)
        n = 4, c &= 0x07;
    else
        return 0;
    if (n > len)
        return 0;
    for (i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *ret_char = c;
    return n;
}

bool text_is_control(uint32_t c)
{
    static const struct {
        uint32_t from, to;
    } table[] = {
        {0x00, 0x1f},     /* C0 */
        {0x7f, 0x9f},     /* DEL, C1 */
        {0xad, 0xad},     /* soft hyphen */
        {0x61c, 0x61c},   /* Arabic letter mark */
        {0x200b, 0x200f}, /* zero width, left-to-right and right-to-left mark */
        {0x2028, 0x202e}, /* line and paragraph separator, bidi embedding and override */
        {0x2060, 0x206f}, /* word joiner, bidi isolates */
        {0xfeff, 0xfeff}, /* byte order mark */
        {0xe0000, 0xe007f},
    };
    size_t i;

    if (c >= ' ' && c < 0x7f)
        return false; /* nearly all there is */
    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (c >= table[i].from && c <= table[i].to)
            return true;
    }
    return false;
}

void text_escape(const char *src, size_t len, char *dst, size_t size)
{
    const uint8_t *p = (const uint8_t *)src;
    size_t out = 0, i = 0, n, k;
    uint32_t c = 0;

    while (i < len) {
        n = text_utf8(p + i, len - i, &c);
        if (n == 0 || text_is_control(c)) {
            n = n ? n : 1;
            if (out + 4 * n + 1 > size)
                break;
            for (k = 0; k < n; k++, out += 4)
                snprintf(dst + out, 5, "\\x%02x", p[i + k]);
        } else {
            if (out + n + 1 > size)
                break;
            memcpy(dst + out, p + i, n);
            out += n;
        }
        i += n;
    }
    if (size)
        dst[out] = '\0';
}

void text_add_lines(struct buf *b, const char *text)
{
    size_t len, size;

    for (; *text; text += len) {
        len = strcspn(text, "\n\t");
        if (len == 0) {
            buf_addc(b, *text == '\n' ? '\n' : ' ');
            len = 1;
            continue;
        }
        size = 4 * len + 1;
        AUTO_STR safe = malloc(size);
        if (!safe) {
            b->failed = true;
            return;
        }
        text_escape(text, len, safe, size);
        buf_adds(b, safe);
    }
}

static void hex(const char digit[static 16], const uint8_t *p, size_t len, char *dst)
{
    size_t i;

    for (i = 0; i < len; i++) {
        dst[2 * i] = digit[p[i] >> 4];
        dst[2 * i + 1] = digit[p[i] & 15];
    }
    dst[2 * len] = '\0';
}

void text_hex(const uint8_t *p, size_t len, char *dst)
{
    hex("0123456789ABCDEF", p, len, dst);
}

void text_hex_lower(const uint8_t *p, size_t len, char *dst)
{
    hex("0123456789abcdef", p, len, dst);
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int text_unhex(const char *hex, uint8_t *dst, size_t max)
{
    size_t len = strlen(hex), i;
    int hi, lo;

    if (len % 2 || len / 2 > max)
        return -1;
    for (i = 0; i < len / 2; i++) {
        hi = nibble(hex[2 * i]);
        lo = nibble(hex[2 * i + 1]);
        if (hi < 0 || lo < 0)
            return -1;
        dst[i] = (uint8_t)(hi << 4 | lo);
    }
    return (int)(len / 2);
}

void text_time(int64_t t, char dst[TEXT_TIME])
{
    time_t when = (time_t)t;
    struct tm tm;

    if (!gmtime_r(&when, &tm) || strftime(dst, TEXT_TIME, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        snprintf(dst, TEXT_TIME, "?");
}

int text_time_read(const char *text, int64_t *ret)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    char again[TEXT_TIME];
    int64_t t;

    if (!end || *end)
        return -1;
    t = timegm(&tm);
    text_time(t, again);
    if (t <= 0 || strcmp(text, again) != 0)
        return -1;
    *ret = t;
    return 0;
}
