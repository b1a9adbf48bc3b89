/* The life of a certificate: reserved, issued, published. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ledger/authorities.h"
#include "ledger/events.h"
#include "ledger/keys.h"
#include "ledger/row.h"

#define SERIAL_MIN 8  /* 64 random bits, CA/Browser Forum BR 7.1 */
#define SERIAL_MAX 20 /* RFC 5280 4.1.2.2 */

static const char *const status_names[] = {
    [LEDGER_RESERVED] = "reserved",
    [LEDGER_ISSUED] = "issued",
    [LEDGER_SUPERSEDED] = "superseded",
    [LEDGER_REVOKED] = "revoked",
};
#define N_STATUS (sizeof(status_names) / sizeof(status_names[0]))

const char *ledger_status_name(enum ledger_status s)
{
    return (size_t)s < N_STATUS ? status_names[s] : "?";
}

int ledger_status_from_name(const char *word)
{
    size_t i;

    for (i = 0; i < N_STATUS; i++) {
        if (strcmp(status_names[i], word) == 0)
            return (int)i;
    }
    return -1;
}

/* Two encodings of one number would be two serials to the index: only the shortest is taken, X.690 8.3.2. */
static int check_serial(struct blob serial, struct p11ca_err *err)
{
    if (serial.len < SERIAL_MIN || serial.len > SERIAL_MAX)
        return err_set(err, P11CA_LEDGER, "SERIAL_LENGTH",
            "RFC 5280 4.1.2.2: serial: want %d to %d octets, have %zu", SERIAL_MIN, SERIAL_MAX, serial.len);
    if (serial.p[0] & 0x80)
        return err_set(err, P11CA_LEDGER, "SERIAL_NEGATIVE",
            "RFC 5280 4.1.2.2: serial: want a positive number, have first octet %02X", serial.p[0]);
    if (serial.p[0] == 0 && !(serial.p[1] & 0x80))
        return err_set(err, P11CA_LEDGER, "SERIAL_PADDED",
            "X.690 8.3.2: serial: want the shortest form, have a leading 00");
    return 0;
}

static int collision(const struct ledger_cert *row, struct p11ca_err *err)
{
    char hex[2 * SERIAL_MAX + 1];

    text_hex(row->serial.p, row->serial.len, hex);
    return err_set(err, P11CA_LEDGER, "SERIAL_COLLISION",
        "authority '%s': serial %s: want one it has not used, have one in the ledger", row->authority, hex);
}

/* Asked before the insert and not concluded from its failure: a refusal must leave the transaction whole. */
static int check_unused(
    struct ledger *l, int64_t authority, const struct ledger_cert *row, struct p11ca_err *err)
{
    static const char text[] = "SELECT 1 FROM certificate WHERE serial = ? AND authority = ?";
    AUTO_SQL s = SQL_INIT;
    int r;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_blob(&s, row->serial);
    sql_int(&s, authority);
    r = sql_step(&s, err);
    return r > 0 ? collision(row, err) : r;
}

static int insert(struct ledger *l, int64_t authority, const struct ledger_cert *row, struct p11ca_err *err)
{
    static const char text[] =
        "INSERT INTO certificate (authority, serial, status, profile, device, subject, sans,"
        " sig_alg, spki_sha256, request_sha256, tbs_sha256, not_before, not_after, lot,"
        " supersedes, ticket, reserved_at) VALUES (?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, authority);
    sql_blob(&s, row->serial);
    sql_text(&s, row->profile);
    sql_text(&s, row->device);
    sql_text(&s, row->subject);
    sql_text(&s, row->sans);
    sql_text(&s, row->sig_alg);
    sql_blob(&s, row->spki_sha256);
    sql_blob(&s, row->request_sha256);
    sql_blob(&s, row->tbs_sha256);
    sql_int(&s, row->not_before);
    sql_int(&s, row->not_after);
    sql_int_or_null(&s, row->lot);
    sql_int_or_null(&s, row->supersedes);
    sql_int_or_null(&s, row->ticket);
    sql_int(&s, l->now);
    return sql_run(&s, err);
}

int ledger_reserve(struct ledger *l, const struct ledger_cert *row, int64_t *ret_id, struct p11ca_err *err)
{
    int64_t authority;

    if (ledger_need_transaction(l, err) != 0 || check_serial(row->serial, err) != 0 ||
        authorities_id(l, row->authority, &authority, err) != 0 ||
        check_unused(l, authority, row, err) != 0 || insert(l, authority, row, err) != 0)
        return -1;
    *ret_id = sqlite3_last_insert_rowid(l->db);
    keys_add(l, *ret_id, row->spki_sha256);
    return 0;
}

/* What the next step of a certificate's life has to know of it; borrowed from the statement. */
struct state {
    enum ledger_status status;
    const char *authority, *profile, *path;
    struct blob serial;
    int64_t supersedes;
    struct blob superseded; /* serial */
    struct blob tbs_sha256;
    const char *ticket; /* its ID */
};
static const struct row_column state_columns[] = {
    {ROW_STATUS, offsetof(struct state, status)},
    {ROW_TEXT, offsetof(struct state, authority)},
    {ROW_TEXT, offsetof(struct state, profile)},
    {ROW_TEXT, offsetof(struct state, path)},
    {ROW_BLOB, offsetof(struct state, serial)},
    {ROW_INT64, offsetof(struct state, supersedes)},
    {ROW_BLOB, offsetof(struct state, superseded)},
    {ROW_BLOB, offsetof(struct state, tbs_sha256)},
    {ROW_TEXT, offsetof(struct state, ticket)},
};
static const struct row_shape state_shape = {
    state_columns, sizeof(state_columns) / sizeof(state_columns[0]), sizeof(struct state)};

static int read_state(struct sql *s, struct ledger *l, int64_t id, struct state *ret, struct p11ca_err *err)
{
    static const char text[] =
        "SELECT status, (SELECT name FROM authority WHERE id = c.authority), profile, path,"
        " serial, supersedes, (SELECT serial FROM certificate WHERE id = c.supersedes), tbs_sha256,"
        " (SELECT name FROM ticket WHERE id = c.ticket) FROM certificate c WHERE id = ?";
    int r;

    if (ledger_need_transaction(l, err) != 0 || sql_begin(s, l, text, err) != 0)
        return -1;
    sql_int(s, id);
    r = sql_step(s, err);
    if (r < 0)
        return -1;
    if (r == 0)
        return err_set(
            err, P11CA_LEDGER, "ROW_UNKNOWN", "certificate row %lld: not in the ledger", (long long)id);
    row_borrow(s, &state_shape, ret);
    return 0;
}

static int want_reserved(int64_t id, enum ledger_status have, struct p11ca_err *err)
{
    if (have == LEDGER_RESERVED)
        return 0;
    return err_set(err, P11CA_LEDGER, "NOT_RESERVED", "certificate row %lld: status: want reserved, have %s",
        (long long)id, ledger_status_name(have));
}

int ledger_rebuild(struct ledger *l, int64_t id, struct blob tbs_sha256, int64_t not_before,
    int64_t not_after, struct p11ca_err *err)
{
    static const char text[] =
        "UPDATE certificate SET tbs_sha256 = ?, not_before = ?, not_after = ? WHERE id = ?";
    AUTO_SQL read = SQL_INIT;
    AUTO_SQL s = SQL_INIT;
    struct state state;

    if (read_state(&read, l, id, &state, err) != 0 || want_reserved(id, state.status, err) != 0 ||
        sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_blob(&s, tbs_sha256);
    sql_int(&s, not_before);
    sql_int(&s, not_after);
    sql_int(&s, id);
    return sql_run(&s, err);
}

static int update_issued(
    struct ledger *l, int64_t id, struct blob cert, const uint8_t sha256[SHA256_LEN], struct p11ca_err *err)
{
    static const char text[] =
        "UPDATE certificate SET status = 1, cert = ?, cert_sha256 = ?, issued_at = ?, event = ?"
        " WHERE id = ?";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_blob(&s, cert);
    sql_digest(&s, sha256);
    sql_int(&s, l->now);
    sql_int(&s, l->head.seq);
    sql_int(&s, id);
    return sql_run(&s, err);
}

/* A revoked one stays revoked: to be superseded is less. */
static int supersede(struct ledger *l, int64_t id, struct p11ca_err *err)
{
    static const char text[] = "UPDATE certificate SET status = 2 WHERE id = ? AND status = 1";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, id);
    return sql_run(&s, err);
}

/* "supersedes SERIAL; ticket ID": the chain of events keeps what the columns say. */
static void issue_detail(const struct state *state, char *dst, size_t size)
{
    bool superseded = state->superseded.len && state->superseded.len <= SERIAL_MAX;
    char serial[2 * SERIAL_MAX + 1] = "";

    if (superseded)
        text_hex(state->superseded.p, state->superseded.len, serial);
    snprintf(dst, size, "%s%s%s%s%s", superseded ? "supersedes " : "", serial,
        superseded && state->ticket ? "; " : "", state->ticket ? "ticket " : "",
        state->ticket ? state->ticket : "");
}

static int append_issue(
    struct ledger *l, const struct state *state, const uint8_t cert_sha256[SHA256_LEN], struct p11ca_err *err)
{
    char detail[256];
    struct ledger_event e = {.kind = "issue",
        .authority = state->authority,
        .profile = state->profile,
        .serial = state->serial,
        .digest = {cert_sha256, SHA256_LEN}};

    issue_detail(state, detail, sizeof(detail));
    if (detail[0])
        e.detail = detail;
    return events_append(l, &e, err);
}

static int issue(
    struct ledger *l, int64_t id, const struct state *state, struct blob cert, struct p11ca_err *err)
{
    uint8_t sha256[SHA256_LEN];

    if (cert.len == 0)
        return err_set(
            err, P11CA_BUG, "CERT_EMPTY", "certificate row %lld: want DER, have no octets", (long long)id);
    if (hash_sha256(cert.p, cert.len, sha256) != 0)
        return err_openssl(err, P11CA_BUG, "certificate row %lld: SHA-256", (long long)id);
    /* The event first: the row points to it. */
    if (append_issue(l, state, sha256, err) != 0 || update_issued(l, id, cert, sha256, err) != 0)
        return -1;
    return state->supersedes ? supersede(l, state->supersedes, err) : 0;
}

int ledger_issue(
    struct ledger *l, int64_t id, struct blob tbs_sha256, struct blob cert, struct p11ca_err *err)
{
    AUTO_SQL read = SQL_INIT;
    struct state state;

    if (read_state(&read, l, id, &state, err) != 0 || want_reserved(id, state.status, err) != 0)
        return -1;
    if (state.tbs_sha256.len != tbs_sha256.len ||
        memcmp(state.tbs_sha256.p, tbs_sha256.p, tbs_sha256.len) != 0)
        return err_set(err, P11CA_LEDGER, "ROW_REBUILT",
            "certificate row %lld: another process has taken the order over; give it again", (long long)id);
    return issue(l, id, &state, cert, err);
}

int ledger_issue_own(struct ledger *l, const struct ledger_cert *row, struct blob cert, struct p11ca_err *err)
{
    const struct state state = {.status = LEDGER_RESERVED,
        .authority = row->authority,
        .profile = row->profile,
        .serial = row->serial,
        .ticket = row->ticket_id};

    /* What it supersedes is told in the event. */
    if (row->supersedes)
        return ledger_issue(l, row->id, row->tbs_sha256, cert, err);
    return ledger_need_transaction(l, err) == 0 ? issue(l, row->id, &state, cert, err) : -1;
}

static int update_published(struct ledger *l, int64_t id, const char *path, struct p11ca_err *err)
{
    static const char text[] =
        "UPDATE certificate SET path = coalesce(?, path), published_at = ? WHERE id = ?";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_text(&s, path);
    sql_int(&s, l->now);
    sql_int(&s, id);
    return sql_run(&s, err);
}

static int append_publish(
    struct ledger *l, const struct state *state, const char *path, struct p11ca_err *err)
{
    struct ledger_event e = {.kind = "publish",
        .authority = state->authority,
        .profile = state->profile,
        .serial = state->serial,
        .detail = path};

    return events_append(l, &e, err);
}

/* For the first time: 1; 0 there is more to know of the row. */
static int publish_first(struct ledger *l, int64_t id, const char *path, struct p11ca_err *err)
{
    static const char text[] = "UPDATE certificate SET path = ?, published_at = ?"
                               " WHERE id = ? AND status <> 0 AND path IS NULL";
    AUTO_SQL s = SQL_INIT;

    if (ledger_need_transaction(l, err) != 0 || sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_text(&s, path);
    sql_int(&s, l->now);
    sql_int(&s, id);
    return sql_run(&s, err) == 0 ? sqlite3_changes(l->db) == 1 : -1;
}

int ledger_publish(struct ledger *l, int64_t id, const char *path, struct p11ca_err *err)
{
    AUTO_SQL read = SQL_INIT;
    struct state state;
    int r = publish_first(l, id, path, err);

    if (r != 0)
        return r > 0 ? 0 : -1;
    if (read_state(&read, l, id, &state, err) != 0)
        return -1;
    if (state.status == LEDGER_RESERVED)
        return err_set(err, P11CA_LEDGER, "NOT_ISSUED",
            "certificate row %lld: status: want issued, have reserved: nothing to publish", (long long)id);
    if (!path)
        return 0;
    if (state.path && strcmp(state.path, path) != 0 && append_publish(l, &state, path, err) != 0)
        return -1;
    return update_published(l, id, path, err);
}

int ledger_publish_run(struct ledger *l, int64_t first, size_t n, struct p11ca_err *err)
{
    static const char text[] = "UPDATE certificate SET published_at = ?"
                               " WHERE id BETWEEN ? AND ? AND status <> 0 AND path IS NULL";
    int64_t end = first + (int64_t)n;
    AUTO_SQL s = SQL_INIT;

    if (ledger_need_transaction(l, err) != 0 || sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, l->now);
    sql_int(&s, first);
    sql_int(&s, end - 1);
    if (sql_run(&s, err) != 0)
        return -1;
    if ((size_t)sqlite3_changes(l->db) == n)
        return 0;
    /* Of some there is more to know. */
    for (; first < end; first++) {
        if (ledger_publish(l, first, NULL, err) != 0)
            return -1;
    }
    return 0;
}
