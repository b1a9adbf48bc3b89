/* DER reader and writer, object identifiers, serials. */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "x509_help.h"

#include "x509/der.h"

static void check_takes_canonical(void **state)
{
    static const char *const good[] = {"3000", "0101ff", "010100", "020100", "02020080", "0201ff", "020200ff",
        "0500", "03020780", "030100", "06032a0304", "a003020100", "3106020101020102", "0c0141"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        AUTO_BUF b = BUF_INIT;

        add_hex(&b, good[i]);
        assert_ok(der_check(der_buf(&b), 8, "it", &err));
        assert_true(der_is_canonical(der_buf(&b), 8));
    }
}

static void check_refuses(void **state)
{
    static const struct {
        const char *hex, *code, *msg;
    } bad[] = {
        {"", "DER_SYNTAX", "it: X.690 8.1: want a complete value, have one that ends early, at octet 0"},
        {"30", "DER_SYNTAX", "it: X.690 8.1: want a complete value, have one that ends early, at octet 0"},
        {"300101", "DER_SYNTAX",
            "it: X.690 8.1: want a complete value, have one that ends early, at octet 2"},
        {"3003020100ff", "DER_TRAILING", "it: want nothing after 5 octets, have 1 more"},
        {"30800000", "DER_NOT_CANONICAL",
            "it: X.690 10.1: want a definite length, have an indefinite one, at octet 0"},
        {"308103020100", "DER_NOT_CANONICAL",
            "it: X.690 10.1: want the shortest length, have a longer one, at octet 0"},
        {"30820003020100", "DER_NOT_CANONICAL",
            "it: X.690 10.1: want the shortest length, have a longer one, at octet 0"},
        {"1f810100", "DER_SYNTAX", "it: X.690 8.1.2: want a tag of one octet, have more, at octet 0"},
        {"010101", "DER_NOT_CANONICAL",
            "it: X.690 11: want the one DER form of the value, have another, at octet 0"},
        {"01020000", "DER_SYNTAX", "it: X.690 8: want a value of the tag's type, have another, at octet 0"},
        {"02020001", "DER_NOT_CANONICAL",
            "it: X.690 11: want the one DER form of the value, have another, at octet 0"},
        {"0202ffff", "DER_NOT_CANONICAL",
            "it: X.690 11: want the one DER form of the value, have another, at octet 0"},
        {"0200", "DER_SYNTAX", "it: X.690 8: want a value of the tag's type, have another, at octet 0"},
        {"03020781", "DER_NOT_CANONICAL",
            "it: X.690 11: want the one DER form of the value, have another, at octet 0"},
        {"03020880", "DER_SYNTAX", "it: X.690 8: want a value of the tag's type, have another, at octet 0"},
        {"0300", "DER_SYNTAX", "it: X.690 8: want a value of the tag's type, have another, at octet 0"},
        {"050100", "DER_SYNTAX", "it: X.690 8: want a value of the tag's type, have another, at octet 0"},
        {"0603800101", "DER_NOT_CANONICAL",
            "it: X.690 11: want the one DER form of the value, have another, at octet 0"},
        {"060181", "DER_SYNTAX", "it: X.690 8: want a value of the tag's type, have another, at octet 0"},
        {"240404020102", "DER_NOT_CANONICAL",
            "it: X.690 11: want the one DER form of the value, have another, at octet 0"},
        {"1000", "DER_SYNTAX", "it: X.690 8: want a value of the tag's type, have another, at octet 0"},
        {"3106020102020101", "DER_NOT_CANONICAL",
            "it: X.690 11: want the one DER form of the value, have another, at octet 5"},
        {"30020000", "DER_NOT_CANONICAL",
            "it: X.690 11: want the one DER form of the value, have another, at octet 2"},
        {"300a30083006300430020500", "DER_DEPTH", "it: nested deeper than any such object, at octet 8"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        AUTO_BUF b = BUF_INIT;

        add_hex(&b, bad[i].hex);
        assert_refused(der_check(der_buf(&b), 4, "it", &err), bad[i].code, bad[i].msg);
        assert_false(der_is_canonical(der_buf(&b), 4));
    }
}

static void next_leaves_input_alone(void **state)
{
    struct der in = BYTES("\x02\x01\x05\x04\x02\x61"), content = {NULL, 7}, tlv;
    unsigned v = 99;

    (void)state;
    assert_int_equal(der_next(&in, DER_OCTET_STRING, &content), -1);
    assert_int_equal(in.len, 6);
    assert_int_equal(content.len, 7);
    assert_int_equal(der_next_uint(&in, &v), 0);
    assert_int_equal(v, 5);
    assert_int_equal(der_next_any(&in, &tlv), -1); /* ends early */
    assert_int_equal(in.len, 3);
    assert_int_equal(der_peek_tag(in), DER_OCTET_STRING);
    in.len = 0;
    assert_int_equal(der_peek_tag(in), -1);
    assert_int_equal(der_next_optional(&in, DER_OCTET_STRING, &content), 0);
}

static void times(void **state)
{
    static const struct {
        int64_t t;
        const char *hex;
    } rows[] = {
        {DER_TIME_FOREVER, "180f39393939313233313233353935395a"},
        {INT64_C(2524607999), "170d3439313233313233353935395a"},     /* 2049-12-31T23:59:59 */
        {INT64_C(2524608000), "180f32303530303130313030303030305a"}, /* 2050-01-01 */
        {INT64_C(951782400), "170d3030303232393030303030305a"},      /* 2000-02-29 */
        {INT64_C(-631152000), "170d3530303130313030303030305a"},     /* 1950-01-01 */
        {TEST_NOW, "170d3236303630313030303030305a"},
    };
    static const char *const bad[] = {"170b323630363031303030305a", "170d3236313330313030303030305a",
        "170d3236303233303030303030305a", "170d3236303630313234303030305a", "170d3236303630313030303036305a",
        "170d32363036303130303030303020", "181132303530303130313030303030302e305a",
        "180d3230353030313031303030305a"};
    bool right;
    int64_t t;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF b = BUF_INIT;
        struct der in;

        der_add_time(&b, rows[i].t);
        assert_bytes(der_buf(&b), rows[i].hex);
        in = der_buf(&b);
        assert_int_equal(der_next_time(&in, &t, &right), 0);
        assert_true(t == rows[i].t && right && in.len == 0);
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        AUTO_BUF b = BUF_INIT;
        struct der in;

        add_hex(&b, bad[i]);
        in = der_buf(&b);
        assert_int_equal(der_next_time(&in, &t, &right), -1);
    }
}

static void time_of_the_wrong_type(void **state)
{
    struct der in = BYTES("\x18\x0f"
                          "20260601000000Z");
    bool right = true;
    int64_t t;

    (void)state;
    assert_int_equal(der_next_time(&in, &t, &right), 0);
    assert_true(t == TEST_NOW);
    assert_false(right);
}

static void time_out_of_range_fails_the_buffer(void **state)
{
    AUTO_BUF b = BUF_INIT;

    (void)state;
    der_add_time(&b, DER_TIME_FOREVER + 1);
    assert_false(buf_ok(&b));
}

static void writes_numbers(void **state)
{
    static const struct {
        const char *magnitude, *hex;
    } rows[] = {
        {"", "020100"}, {"00", "020100"}, {"7f", "02017f"}, {"80", "02020080"}, {"0000ff01", "020300ff01"}};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF in = BUF_INIT;
        AUTO_BUF out = BUF_INIT;

        add_hex(&in, rows[i].magnitude);
        der_add_integer(&out, in.p, in.len);
        assert_bytes(der_buf(&out), rows[i].hex);
    }
}

static void writes_lengths(void **state)
{
    static const struct {
        size_t len;
        const char *head;
    } rows[] = {{127, "047f"}, {128, "048180"}, {255, "0481ff"}, {256, "04820100"}, {65535, "0482ffff"},
        {65536, "0483010000"}};
    static uint8_t zeros[65536];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF a = BUF_INIT;
        AUTO_BUF b = BUF_INIT;
        size_t at;

        der_add(&a, DER_OCTET_STRING, zeros, rows[i].len);
        assert_bytes(DER_OF(a.p, a.len - rows[i].len), rows[i].head);
        at = der_open(&b);
        buf_add(&b, zeros, rows[i].len);
        der_close(&b, at, DER_OCTET_STRING);
        assert_true(der_equal(der_buf(&a), der_buf(&b)));
        assert_ok(der_check(der_buf(&a), 1, "it", &err));
    }
}

static void oids(void **state)
{
    static const char *const dotted[] = {"1.2.840.10045.2.1", "2.5.29.17", "1.3.6.1.4.1.32473.1.1", "2.999.3",
        "0.9.2342", "2.16.840.1.113730.1.1", "1.3.9223372036854775807",
        "2.9223372036854775727"}; /* subidentifiers of 2^63 - 1 */
    static const char *const bad[] = {"", "1", "1.", ".1.2", "1..2", "3.1", "1.40", "1.2.x", "1.02", "1.2.",
        "1.2 ", "1.2.99999999999999999999999", "1.2.9223372036854775808", "2.9223372036854775728",
        "0.9223372036854775807"};
    char text[OID_TEXT];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(dotted) / sizeof(dotted[0]); i++) {
        AUTO_BUF b = BUF_INIT;

        assert_int_equal(oid_from_dotted(dotted[i], strlen(dotted[i]), &b), 0);
        assert_int_equal(oid_to_dotted(der_buf(&b), text, sizeof(text)), 0);
        assert_string_equal(text, dotted[i]);
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        AUTO_BUF b = BUF_INIT;

        assert_int_equal(oid_from_dotted(bad[i], strlen(bad[i]), &b), -1);
    }
    assert_string_equal(oid_text(oid_der(OID_SAN), text), "subjectAltName");
    assert_string_equal(oid_text(BYTES("\x2a\x03\x04"), text), "1.2.3.4");
    assert_string_equal(oid_text(BYTES("\x2a\x83"), text), "an unreadable identifier");
}

/* Every row of the table: one TLV, found again under its own number. */
static void oid_table(void **state)
{
    int i, k;

    (void)state;
    for (i = 1; i < OID_N; i++) {
        AUTO_BUF b = BUF_INIT;

        oid_add(&b, (enum oid)i);
        assert_ok(der_check(der_buf(&b), 1, oid_name((enum oid)i), &err));
        assert_int_equal(oid_find(oid_der((enum oid)i)), i);
        for (k = 0; k < OID_N; k++)
            assert_int_equal(oid_is(oid_der((enum oid)i), (enum oid)k), i == k);
    }
}

/* What a source of randomness gives, and how often it was asked. */
struct given {
    uint8_t octet;
    bool fails;
    int asked;
};

static int given_random(void *arg, uint8_t *p, size_t len)
{
    struct given *g = arg;

    g->asked++;
    memset(p, g->octet, len);
    return g->fails ? -1 : 0;
}

static void serials(void **state)
{
    uint8_t serial[SERIAL_LEN];
    struct given given = {.octet = 0xff};
    struct serial_source s = {.random = given_random, .arg = &given};
    int i;

    (void)state;
    for (i = 0; i < 2000; i++) {
        assert_ok(serial_draw(serial, &err));
        assert_true(serial[0] >= 1 && serial[0] <= 0x7f);
    }
    assert_ok(serial_draw_from(&s, serial, &err));
    assert_bytes(DER_OF(serial, sizeof(serial)), "7fffffffffffffffffffffffffffffffffffffff");
    for (i = 1; i < SERIAL_DRAW; i++)
        assert_ok(serial_draw_from(&s, serial, &err));
    assert_int_equal(given.asked, 2);
    assert_ok(serial_draw_from(&s, serial, &err));
    assert_int_equal(given.asked, 3);
}

static void serials_of_a_broken_generator(void **state)
{
    uint8_t serial[SERIAL_LEN];
    struct given given = {.octet = 0};
    struct serial_source s = {.random = given_random, .arg = &given};

    (void)state;
    assert_int_equal(serial_draw_from(&s, serial, &err), -1);
    assert_string_equal(err.msg, "serial: the random generator gives zeros");
    assert_int_equal(err.kind, P11CA_BUG);
    assert_int_equal(given.asked, 10);

    given = (struct given){.octet = 1, .fails = true};
    assert_int_equal(serial_draw_from(&s, serial, &err), -1);
    assert_non_null(strstr(err.msg, "serial: random generator"));

    /* It fails only when the run has its head already. */
    s.n_run = 1;
    assert_int_equal(serial_draw_from(&s, serial, &err), -1);
    assert_int_equal(s.n_own, 0);
}

/* A run has its first octets in common, and nothing else; the next run has others. */
static void serials_come_in_runs(void **state)
{
    static uint8_t serial[2 * SERIAL_RUN + 1][SERIAL_LEN];
    size_t i, k;

    (void)state;
    /* From wherever the thread's run is now to the end of it. */
    assert_ok(serial_draw(serial[1], &err));
    do {
        memcpy(serial[0], serial[1], SERIAL_LEN);
        assert_ok(serial_draw(serial[1], &err));
    } while (memcmp(serial[0], serial[1], SERIAL_HEAD) == 0);
    for (i = 2; i <= 2 * SERIAL_RUN; i++)
        assert_ok(serial_draw(serial[i], &err));
    for (i = 1; i <= 2 * SERIAL_RUN; i++) {
        size_t first = i <= SERIAL_RUN ? 1 : SERIAL_RUN + 1;

        assert_memory_equal(serial[i], serial[first], SERIAL_HEAD);
        for (k = 0; k < i; k++)
            assert_memory_not_equal(serial[i] + SERIAL_HEAD, serial[k] + SERIAL_HEAD, 8);
    }
    assert_memory_not_equal(serial[1], serial[SERIAL_RUN + 1], SERIAL_HEAD);
}

static void *draw_one(void *p)
{
    struct p11ca_err ignored;

    return serial_draw(p, &ignored) == 0 ? p : NULL;
}

static void serials_of_threads(void **state)
{
    uint8_t serial[2][SERIAL_LEN];
    pthread_t t;
    void *p;

    (void)state;
    assert_ok(serial_draw(serial[0], &err));
    assert_int_equal(pthread_create(&t, NULL, draw_one, serial[1]), 0);
    assert_int_equal(pthread_join(t, &p), 0);
    assert_non_null(p);
    assert_memory_not_equal(serial[0], serial[1], SERIAL_HEAD);
}

static void serials_of_processes(void **state)
{
    uint8_t serial[2][SERIAL_LEN];
    int ends[2], status;
    pid_t child;

    (void)state;
    assert_ok(serial_draw(serial[0], &err));
    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        if (serial_draw(serial[1], &err) != 0 || write(ends[1], serial[1], SERIAL_LEN) != SERIAL_LEN)
            _exit(1);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(read(ends[0], serial[1], SERIAL_LEN), SERIAL_LEN);
    assert_memory_not_equal(serial[0], serial[1], SERIAL_HEAD);
    assert_ok(serial_draw(serial[0], &err));
    assert_memory_not_equal(serial[0] + SERIAL_HEAD, serial[1] + SERIAL_HEAD, 8);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_takes_canonical),
        cmocka_unit_test(check_refuses),
        cmocka_unit_test(next_leaves_input_alone),
        cmocka_unit_test(times),
        cmocka_unit_test(time_of_the_wrong_type),
        cmocka_unit_test(time_out_of_range_fails_the_buffer),
        cmocka_unit_test(writes_numbers),
        cmocka_unit_test(writes_lengths),
        cmocka_unit_test(oids),
        cmocka_unit_test(oid_table),
        cmocka_unit_test(serials),
        cmocka_unit_test(serials_of_a_broken_generator),
        cmocka_unit_test(serials_come_in_runs),
        cmocka_unit_test(serials_of_threads),
        cmocka_unit_test(serials_of_processes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
