#include "ledger/schema.h"

#include <inttypes.h>

#include "ledger/sql.h"

/* "p11c"; file(1) and `PRAGMA application_id` show it. */
#define APPLICATION_ID 0x70313163

/*
 * Numbers that stand in the tables: status is enum ledger_status (0 reserved, 1 issued, 2 superseded, 3 revoked),
 * times are seconds since 1970 UTC, reason is the CRLReason of RFC 5280 5.3.1.
 *
 * Indexes are few, because every one is another random page per certificate: one to keep serials unique (the
 * serial first, so that it also answers "whose serial is this"), one for each digest that is looked up, and
 * partial ones where most rows would be NULL or never asked for. Of a digest eight octets are enough to find
 * the row, which then has to have the whole: a third of the pages to write and to keep in memory.
 */
static const char tables_1[] =
    "CREATE TABLE authority ("
    "  id           INTEGER PRIMARY KEY,"
    "  name         TEXT NOT NULL UNIQUE CHECK (name <> ''),"
    "  token_label  TEXT,"
    "  token_serial TEXT,"
    "  key_label    TEXT,"
    "  key_id       BLOB,"
    "  spki         BLOB NOT NULL,"
    "  spki_sha256  BLOB NOT NULL CHECK (length(spki_sha256) = 32),"
    "  cert         BLOB,"
    "  recorded_at  INTEGER NOT NULL,"
    "  installed_at INTEGER"
    ") STRICT;"
    "CREATE INDEX authority_spki ON authority (spki_sha256);"

    "CREATE TABLE lot ("
    "  id         INTEGER PRIMARY KEY,"
    "  authority  INTEGER NOT NULL REFERENCES authority (id),"
    "  profile    TEXT NOT NULL,"
    "  name       TEXT,"
    "  sha256     BLOB CHECK (length(sha256) = 32),"
    "  created_at INTEGER NOT NULL,"
    "  UNIQUE (sha256, authority, profile)"
    ") STRICT;"

    "CREATE TABLE certificate ("
    "  id             INTEGER PRIMARY KEY,"
    "  authority      INTEGER NOT NULL REFERENCES authority (id),"
    "  serial         BLOB NOT NULL CHECK (length(serial) BETWEEN 8 AND 20),"
    "  status         INTEGER NOT NULL CHECK (status BETWEEN 0 AND 3),"
    "  profile        TEXT NOT NULL,"
    "  device         TEXT,"
    "  subject        TEXT NOT NULL,"
    "  sans           TEXT,"
    "  sig_alg        TEXT NOT NULL,"
    "  spki_sha256    BLOB NOT NULL CHECK (length(spki_sha256) = 32),"
    "  request_sha256 BLOB NOT NULL CHECK (length(request_sha256) = 32),"
    "  tbs_sha256     BLOB NOT NULL CHECK (length(tbs_sha256) = 32),"
    "  not_before     INTEGER NOT NULL,"
    "  not_after      INTEGER NOT NULL,"
    "  lot            INTEGER REFERENCES lot (id),"
    "  supersedes     INTEGER REFERENCES certificate (id),"
    "  reserved_at    INTEGER NOT NULL,"
    "  issued_at      INTEGER,"
    "  published_at   INTEGER,"
    "  revoked_at     INTEGER,"
    "  invalid_since  INTEGER," /* RFC 5280 5.3.2 */
    "  reason         INTEGER CHECK (reason BETWEEN 0 AND 10 AND reason <> 7),"
    "  event          INTEGER REFERENCES event (seq)," /* that issued it */
    "  path           TEXT,"
    "  cert_sha256    BLOB CHECK (length(cert_sha256) = 32),"
    "  cert           BLOB"
    ") STRICT;"
    "CREATE UNIQUE INDEX certificate_serial ON certificate (serial, authority);"
    "CREATE INDEX certificate_request ON certificate (substr(request_sha256, 1, 8));"
    "CREATE INDEX certificate_key ON certificate (substr(spki_sha256, 1, 8));"
    "CREATE INDEX certificate_cert ON certificate (substr(cert_sha256, 1, 8)) WHERE cert_sha256 IS NOT NULL;"
    "CREATE INDEX certificate_device ON certificate (device) WHERE device IS NOT NULL;"
    "CREATE INDEX certificate_expiry ON certificate (not_after) WHERE status = 1;"
    "CREATE INDEX certificate_revoked ON certificate (revoked_at) WHERE revoked_at IS NOT NULL;"

    "CREATE TABLE crl ("
    "  authority   INTEGER NOT NULL REFERENCES authority (id),"
    "  number      INTEGER NOT NULL,"
    "  base        INTEGER," /* of a delta CRL: the number it builds on */
    "  this_update INTEGER NOT NULL,"
    "  next_update INTEGER NOT NULL,"
    "  sha256      BLOB NOT NULL CHECK (length(sha256) = 32),"
    "  PRIMARY KEY (authority, number)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE event ("
    "  seq       INTEGER PRIMARY KEY,"
    "  time      INTEGER NOT NULL,"
    "  kind      TEXT NOT NULL,"
    "  authority TEXT,"
    "  profile   TEXT,"
    "  serial    BLOB,"
    "  operator  TEXT NOT NULL,"
    "  host      TEXT NOT NULL,"
    "  detail    TEXT,"
    "  digest    BLOB CHECK (length(digest) = 32),"
    "  hash      BLOB NOT NULL CHECK (length(hash) = 32)"
    ") STRICT;"
    "CREATE INDEX event_config ON event (seq) WHERE kind = 'config';";

/*
 * The triggers hold against any program that opens the file, not only this one. REPLACE deletes a row without
 * firing its delete trigger (unless recursive_triggers is on), therefore the insert triggers.
 */
static const char triggers_1[] =
    "CREATE TRIGGER event_insert BEFORE INSERT ON event"
    "  WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM event)"
    "  BEGIN SELECT RAISE(ABORT, 'events are append-only: want the next number'); END;"
    "CREATE TRIGGER event_update BEFORE UPDATE ON event"
    "  BEGIN SELECT RAISE(ABORT, 'events are append-only: no update'); END;"
    "CREATE TRIGGER event_delete BEFORE DELETE ON event"
    "  BEGIN SELECT RAISE(ABORT, 'events are append-only: no delete'); END;"

    "CREATE TRIGGER certificate_insert BEFORE INSERT ON certificate"
    "  WHEN EXISTS (SELECT 1 FROM certificate WHERE id = NEW.id)"
    "    OR EXISTS (SELECT 1 FROM certificate WHERE serial = NEW.serial AND authority = NEW.authority)"
    "  BEGIN SELECT RAISE(ABORT, 'certificates are not replaced: the row or serial exists'); END;"
    "CREATE TRIGGER certificate_delete BEFORE DELETE ON certificate"
    "  BEGIN SELECT RAISE(ABORT, 'certificates are not deleted'); END;"
    "CREATE TRIGGER certificate_identity BEFORE UPDATE OF id, authority, serial, profile, device, subject, "
    "sans,"
    "  sig_alg, spki_sha256, request_sha256, lot, supersedes, reserved_at ON certificate"
    "  BEGIN SELECT RAISE(ABORT, 'certificates keep what they were reserved for'); END;"
    "CREATE TRIGGER certificate_content BEFORE UPDATE OF tbs_sha256, not_before, not_after, issued_at, event,"
    "  cert_sha256, cert ON certificate WHEN OLD.status <> 0"
    "  BEGIN SELECT RAISE(ABORT, 'certificates do not change once issued'); END;"
    "CREATE TRIGGER certificate_status BEFORE UPDATE OF status ON certificate WHEN NEW.status < OLD.status"
    "  BEGIN SELECT RAISE(ABORT, 'certificates go from reserved to issued to superseded to revoked'); END;"

    "CREATE TRIGGER authority_insert BEFORE INSERT ON authority"
    "  WHEN EXISTS (SELECT 1 FROM authority WHERE id = NEW.id OR name = NEW.name)"
    "  BEGIN SELECT RAISE(ABORT, 'authorities are not replaced'); END;"
    "CREATE TRIGGER authority_delete BEFORE DELETE ON authority"
    "  BEGIN SELECT RAISE(ABORT, 'authorities are not deleted'); END;"
    "CREATE TRIGGER authority_identity BEFORE UPDATE OF id, name, spki, spki_sha256, recorded_at ON authority"
    "  BEGIN SELECT RAISE(ABORT, 'authorities keep their name and key'); END;"
    "CREATE TRIGGER authority_cert BEFORE UPDATE OF cert ON authority WHEN OLD.cert IS NOT NULL"
    "  BEGIN SELECT RAISE(ABORT, 'authorities keep their certificate'); END;";

/* Version 1 had the table of CRLs and no program that wrote into it. */
static const char crl_2[] =
    "ALTER TABLE crl ADD COLUMN der BLOB;"

    "CREATE TRIGGER crl_insert BEFORE INSERT ON crl"
    "  WHEN EXISTS (SELECT 1 FROM crl WHERE authority = NEW.authority AND number >= NEW.number)"
    "  BEGIN SELECT RAISE(ABORT, 'CRLs are not replaced: want a number that was not reached'); END;"
    "CREATE TRIGGER crl_update BEFORE UPDATE ON crl"
    "  BEGIN SELECT RAISE(ABORT, 'CRLs do not change once signed'); END;"
    "CREATE TRIGGER crl_delete BEFORE DELETE ON crl"
    "  BEGIN SELECT RAISE(ABORT, 'CRLs are not deleted'); END;";

/*
 * Lot tickets. The database itself counts, in the very statement that takes a serial: used is the number of certificates
 * that name the ticket, whatever program wrote them. text and cms are what was signed, so that audit can ask the signer's
 * key again.
 */
static const char ticket_3[] =
    "CREATE TABLE ticket ("
    "  id          INTEGER PRIMARY KEY,"
    "  sha256      BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),"
    "  name        TEXT NOT NULL CHECK (name <> ''),"
    "  authority   INTEGER NOT NULL REFERENCES authority (id),"
    "  max         INTEGER NOT NULL CHECK (max > 0),"
    "  used        INTEGER NOT NULL DEFAULT 0 CHECK (used BETWEEN 0 AND max),"
    "  recorded_at INTEGER NOT NULL,"
    "  text        BLOB NOT NULL,"
    "  cms         BLOB NOT NULL,"
    "  UNIQUE (authority, name)"
    ") STRICT;"
    "ALTER TABLE certificate ADD COLUMN ticket INTEGER REFERENCES ticket (id);"

    "CREATE TRIGGER ticket_insert BEFORE INSERT ON ticket"
    "  WHEN NEW.used <> 0 OR EXISTS (SELECT 1 FROM ticket WHERE id = NEW.id OR sha256 = NEW.sha256"
    "    OR (authority = NEW.authority AND name = NEW.name))"
    "  BEGIN SELECT RAISE(ABORT, 'tickets are not replaced, and begin unused'); END;"
    "CREATE TRIGGER ticket_delete BEFORE DELETE ON ticket"
    "  BEGIN SELECT RAISE(ABORT, 'tickets are not deleted'); END;"
    "CREATE TRIGGER ticket_identity BEFORE UPDATE OF id, sha256, name, authority, max, recorded_at, text, cms"
    "  ON ticket BEGIN SELECT RAISE(ABORT, 'tickets keep what they were signed for'); END;"
    "CREATE TRIGGER ticket_used BEFORE UPDATE OF used ON ticket"
    "  WHEN NEW.used <> OLD.used + 1 OR NEW.used > OLD.max"
    "  BEGIN SELECT RAISE(ABORT, 'tickets are counted one by one, up to their maximum'); END;"

    "CREATE TRIGGER certificate_ticket BEFORE INSERT ON certificate WHEN NEW.ticket NOTNULL AND NOT EXISTS"
    "  (SELECT 1 FROM ticket WHERE id = NEW.ticket AND authority = NEW.authority AND used < max)"
    "  BEGIN SELECT RAISE(ABORT, 'the ticket is spent, or another authority''s'); END;"
    "CREATE TRIGGER certificate_counted AFTER INSERT ON certificate WHEN NEW.ticket NOTNULL"
    "  BEGIN UPDATE ticket SET used = used + 1 WHERE id = NEW.ticket; END;"
    "CREATE TRIGGER certificate_keeps_ticket BEFORE UPDATE OF ticket ON certificate"
    "  BEGIN SELECT RAISE(ABORT, 'certificates keep the ticket they were counted on'); END;";

/*
 * Two indexes fewer to write for each certificate. An order is found by its key, which is part of it; a certificate by its
 * serial, which stands in it. Both are found by their digests then.
 */
static const char indexes_4[] =
    "DROP INDEX certificate_request;"
    "DROP INDEX certificate_cert;"
    "DROP INDEX certificate_key;"
    "CREATE INDEX certificate_key ON certificate (substr(spki_sha256, 1, 8), substr(request_sha256, 1, 8));";

/*
 * Revocation. changed is the event that last revoked the row, gave its hold a final reason or took the hold back; a CRL has
 * seen all changes up to the event in upto. revoked_from is the status that a hold taken back gives back, held_at when such
 * a hold had begun: a delta CRL has to tell of it. Hold is the only way back from revoked, and it leaves nothing of the hold
 * in the columns of a revocation.
 *
 * The index is all that a CRL is made of, in its order: positive INTEGERs by length, then by octets.
 *
 * What is to be known of a CRL without its octets has a table of its own: behind them, it would be read through them. slot:
 * signed ahead of its time, as one of several, and released_at when it was handed out; part and parts: it covers a part of the
 * certificates only. 0: not so.
 */
static const char revocation_5[] =
    "ALTER TABLE certificate ADD COLUMN revoked_from INTEGER CHECK (revoked_from IN (1, 2));"
    "ALTER TABLE certificate ADD COLUMN held_at INTEGER;"
    "ALTER TABLE certificate ADD COLUMN changed INTEGER REFERENCES event (seq);"

    "DROP INDEX certificate_revoked;"
    "CREATE INDEX certificate_revoked ON certificate (authority, length(serial), serial, revoked_at,"
    "  invalid_since, reason, not_after, changed) WHERE revoked_at IS NOT NULL;"
    "CREATE INDEX certificate_changed ON certificate (changed) WHERE changed IS NOT NULL;"

    "DROP TRIGGER certificate_status;"
    "CREATE TRIGGER certificate_status BEFORE UPDATE OF status ON certificate WHEN NEW.status < OLD.status"
    "  AND NOT (OLD.status = 3 AND OLD.reason IS 6 AND NEW.status IN (coalesce(OLD.revoked_from, 1), 2) AND "
    "NEW.revoked_at ISNULL"
    "    AND NEW.reason ISNULL AND NEW.invalid_since ISNULL AND NEW.held_at IS OLD.revoked_at"
    "    AND NEW.changed > coalesce(OLD.changed, 0))"
    "  BEGIN SELECT RAISE(ABORT, 'certificates go from reserved to issued to superseded to revoked; back "
    "only from "
    "hold'); END;"
    "CREATE TRIGGER certificate_revocation BEFORE UPDATE OF revoked_at, reason, invalid_since ON certificate"
    "  WHEN OLD.status = 3 AND OLD.reason IS NOT 6"
    "  BEGIN SELECT RAISE(ABORT, 'certificates keep the revocation they have'); END;"

    "CREATE TABLE crl_scope ("
    "  authority   INTEGER NOT NULL,"
    "  number      INTEGER NOT NULL,"
    "  upto        INTEGER NOT NULL,"
    "  part        INTEGER NOT NULL CHECK (part BETWEEN 0 AND parts),"
    "  parts       INTEGER NOT NULL,"
    "  slot        INTEGER NOT NULL CHECK (slot >= 0),"
    "  released_at INTEGER CHECK (released_at ISNULL OR slot > 0),"
    "  PRIMARY KEY (authority, number),"
    "  FOREIGN KEY (authority, number) REFERENCES crl (authority, number)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER crl_scope_insert BEFORE INSERT ON crl_scope WHEN NEW.released_at NOTNULL"
    "  OR EXISTS (SELECT 1 FROM crl_scope WHERE authority = NEW.authority AND number >= NEW.number)"
    "  BEGIN SELECT RAISE(ABORT, 'CRLs are not replaced, and begin unreleased'); END;"
    "CREATE TRIGGER crl_scope_update BEFORE UPDATE ON crl_scope WHEN OLD.released_at NOTNULL"
    "  OR NEW.authority <> OLD.authority OR NEW.number <> OLD.number OR NEW.upto <> OLD.upto OR NEW.part <> "
    "OLD.part"
    "  OR NEW.parts <> OLD.parts OR NEW.slot <> OLD.slot"
    "  BEGIN SELECT RAISE(ABORT, 'CRLs do not change once signed'); END;"
    "CREATE TRIGGER crl_scope_delete BEFORE DELETE ON crl_scope"
    "  BEGIN SELECT RAISE(ABORT, 'CRLs are not deleted'); END;";

/*
 * Certificates that another CA program has issued. A serial of theirs may have one octet, and of a certificate that is
 * not at hand only a line of an index is known: no key, no to-be-signed bytes, no algorithm. What p11ca itself issues
 * keeps every rule. imported_revoked and imported_reason are what a row came with: they are in the digest of its "import"
 * event, and later revocations do not touch them. crl_floor is the last CRL number of the program before.
 *
 * A table's constraints cannot be altered. Rebuilding the table would copy every certificate, minutes for a big ledger;
 * SQLite documents the other way (lang_altertable, "Making Other Kinds Of Table Schema Changes"): constraints that
 * only become weaker change no row, so that the text in sqlite_schema may be edited. RESET makes this connection read the
 * text again, and the CREATE statements behind it move the schema cookie, so that other connections do, too.
 */
#define VERSION_IMPORT 6

static const char import_columns[] = "ALTER TABLE certificate ADD COLUMN imported_at INTEGER;"
                                     "ALTER TABLE certificate ADD COLUMN imported_revoked INTEGER;"
                                     "ALTER TABLE certificate ADD COLUMN imported_reason INTEGER;"
                                     "ALTER TABLE authority ADD COLUMN crl_floor INTEGER;"
                                     "ALTER TABLE authority ADD COLUMN crl_floor_time INTEGER;";

static const char import_constraints[] =
    "PRAGMA writable_schema = ON;"
    "UPDATE sqlite_schema SET sql = replace(replace(replace(replace(replace(sql,"
    "  'CHECK (length(serial) BETWEEN 8 AND 20)',"
    "  'CHECK (length(serial) BETWEEN iif(imported_at ISNULL, 8, 1) AND 20)'),"
    "  'sig_alg        TEXT NOT NULL,', 'sig_alg        TEXT CHECK (sig_alg NOTNULL OR imported_at "
    "NOTNULL),'),"
    "  'spki_sha256    BLOB NOT NULL CHECK (length(spki_sha256) = 32)',"
    "  'spki_sha256    BLOB CHECK (iif(spki_sha256 ISNULL, imported_at NOTNULL, length(spki_sha256) = 32))'),"
    "  'request_sha256 BLOB NOT NULL CHECK (length(request_sha256) = 32)',"
    "  'request_sha256 BLOB CHECK (iif(request_sha256 ISNULL, imported_at NOTNULL, length(request_sha256) = "
    "32))'),"
    "  'tbs_sha256     BLOB NOT NULL CHECK (length(tbs_sha256) = 32)',"
    "  'tbs_sha256     BLOB CHECK (iif(tbs_sha256 ISNULL, imported_at NOTNULL, length(tbs_sha256) = 32))')"
    "  WHERE type = 'table' AND name = 'certificate';"
    "PRAGMA writable_schema = RESET;";

static const char import_indexes[] =
    "CREATE INDEX IF NOT EXISTS event_exception ON event (digest) WHERE kind = 'key-exception';"
    "CREATE INDEX IF NOT EXISTS certificate_lot ON certificate (lot) WHERE lot IS NOT NULL;"
    "CREATE INDEX IF NOT EXISTS certificate_issued ON certificate (issued_at) WHERE issued_at IS NOT NULL;";

static const char import_triggers[] =
    "CREATE TRIGGER certificate_imported BEFORE UPDATE OF imported_at, imported_revoked, imported_reason"
    "  ON certificate BEGIN SELECT RAISE(ABORT, 'certificates keep what they were imported as'); END;"
    "CREATE TRIGGER authority_crl_floor BEFORE UPDATE OF crl_floor ON authority"
    "  WHEN NEW.crl_floor IS NULL OR NEW.crl_floor < OLD.crl_floor"
    "  BEGIN SELECT RAISE(ABORT, 'CRL numbers do not go back'); END;";

/* Into how many parts an authority's CRLs fall: its certificates say so, and keep saying it. 0: they name one list. */
#define VERSION_PARTS 7

static const char parts[] =
    "ALTER TABLE authority ADD COLUMN crl_parts INTEGER CHECK (crl_parts BETWEEN 1 AND 1024);"
    "CREATE TRIGGER authority_crl_parts BEFORE UPDATE OF crl_parts ON authority WHEN OLD.crl_parts NOTNULL"
    "  OR EXISTS (SELECT 1 FROM certificate WHERE authority = OLD.id)"
    "  BEGIN SELECT RAISE(ABORT, 'certificates keep the CRL they name'); END;";

/* Revocations that an import came with are changes, too: deltas tell of them, and they void what was signed ahead. */
#define VERSION_IMPORTED_CHANGES 8

static const char imported_changes[] =
    "UPDATE certificate SET changed = event WHERE imported_revoked NOTNULL AND changed ISNULL;";

/* The keys of certificates: see keys.h. The database itself moves the end and fills in what it passes over. */
#define VERSION_KEYS 9

static const char keys[] =
    "DROP INDEX certificate_key;"
    "CREATE TABLE by_key ("
    "  spki    BLOB NOT NULL," /* the first eight octets of both SHA-256 */
    "  request BLOB NOT NULL,"
    "  id      INTEGER NOT NULL,"
    "  PRIMARY KEY (spki, request, id)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE by_key_end (id INTEGER PRIMARY KEY CHECK (id = 1), upto INTEGER NOT NULL) STRICT;"
    "INSERT INTO by_key_end VALUES (1, 0);"

    "CREATE TRIGGER by_key_move AFTER UPDATE ON by_key_end BEGIN"
    "  INSERT INTO by_key SELECT substr(spki_sha256, 1, 8), coalesce(substr(request_sha256, 1, 8), x''), id"
    "  FROM certificate WHERE id > OLD.upto AND id <= NEW.upto AND spki_sha256 NOTNULL ORDER BY 1, 2, 3; END;"
    "CREATE TRIGGER by_key_end_update BEFORE UPDATE ON by_key_end WHEN NEW.id <> OLD.id"
    "  OR NEW.upto NOT BETWEEN OLD.upto AND (SELECT coalesce(max(id), 0) FROM certificate)"
    "  BEGIN SELECT RAISE(ABORT, 'what is found by key stays so: want an end further on, at a row'); END;"
    "CREATE TRIGGER by_key_end_insert BEFORE INSERT ON by_key_end"
    "  BEGIN SELECT RAISE(ABORT, 'there is one end of what is found by key'); END;"
    "CREATE TRIGGER by_key_end_delete BEFORE DELETE ON by_key_end"
    "  BEGIN SELECT RAISE(ABORT, 'there is one end of what is found by key'); END;"
    "CREATE TRIGGER by_key_update BEFORE UPDATE ON by_key"
    "  BEGIN SELECT RAISE(ABORT, 'what is found by key stays so'); END;"
    "CREATE TRIGGER by_key_delete BEFORE DELETE ON by_key"
    "  BEGIN SELECT RAISE(ABORT, 'what is found by key stays so'); END;"

    "UPDATE by_key_end SET upto = (SELECT coalesce(max(id), 0) FROM certificate);";

/* What makes each version out of the one before, in order. A change to the tables is a new row. */
static const struct {
    int64_t version;
    const char *text;
} migrations[] = {
    {1, tables_1},
    {1, triggers_1},
    {2, crl_2},
    {3, ticket_3},
    {4, indexes_4},
    {5, revocation_5},
    {VERSION_IMPORT, import_columns},
    {VERSION_IMPORT, import_constraints},
    {VERSION_IMPORT, import_indexes},
    {VERSION_IMPORT, import_triggers},
    {VERSION_PARTS, parts},
    {VERSION_IMPORTED_CHANGES, imported_changes},
    {VERSION_KEYS, keys},
};
#define N_MIGRATIONS (sizeof(migrations) / sizeof(migrations[0]))
#define VERSION      (migrations[N_MIGRATIONS - 1].version)

int64_t schema_version(void)
{
    return VERSION;
}

static int check_version(struct ledger *l, int64_t version, struct p11ca_err *err)
{
    if (version > VERSION)
        return err_set(err, P11CA_LEDGER, "LEDGER_NEWER",
            "%s: schema: want version %" PRId64 " or older, have %" PRId64 ": made by a newer p11ca", l->path,
            VERSION, version);
    if (version < VERSION && l->mode == LEDGER_READ)
        return err_set(err, P11CA_LEDGER, "LEDGER_OLDER",
            "%s: schema: want version %" PRId64 ", have %" PRId64
            ": the next command that writes brings it up",
            l->path, VERSION, version);
    return 0;
}

static int check_identity(struct ledger *l, int64_t *ret_version, struct p11ca_err *err)
{
    int64_t id, version, objects;

    if (sql_get_int(l, "PRAGMA application_id", &id, err) != 0 ||
        sql_get_int(l, "PRAGMA user_version", &version, err) != 0 ||
        sql_get_int(l, "SELECT count(*) FROM sqlite_schema", &objects, err) != 0)
        return -1;
    /* A file that a killed `init` left empty is taken up, but only by what would have made it. */
    if (l->mode == LEDGER_CREATE && id == 0 && version == 0 && objects == 0) {
        *ret_version = 0;
        return 0;
    }
    if (id != APPLICATION_ID)
        return err_set(err, P11CA_LEDGER, "LEDGER_FOREIGN",
            "%s: not a p11ca ledger: want application id 0x%08x, have 0x%08x", l->path,
            (unsigned)APPLICATION_ID, (unsigned)(uint32_t)id);
    if (check_version(l, version, err) != 0)
        return -1;
    *ret_version = version;
    return 0;
}

/* One read transaction: a process that makes the tables between two questions would look like a foreign program. */
int schema_check(struct ledger *l, int64_t *ret_version, struct p11ca_err *err)
{
    int r;

    if (!sqlite3_get_autocommit(l->db))
        return check_identity(l, ret_version, err);
    if (sql_exec(l, "BEGIN", err) != 0)
        return -1;
    r = check_identity(l, ret_version, err);
    ledger_rollback(l);
    return r;
}

static int mark(struct ledger *l, struct p11ca_err *err)
{
    char text[96];

    sqlite3_snprintf(sizeof(text), text, "PRAGMA application_id = %d; PRAGMA user_version = %lld",
        APPLICATION_ID, (long long)VERSION);
    return sql_exec(l, text, err);
}

static int migrate_locked(struct ledger *l, struct p11ca_err *err)
{
    int64_t version;
    size_t i;

    /* Asked again under the lock: another process may just have done it. */
    if (schema_check(l, &version, err) != 0)
        return -1;
    for (i = 0; i < N_MIGRATIONS; i++) {
        if (migrations[i].version > version && sql_exec(l, migrations[i].text, err) != 0)
            return -1;
    }
    return mark(l, err) == 0 ? sql_exec(l, "COMMIT", err) : -1;
}

/* In defensive mode SQLite does not let anybody edit sqlite_schema: off for the time of the migration. */
int schema_migrate(struct ledger *l, struct p11ca_err *err)
{
    int rc;

    if (sql_exec(l, "BEGIN IMMEDIATE", err) != 0)
        return -1;
    sqlite3_db_config(l->db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
    rc = migrate_locked(l, err);
    sqlite3_exec(l->db, "PRAGMA writable_schema = OFF", NULL, NULL, NULL);
    sqlite3_db_config(l->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (rc != 0)
        ledger_rollback(l);
    return rc;
}
