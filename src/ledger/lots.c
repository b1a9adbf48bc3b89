/* Lots: what a batch is recorded as. */
#include "ledger/authorities.h"
#include "ledger/sql.h"

/* 1: recorded already. */
static int find(
    struct ledger *l, int64_t authority, const struct ledger_lot *lot, int64_t *ret_id, struct p11ca_err *err)
{
    static const char text[] = "SELECT id FROM lot WHERE sha256 = ? AND authority = ? AND profile = ?";
    AUTO_SQL s = SQL_INIT;
    int r;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_blob(&s, lot->sha256);
    sql_int(&s, authority);
    sql_text(&s, lot->profile);
    r = sql_step(&s, err);
    if (r > 0)
        *ret_id = sql_col_int(&s, 0);
    return r;
}

static int insert(struct ledger *l, int64_t authority, const struct ledger_lot *lot, struct p11ca_err *err)
{
    static const char text[] =
        "INSERT INTO lot (authority, profile, name, sha256, created_at) VALUES (?, ?, ?, ?, ?)";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, authority);
    sql_text(&s, lot->profile);
    sql_text(&s, lot->name);
    sql_blob(&s, lot->sha256);
    sql_int(&s, l->now);
    return sql_run(&s, err);
}

int ledger_put_lot(struct ledger *l, const struct ledger_lot *lot, int64_t *ret_id, struct p11ca_err *err)
{
    int64_t authority;
    int found;

    if (ledger_need_transaction(l, err) != 0 || authorities_id(l, lot->authority, &authority, err) != 0)
        return -1;
    found = find(l, authority, lot, ret_id, err);
    if (found != 0)
        return found > 0 ? 0 : -1;
    if (insert(l, authority, lot, err) != 0)
        return -1;
    *ret_id = sqlite3_last_insert_rowid(l->db);
    return 0;
}
