/* CRLs as they were signed, and the revoked certificates that the next one lists. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "ledger/authorities.h"
#include "ledger/events.h"
#include "ledger/row.h"

/* In the order of CRL_SELECT; the octets last, so that a walk that does not want them stops before. */
static const struct row_column crl_columns[] = {
    {ROW_TEXT, offsetof(struct ledger_crl, authority)},
    {ROW_INT64, offsetof(struct ledger_crl, number)},
    {ROW_INT64, offsetof(struct ledger_crl, base)},
    {ROW_INT64, offsetof(struct ledger_crl, this_update)},
    {ROW_INT64, offsetof(struct ledger_crl, next_update)},
    {ROW_INT64, offsetof(struct ledger_crl, upto)},
    {ROW_INT64, offsetof(struct ledger_crl, part)},
    {ROW_INT64, offsetof(struct ledger_crl, parts)},
    {ROW_INT64, offsetof(struct ledger_crl, slot)},
    {ROW_INT64, offsetof(struct ledger_crl, released_at)},
    {ROW_BLOB, offsetof(struct ledger_crl, sha256)},
    {ROW_BLOB, offsetof(struct ledger_crl, der)},
};
static const struct row_shape crl_shape = {
    crl_columns, sizeof(crl_columns) / sizeof(crl_columns[0]), sizeof(struct ledger_crl)};

#define CRL_SELECT                                                                                           \
    "SELECT a.name, c.number, c.base, c.this_update, c.next_update, s.upto, s.part, s.parts, s.slot,"        \
    " s.released_at, c.sha256, c.der FROM crl c JOIN authority a ON a.id = c.authority"                      \
    " LEFT JOIN crl_scope s ON s.authority = c.authority AND s.number = c.number "

/* Of those that somebody may have seen: a slot is nothing before it is released. */
#define HANDED_OUT "(coalesce(s.slot, 0) = 0 OR s.released_at NOTNULL)"

static const struct row_column revoked_columns[] = {
    {ROW_BLOB, offsetof(struct ledger_revoked, serial)},
    {ROW_INT64, offsetof(struct ledger_revoked, revoked_at)},
    {ROW_INT64, offsetof(struct ledger_revoked, invalid_since)},
    {ROW_REASON, offsetof(struct ledger_revoked, reason)},
    {ROW_INT64, offsetof(struct ledger_revoked, changed)},
};
static const struct row_shape revoked_shape = {
    revoked_columns, sizeof(revoked_columns) / sizeof(revoked_columns[0]), sizeof(struct ledger_revoked)};

/* Of one scope: what was handed out last, complete or not. */
struct last {
    int64_t number, this_update, upto;
};

static int last_of(
    struct ledger *l, int64_t authority, int64_t part, bool complete, struct last *ret, struct p11ca_err *err)
{
    /* What the program before has reached, of an authority that was imported, is one of its CRLs; but no delta builds on
     * it, because what it lists is not known. */
    static const char text[] =
        "SELECT number, this_update, upto FROM (SELECT c.number, c.this_update, s.upto FROM crl c"
        " LEFT JOIN crl_scope s ON s.authority = c.authority AND s.number = c.number WHERE c.authority = ?1"
        " AND coalesce(s.part, 0) = ?2 AND (c.base ISNULL OR NOT ?3) AND " HANDED_OUT
        " UNION ALL SELECT crl_floor, crl_floor_time, NULL FROM authority WHERE id = ?1 AND crl_floor NOTNULL"
        " AND NOT ?3) ORDER BY number DESC LIMIT 1";
    AUTO_SQL s = SQL_INIT;
    int r;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, authority);
    sql_int(&s, part);
    sql_int(&s, complete);
    r = sql_step(&s, err);
    if (r < 0)
        return -1;
    *ret = (struct last){0};
    if (r > 0)
        *ret = (struct last){sql_col_int(&s, 0), sql_col_int(&s, 1), sql_col_int(&s, 2)};
    return 0;
}

/* RFC 5280 5.2.3 has one sequence of numbers for complete and delta CRLs; parts and slots count along. */
static int last_number(struct ledger *l, int64_t authority, int64_t *ret, struct p11ca_err *err)
{
    static const char text[] = "SELECT max(coalesce((SELECT max(number) FROM crl WHERE authority = ?1), 0),"
                               " coalesce((SELECT crl_floor FROM authority WHERE id = ?1), 0))";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, authority);
    if (sql_step(&s, err) < 0)
        return -1;
    *ret = sql_col_int(&s, 0);
    return 0;
}

static int last_change(struct ledger *l, int64_t *ret, struct p11ca_err *err)
{
    return sql_get_int(l, "SELECT max(changed) FROM certificate WHERE changed NOTNULL", ret, err);
}

int ledger_next_crl(
    struct ledger *l, const struct ledger_scope *scope, struct ledger_crl_next *ret, struct p11ca_err *err)
{
    struct last any, complete;
    int64_t id, number, event;

    if (authorities_id(l, scope->authority, &id, err) != 0 || last_number(l, id, &number, err) != 0 ||
        last_of(l, id, scope->part, false, &any, err) != 0 ||
        last_of(l, id, scope->part, true, &complete, err) != 0 || last_change(l, &event, err) != 0)
        return -1;
    *ret = (struct ledger_crl_next){.number = number + 1,
        .last = any.this_update,
        .last_upto = any.upto,
        .last_complete = complete.this_update,
        .base = complete.number,
        .base_upto = complete.upto,
        .event = event};
    return 0;
}

static int refuse_time(const struct ledger_crl *crl, const struct last *last, struct p11ca_err *err)
{
    char want[TEXT_TIME], have[TEXT_TIME];

    text_time(last->this_update, want);
    text_time(crl->this_update, have);
    return err_set(err, P11CA_LEDGER, "CRL_TIME",
        "authority '%s': RFC 5280 5.1.2.4: thisUpdate: want a time after that of CRL %" PRId64
        ", %s, have %s",
        crl->authority, last->number, want, have);
}

static int check_next(struct ledger *l, int64_t id, const struct ledger_crl *crl, struct p11ca_err *err)
{
    struct last last;
    int64_t number;

    if (last_number(l, id, &number, err) != 0 || last_of(l, id, crl->part, false, &last, err) != 0)
        return -1;
    if (crl->number != number + 1)
        return err_set(err, P11CA_LEDGER, "CRL_NUMBER",
            "authority '%s': RFC 5280 5.2.3: CRL number: want the next, %" PRId64 ", have %" PRId64,
            crl->authority, number + 1, crl->number);
    return last.number == 0 || crl->this_update > last.this_update ? 0 : refuse_time(crl, &last, err);
}

static int insert(struct ledger *l, int64_t authority, const struct ledger_crl *crl,
    const uint8_t sha256[SHA256_LEN], struct p11ca_err *err)
{
    static const char text[] =
        "INSERT INTO crl (authority, number, base, this_update, next_update, sha256, der)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, authority);
    sql_int(&s, crl->number);
    sql_int_or_null(&s, crl->base);
    sql_int(&s, crl->this_update);
    sql_int(&s, crl->next_update);
    sql_digest(&s, sha256);
    sql_blob(&s, crl->der);
    return sql_run(&s, err);
}

static int insert_scope(
    struct ledger *l, int64_t authority, const struct ledger_crl *crl, struct p11ca_err *err)
{
    static const char text[] =
        "INSERT INTO crl_scope (authority, number, upto, part, parts, slot) VALUES (?, ?, ?, ?, ?, ?)";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, authority);
    sql_int(&s, crl->number);
    sql_int(&s, crl->upto);
    sql_int(&s, crl->part);
    sql_int(&s, crl->parts);
    sql_int(&s, crl->slot);
    return sql_run(&s, err);
}

/* "number 7", "number 8, delta to 7", "number 9, part 2 of 16", "number 10, slot 1" */
static int append_crl(struct ledger *l, const char *kind, const struct ledger_crl *crl, struct blob sha256,
    struct p11ca_err *err)
{
    char detail[160];
    const struct ledger_event e = {
        .kind = kind, .authority = crl->authority, .detail = detail, .digest = sha256};
    int n = snprintf(detail, sizeof(detail), "number %" PRId64, crl->number);

    if (crl->base)
        n += snprintf(detail + n, sizeof(detail) - (size_t)n, ", delta to %" PRId64, crl->base);
    if (crl->parts)
        n += snprintf(
            detail + n, sizeof(detail) - (size_t)n, ", part %" PRId64 " of %" PRId64, crl->part, crl->parts);
    if (crl->slot)
        snprintf(detail + n, sizeof(detail) - (size_t)n, ", slot %" PRId64, crl->slot);
    return events_append(l, &e, err);
}

int ledger_put_crl(struct ledger *l, const struct ledger_crl *crl, struct p11ca_err *err)
{
    uint8_t sha256[SHA256_LEN];
    int64_t id;

    if (ledger_need_transaction(l, err) != 0 || authorities_id(l, crl->authority, &id, err) != 0 ||
        check_next(l, id, crl, err) != 0)
        return -1;
    if (crl->der.len == 0)
        return err_set(
            err, P11CA_BUG, "CRL_EMPTY", "authority '%s': CRL: want DER, have no octets", crl->authority);
    if (hash_sha256(crl->der.p, crl->der.len, sha256) != 0)
        return err_openssl(err, P11CA_BUG, "authority '%s': SHA-256", crl->authority);
    if (append_crl(l, "crl", crl, (struct blob){sha256, SHA256_LEN}, err) != 0)
        return -1;
    return insert(l, id, crl, sha256, err) == 0 ? insert_scope(l, id, crl, err) : -1;
}

int ledger_get_crl(struct ledger *l, const struct ledger_scope *scope, bool delta, struct ledger_crl **ret,
    struct p11ca_err *err)
{
    static const char text[] =
        CRL_SELECT "WHERE c.authority = ? AND coalesce(s.part, 0) = ?"
                   " AND (c.base NOTNULL) = ? AND " HANDED_OUT " ORDER BY c.number DESC LIMIT 1";
    AUTO_SQL s = SQL_INIT;
    struct ledger_crl *crl = NULL;
    int64_t id;
    int r;

    if (authorities_id(l, scope->authority, &id, err) != 0 || sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, id);
    sql_int(&s, scope->part);
    sql_int(&s, delta);
    r = sql_step(&s, err);
    if (r < 0)
        return -1;
    if (r > 0 && !(crl = row_copy(&s, &crl_shape)))
        return err_nomem(err);
    *ret = crl;
    return 0;
}

int ledger_each_crl(
    struct ledger *l, const char *authority, ledger_crl_fn *fn, void *arg, struct p11ca_err *err)
{
    static const char text[] = CRL_SELECT "WHERE a.name = ? ORDER BY c.number";
    AUTO_SQL s = SQL_INIT;
    int r;

    if (sql_begin_once(&s, l, text, err) != 0)
        return -1;
    sql_text(&s, authority);
    while ((r = sql_step(&s, err)) > 0) {
        struct ledger_crl crl;

        row_borrow(&s, &crl_shape, &crl);
        r = fn(arg, &crl, err);
        if (r != 0)
            return r;
    }
    return r;
}

/* *ret_parts: what was recorded; *ret_issued: whether the authority has issued. */
static int read_parts(
    struct ledger *l, int64_t id, int64_t *ret_parts, bool *ret_issued, struct p11ca_err *err)
{
    static const char text[] = "SELECT coalesce(crl_parts, 0), EXISTS (SELECT 1 FROM certificate WHERE"
                               " authority = a.id) FROM authority a WHERE id = ?";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, id);
    if (sql_step(&s, err) < 0)
        return -1;
    *ret_parts = sql_col_int(&s, 0);
    *ret_issued = sql_col_int(&s, 1) != 0;
    return 0;
}

/* 1: it is so already; 0: it can become so; -1. */
static int check_parts(
    struct ledger *l, const char *authority, int64_t id, int64_t parts, struct p11ca_err *err)
{
    int64_t have;
    bool issued;

    if (read_parts(l, id, &have, &issued, err) != 0)
        return -1;
    if (have == parts)
        return 1;
    if (!have && !issued)
        return 0;
    return err_set(err, P11CA_CONFIG, "CRL_PARTITIONS",
        "authority '%s': crl-partitions: want %" PRId64
        ", as the certificates say that were issued, have %" PRId64,
        authority, have, parts);
}

static int put_parts(
    struct ledger *l, const char *authority, int64_t id, int64_t parts, struct p11ca_err *err)
{
    static const char text[] = "UPDATE authority SET crl_parts = ? WHERE id = ?";
    char detail[32];
    const struct ledger_event e = {.kind = "crl-parts", .authority = authority, .detail = detail};
    AUTO_SQL s = SQL_INIT;
    int r = check_parts(l, authority, id, parts, err); /* again: another process may have been faster */

    if (r != 0)
        return r < 0 ? -1 : 0;
    snprintf(detail, sizeof(detail), "%" PRId64, parts);
    if (events_append(l, &e, err) != 0 || sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, parts);
    sql_int(&s, id);
    return sql_run(&s, err);
}

int ledger_fix_crl_parts(struct ledger *l, const char *authority, int64_t parts, struct p11ca_err *err)
{
    int64_t id;
    int r;

    if (authorities_id(l, authority, &id, err) != 0)
        return -1;
    r = check_parts(l, authority, id, parts, err);
    if (r != 0)
        return r < 0 ? -1 : 0;
    if (ledger_begin(l, err) != 0)
        return -1;
    if (put_parts(l, authority, id, parts, err) == 0)
        return ledger_commit(l, err);
    ledger_rollback(l);
    return -1;
}

/* A number or a time that was handed out is behind what comes later, whenever it was signed. */
#define WAITING                                                                                              \
    "c.authority = ?1 AND s.part = ?2 AND s.slot > 0 AND s.released_at ISNULL AND c.number > ?3 AND"         \
    " c.this_update > ?4 AND c.next_update > ?5"

static int begin_waiting(struct sql *s, struct ledger *l, const char *text, const struct ledger_scope *scope,
    int64_t now, struct p11ca_err *err)
{
    struct last last;
    int64_t id;

    if (authorities_id(l, scope->authority, &id, err) != 0 ||
        last_of(l, id, scope->part, false, &last, err) != 0 || sql_begin(s, l, text, err) != 0)
        return -1;
    sql_int(s, id);
    sql_int(s, scope->part);
    sql_int(s, last.number);
    sql_int(s, last.this_update);
    sql_int(s, now);
    return 0;
}

int ledger_get_slots(struct ledger *l, const struct ledger_scope *scope, int64_t now,
    struct ledger_slots *ret, struct p11ca_err *err)
{
    static const char text[] =
        "SELECT count(*), coalesce(min(c.this_update), 0), coalesce(max(c.next_update), 0),"
        " coalesce(min(s.upto), 0) FROM crl c JOIN crl_scope s ON s.authority = c.authority"
        " AND s.number = c.number WHERE " WAITING;
    AUTO_SQL s = SQL_INIT;

    if (begin_waiting(&s, l, text, scope, now, err) != 0 || sql_step(&s, err) < 0)
        return -1;
    *ret =
        (struct ledger_slots){sql_col_int(&s, 0), sql_col_int(&s, 1), sql_col_int(&s, 2), sql_col_int(&s, 3)};
    return 0;
}

int ledger_due_slot(struct ledger *l, const struct ledger_scope *scope, int64_t now, struct ledger_crl **ret,
    struct p11ca_err *err)
{
    static const char text[] =
        CRL_SELECT "WHERE " WAITING " AND c.this_update <= ?5 ORDER BY c.number DESC LIMIT 1";
    AUTO_SQL s = SQL_INIT;
    struct ledger_crl *crl = NULL;
    int r;

    if (begin_waiting(&s, l, text, scope, now, err) != 0)
        return -1;
    r = sql_step(&s, err);
    if (r < 0)
        return -1;
    if (r > 0 && !(crl = row_copy(&s, &crl_shape)))
        return err_nomem(err);
    *ret = crl;
    return 0;
}

int ledger_release_crl(struct ledger *l, const struct ledger_crl *crl, struct p11ca_err *err)
{
    static const char text[] =
        "UPDATE crl_scope SET released_at = ? WHERE authority = ? AND number = ? AND released_at ISNULL";
    AUTO_SQL s = SQL_INIT;
    int64_t id;

    if (ledger_need_transaction(l, err) != 0 || authorities_id(l, crl->authority, &id, err) != 0 ||
        append_crl(l, "release", crl, crl->sha256, err) != 0 || sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, l->now);
    sql_int(&s, id);
    sql_int(&s, crl->number);
    return sql_run(&s, err);
}

void ledger_crl_free(struct ledger_crl *crl)
{
    free(crl);
}

static int walk(struct sql *s, ledger_revoked_fn *fn, void *arg, struct p11ca_err *err)
{
    int r;

    while ((r = sql_step(s, err)) > 0) {
        struct ledger_revoked row;

        row_borrow(s, &revoked_shape, &row);
        r = fn(arg, &row, err);
        if (r != 0)
            return r;
    }
    return r;
}

int ledger_each_revoked(struct ledger *l, const char *authority, int64_t since, ledger_revoked_fn *fn,
    void *arg, struct p11ca_err *err)
{
    /* All of it, and its order, is in the index: no page of the table is read. */
    static const char text[] =
        "SELECT serial, revoked_at, invalid_since, reason, changed FROM certificate"
        " INDEXED BY certificate_revoked WHERE revoked_at IS NOT NULL AND authority = ?"
        " AND not_after >= ? ORDER BY length(serial), serial";
    AUTO_SQL s = SQL_INIT;
    int64_t id;

    if (authorities_id(l, authority, &id, err) != 0 || sql_begin_once(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, id);
    sql_int(&s, since);
    return walk(&s, fn, arg, err);
}

int ledger_each_change(struct ledger *l, const char *authority, int64_t event, ledger_revoked_fn *fn,
    void *arg, struct p11ca_err *err)
{
    static const char text[] =
        "SELECT serial, coalesce(revoked_at, held_at), invalid_since, CASE WHEN revoked_at ISNULL THEN 8 ELSE"
        " reason END, changed FROM certificate WHERE changed IS NOT NULL AND changed > ? AND authority = ?"
        " ORDER BY length(serial), serial";
    AUTO_SQL s = SQL_INIT;
    int64_t id;

    if (authorities_id(l, authority, &id, err) != 0 || sql_begin_once(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, event);
    sql_int(&s, id);
    return walk(&s, fn, arg, err);
}
