#include "ledger/keys.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/sql.h"

/*
 * How many rows are behind the end before a lot moves it: an eighth of those before it, so that some fifteen of them share a
 * page. Of the most, what is in memory takes 2 MiB and to sort them 8, and a reader looks through them in 60 ms.
 */
#define STEP_LEAST 1024
#define STEP_PART  8
#define STEP_MOST  131072

#define PLACES 1024 /* at first; a power of two */

/* --- what is in memory: first octets of SHA-256, open addressing, 0 for an empty place --- */

static uint64_t mark_of(const uint8_t *octets)
{
    uint64_t mark;

    memcpy(&mark, octets, sizeof(mark));
    return mark ? mark : 1;
}

/* Where the mark is, or would be. */
static uint64_t *place(const struct keys *k, uint64_t mark)
{
    size_t i = mark & (k->places - 1);

    while (k->marks[i] && k->marks[i] != mark)
        i = (i + 1) & (k->places - 1);
    return &k->marks[i];
}

static int grow(struct keys *k, struct p11ca_err *err)
{
    struct keys larger = {.places = k->places ? 2 * k->places : PLACES};
    size_t i;

    larger.marks = calloc(larger.places, sizeof(*larger.marks));
    if (!larger.marks)
        return err_nomem(err);
    for (i = 0; i < k->places; i++) {
        if (k->marks[i])
            *place(&larger, k->marks[i]) = k->marks[i];
    }
    free(k->marks);
    k->marks = larger.marks;
    k->places = larger.places;
    return 0;
}

static int add_mark(struct keys *k, const uint8_t *octets, struct p11ca_err *err)
{
    uint64_t mark = mark_of(octets), *at;

    if (2 * k->n >= k->places && grow(k, err) != 0)
        return -1;
    at = place(k, mark);
    k->n += *at == 0;
    *at = mark;
    return 0;
}

static void forget(struct keys *k, int64_t upto)
{
    if (k->n)
        memset(k->marks, 0, k->places * sizeof(*k->marks));
    k->n = 0;
    k->upto = k->last = upto;
}

/* --- what is in the ledger --- */

/* The end, and the last row. */
static int read_ends(struct ledger *l, int64_t *ret_upto, int64_t *ret_last, struct p11ca_err *err)
{
    static const char text[] = "SELECT coalesce((SELECT upto FROM by_key_end), 0),"
                               " coalesce((SELECT max(id) FROM certificate), 0)";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0 || sql_step(&s, err) < 0)
        return -1;
    *ret_upto = sql_col_int(&s, 0);
    *ret_last = sql_col_int(&s, 1);
    return 0;
}

static bool is_writing(const struct ledger *l)
{
    return sqlite3_txn_state(l->db, "main") == SQLITE_TXN_WRITE;
}

/* Rows that others have written, or this handle before it was asked for the first time. */
static int read_rows(struct ledger *l, struct p11ca_err *err)
{
    static const char text[] =
        "SELECT id, substr(spki_sha256, 1, 8) FROM certificate WHERE id > ? ORDER BY id";
    struct keys *k = &l->keys;
    AUTO_SQL s = SQL_INIT;
    int r;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, k->last);
    while ((r = sql_step(&s, err)) > 0) {
        struct blob octets = sql_col_blob(&s, 1);

        if (octets.len == sizeof(uint64_t) && add_mark(k, octets.p, err) != 0)
            return -1;
        k->last = sql_col_int(&s, 0);
        k->unsure = k->unsure || is_writing(l);
    }
    return r;
}

/* Nobody else writes during a transaction: once is enough for all that is asked in it. */
static int refresh(struct ledger *l, struct p11ca_err *err)
{
    struct keys *k = &l->keys;
    int64_t upto, last;

    if (k->fresh)
        return 0;
    if (read_ends(l, &upto, &last, err) != 0)
        return -1;
    if (upto != k->upto)
        forget(k, upto);
    if (last > k->last && read_rows(l, err) != 0)
        return -1;
    k->fresh = !sqlite3_get_autocommit(l->db);
    return 0;
}

static int move_end(struct ledger *l, int64_t last, struct p11ca_err *err)
{
    static const char text[] = "UPDATE by_key_end SET upto = ?";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, text, err) != 0)
        return -1;
    sql_int(&s, last);
    if (sql_run(&s, err) != 0)
        return -1;
    forget(&l->keys, last);
    return 0;
}

int keys_behind(struct ledger *l, const uint8_t spki_sha256[SHA256_LEN], struct p11ca_err *err)
{
    struct keys *k = &l->keys;

    if (refresh(l, err) != 0)
        return -1;
    if (!k->n || !*place(k, mark_of(spki_sha256)))
        return 0;
    return is_writing(l) && move_end(l, k->last, err) != 0 ? -1 : 1;
}

void keys_add(struct ledger *l, int64_t id, struct blob spki_sha256)
{
    struct keys *k = &l->keys;
    struct p11ca_err ignored;

    k->unsure = true;
    if (k->fresh && id == k->last + 1 && spki_sha256.len >= sizeof(uint64_t) &&
        add_mark(k, spki_sha256.p, &ignored) == 0)
        k->last = id;
    else
        k->fresh = false;
}

/* --- transactions --- */

void keys_begin(struct ledger *l)
{
    /* The one before did not commit. */
    if (l->keys.unsure)
        forget(&l->keys, 0);
    l->keys.fresh = l->keys.unsure = false;
}

static bool is_step(const struct keys *k)
{
    return k->n >= STEP_MOST || (k->n >= STEP_LEAST && (int64_t)k->n >= k->upto / STEP_PART);
}

int keys_settle(struct ledger *l, struct p11ca_err *err)
{
    int64_t upto, last;

    if (!is_writing(l) || (l->keys.deferred && !is_step(&l->keys)))
        return 0;
    if (read_ends(l, &upto, &last, err) != 0)
        return -1;
    return last > upto ? move_end(l, last, err) : 0;
}

void keys_committed(struct ledger *l)
{
    l->keys.fresh = l->keys.unsure = false;
}

void keys_done(struct ledger *l)
{
    free(l->keys.marks);
}

void ledger_defer_keys(struct ledger *l)
{
    l->keys.deferred = true;
}

int ledger_index_keys(struct ledger *l, struct p11ca_err *err)
{
    int64_t upto, last;

    l->keys.deferred = false;
    if (read_ends(l, &upto, &last, err) != 0)
        return -1;
    if (last <= upto)
        return 0;
    return ledger_begin(l, err) == 0 ? ledger_commit(l, err) : -1;
}
