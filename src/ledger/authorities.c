#include "ledger/authorities.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/text.h"
#include "ledger/events.h"
#include "ledger/row.h"

#define AUTHORITY_SELECT                                                                                     \
    "SELECT name, token_label, token_serial, key_label, key_id, spki, cert, recorded_at FROM authority"

static const struct row_column columns[] = {
    {ROW_TEXT, offsetof(struct ledger_authority, name)},
    {ROW_TEXT, offsetof(struct ledger_authority, token_label)},
    {ROW_TEXT, offsetof(struct ledger_authority, token_serial)},
    {ROW_TEXT, offsetof(struct ledger_authority, key_label)},
    {ROW_BLOB, offsetof(struct ledger_authority, key_id)},
    {ROW_BLOB, offsetof(struct ledger_authority, spki)},
    {ROW_BLOB, offsetof(struct ledger_authority, cert)},
    {ROW_INT64, offsetof(struct ledger_authority, recorded_at)},
};
static const struct row_shape shape = {
    columns, sizeof(columns) / sizeof(columns[0]), sizeof(struct ledger_authority)};

SCOPE_DEFINE(authority, struct ledger_authority *, ledger_authority_free)

static int unknown(const char *name, struct p11ca_err *err)
{
    return err_set(
        err, P11CA_LEDGER, "AUTHORITY_UNKNOWN", "authority '%s': not recorded in the ledger", name);
}

int authorities_id(struct ledger *l, const char *name, int64_t *ret_id, struct p11ca_err *err)
{
    AUTO_SQL s = SQL_INIT;
    static const char text[] = "SELECT id FROM authority WHERE name = ?";
    int r;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_text(&s, name);
    r = sql_step(&s, err);
    if (r <= 0)
        return r == 0 ? unknown(name, err) : -1;
    *ret_id = sql_col_int(&s, 0);
    return 0;
}

int ledger_get_authority(
    struct ledger *l, const char *name, struct ledger_authority **ret, struct p11ca_err *err)
{
    static const char text[] = AUTHORITY_SELECT " WHERE name = ?";
    AUTO_SQL s = SQL_INIT;
    struct ledger_authority *a = NULL;
    int r;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_text(&s, name);
    r = sql_step(&s, err);
    if (r < 0)
        return -1;
    if (r > 0 && !(a = row_copy(&s, &shape)))
        return err_nomem(err);
    *ret = a;
    return 0;
}

void ledger_authority_free(struct ledger_authority *a)
{
    free(a);
}

int ledger_each_authority(struct ledger *l, ledger_authority_fn *fn, void *arg, struct p11ca_err *err)
{
    AUTO_SQL s = SQL_INIT;
    int r;

    if (sql_begin_once(&s, l, AUTHORITY_SELECT " ORDER BY id", err) != 0)
        return -1;
    while ((r = sql_step(&s, err)) > 0) {
        struct ledger_authority a;

        row_borrow(&s, &shape, &a);
        r = fn(arg, &a, err);
        if (r != 0)
            return r;
    }
    return r;
}

int ledger_is_authority_key(struct ledger *l, const uint8_t spki_sha256[SHA256_LEN], char *ret_name,
    size_t size, struct p11ca_err *err)
{
    static const char text[] = "SELECT name FROM authority WHERE spki_sha256 = ? ORDER BY id LIMIT 1";
    AUTO_SQL s = SQL_INIT;
    int r;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_digest(&s, spki_sha256);
    r = sql_step(&s, err);
    if (r > 0)
        snprintf(ret_name, size, "%s", sql_col_text(&s, 0));
    return r;
}

static bool same(struct blob a, struct blob b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static int digest(const char *name, struct blob what, uint8_t ret[SHA256_LEN], struct p11ca_err *err)
{
    if (hash_sha256(what.p, what.len, ret) == 0)
        return 0;
    return err_openssl(err, P11CA_BUG, "authority '%s': SHA-256", name);
}

/* Refuses another key or certificate than the recorded one; both are shown by their digests. */
static int refuse_other(const char *code, const char *name, const char *what, struct blob old,
    struct blob new, struct p11ca_err *err)
{
    uint8_t want[SHA256_LEN], have[SHA256_LEN];
    char want_hex[2 * SHA256_LEN + 1], have_hex[2 * SHA256_LEN + 1];

    if (digest(name, old, want, err) != 0 || digest(name, new, have, err) != 0)
        return -1;
    text_hex(want, sizeof(want), want_hex);
    text_hex(have, sizeof(have), have_hex);
    return err_set(err, P11CA_LEDGER, code,
        "authority '%s': another %s is recorded: want SHA-256 %s, have %s", name, what, want_hex, have_hex);
}

static int insert(struct ledger *l, const struct ledger_authority *a, const uint8_t spki_sha256[SHA256_LEN],
    struct p11ca_err *err)
{
    static const char text[] =
        "INSERT INTO authority (name, token_label, token_serial, key_label, key_id, spki,"
        " spki_sha256, recorded_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_text(&s, a->name);
    sql_text(&s, a->token_label);
    sql_text(&s, a->token_serial);
    sql_text(&s, a->key_label);
    sql_blob(&s, a->key_id);
    sql_blob(&s, a->spki);
    sql_digest(&s, spki_sha256);
    sql_int(&s, l->now);
    return sql_run(&s, err);
}

int ledger_put_authority(struct ledger *l, const struct ledger_authority *a, struct p11ca_err *err)
{
    SCOPED(authority) struct ledger_authority *old = NULL;
    uint8_t spki_sha256[SHA256_LEN];

    if (ledger_need_transaction(l, err) != 0 || ledger_get_authority(l, a->name, &old, err) != 0)
        return -1;
    if (old && same(old->spki, a->spki))
        return 0;
    if (old)
        return refuse_other("AUTHORITY_HAS_KEY", a->name, "key", old->spki, a->spki, err);
    if (digest(a->name, a->spki, spki_sha256, err) != 0 || insert(l, a, spki_sha256, err) != 0)
        return -1;
    return events_append_digest(l, "key", a->name, spki_sha256, err);
}

static int update_cert(struct ledger *l, const char *name, struct blob cert, struct p11ca_err *err)
{
    static const char text[] = "UPDATE authority SET cert = ?, installed_at = ? WHERE name = ?";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_blob(&s, cert);
    sql_int(&s, l->now);
    sql_text(&s, name);
    return sql_run(&s, err);
}

int ledger_put_ca_cert(struct ledger *l, const char *authority, struct blob cert, struct p11ca_err *err)
{
    SCOPED(authority) struct ledger_authority *old = NULL;
    uint8_t cert_sha256[SHA256_LEN];

    if (ledger_need_transaction(l, err) != 0 || ledger_get_authority(l, authority, &old, err) != 0)
        return -1;
    if (!old)
        return unknown(authority, err);
    if (cert.len == 0)
        return err_set(
            err, P11CA_BUG, "CERT_EMPTY", "authority '%s': certificate: want DER, have no octets", authority);
    if (old->cert.len && same(old->cert, cert))
        return 0;
    if (old->cert.len)
        return refuse_other("AUTHORITY_HAS_CERT", authority, "certificate", old->cert, cert, err);
    if (digest(authority, cert, cert_sha256, err) != 0 || update_cert(l, authority, cert, err) != 0)
        return -1;
    return events_append_digest(l, "install", authority, cert_sha256, err);
}
