/* The names in a certificate: one table of kinds, alternative names, and the attributes of the subject. */
#include <string.h>
#include <strings.h>

#include "auth/identity.h"
#include "base/text.h"
#include "x509/name.h"
#include "x509/san_check.h"
#include "x509/san_kind.h"

#define MAX_ATTRIBUTE 64 /* RFC 5280 A.1 ub-common-name, ub-serial-number */

static const char *const kind_names[P11CA_NAME_KINDS] = {
    [P11CA_NAME_DNS] = "DNS",
    [P11CA_NAME_IP] = "IP",
    [P11CA_NAME_URI] = "URI",
    [P11CA_NAME_SPIFFE] = "SPIFFE",
    [P11CA_NAME_UUID] = "UUID",
    [P11CA_NAME_EMAIL] = "email",
    [P11CA_NAME_SMTPUTF8] = "smtputf8",
    [P11CA_NAME_SRV] = "SRV",
    [P11CA_NAME_UPN] = "UPN",
    [P11CA_NAME_HW] = "hw",
    [P11CA_NAME_PERMID] = "permid",
    [P11CA_NAME_FASCN] = "FASC-N",
    [P11CA_NAME_RID] = "RID",
    [P11CA_NAME_DIRNAME] = "dirname",
    [P11CA_NAME_OTHER] = "other",
    [P11CA_NAME_CN] = "CN",
    [P11CA_NAME_SERIAL] = "serialNumber",
    [P11CA_NAME_SUBJECT] = "subject",
};

/* A URI is one of three kinds: by its scheme. */
static const enum p11ca_name_kind kind_of_san[SAN_TYPES] = {
    [SAN_DNS] = P11CA_NAME_DNS,
    [SAN_IP] = P11CA_NAME_IP,
    [SAN_URI] = P11CA_NAME_URI,
    [SAN_EMAIL] = P11CA_NAME_EMAIL,
    [SAN_HW] = P11CA_NAME_HW,
    [SAN_PERMID] = P11CA_NAME_PERMID,
    [SAN_UPN] = P11CA_NAME_UPN,
    [SAN_SMTPUTF8] = P11CA_NAME_SMTPUTF8,
    [SAN_SRV] = P11CA_NAME_SRV,
    [SAN_FASCN] = P11CA_NAME_FASCN,
    [SAN_RID] = P11CA_NAME_RID,
    [SAN_DIRNAME] = P11CA_NAME_DIRNAME,
};

const char *p11ca_name_kind(enum p11ca_name_kind kind)
{
    return kind_names[kind];
}

enum p11ca_name_kind p11ca_name_kind_find(const char *name)
{
    unsigned kind = 0;

    while (kind < P11CA_NAME_KINDS && strcasecmp(kind_names[kind], name) != 0)
        kind++;
    return (enum p11ca_name_kind)kind;
}

enum p11ca_name_kind identity_kind_of(const struct san *san)
{
    if (san->type == SAN_URI && san_uri_is(san->text, "spiffe:"))
        return P11CA_NAME_SPIFFE;
    if (san->type == SAN_URI && san_uri_is(san->text, "urn:uuid:"))
        return P11CA_NAME_UUID;
    return kind_of_san[san->type];
}

bool identity_is_wildcard(const struct p11ca_name *name)
{
    return name->kind == P11CA_NAME_DNS && strncmp(name->text, "*.", 2) == 0;
}

static int add_name(
    struct p11ca_identity *id, enum p11ca_name_kind kind, const void *p, size_t len, struct p11ca_err *err)
{
    const char *text = identity_text(id, p, len);

    if (!text)
        return err_nomem(err);
    id->names[id->pub.n_names++] = (struct p11ca_name){kind, text};
    return 0;
}

/* --- alternative names --- */

/* Whether the GeneralName is an otherName of a type that x509 has no grammar for. */
static bool is_unknown_other(struct der tlv, struct der *ret_oid, struct der *ret_value)
{
    struct der content;
    unsigned type = 0;

    if (der_whole(tlv, DER_CONTEXT_CONSTRUCTED(0), &content) != 0 ||
        der_next(&content, DER_OID, ret_oid) != 0 ||
        der_next(&content, DER_CONTEXT_CONSTRUCTED(0), ret_value) != 0 || content.len)
        return false;
    while (type < SAN_TYPES && (san_kind((enum san_type)type)->other == OID_NONE ||
                                   !oid_is(*ret_oid, san_kind((enum san_type)type)->other)))
        type++;
    return type == SAN_TYPES;
}

/* Kept, so that nobody believes it was not there. */
static int add_other(struct p11ca_identity *id, struct der oid, struct der value, struct p11ca_err *err)
{
    char dotted[OID_TEXT], pair[3];
    AUTO_BUF text = BUF_INIT;
    size_t i;

    if (oid_to_dotted(oid, dotted, sizeof(dotted)) != 0)
        return err_set(err, P11CA_REFUSED, "SAN_BAD",
            "SAN otherName: RFC 5280 4.2.1.6: want a type that can be shown, have another");
    buf_addf(&text, "%s:#", dotted);
    for (i = 0; i < value.len; i++) {
        text_hex(value.p + i, 1, pair);
        buf_adds(&text, pair);
    }
    return buf_ok(&text) ? add_name(id, P11CA_NAME_OTHER, text.p, text.len, err) : err_nomem(err);
}

/* One at a time: a list would leave out what it has already, and two URIs of one text are two. */
static int add_known(struct p11ca_identity *id, struct der tlv, struct p11ca_err *err)
{
    struct san_list *list = &id->sans[id->pub.n_names];
    AUTO_BUF names = BUF_INIT;

    der_add(&names, DER_SEQUENCE, tlv.p, tlv.len);
    if (!buf_ok(&names))
        return err_nomem(err);
    if (san_from_der(der_buf(&names), list, err) != 0)
        return -1;
    id->names[id->pub.n_names++] = (struct p11ca_name){identity_kind_of(&list->v[0]), list->v[0].text};
    return 0;
}

static int check_once(const struct p11ca_identity *id, struct p11ca_err *err)
{
    unsigned seen = 0;
    size_t i;

    for (i = 0; i < id->pub.n_names; i++) {
        const struct san *san = id->sans[i].v;

        if (!san || !san_kind(san->type)->once)
            continue;
        if (seen & SAN_BIT(san->type))
            return err_set(
                err, P11CA_REFUSED, "SAN_BAD", "SAN %s: want one, have two", san_type_name(san->type));
        seen |= SAN_BIT(san->type);
    }
    return 0;
}

static int read_sans(struct p11ca_identity *id, struct p11ca_err *err)
{
    struct der in, tlv, oid, value;

    if (der_whole(id->facts.san, DER_SEQUENCE, &in) != 0)
        return err_set(err, P11CA_REFUSED, "SAN_BAD", "SAN: RFC 5280 4.2.1.6: want a sequence of names");
    if (in.len == 0)
        return err_set(
            err, P11CA_REFUSED, "SAN_BAD", "SAN: RFC 5280 4.2.1.6: want at least one name, have none");
    while (in.len) {
        if (id->pub.n_names == LIMIT_SANS)
            return err_set(err, P11CA_REFUSED, "SAN_BAD", "SAN: want at most %d names", LIMIT_SANS);
        if (der_next_any(&in, &tlv) != 0)
            return err_set(err, P11CA_REFUSED, "SAN_BAD", "SAN: RFC 5280 4.2.1.6: want a sequence of names");
        if ((is_unknown_other(tlv, &oid, &value) ? add_other(id, oid, value, err)
                                                 : add_known(id, tlv, err)) != 0)
            return -1;
    }
    return check_once(id, err);
}

/* --- the subject --- */

struct attribute {
    enum oid oid;
    enum p11ca_name_kind kind;
    bool printable_only;
    const char *name, *ambiguous, *type, *text, *length; /* codes */
};

static const struct attribute cn = {OID_CN, P11CA_NAME_CN, false, "commonName", "IDENT_CN_AMBIGUOUS",
    "IDENT_CN_TYPE", "IDENT_CN_TEXT", "IDENT_CN_LENGTH"};
static const struct attribute serial = {OID_SERIAL_NUMBER, P11CA_NAME_SERIAL, true, "serialNumber",
    "IDENT_SERIAL_AMBIGUOUS", "IDENT_SERIAL_TYPE", "IDENT_SERIAL_TEXT", "IDENT_SERIAL_LENGTH"};

/* Tag and content of the last such attribute; how many there are. The Name is well-formed: it has a text. */
static size_t find_attribute(struct der name, enum oid oid, uint8_t *ret_tag, struct der *ret)
{
    struct der rdns, rdn, pair, type, value;
    size_t n = 0;
    uint8_t tag;

    if (der_whole(name, DER_SEQUENCE, &rdns) != 0)
        return 0;
    while (rdns.len && der_next(&rdns, DER_SET, &rdn) == 0) {
        while (rdn.len && der_next(&rdn, DER_SEQUENCE, &pair) == 0) {
            if (der_next(&pair, DER_OID, &type) != 0 || der_next_tag(&pair, &tag, &value) != 0 ||
                !oid_is(type, oid))
                continue;
            *ret_tag = tag;
            *ret = value;
            n++;
        }
    }
    return n;
}

/* X.680 41.4 */
static bool is_printable(uint32_t c)
{
    return c && c < 0x80 &&
           strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?", (int)c);
}

/* Characters, or -1 when one is none that a name may have. */
static int count_characters(uint8_t tag, struct der text)
{
    size_t at, step;
    uint32_t c = 0;
    int n = 0;

    for (at = 0; at < text.len; at += step, n++) {
        step = text_utf8(text.p + at, text.len - at, &c);
        if (step == 0 || text_is_control(c) || (tag == DER_PRINTABLE_STRING && !is_printable(c)))
            return -1;
    }
    return n;
}

static void fault(struct p11ca_err *ret, const struct attribute *a, const char *code, const char *text)
{
    err_set(ret, P11CA_NEGATIVE, code, "subject: RFC 5280 A.1: %s: %s", a->name, text);
}

/* What is wrong with an attribute is told to those who ask for it: the certificate may have better names. */
static int read_attribute(
    struct p11ca_identity *id, const struct attribute *a, struct p11ca_err *ret_fault, struct p11ca_err *err)
{
    struct der text = {NULL, 0};
    uint8_t tag = 0;
    size_t n = find_attribute(id->cert.t.subject, a->oid, &tag, &text);
    int characters;

    if (n == 0)
        return 0;
    characters = count_characters(tag, text);
    if (n > 1)
        fault(ret_fault, a, a->ambiguous, "want one, have more");
    else if (tag != DER_PRINTABLE_STRING && (a->printable_only || tag != DER_UTF8_STRING))
        fault(ret_fault, a, a->type,
            a->printable_only ? "want a PrintableString, have another type"
                              : "want a UTF8String or PrintableString, have another type");
    else if (characters < 0)
        fault(ret_fault, a, a->text, "want characters of its type without controls, have others");
    else if (characters == 0 || characters > MAX_ATTRIBUTE)
        fault(ret_fault, a, a->length, "want 1 to 64 characters, have another number");
    else
        return add_name(id, a->kind, text.p, text.len, err);
    return 0;
}

static int check_nameless(const struct p11ca_identity *id, struct p11ca_err *err)
{
    const struct cert_ext *san = tbs_ext(&id->cert.t, OID_SAN);

    if (!name_is_empty(id->cert.t.subject))
        return 0;
    if (!san)
        return err_set(err, P11CA_REFUSED, "CERT_NAMELESS",
            "certificate: RFC 5280 4.1.2.6: subject: want one, or a SAN, have neither");
    if (!san->critical)
        return err_set(err, P11CA_REFUSED, "CERT_NAMELESS",
            "certificate: RFC 5280 4.2.1.6: SAN: want it critical beside an empty subject, have it not");
    return 0;
}

/* The number of values of the SAN's sequence is not known yet; each has at least two octets. */
static int make_room(struct p11ca_identity *id, struct p11ca_err *err)
{
    size_t n = id->facts.san.len / 2 + IDENTITY_SUBJECT_NAMES;

    n = n < IDENTITY_NAMES ? n : IDENTITY_NAMES;
    id->names = arena_alloc(&id->arena, n * sizeof(*id->names));
    id->sans = arena_alloc(&id->arena, n * sizeof(*id->sans));
    id->pub.names = id->names;
    return id->names && id->sans ? 0 : err_nomem(err);
}

int identity_read_names(struct p11ca_identity *id, struct p11ca_err *err)
{
    const char *subject = id->pub.subject;

    if (check_nameless(id, err) != 0 || make_room(id, err) != 0 ||
        (id->facts.san.p && read_sans(id, err) != 0))
        return -1;
    if (read_attribute(id, &cn, &id->cn_fault, err) != 0 ||
        read_attribute(id, &serial, &id->serial_fault, err) != 0)
        return -1;
    return *subject ? add_name(id, P11CA_NAME_SUBJECT, subject, strlen(subject), err) : 0;
}
