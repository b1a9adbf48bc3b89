#include "ledger/sql.h"

#include <string.h>

/*
 * SQLite's codes that a person can act on. Everything else is told in SQLite's own words.
 */
static const struct {
    int rc;
    const char *code, *words;
} reasons[] = {
    {SQLITE_BUSY, "LEDGER_BUSY", "locked by another process"},
    {SQLITE_LOCKED, "LEDGER_BUSY", "locked by another use in this process"},
    {SQLITE_FULL, "LEDGER_FULL", "disk full"},
    {SQLITE_CORRUPT, "LEDGER_CORRUPT",
        "damaged: the database's structure is broken, restore it from a backup"},
    {SQLITE_NOTADB, "LEDGER_NOTADB", "not a ledger: want an SQLite database, have another kind of file"},
    {SQLITE_READONLY, "LEDGER_READONLY", "want write access, have a file that can only be read"},
    {SQLITE_PERM, "LEDGER_PERM", "want access, have none"},
    {SQLITE_CANTOPEN, "LEDGER_CANTOPEN", "cannot be opened"},
};

int sql_fail(struct ledger *l, struct p11ca_err *err)
{
    int rc = sqlite3_errcode(l->db) & 0xff, sys = sqlite3_system_errno(l->db);
    size_t i;

    l->broken = true;
    if (rc == SQLITE_NOMEM)
        return err_nomem(err);
    for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].rc == rc)
            return err_set(err, P11CA_LEDGER, reasons[i].code, "%s: %s%s%s", l->path, reasons[i].words,
                rc == SQLITE_CANTOPEN && sys ? ": " : "",
                rc == SQLITE_CANTOPEN && sys ? strerrordesc_np(sys) : "");
    }
    return err_set(err, P11CA_LEDGER, rc == SQLITE_CONSTRAINT ? "LEDGER_CONSTRAINT" : "LEDGER_SQLITE",
        "%s: %s", l->path, sqlite3_errmsg(l->db));
}

static int prepare(
    struct ledger *l, const char *text, unsigned flags, sqlite3_stmt **ret, struct p11ca_err *err)
{
    return sqlite3_prepare_v3(l->db, text, -1, flags, ret, NULL) == SQLITE_OK ? 0 : sql_fail(l, err);
}

int sql_begin(struct sql *s, struct ledger *l, const char *text, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < HANDLE_STATEMENTS && l->cache[i].text && l->cache[i].text != text; i++)
        ;
    if (i == HANDLE_STATEMENTS)
        return err_set(
            err, P11CA_BUG, "STATEMENTS", "ledger: more than %d kinds of statement", HANDLE_STATEMENTS);
    if (!l->cache[i].text) {
        if (prepare(l, text, SQLITE_PREPARE_PERSISTENT, &l->cache[i].q, err) != 0)
            return -1;
        l->cache[i].text = text;
    }
    *s = (struct sql){.l = l, .q = l->cache[i].q, .rc = SQLITE_OK, .cached = true};
    return 0;
}

int sql_begin_once(struct sql *s, struct ledger *l, const char *text, struct p11ca_err *err)
{
    sqlite3_stmt *q;

    if (prepare(l, text, 0, &q, err) != 0)
        return -1;
    *s = (struct sql){.l = l, .q = q, .rc = SQLITE_OK};
    return 0;
}

static void note(struct sql *s, int rc)
{
    if (s->rc == SQLITE_OK)
        s->rc = rc;
}

void sql_int(struct sql *s, int64_t v)
{
    note(s, sqlite3_bind_int64(s->q, ++s->bound, v));
}

void sql_int_or_null(struct sql *s, int64_t v)
{
    if (v)
        sql_int(s, v);
    else
        note(s, sqlite3_bind_null(s->q, ++s->bound));
}

void sql_text(struct sql *s, const char *v)
{
    note(s, sqlite3_bind_text(s->q, ++s->bound, v, -1, SQLITE_STATIC));
}

void sql_blob(struct sql *s, struct blob v)
{
    note(s, sqlite3_bind_blob64(s->q, ++s->bound, v.len ? v.p : NULL, v.len, SQLITE_STATIC));
}

void sql_digest(struct sql *s, const uint8_t v[SHA256_LEN])
{
    sql_blob(s, (struct blob){v, v ? SHA256_LEN : 0});
}

int sql_step(struct sql *s, struct p11ca_err *err)
{
    int rc = s->rc == SQLITE_OK ? sqlite3_step(s->q) : s->rc;

    if (rc == SQLITE_ROW)
        return 1;
    return rc == SQLITE_DONE ? 0 : sql_fail(s->l, err);
}

int sql_run(struct sql *s, struct p11ca_err *err)
{
    int r;

    while ((r = sql_step(s, err)) > 0)
        ;
    return r;
}

void sql_done(struct sql *s)
{
    if (!s->cached) {
        sqlite3_finalize(s->q);
        return;
    }
    sqlite3_reset(s->q);
    sqlite3_clear_bindings(s->q);
}

int64_t sql_col_int(const struct sql *s, int col)
{
    return sqlite3_column_int64(s->q, col);
}

const char *sql_col_text(const struct sql *s, int col)
{
    return (const char *)sqlite3_column_text(s->q, col);
}

struct blob sql_col_blob(const struct sql *s, int col)
{
    const uint8_t *p = sqlite3_column_blob(s->q, col);

    return (struct blob){p, p ? (size_t)sqlite3_column_bytes(s->q, col) : 0};
}

int sql_exec(struct ledger *l, const char *text, struct p11ca_err *err)
{
    return sqlite3_exec(l->db, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : sql_fail(l, err);
}

int sql_get_int(struct ledger *l, const char *text, int64_t *ret, struct p11ca_err *err)
{
    AUTO_SQL s = SQL_INIT;
    int r;

    if (sql_begin_once(&s, l, text, err) != 0 || (r = sql_step(&s, err)) < 0)
        return -1;
    *ret = r ? sql_col_int(&s, 0) : 0;
    return 0;
}
