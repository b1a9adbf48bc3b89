#include "base/err.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

int p11ca_exit_code(enum p11ca_kind kind)
{
    static const int table[] = {
        [P11CA_OK] = 0,
        [P11CA_NEGATIVE] = 1,
        [P11CA_USAGE] = 2,
        [P11CA_CONFIG] = 3,
        [P11CA_REFUSED] = 4,
        [P11CA_LOGIN] = 5,
        [P11CA_TOKEN] = 6,
        [P11CA_LEDGER] = 7,
        [P11CA_FILE] = 8,
        [P11CA_BUG] = 70,
    };

    return (size_t)kind < sizeof(table) / sizeof(table[0]) ? table[kind] : 70;
}

/* Messages quote file names, subjects, labels: whatever they hold, a terminal sees plain text. */
static int fill(struct p11ca_err *err, enum p11ca_kind kind, const char *code, const char *fmt, va_list ap,
    const char *tail) __attribute__((format(printf, 4, 0)));

static int fill(struct p11ca_err *err, enum p11ca_kind kind, const char *code, const char *fmt, va_list ap,
    const char *tail)
{
    char raw[sizeof(err->msg)];
    int n;

    n = vsnprintf(raw, sizeof(raw), fmt, ap);
    if (n >= 0 && (size_t)n < sizeof(raw) && tail)
        snprintf(raw + n, sizeof(raw) - (size_t)n, ": %s", tail);
    err->kind = kind;
    snprintf(err->code, sizeof(err->code), "%s", code ? code : "");
    text_escape(raw, strlen(raw), err->msg, sizeof(err->msg));
    return -1;
}

int err_set(struct p11ca_err *err, enum p11ca_kind kind, const char *code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fill(err, kind, code, fmt, ap, NULL);
    va_end(ap);
    return -1;
}

int err_prefix(struct p11ca_err *err, const char *fmt, ...)
{
    char old[sizeof(err->msg)], code[sizeof(err->code)];
    va_list ap;

    memcpy(old, err->msg, sizeof(old));
    memcpy(code, err->code, sizeof(code));
    va_start(ap, fmt);
    fill(err, err->kind, code, fmt, ap, old);
    va_end(ap);
    return -1;
}

/* What goes wrong with one file would go wrong with the next one, too. */
static bool is_disk(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EIO || error == EROFS;
}

int err_errno(struct p11ca_err *err, enum p11ca_kind kind, const char *fmt, ...)
{
    int saved = errno;
    char reason[128];
    va_list ap;

    va_start(ap, fmt);
    fill(err, kind, is_disk(saved) ? "DISK" : "IO", fmt, ap, strerror_r(saved, reason, sizeof(reason)));
    va_end(ap);
    return -1;
}

int err_openssl(struct p11ca_err *err, enum p11ca_kind kind, const char *fmt, ...)
{
    char reasons[512] = "";
    size_t len = 0;
    unsigned long e;
    va_list ap;

    while ((e = ERR_get_error()) != 0) {
        const char *reason = ERR_reason_error_string(e);
        int n =
            snprintf(reasons + len, sizeof(reasons) - len, "%s%s", len ? ", " : "", reason ? reason : "?");
        if (n < 0 || (size_t)n >= sizeof(reasons) - len)
            break;
        len += (size_t)n;
    }
    ERR_clear_error();
    va_start(ap, fmt);
    fill(err, kind, NULL, fmt, ap, len ? reasons : NULL);
    va_end(ap);
    return -1;
}

int err_nomem(struct p11ca_err *err)
{
    return err_set(err, P11CA_BUG, "NOMEM", "out of memory");
}
