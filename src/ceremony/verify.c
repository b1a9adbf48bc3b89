/* A ceremony's folder, checked from the outside: offline, without a home, nothing written. */
#include "ceremony/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "base/scope.h"
#include "base/text.h"
#include "ceremony/words.h"

bool verify_is_series(const json_t *line)
{
    return strcmp(transcript_str(line, "what"), "CRL series") == 0;
}

size_t verify_number(const json_t *line, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(line, key));

    return n > 0 ? (size_t)n : 0;
}

const char *verify_line(const json_t *line, char dst[FINDING_WHAT])
{
    snprintf(dst, FINDING_WHAT, TRANSCRIPT_FILE ":%zu", verify_number(line, "line"));
    return dst;
}

bool verify_same_version(const struct verify *v)
{
    const json_t *line, *last = v->begin;
    size_t at = 0;

    while ((line = transcript_find(v->lines, &at, "resumed", 0)))
        last = line;
    return strcmp(transcript_str(json_object_get(last, "environment"), "version"), P11CA_VERSION) == 0;
}

/* "DIR/FILE:LINE: what": the folder stands in front of every fault anyway. */
void verify_fault(struct verify *v, const char *code, const char *file, const struct p11ca_err *why)
{
    size_t skip = strlen(v->dir) + 1;
    const char *text = strncmp(why->msg, v->dir, skip - 1) == 0 ? why->msg + skip : why->msg, *sep;
    char what[FINDING_WHAT];

    sep = strncmp(text, file, strlen(file)) == 0 ? strstr(text, ": ") : NULL;
    if (sep && (size_t)(sep - text) < sizeof(what)) {
        snprintf(what, sizeof(what), "%.*s", (int)(sep - text), text);
        finding_bad(&v->f, code, what, "%s", sep + 2);
    } else {
        finding_bad(&v->f, code, file, "%s", text);
    }
}

int verify_read(struct verify *v, const char *name, struct buf *ret)
{
    AUTO_STR path = path_join(v->dir, name);
    struct p11ca_err why;

    if (!path) {
        v->nomem = true;
        return -1;
    }
    if (!file_exists(path)) {
        finding_bad(&v->f, "FILE_MISSING", name, "is missing");
        return -1;
    }
    if (file_read(path, LIMIT_TRANSCRIPT, ret, &why) == 0)
        return 0;
    verify_fault(v, "FILE_BAD", name, &why);
    return -1;
}

bool verify_has_private_key(const struct buf *b)
{
    static const char mark[] = "PRIVATE KEY";

    return b->len && memmem(b->p, b->len, mark, sizeof(mark) - 1);
}

/* --- the transcript --- */

static void read_chain(struct verify *v)
{
    struct p11ca_err why;
    size_t n;

    if (verify_read(v, TRANSCRIPT_FILE, &v->text) != 0)
        return;
    if (verify_has_private_key(&v->text))
        finding_bad(&v->f, "PRIVATE_KEY_SEEN", TRANSCRIPT_FILE, "holds a private key: treat it as disclosed");
    if (transcript_read(v->dir, &v->lines, v->sha256, &why) != 0) {
        verify_fault(v, why.code, TRANSCRIPT_FILE, &why);
        return;
    }
    n = json_array_size(v->lines);
    v->begin = json_array_get(v->lines, 0);
    finding_good(&v->f, TRANSCRIPT_FILE, "%zu lines, each with the hash of the one before", n);
}

static void check_all(struct verify *v)
{
    read_chain(v);
    if (v->lines) {
        verify_script(v);
        verify_lines(v);
    }
    verify_files(v);
    if (v->lines) {
        verify_objects(v);
        verify_approvals(v);
        verify_report(v);
    }
    verify_witnesses(v);
    if (v->lines)
        verify_previous(v);
}

/* --- the answer --- */

static int fill(const struct verify *v, struct p11ca_ceremony *ret, struct p11ca_err *err)
{
    AUTO_BUF words = BUF_INIT;
    uint8_t sha256[SHA256_LEN];

    if (text_unhex(v->sha256, sha256, sizeof(sha256)) != SHA256_LEN)
        return err_set(err, P11CA_BUG, "HASH", "%s: no final hash", v->dir);
    words_add(&words, sha256, sizeof(sha256));
    if (!buf_str(&words))
        return err_nomem(err);
    snprintf(ret->dir, sizeof(ret->dir), "%s", v->dir);
    snprintf(ret->sha256, sizeof(ret->sha256), "%s", v->sha256);
    snprintf(ret->words, sizeof(ret->words), "%s", (char *)words.p);
    return 0;
}

static void verify_done(struct verify *v)
{
    if (v->script)
        script_done(v->script);
    free(v->script);
    json_decref(v->lines);
    json_decref(v->expected);
    json_decref(v->actual);
    buf_done(&v->text);
}

/* What is no folder at all is no negative answer, but a wrong name. */
static int check_folder(const char *dir, struct p11ca_err *err)
{
    char **names;
    size_t n;

    if (file_list_all(dir, &names, &n, err) != 0)
        return -1;
    file_list_free(names);
    return 0;
}

static char *without_slash(const char *dir)
{
    size_t len = strlen(dir);

    while (len > 1 && dir[len - 1] == '/')
        len--;
    return strndup(dir, len);
}

int p11ca_ceremony_verify(
    const char *dir, p11ca_check_fn *fn, void *arg, struct p11ca_ceremony *ret, struct p11ca_err *err)
{
    AUTO_STR plain = without_slash(dir);
    __attribute__((cleanup(verify_done))) struct verify v = {
        .dir = plain,
        .f = {.where = plain, .fn = fn, .arg = arg, .err = err},
        .expected = json_object(),
        .actual = json_object(),
    };

    if (!plain || !v.expected || !v.actual)
        return err_nomem(err);
    if (check_folder(plain, err) != 0)
        return -1;
    check_all(&v);
    if (v.nomem)
        return err_nomem(err);
    return v.f.n_faults ? -1 : fill(&v, ret, err);
}
