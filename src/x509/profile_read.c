/* The table of a profile's keys, and those of single values. */
#include "x509/profile_read.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "x509/ext.h"
#include "x509/lint.h"
#include "x509/oid.h"

#define N(table) (sizeof(table) / sizeof((table)[0]))

int profile_keep_der(struct profile_making *m, const struct buf *b, struct der *ret, struct p11ca_err *err)
{
    uint8_t *p = buf_ok(b) ? arena_alloc(m->arena, b->len + 1) : NULL;

    if (!p)
        return err_nomem(err);
    if (b->len)
        memcpy(p, b->p, b->len);
    *ret = DER_OF(p, b->len);
    return 0;
}

/* --- words --- */

static const struct profile_word subject_words[] = {
    {"any", SUBJECT_ANY},
    {"cn", SUBJECT_CN},
    {"cn-required", SUBJECT_NOT_EMPTY},
    {"required", SUBJECT_SOME},
};
static const struct profile_word key_words[] = {
    {"P-256", KEY_BIT(KEY_P256)},
    {"P-384", KEY_BIT(KEY_P384)},
    {"P-521", KEY_BIT(KEY_P521)},
    {"RSA", KEY_BIT(KEY_RSA)},
};

static bool find_word(const struct profile_word *words, size_t n, const char *name, unsigned *ret)
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

static const char *list_words(const struct profile_word *words, size_t n, char dst[160])
{
    size_t i, len = 0;

    for (i = 0; i < n && len < 150; i++)
        len += (size_t)snprintf(dst + len, 160 - len, "%s%s", i ? ", " : "", words[i].name);
    return dst;
}

/* One word of a table. */
int profile_read_word(const struct profile_making *m, const config_setting_t *s,
    const struct profile_word *words, size_t n, const char *name, unsigned *ret, struct p11ca_err *err)
{
    char list[160];

    if (name && find_word(words, n, name, ret))
        return 0;
    return profile_refuse(
        m, s, err, "want one of %s, have '%s'", list_words(words, n, list), name ? name : "");
}

int profile_read_strings(
    const struct profile_making *m, config_setting_t *s, const char **v, size_t *ret_n, struct p11ca_err *err)
{
    int i, n = config_setting_is_array(s) || config_setting_is_list(s) ? config_setting_length(s) : -1;

    if (n < 0 || n > PROFILE_LIST_MAX)
        return profile_refuse(m, s, err, "want strings in brackets, at most %d", PROFILE_LIST_MAX);
    for (i = 0; i < n; i++) {
        v[i] = config_setting_get_string_elem(s, i);
        if (!v[i])
            return profile_refuse(m, s, err, "want strings");
    }
    *ret_n = (size_t)n;
    return 0;
}

static int read_set(const struct profile_making *m, config_setting_t *s, const struct profile_word *words,
    size_t n, unsigned *ret, struct p11ca_err *err)
{
    const char *v[PROFILE_LIST_MAX];
    unsigned bit, set = 0;
    size_t i, n_v;

    if (profile_read_strings(m, s, v, &n_v, err) != 0)
        return -1;
    for (i = 0; i < n_v; i++) {
        if (profile_read_word(m, s, words, n, v[i], &bit, err) != 0)
            return -1;
        set |= bit;
    }
    *ret = set;
    return 0;
}

/* --- single values --- */

static int read_usages(
    const struct profile_making *m, config_setting_t *s, unsigned *ret, struct p11ca_err *err)
{
    const char *v[PROFILE_LIST_MAX];
    unsigned bit, set = 0;
    size_t i, n;

    if (profile_read_strings(m, s, v, &n, err) != 0)
        return -1;
    for (i = 0; i < n; i++) {
        bit = ext_ku_bit(v[i]);
        if (!bit)
            return profile_refuse(m, s, err, "RFC 5280 4.2.1.3: no usage '%s'", v[i]);
        set |= bit;
    }
    *ret = set;
    return 0;
}

static int key_usage(struct profile_making *m, config_setting_t *s, struct p11ca_err *err)
{
    return read_usages(m, s, &m->p->key_usage, err);
}

static int key_usage_rsa(struct profile_making *m, config_setting_t *s, struct p11ca_err *err)
{
    return read_usages(m, s, &m->p->key_usage_rsa, err);
}

static bool has_usage(struct der list, struct der oid)
{
    struct der one;

    while (list.len && der_next(&list, DER_OID, &one) == 0) {
        if (der_equal(one, oid))
            return true;
    }
    return false;
}

/* A dotted number. One that has a name is refused: what is asked of usages is asked of those with names. */
static int other_usage(const struct profile_making *m, const config_setting_t *s, const char *text,
    struct buf *others, struct p11ca_err *err)
{
    AUTO_BUF oid = BUF_INIT;
    unsigned bit;

    if (oid_from_dotted(text, strlen(text), &oid) != 0)
        return profile_refuse(m, s, err, "RFC 5280 4.2.1.12: no usage '%s', and no object identifier", text);
    bit = ext_eku_oid_bit(der_buf(&oid));
    if (bit != EKU_OTHER)
        return profile_refuse(m, s, err, "RFC 5280 4.2.1.12: want usage '%s' by its name, %s", text,
            oid_name(oid_find(der_buf(&oid))));
    if (has_usage(der_buf(others), der_buf(&oid)))
        return profile_refuse(m, s, err, "RFC 5280 4.2.1.12: want each usage once, have '%s' twice", text);
    der_add(others, DER_OID, oid.p, oid.len);
    return buf_ok(&oid) && buf_ok(others) ? 0 : err_nomem(err);
}

/* Names of those that are known, dotted numbers of others. */
static int extended_key_usage(struct profile_making *m, config_setting_t *s, struct p11ca_err *err)
{
    AUTO_BUF others = BUF_INIT;
    const char *v[PROFILE_LIST_MAX];
    unsigned bit, set = 0;
    size_t i, n;

    if (profile_read_strings(m, s, v, &n, err) != 0)
        return -1;
    for (i = 0; i < n; i++) {
        bit = ext_eku_bit(v[i]);
        set |= bit ? bit : EKU_OTHER;
        if (!bit && other_usage(m, s, v[i], &others, err) != 0)
            return -1;
    }
    m->p->eku = set;
    return profile_keep_der(m, &others, &m->p->eku_others, err);
}

static int path_length(struct profile_making *m, config_setting_t *s, struct p11ca_err *err)
{
    const char *word = config_setting_get_string(s);

    if (word ? strcmp(word, "none") != 0
             : config_setting_type(s) != CONFIG_TYPE_INT || config_setting_get_int(s) < 0 ||
                   config_setting_get_int(s) > 255)
        return profile_refuse(m, s, err, "RFC 5280 4.2.1.9: want 0 to 255, or \"none\"");
    m->p->pathlen = word ? -1 : config_setting_get_int(s);
    return 0;
}

static int subject_rule(struct profile_making *m, config_setting_t *s, struct p11ca_err *err)
{
    unsigned v;

    if (profile_read_word(m, s, subject_words, N(subject_words), config_setting_get_string(s), &v, err) != 0)
        return -1;
    m->p->subject = (enum subject_rule)v;
    return 0;
}

static int keys_allowed(struct profile_making *m, config_setting_t *s, struct p11ca_err *err)
{
    return read_set(m, s, key_words, N(key_words), &m->p->keys, err);
}

static int lint_rules(struct profile_making *m, config_setting_t *s, struct p11ca_err *err)
{
    const char *v[PROFILE_LIST_MAX];
    unsigned bit, set = 0;
    size_t i, n;

    if (profile_read_strings(m, s, v, &n, err) != 0)
        return -1;
    for (i = 0; i < n; i++) {
        bit = lint_family(v[i], strlen(v[i]));
        if (!bit)
            return profile_refuse(m, s, err, "no family of rules '%s' (p11ca lint --list)", v[i]);
        set |= bit;
    }
    m->p->rules = set;
    return 0;
}

static int san_allowed(struct profile_making *m, config_setting_t *s, struct p11ca_err *err)
{
    const char *v[PROFILE_LIST_MAX];
    unsigned set = 0;
    size_t i, n;

    if (profile_read_strings(m, s, v, &n, err) != 0)
        return -1;
    for (i = 0; i < n; i++) {
        enum san_type type = san_type_find(v[i], strlen(v[i]));

        if (type == SAN_TYPES)
            return profile_refuse(m, s, err, "RFC 5280 4.2.1.6: no kind of name '%s'", v[i]);
        set |= SAN_BIT(type);
    }
    m->p->san_allowed = set;
    return 0;
}

/* Whole, ASCII, and for CRLs http (RFC 5280 4.2.1.13). */
static int read_url(
    const struct profile_making *m, config_setting_t *s, const char **ret, struct p11ca_err *err)
{
    const char *url = config_setting_get_string(s);
    AUTO_SANS list = SAN_LIST_INIT;
    struct p11ca_err why;

    if (!url || strncmp(url, "http://", 7) != 0 || san_add(&list, SAN_URI, url, &why) != 0 ||
        strcmp(list.v[0].text, url) != 0)
        return profile_refuse(m, s, err, "RFC 5280 4.2.1.13: want an http:// URI");
    *ret = url;
    return 0;
}

static int crl_url(struct profile_making *m, config_setting_t *s, struct p11ca_err *err)
{
    return read_url(m, s, &m->p->crl_url, err);
}

static int ocsp_url(struct profile_making *m, config_setting_t *s, struct p11ca_err *err)
{
    return read_url(m, s, &m->p->ocsp_url, err);
}

static int ca_issuers_url(struct profile_making *m, config_setting_t *s, struct p11ca_err *err)
{
    return read_url(m, s, &m->p->ca_issuers_url, err);
}

/* --- the table --- */

enum kind { FLAG, NUMBER, TEXT, MADE };

#define P(member) offsetof(struct profile, member)
static const struct key {
    const char *name;
    enum kind kind;
    size_t offset; /* of bool, unsigned, const char * */
    int (*read)(struct profile_making *m, config_setting_t *s, struct p11ca_err *err);
} keys[] = {
    {"about", TEXT, P(about), NULL},
    {"ca", FLAG, P(is_ca), NULL},
    {"self-signed", FLAG, P(self_signed), NULL},
    {"cross", FLAG, P(cross), NULL},
    {"device", FLAG, P(device), NULL},
    {"renew-same-key", FLAG, P(same_key), NULL},
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
    {"no-rev-avail", MADE, 0, profile_no_rev_avail},
    {"policies", MADE, 0, profile_policies},
    {"name-constraints", MADE, 0, profile_name_constraints},
    {"tls-feature", MADE, 0, profile_tls_feature},
    {"masa-url", MADE, 0, profile_masa_url},
    {"extensions", MADE, 0, profile_extensions},
    {"subject-rule", MADE, 0, subject_rule},
    {"subject", MADE, 0, profile_subject_slots},
    {"san-allowed", MADE, 0, san_allowed},
    {"san-required", FLAG, P(san_required), NULL},
    {"sans", MADE, 0, profile_san_slots},
    {"no-expiry", FLAG, P(no_expiry), NULL},
    {"days", NUMBER, P(days), NULL},
    {"days-max", NUMBER, P(days_max), NULL},
    {"backdate", NUMBER, P(backdate), NULL},
    {"keys", MADE, 0, keys_allowed},
    {"rsa-bits-min", NUMBER, P(rsa_bits_min), NULL},
    {"max-size", NUMBER, P(max_size), NULL},
    {"lint", MADE, 0, lint_rules},
    {"skip-lint", MADE, 0, profile_skip_lint},
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

static int read_key(
    struct profile_making *m, const struct key *key, config_setting_t *s, struct p11ca_err *err)
{
    char *at = (char *)m->p + key->offset;

    switch (key->kind) {
    case FLAG:
        if (config_setting_type(s) != CONFIG_TYPE_BOOL)
            return profile_refuse(m, s, err, "want true or false");
        *(bool *)(void *)at = config_setting_get_bool(s);
        return 0;
    case NUMBER:
        if (config_setting_type(s) != CONFIG_TYPE_INT || config_setting_get_int(s) < 0)
            return profile_refuse(m, s, err, "want a whole number from 0");
        *(unsigned *)(void *)at = (unsigned)config_setting_get_int(s);
        return 0;
    case TEXT:
        if (!config_setting_get_string(s))
            return profile_refuse(m, s, err, "want a string");
        *(const char **)(void *)at = config_setting_get_string(s);
        return 0;
    case MADE:
        break;
    }
    return key->read(m, s, err);
}

static bool says(const struct profile *p, const char *key)
{
    return p->text->said[profile_key_find(key)].by == p;
}

/* A base without expiry would make days that its heir sets mean nothing, and its certificates for ever. */
static bool days_mean_nothing(const struct profile *p)
{
    return p->no_expiry && (says(p, "days") || says(p, "days-max")) && !says(p, "no-expiry");
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
    if (days_mean_nothing(p))
        return "days: want no-expiry said with it, true or false: it is inherited, and days would not count";
    if (p->max_size && p->max_size < 200)
        return "max-size: want 200 octets or more: no certificate is smaller";
    return NULL;
}

int profile_compile(struct profile *p, struct arena *arena, struct p11ca_err *err)
{
    struct profile_making m = {.p = p, .arena = arena};
    const char *wrong;
    size_t i;

    p->pathlen = -1;
    for (i = 0; i < N(keys); i++) {
        m.said = &p->text->said[i];
        m.key = keys[i].name;
        if (m.said->at && read_key(&m, &keys[i], m.said->at, err) != 0)
            return -1;
    }
    p->fixed = arena_alloc(arena, sizeof(m.fixed));
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
