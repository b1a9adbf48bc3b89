/*
 * The stage of a rehearsal: a temporary home with the authorities of a real one on throw-away SoftHSM tokens, and stand-ins
 * for what the script wants to find: keys, CA certificates, requests, files.
 */
#ifndef CEREMONY_STAGE_H
#define CEREMONY_STAGE_H

#include "ceremony/script.h"
#include "issue/home.h"

struct stage {
    char *dir;
    struct p11ca_home *home;
};

#define AUTO_STAGE __attribute__((cleanup(stage_done))) struct stage

/* real is read, and never written. options: of the home that is made (ui, clock, program). */
P11CA_CHECK int stage_make(struct stage *ret, const struct p11ca_home *real, const struct script *script,
    const struct p11ca_options *options, struct p11ca_err *err);

/* Closes the home and removes it, tokens and all. */
void stage_done(struct stage *s);

#endif
