#include <p11ca/issue.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/commands.h"
#include "cli/records.h"

static const struct cli_option options[] = {
    {"authority", 'a', "NAME", "who issues", true},
    {"profile", 'p', "NAME", "what kind of certificate (p11ca profile list)", true},
    {"csr", 0, "FILE", "a PKCS #10 request, PEM or DER: proves possession of the key", false},
    {"pubkey", 0, "FILE", "a public key, PEM or DER", false},
    {"new-key", 0, "FILE", "make a P-256 key and write it here, mode 0600", false},
    {"id", 0, "ID", "device ID: A-Z a-z 0-9 . _ -, at most 64", false},
    {"subject", 0, "DN", "RFC 4514, \"CN=...,O=...\" (default: the request's, or made from --id or --dns)",
        false},
    {"dns", 0, "NAME", "subject alternative name; --dns, --ip, --uri, --email, --san may be repeated", false},
    {"ip", 0, "ADDRESS", "subject alternative name", false},
    {"uri", 0, "URI", "subject alternative name", false},
    {"email", 0, "ADDRESS", "subject alternative name", false},
    {"san", 0, "KIND:NAME", "of the kinds above, or hw, permid, UPN, smtputf8, SRV, FASC-N, RID, dirname",
        false},
    {"field", 0, "NAME=TEXT", "for the templates of the profile; may be repeated", false},
    {"ticket", 0, "FILE", "a lot ticket, its signature beside it in FILE.p7s", false},
    {"days", 0, "N", "validity (default: the profile's)", false},
    {"output", 'o', "FILE", "where the certificate goes (PEM)", true},
    {"force", 0, NULL, "replace FILE", false},
    {"reissue", 0, NULL, "replace the certificate that the device or key has: it becomes superseded", false},
};

#define MAX_SANS 250

/* Of an option that gives a name: 1 and the name; 0 for another option. */
static int read_san(const struct cli_value *given, struct p11ca_name *ret, struct p11ca_err *err)
{
    static const struct {
        const char *option;
        enum p11ca_san type;
    } kinds[] = {
        {"dns", P11CA_SAN_DNS}, {"ip", P11CA_SAN_IP}, {"uri", P11CA_SAN_URI}, {"email", P11CA_SAN_EMAIL}};
    size_t k;

    if (strcmp(given->option->name, "san") == 0)
        return p11ca_name_parse(given->value, ret, err) == 0 ? 1 : -1;
    for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        if (strcmp(given->option->name, kinds[k].option) == 0) {
            *ret = (struct p11ca_name){kinds[k].type, given->value};
            return 1;
        }
    }
    return 0;
}

static int read_sans(const struct cli *cli, struct p11ca_name *v, size_t *ret_n, struct p11ca_err *err)
{
    struct p11ca_name name;
    size_t i, n = 0;
    int has;

    for (i = 0; i < cli->n_values; i++) {
        has = read_san(&cli->values[i], &name, err);
        if (has < 0)
            return -1;
        if (has && n == MAX_SANS)
            return err_set(err, P11CA_USAGE, "USAGE", "want at most %d names", MAX_SANS);
        if (has)
            v[n++] = name;
    }
    *ret_n = n;
    return 0;
}

static int run(struct cli *cli, struct p11ca_err *err)
{
    struct p11ca_name sans[MAX_SANS];
    struct p11ca_field fields[CLI_MAX_FIELDS];
    char names[CLI_MAX_FIELDS][33];
    struct p11ca_order o = {
        .authority = cli_value(cli, "authority"),
        .profile = cli_value(cli, "profile"),
        .csr = cli_value(cli, "csr"),
        .pubkey = cli_value(cli, "pubkey"),
        .new_key = cli_value(cli, "new-key"),
        .id = cli_value(cli, "id"),
        .subject = cli_value(cli, "subject"),
        .ticket = cli_value(cli, "ticket"),
        .output = cli_value(cli, "output"),
        .force = cli_flag(cli, "force"),
        .reissue = cli_flag(cli, "reissue"),
        .sans = sans,
        .fields = fields,
    };
    struct cli_shown shown = {cli, NULL};
    struct p11ca_issued issued;
    AUTO_HOME home = NULL;

    if (read_sans(cli, sans, &o.n_sans, err) != 0 || cli_fields(cli, names, fields, &o.n_fields, err) != 0 ||
        cli_number(cli, "days", 36500, &o.days, err) != 0 || cli_home(cli, &home, err) != 0 ||
        p11ca_issue(home, &o, &issued, cli_keep_record, &shown, err) != 0)
        return -1;
    cli_show_issued(cli, o.csr, &issued, shown.record);
    return 0;
}

const struct command cmd_issue = {"issue", "", 0, 0, "issue one certificate",
    "The key comes from a request (--csr), a public key (--pubkey) or is made here (--new-key). Extensions "
    "come from the\n"
    "profile; a request is evidence, not instruction. Refusals come before the token is touched. Killed at "
    "any moment, the\n"
    "same command finishes what was begun.",
    CLI_OPTIONS(options), run};
