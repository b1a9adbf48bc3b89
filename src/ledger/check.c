/*
 * The ledger examines itself. Nothing is believed that can be computed: the triggers and constraints that keep
 * these rules are part of the file, and who tampers with the file can take them out first.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ledger/events.h"
#include "ledger/import.h"
#include "ledger/row.h"

struct check {
    struct ledger *l;
    ledger_finding_fn *finding;
    void *arg;
};

static void tell(const struct check *c, const char *text)
{
    char safe[1024]; /* the rows may hold anything by now */

    text_escape(text, strlen(text), safe, sizeof(safe));
    c->finding(c->arg, safe);
}

#define TICKET "'ticket ''' || t.name || ''' of authority ''' || coalesce(a.name, '?') || ''': '"
#define ROW    "'certificate row ' || c.id || ': serial ' || hex(c.serial) || ': '"

/*
 * Each statement gives one row of text for each fault. SQLite's own examinations come first: what is
 * structurally broken need not be looked at for meaning.
 */
static const char *const rules[] = {
    "SELECT 'database: ' || integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'",

    "SELECT 'database: ' || \"table\" || ' row ' || coalesce(rowid, '?') || ': want the ' || parent ||"
    " ' it refers to, have none' FROM pragma_foreign_key_check",

    "SELECT 'authority ''' || name || ''': ' || CASE"
    " WHEN spki_sha256 IS NOT sha256(spki) THEN 'key: SHA-256 column does not fit the key'"
    " WHEN spki_sha256 NOT IN (SELECT digest FROM event WHERE kind = 'key' AND authority = name AND digest "
    "NOTNULL)"
    "   THEN 'key: want a ''key'' event with its SHA-256, have none'"
    " WHEN cert NOTNULL AND sha256(cert) NOT IN (SELECT digest FROM event WHERE kind = 'install'"
    "   AND authority = name AND digest NOTNULL)"
    "   THEN 'certificate: want an ''install'' event with its SHA-256, have none'"
    " END AS fault FROM authority WHERE fault NOTNULL",

    /* Not by the unique index: it may be what was tampered with. */
    "SELECT 'authority ''' || a.name || ''': serial ' || hex(c.serial) || ': want 1 certificate, have ' || "
    "count(*)"
    " FROM certificate c NOT INDEXED LEFT JOIN authority a ON a.id = c.authority"
    " GROUP BY c.serial, c.authority HAVING count(*) > 1",

    "SELECT " ROW " || 'status: ' || CASE"
    " WHEN status NOT BETWEEN 0 AND 3 THEN 'want 0 to 3, have ' || status"
    " WHEN status = 0 AND cert NOTNULL THEN 'reserved, but there is a certificate'"
    " WHEN status = 0 AND (issued_at NOTNULL OR published_at NOTNULL) THEN 'reserved, but dated as issued'"
    " WHEN imported_at NOTNULL AND status = 0 THEN 'imported, but reserved'"
    " WHEN imported_revoked NOTNULL AND status <> 3 AND (imported_reason IS NOT 6 OR changed IS event)"
    " THEN 'imported as revoked, but it is not'"
    " WHEN status > 0 AND cert ISNULL AND imported_at ISNULL THEN 'issued, but there is no certificate'"
    " WHEN status > 0 AND issued_at ISNULL AND imported_at ISNULL THEN 'issued, but there is no date of "
    "issue'"
    " WHEN status = 3 AND revoked_at ISNULL THEN 'revoked, but there is no date of revocation'"
    " WHEN status < 3 AND revoked_at NOTNULL THEN 'not revoked, but there is a date of revocation'"
    " END AS fault FROM certificate c WHERE fault NOTNULL",

    "SELECT " ROW " || 'key: want it among those by which rows are found, have it not' FROM certificate c"
    " WHERE c.id <= (SELECT upto FROM by_key_end) AND c.spki_sha256 NOTNULL AND NOT EXISTS (SELECT 1 FROM "
    "by_key"
    "   WHERE spki = substr(c.spki_sha256, 1, 8) AND request = coalesce(substr(c.request_sha256, 1, 8), x'')"
    "   AND id = c.id)",

    "SELECT " ROW " || 'SHA-256 column does not fit the certificate'"
    " FROM certificate c WHERE cert_sha256 IS NOT sha256(cert)",

    "SELECT " ROW " || CASE"
    " WHEN c.imported_at NOTNULL THEN CASE"
    "   WHEN e.seq ISNULL OR e.kind <> 'import' THEN 'want an ''import'' event, have ' || coalesce(e.kind, "
    "'none')"
    "   WHEN e.authority IS NOT a.name THEN 'event ' || e.seq || ': authority: want ''' || coalesce(a.name, "
    "'?') ||"
    "     ''', have ''' || coalesce(e.authority, '') || '''' END"
    " WHEN e.seq ISNULL THEN 'want an ''issue'' event, have none'"
    " WHEN e.kind <> 'issue' THEN 'want an ''issue'' event, event ' || e.seq || ' is ''' || e.kind || ''''"
    " WHEN e.serial IS NOT c.serial THEN 'event ' || e.seq || ': serial: have ' || coalesce(hex(e.serial), "
    "'none')"
    " WHEN e.authority IS NOT a.name THEN 'event ' || e.seq || ': authority: want ''' || coalesce(a.name, "
    "'?') ||"
    "   ''', have ''' || coalesce(e.authority, '') || ''''"
    " WHEN e.digest IS NOT c.cert_sha256 THEN 'event ' || e.seq || ': SHA-256 is another certificate''s'"
    " END AS fault FROM certificate c LEFT JOIN event e ON e.seq = c.event LEFT JOIN authority a ON a.id = "
    "c.authority"
    " WHERE (c.status > 0 OR c.cert NOTNULL) AND fault NOTNULL",

    "SELECT 'authority ''' || a.name || ''': CRL ' || c.number || ': ' || CASE"
    " WHEN c.der ISNULL THEN 'want its octets, have none'"
    " WHEN c.sha256 IS NOT sha256(c.der) THEN 'SHA-256 column does not fit the CRL'"
    " WHEN c.sha256 NOT IN (SELECT digest FROM event WHERE kind = 'crl' AND authority = a.name AND digest "
    "NOTNULL)"
    "   THEN 'want a ''crl'' event with its SHA-256, have none'"
    " WHEN c.number > coalesce(a.crl_floor, 0) + 1 AND b.number ISNULL THEN 'want CRL ' || (c.number - 1) || "
    "' before it, have none'"
    " END AS fault FROM crl c JOIN authority a ON a.id = c.authority"
    " LEFT JOIN crl b ON b.authority = c.authority AND b.number = c.number - 1 WHERE fault NOTNULL",

    /* In the order in which they were handed out. */
    "SELECT 'authority ''' || a.name || ''': CRL ' || number || ': thisUpdate: not after that of CRL ' || "
    "before"
    " FROM (SELECT c.authority, c.number, c.this_update, lag(c.this_update) OVER w AS last,"
    "   lag(c.number) OVER w AS before FROM crl c LEFT JOIN crl_scope s ON s.authority = c.authority"
    "   AND s.number = c.number WHERE coalesce(s.slot, 0) = 0 OR s.released_at NOTNULL"
    "   WINDOW w AS (PARTITION BY c.authority, coalesce(s.part, 0) ORDER BY c.number)) c"
    " JOIN authority a ON a.id = c.authority WHERE this_update <= last",

    "SELECT 'authority ''' || a.name || ''': CRL number ' || a.crl_floor ||"
    " ': want an ''import-crl'' event with it, have none' FROM authority a WHERE a.crl_floor NOTNULL"
    " AND NOT EXISTS (SELECT 1 FROM event WHERE kind = 'import-crl' AND authority = a.name"
    "   AND detail = 'CRL number ' || a.crl_floor)",

    "SELECT " ROW " || 'revocation: ' || CASE"
    " WHEN e.seq ISNULL THEN 'want an event of it, have none'"
    " WHEN c.imported_revoked NOTNULL AND c.changed = c.event THEN CASE"
    "   WHEN c.revoked_at IS NOT c.imported_revoked OR c.reason IS NOT c.imported_reason"
    "   THEN 'not that with which it was imported' END"
    " WHEN e.kind <> CASE c.status WHEN 3 THEN 'revoke' ELSE 'unhold' END OR e.serial IS NOT c.serial"
    "   OR e.authority IS NOT a.name THEN 'event ' || e.seq || ' is of something else'"
    " WHEN c.status = 3 AND substr(e.detail, instr(e.detail, '('), length(coalesce(c.reason, 0)) + 2) IS NOT"
    "   '(' || coalesce(c.reason, 0) || ')' THEN 'event ' || e.seq || ': reason: have another than ' || "
    "coalesce(c.reason, 'none')"
    " WHEN c.status = 3 AND e.time IS NOT c.revoked_at AND instr(e.detail, ' after hold') = 0"
    "   AND instr(e.detail, '), imported') = 0"
    "   THEN 'event ' || e.seq || ': date: have another'"
    " END AS fault FROM certificate c LEFT JOIN event e ON e.seq = c.changed LEFT JOIN authority a"
    " ON a.id = c.authority WHERE (c.changed NOTNULL OR c.status = 3)"
    " AND fault NOTNULL",

    "SELECT 'event ' || e.seq || ': ' || e.kind || ' of serial ' || coalesce(hex(e.serial), 'none') ||"
    " ': want it in the certificate''s row, have none' FROM event e WHERE e.kind IN ('revoke', 'unhold') AND "
    "NOT"
    " EXISTS (SELECT 1 FROM certificate c WHERE c.serial = e.serial AND c.changed >= e.seq)",

    "SELECT 'event ' || e.seq || ': CRL of authority ''' || coalesce(e.authority, '') || ''': want it, have "
    "none' FROM event e WHERE e.kind = 'crl' AND e.digest NOTNULL AND NOT EXISTS (SELECT 1 FROM crl c"
    " WHERE c.sha256 = e.digest)",

    "SELECT " TICKET " || CASE"
    " WHEN t.sha256 IS NOT sha256(t.text) THEN 'SHA-256 column does not fit the text'"
    " WHEN t.sha256 NOT IN (SELECT digest FROM event WHERE kind = 'ticket' AND authority = a.name AND digest "
    "NOTNULL)"
    "   THEN 'want a ''ticket'' event with its SHA-256, have none'"
    " END AS fault FROM ticket t LEFT JOIN authority a ON a.id = t.authority WHERE fault NOTNULL",

    "SELECT " TICKET " || CASE"
    " WHEN n > t.max THEN 'want at most ' || t.max || ' certificates on it, have ' || n"
    " WHEN n <> t.used THEN 'used: want ' || n || ', as many certificates are counted on it, have ' || t.used"
    " END AS fault FROM (SELECT t.*, coalesce(c.n, 0) AS n FROM ticket t LEFT JOIN (SELECT ticket, count(*) "
    "AS n"
    " FROM certificate WHERE ticket NOTNULL GROUP BY ticket) c ON c.ticket = t.id) t"
    " LEFT JOIN authority a ON a.id = t.authority WHERE fault NOTNULL",

    "SELECT " ROW " || 'ticket: ' || CASE"
    " WHEN t.authority <> c.authority THEN '''' || t.name || ''' is another authority''s'"
    " WHEN c.status > 0 AND t.name NOTNULL AND substr(coalesce(e.detail, ''), -length('ticket ' || t.name))"
    "   <> 'ticket ' || t.name THEN 'event ' || c.event || ': want ''' || t.name || ''', have another or "
    "none'"
    " WHEN c.status > 0 AND t.name ISNULL AND instr(e.detail, 'ticket ')"
    "   THEN 'want that of event ' || c.event || ', have none'"
    " END AS fault FROM certificate c LEFT JOIN ticket t ON t.id = c.ticket LEFT JOIN event e ON e.seq = "
    "c.event WHERE fault NOTNULL",

    "SELECT 'event ' || e.seq || ': ticket of authority ''' || coalesce(e.authority, '') || ''': want it, "
    "have none' FROM event e WHERE e.kind = 'ticket' AND NOT EXISTS (SELECT 1 FROM ticket t"
    " WHERE t.sha256 = e.digest)",

    "SELECT 'device ''' || a.device || ''': two certificates valid at once: serials ' || hex(a.serial) ||"
    " ' and ' || hex(b.serial) FROM certificate a JOIN certificate b ON b.device = a.device AND b.id > a.id"
    " AND b.authority = a.authority AND b.profile = a.profile WHERE a.device NOTNULL AND a.status = 1"
    " AND b.status = 1 AND b.not_before <= a.not_after",

    "SELECT 'event ' || e.seq || ': issue of serial ' || coalesce(hex(e.serial), 'none') ||"
    " ': want its certificate, have none' FROM event e WHERE e.kind = 'issue' AND NOT EXISTS (SELECT 1"
    " FROM certificate c WHERE c.serial = e.serial AND c.event = e.seq AND (c.cert NOTNULL OR c.status > 0))",
};

static int run_rule(const struct check *c, const char *text, struct p11ca_err *err)
{
    AUTO_SQL s = SQL_INIT;
    int r;

    if (sql_begin_once(&s, c->l, text, err) != 0)
        return -1;
    while ((r = sql_step(&s, err)) > 0) {
        const char *fault = sql_col_text(&s, 0);

        tell(c, fault ? fault : "database: a fault that has no text");
    }
    return r;
}

/* Where the walk over the chain stands. */
struct chain {
    const struct check *check;
    int64_t seq;
    uint8_t hash[SHA256_LEN];
    struct buf scratch;
};

static void tell_hash(const struct chain *chain, const struct ledger_event *e, const uint8_t want[SHA256_LEN])
{
    char text[256], want_hex[2 * SHA256_LEN + 1], have_hex[2 * SHA256_LEN + 1];

    text_hex(want, SHA256_LEN, want_hex);
    text_hex(e->hash.p, e->hash.len <= SHA256_LEN ? e->hash.len : SHA256_LEN, have_hex);
    snprintf(text, sizeof(text), "event %" PRId64 ": hash: want %s, have %s", e->seq, want_hex, have_hex);
    tell(chain->check, text);
}

static int check_event(void *arg, const struct ledger_event *e, struct p11ca_err *err)
{
    struct chain *chain = arg;
    uint8_t want[SHA256_LEN];
    char text[128];

    if (e->seq != chain->seq + 1) {
        snprintf(text, sizeof(text), "event %" PRId64 ": number: want %" PRId64, e->seq, chain->seq + 1);
        tell(chain->check, text);
    }
    if (events_hash(chain->hash, e, &chain->scratch, want, err) != 0)
        return -1;
    if (e->hash.len != SHA256_LEN || memcmp(e->hash.p, want, SHA256_LEN) != 0)
        tell_hash(chain, e, want);
    /* On with what is recorded: one changed event is one finding, not all behind it. */
    memcpy(chain->hash, e->hash.len == SHA256_LEN ? e->hash.p : want, SHA256_LEN);
    chain->seq = e->seq;
    return 0;
}

static int check_chain(const struct check *c, struct p11ca_err *err)
{
    struct chain chain = {.check = c};
    int r = ledger_each_event(c->l, check_event, &chain, err);

    buf_done(&chain.scratch);
    return r;
}

/* sha256(x) in SQL; NULL of NULL. */
static void sql_sha256(sqlite3_context *ctx, int n, sqlite3_value **v)
{
    uint8_t digest[SHA256_LEN];
    const void *p = sqlite3_value_blob(v[0]);

    (void)n;
    if (!p)
        return;
    if (hash_sha256(p, (size_t)sqlite3_value_bytes(v[0]), digest) == 0)
        sqlite3_result_blob(ctx, digest, sizeof(digest), SQLITE_TRANSIENT);
    else
        sqlite3_result_error(ctx, "SHA-256 failed", -1);
}

static int check_all(const struct check *c, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (run_rule(c, rules[i], err) != 0)
            return -1;
    }
    return import_check(c->l, c->finding, c->arg, err) == 0 ? check_chain(c, err) : -1;
}

int ledger_check(struct ledger *l, ledger_finding_fn *finding, void *arg, struct p11ca_err *err)
{
    struct check c = {l, finding, arg};
    int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
    int r;

    if (sqlite3_create_function_v2(l->db, "sha256", 1, flags, NULL, sql_sha256, NULL, NULL, NULL) !=
        SQLITE_OK)
        return sql_fail(l, err);
    /* All rules see the same moment, whoever writes meanwhile. */
    if (!sqlite3_get_autocommit(l->db))
        return check_all(&c, err);
    if (sql_exec(l, "BEGIN", err) != 0)
        return -1;
    r = check_all(&c, err);
    ledger_rollback(l);
    return r;
}
