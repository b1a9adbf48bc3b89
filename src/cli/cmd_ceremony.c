#include <p11ca/ceremony.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/steps.h"

static void plan_step(void *arg, const struct p11ca_step *step)
{
    struct cli_steps *s = arg;

    if (s->cli->json)
        json_array_append_new(s->done, json_pack("{s:I,s:s,s:o}", "step", (json_int_t)step->number, "kind",
                                           step->kind, "text", cli_text(step->text)));
    else
        cli_print("%3zu  %-12s  %s", step->number, step->kind, step->text);
}

static int run_check(struct cli *cli, struct p11ca_err *err)
{
    struct cli_steps steps = {cli, json_array()};
    AUTO_HOME home = NULL;
    char title[256];

    if (cli_home(cli, &home, err) != 0 ||
        p11ca_ceremony_check(home, cli->args[0], plan_step, &steps, title, err) != 0) {
        json_decref(steps.done);
        return -1;
    }
    if (cli->json) {
        cli_print_json(json_pack("{s:o,s:o}", "title", cli_text(title), "steps", steps.done));
        return 0;
    }
    json_decref(steps.done);
    cli_say(cli, "%s: the script is good", title);
    return 0;
}

const struct command cmd_ceremony_check = {"ceremony check", "SCRIPT", 1, 1,
    "check a ceremony script, and show its steps",
    "Everything that can be found without touching a token, with file and line: unknown keys and steps, "
    "authorities and\n"
    "tokens that p11ca.conf does not have, files that nobody made.",
    NULL, 0, run_check};

static const struct cli_option run_options[] = {
    {"yes", 'y', NULL, "confirm every step, for CI", false},
};

static int run_run(struct cli *cli, struct p11ca_err *err)
{
    struct cli_steps steps = {cli, json_array()};
    AUTO_HOME home = NULL;

    if (cli_home(cli, &home, err) != 0 ||
        p11ca_ceremony_run(home, cli->args[0], cli_show_step, &steps, err) != 0) {
        json_decref(steps.done);
        return -1;
    }
    if (cli->json) {
        cli_print_json(json_pack("{s:b,s:o}", "completed", true, "steps", steps.done));
        return 0;
    }
    json_decref(steps.done);
    cli_say(cli, "the ceremony is complete");
    return 0;
}

const struct command cmd_ceremony_run = {"ceremony run", "SCRIPT", 1, 1, "run a ceremony script",
    "The script is checked as a whole first. Each step is then shown, confirmed on the terminal, done, and "
    "recorded in the\n"
    "ledger with the script's hash.",
    CLI_OPTIONS(run_options), run_run};
