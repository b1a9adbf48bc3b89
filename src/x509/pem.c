#include "x509/pem.h"

#include <string.h>

#include "x509/oid.h"

static const struct {
    const char *label, *also; /* also: an older label, read but not written */
    const char *name;
} types[PEM_TYPES] = {
    [PEM_CSR] = {"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST", "certificate request"},
    [PEM_CERT] = {"CERTIFICATE", "X509 CERTIFICATE", "certificate"},
    [PEM_PUBKEY] = {"PUBLIC KEY", NULL, "public key"},
    [PEM_CRL] = {"X509 CRL", NULL, "CRL"},
};

static const char begin_mark[] = "-----BEGIN ";

const char *pem_label(enum pem_type type)
{
    return types[type].label;
}

static int private_key(struct p11ca_err *err)
{
    return err_set(err, P11CA_REFUSED, "PRIVATE_KEY_SEEN",
        "want no private key in an input file, have one: treat it as disclosed");
}

static int wrong_type(enum pem_type want, const char *have, struct p11ca_err *err)
{
    return err_set(err, P11CA_REFUSED, "INPUT_TYPE", "want a %s, have a %s", types[want].name, have);
}

static int syntax(struct p11ca_err *err, const char *text)
{
    return err_set(err, P11CA_REFUSED, "PEM_SYNTAX", "RFC 7468 3: %s", text);
}

/* --- what a DER object is --- */

static void tags_of(struct der seq, int tags[4])
{
    struct der tlv;
    int i;

    for (i = 0; i < 4; i++) {
        tags[i] = der_peek_tag(seq);
        if (tags[i] >= 0 && der_next_any(&seq, &tlv) != 0)
            tags[i] = -1, seq.len = 0;
    }
}

/* By the tags of the first elements (RFC 5280, 2986, 5208, 5915, 8017); NULL when it looks like none of them. */
static const char *shape(struct der whole, bool *ret_private)
{
    struct der seq, inner;
    int o[4], t[4];

    *ret_private = false;
    if (der_next(&whole, DER_SEQUENCE, &seq) != 0)
        return NULL;
    tags_of(seq, o);
    if (o[0] == DER_INTEGER) {
        *ret_private = (o[1] == DER_SEQUENCE && o[2] == DER_OCTET_STRING) || o[1] == DER_OCTET_STRING ||
                       (o[1] == DER_INTEGER && o[2] == DER_INTEGER);
        return *ret_private ? "private key" : o[1] == DER_INTEGER && o[2] < 0 ? "bare RSA public key" : NULL;
    }
    if (o[0] != DER_SEQUENCE)
        return NULL;
    if (o[1] == DER_BIT_STRING && o[2] < 0)
        return "public key";
    if (o[1] == DER_OCTET_STRING && o[2] < 0) {
        *ret_private = true;
        return "private key";
    }
    if (o[1] != DER_SEQUENCE || o[2] != DER_BIT_STRING || der_next(&seq, DER_SEQUENCE, &inner) != 0)
        return NULL;
    tags_of(inner, t);
    if (t[0] == DER_CONTEXT_CONSTRUCTED(0))
        return "certificate";
    if (t[0] == DER_SEQUENCE ||
        (t[0] == DER_INTEGER && (t[3] == DER_UTC_TIME || t[3] == DER_GENERALIZED_TIME)))
        return "CRL";
    if (t[0] == DER_INTEGER && t[1] == DER_SEQUENCE && t[2] == DER_SEQUENCE)
        return t[3] == DER_SEQUENCE ? "certificate" : "certificate request";
    return NULL;
}

/* Whatever cannot be told apart is left to the reader of the wanted type, which says what is wrong with it. */
static int check_shape(struct der der, enum pem_type want, struct p11ca_err *err)
{
    bool is_private;
    const char *have = shape(der, &is_private);

    if (is_private)
        return private_key(err);
    if (have && strcmp(have, types[want].name) != 0)
        return wrong_type(want, have, err);
    return 0;
}

/* --- base64 --- */

static int sextet(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool is_space(uint8_t c)
{
    return c == '\n' || c == '\r' || c == ' ' || c == '\t';
}

/* RFC 4648 4 with line ends anywhere; padding complete, its bits zero. */
static int decode_base64(struct der text, struct buf *ret)
{
    uint32_t word = 0;
    unsigned n = 0, pad = 0;
    size_t i;

    for (i = 0; i < text.len; i++) {
        int v = sextet(text.p[i]);

        if (is_space(text.p[i]))
            continue;
        if (text.p[i] == '=' ? n % 4 < 2 : (v < 0 || pad))
            return -1;
        pad += text.p[i] == '=';
        word = word << 6 | (uint32_t)(v < 0 ? 0 : v);
        if (++n % 4)
            continue;
        if ((pad == 1 && word & 0xff) || (pad == 2 && word & 0xffff))
            return -1;
        buf_addc(ret, (uint8_t)(word >> 16));
        if (pad < 2)
            buf_addc(ret, (uint8_t)(word >> 8));
        if (pad < 1)
            buf_addc(ret, (uint8_t)word);
        word = 0;
    }
    return n && n % 4 == 0 && pad <= 2 ? 0 : -1;
}

/* --- blocks --- */

static const uint8_t *find(struct der in, const char *s, size_t len)
{
    return in.len ? memmem(in.p, in.len, s, len) : NULL;
}

/* The marks count at the start of a line only. */
static const uint8_t *find_line(struct der in, const char *s, size_t len)
{
    const uint8_t *start = in.p, *end = in.p + in.len, *p;

    while ((p = find(in, s, len)) && p != start && p[-1] != '\n' && p[-1] != '\r')
        in = DER_OF(p + len, (size_t)(end - p) - len);
    return p;
}

static bool is_label(const char *label, struct der have)
{
    return label && der_equal(DER_OF((const uint8_t *)label, strlen(label)), have);
}

static bool ends_with(struct der have, const char *tail)
{
    size_t len = strlen(tail);

    return have.len >= len && memcmp(have.p + have.len - len, tail, len) == 0;
}

static int check_label(struct der have, enum pem_type want, struct p11ca_err *err)
{
    char text[48];
    size_t i;

    if (is_label(types[want].label, have) || is_label(types[want].also, have))
        return 0;
    if (ends_with(have, "PRIVATE KEY"))
        return private_key(err);
    for (i = 0; i < PEM_TYPES; i++) {
        if (is_label(types[i].label, have) || is_label(types[i].also, have))
            return wrong_type(want, types[i].name, err);
    }
    for (i = 0; i < have.len && i < sizeof(text) - 1; i++)
        text[i] = (char)have.p[i];
    text[i] = '\0';
    return err_set(err, P11CA_REFUSED, "INPUT_TYPE", "want a %s, have a block '%s'", types[want].name, text);
}

/* Label and text of the block at BEGIN; *in moves behind its END. */
static int take_block(struct der *in, struct der *ret_label, struct der *ret_text, struct p11ca_err *err)
{
    struct der rest = *in, text;
    const uint8_t *dashes, *end_line;
    char end_mark[80] = "\n-----END ";
    size_t n = strlen(end_mark);

    rest = DER_OF(rest.p + sizeof(begin_mark) - 1, rest.len - (sizeof(begin_mark) - 1));
    dashes = find(rest, "-----", 5);
    if (!dashes || dashes - rest.p > 48 || memchr(rest.p, '\n', (size_t)(dashes - rest.p)))
        return syntax(err, "want '-----BEGIN LABEL-----'");
    *ret_label = DER_OF(rest.p, (size_t)(dashes - rest.p));
    memcpy(end_mark + n, ret_label->p, ret_label->len);
    memcpy(end_mark + n + ret_label->len, "-----", 5);
    text = DER_OF(dashes + 5, (size_t)(rest.p + rest.len - (dashes + 5)));
    n += ret_label->len + 5;
    end_line = find(text, end_mark, n);
    if (!end_line)
        return syntax(err, "want an END line of the same label, have none");
    *ret_text = DER_OF(text.p, (size_t)(end_line - text.p));
    *in = DER_OF(end_line + n, (size_t)(text.p + text.len - (end_line + n)));
    return 0;
}

int pem_next(struct der *in, enum pem_type want, struct buf *ret, struct p11ca_err *err)
{
    const uint8_t *begin = find_line(*in, begin_mark, sizeof(begin_mark) - 1);
    AUTO_BUF der = BUF_INIT;
    struct der rest, label = {NULL, 0}, text = {NULL, 0};

    if (!begin)
        return 0;
    rest = DER_OF(begin, in->len - (size_t)(begin - in->p));
    if (take_block(&rest, &label, &text, err) != 0 || check_label(label, want, err) != 0)
        return -1;
    if (decode_base64(text, &der) != 0)
        return syntax(err, "want base64 in the block, have other characters or broken padding");
    if (!buf_ok(&der))
        return err_nomem(err);
    if (check_shape(der_buf(&der), want, err) != 0)
        return -1;
    buf_add(ret, der.p, der.len);
    *in = rest;
    return buf_ok(ret) ? 1 : err_nomem(err);
}

/* Anywhere in the file, whatever surrounds it: it must be said before anything else. */
static bool has_private_key(struct der in)
{
    const uint8_t *p, *end = in.p + in.len, *stop;

    while ((p = find(in, begin_mark, sizeof(begin_mark) - 1))) {
        p += sizeof(begin_mark) - 1;
        in = DER_OF(p, (size_t)(end - p));
        stop = find(in, "-----", 5);
        if (stop && ends_with(DER_OF(p, (size_t)(stop - p)), "PRIVATE KEY"))
            return true;
    }
    return false;
}

static int decode_pem(struct der in, enum pem_type want, struct buf *ret, struct p11ca_err *err)
{
    AUTO_BUF der = BUF_INIT;
    int rc = pem_next(&in, want, &der, err);

    if (rc < 0)
        return -1;
    if (rc == 0)
        return syntax(err, "want BEGIN at the start of a line");
    if (find(in, begin_mark, sizeof(begin_mark) - 1))
        return err_set(err, P11CA_REFUSED, "PEM_MULTI", "want one PEM block, have more");
    for (; in.len; in = DER_OF(in.p + 1, in.len - 1)) {
        if (!is_space(in.p[0]))
            return syntax(err, "want nothing after the END line, have something");
    }
    buf_add(ret, der.p, der.len);
    return buf_ok(ret) ? 0 : err_nomem(err);
}

int pem_decode(const uint8_t *p, size_t len, enum pem_type want, struct buf *ret, struct p11ca_err *err)
{
    struct der in = DER_OF(p, len);
    bool marked;

    if (len == 0)
        return err_set(err, P11CA_REFUSED, "INPUT_TYPE", "want a %s, have nothing", types[want].name);
    marked = find(in, begin_mark, sizeof(begin_mark) - 1) != NULL;
    /* DER begins with a SEQUENCE's tag, which as text is the digit 0; text has no NUL, such objects in DER do. */
    if (marked && (p[0] != DER_SEQUENCE || !memchr(p, 0, len)))
        return has_private_key(in) ? private_key(err) : decode_pem(in, want, ret, err);
    if (p[0] != DER_SEQUENCE)
        return err_set(
            err, P11CA_REFUSED, "INPUT_TYPE", "want a %s in PEM or DER, have neither", types[want].name);
    if (check_shape(in, want, err) != 0)
        return -1;
    buf_add(ret, p, len);
    return buf_ok(ret) ? 0 : err_nomem(err);
}

/* --- writing --- */

static void encode_line(const uint8_t *p, size_t n, struct buf *ret)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t i;

    for (i = 0; i < n; i += 3) {
        uint32_t word =
            (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0);
        char four[4] = {
            alphabet[word >> 18], alphabet[word >> 12 & 63], alphabet[word >> 6 & 63], alphabet[word & 63]};

        if (n - i < 3)
            four[3] = '=';
        if (n - i < 2)
            four[2] = '=';
        buf_add(ret, four, 4);
    }
    buf_addc(ret, '\n');
}

void pem_encode(enum pem_type type, struct der der, struct buf *ret)
{
    size_t at;

    buf_addf(ret, "%s%s-----\n", begin_mark, types[type].label);
    for (at = 0; at < der.len; at += 48)
        encode_line(der.p + at, der.len - at < 48 ? der.len - at : 48, ret);
    buf_addf(ret, "-----END %s-----\n", types[type].label);
}
