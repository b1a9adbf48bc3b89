#include "ceremony/transcript.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/scope.h"
#include "base/text.h"

struct transcript {
    char *path;
    int fd;
    size_t len;  /* of the lines that are on disk */
    bool broken; /* what stands behind them could not be taken back */
    bool rehearsal;
    json_t *lines;
    char before[TRANSCRIPT_HEX]; /* hash of the last line */
};

static const char *const types[] = {
    "begin", "resumed", "start", "approval", "tbs", "approved", "failed", "done", "end"};

static bool known_type(const char *type)
{
    size_t i;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i], type) == 0)
            return true;
    }
    return false;
}

static int hex_hash(const void *p, size_t len, char ret[TRANSCRIPT_HEX], struct p11ca_err *err)
{
    uint8_t sha256[SHA256_LEN];

    if (hash_sha256(p, len, sha256) != 0)
        return err_nomem(err);
    text_hex_lower(sha256, sizeof(sha256), ret);
    return 0;
}

static struct transcript *new_transcript(const char *dir)
{
    struct transcript *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->fd = -1;
    t->path = path_join(dir, TRANSCRIPT_FILE);
    t->lines = json_array();
    if (t->path && t->lines)
        return t;
    transcript_close(t);
    return NULL;
}

void transcript_close(struct transcript *t)
{
    if (!t)
        return;
    if (t->fd >= 0)
        close(t->fd);
    json_decref(t->lines);
    free(t->path);
    free(t);
}

/* Killed before its first line was whole, a transcript holds nothing yet: it is taken over. */
static int open_new(struct transcript *t, struct p11ca_err *err)
{
    AUTO_BUF text = BUF_INIT;

    if (!file_exists(t->path))
        return file_log_open(t->path, true, 0644, &t->fd, err);
    if (file_log_open(t->path, false, 0644, &t->fd, err) != 0 ||
        file_read(t->path, LIMIT_TRANSCRIPT, &text, err) != 0)
        return -1;
    if (text.len && memchr(text.p, '\n', text.len))
        return err_set(err, P11CA_FILE, "OUTPUT_EXISTS", "%s: exists, nothing is overwritten", t->path);
    return file_log_cut(t->fd, t->path, 0, err);
}

int transcript_create(const char *dir, bool rehearsal, struct transcript **ret, struct p11ca_err *err)
{
    struct transcript *t = new_transcript(dir);

    if (!t)
        return err_nomem(err);
    t->rehearsal = rehearsal;
    if (open_new(t, err) != 0) {
        transcript_close(t);
        return -1;
    }
    *ret = t;
    return 0;
}

static int broken(const char *path, size_t number, struct p11ca_err *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* What is quoted may be anything. */
static int broken(const char *path, size_t number, struct p11ca_err *err, const char *fmt, ...)
{
    char raw[256], safe[4 * sizeof(raw)];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(raw, sizeof(raw), fmt, ap);
    va_end(ap);
    text_escape(raw, strlen(raw), safe, sizeof(safe));
    return err_set(err, P11CA_NEGATIVE, "TRANSCRIPT_BROKEN", "%s:%zu: %s", path, number, safe);
}

/*
 * Number and hash together tell what happened: both are wrong where a line was taken out, put in or moved; the hash alone
 * where the line before or the hash itself was changed; the number alone where only that was.
 */
static int check_place(
    const char *path, json_t *line, size_t number, const char *before, struct p11ca_err *err)
{
    json_int_t have = json_integer_value(json_object_get(line, "line"));
    bool follows = strcmp(transcript_str(line, "before"), before) == 0;

    if (have == (json_int_t)number && follows)
        return 0;
    if (have == (json_int_t)number && number == 1)
        return broken(path, number, err, "before: want nothing: this is the first line");
    if (have == (json_int_t)number)
        return broken(path, number, err,
            "before: want %s, the SHA-256 of the line before: line %zu or the 'before' of this one was "
            "changed",
            before, number - 1);
    if (follows)
        return broken(
            path, number, err, "line: want number %zu, have %lld: it was changed", number, (long long)have);
    return broken(path, number, err,
        "line: want number %zu, have %lld: a line is missing, inserted or out of place", number,
        (long long)have);
}

/* One line without its newline, checked against the one before. */
static int check_line(
    const char *path, json_t *line, size_t number, const char *before, struct p11ca_err *err)
{
    const char *type = transcript_str(line, "type");

    if (check_place(path, line, number, before, err) != 0)
        return -1;
    if (!known_type(type))
        return broken(path, number, err, "type: no type '%s'", type);
    if ((number == 1) != (strcmp(type, "begin") == 0))
        return broken(path, number, err, "type: want 'begin' in line 1 and only there");
    return 0;
}

/* Takes the whole lines in; what stands behind the last newline is left. */
static int take_lines(struct transcript *t, const struct buf *text, size_t *ret_used, struct p11ca_err *err)
{
    const char *at = (const char *)text->p, *end;
    size_t left = text->len, len, number = 0;
    json_error_t why;
    json_t *line;

    while (left && (end = memchr(at, '\n', left))) {
        len = (size_t)(end - at) + 1;
        line = json_loadb(at, len - 1, JSON_REJECT_DUPLICATES, &why);
        if (!json_is_object(line)) {
            json_decref(line);
            return broken(
                t->path, number + 1, err, "want a JSON object: %s", line ? "have another value" : why.text);
        }
        json_array_append_new(t->lines, line);
        if (check_line(t->path, line, ++number, t->before, err) != 0 ||
            hex_hash(at, len, t->before, err) != 0)
            return -1;
        at = end + 1;
        left -= len;
    }
    *ret_used = text->len - left;
    t->rehearsal = json_is_true(json_object_get(json_array_get(t->lines, 0), "rehearsal"));
    return 0;
}

static int resume(struct transcript *t, size_t *ret_dropped, struct p11ca_err *err)
{
    AUTO_BUF text = BUF_INIT;
    size_t used = 0;

    if (file_log_open(t->path, false, 0644, &t->fd, err) != 0 ||
        file_read(t->path, LIMIT_TRANSCRIPT, &text, err) != 0 || take_lines(t, &text, &used, err) != 0)
        return -1;
    t->len = used;
    *ret_dropped = text.len - used;
    return *ret_dropped ? file_log_cut(t->fd, t->path, used, err) : 0;
}

int transcript_resume(const char *dir, struct transcript **ret, size_t *ret_dropped, struct p11ca_err *err)
{
    struct transcript *t = new_transcript(dir);

    if (!t)
        return err_nomem(err);
    if (resume(t, ret_dropped, err) != 0) {
        transcript_close(t);
        return -1;
    }
    *ret = t;
    return 0;
}

/* The fixed members first: they stand in one column when the file is read by people. */
static json_t *make_line(const struct transcript *t, const char *type, int64_t now, json_t *body)
{
    char time[TEXT_TIME];
    json_t *line;

    text_time(now, time);
    line = json_pack("{s:I,s:s,s:s,s:s}", "line", (json_int_t)json_array_size(t->lines) + 1, "before",
        t->before, "time", time, "type", type);
    if (line && t->rehearsal && json_object_set_new(line, "rehearsal", json_true()) != 0) {
        json_decref(line);
        return NULL;
    }
    if (line && body && json_object_update(line, body) != 0) {
        json_decref(line);
        return NULL;
    }
    return line;
}

/* A line that was written and is perhaps not on disk is taken back: the next one would come behind a line that nobody has. */
static int append(struct transcript *t, const struct buf *text, struct p11ca_err *err)
{
    struct p11ca_err ignored;

    if (t->broken)
        return err_set(err, P11CA_FILE, "DISK", "%s: a line before this one could not be written", t->path);
    if (file_log_add(t->fd, t->path, text->p, text->len, err) == 0) {
        t->len += text->len;
        return 0;
    }
    t->broken = file_log_cut(t->fd, t->path, t->len, &ignored) != 0;
    return -1;
}

static int write_line(struct transcript *t, json_t *line, struct p11ca_err *err)
{
    AUTO_STR dump = json_dumps(line, JSON_COMPACT);
    AUTO_BUF text = BUF_INIT;

    buf_adds(&text, dump ? dump : "");
    buf_addc(&text, '\n');
    if (!dump || !buf_ok(&text))
        return err_nomem(err);
    if (append(t, &text, err) != 0 || hex_hash(text.p, text.len, t->before, err) != 0)
        return -1;
    return json_array_append(t->lines, line) == 0 ? 0 : err_nomem(err);
}

int transcript_add(struct transcript *t, const char *type, int64_t now, json_t *body, struct p11ca_err *err)
{
    AUTO_JSON hold = body;
    AUTO_JSON line = body ? make_line(t, type, now, body) : NULL;

    return line ? write_line(t, line, err) : err_nomem(err);
}

const json_t *transcript_lines(const struct transcript *t)
{
    return t->lines;
}

bool transcript_begun(const char *dir)
{
    AUTO_STR path = path_join(dir, TRANSCRIPT_FILE);
    AUTO_BUF text = BUF_INIT;
    struct p11ca_err ignored;

    if (!path || !file_exists(path))
        return false;
    /* One that cannot be read is one. */
    return file_read(path, LIMIT_TRANSCRIPT, &text, &ignored) != 0 ||
           (text.len && memchr(text.p, '\n', text.len));
}

int transcript_read(
    const char *dir, json_t **ret_lines, char ret_sha256[TRANSCRIPT_HEX], struct p11ca_err *err)
{
    struct transcript *t = new_transcript(dir);
    AUTO_BUF text = BUF_INIT;
    size_t used = 0;
    int rc = -1;

    if (!t)
        return err_nomem(err);
    if (file_read(t->path, LIMIT_TRANSCRIPT, &text, err) != 0 || take_lines(t, &text, &used, err) != 0 ||
        hex_hash(text.p, text.len, ret_sha256, err) != 0)
        goto out;
    if (used != text.len || used == 0) {
        broken(t->path, json_array_size(t->lines) + 1, err, "%s",
            text.len ? "the last line was cut off: it has no newline"
                     : "want a transcript, have an empty file");
        goto out;
    }
    *ret_lines = json_incref(t->lines);
    rc = 0;
out:
    transcript_close(t);
    return rc;
}

const json_t *transcript_find(const json_t *lines, size_t *at, const char *type, size_t step)
{
    const json_t *line;

    for (; *at < json_array_size(lines); ++*at) {
        line = json_array_get(lines, *at);
        if (strcmp(transcript_str(line, "type"), type) == 0 &&
            (step == 0 || json_integer_value(json_object_get(line, "step")) == (json_int_t)step)) {
            ++*at;
            return line;
        }
    }
    return NULL;
}

const char *transcript_str(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));

    return s ? s : "";
}
