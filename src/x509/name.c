#include "x509/name.h"

#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/text.h"
#include "x509/oid.h"

/*
 * What a name may hold. String types and upper bounds: RFC 5280 appendix A.1 (ub-*); where it has none, X.520
 * and RFC 4519. type: the only string type allowed, 0 for UTF8String or PrintableString (written as UTF8String).
 */
static const struct attr {
    enum oid oid;
    const char *alias; /* accepted beside the OID table's name */
    uint8_t type;
    bool once; /* identifies the subject: two are ambiguous */
    size_t max;
} attrs[] = {
    {OID_CN, "commonName", 0, true, 64},
    {OID_ORGANIZATION, "organizationName", 0, false, 64},
    {OID_UNIT, "organizationalUnitName", 0, false, 64},
    {OID_COUNTRY, "countryName", DER_PRINTABLE_STRING, true, 2},
    {OID_LOCALITY, "localityName", 0, false, 128},
    {OID_STATE, "stateOrProvinceName", 0, false, 128},
    {OID_STREET, "streetAddress", 0, false, 128},
    {OID_SERIAL_NUMBER, NULL, DER_PRINTABLE_STRING, true, 64},
    {OID_TITLE, NULL, 0, false, 64},
    {OID_DN_QUALIFIER, NULL, DER_PRINTABLE_STRING, false, 64},
    {OID_PSEUDONYM, NULL, 0, false, 128},
    {OID_DOMAIN_COMPONENT, "domainComponent", DER_IA5_STRING, false, 63},
    {OID_EMAIL_ADDRESS, "email", DER_IA5_STRING, false, 255},
    {OID_GIVEN_NAME, "givenName", 0, false, 128},
    {OID_SURNAME, "surname", 0, false, 128},
    {OID_USER_ID, "userId", 0, false, 256},
};
#define N_ATTRS (sizeof(attrs) / sizeof(attrs[0]))

/* Attributes of one's own arc: any text. */
static const struct attr other = {OID_NONE, NULL, 0, false, 255};

static const struct attr *attr_of(struct der oid)
{
    enum oid id = oid_find(oid);
    size_t i;

    for (i = 0; id != OID_NONE && i < N_ATTRS; i++) {
        if (attrs[i].oid == id)
            return &attrs[i];
    }
    return &other;
}

static const char *type_name(uint8_t tag)
{
    static const struct {
        uint8_t tag;
        const char *name;
    } names[] = {
        {DER_UTF8_STRING, "UTF8String"},
        {DER_PRINTABLE_STRING, "PrintableString"},
        {DER_T61_STRING, "T61String"},
        {DER_IA5_STRING, "IA5String"},
        {DER_BMP_STRING, "BMPString"},
        {DER_UNIVERSAL_STRING, "UniversalString"},
    };
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].tag == tag)
            return names[i].name;
    }
    return "another type";
}

/* --- checking --- */

/* X.680 41.4 */
static bool is_printable(uint32_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c < 0x80 && c && strchr(" '()+,-./:=?", (int)c));
}

struct value {
    const char *what; /* object in errors */
    const char *attr; /* attribute in errors */
    const struct attr *row;
    uint8_t tag;
    struct der text;
};

static int fail(
    const struct value *v, struct p11ca_err *err, const char *code, const char *source, const char *text)
{
    return err_set(err, P11CA_REFUSED, code, "%s: %s: %s: %s", v->what, v->attr, source, text);
}

static int check_type(const struct value *v, struct p11ca_err *err)
{
    if (v->row->type ? v->tag == v->row->type : v->tag == DER_UTF8_STRING || v->tag == DER_PRINTABLE_STRING)
        return 0;
    return err_set(err, P11CA_REFUSED, "NAME_STRING_TYPE", "%s: %s: RFC 5280 4.1.2.4: want %s, have %s",
        v->what, v->attr, v->row->type ? type_name(v->row->type) : "UTF8String or PrintableString",
        type_name(v->tag));
}

static int check_char(const struct value *v, uint32_t c, struct p11ca_err *err)
{
    if (c == 0)
        return fail(v, err, "NAME_NUL", "RFC 5280 4.1.2.4", "want text, have a NUL character in it");
    if (text_is_control(c))
        return err_set(err, P11CA_REFUSED, "NAME_CONTROL",
            "%s: %s: RFC 5280 4.1.2.4: want visible text, have the control character U+%04X", v->what,
            v->attr, (unsigned)c);
    if (v->tag == DER_PRINTABLE_STRING && !is_printable(c))
        return err_set(err, P11CA_REFUSED, "NAME_CHARSET",
            "%s: %s: X.680 41.4: want PrintableString characters (letters, digits, space ' ( ) + , - . / : = "
            "?), "
            "have U+%04X",
            v->what, v->attr, (unsigned)c);
    if (v->tag == DER_IA5_STRING && c > 0x7f)
        return err_set(err, P11CA_REFUSED, "NAME_CHARSET",
            "%s: %s: RFC 5280 A.1: want ASCII characters, have U+%04X", v->what, v->attr, (unsigned)c);
    return 0;
}

/* One character at p; strings that are not UTF8String hold one octet each. */
static size_t next_char(const struct value *v, size_t at, uint32_t *ret)
{
    if (v->tag == DER_UTF8_STRING)
        return text_utf8(v->text.p + at, v->text.len - at, ret);
    *ret = v->text.p[at];
    return 1;
}

static int check_country(const struct value *v, size_t n, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < v->text.len; i++) {
        if ((v->text.p[i] | 0x20) < 'a' || (v->text.p[i] | 0x20) > 'z')
            return fail(v, err, "NAME_COUNTRY", "RFC 5280 A.1", "want two letters, have another character");
    }
    if (n != 2)
        return err_set(err, P11CA_REFUSED, "NAME_COUNTRY", "%s: %s: RFC 5280 A.1: want 2 letters, have %zu",
            v->what, v->attr, n);
    return 0;
}

static int check_value(const struct value *v, struct p11ca_err *err)
{
    size_t at, step, n = 0;
    uint32_t c = 0;

    if (check_type(v, err) != 0)
        return -1;
    if (v->text.len == 0)
        return fail(v, err, "NAME_EMPTY", "RFC 5280 A.1", "want at least one character, have none");
    for (at = 0; at < v->text.len; at += step, n++) {
        step = next_char(v, at, &c);
        if (step == 0)
            return fail(v, err, "NAME_UTF8", "RFC 3629 3", "want UTF-8, have other octets");
        if (check_char(v, c, err) != 0)
            return -1;
    }
    if (v->row->oid == OID_COUNTRY)
        return check_country(v, n, err);
    if (n > v->row->max)
        return err_set(err, P11CA_REFUSED, "NAME_TOO_LONG",
            "%s: %s: RFC 5280 A.1: want at most %zu characters, have %zu", v->what, v->attr, v->row->max, n);
    return 0;
}

/* The one AttributeTypeAndValue of an RDN. */
static int check_rdn(struct der rdn, const char *what, uint32_t *seen, struct p11ca_err *err)
{
    struct der pair, oid, first = rdn;
    char text[OID_TEXT];
    struct value v = {.what = what};

    if (der_next(&first, DER_SEQUENCE, &pair) != 0 || der_next(&pair, DER_OID, &oid) != 0 ||
        der_next_tag(&pair, &v.tag, &v.text) != 0 || pair.len != 0)
        return err_set(
            err, P11CA_REFUSED, "NAME_SYNTAX", "%s: RFC 5280 4.1.2.4: want attribute and value", what);
    if (first.len != 0)
        return err_set(err, P11CA_REFUSED, "NAME_AMBIGUOUS",
            "%s: RFC 5280 4.1.2.4: want one attribute in each part, have a part with more", what);
    v.row = attr_of(oid);
    v.attr = oid_text(oid, text);
    if (check_value(&v, err) != 0)
        return -1;
    if (v.row->once) {
        uint32_t bit = UINT32_C(1) << (v.row - attrs);

        if (*seen & bit)
            return err_set(err, P11CA_REFUSED, "NAME_AMBIGUOUS", "%s: want one %s, have two", what, v.attr);
        *seen |= bit;
    }
    return 0;
}

int name_check(struct der name, const char *what, struct p11ca_err *err)
{
    struct der rdns, rdn;
    uint32_t seen = 0;
    size_t n;

    if (name.len > LIMIT_NAME)
        return err_set(err, P11CA_REFUSED, "NAME_TOO_LONG", "%s: want at most %d octets, have %zu", what,
            LIMIT_NAME, name.len);
    if (der_whole(name, DER_SEQUENCE, &rdns) != 0)
        return err_set(err, P11CA_REFUSED, "NAME_SYNTAX", "%s: RFC 5280 4.1.2.4: want a sequence", what);
    for (n = 0; rdns.len; n++) {
        if (n == LIMIT_RDNS)
            return err_set(
                err, P11CA_REFUSED, "NAME_TOO_LONG", "%s: want at most %d attributes", what, LIMIT_RDNS);
        if (der_next(&rdns, DER_SET, &rdn) != 0)
            return err_set(err, P11CA_REFUSED, "NAME_SYNTAX", "%s: RFC 5280 4.1.2.4: want sets", what);
        if (check_rdn(rdn, what, &seen, err) != 0)
            return -1;
    }
    return 0;
}

bool name_is_empty(struct der name)
{
    return name.len == 2;
}

int name_get(struct der name, enum name_attr attr, struct der *ret)
{
    static const enum oid oids[] = {[NAME_CN] = OID_CN, [NAME_SERIAL] = OID_SERIAL_NUMBER};
    struct der rdns, rdn, pair, oid, text, found = {NULL, 0};
    uint8_t tag;

    if (der_whole(name, DER_SEQUENCE, &rdns) != 0)
        return -1;
    while (rdns.len) {
        if (der_next(&rdns, DER_SET, &rdn) != 0)
            return -1;
        while (rdn.len) {
            if (der_next(&rdn, DER_SEQUENCE, &pair) != 0 || der_next(&pair, DER_OID, &oid) != 0 ||
                der_next_tag(&pair, &tag, &text) != 0)
                return -1;
            if (!oid_is(oid, oids[attr]))
                continue;
            if (found.p)
                return -1;
            found = text;
        }
    }
    if (!found.p)
        return 0;
    *ret = found;
    return 1;
}

/* --- text to DER --- */

struct reader {
    const char *at, *end;
    struct buf rdns; /* one after the other, in the order of the text */
    size_t starts[LIMIT_RDNS];
    size_t n;
};

static int syntax(const struct reader *r, struct p11ca_err *err, const char *text)
{
    return err_set(err, P11CA_REFUSED, "NAME_SYNTAX", "subject: RFC 4514 3: %s, at '%s'", text, r->at);
}

static void skip_spaces(struct reader *r)
{
    while (r->at < r->end && *r->at == ' ')
        r->at++;
}

/* The row named, with its identifier's content appended to oid; NULL when the word names no attribute. */
static const struct attr *find_type(const char *word, size_t len, struct buf *oid)
{
    size_t i;

    for (i = 0; i < N_ATTRS; i++) {
        const char *name = oid_name(attrs[i].oid), *alias = attrs[i].alias;

        if ((strlen(name) == len && strncasecmp(name, word, len) == 0) ||
            (alias && strlen(alias) == len && strncasecmp(alias, word, len) == 0)) {
            buf_add(oid, oid_der(attrs[i].oid).p, oid_der(attrs[i].oid).len);
            return &attrs[i];
        }
    }
    return oid_from_dotted(word, len, oid) == 0 && oid->len ? attr_of(der_buf(oid)) : NULL;
}

static const struct attr *read_type(struct reader *r, struct buf *oid, struct p11ca_err *err)
{
    const char *word, *stop;
    const struct attr *row;

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
    row = find_type(word, (size_t)(stop - word), oid);
    if (!row)
        err_set(err, P11CA_REFUSED, "NAME_SYNTAX",
            "subject: RFC 4514 3: want an attribute type (CN, O, OU, C, L, ST, street, serialNumber, title, "
            "dnQualifier, pseudonym, DC, emailAddress, GN, SN, UID or a dotted number), have '%.*s'",
            (int)(stop - word), word);
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
    if (der_check(der_buf(ret), 1, "subject: value after '#'", err) != 0)
        return -1;
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

static int read_value(struct reader *r, const struct attr *row, struct buf *ret, struct p11ca_err *err)
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
    const struct attr *row = read_type(r, &oid, err);
    size_t at;

    if (!row || read_value(r, row, &value, err) != 0)
        return -1;
    if (r->at < r->end && *r->at == '+')
        return err_set(err, P11CA_REFUSED, "NAME_AMBIGUOUS",
            "subject: RFC 5280 4.1.2.4: want one attribute in each part, have '+'");
    if (r->at < r->end && *r->at != ',')
        return syntax(r, err, "want a comma");
    if (r->n == LIMIT_RDNS)
        return err_set(
            err, P11CA_REFUSED, "NAME_TOO_LONG", "subject: want at most %d attributes", LIMIT_RDNS);
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

int name_from_text(const char *dn, struct buf *ret, struct p11ca_err *err)
{
    struct reader r = {.at = dn, .end = dn + strlen(dn), .rdns = BUF_INIT};
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
    if (name_check(der_buf(&name), "subject", err) != 0)
        return -1;
    buf_add(ret, name.p, name.len);
    return buf_ok(ret) ? 0 : err_nomem(err);
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
    const struct attr *row;
    char dotted[OID_TEXT];
    uint8_t tag;

    if (der_next(&pair, DER_OID, &oid) != 0)
        return -1;
    rest = pair;
    if (der_next_tag(&pair, &tag, &value) != 0 || pair.len != 0 || der_next_any(&rest, &tlv) != 0)
        return -1;
    row = attr_of(oid);
    if (row == &other && oid_to_dotted(oid, dotted, sizeof(dotted)) != 0)
        return -1;
    buf_adds(ret, row == &other ? dotted : oid_name(row->oid));
    buf_addc(ret, '=');
    if (row != &other && is_text(tag, value))
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
