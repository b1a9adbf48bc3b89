/*
 * nginx: a map for each service. What is mapped is one string without room for doubt: neither methods nor paths have
 * spaces, and the name comes last. Strings of maps are compared without regard to case, therefore every entry is an
 * expression; of these the first one that fits decides, therefore denials come first.
 */
#include "auth/policy_export.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"

#define LONGEST 4000 /* octets of an entry: nginx reads words of up to 4,096 */

/* What OpenSSL prints as it is, in the middle of a name of RFC 2253. */
#define SAFE "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-@:/ "

/* Parts of a name with other types than CN, without escapes. */
#define OTHER_PART "(?!CN=)[^,+=\\x5c]+=[^,+\\x5c]*"

static const char head[] =
    "# Written by p11ca policy export; to be included in http { }. In each server or location of a service:\n"
    "#     if ($p11ca_SERVICE = 0) { return 403; }\n"
    "# with ssl_verify_client, ssl_client_certificate and ssl_crl: whether a certificate is true, nginx "
    "decides.\n"
    "map $request_uri $p11ca_path {\n"
    "    default \"\";\n"
    "    \"~^(?![^?]*/[.][.]?(?:[/?]|$))(?<p11ca_found>/|(?:/" EXPORT_SEGMENT
    "+)+/?)(?:[?].*)?$\" $p11ca_found;\n"
    "}\n";

/* --- names --- */

static bool is_safe(const char *p, size_t len)
{
    return len && p[0] != ' ' && p[len - 1] != ' ' && strspn(p, SAFE) >= len;
}

static bool is_known_type(const char *p, size_t len)
{
    static const char *const types[] = {"CN", "O", "OU", "C", "L", "ST", "DC", "serialNumber"};
    size_t i, n = sizeof(types) / sizeof(types[0]);

    for (i = 0; i < n && (strlen(types[i]) != len || memcmp(types[i], p, len) != 0); i++)
        ;
    return i < n;
}

/* TYPE=VALUE,... of what OpenSSL and this library write alike. */
static bool is_safe_subject(const char *p)
{
    size_t type, len;

    for (;; p += len + 1) {
        type = strcspn(p, "=");
        len = strcspn(p, ",");
        if (type >= len || !is_known_type(p, type) || !is_safe(p + type + 1, len - type - 1))
            return false;
        if (!p[len])
            return true;
    }
}

/* A denial takes more than it must where a name is written in an unusual way; what allows takes less. */
static void add_cn(struct buf *b, const char *text, bool deny)
{
    buf_adds(b, deny ? "(?:.*[,+])?CN=" : "(?:" OTHER_PART ",)*CN=");
    if (text)
        export_literal(b, text, strlen(text));
    else
        buf_adds(b, "[^,+\\x5c]+");
    buf_adds(b, deny ? "(?:[,+].*)?" : "(?:," OTHER_PART ")*");
}

static int add_who(struct buf *b, const struct policy_set *set, const struct policy_service *s,
    const struct policy_rule *r, const struct rule *who, struct p11ca_err *err)
{
    const bool cn = set->kinds[0] == P11CA_NAME_CN;

    if (who && (who->kind != set->kinds[0] ||
                   !(cn ? is_safe(who->text, strlen(who->text)) : is_safe_subject(who->text))))
        return export_refuse(s, r,
            cn ? "want CNs of letters, digits and . _ - @ : / for nginx, have another name"
               : "want subjects of usual types, letters, digits and . _ - @ : / for nginx, have another name",
            err);
    if (!who && r->deny)
        buf_adds(b, ".*");
    else if (cn)
        add_cn(b, who ? who->text : NULL, r->deny);
    else if (who)
        export_literal(b, who->text, strlen(who->text));
    else
        buf_adds(b, ".+");
    return 0;
}

/* --- entries --- */

static void add_methods(struct buf *b, const struct policy_rule *r)
{
    size_t i;

    buf_adds(b, r->methods.n ? "(?:" : "[A-Z-]+");
    for (i = 0; i < r->methods.n; i++)
        buf_addf(b, "%s%s", i ? "|" : "", r->methods.v[i]);
    buf_adds(b, r->methods.n ? ")" : "");
}

static int add_entry(struct buf *b, const struct policy_set *set, const struct policy_service *s,
    const struct policy_rule *r, size_t path, const struct rule *who, struct p11ca_err *err)
{
    size_t at = b->len;

    buf_adds(b, "    \"~^SUCCESS ");
    add_methods(b, r);
    buf_addc(b, ' ');
    if (r->paths.n)
        export_path(b, r->paths.v[path], r->deny);
    else
        buf_adds(b, "[^ ]+");
    buf_addc(b, ' ');
    if (add_who(b, set, s, r, who, err) != 0)
        return -1;
    buf_addf(b, "$\" %d; # %s\n", r->deny ? 0 : 1, r->name);
    return b->len - at <= LONGEST ? 0
                                  : export_refuse(s, r, "want at most 4000 octets for nginx, have more", err);
}

static int add_rule(struct buf *b, const struct policy_set *set, const struct policy_service *s,
    const struct policy_rule *r, struct p11ca_err *err)
{
    size_t i, k;

    for (i = 0; i < (r->paths.n ? r->paths.n : 1); i++) {
        for (k = 0; k < (r->n_who ? r->n_who : 1); k++) {
            if (add_entry(b, set, s, r, i, r->n_who ? &r->who[k] : NULL, err) != 0)
                return -1;
        }
    }
    return 0;
}

static int add_rules(struct buf *b, const struct policy_set *set, const struct policy_service *s, bool deny,
    struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < s->n_rules; i++) {
        if (s->rules[i].deny == deny && add_rule(b, set, s, &s->rules[i], err) != 0)
            return -1;
    }
    return 0;
}

/* --- services --- */

/* Names of variables have no dots and dashes, and no case. */
static void variable_of(const struct policy_service *s, char ret[P11CA_RULE_NAME])
{
    char *p;

    snprintf(ret, P11CA_RULE_NAME, "%s", s->name);
    for (p = ret; *p; p++) {
        if (*p == '.' || *p == '-')
            *p = '_';
    }
}

static int check_variable(const struct policy_set *set, size_t i, struct p11ca_err *err)
{
    char name[P11CA_RULE_NAME], other[P11CA_RULE_NAME];
    size_t k;

    variable_of(&set->services[i], name);
    if (strcasecmp(name, "path") == 0 || strcasecmp(name, "found") == 0)
        return err_set(err, P11CA_REFUSED, "EXPORT_SERVICE",
            "service '%s': nginx: want another name than path and found", set->services[i].name);
    for (k = 0; k < i; k++) {
        variable_of(&set->services[k], other);
        if (strcasecmp(name, other) == 0)
            return err_set(err, P11CA_REFUSED, "EXPORT_SERVICE",
                "service '%s': nginx: want a variable of its own, have that of service '%s'",
                set->services[i].name, set->services[k].name);
    }
    return 0;
}

static int add_service(struct buf *b, const struct policy_set *set, size_t i, struct p11ca_err *err)
{
    const struct policy_service *s = &set->services[i];
    char name[P11CA_RULE_NAME];

    if (check_variable(set, i, err) != 0)
        return -1;
    variable_of(s, name);
    buf_addf(b,
        "map \"$ssl_client_verify $request_method $p11ca_path $ssl_client_s_dn\" $p11ca_%s {\n    default "
        "0;\n",
        name);
    /* Paths that could be taken for others. */
    buf_adds(b, "    \"~^[^ ]* [^ ]*  \" 0;\n");
    if (add_rules(b, set, s, true, err) != 0 || add_rules(b, set, s, false, err) != 0)
        return -1;
    buf_adds(b, "}\n");
    return 0;
}

/* nginx knows the subject alone: with another kind before it, it would take somebody for somebody else. */
int policy_to_nginx(const struct policy_set *set, struct buf *ret, struct p11ca_err *err)
{
    size_t i;

    if (set->n_kinds != 1 || (set->kinds[0] != P11CA_NAME_CN && set->kinds[0] != P11CA_NAME_SUBJECT))
        return err_set(err, P11CA_REFUSED, "EXPORT_KINDS",
            "principal: want CN alone, or subject alone, for nginx, have others");
    buf_adds(ret, head);
    for (i = 0; i < set->n_services; i++) {
        if (add_service(ret, set, i, err) != 0)
            return -1;
    }
    return 0;
}
