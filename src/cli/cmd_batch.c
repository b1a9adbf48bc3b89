#include <p11ca/lot.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/commands.h"

static const struct cli_option options[] = {
    {"authority", 'a', "NAME", "who issues", true},
    {"profile", 'p', "NAME", "of all of them", true},
    {"output", 'o', "DIR|FILE",
        "where the certificates go: NAME.crt for NAME.csr, DEVICE.crt for a manifest's row", true},
    {"format", 0, "pem|der|bundle|tar", "files in a directory (default: pem), or all in one file", false},
    {"ticket", 0, "FILE", "a lot ticket, its signature beside it in FILE.p7s", false},
    {"jobs", 'j', "N", "threads (default: the number of cores)", false},
    {"dry-run", 0, NULL, "check everything, sign nothing", false},
    {"on-error", 0, "skip|stop", "what to do about rejected rows (default: skip); stop is --max-errors 0",
        false},
    {"reissue", 0, NULL, "replace the certificates that devices or keys have: they become superseded", false},
    {"max-errors", 0, "N", "sign nothing, or no more, when more rows than that are rejected", false},
    {"report", 0, "FILE", "a line for every row: *.csv, *.ndjson, *.jsonl", false},
    {"summary", 0, "FILE", "the lot on one page, for people: *.html", false},
};

static const char *const formats[] = {
    [P11CA_LOT_PEM] = "pem",
    [P11CA_LOT_DER] = "der",
    [P11CA_LOT_BUNDLE] = "bundle",
    [P11CA_LOT_TAR] = "tar",
};
#define N_FORMATS (sizeof(formats) / sizeof(formats[0]))

static int read_format(const struct cli *cli, enum p11ca_lot_format *ret, struct p11ca_err *err)
{
    const char *word = cli_value(cli, "format");
    size_t i = 0;

    while (word && i < N_FORMATS && strcmp(formats[i], word) != 0)
        i++;
    if (i == N_FORMATS)
        return err_set(
            err, P11CA_USAGE, "USAGE", "option --format: want pem, der, bundle or tar, have '%s'", word);
    *ret = (enum p11ca_lot_format)i;
    return 0;
}

static void show_row(void *arg, const struct p11ca_row *row)
{
    const struct cli *cli = arg;
    const char *word = p11ca_verdict_name(row->verdict);
    char name[600];

    progress_clear_for_result(cli->progress);
    /* One object per line, as soon as the row is durable. */
    if (cli->json) {
        cli_print_json(json_pack("{s:I,s:o,s:o,s:o,s:s,s:o,s:o,s:o,s:o}", "row", (json_int_t)row->number,
            "input", cli_text(row->input), "device", cli_text(row->device), "profile", cli_text(row->profile),
            "status", word, "serial", cli_text(row->serial), "file", cli_text(row->file), "code",
            cli_text(row->code), "reason", cli_text(row->reason)));
        return;
    }
    text_escape(row->input, strlen(row->input), name, sizeof(name));
    if (row->verdict == P11CA_ROW_REJECTED)
        printf("%-8s %s: %s: %s\n", word, name, row->code, row->reason);
    else
        printf("%-8s %s %s\n", word, name, row->serial ? row->serial : "");
}

/* What most lots have none of. */
static const char *rest(const struct p11ca_lot_result *r, char *dst, size_t size)
{
    char *at = dst;

    dst[0] = '\0';
    if (r->issued > r->fresh)
        at += snprintf(dst, size, ", %zu finished", r->issued - r->fresh);
    if (r->not_tried)
        snprintf(at, size - (size_t)(at - dst), ", %zu not tried", r->not_tried);
    return dst;
}

static int run(struct cli *cli, struct p11ca_err *err)
{
    const char *on_error = cli_value(cli, "on-error");
    bool stop = on_error && strcmp(on_error, "stop") == 0;
    struct p11ca_lot lot = {
        .authority = cli_value(cli, "authority"),
        .profile = cli_value(cli, "profile"),
        .input = cli->args[0],
        .output = cli_value(cli, "output"),
        .ticket = cli_value(cli, "ticket"),
        .dry_run = cli_flag(cli, "dry-run"),
        .reissue = cli_flag(cli, "reissue"),
        .report = cli_value(cli, "report"),
        .summary = cli_value(cli, "summary"),
        .limited = stop || cli_flag(cli, "max-errors"),
    };
    struct p11ca_lot_result r;
    char text[96];
    AUTO_HOME home = NULL;
    int rc;

    if (on_error && !stop && strcmp(on_error, "skip") != 0)
        return err_set(
            err, P11CA_USAGE, "USAGE", "option --on-error: want skip or stop, have '%s'", on_error);
    if (stop && cli_flag(cli, "max-errors"))
        return err_set(err, P11CA_USAGE, "USAGE", "want one of --on-error stop and --max-errors, have both");
    if (read_format(cli, &lot.format, err) != 0 || cli_number(cli, "jobs", 64, &lot.jobs, err) != 0 ||
        cli_number(cli, "max-errors", LIMIT_ROWS, &lot.max_errors, err) != 0 ||
        cli_home(cli, &home, err) != 0)
        return -1;
    rc = p11ca_issue_lot(home, &lot, show_row, cli, &r, err);
    if (r.rows && lot.dry_run)
        cli_say(cli, "%zu rows: %zu good, %zu reused, %zu rejected; %.1f s", r.rows,
            r.rows - r.reused - r.rejected - r.not_tried, r.reused, r.rejected, r.seconds);
    else if (r.rows)
        cli_say(cli, "%zu rows: %zu new, %zu reused, %zu rejected%s; %.1f s, %.0f/s", r.rows, r.fresh,
            r.reused, r.rejected, rest(&r, text, sizeof(text)), r.seconds,
            (double)(r.rows - r.not_tried) / r.seconds);
    return rc;
}

const struct command cmd_batch = {"batch", "INPUT", 1, 1,
    "issue a lot: a directory of requests, an archive or bundle of them, a CSV or NDJSON manifest",
    "INPUT is a directory (*.csr, *.pem, *.der, in the order of their names), a manifest (*.csv, *.ndjson, "
    "*.jsonl), a\n"
    "tar archive of requests (*.tar) or a bundle of them in PEM. Everything is checked before the first "
    "signature; a fault of the lot as such "
    "refuses all of it.\n"
    "One line per row, each once it is durable and published. Run again after a kill it finishes; run again "
    "after success it\n"
    "issues nothing new. Exit code 1 when rows were rejected.",
    CLI_OPTIONS(options), run};
