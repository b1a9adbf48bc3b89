#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/commands.h"

static const struct cli_option options[] = {
    {"list", 0, NULL, "only the names of the commands, one per line", false},
};

/* "help ceremony run" and "help issue". */
static int run(struct cli *cli, struct p11ca_err *err)
{
    const struct command *const *c;
    char name[64];

    if (cli->n_args == 0 && !cli_flag(cli, "list")) {
        cli_help_all();
        return 0;
    }
    snprintf(name, sizeof(name), "%s%s%s", cli->n_args ? cli->args[0] : "", cli->n_args > 1 ? " " : "",
        cli->n_args > 1 ? cli->args[1] : "");
    for (c = cli_commands; *c; c++) {
        if (cli_flag(cli, "list")) {
            printf("%s\n", (*c)->name);
        } else if (strcmp((*c)->name, name) == 0) {
            cli_help(*c);
            return 0;
        }
    }
    return cli_flag(cli, "list")
               ? 0
               : err_set(err, P11CA_USAGE, "USAGE", "unknown command '%s'; see p11ca help", name);
}

const struct command cmd_help = {
    "help", "[COMMAND]", 0, 2, "help for a command, or for all", NULL, CLI_OPTIONS(options), run};
