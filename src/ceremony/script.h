/* A ceremony script: who is there, and steps of known kinds. Parsed here; what it means is checked by ceremony/plan.h. */
#ifndef CEREMONY_SCRIPT_H
#define CEREMONY_SCRIPT_H

#include <p11ca/ceremony.h>

#include "base/conf.h"
#include "base/hash.h"
#include "base/limits.h"

struct step_kind;

/* Somebody with a duty in the room. The name is filled in at run time (ceremony/people.h). */
struct role {
    const char *name;  /* "CA": short, as it stands in the steps and in front of the initials */
    const char *title; /* "Ceremony administrator" */
};

/* What the keys of a step say; NULL, 0 or empty when they are not there. Each kind reads the ones in its table. */
struct step_args {
    const char *action;       /* "do" */
    const char *by;           /* role that acts; the script's first when not given */
    struct conf_strs witness; /* roles that watch */
    const char *expect;       /* what should be seen */
    const char *if_wrong;     /* what to do when it is not */
    struct conf_strs
        approve;   /* signing steps: roles that look at the to-be-signed bytes; by when not given */
    bool approved; /* signing steps: only with the approvals the script asks for */

    const char *text;            /* say, confirm, backup-note */
    const char *ask;             /* backup-note: what is typed and recorded */
    const char *token;           /* check-empty-token, init-token, set-pin */
    struct conf_strs allow;      /* check-empty-token: labels of objects that may be there */
    struct conf_strs custodians; /* set-pin: roles that get a share each */
    int threshold;               /* set-pin: how many of them it takes */
    const char *authority;       /* whose key: generated, signs, is destroyed */
    const char *algorithm;       /* generate-key */
    const char *file; /* request, export, sign-crl, sign-ticket: written; verify-files, hash-announce: read */
    const char *sha256;      /* verify-files */
    const char *request;     /* sign-request, ocsp-signer: read */
    const char *certificate; /* sign-request, cross-sign, ocsp-signer: written; install: read */
    const char *subject_of;  /* "for": the authority that gets the certificate */
    const char *subject;     /* cross-sign: the subject it must have; ocsp-signer: the subject it gets */
    int days;
    int path_length; /* -1: as the profile says */
    struct conf_strs key_usage, eku;
    bool chain;
    const char *id, *profile, *sku, *ids,
        *not_before; /* sign-ticket: what is in the ticket (issue/ticket_text.h) */
    int count;
    int slots, every; /* sign-crl: so many more, signed ahead, one every so many days */
};

struct step {
    size_t number; /* from 1 */
    const struct step_kind *kind;
    const config_setting_t *at;
    struct step_args args;
};

struct script {
    struct conf conf;
    struct buf text; /* the file's own bytes */
    uint8_t sha256[SHA256_LEN];
    const char *title, *purpose;
    const char *policy; /* the clause of CP or CPS it is done under */
    const char *place;
    struct role roles[LIMIT_ROLES]; /* at least one: without any in the file, the operator */
    size_t n_roles;
    size_t approvals_need;         /* 0: no step asks for approvals */
    struct conf_strs approvals_of; /* roles */
    struct step steps[LIMIT_STEPS];
    size_t n_steps;
};

#define SCRIPT_NAME "a ceremony script"

/* Syntax, keys, roles; P11CA_CONFIG with file and line. Stays where it is: steps point into it. */
P11CA_CHECK int script_load(struct script *ret, const char *path, struct p11ca_err *err);
void script_done(struct script *s);

/* NULL when there is none. */
const struct role *script_role(const struct script *s, const char *name);

/* The role that acts in the step. */
const struct role *script_actor(const struct script *s, const struct step *step);

/* An error at a step: "file:line: kind: what". Returns -1. */
int script_err(const struct script *s, const struct step *step, struct p11ca_err *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
