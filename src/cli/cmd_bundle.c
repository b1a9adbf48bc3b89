#include <p11ca/bundle.h>
#include <string.h>

#include "base/err.h"
#include "cli/commands.h"

static const struct cli_option options[] = {
    {"output", 'o', "FILE", "where the bundle goes", true},
    {"chain", 0, NULL, "with the CA certificates below the roots", false},
    {"with-cross", 0, NULL, "with what these roots have signed for one another", false},
    {"state", 0, "S", "of a root rollover from the first AUTHORITY to the second: now, overlap or after",
        false},
    {"pkcs7", 0, NULL, "one PKCS #7 envelope in DER (.p7b), not PEM", false},
    {"force", 0, NULL, "replace FILE", false},
};

static int read_state(const struct cli *cli, enum p11ca_rotation *ret, struct p11ca_err *err)
{
    static const struct {
        const char *word;
        enum p11ca_rotation rotation;
    } words[] = {
        {"now", P11CA_ROTATION_NOW},
        {"overlap", P11CA_ROTATION_OVERLAP},
        {"after", P11CA_ROTATION_AFTER},
    };
    const char *word = cli_value(cli, "state");
    size_t i;

    if (!word)
        return 0;
    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].word, word) == 0) {
            *ret = words[i].rotation;
            return 0;
        }
    }
    return err_set(err, P11CA_USAGE, "USAGE", "option --state: want now, overlap or after, have '%s'", word);
}

static int run(struct cli *cli, struct p11ca_err *err)
{
    struct p11ca_bundle o = {
        .authorities = cli->args,
        .n_authorities = cli->n_args,
        .chain = cli_flag(cli, "chain"),
        .cross = cli_flag(cli, "with-cross"),
        .pkcs7 = cli_flag(cli, "pkcs7"),
        .output = cli_value(cli, "output"),
        .force = cli_flag(cli, "force"),
    };
    AUTO_HOME home = NULL;
    size_t n;

    if (read_state(cli, &o.rotation, err) != 0 || cli_home(cli, &home, err) != 0 ||
        p11ca_bundle(home, &o, &n, err) != 0)
        return -1;
    if (cli->json)
        cli_print_json(json_pack("{s:o,s:I}", "bundle", cli_text(o.output), "certificates", (json_int_t)n));
    else
        cli_say(cli, "%s: %zu certificate%s", o.output, n, n == 1 ? "" : "s");
    return 0;
}

const struct command cmd_bundle = {"bundle", "[AUTHORITY...]", 0, 16, "what others are to trust, as one file",
    "The roots of the authorities (default: of all). For nginx, curl, OpenSSL and others in PEM.",
    CLI_OPTIONS(options), run};
