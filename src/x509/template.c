#include "x509/template.h"

#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "x509/ext.h"
#include "x509/name.h"

static const char field_set[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";

/* A piece of a template: text, or the name of a field. */
struct piece {
    bool field;
    const char *p;
    size_t len;
};

/* Takes the next piece off; 0 at the end, -1 when it is none. */
static int next_piece(const char **at, struct piece *ret)
{
    const char *p = *at;
    size_t len;

    if (!*p)
        return 0;
    if (*p == '{' && p[1] == '{') {
        *ret = (struct piece){false, p, 1};
        *at = p + 2;
        return 1;
    }
    if (*p == '{') {
        len = strspn(p + 1, field_set);
        *ret = (struct piece){true, p + 1, len};
        *at = p + len + 2;
        return len && len <= 32 && p[len + 1] == '}' ? 1 : -1;
    }
    len = strcspn(p, "{");
    *ret = (struct piece){false, p, len};
    *at = p + len;
    return 1;
}

int template_check(const char *text, struct p11ca_err *err)
{
    struct piece piece;
    int has;

    while ((has = next_piece(&text, &piece)) > 0)
        ;
    return has == 0 ? 0
                    : err_set(err, P11CA_REFUSED, "FIELD_SYNTAX",
                          "template: want {field} of a-z 0-9 _ -, and {{ for a brace");
}

static bool text_uses(const char *text, const char *field)
{
    struct piece piece;

    while (text && next_piece(&text, &piece) > 0) {
        if (piece.field && piece.len == strlen(field) && memcmp(piece.p, field, piece.len) == 0)
            return true;
    }
    return false;
}

static bool slot_uses(const struct slot *slot, const char *field)
{
    return slot->from == FROM_MANIFEST && text_uses(slot->value, field);
}

bool template_uses(const struct profile *p, const char *field)
{
    size_t i;

    for (i = 0; i < p->n_subject_slots; i++) {
        if (slot_uses(&p->subject_slots[i].slot, field))
            return true;
    }
    for (i = 0; i < p->n_san_slots; i++) {
        if (slot_uses(&p->san_slots[i].slot, field))
            return true;
    }
    for (i = 0; i < p->n_ext_slots; i++) {
        if (slot_uses(&p->ext_slots[i].slot, field))
            return true;
    }
    return false;
}

/* --- filling --- */

/*
 * Where a field stands inside other text, its value must not bring structure of its own: no label more in a host name,
 * no path or query in a URI.
 */
static bool is_plain(const char *value, bool dots)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    size_t i;

    for (i = 0; value[i]; i++) {
        if (!strchr(set, value[i]) || (value[i] == '.' && (!dots || value[i + 1] == '.')))
            return false;
    }
    return i && value[0] != '.' && value[i - 1] != '.';
}

/* {field} and nothing else: its value is the whole. */
static bool is_alone(const char *text)
{
    struct piece piece;

    return next_piece(&text, &piece) > 0 && piece.field && !*text;
}

enum strictness { FILL_ANY, FILL_OCTETS, FILL_NO_STRUCTURE, FILL_LABEL };

/* hw and permid: TYPE:VALUE, of which a value that begins with # is hexadecimal, and the first colon counts. */
static bool is_octets(const char *value, const struct buf *before)
{
    bool behind = before->len && memchr(before->p, ':', before->len);

    return behind ? value[0] != '#' || before->p[before->len - 1] != ':' : !strchr(value, ':');
}

static bool may_stand(const char *value, enum strictness how, const struct buf *before)
{
    if (how == FILL_ANY)
        return true;
    return how == FILL_OCTETS ? is_octets(value, before) : is_plain(value, how == FILL_NO_STRUCTURE);
}

struct filling {
    const struct profile *profile;
    const struct template_source *src;
    const char *what; /* the slot, for errors */
};

static int missing(const struct filling *f, const char *field, size_t len, struct p11ca_err *err)
{
    return err_set(err, P11CA_REFUSED, "FIELD_MISSING", "profile '%s': %s: want field '%.*s', have none",
        f->profile->name, f->what, (int)len, field);
}

/* 1 filled, 0 a field has no value and the slot may be left out, -1. */
static int fill(const struct filling *f, const struct slot *slot, enum strictness how, struct buf *ret,
    struct p11ca_err *err)
{
    static const char *const wants[] = {
        [FILL_OCTETS] = "no # behind the colon and no colon before it",
        [FILL_NO_STRUCTURE] = "A-Z a-z 0-9 _ - .",
        [FILL_LABEL] = "A-Z a-z 0-9 _ -",
    };
    const char *at = slot->value, *value;
    struct piece piece;
    bool alone = slot->from == FROM_MANIFEST && is_alone(slot->value);

    if (slot->from == FROM_FIXED) {
        buf_adds(ret, slot->value);
        return buf_str(ret) ? 1 : err_nomem(err);
    }
    while (next_piece(&at, &piece) > 0) {
        if (!piece.field) {
            buf_add(ret, piece.p, piece.len);
            continue;
        }
        value = f->src->field ? f->src->field(f->src->arg, piece.p, piece.len) : NULL;
        if (!value || !*value)
            return slot->optional ? 0 : missing(f, piece.p, piece.len, err);
        if (!alone && !may_stand(value, how, ret))
            return err_set(err, P11CA_REFUSED, "FIELD_SYNTAX",
                "profile '%s': %s: field '%.*s': want %s inside other text, have '%s'", f->profile->name,
                f->what, (int)piece.len, piece.p, wants[how], value);
        buf_adds(ret, value);
    }
    return buf_str(ret) ? 1 : err_nomem(err);
}

/* --- subject --- */

void template_add_rdn(struct buf *text, const char *attribute, const char *value)
{
    buf_adds(text, attribute);
    buf_addc(text, '=');
    for (; *value; value++) {
        if (strchr(" \"#+,;<=>\\", *value))
            buf_addc(text, '\\');
        buf_addc(text, (uint8_t)*value);
    }
}

/* Text of the request's attribute of a type: 1, 0 there is none, -1 more than one. */
static int csr_attribute(const struct template_source *src, const char *type, struct buf *ret)
{
    AUTO_BUF oid = BUF_INIT;
    struct der value;
    int has;

    if (!src->csr_subject.p)
        return 0;
    if (!name_type_find(type, &oid) || !buf_ok(&oid))
        return -1;
    has = name_find(src->csr_subject, der_buf(&oid), &value);
    if (has == 1)
        buf_add(ret, value.p, value.len);
    return has == 1 && !buf_str(ret) ? -1 : has;
}

/* What a request says of an attribute that the manifest gives must be the same. */
static int check_same(
    const struct filling *f, const struct subject_slot *s, const struct buf *value, struct p11ca_err *err)
{
    AUTO_BUF csr = BUF_INIT;

    if (s->slot.from != FROM_MANIFEST || csr_attribute(f->src, s->attribute, &csr) != 1 ||
        strcmp((char *)csr.p, (char *)value->p) == 0)
        return 0;
    return err_set(err, P11CA_REFUSED, "SUBJECT_MISMATCH",
        "profile '%s': %s: want '%s' in the request, have '%s'", f->profile->name, f->what, (char *)value->p,
        (char *)csr.p);
}

/* 1 and the value, 0: left out. */
static int subject_value(
    const struct filling *f, const struct subject_slot *s, struct buf *ret, struct p11ca_err *err)
{
    int has;

    if (s->slot.from != FROM_CSR)
        return fill(f, &s->slot, FILL_ANY, ret, err);
    has = csr_attribute(f->src, s->attribute, ret);
    if (has == 1 || (has == 0 && s->slot.optional))
        return has;
    return err_set(err, P11CA_REFUSED, "FIELD_MISSING",
        "profile '%s': %s: want it once in the request, have %s", f->profile->name, f->what,
        has ? "more" : "none");
}

int template_subject(
    const struct profile *p, const struct template_source *src, struct buf *ret, struct p11ca_err *err)
{
    struct filling f = {p, src, NULL};
    AUTO_BUF text = BUF_INIT;
    size_t i;

    for (i = p->n_subject_slots; i-- > 0;) { /* RFC 4514: the last first */
        AUTO_BUF value = BUF_INIT;
        int has;

        f.what = p->subject_slots[i].attribute;
        has = subject_value(&f, &p->subject_slots[i], &value, err);
        if (has < 0 || (has && check_same(&f, &p->subject_slots[i], &value, err) != 0))
            return -1;
        if (!has)
            continue;
        if (text.len)
            buf_addc(&text, ',');
        template_add_rdn(&text, p->subject_slots[i].attribute, (char *)value.p);
    }
    if (!buf_str(&text))
        return err_nomem(err);
    return name_from_text((char *)text.p, ret, err) == 0 ? 0 : err_prefix(err, "profile '%s'", p->name);
}

/* --- alternative names --- */

static enum strictness strictness_of(enum san_type type)
{
    if (type == SAN_DNS || type == SAN_EMAIL || type == SAN_UPN || type == SAN_SRV || type == SAN_SMTPUTF8)
        return FILL_LABEL;
    if (type == SAN_HW || type == SAN_PERMID)
        return FILL_OCTETS;
    return type == SAN_URI || type == SAN_DIRNAME ? FILL_NO_STRUCTURE : FILL_ANY;
}

/* Those of a kind, at most max; how many. */
static int copy_kind(const struct filling *f, const struct san_slot *s, const struct san_list *from,
    struct san_list *ret, struct p11ca_err *err)
{
    unsigned n = 0;
    size_t i;

    for (i = 0; from && i < from->n; i++) {
        if (from->v[i].type != s->type)
            continue;
        if (++n > s->max)
            return err_set(err, P11CA_REFUSED, "SAN_TEMPLATE",
                "profile '%s': SAN: want at most %u of kind %s", f->profile->name, s->max, f->what);
        if (san_add(ret, s->type, from->v[i].text, err) != 0)
            return -1;
    }
    if (n || s->slot.optional)
        return 0;
    return err_set(err, P11CA_REFUSED, "FIELD_MISSING", "profile '%s': SAN: want %s in the %s, have none",
        f->profile->name, f->what, s->slot.from == FROM_CSR ? "request" : "order");
}

static int add_san(
    const struct filling *f, const struct san_slot *s, struct san_list *ret, struct p11ca_err *err)
{
    AUTO_BUF text = BUF_INIT;
    int has;

    if (s->slot.from == FROM_CSR)
        return copy_kind(f, s, f->src->csr_names, ret, err);
    if (!s->slot.value)
        return copy_kind(f, s, f->src->given, ret, err);
    has = fill(f, &s->slot, strictness_of(s->type), &text, err);
    if (has <= 0)
        return has;
    return san_add(ret, s->type, (char *)text.p, err) == 0
               ? 0
               : err_prefix(err, "profile '%s'", f->profile->name);
}

/* A name that was given and would not be in the certificate is not silently left out. */
static int check_given(const struct profile *p, const struct san_list *given, struct p11ca_err *err)
{
    size_t i, k;

    for (i = 0; given && i < given->n; i++) {
        for (k = 0; k < p->n_san_slots; k++) {
            const struct san_slot *s = &p->san_slots[k];

            if (s->slot.from == FROM_MANIFEST && !s->slot.value && s->type == given->v[i].type)
                break;
        }
        if (k == p->n_san_slots)
            return err_set(err, P11CA_REFUSED, "SAN_TEMPLATE",
                "profile '%s': SAN: want no %s from the order, have %s", p->name,
                san_type_name(given->v[i].type), given->v[i].text);
    }
    return 0;
}

int template_sans(
    const struct profile *p, const struct template_source *src, struct san_list *ret, struct p11ca_err *err)
{
    struct filling f = {p, src, NULL};
    size_t i;

    if (check_given(p, src->given, err) != 0)
        return -1;
    for (i = 0; i < p->n_san_slots; i++) {
        f.what = san_type_name(p->san_slots[i].type);
        if (add_san(&f, &p->san_slots[i], ret, err) != 0)
            return -1;
    }
    return 0;
}

/* --- private extensions --- */

int template_exts(
    const struct profile *p, const struct template_source *src, struct buf *ret, struct p11ca_err *err)
{
    struct filling f = {p, src, NULL};
    char name[OID_TEXT];
    size_t i, at;

    for (i = 0; i < p->n_ext_slots; i++) {
        const struct ext_slot *s = &p->ext_slots[i];
        AUTO_BUF text = BUF_INIT, value = BUF_INIT;
        int has;

        f.what = oid_text(s->oid, name);
        has = fill(&f, &s->slot, FILL_ANY, &text, err);
        if (has < 0)
            return -1;
        if (!has)
            continue;
        if (ext_private_make(s->type, (char *)text.p, s->max, &value, err) != 0)
            return err_prefix(err, "profile '%s': %s", p->name, name);
        at = der_open(ret);
        buf_add(ret, value.p, value.len);
        ext_close_oid(ret, at, s->oid, s->critical);
    }
    return buf_ok(ret) ? 0 : err_nomem(err);
}
