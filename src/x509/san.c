#include "x509/san.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/text.h"
#include "x509/san_kind.h"

const char *san_type_name(enum san_type type)
{
    return san_kind(type)->name;
}

enum san_type san_type_find(const char *name, size_t len)
{
    enum san_type type = SAN_DNS;

    while (type < SAN_TYPES &&
           (strlen(san_kind(type)->name) != len || strncasecmp(san_kind(type)->name, name, len) != 0))
        type++;
    return type;
}

/* Local parts of addresses differ by case, hosts do not. */
static bool same_mailbox(const char *a, const char *b)
{
    const char *at_a = strchr(a, '@'), *at_b = strchr(b, '@');

    return at_a && at_b && at_a - a == at_b - b && memcmp(a, b, (size_t)(at_a - a)) == 0 &&
           strcasecmp(at_a, at_b) == 0;
}

/* By text: a directoryName is the same in other string types (RFC 5280 7.1). */
static bool same(const struct san *a, const struct san *b)
{
    if (a->type != b->type)
        return false;
    switch (san_kind(a->type)->same) {
    case SAME_FOLDED:
        return strcasecmp(a->text, b->text) == 0;
    case SAME_MAILBOX:
        return same_mailbox(a->text, b->text);
    case SAME_TEXT:
        break;
    }
    return strcmp(a->text, b->text) == 0;
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

static bool list_has_type(const struct san_list *list, enum san_type type)
{
    size_t i = 0;

    while (i < list->n && list->v[i].type != type)
        i++;
    return i < list->n;
}

static int may_append(const struct san_list *list, const struct san *san, struct p11ca_err *err)
{
    const struct san_kind *kind = san_kind(san->type);

    if (list->n == LIMIT_SANS)
        return err_set(err, P11CA_REFUSED, "SAN_BAD", "SAN: want at most %d names", LIMIT_SANS);
    if (kind->once && list_has_type(list, san->type))
        return err_set(err, P11CA_REFUSED, "SAN_BAD", "SAN %s: want one, have two", kind->name);
    return 0;
}

static void san_done(struct san *san)
{
    free(san->text);
    free(san->der);
}

/* Takes san over, or frees it when the name is there already. */
static int append(struct san_list *list, struct san *san, struct p11ca_err *err)
{
    struct san *v = NULL;
    bool is_new = !list_has(list, san);

    if (is_new && may_append(list, san, err) == 0) {
        v = realloc(list->v, (list->n + 1) * sizeof(*v));
        if (!v)
            err_nomem(err);
    }
    if (!v) {
        san_done(san);
        return is_new ? -1 : 0;
    }
    v[list->n++] = *san;
    list->v = v;
    return 0;
}

static int append_bytes(
    struct san_list *list, enum san_type type, struct buf *text, struct der content, struct p11ca_err *err)
{
    struct san san = {.type = type, .der_len = content.len};
    AUTO_BUF der = BUF_INIT;
    size_t len;

    buf_add(&der, content.p, content.len);
    if (!buf_str(text) || !buf_str(&der))
        return err_nomem(err);
    san.text = (char *)buf_take(text, &len);
    san.der = buf_take(&der, &len);
    return append(list, &san, err);
}

/* Around the value of an otherName: its type-id, and [0] EXPLICIT. */
static void wrap(const struct san_kind *kind, struct buf *value)
{
    AUTO_BUF oid = BUF_INIT;

    if (kind->other == OID_NONE)
        return;
    der_close(value, 0, DER_CONTEXT_CONSTRUCTED(0));
    oid_add(&oid, kind->other);
    value->failed |= oid.failed;
    if (!value->failed)
        buf_insert(value, 0, oid.p, oid.len);
}

int san_add(struct san_list *list, enum san_type type, const char *text, struct p11ca_err *err)
{
    const struct san_kind *kind = san_kind(type);
    AUTO_BUF canonical = BUF_INIT;
    AUTO_BUF value = BUF_INIT;

    if (kind->make(kind, text, &canonical, &value, err) != 0)
        return -1;
    wrap(kind, &value);
    if (!buf_ok(&value))
        return err_nomem(err);
    return append_bytes(list, type, &canonical, der_buf(&value), err);
}

/* --- DER --- */

/* An otherName we do not know: a text inside must at least be text, before we say that we do not issue it. */
static int refuse_other_name(struct der oid, struct der value, struct p11ca_err *err)
{
    struct der text;
    char name[OID_TEXT];
    size_t at, step;
    uint32_t ch;

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

static int refuse_tag(uint8_t tag, struct p11ca_err *err)
{
    if (tag == DER_CONTEXT_CONSTRUCTED(3) || tag == DER_CONTEXT_CONSTRUCTED(5))
        return err_set(err, P11CA_REFUSED, "SAN_BAD", "SAN %s: no profile issues this kind of name",
            tag == DER_CONTEXT_CONSTRUCTED(3) ? "x400Address" : "ediPartyName");
    return err_set(
        err, P11CA_REFUSED, "SAN_BAD", "SAN: RFC 5280 4.2.1.6: want a GeneralName, have tag %02x", tag);
}

/* The kind of a GeneralName, and what its kind reads: of an otherName the value. */
static int find_kind(
    uint8_t tag, struct der content, enum san_type *ret_type, struct der *ret_value, struct p11ca_err *err)
{
    struct der oid = {NULL, 0}, value = content, rest = content;
    enum san_type type = SAN_DNS;

    if (tag == DER_CONTEXT_CONSTRUCTED(0) &&
        (der_next(&rest, DER_OID, &oid) != 0 || der_next(&rest, DER_CONTEXT_CONSTRUCTED(0), &value) != 0 ||
            rest.len != 0))
        return err_set(err, P11CA_REFUSED, "SAN_BAD", "SAN otherName: RFC 5280 4.2.1.6: want type and value");
    while (type < SAN_TYPES && (san_kind(type)->tag != tag || (oid.p && !oid_is(oid, san_kind(type)->other))))
        type++;
    if (type == SAN_TYPES)
        return oid.p ? refuse_other_name(oid, value, err) : refuse_tag(tag, err);
    *ret_type = type;
    *ret_value = value;
    return 0;
}

/* The octets are kept as they came; the text passes the checks of san_add(). */
static int name_from_der(struct san_list *list, uint8_t tag, struct der content, struct p11ca_err *err)
{
    const struct san_kind *kind;
    AUTO_BUF text = BUF_INIT;
    AUTO_BUF canonical = BUF_INIT;
    AUTO_BUF made = BUF_INIT;
    enum san_type type = SAN_DNS;
    struct der value;

    if (find_kind(tag, content, &type, &value, err) != 0)
        return -1;
    kind = san_kind(type);
    if (kind->read(kind, value, &text, err) != 0)
        return -1;
    if (!buf_str(&text))
        return err_nomem(err);
    if (kind->make(kind, (char *)text.p, &canonical, &made, err) != 0)
        return -1;
    return append_bytes(list, type, &canonical, content, err);
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

    for (i = 0; i < list->n; i++)
        der_add(ret, san_kind(list->v[i].type)->tag, list->v[i].der, list->v[i].der_len);
    der_close(ret, at, DER_SEQUENCE);
}

/* --- lists --- */

void san_to_text(const struct san_list *list, struct buf *ret)
{
    size_t i;

    for (i = 0; i < list->n; i++)
        buf_addf(ret, "%s%s:%s", i ? ", " : "", san_type_name(list->v[i].type), list->v[i].text);
}

bool san_has(const struct san_list *list, enum san_type type, const char *text)
{
    AUTO_SANS one = SAN_LIST_INIT;
    struct p11ca_err err;

    return san_add(&one, type, text, &err) == 0 && one.v && list_has(list, one.v);
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

static int copy_one(const struct san *from, struct san_list *list, struct p11ca_err *err)
{
    AUTO_BUF text = BUF_INIT;

    buf_adds(&text, from->text);
    return append_bytes(list, from->type, &text, DER_OF(from->der, from->der_len), err);
}

int san_copy(const struct san_list *from, struct san_list *ret, struct p11ca_err *err)
{
    struct san_list copy = SAN_LIST_INIT;
    size_t i;

    for (i = 0; i < from->n; i++) {
        if (copy_one(&from->v[i], &copy, err) != 0) {
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
        san_done(&list->v[i]);
    free(list->v);
    *list = (struct san_list)SAN_LIST_INIT;
}
