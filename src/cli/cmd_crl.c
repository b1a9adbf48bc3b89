/* crl: an authority's next revocation list. */
#include <p11ca/revoke.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "cli/commands.h"

#define DAYS_DEFAULT 7 /* CA/Browser Forum BR 4.9.7: of end entities, at most ten */

static const struct cli_option options[] = {
    {"output", 'o', "FILE", "where the list goes (PEM; DER when it ends in .der)", true},
    {"der", 0, NULL, "DER, whatever FILE is called", false},
    {"delta", 0, NULL, "only what changed since the last complete list", false},
    {"days", 0, "N", "nextUpdate is so many days away (default: 7)", false},
    {"hours", 0, "N", "or so many hours", false},
    {"force", 0, NULL, "replace FILE", false},
};

static bool is_der(const char *path)
{
    size_t len = strlen(path);

    return len > 4 && strcmp(path + len - 4, ".der") == 0;
}

static void show(struct cli *cli, const char *file, const struct p11ca_crl *crl)
{
    static const char *const outcomes[] = {
        [P11CA_NEW] = "new", [P11CA_FINISHED] = "finished", [P11CA_REUSED] = "reused"};
    char until[TEXT_TIME];

    text_time(crl->next_update, until);
    if (cli->json)
        cli_print_json(json_pack("{s:s,s:s,s:I,s:o,s:o,s:o,s:I,s:s,s:o}", "authority", cli->args[0],
            "outcome", outcomes[crl->outcome], "number", (json_int_t)crl->number, "base",
            crl->base ? json_integer((json_int_t)crl->base) : json_null(), "this_update",
            cli_time(crl->this_update), "next_update", cli_time(crl->next_update), "entries",
            (json_int_t)crl->entries, "sha256", crl->sha256, "file", cli_text(file)));
    else if (crl->base)
        cli_print("%s: CRL %lld of '%s', delta to %lld, %zu entr%s, next update %s", file,
            (long long)crl->number, cli->args[0], (long long)crl->base, crl->entries,
            crl->entries == 1 ? "y" : "ies", until);
    else
        cli_print("%s: CRL %lld of '%s', %zu entr%s, next update %s", file, (long long)crl->number,
            cli->args[0], crl->entries, crl->entries == 1 ? "y" : "ies", until);
}

static int run(struct cli *cli, struct p11ca_err *err)
{
    struct p11ca_crl_order o = {
        .output = cli_value(cli, "output"), .delta = cli_flag(cli, "delta"), .force = cli_flag(cli, "force")};
    struct p11ca_crl crl;
    AUTO_HOME home = NULL;

    o.der = cli_flag(cli, "der") || is_der(o.output);
    o.days = cli_value(cli, "days") || cli_value(cli, "hours") ? 0 : DAYS_DEFAULT;
    if (cli_number(cli, "days", 36525, &o.days, err) != 0 ||
        cli_number(cli, "hours", 1000000, &o.hours, err) != 0 || cli_home(cli, &home, err) != 0 ||
        p11ca_crl(home, cli->args[0], &o, &crl, err) != 0)
        return -1;
    show(cli, o.output, &crl);
    return 0;
}

const struct command cmd_crl = {"crl", "AUTHORITY", 1, 1, "sign an authority's next revocation list",
    "Numbered by the ledger; complete, or with --delta what changed since the last complete one. The list is "
    "linted before the\n"
    "token is touched and verified before anybody sees it.",
    CLI_OPTIONS(options), run};
