#include "ceremony/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

struct finding {
    char what[2 * FINDING_WHAT], text[1024];
};

static void make(struct finding *x, const char *what, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

static void make(struct finding *x, const char *what, const char *fmt, va_list ap)
{
    char raw[1024];

    vsnprintf(raw, sizeof(raw), fmt, ap);
    text_escape(raw, strlen(raw), x->text, sizeof(x->text));
    text_escape(what, strlen(what), x->what, sizeof(x->what));
}

void finding_good(struct findings *f, const char *what, const char *fmt, ...)
{
    struct finding x;
    va_list ap;

    va_start(ap, fmt);
    make(&x, what, fmt, ap);
    va_end(ap);
    if (f->fn)
        f->fn(f->arg, true, x.what, x.text);
}

void finding_bad(struct findings *f, const char *code, const char *what, const char *fmt, ...)
{
    struct finding x;
    va_list ap;

    va_start(ap, fmt);
    make(&x, what, fmt, ap);
    va_end(ap);
    if (f->n_faults++ == 0)
        err_set(f->err, P11CA_NEGATIVE, code, "%s%s%s: %s", f->where ? f->where : "", f->where ? "/" : "",
            x.what, x.text);
    if (f->fn)
        f->fn(f->arg, false, x.what, x.text);
}
