/* Certificates: to-be-signed bytes against goldens, every lint row, assembling, reading, issuers. */
/* EC_KEY_METHOD is how libp11 0.4 makes its keys; OpenSSL 3 calls it deprecated. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "x509_help.h"

#include <openssl/ec.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "x509/pem.h"

/* --- extension values of PROFILES 2.0 --- */

static void byte_vectors(void **state)
{
    static const struct {
        unsigned ku;
        const char *hex;
    } kus[] = {
        {USAGE_DIGITAL_SIGNATURE, "03020780"},
        {USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN, "03020106"},
        {USAGE_DIGITAL_SIGNATURE | USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN, "03020186"},
        {USAGE_DIGITAL_SIGNATURE | USAGE_KEY_ENCIPHERMENT, "030205a0"},
        {USAGE_DIGITAL_SIGNATURE | USAGE_KEY_AGREEMENT, "03020388"},
    };
    static const struct {
        bool ca;
        int pathlen;
        const char *hex;
    } bcs[] = {{false, -1, "3000"}, {true, -1, "30030101ff"}, {true, 0, "30060101ff020100"}};
    static const struct {
        unsigned eku;
        const char *hex;
    } ekus[] = {
        {EKU_CLIENT, "300a06082b06010505070302"},
        {EKU_SERVER, "300a06082b06010505070301"},
        {EKU_OCSP_SIGNING, "300a06082b06010505070309"},
        {EKU_SERVER | EKU_CLIENT, "301406082b0601050507030106082b06010505070302"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(kus) / sizeof(kus[0]); i++) {
        AUTO_BUF b = BUF_INIT;
        unsigned bits = 0;

        ext_add_ku(&b, kus[i].ku);
        assert_bytes(der_buf(&b), kus[i].hex);
        assert_int_equal(ext_read_ku(der_buf(&b), &bits), 0);
        assert_int_equal(bits, kus[i].ku);
    }
    for (i = 0; i < sizeof(bcs) / sizeof(bcs[0]); i++) {
        AUTO_BUF b = BUF_INIT;
        int pathlen;
        bool ca;

        ext_add_bc(&b, bcs[i].ca, bcs[i].pathlen);
        assert_bytes(der_buf(&b), bcs[i].hex);
        assert_int_equal(ext_read_bc(der_buf(&b), &ca, &pathlen), 0);
        assert_true(ca == bcs[i].ca && pathlen == bcs[i].pathlen);
    }
    for (i = 0; i < sizeof(ekus) / sizeof(ekus[0]); i++) {
        AUTO_BUF b = BUF_INIT;
        unsigned bits = 0;

        ext_add_eku(&b, ekus[i].eku, DER_OF(NULL, 0));
        assert_bytes(der_buf(&b), ekus[i].hex);
        assert_int_equal(ext_read_eku(der_buf(&b), &bits), 0);
        assert_int_equal(bits, ekus[i].eku);
    }
}

static void usage_in_words(void **state)
{
    char text[EXT_TEXT];

    (void)state;
    assert_string_equal(ext_ku_text(0, text), "nothing");
    assert_string_equal(
        ext_ku_text(USAGE_DIGITAL_SIGNATURE | USAGE_CRL_SIGN, text), "digitalSignature, cRLSign");
    assert_string_equal(ext_eku_text(EKU_CLIENT | EKU_OTHER, text), "clientAuth, others");
}

/* --- goldens: fixed key, serial, time; what comes out is in tests/data/x509 --- */

#define GENERATOR                                                                                            \
    "3059301306072a8648ce3d020106082a8648ce3d030107034200046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0" \
    "f4a13945d8"                                                                                             \
    "98c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"

struct golden {
    const char *file, *profile, *subject;
    bool under_issuer;
    struct {
        enum san_type type;
        const char *text;
    } sans[3];
    int64_t forever; /* not 0: notAfter, against the profile */
    const char
        *vectors[12]; /* octets that have to be in it, from the standards or known implementations of them */
};

/* What is in the certificates of many profiles. */
#define BC_CA      "0603551d130101ff040530030101ff"
#define BC_LEAF    "0603551d130101ff04023000"
#define BC_PATHLEN "0603551d130101ff0408300601"
#define KU_CA      "0603551d0f0101ff040403020106"
#define KU_LEAF    "0603551d0f0101ff040403020780"
#define EKU_LEAF   "0603551d25040c300a06082b06010505070302"
#define EKU_BOTH   "0603551d250416301406082b0601050507030106082b06010505070302"
#define AKI        "0603551d23041830168014a0"
#define FOREVER    "180f39393939313233313233353935395a"
#define VID        "31143012060a2b0601040182a27c02010c0446464631"
#define PID        "31143012060a2b0601040182a27c02020c0438303030"
#define HW         "a02406082b06010505070804a0183016060a2b0601040181fd5901010408534e303030303031"
#define FASCN      "a02706086086480165030606a01b0419d4e739da739ced39ce739d836858210842108421c84210c3eb"
#define UUID       "862d75726e3a757569643a66383164346661652d376465632d313164302d613736352d303061306339316536626636"
#define UPN        "a01e060a2b060104018237140203a0100c0e31323334353637383930406d696c"

static const struct golden goldens[] = {
    {"root-ca", "root-ca", "CN=Acme Root CA 2026,O=Acme,C=US", false, {{0}}, 0, {BC_CA, KU_CA}},
    {"intermediate-ca", "intermediate-ca", "CN=Acme Device CA,O=Acme,C=US", true, {{0}}, 0,
        {BC_PATHLEN "01ff020101", KU_CA, EKU_BOTH, AKI}},
    {"issuing-ca", "issuing-ca", "CN=Acme Factory CA 1,O=Acme,C=US", true, {{0}}, 0,
        {BC_PATHLEN "01ff020100", KU_CA, EKU_BOTH, AKI}},
    {"cross-ca", "cross-ca", "CN=Acme Root CA 2026,O=Acme,C=US", true, {{0}}, 0, {BC_CA, KU_CA, AKI}},
    {"server", "server", "CN=www.acme.example", true, {{SAN_DNS, "www.acme.example"}}, 0,
        {BC_LEAF, KU_LEAF, AKI}},
    {"client", "client", "CN=svc-1,O=Acme", true, {{SAN_URI, "spiffe://acme.example/svc-1"}}, 0,
        {BC_LEAF, KU_LEAF, EKU_LEAF, AKI}},
    {"device", "device", "CN=SN000001,serialNumber=SN000001", true, {{SAN_URI, "urn:dev:SN000001"}}, 0,
        {BC_LEAF, KU_LEAF, EKU_LEAF, AKI}},
    {"device-nameless", "device", "", true, {{SAN_URI, "urn:dev:SN000001"}}, 0, {"0603551d110101ff"}},
    {"ocsp-signer", "ocsp-signer", "CN=Acme Factory CA 1 OCSP,O=Acme,C=US", true, {{0}}, 0,
        {BC_LEAF, KU_LEAF, "06092b060105050730010504020500", "0603551d25040c300a06082b06010505070309"}},
    {"device-forever", "device", "CN=SN000001", true, {{SAN_URI, "urn:dev:SN000001"}}, DER_TIME_FOREVER,
        {FOREVER}},
    /* 802.1AR-2018 8: no expiry, serialNumber a PrintableString, HardwareModuleName, no EKU, no SKI */
    {"idevid", "idevid", "serialNumber=SN000001,CN=Sensor 3,O=Acme,C=US", true,
        {{SAN_HW, "1.3.6.1.4.1.32473.1.1:SN000001"}}, 0,
        {BC_LEAF, KU_LEAF, FOREVER, HW, AKI, "06035504051308534e303030303031"}},
    {"ldevid", "ldevid", "", true, {{SAN_HW, "1.3.6.1.4.1.32473.1.1:SN000001"}}, 0,
        {BC_LEAF, KU_LEAF, EKU_LEAF,
            "0603551d110101ff042830"
            "26" HW,
            AKI}},
    {"spiffe", "spiffe", "", true, {{SAN_URI, "spiffe://acme.example/ns/press/sa/one"}}, 0,
        {BC_LEAF, KU_LEAF, EKU_BOTH, AKI}},
    {"matter-paa", "matter-paa", "CN=Acme PAA,MatterVID=FFF1", false, {{0}}, 0,
        {BC_PATHLEN "01ff020101", KU_CA, FOREVER, VID}},
    {"matter-pai", "matter-pai", "CN=Acme PAI,MatterVID=FFF1", true, {{0}}, 0,
        {BC_PATHLEN "01ff020100", KU_CA, FOREVER, VID, AKI}},
    {"matter-dac", "matter-dac", "CN=SN000001,MatterVID=FFF1,MatterPID=8000", true, {{0}}, 0,
        {BC_LEAF, KU_LEAF, FOREVER, VID, PID, AKI, "0603551d0e04160414"}},
    {"piv-auth", "piv-auth", "CN=DOE.JANE.1234567890,O=Acme,C=US", true,
        {{SAN_FASCN, "9999-9999-999999-0-1-0000000000-3-0000-1"},
            {SAN_URI, "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"}, {SAN_UPN, "1234567890@mil"}},
        0,
        {BC_LEAF, KU_LEAF, FASCN, UUID, UPN, AKI,
            "0603551d250421301f06082b06010505070302060a2b0601040182371402020607"
            "2b060105020304",
            "0603551d2004"
            "10300e300c060a6086480165030201030d"}},
    {"user", "user", "CN=Alice Example,O=Acme", true,
        {{SAN_EMAIL, "alice@acme.example"}, {SAN_UPN, "alice@acme.example"}}, 0,
        {BC_LEAF, KU_LEAF, EKU_LEAF, AKI}},
};

/* An issuer that is not there: its name, key identifier and algorithm are all that is copied. */
static void fixed_issuer(struct issuer *issuer, struct buf *name)
{
    static const uint8_t ski[SKI_LEN] = {
        0xa0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19};

    memset(issuer, 0, sizeof(*issuer));
    assert_ok(name_from_text("CN=Acme Issuer,O=Acme,C=US", name, &err));
    issuer->subject = der_buf(name);
    memcpy(issuer->ski, ski, sizeof(ski));
    issuer->ski_len = sizeof(ski);
    issuer->not_before = TEST_NOW - 86400;
    issuer->not_after = DER_TIME_FOREVER;
    issuer->pathlen = -1;
    issuer->alg = sigalg_by_text("ecdsa-with-SHA256");
}

static void build_golden(const struct golden *g, struct buf *ret)
{
    static const uint8_t serial[SERIAL_LEN] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x08, 0x09, 0x0a,
        0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x14};
    struct cert_plan plan = {
        .profile = profile_find(g->profile), .crl_url = "http://pki.acme.example/factory.crl"};
    struct issuer issuer;
    struct spki spki;
    AUTO_BUF issuer_name = BUF_INIT;
    AUTO_BUF name = BUF_INIT;
    AUTO_BUF key = BUF_INIT;
    AUTO_SANS sans = SAN_LIST_INIT;
    size_t i;

    add_hex(&key, GENERATOR);
    assert_ok(spki_read(key.p, key.len, &spki, &err));
    assert_ok(name_from_text(g->subject, &name, &err));
    fixed_issuer(&issuer, &issuer_name);
    for (i = 0; i < 3 && g->sans[i].text; i++)
        assert_ok(san_add(&sans, g->sans[i].type, g->sans[i].text, &err));
    memcpy(plan.serial, serial, sizeof(serial));
    plan.serial_len = sizeof(serial);
    plan.subject = der_buf(&name);
    plan.spki = &spki;
    plan.sans = &sans;
    plan.issuer = g->under_issuer ? &issuer : NULL;
    assert_ok(cert_plan_validity(&plan, TEST_NOW, 0, &err));
    if (g->forever)
        plan.not_after = g->forever;
    assert_ok(tbs_build(&plan, ret, &err));
    if (!g->forever)
        assert_ok(tbs_lint(der_buf(ret), plan.profile, plan.issuer, &err));
}

static void assert_vectors(const struct golden *g, struct der tbs)
{
    static char text[2 * 8192 + 1];
    size_t i;

    assert_true(tbs.len <= 8192);
    text_hex(tbs.p, tbs.len, text);
    for (i = 0; i < 12 && g->vectors[i]; i++) {
        if (!strcasestr(text, g->vectors[i]))
            fail_msg("%s: want %s in it, have %s", g->file, g->vectors[i], text);
    }
}

/* Every built-in profile has one. */
static void profile_with_golden(const struct profile *p)
{
    size_t i;

    for (i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
        if (strcmp(goldens[i].profile, p->name) == 0)
            return;
    }
    fail_msg("profile '%s' has no golden", p->name);
}

static void to_be_signed_bytes(void **state)
{
    const struct profile *p;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
        AUTO_BUF tbs = BUF_INIT;
        AUTO_BUF want = BUF_INIT;
        AUTO_BUF path = BUF_INIT;

        buf_addf(&path, "tests/data/x509/tbs-%s.hex", goldens[i].file);
        assert_ok(file_read(buf_str(&path), 8192, &want, &err));
        buf_str(&want)[strcspn(buf_str(&want), "\n")] = '\0';
        build_golden(&goldens[i], &tbs);
        assert_vectors(&goldens[i], der_buf(&tbs));
        assert_bytes(der_buf(&tbs), (char *)want.p);
    }
    for (i = 0; (p = profile_at(i)); i++)
        profile_with_golden(p);
}

/* --- lint --- */

/* A server certificate's to-be-signed bytes, and what to change in the plan first. */
struct bench {
    struct profile profile;
    struct cert_plan plan;
    struct issuer issuer;
    struct spki spki;
    struct san_list sans;
    struct buf name, issuer_name;
};

static void bench_init(struct bench *b, const char *profile, const char *subject)
{
    memset(b, 0, sizeof(*b));
    b->profile = *profile_find(profile);
    b->spki = test_spki(test_key(KEY_P256));
    assert_ok(name_from_text(subject, &b->name, &err));
    fixed_issuer(&b->issuer, &b->issuer_name);
    b->plan.profile = &b->profile;
    b->plan.spki = &b->spki;
    b->plan.sans = &b->sans;
    b->plan.subject = der_buf(&b->name);
    b->plan.issuer = b->profile.self_signed ? NULL : &b->issuer;
    b->plan.crl_url = "http://pki.example/a.crl";
    assert_ok(serial_draw(b->plan.serial, &err));
    b->plan.serial_len = SERIAL_LEN;
    assert_ok(cert_plan_validity(&b->plan, TEST_NOW, 0, &err));
    if (b->profile.san_required)
        assert_ok(san_add(&b->sans, SAN_DNS, "a.example", &err));
}

static void bench_done(struct bench *b)
{
    buf_done(&b->name);
    buf_done(&b->issuer_name);
    san_list_done(&b->sans);
}

static void change_serial_short(struct bench *b)
{
    b->plan.serial_len = 0;
}

static void change_serial_7(struct bench *b)
{
    b->plan.serial_len = 7;
}

static void change_serial_negative(struct bench *b)
{
    b->plan.serial[0] |= 0x80;
}

static void change_serial_zero(struct bench *b)
{
    b->plan.serial[0] = 0;
    b->plan.serial[1] = 1;
}

static void change_order(struct bench *b)
{
    b->plan.not_after = b->plan.not_before - 1;
}

static void change_outlive(struct bench *b)
{
    b->issuer.not_after = b->plan.not_after - 1;
}

static void change_early(struct bench *b)
{
    b->issuer.not_before = b->plan.not_before + 1;
}

static void change_long(struct bench *b)
{
    b->plan.not_after = b->plan.not_before + INT64_C(397) * 86400;
}

static void change_no_san(struct bench *b)
{
    san_list_done(&b->sans);
}

static void change_san_kind(struct bench *b)
{
    assert_ok(san_add(&b->sans, SAN_EMAIL, "a@b.example", &err));
}

static void change_nameless(struct bench *b)
{
    b->plan.subject = BYTES("\x30\0");
}

static void change_nameless_no_san(struct bench *b)
{
    change_nameless(b);
    change_no_san(b);
}

static void change_no_cn(struct bench *b)
{
    buf_reset(&b->name);
    assert_ok(name_from_text("O=Acme", &b->name, &err));
    b->plan.subject = der_buf(&b->name);
}

static void change_cn_65(struct bench *b)
{
    static const char cn[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    buf_reset(&b->name);
    oid_add(&b->name, OID_CN);
    der_add(&b->name, DER_UTF8_STRING, cn, 65);
    der_close(&b->name, 0, DER_SEQUENCE);
    der_close(&b->name, 0, DER_SET);
    der_close(&b->name, 0, DER_SEQUENCE);
    b->plan.subject = der_buf(&b->name);
}

static void change_crl_https(struct bench *b)
{
    b->plan.crl_url = "https://pki.example/a.crl";
}

static void change_issuer_eku(struct bench *b)
{
    b->issuer.has_eku = true;
    b->issuer.eku = EKU_CLIENT;
}

static void change_issuer_pathlen(struct bench *b)
{
    b->issuer.pathlen = 0;
}

static void change_issuer_pathlen_1(struct bench *b)
{
    b->issuer.pathlen = 1;
}

static void change_dns(struct bench *b)
{
    assert_ok(san_add(&b->sans, SAN_DNS, "a.example", &err));
}

static void change_small_rsa(struct bench *b)
{
    b->spki = test_spki(test_key(KEY_RSA));
}

static const struct {
    const char *profile;
    void (*change)(struct bench *b);
    const char *code, *msg;
} plans[] = {
    {"server", change_serial_short, "LINT_SERIAL",
        "profile 'server': RFC 5280 4.1.2.2: serial: want 8 to 20 octets, have 0"},
    {"server", change_serial_7, "LINT_SERIAL",
        "profile 'server': RFC 5280 4.1.2.2: serial: want 8 to 20 octets, have 7"},
    {"server", change_serial_negative, "LINT_SERIAL_SIGN",
        "profile 'server': RFC 5280 4.1.2.2: serial: want a positive number, have a negative one"},
    {"server", change_serial_zero, "LINT_SERIAL_SIGN",
        "profile 'server': RFC 5280 4.1.2.2: serial: want no leading zero octet, have one"},
    {"server", change_order, "LINT_VALIDITY",
        "profile 'server': RFC 5280 4.1.2.5: validity: want an end after 2026-05-31T23:55:00Z, have "
        "2026-05-31T23:54:59Z"},
    {"server", change_outlive, "VALIDITY_NESTING",
        "profile 'server': RFC 5280 6.1.3: validity: want a time within the issuer's 2026-05-31T00:00:00Z to "
        "2026-08-29T23:54:58Z, have 2026-05-31T23:55:00Z to 2026-08-29T23:54:59Z"},
    {"server", change_early, "VALIDITY_NESTING",
        "profile 'server': RFC 5280 6.1.3: validity: want a time within the issuer's 2026-05-31T23:55:01Z to "
        "9999-12-31T23:59:59Z, have 2026-05-31T23:55:00Z to 2026-08-29T23:54:59Z"},
    {"server", change_long, "VALIDITY_TOO_LONG",
        "profile 'server': BR 6.3.2: validity: want at most 397 days, have 398"},
    {"server", change_no_san, "SAN_REQUIRED",
        "profile 'server': RFC 5280 4.2.1.6: SAN: want at least one name (DNS or IP), have none"},
    {"server", change_san_kind, "SAN_KIND", "profile 'server': SAN: want DNS or IP, have email:a@b.example"},
    {"server", change_nameless_no_san, "NAME_EMPTY",
        "profile 'server': RFC 5280 4.1.2.6: subject: want a name or an alternative name, have neither"},
    {"device", change_no_cn, "NAME_EMPTY",
        "profile 'device': RFC 5280 4.1.2.6: subject: want one CN, have none or more"},
    {"server", change_cn_65, "NAME_TOO_LONG",
        "profile 'server': subject: CN: RFC 5280 A.1: want at most 64 characters, have 65"},
    {"root-ca", change_nameless, "NAME_EMPTY",
        "profile 'root-ca': RFC 5280 4.1.2.6: subject: want a name, have an empty one"},
    {"server", change_crl_https, "LINT_CRL_DP",
        "profile 'server': BR 7.1.2.11.2: cRLDistributionPoints: want an http URI, have another"},
    {"server", change_issuer_eku, "LINT_ISSUER_EKU",
        "profile 'server': RFC 5280 4.2.1.12: extKeyUsage: want nothing beyond the issuer's clientAuth, have "
        "serverAuth"},
    {"issuing-ca", change_issuer_pathlen, "LINT_ISSUER_PATHLEN",
        "profile 'issuing-ca': RFC 5280 4.2.1.9: basicConstraints: want no CA below an issuer with path "
        "length 0, have "
        "one"},
    {"intermediate-ca", change_issuer_pathlen_1, "LINT_ISSUER_PATHLEN",
        "profile 'intermediate-ca': RFC 5280 4.2.1.9: basicConstraints: want a path length below the "
        "issuer's 1, have 1"},
    {"cross-ca", change_issuer_pathlen_1, "LINT_ISSUER_PATHLEN",
        "profile 'cross-ca': RFC 5280 4.2.1.9: basicConstraints: want a path length below the issuer's 1, "
        "have -1"},
    {"intermediate-ca", change_issuer_eku, "LINT_ISSUER_EKU",
        "profile 'intermediate-ca': RFC 5280 4.2.1.12: extKeyUsage: want nothing beyond the issuer's "
        "clientAuth, have serverAuth, clientAuth"},
    {"issuing-ca", change_outlive, "VALIDITY_NESTING",
        "profile 'issuing-ca': RFC 5280 6.1.3: validity: want a time within the issuer's "
        "2026-05-31T00:00:00Z to 2036-05-28T23:59:58Z, have 2026-06-01T00:00:00Z to 2036-05-28T23:59:59Z"},
    {"ocsp-signer", change_dns, "LINT_EXT_SET",
        "profile 'ocsp-signer': the profile: extensions: want only the profile's, have subjectAltName"},
    {"ocsp-signer", change_no_cn, "NAME_EMPTY",
        "profile 'ocsp-signer': RFC 5280 4.1.2.6: subject: want one CN, have none or more"},
    {"ocsp-signer", change_nameless, "NAME_EMPTY",
        "profile 'ocsp-signer': RFC 5280 4.1.2.6: subject: want a name, have an empty one"},
    {"root-ca", change_small_rsa, "KEY_TOO_SMALL",
        "profile 'root-ca': public key: SP 800-57 5.6.1: want RSA of at least 3072 bits, have 2048"},
};

static void lint_refuses_plans(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        AUTO_BUF tbs = BUF_INIT;
        struct bench b;

        bench_init(&b, plans[i].profile, "CN=a.example");
        plans[i].change(&b);
        assert_ok(tbs_build(&b.plan, &tbs, &err));
        assert_refused(tbs_lint(der_buf(&tbs), profile_find(plans[i].profile), b.plan.issuer, &err),
            plans[i].code, plans[i].msg);
        bench_done(&b);
    }
}

/* The bytes of one profile judged by another: what an error in tbs_build() would look like. */
static void lint_refuses_other_profiles(void **state)
{
    static const struct {
        const char *built, *judged, *code, *msg;
    } rows[] = {
        {"server", "client", "LINT_EKU",
            "profile 'client': RFC 5280 4.2.1.12: extKeyUsage: want clientAuth, have serverAuth"},
        {"client", "server", "LINT_EKU",
            "profile 'server': RFC 5280 4.2.1.12: extKeyUsage: want serverAuth, have clientAuth"},
        {"issuing-ca", "root-ca", "LINT_EXT_SET",
            "profile 'root-ca': the profile: extensions: want only the profile's, have extKeyUsage"},
        {"cross-ca", "root-ca", "LINT_EXT_SET",
            "profile 'root-ca': the profile: extensions: want only the profile's, have "
            "cRLDistributionPoints"},
        {"ocsp-signer", "server", "LINT_EXT_SET",
            "profile 'server': the profile: extensions: want only the profile's, have ocsp-nocheck"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct profile judged = *profile_find(rows[i].judged);
        AUTO_BUF tbs = BUF_INIT;
        struct bench b;

        judged.days_max = 10000;
        judged.san_required = false;
        bench_init(&b, rows[i].built, "CN=a.example");
        assert_ok(tbs_build(&b.plan, &tbs, &err));
        assert_refused(tbs_lint(der_buf(&tbs), &judged, b.plan.issuer, &err), rows[i].code, rows[i].msg);
        bench_done(&b);
    }
}

static void change_ca(struct profile *p)
{
    p->is_ca = true;
}

static void change_pathlen(struct profile *p)
{
    p->pathlen = 3;
}

static void change_cert_sign(struct profile *p)
{
    p->key_usage |= USAGE_KEY_CERT_SIGN;
}

static void change_encipher(struct profile *p)
{
    p->key_usage |= USAGE_KEY_ENCIPHERMENT;
}

static void change_ca_usage(struct profile *p)
{
    p->key_usage = USAGE_CRL_SIGN;
}

static void change_ca_no_crl(struct profile *p)
{
    p->key_usage = USAGE_KEY_CERT_SIGN;
}

static void change_ca_signature(struct profile *p)
{
    p->key_usage |= USAGE_DIGITAL_SIGNATURE;
}

static void change_no_ski(struct profile *p)
{
    p->ski = false;
}

static void change_no_nocheck(struct profile *p)
{
    p->ocsp_nocheck = false;
}

static void change_eku_both(struct profile *p)
{
    p->eku |= EKU_CLIENT;
}

static void lint_refuses_extensions(void **state)
{
    static const struct {
        const char *profile;
        void (*change)(struct profile *p);
        const char *code, *msg;
    } rows[] = {
        {"server", change_ca, "LINT_BC",
            "profile 'server': RFC 5280 4.2.1.9: basicConstraints: want cA FALSE, have TRUE"},
        {"server", change_pathlen, "LINT_BC",
            "profile 'server': RFC 5280 4.2.1.9: basicConstraints: want path length -1, have 3 (-1: none)"},
        {"server", change_cert_sign, "LINT_CERT_SIGN",
            "profile 'server': RFC 5280 4.2.1.3: keyUsage: want keyCertSign only with cA TRUE, have it "
            "without"},
        {"server", change_encipher, "LINT_KU",
            "profile 'server': RFC 5280 4.2.1.3: keyUsage: want digitalSignature, have digitalSignature, "
            "keyEncipherment"},
        {"issuing-ca", change_pathlen, "LINT_BC",
            "profile 'issuing-ca': RFC 5280 4.2.1.9: basicConstraints: want path length 0, have 3 (-1: "
            "none)"},
        {"root-ca", change_ca_usage, "LINT_CA_SIGN",
            "profile 'root-ca': RFC 5280 4.2.1.3: keyUsage: want keyCertSign with cA TRUE, have a keyUsage "
            "without"},
        {"issuing-ca", change_ca_no_crl, "LINT_KU",
            "profile 'issuing-ca': RFC 5280 4.2.1.3: keyUsage: want keyCertSign, cRLSign, have keyCertSign"},
        {"root-ca", change_ca_signature, "LINT_KU",
            "profile 'root-ca': RFC 5280 4.2.1.3: keyUsage: want keyCertSign, cRLSign, have "
            "digitalSignature, keyCertSign, cRLSign"},
        {"issuing-ca", change_no_ski, "LINT_CA_SKI",
            "profile 'issuing-ca': RFC 5280 4.2.1.2: subjectKeyIdentifier: want it in a CA certificate, have "
            "none"},
        {"ocsp-signer", change_no_nocheck, "LINT_OCSP_NOCHECK",
            "profile 'ocsp-signer': RFC 6960 4.2.2.2.1: ocsp-nocheck: want it, have none"},
        {"ocsp-signer", change_eku_both, "LINT_EKU",
            "profile 'ocsp-signer': RFC 5280 4.2.1.12: extKeyUsage: want OCSPSigning, have clientAuth, "
            "OCSPSigning"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF tbs = BUF_INIT;
        struct bench b;

        bench_init(&b, rows[i].profile, "CN=a.example");
        rows[i].change(&b.profile);
        assert_ok(tbs_build(&b.plan, &tbs, &err));
        assert_refused(tbs_lint(der_buf(&tbs), profile_find(rows[i].profile), b.plan.issuer, &err),
            rows[i].code, rows[i].msg);
        bench_done(&b);
    }
}

static void change_ca_ocsp(struct profile *p)
{
    p->eku |= EKU_OCSP_SIGNING;
}

/* A row that was changed is judged as it is now: what it says must still make a certificate. */
static void lint_refuses_changed_profiles(void **state)
{
    static const struct {
        const char *profile;
        void (*change)(struct profile *p);
        const char *code, *msg;
    } rows[] = {
        {"issuing-ca", change_ca_usage, "LINT_CA_SIGN",
            "profile 'issuing-ca': RFC 5280 4.2.1.3: keyUsage: want keyCertSign with cA TRUE, have a "
            "keyUsage without"},
        {"issuing-ca", change_pathlen, "LINT_ISSUER_PATHLEN",
            "profile 'issuing-ca': RFC 5280 4.2.1.9: basicConstraints: want a path length below the "
            "issuer's 1, have 3"},
        {"issuing-ca", change_ca_ocsp, "LINT_ISSUER_EKU",
            "profile 'issuing-ca': RFC 5280 4.2.1.12: extKeyUsage: want nothing beyond the issuer's "
            "serverAuth, clientAuth, have serverAuth, clientAuth, OCSPSigning"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF tbs = BUF_INIT;
        struct bench b;

        bench_init(&b, rows[i].profile, "CN=a.example");
        rows[i].change(&b.profile);
        b.issuer.pathlen = 1;
        b.issuer.has_eku = true;
        b.issuer.eku = EKU_SERVER | EKU_CLIENT;
        assert_ok(tbs_build(&b.plan, &tbs, &err));
        assert_refused(tbs_lint(der_buf(&tbs), &b.profile, b.plan.issuer, &err), rows[i].code, rows[i].msg);
        bench_done(&b);
    }
}

/* Extension by extension: value in hex, NULL where it must not be. The issuer's key identifier is a0 01 ... 13. */
#define CA_KU      "03020106"
#define BOTH_EKUS  "301406082b0601050507030106082b06010505070302"
#define ISSUER_AKI "30168014a00102030405060708090a0b0c0d0e0f10111213"
#define CRL_DP     "3020301ea01ca01a8618687474703a2f2f706b692e6578616d706c652f612e63726c"
#define BY_KEY     "?" /* made of the subject's key */

static const struct {
    enum oid oid;
    bool critical;
    const char *root, *intermediate, *issuing, *cross, *ocsp;
} contents[] = {
    {OID_BASIC_CONSTRAINTS, true, "30030101ff", "30060101ff020101", "30060101ff020100", "30030101ff", "3000"},
    {OID_KEY_USAGE, true, CA_KU, CA_KU, CA_KU, CA_KU, "03020780"},
    {OID_EXT_KEY_USAGE, false, NULL, BOTH_EKUS, BOTH_EKUS, NULL, "300a06082b06010505070309"},
    {OID_SAN, false, NULL, NULL, NULL, NULL, NULL},
    {OID_SKI, false, BY_KEY, BY_KEY, BY_KEY, BY_KEY, NULL},
    {OID_AKI, false, BY_KEY, ISSUER_AKI, ISSUER_AKI, ISSUER_AKI, ISSUER_AKI},
    {OID_CRL_DP, false, NULL, CRL_DP, CRL_DP, CRL_DP, NULL},
    {OID_OCSP_NOCHECK, false, NULL, NULL, NULL, NULL, "0500"},
};

static void has_extension(const struct tbs *t, enum oid oid, bool critical, const char *hex)
{
    const struct cert_ext *ext = tbs_ext(t, oid);

    if (!hex) {
        assert_null(ext);
        return;
    }
    assert_non_null(ext);
    assert_int_equal(ext->critical, critical);
    if (strcmp(hex, BY_KEY) != 0)
        assert_bytes(ext->value, hex);
}

static void profiles_hold_what_they_must(void **state)
{
    static const char *const names[] = {
        "root-ca", "intermediate-ca", "issuing-ca", "cross-ca", "ocsp-signer"};
    size_t i, k;

    (void)state;
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        AUTO_BUF tbs = BUF_INIT;
        struct bench b;
        struct tbs t;

        bench_init(&b, names[i], "CN=A");
        assert_ok(tbs_build(&b.plan, &tbs, &err));
        assert_ok(tbs_lint(der_buf(&tbs), b.plan.profile, b.plan.issuer, &err));
        assert_ok(tbs_read(der_buf(&tbs), &t, &err));
        for (k = 0; k < sizeof(contents) / sizeof(contents[0]); k++) {
            const char *const hex[] = {contents[k].root, contents[k].intermediate, contents[k].issuing,
                contents[k].cross, contents[k].ocsp};

            has_extension(&t, contents[k].oid, contents[k].critical, hex[i]);
        }
        bench_done(&b);
    }
}

/* RFC 5280 4.2.1.1, BR 7.1.2.11.1: the key identifier alone, the one of the certificate above; 20 octets. */
static void key_identifiers_chain(void **state)
{
    const struct test_ca *const cas[] = {test_root(), test_factory()};
    struct cert_facts facts[2];
    struct cert certs[2];
    char aki[2 * 24 + 1], want[2 * 24 + 1] = "30168014";
    size_t i;

    (void)state;
    for (i = 0; i < 2; i++) {
        struct der der = der_buf(&cas[i]->issuer->cert);

        certs[i] = (struct cert)CERT_INIT;
        assert_ok(cert_read(der.p, der.len, &certs[i], &err));
        assert_ok(tbs_facts(&certs[i].t, &facts[i], &err));
        assert_int_equal(facts[i].ski.len, 20);
    }
    assert_true(der_equal(facts[0].aki, facts[0].ski));
    assert_true(der_equal(facts[1].aki, facts[0].ski));
    assert_false(der_equal(facts[1].ski, facts[0].ski));
    text_hex(facts[0].ski.p, 20, want + 8);
    assert_int_equal(tbs_ext(&certs[1].t, OID_AKI)->value.len, 24);
    text_hex(tbs_ext(&certs[1].t, OID_AKI)->value.p, 24, aki);
    assert_string_equal(aki, want);
    for (i = 0; i < 2; i++)
        cert_done(&certs[i]);
}

/* Without a crl-url there is no distribution point, and nothing is missed. */
static void no_crl_url_no_distribution_point(void **state)
{
    AUTO_BUF tbs = BUF_INIT;
    struct bench b;
    struct tbs t;

    (void)state;
    bench_init(&b, "issuing-ca", "CN=A");
    b.plan.crl_url = NULL;
    assert_ok(tbs_build(&b.plan, &tbs, &err));
    assert_ok(tbs_lint(der_buf(&tbs), b.plan.profile, b.plan.issuer, &err));
    assert_ok(tbs_read(der_buf(&tbs), &t, &err));
    assert_null(tbs_ext(&t, OID_CRL_DP));
    bench_done(&b);
}

/* --- hand-altered bytes --- */

/* Replaces the one occurrence of a hex string in the bytes. */
static void replace(struct buf *b, const char *from, const char *to)
{
    AUTO_BUF f = BUF_INIT;
    AUTO_BUF t = BUF_INIT;
    uint8_t *at;

    add_hex(&f, from);
    add_hex(&t, to);
    assert_int_equal(f.len, t.len);
    at = memmem(b->p, b->len, f.p, f.len);
    assert_non_null(at);
    memcpy(at, t.p, t.len);
}

static void lint_refuses_bytes(void **state)
{
    static const struct {
        const char *from, *to, *code, *msg;
    } rows[] = {
        {"a003020102", "a003020101", "LINT_VERSION",
            "profile 'server': RFC 5280 4.1.2.1: version: want v3, have v2"},
        {"300a06082a8648ce3d040302", "300a06082a8648ce3d040303", "LINT_ALG",
            "profile 'server': RFC 5280 4.1.2.3: signature: want the issuer's ecdsa-with-SHA256, have "
            "ecdsa-with-SHA384"},
        {"0c0b41636d6520497373756572", "0c0b41636d6520497373756573", "LINT_ISSUER",
            "profile 'server': RFC 5280 4.1.2.4: issuer: want the subject of the issuer's certificate, byte "
            "for byte, have "
            "another name"},
        {"0603551d23", "0603551d1f", "LINT_EXT_TWICE",
            "profile 'server': RFC 5280 4.2: extensions: want each once, have cRLDistributionPoints twice"},
        {"0603551d1f", "0603551d20", "LINT_EXT_SET",
            "profile 'server': the profile: extensions: want only the profile's, have certificatePolicies"},
        {"8014a001", "8014a101", "LINT_AKI",
            "profile 'server': RFC 5280 4.2.1.1: authorityKeyIdentifier: want the issuer's key identifier, "
            "have another"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF tbs = BUF_INIT;
        struct bench b;

        bench_init(&b, "server", "CN=a.example");
        assert_ok(tbs_build(&b.plan, &tbs, &err));
        replace(&tbs, rows[i].from, rows[i].to);
        assert_refused(
            tbs_lint(der_buf(&tbs), b.plan.profile, b.plan.issuer, &err), rows[i].code, rows[i].msg);
        bench_done(&b);
    }
}

/* Extension { nocheck, value 0500 } and what it must not become. */
static void lint_refuses_nocheck(void **state)
{
    static const struct {
        const char *to, *msg;
    } rows[] = {
        {"06092b060105050730010504020101",
            "profile 'ocsp-signer': RFC 6960 4.2.2.2.1: ocsp-nocheck: want the value 0500, have another"},
        {"06092b060105050730010404020500",
            "profile 'ocsp-signer': the profile: extensions: want only the profile's, have "
            "1.3.6.1.5.5.7.48.1.4"},
    };
    struct profile p = *profile_find("ocsp-signer");
    AUTO_BUF tbs = BUF_INIT;
    struct bench b;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bench_init(&b, "ocsp-signer", "CN=A");
        buf_reset(&tbs);
        assert_ok(tbs_build(&b.plan, &tbs, &err));
        replace(&tbs, "06092b060105050730010504020500", rows[i].to);
        assert_refused(tbs_lint(der_buf(&tbs), &p, b.plan.issuer, &err),
            i == 0 ? "LINT_NOCHECK_VALUE" : "LINT_EXT_SET", rows[i].msg);
        bench_done(&b);
    }
}

static void nocheck_is_not_critical(void **state)
{
    static const char critical[] =
        "\x30\x12\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x05\x01\x01\xff\x04\x02\x05\x00";
    AUTO_BUF tbs = BUF_INIT;
    struct bench b;
    uint8_t *at;

    (void)state;
    bench_init(&b, "ocsp-signer", "CN=A");
    assert_ok(tbs_build(&b.plan, &tbs, &err));
    /* It is the last extension: three octets more in all that is around it. */
    assert_memory_equal(tbs.p + tbs.len - 17, "\x30\x0f\x06\x09", 4);
    at = memmem(tbs.p, tbs.len, "\xa3\x67\x30\x65", 4);
    assert_true(at && tbs.p[1] == 0x82);
    tbs.p[3] = (uint8_t)(tbs.p[3] + 3);
    at[1] = (uint8_t)(at[1] + 3);
    at[3] = (uint8_t)(at[3] + 3);
    tbs.len -= 17;
    buf_add(&tbs, critical, sizeof(critical) - 1);
    assert_refused(tbs_lint(der_buf(&tbs), b.plan.profile, b.plan.issuer, &err), "LINT_CRITICAL",
        "profile 'ocsp-signer': RFC 5280 4.2.1: extensions: want ocsp-nocheck not critical, have it "
        "critical");
    bench_done(&b);
}

/* In any certificate, ours or not. */
static void no_rev_avail_is_not_critical(void **state)
{
    AUTO_BUF tbs = BUF_INIT;
    struct bench b;

    (void)state;
    bench_init(&b, "ocsp-signer", "CN=A");
    assert_ok(tbs_build(&b.plan, &tbs, &err));
    replace(&tbs, "06092b060105050730010504020500", "0603551d380101ff04050403616263");
    assert_refused(tbs_lint(der_buf(&tbs), NULL, b.plan.issuer, &err), "LINT_CRITICAL",
        "RFC 5280 4.2.1: extensions: want noRevAvail not critical, have it critical");
    bench_done(&b);
}

static void refuses_what_is_no_tbs(void **state)
{
    static const struct {
        const char *from, *to, *code, *msg;
    } rows[] = {
        {"a003020102", "a003020100", "CERT_SYNTAX",
            "certificate: RFC 5280 4.1.2.1: version: want v1 (left out), v2 or v3, have something else"},
        {"170d323630353331", "170d323630353332", "CERT_SYNTAX",
            "certificate: RFC 5280 4.1.2.5: validity: want two times with seconds and Z, have something "
            "else"},
        {"0603551d0f0101ff", "0603551d0f010100", "CERT_SYNTAX",
            "certificate: RFC 5280 4.2: want extensions, critical only when TRUE, have something else"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF tbs = BUF_INIT;
        struct bench b;

        bench_init(&b, "server", "CN=a.example");
        assert_ok(tbs_build(&b.plan, &tbs, &err));
        replace(&tbs, rows[i].from, rows[i].to);
        assert_refused(
            tbs_lint(der_buf(&tbs), b.plan.profile, b.plan.issuer, &err), rows[i].code, rows[i].msg);
        bench_done(&b);
    }
}

static void san_critical_beside_an_empty_subject(void **state)
{
    AUTO_BUF tbs = BUF_INIT;
    const struct cert_ext *ext;
    struct bench b;
    struct tbs t;

    (void)state;
    bench_init(&b, "device", "");
    assert_ok(tbs_build(&b.plan, &tbs, &err));
    assert_ok(tbs_lint(der_buf(&tbs), b.plan.profile, b.plan.issuer, &err));
    assert_ok(tbs_read(der_buf(&tbs), &t, &err));
    ext = tbs_ext(&t, OID_SAN);
    assert_true(ext && ext->critical);
    bench_done(&b);
}

static void count(void *arg, const struct p11ca_err *finding)
{
    struct buf *b = arg;

    buf_addf(b, "%s\n", finding->code);
}

static void lint_tells_everything(void **state)
{
    AUTO_BUF codes = BUF_INIT;
    AUTO_BUF tbs = BUF_INIT;
    struct bench b;

    (void)state;
    bench_init(&b, "server", "CN=a.example");
    change_serial_7(&b);
    change_long(&b);
    change_issuer_eku(&b);
    assert_ok(tbs_build(&b.plan, &tbs, &err));
    assert_int_equal(tbs_lint_each(der_buf(&tbs), b.plan.profile, b.plan.issuer, count, &codes, &err), 3);
    assert_string_equal(buf_str(&codes), "LINT_SERIAL\nVALIDITY_TOO_LONG\nLINT_ISSUER_EKU\n");
    /* without a profile and an issuer, of a certificate from anywhere */
    assert_int_equal(tbs_lint_each(der_buf(&tbs), NULL, NULL, count, &codes, &err), 0);
    bench_done(&b);
}

/* --- validity --- */

static void validity(void **state)
{
    struct cert_plan plan = {.profile = profile_find("server"), .issuer = test_factory()->issuer};
    struct issuer short_lived = *test_factory()->issuer;

    (void)state;
    /* the issuer is younger than the 300 seconds a leaf is dated back */
    assert_ok(cert_plan_validity(&plan, TEST_NOW, 0, &err));
    assert_true(plan.not_before == TEST_NOW);
    assert_ok(cert_plan_validity(&plan, TEST_NOW + 1000, 1, &err));
    assert_true(plan.not_before == TEST_NOW + 700 && plan.not_after == TEST_NOW + 700 + 86399);
    assert_refused(cert_plan_validity(&plan, TEST_NOW, 398, &err), "VALIDITY_TOO_LONG",
        "profile 'server': validity: want at most 397 days, have 398");
    assert_refused(cert_plan_validity(&plan, TEST_NOW - 1, 0, &err), "CLOCK",
        "clock: want a time in the issuer's validity, from 2026-06-01T00:00:00Z, have 2026-05-31T23:59:59Z");
    short_lived.not_after = TEST_NOW + 86400;
    plan.issuer = &short_lived;
    assert_refused(cert_plan_validity(&plan, TEST_NOW, 0, &err), "VALIDITY_NESTING",
        "profile 'server': RFC 5280 6.1.3: validity: want an end within the issuer's, 2026-06-02T00:00:00Z, "
        "have "
        "2026-08-29T23:54:59Z");
}

/* --- profiles --- */

static void built_in_profiles_make_sense(void **state)
{
    const struct profile *p;
    size_t i;

    (void)state;
    for (i = 0; (p = profile_at(i)); i++) {
        assert_ok(profile_check(p, &err));
        assert_ptr_equal(profile_find(p->name), p);
    }
    assert_int_equal(i, 16);
    assert_null(profile_find("tls-server"));
}

static void profile_refusals(void **state)
{
    const struct profile *server = profile_find("server"), *client = profile_find("client");
    struct profile own = *server;
    struct spki rsa = test_spki(test_key(KEY_RSA)), p384 = test_spki(test_key(KEY_P384));
    AUTO_SANS sans = SAN_LIST_INIT;

    (void)state;
    assert_ok(profile_check_key(server, &rsa, &err));
    assert_refused(profile_check_key(profile_find("root-ca"), &rsa, &err), "KEY_TOO_SMALL",
        "profile 'root-ca': public key: SP 800-57 5.6.1: want RSA of at least 3072 bits, have 2048");
    own.keys = KEY_BIT(KEY_P256);
    assert_refused(profile_check_key(&own, &p384, &err), "KEY_CURVE",
        "profile 'server': public key: want a kind of key it allows, have EC P-384");
    assert_refused(profile_check_key(&own, &rsa, &err), "KEY_TYPE",
        "profile 'server': public key: want a kind of key it allows, have RSA 2048");
    assert_refused(profile_check_sans(client, &sans, &err), "SAN_REQUIRED",
        "profile 'client': RFC 5280 4.2.1.6: SAN: want at least one name (DNS or URI or email), have none");
    assert_ok(san_add(&sans, SAN_IP, "192.0.2.1", &err));
    assert_refused(profile_check_sans(client, &sans, &err), "SAN_KIND",
        "profile 'client': SAN: want DNS or URI or email, have IP:192.0.2.1");
    assert_refused(profile_check_subject(server, BYTES("\x30\0"), NULL, &err), "NAME_EMPTY",
        "profile 'server': RFC 5280 4.1.2.6: subject: want a name or an alternative name, have neither");
}

static void change_leaf_pathlen(struct profile *p)
{
    p->pathlen = 0;
}

static void change_pathlen_negative(struct profile *p)
{
    p->pathlen = -2;
}

static void change_no_usage(struct profile *p)
{
    p->key_usage = 0;
}

static void change_eku_server(struct profile *p)
{
    p->eku = EKU_SERVER;
}

static void change_eku_ocsp(struct profile *p)
{
    p->eku = EKU_OCSP_SIGNING;
}

static void change_cross(struct profile *p)
{
    p->cross = true;
}

static void change_nocheck(struct profile *p)
{
    p->ocsp_nocheck = true;
}

static void profile_rows_without_sense(void **state)
{
    static const struct {
        const char *profile;
        void (*change)(struct profile *p);
        const char *msg;
    } rows[] = {
        {"server", change_cert_sign,
            "profile 'server': RFC 5280 4.2.1.9: want keyCertSign, cRLSign and a path length only with a CA"},
        {"server", change_leaf_pathlen,
            "profile 'server': RFC 5280 4.2.1.9: want keyCertSign, cRLSign and a path length only with a CA"},
        {"issuing-ca", change_ca_usage, "profile 'issuing-ca': RFC 5280 4.2.1.3: want keyCertSign with a CA"},
        {"issuing-ca", change_pathlen_negative,
            "profile 'issuing-ca': RFC 5280 4.2.1.9: want a path length from 0, or none"},
        {"client", change_no_usage, "profile 'client': RFC 5280 4.2.1.3: want at least one key usage"},
        {"issuing-ca", change_no_ski,
            "profile 'issuing-ca': RFC 5280 4.1.2.6: want a CA with a subject and a subjectKeyIdentifier"},
        {"root-ca", change_eku_server,
            "profile 'root-ca': BR 7.1.2.1: want no extended key usage with a root"},
        {"issuing-ca", change_eku_ocsp,
            "profile 'issuing-ca': BR 7.1.2.10.6: want OCSPSigning only without cA"},
        {"server", change_cross,
            "profile 'server': RFC 5280 3.2: want a cross-certificate only for a CA, by another"},
        {"root-ca", change_cross,
            "profile 'root-ca': RFC 5280 3.2: want a cross-certificate only for a CA, by another"},
        {"server", change_nocheck,
            "profile 'server': RFC 6960 4.2.2.2.1: want ocsp-nocheck only with OCSPSigning and nothing else"},
        {"ocsp-signer", change_eku_both,
            "profile 'ocsp-signer': RFC 6960 4.2.2.2.1: want ocsp-nocheck only with OCSPSigning and nothing "
            "else"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct profile own = *profile_find(rows[i].profile);

        rows[i].change(&own);
        assert_int_equal(profile_check(&own, &err), -1);
        assert_string_equal(err.msg, rows[i].msg);
        assert_string_equal(err.code, "PROFILE");
        assert_int_equal(err.kind, P11CA_CONFIG);
    }
}

/* --- whole certificates --- */

static void sign_leaf(struct buf *ret)
{
    struct cert_plan plan = test_plan("server", test_factory()->issuer);
    struct spki spki = test_spki(test_key(KEY_P256));
    AUTO_BUF name = BUF_INIT;
    AUTO_SANS sans = SAN_LIST_INIT;

    assert_ok(name_from_text("CN=a.example", &name, &err));
    assert_ok(san_add(&sans, SAN_DNS, "a.example", &err));
    plan.subject = der_buf(&name);
    plan.spki = &spki;
    plan.sans = &sans;
    plan_sign(&plan, test_factory()->key, ret);
}

static void read_back(void **state)
{
    const struct issuer *issuer = test_factory()->issuer;
    struct cert_facts facts;
    AUTO_BUF der = BUF_INIT;
    AUTO_CERT cert = CERT_INIT;

    (void)state;
    sign_leaf(&der);
    assert_ok(cert_read(der.p, der.len, &cert, &err));
    assert_ok(tbs_lint(cert.tbs, profile_find("server"), issuer, &err));
    assert_ok(cert_verify(&cert, issuer->pub, issuer->alg, &err));
    assert_ok(tbs_facts(&cert.t, &facts, &err));
    assert_int_equal(facts.key_usage, USAGE_DIGITAL_SIGNATURE);
    assert_int_equal(facts.eku, EKU_SERVER);
    assert_false(cert_is_ca(&cert));
    assert_false(cert_is_self_issued(&cert));
    assert_int_equal(cert_verify(&cert, test_root()->issuer->pub, issuer->alg, &err), -1);
    assert_string_equal(
        err.msg, "certificate: signature: want one by this key with ecdsa-with-SHA256, have another");
    assert_string_equal(err.code, "SIGNATURE_BAD");
    assert_int_equal(err.kind, P11CA_NEGATIVE);
    assert_int_equal(cert_verify(&cert, issuer->pub, sigalg_by_text("ecdsa-with-SHA384"), &err), -1);
    assert_string_equal(err.msg, "certificate: signature: want ecdsa-with-SHA384, have ecdsa-with-SHA256");
}

static void refuses_damaged(void **state)
{
    AUTO_BUF der = BUF_INIT;
    AUTO_CERT cert = CERT_INIT;
    static const uint8_t ecdsa_sha256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
    uint8_t *last_alg = NULL, *at;

    (void)state;
    sign_leaf(&der);
    for (at = der.p; (at = memmem(at, (size_t)(der.p + der.len - at), ecdsa_sha256, sizeof(ecdsa_sha256)));
         at++)
        last_alg = at + sizeof(ecdsa_sha256) - 3;
    assert_non_null(last_alg);
    last_alg[2] = 3;
    assert_refused(cert_read(der.p, der.len, &cert, &err), "CERT_ALG_MISMATCH",
        "certificate: RFC 5280 4.1.1.2: signatureAlgorithm: want what the signed part says, have another");
}

static void survives_damage(void **state)
{
    AUTO_BUF der = BUF_INIT;
    size_t i, k;

    (void)state;
    sign_leaf(&der);
    for (i = 0; i < der.len; i++) {
        uint8_t *copy = malloc(der.len);

        assert_non_null(copy);
        memcpy(copy, der.p, der.len);
        for (k = 1; k < 256; k = k * 2 + 1) {
            AUTO_CERT cert = CERT_INIT;
            AUTO_BUF codes = BUF_INIT;

            copy[i] = (uint8_t)(der.p[i] ^ k);
            if (cert_read(copy, der.len, &cert, &err) == 0) {
                (void)!tbs_lint_each(cert.tbs, NULL, test_factory()->issuer, count, &codes, &err);
                assert_int_equal(
                    cert_verify(&cert, test_factory()->issuer->pub, test_factory()->issuer->alg, &err), -1);
            }
        }
        free(copy);
    }
}

/* RFC 8705 appendix A: an X.509 v1 certificate. */
static void reads_v1(void **state)
{
    static const char pem[] = "-----BEGIN CERTIFICATE-----\n"
                              "MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAx\n"
                              "ODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqG\n"
                              "SM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ\n"
                              "/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwID\n"
                              "SQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOV\n"
                              "bUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=\n"
                              "-----END CERTIFICATE-----\n";
    AUTO_CERT cert = CERT_INIT;
    AUTO_BUF codes = BUF_INIT;
    struct issuer *issuer = NULL;

    (void)state;
    assert_ok(cert_read((const uint8_t *)pem, strlen(pem), &cert, &err));
    assert_int_equal(cert.t.version, 1);
    assert_int_equal(cert.t.n_exts, 0);
    assert_int_equal(tbs_lint_each(cert.tbs, NULL, NULL, count, &codes, &err), 1);
    assert_string_equal(buf_str(&codes), "LINT_VERSION\n");
    assert_refused(issuer_read((const uint8_t *)pem, strlen(pem), &issuer, &err), "ISSUER_BAD",
        "issuer's certificate: RFC 5280 4.2.1.9: want basicConstraints cA TRUE, have an end entity");
}

static void issuers(void **state)
{
    const struct issuer *root = test_root()->issuer, *factory = test_factory()->issuer;

    (void)state;
    assert_true(root->self_signed && root->pathlen == -1 && !root->has_eku);
    assert_true(!factory->self_signed && factory->pathlen == 0);
    assert_int_equal(factory->eku, EKU_SERVER | EKU_CLIENT);
    assert_int_equal(factory->ski_len, SKI_LEN);
    assert_string_equal(factory->alg->text, "ecdsa-with-SHA256");
}

/* --- a delegated OCSP responder, as OpenSSL judges it --- */

static X509 *to_x509(struct der der)
{
    const uint8_t *p = der.p;
    X509 *x = d2i_X509(NULL, &p, (long)der.len);

    assert_non_null(x);
    return x;
}

static void sign_responder(struct buf *ret)
{
    struct cert_plan plan = test_plan("ocsp-signer", test_factory()->issuer);
    struct spki spki = test_spki(test_key(KEY_P256));
    AUTO_BUF name = BUF_INIT;
    AUTO_BUF tbs = BUF_INIT;

    assert_ok(name_from_text("CN=Acme OCSP 1", &name, &err));
    plan.subject = der_buf(&name);
    plan.spki = &spki;
    assert_ok(tbs_build(&plan, &tbs, &err));
    assert_ok(tbs_lint(der_buf(&tbs), plan.profile, plan.issuer, &err));
    plan_sign(&plan, test_factory()->key, ret);
}

/* The factory CA has serverAuth and clientAuth only; its responder answers for it all the same. */
static void openssl_takes_the_responder(void **state)
{
    SCOPED(x509) X509 *root = to_x509(der_buf(&test_root()->issuer->cert));
    SCOPED(x509) X509 *factory = to_x509(der_buf(&test_factory()->issuer->cert));
    SCOPED(x509) X509 *responder = NULL;
    SCOPED(x509_store) X509_STORE *store = X509_STORE_new();
    SCOPED(x509_stack) STACK_OF(X509) *extra = sk_X509_new_null();
    OCSP_BASICRESP *answer = OCSP_BASICRESP_new();
    OCSP_CERTID *id = NULL;
    ASN1_TIME *now = ASN1_TIME_set(NULL, TEST_NOW);
    AUTO_BUF der = BUF_INIT;

    (void)state;
    sign_responder(&der);
    responder = to_x509(der_buf(&der));
    /* about a certificate of the factory CA, its own as well as any */
    id = OCSP_cert_to_id(EVP_sha256(), responder, factory);
    assert_non_null(OCSP_basic_add1_status(answer, id, V_OCSP_CERTSTATUS_GOOD, 0, NULL, now, NULL));
    assert_int_equal(
        OCSP_basic_sign(answer, responder, test_key(KEY_P256), EVP_sha256(), NULL, OCSP_NOTIME), 1);
    assert_int_equal(X509_STORE_add_cert(store, root), 1);
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), TEST_NOW + 1);
    assert_int_equal(X509_STORE_set_flags(store, X509_V_FLAG_X509_STRICT), 1);
    X509_up_ref(factory);
    assert_true(sk_X509_push(extra, factory) > 0);
    assert_int_equal(OCSP_basic_verify(answer, extra, store, 0), 1);
    ASN1_TIME_free(now);
    OCSP_CERTID_free(id);
    OCSP_BASICRESP_free(answer);
}

/* --- keys whose signing happens elsewhere, as libp11 makes them --- */

static int signed_elsewhere;

static ECDSA_SIG *sign_elsewhere(
    const unsigned char *digest, int len, const BIGNUM *kinv, const BIGNUM *r, EC_KEY *key)
{
    ECDSA_SIG *(*sign_sig)(const unsigned char *, int, const BIGNUM *, const BIGNUM *, EC_KEY *) = NULL;

    signed_elsewhere++;
    EC_KEY_METHOD_get_sign(EC_KEY_OpenSSL(), NULL, NULL, &sign_sig);
    return sign_sig(digest, len, kinv, r, key);
}

static void signs_with_a_foreign_method(void **state)
{
    EC_KEY_METHOD *method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
    EC_KEY *ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    int (*sign)(int, const unsigned char *, int, unsigned char *, unsigned int *, const BIGNUM *,
        const BIGNUM *, EC_KEY *) = NULL;
    SCOPED(pkey) EVP_PKEY *key = EVP_PKEY_new();
    SCOPED(pkey) EVP_PKEY *pub = NULL;
    AUTO_BUF sig = BUF_INIT;
    struct spki spki;

    (void)state;
    EC_KEY_METHOD_get_sign(method, &sign, NULL, NULL);
    EC_KEY_METHOD_set_sign(method, sign, NULL, sign_elsewhere);
    assert_int_equal(EC_KEY_generate_key(ec), 1);
    assert_int_equal(EC_KEY_set_method(ec, method), 1);
    assert_int_equal(EVP_PKEY_set1_EC_KEY(key, ec), 1);
    EC_KEY_free(ec);
    assert_ok(spki_of_key(key, &spki, &err));
    assert_ok(spki_evp1(&spki, &pub, &err));
    assert_ok(sigalg_sign(key, sigalg_for_key(&spki), BYTES("to be signed"), &sig, &err));
    assert_int_equal(signed_elsewhere, 1);
    assert_ok(sigalg_verify(pub, sigalg_for_key(&spki), BYTES("to be signed"), der_buf(&sig), &err));
    EVP_PKEY_free(key);
    key = NULL;
    EC_KEY_METHOD_free(method);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(byte_vectors),
        cmocka_unit_test(usage_in_words),
        cmocka_unit_test(to_be_signed_bytes),
        cmocka_unit_test(lint_refuses_plans),
        cmocka_unit_test(lint_refuses_other_profiles),
        cmocka_unit_test(lint_refuses_extensions),
        cmocka_unit_test(lint_refuses_bytes),
        cmocka_unit_test(lint_refuses_changed_profiles),
        cmocka_unit_test(profiles_hold_what_they_must),
        cmocka_unit_test(key_identifiers_chain),
        cmocka_unit_test(no_crl_url_no_distribution_point),
        cmocka_unit_test(lint_refuses_nocheck),
        cmocka_unit_test(nocheck_is_not_critical),
        cmocka_unit_test(no_rev_avail_is_not_critical),
        cmocka_unit_test(refuses_what_is_no_tbs),
        cmocka_unit_test(san_critical_beside_an_empty_subject),
        cmocka_unit_test(lint_tells_everything),
        cmocka_unit_test(validity),
        cmocka_unit_test(built_in_profiles_make_sense),
        cmocka_unit_test(profile_refusals),
        cmocka_unit_test(profile_rows_without_sense),
        cmocka_unit_test(read_back),
        cmocka_unit_test(refuses_damaged),
        cmocka_unit_test(survives_damage),
        cmocka_unit_test(reads_v1),
        cmocka_unit_test(issuers),
        cmocka_unit_test(openssl_takes_the_responder),
        cmocka_unit_test(signs_with_a_foreign_method),
    };

    return test_done(cmocka_run_group_tests(tests, NULL, NULL));
}
