#include "ceremony/cast.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/scope.h"
#include "ceremony/steps.h"
#include "issue/authority.h"

/* What each kind of step does to, and wants of, the authorities and files it names. */
enum part {
    MAKES_KEY = 1,    /* of authority */
    MAKES_CERT = 2,   /* of authority */
    WANTS_KEY = 4,    /* of authority */
    WANTS_CERT = 8,   /* of authority */
    CROSSES = 16,     /* wants key and certificate of "for" */
    READS_CSR = 32,   /* request: of "for", or with the step's subject */
    READS_CERT = 64,  /* certificate, of authority */
    READS_FILE = 128, /* file */
};

static const struct {
    const char *kind;
    unsigned parts;
} kinds[] = {
    {"generate-key", MAKES_KEY},
    {"self-sign", WANTS_KEY | MAKES_CERT},
    {"request", WANTS_KEY},
    {"sign-request", WANTS_KEY | WANTS_CERT | READS_CSR},
    {"cross-sign", WANTS_KEY | WANTS_CERT | CROSSES},
    {"ocsp-signer", WANTS_KEY | WANTS_CERT | READS_CSR},
    {"sign-crl", WANTS_KEY | WANTS_CERT},
    {"sign-ticket", WANTS_KEY | WANTS_CERT | CROSSES},
    {"install", MAKES_CERT | READS_CERT},
    {"export", WANTS_CERT},
    {"destroy-key", WANTS_KEY},
    {"verify-files", READS_FILE},
    {"hash-announce", READS_FILE},
};

static unsigned parts_of(const struct step *step)
{
    size_t i;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].kind, step->kind->name) == 0)
            return kinds[i].parts;
    }
    return 0;
}

struct cast_member *cast_find(const struct cast *cast, const char *name)
{
    size_t i;

    for (i = 0; name && i < cast->n; i++) {
        if (strcmp(cast->members[i].name, name) == 0)
            return &cast->members[i];
    }
    return NULL;
}

/* A ticket's signature is beside it. */
static bool is_beside(const char *made, const char *name)
{
    size_t len = strlen(made);

    return strncmp(name, made, len) == 0 && strcmp(name + len, ".p7s") == 0;
}

static bool makes_file(const struct step *step, const char *name)
{
    static const char *const writers[] = {
        "sign-ticket", "request", "export", "sign-crl", "sign-request", "cross-sign", "ocsp-signer"};
    size_t i;

    for (i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
        const char *made = i < 4 ? step->args.file : step->args.certificate;

        if (strcmp(writers[i], step->kind->name) == 0 && made &&
            (strcmp(made, name) == 0 || (i == 0 && is_beside(made, name))))
            return true;
    }
    return false;
}

static void want_file(struct cast *cast, const struct script *s, const struct step *reader,
    enum cast_what what, const char *name, const char *authority, const char *subject)
{
    struct cast_file *f;
    size_t i;

    if (!name)
        return;
    for (i = 0; i + 1 < reader->number; i++) {
        if (makes_file(&s->steps[i], name))
            return;
    }
    /* Whoever reads it as more than a file says what it must be. */
    for (f = cast->files; f < cast->files + cast->n_files; f++) {
        if (strcmp(f->name, name) != 0)
            continue;
        if (f->what == CAST_FILE)
            *f = (struct cast_file){what, name, authority, subject};
        return;
    }
    cast->files[cast->n_files++] = (struct cast_file){what, name, authority, subject};
}

static const char *subject_of(const struct p11ca_home *home, const struct step *step)
{
    const struct authority_conf *conf;
    struct p11ca_err ignored;

    if (step->args.subject_of && home_authority(home, step->args.subject_of, &conf, &ignored) == 0)
        return conf->subject;
    return step->args.subject ? step->args.subject : "";
}

/* Later steps profit from earlier ones: only what is wanted before it is made has to be found. */
static void take_step(
    struct cast *cast, const struct p11ca_home *home, const struct script *s, const struct step *step)
{
    struct cast_member *a = cast_find(cast, step->args.authority),
                       *crossed = cast_find(cast, step->args.subject_of);
    unsigned parts = parts_of(step);

    if (a && (parts & WANTS_KEY) && !a->generates)
        a->need_key = true;
    if (a && (parts & WANTS_CERT) && !a->certifies)
        a->need_cert = true;
    if (crossed && (parts & CROSSES) && !crossed->certifies)
        crossed->need_cert = true;
    if (parts & READS_CSR)
        want_file(cast, s, step, CAST_REQUEST, step->args.request, NULL, subject_of(home, step));
    if (a && (parts & READS_CERT))
        want_file(cast, s, step, CAST_CERTIFICATE, step->args.certificate, a->name, NULL);
    if (parts & READS_FILE)
        want_file(cast, s, step, CAST_FILE, step->args.file, NULL, NULL);
    if (a && (parts & MAKES_KEY))
        a->generates = true;
    if (a && (parts & MAKES_CERT))
        a->certifies = true;
}

static int take_recorded(struct cast *cast, const struct p11ca_home *home, struct p11ca_err *err)
{
    AUTO_LEDGER l = NULL;
    size_t i;

    if (!file_exists(home->ledger_path))
        return 0;
    if (home_ledger_read(home, &l, err) != 0)
        return -1;
    for (i = 0; i < cast->n; i++) {
        struct cast_member *m = &cast->members[i];
        AUTO_RECORD record = NULL;

        if (ledger_get_authority(l, m->name, &record, err) != 0 ||
            (record && spki_read(record->spki.p, record->spki.len, &m->spki, err) != 0))
            return -1;
        m->recorded = record != NULL;
    }
    return 0;
}

int cast_make(
    struct cast *ret, const struct p11ca_home *real, const struct script *script, struct p11ca_err *err)
{
    size_t i;

    *ret = (struct cast){.n = real->n_authorities};
    ret->members = calloc(ret->n + 1, sizeof(*ret->members));
    if (!ret->members)
        return err_nomem(err);
    for (i = 0; i < ret->n; i++)
        ret->members[i].name = real->authorities[i].name;
    if (take_recorded(ret, real, err) != 0) {
        cast_done(ret);
        return -1;
    }
    for (i = 0; i < script->n_steps; i++)
        take_step(ret, real, script, &script->steps[i]);
    return 0;
}

void cast_done(struct cast *cast)
{
    free(cast->members);
    cast->members = NULL;
}
