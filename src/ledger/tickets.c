/* Lot tickets: what was signed, and how many certificates are counted on it. The triggers of the table count. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ledger/authorities.h"
#include "ledger/events.h"
#include "ledger/row.h"

static const struct row_column columns[] = {
    {ROW_INT64, offsetof(struct ledger_ticket, row)},
    {ROW_TEXT, offsetof(struct ledger_ticket, id)},
    {ROW_TEXT, offsetof(struct ledger_ticket, authority)},
    {ROW_BLOB, offsetof(struct ledger_ticket, sha256)},
    {ROW_BLOB, offsetof(struct ledger_ticket, text)},
    {ROW_BLOB, offsetof(struct ledger_ticket, cms)},
    {ROW_INT64, offsetof(struct ledger_ticket, max)},
    {ROW_INT64, offsetof(struct ledger_ticket, used)},
    {ROW_INT64, offsetof(struct ledger_ticket, recorded_at)},
};
static const struct row_shape shape = {
    columns, sizeof(columns) / sizeof(columns[0]), sizeof(struct ledger_ticket)};

int ledger_find_ticket(struct ledger *l, const uint8_t sha256[SHA256_LEN], int64_t *ret_row,
    int64_t *ret_left, struct p11ca_err *err)
{
    static const char text[] = "SELECT id, max - used FROM ticket WHERE sha256 = ?";
    AUTO_SQL s = SQL_INIT;
    int r;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_digest(&s, sha256);
    r = sql_step(&s, err);
    if (r > 0) {
        *ret_row = sql_col_int(&s, 0);
        *ret_left = sql_col_int(&s, 1);
    }
    return r;
}

static int refuse_other(
    const char *id, const uint8_t want[SHA256_LEN], const uint8_t have[SHA256_LEN], struct p11ca_err *err)
{
    char want_hex[2 * SHA256_LEN + 1], have_hex[2 * SHA256_LEN + 1];

    text_hex_lower(want, SHA256_LEN, want_hex);
    text_hex_lower(have, SHA256_LEN, have_hex);
    return err_set(err, P11CA_REFUSED, "TICKET_CHANGED",
        "ticket '%s': another text was counted under this ID: want SHA-256 %s, have %s", id, want_hex,
        have_hex);
}

int ledger_check_ticket(struct ledger *l, const char *authority, const char *id,
    const uint8_t sha256[SHA256_LEN], struct p11ca_err *err)
{
    static const char text[] =
        "SELECT sha256 FROM ticket WHERE name = ? AND authority = (SELECT id FROM authority WHERE name = ?)";
    AUTO_SQL s = SQL_INIT;
    struct blob known;
    int r;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_text(&s, id);
    sql_text(&s, authority);
    r = sql_step(&s, err);
    if (r <= 0)
        return r;
    known = sql_col_blob(&s, 0);
    if (known.len == SHA256_LEN && memcmp(known.p, sha256, SHA256_LEN) != 0)
        return refuse_other(id, known.p, sha256, err);
    return 0;
}

static int insert(struct ledger *l, int64_t authority, const struct ledger_ticket *t,
    const uint8_t sha256[SHA256_LEN], struct p11ca_err *err)
{
    static const char text[] = "INSERT INTO ticket (sha256, name, authority, max, recorded_at, text, cms)"
                               " VALUES (?, ?, ?, ?, ?, ?, ?)";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_digest(&s, sha256);
    sql_text(&s, t->id);
    sql_int(&s, authority);
    sql_int(&s, t->max);
    sql_int(&s, l->now);
    sql_blob(&s, t->text);
    sql_blob(&s, t->cms);
    return sql_run(&s, err);
}

static int append_ticket(
    struct ledger *l, const struct ledger_ticket *t, const uint8_t sha256[SHA256_LEN], struct p11ca_err *err)
{
    char detail[128];
    const struct ledger_event e = {
        .kind = "ticket", .authority = t->authority, .detail = detail, .digest = {sha256, SHA256_LEN}};

    snprintf(detail, sizeof(detail), "ID %.64s, at most %" PRId64, t->id, t->max);
    return events_append(l, &e, err);
}

int ledger_put_ticket(
    struct ledger *l, const struct ledger_ticket *t, int64_t *ret_row, struct p11ca_err *err)
{
    uint8_t sha256[SHA256_LEN];
    int64_t authority;

    if (ledger_need_transaction(l, err) != 0 || authorities_id(l, t->authority, &authority, err) != 0)
        return -1;
    if (hash_sha256(t->text.p, t->text.len, sha256) != 0)
        return err_openssl(err, P11CA_BUG, "ticket '%s': SHA-256", t->id);
    if (ledger_check_ticket(l, t->authority, t->id, sha256, err) != 0 ||
        append_ticket(l, t, sha256, err) != 0 || insert(l, authority, t, sha256, err) != 0)
        return -1;
    *ret_row = sqlite3_last_insert_rowid(l->db);
    return 0;
}

int ledger_each_ticket(struct ledger *l, ledger_ticket_fn *fn, void *arg, struct p11ca_err *err)
{
    static const char text[] =
        "SELECT id, name, (SELECT name FROM authority WHERE id = t.authority), sha256, text, cms, max, used,"
        " recorded_at FROM ticket t ORDER BY id";
    AUTO_SQL s = SQL_INIT;
    int r;

    if (sql_begin_once(&s, l, text, err) != 0)
        return -1;
    while ((r = sql_step(&s, err)) > 0) {
        struct ledger_ticket t;

        row_borrow(&s, &shape, &t);
        r = fn(arg, &t, err);
        if (r != 0)
            return r;
    }
    return r;
}
