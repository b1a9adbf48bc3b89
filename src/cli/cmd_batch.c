#include <p11ca/lot.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "cli/commands.h"

static const struct cli_option options[] = {
    {"authority", 'a', "NAME", "who issues", true},
    {"profile", 'p', "NAME", "of all of them", true},
    {"output", 'o', "DIR", "where the certificates go: NAME.crt for NAME.csr", true},
    {"jobs", 'j', "N", "threads (default: the number of cores)", false},
    {"dry-run", 0, NULL, "check everything, sign nothing", false},
    {"on-error", 0, "skip|stop", "after a rejected row (default: skip)", false},
};

static void show_row(void *arg, const struct p11ca_row *row)
{
    static const char *const words[] = {
        [P11CA_ROW_ISSUED] = "ISSUED",
        [P11CA_ROW_REUSED] = "REUSED",
        [P11CA_ROW_GOOD] = "GOOD",
        [P11CA_ROW_REJECTED] = "REJECTED",
    };
    const struct cli *cli = arg;
    char name[600];

    /* One object per line, as soon as the row is durable. */
    if (cli->json) {
        cli_print_json(json_pack("{s:I,s:o,s:s,s:o,s:o,s:o,s:o}", "row", (json_int_t)row->number, "input",
            cli_text(row->input), "status", words[row->verdict], "serial", cli_text(row->serial), "file",
            cli_text(row->file), "code", cli_text(row->code), "reason", cli_text(row->reason)));
        return;
    }
    text_escape(row->input, strlen(row->input), name, sizeof(name));
    if (row->verdict == P11CA_ROW_REJECTED)
        printf("%-8s %s: %s: %s\n", words[row->verdict], name, row->code, row->reason);
    else
        printf("%-8s %s %s\n", words[row->verdict], name, row->serial ? row->serial : "");
}

static int run(struct cli *cli, struct p11ca_err *err)
{
    const char *on_error = cli_value(cli, "on-error");
    struct p11ca_lot lot = {
        .authority = cli_value(cli, "authority"),
        .profile = cli_value(cli, "profile"),
        .input = cli->args[0],
        .output = cli_value(cli, "output"),
        .dry_run = cli_flag(cli, "dry-run"),
        .stop = on_error && strcmp(on_error, "stop") == 0,
    };
    struct p11ca_lot_result r;
    AUTO_HOME home = NULL;
    int rc;

    if (on_error && !lot.stop && strcmp(on_error, "skip") != 0)
        return err_set(
            err, P11CA_USAGE, "USAGE", "option --on-error: want skip or stop, have '%s'", on_error);
    if (cli_number(cli, "jobs", 64, &lot.jobs, err) != 0 || cli_home(cli, &home, err) != 0)
        return -1;
    rc = p11ca_issue_lot(home, &lot, show_row, cli, &r, err);
    if (r.rows)
        cli_say(cli, "%zu rows: %zu issued, %zu reused, %zu rejected; %.1f s, %.0f/s", r.rows, r.issued,
            r.reused, r.rejected, r.seconds, (double)r.rows / r.seconds);
    return rc;
}

const struct command cmd_batch = {"batch", "DIR", 1, 1, "issue a lot: a directory of requests",
    "One line per request (*.csr, *.pem, *.der), in the order of their names, each once it is durable and "
    "published. Run again\n"
    "after a kill it finishes; run again after success it issues nothing new. Exit code 1 when rows were "
    "rejected.",
    CLI_OPTIONS(options), run};
