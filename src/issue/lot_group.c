#include "issue/lot_group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "base/pool.h"
#include "issue/pipeline.h"
#include "issue/publish.h"

int group_read(struct group *g, size_t n, struct p11ca_err *err)
{
    int rc = 1;

    while (g->n < n && rc == 1) {
        rc = lot_input_next(g->input, &g->row[g->n], err);
        g->n += rc == 1;
    }
    return rc < 0 ? -1 : 0;
}

int group_find_profile(
    const struct group *g, const char *name, const struct profile **ret, struct p11ca_err *err)
{
    const struct profile *p;

    if (authority_profile(g->ctx.home, g->ctx.authority, name, &p, err) != 0)
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
    const struct group *g, const char *name, const struct profile **ret, struct p11ca_err *err)
{
    *ret = g->profile;
    if (!name || group_find_profile(g, name, ret, err) == 0)
        return 0;
    err->kind = P11CA_REFUSED;
    return -1;
}

/* Of the text before load() takes it to pieces, and of the file it names. */
static int digest_text(const struct lot_row *row, uint8_t ret[SHA256_LEN], struct p11ca_err *err)
{
    return hash_sha256(row->text.p, row->text.len, ret) == 0 ? 0 : err_nomem(err);
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

static int load(struct group *g, size_t i, struct p11ca_err *err)
{
    uint8_t text[SHA256_LEN];
    struct p11ca_err ignored;
    int rc;

    if (digest_text(&g->row[i], text, err) != 0)
        return -1;
    rc = lot_input_load(g->input, &g->row[i], err);
    return digest_content(text, &g->row[i].material, g->content[i], rc == 0 ? err : &ignored) == 0 ? rc : -1;
}

static char *output_path(const struct group *g, size_t i)
{
    char stem[LOT_NAME], file[LOT_NAME + 8];

    lot_input_stem(g->input, g->row[i].index, stem);
    /* A directory's certificates are called like its requests; others like their devices. */
    snprintf(file, sizeof(file), "%s.crt", !g->input->names && g->job[i].device[0] ? g->job[i].device : stem);
    return path_join(g->order->output, file);
}

static struct der bytes_of(const struct buf *b)
{
    return DER_OF(b->p ? b->p : (const uint8_t *)"", b->len);
}

static int prepare(struct group *g, size_t i)
{
    struct job *job = &g->job[i];
    struct lot_row *row = &g->row[i];
    struct job_input in = {.profile = g->profile};

    if (load(g, i, &job->err) != 0 || row_profile(g, row->m.profile, &in.profile, &job->err) != 0)
        return -1;
    in.device = row->m.id;
    in.subject = row->m.subject;
    in.days = row->m.days;
    in.sans = row->m.sans.n ? &row->m.sans : NULL;
    in.fields = row->m.fields;
    in.n_fields = row->m.n_fields;
    *(row->is_key ? &in.pubkey : &in.csr) = bytes_of(&row->material);
    if (job_prepare(job, &in, &g->ctx) != 0)
        return -1;
    g->path[i] = output_path(g, i);
    job->in.output = g->path[i];
    return g->path[i] ? 0 : err_nomem(&job->err);
}

static void prepare_one(void *arg, size_t i)
{
    struct group *g = arg;

    memset(&g->job[i], 0, sizeof(g->job[i]));
    g->job[i].in.profile = g->profile;
    if (prepare(g, i) != 0)
        (void)job_fail(&g->job[i]);
}

/* An output that is somebody else's stops its row before a serial is taken. */
static void look(struct group *g)
{
    bool output_is_there = file_exists(g->order->output);
    size_t i;

    for (i = 0; i < g->n; i++) {
        struct job *job = &g->job[i];

        if (job->state == JOB_FAILED || pipeline_look(g->ledger, job, &g->ctx) != 0)
            continue;
        /* A dry run does not make the directory: then nothing can be in the way. */
        if (output_is_there && publish_check(job, g->path[i], false, &job->err) != 0)
            (void)job_fail(job);
    }
}

void group_judge(struct group *g)
{
    size_t i;

    for (i = 0; i < g->n; i++)
        g->list[i] = &g->job[i];
    pool_run(g->jobs, g->n, prepare_one, g);
    look(g);
}

const char *group_profile(const struct group *g, size_t i)
{
    return g->row[i].m.profile ? g->row[i].m.profile : g->profile->name;
}

bool group_is_over(const struct job *job)
{
    if (job->state != JOB_FAILED || job->err.kind == P11CA_REFUSED)
        return false;
    return job->err.kind != P11CA_FILE || strcmp(job->err.code, "DISK") == 0;
}

void group_release(struct group *g)
{
    size_t i;

    for (i = 0; i < g->n; i++) {
        free(g->path[i]);
        g->path[i] = NULL;
        job_done(&g->job[i]);
        memset(&g->job[i], 0, sizeof(g->job[i]));
        lot_row_done(&g->row[i]);
    }
    g->first += g->n;
    g->n = 0;
}
