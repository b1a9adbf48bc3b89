/*
 * The lint: for each rule an object that breaks it and no other, made of a good one that breaks none; families, skips,
 * what is not asked. The words of the findings are in tests/data/x509/lint-findings.txt.
 */
#include "x509_lint_help.h"

#include "base/file.h"

#define F(field, hex)                                                                                        \
    {                                                                                                        \
        .what = FIELD, .id = (field), .text = (hex)                                                          \
    }
#define NAME(field, dn)                                                                                      \
    {                                                                                                        \
        .what = NAMED, .id = (field), .text = (dn)                                                           \
    }
#define VALID(a, b)                                                                                          \
    {                                                                                                        \
        .what = TIMES, .from = (a), .to = (b)                                                                \
    }
#define K(kind)                                                                                              \
    {                                                                                                        \
        .what = KEY, .id = (kind)                                                                            \
    }
#define X(oid, hex)                                                                                          \
    {                                                                                                        \
        .what = EXT, .id = (oid), .text = (hex)                                                              \
    }
#define XC(oid, hex)                                                                                         \
    {                                                                                                        \
        .what = EXT, .id = (oid), .critical = true, .text = (hex)                                            \
    }
#define TWICE(oid, hex)                                                                                      \
    {                                                                                                        \
        .what = MORE, .id = (oid), .text = (hex)                                                             \
    }
#define OWN(hex)                                                                                             \
    {                                                                                                        \
        .what = OWN_EXT, .text = (hex)                                                                       \
    }
#define OWNC(hex)                                                                                            \
    {                                                                                                        \
        .what = OWN_EXT, .critical = true, .text = (hex)                                                     \
    }
#define SAN(list)                                                                                            \
    {                                                                                                        \
        .what = SANS, .text = (list)                                                                         \
    }
#define SANC(list)                                                                                           \
    {                                                                                                        \
        .what = SANS, .critical = true, .text = (list)                                                       \
    }
#define EKU(list)                                                                                            \
    {                                                                                                        \
        .what = EKUS, .text = (list)                                                                         \
    }
#define EKUC(list)                                                                                           \
    {                                                                                                        \
        .what = EKUS, .critical = true, .text = (list)                                                       \
    }
#define OF_POLICY(oid)                                                                                       \
    {                                                                                                        \
        .what = POLICY, .text = (oid)                                                                        \
    }
#define AIA                                                                                                  \
    {                                                                                                        \
        .what = PLACE, .text = "http://pki.example/factory.crt"                                              \
    }
#define CDP(uri)                                                                                             \
    {                                                                                                        \
        .what = POINT, .text = (uri)                                                                         \
    }
#define CRIT(oid)                                                                                            \
    {                                                                                                        \
        .what = CRITICAL, .id = (oid)                                                                        \
    }
#define NOCRIT(oid)                                                                                          \
    {                                                                                                        \
        .what = NOT_CRITICAL, .id = (oid)                                                                    \
    }
#define NO(oid)                                                                                              \
    {                                                                                                        \
        .what = DROP, .id = (oid)                                                                            \
    }
#define KU(hex) XC(OID_KEY_USAGE, "0302" hex)

#define SERVER   "1.3.6.1.5.5.7.3.1"
#define CLIENT   "1.3.6.1.5.5.7.3.2"
#define CODE     "1.3.6.1.5.5.7.3.3"
#define OCSP     "1.3.6.1.5.5.7.3.9"
#define LOGON    "1.3.6.1.4.1.311.20.2.2"
#define PKINIT   "1.3.6.1.5.2.3.4"
#define CARD     "2.16.840.1.101.3.6.8"
#define CONTENT  "2.16.840.1.101.3.6.7"
#define OV       "2.23.140.1.2.2"
#define DV       "2.23.140.1.2.1"
#define PIV_AUTH "2.16.840.1.101.3.2.1.3.13"
#define PIV_CARD "2.16.840.1.101.3.2.1.3.17"

#define HW_NAME "hw:1.3.6.1.4.1.32473.1.1:SN000001"
#define FASCN   "FASC-N:9999-9999-999999-0-1-0000000000-3-0000-1"
#define UUID    "URI:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
#define UPN     "UPN:1234567890@mil"

#define NC_GOOD   "300fa00d300b8209612e6578616d706c65"
#define SKI_OTHER "0414a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4"
#define ED25519   "302a300506032b6570032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define P256_ALG  "301306072a8648ce3d020106082a8648ce3d030107"
#define GX        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
#define CN_ABC    "300a06035504031303416263"
#define CN_DEF    "300a06035504031303446566"
#define ST_ABC    "300a06035504081303416263"

#define LONG_URI                                                                                             \
    "http://pki.example/"                                                                                    \
    "a-name-that-is-much-longer-than-any-device-would-want-to-keep-in-the-memory-that-it-"                   \
    "has-for-certificates-and-that-goes-on-for-some-time-until-the-octets-are-too-many-for-it.crl"

/* --- a profile of one's own --- */

/* With an extension whose octets it states, one whose type it states, and a cap. */
static const struct profile *own_profile(void)
{
    static const uint8_t ov[] = {0x30, 0x0a, 0x30, 0x08, 0x06, 0x06, 0x67, 0x81, 0x0c, 0x01, 0x02, 0x02};
    static struct fixed_ext fixed;
    static struct ext_slot slot;
    static struct profile own;

    fixed = (struct fixed_ext){.oid = oid_der(OID_POLICIES), .value = DER_OF(ov, sizeof(ov))};
    slot = (struct ext_slot){.oid = oid_der(OID_NETSCAPE_COMMENT), .type = EXT_IA5, .max = 8};
    own = *profile_find("server");
    own.name = "own";
    own.fixed = &fixed;
    own.n_fixed = 1;
    own.ext_slots = &slot;
    own.n_ext_slots = 1;
    own.max_size = 600;
    return &own;
}

static const struct profile *get_profile(const char *name)
{
    if (!name)
        return NULL;
    return strcmp(name, "own") == 0 ? own_profile() : profile_find(name);
}

/* --- good ones --- */

/* What a good object is made of. */
enum base { SERVER_BASE, ROOT_BASE, SUB_BASE, OCSP_BASE, CRL_BASE };

struct good {
    const char *name;
    enum base base;
    const char *profile; /* NULL: as somebody else's */
    unsigned rules;
    bool issuer;   /* at hand */
    bool finished; /* with its signature */
    struct edit edits[MAX_EDITS];
};

static const struct good goods[] = {
#include "x509_lint_goods.h"
};
#define N_GOODS (sizeof(goods) / sizeof(goods[0]))

struct fixture {
    const char *rule, *good;
    struct edit edits[MAX_EDITS];
};

static const struct fixture fixtures[] = {
#include "x509_lint_fixtures.h"
};
#define N_FIXTURES (sizeof(fixtures) / sizeof(fixtures[0]))

/* --- putting together --- */

static void base_plan(enum base base, struct cert_plan *plan, struct buf *name, struct san_list *sans,
    const struct test_ca **ret_signer)
{
    static const struct {
        const char *profile, *subject, *dns;
    } bases[] = {
        [SERVER_BASE] = {"server", "CN=a.example", "a.example"},
        [ROOT_BASE] = {"root-ca", "CN=Acme Root CA 2026,O=Acme,C=US", NULL},
        [SUB_BASE] = {"issuing-ca", "CN=Acme Factory CA 1,O=Acme,C=US", NULL},
        [OCSP_BASE] = {"ocsp-signer", "CN=Acme OCSP 1", NULL},
    };
    const struct test_ca *above = base == ROOT_BASE ? NULL : base == SUB_BASE ? test_root() : test_factory();

    *plan = test_plan(bases[base].profile, above ? above->issuer : NULL);
    *ret_signer = above ? above : test_root();
    assert_ok(name_from_text(bases[base].subject, name, &err));
    if (bases[base].dns)
        assert_ok(san_add(sans, SAN_DNS, bases[base].dns, &err));
    plan->subject = der_buf(name);
    plan->sans = sans->n ? sans : NULL;
    plan->crl_url = "http://pki.example/factory.crl";
}

static void cert_base(enum base base, struct parts *p, const struct test_ca **ret_signer)
{
    struct spki spki = base == ROOT_BASE ? test_root()->spki : test_spki(test_key(KEY_P256));
    struct cert_plan plan;
    AUTO_BUF name = BUF_INIT;
    AUTO_BUF tbs = BUF_INIT;
    AUTO_SANS sans = SAN_LIST_INIT;

    base_plan(base, &plan, &name, &sans, ret_signer);
    plan.spki = &spki;
    assert_ok(tbs_build(&plan, &tbs, &err));
    parts_of_cert(der_buf(&tbs), p);
}

static void crl_base(struct parts *p, const struct test_ca **ret_signer)
{
    const struct crl_entry entries[] = {{{7}, 1, TEST_NOW, 0, 1}, {{9}, 1, TEST_NOW, 0, -1}};
    const struct crl_plan plan = {.issuer = test_factory()->issuer,
        .number = 7,
        .this_update = TEST_NOW,
        .next_update = TEST_NOW + 30 * DAY,
        .entries = entries,
        .n = 2};
    AUTO_BUF tbs = BUF_INIT;

    *ret_signer = test_factory();
    assert_ok(crl_tbs_build(&plan, &tbs, &err));
    parts_of_crl(der_buf(&tbs), p);
}

struct found {
    size_t n;
    const struct lint_rule *rule; /* the last */
    char code[32], msg[1024];
    struct buf all; /* for whoever reads a failure */
};

static void take(void *arg, const struct lint_rule *rule, const struct p11ca_err *finding)
{
    struct found *f = arg;
    char *octet;

    f->n++;
    f->rule = rule;
    snprintf(f->code, sizeof(f->code), "%s", finding->code);
    snprintf(f->msg, sizeof(f->msg), "%s", finding->msg);
    octet = strstr(f->msg, ", at octet ");
    if (octet)
        *octet = '\0'; /* where it is depends on what the profile holds */
    buf_addf(&f->all, "\n  %s %s: %s", rule->id, finding->code, finding->msg);
}

/* An issuer that has a SPIFFE ID: the factory's certificate with one more extension. */
static void spiffe_issuer(struct issuer *above, struct buf *cert)
{
    static const struct edit id[MAX_EDITS] = {SAN("URI:spiffe://acme.example")};
    const struct test_ca *signer;
    AUTO_PARTS p;

    cert_base(SUB_BASE, &p, &signer);
    edit_all(&p, NULL, id);
    parts_sign(&p, signer->key, cert);
    above->cert = *cert;
}

static void ask(const struct good *g, const struct edit *edits, struct found *f)
{
    const struct test_ca *signer = NULL;
    struct lint_question q = {.profile = get_profile(g->profile), .rules = g->rules};
    struct issuer above;
    AUTO_PARTS p;
    AUTO_BUF der = BUF_INIT;
    AUTO_BUF own = BUF_INIT;

    if (g->base == CRL_BASE)
        crl_base(&p, &signer);
    else
        cert_base(g->base, &p, &signer);
    above = *signer->issuer;
    if (g->rules & RULES_SPIFFE && g->issuer)
        spiffe_issuer(&above, &own);
    q.issuer = g->issuer ? &above : NULL;
    edit_all(&p, &above, g->edits);
    if (edits)
        edit_all(&p, &above, edits);
    if (g->finished)
        parts_sign(&p, signer->key, &der);
    else
        parts_build(&p, &der);
    if (g->base == CRL_BASE)
        lint_crl(der_buf(&der), &q, take, f);
    else if (g->finished)
        lint_cert(der_buf(&der), &q, take, f);
    else
        lint_tbs(der_buf(&der), &q, take, f);
}

static const struct good *find_good(const char *name)
{
    size_t i = 0;

    while (i < N_GOODS && strcmp(goods[i].name, name) != 0)
        i++;
    assert_true(i < N_GOODS);
    return &goods[i];
}

/* --- the tests --- */

static void good_ones_break_no_rule(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < N_GOODS; i++) {
        struct found f = {0};

        ask(&goods[i], NULL, &f);
        if (f.n)
            print_error("%s:%s\n", goods[i].name, buf_str(&f.all));
        assert_int_equal(f.n, 0);
        buf_done(&f.all);
    }
}

/* Of a request: its reader's refusals are one rule. */
struct request_row {
    const char *rule, *profile;
    const char *attrs; /* hex of the extensions asked for; NULL: none */
    bool rsa, wrong_signature;
};

static const struct request_row requests[] = {
    {NULL, NULL, NULL, false, false},
    {NULL, "server", "300e0603551d1104073005820361 2e62", false, false},
    {"LINT_CSR", NULL, NULL, false, true},
    {"LINT_CSR", "server", "300f0603551d130101ff040530030101ff", false, false},
    {"LINT_CSR_KEY", "root-ca", NULL, true, false},
    {"LINT_CSR_SAN", "server", "30110603551d11040a3008810661406262 2e63", false, false},
    {"LINT_CSR_CA", NULL, "300f0603551d130101ff040530030101ff", false, false},
    {"LINT_CSR_IGNORED", NULL, "300b0603551d0f040403020780", false, false},
};
#define N_REQUESTS (sizeof(requests) / sizeof(requests[0]))

static void ask_request(const struct request_row *row, struct found *f)
{
    const struct lint_question q = {.profile = row->profile ? profile_find(row->profile) : NULL};
    struct request r = {.key = test_key(row->rsa ? KEY_RSA : KEY_P256),
        .subject = "CN=a",
        .wrong_signature = row->wrong_signature};
    AUTO_BUF exts = BUF_INIT;
    AUTO_BUF attrs = BUF_INIT;
    AUTO_BUF der = BUF_INIT;

    if (row->attrs) {
        add_spaced(&exts, row->attrs);
        add_ext_request(&attrs, der_buf(&exts));
        r.attrs = der_buf(&attrs);
    }
    request_make(&r, &der);
    lint_csr(der_buf(&der), &q, take, f);
}

/* The words of the findings, in the order of the tables here; a rule that fires beside the one meant is a failure. */
static void add_words(struct buf *words, const char *rule, struct found *f)
{
    if (f->n != (rule ? 1u : 0u) || (rule && strcmp(f->rule->id, rule) != 0)) {
        print_error(
            "%s: want it alone, have %zu:%s\n", rule ? rule : "(good)", f->n, f->n ? buf_str(&f->all) : "");
        buf_addf(words, "%s FAILED\n", rule ? rule : "(good)");
    } else if (rule) {
        buf_addf(words, "%s %s %s: %s\n", lint_severity_text(f->rule->severity), rule, f->code, f->msg);
    }
    buf_done(&f->all);
}

static void each_rule_alone(void **state)
{
    AUTO_BUF words = BUF_INIT;
    AUTO_BUF want = BUF_INIT;
    size_t i;

    (void)state;
    for (i = 0; i < N_FIXTURES; i++) {
        struct found f = {0};

        ask(find_good(fixtures[i].good), fixtures[i].edits, &f);
        add_words(&words, fixtures[i].rule, &f);
    }
    for (i = 0; i < N_REQUESTS; i++) {
        struct found f = {0};

        ask_request(&requests[i], &f);
        add_words(&words, requests[i].rule, &f);
    }
    assert_ok(file_read("tests/data/x509/lint-findings.txt", 1 << 20, &want, &err));
    assert_string_equal(buf_str(&words), buf_str(&want));
}

static bool has_fixture(const char *id)
{
    size_t i;

    for (i = 0; i < N_FIXTURES; i++) {
        if (strcmp(fixtures[i].rule, id) == 0)
            return true;
    }
    for (i = 0; i < N_REQUESTS; i++) {
        if (requests[i].rule && strcmp(requests[i].rule, id) == 0)
            return true;
    }
    return false;
}

static void every_rule_has_a_fixture(void **state)
{
    const struct lint_rule *rule;
    size_t i;

    (void)state;
    for (i = 0; (rule = lint_rule_at(i)); i++) {
        if (!(rule->where & ON_OCSP) && !has_fixture(rule->id)) /* theirs are in x509_ocsp_test.c */
            fail_msg("%s: no fixture breaks it", rule->id);
    }
}

static void rules_are_whole_and_unique(void **state)
{
    static const unsigned pairs[] = {ON_PROFILED | ON_FOREIGN, ON_CA | ON_LEAF, ON_ROOT | ON_ISSUED};
    const struct lint_rule *rule, *other;
    char applies[LINT_APPLIES];
    size_t i, k;

    (void)state;
    for (i = 0; (rule = lint_rule_at(i)); i++) {
        assert_true(rule->id[0] && rule->source[0] && rule->field[0] && rule->check);
        assert_true(strlen(rule->id) < sizeof(err.code));
        assert_true(strlen(lint_applies_text(rule, applies)) < sizeof(applies) - 1);
        for (k = 0; k < i; k++) {
            other = lint_rule_at(k);
            assert_string_not_equal(rule->id, other->id);
        }
        assert_true(lint_rule_exists(rule->id));
        assert_ptr_equal(lint_rule_find(rule->id), rule);
    }
    assert_true(i > 150);
    /* Each pair of these excludes the other: a rule with both would never be asked. */
    for (i = 0; (rule = lint_rule_at(i)); i++) {
        for (k = 0; k < sizeof(pairs) / sizeof(pairs[0]); k++)
            assert_true((rule->where & pairs[k]) != pairs[k]);
    }
    assert_false(lint_rule_exists("LINT_NO_SUCH_RULE"));
    assert_false(lint_rule_exists(""));
}

/* --- families --- */

static void families_by_name(void **state)
{
    unsigned bits = 0;
    size_t i;

    (void)state;
    assert_ok(lint_families("br,piv", &bits, &err));
    assert_int_equal(bits, RULES_BR | RULES_PIV);
    for (i = 0; lint_family_at(i); i++) {
        assert_ok(lint_families(lint_family_at(i), &bits, &err));
        assert_int_equal(bits, 1u << i);
    }
    assert_int_equal(i, 7);
    for (i = 0; i < 4; i++) {
        static const char *const bad[] = {"", "br,", "br,,piv", "BR"};

        bits = 77;
        assert_int_equal(lint_families(bad[i], &bits, &err), -1);
        assert_int_equal(bits, 77);
        assert_int_equal(err.kind, P11CA_USAGE);
    }
    assert_string_equal(
        err.msg, "rules: want br, idevid, ldevid, matter, spiffe, ocsp, piv, with commas between, have 'BR'");
}

/* A profile asks for a family: its errors block, its warnings and notices do not. */
static void profiles_ask_for_families(void **state)
{
    static const struct {
        const char *base;
        unsigned rules;
        const char *code; /* NULL: passes */
    } rows[] = {
        {"server", 0, NULL},
        {"server", RULES_BR, "LINT_BR_CN_HERE or LINT_BR_AIA"},
        {"server", RULES_OCSP, "LINT_OCSP_EKU"},
        {"server", RULES_SPIFFE, "LINT_SPIFFE_ONE"},
        {"server", RULES_IDEVID, "LINT_IDEVID_HW"},
        {"server", RULES_LDEVID, NULL}, /* a warning */
        {"ocsp-signer", RULES_OCSP, NULL},
        {"root-ca", RULES_BR, NULL},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct good *g = find_good(rows[i].base);
        struct profile profile = *profile_find(g->profile);
        const struct test_ca *signer;
        AUTO_PARTS p;
        AUTO_BUF tbs = BUF_INIT;
        int rc;

        profile.rules = rows[i].rules;
        cert_base(g->base, &p, &signer);
        parts_build(&p, &tbs);
        rc = tbs_lint(der_buf(&tbs), &profile, g->issuer ? signer->issuer : NULL, &err);
        assert_int_equal(rc, rows[i].code ? -1 : 0);
        if (rows[i].code && !strstr(rows[i].code, err.code))
            fail_msg("%s: want %s, have %s: %s", rows[i].base, rows[i].code, err.code, err.msg);
    }
}

/* BR 6.3.2: the length by the day of notBefore; one second over is a further day. */
static void lifetimes_by_date(void **state)
{
    static const struct {
        int64_t from; /* seconds since 1970 */
        int days;
    } rows[] = {
        {INT64_C(1598918399), 825},
        {INT64_C(1598918400), 398},
        {INT64_C(1773532799), 398},
        {INT64_C(1773532800), 200},
        {INT64_C(1805068799), 200},
        {INT64_C(1805068800), 100},
        {INT64_C(1868227199), 100},
        {INT64_C(1868227200), 47},
    };
    size_t i;
    int over;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (over = 0; over < 2; over++) {
            int64_t from = rows[i].from - TEST_NOW, to = from + (int64_t)rows[i].days * DAY - 1 + over;
            const struct edit edits[MAX_EDITS] = {VALID(from, to)};
            struct found f = {0};

            ask(find_good("br-leaf"), edits, &f);
            assert_int_equal(f.n, over);
            if (over)
                assert_string_equal(f.code, "LINT_BR_LIFETIME");
            buf_done(&f.all);
        }
    }
}

/* --- skips --- */

static int lint_long(const struct profile *profile)
{
    static const struct edit edits[MAX_EDITS] = {VALID(0, 398 * DAY - 1)};
    const struct test_ca *signer;
    AUTO_PARTS p;
    AUTO_BUF tbs = BUF_INIT;

    cert_base(SERVER_BASE, &p, &signer);
    edit_all(&p, NULL, edits);
    parts_build(&p, &tbs);
    return tbs_lint(der_buf(&tbs), profile, signer->issuer, &err);
}

static void skipped_rules_are_not_asked(void **state)
{
    struct lint_skip skip = {"VALIDITY_TOO_LONG", "a contract of 2024"};
    struct profile profile = *profile_find("server");

    (void)state;
    profile.skips = &skip;
    assert_refused(lint_long(&profile), "VALIDITY_TOO_LONG",
        "profile 'server': BR 6.3.2: validity: want at most 397 days, have 398");
    profile.n_skips = 1;
    assert_ok(lint_check_skips(&profile, &err));
    assert_ok(lint_long(&profile));
    /* what is no skip skips nothing, should nobody have looked */
    skip.reason = "";
    assert_int_equal(lint_long(&profile), -1);
    skip.reason = NULL;
    assert_int_equal(lint_long(&profile), -1);
}

/* Every rule that may never be skipped is asked all the same. */
static void fixed_rules_are_always_asked(void **state)
{
    static const struct edit edits[MAX_EDITS] = {F(SERIAL, "020100")};
    static const struct lint_skip skips[] = {
        {"LINT_SERIAL", "short"}, {"LINT_SERIAL_SIGN", "not for a profile to say"}};
    struct profile profile = *profile_find("server");
    const struct test_ca *signer;
    AUTO_PARTS p;
    AUTO_BUF tbs = BUF_INIT;

    (void)state;
    profile.skips = skips;
    profile.n_skips = 2;
    cert_base(SERVER_BASE, &p, &signer);
    edit_all(&p, NULL, edits);
    parts_build(&p, &tbs);
    assert_refused(tbs_lint(der_buf(&tbs), &profile, signer->issuer, &err), "LINT_SERIAL_SIGN",
        "profile 'server': RFC 5280 4.1.2.2: serial: want a positive number, have zero");
}

static void skips_that_are_refused(void **state)
{
    static const struct {
        struct lint_skip skips[2];
        const char *msg;
    } rows[] = {
        {{{"LINT_NO_SUCH_RULE", "x"}},
            "profile 'server': skip 'LINT_NO_SUCH_RULE': want the id of a rule for certificates (p11ca lint "
            "--list)"},
        {{{"CRL_NUMBER", "x"}}, "profile 'server': skip 'CRL_NUMBER': want the id of a rule for certificates "
                                "(p11ca lint --list)"},
        {{{"LINT_CSR_KEY", "x"}}, "profile 'server': skip 'LINT_CSR_KEY': want the id of a rule for "
                                  "certificates (p11ca lint --list)"},
        {{{NULL, "x"}},
            "profile 'server': skip '': want the id of a rule for certificates (p11ca lint --list)"},
        {{{"LINT_DER", "x"}},
            "profile 'server': skip 'LINT_DER': want a rule that may be skipped, have one that may never be"},
        {{{"LINT_SERIAL", ""}}, "profile 'server': skip 'LINT_SERIAL': want a reason, have none"},
        {{{"LINT_SERIAL", " \t"}}, "profile 'server': skip 'LINT_SERIAL': want a reason, have none"},
        {{{"LINT_SERIAL", NULL}}, "profile 'server': skip 'LINT_SERIAL': want a reason, have none"},
        {{{"LINT_SERIAL", "x"}, {"LINT_SERIAL", "y"}},
            "profile 'server': skip 'LINT_SERIAL': want each rule once, have it twice"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct profile profile = *profile_find("server");

        profile.skips = rows[i].skips;
        profile.n_skips = rows[i].skips[1].reason ? 2 : 1;
        assert_int_equal(lint_check_skips(&profile, &err), -1);
        assert_string_equal(err.msg, rows[i].msg);
        assert_string_equal(err.code, "PROFILE");
        assert_int_equal(err.kind, P11CA_CONFIG);
    }
}

/* What keeps a certificate one that can be read, bound to its issuer and to its key, is nobody's to skip. */
static void what_is_never_skipped(void **state)
{
    static const char *const fixed[] = {"LINT_SYNTAX", "LINT_VERSION", "LINT_SERIAL_SIGN", "LINT_DER",
        "LINT_ALG", "LINT_ISSUER", "LINT_TIME", "LINT_VALIDITY", "NAME_EMPTY", "LINT_KEY", "LINT_KEY_WEAK",
        "LINT_EXT_TWICE", "LINT_EXT_VALUE", "LINT_EXT_DER", "LINT_BC_CRITICAL", "LINT_BC", "LINT_PATHLEN",
        "LINT_ISSUER_PATHLEN", "LINT_CERT_SIGN", "LINT_CA_SIGN", "LINT_KU", "LINT_EKU", "LINT_ALG_MATCH",
        "LINT_SIGNATURE"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        assert_true(lint_rule_find(fixed[i])->where & ON_FIXED);
}

/* --- anything --- */

static void ignore(void *arg, const struct lint_rule *rule, const struct p11ca_err *finding)
{
    size_t *n = arg;

    assert_true(rule && rule->id[0] && finding->msg[0] && finding->code[0]);
    ++*n;
}

static size_t lint_as_all(const uint8_t *p, size_t len, const struct issuer *issuer)
{
    const struct lint_question questions[] = {{.rules = 0x7f}, {.rules = 0x7f, .issuer = issuer},
        {.profile = profile_find("server"), .issuer = issuer}};
    size_t i, n = 0;

    for (i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        lint_cert(DER_OF(p, len), &questions[i], ignore, &n);
        lint_crl(DER_OF(p, len), &questions[i], ignore, &n);
    }
    lint_csr(DER_OF(p, len), &questions[0], ignore, &n);
    return n;
}

/* Cut off anywhere, one octet changed anywhere: findings, and nothing else. A copy of its own shows what is read beyond. */
static void survives_damage(void **state)
{
    static const char *const names[] = {"piv", "crl-own", "dac"};
    size_t i, k;

    (void)state;
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct good *g = find_good(names[i]);
        const struct test_ca *signer;
        AUTO_PARTS p;
        AUTO_BUF der = BUF_INIT;

        if (g->base == CRL_BASE)
            crl_base(&p, &signer);
        else
            cert_base(g->base, &p, &signer);
        edit_all(&p, NULL, g->edits);
        parts_sign(&p, signer->key, &der);
        for (k = 0; k < der.len; k++) {
            uint8_t *copy = malloc(der.len);

            assert_non_null(copy);
            memcpy(copy, der.p, der.len);
            assert_true(lint_as_all(copy, k, signer->issuer) > 0);
            copy[k] ^= 0x41;
            (void)lint_as_all(copy, der.len, signer->issuer);
            free(copy);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones_break_no_rule),
        cmocka_unit_test(each_rule_alone),
        cmocka_unit_test(every_rule_has_a_fixture),
        cmocka_unit_test(rules_are_whole_and_unique),
        cmocka_unit_test(families_by_name),
        cmocka_unit_test(profiles_ask_for_families),
        cmocka_unit_test(lifetimes_by_date),
        cmocka_unit_test(skipped_rules_are_not_asked),
        cmocka_unit_test(fixed_rules_are_always_asked),
        cmocka_unit_test(skips_that_are_refused),
        cmocka_unit_test(what_is_never_skipped),
        cmocka_unit_test(survives_damage),
    };

    return test_done(cmocka_run_group_tests(tests, NULL, NULL));
}
