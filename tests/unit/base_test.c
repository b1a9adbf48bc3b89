/* The base layer: text at the border, files, secrets, configuration, the pool. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/path.h"
#include "base/pool.h"
#include "base/secret.h"
#include "base/text.h"

static char dir[] = "/tmp/p11ca-base.XXXXXX";

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    file_remove_tree(dir);
    return 0;
}

/* A path in the test's directory; good for the next fifteen calls. */
static const char *in_dir(const char *name)
{
    static char paths[16][128];
    static int next;
    char *p = paths[next++ % 16];

    snprintf(p, sizeof(paths[0]), "%s/%s", dir, name);
    return p;
}

static const char *write_text(const char *name, const char *text, mode_t mode)
{
    const char *path = in_dir(name);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static void escape_makes_foreign_text_harmless(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"plain", "plain"}, {"M\xc3\xbcller", "M\xc3\xbcller"}, {"a\033[31mb", "a\\x1b[31mb"},
        {"a\r\nb", "a\\x0d\\x0ab"}, {"a\xff", "a\\xff"}, /* not UTF-8 */
        {"a\xc0\xaf", "a\\xc0\\xaf"},                    /* overlong */
        {"a\xed\xa0\x80", "a\\xed\\xa0\\x80"},           /* surrogate */
        {"abc\xe2\x80\xae"
         "fdp",
            "abc\\xe2\\x80\\xae"
            "fdp"},                            /* right-to-left override */
        {"a\xe2\x80\x8b", "a\\xe2\\x80\\x8b"}, /* zero-width space */
    };
    char out[64];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        text_escape(rows[i].in, strlen(rows[i].in), out, sizeof(out));
        assert_string_equal(out, rows[i].out);
    }
}

static void escape_stays_inside_its_buffer(void **state)
{
    char out[8];
    size_t size;

    (void)state;
    for (size = 1; size <= sizeof(out); size++) {
        memset(out, 'X', sizeof(out));
        text_escape("\xc3\xbc\033\033\033", 5, out, size);
        assert_true(strlen(out) < size);
    }
}

static void hex_goes_both_ways(void **state)
{
    uint8_t bytes[4];
    char hex[9];

    (void)state;
    assert_int_equal(text_unhex("00fFa9", bytes, sizeof(bytes)), 3);
    text_hex(bytes, 3, hex);
    assert_string_equal(hex, "00FFA9");
    assert_int_equal(text_unhex("0", bytes, sizeof(bytes)), -1);
    assert_int_equal(text_unhex("0g", bytes, sizeof(bytes)), -1);
    assert_int_equal(text_unhex("0011223344", bytes, sizeof(bytes)), -1);
}

static void buffer_inserts_and_formats(void **state)
{
    AUTO_BUF b = BUF_INIT;

    (void)state;
    buf_adds(&b, "world");
    buf_insert(&b, 0, "hello ", 6);
    buf_addf(&b, " %d", 42);
    assert_string_equal(buf_str(&b), "hello world 42");
    assert_true(buf_ok(&b));
}

static void read_refuses_what_is_no_file(void **state)
{
    struct p11ca_err err;
    AUTO_BUF b = BUF_INIT;
    const char *target = write_text("target", "text", 0644);

    (void)state;
    assert_int_equal(symlink(target, in_dir("link")), 0);
    assert_int_equal(file_read(in_dir("link"), 100, &b, &err), -1);
    assert_string_equal(err.code, "INPUT_NOT_FILE");
    assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
    assert_int_equal(file_read(in_dir("fifo"), 100, &b, &err), -1); /* and does not wait for a writer */
    assert_string_equal(err.code, "INPUT_NOT_FILE");
    assert_int_equal(file_read(dir, 100, &b, &err), -1);
    assert_string_equal(err.code, "INPUT_NOT_FILE");
    assert_int_equal(file_read(target, 3, &b, &err), -1);
    assert_string_equal(err.code, "INPUT_TOO_LARGE");
    assert_int_equal(file_read(in_dir("absent"), 3, &b, &err), -1);
    assert_int_equal(err.kind, P11CA_FILE);
    assert_int_equal(file_read(target, 4, &b, &err), 0);
    assert_int_equal(b.len, 4);
}

static void write_never_overwrites(void **state)
{
    struct p11ca_err err;
    AUTO_BUF b = BUF_INIT;
    const char *path = in_dir("new");
    struct stat st;

    (void)state;
    assert_int_equal(file_write(path, FILE_NEW, 0600, "one", 3, &err), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(file_write(path, FILE_NEW, 0600, "two", 3, &err), -1);
    assert_string_equal(err.code, "OUTPUT_EXISTS");
    assert_int_equal(file_check_new(path, &err), -1);
    assert_string_equal(err.code, "OUTPUT_EXISTS");
    assert_int_equal(file_read(path, 10, &b, &err), 0);
    assert_memory_equal(b.p, "one", 3);
    assert_int_equal(file_write(path, FILE_REPLACE, 0644, "two", 3, &err), 0);
    assert_int_equal(file_write(in_dir("no/such/dir"), FILE_NEW, 0600, "x", 1, &err), -1);
    assert_int_equal(err.kind, P11CA_FILE);
}

/* A link with the name of an output must not lead a write somewhere else. */
static void write_follows_no_link(void **state)
{
    struct p11ca_err err;

    (void)state;
    assert_int_equal(symlink(in_dir("victim"), in_dir("out")), 0);
    assert_int_equal(file_write(in_dir("out"), FILE_NEW, 0600, "x", 1, &err), -1);
    assert_string_equal(err.code, "OUTPUT_EXISTS");
    assert_false(file_exists(in_dir("victim")));
}

static void list_is_sorted_and_filtered(void **state)
{
    static const char *const suffixes[] = {".lst", NULL};
    struct p11ca_err err;
    char **names;
    size_t n;

    (void)state;
    write_text("b.lst", "", 0600);
    write_text("a.lst", "", 0600);
    write_text(".c.lst", "", 0600);
    write_text("lst", "", 0600);
    assert_int_equal(file_list(dir, suffixes, &names, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_string_equal(names[0], "a.lst");
    assert_string_equal(names[1], "b.lst");
    file_list_free(names);
}

static int give_pin(void *ctx, const char *prompt, char *buf, size_t size)
{
    (void)ctx;
    assert_string_equal(prompt, "PIN of x");
    return snprintf(buf, size, "typed");
}

static void secret_comes_from_four_places(void **state)
{
    const struct p11ca_ui ui = {.secret = give_pin};
    AUTO_SECRET s = SECRET_INIT;
    struct p11ca_err err;
    int fds[2];
    char spec[16];

    (void)state;
    write_text("pin", "1234\n", 0600);
    assert_int_equal(secret_read(&s, "file:pin", dir, "PIN of x", NULL, &err), 0);
    assert_string_equal(s.p, "1234");
    setenv("P11CA_TEST_PIN", "5678", 1);
    assert_int_equal(secret_read(&s, "env:P11CA_TEST_PIN", dir, "PIN of x", NULL, &err), 0);
    assert_string_equal(s.p, "5678");
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "90\nrest", 7), 7);
    snprintf(spec, sizeof(spec), "fd:%d", fds[0]);
    assert_int_equal(secret_read(&s, spec, dir, "PIN of x", NULL, &err), 0);
    assert_string_equal(s.p, "90");
    assert_int_equal(secret_read(&s, "prompt", dir, "PIN of x", &ui, &err), 0);
    assert_string_equal(s.p, "typed");
    close(fds[0]);
    close(fds[1]);
}

static void secret_refuses(void **state)
{
    AUTO_SECRET s = SECRET_INIT;
    struct p11ca_err err;

    (void)state;
    write_text("open-pin", "1234", 0640);
    assert_int_equal(secret_read(&s, "file:open-pin", dir, "PIN", NULL, &err), -1);
    assert_int_equal(err.kind, P11CA_CONFIG);
    assert_string_equal(err.code, "FILE_NOT_PRIVATE");
    write_text("empty-pin", "\n", 0600);
    assert_int_equal(secret_read(&s, "file:empty-pin", dir, "PIN", NULL, &err), -1);
    assert_string_equal(err.code, "PIN_EMPTY");
    write_text("two-lines", "12\n34\n", 0600);
    assert_int_equal(secret_read(&s, "file:two-lines", dir, "PIN", NULL, &err), -1);
    assert_string_equal(err.code, "PIN_SYNTAX");
    assert_int_equal(secret_read(&s, "prompt", dir, "PIN", NULL, &err), -1);
    assert_string_equal(err.code, "PIN_MISSING");
    assert_int_equal(secret_read(&s, "env:P11CA_NO_SUCH", dir, "PIN", NULL, &err), -1);
    assert_string_equal(err.code, "PIN_MISSING");
    assert_null(s.p);
}

/* Whoever writes the PIN itself into p11ca.conf must not find it in an error message. */
static void secret_is_not_repeated(void **state)
{
    struct p11ca_err err;

    (void)state;
    assert_int_equal(secret_check_spec("hunter2", &err), -1);
    assert_string_equal(err.code, "PIN_SOURCE");
    assert_null(strstr(err.msg, "hunter2"));
    assert_int_equal(secret_check_spec("fd:x", &err), -1);
    assert_int_equal(secret_check_spec("file:", &err), -1);
    assert_int_equal(secret_check_spec("prompt:", &err), -1);
}

struct example {
    const char *word;
    int number;
    struct conf_strs list;
};

static const struct conf_field fields[] = {
    {"word", CONF_STR, true, offsetof(struct example, word)},
    {"number", CONF_INT, false, offsetof(struct example, number)},
    {"list", CONF_STRS, false, offsetof(struct example, list)},
};

static int read_example(const char *text, struct example *ret, struct p11ca_err *err)
{
    const char *path = write_text("x.conf", text, 0644);
    struct conf conf;
    int rc = conf_load(&conf, path, err);

    memset(ret, 0, sizeof(*ret));
    if (rc == 0)
        rc = conf_fields(&conf, config_root_setting(&conf.cfg), "x", fields, 3, ret, err);
    free(ret->list.v);
    conf_done(&conf);
    return rc;
}

static void conf_errors_name_file_and_line(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"word = \"a\";\nwrod = 1;\n", "x.conf:2: unknown key 'wrod' in x"},
        {"word = 1;\n", "x.conf:1: word: want a string"},
        {"number = 1;\n", "key 'word' is missing"},
        {"word = \"a\";\nlist = [ 1, 2 ];\n", "x.conf:2: list: want strings"},
        {"word = \"a\"\n\n;;\n", "x.conf:3: syntax error"},
        {"word = \"a\"; word = \"b\";\n", "x.conf:1: duplicate setting name"},
    };
    struct p11ca_err err;
    struct example x;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(read_example(rows[i].text, &x, &err), -1);
        assert_int_equal(err.kind, P11CA_CONFIG);
        if (!strstr(err.msg, rows[i].want))
            fail_msg("want '%s', have '%s'", rows[i].want, err.msg);
    }
    assert_int_equal(read_example("word = \"a\"; list = \"one\";\n", &x, &err), 0);
    assert_int_equal(x.list.n, 1);
}

static void errors_are_escaped_and_prefixed(void **state)
{
    struct p11ca_err err;

    (void)state;
    assert_int_equal(err_set(&err, P11CA_REFUSED, "CODE", "name '%s'", "a\033b"), -1);
    assert_string_equal(err.msg, "name 'a\\x1bb'");
    assert_int_equal(err_prefix(&err, "%s", "file\n"), -1);
    assert_string_equal(err.msg, "file\\x0a: name 'a\\x1bb'");
    assert_string_equal(err.code, "CODE");
    assert_int_equal(p11ca_exit_code(P11CA_BUG), 70);
    assert_int_equal(p11ca_exit_code(P11CA_FILE), 8);
}

struct tally {
    atomic_int sum;
    char seen[1000];
};

static void count_item(void *arg, size_t i)
{
    struct tally *t = arg;

    t->seen[i]++;
    atomic_fetch_add(&t->sum, 1);
}

static void pool_does_each_item_once(void **state)
{
    struct tally t = {0};
    size_t i;

    (void)state;
    pool_run(4, sizeof(t.seen), count_item, &t);
    assert_int_equal(t.sum, sizeof(t.seen));
    for (i = 0; i < sizeof(t.seen); i++)
        assert_int_equal(t.seen[i], 1);
    pool_run(4, 0, count_item, &t);
    assert_int_equal(t.sum, sizeof(t.seen));
}

/* FIPS 180-4 example. */
static void hash_known_answer(void **state)
{
    uint8_t sum[SHA256_LEN];
    char hex[2 * SHA256_LEN + 1];

    (void)state;
    assert_int_equal(hash_sha256("abc", 3, sum), 0);
    text_hex(sum, sizeof(sum), hex);
    assert_string_equal(hex, "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escape_makes_foreign_text_harmless),
        cmocka_unit_test(escape_stays_inside_its_buffer),
        cmocka_unit_test(hex_goes_both_ways),
        cmocka_unit_test(buffer_inserts_and_formats),
        cmocka_unit_test(read_refuses_what_is_no_file),
        cmocka_unit_test(write_never_overwrites),
        cmocka_unit_test(write_follows_no_link),
        cmocka_unit_test(list_is_sorted_and_filtered),
        cmocka_unit_test(secret_comes_from_four_places),
        cmocka_unit_test(secret_refuses),
        cmocka_unit_test(secret_is_not_repeated),
        cmocka_unit_test(conf_errors_name_file_and_line),
        cmocka_unit_test(errors_are_escaped_and_prefixed),
        cmocka_unit_test(pool_does_each_item_once),
        cmocka_unit_test(hash_known_answer),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
