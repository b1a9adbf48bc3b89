/* renew: the next certificate of one that is there. */
#include <p11ca/issue.h>

#include "cli/commands.h"
#include "cli/records.h"

static const struct cli_option options[] = {
    {"csr", 0, "FILE", "the key is that of a request: its names are not looked at", false},
    {"same-key", 0, NULL, "the key it has, where the profile says renew-same-key", false},
    {"new-key", 0, "FILE", "make a P-256 key and write it here, mode 0600", false},
    {"field", 0, "NAME=TEXT", "for the templates of the profile; may be repeated", false},
    {"ticket", 0, "FILE", "a lot ticket, its signature beside it in FILE.p7s", false},
    {"days", 0, "N", "validity (default: the profile's)", false},
    {"output", 'o', "FILE", "where the certificate goes (PEM)", true},
    {"force", 0, NULL, "replace FILE", false},
};

static int run(struct cli *cli, struct p11ca_err *err)
{
    struct p11ca_field fields[CLI_MAX_FIELDS];
    char names[CLI_MAX_FIELDS][33];
    struct p11ca_renewal o = {
        .what = cli->args[0],
        .csr = cli_value(cli, "csr"),
        .new_key = cli_value(cli, "new-key"),
        .same_key = cli_flag(cli, "same-key"),
        .ticket = cli_value(cli, "ticket"),
        .output = cli_value(cli, "output"),
        .force = cli_flag(cli, "force"),
        .fields = fields,
    };
    struct cli_shown shown = {cli, NULL};
    struct p11ca_issued issued;
    AUTO_HOME home = NULL;

    if (cli_fields(cli, names, fields, &o.n_fields, err) != 0 ||
        cli_number(cli, "days", 36500, &o.days, err) != 0 || cli_home(cli, &home, err) != 0 ||
        p11ca_renew(home, &o, &issued, cli_keep_record, &shown, err) != 0)
        return -1;
    cli_show_issued(cli, o.csr, &issued, shown.record);
    return 0;
}

const struct command cmd_renew = {"renew", "SERIAL|FILE", 1, 1, "the next certificate of one that is there",
    "Names, device, profile and authority are those of the old one, which becomes superseded when the new "
    "one "
    "is there. What is\n"
    "revoked, expired or superseded is refused. A whole lot is renewed by batch --reissue.",
    CLI_OPTIONS(options), run};
