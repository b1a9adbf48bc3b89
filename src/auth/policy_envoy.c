/*
 * Envoy: for each service two RBAC filters, one that denies and one that allows, as JSON, which is YAML, too. What is
 * quoted was checked before and needs no escapes. Envoy compares octets of the first URI, or else of a DNS name:
 * a denial by a name that could be written in another way would not hold there, and is refused.
 */
#include "auth/policy_export.h"

#include <string.h>

#include "base/err.h"

static const char filter_head[] =
    "{\"name\":\"p11ca.%s\",\"typed_config\":{\"@type\":"
    "\"type.googleapis.com/"
    "envoy.extensions.filters.http.rbac.v3.RBAC\",\"rules\":{\"action\":\"%s\",\"policies\":{";

/* Of a name that no rule can have: requests with paths or methods that are compared nowhere. */
static const char bad_requests[] =
    "\"(request)\":{\"permissions\":["
    "{\"not_rule\":{\"url_path\":{\"path\":{\"safe_regex\":{\"regex\":\"/|(/" EXPORT_SEGMENT "+)+/?\"}}}}},"
    "{\"url_path\":{\"path\":{\"safe_regex\":{\"regex\":\".*/[.][.]?(/.*)?\"}}}},"
    "{\"header\":{\"name\":\":path\",\"string_match\":{\"contains\":\"#\"}}},"
    "{\"not_rule\":{\"header\":{\"name\":\":method\",\"string_match\":{\"safe_regex\":{\"regex\":\"[A-Z-]{1,"
    "32}\"}}}}}"
    "],\"principals\":[{\"any\":true}]}";

/* --- permissions --- */

static void add_methods(struct buf *b, const struct policy_rule *r)
{
    size_t i;

    buf_adds(b, "{\"or_rules\":{\"rules\":[");
    for (i = 0; i < r->methods.n; i++)
        buf_addf(b, "%s{\"header\":{\"name\":\":method\",\"string_match\":{\"exact\":\"%s\"}}}", i ? "," : "",
            r->methods.v[i]);
    buf_adds(b, "]}}");
}

static void add_paths(struct buf *b, const struct policy_rule *r)
{
    size_t i;

    buf_adds(b, "{\"or_rules\":{\"rules\":[");
    for (i = 0; i < r->paths.n; i++) {
        buf_addf(b, "%s{\"url_path\":{\"path\":{\"safe_regex\":{\"regex\":\"", i ? "," : "");
        export_path(b, r->paths.v[i], r->deny);
        buf_adds(b, "\"}}}}");
    }
    buf_adds(b, "]}}");
}

static void add_permissions(struct buf *b, const struct policy_rule *r)
{
    if (r->methods.n == 0 && r->paths.n == 0) {
        buf_adds(b, "{\"any\":true}");
        return;
    }
    buf_adds(b, "{\"and_rules\":{\"rules\":[");
    if (r->methods.n)
        add_methods(b, r);
    buf_adds(b, r->methods.n && r->paths.n ? "," : "");
    if (r->paths.n)
        add_paths(b, r);
    buf_adds(b, "]}}");
}

/* --- principals --- */

static bool is_plain(const char *p)
{
    for (; *p; p++) {
        if (*p <= ' ' || *p > '~' || strchr("\"\\", *p))
            return false;
    }
    return true;
}

/* scheme://host/ and segments, as an expression. */
static void add_pattern(struct buf *b, const char *text)
{
    size_t len;

    for (;; text += len + 1) {
        len = strcspn(text, "/");
        if (strcmp(text, "**") == 0)
            buf_adds(b, "[^/?#]+(/[^/?#]+)*");
        else if (len == 1 && *text == '*')
            buf_adds(b, "[^/?#]+");
        else
            export_literal(b, text, len);
        if (!text[len])
            break;
        buf_addc(b, '/');
    }
}

static void add_name(struct buf *b, const struct rule *who, bool deny)
{
    const bool no_case = deny || who->kind == P11CA_NAME_DNS;

    buf_adds(b, "{\"authenticated\":{\"principal_name\":{");
    if (who->wild) {
        buf_addf(b, "\"safe_regex\":{\"regex\":\"%s", no_case ? "(?i)" : "");
        add_pattern(b, who->text);
        buf_adds(b, "\"}");
    } else {
        buf_addf(b, "\"exact\":\"%s\"%s", who->text, no_case ? ",\"ignore_case\":true" : "");
    }
    buf_adds(b, "}}}");
}

static int add_any(struct buf *b, const struct policy_set *set, const struct policy_service *s,
    const struct policy_rule *r, struct p11ca_err *err)
{
    if (!r->deny && set->kinds[0] != P11CA_NAME_SPIFFE)
        return export_refuse(s, r, "want names, or SPIFFE as the principal, for Envoy, have \"any\"", err);
    buf_adds(b,
        r->deny ? "{\"any\":true}" : "{\"authenticated\":{\"principal_name\":{\"prefix\":\"spiffe://\"}}}");
    return 0;
}

static int add_principals(struct buf *b, const struct policy_set *set, const struct policy_service *s,
    const struct policy_rule *r, struct p11ca_err *err)
{
    size_t i;

    if (r->n_who == 0)
        return add_any(b, set, s, r, err);
    for (i = 0; i < r->n_who; i++) {
        if (r->who[i].kind != set->kinds[0] || !is_plain(r->who[i].text))
            return export_refuse(s, r, "want names of the principal's kind for Envoy, have another", err);
        if (r->deny && set->kinds[0] != P11CA_NAME_SPIFFE)
            return export_refuse(
                s, r, "want SPIFFE IDs, or \"any\", in what denies for Envoy, have another name", err);
        buf_adds(b, i ? "," : "");
        add_name(b, &r->who[i], r->deny);
    }
    return 0;
}

/* --- filters --- */

static int add_policies(struct buf *b, const struct policy_set *set, const struct policy_service *s,
    bool deny, struct p11ca_err *err)
{
    bool first = !deny;
    size_t i;

    buf_adds(b, deny ? bad_requests : "");
    for (i = 0; i < s->n_rules; i++) {
        if (s->rules[i].deny != deny)
            continue;
        buf_addf(b, "%s\n\"%s\":{\"permissions\":[", first ? "" : ",", s->rules[i].name);
        first = false;
        add_permissions(b, &s->rules[i]);
        buf_adds(b, "],\"principals\":[");
        if (add_principals(b, set, s, &s->rules[i], err) != 0)
            return -1;
        buf_adds(b, "]}");
    }
    return 0;
}

static int add_service(
    struct buf *b, const struct policy_set *set, const struct policy_service *s, struct p11ca_err *err)
{
    buf_addf(b, "\"%s\":{\"http_filters\":[\n", s->name);
    buf_addf(b, filter_head, "deny", "DENY");
    if (add_policies(b, set, s, true, err) != 0)
        return -1;
    buf_adds(b, "}}}},\n");
    buf_addf(b, filter_head, "allow", "ALLOW");
    if (add_policies(b, set, s, false, err) != 0)
        return -1;
    buf_adds(b, "}}}}]}");
    return 0;
}

static bool has_kind(const struct policy_set *set)
{
    return set->n_kinds == 1 && (set->kinds[0] == P11CA_NAME_SPIFFE || set->kinds[0] == P11CA_NAME_URI ||
                                    set->kinds[0] == P11CA_NAME_DNS);
}

int policy_to_envoy(const struct policy_set *set, struct buf *ret, struct p11ca_err *err)
{
    size_t i;

    if (!has_kind(set))
        return err_set(err, P11CA_REFUSED, "EXPORT_KINDS",
            "principal: want SPIFFE alone, URI alone, or DNS alone, for Envoy, have others");
    buf_adds(ret, "{");
    for (i = 0; i < set->n_services; i++) {
        buf_adds(ret, i ? ",\n" : "");
        if (add_service(ret, set, &set->services[i], err) != 0)
            return -1;
    }
    buf_adds(ret, "}\n");
    return 0;
}
