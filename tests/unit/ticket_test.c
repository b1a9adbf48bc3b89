/* Lot tickets: the one text they have, what is refused in it, and which devices are theirs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "issue/ticket_text.h"

#define HASH   "5d1f00000000000000000000000000000000000000000000000000000000ab0c"
#define HEAD   "p11ca lot ticket\n"
#define ID     "id lot-2026-047\n"
#define ISSUER "issuer factory " HASH "\n"
#define PROF   "profile device\n"
#define SKU    "sku GW-200 rev C\xc3\xa9\n"
#define COUNT  "count 5000\n"
#define RANGE  "ids SN-000001..SN-005000\n"
#define FROM   "not-before 2026-11-21T00:00:00Z\n"
#define TO     "not-after 2026-12-21T23:59:59Z\n"
#define GOOD   HEAD ID ISSUER PROF SKU COUNT RANGE FROM TO

#define CHARS_64 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcd"

static void takes(const char *text, struct ticket *ret)
{
    struct p11ca_err err;

    if (ticket_parse((const uint8_t *)text, strlen(text), ret, &err) != 0)
        fail_msg("%s", err.msg);
}

static void refuses(const char *text, size_t len, const char *want)
{
    struct ticket t, before;
    struct p11ca_err err;

    memset(&t, 0x5a, sizeof(t));
    before = t;
    if (ticket_parse((const uint8_t *)text, len, &t, &err) == 0)
        fail_msg("want it refused: %s", want);
    assert_string_equal(err.msg, want);
    assert_string_equal(err.code, "TICKET_SYNTAX");
    assert_int_equal(err.kind, P11CA_REFUSED);
    assert_memory_equal(&t, &before, sizeof(t));
}

static void text_is_read_and_written(void **state)
{
    struct ticket t;
    struct buf again = BUF_INIT;

    (void)state;
    takes(GOOD, &t);
    assert_string_equal(t.id, "lot-2026-047");
    assert_string_equal(t.issuer, "factory");
    assert_int_equal(t.issuer_sha256[0], 0x5d);
    assert_int_equal(t.issuer_sha256[31], 0x0c);
    assert_string_equal(t.profile, "device");
    assert_string_equal(t.sku, "GW-200 rev C\xc3\xa9");
    assert_int_equal(t.count, 5000);
    assert_string_equal(t.ids, "SN-000001..SN-005000");
    assert_int_equal(t.not_before, 1795219200);
    assert_int_equal(t.not_after - t.not_before, 31 * 86400 - 1);
    ticket_add_text(&t, &again);
    assert_string_equal(buf_str(&again), GOOD);
    buf_done(&again);
}

static void other_texts_are_refused(void **state)
{
    static const char not_the_one[] =
        "want the one text of this ticket: no line behind the last, numbers and "
        "hashes as p11ca writes them";
    static const char bad_ids[] = "FIRST..LAST with as many digits at their ends, or a pattern with ? and *";
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", "line 1: want 'p11ca lot ticket'"},
        {"p11ca lot ticket", "line 1: want 'p11ca lot ticket'"},
        {"P11ca lot ticket\n" ID, "line 1: want 'p11ca lot ticket'"},
        {"\xef\xbb\xbf" GOOD, "line 1: want 'p11ca lot ticket'"},
        {"p11ca lot ticket\r\n" ID, "line 1: want 'p11ca lot ticket'"},
        {HEAD, "line 2: want 'id' and text"},
        {HEAD ISSUER ID, "line 2: want 'id' and text"},
        {HEAD "id  lot\n" ISSUER PROF SKU COUNT RANGE FROM TO,
            "id: want 1 to 40 of A-Z a-z 0-9 . _ -, no leading dot or dash, have ' lot'"},
        {HEAD ID "issuer factory\n", "line 3: want 'issuer' and NAME SHA-256"},
        {HEAD ID "issuer factory 5d1f\n", "line 3: want 'issuer' and NAME SHA-256"},
        {HEAD ID "issuer factory " HASH "00\n", "line 3: want 'issuer' and NAME SHA-256"},
        {HEAD ID "issuer " CHARS_64 "e " HASH "\n", "line 3: want 'issuer' and NAME SHA-256"},
        {HEAD ID ISSUER PROF "sku " CHARS_64 "e\n", "line 5: want 'sku' and text"},
        {HEAD ID ISSUER PROF SKU "count\n", "line 6: want 'count' and a number"},
        {HEAD ID ISSUER PROF SKU "count \n", "line 6: want 'count' and a number"},
        {HEAD ID ISSUER PROF SKU "count -5\n", "line 6: want 'count' and a number"},
        {HEAD ID ISSUER PROF SKU "count 0x10\n", "line 6: want 'count' and a number"},
        {HEAD ID ISSUER PROF SKU "count 99999999999\n", "line 6: want 'count' and a number"},
        {HEAD ID ISSUER PROF SKU COUNT COUNT, "line 7: want 'ids' and text"},
        {HEAD ID ISSUER PROF SKU COUNT RANGE "not-before 2026-11-21\n" TO,
            "line 8: want 'not-before' and YYYY-MM-DDTHH:MM:SSZ"},
        {HEAD ID ISSUER PROF SKU COUNT RANGE "not-before 2026-02-30T00:00:00Z\n" TO,
            "line 8: want 'not-before' and YYYY-MM-DDTHH:MM:SSZ"},
        {HEAD ID ISSUER PROF SKU COUNT RANGE "not-before 2026-1-21T00:00:00Z\n" TO,
            "line 8: want 'not-before' and YYYY-MM-DDTHH:MM:SSZ"},
        {HEAD ID ISSUER PROF SKU COUNT RANGE FROM, "line 9: want 'not-after' and YYYY-MM-DDTHH:MM:SSZ"},
        {HEAD ID ISSUER PROF SKU COUNT RANGE FROM "not-after 2026-12-21T23:59:59Z",
            "line 9: want 'not-after' and YYYY-MM-DDTHH:MM:SSZ"},
        {HEAD ID ISSUER PROF SKU COUNT RANGE FROM "not-after 2026-11-20T23:59:59Z\n",
            "not-after: want a time not before 2026-11-21T00:00:00Z, have 2026-11-20T23:59:59Z"},
        {HEAD "id .lot\n" ISSUER PROF SKU COUNT RANGE FROM TO,
            "id: want 1 to 40 of A-Z a-z 0-9 . _ -, no leading dot or dash, have '.lot'"},
        {HEAD ID "issuer a/b " HASH "\n" PROF SKU COUNT RANGE FROM TO,
            "issuer: want the name of an authority, have 'a/b'"},
        {HEAD ID ISSUER "profile \n" SKU COUNT RANGE FROM TO, "profile: want the name of a profile, have ''"},
        {HEAD ID ISSUER PROF "sku \x1b[2J\n" COUNT RANGE FROM TO,
            "sku: want 1 to 64 octets of text, have '\\x1b[2J'"},
        {HEAD ID ISSUER PROF "sku a \n" COUNT RANGE FROM TO, "sku: want 1 to 64 octets of text, have 'a '"},
        {HEAD ID ISSUER PROF "sku \xc3\n" COUNT RANGE FROM TO,
            "sku: want 1 to 64 octets of text, have '\\xc3'"},
        {HEAD ID ISSUER PROF SKU "count 0\n" RANGE FROM TO, "count: want 1 to 1000000000, have 0"},
        {HEAD ID ISSUER PROF SKU "count 1000000001\n" RANGE FROM TO,
            "count: want 1 to 1000000000, have 1000000001"},
        {GOOD "\n", not_the_one},
        {GOOD ID, not_the_one},
        {HEAD ID ISSUER PROF SKU "count 05\n" RANGE FROM TO, not_the_one},
        {HEAD ID "issuer factory 5D1f00000000000000000000000000000000000000000000000000000000ab0c\n" PROF SKU
                COUNT RANGE FROM TO,
            not_the_one},
    };
    static const char *const ids[] = {"", "..", "A..B", "A1..B2", "A1..A22", "A1..A2x", "A2..A1",
        "A1..A2..A3", "A1..", "..A1", "1A..2A", "-1..-2", ".1...2", "A1...A2", "a b", "a/*", "*..*",
        "A?1..A?2", CHARS_64 "?"};
    char text[1024], want[256];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        refuses(rows[i].text, strlen(rows[i].text), rows[i].want);
    for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        snprintf(text, sizeof(text), HEAD ID ISSUER PROF SKU COUNT "ids %s\n" FROM TO, ids[i]);
        snprintf(want, sizeof(want), "ids: want %s, have '%s'", bad_ids, ids[i]);
        refuses(text, strlen(text), want);
    }
    refuses(GOOD, sizeof(GOOD), not_the_one); /* a NUL behind it */
    refuses(HEAD ID "issuer\0", sizeof(HEAD ID "issuer"), "line 3: want 'issuer' and NAME SHA-256");
}

static void devices_are_its_own(void **state)
{
    static const struct {
        const char *ids, *device;
        bool has;
    } rows[] = {
        {"SN-000001..SN-005000", "SN-000001", true},
        {"SN-000001..SN-005000", "SN-005000", true},
        {"SN-000001..SN-005000", "SN-000999", true},
        {"SN-000001..SN-005000", "SN-000000", false},
        {"SN-000001..SN-005000", "SN-005001", false},
        {"SN-000001..SN-005000", "SN-1", false},
        {"SN-000001..SN-005000", "SN-0000010", false},
        {"SN-000001..SN-005000", "SN-00x001", false},
        {"SN-000001..SN-005000", "XN-000001", false},
        {"SN-000001..SN-005000", "sn-000001", false},
        {"SN-000001..SN-005000", "", false},
        {"007..007", "007", true},
        {"007..007", "008", false},
        {"a.b9..a.b9", "a.b9", true},
        {"a.b9..a.b9", "axb9", false},
        /* More digits than a number has. */
        {"9999999999999999999999990..9999999999999999999999999", "9999999999999999999999995", true},
        {"9999999999999999999999990..9999999999999999999999999", "9999999999999999999999989", false},
        {"SN-1", "SN-1", true},
        {"SN-1", "SN-10", false},
        {"SN-1", "SN-", false},
        {"SN-?", "SN-1", true},
        {"SN-?", "SN-", false},
        {"SN-?", "SN-12", false},
        {"SN-*", "SN-", true},
        {"SN-*", "SN-12", true},
        {"SN-*", "SM-12", false},
        {"*-A", "1-A-A", true},
        {"*-A", "1-A-B", false},
        {"a*b*c", "aXbXbXc", true},
        {"a*b*c", "aXcXb", false},
        {"a*?c", "ac", false},
        {"**", "", true},
        {"*", "", true},
        {"?", "", false},
        {"*", "x", true},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ticket t = {.count = 1};

        snprintf(t.ids, sizeof(t.ids), "%s", rows[i].ids);
        if (ticket_has(&t, rows[i].device) != rows[i].has)
            fail_msg("%s: want %s '%s'", rows[i].ids, rows[i].has ? "it has" : "it has not", rows[i].device);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_read_and_written),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(devices_are_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
