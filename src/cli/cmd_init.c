#include <stdio.h>

#include "base/err.h"
#include "cli/commands.h"
#include "cli/steps.h"

static const struct cli_option options[] = {
    {"name", 0, "NAME", "of the organisation, in the CA subjects (default: Example)", false},
    {"softhsm", 0, NULL,
        "an embedded SoftHSM store with a working root and factory CA, for CI and trying out", false},
};

static int run(struct cli *cli, struct p11ca_err *err)
{
    const struct p11ca_init init = {.name = cli_value(cli, "name"), .softhsm = cli_flag(cli, "softhsm")};
    struct cli_steps steps = {cli, json_array()};
    const char *dir = cli->args[0];
    int rc = p11ca_init(dir, &init, &cli->options, cli_show_step, &steps, err);

    if (rc != 0) {
        json_decref(steps.done);
        return -1;
    }
    if (cli->json) {
        cli_print_json(
            json_pack("{s:o,s:b,s:o}", "home", cli_text(dir), "ready", init.softhsm, "steps", steps.done));
        return 0;
    }
    json_decref(steps.done);
    printf("%s/p11ca.conf\n", dir);
    if (init.softhsm)
        cli_say(cli,
            "ready: p11ca -C %s issue -a factory -p server --new-key server.key --dns localhost -o "
            "server.crt",
            dir);
    else
        cli_say(cli, "next: edit %s/p11ca.conf, then run the ceremonies (man p11ca, CEREMONIES)", dir);
    return 0;
}

const struct command cmd_init = {"init", "DIR", 1, 1, "make a PKI home",
    "Writes DIR/p11ca.conf, commented. With --softhsm also PIN files and an embedded SoftHSM store, and runs "
    "the root and\n"
    "intermediate ceremonies: the authorities 'root' and 'factory' can issue at once. Keys in SoftHSM are "
    "files: for tests.",
    CLI_OPTIONS(options), run};
