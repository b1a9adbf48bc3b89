/* list and show: what was issued. */
#include <p11ca/ledger.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/records.h"

static const struct cli_option list_options[] = {
    {"status", 0, "S", "reserved, issued, superseded or revoked", false},
    {"authority", 'a', "NAME", "issued by this authority", false},
    {"profile", 'p', "NAME", "of this profile", false},
    {"id", 0, "ID", "of this device", false},
    {"expiring", 0, "DAYS", "that end within so many days", false},
    {"limit", 0, "N", "at most so many", false},
    {"after", 0, "SERIAL", "those behind this one: paging", false},
};

struct listing {
    struct cli *cli;
    size_t n;
};

/* An array, written as it comes: a million rows are not held in memory. */
static int list_row(void *arg, const struct p11ca_record *r)
{
    struct listing *l = arg;
    char until[TEXT_TIME], subject[512];
    json_t *o;

    if (l->cli->json) {
        o = cli_record_json(r);
        fputs(l->n++ ? ",\n" : "[", stdout);
        json_dumpf(o, stdout, JSON_COMPACT);
        json_decref(o);
        return 0;
    }
    l->n++;
    text_time(r->not_after, until);
    text_escape(r->subject, strlen(r->subject), subject, sizeof(subject));
    printf(
        "%-40s %-10s %-10s %-10s %.10s %s\n", r->serial, r->status, r->authority, r->profile, until, subject);
    return 0;
}

static int run_list(struct cli *cli, struct p11ca_err *err)
{
    struct p11ca_filter f = {
        .status = cli_value(cli, "status"),
        .authority = cli_value(cli, "authority"),
        .profile = cli_value(cli, "profile"),
        .device = cli_value(cli, "id"),
        .after = cli_value(cli, "after"),
    };
    struct listing l = {cli, 0};
    unsigned limit = 0;
    AUTO_HOME home = NULL;

    if (cli_number(cli, "expiring", 36500, &f.expiring, err) != 0 ||
        cli_number(cli, "limit", 1000000000, &limit, err) != 0 || cli_home(cli, &home, err) != 0)
        return -1;
    f.limit = limit;
    if (p11ca_list(home, &f, list_row, &l, err) != 0)
        return -1;
    if (cli->json)
        fputs(l.n ? "]\n" : "[]\n", stdout);
    else
        cli_say(cli, "%zu certificate%s", l.n, l.n == 1 ? "" : "s");
    return 0;
}

const struct command cmd_list = {"list", "", 0, 0, "what was issued",
    "Columns: serial, status, authority, profile, end of validity, subject.", CLI_OPTIONS(list_options),
    run_list};

static const struct cli_option show_options[] = {
    {"pem", 0, NULL, "the certificate itself", false},
};

static int show_row(void *arg, const struct p11ca_record *r)
{
    struct listing *l = arg;

    if (cli_flag(l->cli, "pem"))
        cli_record_pem(r);
    else if (l->cli->json)
        cli_print_json(cli_record_json(r));
    else
        cli_record_print(r);
    return 0;
}

static int run_show(struct cli *cli, struct p11ca_err *err)
{
    struct listing l = {cli, 0};
    AUTO_HOME home = NULL;

    return cli_home(cli, &home, err) != 0 ? -1 : p11ca_show(home, cli->args[0], show_row, &l, err);
}

const struct command cmd_show = {"show", "SERIAL|FILE", 1, 1, "one certificate as the ledger knows it",
    "By serial, in hex as OpenSSL prints it, or by a certificate file. Exit code 1 when the ledger has none.",
    CLI_OPTIONS(show_options), run_show};
