/* Names between RFC 4514 text and DER. */
#include "x509/name.h"

#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "x509/name_row.h"

/* --- text to DER --- */

struct reader {
    const char *at, *end;
    const char *what; /* object in errors */
    struct buf rdns;  /* one after the other, in the order of the text */
    size_t starts[LIMIT_RDNS];
    size_t n;
};

static int syntax(const struct reader *r, struct p11ca_err *err, const char *text)
{
    return err_set(err, P11CA_REFUSED, "NAME_SYNTAX", "%s: RFC 4514 3: %s, at '%s'", r->what, text, r->at);
}

static void skip_spaces(struct reader *r)
{
    while (r->at < r->end && *r->at == ' ')
        r->at++;
}

static void no_type(const struct reader *r, const char *word, int len, struct p11ca_err *err)
{
    AUTO_BUF types = BUF_INIT;

    name_row_list(&types);
    err_set(err, P11CA_REFUSED, "NAME_SYNTAX",
        "%s: RFC 4514 3: want an attribute type (%s or a dotted number), have '%.*s'", r->what,
        buf_str(&types) ? (char *)types.p : "", len, word);
}

static const struct name_row *read_type(struct reader *r, struct buf *oid, struct p11ca_err *err)
{
    const char *word, *stop;
    const struct name_row *row;

    skip_spaces(r);
    word = r->at;
    stop = word + strcspn(word, "=,+");
    if (*stop != '=') {
        syntax(r, err, "want TYPE=VALUE");
        return NULL;
    }
    r->at = stop + 1;
    while (stop > word && stop[-1] == ' ')
        stop--;
    row = name_row_find(word, (size_t)(stop - word), oid);
    if (!row)
        no_type(r, word, (int)(stop - word), err);
    return row;
}

/* #hex: the value as its DER. */
static int read_hex(struct reader *r, struct buf *ret, struct p11ca_err *err)
{
    uint8_t octet;

    for (r->at++; r->at < r->end && !strchr(", +", *r->at); r->at += 2) {
        char pair[3] = {r->at[0], r->at[1], '\0'}; /* the text ends with a NUL */

        if (text_unhex(pair, &octet, 1) != 1)
            return syntax(r, err, "want pairs of hexadecimal digits after '#'");
        buf_addc(ret, octet);
    }
    if (der_check(der_buf(ret), 1, "value after '#'", err) != 0)
        return err_prefix(err, "%s", r->what);
    skip_spaces(r);
    return 0;
}

/* What follows a backslash: a special character or two hexadecimal digits. */
static int read_escape(struct reader *r, struct buf *ret, struct p11ca_err *err)
{
    char pair[3] = "";
    uint8_t octet;

    if (r->end - r->at >= 2 && strchr(" \"#+,;<=>\\", r->at[1])) {
        buf_addc(ret, (uint8_t)r->at[1]);
        r->at += 2;
        return 0;
    }
    if (r->end - r->at >= 3)
        memcpy(pair, r->at + 1, 2);
    if (text_unhex(pair, &octet, 1) != 1)
        return syntax(r, err, "want a special character or two hexadecimal digits after '\\'");
    buf_addc(ret, octet);
    r->at += 3;
    return 0;
}

/* Characters up to the next comma; spaces around them count only when escaped. */
static int read_string(struct reader *r, struct buf *ret, struct p11ca_err *err)
{
    size_t keep = ret->len;

    while (r->at < r->end && *r->at != ',' && *r->at != '+') {
        if (*r->at == '\\') {
            if (read_escape(r, ret, err) != 0)
                return -1;
            keep = ret->len;
            continue;
        }
        if (strchr("\"<>;", *r->at))
            return syntax(r, err, "want a backslash before this character");
        buf_addc(ret, (uint8_t)*r->at);
        if (*r->at++ != ' ')
            keep = ret->len;
    }
    if (!ret->failed)
        ret->len = keep;
    return 0;
}

static int read_value(struct reader *r, const struct name_row *row, struct buf *ret, struct p11ca_err *err)
{
    AUTO_BUF text = BUF_INIT;

    skip_spaces(r);
    if (r->at < r->end && *r->at == '#')
        return read_hex(r, ret, err);
    if (read_string(r, &text, err) != 0)
        return -1;
    if (!buf_ok(&text))
        return err_nomem(err);
    der_add(ret, row->type ? row->type : DER_UTF8_STRING, text.p, text.len);
    return 0;
}

static int read_rdn(struct reader *r, struct p11ca_err *err)
{
    AUTO_BUF oid = BUF_INIT;
    AUTO_BUF value = BUF_INIT;
    const struct name_row *row = read_type(r, &oid, err);
    size_t at;

    if (!row || read_value(r, row, &value, err) != 0)
        return -1;
    if (r->at < r->end && *r->at == '+')
        return err_set(err, P11CA_REFUSED, "NAME_AMBIGUOUS",
            "%s: RFC 5280 4.1.2.4: want one attribute in each part, have '+'", r->what);
    if (r->at < r->end && *r->at != ',')
        return syntax(r, err, "want a comma");
    if (r->n == LIMIT_RDNS)
        return err_set(
            err, P11CA_REFUSED, "NAME_TOO_LONG", "%s: want at most %d attributes", r->what, LIMIT_RDNS);
    at = r->starts[r->n++] = der_open(&r->rdns);
    der_add(&r->rdns, DER_OID, oid.p, oid.len);
    buf_add(&r->rdns, value.p, value.len);
    der_close(&r->rdns, at, DER_SEQUENCE);
    der_close(&r->rdns, at, DER_SET);
    r->rdns.failed |= oid.failed || value.failed;
    return buf_ok(&r->rdns) ? 0 : err_nomem(err);
}

static int read_all(struct reader *r, struct p11ca_err *err)
{
    skip_spaces(r);
    if (r->at == r->end)
        return 0;
    for (;;) {
        if (read_rdn(r, err) != 0)
            return -1;
        if (r->at == r->end)
            return 0;
        r->at++;
    }
}

/* The RDNSequence has the last part of the text first (RFC 4514 2.1). */
static void write_reversed(const struct reader *r, struct buf *ret)
{
    size_t i, end = r->rdns.len, at = der_open(ret);

    for (i = r->n; i-- > 0; end = r->starts[i])
        buf_add(ret, r->rdns.p + r->starts[i], end - r->starts[i]);
    der_close(ret, at, DER_SEQUENCE);
}

int name_from_text_as(const char *dn, const char *what, struct buf *ret, struct p11ca_err *err)
{
    struct reader r = {.at = dn, .end = dn + strlen(dn), .what = what, .rdns = BUF_INIT};
    AUTO_BUF name = BUF_INIT;
    int rc;

    rc = read_all(&r, err);
    if (rc == 0)
        write_reversed(&r, &name);
    buf_done(&r.rdns);
    if (rc != 0)
        return -1;
    if (!buf_ok(&name))
        return err_nomem(err);
    if (name_check(der_buf(&name), what, err) != 0)
        return -1;
    buf_add(ret, name.p, name.len);
    return buf_ok(ret) ? 0 : err_nomem(err);
}

int name_from_text(const char *dn, struct buf *ret, struct p11ca_err *err)
{
    return name_from_text_as(dn, "subject", ret, err);
}

/* --- DER to text --- */

static void text_of_hex(struct der tlv, struct buf *ret)
{
    char pair[3];
    size_t i;

    buf_addc(ret, '#');
    for (i = 0; i < tlv.len; i++) {
        text_hex(tlv.p + i, 1, pair);
        buf_adds(ret, pair);
    }
}

static bool is_text(uint8_t tag, struct der c)
{
    size_t at, step;
    uint32_t ch;

    if (tag != DER_UTF8_STRING && tag != DER_PRINTABLE_STRING && tag != DER_IA5_STRING)
        return false;
    for (at = 0; at < c.len; at += step) {
        step = text_utf8(c.p + at, c.len - at, &ch);
        if (step == 0)
            return false;
    }
    return true;
}

/* RFC 4514 2.4; controls in hexadecimal so that the text is fit for a terminal. */
static void text_of_string(struct der c, struct buf *ret)
{
    size_t at, step, i;
    uint32_t ch = 0;
    char pair[3];

    for (at = 0; at < c.len; at += step) {
        step = text_utf8(c.p + at, c.len - at, &ch);
        if (text_is_control(ch)) {
            for (i = 0; i < step; i++) {
                text_hex(c.p + at + i, 1, pair);
                buf_addc(ret, '\\');
                buf_adds(ret, pair);
            }
            continue;
        }
        if ((ch < 0x80 && strchr("\"+,;<>\\", (int)ch)) || (ch == '#' && at == 0) ||
            (ch == ' ' && (at == 0 || at + 1 == c.len)))
            buf_addc(ret, '\\');
        buf_add(ret, c.p + at, step);
    }
}

static int text_of_pair(struct der pair, struct buf *ret)
{
    struct der oid, value, tlv, rest;
    const struct name_row *row;
    char dotted[OID_TEXT];
    uint8_t tag;

    if (der_next(&pair, DER_OID, &oid) != 0)
        return -1;
    rest = pair;
    if (der_next_tag(&pair, &tag, &value) != 0 || pair.len != 0 || der_next_any(&rest, &tlv) != 0)
        return -1;
    row = name_row_of(oid);
    if (row->oid == OID_NONE && oid_to_dotted(oid, dotted, sizeof(dotted)) != 0)
        return -1;
    buf_adds(ret, row->oid == OID_NONE ? dotted : oid_name(row->oid));
    buf_addc(ret, '=');
    if (row->oid != OID_NONE && is_text(tag, value))
        text_of_string(value, ret);
    else
        text_of_hex(tlv, ret);
    return 0;
}

static int text_of_rdn(struct der rdn, struct buf *ret)
{
    struct der pair;
    bool first = true;

    if (rdn.len == 0)
        return -1;
    for (; rdn.len; first = false) {
        if (!first)
            buf_addc(ret, '+');
        if (der_next(&rdn, DER_SEQUENCE, &pair) != 0 || text_of_pair(pair, ret) != 0)
            return -1;
    }
    return 0;
}

int name_to_text(struct der name, struct buf *ret, struct p11ca_err *err)
{
    struct der rdns, rdn[LIMIT_RDNS];
    AUTO_BUF text = BUF_INIT;
    size_t n = 0;

    if (name.len > LIMIT_NAME || der_whole(name, DER_SEQUENCE, &rdns) != 0)
        return err_set(err, P11CA_REFUSED, "NAME_SYNTAX", "name: RFC 5280 4.1.2.4: want a sequence");
    for (; rdns.len; n++) {
        if (n == LIMIT_RDNS)
            return err_set(
                err, P11CA_REFUSED, "NAME_TOO_LONG", "name: want at most %d attributes", LIMIT_RDNS);
        if (der_next(&rdns, DER_SET, &rdn[n]) != 0)
            return err_set(err, P11CA_REFUSED, "NAME_SYNTAX", "name: RFC 5280 4.1.2.4: want sets");
    }
    while (n-- > 0) {
        if (text_of_rdn(rdn[n], &text) != 0)
            return err_set(
                err, P11CA_REFUSED, "NAME_SYNTAX", "name: RFC 5280 4.1.2.4: want attribute and value");
        if (n)
            buf_addc(&text, ',');
    }
    buf_add(ret, text.p, text.len);
    return buf_ok(&text) && buf_ok(ret) ? 0 : err_nomem(err);
}
