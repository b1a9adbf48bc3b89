/* p11ca: the command table, and the way from a result to an exit code. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/err.h"
#include "cli/commands.h"

/* The command table. One file per command or group: src/cli/cmd_NAME.c. */
const struct command *const cli_commands[] = {
    &cmd_init,
    &cmd_token_list,
    &cmd_token_check,
    &cmd_token_init,
    &cmd_ceremony_check,
    &cmd_ceremony_print,
    &cmd_ceremony_rehearse,
    &cmd_ceremony_run,
    &cmd_ceremony_resume,
    &cmd_ceremony_verify,
    &cmd_ceremony_compare,
    &cmd_ceremony_countersign,
    &cmd_request,
    &cmd_install,
    &cmd_profile_list,
    &cmd_profile_show,
    &cmd_profile_check,
    &cmd_issue,
    &cmd_batch,
    &cmd_serve,
    &cmd_import,
    &cmd_bundle,
    &cmd_list,
    &cmd_show,
    &cmd_renew,
    &cmd_revoke,
    &cmd_crl,
    &cmd_ocsp,
    &cmd_verify,
    &cmd_lint,
    &cmd_audit,
    &cmd_identify,
    &cmd_thumbprint,
    &cmd_pin_add,
    &cmd_pin_remove,
    &cmd_pin_list,
    &cmd_authorize,
    &cmd_policy_check,
    &cmd_policy_export,
    &cmd_bench,
    &cmd_help,
    NULL,
};

/* Secrets must not reach a core file, nor a debugger of the same user. Leak detection needs the latter. */
static void protect(void)
{
    const struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

static void report(const struct cli *cli, const struct p11ca_err *err)
{
    progress_clear(cli->progress);
    fprintf(stderr, "p11ca: %s\n", err->msg);
    if (cli->json)
        cli_print_json(json_pack("{s:{s:s,s:o,s:i}}", "error", "code", err->code, "message",
            cli_text(err->msg), "exit", p11ca_exit_code(err->kind)));
}

static int run(struct cli *cli, int argc, char **argv, struct p11ca_err *err)
{
    if (cli_parse(cli, argc, argv, err) != 0)
        return -1;
    if (cli_flag(cli, "version")) {
        printf("p11ca %s\n", P11CA_VERSION);
        return 0;
    }
    if (!cli->command && cli_flag(cli, "help")) {
        cli_help_all();
        return 0;
    }
    if (!cli->command)
        return err_set(err, P11CA_USAGE, "USAGE", "want a command; see p11ca help");
    if (cli_flag(cli, "help")) {
        cli_help(cli->command);
        return 0;
    }
    cli_ui_init(cli, cli_flag(cli, "yes"));
    return cli->command->run(cli, err);
}

int main(int argc, char **argv)
{
    struct p11ca_err err = {0};
    struct progress progress = {.out = NULL};
    struct cli cli = {.progress = &progress};

    protect();
    /* The configuration of OpenSSL is for other programs: no engine or provider named there is loaded here. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    if (run(&cli, argc, argv, &err) != 0) {
        report(&cli, &err);
        return p11ca_exit_code(err.kind);
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "p11ca: standard output: cannot write\n");
        return p11ca_exit_code(P11CA_FILE);
    }
    return 0;
}
