/* Pins: sets, files, what is pinned and when. */
#include "auth_help.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"

static char dir[] = "/tmp/p11ca-pins.XXXXXX";

static const char *path_of(const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static struct p11ca_pin pin_of(enum p11ca_pin_kind kind, int digest, const char *label)
{
    struct p11ca_pin pin = {.kind = kind, .label = label};

    memset(pin.sha256, digest, sizeof(pin.sha256));
    return pin;
}

static int add(struct p11ca_pins *pins, enum p11ca_pin_kind kind, int digest, const char *label)
{
    const struct p11ca_pin pin = pin_of(kind, digest, label);

    return p11ca_pins_add(pins, &pin, &err);
}

static void adds_and_removes(void **state)
{
    struct p11ca_pins *pins = p11ca_pins_new();

    (void)state;
    assert_ok(add(pins, P11CA_PIN_CERT, 1, "one"));
    assert_ok(add(pins, P11CA_PIN_KEY, 1, "two"));
    assert_ok(add(pins, P11CA_PIN_KEY, 2, "three"));
    assert_refused(add(pins, P11CA_PIN_CERT, 3, "one"), "PIN_THERE",
        "pin 'one': want a new label and digest, have pin 'one'");
    assert_refused(add(pins, P11CA_PIN_KEY, 2, "four"), "PIN_THERE",
        "pin 'four': want a new label and digest, have pin 'three'");
    assert_ok(p11ca_pins_remove(pins, "one", &err));
    assert_negative(p11ca_pins_remove(pins, "one\n", &err), "PIN_UNKNOWN",
        "pins: want one with label 'one\\x0a', have none");
    assert_int_equal(p11ca_pins_count(pins), 2);
    assert_string_equal(p11ca_pins_at(pins, 0)->label, "two");
    assert_null(p11ca_pins_at(pins, 2));
    p11ca_pins_free(pins);
    p11ca_pins_free(NULL);
}

static void refuses_pins(void **state)
{
    static const char *const labels[] = {NULL, "", " a", "a ", "a\nb", "\xff",
        "\xe2\x80\xae"
        "a",
        "12345678901234567890123456789012345678901234567890123456789012345"};
    struct p11ca_pins *pins = p11ca_pins_new();
    struct p11ca_pin pin = pin_of((enum p11ca_pin_kind)7, 1, "a");
    size_t i;

    (void)state;
    assert_refused(
        p11ca_pins_add(pins, &pin, &err), "PIN_KIND", "pin: want a certificate's or a key's, have another");
    for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
        assert_refused(add(pins, P11CA_PIN_KEY, 1, labels[i]), "PIN_LABEL",
            "pin: label: want 1 to 64 octets of visible text without spaces around, have others");
    pin = pin_of(P11CA_PIN_KEY, 1, "a");
    pin.not_before = 2;
    pin.not_after = 1;
    assert_refused(p11ca_pins_add(pins, &pin, &err), "PIN_DATES",
        "pin 'a': want an end after its beginning, have it before");
    assert_int_equal(p11ca_pins_count(pins), 0);
    p11ca_pins_free(pins);
}

static void checks_certificate_and_key(void **state)
{
    struct p11ca_pins *pins = p11ca_pins_new();
    const struct leaf l = {.subject = "CN=a"}, again = {.subject = "CN=a", .serial = "02"},
                      other = {.subject = "CN=a", .key = other_key()};
    AUTO_IDENTITY id = leaf_identity(&l);
    AUTO_IDENTITY renewed = leaf_identity(&again);
    AUTO_IDENTITY stranger = leaf_identity(&other);
    struct p11ca_pin pin = {.kind = P11CA_PIN_CERT, .label = "cert"};
    const struct p11ca_pin *found = NULL;

    (void)state;
    assert_negative(p11ca_pins_check(pins, id, TEST_NOW, &found, &err), "PIN_NONE",
        "pins: want one of the client's certificate or key, have none");
    memcpy(pin.sha256, id->pub.sha256, sizeof(pin.sha256));
    assert_ok(p11ca_pins_add(pins, &pin, &err));
    assert_ok(p11ca_pins_check(pins, id, TEST_NOW, &found, &err));
    assert_string_equal(found->label, "cert");
    /* Kinds are not mixed up, and a renewed certificate is another. */
    assert_int_equal(p11ca_pins_check(pins, renewed, TEST_NOW, NULL, &err), -1);
    pin = (struct p11ca_pin){.kind = P11CA_PIN_CERT, .label = "key digest as certificate"};
    memcpy(pin.sha256, renewed->pub.spki_sha256, sizeof(pin.sha256));
    assert_ok(p11ca_pins_add(pins, &pin, &err));
    assert_int_equal(p11ca_pins_check(pins, renewed, TEST_NOW, NULL, &err), -1);
    pin.kind = P11CA_PIN_KEY;
    pin.label = "key";
    assert_ok(p11ca_pins_add(pins, &pin, &err));
    assert_ok(p11ca_pins_check(pins, renewed, TEST_NOW, &found, &err));
    assert_string_equal(found->label, "key");
    assert_int_equal(p11ca_pins_check(pins, stranger, TEST_NOW, NULL, &err), -1);
    p11ca_pins_free(pins);
}

static void dates(void **state)
{
    struct p11ca_pins *pins = p11ca_pins_new();
    const struct leaf l = {.subject = "CN=a"};
    AUTO_IDENTITY id = leaf_identity(&l);
    struct p11ca_pin pin = {
        .kind = P11CA_PIN_KEY, .label = "a", .not_before = TEST_NOW, .not_after = TEST_NOW + 9};

    (void)state;
    memcpy(pin.sha256, id->pub.spki_sha256, sizeof(pin.sha256));
    assert_ok(p11ca_pins_add(pins, &pin, &err));
    assert_ok(p11ca_pins_check(pins, id, TEST_NOW, NULL, &err));
    assert_ok(p11ca_pins_check(pins, id, TEST_NOW + 9, NULL, &err));
    assert_negative(p11ca_pins_check(pins, id, TEST_NOW - 1, NULL, &err), "PIN_EARLY",
        "pin 'a': want a time from 2026-06-01T00:00:00Z on, have an earlier one");
    assert_negative(p11ca_pins_check(pins, id, TEST_NOW + 10, NULL, &err), "PIN_EXPIRED",
        "pin 'a': want a time until 2026-06-01T00:00:09Z, have a later one");
    /* Another that fits now is enough. */
    pin = (struct p11ca_pin){.kind = P11CA_PIN_CERT, .label = "b"};
    memcpy(pin.sha256, id->pub.sha256, sizeof(pin.sha256));
    assert_ok(p11ca_pins_add(pins, &pin, &err));
    assert_ok(p11ca_pins_check(pins, id, TEST_NOW + 10, NULL, &err));
    p11ca_pins_free(pins);
}

static void files_keep_them(void **state)
{
    struct p11ca_pins *pins = p11ca_pins_new(), *back = NULL;
    struct p11ca_pin pin = pin_of(P11CA_PIN_KEY, 0xab, "a  label \xc3\xa4");
    AUTO_BUF text = BUF_INIT;

    (void)state;
    pin.not_after = TEST_NOW;
    assert_ok(add(pins, P11CA_PIN_CERT, 1, "-"));
    assert_ok(p11ca_pins_add(pins, &pin, &err));
    assert_ok(p11ca_pins_save(pins, path_of("pins"), &err));
    assert_ok(file_read(path_of("pins"), 4096, &text, &err));
    assert_string_equal(buf_str(&text),
        "p11ca pins 1\n"
        "cert 0101010101010101010101010101010101010101010101010101010101010101 - - -\n"
        "key abababababababababababababababababababababababababababababababab - 2026-06-01T00:00:00Z a  "
        "label "
        "\xc3\xa4\n");
    assert_ok(p11ca_pins_load(path_of("pins"), &back, &err));
    assert_int_equal(p11ca_pins_count(back), 2);
    assert_string_equal(p11ca_pins_at(back, 1)->label, pin.label);
    assert_int_equal(p11ca_pins_at(back, 1)->not_before, 0);
    assert_int_equal(p11ca_pins_at(back, 1)->not_after, TEST_NOW);
    assert_memory_equal(p11ca_pins_at(back, 1)->sha256, pin.sha256, sizeof(pin.sha256));
    p11ca_pins_free(pins);
    p11ca_pins_free(back);
}

#define D64 "0101010101010101010101010101010101010101010101010101010101010101"

static void refuses_files(void **state)
{
    static const char form[] = "want KIND SHA256 FROM UNTIL LABEL, have something else",
                      digits[] = "want 64 hexadecimal digits, have something else",
                      times[] = "want times like 2027-01-01T00:00:00Z or -, have something else";
    static const struct {
        const char *text, *msg;
        unsigned line;
    } rows[] = {
        {"", "want 'p11ca pins 1', have nothing", 0},
        {"p11ca pins 2\n", "want 'p11ca pins 1', have something else", 1},
        {"p11ca pins 1", "want a newline at the end, have none", 1},
        {"p11ca pins 1\n\n", form, 2},
        {"p11ca pins 1\n# x\n", form, 2},
        {"p11ca pins 1\ncert " D64 " - -\n", form, 2},
        {"p11ca pins 1\nCERT " D64 " - - a\n", form, 2},
        {"p11ca pins 1\ncert  " D64 " - - a\n", form, 2},
        {"p11ca pins 1\ncert " D64 "01 - - a\n", digits, 2},
        {"p11ca pins 1\ncert 01 - - a\n", digits, 2},
        {"p11ca pins 1\ncert " D64 " 2026-06-01 - a\n", times, 2},
        {"p11ca pins 1\ncert " D64 " - 2026-06-31T00:00:00Z a\n", times, 2},
        {"p11ca pins 1\ncert " D64 " - 1970-01-01T00:00:00Z a\n", times, 2},
        {"p11ca pins 1\ncert " D64 " - - \n",
            "pin: label: want 1 to 64 octets of visible text without spaces around, have others", 2},
        {"p11ca pins 1\ncert " D64 " - - a\ncert " D64 " - - b\n",
            "pin 'b': want a new label and digest, have pin 'a'", 3},
        {"p11ca pins 1\ncert " D64 " - - a\ncert " D64 " - - ", "want a newline at the end, have none", 3},
    };
    struct p11ca_pins *pins = NULL;
    char msg[512];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *path = path_of("bad");

        assert_ok(file_write(path, FILE_REPLACE, 0600, rows[i].text, strlen(rows[i].text), &err));
        snprintf(msg, sizeof(msg), "%s:%u: %s", path, rows[i].line, rows[i].msg);
        assert_answer(p11ca_pins_load(path, &pins, &err), P11CA_CONFIG, "PIN_FILE", msg);
    }
    assert_ok(file_write(path_of("bad"), FILE_REPLACE, 0600, "p11ca pins 1\n\0", 14, &err));
    snprintf(msg, sizeof(msg), "%s:0: want text, have a NUL character", path_of("bad"));
    assert_answer(p11ca_pins_load(path_of("bad"), &pins, &err), P11CA_CONFIG, "PIN_FILE", msg);
    assert_int_equal(p11ca_pins_load(path_of("none"), &pins, &err), -1);
    assert_int_equal(err.kind, P11CA_FILE);
    assert_null(pins);
}

/* --- two at once --- */

static int add_some(void *arg, struct p11ca_pins *pins, struct p11ca_err *why)
{
    const int *digest = arg;
    char label[32];
    struct p11ca_pin pin;

    snprintf(label, sizeof(label), "pin %d", *digest);
    pin = pin_of(P11CA_PIN_KEY, *digest, label);
    return p11ca_pins_add(pins, &pin, why);
}

static void *adder(void *arg)
{
    const int *first = arg;
    struct p11ca_err why;
    char path[256];
    int i;

    snprintf(path, sizeof(path), "%s/shared", dir);
    for (i = *first; i < *first + 20; i++) {
        if (p11ca_pins_change(path, true, add_some, &i, &why) != 0)
            return NULL;
    }
    return arg;
}

static void two_at_once_lose_nothing(void **state)
{
    int firsts[2] = {1, 101};
    struct p11ca_pins *pins = NULL;
    pthread_t threads[2];
    void *done;
    size_t i;

    (void)state;
    for (i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, adder, &firsts[i]), 0);
    for (i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], &done), 0);
        assert_non_null(done);
    }
    assert_ok(p11ca_pins_load(path_of("shared"), &pins, &err));
    assert_int_equal(p11ca_pins_count(pins), 40);
    p11ca_pins_free(pins);
}

static void what_is_refused_changes_nothing(void **state)
{
    AUTO_BUF before = BUF_INIT;
    AUTO_BUF after = BUF_INIT;
    int one = 1;

    (void)state;
    assert_ok(p11ca_pins_change(path_of("kept"), true, add_some, &one, &err));
    assert_ok(file_read(path_of("kept"), 4096, &before, &err));
    assert_refused(p11ca_pins_change(path_of("kept"), true, add_some, &one, &err), "PIN_THERE",
        "pin 'pin 1': want a new label and digest, have pin 'pin 1'");
    assert_ok(file_read(path_of("kept"), 4096, &after, &err));
    assert_int_equal(before.len, after.len);
    assert_int_equal(p11ca_pins_change(path_of("nowhere"), false, add_some, &one, &err), -1);
    assert_int_equal(err.kind, P11CA_FILE);
    assert_false(file_exists(path_of("nowhere")));
    assert_false(file_exists(path_of("nowhere.lock")));
}

static void a_set_has_an_end(void **state)
{
    struct p11ca_pins *pins = p11ca_pins_new();
    struct p11ca_pin pin = {.kind = P11CA_PIN_KEY};
    char label[32];
    int i;

    (void)state;
    for (i = 0; i <= LIMIT_PINS; i++) {
        int rc;

        snprintf(label, sizeof(label), "%d", i);
        pin.label = label;
        memcpy(pin.sha256, &i, sizeof(i));
        rc = p11ca_pins_add(pins, &pin, &err);
        assert_int_equal(rc, i == LIMIT_PINS ? -1 : 0);
    }
    assert_string_equal(err.msg, "pins: want at most 4096, have more");
    assert_string_equal(err.code, "PIN_TOO_MANY");
    p11ca_pins_free(pins);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_and_removes),
        cmocka_unit_test(refuses_pins),
        cmocka_unit_test(checks_certificate_and_key),
        cmocka_unit_test(dates),
        cmocka_unit_test(files_keep_them),
        cmocka_unit_test(refuses_files),
        cmocka_unit_test(two_at_once_lose_nothing),
        cmocka_unit_test(what_is_refused_changes_nothing),
        cmocka_unit_test(a_set_has_an_end),
    };
    int failed;

    if (!mkdtemp(dir))
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    file_remove_tree(dir);
    return test_done(failed);
}
