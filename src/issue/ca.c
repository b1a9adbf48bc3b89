/* An authority comes into being: key, request, CA certificate. */
#include "issue/ca.h"

#include <p11ca/issue.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "issue/publish.h"
#include "x509/cert.h"
#include "x509/csr.h"
#include "x509/name.h"
#include "x509/pem.h"

/* What the configuration and the ledger have of an authority whose key is made or destroyed here. */
static int open_record(const struct p11ca_home *home, const char *authority, struct authority *ret,
    struct ledger **ret_ledger, struct p11ca_err *err)
{
    return home_authority(home, authority, &ret->conf, err) != 0 ||
                   home_ledger_write(home, ret_ledger, err) != 0 ||
                   ledger_get_authority(*ret_ledger, authority, &ret->record, err) != 0
               ? -1
               : 0;
}

static int open_token(struct authority *a, const struct p11ca_home *home, struct p11ca_err *err)
{
    if (!a->conf->token)
        return err_set(
            err, P11CA_CONFIG, "NO_KEY", "authority '%s': has no token in p11ca.conf", a->conf->name);
    return token_open(&a->token, a->conf->token, &home->env, true, err) == 0 ? token_login(a->token, err)
                                                                             : -1;
}

static int check_recorded_id(const struct authority *a, const uint8_t id[KEY_ID_LEN], struct p11ca_err *err)
{
    const struct ledger_authority *r = a->record;

    if (!r || (r->key_id.len == KEY_ID_LEN && memcmp(r->key_id.p, id, KEY_ID_LEN) == 0))
        return 0;
    return err_set(err, P11CA_LEDGER, "AUTHORITY_HAS_KEY",
        "authority '%s': the ledger has a key for it already", a->conf->name);
}

/* Never by key_generate(): what is missing of a recorded key must not be made anew. */
static int find_recorded(struct authority *a, const uint8_t id[KEY_ID_LEN], struct p11ca_err *err)
{
    if (key_find(&a->key, a->token, a->conf->key, id, KEY_ID_LEN, err) != 0)
        return -1;
    a->key.adopted = true;
    return key_check(&a->key, NULL, NULL, err) == 0 && authority_check_record(a, err) == 0
               ? key_prove(&a->key, err)
               : -1;
}

static int show_key(struct authority *a, const struct key_hooks *hooks, struct p11ca_err *err)
{
    struct p11ca_err first, why;
    size_t n;

    if (spki_read(a->key.spki.p, a->key.spki.len, &a->spki, err) != 0)
        err_prefix(err, "authority '%s': the generated key", a->conf->name);
    else if (!hooks || !hooks->evidence || hooks->evidence(hooks->arg, &a->key, err) == 0)
        return 0;
    if (a->key.adopted)
        return -1;
    first = *err;
    if (key_destroy(a->token, a->key.label, a->key.id, a->key.id_len, &n, &why) != 0)
        err_set(err, first.kind, first.code, "%s; and it is still there: %s", first.msg, why.msg);
    return -1;
}

int ca_generate_key(struct p11ca_home *home, const char *authority, const char *algorithm,
    const uint8_t id[KEY_ID_LEN], const struct key_hooks *hooks, struct p11ca_err *err)
{
    AUTO_LEDGER l = NULL;
    AUTO_AUTHORITY a = {0};
    int rc;

    if (open_record(home, authority, &a, &l, err) != 0 || check_recorded_id(&a, id, err) != 0 ||
        open_token(&a, home, err) != 0)
        return -1;
    rc = a.record ? find_recorded(&a, id, err)
                  : key_generate(&a.key, a.token, a.conf->key, id, algorithm, err);
    if (rc != 0 || show_key(&a, hooks, err) != 0)
        return -1;
    /* A PIN was typed, a key generated, people have looked at it. */
    ledger_set_now(l, home_now(home));
    return authority_record(&a, l, err);
}

int p11ca_generate_key(
    struct p11ca_home *home, const char *authority, const char *algorithm, struct p11ca_err *err)
{
    uint8_t id[KEY_ID_LEN];

    return key_draw_id(id, err) == 0 ? ca_generate_key(home, authority, algorithm, id, NULL, err) : -1;
}

struct destroyed {
    uint8_t spki_sha256[SHA256_LEN];
    bool recorded;
};

static int see_destroyed(void *arg, const struct ledger_event *e, struct p11ca_err *err)
{
    struct destroyed *d = arg;

    (void)err;
    if (strcmp(e->kind, "destroy") == 0 && e->digest.len == SHA256_LEN &&
        memcmp(e->digest.p, d->spki_sha256, SHA256_LEN) == 0)
        d->recorded = true;
    return 0;
}

static int find_destroyed(
    const struct authority *a, struct ledger *l, struct destroyed *ret, struct p11ca_err *err)
{
    if (!a->record)
        return err_set(err, P11CA_LEDGER, "AUTHORITY_UNKNOWN",
            "authority '%s': the ledger has no key of it to destroy", a->conf->name);
    if (hash_sha256(a->record->spki.p, a->record->spki.len, ret->spki_sha256) != 0)
        return err_openssl(err, P11CA_BUG, "authority '%s': SHA-256", a->conf->name);
    return ledger_each_event(l, see_destroyed, ret, err);
}

static int record_destroyed(
    const struct authority *a, struct ledger *l, const struct destroyed *d, struct p11ca_err *err)
{
    char detail[256];
    const struct ledger_event e = {
        .kind = "destroy",
        .authority = a->conf->name,
        .detail = detail,
        .digest = {d->spki_sha256, SHA256_LEN},
    };

    snprintf(detail, sizeof(detail), "key '%.100s' in token '%s', serial %s", a->conf->key, a->token->label,
        a->token->serial);
    if (ledger_begin(l, err) != 0)
        return -1;
    if (ledger_event(l, &e, err) != 0) {
        ledger_rollback(l);
        return -1;
    }
    return ledger_commit(l, err);
}

/* 1: the recorded key is there; 0: it is not, and may be gone; -1: another one is there, or it may not be gone. */
static int find_doomed(struct authority *a, bool may_be_gone, struct p11ca_err *err)
{
    if (key_find(&a->key, a->token, a->conf->key, NULL, 0, err) == 0)
        return authority_check_record(a, err) == 0 ? 1 : -1;
    if (strcmp(err->code, "KEY_NOT_FOUND") != 0)
        return -1;
    return may_be_gone ? 0
                       : err_prefix(err, "authority '%s': the ledger does not say that its key was destroyed",
                             a->conf->name);
}

int ca_destroy_key(struct p11ca_home *home, const char *authority, bool resume, struct p11ca_err *err)
{
    struct destroyed d = {.recorded = false};
    AUTO_LEDGER l = NULL;
    AUTO_AUTHORITY a = {0};
    int there;
    size_t n;

    if (open_record(home, authority, &a, &l, err) != 0 || find_destroyed(&a, l, &d, err) != 0 ||
        open_token(&a, home, err) != 0 || (there = find_doomed(&a, resume || d.recorded, err)) < 0)
        return -1;
    /* Also when the private half is gone: the public one may be left. */
    if (key_destroy(a.token, a.conf->key, a.record->key_id.p, a.record->key_id.len, &n, err) != 0)
        return -1;
    ledger_set_now(l, home_now(home));
    return there || !d.recorded ? record_destroyed(&a, l, &d, err) : 0;
}

/* Whether path holds the request of this authority: its recorded key, its subject, proven possession. */
static bool is_own_request(
    const struct authority_conf *conf, struct ledger *l, const char *path, struct der subject)
{
    AUTO_BUF file = BUF_INIT;
    AUTO_CSR csr = CSR_INIT;
    AUTO_RECORD record = NULL;
    struct p11ca_err ignored;

    return file_read(path, LIMIT_CSR, &file, &ignored) == 0 &&
           csr_read(file.p, file.len, CSR_FOR_CA, &csr, &ignored) == 0 && der_equal(csr.subject, subject) &&
           ledger_get_authority(l, conf->name, &record, &ignored) == 0 && record &&
           der_equal(spki_der(&csr.spki), DER_OF(record->spki.p, record->spki.len));
}

static int make_request(struct authority *a, struct der subject, struct buf *pem, struct p11ca_err *err)
{
    AUTO_BUF der = BUF_INIT;

    if (csr_make(signer_get0_pkey(a->signer), subject, &a->spki, &der, err) != 0) {
        err->kind = P11CA_TOKEN; /* whatever else it is called: the signature is the token's */
        signer_explain(a->signer, err);
        return err_prefix(err, "authority '%s'", a->conf->name);
    }
    pem_encode(PEM_CSR, der_buf(&der), pem);
    return buf_ok(pem) ? 0 : err_nomem(err);
}

int ca_request(struct p11ca_home *home, const char *authority, const char *output, enum ca_request how,
    struct p11ca_err *err)
{
    const struct authority_conf *conf;
    AUTO_BUF subject = BUF_INIT, pem = BUF_INIT;
    AUTO_LEDGER l = NULL;
    AUTO_AUTHORITY a = {0};

    if (home_authority(home, authority, &conf, err) != 0 ||
        name_from_text(conf->subject, &subject, err) != 0 || home_ledger_write(home, &l, err) != 0)
        return -1;
    if (how == CA_REQUEST_AGAIN && is_own_request(conf, l, output, der_buf(&subject)))
        return 0;
    if ((how != CA_REQUEST_FORCE && file_check_new(output, err) != 0) ||
        authority_open(&a, home, l, conf, err) != 0 || authority_record(&a, l, err) != 0 ||
        make_request(&a, der_buf(&subject), &pem, err) != 0)
        return -1;
    return file_write(output, how == CA_REQUEST_FORCE ? FILE_REPLACE : FILE_NEW, 0644, pem.p, pem.len, err);
}

int p11ca_request(
    struct p11ca_home *home, const char *authority, const char *output, bool force, struct p11ca_err *err)
{
    return ca_request(home, authority, output, force ? CA_REQUEST_FORCE : CA_REQUEST_NEW, err);
}

int ca_install(struct ledger *l, const struct authority_conf *conf, struct der cert, struct p11ca_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    if (ledger_put_ca_cert(l, conf->name, (struct blob){cert.p, cert.len}, err) != 0) {
        ledger_rollback(l);
        return -1;
    }
    return ledger_commit(l, err);
}

/* The issuer's word, when the issuer is at hand. */
static int check_parent(struct ledger *l, const struct p11ca_home *home, const struct authority_conf *conf,
    const struct cert *cert, struct p11ca_err *err)
{
    const struct authority_conf *parent;
    AUTO_ISSUER issuer = NULL;

    if (!conf->issuer)
        return 0;
    if (home_authority(home, conf->issuer, &parent, err) != 0 ||
        authority_issuer(l, parent, &issuer, err) != 0)
        return -1;
    if (!issuer)
        return err_set(
            err, P11CA_CONFIG, "NO_CA_CERT", "issuer '%s': no CA certificate installed", conf->issuer);
    if (!der_equal(issuer->subject, cert->t.issuer))
        return err_set(err, P11CA_REFUSED, "ISSUER_MISMATCH",
            "RFC 5280 6.1.3: issuer: want the subject of authority '%s'", conf->issuer);
    if (tbs_lint(cert->tbs, conf->profile, issuer, err) != 0)
        return -1;
    if (cert_verify(cert, issuer->pub, issuer->alg, err) != 0) {
        err->kind = P11CA_REFUSED;
        return err_prefix(err, "by authority '%s'", conf->issuer);
    }
    return 0;
}

/* A certificate that signs itself must do so. */
static int check_self(const struct authority_conf *conf, const struct cert *cert, const struct issuer *own,
    struct p11ca_err *err)
{
    if (!conf->profile->self_signed)
        return 0;
    if (!der_equal(cert->t.issuer, cert->t.subject))
        return err_set(err, P11CA_REFUSED, "ISSUER_MISMATCH", "RFC 5280 3.2: want a self-issued certificate");
    if (cert_verify(cert, own->pub, own->alg, err) == 0)
        return 0;
    err->kind = P11CA_REFUSED;
    return err_prefix(err, "self-signed");
}

static int check_cert(const struct p11ca_home *home, const struct authority *a, struct ledger *l,
    const struct cert *cert, struct p11ca_err *err)
{
    AUTO_BUF subject = BUF_INIT, have = BUF_INIT;
    AUTO_ISSUER as_issuer = NULL;

    if (a->token && !der_equal(cert->t.spki, spki_der(&a->spki)))
        return err_set(err, P11CA_REFUSED, "KEY_MISMATCH", "public key: want that of key '%s' in token '%s'",
            a->conf->key, a->token->binding->name);
    if (name_from_text(a->conf->subject, &subject, err) != 0)
        return -1;
    if (!der_equal(der_buf(&subject), cert->t.subject)) {
        if (name_to_text(cert->t.subject, &have, err) != 0)
            return -1;
        if (!buf_str(&have))
            return err_nomem(err);
        return err_set(err, P11CA_REFUSED, "SUBJECT_MISMATCH", "subject: want '%s', have '%s'",
            a->conf->subject, (char *)have.p);
    }
    if (issuer_read(cert->der.p, cert->der.len, &as_issuer, err) != 0 ||
        check_self(a->conf, cert, as_issuer, err) != 0)
        return -1;
    return check_parent(l, home, a->conf, cert, err);
}

static int check_place(
    const struct p11ca_home *home, const char *authority, struct der cert, struct p11ca_err *err)
{
    AUTO_STR path = home_cert_path(home, authority);

    if (!path)
        return err_nomem(err);
    return publish_is(path, cert) ? 0 : file_check_new(path, err);
}

static int publish_ca(
    const struct p11ca_home *home, const char *authority, struct der cert, struct p11ca_err *err)
{
    AUTO_STR path = home_cert_path(home, authority);
    AUTO_BUF pem = BUF_INIT;

    pem_encode(PEM_CERT, cert, &pem);
    if (!path || !buf_ok(&pem))
        return err_nomem(err);
    return publish_is(path, cert) ? 0 : file_write(path, FILE_NEW, 0644, pem.p, pem.len, err);
}

/* The token's key; of an authority whose key is elsewhere, the certificate's word. */
static int open_or_take(struct authority *a, const struct p11ca_home *home, struct ledger *l,
    const struct authority_conf *conf, const struct cert *cert, struct p11ca_err *err)
{
    if (conf->token)
        return authority_open(a, home, l, conf, err);
    a->conf = conf;
    return spki_read(cert->t.spki.p, cert->t.spki.len, &a->spki, err);
}

int p11ca_install(struct p11ca_home *home, const char *authority, const char *path, struct p11ca_err *err)
{
    AUTO_BUF file = BUF_INIT;

    return file_read(path, LIMIT_CERT, &file, err) == 0
               ? ca_take_in(home, authority, path, der_buf(&file), err)
               : -1;
}

int ca_take_in(
    struct p11ca_home *home, const char *authority, const char *name, struct der file, struct p11ca_err *err)
{
    const struct authority_conf *conf;
    AUTO_CERT cert = CERT_INIT;
    AUTO_LEDGER l = NULL;
    AUTO_AUTHORITY a = {0};

    if (home_authority(home, authority, &conf, err) != 0)
        return -1;
    if (cert_read(file.p, file.len, &cert, err) != 0)
        return err_prefix(err, "%s", name);
    if (home_ledger_write(home, &l, err) != 0 || open_or_take(&a, home, l, conf, &cert, err) != 0)
        return -1;
    if (check_cert(home, &a, l, &cert, err) != 0)
        return err_prefix(err, "%s", name);
    if (check_place(home, authority, der_buf(&cert.der), err) != 0 || authority_record(&a, l, err) != 0 ||
        ca_install(l, conf, der_buf(&cert.der), err) != 0)
        return -1;
    return publish_ca(home, authority, der_buf(&cert.der), err);
}

static int add_ca(struct ledger *l, const struct authority_conf *conf, struct buf *pem, struct p11ca_err *err)
{
    AUTO_RECORD record = NULL;

    if (ledger_get_authority(l, conf->name, &record, err) != 0)
        return -1;
    if (!record || !record->cert.p)
        return err_set(
            err, P11CA_CONFIG, "NO_CA_CERT", "authority '%s': no CA certificate installed", conf->name);
    pem_encode(PEM_CERT, DER_OF(record->cert.p, record->cert.len), pem);
    return buf_ok(pem) ? 0 : err_nomem(err);
}

static bool same_content(const char *path, const struct buf *want)
{
    AUTO_BUF have = BUF_INIT;
    struct p11ca_err ignored;

    return file_read(path, LIMIT_CERT, &have, &ignored) == 0 && der_equal(der_buf(&have), der_buf(want));
}

int ca_chain(struct p11ca_home *home, struct ledger *l, const struct authority_conf *conf, struct buf *ret,
    struct p11ca_err *err)
{
    size_t depth;

    if (add_ca(l, conf, ret, err) != 0)
        return -1;
    /* A configuration may name issuers in a circle: no chain is longer than there are authorities. */
    for (depth = 1; conf->issuer && depth < home->n_authorities; depth++) {
        if (home_authority(home, conf->issuer, &conf, err) != 0 || add_ca(l, conf, ret, err) != 0)
            return -1;
    }
    return 0;
}

int p11ca_export(struct p11ca_home *home, const char *authority, const char *output, bool chain, bool force,
    struct p11ca_err *err)
{
    const struct authority_conf *conf;
    AUTO_BUF pem = BUF_INIT;
    AUTO_LEDGER l = NULL;

    if (home_authority(home, authority, &conf, err) != 0 || home_ledger_read(home, &l, err) != 0)
        return -1;
    if ((chain ? ca_chain(home, l, conf, &pem, err) : add_ca(l, conf, &pem, err)) != 0)
        return -1;
    if (same_content(output, &pem))
        return 0;
    return file_write(output, force ? FILE_REPLACE : FILE_NEW, 0644, pem.p, pem.len, err);
}
