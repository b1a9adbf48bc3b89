#include "ceremony/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "base/scope.h"
#include "base/text.h"
#include "ceremony/steps.h"
#include "issue/crl.h"
#include "x509/crl.h"
#include "x509/name.h"
#include "x509/stand_in.h"

/* --- what is there --- */

static int take_recorded(struct ledger *l, struct planned *a, struct p11ca_err *err)
{
    AUTO_RECORD record = NULL;
    uint8_t sha256[SHA256_LEN];
    int destroyed;

    if (ledger_get_authority(l, a->conf->name, &record, err) != 0)
        return -1;
    if (!record)
        return 0;
    if (spki_read(record->spki.p, record->spki.len, &a->spki, err) != 0)
        return err_prefix(err, "authority '%s': the recorded key", a->conf->name);
    if (spki_sha256(&a->spki, sha256, err) != 0 || (destroyed = ledger_key_destroyed(l, sha256, err)) < 0)
        return -1;
    a->has_key = true;
    a->destroyed = destroyed;
    return authority_issuer(l, a->conf, &a->issuer, err);
}

static int take_ledger(struct plan *p, struct p11ca_err *err)
{
    AUTO_LEDGER l = NULL;
    size_t i;

    if (!file_exists(p->home->ledger_path))
        return 0;
    if (home_ledger_read(p->home, &l, err) != 0)
        return -1;
    for (i = 0; i < p->home->n_authorities; i++) {
        if (take_recorded(l, &p->authorities[i], err) != 0)
            return -1;
    }
    return 0;
}

static int init(struct plan *p, struct p11ca_err *err)
{
    const struct p11ca_home *home = p->home;
    size_t i;

    p->authorities = calloc(home->n_authorities + 1, sizeof(*p->authorities));
    p->pin_missing = calloc(home->n_tokens + 1, sizeof(*p->pin_missing));
    p->steps = json_array();
    if (!p->authorities || !p->pin_missing || !p->steps)
        return err_nomem(err);
    for (i = 0; i < home->n_authorities; i++)
        p->authorities[i].conf = &home->authorities[i];
    return take_ledger(p, err);
}

/* Approvals are for one ceremony: the next one comes after another. */
static int say_after(struct plan *p, struct p11ca_err *err)
{
    const struct p11ca_home *home = p->home->rehearsed ? p->home->rehearsed : p->home;
    char hex[TRANSCRIPT_HEX] = "nothing";
    uint8_t last[SHA256_LEN];
    AUTO_LEDGER l = NULL;
    int has = 0;

    if (file_exists(home->ledger_path) &&
        (home_ledger_read(home, &l, err) != 0 || (has = ledger_last_ceremony(l, last, err)) < 0))
        return -1;
    if (has)
        text_hex_lower(last, sizeof(last), hex);
    buf_addf(&p->text, "after %s\n", hex);
    return 0;
}

static int head(struct plan *p, struct p11ca_err *err)
{
    char hex[TRANSCRIPT_HEX];

    text_hex_lower(p->script->sha256, SHA256_LEN, hex);
    buf_addf(&p->text, "p11ca ceremony plan\nscript %s\n", hex);
    if (p->script->approvals_need && say_after(p, err) != 0)
        return -1;
    return buf_ok(&p->text) ? 0 : err_nomem(err);
}

int plan_make(struct plan *ret, const struct script *script, struct p11ca_home *home, bool lenient,
    struct p11ca_err *err)
{
    size_t i;
    int rc;

    *ret = (struct plan){.script = script, .home = home, .lenient = lenient, .now = home_now(home)};
    rc = init(ret, err);
    if (rc == 0)
        rc = head(ret, err);
    for (i = 0; rc == 0 && i < script->n_steps; i++)
        rc = script->steps[i].kind->check(ret, &script->steps[i], err);
    if (rc == 0 && !buf_str(&ret->text))
        rc = err_nomem(err);
    if (rc != 0)
        plan_done(ret);
    return rc;
}

void plan_done(struct plan *p)
{
    size_t i;

    for (i = 0; p->authorities && i < p->home->n_authorities; i++) {
        issuer_free(p->authorities[i].issuer);
        issuer_free(p->authorities[i].signed_);
    }
    free(p->authorities);
    free(p->pin_missing);
    for (i = 0; i < LIMIT_STEPS; i++)
        free(p->beside[i]);
    buf_done(&p->text);
    json_decref(p->steps);
    memset(p, 0, sizeof(*p));
}

/* --- what steps need --- */

int plan_authority(
    struct plan *p, const struct step *step, const char *name, struct planned **ret, struct p11ca_err *err)
{
    const struct authority_conf *conf;
    struct p11ca_err why;

    if (home_authority(p->home, name, &conf, &why) != 0)
        return script_err(p->script, step, err, "%s", why.msg);
    *ret = &p->authorities[conf - p->home->authorities];
    return 0;
}

int plan_signer(
    struct plan *p, const struct step *step, const char *name, struct planned **ret, struct p11ca_err *err)
{
    struct planned *a;

    if (plan_authority(p, step, name, &a, err) != 0)
        return -1;
    if (!a->conf->token)
        return script_err(p->script, step, err,
            "authority '%s': its key is not at this machine (no token in p11ca.conf)", name);
    if (a->destroyed && !p->lenient)
        return script_err(p->script, step, err,
            "authority '%s': its key was destroyed, or will be by an earlier step", name);
    if (!a->has_key)
        return script_err(p->script, step, err,
            "authority '%s': no key: none is recorded, no earlier step generates one", name);
    if (p->pin_missing[a->conf->token - p->home->tokens])
        return script_err(p->script, step, err,
            "token '%s': nobody can log in: an earlier step initialises it, none sets its user PIN (set-pin)",
            a->conf->token->name);
    *ret = a;
    return 0;
}

static bool is_made(const struct plan *p, const char *name)
{
    size_t i;

    for (i = 0; i < p->n_made; i++) {
        if (strcmp(p->made[i], name) == 0)
            return true;
    }
    return false;
}

int plan_reads(
    struct plan *p, const struct step *step, const char *name, bool *ret_made, struct p11ca_err *err)
{
    AUTO_STR path = path_join(p->home->dir, name);
    bool made = is_made(p, name);

    if (!path)
        return err_nomem(err);
    if (!made && !file_exists(path))
        return script_err(p->script, step, err, "nothing makes '%s', and it is not there", name);
    if (ret_made)
        *ret_made = made;
    return 0;
}

int plan_writes(struct plan *p, const struct step *step, const char *name, struct p11ca_err *err)
{
    AUTO_STR path = path_join(p->home->dir, name);

    if (!path)
        return err_nomem(err);
    if (!path_is_below(name))
        return script_err(p->script, step, err, "'%s': want a file in the PKI home", name);
    if (is_made(p, name))
        return script_err(p->script, step, err, "'%s' is made by an earlier step", name);
    if (!p->lenient && !p->replaces[step->number - 1] && file_exists(path))
        return script_err(p->script, step, err, "%s: exists, nothing is overwritten", path);
    p->made[p->n_made++] = name;
    return 0;
}

int plan_writes_beside(
    struct plan *p, const struct step *step, const char *name, const char *suffix, struct p11ca_err *err)
{
    char **slot = &p->beside[step->number - 1];
    AUTO_BUF b = BUF_INIT;
    size_t len;

    buf_addf(&b, "%s%s", name, suffix);
    if (!buf_str(&b))
        return err_nomem(err);
    free(*slot);
    *slot = (char *)buf_take(&b, &len);
    return plan_writes(p, step, *slot, err);
}

/* --- certificates --- */

static int read_bits(const struct plan *p, const struct step *step, bool eku, const struct conf_strs *names,
    unsigned *bits, struct p11ca_err *err)
{
    unsigned bit;
    size_t i;

    if (!names->v)
        return 0;
    *bits = 0;
    for (i = 0; i < names->n; i++) {
        bit = eku ? ext_eku_bit(names->v[i]) : ext_ku_bit(names->v[i]);
        *bits |= bit;
        if (!bit)
            return script_err(p->script, step, err, "%s: RFC 5280 %s: no usage '%s'",
                eku ? "extended-key-usage" : "key-usage", eku ? "4.2.1.12" : "4.2.1.3", names->v[i]);
    }
    return 0;
}

int plan_profile(const struct plan *p, const struct step *step, const struct profile *base,
    struct profile *ret, struct p11ca_err *err)
{
    struct p11ca_err why;

    *ret = *base;
    if (step->args.path_length < -1)
        return script_err(p->script, step, err, "path-length: RFC 5280 4.2.1.9: want 0 or more, have %d",
            step->args.path_length);
    if (step->args.path_length >= 0)
        ret->pathlen = step->args.path_length;
    if (read_bits(p, step, false, &step->args.key_usage, &ret->key_usage, err) != 0 ||
        read_bits(p, step, true, &step->args.eku, &ret->eku, err) != 0)
        return -1;
    if (step->args.days < 0 || (unsigned)step->args.days > ret->days_max)
        return script_err(
            p->script, step, err, "days: want 1 to %u, have %d", ret->days_max, step->args.days);
    if (profile_check(ret, &why) != 0)
        return script_err(p->script, step, err, "%s", why.msg);
    return 0;
}

/* Serials are 20 octets with the top bit clear; this one nobody draws. */
static void stand_in_serial(struct cert_plan *cp)
{
    memset(cp->serial, 0, sizeof(cp->serial));
    cp->serial[0] = 0x7f;
    cp->serial_len = sizeof(cp->serial);
}

static int build(
    const struct cert_plan *cp, const struct plan_cert *c, struct buf *ret, struct p11ca_err *err)
{
    if (tbs_build(cp, ret, err) != 0)
        return -1;
    return tbs_lint(der_buf(ret), c->profile, cp->issuer, err);
}

static int digest(const struct buf *b, char ret[TRANSCRIPT_HEX], struct p11ca_err *err)
{
    uint8_t sha256[SHA256_LEN];

    if (!buf_ok(b) || hash_sha256(b->p, b->len, sha256) != 0)
        return err_nomem(err);
    text_hex_lower(sha256, sizeof(sha256), ret);
    return 0;
}

int plan_request(struct plan *p, const struct step *step, struct der file, struct p11ca_err *err)
{
    const struct buf b = {.p = (uint8_t *)(uintptr_t)file.p, .len = file.len};
    char *hex = p->request[step->number - 1];

    if (digest(&b, hex, err) != 0)
        return -1;
    p->foreign[step->number - 1] = true;
    buf_addf(&p->text, "step %zu request %s\n", step->number, hex);
    return buf_ok(&p->text) ? 0 : err_nomem(err);
}

/* An issuer without the traces of its key. */
static struct issuer keyless(const struct issuer *issuer)
{
    struct issuer copy = *issuer;

    memset(copy.ski, 0, sizeof(copy.ski));
    copy.ski_len = SKI_LEN;
    return copy;
}

/* The same bytes before and after the keys exist: serial, times, and keys are stand-ins. */
static int digest_template(
    const struct cert_plan *now, unsigned days, char ret[TRANSCRIPT_HEX], struct p11ca_err *err)
{
    struct cert_plan cp = *now;
    struct issuer issuer;
    struct spki spki;
    AUTO_BUF tbs = BUF_INIT;

    if (stand_in_for(now->spki, &spki, err) != 0)
        return -1;
    cp.spki = &spki;
    cp.not_before = 0;
    cp.not_after = (int64_t)days * PROFILE_DAY - 1;
    if (now->issuer) {
        issuer = keyless(now->issuer);
        cp.issuer = &issuer;
    }
    return tbs_build(&cp, &tbs, err) != 0 ? -1 : digest(&tbs, ret, err);
}

static int note_cert(
    struct plan *p, const struct step *step, const struct cert_plan *cp, unsigned days, struct p11ca_err *err)
{
    char hex[TRANSCRIPT_HEX], usage[EXT_TEXT], eku[EXT_TEXT], key[SPKI_TEXT];
    AUTO_BUF subject = BUF_INIT, issuer = BUF_INIT, line = BUF_INIT;

    if (digest_template(cp, days, hex, err) != 0 || name_to_text(cp->subject, &subject, err) != 0 ||
        name_to_text(cp->issuer ? cp->issuer->subject : cp->subject, &issuer, err) != 0)
        return -1;
    spki_text(cp->spki, key);
    buf_addf(&line, "certificate %s", hex);
    if (!buf_str(&subject) || !buf_str(&issuer) || !buf_str(&line))
        return err_nomem(err);
    return plan_note(p, step, (char *)line.p,
        json_pack("{s:s,s:s,s:s,s:s,s:I,s:s,s:s,s:s,s:s}", "what", "certificate", "subject", subject.p,
            "issuer", issuer.p, "profile", cp->profile->name, "days", (json_int_t)days, "key", key,
            "key_usage", ext_ku_text(profile_key_usage(cp->profile, cp->spki->kind), usage),
            "extended_key_usage", ext_eku_text(cp->profile->eku, eku), "template", hex),
        err);
}

static int make_cert(struct plan *p, const struct step *step, const struct plan_cert *c, struct buf *tbs,
    struct p11ca_err *err)
{
    struct cert_plan cp = {
        .profile = c->profile,
        .subject = c->subject,
        .spki = c->spki,
        .ocsp_url = c->signer ? c->signer->conf->ocsp_url : NULL,
        .ca_issuers_url = c->signer ? c->signer->conf->ca_issuers_url : NULL,
        .issuer = c->signer ? c->signer->issuer : NULL,
    };
    unsigned days = step->args.days ? (unsigned)step->args.days : c->profile->days;

    stand_in_serial(&cp);
    if (c->signer)
        cp.crl_url = authority_crl_url(c->signer->conf, cp.serial, cp.serial_len);
    if (profile_check_key(c->profile, c->spki, err) != 0 ||
        weak_list_check(p->home->weak_keys, c->spki, err) != 0 ||
        profile_check_subject(c->profile, c->subject, NULL, err) != 0 ||
        cert_plan_validity(&cp, p->now, days, err) != 0 || build(&cp, c, tbs, err) != 0)
        return -1;
    return note_cert(p, step, &cp, days, err);
}

int plan_cert(struct plan *p, const struct step *step, const struct plan_cert *c, struct issuer **ret,
    struct p11ca_err *err)
{
    AUTO_BUF tbs = BUF_INIT;
    struct p11ca_err why;

    if (c->signer && !c->signer->issuer)
        return script_err(p->script, step, err,
            "authority '%s': no CA certificate: none is installed, no earlier step installs one",
            c->signer->conf->name);
    if (make_cert(p, step, c, &tbs, &why) != 0)
        return script_err(p->script, step, err, "%s", why.msg);
    if (!ret || !c->profile->is_ca)
        return 0;
    return stand_in_issuer(der_buf(&tbs), c->signer ? &c->signer->issuer->spki : c->spki, ret, err);
}

static int crl_days(const struct plan *p, const struct step *step, int64_t *ret, struct p11ca_err *err)
{
    *ret = (int64_t)step->args.days * PROFILE_DAY;
    return step->args.days > 0 ? 0
                               : script_err(p->script, step, err,
                                     "days: RFC 5280 5.1.2.5: want at least 1, have %d", step->args.days);
}

/* later: of one that is signed ahead, so much */
static int lint_crl(
    const struct plan *p, const struct planned *signer, int64_t later, int64_t life, struct p11ca_err *err)
{
    const struct crl_plan plan = {.issuer = signer->issuer,
        .number = 1,
        .this_update = p->now + later,
        .next_update = p->now + later + life};
    AUTO_BUF tbs = BUF_INIT;

    if (crl_tbs_build(&plan, &tbs, err) != 0)
        return -1;
    return crl_tbs_lint(der_buf(&tbs), signer->issuer, err);
}

static int crl_slots(const struct plan *p, const struct step *step, struct p11ca_err *err)
{
    int slots = step->args.slots, every = step->args.every;

    if (!slots && !every)
        return 0;
    if (slots < 1 || slots > CRL_SLOTS)
        return script_err(p->script, step, err, "slots: want 1 to %d, have %d", CRL_SLOTS, slots);
    if (every >= 1 && every <= step->args.days)
        return 0;
    return script_err(p->script, step, err,
        "every: want 1 to %d days, so that no list ends before the next begins, have %d", step->args.days,
        every);
}

int plan_crl(struct plan *p, const struct step *step, const struct planned *signer, struct p11ca_err *err)
{
    AUTO_BUF tbs = BUF_INIT, subject = BUF_INIT, line = BUF_INIT;
    struct crl_plan template = {.number = 1};
    char hex[TRANSCRIPT_HEX];
    struct p11ca_err why;
    struct issuer issuer;
    int64_t life, later;
    json_t *show;

    if (!signer->issuer)
        return script_err(p->script, step, err,
            "authority '%s': no CA certificate: none is installed, no earlier step installs one",
            signer->conf->name);
    if (crl_days(p, step, &life, err) != 0 || crl_slots(p, step, err) != 0)
        return -1;
    later = (int64_t)step->args.slots * step->args.every * PROFILE_DAY;
    if (lint_crl(p, signer, 0, life, &why) != 0 || lint_crl(p, signer, later, life, &why) != 0)
        return script_err(p->script, step, err, "%s", why.msg);
    issuer = keyless(signer->issuer);
    template.issuer = &issuer;
    template.next_update = life;
    if (crl_tbs_build(&template, &tbs, err) != 0 || digest(&tbs, hex, err) != 0 ||
        name_to_text(issuer.subject, &subject, err) != 0)
        return -1;
    buf_addf(&line, "crl %s", hex);
    if (step->args.slots)
        buf_addf(&line, " slots %d every %d", step->args.slots, step->args.every);
    if (!buf_str(&line) || !buf_str(&subject))
        return err_nomem(err);
    show = json_pack("{s:s,s:s,s:I,s:s}", "what", "CRL", "issuer", subject.p, "days",
        (json_int_t)step->args.days, "template", hex);
    if (step->args.slots && show)
        json_object_update_new(
            show, json_pack("{s:i,s:i}", "slots", step->args.slots, "every", step->args.every));
    return plan_note(p, step, (char *)line.p, show, err);
}

int plan_note(struct plan *p, const struct step *step, const char *line, json_t *show, struct p11ca_err *err)
{
    AUTO_JSON row = json_pack("{s:I,s:s}", "step", (json_int_t)step->number, "kind", step->args.action);
    AUTO_JSON hold = show;

    buf_addf(&p->text, "step %zu %s %s\n", step->number, step->args.action, line);
    if (!buf_ok(&p->text) || !row || !show || json_object_update(row, show) != 0 ||
        json_array_append(p->steps, row) != 0)
        return err_nomem(err);
    return 0;
}
