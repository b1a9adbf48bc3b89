/* Looking certificates up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/keys.h"
#include "ledger/row.h"

#define CERT_SELECT                                                                                          \
    "SELECT id, (SELECT name FROM authority WHERE id = c.authority), serial, status, profile, "              \
    "device, subject, sans, sig_alg, spki_sha256, request_sha256, tbs_sha256, cert, cert_sha256, "           \
    "not_before, not_after, reserved_at, issued_at, published_at, revoked_at, lot, supersedes, "             \
    "reason, path, imported_at, ticket, (SELECT name FROM ticket WHERE id = c.ticket), invalid_since, "      \
    "(SELECT iif(kind = 'import', kind, coalesce(detail, '')) || ', by ' || operator FROM event WHERE seq "  \
    "= c.changed) "                                                                                          \
    "FROM certificate c WHERE "

static const struct row_column columns[] = {
    {ROW_INT64, offsetof(struct ledger_cert, id)},
    {ROW_TEXT, offsetof(struct ledger_cert, authority)},
    {ROW_BLOB, offsetof(struct ledger_cert, serial)},
    {ROW_STATUS, offsetof(struct ledger_cert, status)},
    {ROW_TEXT, offsetof(struct ledger_cert, profile)},
    {ROW_TEXT, offsetof(struct ledger_cert, device)},
    {ROW_TEXT, offsetof(struct ledger_cert, subject)},
    {ROW_TEXT, offsetof(struct ledger_cert, sans)},
    {ROW_TEXT, offsetof(struct ledger_cert, sig_alg)},
    {ROW_BLOB, offsetof(struct ledger_cert, spki_sha256)},
    {ROW_BLOB, offsetof(struct ledger_cert, request_sha256)},
    {ROW_BLOB, offsetof(struct ledger_cert, tbs_sha256)},
    {ROW_BLOB, offsetof(struct ledger_cert, cert)},
    {ROW_BLOB, offsetof(struct ledger_cert, cert_sha256)},
    {ROW_INT64, offsetof(struct ledger_cert, not_before)},
    {ROW_INT64, offsetof(struct ledger_cert, not_after)},
    {ROW_INT64, offsetof(struct ledger_cert, reserved_at)},
    {ROW_INT64, offsetof(struct ledger_cert, issued_at)},
    {ROW_INT64, offsetof(struct ledger_cert, published_at)},
    {ROW_INT64, offsetof(struct ledger_cert, revoked_at)},
    {ROW_INT64, offsetof(struct ledger_cert, lot)},
    {ROW_INT64, offsetof(struct ledger_cert, supersedes)},
    {ROW_REASON, offsetof(struct ledger_cert, reason)},
    {ROW_TEXT, offsetof(struct ledger_cert, path)},
    {ROW_INT64, offsetof(struct ledger_cert, imported_at)},
    {ROW_INT64, offsetof(struct ledger_cert, ticket)},
    {ROW_TEXT, offsetof(struct ledger_cert, ticket_id)},
    {ROW_INT64, offsetof(struct ledger_cert, invalid_since)},
    {ROW_TEXT, offsetof(struct ledger_cert, change)},
};
static const struct row_shape shape = {
    columns, sizeof(columns) / sizeof(columns[0]), sizeof(struct ledger_cert)};

void ledger_cert_free(struct ledger_cert *c)
{
    free(c);
}

/* The first row, as the caller's own. */
static int take_first(struct sql *s, struct ledger_cert **ret, struct p11ca_err *err)
{
    struct ledger_cert *c = NULL;
    int r = sql_step(s, err);

    if (r < 0)
        return -1;
    if (r > 0 && !(c = row_copy(s, &shape)))
        return err_nomem(err);
    *ret = c;
    return 0;
}

int ledger_knows(
    struct ledger *l, const uint8_t spki_sha256[SHA256_LEN], const char *device, struct p11ca_err *err)
{
    /* Of indexes alone; eight octets that happen to be another key's are asked for once too often. */
    static const char text[] = "SELECT EXISTS (SELECT 1 FROM by_key WHERE spki = substr(?1, 1, 8))"
                               " OR EXISTS (SELECT 1 FROM authority WHERE spki_sha256 = ?1)"
                               " OR EXISTS (SELECT 1 FROM certificate WHERE device = ?2)";
    AUTO_SQL s = SQL_INIT;
    int r = keys_behind(l, spki_sha256, err);

    if (r != 0)
        return r;
    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_digest(&s, spki_sha256);
    sql_text(&s, device);
    return sql_step(&s, err) < 0 ? -1 : sql_col_int(&s, 0) != 0;
}

int ledger_find_request(struct ledger *l, const char *authority, const uint8_t spki_sha256[SHA256_LEN],
    const uint8_t request_sha256[SHA256_LEN], struct ledger_cert **ret, struct p11ca_err *err)
{
    static const char text[] = CERT_SELECT KEYS_ARE(
        "?1", " AND request = substr(?2, 1, 8)") " AND request_sha256 = ?2 AND authority = (SELECT id FROM "
                                                 "authority WHERE name = ?3) ORDER BY id DESC LIMIT 1";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_digest(&s, spki_sha256);
    sql_digest(&s, request_sha256);
    sql_text(&s, authority);
    return take_first(&s, ret, err);
}

int ledger_find_device(struct ledger *l, const char *authority, const char *profile, const char *device,
    struct ledger_cert **ret, struct p11ca_err *err)
{
    static const char text[] = CERT_SELECT "device = ?1 AND profile = ?2 AND status = 1 AND not_after > ?4 "
                                           "AND authority = (SELECT id FROM authority"
                                           " WHERE name = ?3) ORDER BY id DESC LIMIT 1";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_text(&s, device);
    sql_text(&s, profile);
    sql_text(&s, authority);
    sql_int(&s, l->now);
    return take_first(&s, ret, err);
}

int ledger_find_other_device(struct ledger *l, const uint8_t spki_sha256[SHA256_LEN], const char *device,
    struct ledger_cert **ret, struct p11ca_err *err)
{
    static const char text[] = CERT_SELECT KEYS_ARE(
        "?1", "") " AND device NOTNULL AND device <> ?2 AND status > 0 ORDER BY id DESC LIMIT 1";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_digest(&s, spki_sha256);
    sql_text(&s, device);
    return take_first(&s, ret, err);
}

int ledger_find_compromised(
    struct ledger *l, const uint8_t spki_sha256[SHA256_LEN], struct ledger_cert **ret, struct p11ca_err *err)
{
    /* keyCompromise, cACompromise, aACompromise; certificateHold */
    static const char text[] = CERT_SELECT KEYS_ARE(
        "?1", "") " AND status = 3 AND reason IN (1, 2, 10, 6) ORDER BY reason = 6, id DESC LIMIT 1";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_digest(&s, spki_sha256);
    return take_first(&s, ret, err);
}

int ledger_find_successor(struct ledger *l, int64_t row, struct ledger_cert **ret, struct p11ca_err *err)
{
    static const char text[] = CERT_SELECT "supersedes = ?1 AND status > 0 ORDER BY id DESC LIMIT 1";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, row);
    return take_first(&s, ret, err);
}

int ledger_find_cert(struct ledger *l, struct blob serial, const uint8_t cert_sha256[SHA256_LEN],
    struct ledger_cert **ret, struct p11ca_err *err)
{
    static const char text[] = CERT_SELECT "serial = ? AND cert_sha256 = ? ORDER BY id DESC LIMIT 1";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_blob(&s, serial);
    sql_digest(&s, cert_sha256);
    return take_first(&s, ret, err);
}

int ledger_find_bare(struct ledger *l, const char *authority, struct blob serial, int64_t not_after,
    struct ledger_cert **ret, struct p11ca_err *err)
{
    /* 9999-12-31T23:59:59Z, RFC 5280 4.1.2.5: no date that is known. */
    static const char text[] =
        CERT_SELECT "serial = ? AND authority = (SELECT id FROM authority WHERE name = ?)"
                    " AND cert ISNULL AND imported_at NOTNULL AND not_after IN (?, 253402300799)";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_blob(&s, serial);
    sql_text(&s, authority);
    sql_int(&s, not_after);
    return take_first(&s, ret, err);
}

int ledger_get_cert(struct ledger *l, int64_t id, struct ledger_cert **ret, struct p11ca_err *err)
{
    static const char text[] = CERT_SELECT "id = ?";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, id);
    return take_first(&s, ret, err);
}

/*
 * The filter's fields. Only the conditions that are asked for get into the statement: SQLite then sees which
 * index serves. It would rather walk all rows in order than sort, unless told that few are in a span of time. The status
 * is written out: an index of the rows of one status serves only when SQLite sees which it is.
 */
static const struct {
    enum row_type type;
    size_t offset;
    const char *where;
} conditions[] = {
    {ROW_TEXT, offsetof(struct ledger_filter, authority),
        "authority = (SELECT id FROM authority WHERE name = ?)"},
    {ROW_TEXT, offsetof(struct ledger_filter, profile), "profile = ?"},
    {ROW_TEXT, offsetof(struct ledger_filter, device), "device = ?"},
    {ROW_BLOB, offsetof(struct ledger_filter, serial), "serial = ?"},
    {ROW_BLOB, offsetof(struct ledger_filter, spki_sha256), KEYS_ARE(":key", "")},
    {ROW_TEXT, offsetof(struct ledger_filter, lot), "lot IN (SELECT id FROM lot WHERE name = ?)"},
    {ROW_TEXT, offsetof(struct ledger_filter, subject), "instr(lower(subject), lower(?))"},
    {ROW_TEXT, offsetof(struct ledger_filter, sans), "instr(lower(sans), lower(?))"},
    {ROW_INT64, offsetof(struct ledger_filter, issued_after), "likelihood(issued_at >= ?, 0.001)"},
    {ROW_INT64, offsetof(struct ledger_filter, issued_before), "likelihood(issued_at < ?, 0.001)"},
    {ROW_INT64, offsetof(struct ledger_filter, expires_after), "likelihood(not_after >= ?, 0.001)"},
    {ROW_INT64, offsetof(struct ledger_filter, expires_before), "likelihood(not_after < ?, 0.001)"},
    {ROW_INT64, offsetof(struct ledger_filter, after_id), "id > ?"},
    {ROW_INT64, offsetof(struct ledger_filter, lot_id), "lot = ?"},
};
#define N_CONDITIONS (sizeof(conditions) / sizeof(conditions[0]))

static bool is_asked(size_t i, const struct ledger_filter *f)
{
    const void *at = (const char *)f + conditions[i].offset;

    switch (conditions[i].type) {
    case ROW_TEXT:
        return *(const char *const *)at != NULL;
    case ROW_BLOB:
        return ((const struct blob *)at)->len != 0;
    case ROW_INT64:
        return *(const int64_t *)at != 0;
    case ROW_STATUS:
    case ROW_REASON:
        return *(const int *)at >= 0;
    }
    return false;
}

static void bind(struct sql *s, size_t i, const struct ledger_filter *f)
{
    const void *at = (const char *)f + conditions[i].offset;

    switch (conditions[i].type) {
    case ROW_TEXT:
        sql_text(s, *(const char *const *)at);
        break;
    case ROW_BLOB:
        sql_blob(s, *(const struct blob *)at);
        break;
    case ROW_INT64:
        sql_int(s, *(const int64_t *)at);
        break;
    case ROW_STATUS:
    case ROW_REASON:
        sql_int(s, *(const int *)at);
        break;
    }
}

static int begin_walk(struct sql *s, struct ledger *l, const struct ledger_filter *f, struct p11ca_err *err)
{
    AUTO_BUF text = BUF_INIT;
    size_t i;

    buf_adds(&text, CERT_SELECT "1");
    if (f->status >= 0)
        buf_addf(&text, " AND status = %d", f->status);
    for (i = 0; i < N_CONDITIONS; i++) {
        if (is_asked(i, f))
            buf_addf(&text, " AND %s", conditions[i].where);
    }
    buf_adds(&text, " ORDER BY id LIMIT ?");
    if (!buf_str(&text))
        return err_nomem(err);
    if (sql_begin_once(s, l, buf_str(&text), err) != 0)
        return -1;
    for (i = 0; i < N_CONDITIONS; i++) {
        if (is_asked(i, f))
            bind(s, i, f);
    }
    sql_int(s, f->limit ? f->limit : -1); /* negative: no limit */
    return 0;
}

int ledger_each_cert(
    struct ledger *l, const struct ledger_filter *f, ledger_cert_fn *fn, void *arg, struct p11ca_err *err)
{
    AUTO_SQL s = SQL_INIT;
    int r;

    if (begin_walk(&s, l, f, err) != 0)
        return -1;
    while ((r = sql_step(&s, err)) > 0) {
        struct ledger_cert c;

        row_borrow(&s, &shape, &c);
        r = fn(arg, &c, err);
        if (r != 0)
            return r;
    }
    return r;
}
