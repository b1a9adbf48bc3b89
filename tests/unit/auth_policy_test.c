/* What callers may do, and the ways in which others let them do more. */
#include "auth_crl_help.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/path.h"
#include "auth/policy.h"

static char dir[] = "/tmp/p11ca-policy.XXXXXX";

static const char *path_of(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
    return path;
}

#define WEB "spiffe://acme.example/ns/prod/web"

static struct p11ca_identity *spiffe(const char *text)
{
    const struct leaf l = {.san = uri_hex(text), .eku = "301406082b0601050507030106082b06010505070302"};

    return leaf_identity(&l);
}

/* A policy with one service s of these rules. */
static void put_rules(const char *kinds, const char *rules)
{
    AUTO_BUF text = BUF_INIT;

    buf_addf(&text, "principal = [ %s ];\nservices = { s = { rules = (\n%s\n); }; };\n", kinds, rules);
    put_file(path_of("p.conf"), DER_OF(text.p, text.len));
}

static struct p11ca_policy *policy_of(const char *kinds, const char *rules)
{
    struct p11ca_policy *p = p11ca_policy_new();

    assert_non_null(p);
    put_rules(kinds, rules);
    if (p11ca_policy_load(p, path_of("p.conf"), &err) != 0)
        fail_msg("%s", err.msg);
    return p;
}

/* The rule that allows it, or the code of the refusal. */
static const char *ask_as(
    const char *kinds, const char *rules, struct p11ca_identity *id, const char *method, const char *path)
{
    static struct p11ca_verdict v;
    struct p11ca_policy *p = policy_of(kinds, rules);
    const struct p11ca_request q = {"s", id, method, path};
    int rc;

    memset(&v, 0xaa, sizeof(v));
    rc = p11ca_policy_check(p, &q, &v, &err);
    p11ca_policy_free(p);
    p11ca_identity_free(id);
    if (rc == 0)
        return v.rule;
    assert_int_equal((unsigned char)v.rule[0], 0xaa); /* outputs on success alone */
    assert_int_equal(err.kind, P11CA_NEGATIVE);
    return err.code;
}

static const char *ask(const char *rules, const char *method, const char *path)
{
    return ask_as("\"SPIFFE\"", rules, spiffe(WEB), method, path);
}

#define WHO      "who = [ \"SPIFFE:" WEB "\" ]; "
#define ALLOW(x) "{ name = \"yes\"; effect = \"allow\"; " x " }"
#define DENY(x)  "{ name = \"no\"; effect = \"deny\"; " x " }"

#define assert_allowed(call) assert_string_equal(call, "yes")

/* --- rules --- */

static void a_rule_is_and_inside_rules_are_or_between(void **state)
{
    static const char rules[] =
        ALLOW(WHO "methods = [ \"GET\", \"HEAD\" ]; paths = [ \"/a\", \"/b\" ];") ","
                                                                                  "{ name = \"c\"; effect = "
                                                                                  "\"allow\"; who = \"any\"; "
                                                                                  "paths = [ \"/c\" ]; }";

    (void)state;
    assert_allowed(ask(rules, "GET", "/a"));
    assert_allowed(ask(rules, "HEAD", "/b"));
    assert_string_equal(ask(rules, "POST", "/c"), "c");
    assert_string_equal(ask(rules, "POST", "/a"), "NO_RULE");
    assert_string_equal(
        err.msg, "service 's': SPIFFE '" WEB "' POST /a: want a rule that allows it, have none");
    assert_string_equal(ask(rules, "GET", "/d"), "NO_RULE");
    assert_string_equal(
        ask_as("\"SPIFFE\"", rules, spiffe("spiffe://acme.example/ns/prod/db"), "GET", "/a"), "NO_RULE");
}

static void a_denial_overrides_wherever_it_stands(void **state)
{
    (void)state;
    assert_string_equal(
        ask(ALLOW("who = \"any\";") "," DENY(WHO "paths = [ \"/a\" ];"), "GET", "/a"), "RULE_DENIES");
    assert_string_equal(err.msg, "service 's': SPIFFE '" WEB "' GET /a: denied by rule 'no'");
    assert_string_equal(
        ask(DENY(WHO "paths = [ \"/a\" ];") "," ALLOW("who = \"any\";"), "GET", "/a"), "RULE_DENIES");
    assert_allowed(ask(DENY(WHO "paths = [ \"/a\" ];") "," ALLOW("who = \"any\";"), "GET", "/b"));
}

/* --- what is open elsewhere --- */

static void fail_open_no_rule_is_a_denial(void **state)
{
    struct p11ca_policy *p = p11ca_policy_new();
    AUTO_IDENTITY id = spiffe(WEB);
    const struct p11ca_request q = {"s", id, "GET", "/a"}, other = {"t", id, "GET", "/a"},
                               none = {"s", NULL, "GET", "/a"}, unnamed = {NULL, id, NULL, NULL};

    (void)state;
    assert_string_equal(ask("", "GET", "/a"), "NO_RULE");
    assert_negative(
        p11ca_policy_check(p, &q, NULL, &err), "POLICY_NONE", "policy: want one that is loaded, have none");
    assert_negative(p11ca_policy_check(NULL, &q, NULL, &err), "POLICY_NONE",
        "policy: want one that is loaded, have none");
    put_rules("\"SPIFFE\"", ALLOW("who = \"any\";"));
    assert_ok(p11ca_policy_load(p, path_of("p.conf"), &err));
    assert_ok(p11ca_policy_check(p, &q, NULL, &err));
    assert_negative(p11ca_policy_check(p, &other, NULL, &err), "SERVICE_UNKNOWN",
        "service 't': want one of the policy, have another");
    assert_negative(p11ca_policy_check(p, &unnamed, NULL, &err), "SERVICE_UNKNOWN",
        "service '': want one of the policy, have another");
    assert_negative(
        p11ca_policy_check(p, &none, NULL, &err), "IDENT_NONE", "request: want an identity, have none");
    p11ca_policy_free(p);
}

static void fail_open_names_and_paths_are_not_matched_by_substring(void **state)
{
    static const char *const names[] = {"spiffe://acme.example/ns/prod/we",
        "spiffe://acme.example/ns/prod/webx", "spiffe://acme.example/ns/prod",
        "spiffe://acme.example/ns/prod/web/x", "spiffe://xacme.example/ns/prod/web",
        "spiffe://acme.example/ns/prod/WEB"};
    static const char *const paths[] = {"/a", "/a/bc", "/a/b/c", "/xa/b", "/A/b", "/a/B", "/", "/a/b/"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_string_equal(ask_as("\"SPIFFE\"", ALLOW(WHO), spiffe(names[i]), NULL, NULL), "NO_RULE");
    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        assert_string_equal(ask(ALLOW(WHO "paths = [ \"/a/b\" ];"), "GET", paths[i]), "NO_RULE");
    assert_string_equal(ask(ALLOW(WHO "methods = [ \"GET\" ];"), "GE", "/"), "NO_RULE");
    assert_string_equal(ask(ALLOW(WHO "methods = [ \"GET\" ];"), "GETS", "/"), "NO_RULE");
}

static void fail_open_a_wildcard_is_one_segment(void **state)
{
    static const char rules[] = ALLOW("who = \"any\"; paths = [ \"/a/*/c\" ];");
    static const char who[] = ALLOW("who = [ \"SPIFFE:spiffe://acme.example/ns/*/web\" ];");
    static const char below[] = ALLOW("who = [ \"SPIFFE:spiffe://acme.example/ns/**\" ];");

    (void)state;
    assert_allowed(ask(rules, "GET", "/a/b/c"));
    assert_allowed(ask(rules, "GET", "/a/*/c"));
    assert_string_equal(ask(rules, "GET", "/a/b/b/c"), "NO_RULE");
    assert_string_equal(ask(rules, "GET", "/a/c"), "NO_RULE");
    assert_string_equal(ask(rules, "GET", "/a/b/cd"), "NO_RULE");
    assert_allowed(ask(who, NULL, NULL));
    assert_string_equal(
        ask_as("\"SPIFFE\"", who, spiffe("spiffe://acme.example/ns/a/b/web"), NULL, NULL), "NO_RULE");
    assert_allowed(ask(below, NULL, NULL));
    assert_string_equal(
        ask_as("\"SPIFFE\"", below, spiffe("spiffe://acme.example/ns"), NULL, NULL), "NO_RULE");
    assert_string_equal(
        ask_as("\"SPIFFE\"", below, spiffe("spiffe://acme.example/nsx/a"), NULL, NULL), "NO_RULE");
    assert_string_equal(
        ask_as("\"SPIFFE\"", below, spiffe("spiffe://other.example/ns/a"), NULL, NULL), "NO_RULE");
}

static void fail_open_what_is_below_is_segments_alone(void **state)
{
    static const char rules[] = ALLOW("who = \"URI:https://a.example/x/**\";");
    static const struct {
        const char *uri, *want;
    } rows[] = {
        {"https://a.example/x/y", "yes"},
        {"https://a.example/x/y/z", "yes"},
        {"https://a.example/x/y?q", "NO_RULE"},
        {"https://a.example/x/y/../z", "NO_RULE"},
        {"https://a.example/x/", "NO_RULE"},
        {"https://a.example/x//y", "NO_RULE"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct leaf l = {.san = uri_hex(rows[i].uri)};

        assert_string_equal(ask_as("\"URI\"", rules, leaf_identity(&l), NULL, NULL), rows[i].want);
    }
}

static void fail_open_a_name_of_another_kind_is_another(void **state)
{
    static const char rules[] = ALLOW("who = [ \"CN:svc\", \"DNS:svc\" ];");
    const struct leaf cn = {.san = NONE}, dns = {.san = dns_hex("svc")}, both = {.san = uri_hex("urn:x:y")};

    (void)state;
    assert_allowed(ask_as("\"CN\"", rules, leaf_identity(&cn), NULL, NULL));
    assert_allowed(ask_as("\"DNS\", \"CN\"", rules, leaf_identity(&dns), NULL, NULL));
    assert_string_equal(ask_as("\"URI\", \"CN\"", rules, leaf_identity(&both), NULL, NULL), "NO_RULE");
    assert_string_equal(ask_as("\"DNS\"", rules, leaf_identity(&cn), NULL, NULL), "IDENT_NONE");
    assert_string_equal(
        ask_as("\"DNS\"", ALLOW("who = \"CN:svc\";"), leaf_identity(&dns), NULL, NULL), "NO_RULE");
    assert_string_equal(
        ask_as("\"CN\"", ALLOW("who = [ \"DNS:svc\" ];"), leaf_identity(&cn), NULL, NULL), "NO_RULE");
}

static void fail_open_what_is_not_known_allows_nothing_and_denies(void **state)
{
    (void)state;
    assert_string_equal(ask(ALLOW(WHO "paths = [ \"/**\" ];"), "GET", NULL), "NO_RULE");
    assert_string_equal(ask(ALLOW(WHO "methods = [ \"GET\" ];"), NULL, "/"), "NO_RULE");
    assert_string_equal(
        ask(ALLOW(WHO) "," DENY("who = \"any\"; paths = [ \"/a\" ];"), "GET", NULL), "RULE_DENIES");
    assert_string_equal(
        ask(ALLOW(WHO) "," DENY("who = \"any\"; methods = [ \"PUT\" ];"), NULL, "/"), "RULE_DENIES");
}

static void fail_open_a_denied_path_has_no_other_spelling(void **state)
{
    static const char rules[] =
        ALLOW("who = \"any\";") "," DENY("who = \"any\"; paths = [ \"/a/b\", \"/c/**\" ];");
    static const char *const spellings[] = {"/a//b", "//a/b", "/a/./b", "/x/../a/b", "/a/%62", "/a%2fb",
        "/a%2Fb", "/a/b;x=1", "/a\\b", "/a/b?x", "/a/b#x", "/a/%2e/b", "/a/%2E%2E/b", "/a/b%00", "/a/b%",
        "/a/b%2", "/a/b%zz", "/a/b ", "/a/\xc3\xa9", "/a/%c3%A9", "/a/b%25", "/a/b%3B", "/a/b%5C", "/a/b%0A",
        "/a/b%7F", "", "a/b", "*", "http://h/a/b", "/.", "/..", "/a/b\n", "/a\"", "/a/b%21"};
    static const char *const goods[] = {
        "/", "/a", "/a/bc", "/a/...", "/a/.b", "/a/%C3%A9", "/a/%20", "/x/", "/a/b:@!$&'()*+,=~"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++)
        assert_string_equal(ask(rules, "GET", spellings[i]), "REQUEST_PATH");
    for (i = 0; i < sizeof(goods) / sizeof(goods[0]); i++)
        assert_allowed(ask(rules, "GET", goods[i]));
    assert_string_equal(ask(rules, "GET", "/a/b/"), "RULE_DENIES");
    assert_string_equal(ask(rules, "GET", "/c"), "RULE_DENIES");
    assert_string_equal(ask(rules, "GET", "/c/"), "RULE_DENIES");
    assert_string_equal(ask(rules, "GET", "/c/d/e"), "RULE_DENIES");
    assert_allowed(ask(rules, "GET", "/cd"));
    assert_string_equal(ask(rules, "get", "/x"), "REQUEST_METHOD");
    assert_string_equal(ask(rules, "", "/x"), "REQUEST_METHOD");
    assert_string_equal(ask(rules, "GET\n", "/x"), "REQUEST_METHOD");
}

static void paths_stop_at_a_length(void **state)
{
    char path[2050];

    (void)state;
    memset(path, 'a', sizeof(path) - 1);
    path[0] = '/';
    path[2048] = '\0';
    assert_allowed(ask(ALLOW("who = \"any\";"), "GET", path));
    path[2048] = 'a';
    path[2049] = '\0';
    assert_string_equal(ask(ALLOW("who = \"any\";"), "GET", path), "REQUEST_PATH");
}

/* --- patterns --- */

static void a_pattern_covers_what_it_fits(void **state)
{
    static const struct {
        const char *a, *b;
        bool covers;
    } rows[] = {
        {"/**", "/a/**", true},
        {"/a/**", "/a", true},
        {"/a/**", "/a/*", true},
        {"/a/*", "/a/**", false},
        {"/a/*/**", "/a/**", false},
        {"/a/*", "/a/b", true},
        {"/a/b", "/a/*", false},
        {"/a", "/a", true},
        {"/a", "/a/", false},
        {"/*", "/", false},
        {"/**", "/", true},
        {"/**", "/**", true},
        {"/*/b", "/a/*", false},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (path_covers(rows[i].a, rows[i].b, false) != rows[i].covers)
            fail_msg("%s, %s", rows[i].a, rows[i].b);
    }
    assert_true(path_covers("/a", "/a/", true));
}

/* --- files --- */

static void mistakes_in_rules_are_told_with_their_line(void **state)
{
    static const struct {
        const char *rules, *want;
    } rows[] = {
        {ALLOW(""), "the rule: key 'who' is missing"},
        {ALLOW("who = [];"), "who: want conditions, have an empty list"},
        {ALLOW("who = ();"), "who: want conditions, have an empty list"},
        {ALLOW("who = \"any\"; methods = [];"), "methods: want conditions, have an empty list"},
        {ALLOW("who = \"any\"; paths = [];"), "paths: want conditions, have an empty list"},
        {ALLOW("who = [ \"any\", \"CN:a\" ];"),
            "who: want \"KIND:NAME\", or \"any\" alone, have something else"},
        {ALLOW("who = \"*\";"), "who: want \"KIND:NAME\", or \"any\" alone, have something else"},
        {ALLOW("who = \"host:a\";"), "who: rule: want a kind of name with a grammar, have another"},
        {ALLOW("who = \"SPIFFE:spiffe://a/b*\";"),
            "who: rule URI: want \"*\" as a whole segment of the path only, \"**\" as its last one only"},
        {ALLOW("who = \"SPIFFE:spiffe://a/**/b\";"),
            "who: rule URI: want \"*\" as a whole segment of the path only, \"**\" as its last one only"},
        {ALLOW("who = \"SPIFFE:spiffe://*/b\";"),
            "who: rule URI: want \"*\" as a whole segment of the path only, \"**\" as its last one only"},
        {ALLOW("who = \"DNS:*.a.example\";"),
            "who: rule DNS: want a name, have a wildcard, which is nobody's"},
        {ALLOW("who = \"any\"; methods = [ \"get\" ];"),
            "methods: want a method in upper case, have something else"},
        {ALLOW("who = \"any\"; methods = [ \"*\" ];"),
            "methods: want a method in upper case, have something else"},
        {ALLOW("who = \"any\"; paths = [ \"/a*\" ];"),
            "paths: want \"*\" as a whole segment only, \"**\" as the last one only"},
        {ALLOW("who = \"any\"; paths = [ \"/**/a\" ];"),
            "paths: want \"*\" as a whole segment only, \"**\" as the last one only"},
        {ALLOW("who = \"any\"; paths = [ \"a\" ];"),
            "paths: want a path that begins with a slash, have something else"},
        {ALLOW("who = \"any\"; paths = [ \"/a//b\" ];"), "paths: want no empty segments, have one"},
        {ALLOW("who = \"any\"; paths = [ \"/a/../b\" ];"),
            "paths: want no \".\" or \"..\" segments, have one"},
        {ALLOW("who = \"any\"; path = [ \"/a\" ];"), "unknown key 'path' in the rule"},
        {ALLOW("who = \"any\"; paths = 7;"), "paths: want strings"},
        {"{ name = \"a b\"; effect = \"allow\"; who = \"any\"; }",
            "name: want 1 to 64 of A-Z a-z 0-9 . _ -, have something else"},
        {"{ name = \"a\"; effect = \"Allow\"; who = \"any\"; }",
            "effect: want \"allow\" or \"deny\", have something else"},
        {"{ name = \"a\"; who = \"any\"; }", "the rule: key 'effect' is missing"},
        {"{ effect = \"deny\"; who = \"any\"; }", "the rule: key 'name' is missing"},
        {"7", "rules: want groups { ... }, have something else"},
    };
    struct p11ca_policy *p = p11ca_policy_new();
    char want[512];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        put_rules("\"SPIFFE\"", rows[i].rules);
        snprintf(want, sizeof(want), "%s:3: %s", path_of("p.conf"), rows[i].want);
        assert_answer(p11ca_policy_load(p, path_of("p.conf"), &err), P11CA_CONFIG, "CONFIG", want);
    }
    put_rules("\"SPIFFE\"", ALLOW(WHO) ",\n" ALLOW("who = \"any\";"));
    snprintf(want, sizeof(want), "%s:4: rule 'yes': want a name of its own, have that of %s:3",
        path_of("p.conf"), path_of("p.conf"));
    assert_answer(p11ca_policy_load(p, path_of("p.conf"), &err), P11CA_CONFIG, "CONFIG", want);
    p11ca_policy_free(p);
}

static void mistakes_in_policies_are_told_with_their_line(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"services = { };", "1: want either an authenticator or principal in the policy, have neither"},
        {"principal = [ \"CN\" ]; authenticator = { };\nservices = { };",
            "1: want either an authenticator or principal in the policy, have both"},
        {"principal = [ \"CN\" ];", "0: the policy: key 'services' is missing"},
        {"principal = [ \"CN\" ]; services = { };", "1: services: want 1 to 256, have 0"},
        {"principal = [ ]; services = { };", "1: principal: want conditions, have an empty list"},
        {"principal = [ \"CN\", \"cn\" ]; services = { };",
            "1: principal: want each kind once, have one twice"},
        {"principal = [ \"other\" ]; services = { };",
            "1: principal: want a kind of name with a grammar, have another"},
        {"principal = \"CN\"; default = \"allow\"; services = { };",
            "1: unknown key 'default' in the policy"},
        {"principal = \"CN\"; services = { s = 7; };", "1: service 's': want a group { ... }"},
        {"principal = \"CN\"; services = { s = { }; };", "1: the service: key 'rules' is missing"},
        {"principal = \"CN\"; services = { s = { rules = (); allow = 1; }; };",
            "1: unknown key 'allow' in the service"},
        {"principal = \"CN\"; services = { s* = { }; };",
            "1: service: want 1 to 64 of A-Z a-z 0-9 . _ -, have something else"},
        {"authenticator = { alow = 1; }; services = { };", "1: unknown key 'alow' in the authenticator"},
    };
    struct p11ca_policy *p = p11ca_policy_new();
    char want[512];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        put_file(path_of("p.conf"), DER_OF((const uint8_t *)rows[i].text, strlen(rows[i].text)));
        snprintf(want, sizeof(want), "%s:%s", path_of("p.conf"), rows[i].want);
        assert_answer(p11ca_policy_load(p, path_of("p.conf"), &err), P11CA_CONFIG, "CONFIG", want);
    }
    p11ca_policy_free(p);
}

static void what_was_loaded_stays_when_the_next_is_refused(void **state)
{
    struct p11ca_policy *p = policy_of("\"SPIFFE\"", ALLOW(WHO));
    AUTO_IDENTITY id = spiffe(WEB);
    const struct p11ca_request q = {"s", id, "GET", "/a"};

    (void)state;
    put_rules("\"SPIFFE\"", DENY("who = \"any\";") ", 7");
    assert_int_equal(p11ca_policy_load(p, path_of("p.conf"), &err), -1);
    assert_ok(p11ca_policy_check(p, &q, NULL, &err));
    put_rules("\"SPIFFE\"", DENY("who = \"any\";"));
    assert_ok(p11ca_policy_load(p, path_of("p.conf"), &err));
    assert_int_equal(p11ca_policy_check(p, &q, NULL, &err), -1);
    p11ca_policy_free(p);
}

/* --- threads --- */

struct asker {
    struct p11ca_policy *policy;
    struct p11ca_identity *id;
    unsigned wrong;
};

static void *ask_many(void *arg)
{
    struct asker *a = arg;
    const struct p11ca_request q = {"s", a->id, "GET", "/a"};
    struct p11ca_verdict v;
    struct p11ca_err why;
    unsigned i;

    for (i = 0; i < 2000; i++) {
        if (p11ca_policy_check(a->policy, &q, &v, &why) != 0 || strcmp(v.rule, "yes") != 0)
            a->wrong++;
    }
    return NULL;
}

static void threads_ask_while_others_load(void **state)
{
    struct p11ca_policy *p = policy_of("\"SPIFFE\"", ALLOW(WHO));
    AUTO_IDENTITY id = spiffe(WEB);
    struct asker askers[2] = {{p, id, 0}, {p, id, 0}};
    pthread_t threads[2];
    unsigned i;

    (void)state;
    for (i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_many, &askers[i]), 0);
    for (i = 0; i < 50; i++)
        assert_ok(p11ca_policy_load(p, path_of("p.conf"), &err));
    for (i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(askers[i].wrong, 0);
    }
    p11ca_policy_free(p);
}

/* --- explaining --- */

static void add_answer(void *arg, const struct p11ca_rule_answer *a)
{
    buf_addf(arg, "%s%s %s %s: %s\n", a->decides ? "*" : "", a->fits ? "+" : "-", a->deny ? "deny" : "allow",
        a->name, a->why);
}

static void each_rule_says_why_it_does_not_fit(void **state)
{
    struct p11ca_policy *p =
        policy_of("\"SPIFFE\"", "{ name = \"a\"; effect = \"allow\"; who = \"SPIFFE:spiffe://x/y\"; },"
                                "{ name = \"b\"; effect = \"allow\"; who = \"any\"; methods = \"PUT\"; },"
                                "{ name = \"c\"; effect = \"allow\"; who = \"any\"; paths = \"/b\"; },"
                                "{ name = \"d\"; effect = \"deny\"; who = \"any\"; paths = \"/c\"; },"
                                "{ name = \"e\"; effect = \"allow\"; who = \"any\"; },"
                                "{ name = \"f\"; effect = \"allow\"; who = \"any\"; }");
    AUTO_IDENTITY id = spiffe(WEB);
    const struct p11ca_request q = {"s", id, "GET", "/a"}, bare = {"s", id, NULL, NULL};
    AUTO_BUF text = BUF_INIT;

    (void)state;
    assert_ok(p11ca_policy_explain(p, &q, add_answer, &text, &err));
    assert_string_equal(buf_str(&text), "- allow a: who: the principal is none of them\n"
                                        "- allow b: methods: the request's is none of them\n"
                                        "- allow c: paths: the request's is none of them\n"
                                        "- deny d: paths: the request's is none of them\n"
                                        "*+ allow e: fits\n"
                                        "+ allow f: fits\n");
    buf_reset(&text);
    assert_int_equal(p11ca_policy_explain(p, &bare, add_answer, &text, &err), -1);
    assert_string_equal(buf_str(&text), "- allow a: who: the principal is none of them\n"
                                        "- allow b: methods: the request has none\n"
                                        "- allow c: paths: the request has none\n"
                                        "*+ deny d: fits\n"
                                        "+ allow e: fits\n"
                                        "+ allow f: fits\n");
    p11ca_policy_free(p);
}

/* --- reviewing --- */

static void add_finding(void *arg, const struct p11ca_policy_finding *f)
{
    const char *colon = strstr(f->message, ": ");
    const char *line = strrchr(f->where, ':');

    buf_addf(
        arg, "%s %s%s\n", line + 1, f->code, strncmp(colon, ": rule", 6) == 0 ? strchr(colon + 2, ' ') : "");
}

static void reviews(const char *rules, const char *want)
{
    struct p11ca_policy *p = policy_of("\"SPIFFE\"", rules);
    AUTO_BUF text = BUF_INIT;
    char *colon;
    int rc = p11ca_policy_review(p, add_finding, &text, &err);

    assert_int_equal(rc, *want ? -1 : 0);
    assert_non_null(buf_str(&text));
    /* "3 CODE 'rule': ..." */
    colon = strchr((char *)text.p, ':');
    if (colon)
        *colon = '\0';
    assert_string_equal((char *)text.p, want);
    p11ca_policy_free(p);
}

static void reviews_find_what_decides_nothing(void **state)
{
    (void)state;
    reviews(ALLOW(WHO "paths = \"/a\";") "," DENY("who = \"any\"; paths = \"/a/b\";"), "");
    reviews("{ name = \"x\"; effect = \"allow\"; who = \"any\"; methods = \"PUT\"; },\n" ALLOW(
                WHO "paths = \"/a/b\";") ",\n" DENY("who = \"any\"; paths = \"/a/**\";"),
        "4 SHADOWED 'yes'");
    reviews("{ name = \"x\"; effect = \"allow\"; who = \"any\"; methods = \"PUT\"; },\n" ALLOW(
                WHO "paths = \"/a\";") ",\n" DENY(WHO "paths = \"/a\";"),
        "4 CONTRADICTION 'yes'");
    reviews(
        ALLOW(WHO "paths = \"/a\";") ",\n{ name = \"x\"; effect = \"allow\"; " WHO " }", "3 REDUNDANT 'yes'");
    reviews(ALLOW(WHO "paths = \"/a\";") ",\n{ name = \"x\"; effect = \"allow\"; " WHO "paths = \"/a\"; }",
        "4 REDUNDANT 'x'");
    reviews("{ name = \"x\"; effect = \"allow\"; who = [ \"SPIFFE:spiffe://a/*\" ]; },\n"
            "{ name = \"y\"; effect = \"allow\"; who = [ \"SPIFFE:spiffe://a/b\" ]; }",
        "4 REDUNDANT 'y'");
    reviews(
        "{ name = \"x\"; effect = \"allow\"; who = [ \"SPIFFE:spiffe://a/*\" ]; },\n"
        "{ name = \"y\"; effect = \"allow\"; who = [ \"SPIFFE:spiffe://a/**\", \"SPIFFE:spiffe://b/c\" ]; }",
        "3 REDUNDANT 'x'");
    reviews("{ name = \"x\"; effect = \"allow\"; who = [ \"SPIFFE:spiffe://a/*\" ]; },\n"
            "{ name = \"y\"; effect = \"allow\"; who = [ \"SPIFFE:spiffe://a/b/c\" ]; }",
        "");
    reviews("{ name = \"x\"; effect = \"allow\"; who = [ \"SPIFFE:spiffe://a/*\", \"CN:a\" ]; }",
        "3 CANNOT_FIT 'x'");
    reviews(DENY("who = \"any\";"), "2 NOBODY\n");
    reviews("", "2 NOBODY\n");
}

int main(void)
{
    int failed;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_is_and_inside_rules_are_or_between),
        cmocka_unit_test(a_denial_overrides_wherever_it_stands),
        cmocka_unit_test(fail_open_no_rule_is_a_denial),
        cmocka_unit_test(fail_open_names_and_paths_are_not_matched_by_substring),
        cmocka_unit_test(fail_open_a_wildcard_is_one_segment),
        cmocka_unit_test(fail_open_what_is_below_is_segments_alone),
        cmocka_unit_test(fail_open_a_name_of_another_kind_is_another),
        cmocka_unit_test(fail_open_what_is_not_known_allows_nothing_and_denies),
        cmocka_unit_test(fail_open_a_denied_path_has_no_other_spelling),
        cmocka_unit_test(paths_stop_at_a_length),
        cmocka_unit_test(a_pattern_covers_what_it_fits),
        cmocka_unit_test(mistakes_in_rules_are_told_with_their_line),
        cmocka_unit_test(mistakes_in_policies_are_told_with_their_line),
        cmocka_unit_test(what_was_loaded_stays_when_the_next_is_refused),
        cmocka_unit_test(threads_ask_while_others_load),
        cmocka_unit_test(each_rule_says_why_it_does_not_fit),
        cmocka_unit_test(reviews_find_what_decides_nothing),
    };

    if (!mkdtemp(dir))
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    file_remove_tree(dir);
    return test_done(failed);
}
