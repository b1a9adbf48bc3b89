/* RFC 8705 thumbprints and RFC 9440 header fields. */
#include "auth_help.h"

#include <stdio.h>
#include <stdlib.h>

#include "auth/base64.h"
#include "x509/pem.h"

/* RFC 8705 Appendix A */
static const char cnf[] = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";
static const char base64[] =
    "MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAxODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsG"
    "A1UEAwwEbXRsczBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ/Au08/coZwxS7LfA"
    "4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwIDSQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA"
    "5x2eXZOVbUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=";

static struct p11ca_identity *appendix_a(void)
{
    struct p11ca_identity *id = NULL;
    AUTO_BUF der = BUF_INIT;

    assert_int_equal(base64_decode(base64, strlen(base64), &der), 0);
    assert_ok(p11ca_identity_read(der.p, der.len, &id, &err));
    return id;
}

static void known_answer_of_rfc8705(void **state)
{
    char have[P11CA_THUMBPRINT];
    AUTO_BUF der = BUF_INIT;
    AUTO_IDENTITY id = appendix_a();

    (void)state;
    assert_int_equal(base64_decode(base64, strlen(base64), &der), 0);
    assert_ok(p11ca_thumbprint(der.p, der.len, have, &err));
    assert_string_equal(have, cnf);
    assert_ok(p11ca_thumbprint_verify(id, cnf, strlen(cnf), &err));
}

static void refuses_what_is_no_thumbprint(void **state)
{
    static const char *const rows[] = {
        "", "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0=", /* padding */
        "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v",       /* short */
        "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v00",     /* long */
        "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v1", /* bits left over: another spelling of the same octets */
        "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v+", /* the other alphabet */
        " 4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0",
        "0380ed2f626650c840b2f263e6d2b29fae12ab39ae5db32b25ad27efad72e6fd", /* hexadecimal */
    };
    static const char msg[] =
        "thumbprint: RFC 8705 3.1: want 43 characters of base64url without padding, have something else";
    AUTO_IDENTITY id = appendix_a();
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_refused(p11ca_thumbprint_verify(id, rows[i], strlen(rows[i]), &err), "THUMBPRINT_SYNTAX", msg);
    assert_refused(p11ca_thumbprint_verify(id, cnf, sizeof(cnf), &err), "THUMBPRINT_SYNTAX", msg);
}

/* Each of the 43 characters counts: neither a prefix nor a folded case is enough, as it is with == on something else. */
static void fail_open_thumbprints_are_compared_whole(void **state)
{
    AUTO_IDENTITY id = appendix_a();
    char other[sizeof(cnf)];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cnf) - 1; i++) {
        memcpy(other, cnf, sizeof(cnf));
        other[i] = other[i] == 'A' ? 'E' : 'A';
        assert_negative(p11ca_thumbprint_verify(id, other, sizeof(cnf) - 1, &err), "THUMBPRINT_MISMATCH",
            "thumbprint: RFC 8705 3: want that of the client's certificate, have another");
    }
}

static void base64_both_ways(void **state)
{
    uint8_t octets[P11CA_SHA256], back[P11CA_SHA256];
    char text[P11CA_THUMBPRINT];
    size_t i, k;

    (void)state;
    for (i = 0; i < 256; i++) {
        for (k = 0; k < sizeof(octets); k++)
            octets[k] = (uint8_t)(i * 7 + k * i);
        base64url_of_sha256(octets, text);
        assert_int_equal(base64url_to_sha256(text, strlen(text), back), 0);
        assert_memory_equal(octets, back, sizeof(back));
    }
}

/* --- RFC 9440 --- */

static int read_field(const char *value)
{
    AUTO_IDENTITY id = NULL;

    memset(&err, 0, sizeof(err));
    return p11ca_client_cert_read(value, strlen(value), &id, &err);
}

static void reads_a_client_cert_field(void **state)
{
    char value[1024];

    (void)state;
    snprintf(value, sizeof(value), ":%s:", base64);
    assert_ok(read_field(value));
}

#define FIELD(name) name ": RFC 9440 2: want a certificate as :BASE64: and nothing else, have something else"

static void refuses_client_cert_fields(void **state)
{
    static const char *const formats[] = {
        "",
        ":",
        "::",
        "%s", /* no colons */
        ":%s",
        "%s:",
        " :%s:",
        ":%s: ",
        ": %s:",
        ":%s:;a=b", /* parameters */
        ":%s:,",
        ":%s:, :AAAA:", /* a list */
        "(:%s:)",
        "\"%s\"",
        "::%s::",
        ":%s=:",
        ":%s\n:",
        "-----BEGIN CERTIFICATE-----%s-----END CERTIFICATE-----",
        ":LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t=:",
        "%%3A%s%%3A",
    };
    char value[1024];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(value, sizeof(value), formats[i], base64);
#pragma GCC diagnostic pop
        assert_refused(read_field(value), "HEADER_SYNTAX", FIELD("Client-Cert"));
    }
}

static void refuses_other_base64(void **state)
{
    char value[1024];
    size_t len;

    (void)state;
    len = (size_t)snprintf(value, sizeof(value), ":%s:", base64);
    value[len - 2] = 'A'; /* one octet more, which no certificate has */
    assert_refused(read_field(value), "DER_TRAILING",
        "Client-Cert: certificate: want nothing after 266 octets, have 1 more");
    value[len - 2] = '=';
    value[len - 3] = 'Z'; /* bits left over */
    assert_refused(read_field(value), "HEADER_SYNTAX", FIELD("Client-Cert"));
    value[len - 3] = '%';
    assert_refused(read_field(value), "HEADER_SYNTAX", FIELD("Client-Cert"));
    assert_refused(
        read_field(":AAAA:"), "INPUT_TYPE", "Client-Cert: want a certificate in DER, have something else");
    assert_refused(read_field(":MAA=:"), "CERT_SYNTAX",
        "Client-Cert: certificate: RFC 5280 4.1: want Certificate, have something else");
}

static void limits_of_fields(void **state)
{
    struct p11ca_identity *id = NULL;
    struct p11ca_chain *chain = NULL;
    char *value = calloc(1, LIMIT_CHAIN_FIELD + 1);

    (void)state;
    assert_non_null(value);
    memset(value, 'A', LIMIT_CHAIN_FIELD + 1);
    assert_refused(p11ca_client_cert_read(value, LIMIT_CERT_FIELD + 1, &id, &err), "HEADER_TOO_LONG",
        "Client-Cert: want at most 24576 octets, have 24577");
    assert_refused(p11ca_client_cert_chain_read(value, LIMIT_CHAIN_FIELD + 1, &chain, &err),
        "HEADER_TOO_LONG", "Client-Cert-Chain: want at most 65536 octets, have 65537");
    free(value);
}

static int read_chain(const char *between, size_t n, const char *end, struct p11ca_chain **ret)
{
    AUTO_BUF value = BUF_INIT;
    size_t i;

    for (i = 0; i < n; i++)
        buf_addf(&value, "%s:%s:", i ? between : "", base64);
    buf_adds(&value, end);
    assert_true(buf_ok(&value));
    memset(&err, 0, sizeof(err));
    return p11ca_client_cert_chain_read(value.p ? (char *)value.p : "", value.len, ret, &err);
}

static void reads_chains(void **state)
{
    static const char *const commas[] = {",", ", ", " ,", "\t, \t"};
    struct p11ca_chain *chain = NULL;
    size_t i, len = 0;

    (void)state;
    for (i = 0; i < 4; i++) {
        assert_ok(read_chain(commas[i], 3, "", &chain));
        assert_int_equal(p11ca_chain_count(chain), 3);
        assert_non_null(p11ca_chain_at(chain, 2, &len));
        assert_int_equal(len, 266);
        assert_null(p11ca_chain_at(chain, 3, &len));
        p11ca_chain_free(chain);
    }
    assert_ok(read_chain(",", LIMIT_CHAIN, "", &chain));
    p11ca_chain_free(chain);
    p11ca_chain_free(NULL);
}

static void refuses_chains(void **state)
{
    struct p11ca_chain *chain = NULL;

    (void)state;
    assert_refused(read_chain("", 0, "", &chain), "HEADER_SYNTAX", FIELD("Client-Cert-Chain"));
    assert_refused(read_chain("", 2, "", &chain), "HEADER_SYNTAX", FIELD("Client-Cert-Chain"));
    assert_refused(read_chain(" ", 2, "", &chain), "HEADER_SYNTAX", FIELD("Client-Cert-Chain"));
    assert_refused(read_chain(",,", 2, "", &chain), "HEADER_SYNTAX", FIELD("Client-Cert-Chain"));
    assert_refused(read_chain(",", 2, ",", &chain), "HEADER_SYNTAX", FIELD("Client-Cert-Chain"));
    assert_refused(read_chain(",", 2, ";a", &chain), "HEADER_SYNTAX", FIELD("Client-Cert-Chain"));
    assert_refused(read_chain(",", 1, ",:AAAA:", &chain), "HEADER_SYNTAX", FIELD("Client-Cert-Chain"));
    assert_refused(read_chain(",", 1, ",:MAA=:", &chain), "CERT_SYNTAX",
        "Client-Cert-Chain: certificate: RFC 5280 4.1: want Certificate, have something else");
    assert_refused(read_chain(",", LIMIT_CHAIN + 1, "", &chain), "CHAIN_TOO_LONG",
        "Client-Cert-Chain: chain: want at most 10 certificates, have more");
    assert_null(chain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answer_of_rfc8705),
        cmocka_unit_test(refuses_what_is_no_thumbprint),
        cmocka_unit_test(fail_open_thumbprints_are_compared_whole),
        cmocka_unit_test(base64_both_ways),
        cmocka_unit_test(reads_a_client_cert_field),
        cmocka_unit_test(refuses_client_cert_fields),
        cmocka_unit_test(refuses_other_base64),
        cmocka_unit_test(limits_of_fields),
        cmocka_unit_test(reads_chains),
        cmocka_unit_test(refuses_chains),
    };

    return test_done(cmocka_run_group_tests(tests, NULL, NULL));
}
