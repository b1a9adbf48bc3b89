#include <p11ca/ledger.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/commands.h"

static const struct cli_option options[] = {
    {"purpose", 0, "P", "server or client (default: any)", false},
    {"host", 0, "NAME", "DNS name or IP address it must be for", false},
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

static int run(struct cli *cli, struct p11ca_err *err)
{
    struct p11ca_question q = {.cert = cli->args[0], .host = cli_value(cli, "host")};
    struct p11ca_answer a = {0};
    AUTO_HOME home = NULL;
    int rc;

    if (read_purpose(cli, &q.purpose, err) != 0 || cli_home(cli, &home, err) != 0)
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
        cli_print("%s: verified, %s by '%s', serial %s", q.cert, a.status, a.authority, a.serial);
    }
    return rc;
}

const struct command cmd_verify = {"verify", "CERT", 1, 1,
    "does a certificate verify, and does the ledger know it",
    "Chain to a root of this home (X.509 strict), validity, purpose, host name, and revocation by the "
    "ledger. Exit code 1\n"
    "with the reason when not.",
    CLI_OPTIONS(options), run};
