#include <p11ca/import.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/commands.h"

#define MAX_CERTS 16

static const struct cli_option options[] = {
    {"index", 0, "FILE", "an index.txt, as openssl ca and easy-rsa write it", false},
    {"certs", 0, "DIR", "folder of certificates, PEM or DER of any name; may be repeated", false},
    {"crl", 0, "FILE", "the last CRL that was signed: its number, and what it revokes", false},
    {"crl-number", 0, "N", "the number of that CRL, where only that is known", false},
    {"lot", 0, "NAME", "make the rows a lot of this name", false},
    {"without-certs", 0, NULL, "take serials without a certificate, too, for CRLs", false},
    {"report", 0, "FILE", "a line for each row: *.csv, *.ndjson or *.jsonl", false},
    {"dry-run", 'n', NULL, "everything but writing", false},
};

#define SHOWN 20 /* of rows that were left out: all of them are in the report */

struct showing {
    const struct cli *cli;
    size_t n;
};

static void show_row(void *arg, const struct p11ca_import_row *row)
{
    struct showing *s = arg;
    bool left_out = row->verdict == P11CA_IMPORT_REJECTED || row->verdict == P11CA_IMPORT_NO_CERT;

    if (left_out && ++s->n > SHOWN)
        return;
    if (left_out)
        cli_say(s->cli, "%s: %s%s%s", row->input, row->serial ? row->serial : "", row->serial ? ": " : "",
            row->reason);
    else if (s->cli->verbose)
        cli_say(s->cli, "%s: %s %s", row->input, row->serial ? row->serial : "-",
            p11ca_import_verdict_name(row->verdict));
}

static void show_sum(struct cli *cli, const struct p11ca_imported *sum, const struct p11ca_err *why)
{
    if (cli->json) {
        cli_print_json(json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:b}", "authority", cli->args[0],
            "rows", (json_int_t)sum->rows, "taken", (json_int_t)sum->n[P11CA_IMPORT_TAKEN], "known",
            (json_int_t)sum->n[P11CA_IMPORT_KNOWN], "revoked", (json_int_t)sum->n[P11CA_IMPORT_REVOKED],
            "no_cert", (json_int_t)sum->n[P11CA_IMPORT_NO_CERT], "rejected",
            (json_int_t)sum->n[P11CA_IMPORT_REJECTED], "ignored", (json_int_t)sum->n[P11CA_IMPORT_IGNORED],
            "without_cert", (json_int_t)sum->without_cert, "next_crl", (json_int_t)sum->next_crl, "complete",
            !why));
        cli->json = false; /* the reason is in it */
        return;
    }
    cli_print(
        "%zu rows: %zu taken, %zu known, %zu newly revoked, %zu rejected, %zu without a certificate, %zu "
        "ignored",
        sum->rows, sum->n[P11CA_IMPORT_TAKEN], sum->n[P11CA_IMPORT_KNOWN], sum->n[P11CA_IMPORT_REVOKED],
        sum->n[P11CA_IMPORT_REJECTED], sum->n[P11CA_IMPORT_NO_CERT], sum->n[P11CA_IMPORT_IGNORED]);
    if (sum->without_cert)
        cli_print("%zu of those taken are serials without a certificate", sum->without_cert);
    cli_print("next CRL number %lld", (long long)sum->next_crl);
}

static int read_certs(
    const struct cli *cli, const char *certs[MAX_CERTS], size_t *ret_n, struct p11ca_err *err)
{
    size_t i, n = 0;

    for (i = 0; i < cli->n_values; i++) {
        if (strcmp(cli->values[i].option->name, "certs") != 0)
            continue;
        if (n == MAX_CERTS)
            return err_set(err, P11CA_USAGE, "USAGE", "want at most %d times --certs", MAX_CERTS);
        certs[n++] = cli->values[i].value;
    }
    *ret_n = n;
    return 0;
}

static int run(struct cli *cli, struct p11ca_err *err)
{
    const char *certs[MAX_CERTS];
    struct p11ca_import o = {
        .authority = cli->args[0],
        .dir = cli->n_args > 1 ? cli->args[1] : NULL,
        .index = cli_value(cli, "index"),
        .certs = certs,
        .crl = cli_value(cli, "crl"),
        .lot = cli_value(cli, "lot"),
        .report = cli_value(cli, "report"),
        .without_certs = cli_flag(cli, "without-certs"),
        .dry_run = cli_flag(cli, "dry-run"),
    };
    struct p11ca_imported sum;
    struct showing showing = {cli, 0};
    unsigned crl_number = 0;
    AUTO_HOME home = NULL;
    int rc;

    if (read_certs(cli, certs, &o.n_certs, err) != 0 ||
        cli_number(cli, "crl-number", 4294967294U, &crl_number, err) != 0 || cli_home(cli, &home, err) != 0)
        return -1;
    o.crl_number = crl_number;
    rc = p11ca_import(home, &o, show_row, &showing, &sum, err);
    if (showing.n > SHOWN)
        cli_say(cli, "and %zu more: --report FILE has them all", showing.n - SHOWN);
    if (rc == 0 || strcmp(err->code, "IMPORT_INCOMPLETE") == 0)
        show_sum(cli, &sum, rc == 0 ? NULL : err);
    return rc;
}

const struct command cmd_import = {"import", "AUTHORITY [DIR]", 1, 2,
    "take over what another CA program has issued",
    "DIR is a folder of openssl ca or easy-rsa (index.txt beside the certificates), or of certificates "
    "alone, "
    "as other\n"
    "programs export them. Each certificate must be signed by AUTHORITY, whose CA certificate is installed. "
    "Everything is\n"
    "looked at before anything is written; run again, it finishes and doubles nothing. Exit code 1 when rows "
    "were left out.",
    CLI_OPTIONS(options), run};
