/* Alternative names: the grammar of each kind, lists, GeneralNames. */
#include "x509_help.h"

#include <openssl/x509v3.h>
#include <stdio.h>

#include "x509/san.h"
#include "x509/san_check.h"

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
        /* U-labels; UTS #46 non-transitional keeps the sharp s */
        {SAN_DNS,
            "b\xc3\xbc"
            "cher.example",
            "xn--bcher-kva.example"},
        {SAN_DNS,
            "B\xc3\x9c"
            "CHER.Example",
            "xn--bcher-kva.example"},
        {SAN_DNS,
            "bu\xcc\x88"
            "cher.example",
            "xn--bcher-kva.example"},
        {SAN_DNS,
            "*.b\xc3\xbc"
            "cher.example",
            "*.xn--bcher-kva.example"},
        {SAN_DNS,
            "stra\xc3\x9f"
            "e.example",
            "xn--strae-oqa.example"},
        {SAN_DNS, "\xce\xb2\xcf\x8c\xce\xbb\xce\xbf\xcf\x82.example", "xn--nxasmm1c.example"},
        {SAN_DNS,
            "b\xc3\xbc"
            "cher\xe3\x80\x82"
            "example",
            "xn--bcher-kva.example"},
        {SAN_URI,
            "https://u@b\xc3\xbc"
            "cher.example:8443/a?b#c",
            "https://u@xn--bcher-kva.example:8443/a?b#c"},
        {SAN_URI, "https://[2001:db8::1]/a", NULL},
        {SAN_URI, "https://u:p@[2001:db8::1]:443?a", NULL},
        {SAN_URI, "https://192.0.2.1:65535#a", NULL},
        {SAN_URI, "https://a.example", NULL},
        {SAN_URI, "urn:a:b@c", NULL},
        {SAN_URI, "device:/a//b", NULL},
        {SAN_URI, "SPIFFE://example.org/a", "spiffe://example.org/a"},
        {SAN_URI, "spiffe://example.org", NULL},
        {SAN_URI, "spiffe://a_b.c-d.1/A.b/-_/...", NULL},
        {SAN_URI, "URN:UUID:F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6",
            "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},
        {SAN_EMAIL,
            "x@b\xc3\xbc"
            "cher.example",
            "x@xn--bcher-kva.example"},
        {SAN_HW, "1.3.6.1.4.1.32473.1.1:SN000001", NULL},
        {SAN_HW, "1.3.6.1.4.1.32473.1.1:#534e303030303031", "1.3.6.1.4.1.32473.1.1:SN000001"},
        {SAN_HW, "1.2.3:a:b", NULL},
        {SAN_HW, "1.2.3:a b", NULL},
        {SAN_HW, "1.2.3:a, b", "1.2.3:#612C2062"},
        {SAN_HW, "1.2.3: a", "1.2.3:#2061"},
        {SAN_HW, "1.2.3:#00ff", "1.2.3:#00FF"},
        {SAN_HW, "1.2.3:#2341", NULL},
        {SAN_PERMID, ":abc", NULL},
        {SAN_PERMID, "1.3.6.1.4.1.32473.2:abc", NULL},
        {SAN_PERMID, "1.3.6.1.4.1.32473.2:", NULL},
        {SAN_PERMID,
            ":b\xc3\xbc"
            "cher",
            NULL},
        {SAN_PERMID, ":#62c3bc", ":b\xc3\xbc"},
        {SAN_UPN, "1234567890@mil", NULL},
        {SAN_UPN,
            "b\xc3\xbc"
            "cher@corp.example",
            NULL},
        {SAN_SMTPUTF8,
            "b\xc3\xbc"
            "cher@mail.example",
            NULL},
        {SAN_SMTPUTF8, "\xe5\x8c\xbb\xe7\x94\x9f@\xe5\xa4\xa7\xe5\xad\xa6.example",
            "\xe5\x8c\xbb\xe7\x94\x9f@xn--pss25c.example"},
        {SAN_SRV, "_ldap.example.org", NULL},
        {SAN_SRV,
            "_xmpp-client.b\xc3\xbc"
            "cher.example",
            "_xmpp-client.xn--bcher-kva.example"},
        {SAN_FASCN, "9999-9999-999999-0-1-0000000000-3-0000-1", NULL},
        {SAN_FASCN, "0032-0001-000092-0-1-9999999999-9-9999-9", NULL},
        {SAN_FASCN, "#d4e739da739ced39ce739d836858210842108421c84210c3eb",
            "9999-9999-999999-0-1-0000000000-3-0000-1"},
        {SAN_RID, "1.3.6.1.4.1.32473.3", NULL},
        {SAN_DIRNAME, "cn = a\\, b , O=Acme", "CN=a\\, b,O=Acme"},
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
        {SAN_DNS, "10.1", "SAN DNS '10.1': " R "a last label that is not a number"},
        {SAN_DNS, "*.a.1", "SAN DNS '*.a.1': " R "a last label that is not a number"},
        {SAN_IP, "192.0.2", "SAN IP '192.0.2': " R "an IPv4 or IPv6 address"},
        {SAN_IP, "192.0.2.256", "SAN IP '192.0.2.256': " R "an IPv4 or IPv6 address"},
        {SAN_IP, "192.0.2.0/24", "SAN IP '192.0.2.0/24': " R "an IPv4 or IPv6 address"},
        {SAN_IP, "fe80::1%eth0", "SAN IP 'fe80::1%eth0': " R "an IPv4 or IPv6 address"},
        {SAN_URI, "/relative", "SAN URI '/relative': " R "an absolute URI (scheme:...)"},
        {SAN_URI, "1a:b", "SAN URI '1a:b': " R "an absolute URI (scheme:...)"},
        {SAN_URI, "a:", "SAN URI 'a:': " R "something after the scheme"},
        {SAN_URI, "http://", "SAN URI 'http://': " R "a host after //"},
        {SAN_URI, "http:///path", "SAN URI 'http:///path': " R "a host after //"},
        {SAN_URI, "http://:443/", "SAN URI 'http://:443/': " R "a host after //"},
        {SAN_URI, "http://u@/", "SAN URI 'http://u@/': " R "a host after //"},
        {SAN_URI, "http://u@v@a/",
            "SAN URI 'http://u@v@a/': " R "one @ before the host, and no brackets there"},
        {SAN_URI, "http://[u]@a/",
            "SAN URI 'http://[u]@a/': " R "one @ before the host, and no brackets there"},
        {SAN_URI, "http://[u@a/",
            "SAN URI 'http://[u@a/': " R "one @ before the host, and no brackets there"},
        {SAN_URI, "http://u]@a/",
            "SAN URI 'http://u]@a/': " R "one @ before the host, and no brackets there"},
        {SAN_URI, "http://[zz]/", "SAN URI 'http://[zz]/': " R "an IPv6 address in the brackets"},
        {SAN_URI, "http://[192.0.2.1]/",
            "SAN URI 'http://[192.0.2.1]/': " R "an IPv6 address in the brackets"},
        {SAN_URI, "http://[::1/", "SAN URI 'http://[::1/': " R "an IPv6 address in the brackets"},
        {SAN_URI, "http://[::1]a/", "SAN URI 'http://[::1]a/': " R "a port of 1 to 5 digits after the host"},
        {SAN_URI, "http://a:/", "SAN URI 'http://a:/': " R "a port of 1 to 5 digits after the host"},
        {SAN_URI, "http://a:x/", "SAN URI 'http://a:x/': " R "a port of 1 to 5 digits after the host"},
        {SAN_URI, "http://a:000443/",
            "SAN URI 'http://a:000443/': " R "a port of 1 to 5 digits after the host"},
        {SAN_URI, "http://a:65536/", "SAN URI 'http://a:65536/': " R "a port of at most 65535"},
        {SAN_URI, "http://a..b/",
            "SAN URI 'http://a..b/': " R "labels of at least one character (no dot at either end)"},
        {SAN_URI, "http://a_b/",
            "SAN URI 'http://a_b/': " R "labels of letters, digits and hyphens (others in their xn-- form)"},
        {SAN_URI, "http://192.0.2.256/",
            "SAN URI 'http://192.0.2.256/': " R "a last label that is not a number"},
        {SAN_URI, "http://a/[b]",
            "SAN URI 'http://a/[b]': " R "no brackets but around an address (others as %5B and %5D)"},
        {SAN_URI, "urn:a]",
            "SAN URI 'urn:a]': " R "no brackets but around an address (others as %5B and %5D)"},
        {SAN_URI, "urn:a#b#c", "SAN URI 'urn:a#b#c': " R "one # at most"},
        {SAN_URI, "http://a b", "SAN URI 'http://a b': " R "the characters of RFC 3986 (others as %XX)"},
        {SAN_URI, "http://a/\xc3\xbc",
            "SAN URI 'http://a/\xc3\xbc': " R "the characters of RFC 3986 (others as %XX)"},
        {SAN_URI, "urn:\xc3\xbc", "SAN URI 'urn:\xc3\xbc': " R "the characters of RFC 3986 (others as %XX)"},
        {SAN_URI, "http://a/%zz", "SAN URI 'http://a/%zz': " R "two hexadecimal digits after %"},
        {SAN_EMAIL, "a", "SAN email 'a': " R "one @"},
        {SAN_EMAIL, "a@b@c", "SAN email 'a@b@c': " R "one @"},
        {SAN_EMAIL, "@b", "SAN email '@b': " R "1 to 64 characters before the @, 254 in all"},
        {SAN_EMAIL, "a b@c", "SAN email 'a b@c': " R "visible ASCII without quotes or brackets before the @"},
        {SAN_EMAIL, "a..b@c",
            "SAN email 'a..b@c': " R "no dot at either end before the @, and no two in a row"},
        {SAN_EMAIL, "a@", "SAN email 'a@': " R "labels of at least one character (no dot at either end)"},
        {SAN_EMAIL, "a@192.0.2.1", "SAN email 'a@192.0.2.1': " R "a last label that is not a number"},
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

#define SPIFFE   "SPIFFE-ID 2: want "
#define DOMAIN   SPIFFE "a trust domain of lower-case letters, digits, dot, dash, underscore"
#define PATH     SPIFFE "path segments of letters, digits, dot, dash, underscore"
#define SEGMENTS SPIFFE "path segments that are not empty, . or .."
#define IDNA     "RFC 5891 5: want a host name that IDNA2008 allows: "
#define ALABEL   "RFC 5890 2.3.2.1: want xn-- labels that are A-labels"
#define FASCN    "FIPS 201-3 4.2.1: want "
#define FIELDS   FASCN "AAAA-SSSS-CCCCCC-S-I-PPPPPPPPPP-C-OOOO-A, all digits, or # and 50 hexadecimal ones"

/* RFC 3986 2: of ASCII, all but these; % only before two digits, # and brackets by rules of their own. */
static void characters_of_uris(void **state)
{
    int c;

    (void)state;
    for (c = 1; c < 0x80; c++) {
        bool allowed = c > ' ' && c < 0x7f && !strchr("\"<>\\^`{|}", c);
        char text[] = "urn:a_b";

        if (strchr("%[]", c))
            continue;
        text[5] = (char)c;
        assert_int_equal(san_check_uri(text, strlen(text)) == NULL, allowed);
    }
}

/* Rules with a code of their own, and kinds of their own. */
static void refuses_other_kinds(void **state)
{
    static const struct {
        enum san_type type;
        const char *text, *code, *msg;
    } rows[] = {
        {SAN_URI, "spiffe://", "SPIFFE_ID", "SAN URI 'spiffe://': " SPIFFE "spiffe://TRUST-DOMAIN/PATH"},
        {SAN_URI, "spiffe:a", "SPIFFE_ID", "SAN URI 'spiffe:a': " SPIFFE "spiffe://TRUST-DOMAIN/PATH"},
        {SAN_URI, "spiffe:/a/b/c/d", "SPIFFE_ID",
            "SAN URI 'spiffe:/a/b/c/d': " SPIFFE "spiffe://TRUST-DOMAIN/PATH"},
        {SAN_URI, "spiffe://A/b", "SPIFFE_ID", "SAN URI 'spiffe://A/b': " DOMAIN},
        {SAN_URI, "Spiffe://A/b", "SPIFFE_ID", "SAN URI 'spiffe://A/b': " DOMAIN},
        {SAN_URI, "spiffe://a:1/b", "SPIFFE_ID", "SAN URI 'spiffe://a:1/b': " DOMAIN},
        {SAN_URI, "spiffe://u@a/b", "SPIFFE_ID", "SAN URI 'spiffe://u@a/b': " DOMAIN},
        {SAN_URI, "spiffe://a%62/b", "SPIFFE_ID", "SAN URI 'spiffe://a%62/b': " DOMAIN},
        {SAN_URI, "spiffe://a?b", "SPIFFE_ID", "SAN URI 'spiffe://a?b': " DOMAIN},
        {SAN_URI, "spiffe:///b", "SPIFFE_ID",
            "SAN URI 'spiffe:///b': " SPIFFE "a trust domain of 1 to 255 characters"},
        {SAN_URI, "spiffe://a/", "SPIFFE_ID", "SAN URI 'spiffe://a/': " SEGMENTS},
        {SAN_URI, "spiffe://a/b/", "SPIFFE_ID", "SAN URI 'spiffe://a/b/': " SEGMENTS},
        {SAN_URI, "spiffe://a//b", "SPIFFE_ID", "SAN URI 'spiffe://a//b': " SEGMENTS},
        {SAN_URI, "spiffe://a/./b", "SPIFFE_ID", "SAN URI 'spiffe://a/./b': " SEGMENTS},
        {SAN_URI, "spiffe://a/../b", "SPIFFE_ID", "SAN URI 'spiffe://a/../b': " SEGMENTS},
        {SAN_URI, "spiffe://a/b?c", "SPIFFE_ID", "SAN URI 'spiffe://a/b?c': " PATH},
        {SAN_URI, "spiffe://a/b#c", "SPIFFE_ID", "SAN URI 'spiffe://a/b#c': " PATH},
        {SAN_URI, "spiffe://a/b%2fc", "SPIFFE_ID", "SAN URI 'spiffe://a/b%2fc': " PATH},
        {SAN_URI, "urn:uuid:", "SAN_UUID",
            "SAN URI 'urn:uuid:': RFC 9562 4: want 8-4-4-4-12 hexadecimal digits"},
        {SAN_URI, "urn:uuid:f81d4fae7dec-11d0-a765-00a0c91e6bf6-", "SAN_UUID",
            "SAN URI 'urn:uuid:f81d4fae7dec-11d0-a765-00a0c91e6bf6-': RFC 9562 4: want 8-4-4-4-12 "
            "hexadecimal digits"},
        {SAN_URI, "URN:UUID:g81d4fae-7dec-11d0-a765-00a0c91e6bf6", "SAN_UUID",
            "SAN URI 'URN:UUID:g81d4fae-7dec-11d0-a765-00a0c91e6bf6': RFC 9562 4: want 8-4-4-4-12 "
            "hexadecimal digits"},
        {SAN_DNS, "\xe2\x98\x83.example", "SAN_IDNA",
            "SAN DNS '\xe2\x98\x83.example': " IDNA "string contains a disallowed character"},
        {SAN_DNS, "-\xc3\xbc.example", "SAN_IDNA",
            "SAN DNS '-\xc3\xbc.example': " IDNA "string start/ends with forbidden hyphen"},
        {SAN_DNS, "ab--c\xc3\xbc.example", "SAN_IDNA",
            "SAN DNS 'ab--c\xc3\xbc.example': " IDNA "string contains forbidden two hyphens pattern"},
        {SAN_DNS, "a_\xc3\xbc.example", "SAN_IDNA",
            "SAN DNS 'a_\xc3\xbc.example': " IDNA "a character that host names do not have"},
        {SAN_DNS,
            "a\xef\xbc\xbf"
            "b.example",
            "SAN_IDNA",
            "SAN DNS 'a\xef\xbc\xbf"
            "b.example': " IDNA "a character that host names do not have"},
        {SAN_DNS, "\xc3\xbc..example", "SAN_BAD",
            "SAN DNS 'xn--tda..example': " R "labels of at least one character (no dot at either end)"},
        {SAN_DNS, "\xc3\xbc.*.example", "SAN_IDNA",
            "SAN DNS '\xc3\xbc.*.example': " IDNA "a character that host names do not have"},
        {SAN_DNS, "b\xff.example", "SAN_UTF8", "SAN DNS: RFC 3629 3: want UTF-8, have other octets"},
        {SAN_DNS, "xn--a.example", "SAN_IDNA", "SAN DNS 'xn--a.example': " ALABEL},
        {SAN_DNS, "xn--.example", "SAN_BAD",
            "SAN DNS 'xn--.example': " R "labels that begin and end with a letter or digit"},
        {SAN_DNS, "a.xn--0.example", "SAN_IDNA", "SAN DNS 'a.xn--0.example': " ALABEL},
        {SAN_DNS, "XN--STRASSE-ABC.example", "SAN_IDNA", "SAN DNS 'XN--STRASSE-ABC.example': " ALABEL},
        {SAN_DNS, "*.xn--a-ecp.example", "SAN_IDNA", "SAN DNS '*.xn--a-ecp.example': " ALABEL},
        {SAN_URI, "https://xn--a.example/", "SAN_IDNA", "SAN URI 'https://xn--a.example/': " ALABEL},
        {SAN_URI, "https://a_\xc3\xbc/", "SAN_IDNA",
            "SAN URI 'https://a_\xc3\xbc/': " IDNA "a character that host names do not have"},
        {SAN_EMAIL, "a@xn--a.example", "SAN_IDNA", "SAN email 'a@xn--a.example': " ALABEL},
        {SAN_EMAIL, "\xc3\xbc@a.example", "SAN_BAD",
            "SAN email '\xc3\xbc@a.example': " R "visible ASCII without quotes or brackets before the @"},
        {SAN_HW, "", "SAN_BAD", "SAN hw '': RFC 4108 5: want TYPE:SERIAL"},
        {SAN_HW, "1.2.3", "SAN_BAD", "SAN hw '1.2.3': RFC 4108 5: want TYPE:SERIAL"},
        {SAN_HW, "1.2.3:", "SAN_BAD", "SAN hw '1.2.3:': RFC 4108 5: want TYPE:SERIAL"},
        {SAN_HW, "1.2.3:#", "SAN_BAD", "SAN hw '1.2.3:#': RFC 4108 5: want 1 to 64 octets of serial number"},
        {SAN_HW, "1.2.3:#123", "SAN_BAD",
            "SAN hw '1.2.3:#123': RFC 4108 5: want pairs of hexadecimal digits after '#', not too many"},
        {SAN_HW, ":a", "SAN_BAD", "SAN hw ':a': RFC 4108 5: want a dotted object identifier"},
        {SAN_HW, "3.2:a", "SAN_BAD", "SAN hw '3.2:a': RFC 4108 5: want a dotted object identifier"},
        {SAN_HW, "1.40:a", "SAN_BAD", "SAN hw '1.40:a': RFC 4108 5: want a dotted object identifier"},
        {SAN_HW, "1.02:a", "SAN_BAD", "SAN hw '1.02:a': RFC 4108 5: want a dotted object identifier"},
        {SAN_HW, "1.2.3:12345678901234567890123456789012345678901234567890123456789012345", "SAN_BAD",
            "SAN hw: want at most 64 octets, have 65"},
        {SAN_PERMID, ":", "SAN_BAD", "SAN permid ':': RFC 4043 2: want [ASSIGNER]:[VALUE]"},
        {SAN_PERMID, "abc", "SAN_BAD", "SAN permid 'abc': RFC 4043 2: want [ASSIGNER]:[VALUE]"},
        {SAN_PERMID, "abc:d", "SAN_BAD", "SAN permid 'abc:d': RFC 4043 2: want a dotted object identifier"},
        {SAN_PERMID, ":#", "SAN_BAD", "SAN permid ':#': RFC 4043 2: want a value after '#'"},
        {SAN_PERMID, ":#ff", "SAN_UTF8", "SAN permid: RFC 3629 3: want UTF-8, have other octets"},
        {SAN_PERMID, ":a\tb", "SAN_BAD",
            "SAN permid: RFC 4043 2: want visible text, have a control character in it"},
        {SAN_UPN, "", "SAN_BAD", "SAN UPN '': Microsoft UPN: want at least one character"},
        {SAN_UPN, "a", "SAN_BAD", "SAN UPN 'a': Microsoft UPN: want one @"},
        {SAN_UPN, "a@b@c", "SAN_BAD", "SAN UPN 'a@b@c': Microsoft UPN: want one @"},
        {SAN_UPN, "@b", "SAN_BAD", "SAN UPN '@b': Microsoft UPN: want text on both sides of the @"},
        {SAN_UPN, "a@", "SAN_BAD", "SAN UPN 'a@': Microsoft UPN: want text on both sides of the @"},
        {SAN_UPN, "a b@c", "SAN_BAD", "SAN UPN 'a b@c': Microsoft UPN: want visible text without spaces"},
        {SAN_UPN, "a\xe2\x80\xae@c", "SAN_BAD",
            "SAN UPN 'a\\xe2\\x80\\xae@c': Microsoft UPN: want visible text without spaces"},
        {SAN_UPN, "a\xff@c", "SAN_UTF8", "SAN UPN: RFC 3629 3: want UTF-8, have other octets"},
        {SAN_SMTPUTF8, "a@b.example", "SAN_BAD",
            "SAN smtputf8 'a@b.example': RFC 9598 3: want a character that is not ASCII before the @ (others "
            "are e-mail "
            "addresses)"},
        {SAN_SMTPUTF8, "\xc3\xbc", "SAN_BAD", "SAN smtputf8 '\xc3\xbc': RFC 9598 3: want one @"},
        {SAN_SMTPUTF8, "\xef\xbb\xbf\xc3\xbc@b.example", "SAN_BAD",
            "SAN smtputf8 '\\xef\\xbb\\xbf\xc3\xbc@b.example': RFC 9598 3: want visible text without spaces "
            "and byte order "
            "mark before the @"},
        {SAN_SMTPUTF8, "\xc3\xbc(a)@b.example", "SAN_BAD",
            "SAN smtputf8 '\xc3\xbc(a)@b.example': RFC 9598 3: want text without quotes or brackets before "
            "the @"},
        {SAN_SMTPUTF8, ".\xc3\xbc@b.example", "SAN_BAD",
            "SAN smtputf8 '.\xc3\xbc@b.example': RFC 9598 3: want no dot at either end before the @, and no "
            "two in a row"},
        {SAN_SMTPUTF8, "\xc3\xbc@xn--a.example", "SAN_IDNA",
            "SAN smtputf8 '\xc3\xbc@xn--a.example': " ALABEL},
        {SAN_SRV, "ldap.example", "SAN_BAD", "SAN SRV 'ldap.example': RFC 4985 2: want _service.name"},
        {SAN_SRV, "_ldap", "SAN_BAD", "SAN SRV '_ldap': RFC 4985 2: want _service.name"},
        {SAN_SRV, "_.example", "SAN_BAD",
            "SAN SRV '_.example': RFC 4985 2: want a service name of 1 to 15 characters"},
        {SAN_SRV, "_abcdefghijklmnop.example", "SAN_BAD",
            "SAN SRV '_abcdefghijklmnop.example': RFC 4985 2: want a service name of 1 to 15 characters"},
        {SAN_SRV, "_a--b.example", "SAN_BAD",
            "SAN SRV '_a--b.example': RFC 4985 2: want a service name of letters, digits, and hyphens "
            "between them"},
        {SAN_SRV, "_a-.example", "SAN_BAD",
            "SAN SRV '_a-.example': RFC 4985 2: want a service name of letters, digits, and hyphens between "
            "them"},
        {SAN_SRV, "_1.example", "SAN_BAD",
            "SAN SRV '_1.example': RFC 4985 2: want a letter in the service name"},
        {SAN_SRV, "_ldap._tcp.example", "SAN_BAD",
            "SAN SRV '_ldap._tcp.example': RFC 4985 2: want labels of letters, digits and hyphens (others in "
            "their xn-- "
            "form)"},
        {SAN_SRV, "_ldap.", "SAN_BAD",
            "SAN SRV '_ldap.': RFC 4985 2: want labels of at least one character (no dot at either end)"},
        {SAN_FASCN, "", "SAN_FASCN", "SAN FASC-N '': " FIELDS},
        {SAN_FASCN, "9999-9999-999999-0-1-0000000000-3-0000", "SAN_FASCN",
            "SAN FASC-N '9999-9999-999999-0-1-0000000000-3-0000': " FIELDS},
        {SAN_FASCN, "9999-9999-999999-0-1-0000000000-3-0000-11", "SAN_FASCN",
            "SAN FASC-N '9999-9999-999999-0-1-0000000000-3-0000-11': " FIELDS},
        {SAN_FASCN, "999A-9999-999999-0-1-0000000000-3-0000-1", "SAN_FASCN",
            "SAN FASC-N '999A-9999-999999-0-1-0000000000-3-0000-1': " FIELDS},
        {SAN_FASCN, "#d4e739", "SAN_FASCN", "SAN FASC-N '#d4e739': " FASCN "25 octets"},
        {SAN_RID, "", "SAN_BAD", "SAN RID '': " R "a dotted object identifier"},
        {SAN_RID, "a", "SAN_BAD", "SAN RID 'a': " R "a dotted object identifier"},
        {SAN_RID, "1", "SAN_BAD", "SAN RID '1': " R "a dotted object identifier"},
        {SAN_DIRNAME, "", "SAN_BAD", "SAN dirname '': " R "a name that is not empty"},
        {SAN_DIRNAME, "CN", "NAME_SYNTAX", "SAN dirname: RFC 4514 3: want TYPE=VALUE, at 'CN'"},
        {SAN_DIRNAME, "C=USA", "NAME_COUNTRY", "SAN dirname: C: RFC 5280 A.1: want 2 letters, have 3"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_SANS list = SAN_LIST_INIT;

        assert_refused(san_add(&list, rows[i].type, rows[i].text, &err), rows[i].code, rows[i].msg);
        assert_int_equal(list.n, 0);
    }
}

static void spiffe_lengths(void **state)
{
    static char domain[300] = "spiffe://", path[2100] = "spiffe://a/";
    AUTO_SANS list = SAN_LIST_INIT;

    (void)state;
    memset(domain + 9, 'a', 255);
    assert_ok(san_add(&list, SAN_URI, domain, &err));
    domain[9 + 255] = 'a';
    assert_int_equal(san_add(&list, SAN_URI, domain, &err), -1);
    assert_string_equal(err.code, "SPIFFE_ID");
    memset(path + 11, 'b', 2037);
    assert_ok(san_add(&list, SAN_URI, path, &err));
    path[2048] = 'b';
    assert_int_equal(san_add(&list, SAN_URI, path, &err), -1);
    assert_non_null(strstr(err.msg, "SPIFFE-ID 2: want at most 2048 octets"));
    assert_int_equal(list.n, 2);
}

static void who_is_meant_is_one(void **state)
{
    AUTO_SANS list = SAN_LIST_INIT;

    (void)state;
    assert_ok(san_add(&list, SAN_UPN, "a@corp.example", &err));
    assert_ok(san_add(&list, SAN_UPN, "a@CORP.example", &err));
    assert_refused(san_add(&list, SAN_UPN, "b@corp.example", &err), "SAN_BAD", "SAN UPN: want one, have two");
    assert_ok(san_add(&list, SAN_FASCN, "9999-9999-999999-0-1-0000000000-3-0000-1", &err));
    assert_refused(san_add(&list, SAN_FASCN, "9999-9999-999998-0-1-0000000000-3-0000-1", &err), "SAN_BAD",
        "SAN FASC-N: want one, have two");
    assert_int_equal(list.n, 2);
}

/* The bytes of each kind, without the sequence around them; what was written is read as the same. */
static void byte_vectors(void **state)
{
    static const struct {
        enum san_type type;
        const char *text, *hex;
    } rows[] = {
        {SAN_HW, "1.3.6.1.4.1.32473.1.1:SN000001",
            "a02406082b06010505070804a0183016060a2b0601040181fd5901010408534e303030303031"},
        {SAN_PERMID, ":abc", "a01306082b06010505070803a00730050c03616263"},
        {SAN_PERMID, "1.2.3:abc", "a01706082b06010505070803a00b30090c0361626306022a03"},
        {SAN_PERMID, "1.2.3:", "a01206082b06010505070803a006300406022a03"},
        {SAN_UPN, "1234567890@mil", "a01e060a2b060104018237140203a0100c0e31323334353637383930406d696c"},
        {SAN_SMTPUTF8, "\xc3\xbc@b.example", "a01a06082b06010505070809a00e0c0cc3bc40622e6578616d706c65"},
        {SAN_SRV, "_ldap.example", "a01b06082b06010505070807a00f160d5f6c6461702e6578616d706c65"},
        {SAN_FASCN, "9999-9999-999999-0-1-0000000000-3-0000-1",
            "a02706086086480165030606a01b0419d4e739da739ced39ce739d836858210842108421c84210c3eb"},
        {SAN_URI, "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
            "862d75726e3a757569643a66383164346661652d376465632d313164302d613736352d303061306339316536626636"},
        {SAN_RID, "1.3.6.1.4.1.32473.3", "88092b0601040181fd5903"},
        {SAN_DIRNAME, "CN=a", "a40e300c310a300806035504030c0161"},
        {SAN_DNS,
            "b\xc3\xbc"
            "cher.example",
            "8215786e2d2d62636865722d6b76612e6578616d706c65"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_SANS list = SAN_LIST_INIT;
        AUTO_SANS again = SAN_LIST_INIT;
        AUTO_BUF der = BUF_INIT;
        struct der in;

        assert_ok(san_add(&list, rows[i].type, rows[i].text, &err));
        san_to_der(&list, &der);
        assert_int_equal(der_whole(der_buf(&der), DER_SEQUENCE, &in), 0);
        assert_bytes(in, rows[i].hex);
        assert_ok(der_check(der_buf(&der), DER_MAX_DEPTH, "SAN", &err));
        assert_ok(san_from_der(der_buf(&der), &again, &err));
        assert_string_equal(again.v[0].text, list.v[0].text);
        assert_true(san_equal(&list, &again));
    }
}

static void all_kinds(struct san_list *list)
{
    assert_ok(san_add(list, SAN_DNS, "a.example", &err));
    assert_ok(san_add(list, SAN_IP, "192.0.2.1", &err));
    assert_ok(san_add(list, SAN_URI, "spiffe://a/b", &err));
    assert_ok(san_add(list, SAN_EMAIL, "x@a.example", &err));
    assert_ok(san_add(list, SAN_HW, "1.2.3:SN1", &err));
    assert_ok(san_add(list, SAN_PERMID, "1.2.3:id", &err));
    assert_ok(san_add(list, SAN_UPN, "a@corp", &err));
    assert_ok(san_add(list, SAN_SMTPUTF8, "\xc3\xbc@a.example", &err));
    assert_ok(san_add(list, SAN_SRV, "_ldap.example", &err));
    assert_ok(san_add(list, SAN_FASCN, "9999-9999-999999-0-1-0000000000-3-0000-1", &err));
    assert_ok(san_add(list, SAN_RID, "1.2.3", &err));
    assert_ok(san_add(list, SAN_DIRNAME, "CN=a,O=b", &err));
}

static void text_of_all_kinds(void **state)
{
    AUTO_SANS list = SAN_LIST_INIT;
    AUTO_SANS copy = SAN_LIST_INIT;
    AUTO_BUF text = BUF_INIT;
    enum san_type type;

    (void)state;
    all_kinds(&list);
    assert_int_equal(list.n, SAN_TYPES);
    san_to_text(&list, &text);
    assert_string_equal(buf_str(&text), "DNS:a.example, IP:192.0.2.1, URI:spiffe://a/b, email:x@a.example, "
                                        "hw:1.2.3:SN1, permid:1.2.3:id, UPN:a@corp, "
                                        "smtputf8:\xc3\xbc@a.example, SRV:_ldap.example, "
                                        "FASC-N:9999-9999-999999-0-1-0000000000-3-0000-1, RID:1.2.3, "
                                        "dirname:CN=a,O=b");
    assert_ok(san_copy(&list, &copy, &err));
    assert_true(san_equal(&list, &copy));
    for (type = 0; type < SAN_TYPES; type++) {
        assert_true(san_has(&copy, type, list.v[type].text));
        assert_int_equal(san_type_find(san_type_name(type), strlen(san_type_name(type))), type);
    }
    assert_int_equal(san_type_find("fasc-n", 6), SAN_FASCN);
    assert_int_equal(san_type_find("DN", 2), SAN_TYPES);
    assert_int_equal(san_type_find("", 0), SAN_TYPES);
}

/* OpenSSL reads the same names, and writes the same bytes. */
static void openssl_agrees(void **state)
{
    static const char want[] =
        "DNS:a.example, IP Address:192.0.2.1, URI:spiffe://a/b, email:x@a.example, "
        "othername: 1.3.6.1.5.5.7.8.4::<unsupported>, othername: Permanent Identifier::<unsupported>, "
        "othername: UPN::a@corp, othername: SmtpUTF8Mailbox::\xc3\xbc@a.example, "
        "othername: SRVName::_ldap.example, othername: 2.16.840.1.101.3.6.6::<unsupported>, "
        "Registered ID:1.2.3, DirName:/O=b/CN=a";
    AUTO_SANS list = SAN_LIST_INIT;
    AUTO_BUF der = BUF_INIT;
    const unsigned char *p;
    unsigned char *again = NULL;
    GENERAL_NAMES *names;
    X509_EXTENSION *ext;
    BIO *out = BIO_new(BIO_s_mem());
    char *text;
    long n;

    (void)state;
    all_kinds(&list);
    san_to_der(&list, &der);
    p = der.p;
    names = d2i_GENERAL_NAMES(NULL, &p, (long)der.len);
    assert_non_null(names);
    assert_int_equal(sk_GENERAL_NAME_num(names), SAN_TYPES);
    assert_int_equal(i2d_GENERAL_NAMES(names, &again), der.len);
    assert_memory_equal(again, der.p, der.len);
    ext = X509V3_EXT_i2d(NID_subject_alt_name, 0, names);
    assert_non_null(ext);
    assert_int_equal(X509V3_EXT_print(out, ext, 0, 0), 1);
    n = BIO_get_mem_data(out, &text);
    if (n != (long)strlen(want) || memcmp(text, want, strlen(want)) != 0)
        fail_msg("have %.*s", (int)n, text);
    X509_EXTENSION_free(ext);
    GENERAL_NAMES_free(names);
    OPENSSL_free(again);
    BIO_free(out);
}

/* A request's octets are kept, and mean the same as the canonical ones. */
static void octets_are_kept(void **state)
{
    static const struct {
        enum san_type type;
        const char *hex, *text;
    } rows[] = {
        {SAN_URI,
            "302f862d75726e3a757569643a46383144344641452d374445432d313144302d413736352d3030413043393145364246"
            "36",
            "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},
        {SAN_DIRNAME, "3010a40e300c310a30080603550403130161", "CN=a"},
        {SAN_DNS, "300b8209412e4578616d706c65", "A.Example"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_SANS list = SAN_LIST_INIT;
        AUTO_BUF in = BUF_INIT;
        AUTO_BUF out = BUF_INIT;

        add_hex(&in, rows[i].hex);
        assert_ok(san_from_der(der_buf(&in), &list, &err));
        assert_string_equal(list.v[0].text, rows[i].text);
        assert_true(san_has(&list, rows[i].type, rows[i].text));
        san_to_der(&list, &out);
        assert_bytes(der_buf(&out), rows[i].hex);
    }
}

/* Each bit of a FASC-N that is turned is found. */
static void every_bit_of_a_fascn(void **state)
{
    AUTO_SANS good = SAN_LIST_INIT;
    AUTO_BUF der = BUF_INIT;
    size_t i;

    (void)state;
    assert_ok(san_add(&good, SAN_FASCN, "0032-0001-000092-0-1-1234567890-1-0032-1", &err));
    san_to_der(&good, &der);
    for (i = 0; i < 200; i++) {
        AUTO_SANS list = SAN_LIST_INIT;
        uint8_t *octet = &der.p[der.len - 25 + i / 8];

        *octet ^= (uint8_t)(1u << i % 8);
        assert_refused(san_from_der(der_buf(&der), &list, &err), "SAN_FASCN",
            "SAN FASC-N: FIPS 201-3 4.2.1: want odd parity in each of 40 characters");
        *octet ^= (uint8_t)(1u << i % 8);
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

#define F "3029a02706086086480165030606a01b0419"

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
        {"30020500", "SAN_BAD", "SAN: RFC 5280 4.2.1.6: want a GeneralName, have tag 05"},
        {"300b820962c3bc2e6578616d70", "SAN_BAD",
            "SAN DNS: RFC 5280 4.2.1.6: want ASCII (host names as A-labels), have other characters"},
        {"300a8208687474703a2f2fc3bc", "SAN_BAD", "SAN: RFC 5280 4.2.1.6: want a sequence of names"},
        {"300b8609687474703a2f2fc3bc", "SAN_BAD",
            "SAN URI: RFC 5280 4.2.1.6: want ASCII (host names as A-labels), have other characters"},
        {"3006810461"
         "40c3bc",
            "SAN_BAD",
            "SAN email: RFC 5280 4.2.1.6: want ASCII (host names as A-labels), have other characters"},
        {"3003880180", "SAN_BAD", "SAN RID: RFC 5280 4.2.1.6: want an object identifier that can be shown"},
        {"30028800", "SAN_BAD", "SAN RID: RFC 5280 4.2.1.6: want an object identifier that can be shown"},
        {"3004a4023000", "SAN_BAD", "SAN dirname: RFC 5280 4.2.1.6: want a name that is not empty"},
        {"3002a400", "DER_SYNTAX",
            "SAN dirname: X.690 8.1: want a complete value, have one that ends early, at octet 0"},
        {"3006a40430003000", "DER_TRAILING", "SAN dirname: want nothing after 2 octets, have 2 more"},
        {"3010a40e300c310a3008060355040314"
         "0161",
            "NAME_STRING_TYPE",
            "SAN dirname: CN: RFC 5280 4.1.2.4: want UTF8String or PrintableString, have T61String"},
        {"3002a300", "SAN_BAD", "SAN x400Address: no profile issues this kind of name"},
        {"3002a500", "SAN_BAD", "SAN ediPartyName: no profile issues this kind of name"},
        {"3013a011060a2b060104018237140203a0030c01ff", "SAN_UTF8",
            "SAN UPN: RFC 3629 3: want UTF-8, have other octets"},
        {"3013a011060a2b060104018237140203a0030c0161", "SAN_BAD", "SAN UPN 'a': Microsoft UPN: want one @"},
        {"3015a013060a2b060104018237140203a0051603614062", "SAN_BAD",
            "SAN UPN: Microsoft UPN: want a UTF8String"},
        {"3016a014060a2b060104018237140203a0060c0461400062", "SAN_BAD",
            "SAN UPN: Microsoft UPN: want text, have a NUL character in it"},
        {"3017a015060a2b060104018237140203a0070c036140620500", "SAN_BAD",
            "SAN UPN: Microsoft UPN: want a UTF8String"},
        {"300ca00a06022a03a0040c026162", "SAN_BAD",
            "SAN otherName 1.2.3: no profile issues this kind of name"},
        {"300ba00906022a03a0030c01ff", "SAN_UTF8",
            "SAN otherName 1.2.3: RFC 3629 3: want UTF-8, have other octets"},
        {"3018a01606082b06010505070809a00a0c08c3bc40c3bc2e6578", "SAN_BAD",
            "SAN smtputf8: RFC 9598 3: want ASCII (host names as A-labels), have other characters"},
        {"3016a01406082b06010505070807a0080c065f612e622e63", "SAN_BAD",
            "SAN SRV: RFC 4985 2: want an IA5String"},
        {"3017a01506082b06010505070804a009300706022a030c0161", "SAN_BAD",
            "SAN hw: RFC 4108 5: want hwType OBJECT IDENTIFIER and hwSerialNum OCTET STRING"},
        {"3016a01406082b06010505070804a008300606022a030400", "SAN_BAD",
            "SAN hw: RFC 4108 5: want 1 to 64 octets of serial number, have 0"},
        {"3014a01206082b06010505070804a006300406022a03", "SAN_BAD",
            "SAN hw: RFC 4108 5: want hwType OBJECT IDENTIFIER and hwSerialNum OCTET STRING"},
        {"3010a00e06082b06010505070803a0023000", "SAN_BAD",
            "SAN permid: RFC 4043 2: want identifierValue UTF8String, assigner OBJECT IDENTIFIER, or both"},
        {"3012a01006082b06010505070803a00430020c00", "SAN_BAD",
            "SAN permid: RFC 4043 2: want identifierValue UTF8String, assigner OBJECT IDENTIFIER, or both"},
        {"3013a01106082b06010505070803a00530030c01ff", "SAN_UTF8",
            "SAN permid: RFC 3629 3: want UTF-8, have other octets"},
        {"3013a01106082b06010505070803a00530030c0107", "SAN_BAD",
            "SAN permid: RFC 4043 2: want visible text, have a control character in it"},
        {"3011a00f06086086480165030606a00304"
         "01d4",
            "SAN_FASCN", "SAN FASC-N: FIPS 201-3 4.2.1: want 25 octets"},
        {"3029a02706086086480165030606a01b0c19d4e739da739ced39ce739d836858210842108421c84210c3eb", "SAN_BAD",
            "SAN FASC-N: FIPS 201-3 4.2.1: want an OCTET STRING"},
        /* two bits turned, so that the parity is right: start, separator, digit, end, check character */
        {F "1"
           "4e739da739ced39ce739d836858210842108421c84210c3eb",
            "SAN_FASCN", "SAN FASC-N: FIPS 201-3 4.2.1: want a start sentinel"},
        {F "d4e739d9739ced39ce739d836858210842108421c84210c3eb", "SAN_FASCN",
            "SAN FASC-N: FIPS 201-3 4.2.1: want digits between the separators"},
        {F "d4e739da739ced39ce739d836858210842108421c84210c3e8", "SAN_FASCN",
            "SAN FASC-N: FIPS 201-3 4.2.1: want a check character (LRC) that is right"},
        {F "d4e739da739ced39ce739d836858210842108421c84210c38b", "SAN_FASCN",
            "SAN FASC-N: FIPS 201-3 4.2.1: want an end sentinel"},
        {F "d4e7398a739ced39ce739d836858210842108421c84210c3eb", "SAN_FASCN",
            "SAN FASC-N: FIPS 201-3 4.2.1: want field separators after agency, system, credential, series "
            "and issue"},
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
        cmocka_unit_test(characters_of_uris),
        cmocka_unit_test(refuses_other_kinds),
        cmocka_unit_test(spiffe_lengths),
        cmocka_unit_test(who_is_meant_is_one),
        cmocka_unit_test(byte_vectors),
        cmocka_unit_test(text_of_all_kinds),
        cmocka_unit_test(openssl_agrees),
        cmocka_unit_test(octets_are_kept),
        cmocka_unit_test(every_bit_of_a_fascn),
        cmocka_unit_test(order_kept_duplicates_dropped),
        cmocka_unit_test(refuses_der),
        cmocka_unit_test(at_most_250),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
