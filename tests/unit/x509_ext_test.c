/* Extensions beyond those of every certificate: bytes, refusals, and what OpenSSL makes of the same words. */
#include "x509_help.h"

#include <openssl/x509v3.h>

#include "x509/constraints.h"
#include "x509/ext_info.h"
#include "x509/ext_private.h"

/* What some lines need a section for. */
static const char sections[] = "[cps]\npolicyIdentifier = 1.3.6.1.4.1.32473.1\nCPS.1 = http://a/cps\n";

/* The value OpenSSL writes for a line of its configuration. */
static void openssl_value(int nid, const char *line, struct buf *ret)
{
    CONF *conf = NCONF_new(NULL);
    BIO *in = BIO_new_mem_buf(sections, -1);
    X509V3_CTX ctx;
    X509_EXTENSION *ext;
    const ASN1_OCTET_STRING *value;

    assert_true(NCONF_load_bio(conf, in, NULL) > 0);
    X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, 0);
    X509V3_set_nconf(&ctx, conf);
    ext = X509V3_EXT_nconf_nid(conf, &ctx, nid, line);
    if (!ext)
        fail_msg("OpenSSL does not take '%s'", line);
    value = X509_EXTENSION_get_data(ext);
    buf_add(ret, ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
    X509_EXTENSION_free(ext);
    NCONF_free(conf);
    BIO_free(in);
}

static void assert_openssl(struct der have, int nid, const char *line)
{
    AUTO_BUF want = BUF_INIT;

    openssl_value(nid, line, &want);
    if (!der_equal(have, der_buf(&want)))
        fail_msg("OpenSSL writes other bytes for '%s'", line);
}

static struct der text_of(const char *text)
{
    return DER_OF((const uint8_t *)text, strlen(text));
}

/* --- certificatePolicies --- */

static void policies(void **state)
{
    AUTO_BUF oid1 = BUF_INIT;
    AUTO_BUF oid2 = BUF_INIT;
    AUTO_BUF b = BUF_INIT;
    AUTO_BUF cps = BUF_INIT;
    struct ext_policy v[2] = {{.cps = {NULL, 0}}, {.cps = {NULL, 0}}}, got[2];
    size_t n = 0;

    (void)state;
    assert_int_equal(oid_from_dotted("1.3.6.1.4.1.32473.1", 19, &oid1), 0);
    assert_int_equal(oid_from_dotted("2.23.140.1.2.1", 14, &oid2), 0);
    v[0].oid = der_buf(&oid1);
    v[1].oid = der_buf(&oid2);
    ext_add_policies(&b, v, 2);
    assert_bytes(der_buf(&b), "3017300b06092b0601040181fd5901300806066781"
                              "0c010201");
    assert_openssl(der_buf(&b), NID_certificate_policies, "1.3.6.1.4.1.32473.1,2.23.140.1.2.1");
    assert_int_equal(ext_read_policies(der_buf(&b), got, 2, &n), 0);
    assert_int_equal(n, 2);
    assert_true(der_equal(got[1].oid, v[1].oid));
    assert_int_equal(got[1].cps.len, 0);
    assert_int_equal(ext_read_policies(der_buf(&b), got, 1, &n), -1);

    v[0].cps = text_of("http://a/cps");
    ext_add_policies(&cps, v, 1);
    assert_bytes(der_buf(&cps),
        "3029302706092b0601040181fd5901301a301806082b06010505070201160c687474703a2f2f612f637073");
    assert_openssl(der_buf(&cps), NID_certificate_policies, "@cps");
    assert_int_equal(ext_read_policies(der_buf(&cps), got, 2, &n), 0);
    assert_int_equal(n, 1);
    assert_true(der_equal(got[0].cps, v[0].cps));
}

static void refuses_policies(void **state)
{
    static const char *const rows[] = {
        "3000",                                               /* none */
        "0500",                                               /* no sequence */
        "30023000",                                           /* without an identifier */
        "300c300406022a03300406022a03",                       /* twice */
        "3008300606022a033000",                               /* qualifiers, none */
        "300a300806022a0330023000",                           /* one without anything */
        "3016301406022a03300e300c06082b060105050702023000",   /* userNotice */
        "3017301506022a03300f300d06082b06010505070201160120", /* cPSuri of a space */
        "3017301506022a03300f300d06082b060105050702010c0161", /* cPSuri as UTF8String */
        "3026302406022a03301e300d06082b06010505070201160161300d06082b06010505070201160162", /* two */
        "3008300606022a030500", /* something behind */
    };
    struct ext_policy v[4];
    size_t i, n = 7;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF b = BUF_INIT;

        add_hex(&b, rows[i]);
        assert_ok(der_check(der_buf(&b), DER_MAX_DEPTH, rows[i], &err)); /* refused for what is in it */
        assert_int_equal(ext_read_policies(der_buf(&b), v, 4, &n), -1);
        assert_int_equal(n, 7);
    }
}

/* --- authorityInfoAccess --- */

static void access_places(void **state)
{
    const struct ext_access v[] = {{OID_AD_OCSP, text_of("http://ocsp.example")},
        {OID_AD_CA_ISSUERS, text_of("http://ca.example/ca.cer")}};
    struct ext_access got[2];
    AUTO_BUF b = BUF_INIT;
    AUTO_BUF one = BUF_INIT;
    size_t n = 0;

    (void)state;
    ext_add_aia(&one, v, 1);
    assert_bytes(der_buf(&one), "3021301f06082b060105050730018613687474703a2f2f6f6373702e6578616d706c65");
    ext_add_aia(&b, v, 2);
    assert_openssl(
        der_buf(&b), NID_info_access, "OCSP;URI:http://ocsp.example,caIssuers;URI:http://ca.example/ca.cer");
    assert_int_equal(ext_read_aia(der_buf(&b), got, 2, &n), 0);
    assert_int_equal(n, 2);
    assert_int_equal(got[0].method, OID_AD_OCSP);
    assert_int_equal(got[1].method, OID_AD_CA_ISSUERS);
    assert_true(der_equal(got[1].uri, v[1].uri));
    assert_int_equal(ext_read_aia(der_buf(&b), got, 1, &n), -1);
}

static void refuses_access(void **state)
{
    static const char *const rows[] = {
        "3000",                                   /* none */
        "30023000",                               /* nothing */
        "300c300a06082b06010505073001",           /* without a place */
        "300e300c06082b060105050730018600",       /* an empty one */
        "300f300d06082b06010505073001820161",     /* a DNS name */
        "300f300d06082b06010505073003860161",     /* timeStamping */
        "300f300d06082b06010505073001860120",     /* a space */
        "300f300d06082b060105050730018601ff",     /* not ASCII */
        "3011300f06082b060105050730018601610500", /* something behind */
    };
    struct ext_access v[4];
    size_t i, n = 7;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF b = BUF_INIT;

        add_hex(&b, rows[i]);
        assert_ok(der_check(der_buf(&b), DER_MAX_DEPTH, rows[i], &err)); /* refused for what is in it */
        assert_int_equal(ext_read_aia(der_buf(&b), v, 4, &n), -1);
        assert_int_equal(n, 7);
    }
}

/* --- TLS feature, noRevAvail, MASA URL --- */

static void features(void **state)
{
    static const unsigned both[] = {5, 17};
    AUTO_BUF one = BUF_INIT;
    AUTO_BUF two = BUF_INIT;
    unsigned got[2];
    size_t n = 0;

    (void)state;
    ext_add_tls_features(&one, both, 1);
    assert_bytes(der_buf(&one), "3003020105");
    ext_add_tls_features(&two, both, 2);
    assert_bytes(der_buf(&two), "3006020105020111");
    assert_openssl(der_buf(&two), NID_tlsfeature, "status_request,status_request_v2");
    assert_int_equal(ext_read_tls_features(der_buf(&two), got, 2, &n), 0);
    assert_int_equal(n, 2);
    assert_int_equal(got[1], 17);
    assert_int_equal(ext_read_tls_features(der_buf(&two), got, 1, &n), -1);
}

static void refuses_features(void **state)
{
    static const char *const rows[] = {"3000", "0500", "3003040105", "3006020105020105",
        "3005020301"
        "0000",
        "30030201ff"};
    unsigned v[4];
    size_t i, n = 7;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF b = BUF_INIT;

        add_hex(&b, rows[i]);
        assert_ok(der_check(der_buf(&b), DER_MAX_DEPTH, rows[i], &err)); /* refused for what is in it */
        assert_int_equal(ext_read_tls_features(der_buf(&b), v, 4, &n), -1);
        assert_int_equal(n, 7);
    }
}

static void values_of_one_piece(void **state)
{
    static const char *const bad_nulls[] = {"", "050100", "0400", "05000500"};
    static const char *const bad_urls[] = {"", "1600", "160120", "1601ff", "0c0161", "16016100"};
    AUTO_BUF null = BUF_INIT;
    AUTO_BUF url = BUF_INIT;
    struct der got = {NULL, 0};
    size_t i;

    (void)state;
    ext_add_null(&null);
    assert_bytes(der_buf(&null), "0500");
    assert_int_equal(ext_read_null(der_buf(&null)), 0);
    ext_add_masa_url(&url, "masa.example");
    assert_bytes(der_buf(&url), "160c6d6173612e6578616d706c65");
    assert_int_equal(ext_read_masa_url(der_buf(&url), &got), 0);
    assert_true(der_equal(got, text_of("masa.example")));
    for (i = 0; i < sizeof(bad_nulls) / sizeof(bad_nulls[0]); i++) {
        AUTO_BUF b = BUF_INIT;

        add_hex(&b, bad_nulls[i]);
        assert_int_equal(ext_read_null(der_buf(&b)), -1);
    }
    for (i = 0; i < sizeof(bad_urls) / sizeof(bad_urls[0]); i++) {
        AUTO_BUF b = BUF_INIT;

        add_hex(&b, bad_urls[i]);
        assert_int_equal(ext_read_masa_url(der_buf(&b), &got), -1);
    }
}

/* --- nameConstraints --- */

static void constraints(void **state)
{
    static const struct {
        bool excluded;
        enum san_type type;
        const char *text, *kept;
    } rows[] = {
        {false, SAN_DNS, "Acme.example", NULL},
        {false, SAN_DNS,
            "b\xc3\xbc"
            "cher.example",
            "xn--bcher-kva.example"},
        {false, SAN_EMAIL, "acme.example", NULL},
        {false, SAN_EMAIL, ".acme.example", NULL},
        {false, SAN_EMAIL, "a@acme.example", NULL},
        {false, SAN_URI, ".acme.example", NULL},
        {false, SAN_IP, "192.0.2.0/24", NULL},
        {false, SAN_IP, "2001:DB8::/32", "2001:db8::/32"},
        {false, SAN_DIRNAME, "O=Acme,C=US", NULL},
        {true, SAN_IP, "0.0.0.0/0", NULL},
        {true, SAN_IP, "::/0", NULL},
        {true, SAN_IP, "192.0.2.128/25", NULL},
        {true, SAN_DNS, "test.acme.example", NULL},
    };
    AUTO_CONSTRAINTS list = CONSTRAINTS_INIT;
    AUTO_CONSTRAINTS again = CONSTRAINTS_INIT;
    AUTO_BUF b = BUF_INIT;
    AUTO_BUF back = BUF_INIT;
    AUTO_BUF text = BUF_INIT;
    AUTO_BUF text_again = BUF_INIT;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_ok(constraints_add(&list, rows[i].excluded, rows[i].type, rows[i].text, &err));
        assert_int_equal(list.n, i + 1);
        assert_string_equal(list.v[i].base.text, rows[i].kept ? rows[i].kept : rows[i].text);
        assert_ok(constraints_add(&list, rows[i].excluded, rows[i].type, rows[i].text, &err));
        assert_int_equal(list.n, i + 1);
    }
    constraints_to_der(&list, &b);
    assert_ok(der_check(der_buf(&b), DER_MAX_DEPTH, "nameConstraints", &err));
    assert_ok(constraints_from_der(der_buf(&b), &again, &err));
    constraints_to_text(&list, &text);
    constraints_to_text(&again, &text_again);
    assert_string_equal(buf_str(&text), buf_str(&text_again));
    constraints_to_der(&again, &back);
    assert_true(der_equal(der_buf(&b), der_buf(&back)));
}

static void constraints_as_openssl(void **state)
{
    AUTO_CONSTRAINTS list = CONSTRAINTS_INIT;
    AUTO_CONSTRAINTS all = CONSTRAINTS_INIT;
    AUTO_BUF b = BUF_INIT;
    AUTO_BUF every = BUF_INIT;
    AUTO_BUF text = BUF_INIT;

    (void)state;
    assert_ok(constraints_add(&list, true, SAN_IP, "192.0.2.0/25", &err));
    assert_ok(constraints_add(&list, false, SAN_DNS, "acme.example", &err));
    assert_ok(constraints_add(&list, false, SAN_EMAIL, ".acme.example", &err));
    assert_ok(constraints_add(&list, false, SAN_URI, "acme.example", &err));
    assert_ok(constraints_add(&list, true, SAN_IP, "2001:db8::/32", &err));
    constraints_to_der(&list, &b);
    assert_openssl(der_buf(&b), NID_name_constraints,
        "permitted;DNS:acme.example,permitted;email:.acme.example,permitted;URI:acme.example,"
        "excluded;IP:192.0.2.0/255.255.255.128,excluded;IP:2001:db8:0:0:0:0:0:0/ffff:ffff:0:0:0:0:0:0");
    constraints_to_text(&list, &text);
    assert_string_equal(buf_str(&text),
        "excluded IP:192.0.2.0/25, permitted DNS:acme.example, permitted email:.acme.example, permitted "
        "URI:acme.example, excluded IP:2001:db8::/32");
    /* every host is excluded */
    assert_ok(constraints_add(&all, true, SAN_DNS, "", &err));
    constraints_to_der(&all, &every);
    assert_bytes(der_buf(&every), "3006a10430028200");
}

#define NC     "RFC 5280 4.2.1.10: want "
#define PREFIX NC "a prefix of the address's length, and no bits of the address behind it"

static void refuses_constraints(void **state)
{
    static const struct {
        bool excluded;
        enum san_type type;
        const char *text, *code, *msg;
    } rows[] = {
        {false, SAN_DNS, "", "CONSTRAINT_BAD",
            "nameConstraints DNS '': " NC "labels of at least one character (no dot at either end)"},
        {false, SAN_DNS, ".a.example", "CONSTRAINT_BAD",
            "nameConstraints DNS '.a.example': " NC
            "labels of at least one character (no dot at either end)"},
        {false, SAN_DNS, "*.a.example", "CONSTRAINT_BAD",
            "nameConstraints DNS '*.a.example': " NC
            "labels of letters, digits and hyphens (others in their xn-- form)"},
        {false, SAN_DNS, "192.0.2.1", "CONSTRAINT_BAD",
            "nameConstraints DNS '192.0.2.1': " NC "a host name (an address is an IP constraint)"},
        {false, SAN_DNS, "xn--a.example", "CONSTRAINT_BAD",
            "nameConstraints DNS 'xn--a.example': " NC "xn-- labels that are A-labels"},
        {false, SAN_URI, "http://a.example", "CONSTRAINT_BAD",
            "nameConstraints URI 'http://a.example': " NC
            "labels of letters, digits and hyphens (others in their xn-- form)"},
        {true, SAN_EMAIL, "", "CONSTRAINT_BAD",
            "nameConstraints email '': " NC "labels of at least one character (no dot at either end)"},
        {false, SAN_EMAIL, "@a.example", "SAN_BAD",
            "nameConstraints: SAN email '@a.example': RFC 5280 4.2.1.6: want 1 to 64 characters before the "
            "@, 254 in all"},
        {false, SAN_IP, "192.0.2.0", "CONSTRAINT_BAD",
            "nameConstraints IP '192.0.2.0': " NC "ADDRESS/PREFIX"},
        {false, SAN_IP, "192.0.2.0/", "CONSTRAINT_BAD",
            "nameConstraints IP '192.0.2.0/': " NC "ADDRESS/PREFIX"},
        {false, SAN_IP, "192.0.2.0/-1", "CONSTRAINT_BAD",
            "nameConstraints IP '192.0.2.0/-1': " NC "ADDRESS/PREFIX"},
        {false, SAN_IP, "192.0.2.0/024", "CONSTRAINT_BAD",
            "nameConstraints IP '192.0.2.0/024': " NC "ADDRESS/PREFIX"},
        {false, SAN_IP, "192.0.2.0/33", "CONSTRAINT_BAD", "nameConstraints IP '192.0.2.0/33': " PREFIX},
        {false, SAN_IP, "192.0.2.1/24", "CONSTRAINT_BAD", "nameConstraints IP '192.0.2.1/24': " PREFIX},
        {false, SAN_IP, "2001:db8::/129", "CONSTRAINT_BAD", "nameConstraints IP '2001:db8::/129': " PREFIX},
        {false, SAN_DIRNAME, "", "CONSTRAINT_BAD",
            "nameConstraints dirname '': " NC "a name that is not empty"},
        {false, SAN_DIRNAME, "C=USA", "NAME_COUNTRY",
            "nameConstraints dirname: C: RFC 5280 A.1: want 2 letters, have 3"},
        {false, SAN_UPN, "a@b", "CONSTRAINT_BAD",
            "nameConstraints UPN 'a@b': " NC "DNS, email, URI, IP or dirname"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_CONSTRAINTS list = CONSTRAINTS_INIT;

        assert_refused(constraints_add(&list, rows[i].excluded, rows[i].type, rows[i].text, &err),
            rows[i].code, rows[i].msg);
        assert_int_equal(list.n, 0);
    }
}

static void refuses_constraints_in_der(void **state)
{
    static const struct {
        const char *hex, *msg;
    } rows[] = {
        {"0500", "nameConstraints: " NC "a sequence"},
        {"3000", "nameConstraints: " NC "permitted or excluded subtrees, or both"},
        {"3002a200", "nameConstraints: " NC "permitted or excluded subtrees, or both"},
        {"3008a100a00430028200", "nameConstraints: " NC "permitted or excluded subtrees, or both"},
        {"3002a000", "nameConstraints: " NC "at least one name, have none"},
        {"3004a0023000", "nameConstraints: " NC "a sequence of subtrees"},
        {"300aa0083006820161800101", "nameConstraints: " NC "neither minimum nor maximum, have one"},
        {"300aa0083006820161810101", "nameConstraints: " NC "neither minimum nor maximum, have one"},
        {"3008a00630048802"
         "2a03",
            "nameConstraints: " NC "DNS, email, URI, IP or dirname, have another kind of name"},
        {"300aa0083006"
         "8704c0000200",
            "nameConstraints: " NC "8 or 32 octets of address and mask"},
        {"300ea00c300a8708c0000200ff00ff00", "nameConstraints: " NC "a mask of ones and then zeros"},
        {"300ea00c300a8708c0000201ffffff00", "nameConstraints IP '192.0.2.1/24': " PREFIX},
        {"3006a00430028200",
            "nameConstraints DNS '': " NC "labels of at least one character (no dot at either end)"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_CONSTRAINTS list = CONSTRAINTS_INIT;
        AUTO_BUF b = BUF_INIT;

        add_hex(&b, rows[i].hex);
        assert_ok(der_check(der_buf(&b), DER_MAX_DEPTH, rows[i].hex, &err));
        assert_refused(constraints_from_der(der_buf(&b), &list, &err), "CONSTRAINT_BAD", rows[i].msg);
    }
}

/* --- private extensions --- */

static void private_values(void **state)
{
    static const struct {
        enum ext_type type;
        const char *text, *hex;
    } rows[] = {
        {EXT_UTF8, "b\xc3\xbc", "0c0362c3bc"},
        {EXT_IA5, "a@b", "1603614062"},
        {EXT_PRINTABLE, "a b", "1303612062"},
        {EXT_OCTETS, "00FF", "040200ff"},
        {EXT_OCTETS, "", "0400"},
        {EXT_INTEGER, "0", "020100"},
        {EXT_INTEGER, "127", "02017f"},
        {EXT_INTEGER, "128", "02020080"},
        {EXT_INTEGER, "-1", "0201ff"},
        {EXT_INTEGER, "-128", "020180"},
        {EXT_INTEGER, "-129", "0202ff7f"},
        {EXT_INTEGER, "9223372036854775807", "02087fffffffffffffff"},
        {EXT_INTEGER, "-9223372036854775808", "02088000000000000000"},
        {EXT_BOOLEAN, "TRUE", "0101ff"},
        {EXT_BOOLEAN, "FALSE", "010100"},
        {EXT_NULL, "", "0500"},
        {EXT_DER, "3003020105", "3003020105"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF b = BUF_INIT;
        AUTO_BUF text = BUF_INIT;

        assert_ok(ext_private_make(rows[i].type, rows[i].text, 64, &b, &err));
        assert_bytes(der_buf(&b), rows[i].hex);
        assert_ok(ext_private_read(rows[i].type, der_buf(&b), 64, &text, &err));
        assert_string_equal(buf_str(&text), rows[i].text);
    }
    assert_int_equal(ext_type_find("OCTET STRING"), EXT_OCTETS);
    assert_int_equal(ext_type_find("ENUMERATED"), EXT_TYPES);
}

#define PE "private extension: "

static void refuses_private_text(void **state)
{
    static const struct {
        enum ext_type type;
        const char *text, *code, *msg;
    } rows[] = {
        {EXT_UTF8, "", "EXT_VALUE", PE "UTF8String: want at least one character"},
        {EXT_UTF8, "a\xff", "EXT_VALUE", PE "UTF8String: want UTF-8, have other octets"},
        {EXT_UTF8, "a\x1b", "EXT_VALUE", PE "UTF8String: want visible text, have a control character in it"},
        {EXT_UTF8, "123456789", "EXT_TOO_LONG", PE "UTF8String: want a value of at most 10 octets, have 11"},
        {EXT_IA5, "\xc3\xbc", "EXT_VALUE", PE "IA5String: want ASCII characters, have another"},
        {EXT_PRINTABLE, "a_b", "EXT_VALUE",
            PE "PrintableString: want PrintableString characters (letters, digits, space ' ( ) + , - . / : = "
               "?), have "
               "another"},
        {EXT_OCTETS, "0", "EXT_VALUE", PE "OCTET STRING: want pairs of hexadecimal digits"},
        {EXT_OCTETS, "0g", "EXT_VALUE", PE "OCTET STRING: want pairs of hexadecimal digits"},
        {EXT_INTEGER, "", "EXT_VALUE", PE "INTEGER: want a decimal number of 64 bits"},
        {EXT_INTEGER, "-", "EXT_VALUE", PE "INTEGER: want a decimal number of 64 bits"},
        {EXT_INTEGER, "-0", "EXT_VALUE", PE "INTEGER: want a decimal number of 64 bits"},
        {EXT_INTEGER, "01", "EXT_VALUE", PE "INTEGER: want a decimal number of 64 bits"},
        {EXT_INTEGER, "+1", "EXT_VALUE", PE "INTEGER: want a decimal number of 64 bits"},
        {EXT_INTEGER, "1 ", "EXT_VALUE", PE "INTEGER: want a decimal number of 64 bits"},
        {EXT_INTEGER, "9223372036854775808", "EXT_VALUE", PE "INTEGER: want a decimal number of 64 bits"},
        {EXT_BOOLEAN, "true", "EXT_VALUE", PE "BOOLEAN: want TRUE or FALSE"},
        {EXT_NULL, "x", "EXT_VALUE", PE "NULL: want no text"},
        {EXT_DER, "", "EXT_VALUE",
            PE "DER: value: X.690 8.1: want a complete value, have one that ends early, at octet 0"},
        {EXT_DER, "05000500", "EXT_VALUE", PE "DER: value: want nothing after 2 octets, have 2 more"},
        {EXT_DER, "010101", "EXT_VALUE",
            PE "DER: value: X.690 11: want the one DER form of the value, have another, at octet 0"},
        {EXT_DER, "30800000", "EXT_VALUE",
            PE "DER: value: X.690 10.1: want a definite length, have an indefinite one, at octet 0"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF b = BUF_INIT;

        assert_refused(ext_private_make(rows[i].type, rows[i].text, 10, &b, &err), rows[i].code, rows[i].msg);
        assert_int_equal(b.len, 0);
    }
}

static void refuses_private_values(void **state)
{
    static const struct {
        enum ext_type type;
        const char *hex, *code, *msg;
    } rows[] = {
        {EXT_UTF8, "160161", "EXT_VALUE", PE "UTF8String: want a value of this type, have another"},
        {EXT_UTF8, "0c00", "EXT_VALUE", PE "UTF8String: want at least one character"},
        {EXT_UTF8, "0c0100", "EXT_VALUE", PE "UTF8String: want visible text, have a control character in it"},
        {EXT_BOOLEAN, "010101", "EXT_VALUE",
            PE "BOOLEAN: value: X.690 11: want the one DER form of the value, have another, at octet 0"},
        {EXT_INTEGER, "02020001", "EXT_VALUE",
            PE "INTEGER: value: X.690 11: want the one DER form of the value, have another, at octet 0"},
        {EXT_INTEGER, "0209010000000000000000", "EXT_TOO_LONG",
            PE "INTEGER: want a value of at most 10 octets, have 11"},
        {EXT_NULL, "05000500", "EXT_VALUE", PE "NULL: value: want nothing after 2 octets, have 2 more"},
    };
    AUTO_BUF big = BUF_INIT;
    AUTO_BUF text = BUF_INIT;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF b = BUF_INIT;

        add_hex(&b, rows[i].hex);
        assert_refused(
            ext_private_read(rows[i].type, der_buf(&b), 10, &text, &err), rows[i].code, rows[i].msg);
        assert_int_equal(text.len, 0);
    }
    add_hex(&big, "0209010000000000000000");
    assert_refused(ext_private_read(EXT_INTEGER, der_buf(&big), 11, &text, &err), "EXT_VALUE",
        PE "INTEGER: want an integer of 64 bits");
}

static void private_identifiers(void **state)
{
    static const struct {
        const char *oid, *msg;
    } rows[] = {
        {"", "private extension '': want a dotted object identifier"},
        {"1.2.x", "private extension '1.2.x': want a dotted object identifier"},
        {"2.5.29.19",
            "private extension basicConstraints: want an arc of your own, have one of RFC 5280 (2.5.29, "
            "1.3.6.1.5.5.7.1)"},
        {"2.5.29.999", "private extension 2.5.29.999: want an arc of your own, have one of RFC 5280 (2.5.29, "
                       "1.3.6.1.5.5.7.1)"},
        {"2.5.29", "private extension 2.5.29: want an arc of your own, have one of RFC 5280 (2.5.29, "
                   "1.3.6.1.5.5.7.1)"},
        {"1.3.6.1.5.5.7.1.99",
            "private extension 1.3.6.1.5.5.7.1.99: want an arc of your own, have one of RFC 5280 "
            "(2.5.29, 1.3.6.1.5.5.7.1)"},
        {"1.3.6.1.5.5.7.48.1.5",
            "private extension ocsp-nocheck: want an identifier of your own, have a known one"},
    };
    AUTO_BUF good = BUF_INIT;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF b = BUF_INIT;

        assert_refused(ext_private_oid(rows[i].oid, &b, &err), "EXT_OID", rows[i].msg);
        assert_int_equal(b.len, 0);
    }
    assert_ok(ext_private_oid("1.3.6.1.5.5.7.10.1", &good, &err));
    buf_reset(&good);
    assert_ok(ext_private_oid("1.3.6.1.4.1.32473.9", &good, &err));
    assert_bytes(der_buf(&good), "2b0601040181fd5909");
}

/* The whole Extension, as OpenSSL reads it. */
static void closes_any_identifier(void **state)
{
    AUTO_BUF oid = BUF_INIT;
    AUTO_BUF b = BUF_INIT;
    const unsigned char *p;
    X509_EXTENSION *ext;
    struct cert_ext got;
    struct der in;

    (void)state;
    assert_ok(ext_private_oid(
        "1.3.6.1.4.1.32473.9.1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20", &oid, &err));
    assert_ok(ext_private_make(EXT_UTF8, "x", 64, &b, &err));
    ext_close_oid(&b, 0, der_buf(&oid), true);
    assert_true(buf_ok(&b));
    in = der_buf(&b);
    assert_int_equal(ext_next(&in, &got), 0);
    assert_true(got.critical && der_equal(got.oid, der_buf(&oid)));
    assert_bytes(got.value, "0c0178");
    p = b.p;
    ext = d2i_X509_EXTENSION(NULL, &p, (long)b.len);
    assert_non_null(ext);
    assert_int_equal(X509_EXTENSION_get_critical(ext), 1);
    X509_EXTENSION_free(ext);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies),
        cmocka_unit_test(refuses_policies),
        cmocka_unit_test(access_places),
        cmocka_unit_test(refuses_access),
        cmocka_unit_test(features),
        cmocka_unit_test(refuses_features),
        cmocka_unit_test(values_of_one_piece),
        cmocka_unit_test(constraints),
        cmocka_unit_test(constraints_as_openssl),
        cmocka_unit_test(refuses_constraints),
        cmocka_unit_test(refuses_constraints_in_der),
        cmocka_unit_test(private_values),
        cmocka_unit_test(refuses_private_text),
        cmocka_unit_test(refuses_private_values),
        cmocka_unit_test(private_identifiers),
        cmocka_unit_test(closes_any_identifier),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
