/* Running a checked script, in a home that may be a real or a rehearsal's. */
#ifndef CEREMONY_ENGINE_H
#define CEREMONY_ENGINE_H

#include "ceremony/folder.h"
#include "ceremony/run.h"

/* base: the folder that holds the home's ceremonies. options may be NULL. */
P11CA_CHECK int engine_run(struct p11ca_home *home, const struct script *script, const char *base,
    bool rehearsal, const struct p11ca_ceremony_options *options, p11ca_step_fn *fn, void *arg,
    struct p11ca_ceremony *ret, struct p11ca_err *err);
P11CA_CHECK int engine_resume(struct p11ca_home *home, const struct script *script, const char *base,
    const struct p11ca_ceremony_options *options, p11ca_step_fn *fn, void *arg, struct p11ca_ceremony *ret,
    struct p11ca_err *err);

#endif
