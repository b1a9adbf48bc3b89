/* Signing a lot ticket: in a ceremony, by the key that ticket-from names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "issue/authority.h"
#include "issue/hooks.h"
#include "issue/ticket.h"
#include "x509/cert.h"
#include "x509/cms.h"

/* One ticket on its way. */
struct making {
    const struct p11ca_home *home;
    const struct authority_conf *conf;
    const struct ticket *ticket;
    const char *output;
    const struct signing_hooks *hooks;
    struct ledger *ledger;
    struct issuer *issuer; /* the signer's own CA certificate */
    char *beside;          /* FILE.p7s */
    struct buf text, cms;
    uint8_t sha256[SHA256_LEN];
};

static void making_done(struct making *m)
{
    buf_done(&m->text);
    buf_done(&m->cms);
    free(m->beside);
    issuer_free(m->issuer);
    ledger_close(m->ledger);
}

/* --- before the token --- */

static int check_there(const char *path, const struct buf *want, bool *ret, struct p11ca_err *err)
{
    AUTO_BUF have = BUF_INIT;

    *ret = file_exists(path);
    if (!*ret)
        return 0;
    if (file_read(path, LIMIT_TICKET, &have, err) != 0)
        return -1;
    if (have.len == want->len && memcmp(have.p, want->p, want->len) == 0)
        return 0;
    return err_set(err, P11CA_FILE, "OUTPUT_EXISTS", "%s: exists, nothing is overwritten", path);
}

/* By the key of this authority, over this text. */
static int check_signature(const struct making *m, const struct buf *cms, struct p11ca_err *err)
{
    struct spki key;

    if (cms_signer(der_buf(cms), der_buf(&m->text), &key, err) != 0)
        return -1;
    if (spki_equal(&key, &m->issuer->spki))
        return 0;
    return err_set(err, P11CA_NEGATIVE, "SIGNATURE_BAD", "signature: want one by the key of authority '%s'",
        m->conf->name);
}

/* A signature that is there already is good, or somebody else's file. */
static int check_beside(const struct making *m, bool *ret, struct p11ca_err *err)
{
    AUTO_BUF have = BUF_INIT;
    struct p11ca_err why;

    *ret = file_exists(m->beside);
    if (!*ret)
        return 0;
    if (file_read(m->beside, LIMIT_CERT, &have, err) != 0)
        return -1;
    if (check_signature(m, &have, &why) == 0)
        return 0;
    return err_set(err, P11CA_FILE, "OUTPUT_EXISTS", "%s: exists, nothing is overwritten", m->beside);
}

static int begin(struct making *m, const char *authority, struct p11ca_err *err)
{
    if (home_authority(m->home, authority, &m->conf, err) != 0 || ticket_check(m->ticket, err) != 0 ||
        home_ledger_write(m->home, &m->ledger, err) != 0 ||
        authority_need_issuer(m->home, m->ledger, m->conf, &m->issuer, err) != 0)
        return -1;
    ticket_add_text(m->ticket, &m->text);
    m->beside = ticket_signature_path(m->output);
    if (!buf_ok(&m->text) || !m->beside || hash_sha256(m->text.p, m->text.len, m->sha256) != 0)
        return err_nomem(err);
    return 0;
}

/* --- the token --- */

static int approve(const struct making *m, struct p11ca_err *err)
{
    struct signing s = {.what = "lot ticket", .authority = m->conf->name, .tbs = der_buf(&m->text)};

    if (!m->hooks || !m->hooks->approve)
        return 0;
    memcpy(s.tbs_sha256, m->sha256, sizeof(s.tbs_sha256));
    snprintf(s.number, sizeof(s.number), "%s", m->ticket->id);
    return m->hooks->approve(m->hooks->arg, &s, err) == 0 ? 0 : -1;
}

static int sign_with(struct making *m, const struct authority *a, struct p11ca_err *err)
{
    int64_t now = m->hooks && m->hooks->at ? m->hooks->at : home_now(m->home);
    AUTO_CERT cert = CERT_INIT;

    if (cert_read(m->issuer->cert.p, m->issuer->cert.len, &cert, err) != 0)
        return -1;
    if (cms_sign(signer_get0_pkey(a->signer), &cert, der_buf(&m->text), now, &m->cms, err) != 0) {
        err->kind = P11CA_TOKEN;
        return signer_explain(a->signer, err);
    }
    if (check_signature(m, &m->cms, err) == 0)
        return 0;
    err->kind = P11CA_TOKEN;
    return err_prefix(err, "token '%s': key '%s'", a->token->binding->name, a->conf->key);
}

/* Opened before anybody is asked: a token that is not there need not be approved of. */
static int sign(struct making *m, struct p11ca_err *err)
{
    AUTO_AUTHORITY a = {0};

    if (authority_open(&a, m->home, m->ledger, m->conf, err) != 0 || approve(m, err) != 0)
        return -1;
    return sign_with(m, &a, err);
}

/* The text first: a signature never stands beside nothing. */
static int make(struct making *m, bool *ret_again, struct p11ca_err *err)
{
    bool text_there = false, there = false;

    if (check_there(m->output, &m->text, &text_there, err) != 0 || check_beside(m, &there, err) != 0)
        return -1;
    if (!there && sign(m, err) != 0)
        return -1;
    if (!text_there && file_write(m->output, FILE_NEW, 0644, m->text.p, m->text.len, err) != 0)
        return -1;
    *ret_again = text_there && there;
    return there ? 0 : file_write(m->beside, FILE_NEW, 0644, m->cms.p, m->cms.len, err);
}

int lot_ticket_sign(const struct p11ca_home *home, const char *authority, const struct ticket *t,
    const char *output, const struct signing_hooks *hooks, struct ticket_signed *ret, struct p11ca_err *err)
{
    __attribute__((cleanup(making_done))) struct making m = {
        .home = home, .ticket = t, .output = output, .hooks = hooks};
    bool again = false;

    if (begin(&m, authority, err) != 0 || make(&m, &again, err) != 0)
        return -1;
    ret->again = again;
    ret->signer = m.issuer->spki;
    text_hex_lower(m.sha256, sizeof(m.sha256), ret->sha256);
    return 0;
}
