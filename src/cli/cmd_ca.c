/* request and install: an authority and its CA certificate. */
#include <p11ca/issue.h>

#include "cli/commands.h"

static const struct cli_option request_options[] = {
    {"output", 'o', "FILE", "where the request goes (PEM)", true},
    {"force", 0, NULL, "replace FILE", false},
};

static int run_request(struct cli *cli, struct p11ca_err *err)
{
    const char *output = cli_value(cli, "output");
    AUTO_HOME home = NULL;

    if (cli_home(cli, &home, err) != 0 ||
        p11ca_request(home, cli->args[0], output, cli_flag(cli, "force"), err) != 0)
        return -1;
    if (cli->json)
        cli_print_json(json_pack("{s:s,s:o}", "authority", cli->args[0], "request", cli_text(output)));
    else
        cli_say(cli, "%s: request of authority '%s'", output, cli->args[0]);
    return 0;
}

const struct command cmd_request = {"request", "AUTHORITY", 1, 1,
    "a certification request signed by an authority's token key",
    "For a CA certificate that is signed elsewhere; `p11ca install` takes it in. The key's attributes are "
    "checked first.",
    CLI_OPTIONS(request_options), run_request};

static int run_install(struct cli *cli, struct p11ca_err *err)
{
    AUTO_HOME home = NULL;

    if (cli_home(cli, &home, err) != 0 || p11ca_install(home, cli->args[0], cli->args[1], err) != 0)
        return -1;
    if (cli->json)
        cli_print_json(json_pack("{s:s,s:b}", "authority", cli->args[0], "installed", true));
    else
        cli_say(cli, "authority '%s' has its CA certificate", cli->args[0]);
    return 0;
}

const struct command cmd_install = {"install", "AUTHORITY CERT", 2, 2,
    "take an authority's signed CA certificate in",
    "It must be for the key in the token, have the subject of p11ca.conf and be a CA certificate; when its "
    "issuer is an\n"
    "authority of this home, it must verify under it. Published as HOME/AUTHORITY.crt.",
    NULL, 0, run_install};
