#include "ceremony/stage.h"

#include <p11ca/issue.h>
#include <p11ca/token.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "base/scope.h"
#include "base/secret.h"
#include "ceremony/cast.h"
#include "issue/authority.h"
#include "x509/csr.h"
#include "x509/key.h"
#include "x509/name.h"
#include "x509/pem.h"

SCOPE_DEFINE(pkey, EVP_PKEY *, EVP_PKEY_free)

/* Whoever signs for authorities whose issuer is in no home of ours. */
#define OUTSIDE "rehearsal-outside"
/* Its own profile, without an end: whatever it signs ends within. */
#define OUTSIDE_PROFILE OUTSIDE

/* --- p11ca.conf --- */

static void add_quoted(struct buf *b, const char *value)
{
    buf_addc(b, '"');
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            buf_addc(b, '\\');
        buf_addc(b, (uint8_t)*value);
    }
    buf_addc(b, '"');
}

static void add_string(struct buf *b, const char *key, const char *value)
{
    if (!value)
        return;
    buf_addf(b, " %s = ", key);
    add_quoted(b, value);
    buf_addc(b, ';');
}

static void add_strings(struct buf *b, const char *key, const struct conf_strs *v)
{
    size_t i;

    if (!v->n)
        return;
    buf_addf(b, " %s = [", key);
    for (i = 0; i < v->n; i++)
        buf_addf(b, "%s \"%s\"", i ? "," : "", v->v[i]);
    buf_adds(b, " ];");
}

/* A PIN in shares stays one, so that its custodians can practise; nobody there: the shares are files. */
static void add_pin(struct buf *b, const struct p11ca_home *real, const struct token_binding *t)
{
    bool attended = real->env.ui && real->env.ui->ask;

    if (strncmp(t->pin, "shares", 6) == 0 && attended)
        add_string(b, "pin", "shares");
    else
        buf_addf(b, " pin = \"%s:pins/%s\";", strncmp(t->pin, "shares", 6) == 0 ? "shares" : "file", t->name);
}

static void add_tokens(struct buf *b, const struct p11ca_home *real)
{
    size_t i;

    buf_adds(b, "tokens = {\n");
    for (i = 0; i < real->n_tokens; i++) {
        const struct token_binding *t = &real->tokens[i];

        buf_addf(b,
            "  %s = { kind = \"softhsm2\"; uri = \"pkcs11:token=rehearsal-%zu-%.16s\"; store = \"softhsm\";",
            t->name, i + 1, t->name);
        add_pin(b, real, t);
        buf_addf(b, " so-pin = \"file:pins/%s-so\"; };\n", t->name);
    }
    buf_adds(b,
        "  " OUTSIDE " = { kind = \"softhsm2\"; uri = \"pkcs11:token=" OUTSIDE "\"; store = \"softhsm\";"
        " pin = \"file:pins/" OUTSIDE "\"; so-pin = \"file:pins/" OUTSIDE "-so\"; };\n};\n");
}

/* setting: while the stage is set every authority has a token; afterwards those that have one in the real home. */
static void add_authority(struct buf *b, const struct authority_conf *a, bool setting)
{
    bool lent = setting && !a->token;
    const char *issuer = a->issuer;

    if (setting && !issuer && !a->profile->self_signed)
        issuer = OUTSIDE;
    buf_addf(b, "  %s = {", a->name);
    add_string(b, "token", lent ? OUTSIDE : a->token_name);
    add_string(b, "key", lent ? a->name : a->key);
    add_string(b, "subject", a->subject);
    add_string(b, "profile", a->profile_name);
    add_string(b, "issuer", issuer);
    add_strings(b, "issues", &a->issues);
    add_string(b, "crl-url", a->crl_url);
    if (a->crl_partitions)
        buf_addf(b, " crl-partitions = %d;", a->crl_partitions);
    add_string(b, "ocsp-url", a->ocsp_url);
    add_string(b, "ca-issuers-url", a->ca_issuers_url);
    add_string(b, "device-uri", a->device_uri);
    add_string(b, "ticket-from", a->ticket_from);
    buf_adds(b, " };\n");
}

/* The real home's lists, where they are: a request that would be refused is refused now. */
static int add_weak_keys(struct buf *b, const struct p11ca_home *real, struct p11ca_err *err)
{
    const char *name;
    size_t i;

    for (i = 0; (name = weak_list_path(real->weak_keys, i)); i++) {
        AUTO_STR path = realpath(name, NULL);

        if (!path)
            return err_errno(err, P11CA_CONFIG, "%s", name);
        buf_adds(b, i ? ", " : "weak-keys = [ ");
        add_quoted(b, path);
    }
    buf_adds(b, i ? " ];\n" : "");
    return 0;
}

/* Whole, so that they need no base. */
static int add_profiles(struct buf *b, const struct p11ca_home *real, struct p11ca_err *err)
{
    const struct profile *p;
    size_t i;

    buf_adds(b, "profiles = {\n");
    for (i = 0; (p = profiles_at(real->profiles, i)); i++) {
        if (!p->builtin && profile_to_conf(p, b, err) != 0)
            return -1;
    }
    buf_adds(b, "  " OUTSIDE_PROFILE " = { base = \"root-ca\"; no-expiry = true; };\n};\n");
    return 0;
}

/* It issues what nobody at hand does. */
static void add_outside(struct buf *b, const struct p11ca_home *real)
{
    size_t i;

    buf_adds(b,
        "  " OUTSIDE " = { token = \"" OUTSIDE "\"; key = \"" OUTSIDE "\"; profile = \"" OUTSIDE_PROFILE "\";"
        " subject = \"CN=REHEARSAL stand-in for an issuer elsewhere\"; issues = [ \"issuing-ca\"");
    for (i = 0; i < real->n_authorities; i++) {
        if (!real->authorities[i].issuer && !real->authorities[i].profile->self_signed)
            buf_addf(b, ", \"%s\"", real->authorities[i].profile_name);
    }
    buf_adds(b, " ]; };\n");
}

static int write_conf(
    const struct stage *s, const struct p11ca_home *real, bool setting, struct p11ca_err *err)
{
    AUTO_STR path = path_join(s->dir, "p11ca.conf");
    AUTO_BUF b = BUF_INIT;
    size_t i;

    buf_adds(&b, "# REHEARSAL\n");
    add_tokens(&b, real);
    if (add_weak_keys(&b, real, err) != 0 || add_profiles(&b, real, err) != 0)
        return -1;
    buf_adds(&b, "authorities = {\n");
    for (i = 0; i < real->n_authorities; i++)
        add_authority(&b, &real->authorities[i], setting);
    if (setting)
        add_outside(&b, real);
    buf_adds(&b, "};\n");
    if (!path || !buf_ok(&b))
        return err_nomem(err);
    return file_write(path, FILE_REPLACE, 0644, b.p, b.len, err);
}

static int write_pin(const char *folder, const char *name, const char *suffix, struct p11ca_err *err)
{
    char file[128];
    AUTO_STR path = NULL;
    AUTO_SECRET pin = SECRET_INIT;

    snprintf(file, sizeof(file), "%.96s%s", name, suffix);
    path = path_join(folder, file);
    if (!path)
        return err_nomem(err);
    if (secret_random(&pin, 16, err) != 0)
        return -1;
    return file_write(path, FILE_NEW, 0600, pin.p, pin.len, err);
}

static int write_pins(const struct stage *s, const struct p11ca_home *real, struct p11ca_err *err)
{
    AUTO_STR folder = path_join(s->dir, "pins");
    size_t i;

    if (!folder)
        return err_nomem(err);
    if (file_mkdir(folder, 0700, err) != 0 || write_pin(folder, OUTSIDE, "", err) != 0 ||
        write_pin(folder, OUTSIDE, "-so", err) != 0)
        return -1;
    for (i = 0; i < real->n_tokens; i++) {
        if (write_pin(folder, real->tokens[i].name, "", err) != 0 ||
            write_pin(folder, real->tokens[i].name, "-so", err) != 0)
            return -1;
    }
    return 0;
}

/* --- stand-ins --- */

struct setting {
    struct stage *stage;
    const struct p11ca_home *real;
    const struct script *script;
    struct cast *cast;
    bool *token_ready; /* as in the stage home's tokens */
};

static const char *algorithm_of(const struct cast_member *m)
{
    static const char *const names[] = {[KEY_P256] = "P-256", [KEY_P384] = "P-384", [KEY_P521] = "P-521"};

    if (!m->recorded)
        return "P-256";
    if (m->spki.kind == KEY_RSA)
        return m->spki.bits > 3072 ? "RSA-4096" : "RSA-3072";
    return names[m->spki.kind];
}

static int need_token(struct setting *s, const struct token_binding *t, struct p11ca_err *err)
{
    struct p11ca_home *home = s->stage->home;
    bool *ready = &s->token_ready[t - home->tokens];

    if (*ready)
        return 0;
    *ready = true;
    return p11ca_token_init(home, t->name, err);
}

static int make_key(
    struct setting *s, const struct authority_conf *conf, const char *algorithm, struct p11ca_err *err)
{
    if (need_token(s, conf->token, err) != 0)
        return -1;
    return p11ca_generate_key(s->stage->home, conf->name, algorithm, err);
}

static int need_cert(struct setting *s, const char *name, struct p11ca_err *err);

static char *stage_path(const struct setting *s, const char *name)
{
    return path_join(s->stage->dir, name);
}

/* The issuer's signature over the authority's request, into a file. */
static int sign_cert(
    struct setting *s, const struct authority_conf *conf, const char *output, struct p11ca_err *err)
{
    AUTO_STR request = stage_path(s, "stand-in.csr");
    struct p11ca_issued issued;
    struct p11ca_order order = {
        .authority = conf->issuer,
        .profile = conf->profile_name,
        .subject = conf->subject,
        .csr = request,
        .output = output,
    };

    if (!request)
        return err_nomem(err);
    if (need_cert(s, conf->issuer, err) != 0 ||
        p11ca_request(s->stage->home, conf->name, request, true, err) != 0)
        return -1;
    return p11ca_issue(s->stage->home, &order, &issued, NULL, NULL, err);
}

static int make_cert(struct setting *s, const struct authority_conf *conf, struct p11ca_err *err)
{
    char file[96];
    AUTO_STR signed_ = NULL;

    if (conf->profile->self_signed)
        return p11ca_self_sign(s->stage->home, conf->name, NULL, err);
    snprintf(file, sizeof(file), "stand-in-%s.crt", conf->name);
    signed_ = stage_path(s, file);
    if (!signed_)
        return err_nomem(err);
    if (sign_cert(s, conf, signed_, err) != 0)
        return -1;
    return p11ca_install(s->stage->home, conf->name, signed_, err);
}

static int need_key(
    struct setting *s, const char *name, const struct authority_conf **ret, struct p11ca_err *err)
{
    struct cast_member *m = cast_find(s->cast, name);

    if (home_authority(s->stage->home, name, ret, err) != 0)
        return -1;
    if (m && m->key_made)
        return 0;
    if (m)
        m->key_made = true;
    return make_key(s, *ret, m ? algorithm_of(m) : "P-256", err);
}

static int need_cert(struct setting *s, const char *name, struct p11ca_err *err)
{
    struct cast_member *m = cast_find(s->cast, name);
    const struct authority_conf *conf;

    if (m ? m->cert_made : s->cast->outside_made)
        return 0;
    if (m)
        m->cert_made = true;
    else
        s->cast->outside_made = true;
    return need_key(s, name, &conf, err) != 0 ? -1 : make_cert(s, conf, err);
}

/* A request by somebody else's key. */
static int make_foreign_request(
    struct setting *s, const char *subject, const char *path, struct p11ca_err *err)
{
    SCOPED(pkey) EVP_PKEY *key = NULL;
    AUTO_BUF name = BUF_INIT, der = BUF_INIT, pem = BUF_INIT;
    struct spki spki;

    (void)s;
    if (key_new(KEY_P256, 0, &key, err) != 0 || spki_of_key(key, &spki, err) != 0 ||
        name_from_text(subject, &name, err) != 0 || csr_make(key, der_buf(&name), &spki, &der, err) != 0)
        return -1;
    pem_encode(PEM_CSR, der_buf(&der), &pem);
    return buf_ok(&pem) ? file_write(path, FILE_NEW, 0644, pem.p, pem.len, err) : err_nomem(err);
}

static int copy_file(const char *from, const char *to, struct p11ca_err *err)
{
    AUTO_BUF b = BUF_INIT;

    if (file_read(from, LIMIT_ARTEFACT, &b, err) != 0)
        return -1;
    return file_write(to, FILE_NEW, 0644, b.p, b.len, err);
}

static int stand_in_file(
    struct setting *s, const struct cast_file *f, const char *path, struct p11ca_err *err)
{
    static const char text[] = "REHEARSAL: a stand-in for a file that is not there yet\n";
    const struct authority_conf *conf;

    switch (f->what) {
    case CAST_REQUEST:
        return make_foreign_request(s, f->subject, path, err);
    case CAST_CERTIFICATE:
        if (need_key(s, f->authority, &conf, err) != 0)
            return -1;
        return sign_cert(s, conf, path, err);
    case CAST_FILE:
        return file_write(path, FILE_NEW, 0644, text, sizeof(text) - 1, err);
    }
    return 0;
}

/* The real file, when it is there: what is rehearsed is what will be signed. A certificate is for another key. */
static int set_file(struct setting *s, const struct cast_file *f, struct p11ca_err *err)
{
    AUTO_STR from = path_join(s->real->dir, f->name);
    AUTO_STR to = stage_path(s, f->name);

    if (!from || !to)
        return err_nomem(err);
    if (!path_is_below(f->name) || file_exists(to))
        return 0; /* read where it is */
    if (f->what != CAST_CERTIFICATE && file_exists(from))
        return copy_file(from, to, err);
    return stand_in_file(s, f, to, err);
}

/* The folders that a file of the script is in. */
static int make_folders(const struct stage *stage, const char *name, struct p11ca_err *err)
{
    const char *slash = name;

    if (!name || !path_is_below(name))
        return 0;
    while ((slash = strchr(slash, '/'))) {
        AUTO_STR part = strndup(name, (size_t)(slash++ - name));
        AUTO_STR path = part ? path_join(stage->dir, part) : NULL;

        if (!path)
            return err_nomem(err);
        if (file_mkdir(path, 0755, err) != 0)
            return -1;
    }
    return 0;
}

static int set_folders(const struct stage *stage, const struct script *script, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < script->n_steps; i++) {
        const struct step_args *a = &script->steps[i].args;

        if (make_folders(stage, a->file, err) != 0 || make_folders(stage, a->request, err) != 0 ||
            make_folders(stage, a->certificate, err) != 0)
            return -1;
    }
    return 0;
}

static int set_all(struct setting *s, struct p11ca_err *err)
{
    const struct authority_conf *conf;
    size_t i;

    for (i = 0; i < s->cast->n; i++) {
        struct cast_member *m = &s->cast->members[i];

        if (m->need_key && need_key(s, m->name, &conf, err) != 0)
            return -1;
        if (m->need_cert && need_cert(s, m->name, err) != 0)
            return -1;
    }
    for (i = 0; i < s->cast->n_files; i++) {
        if (set_file(s, &s->cast->files[i], err) != 0)
            return -1;
    }
    return 0;
}

static int set_stage(struct stage *stage, const struct p11ca_home *real, const struct script *script,
    const struct p11ca_options *options, struct p11ca_err *err)
{
    struct setting s = {.stage = stage, .real = real, .script = script};
    AUTO_CAST cast = {0};
    int rc;

    if (write_pins(stage, real, err) != 0 || set_folders(stage, script, err) != 0 ||
        write_conf(stage, real, true, err) != 0 || cast_make(&cast, real, script, err) != 0 ||
        p11ca_home_open(&stage->home, stage->dir, options, err) != 0)
        return -1;
    s.cast = &cast;
    s.token_ready = calloc(stage->home->n_tokens, sizeof(*s.token_ready));
    rc = s.token_ready ? set_all(&s, err) : err_nomem(err);
    free(s.token_ready);
    p11ca_home_close(stage->home);
    stage->home = NULL;
    if (rc != 0)
        return err_prefix(err, "setting the stage");
    if (write_conf(stage, real, false, err) != 0)
        return -1;
    return p11ca_home_open(&stage->home, stage->dir, options, err);
}

static int make_dir(struct stage *s, struct p11ca_err *err)
{
    const char *tmp = getenv("TMPDIR");

    s->dir = path_join(tmp && *tmp ? tmp : "/tmp", "p11ca-rehearsal-XXXXXX");
    return s->dir ? file_mkdtemp(s->dir, err) : err_nomem(err);
}

int stage_make(struct stage *ret, const struct p11ca_home *real, const struct script *script,
    const struct p11ca_options *options, struct p11ca_err *err)
{
    *ret = (struct stage){.dir = NULL};
    if (make_dir(ret, err) != 0) {
        free(ret->dir);
        ret->dir = NULL;
        return -1;
    }
    if (set_stage(ret, real, script, options, err) == 0)
        return 0;
    stage_done(ret);
    return -1;
}

void stage_done(struct stage *s)
{
    p11ca_home_close(s->home);
    if (s->dir)
        file_remove_tree(s->dir);
    free(s->dir);
    *s = (struct stage){.dir = NULL};
}
