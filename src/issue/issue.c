/* One certificate: p11ca_issue() and p11ca_self_sign(). */
#include <p11ca/issue.h>

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/text.h"
#include "issue/ca.h"
#include "issue/order.h"
#include "issue/pipeline.h"
#include "issue/publish.h"
#include "issue/record.h"
#include "issue/reject.h"
#include "x509/key.h"
#include "x509/template.h"

SCOPE_DEFINE(pkey, EVP_PKEY *, EVP_PKEY_free)

/* The files and words of an order, read; the input points into it. */
struct material {
    const struct order_extra *extra;
    struct buf csr, pubkey;
    struct san_list sans;
    EVP_PKEY *new_key;
    struct spki new_spki;
    bool key_is_there; /* left by an interrupted run */
    struct lot_ticket ticket;
    struct job_input input;
};

static void material_done(struct material *m)
{
    buf_done(&m->csr);
    buf_done(&m->pubkey);
    san_list_done(&m->sans);
    EVP_PKEY_free(m->new_key);
    lot_ticket_done(&m->ticket);
}

static bool field_name_ok(const char *name)
{
    return name[0] && strlen(name) <= 32 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(name);
}

/* A field that fills nothing was meant for something; a manifest's columns may be for others to read. */
static int check_fields(const struct p11ca_order *o, const struct profile *p, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < o->n_fields; i++) {
        if (!field_name_ok(o->fields[i].name) || strcmp(o->fields[i].name, "id") == 0)
            return err_set(err, P11CA_USAGE, "FIELD_SYNTAX",
                "field '%s': want a name of a-z 0-9 _ -, and the device ID as --id", o->fields[i].name);
        if (!template_uses(p, o->fields[i].name))
            return err_set(err, P11CA_REFUSED, "FIELD_UNKNOWN",
                "profile '%s': want fields of its templates, have '%s'", p->name, o->fields[i].name);
    }
    return 0;
}

static int check_order(const struct p11ca_home *home, const struct p11ca_order *o,
    const struct authority_conf *a, const struct order_extra *extra, const struct profile **ret,
    struct p11ca_err *err)
{
    if ((o->csr != NULL) + (o->pubkey != NULL) + (o->new_key != NULL) + (extra->spki != NULL) != 1)
        return err_set(err, P11CA_USAGE, "ORDER", "want exactly one of --csr, --pubkey and --new-key");
    if (o->new_key && path_same(o->new_key, o->output))
        return err_set(
            err, P11CA_USAGE, "ORDER", "%s: want the key and the certificate in two files", o->output);
    if (authority_profile(home, a, o->profile, ret, err) != 0)
        return -1;
    if ((*ret)->cross && !extra->spki)
        return err_set(err, P11CA_REFUSED, "PROFILE_NOT_ALLOWED",
            "profile '%s': want a ceremony's cross-sign step: name and key come from the crossed certificate",
            o->profile);
    if (extra->profile)
        *ret = extra->profile;
    return check_fields(o, *ret, err);
}

static const enum san_type san_types[] = {
    [P11CA_SAN_DNS] = SAN_DNS,
    [P11CA_SAN_IP] = SAN_IP,
    [P11CA_SAN_URI] = SAN_URI,
    [P11CA_SAN_EMAIL] = SAN_EMAIL,
    [P11CA_SAN_HW] = SAN_HW,
    [P11CA_SAN_PERMID] = SAN_PERMID,
    [P11CA_SAN_UPN] = SAN_UPN,
    [P11CA_SAN_SMTPUTF8] = SAN_SMTPUTF8,
    [P11CA_SAN_SRV] = SAN_SRV,
    [P11CA_SAN_FASCN] = SAN_FASCN,
    [P11CA_SAN_RID] = SAN_RID,
    [P11CA_SAN_DIRNAME] = SAN_DIRNAME,
};

static void san_kinds(struct buf *ret)
{
    enum san_type type;

    for (type = 0; type < SAN_TYPES; type++)
        buf_addf(ret, "%s%s", type ? ", " : "", san_type_name(type));
}

int p11ca_name_parse(const char *text, struct p11ca_name *ret, struct p11ca_err *err)
{
    const char *colon = strchr(text, ':');
    enum san_type type = colon ? san_type_find(text, (size_t)(colon - text)) : SAN_TYPES;
    AUTO_BUF kinds = BUF_INIT;
    enum p11ca_san kind = P11CA_SAN_DNS;

    if (type == SAN_TYPES) {
        san_kinds(&kinds);
        return err_set(err, P11CA_USAGE, "SAN_KIND", "'%.300s': want KIND:NAME, KIND one of %s", text,
            buf_str(&kinds) ? (char *)kinds.p : "");
    }
    while (san_types[kind] != type)
        kind++;
    *ret = (struct p11ca_name){kind, colon + 1};
    return 0;
}

static int read_sans(struct material *m, const struct p11ca_order *o, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < o->n_sans; i++) {
        if (san_add(&m->sans, san_types[o->sans[i].type], o->sans[i].text, err) != 0)
            return -1;
    }
    m->input.sans = m->extra->sans ? m->extra->sans : o->n_sans ? &m->sans : NULL;
    return 0;
}

/*
 * The key is written once its serial is reserved, so a file that is there is somebody's - unless the ledger has an
 * unfinished order for just this key, which the caller finds out.
 */
static int make_key(struct material *m, const struct p11ca_order *o, struct p11ca_err *err)
{
    AUTO_BUF pem = BUF_INIT;

    if (file_exists(o->new_key)) {
        m->key_is_there = true;
        if (file_read_private(o->new_key, LIMIT_KEY, &pem, err) != 0 ||
            key_from_pem(pem.p, pem.len, &m->new_key, err) != 0)
            return err_set(
                err, P11CA_FILE, "OUTPUT_EXISTS", "%s: exists, nothing is overwritten", o->new_key);
    } else if (file_check_new(o->new_key, err) != 0 || key_new(KEY_P256, 0, &m->new_key, err) != 0) {
        return -1;
    }
    if (spki_of_key(m->new_key, &m->new_spki, err) != 0)
        return -1;
    m->input.spki = &m->new_spki;
    return 0;
}

static int read_material(struct material *m, const struct p11ca_order *o, struct p11ca_err *err)
{
    m->input.device = o->id;
    m->input.subject = o->subject;
    m->input.fields = o->fields;
    m->input.n_fields = o->n_fields;
    m->input.days = o->days;
    m->input.output = o->force ? NULL : o->output;
    m->input.subject_der = m->extra->subject;
    m->input.spki = m->extra->spki;
    if (read_sans(m, o, err) != 0)
        return -1;
    if (m->extra->spki)
        return 0;
    if (o->new_key)
        return make_key(m, o, err);
    if (m->extra->csr.p) {
        m->input.csr = m->extra->csr;
    } else if (o->csr) {
        if (file_read(o->csr, LIMIT_CSR, &m->csr, err) != 0)
            return -1;
        m->input.csr = DER_OF(m->csr.p ? m->csr.p : (const uint8_t *)"", m->csr.len);
    } else {
        if (file_read(o->pubkey, LIMIT_KEY, &m->pubkey, err) != 0)
            return -1;
        m->input.pubkey = DER_OF(m->pubkey.p ? m->pubkey.p : (const uint8_t *)"", m->pubkey.len);
    }
    return 0;
}

static int write_key(const struct material *m, const char *path, struct p11ca_err *err)
{
    AUTO_SECRET pem = SECRET_INIT;

    if (!m->new_key || m->key_is_there)
        return 0;
    if (key_to_pem(m->new_key, &pem, err) != 0)
        return -1;
    return file_write(path, FILE_NEW, 0600, pem.p, pem.len, err);
}

/* The serial is reserved, the bytes are final. What is not approved leaves a reserved serial and an event. */
static int approve(struct ledger *l, struct job *job, const struct job_ctx *ctx,
    const struct signing_hooks *hooks, struct p11ca_err *err)
{
    struct signing s = {.what = "certificate", .authority = ctx->authority->name, .tbs = der_buf(&job->tbs)};
    struct p11ca_err why;

    if (!hooks || !hooks->approve)
        return 0;
    memcpy(s.tbs_sha256, job->tbs_sha256, sizeof(s.tbs_sha256));
    text_hex(job->plan.serial, job->plan.serial_len, s.number);
    if (hooks->approve(hooks->arg, &s, err) == 0)
        return 0;
    job->err = *err;
    (void)job_fail(job);
    if (pipeline_record_alone(l, job, ctx, &why) != 0)
        *err = why;
    return -1;
}

static int sign(struct ledger *l, struct job *job, const struct job_ctx *ctx, const struct authority *a,
    const struct material *m, const struct p11ca_order *o, struct p11ca_err *err)
{
    struct pipeline_signer signer;
    char serial[41];

    if (pipeline_reserve_alone(l, job, ctx, err) != 0)
        return -1;
    if (job->state == JOB_FAILED) {
        *err = job->err;
        return -1;
    }
    text_hex(job->plan.serial, job->plan.serial_len, serial);
    home_detail(ctx->home, "serial %s reserved by '%s'", serial, ctx->authority->name);
    if ((o->new_key && write_key(m, o->new_key, err) != 0) || approve(l, job, ctx, m->extra->hooks, err) != 0)
        return -1;
    if (pipeline_signer(&signer, a, ctx->issuer, 1, err) != 0)
        return -1;
    pipeline_sign(job, &signer);
    pipeline_verify(&job, 1, &signer);
    pipeline_signer_done(&signer);
    if (pipeline_record_alone(l, job, ctx, err) != 0)
        return -1;
    if (job->state == JOB_FAILED) {
        *err = job->err;
        return -1;
    }
    home_detail(ctx->home, "serial %s signed, verified and in the ledger", serial);
    return 0;
}

static int sign_and_publish(struct ledger *l, struct job *job, const struct job_ctx *ctx,
    const struct authority *given, const struct material *m, const struct p11ca_order *o,
    struct p11ca_err *err)
{
    AUTO_AUTHORITY opened = {0};

    if (publish_check(job, o->output, o->force, err) != 0)
        return -1;
    if (m->key_is_there && job->state == JOB_NEW)
        return err_set(err, P11CA_FILE, "OUTPUT_EXISTS", "%s: exists, nothing is overwritten", o->new_key);
    if (job->state != JOB_ISSUED) {
        if (!given && authority_open(&opened, ctx->home, l, ctx->authority, err) != 0)
            return -1;
        if (sign(l, job, ctx, given ? given : &opened, m, o, err) != 0)
            return -1;
    }
    if (publish_cert(l, job, o->output, o->force, err) != 0)
        return -1;
    home_detail(ctx->home, "published as %s", o->output);
    return 0;
}

static void fill_issued(struct p11ca_issued *ret, const struct job *job)
{
    uint8_t sha256[SHA256_LEN];

    memset(ret, 0, sizeof(*ret));
    ret->outcome = job->outcome;
    text_hex(job->plan.serial, job->plan.serial_len, ret->serial);
    if (hash_sha256(job->cert.p, job->cert.len, sha256) == 0)
        text_hex(sha256, sizeof(sha256), ret->sha256);
    snprintf(ret->notes, sizeof(ret->notes), "%s", job->notes.p ? (char *)job->notes.p : "");
}

static int show_record(
    struct ledger *l, const struct job *job, p11ca_record_fn *fn, void *arg, struct p11ca_err *err)
{
    AUTO_LEDGER_CERT c = NULL;
    struct record_view v;
    uint8_t sha256[SHA256_LEN];

    if (!fn)
        return 0;
    if (hash_sha256(job->cert.p, job->cert.len, sha256) != 0)
        return err_nomem(err);
    if (ledger_find_cert(l, (struct blob){job->plan.serial, job->plan.serial_len}, sha256, &c, err) != 0)
        return -1;
    if (c) {
        record_view(&v, c);
        fn(arg, &v.record);
    }
    return 0;
}

/* The ledger's own trouble must not hide the reason. */
static void note_reject(struct ledger *l, const struct p11ca_order *o, const struct p11ca_err *why)
{
    struct p11ca_err ignored;

    if (!l || why->kind != P11CA_REFUSED || ledger_begin(l, &ignored) != 0)
        return;
    if (reject_note(l, o->authority, o->profile, why, &ignored) != 0 || ledger_commit(l, &ignored) != 0)
        ledger_rollback(l);
}

static const char *source_of(const struct p11ca_order *o)
{
    return o->csr ? o->csr : o->pubkey ? o->pubkey : o->new_key ? o->new_key : o->profile;
}

/* A request for an authority's certificate may have been exchanged on its way. */
static int check_key_of(
    struct ledger *l, const struct p11ca_order *o, const struct job *job, struct p11ca_err *err)
{
    AUTO_RECORD record = NULL;

    if (!o->key_of)
        return 0;
    if (ledger_get_authority(l, o->key_of, &record, err) != 0)
        return -1;
    if (!record ||
        (record->spki.len == job->spki.len && memcmp(record->spki.p, job->spki.der, job->spki.len) == 0))
        return 0;
    return err_set(err, P11CA_REFUSED, "KEY_MISMATCH",
        "%s: public key: want the one recorded for authority '%s', have another", source_of(o), o->key_of);
}

/* What a ceremony signs, people have looked at. */
static int open_ticket(struct ledger *l, const struct p11ca_order *o, struct job_ctx *ctx, struct material *m,
    struct p11ca_err *err)
{
    const struct ticket_demand d = {
        .authority = ctx->authority, .profile = m->input.profile, .path = o->ticket, .now = ctx->now};

    if (m->extra->hooks)
        return 0;
    if (lot_ticket_open(&m->ticket, ctx->home, l, &d, err) != 0)
        return -1;
    ctx->ticket = m->ticket.text.p ? &m->ticket : NULL;
    return 0;
}

static int issue(struct ledger *l, const struct p11ca_order *o, struct job *job, struct job_ctx *ctx,
    struct material *m, struct p11ca_err *err)
{
    AUTO_ISSUER issuer = NULL;

    if (check_order(ctx->home, o, ctx->authority, m->extra, &m->input.profile, err) != 0 ||
        open_ticket(l, o, ctx, m, err) != 0 || read_material(m, o, err) != 0)
        return -1;
    if (authority_need_issuer(ctx->home, l, ctx->authority, &issuer, err) != 0)
        return -1;
    ctx->issuer = issuer;
    if (job_prepare(job, &m->input, ctx) != 0 || renew_check_job(job, ctx) != 0 ||
        pipeline_look(l, job, ctx) != 0) {
        *err = job->err;
        return err_prefix(err, "%s", source_of(o));
    }
    if (check_key_of(l, o, job, err) != 0)
        return -1;
    return sign_and_publish(l, job, ctx, NULL, m, o, err);
}

static int64_t order_now(const struct p11ca_home *home, const struct order_extra *extra)
{
    return extra->hooks && extra->hooks->at ? extra->hooks->at : home_now(home);
}

static const struct order_extra nothing_extra = {.profile = NULL};

int p11ca_issue(struct p11ca_home *home, const struct p11ca_order *o, struct p11ca_issued *ret,
    p11ca_record_fn *fn, void *arg, struct p11ca_err *err)
{
    return order_issue(home, o, &nothing_extra, ret, fn, arg, err);
}

int order_issue(struct p11ca_home *home, const struct p11ca_order *o, const struct order_extra *extra,
    struct p11ca_issued *ret, p11ca_record_fn *fn, void *arg, struct p11ca_err *err)
{
    struct job_ctx ctx = {
        .home = home, .now = order_now(home, extra), .reissue = o->reissue, .renewal = extra->renewal};
    __attribute__((cleanup(material_done))) struct material m = {.extra = extra};
    AUTO_LEDGER l = NULL;
    AUTO_JOB job = {0};

    if (home_authority(home, o->authority, &ctx.authority, err) != 0 || home_ledger_write(home, &l, err) != 0)
        return -1;
    if (issue(l, o, &job, &ctx, &m, err) != 0) {
        note_reject(l, o, err);
        return -1;
    }
    fill_issued(ret, &job);
    return show_record(l, &job, fn, arg, err);
}

int p11ca_self_sign(
    struct p11ca_home *home, const char *authority, struct p11ca_issued *ret, struct p11ca_err *err)
{
    return order_self_sign(home, authority, 0, &nothing_extra, ret, err);
}

/* One certificate for good: another needs another authority. */
static int check_has_none(const struct authority *a, const struct job *job, struct p11ca_err *err)
{
    if (!a->record || !a->record->cert.p || job->state == JOB_ISSUED)
        return 0;
    return err_set(err, P11CA_LEDGER, "AUTHORITY_HAS_CERT", "authority '%s': has a CA certificate already",
        a->conf->name);
}

static int sign_itself(struct ledger *l, struct job *job, struct job_ctx *ctx, const struct authority *a,
    const struct p11ca_order *o, const struct material *m, struct p11ca_err *err)
{
    if (job_prepare(job, &m->input, ctx) != 0 || pipeline_look(l, job, ctx) != 0) {
        *err = job->err;
        return err_prefix(err, "authority '%s'", o->authority);
    }
    if (check_has_none(a, job, err) != 0 || sign_and_publish(l, job, ctx, a, m, o, err) != 0)
        return -1;
    return ca_install(l, ctx->authority, der_buf(&job->cert), err);
}

static int self_sign(struct ledger *l, struct job *job, struct job_ctx *ctx, const struct p11ca_order *o,
    struct material *m, struct p11ca_err *err)
{
    AUTO_AUTHORITY a = {0};
    int rc;

    if (authority_open(&a, ctx->home, l, ctx->authority, err) != 0 || authority_record(&a, l, err) != 0)
        return -1;
    m->input.spki = &a.spki;
    rc = sign_itself(l, job, ctx, &a, o, m, err);
    m->input.spki = NULL;
    return rc;
}

int order_self_sign(struct p11ca_home *home, const char *authority, unsigned days,
    const struct order_extra *extra, struct p11ca_issued *ret, struct p11ca_err *err)
{
    struct job_ctx ctx = {.home = home, .now = order_now(home, extra)};
    struct p11ca_order o = {.authority = authority};
    struct material m = {.extra = extra};
    AUTO_LEDGER l = NULL;
    AUTO_JOB job = {0};
    AUTO_STR path = NULL;

    if (home_authority(home, authority, &ctx.authority, err) != 0)
        return -1;
    if (!ctx.authority->profile->self_signed)
        return err_set(err, P11CA_USAGE, "PROFILE", "authority '%s': profile '%s' is not self-signed",
            authority, ctx.authority->profile->name);
    path = home_cert_path(home, authority);
    if (!path)
        return err_nomem(err);
    o.profile = ctx.authority->profile->name;
    o.output = path;
    m.input = (struct job_input){
        .profile = extra->profile ? extra->profile : ctx.authority->profile,
        .subject = ctx.authority->subject,
        .days = days,
    };
    if (home_ledger_write(home, &l, err) != 0 || self_sign(l, &job, &ctx, &o, &m, err) != 0)
        return -1;
    if (ret)
        fill_issued(ret, &job);
    return 0;
}
