/* Alternative names: the grammar of each kind, lists, GeneralNames. */
#include "x509_help.h"

#include <stdio.h>

#include "x509/san.h"

static void takes(void **state)
{
    static const struct {
        enum san_type type;
        const char *text, *kept;
    } rows[] = {
        {SAN_DNS, "a.example", NULL},
        {SAN_DNS, "localhost", NULL},
        {SAN_DNS, "XN--Bcher-KVA.Example", NULL},
        {SAN_DNS, "*.a.example", NULL},
        {SAN_DNS, "1.a.example", NULL},
        {SAN_DNS, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk.example", NULL},
        {SAN_IP, "192.0.2.1", NULL},
        {SAN_IP, "2001:DB8:0::1", "2001:db8::1"},
        {SAN_URI, "https://a.example/b?c#d", NULL},
        {SAN_URI, "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", NULL},
        {SAN_URI, "spiffe://example.org/ns/prod/sa/web", NULL},
        {SAN_URI, "a:%20", NULL},
        {SAN_EMAIL, "a.b+c@mail.example", NULL},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_SANS list = SAN_LIST_INIT;

        assert_ok(san_add(&list, rows[i].type, rows[i].text, &err));
        assert_int_equal(list.n, 1);
        assert_string_equal(list.v[0].text, rows[i].kept ? rows[i].kept : rows[i].text);
        assert_true(san_has(&list, rows[i].type, rows[i].text));
    }
}

#define R "RFC 5280 4.2.1.6: want "

static void refuses(void **state)
{
    static const struct {
        enum san_type type;
        const char *text, *msg;
    } rows[] = {
        {SAN_DNS, "", "SAN DNS '': " R "at least one character"},
        {SAN_DNS, "a.example.",
            "SAN DNS 'a.example.': " R "labels of at least one character (no dot at either end)"},
        {SAN_DNS, ".a.example",
            "SAN DNS '.a.example': " R "labels of at least one character (no dot at either end)"},
        {SAN_DNS, "a..example",
            "SAN DNS 'a..example': " R "labels of at least one character (no dot at either end)"},
        {SAN_DNS, "a_b.example",
            "SAN DNS 'a_b.example': " R "labels of letters, digits and hyphens (others in their xn-- form)"},
        {SAN_DNS, "b\xc3\xbc.example",
            "SAN DNS 'b\xc3\xbc.example': " R
            "labels of letters, digits and hyphens (others in their xn-- form)"},
        {SAN_DNS, "a b.example",
            "SAN DNS 'a b.example': " R "labels of letters, digits and hyphens (others in their xn-- form)"},
        {SAN_DNS, "-a.example",
            "SAN DNS '-a.example': " R "labels that begin and end with a letter or digit"},
        {SAN_DNS, "a-.example",
            "SAN DNS 'a-.example': " R "labels that begin and end with a letter or digit"},
        {SAN_DNS, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl.example",
            "SAN DNS 'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl.example': " R
            "labels of at most 63 characters"},
        {SAN_DNS, "*", "SAN DNS '*': " R "a wildcard only as the complete left-most label"},
        {SAN_DNS, "*.example", "SAN DNS '*.example': " R "a wildcard below a domain of two labels or more"},
        {SAN_DNS, "a*.b.example",
            "SAN DNS 'a*.b.example': " R "a wildcard only as the complete left-most label"},
        {SAN_DNS, "a.*.example",
            "SAN DNS 'a.*.example': " R "a wildcard only as the complete left-most label"},
        {SAN_DNS, "*.*.example",
            "SAN DNS '*.*.example': " R "labels of letters, digits and hyphens (others in their xn-- form)"},
        {SAN_DNS, "192.0.2.1", "SAN DNS '192.0.2.1': " R "a host name (an address is an IP name)"},
        {SAN_IP, "192.0.2", "SAN IP '192.0.2': " R "an IPv4 or IPv6 address"},
        {SAN_IP, "192.0.2.256", "SAN IP '192.0.2.256': " R "an IPv4 or IPv6 address"},
        {SAN_IP, "192.0.2.0/24", "SAN IP '192.0.2.0/24': " R "an IPv4 or IPv6 address"},
        {SAN_IP, "fe80::1%eth0", "SAN IP 'fe80::1%eth0': " R "an IPv4 or IPv6 address"},
        {SAN_URI, "/relative", "SAN URI '/relative': " R "an absolute URI (scheme:...)"},
        {SAN_URI, "1a:b", "SAN URI '1a:b': " R "an absolute URI (scheme:...)"},
        {SAN_URI, "a:", "SAN URI 'a:': " R "something after the scheme"},
        {SAN_URI, "http://", "SAN URI 'http://': " R "a host after //"},
        {SAN_URI, "http:///path", "SAN URI 'http:///path': " R "a host after //"},
        {SAN_URI, "http://a b", "SAN URI 'http://a b': " R "the characters of RFC 3986 (others as %XX)"},
        {SAN_URI, "http://\xc3\xbc",
            "SAN URI 'http://\xc3\xbc': " R "the characters of RFC 3986 (others as %XX)"},
        {SAN_URI, "http://a/%zz", "SAN URI 'http://a/%zz': " R "two hexadecimal digits after %"},
        {SAN_URI, "spiffe://", "SAN URI 'spiffe://': " R "spiffe://TRUST-DOMAIN/PATH"},
        {SAN_URI, "spiffe://A/b",
            "SAN URI 'spiffe://A/b': " R
            "a SPIFFE trust domain of lower-case letters, digits, dot, dash, underscore"},
        {SAN_URI, "spiffe://a:1/b",
            "SAN URI 'spiffe://a:1/b': " R
            "a SPIFFE trust domain of lower-case letters, digits, dot, dash, underscore"},
        {SAN_URI, "spiffe:///b", "SAN URI 'spiffe:///b': " R "a SPIFFE trust domain of 1 to 255 characters"},
        {SAN_URI, "spiffe://a/b/",
            "SAN URI 'spiffe://a/b/': " R "SPIFFE path segments that are not empty, . or .."},
        {SAN_URI, "spiffe://a/../b",
            "SAN URI 'spiffe://a/../b': " R "SPIFFE path segments that are not empty, . or .."},
        {SAN_URI, "spiffe://a/b?c",
            "SAN URI 'spiffe://a/b?c': " R "SPIFFE path segments of letters, digits, dot, dash, underscore"},
        {SAN_EMAIL, "a", "SAN email 'a': " R "one @"},
        {SAN_EMAIL, "a@b@c", "SAN email 'a@b@c': " R "one @"},
        {SAN_EMAIL, "@b", "SAN email '@b': " R "1 to 64 characters before the @, 254 in all"},
        {SAN_EMAIL, "a b@c", "SAN email 'a b@c': " R "visible ASCII without quotes or brackets before the @"},
        {SAN_EMAIL, "a..b@c",
            "SAN email 'a..b@c': " R "no dot at either end before the @, and no two in a row"},
        {SAN_EMAIL, "a@", "SAN email 'a@': " R "labels of at least one character (no dot at either end)"},
        {SAN_EMAIL, "a@b_c",
            "SAN email 'a@b_c': " R "labels of letters, digits and hyphens (others in their xn-- form)"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_SANS list = SAN_LIST_INIT;

        assert_refused(san_add(&list, rows[i].type, rows[i].text, &err), "SAN_BAD", rows[i].msg);
        assert_int_equal(list.n, 0);
    }
}

static void order_kept_duplicates_dropped(void **state)
{
    AUTO_SANS list = SAN_LIST_INIT;
    AUTO_SANS copy = SAN_LIST_INIT;
    AUTO_SANS again = SAN_LIST_INIT;
    AUTO_BUF text = BUF_INIT;
    AUTO_BUF der = BUF_INIT;

    (void)state;
    assert_ok(san_add(&list, SAN_IP, "192.0.2.1", &err));
    assert_ok(san_add(&list, SAN_DNS, "a.example", &err));
    assert_ok(san_add(&list, SAN_DNS, "A.Example", &err));
    assert_ok(san_add(&list, SAN_URI, "urn:a:b", &err));
    assert_ok(san_add(&list, SAN_URI, "urn:a:B", &err));
    assert_ok(san_add(&list, SAN_EMAIL, "x@a.example", &err));
    assert_ok(san_add(&list, SAN_EMAIL, "x@A.EXAMPLE", &err));
    assert_ok(san_add(&list, SAN_EMAIL, "X@a.example", &err));
    assert_ok(san_add(&list, SAN_IP, "2001:db8::1", &err));
    assert_ok(san_add(&list, SAN_IP, "2001:db8:0::1", &err));
    san_to_text(&list, &text);
    assert_string_equal(buf_str(&text),
        "IP:192.0.2.1, DNS:a.example, URI:urn:a:b, URI:urn:a:B, email:x@a.example, "
        "email:X@a.example, IP:2001:db8::1");
    san_to_der(&list, &der);
    assert_ok(der_check(der_buf(&der), 2, "SAN", &err));
    assert_ok(san_from_der(der_buf(&der), &again, &err));
    assert_true(san_equal(&list, &again));
    assert_ok(san_copy(&list, &copy, &err));
    assert_true(san_equal(&list, &copy));
    assert_false(san_has(&list, SAN_IP, "192.0.2.2"));
    assert_false(san_has(&list, SAN_IP, "nonsense"));
}

static void refuses_der(void **state)
{
    static const struct {
        const char *hex, *code, *msg;
    } rows[] = {
        {"3000", "SAN_BAD", "SAN: RFC 5280 4.2.1.6: want at least one name, have none"},
        {"0500", "SAN_BAD", "SAN: RFC 5280 4.2.1.6: want a sequence of names"},
        {"30058203610062", "SAN_BAD", "SAN DNS: RFC 5280 4.2.1.6: want text, have a NUL character in it"},
        {"30078705c000020100", "SAN_BAD", "SAN IP: RFC 5280 4.2.1.6: want 4 or 16 octets, have 5"},
        {"300a8708c0000200ffffff00", "SAN_BAD", "SAN IP: RFC 5280 4.2.1.6: want 4 or 16 octets, have 8"},
        {"30028200", "SAN_BAD", "SAN DNS '': RFC 5280 4.2.1.6: want at least one character"},
        {"30058603612f62", "SAN_BAD", "SAN URI 'a/b': RFC 5280 4.2.1.6: want an absolute URI (scheme:...)"},
        {"300588032a0304", "SAN_BAD", "SAN registeredID: no profile issues this kind of name"},
        {"3004a4023000", "SAN_BAD", "SAN directoryName: no profile issues this kind of name"},
        {"30020500", "SAN_BAD", "SAN: RFC 5280 4.2.1.6: want a GeneralName, have tag 05"},
        {"3013a011060a2b060104018237140203a0030c01ff", "SAN_UTF8",
            "SAN otherName userPrincipalName: RFC 3629 3: want UTF-8, have other octets"},
        {"3013a011060a2b060104018237140203a0030c0161", "SAN_BAD",
            "SAN otherName userPrincipalName: no profile issues this kind of name"},
        {"3004a0020500", "SAN_BAD", "SAN otherName: RFC 5280 4.2.1.6: want type and value"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_SANS list = SAN_LIST_INIT;
        AUTO_BUF b = BUF_INIT;

        add_hex(&b, rows[i].hex);
        assert_refused(san_from_der(der_buf(&b), &list, &err), rows[i].code, rows[i].msg);
    }
}

static void at_most_250(void **state)
{
    AUTO_SANS list = SAN_LIST_INIT;
    char name[32];
    int i;

    (void)state;
    for (i = 0; i < 250; i++) {
        snprintf(name, sizeof(name), "h%d.example", i);
        assert_ok(san_add(&list, SAN_DNS, name, &err));
    }
    assert_refused(san_add(&list, SAN_DNS, "h250.example", &err), "SAN_BAD", "SAN: want at most 250 names");
    assert_ok(san_add(&list, SAN_DNS, "h7.example", &err)); /* is there already */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes),
        cmocka_unit_test(refuses),
        cmocka_unit_test(order_kept_duplicates_dropped),
        cmocka_unit_test(refuses_der),
        cmocka_unit_test(at_most_250),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
