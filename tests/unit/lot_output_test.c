/* Where the certificates of a lot go. */
#include "files_help.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include "base/text.h"
#include "issue/lot_output.h"
#include "x509/cert.h"
#include "x509/pem.h"

static struct p11ca_err results[FILE_BATCH];
static struct buf chain;

/* That of tbs-device.hex, 2026-05-31T23:55:00Z. */
#define NOT_BEFORE INT64_C(1780271700)

/* A device's certificate but for its signature, which nobody looks at here: number makes it another one. */
static void cert_of(unsigned number, struct buf *ret)
{
    uint8_t sig[2] = {(uint8_t)(number >> 8), (uint8_t)number};
    AUTO_BUF hex = BUF_INIT;
    static uint8_t tbs[4096];
    struct tbs t;
    int len;

    assert_ok(file_read("tests/data/x509/tbs-device.hex", 8192, &hex, &err));
    hex.len -= hex.p[hex.len - 1] == '\n';
    len = text_unhex(buf_str(&hex), tbs, sizeof(tbs));
    assert_true(len > 0);
    assert_ok(tbs_read(DER_OF(tbs, (size_t)len), &t, &err));
    cert_assemble(DER_OF(tbs, (size_t)len), sigalg_find(t.alg), DER_OF(sig, 2), ret);
    assert_true(buf_ok(ret));
}

static void pem_of(unsigned number, struct buf *ret)
{
    AUTO_BUF der = BUF_INIT;

    cert_of(number, &der);
    pem_encode(PEM_CERT, der_buf(&der), ret);
}

static int make_chain(void **state)
{
    if (make_dir(state) != 0)
        return -1;
    pem_of(1000, &chain);
    pem_of(1001, &chain);
    return buf_ok(&chain) ? 0 : -1;
}

static int remove_all(void **state)
{
    buf_done(&chain);
    return remove_dir(state);
}

static struct p11ca_lot order_of(const char *name, enum p11ca_lot_format format)
{
    return (struct p11ca_lot){.output = path_of(name), .format = format};
}

static int add(struct lot_output *out, const char *name, unsigned number)
{
    AUTO_BUF der = BUF_INIT;
    AUTO_STR path = lot_output_path(out, name);

    cert_of(number, &der);
    return lot_output_add(out, path, name, der_buf(&der), true, &err);
}

static int check(struct lot_output *out, const char *name, unsigned number)
{
    AUTO_BUF der = BUF_INIT;
    AUTO_STR path = lot_output_path(out, name);

    if (number)
        cert_of(number, &der);
    return lot_output_check(out, path, der_buf(&der), &err);
}

static void assert_file(const char *name, const struct buf *want)
{
    AUTO_BUF have = BUF_INIT;

    assert_ok(file_read(path_of(name), 1 << 22, &have, &err));
    assert_int_equal(have.len, want->len);
    assert_memory_equal(have.p, want->p, want->len);
}

static void assert_pem(const char *name, unsigned number)
{
    AUTO_BUF want = BUF_INIT;

    pem_of(number, &want);
    assert_file(name, &want);
}

static void write_files(void **state)
{
    struct p11ca_lot order = order_of("pem", P11CA_LOT_PEM);
    struct lot_output out;
    AUTO_STR path = NULL;
    struct stat st;

    (void)state;
    assert_ok(lot_output_open(&out, &order, LOT_FLAT, &chain, &err));
    path = lot_output_path(&out, "SN-1");
    assert_string_equal(path, path_of("pem/SN-1.crt"));
    assert_ok(check(&out, "SN-1", 0));
    assert_false(file_exists(path_of("pem")));
    assert_ok(add(&out, "SN-1", 1));
    assert_ok(add(&out, "SN-2", 2));
    assert_false(file_exists(path_of("pem/SN-1.crt")));
    assert_ok(lot_output_flush(&out, results, &err));
    assert_int_equal(results[0].kind, P11CA_OK);
    assert_int_equal(results[1].kind, P11CA_OK);
    assert_false(file_exists(path_of("pem/chain.pem")));
    assert_ok(lot_output_end(&out, &err));
    lot_output_done(&out);
    assert_pem("pem/SN-1.crt", 1);
    assert_pem("pem/SN-2.crt", 2);
    assert_file("pem/chain.pem", &chain);
    assert_int_equal(entries_of("pem"), 3);
    assert_int_equal(stat(path_of("pem"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
}

/* What is there already is left, and the results stand where their certificates do. */
static void leave_what_is_there(void **state)
{
    static const enum p11ca_lot_format formats[] = {P11CA_LOT_PEM, P11CA_LOT_DER};
    const char *const ending[] = {"crt", "der"};
    char name[32], msg[64];
    struct lot_output out;
    struct stat before, after;
    size_t i;

    (void)state;
    for (i = 0; i < 2; i++) {
        struct p11ca_lot order = order_of(i ? "again-der" : "again-pem", formats[i]);
        const char *base = strrchr(order.output, '/') + 1;

        assert_ok(lot_output_open(&out, &order, 0, &chain, &err));
        assert_ok(add(&out, "a", 1));
        assert_ok(add(&out, "b", 2));
        assert_ok(lot_output_flush(&out, results, &err));
        assert_ok(lot_output_end(&out, &err));
        lot_output_done(&out);
        snprintf(name, sizeof(name), "%s/mine.%s", base, ending[i]);
        write_text(name, "mine");
        snprintf(name, sizeof(name), "%s/a.%s", base, ending[i]);
        assert_int_equal(stat(path_of(name), &before), 0);

        assert_ok(lot_output_open(&out, &order, 0, &chain, &err));
        assert_ok(check(&out, "a", 1));
        assert_ok(check(&out, "c", 3));
        snprintf(msg, sizeof(msg), "exists, nothing is overwritten");
        assert_refused(check(&out, "a", 2), "OUTPUT_EXISTS", about(name, msg));
        assert_refused(check(&out, "a", 0), "OUTPUT_EXISTS", about(name, msg));
        assert_ok(add(&out, "a", 1));
        assert_ok(add(&out, "mine", 4));
        assert_ok(add(&out, "b", 2));
        assert_ok(add(&out, "c", 3));
        memset(results, 0xaa, sizeof(results));
        assert_ok(lot_output_flush(&out, results, &err));
        assert_int_equal(results[0].kind, P11CA_OK);
        assert_string_equal(results[1].code, "OUTPUT_EXISTS");
        assert_int_equal(results[2].kind, P11CA_OK);
        assert_int_equal(results[3].kind, P11CA_OK);
        assert_ok(lot_output_end(&out, &err));
        lot_output_done(&out);
        assert_int_equal(stat(path_of(name), &after), 0);
        assert_int_equal(before.st_ino, after.st_ino);
        assert_int_equal(entries_of(base), 5);
    }
}

static void write_der(void **state)
{
    struct p11ca_lot order = order_of("der", P11CA_LOT_DER);
    struct lot_output out;
    AUTO_BUF want = BUF_INIT;

    (void)state;
    cert_of(7, &want);
    assert_ok(lot_output_open(&out, &order, 0, &chain, &err));
    assert_ok(add(&out, "x", 7));
    assert_ok(lot_output_flush(&out, results, &err));
    assert_file("der/x.der", &want);
    /* The same certificate in PEM is not what readers of this name want. */
    buf_reset(&want);
    pem_of(7, &want);
    write_file("der/x.der", want.p, want.len);
    assert_refused(
        check(&out, "x", 7), "OUTPUT_EXISTS", about("der/x.der", "exists, nothing is overwritten"));
    lot_output_done(&out);
}

/* SHA-256("SN-1") begins with 13, of "SN-2" with 57 (as sha256sum says). */
static void shard_large_lots(void **state)
{
    struct p11ca_lot order = order_of("many", P11CA_LOT_PEM);
    struct lot_output out;
    AUTO_STR path = NULL;
    char name[32];
    unsigned i;

    (void)state;
    assert_ok(lot_output_open(&out, &order, LOT_FLAT + 1, &chain, &err));
    path = lot_output_path(&out, "SN-1");
    assert_string_equal(path, path_of("many/13/SN-1.crt"));
    assert_ok(check(&out, "SN-1", 0));
    for (i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "SN-%u", i);
        assert_ok(add(&out, name, i));
        if (i % FILE_BATCH == FILE_BATCH - 1)
            assert_ok(lot_output_flush(&out, results, &err));
    }
    assert_ok(lot_output_flush(&out, results, &err));
    assert_ok(lot_output_end(&out, &err));
    lot_output_done(&out);
    assert_pem("many/13/SN-1.crt", 1);
    assert_pem("many/57/SN-2.crt", 2);
    assert_file("many/chain.pem", &chain);
    /* Nearly all folders: 256 of 1000 names are missed with a probability of 2 percent each. */
    assert_true(entries_of("many") > 200 && entries_of("many") <= 257);
}

static void refuse_early(void **state)
{
    struct p11ca_lot order = order_of("no/dir", P11CA_LOT_PEM);
    struct lot_output out;

    (void)state;
    assert_refused(lot_output_open(&out, &order, 0, &chain, &err), "IO",
        about("no/dir", "create: No such file or directory"));
    write_text("file", "x");
    order = order_of("file", P11CA_LOT_DER);
    assert_refused(lot_output_open(&out, &order, 0, &chain, &err), "OUTPUT_EXISTS",
        about("file", "want a directory, have something else"));
    order = order_of("no/file", P11CA_LOT_BUNDLE);
    assert_refused(lot_output_open(&out, &order, 0, &chain, &err), "IO",
        about("no/file", "create: No such file or directory"));
    assert_ok(file_mkdir(path_of("other"), 0755, &err));
    write_text("other/chain.pem", "another");
    order = order_of("other", P11CA_LOT_PEM);
    assert_refused(lot_output_open(&out, &order, 0, &chain, &err), "OUTPUT_EXISTS",
        about("other/chain.pem", "exists, and is the chain of another authority"));
}

/* A bundle or an archive with exactly these certificates is left as it is; another one is not replaced. */
static void one_file_again(void **state)
{
    static const enum p11ca_lot_format formats[] = {P11CA_LOT_BUNDLE, P11CA_LOT_TAR};
    struct lot_output out;
    size_t i, run;

    (void)state;
    for (i = 0; i < 2; i++) {
        struct p11ca_lot order = order_of(i ? "second.tar" : "second.pem", formats[i]);

        for (run = 0; run < 3; run++) {
            assert_ok(lot_output_open(&out, &order, 0, &chain, &err));
            assert_ok(add(&out, "a", run < 2 ? 1 : 2));
            if (run < 2)
                assert_ok(lot_output_end(&out, &err));
            else
                assert_refused(lot_output_end(&out, &err), "OUTPUT_EXISTS",
                    about(i ? "second.tar" : "second.pem", "exists, nothing is overwritten"));
            lot_output_done(&out);
        }
    }
}

/* Nothing added: nothing there. Not ended: nothing there. */
static void leave_nothing_behind(void **state)
{
    static const enum p11ca_lot_format formats[] = {P11CA_LOT_BUNDLE, P11CA_LOT_TAR, P11CA_LOT_PEM};
    struct lot_output out;
    size_t i, before;

    (void)state;
    for (i = 0; i < 3; i++) {
        struct p11ca_lot order = order_of("nothing", formats[i]);

        before = entries_of(".");
        assert_ok(lot_output_open(&out, &order, 0, &chain, &err));
        assert_ok(lot_output_flush(&out, results, &err));
        assert_ok(lot_output_end(&out, &err));
        lot_output_done(&out);
        assert_int_equal(entries_of("."), before);
        assert_ok(lot_output_open(&out, &order, 0, &chain, &err));
        assert_ok(add(&out, "a", 1));
        if (i < 2)
            assert_ok(lot_output_flush(&out, results, &err));
        lot_output_done(&out);
        assert_int_equal(entries_of("."), before + (i == 2));
    }
    assert_int_equal(entries_of("nothing"), 0);
}

static void write_a_bundle(void **state)
{
    struct p11ca_lot order = order_of("lot.pem", P11CA_LOT_BUNDLE);
    AUTO_BUF want = BUF_INIT;
    struct lot_output out;
    unsigned i;

    (void)state;
    assert_ok(lot_output_open(&out, &order, 1000000, &chain, &err));
    for (i = 0; i < 600; i++) {
        assert_ok(add(&out, "b", 600 - i));
        pem_of(600 - i, &want);
        if (out.n == FILE_BATCH) {
            memset(results, 0xaa, sizeof(results));
            assert_ok(lot_output_flush(&out, results, &err));
            assert_int_equal(results[0].kind, P11CA_OK);
            assert_int_equal(results[FILE_BATCH - 1].kind, P11CA_OK);
        }
    }
    assert_false(file_exists(path_of("lot.pem")));
    assert_ok(lot_output_end(&out, &err));
    lot_output_done(&out);
    assert_file("lot.pem", &want);
}

/* --- archives --- */

static void write_tar(const char *name, const char *const *names)
{
    struct p11ca_lot order = order_of(name, P11CA_LOT_TAR);
    struct lot_output out;
    unsigned i;

    assert_ok(lot_output_open(&out, &order, 1000000, &chain, &err));
    for (i = 0; names[i]; i++)
        assert_ok(add(&out, names[i], i));
    assert_ok(lot_output_flush(&out, results, &err));
    assert_false(file_exists(path_of(name)));
    assert_ok(lot_output_end(&out, &err));
    lot_output_done(&out);
}

static void assert_member(struct archive *tar, const char *name, const struct buf *want, int64_t mtime)
{
    struct archive_entry *e;
    static char have[65536];

    assert_int_equal(archive_read_next_header(tar, &e), ARCHIVE_OK);
    assert_string_equal(archive_entry_pathname(e), name);
    assert_int_equal(archive_entry_filetype(e), AE_IFREG);
    assert_int_equal(archive_entry_perm(e), 0644);
    assert_int_equal(archive_entry_uid(e), 0);
    assert_int_equal(archive_entry_gid(e), 0);
    assert_string_equal(archive_entry_uname(e), "root");
    assert_string_equal(archive_entry_gname(e), "root");
    assert_int_equal(archive_entry_mtime(e), mtime);
    assert_int_equal(archive_read_data(tar, have, sizeof(have)), (la_ssize_t)want->len);
    assert_memory_equal(have, want->p, want->len);
}

static void write_an_archive(void **state)
{
    char longest[241];
    const char *const names[] = {"SN-2", "SN-1", "\xc3\xa4\xff", longest, NULL};
    struct archive *tar = archive_read_new();
    AUTO_BUF one = BUF_INIT;
    char member[256];
    struct archive_entry *e;
    unsigned i;

    (void)state;
    memset(longest, 'x', sizeof(longest) - 1);
    longest[240] = '\0';
    write_tar("lot.tar", names);
    archive_read_support_format_tar(tar);
    assert_int_equal(archive_read_open_filename(tar, path_of("lot.tar"), 10240), ARCHIVE_OK);
    for (i = 0; names[i]; i++) {
        buf_reset(&one);
        pem_of(i, &one);
        snprintf(member, sizeof(member), "%s.crt", names[i]);
        assert_member(tar, member, &one, NOT_BEFORE);
    }
    assert_member(tar, "chain.pem", &chain, 0);
    assert_int_equal(archive_read_next_header(tar, &e), ARCHIVE_EOF);
    archive_read_free(tar);
    buf_reset(&one);
    assert_ok(file_read(path_of("lot.tar"), 1 << 20, &one, &err));
    write_tar("again.tar", names);
    assert_file("again.tar", &one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_files),
        cmocka_unit_test(leave_what_is_there),
        cmocka_unit_test(write_der),
        cmocka_unit_test(shard_large_lots),
        cmocka_unit_test(refuse_early),
        cmocka_unit_test(one_file_again),
        cmocka_unit_test(leave_nothing_behind),
        cmocka_unit_test(write_a_bundle),
        cmocka_unit_test(write_an_archive),
    };

    return cmocka_run_group_tests(tests, make_chain, remove_all);
}
