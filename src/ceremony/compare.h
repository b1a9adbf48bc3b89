/* Comparing a ceremony with its rehearsal: what the parts of p11ca_ceremony_compare() share. */
#ifndef CEREMONY_COMPARE_H
#define CEREMONY_COMPARE_H

#include "ceremony/findings.h"
#include "ceremony/folder.h"
#include "ceremony/transcript.h"

#define COMPARE_DIFFERS "CEREMONY_DIFFERS"

struct compare {
    struct findings f;
    const char *dirs[2]; /* the rehearsal, the ceremony */
    json_t *lines[2];
    bool again; /* the step under comparison was tried more than once on one side */
    bool nomem;
};

/* Two copies of an artefact that differ, one of each folder: parsed, and told apart by what must be equal. */
void compare_artefact(struct compare *c, const char *what, const char *file);

#endif
