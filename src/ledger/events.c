#include "ledger/events.h"

#include <string.h>

#include "base/text.h"
#include "ledger/row.h"

#define EVENT_COLUMNS "seq, time, kind, authority, profile, operator, host, detail, serial, digest, hash"

static const struct row_column columns[] = {
    {ROW_INT64, offsetof(struct ledger_event, seq)},
    {ROW_INT64, offsetof(struct ledger_event, time)},
    {ROW_TEXT, offsetof(struct ledger_event, kind)},
    {ROW_TEXT, offsetof(struct ledger_event, authority)},
    {ROW_TEXT, offsetof(struct ledger_event, profile)},
    {ROW_TEXT, offsetof(struct ledger_event, operator_)},
    {ROW_TEXT, offsetof(struct ledger_event, host)},
    {ROW_TEXT, offsetof(struct ledger_event, detail)},
    {ROW_BLOB, offsetof(struct ledger_event, serial)},
    {ROW_BLOB, offsetof(struct ledger_event, digest)},
    {ROW_BLOB, offsetof(struct ledger_event, hash)},
};
static const struct row_shape shape = {
    columns, sizeof(columns) / sizeof(columns[0]), sizeof(struct ledger_event)};

/* Big endian, whatever the machine: the chain is checked on others. */
static void add_number(struct buf *b, uint64_t v, unsigned len)
{
    while (len--)
        buf_addc(b, (uint8_t)(v >> (8 * len)));
}

/* A length before every value, and one that no value has for NULL: no two events have the same encoding. */
static void add_bytes(struct buf *b, const void *p, size_t len)
{
    add_number(b, p ? len : UINT64_MAX, 8);
    buf_add(b, p, len);
}

static void add_text(struct buf *b, const char *s)
{
    add_bytes(b, s, s ? strlen(s) : 0);
}

/* No bytes are NULL: SQLite gives an empty blob back as NULL. */
static void add_blob(struct buf *b, struct blob v)
{
    add_bytes(b, v.len ? v.p : NULL, v.len);
}

int events_hash(const uint8_t before[SHA256_LEN], const struct ledger_event *e, struct buf *scratch,
    uint8_t ret[SHA256_LEN], struct p11ca_err *err)
{
    buf_reset(scratch);
    buf_add(scratch, before, SHA256_LEN);
    add_number(scratch, (uint64_t)e->seq, 8);
    add_number(scratch, (uint64_t)e->time, 8);
    add_text(scratch, e->kind);
    add_text(scratch, e->authority);
    add_text(scratch, e->profile);
    add_text(scratch, e->operator_);
    add_text(scratch, e->host);
    add_text(scratch, e->detail);
    add_blob(scratch, e->serial);
    add_blob(scratch, e->digest);
    if (!buf_ok(scratch))
        return err_nomem(err);
    return hash_sha256(scratch->p, scratch->len, ret) == 0 ? 0
                                                           : err_openssl(err, P11CA_BUG, "event: SHA-256");
}

int events_read_head(struct ledger *l, struct p11ca_err *err)
{
    static const char text[] = "SELECT seq, time, hash FROM event ORDER BY seq DESC LIMIT 1";
    AUTO_SQL s = SQL_INIT;
    struct blob hash;
    int r;

    if (sql_begin(&s, l, text, err) != 0 || (r = sql_step(&s, err)) < 0)
        return -1;
    memset(&l->head, 0, sizeof(l->head)); /* no event: the chain starts from zeros */
    if (r == 0)
        return 0;
    hash = sql_col_blob(&s, 2);
    if (hash.len != SHA256_LEN)
        return err_set(err, P11CA_LEDGER, "LEDGER_CORRUPT", "%s: last event: hash: want %d octets, have %zu",
            l->path, SHA256_LEN, hash.len);
    l->head.seq = sql_col_int(&s, 0);
    l->head.time = sql_col_int(&s, 1);
    memcpy(l->head.hash, hash.p, SHA256_LEN);
    return 0;
}

static int insert(struct ledger *l, const struct ledger_event *e, struct p11ca_err *err)
{
    static const char text[] =
        "INSERT INTO event (" EVENT_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, e->seq);
    sql_int(&s, e->time);
    sql_text(&s, e->kind);
    sql_text(&s, e->authority);
    sql_text(&s, e->profile);
    sql_text(&s, e->operator_);
    sql_text(&s, e->host);
    sql_text(&s, e->detail);
    sql_blob(&s, e->serial);
    sql_blob(&s, e->digest);
    sql_blob(&s, e->hash);
    return sql_run(&s, err);
}

int events_append(struct ledger *l, const struct ledger_event *e, struct p11ca_err *err)
{
    struct ledger_event whole = *e;
    uint8_t hash[SHA256_LEN];

    whole.seq = l->head.seq + 1;
    whole.time = l->now;
    whole.operator_ = l->operator_;
    whole.host = l->host;
    whole.hash = (struct blob){hash, sizeof(hash)};
    if (events_hash(l->head.hash, &whole, &l->scratch, hash, err) != 0) {
        l->broken = true;
        return -1;
    }
    if (insert(l, &whole, err) != 0)
        return -1;
    l->head.seq = whole.seq;
    l->head.time = whole.time;
    memcpy(l->head.hash, hash, sizeof(hash));
    return 0;
}

int events_append_digest(struct ledger *l, const char *kind, const char *authority,
    const uint8_t sha256[SHA256_LEN], struct p11ca_err *err)
{
    char detail[7 + 2 * SHA256_LEN + 1] = "sha256 ";
    struct ledger_event e = {
        .kind = kind, .authority = authority, .detail = detail, .digest = {sha256, SHA256_LEN}};

    text_hex(sha256, SHA256_LEN, detail + strlen(detail));
    return events_append(l, &e, err);
}

int ledger_event(struct ledger *l, const struct ledger_event *e, struct p11ca_err *err)
{
    static const char *const kinds[] = {"init", "key", "install", "issue", "publish", "reject", "alarm",
        "fail", "revoke", "crl", "config", "ceremony", "destroy", "lint-skip", "key-exception", "ocsp"};
    size_t i;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && (!e->kind || strcmp(kinds[i], e->kind) != 0); i++)
        ;
    if (i == sizeof(kinds) / sizeof(kinds[0]))
        return err_set(err, P11CA_BUG, "EVENT_KIND", "event: kind: want one that is in the table, have '%s'",
            e->kind ? e->kind : "");
    return ledger_need_transaction(l, err) == 0 ? events_append(l, e, err) : -1;
}

int ledger_each_event(struct ledger *l, ledger_event_fn *fn, void *arg, struct p11ca_err *err)
{
    AUTO_SQL s = SQL_INIT;
    int r;

    if (sql_begin_once(&s, l, "SELECT " EVENT_COLUMNS " FROM event ORDER BY seq", err) != 0)
        return -1;
    while ((r = sql_step(&s, err)) > 0) {
        struct ledger_event e;

        row_borrow(&s, &shape, &e);
        r = fn(arg, &e, err);
        if (r != 0)
            return r;
    }
    return r;
}

/* 1: the configuration recorded last has this digest; 0: another, or none is. */
static int config_is(struct ledger *l, const uint8_t sha256[SHA256_LEN], struct p11ca_err *err)
{
    static const char text[] = "SELECT digest FROM event WHERE kind = 'config' ORDER BY seq DESC LIMIT 1";
    AUTO_SQL s = SQL_INIT;
    struct blob last;
    int r;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    r = sql_step(&s, err);
    if (r <= 0)
        return r;
    last = sql_col_blob(&s, 0);
    return last.len == SHA256_LEN && memcmp(last.p, sha256, SHA256_LEN) == 0;
}

int ledger_note_config(struct ledger *l, const uint8_t sha256[SHA256_LEN], struct p11ca_err *err)
{
    int r;

    if (ledger_need_transaction(l, err) != 0 || (r = config_is(l, sha256, err)) < 0)
        return -1;
    return r ? 0 : events_append_digest(l, "config", NULL, sha256, err);
}

/* 1: the last exception for this key has these words. */
static int exception_is(
    struct ledger *l, const uint8_t sha256[SHA256_LEN], const char *reason, struct p11ca_err *err)
{
    static const char text[] =
        "SELECT detail FROM event WHERE kind = 'key-exception' AND digest = ? ORDER BY seq DESC LIMIT 1";
    AUTO_SQL s = SQL_INIT;
    const char *last;
    int r;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_digest(&s, sha256);
    r = sql_step(&s, err);
    if (r <= 0)
        return r;
    last = sql_col_text(&s, 0);
    return last && strcmp(last, reason) == 0;
}

int ledger_note_exception(struct ledger *l, const char *authority, const uint8_t spki_sha256[SHA256_LEN],
    const char *reason, struct p11ca_err *err)
{
    const struct ledger_event e = {.kind = "key-exception",
        .authority = authority,
        .detail = reason,
        .digest = {spki_sha256, SHA256_LEN}};
    int r;

    if (ledger_need_transaction(l, err) != 0 || (r = exception_is(l, spki_sha256, reason, err)) < 0)
        return -1;
    return r ? 0 : events_append(l, &e, err);
}
