/*
 * Statements: prepared once per handle, bound in order, released with their scope.
 *
 *   AUTO_SQL s = SQL_INIT;
 *   if (sql_begin(&s, l, text, err) != 0) ...
 *   sql_text(&s, name), sql_int(&s, id);      bindings cannot fail where they stand: the first step says so
 *   if (sql_run(&s, err) != 0) ...
 */
#ifndef LEDGER_SQL_H
#define LEDGER_SQL_H

#include "ledger/handle.h"

struct sql {
    struct ledger *l;
    sqlite3_stmt *q;
    int bound, rc;
    bool cached;
};
#define SQL_INIT                                                                                             \
    {                                                                                                        \
        NULL, NULL, 0, SQLITE_OK, false                                                                      \
    }
#define AUTO_SQL __attribute__((cleanup(sql_done))) struct sql

/* text is kept by address: a constant of the program, used by one scope at a time. */
P11CA_CHECK int sql_begin(struct sql *s, struct ledger *l, const char *text, struct p11ca_err *err);

/* For text made at run time, and for walks: a callback may start the same one again. */
P11CA_CHECK int sql_begin_once(struct sql *s, struct ledger *l, const char *text, struct p11ca_err *err);

/* The next parameter. What is pointed to must live as long as the scope. */
void sql_int(struct sql *s, int64_t v);
void sql_int_or_null(struct sql *s, int64_t v); /* 0 is NULL */
void sql_text(struct sql *s, const char *v);    /* NULL is NULL */
void sql_blob(struct sql *s, struct blob v);    /* no bytes are NULL */
void sql_digest(struct sql *s, const uint8_t v[SHA256_LEN]);

P11CA_CHECK int sql_step(struct sql *s, struct p11ca_err *err); /* 1: a row, 0: no more, -1 */
P11CA_CHECK int sql_run(struct sql *s, struct p11ca_err *err);  /* to the end; rows are not looked at */
void sql_done(struct sql *s);

/* Columns of the row at hand; borrowed until the next step. NULL is 0, NULL, no bytes. */
int64_t sql_col_int(const struct sql *s, int col);
const char *sql_col_text(const struct sql *s, int col);
struct blob sql_col_blob(const struct sql *s, int col);

/* Statements without parameters and results; several in one text. */
P11CA_CHECK int sql_exec(struct ledger *l, const char *text, struct p11ca_err *err);

/* The first column of the first row, 0 when there is none. */
P11CA_CHECK int sql_get_int(struct ledger *l, const char *text, int64_t *ret, struct p11ca_err *err);

/* What SQLite's last failure on this handle means, in words; a transaction under way is broken from here on. */
int sql_fail(struct ledger *l, struct p11ca_err *err);

#endif
