#include "ledger/ledger.h"

#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"
#include "ledger/events.h"
#include "ledger/keys.h"
#include "ledger/schema.h"
#include "ledger/sql.h"

#define BUSY_MS      10000 /* a group of 512 rows is committed in milliseconds; a checkpoint may take a second */
#define BUSY_STEP_MS 5
#define CLOCK_SLACK  60 /* seconds that clocks of machines which share a ledger may differ */

/* Of the write-ahead log: more would leave the processor's cache, and need new memory. The last transaction goes beyond that,
 * and is not to be cut off when the log begins anew. */
#define CHECKPOINT 4096     /* pages */
#define LOG_KEPT   33554432 /* octets */

#define CACHE_KIB 65536 /* index pages are hit at random; a million rows have about 100 MiB of them */

SCOPE_DEFINE(ledger, struct ledger *, ledger_close)

static void find_operator(struct ledger *l)
{
    char space[4096];
    struct passwd pw, *found = NULL;

    if (getpwuid_r(getuid(), &pw, space, sizeof(space), &found) == 0 && found)
        snprintf(l->operator_, sizeof(l->operator_), "%s", pw.pw_name);
    else
        snprintf(l->operator_, sizeof(l->operator_), "%u", (unsigned)getuid());
    /* POSIX leaves open whether a name that was cut ends with NUL. */
    if (gethostname(l->host, sizeof(l->host) - 1) != 0)
        snprintf(l->host, sizeof(l->host), "?");
}

static struct ledger *new_handle(const char *path, enum ledger_mode mode, int64_t now)
{
    struct ledger *l = calloc(1, sizeof(*l));

    if (!l)
        return NULL;
    l->mode = mode;
    l->now = now;
    l->path = strdup(path);
    find_operator(l);
    if (l->path)
        return l;
    free(l);
    return NULL;
}

/* An empty file is a new database to SQLite, and its log and index files take over this mode. */
static int make_file(const char *path, struct p11ca_err *err)
{
    if (file_exists(path) || file_write(path, FILE_NEW, 0600, "", 0, err) == 0 ||
        strcmp(err->code, "OUTPUT_EXISTS") == 0)
        return 0;
    return -1;
}

/* What a damaged or malicious file could otherwise make SQLite do. */
static void harden(struct ledger *l)
{
    sqlite3_extended_result_codes(l->db, 1);
    sqlite3_db_config(l->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(l->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_busy_timeout(l->db, BUSY_MS);
}

/* SQLite counts the memory that it has, for whoever asks, under a lock: 2 of the 24 us that a certificate takes in a turn.
 * In a process that uses SQLite already this is refused, and it counts on. */
static void count_no_memory(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static int open_database(struct ledger *l, struct p11ca_err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int flags = SQLITE_OPEN_NOMUTEX | (l->mode == LEDGER_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
    int rc;

    pthread_once(&once, count_no_memory);
    rc = sqlite3_open_v2(l->path, &l->db, flags, NULL);
    if (!l->db)
        return err_nomem(err);
    if (rc != SQLITE_OK)
        return sql_fail(l, err);
    harden(l);
    return sql_exec(l,
        "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON;"
        "PRAGMA recursive_triggers = ON",
        err);
}

/*
 * SQLite asks no busy handler for this lock: two processes that turn one new file to WAL would wait for each other.
 * One of them fails at once and has let go, so that trying again is safe.
 */
static int set_wal(struct ledger *l, struct p11ca_err *err)
{
    int rc, waited;

    sqlite3_busy_timeout(l->db, 0);
    for (waited = 0;; waited += BUSY_STEP_MS) {
        rc = sqlite3_exec(l->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
        if ((rc & 0xff) != SQLITE_BUSY || waited >= BUSY_MS)
            break;
        sqlite3_sleep(BUSY_STEP_MS);
    }
    sqlite3_busy_timeout(l->db, BUSY_MS);
    return rc == SQLITE_OK ? 0 : sql_fail(l, err);
}

/*
 * The log file stays, empty, when all of it has gone into the database at the end: making it anew costs a sync of the
 * directory.
 */
static void keep_log(struct ledger *l)
{
    int keep = 1;

    sqlite3_file_control(l->db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
}

/* Only after the file is known to be ours: a foreign database stays as it is. */
static int set_up_writing(struct ledger *l, int64_t version, struct p11ca_err *err)
{
    char text[128];

    sqlite3_snprintf(sizeof(text), text,
        "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = %d;"
        "PRAGMA cache_size = -%d; PRAGMA journal_size_limit = %d",
        CHECKPOINT, CACHE_KIB, LOG_KEPT);
    if (set_wal(l, err) != 0 || sql_exec(l, text, err) != 0)
        return -1;
    keep_log(l);
    if (version < schema_version() && schema_migrate(l, err) != 0)
        return -1;
    return 0;
}

static int check_clock(struct ledger *l, struct p11ca_err *err)
{
    char want[TEXT_TIME], have[TEXT_TIME];

    if (l->head.seq == 0 || l->head.time <= l->now + CLOCK_SLACK)
        return 0;
    text_time(l->head.time, want);
    text_time(l->now, have);
    return err_set(err, P11CA_LEDGER, "CLOCK",
        "%s: clock was set back: want %s (the last event) or later, have %s", l->path, want, have);
}

static int open_ledger(struct ledger *l, struct p11ca_err *err)
{
    int64_t version;

    if (open_database(l, err) != 0 || schema_check(l, &version, err) != 0)
        return -1;
    if (l->mode == LEDGER_READ)
        return 0;
    if (set_up_writing(l, version, err) != 0 || events_read_head(l, err) != 0 || check_clock(l, err) != 0)
        return -1;
    return ledger_index_keys(l, err); /* a lot was killed, or is under way */
}

int ledger_open(
    const char *path, enum ledger_mode mode, int64_t now, struct ledger **ret, struct p11ca_err *err)
{
    SCOPED(ledger) struct ledger *l = NULL;

    if (mode == LEDGER_CREATE && make_file(path, err) != 0)
        return -1;
    l = new_handle(path, mode, now);
    if (!l)
        return err_nomem(err);
    if (open_ledger(l, err) != 0)
        return -1;
    l->broken = false;
    *ret = l;
    l = NULL;
    return 0;
}

void ledger_close(struct ledger *l)
{
    size_t i;

    if (!l)
        return;
    ledger_rollback(l);
    for (i = 0; i < HANDLE_STATEMENTS; i++)
        sqlite3_finalize(l->cache[i].q);
    sqlite3_close(l->db);
    keys_done(l);
    buf_done(&l->scratch);
    free(l->path);
    free(l);
}

void ledger_set_now(struct ledger *l, int64_t now)
{
    l->now = now;
}

static bool in_transaction(const struct ledger *l)
{
    return l->db && !sqlite3_get_autocommit(l->db);
}

int ledger_need_transaction(const struct ledger *l, struct p11ca_err *err)
{
    if (in_transaction(l))
        return 0;
    return err_set(err, P11CA_BUG, "TRANSACTION", "%s: write: want a transaction, have none", l->path);
}

static void end_lazy(struct ledger *l)
{
    if (l->lazy)
        sqlite3_exec(l->db, "PRAGMA synchronous = FULL", NULL, NULL, NULL);
    l->lazy = false;
}

/* A number that only the commits of other connections change (SQLite's PRAGMA data_version). */
static int read_version(struct ledger *l, int64_t *ret, struct p11ca_err *err)
{
    AUTO_SQL s = SQL_INIT;

    if (sql_begin(&s, l, "PRAGMA data_version", err) != 0 || sql_step(&s, err) < 0)
        return -1;
    *ret = sql_col_int(&s, 0);
    return 0;
}

static int begin_locked(struct ledger *l, struct p11ca_err *err)
{
    int64_t version;

    l->broken = false;
    keys_begin(l);
    if (read_version(l, &version, err) != 0 || events_read_head(l, err) != 0)
        return -1;
    l->others += version != l->version;
    l->version = version;
    return check_clock(l, err);
}

uint64_t ledger_others(const struct ledger *l)
{
    return l->others;
}

static int begin(struct ledger *l, struct p11ca_err *err)
{
    if (l->mode == LEDGER_READ)
        return err_set(err, P11CA_LEDGER, "LEDGER_READONLY",
            "%s: write: want a ledger opened for it, have one "
            "opened for reading",
            l->path);
    if (in_transaction(l))
        return err_set(err, P11CA_BUG, "TRANSACTION", "%s: begin: want no transaction, have one", l->path);
    if (sql_exec(l, "BEGIN IMMEDIATE", err) != 0)
        return -1;
    if (begin_locked(l, err) == 0)
        return 0;
    ledger_rollback(l);
    return -1;
}

int ledger_begin(struct ledger *l, struct p11ca_err *err)
{
    end_lazy(l); /* SQLite may have rolled the last one back by itself */
    return begin(l, err);
}

/* The setting cannot change inside a transaction. In WAL mode NORMAL commits in order, and syncs at the next full one. */
int ledger_begin_lazy(struct ledger *l, struct p11ca_err *err)
{
    if (in_transaction(l))
        return begin(l, err); /* which refuses */
    if (sql_exec(l, "PRAGMA synchronous = NORMAL", err) != 0)
        return -1;
    l->lazy = true;
    if (begin(l, err) == 0)
        return 0;
    end_lazy(l);
    return -1;
}

int ledger_begin_read(struct ledger *l, struct p11ca_err *err)
{
    if (in_transaction(l))
        return begin(l, err); /* which refuses */
    end_lazy(l);
    keys_begin(l);
    return sql_exec(l, "BEGIN", err);
}

static int commit(struct ledger *l, struct p11ca_err *err)
{
    if (l->broken)
        return err_set(
            err, P11CA_BUG, "TRANSACTION", "%s: commit: a write of this transaction had failed", l->path);
    if (keys_settle(l, err) != 0 || sql_exec(l, "COMMIT", err) != 0)
        return -1;
    keys_committed(l);
    return 0;
}

int ledger_commit(struct ledger *l, struct p11ca_err *err)
{
    if (ledger_need_transaction(l, err) != 0)
        return -1;
    if (commit(l, err) == 0) {
        end_lazy(l);
        return 0;
    }
    ledger_rollback(l);
    return -1;
}

void ledger_rollback(struct ledger *l)
{
    if (in_transaction(l))
        sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL);
    end_lazy(l);
    keys_begin(l);
    l->broken = false;
}
