/* Lists of weak keys: what is in one is refused, and a list that is none lets nothing pass. */
#include "x509_help.h"

#include <openssl/sha.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "x509/weak_list.h"

static int make_folder(void **state)
{
    char *dir = strdup("/tmp/p11ca-weak-XXXXXX");

    assert_non_null(dir);
    assert_ok(file_mkdtemp(dir, &err));
    *state = dir;
    return 0;
}

static int drop_folder(void **state)
{
    file_remove_tree(*state);
    free(*state);
    return 0;
}

static void put(const char *dir, const char *name, const char *text)
{
    char *path = path_join(dir, name);

    assert_ok(file_write(path, FILE_REPLACE, 0600, text, strlen(text), &err));
    free(path);
}

/* The line of a key, by the words of the format and libcrypto's numbers. */
static void line_of(EVP_PKEY *key, char dst[22])
{
    SCOPED(bn) BIGNUM *n = NULL;
    uint8_t digest[SHA_DIGEST_LENGTH];
    char text[2100], *hex;

    assert_int_equal(EVP_PKEY_get_bn_param(key, "n", &n), 1);
    hex = BN_bn2hex(n);
    snprintf(text, sizeof(text), "Modulus=%s\n", hex);
    OPENSSL_free(hex);
    SHA1((uint8_t *)text, strlen(text), digest);
    text_hex_lower(digest + 10, 10, dst);
    strcat(dst, "\n");
}

static int check(const char *dir, const char *const *names, size_t n, EVP_PKEY *key)
{
    struct spki spki = test_spki(key);
    struct weak_list *list = NULL;
    int rc;

    assert_ok(weak_list_new(dir, names, n, &list, &err));
    rc = weak_list_check(list, &spki, &err);
    weak_list_free(list);
    return rc;
}

#define WEAK                                                                                                 \
    "public key: BR 6.1.1.3: want an RSA key of a sound generator, have one of a list of weak keys "         \
    "(CVE-2008-0166)"

/* Among others before and behind it, out of order, in a second file, in upper case, without a line end. */
static void finds_a_key(void **state)
{
    static const char *const names[] = {"a", "b"};
    char line[22], text[256];
    size_t i;

    line_of(test_key(KEY_RSA), line);
    snprintf(text, sizeof(text),
        "# "
        "comment\n\nffffffffffffffffffff\nfffffffffffffffffffe\nfffffffffffffffffffd\n%"
        "s00000000000000000000\n",
        line);
    put(*state, "a", text);
    assert_refused(check(*state, names, 1, test_key(KEY_RSA)), "KEY_DEBIAN", WEAK);
    put(*state, "a", "00000000000000000001\n");
    put(*state, "b", text);
    assert_refused(check(*state, names, 2, test_key(KEY_RSA)), "KEY_DEBIAN", WEAK);
    assert_ok(check(*state, names, 1, test_key(KEY_RSA)));
    for (i = 0; i < 20; i++)
        line[i] = (char)(line[i] >= 'a' ? line[i] - 0x20 : line[i]);
    line[20] = '\0';
    put(*state, "a", line);
    assert_refused(check(*state, names, 1, test_key(KEY_RSA)), "KEY_DEBIAN", WEAK);
}

/* Of RSA alone: no file is looked for. */
static void other_kinds_pass(void **state)
{
    static const char *const names[] = {"none"};
    struct spki spki = test_spki(test_key(KEY_RSA));

    assert_ok(check(*state, names, 1, test_key(KEY_P256)));
    assert_ok(weak_list_check(NULL, &spki, &err));
}

static void refuses_lists(void **state)
{
    static const struct {
        const char *text, *msg;
    } rows[] = {
        {"", "/list: openssl-blacklist: want at least one key, have none"},
        {"# comment\n\n", "/list: openssl-blacklist: want at least one key, have none"},
        {"# comment\n0000000000000000000\n", "/list:2: openssl-blacklist: want 20 hexadecimal digits or a "
                                             "comment, have '0000000000000000000'"},
        {"000000000000000000000\n", "/list:1: openssl-blacklist: want 20 hexadecimal digits or a comment, "
                                    "have '000000000000000000000'"},
        {"00000000000000000000\ng0000000000000000000\n", "/list:2: openssl-blacklist: want 20 hexadecimal "
                                                         "digits or a comment, have 'g0000000000000000000'"},
        {"00000000000000000000\r\n", "/list:1: openssl-blacklist: want 20 hexadecimal digits or a comment, "
                                     "have '00000000000000000000\\x0d'"},
    };
    static const char *const names[] = {"list"};
    char want[256];
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        put(*state, "list", rows[i].text);
        snprintf(want, sizeof(want), "%s%s", (char *)*state, rows[i].msg);
        assert_int_equal(check(*state, names, 1, test_key(KEY_RSA)), -1);
        assert_string_equal(err.msg, want);
        assert_string_equal(err.code, "WEAK_KEYS");
        assert_int_equal(err.kind, P11CA_CONFIG);
    }
}

static void refuses_without_its_file(void **state)
{
    static const char *const names[] = {"none", "link"};
    char want[256], *link = path_join(*state, "link");

    assert_int_equal(check(*state, names, 1, test_key(KEY_RSA)), -1);
    snprintf(want, sizeof(want), "weak-keys: %s/none: No such file or directory", (char *)*state);
    assert_string_equal(err.msg, want);
    assert_int_equal(err.kind, P11CA_CONFIG);
    assert_int_equal(symlink("none", link), 0);
    free(link);
    assert_int_equal(check(*state, names + 1, 1, test_key(KEY_RSA)), -1);
    assert_string_equal(err.code, "INPUT_NOT_FILE");
    assert_int_equal(err.kind, P11CA_CONFIG);
}

static void *check_often(void *list)
{
    struct spki spki = test_spki(test_key(KEY_RSA));
    struct p11ca_err mine;
    size_t i, refused = 0;

    for (i = 0; i < 100; i++)
        refused += weak_list_check(list, &spki, &mine) != 0 && strcmp(mine.code, "KEY_DEBIAN") == 0;
    return refused == 100 ? list : NULL;
}

/* Read once, by whoever comes first; after that the file is not needed. */
static void many_threads(void **state)
{
    static const char *const names[] = {"list"};
    struct spki spki = test_spki(test_key(KEY_RSA));
    struct weak_list *list = NULL;
    pthread_t threads[4];
    char line[22];
    void *same;
    size_t i;

    line_of(test_key(KEY_RSA), line);
    put(*state, "list", line);
    assert_ok(weak_list_new(*state, names, 1, &list, &err));
    for (i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, check_often, list), 0);
    for (i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], &same), 0);
        assert_ptr_equal(same, list);
    }
    put(*state, "list", "00000000000000000000\n");
    assert_refused(weak_list_check(list, &spki, &err), "KEY_DEBIAN", WEAK);
    weak_list_free(list);
}

int main(void)
{
#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, drop_folder)
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(finds_a_key),
        IN_A_FOLDER(other_kinds_pass),
        IN_A_FOLDER(refuses_lists),
        IN_A_FOLDER(refuses_without_its_file),
        IN_A_FOLDER(many_threads),
    };

    return test_done(cmocka_run_group_tests(tests, NULL, NULL));
}
