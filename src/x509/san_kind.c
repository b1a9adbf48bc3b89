#include "x509/san_kind.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "x509/fascn.h"
#include "x509/idna.h"
#include "x509/name.h"
#include "x509/san_check.h"

#define RFC5280   "RFC 5280 4.2.1.6"
#define MAX_HW    64
#define AT_LEAST1 "at least one character"

static int refuse(const struct san_kind *kind, const char *text, const char *code, const char *source,
    const char *want, struct p11ca_err *err)
{
    return err_set(err, P11CA_REFUSED, code, "SAN %s '%.300s': %s: want %s", kind->name, text, source, want);
}

static int bad(const struct san_kind *kind, const char *text, const char *want, struct p11ca_err *err)
{
    return refuse(kind, text, "SAN_BAD", kind->source, want, err);
}

/* Of DER, whose text is not fit to be shown. */
static int bad_der(const struct san_kind *kind, const char *want, struct p11ca_err *err)
{
    return err_set(err, P11CA_REFUSED, "SAN_BAD", "SAN %s: %s: want %s", kind->name, kind->source, want);
}

static int bad_utf8(const struct san_kind *kind, struct p11ca_err *err)
{
    return err_set(
        err, P11CA_REFUSED, "SAN_UTF8", "SAN %s: RFC 3629 3: want UTF-8, have other octets", kind->name);
}

static bool is_utf8(struct der text)
{
    size_t at, step;
    uint32_t c;

    for (at = 0; at < text.len; at += step) {
        step = text_utf8(text.p + at, text.len - at, &c);
        if (step == 0)
            return false;
    }
    return true;
}

static struct der of_text(const char *text)
{
    return DER_OF((const uint8_t *)text, strlen(text));
}

/* --- text --- */

/* Where the host of a name begins and how long it is; false when it has none. */
static bool find_host(
    const struct san_kind *kind, const char *text, size_t len, const char **ret_host, size_t *ret_len)
{
    const char *host = text;

    if (kind->check == san_check_upn)
        return false; /* its right side is a suffix, often of one label, and no host */
    if (kind->check == san_check_uri)
        return !san_uri_is(text, "spiffe:") && san_uri_host(text, len, ret_host, ret_len);
    if (kind->check == san_check_dns)
        host = strncmp(text, "*.", 2) == 0 ? text + 2 : text;
    else
        host = memchr(text, kind->check == san_check_srv ? '.' : '@', len);
    if (!host)
        return false;
    *ret_host = kind->check == san_check_dns ? host : host + 1;
    *ret_len = len - (size_t)(*ret_host - text);
    return true;
}

static int bad_host(const struct san_kind *kind, const char *text, const char *why, struct p11ca_err *err)
{
    return err_set(err, P11CA_REFUSED, "SAN_IDNA",
        "SAN %s '%.300s': RFC 5891 5: want a host name that IDNA2008 allows: %s", kind->name, text, why);
}

/* The host in A-labels, everything else as it is. */
static int convert_host(
    const struct san_kind *kind, const char *text, struct buf *ret_text, struct p11ca_err *err)
{
    const char *host, *why;
    size_t len = strlen(text), host_len;

    if (!find_host(kind, text, len, &host, &host_len)) {
        buf_adds(ret_text, text);
        return 0;
    }
    buf_add(ret_text, text, (size_t)(host - text));
    why = idna_to_ascii(host, host_len, ret_text);
    if (why)
        return bad_host(kind, text, why, err);
    buf_adds(ret_text, host + host_len);
    return 0;
}

/* After the grammar: labels that say they are A-labels are. */
static int check_host_labels(const struct san_kind *kind, const char *text, struct p11ca_err *err)
{
    const char *host;
    size_t len;

    if (!find_host(kind, text, strlen(text), &host, &len) || idna_check(host, len))
        return 0;
    return refuse(kind, text, "SAN_IDNA", "RFC 5890 2.3.2.1", "xn-- labels that are A-labels", err);
}

static void lower(char *text, size_t len)
{
    for (; len > 0; text++, len--) {
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text | 0x20);
    }
}

/* Schemes with a grammar of their own. Scheme and UUID are the same in either case (RFC 3986 3.1, RFC 9562 4). */
static int check_schemes(const struct san_kind *kind, char *text, struct p11ca_err *err)
{
    const char *fault = NULL;

    if (san_uri_is(text, "spiffe:")) {
        lower(text, strlen("spiffe"));
        fault = san_check_spiffe(text, strlen(text));
        return fault ? refuse(kind, text, "SPIFFE_ID", "SPIFFE-ID 2", fault, err) : 0;
    }
    if (san_uri_is(text, "urn:uuid:")) {
        fault = san_check_uuid(text + 9, strlen(text) - 9);
        if (!fault)
            lower(text, strlen(text));
    }
    return fault ? refuse(kind, text, "SAN_UUID", "RFC 9562 4", fault, err) : 0;
}

static int check_text(const struct san_kind *kind, char *text, struct p11ca_err *err)
{
    const char *fault;

    /* First, or a rule for all URIs would answer for the scheme's own. */
    if (kind->check == san_check_uri && check_schemes(kind, text, err) != 0)
        return -1;
    fault = *text ? kind->check(text, strlen(text)) : AT_LEAST1;
    if (fault)
        return bad(kind, text, fault, err);
    return check_host_labels(kind, text, err);
}

static int make_text(const struct san_kind *kind, const char *text, struct buf *ret_text,
    struct buf *ret_value, struct p11ca_err *err)
{
    if (!is_utf8(of_text(text)))
        return bad_utf8(kind, err);
    if (convert_host(kind, text, ret_text, err) != 0)
        return -1;
    if (!buf_str(ret_text))
        return err_nomem(err);
    if (check_text(kind, (char *)ret_text->p, err) != 0)
        return -1;
    if (kind->string)
        der_add(ret_value, kind->string, ret_text->p, ret_text->len);
    else
        buf_add(ret_value, ret_text->p, ret_text->len);
    return 0;
}

/* In a certificate only what is text before the @ of a SmtpUTF8Mailbox, and a UPN, may be more than ASCII. */
static bool is_plain(const struct san_kind *kind, struct der text)
{
    const char *p = (const char *)text.p, *at;

    if (kind->string != DER_UTF8_STRING)
        return idna_is_ascii(p, text.len);
    at = text.len ? memchr(p, '@', text.len) : NULL;
    return kind->check == san_check_upn || !at || idna_is_ascii(at, text.len - (size_t)(at - p));
}

static int read_text(
    const struct san_kind *kind, struct der value, struct buf *ret_text, struct p11ca_err *err)
{
    struct der text = value;

    if (kind->string && der_whole(value, kind->string, &text) != 0)
        return bad_der(kind, kind->string == DER_UTF8_STRING ? "a UTF8String" : "an IA5String", err);
    if (text.len && memchr(text.p, 0, text.len))
        return bad_der(kind, "text, have a NUL character in it", err);
    if (text.len > LIMIT_URI)
        return err_set(err, P11CA_REFUSED, "SAN_BAD", "SAN %s: want at most %d octets, have %zu", kind->name,
            LIMIT_URI, text.len);
    if (kind->string == DER_UTF8_STRING && !is_utf8(text))
        return bad_utf8(kind, err);
    if (!is_plain(kind, text))
        return bad_der(kind, "ASCII (host names as A-labels), have other characters", err);
    buf_add(ret_text, text.p, text.len);
    return 0;
}

/* --- IP --- */

static int show_ip(struct der value, struct buf *ret_text, struct p11ca_err *err)
{
    char text[INET6_ADDRSTRLEN];

    if (!inet_ntop(value.len == 4 ? AF_INET : AF_INET6, value.p, text, sizeof(text)))
        return err_errno(err, P11CA_BUG, "inet_ntop");
    buf_adds(ret_text, text);
    return 0;
}

static int make_ip(const struct san_kind *kind, const char *text, struct buf *ret_text, struct buf *ret_value,
    struct p11ca_err *err)
{
    uint8_t value[16];
    size_t len = inet_pton(AF_INET, text, value) == 1 ? 4 : inet_pton(AF_INET6, text, value) == 1 ? 16 : 0;

    if (len == 0)
        return bad(kind, text, "an IPv4 or IPv6 address", err);
    buf_add(ret_value, value, len);
    return show_ip(DER_OF(value, len), ret_text, err);
}

static int read_ip(const struct san_kind *kind, struct der value, struct buf *ret_text, struct p11ca_err *err)
{
    if (value.len != 4 && value.len != 16)
        return err_set(err, P11CA_REFUSED, "SAN_BAD", "SAN %s: %s: want 4 or 16 octets, have %zu", kind->name,
            kind->source, value.len);
    return show_ip(value, ret_text, err);
}

/* --- octets and identifiers --- */

/* Whether octets can be shown as they are, in a list with ", " between. */
static bool is_shown(struct der v)
{
    size_t at, step;
    uint32_t c;

    if (!v.p || v.len == 0)
        return true;
    if (v.p[0] == '#' || v.p[0] == ' ' || v.p[v.len - 1] == ' ' || memmem(v.p, v.len, ", ", 2))
        return false;
    for (at = 0; at < v.len; at += step) {
        step = text_utf8(v.p + at, v.len - at, &c);
        if (step == 0 || text_is_control(c))
            return false;
    }
    return true;
}

static void show_octets(struct der v, struct buf *ret)
{
    char pair[3];
    size_t i;

    if (is_shown(v)) {
        buf_add(ret, v.p, v.len);
        return;
    }
    buf_addc(ret, '#');
    for (i = 0; i < v.len; i++) {
        text_hex(v.p + i, 1, pair);
        buf_adds(ret, pair);
    }
}

/* #hex, or the text itself; at most max octets. */
static int take_octets(const struct san_kind *kind, const char *text, const char *octets, size_t max,
    struct buf *ret, struct p11ca_err *err)
{
    uint8_t bytes[LIMIT_PERMID];
    int n;

    if (*octets != '#' && strlen(octets) > max)
        return err_set(err, P11CA_REFUSED, "SAN_BAD", "SAN %s: want at most %zu octets, have %zu", kind->name,
            max, strlen(octets));
    if (*octets != '#') {
        buf_adds(ret, octets);
        return 0;
    }
    n = text_unhex(octets + 1, bytes, max);
    if (n < 0)
        return bad(kind, text, "pairs of hexadecimal digits after '#', not too many", err);
    buf_add(ret, bytes, (size_t)n);
    return 0;
}

/* Dotted text before a colon, or all of it, into the content of an OBJECT IDENTIFIER. */
static int take_oid(
    const struct san_kind *kind, const char *text, size_t len, struct buf *ret, struct p11ca_err *err)
{
    char dotted[OID_TEXT];

    if (oid_from_dotted(text, len, ret) != 0 ||
        (buf_ok(ret) && oid_to_dotted(der_buf(ret), dotted, sizeof(dotted))))
        return bad(kind, text, "a dotted object identifier", err);
    return buf_ok(ret) ? 0 : err_nomem(err);
}

static int show_oid(const struct san_kind *kind, struct der oid, struct buf *ret, struct p11ca_err *err)
{
    char dotted[OID_TEXT];

    if (oid_to_dotted(oid, dotted, sizeof(dotted)) != 0)
        return bad_der(kind, "an object identifier that can be shown", err);
    buf_adds(ret, dotted);
    return 0;
}

static int make_rid(const struct san_kind *kind, const char *text, struct buf *ret_text,
    struct buf *ret_value, struct p11ca_err *err)
{
    buf_adds(ret_text, text);
    return take_oid(kind, text, strlen(text), ret_value, err);
}

/* --- HardwareModuleName: SEQUENCE { hwType OBJECT IDENTIFIER, hwSerialNum OCTET STRING } --- */

static int make_hw(const struct san_kind *kind, const char *text, struct buf *ret_text, struct buf *ret_value,
    struct p11ca_err *err)
{
    const char *colon = strchr(text, ':');
    AUTO_BUF oid = BUF_INIT;
    AUTO_BUF serial = BUF_INIT;

    if (!colon || !colon[1])
        return bad(kind, text, "TYPE:SERIAL", err);
    if (take_oid(kind, text, (size_t)(colon - text), &oid, err) != 0 ||
        take_octets(kind, text, colon + 1, MAX_HW, &serial, err) != 0)
        return -1;
    if (serial.len == 0)
        return bad(kind, text, "1 to 64 octets of serial number", err);
    buf_add(ret_text, text, (size_t)(colon + 1 - text));
    show_octets(der_buf(&serial), ret_text);
    der_add(ret_value, DER_OID, oid.p, oid.len);
    der_add(ret_value, DER_OCTET_STRING, serial.p, serial.len);
    der_close(ret_value, 0, DER_SEQUENCE);
    return buf_ok(&serial) ? 0 : err_nomem(err);
}

static int read_hw(const struct san_kind *kind, struct der value, struct buf *ret_text, struct p11ca_err *err)
{
    struct der seq, oid, serial;

    if (der_whole(value, DER_SEQUENCE, &seq) != 0 || der_next(&seq, DER_OID, &oid) != 0 ||
        der_next(&seq, DER_OCTET_STRING, &serial) != 0 || seq.len != 0)
        return bad_der(kind, "hwType OBJECT IDENTIFIER and hwSerialNum OCTET STRING", err);
    if (serial.len == 0 || serial.len > MAX_HW)
        return err_set(err, P11CA_REFUSED, "SAN_BAD",
            "SAN %s: %s: want 1 to %d octets of serial number, have %zu", kind->name, kind->source, MAX_HW,
            serial.len);
    if (show_oid(kind, oid, ret_text, err) != 0)
        return -1;
    buf_addc(ret_text, ':');
    show_octets(serial, ret_text);
    return 0;
}

/* --- permanentIdentifier: SEQUENCE { identifierValue UTF8String OPTIONAL, assigner OBJECT IDENTIFIER OPTIONAL } --- */

static int check_permid(const struct san_kind *kind, struct der value, struct p11ca_err *err)
{
    size_t at, step;
    uint32_t c;

    if (!is_utf8(value))
        return bad_utf8(kind, err);
    for (at = 0; at < value.len; at += step) {
        step = text_utf8(value.p + at, value.len - at, &c);
        if (text_is_control(c))
            return bad_der(kind, "visible text, have a control character in it", err);
    }
    return 0;
}

static int make_permid(const struct san_kind *kind, const char *text, struct buf *ret_text,
    struct buf *ret_value, struct p11ca_err *err)
{
    const char *colon = strchr(text, ':');
    AUTO_BUF oid = BUF_INIT;
    AUTO_BUF value = BUF_INIT;

    if (!colon || !text[1])
        return bad(kind, text, "[ASSIGNER]:[VALUE]", err);
    if (colon > text && take_oid(kind, text, (size_t)(colon - text), &oid, err) != 0)
        return -1;
    if (take_octets(kind, text, colon + 1, LIMIT_PERMID, &value, err) != 0 ||
        check_permid(kind, der_buf(&value), err) != 0)
        return -1;
    if (colon[1] && value.len == 0)
        return bad(kind, text, "a value after '#'", err);
    buf_add(ret_text, text, (size_t)(colon + 1 - text));
    show_octets(der_buf(&value), ret_text);
    if (value.len)
        der_add(ret_value, DER_UTF8_STRING, value.p, value.len);
    if (oid.len)
        der_add(ret_value, DER_OID, oid.p, oid.len);
    der_close(ret_value, 0, DER_SEQUENCE);
    return buf_ok(&value) ? 0 : err_nomem(err);
}

static int read_permid(
    const struct san_kind *kind, struct der value, struct buf *ret_text, struct p11ca_err *err)
{
    struct der seq, id = {NULL, 0}, oid = {NULL, 0};

    if (der_whole(value, DER_SEQUENCE, &seq) != 0 || der_next_optional(&seq, DER_UTF8_STRING, &id) < 0 ||
        der_next_optional(&seq, DER_OID, &oid) < 0 || seq.len != 0 || (id.p && id.len == 0) ||
        (!id.p && !oid.p))
        return bad_der(kind, "identifierValue UTF8String, assigner OBJECT IDENTIFIER, or both", err);
    if (id.len > LIMIT_PERMID)
        return bad_der(kind, "a value of at most 255 octets", err);
    if (oid.p && show_oid(kind, oid, ret_text, err) != 0)
        return -1;
    buf_addc(ret_text, ':');
    show_octets(id, ret_text);
    return 0;
}

/* --- FASC-N --- */

static int bad_fascn(const char *want, struct p11ca_err *err)
{
    return err_set(err, P11CA_REFUSED, "SAN_FASCN", "SAN FASC-N: FIPS 201-3 4.2.1: want %s", want);
}

static int make_fascn(const struct san_kind *kind, const char *text, struct buf *ret_text,
    struct buf *ret_value, struct p11ca_err *err)
{
    char shown[FASCN_TEXT];
    uint8_t value[FASCN_LEN];
    const char *fault = NULL;

    if (*text == '#' && text_unhex(text + 1, value, sizeof(value)) != FASCN_LEN)
        fault = "25 octets";
    else if (*text != '#')
        fault = fascn_from_text(text, value);
    if (!fault)
        fault = fascn_to_text(value, sizeof(value), shown);
    if (fault)
        return refuse(kind, text, "SAN_FASCN", kind->source, fault, err);
    buf_adds(ret_text, shown);
    der_add(ret_value, DER_OCTET_STRING, value, sizeof(value));
    return 0;
}

static int read_fascn(
    const struct san_kind *kind, struct der value, struct buf *ret_text, struct p11ca_err *err)
{
    char shown[FASCN_TEXT];
    struct der octets;
    const char *fault;

    if (der_whole(value, DER_OCTET_STRING, &octets) != 0)
        return bad_der(kind, "an OCTET STRING", err);
    fault = fascn_to_text(octets.p, octets.len, shown);
    if (fault)
        return bad_fascn(fault, err);
    buf_adds(ret_text, shown);
    return 0;
}

/* --- directoryName --- */

static int make_dirname(const struct san_kind *kind, const char *text, struct buf *ret_text,
    struct buf *ret_value, struct p11ca_err *err)
{
    if (name_from_text_as(text, "SAN dirname", ret_value, err) != 0)
        return -1;
    if (name_is_empty(der_buf(ret_value)))
        return bad(kind, text, "a name that is not empty", err);
    return name_to_text(der_buf(ret_value), ret_text, err);
}

static int read_dirname(
    const struct san_kind *kind, struct der value, struct buf *ret_text, struct p11ca_err *err)
{
    if (der_check(value, DER_MAX_DEPTH, "SAN dirname", err) != 0 ||
        name_check(value, "SAN dirname", err) != 0)
        return -1;
    if (name_is_empty(value))
        return bad_der(kind, "a name that is not empty", err);
    return name_to_text(value, ret_text, err) == 0 ? 0 : err_prefix(err, "SAN dirname");
}

/* --- the table --- */

#define OTHER DER_CONTEXT_CONSTRUCTED(0)

static const struct san_kind kinds[SAN_TYPES] = {
    [SAN_DNS] = {"DNS", DER_CONTEXT(2), OID_NONE, false, SAME_FOLDED, 0, RFC5280, san_check_dns, make_text,
        read_text},
    [SAN_IP] = {"IP", DER_CONTEXT(7), OID_NONE, false, SAME_TEXT, 0, RFC5280, NULL, make_ip, read_ip},
    [SAN_URI] = {"URI", DER_CONTEXT(6), OID_NONE, false, SAME_TEXT, 0, RFC5280, san_check_uri, make_text,
        read_text},
    [SAN_EMAIL] = {"email", DER_CONTEXT(1), OID_NONE, false, SAME_MAILBOX, 0, RFC5280, san_check_email,
        make_text, read_text},
    [SAN_HW] = {"hw", OTHER, OID_HARDWARE_MODULE_NAME, false, SAME_TEXT, 0, "RFC 4108 5", NULL, make_hw,
        read_hw},
    [SAN_PERMID] = {"permid", OTHER, OID_PERMANENT_ID, false, SAME_TEXT, 0, "RFC 4043 2", NULL, make_permid,
        read_permid},
    [SAN_UPN] = {"UPN", OTHER, OID_UPN, true, SAME_MAILBOX, DER_UTF8_STRING, "Microsoft UPN", san_check_upn,
        make_text, read_text},
    [SAN_SMTPUTF8] = {"smtputf8", OTHER, OID_SMTP_UTF8_MAILBOX, false, SAME_MAILBOX, DER_UTF8_STRING,
        "RFC 9598 3", san_check_smtputf8, make_text, read_text},
    [SAN_SRV] = {"SRV", OTHER, OID_SRV_NAME, false, SAME_FOLDED, DER_IA5_STRING, "RFC 4985 2", san_check_srv,
        make_text, read_text},
    [SAN_FASCN] = {"FASC-N", OTHER, OID_FASCN, true, SAME_TEXT, 0, "FIPS 201-3 4.2.1", NULL, make_fascn,
        read_fascn},
    [SAN_RID] = {"RID", DER_CONTEXT(8), OID_NONE, false, SAME_TEXT, 0, RFC5280, NULL, make_rid, show_oid},
    [SAN_DIRNAME] = {"dirname", DER_CONTEXT_CONSTRUCTED(4), OID_NONE, false, SAME_TEXT, 0, RFC5280, NULL,
        make_dirname, read_dirname},
};

const struct san_kind *san_kind(enum san_type type)
{
    return &kinds[type];
}
