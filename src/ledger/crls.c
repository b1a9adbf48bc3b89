/* CRLs as they were signed, and the revoked certificates that the next one lists. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "ledger/authorities.h"
#include "ledger/events.h"
#include "ledger/row.h"

static const struct row_column crl_columns[] = {
    {ROW_TEXT, offsetof(struct ledger_crl, authority)},
    {ROW_INT64, offsetof(struct ledger_crl, number)},
    {ROW_INT64, offsetof(struct ledger_crl, this_update)},
    {ROW_INT64, offsetof(struct ledger_crl, next_update)},
    {ROW_BLOB, offsetof(struct ledger_crl, sha256)},
    {ROW_BLOB, offsetof(struct ledger_crl, der)},
};
static const struct row_shape crl_shape = {
    crl_columns, sizeof(crl_columns) / sizeof(crl_columns[0]), sizeof(struct ledger_crl)};

static const struct row_column revoked_columns[] = {
    {ROW_BLOB, offsetof(struct ledger_revoked, serial)},
    {ROW_INT64, offsetof(struct ledger_revoked, revoked_at)},
    {ROW_INT64, offsetof(struct ledger_revoked, invalid_since)},
    {ROW_REASON, offsetof(struct ledger_revoked, reason)},
};
static const struct row_shape revoked_shape = {
    revoked_columns, sizeof(revoked_columns) / sizeof(revoked_columns[0]), sizeof(struct ledger_revoked)};

/* Delta CRLs count along: RFC 5280 5.2.3 has one sequence of numbers for both kinds. */
static int last_of(
    struct ledger *l, int64_t authority, int64_t *ret_number, int64_t *ret_this_update, struct p11ca_err *err)
{
    /* What the program before has reached, of an authority that was imported, is one of its CRLs. */
    static const char text[] =
        "SELECT number, this_update FROM (SELECT number, this_update FROM crl WHERE authority = ?1"
        " UNION ALL SELECT crl_floor, crl_floor_time FROM authority WHERE id = ?1 AND crl_floor NOTNULL)"
        " ORDER BY number DESC LIMIT 1";
    AUTO_SQL s = SQL_INIT;
    int r;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, authority);
    r = sql_step(&s, err);
    if (r < 0)
        return -1;
    *ret_number = r ? sql_col_int(&s, 0) : 0;
    *ret_this_update = r ? sql_col_int(&s, 1) : 0;
    return 0;
}

int ledger_next_crl(struct ledger *l, const char *authority, int64_t *ret_number, int64_t *ret_last_update,
    struct p11ca_err *err)
{
    int64_t id, number, last;

    if (authorities_id(l, authority, &id, err) != 0 || last_of(l, id, &number, &last, err) != 0)
        return -1;
    *ret_number = number + 1;
    *ret_last_update = last;
    return 0;
}

static int check_next(const struct ledger_crl *crl, int64_t number, int64_t last, struct p11ca_err *err)
{
    char want[TEXT_TIME], have[TEXT_TIME];

    if (crl->number != number + 1)
        return err_set(err, P11CA_LEDGER, "CRL_NUMBER",
            "authority '%s': RFC 5280 5.2.3: CRL number: want the next, %" PRId64 ", have %" PRId64,
            crl->authority, number + 1, crl->number);
    if (number == 0 || crl->this_update > last)
        return 0;
    text_time(last, want);
    text_time(crl->this_update, have);
    return err_set(err, P11CA_LEDGER, "CRL_TIME",
        "authority '%s': RFC 5280 5.1.2.4: thisUpdate: want a time after that of CRL %" PRId64
        ", %s, have %s",
        crl->authority, number, want, have);
}

static int insert(struct ledger *l, int64_t authority, const struct ledger_crl *crl,
    const uint8_t sha256[SHA256_LEN], struct p11ca_err *err)
{
    static const char text[] = "INSERT INTO crl (authority, number, this_update, next_update, sha256, der)"
                               " VALUES (?, ?, ?, ?, ?, ?)";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, authority);
    sql_int(&s, crl->number);
    sql_int(&s, crl->this_update);
    sql_int(&s, crl->next_update);
    sql_digest(&s, sha256);
    sql_blob(&s, crl->der);
    return sql_run(&s, err);
}

static int append_crl(
    struct ledger *l, const struct ledger_crl *crl, const uint8_t sha256[SHA256_LEN], struct p11ca_err *err)
{
    char detail[32];
    const struct ledger_event e = {
        .kind = "crl", .authority = crl->authority, .detail = detail, .digest = {sha256, SHA256_LEN}};

    snprintf(detail, sizeof(detail), "number %" PRId64, crl->number);
    return events_append(l, &e, err);
}

int ledger_put_crl(struct ledger *l, const struct ledger_crl *crl, struct p11ca_err *err)
{
    uint8_t sha256[SHA256_LEN];
    int64_t id, number, last;

    if (ledger_need_transaction(l, err) != 0 || authorities_id(l, crl->authority, &id, err) != 0 ||
        last_of(l, id, &number, &last, err) != 0 || check_next(crl, number, last, err) != 0)
        return -1;
    if (crl->der.len == 0)
        return err_set(
            err, P11CA_BUG, "CRL_EMPTY", "authority '%s': CRL: want DER, have no octets", crl->authority);
    if (hash_sha256(crl->der.p, crl->der.len, sha256) != 0)
        return err_openssl(err, P11CA_BUG, "authority '%s': SHA-256", crl->authority);
    return append_crl(l, crl, sha256, err) == 0 ? insert(l, id, crl, sha256, err) : -1;
}

int ledger_get_crl(struct ledger *l, const char *authority, struct ledger_crl **ret, struct p11ca_err *err)
{
    static const char text[] =
        "SELECT (SELECT name FROM authority WHERE id = c.authority), number, this_update, next_update, "
        "sha256,"
        " der FROM crl c WHERE authority = ? AND base IS NULL ORDER BY number DESC LIMIT 1";
    AUTO_SQL s = SQL_INIT;
    struct ledger_crl *crl = NULL;
    int64_t id;
    int r;

    if (authorities_id(l, authority, &id, err) != 0 || sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, id);
    r = sql_step(&s, err);
    if (r < 0)
        return -1;
    if (r > 0 && !(crl = row_copy(&s, &crl_shape)))
        return err_nomem(err);
    *ret = crl;
    return 0;
}

void ledger_crl_free(struct ledger_crl *crl)
{
    free(crl);
}

int ledger_each_revoked(struct ledger *l, const char *authority, int64_t since, ledger_revoked_fn *fn,
    void *arg, struct p11ca_err *err)
{
    /* The order is that of the index: all revoked certificates are few among all certificates. */
    static const char text[] = "SELECT serial, revoked_at, invalid_since, reason FROM certificate"
                               " WHERE revoked_at IS NOT NULL AND authority = ? AND not_after >= ?"
                               " ORDER BY revoked_at, id";
    AUTO_SQL s = SQL_INIT;
    int64_t id;
    int r;

    if (authorities_id(l, authority, &id, err) != 0 || sql_begin_once(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, id);
    sql_int(&s, since);
    while ((r = sql_step(&s, err)) > 0) {
        struct ledger_revoked row;

        row_borrow(&s, &revoked_shape, &row);
        r = fn(arg, &row, err);
        if (r != 0)
            return r;
    }
    return r;
}
