/* Input files: one object, PEM or DER, of the wanted type. */
#include "x509_help.h"

#include "x509/pem.h"

static void request(struct buf *der)
{
    struct request r = {.key = test_key(KEY_P256)};

    request_make(&r, der);
}

static void encodes(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {{"f", "Zg==\n"}, {"fo", "Zm8=\n"}, {"foo", "Zm9v\n"}};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF b = BUF_INIT;
        AUTO_BUF want = BUF_INIT;

        pem_encode(PEM_CERT, DER_OF((const uint8_t *)rows[i].in, strlen(rows[i].in)), &b);
        buf_addf(&want, "-----BEGIN CERTIFICATE-----\n%s-----END CERTIFICATE-----\n", rows[i].out);
        assert_string_equal(buf_str(&b), buf_str(&want));
    }
}

static void takes(void **state)
{
    static const struct {
        const char *before, *label, *after;
    } rows[] = {{"", "CERTIFICATE REQUEST", ""}, {"", "NEW CERTIFICATE REQUEST", "\r\n \n"},
        {"Certificate Request:\n  Data: ...\n", "CERTIFICATE REQUEST", ""},
        {"0 text\n", "CERTIFICATE REQUEST", ""}};
    AUTO_BUF der = BUF_INIT;
    AUTO_BUF out = BUF_INIT;
    size_t i;

    (void)state;
    request(&der);
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF pem = BUF_INIT;
        AUTO_BUF text = BUF_INIT;
        const char *body, *end;

        pem_encode(PEM_CSR, der_buf(&der), &pem);
        body = strchr(buf_str(&pem), '\n');
        end = strstr(body, "-----END");
        buf_addf(&text, "%s-----BEGIN %s-----%.*s-----END %s-----%s", rows[i].before, rows[i].label,
            (int)(end - body), body, rows[i].label, rows[i].after);
        buf_reset(&out);
        assert_ok(pem_decode(text.p, text.len, PEM_CSR, &out, &err));
        assert_true(der_equal(der_buf(&der), der_buf(&out)));
    }
    buf_reset(&out);
    assert_ok(pem_decode(der.p, der.len, PEM_CSR, &out, &err));
    assert_true(der_equal(der_buf(&der), der_buf(&out)));
}

#define CSR_BEGIN    "-----BEGIN CERTIFICATE REQUEST-----\n"
#define CSR_END      "-----END CERTIFICATE REQUEST-----\n"
#define BLOCK(label) "-----BEGIN " label "-----\nAAAA\n-----END " label "-----\n"

static void refuses_text(void **state)
{
    static const struct {
        const char *text, *code, *msg;
    } rows[] = {
        {"", "INPUT_TYPE", "want a certificate request, have nothing"},
        {"hello\n", "INPUT_TYPE", "want a certificate request in PEM or DER, have neither"},
        {CSR_BEGIN "MAA=\n" CSR_END CSR_BEGIN "MAA=\n" CSR_END, "PEM_MULTI", "want one PEM block, have more"},
        {CSR_BEGIN "MAA=\n" CSR_END BLOCK("CERTIFICATE"), "PEM_MULTI", "want one PEM block, have more"},
        {CSR_BEGIN "MAA=\n" CSR_END "more", "PEM_SYNTAX",
            "RFC 7468 3: want nothing after the END line, have something"},
        {CSR_BEGIN "MAA=\n", "PEM_SYNTAX", "RFC 7468 3: want an END line of the same label, have none"},
        {CSR_BEGIN "MAA=\n-----END CERTIFICATE-----\n", "PEM_SYNTAX",
            "RFC 7468 3: want an END line of the same label, have none"},
        {CSR_BEGIN CSR_END, "PEM_SYNTAX",
            "RFC 7468 3: want base64 in the block, have other characters or broken padding"},
        {CSR_BEGIN "MA=\n" CSR_END, "PEM_SYNTAX",
            "RFC 7468 3: want base64 in the block, have other characters or broken padding"},
        {CSR_BEGIN "M===\n" CSR_END, "PEM_SYNTAX",
            "RFC 7468 3: want base64 in the block, have other characters or broken padding"},
        {CSR_BEGIN "MAA=MAA=\n" CSR_END, "PEM_SYNTAX",
            "RFC 7468 3: want base64 in the block, have other characters or broken padding"},
        {CSR_BEGIN "MAB=\n" CSR_END, "PEM_SYNTAX",
            "RFC 7468 3: want base64 in the block, have other characters or broken padding"},
        {CSR_BEGIN "MA-_\n" CSR_END, "PEM_SYNTAX",
            "RFC 7468 3: want base64 in the block, have other characters or broken padding"},
        {CSR_BEGIN "Proc-Type: 4,ENCRYPTED\n\nMAA=\n" CSR_END, "PEM_SYNTAX",
            "RFC 7468 3: want base64 in the block, have other characters or broken padding"},
        {"x-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n" CSR_END, "PEM_SYNTAX",
            "RFC 7468 3: want BEGIN at the start of a line"},
        {BLOCK("CERTIFICATE"), "INPUT_TYPE", "want a certificate request, have a certificate"},
        {BLOCK("PUBLIC KEY"), "INPUT_TYPE", "want a certificate request, have a public key"},
        {BLOCK("X509 CRL"), "INPUT_TYPE", "want a certificate request, have a CRL"},
        {BLOCK("PKCS7"), "INPUT_TYPE", "want a certificate request, have a block 'PKCS7'"},
        {BLOCK("PRIVATE KEY"), "PRIVATE_KEY_SEEN",
            "want no private key in an input file, have one: treat it as disclosed"},
        {BLOCK("EC PRIVATE KEY"), "PRIVATE_KEY_SEEN",
            "want no private key in an input file, have one: treat it as disclosed"},
        {BLOCK("ENCRYPTED PRIVATE KEY"), "PRIVATE_KEY_SEEN",
            "want no private key in an input file, have one: treat it as disclosed"},
        {CSR_BEGIN "MAA=\n" CSR_END BLOCK("RSA PRIVATE KEY"), "PRIVATE_KEY_SEEN",
            "want no private key in an input file, have one: treat it as disclosed"},
        {"0" BLOCK("RSA PRIVATE KEY"), "PRIVATE_KEY_SEEN",
            "want no private key in an input file, have one: treat it as disclosed"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF out = BUF_INIT;

        assert_refused(pem_decode((const uint8_t *)rows[i].text, strlen(rows[i].text), PEM_CSR, &out, &err),
            rows[i].code, rows[i].msg);
        assert_int_equal(out.len, 0);
    }
}

static void says_what_der_is(void **state)
{
    struct spki spki = test_spki(test_key(KEY_RSA));
    AUTO_BUF csr = BUF_INIT;
    AUTO_BUF out = BUF_INIT;
    AUTO_BUF key = BUF_INIT;
    uint8_t *p = NULL;
    int len;

    (void)state;
    request(&csr);
    assert_refused(
        pem_decode(test_root()->issuer->cert.p, test_root()->issuer->cert.len, PEM_CSR, &out, &err),
        "INPUT_TYPE", "want a certificate request, have a certificate");
    assert_refused(pem_decode(csr.p, csr.len, PEM_CERT, &out, &err), "INPUT_TYPE",
        "want a certificate, have a certificate request");
    assert_refused(pem_decode(spki.der, spki.len, PEM_CSR, &out, &err), "INPUT_TYPE",
        "want a certificate request, have a public key");
    assert_refused(pem_decode(spki.der + spki.key_at, spki.key_len, PEM_PUBKEY, &out, &err), "INPUT_TYPE",
        "want a public key, have a bare RSA public key");
    len = i2d_PrivateKey(test_key(KEY_P256), &p);
    assert_true(len > 0);
    assert_refused(pem_decode(p, (size_t)len, PEM_CSR, &out, &err), "PRIVATE_KEY_SEEN",
        "want no private key in an input file, have one: treat it as disclosed");
    OPENSSL_free(p);
    p = NULL;
    len = i2d_PrivateKey(test_key(KEY_RSA), &p);
    assert_true(len > 0);
    assert_refused(pem_decode(p, (size_t)len, PEM_PUBKEY, &out, &err), "PRIVATE_KEY_SEEN",
        "want no private key in an input file, have one: treat it as disclosed");
    /* the same behind a wrong label */
    pem_encode(PEM_CSR, DER_OF(p, (size_t)len), &key);
    OPENSSL_free(p);
    assert_refused(pem_decode(key.p, key.len, PEM_CSR, &out, &err), "PRIVATE_KEY_SEEN",
        "want no private key in an input file, have one: treat it as disclosed");
}

static void takes_a_bundle_apart(void **state)
{
    AUTO_BUF der = BUF_INIT;
    AUTO_BUF text = BUF_INIT;
    AUTO_BUF out = BUF_INIT;
    struct der in;
    int i;

    (void)state;
    request(&der);
    for (i = 0; i < 3; i++) {
        buf_addf(&text, "request %d\n", i);
        pem_encode(PEM_CSR, der_buf(&der), &text);
    }
    in = der_buf(&text);
    for (i = 0; i < 3; i++) {
        buf_reset(&out);
        assert_int_equal(pem_next(&in, PEM_CSR, &out, &err), 1);
        assert_true(der_equal(der_buf(&der), der_buf(&out)));
    }
    assert_int_equal(pem_next(&in, PEM_CSR, &out, &err), 0);
}

static void software_key(void **state)
{
    AUTO_SECRET pem = SECRET_INIT;
    EVP_PKEY *key = NULL;

    (void)state;
    assert_ok(key_to_pem(test_key(KEY_P256), &pem, &err));
    assert_int_equal(strncmp(pem.p, "-----BEGIN PRIVATE KEY-----\n", 28), 0);
    assert_int_equal(strlen(pem.p), pem.len);
    assert_refused(key_new(KEY_RSA, 1024, &key, &err), "KEY_SHAPE",
        "new key: BR 6.1.5: want RSA of 2048 to 8192 bits, a multiple of 8, have 1024");
    assert_null(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes),
        cmocka_unit_test(takes),
        cmocka_unit_test(refuses_text),
        cmocka_unit_test(says_what_der_is),
        cmocka_unit_test(takes_a_bundle_apart),
        cmocka_unit_test(software_key),
    };

    return test_done(cmocka_run_group_tests(tests, NULL, NULL));
}
