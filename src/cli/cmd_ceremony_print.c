#include <p11ca/ceremony.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/scope.h"
#include "cli/commands.h"

static const struct cli_option options[] = {
    {"people", 0, "FILE", "names of those in the room; otherwise there are lines for them", false},
    {"html", 0, NULL, "HTML made for A4; otherwise text of 80 columns", false},
    {"output", 'o', "FILE", "where it goes; a name that ends in .html means --html", false},
};

static bool is_html(const char *path)
{
    size_t len = path ? strlen(path) : 0;

    return len > 5 && strcmp(path + len - 5, ".html") == 0;
}

static int show(struct cli *cli, const char *paper, bool html, const char *output, struct p11ca_err *err)
{
    if (output && file_write(output, FILE_NEW, 0644, paper, strlen(paper), err) != 0)
        return -1;
    if (cli->json)
        cli_print_json(json_pack("{s:s,s:o,s:o}", "format", html ? "html" : "text", "output",
            cli_text(output), "paper", output ? json_null() : json_string(paper)));
    else if (output)
        cli_say(cli, "%s: the paper of %s", output, cli->args[0]);
    else
        fputs(paper, stdout);
    return 0;
}

static int run(struct cli *cli, struct p11ca_err *err)
{
    const char *output = cli_value(cli, "output");
    bool html = cli_flag(cli, "html") || is_html(output);
    AUTO_HOME home = NULL;
    AUTO_STR paper = NULL;

    if (cli_home(cli, &home, err) != 0 || (output && file_check_new(output, err) != 0) ||
        p11ca_ceremony_print(
            home, cli->args[0], cli_value(cli, "people"), html ? P11CA_HTML : P11CA_TEXT, &paper, err) != 0)
        return -1;
    return show(cli, paper, html, output, err);
}

const struct command cmd_ceremony_print = {"ceremony print", "SCRIPT", 1, 1,
    "the paper for a ceremony: its steps, and room to sign",
    "Printed before it: title, roles, the hashes of script and plan, every step with room for initials and "
    "times,\n"
    "deviations, and the fields of the final hash. No token is touched.",
    CLI_OPTIONS(options), run};
