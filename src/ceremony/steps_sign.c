/* Steps that sign with a token's key, and what goes with them: certificates taken in and handed out. */
#include <p11ca/issue.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "base/scope.h"
#include "base/text.h"
#include "ceremony/run.h"
#include "ceremony/steps.h"
#include "issue/ca.h"
#include "issue/crl.h"
#include "issue/order.h"
#include "x509/crl.h"
#include "x509/csr.h"
#include "x509/lint.h"
#include "x509/name.h"

/* RFC 5280 4.2.1.9: what the issuer's own profile lets it sign; p11ca.conf has refused the impossible. */
static int may_issue(struct plan *plan, const struct step *step, const struct planned *a, const char *profile,
    struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < a->conf->issues.n; i++) {
        if (strcmp(a->conf->issues.v[i], profile) == 0)
            return 0;
    }
    return script_err(plan->script, step, err,
        "authority '%s' may not issue profile '%s' (issues in p11ca.conf)", a->conf->name, profile);
}

static int plan_subject(
    struct plan *plan, const struct step *step, const char *text, struct buf *ret, struct p11ca_err *err)
{
    struct p11ca_err why;

    if (name_from_text(text, ret, &why) != 0)
        return script_err(plan->script, step, err, "subject: %s", why.msg);
    return 0;
}

/* The certificate of an authority, planned; *slot holds it as an issuer. */
static int plan_ca(struct plan *plan, const struct step *step, struct planned *signer, struct planned *child,
    struct issuer **slot, struct p11ca_err *err)
{
    AUTO_BUF subject = BUF_INIT;
    struct issuer *made = NULL;
    struct profile profile;
    struct plan_cert c = {.profile = &profile, .signer = signer, .spki = &child->spki};

    if (plan_profile(plan, step, child->conf->profile, &profile, err) != 0 ||
        plan_subject(plan, step, child->conf->subject, &subject, err) != 0)
        return -1;
    c.subject = der_buf(&subject);
    if (plan_cert(plan, step, &c, &made, err) != 0)
        return -1;
    issuer_free(*slot);
    *slot = made;
    return 0;
}

static const char *const outcomes[] = {
    [P11CA_NEW] = "new", [P11CA_FINISHED] = "finished", [P11CA_REUSED] = "reused"};

static void put_issued(json_t *result, const struct p11ca_issued *issued)
{
    json_object_set_new(result, "outcome", json_string(outcomes[issued->outcome]));
    json_object_set_new(result, "serial", json_string(issued->serial));
    json_object_set_new(result, "certificate", json_string(issued->sha256));
    if (issued->notes[0])
        json_object_set_new(result, "ignored", json_string(issued->notes));
}

/* What the profile does not want asked is said aloud, and stands in the transcript. */
static int put_skips(const struct run *run, const struct profile *p, json_t *result, struct p11ca_err *err)
{
    json_t *skips;
    size_t i;

    if (p->n_skips == 0)
        return 0;
    skips = json_array();
    for (i = 0; i < p->n_skips; i++) {
        char text[LINT_SKIP_TEXT];

        lint_skip_text(&p->skips[i], text);
        run_say(run, "not checked, profile '%s' says: %s", p->name, text);
        json_array_append_new(skips, json_string(text));
    }
    return json_object_set_new(result, "lint_skips", skips) == 0 ? 0 : err_nomem(err);
}

/* --- self-sign --- */

#define CERT_FIELDS                                                                                          \
    STEP_INT("days", false, days), STEP_INT("path-length", false, path_length),                              \
        STEP_STRS("key-usage", key_usage), STEP_STRS("extended-key-usage", eku)

static const struct conf_field self_sign_fields[] = {
    STEP_COMMON, STEP_SIGNING, STEP_STR("authority", true, authority), CERT_FIELDS};

static int self_sign_check(struct plan *plan, const struct step *step, struct p11ca_err *err)
{
    struct planned *a;

    if (plan_authority(plan, step, step->args.authority, &a, err) != 0)
        return -1;
    if (!a->conf->profile->self_signed)
        return script_err(plan->script, step, err, "authority '%s': profile '%s' is not self-signed",
            a->conf->name, a->conf->profile->name);
    if (plan_signer(plan, step, step->args.authority, &a, err) != 0)
        return -1;
    if (a->issuer && !plan->lenient)
        return script_err(
            plan->script, step, err, "authority '%s': has a CA certificate already", a->conf->name);
    return plan_ca(plan, step, NULL, a, a->issuer ? &a->signed_ : &a->issuer, err);
}

static void self_sign_describe(const struct step *step, struct buf *ret)
{
    buf_addf(
        ret, "Sign the certificate of authority '%s' with its own key, and install it", step->args.authority);
}

static int self_sign_run(struct run *run, const struct step *step, json_t *result, struct p11ca_err *err)
{
    const struct signing_hooks hooks = run_hooks(run);
    struct order_extra extra = {.hooks = &hooks};
    const struct authority_conf *conf;
    struct p11ca_issued issued;
    struct profile profile;
    char file[96];

    if (home_authority(run->home, step->args.authority, &conf, err) != 0 ||
        plan_profile(run->plan, step, conf->profile, &profile, err) != 0)
        return -1;
    extra.profile = &profile;
    if (put_skips(run, &profile, result, err) != 0 ||
        order_self_sign(run->home, conf->name, (unsigned)step->args.days, &extra, &issued, err) != 0)
        return -1;
    put_issued(result, &issued);
    snprintf(file, sizeof(file), "%s.crt", conf->name);
    return run_keep(run, file, err);
}

/* --- request --- */

static const struct conf_field request_fields[] = {
    STEP_COMMON, STEP_STR("authority", true, authority), STEP_STR("file", true, file)};

static int request_check(struct plan *plan, const struct step *step, struct p11ca_err *err)
{
    struct planned *a;

    if (plan_signer(plan, step, step->args.authority, &a, err) != 0)
        return -1;
    return plan_writes(plan, step, step->args.file, err);
}

static void request_describe(const struct step *step, struct buf *ret)
{
    buf_addf(ret, "Write the request of authority '%s', signed by its key, to %s", step->args.authority,
        step->args.file);
}

static int request_run(struct run *run, const struct step *step, json_t *result, struct p11ca_err *err)
{
    AUTO_STR path = run_path(run, step->args.file);

    (void)result;
    if (!path)
        return err_nomem(err);
    if (ca_request(
            run->home, step->args.authority, path, run->again ? CA_REQUEST_AGAIN : CA_REQUEST_NEW, err) != 0)
        return -1;
    return run_keep(run, step->args.file, err);
}

/* --- sign-request --- */

static const struct conf_field sign_request_fields[] = {STEP_COMMON, STEP_SIGNING,
    STEP_STR("authority", true, authority), STEP_STR("for", true, subject_of),
    STEP_STR("request", true, request), STEP_STR("certificate", true, certificate), CERT_FIELDS};

/* A request that is here already is read now: what is wrong with it must not come up with the token in the reader. */
static int take_request(
    struct plan *plan, const struct step *step, struct planned *child, unsigned flags, struct p11ca_err *err)
{
    AUTO_STR path = path_join(plan->home->dir, step->args.request);
    AUTO_BUF file = BUF_INIT;
    AUTO_CSR csr = CSR_INIT;
    struct p11ca_err why;

    if (!path)
        return err_nomem(err);
    if (file_read(path, LIMIT_CSR, &file, &why) != 0 ||
        csr_read(file.p, file.len, flags | CSR_NAMES_GIVEN, &csr, &why) != 0)
        return script_err(plan->script, step, err, "%s: %s", step->args.request, why.msg);
    if (child->has_key && !spki_equal(&child->spki, &csr.spki))
        return script_err(plan->script, step, err,
            "%s: public key: want the one recorded for authority '%s', have another", step->args.request,
            child->conf->name);
    child->spki = csr.spki;
    return plan_request(plan, step, der_buf(&file), err);
}

static int sign_request_check(struct plan *plan, const struct step *step, struct p11ca_err *err)
{
    struct planned *a, *child;
    bool made;

    if (plan_signer(plan, step, step->args.authority, &a, err) != 0 ||
        plan_authority(plan, step, step->args.subject_of, &child, err) != 0 ||
        plan_reads(plan, step, step->args.request, &made, err) != 0)
        return -1;
    if (!child->conf->issuer || strcmp(child->conf->issuer, a->conf->name) != 0)
        return script_err(plan->script, step, err, "authority '%s': its issuer is '%s', not '%s'",
            child->conf->name, child->conf->issuer ? child->conf->issuer : "(none)", a->conf->name);
    if (may_issue(plan, step, a, child->conf->profile->name, err) != 0 ||
        (!made && take_request(plan, step, child, CSR_FOR_CA, err) != 0) ||
        plan_ca(plan, step, a, child, &child->signed_, err) != 0)
        return -1;
    return plan_writes(plan, step, step->args.certificate, err);
}

static void sign_request_describe(const struct step *step, struct buf *ret)
{
    buf_addf(ret, "Sign %s with authority '%s' as the CA certificate of '%s', to %s", step->args.request,
        step->args.authority, step->args.subject_of, step->args.certificate);
}

/* Signs what order says, and keeps request and certificate. */
static int sign_order(struct run *run, const struct step *step, const struct p11ca_order *order,
    const struct order_extra *extra, json_t *result, struct p11ca_err *err)
{
    const struct signing_hooks hooks = run_hooks(run);
    AUTO_STR certificate = run_path(run, step->args.certificate);
    struct p11ca_order o = *order;
    struct order_extra e = *extra;
    struct p11ca_issued issued;

    if (!certificate)
        return err_nomem(err);
    e.hooks = &hooks;
    o.authority = step->args.authority;
    o.days = (unsigned)step->args.days;
    o.output = certificate;
    if ((e.profile && put_skips(run, e.profile, result, err) != 0) ||
        order_issue(run->home, &o, &e, &issued, NULL, NULL, err) != 0)
        return -1;
    put_issued(result, &issued);
    if (issued.outcome != P11CA_NEW && !run->again)
        run_say(
            run, "nothing new was signed: serial %s was issued for this very order before", issued.serial);
    return run_keep(run, step->args.certificate, err);
}

/* A request from elsewhere: the plan says which, and whoever brought it heard its hash where it was made. */
static int read_back_request(struct run *run, const struct step *step, const struct buf *file,
    const uint8_t sha256[SHA256_LEN], json_t *result, struct p11ca_err *err)
{
    const char *want = run->plan->request[step->number - 1];
    char have[TRANSCRIPT_HEX];
    bool asked = false;

    text_hex_lower(sha256, SHA256_LEN, have);
    if (strcmp(want, have) != 0)
        return err_set(err, P11CA_REFUSED, "FILE_CHANGED", "%s: SHA-256: want that of the plan, %s, have %s",
            step->args.request, want, have);
    if (run_read_back(run, step->args.request, sha256, &asked, err) != 0)
        return -1;
    if (json_object_set_new(result, "read_back", json_boolean(asked)) != 0)
        return err_nomem(err);
    return run_keep_bytes(run, step->args.request, file->p, file->len, err);
}

/* Read once: what people saw is what is signed, whatever becomes of the file meanwhile. */
static int read_request(
    struct run *run, const struct step *step, struct buf *ret, json_t *result, struct p11ca_err *err)
{
    uint8_t sha256[SHA256_LEN];

    if (run_take(run, step->args.request, ret, sha256, err) != 0)
        return -1;
    return run->plan->foreign[step->number - 1] ? read_back_request(run, step, ret, sha256, result, err) : 0;
}

static int sign_request_run(struct run *run, const struct step *step, json_t *result, struct p11ca_err *err)
{
    AUTO_STR request = run_path(run, step->args.request);
    AUTO_BUF file = BUF_INIT;
    const struct authority_conf *child;
    struct order_extra extra = {.hooks = NULL};
    struct p11ca_order order = {.csr = request};
    struct profile profile;

    if (!request)
        return err_nomem(err);
    if (home_authority(run->home, step->args.subject_of, &child, err) != 0 ||
        plan_profile(run->plan, step, child->profile, &profile, err) != 0 ||
        read_request(run, step, &file, result, err) != 0)
        return -1;
    extra.profile = &profile;
    extra.csr = der_buf(&file);
    order.profile = child->profile->name;
    order.subject = child->subject;
    order.key_of = child->name;
    return sign_order(run, step, &order, &extra, result, err);
}

/* --- cross-sign --- */

static const struct conf_field cross_sign_fields[] = {STEP_COMMON, STEP_SIGNING,
    STEP_STR("authority", true, authority), STEP_STR("for", true, subject_of),
    STEP_STR("certificate", true, certificate), STEP_STR("subject", false, subject), CERT_FIELDS};

static int text_of(struct der name, struct buf *ret, struct p11ca_err *err)
{
    if (name_to_text(name, ret, err) != 0)
        return -1;
    return buf_str(ret) ? 0 : err_nomem(err);
}

/* BR 7.1.2.2.2: the subject of a cross-certificate is byte for byte that of the certificate it crosses. */
static int check_cross_subject(
    struct plan *plan, const struct step *step, const struct planned *child, struct p11ca_err *err)
{
    const char *const says[] = {child->conf->subject, step->args.subject};
    size_t i;

    for (i = 0; i < 2; i++) {
        AUTO_BUF want = BUF_INIT, have = BUF_INIT;

        if (!says[i])
            continue;
        if (plan_subject(plan, step, says[i], &want, err) != 0)
            return -1;
        if (der_equal(der_buf(&want), child->issuer->subject))
            continue;
        if (text_of(child->issuer->subject, &have, err) != 0)
            return -1;
        return script_err(plan->script, step, err,
            "RFC 4210 4.4, BR 7.1.2.2.2: subject: want that of the CA certificate of '%s', '%s', have '%s'",
            child->conf->name, (char *)have.p, says[i]);
    }
    return 0;
}

/* BR 7.1.2.2.4: without an extended key usage only within one organisation. */
static int check_cross_organisation(struct plan *plan, const struct step *step, const struct planned *a,
    const struct planned *child, const struct profile *profile, struct p11ca_err *err)
{
    struct der ours = {NULL, 0}, theirs = {NULL, 0};
    bool same = name_get(a->issuer->subject, NAME_O, &ours) == 1 &&
                name_get(child->issuer->subject, NAME_O, &theirs) == 1 && der_equal(ours, theirs);

    if (same || profile->eku)
        return 0;
    return script_err(plan->script, step, err,
        "BR 7.1.2.2.4: organisation: '%s' and '%s' are not of one organisation (O): want an "
        "extended-key-usage",
        a->conf->name, child->conf->name);
}

/* What the crossed certificate constrains, the cross-certificate constrains as well. */
static int check_cross_eku(struct plan *plan, const struct step *step, const struct planned *child,
    const struct profile *profile, struct p11ca_err *err)
{
    char want[EXT_TEXT], have[EXT_TEXT];

    if (!child->issuer->has_eku || (profile->eku && !(profile->eku & ~child->issuer->eku)))
        return 0;
    return script_err(plan->script, step, err,
        "RFC 5280 4.2.1.12: extended-key-usage: the CA certificate of '%s' has %s, want no more, have %s",
        child->conf->name, ext_eku_text(child->issuer->eku, want),
        profile->eku ? ext_eku_text(profile->eku, have) : "no limit");
}

/* RFC 5280 4.2.1.2: chains are found by it, and certificates issued already name it. */
static int check_cross_ski(
    struct plan *plan, const struct step *step, const struct planned *child, struct p11ca_err *err)
{
    uint8_t ski[SKI_LEN];

    if (spki_ski(&child->issuer->spki, ski, err) != 0)
        return -1;
    if (child->issuer->ski_len == sizeof(ski) && memcmp(child->issuer->ski, ski, sizeof(ski)) == 0)
        return 0;
    /* A planned certificate has a planned key. */
    return script_err(plan->script, step, err,
        "RFC 5280 4.2.1.2: subjectKeyIdentifier: that of '%s' is not the SHA-1 of its key; a "
        "cross-certificate would "
        "have another",
        child->conf->name);
}

static int cross_profile(
    const struct plan *plan, const struct step *step, struct profile *ret, struct p11ca_err *err)
{
    return plan_profile(plan, step, profile_find("cross-ca"), ret, err);
}

static int cross_sign_check(struct plan *plan, const struct step *step, struct p11ca_err *err)
{
    struct planned *a, *child;
    struct profile profile;
    struct plan_cert c = {.profile = &profile};

    if (plan_signer(plan, step, step->args.authority, &a, err) != 0 ||
        plan_authority(plan, step, step->args.subject_of, &child, err) != 0 ||
        cross_profile(plan, step, &profile, err) != 0)
        return -1;
    if (a == child)
        return script_err(plan->script, step, err, "'%s' cannot cross-sign itself", a->conf->name);
    if (!child->issuer)
        return script_err(plan->script, step, err,
            "authority '%s': no CA certificate: none is installed, no earlier step installs one",
            child->conf->name);
    if (may_issue(plan, step, a, "cross-ca", err) != 0 || check_cross_subject(plan, step, child, err) != 0)
        return -1;
    c.signer = a;
    c.subject = child->issuer->subject;
    c.spki = &child->issuer->spki;
    if (plan_cert(plan, step, &c, NULL, err) != 0 ||
        check_cross_organisation(plan, step, a, child, &profile, err) != 0 ||
        check_cross_eku(plan, step, child, &profile, err) != 0 ||
        check_cross_ski(plan, step, child, err) != 0)
        return -1;
    return plan_writes(plan, step, step->args.certificate, err);
}

static void cross_sign_describe(const struct step *step, struct buf *ret)
{
    buf_addf(ret, "Sign the name and key of authority '%s' with authority '%s' as a cross-certificate, to %s",
        step->args.subject_of, step->args.authority, step->args.certificate);
}

/* Name and key come out of the installed certificate, byte for byte. */
static int cross_sign_run(struct run *run, const struct step *step, json_t *result, struct p11ca_err *err)
{
    const struct authority_conf *child;
    struct profile profile;
    struct order_extra extra = {.profile = &profile};
    struct p11ca_order order = {.profile = "cross-ca"};
    AUTO_ISSUER crossed = NULL;
    AUTO_LEDGER l = NULL;

    if (home_authority(run->home, step->args.subject_of, &child, err) != 0 ||
        cross_profile(run->plan, step, &profile, err) != 0 || home_ledger_read(run->home, &l, err) != 0 ||
        authority_issuer(l, child, &crossed, err) != 0)
        return -1;
    if (!crossed)
        return err_set(
            err, P11CA_CONFIG, "NO_CA_CERT", "authority '%s': no CA certificate installed", child->name);
    extra.subject = crossed->subject;
    extra.spki = &crossed->spki;
    return sign_order(run, step, &order, &extra, result, err);
}

/* --- ocsp-signer --- */

static const struct conf_field ocsp_signer_fields[] = {STEP_COMMON, STEP_SIGNING,
    STEP_STR("authority", true, authority), STEP_STR("request", true, request),
    STEP_STR("subject", true, subject), STEP_STR("certificate", true, certificate),
    STEP_INT("days", false, days)};

static int ocsp_signer_check(struct plan *plan, const struct step *step, struct p11ca_err *err)
{
    const struct profile *profile = profile_find("ocsp-signer");
    AUTO_BUF subject = BUF_INIT;
    struct planned *a, responder = {.conf = NULL};
    struct plan_cert c = {.profile = profile, .spki = &responder.spki};
    bool made;

    if (plan_signer(plan, step, step->args.authority, &a, err) != 0 ||
        plan_reads(plan, step, step->args.request, &made, err) != 0 ||
        may_issue(plan, step, a, "ocsp-signer", err) != 0 ||
        plan_subject(plan, step, step->args.subject, &subject, err) != 0)
        return -1;
    if (made)
        return script_err(plan->script, step, err,
            "'%s' is the request of a CA key: RFC 6960 4.2.2.2: want the responder's own",
            step->args.request);
    c.signer = a;
    c.subject = der_buf(&subject);
    if (take_request(plan, step, &responder, 0, err) != 0 || plan_cert(plan, step, &c, NULL, err) != 0)
        return -1;
    return plan_writes(plan, step, step->args.certificate, err);
}

static void ocsp_signer_describe(const struct step *step, struct buf *ret)
{
    buf_addf(ret, "Sign %s with authority '%s' as the certificate of its OCSP responder, to %s",
        step->args.request, step->args.authority, step->args.certificate);
}

static int ocsp_signer_run(struct run *run, const struct step *step, json_t *result, struct p11ca_err *err)
{
    AUTO_STR request = run_path(run, step->args.request);
    AUTO_BUF file = BUF_INIT;
    struct order_extra extra = {.hooks = NULL};
    struct p11ca_order order = {.profile = "ocsp-signer", .csr = request, .subject = step->args.subject};

    if (!request)
        return err_nomem(err);
    if (read_request(run, step, &file, result, err) != 0)
        return -1;
    extra.csr = der_buf(&file);
    return sign_order(run, step, &order, &extra, result, err);
}

/* --- sign-crl --- */

static const struct conf_field sign_crl_fields[] = {STEP_COMMON, STEP_SIGNING,
    STEP_STR("authority", true, authority), STEP_STR("file", true, file), STEP_INT("days", true, days),
    STEP_INT("slots", false, slots), STEP_INT("every", false, every)};

/* A list that was published before may be replaced: the ledger keeps all of them. */
static bool is_own_crl(const struct p11ca_home *home, const char *name, struct der issuer)
{
    AUTO_STR path = path_join(home->dir, name);
    AUTO_BUF file = BUF_INIT;
    AUTO_CRL crl = CRL_INIT;
    struct p11ca_err ignored;

    return path && file_read(path, LIMIT_ARTEFACT, &file, &ignored) == 0 &&
           crl_read(file.p, file.len, &crl, &ignored) == 0 && der_equal(crl.t.issuer, issuer);
}

static int sign_crl_check(struct plan *plan, const struct step *step, struct p11ca_err *err)
{
    struct planned *a;

    if (plan_signer(plan, step, step->args.authority, &a, err) != 0 || plan_crl(plan, step, a, err) != 0)
        return -1;
    plan->replaces[step->number - 1] = is_own_crl(plan->home, step->args.file, a->issuer->subject);
    return plan_writes(plan, step, step->args.file, err);
}

static void sign_crl_describe(const struct step *step, struct buf *ret)
{
    buf_addf(ret, "Sign the certificate revocation list of authority '%s' for %d days, to %s",
        step->args.authority, step->args.days, step->args.file);
    if (step->args.slots)
        buf_addf(ret, "; and ahead of their time %d more, one every %d days, which lie ready in the ledger",
            step->args.slots, step->args.every);
}

/* Of those that are signed ahead the hashes are here, and nothing else: whoever had one could use it. */
static void put_slot(
    void *arg, int64_t number, int64_t this_update, int64_t next_update, const uint8_t sha256[SHA256_LEN])
{
    char from[TEXT_TIME], to[TEXT_TIME], hex[TRANSCRIPT_HEX];

    text_time(this_update, from);
    text_time(next_update, to);
    text_hex_lower(sha256, SHA256_LEN, hex);
    json_array_append_new(arg, json_pack("{s:I,s:s,s:s,s:s}", "number", (json_int_t)number, "this_update",
                                   from, "next_update", to, "crl", hex));
}

static int put_crl(json_t *result, const struct p11ca_crl *issued, struct p11ca_err *err)
{
    char this_update[TEXT_TIME], next_update[TEXT_TIME];
    AUTO_JSON o = NULL;

    text_time(issued->this_update, this_update);
    text_time(issued->next_update, next_update);
    o = json_pack("{s:s,s:I,s:s,s:s,s:I,s:s}", "outcome", outcomes[issued->outcome], "number",
        (json_int_t)issued->number, "this_update", this_update, "next_update", next_update, "entries",
        (json_int_t)issued->entries, "crl", issued->sha256);
    return o && json_object_update(result, o) == 0 ? 0 : err_nomem(err);
}

static int sign_crl_run(struct run *run, const struct step *step, json_t *result, struct p11ca_err *err)
{
    const struct signing_hooks hooks = run_hooks(run);
    AUTO_STR path = run_path(run, step->args.file);
    AUTO_JSON slots = json_array();
    struct p11ca_crl issued;
    const struct crl_order order = {
        .days = (unsigned)step->args.days,
        .slots = (unsigned)step->args.slots,
        .every = (unsigned)step->args.every,
        .told = put_slot,
        .arg = slots,
        .output = path,
        .force = run->plan->replaces[step->number - 1],
        .hooks = &hooks,
    };

    if (!path || !slots)
        return err_nomem(err);
    if (crl_issue(run->home, step->args.authority, &order, &issued, err) != 0 ||
        put_crl(result, &issued, err) != 0)
        return -1;
    if (step->args.slots &&
        (json_array_size(slots) != (size_t)step->args.slots || json_object_set(result, "slots", slots) != 0))
        return err_nomem(err);
    return run_keep(run, step->args.file, err);
}

/* --- install --- */

static const struct conf_field install_fields[] = {
    STEP_COMMON, STEP_STR("authority", true, authority), STEP_STR("certificate", true, certificate)};

/* A certificate that is here already is read now, as far as that goes without its key. */
static int take_certificate(
    struct plan *plan, const struct step *step, struct planned *a, struct p11ca_err *err)
{
    AUTO_STR path = path_join(plan->home->dir, step->args.certificate);
    AUTO_BUF file = BUF_INIT, want = BUF_INIT;
    struct p11ca_err why;

    if (!path)
        return err_nomem(err);
    if (file_read(path, LIMIT_CERT, &file, &why) != 0 ||
        issuer_read(file.p, file.len, &a->signed_, &why) != 0)
        return script_err(plan->script, step, err, "%s: %s", step->args.certificate, why.msg);
    if (plan_subject(plan, step, a->conf->subject, &want, err) != 0)
        return -1;
    if (!der_equal(der_buf(&want), a->signed_->subject))
        return script_err(
            plan->script, step, err, "%s: subject: want '%s'", step->args.certificate, a->conf->subject);
    if (a->has_key && !spki_equal(&a->spki, &a->signed_->spki))
        return script_err(plan->script, step, err, "%s: public key: want that of authority '%s'",
            step->args.certificate, a->conf->name);
    return 0;
}

static int install_check(struct plan *plan, const struct step *step, struct p11ca_err *err)
{
    struct planned *a;
    bool made;

    if (plan_authority(plan, step, step->args.authority, &a, err) != 0 ||
        plan_reads(plan, step, step->args.certificate, &made, err) != 0 ||
        (!made && !a->issuer && take_certificate(plan, step, a, err) != 0))
        return -1;
    if (a->issuer && !plan->lenient)
        return script_err(
            plan->script, step, err, "authority '%s': has a CA certificate already", a->conf->name);
    if (!a->issuer) {
        a->issuer = a->signed_;
        a->signed_ = NULL;
    }
    if (!a->issuer)
        return script_err(plan->script, step, err, "'%s' is not made for authority '%s'",
            step->args.certificate, a->conf->name);
    return 0;
}

static void install_describe(const struct step *step, struct buf *ret)
{
    buf_addf(ret, "Install %s as the CA certificate of authority '%s', checked against its key",
        step->args.certificate, step->args.authority);
}

static int install_run(struct run *run, const struct step *step, json_t *result, struct p11ca_err *err)
{
    AUTO_STR path = run_path(run, step->args.certificate);
    AUTO_BUF cert = BUF_INIT;
    uint8_t sha256[SHA256_LEN];
    char file[96];

    (void)result;
    if (!path)
        return err_nomem(err);
    if (run_take(run, step->args.certificate, &cert, sha256, err) != 0 ||
        ca_take_in(run->home, step->args.authority, path, der_buf(&cert), err) != 0)
        return -1;
    snprintf(file, sizeof(file), "%s.crt", step->args.authority);
    return run_keep(run, file, err);
}

/* --- export --- */

static const struct conf_field export_fields[] = {STEP_COMMON, STEP_STR("authority", true, authority),
    STEP_STR("file", true, file), STEP_BOOL("chain", chain)};

static int export_check(struct plan *plan, const struct step *step, struct p11ca_err *err)
{
    struct planned *a;

    if (plan_authority(plan, step, step->args.authority, &a, err) != 0)
        return -1;
    if (!a->issuer)
        return script_err(plan->script, step, err,
            "authority '%s': no CA certificate: none is installed, no earlier step installs one",
            a->conf->name);
    return plan_writes(plan, step, step->args.file, err);
}

static void export_describe(const struct step *step, struct buf *ret)
{
    buf_addf(ret, "Write the CA certificate of authority '%s'%s to %s", step->args.authority,
        step->args.chain ? " and those above it" : "", step->args.file);
}

static int export_run(struct run *run, const struct step *step, json_t *result, struct p11ca_err *err)
{
    AUTO_STR path = run_path(run, step->args.file);

    (void)result;
    if (!path)
        return err_nomem(err);
    if (p11ca_export(run->home, step->args.authority, path, step->args.chain, false, err) != 0)
        return -1;
    return run_keep(run, step->args.file, err);
}

const struct step_kind steps_sign[] = {
    STEP_KIND("self-sign", self_sign, "The certificate is signed and verifies under its own key", NULL),
    STEP_KIND("request", request, "The request is written", NULL),
    STEP_KIND("sign-request", sign_request, "The certificate is signed and verifies under its issuer", NULL),
    STEP_KIND("cross-sign", cross_sign, "The certificate is signed and verifies under its issuer", NULL),
    STEP_KIND("ocsp-signer", ocsp_signer, "The certificate is signed and verifies under its issuer", NULL),
    STEP_KIND("sign-crl", sign_crl, "The list is signed, and verifies under its issuer", NULL),
    STEP_KIND("install", install, "The certificate is the authority's", NULL),
    STEP_KIND("export", export, "The file is written", NULL),
    {.name = NULL},
};
