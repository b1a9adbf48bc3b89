/*
 * The ledger: what it refuses, in which words, and what is left after a kill. Every test has a directory and
 * a ledger of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pwd.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "ledger/handle.h"
#include "ledger/ledger.h"

#define VERSION      9 /* of the schema */
#define VERSION_TEXT "9"
#define NOW          INT64_C(1800000000) /* 2027-01-15T08:00:00Z */

struct place {
    char dir[64], path[96];
    struct ledger *l;
    struct p11ca_err err;
    bool child; /* a fork: must not return to cmocka, which would run the other tests twice */
};

static void ok(struct place *p, int r)
{
    if (r == 0)
        return;
    if (p->child)
        _exit(1);
    fail_msg("%s", p->err.msg);
}

/* msg holds %P where the ledger's path stands. */
static void refused_as(struct place *p, int r, enum p11ca_kind kind, const char *code, const char *msg)
{
    char want[1024];
    const char *at = strstr(msg, "%P");

    if (at)
        snprintf(want, sizeof(want), "%.*s%s%s", (int)(at - msg), msg, p->path, at + 2);
    else
        snprintf(want, sizeof(want), "%s", msg);
    assert_int_equal(r, -1);
    assert_string_equal(p->err.msg, want);
    assert_string_equal(p->err.code, code);
    assert_int_equal(p->err.kind, kind);
}

static void refused(struct place *p, int r, const char *code, const char *msg)
{
    refused_as(p, r, P11CA_LEDGER, code, msg);
}

static void open_at(struct place *p, enum ledger_mode mode, int64_t now)
{
    ledger_close(p->l);
    p->l = NULL;
    ok(p, ledger_open(p->path, mode, now, &p->l, &p->err));
}

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof(*p));

    if (!p)
        return -1;
    snprintf(p->dir, sizeof(p->dir), "/tmp/ledger_test.XXXXXX");
    if (file_mkdtemp(p->dir, &p->err) != 0)
        return -1;
    snprintf(p->path, sizeof(p->path), "%s/ledger.db", p->dir);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;

    ledger_close(p->l);
    file_remove_tree(p->dir);
    free(p);
    return 0;
}

/* SQL from another program, with everything that protects this handle switched off. */
static int raw(struct place *p, const char *sql, char *ret_msg, size_t size)
{
    sqlite3 *db = NULL;
    char *msg = NULL;
    int rc;

    assert_int_equal(sqlite3_open_v2(p->path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(db, 1000);
    rc = sqlite3_exec(db, sql, NULL, NULL, &msg);
    snprintf(ret_msg, size, "%s", msg ? msg : "");
    sqlite3_free(msg);
    sqlite3_close(db);
    return rc;
}

static void raw_ok(struct place *p, const char *sql)
{
    char msg[256];

    if (raw(p, sql, msg, sizeof(msg)) != SQLITE_OK)
        fail_msg("%s", msg);
}

static void raw_refused(struct place *p, const char *sql, const char *want)
{
    char msg[256];

    assert_int_not_equal(raw(p, sql, msg, sizeof(msg)), SQLITE_OK);
    assert_string_equal(msg, want);
}

static int64_t raw_int(struct place *p, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    int64_t v;

    assert_int_equal(sqlite3_open_v2(p->path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    v = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
    return v;
}

/* Digests as sha256sum(1) gives them, with the NUL at the end. */
static const uint8_t spki[] = "not really a key", other_spki[] = "nor is this";
#define SPKI_SHA256       "9B93457B98E1458A24F33A22967AACBE1B1CCD6EA94E7E7A87D181DAD52DEDCA"
#define OTHER_SPKI_SHA256 "31F741A80CDD969D0461F775D56EBBFEF1B6664F9057BFCF4D7B2CC42A63FC03"
/* 300 octets 01, and 02 */
#define CERT_1_SHA256 "893C172BAA019A7BC919E5B8255D39258346A9953F305D0B115076F2CC26CBED"
#define CERT_2_SHA256 "210D81413C5372260EAEA11B1B5D291080E2A5E447252355A1D5FCE755FBF6CB"
static const struct ledger_authority factory = {
    .name = "factory",
    .token_label = "acme-factory",
    .token_serial = "0123",
    .key_label = "factory-2026",
    .key_id = {(const uint8_t *)"\x01\x02", 2},
    .spki = {spki, sizeof(spki)},
};

/* A row whose serial and digests follow from n. What it points to is static: one at a time. */
static struct ledger_cert row(uint8_t n)
{
    static uint8_t serial[20], key[SHA256_LEN], request[SHA256_LEN], tbs[SHA256_LEN];
    static char device[16];

    memset(serial, 0x11, sizeof(serial));
    serial[19] = n;
    memset(key, 0x40 + n, sizeof(key));
    memset(request, 0x80 + n, sizeof(request));
    memset(tbs, 0xc0 + n, sizeof(tbs));
    snprintf(device, sizeof(device), "SN-%u", n);
    return (struct ledger_cert){
        .authority = "factory",
        .serial = {serial, sizeof(serial)},
        .profile = "device",
        .device = device,
        .subject = "CN=SN",
        .sig_alg = "ecdsa-with-SHA256",
        .spki_sha256 = {key, sizeof(key)},
        .request_sha256 = {request, sizeof(request)},
        .tbs_sha256 = {tbs, sizeof(tbs)},
        .not_before = NOW,
        .not_after = NOW + 1000 + n,
    };
}

static struct blob cert_of(uint8_t n)
{
    static uint8_t der[300];

    memset(der, n, sizeof(der));
    return (struct blob){der, sizeof(der)};
}

static int keep_tbs(void *arg, const struct ledger_cert *c, struct p11ca_err *err)
{
    (void)err;
    memcpy(arg, c->tbs_sha256.p, SHA256_LEN);
    return 0;
}

/* Issues the row over the to-be-signed bytes it has. */
static int issue_row(struct place *p, int64_t id, struct blob cert)
{
    const struct ledger_filter f = {.status = -1, .after_id = id - 1, .limit = 1};
    uint8_t tbs[SHA256_LEN] = {0};

    if (ledger_each_cert(p->l, &f, keep_tbs, tbs, &p->err) != 0)
        return -1;
    return ledger_issue(p->l, id, (struct blob){tbs, sizeof(tbs)}, cert, &p->err);
}

/* A ledger with the authority "factory", open for writing. Events: 1. */
static void with_factory(struct place *p)
{
    open_at(p, LEDGER_CREATE, NOW);
    ok(p, ledger_begin(p->l, &p->err));
    ok(p, ledger_put_authority(p->l, &factory, &p->err));
    ok(p, ledger_commit(p->l, &p->err));
}

static int64_t reserve(struct place *p, uint8_t n)
{
    struct ledger_cert c = row(n);
    int64_t id = 0;

    ok(p, ledger_begin(p->l, &p->err));
    ok(p, ledger_reserve(p->l, &c, &id, &p->err));
    ok(p, ledger_commit(p->l, &p->err));
    return id;
}

static int64_t issue(struct place *p, uint8_t n)
{
    int64_t id = reserve(p, n);

    ok(p, ledger_begin(p->l, &p->err));
    ok(p, issue_row(p, id, cert_of(n)));
    ok(p, ledger_commit(p->l, &p->err));
    return id;
}

static void publish(struct place *p, int64_t id, const char *path)
{
    ok(p, ledger_begin(p->l, &p->err));
    ok(p, ledger_publish(p->l, id, path, &p->err));
    ok(p, ledger_commit(p->l, &p->err));
}

struct text {
    char s[4096];
    int n;
};

static void add_finding(void *arg, const char *text)
{
    struct text *t = arg;
    size_t len = strlen(t->s);

    snprintf(t->s + len, sizeof(t->s) - len, "%s\n", text);
    t->n++;
}

static void check_says(struct place *p, const char *want)
{
    struct text t = {.s = ""};

    ok(p, ledger_check(p->l, add_finding, &t, &p->err));
    assert_string_equal(t.s, want);
}

static int count_cert(void *arg, const struct ledger_cert *c, struct p11ca_err *err)
{
    (void)c, (void)err;
    return ++*(int *)arg, 0;
}

static int count_certs(struct place *p, struct ledger_filter f)
{
    int n = 0;

    ok(p, ledger_each_cert(p->l, &f, count_cert, &n, &p->err));
    return n;
}

static int list_event(void *arg, const struct ledger_event *e, struct p11ca_err *err)
{
    struct text *t = arg;
    size_t len = strlen(t->s);
    char hex[41];

    (void)err;
    text_hex(e->serial.p, e->serial.len, hex);
    snprintf(t->s + len, sizeof(t->s) - len, "%d %s %s %s %s %s %d\n", (int)e->seq, e->kind,
        e->authority ? e->authority : "-", e->profile ? e->profile : "-", e->serial.len ? hex + 36 : "-",
        e->detail ? e->detail : "-", (int)e->digest.len);
    return 0;
}

static void events_are(struct place *p, const char *want)
{
    struct text t = {.s = ""};

    ok(p, ledger_each_event(p->l, list_event, &t, &p->err));
    assert_string_equal(t.s, want);
}

/* --- opening */

static void open_makes_a_private_file(void **state)
{
    struct place *p = *state;
    mode_t old = umask(0);
    struct stat st;

    with_factory(p);
    umask(old);
    assert_int_equal(stat(p->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(raw_int(p, "PRAGMA application_id"), 0x70313163);
    assert_int_equal(raw_int(p, "PRAGMA user_version"), VERSION);
    assert_int_equal(raw_int(p, "SELECT (SELECT journal_mode FROM pragma_journal_mode) = 'wal'"), 1);
    check_says(p, "");
    open_at(p, LEDGER_CREATE, NOW); /* an existing one is opened */
    assert_int_equal(ledger_is_authority_key(p->l, (const uint8_t[SHA256_LEN]){0}, NULL, 0, &p->err), 0);
}

static void open_refuses_what_is_not_there(void **state)
{
    static const enum ledger_mode modes[] = {LEDGER_READ, LEDGER_WRITE};
    struct place *p = *state;
    size_t i;

    for (i = 0; i < 2; i++)
        refused(p, ledger_open(p->path, modes[i], NOW, &p->l, &p->err), "LEDGER_CANTOPEN",
            "%P: cannot be opened: No such file or directory");
    assert_null(p->l);
    assert_false(file_exists(p->path));
    snprintf(p->path, sizeof(p->path), "%s/no/ledger.db", p->dir);
    refused_as(p, ledger_open(p->path, LEDGER_CREATE, NOW, &p->l, &p->err), P11CA_FILE, "IO",
        "%P: create: No such file or directory");
}

static void open_refuses_foreign_databases(void **state)
{
    struct place *p = *state;

    ok(p, file_write(p->path, FILE_NEW, 0600, "", 0, &p->err));
    refused(p, ledger_open(p->path, LEDGER_WRITE, NOW, &p->l, &p->err), "LEDGER_FOREIGN",
        "%P: not a p11ca ledger: want application id 0x70313163, have 0x00000000");
    raw_ok(p, "CREATE TABLE someone (elses TEXT)");
    refused(p, ledger_open(p->path, LEDGER_CREATE, NOW, &p->l, &p->err), "LEDGER_FOREIGN",
        "%P: not a p11ca ledger: want application id 0x70313163, have 0x00000000");
    raw_ok(p, "PRAGMA application_id = 252006674");
    refused(p, ledger_open(p->path, LEDGER_READ, NOW, &p->l, &p->err), "LEDGER_FOREIGN",
        "%P: not a p11ca ledger: want application id 0x70313163, have 0x0f055112");
    assert_int_equal(raw_int(p, "SELECT count(*) FROM sqlite_schema"), 1);
    assert_int_equal(raw_int(p, "SELECT (SELECT journal_mode FROM pragma_journal_mode) = 'wal'"), 0);
}

static void open_refuses_newer_versions(void **state)
{
    struct place *p = *state;

    with_factory(p);
    ledger_close(p->l);
    p->l = NULL;
    raw_ok(p, "PRAGMA user_version = 99");
    refused(p, ledger_open(p->path, LEDGER_WRITE, NOW, &p->l, &p->err), "LEDGER_NEWER",
        "%P: schema: want version " VERSION_TEXT " or older, have 99: made by a newer p11ca");
    raw_ok(p, "PRAGMA user_version = 0");
    refused(p, ledger_open(p->path, LEDGER_READ, NOW, &p->l, &p->err), "LEDGER_OLDER",
        "%P: schema: want version " VERSION_TEXT ", have 0: the next command that writes brings it up");
}

static struct ledger_crl crl_of(int64_t number)
{
    return (struct ledger_crl){.authority = "factory",
        .number = number,
        .this_update = NOW + number * 100,
        .next_update = NOW + number * 100 + 1000,
        .der = cert_of((uint8_t)number)};
}

static int put_crl(struct place *p, struct ledger_crl crl)
{
    int r;

    ok(p, ledger_begin(p->l, &p->err));
    r = ledger_put_crl(p->l, &crl, &p->err);
    if (r == 0)
        ok(p, ledger_commit(p->l, &p->err));
    ledger_rollback(p->l);
    return r;
}

static const struct ledger_scope factory_scope = {.authority = "factory"}, nobody = {.authority = "nobody"};

static void next_crl_is(struct place *p, int64_t number, int64_t last)
{
    struct ledger_crl_next have;

    ok(p, ledger_next_crl(p->l, &factory_scope, &have, &p->err));
    assert_int_equal(have.number, number);
    assert_int_equal(have.last, last);
}

/* As it was written by a program that knew no later version. */
static void make_version(struct place *p, int version)
{
    AUTO_BUF sql = BUF_INIT;
    char name[64];

    snprintf(name, sizeof(name), "tests/data/ledger/version-%d.sql", version);
    ok(p, file_read(name, 65536, &sql, &p->err));
    ok(p, file_write(p->path, FILE_NEW, 0600, "", 0, &p->err));
    raw_ok(p, buf_str(&sql));
}

static void version_1_is_brought_up(void **state)
{
    struct place *p = *state;
    struct ledger_crl *crl = NULL;

    make_version(p, 1);
    raw_ok(p, "INSERT INTO crl VALUES (1, 1, NULL, 1799999000, 1800009000, zeroblob(32))");
    refused(p, ledger_open(p->path, LEDGER_READ, NOW, &p->l, &p->err), "LEDGER_OLDER",
        "%P: schema: want version " VERSION_TEXT ", have 1: the next command that writes brings it up");
    assert_int_equal(raw_int(p, "SELECT count(*) FROM pragma_table_info('crl') WHERE name = 'der'"), 0);

    open_at(p, LEDGER_WRITE, NOW);
    assert_int_equal(raw_int(p, "PRAGMA user_version"), VERSION);
    assert_int_equal(count_certs(p, (struct ledger_filter)LEDGER_ANY), 1);
    events_are(p, "1 key factory - - sha256 " SPKI_SHA256 " 32\n2 issue factory device 1101 - 32\n");
    check_says(p, "authority 'factory': CRL 1: want its octets, have none\n");
    next_crl_is(p, 2, NOW - 1000);
    ok(p, ledger_get_crl(p->l, &factory_scope, false, &crl, &p->err));
    assert_true(crl && crl->number == 1 && crl->next_update == NOW + 9000 && crl->der.len == 0);
    ledger_crl_free(crl);
    ok(p, put_crl(p, crl_of(2)));
    issue(p, 2);
}

static int64_t put_ticket(struct place *p, int64_t max);
static int64_t reserve_on(struct place *p, uint8_t n, int64_t ticket);

static void version_2_is_brought_up(void **state)
{
    struct place *p = *state;

    make_version(p, 2);
    refused(p, ledger_open(p->path, LEDGER_READ, NOW, &p->l, &p->err), "LEDGER_OLDER",
        "%P: schema: want version " VERSION_TEXT ", have 2: the next command that writes brings it up");
    assert_int_equal(
        raw_int(p, "SELECT count(*) FROM pragma_table_info('certificate') WHERE name = 'ticket'"), 0);

    open_at(p, LEDGER_WRITE, NOW);
    assert_int_equal(raw_int(p, "PRAGMA user_version"), VERSION);
    assert_int_equal(count_certs(p, (struct ledger_filter)LEDGER_ANY), 2);
    assert_int_equal(raw_int(p, "SELECT count(*) FROM certificate WHERE ticket IS NULL"), 2);
    assert_int_equal(raw_int(p, "SELECT count(*) FROM pragma_index_list('certificate') WHERE name IN"
                                " ('certificate_request', 'certificate_cert')"),
        0);
    assert_int_equal(
        raw_int(p, "SELECT count(*) FROM pragma_index_list('certificate') WHERE name = 'certificate_key'"),
        0);
    assert_int_equal(
        raw_int(p, "SELECT count(*) FROM by_key JOIN certificate USING (id)"
                   " WHERE spki = substr(spki_sha256, 1, 8) AND request = substr(request_sha256, 1, 8)"),
        2);
    check_says(p, "");
    /* What was reserved then is issued now, and what is new counts. */
    ok(p, ledger_begin(p->l, &p->err));
    ok(p, issue_row(p, 2, cert_of(2)));
    ok(p, ledger_commit(p->l, &p->err));
    (void)reserve_on(p, 3, put_ticket(p, 1));
    assert_int_equal(raw_int(p, "SELECT used FROM ticket"), 1);
    check_says(p, "");
}

static void import(struct place *p, struct ledger_foreign *rows, size_t n)
{
    ok(p, ledger_begin(p->l, &p->err));
    ok(p, ledger_import(p->l, "factory", rows, n, 0, &p->err));
    ok(p, ledger_commit(p->l, &p->err));
}

/* What is taken over may be less than what is issued here, which may not. */
static void foreign_rows_are_taken_over(void **state)
{
    static const uint8_t one[] = {1}, two[] = {2};
    struct place *p = *state;
    struct ledger_foreign rows[] = {
        {.serial = {one, 1}, .subject = "CN=one", .not_after = NOW, .reason = -1},
        {.serial = {two, 1}, .subject = "CN=two", .not_after = NOW, .revoked_at = NOW - 9, .reason = 1},
    };
    struct ledger_cert c = row(1);
    struct ledger_known known;
    int64_t id;

    with_factory(p);
    import(p, rows, 2);
    assert_int_equal(count_certs(p, (struct ledger_filter)LEDGER_ANY), 2);
    assert_int_equal(ledger_find_known(p->l, "factory", rows[1].serial, &known, &p->err), 1);
    assert_true(known.imported && !known.has_cert && known.status == LEDGER_REVOKED);
    check_says(p, "");
    ok(p, ledger_begin(p->l, &p->err));
    refused(p, ledger_import(p->l, "factory", rows, 1, 0, &p->err), "SERIAL_COLLISION",
        "authority 'factory': serial 01: want one it has not used, have one in the ledger");
    refused(p, ledger_import_revoked(p->l, known.id, &rows[1], &p->err), "NOT_IMPORTED",
        "certificate row 2: want one that was imported and is not revoked, have another");
    c.serial = rows[0].serial;
    refused(p, ledger_reserve(p->l, &c, &id, &p->err), "SERIAL_LENGTH",
        "RFC 5280 4.1.2.2: serial: want 8 to 20 octets, have 1");
    ledger_rollback(p->l);
}

static void foreign_crl_numbers_go_on(void **state)
{
    struct place *p = *state;

    with_factory(p);
    ok(p, ledger_begin(p->l, &p->err));
    assert_int_equal(ledger_import_crl(p->l, "factory", 41, NOW - 5, NULL, &p->err), 1);
    assert_int_equal(ledger_import_crl(p->l, "factory", 41, NOW - 5, NULL, &p->err), 0);
    ok(p, ledger_commit(p->l, &p->err));
    next_crl_is(p, 42, NOW - 5);
    ok(p, put_crl(p, crl_of(42)));
    check_says(p, "");
    raw_ok(p, "DROP TRIGGER authority_crl_floor; UPDATE authority SET crl_floor = 7");
    check_says(p, "authority 'factory': CRL 42: want CRL 41 before it, have none\n"
                  "authority 'factory': CRL number 7: want an 'import-crl' event with it, have none\n");
}

/* The digest of an import covers what rows are and the revocation they came with. */
static void foreign_rows_are_checked(void **state)
{
    static const char *const forgeries[] = {
        "UPDATE certificate SET subject = 'CN=other' WHERE id = 1",
        "UPDATE certificate SET not_after = 1 WHERE id = 1",
        "UPDATE certificate SET serial = x'05' WHERE id = 1",
        "UPDATE certificate SET imported_revoked = imported_revoked + 1 WHERE id = 2",
        "UPDATE certificate SET imported_reason = 3 WHERE id = 2",
        "DELETE FROM certificate WHERE id = 2",
    };
    static const uint8_t one[] = {1}, two[] = {2};
    struct place *p = *state;
    struct ledger_foreign rows[] = {
        {.serial = {one, 1}, .subject = "CN=one", .not_after = NOW, .reason = -1},
        {.serial = {two, 1}, .subject = "CN=two", .not_after = NOW, .revoked_at = NOW - 9, .reason = 1},
    };
    char sql[256];
    size_t i;

    with_factory(p);
    import(p, rows, 2);
    raw_ok(p, "DROP TRIGGER certificate_identity; DROP TRIGGER certificate_content;"
              "DROP TRIGGER certificate_imported; DROP TRIGGER certificate_delete");
    for (i = 0; i < sizeof(forgeries) / sizeof(forgeries[0]); i++) {
        ok(p, ledger_begin(p->l, &p->err));
        snprintf(sql, sizeof(sql), "%s", forgeries[i]);
        assert_int_equal(sqlite3_exec(p->l->db, sql, NULL, NULL, NULL), SQLITE_OK);
        check_says(p, strstr(sql, "SET imported_")
                          ? "certificate row 2: serial 02: revocation: not that with which it was imported\n"
                            "event 2: import: its rows are not those that were imported\n"
                          : "event 2: import: its rows are not those that were imported\n");
        ledger_rollback(p->l);
    }
    raw_ok(p, "DELETE FROM certificate");
    check_says(p, "event 2: import: want its rows, have none\n");
}

/* The upgrade makes the same tables as a new ledger has. */
static void ends_like_a_new_one(struct place *p, int version)
{
    static const char digest[] = "SELECT sum(length(sql)) * 1000 + count(*) FROM sqlite_schema";
    struct place fresh = *p;

    make_version(p, version);
    open_at(p, LEDGER_WRITE, NOW);
    check_says(p, "");
    snprintf(fresh.path, sizeof(fresh.path), "%s/fresh.db", p->dir);
    fresh.l = NULL;
    open_at(&fresh, LEDGER_CREATE, NOW);
    assert_int_equal(raw_int(p, digest), raw_int(&fresh, digest));
    ledger_close(fresh.l);
}

static void version_1_ends_like_a_new_one(void **state)
{
    ends_like_a_new_one(*state, 1);
}

static void version_2_ends_like_a_new_one(void **state)
{
    ends_like_a_new_one(*state, 2);
}

static void open_refuses_other_files(void **state)
{
    static const char text[] =
        "ledger = \"ledger.db\"; # a configuration is not a ledger, however long it may be ...";
    struct place *p = *state;

    ok(p, file_write(p->path, FILE_NEW, 0600, text, sizeof(text), &p->err));
    refused(p, ledger_open(p->path, LEDGER_CREATE, NOW, &p->l, &p->err), "LEDGER_NOTADB",
        "%P: not a ledger: want an SQLite database, have another kind of file");
}

static void open_finishes_a_killed_create(void **state)
{
    struct place *p = *state;

    ok(p, file_write(p->path, FILE_NEW, 0600, "", 0, &p->err));
    with_factory(p);
    check_says(p, "");
}

/* Only one of them makes the tables; all of them have a ledger. */
static void open_many_at_once(void **state)
{
    struct place *p = *state;
    pid_t pid[8];
    size_t i;

    for (i = 0; i < 8; i++) {
        pid[i] = fork();
        if (pid[i] == 0) {
            int r = ledger_open(p->path, LEDGER_CREATE, NOW, &p->l, &p->err);
            if (r != 0)
                print_error("%s\n", p->err.msg);
            _exit(r == 0 ? 0 : 1);
        }
    }
    for (i = 0; i < 8; i++) {
        int status = -1;

        assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
        assert_int_equal(status, 0);
    }
    open_at(p, LEDGER_WRITE, NOW);
    check_says(p, "");
}

/* --- transactions */

static void read_refuses_to_write(void **state)
{
    struct place *p = *state;

    with_factory(p);
    issue(p, 1);
    open_at(p, LEDGER_READ, NOW);
    refused(p, ledger_begin(p->l, &p->err), "LEDGER_READONLY",
        "%P: write: want a ledger opened for it, have one opened for reading");
    refused_as(p, ledger_note_config(p->l, cert_of(1).p, &p->err), P11CA_BUG, "TRANSACTION",
        "%P: write: want a transaction, have none");
    assert_int_equal(count_certs(p, (struct ledger_filter)LEDGER_ANY), 1);
    check_says(p, "");
}

/* A reader beside a writer that has the write-ahead log open sees what was committed, and only that. */
static void read_beside_a_writer(void **state)
{
    struct place *p = *state;
    struct ledger *reader = NULL;
    struct ledger_authority *a = NULL;

    with_factory(p);
    ok(p, ledger_begin(p->l, &p->err));
    ok(p, ledger_put_ca_cert(p->l, "factory", cert_of(1), &p->err));
    ok(p, ledger_open(p->path, LEDGER_READ, NOW, &reader, &p->err));
    ok(p, ledger_get_authority(reader, "factory", &a, &p->err));
    assert_int_equal(a->cert.len, 0);
    ledger_authority_free(a);
    ok(p, ledger_commit(p->l, &p->err));
    ok(p, ledger_get_authority(reader, "factory", &a, &p->err));
    assert_int_equal(a->cert.len, 300);
    ledger_authority_free(a);
    ledger_close(reader);
}

/* Every function that writes, as a row. */
static int w_authority(struct place *p)
{
    return ledger_put_authority(p->l, &factory, &p->err);
}
static int w_ca_cert(struct place *p)
{
    return ledger_put_ca_cert(p->l, "factory", cert_of(1), &p->err);
}
static int w_lot(struct place *p)
{
    int64_t id;

    return ledger_put_lot(
        p->l, &(struct ledger_lot){.authority = "factory", .profile = "device"}, &id, &p->err);
}
static int w_reserve(struct place *p)
{
    struct ledger_cert c = row(9);
    int64_t id;

    return ledger_reserve(p->l, &c, &id, &p->err);
}
static int w_rebuild(struct place *p)
{
    return ledger_rebuild(p->l, 1, (struct blob){spki, 1}, 0, 1, &p->err);
}
static int w_issue(struct place *p)
{
    return issue_row(p, 1, cert_of(1));
}
static int w_publish(struct place *p)
{
    return ledger_publish(p->l, 1, "x", &p->err);
}
static int w_event(struct place *p)
{
    return ledger_event(p->l, &(struct ledger_event){.kind = "init"}, &p->err);
}
static int w_config(struct place *p)
{
    return ledger_note_config(p->l, cert_of(1).p, &p->err);
}
static int w_crl(struct place *p)
{
    const struct ledger_crl crl = crl_of(1);

    return ledger_put_crl(p->l, &crl, &p->err);
}
static int (*const writers[])(struct place *) = {
    w_authority, w_ca_cert, w_lot, w_reserve, w_rebuild, w_issue, w_publish, w_crl, w_event, w_config};

static void writes_want_a_transaction(void **state)
{
    struct place *p = *state;
    size_t i;

    with_factory(p);
    for (i = 0; i < sizeof(writers) / sizeof(writers[0]); i++)
        refused_as(p, writers[i](p), P11CA_BUG, "TRANSACTION", "%P: write: want a transaction, have none");
    refused_as(p, ledger_commit(p->l, &p->err), P11CA_BUG, "TRANSACTION",
        "%P: write: want a transaction, have none");
    ledger_rollback(p->l);
    ok(p, ledger_begin(p->l, &p->err));
    refused_as(
        p, ledger_begin(p->l, &p->err), P11CA_BUG, "TRANSACTION", "%P: begin: want no transaction, have one");
    ledger_rollback(p->l);
    ledger_rollback(p->l);
    events_are(p, "1 key factory - - sha256 " SPKI_SHA256 " 32\n");
}

static void rollback_takes_all_back(void **state)
{
    struct place *p = *state;
    struct ledger_cert c = row(1);
    int64_t id;

    with_factory(p);
    ok(p, ledger_begin(p->l, &p->err));
    ok(p, ledger_reserve(p->l, &c, &id, &p->err));
    ok(p, issue_row(p, id, cert_of(1)));
    ledger_rollback(p->l);
    assert_int_equal(count_certs(p, (struct ledger_filter)LEDGER_ANY), 0);
    issue(p, 2); /* the chain goes on where it was */
    assert_int_equal(raw_int(p, "SELECT max(seq) FROM event"), 2);
    check_says(p, "");
}

/* What SQLite refused in the middle cannot be committed by a caller who overlooked it. */
static void commit_refuses_half_a_write(void **state)
{
    struct place *p = *state;
    struct ledger_cert c = row(1);
    int64_t id;

    with_factory(p);
    ok(p, ledger_begin(p->l, &p->err));
    ok(p, ledger_reserve(p->l, &c, &id, &p->err));
    c = row(2);
    c.lot = 77;
    refused(
        p, ledger_reserve(p->l, &c, &id, &p->err), "LEDGER_CONSTRAINT", "%P: FOREIGN KEY constraint failed");
    refused_as(p, ledger_commit(p->l, &p->err), P11CA_BUG, "TRANSACTION",
        "%P: commit: a write of this transaction had failed");
    assert_int_equal(count_certs(p, (struct ledger_filter)LEDGER_ANY), 0);
    reserve(p, 1);
}

static void second_writer_waits_and_is_told(void **state)
{
    struct place *p = *state;
    struct ledger *second = NULL;

    with_factory(p);
    ok(p, ledger_open(p->path, LEDGER_WRITE, NOW, &second, &p->err));
    ok(p, ledger_begin(p->l, &p->err));
    sqlite3_busy_timeout(second->db, 20); /* 10 s are long in a test */
    refused(p, ledger_begin(second, &p->err), "LEDGER_BUSY", "%P: locked by another process");
    ledger_rollback(p->l);
    ok(p, ledger_begin(second, &p->err));
    ledger_rollback(second);
    ledger_close(second);
}

/* Two handles append in turn: each has to see the other's last event. */
static void chain_holds_between_processes(void **state)
{
    struct place *p = *state;
    struct ledger *second = NULL;
    int i;

    with_factory(p);
    ok(p, ledger_open(p->path, LEDGER_WRITE, NOW, &second, &p->err));
    for (i = 0; i < 6; i++) {
        struct ledger *l = i % 2 ? second : p->l;

        ok(p, ledger_begin(l, &p->err));
        ok(p, ledger_event(l, &(struct ledger_event){.kind = "ceremony"}, &p->err));
        ok(p, ledger_commit(l, &p->err));
    }
    ledger_close(second);
    assert_int_equal(raw_int(p, "SELECT max(seq) FROM event"), 7);
    check_says(p, "");
}

/* --- a disk that fails: the system's file functions with another xWrite and xSync */

static sqlite3_vfs *real_vfs, failing_vfs;
/* SQLite has two sets: the database is locked, its journals are not. */
static sqlite3_io_methods failing_methods[2];
static int (*real_write)(sqlite3_file *, const void *, int, sqlite3_int64);
static int (*real_sync)(sqlite3_file *, int);
static int write_rc, sync_rc;

static int failing_write(sqlite3_file *f, const void *p, int len, sqlite3_int64 at)
{
    return write_rc ? write_rc : real_write(f, p, len, at);
}

static int failing_sync(sqlite3_file *f, int flags)
{
    return sync_rc ? sync_rc : real_sync(f, flags);
}

static int failing_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *f, int flags, int *ret)
{
    int rc = real_vfs->xOpen(real_vfs, name, f, flags, ret);

    (void)vfs;
    if (rc == SQLITE_OK) {
        sqlite3_io_methods *m = &failing_methods[flags & SQLITE_OPEN_MAIN_DB ? 0 : 1];

        *m = *f->pMethods;
        real_write = m->xWrite;
        real_sync = m->xSync;
        m->xWrite = failing_write;
        m->xSync = failing_sync;
        f->pMethods = m;
    }
    return rc;
}

static int failing_disk(void **state)
{
    real_vfs = sqlite3_vfs_find(NULL);
    failing_vfs = *real_vfs;
    failing_vfs.zName = "failing";
    failing_vfs.xOpen = failing_open;
    return sqlite3_vfs_register(&failing_vfs, 1) == SQLITE_OK ? set_up(state) : -1;
}

static int failing_disk_done(void **state)
{
    int r = tear_down(state);

    write_rc = sync_rc = 0;
    sqlite3_vfs_unregister(&failing_vfs);
    return r;
}

static void failed_commit_leaves_nothing(void **state)
{
    static const struct {
        int write_rc, sync_rc;
        const char *code, *msg;
    } rows[] = {
        {SQLITE_FULL, 0, "LEDGER_FULL", "%P: disk full"},
        {SQLITE_IOERR_WRITE, 0, "LEDGER_SQLITE", "%P: disk I/O error"},
        {0, SQLITE_IOERR_FSYNC, "LEDGER_SQLITE", "%P: disk I/O error"},
    };
    struct place *p = *state;
    struct ledger_cert c = row(1);
    int64_t id;
    size_t i;

    with_factory(p);
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ok(p, ledger_begin(p->l, &p->err));
        ok(p, ledger_reserve(p->l, &c, &id, &p->err));
        write_rc = rows[i].write_rc;
        sync_rc = rows[i].sync_rc;
        refused(p, ledger_commit(p->l, &p->err), rows[i].code, rows[i].msg);
        write_rc = sync_rc = 0;
        assert_int_equal(count_certs(p, (struct ledger_filter)LEDGER_ANY), 0);
    }
    issue(p, 1); /* the disk has room again */
    check_says(p, "");
}

/* Killed without closing: what was committed is there, what was not is not. */
static void commit_survives_a_kill(void **state)
{
    struct place *p = *state;
    struct ledger_cert *c = NULL;
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        struct ledger_cert last;
        int64_t id;

        p->child = true;
        with_factory(p);
        publish(p, issue(p, 1), "one.pem");
        reserve(p, 2);
        ok(p, ledger_begin(p->l, &p->err));
        last = row(3);
        ok(p, ledger_reserve(p->l, &last, &id, &p->err));
        _exit(42);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 42);
    open_at(p, LEDGER_WRITE, NOW);
    assert_int_equal(count_certs(p, (struct ledger_filter)LEDGER_ANY), 2);
    ok(p, ledger_find_device(p->l, "factory", "device", "SN-1", &c, &p->err));
    assert_int_equal(c->status, LEDGER_ISSUED);
    assert_string_equal(c->path, "one.pem");
    ledger_cert_free(c);
    check_says(p, "");
}

/* --- the clock */

static void clock_set_back(void **state)
{
    static const char words[] = "%P: clock was set back: want 2027-01-15T08:00:00Z (the last event) or "
                                "later, have 2027-01-15T07:58:59Z";
    struct place *p = *state;
    struct ledger *l = NULL;

    with_factory(p);
    refused(p, ledger_open(p->path, LEDGER_WRITE, NOW - 61, &l, &p->err), "CLOCK", words);
    refused(p, ledger_open(p->path, LEDGER_CREATE, NOW - 61, &l, &p->err), "CLOCK", words);
    assert_null(l);
    ledger_set_now(p->l, NOW - 61);
    refused(p, ledger_begin(p->l, &p->err), "CLOCK", words);
    ledger_set_now(p->l, NOW);
    ok(p, ledger_begin(p->l, &p->err)); /* the refusal left no lock */
    ledger_rollback(p->l);
    open_at(p, LEDGER_READ, NOW - 61); /* reading is no harm */
    open_at(p, LEDGER_WRITE, NOW - 60);
}

/* --- authorities */

static void authority_keeps_its_key(void **state)
{
    struct place *p = *state;
    struct ledger_authority other = factory;
    struct ledger_authority *a = NULL;

    with_factory(p);
    other.spki = (struct blob){other_spki, sizeof(other_spki)};
    ok(p, ledger_begin(p->l, &p->err));
    refused(p, ledger_put_authority(p->l, &other, &p->err), "AUTHORITY_HAS_KEY",
        "authority 'factory': another key is recorded: want SHA-256 " SPKI_SHA256
        ", have " OTHER_SPKI_SHA256);
    ok(p, ledger_put_authority(p->l, &factory, &p->err)); /* again: nothing changes */
    other.name = "second";
    ok(p, ledger_put_authority(p->l, &other, &p->err));
    ok(p, ledger_commit(p->l, &p->err));
    ok(p, ledger_get_authority(p->l, "factory", &a, &p->err));
    assert_string_equal(a->name, "factory");
    assert_string_equal(a->token_label, "acme-factory");
    assert_string_equal(a->token_serial, "0123");
    assert_string_equal(a->key_label, "factory-2026");
    assert_int_equal(a->key_id.len, 2);
    assert_memory_equal(a->key_id.p, "\x01\x02", 2);
    assert_int_equal(a->spki.len, sizeof(spki));
    assert_memory_equal(a->spki.p, spki, sizeof(spki));
    assert_null(a->cert.p);
    assert_int_equal(a->recorded_at, NOW);
    ledger_authority_free(a);
    ok(p, ledger_get_authority(p->l, "third", &a, &p->err));
    assert_null(a);
    events_are(p, "1 key factory - - sha256 " SPKI_SHA256 " 32\n"
                  "2 key second - - sha256 " OTHER_SPKI_SHA256 " 32\n");
}

static void authority_keeps_its_certificate(void **state)
{
    struct place *p = *state;

    with_factory(p);
    ok(p, ledger_begin(p->l, &p->err));
    refused(p, ledger_put_ca_cert(p->l, "nobody", cert_of(1), &p->err), "AUTHORITY_UNKNOWN",
        "authority 'nobody': not recorded in the ledger");
    refused_as(p, ledger_put_ca_cert(p->l, "factory", (struct blob){NULL, 0}, &p->err), P11CA_BUG,
        "CERT_EMPTY", "authority 'factory': certificate: want DER, have no octets");
    ok(p, ledger_put_ca_cert(p->l, "factory", cert_of(1), &p->err));
    ok(p, ledger_put_ca_cert(p->l, "factory", cert_of(1), &p->err));
    refused(p, ledger_put_ca_cert(p->l, "factory", cert_of(2), &p->err), "AUTHORITY_HAS_CERT",
        "authority 'factory': another certificate is recorded: want SHA-256 " CERT_1_SHA256
        ", have " CERT_2_SHA256);
    ok(p, ledger_commit(p->l, &p->err));
    assert_int_equal(raw_int(p, "SELECT count(*) FROM event WHERE kind = 'install'"), 1);
    assert_int_equal(raw_int(p, "SELECT installed_at FROM authority"), NOW);
    check_says(p, "");
}

static int stop_at_second(void *arg, const struct ledger_authority *a, struct p11ca_err *err)
{
    (void)err;
    strcat(arg, a->name);
    return strcmp(a->name, "second") == 0 ? 7 : 0;
}

static void authorities_are_walked_and_found_by_key(void **state)
{
    struct place *p = *state;
    struct ledger_authority a = factory;
    uint8_t digest[SHA256_LEN];
    char name[8] = "", all[64] = "";

    with_factory(p);
    ok(p, ledger_begin(p->l, &p->err));
    a.name = "second";
    ok(p, ledger_put_authority(p->l, &a, &p->err));
    a.name = "third";
    ok(p, ledger_put_authority(p->l, &a, &p->err));
    ok(p, ledger_commit(p->l, &p->err));
    assert_int_equal(ledger_each_authority(p->l, stop_at_second, all, &p->err), 7);
    assert_string_equal(all, "factorysecond");
    assert_int_equal(hash_sha256(spki, sizeof(spki), digest), 0);
    assert_int_equal(ledger_is_authority_key(p->l, digest, name, sizeof(name), &p->err), 1);
    assert_string_equal(name, "factory");
    digest[31] ^= 1;
    assert_int_equal(ledger_is_authority_key(p->l, digest, name, sizeof(name), &p->err), 0);
}

/* --- the life of a certificate */

static void certificate_is_reserved_issued_published(void **state)
{
    struct place *p = *state;
    struct ledger_cert *c = NULL, want = row(5);
    int64_t id;

    with_factory(p);
    id = reserve(p, 5);
    ok(p, ledger_find_request(p->l, "factory", want.spki_sha256.p, want.request_sha256.p, &c, &p->err));
    assert_int_equal(c->id, id);
    assert_int_equal(c->status, LEDGER_RESERVED);
    assert_null(c->cert.p);
    assert_null(c->path);
    assert_null(c->sans);
    assert_int_equal(c->reason, -1);
    assert_int_equal(c->reserved_at, NOW);
    assert_int_equal(c->issued_at, 0);
    ledger_cert_free(c);

    ledger_set_now(p->l, NOW + 1);
    ok(p, ledger_begin(p->l, &p->err));
    ok(p, ledger_rebuild(p->l, id, (struct blob){cert_of(5).p, 32}, NOW + 2, NOW + 3, &p->err));
    ok(p, issue_row(p, id, cert_of(5)));
    ok(p, ledger_commit(p->l, &p->err));
    ledger_set_now(p->l, NOW + 2);
    publish(p, id, "out/5.pem");

    ok(p, ledger_find_other_device(p->l, want.spki_sha256.p, "", &c, &p->err));
    assert_int_equal(c->id, id);
    assert_int_equal(c->status, LEDGER_ISSUED);
    assert_string_equal(c->authority, "factory");
    assert_int_equal(c->serial.len, 20);
    assert_memory_equal(c->serial.p, want.serial.p, 20);
    assert_string_equal(c->profile, "device");
    assert_string_equal(c->device, "SN-5");
    assert_string_equal(c->subject, "CN=SN");
    assert_string_equal(c->sig_alg, "ecdsa-with-SHA256");
    assert_memory_equal(c->spki_sha256.p, want.spki_sha256.p, 32);
    assert_memory_equal(c->request_sha256.p, want.request_sha256.p, 32);
    assert_memory_equal(c->tbs_sha256.p, cert_of(5).p, 32);
    assert_int_equal(c->cert.len, 300);
    assert_memory_equal(c->cert.p, cert_of(5).p, 300);
    assert_int_equal(c->not_before, NOW + 2);
    assert_int_equal(c->not_after, NOW + 3);
    assert_int_equal(c->issued_at, NOW + 1);
    assert_int_equal(c->published_at, NOW + 2);
    assert_int_equal(c->revoked_at, 0);
    assert_string_equal(c->path, "out/5.pem");
    ledger_cert_free(c);
    check_says(p, "");
}

static void reserve_refuses_used_serials(void **state)
{
    struct place *p = *state;
    struct ledger_authority second = factory;
    struct ledger_cert c;
    int64_t id = -5;

    with_factory(p);
    reserve(p, 1);
    c = row(1);
    ok(p, ledger_begin(p->l, &p->err));
    refused(p, ledger_reserve(p->l, &c, &id, &p->err), "SERIAL_COLLISION",
        "authority 'factory': serial 1111111111111111111111111111111111111101: want one it has not used, "
        "have one in "
        "the ledger");
    assert_int_equal(id, -5);
    second.name = c.authority = "second"; /* unique per issuer, not in the world */
    ok(p, ledger_put_authority(p->l, &second, &p->err));
    ok(p, ledger_reserve(p->l, &c, &id, &p->err));
    c = row(2); /* the refusal did not spoil the transaction */
    ok(p, ledger_reserve(p->l, &c, &id, &p->err));
    ok(p, ledger_commit(p->l, &p->err));
    assert_int_equal(count_certs(p, (struct ledger_filter)LEDGER_ANY), 3);
}

static void reserve_refuses_malformed_rows(void **state)
{
    static const uint8_t negative[] = {0x80, 1, 2, 3, 4, 5, 6, 7}, padded[] = {0, 0x7f, 2, 3, 4, 5, 6, 7, 8};
    static const uint8_t high[] = {0, 0x80, 2, 3, 4, 5, 6, 7, 8}, long_[21] = {1};
    static const struct {
        struct blob serial;
        const char *code, *msg;
    } serials[] = {
        {{high, 7}, "SERIAL_LENGTH", "RFC 5280 4.1.2.2: serial: want 8 to 20 octets, have 7"},
        {{long_, 21}, "SERIAL_LENGTH", "RFC 5280 4.1.2.2: serial: want 8 to 20 octets, have 21"},
        {{NULL, 0}, "SERIAL_LENGTH", "RFC 5280 4.1.2.2: serial: want 8 to 20 octets, have 0"},
        {{negative, 8}, "SERIAL_NEGATIVE",
            "RFC 5280 4.1.2.2: serial: want a positive number, have first octet 80"},
        {{padded, 9}, "SERIAL_PADDED", "X.690 8.3.2: serial: want the shortest form, have a leading 00"},
    };
    struct place *p = *state;
    struct ledger_cert c = row(1);
    int64_t id;
    size_t i;

    with_factory(p);
    ok(p, ledger_begin(p->l, &p->err));
    for (i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
        c.serial = serials[i].serial;
        refused(p, ledger_reserve(p->l, &c, &id, &p->err), serials[i].code, serials[i].msg);
    }
    c.serial = (struct blob){high, sizeof(high)};
    ok(p, ledger_reserve(p->l, &c, &id, &p->err));
    c = row(1);
    c.authority = "nobody";
    refused(p, ledger_reserve(p->l, &c, &id, &p->err), "AUTHORITY_UNKNOWN",
        "authority 'nobody': not recorded in the ledger");
    c = row(1);
    c.spki_sha256.len = 31;
    refused(p, ledger_reserve(p->l, &c, &id, &p->err), "LEDGER_CONSTRAINT",
        "%P: CHECK constraint failed: iif(spki_sha256 ISNULL, imported_at NOTNULL, length(spki_sha256) = "
        "32)");
    c = row(1);
    c.spki_sha256.len = 0;
    refused(p, ledger_reserve(p->l, &c, &id, &p->err), "LEDGER_CONSTRAINT",
        "%P: CHECK constraint failed: iif(spki_sha256 ISNULL, imported_at NOTNULL, length(spki_sha256) = "
        "32)");
    c = row(1);
    c.subject = NULL;
    refused(p, ledger_reserve(p->l, &c, &id, &p->err), "LEDGER_CONSTRAINT",
        "%P: NOT NULL constraint failed: certificate.subject");
    c = row(1);
    c.supersedes = 99;
    refused(
        p, ledger_reserve(p->l, &c, &id, &p->err), "LEDGER_CONSTRAINT", "%P: FOREIGN KEY constraint failed");
}

static void issue_wants_a_reserved_row(void **state)
{
    struct place *p = *state;
    int64_t id;

    with_factory(p);
    id = issue(p, 1);
    assert_int_equal(id, 1);
    ok(p, ledger_begin(p->l, &p->err));
    refused(p, issue_row(p, 1, cert_of(2)), "NOT_RESERVED",
        "certificate row 1: status: want reserved, have issued");
    refused(p, ledger_rebuild(p->l, 1, (struct blob){cert_of(1).p, 32}, 0, 1, &p->err), "NOT_RESERVED",
        "certificate row 1: status: want reserved, have issued");
    refused(p, issue_row(p, 2, cert_of(2)), "ROW_UNKNOWN", "certificate row 2: not in the ledger");
    refused(p, ledger_rebuild(p->l, 2, cert_of(2), 0, 1, &p->err), "ROW_UNKNOWN",
        "certificate row 2: not in the ledger");
    ok(p, ledger_commit(p->l, &p->err)); /* refusals wrote nothing */
    id = reserve(p, 2);
    ok(p, ledger_begin(p->l, &p->err));
    refused_as(p, issue_row(p, id, (struct blob){NULL, 0}), P11CA_BUG, "CERT_EMPTY",
        "certificate row 2: want DER, have no octets");
    /* What was signed is not what the row says any more: somebody else is finishing the order. */
    refused(p, ledger_issue(p->l, id, (struct blob){cert_of(9).p, 32}, cert_of(2), &p->err), "ROW_REBUILT",
        "certificate row 2: another process has taken the order over; give it again");
    ok(p, ledger_commit(p->l, &p->err));
    assert_int_equal(raw_int(p, "SELECT count(*) FROM event WHERE kind = 'issue'"), 1);
    check_says(p, "");
}

static void publish_wants_a_certificate(void **state)
{
    struct place *p = *state;
    int64_t id;

    with_factory(p);
    id = reserve(p, 1);
    ok(p, ledger_begin(p->l, &p->err));
    refused(p, ledger_publish(p->l, id, "x.pem", &p->err), "NOT_ISSUED",
        "certificate row 1: status: want issued, have reserved: nothing to publish");
    refused(
        p, ledger_publish(p->l, 7, "x.pem", &p->err), "ROW_UNKNOWN", "certificate row 7: not in the ledger");
    ledger_rollback(p->l);
}

static void publish_run_is_one_for_each(void **state)
{
    struct place *p = *state;
    uint8_t n;

    with_factory(p);
    for (n = 1; n <= 5; n++)
        issue(p, n);
    publish(p, 3, "a.pem");
    ok(p, ledger_begin(p->l, &p->err));
    ledger_set_now(p->l, NOW + 7);
    ok(p, ledger_publish_run(p->l, 2, 3, &p->err));
    ok(p, ledger_commit(p->l, &p->err));
    assert_int_equal(
        raw_int(p, "SELECT group_concat(id, '') FROM certificate WHERE published_at NOTNULL"), 234);
    assert_int_equal(raw_int(p, "SELECT count(*) FROM certificate WHERE published_at = reserved_at + 7"), 2);
    assert_int_equal(raw_int(p, "SELECT path = 'a.pem' FROM certificate WHERE id = 3"), 1);
    reserve(p, 6);
    ok(p, ledger_begin(p->l, &p->err));
    refused(p, ledger_publish_run(p->l, 5, 2, &p->err), "NOT_ISSUED",
        "certificate row 6: status: want issued, have reserved: nothing to publish");
    ledger_rollback(p->l);
    assert_int_equal(raw_int(p, "SELECT count(published_at) FROM certificate"), 3);
    check_says(p, "");
}

static void publish_elsewhere_is_an_event(void **state)
{
    struct place *p = *state;
    int64_t id;

    with_factory(p);
    id = issue(p, 1);
    publish(p, id, "a.pem");
    publish(p, id, "a.pem");
    assert_int_equal(raw_int(p, "SELECT count(*) FROM event WHERE kind = 'publish'"), 0);
    publish(p, id, "b.pem");
    assert_int_equal(raw_int(p, "SELECT count(*) FROM event WHERE kind = 'publish' AND detail = 'b.pem'"), 1);
    check_says(p, "");
}

static int change(struct place *p, int64_t id, const struct ledger_revocation *r)
{
    int done;

    ok(p, ledger_begin(p->l, &p->err));
    done = r ? ledger_revoke(p->l, id, r, &p->err) : ledger_unhold(p->l, id, "it was found", &p->err);
    if (done >= 0)
        ok(p, ledger_commit(p->l, &p->err));
    ledger_rollback(p->l);
    return done;
}

static void revoke_row(struct place *p, int64_t id, int reason)
{
    const struct ledger_revocation r = {.reason = reason, .name = "some"};

    assert_int_equal(change(p, id, &r), 1);
}

static void renewal_supersedes(void **state)
{
    struct place *p = *state;
    struct ledger_cert c;
    int64_t old, new;

    with_factory(p);
    old = issue(p, 1);
    c = row(2);
    c.supersedes = old;
    ok(p, ledger_begin(p->l, &p->err));
    ok(p, ledger_reserve(p->l, &c, &new, &p->err));
    ok(p, ledger_commit(p->l, &p->err));
    assert_int_equal(raw_int(p, "SELECT status FROM certificate WHERE id = 1"), LEDGER_ISSUED);
    ok(p, ledger_begin(p->l, &p->err));
    ok(p, issue_row(p, new, cert_of(2)));
    ok(p, ledger_commit(p->l, &p->err));
    assert_int_equal(raw_int(p, "SELECT status FROM certificate WHERE id = 1"), LEDGER_SUPERSEDED);
    assert_int_equal(raw_int(p, "SELECT detail = 'supersedes 1111111111111111111111111111111111111101'"
                                " FROM event WHERE seq = 3"),
        1);
    /* A revoked one stays revoked. */
    revoke_row(p, new, 1);
    c = row(3);
    c.supersedes = new;
    ok(p, ledger_begin(p->l, &p->err));
    ok(p, ledger_reserve(p->l, &c, &new, &p->err));
    ok(p, issue_row(p, new, cert_of(3)));
    ok(p, ledger_commit(p->l, &p->err));
    assert_int_equal(raw_int(p, "SELECT status FROM certificate WHERE id = 2"), LEDGER_REVOKED);
    check_says(p, "");
}

static void lot_of_the_same_input_is_the_same(void **state)
{
    struct place *p = *state;
    struct ledger_lot lot = {
        .authority = "factory", .profile = "device", .name = "week 3", .sha256 = {cert_of(1).p, 32}};
    struct ledger_cert c = row(1);
    int64_t a, b;

    with_factory(p);
    ok(p, ledger_begin(p->l, &p->err));
    ok(p, ledger_put_lot(p->l, &lot, &a, &p->err));
    ok(p, ledger_put_lot(p->l, &lot, &b, &p->err));
    assert_int_equal(a, b);
    lot.profile = "client";
    ok(p, ledger_put_lot(p->l, &lot, &b, &p->err));
    assert_int_not_equal(a, b);
    lot.sha256.len = 0; /* read from a pipe: every time another lot */
    ok(p, ledger_put_lot(p->l, &lot, &a, &p->err));
    ok(p, ledger_put_lot(p->l, &lot, &b, &p->err));
    assert_int_not_equal(a, b);
    c.lot = a;
    ok(p, ledger_reserve(p->l, &c, &b, &p->err));
    lot.authority = "nobody";
    refused(p, ledger_put_lot(p->l, &lot, &a, &p->err), "AUTHORITY_UNKNOWN",
        "authority 'nobody': not recorded in the ledger");
    ok(p, ledger_commit(p->l, &p->err));
}

/* --- looking up */

static void is_row(struct ledger_cert *c, int64_t id)
{
    assert_non_null(c);
    assert_int_equal(c->id, id);
    ledger_cert_free(c);
}

static void find_gives_the_newest(void **state)
{
    struct place *p = *state;
    struct ledger_cert again, *c = NULL;
    uint8_t serial[20] = {9}, digest[SHA256_LEN];
    int64_t id, first;

    with_factory(p);
    first = issue(p, 1);
    again = row(1);
    again.serial.p = serial; /* the same order, key and device */
    ok(p, ledger_begin(p->l, &p->err));
    ok(p, ledger_reserve(p->l, &again, &id, &p->err));
    ok(p, ledger_commit(p->l, &p->err));
    /* A reservation newer than the certificate hides it from neither question. */
    ok(p, ledger_find_device(p->l, "factory", "device", "SN-1", &c, &p->err));
    is_row(c, first);
    ok(p, ledger_find_other_device(p->l, again.spki_sha256.p, "SN-2", &c, &p->err));
    is_row(c, first);
    ok(p, ledger_find_other_device(p->l, again.spki_sha256.p, "SN-1", &c, &p->err));
    assert_null(c);
    ok(p, ledger_find_request(p->l, "factory", again.spki_sha256.p, again.request_sha256.p, &c, &p->err));
    is_row(c, id);
    assert_int_equal(hash_sha256(cert_of(1).p, cert_of(1).len, digest), 0);
    ok(p, ledger_find_cert(p->l, row(1).serial, digest, &c, &p->err));
    is_row(c, first);
    ledger_set_now(p->l, again.not_after); /* what has expired stands in nobody's way */
    ok(p, ledger_find_device(p->l, "factory", "device", "SN-1", &c, &p->err));
    assert_null(c);
}

/* A look-up that walks the table gives the right row too, and takes seconds once there are a million. */
static void no_statement_has_scanned(const struct ledger *l)
{
    size_t i;

    for (i = 0; i < HANDLE_STATEMENTS && l->cache[i].text; i++) {
        if (sqlite3_stmt_status(l->cache[i].q, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0) != 0)
            fail_msg("no index for: %s", l->cache[i].text);
    }
}

/* What another process commits meanwhile is seen by the next question behind it. */
static void reading_sees_one_state(void **state)
{
    struct place *p = *state;
    struct place other;

    with_factory(p);
    issue(p, 1);
    other = *p;
    other.l = NULL;
    open_at(&other, LEDGER_WRITE, NOW);
    ok(p, ledger_begin_read(p->l, &p->err));
    assert_int_equal(count_certs(p, (struct ledger_filter)LEDGER_ANY), 1);
    issue(&other, 2);
    assert_int_equal(count_certs(p, (struct ledger_filter)LEDGER_ANY), 1);
    refused_as(p, ledger_begin_read(p->l, &p->err), P11CA_BUG, "TRANSACTION",
        "%P: begin: want no transaction, have one");
    ledger_rollback(p->l);
    assert_int_equal(count_certs(p, (struct ledger_filter)LEDGER_ANY), 2);
    ledger_close(other.l);
}

static void find_wants_all_of_the_key(void **state)
{
    struct place *p = *state;
    struct ledger_cert *c = NULL, r;
    uint8_t near[SHA256_LEN];

    with_factory(p);
    issue(p, 1);
    issue(p, 2);
    r = row(1);
    ok(p, ledger_find_request(p->l, "other", r.spki_sha256.p, r.request_sha256.p, &c, &p->err));
    assert_null(c);
    memcpy(near, r.request_sha256.p, sizeof(near));
    near[31] ^= 1; /* the index holds only the first octets */
    ok(p, ledger_find_request(p->l, "factory", r.spki_sha256.p, near, &c, &p->err));
    assert_null(c);
    memcpy(near, r.spki_sha256.p, sizeof(near));
    near[31] ^= 1;
    ok(p, ledger_find_other_device(p->l, near, "", &c, &p->err));
    assert_null(c);
    assert_int_equal(hash_sha256(cert_of(1).p, cert_of(1).len, near), 0);
    near[31] ^= 1;
    ok(p, ledger_find_cert(p->l, r.serial, near, &c, &p->err));
    assert_null(c);
    ok(p, ledger_find_device(p->l, "factory", "client", "SN-1", &c, &p->err));
    assert_null(c);
    ok(p, ledger_find_device(p->l, "other", "device", "SN-1", &c, &p->err));
    assert_null(c);
    no_statement_has_scanned(p->l);
}

static int knows(struct place *p, const uint8_t key[SHA256_LEN], const char *device)
{
    int r = ledger_knows(p->l, key, device, &p->err);

    assert_true(r >= 0);
    return r;
}

static void knows_keys_and_devices_in_any_state(void **state)
{
    static const uint8_t none[SHA256_LEN] = {0x77};
    struct place *p = *state;
    uint8_t ca[SHA256_LEN];

    with_factory(p);
    assert_int_equal(hash_sha256(spki, sizeof(spki), ca), 0);
    assert_int_equal(knows(p, none, NULL), 0);
    assert_int_equal(knows(p, none, "SN-1"), 0);
    assert_int_equal(knows(p, row(1).spki_sha256.p, NULL), 0);
    assert_int_equal(knows(p, ca, NULL), 1);
    reserve(p, 1);
    issue(p, 2);
    assert_int_equal(knows(p, none, "SN-1"), 1);
    assert_int_equal(knows(p, none, "SN-2"), 1);
    assert_int_equal(knows(p, none, "sn-2"), 0);
    assert_int_equal(knows(p, none, ""), 0);
    assert_int_equal(knows(p, row(1).spki_sha256.p, "SN-9"), 1);
    assert_int_equal(knows(p, row(2).spki_sha256.p, NULL), 1);
    assert_int_equal(knows(p, row(3).spki_sha256.p, "SN-3"), 0);
    no_statement_has_scanned(p->l);
}

#define UPTO "SELECT upto FROM by_key_end"

/* By everything that looks a key up, of the device SN-n. */
static bool is_found(struct place *p, uint8_t n)
{
    struct ledger_cert r = row(n), *c = NULL;
    struct ledger_filter f = {.status = -1, .spki_sha256 = r.spki_sha256};
    bool found = knows(p, r.spki_sha256.p, NULL);

    assert_int_equal(count_certs(p, f), found);
    ok(p, ledger_find_request(p->l, "factory", r.spki_sha256.p, r.request_sha256.p, &c, &p->err));
    assert_int_equal(c != NULL, found);
    ledger_cert_free(c);
    return found;
}

/* Whether the rows are in the index of keys yet makes no difference. */
static void keys_are_found_while_put_off(void **state)
{
    struct place *p = *state;
    struct place reader;
    struct ledger_cert *c = NULL;

    with_factory(p);
    issue(p, 1);
    assert_int_equal(raw_int(p, UPTO), 1);
    ledger_defer_keys(p->l);
    issue(p, 2);
    issue(p, 3);
    assert_int_equal(raw_int(p, UPTO), 1);
    assert_true(is_found(p, 1) && is_found(p, 2) && is_found(p, 3) && !is_found(p, 4));
    ok(p, ledger_find_other_device(p->l, row(2).spki_sha256.p, "SN-9", &c, &p->err));
    assert_true(c && c->id == 2);
    ledger_cert_free(c);
    reader = *p;
    reader.l = NULL;
    open_at(&reader, LEDGER_READ, NOW);
    assert_true(
        is_found(&reader, 1) && is_found(&reader, 2) && is_found(&reader, 3) && !is_found(&reader, 4));
    assert_int_equal(raw_int(p, UPTO), 1);
    check_says(p, "");

    ok(p, ledger_index_keys(p->l, &p->err));
    assert_int_equal(raw_int(p, UPTO), 3);
    assert_int_equal(raw_int(p, "SELECT count(*) FROM by_key"), 3);
    assert_true(is_found(p, 1) && is_found(p, 2) && is_found(p, 3) && !is_found(p, 4));
    assert_true(is_found(&reader, 3) && !is_found(&reader, 4));
    ledger_close(reader.l);
    ok(p, ledger_index_keys(p->l, &p->err)); /* nothing left to do */
    issue(p, 4);
    assert_int_equal(raw_int(p, UPTO), 4);
    check_says(p, "");
}

/* What a killed lot has left is put into the index by the next who may write. */
static void open_brings_the_keys_up(void **state)
{
    struct place *p = *state;

    with_factory(p);
    ledger_defer_keys(p->l);
    issue(p, 1);
    open_at(p, LEDGER_READ, NOW);
    assert_int_equal(raw_int(p, UPTO), 0);
    open_at(p, LEDGER_WRITE, NOW);
    assert_int_equal(raw_int(p, UPTO), 1);
    assert_true(is_found(p, 1));
}

/* A transaction asks for its own rows, too, and they may go again. */
static void keys_of_a_rollback_are_forgotten(void **state)
{
    struct place *p = *state;
    struct ledger_cert r;
    int64_t id;
    int asked;

    with_factory(p);
    ledger_defer_keys(p->l);
    for (asked = 0; asked < 2; asked++) {
        ok(p, ledger_begin(p->l, &p->err));
        assert_int_equal(knows(p, row(9).spki_sha256.p, NULL), 0);
        r = row(1);
        ok(p, ledger_reserve(p->l, &r, &id, &p->err));
        if (asked)
            assert_int_equal(knows(p, row(1).spki_sha256.p, NULL), 1);
        ledger_rollback(p->l);
        assert_true(!is_found(p, 1));
    }
    /* The next row has its number, whether the first question came before it or after. */
    for (asked = 0; asked < 2; asked++) {
        ok(p, ledger_begin(p->l, &p->err));
        if (asked == 0)
            assert_int_equal(knows(p, row(9).spki_sha256.p, NULL), 0);
        r = row(1);
        ok(p, ledger_reserve(p->l, &r, &id, &p->err));
        if (asked == 1)
            assert_int_equal(knows(p, row(9).spki_sha256.p, NULL), 0);
        ledger_rollback(p->l);
        assert_int_equal(reserve(p, (uint8_t)(2 + asked)), id);
        assert_true(!is_found(p, 1) && is_found(p, (uint8_t)(2 + asked)));
    }
    assert_int_equal(raw_int(p, UPTO), 0);
}

/* Rows of one transaction, whatever wrote them. */
static void keys_of_all_kinds_of_rows_are_found(void **state)
{
    static const uint8_t serials[] = {1, 2};
    struct place *p = *state;
    struct ledger_foreign rows[] = {
        {.serial = {serials, 1}, .subject = "CN=one", .not_after = NOW, .reason = -1},
        {.serial = {serials + 1, 1}, .subject = "CN=two", .not_after = NOW, .reason = -1},
    };
    static const char copy[] =
        "INSERT INTO certificate (authority, serial, status, profile, subject, sig_alg, spki_sha256,"
        " request_sha256, tbs_sha256, not_before, not_after, reserved_at) VALUES (1, zeroblob(9), 0, '', '', "
        "'',"
        " x'4646464646464646464646464646464646464646464646464646464646464646', zeroblob(32), zeroblob(32), "
        "1, 2, 3)";
    uint8_t key[SHA256_LEN];
    struct ledger_cert c;
    int64_t id;

    with_factory(p);
    memcpy(key, row(5).spki_sha256.p, sizeof(key));
    rows[1].spki_sha256 = (struct blob){key, sizeof(key)};
    ledger_defer_keys(p->l);
    ok(p, ledger_begin(p->l, &p->err));
    assert_int_equal(knows(p, row(9).spki_sha256.p, NULL), 0);
    ok(p, ledger_import(p->l, "factory", rows, 2, 0, &p->err)); /* the first has no key */
    assert_int_equal(knows(p, row(6).spki_sha256.p, NULL), 0);
    assert_int_equal(sqlite3_exec(p->l->db, copy, NULL, NULL, NULL), SQLITE_OK);
    c = row(7);
    ok(p, ledger_reserve(p->l, &c, &id, &p->err));
    assert_int_equal(id, 4);
    assert_int_equal(knows(p, row(9).spki_sha256.p, NULL), 0);
    assert_int_equal(knows(p, row(6).spki_sha256.p, NULL), 1);
    ok(p, ledger_commit(p->l, &p->err));
    assert_int_equal(raw_int(p, UPTO), 4);
    assert_int_equal(raw_int(p, "SELECT count(*) FROM by_key"), 3);
    ok(p, ledger_begin(p->l, &p->err));
    assert_int_equal(knows(p, row(5).spki_sha256.p, NULL), 1);
    assert_int_equal(knows(p, row(7).spki_sha256.p, NULL), 1);
    ledger_rollback(p->l);
}

/* Two lots at once, and somebody who does not put it off. */
static void keys_of_others_are_found(void **state)
{
    struct place *p = *state;
    struct place other;
    uint8_t n;

    with_factory(p);
    other = *p;
    other.l = NULL;
    open_at(&other, LEDGER_WRITE, NOW);
    ledger_defer_keys(p->l);
    ledger_defer_keys(other.l);
    for (n = 1; n < 9; n += 2) {
        ok(p, ledger_begin(p->l, &p->err));
        assert_true(!is_found(p, n) && !is_found(p, n + 1));
        ledger_rollback(p->l);
        reserve(&other, n);
        ok(p, ledger_begin(p->l, &p->err));
        assert_int_equal(knows(p, row(n + 1).spki_sha256.p, NULL), 0);
        assert_int_equal(knows(p, row(n).spki_sha256.p, NULL), 1);
        ledger_rollback(p->l);
        reserve(p, n + 1);
        assert_true(is_found(p, n) && is_found(p, n + 1) && is_found(&other, n) && is_found(&other, n + 1));
    }
    assert_int_equal(raw_int(p, UPTO), 0);
    /* Who finds one of those in a transaction of his own need not read them all for the next. */
    ok(p, ledger_begin(p->l, &p->err));
    assert_int_equal(knows(p, row(7).spki_sha256.p, NULL), 1);
    ok(p, ledger_commit(p->l, &p->err));
    assert_int_equal(raw_int(p, UPTO), 8);
    reserve(p, 9);
    assert_int_equal(raw_int(p, UPTO), 8);
    assert_int_equal(other.l->keys.n, 8);
    assert_int_equal(knows(&other, row(11).spki_sha256.p, NULL), 0);
    assert_int_equal(other.l->keys.n, 1); /* what is in the index by now is not kept in memory */
    ok(p, ledger_index_keys(other.l, &p->err));
    assert_int_equal(raw_int(p, UPTO), 9);
    reserve(p, 10);
    for (n = 1; n <= 10; n++)
        assert_true(is_found(p, n) && is_found(&other, n));
    assert_true(!is_found(p, 11));
    ledger_close(other.l);
    check_says(p, "");
}

/* The row of a large lot: digests that differ in their first octets. */
static void reserve_numbered(struct place *p, uint32_t n)
{
    uint8_t serial[20] = {1}, key[SHA256_LEN] = {0};
    struct ledger_cert c = row(1);
    char device[16];
    int64_t id;

    memcpy(serial + 4, &n, sizeof(n));
    n *= 2654435761; /* odd: each is another */
    memcpy(key, &n, sizeof(n));
    snprintf(device, sizeof(device), "N-%u", n);
    c.serial = (struct blob){serial, sizeof(serial)};
    c.spki_sha256 = (struct blob){key, sizeof(key)};
    c.device = device;
    assert_int_equal(knows(p, key, device), 0);
    ok(p, ledger_reserve(p->l, &c, &id, &p->err));
}

/* Transactions of so many rows, and the end behind each. */
struct commits {
    uint32_t rows;
    int64_t upto;
};

static void commit_numbered(struct place *p, uint32_t *n, const struct commits *c)
{
    uint32_t end = *n + c->rows;

    ok(p, ledger_begin(p->l, &p->err));
    while (*n < end)
        reserve_numbered(p, ++*n);
    ok(p, ledger_commit(p->l, &p->err));
    assert_int_equal(raw_int(p, UPTO), c->upto);
}

/* Neither memory nor what a reader must look through grows with the lot. */
static void a_large_lot_brings_the_keys_up(void **state)
{
    static const struct commits small[] = {{1023, 0}, {1, 1024}, {15360, 16384}, {2047, 16384}, {1, 18432}},
                                large[] = {{131071, 2000000}, {1, 2131072}};
    struct place *p = *state;
    uint32_t n = 0;
    size_t i;

    with_factory(p);
    ledger_defer_keys(p->l);
    for (i = 0; i < sizeof(small) / sizeof(small[0]); i++)
        commit_numbered(p, &n, &small[i]);
    assert_int_equal(raw_int(p, "SELECT count(*) FROM by_key"), n);
    /* As if there were two million. */
    raw_ok(p,
        "INSERT INTO certificate (id, authority, serial, status, profile, subject, sig_alg, spki_sha256,"
        " request_sha256, tbs_sha256, not_before, not_after, reserved_at) VALUES (2000000, 1, zeroblob(9), "
        "0, '', '', '',"
        " zeroblob(32), zeroblob(32), zeroblob(32), 1, 2, 3)");
    ok(p, ledger_index_keys(p->l, &p->err));
    ledger_defer_keys(p->l);
    for (i = 0; i < sizeof(large) / sizeof(large[0]); i++)
        commit_numbered(p, &n, &large[i]);
    assert_int_equal(raw_int(p, "SELECT count(*) FROM by_key"), n + 1);
    assert_int_equal(knows(p, row(1).spki_sha256.p, NULL), 0);
}

static void each_takes_every_filter(void **state)
{
    static const struct {
        struct ledger_filter f;
        int want;
    } rows[] = {
        {{.status = -1}, 4},
        {{.status = -1, .authority = "factory"}, 4},
        {{.status = -1, .authority = "nobody"}, 0},
        {{.status = -1, .profile = "device"}, 4},
        {{.status = -1, .profile = "server"}, 0},
        {{.status = -1, .device = "SN-2"}, 1},
        {{.status = LEDGER_ISSUED}, 3},
        {{.status = LEDGER_RESERVED}, 1},
        {{.status = LEDGER_REVOKED}, 0},
        {{.status = 1, .expires_before = NOW + 1003}, 2},
        {{.status = 1, .expires_before = NOW + 9999}, 3}, /* not the reserved one */
        {{.status = -1, .subject = "cn=s"}, 4},
        {{.status = -1, .subject = "%"}, 0},
        {{.status = -1, .sans = "x"}, 0},
        {{.status = -1, .lot = "none"}, 0},
        {{.status = -1, .issued_after = NOW}, 3},
        {{.status = -1, .issued_before = NOW}, 0},
        {{.status = -1, .after_id = 3}, 1},
        {{.status = -1, .limit = 3}, 3},
        {{.status = LEDGER_ISSUED, .after_id = 1, .limit = 1, .authority = "factory", .profile = "device"},
            1},
    };
    struct place *p = *state;
    struct ledger_filter f = LEDGER_ANY;
    size_t i;

    with_factory(p);
    for (i = 1; i < 4; i++)
        issue(p, (uint8_t)i);
    reserve(p, 4);
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (count_certs(p, rows[i].f) != rows[i].want)
            fail_msg("row %zu: want %d, have %d", i, rows[i].want, count_certs(p, rows[i].f));
    }
    f.serial = row(3).serial;
    assert_int_equal(count_certs(p, f), 1);
}

/* The statement of a walk, with its values, as SQLite was given it. */
static int keep_sql(unsigned what, void *ctx, void *stmt, void *text)
{
    char *sql = sqlite3_expanded_sql(stmt);

    (void)what, (void)text;
    snprintf(ctx, 4096, "EXPLAIN QUERY PLAN %s", sql);
    sqlite3_free(sql);
    return 0;
}

static int see_plan(void *arg, int n, char **values, char **names)
{
    (void)names;
    assert_int_equal(n, 4);
    /* The first that is about the certificates. */
    if (!*(char *)arg && strstr(values[3], " c"))
        snprintf(arg, 256, "%s", values[3]);
    return 0;
}

/* A ledger of ten million rows is asked like one of ten thousand: what has an index is found by it. */
static void walks_use_indexes(void **state)
{
    static const uint8_t digest[SHA256_LEN] = {1};
    static const struct {
        struct ledger_filter f;
        const char *plan;
    } rows[] = {
        {{.status = -1}, "SCAN c"},
        {{.status = -1, .limit = 9, .after_id = 3}, "SEARCH c USING INTEGER PRIMARY KEY (rowid>?)"},
        {{.status = -1, .serial = {digest, 20}}, "SEARCH c USING INDEX certificate_serial (serial=?)"},
        {{.status = -1, .serial = {digest, 20}, .authority = "factory"},
            "SEARCH c USING INDEX certificate_serial (serial=? AND authority=?)"},
        {{.status = -1, .device = "SN-2"}, "SEARCH c USING INDEX certificate_device (device=?)"},
        {{.status = -1, .spki_sha256 = {digest, 32}}, "SEARCH c USING INTEGER PRIMARY KEY (rowid=?)"},
        {{.status = -1, .lot = "lot"}, "SEARCH c USING INDEX certificate_lot (lot=?)"},
        {{.status = -1, .issued_after = 5}, "SEARCH c USING INDEX certificate_issued (issued_at>?)"},
        {{.status = -1, .issued_after = 5, .issued_before = 9},
            "SEARCH c USING INDEX certificate_issued (issued_at>? AND issued_at<?)"},
        {{.status = LEDGER_ISSUED, .expires_before = 5},
            "SEARCH c USING INDEX certificate_expiry (not_after<?)"},
        {{.status = LEDGER_ISSUED, .expires_after = 5},
            "SEARCH c USING INDEX certificate_expiry (not_after>?)"},
        {{.status = -1, .subject = "x"}, "SCAN c"},
        {{.status = -1, .sans = "x"}, "SCAN c"},
    };
    struct place *p = *state;
    size_t i;

    with_factory(p);
    issue(p, 1);
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char sql[4096] = "", plan[256] = "";

        sqlite3_trace_v2(p->l->db, SQLITE_TRACE_STMT, keep_sql, sql);
        (void)count_certs(p, rows[i].f);
        sqlite3_trace_v2(p->l->db, 0, NULL, NULL);
        assert_int_equal(sqlite3_exec(p->l->db, sql, see_plan, plan, NULL), SQLITE_OK);
        if (strcmp(plan, rows[i].plan) != 0)
            fail_msg("row %zu: want '%s', have '%s'", i, rows[i].plan, plan);
    }
}

static int stop_at_two(void *arg, const struct ledger_cert *c, struct p11ca_err *err)
{
    (void)err;
    assert_int_equal(c->id, ++*(int *)arg);
    return c->id == 2 ? 5 : 0;
}

static void each_stops_when_told(void **state)
{
    struct place *p = *state;
    struct ledger_filter f = LEDGER_ANY;
    int n = 0;

    with_factory(p);
    issue(p, 1);
    issue(p, 2);
    issue(p, 3);
    assert_int_equal(ledger_each_cert(p->l, &f, stop_at_two, &n, &p->err), 5);
    assert_int_equal(n, 2);
    reserve(p, 4); /* the walk that was left holds nothing back */
}

static void status_names(void **state)
{
    (void)state;
    assert_string_equal(ledger_status_name(LEDGER_RESERVED), "reserved");
    assert_string_equal(ledger_status_name(LEDGER_REVOKED), "revoked");
    assert_int_equal(ledger_status_from_name("superseded"), LEDGER_SUPERSEDED);
    assert_int_equal(ledger_status_from_name("issued"), LEDGER_ISSUED);
    assert_int_equal(ledger_status_from_name("Issued"), -1);
    assert_int_equal(ledger_status_from_name(""), -1);
}

/* --- events */

static int keep_last(void *arg, const struct ledger_event *e, struct p11ca_err *err)
{
    (void)err;
    snprintf(((struct text *)arg)->s, sizeof(((struct text *)arg)->s), "%s|%s|%d", e->operator_, e->host,
        (int)(e->time - NOW));
    return 0;
}

static void event_says_who_where_when(void **state)
{
    struct place *p = *state;
    struct passwd *pw = getpwuid(getuid());
    struct text t = {.s = ""};
    char want[600], host[256] = "";

    with_factory(p);
    ledger_set_now(p->l, NOW + 5);
    ok(p, ledger_begin(p->l, &p->err));
    ok(p, w_event(p));
    ok(p, ledger_commit(p->l, &p->err));
    ok(p, ledger_each_event(p->l, keep_last, &t, &p->err));
    gethostname(host, sizeof(host) - 1);
    if (pw)
        snprintf(want, sizeof(want), "%s|%s|5", pw->pw_name, host);
    else
        snprintf(want, sizeof(want), "%u|%s|5", (unsigned)getuid(), host);
    assert_string_equal(t.s, want);
}

static void event_refuses_unknown_kinds(void **state)
{
    struct place *p = *state;

    with_factory(p);
    ok(p, ledger_begin(p->l, &p->err));
    refused_as(p, ledger_event(p->l, &(struct ledger_event){.kind = "party"}, &p->err), P11CA_BUG,
        "EVENT_KIND", "event: kind: want one that is in the table, have 'party'");
    refused_as(p, ledger_event(p->l, &(struct ledger_event){.kind = NULL}, &p->err), P11CA_BUG, "EVENT_KIND",
        "event: kind: want one that is in the table, have ''");
}

static void config_is_noted_once(void **state)
{
    static const uint8_t a[SHA256_LEN] = {0xaa}, b[SHA256_LEN] = {0xbb};
    struct place *p = *state;
    const uint8_t *notes[] = {a, a, b, b, a};
    size_t i;

    open_at(p, LEDGER_CREATE, NOW);
    for (i = 0; i < 5; i++) {
        ok(p, ledger_begin(p->l, &p->err));
        ok(p, ledger_note_config(p->l, notes[i], &p->err));
        ok(p, ledger_commit(p->l, &p->err));
    }
#define ZEROS "00000000000000000000000000000000000000000000000000000000000000"
    events_are(p, "1 config - - - sha256 AA" ZEROS " 32\n"
                  "2 config - - - sha256 BB" ZEROS " 32\n"
                  "3 config - - - sha256 AA" ZEROS " 32\n");
}

/* The encoding is a promise to whoever checks the chain with another program. */
static void chain_is_as_documented(void **state)
{
    struct place *p = *state;
    struct ledger_event e = {.kind = "reject", .profile = "device", .serial = {spki, 8}, .detail = ""};
    uint8_t digest[SHA256_LEN];
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    AUTO_BUF b = BUF_INIT;

    open_at(p, LEDGER_CREATE, NOW);
    snprintf(p->l->operator_, sizeof(p->l->operator_), "op");
    snprintf(p->l->host, sizeof(p->l->host), "host");
    ok(p, ledger_begin(p->l, &p->err));
    ok(p, ledger_event(p->l, &e, &p->err));
    ok(p, ledger_commit(p->l, &p->err));
    buf_add(&b, (const uint8_t[32]){0}, 32);
    buf_add(&b, "\0\0\0\0\0\0\0\1\0\0\0\0\x6b\x49\xd2\0", 16);
    buf_add(&b, "\0\0\0\0\0\0\0\6reject\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\6device", 36);
    buf_add(&b, "\0\0\0\0\0\0\0\2op\0\0\0\0\0\0\0\4host\0\0\0\0\0\0\0\0", 30);
    buf_add(&b, "\0\0\0\0\0\0\0\10not real\xff\xff\xff\xff\xff\xff\xff\xff", 24);
    assert_int_equal(hash_sha256(b.p, b.len, digest), 0);
    assert_int_equal(sqlite3_open_v2(p->path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT hash FROM event", -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    assert_memory_equal(sqlite3_column_blob(q, 0), digest, sizeof(digest));
    sqlite3_finalize(q);
    sqlite3_close(db);
}

/* --- CRLs */

static void crls_are_numbered(void **state)
{
    struct place *p = *state;
    struct ledger_crl *crl = NULL;
    uint8_t sha256[SHA256_LEN];

    with_factory(p);
    next_crl_is(p, 1, 0);
    ok(p, ledger_get_crl(p->l, &factory_scope, false, &crl, &p->err));
    assert_null(crl);
    ok(p, put_crl(p, crl_of(1)));
    next_crl_is(p, 2, NOW + 100);
    ok(p, put_crl(p, crl_of(2)));
    ok(p, ledger_get_crl(p->l, &factory_scope, false, &crl, &p->err));
    assert_string_equal(crl->authority, "factory");
    assert_true(crl->number == 2 && crl->this_update == NOW + 200 && crl->next_update == NOW + 1200);
    assert_int_equal(crl->der.len, 300);
    assert_memory_equal(crl->der.p, cert_of(2).p, 300);
    assert_int_equal(hash_sha256(crl->der.p, crl->der.len, sha256), 0);
    assert_int_equal(crl->sha256.len, SHA256_LEN);
    assert_memory_equal(crl->sha256.p, sha256, SHA256_LEN);
    ledger_crl_free(crl);
    events_are(p, "1 key factory - - sha256 " SPKI_SHA256 " 32\n2 crl factory - - number 1 32\n"
                  "3 crl factory - - number 2 32\n");
    assert_int_equal(raw_int(p, "SELECT count(*) FROM event e JOIN crl c ON c.sha256 = e.digest"), 2);
    check_says(p, "");
    no_statement_has_scanned(p->l);
}

static void put_crl_refuses(void **state)
{
    struct place *p = *state;
    struct ledger_crl crl = crl_of(2);
    struct ledger_crl *none = NULL;
    struct ledger_crl_next next;

    with_factory(p);
    refused(p, put_crl(p, crl), "CRL_NUMBER",
        "authority 'factory': RFC 5280 5.2.3: CRL number: want the next, 1, have 2");
    ok(p, put_crl(p, crl_of(1)));
    refused(p, put_crl(p, crl_of(1)), "CRL_NUMBER",
        "authority 'factory': RFC 5280 5.2.3: CRL number: want the next, 2, have 1");
    refused(p, put_crl(p, crl_of(3)), "CRL_NUMBER",
        "authority 'factory': RFC 5280 5.2.3: CRL number: want the next, 2, have 3");
    crl.this_update = NOW + 100;
    refused(p, put_crl(p, crl), "CRL_TIME",
        "authority 'factory': RFC 5280 5.1.2.4: thisUpdate: want a time after that of CRL 1, "
        "2027-01-15T08:01:40Z, have 2027-01-15T08:01:40Z");
    crl.this_update = NOW + 101;
    crl.der.len = 0;
    refused_as(
        p, put_crl(p, crl), P11CA_BUG, "CRL_EMPTY", "authority 'factory': CRL: want DER, have no octets");
    crl = crl_of(1);
    crl.authority = "nobody";
    refused(p, put_crl(p, crl), "AUTHORITY_UNKNOWN", "authority 'nobody': not recorded in the ledger");
    refused(p, ledger_next_crl(p->l, &nobody, &next, &p->err), "AUTHORITY_UNKNOWN",
        "authority 'nobody': not recorded in the ledger");
    refused(p, ledger_get_crl(p->l, &nobody, false, &none, &p->err), "AUTHORITY_UNKNOWN",
        "authority 'nobody': not recorded in the ledger");
    next_crl_is(p, 2, NOW + 100);
    ok(p, put_crl(p, crl_of(2))); /* the refusals did not spoil anything */
}

static int list_revoked(void *arg, const struct ledger_revoked *r, struct p11ca_err *err)
{
    struct text *t = arg;
    size_t len = strlen(t->s);

    (void)err;
    snprintf(t->s + len, sizeof(t->s) - len, "%02x %d %d %d\n", r->serial.p[r->serial.len - 1],
        (int)(r->revoked_at - NOW), r->invalid_since ? (int)(r->invalid_since - NOW) : 0, r->reason);
    return t->n ? t->n : 0;
}

static void revoked_are(struct place *p, int64_t since, const char *want)
{
    struct text t = {.s = ""};

    ok(p, ledger_each_revoked(p->l, "factory", since, list_revoked, &t, &p->err));
    assert_string_equal(t.s, want);
}

#define REVOKE "UPDATE certificate SET status = 3, revoked_at = 1800000000"

static void revoked_are_walked(void **state)
{
    struct place *p = *state;
    struct text stop = {.s = "", .n = 7};
    uint8_t n;

    with_factory(p);
    revoked_are(p, 0, "");
    for (n = 1; n <= 5; n++) /* their ends: NOW + 1001 to NOW + 1005 */
        issue(p, n);
    raw_ok(p, REVOKE " + 20, reason = 1, invalid_since = 1799999990 WHERE id = 1;" REVOKE
                     " + 10 WHERE id = 3;" REVOKE " + 30, reason = 0 WHERE id = 4;"
                     "UPDATE certificate SET status = 2 WHERE id = 5");
    revoked_are(p, 0, "01 20 -10 1\n03 10 0 -1\n04 30 0 0\n");
    revoked_are(p, NOW + 1001, "01 20 -10 1\n03 10 0 -1\n04 30 0 0\n");
    revoked_are(p, NOW + 1002, "03 10 0 -1\n04 30 0 0\n"); /* the first had ended, and was on a CRL since */
    revoked_are(p, NOW + 1005, "");
    assert_int_equal(ledger_each_revoked(p->l, "factory", 0, list_revoked, &stop, &p->err), 7);
    assert_string_equal(stop.s, "01 20 -10 1\n");
    refused(p, ledger_each_revoked(p->l, "nobody", 0, list_revoked, &stop, &p->err), "AUTHORITY_UNKNOWN",
        "authority 'nobody': not recorded in the ledger");
}

static const struct ledger_revocation compromised = {
    .reason = 1, .name = "keyCompromise", .invalid_since = NOW - 5, .because = "stolen"};
static const struct ledger_revocation held = {.reason = LEDGER_HOLD, .name = "certificateHold"};
static const struct ledger_revocation ceased = {.reason = 5, .name = "cessationOfOperation"};

#define STATE                                                                                                \
    "SELECT status * 1000000 + coalesce(reason, 99) * 10000 + (revoked_at NOTNULL) * 1000 + (invalid_since " \
    "NOTNULL)"                                                                                               \
    " * 100 + (held_at NOTNULL) * 10 + coalesce(revoked_from, 0) FROM certificate WHERE id = 1"

static void revoked_for_good(void **state)
{
    struct place *p = *state;
    struct ledger_revocation other = compromised;

    with_factory(p);
    issue(p, 1);
    assert_int_equal(change(p, 1, &compromised), 1);
    assert_int_equal(raw_int(p, STATE), 3011101);
    assert_int_equal(change(p, 1, &compromised), 0);
    other.invalid_since = 0;
    assert_int_equal(change(p, 1, &other), 0);
    refused_as(p, change(p, 1, &ceased), P11CA_REFUSED, "REVOKED_OTHERWISE",
        "serial 1111111111111111111111111111111111111101: RFC 5280 5.3.1: revoked since "
        "2027-01-15T08:00:00Z: "
        "its reason is not changed by another revocation (cessationOfOperation)");
    other.invalid_since = NOW - 6;
    refused_as(p, change(p, 1, &other), P11CA_REFUSED, "REVOKED_OTHERWISE",
        "serial 1111111111111111111111111111111111111101: RFC 5280 5.3.1: revoked since "
        "2027-01-15T08:00:00Z: "
        "its date of invalidity is not changed by another revocation (keyCompromise)");
    refused_as(p, change(p, 1, NULL), P11CA_REFUSED, "NOT_ON_HOLD",
        "serial 1111111111111111111111111111111111111101: RFC 5280 5.3.1: only certificateHold can be taken "
        "back: it is revoked for good");
    refused_as(p, change(p, 7, NULL), P11CA_LEDGER, "ROW_UNKNOWN", "certificate row 7: not in the ledger");
    reserve(p, 2);
    refused_as(p, change(p, 2, &ceased), P11CA_REFUSED, "NOT_ISSUED",
        "serial 1111111111111111111111111111111111111102: status: want issued, have reserved: there is no "
        "certificate to revoke");
    refused_as(p, change(p, 2, NULL), P11CA_REFUSED, "NOT_ON_HOLD",
        "serial 1111111111111111111111111111111111111102: RFC 5280 5.3.1: only certificateHold can be taken "
        "back: it is reserved");
    assert_int_equal(raw_int(p, "SELECT count(*) FROM event WHERE kind = 'revoke' AND seq = 3 AND detail ="
                                " 'keyCompromise (1), invalid since 2027-01-15T07:59:55Z; because: stolen'"),
        1);
    check_says(p, "");
}

static void holds_go_either_way(void **state)
{
    struct place *p = *state;
    struct ledger_revocation late = ceased;

    with_factory(p);
    issue(p, 1);
    assert_int_equal(change(p, 1, &held), 1);
    assert_int_equal(change(p, 1, &held), 0);
    assert_int_equal(change(p, 1, NULL), 1);
    assert_int_equal(raw_int(p, STATE), 1990011);
    assert_int_equal(change(p, 1, NULL), 0);
    check_says(p, "");
    assert_int_equal(change(p, 1, &held), 1);
    ledger_set_now(p->l, NOW + 50);
    late.invalid_since = NOW + 1;
    refused_as(p, change(p, 1, &late), P11CA_REFUSED, "INVALID_SINCE",
        "serial 1111111111111111111111111111111111111101: RFC 5280 5.3.2: invalid since: want a time up to "
        "that "
        "of its hold, 2027-01-15T08:00:00Z, have 2027-01-15T08:00:01Z");
    assert_int_equal(change(p, 1, &ceased), 1);
    assert_int_equal(raw_int(p, STATE), 3051011);
    assert_int_equal(raw_int(p, "SELECT revoked_at FROM certificate WHERE id = 1"), NOW); /* the hold's */
    assert_int_equal(change(p, 1, NULL), -1);
    check_says(p, "");
}

/* While it is on hold its device gets another one: two valid at once there must not be. */
static void a_hold_of_what_was_replaced(void **state)
{
    struct place *p = *state;

    with_factory(p);
    issue(p, 1);
    assert_int_equal(change(p, 1, &held), 1);
    issue(p, 2);
    raw_ok(p, "DROP TRIGGER certificate_identity; UPDATE certificate SET device = 'twin'");
    assert_int_equal(change(p, 1, NULL), 1);
    assert_int_equal(raw_int(p, "SELECT status FROM certificate WHERE id = 1"), LEDGER_SUPERSEDED);
}

static void changes_are(struct place *p, int64_t event, const char *want)
{
    struct text t = {.s = ""};

    ok(p, ledger_each_change(p->l, "factory", event, list_revoked, &t, &p->err));
    assert_string_equal(t.s, want);
}

static void changes_are_walked(void **state)
{
    struct place *p = *state;
    struct ledger_crl_next next;

    with_factory(p);
    issue(p, 1);
    issue(p, 2);
    changes_are(p, 0, "");
    assert_int_equal(change(p, 2, &held), 1); /* event 4 */
    assert_int_equal(change(p, 1, &compromised), 1);
    ok(p, ledger_next_crl(p->l, &factory_scope, &next, &p->err));
    assert_int_equal(next.event, 5);
    changes_are(p, 0, "01 0 -5 1\n02 0 0 6\n");
    changes_are(p, 4, "01 0 -5 1\n");
    assert_int_equal(change(p, 2, NULL), 1);
    changes_are(p, 5, "02 0 0 8\n"); /* removeFromCRL, of the hold's date */
    revoked_are(p, 0, "01 0 -5 1\n");
    assert_int_equal(ledger_was_revoked(p->l, "factory", (struct blob){row(2).serial.p, 20}, &p->err), 1);
    no_statement_has_scanned(p->l);
}

/* What the schema itself lets nobody do. */
static void revocations_are_kept(void **state)
{
    static const struct {
        const char *sql, *want;
    } rows[] = {
        {"UPDATE certificate SET status = 1, revoked_at = NULL, reason = NULL, invalid_since = NULL,"
         " held_at = revoked_at, changed = 9 WHERE id = 1",
            "certificates keep the revocation they have"},
        {"UPDATE certificate SET reason = 6 WHERE id = 1", "certificates keep the revocation they have"},
        {"UPDATE certificate SET revoked_at = 1 WHERE id = 1", "certificates keep the revocation they have"},
        {"UPDATE certificate SET status = 1 WHERE id = 2",
            "certificates go from reserved to issued to superseded to revoked; back only from hold"},
        {"UPDATE certificate SET status = 0, revoked_at = NULL, reason = NULL, invalid_since = NULL,"
         " held_at = revoked_at, changed = 9 WHERE id = 2",
            "certificates go from reserved to issued to superseded to revoked; back only from hold"},
    };
    struct place *p = *state;
    size_t i;

    with_factory(p);
    issue(p, 1);
    issue(p, 2);
    assert_int_equal(change(p, 1, &compromised), 1);
    assert_int_equal(change(p, 2, &held), 1);
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        raw_refused(p, rows[i].sql, rows[i].want);
    check_says(p, "");
}

/* Those of another authority are in its own CRLs, which have numbers of their own. */
static void crls_are_the_authority_s_own(void **state)
{
    struct place *p = *state;
    struct ledger_authority second = factory;
    struct ledger_crl crl = crl_of(1);

    with_factory(p);
    second.name = crl.authority = "second";
    ok(p, ledger_begin(p->l, &p->err));
    ok(p, ledger_put_authority(p->l, &second, &p->err));
    ok(p, ledger_commit(p->l, &p->err));
    ok(p, put_crl(p, crl));
    next_crl_is(p, 1, 0);
    issue(p, 1);
    raw_ok(p, "DROP TRIGGER certificate_identity;" REVOKE ", authority = 2");
    revoked_are(p, 0, "");
}

/* --- tickets */

static const uint8_t ticket_text[] = "as it was signed", other_text[] = "another text";
static const struct ledger_ticket lot_47 = {
    .id = "lot-47",
    .authority = "factory",
    .text = {ticket_text, sizeof(ticket_text)},
    .cms = {(const uint8_t *)"\x30\x00", 2},
};

static int64_t put_ticket(struct place *p, int64_t max)
{
    struct ledger_ticket t = lot_47;
    int64_t id = 0;

    t.max = max;
    ok(p, ledger_begin(p->l, &p->err));
    ok(p, ledger_put_ticket(p->l, &t, &id, &p->err));
    ok(p, ledger_commit(p->l, &p->err));
    return id;
}

static int64_t reserve_on(struct place *p, uint8_t n, int64_t ticket)
{
    struct ledger_cert c = row(n);
    int64_t id = 0;

    c.ticket = ticket;
    ok(p, ledger_begin(p->l, &p->err));
    ok(p, ledger_reserve(p->l, &c, &id, &p->err));
    ok(p, ledger_commit(p->l, &p->err));
    return id;
}

static void issue_on(struct place *p, uint8_t n, int64_t ticket)
{
    int64_t id = reserve_on(p, n, ticket);

    ok(p, ledger_begin(p->l, &p->err));
    ok(p, issue_row(p, id, cert_of(n)));
    ok(p, ledger_commit(p->l, &p->err));
}

static void left_is(struct place *p, int64_t want)
{
    uint8_t sha256[SHA256_LEN];
    int64_t id = 0, left = -1;

    assert_int_equal(hash_sha256(ticket_text, sizeof(ticket_text), sha256), 0);
    assert_int_equal(ledger_find_ticket(p->l, sha256, &id, &left, &p->err), want < 0 ? 0 : 1);
    assert_int_equal(left, want);
}

static int keep_ticket_id(void *arg, const struct ledger_cert *c, struct p11ca_err *err)
{
    (void)err;
    snprintf(arg, 65, "%s %d", c->ticket_id ? c->ticket_id : "-", (int)c->ticket);
    return 1;
}

static void ticket_counts(void **state)
{
    const struct ledger_filter all = LEDGER_ANY;
    struct place *p = *state;
    char ticket[65] = "";
    int64_t id;

    with_factory(p);
    left_is(p, -1);
    id = put_ticket(p, 2);
    left_is(p, 2);
    issue_on(p, 1, id);
    left_is(p, 1);
    (void)reserve_on(p, 2, id);
    left_is(p, 0);
    issue(p, 3); /* on none */
    left_is(p, 0);
    assert_int_equal(ledger_each_cert(p->l, &all, keep_ticket_id, ticket, &p->err), 1);
    assert_string_equal(ticket, "lot-47 1");
    events_are(p,
        "1 key factory - - sha256 " SPKI_SHA256 " 32\n2 ticket factory - - ID lot-47, at most 2 32\n"
        "3 issue factory device 1101 ticket lot-47 32\n4 issue factory device 1103 - 32\n");
    check_says(p, "");
}

static void ticket_is_of_its_authority(void **state)
{
    const struct ledger_authority other = {.name = "other", .spki = {other_spki, sizeof(other_spki)}};
    struct place *p = *state;
    struct ledger_cert c;
    int64_t ticket, id = 0;

    with_factory(p);
    ticket = put_ticket(p, 5);
    ok(p, ledger_begin(p->l, &p->err));
    ok(p, ledger_put_authority(p->l, &other, &p->err));
    c = row(1);
    c.authority = "other";
    c.ticket = ticket;
    refused(p, ledger_reserve(p->l, &c, &id, &p->err), "LEDGER_CONSTRAINT",
        "%P: the ticket is spent, or another authority's");
    ledger_rollback(p->l);
    left_is(p, 5);
}

/* The program asks before; the file refuses whoever does not. */
static void ticket_ends(void **state)
{
    struct place *p = *state;
    struct ledger_cert c = row(2);
    int64_t id = 0;

    with_factory(p);
    c.ticket = put_ticket(p, 1);
    issue_on(p, 1, c.ticket);
    c = row(2);
    c.ticket = 1;
    ok(p, ledger_begin(p->l, &p->err));
    refused(p, ledger_reserve(p->l, &c, &id, &p->err), "LEDGER_CONSTRAINT",
        "%P: the ticket is spent, or another authority's");
    ledger_rollback(p->l);
    left_is(p, 0);
    check_says(p, "");
}

static void rollback_counts_nothing(void **state)
{
    struct place *p = *state;
    struct ledger_cert c = row(1);
    int64_t id = 0;

    with_factory(p);
    c.ticket = put_ticket(p, 5);
    ok(p, ledger_begin(p->l, &p->err));
    ok(p, ledger_reserve(p->l, &c, &id, &p->err));
    left_is(p, 4);
    ledger_rollback(p->l);
    left_is(p, 5);
    check_says(p, "");
}

static void ticket_keeps_its_text(void **state)
{
    struct place *p = *state;
    struct ledger_ticket t = lot_47;
    uint8_t sha256[SHA256_LEN];
    int64_t id = 0;

    with_factory(p);
    (void)put_ticket(p, 1);
    t.text = (struct blob){other_text, sizeof(other_text)};
    t.max = 9;
    ok(p, ledger_begin(p->l, &p->err));
    refused_as(p, ledger_put_ticket(p->l, &t, &id, &p->err), P11CA_REFUSED, "TICKET_CHANGED",
        "ticket 'lot-47': another text was counted under this ID: want SHA-256 "
        "edf7b0a555f3f2cde2116a13873c73303d0193a435edfffd55cd612aee97862a, have "
        "ded13e4e2c7ec942ffb1ca08c890b17928ea93d5f96760085fbf1a552afa81fa");
    ledger_rollback(p->l);
    assert_int_equal(hash_sha256(other_text, sizeof(other_text), sha256), 0);
    ok(p, ledger_check_ticket(p->l, "factory", "lot-48", sha256, &p->err));
    ok(p, ledger_check_ticket(p->l, "root", "lot-47", sha256, &p->err));
    assert_int_equal(ledger_check_ticket(p->l, "factory", "lot-47", sha256, &p->err), -1);
    assert_int_equal(raw_int(p, "SELECT count(*) FROM ticket"), 1);
}

/* As tamperings below: the ledger has ticket 1 for two, certificate 1 issued on it, 2 issued on none, events 1 key,
 * 2 ticket, 3 and 4 issue. */
#define DROP_TICKET                                                                                          \
    "DROP TRIGGER ticket_insert; DROP TRIGGER ticket_delete; DROP TRIGGER ticket_identity;"                  \
    "DROP TRIGGER ticket_used; DROP TRIGGER certificate_keeps_ticket;"
#define LOT_47    "ticket 'lot-47' of authority 'factory': "
#define CERT_N(n) "certificate row " #n ": serial 111111111111111111111111111111111111110" #n ": "

static void check_finds_in_tickets(void **state)
{
    static const struct {
        const char *sql, *found;
    } rows[] = {
        {"UPDATE ticket SET used = 2",
            LOT_47 "used: want 1, as many certificates are counted on it, have 2\n"},
        {DROP_TICKET "UPDATE ticket SET used = 0",
            LOT_47 "used: want 1, as many certificates are counted on it, have 0\n"},
        {DROP_TICKET "UPDATE ticket SET text = x'00'", LOT_47 "SHA-256 column does not fit the text\n"},
        {DROP_TICKET "UPDATE ticket SET text = x'00', sha256 = "
                     "x'6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'",
            LOT_47 "want a 'ticket' event with its SHA-256, have none\n"
                   "event 2: ticket of authority 'factory': want it, have none\n"},
        {DROP_TICKET "UPDATE certificate SET ticket = NULL; UPDATE ticket SET used = 0",
            CERT_N(1) "ticket: want that of event 3, have none\n"},
        {DROP_TICKET "UPDATE certificate SET ticket = 1; UPDATE ticket SET used = 2",
            CERT_N(2) "ticket: event 4: want 'lot-47', have another or none\n"},
        {DROP_TICKET "UPDATE ticket SET name = 'lot-48'",
            CERT_N(1) "ticket: event 3: want 'lot-48', have another or none\n"},
        {DROP_TICKET "PRAGMA ignore_check_constraints = 1; UPDATE certificate SET ticket = 1;"
                     "UPDATE ticket SET max = 1, used = 1",
            LOT_47 "want at most 1 certificates on it, have 2\n" CERT_N(
                2) "ticket: event 4: want 'lot-47', have another or none\n"},
        {DROP_TICKET "UPDATE certificate SET ticket = NULL; DELETE FROM ticket",
            CERT_N(1) "ticket: want that of event 3, have none\n"
                      "event 2: ticket of authority 'factory': want it, have none\n"},
        {DROP_TICKET "PRAGMA foreign_keys = OFF; UPDATE ticket SET authority = 2",
            "database: ticket row 1: want the authority it refers to, have none\n"
            "ticket 'lot-47' of authority '?': want a 'ticket' event with its SHA-256, have none\n" CERT_N(
                1) "ticket: 'lot-47' is another authority's\n"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct text found = {.s = ""};
        void *fresh = NULL;
        struct place *p;

        assert_int_equal(set_up(&fresh), 0);
        p = fresh;
        with_factory(p);
        issue_on(p, 1, put_ticket(p, 2));
        issue(p, 2);
        raw_ok(p, rows[i].sql);
        ok(p, ledger_check(p->l, add_finding, &found, &p->err));
        assert_string_equal(found.s, rows[i].found);
        tear_down(&fresh);
    }
}

/* --- what another program may do to the file */

/* Another certificate, counted on the ticket whose row follows. */
#define INSERT_ON                                                                                            \
    "INSERT INTO certificate (authority, serial, status, profile, subject, sig_alg, spki_sha256, "           \
    "request_sha256, tbs_sha256, not_before, not_after, reserved_at, ticket) SELECT authority, "             \
    "zeroblob(9), 0, profile, subject, sig_alg, spki_sha256, request_sha256, tbs_sha256, 1, 2, 3, "

static void triggers_hold_against_others(void **state)
{
    static const struct {
        const char *sql, *msg;
    } rows[] = {
        {"UPDATE event SET detail = 'x' WHERE seq = 1", "events are append-only: no update"},
        {"DELETE FROM event WHERE seq = 2", "events are append-only: no delete"},
        {"INSERT OR REPLACE INTO event SELECT * FROM event WHERE seq = 1",
            "events are append-only: want the next number"},
        {"INSERT INTO event (seq, time, kind, operator, host, hash) VALUES (9, 1, 'x', 'x', 'x', "
         "zeroblob(32))",
            "events are append-only: want the next number"},
        {"DELETE FROM certificate", "certificates are not deleted"},
        {"INSERT OR REPLACE INTO certificate SELECT * FROM certificate",
            "certificates are not replaced: the row or serial exists"},
        {"INSERT OR REPLACE INTO certificate (id, authority, serial, status, profile, subject, sig_alg,"
         " spki_sha256, request_sha256, tbs_sha256, not_before, not_after, reserved_at) SELECT 9, authority, "
         "serial, 0, profile, subject, sig_alg, spki_sha256, request_sha256, tbs_sha256, not_before, "
         "not_after, reserved_at FROM certificate",
            "certificates are not replaced: the row or serial exists"},
        {"UPDATE certificate SET serial = zeroblob(9)", "certificates keep what they were reserved for"},
        {"UPDATE certificate SET authority = 2", "certificates keep what they were reserved for"},
        {"UPDATE certificate SET id = 2", "certificates keep what they were reserved for"},
        {"UPDATE certificate SET device = 'SN-2'", "certificates keep what they were reserved for"},
        {"UPDATE certificate SET cert = zeroblob(9)", "certificates do not change once issued"},
        {"UPDATE certificate SET cert = NULL", "certificates do not change once issued"},
        {"UPDATE certificate SET cert_sha256 = zeroblob(32)", "certificates do not change once issued"},
        {"UPDATE certificate SET not_after = 9", "certificates do not change once issued"},
        {"UPDATE certificate SET status = 0",
            "certificates go from reserved to issued to superseded to revoked; back only from hold"},
        {"UPDATE certificate SET imported_at = 1", "certificates keep what they were imported as"},
        {"UPDATE authority SET crl_floor = NULL", "CRL numbers do not go back"},
        {"DELETE FROM authority", "authorities are not deleted"},
        {"UPDATE authority SET spki = zeroblob(9)", "authorities keep their name and key"},
        {"UPDATE authority SET name = 'x'", "authorities keep their name and key"},
        {"UPDATE authority SET cert = zeroblob(9)", "authorities keep their certificate"},
        {"INSERT OR REPLACE INTO authority SELECT * FROM authority", "authorities are not replaced"},
        {"INSERT OR REPLACE INTO crl SELECT * FROM crl",
            "CRLs are not replaced: want a number that was not reached"},
        {"INSERT INTO crl SELECT authority, number - 1, base, this_update, next_update, sha256, der FROM crl",
            "CRLs are not replaced: want a number that was not reached"},
        {"UPDATE crl SET der = zeroblob(9)", "CRLs do not change once signed"},
        {"UPDATE crl SET number = 9", "CRLs do not change once signed"},
        {"DELETE FROM crl", "CRLs are not deleted"},
        {"DELETE FROM crl_scope", "CRLs are not deleted"},
        {"UPDATE crl_scope SET upto = 9", "CRLs do not change once signed"},
        {"DELETE FROM ticket", "tickets are not deleted"},
        {"INSERT OR REPLACE INTO ticket SELECT * FROM ticket", "tickets are not replaced, and begin unused"},
        {"INSERT OR REPLACE INTO ticket SELECT 9, zeroblob(32), name, authority, 9, 0, 1, text, cms FROM "
         "ticket",
            "tickets are not replaced, and begin unused"},
        {"INSERT INTO ticket SELECT 9, zeroblob(32), 'other', authority, 9, 1, 1, text, cms FROM ticket",
            "tickets are not replaced, and begin unused"},
        {"UPDATE ticket SET used = 0", "tickets are counted one by one, up to their maximum"},
        {"UPDATE ticket SET used = used - 1", "tickets are counted one by one, up to their maximum"},
        {"UPDATE ticket SET used = used + 1", "tickets are counted one by one, up to their maximum"},
        {"UPDATE ticket SET max = 9", "tickets keep what they were signed for"},
        {"UPDATE OR REPLACE ticket SET name = 'other'", "tickets keep what they were signed for"},
        {"UPDATE ticket SET sha256 = zeroblob(32)", "tickets keep what they were signed for"},
        {"UPDATE ticket SET text = x'00'", "tickets keep what they were signed for"},
        {"UPDATE ticket SET cms = x'00'", "tickets keep what they were signed for"},
        {"UPDATE certificate SET ticket = NULL", "certificates keep the ticket they were counted on"},
        {"DELETE FROM by_key", "what is found by key stays so"},
        {"UPDATE by_key SET id = 9", "what is found by key stays so"},
        {"DELETE FROM by_key_end", "there is one end of what is found by key"},
        {"INSERT OR REPLACE INTO by_key_end VALUES (1, 9)", "there is one end of what is found by key"},
        {"UPDATE by_key_end SET upto = 1", "what is found by key stays so: want an end further on, at a row"},
        {"UPDATE by_key_end SET upto = 3", "what is found by key stays so: want an end further on, at a row"},
        {INSERT_ON "1 FROM certificate LIMIT 1", "the ticket is spent, or another authority's"},
        {INSERT_ON "9 FROM certificate LIMIT 1", "the ticket is spent, or another authority's"},
    };
    struct place *p = *state;
    size_t i;

    with_factory(p);
    ok(p, ledger_begin(p->l, &p->err));
    ok(p, ledger_put_ca_cert(p->l, "factory", cert_of(7), &p->err));
    ok(p, ledger_commit(p->l, &p->err));
    issue(p, 1);
    (void)reserve_on(p, 2, put_ticket(p, 1));
    ok(p, put_crl(p, crl_of(1)));
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        raw_refused(p, rows[i].sql, rows[i].msg);
    check_says(p, "");
}

/* Each row: what somebody with write access does, and what is found. The ledger has authority 1, certificates
 * 1 (issued) and 2 (reserved), events 1 key, 2 issue, 3 init. */
#define DROP_EVENT "DROP TRIGGER event_update; DROP TRIGGER event_delete; DROP TRIGGER event_insert;"
#define DROP_CERT                                                                                            \
    "DROP TRIGGER certificate_delete; DROP TRIGGER certificate_identity; DROP TRIGGER certificate_content;"  \
    "DROP TRIGGER certificate_status; DROP TRIGGER certificate_insert;"
#define DROP_AUTHORITY "DROP TRIGGER authority_identity; DROP TRIGGER authority_cert;"
#define ROW_1          "certificate row 1: serial 1111111111111111111111111111111111111101: "
#define ROW_2          "certificate row 2: serial 1111111111111111111111111111111111111102: "

static const struct tampering {
    const char *sql, *found; /* found: the beginnings of the findings, a line each */
} tamperings[] = {
    {DROP_EVENT "UPDATE event SET detail = 'never mind' WHERE seq = 2", "event 2: hash: want \n"},
    {DROP_EVENT "UPDATE event SET time = time + 1 WHERE seq = 1", "event 1: hash: want \n"},
    {DROP_EVENT "UPDATE event SET operator = 'nobody' WHERE seq = 3", "event 3: hash: want \n"},
    {DROP_EVENT "UPDATE event SET host = 'elsewhere' WHERE seq = 3", "event 3: hash: want \n"},
    {DROP_EVENT "UPDATE event SET profile = 'server' WHERE seq = 3", "event 3: hash: want \n"},
    {DROP_EVENT "UPDATE event SET hash = zeroblob(32) WHERE seq = 2",
        "event 2: hash: want \nevent 3: hash: want \n"},
    {DROP_EVENT "PRAGMA foreign_keys = OFF; DELETE FROM event WHERE seq = 2",
        "database: certificate row 1: want the event it refers to, have none\n" ROW_1
        "want an 'issue' event, have none\nevent 3: number: want 2\nevent 3: hash: want \n"},
    {DROP_EVENT "UPDATE event SET seq = 4 WHERE seq = 3", "event 4: number: want 3\nevent 4: hash: want \n"},
    {DROP_EVENT "UPDATE event SET serial = zeroblob(20) WHERE seq = 2", ROW_1
        "event 2: serial: have 0000000000000000000000000000000000000000\n"
        "event 2: issue of serial 0000000000000000000000000000000000000000: want its certificate, have none\n"
        "event 2: hash: want \n"},
    {DROP_EVENT "UPDATE event SET authority = 'other' WHERE seq = 2",
        ROW_1 "event 2: authority: want 'factory', have 'other'\nevent 2: hash: want \n"},
    {DROP_EVENT "UPDATE event SET kind = 'fail' WHERE seq = 2",
        ROW_1 "want an 'issue' event, event 2 is 'fail'\nevent 2: hash: want \n"},
    {DROP_CERT "DELETE FROM certificate WHERE id = 1",
        "event 2: issue of serial 1111111111111111111111111111111111111101: want its certificate, have "
        "none\n"},
    {DROP_CERT "UPDATE certificate SET cert = zeroblob(300) WHERE id = 1",
        ROW_1 "SHA-256 column does not fit the certificate\n"},
    {DROP_CERT "UPDATE certificate SET cert_sha256 = zeroblob(32) WHERE id = 1", ROW_1
        "SHA-256 column does not fit the certificate\n" ROW_1 "event 2: SHA-256 is another certificate's\n"},
    {DROP_CERT "UPDATE certificate SET cert = NULL, cert_sha256 = NULL WHERE id = 1", ROW_1
        "status: issued, but there is no certificate\n" ROW_1 "event 2: SHA-256 is another certificate's\n"},
    {DROP_CERT "UPDATE certificate SET issued_at = NULL WHERE id = 1",
        ROW_1 "status: issued, but there is no date of issue\n"},
    {DROP_CERT "UPDATE certificate SET status = 0 WHERE id = 1",
        ROW_1 "status: reserved, but there is a certificate\n"},
    {"UPDATE certificate SET status = 3 WHERE id = 1",
        ROW_1 "status: revoked, but there is no date of revocation\n" ROW_1
              "revocation: want an event of it, have none\n"},
    {"UPDATE certificate SET revoked_at = 1 WHERE id = 1",
        ROW_1 "status: not revoked, but there is a date of revocation\n"},
    {"UPDATE certificate SET published_at = 1 WHERE id = 2", ROW_2 "status: reserved, but dated as issued\n"},
    {"UPDATE certificate SET status = 1, issued_at = 1 WHERE id = 2",
        ROW_2 "status: issued, but there is no certificate\n" ROW_2 "want an 'issue' event, have none\n"},
    {"PRAGMA ignore_check_constraints = ON; UPDATE certificate SET status = 4 WHERE id = 1",
        "database: CHECK constraint failed in certificate\n" ROW_1 "status: want 0 to 3, have 4\n"},
    {DROP_CERT
        "DROP INDEX certificate_serial; INSERT INTO certificate (authority, serial, status, profile, subject,"
        " sig_alg, spki_sha256, request_sha256, tbs_sha256, not_before, not_after, reserved_at) SELECT "
        "authority,"
        " serial, 0, profile, subject, sig_alg, spki_sha256, request_sha256, tbs_sha256, 1, 2, 3"
        " FROM certificate WHERE id = 1",
        "authority 'factory': serial 1111111111111111111111111111111111111101: want 1 certificate, have 2\n"},
    {DROP_CERT "PRAGMA foreign_keys = OFF; UPDATE certificate SET authority = 5 WHERE id = 2",
        "database: certificate row 2: want the authority it refers to, have none\n"},
    {"DROP TRIGGER by_key_delete; DELETE FROM by_key WHERE id = 2",
        ROW_2 "key: want it among those by which rows are found, have it not\n"},
    {"DROP TRIGGER by_key_update; UPDATE by_key SET request = zeroblob(8) WHERE id = 1",
        ROW_1 "key: want it among those by which rows are found, have it not\n"},
    {DROP_AUTHORITY "UPDATE authority SET spki = zeroblob(9)",
        "authority 'factory': key: SHA-256 column does not fit the key\n"},
    {"DROP TRIGGER authority_identity; DROP TRIGGER event_update;"
     "UPDATE event SET kind = 'init' WHERE seq = 1",
        "authority 'factory': key: want a 'key' event with its SHA-256, have none\nevent 1: hash: want \n"},
    {"UPDATE authority SET cert = zeroblob(9)",
        "authority 'factory': certificate: want an 'install' event with its SHA-256, have none\n"},
    {"UPDATE authority SET token_label = 'other'", ""}, /* not something the ledger can know better */
};

/* Each line of found must be the beginning of a finding, in order, and no finding may be left. */
static void compare_findings(const char *sql, const char *found, const char *have)
{
    const char *f = found, *h = have;

    while (*f && *h) {
        size_t len = strcspn(f, "\n");

        if (strncmp(f, h, len) != 0)
            break;
        f += len + 1;
        h += strcspn(h, "\n") + 1;
    }
    if (*f || *h)
        fail_msg("after %s\nwant:\n%s\nhave:\n%s", sql, found, have);
}

static void check_finds(void **state)
{
    const struct tampering *t = *state;
    struct place *p;
    struct text found = {.s = ""};
    void *fresh = NULL;

    assert_int_equal(set_up(&fresh), 0);
    p = fresh;
    with_factory(p);
    issue(p, 1);
    reserve(p, 2);
    ok(p, ledger_begin(p->l, &p->err));
    ok(p, w_event(p));
    ok(p, ledger_commit(p->l, &p->err));
    check_says(p, "");
    raw_ok(p, t->sql);
    ok(p, ledger_check(p->l, add_finding, &found, &p->err));
    compare_findings(t->sql, t->found, found.s);
    tear_down(&fresh);
}

/* The same for CRLs: the ledger has CRLs 1 and 2, events 1 key, 2 and 3 crl. */
#define DROP_CRL "DROP TRIGGER crl_insert; DROP TRIGGER crl_update; DROP TRIGGER crl_delete;"
#define CRL      "authority 'factory': CRL "

static const struct tampering crl_tamperings[] = {
    {DROP_CRL "UPDATE crl SET der = zeroblob(300) WHERE number = 2",
        CRL "2: SHA-256 column does not fit the CRL\n"},
    {DROP_CRL "UPDATE crl SET der = NULL WHERE number = 2", CRL "2: want its octets, have none\n"},
    {DROP_CRL "UPDATE crl SET der = x'00', sha256 = "
              "x'6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d' WHERE number = 2",
        CRL "2: want a 'crl' event with its SHA-256, have none\n"
            "event 3: CRL of authority 'factory': want it, have none\n"},
    {DROP_CRL "UPDATE crl SET this_update = 1800000100 WHERE number = 2",
        CRL "2: thisUpdate: not after that of CRL 1\n"},
    {DROP_CRL "DELETE FROM crl WHERE number = 1",
        "database: crl_scope row ?: want the crl it refers to, have none\n" CRL
        "2: want CRL 1 before it, have none\n"
        "event 2: CRL of authority 'factory': want it, have "
        "none\n"},
    {DROP_CRL "DELETE FROM crl WHERE number = 2",
        "database: crl_scope row ?: want the crl it refers to, have none\nevent 3: CRL of authority "
        "'factory': want it, have none\n"},
};

static void check_finds_in_crls(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(crl_tamperings) / sizeof(crl_tamperings[0]); i++) {
        struct text found = {.s = ""};
        void *fresh = NULL;
        struct place *p;

        assert_int_equal(set_up(&fresh), 0);
        p = fresh;
        with_factory(p);
        ok(p, put_crl(p, crl_of(1)));
        ok(p, put_crl(p, crl_of(2)));
        raw_ok(p, crl_tamperings[i].sql);
        ok(p, ledger_check(p->l, add_finding, &found, &p->err));
        compare_findings(crl_tamperings[i].sql, crl_tamperings[i].found, found.s);
        tear_down(&fresh);
    }
}

/* Foreign text in a finding must not reach the terminal as it is. */
static void check_escapes(void **state)
{
    struct place *p = *state;

    with_factory(p);
    raw_ok(p, DROP_AUTHORITY "UPDATE authority SET name = 'a' || char(27) || '[2J', spki = zeroblob(1)");
    check_says(p, "authority 'a\\x1b[2J': key: SHA-256 column does not fit the key\n");
}

static void check_survives_a_damaged_file(void **state)
{
    struct place *p = *state;
    struct text t = {.s = ""};
    FILE *f;
    int r;

    with_factory(p);
    issue(p, 1);
    ledger_close(p->l);
    p->l = NULL;
    f = fopen(p->path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, 4096, SEEK_SET), 0); /* all pages but the first */
    for (r = 0; r < 20 * 4096; r++)
        fputc(0xa5, f);
    fclose(f);
    if (ledger_open(p->path, LEDGER_READ, NOW, &p->l, &p->err) == 0)
        r = ledger_check(p->l, add_finding, &t, &p->err);
    else
        r = -1;
    assert_true(r == -1 || t.n > 0);
    if (r == -1)
        refused(p, r, "LEDGER_CORRUPT",
            "%P: damaged: the database's structure is broken, restore it from a backup");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static int run_tamperings(void)
{
    enum { N = sizeof(tamperings) / sizeof(tamperings[0]) };
    struct CMUnitTest tests[N];
    static char names[N][32];
    size_t i;

    memset(tests, 0, sizeof(tests));
    for (i = 0; i < N; i++) {
        union {
            const struct tampering *c;
            void *v;
        } u = {&tamperings[i]};

        snprintf(names[i], sizeof(names[i]), "check_finds row %zu", i);
        tests[i].name = names[i];
        tests[i].test_func = check_finds;
        tests[i].initial_state = u.v;
    }
    return _cmocka_run_group_tests("check_finds", tests, N, NULL, NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(open_makes_a_private_file),
        TEST(open_refuses_what_is_not_there),
        TEST(open_refuses_foreign_databases),
        TEST(open_refuses_newer_versions),
        TEST(version_1_is_brought_up),
        TEST(version_1_ends_like_a_new_one),
        TEST(version_2_is_brought_up),
        TEST(version_2_ends_like_a_new_one),
        TEST(open_refuses_other_files),
        TEST(open_finishes_a_killed_create),
        TEST(open_many_at_once),
        TEST(read_refuses_to_write),
        TEST(read_beside_a_writer),
        TEST(writes_want_a_transaction),
        TEST(rollback_takes_all_back),
        TEST(commit_refuses_half_a_write),
        TEST(second_writer_waits_and_is_told),
        TEST(chain_holds_between_processes),
        cmocka_unit_test_setup_teardown(failed_commit_leaves_nothing, failing_disk, failing_disk_done),
        TEST(commit_survives_a_kill),
        TEST(clock_set_back),
        TEST(authority_keeps_its_key),
        TEST(authority_keeps_its_certificate),
        TEST(authorities_are_walked_and_found_by_key),
        TEST(certificate_is_reserved_issued_published),
        TEST(reserve_refuses_used_serials),
        TEST(reserve_refuses_malformed_rows),
        TEST(issue_wants_a_reserved_row),
        TEST(publish_wants_a_certificate),
        TEST(publish_run_is_one_for_each),
        TEST(publish_elsewhere_is_an_event),
        TEST(renewal_supersedes),
        TEST(lot_of_the_same_input_is_the_same),
        TEST(find_gives_the_newest),
        TEST(reading_sees_one_state),
        TEST(find_wants_all_of_the_key),
        TEST(knows_keys_and_devices_in_any_state),
        TEST(keys_are_found_while_put_off),
        TEST(open_brings_the_keys_up),
        TEST(keys_of_a_rollback_are_forgotten),
        TEST(keys_of_all_kinds_of_rows_are_found),
        TEST(keys_of_others_are_found),
        TEST(a_large_lot_brings_the_keys_up),
        TEST(each_takes_every_filter),
        TEST(walks_use_indexes),
        TEST(each_stops_when_told),
        cmocka_unit_test(status_names),
        TEST(event_says_who_where_when),
        TEST(event_refuses_unknown_kinds),
        TEST(config_is_noted_once),
        TEST(chain_is_as_documented),
        TEST(crls_are_numbered),
        TEST(put_crl_refuses),
        TEST(revoked_are_walked),
        TEST(revoked_for_good),
        TEST(holds_go_either_way),
        TEST(a_hold_of_what_was_replaced),
        TEST(changes_are_walked),
        TEST(revocations_are_kept),
        TEST(crls_are_the_authority_s_own),
        TEST(ticket_counts),
        TEST(ticket_is_of_its_authority),
        TEST(ticket_ends),
        TEST(rollback_counts_nothing),
        TEST(ticket_keeps_its_text),
        cmocka_unit_test(check_finds_in_tickets),
        TEST(triggers_hold_against_others),
        TEST(foreign_rows_are_taken_over),
        TEST(foreign_crl_numbers_go_on),
        TEST(foreign_rows_are_checked),
        cmocka_unit_test(check_finds_in_crls),
        TEST(check_escapes),
        TEST(check_survives_a_damaged_file),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    return run_tamperings() + failed;
}
