#include "x509/ext_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "x509/oid.h"

static int wrong(enum ext_type type, const char *want, struct p11ca_err *err)
{
    return err_set(
        err, P11CA_REFUSED, "EXT_VALUE", "private extension: %s: want %s", ext_type_name(type), want);
}

/* --- strings --- */

static bool is_printable(uint32_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c < 0x80 && c && strchr(" '()+,-./:=?", (int)c));
}

static const char *check_char(enum ext_type type, uint32_t c)
{
    if (text_is_control(c))
        return "visible text, have a control character in it";
    if (type == EXT_IA5 && c > 0x7f)
        return "ASCII characters, have another";
    if (type == EXT_PRINTABLE && !is_printable(c))
        return "PrintableString characters (letters, digits, space ' ( ) + , - . / : = ?), have another";
    return NULL;
}

static int check_string(enum ext_type type, struct der text, struct p11ca_err *err)
{
    size_t at, step;
    uint32_t c = 0;
    const char *fault;

    if (text.len == 0)
        return wrong(type, "at least one character", err);
    for (at = 0; at < text.len; at += step) {
        step = text_utf8(text.p + at, text.len - at, &c);
        fault = step ? check_char(type, c) : "UTF-8, have other octets";
        if (fault)
            return wrong(type, fault, err);
    }
    return 0;
}

static int make_string(enum ext_type type, const char *text, struct buf *ret, struct p11ca_err *err)
{
    static const uint8_t tags[] = {
        [EXT_UTF8] = DER_UTF8_STRING, [EXT_IA5] = DER_IA5_STRING, [EXT_PRINTABLE] = DER_PRINTABLE_STRING};

    if (check_string(type, DER_OF((const uint8_t *)text, strlen(text)), err) != 0)
        return -1;
    der_add(ret, tags[type], text, strlen(text));
    return 0;
}

static int show_string(enum ext_type type, struct der c, struct buf *ret, struct p11ca_err *err)
{
    if (check_string(type, c, err) != 0)
        return -1;
    buf_add(ret, c.p, c.len);
    return 0;
}

/* --- octets and DER --- */

static void show_hex(struct der c, struct buf *ret)
{
    char pair[3];
    size_t i;

    for (i = 0; i < c.len; i++) {
        text_hex(c.p + i, 1, pair);
        buf_adds(ret, pair);
    }
}

static int take_hex(enum ext_type type, const char *text, struct buf *ret, struct p11ca_err *err)
{
    uint8_t octet;

    for (; *text; text += 2) {
        char pair[3] = {text[0], text[1], '\0'};

        if (text_unhex(pair, &octet, 1) != 1)
            return wrong(type, "pairs of hexadecimal digits", err);
        buf_addc(ret, octet);
    }
    return buf_ok(ret) ? 0 : err_nomem(err);
}

static int make_octets(enum ext_type type, const char *text, struct buf *ret, struct p11ca_err *err)
{
    if (take_hex(type, text, ret, err) != 0)
        return -1;
    der_close(ret, 0, DER_OCTET_STRING);
    return 0;
}

static int show_octets(enum ext_type type, struct der c, struct buf *ret, struct p11ca_err *err)
{
    (void)type, (void)err;
    show_hex(c, ret);
    return 0;
}

static int make_der(enum ext_type type, const char *text, struct buf *ret, struct p11ca_err *err)
{
    struct p11ca_err why;

    if (take_hex(type, text, ret, err) != 0)
        return -1;
    if (der_check(der_buf(ret), DER_MAX_DEPTH, "value", &why) != 0)
        return err_set(err, P11CA_REFUSED, "EXT_VALUE", "private extension: DER: %s", why.msg);
    return 0;
}

/* --- INTEGER, BOOLEAN, NULL --- */

static int make_integer(enum ext_type type, const char *text, struct buf *ret, struct p11ca_err *err)
{
    static const char want[] = "a decimal number of 64 bits";
    const char *digits = text + (*text == '-');
    size_t skip = 0, n = strspn(digits, "0123456789");
    uint8_t be[8];
    long long v;

    if (n == 0 || digits[n] || (*digits == '0' && (n > 1 || *text == '-')))
        return wrong(type, want, err);
    errno = 0;
    v = strtoll(text, NULL, 10);
    if (errno)
        return wrong(type, want, err);
    for (n = 0; n < sizeof(be); n++)
        be[n] = (uint8_t)((unsigned long long)v >> (56 - 8 * n));
    /* X.690 8.3.2: the first nine bits are not all the same */
    while (skip < 7 && be[skip] == (v < 0 ? 0xff : 0) && be[skip + 1] >> 7 == (v < 0))
        skip++;
    der_add(ret, DER_INTEGER, be + skip, sizeof(be) - skip);
    return 0;
}

static int show_integer(enum ext_type type, struct der c, struct buf *ret, struct p11ca_err *err)
{
    unsigned long long v;
    size_t i;

    if (c.len == 0 || c.len > 8)
        return wrong(type, "an integer of 64 bits", err);
    v = c.p[0] & 0x80 ? ~0ull : 0;
    for (i = 0; i < c.len; i++)
        v = v << 8 | c.p[i];
    buf_addf(ret, "%lld", (long long)v);
    return 0;
}

static int make_boolean(enum ext_type type, const char *text, struct buf *ret, struct p11ca_err *err)
{
    bool yes = strcmp(text, "TRUE") == 0;

    if (!yes && strcmp(text, "FALSE") != 0)
        return wrong(type, "TRUE or FALSE", err);
    der_add_bool(ret, yes);
    return 0;
}

static int show_boolean(enum ext_type type, struct der c, struct buf *ret, struct p11ca_err *err)
{
    (void)type, (void)err;
    buf_adds(ret, c.p[0] ? "TRUE" : "FALSE"); /* one octet: der_check() has seen it */
    return 0;
}

static int make_null(enum ext_type type, const char *text, struct buf *ret, struct p11ca_err *err)
{
    if (*text)
        return wrong(type, "no text", err);
    der_add(ret, DER_NULL, "", 0);
    return 0;
}

static int show_null(enum ext_type type, struct der c, struct buf *ret, struct p11ca_err *err)
{
    (void)type, (void)c, (void)ret, (void)err;
    return 0;
}

/* --- the table --- */

static const struct {
    const char *name;
    uint8_t tag; /* 0: any */
    int (*make)(enum ext_type type, const char *text, struct buf *ret, struct p11ca_err *err);
    int (*show)(enum ext_type type, struct der content, struct buf *ret, struct p11ca_err *err);
} types[EXT_TYPES] = {
    [EXT_UTF8] = {"UTF8String", DER_UTF8_STRING, make_string, show_string},
    [EXT_IA5] = {"IA5String", DER_IA5_STRING, make_string, show_string},
    [EXT_PRINTABLE] = {"PrintableString", DER_PRINTABLE_STRING, make_string, show_string},
    [EXT_OCTETS] = {"OCTET STRING", DER_OCTET_STRING, make_octets, show_octets},
    [EXT_INTEGER] = {"INTEGER", DER_INTEGER, make_integer, show_integer},
    [EXT_BOOLEAN] = {"BOOLEAN", DER_BOOLEAN, make_boolean, show_boolean},
    [EXT_NULL] = {"NULL", DER_NULL, make_null, show_null},
    [EXT_DER] = {"DER", 0, make_der, show_octets},
};

const char *ext_type_name(enum ext_type type)
{
    return types[type].name;
}

enum ext_type ext_type_find(const char *name)
{
    enum ext_type type = EXT_UTF8;

    while (type < EXT_TYPES && strcmp(types[type].name, name) != 0)
        type++;
    return type;
}

static bool starts_with(struct der oid, const char *arc, size_t len)
{
    return oid.len >= len && memcmp(oid.p, arc, len) == 0;
}

int ext_private_check_oid(struct der oid, struct p11ca_err *err)
{
    char name[OID_TEXT];

    if (starts_with(oid, "\x55\x1d", 2) || starts_with(oid, "\x2b\x06\x01\x05\x05\x07\x01", 7))
        return err_set(err, P11CA_REFUSED, "EXT_OID",
            "private extension %s: want an arc of your own, have one of RFC 5280 (2.5.29, 1.3.6.1.5.5.7.1)",
            oid_text(oid, name));
    if (oid_find(oid) != OID_NONE)
        return err_set(err, P11CA_REFUSED, "EXT_OID",
            "private extension %s: want an identifier of your own, have a known one", oid_text(oid, name));
    return 0;
}

int ext_private_oid(const char *dotted, struct buf *ret, struct p11ca_err *err)
{
    AUTO_BUF oid = BUF_INIT;
    char text[OID_TEXT];

    if (oid_from_dotted(dotted, strlen(dotted), &oid) != 0 ||
        (buf_ok(&oid) && oid_to_dotted(der_buf(&oid), text, sizeof(text)) != 0))
        return err_set(err, P11CA_REFUSED, "EXT_OID",
            "private extension '%.100s': want a dotted object identifier", dotted);
    if (!buf_ok(&oid))
        return err_nomem(err);
    if (ext_private_check_oid(der_buf(&oid), err) != 0)
        return -1;
    buf_add(ret, oid.p, oid.len);
    return buf_ok(ret) ? 0 : err_nomem(err);
}

static int check_cap(enum ext_type type, size_t len, size_t cap, struct p11ca_err *err)
{
    if (len <= cap)
        return 0;
    return err_set(err, P11CA_REFUSED, "EXT_TOO_LONG",
        "private extension: %s: want a value of at most %zu octets, have %zu", types[type].name, cap, len);
}

int ext_private_make(enum ext_type type, const char *text, size_t cap, struct buf *ret, struct p11ca_err *err)
{
    AUTO_BUF value = BUF_INIT;

    if (types[type].make(type, text, &value, err) != 0)
        return -1;
    if (!buf_ok(&value))
        return err_nomem(err);
    if (check_cap(type, value.len, cap, err) != 0)
        return -1;
    buf_add(ret, value.p, value.len);
    return buf_ok(ret) ? 0 : err_nomem(err);
}

int ext_private_read(enum ext_type type, struct der value, size_t cap, struct buf *ret, struct p11ca_err *err)
{
    struct p11ca_err why;
    AUTO_BUF text = BUF_INIT;
    struct der content = value;

    if (check_cap(type, value.len, cap, err) != 0)
        return -1;
    if (der_check(value, DER_MAX_DEPTH, "value", &why) != 0)
        return err_set(
            err, P11CA_REFUSED, "EXT_VALUE", "private extension: %s: %s", types[type].name, why.msg);
    if (types[type].tag && der_whole(value, types[type].tag, &content) != 0)
        return wrong(type, "a value of this type, have another", err);
    if (types[type].show(type, content, &text, err) != 0)
        return -1;
    buf_add(ret, text.p, text.len);
    return buf_ok(&text) && buf_ok(ret) ? 0 : err_nomem(err);
}
