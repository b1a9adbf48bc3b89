/* What exports share. */
#include "auth/policy_export.h"

#include <ctype.h>
#include <string.h>

#include "base/err.h"

static const struct {
    const char *format;
    int (*write)(const struct policy_set *set, struct buf *ret, struct p11ca_err *err);
} formats[] = {
    {"nginx", policy_to_nginx},
    {"envoy", policy_to_envoy},
};

/* A caret must not come first in brackets: no text here has one. */
void export_literal(struct buf *b, const char *text, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        bool plain = isalnum((unsigned char)text[i]) || strchr("/:@-_%=,~!&' ", text[i]);

        buf_addf(b, plain ? "%c" : "[%c]", text[i]);
    }
}

void export_path(struct buf *b, const char *pattern, bool slash)
{
    const char *p;
    size_t len;

    for (p = pattern; *p; p += len) {
        len = strcspn(++p, "/");
        if (strcmp(p, "**") == 0) {
            buf_adds(b, "(/[^ ]*)?");
            return;
        }
        buf_addc(b, '/');
        if (len == 1 && *p == '*')
            buf_adds(b, "[^/ ]+");
        else
            export_literal(b, p, len);
    }
    if (slash && p[-1] != '/')
        buf_adds(b, "/?");
}

int export_refuse(
    const struct policy_service *s, const struct policy_rule *r, const char *why, struct p11ca_err *err)
{
    return err_set(err, P11CA_REFUSED, "EXPORT_RULE", "%s: service '%s': rule '%s': %s", r->where, s->name,
        r->name, why);
}

static int export_set(const struct policy_set *set, const char *format, char **ret, struct p11ca_err *err)
{
    AUTO_BUF text = BUF_INIT;
    size_t len, i, n = sizeof(formats) / sizeof(formats[0]);

    for (i = 0; i < n && strcmp(formats[i].format, format) != 0; i++)
        ;
    if (i == n)
        return err_set(err, P11CA_REFUSED, "EXPORT_FORMAT", "format: want nginx or envoy, have another");
    if (formats[i].write(set, &text, err) != 0)
        return -1;
    if (!buf_str(&text) || !buf_ok(&text))
        return err_nomem(err);
    *ret = (char *)buf_take(&text, &len);
    return 0;
}

int p11ca_policy_export(struct p11ca_policy *policy, const char *format, char **ret, struct p11ca_err *err)
{
    struct policy_set *set;
    int rc;

    if (policy_hold_loaded(policy, &set, err) != 0)
        return -1;
    rc = export_set(set, format, ret, err);
    policy_drop(policy, set);
    return rc;
}
