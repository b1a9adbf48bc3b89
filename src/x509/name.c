#include "x509/name.h"

#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "x509/name_row.h"

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
    const struct name_row *row;
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

/* Matter Core 6.2.2: verifiers compare the very characters. */
static int check_hex4(const struct value *v, size_t n, struct p11ca_err *err)
{
    size_t i = 0;

    while (i < v->text.len && v->text.p[i] < 0x80 && strchr("0123456789ABCDEF", v->text.p[i]))
        i++;
    if (n == 4 && i == v->text.len)
        return 0;
    return fail(v, err, "NAME_MATTER", "Matter Core 6.2.2",
        "want 4 hexadecimal digits in upper case, have something else");
}

static int check_rule(const struct value *v, size_t n, struct p11ca_err *err)
{
    switch (v->row->rule) {
    case NAME_LETTERS2:
        return check_country(v, n, err);
    case NAME_HEX4:
        return check_hex4(v, n, err);
    case NAME_TEXT:
        break;
    }
    if (n > v->row->max)
        return err_set(err, P11CA_REFUSED, "NAME_TOO_LONG",
            "%s: %s: %s: want at most %zu characters, have %zu", v->what, v->attr,
            v->row->bound ? v->row->bound : "RFC 5280 A.1", v->row->max, n);
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
    return check_rule(v, n, err);
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
    v.row = name_row_of(oid);
    /* Whatever passes has a text: it goes into the ledger. */
    if (v.row->oid == OID_NONE && oid_to_dotted(oid, text, sizeof(text)) != 0)
        return err_set(err, P11CA_REFUSED, "NAME_SYNTAX",
            "%s: want an attribute type of less than %d characters, numbers below 2^63", what, OID_TEXT);
    v.attr = v.row->oid != OID_NONE ? oid_name(v.row->oid) : oid_text(oid, text);
    if (check_value(&v, err) != 0)
        return -1;
    if (v.row->once) {
        uint32_t bit = UINT32_C(1) << name_row_index(v.row);

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

int name_find(struct der name, struct der type, struct der *ret)
{
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
            if (!der_equal(oid, type))
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

int name_get(struct der name, enum name_attr attr, struct der *ret)
{
    static const enum oid oids[] = {[NAME_CN] = OID_CN,
        [NAME_SERIAL] = OID_SERIAL_NUMBER,
        [NAME_O] = OID_ORGANIZATION,
        [NAME_VID] = OID_MATTER_VID,
        [NAME_PID] = OID_MATTER_PID};

    return name_find(name, oid_der(oids[attr]), ret);
}

bool name_type_find(const char *word, struct buf *oid)
{
    return name_row_find(word, strlen(word), oid) != NULL;
}
