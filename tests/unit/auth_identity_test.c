/* Identities: every kind of name, and certificates that name nobody. */
#include "auth_help.h"

#include <stdio.h>

#include "x509/pem.h"

static const char *one_name(const struct p11ca_identity *id, enum p11ca_name_kind kind)
{
    const struct p11ca_identity_facts *f = p11ca_identity_facts(id);
    const char *text = NULL;
    size_t i;

    for (i = 0; i < f->n_names; i++) {
        if (f->names[i].kind == kind) {
            assert_null(text);
            text = f->names[i].text;
        }
    }
    return text;
}

/* --- every kind --- */

#define SEQ_UPN "3020a01e060a2b060104018237140203a0100c0e31323334353637383930406d696c"

static void every_kind_of_name(void **state)
{
    static const struct {
        enum p11ca_name_kind kind;
        const char *san, *text;
    } rows[] = {
        {P11CA_NAME_DNS, "300b8209612e6578616d706c65", "a.example"},
        {P11CA_NAME_DNS, "300b8209412e4578616d706c65", "A.Example"},
        {P11CA_NAME_IP, "30068704c0000201", "192.0.2.1"},
        {P11CA_NAME_IP, "3012871020010db8000000000000000000000001", "2001:db8::1"},
        {P11CA_NAME_URI, "3009860775726e3a613a62", "urn:a:b"},
        {P11CA_NAME_UUID,
            "302f862d75726e3a757569643a66383164346661652d376465632d313164302d613736352d3030613063393165366266"
            "36",
            "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},
        {P11CA_NAME_EMAIL, "300d810b6140612e6578616d706c65", "a@a.example"},
        {P11CA_NAME_UPN, SEQ_UPN, "1234567890@mil"},
        {P11CA_NAME_HW, "3026a02406082b06010505070804a0183016060a2b0601040181fd5901010408534e303030303031",
            "1.3.6.1.4.1.32473.1.1:SN000001"},
        {P11CA_NAME_PERMID, "3015a01306082b06010505070803a00730050c03616263", ":abc"},
        {P11CA_NAME_FASCN,
            "3029a02706086086480165030606a01b0419d4e739da739ced39ce739d836858210842108421c84210c3eb",
            "9999-9999-999999-0-1-0000000000-3-0000-1"},
        {P11CA_NAME_SRV, "301ea01c06082b06010505070807a010160e5f7369702e612e6578616d706c65",
            "_sip.a.example"},
        {P11CA_NAME_SMTPUTF8, "301ca01a06082b06010505070809a00e0c0cc3a440612e6578616d706c65",
            "\xc3\xa4@a.example"},
        {P11CA_NAME_RID, "300488022a03", "1.2.3"},
        {P11CA_NAME_DIRNAME, "3010a40e300c310a300806035504030c0161", "CN=a"},
        {P11CA_NAME_OTHER, "300ca00a06032a0304a0030c0161", "1.2.3.4:#0C0161"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct leaf l = {.san = rows[i].san};
        AUTO_IDENTITY id = NULL;

        if (leaf_read(&l, &id) != 0)
            fail_msg("%s: %s: %s", p11ca_name_kind(rows[i].kind), err.code, err.msg);
        assert_string_equal(one_name(id, rows[i].kind), rows[i].text);
        /* Beside it the subject's, and nothing else. */
        assert_int_equal(p11ca_identity_facts(id)->n_names, 3);
        assert_string_equal(one_name(id, P11CA_NAME_CN), "svc");
    }
}

static void kinds_have_names(void **state)
{
    unsigned k;

    (void)state;
    for (k = 0; k < P11CA_NAME_KINDS; k++)
        assert_int_equal(p11ca_name_kind_find(p11ca_name_kind((enum p11ca_name_kind)k)), k);
    assert_int_equal(p11ca_name_kind_find("fasc-n"), P11CA_NAME_FASCN);
    assert_int_equal(p11ca_name_kind_find(""), P11CA_NAME_KINDS);
}

static void all_facts(void **state)
{
    const struct leaf l = {.subject = "CN=svc,serialNumber=SN 7,O=Acme",
        .san = dns_hex("a.example"),
        .policies = "301a301806032a03043011300f06082b0601050507020230030c0178",
        .serial = "00ff"};
    AUTO_IDENTITY id = leaf_identity(&l);
    const struct p11ca_identity_facts *f = p11ca_identity_facts(id);

    (void)state;
    assert_int_equal(f->version, 3);
    assert_string_equal(f->subject, "CN=svc,serialNumber=SN 7,O=Acme");
    assert_string_equal(f->issuer, "CN=Acme Factory CA 1,O=Acme,C=US");
    assert_string_equal(f->serial, "FF");
    assert_int_equal(f->not_before, TEST_NOW - 60);
    assert_int_equal(f->not_after, TEST_NOW + 86400);
    assert_string_equal(f->key, "EC P-256");
    assert_int_equal(f->n_names, 4);
    assert_int_equal(f->names[0].kind, P11CA_NAME_DNS);
    assert_string_equal(one_name(id, P11CA_NAME_SERIAL), "SN 7");
    assert_string_equal(one_name(id, P11CA_NAME_SUBJECT), f->subject);
    assert_null(f->trust_domain);
    assert_int_equal(f->n_policies, 1);
    assert_string_equal(f->policies[0], "1.2.3.4");
    assert_int_equal(f->n_ekus, 1);
    assert_string_equal(f->ekus[0], "1.3.6.1.5.5.7.3.2");
    assert_true(f->has_key_usage);
    assert_string_equal(f->key_usage, "digitalSignature");
}

/* --- RFC 8705 Appendix A: a certificate of version 1 --- */

static const char rfc8705[] = "-----BEGIN CERTIFICATE-----\n"
                              "MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAx\n"
                              "ODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqG\n"
                              "SM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ\n"
                              "/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwID\n"
                              "SQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOV\n"
                              "bUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=\n"
                              "-----END CERTIFICATE-----\n";

static void rfc8705_appendix_a(void **state)
{
    AUTO_BUF der = BUF_INIT;
    AUTO_IDENTITY id = NULL;
    const struct p11ca_identity_facts *f;

    (void)state;
    assert_ok(pem_decode((const uint8_t *)rfc8705, strlen(rfc8705), PEM_CERT, &der, &err));
    assert_ok(p11ca_identity_read(der.p, der.len, &id, &err));
    f = p11ca_identity_facts(id);
    assert_int_equal(f->version, 1);
    assert_string_equal(f->thumbprint, "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0");
    assert_string_equal(one_name(id, P11CA_NAME_CN), "mtls");
    assert_int_equal(f->n_ekus, 0);
}

/* --- certificates that name nobody --- */

#define C        "certificate: "
#define EXT(oid) C "extension " oid ": RFC 5280 4.2: want one DER value of its type, have something else"

static void refuses_with_the_true_reason(void **state)
{
    static const struct {
        const char *code, *msg;
        struct leaf leaf;
    } rows[] = {
        {"CERT_EXT_TWICE", C "RFC 5280 4.2: extension subjectAltName: want it once, have it twice",
            {.san = "300b8209612e6578616d706c65", .more = "30140603551d11040d300b8209612e6578616d706c65"}},
        {"CERT_EXT_TWICE", C "RFC 5280 4.2: extension keyUsage: want it once, have it twice",
            {.more = "300b0603551d0f040403020780"}},
        {"CERT_EXT_BAD", EXT("subjectAltName"), {.san = "0c0161"}},
        {"SAN_BAD", "SAN: RFC 5280 4.2.1.6: want at least one name, have none", {.san = "3000"}},
        {"SAN_BAD", "SAN DNS: RFC 5280 4.2.1.6: want text, have a NUL character in it",
            {.san = "30078205612e620063"}},
        {"SAN_UTF8", "SAN UPN: RFC 3629 3: want UTF-8, have other octets",
            {.san = "3014a012060a2b060104018237140203a0040c02ff40"}},
        {"SAN_BAD", "SAN UPN: Microsoft UPN: want a UTF8String",
            {.san = "3015a013060a2b060104018237140203a0051603614062"}},
        {"SAN_BAD", "SAN UPN 'ab': Microsoft UPN: want one @",
            {.san = "3014a012060a2b060104018237140203a0040c026162"}},
        {"SAN_BAD", "SAN UPN: want one, have two",
            {.san = "302aa013060a2b060104018237140203a0050c03614062a013060a2b060104018237140203a0050c0361406"
                    "3"}},
        {"SAN_FASCN", "SAN FASC-N: FIPS 201-3 4.2.1: want odd parity in each of 40 characters",
            {.san = "3029a02706086086480165030606a01b0419d5e739da739ced39ce739d836858210842108421c84210c3e"
                    "b"}},
        {"SAN_BAD", "SAN IP: RFC 5280 4.2.1.6: want 4 or 16 octets, have 5", {.san = "30078705c000020100"}},
        {"SAN_UUID", "SAN URI 'urn:uuid:1': RFC 9562 4: want 8-4-4-4-12 hexadecimal digits",
            {.san = "300c860a75726e3a757569643a31"}},
        {"SAN_BAD", "SAN hw: RFC 4108 5: want hwType OBJECT IDENTIFIER and hwSerialNum OCTET STRING",
            {.san = "301aa01806082b06010505070804a00c300a06032a03040c03616263"}},
        {"SAN_BAD",
            "SAN permid: RFC 4043 2: want identifierValue UTF8String, assigner OBJECT IDENTIFIER, or both",
            {.san = "3010a00e06082b06010505070803a0023000"}},
        {"SAN_BAD", "SAN SRV 'sip.a': RFC 4985 2: want _service.name",
            {.san = "3015a01306082b06010505070807a00716057369702e61"}},
        {"SAN_BAD",
            "SAN smtputf8 'a@b.c': RFC 9598 3: want a character that is not ASCII before the @ (others are "
            "e-mail addresses)",
            {.san = "3015a01306082b06010505070809a0070c056140622e63"}},
        {"SAN_BAD", "SAN email 'ab': RFC 5280 4.2.1.6: want one @", {.san = "300481026162"}},
        {"SAN_BAD", "SAN x400Address: no profile issues this kind of name", {.san = "3002a300"}},
        {"CERT_PATHLEN",
            C "RFC 5280 4.2.1.9: basicConstraints: want pathLenConstraint in a CA certificate only, have it "
              "in an end entity's",
            {.bc = "3003020100"}},
        {"CERT_KEY_USAGE",
            C "RFC 5280 4.2.1.3: keyUsage: want keyCertSign in a CA certificate only, have it in an end "
              "entity's",
            {.ku = "03020284"}},
        {"CERT_EXT_BAD", EXT("basicConstraints"), {.bc = "3003010100"}},
        {"IDENT_CA", C "RFC 5280 4.2.1.9: basicConstraints: want an end entity, have a CA",
            {.bc = "30030101ff", .ku = "03020106"}},
        {"CERT_SERIAL", C "RFC 5280 4.1.2.2: serial: want a positive number, have a negative one",
            {.serial = "ff00"}},
        {"CERT_SERIAL", C "RFC 5280 4.1.2.2: serial: want a positive number, have zero", {.serial = "00"}},
        {"CERT_SERIAL", C "RFC 5280 4.1.2.2: serial: want at most 20 octets, have 21",
            {.serial = "01ffffffffffffffffffffffffffffffffffffffff"}},
        {"CERT_EXT_CRITICAL",
            C "RFC 5280 4.2: extension 1.2.3: want none that is critical and not understood, have one",
            {.more = "300b06022a030101ff04020500"}},
        {"CERT_EXT_BAD", EXT("certificatePolicies"), {.policies = "3000"}},
        {"CERT_EXT_BAD", EXT("extKeyUsage"), {.eku = "3000"}},
        {"CERT_EXT_BAD", EXT("keyUsage"), {.ku = "03020700"}},
        {"CERT_NAMELESS", C "RFC 5280 4.1.2.6: subject: want one, or a SAN, have neither", {.subject = ""}},
        {"CERT_NAMELESS", C "RFC 5280 4.2.1.6: SAN: want it critical beside an empty subject, have it not",
            {.subject = "", .san = "300b8209612e6578616d706c65"}},
        {"CERT_VERSION", C "RFC 5280 4.1.2.1: version: want v3 with extensions, have v2", {.version = 2}},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct p11ca_identity *id = NULL;

        if (leaf_read(&rows[i].leaf, &id) == 0)
            fail_msg("row %zu: taken, want %s", i, rows[i].msg);
        assert_string_equal(err.msg, rows[i].msg);
        assert_string_equal(err.code, rows[i].code);
        assert_int_equal(err.kind, P11CA_REFUSED);
        assert_null(id);
    }
}

/* RFC 9440 A has one: a critical SAN with a mail address alone, beside a subject. No AKI is no reason, either. */
static void takes_a_critical_san_beside_a_subject(void **state)
{
    const struct leaf l = {.san = san_hex(DER_CONTEXT(1), "bdc@a.example"), .san_critical = true},
                      empty = {.subject = "", .san = dns_hex("a.example"), .san_critical = true};
    AUTO_IDENTITY id = leaf_identity(&l);
    AUTO_IDENTITY two = leaf_identity(&empty);

    (void)state;
    assert_string_equal(one_name(id, P11CA_NAME_EMAIL), "bdc@a.example");
    assert_null(one_name(two, P11CA_NAME_SUBJECT));
    assert_string_equal(p11ca_identity_facts(two)->subject, "");
}

static void wants_der_and_one_certificate(void **state)
{
    const struct leaf l = {.subject = NULL};
    AUTO_BUF der = BUF_INIT;
    AUTO_BUF pem = BUF_INIT;
    struct p11ca_identity *id = NULL;
    char expected[80], type[] = "want a certificate in DER, have something else";

    (void)state;
    leaf_make(&l, &der);
    pem_encode(PEM_CERT, der_buf(&der), &pem);
    assert_refused(p11ca_identity_read(pem.p, pem.len, &id, &err), "INPUT_TYPE", type);
    assert_refused(p11ca_identity_read("", 0, &id, &err), "INPUT_TYPE", type);
    /* PEM behind something that looks like the start of DER. */
    buf_insert(&pem, 0, "0\n", 2);
    assert_refused(p11ca_identity_read(pem.p, pem.len, &id, &err), "INPUT_TYPE", type);
    snprintf(expected, sizeof(expected), "certificate: want nothing after %zu octets, have 1 more", der.len);
    buf_addc(&der, 0);
    assert_refused(p11ca_identity_read(der.p, der.len, &id, &err), "DER_TRAILING", expected);
    assert_null(id);
}

/* --- who --- */

static int principal(const struct leaf *l, enum p11ca_name_kind first, enum p11ca_name_kind second, char *dst)
{
    const enum p11ca_name_kind kinds[] = {first, second};
    const struct p11ca_name *name = NULL;
    AUTO_IDENTITY id = leaf_identity(l);

    memset(&err, 0, sizeof(err));
    if (p11ca_identity_principal(id, kinds, 2, &name, &err) != 0) {
        assert_null(name);
        return -1;
    }
    snprintf(dst, 128, "%s:%s", p11ca_name_kind(name->kind), name->text);
    return 0;
}

static void the_first_kind_that_is_there_decides(void **state)
{
    const struct leaf l = {.san = dns_hex("a.example")};
    char who[128];

    (void)state;
    assert_ok(principal(&l, P11CA_NAME_DNS, P11CA_NAME_CN, who));
    assert_string_equal(who, "DNS:a.example");
    assert_ok(principal(&l, P11CA_NAME_CN, P11CA_NAME_DNS, who));
    assert_string_equal(who, "CN:svc");
    assert_ok(principal(&l, P11CA_NAME_URI, P11CA_NAME_SUBJECT, who));
    assert_string_equal(who, "subject:CN=svc");
    assert_negative(principal(&l, P11CA_NAME_URI, P11CA_NAME_UPN, who), "IDENT_NONE",
        "principal: want a name of kind URI, UPN, have none");
}

static void a_kind_that_is_there_and_wrong_never_leads_to_the_next(void **state)
{
    const struct leaf two = {.san = "300c8204612e61618204622e6262"}, wild = {.san = dns_hex("*.a.example")},
                      other = {.san = "300ca00a06032a0304a0030c0161"};
    char who[128];

    (void)state;
    assert_negative(principal(&two, P11CA_NAME_DNS, P11CA_NAME_CN, who), "IDENT_AMBIGUOUS",
        "principal: want one name of kind DNS, have 2");
    assert_negative(principal(&wild, P11CA_NAME_DNS, P11CA_NAME_CN, who), "IDENT_WILDCARD",
        "principal: RFC 9525 6.3: DNS '*.a.example': want a name, have a wildcard");
    assert_negative(principal(&other, P11CA_NAME_OTHER, P11CA_NAME_CN, who), "IDENT_KIND",
        "principal: want a kind of name with a grammar, have another");
}

/* Name { SET { SEQUENCE { 2.5.4.3 or .5, value } } ... } */
#define RDN_CN(len2, len1, tlv) "31" len2 "30" len1 "0603550403" tlv
#define RDN_SN(len2, len1, tlv) "31" len2 "30" len1 "0603550405" tlv

static void attributes_of_the_subject(void **state)
{
    static char long_name[512];
    static const struct {
        const char *name, *code, *msg;
        enum p11ca_name_kind kind;
    } rows[] = {
        {"3018" RDN_CN("0a", "08", "0c0161") RDN_CN("0a", "08", "0c0162"), "IDENT_CN_AMBIGUOUS",
            "subject: RFC 5280 A.1: commonName: want one, have more", P11CA_NAME_CN},
        {"300c" RDN_CN("0a", "08", "140161"), "IDENT_CN_TYPE",
            "subject: RFC 5280 A.1: commonName: want a UTF8String or PrintableString, have another type",
            P11CA_NAME_CN},
        {"300e" RDN_CN("0c", "0a", "0c03610062"), "IDENT_CN_TEXT",
            "subject: RFC 5280 A.1: commonName: want characters of its type without controls, have others",
            P11CA_NAME_CN},
        {"300e" RDN_CN("0c", "0a", "0c03611b62"), "IDENT_CN_TEXT",
            "subject: RFC 5280 A.1: commonName: want characters of its type without controls, have others",
            P11CA_NAME_CN},
        {"300c" RDN_CN("0a", "08", "0c01ff"), "IDENT_CN_TEXT",
            "subject: RFC 5280 A.1: commonName: want characters of its type without controls, have others",
            P11CA_NAME_CN},
        {"300c" RDN_CN("0a", "08", "130140"), "IDENT_CN_TEXT",
            "subject: RFC 5280 A.1: commonName: want characters of its type without controls, have others",
            P11CA_NAME_CN},
        {"300b" RDN_CN("09", "07", "0c00"), "IDENT_CN_LENGTH",
            "subject: RFC 5280 A.1: commonName: want 1 to 64 characters, have another number", P11CA_NAME_CN},
        {long_name, "IDENT_CN_LENGTH",
            "subject: RFC 5280 A.1: commonName: want 1 to 64 characters, have another number", P11CA_NAME_CN},
        {"300c" RDN_SN("0a", "08", "0c0161"), "IDENT_SERIAL_TYPE",
            "subject: RFC 5280 A.1: serialNumber: want a PrintableString, have another type",
            P11CA_NAME_SERIAL},
        {"3018" RDN_SN("0a", "08", "130161") RDN_SN("0a", "08", "130162"), "IDENT_SERIAL_AMBIGUOUS",
            "subject: RFC 5280 A.1: serialNumber: want one, have more", P11CA_NAME_SERIAL},
    };
    size_t i;

    (void)state;
    strcat(long_name, "304c314a30480603550403"
                      "0c41");
    for (i = 0; i < 65; i++)
        strcat(long_name, "61");
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct leaf l = {.name = rows[i].name};
        char who[128];

        assert_negative(principal(&l, rows[i].kind, P11CA_NAME_SUBJECT, who), rows[i].code, rows[i].msg);
    }
}

/* Named for what other libraries do: X509_get_ext_d2i(3) and a loop over GEN_DNS leave them out. */
static void fail_open_uri_and_othername_sans_are_not_dropped(void **state)
{
    const struct leaf l = {.san = "30228209612e6578616d706c658605613a2f2f62a00a06032a0304a0030c016188022a03"};
    AUTO_IDENTITY id = leaf_identity(&l);

    (void)state;
    assert_int_equal(p11ca_identity_facts(id)->n_names, 4 + 2);
    assert_string_equal(one_name(id, P11CA_NAME_URI), "a://b");
    assert_string_equal(one_name(id, P11CA_NAME_OTHER), "1.2.3.4:#0C0161");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_name),
        cmocka_unit_test(kinds_have_names),
        cmocka_unit_test(all_facts),
        cmocka_unit_test(rfc8705_appendix_a),
        cmocka_unit_test(refuses_with_the_true_reason),
        cmocka_unit_test(takes_a_critical_san_beside_a_subject),
        cmocka_unit_test(wants_der_and_one_certificate),
        cmocka_unit_test(the_first_kind_that_is_there_decides),
        cmocka_unit_test(a_kind_that_is_there_and_wrong_never_leads_to_the_next),
        cmocka_unit_test(attributes_of_the_subject),
        cmocka_unit_test(fail_open_uri_and_othername_sans_are_not_dropped),
    };

    return test_done(cmocka_run_group_tests(tests, NULL, NULL));
}
