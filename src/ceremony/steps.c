#include "ceremony/steps.h"

#include <p11ca/issue.h>
#include <p11ca/token.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "base/scope.h"
#include "token/key.h"

#define S(key, req, member)                                                                                  \
    {                                                                                                        \
        key, CONF_STR, req, offsetof(struct step_args, member)                                               \
    }
#define DO S("do", true, action)

static int need_authority(const struct script *s, const struct step *step, const struct p11ca_home *home,
    const char *name, const struct authority_conf **ret, struct p11ca_err *err)
{
    struct p11ca_err why;

    if (home_authority(home, name, ret, &why) != 0)
        return conf_err(&s->conf, step->at, err, "%s: %s", step->kind->name, why.msg);
    return 0;
}

/* Paths of a script start at the home. */
static int need_file(const struct script *s, const struct step *step, const struct p11ca_home *home,
    const struct script_files *files, const char *name, struct p11ca_err *err)
{
    AUTO_STR path = path_join(home->dir, name);
    size_t i;

    for (i = 0; i < files->n; i++) {
        if (strcmp(files->made[i], name) == 0)
            return 0;
    }
    if (path && file_exists(path))
        return 0;
    return conf_err(
        &s->conf, step->at, err, "%s: nothing makes '%s', and it is not there", step->kind->name, name);
}

static int will_make(const struct script *s, const struct step *step, struct script_files *files,
    const char *name, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < files->n; i++) {
        if (strcmp(files->made[i], name) == 0)
            return conf_err(
                &s->conf, step->at, err, "%s: '%s' is made by an earlier step", step->kind->name, name);
    }
    files->made[files->n++] = name;
    return 0;
}

static const struct conf_field say_fields[] = {DO, S("text", true, text)};

static int say_check(const struct script *s, const struct step *step, const struct p11ca_home *home,
    struct script_files *files, struct p11ca_err *err)
{
    (void)home, (void)files;
    return step->args.text[0] ? 0 : conf_err(&s->conf, step->at, err, "say: text is empty");
}

static void say_describe(const struct step *step, struct buf *ret)
{
    buf_adds(ret, step->args.text);
}

static int say_run(struct p11ca_home *home, const struct step *step, struct p11ca_err *err)
{
    (void)home, (void)step, (void)err;
    return 0; /* the describing was it */
}

static const struct conf_field init_token_fields[] = {DO, S("token", true, token)};

static int init_token_check(const struct script *s, const struct step *step, const struct p11ca_home *home,
    struct script_files *files, struct p11ca_err *err)
{
    const struct token_binding *b;
    struct p11ca_err why;

    (void)files;
    if (home_token(home, step->args.token, &b, &why) != 0)
        return conf_err(&s->conf, step->at, err, "init-token: %s", why.msg);
    return 0;
}

static void init_token_describe(const struct step *step, struct buf *ret)
{
    buf_addf(ret, "Initialise the blank token '%s' and set its PINs", step->args.token);
}

static int init_token_run(struct p11ca_home *home, const struct step *step, struct p11ca_err *err)
{
    return p11ca_token_init(home, step->args.token, err);
}

static const struct conf_field generate_key_fields[] = {
    DO, S("authority", true, authority), S("algorithm", true, algorithm)};

static int generate_key_check(const struct script *s, const struct step *step, const struct p11ca_home *home,
    struct script_files *files, struct p11ca_err *err)
{
    const struct authority_conf *a;
    const char *const *name;

    (void)files;
    if (need_authority(s, step, home, step->args.authority, &a, err) != 0)
        return -1;
    for (name = key_algorithms(); *name; name++) {
        if (strcmp(*name, step->args.algorithm) == 0)
            return 0;
    }
    return conf_err(&s->conf, step->at, err,
        "generate-key: algorithm '%s': want P-256, P-384, P-521, RSA-3072 or RSA-4096", step->args.algorithm);
}

static void generate_key_describe(const struct step *step, struct buf *ret)
{
    buf_addf(ret, "Generate the %s key of authority '%s' inside its token, and read its attributes back",
        step->args.algorithm, step->args.authority);
}

static int generate_key_run(struct p11ca_home *home, const struct step *step, struct p11ca_err *err)
{
    return p11ca_generate_key(home, step->args.authority, step->args.algorithm, err);
}

static const struct conf_field self_sign_fields[] = {DO, S("authority", true, authority)};

static int self_sign_check(const struct script *s, const struct step *step, const struct p11ca_home *home,
    struct script_files *files, struct p11ca_err *err)
{
    const struct authority_conf *a;

    (void)files;
    if (need_authority(s, step, home, step->args.authority, &a, err) != 0)
        return -1;
    if (!a->profile->self_signed)
        return conf_err(&s->conf, step->at, err, "self-sign: authority '%s': profile '%s' is not self-signed",
            a->name, a->profile->name);
    return 0;
}

static void self_sign_describe(const struct step *step, struct buf *ret)
{
    buf_addf(
        ret, "Sign the certificate of authority '%s' with its own key, and install it", step->args.authority);
}

static int self_sign_run(struct p11ca_home *home, const struct step *step, struct p11ca_err *err)
{
    return p11ca_self_sign(home, step->args.authority, NULL, err);
}

static const struct conf_field request_fields[] = {
    DO, S("authority", true, authority), S("file", true, file)};

static int request_check(const struct script *s, const struct step *step, const struct p11ca_home *home,
    struct script_files *files, struct p11ca_err *err)
{
    const struct authority_conf *a;

    if (need_authority(s, step, home, step->args.authority, &a, err) != 0)
        return -1;
    return will_make(s, step, files, step->args.file, err);
}

static void request_describe(const struct step *step, struct buf *ret)
{
    buf_addf(ret, "Write the request of authority '%s', signed by its key, to %s", step->args.authority,
        step->args.file);
}

static int request_run(struct p11ca_home *home, const struct step *step, struct p11ca_err *err)
{
    AUTO_STR path = path_join(home->dir, step->args.file);

    return path ? p11ca_request(home, step->args.authority, path, false, err) : err_nomem(err);
}

static const struct conf_field sign_request_fields[] = {
    DO,
    S("authority", true, authority),
    S("for", true, subject_of),
    S("request", true, request),
    S("certificate", true, certificate),
    {"days", CONF_INT, false, offsetof(struct step_args, days)},
};

/* RFC 5280 4.2.1.9: what the issuer's own profile lets it sign. */
static int sign_request_check(const struct script *s, const struct step *step, const struct p11ca_home *home,
    struct script_files *files, struct p11ca_err *err)
{
    const struct authority_conf *a, *child;
    size_t i;

    if (need_authority(s, step, home, step->args.authority, &a, err) != 0 ||
        need_authority(s, step, home, step->args.subject_of, &child, err) != 0 ||
        need_file(s, step, home, files, step->args.request, err) != 0)
        return -1;
    if (!child->issuer || strcmp(child->issuer, a->name) != 0)
        return conf_err(&s->conf, step->at, err, "sign-request: authority '%s': its issuer is '%s', not '%s'",
            child->name, child->issuer ? child->issuer : "(none)", a->name);
    for (i = 0; i < a->issues.n && strcmp(a->issues.v[i], child->profile->name) != 0; i++)
        ;
    if (i == a->issues.n)
        return conf_err(&s->conf, step->at, err, "sign-request: authority '%s' may not issue profile '%s'",
            a->name, child->profile->name);
    if (step->args.days < 0 || (unsigned)step->args.days > child->profile->days_max)
        return conf_err(&s->conf, step->at, err, "sign-request: days: want 1 to %u, have %d",
            child->profile->days_max, step->args.days);
    return will_make(s, step, files, step->args.certificate, err);
}

static void sign_request_describe(const struct step *step, struct buf *ret)
{
    buf_addf(ret, "Sign %s with authority '%s' as the CA certificate of '%s', to %s", step->args.request,
        step->args.authority, step->args.subject_of, step->args.certificate);
}

static int sign_request_run(struct p11ca_home *home, const struct step *step, struct p11ca_err *err)
{
    AUTO_STR request = path_join(home->dir, step->args.request);
    AUTO_STR certificate = path_join(home->dir, step->args.certificate);
    const struct authority_conf *child;
    struct p11ca_issued issued;
    struct p11ca_order order = {.authority = step->args.authority, .days = (unsigned)step->args.days};

    if (!request || !certificate)
        return err_nomem(err);
    if (home_authority(home, step->args.subject_of, &child, err) != 0)
        return -1;
    order.profile = child->profile->name;
    order.subject = child->subject;
    order.key_of = child->name;
    order.csr = request;
    order.output = certificate;
    return p11ca_issue(home, &order, &issued, NULL, NULL, err);
}

static const struct conf_field install_fields[] = {
    DO, S("authority", true, authority), S("certificate", true, certificate)};

static int install_check(const struct script *s, const struct step *step, const struct p11ca_home *home,
    struct script_files *files, struct p11ca_err *err)
{
    const struct authority_conf *a;

    if (need_authority(s, step, home, step->args.authority, &a, err) != 0)
        return -1;
    return need_file(s, step, home, files, step->args.certificate, err);
}

static void install_describe(const struct step *step, struct buf *ret)
{
    buf_addf(ret, "Install %s as the CA certificate of authority '%s', checked against its key",
        step->args.certificate, step->args.authority);
}

static int install_run(struct p11ca_home *home, const struct step *step, struct p11ca_err *err)
{
    AUTO_STR path = path_join(home->dir, step->args.certificate);

    return path ? p11ca_install(home, step->args.authority, path, err) : err_nomem(err);
}

static const struct conf_field export_fields[] = {
    DO,
    S("authority", true, authority),
    S("file", true, file),
    {"chain", CONF_BOOL, false, offsetof(struct step_args, chain)},
};

static int export_check(const struct script *s, const struct step *step, const struct p11ca_home *home,
    struct script_files *files, struct p11ca_err *err)
{
    return request_check(s, step, home, files, err);
}

static void export_describe(const struct step *step, struct buf *ret)
{
    buf_addf(ret, "Write the CA certificate of authority '%s'%s to %s", step->args.authority,
        step->args.chain ? " and those above it" : "", step->args.file);
}

static int export_run(struct p11ca_home *home, const struct step *step, struct p11ca_err *err)
{
    AUTO_STR path = path_join(home->dir, step->args.file);

    return path ? p11ca_export(home, step->args.authority, path, step->args.chain, false, err)
                : err_nomem(err);
}

#define K(name, id)                                                                                          \
    {                                                                                                        \
        name, id##_fields, sizeof(id##_fields) / sizeof(id##_fields[0]), id##_check, id##_describe, id##_run \
    }
static const struct step_kind kinds[] = {
    K("say", say),
    K("init-token", init_token),
    K("generate-key", generate_key),
    K("self-sign", self_sign),
    K("request", request),
    K("sign-request", sign_request),
    K("install", install),
    K("export", export),
};

const struct step_kind *step_kind_find(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    }
    return NULL;
}
