/* A ceremony script, parsed and checked: a title and steps of known kinds. */
#ifndef CEREMONY_SCRIPT_H
#define CEREMONY_SCRIPT_H

#include <p11ca/ceremony.h>

#include "base/conf.h"
#include "base/hash.h"
#include "base/limits.h"

struct step_kind;

/* What the keys of a step say. Each kind reads the ones in its table. */
struct step_args {
    const char *action;      /* "do" */
    const char *text;        /* say */
    const char *token;       /* init-token */
    const char *authority;   /* who acts: whose key, who signs */
    const char *algorithm;   /* generate-key */
    const char *file;        /* request, export: written */
    const char *request;     /* sign-request: read */
    const char *certificate; /* sign-request: written; install: read */
    const char *subject_of;  /* sign-request: the authority that gets the certificate */
    int days;
    bool chain;
};

struct step {
    const struct step_kind *kind;
    const config_setting_t *at;
    struct step_args args;
};

struct script {
    struct conf conf;
    uint8_t sha256[SHA256_LEN];
    const char *title, *purpose;
    struct step steps[LIMIT_STEPS];
    size_t n_steps;
};

P11CA_CHECK int script_load(
    struct script *ret, const char *path, struct p11ca_home *home, struct p11ca_err *err);
void script_done(struct script *s);

#endif
