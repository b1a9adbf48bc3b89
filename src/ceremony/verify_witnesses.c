/* Countersignatures: whoever signed the final transcript, and over which bytes. Whom to believe is the reader's business. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "base/scope.h"
#include "ceremony/verify.h"
#include "x509/cms.h"

static bool is_p7s(const char *name)
{
    size_t len = strlen(name);

    return len > 4 && name[0] != '.' && strcmp(name + len - 4, ".p7s") == 0;
}

static void check_one(struct verify *v, const char *name)
{
    char what[FINDING_WHAT];
    AUTO_BUF cms = BUF_INIT, who = BUF_INIT;
    struct p11ca_err why;

    snprintf(what, sizeof(what), VERIFY_COUNTERSIGNED "/%s", name);
    if (!is_p7s(name)) {
        finding_bad(&v->f, "FILE_UNLISTED", what, "want only NAME.p7s in this folder");
        return;
    }
    if (verify_read(v, what, &cms) != 0)
        return;
    if (cms_verify(der_buf(&cms), der_buf(&v->text), &who, &why) != 0)
        finding_bad(&v->f, "COUNTERSIGNATURE_BAD", what, "%s", why.msg);
    else if (!buf_str(&who))
        v->nomem = true;
    else
        finding_good(&v->f, what,
            "this transcript, signed by %s; whether to trust that certificate is yours to judge",
            (char *)who.p);
}

void verify_witnesses(struct verify *v)
{
    AUTO_STR path = path_join(v->dir, VERIFY_COUNTERSIGNED);
    struct p11ca_err why;
    char **names;
    size_t n, i;

    if (!path) {
        v->nomem = true;
        return;
    }
    if (!file_exists(path) || !v->text.len)
        return;
    if (file_list_all(path, &names, &n, &why) != 0) {
        finding_bad(&v->f, "FILE_BAD", VERIFY_COUNTERSIGNED, "%s", why.msg);
        return;
    }
    for (i = 0; i < n; i++)
        check_one(v, names[i]);
    file_list_free(names);
}
