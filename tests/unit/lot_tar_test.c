/* Lots in tar archives: members, names, what is broken. The archives are written octet by octet. */
#include "files_help.h"

#include "issue/lot_input.h"
#include "issue/lot_names.h"

#define REGULAR '0'

static void octal(char *field, size_t size, size_t value)
{
    while (--size > 0) {
        field[size - 1] = (char)('0' + value % 8);
        value /= 8;
    }
}

/* POSIX pax, ustar Interchange Format. */
static void add_header(struct buf *tar, const char *name, char type, size_t len)
{
    char block[513] = "";
    unsigned sum = 8 * ' ';
    size_t i;

    snprintf(block, 100, "%s", name);
    octal(block + 100, 8, 0644);
    octal(block + 108, 8, 0);
    octal(block + 116, 8, 0);
    octal(block + 124, 12, len);
    octal(block + 136, 12, 0);
    block[156] = type;
    if (type == '1' || type == '2')
        snprintf(block + 157, 100, "other.csr");
    memcpy(block + 257, "ustar\00000", 8);
    for (i = 0; i < 512; i++)
        sum += (uint8_t)block[i];
    snprintf(block + 148, 8, "%06o", sum);
    block[155] = ' ';
    buf_add(tar, block, 512);
}

static void add_member(struct buf *tar, const char *name, char type, const void *p, size_t len)
{
    static const char zeros[512];

    add_header(tar, name, type, len);
    buf_add(tar, p, len);
    buf_add(tar, zeros, (512 - len % 512) % 512);
}

static void add_text(struct buf *tar, const char *name, const char *text)
{
    add_member(tar, name, REGULAR, text, strlen(text));
}

/* A name too long for the header (GNU). */
static void add_long(struct buf *tar, const char *name, const char *text)
{
    add_member(tar, "././@LongLink", 'L', name, strlen(name) + 1);
    add_text(tar, "cut", text);
}

static void add_end(struct buf *tar)
{
    static const char zeros[1024];

    buf_add(tar, zeros, sizeof(zeros));
}

/* One line for each row: its name, and its content or its code; "!" and the code when the input as such is refused. */
static void read_rows(struct lot_input *in, struct buf *ret)
{
    struct lot_row row;
    char name[LOT_NAME];
    int rc;

    while ((rc = lot_input_next(in, &row, &err)) == 1) {
        lot_input_name(in, row.index, name);
        if (lot_input_load(in, &row, &err) == 0)
            buf_addf(ret, "%s=%.*s\n", name, (int)row.material.len,
                row.material.len ? (char *)row.material.p : "");
        else
            buf_addf(ret, "%s %s: %s\n", name, err.code, err.msg);
        lot_row_done(&row);
    }
    if (rc == 0)
        assert_int_equal(lot_input_next(in, &row, &err), 0); /* the end stays the end */
    if (rc < 0)
        buf_addf(ret, "! %s: %s\n", err.code, err.msg);
}

/* The same both times. */
static void assert_rows(const struct buf *tar, const char *want)
{
    struct lot_input in;
    size_t pass;

    assert_ok(lot_input_open(&in, write_file("lot.tar", tar->p, tar->len), &err));
    assert_true(lot_input_has_names(&in));
    for (pass = 0; pass < 2; pass++) {
        AUTO_BUF have = BUF_INIT;

        read_rows(&in, &have);
        assert_string_equal(buf_str(&have), want);
        assert_ok(lot_input_rewind(&in, &err));
    }
    lot_input_done(&in);
}

static void read_members(void **state)
{
    AUTO_BUF tar = BUF_INIT;
    char longest[242], want[2000];

    (void)state;
    memset(longest, 'x', 241);
    snprintf(longest + 236, 5, ".csr");
    add_text(&tar, "b.csr", "one");
    add_text(&tar, "README", "no request");
    add_text(&tar, "c.key", "none either");
    add_member(&tar, "folder.csr/", '5', "", 0);
    add_text(&tar, "folder.csr/a.der", "two");
    add_text(&tar, "./folder.csr/c.pem", "");
    add_text(&tar, "._b.csr", "hidden");
    add_text(&tar, ".csr", "hidden");
    add_text(&tar, "a..b.csr", "three");
    add_text(&tar, "\xc3\xa4.csr", "four");
    add_text(&tar, "\xff.csr", "five");
    add_long(&tar, longest, "six");
    add_end(&tar);
    snprintf(want, sizeof(want),
        "lot.tar#b.csr=one\nlot.tar#folder.csr/a.der=two\nlot.tar#folder.csr/"
        "c.pem=\nlot.tar#a..b.csr=three\n"
        "lot.tar#\xc3\xa4.csr=four\nlot.tar#\xff.csr=five\nlot.tar#%s=six\n",
        longest);
    assert_rows(&tar, want);
}

static void call_certificates_like_members(void **state)
{
    AUTO_BUF tar = BUF_INIT;
    struct lot_input in;
    struct lot_row row;
    char stem[LOT_NAME];

    (void)state;
    add_text(&tar, "x.y/SN-1.a.csr", "");
    add_end(&tar);
    assert_ok(lot_input_open(&in, write_file("lot.tar", tar.p, tar.len), &err));
    assert_int_equal(lot_input_next(&in, &row, &err), 1);
    lot_row_done(&row);
    lot_input_stem(&in, 0, stem);
    assert_string_equal(stem, "SN-1.a");
    lot_input_done(&in);
}

static void refuse_members(void **state)
{
    AUTO_BUF tar = BUF_INIT;
    AUTO_BUF want = BUF_INIT;
    char too_long[242];

    (void)state;
    memset(too_long, 'x', 241);
    snprintf(too_long + 237, 5, ".csr");
    add_text(&tar, "/abs.csr", "x");
    add_text(&tar, "a/../../up.csr", "x");
    add_text(&tar, "../up2.csr", "x");
    add_member(&tar, "hard.csr", '1', "", 0);
    add_member(&tar, "pax", 'x', "11 mtime=1\n", 11);
    add_member(&tar, "body.csr", '1', "a body", 6);
    add_member(&tar, "soft.csr", '2', "", 0);
    add_member(&tar, "char.csr", '3', "", 0);
    add_member(&tar, "block.csr", '4', "", 0);
    add_member(&tar, "fifo.csr", '6', "", 0);
    add_long(&tar, too_long, "x");
    add_text(&tar, "good.csr", "good");
    add_text(&tar, "sub/good.pem", "again");
    add_text(&tar, "good.csr", "again");
    add_text(&tar, "also.csr", "good");
    add_end(&tar);
    buf_addf(&want,
        "lot.tar#/abs.csr INPUT_PATH: want a relative path without '..'\n"
        "lot.tar#a/../../up.csr INPUT_PATH: want a relative path without '..'\n"
        "lot.tar#../up2.csr INPUT_PATH: want a relative path without '..'\n"
        "lot.tar#hard.csr INPUT_NOT_FILE: want a regular file, have a link, a device or a FIFO\n"
        "lot.tar#body.csr INPUT_NOT_FILE: want a regular file, have a link, a device or a FIFO\n"
        "lot.tar#soft.csr INPUT_NOT_FILE: want a regular file, have a link, a device or a FIFO\n"
        "lot.tar#char.csr INPUT_NOT_FILE: want a regular file, have a link, a device or a FIFO\n"
        "lot.tar#block.csr INPUT_NOT_FILE: want a regular file, have a link, a device or a FIFO\n"
        "lot.tar#fifo.csr INPUT_NOT_FILE: want a regular file, have a link, a device or a FIFO\n"
        "lot.tar#%s INPUT_NAME: want a file name of at most 240 octets\n"
        "lot.tar#good.csr=good\n"
        "lot.tar#sub/good.pem INPUT_NAME: another request of the lot has the same name but for its folder "
        "and "
        "ending\n"
        "lot.tar#good.csr INPUT_NAME: another request of the lot has the same name but for its folder and "
        "ending\n"
        "lot.tar#also.csr=good\n",
        too_long + 1);
    assert_rows(&tar, buf_str(&want));
}

static void refuse_large_members(void **state)
{
    static char large[LIMIT_CSR + 1];
    AUTO_BUF tar = BUF_INIT;
    struct lot_input in;
    struct lot_row row;

    (void)state;
    memset(large, 'x', sizeof(large));
    add_member(&tar, "a.csr", REGULAR, large, LIMIT_CSR);
    add_member(&tar, "b.csr", REGULAR, large, LIMIT_CSR + 1);
    add_text(&tar, "c.csr", "small");
    add_end(&tar);
    assert_ok(lot_input_open(&in, write_file("lot.tar", tar.p, tar.len), &err));
    assert_int_equal(lot_input_next(&in, &row, &err), 1);
    assert_ok(lot_input_load(&in, &row, &err));
    assert_int_equal(row.material.len, LIMIT_CSR);
    lot_row_done(&row);
    assert_int_equal(lot_input_next(&in, &row, &err), 1);
    assert_int_equal(row.material.cap, 0);
    assert_refused(
        lot_input_load(&in, &row, &err), "INPUT_TOO_LARGE", "want at most 65536 octets, have more");
    lot_row_done(&row);
    assert_int_equal(lot_input_next(&in, &row, &err), 1);
    assert_ok(lot_input_load(&in, &row, &err));
    lot_row_done(&row);
    lot_input_done(&in);
}

/* --- what is broken --- */

static void assert_no_archive(const struct buf *file)
{
    struct lot_input in;

    assert_refused(lot_input_open(&in, write_file("lot.tar", file->p, file->len), &err), "MANIFEST_SYNTAX",
        "lot.tar: want a tar archive, whole and not compressed: Unrecognized archive format");
}

static void refuse_broken_archives(void **state)
{
    AUTO_BUF whole = BUF_INIT;
    AUTO_BUF tar = BUF_INIT;

    (void)state;
    assert_no_archive(&tar);
    buf_adds(&tar, "\x1f\x8b\x08 a compressed one");
    assert_no_archive(&tar);
    add_text(&whole, "a.csr", "one");
    add_text(&whole, "b.csr", "two");
    add_end(&whole);
    /* In a member. */
    buf_reset(&tar);
    buf_add(&tar, whole.p, 1024 + 514);
    assert_rows(&tar, "lot.tar#a.csr=one\n! MANIFEST_SYNTAX: lot.tar: want a tar archive, whole and not "
                      "compressed: Truncated tar archive\n");
    /* Between two: nothing is missing but the end. */
    buf_reset(&tar);
    buf_add(&tar, whole.p, 1024);
    assert_rows(&tar,
        "lot.tar#a.csr=one\n! MANIFEST_SYNTAX: lot.tar: want 1024 octets of zeros at the end of "
        "the archive, have 509: it was cut off\n");
    /* In the end itself. */
    buf_reset(&tar);
    buf_add(&tar, whole.p, whole.len - 512);
    assert_rows(&tar, "lot.tar#a.csr=one\nlot.tar#b.csr=two\n! MANIFEST_SYNTAX: lot.tar: want 1024 octets of "
                      "zeros at the end of the archive, have 1021: it was cut off\n");
    /* Two, one behind the other: the second one nobody would see. */
    buf_reset(&tar);
    buf_add(&tar, whole.p, whole.len);
    buf_add(&tar, whole.p, whole.len);
    assert_rows(&tar, "lot.tar#a.csr=one\nlot.tar#b.csr=two\n! MANIFEST_SYNTAX: lot.tar: want nothing behind "
                      "the end of the archive, have more\n");
    /* A header whose sum is wrong. */
    buf_reset(&tar);
    buf_add(&tar, whole.p, whole.len);
    tar.p[1024 + 3] ^= 1;
    assert_rows(&tar, "lot.tar#a.csr=one\n! MANIFEST_SYNTAX: lot.tar: want a tar archive, whole and not "
                      "compressed: Damaged tar archive\n");
}

static void want_a_member(void **state)
{
    AUTO_BUF tar = BUF_INIT;
    char want[1000];

    (void)state;
    add_text(&tar, "README", "no request");
    add_end(&tar);
    snprintf(want, sizeof(want), "! INPUT_EMPTY: %s\n", about("lot.tar", "no *.csr, *.pem or *.der in it"));
    assert_rows(&tar, want);
}

static void see_another_name(void **state)
{
    AUTO_BUF tar = BUF_INIT;
    AUTO_BUF have = BUF_INIT;
    struct lot_input in;
    AUTO_FD fd = -1;

    (void)state;
    add_text(&tar, "a.csr", "one");
    add_end(&tar);
    assert_ok(lot_input_open(&in, write_file("lot.tar", tar.p, tar.len), &err));
    read_rows(&in, &have);
    buf_reset(&tar);
    add_text(&tar, "b.csr", "one");
    add_end(&tar);
    /* In place: the open file is the one that changes. */
    assert_ok(file_log_open(path_of("lot.tar"), false, 0600, &fd, &err));
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_ok(file_log_add(fd, "lot.tar", tar.p, tar.len, &err));
    assert_ok(lot_input_rewind(&in, &err));
    buf_reset(&have);
    read_rows(&in, &have);
    assert_string_equal(buf_str(&have), "! FILE_CHANGED: lot.tar: b.csr: is not what was checked\n");
    lot_input_done(&in);
}

/* --- many names --- */

static void keep_many_names(void **state)
{
    struct lot_names *names = calloc(1, sizeof(*names));
    const char *first;
    char name[32];
    size_t i;

    (void)state;
    assert_non_null(names);
    for (i = 0; i < 100000; i++) {
        snprintf(name, sizeof(name), "folder/SN-%06zu.csr", i % 99999);
        assert_ok(lot_names_add(names, name, &err));
        if (i == 0)
            first = lot_names_at(names, 0);
    }
    assert_ptr_equal(first, lot_names_at(names, 0));
    for (i = 0; i < 100000; i++) {
        snprintf(name, sizeof(name), "folder/SN-%06zu.csr", i % 99999);
        assert_string_equal(lot_names_at(names, i), name);
        assert_int_equal(lot_names_is_taken(names, i), i == 99999);
    }
    lot_names_done(names);
    free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_members),
        cmocka_unit_test(call_certificates_like_members),
        cmocka_unit_test(refuse_members),
        cmocka_unit_test(refuse_large_members),
        cmocka_unit_test(refuse_broken_archives),
        cmocka_unit_test(want_a_member),
        cmocka_unit_test(see_another_name),
        cmocka_unit_test(keep_many_names),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
