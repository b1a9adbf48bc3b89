#include <p11ca/ceremony.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/scope.h"
#include "cli/commands.h"
#include "cli/steps.h"

static void plan_step(void *arg, const struct p11ca_step *step)
{
    struct cli_steps *s = arg;

    if (s->cli->json)
        json_array_append_new(s->done, json_pack("{s:I,s:s,s:o}", "step", (json_int_t)step->number, "kind",
                                           step->kind, "text", cli_text(step->text)));
    else
        cli_print("%3zu  %-17s  %s", step->number, step->kind, step->text);
}

static int write_plan(const struct cli *cli, const char *plan, struct p11ca_err *err)
{
    const char *path = cli_value(cli, "plan");

    return path ? file_write(path, FILE_NEW, 0644, plan, strlen(plan), err) : 0;
}

/* Before the steps are printed: a result is whole or not there. */
static int check_plan_file(const struct cli *cli, struct p11ca_err *err)
{
    const char *path = cli_value(cli, "plan");

    return path ? file_check_new(path, err) : 0;
}

static int run_check(struct cli *cli, struct p11ca_err *err)
{
    struct cli_steps steps = {cli, json_array()};
    AUTO_HOME home = NULL;
    AUTO_STR plan = NULL;
    char title[256];

    if (check_plan_file(cli, err) != 0 || cli_home(cli, &home, err) != 0 ||
        p11ca_ceremony_check(home, cli->args[0], plan_step, &steps, title, &plan, err) != 0 ||
        write_plan(cli, plan, err) != 0) {
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

static const struct cli_option check_options[] = {
    {"plan", 0, "FILE", "write what approvers sign: plan.txt", false},
};

const struct command cmd_ceremony_check = {"ceremony check", "SCRIPT", 1, 1,
    "check a ceremony script, and show its steps",
    "Everything that can be found without touching a token, with file and line: unknown keys and steps, "
    "authorities and\n"
    "tokens that p11ca.conf does not have, files that nobody made.",
    CLI_OPTIONS(check_options), run_check};

static const struct cli_option run_options[] = {
    {"yes", 'y', NULL, "confirm every step and type nothing, for CI", false},
    {"people", 0, "FILE", "names of those in the room; otherwise they are asked for", false},
    {"approvals", 0, "DIR", "where ROLE.sig are, signatures over plan.txt made elsewhere", false},
    {"dir", 0, "DIR", "the ceremony's folder; otherwise a new one under HOME/ceremonies", false},
};

static const struct cli_option resume_options[] = {
    {"yes", 'y', NULL, "confirm every step and type nothing, for CI", false},
    {"people", 0, "FILE", "names of those in the room; otherwise those of before", false},
    {"approvals", 0, "DIR", "where ROLE.sig are, signatures over plan.txt made elsewhere", false},
    {"dir", 0, "DIR", "the ceremony's folder; otherwise the unfinished one under HOME/ceremonies", false},
    {"abandon", 0, NULL, "do no further step: end the ceremony as it is", false},
};

typedef int ceremony_fn(struct p11ca_home *home, const char *script,
    const struct p11ca_ceremony_options *options, p11ca_step_fn *fn, void *arg, struct p11ca_ceremony *ret,
    struct p11ca_err *err);

static void show_end(const struct cli *cli, const struct p11ca_ceremony *c, json_t *steps, bool completed)
{
    if (cli->json) {
        cli_print_json(json_pack("{s:b,s:o,s:s,s:s,s:o}", "completed", completed, "folder", cli_text(c->dir),
            "sha256", c->sha256, "words", c->words, "steps", json_incref(steps)));
        return;
    }
    cli_say(cli, completed ? "the ceremony is complete: %s" : "the ceremony was abandoned: %s", c->dir);
}

static int run_any(struct cli *cli, ceremony_fn *fn, struct p11ca_err *err)
{
    const struct p11ca_ceremony_options options = {
        .people = cli_value(cli, "people"),
        .approvals = cli_value(cli, "approvals"),
        .dir = cli_value(cli, "dir"),
        .abandon = cli_flag(cli, "abandon"),
    };
    struct cli_steps steps = {cli, json_array()};
    struct p11ca_ceremony c;
    AUTO_HOME home = NULL;
    int rc = cli_home(cli, &home, err);

    if (rc == 0)
        rc = fn(home, cli->args[0], &options, cli_show_step, &steps, &c, err);
    if (rc == 0)
        show_end(cli, &c, steps.done, !options.abandon);
    json_decref(steps.done);
    return rc;
}

static int run_run(struct cli *cli, struct p11ca_err *err)
{
    return run_any(cli, p11ca_ceremony_run, err);
}

const struct command cmd_ceremony_run = {"ceremony run", "SCRIPT", 1, 1, "run a ceremony script",
    "The script is checked as a whole first. Each step is then shown, confirmed on the terminal, done, and "
    "recorded in "
    "the\n"
    "ceremony's folder: an append-only transcript, copies of what was made, a report, SHA256SUMS.",
    CLI_OPTIONS(run_options), run_run};

static int run_resume(struct cli *cli, struct p11ca_err *err)
{
    return run_any(cli, p11ca_ceremony_resume, err);
}

const struct command cmd_ceremony_resume = {"ceremony resume", "SCRIPT", 1, 1,
    "go on with a ceremony that was killed or stopped",
    "At the first step without a recorded result. Nothing is generated or signed twice: what the interrupted "
    "step left "
    "is taken\n"
    "over when it is provably its own.",
    CLI_OPTIONS(resume_options), run_resume};

static const struct cli_option rehearse_options[] = {
    {"yes", 'y', NULL, "confirm every step and type nothing, for CI", false},
    {"people", 0, "FILE", "names of those in the room; otherwise they are asked for", false},
    {"approvals", 0, "DIR", "where ROLE.sig are, signatures over plan.txt made elsewhere", false},
    {"dir", 0, "DIR", "the rehearsal's folder; otherwise a new one under HOME/rehearsals", false},
};

static int run_rehearse(struct cli *cli, struct p11ca_err *err)
{
    return run_any(cli, p11ca_ceremony_rehearse, err);
}

const struct command cmd_ceremony_rehearse = {"ceremony rehearse", "SCRIPT", 1, 1,
    "run the very same script on throw-away SoftHSM tokens",
    "In a temporary home with the same authorities; keys, certificates and requests that the script wants to "
    "find are "
    "stood in for.\n"
    "The folder stays, for `ceremony compare`; the tokens do not.",
    CLI_OPTIONS(rehearse_options), run_rehearse};
