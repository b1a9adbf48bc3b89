#include <p11ca/issue.h>
#include <stdio.h>

#include "cli/commands.h"

static const struct cli_option options[] = {
    {"authority", 'a', "NAME", "whose token and key", true},
    {"count", 'n', "N", "certificates to issue (default: about three seconds' worth)", false},
    {"jobs", 'j', "N", "threads (default: the number of cores)", false},
};

static int run(struct cli *cli, struct p11ca_err *err)
{
    unsigned count = 0, jobs = 0;
    struct p11ca_bench b;
    AUTO_HOME home = NULL;

    if (cli_number(cli, "count", 1000000, &count, err) != 0 || cli_number(cli, "jobs", 64, &jobs, err) != 0 ||
        cli_home(cli, &home, err) != 0 ||
        p11ca_bench(home, cli_value(cli, "authority"), count, jobs, &b, err) != 0)
        return -1;
    if (cli->json) {
        cli_print_json(json_pack("{s:i,s:i,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:I}", "cores", (int)b.cores, "jobs",
            (int)b.jobs, "S", b.sign, "V", b.verify, "V_all", b.verify_all, "L", b.limit, "rate", b.issue,
            "rate_per_L", b.issue / b.limit, "rate_keys", b.issue_keys, "issued", (json_int_t)b.issued));
        return 0;
    }
    printf("S       %8.0f /s   C_Sign, one thread\n", b.sign);
    printf("V       %8.0f /s   verify, one thread\n", b.verify);
    printf("V all   %8.0f /s   verify, %u threads at once\n", b.verify_all, b.cores);
    printf("L       %8.0f /s   the limit: %u cores / (1/S + 2/V)\n", b.limit, b.cores);
    printf("rate    %8.0f /s   %zu issued with %u jobs: request and signature verified, ledger durable\n",
        b.issue, b.issued, b.jobs);
    printf("rate/L  %8.2f\n", b.issue / b.limit);
    printf("keys    %8.0f /s   as many from public keys: no proof of possession to check\n", b.issue_keys);
    return 0;
}

const struct command cmd_bench = {"bench", "", 0, 0, "how fast token, machine and p11ca are, in one run",
    "S, V, the limit L for issuing with proof of possession and verification after signing, and the rates "
    "reached with\n"
    "requests and with public keys, in a durable ledger that is thrown away afterwards.",
    CLI_OPTIONS(options), run};
