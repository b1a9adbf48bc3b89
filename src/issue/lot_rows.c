#include "issue/lot_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

int lot_rows_profile(const struct p11ca_home *home, const struct authority_conf *authority, const char *name,
    const struct profile **ret, struct p11ca_err *err)
{
    const struct profile *p;

    if (authority_profile(home, authority, name, &p, err) != 0)
        return -1;
    /* A CA is made one at a time, with people watching. */
    if (p->is_ca)
        return err_set(err, P11CA_REFUSED, "PROFILE_NOT_ALLOWED",
            "profile '%s': want one for end entities: CA certificates are no matter of lots", name);
    *ret = p;
    return 0;
}

/* A word that is no profile is a fault of the row, not of the command line. */
static int row_profile(
    const struct lot_rows *rows, const char *name, const struct profile **ret, struct p11ca_err *err)
{
    *ret = rows->profile;
    if (name && rows->one_profile && strcmp(name, rows->profile->name) != 0)
        return err_set(err, P11CA_REFUSED, "PROFILE_NOT_ALLOWED",
            "profile '%s': want '%s', the one that stations are served", name, rows->profile->name);
    if (!name || lot_rows_profile(rows->home, rows->authority, name, ret, err) == 0)
        return 0;
    err->kind = P11CA_REFUSED;
    return -1;
}

/* Of the text before load() takes it to pieces, and of the file it names. */
static int digest_text(const struct lot_row *in, uint8_t ret[SHA256_LEN], struct p11ca_err *err)
{
    return hash_sha256(in->text.p, in->text.len, ret) == 0 ? 0 : err_nomem(err);
}

static int digest_content(
    uint8_t text[SHA256_LEN], const struct buf *material, uint8_t ret[LOT_HASH], struct p11ca_err *err)
{
    uint8_t both[2 * SHA256_LEN];

    memcpy(both, text, SHA256_LEN);
    if (hash_sha256(material->p, material->len, both + SHA256_LEN) != 0 ||
        hash_sha256(both, sizeof(both), text) != 0)
        return err_nomem(err);
    memcpy(ret, text, LOT_HASH);
    return 0;
}

int lot_rows_load(const struct lot_rows *rows, struct flow_row *row, struct p11ca_err *err)
{
    uint8_t text[SHA256_LEN];
    struct p11ca_err ignored;
    int rc;

    if (digest_text(&row->in, text, err) != 0)
        return -1;
    rc = lot_input_load(rows->input, &row->in, err);
    return digest_content(text, &row->in.material, row->content, rc == 0 ? err : &ignored) == 0 ? rc : -1;
}

void lot_rows_name(const struct lot_rows *rows, const struct flow_row *row, char dst[LOT_NAME])
{
    bool named = rows->input && lot_input_has_names(rows->input);

    if (!named && row->job.device[0])
        snprintf(dst, LOT_NAME, "%s", row->job.device);
    else if (rows->input)
        lot_input_stem(rows->input, row->in.index, dst);
    else
        text_hex_lower(row->job.request_sha256, LOT_HASH, dst);
}

/* One file for all is nobody's own, and appears at the end. */
static int set_path(const struct lot_rows *rows, struct flow_row *row, struct p11ca_err *err)
{
    char name[LOT_NAME];

    if (!rows->output || !lot_output_is_files(rows->output))
        return 0;
    lot_rows_name(rows, row, name);
    row->path = lot_output_path(rows->output, name);
    if (!row->path)
        return err_nomem(err);
    row->job.in.output = row->path;
    row->in_the_way = file_exists(row->path);
    return 0;
}

static struct der bytes_of(const struct buf *b)
{
    return DER_OF(b->p ? b->p : (const uint8_t *)"", b->len);
}

int lot_rows_make(const struct lot_rows *rows, struct flow_row *row, bool verified)
{
    const struct lot_row *r = &row->in;
    struct job_input in = {.verified = verified};
    struct job *job = &row->job;

    if (row_profile(rows, r->m.profile, &in.profile, &job->err) != 0)
        return -1;
    in.device = r->m.id;
    in.subject = r->m.subject;
    in.days = r->m.days;
    in.sans = r->m.sans.n ? &r->m.sans : NULL;
    in.fields = r->m.fields;
    in.n_fields = r->m.n_fields;
    *(r->is_key ? &in.pubkey : &in.csr) = bytes_of(&r->material);
    return job_prepare(job, &in, &row->ctx) == 0 ? set_path(rows, row, &job->err) : -1;
}

void lot_rows_check_output(const struct lot_rows *rows, struct flow_row *row, struct ledger *l)
{
    struct job *job = &row->job;
    struct der cert = {NULL, 0};

    if (!row->in_the_way || pipeline_look(l, job, &row->ctx) != 0)
        return;
    if (job->state == JOB_ISSUED)
        cert = der_buf(&job->cert);
    if (lot_output_check(rows->output, row->path, cert, &job->err) != 0)
        (void)job_fail(job);
}
