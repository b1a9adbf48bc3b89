/* The lint over files: whatever is in them, each object by itself. */
#include <p11ca/lint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/scope.h"
#include "base/text.h"
#include "issue/authority.h"
#include "x509/cert.h"
#include "x509/crl.h"
#include "x509/csr.h"
#include "x509/lint.h"
#include "x509/name.h"
#include "x509/ocsp.h"
#include "x509/pem.h"

static const enum p11ca_severity severities[] = {
    [LINT_ERROR] = P11CA_LINT_ERROR, [LINT_WARNING] = P11CA_LINT_WARNING, [LINT_NOTICE] = P11CA_LINT_NOTICE};

static struct p11ca_lint_rule public_rule(const struct lint_rule *rule, char applies[LINT_APPLIES])
{
    return (struct p11ca_lint_rule){
        .id = rule->id,
        .source = rule->source,
        .field = rule->field,
        .applies = lint_applies_text(rule, applies),
        .severity = severities[rule->severity],
        .fixed = (rule->where & (ON_FIXED | ON_CRL | ON_ENTRY | ON_CSR | ON_OCSP)) != 0,
    };
}

void p11ca_lint_rules(p11ca_lint_rule_fn *fn, void *arg)
{
    const struct lint_rule *rule;
    struct p11ca_lint_rule shown;
    char applies[LINT_APPLIES];
    size_t i;

    for (i = 0; (rule = lint_rule_at(i)); i++) {
        shown = public_rule(rule, applies);
        fn(arg, &shown);
    }
}

/* --- findings of one object --- */

/* The words of a finding, kept until the object is shown. */
struct words {
    struct words *before;
    struct p11ca_err err;
    char applies[LINT_APPLIES];
    char wanted[512], have[512];
};

struct findings {
    struct p11ca_lint_finding *v;
    struct words *words; /* of the last one */
    size_t n, room;
    bool failed;
};

static void findings_done(struct findings *f)
{
    struct words *w, *before;

    for (w = f->words; w; w = before) {
        before = w->before;
        free(w);
    }
    free(f->v);
}

/* "...: want A, have B" in its two parts; the last "have", because what is wanted may hold one. */
static void part(struct words *w)
{
    const char *want = strstr(w->err.msg, "want "), *have = NULL, *at;

    for (at = want; at && (at = strstr(at, ", have ")); at++)
        have = at;
    if (!want || !have)
        return;
    snprintf(w->wanted, sizeof(w->wanted), "%.*s", (int)(have - want - 5), want + 5);
    snprintf(w->have, sizeof(w->have), "%s", have + 7);
}

/* Every rule once at most, but for none: the number of rules is room enough. */
static int findings_init(struct findings *f)
{
    for (f->room = 1; lint_rule_at(f->room); f->room++)
        ;
    f->v = calloc(f->room, sizeof(*f->v));
    return f->v ? 0 : -1;
}

static void take(void *arg, const struct lint_rule *rule, const struct p11ca_err *finding)
{
    struct findings *f = arg;
    struct words *w = f->n < f->room ? calloc(1, sizeof(*w)) : NULL;

    if (!w) {
        f->failed = true;
        return;
    }
    w->err = *finding;
    part(w);
    w->before = f->words;
    f->words = w;
    f->v[f->n++] = (struct p11ca_lint_finding){
        .rule = public_rule(rule, w->applies),
        .code = w->err.code,
        .wanted = w->wanted,
        .have = w->have,
        .message = w->err.msg,
    };
}

/* --- objects --- */

/* Whose it is, as far as that can be read. */
static struct der subject_of_cert(struct der der)
{
    struct der seq, tbs;
    struct p11ca_err why;
    struct tbs t;

    return der_whole(der, DER_SEQUENCE, &seq) == 0 && der_next_tlv(&seq, DER_SEQUENCE, &tbs) == 0 &&
                   tbs_read(tbs, &t, &why) == 0
               ? t.subject
               : DER_OF(NULL, 0);
}

static struct der subject_of_crl(struct der der)
{
    struct der seq, tbs;
    struct crl_tbs t;
    struct p11ca_err why;

    return der_whole(der, DER_SEQUENCE, &seq) == 0 && der_next_tlv(&seq, DER_SEQUENCE, &tbs) == 0 &&
                   crl_tbs_read(tbs, &t, &why) == 0
               ? t.issuer
               : DER_OF(NULL, 0);
}

static struct der subject_of_csr(struct der der)
{
    struct der seq, info, version, subject;

    return der_whole(der, DER_SEQUENCE, &seq) == 0 && der_next(&seq, DER_SEQUENCE, &info) == 0 &&
                   der_next(&info, DER_INTEGER, &version) == 0 &&
                   der_next_tlv(&info, DER_SEQUENCE, &subject) == 0
               ? subject
               : DER_OF(NULL, 0);
}

/* That of the certificate that came with it. */
static struct der subject_of_ocsp(struct der der)
{
    struct p11ca_err why;
    struct der cert;
    struct ocsp o;

    return ocsp_read(der, &o, &why) == 0 && o.certs.len && der_next_any(&o.certs, &cert) == 0
               ? subject_of_cert(cert)
               : DER_OF(NULL, 0);
}

static const struct kind {
    enum pem_type type;
    const char *name;
    struct der (*subject)(struct der der);
    void (*lint)(struct der der, const struct lint_question *q, lint_finding_fn *fn, void *arg);
} kinds[] = {
    {PEM_CERT, "certificate", subject_of_cert, lint_cert},
    {PEM_CRL, "CRL", subject_of_crl, lint_crl},
    {PEM_CSR, "request", subject_of_csr, lint_csr},
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Never PEM: nobody has a label for it. */
static const struct kind kind_ocsp = {PEM_TYPES, "OCSP response", subject_of_ocsp, lint_ocsp};

/* It begins with its status; nothing else here begins with an ENUMERATED. */
static bool is_ocsp(struct der in)
{
    struct der seq;

    return der_next(&in, DER_SEQUENCE, &seq) == 0 && der_peek_tag(seq) == DER_ENUMERATED;
}

struct asking {
    const struct p11ca_lint_order *order;
    struct lint_question q;
    p11ca_lint_object_fn *fn;
    void *arg;
    struct p11ca_lint_sum sum;
};

static void count(struct p11ca_lint_object *o)
{
    size_t *const counts[] = {[P11CA_LINT_ERROR] = &o->errors,
        [P11CA_LINT_WARNING] = &o->warnings,
        [P11CA_LINT_NOTICE] = &o->notices};
    size_t i;

    for (i = 0; i < o->n; i++)
        ++*counts[o->findings[i].rule.severity];
}

static void add(struct p11ca_lint_sum *sum, const struct p11ca_lint_object *o)
{
    sum->objects++;
    sum->errors += o->errors;
    sum->warnings += o->warnings;
    sum->notices += o->notices;
}

/* Names of others may be of any form: what has no text has none. */
static void name_text(struct der name, struct buf *ret)
{
    struct p11ca_err why;

    if (name.p)
        (void)!name_to_text(name, ret, &why);
}

static int ask(struct asking *a, const struct kind *kind, struct der der, struct p11ca_err *err)
{
    __attribute__((cleanup(findings_done))) struct findings f = {.n = 0};
    struct p11ca_lint_object o = {.number = a->sum.objects + 1, .kind = kind->name};
    AUTO_BUF subject = BUF_INIT;

    if (findings_init(&f) != 0)
        return err_nomem(err);
    kind->lint(der, &a->q, take, &f);
    name_text(kind->subject(der), &subject);
    o.subject = buf_str(&subject);
    if (f.failed || !o.subject)
        return err_nomem(err);
    o.findings = f.v;
    o.n = f.n;
    count(&o);
    add(&a->sum, &o);
    a->fn(a->arg, &o);
    return 0;
}

/* --- files --- */

static bool is_type(const struct p11ca_err *err)
{
    return strcmp(err->code, "INPUT_TYPE") == 0;
}

/* What is none of the kinds cannot be read; a private key or a limit is said as such. */
static int unreadable(struct p11ca_err *err)
{
    if (is_type(err))
        return err_set(err, P11CA_FILE, "INPUT_TYPE",
            "want a certificate, a CRL, a request or an OCSP response, have none of them");
    if (strcmp(err->code, "PEM_SYNTAX") == 0)
        err->kind = P11CA_FILE;
    return -1;
}

static int ask_der(struct asking *a, struct der in, struct p11ca_err *err)
{
    size_t i;

    if (is_ocsp(in))
        return ask(a, &kind_ocsp, in, err);
    for (i = 0; i < N_KINDS; i++) {
        AUTO_BUF der = BUF_INIT;

        if (pem_decode(in.p, in.len, kinds[i].type, &der, err) == 0)
            return ask(a, &kinds[i], der_buf(&der), err);
        if (!is_type(err))
            break;
    }
    return unreadable(err);
}

/* The next block of whichever kind; 0: there is none. */
static int next_block(struct der *in, const struct kind **ret_kind, struct buf *ret, struct p11ca_err *err)
{
    size_t i;
    int rc = 0;

    for (i = 0; i < N_KINDS; i++) {
        rc = pem_next(in, kinds[i].type, ret, err);
        *ret_kind = &kinds[i];
        if (rc >= 0 || !is_type(err))
            return rc;
    }
    return rc;
}

static int ask_blocks(struct asking *a, struct der in, struct p11ca_err *err)
{
    const struct kind *kind = NULL;
    int rc;

    for (;;) {
        AUTO_BUF der = BUF_INIT;

        rc = next_block(&in, &kind, &der, err);
        if (rc < 0) {
            (void)unreadable(err);
            return err_prefix(err, "block %zu", a->sum.objects + 1);
        }
        if (rc == 0)
            return 0;
        if (ask(a, kind, der_buf(&der), err) != 0)
            return -1;
    }
}

/* A line's start: a text before the first block is passed over (RFC 7468 2). */
static bool is_pem(struct der in)
{
    static const char mark[] = "-----BEGIN ";

    return in.len && (in.p[0] != DER_SEQUENCE || !memchr(in.p, 0, in.len)) &&
           memmem(in.p, in.len, mark, sizeof(mark) - 1);
}

static int read_file(const char *file, struct buf *ret, struct p11ca_err *err)
{
    if (strcmp(file, "-") == 0)
        return file_read_stream(STDIN_FILENO, "standard input", LIMIT_CRL, ret, err);
    return file_read(file, LIMIT_CRL, ret, err);
}

static int ask_file(struct asking *a, struct p11ca_err *err)
{
    AUTO_BUF file = BUF_INIT;
    struct der in;

    if (read_file(a->order->file, &file, err) != 0)
        return -1;
    in = der_buf(&file);
    if ((is_pem(in) ? ask_blocks(a, in, err) : ask_der(a, in, err)) != 0)
        return err_prefix(err, "%s", a->order->file);
    return 0;
}

static int set_issuer(const char *path, struct issuer **ret, struct p11ca_err *err)
{
    AUTO_BUF file = BUF_INIT;

    if (!path)
        return 0;
    if (file_read(path, LIMIT_CERT, &file, err) != 0)
        return -1;
    return issuer_read(file.p, file.len, ret, err) == 0 ? 0 : err_prefix(err, "%s", path);
}

static int set_profile(
    const struct p11ca_home *home, const char *name, const struct profile **ret, struct p11ca_err *err)
{
    const struct profiles *set = home ? home->profiles : profiles_builtin();

    if (!set)
        return err_nomem(err);
    *ret = name ? profiles_find(set, name) : NULL;
    return !name || *ret ? 0 : err_set(err, P11CA_USAGE, "PROFILE", "no profile '%s'", name);
}

int p11ca_lint(const struct p11ca_home *home, const struct p11ca_lint_order *order, p11ca_lint_object_fn *fn,
    void *arg, struct p11ca_lint_sum *ret, struct p11ca_err *err)
{
    struct asking a = {.order = order, .fn = fn, .arg = arg};
    AUTO_ISSUER issuer = NULL;

    if (set_profile(home, order->profile, &a.q.profile, err) != 0 ||
        (order->rules && lint_families(order->rules, &a.q.rules, err) != 0) ||
        set_issuer(order->issuer, &issuer, err) != 0)
        return -1;
    a.q.issuer = issuer;
    if (ask_file(&a, err) != 0)
        return -1;
    *ret = a.sum;
    if (a.sum.errors == 0)
        return 0;
    return err_set(err, P11CA_NEGATIVE, "LINT", "%s: %zu error%s in %zu object%s", order->file, a.sum.errors,
        a.sum.errors == 1 ? "" : "s", a.sum.objects, a.sum.objects == 1 ? "" : "s");
}
