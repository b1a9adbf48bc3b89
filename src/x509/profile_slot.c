/* The keys that make slots: subject, sans, extensions; and the rules that are not asked. */
#include "x509/profile_read.h"

#include <stddef.h>
#include <string.h>

#include "x509/name.h"
#include "x509/template.h"

#define N(table)     (sizeof(table) / sizeof((table)[0]))
#define EXT_SIZE_MAX 4096

static const struct profile_word source_words[] = {
    {"fixed", FROM_FIXED},
    {"manifest", FROM_MANIFEST},
    {"csr", FROM_CSR},
};

struct slot_conf {
    const char *attribute, *kind, *oid, *type, *from, *value;
    int max;
    bool optional, critical;
};
#define SLOT(key, kind, required, member)                                                                    \
    {                                                                                                        \
        key, kind, required, offsetof(struct slot_conf, member)                                              \
    }
#define SLOT_SOURCE                                                                                          \
    SLOT("from", CONF_STR, true, from), SLOT("value", CONF_STR, false, value),                               \
        SLOT("optional", CONF_BOOL, false, optional)
static const struct conf_field subject_fields[] = {SLOT("attribute", CONF_STR, true, attribute), SLOT_SOURCE};
static const struct conf_field san_fields[] = {
    SLOT("kind", CONF_STR, true, kind), SLOT("max", CONF_INT, false, max), SLOT_SOURCE};
static const struct conf_field ext_fields[] = {SLOT("oid", CONF_STR, true, oid),
    SLOT("type", CONF_STR, true, type), SLOT("critical", CONF_BOOL, false, critical),
    SLOT("max", CONF_INT, false, max), SLOT_SOURCE};

typedef int slot_fn(struct profile_making *m, const config_setting_t *s, const struct slot_conf *c,
    struct slot slot, size_t i, struct p11ca_err *err);

/* Which of value and optional go with a source. */
static int read_slot(const struct profile_making *m, const config_setting_t *s, const struct slot_conf *c,
    bool valueless, struct slot *ret, struct p11ca_err *err)
{
    struct p11ca_err why;
    unsigned from;

    if (profile_read_word(m, s, source_words, N(source_words), c->from, &from, err) != 0)
        return -1;
    if (from == FROM_CSR && c->value)
        return profile_refuse(m, s, err, "want no value with from = \"csr\"");
    if (from == FROM_FIXED && c->optional)
        return profile_refuse(m, s, err, "want optional only where a source may have nothing");
    if (!c->value && (from == FROM_FIXED || (from == FROM_MANIFEST && !valueless)))
        return profile_refuse(m, s, err, "want a value with from = \"%s\"", c->from);
    if (from == FROM_MANIFEST && c->value && template_check(c->value, &why) != 0)
        return profile_refuse(m, s, err, "%s", why.msg);
    *ret = (struct slot){(enum source)from, c->value, c->optional};
    return 0;
}

/* Every group of a list through its table and fn. */
static int read_slots(struct profile_making *m, config_setting_t *list, const struct conf_field *fields,
    size_t n_fields, bool valueless, slot_fn *fn, size_t *ret_n, struct p11ca_err *err)
{
    size_t i, n = config_setting_is_list(list) ? (size_t)config_setting_length(list) : PROFILE_LIST_MAX + 1;
    struct slot slot;

    if (n > PROFILE_LIST_MAX)
        return profile_refuse(
            m, list, err, "want a list ( { ... }, { ... } ) of at most %d", PROFILE_LIST_MAX);
    for (i = 0; i < n; i++) {
        config_setting_t *s = config_setting_get_elem(list, (unsigned)i);
        struct slot_conf c = {.max = 0};

        if (!config_setting_is_group(s))
            return profile_refuse(m, s, err, "want groups { ... }");
        if (conf_fields(m->said->conf, s, m->key, fields, n_fields, &c, err) != 0 ||
            read_slot(m, s, &c, valueless, &slot, err) != 0 || fn(m, s, &c, slot, i, err) != 0)
            return -1;
    }
    *ret_n = n;
    return 0;
}

/* A fixed value is judged now, others when they come. */
static int subject_slot(struct profile_making *m, const config_setting_t *s, const struct slot_conf *c,
    struct slot slot, size_t i, struct p11ca_err *err)
{
    struct subject_slot *slots = (struct subject_slot *)(uintptr_t)m->p->subject_slots;
    AUTO_BUF text = BUF_INIT, der = BUF_INIT;
    struct p11ca_err why;

    template_add_rdn(&text, c->attribute, slot.from == FROM_FIXED ? slot.value : "US");
    if (!buf_str(&text))
        return err_nomem(err);
    if (name_from_text((char *)text.p, &der, &why) != 0 &&
        (slot.from == FROM_FIXED || strcmp(why.code, "NAME_SYNTAX") == 0))
        return profile_refuse(m, s, err, "%s: %s", c->attribute, why.msg);
    slots[i] = (struct subject_slot){slot, c->attribute};
    return 0;
}

int profile_subject_slots(struct profile_making *m, config_setting_t *s, struct p11ca_err *err)
{
    m->p->subject_slots = arena_alloc(m->arena, PROFILE_LIST_MAX * sizeof(*m->p->subject_slots));
    if (!m->p->subject_slots)
        return err_nomem(err);
    return read_slots(
        m, s, subject_fields, N(subject_fields), false, subject_slot, &m->p->n_subject_slots, err);
}

static int san_slot(struct profile_making *m, const config_setting_t *s, const struct slot_conf *c,
    struct slot slot, size_t i, struct p11ca_err *err)
{
    struct san_slot *slots = (struct san_slot *)(uintptr_t)m->p->san_slots;
    enum san_type type = san_type_find(c->kind, strlen(c->kind));
    AUTO_SANS list = SAN_LIST_INIT;
    struct p11ca_err why;

    if (type == SAN_TYPES)
        return profile_refuse(m, s, err, "RFC 5280 4.2.1.6: no kind of name '%s'", c->kind);
    if (c->max < 0 || c->max > 250 || (c->max > 1 && slot.value))
        return profile_refuse(m, s, err, "max: want 1 to 250, and 1 with a value, have %d", c->max);
    if (slot.from == FROM_FIXED && san_add(&list, type, slot.value, &why) != 0)
        return profile_refuse(m, s, err, "%s", why.msg);
    slots[i] = (struct san_slot){slot, type, c->max ? (unsigned)c->max : 1};
    return 0;
}

int profile_san_slots(struct profile_making *m, config_setting_t *s, struct p11ca_err *err)
{
    m->p->san_slots = arena_alloc(m->arena, PROFILE_LIST_MAX * sizeof(*m->p->san_slots));
    if (!m->p->san_slots)
        return err_nomem(err);
    return read_slots(m, s, san_fields, N(san_fields), true, san_slot, &m->p->n_san_slots, err);
}

static bool slot_twice(const struct profile_making *m, struct der oid)
{
    size_t i;

    for (i = 0; i < m->p->n_ext_slots; i++) {
        if (der_equal(m->p->ext_slots[i].oid, oid))
            return true;
    }
    for (i = 0; i < m->p->n_fixed; i++) {
        if (der_equal(m->fixed[i].oid, oid))
            return true;
    }
    return false;
}

static int ext_slot(struct profile_making *m, const config_setting_t *s, const struct slot_conf *c,
    struct slot slot, size_t i, struct p11ca_err *err)
{
    struct ext_slot *slots = (struct ext_slot *)(uintptr_t)m->p->ext_slots;
    struct ext_slot e = {
        slot, {NULL, 0}, c->critical, ext_type_find(c->type), (size_t)(c->max ? c->max : 64)};
    AUTO_BUF oid = BUF_INIT, value = BUF_INIT;
    struct p11ca_err why;

    (void)i;
    if (e.type == EXT_TYPES)
        return profile_refuse(m, s, err, "type: want an ASN.1 type or DER, have '%s'", c->type);
    if (c->max < 0 || c->max > EXT_SIZE_MAX)
        return profile_refuse(m, s, err, "max: want 1 to %d octets, have %d", EXT_SIZE_MAX, c->max);
    if (slot.from == FROM_CSR)
        return profile_refuse(
            m, s, err, "want from = \"fixed\" or \"manifest\": a request's extensions are not taken");
    if (ext_private_oid(c->oid, &oid, &why) != 0)
        return profile_refuse(m, s, err, "%s", why.msg);
    if (slot_twice(m, der_buf(&oid)))
        return profile_refuse(m, s, err, "RFC 5280 4.2: want each extension once, have %s twice", c->oid);
    if (slot.from == FROM_FIXED) {
        if (ext_private_make(e.type, slot.value, e.max, &value, &why) != 0)
            return profile_refuse(m, s, err, "%s: %s", c->oid, why.msg);
        return profile_fix_ext(m, s, der_buf(&oid), c->critical, &value, err);
    }
    if (profile_keep_der(m, &oid, &e.oid, err) != 0)
        return -1;
    slots[m->p->n_ext_slots++] = e;
    return 0;
}

int profile_extensions(struct profile_making *m, config_setting_t *s, struct p11ca_err *err)
{
    size_t n;

    m->p->ext_slots = arena_alloc(m->arena, PROFILE_LIST_MAX * sizeof(*m->p->ext_slots));
    if (!m->p->ext_slots)
        return err_nomem(err);
    return read_slots(m, s, ext_fields, N(ext_fields), false, ext_slot, &n, err);
}

/* --- rules that are not asked --- */

static const struct conf_field skip_fields[] = {
    {"rule", CONF_STR, true, offsetof(struct lint_skip, rule)},
    {"reason", CONF_STR, true, offsetof(struct lint_skip, reason)},
};

int profile_skip_lint(struct profile_making *m, config_setting_t *s, struct p11ca_err *err)
{
    size_t i, n = config_setting_is_list(s) ? (size_t)config_setting_length(s) : PROFILE_LIST_MAX + 1;
    struct lint_skip *skips = arena_alloc(m->arena, (PROFILE_LIST_MAX + 1) * sizeof(*skips));

    if (!skips)
        return err_nomem(err);
    if (n > PROFILE_LIST_MAX)
        return profile_refuse(m, s, err, "want a list ( { rule = \"...\"; reason = \"...\"; } )");
    for (i = 0; i < n; i++) {
        config_setting_t *one = config_setting_get_elem(s, (unsigned)i);

        if (!config_setting_is_group(one))
            return profile_refuse(m, one, err, "want { rule = \"...\"; reason = \"...\"; }");
        if (conf_fields(m->said->conf, one, m->key, skip_fields, N(skip_fields), &skips[i], err) != 0)
            return -1;
    }
    m->p->skips = skips;
    m->p->n_skips = n;
    return 0;
}
