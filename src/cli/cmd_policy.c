/* policy check, policy export: files of rules for services with libp11ca-auth, and for others. */
#include <p11ca/auth.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/scope.h"
#include "cli/commands.h"

static void free_policy(struct p11ca_policy **policy)
{
    p11ca_policy_free(*policy);
}
#define AUTO_POLICY __attribute__((cleanup(free_policy))) struct p11ca_policy *

static int load(const struct cli *cli, struct p11ca_policy **ret, struct p11ca_err *err)
{
    *ret = p11ca_policy_new();
    return *ret ? p11ca_policy_load(*ret, cli->args[0], err) : err_nomem(err);
}

/* --- check --- */

static void show_finding(void *arg, const struct p11ca_policy_finding *f)
{
    if (arg)
        json_array_append_new(
            arg, json_pack("{s:s,s:o,s:s,s:o}", "code", f->code, "where", cli_text(f->where), "service",
                     f->service, "message", cli_text(f->message)));
    else
        cli_print("%s: %s: %s", f->where, f->code, f->message);
}

static int run_check(struct cli *cli, struct p11ca_err *err)
{
    AUTO_POLICY policy = NULL;
    json_t *list;
    int rc;

    if (load(cli, &policy, err) != 0)
        return -1;
    list = cli->json ? json_array() : NULL;
    rc = p11ca_policy_review(policy, show_finding, list, err);
    if (list)
        cli_print_json(list);
    else if (rc == 0)
        cli_print("%s: good", cli->args[0]);
    cli->json = false; /* the answer is in it */
    return rc;
}

/* --- export --- */

static const struct cli_option export_options[] = {
    {"format", 0, "FORMAT", "nginx or envoy", true},
    {"out", 'o', "FILE", "where to; default: standard output", false},
    {"force", 0, NULL, "replace FILE", false},
};

static int write_out(const struct cli *cli, const char *text, struct p11ca_err *err)
{
    const char *out = cli_value(cli, "out");

    if (!out) {
        fputs(text, stdout);
        return 0;
    }
    if (file_write(out, cli_flag(cli, "force") ? FILE_REPLACE : FILE_NEW, 0644, text, strlen(text), err) != 0)
        return -1;
    if (cli->json)
        cli_print_json(json_pack("{s:o}", "file", cli_text(out)));
    else
        cli_print("%s", out);
    return 0;
}

static int run_export(struct cli *cli, struct p11ca_err *err)
{
    AUTO_POLICY policy = NULL;
    AUTO_STR text = NULL;

    if (cli->json && !cli_value(cli, "out"))
        return err_set(err, P11CA_USAGE, "USAGE", "option --json: want --out beside it");
    if (load(cli, &policy, err) != 0 ||
        p11ca_policy_export(policy, cli_value(cli, "format"), &text, err) != 0)
        return -1;
    return write_out(cli, text, err);
}

const struct command cmd_policy_check = {"policy check", "FILE", 1, 1,
    "rules of a policy that can decide nothing, contradict each other, or fit nobody",
    "Exit code 1 with findings, each with file and line.", NULL, 0, run_check};

const struct command cmd_policy_export = {"policy export", "FILE", 1, 1, "a policy as nginx or Envoy ask it",
    "What cannot be said there is refused with its rule's name; nothing is left out.",
    CLI_OPTIONS(export_options), run_export};
