/* list and show: what was issued. */
#include <p11ca/ledger.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/records.h"

static const struct cli_option list_options[] = {
    {"status", 0, "S", "reserved, issued, superseded or revoked", false},
    {"authority", 'a', "NAME", "issued by this authority", false},
    {"profile", 'p', "NAME", "of this profile", false},
    {"id", 0, "ID", "of this device", false},
    {"lot", 0, "NAME", "of the lots of this name", false},
    {"key", 0, "HEX|FILE", "for this public key: its SHA-256, or a file with it or a certificate", false},
    {"subject", 0, "TEXT", "with this in the subject", false},
    {"san", 0, "TEXT", "with this in the alternative names", false},
    {"issued-after", 0, "DATE", "2026-11-21 or 2026-11-21T03:05:00Z, UTC, and later", false},
    {"issued-before", 0, "DATE", "before that", false},
    {"expires-after", 0, "DATE", "that end then or later", false},
    {"expires-before", 0, "DATE", "that end before", false},
    {"expiring", 0, "DAYS", "that end within so many days, with the days left", false},
    {"limit", 0, "N", "at most so many", false},
    {"after", 0, "SERIAL", "those behind this one: paging", false},
    {"format", 0, "F", "text, json, ndjson, csv or index (for openssl ocsp; wants -a)", false},
};

static int read_format(struct cli *cli, struct listing *l, struct p11ca_err *err)
{
    const char *name = cli_value(cli, "format");

    l->format = listing_format_find(name ? name : cli->json ? "json" : "text");
    if (!l->format)
        return err_set(err, P11CA_USAGE, "USAGE",
            "option --format: want text, json, ndjson, csv or index, have '%s'", name);
    /* A serial alone does not say whose it is. */
    if (strcmp(l->format->name, "index") == 0 && !cli_value(cli, "authority"))
        return err_set(err, P11CA_USAGE, "USAGE", "option --format index: want --authority, too");
    return 0;
}

static int read_filter(const struct cli *cli, struct p11ca_filter *f, struct p11ca_err *err)
{
    unsigned limit = 0;

    if (cli_date(cli, "issued-after", &f->issued_after, err) != 0 ||
        cli_date(cli, "issued-before", &f->issued_before, err) != 0 ||
        cli_date(cli, "expires-after", &f->expires_after, err) != 0 ||
        cli_date(cli, "expires-before", &f->expires_before, err) != 0 ||
        cli_number(cli, "expiring", 36500, &f->expiring, err) != 0 ||
        cli_number(cli, "limit", 1000000000, &limit, err) != 0)
        return -1;
    f->limit = limit;
    return 0;
}

static int run_list(struct cli *cli, struct p11ca_err *err)
{
    struct p11ca_filter f = {
        .status = cli_value(cli, "status"),
        .authority = cli_value(cli, "authority"),
        .profile = cli_value(cli, "profile"),
        .device = cli_value(cli, "id"),
        .lot = cli_value(cli, "lot"),
        .key = cli_value(cli, "key"),
        .subject = cli_value(cli, "subject"),
        .sans = cli_value(cli, "san"),
        .after = cli_value(cli, "after"),
    };
    struct listing l = {.cli = cli};
    AUTO_HOME home = NULL;

    if (read_format(cli, &l, err) != 0 || read_filter(cli, &f, err) != 0 || cli_home(cli, &home, err) != 0)
        return -1;
    l.now = f.expiring ? (int64_t)time(NULL) : 0;
    if (p11ca_list(home, &f, listing_row, &l, err) != 0)
        return -1;
    listing_end(&l);
    if (!cli->json)
        cli_say(cli, "%zu certificate%s", l.n, l.n == 1 ? "" : "s");
    return 0;
}

const struct command cmd_list = {"list", "", 0, 0, "what was issued",
    "Columns: serial, status, authority, profile, end of validity, subject. In the order in which serials "
    "were "
    "reserved.",
    CLI_OPTIONS(list_options), run_list};

static const struct cli_option show_options[] = {
    {"pem", 0, NULL, "the certificate itself", false},
};

static int show_row(void *arg, const struct p11ca_record *r)
{
    const struct cli *cli = arg;

    if (cli_flag(cli, "pem"))
        cli_record_pem(r);
    else if (cli->json)
        cli_print_json(cli_record_json(r));
    else
        cli_record_print(r);
    return 0;
}

static int run_show(struct cli *cli, struct p11ca_err *err)
{
    AUTO_HOME home = NULL;

    return cli_home(cli, &home, err) != 0 ? -1 : p11ca_show(home, cli->args[0], show_row, cli, err);
}

const struct command cmd_show = {"show", "SERIAL|FILE", 1, 1, "one certificate as the ledger knows it",
    "By serial, in hex as OpenSSL prints it, or by a certificate file. Exit code 1 when the ledger has none.",
    CLI_OPTIONS(show_options), run_show};
