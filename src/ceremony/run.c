#include "ceremony/run.h"

#include <ctype.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "base/scope.h"
#include "base/text.h"
#include "ceremony/words.h"

int64_t run_time(const struct run *run)
{
    return (int64_t)json_integer_value(json_object_get(run->intent, "time"));
}

char *run_path(const struct run *run, const char *name)
{
    return path_join(run->home->dir, name);
}

int run_note(struct run *run, const char *type, json_t *body, struct p11ca_err *err)
{
    return transcript_add(run->transcript, type, home_now(run->home), body, err);
}

/* --- words --- */

void run_say(const struct run *run, const char *fmt, ...)
{
    static const char mark[] = "REHEARSAL ";
    size_t at = run->rehearsal ? sizeof(mark) - 1 : 0;
    char line[2048];
    va_list ap;

    memcpy(line, mark, at);
    va_start(ap, fmt);
    vsnprintf(line + at, sizeof(line) - at, fmt, ap);
    va_end(ap);
    if (run->home->env.ui && run->home->env.ui->say)
        run->home->env.ui->say(run->home->env.ui->ctx, line);
}

/* Four octets a line: as they are read aloud, and as they stand on the paper. */
void run_say_hash(const struct run *run, const char *what, const uint8_t sha256[SHA256_LEN])
{
    char hex[TRANSCRIPT_HEX];
    size_t i;

    if (run->unattended) {
        text_hex_lower(sha256, SHA256_LEN, hex);
        run_say(run, "SHA-256 of %s: %s", what, hex);
        return;
    }
    run_say(run, "SHA-256 of %s:", what);
    for (i = 0; i < SHA256_LEN; i += 4) {
        text_hex_lower(sha256 + i, 4, hex);
        run_say(run, "  %s  %s %s %s %s", hex, words_at(i, sha256[i]), words_at(i + 1, sha256[i + 1]),
            words_at(i + 2, sha256[i + 2]), words_at(i + 3, sha256[i + 3]));
    }
}

void run_who(const struct run *run, const struct role *role, struct buf *ret)
{
    const char *name = people_get(run->people, run->script, role)->name;

    buf_adds(ret, role->title);
    if (strcasecmp(role->title, role->name) != 0)
        buf_addf(ret, " (%s%s%s)", role->name, name ? ", " : "", name ? name : "");
    else if (name)
        buf_addf(ret, " (%s)", name);
}

json_t *run_who_json(const struct run *run, const char *role)
{
    return people_json(run->people, run->script, script_role(run->script, role));
}

/* --- questions --- */

static int question(
    const struct run *run, const struct role *role, const char *text, struct buf *ret, struct p11ca_err *err)
{
    if (run->rehearsal)
        buf_adds(ret, "REHEARSAL - ");
    run_who(run, role, ret);
    buf_addf(ret, ": %s", text);
    return buf_str(ret) ? 0 : err_nomem(err);
}

int run_confirm(struct run *run, const struct role *role, const char *text, struct p11ca_err *err)
{
    const struct p11ca_ui *ui = run->home->env.ui;
    AUTO_BUF q = BUF_INIT;

    if (!ui || !ui->confirm)
        return err_set(err, P11CA_USAGE, "CONFIRM",
            "step %zu: nobody is there to confirm it (--yes says yes to all)", run->step->number);
    if (question(run, role, text, &q, err) != 0)
        return -1;
    if (!ui->confirm(ui->ctx, (char *)q.p))
        return err_set(
            err, P11CA_NEGATIVE, "STOPPED", "stopped by the %s at step %zu", role->title, run->step->number);
    return 0;
}

static int ask_once(struct run *run, const char *q, char *line, size_t size, struct p11ca_err *err)
{
    const struct p11ca_ui *ui = run->home->env.ui;
    char raw[256];
    int n = ui->ask(ui->ctx, q, raw, sizeof(raw));

    if (n < 0 || strcmp(raw, "stop") == 0)
        return err_set(
            err, P11CA_NEGATIVE, "STOPPED", "stopped at a question%s%s", n < 0 ? ": no answer" : "", "");
    text_escape(raw, (size_t)n, line, size);
    return 0;
}

int run_ask(struct run *run, const struct role *role, const char *text, run_answer_fn *check, void *arg,
    char **ret, struct p11ca_err *err)
{
    AUTO_BUF q = BUF_INIT;
    char line[256];
    struct p11ca_err why;

    *ret = NULL;
    if (run->unattended)
        return 0;
    if (question(run, role, text, &q, err) != 0)
        return -1;
    for (;;) {
        if (ask_once(run, (char *)q.p, line, sizeof(line), err) != 0)
            return -1;
        if (!check || check(arg, line, &why) == 0)
            break;
        run_say(run, "%s", why.msg);
    }
    *ret = strdup(line);
    return *ret ? 0 : err_nomem(err);
}

int run_not_empty(void *arg, const char *answer, struct p11ca_err *err)
{
    (void)arg;
    return answer[0] ? 0 : err_set(err, P11CA_USAGE, "ANSWER", "want an answer, have an empty line");
}

/* Without spaces and in one case: how somebody types what somebody else reads aloud. */
static bool same_letters(const char *a, const char *b)
{
    for (;;) {
        while (*a && !isalnum((unsigned char)*a))
            a++;
        while (*b && !isalnum((unsigned char)*b))
            b++;
        if (!*a || !*b)
            return *a == *b;
        if (tolower((unsigned char)*a++) != tolower((unsigned char)*b++))
            return false;
    }
}

/* Octets. Another file whose hash begins with the same four is made in minutes: it takes 2^32 tries. */
#define READ_BACK 8

static int check_read_back(void *arg, const char *answer, struct p11ca_err *err)
{
    const uint8_t *sha256 = arg;
    char hex[2 * READ_BACK + 1], words[256];
    size_t i, len = 0;

    text_hex_lower(sha256, READ_BACK, hex);
    for (i = 0; i < READ_BACK && len < sizeof(words); i++)
        len += (size_t)snprintf(words + len, sizeof(words) - len, "%s ", words_at(i, sha256[i]));
    if (same_letters(answer, hex) || same_letters(answer, words))
        return 0;
    return err_set(err, P11CA_USAGE, "HASH_MISMATCH",
        "that is not how this hash begins: type what was read out, or \"stop\" when they differ");
}

int run_read_back(
    struct run *run, const char *what, const uint8_t sha256[SHA256_LEN], bool *ret, struct p11ca_err *err)
{
    AUTO_STR typed = NULL;
    uint8_t copy[SHA256_LEN];

    memcpy(copy, sha256, sizeof(copy));
    run_say_hash(run, what, sha256);
    if (run_ask(run, script_actor(run->script, run->step),
            "the first eight words, or sixteen hex digits, as they were read out where the file comes from",
            check_read_back, copy, &typed, err) != 0)
        return -1;
    *ret = typed != NULL;
    return 0;
}

/* --- signatures --- */

/* Whether the transcript has a line of this type for this step with this digest (and role). */
static bool has_line(const struct run *run, const char *type, const char *hex, const char *role)
{
    const json_t *lines = transcript_lines(run->transcript), *line;
    size_t at = 0;

    while ((line = transcript_find(lines, &at, type, run->step->number))) {
        if (strcmp(transcript_str(line, "sha256"), hex) == 0 &&
            (!role || strcmp(transcript_str(json_object_get(line, "by"), "role"), role) == 0))
            return true;
    }
    return false;
}

static int note_tbs(struct run *run, const struct signing *s, const char *hex, struct p11ca_err *err)
{
    AUTO_BUF words = BUF_INIT;

    if (has_line(run, "tbs", hex, NULL))
        return 0;
    words_add(&words, s->tbs_sha256, sizeof(s->tbs_sha256));
    if (!buf_str(&words))
        return err_nomem(err);
    return run_note(run, "tbs",
        json_pack("{s:I,s:s,s:s,s:s,s:s,s:s}", "step", (json_int_t)run->step->number, "what", s->what,
            "authority", s->authority, "number", s->number, "sha256", hex, "words", words.p),
        err);
}

static int approve_by(struct run *run, const char *role, const char *hex, struct p11ca_err *err)
{
    if (has_line(run, "approved", hex, role))
        return 0;
    if (run_confirm(
            run, script_role(run->script, role), "approve a signature over exactly these bytes?", err) != 0)
        return -1;
    return run_note(run, "approved",
        json_pack("{s:I,s:o,s:s}", "step", (json_int_t)run->step->number, "by", run_who_json(run, role),
            "sha256", hex),
        err);
}

static int approve(void *arg, const struct signing *s, struct p11ca_err *err)
{
    struct run *run = arg;
    const struct step_args *a = &run->step->args;
    char hex[TRANSCRIPT_HEX];
    size_t i;

    text_hex_lower(s->tbs_sha256, SHA256_LEN, hex);
    run_say(run, "authority '%s' is to sign a %s, %s %s", s->authority, s->what,
        strcmp(s->what, "certificate") == 0 ? "serial" : "number", s->number);
    run_say_hash(run, "the to-be-signed bytes", s->tbs_sha256);
    /* For whoever wants to look into them now: artefacts/NN-tbs.der, and NN-series-tbs.der of a series. */
    if (note_tbs(run, s, hex, err) != 0 ||
        run_keep_bytes(run, s->series ? "series-tbs.der" : "tbs.der", s->tbs.p, s->tbs.len, err) != 0)
        return -1;
    if (a->approve.n == 0)
        return approve_by(run, script_actor(run->script, run->step)->name, hex, err);
    for (i = 0; i < a->approve.n; i++) {
        if (approve_by(run, a->approve.v[i], hex, err) != 0)
            return -1;
    }
    return 0;
}

struct signing_hooks run_hooks(struct run *run)
{
    return (struct signing_hooks){.approve = approve, .arg = run, .at = run_time(run)};
}

/* --- files --- */

/* Of the file, in the line of a step that is done; "" when that step had nothing to do with it. */
static const char *hash_in(const struct run *run, const json_t *line, const char *name)
{
    size_t number = (size_t)json_integer_value(json_object_get(line, "step")), i;
    const char *file = NULL;
    const json_t *kept;

    json_array_foreach(json_object_get(line, "files"), i, kept)
    {
        if (strcmp(transcript_str(kept, "file"), name) == 0)
            return transcript_str(kept, "sha256");
    }
    /* Compared, announced. */
    if (number >= 1 && number <= run->script->n_steps)
        file = run->script->steps[number - 1].args.file;
    return file && strcmp(file, name) == 0 ? transcript_str(json_object_get(line, "result"), "sha256") : "";
}

static int check_unchanged(const struct run *run, const char *name, const char *have, struct p11ca_err *err)
{
    const json_t *lines = transcript_lines(run->transcript), *line;
    const char *want = "", *hex;
    size_t at = 0;

    while ((line = transcript_find(lines, &at, "done", 0))) {
        hex = hash_in(run, line, name);
        if (hex[0])
            want = hex;
    }
    if (!want[0] || strcmp(want, have) == 0)
        return 0;
    return err_set(err, P11CA_REFUSED, "FILE_CHANGED",
        "%s: SHA-256: want that of an earlier step, %s, have %s: it was exchanged", name, want, have);
}

int run_take(const struct run *run, const char *name, struct buf *ret, uint8_t ret_sha256[SHA256_LEN],
    struct p11ca_err *err)
{
    AUTO_STR path = run_path(run, name);
    char hex[TRANSCRIPT_HEX];

    if (!path)
        return err_nomem(err);
    if (file_read(path, LIMIT_ARTEFACT, ret, err) != 0)
        return -1;
    if (hash_sha256(ret->p, ret->len, ret_sha256) != 0)
        return err_nomem(err);
    text_hex_lower(ret_sha256, SHA256_LEN, hex);
    return check_unchanged(run, name, hex, err);
}

int run_digest(const struct run *run, const char *name, uint8_t ret[SHA256_LEN], struct p11ca_err *err)
{
    AUTO_BUF b = BUF_INIT;

    return run_take(run, name, &b, ret, err);
}

/* Whether this step has kept another file under the name. */
static bool is_taken(const struct run *run, const char *artefact, const char *file)
{
    const json_t *kept;
    size_t i;

    json_array_foreach(run->files, i, kept)
    {
        if (strcmp(transcript_str(kept, "artefact"), artefact) == 0 &&
            strcmp(transcript_str(kept, "file"), file) != 0)
            return true;
    }
    return false;
}

/* The step's number in front: files of one name may be in two places. */
static void name_artefact(const struct run *run, const char *file, const char *base, char ret[160])
{
    size_t n = 1;

    snprintf(ret, 160, "artefacts/%02zu-%.128s", run->step->number, base);
    while (is_taken(run, ret, file))
        snprintf(ret, 160, "artefacts/%02zu-%zu-%.120s", run->step->number, ++n, base);
}

int run_keep_bytes(struct run *run, const char *file, const void *p, size_t len, struct p11ca_err *err)
{
    AUTO_STR copy = strdup(file);
    AUTO_STR path = NULL;
    char name[160], hex[TRANSCRIPT_HEX];
    uint8_t sha256[SHA256_LEN];

    if (!copy || hash_sha256(p, len, sha256) != 0)
        return err_nomem(err);
    text_hex_lower(sha256, sizeof(sha256), hex);
    name_artefact(run, file, basename(copy), name);
    path = path_join(run->dir, name);
    if (!path)
        return err_nomem(err);
    /* What is there was left by an attempt that failed or was killed. */
    if (file_write(path, FILE_REPLACE, 0644, p, len, err) != 0)
        return -1;
    return json_array_append_new(
               run->files, json_pack("{s:s,s:s,s:s}", "file", file, "artefact", name, "sha256", hex)) == 0
               ? 0
               : err_nomem(err);
}

int run_keep(struct run *run, const char *name, struct p11ca_err *err)
{
    AUTO_STR path = run_path(run, name);
    AUTO_BUF b = BUF_INIT;

    if (!path)
        return err_nomem(err);
    if (file_read(path, LIMIT_ARTEFACT, &b, err) != 0)
        return -1;
    return run_keep_bytes(run, name, b.p, b.len, err);
}
