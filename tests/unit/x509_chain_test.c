/* Chains: what we issue verifies under X509_V_FLAG_X509_STRICT, and what does not is told with its true reason. */
#include "x509_help.h"

#include "x509/chain.h"

struct leaf {
    const char *profile, *subject, *dns, *ip, *uri;
    enum key_kind kind;
};

static void sign_leaf(const struct leaf *l, struct buf *ret)
{
    struct cert_plan plan = test_plan(l->profile, test_factory()->issuer);
    struct spki spki = test_spki(test_key(l->kind));
    AUTO_BUF name = BUF_INIT;
    AUTO_SANS sans = SAN_LIST_INIT;
    AUTO_BUF tbs = BUF_INIT;

    assert_ok(name_from_text(l->subject, &name, &err));
    if (l->dns)
        assert_ok(san_add(&sans, SAN_DNS, l->dns, &err));
    if (l->ip)
        assert_ok(san_add(&sans, SAN_IP, l->ip, &err));
    if (l->uri)
        assert_ok(san_add(&sans, SAN_URI, l->uri, &err));
    plan.subject = der_buf(&name);
    plan.spki = &spki;
    plan.sans = &sans;
    plan.crl_url = "http://pki.example/factory.crl";
    assert_ok(tbs_build(&plan, &tbs, &err));
    assert_ok(tbs_lint(der_buf(&tbs), plan.profile, plan.issuer, &err));
    plan_sign(&plan, test_factory()->key, ret);
}

static const struct leaf server = {"server", "CN=a.example", "*.a.example", "192.0.2.1", NULL, KEY_P256};
static const struct leaf client = {"client", "CN=svc", NULL, NULL, "spiffe://a.example/svc", KEY_P256};

/* A chain over the factory and the root. */
static int verify(struct der leaf, enum chain_purpose purpose, const char *host, int64_t at)
{
    struct der factory = der_buf(&test_factory()->issuer->cert), root = der_buf(&test_root()->issuer->cert);
    const struct chain chain = {leaf, &factory, 1, &root, 1, purpose, host, at};

    memset(&err, 0, sizeof(err));
    return chain_verify(&chain, &err);
}

static void everything_we_issue_verifies(void **state)
{
    static const struct {
        struct leaf leaf;
        enum chain_purpose purpose;
        const char *host;
    } rows[] = {
        {{"server", "CN=a.example", "a.example", NULL, NULL, KEY_P256}, CHAIN_SERVER, "a.example"},
        {{"server", "", "*.a.example", "192.0.2.1", NULL, KEY_P384}, CHAIN_SERVER, "b.a.example"},
        {{"server", "O=Acme", NULL, "2001:db8::1", NULL, KEY_P521}, CHAIN_SERVER, "2001:db8::1"},
        {{"server", "CN=rsa", "a.example", NULL, NULL, KEY_RSA}, CHAIN_SERVER, "A.EXAMPLE"},
        {{"client", "CN=svc", NULL, NULL, "spiffe://a.example/svc", KEY_P256}, CHAIN_CLIENT, NULL},
        {{"device", "CN=SN1,serialNumber=SN1", NULL, NULL, "urn:dev:SN1", KEY_P256}, CHAIN_CLIENT, NULL},
        {{"device", "", NULL, NULL, "urn:dev:SN1", KEY_RSA}, CHAIN_CLIENT, NULL},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF der = BUF_INIT;

        sign_leaf(&rows[i].leaf, &der);
        assert_ok(verify(der_buf(&der), rows[i].purpose, rows[i].host, TEST_NOW + 60));
        assert_ok(verify(der_buf(&der), CHAIN_ANY, NULL, TEST_NOW + 60));
    }
}

static void the_cas_verify(void **state)
{
    struct der root = der_buf(&test_root()->issuer->cert);
    const struct chain alone = {root, NULL, 0, &root, 1, CHAIN_ANY, NULL, TEST_NOW};

    (void)state;
    assert_ok(chain_verify(&alone, &err));
    assert_ok(verify(der_buf(&test_factory()->issuer->cert), CHAIN_ANY, NULL, TEST_NOW));
}

static void ca_done(struct test_ca *ca)
{
    EVP_PKEY_free(ca->key);
    issuer_free(ca->issuer);
}

static void sign_server(const struct test_ca *ca, struct buf *ret)
{
    struct cert_plan plan = test_plan("server", ca->issuer);
    struct spki spki = test_spki(test_key(KEY_P256));
    AUTO_SANS sans = SAN_LIST_INIT;
    AUTO_BUF tbs = BUF_INIT;

    assert_ok(san_add(&sans, SAN_DNS, "a.example", &err));
    plan.subject = BYTES("\x30\x00");
    plan.spki = &spki;
    plan.sans = &sans;
    assert_ok(tbs_build(&plan, &tbs, &err));
    assert_ok(tbs_lint(der_buf(&tbs), plan.profile, plan.issuer, &err));
    plan_sign(&plan, ca->key, ret);
}

static void three_tiers_verify(void **state)
{
    struct test_ca middle = {.key = NULL}, issuing = {.key = NULL};
    struct der between[2], root = der_buf(&test_root()->issuer->cert);
    struct chain chain = {.intermediates = between,
        .n_intermediates = 2,
        .roots = &root,
        .n_roots = 1,
        .purpose = CHAIN_SERVER,
        .host = "a.example",
        .at = TEST_NOW + 60};
    AUTO_BUF leaf = BUF_INIT;

    (void)state;
    test_ca_make(&middle, "intermediate-ca", "CN=Acme Middle CA", test_root());
    test_ca_make(&issuing, "issuing-ca", "CN=Acme Issuing CA", &middle);
    assert_int_equal(middle.issuer->pathlen, 1);
    sign_server(&issuing, &leaf);
    between[0] = der_buf(&issuing.issuer->cert);
    between[1] = der_buf(&middle.issuer->cert);
    chain.leaf = der_buf(&leaf);
    assert_ok(chain_verify(&chain, &err));
    ca_done(&middle);
    ca_done(&issuing);
}

/* The new root's certificate for itself, signed by the old root: who trusts the old one alone reaches the leaf. */
static void sign_cross(const struct test_ca *subject, const struct test_ca *by, struct buf *ret)
{
    struct cert_plan plan = test_plan("cross-ca", by->issuer);
    AUTO_BUF tbs = BUF_INIT;

    plan.subject = subject->issuer->subject;
    plan.spki = &subject->spki;
    plan.crl_url = "http://pki.example/root.crl";
    assert_ok(tbs_build(&plan, &tbs, &err));
    assert_ok(tbs_lint(der_buf(&tbs), plan.profile, plan.issuer, &err));
    plan_sign(&plan, by->key, ret);
}

static void a_cross_certificate_carries_over(void **state)
{
    struct test_ca new_root = {.key = NULL}, issuing = {.key = NULL};
    struct der between[2], root = der_buf(&test_root()->issuer->cert);
    struct chain chain = {.intermediates = between,
        .n_intermediates = 1,
        .roots = &root,
        .n_roots = 1,
        .purpose = CHAIN_SERVER,
        .at = TEST_NOW + 60};
    AUTO_BUF leaf = BUF_INIT;
    AUTO_BUF cross = BUF_INIT;

    (void)state;
    test_ca_make(&new_root, "root-ca", "CN=Acme Root CA 2036", NULL);
    test_ca_make(&issuing, "issuing-ca", "CN=Acme Factory CA 2", &new_root);
    sign_server(&issuing, &leaf);
    sign_cross(&new_root, test_root(), &cross);
    between[0] = der_buf(&issuing.issuer->cert);
    between[1] = der_buf(&cross);
    chain.leaf = der_buf(&leaf);
    assert_int_equal(chain_verify(&chain, &err), -1);
    chain.n_intermediates = 2;
    assert_ok(chain_verify(&chain, &err));
    ca_done(&new_root);
    ca_done(&issuing);
}

static void negative(int rc, const char *code, const char *msg)
{
    assert_int_equal(rc, -1);
    assert_string_equal(err.msg, msg);
    assert_string_equal(err.code, code);
    assert_int_equal(err.kind, P11CA_NEGATIVE);
}

static void says_why_not(void **state)
{
    AUTO_BUF der = BUF_INIT;
    AUTO_BUF svc = BUF_INIT;

    (void)state;
    sign_leaf(&server, &der);
    sign_leaf(&client, &svc);
    negative(verify(der_buf(&der), CHAIN_SERVER, "b.example", TEST_NOW + 60), "HOST_MISMATCH",
        "chain: RFC 9525 6: want 'b.example' in the SAN, have other names");
    negative(verify(der_buf(&der), CHAIN_SERVER, "a.example", TEST_NOW + 60), "HOST_MISMATCH",
        "chain: RFC 9525 6: want 'a.example' in the SAN, have other names"); /* the CN does not count */
    negative(verify(der_buf(&der), CHAIN_SERVER, "192.0.2.2", TEST_NOW + 60), "HOST_MISMATCH",
        "chain: RFC 9525 6: want '192.0.2.2' in the SAN, have other names");
    negative(verify(der_buf(&der), CHAIN_CLIENT, NULL, TEST_NOW + 60), "CHAIN_BAD",
        "chain: RFC 5280 6.1: unsuitable certificate purpose (certificate 0, 'CN=a.example')");
    negative(verify(der_buf(&svc), CHAIN_SERVER, NULL, TEST_NOW + 60), "CHAIN_BAD",
        "chain: RFC 5280 6.1: unsuitable certificate purpose (certificate 0, 'CN=svc')");
    negative(verify(der_buf(&der), CHAIN_ANY, NULL, TEST_NOW + INT64_C(200) * 86400), "CHAIN_BAD",
        "chain: RFC 5280 6.1: certificate has expired (certificate 0, 'CN=a.example')");
    negative(verify(der_buf(&der), CHAIN_ANY, NULL, TEST_NOW - 3600), "CHAIN_BAD",
        "chain: RFC 5280 6.1: certificate is not yet valid (certificate 2, 'CN=Acme Root CA "
        "2026,O=Acme,C=US')");
}

static void missing_links(void **state)
{
    struct der root = der_buf(&test_root()->issuer->cert);
    struct chain chain = {.roots = &root, .n_roots = 1, .at = TEST_NOW + 60};
    AUTO_BUF der = BUF_INIT;

    (void)state;
    sign_leaf(&server, &der);
    chain.leaf = der_buf(&der);
    negative(chain_verify(&chain, &err), "CHAIN_BAD",
        "chain: RFC 5280 6.1: unable to get local issuer certificate (certificate 0, 'CN=a.example')");
}

/* OpenSSL reports a doubled extension as a missing issuer. */
static void doubled_extension(void **state)
{
    AUTO_BUF der = BUF_INIT;
    uint8_t *at;

    (void)state;
    sign_leaf(&server, &der);
    at = memmem(der.p, der.len, "\x06\x03\x55\x1d\x1f", 5);
    assert_non_null(at);
    at[4] = 0x23; /* cRLDistributionPoints becomes a second authorityKeyIdentifier */
    negative(verify(der_buf(&der), CHAIN_ANY, NULL, TEST_NOW + 60), "CHAIN_BAD",
        "chain: leaf: RFC 5280 4.2: has an extension twice");
}

static void bad_signature(void **state)
{
    AUTO_BUF der = BUF_INIT;

    (void)state;
    sign_leaf(&server, &der);
    der.p[der.len - 1] ^= 1;
    negative(verify(der_buf(&der), CHAIN_ANY, NULL, TEST_NOW + 60), "CHAIN_BAD",
        "chain: RFC 5280 6.1: certificate signature failure (certificate 0, 'CN=a.example')");
}

static void refuses_what_is_no_certificate(void **state)
{
    (void)state;
    assert_refused(verify(BYTES("\x30\x03\x02\x01\x01"), CHAIN_ANY, NULL, TEST_NOW), "CERT_SYNTAX",
        "leaf: certificate: RFC 5280 4.1: want Certificate, have something else");
}

/* OpenSSL's sslclient takes a certificate that says nothing of its use. */
static void a_client_must_say_so(void **state)
{
    struct profile profile = *profile_find("client");
    struct cert_plan plan = test_plan("client", test_factory()->issuer);
    struct spki spki = test_spki(test_key(KEY_P256));
    AUTO_BUF name = BUF_INIT;
    AUTO_BUF no_eku = BUF_INIT;
    AUTO_BUF agreement = BUF_INIT;

    (void)state;
    assert_ok(name_from_text("CN=svc", &name, &err));
    plan.profile = &profile;
    plan.subject = der_buf(&name);
    plan.spki = &spki;
    profile.eku = 0;
    plan_sign(&plan, test_factory()->key, &no_eku);
    negative(verify(der_buf(&no_eku), CHAIN_CLIENT, NULL, TEST_NOW + 60), "CHAIN_BAD",
        "chain: RFC 5280 4.2.1.12: extKeyUsage: want clientAuth, have none");
    profile.eku = EKU_CLIENT;
    profile.key_usage = USAGE_KEY_AGREEMENT;
    plan_sign(&plan, test_factory()->key, &agreement);
    negative(verify(der_buf(&agreement), CHAIN_CLIENT, NULL, TEST_NOW + 60), "CHAIN_BAD",
        "chain: RFC 5280 4.2.1.3: keyUsage: want digitalSignature, have none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_we_issue_verifies),
        cmocka_unit_test(the_cas_verify),
        cmocka_unit_test(three_tiers_verify),
        cmocka_unit_test(a_cross_certificate_carries_over),
        cmocka_unit_test(says_why_not),
        cmocka_unit_test(missing_links),
        cmocka_unit_test(doubled_extension),
        cmocka_unit_test(bad_signature),
        cmocka_unit_test(refuses_what_is_no_certificate),
        cmocka_unit_test(a_client_must_say_so),
    };

    return test_done(cmocka_run_group_tests(tests, NULL, NULL));
}
