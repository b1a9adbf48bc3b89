/* The base layer: text at the border, files, secrets, configuration, the pool. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <libgfshare.h>
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
#include "base/limits.h"
#include "base/path.h"
#include "base/pool.h"
#include "base/secret.h"
#include "base/shares.h"
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

static void controls_of_ascii(void **state)
{
    uint32_t c;

    (void)state;
    for (c = 0; c < 0xa0; c++)
        assert_int_equal(text_is_control(c), c < 0x20 || c >= 0x7f);
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

static void set_secret(struct secret *s, const char *text)
{
    struct p11ca_err err;

    assert_int_equal(secret_set(s, text, strlen(text), &err), 0);
}

static void wipe_shares(struct secret *s, size_t n)
{
    while (n--)
        secret_done(&s[n]);
}

/* Every choice of m of n gives the secret back, in whatever order; m - 1 are refused. */
static void every_choice_of_shares(unsigned m, unsigned n)
{
    struct secret shares[SHARES_MAX] = {SECRET_INIT};
    AUTO_SECRET s = SECRET_INIT, back = SECRET_INIT;
    struct p11ca_err err;
    unsigned choice, i;

    set_secret(&s, "correct-horse");
    assert_int_equal(shares_split(&s, m, n, shares, &err), 0);
    for (choice = 1; choice < 1U << n; choice++) {
        struct secret some[SHARES_MAX];
        size_t k = 0;

        for (i = n; i-- > 0;) {
            if (choice & 1U << i)
                some[k++] = shares[i]; /* borrowed */
        }
        secret_done(&back);
        if (k >= m) {
            assert_int_equal(shares_combine(some, k, &back, &err), 0);
            assert_string_equal(back.p, s.p);
        } else {
            assert_int_equal(shares_combine(some, k, &back, &err), -1);
            assert_string_equal(err.code, "SHARE_MISSING");
            assert_int_equal(err.kind, P11CA_LOGIN);
            assert_null(back.p);
        }
    }
    wipe_shares(shares, n);
}

static void shares_give_the_secret_back(void **state)
{
    unsigned m, n;

    (void)state;
    for (n = 2; n <= 6; n++) {
        for (m = 2; m <= n; m++)
            every_choice_of_shares(m, n);
    }
}

/* The library's own would be random(), seeded with nothing. */
static void shares_are_random(void **state)
{
    struct secret one[2] = {SECRET_INIT};
    unsigned char p[2][32] = {{0}};
    AUTO_SECRET s = SECRET_INIT;
    struct p11ca_err err;

    (void)state;
    gfshare_fill_rand = gfshare_bad_idea_but_fill_rand_using_random;
    set_secret(&s, "a-secret");
    assert_int_equal(shares_split(&s, 2, 2, one, &err), 0);
    assert_true(gfshare_fill_rand != gfshare_bad_idea_but_fill_rand_using_random);
    srandom(1);
    gfshare_fill_rand(p[0], 32);
    srandom(1);
    gfshare_fill_rand(p[1], 32);
    assert_memory_not_equal(p[0], p[1], 32);
    wipe_shares(one, 2);
}

static void shares_of_all_lengths(void **state)
{
    struct secret shares[SHARES_MAX] = {SECRET_INIT};
    char text[SHARES_SECRET_MAX + 2];
    struct p11ca_err err;
    size_t len;

    (void)state;
    for (len = 1; len <= SHARES_SECRET_MAX; len++) {
        AUTO_SECRET s = SECRET_INIT, back = SECRET_INIT;

        memset(text, 'x', len);
        text[len] = '\0';
        text[len - 1] = 'y';
        set_secret(&s, text);
        assert_int_equal(shares_split(&s, 16, 16, shares, &err), 0);
        assert_true(shares[0].len < LIMIT_PIN_FILE); /* it must go through a prompt and a PIN file */
        assert_int_equal(shares_combine(shares, 16, &back, &err), 0);
        assert_string_equal(back.p, text);
    }
    wipe_shares(shares, 16);
}

static void split_refuses(void **state)
{
    static const struct {
        unsigned m, n;
    } rows[] = {{1, 3}, {0, 0}, {4, 3}, {2, 17}, {2, 0}};
    struct secret shares[SHARES_MAX + 1] = {SECRET_INIT};
    AUTO_SECRET s = SECRET_INIT;
    char text[SHARES_SECRET_MAX + 2];
    struct p11ca_err err;
    size_t i;

    (void)state;
    set_secret(&s, "pin");
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(shares_split(&s, rows[i].m, rows[i].n, shares, &err), -1);
        assert_string_equal(err.code, "SHARE_COUNT");
    }
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    set_secret(&s, text);
    assert_int_equal(shares_split(&s, 2, 3, shares, &err), -1);
    assert_string_equal(err.msg, "shares: want a secret of 1 to 64 characters, have 65");
    assert_null(shares[0].p);
}

/* Every digit counts: whichever is taken for its neighbour, it is noticed before anything is combined. */
static void one_wrong_character_is_noticed(void **state)
{
    static const char base32[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    struct secret shares[2] = {SECRET_INIT};
    AUTO_SECRET s = SECRET_INIT, back = SECRET_INIT;
    struct p11ca_err err;
    size_t i;

    (void)state;
    set_secret(&s, "a-secret");
    assert_int_equal(shares_split(&s, 2, 2, shares, &err), 0);
    for (i = 0; i < shares[1].len; i++) {
        char was = shares[1].p[i];

        if (was == '-')
            continue;
        shares[1].p[i] = base32[(strchr(base32, was) - base32 + 1) % 32];
        assert_int_equal(shares_combine(shares, 2, &back, &err), -1);
        assert_string_equal(err.code, "SHARE_SYNTAX");
        assert_string_equal(err.msg, "share 2 of 2: share: its checksum does not fit: at least one character "
                                     "is not as it was written");
        shares[1].p[i] = was;
    }
    assert_int_equal(shares_combine(shares, 2, &back, &err), 0);
    wipe_shares(shares, 2);
}

static void share_syntax(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"ABCD", "share: want an even number of groups of 4 characters, have 4 characters"},
        {"ABCD-EF!H", "share: group 2: want letters (but U) and digits, have another character"},
        {"ABCD-EFGU", "share: group 2: want letters (but U) and digits, have another character"},
        {"ABCD-EFGH-JKMN-PQRS-TVWX-YZ01-2345-678",
            "share: want an even number of groups of 4 characters, have 31 characters"},
        {"0000-0000-0000-0000-0000-0000-0000-0000",
            "share: its checksum does not fit: at least one character is not as it was written"},
    };
    AUTO_SECRET s = SECRET_INIT;
    char text[LIMIT_PIN_FILE];
    struct share_info info;
    struct p11ca_err err;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        set_secret(&s, rows[i].text);
        assert_int_equal(share_read(&s, &info, &err), -1);
        assert_string_equal(err.code, "SHARE_SYNTAX");
        assert_int_equal(err.kind, P11CA_LOGIN);
        assert_string_equal(err.msg, rows[i].want);
    }
    memset(text, 'A', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    set_secret(&s, text);
    assert_int_equal(share_read(&s, &info, &err), -1);
    assert_string_equal(err.msg, "share: it is too long");
}

/* As people copy: small letters, no dashes, O for 0, l and I for 1. */
static void shares_are_read_as_people_write_them(void **state)
{
    struct secret shares[2] = {SECRET_INIT};
    AUTO_SECRET s = SECRET_INIT, back = SECRET_INIT;
    struct p11ca_err err;
    size_t i, ones = 0;
    char *p;

    (void)state;
    set_secret(&s, "a-secret");
    assert_int_equal(shares_split(&s, 2, 2, shares, &err), 0);
    for (i = 0; i < 2; i++) {
        for (p = shares[i].p; *p; p++) {
            if (*p == '-')
                *p = ' ';
            else if (*p == '0')
                *p = ones % 2 ? 'O' : 'o';
            else if (*p == '1')
                *p = "lIiL"[ones++ % 4];
            else if (*p >= 'A' && *p <= 'Z')
                *p = (char)(*p - 'A' + 'a');
        }
    }
    assert_int_equal(shares_combine(shares, 2, &back, &err), 0);
    assert_string_equal(back.p, "a-secret");
    wipe_shares(shares, 2);
}

static void shares_of_two_sets_are_not_mixed(void **state)
{
    struct secret one[3] = {SECRET_INIT}, two[3] = {SECRET_INIT};
    AUTO_SECRET s = SECRET_INIT, back = SECRET_INIT;
    struct secret mix[2];
    struct p11ca_err err;

    (void)state;
    set_secret(&s, "a-secret");
    assert_int_equal(shares_split(&s, 2, 3, one, &err), 0);
    assert_int_equal(shares_split(&s, 2, 3, two, &err), 0);
    mix[0] = one[0];
    mix[1] = two[1];
    assert_int_equal(shares_combine(mix, 2, &back, &err), -1);
    assert_string_equal(err.code, "SHARE_SET");
    assert_string_equal(err.msg, "share 2 of 2: share: it belongs to another set than the first one");
    mix[1] = one[0];
    assert_int_equal(shares_combine(mix, 2, &back, &err), -1);
    assert_string_equal(err.code, "SHARE_TWICE");
    assert_string_equal(err.msg, "share 2 of 2: share: number 1 was given before");
    wipe_shares(one, 3);
    wipe_shares(two, 3);
}

/* A share whose checksum was made to fit: only the secret's own checksum tells. */
static void forged_share_gives_no_secret(void **state)
{
    static const char base32[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    struct secret shares[2] = {SECRET_INIT};
    AUTO_SECRET s = SECRET_INIT, back = SECRET_INIT;
    uint8_t raw[64] = {0}, sum[SHA256_LEN];
    struct p11ca_err err;
    size_t i, n = 0, len;
    char *p;

    (void)state;
    set_secret(&s, "a-secret");
    assert_int_equal(shares_split(&s, 2, 2, shares, &err), 0);
    for (p = shares[1].p; *p; p++) {
        for (i = 0; *p != '-' && i < 5; i++, n++)
            raw[n / 8] |= (uint8_t)(((strchr(base32, *p) - base32) >> (4 - i) & 1) << (7 - n % 8));
    }
    len = n / 8;
    raw[8] ^= 1;
    assert_int_equal(hash_sha256(raw, len - 4, sum), 0);
    memcpy(raw + len - 4, sum, 4);
    for (p = shares[1].p, n = 0; *p; p++) {
        unsigned v = 0;

        for (i = 0; *p != '-' && i < 5; i++, n++)
            v = v << 1 | ((unsigned)raw[n / 8] >> (7 - n % 8) & 1U);
        if (*p != '-')
            *p = base32[v];
    }
    assert_int_equal(shares_combine(shares, 2, &back, &err), -1);
    assert_string_equal(err.code, "SHARE_CHECK");
    assert_null(back.p);
    wipe_shares(shares, 2);
}

/* A person with shares: what is typed, and what was asked and said. */
struct typist {
    const char *const *lines;
    size_t n_asked, n_said;
    char last_prompt[128], last_said[256];
};

static int type_share(void *ctx, const char *prompt, char *buf, size_t size)
{
    struct typist *t = ctx;
    const char *line = t->lines[t->n_asked];

    snprintf(t->last_prompt, sizeof(t->last_prompt), "%s", prompt);
    if (!line)
        return -1;
    t->n_asked++;
    return snprintf(buf, size, "%s", line);
}

static void hear(void *ctx, const char *line)
{
    struct typist *t = ctx;

    t->n_said++;
    snprintf(t->last_said, sizeof(t->last_said), "%s", line);
}

static void mistyped_share_is_asked_for_again(void **state)
{
    struct secret shares[3] = {SECRET_INIT};
    AUTO_SECRET s = SECRET_INIT, back = SECRET_INIT;
    struct typist t = {0};
    const struct p11ca_ui ui = {.ctx = &t, .secret = type_share, .say = hear};
    const char *lines[6] = {0};
    struct p11ca_err err;

    (void)state;
    set_secret(&s, "a-secret");
    assert_int_equal(shares_split(&s, 2, 3, shares, &err), 0);
    lines[0] = "ABCD";
    lines[1] = shares[2].p;
    lines[2] = shares[2].p;
    lines[3] = "";
    lines[4] = shares[0].p;
    t.lines = lines;
    assert_int_equal(secret_read(&back, "shares", dir, "user PIN of token 'x'", &ui, &err), 0);
    assert_string_equal(back.p, "a-secret");
    assert_int_equal(t.n_asked, 5);
    assert_int_equal(t.n_said, 3);
    assert_string_equal(t.last_prompt, "share 2 of the user PIN of token 'x' (2 are needed)");
    /* Who gives up is let go. */
    t = (struct typist){.lines = lines + 4};
    lines[4] = shares[1].p;
    assert_int_equal(secret_read(&back, "shares", dir, "PIN of x", &ui, &err), -1);
    assert_string_equal(err.code, "PIN_MISSING");
    assert_string_equal(t.last_prompt, "share 2 of the PIN of x (2 are needed)");
    assert_int_equal(secret_read(&back, "shares", dir, "PIN of x", NULL, &err), -1);
    assert_string_equal(err.code, "PIN_MISSING");
    wipe_shares(shares, 3);
}

static int type_nonsense(void *ctx, const char *prompt, char *buf, size_t size)
{
    (void)prompt;
    ++*(unsigned *)ctx;
    return snprintf(buf, size, "nonsense");
}

/* A program that answers the prompt does not answer for ever. */
static void slips_have_an_end(void **state)
{
    unsigned asked = 0;
    const struct p11ca_ui ui = {.ctx = &asked, .secret = type_nonsense};
    AUTO_SECRET s = SECRET_INIT;
    struct p11ca_err err;

    (void)state;
    assert_int_equal(secret_read(&s, "shares", dir, "PIN", &ui, &err), -1);
    assert_string_equal(err.code, "SHARE_SYNTAX");
    assert_int_equal(asked, LIMIT_SLIPS);
}

static void shares_come_from_files(void **state)
{
    struct secret shares[5] = {SECRET_INIT};
    AUTO_SECRET s = SECRET_INIT, back = SECRET_INIT;
    struct p11ca_err err;

    (void)state;
    set_secret(&s, "a-secret");
    assert_int_equal(shares_split(&s, 3, 5, shares, &err), 0);
    write_text("share.2", shares[1].p, 0600);
    write_text("share.5", shares[4].p, 0600);
    assert_int_equal(secret_read(&back, "shares:share", dir, "PIN", NULL, &err), -1);
    assert_string_equal(err.code, "SHARE_MISSING");
    assert_non_null(strstr(err.msg, "/share.*: shares: want 3, have 2"));
    write_text("share.16", shares[0].p, 0600);
    assert_int_equal(secret_read(&back, "shares:share", dir, "PIN", NULL, &err), 0);
    assert_string_equal(back.p, "a-secret");
    write_text("share.4", "ABCD-EFGH", 0600);
    assert_int_equal(secret_read(&back, "shares:share", dir, "PIN", NULL, &err), -1);
    assert_string_equal(err.code, "SHARE_SYNTAX");
    assert_non_null(strstr(err.msg, "/share.4: share: want"));
    write_text("share.4", shares[3].p, 0644);
    assert_int_equal(secret_read(&back, "shares:share", dir, "PIN", NULL, &err), -1);
    assert_string_equal(err.code, "FILE_NOT_PRIVATE");
    /* What is not needed any more is not read. */
    write_text("share.1", shares[0].p, 0600);
    write_text("share.3", shares[2].p, 0600);
    assert_int_equal(secret_read(&back, "shares:share", dir, "PIN", NULL, &err), 0);
    assert_int_equal(secret_check_spec("shares:", &err), -1);
    assert_int_equal(secret_check_spec("sharesX", &err), -1);
    wipe_shares(shares, 5);
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

/* libconfig itself would end this process at the folder, and wait for ever at the FIFO. */
static void conf_includes_files_only(void **state)
{
    static const struct {
        const char *name, *want;
    } rows[] = {
        {"folder", "folder: want a regular file"},
        {"inc-fifo", "inc-fifo: want a regular file"},
        {"inc-nul", "inc-nul: want text, have a NUL byte"},
        {"inc-far", "folder: want a regular file"},
        {"inc-self", "want files that include one another at most ten deep"},
        {"a\\\\b", "want a name without backslashes"},
        {"inc-absent", "y.conf:2: cannot open include file"},
    };
    struct p11ca_err err;
    char text[128];
    size_t i;

    (void)state;
    assert_int_equal(mkdir(in_dir("folder"), 0700), 0);
    assert_int_equal(mkfifo(in_dir("inc-fifo"), 0600), 0);
    assert_int_equal(file_write(in_dir("inc-nul"), FILE_NEW, 0600, "a\0b", 3, &err), 0);
    write_text("inc-far", "# one\n\t@include \"folder\"\n", 0600);
    write_text("inc-self", "@include \"inc-self\"\n", 0600);
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct conf conf;

        snprintf(text, sizeof(text), "a = 1;\n@include \"%s\"\n", rows[i].name);
        assert_int_equal(conf_load(&conf, write_text("y.conf", text, 0600), &err), -1);
        assert_int_equal(err.kind, P11CA_CONFIG);
        assert_non_null(strstr(err.msg, "y.conf:"));
        assert_non_null(strstr(err.msg, rows[i].want));
        conf_done(&conf);
    }
}

static void conf_includes(void **state)
{
    struct p11ca_err err;
    struct conf conf;

    (void)state;
    write_text("inc-good", "b = 2;\n", 0600);
    assert_int_equal(
        conf_load(&conf, write_text("z.conf", " @include \"inc-good\"\na = 1;\n", 0600), &err), 0);
    assert_true(conf.has_include);
    assert_non_null(config_lookup(&conf.cfg, "b"));
    conf_done(&conf);
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
        {"number = 1;\nword = \"a\\xff\";\n", "x.conf:2: word: want UTF-8"},
        {"word = \"a\";\nlist = [ \"\xc3\xa4\",\n\"\xe4\" ];\n", "x.conf:3: want UTF-8"},
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

static void hash_by_its_name(void **state)
{
    static const struct {
        const char *name, *hex;
    } rows[] = {
        {"SHA1", "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {"SHA256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"SHA384", "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca13"
                   "4c825a7"},
        {"SHA512", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a"
                   "3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    };
    uint8_t sum[HASH_MAX];
    char hex[2 * HASH_MAX + 1];
    size_t i, len = 7;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(hash_by_name(rows[i].name, "abc", 3, sum, &len), 0);
        text_hex_lower(sum, len, hex);
        assert_string_equal(hex, rows[i].hex);
    }
    len = 7;
    assert_int_equal(hash_by_name("MD5", "abc", 3, sum, &len), -1);
    assert_int_equal(len, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escape_makes_foreign_text_harmless),
        cmocka_unit_test(controls_of_ascii),
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
        cmocka_unit_test(shares_give_the_secret_back),
        cmocka_unit_test(shares_are_random),
        cmocka_unit_test(shares_of_all_lengths),
        cmocka_unit_test(split_refuses),
        cmocka_unit_test(one_wrong_character_is_noticed),
        cmocka_unit_test(share_syntax),
        cmocka_unit_test(shares_are_read_as_people_write_them),
        cmocka_unit_test(shares_of_two_sets_are_not_mixed),
        cmocka_unit_test(forged_share_gives_no_secret),
        cmocka_unit_test(mistyped_share_is_asked_for_again),
        cmocka_unit_test(slips_have_an_end),
        cmocka_unit_test(shares_come_from_files),
        cmocka_unit_test(conf_includes_files_only),
        cmocka_unit_test(conf_includes),
        cmocka_unit_test(conf_errors_name_file_and_line),
        cmocka_unit_test(errors_are_escaped_and_prefixed),
        cmocka_unit_test(pool_does_each_item_once),
        cmocka_unit_test(hash_known_answer),
        cmocka_unit_test(hash_by_its_name),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
