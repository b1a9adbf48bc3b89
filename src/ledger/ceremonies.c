/* Ceremonies in the ledger: where the chain of their transcripts goes on. */
#include <string.h>

#include "ledger/ledger.h"
#include "ledger/sql.h"

static int get_hash(struct ledger *l, const char *text, uint8_t ret[SHA256_LEN], struct p11ca_err *err)
{
    AUTO_SQL s = SQL_INIT;
    struct blob hash;
    int r;

    if (sql_begin_once(&s, l, text, err) != 0 || (r = sql_step(&s, err)) < 0)
        return -1;
    if (r == 0)
        return 0;
    hash = sql_col_blob(&s, 0);
    if (hash.len != SHA256_LEN)
        return err_set(err, P11CA_LEDGER, "LEDGER_CORRUPT", "event: hash: want %d octets, have %zu",
            SHA256_LEN, hash.len);
    memcpy(ret, hash.p, SHA256_LEN);
    return 1;
}

int ledger_last_ceremony(struct ledger *l, uint8_t ret[SHA256_LEN], struct p11ca_err *err)
{
    return get_hash(l,
        "SELECT digest FROM event WHERE kind = 'ceremony' AND digest IS NOT NULL ORDER BY seq DESC LIMIT 1",
        ret, err);
}

int ledger_head(struct ledger *l, uint8_t ret[SHA256_LEN], struct p11ca_err *err)
{
    return get_hash(l, "SELECT hash FROM event ORDER BY seq DESC LIMIT 1", ret, err);
}

int ledger_ceremony_begun(struct ledger *l, const char *words, struct p11ca_err *err)
{
    static const char text[] =
        "SELECT 1 FROM event WHERE kind = 'ceremony' AND substr(detail, -length(?1)) = ?1 LIMIT 1";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin_once(&s, l, text, err) != 0)
        return -1;
    sql_text(&s, words);
    return sql_step(&s, err);
}

int ledger_key_destroyed(struct ledger *l, const uint8_t spki_sha256[SHA256_LEN], struct p11ca_err *err)
{
    static const char text[] = "SELECT 1 FROM event WHERE kind = 'destroy' AND digest = ?";
    AUTO_SQL s = SQL_INIT;

    if (sql_begin_once(&s, l, text, err) != 0)
        return -1;
    sql_blob(&s, (struct blob){spki_sha256, SHA256_LEN});
    return sql_step(&s, err);
}
