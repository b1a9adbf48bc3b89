#include "issue/authority.h"

#include <string.h>

#include "base/text.h"
#include "x509/cert.h"

static bool blob_is(struct blob b, const void *p, size_t len)
{
    return b.len == len && memcmp(b.p, p, len) == 0;
}

int authority_check_record(const struct authority *a, struct p11ca_err *err)
{
    const struct ledger_authority *r = a->record;

    if (!r)
        return 0;
    if (!blob_is(r->key_id, a->key.id, a->key.id_len))
        return err_set(err, P11CA_TOKEN, "KEY_MISMATCH",
            "authority '%s': key '%s' of token '%s': its CKA_ID is not the one the ledger has recorded",
            a->conf->name, a->conf->key, a->token->binding->name);
    if (a->key.spki.len && !blob_is(r->spki, a->key.spki.p, a->key.spki.len))
        return err_set(err, P11CA_TOKEN, "KEY_MISMATCH",
            "authority '%s': key '%s' of token '%s': its public key is not the one the ledger has recorded",
            a->conf->name, a->conf->key, a->token->binding->name);
    return 0;
}

static int read_spki(struct authority *a, struct p11ca_err *err)
{
    struct blob b = {a->key.spki.p, a->key.spki.len};

    /* A token without the public object: the ledger remembers it. */
    if (b.len == 0 && a->record)
        b = a->record->spki;
    if (b.len == 0)
        return err_set(err, P11CA_TOKEN, "KEY_NO_PUBLIC",
            "token '%s': key '%s': no public key object, and none recorded", a->token->binding->name,
            a->conf->key);
    if (spki_read(b.p, b.len, &a->spki, err) != 0) {
        err->kind = P11CA_TOKEN;
        return err_prefix(err, "authority '%s': key '%s'", a->conf->name, a->conf->key);
    }
    return 0;
}

/* Before the key is used for the first time under these words. */
static int note_exception(const struct authority *a, struct ledger *l, struct p11ca_err *err)
{
    uint8_t sha256[SHA256_LEN];

    if (spki_sha256(&a->spki, sha256, err) != 0 || ledger_begin(l, err) != 0)
        return -1;
    if (ledger_note_exception(l, a->conf->name, sha256, a->conf->key_exception, err) == 0)
        return ledger_commit(l, err);
    ledger_rollback(l);
    return -1;
}

static int open_all(
    struct authority *a, const struct p11ca_home *home, struct ledger *l, struct p11ca_err *err)
{
    const struct authority_conf *conf = a->conf;

    if ((l && ledger_get_authority(l, conf->name, &a->record, err) != 0) ||
        token_open(&a->token, conf->token, &home->env, false, err) != 0 || token_login(a->token, err) != 0 ||
        key_find(&a->key, a->token, conf->key, NULL, 0, err) != 0)
        return -1;
    a->key.exception = conf->key_exception;
    /* The signer checks the attributes first: a key that breaks the policy is refused for that, whatever else it is. */
    if (signer_open(&a->signer, &a->key, home->gate, err) != 0 || authority_check_record(a, err) != 0)
        return -1;
    /* Typing a PIN takes its time. */
    if (l)
        ledger_set_now(l, home_now(home));
    if (read_spki(a, err) != 0)
        return -1;
    return l && conf->key_exception ? note_exception(a, l, err) : 0;
}

int authority_open(struct authority *ret, const struct p11ca_home *home, struct ledger *l,
    const struct authority_conf *conf, struct p11ca_err *err)
{
    *ret = (struct authority){.conf = conf};
    if (!conf->token)
        return err_set(err, P11CA_CONFIG, "NO_KEY",
            "authority '%s': its key is not at this machine (no token in p11ca.conf)", conf->name);
    if (open_all(ret, home, l, err) == 0) {
        home_detail(home, "token '%s': label '%s', serial %s, model '%s'; key '%s' %s", conf->token->name,
            ret->token->label, ret->token->serial, ret->token->model, conf->key,
            conf->key_exception ? "is used under the exception of p11ca.conf" : "meets the policy");
        return 0;
    }
    authority_done(ret);
    return -1;
}

void authority_done(struct authority *a)
{
    signer_close(a->signer);
    if (a->key.token)
        key_done(&a->key);
    token_close(a->token);
    ledger_authority_free(a->record);
    memset(a, 0, sizeof(*a));
}

int authority_record(const struct authority *a, struct ledger *l, struct p11ca_err *err)
{
    const struct ledger_authority row = {
        .name = a->conf->name,
        .token_label = a->token ? a->token->label : NULL,
        .token_serial = a->token ? a->token->serial : NULL,
        .key_label = a->conf->key,
        .key_id = {a->key.id, a->key.id_len},
        .spki = {a->spki.der, a->spki.len},
    };

    if (a->record)
        return 0;
    if (ledger_begin(l, err) != 0)
        return -1;
    if (ledger_put_authority(l, &row, err) != 0) {
        ledger_rollback(l);
        return -1;
    }
    return ledger_commit(l, err);
}

int authority_issuer(
    struct ledger *l, const struct authority_conf *conf, struct issuer **ret, struct p11ca_err *err)
{
    AUTO_RECORD record = NULL;
    AUTO_ISSUER issuer = NULL;

    if (ledger_get_authority(l, conf->name, &record, err) != 0)
        return -1;
    if (!record || !record->cert.p) {
        *ret = NULL;
        return 0;
    }
    if (issuer_read(record->cert.p, record->cert.len, &issuer, err) != 0) {
        err->kind = P11CA_LEDGER;
        return err_prefix(err, "authority '%s': CA certificate in the ledger", conf->name);
    }
    if (!blob_is(record->spki, issuer->spki.der, issuer->spki.len))
        return err_set(err, P11CA_LEDGER, "KEY_MISMATCH",
            "authority '%s': the CA certificate in the ledger is for another key than the recorded one",
            conf->name);
    *ret = issuer;
    issuer = NULL;
    return 0;
}

/* Nobody has to believe what it signs from now on but its CRL. */
static int check_not_revoked(
    struct ledger *l, const struct authority_conf *conf, const struct issuer *issuer, struct p11ca_err *err)
{
    AUTO_LEDGER_CERT row = NULL;
    AUTO_CERT cert = CERT_INIT;
    uint8_t sha256[SHA256_LEN];
    char when[TEXT_TIME];

    if (cert_read(issuer->cert.p, issuer->cert.len, &cert, err) != 0)
        return err_prefix(err, "authority '%s'", conf->name);
    if (hash_sha256(cert.der.p, cert.der.len, sha256) != 0)
        return err_openssl(err, P11CA_BUG, "authority '%s': SHA-256", conf->name);
    if (ledger_find_cert(l, (struct blob){cert.t.serial.p, cert.t.serial.len}, sha256, &row, err) != 0)
        return -1;
    if (!row && conf->issuer &&
        ledger_find_bare(l, conf->issuer, (struct blob){cert.t.serial.p, cert.t.serial.len}, cert.t.not_after,
            &row, err) != 0)
        return -1;
    if (!row || row->status != LEDGER_REVOKED)
        return 0;
    text_time(row->revoked_at, when);
    return err_set(err, P11CA_REFUSED, "CA_REVOKED",
        "authority '%s': its CA certificate is revoked since %s: it issues nothing any more", conf->name,
        when);
}

unsigned authority_crl_part(const struct authority_conf *conf, const uint8_t *serial, size_t len)
{
    unsigned n = 0;

    if (!conf->crl_partitions)
        return 0;
    if (len)
        n = serial[len - 1];
    if (len > 1)
        n += (unsigned)serial[len - 2] << 8;
    return 1 + n % (unsigned)conf->crl_partitions;
}

const char *authority_crl_url(const struct authority_conf *conf, const uint8_t *serial, size_t len)
{
    unsigned part = authority_crl_part(conf, serial, len);

    return part ? conf->crl_urls[part - 1] : conf->crl_url;
}

int authority_need_issuer(const struct p11ca_home *home, struct ledger *l, const struct authority_conf *conf,
    struct issuer **ret, struct p11ca_err *err)
{
    AUTO_AUTHORITY a = {0};

    AUTO_ISSUER issuer = NULL;

    if (authority_issuer(l, conf, &issuer, err) != 0)
        return -1;
    if (issuer) {
        if (check_not_revoked(l, conf, issuer, err) != 0 ||
            ledger_fix_crl_parts(l, conf->name, conf->crl_partitions, err) != 0)
            return -1;
        *ret = issuer;
        issuer = NULL;
        return 0;
    }
    if (authority_open(&a, home, l, conf, err) != 0)
        return -1;
    return err_set(err, P11CA_CONFIG, "NO_CA_CERT",
        "authority '%s': no CA certificate installed (p11ca install, or a ceremony)", conf->name);
}

int authority_profile(const struct p11ca_home *home, const struct authority_conf *conf, const char *name,
    const struct profile **ret, struct p11ca_err *err)
{
    const struct profile *p = profiles_find(home->profiles, name);
    size_t i;

    if (!p)
        return err_set(err, P11CA_USAGE, "PROFILE", "no profile '%s'", name);
    for (i = 0; i < conf->issues.n; i++) {
        if (strcmp(conf->issues.v[i], p->name) == 0) {
            *ret = p;
            return 0;
        }
    }
    return err_set(err, P11CA_REFUSED, "PROFILE_NOT_ALLOWED",
        "authority '%s': may not issue profile '%s' (issues in p11ca.conf)", conf->name, p->name);
}
