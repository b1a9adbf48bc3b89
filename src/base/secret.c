#include "base/secret.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/scope.h"
#include "base/shares.h"

int secret_set(struct secret *ret, const char *p, size_t len, struct p11ca_err *err)
{
    char *copy;

    while (len && (p[len - 1] == '\n' || p[len - 1] == '\r'))
        len--;
    if (len == 0)
        return err_set(err, P11CA_LOGIN, "PIN_EMPTY", "PIN: want at least one character, have none");
    if (memchr(p, '\n', len) || memchr(p, '\0', len))
        return err_set(err, P11CA_LOGIN, "PIN_SYNTAX", "PIN: want one line of text");
    copy = malloc(len + 1);
    if (!copy)
        return err_nomem(err);
    memcpy(copy, p, len);
    copy[len] = '\0';
    (void)mlock(copy, len + 1); /* best effort: unprivileged limits may say no */
    secret_done(ret);
    ret->p = copy;
    ret->len = len;
    return 0;
}

/* Takes the bytes out of a buffer and wipes it, whatever happens. */
static int set_from_buf(struct secret *ret, struct buf *b, struct p11ca_err *err)
{
    int rc = secret_set(ret, b->p ? (char *)b->p : "", b->len, err);

    if (b->p)
        OPENSSL_cleanse(b->p, b->cap);
    return rc;
}

/* A descriptor number, -1 when it is none. */
static int fd_number(const char *arg)
{
    char *end;
    long n = strtol(arg, &end, 10);

    return *arg >= '0' && *arg <= '9' && *end == '\0' && n <= 1023 ? (int)n : -1;
}

static int from_file(struct secret *ret, const char *arg, const char *base, const char *prompt,
    const struct p11ca_ui *ui, struct p11ca_err *err)
{
    AUTO_STR path = path_join(base, arg);
    AUTO_BUF b = BUF_INIT;
    int rc;

    (void)prompt, (void)ui;
    if (!path)
        return err_nomem(err);
    rc = file_read_private(path, LIMIT_PIN_FILE, &b, err);
    if (rc == 0)
        rc = set_from_buf(ret, &b, err);
    else if (b.p)
        OPENSSL_cleanse(b.p, b.cap);
    return rc == 0 ? 0 : err_prefix(err, "PIN file");
}

static int from_fd(struct secret *ret, const char *arg, const char *base, const char *prompt,
    const struct p11ca_ui *ui, struct p11ca_err *err)
{
    AUTO_BUF b = BUF_INIT;

    (void)base, (void)prompt, (void)ui;
    if (file_read_fd(fd_number(arg), LIMIT_PIN_FILE, &b, err) != 0)
        return err_prefix(err, "PIN");
    return set_from_buf(ret, &b, err);
}

static int from_env(struct secret *ret, const char *arg, const char *base, const char *prompt,
    const struct p11ca_ui *ui, struct p11ca_err *err)
{
    char *value = getenv(arg);

    (void)base, (void)prompt, (void)ui;
    if (!value)
        return err_set(err, P11CA_LOGIN, "PIN_MISSING", "PIN: environment variable %s is not set", arg);
    /* It stays in the environment: a command that logs in to two tokens reads it twice. */
    return secret_set(ret, value, strlen(value), err);
}

static int from_prompt(struct secret *ret, const char *arg, const char *base, const char *prompt,
    const struct p11ca_ui *ui, struct p11ca_err *err)
{
    char line[LIMIT_PIN_FILE];
    int n, rc;

    (void)arg, (void)base;
    n = ui && ui->secret ? ui->secret(ui->ctx, prompt, line, sizeof(line)) : -1;
    if (n < 0)
        OPENSSL_cleanse(line, sizeof(line));
    if (n < 0 && ui && ui->secret)
        return err_set(err, P11CA_LOGIN, "PIN_MISSING", "%s: none was given", prompt);
    if (n < 0)
        return err_set(err, P11CA_LOGIN, "PIN_MISSING",
            "%s: no terminal to ask on; use pin = \"file:PATH\", \"fd:N\" or \"env:NAME\"", prompt);
    rc = secret_set(ret, line, (size_t)n, err);
    OPENSSL_cleanse(line, sizeof(line));
    return rc;
}

static const struct source {
    const char *prefix;
    bool has_arg;
    int (*read)(struct secret *, const char *, const char *, const char *, const struct p11ca_ui *,
        struct p11ca_err *);
} sources[] = {
    {"prompt", false, from_prompt},
    {"file:", true, from_file},
    {"fd:", true, from_fd},
    {"env:", true, from_env},
    {"shares", false, shares_ask},
    {"shares:", true, shares_from_files},
};

static const struct source *find(const char *spec)
{
    size_t i, len;

    for (i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        len = strlen(sources[i].prefix);
        if (strncmp(spec, sources[i].prefix, len) == 0 && (spec[len] != '\0') == sources[i].has_arg)
            return &sources[i];
    }
    return NULL;
}

int secret_check_spec(const char *spec, struct p11ca_err *err)
{
    const struct source *s = find(spec);

    /* A PIN written where the source should be must not be repeated in the error. */
    if (!s || (s->read == from_fd && fd_number(spec + strlen(s->prefix)) < 0))
        return err_set(err, P11CA_CONFIG, "PIN_SOURCE",
            "want \"prompt\", \"file:PATH\", \"fd:N\", \"env:NAME\", \"shares\" or \"shares:PATH\" (never "
            "the PIN "
            "itself)");
    return 0;
}

bool secret_is_typed(const char *spec)
{
    return strcmp(spec, "prompt") == 0 || strcmp(spec, "shares") == 0;
}

bool secret_is_shared(const char *spec)
{
    return strcmp(spec, "shares") == 0 || strncmp(spec, "shares:", 7) == 0;
}

int secret_read(struct secret *ret, const char *spec, const char *base, const char *prompt,
    const struct p11ca_ui *ui, struct p11ca_err *err)
{
    const struct source *s = find(spec);

    if (secret_check_spec(spec, err) != 0)
        return -1;
    return s->read(ret, spec + strlen(s->prefix), base, prompt, ui, err);
}

int secret_random(struct secret *ret, size_t n, struct p11ca_err *err)
{
    static const char alphabet[33] = "abcdefghjkmnpqrstuvwxyz23456789A"; /* 32 characters, no i l o 0 1 */
    char text[64];
    size_t i;
    int rc;

    if (n >= sizeof(text) || RAND_bytes((unsigned char *)text, (int)n) != 1)
        return err_openssl(err, P11CA_BUG, "random generator");
    for (i = 0; i < n; i++)
        text[i] = alphabet[(unsigned char)text[i] % 32];
    rc = secret_set(ret, text, n, err);
    OPENSSL_cleanse(text, sizeof(text));
    return rc;
}

void secret_done(struct secret *s)
{
    if (s->p) {
        OPENSSL_cleanse(s->p, s->len + 1);
        (void)munlock(s->p, s->len + 1);
        free(s->p);
    }
    s->p = NULL;
    s->len = 0;
}
