/* The end of a certificate's life: revoked, for good or on hold. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ledger/events.h"
#include "ledger/row.h"

#define DETAIL 1200 /* a reason, a date, and what people say of it */

/* What a revocation has to know of the row; borrowed from the statement. */
struct row {
    enum ledger_status status;
    const char *authority, *profile;
    struct blob serial, cert_sha256;
    int64_t revoked_at, invalid_since, held_at, revoked_from;
    int reason;
    bool replaced; /* its device has another certificate of the kind */
};
static const struct row_column columns[] = {
    {ROW_STATUS, offsetof(struct row, status)},
    {ROW_TEXT, offsetof(struct row, authority)},
    {ROW_TEXT, offsetof(struct row, profile)},
    {ROW_BLOB, offsetof(struct row, serial)},
    {ROW_BLOB, offsetof(struct row, cert_sha256)},
    {ROW_INT64, offsetof(struct row, revoked_at)},
    {ROW_INT64, offsetof(struct row, invalid_since)},
    {ROW_INT64, offsetof(struct row, held_at)},
    {ROW_INT64, offsetof(struct row, revoked_from)},
    {ROW_REASON, offsetof(struct row, reason)},
};
#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))
static const struct row_shape shape = {columns, N_COLUMNS, sizeof(struct row)};

static int read_row(struct sql *s, struct ledger *l, int64_t id, struct row *ret, struct p11ca_err *err)
{
    static const char text[] =
        "SELECT status, (SELECT name FROM authority WHERE id = c.authority), profile, serial, cert_sha256,"
        " revoked_at, invalid_since, held_at, revoked_from, reason, EXISTS (SELECT 1 FROM certificate o"
        " WHERE o.device = c.device AND o.id <> c.id AND o.authority = c.authority AND o.profile = c.profile"
        " AND o.status = 1) FROM certificate c WHERE id = ?";
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
    row_borrow(s, &shape, ret);
    ret->replaced = sql_col_int(s, N_COLUMNS) != 0;
    return 0;
}

static const char *serial_text(const struct row *row, char dst[41])
{
    dst[0] = '\0';
    if (row->serial.len <= 20)
        text_hex(row->serial.p, row->serial.len, dst);
    return dst;
}

/* No reason and unspecified are the same. */
static int reason_of(int reason)
{
    return reason < 0 ? 0 : reason;
}

static int refuse_other(
    const struct row *row, const struct ledger_revocation *r, const char *what, struct p11ca_err *err)
{
    char serial[41], when[TEXT_TIME];

    text_time(row->revoked_at, when);
    return err_set(err, P11CA_REFUSED, "REVOKED_OTHERWISE",
        "serial %s: RFC 5280 5.3.1: revoked since %s: %s is not changed by another revocation (%s)",
        serial_text(row, serial), when, what, r->name);
}

/* The date of the hold stays, and RFC 5280 5.3.2 has no invalidity date behind it. */
static int check_after_hold(const struct row *row, const struct ledger_revocation *r, struct p11ca_err *err)
{
    char serial[41], want[TEXT_TIME], have[TEXT_TIME];

    if (r->invalid_since <= row->revoked_at)
        return 1;
    text_time(row->revoked_at, want);
    text_time(r->invalid_since, have);
    return err_set(err, P11CA_REFUSED, "INVALID_SINCE",
        "serial %s: RFC 5280 5.3.2: invalid since: want a time up to that of its hold, %s, have %s",
        serial_text(row, serial), want, have);
}

/* 1: there is something to do; 0: it is so already. */
static int check(const struct row *row, const struct ledger_revocation *r, struct p11ca_err *err)
{
    char serial[41];

    if (row->status == LEDGER_RESERVED)
        return err_set(err, P11CA_REFUSED, "NOT_ISSUED",
            "serial %s: status: want issued, have reserved: there is no certificate to revoke",
            serial_text(row, serial));
    if (row->status != LEDGER_REVOKED)
        return 1;
    if (reason_of(row->reason) != r->reason && row->reason == LEDGER_HOLD)
        return check_after_hold(row, r, err);
    if (reason_of(row->reason) != r->reason)
        return refuse_other(row, r, "its reason", err);
    if (r->invalid_since && r->invalid_since != row->invalid_since)
        return refuse_other(row, r, "its date of invalidity", err);
    return 0;
}

static int append(struct ledger *l, const char *kind, const struct row *row, const char *detail,
    const char *because, struct p11ca_err *err)
{
    char text[DETAIL];
    const struct ledger_event e = {.kind = kind,
        .authority = row->authority,
        .profile = row->profile,
        .serial = row->serial,
        .digest = row->cert_sha256,
        .detail = text};

    snprintf(text, sizeof(text), "%s%s%s", detail, because ? "; because: " : "", because ? because : "");
    return events_append(l, &e, err);
}

static int append_revoke(
    struct ledger *l, const struct row *row, const struct ledger_revocation *r, struct p11ca_err *err)
{
    char detail[128], since[TEXT_TIME] = "";

    if (r->invalid_since)
        text_time(r->invalid_since, since);
    /* The number is what audit compares. */
    snprintf(detail, sizeof(detail), "%s (%d)%s%s%s", r->name, r->reason,
        row->status == LEDGER_REVOKED ? " after hold" : "", r->invalid_since ? ", invalid since " : "",
        since);
    return append(l, "revoke", row, detail, r->because, err);
}

/* A hold that becomes final keeps its date, and the date of invalidity when no other is given. */
static int update(struct ledger *l, int64_t id, const struct ledger_revocation *r, struct p11ca_err *err)
{
    static const char text[] = "UPDATE certificate SET revoked_from = CASE status WHEN 3 THEN revoked_from "
                               "ELSE status END, status = 3,"
                               " revoked_at = coalesce(revoked_at, ?), invalid_since = coalesce(?, "
                               "invalid_since), reason = ?, changed = ?"
                               " WHERE id = ?";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, l->now);
    sql_int_or_null(&s, r->invalid_since);
    sql_int(&s, r->reason);
    sql_int(&s, l->head.seq);
    sql_int(&s, id);
    return sql_run(&s, err);
}

int ledger_revoke(struct ledger *l, int64_t id, const struct ledger_revocation *r, struct p11ca_err *err)
{
    AUTO_SQL read = SQL_INIT;
    struct row row;
    int wanted;

    if (read_row(&read, l, id, &row, err) != 0 || (wanted = check(&row, r, err)) < 0)
        return -1;
    if (!wanted)
        return 0;
    /* The event first: the row points to it. */
    return append_revoke(l, &row, r, err) == 0 && update(l, id, r, err) == 0 ? 1 : -1;
}

static int update_unhold(struct ledger *l, int64_t id, const struct row *row, struct p11ca_err *err)
{
    static const char text[] = "UPDATE certificate SET status = ?, held_at = revoked_at, revoked_at = NULL,"
                               " invalid_since = NULL, reason = NULL, changed = ? WHERE id = ?";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, row->replaced       ? LEDGER_SUPERSEDED
                : row->revoked_from ? row->revoked_from
                                    : LEDGER_ISSUED /* it came so from another program */);
    sql_int(&s, l->head.seq);
    sql_int(&s, id);
    return sql_run(&s, err);
}

int ledger_unhold(struct ledger *l, int64_t id, const char *because, struct p11ca_err *err)
{
    AUTO_SQL read = SQL_INIT;
    char serial[41];
    struct row row;

    if (read_row(&read, l, id, &row, err) != 0)
        return -1;
    if (row.status != LEDGER_REVOKED && row.status != LEDGER_RESERVED && row.held_at)
        return 0;
    if (row.status != LEDGER_REVOKED || row.reason != LEDGER_HOLD)
        return err_set(err, P11CA_REFUSED, "NOT_ON_HOLD",
            "serial %s: RFC 5280 5.3.1: only certificateHold can be taken back: it is %s%s",
            serial_text(&row, serial), ledger_status_name(row.status),
            row.status == LEDGER_REVOKED ? " for good" : "");
    return append(l, "unhold", &row, "certificateHold taken back", because, err) == 0 &&
                   update_unhold(l, id, &row, err) == 0
               ? 1
               : -1;
}

int ledger_was_revoked(struct ledger *l, const char *authority, struct blob serial, struct p11ca_err *err)
{
    static const char text[] =
        "SELECT changed NOTNULL OR revoked_at NOTNULL FROM certificate WHERE serial = ? AND authority ="
        " (SELECT id FROM authority WHERE name = ?)";
    AUTO_SQL s = SQL_INIT;
    int r;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_blob(&s, serial);
    sql_text(&s, authority);
    r = sql_step(&s, err);
    return r > 0 ? sql_col_int(&s, 0) != 0 : r;
}
