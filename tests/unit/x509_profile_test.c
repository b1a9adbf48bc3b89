/* Profiles from text: what is refused, inheritance, templates, extensions of one's own, and the text that comes back. */
#include "x509_help.h"

#include "x509/profiles.h"
#include "x509/template.h"

/* The own profiles of a text; what they stand on lives until the end of a test. */
struct own {
    struct conf conf;
    struct profiles *set;
};

static int own_read(struct own *o, const char *text)
{
    memset(o, 0, sizeof(*o));
    assert_ok(conf_parse(&o->conf, "own.conf", text, &err));
    return profiles_read(&o->conf, config_lookup(&o->conf.cfg, "profiles"), &o->set, &err);
}

static void own_done(struct own *o)
{
    profiles_free(o->set);
    conf_done(&o->conf);
}
#define AUTO_OWN __attribute__((cleanup(own_done))) struct own

static const struct profile *own_profile(struct own *o, const char *name, const char *text)
{
    const struct profile *p;

    assert_ok(own_read(o, text));
    p = profiles_find(o->set, name);
    assert_non_null(p);
    return p;
}

/* --- text --- */

static void own_inherits_key_by_key(void **state)
{
    AUTO_OWN o;
    const struct profile *device = profile_find("device");
    const struct profile *p = own_profile(&o, "short",
        "profiles = { sensor = { base = \"device\"; days = 30; key-usage-rsa = [ \"keyEncipherment\" ]; };\n"
        "             short = { base = \"sensor\"; days = 3; path-length = \"none\"; }; };");

    (void)state;
    assert_int_equal(p->days, 3);
    assert_int_equal(p->days_max, device->days_max);
    assert_int_equal(p->key_usage_rsa, USAGE_KEY_ENCIPHERMENT);
    assert_int_equal(p->eku, EKU_CLIENT);
    assert_true(p->device && !p->is_ca && !p->builtin && device->builtin);
    assert_string_equal(p->base, "sensor");
    assert_null(p->about); /* the base's line says what the base is */
    assert_ptr_equal(profiles_find(o.set, "device"), device);
    assert_null(profile_find("short"));
}

static void refused_text(void **state)
{
    static const struct {
        const char *text, *msg;
    } cases[] = {
        {"x = { base = \"device\"; dais = 3; };", "own.conf:1: unknown key 'dais' in profiles.x"},
        {"x = { base = \"nothing\"; };",
            "own.conf:1: profiles.x: base: want a built-in profile or one above, have 'nothing'"},
        {"x = { base = \"x\"; };",
            "own.conf:1: profiles.x: base: want a built-in profile or one above, have 'x'"},
        {"x = { base = 3; };", "own.conf:1: profiles.x: base: want a built-in profile or one above, have ''"},
        {"device = { base = \"device\"; };",
            "own.conf:1: profiles.device: there is a built-in profile of the name"},
        {"X = { base = \"device\"; };",
            "own.conf:1: profiles.X: name: want lower-case letters, digits and '-'"},
        {"x = 3;", "own.conf:1: profiles.x: want a group { ... }"},
        {"x = { };", "own.conf:1: profile 'x': RFC 5280 4.2.1.3: want at least one key usage"},
        {"x = { base = \"device\"; ca = 1; };", "own.conf:1: profiles.x: ca: want true or false"},
        {"x = { base = \"device\"; days = \"3\"; };",
            "own.conf:1: profiles.x: days: want a whole number from 0"},
        {"x = { base = \"device\"; days = -3; };",
            "own.conf:1: profiles.x: days: want a whole number from 0"},
        {"x = { base = \"device\"; days = 7301; };", "own.conf:1: profile 'x': want 1 day or more, not above "
                                                     "its own maximum, at most 36525, dated back by "
                                                     "at most half a one"},
        {"x = { base = \"device\"; about = 3; };", "own.conf:1: profiles.x: about: want a string"},
        {"x = { base = \"device\"; ca = true; };",
            "own.conf:1: profile 'x': RFC 5280 4.2.1.3: want keyCertSign with a CA"},
        {"x = { base = \"device\"; path-length = 0; };",
            "own.conf:1: profile 'x': RFC 5280 4.2.1.9: want keyCertSign, cRLSign and a path length only "
            "with a CA"},
        {"x = { base = \"device\"; path-length = -1; };",
            "own.conf:1: profiles.x: path-length: RFC 5280 4.2.1.9: want 0 to 255, or \"none\""},
        {"x = { base = \"device\"; path-length = \"no\"; };",
            "own.conf:1: profiles.x: path-length: RFC 5280 4.2.1.9: want 0 to 255, or \"none\""},
        {"x = { base = \"device\"; key-usage = [ \"signing\" ]; };",
            "own.conf:1: profiles.x: key-usage: RFC 5280 4.2.1.3: no usage 'signing'"},
        {"x = { base = \"device\"; key-usage = \"digitalSignature\"; };",
            "own.conf:1: profiles.x: key-usage: want strings in brackets, at most 32"},
        {"x = { base = \"device\"; extended-key-usage = [ \"tls\" ]; };",
            "own.conf:1: profiles.x: extended-key-usage: RFC 5280 4.2.1.12: no usage 'tls', and no object "
            "identifier"},
        {"x = { base = \"device\"; keys = [ \"P-224\" ]; };",
            "own.conf:1: profiles.x: keys: want one of P-256, P-384, P-521, RSA, have 'P-224'"},
        {"x = { base = \"device\"; rsa-bits-min = 1024; };",
            "own.conf:1: profile 'x': BR 6.1.5: want a kind of key, and RSA from 2048 bits"},
        {"x = { base = \"device\"; subject-rule = \"free\"; };",
            "own.conf:1: profiles.x: subject-rule: want one of any, cn, cn-required, required, have 'free'"},
        {"x = { base = \"device\"; san-allowed = [ \"host\" ]; };",
            "own.conf:1: profiles.x: san-allowed: RFC 5280 4.2.1.6: no kind of name 'host'"},
        {"x = { base = \"device\"; crl-url = \"https://a.example/x\"; };",
            "own.conf:1: profiles.x: crl-url: RFC 5280 4.2.1.13: want an http:// URI"},
        {"x = { base = \"device\"; lint = [ \"all\" ]; };",
            "own.conf:1: profiles.x: lint: no family of rules 'all' (p11ca lint --list)"},
        {"x = { base = \"device\"; policies = ( { oid = \"1.2.x\"; } ); };",
            "own.conf:1: profiles.x: policies: RFC 5280 4.2.1.4: want an object identifier, have '1.2.x'"},
        {"x = { base = \"device\"; policies = ( { oid = \"1.2.3\"; }, { oid = \"1.2.3\"; } ); };",
            "own.conf:1: profiles.x: policies: RFC 5280 4.2.1.4: want each policy once"},
        {"x = { base = \"device\"; policies = ( { oid = \"1.2.3\"; cps = \"here\"; } ); };",
            "own.conf:1: profiles.x: policies: cps: RFC 5280 4.2.1.4: want a URI, have 'here'"},
        {"x = { base = \"device\"; name-constraints = { permitted = [ \"DNS:a.example\" ]; }; };",
            "own.conf:1: profile 'x': name-constraints: RFC 5280 4.2.1.10: want them only with a CA"},
        {"x = { base = \"issuing-ca\"; name-constraints = { permitted = [ \"a.example\" ]; }; };",
            "own.conf:1: profiles.x: name-constraints: RFC 5280 4.2.1.10: want KIND:NAME, have 'a.example'"},
        {"x = { base = \"device\"; tls-feature = [ 0 ]; };",
            "own.conf:1: profiles.x: tls-feature: RFC 7633 4.1: want numbers from 1 to 65535"},
        {"x = { base = \"device\"; tls-feature = [ 5, 5 ]; };",
            "own.conf:1: profiles.x: tls-feature: RFC 7633 4.1: want each number once"},
        {"x = { base = \"device\"; tls-feature = [ 5L ]; };",
            "own.conf:1: profiles.x: tls-feature: RFC 7633 4.1: want numbers from 1 to 65535"},
        {"x = { base = \"device\"; no-rev-avail = 1; };",
            "own.conf:1: profiles.x: no-rev-avail: want true or false"},
        {"x = { base = \"device\"; masa-url = \"masa\"; };",
            "own.conf:1: profiles.x: masa-url: RFC 8995 2.3.2: want a URI, have 'masa'"},
        {"x = { base = \"device\"; no-rev-avail = true; };",
            "own.conf:1: profile 'x': no-rev-avail: RFC 9608 3: want it without crl-distribution-point and "
            "ocsp-url"},
        {"x = { base = \"device\"; max-size = 100; };",
            "own.conf:1: profile 'x': max-size: want 200 octets or more: no certificate is smaller"},
        {"x = { base = \"issuing-ca\"; subject = ( { attribute = \"O\"; from = \"fixed\"; value = \"A\"; } "
         "); };",
            "own.conf:1: profile 'x': want no subject, sans or extensions from elsewhere for a CA: its "
            "authority "
            "names it"},
        {"x = { base = \"device\"; subject = ( { attribute = \"O\"; } ); };",
            "own.conf:1: subject: key 'from' is missing"},
        {"x = { base = \"device\"; subject = ( { attribute = \"O\"; from = \"where\"; } ); };",
            "own.conf:1: profiles.x: subject: want one of fixed, manifest, csr, have 'where'"},
        {"x = { base = \"device\"; subject = ( { attribute = \"O\"; from = \"fixed\"; } ); };",
            "own.conf:1: profiles.x: subject: want a value with from = \"fixed\""},
        {"x = { base = \"device\"; subject = ( { attribute = \"O\"; from = \"csr\"; value = \"A\"; } ); };",
            "own.conf:1: profiles.x: subject: want no value with from = \"csr\""},
        {"x = { base = \"device\"; subject = ( { attribute = \"C\"; from = \"fixed\"; value = \"USA\"; } ); "
         "};",
            "own.conf:1: profiles.x: subject: C: subject: C: RFC 5280 A.1: want 2 letters, have 3"},
        {"x = { base = \"device\"; subject = ( { attribute = \"nick\"; from = \"csr\"; } ); };", NULL},
        {"x = { base = \"device\"; subject = ( { attribute = \"CN\"; from = \"manifest\"; value = \"{ID}\"; "
         "} ); };",
            "own.conf:1: profiles.x: subject: template: want {field} of a-z 0-9 _ -, and {{ for a brace"},
        {"x = { base = \"device\"; sans = ( { kind = \"IP\"; from = \"csr\"; } ); };",
            "own.conf:1: profile 'x': sans: want only kinds of san-allowed"},
        {"x = { base = \"device\"; sans = ( { kind = \"DNS\"; from = \"fixed\"; value = \"a b\"; } ); };",
            NULL},
        {"x = { base = \"device\"; sans = ( { kind = \"DNS\"; from = \"csr\"; max = 251; } ); };",
            "own.conf:1: profiles.x: sans: max: want 1 to 250, and 1 with a value, have 251"},
        {"x = { base = \"device\"; extensions = ( { oid = \"2.5.29.19\"; type = \"NULL\"; from = \"fixed\"; "
         "value = "
         "\"\"; } ); };",
            NULL},
        {"x = { base = \"device\"; extensions = ( { oid = \"1.3.6.1.4.1.32473.2\"; type = \"SET\"; from = "
         "\"fixed\"; "
         "value = \"\"; } ); };",
            "own.conf:1: profiles.x: extensions: type: want an ASN.1 type or DER, have 'SET'"},
        {"x = { base = \"device\"; extensions = ( { oid = \"1.3.6.1.4.1.32473.2\"; type = \"NULL\"; from = "
         "\"csr\"; } ); "
         "};",
            "own.conf:1: profiles.x: extensions: want from = \"fixed\" or \"manifest\": a request's "
            "extensions are not "
            "taken"},
        {"x = { base = \"device\"; extensions = (\n"
         "{ oid = \"1.3.6.1.4.1.32473.2\"; type = \"INTEGER\"; from = \"manifest\"; value = \"{a}\"; },\n"
         "{ oid = \"1.3.6.1.4.1.32473.2\"; type = \"INTEGER\"; from = \"manifest\"; value = \"{b}\"; } ); };",
            "own.conf:3: profiles.x: extensions: RFC 5280 4.2: want each extension once, have "
            "1.3.6.1.4.1.32473.2 "
            "twice"},
        {"x = { base = \"device\"; extensions = (\n"
         "{ oid = \"1.3.6.1.4.1.32473.2\"; type = \"INTEGER\"; from = \"fixed\"; value = \"1\"; },\n"
         "{ oid = \"1.3.6.1.4.1.32473.2\"; type = \"INTEGER\"; from = \"manifest\"; value = \"{b}\"; } ); };",
            "own.conf:3: profiles.x: extensions: RFC 5280 4.2: want each extension once, have "
            "1.3.6.1.4.1.32473.2 "
            "twice"},
        {"x = { base = \"issuing-ca\"; extended-key-usage = [ \"1.3.6.1.5.5.7.3.9\" ]; };",
            "own.conf:1: profiles.x: extended-key-usage: RFC 5280 4.2.1.12: want usage '1.3.6.1.5.5.7.3.9' "
            "by its name, OCSPSigning"},
        {"x = { base = \"device\"; extended-key-usage = [ \"1.2.3.4\", \"1.2.3.4\" ]; };",
            "own.conf:1: profiles.x: extended-key-usage: RFC 5280 4.2.1.12: want each usage once, have "
            "'1.2.3.4' twice"},
        {"x = { base = \"idevid\"; days = 30; };",
            "own.conf:1: profile 'x': days: want no-expiry said with it, true or false: it is inherited, and "
            "days would not count"},
        {"x = { base = \"idevid\"; days-max = 7300; };",
            "own.conf:1: profile 'x': days: want no-expiry said with it, true or false: it is inherited, and "
            "days would not count"},
        {"x = { base = \"device\"; skip-lint = ( { rule = \"LINT_SERIAL\"; reason = \" \"; } ); };", NULL},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AUTO_BUF text = BUF_INIT;
        AUTO_OWN o;

        buf_addf(&text, "profiles = { %s };", cases[i].text);
        memset(&err, 0, sizeof(err));
        if (own_read(&o, buf_str(&text)) == 0)
            fail_msg("taken: %s", cases[i].text);
        assert_int_equal(err.kind, P11CA_CONFIG);
        if (cases[i].msg)
            assert_string_equal(err.msg, cases[i].msg);
        assert_memory_equal(err.msg, "own.conf:1: ", 8);
    }
}

static void take_text(void *arg, const struct profile_value *v)
{
    buf_addf(arg, "%s=%s by %s line %u;", v->key, v->value, v->by, v->file ? v->line : 0);
}

/* What is shown says whose it is, and is itself the same profile. */
static void text_comes_back(void **state)
{
    static const char text[] =
        "profiles = {\n"
        "  sensor = {\n"
        "    base = \"device\";\n"
        "    days = 30;\n"
        "    policies = ( { oid = \"1.3.6.1.4.1.32473.1.2\"; cps = \"http://a.example/\\\"cps\"; } );\n"
        "    tls-feature = [ 5 ];\n"
        "    extensions = ( { oid = \"1.3.6.1.4.1.32473.2.1\"; type = \"UTF8String\"; from = \"fixed\"; "
        "value = \"a\\\\b\"; } );\n"
        "  };\n"
        "};\n";
    AUTO_OWN o, back;
    AUTO_BUF values = BUF_INIT, conf = BUF_INIT;
    const struct profile *p, *again;

    (void)state;
    assert_int_equal(own_read(&o, text), -1); /* a quote is no character of a URI */
    own_done(&o);
    assert_ok(own_read(
        &o, "profiles = { sensor = { base = \"device\";\ndays = 30; about = \"say \\\"hi\\\"\"; }; };"));
    p = profiles_find(o.set, "sensor");
    assert_ok(profile_values(p, take_text, &values, &err));
    assert_non_null(strstr(buf_str(&values), "days=30 by sensor line 2;"));
    assert_non_null(strstr(buf_str(&values), "about=\"say \\\"hi\\\"\" by sensor line 2;"));
    assert_non_null(strstr(buf_str(&values), "days-max=7300 by device line 0;"));
    assert_non_null(strstr(buf_str(&values), "key-usage=[ \"digitalSignature\" ] by client line 0;"));
    buf_adds(&conf, "profiles = {\n");
    assert_ok(profile_to_conf(p, &conf, &err));
    buf_adds(&conf, "};\n");
    again = own_profile(&back, "sensor", buf_str(&conf));
    assert_memory_equal(p->sha256, again->sha256, sizeof(p->sha256));
    assert_null(again->base);
    own_done(&back);
    /* the line for people is no part of what certificates hold */
    again = own_profile(
        &back, "sensor", "profiles = { sensor = { base = \"device\"; days = 30; about = \"x\"; }; };");
    assert_memory_equal(p->sha256, again->sha256, sizeof(p->sha256));
    own_done(&back);
    again = own_profile(
        &back, "sensor", "profiles = { sensor = { base = \"device\"; days = 31; about = \"x\"; }; };");
    assert_memory_not_equal(p->sha256, again->sha256, sizeof(p->sha256));
}

/* Every built-in one, shown and read again under another name, is the same. */
static void builtin_text_comes_back(void **state)
{
    const struct profile *p;
    size_t i;

    (void)state;
    for (i = 0; (p = profile_at(i)); i++) {
        struct profile renamed = *p;
        AUTO_BUF conf = BUF_INIT;
        AUTO_OWN o;
        const struct profile *again;

        renamed.name = "again";
        buf_adds(&conf, "profiles = {\n");
        assert_ok(profile_to_conf(&renamed, &conf, &err));
        buf_adds(&conf, "};\n");
        again = own_profile(&o, "again", buf_str(&conf));
        assert_int_equal(again->key_usage, p->key_usage);
        assert_int_equal(again->eku, p->eku);
        assert_int_equal(again->san_allowed, p->san_allowed);
        assert_int_equal(again->pathlen, p->pathlen);
        assert_int_equal(again->n_fixed, p->n_fixed);
        assert_true(again->no_expiry == p->no_expiry && again->is_ca == p->is_ca);
    }
}

/* --- templates --- */

static const char *field(void *arg, const char *name, size_t len)
{
    const char *const *pairs = arg;

    for (; pairs && *pairs; pairs += 2) {
        if (strlen(pairs[0]) == len && memcmp(pairs[0], name, len) == 0)
            return pairs[1];
    }
    return NULL;
}

static const char sensor[] =
    "profiles = { sensor = { base = \"ldevid\"; san-allowed = [ \"hw\", \"URI\", \"DNS\" ];\n"
    "  subject = ( { attribute = \"C\"; from = \"fixed\"; value = \"US\"; },\n"
    "    { attribute = \"O\"; from = \"fixed\"; value = \"Acme, Inc. {x}\"; },\n"
    "    { attribute = \"OU\"; from = \"manifest\"; value = \"line {line}\"; optional = true; },\n"
    "    { attribute = \"CN\"; from = \"csr\"; },\n"
    "    { attribute = \"serialNumber\"; from = \"manifest\"; value = \"{id}\"; } );\n"
    "  sans = ( { kind = \"hw\"; from = \"manifest\"; value = \"1.3.6.1.4.1.32473.1.1:{id}\"; },\n"
    "    { kind = \"URI\"; from = \"manifest\"; value = \"spiffe://acme.example/{{/{line}\"; optional = "
    "true; },\n"
    "    { kind = \"DNS\"; from = \"csr\"; max = 2; optional = true; } );\n"
    "  extensions = ( { oid = \"1.3.6.1.4.1.32473.2.1\"; type = \"UTF8String\"; max = 20; from = "
    "\"manifest\"; value = "
    "\"fw {firmware}\"; optional = true; },\n"
    "    { oid = \"1.3.6.1.4.1.32473.2.2\"; type = \"INTEGER\"; critical = true; from = \"fixed\"; value = "
    "\"7\"; } );\n"
    "}; };";

/* A request's side of a template. */
struct claims {
    struct buf subject;
    struct san_list names;
};

static void claims_done(struct claims *c)
{
    buf_done(&c->subject);
    san_list_done(&c->names);
}

static struct template_source source(struct claims *c, const char *dn, const char *const *fields)
{
    memset(c, 0, sizeof(*c));
    assert_ok(name_from_text(dn, &c->subject, &err));
    return (struct template_source){.field = field,
        .arg = (void *)(uintptr_t)fields,
        .csr_subject = der_buf(&c->subject),
        .csr_names = &c->names};
}
#define AUTO_CLAIMS __attribute__((cleanup(claims_done))) struct claims

static void templates_are_filled(void **state)
{
    static const char *const fields[] = {"id", "SN000001", "line", "4,b", "firmware", "2.1", NULL};
    AUTO_OWN o;
    const struct profile *p = own_profile(&o, "sensor", sensor);
    AUTO_CLAIMS c;
    struct template_source src = source(&c, "CN=leaf,serialNumber=SN000001", fields);
    AUTO_BUF name = BUF_INIT, text = BUF_INIT, exts = BUF_INIT;

    (void)state;
    assert_ok(template_subject(p, &src, &name, &err));
    assert_ok(name_to_text(der_buf(&name), &text, &err));
    assert_string_equal(
        buf_str(&text), "serialNumber=SN000001,CN=leaf,OU=line 4\\,b,O=Acme\\, Inc. {x},C=US");
    assert_ok(template_exts(p, &src, &exts, &err));
    /* the one with a value of its own; the fixed one is the profile's */
    assert_bytes(der_buf(&exts), "3016060a2b0601040181fd59020104080c06667720322e31");
}

static void templates_refuse(void **state)
{
    static const struct {
        const char *dn;
        const char *fields[7];
        const char *code, *msg;
        bool sans;
    } cases[] = {
        {"CN=leaf", {NULL}, "FIELD_MISSING", "profile 'sensor': serialNumber: want field 'id', have none",
            false},
        {"CN=leaf", {"id", "", NULL}, "FIELD_MISSING",
            "profile 'sensor': serialNumber: want field 'id', have none", false},
        {"O=Acme", {"id", "SN1", NULL}, "FIELD_MISSING",
            "profile 'sensor': CN: want it once in the request, have none", false},
        {"CN=leaf,serialNumber=SN2", {"id", "SN1", NULL}, "SUBJECT_MISMATCH",
            "profile 'sensor': serialNumber: want 'SN1' in the request, have 'SN2'", false},
        {"CN=leaf", {"id", "SN_1", NULL}, "NAME_CHARSET", NULL, false},
        {"CN=leaf", {"id", "SN1", "line", "4/../root", NULL}, "FIELD_SYNTAX",
            "profile 'sensor': URI: field 'line': want A-Z a-z 0-9 _ - . inside other text, have '4/../root'",
            true},
        {"CN=leaf", {"id", "SN1", "line", "..", NULL}, "FIELD_SYNTAX", NULL, true},
        {"CN=leaf", {NULL}, "FIELD_MISSING", "profile 'sensor': hw: want field 'id', have none", true},
    };
    AUTO_OWN o;
    const struct profile *p = own_profile(&o, "sensor", sensor);
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AUTO_CLAIMS c;
        struct template_source src = source(&c, cases[i].dn, cases[i].fields);
        AUTO_BUF name = BUF_INIT;
        AUTO_SANS sans = SAN_LIST_INIT;
        int rc;

        memset(&err, 0, sizeof(err));
        rc = cases[i].sans ? template_sans(p, &src, &sans, &err) : template_subject(p, &src, &name, &err);
        assert_int_equal(rc, -1);
        assert_string_equal(err.code, cases[i].code);
        if (cases[i].msg)
            assert_string_equal(err.msg, cases[i].msg);
        assert_int_equal(err.kind, P11CA_REFUSED);
    }
}

static void template_names(void **state)
{
    static const char *const fields[] = {"id", "SN000001", "line", "4", NULL};
    AUTO_OWN o;
    const struct profile *p = own_profile(&o, "sensor", sensor);
    AUTO_CLAIMS c;
    struct template_source src = source(&c, "CN=leaf", fields);
    AUTO_SANS sans = SAN_LIST_INIT, given = SAN_LIST_INIT, none = SAN_LIST_INIT;
    AUTO_BUF text = BUF_INIT;

    (void)state;
    /* a URI may not have a brace: "{{" was one */
    assert_refused(template_sans(p, &src, &none, &err), "SPIFFE_ID", err.msg);
    san_list_done(&none);
    none = (struct san_list)SAN_LIST_INIT;
    src.arg = (void *)(uintptr_t)(const char *const[]){"id", "SN000001", NULL};
    assert_ok(san_add(&c.names, SAN_DNS, "a.example", &err));
    assert_ok(san_add(&c.names, SAN_IP, "192.0.2.1", &err));
    assert_ok(template_sans(p, &src, &sans, &err));
    san_to_text(&sans, &text);
    assert_string_equal(buf_str(&text), "hw:1.3.6.1.4.1.32473.1.1:SN000001, DNS:a.example");
    assert_ok(san_add(&c.names, SAN_DNS, "b.example", &err));
    assert_ok(san_add(&c.names, SAN_DNS, "c.example", &err));
    assert_refused(template_sans(p, &src, &none, &err), "SAN_TEMPLATE",
        "profile 'sensor': SAN: want at most 2 of kind DNS");
    assert_ok(san_add(&given, SAN_DNS, "d.example", &err));
    src.given = &given;
    assert_refused(template_sans(p, &src, &none, &err), "SAN_TEMPLATE",
        "profile 'sensor': SAN: want no DNS from the order, have d.example");
    assert_true(template_uses(p, "firmware") && template_uses(p, "id") && !template_uses(p, "x"));
}

static const char parts_of_two[] =
    "profiles = { part = { base = \"ldevid\"; san-allowed = [ \"hw\", \"permid\" ];\n"
    "  sans = ( { kind = \"hw\"; from = \"manifest\"; value = \"{type}:{serial}\"; },\n"
    "    { kind = \"permid\"; from = \"manifest\"; value = \":no{number}\"; optional = true; } ); }; };";

/* A field is no way to another type, and what looks like one serial number is not another in hexadecimal. */
static void template_octets(void **state)
{
    static const struct {
        const char *fields[8], *field, *have, *names;
    } cases[] = {
        {{"type", "1.2.3", "serial", "00:1B/7 x", "number", "#41", NULL}, NULL, NULL,
            "hw:1.2.3:00:1B/7 x, permid::no#41"},
        {{"type", "1.2.3:SN9", "serial", "SN1", NULL}, "type", "1.2.3:SN9", NULL},
        {{"type", "1.2.3", "serial", "#534e39", NULL}, "serial", "#534e39", NULL},
    };
    AUTO_OWN o;
    const struct profile *p = own_profile(&o, "part", parts_of_two);
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AUTO_CLAIMS c;
        struct template_source src = source(&c, "CN=leaf", cases[i].fields);
        AUTO_SANS sans = SAN_LIST_INIT;
        AUTO_BUF text = BUF_INIT;
        char want[200];

        if (cases[i].names) {
            assert_ok(template_sans(p, &src, &sans, &err));
            san_to_text(&sans, &text);
            assert_string_equal(buf_str(&text), cases[i].names);
            continue;
        }
        snprintf(want, sizeof(want),
            "profile 'part': hw: field '%s': want no # behind the colon and no colon before it inside other "
            "text, have '%s'",
            cases[i].field, cases[i].have);
        assert_refused(template_sans(p, &src, &sans, &err), "FIELD_SYNTAX", want);
    }
}

/* --- extensions that are the same in all, and no others --- */

static const char rich[] =
    "profiles = { rich = { base = \"server\"; tls-feature = [ 5 ]; max-size = 1024;\n"
    "  crl-distribution-point = false; ocsp-url = \"http://ocsp.acme.example/\";\n"
    "  ca-issuers-url = \"http://pki.acme.example/ca.crt\";\n"
    "  policies = ( { oid = \"2.23.140.1.2.1\"; cps = \"http://pki.acme.example/cps\"; } );\n"
    "  extended-key-usage = [ \"serverAuth\", \"1.3.6.1.4.1.32473.3\" ];\n"
    "  masa-url = \"https://masa.acme.example\";\n"
    "  extensions = ( { oid = \"1.3.6.1.4.1.32473.2.1\"; type = \"UTF8String\"; from = \"fixed\"; value = "
    "\"a\"; },\n"
    "    { oid = \"1.3.6.1.4.1.32473.2.2\"; type = \"INTEGER\"; from = \"manifest\"; value = \"{n}\"; } ); "
    "}; };";

static struct cert_plan rich_plan(const struct profile *p, const struct spki *spki,
    const struct san_list *sans, struct der subject, struct der exts)
{
    struct cert_plan plan = {.profile = p, .issuer = test_factory()->issuer};

    assert_ok(serial_draw(plan.serial, &err));
    plan.serial_len = SERIAL_LEN;
    plan.spki = spki;
    plan.sans = sans;
    plan.subject = subject;
    plan.slot_exts = exts;
    assert_ok(cert_plan_validity(&plan, TEST_NOW, 0, &err));
    return plan;
}

static void fixed_extensions(void **state)
{
    static const char *const fields[] = {"n", "65537", NULL};
    static const char *const octets[] = {
        "06082b0601050507011804053003020105",                     /* TLS feature */
        "06082b06010505070120041b1619",                           /* MASA URL */
        "06082b0601050507030106092b0601040181fd5903",             /* both usages */
        "060a2b0601040181fd59020104030c0161",                     /* the fixed one */
        "060a2b0601040181fd59020204050203010001",                 /* the one of this certificate */
        "06082b060105050730018619687474703a2f2f6f6373702e",       /* OCSP */
        "06082b06010505073002861e687474703a2f2f706b692e61636d65", /* caIssuers */
        "060667810c0102013029302706082b06010505070201",           /* policy with its statement */
    };
    AUTO_OWN o;
    const struct profile *p = own_profile(&o, "rich", rich);
    struct template_source src = {.field = field, .arg = (void *)(uintptr_t)fields};
    struct spki spki = test_spki(test_key(KEY_P256));
    AUTO_BUF exts = BUF_INIT, tbs = BUF_INIT, plain = BUF_INIT, name = BUF_INIT;
    AUTO_SANS sans = SAN_LIST_INIT;
    struct cert_plan plan;
    static char text[8192];
    size_t i;

    (void)state;
    assert_ok(name_from_text("CN=www.acme.example", &name, &err));
    assert_ok(san_add(&sans, SAN_DNS, "www.acme.example", &err));
    assert_ok(template_exts(p, &src, &exts, &err));
    plan = rich_plan(p, &spki, &sans, der_buf(&name), der_buf(&exts));
    plan.profile = p;
    {
        struct issuer no_eku = *plan.issuer;

        no_eku.has_eku = false; /* the private usage is not the factory's */
        plan.issuer = &no_eku;
        assert_ok(tbs_build(&plan, &tbs, &err));
        assert_ok(tbs_lint(der_buf(&tbs), p, plan.issuer, &err));
        text_hex(tbs.p, tbs.len, text);
        for (i = 0; i < sizeof(octets) / sizeof(octets[0]); i++) {
            if (!strcasestr(text, octets[i]))
                fail_msg("want %s in it", octets[i]);
        }
        /* one that the profile states and that is not there, and one whose slot is empty */
        plan.profile = profile_find("server");
        assert_ok(tbs_build(&plan, &plain, &err));
        assert_int_equal(tbs_lint(der_buf(&plain), p, plan.issuer, &err), -1);
    }
}

static void short_lived_without_revocation(void **state)
{
    AUTO_OWN o;
    const struct profile *p = own_profile(&o, "brief",
        "profiles = { brief = { base = \"server\"; days = 7; crl-distribution-point = false; no-rev-avail = "
        "true; }; };");

    (void)state;
    assert_int_equal(p->n_fixed, 1);
    assert_bytes(p->fixed[0].tlv, "30090603551d3804020500");
}

/* A usage without a name of ours is one of its own, not one of "others". */
static void usages_of_the_issuer(void **state)
{
    static const struct {
        const char *ca, *leaf;
        bool good;
    } cases[] = {
        {"\"1.3.6.1.4.1.32473.3\"", "\"1.3.6.1.4.1.32473.3\"", true},
        {"\"1.3.6.1.4.1.32473.3\"", "\"1.3.6.1.4.1.32473.4\"", false},
        {"\"clientAuth\", \"1.3.6.1.4.1.32473.3\"", "\"clientAuth\"", true},
        {"\"clientAuth\", \"1.3.6.1.4.1.32473.3\"", "\"serverAuth\"", false},
        {"\"anyExtendedKeyUsage\"", "\"1.3.6.1.4.1.32473.4\"", true},
        {"\"clientAuth\"", "\"OCSPSigning\"", true},
    };
    struct spki spki = test_spki(test_key(KEY_P256));
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AUTO_BUF text = BUF_INIT, cert = BUF_INIT, name = BUF_INIT, leaf = BUF_INIT, tbs = BUF_INIT;
        AUTO_SANS sans = SAN_LIST_INIT;
        AUTO_OWN o;
        struct issuer *issuer;
        struct cert_plan plan;

        buf_addf(&text,
            "profiles = { ca = { base = \"issuing-ca\"; extended-key-usage = [ %s ]; };\n"
            "  leaf = { base = \"server\"; days = 30; extended-key-usage = [ %s ]; }; };",
            cases[i].ca, cases[i].leaf);
        assert_ok(own_read(&o, buf_str(&text)));
        assert_ok(name_from_text("CN=Acme CA", &name, &err));
        plan = rich_plan(profiles_find(o.set, "ca"), &spki, NULL, der_buf(&name), DER_OF(NULL, 0));
        plan.issuer = test_root()->issuer;
        plan_sign(&plan, test_root()->key, &cert);
        assert_ok(issuer_read(cert.p, cert.len, &issuer, &err));
        assert_ok(name_from_text("CN=www.acme.example", &leaf, &err));
        assert_ok(san_add(&sans, SAN_DNS, "www.acme.example", &err));
        plan = rich_plan(profiles_find(o.set, "leaf"), &spki, &sans, der_buf(&leaf), DER_OF(NULL, 0));
        plan.issuer = issuer;
        assert_ok(tbs_build(&plan, &tbs, &err));
        err.code[0] = '\0';
        if ((tbs_lint(der_buf(&tbs), plan.profile, issuer, &err) == 0) != cases[i].good)
            fail_msg("%s under %s: %s", cases[i].leaf, cases[i].ca, err.msg);
        assert_string_equal(err.code, cases[i].good ? "" : "LINT_ISSUER_EKU");
        issuer_free(issuer);
    }
}

static void size_is_capped(void **state)
{
    AUTO_OWN o;
    const struct profile *p =
        own_profile(&o, "small", "profiles = { small = { base = \"server\"; max-size = 300; }; };");
    struct spki spki = test_spki(test_key(KEY_P256));
    AUTO_BUF tbs = BUF_INIT, name = BUF_INIT;
    AUTO_SANS sans = SAN_LIST_INIT;
    struct cert_plan plan;

    (void)state;
    assert_ok(name_from_text("CN=www.acme.example", &name, &err));
    assert_ok(san_add(&sans, SAN_DNS, "www.acme.example", &err));
    plan = rich_plan(p, &spki, &sans, der_buf(&name), DER_OF(NULL, 0));
    assert_ok(tbs_build(&plan, &tbs, &err));
    assert_int_equal(tbs_lint(der_buf(&tbs), p, plan.issuer, &err), -1);
    assert_string_equal(err.code, "CERT_TOO_LARGE");
}

static void no_expiry(void **state)
{
    const struct profile *p = profile_find("idevid");
    int64_t from, to;

    (void)state;
    assert_ok(profile_validity(p, TEST_NOW, 0, &from, &to, &err));
    assert_true(from == TEST_NOW - 300 && to == DER_TIME_FOREVER);
    assert_ok(profile_validity(p, TEST_NOW, 10, &from, &to, &err));
    assert_true(to == TEST_NOW - 300 + 10 * 86400 - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_inherits_key_by_key),
        cmocka_unit_test(refused_text),
        cmocka_unit_test(text_comes_back),
        cmocka_unit_test(builtin_text_comes_back),
        cmocka_unit_test(templates_are_filled),
        cmocka_unit_test(templates_refuse),
        cmocka_unit_test(template_names),
        cmocka_unit_test(template_octets),
        cmocka_unit_test(fixed_extensions),
        cmocka_unit_test(short_lived_without_revocation),
        cmocka_unit_test(usages_of_the_issuer),
        cmocka_unit_test(size_is_capped),
        cmocka_unit_test(no_expiry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
