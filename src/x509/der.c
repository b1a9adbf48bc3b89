#include "x509/der.h"

#include <string.h>

/* How a tag and length can be wrong, mildest last. */
enum fault {
    FINE,
    ENDS_EARLY,
    LONG_TAG,
    INDEFINITE,
    NOT_MINIMAL,
    TOO_DEEP,
    BAD_VALUE,
    NOT_CANONICAL,
};

/* A length in octets of its own. */
static enum fault read_long_header(struct der in, size_t *ret_header, size_t *ret_len)
{
    size_t n = in.p[1] & 0x7f, i, len = 0;

    if (n == 0)
        return INDEFINITE;
    if (n > in.len - 2)
        return ENDS_EARLY;
    if (in.p[2] == 0)
        return NOT_MINIMAL;
    if (n > 4)
        return ENDS_EARLY;
    for (i = 0; i < n; i++)
        len = len << 8 | in.p[2 + i];
    if (len < 0x80)
        return NOT_MINIMAL;
    *ret_header = 2 + n;
    *ret_len = len;
    return len <= in.len - 2 - n ? FINE : ENDS_EARLY;
}

/* Octets of the header; *ret_len is the content's length, within the slice. Inline: nothing else is done as often. */
static inline enum fault read_header(struct der in, size_t *ret_header, size_t *ret_len)
{
    if (in.len < 2)
        return ENDS_EARLY;
    if ((in.p[0] & 0x1f) == 0x1f)
        return LONG_TAG;
    if (in.p[1] & 0x80)
        return read_long_header(in, ret_header, ret_len);
    *ret_header = 2;
    *ret_len = in.p[1];
    return in.p[1] <= in.len - 2 ? FINE : ENDS_EARLY;
}

int der_next_tag(struct der *in, uint8_t *ret_tag, struct der *ret_content)
{
    size_t header, len;

    if (read_header(*in, &header, &len) != FINE)
        return -1;
    *ret_tag = in->p[0];
    *ret_content = DER_OF(in->p + header, len);
    *in = DER_OF(in->p + header + len, in->len - header - len);
    return 0;
}

int der_next(struct der *in, uint8_t tag, struct der *ret_content)
{
    uint8_t have;

    return in->len && in->p[0] == tag ? der_next_tag(in, &have, ret_content) : -1;
}

int der_next_any(struct der *in, struct der *ret_tlv)
{
    const uint8_t *start = in->p;
    struct der content;
    uint8_t tag;

    if (der_next_tag(in, &tag, &content) != 0)
        return -1;
    *ret_tlv = DER_OF(start, (size_t)(in->p - start));
    return 0;
}

int der_next_tlv(struct der *in, uint8_t tag, struct der *ret_tlv)
{
    return in->len && in->p[0] == tag ? der_next_any(in, ret_tlv) : -1;
}

int der_next_optional(struct der *in, uint8_t tag, struct der *ret_content)
{
    if (der_peek_tag(*in) != tag)
        return 0;
    return der_next(in, tag, ret_content) == 0 ? 1 : -1;
}

int der_whole(struct der tlv, uint8_t tag, struct der *ret_content)
{
    struct der content;

    if (der_next(&tlv, tag, &content) != 0 || tlv.len != 0)
        return -1;
    *ret_content = content;
    return 0;
}

int der_peek_tag(struct der in)
{
    return in.len ? in.p[0] : -1;
}

bool der_equal(struct der a, struct der b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

int der_next_bits(struct der *in, struct der *ret_octets)
{
    struct der rest = *in, bits;

    if (der_next(&rest, DER_BIT_STRING, &bits) != 0 || bits.len == 0 || bits.p[0] != 0)
        return -1;
    *ret_octets = DER_OF(bits.p + 1, bits.len - 1);
    *in = rest;
    return 0;
}

int der_next_uint(struct der *in, unsigned *ret)
{
    struct der rest = *in, c;
    unsigned v = 0;
    size_t i;

    if (der_next(&rest, DER_INTEGER, &c) != 0 || c.len == 0 || c.len > 4 || c.p[0] & 0x80)
        return -1;
    for (i = 0; i < c.len; i++)
        v = v << 8 | c.p[i];
    *ret = v;
    *in = rest;
    return 0;
}

/* Days since 1970 of a date in the Gregorian calendar; years begin in March so that leap days come last. */
static int64_t days_from_date(int y, int m, int d)
{
    int64_t era, yoe, doy;

    y -= m <= 2;
    era = y / 400;
    yoe = y - era * 400;
    doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void date_from_days(int64_t days, int *ret_y, int *ret_m, int *ret_d)
{
    int64_t z = days + 719468, era = z / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;

    *ret_d = (int)(doy - (153 * mp + 2) / 5 + 1);
    *ret_m = (int)(mp < 10 ? mp + 3 : mp - 9);
    *ret_y = (int)(yoe + era * 400 + (*ret_m <= 2));
}

static int two_digits(const uint8_t *p)
{
    return p[0] >= '0' && p[0] <= '9' && p[1] >= '0' && p[1] <= '9' ? (p[0] - '0') * 10 + p[1] - '0' : -1;
}

/* MMDDHHMMSSZ after a year. */
static int time_in_year(const uint8_t *p, int year, int64_t *ret)
{
    int f[5], y, m, d;
    int64_t days;
    size_t i;

    for (i = 0; i < 5; i++) {
        f[i] = two_digits(p + 2 * i);
        if (f[i] < 0)
            return -1;
    }
    if (p[10] != 'Z' || f[0] < 1 || f[0] > 12 || f[1] < 1 || f[1] > 31 || f[2] > 23 || f[3] > 59 || f[4] > 59)
        return -1;
    days = days_from_date(year, f[0], f[1]);
    date_from_days(days, &y, &m, &d);
    if (m != f[0] || d != f[1])
        return -1; /* the 30th of February */
    *ret = days * 86400 + f[2] * 3600 + f[3] * 60 + f[4];
    return 0;
}

int der_next_time(struct der *in, int64_t *ret, bool *ret_right)
{
    struct der rest = *in, c;
    int hi, lo, year;
    uint8_t tag;

    if (der_next_tag(&rest, &tag, &c) != 0)
        return -1;
    if (tag == DER_UTC_TIME && c.len == 13) {
        lo = two_digits(c.p);
        year = lo < 0 ? -1 : lo < 50 ? 2000 + lo : 1900 + lo;
    } else if (tag == DER_GENERALIZED_TIME && c.len == 15) {
        hi = two_digits(c.p);
        lo = two_digits(c.p + 2);
        year = hi < 0 || lo < 0 ? -1 : hi * 100 + lo;
    } else {
        return -1;
    }
    if (year < 1 || time_in_year(c.p + c.len - 11, year, ret) != 0)
        return -1;
    *ret_right = (tag == DER_GENERALIZED_TIME) == (year >= 2050);
    *in = rest;
    return 0;
}

/* --- canonical form --- */

static enum fault check_boolean(struct der c)
{
    if (c.len != 1)
        return BAD_VALUE;
    return c.p[0] == 0 || c.p[0] == 0xff ? FINE : NOT_CANONICAL;
}

static enum fault check_integer(struct der c)
{
    if (c.len == 0)
        return BAD_VALUE;
    if (c.len > 1 && ((c.p[0] == 0 && !(c.p[1] & 0x80)) || (c.p[0] == 0xff && c.p[1] & 0x80)))
        return NOT_CANONICAL;
    return FINE;
}

static enum fault check_bits(struct der c)
{
    if (c.len == 0 || c.p[0] > 7 || (c.len == 1 && c.p[0] != 0))
        return BAD_VALUE;
    return c.p[c.len - 1] & ((1u << c.p[0]) - 1) && c.len > 1 ? NOT_CANONICAL : FINE;
}

static enum fault check_null(struct der c)
{
    return c.len == 0 ? FINE : BAD_VALUE;
}

static enum fault check_oid(struct der c)
{
    bool first = true;
    size_t i;

    if (c.len == 0 || c.p[c.len - 1] & 0x80)
        return BAD_VALUE;
    for (i = 0; i < c.len; i++) {
        if (first && c.p[i] == 0x80)
            return NOT_CANONICAL;
        first = !(c.p[i] & 0x80);
    }
    return FINE;
}

static enum fault (*const primitive[32])(struct der) = {
    [DER_BOOLEAN] = check_boolean,
    [DER_INTEGER] = check_integer,
    [DER_ENUMERATED] = check_integer,
    [DER_BIT_STRING] = check_bits,
    [DER_NULL] = check_null,
    [DER_OID] = check_oid,
};

static enum fault check_one(struct der *in, unsigned depth, size_t *ret_left);

/* X.690 11.6. One TLV can be no prefix of another. */
static bool in_order(struct der before, struct der after)
{
    return memcmp(before.p, after.p, before.len < after.len ? before.len : after.len) <= 0;
}

bool der_in_order(struct der content)
{
    struct der before = {NULL, 0}, one;

    for (; content.len; before = one) {
        if (der_next_any(&content, &one) != 0 || (before.p && !in_order(before, one)))
            return false;
    }
    return true;
}

static enum fault check_constructed(struct der c, bool set, unsigned depth, size_t *ret_left)
{
    struct der before = {NULL, 0}, one = c;
    enum fault f;

    while (c.len) {
        one.p = c.p;
        f = check_one(&c, depth, ret_left);
        if (f != FINE)
            return f;
        one.len = (size_t)(c.p - one.p);
        if (set && before.p && !in_order(before, one)) {
            *ret_left = one.len + c.len;
            return NOT_CANONICAL;
        }
        before = one;
    }
    return FINE;
}

/* *ret_left: octets from the fault to the end of what was being read. */
static enum fault check_one(struct der *in, unsigned depth, size_t *ret_left)
{
    size_t header, len;
    enum fault f;
    uint8_t tag;
    struct der c;

    *ret_left = in->len;
    f = depth == 0 ? TOO_DEEP : read_header(*in, &header, &len);
    if (f != FINE)
        return f;
    tag = in->p[0];
    c = DER_OF(in->p + header, len);
    if ((tag & 0xc0) == 0) {
        bool group = (tag & 0x1f) == 0x10 || (tag & 0x1f) == 0x11;

        if (tag == 0 || ((tag & 0x20) != 0 && !group))
            return NOT_CANONICAL; /* end-of-contents, or a string in pieces */
        if (group && !(tag & 0x20))
            return BAD_VALUE;
        if (!group && primitive[tag])
            f = primitive[tag](c);
    }
    if (f == FINE && tag & 0x20)
        f = check_constructed(c, tag == DER_SET, depth - 1, ret_left);
    if (f == FINE)
        *in = DER_OF(c.p + len, in->len - header - len);
    return f;
}

static const struct {
    const char *code, *text;
} faults[] = {
    [FINE] = {"", ""},
    [ENDS_EARLY] = {"DER_SYNTAX", "X.690 8.1: want a complete value, have one that ends early"},
    [LONG_TAG] = {"DER_SYNTAX", "X.690 8.1.2: want a tag of one octet, have more"},
    [INDEFINITE] = {"DER_NOT_CANONICAL", "X.690 10.1: want a definite length, have an indefinite one"},
    [NOT_MINIMAL] = {"DER_NOT_CANONICAL", "X.690 10.1: want the shortest length, have a longer one"},
    [TOO_DEEP] = {"DER_DEPTH", "nested deeper than any such object"},
    [BAD_VALUE] = {"DER_SYNTAX", "X.690 8: want a value of the tag's type, have another"},
    [NOT_CANONICAL] = {"DER_NOT_CANONICAL", "X.690 11: want the one DER form of the value, have another"},
};

int der_check(struct der whole, unsigned max_depth, const char *what, struct p11ca_err *err)
{
    size_t left = 0;
    struct der in = whole;
    enum fault f = check_one(&in, max_depth, &left);

    if (f != FINE)
        return err_set(err, P11CA_REFUSED, faults[f].code, "%s: %s, at octet %zu", what, faults[f].text,
            (size_t)(f == ENDS_EARLY || left <= whole.len ? whole.len - left : 0));
    if (in.len)
        return err_set(err, P11CA_REFUSED, "DER_TRAILING", "%s: want nothing after %zu octets, have %zu more",
            what, whole.len - in.len, in.len);
    return 0;
}

bool der_is_canonical(struct der whole, unsigned max_depth)
{
    size_t left;

    return check_one(&whole, max_depth, &left) == FINE && whole.len == 0;
}

/* --- writing --- */

static size_t make_header(uint8_t h[6], uint8_t tag, size_t len)
{
    size_t n = 0, i;

    h[0] = tag;
    if (len < 0x80) {
        h[1] = (uint8_t)len;
        return 2;
    }
    while (n < 4 && len >> (8 * n))
        n++;
    h[1] = (uint8_t)(0x80 | n);
    for (i = 0; i < n; i++)
        h[2 + i] = (uint8_t)(len >> (8 * (n - 1 - i)));
    return 2 + n;
}

void der_add(struct buf *b, uint8_t tag, const void *p, size_t len)
{
    uint8_t h[6];

    buf_add(b, h, make_header(h, tag, len));
    buf_add(b, p, len);
}

void der_add_raw(struct buf *b, struct der tlv)
{
    buf_add(b, tlv.p, tlv.len);
}

void der_add_bool(struct buf *b, bool v)
{
    uint8_t octet = v ? 0xff : 0;

    der_add(b, DER_BOOLEAN, &octet, 1);
}

void der_add_uint(struct buf *b, unsigned v)
{
    uint8_t be[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

    der_add_integer(b, be, sizeof(be));
}

void der_add_bits(struct buf *b, const void *p, size_t len)
{
    uint8_t h[6];

    buf_add(b, h, make_header(h, DER_BIT_STRING, len + 1));
    buf_addc(b, 0);
    buf_add(b, p, len);
}

void der_add_integer(struct buf *b, const uint8_t *p, size_t len)
{
    static const uint8_t zero = 0;
    uint8_t h[6];
    bool pad;

    while (len && *p == 0)
        p++, len--;
    if (len == 0)
        p = &zero, len = 1;
    pad = (*p & 0x80) != 0;
    buf_add(b, h, make_header(h, DER_INTEGER, len + pad));
    if (pad)
        buf_addc(b, 0);
    buf_add(b, p, len);
}

static char *put_digits(char *at, int v, int n)
{
    int i;

    for (i = n - 1; i >= 0; i--, v /= 10)
        at[i] = (char)('0' + v % 10);
    return at + n;
}

static void add_time(struct buf *b, int64_t t, int general_from)
{
    int64_t days = t / 86400, secs = t % 86400;
    char text[16], *at = text;
    int y, m, d;

    if (secs < 0)
        secs += 86400, days--;
    date_from_days(days, &y, &m, &d);
    if (y < 1950 || y > 9999) {
        b->failed = true;
        return;
    }
    at = y < general_from ? put_digits(at, y % 100, 2) : put_digits(at, y, 4);
    at = put_digits(put_digits(at, m, 2), d, 2);
    at = put_digits(
        put_digits(put_digits(at, (int)(secs / 3600), 2), (int)(secs / 60 % 60), 2), (int)(secs % 60), 2);
    *at++ = 'Z';
    der_add(b, y < general_from ? DER_UTC_TIME : DER_GENERALIZED_TIME, text, (size_t)(at - text));
}

void der_add_time(struct buf *b, int64_t t)
{
    add_time(b, t, 2050);
}

void der_add_generalized_time(struct buf *b, int64_t t)
{
    add_time(b, t, 0);
}

size_t der_open(const struct buf *b)
{
    return b->len;
}

void der_close(struct buf *b, size_t at, uint8_t tag)
{
    uint8_t h[6];

    if (b->failed)
        return;
    buf_insert(b, at, h, make_header(h, tag, b->len - at));
}
