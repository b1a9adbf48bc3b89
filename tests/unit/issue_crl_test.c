/* An authority's CRL, on a PKI home with real SoftHSM tokens: what is refused, in which order things happen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <p11ca/ceremony.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "issue/crl.h"
#include "x509/crl.h"

#define NOW INT64_C(1811808000) /* 2027-06-01T00:00:00Z */
#define DAY 86400

static char dir[] = "/tmp/p11ca-crl.XXXXXX";
static struct p11ca_err err;

static const char *in_dir(const char *name)
{
    static char path[4][128];
    static int n;

    n = (n + 1) % 4;
    snprintf(path[n], sizeof(path[n]), "%s/%s", dir, name);
    return path[n];
}

static void ok(int r)
{
    if (r != 0)
        fail_msg("%s: %s", err.code, err.msg);
}

/* The home at this time of the day. */
static struct p11ca_home *home_at(int64_t now)
{
    const struct p11ca_options options = {.now = now};
    struct p11ca_home *home = NULL;

    ok(p11ca_home_open(&home, dir, &options, &err));
    return home;
}

/* An authority that never got a certificate. */
static int add_spare(void)
{
    static const char spare[] =
        "\n  spare = { token = \"factory\"; key = \"spare\"; subject = \"CN=Spare\"; profile = "
        "\"issuing-ca\"; issuer = \"root\"; };";
    static const char mark[] = "\nauthorities = {";
    AUTO_BUF conf = BUF_INIT;
    char *at;

    if (file_read(in_dir("p11ca.conf"), 65536, &conf, &err) != 0 || !(at = strstr(buf_str(&conf), mark)))
        return -1;
    buf_insert(&conf, (size_t)(at - (char *)conf.p) + strlen(mark), spare, strlen(spare));
    return file_write(in_dir("p11ca.conf"), FILE_REPLACE, 0644, conf.p, conf.len, &err);
}

/* One home for the whole file: SoftHSM reads its configuration once per process. */
static int set_up(void **state)
{
    const struct p11ca_options options = {.now = NOW};
    const struct p11ca_init init = {.name = "Acme", .softhsm = true};

    (void)state;
    if (!mkdtemp(dir))
        return -1;
    if (p11ca_init(dir, &init, &options, NULL, NULL, &err) == 0 && add_spare() == 0)
        return 0;
    fprintf(stderr, "%s\n", err.msg);
    return -1;
}

static int tear_down(void **state)
{
    (void)state;
    file_remove_tree(dir);
    return 0;
}

/* What another hand does to the ledger. */
static void sql(const char *text)
{
    sqlite3 *db = NULL;
    char *msg = NULL;

    assert_int_equal(sqlite3_open_v2(in_dir("ledger.db"), &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(db, 1000);
    if (sqlite3_exec(db, text, NULL, NULL, &msg) != SQLITE_OK)
        fail_msg("%s", msg);
    sqlite3_close(db);
}

static int64_t sql_int(const char *text)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    int64_t v;

    assert_int_equal(sqlite3_open_v2(in_dir("ledger.db"), &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    v = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
    return v;
}

#define CRLS_OF(name)                                                                                        \
    "SELECT count(*) FROM crl WHERE authority = (SELECT id FROM authority WHERE name = '" name "')"

/* Who is asked, what was shown, and what happens meanwhile. */
struct asked {
    int n;
    struct signing s;
    uint8_t tbs[4096];
    size_t tbs_len;
    void (*meanwhile)(void);
    bool refuse;
};

static int ask(void *arg, const struct signing *s, struct p11ca_err *ret_err)
{
    struct asked *a = arg;

    a->n++;
    a->s = *s;
    assert_true(s->tbs.len <= sizeof(a->tbs));
    memcpy(a->tbs, s->tbs.p, s->tbs.len);
    a->tbs_len = s->tbs.len;
    if (a->meanwhile)
        a->meanwhile();
    if (!a->refuse)
        return 0;
    ret_err->kind = P11CA_REFUSED;
    snprintf(ret_err->code, sizeof(ret_err->code), "NOT_APPROVED");
    snprintf(ret_err->msg, sizeof(ret_err->msg), "the witness said no");
    return -1;
}

/* At the time at; asked NULL: nobody is. */
static int order_at(const char *authority, int64_t at, const char *output, unsigned days, struct asked *asked,
    struct p11ca_crl *ret)
{
    const struct signing_hooks hooks = {.approve = asked ? ask : NULL, .arg = asked, .at = at};
    const struct crl_order order = {.days = days, .output = output, .hooks = &hooks};
    struct p11ca_home *home = home_at(at);
    int r;

    memset(&err, 0, sizeof(err));
    r = crl_issue(home, authority, &order, ret, &err);
    p11ca_home_close(home);
    return r;
}

static void refused(int r, enum p11ca_kind kind, const char *code, const char *msg)
{
    assert_int_equal(r, -1);
    assert_string_equal(err.msg, msg);
    assert_string_equal(err.code, code);
    assert_int_equal(err.kind, kind);
}

/* As any other program reads it: PEM, signature, number, entries. */
static void is_crl(const char *path, const char *ca, int64_t number, int n_entries)
{
    FILE *f = fopen(path, "r"), *g = fopen(ca, "r");
    X509_CRL *crl;
    X509 *x;
    ASN1_INTEGER *have;

    assert_true(f && g);
    crl = PEM_read_X509_CRL(f, NULL, NULL, NULL);
    x = PEM_read_X509(g, NULL, NULL, NULL);
    assert_true(crl && x);
    assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(x)), 1);
    have = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    assert_int_equal(ASN1_INTEGER_get(have), number);
    assert_int_equal(
        X509_CRL_get_REVOKED(crl) ? sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)) : 0, n_entries);
    ASN1_INTEGER_free(have);
    X509_CRL_free(crl);
    X509_free(x);
    fclose(f);
    fclose(g);
}

/* --- in the order of time: the ledger's clock does not go back */

static void refuses_before_the_token(void **state)
{
    const struct {
        const char *authority;
        int64_t at;
        unsigned days;
        const char *output;
        enum p11ca_kind kind;
        const char *code, *msg;
    } rows[] = {
        {"factory", NOW, 0, "x.crl", P11CA_USAGE, "CRL_DAYS",
            "CRL: nextUpdate: want 1 to 36525 days after thisUpdate, have 0"},
        {"factory", NOW, 36526, "x.crl", P11CA_USAGE, "CRL_DAYS",
            "CRL: nextUpdate: want 1 to 36525 days after thisUpdate, have 36526"},
        {"spare", NOW, 30, "x.crl", P11CA_CONFIG, "NO_CA_CERT",
            "authority 'spare': no CA certificate installed: no CRL"},
        {"factory", NOW, 3650, "x.crl", P11CA_REFUSED, "CRL_NEXT_UPDATE",
            "authority 'factory': CRL: RFC 5280 5.1.2.5: nextUpdate: want a time up to the issuer's "
            "notAfter, "
            "2037-05-28T23:59:59Z, have 2037-05-29T00:00:00Z"},
    };
    char want[256];
    size_t i;

    (void)state;
    /* With its PIN away, whatever touches the token says so. */
    assert_int_equal(rename(in_dir("pins/factory"), in_dir("pins/away")), 0);
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        refused(order_at(rows[i].authority, rows[i].at, in_dir(rows[i].output), rows[i].days, NULL, NULL),
            rows[i].kind, rows[i].code, rows[i].msg);
    snprintf(want, sizeof(want), "no authority 'nobody' in %s", in_dir("p11ca.conf"));
    refused(order_at("nobody", NOW, in_dir("x.crl"), 30, NULL, NULL), P11CA_USAGE, "AUTHORITY", want);
    snprintf(want, sizeof(want), "%s: exists, nothing is overwritten", in_dir("p11ca.conf"));
    refused(
        order_at("factory", NOW, in_dir("p11ca.conf"), 30, NULL, NULL), P11CA_FILE, "OUTPUT_EXISTS", want);
    assert_int_equal(order_at("factory", NOW, in_dir("x.crl"), 30, NULL, NULL), -1);
    assert_non_null(strstr(err.msg, "pins/factory"));
    assert_int_equal(rename(in_dir("pins/away"), in_dir("pins/factory")), 0);
    assert_int_equal(sql_int("SELECT count(*) FROM crl"), 1);
    assert_false(file_exists(in_dir("x.crl")));
}

static void first_crl_is_approved_and_signed(void **state)
{
    struct asked asked = {.n = 0};
    struct p11ca_crl issued;
    uint8_t sha256[SHA256_LEN];
    AUTO_BUF file = BUF_INIT;
    AUTO_CRL crl = CRL_INIT;

    (void)state;
    ok(order_at("factory", NOW, in_dir("factory-1.crl"), 30, &asked, &issued));
    assert_true(issued.outcome == P11CA_NEW && issued.number == 1 && issued.entries == 0);
    assert_true(issued.this_update == NOW && issued.next_update == NOW + 30 * DAY);
    is_crl(in_dir("factory-1.crl"), in_dir("factory.crt"), 1, 0);
    assert_int_equal(asked.n, 1);
    assert_string_equal(asked.s.what, "CRL");
    assert_string_equal(asked.s.number, "01");
    ok(file_read(in_dir("factory-1.crl"), LIMIT_CRL, &file, &err));
    ok(crl_read(file.p, file.len, &crl, &err));
    assert_true(der_equal(crl.tbs, DER_OF(asked.tbs, asked.tbs_len)));
    assert_int_equal(hash_sha256(asked.tbs, asked.tbs_len, sha256), 0);
    assert_memory_equal(asked.s.tbs_sha256, sha256, sizeof(sha256));
    assert_int_equal(sql_int(CRLS_OF("factory")), 1);
    assert_int_equal(
        sql_int("SELECT count(*) FROM event e JOIN crl c ON c.sha256 = e.digest WHERE e.kind = 'crl'"), 2);
}

static void the_root_has_its_own(void **state)
{
    struct p11ca_crl issued;

    (void)state;
    /* Its first was signed in its ceremony. */
    ok(order_at("root", NOW + 30, in_dir("root-2.crl"), 365, NULL, &issued));
    assert_true(issued.outcome == P11CA_NEW && issued.number == 2);
    is_crl(in_dir("root-2.crl"), in_dir("root.crt"), 2, 0);
}

static void the_same_order_signs_nothing(void **state)
{
    struct asked asked = {.n = 0};
    struct p11ca_crl issued;

    (void)state;
    ok(order_at("factory", NOW, in_dir("factory-1.crl"), 30, &asked, &issued));
    assert_true(issued.outcome == P11CA_REUSED && issued.number == 1 && issued.entries == 0);
    ok(order_at("factory", NOW, in_dir("elsewhere.crl"), 30, &asked, &issued));
    assert_true(issued.outcome == P11CA_FINISHED && issued.number == 1);
    is_crl(in_dir("elsewhere.crl"), in_dir("factory.crt"), 1, 0);
    assert_int_equal(asked.n, 0);
    refused(order_at("factory", NOW, in_dir("y.crl"), 31, NULL, NULL), P11CA_REFUSED, "CRL_NEXT_UPDATE",
        "authority 'factory': CRL 1 is of this very time: nextUpdate: want its 2027-07-01T00:00:00Z, have "
        "2027-07-02T00:00:00Z");
    assert_int_equal(sql_int(CRLS_OF("factory")), 1);
}

static void refuses_to_go_back(void **state)
{
    (void)state;
    refused(order_at("factory", NOW - 1, in_dir("y.crl"), 30, NULL, NULL), P11CA_LEDGER, "CRL_TIME",
        "authority 'factory': clock: RFC 5280 5.1.2.4: want a time after thisUpdate of the last CRL, "
        "2027-06-01T00:00:00Z, have 2027-05-31T23:59:59Z");
}

static void not_approved_is_not_signed(void **state)
{
    struct asked asked = {.refuse = true};

    (void)state;
    refused(order_at("factory", NOW + 1, in_dir("y.crl"), 30, &asked, NULL), P11CA_REFUSED, "NOT_APPROVED",
        "the witness said no");
    assert_int_equal(asked.n, 1);
    assert_string_equal(asked.s.number, "02");
    assert_int_equal(sql_int(CRLS_OF("factory")), 1);
    assert_false(file_exists(in_dir("y.crl")));
}

static void remove_place(void)
{
    assert_int_equal(rmdir(in_dir("place")), 0);
}

/* The place of the file vanishes while people look: what is left is what a kill before publishing leaves. */
static void killed_before_publishing(void **state)
{
    struct asked asked = {.meanwhile = remove_place};
    struct p11ca_crl issued;
    AUTO_BUF tbs = BUF_INIT;

    (void)state;
    ok(file_mkdir(in_dir("place"), 0755, &err));
    assert_int_equal(order_at("factory", NOW + 2, in_dir("place/f.crl"), 30, &asked, &issued), -1);
    assert_int_equal(err.kind, P11CA_FILE);
    assert_int_equal(sql_int(CRLS_OF("factory")), 2);
    assert_false(file_exists(in_dir("place/f.crl")));
    ok(file_mkdir(in_dir("place"), 0755, &err));
    ok(order_at("factory", NOW + 2, in_dir("place/f.crl"), 30, &asked, &issued));
    assert_int_equal(asked.n, 1);
    assert_true(issued.outcome == P11CA_FINISHED && issued.number == 2);
    is_crl(in_dir("place/f.crl"), in_dir("factory.crt"), 2, 0);
    assert_int_equal(sql_int(CRLS_OF("factory")), 2);
    ok(order_at("factory", NOW + 2, in_dir("place/f.crl"), 30, &asked, &issued));
    assert_int_equal(issued.outcome, P11CA_REUSED);
}

static void take_number_3(void)
{
    sql("INSERT INTO crl (authority, number, this_update, next_update, sha256) SELECT id, 3, 1811808003, "
        "1811808004, zeroblob(32) FROM authority WHERE name = 'factory'");
}

static void another_was_faster(void **state)
{
    struct asked asked = {.meanwhile = take_number_3};

    (void)state;
    refused(order_at("factory", NOW + 4, in_dir("y.crl"), 30, &asked, NULL), P11CA_LEDGER, "CRL_NUMBER",
        "authority 'factory': RFC 5280 5.2.3: CRL number: want the next, 4, have 3");
    assert_false(file_exists(in_dir("y.crl")));
    assert_int_equal(sql_int(CRLS_OF("factory")), 3);
}

/* What the ledger has is verified before it is published once more. */
static void recorded_octets_are_judged(void **state)
{
    (void)state;
    refused(order_at("factory", NOW + 3, in_dir("y.crl"), 30, NULL, NULL), P11CA_REFUSED, "CRL_NEXT_UPDATE",
        "authority 'factory': CRL 3 is of this very time: nextUpdate: want its 2027-06-01T00:00:04Z, have "
        "2027-07-01T00:00:03Z");
    sql("DROP TRIGGER crl_update; UPDATE crl SET next_update = 1811894403, der = x'3000' WHERE number = 3");
    refused(order_at("factory", NOW + 3, in_dir("y.crl"), 1, NULL, NULL), P11CA_LEDGER, "CRL_SYNTAX",
        "authority 'factory': CRL 3 in the ledger: CRL: RFC 5280 5.1: want CertificateList, have something "
        "else");
    sql("UPDATE crl SET der = (SELECT der FROM crl r WHERE r.number = 1 AND r.authority = (SELECT id FROM "
        "authority WHERE name = 'root')) WHERE number = 3");
    refused(order_at("factory", NOW + 3, in_dir("y.crl"), 1, NULL, NULL), P11CA_LEDGER, "SIGNATURE_BAD",
        "authority 'factory': CRL 3 in the ledger: CRL: signature: want one by this key with "
        "ecdsa-with-SHA256, have another");
    assert_false(file_exists(in_dir("y.crl")));
}

static void revoke_one(int64_t now, const char *id)
{
    const struct p11ca_order order = {.authority = "factory",
        .profile = "device",
        .new_key = in_dir("k"),
        .output = in_dir("c"),
        .id = id,
        .days = 2};
    struct p11ca_home *home = home_at(now);
    struct p11ca_issued issued;
    char text[160];

    ok(p11ca_issue(home, &order, &issued, NULL, NULL, &err));
    p11ca_home_close(home);
    assert_int_equal(unlink(in_dir("k")) | unlink(in_dir("c")), 0);
    snprintf(text, sizeof(text),
        "UPDATE certificate SET status = 3, revoked_at = %lld, reason = 4 WHERE device = '%s'",
        (long long)now + 5, id);
    sql(text);
}

static void revoked_are_listed_until_after_their_end(void **state)
{
    struct p11ca_crl issued;

    (void)state;
    revoke_one(NOW + 10, "d1");
    ok(order_at("factory", NOW + 12, in_dir("4.crl"), 1, NULL, &issued)); /* before d1 was revoked */
    assert_true(issued.number == 4 && issued.entries == 0);
    revoke_one(NOW + 20, "d2");
    ok(order_at("factory", NOW + 30, in_dir("5.crl"), 1, NULL, &issued));
    assert_true(issued.number == 5 && issued.entries == 2);
    is_crl(in_dir("5.crl"), in_dir("factory.crt"), 5, 2);
    ok(order_at(
        "factory", NOW + 9 * DAY, in_dir("6.crl"), 1, NULL, &issued)); /* both have ended: once more */
    assert_true(issued.number == 6 && issued.entries == 2);
    ok(order_at("factory", NOW + 10 * DAY, in_dir("7.crl"), 1, NULL, &issued));
    assert_true(issued.number == 7 && issued.entries == 0);
    is_crl(in_dir("7.crl"), in_dir("factory.crt"), 7, 0);
}

static void replaces_when_told(void **state)
{
    const struct crl_order order = {.days = 1, .output = in_dir("7.crl"), .force = true};
    struct p11ca_home *home = home_at(NOW + 11 * DAY); /* no hooks: the home's clock */
    struct p11ca_crl issued;

    (void)state;
    ok(crl_issue(home, "factory", &order, &issued, &err));
    p11ca_home_close(home);
    assert_true(issued.number == 8 && issued.this_update == NOW + 11 * DAY);
    is_crl(in_dir("7.crl"), in_dir("factory.crt"), 8, 0);
}

static void lose_the_keys(void)
{
    file_remove_tree(in_dir("softhsm"));
}

/* Last: the tokens are gone after it. */
static void token_trouble_is_recorded(void **state)
{
    struct asked asked = {.meanwhile = lose_the_keys};

    (void)state;
    assert_int_equal(order_at("factory", NOW + 12 * DAY, in_dir("y.crl"), 1, &asked, NULL), -1);
    assert_int_equal(err.kind, P11CA_TOKEN);
    assert_non_null(strstr(err.msg, "token 'factory': key 'factory-"));
    assert_int_equal(asked.n, 1);
    assert_int_equal(sql_int("SELECT count(*) FROM event WHERE kind = 'fail' AND authority = 'factory'"), 1);
    assert_int_equal(sql_int(CRLS_OF("factory")), 8);
    assert_false(file_exists(in_dir("y.crl")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_before_the_token),
        cmocka_unit_test(first_crl_is_approved_and_signed),
        cmocka_unit_test(the_root_has_its_own),
        cmocka_unit_test(the_same_order_signs_nothing),
        cmocka_unit_test(refuses_to_go_back),
        cmocka_unit_test(not_approved_is_not_signed),
        cmocka_unit_test(killed_before_publishing),
        cmocka_unit_test(another_was_faster),
        cmocka_unit_test(recorded_octets_are_judged),
        cmocka_unit_test(revoked_are_listed_until_after_their_end),
        cmocka_unit_test(replaces_when_told),
        cmocka_unit_test(token_trouble_is_recorded),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
