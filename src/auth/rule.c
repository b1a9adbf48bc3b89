#include "auth/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/identity.h"
#include "x509/name.h"

#define STAND_IN                                                                                             \
    'w' /* a segment of one such letter is good in every URI, and no host becomes another by it */

static int bad(enum p11ca_name_kind kind, const char *why, struct p11ca_err *err)
{
    return err_set(err, P11CA_CONFIG, "AUTH_CONFIG", "rule %s: %s", p11ca_name_kind(kind), why);
}

static bool is_path_kind(enum p11ca_name_kind kind)
{
    return kind == P11CA_NAME_URI || kind == P11CA_NAME_SPIFFE;
}

/* --- wildcards --- */

static bool is_rest(const char *p)
{
    return strcmp(p, "**") == 0;
}

/* Whole segments of "*" behind scheme://host/, and "**" as the last one, become the stand-in, and bits. */
static int take_wildcards(char *text, uint64_t *ret, bool *ret_rest, struct p11ca_err *err)
{
    static const char want[] = "want \"*\" as a whole segment of the path only, \"**\" as its last one only";
    uint64_t wild = 0;
    unsigned n = 0;
    char *p = text;
    size_t len;

    for (;; p += len + 1, n++) {
        len = strcspn(p, "/");
        if (memchr(p, '*', len)) {
            *ret_rest = is_rest(p);
            if ((len != 1 && !*ret_rest) || n < 3 || n >= RULE_SEGMENTS)
                return bad(P11CA_NAME_URI, want, err);
            memset(p, STAND_IN, len);
            wild |= UINT64_C(1) << n;
        }
        if (!p[len])
            break;
    }
    *ret = wild;
    return 0;
}

static void put_wildcards(char *text, uint64_t wild)
{
    unsigned n = 0;

    for (; wild; text += strcspn(text, "/") + 1, n++, wild >>= 1) {
        if (wild & 1)
            memset(text, '*', strcspn(text, "/"));
    }
}

/* One segment that is not empty, leads nowhere else, and is no more than a segment. */
static bool fits_segment(const char *text, size_t len)
{
    bool dots = len && len <= 2 && memcmp(text, "..", len) == 0;

    return len && !dots && !memchr(text, '?', len) && !memchr(text, '#', len);
}

static bool fits_rest(const char *text)
{
    size_t len;

    for (;; text += len + 1) {
        len = strcspn(text, "/");
        if (!fits_segment(text, len))
            return false;
        if (!text[len])
            return true;
    }
}

static bool fits_path(const struct rule *rule, const char *text)
{
    const char *want = rule->text;
    unsigned n;
    size_t len, want_len;

    for (n = 0;; n++) {
        len = strcspn(text, "/");
        want_len = strcspn(want, "/");
        if (rule->rest && is_rest(want))
            return fits_rest(text);
        if (n < RULE_SEGMENTS && rule->wild >> n & 1 ? !fits_segment(text, len)
                                                     : len != want_len || memcmp(text, want, len) != 0)
            return false;
        if (text[len] != want[want_len])
            return false;
        if (!text[len])
            return true;
        text += len + 1;
        want += want_len + 1;
    }
}

/* --- making --- */

static enum san_type san_type_of(enum p11ca_name_kind kind)
{
    switch (kind) {
    case P11CA_NAME_SPIFFE:
    case P11CA_NAME_UUID:
        return SAN_URI;
    case P11CA_NAME_OTHER:
    case P11CA_NAME_CN:
    case P11CA_NAME_SERIAL:
    case P11CA_NAME_SUBJECT:
    case P11CA_NAME_KINDS:
        return SAN_TYPES;
    case P11CA_NAME_DNS:
    case P11CA_NAME_IP:
    case P11CA_NAME_URI:
    case P11CA_NAME_EMAIL:
    case P11CA_NAME_SMTPUTF8:
    case P11CA_NAME_SRV:
    case P11CA_NAME_UPN:
    case P11CA_NAME_HW:
    case P11CA_NAME_PERMID:
    case P11CA_NAME_FASCN:
    case P11CA_NAME_RID:
    case P11CA_NAME_DIRNAME:
        break;
    }
    return san_type_find(p11ca_name_kind(kind), strlen(p11ca_name_kind(kind)));
}

static int make_san(struct rule *rule, const char *text, struct p11ca_err *err)
{
    AUTO_STR copy = strdup(text);
    struct p11ca_name name = {rule->kind, NULL};
    struct p11ca_err why;

    if (!copy)
        return err_nomem(err);
    if (is_path_kind(rule->kind) && take_wildcards(copy, &rule->wild, &rule->rest, err) != 0)
        return -1;
    if (san_add(&rule->san, san_type_of(rule->kind), copy, &why) != 0)
        return bad(rule->kind, why.msg, err);
    name.text = rule->san.v[0].text;
    if (identity_kind_of(&rule->san.v[0]) != rule->kind)
        return bad(rule->kind, "want a name of this kind, have another", err);
    if (identity_is_wildcard(&name))
        return bad(rule->kind, "want a name, have a wildcard, which is nobody's", err);
    rule->text = strdup(name.text);
    if (!rule->text)
        return err_nomem(err);
    put_wildcards(rule->text, rule->wild);
    return 0;
}

/* In the one form that names of certificates are shown in. */
static int make_subject(struct rule *rule, const char *text, struct p11ca_err *err)
{
    AUTO_BUF der = BUF_INIT;
    AUTO_BUF again = BUF_INIT;
    struct p11ca_err why;

    if (name_from_text(text, &der, &why) != 0 || name_to_text(der_buf(&der), &again, &why) != 0)
        return bad(rule->kind, why.msg, err);
    if (again.len == 0)
        return bad(rule->kind, "want a name, have an empty one", err);
    rule->text = strdup(buf_str(&again) ? (char *)again.p : "");
    return rule->text && buf_ok(&again) ? 0 : err_nomem(err);
}

static int make_plain(struct rule *rule, const char *text, struct p11ca_err *err)
{
    if (!*text)
        return bad(rule->kind, "want a name, have an empty one", err);
    rule->text = strdup(text);
    return rule->text ? 0 : err_nomem(err);
}

static int make_text(struct rule *rule, const char *text, struct p11ca_err *err)
{
    if (rule->kind == P11CA_NAME_SUBJECT)
        return make_subject(rule, text, err);
    return san_type_of(rule->kind) == SAN_TYPES ? make_plain(rule, text, err) : make_san(rule, text, err);
}

int rule_make(enum p11ca_name_kind kind, const char *text, struct rule *ret, struct p11ca_err *err)
{
    struct rule rule = {.kind = kind, .any = text == NULL, .san = SAN_LIST_INIT};

    if ((unsigned)kind >= P11CA_NAME_KINDS || kind == P11CA_NAME_OTHER)
        return err_set(
            err, P11CA_CONFIG, "AUTH_CONFIG", "rule: want a kind of name with a grammar, have another");
    if (text && make_text(&rule, text, err) != 0) {
        rule_done(&rule);
        return -1;
    }
    if (asprintf(&rule.label, "%s:%s", p11ca_name_kind(kind), text ? rule.text : "(any)") < 0) {
        rule.label = NULL;
        rule_done(&rule);
        return err_nomem(err);
    }
    *ret = rule;
    return 0;
}

void rule_done(struct rule *rule)
{
    san_list_done(&rule->san);
    free(rule->text);
    free(rule->label);
}

bool rule_fits(const struct rule *rule, const struct p11ca_name *name, const struct san_list *san)
{
    if (rule->kind != name->kind)
        return false;
    if (rule->any)
        return true;
    if (rule->wild)
        return fits_path(rule, name->text);
    if (rule->san.n)
        return san && san_equal(&rule->san, san);
    return strcmp(rule->text, name->text) == 0;
}

/* What a pattern stands for is its text, with "*" for a segment that no other text has. */
bool rule_covers(const struct rule *a, const struct rule *b)
{
    if (a->kind != b->kind || b->any)
        return a->kind == b->kind && a->any;
    if (a->any)
        return true;
    if (a->wild)
        return (!b->rest || a->rest) && fits_path(a, b->text);
    if (b->wild)
        return false;
    return a->san.n ? san_equal(&a->san, &b->san) : strcmp(a->text, b->text) == 0;
}
