#include "x509/idna.h"

#include <idn2.h>
#include <string.h>
#include <strings.h>

#define FLAGS (IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL)

bool idna_is_ascii(const char *text, size_t len)
{
    size_t i = 0;

    while (i < len && !(text[i] & 0x80))
        i++;
    return i == len;
}

static void free_name(uint8_t **name)
{
    idn2_free(*name);
}
#define AUTO_NAME __attribute__((cleanup(free_name))) uint8_t *

/* libidn2 2.3 drops an underscore instead of refusing it (STD3): then the name without that rule is another. */
static const char *convert(const char *host, uint8_t **ret)
{
    AUTO_NAME loose = NULL;
    int rc = idn2_lookup_u8((const uint8_t *)host, ret, FLAGS | IDN2_USE_STD3_ASCII_RULES);

    if (rc == IDN2_OK)
        rc = idn2_lookup_u8((const uint8_t *)host, &loose, FLAGS);
    if (rc != IDN2_OK)
        return idn2_strerror(rc);
    return strcmp((char *)*ret, (char *)loose) == 0 ? NULL : "a character that host names do not have";
}

const char *idna_to_ascii(const char *host, size_t len, struct buf *ret)
{
    AUTO_BUF text = BUF_INIT;
    AUTO_NAME name = NULL;
    const char *fault;

    if (idna_is_ascii(host, len)) {
        buf_add(ret, host, len);
        return NULL;
    }
    buf_add(&text, host, len);
    if (!buf_str(&text))
        return "out of memory";
    fault = convert((char *)text.p, &name);
    if (!fault)
        buf_adds(ret, (char *)name);
    return fault;
}

/* Of one label. The library takes names in upper case, and gives them in lower. */
static bool check_label(const char *p, size_t len)
{
    AUTO_NAME back = NULL;
    AUTO_NAME unicode = NULL;
    char label[64], *text = NULL;

    if (len < 4 || strncasecmp(p, "xn--", 4) != 0)
        return true;
    if (len >= sizeof(label))
        return false;
    memcpy(label, p, len);
    label[len] = '\0';
    if (idn2_to_unicode_8z8z(label, &text, IDN2_NONTRANSITIONAL) != IDN2_OK)
        return false;
    unicode = (uint8_t *)text;
    return !idna_is_ascii(text, strlen(text)) && !convert(text, &back) &&
           strcasecmp((char *)back, label) == 0;
}

bool idna_check(const char *host, size_t len)
{
    const char *p = host, *end = host + len, *dot;

    for (;; p = dot + 1) {
        dot = memchr(p, '.', (size_t)(end - p));
        if (!check_label(p, (size_t)((dot ? dot : end) - p)))
            return false;
        if (!dot)
            return true;
    }
}
