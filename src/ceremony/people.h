/* Who is in the room: names for the roles of a script, and the keys of those who approve. */
#ifndef CEREMONY_PEOPLE_H
#define CEREMONY_PEOPLE_H

#include "ceremony/script.h"
#include "ceremony/transcript.h"

struct person {
    const char *name;        /* NULL: not given */
    const char *certificate; /* of the approver's key: a file, relative to the people file's folder */
    const char *token, *key; /* or where it is: a token of p11ca.conf, and the key's label */
    char *certificate_path;  /* where certificate is */
    char approver
        [TRANSCRIPT_HEX]; /* SHA-256 of its SubjectPublicKeyInfo, "" when nobody said: no other key approves */
    const config_setting_t *at;
};

struct people {
    struct conf conf;
    struct person of[LIMIT_ROLES]; /* as in script->roles */
    char names[LIMIT_ROLES][256];  /* escaped */
};

#define AUTO_PEOPLE __attribute__((cleanup(people_done))) struct people

/*
 * path: a libconfig file, `ROLE = "Name";` or `ROLE = { name = ...; certificate = ...; token = ...; key = ...; };` for
 * roles of the script; NULL: nobody is named yet. P11CA_CONFIG with file and line.
 */
P11CA_CHECK int people_load(
    struct people *ret, const char *path, const struct script *script, struct p11ca_err *err);
void people_done(struct people *p);

const struct person *people_get(const struct people *p, const struct script *s, const struct role *role);

/* {"role", "title", "name"} */
json_t *people_json(const struct people *p, const struct script *s, const struct role *role);

/*
 * Takes names and approvers' keys that a transcript recorded: a resumed ceremony has the same people unless a file says
 * otherwise. Another approver's key is refused (APPROVAL_KEY).
 */
P11CA_CHECK int people_from_begin(
    struct people *p, const struct script *s, const json_t *begin, struct p11ca_err *err);

#endif
