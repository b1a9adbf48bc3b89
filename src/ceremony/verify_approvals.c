/* Signatures over plan.txt: by the keys of those the script names, and enough of them before the steps that want them. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/scope.h"
#include "base/text.h"
#include "ceremony/verify.h"
#include "x509/ossl.h"
#include "x509/sigalg.h"

#define BAD "APPROVAL_BAD"

struct approval {
    size_t line;
    const char *role;
    const char *key; /* SHA-256 of the SubjectPublicKeyInfo */
};

struct approvals {
    struct verify *v;
    struct buf plan;
    struct approval good[LIMIT_ROLES];
    size_t n;
};

static int read_key(struct approvals *a, const json_t *line, struct spki *ret, struct p11ca_err *err)
{
    AUTO_BUF pem = BUF_INIT;
    char file[FINDING_WHAT], hex[TRANSCRIPT_HEX];
    uint8_t sha256[SHA256_LEN];

    snprintf(file, sizeof(file), VERIFY_ARTEFACTS "/approval-%s.pem", transcript_str(line, "role"));
    if (folder_read(a->v->dir, file, &pem, err) != 0 || spki_read_file(pem.p, pem.len, ret, err) != 0 ||
        spki_sha256(ret, sha256, err) != 0)
        return -1;
    text_hex_lower(sha256, sizeof(sha256), hex);
    if (strcasecmp(hex, transcript_str(line, "key")) == 0)
        return 0;
    return err_set(
        err, P11CA_NEGATIVE, BAD, "%s: want the key with SHA-256 %s", file, transcript_str(line, "key"));
}

static int check_signature(struct approvals *a, const json_t *line, struct p11ca_err *err)
{
    SCOPED(pkey) EVP_PKEY *pub = NULL;
    uint8_t sig[LIMIT_SIGNATURE];
    int len = text_unhex(transcript_str(line, "signature"), sig, sizeof(sig));
    struct spki spki;

    if (len <= 0)
        return err_set(err, P11CA_NEGATIVE, BAD, "signature: want hex digits");
    if (read_key(a, line, &spki, err) != 0 || spki_evp1(&spki, &pub, err) != 0)
        return -1;
    return sigalg_verify(pub, sigalg_for_key(&spki), der_buf(&a->plan), DER_OF(sig, (size_t)len), err);
}

static bool may_approve(const struct script *s, const char *role)
{
    size_t i;

    for (i = 0; i < s->approvals_of.n; i++) {
        if (strcmp(s->approvals_of.v[i], role) == 0)
            return true;
    }
    return false;
}

/* One person with two roles is one person. */
static const char *who_has(const struct approvals *a, const char *role, const char *key)
{
    size_t i;

    for (i = 0; i < a->n; i++) {
        if (strcmp(a->good[i].role, role) == 0 || strcasecmp(a->good[i].key, key) == 0)
            return a->good[i].role;
    }
    return NULL;
}

static void check_approval(struct approvals *a, const json_t *line)
{
    struct approval x = {
        verify_number(line, "line"), transcript_str(line, "role"), transcript_str(line, "key")};
    const char *other = who_has(a, x.role, x.key);
    struct p11ca_err why;
    char what[FINDING_WHAT];

    verify_line(line, what);
    if (!may_approve(a->v->script, x.role))
        finding_bad(&a->v->f, BAD, what, "approval: the script does not ask role '%s' for one", x.role);
    else if (other)
        finding_bad(
            &a->v->f, BAD, what, "approval: role '%s' has approved with this key or under this name", other);
    else if (strcmp(transcript_str(line, "plan"), transcript_str(a->v->begin, "plan")) != 0)
        finding_bad(&a->v->f, BAD, what, "approval: plan: want that of line 1");
    else if (check_signature(a, line, &why) != 0)
        finding_bad(&a->v->f, strcmp(why.code, "SIGNATURE_BAD") == 0 ? why.code : BAD, what,
            "approval of role '%s': %s", x.role, why.msg);
    else {
        a->good[a->n++] = x; /* each role is there once, so there is room */
        finding_good(&a->v->f, what, "role '%s' (%s) has signed " FOLDER_PLAN " with key %s", x.role,
            transcript_str(line, "name"), x.key);
    }
}

static void check_need(struct approvals *a, const struct step *step)
{
    size_t at = 0, i, n = 0;
    const json_t *done = transcript_find(a->v->lines, &at, "done", step->number);
    char what[FINDING_WHAT];

    if (!done || !step->args.approved)
        return;
    for (i = 0; i < a->n; i++)
        n += a->good[i].line < verify_number(done, "line");
    if (n < a->v->script->approvals_need)
        finding_bad(&a->v->f, "APPROVAL_MISSING", verify_line(done, what),
            "step %zu is done with %zu approvals of the plan: want %zu", step->number, n,
            a->v->script->approvals_need);
}

void verify_approvals(struct verify *v)
{
    struct approvals a = {.v = v, .plan = BUF_INIT};
    struct p11ca_err told; /* plan.txt that is not there was told with the files */
    const json_t *line;
    size_t at = 0, i;

    if (!v->script || folder_read(v->dir, FOLDER_PLAN, &a.plan, &told) != 0) {
        buf_done(&a.plan);
        return;
    }
    while ((line = transcript_find(v->lines, &at, "approval", 0)))
        check_approval(&a, line);
    for (i = 0; i < v->script->n_steps; i++)
        check_need(&a, &v->script->steps[i]);
    buf_done(&a.plan);
}
