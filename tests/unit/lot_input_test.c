/* What lots are read from: lines, cells, columns, rows; and what a preflight makes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/scope.h"
#include "files_help.h"
#include "issue/lot_input.h"
#include "issue/lot_report.h"
#include "issue/preflight_files.h"
#include "issue/preflight_primes.h"

/* --- files --- */

static void reads_below(void **state)
{
    AUTO_BUF b = BUF_INIT;

    (void)state;
    assert_ok(file_mkdir(path_of("sub"), 0700, &err));
    write_text("sub/a", "text");
    assert_int_equal(symlink("a", path_of("sub/link")), 0);
    assert_int_equal(symlink("sub", path_of("way")), 0);
    assert_ok(file_read_below(dir, "sub/a", 4, &b, &err));
    assert_ok(file_read_below(dir, "./sub//a", 4, &b, &err));
    assert_int_equal(b.len, 8);
    assert_refused(
        file_read_below(dir, "sub/a", 3, &b, &err), "INPUT_TOO_LARGE", "sub/a: want at most 3 bytes, have 4");
    assert_refused(
        file_read_below(dir, "../x", 4, &b, &err), "INPUT_PATH", "../x: want a relative path without '..'");
    assert_refused(file_read_below(dir, "sub/../sub/a", 4, &b, &err), "INPUT_PATH",
        "sub/../sub/a: want a relative path without '..'");
    assert_refused(file_read_below(dir, "/etc/passwd", 4, &b, &err), "INPUT_PATH",
        "/etc/passwd: want a relative path without '..'");
    assert_refused(file_read_below(dir, "sub/b", 4, &b, &err), "INPUT_MISSING", "sub/b: no such file");
    assert_refused(file_read_below(dir, "sub/link", 4, &b, &err), "INPUT_NOT_FILE",
        "sub/link: want a regular file, have a symbolic link");
    assert_refused(file_read_below(dir, "way/a", 4, &b, &err), "INPUT_NOT_FILE",
        "way/a: want directories before the last slash");
    assert_refused(file_read_below(dir, "sub/a/b", 4, &b, &err), "INPUT_NOT_FILE",
        "sub/a/b: want directories before the last slash");
    assert_refused(
        file_read_below(dir, "sub/.", 4, &b, &err), "INPUT_NOT_FILE", "sub/.: want a regular file");
    assert_int_equal(b.len, 8);
}

static void grows_an_output(void **state)
{
    AUTO_FILE_OUT out = {.fd = -1};
    AUTO_BUF b = BUF_INIT;
    char line[1000];
    size_t i;

    (void)state;
    memset(line, 'x', sizeof(line));
    assert_ok(file_out_begin(&out, path_of("grown"), 0640, &err));
    for (i = 0; i < 1000; i++)
        assert_ok(file_out_add(&out, line, sizeof(line), &err));
    assert_false(file_exists(path_of("grown")));
    assert_ok(file_out_end(&out, &err));
    assert_ok(file_read(path_of("grown"), 1000000, &b, &err));
    assert_int_equal(b.len, 1000000);
    file_out_done(&out);
    assert_true(file_exists(path_of("grown")));
    assert_int_equal(file_out_begin(&out, path_of("grown"), 0640, &err), -1);
    assert_string_equal(err.code, "OUTPUT_EXISTS");
    /* Somebody was faster. */
    assert_ok(file_out_begin(&out, path_of("raced"), 0640, &err));
    write_text("raced", "theirs");
    assert_int_equal(file_out_end(&out, &err), -1);
    assert_string_equal(err.code, "OUTPUT_EXISTS");
}

static size_t files_here(void)
{
    char **names = NULL;
    size_t n = 0;

    assert_ok(file_list_all(dir, &names, &n, &err));
    file_list_free(names);
    return n;
}

static void gives_an_output_up(void **state)
{
    struct file_out out = {.fd = -1};
    size_t before = files_here();

    (void)state;
    assert_ok(file_out_begin(&out, path_of("never"), 0640, &err));
    assert_ok(file_out_add(&out, "x", 1, &err));
    assert_int_equal(files_here(), before); /* killed in here, nothing stays */
    file_out_done(&out);
    assert_int_equal(files_here(), before);
}

/* --- lines --- */

static void reads_lines(void **state)
{
    static const char text[] = "\xef\xbb\xbf"
                               "one\r\n\ntwo\rhalf\n\xef\xbb\xbfthree";
    static const char *const want[] = {"one", "", "two\rhalf", "\xef\xbb\xbfthree"};
    struct lines l;
    size_t i, pass;

    (void)state;
    assert_ok(lines_open(&l, write_text("lines", text), 16, &err));
    for (pass = 0; pass < 2; pass++) {
        AUTO_BUF b = BUF_INIT;

        for (i = 0; i < 4; i++) {
            buf_reset(&b);
            assert_int_equal(lines_next(&l, &b, &err), 1);
            assert_int_equal(l.number, i + 1);
            assert_string_equal(buf_str(&b), want[i]);
        }
        assert_int_equal(lines_next(&l, &b, &err), 0);
        assert_ok(lines_rewind(&l, &err));
    }
    lines_done(&l);
}

/* Whatever the size of the pieces in which the file is read. */
static void reads_lines_across_pieces(void **state)
{
    AUTO_BUF text = BUF_INIT;
    AUTO_BUF b = BUF_INIT;
    struct lines l;
    size_t i;

    (void)state;
    for (i = 0; i < 300; i++)
        buf_addf(&text, "%01000zu\n", i);
    assert_ok(lines_open(&l, write_file("long", text.p, text.len), 1000, &err));
    for (i = 0; i < 300; i++) {
        buf_reset(&b);
        assert_int_equal(lines_next(&l, &b, &err), 1);
        assert_int_equal(b.len, 1000);
        assert_int_equal(strtoul(buf_str(&b), NULL, 10), i);
    }
    assert_int_equal(lines_next(&l, &b, &err), 0);
    lines_done(&l);
}

static void refuses_lines(void **state)
{
    AUTO_BUF b = BUF_INIT;
    struct lines l;

    (void)state;
    assert_ok(lines_open(&l, write_text("lines", "0123456789012345\n01234567890123456789x\n"), 16, &err));
    assert_int_equal(lines_next(&l, &b, &err), 1);
    assert_refused(
        lines_next(&l, &b, &err), "MANIFEST_SYNTAX", "want at most 16 octets in a line, have more");
    lines_done(&l);
    assert_ok(lines_open(&l, write_text("lines", "a\n,\"-----BEGIN RSA PRIVATE KEY-----\n"), 99, &err));
    assert_int_equal(lines_next(&l, &b, &err), 1);
    assert_refused(lines_next(&l, &b, &err), "PRIVATE_KEY_SEEN",
        "want no private key in an input file, have one: treat it as disclosed");
    lines_done(&l);
}

/* --- CSV --- */

static void splits_csv(void **state)
{
    static const struct {
        const char *line, *want; /* cells with a bar behind each */
    } rows[] = {
        {"", "|"},
        {"a", "a|"},
        {",", "||"},
        {"a,b,c", "a|b|c|"},
        {"\"\"", "|"},
        {"\"a,b\",c", "a,b|c|"},
        {"\"a\"\"b\",\"\"\"\"", "a\"b|\"|"},
        {"\"\"\"a\"\"\"", "\"a\"|"},
        {" a , b ", " a | b |"},
        {"\xc3\xa4,=1+1", "\xc3\xa4|=1+1|"},
    };
    size_t i, k, n;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *cells[8];
        AUTO_BUF have = BUF_INIT;
        char line[64];

        snprintf(line, sizeof(line), "%s", rows[i].line);
        assert_ok(manifest_csv_split(line, cells, 8, &n, &err));
        for (k = 0; k < n; k++)
            buf_addf(&have, "%s|", cells[k]);
        assert_string_equal(buf_str(&have), rows[i].want);
    }
}

static void refuses_csv(void **state)
{
    static const struct {
        const char *line, *want;
    } rows[] = {
        {"a,\"b", "RFC 4180 2.6: want a quoted cell to end on its line (a quote that is not closed, or a "
                  "line break in a cell)"},
        {"\"a\"\"", "RFC 4180 2.6: want a quoted cell to end on its line (a quote that is not closed, or a "
                    "line break in a cell)"},
        {"\"a\"b", "RFC 4180 2.5: want a comma behind a quoted cell, have more text"},
        {"\"a\" ,b", "RFC 4180 2.5: want a comma behind a quoted cell, have more text"},
        {"a\"b", "RFC 4180 2.5: want no quote in a cell that does not begin with one"},
        {"a\rb", "want no line break in a cell, have a carriage return"},
        {",,,", "want at most 3 cells, have more"},
    };
    const char *cells[3];
    size_t i, n = 77;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char line[64];

        snprintf(line, sizeof(line), "%s", rows[i].line);
        assert_refused(manifest_csv_split(line, cells, 3, &n, &err), "MANIFEST_SYNTAX", rows[i].want);
        assert_int_equal(n, 77);
    }
}

/* --- columns --- */

static int row_of(struct cells *cells, struct manifest_row *ret)
{
    if (manifest_row(cells, ret, &err) != 0)
        return -1;
    return manifest_names(cells, &ret->sans, &err);
}

static void reads_columns(void **state)
{
    struct cells cells = {.n = 10,
        .v = {{"id", "SN-1", CELL_TEXT}, {"spki", "AAAA", CELL_TEXT}, {"dns", "a.example", CELL_TEXT},
            {"dns", "b.example", CELL_TEXT}, {"san", "uri:urn:a:b", CELL_TEXT}, {"days", "30", CELL_TEXT},
            {"profile", "", CELL_TEXT}, {"subject", NULL, CELL_TEXT}, {"batch-code", "b7", CELL_TEXT},
            {"x", "", CELL_TEXT}}};
    struct manifest_row row;

    (void)state;
    assert_ok(row_of(&cells, &row));
    assert_string_equal(row.id, "SN-1");
    assert_int_equal(row.material, MATERIAL_SPKI);
    assert_string_equal(row.source, "AAAA");
    assert_int_equal(row.days, 30);
    assert_null(row.profile);
    assert_null(row.subject);
    assert_int_equal(row.sans.n, 3);
    assert_true(san_has(&row.sans, SAN_DNS, "b.example") && san_has(&row.sans, SAN_URI, "urn:a:b"));
    assert_int_equal(row.n_fields, 1);
    assert_string_equal(row.fields[0].name, "batch-code");
    assert_string_equal(row.fields[0].value, "b7");
    manifest_row_done(&row);
}

static void refuses_columns(void **state)
{
    static const struct {
        struct cell cell;
        const char *code, *want;
    } rows[] = {
        {{"csr", "BBBB", CELL_TEXT}, "MANIFEST_SYNTAX",
            "csr: want one of csr, csr-file, spki and spki-file, have two"},
        {{"days", "x", CELL_TEXT}, "MANIFEST_SYNTAX",
            "days: want a whole number of at most 6 digits, have 'x'"},
        {{"days", "0000001", CELL_TEXT}, "MANIFEST_SYNTAX",
            "days: want a whole number of at most 6 digits, have '0000001'"},
        {{"days", "30", CELL_STRING}, "MANIFEST_SYNTAX", "days: want a number, have a string"},
        {{"id", "30", CELL_NUMBER}, "MANIFEST_SYNTAX", "id: want a string, have a number"},
        {{"note", "30", CELL_NUMBER}, "MANIFEST_SYNTAX", "note: want a string, have a number"},
        {{"san", "nonsense", CELL_TEXT}, "SAN_KIND", "san: want KIND:NAME, have 'nonsense'"},
        {{"san", "no:thing", CELL_TEXT}, "SAN_KIND", "san: want KIND:NAME, have 'no:thing'"},
    };
    struct manifest_row row;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cells cells = {.n = 2, .v = {{"spki", "AAAA", CELL_TEXT}, rows[i].cell}};

        memset(&row, 0, sizeof(row));
        assert_refused(row_of(&cells, &row), rows[i].code, rows[i].want);
        manifest_row_done(&row);
    }
    assert_refused(manifest_row(&(struct cells){.n = 1, .v = {{"id", "a", CELL_TEXT}}}, &row, &err),
        "MANIFEST_MISMATCH", "want a request or a public key (csr, csr-file, spki, spki-file), have none");
}

/* --- JSON --- */

static int json_of(const char *text, struct cells *cells, json_t **json)
{
    static char digits[24];

    *json = NULL;
    return manifest_json(text, strlen(text), json, digits, cells, &err);
}

static void reads_json(void **state)
{
    struct cells cells;
    json_t *json;

    (void)state;
    assert_ok(json_of("{\"id\": \"a\", \"dns\": [\"b\", \"c\"], \"days\": 7, \"x\": null}", &cells, &json));
    assert_int_equal(cells.n, 4);
    assert_string_equal(cells.v[0].value, "a");
    assert_string_equal(cells.v[2].value, "c");
    assert_int_equal(cells.v[2].type, CELL_STRING);
    assert_string_equal(cells.v[3].value, "7");
    assert_int_equal(cells.v[3].type, CELL_NUMBER);
    json_decref(json);
}

static void refuses_json(void **state)
{
    static const char *const rows[] = {"", "[]", "7", "{\"a\": \"b\", \"a\": \"b\"}", "{\"a\": 7}",
        "{\"a\": true}", "{\"a\": []}", "{\"dns\": [7]}", "{\"dns\": {}}", "{\"A\": \"b\"}", "{\"\": \"b\"}",
        "{\"a\": \"b\\u0000c\"}", "{\"a\": \"b\"} x", "{\"a\": \"\xff\"}", "{\"days\": 1.0}",
        "{\"days\": 99999999999999999999}"};
    struct cells cells;
    json_t *json;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (json_of(rows[i], &cells, &json) == 0)
            fail_msg("taken: %s", rows[i]);
        assert_string_equal(err.code, "MANIFEST_SYNTAX");
        json_decref(json);
    }
}

static void refuses_too_many_values(void **state)
{
    AUTO_BUF text = BUF_INIT;
    struct cells cells;
    json_t *json;
    size_t i;

    (void)state;
    buf_adds(&text, "{\"dns\": [\"a\"");
    for (i = 0; i < LIMIT_COLUMNS; i++)
        buf_adds(&text, ", \"a\"");
    buf_adds(&text, "]}");
    assert_refused(json_of(buf_str(&text), &cells, &json), "MANIFEST_SYNTAX",
        "want at most 64 values in a row, have more");
    json_decref(json);
}

/* --- whole inputs --- */

static size_t count_rows(struct lot_input *in)
{
    struct lot_row row;
    size_t n = 0;

    while (lot_input_next(in, &row, &err) == 1) {
        assert_int_equal(row.index, n++);
        lot_row_done(&row);
    }
    return n;
}

static void reads_twice(void **state)
{
    static const struct {
        const char *name, *text;
        const char *second; /* what its second row is called */
    } rows[] = {
        {"a.csv", "id,spki\na,b\nc,d\n", "a.csv:3"},
        {"a.ndjson", "{}\n{}\n", "a.ndjson:2"},
        {"a.jsonl", "{}\n{}\n", "a.jsonl:2"},
        {"a.pem", "x\n-----BEGIN A-----\n-----END A-----\n-----BEGIN B-----\nb\n-----END B-----\n",
            "a.pem#2"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lot_input in;
        char name[LOT_NAME];

        assert_ok(lot_input_open(&in, write_text(rows[i].name, rows[i].text), &err));
        assert_int_equal(count_rows(&in), 2);
        assert_ok(lot_input_rewind(&in, &err));
        assert_int_equal(count_rows(&in), 2);
        lot_input_name(&in, 1, name);
        assert_string_equal(name, rows[i].second);
        lot_input_stem(&in, 1, name);
        assert_string_equal(name, "row-2");
        lot_input_done(&in);
    }
}

static void sees_another_header(void **state)
{
    struct lot_input in;
    AUTO_FD fd = -1;

    (void)state;
    assert_ok(lot_input_open(&in, write_text("h.csv", "id,spki\na,b\n"), &err));
    /* In place: the open file is the one that changes. */
    assert_ok(file_log_open(path_of("h.csv"), false, 0600, &fd, &err));
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_ok(file_log_add(fd, "h.csv", "spki,id\na,b\n", 12, &err));
    assert_refused(lot_input_rewind(&in, &err), "FILE_CHANGED", "h.csv:1: is not what was checked");
    lot_input_done(&in);
}

static void cuts_large_blocks(void **state)
{
    AUTO_BUF text = BUF_INIT;
    struct lot_input in;
    struct lot_row row;
    size_t i;

    (void)state;
    buf_adds(&text, "-----BEGIN A-----\n");
    for (i = 0; i < 20000; i++)
        buf_adds(&text, "0123456789\n");
    buf_adds(&text, "-----END A-----\n");
    assert_ok(lot_input_open(&in, write_file("large.pem", text.p, text.len), &err));
    assert_int_equal(lot_input_next(&in, &row, &err), 1);
    assert_true(row.text.cap <= 4 * LIMIT_CSR);
    assert_refused(lot_input_load(&in, &row, &err), "INPUT_TOO_LARGE",
        "want at most 65536 octets in a block, have more");
    lot_row_done(&row);
    lot_input_done(&in);
}

/* --- files without a row --- */

static void finds_files_without_a_row(void **state)
{
    struct lot_files f = {.dirs = NULL};

    (void)state;
    assert_ok(file_mkdir(path_of("csrs"), 0700, &err));
    write_text("csrs/a.csr", "");
    write_text("csrs/b.csr", "");
    write_text("csrs/c.pem", "");
    write_text("csrs/.d.csr", "");
    assert_int_equal(files_add(&f, "./csrs//a.csr", true), 0);
    assert_refused(files_check(&f, dir, &err), "MANIFEST_MISMATCH",
        "csrs/b.csr: want a row for every request beside those of the manifest, have none for this one");
    assert_int_equal(files_add(&f, "csrs/b.csr", false), 0);
    assert_int_equal(files_add(&f, "other.csr", true), 0);
    assert_ok(files_check(&f, dir, &err));
    files_done(&f);
    /* A directory of whose files none was read is not looked into. */
    assert_int_equal(files_add(&f, "csrs/a.csr", false), 0);
    assert_ok(files_check(&f, dir, &err));
    files_done(&f);
}

/* --- primes --- */

static void note_row(void *arg, size_t row)
{
    *(unsigned *)arg |= 1u << row;
}

/* The product of two small primes is modulus enough. */
static void add_modulus(struct buf *moduli, size_t row, unsigned n, uint8_t e)
{
    struct spki s = {.n_at = 0,
        .n_len = 4,
        .e_at = 4,
        .e_len = 1,
        .der = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, e}};

    assert_int_equal(primes_add(moduli, row, &s), 0);
}

/* One modulus, several exponents: several keys, all of them known to whoever has one. */
static void finds_shared_moduli(void **state)
{
    AUTO_BUF moduli = BUF_INIT;
    unsigned have = 0;

    (void)state;
    add_modulus(&moduli, 0, 101 * 103, 3);
    add_modulus(&moduli, 1, 107 * 109, 5);
    add_modulus(&moduli, 2, 101 * 103, 5);
    add_modulus(&moduli, 3, 101 * 103, 3);
    assert_int_equal(primes_check(&moduli, note_row, &have), 0);
    assert_int_equal(have, 1 | 4 | 8);
}

static void finds_shared_primes(void **state)
{
    static const struct {
        unsigned n[6], want; /* bits of the rows */
    } rows[] = {
        {{15}, 0},
        {{101 * 103, 107 * 109}, 0},
        {{101 * 103, 101 * 109}, 3},
        {{101 * 103, 107 * 109, 113 * 127, 131 * 109}, 2 | 8},
        {{101 * 103, 107 * 109, 113 * 127, 131 * 137, 139 * 101}, 1 | 16},
        {{101 * 103, 101 * 103, 107 * 109}, 0}, /* the same modulus: the same key, said otherwise */
        {{101 * 103, 103 * 107, 107 * 101, 109 * 113, 127 * 131, 137 * 139}, 7},
    };
    size_t i, k;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF moduli = BUF_INIT;
        unsigned have = 0;

        for (k = 0; k < 6 && rows[i].n[k]; k++)
            add_modulus(&moduli, k, rows[i].n[k], 3);
        assert_int_equal(primes_check(&moduli, note_row, &have), 0);
        assert_int_equal(have, rows[i].want);
    }
}

/* --- reports --- */

/* Of the lot that has this one row. */
static const struct lot_total total = {.rows = 7,
    .issued = 3,
    .fresh = 2,
    .reused = 1,
    .rejected = 1,
    .not_tried = 2,
    .seconds = 0.5,
    .lot = "ab12"};

#define TOTAL_CSV                                                                                            \
    ",,,,TOTAL,,,,rows=7 issued=3 new=2 reused=1 rejected=1 not_tried=2 seconds=0.500 rate=10.0 "            \
    "lot=ab12,\r\n"
#define TOTAL_JSON                                                                                           \
    "{\"status\":\"TOTAL\",\"rows\":7,\"issued\":3,\"new\":2,\"reused\":1,\"rejected\":1,\"not_tried\":2,"   \
    "\"seconds\":0.500,\"rate\":10.0,\"lot\":\"ab12\",\"ledger_head\":null}\n"

static void report_of(const char *name, const struct p11ca_row *row, struct buf *ret)
{
    struct lot_report r = {.out = {.fd = -1}};

    unlink(path_of(name));
    assert_ok(lot_report_begin(&r, path_of(name), &err));
    lot_report_row(&r, row);
    lot_report_total(&r, &total);
    assert_ok(lot_report_end(&r, &err));
    lot_report_done(&r);
    assert_ok(file_read(path_of(name), 9999, ret, &err));
}

static void neutralises_cells(void **state)
{
    static const struct {
        const char *device, *want;
    } rows[] = {
        {"plain", "plain"},
        {"=1+1", "\"'=1+1\""},
        {"+1", "\"'+1\""},
        {"-1", "\"'-1\""},
        {"@a", "\"'@a\""},
        {"\tx", "\\x09x"},
        {"\rx", "\\x0dx"},
        {"a,b", "\"a,b\""},
        {"a\"b", "\"a\"\"b\""},
        {"=\"", "\"'=\"\"\""},
        {"a\nb", "a\\x0ab"},
        {"\xff", "\\xff"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct p11ca_row row = {
            .number = 1, .input = "x", .verdict = P11CA_ROW_NOT_TRIED, .device = rows[i].device};
        AUTO_BUF have = BUF_INIT;
        AUTO_BUF want = BUF_INIT;

        report_of("r.csv", &row, &have);
        buf_addf(&want,
            "row,input,device,profile,status,serial,file,code,reason,time\r\n1,x,%s,,NOT-TRIED,,,,,\r\n%s",
            rows[i].want, TOTAL_CSV);
        assert_string_equal(buf_str(&have), buf_str(&want));
    }
}

static void reports_json(void **state)
{
    const struct p11ca_row row = {.number = 7,
        .input = "lot.csv:8",
        .verdict = P11CA_ROW_REJECTED,
        .device = "=\x1b[2J\xff",
        .code = "CODE",
        .reason = "a \"b\"",
        .time = 1780272000};
    AUTO_BUF have = BUF_INIT;

    (void)state;
    report_of("r.ndjson", &row, &have);
    assert_string_equal(buf_str(&have),
        "{\"row\":7,\"input\":\"lot.csv:8\",\"device\":\"=\\\\x1b[2J\\\\xff\",\"profile\":null,"
        "\"status\":\"REJECTED\",\"serial\":null,\"file\":null,\"code\":\"CODE\",\"reason\":\"a \\\"b\\\"\","
        "\"time\":\"2026-06-01T00:00:00Z\"}\n" TOTAL_JSON);
}

static void reports_rates(void **state)
{
    struct lot_total t = {.rows = 5, .not_tried = 1};

    (void)state;
    assert_true(lot_total_rate(&t) == 0);
    t.seconds = 2;
    assert_true(lot_total_rate(&t) == 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_below),
        cmocka_unit_test(grows_an_output),
        cmocka_unit_test(gives_an_output_up),
        cmocka_unit_test(reads_lines),
        cmocka_unit_test(reads_lines_across_pieces),
        cmocka_unit_test(refuses_lines),
        cmocka_unit_test(splits_csv),
        cmocka_unit_test(refuses_csv),
        cmocka_unit_test(reads_columns),
        cmocka_unit_test(refuses_columns),
        cmocka_unit_test(reads_json),
        cmocka_unit_test(refuses_json),
        cmocka_unit_test(refuses_too_many_values),
        cmocka_unit_test(reads_twice),
        cmocka_unit_test(sees_another_header),
        cmocka_unit_test(cuts_large_blocks),
        cmocka_unit_test(finds_files_without_a_row),
        cmocka_unit_test(finds_shared_primes),
        cmocka_unit_test(finds_shared_moduli),
        cmocka_unit_test(neutralises_cells),
        cmocka_unit_test(reports_json),
        cmocka_unit_test(reports_rates),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
