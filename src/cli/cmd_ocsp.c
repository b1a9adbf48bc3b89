/* ocsp: what a web server says of certificates, made beforehand. */
#include <p11ca/ocsp.h>

#include "base/err.h"
#include "base/text.h"
#include "cli/commands.h"

static const struct cli_option options[] = {
    {"output", 'o', "DIR", "where the responses go: SERIAL.sha1.ors, SERIAL.sha256.ors", true},
    {"days", 0, "N", "how long they are good for (default: 7)", false},
    {"hours", 0, "N", "the same in hours, at most 9600", false},
    {"signer", 0, "NAME", "the responder in p11ca.conf (default: the only one of AUTHORITY)", false},
    {"by-ca", 0, NULL, "no responder: the key of AUTHORITY signs", false},
    {"get", 0, NULL, "also below DIR/get, by the names that GET asks for", false},
    {"force", 0, NULL, "make all of them anew, and replace what has their names", false},
};

static int read_life(const struct cli *cli, unsigned *ret_hours, struct p11ca_err *err)
{
    unsigned days = 0, hours = 0;

    if (cli_value(cli, "days") && cli_value(cli, "hours"))
        return err_set(err, P11CA_USAGE, "USAGE", "ocsp: want --days or --hours, not both");
    if (cli_number(cli, "days", 400, &days, err) != 0 || cli_number(cli, "hours", 9600, &hours, err) != 0)
        return -1;
    if ((cli_value(cli, "days") || cli_value(cli, "hours")) && !days && !hours)
        return err_set(err, P11CA_USAGE, "USAGE", "ocsp: want at least an hour");
    *ret_hours = days ? 24 * days : hours;
    return 0;
}

static void show(const struct cli *cli, const struct p11ca_ocsp_made *made)
{
    char until[TEXT_TIME];

    if (cli->json) {
        cli_print_json(json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:o,s:o}", "authority", cli->args[0], "signer",
            made->signer, "certificates", (json_int_t)made->certificates, "good", (json_int_t)made->good,
            "revoked", (json_int_t)made->revoked, "made", (json_int_t)made->made, "fresh",
            (json_int_t)made->fresh, "this_update", cli_time(made->this_update), "next_update",
            cli_time(made->next_update)));
        return;
    }
    text_time(made->next_update, until);
    cli_print("%zu certificates: %zu good, %zu revoked", made->certificates, made->good, made->revoked);
    cli_print("%zu responses made by '%s', good until %s; %zu left as they were", made->made, made->signer,
        until, made->fresh);
}

static int run(struct cli *cli, struct p11ca_err *err)
{
    struct p11ca_ocsp_order o = {
        .authority = cli->args[0],
        .output = cli_value(cli, "output"),
        .signer = cli_value(cli, "signer"),
        .by_ca = cli_flag(cli, "by-ca"),
        .get = cli_flag(cli, "get"),
        .force = cli_flag(cli, "force"),
        .only = cli->args + 1,
        .n_only = cli->n_args - 1,
    };
    struct p11ca_ocsp_made made;
    AUTO_HOME home = NULL;

    if (read_life(cli, &o.hours, err) != 0 || cli_home(cli, &home, err) != 0 ||
        p11ca_ocsp(home, &o, &made, err) != 0)
        return -1;
    show(cli, &made);
    return 0;
}

const struct command cmd_ocsp = {"ocsp", "AUTHORITY [SERIAL|FILE]...", 1, 16,
    "OCSP responses for a static web server and for stapling",
    "For every certificate of AUTHORITY that has not expired, or for those named: what the ledger says, "
    "signed "
    "by the\n"
    "responder's key in its token. Those that still say so, and last for half the time or more, are left as "
    "they are.\n"
    "Serials that are reserved or unknown have no response.",
    CLI_OPTIONS(options), run};
