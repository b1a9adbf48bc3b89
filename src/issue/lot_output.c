#include "issue/lot_output.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/scope.h"
#include "base/text.h"
#include "issue/publish.h"
#include "x509/cert.h"
#include "x509/pem.h"

static const char chain_name[] = "chain.pem";

struct lot_format {
    const char *ending; /* of files in a directory; NULL: one file */
    bool der;           /* not PEM */
    bool chain;         /* stands beside the certificates */
    int (*begin)(struct lot_output *out, struct p11ca_err *err);
    int (*add)(struct lot_output *out, const char *name, struct der cert, const struct buf *text,
        struct p11ca_err *err);
    int (*end)(struct lot_output *out, struct p11ca_err *err);
};

/* --- a directory --- */

static char *chain_path(const struct lot_output *out)
{
    return path_join(out->path, chain_name);
}

static bool is_chain(const struct lot_output *out, const char *path)
{
    AUTO_BUF have = BUF_INIT;
    struct p11ca_err ignored;

    return file_read(path, out->chain->len, &have, &ignored) == 0 &&
           der_equal(der_buf(&have), der_buf(out->chain));
}

/* That of another authority stays, and then its certificates cannot be told from ours. */
static int check_chain(const struct lot_output *out, struct p11ca_err *err)
{
    AUTO_STR path = chain_path(out);

    if (!path)
        return err_nomem(err);
    if (!out->chain->len || !file_exists(path) || is_chain(out, path))
        return 0;
    return err_set(
        err, P11CA_FILE, "OUTPUT_EXISTS", "%s: exists, and is the chain of another authority", path);
}

static int dir_begin(struct lot_output *out, struct p11ca_err *err)
{
    return file_mkdir(out->path, 0755, err);
}

static int dir_end(struct lot_output *out, struct p11ca_err *err)
{
    AUTO_STR path = chain_path(out);

    if (!path)
        return err_nomem(err);
    if (out->chain->len && !is_chain(out, path) &&
        file_write(path, FILE_NEW, 0644, out->chain->p, out->chain->len, err) != 0)
        return -1;
    return file_sync_dir(out->path, err);
}

/* The first octet of the name's digest; as many certificates in each folder, whatever the names have in common. */
static int shard_of(const char *name, uint8_t *ret)
{
    uint8_t digest[SHA256_LEN];

    if (hash_sha256(name, strlen(name), digest) != 0)
        return -1;
    *ret = digest[0];
    return 0;
}

static int make_shard(struct lot_output *out, const char *name, struct p11ca_err *err)
{
    AUTO_STR path = NULL;
    uint8_t shard;

    if (!out->sharded)
        return 0;
    if (shard_of(name, &shard) != 0)
        return err_nomem(err);
    if (out->shards[shard])
        return 0;
    path = asprintf(&path, "%s/%02x", out->path, shard) < 0 ? NULL : path;
    if (!path)
        return err_nomem(err);
    if (file_mkdir(path, 0755, err) != 0)
        return -1;
    out->shards[shard] = true;
    return 0;
}

/* --- a bundle --- */

static int out_begin(struct lot_output *out, struct p11ca_err *err)
{
    return file_out_begin_again(&out->out, out->path, 0644, err);
}

static int bundle_add(
    struct lot_output *out, const char *name, struct der cert, const struct buf *text, struct p11ca_err *err)
{
    (void)name, (void)cert;
    return file_out_add(&out->out, text->p, text->len, err);
}

static int bundle_end(struct lot_output *out, struct p11ca_err *err)
{
    return file_out_end(&out->out, err);
}

/* --- an archive --- */

/* What went wrong with the file, else with the archive. */
static int tar_failed(const struct lot_output *out, struct p11ca_err *err)
{
    const char *why = out->tar ? archive_error_string(out->tar) : NULL;

    if (out->err.kind == P11CA_OK)
        return err_set(err, P11CA_BUG, "TAR", "%s: %s", out->path, why ? why : "libarchive");
    *err = out->err;
    return -1;
}

static la_ssize_t tar_write(struct archive *tar, void *arg, const void *p, size_t len)
{
    struct lot_output *out = arg;

    (void)tar;
    return file_out_add(&out->out, p, len, &out->err) == 0 ? (la_ssize_t)len : -1;
}

static int tar_begin(struct lot_output *out, struct p11ca_err *err)
{
    if (out_begin(out, err) != 0)
        return -1;
    out->tar = archive_write_new();
    /* Names go in as they are, whatever the locale; long ones, too. */
    if (!out->tar || archive_write_set_format_gnutar(out->tar) != ARCHIVE_OK ||
        archive_write_open(out->tar, out, NULL, tar_write, NULL) != ARCHIVE_OK)
        return tar_failed(out, err);
    return 0;
}

/* The same certificates make the same archive, whoever runs this, and when. */
static void fill_header(struct archive_entry *e, const char *name, int64_t mtime, size_t len)
{
    archive_entry_set_pathname(e, name);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, 0644);
    archive_entry_set_uid(e, 0);
    archive_entry_set_gid(e, 0);
    archive_entry_set_uname(e, "root");
    archive_entry_set_gname(e, "root");
    archive_entry_set_mtime(e, mtime, 0);
    archive_entry_set_size(e, (la_int64_t)len);
}

static int add_member(
    struct lot_output *out, const char *name, int64_t mtime, const struct buf *b, struct p11ca_err *err)
{
    struct archive_entry *e = archive_entry_new();
    bool ok;

    if (!e)
        return err_nomem(err);
    fill_header(e, name, mtime, b->len);
    ok = archive_write_header(out->tar, e) == ARCHIVE_OK &&
         archive_write_data(out->tar, b->p, b->len) == (la_ssize_t)b->len;
    archive_entry_free(e);
    return ok ? 0 : tar_failed(out, err);
}

/* Its notBefore: the time of a file that says when it was made. 0 for what cannot be read. */
static int64_t time_of(struct der cert)
{
    struct p11ca_err ignored;
    struct der seq, tbs;
    struct tbs t;

    if (der_next(&cert, DER_SEQUENCE, &seq) != 0 || der_next_tlv(&seq, DER_SEQUENCE, &tbs) != 0 ||
        tbs_read(tbs, &t, &ignored) != 0)
        return 0;
    return t.not_before > 0 ? t.not_before : 0;
}

static int tar_add(
    struct lot_output *out, const char *name, struct der cert, const struct buf *text, struct p11ca_err *err)
{
    AUTO_STR member = NULL;

    if (asprintf(&member, "%s.crt", name) < 0) {
        member = NULL;
        return err_nomem(err);
    }
    return add_member(out, member, time_of(cert), text, err);
}

static int tar_end(struct lot_output *out, struct p11ca_err *err)
{
    if (out->chain->len && add_member(out, chain_name, 0, out->chain, err) != 0)
        return -1;
    if (archive_write_close(out->tar) != ARCHIVE_OK)
        return tar_failed(out, err);
    return file_out_end(&out->out, err);
}

/* --- all of them --- */

static const struct lot_format formats[] = {
    [P11CA_LOT_PEM] = {".crt", false, true, dir_begin, NULL, dir_end},
    [P11CA_LOT_DER] = {".der", true, true, dir_begin, NULL, dir_end},
    [P11CA_LOT_BUNDLE] = {NULL, false, false, out_begin, bundle_add, bundle_end},
    [P11CA_LOT_TAR] = {NULL, false, true, tar_begin, tar_add, tar_end},
};

int lot_output_open(struct lot_output *ret, const struct p11ca_lot *order, size_t rows,
    const struct buf *chain, struct p11ca_err *err)
{
    struct lot_output out = {.format = &formats[order->format], .path = order->output, .chain = chain};

    out.sharded = out.format->ending && rows > LOT_FLAT;
    out.out.fd = -1;
    if (out.format->ending && (file_check_dir(out.path, err) != 0 || check_chain(&out, err) != 0))
        return -1;
    /* One that is there may be this lot's: told by the end, or when there is something new for it. */
    if (!out.format->ending && !file_exists(out.path) && file_check_new(out.path, err) != 0)
        return -1;
    *ret = out;
    return 0;
}

bool lot_output_is_files(const struct lot_output *out)
{
    return out->format->ending != NULL;
}

char *lot_output_path(const struct lot_output *out, const char *name)
{
    uint8_t shard = 0;
    char *path;
    int n;

    if (!out->format->ending)
        return strdup(out->path);
    if (out->sharded && shard_of(name, &shard) != 0)
        return NULL;
    n = out->sharded ? asprintf(&path, "%s/%02x/%s%s", out->path, shard, name, out->format->ending)
                     : asprintf(&path, "%s/%s%s", out->path, name, out->format->ending);
    return n < 0 ? NULL : path;
}

static bool is_cert(const struct lot_output *out, const char *path, struct der cert)
{
    AUTO_BUF have = BUF_INIT;
    struct p11ca_err ignored;

    if (!out->format->der)
        return publish_is(path, cert);
    return cert.len && file_read(path, LIMIT_CERT, &have, &ignored) == 0 && der_equal(der_buf(&have), cert);
}

int lot_output_check(const struct lot_output *out, const char *path, struct der cert, struct p11ca_err *err)
{
    if (!out->format->ending || !file_exists(path) || is_cert(out, path, cert))
        return 0;
    return err_set(err, P11CA_FILE, "OUTPUT_EXISTS", "%s: exists, nothing is overwritten", path);
}

/* What is there and is another is found out by the flush, for this one alone. */
static int add_file(struct lot_output *out, const char *path, struct der cert, const struct buf *text,
    bool again, struct p11ca_err *err)
{
    out->fresh[out->n] = !again || !is_cert(out, path, cert);
    if (!out->fresh[out->n])
        return 0;
    if (out->format->der)
        return file_batch_add(&out->batch, path, 0644, cert.p, cert.len, err);
    return file_batch_add(&out->batch, path, 0644, text->p, text->len, err);
}

static int begin(struct lot_output *out, struct p11ca_err *err)
{
    if (!out->begun && out->format->begin(out, err) != 0)
        return -1;
    out->begun = true;
    return 0;
}

int lot_output_add(struct lot_output *out, const char *path, const char *name, struct der cert, bool again,
    struct p11ca_err *err)
{
    AUTO_BUF pem = BUF_INIT;
    int rc;

    if (out->n == FILE_BATCH)
        return err_set(err, P11CA_BUG, "BATCH", "%s: want at most %d files in a batch", path, FILE_BATCH);
    if (!out->format->der)
        pem_encode(PEM_CERT, cert, &pem);
    if (!buf_ok(&pem))
        return err_nomem(err);
    if (begin(out, err) != 0)
        return -1;
    if (out->format->add)
        rc = out->format->add(out, name, cert, &pem, err);
    else
        rc = make_shard(out, name, err) == 0 ? add_file(out, path, cert, &pem, again, err) : -1;
    out->n += rc == 0;
    return rc;
}

/* The batch knows of the fresh ones alone: from the back, each result moves to where its certificate stands. */
static void spread(const struct lot_output *out, struct p11ca_err *results, size_t fresh)
{
    size_t i;

    for (i = out->n; i-- > 0;) {
        if (!out->fresh[i])
            results[i].kind = P11CA_OK;
        else if (--fresh != i)
            results[i] = results[fresh];
    }
}

int lot_output_flush(struct lot_output *out, struct p11ca_err *results, struct p11ca_err *err)
{
    size_t fresh = out->batch.n;
    int rc = file_batch_end(&out->batch, results, err);

    if (rc == 0)
        spread(out, results, fresh);
    out->n = 0;
    return rc;
}

int lot_output_end(struct lot_output *out, struct p11ca_err *err)
{
    return out->begun ? out->format->end(out, err) : 0;
}

void lot_output_done(struct lot_output *out)
{
    /* What it still writes goes into a file that gets no name. */
    if (out->tar)
        archive_write_free(out->tar);
    file_batch_done(&out->batch);
    file_out_done(&out->out);
    memset(out, 0, sizeof(*out));
}
