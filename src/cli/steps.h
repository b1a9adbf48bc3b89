/* Showing the steps of a ceremony: shared by init and ceremony. */
#ifndef CLI_STEPS_H
#define CLI_STEPS_H

#include <p11ca/ceremony.h>

#include "cli/cli.h"

struct cli_steps {
    struct cli *cli;
    json_t *done; /* array of what was done */
};

/* A p11ca_step_fn: talk on stderr, what is done into the array. arg is a struct cli_steps. */
void cli_show_step(void *arg, const struct p11ca_step *step);

#endif
