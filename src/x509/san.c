#include "x509/san.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/text.h"
#include "x509/oid.h"
#include "x509/san_check.h"

static const struct {
    const char *name;
    uint8_t tag; /* RFC 5280 A.2 GeneralName */
    const char *(*check)(const char *text, size_t len);
} types[SAN_TYPES] = {
    [SAN_DNS] = {"DNS", DER_CONTEXT(2), san_check_dns},
    [SAN_IP] = {"IP", DER_CONTEXT(7), NULL},
    [SAN_URI] = {"URI", DER_CONTEXT(6), san_check_uri},
    [SAN_EMAIL] = {"email", DER_CONTEXT(1), san_check_email},
};

const char *san_type_name(enum san_type type)
{
    return types[type].name;
}

static int bad(struct p11ca_err *err, const char *type, const char *text, const char *want)
{
    return err_set(
        err, P11CA_REFUSED, "SAN_BAD", "SAN %s '%.300s': RFC 5280 4.2.1.6: want %s", type, text, want);
}

/* Local parts of addresses differ by case, hosts do not. */
static bool same_text(enum san_type type, const char *a, const char *b)
{
    const char *at_a = strchr(a, '@'), *at_b = strchr(b, '@');

    if (type == SAN_DNS)
        return strcasecmp(a, b) == 0;
    if (type == SAN_EMAIL && at_a && at_b && at_a - a == at_b - b)
        return memcmp(a, b, (size_t)(at_a - a)) == 0 && strcasecmp(at_a, at_b) == 0;
    return strcmp(a, b) == 0;
}

static bool same(const struct san *a, const struct san *b)
{
    if (a->type != b->type)
        return false;
    if (a->type == SAN_IP)
        return a->value_len == b->value_len && memcmp(a->value, b->value, a->value_len) == 0;
    return same_text(a->type, a->text, b->text);
}

static bool list_has(const struct san_list *list, const struct san *san)
{
    size_t i;

    for (i = 0; i < list->n; i++) {
        if (same(&list->v[i], san))
            return true;
    }
    return false;
}

/* Takes san's text over, or frees it when the name is there already. */
static int append(struct san_list *list, struct san *san, struct p11ca_err *err)
{
    struct san *v;

    if (list_has(list, san)) {
        free(san->text);
        return 0;
    }
    if (list->n == LIMIT_SANS) {
        free(san->text);
        return err_set(err, P11CA_REFUSED, "SAN_BAD", "SAN: want at most %d names", LIMIT_SANS);
    }
    v = realloc(list->v, (list->n + 1) * sizeof(*v));
    if (!v) {
        free(san->text);
        return err_nomem(err);
    }
    v[list->n++] = *san;
    list->v = v;
    return 0;
}

static int append_ip(struct san_list *list, const uint8_t *value, size_t len, struct p11ca_err *err)
{
    struct san san = {.type = SAN_IP, .value_len = len};
    char text[INET6_ADDRSTRLEN];

    memcpy(san.value, value, len);
    if (!inet_ntop(len == 4 ? AF_INET : AF_INET6, value, text, sizeof(text)))
        return err_errno(err, P11CA_BUG, "inet_ntop");
    san.text = strdup(text);
    return san.text ? append(list, &san, err) : err_nomem(err);
}

static int add_ip(struct san_list *list, const char *text, struct p11ca_err *err)
{
    uint8_t value[16];

    if (inet_pton(AF_INET, text, value) == 1)
        return append_ip(list, value, 4, err);
    if (inet_pton(AF_INET6, text, value) == 1)
        return append_ip(list, value, 16, err);
    return bad(err, "IP", text, "an IPv4 or IPv6 address");
}

int san_add(struct san_list *list, enum san_type type, const char *text, struct p11ca_err *err)
{
    struct san san = {.type = type};
    const char *want;

    if (type == SAN_IP)
        return add_ip(list, text, err);
    want = *text ? types[type].check(text, strlen(text)) : "at least one character";
    if (want)
        return bad(err, types[type].name, text, want);
    san.text = strdup(text);
    return san.text ? append(list, &san, err) : err_nomem(err);
}

/* --- DER --- */

/* RFC 5280 4.2.1.6 otherName: a text inside must at least be text, before we say that we do not issue it. */
static int refuse_other_name(struct der c, struct p11ca_err *err)
{
    struct der oid, value, text;
    char name[OID_TEXT];
    size_t at, step;
    uint32_t ch;

    if (der_next(&c, DER_OID, &oid) != 0 || der_next(&c, DER_CONTEXT_CONSTRUCTED(0), &value) != 0 ||
        c.len != 0)
        return err_set(err, P11CA_REFUSED, "SAN_BAD", "SAN otherName: RFC 5280 4.2.1.6: want type and value");
    oid_text(oid, name);
    if (der_next(&value, DER_UTF8_STRING, &text) == 0) {
        for (at = 0; at < text.len; at += step) {
            step = text_utf8(text.p + at, text.len - at, &ch);
            if (step == 0)
                return err_set(err, P11CA_REFUSED, "SAN_UTF8",
                    "SAN otherName %s: RFC 3629 3: want UTF-8, have other octets", name);
        }
    }
    return err_set(
        err, P11CA_REFUSED, "SAN_BAD", "SAN otherName %s: no profile issues this kind of name", name);
}

static int refuse_kind(uint8_t tag, struct der content, struct p11ca_err *err)
{
    static const char *const kinds[] = {"otherName", "rfc822Name", "dNSName", "x400Address", "directoryName",
        "ediPartyName", "uniformResourceIdentifier", "iPAddress", "registeredID"};
    size_t kind = tag & 0x1f;

    if (tag == DER_CONTEXT_CONSTRUCTED(0))
        return refuse_other_name(content, err);
    if ((tag & 0xc0) != 0x80 || kind >= sizeof(kinds) / sizeof(kinds[0]))
        return err_set(
            err, P11CA_REFUSED, "SAN_BAD", "SAN: RFC 5280 4.2.1.6: want a GeneralName, have tag %02x", tag);
    return err_set(err, P11CA_REFUSED, "SAN_BAD", "SAN %s: no profile issues this kind of name", kinds[kind]);
}

static int text_from_der(struct san_list *list, enum san_type type, struct der c, struct p11ca_err *err)
{
    char text[LIMIT_URI + 1];

    if (c.len && memchr(c.p, 0, c.len))
        return err_set(err, P11CA_REFUSED, "SAN_BAD",
            "SAN %s: RFC 5280 4.2.1.6: want text, have a NUL character in it", types[type].name);
    if (c.len > LIMIT_URI)
        return err_set(err, P11CA_REFUSED, "SAN_BAD", "SAN %s: want at most %d octets, have %zu",
            types[type].name, LIMIT_URI, c.len);
    memcpy(text, c.p, c.len);
    text[c.len] = '\0';
    return san_add(list, type, text, err);
}

static int name_from_der(struct san_list *list, uint8_t tag, struct der c, struct p11ca_err *err)
{
    enum san_type type = SAN_DNS;

    while (type < SAN_TYPES && types[type].tag != tag)
        type++;
    if (type == SAN_TYPES)
        return refuse_kind(tag, c, err);
    if (type != SAN_IP)
        return text_from_der(list, type, c, err);
    if (c.len != 4 && c.len != 16)
        return err_set(
            err, P11CA_REFUSED, "SAN_BAD", "SAN IP: RFC 5280 4.2.1.6: want 4 or 16 octets, have %zu", c.len);
    return append_ip(list, c.p, c.len, err);
}

int san_from_der(struct der names, struct san_list *list, struct p11ca_err *err)
{
    struct der in, c;
    uint8_t tag;

    if (der_whole(names, DER_SEQUENCE, &in) != 0)
        return err_set(err, P11CA_REFUSED, "SAN_BAD", "SAN: RFC 5280 4.2.1.6: want a sequence of names");
    if (in.len == 0)
        return err_set(
            err, P11CA_REFUSED, "SAN_BAD", "SAN: RFC 5280 4.2.1.6: want at least one name, have none");
    while (in.len) {
        if (der_next_tag(&in, &tag, &c) != 0)
            return err_set(err, P11CA_REFUSED, "SAN_BAD", "SAN: RFC 5280 4.2.1.6: want a sequence of names");
        if (name_from_der(list, tag, c, err) != 0)
            return -1;
    }
    return 0;
}

void san_to_der(const struct san_list *list, struct buf *ret)
{
    size_t i, at = der_open(ret);

    for (i = 0; i < list->n; i++) {
        const struct san *s = &list->v[i];

        if (s->type == SAN_IP)
            der_add(ret, types[s->type].tag, s->value, s->value_len);
        else
            der_add(ret, types[s->type].tag, s->text, strlen(s->text));
    }
    der_close(ret, at, DER_SEQUENCE);
}

/* --- lists --- */

void san_to_text(const struct san_list *list, struct buf *ret)
{
    size_t i;

    for (i = 0; i < list->n; i++)
        buf_addf(ret, "%s%s:%s", i ? ", " : "", types[list->v[i].type].name, list->v[i].text);
}

bool san_has(const struct san_list *list, enum san_type type, const char *text)
{
    struct san san = {.type = type};
    AUTO_SANS one = SAN_LIST_INIT;
    struct p11ca_err err;
    size_t i;

    if (type == SAN_IP)
        return add_ip(&one, text, &err) == 0 && one.v && list_has(list, one.v);
    for (i = 0; i < list->n; i++) {
        if (list->v[i].type == san.type && same_text(type, list->v[i].text, text))
            return true;
    }
    return false;
}

bool san_equal(const struct san_list *a, const struct san_list *b)
{
    size_t i;

    for (i = 0; i < a->n && i < b->n; i++) {
        if (!same(&a->v[i], &b->v[i]))
            return false;
    }
    return a->n == b->n;
}

int san_copy(const struct san_list *from, struct san_list *ret, struct p11ca_err *err)
{
    struct san_list copy = SAN_LIST_INIT;
    size_t i;

    for (i = 0; i < from->n; i++) {
        struct san san = from->v[i];

        san.text = strdup(san.text);
        if (!san.text) {
            san_list_done(&copy);
            return err_nomem(err);
        }
        if (append(&copy, &san, err) != 0) {
            san_list_done(&copy);
            return -1;
        }
    }
    *ret = copy;
    return 0;
}

void san_list_done(struct san_list *list)
{
    size_t i;

    for (i = 0; i < list->n; i++)
        free(list->v[i].text);
    free(list->v);
    *list = (struct san_list)SAN_LIST_INIT;
}
