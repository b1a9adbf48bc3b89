/* Requests: what may be wrong with one, each with its exact text. */
#include "x509_help.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "x509/pem.h"

static int read_request(const struct request *r, unsigned flags, struct csr *csr)
{
    AUTO_BUF der = BUF_INIT;

    request_make(r, &der);
    assert_true(buf_ok(&der));
    return csr_read(der.p, der.len, flags, csr, &err);
}

/* A request with these extensions, given as (id, value) rows. */
struct ext_row {
    enum oid id;
    const char *hex;
};

static int read_with_exts(const struct ext_row *rows, size_t n, unsigned flags, struct csr *csr)
{
    struct request r = {.key = test_key(KEY_P256)};
    AUTO_BUF exts = BUF_INIT;
    AUTO_BUF attrs = BUF_INIT;
    size_t i;

    for (i = 0; i < n; i++) {
        AUTO_BUF value = BUF_INIT;

        add_hex(&value, rows[i].hex);
        add_ext(&exts, rows[i].id, false, der_buf(&value));
    }
    add_ext_request(&attrs, der_buf(&exts));
    r.attrs = der_buf(&attrs);
    return read_request(&r, flags, csr);
}

static void takes_every_kind_of_key(void **state)
{
    enum key_kind kind;

    (void)state;
    for (kind = 0; kind < KEY_KINDS; kind++) {
        struct request r = {.key = test_key(kind), .subject = "CN=leaf-7,O=Acme,C=US"};
        AUTO_CSR csr = CSR_INIT;
        AUTO_BUF text = BUF_INIT;

        assert_ok(read_request(&r, 0, &csr));
        assert_int_equal(csr.spki.kind, kind);
        assert_ok(name_to_text(csr.subject, &text, &err));
        assert_string_equal(buf_str(&text), "CN=leaf-7,O=Acme,C=US");
        assert_string_equal((char *)csr.notes.p, "");
        assert_int_equal(csr.sans.n, 0);
    }
}

static void other_digests(void **state)
{
    struct request r = {.key = test_key(KEY_P256), .digest = "SHA512"};
    AUTO_CSR csr = CSR_INIT;

    (void)state;
    r.alg = sigalg_by_text("ecdsa-with-SHA512")->id;
    assert_ok(read_request(&r, 0, &csr));
    assert_string_equal(csr.alg->text, "ecdsa-with-SHA512");
}

static void claims_and_notes(void **state)
{
    static const struct ext_row rows[] = {
        {OID_SAN, "30118209612e6578616d706c658704c0000201"},
        {OID_BASIC_CONSTRAINTS, "3000"},
        {OID_KEY_USAGE, "03020780"},
        {OID_EXT_KEY_USAGE, "300a06082b06010505070301"},
        {OID_TLS_FEATURE, "3003020105"},
    };
    AUTO_CSR csr = CSR_INIT;
    AUTO_BUF text = BUF_INIT;

    (void)state;
    assert_ok(read_with_exts(rows, 5, 0, &csr));
    san_to_text(&csr.sans, &text);
    assert_string_equal(buf_str(&text), "DNS:a.example, IP:192.0.2.1");
    assert_string_equal((char *)csr.notes.p, "basicConstraints, keyUsage, extKeyUsage, TLS feature");
}

#define EXT_BAD(name)                                                                                        \
    "request: extension " name ": RFC 5280 4.2: want one value of its type, have something else"
#define WANTS_CA(have) "request: RFC 5280 4.2.1.9: want a request for an end entity, have " have

static void refuses_extensions(void **state)
{
    static const struct {
        struct ext_row rows[2];
        const char *code, *msg;
    } rows[] = {
        {{{OID_BASIC_CONSTRAINTS, "30030101ff"}}, "CSR_WANTS_CA", WANTS_CA("basicConstraints cA TRUE")},
        {{{OID_BASIC_CONSTRAINTS, "3003020100"}}, "CSR_WANTS_CA",
            WANTS_CA("basicConstraints with a path length")},
        {{{OID_KEY_USAGE, "03020204"}}, "CSR_WANTS_CA", WANTS_CA("keyUsage keyCertSign")},
        {{{OID_KEY_USAGE, "03020102"}}, "CSR_WANTS_CA", WANTS_CA("keyUsage cRLSign")},
        {{{OID_SAN, "3003820161"}, {OID_SAN, "3003820162"}}, "CSR_DUP_EXT",
            "request: RFC 5280 4.2: want each extension once, have subjectAltName twice"},
        {{{OID_KEY_USAGE, "03020780"}, {OID_KEY_USAGE, "03020780"}}, "CSR_DUP_EXT",
            "request: RFC 5280 4.2: want each extension once, have keyUsage twice"},
        {{{OID_BASIC_CONSTRAINTS, "3001"}}, "CSR_EXT_BAD", EXT_BAD("basicConstraints")},
        {{{OID_BASIC_CONSTRAINTS, "0500"}}, "CSR_EXT_BAD", EXT_BAD("basicConstraints")},
        {{{OID_BASIC_CONSTRAINTS, "3003010100"}}, "CSR_EXT_BAD", EXT_BAD("basicConstraints")},
        {{{OID_KEY_USAGE, "030100"}}, "CSR_EXT_BAD", EXT_BAD("keyUsage")},
        {{{OID_KEY_USAGE, "03020680"}}, "CSR_EXT_BAD", EXT_BAD("keyUsage")},
        {{{OID_EXT_KEY_USAGE, "3000"}}, "CSR_EXT_BAD", EXT_BAD("extKeyUsage")},
        {{{OID_TLS_FEATURE, "ff"}}, "CSR_EXT_BAD", EXT_BAD("TLS feature")},
        {{{OID_TLS_FEATURE, "300302010500"}}, "CSR_EXT_BAD", EXT_BAD("TLS feature")},
        {{{OID_TLS_FEATURE, "30800201050000"}}, "DER_NOT_CANONICAL",
            "request: extension: TLS feature: X.690 10.1: want a definite length, have an indefinite one, at "
            "octet 0"},
        {{{OID_SAN, "3000"}}, "SAN_BAD", "request: SAN: RFC 5280 4.2.1.6: want at least one name, have none"},
        {{{OID_SAN, "30058203610062"}}, "SAN_BAD",
            "request: SAN DNS: RFC 5280 4.2.1.6: want text, have a NUL character in it"},
        {{{OID_SAN, "30078705c000020100"}}, "SAN_BAD",
            "request: SAN IP: RFC 5280 4.2.1.6: want 4 or 16 octets, have 5"},
        {{{OID_SAN, "3013a011060a2b060104018237140203a0030c01ff"}}, "SAN_UTF8",
            "request: SAN UPN: RFC 3629 3: want UTF-8, have other octets"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_CSR csr = CSR_INIT;

        assert_refused(
            read_with_exts(rows[i].rows, rows[i].rows[1].hex ? 2 : 1, 0, &csr), rows[i].code, rows[i].msg);
        assert_null(csr.der.p);
    }
}

static void ca_request_may_ask_for_it(void **state)
{
    static const struct ext_row rows[] = {{OID_BASIC_CONSTRAINTS, "30030101ff"}, {OID_KEY_USAGE, "03020106"}};
    AUTO_CSR csr = CSR_INIT;

    (void)state;
    assert_ok(read_with_exts(rows, 2, CSR_FOR_CA, &csr));
    assert_string_equal((char *)csr.notes.p, "basicConstraints, keyUsage");
}

/* X.690 11.5: critical FALSE is the default, and left out. */
static void critical_false_written_out(void **state)
{
    struct request r = {.key = test_key(KEY_P256)};
    AUTO_BUF exts = BUF_INIT;
    AUTO_BUF attrs = BUF_INIT;
    AUTO_CSR csr = CSR_INIT;

    (void)state;
    add_hex(&exts, "300e0603551d0f010100040403020780");
    add_ext_request(&attrs, der_buf(&exts));
    r.attrs = der_buf(&attrs);
    assert_refused(read_request(&r, 0, &csr), "DER_NOT_CANONICAL",
        "request: extensionRequest: X.690 11.5: want extensions, critical only when TRUE, have something "
        "else");
}

/* --- attributes --- */

static void attributes(void **state)
{
    struct request r = {.key = test_key(KEY_P256)};
    AUTO_BUF attrs = BUF_INIT;
    AUTO_CSR csr = CSR_INIT;

    (void)state;
    add_attr(&attrs, OID_UNSTRUCTURED_NAME, BYTES("\x0c\x01u"));
    add_attr(&attrs, OID_CHALLENGE_PASSWORD, BYTES("\x0c\x01p"));
    r.attrs = der_buf(&attrs);
    assert_ok(read_request(&r, 0, &csr));
    assert_string_equal((char *)csr.notes.p, "unstructuredName, challengePassword");
}

/* What programs in use add without being asked. */
static void attributes_of_others(void **state)
{
    static const struct {
        enum oid oid;
        const char *note;
    } rows[] = {
        {OID_FRIENDLY_NAME, "friendlyName"},
        {OID_MS_OS_VERSION, "Microsoft OS version"},
        {OID_MS_CLIENT_INFO, "Microsoft client info"},
        {OID_MS_ENROLMENT_CSP, "Microsoft enrolment CSP"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct request r = {.key = test_key(KEY_P256)};
        AUTO_BUF attrs = BUF_INIT;
        AUTO_CSR csr = CSR_INIT;

        add_attr(&attrs, rows[i].oid, BYTES("\x30\0"));
        r.attrs = der_buf(&attrs);
        assert_ok(read_request(&r, 0, &csr));
        assert_string_equal((char *)csr.notes.p, rows[i].note);
    }
}

static void refuses_attributes(void **state)
{
    static const struct {
        enum oid ids[2];
        struct der value;
        const char *code, *msg;
    } rows[] = {
        {{OID_EXTENSION_REQUEST, OID_EXTENSION_REQUEST},
            {(const uint8_t *)"\x30\x0d\x30\x0b\x06\x03\x55\x1d\x0f\x04"
                              "\x04\x03\x02\x07\x80",
                15},
            "CSR_DUP_ATTR", "request: RFC 2986 4.1: want each attribute once, have extensionRequest twice"},
        {{OID_CHALLENGE_PASSWORD, OID_CHALLENGE_PASSWORD}, {(const uint8_t *)"\x0c\x01p", 3}, "CSR_DUP_ATTR",
            "request: RFC 2986 4.1: want each attribute once, have challengePassword twice"},
        {{OID_MS_EXTENSION_REQUEST, OID_NONE}, {(const uint8_t *)"\x30\x00", 2}, "CSR_ATTR",
            "request: want extensionRequest and attributes known to ask for nothing, have Microsoft "
            "extension "
            "request"},
        {{OID_SAN, OID_NONE}, {(const uint8_t *)"\x16\x01x", 3}, "CSR_ATTR",
            "request: want extensionRequest and attributes known to ask for nothing, have subjectAltName"},
        {{OID_CHALLENGE_PASSWORD, OID_NONE}, {NULL, 0}, "CSR_ATTR",
            "request: attribute challengePassword: RFC 2985 5.4: want one value, have none or more"},
        {{OID_EXTENSION_REQUEST, OID_NONE}, {(const uint8_t *)"\x30\x00\x30\x00", 4}, "CSR_ATTR",
            "request: attribute extensionRequest: RFC 2985 5.4: want one value, have none or more"},
        {{OID_EXTENSION_REQUEST, OID_NONE}, {(const uint8_t *)"\x30\x00", 2}, "CSR_EXT_BAD",
            "request: extensionRequest: RFC 2985 5.4.2: want one sequence of extensions"},
        {{OID_EXTENSION_REQUEST, OID_CHALLENGE_PASSWORD}, {(const uint8_t *)"\x30\x00", 2},
            "DER_NOT_CANONICAL", "request: attributes: X.690 11.6: want ascending order, have another"},
    };
    size_t i, k;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct request r = {.key = test_key(KEY_P256)};
        AUTO_BUF attrs = BUF_INIT;
        AUTO_CSR csr = CSR_INIT;

        for (k = 0; k < 2 && rows[i].ids[k] != OID_NONE; k++)
            add_attr(&attrs, rows[i].ids[k], rows[i].value);
        r.attrs = der_buf(&attrs);
        assert_refused(read_request(&r, 0, &csr), rows[i].code, rows[i].msg);
    }
}

/* --- signature and key --- */

static void refuses_proofs(void **state)
{
    struct spki other = test_spki(other_key());
    struct request rows[] = {
        {.key = test_key(KEY_P256), .wrong_signature = true},
        {.key = test_key(KEY_P256), .spki = spki_der(&other)},
        {.key = test_key(KEY_RSA), .wrong_signature = true},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_CSR csr = CSR_INIT;

        assert_refused(read_request(&rows[i], 0, &csr), "CSR_SIG_BAD",
            "request: RFC 2986 4.2: signature: want proof that the key's owner asked, have a signature that "
            "does not "
            "verify");
    }
}

#define WEAK "request: signature algorithm: SP 800-57 5.6.1: want SHA-256, SHA-384 or SHA-512, have "

static void refuses_algorithms(void **state)
{
    static const struct {
        enum key_kind kind;
        const char *digest, *alg, *code, *msg;
    } rows[] = {
        {KEY_P256, "SHA1", "300906072a8648ce3d0401", "CSR_SIG_WEAK", WEAK "ecdsa-with-SHA1"},
        {KEY_RSA, "SHA1", "300d06092a864886f70d0101050500", "CSR_SIG_WEAK", WEAK "sha1WithRSAEncryption"},
        {KEY_RSA, "MD5", "300d06092a864886f70d0101040500", "CSR_SIG_WEAK", WEAK "md5WithRSAEncryption"},
        {KEY_P256, "SHA256", "300c06082a8648ce3d0403020500", "CSR_ALG_PARAMS",
            "request: signature algorithm: RFC 5758 3.2: want no parameters with ECDSA, have others"},
        {KEY_RSA, "SHA256", "300b06092a864886f70d01010b", "CSR_ALG_PARAMS",
            "request: signature algorithm: RFC 4055 5: want NULL parameters with RSA, have none"},
        {KEY_P256, "SHA256", "300506032b6570", "CSR_ALG",
            "request: signature algorithm: want ECDSA or RSA PKCS #1 v1.5 with SHA-256, SHA-384 or SHA-512, "
            "have Ed25519"},
        {KEY_P256, "SHA256", "300d06092a864886f70d01010b0500", "CSR_ALG",
            "request: signature algorithm: want one for an EC key, have sha256WithRSAEncryption"},
        {KEY_RSA, "SHA256", "300a06082a8648ce3d040302", "CSR_ALG",
            "request: signature algorithm: want one for an RSA key, have ecdsa-with-SHA256"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct request r = {.key = test_key(rows[i].kind), .digest = rows[i].digest};
        AUTO_BUF alg = BUF_INIT;
        AUTO_CSR csr = CSR_INIT;

        add_hex(&alg, rows[i].alg);
        r.alg = der_buf(&alg);
        assert_refused(read_request(&r, 0, &csr), rows[i].code, rows[i].msg);
    }
}

/* With e = 1 a signature is its own padded digest: anybody makes one, and OpenSSL says that it verifies. */
static void key_before_signature(void **state)
{
    struct spki spki = test_spki(test_key(KEY_RSA));
    struct request r = {.key = test_key(KEY_RSA)};
    AUTO_BUF key = BUF_INIT;
    AUTO_CSR csr = CSR_INIT;
    AUTO_BUF all = BUF_INIT;

    (void)state;
    der_add_integer(&key, spki.der + spki.n_at, spki.n_len);
    der_add_uint(&key, 1);
    der_close(&key, 0, DER_SEQUENCE);
    add_hex(&all, "300d06092a864886f70d0101010500");
    der_add_bits(&all, key.p, key.len);
    der_close(&all, 0, DER_SEQUENCE);
    r.spki = der_buf(&all);
    assert_refused(read_request(&r, 0, &csr), "KEY_EXPONENT",
        "request: public key: BR 6.1.6: want an RSA exponent of at least 65537, have 1");
}

static void refuses_keys(void **state)
{
    static const struct {
        const char *spki, *code, *msg;
    } rows[] = {
        {"3019301306072a8648ce3d020106082a8648ce3d03010703020000", "KEY_INVALID",
            "request: public key: SP 800-56A 5.6.2.3: want a point, have the point at infinity"},
        {"3039301306072a8648ce3d020106082a8648ce3d03010703220002"
         "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
            "KEY_COMPRESSED",
            "request: public key: RFC 5480 2.2: want an uncompressed point, have a compressed one"},
        {"3059301306072a8648ce3d020106082a8648ce3d03010703420004"
         "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
         "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
            "KEY_INVALID", "request: public key: SP 800-56A 5.6.2.3: want a point on P-256, have another"},
        {"302a300506032b65700321006b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
            "KEY_TYPE", "request: public key: BR 6.1.5: want an EC or RSA key, have Ed25519"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct request r = {.key = test_key(KEY_P256)};
        AUTO_BUF spki = BUF_INIT;
        AUTO_CSR csr = CSR_INIT;

        add_hex(&spki, rows[i].spki);
        r.spki = der_buf(&spki);
        assert_refused(read_request(&r, 0, &csr), rows[i].code, rows[i].msg);
    }
}

/* --- form --- */

static void refuses_version_1(void **state)
{
    struct request r = {.key = test_key(KEY_P256), .version = 1};
    AUTO_CSR csr = CSR_INIT;

    (void)state;
    assert_refused(
        read_request(&r, 0, &csr), "CSR_VERSION", "request: RFC 2986 4.1: version: want 0, have another");
}

static void refuses_names(void **state)
{
    static const struct {
        const char *name, *code, *msg;
    } rows[] = {
        {"3000", "NAME_EMPTY",
            "request: subject: RFC 5280 4.1.2.6: want a name or an alternative name, have neither"},
        {"300e310c300a06035504030c03610062", "NAME_NUL",
            "request: subject: CN: RFC 5280 4.1.2.4: want text, have a NUL character in it"},
        {"300e310c300a06035504030c03610a62", "NAME_CONTROL",
            "request: subject: CN: RFC 5280 4.1.2.4: want visible text, have the control character U+000A"},
        {"300c310a300806035504030c01ff", "NAME_UTF8",
            "request: subject: CN: RFC 3629 3: want UTF-8, have other octets"},
        {"300b3109300706035504030c00", "NAME_EMPTY",
            "request: subject: CN: RFC 5280 A.1: want at least one character, have none"},
        {"300c310a30080603550403140161", "NAME_STRING_TYPE",
            "request: subject: CN: RFC 5280 4.1.2.4: want UTF8String or PrintableString, have T61String"},
        {"300d310b300906035504031e020061", "NAME_STRING_TYPE",
            "request: subject: CN: RFC 5280 4.1.2.4: want UTF8String or PrintableString, have BMPString"},
        {"3018310a300806035504030c0161310a300806035504030c0162", "NAME_AMBIGUOUS",
            "request: subject: want one CN, have two"},
        {"30163114300806035504030c0161300806035504030c0162", "NAME_AMBIGUOUS",
            "request: subject: RFC 5280 4.1.2.4: want one attribute in each part, have a part with more"},
        {"300e310c300a06035504061303555341", "NAME_COUNTRY",
            "request: subject: C: RFC 5280 A.1: want 2 letters, have 3"},
        {"300c310a30080603550403130140", "NAME_CHARSET",
            "request: subject: CN: X.680 41.4: want PrintableString characters (letters, digits, space ' ( ) "
            "+ , - . / : = "
            "?), have U+0040"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct request r = {.key = test_key(KEY_P256)};
        AUTO_BUF name = BUF_INIT;
        AUTO_CSR csr = CSR_INIT;

        add_hex(&name, rows[i].name);
        r.name = der_buf(&name);
        assert_refused(read_request(&r, 0, &csr), rows[i].code, rows[i].msg);
    }
}

static void names_from_elsewhere(void **state)
{
    struct request r = {.key = test_key(KEY_P256), .subject = ""};
    static const struct ext_row rows[] = {{OID_SAN, "3003820161"}};
    AUTO_CSR csr = CSR_INIT;
    AUTO_CSR with_san = CSR_INIT;

    (void)state;
    assert_ok(read_request(&r, CSR_NAMES_GIVEN, &csr));
    assert_true(name_is_empty(csr.subject));
    assert_ok(read_with_exts(rows, 1, 0, &with_san));
}

static void refuses_leftovers_and_ber(void **state)
{
    struct request r = {.key = test_key(KEY_P256)};
    AUTO_BUF der = BUF_INIT;
    AUTO_BUF ber = BUF_INIT;
    AUTO_CSR csr = CSR_INIT;
    char want[128];
    size_t len;

    (void)state;
    request_make(&r, &der);
    len = der.len;
    buf_add(&der, "garbage", 7);
    snprintf(want, sizeof(want), "request: want nothing after %zu octets, have 7 more", len);
    assert_refused(csr_read(der.p, der.len, 0, &csr, &err), "DER_TRAILING", want);
    /* 30 81 xx ... as 30 82 00 xx ..., and as 30 80 ... 00 00 */
    assert_int_equal(der.p[1], 0x81);
    buf_add(&ber, "\x30\x82\x00", 3);
    buf_add(&ber, der.p + 2, len - 2);
    assert_refused(csr_read(ber.p, ber.len, 0, &csr, &err), "DER_NOT_CANONICAL",
        "request: X.690 10.1: want the shortest length, have a longer one, at octet 0");
    buf_reset(&ber);
    buf_add(&ber, "\x30\x80", 2);
    buf_add(&ber, der.p + 3, len - 3);
    buf_add(&ber, "\0\0", 2);
    assert_refused(csr_read(ber.p, ber.len, 0, &csr, &err), "DER_NOT_CANONICAL",
        "request: X.690 10.1: want a definite length, have an indefinite one, at octet 0");
    assert_refused(csr_read(der.p, len - 1, 0, &csr, &err), "DER_SYNTAX",
        "request: X.690 8.1: want a complete value, have one that ends early, at octet 0");
}

static void refuses_too_large(void **state)
{
    static uint8_t big[LIMIT_CSR + 1];
    AUTO_CSR csr = CSR_INIT;

    (void)state;
    big[0] = 0x30;
    assert_refused(csr_read(big, sizeof(big), 0, &csr, &err), "INPUT_TOO_LARGE",
        "request: want at most 65536 octets, have 65537");
}

/* Every prefix, and every octet changed: refused or, where the change is harmless, nothing; never a crash. */
static void survives_damage(void **state)
{
    static const struct ext_row rows[] = {{OID_SAN, "3003820161"}, {OID_KEY_USAGE, "03020780"}};
    struct request r = {.key = test_key(KEY_P256), .subject = "CN=a,O=b,C=US"};
    AUTO_BUF exts = BUF_INIT;
    AUTO_BUF attrs = BUF_INIT;
    AUTO_BUF der = BUF_INIT;
    size_t i, k;

    (void)state;
    for (i = 0; i < 2; i++) {
        AUTO_BUF value = BUF_INIT;

        add_hex(&value, rows[i].hex);
        add_ext(&exts, rows[i].id, false, der_buf(&value));
    }
    add_ext_request(&attrs, der_buf(&exts));
    r.attrs = der_buf(&attrs);
    request_make(&r, &der);
    for (i = 0; i < der.len; i++) {
        uint8_t *copy = malloc(der.len); /* exactly as long as what is read, for the address checker */
        AUTO_CSR csr = CSR_INIT;
        uint8_t *part = malloc(i + 1);

        assert_true(copy && part);
        memcpy(part, der.p, i);
        assert_int_equal(csr_read(part, i, 0, &csr, &err), -1);
        memcpy(copy, der.p, der.len);
        for (k = 1; k < 256; k = k * 2 + 1) {
            copy[i] = (uint8_t)(der.p[i] ^ k);
            assert_int_equal(csr_read(copy, der.len, 0, &csr, &err), -1);
            assert_int_not_equal(err.kind, P11CA_BUG);
        }
        free(copy);
        free(part);
    }
}

/* --- our own --- */

static void makes_one(void **state)
{
    enum key_kind kind;

    (void)state;
    for (kind = 0; kind < KEY_KINDS; kind++) {
        struct spki spki = test_spki(test_key(kind));
        AUTO_BUF name = BUF_INIT;
        AUTO_BUF der = BUF_INIT;
        AUTO_CSR csr = CSR_INIT;

        assert_ok(name_from_text("CN=Acme Factory CA 1,O=Acme,C=US", &name, &err));
        assert_ok(csr_make(test_key(kind), der_buf(&name), &spki, &der, &err));
        assert_ok(csr_read(der.p, der.len, CSR_FOR_CA, &csr, &err));
        assert_true(der_equal(csr.subject, der_buf(&name)));
        assert_true(spki_equal(&csr.spki, &spki));
    }
}

static void never_gives_out_a_bad_one(void **state)
{
    struct spki other = test_spki(other_key());
    AUTO_BUF der = BUF_INIT;

    (void)state;
    assert_int_equal(csr_make(test_key(KEY_P256), BYTES("\x30\0"), &other, &der, &err), -1);
    assert_string_equal(
        err.msg, "request: want a signature by the key that is asked for, have one that does not verify");
    assert_int_equal(err.kind, P11CA_BUG);
    assert_int_equal(der.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_every_kind_of_key),
        cmocka_unit_test(other_digests),
        cmocka_unit_test(claims_and_notes),
        cmocka_unit_test(refuses_extensions),
        cmocka_unit_test(ca_request_may_ask_for_it),
        cmocka_unit_test(critical_false_written_out),
        cmocka_unit_test(attributes),
        cmocka_unit_test(attributes_of_others),
        cmocka_unit_test(refuses_attributes),
        cmocka_unit_test(refuses_proofs),
        cmocka_unit_test(refuses_algorithms),
        cmocka_unit_test(key_before_signature),
        cmocka_unit_test(refuses_keys),
        cmocka_unit_test(refuses_version_1),
        cmocka_unit_test(refuses_names),
        cmocka_unit_test(names_from_elsewhere),
        cmocka_unit_test(refuses_leftovers_and_ber),
        cmocka_unit_test(refuses_too_large),
        cmocka_unit_test(survives_damage),
        cmocka_unit_test(makes_one),
        cmocka_unit_test(never_gives_out_a_bad_one),
    };

    return test_done(cmocka_run_group_tests(tests, NULL, NULL));
}
