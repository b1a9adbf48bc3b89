#include <p11ca/ledger.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/commands.h"

#define MAX_FILES 64

static const struct cli_option options[] = {
    {"purpose", 0, "P", "server or client (default: any)", false},
    {"host", 0, "NAME", "DNS name or IP address it must be for", false},
    {"at", 0, "DATE", "at that time: 2026-11-21 or 2026-11-21T03:05:00Z, UTC (default: now)", false},
    {"ca", 0, "FILE", "CA certificates, the self-issued ones trusted: no home is asked; may be repeated",
        false},
    {"crl", 0, "FILE", "revocation by this CRL, not by the ledger; may be repeated", false},
    {"ocsp", 0, "FILE", "revocation by this OCSP response (DER), not by the ledger", false},
};

static int read_purpose(const struct cli *cli, enum p11ca_purpose *ret, struct p11ca_err *err)
{
    const char *word = cli_value(cli, "purpose");

    if (!word)
        return 0;
    if (strcmp(word, "server") == 0)
        *ret = P11CA_TLS_SERVER;
    else if (strcmp(word, "client") == 0)
        *ret = P11CA_TLS_CLIENT;
    else
        return err_set(err, P11CA_USAGE, "USAGE", "option --purpose: want server or client, have '%s'", word);
    return 0;
}

static int read_files(const struct cli *cli, const char *name, const char *files[MAX_FILES], size_t *ret_n,
    struct p11ca_err *err)
{
    size_t i, n = 0;

    for (i = 0; i < cli->n_values; i++) {
        if (strcmp(cli->values[i].option->name, name) != 0)
            continue;
        if (n == MAX_FILES)
            return err_set(err, P11CA_USAGE, "USAGE", "want at most %d times --%s", MAX_FILES, name);
        files[n++] = cli->values[i].value;
    }
    *ret_n = n;
    return 0;
}

static void show(const struct p11ca_question *q, const struct p11ca_answer *a)
{
    if (a->authority[0])
        cli_print("%s: verified, %s by '%s', serial %s", q->cert, a->status, a->authority, a->serial);
    else
        cli_print("%s: verified, %s, serial %s", q->cert,
            a->status[0] ? "not revoked" : "revocation not asked", a->serial);
}

static int run(struct cli *cli, struct p11ca_err *err)
{
    const char *ca[MAX_FILES], *crls[MAX_FILES];
    struct p11ca_question q = {.cert = cli->args[0],
        .host = cli_value(cli, "host"),
        .ca = ca,
        .crls = crls,
        .ocsp = cli_value(cli, "ocsp")};
    struct p11ca_answer a = {0};
    AUTO_HOME home = NULL;
    int rc;

    if (read_purpose(cli, &q.purpose, err) != 0 || cli_date(cli, "at", &q.at, err) != 0 ||
        read_files(cli, "ca", ca, &q.n_ca, err) != 0 || read_files(cli, "crl", crls, &q.n_crls, err) != 0 ||
        (!q.n_ca && cli_home(cli, &home, err) != 0))
        return -1;
    rc = p11ca_verify(home, &q, &a, err);
    if (rc != 0 && err->kind != P11CA_NEGATIVE)
        return -1;
    if (cli->json) {
        cli_print_json(json_pack("{s:b,s:s,s:s,s:s,s:s,s:o,s:o}", "verified", rc == 0, "serial", a.serial,
            "subject", a.subject, "authority", a.authority, "status", a.status, "code",
            rc == 0 ? json_null() : json_string(err->code), "reason",
            rc == 0 ? json_null() : cli_text(err->msg)));
        cli->json = false; /* the reason is in it */
    } else if (rc == 0) {
        show(&q, &a);
    }
    return rc;
}

const struct command cmd_verify = {"verify", "CERT", 1, 1,
    "does a certificate verify, and does the ledger know it",
    "Chain to a root of this home (X.509 strict), validity, purpose, host name, and revocation by the "
    "ledger, or by files\n"
    "at hand, which must be the issuer's and current. Exit code 1 with the reason when not.",
    CLI_OPTIONS(options), run};
