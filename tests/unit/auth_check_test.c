/* Who is let in, and why others are not. */
#include "auth_crl_help.h"

#include <stdlib.h>
#include <unistd.h>

#include "auth/authenticator.h"

#define BOTH "301406082b0601050507030106082b06010505070302"

static char dir[] = "/tmp/p11ca-auth.XXXXXX";

static const char *path_of(const char *name)
{
    static char paths[16][256];
    static unsigned next;
    char *path = paths[next++ % 16];

    snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
    return path;
}

static int64_t clock_of(void *arg)
{
    return *(const int64_t *)arg;
}

static int64_t now = TEST_NOW;

static void use_clock(struct p11ca_auth *a)
{
    now = TEST_NOW;
    assert_ok(p11ca_auth_clock(a, clock_of, &now, &err));
}

/* Not sealed: the factory, one kind, no revocation, the test's clock. */
static struct p11ca_auth *open_auth(enum p11ca_name_kind kind)
{
    struct p11ca_auth *a = p11ca_auth_new();

    assert_non_null(a);
    assert_ok(
        p11ca_auth_trust_cert(a, test_factory()->issuer->cert.p, test_factory()->issuer->cert.len, &err));
    assert_ok(p11ca_auth_principal(a, kind, &err));
    assert_ok(p11ca_auth_no_revocation(a, &err));
    use_clock(a);
    return a;
}

static struct p11ca_auth *auth_for(enum p11ca_name_kind kind, const char *text)
{
    struct p11ca_auth *a = open_auth(kind);

    assert_ok(text ? p11ca_auth_allow(a, kind, text, &err) : p11ca_auth_allow_any(a, kind, &err));
    assert_ok(p11ca_auth_seal(a, &err));
    return a;
}

static int check(const struct p11ca_auth *a, const struct leaf *l)
{
    AUTO_IDENTITY id = leaf_identity(l);
    struct p11ca_decision d;

    memset(&d, 0xaa, sizeof(d));
    memset(&err, 0, sizeof(err));
    if (p11ca_auth_check(a, id, NULL, &d, &err) == 0)
        return 0;
    assert_int_equal(*(unsigned char *)&d, 0xaa); /* outputs on success alone */
    return -1;
}

/* Whether a rule lets in a certificate with this one name. */
static bool lets_in(enum p11ca_name_kind kind, const char *rule, const char *san)
{
    const struct leaf l = {.san = san, .eku = BOTH};
    AUTO_AUTH a = auth_for(kind, rule);

    if (check(a, &l) == 0)
        return true;
    assert_string_equal(err.code, "NOT_ALLOWED");
    return false;
}

/* --- in --- */

static void lets_in_who_is_named(void **state)
{
    const struct leaf l = {.san = uri_hex("spiffe://acme.example/ns/prod/web"), .eku = BOTH};
    AUTO_AUTH a = auth_for(P11CA_NAME_SPIFFE, "SPIFFE://acme.example/ns/prod/web");
    AUTO_IDENTITY id = leaf_identity(&l);
    struct p11ca_decision d;

    (void)state;
    assert_ok(p11ca_auth_check(a, id, NULL, &d, &err));
    assert_string_equal(d.principal->text, "spiffe://acme.example/ns/prod/web");
    assert_string_equal(d.rule, "SPIFFE:spiffe://acme.example/ns/prod/web");
    assert_null(d.pin);
    assert_int_equal(d.revocation.status, P11CA_STATUS_UNKNOWN);
    assert_ok(p11ca_auth_check(a, id, NULL, NULL, &err));
}

static void names_of_each_kind_match_as_their_kind_does(void **state)
{
    (void)state;
    assert_true(lets_in(P11CA_NAME_DNS, "A.Example", dns_hex("a.eXample")));
    assert_true(lets_in(P11CA_NAME_EMAIL, "a@B.example", san_hex(DER_CONTEXT(1), "a@b.example")));
    assert_false(lets_in(P11CA_NAME_EMAIL, "A@b.example", san_hex(DER_CONTEXT(1), "a@b.example")));
    assert_true(lets_in(P11CA_NAME_IP, "192.0.2.1", "30068704c0000201"));
    assert_false(lets_in(P11CA_NAME_IP, "192.0.2.2", "30068704c0000201"));
    assert_true(lets_in(P11CA_NAME_UUID, "urn:uuid:F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6",
        uri_hex("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6")));
    assert_false(lets_in(P11CA_NAME_SPIFFE, "spiffe://a/B", uri_hex("spiffe://a/b")));
    assert_true(lets_in(P11CA_NAME_HW, "1.3.6.1.4.1.32473.1.1:SN000001",
        "3026a02406082b06010505070804a0183016060a2b0601040181fd5901010408534e303030303031"));
    assert_true(lets_in(P11CA_NAME_UPN, "1234567890@MIL",
        "3020a01e060a2b060104018237140203a0100c0e31323334353637383930406d696c"));
    assert_true(lets_in(P11CA_NAME_CN, "svc", NONE));
    assert_false(lets_in(P11CA_NAME_CN, "SVC", NONE));
    assert_true(lets_in(P11CA_NAME_SUBJECT, "cn = svc", NONE));
    assert_true(lets_in(P11CA_NAME_DNS, NULL, dns_hex("any.example")));
}

/* --- what is open elsewhere --- */

static void fail_open_names_are_not_matched_by_substring(void **state)
{
    static const char *const others[] = {
        "xa.example", "a.example.org", "a.exampl", "b.a.example", "a-example"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(lets_in(P11CA_NAME_DNS, "a.example", dns_hex(others[i])));
    assert_false(lets_in(P11CA_NAME_SPIFFE, "spiffe://a/b", uri_hex("spiffe://a/b/c")));
    assert_false(lets_in(P11CA_NAME_SPIFFE, "spiffe://a/b", uri_hex("spiffe://a/bc")));
    assert_false(lets_in(P11CA_NAME_SPIFFE, "spiffe://a/b", uri_hex("spiffe://ax/b")));
    assert_false(lets_in(P11CA_NAME_CN, "sv", NONE));
    assert_false(lets_in(P11CA_NAME_SUBJECT, "CN=svc,O=Acme", NONE));
}

/* One's mail address is not another's host, though the text were the same. */
static void fail_open_kinds_are_not_mixed_up(void **state)
{
    const struct leaf l = {.subject = "CN=a.example", .san = uri_hex("urn:a:b")};
    AUTO_AUTH a = auth_for(P11CA_NAME_DNS, "a.example");

    (void)state;
    assert_negative(check(a, &l), "IDENT_NONE", "principal: want a name of kind DNS, have none");
}

/* Both kinds count here, and the certificate has the text as the one that no rule names. */
static void fail_open_rules_are_for_their_kind(void **state)
{
    const struct leaf l = {.subject = "CN=a.example", .san = dns_hex("a.example")};
    struct p11ca_auth *one = open_auth(P11CA_NAME_DNS), *any = open_auth(P11CA_NAME_DNS);

    (void)state;
    assert_ok(p11ca_auth_principal(one, P11CA_NAME_CN, &err));
    assert_ok(p11ca_auth_principal(any, P11CA_NAME_CN, &err));
    assert_ok(p11ca_auth_allow(one, P11CA_NAME_CN, "a.example", &err));
    assert_ok(p11ca_auth_allow_any(any, P11CA_NAME_CN, &err));
    assert_ok(p11ca_auth_seal(one, &err));
    assert_ok(p11ca_auth_seal(any, &err));
    assert_negative(check(one, &l), "NOT_ALLOWED", "DNS 'a.example': want a rule that lets it in, have none");
    assert_negative(check(any, &l), "NOT_ALLOWED", "DNS 'a.example': want a rule that lets it in, have none");
    p11ca_auth_free(one);
    p11ca_auth_free(any);
}

static void fail_open_no_rule_lets_nobody_in(void **state)
{
    AUTO_AUTH a = open_auth(P11CA_NAME_CN);
    const struct leaf l = {.subject = NULL};

    (void)state;
    assert_answer(p11ca_auth_seal(a, &err), P11CA_CONFIG, "AUTH_CONFIG",
        "authenticator: want a rule that lets somebody in, have none");
    assert_negative(
        check(a, &l), "AUTH_OPEN", "authenticator: want a sealed one and an identity, have not both");
    assert_negative(p11ca_auth_check(NULL, NULL, NULL, NULL, &err), "AUTH_OPEN",
        "authenticator: want a sealed one and an identity, have not both");
}

static void fail_open_usages_are_checked(void **state)
{
    static const char want[] =
        "certificate: RFC 5280 4.2.1.12: extKeyUsage: want 1.3.6.1.5.5.7.3.2, have it not";
    AUTO_AUTH a = auth_for(P11CA_NAME_CN, "svc");

    (void)state;
    assert_negative(check(a, &(struct leaf){.eku = NONE}), "EKU_MISSING", want);
    assert_negative(check(a, &(struct leaf){.eku = "300a06082b06010505070301"}), "EKU_MISSING", want);
    /* anyExtendedKeyUsage */
    assert_negative(check(a, &(struct leaf){.eku = "30060604551d2500"}), "EKU_MISSING", want);
    assert_ok(check(a, &(struct leaf){.eku = BOTH}));
    assert_negative(check(a, &(struct leaf){.ku = NONE}), "KEY_USAGE_MISSING",
        "certificate: RFC 5280 4.2.1.3: keyUsage: want digitalSignature, have it not");
    assert_negative(check(a, &(struct leaf){.ku = "03020308"}), "KEY_USAGE_MISSING",
        "certificate: RFC 5280 4.2.1.3: keyUsage: want digitalSignature, have it not");
}

/* The octets of "CN=Acme Factory CA 1,O=Acme,C=US" with other string types: the same text, signed by the right key. */
static void fail_open_issuers_are_not_compared_as_text(void **state)
{
    struct test_ca like = *test_factory();
    struct issuer named = *like.issuer;
    AUTO_BUF name = BUF_INIT;
    AUTO_AUTH a = auth_for(P11CA_NAME_CN, "svc");

    (void)state;
    add_hex(&name, "3038310b3009060355040613025553310d300b060355040a130441636d65311a301806035504030c1141636d6"
                   "520466163746f72792043412031");
    named.subject = der_buf(&name);
    like.issuer = &named;
    assert_negative(check(a, &(struct leaf){.by = &like}), "ISSUER_UNTRUSTED",
        "issuer: want the octets of a trusted name and a signature by its key, or by a trusted key, have "
        "others");
}

static void fail_open_a_name_without_a_signature_is_nothing(void **state)
{
    AUTO_AUTH a = auth_for(P11CA_NAME_CN, "svc");

    (void)state;
    assert_negative(check(a, &(struct leaf){.signer = other_key()}), "SIGNATURE_BAD",
        "certificate: signature: want one by this key with ecdsa-with-SHA256, have another");
    assert_negative(check(a, &(struct leaf){.by = test_root()}), "ISSUER_UNTRUSTED",
        "issuer: want the octets of a trusted name and a signature by its key, or by a trusted key, have "
        "others");
}

/* That its signature was verified before saves a certificate from nothing else, and another one from nothing at all. */
static void fail_open_what_was_seen_is_not_let_in_for_it(void **state)
{
    const struct leaf l = {.subject = NULL};
    AUTO_AUTH a = auth_for(P11CA_NAME_CN, "svc");
    struct p11ca_identity *changed;
    AUTO_BUF der = BUF_INIT;
    AUTO_IDENTITY id = NULL;
    struct p11ca_decision d;

    (void)state;
    leaf_make(&l, &der);
    assert_ok(p11ca_identity_read(der.p, der.len, &id, &err));
    assert_ok(p11ca_auth_check(a, id, NULL, &d, &err));
    assert_ok(p11ca_auth_check(a, id, NULL, &d, &err));
    now = TEST_NOW + 86400 * 366 * 10;
    assert_int_equal(p11ca_auth_check(a, id, NULL, &d, &err), -1);
    assert_string_equal(err.code, "CERT_EXPIRED");
    now = TEST_NOW;
    der.p[der.len - 1] ^= 1; /* the signature's */
    assert_ok(p11ca_identity_read(der.p, der.len, &changed, &err));
    assert_negative(p11ca_auth_check(a, changed, NULL, &d, &err), "SIGNATURE_BAD",
        "certificate: signature: want one by this key with ecdsa-with-SHA256, have another");
    p11ca_identity_free(changed);
}

/* --- times, issuers, keys, policies --- */

static void times(void **state)
{
    AUTO_AUTH a = auth_for(P11CA_NAME_CN, "svc");
    const struct leaf l = {.subject = NULL}, long_lived = {.not_after = DER_TIME_FOREVER};

    (void)state;
    now = TEST_NOW + 86400;
    assert_ok(check(a, &l));
    now++;
    assert_negative(check(a, &l), "CERT_EXPIRED",
        "certificate: RFC 5280 4.1.2.5: notAfter: want a time from now on, have 2026-06-02T00:00:00Z");
    now = TEST_NOW - 61;
    assert_negative(check(a, &l), "CERT_EARLY",
        "certificate: RFC 5280 4.1.2.5: notBefore: want a time until now, have 2026-05-31T23:59:00Z");
    now = 0;
    assert_negative(check(a, &l), "AUTH_CLOCK", "clock: want a time after 1970, have another");
    now = -1;
    assert_negative(check(a, &l), "AUTH_CLOCK", "clock: want a time after 1970, have another");
    now = test_factory()->issuer->not_after + 1;
    assert_negative(check(a, &long_lived), "ISSUER_EXPIRED",
        "issuer: RFC 5280 4.1.2.5: validity: want one that holds now, have another");
}

static void trust_by_key(void **state)
{
    AUTO_AUTH a = p11ca_auth_new();
    const struct spki *spki = &test_factory()->spki;

    (void)state;
    assert_ok(p11ca_auth_trust_key(a, spki->der, spki->len, &err));
    assert_ok(p11ca_auth_principal(a, P11CA_NAME_CN, &err));
    assert_ok(p11ca_auth_no_revocation(a, &err));
    assert_ok(p11ca_auth_allow_any(a, P11CA_NAME_CN, &err));
    use_clock(a);
    assert_ok(p11ca_auth_seal(a, &err));
    assert_ok(check(a, &(struct leaf){.subject = NULL}));
    assert_negative(check(a, &(struct leaf){.by = test_root()}), "ISSUER_UNTRUSTED",
        "issuer: want the octets of a trusted name and a signature by its key, or by a trusted key, have "
        "others");
}

static void policies_are_all_wanted(void **state)
{
    static const char one[] = "3007300506032a0304", two[] = "300e300506032a0304300506032a0305";
    AUTO_AUTH a = open_auth(P11CA_NAME_CN);

    (void)state;
    assert_ok(p11ca_auth_require_policy(a, "1.2.3.4", &err));
    assert_ok(p11ca_auth_require_policy(a, "1.2.3.5", &err));
    assert_ok(p11ca_auth_allow_any(a, P11CA_NAME_CN, &err));
    assert_ok(p11ca_auth_seal(a, &err));
    assert_negative(check(a, &(struct leaf){.policies = one}), "POLICY_MISSING",
        "certificate: RFC 5280 4.2.1.4: certificatePolicies: want 1.2.3.5, have it not");
    assert_negative(check(a, &(struct leaf){.policies = NULL}), "POLICY_MISSING",
        "certificate: RFC 5280 4.2.1.4: certificatePolicies: want 1.2.3.4, have it not");
    /* anyPolicy */
    assert_negative(check(a, &(struct leaf){.policies = "300830060604551d2000"}), "POLICY_MISSING",
        "certificate: RFC 5280 4.2.1.4: certificatePolicies: want 1.2.3.4, have it not");
    assert_ok(check(a, &(struct leaf){.policies = two}));
}

static void keys_that_are_too_weak(void **state)
{
    SCOPED(pkey) EVP_PKEY *small = EVP_RSA_gen(1024);
    AUTO_AUTH a = auth_for(P11CA_NAME_CN, "svc");
    AUTO_BUF der = BUF_INIT;
    AUTO_IDENTITY id = NULL;

    (void)state;
    assert_non_null(small);
    {
        /* leaf_make() reads the key as we do, so the key comes in afterwards. */
        AUTO_BUF tbs = BUF_INIT;
        AUTO_BUF sig = BUF_INIT;
        AUTO_BUF spki = BUF_INIT;
        const struct leaf l = {.subject = NULL};
        struct spki p256 = test_spki(test_key(KEY_P256));
        struct der in;
        uint8_t *at;

        leaf_tbs(&l, test_factory(), &tbs);
        assert_int_equal(der_whole(der_buf(&tbs), DER_SEQUENCE, &in), 0);
        at = memmem(in.p, in.len, p256.der, p256.len);
        assert_non_null(at);
        assert_ok(spki_from_evp(small, &spki, &err));
        {
            AUTO_BUF again = BUF_INIT;

            buf_add(&again, in.p, (size_t)(at - in.p));
            buf_add(&again, spki.p, spki.len);
            buf_add(&again, at + p256.len, (size_t)(in.p + in.len - (at + p256.len)));
            der_close(&again, 0, DER_SEQUENCE);
            assert_ok(
                sigalg_sign(test_factory()->key, test_factory()->issuer->alg, der_buf(&again), &sig, &err));
            cert_assemble(der_buf(&again), test_factory()->issuer->alg, der_buf(&sig), &der);
        }
    }
    assert_ok(p11ca_identity_read(der.p, der.len, &id, &err));
    assert_string_equal(p11ca_identity_facts(id)->key, "");
    assert_int_equal(p11ca_auth_check(a, id, NULL, NULL, &err), -1);
    assert_string_equal(err.code, "KEY_TOO_SMALL");
    assert_int_equal(err.kind, P11CA_NEGATIVE);
}

/* --- revocation, pins, chain --- */

static struct p11ca_auth *with_crls(struct p11ca_crls *crls, bool accept_unknown, int64_t stale)
{
    struct p11ca_auth *a = p11ca_auth_new();

    assert_ok(
        p11ca_auth_trust_cert(a, test_factory()->issuer->cert.p, test_factory()->issuer->cert.len, &err));
    assert_ok(p11ca_auth_principal(a, P11CA_NAME_CN, &err));
    assert_ok(p11ca_auth_allow_any(a, P11CA_NAME_CN, &err));
    assert_ok(p11ca_auth_use_crls(a, crls, accept_unknown, stale, &err));
    use_clock(a);
    assert_ok(p11ca_auth_seal(a, &err));
    return a;
}

static void load(struct p11ca_crls *crls, const struct crl_spec *spec)
{
    const char *path = path_of("one.crl");

    put_crl(path, spec);
    assert_ok(p11ca_crls_load(crls, &path, 1, &err));
}

static void revocation_has_four_answers(void **state)
{
    struct p11ca_crls *crls = p11ca_crls_new();
    struct p11ca_auth *strict = with_crls(crls, false, 0), *lax = with_crls(crls, true, 100);
    const struct leaf l = {.subject = NULL, .not_after = TEST_NOW + 999999}, listed = {.serial = "0a"};

    (void)state;
    assert_ok(
        p11ca_crls_add_ca(crls, test_factory()->issuer->cert.p, test_factory()->issuer->cert.len, &err));
    assert_negative(check(strict, &l), "REVOCATION_UNKNOWN",
        "CRL: RFC 5280 6.3: want one of the certificate's issuer, have none");
    assert_ok(check(lax, &l));
    load(crls, &(struct crl_spec){.number = 1, .serials = "0a:1"});
    assert_ok(check(strict, &l));
    assert_negative(check(strict, &listed), "REVOKED",
        "certificate: RFC 5280 5.3: revoked at 2026-05-31T23:59:53Z, keyCompromise");
    assert_int_equal(check(lax, &listed), -1);
    now = TEST_NOW + 86401;
    assert_negative(check(strict, &l), "REVOCATION_STALE",
        "CRL: RFC 5280 5.1.2.5: nextUpdate: want one in force now, have 2026-06-02T00:00:00Z");
    assert_ok(check(lax, &l));
    now = TEST_NOW + 86501;
    assert_int_equal(check(lax, &l), -1);
    /* Of the future: the clock was set back. */
    load(crls, &(struct crl_spec){.number = 2, .at = 50});
    now = TEST_NOW + 49;
    assert_negative(check(strict, &l), "REVOCATION_STALE",
        "CRL: RFC 5280 5.1.2.4: thisUpdate: want one in force now, have 2026-06-01T00:00:50Z");
    assert_int_equal(check(lax, &l), -1);
    p11ca_auth_free(strict);
    p11ca_auth_free(lax);
    p11ca_crls_free(crls);
}

static void pins_are_asked_for(void **state)
{
    struct p11ca_pins *pins = p11ca_pins_new();
    struct p11ca_auth *a = open_auth(P11CA_NAME_CN);
    const struct leaf l = {.subject = NULL};
    struct p11ca_identity *id = leaf_identity(&l);
    struct p11ca_pin pin = {.kind = P11CA_PIN_KEY, .label = "the service"};
    struct p11ca_decision d;

    (void)state;
    assert_ok(p11ca_auth_allow_any(a, P11CA_NAME_CN, &err));
    assert_ok(p11ca_auth_use_pins(a, pins, &err));
    assert_ok(p11ca_auth_seal(a, &err));
    assert_negative(check(a, &l), "PIN_NONE", "pins: want one of the client's certificate or key, have none");
    memcpy(pin.sha256, p11ca_identity_facts(id)->spki_sha256, sizeof(pin.sha256));
    assert_ok(p11ca_pins_add(pins, &pin, &err));
    assert_ok(p11ca_auth_check(a, id, NULL, &d, &err));
    assert_string_equal(d.pin, "the service");
    p11ca_identity_free(id);
    p11ca_auth_free(a);
    p11ca_pins_free(pins);
}

static void chains_are_verified_again(void **state)
{
    struct p11ca_auth *right = open_auth(P11CA_NAME_CN), *wrong = open_auth(P11CA_NAME_CN);
    const struct issuer *root = test_root()->issuer;
    struct test_ca other = {.key = NULL};

    (void)state;
    test_ca_make(&other, "root-ca", "CN=Acme Root CA 2026,O=Acme,C=US", NULL);
    assert_ok(p11ca_auth_verify_chain(right, root->cert.p, root->cert.len, &err));
    assert_ok(p11ca_auth_verify_chain(wrong, other.issuer->cert.p, other.issuer->cert.len, &err));
    assert_ok(p11ca_auth_allow_any(right, P11CA_NAME_CN, &err));
    assert_ok(p11ca_auth_allow_any(wrong, P11CA_NAME_CN, &err));
    assert_ok(p11ca_auth_seal(right, &err));
    assert_ok(p11ca_auth_seal(wrong, &err));
    assert_ok(check(right, &(struct leaf){.subject = NULL}));
    assert_int_equal(check(wrong, &(struct leaf){.subject = NULL}), -1);
    assert_string_equal(err.code, "CHAIN_BAD");
    p11ca_auth_free(right);
    p11ca_auth_free(wrong);
    EVP_PKEY_free(other.key);
    issuer_free(other.issuer);
}

/* --- rules --- */

static void wildcards_are_whole_segments(void **state)
{
    static const struct {
        const char *rule, *uri;
        bool fits;
    } rows[] = {
        {"spiffe://a/ns/*/sa/web", "spiffe://a/ns/prod/sa/web", true},
        {"spiffe://a/ns/*/sa/*", "spiffe://a/ns/prod/sa/web", true},
        {"spiffe://a/*", "spiffe://a/b", true},
        {"spiffe://a/*", "spiffe://a/b/c", false},
        {"spiffe://a/*/c", "spiffe://a/b", false},
        {"spiffe://a/*", "spiffe://ab/c", false},
        {"spiffe://a/ns/*/sa/web", "spiffe://a/ns/prod/sa/webx", false},
        {"spiffe://a/ns/*/sa/web", "spiffe://a/ns/prod/x/sa/web", false},
        {"spiffe://a/ns/*/sa/web", "spiffe://a/ns/prod/sa/web/x", false},
        {"spiffe://a/w", "spiffe://a/x", false},
        {"https://a.example/*/x", "https://a.example/b/x", true},
        {"https://a.example/*", "https://a.example/b?c", false},
        {"https://a.example/*", "https://a.example/b#c", false},
        {"https://a.example/*", "https://a.example/", false},
        {"https://a.example/*", "https://b.example/x", false},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum p11ca_name_kind kind = rows[i].uri[0] == 's' ? P11CA_NAME_SPIFFE : P11CA_NAME_URI;

        if (lets_in(kind, rows[i].rule, uri_hex(rows[i].uri)) != rows[i].fits)
            fail_msg("%s %s", rows[i].rule, rows[i].uri);
    }
}

static void refuses_rules(void **state)
{
    static const struct {
        enum p11ca_name_kind kind;
        const char *text, *msg;
    } rows[] = {
        {P11CA_NAME_SPIFFE, "spiffe://a/x*",
            "rule URI: want \"*\" as a whole segment of the path only, \"**\" as its last one only"},
        {P11CA_NAME_SPIFFE, "spiffe://a/**/b",
            "rule URI: want \"*\" as a whole segment of the path only, \"**\" as its last one only"},
        {P11CA_NAME_SPIFFE, "spiffe://*/a",
            "rule URI: want \"*\" as a whole segment of the path only, \"**\" as its last one only"},
        {P11CA_NAME_URI, "*",
            "rule URI: want \"*\" as a whole segment of the path only, \"**\" as its last one only"},
        {P11CA_NAME_URI, "https://a.example/a?*",
            "rule URI: want \"*\" as a whole segment of the path only, \"**\" as its last one only"},
        {P11CA_NAME_URI, "spiffe://a/b", "rule URI: want a name of this kind, have another"},
        {P11CA_NAME_SPIFFE, "https://a/b", "rule SPIFFE: want a name of this kind, have another"},
        {P11CA_NAME_UUID, "urn:a:b", "rule UUID: want a name of this kind, have another"},
        {P11CA_NAME_DNS, "*.a.example", "rule DNS: want a name, have a wildcard, which is nobody's"},
        {P11CA_NAME_DNS, "a..b",
            "rule DNS: SAN DNS 'a..b': RFC 5280 4.2.1.6: want labels of at least one character (no dot at "
            "either end)"},
        {P11CA_NAME_CN, "", "rule CN: want a name, have an empty one"},
        {P11CA_NAME_SUBJECT, "", "rule subject: want a name, have an empty one"},
        {P11CA_NAME_SUBJECT, "svc", "rule subject: subject: RFC 4514 3: want TYPE=VALUE, at 'svc'"},
        {P11CA_NAME_OTHER, "1.2.3:#00", "rule: want a kind of name with a grammar, have another"},
        {P11CA_NAME_KINDS, "a", "rule: want a kind of name with a grammar, have another"},
    };
    AUTO_AUTH a = open_auth(P11CA_NAME_CN);
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_answer(
            p11ca_auth_allow(a, rows[i].kind, rows[i].text, &err), P11CA_CONFIG, "AUTH_CONFIG", rows[i].msg);
    assert_answer(p11ca_auth_allow(a, P11CA_NAME_CN, NULL, &err), P11CA_CONFIG, "AUTH_CONFIG",
        "authenticator: rule: want a name, have none");
}

static void refuses_what_cannot_decide(void **state)
{
    struct p11ca_auth *a = p11ca_auth_new();
    const struct spki *spki = &test_factory()->spki;

    (void)state;
    assert_answer(p11ca_auth_seal(a, &err), P11CA_CONFIG, "AUTH_CONFIG",
        "authenticator: want a trusted issuer, have none");
    assert_ok(p11ca_auth_trust_key(a, spki->der, spki->len, &err));
    assert_answer(p11ca_auth_seal(a, &err), P11CA_CONFIG, "AUTH_CONFIG",
        "authenticator: want a kind of principal, have none");
    assert_ok(p11ca_auth_principal(a, P11CA_NAME_CN, &err));
    assert_answer(p11ca_auth_seal(a, &err), P11CA_CONFIG, "AUTH_CONFIG",
        "authenticator: want CRLs, or a word that there is no revocation, have neither");
    assert_ok(p11ca_auth_no_revocation(a, &err));
    assert_answer(p11ca_auth_no_revocation(a, &err), P11CA_CONFIG, "AUTH_CONFIG",
        "authenticator: revocation: want it said once, have it twice");
    assert_ok(p11ca_auth_allow(a, P11CA_NAME_DNS, "a.example", &err));
    assert_answer(p11ca_auth_seal(a, &err), P11CA_CONFIG, "AUTH_CONFIG",
        "authenticator: rule 'DNS:a.example': want a kind that is among the principals, have another");
    assert_answer(p11ca_auth_principal(a, P11CA_NAME_CN, &err), P11CA_CONFIG, "AUTH_CONFIG",
        "authenticator: principal: want each kind once, have one twice");
    assert_answer(p11ca_auth_principal(a, P11CA_NAME_OTHER, &err), P11CA_CONFIG, "AUTH_CONFIG",
        "authenticator: principal: want a kind of name with a grammar, have another");
    assert_answer(p11ca_auth_require_key_usage(a, "signing", &err), P11CA_CONFIG, "AUTH_CONFIG",
        "authenticator: key usage: want a name like digitalSignature, have something else");
    assert_answer(p11ca_auth_require_eku(a, "clientauth", &err), P11CA_CONFIG, "AUTH_CONFIG",
        "authenticator: usages, policies: want a known name or a dotted object identifier, have something "
        "else");
    assert_ok(p11ca_auth_principal(a, P11CA_NAME_DNS, &err));
    assert_ok(p11ca_auth_seal(a, &err));
    assert_answer(p11ca_auth_allow_any(a, P11CA_NAME_CN, &err), P11CA_CONFIG, "AUTH_SEALED",
        "authenticator: want an open one, have a sealed one");
    p11ca_auth_free(a);
    p11ca_auth_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_in_who_is_named),
        cmocka_unit_test(names_of_each_kind_match_as_their_kind_does),
        cmocka_unit_test(fail_open_names_are_not_matched_by_substring),
        cmocka_unit_test(fail_open_kinds_are_not_mixed_up),
        cmocka_unit_test(fail_open_rules_are_for_their_kind),
        cmocka_unit_test(fail_open_no_rule_lets_nobody_in),
        cmocka_unit_test(fail_open_usages_are_checked),
        cmocka_unit_test(fail_open_issuers_are_not_compared_as_text),
        cmocka_unit_test(fail_open_a_name_without_a_signature_is_nothing),
        cmocka_unit_test(fail_open_what_was_seen_is_not_let_in_for_it),
        cmocka_unit_test(times),
        cmocka_unit_test(trust_by_key),
        cmocka_unit_test(policies_are_all_wanted),
        cmocka_unit_test(keys_that_are_too_weak),
        cmocka_unit_test(revocation_has_four_answers),
        cmocka_unit_test(pins_are_asked_for),
        cmocka_unit_test(chains_are_verified_again),
        cmocka_unit_test(wildcards_are_whole_segments),
        cmocka_unit_test(refuses_rules),
        cmocka_unit_test(refuses_what_cannot_decide),
    };
    int failed;

    if (!mkdtemp(dir))
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    file_remove_tree(dir);
    return test_done(failed);
}
