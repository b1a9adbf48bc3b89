/* What a ceremony puts on paper: words, escaping, lines of text, QR codes, the report. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "base/text.h"
#include "ceremony/html.h"
#include "ceremony/layout.h"
#include "ceremony/qr.h"
#include "ceremony/render.h"
#include "ceremony/report.h"
#include "ceremony/words.h"

/* --- words --- */

static void word_vectors(void **state)
{
    static const struct {
        const char *hex, *words;
    } rows[] = {
        /* Of the list's authors. */
        {"E58294F2E9A227486E8B061B31CC528FD7FA3F19",
            "topmost Istanbul Pluto vagabond treadmill Pacific brackish dictator goldfish Medusa afflict "
            "bravado "
            "chatter revolver Dupont midsummer stopwatch whimsical cowbell bottomless"},
        /* Of the tests of ICANN's tools: SHA-256 of "mekmitasdigoat". */
        {"8d9eadc1f305d46f1f203886aa5df98f1ed62fcbacc23d2f6732d24d928703e8",
            "optic onlooker ringbolt recover upset almighty steamship hemisphere billiard butterfat classic "
            "letterhead reward filament waffle midsummer berserk speculate cement revival ribcage repellent "
            "commence combustion freedom component standard disruptive physique liberty acme typewriter"},
        {"0000ffff", "aardvark adroitness Zulu Yucatan"},
        {"", ""},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF b = BUF_INIT;
        uint8_t bytes[64];
        int len = text_unhex(rows[i].hex, bytes, sizeof(bytes));

        assert_true(len >= 0);
        words_add(&b, bytes, (size_t)len);
        assert_string_equal(buf_str(&b), rows[i].words);
    }
}

/* No word stands for two octets, nor at an even place and at an odd one. */
static void words_are_distinct(void **state)
{
    unsigned i, k;

    (void)state;
    for (i = 0; i < 512; i++) {
        const char *word = words_at(i / 256, (uint8_t)i);

        assert_in_range(strlen(word), 4, 11);
        for (k = 0; k < i; k++)
            assert_int_not_equal(strcasecmp(words_at(k / 256, (uint8_t)k), word), 0);
    }
}

/* The whole list, as its authors spell it: a word changed by accident is noticed, whichever it is. */
static void word_list(void **state)
{
    AUTO_BUF b = BUF_INIT;
    uint8_t sha256[SHA256_LEN];
    char hex[2 * SHA256_LEN + 1];
    unsigned i;

    (void)state;
    for (i = 0; i < 512; i++)
        buf_addf(&b, "%s\n", words_at(i / 256, (uint8_t)i));
    assert_int_equal(hash_sha256(b.p, b.len, sha256), 0);
    text_hex_lower(sha256, sizeof(sha256), hex);
    assert_string_equal(hex, "7e5237abee2c4ed4374b29a853b0ac3ac108a0ea11e8c7f50f6dc667402a49b6");
}

/* --- lines of text --- */

static void lines_wrap(void **state)
{
    static const struct {
        const char *text, *lines; /* lines of at most ten columns, with '|' behind each */
    } rows[] = {
        {"", ""},
        {"one", "one|"},
        {"one two three four", "one two|three four|"},
        {"exactly10c and", "exactly10c|and|"},
        {"abcdefghijklmnopqrstuvwxyz", "abcdefghij|klmnopqrst|uvwxyz|"},
        {"a abcdefghijklmnop", "a|abcdefghij|klmnop|"},
        {"two\nlines", "two|lines|"},
        {"one\n\nthree\n", "one||three|"},
        {"many     spaces   ", "many|spaces|"},
        {" leading", " leading|"},
        {"Z\xc3\xbcrich \xc3\x84\xc3\x96\xc3\x9c", "Z\xc3\xbcrich \xc3\x84\xc3\x96\xc3\x9c|"},
        /* Wide characters take two columns, combining ones none. */
        {"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
            "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac|\xe8\xaa\x9e|"},
        {"e\xcc\x81\x65\xcc\x81\x65\xcc\x81 eeeeee", "e\xcc\x81\x65\xcc\x81\x65\xcc\x81 eeeeee|"},
    };
    const char *at, *line;
    size_t i, len;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF b = BUF_INIT;

        for (at = rows[i].text; layout_line(&at, 10, &line, &len);) {
            assert_true(layout_width(line, len) <= 10);
            buf_add(&b, line, len);
            buf_addc(&b, '|');
        }
        assert_string_equal(buf_str(&b), rows[i].lines);
    }
}

static void tables_have_straight_edges(void **state)
{
    static const struct layout l = {2, {6, 4}};
    static const char *const cells[] = {"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5 x", "a\x1b[2Jb"};
    static const char *const empty[] = {NULL, NULL};
    AUTO_BUF b = BUF_INIT;

    (void)state;
    layout_rule(&b, &l);
    layout_row(&b, &l, cells, 0);
    layout_row(&b, &l, empty, 2);
    assert_string_equal(buf_str(&b), "+--------+------+\n"
                                     "| \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e | a\\x1 |\n"
                                     "| \xe6\x97\xa5 x   | b[2J |\n"
                                     "|        | b    |\n"
                                     "|        |      |\n"
                                     "|        |      |\n");
}

static void paragraphs_end_before_column_80(void **state)
{
    AUTO_BUF text = BUF_INIT, b = BUF_INIT;
    const char *at, *end;
    int i;

    (void)state;
    for (i = 0; i < 40; i++)
        buf_addf(&text, "%.*s ", i, "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww");
    layout_text(&b, 4, buf_str(&text));
    for (at = buf_str(&b); *at; at = end + 1) {
        end = strchr(at, '\n');
        assert_non_null(end);
        assert_in_range(end - at, 5, 80);
        assert_memory_equal(at, "    ", 4);
    }
}

/* --- HTML --- */

static void html_escapes(void **state)
{
    static const struct {
        const char *text, *html;
    } rows[] = {
        {"<script>alert(\"1\" & '2')</script>",
            "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;"},
        {"&amp;", "&amp;amp;"},
        {"two\nlines\tand a tab", "two<br/>lines and a tab"},
        {"\x1b[2J\x7f", "\\x1b[2J\\x7f"},
        {"\xff\xfe", "\\xff\\xfe"}, /* no UTF-8 */
        {"a\xe2\x80\xae"
         "b",
            "a\\xe2\\x80\\xaeb"}, /* right-to-left override */
        {"Zo\xc3\xab", "Zo\xc3\xab"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF b = BUF_INIT;

        html_text(&b, rows[i].text);
        assert_string_equal(buf_str(&b), rows[i].html);
    }
}

/* The foot of a page is a string of a style sheet: neither a quote nor a tag may end it. */
static void html_foot_is_escaped(void **state)
{
    const struct html_page page = {.title = "t</title><b>\n", .footer = "x\"; } </style><script>\\a\n"};
    AUTO_BUF b = BUF_INIT;
    char *html;

    (void)state;
    html_begin(&b, &page);
    html_end(&b);
    html = buf_str(&b);
    assert_non_null(strstr(html, "<title>t&lt;/title&gt;&lt;b&gt; </title>"));
    assert_non_null(strstr(html,
        "content: \"x\\000022 \\00003b  \\00007d  \\00003c \\00002f style\\00003e \\00003c script\\00003e "
        "\\00005c a?\";"));
    assert_null(strstr(html, "<script"));
    assert_ptr_equal(strstr(html, "</style>"), strstr(html, "</style>\n</head>"));
    assert_null(strstr(html, "REHEARSAL"));
}

/* --- QR codes --- */

static bool is_finder(const struct qr *qr, size_t left, size_t top)
{
    size_t x, y;

    for (y = 0; y < 7; y++) {
        for (x = 0; x < 7; x++) {
            bool ring = x == 0 || x == 6 || y == 0 || y == 6, core = x > 1 && x < 5 && y > 1 && y < 5;

            if (qr_is_dark(qr, left + x, top + y) != (ring || core))
                return false;
        }
    }
    return true;
}

static const char hash_of_abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/* ISO/IEC 18004 6.3: what every symbol has, and where; a mirrored one has it elsewhere. */
static void qr_patterns(void **state)
{
    AUTO_QR qr = {.width = 0};
    struct p11ca_err err;
    size_t i, last;

    (void)state;
    assert_int_equal(qr_make_sha256(hash_of_abc, &qr, &err), 0);
    /* 71 octets at level M: version 5. */
    assert_int_equal(qr.width, 37);
    last = qr.width - 7;
    assert_true(is_finder(&qr, 0, 0));
    assert_true(is_finder(&qr, last, 0));
    assert_true(is_finder(&qr, 0, last));
    assert_false(is_finder(&qr, last, last));
    for (i = 8; i < qr.width - 8; i++) {
        assert_int_equal(qr_is_dark(&qr, i, 6), i % 2 == 0);
        assert_int_equal(qr_is_dark(&qr, 6, i), i % 2 == 0);
    }
    assert_true(qr_is_dark(&qr, 8, qr.width - 8));
}

/* The drawing read back: every dark module is covered once, no light one, and nothing in the quiet zone. */
static void qr_drawing(void **state)
{
    AUTO_QR qr = {.width = 0};
    AUTO_BUF b = BUF_INIT;
    struct p11ca_err err;
    unsigned char drawn[45 * 45] = {0};
    unsigned x, y, n, back;
    const char *at;
    size_t i;
    int len;

    (void)state;
    assert_int_equal(qr_make_sha256(hash_of_abc, &qr, &err), 0);
    qr_svg(&qr, &b);
    assert_non_null(strstr(buf_str(&b), "viewBox=\"0 0 45 45\""));
    at = strstr((char *)b.p, " d=\"");
    assert_non_null(at);
    for (at += 4; sscanf(at, "M%u %uh%uv1h-%uz%n", &x, &y, &n, &back, &len) == 4; at += len) {
        assert_int_equal(n, back);
        for (; n--; x++)
            drawn[y * 45 + x]++;
    }
    assert_int_equal(*at, '"');
    for (i = 0; i < sizeof(drawn); i++) {
        size_t column = i % 45, row = i / 45;
        bool quiet = column < 4 || column > 40 || row < 4 || row > 40;

        assert_int_equal(drawn[i], quiet ? 0 : qr_is_dark(&qr, column - 4, row - 4));
    }
}

/* --- JSON for people --- */

static void json_is_shown(void **state)
{
    static const struct {
        const char *json, *html;
    } rows[] = {
        {"\"<b>\"", "<span>&lt;b&gt;</span>\n"},
        {"[true, 7, null, \"x\"]", "<span>yes, 7, none, x</span>\n"},
        {"{}", "<span>{}</span>\n"},
        {"[]", "<span>none</span>\n"},
        {"{\"key_usage\": false}",
            "<table class=\"facts\"><tbody>\n<tr><th>Key usage</th>\n<td><span>no</span>\n</td></tr>\n"
            "</tbody></table>\n"},
        /* A member that only some objects have is a column nevertheless. */
        {"[{\"a\": 1}, {\"<\": 2}]",
            "<table><thead><tr><th>A</th>\n<th>&lt;</th>\n</tr></thead><tbody>\n"
            "<tr><td><span>1</span>\n</td><td></td></tr>\n<tr><td></td><td><span>2</span>\n</td></tr>\n"
            "</tbody></table>\n"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_JSON value = json_loads(rows[i].json, JSON_DECODE_ANY, NULL);
        AUTO_BUF b = BUF_INIT;

        assert_non_null(value);
        render_html(&b, value);
        assert_string_equal(buf_str(&b), rows[i].html);
    }
}

/* However deep a transcript nests, the page ends. */
static void json_depth(void **state)
{
    AUTO_BUF text = BUF_INIT, b = BUF_INIT;
    AUTO_JSON value = NULL;
    const char *at;
    int i, headings = 0;

    (void)state;
    for (i = 0; i < 1000; i++)
        buf_adds(&text, "{\"a\":");
    buf_adds(&text, "1");
    for (i = 0; i < 1000; i++)
        buf_addc(&text, '}');
    value = json_loads(buf_str(&text), 0, NULL);
    assert_non_null(value);
    render_html(&b, value);
    for (at = buf_str(&b); (at = strstr(at, "<h4>")); at++)
        headings++;
    assert_in_range(headings, 3, 9);
    assert_non_null(strstr((char *)b.p, "{&quot;a&quot;:{&quot;a&quot;:"));
}

/* --- the report --- */

#define WHO "{\"role\": \"CA\", \"title\": \"Administrator\", \"name\": \"Zo\xc3\xab <script>\"}"
#define H1  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static const char *const transcript[] = {
    "{\"line\": 1, \"before\": \"\", \"time\": \"2026-11-21T09:00:00Z\", \"type\": \"begin\", \"ceremony\": "
    "\"2026-11-21-root\", \"title\": \"A & <B>\", \"purpose\": null, \"script\": {\"file\": \"root.conf\", "
    "\"sha256\": \"" H1 "\"}, \"roles\": [" WHO "], \"unattended\": false, \"signatures\": [{\"step\": 2, "
    "\"kind\": \"self-sign\", \"what\": \"certificate\", \"subject\": \"CN=<i>\"}], \"environment\": "
    "{\"host\": "
    "\"here\"}}",
    "{\"line\": 2, \"time\": \"2026-11-21T09:01:00Z\", \"type\": \"start\", \"step\": 1, \"kind\": \"say\", "
    "\"text\": \"Listen\", \"by\": " WHO ", \"witness\": [], \"intent\": {\"time\": 1795251660}}",
    "{\"line\": 3, \"time\": \"2026-11-21T09:02:00Z\", \"type\": \"failed\", \"step\": 1, \"code\": \"PIN\", "
    "\"message\": \"wrong <PIN>\"}",
    "{\"line\": 4, \"time\": \"2026-11-21T09:03:00Z\", \"type\": \"resumed\", \"environment\": {\"host\": "
    "\"elsewhere\"}, \"dropped\": 17}",
    "{\"line\": 5, \"time\": \"2026-11-21T09:04:00Z\", \"type\": \"start\", \"step\": 1, \"kind\": \"say\", "
    "\"text\": \"Listen\", \"by\": " WHO ", \"witness\": [], \"intent\": {\"time\": 1795251840}}",
    "{\"line\": 6, \"time\": \"2026-11-21T10:05:07Z\", \"type\": \"done\", \"step\": 1, \"result\": "
    "{\"probes\": "
    "[{\"probe\": \"<read>\", \"refused\": true}], \"new\": {\"deep\": \"d<\"}}, \"files\": []}",
    "{\"line\": 7, \"time\": \"2026-11-21T10:06:00Z\", \"type\": \"approval\", \"role\": \"CA\", \"name\": "
    "\"<u>\", \"key\": \"" H1 "\"}",
    "{\"line\": 8, \"time\": \"2026-11-21T10:06:00Z\", \"type\": \"start\", \"step\": 2, \"kind\": "
    "\"self-sign\", "
    "\"text\": \"Sign\", \"by\": " WHO ", \"witness\": [" WHO "], \"intent\": {}}",
    "{\"line\": 9, \"time\": \"2026-11-21T10:07:00Z\", \"type\": \"tbs\", \"step\": 2, \"what\": "
    "\"certificate\", "
    "\"authority\": \"root\", \"number\": \"0A\", \"sha256\": \"" H1 "\", \"words\": \"not these\"}",
    "{\"line\": 10, \"time\": \"2026-11-21T10:08:00Z\", \"type\": \"approved\", \"step\": 2, \"by\": " WHO
    ", \"sha256\": \"" H1 "\"}",
    "{\"line\": 11, \"time\": \"2026-11-21T10:09:00Z\", \"type\": \"done\", \"step\": 2, \"result\": {}, "
    "\"files\": [{\"file\": \"x;y.crt\", \"artefact\": \"artefacts/02-x;y.crt\", \"sha256\": \"" H1
    "\"}, {\"file\": "
    "\"r.crt\", \"artefact\": \"artefacts/02-r.crt\", \"sha256\": \"" H1 "\"}]}",
    "{\"line\": 12, \"time\": \"2026-11-21T10:10:00Z\", \"type\": \"end\", \"outcome\": \"complete\", "
    "\"steps\": "
    "2, \"files\": [{\"file\": \"plan.txt\", \"sha256\": \"" H1 "\"}]}",
};

/* n lines of it; a rehearsal's say so. */
static json_t *read_transcript(size_t n, bool rehearsal)
{
    json_t *lines = json_array();
    size_t i;

    for (i = 0; i < n; i++) {
        json_t *line = json_loads(transcript[i], 0, NULL);

        assert_non_null(line);
        if (rehearsal)
            json_object_set_new(line, "rehearsal", json_true());
        json_array_append_new(lines, line);
    }
    return lines;
}

#define LINES (sizeof(transcript) / sizeof(transcript[0]))

static void report_holds_everything(void **state)
{
    static const char *const wants[] = {"COMPLETE", "A &amp; &lt;B&gt;", "2026-11-21-root", "root.conf",
        "1 h 10 min 00 s", "failed attempts: 1, resumptions: 1", "people at the machine",
        "Administrator (CA, Zo\xc3\xab &lt;script&gt;)", "CN=&lt;i&gt;", "Step 1: say", "Listen",
        "<b>FAILED:</b>\n wrong &lt;PIN&gt;", "PIN", "<b>RESUMED:</b>", "17 octets", "elsewhere",
        "Started again", "1 h 04 min 07 s", "&lt;read&gt;", "<h4>Probes</h4>", "<h4>New</h4>", "d&lt;",
        "Between two steps", "&lt;u&gt;", "Step 2: self-sign", "number 0A",
        "<td>shadow</td>\n<td>indigo</td>", "Approved by", "artefacts/02-x;y.crt", "plan.txt",
        "sha256sum -c SHA256SUMS", "-in artefacts/02-r.crt; sha256sum", "approved in step 2",
        "<svg class=\"qr\""};
    AUTO_JSON lines = read_transcript(LINES, false);
    AUTO_BUF b = BUF_INIT, again = BUF_INIT;
    struct p11ca_err err;
    size_t i;

    (void)state;
    assert_int_equal(report_html(lines, H1, &b, &err), 0);
    for (i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
        if (!strstr(buf_str(&b), wants[i]))
            fail_msg("want '%s' in the report", wants[i]);
    }
    assert_null(strstr((char *)b.p, "<script"));
    assert_null(strstr((char *)b.p, "REHEARSAL"));
    assert_null(strstr((char *)b.p, "not these")); /* words are those of the hash, whatever a line says */
    assert_null(strstr((char *)b.p, "-in artefacts/02-x;y.crt"));
    assert_int_equal(report_html(lines, H1, &again, &err), 0);
    assert_int_equal(again.len, b.len);
    assert_memory_equal(again.p, b.p, b.len);
}

static void report_of_a_rehearsal(void **state)
{
    AUTO_JSON lines = read_transcript(LINES, true);
    AUTO_BUF b = BUF_INIT;
    struct p11ca_err err;

    (void)state;
    assert_int_equal(report_html(lines, H1, &b, &err), 0);
    assert_non_null(strstr(buf_str(&b), "<div class=\"watermark\">REHEARSAL</div>"));
    assert_non_null(strstr((char *)b.p, "<div class=\"rehearsal\">REHEARSAL</div>"));
    assert_non_null(strstr((char *)b.p, "@top-center { content: \"REHEARSAL"));
}

/* Cut off at any line it says that it has no end; nothing is only half closed. */
static void report_of_a_part(void **state)
{
    struct p11ca_err err;
    size_t n;

    (void)state;
    for (n = 1; n < LINES; n++) {
        AUTO_JSON lines = read_transcript(n, false);
        AUTO_BUF b = BUF_INIT;
        const char *at;
        int open = 0;

        assert_int_equal(report_html(lines, H1, &b, &err), 0);
        assert_non_null(strstr(buf_str(&b), "UNFINISHED"));
        for (at = (char *)b.p; (at = strstr(at, "<table")); at++)
            open++;
        for (at = (char *)b.p; (at = strstr(at, "</table")); at++)
            open--;
        assert_int_equal(open, 0);
    }
}

static void report_wants_a_hash(void **state)
{
    AUTO_JSON lines = read_transcript(LINES, false);
    AUTO_BUF b = BUF_INIT;
    struct p11ca_err err;

    (void)state;
    assert_int_equal(report_html(lines, "abc", &b, &err), -1);
    assert_string_equal(err.msg, "report: want a SHA-256 in hex, have 'abc'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(word_vectors),
        cmocka_unit_test(words_are_distinct),
        cmocka_unit_test(word_list),
        cmocka_unit_test(lines_wrap),
        cmocka_unit_test(tables_have_straight_edges),
        cmocka_unit_test(paragraphs_end_before_column_80),
        cmocka_unit_test(html_escapes),
        cmocka_unit_test(html_foot_is_escaped),
        cmocka_unit_test(qr_patterns),
        cmocka_unit_test(qr_drawing),
        cmocka_unit_test(json_is_shown),
        cmocka_unit_test(json_depth),
        cmocka_unit_test(report_holds_everything),
        cmocka_unit_test(report_of_a_rehearsal),
        cmocka_unit_test(report_of_a_part),
        cmocka_unit_test(report_wants_a_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
