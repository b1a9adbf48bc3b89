/* SPIFFE: the grammar of IDs (SPIFFE-ID 2), and what a leaf must be (X509-SVID 2, 4 and 5.2). */
#include "auth_help.h"

#include <stdio.h>

#define BOTH    "301406082b0601050507030106082b06010505070302"
#define GRAMMAR "SPIFFE-ID 2: want "

static void takes(void **state)
{
    static const struct {
        const char *uri, *text, *domain, *path;
    } rows[] = {
        {"spiffe://example.org/ns/prod/sa/web", NULL, "example.org", "/ns/prod/sa/web"},
        {"spiffe://a/b", NULL, "a", "/b"},
        {"spiffe://a_b.c-d.1/A.b/-_/...", NULL, "a_b.c-d.1", "/A.b/-_/..."},
        {"SPIFFE://example.org/A", "spiffe://example.org/A", "example.org", "/A"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct leaf l = {.san = uri_hex(rows[i].uri), .eku = BOTH};
        AUTO_IDENTITY id = leaf_identity(&l);
        const struct p11ca_identity_facts *f = p11ca_identity_facts(id);

        assert_int_equal(f->names[0].kind, P11CA_NAME_SPIFFE);
        assert_string_equal(f->names[0].text, rows[i].text ? rows[i].text : rows[i].uri);
        assert_string_equal(f->trust_domain, rows[i].domain);
        assert_string_equal(f->path, rows[i].path);
    }
}

static int read_id(const char *uri)
{
    const struct leaf l = {.san = uri_hex(uri), .eku = BOTH};
    AUTO_IDENTITY id = NULL;

    return leaf_read(&l, &id);
}

static void refuses_ids(void **state)
{
    static const char domain[] = "a trust domain of lower-case letters, digits, dot, dash, underscore",
                      path[] = "path segments of letters, digits, dot, dash, underscore",
                      segment[] = "path segments that are not empty, . or ..",
                      shape[] = "spiffe://TRUST-DOMAIN/PATH",
                      length[] = "a trust domain of 1 to 255 characters";
    static const struct {
        const char *uri, *want;
    } rows[] = {
        {"spiffe:example.org/a", shape},
        {"spiffe:/example.org/a", shape},
        {"spiffe://", shape},
        {"spiffe:///a", length},
        {"spiffe://Example.org/a", domain},
        {"spiffe://example.org:443/a", domain},
        {"spiffe://u@example.org/a", domain},
        {"spiffe://u:p@example.org/a", domain},
        {"spiffe://%65xample.org/a", domain},
        {"spiffe://[::1]/a", domain},
        {"spiffe://example.org?a", domain},
        {"spiffe://example.org#a", domain},
        {"spiffe://example.org/", segment},
        {"spiffe://example.org/a/", segment},
        {"spiffe://example.org//a", segment},
        {"spiffe://example.org/./a", segment},
        {"spiffe://example.org/a/..", segment},
        {"spiffe://example.org/%61", path},
        {"spiffe://example.org/a b", path},
        {"spiffe://example.org/a?b", path},
        {"spiffe://example.org/a#b", path},
        {"spiffe://example.org/a*", path},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char msg[256];

        snprintf(msg, sizeof(msg), "SAN URI '%s': " GRAMMAR "%s", rows[i].uri, rows[i].want);
        assert_refused(read_id(rows[i].uri), "SPIFFE_ID", msg);
    }
}

/* SPIFFE-ID 2.1: 255 octets of trust domain; 2.3: at least 2,048 of all. */
static void lengths(void **state)
{
    char uri[2050];

    (void)state;
    memset(uri, 'a', sizeof(uri));
    memcpy(uri, "spiffe://", 9);
    uri[9 + 255] = '/';
    uri[2048] = '\0';
    assert_ok(read_id(uri));
    uri[9 + 255] = 'a';
    uri[9 + 256] = '/';
    assert_int_equal(read_id(uri), -1);
    assert_string_equal(err.code, "SPIFFE_ID");
    assert_non_null(strstr(err.msg, "want a trust domain of 1 to 255 characters"));
    uri[9 + 255] = '/';
    uri[9 + 256] = 'a';
    uri[2048] = 'a';
    uri[2049] = '\0';
    assert_refused(read_id(uri), "SAN_BAD", "SAN URI: want at most 2048 octets, have 2049");
}

#define SPIFFE_AB                                                                                            \
    "86"                                                                                                     \
    "0c"                                                                                                     \
    "7370696666653a2f2f612f62"
#define LEAF "certificate: X509-SVID "

static void refuses_leaves(void **state)
{
    static const struct {
        const char *code, *msg;
        struct leaf leaf;
    } rows[] = {
        /* 2: any further URI, of whatever scheme, and the same one twice, too */
        {"SPIFFE_URIS", LEAF "2: SAN: want one URI and no other beside a SPIFFE ID, have 2 of them",
            {.san = "301c" SPIFFE_AB SPIFFE_AB}},
        {"SPIFFE_URIS", LEAF "2: SAN: want one URI and no other beside a SPIFFE ID, have 2 of them",
            {.san = "3017" SPIFFE_AB "860775726e3a613a62"}},
        {"SPIFFE_URIS", LEAF "2: SAN: want one URI and no other beside a SPIFFE ID, have 2 of them",
            {.san = "303d" SPIFFE_AB
                    "862d75726e3a757569643a66383164346661652d376465632d313164302d613736352d303061"
                    "306339316536626636"}},
        /* 5.2: a path */
        {"SPIFFE_PATH", LEAF "5.2: SPIFFE ID: want a path in a leaf, have none",
            {.san = "300c860a7370696666653a2f2f61"}},
        /* 4.1, 5.2: no CA */
        {"IDENT_CA", "certificate: RFC 5280 4.2.1.9: basicConstraints: want an end entity, have a CA",
            {.san = "300e" SPIFFE_AB, .bc = "30030101ff"}},
        /* 4.3: key usage there, critical, with digitalSignature; 5.2: without these two */
        {"SPIFFE_KEY_USAGE", LEAF "4.3: keyUsage: want it, have none", {.san = "300e" SPIFFE_AB, .ku = NONE}},
        {"SPIFFE_KEY_USAGE", LEAF "4.3: keyUsage: want it critical, have it not",
            {.san = "300e" SPIFFE_AB, .ku_not_critical = true}},
        {"SPIFFE_KEY_USAGE", LEAF "4.3: keyUsage: want digitalSignature, have it not",
            {.san = "300e" SPIFFE_AB, .ku = "03020308"}},
        {"SPIFFE_KEY_USAGE",
            LEAF "5.2: keyUsage: want neither keyCertSign nor cRLSign in a leaf, have one of them",
            {.san = "300e" SPIFFE_AB, .ku = "03020182"}},
        {"CERT_KEY_USAGE",
            "certificate: RFC 5280 4.2.1.3: keyUsage: want keyCertSign in a CA certificate only, have it in "
            "an "
            "end entity's",
            {.san = "300e" SPIFFE_AB, .ku = "03020284"}},
        /* 4.4: both usages when there are any */
        {"SPIFFE_EKU",
            LEAF "4.4: extKeyUsage: want both serverAuth and clientAuth when it is there, have not both",
            {.san = "300e" SPIFFE_AB}},
        {"SPIFFE_EKU",
            LEAF "4.4: extKeyUsage: want both serverAuth and clientAuth when it is there, have not both",
            {.san = "300e" SPIFFE_AB, .eku = "300a06082b06010505070301"}},
        /* 4: an empty subject makes the SAN critical */
        {"CERT_NAMELESS",
            "certificate: RFC 5280 4.2.1.6: SAN: want it critical beside an empty subject, have it "
            "not",
            {.subject = "", .san = "300e" SPIFFE_AB, .eku = BOTH}},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_IDENTITY id = NULL;

        assert_refused(leaf_read(&rows[i].leaf, &id), rows[i].code, rows[i].msg);
    }
}

static void takes_leaves(void **state)
{
    static const struct leaf leaves[] = {
        {.san = "300e" SPIFFE_AB, .eku = NONE},
        {.san = "300e" SPIFFE_AB, .eku = BOTH, .ku = "030205a0"},
        {.san = "300e" SPIFFE_AB, .eku = BOTH, .ku = "03020388"},
        {.san = "3019" SPIFFE_AB "8209612e6578616d706c65", .eku = BOTH},
        {.subject = "", .san = "300e" SPIFFE_AB, .san_critical = true, .eku = BOTH},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
        AUTO_IDENTITY id = leaf_identity(&leaves[i]);

        assert_string_equal(p11ca_identity_facts(id)->path, "/b");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes),
        cmocka_unit_test(refuses_ids),
        cmocka_unit_test(lengths),
        cmocka_unit_test(refuses_leaves),
        cmocka_unit_test(takes_leaves),
    };

    return test_done(cmocka_run_group_tests(tests, NULL, NULL));
}
