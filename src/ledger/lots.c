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

int ledger_each_lot(
    struct ledger *l, const struct ledger_lot *like, ledger_lot_fn *fn, void *arg, struct p11ca_err *err)
{
    static const char text[] =
        "SELECT l.id, a.name, l.profile, l.name, l.sha256 FROM lot l JOIN authority a ON a.id = l.authority"
        " WHERE (l.name = ?1 OR l.sha256 = ?2) AND (?3 ISNULL OR a.name = ?3) ORDER BY l.id";
    AUTO_SQL s = SQL_INIT;
    int r;

    if (sql_begin_once(&s, l, text, err) != 0)
        return -1;
    sql_text(&s, like->name);
    sql_blob(&s, like->name ? (struct blob){NULL, 0} : like->sha256);
    sql_text(&s, like->authority);
    while ((r = sql_step(&s, err)) > 0) {
        const struct ledger_lot lot = {.authority = sql_col_text(&s, 1),
            .profile = sql_col_text(&s, 2),
            .name = sql_col_text(&s, 3),
            .sha256 = sql_col_blob(&s, 4)};

        r = fn(arg, sql_col_int(&s, 0), &lot, err);
        if (r != 0)
            return r;
    }
    return r;
}
