/* The step that signs a lot ticket: how many certificates an authority elsewhere may issue, to which devices, until when. */
#include <p11ca/issue.h>
#include <stdio.h>
#include <string.h>

#include "base/scope.h"
#include "base/text.h"
#include "ceremony/run.h"
#include "ceremony/steps.h"
#include "issue/authority.h"
#include "issue/ticket.h"
#include "x509/pem.h"

static const struct conf_field sign_ticket_fields[] = {STEP_COMMON, STEP_SIGNING,
    STEP_STR("authority", true, authority), STEP_STR("for", true, subject_of), STEP_STR("id", true, id),
    STEP_STR("profile", true, profile), STEP_STR("sku", true, sku), STEP_INT("count", true, count),
    STEP_STR("ids", true, ids), STEP_STR("not-before", false, not_before), STEP_INT("days", true, days),
    STEP_STR("file", true, file)};

static int copy(char *dst, size_t size, const char *what, const char *value, struct p11ca_err *err)
{
    if (strlen(value) < size) {
        memcpy(dst, value, strlen(value) + 1);
        return 0;
    }
    return err_set(
        err, P11CA_CONFIG, "CONFIG", "%s: want at most %zu octets, have %zu", what, size - 1, strlen(value));
}

static int fill_times(const struct step_args *a, int64_t now, struct ticket *ret, struct p11ca_err *err)
{
    ret->not_before = now;
    if (a->not_before && ticket_time(a->not_before, &ret->not_before) != 0)
        return err_set(err, P11CA_CONFIG, "CONFIG",
            "not-before: want a time like 2026-11-21T00:00:00Z, have '%s'", a->not_before);
    if (a->days < 1 || a->days > 36525)
        return err_set(err, P11CA_CONFIG, "CONFIG", "days: want 1 to 36525, have %d", a->days);
    ret->not_after = ret->not_before + (int64_t)a->days * PROFILE_DAY - 1;
    return 0;
}

/* What the script says, from this moment on when it does not say from when. */
static int fill(const struct step *step, const struct spki *issuer, int64_t now, struct ticket *ret,
    struct p11ca_err *err)
{
    const struct step_args *a = &step->args;

    *ret = (struct ticket){.count = a->count};
    if (copy(ret->id, sizeof(ret->id), "id", a->id, err) != 0 ||
        copy(ret->issuer, sizeof(ret->issuer), "for", a->subject_of, err) != 0 ||
        copy(ret->profile, sizeof(ret->profile), "profile", a->profile, err) != 0 ||
        copy(ret->sku, sizeof(ret->sku), "sku", a->sku, err) != 0 ||
        copy(ret->ids, sizeof(ret->ids), "ids", a->ids, err) != 0 || fill_times(a, now, ret, err) != 0)
        return -1;
    if (issuer && spki_sha256(issuer, ret->issuer_sha256, err) != 0)
        return -1;
    return ticket_check(ret, err);
}

/* --- check --- */

/* What the issuing side would refuse anyway is refused here, while the signer can still put it right. */
static int check_profile(
    struct plan *plan, const struct step *step, const struct planned *child, struct p11ca_err *err)
{
    const struct profile *p = profiles_find(plan->home->profiles, step->args.profile);
    size_t i;

    for (i = 0; p && i < child->conf->issues.n; i++) {
        if (strcmp(child->conf->issues.v[i], p->name) == 0 && !p->is_ca)
            return 0;
    }
    if (p && p->is_ca)
        return script_err(plan->script, step, err, "profile '%s': want one for end entities", p->name);
    return script_err(plan->script, step, err,
        "authority '%s' may not issue profile '%s' (issues in p11ca.conf)", child->conf->name,
        step->args.profile);
}

static int check_child(struct plan *plan, const struct step *step, const struct planned *a,
    const struct planned *child, struct p11ca_err *err)
{
    const char *from = child->conf->ticket_from;

    if (!from || strcmp(from, a->conf->name) != 0)
        return script_err(plan->script, step, err, "authority '%s': its tickets are signed by '%s', not '%s'",
            child->conf->name, from ? from : "(nobody)", a->conf->name);
    if (!child->has_key)
        return script_err(plan->script, step, err,
            "authority '%s': no key: none is recorded (p11ca install), no earlier step generates one",
            child->conf->name);
    return check_profile(plan, step, child, err);
}

/* The same before and after the key exists: a time that is not said, and the key, are stand-ins. */
static int note(struct plan *plan, const struct step *step, const struct ticket *t, struct p11ca_err *err)
{
    struct ticket template = *t;
    char hex[TRANSCRIPT_HEX], line[96];
    uint8_t sha256[SHA256_LEN];
    AUTO_BUF text = BUF_INIT;

    memset(template.issuer_sha256, 0, sizeof(template.issuer_sha256));
    if (!step->args.not_before) {
        template.not_after -= template.not_before;
        template.not_before = 0;
    }
    ticket_add_text(&template, &text);
    if (!buf_ok(&text) || hash_sha256(text.p, text.len, sha256) != 0)
        return err_nomem(err);
    text_hex_lower(sha256, sizeof(sha256), hex);
    snprintf(line, sizeof(line), "ticket %s", hex);
    return plan_note(plan, step, line,
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:s,s:s?,s:I,s:s}", "what", "lot ticket", "number", t->id,
            "authority", t->issuer, "profile", t->profile, "sku", t->sku, "count", (json_int_t)t->count,
            "ids", t->ids, "not_before", step->args.not_before, "days", (json_int_t)step->args.days,
            "template", hex),
        err);
}

static int sign_ticket_check(struct plan *plan, const struct step *step, struct p11ca_err *err)
{
    struct planned *a, *child;
    struct p11ca_err why;
    struct ticket t;

    if (plan_signer(plan, step, step->args.authority, &a, err) != 0 ||
        plan_authority(plan, step, step->args.subject_of, &child, err) != 0 ||
        check_child(plan, step, a, child, err) != 0)
        return -1;
    if (!a->issuer)
        return script_err(plan->script, step, err,
            "authority '%s': no CA certificate: none is installed, no earlier step installs one",
            a->conf->name);
    if (fill(step, &child->spki, plan->now, &t, &why) != 0)
        return script_err(plan->script, step, err, "%s", why.msg);
    if (t.not_after < plan->now && !plan->lenient)
        return script_err(plan->script, step, err, "days: the ticket has ended before it is signed");
    if (note(plan, step, &t, err) != 0 || plan_writes(plan, step, step->args.file, err) != 0)
        return -1;
    return plan_writes_beside(plan, step, step->args.file, ".p7s", err);
}

static void sign_ticket_describe(const struct step *step, struct buf *ret)
{
    const struct step_args *a = &step->args;

    buf_addf(ret,
        "Sign lot ticket '%s' with authority '%s': authority '%s' may issue %d certificates of profile '%s' "
        "to "
        "%s (%s), for %d days from %s; to %s",
        a->id, a->authority, a->subject_of, a->count, a->profile, a->ids, a->sku, a->days,
        a->not_before ? a->not_before : "now on", a->file);
}

/* --- run --- */

/* The key that the ticket names: of the home's ledger, like everything that is signed. */
static int issuer_key(struct run *run, const char *name, struct spki *ret, struct p11ca_err *err)
{
    AUTO_LEDGER l = NULL;
    AUTO_RECORD record = NULL;

    if (home_ledger_read(run->home, &l, err) != 0 || ledger_get_authority(l, name, &record, err) != 0)
        return -1;
    if (!record)
        return err_set(
            err, P11CA_LEDGER, "AUTHORITY_UNKNOWN", "authority '%s': not recorded in the ledger", name);
    return spki_read(record->spki.p, record->spki.len, ret, err);
}

/* Line by line, before anybody is asked. */
static int show(const struct run *run, const struct ticket *t, struct p11ca_err *err)
{
    AUTO_BUF text = BUF_INIT;
    char *rest, *line;

    ticket_add_text(t, &text);
    rest = buf_str(&text);
    if (!rest)
        return err_nomem(err);
    while ((line = strsep(&rest, "\n")) && *line)
        run_say(run, "  %s", line);
    return 0;
}

/* Whoever has only the folder can check the signature: with the key that the result names. */
static int keep_signer(struct run *run, const struct step *step, const struct spki *signer, json_t *result,
    struct p11ca_err *err)
{
    char file[96], hex[TRANSCRIPT_HEX];
    uint8_t sha256[SHA256_LEN];
    AUTO_BUF pem = BUF_INIT;

    pem_encode(PEM_PUBKEY, spki_der(signer), &pem);
    if (!buf_ok(&pem) || spki_sha256(signer, sha256, err) != 0)
        return err_nomem(err);
    text_hex_lower(sha256, sizeof(sha256), hex);
    snprintf(file, sizeof(file), "%.64s.pub", step->args.authority);
    if (json_object_set_new(result, "signer", json_string(hex)) != 0)
        return err_nomem(err);
    return run_keep_bytes(run, file, pem.p, pem.len, err);
}

static int keep(struct run *run, const char *file, struct p11ca_err *err)
{
    AUTO_STR beside = ticket_signature_path(file);

    if (!beside)
        return err_nomem(err);
    return run_keep(run, file, err) != 0 ? -1 : run_keep(run, beside, err);
}

static int sign_ticket_run(struct run *run, const struct step *step, json_t *result, struct p11ca_err *err)
{
    const struct signing_hooks hooks = run_hooks(run);
    AUTO_STR path = run_path(run, step->args.file);
    struct ticket_signed done;
    struct spki issuer;
    struct ticket t;

    if (!path)
        return err_nomem(err);
    if (issuer_key(run, step->args.subject_of, &issuer, err) != 0 ||
        fill(step, &issuer, run_time(run), &t, err) != 0 || show(run, &t, err) != 0 ||
        lot_ticket_sign(run->home, step->args.authority, &t, path, &hooks, &done, err) != 0)
        return -1;
    if (json_object_set_new(result, "outcome", json_string(done.again ? "reused" : "new")) != 0 ||
        json_object_set_new(result, "ticket", json_string(done.sha256)) != 0)
        return err_nomem(err);
    return keep_signer(run, step, &done.signer, result, err) != 0 ? -1 : keep(run, step->args.file, err);
}

const struct step_kind steps_ticket[] = {
    STEP_KIND(
        "sign-ticket", sign_ticket, "The ticket is what was agreed, line by line, and it is signed", NULL),
    {.name = NULL},
};
