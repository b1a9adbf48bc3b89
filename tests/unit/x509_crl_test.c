/* CRLs: to-be-signed bytes against goldens, every lint row, reading, and what OpenSSL says to them. */
#include "x509_help.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "x509/crl.h"
#include "x509/pem.h"

#define DAY 86400

/* Out of order, with every kind of entry. */
static const struct crl_entry revoked[] = {
    {{0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x08, 9}, 9, TEST_NOW - DAY, 0, -1},
    {{0x00, 0xff, 0x33, 0x44, 0x55, 0x66, 0x77, 0x08, 8}, 9, TEST_NOW - 2 * DAY, TEST_NOW - 9 * DAY, 1},
    {{0x71, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x08}, 8, TEST_NOW, TEST_NOW, 4},
    {{0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x08, 7}, 9, TEST_NOW - DAY, 0, 0},
};
#define N_REVOKED (sizeof(revoked) / sizeof(revoked[0]))

/* An issuer that is not there: its name, key identifier and algorithm are all that is copied. */
static void fixed_issuer(struct issuer *issuer, struct buf *name)
{
    static const uint8_t ski[SKI_LEN] = {
        0xa0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19};

    memset(issuer, 0, sizeof(*issuer));
    assert_ok(name_from_text("CN=Acme Issuer,O=Acme,C=US", name, &err));
    issuer->subject = der_buf(name);
    memcpy(issuer->ski, ski, sizeof(ski));
    issuer->ski_len = sizeof(ski);
    issuer->not_before = TEST_NOW - DAY;
    issuer->not_after = DER_TIME_FOREVER;
    issuer->has_ku = true;
    issuer->key_usage = USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN;
    issuer->alg = sigalg_by_text("ecdsa-with-SHA256");
}

struct bench {
    struct issuer issuer;
    struct crl_plan plan;
    struct crl_entry entries[N_REVOKED];
    struct buf name;
};

static void bench_init(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    fixed_issuer(&b->issuer, &b->name);
    memcpy(b->entries, revoked, sizeof(revoked));
    b->plan = (struct crl_plan){.issuer = &b->issuer,
        .number = 7,
        .this_update = TEST_NOW,
        .next_update = TEST_NOW + 30 * DAY,
        .entries = b->entries,
        .n = N_REVOKED};
}

static void bench_done(struct bench *b)
{
    buf_done(&b->name);
}

/* --- goldens */

static void change_nothing(struct bench *b)
{
    (void)b;
}

static void change_empty(struct bench *b)
{
    b->plan.n = 0;
    b->plan.number = 1;
}

/* Both sides of 2050, and a number with its top bit set. */
static void change_2050(struct bench *b)
{
    b->plan.n = 0;
    b->plan.number = UINT64_C(0x80);
    b->plan.this_update = INT64_C(2524607999); /* 2049-12-31T23:59:59Z */
    b->plan.next_update = INT64_C(2524608000);
}

static void to_be_signed_bytes(void **state)
{
    static const struct {
        const char *file;
        void (*change)(struct bench *b);
    } goldens[] = {{"crl", change_nothing}, {"crl-empty", change_empty}, {"crl-2050", change_2050}};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
        AUTO_BUF tbs = BUF_INIT;
        AUTO_BUF want = BUF_INIT;
        AUTO_BUF path = BUF_INIT;
        struct bench b;

        bench_init(&b);
        goldens[i].change(&b);
        buf_addf(&path, "tests/data/x509/tbs-%s.hex", goldens[i].file);
        assert_ok(file_read(buf_str(&path), 8192, &want, &err));
        buf_str(&want)[strcspn(buf_str(&want), "\n")] = '\0';
        assert_ok(crl_tbs_build(&b.plan, &tbs, &err));
        assert_ok(crl_tbs_lint(der_buf(&tbs), &b.issuer, &err));
        assert_bytes(der_buf(&tbs), (char *)want.p);
        bench_done(&b);
    }
}

/* --- lint, of plans */

static void change_number_zero(struct bench *b)
{
    b->plan.number = 0;
}

static void change_next_before(struct bench *b)
{
    b->plan.next_update = b->plan.this_update;
}

static void change_next_beyond(struct bench *b)
{
    b->issuer.not_after = b->plan.next_update - 1;
}

static void change_this_early(struct bench *b)
{
    b->issuer.not_before = b->plan.this_update + 1;
}

static void change_no_crl_sign(struct bench *b)
{
    b->issuer.key_usage = USAGE_KEY_CERT_SIGN;
}

static void change_revoked_later(struct bench *b)
{
    b->entries[1].revoked_at = TEST_NOW + 1;
}

static void change_twice(struct bench *b)
{
    b->entries[0] = b->entries[3];
}

static void change_serial_negative(struct bench *b)
{
    b->entries[2].serial[0] = 0x80;
}

static void change_serial_zero(struct bench *b)
{
    b->entries[2].serial_len = 1;
    b->entries[2].serial[0] = 0;
}

static void change_serial_none(struct bench *b)
{
    b->entries[2].serial_len = 0;
}

static void change_reason_7(struct bench *b)
{
    b->entries[1].reason = 7;
}

static void change_reason_8(struct bench *b)
{
    b->entries[1].reason = CRL_REMOVE;
}

static void change_reason_11(struct bench *b)
{
    b->entries[1].reason = 11;
}

static void change_invalid_later(struct bench *b)
{
    b->entries[1].invalid_since = b->entries[1].revoked_at + 1;
}

static void lint_refuses_plans(void **state)
{
    static const struct {
        void (*change)(struct bench *b);
        const char *code, *msg;
    } rows[] = {
        {change_number_zero, "CRL_NUMBER",
            "CRL: RFC 5280 5.2.3: cRLNumber: want a positive number, have zero"},
        {change_next_before, "CRL_NEXT_UPDATE",
            "CRL: RFC 5280 5.1.2.5: nextUpdate: want a time after thisUpdate, 2026-06-01T00:00:00Z, have "
            "2026-06-01T00:00:00Z"},
        {change_next_beyond, "CRL_NEXT_UPDATE",
            "CRL: RFC 5280 5.1.2.5: nextUpdate: want a time up to the issuer's notAfter, "
            "2026-06-30T23:59:59Z, have 2026-07-01T00:00:00Z"},
        {change_this_early, "CRL_THIS_UPDATE",
            "CRL: RFC 5280 5.1.2.4: thisUpdate: want a time from the issuer's notBefore on, "
            "2026-06-01T00:00:01Z, have 2026-06-01T00:00:00Z"},
        {change_no_crl_sign, "CRL_SIGN",
            "CRL: RFC 5280 4.2.1.3: keyUsage: want cRLSign in the issuer's certificate, have keyCertSign"},
        {change_revoked_later, "CRL_ENTRY_PAST",
            "CRL: entry 00FF33445566770808: RFC 5280 5.1.2.6: revocationDate: want a time up to thisUpdate, "
            "2026-06-01T00:00:00Z, have 2026-06-01T00:00:01Z"},
        {change_twice, "CRL_ENTRY_ORDER",
            "CRL: entry 112233445566770807: RFC 5280 5.1.2.6: serial: want each serial once, have it twice"},
        {change_serial_negative, "CRL_ENTRY_SERIAL",
            "CRL: entry 8022334455667708: RFC 5280 4.1.2.2: serial: want a positive number, have a negative "
            "one"},
        {change_serial_zero, "CRL_ENTRY_SERIAL",
            "CRL: entry 00: RFC 5280 4.1.2.2: serial: want a positive number, have zero"},
        {change_serial_none, "CRL_DER",
            "CRL: X.690 11: encoding: TBSCertList: X.690 8: want a value of the tag's type, have another, at "
            "octet 279"},
        {change_reason_7, "CRL_REASON",
            "CRL: entry 00FF33445566770808: RFC 5280 5.3.1: reasonCode: want one of the reasons, have "
            "something else"},
        {change_reason_8, "CRL_REASON",
            "CRL: entry 00FF33445566770808: RFC 5280 5.3.1: reasonCode: want removeFromCRL (8) only in a "
            "delta CRL, have it"},
        {change_reason_11, "CRL_REASON",
            "CRL: entry 00FF33445566770808: RFC 5280 5.3.1: reasonCode: want one of the reasons, have "
            "something else"},
        {change_invalid_later, "CRL_INVALIDITY",
            "CRL: entry 00FF33445566770808: RFC 5280 5.3.2: invalidityDate: want a time up to "
            "revocationDate, 2026-05-30T00:00:00Z, have 2026-05-30T00:00:01Z"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF tbs = BUF_INIT;
        struct bench b;

        bench_init(&b);
        rows[i].change(&b);
        assert_ok(crl_tbs_build(&b.plan, &tbs, &err));
        assert_refused(crl_tbs_lint(der_buf(&tbs), &b.issuer, &err), rows[i].code, rows[i].msg);
        bench_done(&b);
    }
}

static void build_refuses_years_that_are_none(void **state)
{
    AUTO_BUF tbs = BUF_INIT;
    struct bench b;

    (void)state;
    bench_init(&b);
    b.plan.next_update = DER_TIME_FOREVER + 1;
    assert_int_equal(crl_tbs_build(&b.plan, &tbs, &err), -1);
    assert_string_equal(err.msg, "CRL: no memory, or a time outside 1950 to 9999");
    bench_done(&b);
}

/* --- lint, of bytes: put together by hand, one part wrong */

/* In hex; NULL: what is right. */
struct parts {
    const char *version, *alg, *times;
    const char *serial, *date, *entry_exts; /* of the only entry; entry_exts NULL: none */
    const char *revoked;                    /* whole, instead of the entry; "": none */
    const char *exts;                       /* content of the SEQUENCE; "": not even that */
};

#define UTC(hex)     "170d" hex "5a"
#define JUNE         UTC("323630363031303030303030")
#define JULY         UTC("323630373031303030303030")
#define AKI          "301f0603551d23041830168014a00102030405060708090a0b0c0d0e0f10111213"
#define NUMBER       "300a0603551d140403020107"
#define SERIAL       "02087122334455667708"
#define REASON(hex)  "300a0603551d150403" hex
#define INVALID(hex) "30180603551d180411" hex

static void add_entry(const struct parts *p, struct buf *b)
{
    size_t list = der_open(b), at;

    if (p->revoked) {
        add_hex(b, p->revoked);
        return;
    }
    add_hex(b, p->serial ? p->serial : SERIAL);
    add_hex(b, p->date ? p->date : JUNE);
    at = der_open(b);
    if (p->entry_exts) {
        add_hex(b, p->entry_exts);
        der_close(b, at, DER_SEQUENCE);
    }
    der_close(b, list, DER_SEQUENCE);
    der_close(b, list, DER_SEQUENCE);
}

static void by_hand(const struct parts *p, const struct issuer *issuer, struct buf *b)
{
    size_t at;

    add_hex(b, p->version ? p->version : "020101");
    add_hex(b, p->alg ? p->alg : "300a06082a8648ce3d040302");
    der_add_raw(b, issuer->subject);
    add_hex(b, p->times ? p->times : JUNE JULY);
    add_entry(p, b);
    at = der_open(b);
    add_hex(b, p->exts ? p->exts : AKI NUMBER);
    if (!p->exts || p->exts[0]) {
        der_close(b, at, DER_SEQUENCE);
        der_close(b, at, DER_CONTEXT_CONSTRUCTED(0));
    }
    der_close(b, 0, DER_SEQUENCE);
}

#define TIMES "CRL: RFC 5280 5.1.2.4: thisUpdate, nextUpdate: "
#define ENTRY "CRL: entry 7122334455667708: "

static const struct {
    struct parts parts;
    const char *code, *msg;
} bytes[] = {
    {{.version = ""}, "CRL_VERSION", "CRL: RFC 5280 5.1.2.1: version: want v2, have v1"},
    {{.version = "020102"}, "CRL_SYNTAX",
        "CRL: RFC 5280 5.1.2.1: version: want v1 (left out) or v2, have something else"},
    {{.version = "020100"}, "CRL_SYNTAX",
        "CRL: RFC 5280 5.1.2.1: version: want v1 (left out) or v2, have something else"},
    {{.alg = "300a06082a8648ce3d040303"}, "CRL_ALG",
        "CRL: RFC 5280 5.1.2.2: signature: want the issuer's ecdsa-with-SHA256, have ecdsa-with-SHA384"},
    {{.alg = "300c06082a8648ce3d0403020500"}, "CRL_ALG",
        "CRL: RFC 5280 5.1.2.2: signature: want the issuer's ecdsa-with-SHA256, have another"},
    {{.times = JUNE}, "CRL_NEXT_UPDATE", "CRL: RFC 5280 5.1.2.5: nextUpdate: want it, have none"},
    {{.times = JUNE "180f32303236303730313030303030305a"}, "CRL_TIME_ENCODING",
        TIMES "want UTCTime through 2049 and GeneralizedTime from 2050, have the other"},
    {{.times = "180f32303236303630313030303030305a" JULY}, "CRL_TIME_ENCODING",
        TIMES "want UTCTime through 2049 and GeneralizedTime from 2050, have the other"},
    {{.times = UTC("323630363331303030303030") JULY}, "CRL_SYNTAX",
        TIMES "want times with seconds and Z, have something else"},
    {{.times = JUNE UTC("323630363331303030303030")}, "CRL_SYNTAX",
        TIMES "want times with seconds and Z, have something else"},
    {{.revoked = "3000"}, "CRL_EMPTY",
        "CRL: RFC 5280 5.1.2.6: revokedCertificates: want an empty list absent, have it empty"},
    {{.revoked = "30023000"}, "CRL_SYNTAX",
        "CRL: RFC 5280 5.1.2.6: revokedCertificates: want serial, date, extensions, have something else"},
    {{.revoked = "310430020500"}, "CRL_SYNTAX",
        "CRL: RFC 5280 5.1: want nothing but extensions at the end, have something else"},
    {{.exts = ""}, "CRL_AKI",
        "CRL: RFC 5280 5.2.1: authorityKeyIdentifier: want the issuer's key identifier, have none"},
    {{.exts = NUMBER}, "CRL_AKI",
        "CRL: RFC 5280 5.2.1: authorityKeyIdentifier: want the issuer's key identifier, have none"},
    {{.exts = "301f0603551d23041830168014a10102030405060708090a0b0c0d0e0f10111213" NUMBER}, "CRL_AKI",
        "CRL: RFC 5280 5.2.1: authorityKeyIdentifier: want the issuer's key identifier, have another"},
    {{.exts = AKI}, "CRL_NUMBER", "CRL: RFC 5280 5.2.3: cRLNumber: want a number, have none"},
    {{.exts = AKI "300a0603551d140403040107"}, "CRL_NUMBER",
        "CRL: RFC 5280 5.2.3: cRLNumber: want a number, have none"},
    {{.exts = AKI "300a0603551d140403020187"}, "CRL_NUMBER",
        "CRL: RFC 5280 5.2.3: cRLNumber: want a positive number, have a negative one"},
    {{.exts = AKI "301e0603551d1404170215010101010101010101010101010101010101010101"}, "CRL_NUMBER",
        "CRL: RFC 5280 5.2.3: cRLNumber: want 1 to 20 octets, have 21"},
    {{.exts = AKI NUMBER NUMBER}, "CRL_EXT_SET",
        "CRL: RFC 5280 5.2: extensions: want each once, have cRLNumber twice"},
    {{.exts = AKI NUMBER "300d0603551d1b0101ff0403020107"}, "CRL_DELTA",
        "CRL: RFC 5280 5.2.4: deltaCRLIndicator: want a base before this CRL, have this one or a later one"},
    {{.exts = AKI NUMBER "300e0603551d1b0101ff040402020101"}, "CRL_DELTA",
        "CRL: RFC 5280 5.2.4: deltaCRLIndicator: want a base before this CRL, have this one or a later one"},
    {{.exts = AKI NUMBER "300d0603551d1b0101ff0403020100"}, "CRL_DELTA",
        "CRL: RFC 5280 5.2.4: deltaCRLIndicator: want a positive number, have zero"},
    {{.exts = AKI NUMBER "300a0603551d1b0403020106"}, "CRL_CRITICAL",
        "CRL: RFC 5280 5.2: extensions: want deltaCRLIndicator critical, have it not critical"},
    {{.exts = AKI NUMBER "300f0603551d1c0101ff04053003810101"}, "CRL_ISSUING_DP",
        "CRL: RFC 5280 5.2.5: issuingDistributionPoint: want one URI and nothing else, have something else"},
    {{.exts = AKI "300d0603551d140101ff0403020107"}, "CRL_CRITICAL",
        "CRL: RFC 5280 5.2: extensions: want cRLNumber not critical, have it critical"},
    {{.exts = AKI "300d0603551d140101000403020107"}, "CRL_SYNTAX",
        "CRL: RFC 5280 5.1.2.7: crlExtensions: want extensions, critical only when TRUE, have something "
        "else"},
    {{.serial = "02088122334455667708"}, "CRL_ENTRY_SERIAL",
        "CRL: entry 8122334455667708: RFC 5280 4.1.2.2: serial: want a positive number, have a negative one"},
    {{.serial = "0215010101010101010101010101010101010101010101"}, "CRL_ENTRY_SERIAL",
        "CRL: entry 0101010101010101010101010101010101010101: RFC 5280 4.1.2.2: serial: want 1 to 20 octets, "
        "have 21"},
    {{.serial = "02020001"}, "CRL_DER",
        "CRL: X.690 11: encoding: TBSCertList: X.690 11: want the one DER form of the value, have another, "
        "at "
        "octet 153"},
    {{.date = "180f32303236303630313030303030305a"}, "CRL_ENTRY_TIME",
        ENTRY "RFC 5280 5.1.2.6: revocationDate: want UTCTime through 2049 and GeneralizedTime from 2050, "
              "have the other"},
    {{.entry_exts = REASON("0a0100")}, "CRL_REASON",
        ENTRY "RFC 5280 5.3.1: reasonCode: want unspecified (0) left out, have it"},
    {{.entry_exts = REASON("020101")}, "CRL_REASON",
        ENTRY "RFC 5280 5.3.1: reasonCode: want one of the reasons, have something else"},
    {{.entry_exts = "300d0603551d150101ff04030a0101"}, "CRL_ENTRY_CRITICAL",
        ENTRY "RFC 5280 5.3: extensions: want none critical, have reasonCode so"},
    {{.entry_exts = REASON("0a0101") REASON("0a0101")}, "CRL_ENTRY_EXT_SET",
        ENTRY "RFC 5280 5.3: extensions: want each once, have reasonCode twice"},
    {{.entry_exts = "30090603551d1d04023000"}, "CRL_ENTRY_EXT_SET",
        ENTRY "RFC 5280 5.3: extensions: want none but the known, have 2.5.29.29"},
    {{.entry_exts = "30160603551d18040f170d3236303533303030303030305a"}, "CRL_INVALIDITY",
        ENTRY "RFC 5280 5.3.2: invalidityDate: want a GeneralizedTime, have something else"},
    {{.entry_exts = ""}, "CRL_SYNTAX",
        "CRL: RFC 5280 5.1.2.6: revokedCertificates: want serial, date, extensions, have something else"},
    {{.entry_exts = INVALID("180f32303236303630323030303030305a")}, "CRL_INVALIDITY",
        ENTRY "RFC 5280 5.3.2: invalidityDate: want a time up to revocationDate, 2026-06-01T00:00:00Z, have "
              "2026-06-02T00:00:00Z"},
    /* two entries, the greater serial first: only the lint minds */
    {{.revoked = "3036"
                 "3019" SERIAL JUNE "3019"
                 "02087022334455667708" JUNE},
        "CRL_ENTRY_ORDER",
        "CRL: entry 7022334455667708: RFC 5280 5.1.2.6: serial: want serials in ascending order, have a "
        "smaller one behind"},
};

static void lint_refuses_bytes(void **state)
{
    static const struct parts good = {
        .entry_exts = REASON("0a0101") INVALID("180f32303236303533303030303030305a")};
    AUTO_BUF tbs = BUF_INIT;
    struct bench b;
    size_t i;

    (void)state;
    bench_init(&b);
    by_hand(&good, &b.issuer, &tbs);
    assert_ok(crl_tbs_lint(der_buf(&tbs), &b.issuer, &err));
    for (i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
        buf_reset(&tbs);
        by_hand(&bytes[i].parts, &b.issuer, &tbs);
        assert_refused(crl_tbs_lint(der_buf(&tbs), &b.issuer, &err), bytes[i].code, bytes[i].msg);
    }
    b.issuer.subject = BYTES("\x30\x00");
    assert_refused(crl_tbs_lint(der_buf(&tbs), &b.issuer, &err), "CRL_ISSUER",
        "CRL: RFC 5280 5.1.2.3: issuer: want the subject of the issuer's certificate, byte for byte, have "
        "another name");
    bench_done(&b);
}

/* RFC 5280 4.2.1.3: a keyUsage restricts; an issuer without one is not restricted. */
static void issuer_without_key_usage(void **state)
{
    AUTO_BUF tbs = BUF_INIT;
    struct bench b;

    (void)state;
    bench_init(&b);
    b.issuer.has_ku = false;
    b.issuer.key_usage = 0;
    assert_ok(crl_tbs_build(&b.plan, &tbs, &err));
    assert_ok(crl_tbs_lint(der_buf(&tbs), &b.issuer, &err));
    bench_done(&b);
}

/* --- whole CRLs */

static struct crl_plan real_plan(const struct issuer *issuer)
{
    return (struct crl_plan){.issuer = issuer,
        .number = 7,
        .this_update = TEST_NOW,
        .next_update = TEST_NOW + 30 * DAY,
        .entries = revoked,
        .n = N_REVOKED};
}

static void sign_crl(const struct crl_plan *plan, EVP_PKEY *key, struct buf *ret)
{
    AUTO_BUF tbs = BUF_INIT;
    AUTO_BUF sig = BUF_INIT;

    assert_ok(crl_tbs_build(plan, &tbs, &err));
    assert_ok(sigalg_sign(key, plan->issuer->alg, der_buf(&tbs), &sig, &err));
    crl_assemble(der_buf(&tbs), plan->issuer->alg, der_buf(&sig), ret);
    assert_true(buf_ok(ret));
}

static void read_back(void **state)
{
    const struct issuer *issuer = test_factory()->issuer;
    const struct crl_plan plan = real_plan(issuer);
    static const char *const serials[] = {
        "7122334455667708", "00FF33445566770808", "112233445566770807", "112233445566770809"};
    AUTO_BUF der = BUF_INIT;
    AUTO_BUF pem = BUF_INIT;
    AUTO_CRL crl = CRL_INIT;
    AUTO_CRL again = CRL_INIT;
    struct crl_item item;
    struct der in;
    size_t i;

    (void)state;
    sign_crl(&plan, test_factory()->key, &der);
    assert_ok(crl_read(der.p, der.len, &crl, &err));
    assert_ok(crl_tbs_lint(crl.tbs, issuer, &err));
    assert_ok(crl_verify(&crl, issuer->pub, issuer->alg, &err));
    assert_true(crl.t.this_update == TEST_NOW && crl.t.next_update == TEST_NOW + 30 * DAY);
    in = crl.t.revoked;
    for (i = 0; i < 4; i++) {
        assert_int_equal(crl_next_entry(&in, &item), 0);
        assert_bytes(item.serial, serials[i]);
    }
    assert_int_equal(in.len, 0);
    pem_encode(PEM_CRL, der_buf(&crl.der), &pem);
    assert_memory_equal(pem.p, "-----BEGIN X509 CRL-----\n", 25);
    assert_ok(crl_read(pem.p, pem.len, &again, &err));
    assert_true(der_equal(der_buf(&again.der), der_buf(&der)));
}

static void verify_refuses(void **state)
{
    const struct issuer *issuer = test_factory()->issuer;
    const struct crl_plan plan = real_plan(issuer);
    AUTO_BUF der = BUF_INIT;
    AUTO_CRL crl = CRL_INIT;

    (void)state;
    sign_crl(&plan, test_factory()->key, &der);
    assert_ok(crl_read(der.p, der.len, &crl, &err));
    assert_int_equal(crl_verify(&crl, test_root()->issuer->pub, issuer->alg, &err), -1);
    assert_string_equal(err.msg, "CRL: signature: want one by this key with ecdsa-with-SHA256, have another");
    assert_string_equal(err.code, "SIGNATURE_BAD");
    assert_int_equal(err.kind, P11CA_NEGATIVE);
    assert_int_equal(crl_verify(&crl, issuer->pub, sigalg_by_text("ecdsa-with-SHA384"), &err), -1);
    assert_string_equal(err.msg, "CRL: signature: want ecdsa-with-SHA384, have ecdsa-with-SHA256");
}

static void read_refuses(void **state)
{
    const struct crl_plan plan = real_plan(test_factory()->issuer);
    static const uint8_t ecdsa_sha256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
    const struct buf *cert = &test_factory()->issuer->cert;
    AUTO_BUF der = BUF_INIT;
    AUTO_CRL crl = CRL_INIT;
    char want[64];
    uint8_t *at;

    (void)state;
    sign_crl(&plan, test_factory()->key, &der);
    buf_addc(&der, 0);
    snprintf(want, sizeof(want), "CRL: want nothing after %zu octets, have 1 more", der.len - 1);
    assert_refused(crl_read(der.p, der.len, &crl, &err), "DER_TRAILING", want);
    der.len--;
    at = memmem(der.p, der.len, ecdsa_sha256, sizeof(ecdsa_sha256));
    assert_non_null(at);
    at[9] = 3;
    assert_refused(crl_read(der.p, der.len, &crl, &err), "CRL_ALG_MISMATCH",
        "CRL: RFC 5280 5.1.1.2: signatureAlgorithm: want what the signed part says, have another");
    assert_refused(crl_read(cert->p, cert->len, &crl, &err), "INPUT_TYPE", "want a CRL, have a certificate");
    assert_refused(crl_read(BYTES("\x30\x00").p, 2, &crl, &err), "CRL_SYNTAX",
        "CRL: RFC 5280 5.1: want CertificateList, have something else");
    assert_refused(crl_read(der.p, (size_t)LIMIT_CRL + 1, &crl, &err), "INPUT_TOO_LARGE",
        "CRL: want at most 134217728 octets, have 134217729");
}

static void survives_damage(void **state)
{
    const struct issuer *issuer = test_factory()->issuer;
    const struct crl_plan plan = real_plan(issuer);
    AUTO_BUF der = BUF_INIT;
    size_t i, k;

    (void)state;
    sign_crl(&plan, test_factory()->key, &der);
    for (i = 0; i < der.len; i++) {
        uint8_t *copy = malloc(der.len);

        assert_non_null(copy);
        memcpy(copy, der.p, der.len);
        for (k = 1; k < 256; k = k * 2 + 1) {
            AUTO_CRL crl = CRL_INIT;

            copy[i] = (uint8_t)(der.p[i] ^ k);
            if (crl_read(copy, der.len, &crl, &err) != 0)
                continue;
            (void)!crl_tbs_lint(crl.tbs, issuer, &err);
            assert_int_equal(crl_verify(&crl, issuer->pub, issuer->alg, &err), -1);
        }
        free(copy);
    }
}

/* --- what OpenSSL says */

static X509_CRL *to_openssl(struct der der)
{
    const uint8_t *p = der.p;
    X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)der.len);

    assert_non_null(crl);
    return crl;
}

static X509 *to_x509(struct der der)
{
    const uint8_t *p = der.p;
    X509 *x = d2i_X509(NULL, &p, (long)der.len);

    assert_non_null(x);
    return x;
}

static void openssl_reads_the_same(void **state)
{
    const struct issuer *issuer = test_factory()->issuer;
    const struct crl_plan plan = real_plan(issuer);
    AUTO_BUF der = BUF_INIT;
    unsigned char *back = NULL;
    ASN1_INTEGER *number;
    X509_CRL *crl;
    int len, crit;

    (void)state;
    sign_crl(&plan, test_factory()->key, &der);
    crl = to_openssl(der_buf(&der));
    assert_int_equal(X509_CRL_verify(crl, issuer->pub), 1);
    assert_int_equal(X509_CRL_get_version(crl), X509_CRL_VERSION_2);
    assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), N_REVOKED);
    number = X509_CRL_get_ext_d2i(crl, NID_crl_number, &crit, NULL);
    assert_true(number && crit == 0 && ASN1_INTEGER_get(number) == 7);
    ASN1_INTEGER_free(number);
    len = i2d_X509_CRL(crl, &back);
    assert_true(len > 0 && der_equal(DER_OF(back, (size_t)len), der_buf(&der)));
    OPENSSL_free(back);
    X509_CRL_free(crl);
}

/* The lint's reasons as OpenSSL sees them: reason and invalidity date of the second entry in order. */
static void openssl_reads_entries(void **state)
{
    const struct crl_plan plan = real_plan(test_factory()->issuer);
    AUTO_BUF der = BUF_INIT;
    const X509_REVOKED *r;
    ASN1_ENUMERATED *reason;
    ASN1_GENERALIZEDTIME *since;
    X509_CRL *crl;

    (void)state;
    sign_crl(&plan, test_factory()->key, &der);
    crl = to_openssl(der_buf(&der));
    r = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl), 1);
    reason = X509_REVOKED_get_ext_d2i(r, NID_crl_reason, NULL, NULL);
    since = X509_REVOKED_get_ext_d2i(r, NID_invalidity_date, NULL, NULL);
    assert_true(reason && ASN1_ENUMERATED_get(reason) == 1);
    assert_non_null(since);
    assert_string_equal((const char *)ASN1_STRING_get0_data(since), "20260523000000Z");
    assert_int_equal(X509_REVOKED_get_ext_count(sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl), 0)), 1);
    assert_int_equal(X509_REVOKED_get_ext_count(sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl), 2)), 0);
    assert_int_equal(X509_REVOKED_get_ext_count(sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl), 3)), 0);
    ASN1_ENUMERATED_free(reason);
    ASN1_GENERALIZEDTIME_free(since);
    X509_CRL_free(crl);
}

/* Chain and CRLs checked in one: the factory's certificate against the root's CRL. */
static int verify_with(X509_CRL *crl)
{
    SCOPED(x509) X509 *root = to_x509(der_buf(&test_root()->issuer->cert));
    SCOPED(x509) X509 *factory = to_x509(der_buf(&test_factory()->issuer->cert));
    SCOPED(x509_store) X509_STORE *store = X509_STORE_new();
    SCOPED(x509_store_ctx) X509_STORE_CTX *ctx = X509_STORE_CTX_new();

    assert_int_equal(X509_STORE_add_cert(store, root), 1);
    assert_int_equal(X509_STORE_add_crl(store, crl), 1);
    assert_int_equal(X509_STORE_set_flags(store, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CRL_CHECK), 1);
    assert_int_equal(X509_STORE_CTX_init(ctx, store, factory, NULL), 1);
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), TEST_NOW + 1);
    (void)!X509_verify_cert(ctx);
    return X509_STORE_CTX_get_error(ctx);
}

static void openssl_judges_by_it(void **state)
{
    const struct buf *cert = &test_factory()->issuer->cert;
    struct crl_plan plan = real_plan(test_root()->issuer);
    struct crl_entry entry = {.revoked_at = TEST_NOW, .reason = 2};
    AUTO_CERT read = CERT_INIT;
    AUTO_BUF der = BUF_INIT;
    X509_CRL *crl;

    (void)state;
    sign_crl(&plan, test_root()->key, &der);
    crl = to_openssl(der_buf(&der));
    assert_int_equal(verify_with(crl), X509_V_OK);
    X509_CRL_free(crl);
    assert_ok(cert_read(cert->p, cert->len, &read, &err));
    memcpy(entry.serial, read.t.serial.p, read.t.serial.len);
    entry.serial_len = read.t.serial.len;
    plan.entries = &entry;
    plan.n = 1;
    buf_reset(&der);
    sign_crl(&plan, test_root()->key, &der);
    crl = to_openssl(der_buf(&der));
    assert_int_equal(verify_with(crl), X509_V_ERR_CERT_REVOKED);
    X509_CRL_free(crl);
}

/* An empty list, signed with RSA. */
static void openssl_takes_an_empty_one(void **state)
{
    struct issuer issuer = *test_factory()->issuer;
    struct crl_plan plan = real_plan(&issuer);
    AUTO_BUF der = BUF_INIT;
    X509_CRL *crl;

    (void)state;
    issuer.alg = sigalg_by_text("sha256WithRSAEncryption");
    plan.n = 0;
    sign_crl(&plan, test_key(KEY_RSA), &der);
    crl = to_openssl(der_buf(&der));
    assert_int_equal(X509_CRL_verify(crl, test_key(KEY_RSA)), 1);
    assert_null(X509_CRL_get_REVOKED(crl));
    X509_CRL_free(crl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(to_be_signed_bytes),
        cmocka_unit_test(lint_refuses_plans),
        cmocka_unit_test(build_refuses_years_that_are_none),
        cmocka_unit_test(lint_refuses_bytes),
        cmocka_unit_test(issuer_without_key_usage),
        cmocka_unit_test(read_back),
        cmocka_unit_test(verify_refuses),
        cmocka_unit_test(read_refuses),
        cmocka_unit_test(survives_damage),
        cmocka_unit_test(openssl_reads_the_same),
        cmocka_unit_test(openssl_reads_entries),
        cmocka_unit_test(openssl_judges_by_it),
        cmocka_unit_test(openssl_takes_an_empty_one),
    };

    return test_done(cmocka_run_group_tests(tests, NULL, NULL));
}
