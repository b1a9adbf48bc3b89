/* Certificates of another CA program: taken over in batches, each batch one event with a digest over its rows. */
#include "ledger/import.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ledger/authorities.h"
#include "ledger/events.h"
#include "ledger/keys.h"
#include "ledger/row.h"

#define SERIAL_MAX 20 /* RFC 5280 4.1.2.2 */

/* --- the digest --- */

static void add_number(struct buf *b, int64_t v)
{
    unsigned i;

    for (i = 0; i < 8; i++)
        buf_addc(b, (uint8_t)((uint64_t)v >> (56 - 8 * i)));
}

static void add_bytes(struct buf *b, const void *p, size_t len)
{
    add_number(b, (int64_t)len);
    buf_add(b, p, len);
}

/* What a row is, and what it came with. The reason only with a revocation: else there is none. */
struct essence {
    struct blob serial, cert_sha256;
    const char *subject;
    int64_t not_before, not_after, revoked_at, reason;
};

static void add_essence(struct buf *b, const struct essence *e)
{
    add_bytes(b, e->serial.p, e->serial.len);
    add_bytes(b, e->cert_sha256.p, e->cert_sha256.len);
    add_bytes(b, e->subject, strlen(e->subject));
    add_number(b, e->not_before);
    add_number(b, e->not_after);
    add_number(b, e->revoked_at);
    add_number(b, e->revoked_at ? e->reason : -1);
}

static int digest(struct buf *b, uint8_t ret[SHA256_LEN], struct p11ca_err *err)
{
    if (!buf_ok(b))
        return err_nomem(err);
    return hash_sha256(b->p, b->len, ret) == 0 ? 0 : err_openssl(err, P11CA_BUG, "import: SHA-256");
}

static int cert_digest(
    const struct ledger_foreign *row, uint8_t sha256[SHA256_LEN], struct blob *ret, struct p11ca_err *err)
{
    *ret = (struct blob){NULL, 0};
    if (!row->cert.len)
        return 0;
    if (hash_sha256(row->cert.p, row->cert.len, sha256) != 0)
        return err_openssl(err, P11CA_BUG, "import: SHA-256");
    *ret = (struct blob){sha256, SHA256_LEN};
    return 0;
}

static int add_row(struct buf *b, const struct ledger_foreign *row, struct p11ca_err *err)
{
    uint8_t sha256[SHA256_LEN];
    struct essence e = {.serial = row->serial,
        .subject = row->subject,
        .not_before = row->not_before,
        .not_after = row->not_after,
        .revoked_at = row->revoked_at,
        .reason = row->reason};

    if (cert_digest(row, sha256, &e.cert_sha256, err) != 0)
        return -1;
    add_essence(b, &e);
    return 0;
}

/* --- taking over --- */

static int check_serial(struct blob serial, struct p11ca_err *err)
{
    if (serial.len < 1 || serial.len > SERIAL_MAX)
        return err_set(err, P11CA_LEDGER, "SERIAL_LENGTH",
            "RFC 5280 4.1.2.2: serial: want 1 to %d octets, have %zu", SERIAL_MAX, serial.len);
    if (serial.p[0] & 0x80)
        return err_set(err, P11CA_LEDGER, "SERIAL_NEGATIVE",
            "RFC 5280 4.1.2.2: serial: want a positive number, have first octet %02X", serial.p[0]);
    if (serial.len > 1 && serial.p[0] == 0 && !(serial.p[1] & 0x80))
        return err_set(err, P11CA_LEDGER, "SERIAL_PADDED",
            "X.690 8.3.2: serial: want the shortest form, have a leading 00");
    return 0;
}

/* A CRL that lists it so could not be signed, and nothing takes it out again. */
static int check_reason(const struct ledger_foreign *row, struct p11ca_err *err)
{
    if (!row->revoked_at || row->reason != 8)
        return 0;
    return err_set(
        err, P11CA_LEDGER, "REASON", "RFC 5280 5.3.1: reason: want that of a revocation, have removeFromCRL");
}

static int check_row(
    struct ledger *l, const char *authority, const struct ledger_foreign *row, struct p11ca_err *err)
{
    char hex[2 * SERIAL_MAX + 1];
    struct ledger_known known;
    int r;

    if (check_serial(row->serial, err) != 0 || check_reason(row, err) != 0 ||
        (r = ledger_find_known(l, authority, row->serial, &known, err)) < 0)
        return -1;
    if (r == 0)
        return 0;
    text_hex(row->serial.p, row->serial.len, hex);
    return err_set(err, P11CA_LEDGER, "SERIAL_COLLISION",
        "authority '%s': serial %s: want one it has not used, have one in the ledger", authority, hex);
}

static int append_import(struct ledger *l, const char *authority, const struct ledger_foreign *rows, size_t n,
    struct p11ca_err *err)
{
    AUTO_BUF b = BUF_INIT;
    uint8_t sha256[SHA256_LEN];
    char detail[64];
    struct ledger_event e = {.kind = "import",
        .authority = authority,
        .profile = "imported",
        .detail = detail,
        .digest = {sha256, sizeof(sha256)}};
    size_t i;

    for (i = 0; i < n; i++) {
        if (add_row(&b, &rows[i], err) != 0)
            return -1;
    }
    if (digest(&b, sha256, err) != 0)
        return -1;
    snprintf(detail, sizeof(detail), "%zu certificate%s", n, n == 1 ? "" : "s");
    return events_append(l, &e, err);
}

static void bind_reason(struct sql *s, const struct ledger_foreign *row)
{
    if (row->revoked_at && row->reason >= 0)
        sql_int(s, row->reason);
    else
        sql_int_or_null(s, 0);
}

static void bind_revocation(struct sql *s, const struct ledger_foreign *row)
{
    sql_int_or_null(s, row->revoked_at);
    sql_int_or_null(s, row->revoked_at ? row->invalid_since : 0);
    bind_reason(s, row);
}

static int insert(
    struct ledger *l, int64_t authority, const struct ledger_foreign *row, int64_t lot, struct p11ca_err *err)
{
    static const char text[] =
        "INSERT INTO certificate (authority, serial, status, profile, subject, sans, sig_alg, spki_sha256,"
        " tbs_sha256, not_before, not_after, lot, reserved_at, imported_at, event, cert, cert_sha256,"
        " revoked_at, invalid_since, reason, imported_revoked, imported_reason, changed)"
        " VALUES (?, ?, ?, 'imported', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    AUTO_SQL s = SQL_INIT;
    uint8_t sha256[SHA256_LEN];
    struct blob cert_sha256;

    if (cert_digest(row, sha256, &cert_sha256, err) != 0 || sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, authority);
    sql_blob(&s, row->serial);
    sql_int(&s, row->revoked_at ? LEDGER_REVOKED : LEDGER_ISSUED);
    sql_text(&s, row->subject);
    sql_text(&s, row->sans);
    sql_text(&s, row->sig_alg);
    sql_blob(&s, row->spki_sha256);
    sql_blob(&s, row->tbs_sha256);
    sql_int(&s, row->not_before);
    sql_int(&s, row->not_after);
    sql_int_or_null(&s, lot);
    sql_int(&s, l->now);
    sql_int(&s, l->now);
    sql_int(&s, l->head.seq);
    sql_blob(&s, row->cert);
    sql_blob(&s, cert_sha256);
    bind_revocation(&s, row);
    sql_int_or_null(&s, row->revoked_at);
    bind_reason(&s, row);
    sql_int_or_null(&s, row->revoked_at ? l->head.seq : 0);
    if (sql_run(&s, err) != 0)
        return -1;
    keys_add(l, sqlite3_last_insert_rowid(l->db), row->spki_sha256);
    return 0;
}

int ledger_import(struct ledger *l, const char *authority, const struct ledger_foreign *rows, size_t n,
    int64_t lot, struct p11ca_err *err)
{
    int64_t id;
    size_t i;

    if (ledger_need_transaction(l, err) != 0 || authorities_id(l, authority, &id, err) != 0)
        return -1;
    for (i = 0; i < n; i++) {
        if (check_row(l, authority, &rows[i], err) != 0)
            return -1;
    }
    /* The event first: the rows point to it. */
    if (append_import(l, authority, rows, n, err) != 0)
        return -1;
    for (i = 0; i < n; i++) {
        if (insert(l, id, &rows[i], lot, err) != 0)
            return -1;
    }
    return 0;
}

int ledger_find_known(struct ledger *l, const char *authority, struct blob serial, struct ledger_known *ret,
    struct p11ca_err *err)
{
    static const char text[] = "SELECT id, status, imported_at NOTNULL, cert_sha256, coalesce(reason, -1) "
                               "FROM certificate WHERE serial = ?"
                               " AND authority = (SELECT id FROM authority WHERE name = ?)";
    AUTO_SQL s = SQL_INIT;
    struct blob sha256;
    int r;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_blob(&s, serial);
    sql_text(&s, authority);
    r = sql_step(&s, err);
    if (r <= 0)
        return r;
    sha256 = sql_col_blob(&s, 3);
    *ret = (struct ledger_known){.id = sql_col_int(&s, 0),
        .status = (enum ledger_status)sql_col_int(&s, 1),
        .imported = sql_col_int(&s, 2) != 0,
        .reason = (int)sql_col_int(&s, 4),
        .has_cert = sha256.len == SHA256_LEN};
    if (ret->has_cert)
        memcpy(ret->cert_sha256, sha256.p, SHA256_LEN);
    return 1;
}

/* --- what the program before did since --- */

/* The event first: the row points to it. */
static int append_revoke(
    struct ledger *l, int64_t id, const struct ledger_foreign *row, struct p11ca_err *err)
{
    static const char text[] =
        "SELECT (SELECT name FROM authority WHERE id = c.authority), cert_sha256"
        " FROM certificate c WHERE id = ? AND status IN (1, 2) AND imported_at NOTNULL";
    AUTO_SQL s = SQL_INIT;
    char when[TEXT_TIME], detail[96];
    struct ledger_event e = {
        .kind = "revoke", .profile = "imported", .serial = row->serial, .detail = detail};
    int r;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, id);
    r = sql_step(&s, err);
    if (r < 0)
        return -1;
    if (r == 0)
        return err_set(err, P11CA_LEDGER, "NOT_IMPORTED",
            "certificate row %lld: want one that was imported and is not revoked, have another",
            (long long)id);
    e.authority = sql_col_text(&s, 0);
    e.digest = sql_col_blob(&s, 1);
    text_time(row->revoked_at, when);
    snprintf(detail, sizeof(detail), "reason (%d), imported: revoked at %s",
        row->reason < 0 ? 0 : row->reason, when);
    return events_append(l, &e, err);
}

int ledger_import_revoked(
    struct ledger *l, int64_t id, const struct ledger_foreign *row, struct p11ca_err *err)
{
    static const char text[] =
        "UPDATE certificate SET revoked_at = ?, invalid_since = ?, reason = ?, revoked_from = status,"
        " status = 3, changed = ? WHERE id = ?";
    AUTO_SQL s = SQL_INIT;

    if (ledger_need_transaction(l, err) != 0 || check_reason(row, err) != 0 ||
        append_revoke(l, id, row, err) != 0 || sql_begin(&s, l, text, err) != 0)
        return -1;
    bind_revocation(&s, row);
    sql_int(&s, l->head.seq);
    sql_int(&s, id);
    return sql_run(&s, err);
}

static int set_floor(
    struct ledger *l, int64_t authority, int64_t number, int64_t this_update, struct p11ca_err *err)
{
    static const char text[] = "UPDATE authority SET crl_floor = ?, crl_floor_time = ? WHERE id = ?";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, number);
    sql_int_or_null(&s, this_update);
    sql_int(&s, authority);
    return sql_run(&s, err);
}

int ledger_import_crl(struct ledger *l, const char *authority, int64_t number, int64_t this_update,
    const uint8_t *sha256, struct p11ca_err *err)
{
    char detail[64];
    struct ledger_event e = {.kind = "import-crl",
        .authority = authority,
        .detail = detail,
        .digest = {sha256, sha256 ? SHA256_LEN : 0}};
    const struct ledger_scope scope = {.authority = authority};
    struct ledger_crl_next next;
    int64_t id;

    if (ledger_need_transaction(l, err) != 0 || authorities_id(l, authority, &id, err) != 0 ||
        ledger_next_crl(l, &scope, &next, err) != 0)
        return -1;
    if (number < next.number)
        return 0;
    snprintf(detail, sizeof(detail), "CRL number %" PRId64, number);
    if (set_floor(l, id, number, this_update > next.last ? this_update : next.last, err) != 0 ||
        events_append(l, &e, err) != 0)
        return -1;
    return 1;
}

/* --- audit --- */

/* The rows of one event, as the walk comes by. */
struct batch {
    ledger_finding_fn *finding;
    void *arg;
    int64_t seq; /* 0: none yet */
    uint8_t want[SHA256_LEN];
    bool has_rows;
    struct buf essences;
};

static int end_batch(struct batch *b, struct p11ca_err *err)
{
    uint8_t have[SHA256_LEN];
    char text[128];

    if (!b->seq)
        return 0;
    if (digest(&b->essences, have, err) != 0)
        return -1;
    if (b->has_rows && memcmp(have, b->want, SHA256_LEN) == 0)
        return 0;
    snprintf(text, sizeof(text), "event %" PRId64 ": import: %s", b->seq,
        b->has_rows ? "its rows are not those that were imported" : "want its rows, have none");
    b->finding(b->arg, text);
    return 0;
}

static void begin_batch(struct batch *b, const struct sql *s)
{
    struct blob want = sql_col_blob(s, 1);

    b->seq = sql_col_int(s, 0);
    memset(b->want, 0, sizeof(b->want));
    if (want.len == SHA256_LEN)
        memcpy(b->want, want.p, SHA256_LEN);
    b->has_rows = false;
    buf_reset(&b->essences);
}

static void add_to_batch(struct batch *b, const struct sql *s)
{
    const char *subject = sql_col_text(s, 4);
    const struct essence e = {.serial = sql_col_blob(s, 2),
        .cert_sha256 = sql_col_blob(s, 3),
        .subject = subject ? subject : "",
        .not_before = sql_col_int(s, 5),
        .not_after = sql_col_int(s, 6),
        .revoked_at = sql_col_int(s, 7),
        .reason = sql_col_int(s, 8)};

    if (!e.serial.len)
        return; /* of the outer join: no row at all */
    b->has_rows = true;
    add_essence(&b->essences, &e);
}

static int walk(struct batch *b, struct sql *s, struct p11ca_err *err)
{
    int r;

    while ((r = sql_step(s, err)) > 0) {
        if (sql_col_int(s, 0) != b->seq) {
            if (end_batch(b, err) != 0)
                return -1;
            begin_batch(b, s);
        }
        add_to_batch(b, s);
    }
    return r == 0 ? end_batch(b, err) : -1;
}

int import_check(struct ledger *l, ledger_finding_fn *finding, void *arg, struct p11ca_err *err)
{
    static const char text[] =
        "SELECT e.seq, e.digest, c.serial, c.cert_sha256, c.subject, c.not_before, c.not_after,"
        " c.imported_revoked, coalesce(c.imported_reason, -1) FROM event e LEFT JOIN certificate c ON "
        "c.event = e.seq"
        " WHERE e.kind = 'import' ORDER BY e.seq, c.id";
    AUTO_SQL s = SQL_INIT;
    struct batch b = {.finding = finding, .arg = arg};
    int rc;

    if (sql_begin_once(&s, l, text, err) != 0)
        return -1;
    rc = walk(&b, &s, err);
    buf_done(&b.essences);
    return rc;
}
