#include "issue/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "x509/name.h"
#include "x509/template.h"

int job_fail(struct job *job)
{
    job->state = JOB_FAILED;
    return -1;
}

void job_move(struct job *to, struct job *from)
{
    *to = *from;
    to->plan.spki = &to->spki;
    to->plan.sans = to->sans.n ? &to->sans : NULL;
    memset(from, 0, sizeof(*from));
}

void job_done(struct job *job)
{
    buf_done(&job->subject);
    buf_done(&job->subject_text);
    buf_done(&job->sans_text);
    buf_done(&job->notes);
    buf_done(&job->exts);
    buf_done(&job->tbs);
    buf_done(&job->sig);
    buf_done(&job->cert);
    san_list_done(&job->sans);
}

/* Device IDs become file names and URIs. */
static int set_device(struct job *job, const char *id, const char *from)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t len = strlen(id);

    if (len == 0 || len >= sizeof(job->device) || strspn(id, set) != len || id[0] == '.' || id[0] == '-')
        return err_set(&job->err, P11CA_REFUSED, "DEVICE_ID_SYNTAX",
            "%s '%s': want 1 to 64 of A-Z a-z 0-9 . _ -, no leading dot or dash%s", from, id,
            strcmp(from, "device ID") == 0 ? "" : "; give a device ID (--id)");
    memcpy(job->device, id, len + 1);
    return 0;
}

/* An attribute of the subject as text; empty when there is none, or it holds what no ID holds. */
static void subject_attr(struct der name, enum name_attr attr, char *dst, size_t size)
{
    struct der value;

    dst[0] = '\0';
    if (name_get(name, attr, &value) == 1 && value.len < size && !memchr(value.p, '\0', value.len)) {
        memcpy(dst, value.p, value.len);
        dst[value.len] = '\0';
    }
}

static int subject_from_text(struct job *job, const char *dn)
{
    if (name_from_text(dn, &job->subject, &job->err) != 0)
        return err_prefix(&job->err, "subject");
    return 0;
}

/* A request that names another device is not for this one: by its CN, and without CN by its serialNumber. */
static int subject_from_csr(struct job *job, const struct csr *csr)
{
    const char *attr = "CN";
    char has[256];

    subject_attr(csr->subject, NAME_CN, has, sizeof(has));
    if (!has[0]) {
        attr = "serialNumber";
        subject_attr(csr->subject, NAME_SERIAL, has, sizeof(has));
    }
    if (job->in.device && has[0] && strcmp(has, job->in.device) != 0)
        return err_set(&job->err, P11CA_REFUSED, "SUBJECT_MISMATCH",
            "device ID '%s': the request's subject says %s '%s' (give --subject to decide)", job->in.device,
            attr, has);
    buf_add(&job->subject, csr->subject.p, csr->subject.len);
    return 0;
}

/* Nobody said a subject: the device ID, or the first host name. */
static int subject_made(struct job *job)
{
    char dn[192] = "";
    size_t i;

    if (job->in.device && strchr(job->in.device, '_')) /* not in a PrintableString, which serialNumber is */
        snprintf(dn, sizeof(dn), "CN=%s", job->in.device);
    else if (job->in.device)
        snprintf(dn, sizeof(dn), "CN=%s,serialNumber=%s", job->in.device, job->in.device);
    for (i = 0; i < job->sans.n && !dn[0]; i++) {
        if (job->sans.v[i].type == SAN_DNS && strlen(job->sans.v[i].text) <= 64)
            snprintf(dn, sizeof(dn), "CN=%s", job->sans.v[i].text);
    }
    return subject_from_text(job, dn);
}

/* {id} is the device ID, all others are the order's fields. */
static const char *job_field(void *arg, const char *name, size_t len)
{
    const struct job_input *in = arg;
    size_t i;

    if (len == 2 && memcmp(name, "id", 2) == 0)
        return in->device;
    for (i = 0; i < in->n_fields; i++) {
        if (strlen(in->fields[i].name) == len && memcmp(in->fields[i].name, name, len) == 0)
            return in->fields[i].value;
    }
    return NULL;
}

static struct template_source template_source(struct job *job, const struct csr *csr)
{
    return (struct template_source){
        .field = job_field,
        .arg = &job->in,
        .given = job->in.sans,
        .csr_subject = csr ? csr->subject : DER_OF(NULL, 0),
        .csr_names = csr ? &csr->sans : NULL,
    };
}

static int subject_from_template(struct job *job, const struct csr *csr)
{
    const struct template_source src = template_source(job, csr);

    if (job->in.subject)
        return err_set(&job->err, P11CA_REFUSED, "SUBJECT_TEMPLATE",
            "profile '%s': subject: want none from the order, the profile makes it, have '%s'",
            job->in.profile->name, job->in.subject);
    return template_subject(job->in.profile, &src, &job->subject, &job->err);
}

static int set_subject(struct job *job, const struct csr *csr)
{
    if (job->in.profile->n_subject_slots)
        return subject_from_template(job, csr);
    if (job->in.subject_der.p) {
        buf_add(&job->subject, job->in.subject_der.p, job->in.subject_der.len);
        return 0;
    }
    if (job->in.subject)
        return subject_from_text(job, job->in.subject);
    if (csr && !name_is_empty(csr->subject))
        return subject_from_csr(job, csr);
    return subject_made(job);
}

static int set_sans(struct job *job, const struct csr *csr)
{
    const struct san_list *from = job->in.sans ? job->in.sans : csr ? &csr->sans : NULL;
    const struct template_source src = template_source(job, csr);

    if (job->in.profile->n_san_slots)
        return template_sans(job->in.profile, &src, &job->sans, &job->err);
    return from ? san_copy(from, &job->sans, &job->err) : 0;
}

/* A device always has an ID: given, or its CN. One without any name gets the authority's URI with the ID behind. */
static int set_device_names(struct job *job, const struct job_ctx *ctx)
{
    char cn[256], uri[512];

    if (!job->in.profile->device)
        return 0;
    if (!job->device[0]) {
        subject_attr(der_buf(&job->subject), NAME_CN, cn, sizeof(cn));
        if (set_device(job, cn, "subject CN") != 0)
            return -1;
    }
    if (job->sans.n || !job->in.profile->san_required || job->in.profile->n_san_slots)
        return 0;
    snprintf(uri, sizeof(uri), "%.400s%s", ctx->authority->device_uri, job->device);
    return san_add(&job->sans, SAN_URI, uri, &job->err);
}

/* What comes from outside is checked for weakness where it is read. */
static int read_key(struct job *job, struct csr *csr)
{
    unsigned flags = (job->in.profile->is_ca ? CSR_FOR_CA : 0u) | (job->in.verified ? CSR_VERIFIED : 0u) |
                     (job->in.subject || job->in.sans || job->in.device || job->in.profile->n_subject_slots ||
                                 job->in.profile->n_san_slots
                             ? CSR_NAMES_GIVEN
                             : 0u);

    if (job->in.csr.p) {
        if (csr_read(job->in.csr.p, job->in.csr.len, flags, csr, &job->err) != 0)
            return -1;
        job->spki = csr->spki;
        buf_adds(&job->notes, csr->notes.p ? (char *)csr->notes.p : "");
        return 0;
    }
    if (job->in.pubkey.p)
        return spki_read_file(job->in.pubkey.p, job->in.pubkey.len, &job->spki, &job->err);
    job->spki = *job->in.spki;
    return spki_check_weak(&job->spki, &job->err);
}

static void add_field(struct buf *b, const void *p, size_t len)
{
    uint8_t n[4] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len};

    buf_add(b, n, sizeof(n));
    buf_add(b, p, len);
}

/* What a ceremony's step says instead of the profile: another certificate than the profile's own. */
static void add_changes(struct buf *b, const struct job_ctx *ctx, const struct profile *p)
{
    const struct profile *named = profiles_find(ctx->home->profiles, p->name);
    char text[96];

    if (named && p->pathlen == named->pathlen && p->key_usage == named->key_usage && p->eku == named->eku)
        return;
    snprintf(text, sizeof(text), "path-length %d key-usage %x extended-key-usage %x", p->pathlen,
        p->key_usage, p->eku);
    add_field(b, text, strlen(text));
}

/* What was ordered: the same order has the same digest, whenever it is given. */
static int digest_order(struct job *job, const struct job_ctx *ctx)
{
    AUTO_BUF b = BUF_INIT;
    char days[16];

    snprintf(days, sizeof(days), "%u", job->in.days);
    add_field(&b, ctx->authority->name, strlen(ctx->authority->name));
    add_field(&b, job->in.profile->name, strlen(job->in.profile->name));
    add_field(&b, job->device, strlen(job->device));
    add_field(&b, days, strlen(days));
    add_field(&b, job->subject.p, job->subject.len);
    add_field(&b, job->sans_text.p, job->sans_text.len);
    add_field(&b, job->spki.der, job->spki.len);
    add_changes(&b, ctx, job->in.profile);
    /* One's own profile may say something else tomorrow, under the same name. */
    if (!job->in.profile->builtin)
        add_field(&b, job->in.profile->sha256, SHA256_LEN);
    if (job->exts.len)
        add_field(&b, job->exts.p, job->exts.len);
    /* The next certificate for the same names and key is another order than the last. */
    if (ctx->renewal) {
        add_field(&b, "renews", 6);
        add_field(&b, ctx->renewal->serial, ctx->renewal->serial_len);
    }
    if (!buf_ok(&b) || hash_sha256(b.p, b.len, job->request_sha256) != 0)
        return err_nomem(&job->err);
    return spki_sha256(&job->spki, job->spki_sha256, &job->err);
}

static int check_profile(struct job *job, const struct job_ctx *ctx)
{
    const struct profile *p = job->in.profile;

    if (profile_check_key(p, &job->spki, &job->err) != 0 ||
        profile_check_sans(p, &job->sans, &job->err) != 0 ||
        profile_check_subject(p, der_buf(&job->subject), &job->sans, &job->err) != 0)
        return -1;
    return weak_list_check(ctx->home->weak_keys, &job->spki, &job->err);
}

static int set_names(struct job *job, const struct csr *csr, const struct job_ctx *ctx)
{
    const struct template_source src = template_source(job, csr);

    if (job->in.device && set_device(job, job->in.device, "device ID") != 0)
        return -1;
    if (set_sans(job, csr) != 0 || set_subject(job, csr) != 0 || set_device_names(job, ctx) != 0 ||
        template_exts(job->in.profile, &src, &job->exts, &job->err) != 0 ||
        name_to_text(der_buf(&job->subject), &job->subject_text, &job->err) != 0)
        return -1;
    san_to_text(&job->sans, &job->sans_text);
    if (!buf_ok(&job->subject) || !buf_str(&job->subject_text) || !buf_str(&job->sans_text) ||
        !buf_str(&job->notes))
        return err_nomem(&job->err);
    return 0;
}

static int set_validity(
    struct cert_plan *plan, const struct job *job, const struct job_ctx *ctx, struct p11ca_err *err)
{
    if (!job->in.throwaway)
        return cert_plan_validity(plan, ctx->now, job->in.days, err);
    plan->not_before = plan->not_after = ctx->issuer->not_before;
    return 0;
}

int job_build(struct job *job, const struct job_ctx *ctx, struct blob serial)
{
    struct cert_plan *plan = &job->plan;

    if (serial.p && serial.len <= sizeof(plan->serial)) {
        memcpy(plan->serial, serial.p, serial.len);
        plan->serial_len = serial.len;
    } else if (serial_draw(plan->serial, &job->err) == 0) {
        plan->serial_len = sizeof(plan->serial);
    } else {
        return job_fail(job);
    }
    plan->crl_url = authority_crl_url(ctx->authority, plan->serial, plan->serial_len);
    buf_reset(&job->tbs);
    if (set_validity(plan, job, ctx, &job->err) != 0 || tbs_build(plan, &job->tbs, &job->err) != 0 ||
        tbs_lint(der_buf(&job->tbs), plan->profile, plan->issuer, &job->err) != 0)
        return job_fail(job);
    if (hash_sha256(job->tbs.p, job->tbs.len, job->tbs_sha256) != 0) {
        err_nomem(&job->err);
        return job_fail(job);
    }
    return 0;
}

int job_prepare(struct job *job, const struct job_input *in, const struct job_ctx *ctx)
{
    AUTO_CSR csr = CSR_INIT;
    const struct csr *evidence = in->csr.p ? &csr : NULL;

    memset(job, 0, sizeof(*job));
    job->in = *in;
    if (read_key(job, &csr) != 0 || set_names(job, evidence, ctx) != 0 ||
        lot_ticket_fits(ctx->ticket, in->profile, job->device, &job->err) != 0 ||
        check_profile(job, ctx) != 0 || digest_order(job, ctx) != 0)
        return job_fail(job);
    job->plan = (struct cert_plan){
        .profile = in->profile,
        .subject = der_buf(&job->subject),
        .spki = &job->spki,
        .sans = job->sans.n ? &job->sans : NULL,
        .ocsp_url = ctx->authority->ocsp_url,
        .ca_issuers_url = ctx->authority->ca_issuers_url,
        .slot_exts = der_buf(&job->exts),
        .issuer = ctx->issuer,
    };
    return job_build(job, ctx, (struct blob){NULL, 0});
}
