#include <p11ca/ceremony.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

struct findings {
    struct cli *cli;
    json_t *array;
};

static void show_finding(void *arg, bool good, const char *what, const char *found)
{
    struct findings *f = arg;

    if (f->cli->json)
        json_array_append_new(f->array,
            json_pack("{s:b,s:o,s:o}", "good", good, "what", cli_text(what), "found", cli_text(found)));
    else
        cli_print("%s: %s: %s", good ? "good" : "bad", what, found);
}

/* --- verify --- */

/* Four octets a line, as they stand on the paper. */
static void show_hash(const struct p11ca_ceremony *c)
{
    const char *words = c->words;
    size_t i, k, len;

    cli_print("final hash, to be compared with the paper:");
    for (i = 0; i + 8 <= strlen(c->sha256); i += 8) {
        for (k = 0, len = 0; k < 4 && words[len]; k++) {
            len += words[len] == ' ';
            len += strcspn(words + len, " ");
        }
        cli_print("  %.8s  %.*s", c->sha256 + i, (int)len, words);
        words += len + (words[len] == ' ');
    }
}

static void show_tools(const struct cli *cli, const char *dir)
{
    cli_say(cli, "the same with other tools, in %s:", dir);
    cli_say(cli, "  files: sha256sum -c SHA256SUMS");
    cli_say(cli, "  final hash: sha256sum transcript.jsonl");
    cli_say(cli,
        "  chain: p=; while IFS= read -r l; do [ \"$(jq -r .before <<<\"$l\")\" = \"$p\" ] || echo \"broken: "
        "$l\"; p=$(sha256sum <<<\"$l\" | cut -c1-64); done <transcript.jsonl");
    cli_say(cli, "  countersignatures: openssl cms -verify -binary -inform DER -noverify -content "
                 "transcript.jsonl -in countersignatures/NAME.p7s -out /dev/null");
}

static void show_verified(const struct cli *cli, const struct p11ca_ceremony *c, bool good, json_t *findings)
{
    if (cli->json) {
        cli_print_json(json_pack("{s:b,s:o,s:o,s:o,s:O}", "good", good, "folder", cli_text(cli->args[0]),
            "sha256", good ? json_string(c->sha256) : json_null(), "words",
            good ? json_string(c->words) : json_null(), "findings", findings));
        return;
    }
    if (!good)
        return;
    show_hash(c);
    show_tools(cli, c->dir);
}

static int run_verify(struct cli *cli, struct p11ca_err *err)
{
    struct findings f = {cli, json_array()};
    struct p11ca_ceremony c;
    int rc = p11ca_ceremony_verify(cli->args[0], show_finding, &f, &c, err);

    if (rc == 0 || err->kind == P11CA_NEGATIVE) {
        show_verified(cli, &c, rc == 0, f.array);
        cli->json = false; /* the reason is in it */
    }
    json_decref(f.array);
    return rc;
}

const struct command cmd_ceremony_verify = {"ceremony verify", "DIR", 1, 1, "check the folder of a ceremony",
    "Offline, without a home or a token: the chain of the transcript, its lines against the script, every "
    "file against the\n"
    "hash recorded for it, certificates and requests, approvals, the report, countersignatures. Exit code 1 "
    "with the first\n"
    "fault. Compare the final hash with the one on the paper: it fixes all the rest.",
    NULL, 0, run_verify};

/* --- compare --- */

static int run_compare(struct cli *cli, struct p11ca_err *err)
{
    struct findings f = {cli, json_array()};
    int rc = p11ca_ceremony_compare(cli->args[0], cli->args[1], show_finding, &f, err);

    if (cli->json && (rc == 0 || err->kind == P11CA_NEGATIVE)) {
        cli_print_json(json_pack("{s:b,s:o,s:o,s:O}", "good", rc == 0, "rehearsal", cli_text(cli->args[0]),
            "real", cli_text(cli->args[1]), "findings", f.array));
        cli->json = false;
    }
    json_decref(f.array);
    return rc;
}

const struct command cmd_ceremony_compare = {"ceremony compare", "REHEARSAL REAL", 2, 2,
    "compare a ceremony with its rehearsal",
    "Two folders, both verified first: one script, one plan, the same steps with the same results, except "
    "for "
    "what must or\n"
    "may differ - keys, serials, times, names, tokens, machine. Exit code 1 with the first other difference.",
    NULL, 0, run_compare};

/* --- countersign --- */

static const struct cli_option countersign_options[] = {
    {"token", 0, "NAME", "the token with the witness's key, of p11ca.conf", true},
    {"key", 0, "LABEL", "label of the key", true},
    {"certificate", 0, "FILE", "certificate of that key", true},
    {"name", 0, "NAME", "of the file: DIR/countersignatures/NAME.p7s", true},
};

static int run_countersign(struct cli *cli, struct p11ca_err *err)
{
    const char *dir = cli->args[0], *name = cli_value(cli, "name");
    AUTO_HOME home = NULL;

    if (cli_home(cli, &home, err) != 0 || p11ca_ceremony_countersign(home, dir, name, cli_value(cli, "token"),
                                              cli_value(cli, "key"), cli_value(cli, "certificate"), err) != 0)
        return -1;
    if (cli->json)
        cli_print_json(json_pack("{s:o,s:s}", "folder", cli_text(dir), "name", name));
    else
        cli_say(cli, "countersigned: %s/countersignatures/%s.p7s", dir, name);
    return 0;
}

const struct command cmd_ceremony_countersign = {"ceremony countersign", "DIR", 1, 1,
    "a witness signs the final transcript of a ceremony",
    "The folder is verified first. CMS, detached, SHA-256, by the key of a token: "
    "DIR/countersignatures/NAME.p7s.",
    CLI_OPTIONS(countersign_options), run_countersign};
