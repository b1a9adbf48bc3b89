#include "x509/profile_read.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "x509/constraints.h"
#include "x509/ext.h"
#include "x509/ext_info.h"
#include "x509/lint.h"
#include "x509/name.h"
#include "x509/template.h"

#define N(table)     (sizeof(table) / sizeof((table)[0]))
#define LIST_MAX     32 /* slots, policies, extensions of a profile */
#define EXT_SIZE_MAX 4096

/* A profile on its way. */
struct making {
    struct profile *p;
    struct arena *arena;
    const struct said *said; /* the key at hand */
    const char *key;
    struct fixed_ext fixed[LIMIT_EXTS];
};

static int refuse(const struct making *m, const config_setting_t *at, struct p11ca_err *err, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));
static int refuse(
    const struct making *m, const config_setting_t *at, struct p11ca_err *err, const char *fmt, ...)
{
    char text[700];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return conf_err(m->said->conf, at, err, "profiles.%s: %s: %s", m->said->by->name, m->key, text);
}

/* --- memory --- */

struct kept {
    struct kept *next;
    max_align_t data[];
};

void *arena_keep(struct arena *a, size_t size)
{
    struct kept *k = calloc(1, sizeof(*k) + size);

    if (!k)
        return NULL;
    k->next = a->first;
    a->first = k;
    return k->data;
}

void arena_done(struct arena *a)
{
    struct kept *k;

    while ((k = a->first)) {
        a->first = k->next;
        free(k);
    }
}

static int keep_der(struct making *m, const struct buf *b, struct der *ret, struct p11ca_err *err)
{
    uint8_t *p = buf_ok(b) ? arena_keep(m->arena, b->len + 1) : NULL;

    if (!p)
        return err_nomem(err);
    if (b->len)
        memcpy(p, b->p, b->len);
    *ret = DER_OF(p, b->len);
    return 0;
}

/* --- words --- */

struct word {
    const char *name;
    unsigned value;
};

static const struct word subject_words[] = {
    {"any", SUBJECT_ANY},
    {"cn", SUBJECT_CN},
    {"cn-required", SUBJECT_NOT_EMPTY},
    {"required", SUBJECT_SOME},
};
static const struct word key_words[] = {
    {"P-256", KEY_BIT(KEY_P256)},
    {"P-384", KEY_BIT(KEY_P384)},
    {"P-521", KEY_BIT(KEY_P521)},
    {"RSA", KEY_BIT(KEY_RSA)},
};
static const struct word rule_words[] = {
    {"BR", RULES_BR},
    {"IDevID", RULES_IDEVID},
    {"LDevID", RULES_LDEVID},
    {"Matter", RULES_MATTER},
    {"SPIFFE", RULES_SPIFFE},
    {"OCSP", RULES_OCSP},
    {"PIV", RULES_PIV},
};
static const struct word source_words[] = {
    {"fixed", FROM_FIXED},
    {"manifest", FROM_MANIFEST},
    {"csr", FROM_CSR},
};

static bool find_word(const struct word *words, size_t n, const char *name, unsigned *ret)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (strcmp(words[i].name, name) == 0) {
            *ret = words[i].value;
            return true;
        }
    }
    return false;
}

static const char *list_words(const struct word *words, size_t n, char dst[160])
{
    size_t i, len = 0;

    for (i = 0; i < n && len < 150; i++)
        len += (size_t)snprintf(dst + len, 160 - len, "%s%s", i ? ", " : "", words[i].name);
    return dst;
}

/* One word of a table. */
static int read_word(const struct making *m, const config_setting_t *s, const struct word *words, size_t n,
    const char *name, unsigned *ret, struct p11ca_err *err)
{
    char list[160];

    if (name && find_word(words, n, name, ret))
        return 0;
    return refuse(m, s, err, "want one of %s, have '%s'", list_words(words, n, list), name ? name : "");
}

static int read_strings(
    const struct making *m, config_setting_t *s, const char **v, size_t *ret_n, struct p11ca_err *err)
{
    int i, n = config_setting_is_array(s) || config_setting_is_list(s) ? config_setting_length(s) : -1;

    if (n < 0 || n > LIST_MAX)
        return refuse(m, s, err, "want strings in brackets, at most %d", LIST_MAX);
    for (i = 0; i < n; i++) {
        v[i] = config_setting_get_string_elem(s, i);
        if (!v[i])
            return refuse(m, s, err, "want strings");
    }
    *ret_n = (size_t)n;
    return 0;
}

static int read_set(const struct making *m, config_setting_t *s, const struct word *words, size_t n,
    unsigned *ret, struct p11ca_err *err)
{
    const char *v[LIST_MAX];
    unsigned bit, set = 0;
    size_t i, n_v;

    if (read_strings(m, s, v, &n_v, err) != 0)
        return -1;
    for (i = 0; i < n_v; i++) {
        if (read_word(m, s, words, n, v[i], &bit, err) != 0)
            return -1;
        set |= bit;
    }
    *ret = set;
    return 0;
}

/* --- single values --- */

static int read_usages(const struct making *m, config_setting_t *s, unsigned *ret, struct p11ca_err *err)
{
    const char *v[LIST_MAX];
    unsigned bit, set = 0;
    size_t i, n;

    if (read_strings(m, s, v, &n, err) != 0)
        return -1;
    for (i = 0; i < n; i++) {
        bit = ext_ku_bit(v[i]);
        if (!bit)
            return refuse(m, s, err, "RFC 5280 4.2.1.3: no usage '%s'", v[i]);
        set |= bit;
    }
    *ret = set;
    return 0;
}

static int key_usage(struct making *m, config_setting_t *s, struct p11ca_err *err)
{
    return read_usages(m, s, &m->p->key_usage, err);
}

static int key_usage_rsa(struct making *m, config_setting_t *s, struct p11ca_err *err)
{
    return read_usages(m, s, &m->p->key_usage_rsa, err);
}

/* Names of those that are known, dotted numbers of others. */
static int extended_key_usage(struct making *m, config_setting_t *s, struct p11ca_err *err)
{
    AUTO_BUF others = BUF_INIT;
    const char *v[LIST_MAX];
    unsigned bit, set = 0;
    size_t i, n, at;

    if (read_strings(m, s, v, &n, err) != 0)
        return -1;
    for (i = 0; i < n; i++) {
        bit = ext_eku_bit(v[i]);
        set |= bit ? bit : EKU_OTHER;
        if (bit)
            continue;
        at = der_open(&others);
        if (oid_from_dotted(v[i], strlen(v[i]), &others) != 0)
            return refuse(m, s, err, "RFC 5280 4.2.1.12: no usage '%s', and no object identifier", v[i]);
        der_close(&others, at, DER_OID);
    }
    m->p->eku = set;
    return keep_der(m, &others, &m->p->eku_others, err);
}

static int path_length(struct making *m, config_setting_t *s, struct p11ca_err *err)
{
    const char *word = config_setting_get_string(s);

    if (word ? strcmp(word, "none") != 0
             : config_setting_type(s) != CONFIG_TYPE_INT || config_setting_get_int(s) < 0 ||
                   config_setting_get_int(s) > 255)
        return refuse(m, s, err, "RFC 5280 4.2.1.9: want 0 to 255, or \"none\"");
    m->p->pathlen = word ? -1 : config_setting_get_int(s);
    return 0;
}

static int subject_rule(struct making *m, config_setting_t *s, struct p11ca_err *err)
{
    unsigned v;

    if (read_word(m, s, subject_words, N(subject_words), config_setting_get_string(s), &v, err) != 0)
        return -1;
    m->p->subject = (enum subject_rule)v;
    return 0;
}

static int keys_allowed(struct making *m, config_setting_t *s, struct p11ca_err *err)
{
    return read_set(m, s, key_words, N(key_words), &m->p->keys, err);
}

static int lint_rules(struct making *m, config_setting_t *s, struct p11ca_err *err)
{
    return read_set(m, s, rule_words, N(rule_words), &m->p->rules, err);
}

static int san_allowed(struct making *m, config_setting_t *s, struct p11ca_err *err)
{
    const char *v[LIST_MAX];
    unsigned set = 0;
    size_t i, n;

    if (read_strings(m, s, v, &n, err) != 0)
        return -1;
    for (i = 0; i < n; i++) {
        enum san_type type = san_type_find(v[i], strlen(v[i]));

        if (type == SAN_TYPES)
            return refuse(m, s, err, "RFC 5280 4.2.1.6: no kind of name '%s'", v[i]);
        set |= SAN_BIT(type);
    }
    m->p->san_allowed = set;
    return 0;
}

/* Whole, ASCII, and for CRLs http (RFC 5280 4.2.1.13). */
static int read_url(const struct making *m, config_setting_t *s, const char **ret, struct p11ca_err *err)
{
    const char *url = config_setting_get_string(s);
    AUTO_SANS list = SAN_LIST_INIT;
    struct p11ca_err why;

    if (!url || strncmp(url, "http://", 7) != 0 || san_add(&list, SAN_URI, url, &why) != 0 ||
        strcmp(list.v[0].text, url) != 0)
        return refuse(m, s, err, "RFC 5280 4.2.1.13: want an http:// URI");
    *ret = url;
    return 0;
}

static int crl_url(struct making *m, config_setting_t *s, struct p11ca_err *err)
{
    return read_url(m, s, &m->p->crl_url, err);
}

static int ocsp_url(struct making *m, config_setting_t *s, struct p11ca_err *err)
{
    return read_url(m, s, &m->p->ocsp_url, err);
}

static int ca_issuers_url(struct making *m, config_setting_t *s, struct p11ca_err *err)
{
    return read_url(m, s, &m->p->ca_issuers_url, err);
}

/* --- extensions that are the same in every certificate --- */

/* value holds the extension's; it is emptied. */
static int fix_ext(struct making *m, const config_setting_t *s, struct der oid, bool critical,
    struct buf *value, struct p11ca_err *err)
{
    struct fixed_ext *e = &m->fixed[m->p->n_fixed];
    AUTO_BUF tlv = BUF_INIT, id = BUF_INIT;
    size_t at = der_open(&tlv), i;

    for (i = 0; i < m->p->n_fixed; i++) {
        if (der_equal(m->fixed[i].oid, oid))
            return refuse(m, s, err, "RFC 5280 4.2: want each extension once");
    }
    if (m->p->n_fixed == N(m->fixed))
        return refuse(m, s, err, "want at most %zu extensions", N(m->fixed));
    buf_add(&tlv, value->p, value->len);
    ext_close_oid(&tlv, at, oid, critical);
    buf_add(&id, oid.p, oid.len);
    e->critical = critical;
    if (keep_der(m, &id, &e->oid, err) != 0 || keep_der(m, value, &e->value, err) != 0 ||
        keep_der(m, &tlv, &e->tlv, err) != 0)
        return -1;
    m->p->n_fixed++;
    return 0;
}

struct policy {
    const char *oid, *cps;
};
static const struct conf_field policy_fields[] = {
    {"oid", CONF_STR, true, offsetof(struct policy, oid)},
    {"cps", CONF_STR, false, offsetof(struct policy, cps)},
};

static int read_policy(const struct making *m, const config_setting_t *s, struct buf *oid,
    struct ext_policy *ret, struct p11ca_err *err)
{
    struct policy p = {NULL, NULL};
    AUTO_SANS uri = SAN_LIST_INIT;
    struct p11ca_err why;

    if (!config_setting_is_group(s))
        return refuse(m, s, err, "want groups { oid = \"...\"; }");
    if (conf_fields(m->said->conf, s, "policies", policy_fields, N(policy_fields), &p, err) != 0)
        return -1;
    if (oid_from_dotted(p.oid, strlen(p.oid), oid) != 0 || !buf_ok(oid))
        return refuse(m, s, err, "RFC 5280 4.2.1.4: want an object identifier, have '%s'", p.oid);
    if (p.cps && (san_add(&uri, SAN_URI, p.cps, &why) != 0 || strcmp(uri.v[0].text, p.cps) != 0))
        return refuse(m, s, err, "cps: RFC 5280 4.2.1.4: want a URI, have '%s'", p.cps);
    *ret = (struct ext_policy){
        der_buf(oid), DER_OF((const uint8_t *)(p.cps ? p.cps : ""), p.cps ? strlen(p.cps) : 0)};
    return 0;
}

static bool policy_twice(const struct ext_policy *v, size_t n)
{
    size_t i;

    for (i = 0; i + 1 < n; i++) {
        if (der_equal(v[i].oid, v[n - 1].oid))
            return true;
    }
    return false;
}

static int policies(struct making *m, config_setting_t *s, struct p11ca_err *err)
{
    struct buf oid[LIST_MAX] = {BUF_INIT};
    struct ext_policy v[LIST_MAX];
    AUTO_BUF value = BUF_INIT;
    size_t i, n = config_setting_is_list(s) ? (size_t)config_setting_length(s) : LIST_MAX + 1;
    int rc = 0;

    if (n > LIST_MAX)
        return refuse(m, s, err, "want a list of at most %d", LIST_MAX);
    for (i = 0; i < n && rc == 0; i++) {
        rc = read_policy(m, config_setting_get_elem(s, (unsigned)i), &oid[i], &v[i], err);
        if (rc == 0 && policy_twice(v, i + 1))
            rc = refuse(m, s, err, "RFC 5280 4.2.1.4: want each policy once");
    }
    if (rc == 0 && n) {
        ext_add_policies(&value, v, n);
        rc = fix_ext(m, s, oid_der(OID_POLICIES), false, &value, err);
    }
    for (i = 0; i < LIST_MAX; i++)
        buf_done(&oid[i]);
    return rc;
}

static const struct conf_field constraint_fields[] = {
    {"permitted", CONF_STRS, false, 0},
    {"excluded", CONF_STRS, false, sizeof(struct conf_strs)},
};

/* "DNS:acme.example" */
static int add_constraints(const struct making *m, const config_setting_t *s, const struct conf_strs *v,
    bool excluded, struct constraints *list, struct p11ca_err *err)
{
    struct p11ca_err why;
    size_t i;

    for (i = 0; i < v->n; i++) {
        const char *colon = strchr(v->v[i], ':');
        enum san_type type = colon ? san_type_find(v->v[i], (size_t)(colon - v->v[i])) : SAN_TYPES;

        if (type == SAN_TYPES)
            return refuse(m, s, err, "RFC 5280 4.2.1.10: want KIND:NAME, have '%s'", v->v[i]);
        if (constraints_add(list, excluded, type, colon + 1, &why) != 0)
            return refuse(m, s, err, "%s", why.msg);
    }
    return 0;
}

static int name_constraints(struct making *m, config_setting_t *s, struct p11ca_err *err)
{
    struct conf_strs v[2] = {{NULL, 0}, {NULL, 0}};
    AUTO_CONSTRAINTS list = CONSTRAINTS_INIT;
    AUTO_BUF value = BUF_INIT;
    int rc;

    if (!config_setting_is_group(s))
        return refuse(m, s, err, "want { permitted = [ ... ]; excluded = [ ... ]; }");
    rc = conf_fields(m->said->conf, s, m->key, constraint_fields, N(constraint_fields), v, err);
    if (rc == 0)
        rc = add_constraints(m, s, &v[0], false, &list, err);
    if (rc == 0)
        rc = add_constraints(m, s, &v[1], true, &list, err);
    if (rc == 0 && list.n) {
        constraints_to_der(&list, &value);
        rc = fix_ext(m, s, oid_der(OID_NAME_CONSTRAINTS), true, &value, err);
    }
    free(v[0].v);
    free(v[1].v);
    return rc;
}

static int tls_feature(struct making *m, config_setting_t *s, struct p11ca_err *err)
{
    unsigned v[LIST_MAX], found[LIST_MAX];
    AUTO_BUF value = BUF_INIT;
    int i, n = config_setting_is_array(s) ? config_setting_length(s) : -1, number;
    size_t n_found;

    if (n < 0 || n > LIST_MAX)
        return refuse(m, s, err, "RFC 7633 4.1: want numbers of TLS extensions, [ 5 ]");
    for (i = 0; i < n; i++) {
        number = config_setting_get_int_elem(s, i);
        if (number < 1 || number > 65535)
            return refuse(m, s, err, "RFC 7633 4.1: want numbers from 1 to 65535");
        v[i] = (unsigned)number;
    }
    if (n == 0)
        return 0;
    ext_add_tls_features(&value, v, (size_t)n);
    if (ext_read_tls_features(der_buf(&value), found, LIST_MAX, &n_found) != 0)
        return refuse(m, s, err, "RFC 7633 4.1: want each number once");
    return fix_ext(m, s, oid_der(OID_TLS_FEATURE), false, &value, err);
}

static int no_rev_avail(struct making *m, config_setting_t *s, struct p11ca_err *err)
{
    AUTO_BUF value = BUF_INIT;

    if (!config_setting_get_bool(s))
        return 0;
    ext_add_null(&value);
    return fix_ext(m, s, oid_der(OID_NO_REV_AVAIL), false, &value, err);
}

static int masa_url(struct making *m, config_setting_t *s, struct p11ca_err *err)
{
    const char *url = config_setting_get_string(s);
    AUTO_BUF value = BUF_INIT;
    AUTO_SANS list = SAN_LIST_INIT;
    struct p11ca_err why;
    struct der back;

    if (!url)
        return refuse(m, s, err, "RFC 8995 2.3.2: want a URI");
    ext_add_masa_url(&value, url);
    if (san_add(&list, SAN_URI, url, &why) != 0 || ext_read_masa_url(der_buf(&value), &back) != 0)
        return refuse(m, s, err, "RFC 8995 2.3.2: want a URI, have '%s'", url);
    return fix_ext(m, s, oid_der(OID_MASA_URL), false, &value, err);
}

/* --- slots --- */

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

typedef int slot_fn(struct making *m, const config_setting_t *s, const struct slot_conf *c, struct slot slot,
    size_t i, struct p11ca_err *err);

/* Which of value and optional go with a source. */
static int read_slot(const struct making *m, const config_setting_t *s, const struct slot_conf *c,
    bool valueless, struct slot *ret, struct p11ca_err *err)
{
    struct p11ca_err why;
    unsigned from;

    if (read_word(m, s, source_words, N(source_words), c->from, &from, err) != 0)
        return -1;
    if (from == FROM_CSR && c->value)
        return refuse(m, s, err, "want no value with from = \"csr\"");
    if (from == FROM_FIXED && c->optional)
        return refuse(m, s, err, "want optional only where a source may have nothing");
    if (!c->value && (from == FROM_FIXED || (from == FROM_MANIFEST && !valueless)))
        return refuse(m, s, err, "want a value with from = \"%s\"", c->from);
    if (from == FROM_MANIFEST && c->value && template_check(c->value, &why) != 0)
        return refuse(m, s, err, "%s", why.msg);
    *ret = (struct slot){(enum source)from, c->value, c->optional};
    return 0;
}

/* Every group of a list through its table and fn. */
static int read_slots(struct making *m, config_setting_t *list, const struct conf_field *fields,
    size_t n_fields, bool valueless, slot_fn *fn, size_t *ret_n, struct p11ca_err *err)
{
    size_t i, n = config_setting_is_list(list) ? (size_t)config_setting_length(list) : LIST_MAX + 1;
    struct slot slot;

    if (n > LIST_MAX)
        return refuse(m, list, err, "want a list ( { ... }, { ... } ) of at most %d", LIST_MAX);
    for (i = 0; i < n; i++) {
        config_setting_t *s = config_setting_get_elem(list, (unsigned)i);
        struct slot_conf c = {.max = 0};

        if (!config_setting_is_group(s))
            return refuse(m, s, err, "want groups { ... }");
        if (conf_fields(m->said->conf, s, m->key, fields, n_fields, &c, err) != 0 ||
            read_slot(m, s, &c, valueless, &slot, err) != 0 || fn(m, s, &c, slot, i, err) != 0)
            return -1;
    }
    *ret_n = n;
    return 0;
}

/* A fixed value is judged now, others when they come. */
static int subject_slot(struct making *m, const config_setting_t *s, const struct slot_conf *c,
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
        return refuse(m, s, err, "%s: %s", c->attribute, why.msg);
    slots[i] = (struct subject_slot){slot, c->attribute};
    return 0;
}

static int subject_slots(struct making *m, config_setting_t *s, struct p11ca_err *err)
{
    m->p->subject_slots = arena_keep(m->arena, LIST_MAX * sizeof(*m->p->subject_slots));
    if (!m->p->subject_slots)
        return err_nomem(err);
    return read_slots(
        m, s, subject_fields, N(subject_fields), false, subject_slot, &m->p->n_subject_slots, err);
}

static int san_slot(struct making *m, const config_setting_t *s, const struct slot_conf *c, struct slot slot,
    size_t i, struct p11ca_err *err)
{
    struct san_slot *slots = (struct san_slot *)(uintptr_t)m->p->san_slots;
    enum san_type type = san_type_find(c->kind, strlen(c->kind));
    AUTO_SANS list = SAN_LIST_INIT;
    struct p11ca_err why;

    if (type == SAN_TYPES)
        return refuse(m, s, err, "RFC 5280 4.2.1.6: no kind of name '%s'", c->kind);
    if (c->max < 0 || c->max > 250 || (c->max > 1 && slot.value))
        return refuse(m, s, err, "max: want 1 to 250, and 1 with a value, have %d", c->max);
    if (slot.from == FROM_FIXED && san_add(&list, type, slot.value, &why) != 0)
        return refuse(m, s, err, "%s", why.msg);
    slots[i] = (struct san_slot){slot, type, c->max ? (unsigned)c->max : 1};
    return 0;
}

static int san_slots(struct making *m, config_setting_t *s, struct p11ca_err *err)
{
    m->p->san_slots = arena_keep(m->arena, LIST_MAX * sizeof(*m->p->san_slots));
    if (!m->p->san_slots)
        return err_nomem(err);
    return read_slots(m, s, san_fields, N(san_fields), true, san_slot, &m->p->n_san_slots, err);
}

static bool slot_twice(const struct making *m, struct der oid)
{
    size_t i;

    for (i = 0; i < m->p->n_ext_slots; i++) {
        if (der_equal(m->p->ext_slots[i].oid, oid))
            return true;
    }
    return false;
}

static int ext_slot(struct making *m, const config_setting_t *s, const struct slot_conf *c, struct slot slot,
    size_t i, struct p11ca_err *err)
{
    struct ext_slot *slots = (struct ext_slot *)(uintptr_t)m->p->ext_slots;
    struct ext_slot e = {
        slot, {NULL, 0}, c->critical, ext_type_find(c->type), (size_t)(c->max ? c->max : 64)};
    AUTO_BUF oid = BUF_INIT, value = BUF_INIT;
    struct p11ca_err why;

    (void)i;
    if (e.type == EXT_TYPES)
        return refuse(m, s, err, "type: want an ASN.1 type or DER, have '%s'", c->type);
    if (c->max < 0 || c->max > EXT_SIZE_MAX)
        return refuse(m, s, err, "max: want 1 to %d octets, have %d", EXT_SIZE_MAX, c->max);
    if (slot.from == FROM_CSR)
        return refuse(
            m, s, err, "want from = \"fixed\" or \"manifest\": a request's extensions are not taken");
    if (ext_private_oid(c->oid, &oid, &why) != 0)
        return refuse(m, s, err, "%s", why.msg);
    if (slot_twice(m, der_buf(&oid)))
        return refuse(m, s, err, "RFC 5280 4.2: want each extension once, have %s twice", c->oid);
    if (slot.from == FROM_FIXED) {
        if (ext_private_make(e.type, slot.value, e.max, &value, &why) != 0)
            return refuse(m, s, err, "%s: %s", c->oid, why.msg);
        return fix_ext(m, s, der_buf(&oid), c->critical, &value, err);
    }
    if (keep_der(m, &oid, &e.oid, err) != 0)
        return -1;
    slots[m->p->n_ext_slots++] = e;
    return 0;
}

static int extensions(struct making *m, config_setting_t *s, struct p11ca_err *err)
{
    size_t n;

    m->p->ext_slots = arena_keep(m->arena, LIST_MAX * sizeof(*m->p->ext_slots));
    if (!m->p->ext_slots)
        return err_nomem(err);
    return read_slots(m, s, ext_fields, N(ext_fields), false, ext_slot, &n, err);
}

/* --- rules that are not asked --- */

static const struct conf_field skip_fields[] = {
    {"rule", CONF_STR, true, offsetof(struct lint_skip, rule)},
    {"reason", CONF_STR, true, offsetof(struct lint_skip, reason)},
};

static int skip_lint(struct making *m, config_setting_t *s, struct p11ca_err *err)
{
    size_t i, n = config_setting_is_list(s) ? (size_t)config_setting_length(s) : LIST_MAX + 1;
    struct lint_skip *skips = arena_keep(m->arena, (LIST_MAX + 1) * sizeof(*skips));

    if (!skips)
        return err_nomem(err);
    if (n > LIST_MAX)
        return refuse(m, s, err, "want a list ( { rule = \"...\"; reason = \"...\"; } )");
    for (i = 0; i < n; i++) {
        config_setting_t *one = config_setting_get_elem(s, (unsigned)i);

        if (!config_setting_is_group(one))
            return refuse(m, one, err, "want { rule = \"...\"; reason = \"...\"; }");
        if (conf_fields(m->said->conf, one, m->key, skip_fields, N(skip_fields), &skips[i], err) != 0)
            return -1;
    }
    m->p->skips = skips;
    m->p->n_skips = n;
    return 0;
}

/* --- the table --- */

enum kind { FLAG, NUMBER, TEXT, MADE };

#define P(member) offsetof(struct profile, member)
static const struct key {
    const char *name;
    enum kind kind;
    size_t offset; /* of bool, unsigned, const char * */
    int (*read)(struct making *m, config_setting_t *s, struct p11ca_err *err);
} keys[] = {
    {"about", TEXT, P(about), NULL},
    {"ca", FLAG, P(is_ca), NULL},
    {"self-signed", FLAG, P(self_signed), NULL},
    {"cross", FLAG, P(cross), NULL},
    {"device", FLAG, P(device), NULL},
    {"path-length", MADE, 0, path_length},
    {"key-usage", MADE, 0, key_usage},
    {"key-usage-rsa", MADE, 0, key_usage_rsa},
    {"extended-key-usage", MADE, 0, extended_key_usage},
    {"subject-key-identifier", FLAG, P(ski), NULL},
    {"crl-distribution-point", FLAG, P(crl_dp), NULL},
    {"crl-url", MADE, 0, crl_url},
    {"authority-info-access", FLAG, P(aia), NULL},
    {"ocsp-url", MADE, 0, ocsp_url},
    {"ca-issuers-url", MADE, 0, ca_issuers_url},
    {"ocsp-nocheck", FLAG, P(ocsp_nocheck), NULL},
    {"no-rev-avail", MADE, 0, no_rev_avail},
    {"policies", MADE, 0, policies},
    {"name-constraints", MADE, 0, name_constraints},
    {"tls-feature", MADE, 0, tls_feature},
    {"masa-url", MADE, 0, masa_url},
    {"extensions", MADE, 0, extensions},
    {"subject-rule", MADE, 0, subject_rule},
    {"subject", MADE, 0, subject_slots},
    {"san-allowed", MADE, 0, san_allowed},
    {"san-required", FLAG, P(san_required), NULL},
    {"sans", MADE, 0, san_slots},
    {"no-expiry", FLAG, P(no_expiry), NULL},
    {"days", NUMBER, P(days), NULL},
    {"days-max", NUMBER, P(days_max), NULL},
    {"backdate", NUMBER, P(backdate), NULL},
    {"keys", MADE, 0, keys_allowed},
    {"rsa-bits-min", NUMBER, P(rsa_bits_min), NULL},
    {"max-size", NUMBER, P(max_size), NULL},
    {"lint", MADE, 0, lint_rules},
    {"skip-lint", MADE, 0, skip_lint},
};
_Static_assert(N(keys) <= PROFILE_KEYS_MAX, "a profile has no room for its keys");

const char *profile_key(size_t i)
{
    return i < N(keys) ? keys[i].name : NULL;
}

int profile_key_find(const char *name)
{
    size_t i;

    for (i = 0; i < N(keys); i++) {
        if (strcmp(keys[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}

static int read_key(struct making *m, const struct key *key, config_setting_t *s, struct p11ca_err *err)
{
    char *at = (char *)m->p + key->offset;

    switch (key->kind) {
    case FLAG:
        if (config_setting_type(s) != CONFIG_TYPE_BOOL)
            return refuse(m, s, err, "want true or false");
        *(bool *)(void *)at = config_setting_get_bool(s);
        return 0;
    case NUMBER:
        if (config_setting_type(s) != CONFIG_TYPE_INT || config_setting_get_int(s) < 0)
            return refuse(m, s, err, "want a whole number from 0");
        *(unsigned *)(void *)at = (unsigned)config_setting_get_int(s);
        return 0;
    case TEXT:
        if (!config_setting_get_string(s))
            return refuse(m, s, err, "want a string");
        *(const char **)(void *)at = config_setting_get_string(s);
        return 0;
    case MADE:
        break;
    }
    return key->read(m, s, err);
}

/* Slots that bring names or attributes the profile itself would refuse, and the like. */
static const char *contradiction(const struct profile *p)
{
    size_t i;

    for (i = 0; i < p->n_san_slots; i++) {
        if (!(p->san_allowed & SAN_BIT(p->san_slots[i].type)))
            return "sans: want only kinds of san-allowed";
    }
    if (p->is_ca && (p->n_san_slots || p->n_subject_slots || p->n_ext_slots))
        return "want no subject, sans or extensions from elsewhere for a CA: its authority names it";
    for (i = 0; i < p->n_fixed; i++) {
        if (oid_is(p->fixed[i].oid, OID_NAME_CONSTRAINTS) && !p->is_ca)
            return "name-constraints: RFC 5280 4.2.1.10: want them only with a CA";
        if (oid_is(p->fixed[i].oid, OID_NO_REV_AVAIL) && (p->crl_dp || p->ocsp_url))
            return "no-rev-avail: RFC 9608 3: want it without crl-distribution-point and ocsp-url";
    }
    if (p->max_size && p->max_size < 200)
        return "max-size: want 200 octets or more: no certificate is smaller";
    return NULL;
}

int profile_compile(struct profile *p, struct arena *arena, struct p11ca_err *err)
{
    struct making m = {.p = p, .arena = arena};
    const char *wrong;
    size_t i;

    p->pathlen = -1;
    for (i = 0; i < N(keys); i++) {
        m.said = &p->text->said[i];
        m.key = keys[i].name;
        if (m.said->at && read_key(&m, &keys[i], m.said->at, err) != 0)
            return -1;
    }
    p->fixed = arena_keep(arena, sizeof(m.fixed));
    if (!p->fixed)
        return err_nomem(err);
    memcpy((void *)(uintptr_t)p->fixed, m.fixed, sizeof(m.fixed));
    if (profile_check(p, err) != 0)
        return -1;
    if (lint_check_skips(p, err) != 0)
        return -1;
    wrong = contradiction(p);
    return wrong ? err_set(err, P11CA_CONFIG, "PROFILE", "profile '%s': %s", p->name, wrong) : 0;
}
